(* False variants of the theorems on softmax policies and their gradients: the score (T22), the natural gradient (T23 to T25), entropy (T37),
   compatible approximation (T38). All are refuted on two actions. In each comment: the place that is changed, then the left side against the
   right one. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Derivation Softmax NaturalGradient Discounted CompatibleApproximation EntropyRegularised.
From PG Require Import mutants.Rationals mutants.Instances mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* Variants of T22 (score of the softmax), on two actions over dual numbers.
   In each comment: the place that is changed, then the left side against the right one, for the action true. *)

(* slopes 2 and 1 of the logits; the exponentials 1 and 3, which move accordingly *)
Definition th_score (a : bool) : dual := Dual 0 (if a then 2%:R else 1).
Definition e_score (a : bool) : dual := if a then Dual 1 2%:R else Dual 3%:R 3%:R.
Definition exponentials (th e : bool -> dual) := forall a, D (e a) = e a * D (th a).
Lemma e_scoreE : exponentials th_score e_score. Proof. by_cases. Qed.
Lemma Z_score : Z e_score \is a GRing.unit. Proof. by rewrite /Z twoE; vm_compute. Qed.

(* T22: the mean slope is dropped. 3/16 eps against 1/2 eps. *)
Lemma T22_mutant_mean_slope :
  ~ (forall th e : bool -> dual, exponentials th e -> Z e \is a GRing.unit -> forall a, D (smx e a) = smx e a * D (th a)).
Proof. move=> /(_ th_score e_score e_scoreE Z_score true). rewrite /smx /Z. differ (Dual 0 (3%:R / 16%:R)) (Dual 0 (1 / 2%:R)). Qed.

(* T22: the slopes are summed without the probabilities. 3/16 eps against -1/4 eps. *)
Lemma T22_mutant_weights :
  ~ (forall th e : bool -> dual, exponentials th e -> Z e \is a GRing.unit ->
     forall a, D (smx e a) = smx e a * (D (th a) - \sum_b D (th b))).
Proof. move=> /(_ th_score e_score e_scoreE Z_score true). rewrite /smx /Z. differ (Dual 0 (3%:R / 16%:R)) (Dual 0 (- (1 / 4%:R))). Qed.

