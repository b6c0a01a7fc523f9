(* False variants of the theorems on trajectories and what is estimated from them: T06 to T13, T41. All are refuted on the process of Instances.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Derivation FiniteHorizon Trajectories Reinforce Gpomdp ImportanceSampling DoublyRobust.
From PG Require Import mutants.Rationals mutants.Instances.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* Variants of T06, T07, T10 to T13, on the process of Instances. *)

(* for T12: the baseline is that of the NEXT state; the factor gam is dropped *)
Fixpoint gpomdp_next (r : bool -> bool -> dual) gam sc (b : nat -> bool -> dual) s (tau : seq (bool * bool)) : dual :=
  if tau is (a, s') :: t then sc s a * (ret r gam s tau - (if a then b 0%N s' else 0))
    + gam * gpomdp_next r gam sc (fun k => b k.+1) s' t
  else 0.
Fixpoint gpomdp_undiscounted (r : bool -> bool -> dual) gam sc (b : nat -> bool -> dual) s (tau : seq (bool * bool)) : dual :=
  if tau is (a, s') :: t then sc s a * (ret r gam s tau - b 0%N s) + gpomdp_undiscounted r gam sc (fun k => b k.+1) s' t
  else 0.
(* for T13: ratios of the next state; ratios of the first step alone *)
Fixpoint ratio_next (w : bool -> bool -> dual) (s : bool) (tau : seq (bool * bool)) : dual :=
  if tau is (a, s') :: t then w s' a * ratio_next w s' t else 1.
Definition ratio_first (w : bool -> bool -> dual) (s : bool) (tau : seq (bool * bool)) : dual :=
  if tau is (a, s') :: t then w s a else 1.
Definition w0 (s a : bool) : dual := pi0 s a / pi1 s a.
Lemma w0E s a : pi1 s a * w0 s a = pi0 s a. Proof. move: s a; by_cases. Qed.

(* T06: without the assumption that the rows of P sum to one. 2 against 1. *)
Lemma T06_mutant_model :
  ~ (forall (P : bool -> bool -> bool -> dual) pi n s, normalised pi -> Etraj P pi n s (fun _ => 1) = 1).
Proof. move=> /(_ P_unnormalised pi0 1%N true normalised0). differ (Dual 2%:R 0) (Dual 1 0). Qed.

(* T06: without the assumption that pi sums to one. 3/2 + 1 eps against 1. *)
Lemma T06_mutant_policy :
  ~ (forall (P : bool -> bool -> bool -> dual) pi n s, stochastic P -> Etraj P pi n s (fun _ => 1) = 1).
Proof. move=> /(_ P0 pi_unnormalised 1%N true stochastic0). differ (Dual (3%:R / 2%:R) 1) (Dual 1 0). Qed.

(* T07: without the assumption that the rows of P sum to one. 43/6 - 10 eps against 9/4 - 3 eps. *)
Lemma T07_mutant_model :
  ~ (forall (P : bool -> bool -> bool -> dual) r gam pi n s, normalised pi -> Etraj P pi n s (ret r gam s) = V P r gam pi n s).
Proof. move=> /(_ P_unnormalised r0 half pi0 2%N true normalised0). differ (Dual (43%:R / 6%:R) (- 10%:R)) (Dual (9%:R / 4%:R) (- 3%:R)). Qed.

(* T07: without the assumption that pi sums to one. 15/4 + 7/2 eps against 11/4 + 3/2 eps. *)
Lemma T07_mutant_policy :
  ~ (forall (P : bool -> bool -> bool -> dual) r gam pi n s, stochastic P -> Etraj P pi n s (ret r gam s) = V P r gam pi n s).
Proof. move=> /(_ P0 r0 half pi_unnormalised 2%N true stochastic0). differ (Dual (15%:R / 4%:R) (7%:R / 2%:R)) (Dual (11%:R / 4%:R) (3%:R / 2%:R)). Qed.

(* T10: the return became minus the return. 23/12 eps against -23/12 eps. *)
Lemma T10_mutant_sign :
  ~ (forall P r gam pi sc, stochastic P -> fixed_model P r gam -> normalised pi -> score_of pi sc ->
     forall n s,
     Etraj P pi n s (fun t => score sc s t * - ret r gam s t) = D (V P r gam pi n s)).
Proof. move=> /(_ P0 r0 half pi0 sc0 stochastic0 fixed0 normalised0 score0 2%N true). differ (Dual 0 (23%:R / 12%:R)) (Dual 0 (- (23%:R / 12%:R))). Qed.

(* T10: without the assumption that P does not depend on theta; only D r = 0 and D gam = 0 are kept. -5/2 eps against -25/12 eps. *)
Lemma T10_mutant_model :
  ~ (forall P r gam pi sc, stochastic P -> (forall s a, D (r s a) = 0) -> D gam = 0 -> normalised pi -> score_of pi sc ->
     forall n s,
     Etraj P pi n s (fun t => score sc s t * ret r gam s t) = D (V P r gam pi n s)).
Proof. move=> /(_ P_moving r0 half pi0 sc0 stochastic_moving (proj1 (proj2 fixed0)) (proj2 (proj2 fixed0)) normalised0 score0 2%N true). differ (Dual 0 (- (5%:R / 2%:R))) (Dual 0 (- (25%:R / 12%:R))). Qed.

(* T11: the constant b became b of the first action. -35/12 eps against -23/12 eps. *)
Lemma T11_mutant_action :
  ~ (forall P r gam pi sc, stochastic P -> fixed_model P r gam -> normalised pi -> score_of pi sc ->
     forall n s (b : bool -> dual),
     Etraj P pi n s (fun t => score sc s t * (ret r gam s t - (if t is (a, _) :: _ then b a else 0))) = D (V P r gam pi n s)).
Proof. move=> /(_ P0 r0 half pi0 sc0 stochastic0 fixed0 normalised0 score0 2%N true (fun a => a%:R)). differ (Dual 0 (- (35%:R / 12%:R))) (Dual 0 (- (23%:R / 12%:R))). Qed.

(* T11: without the assumption that pi sums to one. -1 eps against 0 eps. *)
Lemma T11_mutant_unnormalised :
  ~ (forall P r gam pi sc, stochastic P -> fixed_model P r gam -> score_of pi sc ->
     forall n s (b : dual),
     Etraj P pi n s (fun t => score sc s t * (ret r gam s t - b)) = D (V P r gam pi n s)).
Proof. move=> /(_ P0 r0 half pi_unnormalised sc_unnormalised stochastic0 fixed0 score_unnormalised 1%N true 1). differ (Dual 0 (- 1)) (Dual 0 0). Qed.

(* T12: the baseline b k s became b k of the next state, and that after action true alone. -37/12 eps against -23/12 eps. *)
Lemma T12_mutant_action :
  ~ (forall P r gam pi sc, stochastic P -> fixed_model P r gam -> normalised pi -> score_of pi sc ->
     forall n s (b : nat -> bool -> dual),
     Etraj P pi n s (fun t => gpomdp_next r gam sc b s t) = D (V P r gam pi n s)).
Proof. move=> /(_ P0 r0 half pi0 sc0 stochastic0 fixed0 normalised0 score0 2%N true (fun _ _ => 1)). differ (Dual 0 (- (37%:R / 12%:R))) (Dual 0 (- (23%:R / 12%:R))). Qed.

(* T12: the factor gam before the rest of the trajectory dropped. -1 eps against -1/2 eps. *)
Lemma T12_mutant_factor :
  ~ (forall P r gam pi sc, stochastic P -> fixed_model P r gam -> normalised pi -> score_of pi sc ->
     forall n s (b : nat -> bool -> dual),
     Etraj P pi n s (fun t => gpomdp_undiscounted r gam sc b s t) = D (V P r gam pi n s)).
Proof. move=> /(_ P0 r0 half pi0 sc0 stochastic0 fixed0 normalised0 score0 2%N false (fun _ _ => 0)). differ (Dual 0 (- 1)) (Dual 0 (- (1 / 2%:R))). Qed.

(* T13: w s a became w s' a. 1/2 against 2/3 - 1 eps. *)
Lemma T13_mutant_index :
  ~ (forall (P : bool -> bool -> bool -> dual) pi mu w, (forall s a, mu s a * w s a = pi s a) -> forall n s F,
     Etraj P mu n s (fun t => ratio_next w s t * F t) = Etraj P pi n s F).
Proof. move=> /(_ P0 pi0 pi1 w0 w0E 1%N true (fun t => if t is (false, _) :: _ then 1 else 0)). differ (Dual (1 / 2%:R) 0) (Dual (2%:R / 3%:R) (- 1)). Qed.

(* T13: the ratios after the first step dropped. 1/4 against 4/9 + 1/6 eps. *)
Lemma T13_mutant_factor :
  ~ (forall (P : bool -> bool -> bool -> dual) pi mu w, (forall s a, mu s a * w s a = pi s a) -> forall n s F,
     Etraj P mu n s (fun t => ratio_first w s t * F t) = Etraj P pi n s F).
Proof. move=> /(_ P0 pi0 pi1 w0 w0E 2%N true (fun t => if t is [:: _; (true, _)] then 1 else 0)). differ (Dual (1 / 4%:R) 0) (Dual (4%:R / 9%:R) (1 / 6%:R)). Qed.

(* Variants of T08 (score of a trajectory) and T09 (score-function identity), on the process of Instances. *)

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

(* Variants of T41 (doubly robust estimates), on the process of Instances: the policy pi1 draws, pi0 is judged. *)

Section Variants.
Variables (r : bool -> bool -> dual) (gam : dual) (pi mu w : bool -> bool -> dual).
(* the guess averaged over mu, which draws, instead of pi; the ratio left out of what follows; the guess of the next state *)
Fixpoint averaged_by_mu (q : nat -> bool -> bool -> dual) s (tau : seq (bool * bool)) : dual :=
  if tau is (a, s') :: t
  then two (fun b => mu s b * q 0%N s b) + w s a * (r s a + gam * averaged_by_mu (fun k => q k.+1) s' t - q 0%N s a)
  else 0.
Fixpoint rest_unweighted (q : nat -> bool -> bool -> dual) s (tau : seq (bool * bool)) : dual :=
  if tau is (a, s') :: t
  then two (fun b => pi s b * q 0%N s b) + w s a * (r s a - q 0%N s a) + gam * rest_unweighted (fun k => q k.+1) s' t
  else 0.
Fixpoint guess_of_next (q : nat -> bool -> bool -> dual) s (tau : seq (bool * bool)) : dual :=
  if tau is (a, s') :: t
  then two (fun b => pi s b * q 0%N s b) + w s a * (r s a + gam * guess_of_next (fun k => q k.+1) s' t - q 0%N s' a)
  else 0.
End Variants.

Definition guess (_ : nat) (s a : bool) : dual := if s then (if a then 1 else 3%:R) else 2%:R.

(* sum_b pi s b became sum_b mu s b. 23/12 + 1/2 eps against 31/18 - 23/12 eps. *)
Lemma T41_mutant_average : ~ (forall P r gam pi mu w, stochastic P -> normalised mu -> (forall s a, mu s a * w s a = pi s a) ->
  forall q n s, Etraj P mu n s (averaged_by_mu r gam mu w q s) = V P r gam pi n s).
Proof. move=> /(_ P0 r0 half pi0 pi1 w0 stochastic0 normalised1 w0E guess 2%N true). differ (Dual (23%:R / 12%:R) (1 / 2%:R)) (Dual (31%:R / 18%:R) (- (23%:R / 12%:R))). Qed.

(* the ratio before the rest of the trajectory dropped. 27/16 - 9/4 eps against 31/18 - 23/12 eps. *)
Lemma T41_mutant_rest : ~ (forall P r gam pi mu w, stochastic P -> normalised mu -> (forall s a, mu s a * w s a = pi s a) ->
  forall q n s, Etraj P mu n s (rest_unweighted r gam pi w q s) = V P r gam pi n s).
Proof. move=> /(_ P0 r0 half pi0 pi1 w0 stochastic0 normalised1 w0E guess 2%N true). differ (Dual (27%:R / 16%:R) (- (9%:R / 4%:R))) (Dual (31%:R / 18%:R) (- (23%:R / 12%:R))). Qed.

(* - q 0 s a became - q 0 s' a. 8/3 - 3 eps against 31/18 - 23/12 eps. *)
Lemma T41_mutant_index : ~ (forall P r gam pi mu w, stochastic P -> normalised mu -> (forall s a, mu s a * w s a = pi s a) ->
  forall q n s, Etraj P mu n s (guess_of_next r gam pi w q s) = V P r gam pi n s).
Proof. move=> /(_ P0 r0 half pi0 pi1 w0 stochastic0 normalised1 w0E guess 2%N true). differ (Dual (8%:R / 3%:R) (- 3%:R)) (Dual (31%:R / 18%:R) (- (23%:R / 12%:R))). Qed.
