(* Rational functions of two logits and their exponentials, with the derivatives for each logit: what a softmax needs, over the
   rationals. Source: Kolchin (1973), chapter I: a derivation extends to polynomials by its value at X, and to fractions. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation mutants.Rationals.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Polynomials.
Variables (R : comRingType) (d : R -> R) (dd : derivation d) (g : {poly R}).
(* the derivation that is d on R, with value g at X *)
Definition poly_der (p : {poly R}) : {poly R} := map_poly d p + p^`() * g.
Let map0 : d 0 = 0. Proof. exact: der0. Qed.
Lemma poly_derP : derivation poly_der.
Proof.
have mapD p s : map_poly d (p + s) = map_poly d p + map_poly d s.
  by apply/polyP => i; rewrite !(coefD, coef_map_id0) // (der_add dd).
have mapM p s : map_poly d (p * s) = p * map_poly d s + map_poly d p * s.
  apply/polyP => i; rewrite coefD coef_map_id0 // !coefM (der_sum dd) -big_split; apply: eq_bigr => j _.
  by rewrite !coef_map_id0 // (der_leib dd) addrC.
split=> p s; rewrite /poly_der ?derivD ?derivM ?mapD ?mapM; ring.
Qed.
Lemma poly_der_C c : poly_der c%:P = (d c)%:P.
Proof. by rewrite /poly_der derivC mul0r addr0; apply/polyP => i; rewrite coef_map_id0 // !coefC; case: eqP. Qed.
Lemma poly_der_X : poly_der 'X = g.
Proof.
rewrite /poly_der derivX mul1r [X in X + _](_ : _ = 0) ?add0r //; apply/polyP => i.
by rewrite coef_map_id0 // coefX coef0; case: eqP => _; rewrite ?(der1 dd) ?map0.
Qed.
End Polynomials.

(* the rules for quotients, between numbers *)
Lemma quotient_add (F : fieldType) (a b c e da db dc de : F) : b != 0 -> e != 0 ->
  ((da * e + a * de + (dc * b + c * db)) * (b * e) - (a * e + c * b) * (db * e + b * de)) / (b * e) ^+ 2 =
  (da * b - a * db) / b ^+ 2 + (dc * e - c * de) / e ^+ 2.
Proof. by move=> b0 e0; field; rewrite b0 e0. Qed.
Lemma quotient_mul (F : fieldType) (a b c e da db dc de : F) : b != 0 -> e != 0 ->
  ((da * c + a * dc) * (b * e) - (a * c) * (db * e + b * de)) / (b * e) ^+ 2 =
  (da * b - a * db) / b ^+ 2 * (c / e) + a / b * ((dc * e - c * de) / e ^+ 2).
Proof. by move=> b0 e0; field; rewrite b0 e0. Qed.

Section Fractions.
Variables (R : idomainType) (d : R -> R) (dd : derivation d).
Local Notation K := {fraction R}.
Local Notation "x %:F" := (@FracField.tofrac R x).
Definition num (x : K) := \n_(repr x).
Definition den (x : K) := \d_(repr x).
Lemma den_neq0 x : (den x)%:F != 0. Proof. by rewrite tofrac_eq0 denom_ratioP. Qed.
Lemma num_den x : x = (num x)%:F / (den x)%:F.
Proof.
suff E : x * (den x)%:F = (num x)%:F by rewrite -E mulfK ?den_neq0.
rewrite /den /num; unlock FracField.tofrac.
rewrite -[x in LHS]reprK -[LHS]FracField.pi_mul; apply/eqmodP => /=.
rewrite FracField.equivfE /FracField.mulf !numden_Ratio ?oner_neq0 ?mulf_neq0 ?denom_ratioP ?oner_neq0 //.
by rewrite !mulr1 mulrC reprK.
Qed.
Definition frac_der x := (d (num x) * den x - num x * d (den x))%:F / (den x)%:F ^+ 2.
Lemma frac_derE a b : b != 0 -> frac_der (a%:F / b%:F) = (d a * b - a * d b)%:F / b%:F ^+ 2.
Proof.
move=> b0; set x := _ / _; have := num_den x; rewrite /x => /eqP.
have b0' : b%:F != 0 by rewrite tofrac_eq0.
rewrite eqr_div ?den_neq0 // -!tofracM tofrac_eq => /eqP E.
have := congr1 d E; rewrite !(der_leib dd) => E'.
apply/eqP; rewrite /frac_der eqr_div ?expf_neq0 ?den_neq0 // -!tofracX -!tofracM tofrac_eq -/x.
move: E E'; rewrite -/x; move: (num x) (den x) => n e; move: (d a) (d b) (d n) (d e) => da db dn de E0 E1.
rewrite -subr_eq0 [X in X == 0](_ : _ = (a * e - n * b) * (de * b + db * e) - e * b * (da * e + a * de - (dn * b + n * db))); last by ring.
by rewrite E0 E1 !subrr mul0r mulr0 subrr.
Qed.
Lemma frac_der_tofrac a : frac_der a%:F = (d a)%:F.
Proof.
rewrite -[a%:F]divr1 -[X in _ / X](tofrac1 R) frac_derE ?oner_neq0 // (der1 dd) mulr0 subr0 mulr1.
by rewrite tofrac1 expr1n divr1.
Qed.
Lemma frac_derP : derivation frac_der.
Proof.
split=> x y; rewrite (num_den x) (num_den y); have := den_neq0 y; have := den_neq0 x; rewrite !tofrac_eq0;
  move: (num x) (den x) (num y) (den y) => a b c e b0 e0; have bF : b%:F != 0 by rewrite tofrac_eq0.
- have eF : e%:F != 0 by rewrite tofrac_eq0.
  rewrite addf_div // -!tofracM -tofracD !frac_derE ?mulf_neq0 // (der_add dd) !(der_leib dd).
  by rewrite !(tofracB, tofracD, tofracM) quotient_add.
have eF : e%:F != 0 by rewrite tofrac_eq0.
by rewrite mulf_div -!tofracM !frac_derE ?mulf_neq0 // !(der_leib dd) !(tofracB, tofracD, tofracM) quotient_mul.
Qed.
End Fractions.

(* One more element x whose derivatives are u + v x: over R it satisfies no equation x = c. The ring is left unnamed, so that
   nothing below unfolds it. *)
Definition extends (R R' : comRingType) (D : bool -> R -> R) (D' : bool -> R' -> R') (i : {rmorphism R -> R'}) :=
  (forall a, derivation (D' a)) /\ injective i /\ forall a c, D' a (i c) = i (D a c).
Lemma adjoin (R : idomainType) (D : bool -> R -> R) (u v : bool -> R) : (forall a, derivation (D a)) ->
  exists (R' : idomainType) (D' : bool -> R' -> R') (i : {rmorphism R -> R'}) (x : R'),
  [/\ extends D D' i, forall a, D' a x = i (u a) + i (v a) * x & forall c, x != i c].
Proof.
move=> dD; exists [idomainType of {poly R}], (fun a => poly_der (D a) ((u a)%:P + (v a)%:P * 'X)), [rmorphism of polyC], 'X.
split; [split=> [a|]; [exact: poly_derP|split=> [|a c]; [exact: polyC_inj|exact: poly_der_C]] | by move=> a; exact: poly_der_X |].
move=> c; apply/eqP => /(congr1 (fun p : {poly R} => p`_1)); rewrite coefX coefC /= => /eqP.
by rewrite oner_eq0.
Qed.
Lemma fractions (R : idomainType) (D : bool -> R -> R) : (forall a, derivation (D a)) ->
  exists (K : fieldType) (D' : bool -> K -> K) (i : {rmorphism R -> K}), extends D D' i.
Proof.
move=> dD; exists [fieldType of {fraction R}], (fun a => frac_der (D a)), [rmorphism of (@FracField.tofrac R)].
split=> [a|]; first exact: frac_derP.
by split=> [x y /eqP|a c]; [rewrite tofrac_eq => /eqP | exact: frac_der_tofrac].
Qed.

(* D a is the derivative for the logit th a, and e a is the exponential of th a *)
Definition logits (K : fieldType) (D : bool -> K -> K) (th e : bool -> K) (half : K) :=
  [/\ forall a, derivation (D a), forall a b, D a (th b) = (a == b)%:R & forall a b, D a (e b) = e b * D a (th b)] /\
  [/\ forall a, D a half = 0, half * 2%:R = 1, forall a, e a != 0, e true != e false & e true + e false != 0].

Lemma logits_exist : exists (K : fieldType) D th e half, @logits K D th e half.
Proof.
have d0 (a : bool) : derivation (fun _ : q => 0) by split=> x y; rewrite ?addr0 ?mul0r ?mulr0 ?addr0.
have [R1 [D1 [i1 [t [[d1 [_ c1]] Dt _]]]]] := adjoin (fun a => a%:R) (fun=> 0) d0.
have [R2 [D2 [i2 [f [[d2 [_ c2]] Df _]]]]] := adjoin (fun a => (~~ a)%:R) (fun=> 0) d1.
have [R3 [D3 [i3 [x [[d3 [j3 c3]] Dx nx]]]]] := adjoin (fun=> 0) (fun a => a%:R) d2.
have [R4 [D4 [i4 [y [[d4 [j4 c4]] Dy ny]]]]] := adjoin (fun=> 0) (fun a => (~~ a)%:R) d3.
have [K [D [i [d [j c]]]]] := fractions d4.
pose up z := i (i4 (i3 (i2 (i1 z)))).
exists K, D, (fun a => if a then i (i4 (i3 (i2 t))) else i (i4 (i3 f))), (fun a => if a then i (i4 x) else i y), (up (1 / 2%:R)).
split; split=> //.
- move=> a [] /=; rewrite !(c, c4, c3, c2) ?Dt ?Df !(rmorph0, rmorph_nat, mul0r, addr0); by case: a.
- move=> a [] /=; rewrite !(c, c4, c3, c2) ?Dt ?Df ?Dx ?Dy !(rmorph0, rmorphM, rmorphD, rmorph_nat, mul0r, add0r, addr0); case: a;
    by rewrite !(mul0r, mul1r, mulr0, mulr1).
- by move=> a; rewrite /up !(c, c4, c3, c2, c1) !rmorph0.
- have -> : 2%:R = up 2%:R by rewrite /up !rmorph_nat.
  by rewrite /up -!rmorphM (_ : 1 / 2%:R * 2%:R = 1 :> q) ?rmorph1 //; apply/eqP; vm_compute.
- by case; [rewrite -(rmorph0 i) (inj_eq j) -(rmorph0 i4) (inj_eq j4) -(rmorph0 i3) nx | rewrite -(rmorph0 i) (inj_eq j) -(rmorph0 i4) ny].
- by rewrite (inj_eq j) eq_sym ny.
by rewrite -rmorphD -(rmorph0 i) (inj_eq j) addrC addr_eq0 -rmorphN ny.
Qed.
