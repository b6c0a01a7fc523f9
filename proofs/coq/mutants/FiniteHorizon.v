(* False variants of the theorems on values with n steps to go (T01 to T05), refuted on the process of Instances.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Derivation FiniteHorizon mutants.Rationals mutants.Instances.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* for T01: x (n+1) = n + x n / 2 in both states *)
Fixpoint x0 n : dual := if n is m.+1 then m%:R + half * x0 m else 0.
Lemma x0_step n s : x0 n.+1 = n%:R + half * \sum_s' Ppi P0 pi0 s s' * x0 n.
Proof.
rewrite -mulr_suml; write_out.
have -> : Ppi2 P0 pi0 s true + Ppi2 P0 pi0 s false = 1 by apply/eqP; case: s; vm_compute.
by rewrite mul1r.
Qed.

(* T01: c (n - k.+1) s' became c (n - k) s'. 5/2 against 17/4. *)
Lemma T01_mutant_index :
  ~ (forall (P : bool -> bool -> bool -> dual) gam pi (c X : nat -> bool -> dual), (forall s, X 0%N s = 0) ->
     (forall n s, X n.+1 s = c n s + gam * \sum_s' Ppi P pi s s' * X n s') ->
     forall n s, X n s = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' * c (n - k)%N s').
Proof. move=> /(_ P0 half pi0 (fun n _ => n%:R) (fun n _ => x0 n) (fun=> erefl) x0_step 3%N true). differ (Dual (5%:R / 2%:R) 0) (Dual (17%:R / 4%:R) 0). Qed.

(* T01: the factor gam ^+ k dropped. 5/2 against 3. *)
Lemma T01_mutant_factor :
  ~ (forall (P : bool -> bool -> bool -> dual) gam pi (c X : nat -> bool -> dual), (forall s, X 0%N s = 0) ->
     (forall n s, X n.+1 s = c n s + gam * \sum_s' Ppi P pi s s' * X n s') ->
     forall n s, X n s = \sum_(k < n) \sum_s' reach P pi k s s' * c (n - k.+1)%N s').
Proof. move=> /(_ P0 half pi0 (fun n _ => n%:R) (fun n _ => x0 n) (fun=> erefl) x0_step 3%N true). differ (Dual (5%:R / 2%:R) 0) (Dual 3%:R 0). Qed.

(* T02: Q with n - k.+1 steps to go became Q with n - k. -23/12 eps against -271/144 eps. *)
Lemma T02_mutant_index :
  ~ (forall P r gam pi, fixed_model P r gam -> forall n s,
     D (V P r gam pi n s) = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' * \sum_a D (pi s' a) * Q P r gam pi (n - k) s' a).
Proof. move=> /(_ P0 r0 half pi0 fixed0 2%N true). differ (Dual 0 (- (23%:R / 12%:R))) (Dual 0 (- (271%:R / 144%:R))). Qed.

(* T02: the factor gam ^+ k dropped. -1/2 eps against -1 eps. *)
Lemma T02_mutant_factor :
  ~ (forall P r gam pi, fixed_model P r gam -> forall n s,
     D (V P r gam pi n s) = \sum_(k < n) \sum_s' reach P pi k s s' * \sum_a D (pi s' a) * Q P r gam pi (n - k.+1) s' a).
Proof. move=> /(_ P0 r0 half pi0 fixed0 2%N false). differ (Dual 0 (- (1 / 2%:R))) (Dual 0 (- 1)). Qed.

(* T03: the baseline b k s' became b k s' a, which depends on the action. -23/12 eps against -37/12 eps. *)
Lemma T03_mutant_action :
  ~ (forall P r gam pi, fixed_model P r gam -> normalised pi -> forall n s (b : nat -> bool -> bool -> dual),
     D (V P r gam pi n s) = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' * \sum_a D (pi s' a) * (Q P r gam pi (n - k.+1) s' a - b (k : nat) s' a)).
Proof. move=> /(_ P0 r0 half pi0 fixed0 normalised0 2%N true (fun _ _ a => a%:R)). differ (Dual 0 (- (23%:R / 12%:R))) (Dual 0 (- (37%:R / 12%:R))). Qed.

(* T03: without the assumption that pi sums to one. 3/2 eps against -1/4 eps. *)
Lemma T03_mutant_unnormalised :
  ~ (forall P r gam pi, fixed_model P r gam -> forall n s (b : nat -> bool -> dual),
     D (V P r gam pi n s) = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' * \sum_a D (pi s' a) * (Q P r gam pi (n - k.+1) s' a - b (k : nat) s')).
Proof. move=> /(_ P0 r0 half pi_unnormalised fixed0 2%N true (fun _ _ => 1)). differ (Dual 0 (3%:R / 2%:R)) (Dual 0 (- (1 / 4%:R))). Qed.

(* T04: the visits of the new policy, reach P pi', became those of the old one, reach P pi. 17/288 + 23/12 eps against 11/144 + 53/24 eps. *)
Lemma T04_mutant_visits :
  ~ (forall (P : bool -> bool -> bool -> dual) r gam pi pi', normalised pi' -> forall n s,
     V P r gam pi' n s - V P r gam pi n s = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' * \sum_a pi' s' a * (Q P r gam pi (n - k.+1) s' a - V P r gam pi (n - k.+1).+1 s')).
Proof. move=> /(_ P0 r0 half pi0 pi1 normalised1 2%N true). differ (Dual (17%:R / 288%:R) (23%:R / 12%:R)) (Dual (11%:R / 144%:R) (53%:R / 24%:R)). Qed.

(* T04: without the assumption that pi' sums to one. 37/36 + 41/12 eps against -1/8 + 143/72 eps. *)
Lemma T04_mutant_unnormalised :
  ~ (forall (P : bool -> bool -> bool -> dual) r gam pi pi', forall n s,
     V P r gam pi' n s - V P r gam pi n s = \sum_(k < n) gam ^+ k * \sum_s' reach P pi' k s s' * \sum_a pi' s' a * (Q P r gam pi (n - k.+1) s' a - V P r gam pi (n - k.+1).+1 s')).
Proof. move=> /(_ P0 r0 half pi0 pi_unnormalised 2%N true). differ (Dual (37%:R / 36%:R) (41%:R / 12%:R)) (Dual (- (1 / 8%:R)) (143%:R / 72%:R)). Qed.

(* T05: P' x a y - P x a y became P x a y - P' x a y. 211/144 - 1/3 eps against 221/144 + 1/3 eps. *)
Lemma T05_mutant_sign :
  ~ (forall (P P' : bool -> bool -> bool -> dual) r r' gam pi n s,
     V P' r' gam pi n s - V P r gam pi n s = \sum_(k < n) gam ^+ k * \sum_x reach P' pi k s x * \sum_a pi x a *
       (r' x a - r x a + gam * \sum_y (P x a y - P' x a y) * V P r gam pi (n - k.+1) y)).
Proof. move=> /(_ P0 P1 r0 r1 half pi0 2%N true). differ (Dual (211%:R / 144%:R) (- (1 / 3%:R))) (Dual (221%:R / 144%:R) (1 / 3%:R)). Qed.

(* T05: the visits in the new model, reach P', became those in the old one, reach P. 1447/864 - 13/48 eps against 2899/1728 - 25/96 eps. *)
Lemma T05_mutant_visits :
  ~ (forall (P P' : bool -> bool -> bool -> dual) r r' gam pi n s,
     V P' r' gam pi n s - V P r gam pi n s = \sum_(k < n) gam ^+ k * \sum_x reach P pi k s x * \sum_a pi x a *
       (r' x a - r x a + gam * \sum_y (P' x a y - P x a y) * V P r gam pi (n - k.+1) y)).
Proof. move=> /(_ P0 P1 r0 r1 half pi0 3%N true). differ (Dual (1447%:R / 864%:R) (- (13%:R / 48%:R))) (Dual (2899%:R / 1728%:R) (- (25%:R / 96%:R))). Qed.
