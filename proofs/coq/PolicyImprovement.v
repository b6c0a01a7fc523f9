(* Policy improvement with n steps to go (T30) and the bound of a value by that of the rewards (T31).
   Source: Bellman (1957); Puterman (1994), sections 4.3 and 4.4. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import FiniteHorizon PerformanceDifference Policy.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section PolicyImprovement.
Variables (F : realFieldType) (S A : finType) (P : S -> A -> S -> F) (r : S -> A -> F) (gam : F).
Hypotheses (P0 : forall s a s', 0 <= P s a s') (g0 : 0 <= gam).

(* T30: a policy whose advantage over pi is nowhere negative is nowhere worse. pi itself and P need not sum to one. *)
Theorem T30_policy_improvement_finite pi pi' n s : policy pi' ->
  (forall m x, 0 <= \sum_a pi' x a * (Q P r gam pi m x a - V P r gam pi m.+1 x)) ->
  V P r gam pi n s <= V P r gam pi' n s.
Proof.
move=> pp adv; rewrite -subr_ge0 (T04_performance_difference_finite P r gam pi n s (proj2 pp)).
apply: sumr_ge0 => k _; rewrite mulr_ge0 ?exprn_ge0 //; apply: sumr_ge0 => x _.
by rewrite mulr_ge0 // (reach0 P0).
Qed.

Hypothesis P1 : forall s a, \sum_s' P s a s' <= 1.

(* T31: rewards of at most B in size give values of at most B (1 + gam + ... + gam^(n-1)). *)
Theorem T31_value_bound pi B n s : policy pi -> (forall s a, `|r s a| <= B) ->
  `|V P r gam pi n s| <= B * \sum_(k < n) gam ^+ k.
Proof.
move=> [p0 p1] rB; elim: n s => [|n IH] s; first by rewrite big_ord0 mulr0 normr0.
rewrite V_S; apply: (le_trans (ler_norm_sum _ _ _)).
have -> : B * (\sum_(k < n.+1) gam ^+ k) = \sum_a pi s a * (B + gam * (B * \sum_(k < n) gam ^+ k)).
  rewrite -mulr_suml p1 mul1r big_ord_recl expr0 mulrDr mulr1; congr (_ + _).
  rewrite mulrCA; congr (_ * _); rewrite mulr_sumr.
  by apply: eq_bigr => k _; rewrite lift0 exprS.
apply: ler_sum => a _; rewrite normrM (ger0_norm (p0 _ _)) ler_wpmul2l //.
apply: (le_trans (ler_norm_add _ _)); apply: ler_add => //.
rewrite normrM (ger0_norm g0) ler_wpmul2l //.
apply: (le_trans (ler_norm_sum _ _ _)).
have B0 : 0 <= B * (\sum_(k < n) gam ^+ k) by exact: le_trans (normr_ge0 _) (IH s).
apply: (@le_trans _ _ ((\sum_s' P s a s') * (B * \sum_(k < n) gam ^+ k))); last by rewrite ler_pimull.
rewrite mulr_suml; apply: ler_sum => s' _.
by rewrite normrM (ger0_norm (P0 _ _ _)) ler_wpmul2l.
Qed.
End PolicyImprovement.
