(* A policy visits each state at least as often as it starts there, hence the mismatch bound (T48).
   Source: Kakade, Langford (2002), section 4; Agarwal, Kakade, Lee, Mahajan (2021), proof of theorem 5. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Discounted Resolvent Policy DiscountedPolicyImprovement.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section MismatchBound.
Variables (F : realFieldType) (n : nat) (A : finType) (P : A -> 'M[F]_n) (gam : F).
Hypotheses (P0 : forall a s s', 0 <= P a s s') (P1 : forall a s, \sum_s' P a s s' <= 1)
  (g0 : 0 <= gam) (g1 : gam < 1).

Implicit Types (pi : 'I_n -> A -> F) (mu : 'rV[F]_n).

Lemma resolvent_ge0 pi s s' : policy pi -> 0 <= invmx (Tpi P gam pi) s s'.
Proof.
move=> pp; have := @T32_minimum_principle _ _ (Ppi P pi) gam.
move=> /(_ (fun _ _ => Ppi_ge0 P0 _ _ pp) (fun s => Ppi_sum_le s P1 pp) g0 g1 (col s' (invmx (Tpi P gam pi)))) H.
have -> : invmx (Tpi P gam pi) s s' = col s' (invmx (Tpi P gam pi)) s 0 by rewrite mxE.
by apply: H => i; rewrite -/(Tpi P gam pi) colE mulmxA mulmxV ?Tpi_unit // mul1mx mxE ler0n.
Qed.

Lemma occupancy_ge0 pi mu s : policy pi -> (forall x, 0 <= mu 0 x) -> 0 <= occupancy P gam pi mu 0 s.
Proof. by move=> pp mu0; rewrite mxE sumr_ge0 // => x _; rewrite mulr_ge0 ?resolvent_ge0. Qed.

Lemma occupancy_step pi mu s : policy pi ->
  occupancy P gam pi mu 0 s = mu 0 s + gam * \sum_x occupancy P gam pi mu 0 x * Ppi P pi x s.
Proof.
move=> pp; have U := Tpi_unit P0 P1 g0 g1 pp.
have E : occupancy P gam pi mu *m Tpi P gam pi = mu by rewrite /occupancy mulmxKV.
have := congr1 (fun m : 'rV_n => m 0 s) E; rewrite /Tpi mulmxBr mulmx1 -scalemxAr.
rewrite [X in X = _ -> _]mxE [X in _ + X = _ -> _]mxE [X in _ - X = _ -> _]mxE [X in _ - _ * X = _ -> _]mxE.
by move=> <-; rewrite subrK.
Qed.

Lemma occupancy_ge_start pi mu s : policy pi -> (forall x, 0 <= mu 0 x) -> mu 0 s <= occupancy P gam pi mu 0 s.
Proof.
move=> pp mu0; rewrite occupancy_step // ler_addl mulr_ge0 ?sumr_ge0 // => x _.
by rewrite mulr_ge0 ?occupancy_ge0 ?Ppi_ge0.
Qed.

(* T48: with normalised visits d = (1 - gam) occupancy of pi from mu, and d-star those of another policy from any start law,
   d-star / d <= d-star / ((1 - gam) mu). *)
Theorem T48_mismatch_bound pi pi' (mu mu' : 'rV[F]_n) s : policy pi -> policy pi' ->
  (forall x, 0 <= mu 0 x) -> (forall x, 0 <= mu' 0 x) -> 0 < mu 0 s ->
  ((1 - gam) * occupancy P gam pi' mu' 0 s) / ((1 - gam) * occupancy P gam pi mu 0 s)
    <= ((1 - gam) * occupancy P gam pi' mu' 0 s) / ((1 - gam) * mu 0 s).
Proof.
move=> pp pp' mu0 mu0' mus; have gg : 0 < 1 - gam by rewrite subr_gt0.
apply: ler_wpmul2l; first by rewrite mulr_ge0 ?occupancy_ge0 // ltW.
have le := occupancy_ge_start s pp mu0.
rewrite lef_pinv ?posrE; first by rewrite ler_pmul2l.
  by rewrite mulr_gt0 // (lt_le_trans mus).
by rewrite mulr_gt0.
Qed.
End MismatchBound.
