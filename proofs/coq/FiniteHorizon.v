(* Values, action values and visits of a decision process with n steps to go, and T01: a linear recursion unrolls.
   Source: Puterman (1994), chapter 4; the algebra asks for no probabilities, any commutative ring will do. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section MDP.
Variables (R : comRingType) (S A : finType).
Variables (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R).

Implicit Type pi : S -> A -> R.

(* state-to-state kernel of a policy, and its k-step iterate *)
Definition Ppi pi s s' := \sum_a pi s a * P s a s'.
Fixpoint reach pi k s s' : R :=
  if k is j.+1 then \sum_x Ppi pi s x * reach pi j x s' else (s == s')%:R.

(* value with n steps to go *)
Fixpoint V pi n s : R :=
  if n is m.+1 then \sum_a pi s a * (r s a + gam * \sum_s' P s a s' * V pi m s') else 0.
Definition Q pi n s a : R := r s a + gam * \sum_s' P s a s' * V pi n s'.

Lemma V_S pi n s : V pi n.+1 s = \sum_a pi s a * Q pi n s a.
Proof. by []. Qed.

(* T01: X_{n+1} = c_n + gam P_pi X_n with X_0 = 0 has the solution
   X_n(s) = sum_{k<n} gam^k sum_s' Pr_k(s -> s') c_{n-k-1}(s'). Policy gradient, performance difference and
   simulation lemma are corollaries. *)
Theorem T01_unroll pi (c X : nat -> S -> R) :
  (forall s, X 0%N s = 0) ->
  (forall n s, X n.+1 s = c n s + gam * \sum_s' Ppi pi s s' * X n s') ->
  forall n s, X n s = \sum_(k < n) gam ^+ k * \sum_s' reach pi k s s' * c (n - k.+1)%N s'.
Proof.
move=> X0 XS; elim=> [|n IH] s; first by rewrite X0 big_ord0.
rewrite XS big_ord_recl expr0 mul1r subn1 /=; congr (_ + _).
  rewrite (bigD1 s) //= eqxx mul1r big1 ?addr0 // => x xs.
  by rewrite eq_sym (negbTE xs) mul0r.
under eq_bigr => x _ do rewrite IH.
under eq_bigr => x _ do rewrite mulr_sumr.
rewrite exchange_big /= mulr_sumr; apply: eq_bigr => k _.
rewrite /bump /= add1n subSS exprS -mulrA; congr (_ * _).
under eq_bigr => x _ do rewrite mulrCA mulr_sumr.
rewrite -mulr_sumr; congr (_ * _); rewrite exchange_big /=.
by apply: eq_bigr => y _; rewrite mulr_suml; apply: eq_bigr => x _; rewrite mulrA.
Qed.

(* moving the action sum outside the state sum *)
Lemma sum_Ppi pi s (f : S -> R) :
  \sum_s' Ppi pi s s' * f s' = \sum_a pi s a * \sum_s' P s a s' * f s'.
Proof.
under eq_bigr => s' _ do rewrite mulr_suml.
rewrite exchange_big /=; apply: eq_bigr => a _; rewrite mulr_sumr.
by apply: eq_bigr => s' _; rewrite mulrA.
Qed.
End MDP.
