(* False variants of T52 (the rate of softmax policy gradient), refuted for every pair of exp and log on the two-armed bandit, whose
   odds rise by the factor exp(p (1 - p) / 4) a step. Source: hand-made; what each leaves out stands above it. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted Policy DeterministicPolicy ExpLog Softmax SoftmaxGradient SoftmaxRate.
From PG Require Import mutants.OneState mutants.SoftmaxStep.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Rate.
Variables (F : realFieldType) (ex ln : F -> F) (el : explog ex ln).
Local Notation run := (fun P r gam mu theta k => softmax_policy ex (ascent_run ex P r gam mu theta k)).
(* all that T52 assumes *)
Definition ascends n (P : bool -> 'M[F]_n) r (gam : F) (mu : 'rV[F]_n) theta f kappa (c : F) t :=
  discounted P r gam mu /\
  [/\ forall s, (1 - gam) * occupancy P gam (det F f) mu 0 s <= kappa * mu 0 s, 0 < c,
      forall k s, (k < t)%N -> c <= run P r gam mu theta k s (f s) & (0 < t)%N].

Section Odds.
Variable theta : 'I_1 -> bool -> F.
Let one : 'rV[F]_1 := const_mx 1.
Let at_ k := ascent_run ex ends win 0 one theta k 0.
Let p k := softmax_policy ex (ascent_run ex ends win 0 one theta k) 0 true.
(* the odds of the bad action *)
Let j k := ex (at_ k false - at_ k true).
Let x k := 4%:R^-1 * (p k * (1 - p k)).

Let j0 k : 0 < j k. Proof. exact: (ex_gt0 el). Qed.
Let pE k : p k = (1 + j k)^-1.
Proof.
rewrite /p /softmax_policy /smx /Z sum_bool /j /at_ (exD el) (exN el); move: (ex_gt0 el) => e0.
by field; rewrite ?gt_eqF ?addr_gt0.
Qed.
Let p0 k : 0 < p k. Proof. by rewrite pE invr_gt0 addr_gt0 ?ltr01. Qed.
Let p1 k : p k <= 1. Proof. by rewrite pE invf_le1 ?addr_gt0 ?ltr01 // ler_addl ltW. Qed.
Let jp k : j k * p k = 1 - p k. Proof. by rewrite pE; field; rewrite gt_eqF ?addr_gt0 ?ltr01. Qed.
Let q0 k : 0 <= 1 - p k. Proof. by rewrite subr_ge0. Qed.
Let q1 k : 1 - p k <= 1. Proof. by rewrite ler_subl_addr ler_addl ltW. Qed.
Let x0 k : 0 <= x k. Proof. by rewrite mulr_ge0 ?invr_ge0 ?ler0n // mulr_ge0 // ltW. Qed.
Let x1 k : x k < 1.
Proof.
apply: (le_lt_trans (y := 4%:R^-1)); last by rewrite invf_lt1 ?ltr0n // ltr1n.
by rewrite /x ler_pimulr ?invr_ge0 ?ler0n // mulr_ile1 ?(ltW (p0 _)).
Qed.
Let jS k : j k.+1 = j k * ex (- x k).
Proof.
rewrite /j -(exD el) /at_ /= /ascent_step !gradient0 !mxE -/(p k); congr ex.
have -> : softmax_policy ex (ascent_run ex ends win 0 one theta k) 0 false = 1 - p k.
  by have := proj2 (softmax_policyP el true (ascent_run ex ends win 0 one theta k)) 0; rewrite sum_bool -/(p k) => <-; rewrite addrAC subrr add0r.
by rewrite /x -[true%:R]/(1 : F) -[false%:R]/(0 : F); move: (p k) (ascent_run _ _ _ _ _ _ _) => y v; field.
Qed.

Lemma odds_fall k m : (k <= m)%N -> j m <= j k.
Proof.
move/subnKC <-; elim: (m - k)%N => [|i IH]; first by rewrite addn0.
apply: le_trans IH; rewrite addnS jS ler_pimulr ?(ltW (j0 _)) // -(ex0 el).
by apply: (ex_le el); rewrite oppr_le0.
Qed.

(* by a quarter a step at most *)
Lemma odds_slow k : j 0%N - k%:R / 4%:R <= j k.
Proof.
elim: k => [|k IH]; first by rewrite mul0r subr0.
rewrite jS; apply: (le_trans (y := j k * (1 - x k))); last by rewrite ler_wpmul2l ?(ltW (j0 _)) // (ex_ge1D el).
apply: (le_trans (y := j k - 4%:R^-1)).
  apply: le_trans (ler_add IH (lexx _)); rewrite le_eqVlt; apply/orP; left; apply/eqP.
  by rewrite [k.+1%:R]mulrSr; field.
have -> : j k * (1 - x k) = j k - 4%:R^-1 * (j k * p k * (1 - p k)).
  by rewrite /x; move: (j k) (p k) => y z; field.
rewrite ler_add2l ler_opp2 ler_pimulr ?invr_ge0 ?ler0n // jp.
by rewrite mulr_ile1.
Qed.

(* those of the good action rise by a third at most *)
Lemma odds_good k : (j k)^-1 <= (j 0%N)^-1 + k%:R / 3%:R.
Proof.
elim: k => [|k IH]; first by rewrite mul0r addr0.
have x1' : 0 < 1 - x k by rewrite subr_gt0.
apply: (le_trans (y := (j k)^-1 + 3%:R^-1)); last first.
  by apply: (le_trans (ler_add IH (lexx _))); rewrite [k.+1%:R]mulrSr mulrDl mul1r addrA.
rewrite -(ler_pmul2r x1'); apply: (le_trans (y := (j k)^-1)).
  rewrite jS invfM -mulrA ler_pimulr ?invr_ge0 ?(ltW (j0 _)) // mulrC ler_pdivr_mulr ?(ex_gt0 el) // mul1r.
  exact: (ex_ge1D el).
rewrite -subr_ge0; have -> : ((j k)^-1 + 3%:R^-1) * (1 - x k) - (j k)^-1 =
    6%:R^-1 * (1 - p k * p k) + 12%:R^-1 * (1 - p k) + 12%:R^-1.
  rewrite /x pE; have := j0 k; move: (j k) => y y0.
  by field; rewrite !gt_eqF ?addr_gt0 ?ltr01.
by rewrite !addr_ge0 ?mulr_ge0 ?invr_ge0 ?ler0n ?subr_ge0 // mulr_ile1 ?(ltW (p0 _)).
Qed.

Let good (_ : 'I_1) := true.
Lemma bandit_ascends t c : 0 < c -> c * (1 + j 0%N) <= 1 -> (0 < t)%N -> ascends ends win 0 one theta good 1 c t.
Proof.
move=> c0 c1 t0; split; first split; first by split; rewrite ?ltr01 //; [exact: ends_ge0 | exact: ends_sum].
  by split=> [a s|s|]; [exact: win_unit | rewrite mxE ler01 | rewrite big_ord1 mxE].
split=> // [s|k s _]; first by rewrite occupancy0 subr0.
rewrite !ord1 -/(p k) pE -[X in _ <= X]mul1r ler_pdivl_mulr ?addr_gt0 ?ltr01 //; apply: le_trans c1.
by rewrite ler_wpmul2l ?(ltW c0) // ler_add2l odds_fall.
Qed.
Lemma bandit_gap k : gap ends win 0 (run ends win 0 one theta k) good one * (1 + j k) = j k.
Proof.
rewrite /gap !J0 !big_ord1 !mxE !mul1r /det eqxx -/(p k) pE mulrBl mulVf ?gt_eqF ?addr_gt0 ?ltr01 //.
by rewrite mul1r addrAC subrr add0r.
Qed.
End Odds.

Let start v (_ : 'I_1) a : F := if a then 0 else ln v.
Let odds0 v : 0 < v -> ex (ascent_run ex ends win 0 (const_mx 1) (start v) 0 0 false -
  ascent_run ex ends win 0 (const_mx 1) (start v) 0 0 true) = v.
Proof. by move=> v0; rewrite /= /start subr0 (lnK el). Qed.

(* the probability of the good action left out: it starts at 1/11, and 20 steps are too few *)
Lemma T52_mutant_probability : ~ (forall n (P : bool -> 'M[F]_n) r gam mu theta f kappa c t, ascends P r gam mu theta f kappa c t ->
  gap P r gam (run P r gam mu theta t) f mu <= 16%:R * n%:R * kappa ^+ 2 / ((1 - gam) ^+ 5 * t%:R)).
Proof.
have v0 : 0 < 10%:R :> F by rewrite ltr0n.
have c0 : 0 < 11%:R^-1 :> F by rewrite invr_gt0 ltr0n.
have asc := @bandit_ascends (start 10%:R) 20 _ c0; rewrite odds0 // in asc.
move/(_ _ _ _ _ _ _ _ _ _ _ (asc _ isT)); rewrite -mulrS mulVf ?pnatr_eq0 // => /(_ (lexx _)).
have := odds_slow (start 10%:R) 20; rewrite odds0 //; have := bandit_gap (start 10%:R) 20.
move: (gap _ _ _ _ _ _) (ex _) => y z e low up.
have up' : y <= 4%:R / 5%:R by apply: (le_trans up); rewrite le_eqVlt; apply/orP; left; apply/eqP; field.
have z0 : 0 <= 1 + z by apply: addr_ge0; [exact: ler01 | apply: le_trans low; rewrite (_ : _ - _ = 5%:R) ?ler0n //; field].
have := ler_wpmul2r z0 up'; rewrite e -subr_ge0 (_ : _ - _ = (4%:R - z) / 5%:R); last by field.
rewrite pmulr_lge0 ?invr_gt0 ?ltr0n // subr_ge0 => /(le_trans low); rewrite -subr_ge0 (_ : _ - _ = - 1); last by field.
by rewrite oppr_ge0 leNgt ltr01.
Qed.

(* a rate of 1/t^2: both actions are as likely at the start, 30 steps *)
Lemma T52_mutant_square : ~ (forall n (P : bool -> 'M[F]_n) r gam mu theta f kappa c t, ascends P r gam mu theta f kappa c t ->
  gap P r gam (run P r gam mu theta t) f mu <= 16%:R * n%:R * kappa ^+ 2 / (c ^+ 2 * (1 - gam) ^+ 5 * t%:R ^+ 2)).
Proof.
have v0 : 0 < 1 :> F by rewrite ltr01.
have c0 : 0 < 2%:R^-1 :> F by rewrite invr_gt0 ltr0n.
have asc := @bandit_ascends (start 1) 30 _ c0; rewrite odds0 // in asc.
move/(_ _ _ _ _ _ _ _ _ _ _ (asc _ isT)); rewrite mulVf ?pnatr_eq0 // => /(_ (lexx _)).
have := odds_good (start 1) 30; rewrite odds0 //; have := bandit_gap (start 1) 30.
have := ex_gt0 el (ascent_run ex ends win 0 (const_mx 1) (start 1) 30 0 false - ascent_run ex ends win 0 (const_mx 1) (start 1) 30 0 true).
move: (gap _ _ _ _ _ _) (ex _) => y z z0 e high up.
have up' : y <= 16%:R / 225%:R by apply: (le_trans up); rewrite le_eqVlt; apply/orP; left; apply/eqP; field.
have {}high : 1 <= 11%:R * z.
  by move: high; rewrite -(ler_pmul2r z0) mulVf ?gt_eqF // (_ : 1^-1 + _ = 11%:R) //; field.
have z1 : 0 <= 1 + z by rewrite addr_ge0 ?ler01 // ltW.
have := ler_wpmul2r z1 up'; rewrite e -subr_ge0 (_ : _ - _ = - (209%:R * z - 16%:R) / 225%:R); last by field.
rewrite mulNr oppr_ge0 leNgt divr_gt0 ?ltr0n // subr_gt0 => //.
have -> : 209%:R * z = 19%:R * (11%:R * z) by ring.
by apply: (lt_le_trans (y := 19%:R)); rewrite ?ltr_nat // ler_pmulr ?ltr0n.
Qed.
End Rate.
