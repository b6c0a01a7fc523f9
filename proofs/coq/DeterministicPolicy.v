(* Deterministic policies, and a greedy one for any function of state and action.
   Source: Puterman (1994), section 2.1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Policy.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Det.
Variables (F : realFieldType) (S A : finType).

Definition det (f : S -> A) s a : F := (f s == a)%:R.

Lemma det_sum f s (x : A -> F) : \sum_a det f s a * x a = x (f s).
Proof.
rewrite (bigD1 (f s)) //= /det eqxx mul1r big1 ?addr0 // => a fa.
by rewrite eq_sym (negbTE fa) mul0r.
Qed.

Lemma det_policy f : policy (det f).
Proof.
split=> s => [a|]; first by rewrite /det; case: (_ == _); rewrite ?ler01.
by under eq_bigr => a _ do rewrite -[det f s a]mulr1; rewrite det_sum.
Qed.

Lemma greedy (pi q : S -> A -> F) : policy pi -> exists f : S -> A, forall s a, q s a <= q s (f s).
Proof.
case=> _ p1; apply: (@fin_all_exists S (fun=> A) (fun s b => forall a, q s a <= q s b)) => s.
have [a0 _|none] := pickP (fun _ : A => true).
  by have [a _ amax] := arg_maxP (q s) (erefl true : xpredT a0); exists a => b; exact: amax.
by have /eqP := p1 s; rewrite big_pred0 // eq_sym oner_eq0.
Qed.

(* no mean is above the greatest value *)
Lemma mean_le_greedy (pi q : S -> A -> F) f s : policy pi -> (forall a, q s a <= q s (f s)) ->
  \sum_a pi s a * q s a <= q s (f s).
Proof.
case=> p0 p1 gf; rewrite -[X in _ <= X]mul1r -(p1 s) mulr_suml.
by apply: ler_sum => a _; rewrite ler_wpmul2l.
Qed.
End Det.
