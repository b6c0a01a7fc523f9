(* False variants of T18 (variance by the second moment) and T19 (total variance), refuted on four outcomes, those of T19 even for weights that sum to one.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Variance mutants.Rationals mutants.FourOutcomes.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

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
