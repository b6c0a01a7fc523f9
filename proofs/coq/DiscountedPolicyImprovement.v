(* Policy improvement in the discounted process (T33).
   Source: Howard (1960); Puterman (1994), proposition 6.4.1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Discounted Resolvent DiscountedPerformanceDifference Policy.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section DiscountedPolicyImprovement.
Variables (F : realFieldType) (n : nat) (A : finType).
Variables (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F).
Hypotheses (P0 : forall a s s', 0 <= P a s s') (P1 : forall a s, \sum_s' P a s s' <= 1)
  (g0 : 0 <= gam) (g1 : gam < 1).
Local Notation V := (V P r gam).
Local Notation Q := (Q P r gam).

Lemma Tpi_unit pi : policy pi -> Tpi P gam pi \in unitmx.
Proof. by move=> pp; apply: T17_discounted_invertible => // *; [exact: Ppi_ge0 | exact: Ppi_sum_le]. Qed.

(* T33: a policy whose advantage over pi is nowhere negative is nowhere worse; pi itself may be anything. *)
Theorem T33_policy_improvement_discounted pi pi' : policy pi' ->
  (forall s, 0 <= \sum_a pi' s a * (Q pi s a - V pi s 0)) ->
  forall s, V pi s 0 <= V pi' s 0.
Proof.
move=> pp' adv s; rewrite -subr_ge0.
have -> : V pi' s 0 - V pi s 0 = (V pi' - V pi) s 0 by rewrite [RHS]mxE [X in _ = _ + X]mxE.
apply: (@T32_minimum_principle _ _ (Ppi P pi') gam) => // [i j|i|i]; [exact: Ppi_ge0|exact: Ppi_sum_le|].
rewrite (T16_performance_difference_discounted r pi (Tpi_unit pp') (proj2 pp')).
by rewrite mulmxA mulmxV ?Tpi_unit // mul1mx mxE.
Qed.

(* T33: what lies below the advantages, accumulated along the new policy, lies below the gain: any surrogate with a penalty. *)
Theorem T33_gain_from_below pi pi' (G : 'I_n -> F) : policy pi' ->
  (forall s, G s <= \sum_a pi' s a * (Q pi s a - V pi s 0)) ->
  forall s, (invmx (Tpi P gam pi') *m \col_x G x) s 0 <= V pi' s 0 - V pi s 0.
Proof.
move=> pp' adv s; rewrite -subr_ge0; set gain := invmx _ *m _.
have -> : V pi' s 0 - V pi s 0 - gain s 0 = (V pi' - V pi - gain) s 0.
  by rewrite [RHS]mxE [X in _ = X + _]mxE [X in _ = _ + X]mxE [X in _ = _ + X - _]mxE.
apply: (@T32_minimum_principle _ _ (Ppi P pi') gam) => // [i j|i|i]; [exact: Ppi_ge0|exact: Ppi_sum_le|].
rewrite (T16_performance_difference_discounted r pi (Tpi_unit pp') (proj2 pp')) -mulmxBr mulmxA mulmxV ?Tpi_unit // mul1mx.
by rewrite mxE [X in X + _]mxE [X in _ + X]mxE [X in _ - X]mxE subr_ge0.
Qed.
End DiscountedPolicyImprovement.
