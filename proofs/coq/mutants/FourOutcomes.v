(* Rational weights on four outcomes, two cells of two: sums are written out, so that means and variances are numbers.
   Source: hand-made. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Variance OptimalBaseline mutants.Rationals.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
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
