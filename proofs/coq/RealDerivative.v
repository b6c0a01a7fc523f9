(* Directional derivatives of real functions on a normed space Th, at th in direction v: sums, products, determinants, inverses.
   Source: the rules of calculus, from MathComp analysis (library derive). *)
From mathcomp Require Import all_ssreflect all_fingroup all_algebra.
From mathcomp.classical Require Import boolp functions.
From mathcomp.analysis Require Import reals topology normedtype derive.
From mathcomp.algebra_tactics Require Import ring.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Real.
Variables (R : realType) (Th : normedModType R) (th v : Th).

Lemma is_derive_fsum (I : Type) (l : seq I) (f : I -> Th -> R^o) (df : I -> R) :
  (forall i, is_derive th v (f i) (df i)) ->
  is_derive th v (fun x => \sum_(i <- l) f i x : R^o) (\sum_(i <- l) df i).
Proof.
move=> H; elim: l => [|i l IH].
  rewrite big_nil; have -> : (fun x => \sum_(i <- [::]) f i x) = cst 0.
    by apply: funext => x; rewrite big_nil.
  exact: is_derive_cst.
rewrite big_cons; have -> : (fun x => \sum_(j <- i :: l) f j x) =
    f i + (fun x => \sum_(j <- l) f j x).
  by apply: funext => x; rewrite big_cons.
exact: is_deriveD.
Qed.

Lemma is_derive_mul (f g : Th -> R^o) df dg :
  is_derive th v f df -> is_derive th v g dg ->
  is_derive th v (fun x => f x * g x : R^o) (df * g th + f th * dg).
Proof.
move=> Hf Hg; have H := is_deriveM Hf Hg.
by apply: (is_derive_eq H); rewrite /GRing.scale /=; ring.
Qed.

Lemma is_derive_affine (c k : R) (f : Th -> R^o) df :
  is_derive th v f df -> is_derive th v (fun x => c + k * f x : R^o) (k * df).
Proof.
move=> Hf; have H := is_deriveD (is_derive_cst (c : R^o) th v) (is_deriveZ k Hf).
by apply: (is_derive_eq H); rewrite add0r.
Qed.

(* differentiable at th in direction v *)
Definition der (f : Th -> R) := derivable (f : Th -> R^o) th v.

Lemma eq_der (f g : Th -> R) : f =1 g -> der f -> der g.
Proof. by move=> /funext ->. Qed.
Lemma der_cst (c : R) : der (fun=> c).
Proof. by rewrite /der; case: (is_derive_cst (c : R^o) th v). Qed.
Lemma der_mul (f g : Th -> R) : der f -> der g -> der (fun x => f x * g x).
Proof. by move=> Hf Hg; exact: (@derivableM _ _ f g th v Hf Hg). Qed.
Lemma der_fsum (I : Type) (l : seq I) (f : I -> Th -> R) :
  (forall i, der (f i)) -> der (fun x => \sum_(i <- l) f i x).
Proof.
move=> H.
by rewrite /der; case: (@is_derive_fsum I l f (fun i => 'D_v (f i : Th -> R^o) th) (fun i => derivableP (H i))).
Qed.
Lemma der_prod (I : Type) (l : seq I) (f : I -> Th -> R) :
  (forall i, der (f i)) -> der (fun x => \prod_(i <- l) f i x).
Proof.
move=> H; elim: l => [|i l IH].
  rewrite (_ : (fun x => _) = (fun=> 1)); first exact: der_cst.
  by apply: funext => x; rewrite big_nil.
apply: (@eq_der (fun x => f i x * \prod_(j <- l) f j x)) => [x|]; first by rewrite big_cons.
exact: (@der_mul (f i) (fun x => \prod_(j <- l) f j x) (H i) IH).
Qed.

Lemma der_det n (M : Th -> 'M[R]_n) : (forall i j, der (fun x => M x i j)) -> der (fun x => \det (M x)).
Proof.
move=> H; pose g (s : 'S_n) (x : Th) : R := \prod_i M x i (s i).
have dg s : der (g s) by exact: (@der_prod _ (index_enum _) (fun i x => M x i (s i)) (fun i => H i (s i))).
pose c (s : 'S_n) (x : Th) : R := (-1) ^+ s.
have dc s : der (c s) by exact: der_cst.
exact: (@der_fsum _ (index_enum _) (fun s x => c s x * g s x) (fun s => der_mul (dc s) (dg s))).
Qed.

Lemma der_adj n (M : Th -> 'M[R]_n) i j :
  (forall i j, der (fun x => M x i j)) -> der (fun x => (\adj (M x)) i j).
Proof.
move=> H; apply: (@eq_der (fun x => cofactor (M x) j i)) => [x|]; first by rewrite mxE.
pose c (x : Th) : R := (-1) ^+ (j + i).
pose g (x : Th) : R := \det (row' j (col' i (M x))).
have dc : der c by exact: der_cst.
suff dg : der g by exact: (@der_mul c g dc dg).
apply: (@der_det _ (fun x => row' j (col' i (M x)))) => a b.
by apply: (@eq_der (fun x => M x (lift j a) (lift i b))) => [x|]; [rewrite !mxE | exact: H].
Qed.

Lemma der_inv (f : Th -> R) : f th != 0 -> der f -> der (fun x => (f x)^-1).
Proof. by move=> f0 Hf; exact: (@derivableV _ _ (f : Th -> R^o) th v f0 Hf). Qed.
End Real.
