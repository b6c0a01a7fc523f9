(* False variants of the policy gradient theorems for real derivatives (T29, T36), refuted over every field of real numbers: a function has
   one derivative, and the theorem says which. In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.classical Require Import boolp functions.
From mathcomp.analysis Require Import reals topology normedtype derive.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import FiniteHorizon RealDerivative RealPolicyGradient mutants.OneState.
From PG Require Discounted RealDiscounted.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* One state; action true ends the episode, false goes on; discount 1/2. True is played with probability x^2, at x = 1/2, in direction 1. *)
Section Coin.
Variable R : realType.
Definition half : R := 2%:R^-1.
Definition coin (x : R^o) (b : bool) : R := if b then x * x else 1 + (-1) * (x * x).
Definition dcoin (b : bool) : R := if b then 1 else -1.
Definition goes_on (b : bool) : R := (~~ b)%:R.
Definition win (b : bool) : R := b%:R.

Lemma coin_derive b : is_derive (half : R^o) (1 : R^o) (fun x => coin x b : R^o) (dcoin b).
Proof.
have sq : is_derive (half : R^o) (1 : R^o) (fun x : R^o => x * x : R^o) (1 : R).
  apply: (is_derive_eq (is_derive_mul (is_derive_id _ _) (is_derive_id _ _))).
  by rewrite mul1r mulr1 /half; field.
case: b => //=; apply: (is_derive_eq (is_derive_affine 1 (-1) sq)).
by rewrite mulr1.
Qed.
Lemma unique (f : R^o -> R^o) (a b : R) : is_derive (half : R^o) (1 : R^o) f a -> is_derive (half : R^o) (1 : R^o) f b -> a = b.
Proof. by case=> _ <- [_ <-]. Qed.
Lemma differ_nat (a b : R) m n k : k%:R * a = m%:R -> k%:R * b = n%:R -> m != n -> a <> b.
Proof. by move=> aE bE mn ab; move: mn; rewrite -(eqr_nat R) -aE -bE ab eqxx. Qed.

Section FiniteHorizon.
Let P (_ : unit) b (_ : unit) := goes_on b.
Let r (_ : unit) := win.
Let pi x (_ : unit) := coin x.
Ltac compute_sums := rewrite !big_ord_recl !big_ord0 /Q; do 3 rewrite ?(sum_unit, sum_bool) /Ppi /=;
  rewrite /P /r /pi /goes_on /win /coin /dcoin /half /=; by field.
Let true_formula := @T29_policy_gradient_finite_real R _ _ _ P r half pi half 1 (fun _ => dcoin) (fun _ => coin_derive) 2%N tt.

(* T29: the factor gam ^+ k dropped. 5/4 against 13/8. *)
Lemma T29_mutant_factor :
  ~ (forall (Th : normedModType R) (S A : finType) (P : S -> A -> S -> R) r gam (pi : Th -> S -> A -> R) (th v : Th) (dpi : S -> A -> R),
     (forall s a, is_derive th v (fun x => pi x s a : R^o) (dpi s a)) -> forall n s,
     is_derive th v (fun x => V P r gam (pi x) n s : R^o)
       (\sum_(k < n) \sum_s' reach P (pi th) k s s' * \sum_a dpi s' a * Q P r gam (pi th) (n - k.+1) s' a)).
Proof.
move=> /(_ _ _ _ P r half pi half 1 (fun _ => dcoin) (fun _ => coin_derive) 2%N tt) wrong.
apply: (@differ_nat _ _ 20 26 16) (unique true_formula wrong) => //; compute_sums.
Qed.

(* T29: Q with n - k.+1 steps to go became Q with n - k. 5/4 against 37/32. *)
Lemma T29_mutant_index :
  ~ (forall (Th : normedModType R) (S A : finType) (P : S -> A -> S -> R) r gam (pi : Th -> S -> A -> R) (th v : Th) (dpi : S -> A -> R),
     (forall s a, is_derive th v (fun x => pi x s a : R^o) (dpi s a)) -> forall n s,
     is_derive th v (fun x => V P r gam (pi x) n s : R^o)
       (\sum_(k < n) gam ^+ k * \sum_s' reach P (pi th) k s s' * \sum_a dpi s' a * Q P r gam (pi th) (n - k) s' a)).
