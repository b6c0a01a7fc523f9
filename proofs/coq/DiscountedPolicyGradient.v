(* The policy gradient theorem of the discounted process: for every start (T14), and with the occupancy of a start law (T15).
   Source: Sutton, McAllester, Singh, Mansour (1999), theorem 1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Derivation Discounted.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section PG.
Variables (R : comUnitRingType) (n : nat) (A : finType) (P : A -> 'M[R]_n) (r : A -> 'cV[R]_n) (gam : R).
Variables (D : R -> R) (dD : derivation D) (pi : 'I_n -> A -> R).
Hypotheses (DP : forall a s s', D (P a s s') = 0) (Dr : forall a s, D (r a s 0) = 0)
  (Dgam : D gam = 0) (U : Tpi P gam pi \in unitmx).

(* T14: policy gradient theorem, infinite horizon:
   D V = (I - gam P_pi)^-1 [ sum_a D pi(a|s) Q(s,a) ]_s  *)
Theorem T14_policy_gradient_discounted :
  map_mx D (V P r gam pi) = invmx (Tpi P gam pi) *m \col_s \sum_a D (pi s a) * Q P r gam pi s a.
Proof.
apply: linear_fixpoint => //; apply/matrixP => s j; rewrite (ord1 j) {j}.
rewrite [LHS]mxE V_Q // (der_sum dD) [in RHS]mxE [X in X + _]mxE [X in _ + X]mxE.
under eq_bigr => a _ do rewrite (der_leib dD).
rewrite big_split /=; congr (_ + _); rewrite PpiE mulr_sumr.
apply: eq_bigr => a _; rewrite /Q (der_add dD) Dr add0r (der_cst dD) // mulrCA.
congr (_ * (_ * _)); rewrite !mxE (der_sum dD); apply: eq_bigr => s' _.
by rewrite (der_cst dD) // [X in _ = _ * X]mxE.
Qed.

(* T15: with start distribution mu and occupancy d = mu (I - gam P_pi)^-1 *)
Theorem T15_policy_gradient_occupancy (mu : 'rV[R]_n) : (forall s, D (mu 0 s) = 0) ->
  D ((mu *m V P r gam pi) 0 0) =
  \sum_s occupancy P gam pi mu 0 s * \sum_a D (pi s a) * Q P r gam pi s a.
Proof.
move=> Dmu; transitivity ((mu *m map_mx D (V P r gam pi)) 0 0).
  by rewrite !mxE (der_sum dD); apply: eq_bigr => s _; rewrite (der_cst dD) // [map_mx _ _ _ _]mxE.
rewrite T14_policy_gradient_discounted mulmxA mxE; apply: eq_bigr => s _; congr (_ * _).
by rewrite mxE.
Qed.
End PG.
