(* Off-policy values step by step: the doubly robust estimator is unbiased for any guess of Q (T41); guess 0 is
   per-decision importance sampling. Source: Jiang, Li (2016), theorem 1; Precup, Sutton, Singh (2000), theorem 1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import FiniteHorizon Trajectories.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section DoublyRobust.
Variables (R : comRingType) (S A : finType).
Variables (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R) (pi mu w : S -> A -> R).

(* mu draws, w are the ratios pi / mu; q t s a is the guess of Q at step t *)
Fixpoint doubly_robust (q : nat -> S -> A -> R) s (tau : seq (A * S)) : R :=
  if tau is (a, s') :: t
  then (\sum_b pi s b * q 0%N s b)
       + w s a * (r s a + gam * doubly_robust (fun k => q k.+1) s' t - q 0%N s a)
  else 0.

(* every reward is weighted by the ratios up to its step *)
Fixpoint per_decision s (tau : seq (A * S)) : R :=
  if tau is (a, s') :: t then w s a * (r s a + gam * per_decision s' t) else 0.

Hypotheses (P1 : forall s a, \sum_s' P s a s' = 1) (mu1 : forall s, \sum_a mu s a = 1)
  (wE : forall s a, mu s a * w s a = pi s a).

(* T41: pi need not sum to one. *)
Theorem T41_doubly_robust_unbiased q n s :
  Etraj P mu n s (doubly_robust q s) = V P r gam pi n s.
Proof.
elim: n s q => [|n IH] s q; first by rewrite Etraj0.
rewrite EtrajS; set v := \sum_b pi s b * q 0%N s b.
transitivity (\sum_a mu s a * (v + w s a * (Q P r gam pi n s a - q 0%N s a))).
  apply: eq_bigr => a _; congr (_ * _).
  transitivity (\sum_s' (P s a s' * (v + w s a * (r s a - q 0%N s a))
                  + (w s a * gam) * (P s a s' * V P r gam pi n s'))).
    apply: eq_bigr => s' _.
    rewrite (eq_Etraj P mu n s' (G := fun t => (v + w s a * (r s a - q 0%N s a))
      + (w s a * gam) * doubly_robust (fun k => q k.+1) s' t)); last by move=> t /=; rewrite -/v; ring.
    by rewrite EtrajD (Etrajcst P1) // EtrajZ IH; ring.
  rewrite big_split /= -mulr_suml P1 -mulr_sumr /Q.
  by move: (\sum_s' _) => u; ring.
transitivity (\sum_a (mu s a * v + (pi s a * Q P r gam pi n s a - pi s a * q 0%N s a))).
  by apply: eq_bigr => a _; rewrite -wE; ring.
by rewrite V_S big_split /= -mulr_suml mu1 mul1r sumrB -/v addrCA subrr addr0.
Qed.

Corollary per_decision_unbiased n s : Etraj P mu n s (per_decision s) = V P r gam pi n s.
Proof.
rewrite -(T41_doubly_robust_unbiased (fun _ _ _ => 0)); apply: eq_Etraj => t.
elim: t s => [//|[a s'] t IH] s /=; rewrite -IH big1 => [|b _]; last by rewrite mulr0.
by rewrite add0r subr0.
Qed.
End DoublyRobust.