Proof.
move=> /(_ _ _ _ P r half pi half 1 (fun _ => dcoin) (fun _ => coin_derive) 2%N tt) wrong.
apply: (@differ_nat _ _ 40 37 32) (unique true_formula wrong) => //; compute_sums.
Qed.
End FiniteHorizon.

Section Discounted.
Import Discounted RealDiscounted.
Let pi x := pi1 (coin x).
Let dpi := pi1 dcoin.
Lemma keptE x : kept goes_on half (coin x) = (1 + x * x) / 2%:R.
Proof. by rewrite /kept sum_bool /goes_on /half /=; field. Qed.
Lemma unit_kept x : Tpi (P1 goes_on) half (pi x) \in unitmx.
Proof.
rewrite Tpi1 keptE unitmxE det_scalar1 unitfE mulf_neq0 ?invr_eq0 ?pnatr_eq0 // gt_eqF //.
by rewrite ltr_spaddl ?ltr01 // -expr2 sqr_ge0.
Qed.
Lemma dpi_derive s a : is_derive (half : R^o) (1 : R^o) (fun x => pi x s a : R^o) (dpi s a). Proof. exact: coin_derive. Qed.
Let true_formula := @T36_policy_gradient_discounted_real R _ (half : R^o) (1 : R^o) 1 _ (P1 goes_on) (r1 win) half pi dpi dpi_derive unit_kept 0.

Lemma resolvent (c : 'cV[R]_1) : (invmx (Tpi (P1 goes_on) half (pi half)) *m c) 0 0 = 8%:R / 5%:R * c 0 0.
Proof.
by rewrite Tpi1 keptE invmx_scalar mul_scalar_mx mxE /half; congr (_ * _); field.
Qed.
Lemma QE b : Q (P1 goes_on) (r1 win) half (pi half) 0 b = if b then 1 else 1 / 5%:R.
Proof. by rewrite Q1 keptE sum_bool /goes_on /win /coin /half; case: b => /=; field. Qed.

(* T36: Q became r. 32/25 against 8/5. *)
Lemma T36_mutant_rewards :
  ~ (forall (Th : normedModType R) (th v : Th) n (A : finType) (P : A -> 'M[R]_n) (r : A -> 'cV[R]_n) gam
       (pi : Th -> 'I_n -> A -> R) (dpi : 'I_n -> A -> R),
     (forall s a, is_derive th v (fun x => pi x s a : R^o) (dpi s a)) -> (forall x, Tpi P gam (pi x) \in unitmx) -> forall s,
     is_derive th v (fun x => V P r gam (pi x) s 0 : R^o) ((invmx (Tpi P gam (pi th)) *m \col_s \sum_a dpi s a * r a s 0) s 0)).
Proof.
move=> /(_ _ (half : R^o) (1 : R^o) _ _ _ (r1 win) half _ _ dpi_derive unit_kept 0) /(unique true_formula).
by apply: (@differ_nat _ _ 32 40 25) => //; rewrite resolvent mxE sum_bool ?QE ?mxE ?eqxx ?mulr1n /dpi /pi1 /dcoin /win /=; field.
Qed.

(* T36: the resolvent dropped. 32/25 against 4/5. *)
Lemma T36_mutant_resolvent :
  ~ (forall (Th : normedModType R) (th v : Th) n (A : finType) (P : A -> 'M[R]_n) (r : A -> 'cV[R]_n) gam
       (pi : Th -> 'I_n -> A -> R) (dpi : 'I_n -> A -> R),
     (forall s a, is_derive th v (fun x => pi x s a : R^o) (dpi s a)) -> (forall x, Tpi P gam (pi x) \in unitmx) -> forall s,
     is_derive th v (fun x => V P r gam (pi x) s 0 : R^o) (\sum_a dpi s a * Q P r gam (pi th) s a)).
Proof.
move=> /(_ _ (half : R^o) (1 : R^o) _ _ _ (r1 win) half _ _ dpi_derive unit_kept 0) /(unique true_formula).
by apply: (@differ_nat _ _ 32 20 25) => //; rewrite ?resolvent ?mxE sum_bool !QE /dpi /pi1 /dcoin /=; field.
Qed.
End Discounted.
End Coin.
