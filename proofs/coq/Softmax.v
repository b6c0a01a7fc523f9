(* The softmax without analysis: its score (T22) and the policy gradient as a covariance (T23); "exp" is any e with
   D e = e * D theta. Source: Williams (1992), section 6; Agarwal, Kakade, Lee, Mahajan (2021), lemma C.1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Softmax.
Variables (R : comUnitRingType) (D : R -> R) (dD : derivation D) (A : finType).
Variables (th e : A -> R).
Hypothesis De : forall a, D (e a) = e a * D (th a).
Definition Z := \sum_a e a.
Definition smx a := e a / Z.

Lemma smx1 : Z \is a GRing.unit -> \sum_a smx a = 1.
Proof. by move=> Z0; rewrite -mulr_suml divrr. Qed.

Hypothesis Z0 : Z \is a GRing.unit.

(* T22: the score is D theta_a - sum_b softmax(b) D theta_b. *)
Theorem T22_softmax_score a : D (smx a) = smx a * (D (th a) - \sum_b smx b * D (th b)).
Proof.
have DZ : D Z = Z * \sum_b smx b * D (th b).
  rewrite (der_sum dD) mulr_sumr; apply: eq_bigr => b _.
  by rewrite De /smx mulrA [Z * _]mulrC divrK.
apply: (mulIr Z0); have := der_leib dD (smx a) Z.
rewrite {1}/smx divrK // De DZ => /eqP; rewrite -subr_eq => /eqP <-.
have -> : e a = smx a * Z by rewrite /smx divrK.
by move: (\sum_b _) => u; ring.
Qed.

(* T23: the gradient is the covariance of Q and D theta under the softmax. *)
Theorem T23_softmax_covariance (Q : A -> R) :
  \sum_a D (smx a) * Q a = \sum_a smx a * (Q a - \sum_b smx b * Q b) * D (th a).
Proof.
set V := \sum_b smx b * Q b; set m := \sum_b smx b * D (th b).
rewrite (eq_bigr (fun a => smx a * Q a * D (th a) + (- m) * (smx a * Q a))); last first.
  by move=> a _; rewrite T22_softmax_score -/m; ring.
rewrite big_split /= -mulr_sumr -/V.
rewrite [RHS](eq_bigr (fun a => smx a * Q a * D (th a) + (- V) * (smx a * D (th a)))); last first.
  by move=> a _; ring.
by rewrite big_split /= -mulr_sumr -/m; congr (_ + _); ring.
Qed.

(* T23: so is the slope of the entropy, of L = log softmax, the other way round. *)
Theorem T23_entropy_covariance (L : A -> R) : (forall a, smx a * D (L a) = D (smx a)) ->
  D (- \sum_a smx a * L a) = - \sum_a smx a * (L a - \sum_b smx b * L b) * D (th a).
Proof.
move=> LE; rewrite (der_opp dD) (der_sum dD) -T23_softmax_covariance; congr (- _).
rewrite [LHS](eq_bigr (fun a => D (smx a) * L a + D (smx a))) => [|a _]; last by rewrite (der_leib dD) LE.
by rewrite big_split /= -(der_sum dD) smx1 // (der1 dD) addr0.
Qed.
End Softmax.
