(* False variants of T57 (average reward) and T61 (policy Hessian), refuted over polynomials in theta with d / d theta.
   Source: hand-made; what each leaves out stands above it. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix poly ssrint rat.
From PG Require Import Derivation FiniteHorizon PolicyHessian AverageReward.
From PG Require Import mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Local Notation R := {poly rat}.
Section Polynomials.
Let D : R -> R := @deriv _.
Let dD : derivation D. Proof. by split=> p q; rewrite /D ?derivD ?derivM. Qed.
Let D1 : D 1 = 0. Proof. exact: (der1 dD). Qed.
Let D0 : D 0 = 0. Proof. exact: (der0 dD). Qed.
Let DX : D 'X = 1. Proof. exact: derivX. Qed.
Lemma polynomial_1_neq0 : 1 <> 0 :> R. Proof. by move/eqP; rewrite oner_eq0. Qed.

Section Hessian.
(* one state, one action, taken with weight theta; reward one: V_2 = theta + theta^2 *)
Let ones (_ _ _ : unit) : R := 1.
Let one_reward (_ _ : unit) : R := 1.
Let theta (_ _ : unit) : R := 'X.
Let V := V ones one_reward 1 theta.
Let Q := Q ones one_reward 1 theta.
Let V1 : V 1 tt = 'X. Proof. by rewrite /V /= !sum_unit !mulr0 addr0 mulr1. Qed.
Let Q0 : Q 0 tt tt = 1. Proof. by rewrite /Q /FiniteHorizon.Q sum_unit !mulr0 addr0. Qed.
Let Q1 : Q 1 tt tt = 1 + 'X. Proof. by rewrite /Q /FiniteHorizon.Q sum_unit !mul1r -[FiniteHorizon.V _ _ _ _ _ _]/(V 1 tt) V1. Qed.
Let V2 : D (D (V 2 tt)) = 1 + 1.
Proof.
rewrite /V V_S sum_unit -/(Q 1 tt tt) Q1 /theta (der_leib dD) DX mul1r (der_add dD 1 'X) D1 DX add0r mulr1.
by rewrite !(der_add dD) D1 DX add0r.
Qed.
Let terms (c : nat -> unit -> unit -> R) := \sum_(k < 2) 1 ^+ k * \sum_s' reach ones theta k tt s' * \sum_a c (2 - k.+1)%N s' a.
Let termsE c : c 0%N tt tt = 0 -> terms c = c 1%N tt tt.
Proof.
move=> c0; rewrite /terms !big_ord_recl big_ord0 /= !sum_unit /bump /= c0.
by rewrite !mulr0 !addr0 expr0 !mul1r.
Qed.

(* one of the two mixed terms left out *)
Lemma T61_mutant_mixed_term : ~ (forall (S A : finType) (P : S -> A -> S -> R) r gam (D1 D2 : R -> R) pi n s,
  derivation D1 -> derivation D2 ->
  (forall s a s', D1 (P s a s') = 0) -> (forall s a s', D2 (P s a s') = 0) -> (forall s a, D1 (r s a) = 0) ->
  (forall s a, D2 (r s a) = 0) -> D1 gam = 0 -> D2 gam = 0 ->
  D1 (D2 (FiniteHorizon.V P r gam pi n s)) = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' *
    \sum_a (D1 (D2 (pi s' a)) * FiniteHorizon.Q P r gam pi (n - k.+1) s' a +
            D1 (pi s' a) * D2 (FiniteHorizon.Q P r gam pi (n - k.+1) s' a))).
Proof.
move=> H; have := H _ _ ones one_reward 1 D D theta 2%N tt dD dD (fun _ _ _ => D1) (fun _ _ _ => D1)
  (fun _ _ => D1) (fun _ _ => D1) D1 D1; rewrite V2.
rewrite -[RHS]/(terms (fun m s a => D (D (theta s a)) * Q m s a + D (theta s a) * D (Q m s a))).
rewrite termsE ?Q0 ?Q1 /theta DX D1 ?mul0r ?mulr0 ?addr0 // (der_add dD) D1 DX !add0r mul1r.
by move/(congr1 (fun p => p - 1)); rewrite addrK subrr; exact: polynomial_1_neq0.
Qed.

(* a mixed term with the wrong sign *)
Lemma T61_mutant_sign : ~ (forall (S A : finType) (P : S -> A -> S -> R) r gam (D1 D2 : R -> R) pi n s,
  derivation D1 -> derivation D2 ->
  (forall s a s', D1 (P s a s') = 0) -> (forall s a s', D2 (P s a s') = 0) -> (forall s a, D1 (r s a) = 0) ->
  (forall s a, D2 (r s a) = 0) -> D1 gam = 0 -> D2 gam = 0 ->
  D1 (D2 (FiniteHorizon.V P r gam pi n s)) = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' *
    \sum_a (D1 (D2 (pi s' a)) * FiniteHorizon.Q P r gam pi (n - k.+1) s' a +
            D1 (pi s' a) * D2 (FiniteHorizon.Q P r gam pi (n - k.+1) s' a) -
            D2 (pi s' a) * D1 (FiniteHorizon.Q P r gam pi (n - k.+1) s' a))).
Proof.
move=> H; have := H _ _ ones one_reward 1 D D theta 2%N tt dD dD (fun _ _ _ => D1) (fun _ _ _ => D1)
  (fun _ _ => D1) (fun _ _ => D1) D1 D1; rewrite V2.
rewrite -[RHS]/(terms (fun m s a => D (D (theta s a)) * Q m s a + D (theta s a) * D (Q m s a) - D (theta s a) * D (Q m s a))).
rewrite termsE ?addrK ?Q0 ?Q1 /theta DX D1 ?mul0r // => /eqP.
by rewrite -polyC1 -polyCD polyC_eq0.
Qed.
End Hessian.

Section Average.
(* one state, two actions with probabilities theta and 1 - theta, the first pays one: the gain is theta *)
Let ones (_ : unit) (_ : bool) (_ : unit) : R := 1.
Let win (_ : unit) (b : bool) : R := b%:R.
Let coin (_ : unit) (b : bool) : R := if b then 'X else 1 - 'X.
Let d (_ : unit) : R := 1.
Let h (_ : unit) : R := 0.
Let coin1 s : \sum_a coin s a = 1. Proof. by rewrite sum_bool /= addrC subrK. Qed.
Let gainE : gain win coin d = 'X. Proof. by rewrite /gain sum_unit sum_bool /= mulr1 mulr0 addr0 mul1r. Qed.
Let sd : stationary ones coin d.
Proof. by split=> [s|]; rewrite sum_unit // /Ppi mul1r sum_bool !mulr1 /= addrC subrK. Qed.
Let ph : poisson ones win coin d h.
Proof. by move=> s; rewrite gainE add0r sum_bool !sum_unit mulr0 !addr0 /= mulr1 mulr0 addr0. Qed.
Let win0 s b : D (win s b) = 0. Proof. by case: b; [exact: D1 | exact: D0]. Qed.
Let Dcoin s : D (coin s true) = 1 /\ D (coin s false) = -1.
Proof. by split; rewrite /= ?(der_sub dD) ?D1 DX ?sub0r. Qed.

(* the sign turned *)
Lemma T57_mutant_sign : ~ (forall (S A : finType) (P : S -> A -> S -> R) r pi (D : R -> R) d h, derivation D ->
  (forall s a s', D (P s a s') = 0) -> (forall s a, D (r s a) = 0) -> (forall s, \sum_a pi s a = 1) ->
  stationary P pi d -> poisson P r pi d h ->
  D (gain r pi d) = - \sum_s d s * \sum_a D (pi s a) * differential_Q P r pi d h s a).
Proof.
move=> H; have := H _ _ ones win coin D d h dD (fun _ _ _ => D1) win0 coin1 sd ph.
rewrite -(T57_average_reward_gradient dD (fun _ _ _ => D1) win0 coin1 sd ph) gainE DX => /eqP.
by rewrite -addr_eq0 -polyC1 -polyCD polyC_eq0.
Qed.

(* the reward left out of Q *)
Lemma T57_mutant_reward : ~ (forall (S A : finType) (P : S -> A -> S -> R) r pi (D : R -> R) d h, derivation D ->
  (forall s a s', D (P s a s') = 0) -> (forall s a, D (r s a) = 0) -> (forall s, \sum_a pi s a = 1) ->
  stationary P pi d -> poisson P r pi d h ->
  D (gain r pi d) = \sum_s d s * \sum_a D (pi s a) * (\sum_s' P s a s' * h s' - gain r pi d)).
Proof.
move=> H; have := H _ _ ones win coin D d h dD (fun _ _ _ => D1) win0 coin1 sd ph.
have [Dt Df] := Dcoin tt.
rewrite gainE DX sum_unit sum_bool Dt Df mulN1r mul1r !sum_unit subrr mulr0; exact: polynomial_1_neq0.
Qed.
End Average.
End Polynomials.
