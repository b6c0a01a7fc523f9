(* False variants of Chebyshev's inequality (T34) and of the monotone natural gradient (T35), refuted on two points and on one state.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Discounted Policy mutants.Rationals mutants.OneState mutants.DiscountedPolicyImprovement.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* for T34: weights 1 and 3 on the values 0 and 1 of both functions *)
Definition mass (b : bool) : q := if b then 3%:R else 1.
Lemma mass_ge0 b : 0 <= mass b. Proof. by case: b; vm_compute. Qed.
Lemma win_comonotone a b : 0 <= (win a - win b) * (win a - win b). Proof. by move: a b; repeat case; vm_compute. Qed.

(* T34: the total weight dropped. 9 against 3. *)
Lemma T34_mutant_total :
  ~ (forall (A : finType) (p u x : A -> q), (forall a, 0 <= p a) -> (forall a b, 0 <= (u a - u b) * (x a - x b)) ->
     (\sum_a p a * u a) * (\sum_a p a * x a) <= \sum_a p a * (u a * x a)).
Proof. by move=> /(_ _ _ _ _ mass_ge0 win_comonotone); rewrite !sum_bool; vm_compute. Qed.

(* T34: the total weight became the number of points, as if all weights were one. 9 against 6. *)
Lemma T34_mutant_count :
  ~ (forall (A : finType) (p u x : A -> q), (forall a, 0 <= p a) -> (forall a b, 0 <= (u a - u b) * (x a - x b)) ->
     (\sum_a p a * u a) * (\sum_a p a * x a) <= #|A|%:R * (\sum_a p a * (u a * x a))).
Proof. by move=> /(_ _ _ _ _ mass_ge0 win_comonotone); rewrite !sum_bool card_bool; vm_compute. Qed.

(* for T35: one state, discount 1/2, both actions alike; true pays 1 and ends, false pays 3/4 and goes on. V = 7/6, Q = 1 and 4/3. *)
Definition goes_on (b : bool) : q := (~~ b)%:R.
Definition pays (b : bool) : q := if b then 1 else 3%:R / 4%:R.
Definition fair (_ : bool) : q := 1 / 2%:R.
(* weights that rise with Q, and some that rise with the rewards *)
Definition u0 (b : bool) : q := if b then 1 / 4%:R else 1 / 2%:R.
Definition u_rewards (b : bool) : q := if b then 5%:R / 4%:R else 1.
Lemma goes_on_ge0 b : 0 <= goes_on b. Proof. by case: b; vm_compute. Qed.
Lemma goes_on_le1 b : goes_on b <= 1. Proof. by case: b; vm_compute. Qed.
Lemma fair_policy : policy (pi1 fair). Proof. by split=> [s b|s]; [|rewrite sum_bool; apply/eqP]; vm_compute. Qed.
Lemma u0_gt0 (s : 'I_1) b : 0 < pi1 u0 s b. Proof. by case: b; vm_compute. Qed.
Lemma u_rewards_gt0 (s : 'I_1) b : 0 < pi1 u_rewards s b. Proof. by case: b; vm_compute. Qed.
Local Notation Q0 := (Q (P1 goes_on) (r1 pays) gam0 (pi1 fair)).
Lemma u0_comonotone s a b : 0 <= (pi1 u0 s a - pi1 u0 s b) * (Q0 s a - Q0 s b).
Proof. by rewrite !Q1 /kept !sum_bool; move: a b; repeat case; vm_compute. Qed.
Lemma u_rewards_comonotone s a b : 0 <= (pi1 u_rewards s a - pi1 u_rewards s b) * (r1 pays a s 0 - r1 pays b s 0).
Proof. by rewrite (ord1 s) !mxE eqxx !mulr1n; move: a b; repeat case; vm_compute. Qed.
(* T35: the weights divide, a step down. 7/6 against 11/10. *)
Lemma T35_mutant_inverse :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) (r : A -> 'cV[q]_n) gam (pi u : 'I_n -> A -> q),
     (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
     policy pi -> (forall s a, 0 < u s a) ->
     (forall s a b, 0 <= (u s a - u s b) * (Q P r gam pi s a - Q P r gam pi s b)) ->
     forall s, V P r gam pi s 0 <= V P r gam (fun s a => pi s a / u s a / \sum_b pi s b / u s b) s 0).
Proof.
move=> /(_ _ _ _ (r1 pays) gam0 _ _ (P1_ge0 goes_on_ge0) (P1_sum goes_on_le1) isT isT fair_policy u0_gt0 u0_comonotone 0).
by rewrite V1 [X in _ <= X](V1 goes_on pays gam0 (fun a => fair a / u0 a / \sum_b fair b / u0 b)) /kept !sum_bool; vm_compute.
Qed.

(* T35: the normalisation dropped. 7/6 against 5/14. *)
Lemma T35_mutant_normalisation :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) (r : A -> 'cV[q]_n) gam (pi u : 'I_n -> A -> q),
     (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
     policy pi -> (forall s a, 0 < u s a) ->
     (forall s a b, 0 <= (u s a - u s b) * (Q P r gam pi s a - Q P r gam pi s b)) ->
     forall s, V P r gam pi s 0 <= V P r gam (fun s a => pi s a * u s a) s 0).
Proof.
move=> /(_ _ _ _ (r1 pays) gam0 _ _ (P1_ge0 goes_on_ge0) (P1_sum goes_on_le1) isT isT fair_policy u0_gt0 u0_comonotone 0).
by rewrite V1 [X in _ <= X](V1 goes_on pays gam0 (fun a => fair a * u0 a)) /kept !sum_bool; vm_compute.
Qed.

(* T35: weights that rise with the rewards, not with Q. 7/6 against 8/7. *)
Lemma T35_mutant_rewards :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) (r : A -> 'cV[q]_n) gam (pi u : 'I_n -> A -> q),
     (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
     policy pi -> (forall s a, 0 < u s a) ->
     (forall s a b, 0 <= (u s a - u s b) * (r a s 0 - r b s 0)) ->
     forall s, V P r gam pi s 0 <= V P r gam (fun s a => pi s a * u s a / \sum_b pi s b * u s b) s 0).
Proof.
move=> /(_ _ _ _ (r1 pays) gam0 _ _ (P1_ge0 goes_on_ge0) (P1_sum goes_on_le1) isT isT fair_policy u_rewards_gt0 u_rewards_comonotone 0).
by rewrite V1 [X in _ <= X](V1 goes_on pays gam0 (fun a => fair a * u_rewards a / \sum_b fair b * u_rewards b)) /kept !sum_bool; vm_compute.
Qed.
