(* Mean and variance of weights on a finite set: the second moment (T18) and the law of total variance (T19).
   Source: Billingsley (1995), sections 21 and 34; no probability is needed: T18 asks for weights that sum to one, T19 for any. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Variance.
Variables (F : fieldType) (W : finType) (p : W -> F).
Implicit Types X Y : W -> F.

Definition E X := \sum_w p w * X w.
Definition Var X := E (fun w => (X w - E X) ^+ 2).

Lemma eq_E X Y : X =1 Y -> E X = E Y.
Proof. by move=> XY; apply: eq_bigr => w _; rewrite XY. Qed.
Lemma ED X Y : E (fun w => X w + Y w) = E X + E Y.
Proof. by rewrite /E -big_split; apply: eq_bigr => w _; rewrite mulrDr. Qed.
Lemma EZ c X : E (fun w => c * X w) = c * E X.
Proof. by rewrite /E mulr_sumr; apply: eq_bigr => w _; rewrite mulrCA. Qed.

Lemma Var_mass X : Var X = E (fun w => X w ^+ 2) + (\sum_w p w - 2%:R) * E X ^+ 2.
Proof.
rewrite /Var; move mE: (E X) => m.
rewrite (eq_E (Y := fun w => X w ^+ 2 + ((- 2%:R * m) * X w + m ^+ 2))); last by move=> w; ring.
have -> : E (fun w => X w ^+ 2 + ((- 2%:R * m) * X w + m ^+ 2)) = E (fun w => X w ^+ 2) - 2%:R * m * m + (\sum_w p w) * m ^+ 2.
  by rewrite ED ED EZ mE [E (fun=> m ^+ 2)]/E -mulr_suml; move: (\sum_w p w) => u; ring.
by move: (\sum_w p w) => u; ring.
Qed.

Section UnitMass.
Hypothesis p1 : \sum_w p w = 1.
Lemma Ecst c : E (fun _ => c) = c.
Proof. by rewrite /E -mulr_suml p1 mul1r. Qed.

(* T18: Var X = E X^2 - (E X)^2; the weights may be negative. *)
Theorem T18_variance_second_moment X : Var X = E (fun w => X w ^+ 2) - E X ^+ 2.
Proof.
by rewrite Var_mass p1; ring.
Qed.
End UnitMass.

(* Conditioning on g(w). A cell of mass zero must have no weight at all, as is so for probabilities; there CE is 0. *)
Section Condition.
Variables (G : finType) (g : W -> G).
Definition pG x := \sum_(w | g w == x) p w.
Definition CE X x := (\sum_(w | g w == x) p w * X w) / pG x.
Definition CVar X x := CE (fun w => (X w - CE X x) ^+ 2) x.
Hypothesis pG0 : forall w, pG (g w) = 0 -> p w = 0.

Lemma E_fiber X : E X = \sum_x \sum_(w | g w == x) p w * X w.
Proof. by rewrite /E (partition_big g predT). Qed.

Lemma fiber_mass X x : CE X x * pG x = \sum_(w | g w == x) p w * X w.
Proof.
have [x0|x0] := eqVneq (pG x) 0; last by rewrite /CE divfK.
by rewrite x0 mulr0 big1 // => w /eqP gw; rewrite (pG0 (w := w)) ?gw // mul0r.
Qed.

Lemma tower X : E (fun w => CE X (g w)) = E X.
Proof.
rewrite !E_fiber; apply: eq_bigr => x _.
under eq_bigr => w /eqP -> do [].
by rewrite -mulr_suml -/(pG x) mulrC fiber_mass.
Qed.

(* T19: the variance is the mean of the conditional variance plus the variance of the conditional mean. *)
Theorem T19_total_variance X :
  Var X = E (fun w => CVar X (g w)) + Var (fun w => CE X (g w)).
Proof.
have CEsq x : CVar X x = CE (fun w => X w ^+ 2) x - CE X x ^+ 2.
  have [x0|x0] := eqVneq (pG x) 0; first by rewrite /CVar /CE x0 invr0 !mulr0 expr0n subr0.
  rewrite /CVar; move mE: (CE X x) => m; rewrite /CE.
  have -> : \sum_(w | g w == x) p w * (X w - m) ^+ 2 =
      \sum_(w | g w == x) p w * X w ^+ 2 - 2%:R * m * (\sum_(w | g w == x) p w * X w)
      + m ^+ 2 * pG x.
    rewrite /pG !mulr_sumr -sumrB -big_split /=; apply: eq_bigr => w _; ring.
  have -> : \sum_(w | g w == x) p w * X w = m * pG x by rewrite -mE /CE divfK.
  by field.
rewrite !Var_mass tower.
rewrite [X in _ = X + _](eq_E (Y := fun w =>
    CE (fun w => X w ^+ 2) (g w) + (-1) * CE X (g w) ^+ 2)).
  rewrite ED EZ tower; move: (E (fun w => CE X (g w) ^+ 2)) (\sum_w p w) => u v; ring.
by move=> w; rewrite CEsq mulN1r.
Qed.
End Condition.
End Variance.
