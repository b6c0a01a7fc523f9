(* False variants of T20 (gap of a baseline) and T21 (the minimiser), refuted on four outcomes, even for weights that sum to one.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Variance OptimalBaseline mutants.Rationals mutants.FourOutcomes.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* a score of mean one; weights of both signs with scores of mean zero, whose mean square is zero, or negative *)
Definition g_one := numbers 1 1 0 2%:R.
Lemma g_one_square : E p0 (fun w => g_one w ^+ 2) != 0. Proof. write_out; by vm_compute. Qed.
Definition p_zero := numbers 3%:R (- 3%:R) 1 0.
Definition g_zero := numbers 1 2%:R 3%:R 0.
Lemma p_zero_sum : \sum_w p_zero w = 1. Proof. sums_to. Qed.
Lemma g_zero_mean : E p_zero g_zero = 0. Proof. sums_to. Qed.
Definition p_signed := numbers 2%:R (- 2%:R) 1 0.
Definition g_signed := numbers 1 2%:R 2%:R 0.
Lemma p_signed_sum : \sum_w p_signed w = 1. Proof. sums_to. Qed.
Lemma g_signed_mean : E p_signed g_signed = 0. Proof. sums_to. Qed.
(* the return weighted with the size of the score, not with its square *)
Definition size_baseline (W : finType) (p g r : W -> q) := E p (fun w => `|g w| * r w) / E p (fun w => `|g w|).

(* T20: the best baseline became the mean return. 107/4 against 75/4. *)
Lemma T20_mutant_mean_return :
  ~ (forall (W : finType) (p g r : W -> q) b, \sum_w p w = 1 -> E p g = 0 -> E p (fun w => g w ^+ 2) != 0 ->
     Var p (fun w => g w * (r w - b)) = Var p (fun w => g w * (r w - E p r)) + E p (fun w => g w ^+ 2) * (b - E p r) ^+ 2).
Proof. move=> /(_ _ p0 g0 X0 0 p0_sum g0_mean g0_square). differ (107%:R / 4%:R : q) (75%:R / 4%:R : q). Qed.

(* T20: the distance of the baselines is not squared. 107/4 against 121/20. *)
Lemma T20_mutant_square :
  ~ (forall (W : finType) (p g r : W -> q) b, \sum_w p w = 1 -> E p g = 0 -> E p (fun w => g w ^+ 2) != 0 ->
     Var p (fun w => g w * (r w - b)) =
       Var p (fun w => g w * (r w - best_baseline p g r)) + E p (fun w => g w ^+ 2) * (b - best_baseline p g r)).
Proof. move=> /(_ _ p0 g0 X0 0 p0_sum g0_mean g0_square). differ (107%:R / 4%:R : q) (121%:R / 20%:R : q). Qed.

(* T20: without the assumption that the score has mean zero. 23 against 601/25. *)
Lemma T20_mutant_score_mean :
  ~ (forall (W : finType) (p g r : W -> q) b, \sum_w p w = 1 -> E p (fun w => g w ^+ 2) != 0 ->
     Var p (fun w => g w * (r w - b)) =
       Var p (fun w => g w * (r w - best_baseline p g r)) + E p (fun w => g w ^+ 2) * (b - best_baseline p g r) ^+ 2).
Proof. move=> /(_ _ p0 g_one X0 1 p0_sum g_one_square). differ (23%:R : q) (601%:R / 25%:R : q). Qed.

(* T20: without the assumption that the mean square of the score is not zero. 72 against 96. *)
Lemma T20_mutant_mean_square :
  ~ (forall (W : finType) (p g r : W -> q) b, \sum_w p w = 1 -> E p g = 0 ->
     Var p (fun w => g w * (r w - b)) =
       Var p (fun w => g w * (r w - best_baseline p g r)) + E p (fun w => g w ^+ 2) * (b - best_baseline p g r) ^+ 2).
Proof. move=> /(_ _ p_zero g_zero X0 1 p_zero_sum g_zero_mean). differ (72%:R : q) (96%:R : q). Qed.

(* T21: the best baseline became the mean return. 55/4 is more than 11. *)
Lemma T21_mutant_mean_return :
  ~ (forall (W : finType) (p g r : W -> q) b, \sum_w p w = 1 -> (forall w, 0 <= p w) -> E p g = 0 ->
     Var p (fun w => g w * (r w - E p r)) <= Var p (fun w => g w * (r w - b))).
Proof. move=> /(_ _ p0 g0 X0 3%:R p0_sum p0_ge0 g0_mean). exceeds (55%:R / 4%:R : q) (11%:R : q). Qed.

(* T21: the square of the score became its size. 193/16 is more than 11. *)
Lemma T21_mutant_size :
  ~ (forall (W : finType) (p g r : W -> q) b, \sum_w p w = 1 -> (forall w, 0 <= p w) -> E p g = 0 ->
     Var p (fun w => g w * (r w - size_baseline p g r)) <= Var p (fun w => g w * (r w - b))).
Proof. move=> /(_ _ p0 g0 X0 3%:R p0_sum p0_ge0 g0_mean). rewrite /size_baseline. exceeds (193%:R / 16%:R : q) (11%:R : q). Qed.

(* T21: without the assumption that the score has mean zero. 1559/100 is more than 47/4. *)
Lemma T21_mutant_score_mean :
  ~ (forall (W : finType) (p g r : W -> q) b, \sum_w p w = 1 -> (forall w, 0 <= p w) ->
     Var p (fun w => g w * (r w - best_baseline p g r)) <= Var p (fun w => g w * (r w - b))).
Proof. move=> /(_ _ p0 g_one X0 6%:R p0_sum p0_ge0). exceeds (1559%:R / 100%:R : q) (47%:R / 4%:R : q). Qed.

(* T21: without the assumption that no weight is negative; the weights 2, -2 | 1, 0. 32 is more than 30. *)
Lemma T21_mutant_negative :
  ~ (forall (W : finType) (p g r : W -> q) b, \sum_w p w = 1 -> E p g = 0 ->
     Var p (fun w => g w * (r w - best_baseline p g r)) <= Var p (fun w => g w * (r w - b))).
Proof. move=> /(_ _ p_signed g_signed X0 1 p_signed_sum g_signed_mean). exceeds (32%:R : q) (30%:R : q). Qed.
