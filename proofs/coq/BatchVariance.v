(* The mean of n independent draws has the variance of one draw, divided by n (T44), on the product space itself.
   Source: Billingsley (1995), section 22. The draws may differ in law; weights that sum to one in a field are enough. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Variance.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Product.
Variables (F : fieldType) (I W : finType) (p : I -> W -> F).

(* the law of independent draws, draw i from p i *)
Definition prodp (w : {ffun I -> W}) := \prod_i p i (w i).

Lemma E_prod (X : I -> W -> F) :
  E prodp (fun w => \prod_i X i (w i)) = \prod_i E (p i) (X i).
Proof.
by rewrite /E bigA_distr_bigA; apply: eq_bigr => w _; rewrite /prodp big_split.
Qed.

Hypothesis p1 : forall i, \sum_w p i w = 1.

Lemma prodp1 : \sum_w prodp w = 1.
Proof.
have := E_prod (fun _ _ => 1); rewrite [in RHS]big1 => [<-|i _]; last by rewrite Ecst.
by apply: eq_bigr => w _; rewrite big1 ?mulr1.
Qed.

Lemma E_one i (X : W -> F) : E prodp (fun w => X (w i)) = E (p i) X.
Proof.
pose G k x := if k == i then X x else 1.
have one (f : I -> F) : (forall k, k != i -> f k = 1) -> \prod_k f k = f i.
  by move=> f1; rewrite (bigD1 i) //= big1 ?mulr1.
have -> : E (p i) X = E (p i) (G i) by apply: eq_E => x; rewrite /G eqxx.
rewrite -(one (fun k => E (p k) (G k))) => [|k ki]; last first.
  by rewrite -[RHS](Ecst (p1 k)); apply: eq_E => x; rewrite /G (negbTE ki).
rewrite -E_prod; apply: eq_E => w; rewrite (one (fun k => G k (w k))) /G ?eqxx // => k ki.
by rewrite (negbTE ki).
Qed.

Lemma E_pair i j (X Y : W -> F) : i != j ->
  E prodp (fun w => X (w i) * Y (w j)) = E (p i) X * E (p j) Y.
Proof.
move=> ij; have ji : j != i by rewrite eq_sym.
pose G k x := if k == i then X x else if k == j then Y x else 1.
have two (f : I -> F) : (forall k, k != i -> k != j -> f k = 1) -> \prod_k f k = f i * f j.
  by move=> f1; rewrite (bigD1 i) //= (bigD1 j) //= big1 ?mulr1 // => k /andP[]; exact: f1.
have -> : E (p i) X = E (p i) (G i) by apply: eq_E => x; rewrite /G eqxx.
have -> : E (p j) Y = E (p j) (G j) by apply: eq_E => x; rewrite /G (negbTE ji) eqxx.
rewrite -(two (fun k => E (p k) (G k))) => [|k ki kj]; last first.
  by rewrite -[RHS](Ecst (p1 k)); apply: eq_E => x; rewrite /G (negbTE ki) (negbTE kj).
rewrite -E_prod; apply: eq_E => w; rewrite (two (fun k => G k (w k))) /G ?(negbTE ji) ?eqxx //.
by move=> k ki kj; rewrite (negbTE ki) (negbTE kj).
Qed.

Lemma E_sum (J : finType) (V : finType) (q : V -> F) (X : J -> V -> F) :
  E q (fun v => \sum_j X j v) = \sum_j E q (X j).
Proof. by rewrite /E exchange_big; apply: eq_bigr => v _; rewrite mulr_sumr. Qed.

(* T44: variances of independent draws add. *)
Theorem T44_variance_of_sum (X : I -> W -> F) :
  Var prodp (fun w => \sum_i X i (w i)) = \sum_i Var (p i) (X i).
Proof.
pose m i := E (p i) (X i).
have mE : E prodp (fun w => \sum_i X i (w i)) = \sum_i m i.
  by rewrite E_sum; apply: eq_bigr => i _; exact: E_one.
rewrite /Var mE.
rewrite (eq_E _ (Y := fun w : {ffun I -> W} => \sum_i \sum_j (X i (w i) - m i) * (X j (w j) - m j))); last first.
  by move=> w; rewrite -sumrB expr2 mulr_suml; apply: eq_bigr => i _; rewrite mulr_sumr.
rewrite E_sum; apply: eq_bigr => i _; rewrite E_sum (bigD1 i) //= big1 ?addr0 => [|j ji].
  by under eq_E => w do rewrite -expr2; exact: E_one.
rewrite (@E_pair i j (fun x => X i x - m i) (fun x => X j x - m j)) 1?eq_sym //.
have -> : E (p i) (fun x => X i x - m i) = 0; last by rewrite mul0r.
by rewrite ED Ecst // subrr.
Qed.
End Product.

(* T44: n draws from one law. *)
Theorem T44_batch_mean_variance (F : fieldType) (W : finType) (p : W -> F) (n : nat) (X : W -> F) :
  \sum_w p w = 1 -> n%:R != 0 :> F ->
  Var (prodp (fun _ : 'I_n => p)) (fun w => (\sum_i X (w i)) / n%:R) = Var p X / n%:R.
Proof.
move=> p1 n0.
have scale (V : finType) (q : V -> F) (Y : V -> F) : Var q (fun v => Y v / n%:R) = Var q Y / n%:R ^+ 2.
  have EV (Z : V -> F) c : E q (fun v => Z v / c) = E q Z / c.
    by rewrite [RHS]mulrC -EZ; apply: eq_E => v; rewrite mulrC.
  by rewrite /Var -EV EV; apply: eq_E => v; rewrite -mulrBl expr_div_n.
rewrite scale (@T44_variance_of_sum _ _ _ (fun=> p) (fun=> p1) (fun=> X)) sumr_const card_ord -[_ *+ n]mulr_natr.
by move: (Var p X) => v; field.
Qed.
