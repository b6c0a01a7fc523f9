(* The policy gradient theorem with n steps to go for derivatives of real functions (T29).
   Source: Sutton, McAllester, Singh, Mansour (1999), theorem 1. Th is any normed space, pi differentiable at th in direction v. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.classical Require Import boolp functions.
From mathcomp.analysis Require Import reals topology normedtype derive.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import FiniteHorizon RealDerivative.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section RealPolicyGradient.
Variables (R : realType) (Th : normedModType R) (S A : finType).
Variables (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R).
Variables (pi : Th -> S -> A -> R) (th v : Th) (dpi : S -> A -> R).
Hypothesis dpiE : forall s a, is_derive th v (fun x => pi x s a : R^o) (dpi s a).

(* the tangent recursion *)
Fixpoint dV n s : R :=
  if n is m.+1 then \sum_a (dpi s a * Q P r gam (pi th) m s a
      + pi th s a * (gam * \sum_s' P s a s' * dV m s')) else 0.

Lemma is_derive_V n s : is_derive th v (fun x => V P r gam (pi x) n s : R^o) (dV n s).
Proof.
elim: n s => [|n IH] s; first exact: is_derive_cst.
have HQ a : is_derive th v (fun x => r s a + gam * (\sum_s' P s a s' * V P r gam (pi x) n s') : R^o)
                 (gam * \sum_s' P s a s' * dV n s').
  apply: is_derive_affine.
  have HP s' : is_derive th v (fun x => P s a s' * V P r gam (pi x) n s' : R^o) (P s a s' * dV n s').
    rewrite (_ : (fun x : Th => P s a s' * V P r gam (pi x) n s') =
                 (fun x : Th => 0 + P s a s' * V P r gam (pi x) n s')).
      exact: (is_derive_affine 0 (P s a s') (IH s')).
    by apply: funext => x; rewrite add0r.
  exact: (is_derive_fsum (index_enum S) HP).
exact: (is_derive_fsum (index_enum A) (fun a => is_derive_mul (dpiE s a) (HQ a))).
Qed.

(* T29: the value has a derivative in direction v, and it is the sum over the visits. *)
Theorem T29_policy_gradient_finite_real n s :
  is_derive th v (fun x => V P r gam (pi x) n s : R^o)
    (\sum_(k < n) gam ^+ k * \sum_s' reach P (pi th) k s s' *
       \sum_a dpi s' a * Q P r gam (pi th) (n - k.+1) s' a).
Proof.
apply: (is_derive_eq (is_derive_V n s)).
apply: (@T01_unroll _ _ _ P gam (pi th) (fun m s => \sum_a dpi s a * Q P r gam (pi th) m s a) dV) => //.
move=> m x /=; rewrite sum_Ppi mulr_sumr -big_split; apply: eq_bigr => a _.
by rewrite mulrCA.
Qed.
End RealPolicyGradient.
