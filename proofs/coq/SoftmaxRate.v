(* Softmax policy gradient with exact gradients and the step (1 - gam)^3 / 8 is within a constant over t of every deterministic
   policy (T52): smoothness makes a gain of the gradient's square (T51), domination a gradient of the gap (T50), and a gap that
   falls by its square falls like 1/t (T49). Source: Mei, Xiao, Szepesvari, Schuurmans (2020), theorem 4. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted Policy MismatchBound DeterministicPolicy ExpLog Recursion.
From PG Require Import SoftmaxGradient Lojasiewicz SoftmaxSmoothness.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Ascent.
Variables (F : fieldType) (ex : F -> F) (n : nat) (A : finType) (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F) (mu : 'rV[F]_n).
Implicit Type theta : 'I_n -> A -> F.

(* theta += (1 - gam)^3 / 8 grad J *)
Definition ascent_step theta s a :=
  theta s a + (1 - gam) ^+ 3 / 8%:R * softmax_gradient P r gam (softmax_policy ex theta) mu s a.
Definition ascent_run theta := fix run t := if t is k.+1 then ascent_step (run k) else theta.
End Ascent.

Section Rate.
Variables (F : realFieldType) (ex ln : F -> F) (el : explog ex ln).
Variables (n : nat) (A : finType) (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F) (mu : 'rV[F]_n).
Hypotheses (P0 : forall a s s', 0 <= P a s s') (P1 : forall a s, \sum_s' P a s s' <= 1)
  (g0 : 0 <= gam) (g1 : gam < 1) (r01 : forall a s, 0 <= r a s 0 <= 1)
  (mu0 : forall s, 0 <= mu 0 s) (mu1 : \sum_s mu 0 s = 1).
Local Notation pi theta := (softmax_policy ex theta).
Local Notation J p := ((mu *m V P r gam p) 0 0).
Local Notation slope theta := (\sum_s \sum_a softmax_gradient P r gam (pi theta) mu s a ^+ 2).
Local Notation step := (ascent_step ex P r gam mu).

Let h : 0 < 1 - gam. Proof. by rewrite subr_gt0. Qed.

(* a step gains half of itself, to first order *)
Lemma ascent_gain theta : (1 - gam) ^+ 3 / 16%:R * slope theta <= J (pi (step theta)) - J (pi theta).
Proof.
have := T51_softmax_smooth el P0 P1 g0 g1 r01 theta (step theta) mu0 mu1.
set g := softmax_gradient P r gam (pi theta) mu; set q := \sum_s \sum_a g s a ^+ 2.
have dx s a : step theta s a - theta s a = (1 - gam) ^+ 3 / 8%:R * g s a by rewrite /ascent_step addrAC subrr add0r.
have -> : \sum_s \sum_a g s a * (step theta s a - theta s a) = (1 - gam) ^+ 3 / 8%:R * q.
  rewrite mulr_sumr; apply: eq_bigr => s _; rewrite mulr_sumr; apply: eq_bigr => a _.
  by rewrite dx mulrCA -expr2.
have -> : \sum_s \sum_a (step theta s a - theta s a) ^+ 2 = ((1 - gam) ^+ 3 / 8%:R) ^+ 2 * q.
  rewrite mulr_sumr; apply: eq_bigr => s _; rewrite mulr_sumr; apply: eq_bigr => a _.
  by rewrite dx exprMn.
rewrite ler_norml => /andP[low _]; rewrite -subr_ge0; rewrite -subr_ge0 in low.
apply: le_trans low _; rewrite le_eqVlt; apply/orP; left; apply/eqP.
move: (J _) (J _) q => x y z; field; rewrite gt_eqF // !pnatr_eq0.
Qed.

Variables (theta : 'I_n -> A -> F) (f : 'I_n -> A) (kappa c : F) (t : nat).
Local Notation run := (ascent_run ex P r gam mu theta).
Hypotheses (mismatch : forall s, (1 - gam) * occupancy P gam (det F f) mu 0 s <= kappa * mu 0 s)
  (c0 : 0 < c) (likely : forall k s, (k < t)%N -> c <= pi (run k) s (f s)).

Lemma run_monotone k j : J (pi (run k)) <= J (pi (run (k + j))).
Proof.
elim: j => [|j IH]; first by rewrite addn0.
apply: (le_trans IH); rewrite addnS -subr_ge0; apply: le_trans (ascent_gain _).
rewrite mulr_ge0 ?divr_ge0 ?exprn_ge0 ?(ltW h) ?ler0n // sumr_ge0 // => s _; rewrite sumr_ge0 // => a _.
exact: sqr_ge0.
Qed.

Lemma some_state : exists s : 'I_n, true.
Proof.
have [s _|none] := pickP (fun _ : 'I_n => true); first by exists s.
by move: mu1; rewrite big_pred0 // => /eqP; rewrite eq_sym oner_eq0.
Qed.

Lemma mismatch_gt0 : 0 < kappa.
Proof.
have pf := det_policy F f.
have : (1 - gam) * (\sum_s mu 0 s) <= kappa * (\sum_s mu 0 s).
  rewrite !mulr_sumr; apply: ler_sum => s _; apply: le_trans (mismatch s).
  by rewrite ler_wpmul2l ?(ltW h) // (occupancy_ge_start P0 P1).
by rewrite mu1 !mulr1; exact: lt_le_trans.
Qed.

(* T52: with kappa at least (1 - gam) d_f / mu in every state, and c at most the probability of f's action in every state and
   before every step up to t *)
Theorem T52_softmax_rate : (0 < t)%N ->
  J (det F f) - J (pi (run t)) <= 16%:R * n%:R * kappa ^+ 2 / (c ^+ 2 * (1 - gam) ^+ 5 * t%:R).
Proof.
have [s0 _] := some_state; move=> t0; have k0 := mismatch_gt0; have n0 : 0 < n%:R :> F by rewrite ltr0n (leq_trans _ (ltn_ord s0)).
have t0' : 0 < t%:R :> F by rewrite ltr0n.
have den : 0 < c ^+ 2 * (1 - gam) ^+ 5 by rewrite mulr_gt0 // exprn_gt0.
pose gap k := J (det F f) - J (pi (run k)).
have num : 0 < 16%:R * n%:R * kappa ^+ 2 by rewrite mulr_gt0 ?exprn_gt0 // mulr_gt0 // ltr0n.
rewrite -/(gap t); have [gap0|gap0] := lerP (gap t) 0.
  by apply: (le_trans gap0); rewrite divr_ge0 ?(ltW num) // mulr_ge0 // ltW.
have pos k : (k <= t)%N -> 0 <= gap k.
  move=> kt; apply: (le_trans (ltW gap0)); rewrite ler_add2l ler_opp2.
  by have := run_monotone k (t - k); rewrite subnKC.
pose b := c ^+ 2 * (1 - gam) ^+ 5 / (16%:R * n%:R * kappa ^+ 2).
have b0 : 0 < b by rewrite divr_gt0.
have dominated k : (k < t)%N -> gap k.+1 <= gap k - b * gap k ^+ 2.
  move=> kt; have gk := pos k (ltnW kt).
  have pp := softmax_policyP el (f s0) (run k).
  have cover s : occupancy P gam (det F f) mu 0 s <= kappa / (1 - gam) * occupancy P gam (pi (run k)) mu 0 s.
    rewrite [X in _ <= X]mulrAC ler_pdivl_mulr // [X in X <= _]mulrC; apply: (le_trans (mismatch s)).
    by rewrite ler_wpmul2l ?(ltW k0) // (occupancy_ge_start P0 P1).
  have := T50_softmax_lojasiewicz_squared P0 P1 g0 g1 mu0 (ltW c0) cover (fun s => likely s kt) gk.
  rewrite -/(gap k); set q := \sum_s _ => dom.
  have gain : (1 - gam) ^+ 3 / 16%:R * q <= gap k - gap k.+1.
    have -> : gap k - gap k.+1 = J (pi (run k.+1)) - J (pi (run k)) by rewrite /gap; ring.
    exact: ascent_gain.
  rewrite ler_subr_addl -ler_subr_addr; apply: le_trans gain.
  have -> : b * gap k ^+ 2 = (1 - gam) ^+ 5 / (16%:R * n%:R * kappa ^+ 2) * (c ^+ 2 * gap k ^+ 2) by rewrite /b; ring.
  have -> : (1 - gam) ^+ 3 / 16%:R * q = (1 - gam) ^+ 5 / (16%:R * n%:R * kappa ^+ 2) * (n%:R * (kappa / (1 - gam)) ^+ 2 * q).
    by field; rewrite !gt_eqF.
  by rewrite ler_wpmul2l // divr_ge0 ?(ltW num) // exprn_ge0 // ltW.
have := quadratic_recursion_until b0 dominated; rewrite mulrAC mulrC.
rewrite -ler_pdivl_mulr ?(mulr_gt0 b0 t0') // => /le_trans; apply.
by rewrite le_eqVlt; apply/orP; left; apply/eqP; rewrite /b; field; rewrite !gt_eqF.
Qed.
End Rate.
