(* The baseline that minimises the variance of a score-function estimator: the gap of any other (T20), and the minimum (T21).
   Source: Greensmith, Bartlett, Baxter (2004), theorem 8. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Variance.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section OptimalBaseline.
Variables (F : fieldType) (W : finType) (p : W -> F).

(* g is a coordinate of the score, r the return *)
Definition best_baseline (g r : W -> F) := E p (fun w => g w ^+ 2 * r w) / E p (fun w => g w ^+ 2).

(* T20: the variance is a parabola in the baseline, with its bottom at the best one. *)
Theorem T20_optimal_baseline_gap (g r : W -> F) b :
  E p g = 0 -> E p (fun w => g w ^+ 2) != 0 ->
  Var p (fun w => g w * (r w - b)) =
    Var p (fun w => g w * (r w - best_baseline g r)) + E p (fun w => g w ^+ 2) * (b - best_baseline g r) ^+ 2.
Proof.
move=> Eg Eg2.
have mean d : E p (fun w => g w * (r w - d)) = E p (fun w => g w * r w).
  rewrite (eq_E p (Y := fun w => g w * r w + (- d) * g w)); last by move=> w; ring.
  by rewrite ED EZ Eg mulr0 addr0.
have second d : E p (fun w => (g w * (r w - d)) ^+ 2) =
    E p (fun w => (g w * r w) ^+ 2) + (- 2%:R * d) * E p (fun w => g w ^+ 2 * r w)
    + d ^+ 2 * E p (fun w => g w ^+ 2).
  rewrite -2!EZ -2!ED; apply: eq_E => w; ring.
rewrite !Var_mass !mean !second /best_baseline.
move: Eg2; move: (E p (fun w => g w ^+ 2)) (E p (fun w => g w ^+ 2 * r w)) (\sum_w p w) => u v m u0.
by field.
Qed.
End OptimalBaseline.

(* T21: for weights that are not negative, in an ordered field, the best baseline is the minimiser; where E[g^2] = 0 every baseline is. *)
Theorem T21_optimal_baseline_minimum (F : realFieldType) (W : finType) (p : W -> F) (g r : W -> F) b :
  (forall w, 0 <= p w) -> E p g = 0 ->
  Var p (fun w => g w * (r w - best_baseline p g r)) <= Var p (fun w => g w * (r w - b)).
Proof.
move=> p0 Eg; have pg0 w : 0 <= p w * g w ^+ 2 by rewrite mulr_ge0 ?sqr_ge0.
have [Eg2|Eg2] := eqVneq (E p (fun w => g w ^+ 2)) 0.
  have g0 w : p w * g w = 0.
    have := psumr_eq0P (fun w _ => pg0 w) Eg2; move/(_ w isT)/eqP.
    by rewrite mulf_eq0 expf_eq0 /= -mulf_eq0 => /eqP.
  have Z (f : W -> F) : E p (fun w => g w * f w) = 0.
    by rewrite /E big1 // => w _; rewrite mulrA g0 mul0r.
  have ZZ (f : W -> F) : Var p (fun w => g w * f w) = 0.
    rewrite Var_mass Z expr0n mulr0 addr0 -[RHS](Z (fun w => g w * f w ^+ 2)).
    by apply: eq_E => w; rewrite exprMn mulrA.
  by rewrite !ZZ.
rewrite [X in _ <= X]T20_optimal_baseline_gap // ler_addl mulr_ge0 ?sqr_ge0 //.
exact: sumr_ge0.
Qed.
