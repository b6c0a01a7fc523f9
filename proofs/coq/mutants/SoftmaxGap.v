(* False variants of T50 (the gap against the softmax gradient), refuted in every ordered field, on one state or three.
   Source: hand-made; what each leaves out stands above it. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted Policy DeterministicPolicy SoftmaxGradient.
From PG Require Import mutants.OneState mutants.OneDecision.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

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
