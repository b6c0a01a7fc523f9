(* The natural policy gradient of a softmax policy, from any positive start, is within D / (eta T) + 1 / ((1 - gam)^2 T)
   of every policy after T steps (T53). Source: Agarwal, Kakade, Lee, Mahajan (2021), theorem 16. The comparison policy
   is any, exp and log are any pair with the laws of ExpLog.v. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted DiscountedPolicyImprovement Policy MismatchBound ResolventBounds.
From PG Require Import ExpLog KullbackLeibler.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section NaturalRate.
Variables (F : realFieldType) (ex ln : F -> F) (el : explog ex ln).
Variables (n : nat) (A : finType) (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam eta : F).
Hypotheses (P0 : forall a s s', 0 <= P a s s') (P1 : forall a s, \sum_s' P a s s' <= 1)
  (g0 : 0 <= gam) (g1 : gam < 1) (r01 : forall a s, 0 <= r a s 0 <= 1) (eta0 : 0 < eta).
Local Notation V := (V P r gam).
Local Notation Q := (Q P r gam).
Local Notation d := (occupancy P gam).

Definition advantage pi s a := Q pi s a - V pi s 0.
Definition normaliser pi s := \sum_b pi s b * ex (eta / (1 - gam) * advantage pi s b).
(* theta += eta / (1 - gam) advantage, in terms of probabilities (T24) *)
Definition natural_step pi s a := pi s a * ex (eta / (1 - gam) * advantage pi s a) / normaliser pi s.

Definition positive (pi : 'I_n -> A -> F) := policy pi /\ forall s a, 0 < pi s a.

Let h : 0 < 1 - gam. Proof. by rewrite subr_gt0. Qed.

Section Step.
Variables (pi : 'I_n -> A -> F) (pp : positive pi).

(* by 1 + x <= exp x, and because the mean advantage is 0 *)
Lemma normaliser_ge1 s : 1 <= normaliser pi s.
Proof.
have [pol _] := pp; have [p0 p1] := pol.
apply: (le_trans (y := \sum_b pi s b * (1 + eta / (1 - gam) * advantage pi s b))).
  rewrite (eq_bigr (fun b => pi s b + eta / (1 - gam) * (pi s b * advantage pi s b))) => [|b _]; last by ring.
  by rewrite big_split /= -mulr_sumr p1 (advantage_mean r P0 P1 g0 g1 pol) mulr0 addr0.
by apply: ler_sum => b _; rewrite ler_wpmul2l // (ex_ge1D el).
Qed.

Let Z0 s : 0 < normaliser pi s. Proof. exact: lt_le_trans ltr01 (normaliser_ge1 s). Qed.

Lemma natural_step_positive : positive (natural_step pi).
Proof.
have [_ p0] := pp; split; last by move=> s a; rewrite divr_gt0 ?mulr_gt0 ?(ex_gt0 el).
split=> s => [a|]; first by rewrite ltW // divr_gt0 ?mulr_gt0 ?(ex_gt0 el).
by rewrite /natural_step -mulr_suml -/(normaliser pi s) divff // gt_eqF.
Qed.

Lemma advantage_log s a :
  advantage pi s a = (1 - gam) / eta * (ln (natural_step pi s a) - ln (pi s a) + ln (normaliser pi s)).
Proof.
have [_ p0] := pp.
rewrite /natural_step (ln_div el) ?mulr_gt0 ?(ex_gt0 el) // (lnM el) ?(ex_gt0 el) // (exK el).
move: (ln _) (ln _) (advantage _ _ _) => x y z.
by field; rewrite !gt_eqF.
Qed.

(* the gain of one step from any start nu is at least (1 - gam) / eta times the mean of log Z *)
Lemma natural_gain (nu : 'rV[F]_n) : (forall s, 0 <= nu 0 s) ->
  (1 - gam) / eta * (\sum_s nu 0 s * ln (normaliser pi s)) <=
  (nu *m V (natural_step pi)) 0 0 - (nu *m V pi) 0 0.
Proof.
move=> nu0; have [pol p0] := pp; have [pol' p0'] := natural_step_positive.
rewrite (occupancy_difference r pi nu (Tpi_unit P0 P1 g0 g1 pol') (proj2 pol')) mulr_sumr.
apply: ler_sum => s _.
have lnZ0 := ln_ge0 el (normaliser_ge1 s).
have kl0 : 0 <= KL ln (natural_step pi s) (pi s).
  apply: (KL_ge0 el) => [||a pa]; [by split; [exact: (proj1 pol') | exact: (proj2 pol')] | | ].
    by split; [exact: (proj1 pol) | exact: (proj2 pol)].
  by have := p0 s a; rewrite pa ltxx.
have -> : \sum_a natural_step pi s a * (Q pi s a - V pi s 0) =
    (1 - gam) / eta * (KL ln (natural_step pi s) (pi s) + ln (normaliser pi s)).
  have mean x : x = \sum_a natural_step pi s a * x by rewrite -mulr_suml (proj2 pol') mul1r.
  rewrite [X in _ = _ * (_ + X)]mean /KL -big_split /= mulr_sumr; apply: eq_bigr => a _.
  rewrite -/(advantage pi s a) advantage_log (ln_div el (p0' s a) (p0 s a)).
  by move: (ln (natural_step pi s a)) (ln (pi s a)) (ln (normaliser pi s)) (natural_step _ _ _) => x y z w; ring.
have c0 : 0 <= (1 - gam) / eta by rewrite ltW // divr_gt0.
rewrite mulrCA; apply: (le_trans (y := d (natural_step pi) nu 0 s * ((1 - gam) / eta * ln (normaliser pi s)))).
  by rewrite ler_wpmul2r ?(mulr_ge0 c0 lnZ0) // (occupancy_ge_start P0 P1).
rewrite ler_wpmul2l ?(occupancy_ge0 P0 P1) //.
by rewrite ler_wpmul2l // ler_addr.
Qed.
End Step.

Variables (pi0 : 'I_n -> A -> F) (pp0 : positive pi0).
Definition natural_run := fix run t := if t is k.+1 then natural_step (run k) else pi0.

Lemma natural_run_positive t : positive (natural_run t).
Proof. by elim: t => [|t IH] //=; exact: natural_step_positive. Qed.

Variables (best : 'I_n -> A -> F) (pb : policy best) (rho : 'rV[F]_n).
Hypotheses (rho0 : forall s, 0 <= rho 0 s) (rho1 : \sum_s rho 0 s = 1).
Let nu := d best rho.
Let nu0 s : 0 <= nu 0 s. Proof. exact: (occupancy_ge0 P0 P1). Qed.
Let J p := (rho *m V p) 0 0.
(* sum over s of d_best(s) times the divergence of the start, or of the t-th policy, from best *)
Definition distance t := \sum_s nu 0 s * KL ln (best s) (natural_run t s).

Lemma best_law s : law (best s).
Proof. by split; [exact: (proj1 pb) | exact: (proj2 pb)]. Qed.
Lemma run_law t s : law (natural_run t s).
Proof. by have [[p0 p1] _] := natural_run_positive t; split. Qed.

Lemma distance_ge0 t : 0 <= distance t.
Proof.
apply: sumr_ge0 => s _; rewrite mulr_ge0 // (KL_ge0 el (best_law s) (run_law t s)) // => a.
by have := proj2 (natural_run_positive t) s a; move=> + pa; rewrite pa ltxx.
Qed.

Lemma gap_step t : J best - J (natural_run t) <= (1 - gam) / eta * (distance t - distance t.+1) +
  ((nu *m V (natural_run t.+1)) 0 0 - (nu *m V (natural_run t)) 0 0).
Proof.
have pt := natural_run_positive t; have pt' := natural_run_positive t.+1.
apply: le_trans (ler_add (lexx _) (natural_gain pt nu0)).
rewrite /J (occupancy_difference r _ rho (Tpi_unit P0 P1 g0 g1 pb) (proj2 pb)) -mulrDr -/nu.
rewrite /distance -sumrB -big_split /= mulr_sumr le_eqVlt; apply/orP; left; apply/eqP; apply: eq_bigr => s _.
rewrite -mulrBr -mulrDr mulrCA; congr (_ * _).
have mean x : x = \sum_a best s a * x by rewrite -mulr_suml (proj2 pb) mul1r.
rewrite [X in _ = _ * (_ + X)]mean /KL -sumrB -big_split /= mulr_sumr; apply: eq_bigr => a _.
rewrite -/(advantage (natural_run t) s a) (advantage_log pt).
have [->|b0] := pos_or_0 (proj1 pb s a); first by rewrite !mul0r subrr addr0 mulr0.
rewrite (ln_div el b0 (proj2 pt s a)) (ln_div el b0 (proj2 pt' s a)) /=.
by move: (ln _) (ln _) (ln _) (ln _) => x y z w; ring.
Qed.

Lemma value_monotone t k : J (natural_run t) <= J (natural_run (t + k)).
Proof.
elim: k => [|k IH]; first by rewrite addn0.
apply: (le_trans IH); rewrite addnS -subr_ge0; apply: le_trans (natural_gain (natural_run_positive _) rho0).
rewrite mulr_ge0 ?divr_ge0 ?(ltW h) ?(ltW eta0) // sumr_ge0 // => s _.
by rewrite mulr_ge0 // (ln_ge0 el) // normaliser_ge1 //; exact: natural_run_positive.
Qed.

(* T53: for every T > 0 and every policy best, not only an optimal one. *)
Theorem T53_npg_rate T : (0 < T)%N ->
  (rho *m V best) 0 0 - (rho *m V (natural_run T)) 0 0 <=
  ((1 - gam) / eta * (\sum_s d best rho 0 s * KL ln (best s) (pi0 s)) + ((1 - gam) ^+ 2)^-1) / T%:R.
Proof.
move=> T0; rewrite -/(J best) -/(J (natural_run T)) ler_pdivl_mulr ?ltr0n //.
have tele k : \sum_(t < k) (J best - J (natural_run t)) <= (1 - gam) / eta * (distance 0 - distance k) +
    ((nu *m V (natural_run k)) 0 0 - (nu *m V (natural_run 0)) 0 0).
  elim: k => [|k IH]; first by rewrite big_ord0 !subrr mulr0 addr0.
  rewrite big_ord_recr /=; apply: (le_trans (ler_add IH (gap_step k))).
  rewrite le_eqVlt; apply/orP; left; apply/eqP.
  move: (distance _) (distance _) (distance _) ((nu *m _) 0 0) ((nu *m _) 0 0) ((nu *m _) 0 0) => x y z u v w; ring.
have : (J best - J (natural_run T)) * T%:R <= \sum_(t < T) (J best - J (natural_run t)).
  rewrite mulr_natr -[X in _ *+ X]card_ord -sumr_const; apply: ler_sum => t _.
  by rewrite ler_add2l ler_opp2 -{2}(subnKC (ltnW (ltn_ord t))) value_monotone.
move/le_trans; apply; apply: (le_trans (tele T)); apply: ler_add.
  rewrite ler_wpmul2l ?divr_ge0 ?(ltW h) ?(ltW eta0) //.
  by rewrite ler_subl_addr ler_addl distance_ge0.
have vb t s := @value_bounds _ _ _ P r gam P0 P1 g0 g1 _ (proj1 (natural_run_positive t)) 1 s (fun a x => r01 a x) ler01.
rewrite ler_subl_addr ler_paddr //.
  by rewrite mxE sumr_ge0 // => s _; rewrite mulr_ge0 //; case/andP: (vb 0%N s).
apply: (le_trans (y := (\sum_s nu 0 s) * (1 - gam)^-1)).
  rewrite mxE mulr_suml; apply: ler_sum => s _; rewrite ler_wpmul2l //.
  by have /andP[_] := vb T s; rewrite mul1r.
rewrite expr2 invfM ler_wpmul2r ?invr_ge0 ?(ltW h) //.
by apply: (le_trans (occupancy_mass P0 P1 g0 g1 pb rho0)); rewrite rho1 mul1r.
Qed.
End NaturalRate.

(* T53 from the uniform policy, log A / (eta T) + 1 / ((1 - gam)^2 T), with no factor of the number of states *)
Theorem T53_npg_rate_uniform (F : realFieldType) (ex ln : F -> F) (n : nat) (A : finType)
    (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam eta : F) (best : 'I_n -> A -> F) (rho : 'rV[F]_n) T :
  explog ex ln -> (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
  (forall a s, 0 <= r a s 0 <= 1) -> 0 < eta -> policy best -> (forall s, 0 <= rho 0 s) -> \sum_s rho 0 s = 1 ->
  (0 < #|A|)%N -> (0 < T)%N ->
  (rho *m V P r gam best) 0 0 - (rho *m V P r gam (natural_run ex P r gam eta (fun _ _ => #|A|%:R^-1) T)) 0 0 <=
  ln #|A|%:R / (eta * T%:R) + ((1 - gam) ^+ 2 * T%:R)^-1.
Proof.
move=> el P0 P1 g0 g1 r01 eta0 pb rho0 rho1 A0 T0.
have N0 : 0 < #|A|%:R :> F by rewrite ltr0n.
have h : 0 < 1 - gam by rewrite subr_gt0.
have pu : positive (fun (_ : 'I_n) (_ : A) => #|A|%:R^-1 : F).
  split=> [|s a]; last by rewrite invr_gt0.
  by split=> s => [a|]; rewrite ?invr_ge0 ?ltW // sumr_const cardT -cardE -[_ *+ _]mulr_natr mulVf // gt_eqF.
have := T53_npg_rate el P0 P1 g0 g1 r01 eta0 pu pb rho0 rho1 T0.
move/le_trans; apply; rewrite mulrDl !invfM mulrA; apply: ler_add => //.
rewrite ler_wpmul2r ?invr_ge0 ?ler0n //; have [b0 b1] := pb.
have kl s : KL ln (best s) (fun _ => #|A|%:R^-1) <= ln #|A|%:R.
  rewrite -[ln _]mul1r -[X in X * _](b1 s) mulr_suml; apply: ler_sum => a _.
  have [->|ba] := pos_or_0 (b0 s a); first by rewrite !mul0r.
  rewrite ler_wpmul2l // (ln_div el) ?invr_gt0 // (lnV el) // opprK ger_addr.
  apply: (le_trans (ln_le el ba)); rewrite subr_le0 -(b1 s) (bigD1 a) //= ler_addl.
  by apply: sumr_ge0 => c _.
have lnA : 0 <= ln #|A|%:R by apply: (ln_ge0 el); rewrite ler1n.
apply: (le_trans (y := (1 - gam) / eta * (\sum_s occupancy P gam best rho 0 s * ln #|A|%:R))).
  rewrite ler_wpmul2l ?divr_ge0 ?(ltW h) ?(ltW eta0) //; apply: ler_sum => s _.
  by rewrite ler_wpmul2l // (occupancy_ge0 P0 P1).
have := occupancy_mass P0 P1 g0 g1 pb rho0; rewrite rho1 mul1r => mass.
rewrite -mulr_suml mulrA [X in _ <= X]mulrC ler_wpmul2r // mulrAC ler_pimull ?invr_ge0 ?(ltW eta0) //.
by rewrite -ler_pdivl_mull // mulr1.
Qed.
