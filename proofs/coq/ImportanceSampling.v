(* Importance sampling over trajectories (T13): mu draws, the product of the ratios w = pi / mu corrects.
   Source: Precup, Sutton, Singh (2000), section 2. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Trajectories.
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
End IS.
