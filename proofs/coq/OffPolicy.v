(* The off-policy gradient of Degris et al.: what it leaves out, exactly (T59), and a process in which it points the wrong way.
   Source: Degris, White, Sutton (2012), theorem 1 and its erratum; Imani, Graves, White (2018). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix poly rat.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation FiniteHorizon PolicyGradient.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section OffPolicy.
Variables (R : comRingType) (S A : finType) (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R).

(* d weighs the states (those of a behaviour policy, say) and does not move with theta *)
Definition excursion (d : S -> R) pi n := \sum_s d s * V P r gam pi n s.
Definition off_policy_gradient (D : R -> R) (d : S -> R) pi n :=
  \sum_s d s * \sum_a D (pi s a) * Q P r gam pi n s a.

Variables (D : R -> R) (dD : derivation D).
Hypotheses (DP : forall s a s', D (P s a s') = 0) (Dr : forall s a, D (r s a) = 0) (Dgam : D gam = 0).

(* T59: the gradient is the off-policy gradient plus the derivative of the values of the NEXT states. *)
Theorem T59_off_policy_missing_term (d : S -> R) (pi : S -> A -> R) n : (forall s, D (d s) = 0) ->
  D (excursion d pi n.+1) = off_policy_gradient D d pi n
    + gam * \sum_s d s * \sum_s' Ppi P pi s s' * D (V P r gam pi n s').
Proof.
move=> Dd; rewrite (der_sum dD) mulr_sumr -big_split; apply: eq_bigr => s _.
by rewrite (der_cst dD) // (D_value_step dD) // mulrDr mulrCA.
Qed.
End OffPolicy.

(* Two states that share one parameter x, the probability of action true. In state false it costs c, and every action
   leads to state true, where it earns 1. All weight on state false: the off-policy gradient is -c, the gradient gam - c. *)
Section WrongSign.
Variables (R : comRingType) (x c gam : R).
Definition step_right (s a s' : bool) : R := s'%:R.
Definition cost_then_gain (s a : bool) : R := if a then (if s then 1 else - c) else 0.
Definition shared (s a : bool) : R := if a then x else 1 - x.
Definition in_false (s : bool) : R := (~~ s)%:R.

Variables (D : R -> R) (dD : derivation D).
Hypotheses (Dx : D x = 1) (Dc : D c = 0) (Dgam : D gam = 0).

Lemma off_policy_gradient_wrong_sign :
  off_policy_gradient step_right cost_then_gain gam D in_false shared 1 = - c /\
  D (excursion step_right cost_then_gain gam in_false shared 2) = gam - c.
Proof.
have D1x : D (1 - x) = - 1 by rewrite (der_sub dD) (der1 dD) Dx sub0r.
split.
  rewrite /off_policy_gradient /Q /= !big_bool /= ?big_bool /= /in_false /shared /cost_then_gain /step_right /=.
  by rewrite Dx D1x; ring.
rewrite /excursion /= !big_bool /= ?big_bool /= /in_false /shared /cost_then_gain /step_right /=.
rewrite [X in D X](_ : _ = (gam - c) * x); last by ring.
by rewrite (der_leib dD) Dx (der_sub dD) Dgam Dc; ring.
Qed.
End WrongSign.

(* With gam = 1/2 and c = 1/4 they are opposite, -1/4 and 1/4; polynomials in x over the rationals are a ring in which this happens. *)
Corollary off_policy_gradient_opposite : exists (R : comRingType) (D : R -> R) (x c gam : R),
  derivation D /\
  off_policy_gradient (step_right R) (cost_then_gain c) gam D (in_false R) (shared x) 1 = - c /\
  D (excursion (step_right R) (cost_then_gain c) gam (in_false R) (shared x) 2) = c /\ c <> - c.
Proof.
exists [comRingType of {poly rat}], (@deriv _), 'X, (4%:R^-1)%:P, (2%:R^-1)%:P.
have [] := @off_policy_gradient_wrong_sign [comRingType of {poly rat}] 'X (4%:R^-1)%:P (2%:R^-1)%:P _ (poly_derivation _)
  (derivX _) (derivC _) (derivC _) => -> ->.
split; first exact: poly_derivation.
split=> //; split; first by rewrite -polyCB; congr _%:P.
by rewrite -polyCN => /polyC_inj/eqP; vm_compute.
Qed.
