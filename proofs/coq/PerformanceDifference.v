(* Two policies in one model (T04, performance difference) and one policy in two models (T05, simulation lemma).
   Source: Kakade, Langford (2002), lemma 6.1; Kearns, Singh (2002), lemma 4. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import FiniteHorizon.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* T04: the difference of two values is the mean advantage along the NEW policy, which alone must sum to one. *)
Theorem T04_performance_difference_finite (R : comRingType) (S A : finType)
    (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R) pi pi' n s :
  (forall x, \sum_a pi' x a = 1) ->
  V P r gam pi' n s - V P r gam pi n s = \sum_(k < n) gam ^+ k *
    \sum_s' reach P pi' k s s' *
      \sum_a pi' s' a * (Q P r gam pi (n - k.+1) s' a - V P r gam pi (n - k.+1).+1 s').
Proof.
move=> pi1.
apply: (@T01_unroll _ _ _ P gam pi' (fun m s => \sum_a pi' s a * (Q P r gam pi m s a - V P r gam pi m.+1 s))
                    (fun m s => V P r gam pi' m s - V P r gam pi m s)) => [x|m x]; first by rewrite subrr.
rewrite [V P r gam pi' m.+1 x]V_S sum_Ppi.
under [in RHS]eq_bigr => a _ do rewrite mulrBr.
rewrite sumrB -mulr_suml pi1 mul1r mulr_sumr addrAC -big_split /=; congr (_ - _).
apply: eq_bigr => a _; rewrite /Q.
under [X in gam * (_ * X)]eq_bigr => s' _ do rewrite mulrBr.
rewrite sumrB.
by move: (\sum_s' P x a s' * V P r gam pi' m s') (\sum_s' P x a s' * V P r gam pi m s') => u v; ring.
Qed.

(* T05: no normalisation, no sign; r and P may both change. *)
Theorem T05_simulation (R : comRingType) (S A : finType) (gam : R)
    (P P' : S -> A -> S -> R) (r r' : S -> A -> R) pi n s :
  V P' r' gam pi n s - V P r gam pi n s = \sum_(k < n) gam ^+ k *
    \sum_x reach P' pi k s x * \sum_a pi x a *
      (r' x a - r x a + gam * \sum_y (P' x a y - P x a y) * V P r gam pi (n - k.+1) y).
Proof.
apply: (@T01_unroll _ _ _ P' gam pi
  (fun m x => \sum_a pi x a * (r' x a - r x a + gam * \sum_y (P' x a y - P x a y) * V P r gam pi m y))
  (fun m x => V P' r' gam pi m x - V P r gam pi m x)) => [x|m x]; first by rewrite subrr.
rewrite /= sum_Ppi -sumrB mulr_sumr -big_split /=; apply: eq_bigr => a _.
have -> : \sum_y (P' x a y - P x a y) * V P r gam pi m y =
  \sum_y P' x a y * V P r gam pi m y - \sum_y P x a y * V P r gam pi m y.
  by rewrite -sumrB; apply: eq_bigr => y _; rewrite mulrBl.
have -> : \sum_y P' x a y * (V P' r' gam pi m y - V P r gam pi m y) =
  \sum_y P' x a y * V P' r' gam pi m y - \sum_y P' x a y * V P r gam pi m y.
  by rewrite -sumrB; apply: eq_bigr => y _; rewrite mulrBr.
move: (\sum_y P' x a y * V P' r' gam pi m y) (\sum_y P x a y * V P r gam pi m y)
  (\sum_y P' x a y * V P r gam pi m y) => u v w; ring.
Qed.
