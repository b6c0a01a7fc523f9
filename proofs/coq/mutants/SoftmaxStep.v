(* False variants of the theorems on a step of softmax policy gradient: T50 (the gap against the gradient), T51 (smoothness of the return).
   Source: hand-made; what each takes for the gradient, or leaves out, stands above it. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted Policy SoftmaxGradient DeterministicPolicy ExpLog Softmax.
From PG Require Import mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* One decision: with gam = 0 a value is the mean reward of the state, visits are the start; for false variants by computation.
   Source: the two-armed bandit, a copy of it in each of n states. *)

Section Bandit.
Variables (F : realFieldType) (n : nat).
(* every action ends; "true" earns one *)
Definition ends (_ : bool) : 'M[F]_n := 0.
Definition win (a : bool) : 'cV[F]_n := const_mx a%:R.
Definition even : 'rV[F]_n := const_mx n%:R^-1.
Implicit Type pi : 'I_n -> bool -> F.

Lemma ends_ge0 a s s' : 0 <= ends a s s'. Proof. by rewrite mxE. Qed.
Lemma ends_sum a s : \sum_s' ends a s s' <= 1.
Proof. by rewrite big1 ?ler01 // => s' _; rewrite mxE. Qed.
Lemma win_unit a s : 0 <= win a s 0 <= 1. Proof. by rewrite mxE; case: a; rewrite ?ler01 ?lexx. Qed.

