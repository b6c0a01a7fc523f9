(* False variants of the discounted performance difference (T16), refuted on the process of two states.
   In each comment: the place that is changed, then the left side against the right one, in state 0. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Discounted.
From PG Require Import mutants.Rationals mutants.Instances mutants.TwoStates.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Definition sums_to_one (pi : 'I_2 -> bool -> dual) := forall s, \sum_a pi s a = 1.
Lemma acts1_sum : sums_to_one (acts pi1). Proof. by move=> i; exact: normalised1. Qed.

(* Both sides in state 0 as numbers, where the right side has the visits of pi_d, the action values of pi_q and the values of pi_v. *)
Section Entry.
Variables (P : bool -> bool -> bool -> dual) (r : bool -> bool -> dual) (gam : dual).
Variables (new old pi_d pi_q pi_v w' w w_d w_q w_v : bool -> bool -> dual).
Local Notation T pi := (Tpi (transitions P) gam (acts pi)).
Local Notation V pi := (V (transitions P) (rewards r) gam (acts pi)).
Local Notation Q pi := (Q (transitions P) (rewards r) gam (acts pi)).
Hypotheses (i' : invmx (T new) = square w') (i : invmx (T old) = square w)
  (i_d : invmx (T pi_d) = square w_d) (i_q : invmx (T pi_q) = square w_q) (i_v : invmx (T pi_v) = square w_v).
Definition gain s := two (fun a => new s a * (action_value_at P r gam pi_q w_q s a - value_at r pi_v w_v s)).
Lemma in_state_0 : V new - V old = invmx (T pi_d) *m (\col_s \sum_a acts new s a * (Q pi_q s a - V pi_v s 0)) ->
  value_at r new w' (state 0) - value_at r old w (state 0) = w_d (state 0) false * gain (state 0) + w_d (state 0) true * gain (state 1).
Proof.
move=> H; transitivity ((V new - V old) 0 0).
  by rewrite columnB; congr (_ - _); symmetry; [exact: (valueE r i' 0) | exact: (valueE r i 0)].
rewrite H; apply: (etrans (resolventE i_d _ 0)).
have g s : \sum_a acts new s a * (Q pi_q s a - V pi_v s 0) = gain (state s).
  by rewrite twoE /gain /two !(action_valueE r i_q) !(valueE r i_v).
by rewrite (g 0) (g 1).
Qed.
End Entry.

(* T16: the visits of the new policy became those of the old one. -119/208 against -159/338. *)
Lemma T16_mutant_visits :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi pi', Tpi P gam pi \in unitmx -> Tpi P gam pi' \in unitmx -> sums_to_one pi' ->
     V P r gam pi' - V P r gam pi = invmx (Tpi P gam pi) *m \col_s \sum_a pi' s a * (Q P r gam pi s a - V P r gam pi s 0)).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi2) (acts pi1) unit2 unit1 acts1_sum) /(in_state_0 inv1 inv2 inv2 inv2 inv2).
differ (cst (- (119%:R / 208%:R))) (cst (- (159%:R / 338%:R))).
Qed.

(* T16: the action values of the old policy became those of the new one. -119/208 against -213/208. *)
Lemma T16_mutant_action_value :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi pi', Tpi P gam pi' \in unitmx -> sums_to_one pi' ->
     V P r gam pi' - V P r gam pi = invmx (Tpi P gam pi') *m \col_s \sum_a pi' s a * (Q P r gam pi' s a - V P r gam pi s 0)).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi2) (acts pi1) unit1 acts1_sum) /(in_state_0 inv1 inv2 inv1 inv1 inv2).
differ (cst (- (119%:R / 208%:R))) (cst (- (213%:R / 208%:R))).
Qed.

(* T16: without the assumption that the new policy sums to one; its rows sum to 3/2. 55/26 against -27/26. *)
Lemma T16_mutant_unnormalised :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi pi', Tpi P gam pi' \in unitmx ->
     V P r gam pi' - V P r gam pi = invmx (Tpi P gam pi') *m \col_s \sum_a pi' s a * (Q P r gam pi s a - V P r gam pi s 0)).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi2) (acts pi3) unit3) /(in_state_0 inv3 inv2 inv3 inv2 inv2).
differ (cst (55%:R / 26%:R)) (cst (- (27%:R / 26%:R))).
Qed.
