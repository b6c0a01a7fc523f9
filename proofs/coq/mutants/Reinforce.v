(* False variants of T08 (score of a trajectory) and T09 (score-function identity), refuted on the process of Instances.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Derivation FiniteHorizon Trajectories Reinforce.
From PG Require Import mutants.Rationals mutants.Instances.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* each action with the state after it *)
Fixpoint score_next (sc : bool -> bool -> dual) (s : bool) (tau : seq (bool * bool)) : dual :=
  if tau is (a, s') :: t then sc s' a + score_next sc s' t else 0.
(* whether the first action is a *)
Definition first_is (a : bool) (tau : seq (bool * bool)) : dual := if tau is (b, _) :: _ then (b == a)%:R else 0.
Lemma first_is_fixed a t : D (first_is a t) = 0. Proof. by case: t => [|[b s] t]; [|case: b; case: a]; apply/eqP; vm_compute. Qed.
(* what a first action that is true pays moves with theta *)
Definition first_pays (tau : seq (bool * bool)) : dual := if tau is (a, _) :: _ then r_moving true a else 0.
Definition path0 : seq (bool * bool) := [:: (true, true); (false, false)].
(* the derivative of pi itself, not that of its logarithm *)
Definition slope0 (s a : bool) : dual := D (pi0 s a).

(* T08: sc s a became sc s' a. 1/3 eps against 2/3 eps. *)
Lemma T08_mutant_index :
  ~ (forall (P : bool -> bool -> bool -> dual) pi sc, (forall s a s', D (P s a s') = 0) -> score_of pi sc ->
     forall s tau, D (prob P pi s tau) = prob P pi s tau * score_next sc s tau).
Proof. move=> /(_ P0 pi0 sc0 (proj1 fixed0) score0 true path0). differ (Dual 0 (1 / 3%:R)) (Dual 0 (2%:R / 3%:R)). Qed.

(* T08: D pi = pi * sc became D pi = sc. 1/3 eps against 0. *)
Lemma T08_mutant_logarithm :
  ~ (forall (P : bool -> bool -> bool -> dual) pi sc, (forall s a s', D (P s a s') = 0) -> (forall s a, D (pi s a) = sc s a) ->
     forall s tau, D (prob P pi s tau) = prob P pi s tau * score sc s tau).
Proof. move=> /(_ P0 pi0 slope0 (proj1 fixed0) (fun _ _ => erefl) true path0). differ (Dual 0 (1 / 3%:R)) (Dual 0 0). Qed.

(* T08: without the assumption that P does not depend on theta. 5/6 eps against 1/2 eps. *)
Lemma T08_mutant_model :
  ~ (forall (P : bool -> bool -> bool -> dual) pi sc, score_of pi sc ->
     forall s tau, D (prob P pi s tau) = prob P pi s tau * score sc s tau).
Proof. move=> /(_ P_moving pi0 sc0 score0 true [:: (true, true)]). differ (Dual 0 (5%:R / 6%:R)) (Dual 0 (1 / 2%:R)). Qed.

(* T09: the score s became that of the states after the actions. 0 against -1 eps. *)
Lemma T09_mutant_index :
  ~ (forall (P : bool -> bool -> bool -> dual) pi sc, (forall s a s', D (P s a s') = 0) -> score_of pi sc ->
     forall n s F, (forall t, D (F t) = 0) -> Etraj P pi n s (fun t => score_next sc s t * F t) = D (Etraj P pi n s F)).
Proof. move=> /(_ P0 pi0 sc0 (proj1 fixed0) score0 1%N true _ (first_is_fixed false)). differ (Dual 0 0) (Dual 0 (- 1)). Qed.

(* T09: the trajectories are drawn by another policy mu. 3/4 eps against 1 eps. *)
Lemma T09_mutant_policy :
  ~ (forall (P : bool -> bool -> bool -> dual) pi mu sc, (forall s a s', D (P s a s') = 0) -> score_of pi sc ->
     forall n s F, (forall t, D (F t) = 0) -> Etraj P mu n s (fun t => score sc s t * F t) = D (Etraj P pi n s F)).
Proof. move=> /(_ P0 pi0 pi1 sc0 (proj1 fixed0) score0 1%N true _ (first_is_fixed true)). differ (Dual 0 (3%:R / 4%:R)) (Dual 0 1). Qed.

(* T09: without the assumption that F does not depend on theta. 1 eps against 4/3 eps. *)
Lemma T09_mutant_function :
  ~ (forall (P : bool -> bool -> bool -> dual) pi sc, (forall s a s', D (P s a s') = 0) -> score_of pi sc ->
     forall n s F, Etraj P pi n s (fun t => score sc s t * F t) = D (Etraj P pi n s F)).
Proof. move=> /(_ P0 pi0 sc0 (proj1 fixed0) score0 1%N true first_pays). differ (Dual 0 1) (Dual 0 (4%:R / 3%:R)). Qed.
