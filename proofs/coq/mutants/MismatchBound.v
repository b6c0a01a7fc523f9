(* False variants of T48 (the mismatch bound), refuted in a process of one state and one action that ends at once, gamma = 1/2.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Discounted Policy MismatchBound.
From PG Require Import mutants.Rationals mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* the assumptions of T48 *)
Definition mismatch_premises n (A : finType) (P : A -> 'M[q]_n) (gam : q) (pi pi' : 'I_n -> A -> q) (mu mu' : 'rV[q]_n) s :=
  (forall a s s', 0 <= P a s s') /\ (forall a s, \sum_s' P a s s' <= 1) /\ 0 <= gam /\ gam < 1 /\ policy pi /\ policy pi' /\
  (forall x, 0 <= mu 0 x) /\ (forall x, 0 <= mu' 0 x) /\ 0 < mu 0 s.

Definition half : q := 1 / 2%:R.
Definition over (_ : unit) : q := 0.
Definition only (_ : unit) : q := 1.

(* the policy starts with weight 1, the other one, which acts in the same way, with weight 2: their visits are 1/2 and 1 *)
Lemma premises_hold : mismatch_premises (P1 over) half (pi1 only) (pi1 only) 1%:M 2%:R%:M 0.
Proof.
have start (x : q) i : (x%:M : 'rV_1) 0 i = x by rewrite (ord1 i) mxE eqxx mulr1n.
have only_policy : policy (pi1 only : 'I_1 -> unit -> q) by split=> [s a|s] //; rewrite sum_unit.
split=> [a s s'|]; first by rewrite (ord1 s) (ord1 s') mxE eqxx mulr1n.
split=> [a s|]; first by rewrite big_ord1 (ord1 s) mxE eqxx mulr1n.
split; first by []. split; first by []. split=> //; split=> //.
split=> [x|]; first by rewrite start ltW.
by split=> [x|]; rewrite start // ltW.
Qed.
Lemma visits (m : q) : (1 - half) * occupancy (P1 over) half (pi1 only) m%:M 0 0 = half * m.
Proof.
rewrite occupancy1 /kept sum_unit; have -> : (1 - half * (only tt * over tt))^-1 = 1 by apply/eqP; vm_compute.
by rewrite mulr1; congr (_ * _); apply/eqP; vm_compute.
Qed.

(* 1 - gam left out. 2 against 1. *)
Lemma T48_mutant_factor : ~ (forall n (A : finType) (P : A -> 'M[q]_n) gam pi pi' mu mu' s, mismatch_premises P gam pi pi' mu mu' s ->
  ((1 - gam) * occupancy P gam pi' mu' 0 s) / ((1 - gam) * occupancy P gam pi mu 0 s)
    <= ((1 - gam) * occupancy P gam pi' mu' 0 s) / mu 0 s).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ _ premises_hold); rewrite !visits mxE eqxx mulr1n.
by have [-> ->] : half * 2%:R / (half * 1) = 2%:R /\ half * 2%:R / 1 = 1; [split; apply/eqP; vm_compute | vm_compute].
Qed.

(* the start mu of the policy became the start mu' of the other one. 2 against 1. *)
Lemma T48_mutant_start : ~ (forall n (A : finType) (P : A -> 'M[q]_n) gam pi pi' mu mu' s, mismatch_premises P gam pi pi' mu mu' s ->
  ((1 - gam) * occupancy P gam pi' mu' 0 s) / ((1 - gam) * occupancy P gam pi mu 0 s)
    <= ((1 - gam) * occupancy P gam pi' mu' 0 s) / ((1 - gam) * mu' 0 s)).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ _ premises_hold); rewrite !visits mxE eqxx mulr1n.
by have [-> ->] : half * 2%:R / (half * 1) = 2%:R /\ half * 2%:R / ((1 - half) * 2%:R) = 1; [split; apply/eqP; vm_compute | vm_compute].
Qed.
