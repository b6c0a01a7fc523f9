(* The Bellman optimality operator contracts with factor gam; some deterministic policy is optimal from every state, and
   its value is the only fixed point (T56). Source: Puterman (1994), theorem 6.2.10. No completeness: any ordered field,
   because the best of the finitely many deterministic policies does it. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted DiscountedPerformanceDifference DiscountedPolicyImprovement Policy MismatchBound ResolventBounds.
From PG Require Import DeterministicPolicy.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section BellmanOptimality.
Variables (F : realFieldType) (n : nat) (A : finType) (a0 : A).
Variables (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F).
Hypotheses (P0 : forall a s s', 0 <= P a s s') (P1 : forall a s, \sum_s' P a s s' <= 1)
  (g0 : 0 <= gam) (g1 : gam < 1).
Local Notation V := (V P r gam).
Local Notation Q := (Q P r gam).

Definition greatest (q : A -> F) := q [arg max_(a > a0) q a]%O.
Lemma greatest_ge q a : q a <= greatest q.
Proof. by rewrite /greatest; case: arg_maxP => // b _; apply. Qed.
Lemma greatest_le q m : (forall a, q a <= m) -> greatest q <= m.
Proof. exact. Qed.

Definition lookahead (X : 'cV[F]_n) s a := r a s 0 + gam * (P a *m X) s 0.
Definition bellman (X : 'cV[F]_n) : 'cV[F]_n := \col_s greatest (lookahead X s).

Lemma lookahead_dist (X Y : 'cV[F]_n) e : (forall s, `|X s 0 - Y s 0| <= e) ->
  forall s a, `|lookahead X s a - lookahead Y s a| <= gam * e.
Proof.
move=> XY s a; have -> : lookahead X s a - lookahead Y s a = gam * (P a *m (X - Y)) s 0.
  rewrite mulmxBr [in RHS]mxE [X in _ * (_ + X)]mxE /lookahead.
  by move: ((P a *m X) s 0) ((P a *m Y) s 0) => x y; ring.
rewrite normrM (ger0_norm g0) ler_wpmul2l //; apply: (transition_norm P0 P1) => y.
by rewrite mxE [X in `|_ + X|]mxE.
Qed.

(* T56: gam-contraction in the supremum norm *)
Theorem T56_bellman_contraction (X Y : 'cV[F]_n) e : (forall s, `|X s 0 - Y s 0| <= e) ->
  forall s, `|bellman X s 0 - bellman Y s 0| <= gam * e.
Proof.
move=> XY s; have d := lookahead_dist XY s.
have dl a : lookahead X s a <= lookahead Y s a + gam * e /\ lookahead Y s a <= lookahead X s a + gam * e.
  have := d a; rewrite ler_norml => /andP[h k]; split; first by rewrite -ler_subl_addl.
  by rewrite -ler_subl_addl -opprB ler_oppl.
rewrite !mxE ler_norml ler_oppl opprB !ler_subl_addr [_ * e + _]addrC [gam * e + _]addrC; apply/andP; split.
  by apply: greatest_le => a; apply: (le_trans (proj2 (dl a))); rewrite ler_add2r greatest_ge.
apply: greatest_le => a; apply: (le_trans (proj1 (dl a))).
by rewrite ler_add2r greatest_ge.
Qed.

(* two fixed points are equal *)
Lemma bellman_unique (X Y : 'cV[F]_n) : bellman X = X -> bellman Y = Y -> X = Y.
Proof.
move=> fX fY; apply/colP => s; have [m _ mmax] := arg_maxP (fun s => `|X s 0 - Y s 0|) (erefl true : xpredT s).
have := T56_bellman_contraction (fun x => mmax x isT) m; rewrite fX fY => h.
have : `|X m 0 - Y m 0| <= 0.
  by rewrite leNgt; apply/negP => pos; move: h; rewrite ler_pmull // leNgt g1.
move=> m0; apply/eqP; rewrite -subr_eq0 -normr_le0; exact: le_trans (mmax s isT) m0.
Qed.

Local Notation D f := (det F f).

Lemma V_det f s : V (D f) s 0 = Q (D f) s (f s).
Proof. by rewrite (V_Q _ s (Tpi_unit P0 P1 g0 g1 (det_policy F f))) det_sum. Qed.

(* T56: one deterministic policy is best from every state, among all policies; its value solves the optimality
   equation, and nothing else does. *)
Theorem T56_optimal_deterministic_policy : exists f : 'I_n -> A,
  [/\ forall pi, policy pi -> forall s, V pi s 0 <= V (D f) s 0,
      bellman (V (D f)) = V (D f) &
      forall X, bellman X = X -> X = V (D f)].
Proof.
pose total (f : {ffun 'I_n -> A}) := \sum_s V (D f) s 0.
have [f _ fmax] := arg_maxP total (erefl true : xpredT [ffun=> a0]).
pose g : {ffun 'I_n -> A} := [ffun s => [arg max_(a > a0) Q (D f) s a]%O].
have gP s a : Q (D f) s a <= Q (D f) s (g s) by rewrite ffunE; exact: (greatest_ge (Q (D f) s)).
have up : forall s, V (D f) s 0 <= V (D g) s 0.
  apply: (T33_policy_improvement_discounted P0 P1 g0 g1 (det_policy F g)) => s.
  by rewrite det_sum subr_ge0 V_det.
have same s : V (D g) s 0 = V (D f) s 0.
  have le0 : \sum_s V (D g) s 0 <= \sum_s V (D f) s 0 by exact: (fmax g isT).
  have d0 x : 0 <= V (D g) x 0 - V (D f) x 0 by rewrite subr_ge0.
  have t0 : \sum_s (V (D g) s 0 - V (D f) s 0) = 0.
    by apply/eqP; rewrite eq_le sumr_ge0 // andbT sumrB subr_le0.
  by apply/eqP; rewrite -subr_eq0; apply/eqP; exact: (psumr_eq0P (fun x _ => d0 x) t0).
have VE : V (D g) = V (D f) by apply/colP => s; exact: same.
have opt s a : Q (D f) s a <= V (D f) s 0.
  by apply: (le_trans (gP s a)); rewrite -same V_det /Q VE.
exists f; split=> [pi pp s| |X fX].
- rewrite -subr_ge0; have -> : V (D f) s 0 - V pi s 0 = - (V pi - V (D f)) s 0.
    by rewrite [in RHS]mxE [X in - (_ + X)]mxE opprB.
  rewrite (T16_performance_difference_discounted r _ (Tpi_unit P0 P1 g0 g1 pp) (proj2 pp)).
  have negE (x : 'cV[F]_n) : - x s 0 = (- x) s 0 by rewrite mxE.
  rewrite negE -mulmxN; apply: (resolvent_mono P0 P1 g0 g1 pp) => x; rewrite mxE oppr_ge0 [X in X <= _]mxE.
  rewrite -oppr_ge0 -sumrN sumr_ge0 // => a _; rewrite -mulrN mulr_ge0 //; first by case: pp.
  by rewrite opprB subr_ge0.
- apply/colP => s; rewrite mxE; apply/eqP; rewrite eq_le; apply/andP; split; first exact/greatest_le/opt.
  by rewrite [X in X <= _]V_det; exact: (greatest_ge (lookahead (V (D f)) s)).
- by apply: bellman_unique => //; apply/colP => s; rewrite mxE; apply/eqP; rewrite eq_le; apply/andP; split;
    [exact/greatest_le/opt | rewrite [X in X <= _]V_det; exact: (greatest_ge (lookahead (V (D f)) s))].
Qed.
End BellmanOptimality.
