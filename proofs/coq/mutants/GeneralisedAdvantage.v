(* False variants of the theorems on temporal differences and generalised advantages (T26 to T28), refuted by computation: rewards
   1, 2, 3, ..., values 1, 4, 9, ..., gam = 1/2, lam = 1/3. In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import GeneralisedAdvantage mutants.Rationals mutants.Instances.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

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
