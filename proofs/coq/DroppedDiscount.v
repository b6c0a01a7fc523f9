(* The policy gradient without the weights gam^t is the gradient of no function (T58).
   Source: Nota, Thomas (2020), theorem 1; Thomas (2014), section 3. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix poly rat.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation FiniteHorizon.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* what programs follow: visits count in full, while Q stays discounted *)
Definition dropped_discount_gradient (R : comRingType) (S A : finType) (P : S -> A -> S -> R) (r : S -> A -> R) gam
    (D : R -> R) (pi : S -> A -> R) n s :=
  \sum_(k < n) \sum_s' reach P pi k s s' * \sum_a D (pi s' a) * Q P r gam pi (n - k.+1) s' a.

(* Two steps, one parameter a state. From state false, action true (probability x) leads to state true, the other ends the
   episode; in state true, action true (probability y) earns 1. J = gam x y; the field followed is (gam y, x). *)
Section Counterexample.
Variables (R : comRingType) (gam x y : R).
Definition advance (s a s' : bool) : R := (~~ s && a && s')%:R.
Definition prize (s a : bool) : R := (s && a)%:R.
Definition two_coins (s a : bool) : R := let p := if s then y else x in if a then p else 1 - p.

Lemma followed_field (D : R -> R) : derivation D ->
  dropped_discount_gradient advance prize gam D two_coins 2 false = D x * (gam * y) + x * D y.
Proof.
move=> dD; rewrite /dropped_discount_gradient !big_ord_recl big_ord0 /= !big_bool /= ?big_bool /=.
rewrite /Ppi /Q /= ?big_bool /= /advance /prize /two_coins /=.
by rewrite !(der_sub dD) !(der1 dD); ring.
Qed.

(* T58: for any two commuting derivations, the partial derivatives of any ring of functions of x and y, and gam <> 1.
   J is arbitrary, so that no other objective has this gradient either. *)
Theorem T58_dropped_discount_no_gradient (Dx Dy : R -> R) : derivation Dx -> derivation Dy ->
  (forall f, Dx (Dy f) = Dy (Dx f)) ->
  Dx x = 1 -> Dx y = 0 -> Dy x = 0 -> Dy y = 1 -> Dx gam = 0 -> Dy gam = 0 -> gam != 1 ->
  ~ exists J : R, Dx J = dropped_discount_gradient advance prize gam Dx two_coins 2 false /\
                  Dy J = dropped_discount_gradient advance prize gam Dy two_coins 2 false.
Proof.
move=> dx dy comm Dxx Dxy Dyx Dyy Dxg Dyg g1 [J []]; rewrite !followed_field // => Jx Jy.
case/eqP: g1; have := comm J; rewrite Jx Jy.
rewrite Dxx Dxy Dyx Dyy !mulr0 !mul0r !mulr1 !mul1r addr0 add0r Dxx.
by rewrite (der_leib dy) Dyg Dyy mul0r add0r mulr1 => <-.
Qed.
End Counterexample.

(* polynomials in x and y over the rationals are such a ring *)
Section Polynomials.
Local Notation R := [comRingType of {poly {poly rat}}].
Definition along_x : R -> R := @deriv _.
Definition along_y : R -> R := map_poly (@deriv _).

Lemma along_x_derivation : derivation along_x. Proof. exact: poly_derivation. Qed.
Lemma along_y_derivation : derivation along_y.
Proof.
split=> f g; first by rewrite /along_y raddfD.
apply/polyP => i; rewrite coefD !coef_map_id0 ?deriv0 // !coefM raddf_sum -big_split.
by apply: eq_bigr => j _; rewrite /= derivM !coef_map_id0 ?deriv0.
Qed.
Lemma along_commute f : along_x (along_y f) = along_y (along_x f).
Proof.
apply/polyP => i; rewrite coef_deriv !coef_map_id0 ?deriv0 // coef_deriv.
by rewrite derivMn.
Qed.
Lemma along_coordinates : [/\ along_x 'X = 1, along_x 'X%:P = 0, along_y 'X = 0 & along_y 'X%:P = 1].
Proof.
split; [exact: derivX | exact: derivC | | by rewrite /along_y map_polyC /= derivX].
apply/polyP => i; rewrite coef_map_id0 ?deriv0 // coefX coef0.
by case: eqP => _ /=; rewrite ?deriv0 // -[1]polyC1 derivC.
Qed.
Lemma along_constant (c : rat) : along_x c%:P%:P = 0 /\ along_y c%:P%:P = 0.
Proof. by split; [exact: derivC | rewrite /along_y map_polyC /= derivC]. Qed.

(* the theorem is not vacuous *)
Corollary dropped_discount_rational (gam : rat) : gam != 1 -> let field D :=
    dropped_discount_gradient (advance R) (prize R) gam%:P%:P D (two_coins 'X 'X%:P) 2 false in
  ~ exists J : R, along_x J = field along_x /\ along_y J = field along_y.
Proof.
have [xx xy yx yy] := along_coordinates; have [xg yg] := along_constant gam.
move=> g1; apply: T58_dropped_discount_no_gradient along_x_derivation along_y_derivation along_commute xx xy yx yy xg yg _.
by rewrite -polyC1 (inj_eq polyC_inj) -polyC1 (inj_eq polyC_inj).
Qed.
End Polynomials.
