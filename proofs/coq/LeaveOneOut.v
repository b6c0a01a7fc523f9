(* n completions of one prompt: leaving the own reward out of the baseline is unbiased, the mean of all is off by (n-1)/n (T42).
   Source: Kool, van Hoof, Welling (2019); Ahmadian et al. (2024), RLOO; Shao et al. (2024), GRPO. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation Variance BatchVariance.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section LeaveOneOut.
Variables (F : fieldType) (W : finType) (p g R : W -> F) (n : nat).

(* p the law of one completion, g a coordinate of its score, R its reward *)
Definition leave_one_out (w : {ffun 'I_n -> W}) :=
  (\sum_i g (w i) * (R (w i) - (\sum_(j | j != i) R (w j)) / n.-1%:R)) / n%:R.
Definition group_mean (w : {ffun 'I_n -> W}) :=
  (\sum_i g (w i) * (R (w i) - (\sum_j R (w j)) / n%:R)) / n%:R.

Local Notation law := (prodp (fun _ : 'I_n => p)).
(* what the others say is a constant for the own score *)
Lemma E_free i (h : W -> F) (b : {ffun 'I_n -> W} -> F) : E p h = 0 ->
  (forall w w' : {ffun 'I_n -> W}, (forall j, j != i -> w j = w' j) -> b w = b w') ->
  E law (fun w => h (w i) * b w) = 0.
Proof.
move=> h0 bE; case: (pickP W) => [x0 _|no]; last by rewrite /E big1 // => w _; have := no (w i).
pose put (w : {ffun 'I_n -> W}) x := [ffun j => if j == i then x else w j].
rewrite /E (partition_big (fun w => put w x0) predT) //= big1 // => v _.
case: (eqVneq (put v x0) v) => [vE|vN]; last first.
  apply: big1 => w /eqP wv; case/negP: vN; rewrite -wv; apply/eqP/ffunP => j; rewrite !ffunE; by case: eqP.
rewrite (reindex_onto (put v) (fun w => w i)) /= => [|w /eqP wv]; last first.
  by apply/ffunP => j; rewrite ffunE -wv ffunE; case: eqP => [->|].
rewrite (eq_bigl xpredT) => [|x]; last first.
  rewrite ffunE eqxx eqxx andbT; apply/eqP; rewrite -[RHS]vE; apply/ffunP => j; rewrite !ffunE; by case: eqP.
rewrite (eq_bigr (fun x => (\prod_(j | j != i) p (v j)) * b v * (p x * h x))) => [|x _]; last first.
  rewrite /prodp (bigD1 i) //= ffunE eqxx (eq_bigr (fun j => p (v j))) => [|j ji]; last by rewrite ffunE (negbTE ji).
  rewrite (bE (put v x) v) => [|j ji]; last by rewrite ffunE (negbTE ji).
  by move: (\prod_(j | _) _) => u; ring.
by rewrite -mulr_sumr -/(E p h) h0 mulr0.
Qed.

Hypotheses (p1 : \sum_w p w = 1) (g0 : E p g = 0).

Lemma E_own i : E law (fun w => g (w i) * R (w i)) = E p (fun x => g x * R x).
Proof. exact: (@E_one _ _ _ (fun=> p) (fun=> p1) i (fun x => g x * R x)). Qed.

Lemma E_other i j : j != i -> E law (fun w => g (w i) * R (w j)) = 0.
Proof. by move=> ji; rewrite (@E_pair _ _ _ (fun=> p) (fun=> p1) i j) 1?eq_sym // g0 mul0r. Qed.

Lemma E_scaled c (X : {ffun 'I_n -> W} -> F) : E law (fun w => X w / c) = E law X / c.
Proof. by rewrite [RHS]mulrC -EZ; apply: eq_E => w; rewrite mulrC. Qed.

(* T42: only the score's mean and the total weight of p are used. *)
Theorem T42_leave_one_out : n%:R != 0 :> F ->
  E law leave_one_out = E p (fun x => g x * R x) /\
  E law group_mean = n.-1%:R / n%:R * E p (fun x => g x * R x).
Proof.
move=> n0; set J := E p (fun x => g x * R x).
have npos : (0 < n)%N by case: (n) n0 => //; rewrite eqxx.
have nS : n%:R = n.-1%:R + 1 :> F by rewrite -{1}(prednK npos) mulrSr.
split; rewrite E_scaled E_sum.
  rewrite (eq_bigr (fun=> J)); first by rewrite sumr_const card_ord -mulr_natr mulfK.
  move=> i _; rewrite (eq_E _ (Y := fun w : {ffun 'I_n -> W} => g (w i) * R (w i) +
    (- n.-1%:R^-1) * (\sum_(j | j != i) g (w i) * R (w j)))); last first.
    by move=> w; rewrite -mulr_sumr; move: (\sum_(j | _) _) => u; ring.
  rewrite ED EZ E_own [X in _ * X](_ : _ = 0) ?mulr0 ?addr0 //.
  rewrite /E; under eq_bigr => w _ do rewrite mulr_sumr.
  by rewrite exchange_big big1 // => j ji; exact: E_other.
rewrite (eq_bigr (fun=> n.-1%:R / n%:R * J)); first by rewrite sumr_const card_ord -[_ *+ n]mulr_natr mulfK.
move=> i _; rewrite (eq_E _ (Y := fun w : {ffun 'I_n -> W} => g (w i) * R (w i) +
  (- n%:R^-1) * (\sum_j g (w i) * R (w j)))); last first.
  by move=> w; rewrite -mulr_sumr; move: (\sum_j _) => u; ring.
rewrite ED EZ E_own E_sum (bigD1 i) //= E_own big1 => [|j]; last exact: E_other.
by rewrite addr0 -/J nS; field; rewrite -nS.
Qed.
End LeaveOneOut.

(* T42: nor does any other baseline cost anything that does not look at the own completion: a number, or a weighted mean of the others. *)
Theorem T42_baseline_of_the_others (F : fieldType) (W : finType) (p g R : W -> F) (n : nat) (D : F -> F)
    (b : 'I_n -> {ffun 'I_n -> W} -> F) :
  derivation D -> \sum_w p w = 1 -> (forall w, D (p w) = p w * g w) -> (forall w, D (R w) = 0) -> n%:R != 0 :> F ->
  (forall i (w w' : {ffun 'I_n -> W}), (forall j, j != i -> w j = w' j) -> b i w = b i w') ->
  E (prodp (fun _ : 'I_n => p)) (fun w => (\sum_i g (w i) * (R (w i) - b i w)) / n%:R) = D (E p R).
Proof.
move=> dD p1 Dp DR n0 bE.
have g0 : E p g = 0 by rewrite -(der1 dD) -p1 (der_sum dD); apply: eq_bigr => w _; rewrite Dp.
have JE : D (E p R) = E p (fun x => g x * R x).
  by rewrite (der_sum dD); apply: eq_bigr => w _; rewrite (der_leib dD) Dp DR mulr0 addr0 mulrA.
rewrite E_scaled E_sum (eq_bigr (fun=> D (E p R))) => [|i _]; first by rewrite sumr_const card_ord -[D _ *+ n]mulr_natr mulfK.
rewrite (eq_E _ (Y := fun w : {ffun 'I_n -> W} => g (w i) * R (w i) + (-1) * (g (w i) * b i w))); last first.
  by move=> w /=; move: (b i w) => u; ring.
by rewrite ED EZ (E_free g0 (bE i)) mulr0 addr0 JE E_own.
Qed.
