(* Conditioning never raises the variance; hence the sum over all actions is never worse than the action drawn (T46).
   Source: Rao (1945), Blackwell (1947); Ciosek, Whiteson (2020), lemma 3 (expected policy gradients). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Variance Policy.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section RaoBlackwell.
Variables (F : realFieldType) (W : finType) (p : W -> F).
Hypothesis p0 : forall w, 0 <= p w.

Lemma cell_of_mass_zero (G : finType) (g : W -> G) w : pG p g (g w) = 0 -> p w = 0.
Proof. by rewrite /pG => /psumr_eq0P H; apply: H => // v _; exact: p0. Qed.

Lemma rao_blackwell (G : finType) (g : W -> G) X : Var p (fun w => CE p g X (g w)) <= Var p X.
Proof.
rewrite [leRHS](T19_total_variance (@cell_of_mass_zero _ g)) ler_addr.
apply: sumr_ge0 => w _; rewrite mulr_ge0 // /CVar /CE divr_ge0 ?sumr_ge0 // => v _.
by rewrite mulr_ge0 ?sqr_ge0.
Qed.
End RaoBlackwell.

(* T46: a state from d and an action from pi, the score times anything as x(s, a): summing over the actions keeps the mean
   and does not raise the variance. *)
Theorem T46_all_action_variance (F : realFieldType) (S A : finType) (d : S -> F) (pi x : S -> A -> F) :
  (forall s, 0 <= d s) -> policy pi ->
  E d (fun s => \sum_a pi s a * x s a) = E (fun w => d w.1 * pi w.1 w.2) (fun w => x w.1 w.2) /\
  Var d (fun s => \sum_a pi s a * x s a) <= Var (fun w => d w.1 * pi w.1 w.2) (fun w => x w.1 w.2).
Proof.
move=> d0 [pi0 pi1]; set p := (fun w : S * A => d w.1 * pi w.1 w.2).
have p0 w : 0 <= p w by rewrite mulr_ge0.
have Efst (f : S -> F) : E p (fun w => f w.1) = E d f.
  rewrite /E -(pair_bigA _ (fun s a => d s * pi s a * f s)) /=; apply: eq_bigr => s _.
  by rewrite -mulr_suml -mulr_sumr pi1 mulr1.
have mass s : pG p fst s = d s.
  rewrite /pG (eq_bigl (fun w : S * A => (w.1 == s) && predT w.2)); last by move=> w; rewrite andbT.
  by rewrite -(pair_big (pred1 s) predT (fun s a => d s * pi s a)) /= big_pred1_eq -mulr_sumr pi1 mulr1.
have CEx s : d s != 0 -> CE p fst (fun w => x w.1 w.2) s = \sum_a pi s a * x s a.
  move=> ds; rewrite /CE mass (eq_bigl (fun w : S * A => (w.1 == s) && predT w.2)); last by move=> w; rewrite andbT.
  rewrite -(pair_big (pred1 s) predT (fun s a => d s * pi s a * x s a)) /= big_pred1_eq.
  by under eq_bigr => a _ do rewrite -mulrA; rewrite -mulr_sumr mulrC mulKf.
have Ed (f g : S -> F) : (forall s, d s != 0 -> f s = g s) -> E d f = E d g.
  by move=> fg; apply: eq_bigr => s _; have [->|/fg -> //] := eqVneq (d s) 0; rewrite !mul0r.
have mean : E d (fun s => \sum_a pi s a * x s a) = E p (fun w => x w.1 w.2).
  rewrite -(tower (@cell_of_mass_zero _ _ p p0 _ fst)) (Efst (CE p fst (fun w => x w.1 w.2))).
  by apply: Ed => s /CEx.
split=> //; apply: le_trans (rao_blackwell p0 fst (fun w => x w.1 w.2)).
have -> : Var p (fun w => CE p fst (fun v => x v.1 v.2) w.1) = Var d (CE p fst (fun v => x v.1 v.2)).
  by rewrite /Var !Efst (Efst (fun s => (CE p fst (fun v => x v.1 v.2) s - _) ^+ 2)).
rewrite /Var (Ed (CE p fst (fun v => x v.1 v.2)) (fun s => \sum_a pi s a * x s a)) //.
rewrite [leRHS](Ed _ (fun s => ((\sum_a pi s a * x s a) - E d (fun s => \sum_a pi s a * x s a)) ^+ 2)) //.
by move=> s /CEx ->.
Qed.
