(* False variants of T37 (policy gradient with entropy), refuted on one state and two actions over dual numbers.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Derivation Discounted EntropyRegularised.
From PG Require Import mutants.Rationals mutants.Instances mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* the assumptions of T37 *)
Definition entropy_premises n (A : finType) (P : A -> 'M[dual]_n) gam pi (r : A -> 'cV[dual]_n) L tau (mu : 'rV[dual]_n) :=
  (forall a s s', D (P a s s') = 0) /\ D gam = 0 /\ Tpi P gam pi \in unitmx /\ (forall a s, D (r a s 0) = 0) /\
  (forall s, D (mu 0 s) = 0) /\ D tau = 0 /\ (forall s, \sum_a pi s a = 1) /\ (forall s a, pi s a * D (L s a) = D (pi s a)).

(* action true, played with probability 1/3 + eps, earns 1 and stays; action false earns 0 and ends; L stands for the logarithm *)
Definition again (a : bool) : dual := a%:R.
Definition third (a : bool) : dual := if a then Dual (1 / 3%:R) 1 else Dual (2%:R / 3%:R) (- 1).
Definition log_third (_ : 'I_1) (a : bool) : dual := if a then Dual (- 1) 3%:R else Dual (- (1 / 2%:R)) (- (3%:R / 2%:R)).

Lemma premises_hold : entropy_premises (P1 again) half (pi1 third) (r1 again) log_third half 1%:M.
Proof.
have real a : D (again a) = 0 by move: a; by_cases.
split=> [a s s'|]; first by rewrite (ord1 s) (ord1 s') mxE eqxx mulr1n real.
split; first by apply/eqP; vm_compute.
split; first by rewrite Tpi1 -scalemx1 unitmxZ ?unitmx1 // /kept twoE; vm_compute.
split=> [a s|]; first by rewrite (ord1 s) mxE eqxx mulr1n real.
split=> [s|]; first by rewrite (ord1 s) mxE eqxx; apply/eqP; vm_compute.
split; first by apply/eqP; vm_compute.
by split=> [s|s]; [rewrite twoE /two; apply/eqP; vm_compute | by_cases].
Qed.

(* the two values with all sums written out *)
Definition gain (a : bool) := again a - half * log_third 0 a.
Lemma soft_value1 s : soft_value (P1 again) half (pi1 third) (r1 again) log_third half s 0 =
  (kept again half third)^-1 * \sum_a third a * gain a.
Proof.
rewrite -(V1 again gain half third s) /soft_value /V; congr ((_ *m _) _ _); apply/matrixP => i j; rewrite !mxE; apply: eq_bigr => a _.
by rewrite !mxE (ord1 i) eqxx.
Qed.
Lemma J1 : ((1%:M : 'rV_1) *m soft_value (P1 again) half (pi1 third) (r1 again) log_third half) 0 0 =
  (kept again half third)^-1 * \sum_a third a * gain a.
Proof. by rewrite mul1mx soft_value1. Qed.
Lemma soft_action1 s a : soft_action_value (P1 again) half (pi1 third) (r1 again) log_third half s a =
  again a + half * (again a * ((kept again half third)^-1 * \sum_b third b * gain b)).
Proof. by rewrite (ord1 s) /soft_action_value {1}/P1 mul_scalar_mx [X in _ + _ * X]mxE soft_value1 mxE eqxx. Qed.

(* - tau L became + tau L. 99/50 eps against 69/50 eps. *)
Lemma T37_mutant_sign : ~ (forall n (A : finType) (P : A -> 'M[dual]_n) gam pi r L tau mu, entropy_premises P gam pi r L tau mu ->
  D ((mu *m soft_value P gam pi r L tau) 0 0) = \sum_s occupancy P gam pi mu 0 s *
    \sum_a D (pi s a) * (soft_action_value P gam pi r L tau s a + tau * L s a)).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ _ premises_hold); rewrite J1 big_ord1 occupancy1 !twoE /two !soft_action1 /kept.
differ (Dual 0 (99%:R / 50%:R)) (Dual 0 (69%:R / 50%:R)).
Qed.

(* - tau L left out. 99/50 eps against 42/25 eps. *)
Lemma T37_mutant_direct : ~ (forall n (A : finType) (P : A -> 'M[dual]_n) gam pi r L tau mu, entropy_premises P gam pi r L tau mu ->
  D ((mu *m soft_value P gam pi r L tau) 0 0) = \sum_s occupancy P gam pi mu 0 s *
    \sum_a D (pi s a) * soft_action_value P gam pi r L tau s a).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ _ premises_hold); rewrite J1 big_ord1 occupancy1 !twoE /two !soft_action1 /kept.
differ (Dual 0 (99%:R / 50%:R)) (Dual 0 (42%:R / 25%:R)).
Qed.

(* the action value of the rewards alone. 99/50 eps against 87/50 eps. *)
Lemma T37_mutant_later : ~ (forall n (A : finType) (P : A -> 'M[dual]_n) gam pi r L tau mu, entropy_premises P gam pi r L tau mu ->
  D ((mu *m soft_value P gam pi r L tau) 0 0) = \sum_s occupancy P gam pi mu 0 s *
    \sum_a D (pi s a) * (Q P r gam pi s a - tau * L s a)).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ _ premises_hold); rewrite J1 big_ord1 occupancy1 !twoE /two !Q1 /kept.
differ (Dual 0 (99%:R / 50%:R)) (Dual 0 (87%:R / 50%:R)).
Qed.
