(* False variants of policy improvement and of the bound of a value with n steps to go (T30, T31), refuted on two states and two actions.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import FiniteHorizon Policy mutants.Rationals mutants.Instances.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* The process of T30: from both states to state false, where action true pays one; discount 1/2. The old policy plays true everywhere,
   the new one in state true alone: it is as good there at first, and careless later. *)
Definition to_false (s a s' : bool) : q := (~~ s')%:R.
Definition there (s a : bool) : q := (~~ s && a)%:R.
Definition gam0 : q := 1 / 2%:R.
Definition always (_ a : bool) : q := (a == true)%:R.
Definition never (_ a : bool) : q := (a == false)%:R.
Definition careless_later (s a : bool) : q := (a == s)%:R.

Ltac is_policy := split; [repeat case | case; rewrite twoE; apply/eqP]; by vm_compute.
Lemma policy_always : policy always. Proof. is_policy. Qed.
Lemma policy_never : policy never. Proof. is_policy. Qed.
Lemma policy_careless : policy careless_later. Proof. is_policy. Qed.
Lemma to_false_ge0 s a s' : 0 <= to_false s a s'. Proof. exact: ler0n. Qed.
Lemma no_advantage pi m s : \sum_a pi s a = 1 ->
  0 <= \sum_a pi s a * (Q to_false there gam0 pi m s a - V to_false there gam0 pi m.+1 s).
Proof. by move=> p1; under eq_bigr => a _ do rewrite mulrBr; rewrite sumrB -mulr_suml p1 mul1r subrr. Qed.

(* T30: the new policy in the mean of the advantages became the old one. 1/2 against 0. *)
Lemma T30_mutant_policy :
  ~ (forall (S A : finType) (P : S -> A -> S -> q) r gam, (forall s a s', 0 <= P s a s') -> 0 <= gam ->
     forall pi pi' n s, policy pi' ->
     (forall m x, 0 <= \sum_a pi x a * (Q P r gam pi m x a - V P r gam pi m.+1 x)) ->
     V P r gam pi n s <= V P r gam pi' n s).
Proof.
move=> /(_ _ _ _ there gam0 to_false_ge0 isT always never 2%N true policy_never) H.
have {H} := H (fun m x => no_advantage m (proj2 policy_always x)).
by rewrite !VE; vm_compute.
Qed.

(* T30: no negative advantage in the first state s alone, in place of every state x. 1/2 against 0. *)
Lemma T30_mutant_state :
  ~ (forall (S A : finType) (P : S -> A -> S -> q) r gam, (forall s a s', 0 <= P s a s') -> 0 <= gam ->
     forall pi pi' n s, policy pi' ->
     (forall m, 0 <= \sum_a pi' s a * (Q P r gam pi m s a - V P r gam pi m.+1 s)) ->
     V P r gam pi n s <= V P r gam pi' n s).
Proof.
move=> /(_ _ _ _ there gam0 to_false_ge0 isT always careless_later 2%N true policy_careless) H.
have {H} := H (fun m => no_advantage m (proj2 policy_always true)).
by rewrite !VE; vm_compute.
Qed.

(* The process of T31: every step pays one; states do not change. *)
Definition stay (s a s' : bool) : q := (s' == s)%:R.
Definition one (_ _ : bool) : q := 1.
Lemma stay_ge0 s a s' : 0 <= stay s a s'. Proof. exact: ler0n. Qed.
Lemma stay_sum s a : \sum_s' stay s a s' <= 1. Proof. by rewrite twoE; move: s a; repeat case; vm_compute. Qed.
Lemma one_bounded s a : `|one s a| <= 1. Proof. by vm_compute. Qed.

(* T31: n steps became n - 1 in the bound. 3/2 against 1. *)
Lemma T31_mutant_steps :
  ~ (forall (S A : finType) (P : S -> A -> S -> q) r gam, (forall s a s', 0 <= P s a s') -> 0 <= gam ->
     (forall s a, \sum_s' P s a s' <= 1) -> forall pi B n s, policy pi -> (forall s a, `|r s a| <= B) ->
     `|V P r gam pi n s| <= B * \sum_(k < n.-1) gam ^+ k).
Proof.
move=> /(_ _ _ _ one gam0 stay_ge0 isT stay_sum always 1 2%N true policy_always one_bounded).
by rewrite VE /= !big_ord_recl big_ord0; vm_compute.
Qed.

(* T31: the powers of gam start with one, not with zero. 3/2 against 3/4. *)
Lemma T31_mutant_power :
  ~ (forall (S A : finType) (P : S -> A -> S -> q) r gam, (forall s a s', 0 <= P s a s') -> 0 <= gam ->
     (forall s a, \sum_s' P s a s' <= 1) -> forall pi B n s, policy pi -> (forall s a, `|r s a| <= B) ->
     `|V P r gam pi n s| <= B * \sum_(k < n) gam ^+ k.+1).
Proof.
move=> /(_ _ _ _ one gam0 stay_ge0 isT stay_sum always 1 2%N true policy_always one_bounded).
by rewrite VE !big_ord_recl big_ord0; vm_compute.
Qed.
