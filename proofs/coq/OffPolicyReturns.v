(* What V-trace and Retrace converge to (T60), for every number of steps and as means over the trajectories of mu.
   Source: Espeholt et al. (2018), theorem 1 (V-trace); Munos, Stepleton, Harutyunyan, Bellemare (2016), theorem 1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import FiniteHorizon Trajectories.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Targets.
Variables (R : comRingType) (S A : finType) (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R).

(* V-trace from s: W(s) + sum_t gam^t (product of c before t) rho_t (r_t + gam W(s_{t+1}) - W(s_t)) *)
Fixpoint vtrace (rho c : S -> A -> R) (W : S -> R) s (tau : seq (A * S)) : R :=
  if tau is (a, s') :: t
  then W s + rho s a * (r s a + gam * W s' - W s) + gam * c s a * (vtrace rho c W s' t - W s')
  else W s.

(* the same for Q, after the first action; the errors use the mean of Q under the target pi, traces are cut by c *)
Definition expected_error (pi q : S -> A -> R) s a s' : R := r s a + gam * (\sum_b pi s' b * q s' b) - q s a.
Fixpoint retrace_tail (pi c q : S -> A -> R) s (tau : seq (A * S)) : R :=
  if tau is (a, s') :: t then c s a * (expected_error pi q s a s' + gam * retrace_tail pi c q s' t) else 0.
Definition retrace pi c (q : S -> A -> R) s a s' tau : R :=
  q s a + expected_error pi q s a s' + gam * retrace_tail pi c q s' tau.

(* their means when mu acts, with n + 1 steps for Retrace *)
Variables (mu : S -> A -> R).
Definition vtrace_mean rho c W n s : R := Etraj P mu n s (vtrace rho c W s).
Definition retrace_mean pi c q n s a : R := \sum_s' P s a s' * Etraj P mu n s' (retrace pi c q s a s').

Hypotheses (P1 : forall s a, \sum_s' P s a s' = 1) (mu1 : forall s, \sum_a mu s a = 1).
Variables (rho c pi : S -> A -> R).

Lemma vtrace_meanS W n s : vtrace_mean rho c W n.+1 s =
  W s + (\sum_a mu s a * (rho s a * (r s a + gam * (\sum_s' P s a s' * W s') - W s)))
      + gam * \sum_a mu s a * (c s a * \sum_s' P s a s' * (vtrace_mean rho c W n s' - W s')).
Proof.
rewrite /vtrace_mean EtrajS -[X in _ = X + _ + _]mul1r -(mu1 s) mulr_suml mulr_sumr -!big_split /=.
apply: eq_bigr => a _; rewrite [X in _ = _ + X]mulrCA -!mulrDr; congr (_ * _).
transitivity (\sum_s' (P s a s' * (W s + rho s a * (r s a - W s)) + rho s a * gam * (P s a s' * W s') +
    gam * c s a * (P s a s' * (Etraj P mu n s' (vtrace rho c W s') - W s')))).
  apply: eq_bigr => s' _.
  rewrite (eq_Etraj P mu n s' (G := fun t => (W s + rho s a * (r s a + gam * W s' - W s) - gam * c s a * W s') +
    gam * c s a * vtrace rho c W s' t)); last by move=> t /=; ring.
  by rewrite EtrajD EtrajZ (Etrajcst P1) //; move: (Etraj _ _ _ _ _) => u; ring.
rewrite !big_split /= -!mulr_suml -!mulr_sumr P1 /vtrace_mean.
by move: (\sum_s' P s a s' * W s') (\sum_s' P s a s' * (Etraj P mu n s' (vtrace rho c W s') - W s')) => u v; ring.
Qed.

(* T60: W is a fixed point of every V-trace if its mean error under mu and rho is zero in each state; *)
Theorem T60_vtrace_fixed_point W : 
  (forall s, \sum_a mu s a * (rho s a * (r s a + gam * (\sum_s' P s a s' * W s') - W s)) = 0) ->
  forall n s, vtrace_mean rho c W n s = W s.
Proof.
move=> W0; elim=> [|n IH] s; first by rewrite /vtrace_mean Etraj0.
rewrite vtrace_meanS W0 addr0 big1 ?mulr0 ?addr0 // => a _.
by under eq_bigr => s' _ do rewrite IH subrr mulr0; rewrite big1 ?mulr0.
Qed.

Lemma retrace_tail_mean q n s : Etraj P mu n.+1 s (retrace_tail pi c q s) =
  \sum_a mu s a * (c s a * (retrace_mean pi c q n s a - q s a)).
Proof.
rewrite EtrajS; apply: eq_bigr => a _; congr (_ * _).
rewrite /retrace_mean -[q s a in RHS]mul1r -(P1 s a) mulr_suml -sumrB mulr_sumr; apply: eq_bigr => s' _.
rewrite -mulrBr mulrCA; congr (_ * _).
rewrite /retrace (eq_Etraj P mu n s' (G := fun t => c s a * (expected_error pi q s a s' + gam * retrace_tail pi c q s' t))) //.
rewrite EtrajZ; congr (_ * _); rewrite !EtrajD !(Etrajcst P1) //; ring.
Qed.

Lemma retrace_meanE q n s a : retrace_mean pi c q n s a = r s a +
  gam * \sum_s' P s a s' * ((\sum_b pi s' b * q s' b) + Etraj P mu n s' (retrace_tail pi c q s')).
Proof.
rewrite -[r s a]mul1r -(P1 s a) mulr_suml mulr_sumr -big_split /=; apply: eq_bigr => s' _.
rewrite [gam * _]mulrCA -mulrDr; congr (_ * _); rewrite /retrace !EtrajD !(Etrajcst P1) // (EtrajZ _ _ _ _ gam (retrace_tail pi c q s')) /expected_error.
by move: (Etraj _ _ _ _ _) (\sum_b _) => u v; ring.
Qed.
End Targets.

(* the policy that V-trace evaluates: mu reweighted by the truncated ratios *)
Definition reweighted (F : fieldType) (S : Type) (A : finType) (mu rho : S -> A -> F) s a :=
  mu s a * rho s a / \sum_b mu s b * rho s b.

Section Contraction.
Variables (F : realFieldType) (S A : finType) (P : S -> A -> S -> F) (r : S -> A -> F) (gam : F).
Hypotheses (P0 : forall s a s', 0 <= P s a s') (P1 : forall s a, \sum_s' P s a s' = 1) (g0 : 0 <= gam) (g1 : gam < 1).
Variables (mu rho c pi : S -> A -> F) (mu0 : forall s a, 0 <= mu s a) (mu1 : forall s, \sum_a mu s a = 1).

Lemma mean_norm (p x : A -> F) e : (forall a, 0 <= p a) -> (forall a, `|x a| <= e) ->
  `|\sum_a p a * x a| <= (\sum_a p a) * e.
Proof.
move=> p0 xe; apply: (le_trans (ler_norm_sum _ _ _)); rewrite mulr_suml; apply: ler_sum => a _.
by rewrite normrM (ger0_norm (p0 a)) ler_wpmul2l.
Qed.

Lemma next_norm (x : S -> F) s a e : (forall s', `|x s'| <= e) -> `|\sum_s' P s a s' * x s'| <= e.
Proof.
move=> xe; apply: (le_trans (y := (\sum_s' P s a s') * e)); last by rewrite P1 mul1r.
apply: (le_trans (ler_norm_sum _ _ _)); rewrite mulr_suml; apply: ler_sum => s' _.
by rewrite normrM (ger0_norm (P0 _ _ _)) ler_wpmul2l.
Qed.

(* the value of the reweighted policy has mean error zero *)
Lemma reweighted_value W : (forall s, \sum_a mu s a * rho s a != 0) ->
  (forall s, W s = \sum_a reweighted mu rho s a * (r s a + gam * \sum_s' P s a s' * W s')) ->
  forall s, \sum_a mu s a * (rho s a * (r s a + gam * (\sum_s' P s a s' * W s') - W s)) = 0.
Proof.
move=> z0 WE s; rewrite (eq_bigr (fun a => mu s a * rho s a * (r s a + gam * \sum_s' P s a s' * W s') -
  mu s a * rho s a * W s)) => [|a _]; last by rewrite mulrA mulrBr.
rewrite sumrB -mulr_suml WE mulr_sumr -sumrB big1 // => a _.
rewrite /reweighted; move: (r s a + _) (z0 s) => x; move: (\sum_b _) => z z1.
by field.
Qed.

Lemma contraction_unique (I : finType) (x y : I -> F) eta : eta < 1 ->
  (forall e, (forall i, `|x i - y i| <= e) -> forall i, `|x i - y i| <= eta * e) -> x =1 y.
Proof.
move=> eta1 con i; have [m _ mmax] := arg_maxP (fun i => `|x i - y i|) (erefl true : xpredT i).
have h := con _ (fun j => mmax j isT) m.
have m0 : `|x m - y m| <= 0 by rewrite leNgt; apply/negP => pos; move: h; rewrite ler_pmull // leNgt eta1.
by apply/eqP; rewrite -subr_eq0 -normr_le0; exact: le_trans (mmax i isT) m0.
Qed.

(* T60: for traces 0 <= c <= rho of mean at most one, every V-trace of at least one step contracts towards the value Ws of
   the reweighted policy, with factor 1 - (1 - gam) m, m the least mean of rho; *)
Theorem T60_vtrace_contraction W Ws m e n : (forall s a, 0 <= c s a <= rho s a) ->
  (forall s, m <= \sum_a mu s a * rho s a <= 1) -> 0 < m ->
  (forall s, Ws s = \sum_a reweighted mu rho s a * (r s a + gam * \sum_s' P s a s' * Ws s')) ->
  (forall s, `|W s - Ws s| <= e) ->
  forall s, `|vtrace_mean P r gam mu rho c W n.+1 s - Ws s| <= (1 - (1 - gam) * m) * e.
Proof.
move=> cr mb m0 WsE We.
have z0 s : \sum_a mu s a * rho s a != 0 by rewrite gt_eqF // (lt_le_trans m0) //; case/andP: (mb s).
have Ws0 := reweighted_value z0 WsE.
pose X k s := vtrace_mean P r gam mu rho c W k s.
have step k s : X k.+1 s - Ws s = (1 - \sum_a mu s a * rho s a) * (W s - Ws s) +
    gam * \sum_a (mu s a * (rho s a - c s a) * (\sum_s' P s a s' * (W s' - Ws s')) +
                  mu s a * c s a * (\sum_s' P s a s' * (X k s' - Ws s'))).
  rewrite /X vtrace_meanS // -[LHS]subr0 -[X in _ - X = _](Ws0 s) -/(X k). 
  set B := \sum_a mu s a * (c s a * \sum_s' P s a s' * (X k s' - W s')).
  set T := \sum_a mu s a * (rho s a * (r s a + gam * (\sum_s' P s a s' * W s') - W s)).
  set T' := \sum_a mu s a * (rho s a * (r s a + gam * (\sum_s' P s a s' * Ws s') - Ws s)).
  have -> : W s + T + gam * B - Ws s - T' = (W s - Ws s) + (T - T' + gam * B) by ring.
  rewrite mulrBl mul1r -[RHS]addrA; congr (_ + _); rewrite /T /T' /B mulr_suml !mulr_sumr -!sumrN -!big_split /=.
  apply: eq_bigr => a _.
  have split1 (x y : S -> F) : \sum_s' P s a s' * (x s' - y s') = (\sum_s' P s a s' * x s') - \sum_s' P s a s' * y s'.
    by rewrite -sumrB; apply: eq_bigr => s' _; rewrite mulrBr.
  rewrite !split1; move: (\sum_s' P s a s' * W s') (\sum_s' P s a s' * Ws s') (\sum_s' P s a s' * X k s') => u v w; ring.
have bound k s : (forall x, `|X k x - Ws x| <= e) -> `|X k.+1 s - Ws s| <= (1 - (1 - gam) * m) * e.
  move=> Xe; have e0 : 0 <= e by exact: le_trans (normr_ge0 _) (We s).
  have /andP[mM M1] := mb s; rewrite step; set M := \sum_a _ in mM M1 *.
  apply: (le_trans (ler_norm_add _ _)).
  apply: (le_trans (y := (1 - M) * e + gam * (M * e))); last first.
    rewrite -subr_ge0; have -> : (1 - (1 - gam) * m) * e - ((1 - M) * e + gam * (M * e)) = (1 - gam) * ((M - m) * e) by ring.
    by rewrite !mulr_ge0 // subr_ge0 // ltW.
  apply: ler_add; first by rewrite normrM ger0_norm ?subr_ge0 // ler_wpmul2l // subr_ge0.
  rewrite normrM (ger0_norm g0) ler_wpmul2l //; apply: (le_trans (ler_norm_sum _ _ _)).
  rewrite /M mulr_suml; apply: ler_sum => a _; have /andP[c0 c1] := cr s a.
  have -> : mu s a * rho s a * e = mu s a * (rho s a - c s a) * e + mu s a * c s a * e by ring.
  apply: (le_trans (ler_norm_add _ _)); apply: ler_add; rewrite normrM ger0_norm ?mulr_ge0 ?subr_ge0 //.
    by rewrite ler_wpmul2l ?mulr_ge0 ?subr_ge0 //; exact: next_norm.
  by rewrite ler_wpmul2l ?mulr_ge0 //; exact: next_norm.
have eta1 : 1 - (1 - gam) * m <= 1 by rewrite ler_subl_addr ler_addl mulr_ge0 ?subr_ge0 // ltW.
suff all k s : `|X k s - Ws s| <= e by move=> s; exact: bound.
elim: k s => [|k IH] s; first by rewrite /X /vtrace_mean Etraj0; exact: We.
apply: (le_trans (bound k s IH)); rewrite ler_pimull //; exact: le_trans (normr_ge0 _) (We s).
Qed.

(* so that this value is the only fixed point. *)
Theorem T60_vtrace_unique W Ws m n : (forall s a, 0 <= c s a <= rho s a) ->
  (forall s, m <= \sum_a mu s a * rho s a <= 1) -> 0 < m ->
  (forall s, Ws s = \sum_a reweighted mu rho s a * (r s a + gam * \sum_s' P s a s' * Ws s')) ->
  (forall s, vtrace_mean P r gam mu rho c W n.+1 s = W s) -> W =1 Ws.
Proof.
move=> cr mb m0 WsE fix_; apply: (@contraction_unique _ _ _ (1 - (1 - gam) * m)) => [|e We s].
  by rewrite ltr_subl_addr ltr_addl mulr_gt0 // subr_gt0.
by rewrite -(fix_ s); exact: T60_vtrace_contraction.
Qed.

(* T60: for traces 0 <= mu c <= pi, c = min(1, pi / mu) for instance, every Retrace contracts with factor gam towards the
   action value of pi, which is its fixed point; *)
Theorem T60_retrace_contraction (q qs : S -> A -> F) e n : (forall s a, 0 <= mu s a * c s a <= pi s a) ->
  (forall s, \sum_a pi s a = 1) ->
  (forall s a, qs s a = r s a + gam * \sum_s' P s a s' * \sum_b pi s' b * qs s' b) ->
  (forall s a, `|q s a - qs s a| <= e) ->
  forall s a, `|retrace_mean P r gam mu pi c q n s a - qs s a| <= gam * e.
Proof.
move=> cb pi1 qsE qe; have pi0 s a : 0 <= pi s a by have /andP[h k] := cb s a; exact: le_trans h k.
have ee (s : S) (a : A) : 0 <= e by exact: le_trans (normr_ge0 _) (qe s a).
have step k s a : retrace_mean P r gam mu pi c q k s a - qs s a = gam * \sum_s' P s a s' *
   ((\sum_b pi s' b * (q s' b - qs s' b)) + Etraj P mu k s' (retrace_tail r gam pi c q s')).
  rewrite retrace_meanE // [qs s a]qsE opprD addrACA subrr add0r -mulrBr -sumrB; congr (_ * _).
  apply: eq_bigr => s' _; rewrite -mulrBr addrAC -sumrB; congr (_ * (_ + _)).
  by apply: eq_bigr => b _; rewrite mulrBr.
elim: n => [|n IH] s a; rewrite step normrM (ger0_norm g0) ler_wpmul2l //; apply: next_norm => s'.
  rewrite Etraj0 addr0 -[X in _ <= X]mul1r -(pi1 s'); exact: mean_norm.
rewrite retrace_tail_mean // -big_split /=.
apply: (le_trans (ler_norm_sum _ _ _)); apply: (le_trans (y := \sum_b pi s' b * e)); last by rewrite -mulr_suml pi1 mul1r.
apply: ler_sum => b _; have /andP[h k] := cb s' b.
have -> : pi s' b * (q s' b - qs s' b) + mu s' b * (c s' b * (retrace_mean P r gam mu pi c q n s' b - q s' b)) =
  (pi s' b - mu s' b * c s' b) * (q s' b - qs s' b) + mu s' b * c s' b * (retrace_mean P r gam mu pi c q n s' b - qs s' b).
  by move: (retrace_mean _ _ _ _ _ _ _ _ _ _) => u; ring.
have -> : pi s' b * e = (pi s' b - mu s' b * c s' b) * e + mu s' b * c s' b * e by ring.
apply: (le_trans (ler_norm_add _ _)); apply: ler_add.
  by rewrite normrM ger0_norm ?subr_ge0 // ler_wpmul2l ?subr_ge0.
rewrite normrM ger0_norm // ler_wpmul2l //.
apply: le_trans (IH s' b) _.
by rewrite ler_pimull ?(ltW g1) // (ee s' b).
Qed.

Theorem T60_retrace_fixed_point qs n : (forall s a, 0 <= mu s a * c s a <= pi s a) ->
  (forall s, \sum_a pi s a = 1) ->
  (forall s a, qs s a = r s a + gam * \sum_s' P s a s' * \sum_b pi s' b * qs s' b) ->
  forall s a, retrace_mean P r gam mu pi c qs n s a = qs s a.
Proof.
move=> cb pi1 qsE s a; apply/eqP; rewrite -subr_eq0 -normr_le0 -(mulr0 gam).
by apply: T60_retrace_contraction => // x b; rewrite subrr normr0.
Qed.

(* and the only one. *)
Theorem T60_retrace_unique q qs n : (forall s a, 0 <= mu s a * c s a <= pi s a) ->
  (forall s, \sum_a pi s a = 1) ->
  (forall s a, qs s a = r s a + gam * \sum_s' P s a s' * \sum_b pi s' b * qs s' b) ->
  (forall s a, retrace_mean P r gam mu pi c q n s a = q s a) -> forall s a, q s a = qs s a.
Proof.
move=> cb pi1 qsE fix_ s a.
apply: (@contraction_unique _ (fun x => q x.1 x.2) (fun x => qs x.1 x.2) gam g1 _ (s, a)) => e qe [x b].
rewrite /= -(fix_ x b); apply: T60_retrace_contraction => // y d; exact: (qe (y, d)).
Qed.
End Contraction.
