(* Comonotone functions correlate (T34), hence the natural policy gradient never gets worse, whatever its step (T35).
   Source: Chebyshev's sum inequality; Agarwal, Kakade, Lee, Mahajan (2021), lemma 17. No exp and no log enter. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted DiscountedPolicyImprovement Policy.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* T34: the weights need not sum to one. *)
Theorem T34_chebyshev_sum (F : realFieldType) (A : finType) (p u x : A -> F) : (forall a, 0 <= p a) ->
  (forall a b, 0 <= (u a - u b) * (x a - x b)) ->
  (\sum_a p a * u a) * (\sum_a p a * x a) <= (\sum_a p a) * (\sum_a p a * (u a * x a)).
Proof.
move=> p0 co; set N := \sum_a p a.
set X := \sum_a p a * (u a * x a); set U := \sum_a p a * u a; set Y := \sum_a p a * x a.
have : 0 <= \sum_a \sum_b p a * p b * ((u a - u b) * (x a - x b)).
  by apply: sumr_ge0 => a _; apply: sumr_ge0 => b _; rewrite mulr_ge0 // mulr_ge0.
have -> : \sum_a \sum_b p a * p b * ((u a - u b) * (x a - x b)) = 2%:R * (N * X - U * Y).
  transitivity (\sum_a (p a * (u a * x a) * N + p a * X - p a * u a * Y - p a * x a * U)).
    apply: eq_bigr => a _.
    rewrite (eq_bigr (fun b => p a * (u a * x a) * p b + p a * (p b * (u b * x b))
      - p a * u a * (p b * x b) - p a * x a * (p b * u b))); last by move=> b _; ring.
    by rewrite !sumrB big_split /= -!mulr_sumr.
  by rewrite !sumrB big_split /= -!mulr_suml -/N -/X -/U -/Y; ring.
by rewrite pmulr_rge0 ?ltr0Sn // subr_ge0.
Qed.

(* T35: reweighting by any positive u that grows with Q improves the value in every state;
   u s a = exp(eta A(s, a) / (1 - gam)) is such a weight for every eta >= 0. *)
Theorem T35_npg_monotone (F : realFieldType) (n : nat) (A : finType)
    (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F) (pi u : 'I_n -> A -> F) :
  (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
  policy pi -> (forall s a, 0 < u s a) ->
  (forall s a b, 0 <= (u s a - u s b) * (Q P r gam pi s a - Q P r gam pi s b)) ->
  forall s, V P r gam pi s 0 <= V P r gam (fun s a => pi s a * u s a / \sum_b pi s b * u s b) s 0.
Proof.
move=> P0 P1 g0 g1 pp u0 co; have [p0 p1] := pp.
have Z0 s : 0 < \sum_b pi s b * u s b.
  rewrite lt_neqAle sumr_ge0 ?andbT => [|b _]; last by rewrite mulr_ge0 // ltW.
  rewrite eq_sym; apply/negP => /eqP /psumr_eq0P S0.
  have := p1 s; rewrite big1 => [/eqP|b _]; first by rewrite eq_sym oner_eq0.
  have /eqP := S0 (fun b _ => mulr_ge0 (p0 s b) (ltW (u0 s b))) b isT.
  by rewrite mulf_eq0 [u s b == 0]gt_eqF // orbF => /eqP.
apply: T33_policy_improvement_discounted => // [|s].
  split=> s => [a|]; first by rewrite divr_ge0 ?mulr_ge0 ?p0 // ltW.
  by rewrite -mulr_suml divff // gt_eqF.
rewrite (eq_bigr (fun a => (pi s a * (u s a * (Q P r gam pi s a - V P r gam pi s 0))) / \sum_b pi s b * u s b));
  last by move=> a _; rewrite mulrAC !mulrA.
rewrite -mulr_suml divr_ge0 ?(ltW (Z0 s)) //.
have m0 : \sum_a pi s a * (Q P r gam pi s a - V P r gam pi s 0) = 0.
  rewrite (eq_bigr (fun a => pi s a * Q P r gam pi s a - pi s a * V P r gam pi s 0)); last by move=> a _; rewrite mulrBr.
  by rewrite sumrB -mulr_suml p1 mul1r (V_Q _ s (Tpi_unit P0 P1 g0 g1 pp)) subrr.
have := @T34_chebyshev_sum _ _ (pi s) (u s) (fun a => Q P r gam pi s a - V P r gam pi s 0) (p0 s).
rewrite m0 mulr0 p1 mul1r; apply=> a b.
by have := co s a b; rewrite opprB addrA subrK.
Qed.
