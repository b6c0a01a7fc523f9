(* False variants of T49 (a quadratic decrease), refuted on sequences of fractions that lose nothing more than they must.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Recursion mutants.Rationals.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Fixpoint falling (c first : q) t : q := if t is k.+1 then falling c first k - c * falling c first k ^+ 2 else first.
Lemma falling_step c first t : falling c first t.+1 <= falling c first t - c * falling c first t ^+ 2.
Proof. exact: lexx. Qed.
Fixpoint shrinking (c first : q) t : q := if t is k.+1 then shrinking c first k - c * shrinking c first k else first.

(* t became t^2; c = 1, first gap 1/2. The third gap is 39/256, above 1/9. *)
Lemma T49_mutant_rate : ~ (forall (c : q) gap, 0 < c -> (forall t, gap t.+1 <= gap t - c * gap t ^+ 2) ->
  forall t, gap t.+1 <= 1 / (c * t.+1%:R ^+ 2)).
Proof.
move=> /(_ 1 _ isT (falling_step 1 (1 / 2%:R)) 2%N).
by have -> : falling 1 (1 / 2%:R) 3 = 39%:R / 256%:R; [apply/eqP; vm_compute | vm_compute].
Qed.

(* the factor c dropped; c = 1/4, first gap 2. The second gap is 3/4, above 1/2. *)
Lemma T49_mutant_factor : ~ (forall (c : q) gap, 0 < c -> (forall t, gap t.+1 <= gap t - c * gap t ^+ 2) ->
  forall t, gap t.+1 <= 1 / t.+1%:R).
Proof.
move=> /(_ (1 / 4%:R) _ isT (falling_step (1 / 4%:R) 2%:R) 1%N).
by have -> : falling (1 / 4%:R) 2%:R 2 = 3%:R / 4%:R; [apply/eqP; vm_compute | vm_compute].
Qed.

(* in the premise c gap^2 became c gap, so that a large first gap counts; c = 1/2, first gap 10. The next gap is 5, above 2. *)
Lemma T49_mutant_square : ~ (forall (c : q) gap, 0 < c -> (forall t, gap t.+1 <= gap t - c * gap t) ->
  forall t, gap t.+1 <= 1 / (c * t.+1%:R)).
Proof.
move=> /(_ (1 / 2%:R) _ isT (fun t => lexx (shrinking (1 / 2%:R) 10%:R t.+1)) 0%N).
by have -> : shrinking (1 / 2%:R) 10%:R 1 = 5%:R; [apply/eqP; vm_compute | vm_compute].
Qed.
