(* How a definition is evaluated on a rational instance: tables as functions, sums over ordinals written out, arithmetic by `field`.
   The bridge and the mutants use it; no theorem rests on it. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.algebra_tactics Require Import ring.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Tables.
Variables (k l m : nat).
Definition table1 (x : seq rat) (i : 'I_k) := nth 0 x i.
Definition table2 (x : seq (seq rat)) (i : 'I_k) (j : 'I_l) := nth 0 (nth [::] x i) j.
Definition table3 (x : seq (seq (seq rat))) (i : 'I_k) (j : 'I_l) (h : 'I_m) := nth 0 (nth [::] (nth [::] x i) j) h.
End Tables.

(* the second of two, as `big_ord_recl` writes it *)
Definition second : 'I_2 := lift ord0 ord0.

Lemma inverse_of (F : fieldType) n (T N : 'M[F]_n) : T *m N = 1%:M -> invmx T = N.
Proof. by move=> TN; have [U _] := mulmx1_unit TN; rewrite -[LHS]mulmx1 -TN mulmxA mulVmx // mul1mx. Qed.

(* sums over a part of an ordinal, then over ordinals, then the tables *)
Ltac write_out := rewrite /second ?big_mkcond /= ?big_ord_recl ?big_ord0 /= /table1 /table2 /table3 /=.
Ltac evaluate := write_out; by [field | ring | rewrite ?mulr0 ?mul0r ?addr0 ?add0r].
Ltac entries := let s := fresh "s" in let t := fresh "t" in
  apply/matrixP => s t; case: s => [[|[|//]] ?]; case: t => [[|[|//]] ?].
