(* Softmax: the return is smooth in the logits, with 8 / (1 - gam)^3 (T51), for rewards in [0, 1]. No second derivative: two
   policies whose logits differ by at most B have logarithms that differ by about that much, hence total variation of at most B
   and a remainder of first order of at most 4 B^2; T54 does the rest. Source: Mei, Xiao, Szepesvari, Schuurmans (2020), lemma 7. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted DiscountedPolicyImprovement Policy MismatchBound ResolventBounds TrustRegion.
From PG Require Import ExpLog Softmax SoftmaxGradient.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Laws.
Variables (F : realFieldType) (A : finType) (p q w : A -> F).
(* w stands for log q - log p; of an exponential only its tangent is used *)
Hypotheses (p0 : forall a, 0 < p a) (q0 : forall a, 0 < q a) (p1 : \sum_a p a = 1) (q1 : \sum_a q a = 1).
Hypotheses (above : forall a, p a * (1 + w a) <= q a) (below : forall a, q a * (1 - w a) <= p a).

Let L := \sum_a `|q a - p a|.
Let K := \sum_a (q a - p a) * w a.
Let k := - \sum_a p a * w a.

(* twice a product is at most the sum of the squares, weighted by p + q *)
Lemma variation_term a t : 2%:R * t * `|q a - p a| <= (q a - p a) * w a + t ^+ 2 * (p a + q a).
Proof.
have s0 : 0 < p a + q a by rewrite addr_gt0.
rewrite -(ler_pmul2r s0); set d := q a - p a.
have up : 0 <= d - p a * w a by rewrite subr_ge0 ler_subr_addl -[X in X + _]mulr1 -mulrDr.
have dn : 0 <= q a * w a - d.
  by rewrite subr_ge0 ler_subl_addr -ler_subl_addl -[X in X - _]mulr1 -mulrBr.
have big : `|d| ^+ 2 <= d * w a * (p a + q a).
  rewrite real_normK ?num_real // -subr_ge0; have [w0|/ltW w0] := lerP 0 (w a).
    have d0 : 0 <= d by rewrite -(subrK (p a * w a) d) addr_ge0 // mulr_ge0 // ltW.
    have -> : d * w a * (p a + q a) - d ^+ 2 = d * (q a * w a - d) + d * (p a * w a) by ring.
    by rewrite addr_ge0 // mulr_ge0 // mulr_ge0 // ltW.
  have d0 : 0 <= - d.
    have -> : - d = (q a * w a - d) + q a * - w a by ring.
    by rewrite addr_ge0 // mulr_ge0 ?oppr_ge0 // ltW.
  have -> : d * w a * (p a + q a) - d ^+ 2 = - d * (d - p a * w a) + - d * (q a * - w a) by ring.
  by rewrite addr_ge0 // mulr_ge0 // mulr_ge0 ?oppr_ge0 // ltW.
rewrite [X in _ <= X]mulrDl; apply: (le_trans _ (ler_add big (lexx _))).
rewrite -subr_ge0; have -> : `|d| ^+ 2 + t ^+ 2 * (p a + q a) * (p a + q a) - 2%:R * t * `|d| * (p a + q a) =
  (`|d| - t * (p a + q a)) ^+ 2 by ring.
exact: sqr_ge0.
Qed.

Lemma variation_sqr : L ^+ 2 <= 2%:R * K.
Proof.
have : \sum_a 2%:R * (L / 2%:R) * `|q a - p a| <= \sum_a ((q a - p a) * w a + (L / 2%:R) ^+ 2 * (p a + q a)).
  by apply: ler_sum => a _; exact: variation_term.
rewrite -mulr_sumr big_split /= -mulr_sumr big_split /= p1 q1 -/L -/K => h.
rewrite -subr_ge0; rewrite -subr_ge0 in h.
have -> : 2%:R * K - L ^+ 2 = 2%:R * (K + (L / 2%:R) ^+ 2 * (1 + 1) - 2%:R * (L / 2%:R) * L) by field.
by rewrite mulr_ge0 ?ler0n.
Qed.

Lemma divergence_le : k <= K.
Proof.
have e0 : \sum_a (q a - p a) = 0 by rewrite sumrB p1 q1 subrr.
rewrite -subr_ge0 /K /k opprK -big_split /= -[X in X <= _]e0; apply: ler_sum => a _; have := below a.
by rewrite mulrBr mulr1 mulrBl subrK ler_subl_addr addrC -ler_subl_addr.
Qed.

Lemma divergence_rest : k = \sum_a (q a - p a - p a * w a).
Proof. by rewrite sumrB sumrB p1 q1 subrr sub0r. Qed.

Lemma divergence_ge0 : 0 <= k.
Proof.
rewrite divergence_rest sumr_ge0 // => a _.
by rewrite subr_ge0 ler_subr_addl -[X in X + _]mulr1 -mulrDr.
Qed.

(* the remainder of q after the first-order change p (w - sum p w) *)
Lemma remainder_le : \sum_a `|q a - p a - p a * (w a + k)| <= 2%:R * k.
Proof.
apply: (le_trans (y := \sum_a ((q a - p a - p a * w a) + p a * k))).
  apply: ler_sum => a _; have -> : q a - p a - p a * (w a + k) = (q a - p a - p a * w a) - p a * k by ring.
  apply: (le_trans (ler_norm_sub _ _)); rewrite !ger0_norm ?(mulr_ge0 (ltW (p0 a)) divergence_ge0) //.
  by rewrite subr_ge0 ler_subr_addl -[X in X + _]mulr1 -mulrDr.
