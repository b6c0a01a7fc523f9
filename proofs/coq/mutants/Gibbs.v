(* False variants of T62 (the Gibbs law), refuted for every pair of exp and log.
   Source: hand-made; what each leaves out stands above it. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import ExpLog KullbackLeibler KLRegularised.
From PG Require Import mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

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
