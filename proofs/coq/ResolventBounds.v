(* Sizes in the discounted process: what (I - gam P_pi)^-1 does to bounds, the mass of an occupancy, the range of a value,
   and the performance difference with a start law. Source: Puterman (1994), sections 6.1 and 6.9. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted DiscountedPerformanceDifference Resolvent DiscountedPolicyImprovement Policy.
From PG Require Import MismatchBound.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* performance difference with a start law; only the NEW policy must be normalised *)
Lemma occupancy_difference (F : fieldType) (n : nat) (A : finType) (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) gam
    pi pi' (mu : 'rV[F]_n) : Tpi P gam pi' \in unitmx -> (forall s, \sum_a pi' s a = 1) ->
  (mu *m V P r gam pi') 0 0 - (mu *m V P r gam pi) 0 0 =
  \sum_s occupancy P gam pi' mu 0 s * \sum_a pi' s a * (Q P r gam pi s a - V P r gam pi s 0).
Proof.
move=> U p1; transitivity ((mu *m (V P r gam pi' - V P r gam pi)) 0 0).
  by rewrite mulmxBr [in RHS]mxE [X in _ = _ + X]mxE.
rewrite (T16_performance_difference_discounted r pi U p1) mulmxA mxE.
by apply: eq_bigr => s _; rewrite [X in _ * X = _]mxE.
Qed.

Section Bounds.
Variables (F : realFieldType) (n : nat) (A : finType).
Variables (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F).
Hypotheses (P0 : forall a s s', 0 <= P a s s') (P1 : forall a s, \sum_s' P a s s' <= 1)
  (g0 : 0 <= gam) (g1 : gam < 1).

Lemma transition_norm (x : 'cV[F]_n) B a s : (forall s', `|x s' 0| <= B) -> `|(P a *m x) s 0| <= B.
Proof.
move=> xB; rewrite mxE; apply: (le_trans (ler_norm_sum _ _ _)).
apply: (le_trans (y := (\sum_s' P a s s') * B)); last by rewrite ler_pimull // (le_trans _ (xB s)).
by rewrite mulr_suml; apply: ler_sum => s' _; rewrite normrM (ger0_norm (P0 _ _ _)) ler_wpmul2l.
Qed.

Variables (pi : 'I_n -> A -> F) (pp : policy pi).
Local Notation N := (invmx (Tpi P gam pi)).

Lemma resolvent_mono (c : 'cV[F]_n) s : (forall x, 0 <= c x 0) -> 0 <= (N *m c) s 0.
Proof. by move=> c0; rewrite mxE sumr_ge0 // => x _; rewrite mulr_ge0 // (resolvent_ge0 P0 P1). Qed.

Lemma resolvent_le (c : 'cV[F]_n) B s : (forall x, c x 0 <= B) -> 0 <= B -> (N *m c) s 0 <= B / (1 - gam).
Proof.
move=> cB B0; have h : 1 - gam != 0 by rewrite subr_eq0 eq_sym lt_eqF.
pose K : 'cV[F]_n := const_mx (B / (1 - gam)).
rewrite -subr_ge0; have -> : B / (1 - gam) - (N *m c) s 0 = (N *m (Tpi P gam pi *m K - c)) s 0.
  by rewrite mulmxBr mulKmx ?(Tpi_unit P0 P1) // [RHS]mxE [X in _ = _ + X]mxE [X in _ = X + _]mxE.
apply: resolvent_mono => x; rewrite mxE [X in _ + X]mxE subr_ge0; apply: (le_trans (cB x)).
have -> : (Tpi P gam pi *m K) x 0 = (1 - gam * \sum_y Ppi P pi x y) * (B / (1 - gam)).
  rewrite mulmxBl mul1mx -scalemxAl [LHS]mxE [X in X + _ = _]mxE [X in _ + X = _]mxE [X in _ - X = _]mxE.
  rewrite [X in _ - _ * X = _]mxE mulrBl mul1r; congr (_ - _).
  by rewrite -mulrA mulr_suml; congr (_ * _); apply: eq_bigr => y _; rewrite [X in _ * X]mxE.
rewrite -{1}[B](divfK h) mulrC ler_wpmul2r ?divr_ge0 ?subr_ge0 ?(ltW g1) // ler_add2l ler_opp2 ler_pimulr //.
exact: Ppi_sum_le.
Qed.

Lemma resolvent_norm (c : 'cV[F]_n) B s : (forall x, `|c x 0| <= B) -> `|(N *m c) s 0| <= B / (1 - gam).
Proof.
move=> cB; have B0 : 0 <= B by exact: le_trans (normr_ge0 _) (cB s).
have up x : c x 0 <= B /\ (- c) x 0 <= B.
  by rewrite [(- c) x 0]mxE; have := cB x; rewrite ler_norml => /andP[h ->]; rewrite ler_oppl h.
rewrite ler_norml resolvent_le ?andbT => [|x|//]; last by case: (up x).
have := @resolvent_le (- c) B s (fun x => proj2 (up x)) B0.
by rewrite mulmxN mxE ler_oppl.
Qed.

Lemma occupancy_mass (mu : 'rV[F]_n) : (forall s, 0 <= mu 0 s) ->
  \sum_s occupancy P gam pi mu 0 s <= (\sum_s mu 0 s) / (1 - gam).
Proof.
move=> mu0; have -> : \sum_s occupancy P gam pi mu 0 s = (mu *m (N *m const_mx 1 : 'cV_n)) 0 0.
  by rewrite mulmxA mxE; apply: eq_bigr => s _; rewrite [X in _ = _ * X]mxE mulr1.
rewrite mxE mulr_suml; apply: ler_sum => s _; rewrite ler_wpmul2l // -[X in _ <= X]mul1r.
by apply: resolvent_le => [x|]; rewrite ?mxE ?ler01.
Qed.

Lemma value_bounds R s : (forall a x, 0 <= r a x 0 <= R) -> 0 <= R -> 0 <= V P r gam pi s 0 <= R / (1 - gam).
Proof.
case: pp => p0 p1 rb R0; apply/andP; split.
  apply: resolvent_mono => x; rewrite mxE sumr_ge0 // => a _.
  by rewrite mulr_ge0 //; case/andP: (rb a x).
apply: resolvent_le => // x; rewrite mxE -[R]mul1r -(p1 x) mulr_suml; apply: ler_sum => a _.
by rewrite ler_wpmul2l //; case/andP: (rb a x).
Qed.

Lemma advantage_mean s : \sum_a pi s a * (Q P r gam pi s a - V P r gam pi s 0) = 0.
Proof.
rewrite (eq_bigr (fun a => pi s a * Q P r gam pi s a - pi s a * V P r gam pi s 0)); last by move=> a _; rewrite mulrBr.
by rewrite sumrB -mulr_suml (proj2 pp) mul1r (V_Q _ s (Tpi_unit P0 P1 g0 g1 pp)) subrr.
Qed.
End Bounds.
