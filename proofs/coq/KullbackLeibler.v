(* The Kullback-Leibler divergence of two laws on a finite set: it is never negative, and zero only for equal laws.
   Source: Kullback, Leibler (1951); Gibbs' inequality. A cell with p = 0 counts zero, so p << q is all that is asked. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import ExpLog.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section KL.
Variables (F : realFieldType) (ex ln : F -> F) (A : finType).
Hypothesis el : explog ex ln.
Implicit Types p q : A -> F.

Definition law p := (forall a, 0 <= p a) /\ \sum_a p a = 1.
Definition dominated p q := forall a, q a = 0 -> p a = 0.
Definition KL p q := \sum_a p a * ln (p a / q a).

Lemma pos_or_0 (x : F) : 0 <= x -> x = 0 \/ 0 < x.
Proof. by rewrite le_eqVlt => /orP[/eqP <-|]; [left|right]. Qed.

Lemma dominated_gt0 p q a : (forall a, 0 <= q a) -> dominated p q -> 0 < p a -> 0 < q a.
Proof. by move=> q0 pq pa; case: (pos_or_0 (q0 a)) => // /pq p0; move: pa; rewrite p0 ltxx. Qed.

(* the divergence is a sum of terms that are not negative *)
Definition excess p q a := q a - p a + p a * ln (p a / q a).

Lemma KL_excess p q : law p -> law q -> KL p q = \sum_a excess p q a.
Proof. by case=> _ p1 [_ q1]; rewrite big_split sumrB /= p1 q1 subrr add0r. Qed.

Lemma excess_ge0 p q a : law p -> law q -> dominated p q -> 0 <= excess p q a.
Proof.
case=> p0 _ [q0 _] pq; rewrite /excess; case: (pos_or_0 (p0 a)) => [->|pa].
  by rewrite mul0r subr0 addr0.
have qa := dominated_gt0 q0 pq pa.
have := ler_wpmul2l (ltW pa) (ln_le el (divr_gt0 qa pa)).
rewrite (ln_div el) // (ln_div el) // => h; rewrite -subr_ge0 in h.
by apply: le_trans h _; rewrite le_eqVlt; apply/orP; left; apply/eqP; field; exact: lt0r_neq0.
Qed.

Theorem KL_ge0 p q : law p -> law q -> dominated p q -> 0 <= KL p q.
Proof. by move=> lp lq pq; rewrite KL_excess //; apply: sumr_ge0 => a _; exact: excess_ge0. Qed.

Theorem KL_eq0 p q : law p -> law q -> dominated p q -> KL p q = 0 -> p =1 q.
Proof.
move=> lp lq pq; rewrite KL_excess // => /psumr_eq0P all0 a.
have {all0} := all0 (fun a _ => excess_ge0 a lp lq pq) a isT.
have [p0 _] := lp; have [q0 _] := lq.
rewrite /excess; case: (pos_or_0 (p0 a)) => [->|pa].
  by rewrite mul0r subr0 addr0 => ->.
have qa := dominated_gt0 q0 pq pa; move=> e0; apply/eqP; apply/negPn/negP => ne.
have qp1 : q a / p a != 1.
  by apply: contra ne => /eqP qp; rewrite -(divfK (lt0r_neq0 pa) (q a)) qp mul1r.
have := ln_lt el (divr_gt0 qa pa) qp1; rewrite -(ltr_pmul2l pa) (ln_div el) // => h.
have : p a * (q a / p a - 1) = p a * (ln (q a) - ln (p a)).
  have -> : p a * (q a / p a - 1) = q a - p a by field; exact: lt0r_neq0.
  by apply/eqP; rewrite -subr_eq0 -[X in _ == X]e0 (ln_div el) //; apply/eqP; ring.
by move=> e; move: h; rewrite e ltxx.
Qed.

Lemma KL_refl p : (forall a, 0 <= p a) -> KL p p = 0.
Proof.
move=> p0; rewrite /KL big1 // => a _; case: (pos_or_0 (p0 a)) => [->|pa]; first by rewrite mul0r.
by rewrite divff ?lt0r_neq0 // (ln1 el) mulr0.
Qed.
End KL.