(* T22: the action's own logit alone moves it, pi (1 - pi) D theta. 3/16 eps against 3/8 eps. *)
Lemma T22_mutant_diagonal :
  ~ (forall th e : bool -> dual, exponentials th e -> Z e \is a GRing.unit ->
     forall a, D (smx e a) = smx e a * (D (th a) - smx e a * D (th a))).
Proof. move=> /(_ th_score e_score e_scoreE Z_score true). rewrite /smx /Z. differ (Dual 0 (3%:R / 16%:R)) (Dual 0 (3%:R / 8%:R)). Qed.

(* Variants of T23 to T25 (the softmax and its natural gradient), on two actions with exponentials 1 and 3. *)

(* for T23: exponentials 1 and 3, whose logits move by 1 and -2; values 2 and 5 *)
Definition th0 (a : bool) : dual := if a then Dual 0 (- 2%:R) else Dual 0 1.
Definition e0 (a : bool) : dual := if a then Dual 3%:R (- 6%:R) else Dual 1 1.
Definition q0 (a : bool) : dual := if a then 5%:R else 2%:R.
Lemma De0 a : D (e0 a) = e0 a * D (th0 a). Proof. move: a; by_cases. Qed.
Lemma Z_e0 : Z e0 \is a GRing.unit. Proof. by rewrite /Z twoE /two; vm_compute. Qed.

(* T23: the baseline sum_b smx b * Q b dropped. -27/16 eps against -7 eps. *)
Lemma T23_mutant_baseline :
  ~ (forall (A : finType) (th e : A -> dual), (forall a, D (e a) = e a * D (th a)) -> Z e \is a GRing.unit ->
     forall Q : A -> dual,
     \sum_a D (smx e a) * Q a = \sum_a smx e a * Q a * D (th a)).
Proof. move=> /(_ _ th0 e0 De0 Z_e0 q0). rewrite /smx /Z. differ (Dual 0 (- (27%:R / 16%:R))) (Dual 0 (- 7%:R)). Qed.

(* T23: the mean of Q under the softmax became its plain mean. -27/16 eps against -21/8 eps. *)
Lemma T23_mutant_mean :
  ~ (forall (A : finType) (th e : A -> dual), (forall a, D (e a) = e a * D (th a)) -> Z e \is a GRing.unit ->
     forall Q : A -> dual,
     \sum_a D (smx e a) * Q a = \sum_a smx e a * (Q a - (\sum_b Q b) / #|A|%:R) * D (th a)).
Proof.
move=> /(_ _ th0 e0 De0 Z_e0 q0). rewrite /smx /Z card_bool.
differ (Dual 0 (- (27%:R / 16%:R))) (Dual 0 (- (21%:R / 8%:R))).
Qed.

(* for T24: the same exponentials without their slopes, multiplied by 1 and 2 *)
Definition e1 (a : bool) : q := if a then 3%:R else 1.
Definition u1 (a : bool) : q := if a then 2%:R else 1.
Lemma sum_e1 : \sum_b e1 b != 0. Proof. by rewrite twoE /two; vm_compute. Qed.

(* T24: the normalisation dropped. 6/7 against 3/2. *)
Lemma T24_mutant_normalisation :
  ~ (forall (A : finType) (e u : A -> q) a, \sum_b e b != 0 -> smx (fun b => e b * u b) a = smx e a * u a).
Proof. move=> /(_ _ e1 u1 true sum_e1). rewrite /smx /Z. differ (6%:R / 7%:R : q) (3%:R / 2%:R : q). Qed.

(* T24: normalised by the plain mean of u, not by its mean under pi. 6/7 against 1. *)
Lemma T24_mutant_mean :
  ~ (forall (A : finType) (e u : A -> q) a, \sum_b e b != 0 ->
     smx (fun b => e b * u b) a = smx e a * u a / ((\sum_b u b) / #|A|%:R)).
Proof. move=> /(_ _ e1 u1 true sum_e1). rewrite /smx /Z card_bool. differ (6%:R / 7%:R : q) (1 : q). Qed.

(* for T25: probabilities 1/4 and 3/4, advantages -9/4 and 3/4 *)
Definition p2 (a : bool) : q := if a then 3%:R / 4%:R else 1 / 4%:R.
Definition adv2 (a : bool) : q := if a then 3%:R / 4%:R else - (9%:R / 4%:R).
Lemma mean_adv2 : \sum_b p2 b * adv2 b = 0. Proof. by rewrite twoE /two; apply/eqP; vm_compute. Qed.

(* T25: the score of action b in logit a taken with the probability of a. 15/8 against 3/4. *)
Lemma T25_mutant_index :
  ~ (forall (A : finType) (p Adv : A -> q) a, \sum_b p b * Adv b = 0 ->
     \sum_b ((a == b)%:R - p a) * Adv b = Adv a).
Proof. move=> /(_ _ p2 adv2 true mean_adv2). differ (15%:R / 8%:R : q) (3%:R / 4%:R : q). Qed.

(* T25: the score with the wrong sign. -3/4 against 3/4. *)
Lemma T25_mutant_sign :
  ~ (forall (A : finType) (p Adv : A -> q) a, \sum_b p b * Adv b = 0 ->
     \sum_b (p b - (a == b)%:R) * Adv b = Adv a).
Proof. move=> /(_ _ p2 adv2 true mean_adv2). differ (- (3%:R / 4%:R) : q) (3%:R / 4%:R : q). Qed.

(* Variants of T38 (compatible function approximation), on one state and two actions over dual numbers. *)

(* the assumptions of T38, but for that on f *)
Definition compatible_premises n (A : finType) (P : A -> 'M[dual]_n) (r : A -> 'cV[dual]_n) gam pi sc (mu : 'rV[dual]_n) :=
  (forall a s s', D (P a s s') = 0) /\ (forall a s, D (r a s 0) = 0) /\ D gam = 0 /\ Tpi P gam pi \in unitmx /\
  (forall s a, D (pi s a) = pi s a * sc s a) /\ (forall s, D (mu 0 s) = 0).

(* action true, played with probability 1/3 + eps, earns 1, action false 0; both stay: V = 2/3 + 2 eps, Q = 4/3 + eps, 1/3 + eps *)
Definition stay (_ : bool) : dual := 1.
Definition win (a : bool) : dual := a%:R.
Definition third (a : bool) : dual := if a then Dual (1 / 3%:R) 1 else Dual (2%:R / 3%:R) (- 1).
Definition sc (_ : 'I_1) (a : bool) : dual := Dual 0 (if a then 3%:R else - (3%:R / 2%:R)).

Lemma compatible_premises_hold : compatible_premises (P1 stay) (r1 win) half (pi1 third) sc 1%:M.
Proof.
have real a : D (win a) = 0 by move: a; by_cases.
split=> [a s s'|]; first by rewrite (ord1 s) (ord1 s') mxE eqxx; apply/eqP; vm_compute.
split=> [a s|]; first by rewrite (ord1 s) mxE eqxx mulr1n real.
split; first by apply/eqP; vm_compute.
split; first by rewrite Tpi1 -scalemx1 unitmxZ ?unitmx1 // /kept twoE; vm_compute.
by split=> [s|s]; [by_cases | rewrite (ord1 s) mxE eqxx; apply/eqP; vm_compute].
Qed.

(* the start instead of the visits: f = Q. 2 eps against 1 eps. *)
Lemma T38_mutant_visits : ~ (forall n (A : finType) (P : A -> 'M[dual]_n) r gam pi sc mu f, compatible_premises P r gam pi sc mu ->
  \sum_s occupancy P gam pi mu 0 s * (\sum_a pi s a * (Q P r gam pi s a - f s a) * sc s a) = 0 ->
  D ((mu *m V P r gam pi) 0 0) = \sum_s mu 0 s * \sum_a D (pi s a) * f s a).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ (Q (P1 stay) (r1 win) half (pi1 third)) compatible_premises_hold) H.
suff : D ((1%:M *m V (P1 stay) (r1 win) half (pi1 third)) 0 0) =
    \sum_s (1%:M : 'rV[dual]_1) 0 s * \sum_a D (pi1 third s a) * Q (P1 stay) (r1 win) half (pi1 third) s a.
  rewrite J1 big_ord1 mxE eqxx !twoE /two !Q1 /kept; differ (Dual 0 2%:R) (Dual 0 1).
by apply: H; apply: big1 => s _; rewrite big1 ?mulr0 // => a _; rewrite subrr mulr0 mul0r.
Qed.

(* the score left out of the condition: a critic that is right in the mean, f = V. 2 eps against 0. *)
Lemma T38_mutant_score : ~ (forall n (A : finType) (P : A -> 'M[dual]_n) r gam pi sc mu f, compatible_premises P r gam pi sc mu ->
  \sum_s occupancy P gam pi mu 0 s * (\sum_a pi s a * (Q P r gam pi s a - f s a)) = 0 ->
  D ((mu *m V P r gam pi) 0 0) = \sum_s occupancy P gam pi mu 0 s * \sum_a D (pi s a) * f s a).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ (fun _ _ => Dual (2%:R / 3%:R) 2%:R) compatible_premises_hold) H.
suff : D ((1%:M *m V (P1 stay) (r1 win) half (pi1 third)) 0 0) =
    \sum_s occupancy (P1 stay) half (pi1 third) 1%:M 0 s * \sum_a D (pi1 third s a) * Dual (2%:R / 3%:R) 2%:R.
  rewrite J1 big_ord1 occupancy1 /kept; differ (Dual 0 2%:R) (Dual 0 0).
by apply: H; rewrite big_ord1 occupancy1 !twoE /two !Q1 /kept; write_out; apply/eqP; vm_compute.
Qed.

(* the policy left out of the condition, f fitted with equal weights of the actions: f = Q - 1, Q - 2. 2 eps against 4 eps. *)
Lemma T38_mutant_policy : ~ (forall n (A : finType) (P : A -> 'M[dual]_n) r gam pi sc mu f, compatible_premises P r gam pi sc mu ->
  \sum_s occupancy P gam pi mu 0 s * (\sum_a (Q P r gam pi s a - f s a) * sc s a) = 0 ->
  D ((mu *m V P r gam pi) 0 0) = \sum_s occupancy P gam pi mu 0 s * \sum_a D (pi s a) * f s a).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ (fun _ a => if a then Dual (1 / 3%:R) 1 else Dual (- (5%:R / 3%:R)) 1) compatible_premises_hold) H.
suff : D ((1%:M *m V (P1 stay) (r1 win) half (pi1 third)) 0 0) = \sum_s occupancy (P1 stay) half (pi1 third) 1%:M 0 s *
    \sum_a D (pi1 third s a) * (if a then Dual (1 / 3%:R) 1 else Dual (- (5%:R / 3%:R)) 1).
  rewrite J1 big_ord1 occupancy1 /kept; differ (Dual 0 2%:R) (Dual 0 4%:R).
by apply: H; rewrite big_ord1 occupancy1 !twoE /two !Q1 /kept; write_out; apply/eqP; vm_compute.
Qed.

(* Variants of T37 (policy gradient with entropy), on one state and two actions over dual numbers. *)

(* the assumptions of T37 *)
Definition entropy_premises n (A : finType) (P : A -> 'M[dual]_n) gam pi (r : A -> 'cV[dual]_n) L tau (mu : 'rV[dual]_n) :=
  (forall a s s', D (P a s s') = 0) /\ D gam = 0 /\ Tpi P gam pi \in unitmx /\ (forall a s, D (r a s 0) = 0) /\
  (forall s, D (mu 0 s) = 0) /\ D tau = 0 /\ (forall s, \sum_a pi s a = 1) /\ (forall s a, pi s a * D (L s a) = D (pi s a)).

(* action true, played with probability 1/3 + eps, earns 1 and stays; action false earns 0 and ends; L stands for the logarithm *)
Definition again (a : bool) : dual := a%:R.
Definition log_third (_ : 'I_1) (a : bool) : dual := if a then Dual (- 1) 3%:R else Dual (- (1 / 2%:R)) (- (3%:R / 2%:R)).

Lemma entropy_premises_hold : entropy_premises (P1 again) half (pi1 third) (r1 again) log_third half 1%:M.
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
Lemma soft_J1 : ((1%:M : 'rV_1) *m soft_value (P1 again) half (pi1 third) (r1 again) log_third half) 0 0 =
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
move=> /(_ _ _ _ _ _ _ _ _ _ entropy_premises_hold); rewrite soft_J1 big_ord1 occupancy1 !twoE /two !soft_action1 /kept.
differ (Dual 0 (99%:R / 50%:R)) (Dual 0 (69%:R / 50%:R)).
Qed.

(* - tau L left out. 99/50 eps against 42/25 eps. *)
Lemma T37_mutant_direct : ~ (forall n (A : finType) (P : A -> 'M[dual]_n) gam pi r L tau mu, entropy_premises P gam pi r L tau mu ->
  D ((mu *m soft_value P gam pi r L tau) 0 0) = \sum_s occupancy P gam pi mu 0 s *
    \sum_a D (pi s a) * soft_action_value P gam pi r L tau s a).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ _ entropy_premises_hold); rewrite soft_J1 big_ord1 occupancy1 !twoE /two !soft_action1 /kept.
differ (Dual 0 (99%:R / 50%:R)) (Dual 0 (42%:R / 25%:R)).
Qed.

(* the action value of the rewards alone. 99/50 eps against 87/50 eps. *)
Lemma T37_mutant_later : ~ (forall n (A : finType) (P : A -> 'M[dual]_n) gam pi r L tau mu, entropy_premises P gam pi r L tau mu ->
  D ((mu *m soft_value P gam pi r L tau) 0 0) = \sum_s occupancy P gam pi mu 0 s *
    \sum_a D (pi s a) * (Q P r gam pi s a - tau * L s a)).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ _ entropy_premises_hold); rewrite soft_J1 big_ord1 occupancy1 !twoE /two !Q1 /kept.
differ (Dual 0 (99%:R / 50%:R)) (Dual 0 (87%:R / 50%:R)).
Qed.
