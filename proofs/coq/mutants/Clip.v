(* False variants of T55 (the clipped surrogate), refuted on one or two outcomes in fractions.
   Source: hand-made; what each gets wrong stands above it. *)
From Coq Require Import ZArith.
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Clip.
From PG Require Import mutants.OneState mutants.Rationals.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Definition never_taken (_ : unit) : q := 0.
Definition loss (_ : unit) : q := -1.
Definition gain (_ : unit) : q := 1.
Definition certain (_ : unit) : q := 1.
Definition half : q := frac 1 2.

(* the clipped product alone, without the smaller of the two *)
Lemma T55_mutant_minimum : ~ (forall (eps : q) (W : finType) (p w adv : W -> q), (forall x, 0 <= p x) ->
  \sum_x p x * (clip eps (w x) * adv x) <= surrogate p w adv).
Proof. by move=> H; have := H half _ certain never_taken gain (fun _ => isT); rewrite /surrogate !sum_unit. Qed.

(* the greater of the two products *)
Lemma T55_mutant_maximum : ~ (forall (eps : q) (W : finType) (p w adv : W -> q), (forall x, 0 <= p x) ->
  \sum_x p x * Num.max (w x * adv x) (clip eps (w x) * adv x) <= surrogate p w adv).
Proof. by move=> H; have := H half _ certain never_taken gain (fun _ => isT); rewrite /surrogate !sum_unit. Qed.

(* equality where no ratio is above 1 + eps, though some may be below 1 - eps *)
Lemma T55_mutant_one_side : ~ (forall (eps : q) (W : finType) (p w adv : W -> q), (forall x, 0 <= p x) ->
  (forall x, w x <= 1 + eps) -> clipped_surrogate eps p w adv = surrogate p w adv).
Proof.
move=> H; have := H half _ certain never_taken loss (fun _ => isT) (fun _ => isT).
by rewrite /surrogate /clipped_surrogate !sum_unit; refuted.
Qed.
