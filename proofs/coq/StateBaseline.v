(* The baseline of the state that minimises the total variance (T45), and the term that a baseline of state AND action
   owes. Source: Greensmith, Bartlett, Baxter (2004), theorem 13; Gu et al. (2017); Tucker et al. (2018), section 2. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Variance BatchVariance Derivation FiniteHorizon PolicyGradient Trajectories Gpomdp.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* W: a draw of state and action and what follows; st its state, g i the coordinates of the score, G the return *)
Section Optimal.
Variables (F : fieldType) (W S I : finType) (p : W -> F) (st : W -> S) (g : I -> W -> F) (G : W -> F).

Definition score_mass s := \sum_(w | st w == s) p w * \sum_i g i w ^+ 2.
Definition return_mass s := \sum_(w | st w == s) p w * (\sum_i g i w ^+ 2) * G w.
Definition best_state_baseline s := return_mass s / score_mass s.
Definition total_variance (b : S -> F) := \sum_i Var p (fun w => g i w * (G w - b (st w))).

Hypothesis (g0 : forall i s, \sum_(w | st w == s) p w * g i w = 0).

Lemma total_varianceE b : total_variance b = \sum_s
  ((\sum_(w | st w == s) p w * (\sum_i g i w ^+ 2) * G w ^+ 2) - 2%:R * b s * return_mass s + b s ^+ 2 * score_mass s)
  + (\sum_w p w - 2%:R) * \sum_i (\sum_w p w * (g i w * G w)) ^+ 2.
Proof.
have mean i : E p (fun w => g i w * (G w - b (st w))) = \sum_w p w * (g i w * G w).
  rewrite (eq_E p (Y := fun w => g i w * G w + (-1) * (g i w * b (st w)))); last by move=> w; ring.
  rewrite ED EZ [X in -1 * X](_ : _ = 0) ?mulr0 ?addr0 // /E (partition_big st predT) //= big1 // => s _.
  rewrite (eq_bigr (fun w => b s * (p w * g i w))) => [|w /eqP ->]; last by ring.
  by rewrite -mulr_sumr g0 mulr0.
rewrite /total_variance (eq_bigr (fun i => E p (fun w => (g i w * (G w - b (st w))) ^+ 2) +
    (\sum_w p w - 2%:R) * (\sum_w p w * (g i w * G w)) ^+ 2)) => [|i _]; last by rewrite Var_mass mean.
rewrite big_split -mulr_sumr /=; congr (_ + _); rewrite /E exchange_big (partition_big st predT) //=; apply: eq_bigr => s _.
rewrite /return_mass /score_mass !mulr_sumr -sumrB -big_split /=; apply: eq_bigr => w /eqP ->.
rewrite -mulr_sumr (eq_bigr (fun i => (G w - b s) ^+ 2 * g i w ^+ 2)) => [|i _]; last by rewrite exprMn mulrC.
by rewrite -mulr_sumr; move: (\sum_i _) => u; ring.
Qed.

(* T45: a parabola in every b(s), with its bottom at E[|g|^2 G | s] / E[|g|^2 | s]. *)
Theorem T45_state_baseline_gap b : (forall s, score_mass s = 0 -> return_mass s = 0) ->
  total_variance b = total_variance best_state_baseline +
    \sum_s score_mass s * (b s - best_state_baseline s) ^+ 2.
Proof.
move=> null; rewrite !total_varianceE addrAC; congr (_ + _); rewrite -big_split /=; apply: eq_bigr => s _.
have -> : return_mass s = best_state_baseline s * score_mass s.
  rewrite /best_state_baseline; have [m0|m0] := eqVneq (score_mass s) 0; last by rewrite divfK.
  by rewrite m0 mulr0 null.
by move: (\sum_(w | _) _) (best_state_baseline s) => u v; ring.
Qed.
End Optimal.

(* T45: for weights that are not negative the best baseline is the minimiser; where the score vanishes almost surely any will do. *)
Theorem T45_state_baseline_minimum (F : realFieldType) (W S I : finType) (p : W -> F) (st : W -> S)
    (g : I -> W -> F) (G : W -> F) (b : S -> F) :
  (forall w, 0 <= p w) -> (forall i s, \sum_(w | st w == s) p w * g i w = 0) ->
  total_variance p st g G (best_state_baseline p st g G) <= total_variance p st g G b.
Proof.
move=> p0 g0.
have m0 w : 0 <= p w * \sum_i g i w ^+ 2 by rewrite mulr_ge0 // sumr_ge0 // => i _; exact: sqr_ge0.
rewrite [X in _ <= X]T45_state_baseline_gap // => [|s /psumr_eq0P z]; last first.
  by rewrite /return_mass big1 // => w ws; rewrite z ?mul0r.
by rewrite ler_addl; apply: sumr_ge0 => s _; rewrite mulr_ge0 ?sqr_ge0 // sumr_ge0.
Qed.

