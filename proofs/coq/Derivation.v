(* A gradient coordinate, seen algebraically: an additive map with the product rule. Every partial derivative on a
   ring of differentiable functions is one. Source: the definition of a derivation, e.g. Lang, Algebra, chapter XIX.3. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix poly.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Record derivation (R : comRingType) (D : R -> R) : Prop := Derivation {
  der_add  : forall x y, D (x + y) = D x + D y;
  der_leib : forall x y, D (x * y) = D x * y + x * D y }.

Section Der.
Variables (R : comRingType) (D : R -> R).
Hypothesis dD : derivation D.

Lemma der0 : D 0 = 0.
Proof. by have /eqP := der_add dD 0 0; rewrite addr0 -subr_eq0 opprD addrA subrr sub0r oppr_eq0 => /eqP. Qed.

Lemma der1 : D 1 = 0.
Proof.
have := der_leib dD 1 1; rewrite !mulr1 mul1r => /eqP.
by rewrite -subr_eq0 opprD addrA subrr sub0r oppr_eq0 => /eqP.
Qed.

Lemma der_opp x : D (- x) = - D x.
Proof. by apply/eqP; rewrite -addr_eq0 -(der_add dD) addNr der0. Qed.

Lemma der_sub x y : D (x - y) = D x - D y.
Proof. by rewrite (der_add dD) der_opp. Qed.

Lemma der_sum (I : Type) (s : seq I) (Q : pred I) (F : I -> R) :
  D (\sum_(i <- s | Q i) F i) = \sum_(i <- s | Q i) D (F i).
Proof. exact: (big_morph D (der_add dD) der0). Qed.

(* a constant c (one with D c = 0) comes out of the derivative *)
Lemma der_cst c x : D c = 0 -> D (c * x) = c * D x.
Proof. by move=> Dc; rewrite (der_leib dD) Dc mul0r add0r. Qed.

Lemma der_exp_cst c k : D c = 0 -> D (c ^+ k) = 0.
Proof. by move=> Dc; elim: k => [|k IH]; rewrite ?expr0 ?der1 // exprS der_cst // IH mulr0. Qed.
End Der.

(* the formal derivative of polynomials is an instance, so the theory is not vacuous *)
Lemma poly_derivation (R : comRingType) : derivation (@deriv R).
Proof. by split=> p q; rewrite ?derivD ?derivM. Qed.
