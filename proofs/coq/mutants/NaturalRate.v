(* False variants of T53 (the rate of natural policy gradient) and of T62 (the Gibbs law), refuted for every pair of exp and log.
   Source: hand-made; what each gets wrong or leaves out stands above it. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted Policy ExpLog KullbackLeibler NaturalRate KLRegularised.
From PG Require Import mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* Variants of T53 (the rate of natural policy gradient), for every pair of exp and log, by a bandit of two arms whose better arm starts
   with weight 1/4: in T steps it grows by the factor exp(eta T) at most. Source: hand-made; what each gets wrong stands above it. *)

Section NaturalRate.
Variables (F : realFieldType) (ex ln : F -> F) (el : explog ex ln).

(* what the theorem assumes, and its two terms *)
Definition problem (n : nat) (A : finType) (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam eta : F) (pi0 best : 'I_n -> A -> F) (rho : 'rV[F]_n) :=
  [/\ (forall a s s', 0 <= P a s s') /\ (forall a s, \sum_s' P a s s' <= 1), 0 <= gam /\ gam < 1, forall a s, 0 <= r a s 0 <= 1,
      [/\ 0 < eta, positive pi0 & policy best] & (forall s, 0 <= rho 0 s) /\ \sum_s rho 0 s = 1].
Definition behind (n : nat) (A : finType) (P : A -> 'M[F]_n) r gam eta pi0 best (rho : 'rV[F]_n) T :=
  (rho *m V P r gam best) 0 0 - (rho *m V P r gam (natural_run ex P r gam eta pi0 T)) 0 0.
