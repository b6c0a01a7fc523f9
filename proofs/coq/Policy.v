(* What a policy is where signs matter; its visits and transitions are probabilities, at most one where an episode may end.
   Source: Puterman (1994), section 2.1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import FiniteHorizon.
From PG Require Discounted.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Definition policy (F : numDomainType) (S : Type) (A : finType) (pi : S -> A -> F) :=
  (forall s a, 0 <= pi s a) /\ (forall s, \sum_a pi s a = 1).

Section FiniteHorizon.
Variables (F : numDomainType) (S A : finType) (P : S -> A -> S -> F).
Hypotheses (P0 : forall s a s', 0 <= P s a s') (P1 : forall s a, \sum_s' P s a s' = 1).
Lemma Ppi0 pi s s' : policy pi -> 0 <= Ppi P pi s s'.
Proof. by case=> p0 _; apply: sumr_ge0 => a _; rewrite mulr_ge0. Qed.
Lemma reach0 pi k s s' : policy pi -> 0 <= reach P pi k s s'.
Proof.
move=> pp; elim: k s => [|k IH] s /=; first by case: (s == s'); rewrite ?ler01.
by apply: sumr_ge0 => x _; rewrite mulr_ge0 // Ppi0.
Qed.

Lemma reach1 pi k s : policy pi -> \sum_s' reach P pi k s s' = 1.
Proof.
move=> pp; elim: k s => [|k IH] s /=.
  by rewrite (bigD1 s) //= eqxx big1 ?addr0 // => x xs; rewrite eq_sym (negbTE xs).
rewrite exchange_big /=; under eq_bigr => x _ do rewrite -mulr_sumr IH mulr1.
rewrite exchange_big /=; under eq_bigr => a _ do rewrite -mulr_sumr P1 mulr1.
by case: pp.
Qed.

End FiniteHorizon.

Section Discounted.
Variables (F : numFieldType) (n : nat) (A : finType) (P : A -> 'M[F]_n).
Hypotheses (P0 : forall a s s', 0 <= P a s s').
Lemma Ppi_ge0 pi s s' : policy pi -> 0 <= Discounted.Ppi P pi s s'.
Proof. by case=> p0 _; rewrite mxE; apply: sumr_ge0 => a _; rewrite mulr_ge0. Qed.
Lemma Ppi_sum pi s : (forall a s, \sum_s' P a s s' = 1) -> policy pi -> \sum_s' Discounted.Ppi P pi s s' = 1.
Proof.
move=> P1 [_ p1]; under eq_bigr => s' _ do rewrite mxE.
by rewrite exchange_big /=; under eq_bigr => a _ do rewrite -mulr_sumr P1 mulr1.
Qed.
Lemma Ppi_sum_le pi s : (forall a s, \sum_s' P a s s' <= 1) -> policy pi -> \sum_s' Discounted.Ppi P pi s s' <= 1.
Proof.
move=> P1 [p0 p1]; under eq_bigr => s' _ do rewrite mxE.
rewrite exchange_big -(p1 s); apply: ler_sum => a _ /=.
by rewrite -mulr_sumr ler_pimulr.
Qed.
End Discounted.
