(* False variants of T41 (doubly robust estimates), refuted on the process of Instances: the policy pi1 draws, pi0 is judged.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import FiniteHorizon Trajectories DoublyRobust.
From PG Require Import mutants.Rationals mutants.Instances mutants.Trajectories.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

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
