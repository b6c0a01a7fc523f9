(* False variants of T51 (smoothness of the softmax return), refuted for every pair of exp and log.
   Source: hand-made; what each takes for the gradient stands above it. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted ExpLog Softmax SoftmaxGradient.
From PG Require Import mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

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
