(* A tabular softmax policy and the gradient of its return, logit by logit: visits times probability times advantage.
   Source: Agarwal, Kakade, Lee, Mahajan (2021), lemma C.1; Mei, Xiao, Szepesvari, Schuurmans (2020), lemma 1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Derivation Discounted DiscountedPolicyGradient Policy Softmax ExpLog.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Definition softmax_policy (R : comUnitRingType) (ex : R -> R) (S : Type) (A : finType) (theta : S -> A -> R) s :=
  smx (fun a => ex (theta s a)).

Section Gradient.
Variables (R : comUnitRingType) (n : nat) (A : finType) (P : A -> 'M[R]_n) (r : A -> 'cV[R]_n) (gam : R).

Definition softmax_gradient pi mu s a :=
  occupancy P gam pi mu 0 s * (pi s a * (Q P r gam pi s a - V P r gam pi s 0)).

(* it is the derivative of J = mu V with respect to each logit: D J is the sum of D theta times it (T15, T23) *)
Lemma softmax_gradientE (D : R -> R) (ex : R -> R) theta (mu : 'rV[R]_n) (pi := softmax_policy ex theta) :
  derivation D -> (forall a s s', D (P a s s') = 0) -> (forall a s, D (r a s 0) = 0) -> D gam = 0 ->
  (forall s, D (mu 0 s) = 0) -> (forall s a, D (ex (theta s a)) = ex (theta s a) * D (theta s a)) ->
  (forall s, Z (fun a => ex (theta s a)) \is a GRing.unit) -> Tpi P gam pi \in unitmx ->
  D ((mu *m V P r gam pi) 0 0) = \sum_s \sum_a softmax_gradient pi mu s a * D (theta s a).
Proof.
move=> dD DP Dr Dg Dmu Dex Z0 U; rewrite (T15_policy_gradient_occupancy dD DP Dr Dg U Dmu).
apply: eq_bigr => s _; rewrite (T23_softmax_covariance dD (Dex s) (Z0 s)) mulr_sumr.
by apply: eq_bigr => a _; rewrite /softmax_gradient (V_Q r s U) !mulrA.
Qed.
End Gradient.

Section Policy.
Variables (F : realFieldType) (ex ln : F -> F) (el : explog ex ln) (S : Type) (A : finType).
Variable (a0 : A).
Implicit Type theta : S -> A -> F.

Lemma softmax_norm_gt0 theta s : 0 < Z (fun a => ex (theta s a)).
Proof.
rewrite /Z (bigD1 a0) //= ltr_spaddl ?(ex_gt0 el) // sumr_ge0 // => a _.
exact/ltW/(ex_gt0 el).
Qed.

Lemma softmax_gt0 theta s a : 0 < softmax_policy ex theta s a.
Proof. by rewrite /softmax_policy /smx divr_gt0 ?(ex_gt0 el) // softmax_norm_gt0. Qed.

Lemma softmax_policyP theta : policy (softmax_policy ex theta).
Proof.
split=> s => [a|]; first exact/ltW/softmax_gt0.
by apply: smx1; rewrite unitfE gt_eqF // softmax_norm_gt0.
Qed.
End Policy.
