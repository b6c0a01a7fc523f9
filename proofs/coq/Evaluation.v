(* How a definition is evaluated on a rational instance: tables as functions, sums as lists, and then the kernel computes.
   The bridge uses it; no theorem rests on it. *)
From Coq Require Import ZArith.
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Trajectories.
From PG Require Import mutants.Rationals.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Tables.
Variables (R : zmodType) (k l m : nat).
Definition table1 (x : seq R) (i : 'I_k) := nth 0 x i.
Definition table2 (x : seq (seq R)) (i : 'I_k) (j : 'I_l) := nth 0 (nth [::] x i) j.
Definition table3 (x : seq (seq (seq R))) (i : 'I_k) (j : 'I_l) (h : 'I_m) := nth 0 (nth [::] (nth [::] x i) j) h.
End Tables.

(* the second of two *)
Definition second : 'I_2 := lift ord0 ord0.

(* MathComp hides how a sum runs and over which list. These are equations between constants, so that they hold inside of a definition too *)
Fixpoint ordinals n : seq 'I_n := if n is m.+1 then ord0 :: map (lift ord0) (ordinals m) else [::].
Lemma index_ordinals n : index_enum (ordinal_finType n) = ordinals n.
Proof.
rewrite [index_enum _]unlock -enumT; elim: n => [|n IH]; last by rewrite enum_ordSl IH.
by apply: size0nil; rewrite size_enum_ord.
Qed.
Lemma index_bool : index_enum bool_finType = [:: true; false].
Proof. by rewrite [index_enum _]unlock unlock. Qed.
Lemma index_pairs (T U : finType) : index_enum (prod_finType T U) = [seq (x, y) | x <- index_enum T, y <- index_enum U].
Proof. by rewrite ![index_enum _]unlock [in LHS]unlock /= /prod_enum !enumT. Qed.

(* a sum over paths is one over tuples; step by step it runs *)
Section Paths.
Variables (R : comRingType) (S A : finType) (P : S -> A -> S -> R) (pi : S -> A -> R).
Fixpoint path_mean n s (F : seq (A * S) -> R) : R :=
  if n is m.+1 then \sum_a pi s a * \sum_s' P s a s' * path_mean m s' (fun t => F ((a, s') :: t)) else F [::].
Lemma path_meanE n s F : Etraj P pi n s F = path_mean n s F.
Proof.
elim: n s F => [|n IH] s F; first exact: Etraj0.
by rewrite EtrajS; apply: eq_bigr => a _; congr (_ * _); apply: eq_bigr => s' _; rewrite IH.
Qed.
End Paths.

Lemma inverse_of (F : fieldType) n (T N : 'M[F]_n) : T *m N = 1%:M -> invmx T = N.
Proof. by move=> TN; have [U _] := mulmx1_unit TN; rewrite -[LHS]mulmx1 -TN mulmxA mulVmx // mul1mx. Qed.

(* a function that is known at a few numbers *)
Definition lookup (R : eqType) (x0 : R) (known : seq (R * R)) (x : R) := nth x0 (unzip2 known) (index x (unzip1 known)).

(* the entries of products of matrices, written out *)
Ltac write_out := rewrite /second; repeat progress rewrite ?mxE ?big_ord_recl ?big_ord0 /=.
Ltac laid_open := rewrite ?BigOp.bigopE ?index_pairs ?index_ordinals ?index_bool.
Ltac computed := laid_open; apply/eqP; vm_compute; reflexivity.
Ltac differs := laid_open; let E := fresh in move/eqP => E; vm_compute in E; discriminate E.
(* for all states and actions, of two each: an equation, an inequality, a premise that is false *)
Ltac each := repeat (case=> [[|[|//]] ?]); first [computed | by vm_compute | by move/eqP; vm_compute].
