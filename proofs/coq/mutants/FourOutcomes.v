(* Rational weights on four outcomes, two cells of two, on which means and variances are numbers; and the false variants that are refuted
   there: of variances (T18, T19) and of the optimal baseline (T20, T21). Source: hand-made. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Variance OptimalBaseline.
From PG Require Import mutants.Rationals.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Definition outcome : finType := [finType of bool * bool].
(* a number for each outcome: two in the first cell, two in the second *)
Definition numbers (a b c d : q) (w : outcome) : q := if w.1 then (if w.2 then a else b) else (if w.2 then c else d).
Definition cell (w : outcome) : bool := w.1.

Definition four (Q : outcome -> bool) (f : outcome -> q) : q :=
  (if Q (true, true) then f (true, true) else 0) + (if Q (true, false) then f (true, false) else 0) +
  ((if Q (false, true) then f (false, true) else 0) + (if Q (false, false) then f (false, false) else 0)).
Lemma fourE (Q : pred outcome) (f : outcome -> q) : \sum_(w | Q w) f w = four Q f.
Proof.
rewrite big_mkcond; transitivity (\sum_a \sum_b if Q (a, b) then f (a, b) else 0); last by rewrite !big_bool.
by rewrite pair_bigA; apply: eq_bigr; case.
Qed.

(* The means again, in a form that the kernel runs. *)
Definition E4 (p X : outcome -> q) : q := four predT (fun w => p w * X w).
Definition CE4 (p : outcome -> q) (g : outcome -> bool) X y : q := four (fun w => g w == y) (fun w => p w * X w) / four (fun w => g w == y) p.
Lemma sumE (f : outcome -> q) : \sum_w f w = four predT f. Proof. exact: fourE. Qed.
Lemma EE p X : E p X = E4 p X. Proof. exact: fourE. Qed.
Lemma CEE p g X y : CE p g X y = CE4 p g X y. Proof. by rewrite /CE /pG !fourE. Qed.

(* Only a mean over the cells is written out, so that within it the cell is given, and no outcome is bound. *)
Ltac write_out :=
  cbv beta delta [best_baseline Var CVar]; rewrite ?EE ?sumE;
  try match goal with |- context [CE] => cbv beta delta [E4 four]; rewrite ?CEE end.
(* An equation, or an inequality, that is wrong, and its two sides. *)
Ltac differ v w := write_out;
  match goal with |- ?l = ?r -> False =>
    have -> : l = v; [by apply/eqP; vm_compute | have -> : r = w; [by apply/eqP; vm_compute | by move/eqP; vm_compute]] end.
Ltac exceeds v w := write_out;
  match goal with |- is_true (@Order.le ?d ?T ?l ?r) -> False =>
    have -> : l = v; [by apply/eqP; vm_compute | have -> : r = w; [by apply/eqP; vm_compute | by vm_compute]] end.

(* Probabilities, numbers on their outcomes, and a score of mean zero; weights that break an assumption stand where they are used. *)
Definition p0 := numbers (1 / 2%:R) (1 / 4%:R) (1 / 8%:R) (1 / 8%:R).
Definition X0 := numbers 0 2%:R 4%:R 8%:R.
Definition g0 := numbers 1 (- 1) 0 (- 2%:R).
Ltac sums_to := write_out; by apply/eqP; vm_compute.
Lemma p0_sum : \sum_w p0 w = 1. Proof. sums_to. Qed.
Lemma p0_ge0 w : 0 <= p0 w. Proof. by case: w => [[] []]; vm_compute. Qed.
Lemma p0_cells w : pG p0 cell (cell w) = 0 -> p0 w = 0.
Proof. by case: w => [[] []]; rewrite /pG fourE => /eqP; vm_compute. Qed.
Lemma g0_mean : E p0 g0 = 0. Proof. sums_to. Qed.
Lemma g0_square : E p0 (fun w => g0 w ^+ 2) != 0. Proof. write_out; by vm_compute. Qed.

(* Variants of T18 (variance by the second moment) and T19 (total variance), on four outcomes, those of T19 even for weights that sum to one.
   In each comment: the place that is changed, then the left side against the right one. *)

(* weights that sum to two; weights that sum to one, two of which cancel in their cell *)
Definition p_two := numbers (1 / 2%:R) (1 / 2%:R) (1 / 2%:R) (1 / 2%:R).
Definition p_cancel := numbers 1 (- 1) 1 0.
Lemma p_cancel_sum : \sum_w p_cancel w = 1. Proof. sums_to. Qed.

(* T18: the square of the mean is added. 7 against 15. *)
Lemma T18_mutant_sign :
  ~ (forall (W : finType) (p X : W -> q), \sum_w p w = 1 -> Var p X = E p (fun w => X w ^+ 2) + E p X ^+ 2).
Proof. move=> /(_ _ p0 X0 p0_sum). differ (7%:R : q) (15%:R : q). Qed.

(* T18: the mean is not squared. 7 against 9. *)
Lemma T18_mutant_square :
  ~ (forall (W : finType) (p X : W -> q), \sum_w p w = 1 -> Var p X = E p (fun w => X w ^+ 2) - E p X).
Proof. move=> /(_ _ p0 X0 p0_sum). differ (7%:R : q) (9%:R : q). Qed.

(* T18: without the assumption that the weights sum to one. 42 against -7. *)
Lemma T18_mutant_mass :
  ~ (forall (W : finType) (p X : W -> q), Var p X = E p (fun w => X w ^+ 2) - E p X ^+ 2).
Proof. move=> /(_ _ p_two X0). differ (42%:R : q) (- 7%:R : q). Qed.

(* T19: within the cells the squares are taken about the mean of all. 7 against 37/3. *)
Lemma T19_mutant_centre :
  ~ (forall (W G : finType) (p : W -> q) (g : W -> G), \sum_w p w = 1 -> (forall w, pG p g (g w) = 0 -> p w = 0) -> forall X,
     Var p X = E p (fun w => CE p g (fun w' => (X w' - E p X) ^+ 2) (g w)) + Var p (fun w => CE p g X (g w))).
Proof. move=> /(_ _ _ p0 cell p0_sum p0_cells X0). differ (7%:R : q) (37%:R / 3%:R : q). Qed.

(* T19: the variance of the conditional mean became its mean square. 7 against 11. *)
Lemma T19_mutant_second_moment :
  ~ (forall (W G : finType) (p : W -> q) (g : W -> G), \sum_w p w = 1 -> (forall w, pG p g (g w) = 0 -> p w = 0) -> forall X,
     Var p X = E p (fun w => CVar p g X (g w)) + E p (fun w => CE p g X (g w) ^+ 2)).
Proof. move=> /(_ _ _ p0 cell p0_sum p0_cells X0). differ (7%:R : q) (11%:R : q). Qed.

(* T19: without the assumption that a cell of mass zero has no weight; the weights 1, -1 | 1, 0. 8 against 0. *)
Lemma T19_mutant_cells :
  ~ (forall (W G : finType) (p : W -> q) (g : W -> G), \sum_w p w = 1 -> forall X,
     Var p X = E p (fun w => CVar p g X (g w)) + Var p (fun w => CE p g X (g w))).
Proof. move=> /(_ _ _ p_cancel cell p_cancel_sum X0). differ (8%:R : q) (0 : q). Qed.

(* Variants of T20 (gap of a baseline) and T21 (the minimiser), on four outcomes, even for weights that sum to one.
   In each comment: the place that is changed, then the left side against the right one. *)

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
