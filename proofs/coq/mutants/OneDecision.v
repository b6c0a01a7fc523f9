(* One decision: with gam = 0 a value is the mean reward of the state, visits are the start; for false variants by computation.
   Source: the two-armed bandit, a copy of it in each of n states. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Discounted Policy SoftmaxGradient.
From PG Require Import mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Bandit.
Variables (F : realFieldType) (n : nat).
(* every action ends; "true" earns one *)
Definition ends (_ : bool) : 'M[F]_n := 0.
Definition win (a : bool) : 'cV[F]_n := const_mx a%:R.
Definition even : 'rV[F]_n := const_mx n%:R^-1.
Implicit Type pi : 'I_n -> bool -> F.

Lemma ends_ge0 a s s' : 0 <= ends a s s'. Proof. by rewrite mxE. Qed.
Lemma ends_sum a s : \sum_s' ends a s s' <= 1.
Proof. by rewrite big1 ?ler01 // => s' _; rewrite mxE. Qed.
Lemma win_unit a s : 0 <= win a s 0 <= 1. Proof. by rewrite mxE; case: a; rewrite ?ler01 ?lexx. Qed.

Lemma Tpi0 pi : Tpi ends 0 pi = 1%:M. Proof. by rewrite /Tpi scale0r subr0. Qed.
Lemma occupancy0 pi mu : occupancy ends 0 pi mu = mu. Proof. by rewrite /occupancy Tpi0 invmx1 mulmx1. Qed.
Lemma V0 pi s : V ends win 0 pi s 0 = pi s true.
Proof. by rewrite /V Tpi0 invmx1 mul1mx mxE sum_bool !mxE mulr1 mulr0 addr0. Qed.
Lemma Q0 pi s a : Q ends win 0 pi s a = a%:R. Proof. by rewrite /Q mul0r addr0 mxE. Qed.
Lemma J0 pi (mu : 'rV_n) : (mu *m V ends win 0 pi) 0 0 = \sum_s mu 0 s * pi s true.
Proof. by rewrite mxE; apply: eq_bigr => s _; rewrite V0. Qed.
Lemma gradient0 pi mu s a : softmax_gradient ends win 0 pi mu s a = mu 0 s * (pi s a * (a%:R - pi s true)).
Proof. by rewrite /softmax_gradient occupancy0 Q0 V0. Qed.

Lemma constant_policy (p : F) : 0 <= p -> p <= 1 -> policy (fun (_ : 'I_n) a => if a then p else 1 - p).
Proof. by move=> p0 p1; split=> [s []|s]; rewrite ?subr_ge0 // sum_bool addrCA subrr addr0. Qed.
End Bandit.
Arguments ends {F n}. Arguments win {F n}.
