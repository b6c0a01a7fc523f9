(* False variants of the minimum principle (T32), refuted on two states that follow each other, and of policy improvement (T33), refuted on
   a process of one state. In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Discounted Policy mutants.Rationals mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Definition gam0 : q := 1 / 2%:R.

(* for T32: each of two states leads to the other *)
Definition swap : 'M[q]_2 := \matrix_(i, j) (i != j)%:R.
Definition column (x y : q) : 'cV[q]_2 := \col_i (if i == 0 then x else y).
Lemma swap_ge0 i j : 0 <= swap i j. Proof. by rewrite mxE ler0n. Qed.
Lemma swap_sum i : \sum_j swap i j <= 1.
Proof. by rewrite !big_ord_recl big_ord0 !mxE; case: i => [[|[|k]] lt2] //; vm_compute. Qed.
Lemma moved (c : q) x y i : ((1%:M + c *: swap) *m column x y) i 0 = if i == 0 then x + c * y else y + c * x.
Proof.
rewrite mulmxDl mul1mx -scalemxAl mxE [X in _ + X]mxE !mxE !big_ord_recl big_ord0 !mxE.
by case: i => [[|[|k]] lt2] //=; rewrite !mul0r ?mul1r ?add0r ?addr0.
Qed.

(* T32: I - gam M became I + gam M. 0 against -1. *)
Lemma T32_mutant_sign :
  ~ (forall n (M : 'M[q]_n) gam, (forall i j, 0 <= M i j) -> (forall i, \sum_j M i j <= 1) -> 0 <= gam -> gam < 1 ->
     forall x : 'cV[q]_n, (forall i, 0 <= ((1%:M + gam *: M) *m x) i 0) -> forall i, 0 <= x i 0).
Proof.
move=> /(_ _ swap gam0 swap_ge0 swap_sum isT isT (column (-1) 2%:R)) H.
have /H : forall i, 0 <= ((1%:M + gam0 *: swap) *m column (-1) 2%:R) i 0 by move=> i; rewrite moved; case: eqP; vm_compute.
by move=> /(_ 0); rewrite mxE; vm_compute.
Qed.

(* T32: x is larger than (I - gam M) x, and not than that divided by 1 - gam. 0 against -1. *)
Lemma T32_mutant_factor :
  ~ (forall n (M : 'M[q]_n) gam, (forall i j, 0 <= M i j) -> (forall i, \sum_j M i j <= 1) -> 0 <= gam -> gam < 1 ->
     forall x : 'cV[q]_n, (forall i, 0 <= ((1%:M - gam *: M) *m x) i 0) ->
     forall i, 0 <= x i 0 - ((1%:M - gam *: M) *m x) i 0 / (1 - gam)).
Proof.
move=> /(_ _ swap gam0 swap_ge0 swap_sum isT isT (column 1 2%:R)) H.
rewrite -scaleNr in H.
have /H : forall i, 0 <= ((1%:M + - gam0 *: swap) *m column 1 2%:R) i 0 by move=> i; rewrite moved; case: eqP; vm_compute.
by move=> /(_ (lift 0 0)); rewrite moved mxE; vm_compute.
Qed.

(* for T33: one state, which every action keeps with probability 1/2; action true pays one. The policies play one action. *)
Definition stays (_ : bool) : q := 1 / 2%:R.
Definition win (b : bool) : q := b%:R.
Definition point (c b : bool) : q := (b == c)%:R.
Lemma point_policy c : policy (pi1 (point c)).
Proof. by split=> [s []|s]; rewrite ?sum_bool /pi1 /point; case: c. Qed.
Lemma P1_ge0 (p : bool -> q) : (forall b, 0 <= p b) -> forall a s s', 0 <= P1 p a s s'.
Proof. by move=> p0 a s s'; rewrite (ord1 s) (ord1 s') mxE eqxx mulr1n. Qed.
Lemma P1_sum (p : bool -> q) : (forall b, p b <= 1) -> forall a s, \sum_s' P1 p a s s' <= 1.
Proof. by move=> p1 a s; rewrite big_ord1 (ord1 s) mxE eqxx mulr1n. Qed.
Lemma stays_ge0 b : 0 <= stays b. Proof. by vm_compute. Qed.
Lemma stays_le1 b : stays b <= 1. Proof. by vm_compute. Qed.

(* T33: the new policy in the mean of the advantages became the old one. 4/3 against 0. *)
Lemma T33_mutant_policy :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) r gam,
     (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
     forall pi pi', policy pi' ->
     (forall s, 0 <= \sum_a pi s a * (Q P r gam pi s a - V P r gam pi s 0)) ->
     forall s, V P r gam pi s 0 <= V P r gam pi' s 0).
Proof.
move=> /(_ _ _ _ (r1 win) gam0 (P1_ge0 stays_ge0) (P1_sum stays_le1) isT isT (pi1 (point true)) _ (point_policy false)) H.
have /H : forall s, 0 <= \sum_a pi1 (point true) s a *
    (Q (P1 stays) (r1 win) gam0 (pi1 (point true)) s a - V (P1 stays) (r1 win) gam0 (pi1 (point true)) s 0).
  by move=> s; rewrite sum_bool !Q1 !V1 /kept !sum_bool; vm_compute.
by move=> /(_ 0); rewrite !V1 /kept !sum_bool; vm_compute.
Qed.

(* T33: the new value is larger by the mean advantage of the state, and not by that divided by 1 - gam. 0 against -2/3. *)
Lemma T33_mutant_factor :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) r gam,
     (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
     forall pi pi', policy pi' ->
     (forall s, 0 <= \sum_a pi' s a * (Q P r gam pi s a - V P r gam pi s 0)) ->
     forall s, V P r gam pi s 0 <= V P r gam pi' s 0 - (\sum_a pi' s a * (Q P r gam pi s a - V P r gam pi s 0)) / (1 - gam)).
Proof.
move=> /(_ _ _ _ (r1 win) gam0 (P1_ge0 stays_ge0) (P1_sum stays_le1) isT isT (pi1 (point false)) _ (point_policy true)) H.
have /H : forall s, 0 <= \sum_a pi1 (point true) s a *
    (Q (P1 stays) (r1 win) gam0 (pi1 (point false)) s a - V (P1 stays) (r1 win) gam0 (pi1 (point false)) s 0).
  by move=> s; rewrite sum_bool !Q1 !V1 /kept !sum_bool; vm_compute.
by move=> /(_ 0); rewrite sum_bool !Q1 !V1 /kept !sum_bool; vm_compute.
Qed.
