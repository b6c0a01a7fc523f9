(* The real exponential and logarithm satisfy ExpLog.explog, so the theorems that ask for it (T51, T52, T53, T62) are not vacuous.
   Source: mathcomp-analysis, exp.v; below 0 the tangent bound is the mean value theorem. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix interval.
From mathcomp.algebra_tactics Require Import ring.
From mathcomp.classical Require Import boolp classical_sets functions.
From mathcomp.analysis Require Import reals topology normedtype derive sequences exp.
From PG Require Import ExpLog.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory numFieldNormedType.Exports.
Local Open Scope ring_scope.

Lemma expR_tangent (R : realType) (x : R) : 1 + x <= expR x.
Proof.
have [x0|x0] := leP 0 x; first exact: expR_ge1Dx.
have [|c cx] := @MVT R (@expR R) (@expR R) x 0 x0 (fun y _ => is_derive_expR y).
  by apply: continuous_subspaceT; exact: continuous_expR.
rewrite expR0 sub0r => E; rewrite -subr_ge0.
have -> : expR x - (1 + x) = - x * (1 - expR c).
  by rewrite mulrBr mulr1 [- x * _]mulrC -E; ring.
rewrite mulr_ge0 ?oppr_ge0 ?(ltW x0) // subr_ge0 ltW // expR_lt1.
by move: cx; rewrite in_itv /= => /andP[].
Qed.

Theorem T62_instance_explog (R : realType) : explog (@expR R) (@ln R).
Proof.
split=> [x|x y|x|x x0]; [exact: expR_tangent|exact: expRD|exact: expK|by apply: exp.lnK; rewrite qualifE].
Qed.
