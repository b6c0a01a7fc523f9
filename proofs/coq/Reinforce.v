(* The score of a trajectory (T08), the score-function identity (T09), REINFORCE (T10) and its constant baseline (T11).
   Source: Williams (1992), theorem 1. The log-derivative is D pi = pi * sc, which covers pi(a|s) = 0. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation FiniteHorizon Trajectories.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Score.
Variables (R : comRingType) (S A : finType).
Variables (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R).
Variables (D : R -> R) (dD : derivation D) (pi sc : S -> A -> R).
Hypotheses (P1 : forall s a, \sum_s' P s a s' = 1)
           (DP : forall s a s', D (P s a s') = 0)
           (Dr : forall s a, D (r s a) = 0) (Dgam : D gam = 0)
           (pi1 : forall x, \sum_a pi x a = 1)
           (* log-derivative trick without a division: D pi = pi * score *)
           (scE : forall s a, D (pi s a) = pi s a * sc s a).

Fixpoint score s tau : R :=
  if tau is (a, s') :: t then sc s a + score s' t else 0.

(* T08: D p(tau) = p(tau) * score(tau): the model drops out. *)
Theorem T08_trajectory_score s tau : D (prob P pi s tau) = prob P pi s tau * score s tau.
Proof.
elim: tau s => [|[a s'] t IH] s /=; first by rewrite (der1 dD) mulr0.
rewrite (der_leib dD) (der_leib dD) DP IH scE; ring.
Qed.

Lemma D_ret s tau : D (ret r gam s tau) = 0.
Proof.
by elim: tau s => [|[a s'] t IH] s /=; rewrite ?(der0 dD) // (der_add dD) Dr der_cst // IH mulr0 addr0.
Qed.

(* T09: the derivative of an expectation of F, where F does not depend on theta. *)
Theorem T09_score_function n s F : (forall t, D (F t) = 0) ->
  Etraj P pi n s (fun t => score s t * F t) = D (Etraj P pi n s F).
Proof.
move=> DF; rewrite /Etraj (der_sum dD); apply: eq_bigr => t _.
by rewrite (der_leib dD) DF mulr0 addr0 T08_trajectory_score mulrA.
Qed.

(* T10: REINFORCE is unbiased. *)
Theorem T10_reinforce_unbiased n s :
  Etraj P pi n s (fun t => score s t * ret r gam s t) = D (V P r gam pi n s).
Proof. by rewrite T09_score_function ?T07_expected_return //; exact: D_ret. Qed.

Lemma score_mean n s : Etraj P pi n s (score s) = 0.
Proof.
rewrite -(der1 dD) -(T06_total_mass P1 n s pi1) -T09_score_function ?(der1 dD) //.
by apply: eq_Etraj => t; rewrite mulr1.
Qed.

(* T11: a constant baseline is free. *)
Theorem T11_reinforce_baseline n s b :
  Etraj P pi n s (fun t => score s t * (ret r gam s t - b)) = D (V P r gam pi n s).
Proof.
rewrite (eq_Etraj P pi n s (G := fun t => score s t * ret r gam s t + (- b) * score s t)).
  by rewrite EtrajD EtrajZ score_mean mulr0 addr0 T10_reinforce_unbiased.
by move=> t; ring.
Qed.
End Score.
