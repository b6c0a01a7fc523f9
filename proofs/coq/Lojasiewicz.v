(* Softmax: what a policy loses against a deterministic one is at most a multiple of the norm of its gradient (T50), so that
   the landscape has no saddle away from the boundary. Source: Mei, Xiao, Szepesvari, Schuurmans (2020), lemma 8. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted DiscountedPolicyImprovement Policy MismatchBound ResolventBounds.
From PG Require Import DeterministicPolicy SoftmaxGradient.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* Cauchy and Schwarz against a vector of ones *)
Lemma sum_sqr_le (F : realFieldType) (n : nat) (x : 'I_n -> F) : (\sum_s x s) ^+ 2 <= n%:R * \sum_s x s ^+ 2.
Proof.
have := @sumr_ge0 F _ (index_enum (ordinal_finType n)) xpredT (fun i => \sum_j (x i - x j) ^+ 2).
move=> /(_ (fun i _ => sumr_ge0 _ (fun j _ => sqr_ge0 (x i - x j)))).
set q := \sum_s x s ^+ 2; set m := \sum_s x s.
have -> : \sum_i \sum_j (x i - x j) ^+ 2 = 2%:R * (n%:R * q - m ^+ 2).
  rewrite (eq_bigr (fun i => n%:R * x i ^+ 2 + (q - 2%:R * m * x i))) => [|i _].
    rewrite big_split sumrB /= -!mulr_sumr -/q -/m sumr_const card_ord -[q *+ n]mulr_natl.
    by move: n%:R => N; ring.
  rewrite (eq_bigr (fun j => x i ^+ 2 + (x j ^+ 2 - 2%:R * x i * x j))) => [|j _]; last by ring.
  rewrite big_split sumrB /= sumr_const card_ord -/q -[_ *+ n]mulr_natl (_ : \sum_j _ = 2%:R * x i * m).
    by move: (n%:R * _) q m => u v w; ring.
  by rewrite mulr_sumr.
by rewrite pmulr_rge0 ?ltr0n // subr_ge0.
Qed.

Section Lojasiewicz.
Variables (F : realFieldType) (n : nat) (A : finType).
Variables (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F).
Hypotheses (P0 : forall a s s', 0 <= P a s s') (P1 : forall a s, \sum_s' P a s s' <= 1)
  (g0 : 0 <= gam) (g1 : gam < 1).
Variables (pi : 'I_n -> A -> F) (f : 'I_n -> A) (rho mu : 'rV[F]_n) (rho0 : forall s, 0 <= rho 0 s) (kappa c : F) (c0 : 0 <= c).
Hypotheses (mismatch : forall s, occupancy P gam (det F f) rho 0 s <= kappa * occupancy P gam pi mu 0 s)
  (likely : forall s, c <= pi s (f s)).
Local Notation gap := ((rho *m V P r gam (det F f)) 0 0 - (rho *m V P r gam pi) 0 0).
Local Notation g := (softmax_gradient P r gam pi mu).

Lemma gap_le_gradient : c * gap <= `|kappa| * \sum_s `|g s (f s)|.
Proof.
have pf := det_policy F f.
rewrite (occupancy_difference r pi rho (Tpi_unit P0 P1 g0 g1 pf) (proj2 pf)) !mulr_sumr.
apply: ler_sum => s _; rewrite det_sum; set x := Q _ _ _ _ _ _ - _.
have d0 := occupancy_ge0 P0 P1 g0 g1 s pf rho0; have p0 := le_trans c0 (likely s).
rewrite /softmax_gradient -/x -normrM !mulrA normrM [X in _ <= X * _]normrM (ger0_norm p0).
apply: (le_trans (y := c * occupancy P gam (det F f) rho 0 s * `|x|)).
  by rewrite ler_wpmul2l ?mulr_ge0 // ler_norm.
rewrite ler_wpmul2r // [X in X <= _]mulrC; apply: (le_trans (y := occupancy P gam (det F f) rho 0 s * pi s (f s))).
  by rewrite ler_wpmul2l.
by rewrite ler_wpmul2r //; apply: le_trans (mismatch s) (ler_norm _).
Qed.

(* T50, squared, which needs no root; it says nothing of a policy that is better than the deterministic one *)
Theorem T50_softmax_lojasiewicz_squared : 0 <= gap ->
  c ^+ 2 * gap ^+ 2 <= n%:R * kappa ^+ 2 * \sum_s \sum_a g s a ^+ 2.
Proof.
move=> gap0; apply: (le_trans (y := (`|kappa| * \sum_s `|g s (f s)|) ^+ 2)).
  rewrite -exprMn ler_sqr ?nnegrE ?mulr_ge0 ?sumr_ge0 //; exact: gap_le_gradient.
rewrite exprMn real_normK ?num_real // [X in _ <= X * _]mulrC -[X in _ <= X]mulrA ler_wpmul2l ?sqr_ge0 //.
apply: (le_trans (sum_sqr_le _)); rewrite ler_wpmul2l ?ler0n //; apply: ler_sum => s _.
rewrite (bigD1 (f s)) //= real_normK ?num_real // ler_addl.
by apply: sumr_ge0 => a _; exact: sqr_ge0.
Qed.
End Lojasiewicz.

(* T50: pi is anything that takes the actions of f, a softmax policy for instance; f is any deterministic policy, an optimal one
   for instance; the starts may differ. *)
Theorem T50_softmax_lojasiewicz (F : rcfType) (n : nat) (A : finType)
    (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (gam : F) (pi : 'I_n -> A -> F) (f : 'I_n -> A) (rho mu : 'rV[F]_n) (kappa c : F) :
  (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
  (forall s, 0 <= rho 0 s) -> 0 <= kappa -> 0 < c ->
  (forall s, occupancy P gam (det F f) rho 0 s <= kappa * occupancy P gam pi mu 0 s) ->
  (forall s, c <= pi s (f s)) ->
  (rho *m V P r gam (det F f)) 0 0 - (rho *m V P r gam pi) 0 0 <=
  Num.sqrt n%:R * kappa * Num.sqrt (\sum_s \sum_a softmax_gradient P r gam pi mu s a ^+ 2) / c.
Proof.
move=> P0 P1 g0 g1 rho0 k0 c0 mismatch likely; set gap := _ - _; set q := \sum_s _.
have q0 : 0 <= q by rewrite !sumr_ge0 // => s _; rewrite sumr_ge0 // => a _; exact: sqr_ge0.
have b0 : 0 <= Num.sqrt n%:R * kappa * Num.sqrt q by rewrite !mulr_ge0 ?sqrtr_ge0.
rewrite ler_pdivl_mulr //; have [gap0|/ltW gap0] := lerP 0 gap; last by apply: le_trans b0; rewrite mulr_le0_ge0 // ltW.
have := T50_softmax_lojasiewicz_squared P0 P1 g0 g1 rho0 (ltW c0) mismatch likely gap0 => sq.
rewrite -ler_sqr ?nnegrE ?mulr_ge0 ?(ltW c0) ?sqrtr_ge0 // [X in X <= _]exprMn mulrC.
by rewrite [X in _ <= X]exprMn [X in _ <= X * _]exprMn sqr_sqrtr ?ler0n // sqr_sqrtr.
Qed.
