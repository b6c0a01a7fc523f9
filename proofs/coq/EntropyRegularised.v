(* Policy gradients where the reward moves with theta, and with it entropy regularisation: soft Q minus tau log pi (T37).
   Source: Ahmed, Le Roux, Norouzi, Schuurmans (2019), section 2; Mei, Xiao, Szepesvari, Schuurmans (2020), lemma 10. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation FiniteHorizon.
From PG Require Discounted.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* The logarithm enters through its derivative alone: L is anything with pi * D L = D pi. *)
Lemma entropy_term (R : comRingType) (A : finType) (D : R -> R) (dD : derivation D) (p L : A -> R) tau :
  D tau = 0 -> \sum_a p a = 1 -> (forall a, p a * D (L a) = D (p a)) ->
  \sum_a p a * D (- (tau * L a)) = 0.
Proof.
move=> Dtau p1 LE; rewrite (eq_bigr (fun a => (- tau) * D (p a))).
  by rewrite -mulr_sumr -(der_sum dD) p1 (der1 dD) mulr0.
by move=> a _; rewrite -LE (der_opp dD) (der_cst dD) //; ring.
Qed.

Section FiniteHorizon.
Variables (R : comRingType) (S A : finType) (P : S -> A -> S -> R) (gam : R).
Variables (D : R -> R) (dD : derivation D) (pi : S -> A -> R).
Hypotheses (DP : forall s a s', D (P s a s') = 0) (Dgam : D gam = 0).

Lemma policy_gradient_moving_reward (r : S -> A -> R) n s :
  D (V P r gam pi n s) = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' *
    \sum_a (D (pi s' a) * Q P r gam pi (n - k.+1) s' a + pi s' a * D (r s' a)).
Proof.
apply: (@T01_unroll _ _ _ P gam pi
  (fun m x => \sum_a (D (pi x a) * Q P r gam pi m x a + pi x a * D (r x a))) (fun m x => D (V P r gam pi m x))).
  by move=> x; exact: der0.
move=> m x; rewrite V_S (der_sum dD) sum_Ppi mulr_sumr -big_split /=.
apply: eq_bigr => a _; rewrite (der_leib dD) {2}/Q (der_add dD) (der_cst dD) // (der_sum dD).
under eq_bigr => y _ do rewrite (der_cst dD) //.
by move: (\sum_y _) (Q _ _ _ _ _ _ _) => u q; ring.
Qed.

Variables (r L : S -> A -> R) (tau : R).
Definition soft_V := V P (fun s a => r s a - tau * L s a) gam pi.
Definition soft_Q n s a := r s a + gam * \sum_s' P s a s' * soft_V n s'.

