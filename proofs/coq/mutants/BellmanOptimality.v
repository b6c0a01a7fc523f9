(* False variants of T56 (Bellman optimality), refuted in a process of one state with two actions, in fractions.
   Source: hand-made; what each gets wrong stands above it. *)
From Coq Require Import ZArith.
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Discounted Policy DeterministicPolicy BellmanOptimality.
From PG Require Import mutants.OneState mutants.Rationals.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Bellman.
Definition proper (n : nat) (A : finType) (P : A -> 'M[q]_n) := (forall a s s', 0 <= P a s s') /\ (forall a s, \sum_s' P a s s' <= 1).
Let P (_ : bool) : 'M[q]_1 := 1%:M.
Let win (b : bool) : q := b%:R.
Let half : q := frac 1 2.

Lemma proper1 : proper P.
Proof.
split=> [a s s'|a s]; first by rewrite (ord1 s) (ord1 s') mxE eqxx.
by rewrite big_ord1 (ord1 s) mxE eqxx.
Qed.
(* the better of two numbers *)
Lemma greatest2 (f : bool -> q) m : f false <= m -> f true = m -> greatest true f = m.
Proof.
move=> f0 f1; apply/eqP; rewrite eq_le -{2}f1 greatest_ge andbT.
by apply: greatest_le => -[]; rewrite ?f1.
Qed.
Lemma lookahead1 (gam x : q) b s : lookahead P (r1 win) gam x%:M s b = win b + gam * x.
Proof. by rewrite /lookahead mul1mx (ord1 s) !mxE eqxx !mulr1n. Qed.
Lemma bellman1 (gam x : q) s : bellman true P (r1 win) gam x%:M s 0 = 1 + gam * x.
Proof. by rewrite mxE; apply: greatest2; rewrite !lookahead1 // ler_add2r. Qed.
Lemma constant (x : q) (s : 'I_1) : (x%:M : 'cV[q]_1) s 0 = x. Proof. by rewrite (ord1 s) mxE eqxx. Qed.

Lemma constant1 (X : 'cV[q]_1) : X = (X 0 0)%:M. Proof. by apply/colP => s; rewrite constant (ord1 s). Qed.

(* the contraction: the factor gam became its square. 1/2 against 1/4 *)
Lemma T56_mutant_square :
  ~ (forall n (A : finType) (a0 : A) (P : A -> 'M[q]_n) r gam (X Y : 'cV[q]_n) e, proper P -> 0 <= gam -> (forall s, `|X s 0 - Y s 0| <= e) ->
     forall s, `|bellman a0 P r gam X s 0 - bellman a0 P r gam Y s 0| <= gam ^+ 2 * e).
Proof.
move=> H; have XY s : `|(1%:M : 'cV[q]_1) s 0 - (0%:M : 'cV[q]_1) s 0| <= 1 by rewrite !constant.
by have := H _ _ true P (r1 win) half _ _ 1 proper1 isT XY 0; rewrite !bellman1.
Qed.

(* the optimality equation: gam < 1 became gam <= 1. x = 1 + x *)
Lemma T56_mutant_discount :
  ~ (forall n (A : finType) (a0 : A) (P : A -> 'M[q]_n) r gam, proper P -> 0 <= gam -> gam <= 1 -> exists f : 'I_n -> A,
       [/\ forall pi, policy pi -> forall s, V P r gam pi s 0 <= V P r gam (det _ f) s 0,
           bellman a0 P r gam (V P r gam (det _ f)) = V P r gam (det _ f) &
           forall X, bellman a0 P r gam X = X -> X = V P r gam (det _ f)]).
Proof.
move=> H; have [f [_ + _]] := H _ _ true P (r1 win) 1 proper1 isT isT.
move: (V _ _ _ _) => X; rewrite (constant1 X) => /(congr1 (fun x : 'cV[q]_1 => x 0 0)).
rewrite bellman1 constant mul1r => /eqP; rewrite -subr_eq0 addrK; exact/negP.
Qed.

(* uniqueness: the equation became an inequality. Both 3 and 4 satisfy it *)
Lemma T56_mutant_inequality :
  ~ (forall n (A : finType) (a0 : A) (P : A -> 'M[q]_n) r gam, proper P -> 0 <= gam -> gam < 1 -> exists f : 'I_n -> A,
       [/\ forall pi, policy pi -> forall s, V P r gam pi s 0 <= V P r gam (det _ f) s 0,
           bellman a0 P r gam (V P r gam (det _ f)) = V P r gam (det _ f) &
           forall X, (forall s, bellman a0 P r gam X s 0 <= X s 0) -> X = V P r gam (det _ f)]).
Proof.
move=> H; have [f [_ _ only]] := H _ _ true P (r1 win) half proper1 isT isT.
have above (x : q) : 1 + half * x <= x -> x%:M = V P (r1 win) half (det _ f) by move=> h; apply: only => s; rewrite bellman1 constant.
have := above 3%:R isT; rewrite -(above 4%:R isT) => /(congr1 (fun x : 'cV[q]_1 => x 0 0)).
by rewrite !constant; refuted.
Qed.

(* the best policy: some deterministic policy became every one. Of the two the first is better *)
Lemma T56_mutant_every :
  ~ (forall n (A : finType) (a0 : A) (P : A -> 'M[q]_n) r gam, proper P -> 0 <= gam -> gam < 1 -> forall f : 'I_n -> A,
       forall pi, policy pi -> forall s, V P r gam pi s 0 <= V P r gam (det _ f) s 0).
Proof.
move=> H; have := H _ _ true P (r1 win) 0 proper1 isT isT (fun _ => false) _ (det_policy _ (fun _ => true)) 0.
by rewrite !V1 /kept !mul0r subr0 !sum_bool.
Qed.
End Bellman.
