(* The policy gradient theorem with n steps to go (T02), and with a baseline of time and state (T03).
   Source: Sutton, McAllester, Singh, Mansour (1999), theorem 1; Williams (1992) for the baseline. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Derivation FiniteHorizon.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section PolicyGradient.
Variables (R : comRingType) (S A : finType) (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R).
Variables (D : R -> R) (dD : derivation D) (pi : S -> A -> R).
Hypotheses (DP : forall s a s', D (P s a s') = 0)
           (Dr : forall s a, D (r s a) = 0) (Dgam : D gam = 0).

Lemma D_value_step n s :
  D (V P r gam pi n.+1 s) = \sum_a D (pi s a) * Q P r gam pi n s a
                  + gam * \sum_s' Ppi P pi s s' * D (V P r gam pi n s').
Proof.
rewrite V_S (der_sum dD) sum_Ppi mulr_sumr -big_split /=.
apply: eq_bigr => a _; rewrite (der_leib dD) /Q; congr (_ + _).
rewrite (der_add dD) Dr add0r der_cst // (der_sum dD).
under eq_bigr => s' _ do rewrite der_cst //.
by rewrite mulrCA.
Qed.

(* T02: the derivative of the value is the sum of D pi(a|s') Q(s', a) over what is visited.
   Neither pi nor P need be nonnegative or normalised. *)
Theorem T02_policy_gradient_finite n s :
  D (V P r gam pi n s) = \sum_(k < n) gam ^+ k *
    \sum_s' reach P pi k s s' * \sum_a D (pi s' a) * Q P r gam pi (n - k.+1) s' a.
Proof.
apply: (@T01_unroll _ _ _ P gam pi (fun m s => \sum_a D (pi s a) * Q P r gam pi m s a) (fun m s => D (V P r gam pi m s))).
  by move=> x; exact: der0.
exact: D_value_step.
Qed.

(* T03: any b(k, s) may be subtracted from Q, one that depends on theta included. P need not be normalised. *)
Theorem T03_state_baseline n s (b : nat -> S -> R) :
  (forall x, \sum_a pi x a = 1) ->
  D (V P r gam pi n s) = \sum_(k < n) gam ^+ k *
    \sum_s' reach P pi k s s' * \sum_a D (pi s' a) * (Q P r gam pi (n - k.+1) s' a - b k s').
Proof.
move=> pi1; rewrite T02_policy_gradient_finite; apply: eq_bigr => k _; congr (_ * _).
apply: eq_bigr => x _; congr (_ * _); symmetry.
under eq_bigr => a _ do rewrite mulrBr.
by rewrite sumrB -mulr_suml -(der_sum dD) pi1 (der1 dD) mul0r subr0.
Qed.
End PolicyGradient.
