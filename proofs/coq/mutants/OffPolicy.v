(* False variants of T59 (the off-policy gradient), refuted on the process of Instances with all weight on state false.
   Source: hand-made, but for the first, which is theorem 1 of Degris, White, Sutton (2012). In each comment: the place that is changed, then the
   left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Derivation FiniteHorizon OffPolicy.
From PG Require Import mutants.Rationals mutants.Instances.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Definition in_false (s : bool) : dual := (~~ s)%:R.
Lemma in_false0 s : D (in_false s) = 0. Proof. by case: s. Qed.

(* T59: the term of the next states left out, as the theorem was first published. -1/2 eps against 0. *)
Lemma T59_mutant_missing :
  ~ (forall P r gam pi (d : bool -> dual), fixed_model P r gam -> (forall s, D (d s) = 0) -> forall n,
     D (excursion P r gam d pi n.+1) = off_policy_gradient P r gam D d pi n).
Proof. move=> /(_ P0 r0 half pi0 in_false fixed0 in_false0 1%N); rewrite /excursion /off_policy_gradient. differ (Dual 0 (- (1 / 2%:R))) (Dual 0 0). Qed.

(* T59: the factor gam of the next states dropped. -1/2 eps against -1 eps. *)
Lemma T59_mutant_discount :
  ~ (forall P r gam pi (d : bool -> dual), fixed_model P r gam -> (forall s, D (d s) = 0) -> forall n,
     D (excursion P r gam d pi n.+1) = off_policy_gradient P r gam D d pi n + \sum_s d s * \sum_s' Ppi P pi s s' * D (V P r gam pi n s')).
Proof. move=> /(_ P0 r0 half pi0 in_false fixed0 in_false0 1%N); rewrite /excursion /off_policy_gradient. differ (Dual 0 (- (1 / 2%:R))) (Dual 0 (- 1)). Qed.

(* T59: the value of the next state became that of the state itself. -1/2 eps against 0. *)
Lemma T59_mutant_state :
  ~ (forall P r gam pi (d : bool -> dual), fixed_model P r gam -> (forall s, D (d s) = 0) -> forall n,
     D (excursion P r gam d pi n.+1) = off_policy_gradient P r gam D d pi n + gam * \sum_s d s * D (V P r gam pi n s)).
Proof. move=> /(_ P0 r0 half pi0 in_false fixed0 in_false0 1%N); rewrite /excursion /off_policy_gradient. differ (Dual 0 (- (1 / 2%:R))) (Dual 0 0). Qed.