Lemma entropy_policy_gradient_finite n s :
  (forall s a, D (r s a) = 0) -> D tau = 0 -> (forall s, \sum_a pi s a = 1) ->
  (forall s a, pi s a * D (L s a) = D (pi s a)) ->
  D (soft_V n s) = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' *
    \sum_a D (pi s' a) * (soft_Q (n - k.+1) s' a - tau * L s' a).
Proof.
move=> Dr Dtau pi1 LE; rewrite /soft_V policy_gradient_moving_reward.
apply: eq_bigr => k _; congr (_ * _); apply: eq_bigr => x _; congr (_ * _).
rewrite big_split /= [X in _ + X](_ : _ = 0) ?addr0.
  by apply: eq_bigr => a _; rewrite /Q addrAC.
rewrite -[RHS](entropy_term dD Dtau (pi1 x) (LE x)); apply: eq_bigr => a _.
by rewrite (der_add dD) Dr add0r.
Qed.
End FiniteHorizon.

Section Discounted.
Import Discounted.
Variables (R : comUnitRingType) (n : nat) (A : finType) (P : A -> 'M[R]_n) (gam : R).
Variables (D : R -> R) (dD : derivation D) (pi : 'I_n -> A -> R).
Hypotheses (DP : forall a s s', D (P a s s') = 0) (Dgam : D gam = 0) (U : Tpi P gam pi \in unitmx).

Lemma occupancy_gradient_moving_reward (r : A -> 'cV[R]_n) (mu : 'rV[R]_n) : (forall s, D (mu 0 s) = 0) ->
  D ((mu *m V P r gam pi) 0 0) = \sum_s occupancy P gam pi mu 0 s *
    \sum_a (D (pi s a) * Q P r gam pi s a + pi s a * D (r a s 0)).
Proof.
move=> Dmu; transitivity ((mu *m map_mx D (V P r gam pi)) 0 0).
  by rewrite !mxE (der_sum dD); apply: eq_bigr => s _; rewrite (der_cst dD) // [map_mx _ _ _ _]mxE.
have -> : map_mx D (V P r gam pi) = invmx (Tpi P gam pi) *m
    \col_s \sum_a (D (pi s a) * Q P r gam pi s a + pi s a * D (r a s 0)).
  apply: linear_fixpoint => //; apply/matrixP => s j; rewrite (ord1 j) {j}.
  rewrite [LHS]mxE V_Q // (der_sum dD) [in RHS]mxE [X in X + _]mxE [X in _ + X]mxE PpiE mulr_sumr -big_split /=.
  apply: eq_bigr => a _; rewrite (der_leib dD) {2}/Q (der_add dD) (der_cst dD) //.
  rewrite [(P a *m V P r gam pi) s 0]mxE (der_sum dD) [(P a *m map_mx _ _) s 0]mxE.
  under eq_bigr => y _ do rewrite (der_cst dD) //.
  have -> : \sum_j P a s j * map_mx D (V P r gam pi) j 0 = \sum_j P a s j * D (V P r gam pi j 0).
    by apply: eq_bigr => y _; rewrite mxE.
  by move: (\sum_y _) (Q _ _ _ _ _ _) => u q; ring.
rewrite mulmxA mxE; apply: eq_bigr => s _; congr (_ * _).
by rewrite mxE.
Qed.

(* T37: any function of the visits, here called utility, has the policy gradient for the reward f, its slope, held constant. *)
Theorem T37_utility_gradient (mu : 'rV[R]_n) (visits := fun s a => occupancy P gam pi mu 0 s * pi s a) (f : A -> 'cV[R]_n) utility :
  (forall s, D (mu 0 s) = 0) -> D utility = \sum_s \sum_a D (visits s a) * f a s 0 ->
  D utility = \sum_s occupancy P gam pi mu 0 s * \sum_a D (pi s a) * Q P f gam pi s a.
Proof.
move=> Dmu chain; set rest := \sum_s \sum_a visits s a * D (f a s 0).
have JE : (mu *m V P f gam pi) 0 0 = \sum_s \sum_a visits s a * f a s 0.
  rewrite mulmxA mxE; apply: eq_bigr => s _; rewrite [rpi _ _ _ _]mxE mulr_sumr.
  by apply: eq_bigr => a _; rewrite mulrA.
have DJ : D ((mu *m V P f gam pi) 0 0) = D utility + rest.
  rewrite JE chain (der_sum dD) -big_split /=; apply: eq_bigr => s _.
  by rewrite (der_sum dD) -big_split /=; apply: eq_bigr => a _; rewrite (der_leib dD).
apply: (addIr rest); rewrite -DJ occupancy_gradient_moving_reward // -big_split /=; apply: eq_bigr => s _.
rewrite big_split /= mulrDr; congr (_ + _); rewrite mulr_sumr.
by apply: eq_bigr => a _; rewrite mulrA.
Qed.

Variables (r : A -> 'cV[R]_n) (L : 'I_n -> A -> R) (tau : R).
(* the value of reward plus tau entropy, L = log pi, and the soft Q before the entropy of its own action *)
Definition soft_value := V P (fun a => \col_s (r a s 0 - tau * L s a)) gam pi.
Definition soft_action_value s a := r a s 0 + gam * (P a *m soft_value) s 0.

(* T37: pi alone must sum to one. *)
Theorem T37_entropy_policy_gradient (mu : 'rV[R]_n) :
  (forall a s, D (r a s 0) = 0) -> (forall s, D (mu 0 s) = 0) -> D tau = 0 ->
  (forall s, \sum_a pi s a = 1) -> (forall s a, pi s a * D (L s a) = D (pi s a)) ->
  D ((mu *m soft_value) 0 0) = \sum_s occupancy P gam pi mu 0 s *
    \sum_a D (pi s a) * (soft_action_value s a - tau * L s a).
Proof.
move=> Dr Dmu Dtau pi1 LE; rewrite /soft_value occupancy_gradient_moving_reward //.
apply: eq_bigr => s _; congr (_ * _).
rewrite big_split /= [X in _ + X](_ : _ = 0) ?addr0.
  by apply: eq_bigr => a _; rewrite /Q mxE addrAC.
rewrite -[RHS](entropy_term dD Dtau (pi1 s) (LE s)); apply: eq_bigr => a _.
by rewrite mxE (der_add dD) Dr add0r.
Qed.
End Discounted.
