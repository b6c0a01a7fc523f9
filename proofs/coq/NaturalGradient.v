(* The natural policy gradient of a softmax: a step multiplies the policy by weights (T24); the advantage solves the
   regression on the score of each state (T25). Source: Kakade (2001), theorem 2 and section 3; Agarwal et al. (2021), lemma 15. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Softmax.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* T24: adding w to the logits multiplies the policy by u = exp w and normalises; e is the exp of the old logits. *)
Theorem T24_npg_multiplicative (F : fieldType) (A : finType) (e u : A -> F) a : \sum_b e b != 0 ->
  smx (fun b => e b * u b) a = smx e a * u a / (\sum_b smx e b * u b).
Proof.
rewrite /smx -/(Z e) => Z0.
have -> : \sum_b e b / Z e * u b = Z (fun b => e b * u b) / Z e.
  by rewrite mulr_suml; apply: eq_bigr => b _; rewrite mulrAC.
have [n0|n0] := eqVneq (Z (fun b => e b * u b)) 0; first by rewrite n0 mul0r !invr0 !mulr0.
by move: Z0 n0; move: (Z _) (Z _) => z n z0 n0; field; rewrite z0 n0.
Qed.

(* T25: row a of the scores d_ab - p_b, applied to an advantage, gives the advantage back; p need not sum to one. *)
Theorem T25_advantage_solves_regression (R : comRingType) (A : finType) (p Adv : A -> R) a :
  \sum_b p b * Adv b = 0 ->
  \sum_b ((a == b)%:R - p b) * Adv b = Adv a.
Proof.
move=> A0; under eq_bigr => b _ do rewrite mulrBl.
rewrite sumrB A0 subr0 (bigD1 a) //= eqxx mul1r big1 ?addr0 // => b ba.
by rewrite eq_sym (negbTE ba) mul0r.
Qed.
