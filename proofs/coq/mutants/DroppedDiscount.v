(* False variants of T58 (without gam^t no gradient): the function of x and y whose gradient the changed field is, over polynomials.
   Source: hand-made; what each changes stands above it. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Derivation FiniteHorizon PolicyGradient DroppedDiscount.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* commuting derivations that have x and y as coordinates and gam as a constant: the assumptions of the theorem but one *)
Definition plane (R : comRingType) (gam x y : R) (Dx Dy : R -> R) :=
  [/\ derivation Dx, derivation Dy, forall f, Dx (Dy f) = Dy (Dx f), [/\ Dx x = 1, Dx y = 0, Dy x = 0 & Dy y = 1] & Dx gam = 0 /\ Dy gam = 0].
Definition gradient (R : Type) (Dx Dy : R -> R) (field : (R -> R) -> R) := exists J : R, Dx J = field Dx /\ Dy J = field Dy.

Local Notation R := [comRingType of {poly {poly rat}}].
Lemma plane_rational (gam : rat) : plane (gam%:P%:P : R) 'X 'X%:P along_x along_y.
Proof.
split; [exact: along_x_derivation | exact: along_y_derivation | exact: along_commute | exact: along_coordinates | exact: along_constant].
Qed.
Lemma one_neq0 : (1 : rat)%:P%:P != 0 :> R. Proof. by rewrite !polyC1 oner_neq0. Qed.
Lemma half_neq1 : (2%:R^-1 : rat)%:P%:P != 1 :> R. Proof. by rewrite -polyC1 (inj_eq polyC_inj) -polyC1 (inj_eq polyC_inj). Qed.

(* the discount that is excluded became 0: with gam = 1 the field is the gradient of x y *)
Lemma T58_mutant_excluded :
  ~ (forall (R : comRingType) (gam x y : R) Dx Dy, plane gam x y Dx Dy -> gam != 0 ->
     ~ gradient Dx Dy (fun D => dropped_discount_gradient (advance R) (prize R) gam D (two_coins x y) 2 false)).
Proof.
move=> /(_ _ _ _ _ _ _ (plane_rational 1) one_neq0); apply; exists ('X * 'X%:P).
by rewrite !followed_field ?polyC1 ?mul1r ?(der_leib along_x_derivation) ?(der_leib along_y_derivation);
  [| exact: along_y_derivation | exact: along_x_derivation].
Qed.

(* the weights gam^k stand again: the field is the gradient of the value *)
Lemma T58_mutant_weights :
  ~ (forall (R : comRingType) (gam x y : R) Dx Dy, plane gam x y Dx Dy -> gam != 1 ->
     ~ gradient Dx Dy (fun D => \sum_(k < 2) gam ^+ k * \sum_s' reach (advance R) (two_coins x y) k false s' *
         \sum_a D (two_coins x y s' a) * Q (advance R) (prize R) gam (two_coins x y) (2 - k.+1) s' a)).
Proof.
move=> /(_ _ _ _ _ _ _ (plane_rational 2%:R^-1) half_neq1); apply.
have constant D (b : bool) : derivation D -> D (b%:R : R) = 0 by move=> dD; case: b; [exact: (der1 dD) | exact: (der0 dD)].
have [xg yg] := along_constant 2%:R^-1.
exists (V (advance R) (prize R) (2%:R^-1)%:P%:P (two_coins 'X 'X%:P) 2 false); split.
  by apply: (T02_policy_gradient_finite along_x_derivation) => // *; exact/constant/along_x_derivation.
by apply: (T02_policy_gradient_finite along_y_derivation) => // *; exact/constant/along_y_derivation.
Qed.

Lemma one_step_field (R : comRingType) (gam x y : R) D : dropped_discount_gradient (advance R) (prize R) gam D (two_coins x y) 1 false = 0.
Proof.
rewrite /dropped_discount_gradient big_ord1 !big_bool /= ?big_bool /= /Q /= ?big_bool /= /prize /=.
by rewrite ?(mulr0, mul0r, addr0, add0r).
Qed.

(* one step to go instead of two: nothing can be won, and the field is the gradient of 0 *)
Lemma T58_mutant_horizon :
  ~ (forall (R : comRingType) (gam x y : R) Dx Dy, plane gam x y Dx Dy -> gam != 1 ->
     ~ gradient Dx Dy (fun D => dropped_discount_gradient (advance R) (prize R) gam D (two_coins x y) 1 false)).
Proof.
move=> /(_ _ _ _ _ _ _ (plane_rational 2%:R^-1) half_neq1); apply; exists 0.
by rewrite !one_step_field (der0 along_x_derivation) (der0 along_y_derivation).
Qed.