Lemma Tpi0 pi : Tpi ends 0 pi = 1%:M. Proof. by rewrite /Tpi scale0r subr0. Qed.
Lemma occupancy0 pi mu : occupancy ends 0 pi mu = mu. Proof. by rewrite /occupancy Tpi0 invmx1 mulmx1. Qed.
Lemma V0 pi s : V ends win 0 pi s 0 = pi s true.
Proof. by rewrite /V Tpi0 invmx1 mul1mx mxE sum_bool !mxE mulr1 mulr0 addr0. Qed.
Lemma Q0 pi s a : Q ends win 0 pi s a = a%:R. Proof. by rewrite /Q mul0r addr0 mxE. Qed.
Lemma J0 pi (mu : 'rV_n) : (mu *m V ends win 0 pi) 0 0 = \sum_s mu 0 s * pi s true.
Proof. by rewrite mxE; apply: eq_bigr => s _; rewrite V0. Qed.
Lemma gradient0 pi mu s a : softmax_gradient ends win 0 pi mu s a = mu 0 s * (pi s a * (a%:R - pi s true)).
Proof. by rewrite /softmax_gradient occupancy0 Q0 V0. Qed.

Lemma constant_policy (p : F) : 0 <= p -> p <= 1 -> policy (fun (_ : 'I_n) a => if a then p else 1 - p).
Proof. by move=> p0 p1; split=> [s []|s]; rewrite ?subr_ge0 // sum_bool addrCA subrr addr0. Qed.
End Bandit.
Arguments ends {F n}. Arguments win {F n}.

(* Variants of T50 (the gap against the softmax gradient), in every ordered field, on one state or three.
   Source: hand-made; what each leaves out stands above it. *)

Section Lojasiewicz.
Variable F : realFieldType.
Definition gap n (P : bool -> 'M[F]_n) r gam pi f (rho : 'rV_n) : F :=
  (rho *m V P r gam (det F f)) 0 0 - (rho *m V P r gam pi) 0 0.
Definition slope n (P : bool -> 'M[F]_n) r gam pi (mu : 'rV_n) : F :=
  \sum_s \sum_a softmax_gradient P r gam pi mu s a ^+ 2.
(* all that T50 assumes, of a policy and two starts *)
Definition covered n (P : bool -> 'M[F]_n) r gam pi f (rho mu : 'rV[F]_n) kappa c :=
  [/\ forall a s s', 0 <= P a s s', forall a s, \sum_s' P a s s' <= 1, 0 <= gam & gam < 1] /\
  [/\ policy pi, forall s, 0 <= rho 0 s, forall s, 0 <= mu 0 s, 0 <= kappa & 0 <= c] /\
  [/\ forall s, occupancy P gam (det F f) rho 0 s <= kappa * occupancy P gam pi mu 0 s, forall s, c <= pi s (f s) &
      0 <= gap P r gam pi f rho].

(* the two actions are as likely *)
Let half : F := 2%:R^-1.
Let fair n (_ : 'I_n) (a : bool) := if a then half else 1 - half.
Let good n (_ : 'I_n) := true.
Let half0 : 0 <= half. Proof. by rewrite invr_ge0 ler0n. Qed.
Let half1 : half <= 1. Proof. by rewrite invf_le1 ?ltr0n // ler1n. Qed.
Let gap0 n (rho : 'rV[F]_n) : gap ends win 0 (@fair n) (@good n) rho = \sum_s rho 0 s * (1 - half).
Proof. by rewrite /gap !J0 -sumrB; apply: eq_bigr => s _; rewrite /det eqxx mulrBr. Qed.
Let slope0 n (mu : 'rV[F]_n) : slope ends win 0 (@fair n) mu = \sum_s 2%:R * (mu 0 s * (half * (1 - half))) ^+ 2.
Proof. by apply: eq_bigr => s _; rewrite sum_bool !gradient0 /=; ring. Qed.
Let covered0 n x y kappa : 0 <= x -> 0 <= y -> 0 <= kappa -> x <= kappa * y ->
  covered ends win 0 (@fair n) (@good n) (const_mx x) (const_mx y) kappa half.
Proof.
move=> x0 y0 k0 le; split; first by split; rewrite ?ltr01 //; [exact: ends_ge0 | exact: ends_sum].
split; first by split=> // [|s|s]; rewrite ?mxE //; exact: constant_policy.
by split=> [s|s|]; rewrite ?occupancy0 ?mxE // gap0 sumr_ge0 // => s _; rewrite mxE mulr_ge0 ?subr_ge0.
Qed.

(* the probability of the good action left out *)
Lemma T50_mutant_probability : ~ (forall n (P : bool -> 'M[F]_n) r gam pi f rho mu kappa c, covered P r gam pi f rho mu kappa c ->
  gap P r gam pi f rho ^+ 2 <= n%:R * kappa ^+ 2 * slope P r gam pi mu).
Proof.
move/(_ _ _ _ _ _ _ _ _ _ _ (@covered0 1 1 1 1 ler01 ler01 ler01 _)); rewrite mulr1 => /(_ (lexx _)).
rewrite gap0 slope0 !big_ord1 !mxE -subr_ge0; set x := _ - _; have -> : x = - 8%:R^-1 by rewrite /x /half; field.
by rewrite oppr_ge0 leNgt invr_gt0 ltr0n.
Qed.

(* the mismatch left out: the gap starts with twice the weight of the gradient *)
Lemma T50_mutant_mismatch : ~ (forall n (P : bool -> 'M[F]_n) r gam pi f rho mu kappa c, covered P r gam pi f rho mu kappa c ->
  c ^+ 2 * gap P r gam pi f rho ^+ 2 <= n%:R * slope P r gam pi mu).
Proof.
move/(_ _ _ _ _ _ _ _ _ _ _ (@covered0 1 2%:R 1 2%:R (ler0n _ _) ler01 (ler0n _ _) _)); rewrite mulr1 => /(_ (lexx _)).
rewrite gap0 slope0 !big_ord1 !mxE -subr_ge0; set x := _ - _; have -> : x = - 8%:R^-1 by rewrite /x /half; field.
by rewrite oppr_ge0 leNgt invr_gt0 ltr0n.
Qed.

(* the number of states left out: three states *)
Lemma T50_mutant_states : ~ (forall n (P : bool -> 'M[F]_n) r gam pi f rho mu kappa c, covered P r gam pi f rho mu kappa c ->
  c ^+ 2 * gap P r gam pi f rho ^+ 2 <= kappa ^+ 2 * slope P r gam pi mu).
Proof.
move/(_ _ _ _ _ _ _ _ _ _ _ (@covered0 3 1 1 1 ler01 ler01 ler01 _)); rewrite mulr1 => /(_ (lexx _)).
rewrite gap0 slope0 !big_ord_recl !big_ord0 !mxE -subr_ge0.
set x := _ - _; have -> : x = - (3%:R / 16%:R) by rewrite /x /half; field.
by rewrite oppr_ge0 leNgt divr_gt0 ?ltr0n.
Qed.
End Lojasiewicz.

(* Variants of T51 (smoothness of the softmax return), for every pair of exp and log.
   Source: hand-made; what each takes for the gradient stands above it. *)

Section Smoothness.
Variables (F : realFieldType) (ex ln : F -> F) (el : explog ex ln).
(* all that T51 assumes, and what it bounds, with another gradient *)
Definition discounted n (P : bool -> 'M[F]_n) (r : bool -> 'cV[F]_n) (gam : F) (mu : 'rV[F]_n) :=
  [/\ forall a s s', 0 <= P a s s', forall a s, \sum_s' P a s s' <= 1, 0 <= gam & gam < 1] /\
  [/\ forall a s, 0 <= r a s 0 <= 1, forall s, 0 <= mu 0 s & \sum_s mu 0 s = 1].
Definition miss n (P : bool -> 'M[F]_n) r gam (mu : 'rV_n) theta theta' (g : 'I_n -> bool -> F) :=
  `|(mu *m V P r gam (softmax_policy ex theta')) 0 0 - (mu *m V P r gam (softmax_policy ex theta)) 0 0 -
    \sum_s \sum_a g s a * (theta' s a - theta s a)|.
Definition smooth n gam (theta theta' : 'I_n -> bool -> F) :=
  8%:R / (1 - gam) ^+ 3 / 2%:R * \sum_s \sum_a (theta' s a - theta s a) ^+ 2.

(* one state that is never left, gam = 1/2, a reward of one for "true"; a logit of log (201 / 200) instead of 0 *)
Let half : F := 2%:R^-1.
Let always (_ : bool) : F := 1.
Let earn (a : bool) : F := a%:R.
Let u : F := 1 + 200%:R^-1.
Let x := ln u.
Let zero (_ : 'I_1) (_ : bool) : F := 0.
Let moved (_ : 'I_1) (a : bool) := if a then x else 0.
Let one : 'rV[F]_1 := 1%:M.

Let u0 : 0 < u. Proof. by rewrite addr_gt0 ?ltr01 ?invr_gt0 ?ltr0n. Qed.
Let x_le : x <= 200%:R^-1. Proof. by apply: (le_trans (ln_le el u0)); rewrite /u addrAC subrr add0r. Qed.
Let x_ge : 201%:R^-1 <= x.
Proof.
have := ln_le el (_ : 0 < u^-1); rewrite invr_gt0 u0 (lnV el u0) => /(_ isT); rewrite ler_oppl opprB.
by have -> : 1 - u^-1 = 201%:R^-1 by rewrite /u; field.
Qed.

Let x0 : 0 <= x. Proof. by apply: le_trans x_ge; rewrite invr_ge0 ler0n. Qed.

Let fits : discounted (P1 always) (r1 earn) half one.
Proof.
split; split.
- by move=> a s s'; rewrite !ord1 mxE eqxx mulr1n ler01.
- by move=> a s; rewrite big_ord1 !ord1 mxE eqxx mulr1n.
- by rewrite invr_ge0 ler0n.
- by rewrite invf_lt1 ?ltr0n // ltr1n.
- by move=> a s; rewrite !ord1 mxE eqxx mulr1n; case: a; rewrite /earn ?lexx ?ler01.
- by move=> s; rewrite !ord1 mxE eqxx ler01.
- by rewrite big_ord1 mxE eqxx.
Qed.
Let exps (v : bool -> F) a := ex (v a).
Let keptE v : kept always half (smx (exps v)) = half.
Proof.
rewrite /kept (eq_bigr (smx (exps v))) => [|a _]; last by rewrite mulr1.
by rewrite smx1 ?unitfE ?gt_eqF ?(softmax_norm_gt0 el true (fun _ : unit => v) tt) // /half; field.
Qed.
Let smxT v : smx (exps v) true = ex (v true) / (ex (v true) + ex (v false)). Proof. by rewrite /smx /Z sum_bool. Qed.
Let fair a : smx (exps (zero 0)) a = half.
Proof. by rewrite /smx /Z sum_bool /exps /zero (ex0 el) /half; field. Qed.
Let VE v s : V (P1 always) (r1 earn) half (pi1 (smx (exps v))) s 0 = 2%:R * smx (exps v) true.
Proof. by rewrite V1 keptE sum_bool /earn mulr1 mulr0 addr0 /half invrK. Qed.
Let JE v : (one *m V (P1 always) (r1 earn) half (pi1 (smx (exps v)))) 0 0 = 2%:R * smx (exps v) true.
Proof. by rewrite /one mul_scalar_mx mxE VE mul1r. Qed.
Let visits s : occupancy (P1 always) half (pi1 (smx (exps (zero 0)))) one 0 s = 2%:R.
Proof. by rewrite /one occupancy1 keptE mul1r /half invrK. Qed.
Let QE s : Q (P1 always) (r1 earn) half (pi1 (smx (exps (zero 0)))) s true = 3%:R / 2%:R.
Proof. by rewrite Q1 keptE sum_bool !fair -[earn true]/(1 : F) -[earn false]/(0 : F) /always /half; field. Qed.

(* the gain of the step is (u - 1) / (u + 1); with k as the derivative the theorem misses *)
Let missE (k : F) g : g 0 true = k -> miss (P1 always) (r1 earn) half one zero moved g = `|401%:R^-1 - k * x|.
Proof.
move=> gk; rewrite /miss -[softmax_policy ex zero]/(pi1 (smx (exps (zero 0)))) -[softmax_policy ex moved]/(pi1 (smx (exps (moved 0)))).
rewrite !JE big_ord1 sum_bool gk /zero /moved !subr0 mulr0 addr0 fair smxT (ex0 el) (lnK el u0).
by congr `|_ - _|; rewrite /u /half; field.
Qed.
Let smoothE : smooth half zero moved = 32%:R * x ^+ 2.
Proof. by rewrite /smooth big_ord1 sum_bool /zero /moved !subr0 /half; field. Qed.

(* the gradient with normalised visits *)
Lemma T51_mutant_normalised_visits : ~ (forall n (P : bool -> 'M[F]_n) r gam mu theta theta', discounted P r gam mu ->
  miss P r gam mu theta theta' (fun s a => (1 - gam) * softmax_gradient P r gam (softmax_policy ex theta) mu s a) <=
  smooth gam theta theta').
Proof.
move/(_ _ _ _ _ _ zero moved fits); rewrite (@missE 4%:R^-1); last first.
  rewrite /softmax_gradient -[softmax_policy ex zero]/(pi1 (smx (exps (zero 0)))) visits QE VE fair /pi1 fair /half.
  by field.
rewrite smoothE => /(le_trans (ler_norm _)).
have := ler_add (ler_wpmul2l (_ : 0 <= 4%:R^-1) x_le) (ler_wpmul2l (ler0n F 32) (ler_pmul x0 x0 x_le x_le)).
rewrite invr_ge0 ler0n => /(_ isT) up; rewrite ler_subl_addl expr2 => /le_trans /(_ up).
rewrite -subr_ge0; set y := _ - _; have -> : y = - (3559%:R / (401%:R * 800%:R * 25%:R)) by rewrite /y; field.
by rewrite oppr_ge0 leNgt divr_gt0 ?mulr_gt0 ?ltr0n.
Qed.

(* the gradient with action values in the place of advantages *)
Lemma T51_mutant_action_value : ~ (forall n (P : bool -> 'M[F]_n) r gam mu theta theta', discounted P r gam mu ->
  miss P r gam mu theta theta' (fun s a => occupancy P gam (softmax_policy ex theta) mu 0 s *
    (softmax_policy ex theta s a * Q P r gam (softmax_policy ex theta) s a)) <= smooth gam theta theta').
Proof.
move/(_ _ _ _ _ _ zero moved fits); rewrite (@missE (3%:R / 2%:R)); last first.
  by rewrite -[softmax_policy ex zero]/(pi1 (smx (exps (zero 0)))) visits QE /pi1 fair /half; field.
rewrite smoothE distrC => /(le_trans (ler_norm _)).
have up := ler_wpmul2l (ler0n F 32) (ler_pmul x0 x0 x_le x_le); rewrite expr2 => /le_trans /(_ up).
have low : 3%:R / 2%:R * 201%:R^-1 - 401%:R^-1 <= 3%:R / 2%:R * x - 401%:R^-1.
  by rewrite ler_add2r ler_wpmul2l // divr_ge0 ?ler0n.
move/(le_trans low); rewrite -subr_ge0; set y := _ - _.
have -> : y = - (48%:R * 11%:R * 37%:R * 43%:R / (402%:R * 401%:R * 1250%:R)) by rewrite /y; field.
by rewrite oppr_ge0 leNgt divr_gt0 ?mulr_gt0 ?ltr0n.
Qed.
End Smoothness.