by rewrite big_split /= -divergence_rest -mulr_suml p1 mul1r mulrDl mul1r.
Qed.
End Laws.

Section Increments.
Variables (F : realFieldType) (ex ln : F -> F) (el : explog ex ln) (A : finType) (a0 : A).
Variables (x y : A -> F) (B : F).
Hypothesis close : forall a, `|y a - x a| <= B.
Local Notation p := (smx (fun a => ex (x a))).
Local Notation q := (smx (fun a => ex (y a))).
Local Notation dx := (fun a => y a - x a).
Let l := ln (Z (fun a => ex (y a))) - ln (Z (fun a => ex (x a))).
Let w a := y a - x a - l.

Let Zgt0 (v : A -> F) : 0 < Z (fun a => ex (v a)). Proof. exact: (softmax_norm_gt0 el a0 (fun _ : unit => v) tt). Qed.
Let s0 (v : A -> F) a : 0 < smx (fun b => ex (v b)) a. Proof. by rewrite divr_gt0 ?(ex_gt0 el). Qed.
Let s1 (v : A -> F) : \sum_a smx (fun b => ex (v b)) a = 1. Proof. by rewrite smx1 // unitfE gt_eqF. Qed.

Let qE a : q a = p a * ex (w a).
Proof.
rewrite /smx /w /l !(exD el) !(exN el) (exD el) (exN el) !(lnK el) // invfM invrK.
by field; rewrite !gt_eqF ?(ex_gt0 el).
Qed.
Let above a : p a * (1 + w a) <= q a.
Proof. by rewrite qE ler_wpmul2l ?(ltW (s0 _ _)) // (ex_ge1D el). Qed.
Let below a : q a * (1 - w a) <= p a.
Proof.
have -> : p a = q a * ex (- w a) by rewrite qE (exN el) mulrK // unitfE gt_eqF // (ex_gt0 el).
by rewrite ler_wpmul2l ?(ltW (s0 _ _)) // (ex_ge1D el).
Qed.

Let B0 : 0 <= B. Proof. exact: le_trans (normr_ge0 _) (close a0). Qed.

Let change_le : \sum_a (q a - p a) * w a <= (\sum_a `|q a - p a|) * B.
Proof.
have -> : \sum_a (q a - p a) * w a = \sum_a (q a - p a) * dx a.
  rewrite (eq_bigr (fun a => (q a - p a) * dx a - (q a - p a) * l)) => [|a _]; last by rewrite /w mulrBr.
  by rewrite sumrB -mulr_suml sumrB !s1 subrr mul0r subr0.
rewrite mulr_suml; apply: ler_sum => a _; apply: (le_trans (ler_norm _)).
by rewrite normrM ler_wpmul2l.
Qed.

(* total variation *)
Lemma softmax_variation : \sum_a `|q a - p a| <= 2%:R * B.
Proof.
set L := \sum_a _; have L0 : 0 <= L by apply: sumr_ge0.
have [->|Lp] := eqVneq L 0; first by rewrite mulr_ge0 ?ler0n.
rewrite -(ler_pmul2l (_ : 0 < L)) ?lt_def ?Lp // -expr2 mulrCA.
apply: (le_trans (variation_sqr (s0 _) (s0 _) (s1 _) (s1 _) above below)).
by rewrite ler_wpmul2l ?ler0n // change_le.
Qed.

(* what is left after the first-order change p (dx - sum p dx) *)
Lemma softmax_remainder : \sum_a `|q a - p a - p a * (dx a - \sum_b p b * dx b)| <= 4%:R * B ^+ 2.
Proof.
have mean : \sum_b p b * w b = \sum_b p b * dx b - l.
  rewrite (eq_bigr (fun b => p b * dx b - p b * l)) => [|b _]; last by rewrite /w mulrBr.
  by rewrite sumrB -mulr_suml s1 mul1r.
