(* Probabilities as parameters: the gap to any other policy is at most the mismatch of the occupancies times the best
   first-order gain among all policies (T47). Source: Agarwal, Kakade, Lee, Mahajan (2021), lemma 4. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation Discounted DiscountedPolicyGradient DiscountedPolicyImprovement Policy MismatchBound ResolventBounds.
From PG Require Import DeterministicPolicy.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* the derivative of J = mu V with respect to pi(a|s), the probabilities taken as free: *)
Definition direct_gradient (F : fieldType) (n : nat) (A : finType) (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) gam pi mu s a :=
  occupancy P gam pi mu 0 s * Q P r gam pi s a.

(* every derivative of J is D pi times it (T15) *)
Lemma direct_gradientE (F : fieldType) (n : nat) (A : finType) (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) gam
    (D : F -> F) pi (mu : 'rV[F]_n) : derivation D -> (forall a s s', D (P a s s') = 0) ->
  (forall a s, D (r a s 0) = 0) -> D gam = 0 -> (forall s, D (mu 0 s) = 0) -> Tpi P gam pi \in unitmx ->
  D ((mu *m V P r gam pi) 0 0) = \sum_s \sum_a D (pi s a) * direct_gradient P r gam pi mu s a.
Proof.
move=> dD DP Dr Dg Dmu U; rewrite (T15_policy_gradient_occupancy dD DP Dr Dg U Dmu).
by apply: eq_bigr => s _; rewrite mulr_sumr; apply: eq_bigr => a _; rewrite mulrCA.
Qed.

Section Domination.
Variables (F : realFieldType) (n : nat) (A : finType).
Variables (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F).
Hypotheses (P0 : forall a s s', 0 <= P a s s') (P1 : forall a s, \sum_s' P a s s' <= 1)
  (g0 : 0 <= gam) (g1 : gam < 1).
Variables (pi pi' : 'I_n -> A -> F) (pp : policy pi) (pp' : policy pi').
Variables (rho mu : 'rV[F]_n) (rho0 : forall s, 0 <= rho 0 s).
Variables (kappa m : F) (k0 : 0 <= kappa).
(* m bounds the first-order gain, sum (pb - pi) grad J, over all policies pb *)
Hypothesis gain : forall pb, policy pb ->
  \sum_s \sum_a (pb s a - pi s a) * direct_gradient P r gam pi mu s a <= m.

(* T47: pi' is any policy, an optimal one for instance; the two starts may differ, and mu need not be a law. *)
Theorem T47_gradient_domination :
  (forall s, occupancy P gam pi' rho 0 s <= kappa * occupancy P gam pi mu 0 s) ->
  (rho *m V P r gam pi') 0 0 - (rho *m V P r gam pi) 0 0 <= kappa * m.
Proof.
move=> mismatch; pose q s a := Q P r gam pi s a - V P r gam pi s 0.
have [f fmax] := greedy q pp.
rewrite (occupancy_difference r pi rho (Tpi_unit P0 P1 g0 g1 pp') (proj2 pp')).
apply: le_trans (ler_wpmul2l k0 (gain (det_policy F f))); rewrite mulr_sumr.
apply: ler_sum => s _.
have -> : \sum_a (det F f s a - pi s a) * direct_gradient P r gam pi mu s a = occupancy P gam pi mu 0 s * q s (f s).
  rewrite (eq_bigr (fun a => occupancy P gam pi mu 0 s * (det F f s a * q s a) -
    occupancy P gam pi mu 0 s * (pi s a * q s a) + occupancy P gam pi mu 0 s * V P r gam pi s 0 * (det F f s a - pi s a))).
    rewrite big_split sumrB /= -!mulr_sumr (advantage_mean r P0 P1 g0 g1 pp) sumrB det_sum.
    by rewrite (proj2 pp) (proj2 (det_policy F f)) subrr !mulr0 subr0 addr0.
  by move=> a _; rewrite /direct_gradient /q; move: (Q _ _ _ _ _ _) (V _ _ _ _ _ _) (occupancy _ _ _ _ _ _) => x y z; ring.
rewrite mulrA; apply: (le_trans (y := occupancy P gam pi' rho 0 s * q s (f s))).
  by rewrite ler_wpmul2l ?(occupancy_ge0 P0 P1) //; apply: (mean_le_greedy pp' (fmax s)).
rewrite ler_wpmul2r // -(advantage_mean r P0 P1 g0 g1 pp s).
exact: (mean_le_greedy pp (fmax s)).
Qed.
End Domination.

(* T47, with the mismatch taken against the start law instead of the occupancy *)
Theorem T47_gradient_domination_start (F : realFieldType) (n : nat) (A : finType)
    (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F) (pi pi' : 'I_n -> A -> F) (rho mu : 'rV[F]_n) (kappa m : F) :
  (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
  policy pi -> policy pi' -> (forall s, 0 <= rho 0 s) -> (forall s, 0 <= mu 0 s) -> 0 <= kappa ->
  (forall pb, policy pb -> \sum_s \sum_a (pb s a - pi s a) * direct_gradient P r gam pi mu s a <= m) ->
  (forall s, occupancy P gam pi' rho 0 s <= kappa * mu 0 s) ->
  (rho *m V P r gam pi') 0 0 - (rho *m V P r gam pi) 0 0 <= kappa * m.
Proof.
move=> P0 P1 g0 g1 pp pp' rho0 mu0 k0 gain mis.
apply: (T47_gradient_domination P0 P1 g0 g1 pp pp' rho0 k0 gain) => s.
by apply: (le_trans (mis s)); rewrite ler_wpmul2l // (occupancy_ge_start P0 P1).
Qed.
