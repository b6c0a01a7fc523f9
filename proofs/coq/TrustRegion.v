(* The surrogate of a trust region, the advantage of pi' along the visits of pi, misses the true improvement by at most
   4 gam eps alpha^2 / (1 - gam)^2 (T54), eps the greatest advantage and alpha the greatest total variation; a mixture
   of policies is a case. Source: Kakade, Langford (2002), theorem 4.1; Schulman et al. (2015), theorem 1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted DiscountedPerformanceDifference DiscountedPolicyImprovement Policy MismatchBound ResolventBounds.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section TrustRegion.
Variables (F : realFieldType) (n : nat) (A : finType).
Variables (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F).
Hypotheses (P0 : forall a s s', 0 <= P a s s') (P1 : forall a s, \sum_s' P a s s' <= 1)
  (g0 : 0 <= gam) (g1 : gam < 1).
Variables (pi pi' : 'I_n -> A -> F) (pp : policy pi) (pp' : policy pi') (eps alpha : F).
Local Notation V := (V P r gam pi).
Local Notation Q := (Q P r gam pi).
Hypotheses (advantage_le : forall s a, `|Q s a - V s 0| <= eps)
  (tv_le : forall s, \sum_a `|pi' s a - pi s a| <= 2%:R * alpha).

(* a function bounded by B changes its mean by at most 2 alpha B *)
Lemma tv_mean (x : A -> F) B s : (forall a, `|x a| <= B) ->
  `|\sum_a (pi' s a - pi s a) * x a| <= 2%:R * alpha * B.
Proof.
move=> xB; have [a0 _|none] := pickP (fun _ : A => true); last first.
  by have /eqP := proj2 pp s; rewrite big_pred0 // eq_sym oner_eq0.
have B0 : 0 <= B by exact: le_trans (normr_ge0 _) (xB a0).
apply: (le_trans (ler_norm_sum _ _ _)); apply: (le_trans (y := (\sum_a `|pi' s a - pi s a|) * B)).
  by rewrite mulr_suml; apply: ler_sum => a _; rewrite normrM ler_wpmul2l.
by rewrite ler_wpmul2r.
Qed.

Let c : 'cV[F]_n := \col_s \sum_a pi' s a * (Q s a - V s 0).
Let N p := invmx (Tpi P gam p).

Lemma surrogate_state s : `|(N pi' *m c - N pi *m c) s 0| <= 4%:R * gam * eps * alpha ^+ 2 / (1 - gam) ^+ 2.
Proof.
have h : 1 - gam != 0 by rewrite subr_eq0 eq_sym lt_eqF.
have U := Tpi_unit P0 P1 g0 g1 pp; have U' := Tpi_unit P0 P1 g0 g1 pp'.
set x := N pi *m c.
have cE y : `|c y 0| <= 2%:R * alpha * eps.
  rewrite mxE (_ : \sum_a _ = \sum_a (pi' y a - pi y a) * (Q y a - V y 0)); first exact: tv_mean.
  under [RHS]eq_bigr => a _ do rewrite mulrBl.
  by rewrite sumrB (advantage_mean r P0 P1 g0 g1 pp) subr0.
have xB y : `|x y 0| <= 2%:R * alpha * eps / (1 - gam) by exact: (resolvent_norm P0 P1 g0 g1 pp _ cE).
have -> : N pi' *m c - x = N pi' *m (gam *: (Ppi P pi' *m x - Ppi P pi *m x)).
  have cx : c = Tpi P gam pi *m x by rewrite mulKVmx.
  have -> : gam *: (Ppi P pi' *m x - Ppi P pi *m x) = c - Tpi P gam pi' *m x.
    rewrite {1}cx /Tpi !mulmxBl -!scalemxAl scalerBr.
    by rewrite opprB [RHS]addrC addrA subrK.
  by rewrite mulmxBr mulKmx.
have -> : 4%:R * gam * eps * alpha ^+ 2 / (1 - gam) ^+ 2 =
  gam * (2%:R * alpha * (2%:R * alpha * eps / (1 - gam))) / (1 - gam) by field.
apply: (resolvent_norm P0 P1 g0 g1 pp') => y.
rewrite [X in `|X|]mxE normrM (ger0_norm g0) ler_wpmul2l //.
have -> : (Ppi P pi' *m x - Ppi P pi *m x) y 0 = \sum_a (pi' y a - pi y a) * (P a *m x) y 0.
  rewrite [LHS]mxE [X in _ + X]mxE !PpiE -sumrB; by apply: eq_bigr => a _; rewrite mulrBl.
by apply: tv_mean => a; exact: (transition_norm P0 P1).
Qed.

(* T54: both sides; the surrogate is also no lower than the truth minus the same term. *)
Theorem T54_trust_region (mu : 'rV[F]_n) : (forall s, 0 <= mu 0 s) -> \sum_s mu 0 s = 1 ->
  `|(mu *m Discounted.V P r gam pi') 0 0 - (mu *m V) 0 0 -
    \sum_s occupancy P gam pi mu 0 s * \sum_a pi' s a * (Q s a - V s 0)|
  <= 4%:R * gam * eps * alpha ^+ 2 / (1 - gam) ^+ 2.
Proof.
move=> mu0 mu1; pose K := 4%:R * gam * eps * alpha ^+ 2 / (1 - gam) ^+ 2; rewrite -/K.
have dE p : (\sum_s occupancy P gam p mu 0 s * \sum_a pi' s a * (Q s a - V s 0)) = (mu *m (N p *m c)) 0 0.
  by rewrite mulmxA mxE; apply: eq_bigr => s _; rewrite [X in _ = _ * X]mxE.
rewrite (occupancy_difference r pi mu (Tpi_unit P0 P1 g0 g1 pp') (proj2 pp')) !dE.
have -> : (mu *m (N pi' *m c)) 0 0 - (mu *m (N pi *m c)) 0 0 = (mu *m (N pi' *m c - N pi *m c)) 0 0.
  by rewrite mulmxBr [RHS]mxE [X in _ = _ + X]mxE.
rewrite mxE; apply: (le_trans (ler_norm_sum _ _ _)); rewrite -[K]mul1r -mu1 mulr_suml.
by apply: ler_sum => s _; rewrite normrM (ger0_norm (mu0 s)) ler_wpmul2l // surrogate_state.
Qed.

(* T54: the lower bound that the algorithms maximise *)
Theorem T54_trust_region_lower (mu : 'rV[F]_n) : (forall s, 0 <= mu 0 s) -> \sum_s mu 0 s = 1 ->
  (\sum_s occupancy P gam pi mu 0 s * \sum_a pi' s a * (Q s a - V s 0)) -
    4%:R * gam * eps * alpha ^+ 2 / (1 - gam) ^+ 2
  <= (mu *m Discounted.V P r gam pi') 0 0 - (mu *m V) 0 0.
Proof.
move=> mu0 mu1; have := T54_trust_region mu0 mu1; rewrite ler_norml => /andP[h _].
by rewrite addrC -ler_subr_addr.
Qed.
End TrustRegion.

(* T54 for a mixture (1 - w) pi + w pb, as conservative policy iteration takes it: the first-order gain is w times the
   advantage of pb, the loss is of second order in w. *)
Theorem T54_conservative_mixture (F : realFieldType) (n : nat) (A : finType)
    (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F) (pi pb : 'I_n -> A -> F) (eps w : F) (mu : 'rV[F]_n)
    (pi' := fun s a => (1 - w) * pi s a + w * pb s a) :
  (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
  policy pi -> policy pb -> 0 <= w -> w <= 1 -> (forall s, 0 <= mu 0 s) -> \sum_s mu 0 s = 1 ->
  (forall s a, `|Q P r gam pi s a - V P r gam pi s 0| <= eps) ->
  w * (\sum_s occupancy P gam pi mu 0 s * \sum_a pb s a * (Q P r gam pi s a - V P r gam pi s 0)) -
    4%:R * gam * eps * w ^+ 2 / (1 - gam) ^+ 2
  <= (mu *m V P r gam pi') 0 0 - (mu *m V P r gam pi) 0 0.
Proof.
move=> P0 P1 g0 g1 pp pb_ w0 w1 mu0 mu1 adv; have [p0 p1] := pp; have [q0 q1] := pb_.
have pp' : policy pi'.
  split=> s => [a|]; first by rewrite addr_ge0 // mulr_ge0 // subr_ge0.
  by rewrite big_split /= -!mulr_sumr p1 q1 !mulr1 subrK.
have tv s : \sum_a `|pi' s a - pi s a| <= 2%:R * w.
  rewrite (eq_bigr (fun a => w * `|pb s a - pi s a|)) => [|a _]; last first.
    by rewrite -{1}(ger0_norm w0) -normrM; congr `|_|; rewrite /pi'; ring.
  rewrite -mulr_sumr mulrC ler_wpmul2r //; apply: (le_trans (y := \sum_a (pb s a + pi s a))).
    apply: ler_sum => a _; apply: (le_trans (ler_norm_sub _ _)).
    by rewrite !ger0_norm.
  by rewrite big_split /= p1 q1.
apply: le_trans (T54_trust_region_lower P0 P1 g0 g1 pp pp' adv tv mu0 mu1).
rewrite ler_sub // mulr_sumr; apply: ler_sum => s _; rewrite mulrCA ler_wpmul2l ?(occupancy_ge0 P0 P1) //.
rewrite le_eqVlt; apply/orP; left; apply/eqP.
rewrite mulr_sumr -[LHS]addr0 -[X in _ + X](mulr0 (1 - w)) -[in X in _ + X](advantage_mean r P0 P1 g0 g1 pp s).
rewrite mulr_sumr -big_split /=; apply: eq_bigr => a _; rewrite /pi'.
by move: (Q _ _ _ _ _ _) (V _ _ _ _ _ _) => x y; ring.
Qed.
