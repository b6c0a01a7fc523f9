(* The discounted policy gradient theorem for derivatives of real functions (T36): V is differentiable by Cramer's rule,
   its derivative solves the differentiated Bellman equation. Source: Sutton, McAllester, Singh, Mansour (1999), theorem 1. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.classical Require Import boolp functions.
From mathcomp.analysis Require Import reals topology normedtype derive.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Discounted RealDerivative.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section RealDiscounted.
Variables (R : realType) (Th : normedModType R) (th v : Th).
Variables (n : nat) (A : finType) (P : A -> 'M[R]_n) (r : A -> 'cV[R]_n) (gam : R).
Variables (pi : Th -> 'I_n -> A -> R) (dpi : 'I_n -> A -> R).
Hypotheses (dpiE : forall s a, is_derive th v (fun x => pi x s a : R^o) (dpi s a))
  (U : forall x, Tpi P gam (pi x) \in unitmx).

Lemma der_T i j : der th v (fun x => Tpi P gam (pi x) i j).
Proof.
pose f (a : A) (x : Th) : R := pi x i a * P a i j.
have df a : der th v (f a) by apply: der_mul; [case: (dpiE i a) | exact: der_cst].
pose c (x : Th) : R := - gam. pose g (x : Th) : R := \sum_a f a x.
have dc : der th v c by exact: der_cst.
have dg : der th v g by exact: der_fsum.
pose k (b : bool) (x : Th) : R := if b then (i == j)%:R else c x * g x.
have dk b : der th v (k b) by case: b; [exact: der_cst | exact: (@der_mul _ _ th v c g dc dg)].
have := @der_fsum _ _ th v _ [:: true; false] k dk.
rewrite (_ : (fun x => \sum_(b <- _) _) = (fun x => Tpi P gam (pi x) i j)) //.
by apply: funext => x; rewrite !big_cons big_nil addr0 /k /c /g /f !mxE mulNr.
Qed.

Lemma der_V s : der th v (fun x => V P r gam (pi x) s 0).
Proof.
pose h (x : Th) : R := (\det (Tpi P gam (pi x)))^-1.
have dh : der th v h.
  apply: (@der_inv _ _ th v (fun x => \det (Tpi P gam (pi x)))); last exact: (@der_det _ _ th v _ (fun x => Tpi P gam (pi x)) der_T).
  by have := U th; rewrite unitmxE unitfE.
pose b (j : 'I_n) (x : Th) : R := (\adj (Tpi P gam (pi x))) s j.
have db j : der th v (b j) by exact: (@der_adj _ _ th v _ (fun x => Tpi P gam (pi x)) s j der_T).
pose rp (j : 'I_n) (x : Th) : R := \sum_a pi x j a * r a j 0.
have drp j : der th v (rp j).
  apply: (@der_fsum _ _ th v _ (index_enum A) (fun a x => pi x j a * r a j 0)) => a.
  by apply: (@der_mul _ _ th v (fun x => pi x j a) (fun=> r a j 0)); [case: (dpiE j a) | exact: der_cst].
have dall j : der th v (fun x => h x * b j x * rp j x).
  exact: (@der_mul _ _ th v (fun x => h x * b j x) (rp j) (@der_mul _ _ th v h (b j) dh (db j)) (drp j)).
have := @der_fsum _ _ th v _ (index_enum [finType of 'I_n]) (fun j x => h x * b j x * rp j x) dall.
rewrite (_ : (fun x => \sum_(j <- _) _) = (fun x => V P r gam (pi x) s 0)) //.
apply: funext => x; rewrite /V mxE /invmx U; apply: eq_bigr => j _.
by rewrite [in RHS]mxE [X in _ = _ * X]mxE.
Qed.

(* T36: V has a derivative in direction v, and it is (I - gam P_pi)^-1 applied to sum_a D pi(a|s) Q(s, a). *)
Theorem T36_policy_gradient_discounted_real s :
  is_derive th v (fun x => V P r gam (pi x) s 0 : R^o)
    ((invmx (Tpi P gam (pi th)) *m \col_s \sum_a dpi s a * Q P r gam (pi th) s a) s 0).
Proof.
pose dV s : R := 'D_v (fun x => V P r gam (pi x) s 0 : R^o) th.
have VE s' : is_derive th v (fun x => V P r gam (pi x) s' 0 : R^o) (dV s').
  have Dv : derivable (fun x => V P r gam (pi x) s' 0 : R^o) th v by exact: der_V.
  exact: (DeriveDef Dv erefl).
apply: (is_derive_eq (VE s)).
suff -> : invmx (Tpi P gam (pi th)) *m (\col_s \sum_a dpi s a * Q P r gam (pi th) s a) = \col_s dV s.
  by rewrite mxE.
symmetry; apply: linear_fixpoint => //; apply/matrixP => i j; rewrite (ord1 j) {j} [LHS]mxE.
have HQ a : is_derive th v (fun x => r a i 0 + gam * (\sum_s' P a i s' * V P r gam (pi x) s' 0) : R^o)
    (gam * (\sum_s' P a i s' * dV s')).
  apply: is_derive_affine.
  have HP s' : is_derive th v (fun x => P a i s' * V P r gam (pi x) s' 0 : R^o) (P a i s' * dV s').
    rewrite (_ : (fun x : Th => P a i s' * V P r gam (pi x) s' 0) =
                 (fun x : Th => 0 + P a i s' * V P r gam (pi x) s' 0)).
      exact: (is_derive_affine 0 (P a i s') (VE s')).
    by apply: funext => x; rewrite add0r.
  exact: (is_derive_fsum (index_enum _) HP).
have H := is_derive_fsum (index_enum A) (fun a => is_derive_mul (dpiE i a) (HQ a)).
have -> : dV i = \sum_a (dpi i a * (r a i 0 + gam * (\sum_s' P a i s' * V P r gam (pi th) s' 0))
    + pi th i a * (gam * (\sum_s' P a i s' * dV s'))).
  have E : (fun x : Th => V P r gam (pi x) i 0) =
           (fun x => \sum_a pi x i a * (r a i 0 + gam * (\sum_s' P a i s' * V P r gam (pi x) s' 0))).
    by apply: funext => x; rewrite V_Q //; apply: eq_bigr => a _; rewrite /Q mxE.
  by rewrite /dV E; case: H => _ ->.
rewrite big_split /= [RHS]mxE [X in _ = X + _]mxE [X in _ = _ + X]mxE PpiE mulr_sumr.
congr (_ + _); apply: eq_bigr => a _; first by rewrite /Q mxE.
by rewrite mulrCA mxE; congr (_ * (_ * _)); apply: eq_bigr => s' _; rewrite mxE.
Qed.
End RealDiscounted.
