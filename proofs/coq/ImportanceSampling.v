(* Importance sampling over trajectories (T13): mu draws, the product of the ratios w = pi / mu corrects.
   Source: Precup, Sutton, Singh (2000), section 2; of the difference Papini et al. (2018). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation FiniteHorizon Trajectories Gpomdp.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section IS.
Variables (R : comRingType) (S A : finType) (P : S -> A -> S -> R).
Variables (pi mu w : S -> A -> R).
Hypothesis wE : forall s a, mu s a * w s a = pi s a.
Fixpoint ratio s tau : R := if tau is (a, s') :: t then w s a * ratio s' t else 1.

(* T13: pi = mu * w step by step is all it takes; no normalisation of pi, mu or P. *)
Theorem T13_importance_sampling n s F : Etraj P mu n s (fun t => ratio s t * F t) = Etraj P pi n s F.
Proof.
rewrite /Etraj; apply: eq_bigr => t _; rewrite mulrA; congr (_ * _).
by elim: {t}(val t) s => [|[a s'] t IH] s //=; rewrite ?mulr1 // -IH -wE; ring.
Qed.

(* T13: the difference of two gradients from trajectories of mu alone, each step estimated as in T12. *)
Theorem T13_gradient_difference (r : S -> A -> R) gam (D : R -> R) (sc sc' : S -> A -> R) n s b b' :
  derivation D -> (forall s a, \sum_s' P s a s' = 1) -> (forall s a s', D (P s a s') = 0) ->
  (forall s a, D (r s a) = 0) -> D gam = 0 -> (forall s, \sum_a mu s a = 1) -> (forall s, \sum_a pi s a = 1) ->
  (forall s a, D (mu s a) = mu s a * sc' s a) -> (forall s a, D (pi s a) = pi s a * sc s a) ->
  Etraj P mu n s (fun t => gpomdp r gam sc' b' s t - ratio s t * gpomdp r gam sc b s t) =
  D (V P r gam mu n s) - D (V P r gam pi n s).
Proof.
move=> dD P1 DP Dr Dg mu1 pi1 scE' scE.
rewrite -(T12_gpomdp_unbiased dD P1 DP Dr Dg mu1 scE' n s b') -(T12_gpomdp_unbiased dD P1 DP Dr Dg pi1 scE n s b).
by rewrite -T13_importance_sampling /Etraj -sumrB; apply: eq_bigr => t _; rewrite mulrBr.
Qed.
End IS.
