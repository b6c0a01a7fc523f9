(* False variants of T22 (score of the softmax), refuted on two actions over dual numbers.
   In each comment: the place that is changed, then the left side against the right one, for the action true. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Derivation Softmax.
From PG Require Import mutants.Rationals mutants.Instances.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* slopes 2 and 1 of the logits; the exponentials 1 and 3, which move accordingly *)
Definition th0 (a : bool) : dual := Dual 0 (if a then 2%:R else 1).
Definition e0 (a : bool) : dual := if a then Dual 1 2%:R else Dual 3%:R 3%:R.
Definition exponentials (th e : bool -> dual) := forall a, D (e a) = e a * D (th a).
Lemma e0E : exponentials th0 e0. Proof. by_cases. Qed.
Lemma Z0 : Z e0 \is a GRing.unit. Proof. by rewrite /Z twoE; vm_compute. Qed.
Ltac differ v w := rewrite /smx /Z; Instances.differ v w.

(* T22: the mean slope is dropped. 3/16 eps against 1/2 eps. *)
Lemma T22_mutant_mean_slope :
  ~ (forall th e : bool -> dual, exponentials th e -> Z e \is a GRing.unit -> forall a, D (smx e a) = smx e a * D (th a)).
Proof. move=> /(_ th0 e0 e0E Z0 true). differ (Dual 0 (3%:R / 16%:R)) (Dual 0 (1 / 2%:R)). Qed.

(* T22: the slopes are summed without the probabilities. 3/16 eps against -1/4 eps. *)
Lemma T22_mutant_weights :
  ~ (forall th e : bool -> dual, exponentials th e -> Z e \is a GRing.unit ->
     forall a, D (smx e a) = smx e a * (D (th a) - \sum_b D (th b))).
Proof. move=> /(_ th0 e0 e0E Z0 true). differ (Dual 0 (3%:R / 16%:R)) (Dual 0 (- (1 / 4%:R))). Qed.

(* T22: the action's own logit alone moves it, pi (1 - pi) D theta. 3/16 eps against 3/8 eps. *)
Lemma T22_mutant_diagonal :
  ~ (forall th e : bool -> dual, exponentials th e -> Z e \is a GRing.unit ->
     forall a, D (smx e a) = smx e a * (D (th a) - smx e a * D (th a))).
Proof. move=> /(_ th0 e0 e0E Z0 true). differ (Dual 0 (3%:R / 16%:R)) (Dual 0 (3%:R / 8%:R)). Qed.
