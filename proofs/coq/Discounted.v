(* Values of the discounted process as linear algebra, V = (I - gam P_pi)^-1 r_pi, and the uniqueness of the fixed point.
   Source: Puterman (1994), theorem 6.1.1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Discounted.
Variables (R : comUnitRingType) (n : nat) (A : finType).
Variables (P : A -> 'M[R]_n) (r : A -> 'cV[R]_n) (gam : R).
Implicit Type pi : 'I_n -> A -> R.

Definition Ppi pi : 'M[R]_n := \matrix_(s, s') \sum_a pi s a * P a s s'.
Definition rpi pi : 'cV[R]_n := \col_s \sum_a pi s a * r a s 0.
Definition Tpi pi := 1%:M - gam *: Ppi pi.
Definition V pi : 'cV[R]_n := invmx (Tpi pi) *m rpi pi.
Definition Q pi s a : R := r a s 0 + gam * (P a *m V pi) s 0.
(* discounted visits from the start law mu; not normalised, they sum to 1 / (1 - gam) if no episode ends *)
Definition occupancy pi (mu : 'rV[R]_n) : 'rV[R]_n := mu *m invmx (Tpi pi).

Lemma Bellman pi : Tpi pi \in unitmx -> V pi = rpi pi + gam *: (Ppi pi *m V pi).
Proof.
move=> U; rewrite -[LHS]mul1mx -{1}[1%:M](subrK (gam *: Ppi pi)) -/(Tpi pi).
by rewrite mulmxDl /V mulmxA mulmxV // mul1mx -scalemxAl.
Qed.

(* the only fact used about V: a linear fixed point is unique *)
Lemma linear_fixpoint pi (X c : 'cV[R]_n) : Tpi pi \in unitmx ->
  X = c + gam *: (Ppi pi *m X) -> X = invmx (Tpi pi) *m c.
Proof.
move=> U XE; have -> : c = Tpi pi *m X by rewrite mulmxBl mul1mx -scalemxAl {1}XE addrK.
by rewrite mulmxA mulVmx // mul1mx.
Qed.

Lemma PpiE pi (X : 'cV[R]_n) s : (Ppi pi *m X) s 0 = \sum_a pi s a * (P a *m X) s 0.
Proof.
rewrite mxE; under eq_bigr => s' _ do rewrite mxE mulr_suml.
rewrite exchange_big; apply: eq_bigr => a _; rewrite mxE mulr_sumr.
by apply: eq_bigr => s' _; rewrite mulrA.
Qed.

Lemma V_Q pi s : Tpi pi \in unitmx -> V pi s 0 = \sum_a pi s a * Q pi s a.
Proof.
move=> U; have := congr1 (fun X : 'cV_n => X s 0) (Bellman U).
rewrite [RHS]mxE [X in X + _]mxE [X in _ + X]mxE => ->.
rewrite [RHS](eq_bigr (fun a => pi s a * r a s 0 + gam * (pi s a * (P a *m V pi) s 0)));
  last by move=> a _; rewrite /Q mulrDr mulrCA.
rewrite big_split /= -mulr_sumr; congr (_ + _ * _).
exact: PpiE.
Qed.
End Discounted.
