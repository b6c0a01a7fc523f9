(* The performance difference of two policies in the discounted process (T16).
   Source: Kakade, Langford (2002), lemma 6.1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* T16: only the NEW policy must have a value and sum to one. *)
Theorem T16_performance_difference_discounted (R : comUnitRingType) (n : nat) (A : finType)
    (P : A -> 'M[R]_n) (r : A -> 'cV[R]_n) (gam : R) (pi pi' : 'I_n -> A -> R) :
  Tpi P gam pi' \in unitmx -> (forall s, \sum_a pi' s a = 1) ->
  V P r gam pi' - V P r gam pi =
  invmx (Tpi P gam pi') *m \col_s \sum_a pi' s a * (Q P r gam pi s a - V P r gam pi s 0).
Proof.
move=> U' pi1; apply: linear_fixpoint => //; apply/matrixP => s j; rewrite (ord1 j) {j}.
rewrite [LHS]mxE [X in _ + X]mxE [RHS]mxE [X in _ = X + _]mxE [X in _ = _ + X]mxE (V_Q r s U') PpiE.
rewrite [X in _ = X + _](eq_bigr (fun a => pi' s a * Q P r gam pi s a - pi' s a * V P r gam pi s 0));
  last by move=> a _; rewrite mulrBr.
rewrite sumrB -mulr_suml pi1 mul1r addrAC; congr (_ - _).
rewrite mulr_sumr -big_split /=; apply: eq_bigr => a _; rewrite /Q mulmxBr.
have -> : (P a *m V P r gam pi' - P a *m V P r gam pi) s 0 =
    (P a *m V P r gam pi') s 0 - (P a *m V P r gam pi) s 0.
  by rewrite [LHS]mxE [X in _ + X]mxE.
by move: ((P a *m V P r gam pi') s 0) ((P a *m V P r gam pi) s 0) => u v; ring.
Qed.
