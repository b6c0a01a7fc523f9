(* False variants of T17 (the discounted system is invertible): matrices of one or two states with a kernel.
   In each comment: the place that is changed, then the matrix M and the discount. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Resolvent mutants.Rationals.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Definition two_by_two (a b : q) : 'M[q]_2 := \matrix_(i, j) if i == j then a else b.
Lemma sum2 (f : 'I_2 -> q) : \sum_i f i = f 0 + f 1.
Proof. by rewrite !big_ord_recl big_ord0 addr0; congr (_ + f _); apply: val_inj. Qed.
Ltac entries := repeat case; move=> //; rewrite !mxE; by vm_compute.

(* 1 x + (-1) y = 0 in both rows: a matrix that takes (1, c) to zero has no inverse *)
Lemma singular (a b g c : q) : 1 - g * a - g * b * c = 0 -> c * (1 - g * a) - g * b = 0 ->
  1%:M - g *: two_by_two a b \in unitmx -> False.
Proof.
move=> row0 row1 U; set T := _ - _ in U.
pose x : 'cV[q]_2 := \col_i if i == 0 then 1 else c.
have Tx : T *m x = 0.
  apply/colP => i; rewrite [LHS]mxE sum2 !mxE; case: i => [[|[|//]] i] /=.
    by rewrite -[RHS]row0 mulr1 mulr1n mulr0n sub0r mulNr.
  by rewrite -[RHS]row1 mulr1 mulr1n mulr0n sub0r addrC mulrC.
have := congr1 (fun X => (invmx T *m X) 0 0) Tx.
by rewrite /= mulKmx // mulmx0 !mxE.
Qed.

(* T17: gam < 1 became gam <= 1. The identity, with discount 1. *)
Lemma T17_mutant_discount :
  ~ (forall n (M : 'M[q]_n) gam, (forall i j, 0 <= M i j) -> (forall i, \sum_j M i j <= 1) -> 0 <= gam -> gam <= 1 ->
     1%:M - gam *: M \in unitmx).
Proof.
move=> /(_ _ (two_by_two 1 0) 1) H; apply: (@singular 1 0 1 1); [by apply/eqP | by apply/eqP |].
by apply: H => // [i j|i]; [rewrite mxE; case: eqP | rewrite sum2 !mxE; case: i => [[|[|]]]].
Qed.

(* T17: the rows that sum to at most one became entries of at most one. All entries 1, discount 1/2. *)
Lemma T17_mutant_entries :
  ~ (forall n (M : 'M[q]_n) gam, (forall i j, 0 <= M i j) -> (forall i j, M i j <= 1) -> 0 <= gam -> gam < 1 ->
     1%:M - gam *: M \in unitmx).
Proof.
move=> /(_ _ (two_by_two 1 1) (1 / 2%:R)) H; apply: (@singular 1 1 (1 / 2%:R) 1); [by apply/eqP | by apply/eqP |].
by apply: H => // i j; rewrite mxE; case: eqP.
Qed.

(* T17: without the assumption that M is not negative. 3/2 on the diagonal and -1/2 beside it, discount 1/2. *)
Lemma T17_mutant_negative :
  ~ (forall n (M : 'M[q]_n) gam, (forall i, \sum_j M i j <= 1) -> 0 <= gam -> gam < 1 -> 1%:M - gam *: M \in unitmx).
Proof.
move=> /(_ _ (two_by_two (3%:R / 2%:R) (- (1 / 2%:R))) (1 / 2%:R)) H.
apply: (@singular (3%:R / 2%:R) (- (1 / 2%:R)) (1 / 2%:R) (- 1)); [by apply/eqP | by apply/eqP |].
by apply: H => // i; rewrite sum2 !mxE; case: i => [[|[|]]].
Qed.

(* T17: without the assumption that gam is not negative. The cycle of two states, discount -1. *)
Lemma T17_mutant_discount_sign :
  ~ (forall n (M : 'M[q]_n) gam, (forall i j, 0 <= M i j) -> (forall i, \sum_j M i j <= 1) -> gam < 1 -> 1%:M - gam *: M \in unitmx).
Proof.
move=> /(_ _ (two_by_two 0 1) (- 1)) H; apply: (@singular 0 1 (- 1) (- 1)); [by apply/eqP | by apply/eqP |].
by apply: H => // [i j|i]; [rewrite mxE; case: eqP | rewrite sum2 !mxE; case: i => [[|[|]]]].
Qed.