(* T45: one baseline b for a batch of n independent draws: the total variance of the mean (T44), a parabola in b. *)
Theorem T45_batch_baseline (F : fieldType) (W I : finType) (p : W -> F) (g : I -> W -> F) (G : W -> F) (n : nat) (D : I -> F -> F)
    (square := fun w => \sum_i g i w ^+ 2) (best := E p (fun w => square w * G w) / E p square)
    (spread := fun b => \sum_i Var (prodp (fun _ : 'I_n => p)) (fun w => (\sum_k g i (w k) * (G (w k) - b)) / n%:R)) b :
  (forall i, derivation (D i)) -> \sum_w p w = 1 -> (forall i w, D i (p w) = p w * g i w) -> (forall i w, D i (G w) = 0) ->
  n%:R != 0 :> F -> E p square != 0 ->
  spread b = (E p (fun w => square w * (G w - b) ^+ 2) - \sum_i D i (E p G) ^+ 2) / n%:R /\
  spread b - spread best = E p square * (b - best) ^+ 2 / n%:R.
Proof.
move=> dD p1 Dp DG n0 sq0.
have g0 i : E p (g i) = 0 by rewrite -(der1 (dD i)) -p1 (der_sum (dD i)); apply: eq_bigr => w _; rewrite Dp.
have JE i : E p (fun w => g i w * G w) = D i (E p G).
  by rewrite (der_sum (dD i)); apply: eq_bigr => w _; rewrite (der_leib (dD i)) Dp DG mulr0 addr0 mulrA.
have spreadE d : spread d = (E p (fun w => square w * (G w - d) ^+ 2) - \sum_i D i (E p G) ^+ 2) / n%:R.
  rewrite /spread (eq_bigr (fun i => Var p (fun w => g i w * (G w - d)) / n%:R)) => [|i _]; last first.
    by rewrite -(T44_batch_mean_variance _ p1 n0).
  rewrite -mulr_suml; congr (_ / _).
  rewrite (eq_bigr (fun i => E p (fun w => g i w ^+ 2 * (G w - d) ^+ 2) - D i (E p G) ^+ 2)).
    by rewrite sumrB -E_sum; congr (_ - _); apply: eq_E => w; rewrite mulr_suml.
  move=> i _; rewrite T18_variance_second_moment //; congr (_ - _ ^+ 2); first by apply: eq_E => w; rewrite exprMn.
  rewrite (eq_E p (Y := fun w => g i w * G w + (- d) * g i w)); last by move=> w; ring.
  by rewrite ED EZ g0 mulr0 addr0 JE.
split; rewrite !spreadE // -mulrBl; congr (_ / _).
have parabola d : E p (fun w => square w * (G w - d) ^+ 2) =
    E p (fun w => square w * G w ^+ 2) + (- 2%:R * d) * E p (fun w => square w * G w) + d ^+ 2 * E p square.
  by rewrite -2!EZ -2!ED; apply: eq_E => w; ring.
rewrite !parabola; have -> : E p (fun w => square w * G w) = best * E p square by rewrite /best divfK.
by move: (\sum_i _) best => u c; ring.
Qed.

Section ActionBaseline.
Variables (R : comRingType) (S A : finType).
Variables (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R) (D : R -> R) (pi sc : S -> A -> R).
Implicit Type b : nat -> S -> A -> R.

(* sum over t of gam^t sc(s_t, a_t) (return from t on - b(t, s_t, a_t)), and what it lacks *)
Fixpoint action_gpomdp b s (tau : seq (A * S)) : R :=
  if tau is (a, s') :: t
  then sc s a * (ret r gam s tau - b 0%N s a) + gam * action_gpomdp (fun k => b k.+1) s' t
  else 0.
Fixpoint correction b s (tau : seq (A * S)) : R :=
  if tau is (a, s') :: t
  then (\sum_c D (pi s c) * b 0%N s c) + gam * correction (fun k => b k.+1) s' t
  else 0.

Hypotheses (dD : derivation D) (P1 : forall s a, \sum_s' P s a s' = 1)
           (DP : forall s a s', D (P s a s') = 0)
           (Dr : forall s a, D (r s a) = 0) (Dgam : D gam = 0)
           (pi1 : forall x, \sum_a pi x a = 1)
           (scE : forall s a, D (pi s a) = pi s a * sc s a).

(* T45: with the correction the estimator is unbiased, whatever b is, one that depends on theta included; *)
Theorem T45_action_baseline_corrected n s b :
  Etraj P pi n s (fun t => action_gpomdp b s t + correction b s t) = D (V P r gam pi n s).
Proof.
rewrite -(T12_gpomdp_unbiased dD P1 DP Dr Dgam pi1 scE n s (fun _ _ => 0)); apply/eqP; rewrite -subr_eq0; apply/eqP.
rewrite -[X in _ - X]mul1r -mulNr -EtrajZ -EtrajD.
elim: n s b => [|n IH] s b; first by rewrite Etraj0 /=; ring.
rewrite EtrajS -[RHS](_ : \sum_a pi s a * ((\sum_c D (pi s c) * b 0%N s c) - sc s a * b 0%N s a) = 0); last first.
  under eq_bigr => a _ do rewrite mulrBr.
  by rewrite sumrB -mulr_suml pi1 mul1r; under eq_bigr => a _ do rewrite scE -mulrA; rewrite subrr.
apply: eq_bigr => a _; congr (_ * _); set c := \sum_c D _ * _.
transitivity (\sum_s' P s a s' * (c - sc s a * b 0%N s a)); last by rewrite -mulr_suml P1 mul1r.
apply: eq_bigr => s' _; congr (_ * _).
rewrite (eq_Etraj P pi n s' (G := fun t => (c - sc s a * b 0%N s a) + gam *
   (action_gpomdp (fun k => b k.+1) s' t + correction (fun k => b k.+1) s' t + (-1) * gpomdp r gam sc (fun _ _ => 0) s' t))).
  by rewrite EtrajD EtrajZ IH (Etrajcst P1) // mulr0 addr0.
by move=> t /=; rewrite -/c; ring.
Qed.

(* without it the bias is minus the mean of the correction. *)
Theorem T45_action_baseline_bias n s b :
  Etraj P pi n s (action_gpomdp b s) = D (V P r gam pi n s) - Etraj P pi n s (correction b s).
Proof. by rewrite -(T45_action_baseline_corrected n s b) EtrajD addrK. Qed.
End ActionBaseline.
