(* Reward-to-go with a baseline of time and state is unbiased (T12).
   Source: Baxter, Bartlett (2001), section 5 (GPOMDP); Peters, Schaal (2008), section 3.2. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation FiniteHorizon PolicyGradient Trajectories.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Gpomdp.
Variables (R : comRingType) (S A : finType).
Variables (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R) (sc : S -> A -> R).

(* sum over t of gam^t sc(s_t, a_t) (return from t on - b(t, s_t)) *)
Fixpoint gpomdp (b : nat -> S -> R) s (tau : seq (A * S)) : R :=
  if tau is (a, s') :: t
  then sc s a * (ret r gam s tau - b 0%N s) + gam * gpomdp (fun k => b k.+1) s' t
  else 0.

Variables (D : R -> R) (dD : derivation D) (pi : S -> A -> R).
Hypotheses (P1 : forall s a, \sum_s' P s a s' = 1)
           (DP : forall s a s', D (P s a s') = 0)
           (Dr : forall s a, D (r s a) = 0) (Dgam : D gam = 0)
           (pi1 : forall x, \sum_a pi x a = 1)
           (scE : forall s a, D (pi s a) = pi s a * sc s a).

(* T12: P and pi must sum to one; b may depend on theta. *)
Theorem T12_gpomdp_unbiased n s b : Etraj P pi n s (gpomdp b s) = D (V P r gam pi n s).
Proof.
elim: n s b => [|n IH] s b; first by rewrite Etraj0 (der0 dD).
rewrite (D_value_step dD) // EtrajS sum_Ppi mulr_sumr.
have -> : \sum_a D (pi s a) * Q P r gam pi n s a =
          \sum_a pi s a * (sc s a * (Q P r gam pi n s a - b 0%N s)).
  apply/eqP; rewrite -subr_eq0 -sumrB.
  under eq_bigr => a _ do rewrite scE -mulrA -mulrBr -mulrBr subKr mulrA -scE.
  by rewrite -mulr_suml -(der_sum dD) pi1 (der1 dD) mul0r.
rewrite -big_split /=; apply: eq_bigr => a _; rewrite [X in _ + X]mulrCA -mulrDr; congr (_ * _).
transitivity (\sum_s' P s a s' * (sc s a * (r s a - b 0%N s + gam * V P r gam pi n s')
                                  + gam * D (V P r gam pi n s'))).
  apply: eq_bigr => s' _; congr (_ * _).
  rewrite (eq_Etraj P pi n s' (G := fun t => sc s a * (r s a - b 0%N s)
      + (sc s a * gam * ret r gam s' t + gam * gpomdp (fun k => b k.+1) s' t))); last by move=> t /=; ring.
  by rewrite !EtrajD !EtrajZ (Etrajcst P1) // (T07_expected_return r gam P1) // IH; ring.
rewrite (eq_bigr (fun s' => sc s a * (r s a - b 0%N s) * P s a s'
   + (sc s a * gam * (P s a s' * V P r gam pi n s') + gam * (P s a s' * D (V P r gam pi n s')))));
  last by move=> s' _; ring.
rewrite !big_split /= -!mulr_sumr P1 /Q.
move: (\sum_s' P s a s' * V P r gam pi n s') (\sum_s' P s a s' * D (V P r gam pi n s')) => u v.
by ring.
Qed.
End Gpomdp.
