(* False variants of T46 (all actions instead of one), refuted on two states that are visited equally, with two actions.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Variance Policy RaoBlackwell.
From PG Require Import mutants.Rationals mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* in state true 4 with probability 3/4, else 0; in state false 1 or -1 with probability 1/2 *)
Definition equal (_ : bool) : q := 1 / 2%:R.
Definition pi (s a : bool) : q := if s then (if a then 3%:R / 4%:R else 1 / 4%:R) else 1 / 2%:R.
Definition x (s a : bool) : q := if s then (if a then 4%:R else 0) else (if a then 1 else -1).
Lemma pi_policy : policy pi.
Proof. by split=> [[] []|s] //; rewrite sum_bool; case: s; apply/eqP; vm_compute. Qed.
Lemma sum_pairs (f : bool * bool -> q) : \sum_w f w = f (true, true) + f (true, false) + (f (false, true) + f (false, false)).
Proof. by rewrite (eq_bigr (fun w => f (w.1, w.2))) => [|[]//]; rewrite -(pair_bigA _ (fun s a => f (s, a))) /= !sum_bool. Qed.

(* the action drawn from the uniform law instead of pi. 3/2 against 1. *)
Lemma T46_mutant_policy : ~ (forall (S A : finType) (d : S -> q) (pi x : S -> A -> q), (forall s, 0 <= d s) -> policy pi ->
  E d (fun s => \sum_a pi s a * x s a) = E (fun w => d w.1 / #|A|%:R) (fun w => x w.1 w.2)).
Proof.
move=> /(_ _ _ equal _ x (fun=> isT) pi_policy); rewrite card_bool /E !sum_bool sum_pairs.
refuted.
Qed.

(* the inequality turned. 17/4 against 9/4. *)
Lemma T46_mutant_direction : ~ (forall (S A : finType) (d : S -> q) (pi x : S -> A -> q), (forall s, 0 <= d s) -> policy pi ->
  Var (fun w => d w.1 * pi w.1 w.2) (fun w => x w.1 w.2) <= Var d (fun s => \sum_a pi s a * x s a)).
Proof.
move=> /(_ _ _ equal _ x (fun=> isT) pi_policy); rewrite /Var /E !sum_pairs !sum_bool; by vm_compute.
Qed.

(* the variance within the states in the place of the whole. 9/4 against 2. *)
Lemma T46_mutant_within : ~ (forall (S A : finType) (d : S -> q) (pi x : S -> A -> q), (forall s, 0 <= d s) -> policy pi ->
  Var d (fun s => \sum_a pi s a * x s a) <= E d (fun s => Var (pi s) (x s))).
Proof.
move=> /(_ _ _ equal _ x (fun=> isT) pi_policy); rewrite /Var /E !sum_bool; by vm_compute.
Qed.
