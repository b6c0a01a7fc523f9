(* The finite space of trajectories (a_0, s_1), ..., (a_{n-1}, s_n) from a state: its mass (T06) and mean return (T07).
   Source: Sutton, Barto (2018), chapters 3 and 5; here as sums over tuples, in any commutative ring. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import FiniteHorizon.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* a sum over tuples splits into first entry and rest *)
Lemma sum_tuple0 (R : comRingType) (X : finType) (F : seq X -> R) :
  \sum_(t : 0.-tuple X) F t = F [::].
Proof.
rewrite (big_pred1 [tuple]) // => t; rewrite (tuple0 t) /=.
by rewrite eqxx.
Qed.

Lemma sum_tupleS (R : comRingType) (X : finType) n (F : seq X -> R) :
  \sum_(t : n.+1.-tuple X) F t = \sum_x \sum_(t : n.-tuple X) F (x :: t).
Proof.
rewrite pair_bigA /=.
rewrite (reindex (fun p : X * n.-tuple X => [tuple of p.1 :: p.2])) //=.
exists (fun t => (thead t, [tuple of behead t])) => [[x t] _|t _] /=.
  by congr (_, _); apply: val_inj.
by rewrite [t in RHS]tuple_eta.
Qed.

Section Traj.
Variables (R : comRingType) (S A : finType).
Variables (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R).
Local Notation traj := (seq (A * S)).
Implicit Types (pi : S -> A -> R) (tau : traj).

Fixpoint prob pi s tau : R :=
  if tau is (a, s') :: t then pi s a * P s a s' * prob pi s' t else 1.
Fixpoint ret s tau : R :=
  if tau is (a, s') :: t then r s a + gam * ret s' t else 0.

Definition Etraj pi n s (F : traj -> R) := \sum_(t : n.-tuple (A * S)) prob pi s t * F t.

Lemma Etraj0 pi s F : Etraj pi 0 s F = F [::].
Proof. by rewrite /Etraj (sum_tuple0 (fun t => prob pi s t * F t)) mul1r. Qed.

Lemma EtrajS pi n s F :
  Etraj pi n.+1 s F = \sum_a pi s a * \sum_s' P s a s' * Etraj pi n s' (fun t => F ((a, s') :: t)).
Proof.
rewrite /Etraj (sum_tupleS n (fun t => prob pi s t * F t)).
transitivity (\sum_a \sum_s' \sum_(t : n.-tuple (A * S))
   prob pi s ((a, s') :: t) * F ((a, s') :: t)).
  rewrite (pair_bigA _ (fun a s' => \sum_(t : n.-tuple (A * S))
    prob pi s ((a, s') :: t) * F ((a, s') :: t))) /=.
  by apply: eq_bigr; case=> a s'.
apply: eq_bigr => a _; rewrite mulr_sumr; apply: eq_bigr => s' _.
by rewrite !mulr_sumr; apply: eq_bigr => t _; rewrite !mulrA.
Qed.

Lemma eq_Etraj pi n s F G : (forall t, F t = G t) -> Etraj pi n s F = Etraj pi n s G.
Proof. by move=> FG; apply: eq_bigr => t _; rewrite FG. Qed.
Lemma EtrajD pi n s F G : Etraj pi n s (fun t => F t + G t) = Etraj pi n s F + Etraj pi n s G.
Proof. by rewrite /Etraj -big_split; apply: eq_bigr => t _; rewrite mulrDr. Qed.
Lemma EtrajZ pi n s c F : Etraj pi n s (fun t => c * F t) = c * Etraj pi n s F.
Proof. by rewrite /Etraj mulr_sumr; apply: eq_bigr => t _; rewrite mulrCA. Qed.

Section Stoch.
Hypothesis P1 : forall s a, \sum_s' P s a s' = 1.

(* T06: the probabilities of the trajectories of n steps sum to one. *)
Theorem T06_total_mass pi n s : (forall x, \sum_a pi x a = 1) -> Etraj pi n s (fun _ => 1) = 1.
Proof.
move=> pi1; elim: n s => [|n IH] s; first by rewrite Etraj0.
rewrite EtrajS; under eq_bigr => a _ do
  under eq_bigr => s' _ do rewrite IH mulr1.
by under eq_bigr => a _ do rewrite P1 mulr1.
Qed.

Lemma Etrajcst pi n s c : (forall x, \sum_a pi x a = 1) -> Etraj pi n s (fun _ => c) = c.
Proof.
by move=> pi1; rewrite (eq_Etraj pi n s (G := fun _ => c * 1)) => [|t]; rewrite ?EtrajZ ?T06_total_mass // mulr1.
Qed.

(* T07: the expected return over the trajectories is the value. *)
Theorem T07_expected_return pi n s : (forall x, \sum_a pi x a = 1) ->
  Etraj pi n s (ret s) = V P r gam pi n s.
Proof.
move=> pi1; elim: n s => [|n IH] s; first by rewrite Etraj0.
rewrite EtrajS /=; apply: eq_bigr => a _; congr (_ * _).
under eq_bigr => s' _ do rewrite EtrajD EtrajZ IH Etrajcst // mulrDr mulrCA.
by rewrite big_split /= -mulr_suml P1 mul1r -mulr_sumr.
Qed.
End Stoch.
End Traj.
