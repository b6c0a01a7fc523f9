(* False variants of the theorems on sequences of numbers: temporal differences and generalised advantages (T26 to T28), a quadratic
   decrease (T49). In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import GeneralisedAdvantage Recursion.
From PG Require Import mutants.Rationals mutants.Instances.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* Variants of temporal differences and generalised advantages (T26 to T28), by computation: rewards
   1, 2, 3, ..., values 1, 4, 9, ..., gam = 1/2, lam = 1/3. *)

Definition rew0 (t : nat) : q := t.+1%:R.
Definition v0 (t : nat) : q := t.+1%:R ^+ 2.
Definition gam0 : q := 1 / 2%:R.
Definition lam0 : q := 1 / 3%:R.

(* T26: the factor gam ^+ i dropped. 9/2 against 13/4. *)
Lemma T26_mutant_factor :
  ~ (forall (rew v : nat -> q) gam n t, \sum_(i < n) delta rew v gam (t + i)%N = nstep rew v gam n t).
Proof. move=> /(_ rew0 v0 gam0 2%N 0%N). rewrite /gae /nstep /delta. differ (9%:R / 2%:R : q) (13%:R / 4%:R : q). Qed.

(* T26: the factor gam of the next value dropped. 15/2 against 13/4. *)
Lemma T26_mutant_bootstrap :
  ~ (forall (rew v : nat -> q) gam n t,
     \sum_(i < n) gam ^+ i * (rew (t + i)%N + v (t + i).+1 - v (t + i)%N) = nstep rew v gam n t).
Proof. move=> /(_ rew0 v0 gam0 2%N 0%N). rewrite /gae /nstep /delta. differ (15%:R / 2%:R : q) (13%:R / 4%:R : q). Qed.

(* T27: the weight lam ^+ n of the longest advantage cut like the others, as if more were to come. 89/36 against 7/3. *)
Lemma T27_mutant_last :
  ~ (forall (rew v : nat -> q) gam lam n t,
     gae rew v gam lam n.+1 t = (1 - lam) * (\sum_(i < n) lam ^+ i * nstep rew v gam i.+1 t) + (1 - lam) * lam ^+ n * nstep rew v gam n.+1 t).
Proof. move=> /(_ rew0 v0 gam0 lam0 2%N 0%N). rewrite /gae /nstep /delta. differ (89%:R / 36%:R : q) (7%:R / 3%:R : q). Qed.

(* T27: the weight lam ^+ n of the longest advantage became lam ^+ n.+1. 89/36 against 79/36. *)
Lemma T27_mutant_power :
  ~ (forall (rew v : nat -> q) gam lam n t,
     gae rew v gam lam n.+1 t = (1 - lam) * (\sum_(i < n) lam ^+ i * nstep rew v gam i.+1 t) + lam ^+ n.+1 * nstep rew v gam n.+1 t).
Proof. move=> /(_ rew0 v0 gam0 lam0 2%N 0%N). rewrite /gae /nstep /delta. differ (89%:R / 36%:R : q) (79%:R / 36%:R : q). Qed.

(* T28: the factor lam dropped. 89/36 against 41/12. *)
Lemma T28_mutant_factor :
  ~ (forall (rew v : nat -> q) gam lam n t, gae rew v gam lam n.+1 t = delta rew v gam t + gam * gae rew v gam lam n t.+1).
Proof. move=> /(_ rew0 v0 gam0 lam0 2%N 0%N). rewrite /gae /nstep /delta. differ (89%:R / 36%:R : q) (41%:R / 12%:R : q). Qed.

(* T28: the estimate of the next time became that of the same time. 89/36 against 173/72. *)
Lemma T28_mutant_index :
  ~ (forall (rew v : nat -> q) gam lam n t, gae rew v gam lam n.+1 t = delta rew v gam t + gam * lam * gae rew v gam lam n t).
Proof. move=> /(_ rew0 v0 gam0 lam0 2%N 0%N). rewrite /gae /nstep /delta. differ (89%:R / 36%:R : q) (173%:R / 72%:R : q). Qed.

(* Variants of T49 (a quadratic decrease), on sequences of fractions that lose nothing more than they must. *)

Fixpoint falling (c first : q) t : q := if t is k.+1 then falling c first k - c * falling c first k ^+ 2 else first.
Lemma falling_step c first t : falling c first t.+1 <= falling c first t - c * falling c first t ^+ 2.
Proof. exact: lexx. Qed.
Fixpoint shrinking (c first : q) t : q := if t is k.+1 then shrinking c first k - c * shrinking c first k else first.

(* t became t^2; c = 1, first gap 1/2. The third gap is 39/256, above 1/9. *)
Lemma T49_mutant_rate : ~ (forall (c : q) gap, 0 < c -> (forall t, gap t.+1 <= gap t - c * gap t ^+ 2) ->
  forall t, gap t.+1 <= 1 / (c * t.+1%:R ^+ 2)).
Proof.
move=> /(_ 1 _ isT (falling_step 1 (1 / 2%:R)) 2%N).
by have -> : falling 1 (1 / 2%:R) 3 = 39%:R / 256%:R; [apply/eqP; vm_compute | vm_compute].
Qed.

(* the factor c dropped; c = 1/4, first gap 2. The second gap is 3/4, above 1/2. *)
Lemma T49_mutant_factor : ~ (forall (c : q) gap, 0 < c -> (forall t, gap t.+1 <= gap t - c * gap t ^+ 2) ->
  forall t, gap t.+1 <= 1 / t.+1%:R).
Proof.
move=> /(_ (1 / 4%:R) _ isT (falling_step (1 / 4%:R) 2%:R) 1%N).
by have -> : falling (1 / 4%:R) 2%:R 2 = 3%:R / 4%:R; [apply/eqP; vm_compute | vm_compute].
Qed.

(* in the premise c gap^2 became c gap, so that a large first gap counts; c = 1/2, first gap 10. The next gap is 5, above 2. *)
Lemma T49_mutant_square : ~ (forall (c : q) gap, 0 < c -> (forall t, gap t.+1 <= gap t - c * gap t) ->
  forall t, gap t.+1 <= 1 / (c * t.+1%:R)).
Proof.
move=> /(_ (1 / 2%:R) _ isT (fun t => lexx (shrinking (1 / 2%:R) 10%:R t.+1)) 0%N).
by have -> : shrinking (1 / 2%:R) 10%:R 1 = 5%:R; [apply/eqP; vm_compute | vm_compute].
Qed.