Definition start (n : nat) (A : finType) (P : A -> 'M[F]_n) gam pi0 (best : 'I_n -> A -> F) (rho : 'rV[F]_n) :=
  \sum_s occupancy P gam best rho 0 s * KL ln (best s) (pi0 s).

(* every episode ends after one step *)
Let P (_ : bool) : 'M[F]_1 := 0.
Let r (b : bool) : 'cV[F]_1 := b%:R%:M.
Let quarter : F := 4%:R^-1.
Let pi0 (_ : 'I_1) (b : bool) : F := if b then quarter else 1 - quarter.
Let best (_ : 'I_1) (b : bool) : F := b%:R.

Lemma V_bandit pi : V P r 0 pi 0 0 = pi 0 true.
Proof.
rewrite /V /Tpi scale0r subr0 invmx1 mul1mx mxE sum_bool /r !mxE eqxx !mulr1n.
by rewrite mulr1 mulr0 addr0.
Qed.
Lemma occupancy_bandit : occupancy P 0 best (1%:M : 'rV[F]_1) 0 0 = 1.
Proof. by rewrite /occupancy /Tpi scale0r subr0 invmx1 mulmx1 mxE eqxx. Qed.

Let quarter_gt0 : 0 < quarter. Proof. by rewrite invr_gt0 ltr0n. Qed.
Let quarter_lt1 : quarter < 1. Proof. by rewrite invf_lt1 ?ltr0n // ltr1n. Qed.
Lemma pi0_positive : positive pi0.
Proof.
have pos s a : 0 < pi0 s a by case: a; rewrite /pi0 ?subr_gt0.
by split=> //; split=> [s a|s]; [exact: ltW | rewrite sum_bool /= addrC subrK].
Qed.
Lemma best_policy : policy best.
Proof. by split=> [s a|s]; rewrite ?sum_bool ?ler0n // addr0. Qed.
Lemma bandit eta : 0 < eta -> problem P r 0 eta pi0 best 1%:M.
Proof.
move=> eta0; split=> //.
- split=> [a s s'|a s]; first by rewrite mxE.
  by rewrite big1 ?ler01 // => s' _; rewrite mxE.
- by split; rewrite ?lexx ?ltr01.
- by move=> a s; rewrite (ord1 s) mxE eqxx mulr1n; case: a; rewrite ?lexx ?ler01.
- by split=> //; [exact: pi0_positive | exact: best_policy].
- split=> [s|]; first by rewrite (ord1 s) mxE eqxx ler01.
  by rewrite big_ord1 mxE eqxx.
Qed.

(* the weight of the better arm grows by exp eta at most in each step *)
Lemma run_le eta T : 0 < eta -> natural_run ex P r 0 eta pi0 T 0 true <= quarter * ex (eta * T%:R).
Proof.
move=> eta0; elim: T => [|T IH] /=; first by rewrite mulr0 (ex0 el) mulr1.
have [P0 P1] : (forall a s s', 0 <= P a s s') /\ (forall a s, \sum_s' P a s s' <= 1) by case: (bandit eta0).
set pi := natural_run _ _ _ _ _ _ T in IH *.
have pp : positive pi := natural_run_positive el r eta P0 P1 (lexx 0) ltr01 pi0_positive T.
have [[p0 p1] ppos] := pp.
have adv : eta / (1 - 0) * advantage P r 0 pi 0 true <= eta.
  rewrite subr0 divr1 ger_pmulr // /advantage V_bandit /Q mul0r addr0 /r mxE eqxx mulr1n.
  by rewrite ger_addl oppr_le0.
apply: (le_trans (y := pi 0 true * ex eta)).
  rewrite /natural_step ler_pdivr_mulr ?(lt_le_trans ltr01 (normaliser_ge1 el r eta P0 P1 (lexx 0) ltr01 pp 0)) //.
  apply: (le_trans (y := pi 0 true * ex eta)); first by rewrite ler_wpmul2l // (ex_le el).
  by rewrite ler_pemulr ?mulr_ge0 ?(ltW (ex_gt0 el _)) // (normaliser_ge1 el r eta P0 P1 (lexx 0) ltr01 pp).
rewrite -addn1 natrD mulrDr mulr1 (exD el) mulrA ler_wpmul2r //; exact: ltW (ex_gt0 el _).
Qed.

Lemma ex_le_inverse x : x < 1 -> ex x <= (1 - x)^-1.
Proof.
move=> x1; rewrite -[x in ex x]opprK (exN el) lef_pinv ?posrE ?(ex_gt0 el) ?subr_gt0 //.
exact: (ex_ge1D el).
Qed.

(* so that with eta T = 1/4 it is 1/3 at most after T steps *)
Lemma behind_gt_half eta T : 0 < eta -> eta * T%:R = quarter -> 2%:R^-1 < behind P r 0 eta pi0 best 1%:M T.
Proof.
move=> eta0 xE; rewrite /behind !mul1mx !V_bandit; apply: (lt_le_trans (y := 1 - quarter / (1 - quarter))).
  by rewrite -subr_gt0 (_ : _ - _ = 6%:R^-1) ?invr_gt0 ?ltr0n // /quarter; field.
rewrite ler_add2l ler_opp2; apply: (le_trans (run_le T eta0)); rewrite ler_wpmul2l ?(ltW quarter_gt0) // xE.
exact: ex_le_inverse.
Qed.

Lemma start_le : start P 0 pi0 best 1%:M <= 3%:R.
Proof.
rewrite /start big_ord1 occupancy_bandit mul1r /KL sum_bool mul0r addr0 mul1r.
apply: (le_trans (ln_le el _)); first by rewrite divr_gt0 ?ltr01 // /pi0.
by rewrite (_ : _ - 1 = 3%:R) // /best /pi0 /quarter /=; field.
Qed.

(* the distance of the start left out *)
Lemma T53_mutant_start : ~ (forall (n : nat) (A : finType) (P : A -> 'M[F]_n) r gam eta pi0 best rho T,
  problem P r gam eta pi0 best rho -> (0 < T)%N -> behind P r gam eta pi0 best rho T <= ((1 - gam) ^+ 2)^-1 / T%:R).
Proof.
move=> H; pose eta : F := 8%:R^-1; have eta0 : 0 < eta by rewrite invr_gt0 ltr0n.
have := H _ _ P r 0 eta pi0 best 1%:M 2%N (bandit eta0) isT; apply/negP; rewrite -ltNge.
apply: le_lt_trans (behind_gt_half eta0 _); first by rewrite subr0 expr1n invr1 mul1r.
by rewrite /eta /quarter; field.
Qed.

(* the step size left out *)
Lemma T53_mutant_step_size : ~ (forall (n : nat) (A : finType) (P : A -> 'M[F]_n) r gam eta pi0 best rho T,
  problem P r gam eta pi0 best rho -> (0 < T)%N ->
  behind P r gam eta pi0 best rho T <= ((1 - gam) * start P gam pi0 best rho + ((1 - gam) ^+ 2)^-1) / T%:R).
Proof.
move=> H; pose eta : F := 32%:R^-1; have eta0 : 0 < eta by rewrite invr_gt0 ltr0n.
have := H _ _ P r 0 eta pi0 best 1%:M 8%N (bandit eta0) isT; apply/negP; rewrite -ltNge.
apply: le_lt_trans (behind_gt_half eta0 _); last by rewrite /eta /quarter; field.
rewrite subr0 mul1r expr1n invr1 ler_pdivr_mulr ?ltr0n //.
rewrite (_ : 2%:R^-1 * 8%:R = 3%:R + 1); last by field.
by rewrite ler_add2r start_le.
Qed.

(* the square of the number of steps *)
Lemma T53_mutant_square : ~ (forall (n : nat) (A : finType) (P : A -> 'M[F]_n) r gam eta pi0 best rho T,
  problem P r gam eta pi0 best rho -> (0 < T)%N ->
  behind P r gam eta pi0 best rho T <= ((1 - gam) / eta * start P gam pi0 best rho + ((1 - gam) ^+ 2)^-1) / (T%:R ^+ 2)).
Proof.
move=> H; pose eta : F := 100%:R^-1; have eta0 : 0 < eta by rewrite invr_gt0 ltr0n.
have := H _ _ P r 0 eta pi0 best 1%:M 25%N (bandit eta0) isT; apply/negP; rewrite -ltNge.
apply: le_lt_trans (behind_gt_half eta0 _); last by rewrite /eta /quarter; field.
rewrite subr0 div1r /eta invrK expr1n invr1 ler_pdivr_mulr ?exprn_gt0 ?ltr0n //.
apply: (le_trans (y := 100%:R * 3%:R + 1)); first by rewrite ler_add2r ler_wpmul2l ?ler0n // start_le.
by rewrite [X in _ <= X]mulrC ler_pdivl_mulr ?ltr0n // -natrX -natrM -(natrD _ _ 1) -natrM ler_nat.
Qed.
End NaturalRate.

(* Variants of T62 (the Gibbs law), for every pair of exp and log.
   Source: hand-made; what each leaves out stands above it. *)

Section Gibbs.
Variables (F : realFieldType) (ex ln : F -> F) (el : explog ex ln).
Let half : F := 2%:R^-1.
Let half_gt0 : 0 < half. Proof. by rewrite invr_gt0 ltr0n. Qed.

(* the divergence from the Gibbs law added instead of subtracted *)
Lemma T62_mutant_sign : ~ (forall (A : finType) (ref rew : A -> F) beta p,
  (forall a, 0 <= ref a) -> 0 < beta -> law p -> dominated p ref ->
  regularised ln ref rew beta p = beta * ln (partition ex ref rew beta) + beta * KL ln p (gibbs ex ref rew beta)).
Proof.
move=> H; pose ref (_ : bool) := half; pose p (b : bool) : F := b%:R.
have ref0 b : 0 < ref b by []; have refle b := ltW (ref0 b).
have lp : law p by split=> [b|]; rewrite ?ler0n // sum_bool addr0.
have dom : dominated p ref by move=> b /eqP; rewrite gt_eqF.
have := H _ ref (fun=> 0) 1 p refle ltr01 lp dom; rewrite (T62_gibbs_gap el _ refle ltr01 lp dom) !mul1r => E.
have kl0 : KL ln p (gibbs ex ref (fun=> 0) 1) = 0.
  by move/addrI/eqP: E; rewrite eq_sym -addr_eq0 -mulr2n mulrn_eq0 => /eqP.
have Z0 := partition_gt0 el (fun=> 0) 1 refle (ref0 true).
have eqp := KL_eq0 el lp (gibbs_law el (fun=> 0) 1 refle (ref0 true)) (dominated_gibbs el Z0 dom) kl0 false.
have : 0 < gibbs ex ref (fun=> 0) 1 false by apply: mulr_gt0; [apply: mulr_gt0; [exact: ref0 | exact: (ex_gt0 el)] | rewrite invr_gt0; exact: Z0].
by rewrite -eqp /p ltxx.
Qed.

(* the reference left out of the implicit reward *)
Lemma T62_mutant_reference : ~ (forall (A : finType) (ref rew : A -> F) beta a,
  (forall a, 0 <= ref a) -> 0 < beta -> 0 < ref a ->
  rew a = beta * ln (gibbs ex ref rew beta a) + beta * ln (partition ex ref rew beta)).
Proof.
move=> H; pose ref (_ : unit) := half; have ref0 b : 0 < ref b by []; have refle b := ltW (ref0 b).
have := H _ ref (fun=> 0) 1 tt refle ltr01 (ref0 tt).
rewrite (ln_gibbs el (fun=> 0) 1 refle (ref0 tt)) !mul1r mul0r addr0 subrK => ln0.
by have := ln_le el half_gt0; rewrite -/(ref tt) -ln0 subr_ge0 leNgt invf_lt1 ?ltr0n // ltr1n.
Qed.
End Gibbs.
