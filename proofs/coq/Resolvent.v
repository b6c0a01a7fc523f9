(* For M >= 0 with row sums of at most one and 0 <= gam < 1, the matrix I - gam M is invertible (T17) and its inverse is monotone (T32).
   Source: Puterman (1994), theorem 6.1.1 and lemma 6.1.2; Berman, Plemmons (1994), chapter 6 (M-matrices). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix mxalgebra.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Resolvent.
Variables (F : realFieldType) (n : nat) (M : 'M[F]_n) (gam : F).
Hypotheses (M0 : forall i j, 0 <= M i j) (M1 : forall i, \sum_j M i j <= 1)
  (g0 : 0 <= gam) (g1 : gam < 1).

(* T17: the discounted system has exactly one solution. *)
Theorem T17_discounted_invertible : 1%:M - gam *: M \in unitmx.
Proof.
rewrite -unitmx_tr -row_free_unit -kermx_eq0; apply/eqP/row_matrixP => i0.
set v := row i0 _; rewrite row0.
have : v *m (1%:M - gam *: M)^T = 0.
  by rewrite /v -row_mul mulmx_ker row0.
move/(congr1 (@trmx _ _ _)); rewrite trmx_mul trmxK trmx0 => vT.
have E i : v 0 i = gam * \sum_j M i j * v 0 j.
  have := congr1 (fun X : 'cV_n => X i 0) vT.
  rewrite mulmxBl mul1mx -scalemxAl !mxE => /eqP; rewrite subr_eq0 => /eqP ->.
  by congr (_ * _); apply: eq_bigr => j _; rewrite mxE.
apply/rowP => k; rewrite [RHS]mxE; apply/eqP; rewrite -(normr_le0 (v 0 k)).
have [m _ mmax] := arg_maxP (fun i => `|v 0 i|) (erefl true : xpredT k).
have {}mmax j : `|v 0 j| <= `|v 0 m| by exact: mmax.
apply: (le_trans (mmax k)); rewrite leNgt; apply/negP => pos.
have : `|v 0 m| <= gam * `|v 0 m|.
  rewrite {1}E normrM (ger0_norm g0) ler_wpmul2l //.
  apply: (le_trans (ler_norm_sum _ _ _)).
  apply: (@le_trans _ _ ((\sum_j M m j) * `|v 0 m|)); last by rewrite ler_pimull.
  rewrite mulr_suml; apply: ler_sum => j _.
  by rewrite normrM (ger0_norm (M0 _ _)) ler_wpmul2l.
by rewrite ler_pmull // leNgt g1.
Qed.

(* T32: the solution of a nonnegative right side is nonnegative. *)
Theorem T32_minimum_principle (x : 'cV[F]_n) :
  (forall i, 0 <= ((1%:M - gam *: M) *m x) i 0) -> forall i, 0 <= x i 0.
Proof.
move=> H i; have [m _ mmin] := arg_minP (fun j => x j 0) (erefl true : xpredT i).
have {}mmin j : x m 0 <= x j 0 by exact: mmin.
apply: (le_trans _ (mmin i)); rewrite leNgt; apply/negP => neg.
have E : ((1%:M - gam *: M) *m x) m 0 = x m 0 - gam * (\sum_j M m j * x j 0).
  by rewrite mulmxBl mul1mx -scalemxAl !mxE.
have := H m; rewrite E subr_ge0 => h.
have avg : x m 0 <= \sum_j M m j * x j 0.
  apply: (@le_trans _ _ ((\sum_j M m j) * x m 0)); first by rewrite ler_nimull // ltW.
  by rewrite mulr_suml; apply: ler_sum => j _; rewrite ler_wpmul2l.
have : gam * x m 0 <= x m 0 by apply: le_trans h; rewrite ler_wpmul2l.
by rewrite -subr_ge0 -{1}[x m 0]mul1r -mulrBl pmulr_rge0 ?subr_gt0 // leNgt neg.
Qed.
End Resolvent.
