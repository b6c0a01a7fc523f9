(* False variants of the theorems on the softmax and its natural gradient (T23 to T25), refuted on two actions with exponentials 1 and 3.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Derivation Softmax NaturalGradient mutants.Rationals mutants.Instances.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

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