rewrite (eq_bigr (fun a => `|q a - p a - p a * (w a + - \sum_b p b * w b)|)) => [|a _]; last first.
  by rewrite mean /w; congr `|_ - _ * _|; move: (\sum_b _) => u; ring.
apply: (le_trans (remainder_le (s0 _) (s1 _) (s1 _) above)).
have -> : 4%:R * B ^+ 2 = 2%:R * (2%:R * B * B) by ring.
rewrite ler_wpmul2l ?ler0n //; apply: (le_trans (divergence_le (s1 _) (s1 _) below)).
by apply: (le_trans change_le); rewrite ler_wpmul2r // softmax_variation.
Qed.
End Increments.

Section Smoothness.
Variables (F : realFieldType) (ex ln : F -> F) (el : explog ex ln).
Variables (n : nat) (A : finType) (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F).
Hypotheses (P0 : forall a s s', 0 <= P a s s') (P1 : forall a s, \sum_s' P a s s' <= 1)
  (g0 : 0 <= gam) (g1 : gam < 1) (r01 : forall a s, 0 <= r a s 0 <= 1).
Variables (theta theta' : 'I_n -> A -> F).
Local Notation pi := (softmax_policy ex theta).
Local Notation pi' := (softmax_policy ex theta').
Local Notation adv s a := (Q P r gam pi s a - V P r gam pi s 0).
Variables (mu : 'rV[F]_n) (mu0 : forall s, 0 <= mu 0 s) (mu1 : \sum_s mu 0 s = 1).

Let h : 0 < 1 - gam. Proof. by rewrite subr_gt0. Qed.

Lemma advantage_norm (p : 'I_n -> A -> F) s a : policy p -> `|Q P r gam p s a - V P r gam p s 0| <= (1 - gam)^-1.
Proof.
move=> pp; have V01 x : 0 <= V P r gam p x 0 <= (1 - gam)^-1.
  by have := value_bounds P0 P1 g0 g1 pp x (fun a x => r01 a x) ler01; rewrite mul1r.
have Q01 : 0 <= Q P r gam p s a <= (1 - gam)^-1.
  have /andP[ra rb] := r01 a s; apply/andP; split.
    rewrite addr_ge0 // mulr_ge0 // mxE sumr_ge0 // => x _; rewrite mulr_ge0 //; by case/andP: (V01 x).
  have -> : (1 - gam)^-1 = 1 + gam * (1 - gam)^-1 by field; rewrite gt_eqF.
  rewrite ler_add // ler_wpmul2l // mxE; apply: (le_trans (y := (\sum_x P a s x) * (1 - gam)^-1)).
    by rewrite mulr_suml; apply: ler_sum => x _; rewrite ler_wpmul2l //; case/andP: (V01 x).
  by rewrite ler_pimull // invr_ge0 ltW.
have /andP[v0 v1] := V01 s; have /andP[q0 q1] := Q01.
rewrite ler_norml ler_oppl opprB; apply/andP; split.
  by apply: (le_trans (y := V P r gam p s 0)); rewrite // ler_subl_addr ler_addl.
by apply: (le_trans (y := Q P r gam p s a)); rewrite // ler_subl_addr ler_addl.
Qed.

(* T51, in the largest change of a logit *)
Theorem T51_softmax_smooth_max B : (forall s a, `|theta' s a - theta s a| <= B) ->
  `|(mu *m V P r gam pi') 0 0 - (mu *m V P r gam pi) 0 0 -
    \sum_s \sum_a softmax_gradient P r gam pi mu s a * (theta' s a - theta s a)|
  <= 4%:R * B ^+ 2 / (1 - gam) ^+ 3.
Proof.
move=> close; have [a0 _|none] := pickP (fun _ : A => true); last first.
  have V0 p : V P r gam p = 0.
    by rewrite /V (_ : rpi r p = 0) ?mulmx0 //; apply/colP => s; rewrite !mxE big_pred0.
  rewrite !V0 mulmx0 subrr big1 => [|s _]; last by rewrite big_pred0.
  by rewrite subrr normr0 divr_ge0 ?exprn_ge0 ?(ltW h) // mulr_ge0 ?ler0n ?sqr_ge0.
have pp := softmax_policyP el a0 theta; have pp' := softmax_policyP el a0 theta'.
have tv s : \sum_a `|pi' s a - pi s a| <= 2%:R * B by exact: (softmax_variation el a0 (close s)).
have tr := T54_trust_region P0 P1 g0 g1 pp pp' (fun s a => advantage_norm s a pp) tv mu0 mu1.
set G := \sum_s \sum_a _; set J := _ - (mu *m _) 0 0; move: tr; rewrite -/J; set U := \sum_s _ => tr.
have -> : J - G = (J - U) + (U - G) by rewrite addrA subrK.
apply: (le_trans (ler_norm_add _ _)).
have -> : 4%:R * B ^+ 2 / (1 - gam) ^+ 3 = 4%:R * gam * (1 - gam)^-1 * B ^+ 2 / (1 - gam) ^+ 2 + (1 - gam)^-1 * (4%:R * B ^+ 2 * (1 - gam)^-1).
  by field; rewrite gt_eqF.
apply: ler_add tr _.
have -> : U - G = \sum_s occupancy P gam pi mu 0 s *
    \sum_a (pi' s a - pi s a - pi s a * ((theta' s a - theta s a) - \sum_b pi s b * (theta' s b - theta s b))) * adv s a.
  rewrite -sumrB; apply: eq_bigr => s _; set m := \sum_b pi s b * (theta' s b - theta s b).
  rewrite [X in _ = _ * X](eq_bigr (fun a => (pi' s a * adv s a - pi s a * adv s a * (theta' s a - theta s a)) +
    (m - 1) * (pi s a * adv s a))) => [|a _]; last first.
    by move: (pi' s a) (pi s a) (Q _ _ _ _ _ _) (V _ _ _ _ _ _) (theta' s a) (theta s a) m => p' p x v y' y u; ring.
  rewrite big_split /= sumrB -mulr_sumr (advantage_mean r P0 P1 g0 g1 pp) mulr0 addr0 mulrBr; congr (_ - _).
  by rewrite mulr_sumr; apply: eq_bigr => a _; rewrite /softmax_gradient !mulrA.
apply: (le_trans (ler_norm_sum _ _ _)).
apply: (le_trans (y := (\sum_s occupancy P gam pi mu 0 s) * (4%:R * B ^+ 2 * (1 - gam)^-1))).
  rewrite mulr_suml; apply: ler_sum => s _.
  have d0 := occupancy_ge0 P0 P1 g0 g1 s pp mu0; rewrite normrM (ger0_norm d0) ler_wpmul2l //.
  apply: (le_trans (ler_norm_sum _ _ _)).
  apply: (le_trans _ (ler_wpmul2r _ (softmax_remainder el a0 (close s)))); last by rewrite invr_ge0 ltW.
  by rewrite mulr_suml; apply: ler_sum => a _; rewrite normrM ler_wpmul2l // advantage_norm.
have b0 : 0 <= 4%:R * B ^+ 2 * (1 - gam)^-1 by rewrite divr_ge0 ?(ltW h) // mulr_ge0 ?ler0n ?sqr_ge0.
by rewrite ler_wpmul2r //; apply: (le_trans (occupancy_mass P0 P1 g0 g1 pp mu0)); rewrite mu1 mul1r.
Qed.

(* T51: half the constant of smoothness times the square of the step *)
Theorem T51_softmax_smooth :
  `|(mu *m V P r gam pi') 0 0 - (mu *m V P r gam pi) 0 0 -
    \sum_s \sum_a softmax_gradient P r gam pi mu s a * (theta' s a - theta s a)|
  <= 8%:R / (1 - gam) ^+ 3 / 2%:R * \sum_s \sum_a (theta' s a - theta s a) ^+ 2.
Proof.
set q := \sum_s \sum_a _ ^+ 2; pose dx (i : 'I_n * A) := theta' i.1 i.2 - theta i.1 i.2.
have qE : q = \sum_i dx i ^+ 2 by rewrite /q pair_bigA.
have [B [close Bq]] : exists B, (forall s a, `|theta' s a - theta s a| <= B) /\ B ^+ 2 <= q.
  have [i0 _|none] := pickP (fun _ : 'I_n * A => true); last first.
    by exists 0; split=> [s a|]; [have := none (s, a) | rewrite expr0n qE big_pred0].
  have [i _ imax] := arg_maxP (fun i => `|dx i|) (erefl true : xpredT i0).
  exists `|dx i|; split=> [s a|]; first exact: (imax (s, a) isT).
  by rewrite real_normK ?num_real // qE (bigD1 i) //= ler_addl sumr_ge0 // => j _; exact: sqr_ge0.
apply: (le_trans (T51_softmax_smooth_max close)).
have -> : 8%:R / (1 - gam) ^+ 3 / 2%:R * q = 4%:R * q / (1 - gam) ^+ 3 by field; rewrite gt_eqF.
by rewrite ler_wpmul2r ?invr_ge0 ?exprn_ge0 ?(ltW h) // ler_wpmul2l ?ler0n.
Qed.
End Smoothness.
