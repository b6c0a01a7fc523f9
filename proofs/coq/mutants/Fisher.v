(* False variants of T40 (kernel of the Fisher matrix), refuted on two states with two actions.
   Source: hand-made; what each leaves out or replaces stands above it. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Fisher mutants.Rationals mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Definition once (_ : bool) : q := 1.
Definition fair (_ _ : bool) : q := 1 / 2%:R.
Lemma once_neq0 s : once s != 0. Proof. by []. Qed.
Lemma fair_neq0 s a : fair s a != 0. Proof. by vm_compute. Qed.
Lemma fair_sum s : \sum_a fair s a = 1. Proof. by rewrite sum_bool; apply/eqP; vm_compute. Qed.
(* F x = 0 for x(s, a) = c(s) *)
Lemma shifted (c : bool -> q) i : \sum_j fisher once fair (tabular_score fair) i j * c j.1 = 0.
Proof.
have [_ kernel] := @T40_fisher_kernel _ _ _ once fair (fun=> isT) (fun _ _ => isT).
by apply: (kernel once_neq0 fair_neq0 fair_sum (fun j => c j.1)).2; exists c.
Qed.

(* the kernel is zero alone, "the Fisher matrix is invertible"; x = 1 everywhere is sent to zero too. *)
Lemma T40_mutant_invertible : ~ (forall (S A : finType) (d : S -> q) (pi : S -> A -> q),
  (forall s, 0 <= d s) -> (forall s a, 0 <= pi s a) -> (forall s, d s != 0) -> (forall s a, pi s a != 0) ->
  (forall s, \sum_a pi s a = 1) -> forall x,
  (forall i, \sum_j fisher d pi (tabular_score pi) i j * x j = 0) <-> (forall s a, x (s, a) = 0)).
Proof.
move=> /(_ _ _ once fair (fun=> isT) (fun _ _ => isT) once_neq0 fair_neq0 fair_sum (fun=> 1)) [H _].
by have := H (shifted (fun=> 1)) true true; refuted.
Qed.

(* one constant for all states; x = 1 in state true and 0 in state false is sent to zero too. *)
Lemma T40_mutant_constant : ~ (forall (S A : finType) (d : S -> q) (pi : S -> A -> q),
  (forall s, 0 <= d s) -> (forall s a, 0 <= pi s a) -> (forall s, d s != 0) -> (forall s a, pi s a != 0) ->
  (forall s, \sum_a pi s a = 1) -> forall x,
  (forall i, \sum_j fisher d pi (tabular_score pi) i j * x j = 0) <-> (exists c, forall s a, x (s, a) = c)).
Proof.
move=> /(_ _ _ once fair (fun=> isT) (fun _ _ => isT) once_neq0 fair_neq0 fair_sum (fun i => i.1%:R)) [H _].
by have [c xc] := H (shifted (fun s => s%:R)); have := xc true true; rewrite -(xc false true); refuted.
Qed.

(* without the assumption that every action is played; the action that never is may have any logit. *)
Lemma T40_mutant_unplayed : ~ (forall (S A : finType) (d : S -> q) (pi : S -> A -> q),
  (forall s, 0 <= d s) -> (forall s a, 0 <= pi s a) -> (forall s, d s != 0) ->
  (forall s, \sum_a pi s a = 1) -> forall x,
  (forall i, \sum_j fisher d pi (tabular_score pi) i j * x j = 0) <-> (exists c, forall s a, x (s, a) = c s)).
Proof.
pose always (_ a : bool) : q := a%:R.
have always0 s a : 0 <= always s a by case: a.
have always1 s : \sum_a always s a = 1 by rewrite sum_bool.
move=> /(_ _ _ once always (fun=> isT) always0 once_neq0 always1 (fun i => (~~ i.2)%:R)) [H _].
suff /H [c xc] : forall i, \sum_j fisher once always (tabular_score always) i j * (~~ j.2)%:R = 0.
  by have := xc true true; rewrite -(xc true false); refuted.
case=> s a; rewrite (tabular_fisher_apply _ always1 (fun j => (~~ j.2)%:R)) sum_bool.
by case: a; apply/eqP; vm_compute.
Qed.

(* without the assumption that the states' weights are not negative; for a fair coin in a state of weight -1, x F x = -1/4. *)
Lemma T40_mutant_signed : ~ (forall (S A K : finType) (d : S -> q) (pi : S -> A -> q) (sc : K -> S -> A -> q) x,
  (forall s a, 0 <= pi s a) -> 0 <= \sum_i \sum_j x i * fisher d pi sc i j * x j).
Proof.
pose coin (_ : unit) (_ : bool) : q := 1 / 2%:R.
move=> /(_ _ _ _ (fun=> -1) coin (fun _ : unit => tabular_score coin (tt, true)) (fun=> 1) (fun _ _ => isT)).
by rewrite /fisher !sum_unit sum_bool [X in 0 <= X](_ : _ = - (1 / 4%:R)); [vm_compute | apply/eqP; vm_compute].
Qed.
