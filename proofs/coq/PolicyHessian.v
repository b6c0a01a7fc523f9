(* The policy Hessian (T61): the policy gradient theorem applied twice, for two derivations D1, D2 that need not commute; of r only D1 D2 r = 0 is asked.
   Source: Baxter, Bartlett (2001); Furmston, Lever, Barber (2016), theorem 3; here with n steps to go and discounted. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation FiniteHorizon PolicyGradient.
From PG Require Discounted DiscountedPolicyGradient.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Finite.
Variables (R : comRingType) (S A : finType) (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R).
Variables (D1 D2 : R -> R) (dD1 : derivation D1) (dD2 : derivation D2) (pi : S -> A -> R).
Hypotheses (D1P : forall s a s', D1 (P s a s') = 0) (D2P : forall s a s', D2 (P s a s') = 0)
  (D12r : forall s a, D1 (D2 (r s a)) = 0) (D1g : D1 gam = 0) (D2g : D2 gam = 0).
Local Notation V := (V P r gam pi).
Local Notation Q := (Q P r gam pi).

(* what the second derivative adds in one state with n more steps to go *)
Definition curvature n s :=
  \sum_a (D1 (D2 (pi s a)) * Q n s a + D1 (pi s a) * D2 (Q n s a) + D2 (pi s a) * D1 (Q n s a)).

(* T61: D1 D2 V is the discounted sum of the curvature over the states visited. *)
Theorem T61_policy_hessian_finite n s :
  D1 (D2 (V n s)) = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' * curvature (n - k.+1) s'.
Proof.
apply: (@T01_unroll _ _ _ P gam pi curvature (fun m s => D1 (D2 (V m s)))) => [x|m x].
  by rewrite /= (der0 dD2) (der0 dD1).
rewrite (V_S P r gam pi m x) (der_sum dD2) (der_sum dD1) sum_Ppi mulr_sumr -big_split /=.
apply: eq_bigr => a _.
have D12 : D1 (D2 (Q m x a)) = gam * \sum_s' P x a s' * D1 (D2 (V m s')).
  rewrite /Q (der_add dD2) (der_add dD1) D12r add0r (der_cst dD2) // (der_cst dD1) // (der_sum dD2) (der_sum dD1); congr (_ * _).
  by apply: eq_bigr => s' _; rewrite (der_cst dD2) // (der_cst dD1).
rewrite (der_leib dD2) (der_add dD1) !(der_leib dD1) D12.
by move: (\sum_s' P x a s' * D1 (D2 (V m s'))) => u; ring.
Qed.
End Finite.

Section Discounted.
Import Discounted DiscountedPolicyGradient.
Variables (F : fieldType) (n : nat) (A : finType) (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F).
Variables (D1 D2 : F -> F) (dD1 : derivation D1) (dD2 : derivation D2) (pi : 'I_n -> A -> F).
Hypotheses (D1P : forall a s s', D1 (P a s s') = 0) (D2P : forall a s s', D2 (P a s s') = 0)
  (D12r : forall a s, D1 (D2 (r a s 0)) = 0) (D1g : D1 gam = 0) (D2g : D2 gam = 0)
  (U : Tpi P gam pi \in unitmx).
Local Notation V := (V P r gam pi).
Local Notation Q := (Q P r gam pi).

(* T61, discounted: D1 D2 V = (I - gam P_pi)^-1 [sum_a D1 D2 pi Q + D1 pi D2 Q + D2 pi D1 Q]_s,
   where D Q = gam P D V and D V is the policy gradient (T14). *)
Theorem T61_policy_hessian_discounted :
  map_mx D1 (map_mx D2 V) = invmx (Tpi P gam pi) *m
    \col_s \sum_a (D1 (D2 (pi s a)) * Q s a + D1 (pi s a) * D2 (Q s a) + D2 (pi s a) * D1 (Q s a)).
Proof.
apply: linear_fixpoint => //; apply/matrixP => s j; rewrite (ord1 j) {j}.
rewrite [LHS]mxE [map_mx D2 _ _ _]mxE V_Q // (der_sum dD2) (der_sum dD1).
rewrite [in RHS]mxE [X in X + _]mxE [X in _ + X]mxE PpiE mulr_sumr -big_split /=.
apply: eq_bigr => a _.
have D12 : D1 (D2 (Q s a)) = gam * (P a *m map_mx D1 (map_mx D2 V)) s 0.
  rewrite /Q (der_add dD2) (der_add dD1) D12r add0r (der_cst dD2) // (der_cst dD1) // !mxE (der_sum dD2) (der_sum dD1); congr (_ * _).
  by apply: eq_bigr => s' _; rewrite (der_cst dD2) // (der_cst dD1) // [in RHS]mxE [in RHS]mxE.
rewrite (der_leib dD2) (der_add dD1) !(der_leib dD1) D12.
by move: ((P a *m map_mx D1 (map_mx D2 V)) s 0) => u; ring.
Qed.
End Discounted.
