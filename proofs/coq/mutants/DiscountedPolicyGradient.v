(* False variants of the discounted policy gradient theorem (T14, T15), refuted on the process of two states.
   In each comment: the place that is changed, then the left side against the right one, for T14 in state 0. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Derivation Discounted.
From PG Require Import mutants.Rationals mutants.Instances mutants.TwoStates.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Definition mu0 (s : bool) : dual := cst (if s then 3%:R / 4%:R else 1 / 4%:R).
Definition mu_moving (s : bool) : dual := if s then Dual (3%:R / 4%:R) 1 else Dual (1 / 4%:R) (- 1).
Lemma mu0_fixed i : D (start mu0 0 i) = 0. Proof. by rewrite mxE; case: (state i); apply/eqP; vm_compute. Qed.

(* T14: the resolvent became (1 - gam) times the resolvent. -126/169 eps against -63/169 eps. *)
Lemma T14_mutant_normalised :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, fixed P r gam -> Tpi P gam pi \in unitmx ->
     map_mx D (V P r gam pi) = (1 - gam) *: (invmx (Tpi P gam pi) *m \col_s \sum_a D (pi s a) * Q P r gam pi s a)).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi0) fixed0 unit0). entry (0 : 'I_2).
rewrite [LHS]mxE [RHS]mxE (valueE _ inv0) (resolventE inv0).
differ_with inv0 (Dual 0 (- (126%:R / 169%:R))) (Dual 0 (- (63%:R / 169%:R))).
Qed.

(* T14: the resolvent is transposed. -126/169 eps against -168/169 eps. *)
Lemma T14_mutant_transposed :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, fixed P r gam -> Tpi P gam pi \in unitmx ->
     map_mx D (V P r gam pi) = (invmx (Tpi P gam pi))^T *m \col_s \sum_a D (pi s a) * Q P r gam pi s a).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi0) fixed0 unit0). entry (0 : 'I_2).
rewrite [LHS]mxE (valueE _ inv0) (transposedE inv0).
differ_with inv0 (Dual 0 (- (126%:R / 169%:R))) (Dual 0 (- (168%:R / 169%:R))).
Qed.

(* T14: the action value became the reward. -126/169 eps against -12/13 eps. *)
Lemma T14_mutant_reward :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, fixed P r gam -> Tpi P gam pi \in unitmx ->
     map_mx D (V P r gam pi) = invmx (Tpi P gam pi) *m \col_s \sum_a D (pi s a) * r a s 0).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi0) fixed0 unit0). entry (0 : 'I_2).
rewrite [LHS]mxE (valueE _ inv0) (resolventE inv0).
differ_with inv0 (Dual 0 (- (126%:R / 169%:R))) (Dual 0 (- (12%:R / 13%:R))).
Qed.

(* T14: without the assumption that r does not depend on theta. 228/169 eps against 72/169 eps. *)
Lemma T14_mutant_model :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, (forall a s s', D (P a s s') = 0) -> D gam = 0 -> Tpi P gam pi \in unitmx ->
     map_mx D (V P r gam pi) = invmx (Tpi P gam pi) *m \col_s \sum_a D (pi s a) * Q P r gam pi s a).
Proof.
have [DP [_ Dg]] := fixed0.
move=> /(_ (transitions P0) (rewards r_moving) half (acts pi0) DP Dg unit0). entry (0 : 'I_2).
rewrite [LHS]mxE (valueE _ inv0) (resolventE inv0).
differ_with inv0 (Dual 0 (228%:R / 169%:R)) (Dual 0 (72%:R / 169%:R)).
Qed.

(* T15: the visits became the start. -315/169 eps against -63/52 eps. *)
Lemma T15_mutant_start :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, fixed P r gam -> Tpi P gam pi \in unitmx ->
     forall mu : 'rV_2, (forall s, D (mu 0 s) = 0) ->
     D ((mu *m V P r gam pi) 0 0) = \sum_s mu 0 s * \sum_a D (pi s a) * Q P r gam pi s a).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi0) fixed0 unit0 (start mu0) mu0_fixed).
rewrite (returnE _ inv0) states. differ_with inv0 (Dual 0 (- (315%:R / 169%:R))) (Dual 0 (- (63%:R / 52%:R))).
Qed.

(* T15: the visits became (1 - gam) times the visits. -315/169 eps against -315/338 eps. *)
Lemma T15_mutant_normalised :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, fixed P r gam -> Tpi P gam pi \in unitmx ->
     forall mu : 'rV_2, (forall s, D (mu 0 s) = 0) ->
     D ((mu *m V P r gam pi) 0 0) = \sum_s (1 - gam) * occupancy P gam pi mu 0 s * \sum_a D (pi s a) * Q P r gam pi s a).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi0) fixed0 unit0 (start mu0) mu0_fixed).
rewrite (returnE _ inv0) states !(occupancyE inv0).
differ_with inv0 (Dual 0 (- (315%:R / 169%:R))) (Dual 0 (- (315%:R / 338%:R))).
Qed.

(* T15: without the assumption that mu does not depend on theta. -185/169 eps against -315/169 eps. *)
Lemma T15_mutant_moving_start :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, fixed P r gam -> Tpi P gam pi \in unitmx -> forall mu : 'rV_2,
     D ((mu *m V P r gam pi) 0 0) = \sum_s occupancy P gam pi mu 0 s * \sum_a D (pi s a) * Q P r gam pi s a).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi0) fixed0 unit0 (start mu_moving)).
rewrite (returnE _ inv0) states !(occupancyE inv0).
differ_with inv0 (Dual 0 (- (185%:R / 169%:R))) (Dual 0 (- (315%:R / 169%:R))).
Qed.
