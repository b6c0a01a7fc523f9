(* False variants of T42 (leave-one-out and group mean), refuted on groups of two draws.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Variance BatchVariance LeaveOneOut.
From PG Require Import mutants.Rationals mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* a fair coin, scores 1 and -1, rewards 1 and 0: E[g R] = 1/2 *)
Definition fair (_ : bool) : q := 1 / 2%:R.
Definition win (b : bool) : q := b%:R.
Definition sign (b : bool) : q := if b then 1 else -1.
Lemma fair_sum : \sum_b fair b = 1. Proof. by rewrite sum_bool; apply/eqP; vm_compute. Qed.
Lemma sign_mean : E fair sign = 0. Proof. by rewrite /E sum_bool; apply/eqP; vm_compute. Qed.
Lemma own_mean : E fair (fun x => sign x * win x) = 1 / 2%:R. Proof. by rewrite /E sum_bool; apply/eqP; vm_compute. Qed.
Lemma two_neq0 : 2%:R != 0 :> q. Proof. by vm_compute. Qed.

(* group mean: (n-1)/n became 1. 1/4 against 1/2. *)
Lemma T42_mutant_factor : ~ (forall (W : finType) (p g R : W -> q) n, \sum_w p w = 1 -> E p g = 0 -> n%:R != 0 :> q ->
  E (prodp (fun _ : 'I_n => p)) (leave_one_out g R (n := n)) = E p (fun x => g x * R x) /\
  E (prodp (fun _ : 'I_n => p)) (group_mean g R (n := n)) = E p (fun x => g x * R x)).
Proof.
move=> /(_ _ _ _ win _ fair_sum sign_mean two_neq0) [_].
by rewrite (proj2 (T42_leave_one_out win fair_sum sign_mean two_neq0)) own_mean; refuted.
Qed.

(* leave-one-out: shrunk by (n-1)/n as well. 1/2 against 1/4. *)
Lemma T42_mutant_shrunk : ~ (forall (W : finType) (p g R : W -> q) n, \sum_w p w = 1 -> E p g = 0 -> n%:R != 0 :> q ->
  E (prodp (fun _ : 'I_n => p)) (leave_one_out g R (n := n)) = n.-1%:R / n%:R * E p (fun x => g x * R x) /\
  E (prodp (fun _ : 'I_n => p)) (group_mean g R (n := n)) = n.-1%:R / n%:R * E p (fun x => g x * R x)).
Proof.
move=> /(_ _ _ _ win _ fair_sum sign_mean two_neq0) [+ _].
by rewrite (proj1 (T42_leave_one_out win fair_sum sign_mean two_neq0)) own_mean; refuted.
Qed.

(* without the assumption that the score has mean zero; one outcome, g = R = 1. 0 against 1. *)
Lemma T42_mutant_score_mean : ~ (forall (W : finType) (p g R : W -> q) n, \sum_w p w = 1 -> n%:R != 0 :> q ->
  E (prodp (fun _ : 'I_n => p)) (leave_one_out g R (n := n)) = E p (fun x => g x * R x) /\
  E (prodp (fun _ : 'I_n => p)) (group_mean g R (n := n)) = n.-1%:R / n%:R * E p (fun x => g x * R x)).
Proof.
pose one (_ : unit) : q := 1; have one_sum : \sum_u one u = 1 by rewrite sum_unit.
move=> /(_ _ one one one 2%N one_sum two_neq0) [+ _].
rewrite (eq_E _ (Y := fun _ => 0)) => [|w]; last first.
  by rewrite /leave_one_out big1 ?mul0r // => i _; rewrite sumr_const cardC1 card_ord divr1 subrr mulr0.
by rewrite (Ecst (prodp1 (fun=> one_sum))) /E sum_unit; refuted.
Qed.
