(* False variants of the trust-region bound (T54) and of the clipped surrogate (T55), refuted in fractions.
   Source: hand-made; what each gets wrong stands above it. *)
From Coq Require Import ZArith.
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Discounted Policy TrustRegion Clip.
From PG Require Import mutants.Rationals mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* Variants of T54 (the trust-region bound), in a process of one state in fractions: action true goes on, action false ends the episode.
   Source: hand-made; what each gets wrong stands above it, then its two sides. *)

Section TrustRegion.
(* the premises on the process and on the start *)
Definition proper (n : nat) (A : finType) (P : A -> 'M[q]_n) (gam : q) (mu : 'rV[q]_n) :=
  [/\ forall a s s', 0 <= P a s s', forall a s, \sum_s' P a s s' <= 1, 0 <= gam /\ gam < 1, forall s, 0 <= mu 0 s & \sum_s mu 0 s = 1].
(* eps bounds the advantages, alpha the total variation *)
Definition near (n : nat) (A : finType) (P : A -> 'M[q]_n) (r : A -> 'cV[q]_n) (gam : q) (pi pi' : 'I_n -> A -> q) (eps alpha : q) :=
  (forall s a, `|Q P r gam pi s a - V P r gam pi s 0| <= eps) /\ (forall s, \sum_a `|pi' s a - pi s a| <= 2%:R * alpha).
Definition improvement (n : nat) (A : finType) (P : A -> 'M[q]_n) r gam (pi pi' : 'I_n -> A -> q) (mu : 'rV[q]_n) :=
  (mu *m V P r gam pi') 0 0 - (mu *m V P r gam pi) 0 0.
(* the advantage of p over pi, in the states that pi visits *)
Definition surrogate (n : nat) (A : finType) (P : A -> 'M[q]_n) r gam (pi p : 'I_n -> A -> q) (mu : 'rV[q]_n) :=
  \sum_s occupancy P gam pi mu 0 s * \sum_a p s a * (Q P r gam pi s a - V P r gam pi s 0).

Let go (b : bool) : q := b%:R.
Let coin (x : q) (b : bool) : q := if b then x else 1 - x.
Let more : q := frac 1 10.
Let most : q := frac 9 10.

Lemma proper1 (gam : q) : 0 <= gam -> gam < 1 -> proper (P1 go) gam 1%:M.
Proof.
split=> // [a s s'|a s|s|]; first by rewrite (ord1 s) (ord1 s') mxE eqxx; case: a.
- by rewrite big_ord1 (ord1 s) mxE eqxx; case: a.
- by rewrite (ord1 s) mxE eqxx.
- by rewrite big_ord1 mxE eqxx.
Qed.
Lemma coin_policy x : 0 <= x -> x <= 1 -> policy (pi1 (coin x)).
Proof. by move=> x0 x1; split=> [s []|s]; rewrite ?sum_bool /pi1 /coin ?subr_ge0 // addrC subrK. Qed.

Section Numbers.
Variables (rew : bool -> q) (gam x y : q).
Definition return1 z : q := (kept go gam (coin z))^-1 * (coin z true * rew true + coin z false * rew false).
Definition advantage1 a : q := rew a + gam * (go a * return1 x) - return1 x.
Lemma near1 eps alpha : `|advantage1 true| <= eps -> `|advantage1 false| <= eps ->
  `|coin y true - coin x true| + `|coin y false - coin x false| <= 2%:R * alpha ->
  near (P1 go) (r1 rew) gam (pi1 (coin x)) (pi1 (coin y)) eps alpha.
Proof. by move=> t f v; split=> [s []|s]; rewrite ?Q1 ?V1 !sum_bool. Qed.
Lemma improvement1 : improvement (P1 go) (r1 rew) gam (pi1 (coin x)) (pi1 (coin y)) 1%:M = return1 y - return1 x.
Proof. by rewrite /improvement !J1 !mul1r !sum_bool. Qed.
Lemma surrogate1 : surrogate (P1 go) (r1 rew) gam (pi1 (coin x)) (pi1 (coin y)) 1%:M =
  (kept go gam (coin x))^-1 * (coin y true * advantage1 true + coin y false * advantage1 false).
Proof. by rewrite /surrogate big_ord1 occupancy1 mul1r !sum_bool !Q1 !V1 !sum_bool. Qed.
End Numbers.
Let keptE gam x : kept go gam (coin x) = 1 - gam * (x * 1 + (1 - x) * 0). Proof. by rewrite /kept sum_bool. Qed.

Ltac numbers := rewrite ?improvement1 ?surrogate1 /advantage1 /return1 ?keptE; by vm_compute.

(* (1 - gam)^2 in the bound became 1 - gam: 90/19 against 18/5 *)
Lemma T54_mutant_horizon :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) r gam pi pi' eps alpha mu, proper P gam mu -> policy pi -> policy pi' -> near P r gam pi pi' eps alpha ->
     `|improvement P r gam pi pi' mu - surrogate P r gam pi pi' mu| <= 4%:R * gam * eps * alpha ^+ 2 / (1 - gam)).
Proof.
have N : near (P1 go) (r1 go) most (pi1 (coin 1)) (pi1 (coin most)) (frac 10 1) more by apply: near1; numbers.
move=> /(_ _ _ _ _ _ _ _ _ _ _ (proper1 (gam := most) isT isT) (coin_policy (x := 1) isT isT) (coin_policy (x := most) isT isT) N); numbers.
Qed.

(* the term of second order left out: 10 against 100/19 *)
Lemma T54_mutant_second_order :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) r gam pi pi' eps alpha mu, proper P gam mu -> policy pi -> policy pi' -> near P r gam pi pi' eps alpha ->
     surrogate P r gam pi pi' mu <= improvement P r gam pi pi' mu).
Proof.
pose pays (b : bool) : q := - b%:R.
have N : near (P1 go) (r1 pays) most (pi1 (coin 1)) (pi1 (coin most)) (frac 10 1) more by apply: near1; numbers.
move=> /(_ _ _ _ _ _ _ _ _ _ _ (proper1 (gam := most) isT isT) (coin_policy (x := 1) isT isT) (coin_policy (x := most) isT isT) N); numbers.
Qed.

Lemma improvement_eq n (A : finType) (P : A -> 'M[q]_n) r gam pi p p' mu : p =2 p' -> improvement P r gam pi p mu = improvement P r gam pi p' mu.
Proof.
move=> E; have PE : Ppi P p = Ppi P p' by apply/matrixP => i j; rewrite !mxE; apply: eq_bigr => a _; rewrite E.
have rE : rpi r p = rpi r p' by apply/matrixP => i j; rewrite !mxE; apply: eq_bigr => a _; rewrite E.
by rewrite /improvement /V /Tpi PE rE.
Qed.

(* the mixture: its weight in front of the advantage left out: 403/405 against 10/99 *)
Lemma T54_mutant_weight :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) r gam pi pb eps w mu (pi' := fun s a => (1 - w) * pi s a + w * pb s a),
     proper P gam mu -> policy pi -> policy pb -> 0 <= w -> w <= 1 -> (forall s a, `|Q P r gam pi s a - V P r gam pi s 0| <= eps) ->
     surrogate P r gam pi pb mu - 4%:R * gam * eps * w ^+ 2 / (1 - gam) ^+ 2 <= improvement P r gam pi pi' mu).
Proof.
have N : near (P1 go) (r1 go) more (pi1 (coin 0)) (pi1 (coin 1)) 1 1 by apply: near1; numbers.
move=> /(_ _ _ _ _ _ _ _ _ more _ (proper1 (gam := more) isT isT) (coin_policy (x := 0) isT isT) (coin_policy (x := 1) isT isT) isT isT (proj1 N)).
rewrite (improvement_eq _ _ _ _ _ (p' := pi1 (coin more))); last by move=> s [].
numbers.
Qed.
End TrustRegion.

(* Variants of T55 (the clipped surrogate), on one or two outcomes in fractions.
   Source: hand-made; what each gets wrong stands above it. *)

Definition never_taken (_ : unit) : q := 0.
Definition loss (_ : unit) : q := -1.
Definition gain (_ : unit) : q := 1.
Definition certain (_ : unit) : q := 1.
Definition half : q := frac 1 2.

(* the clipped product alone, without the smaller of the two *)
Lemma T55_mutant_minimum : ~ (forall (eps : q) (W : finType) (p w adv : W -> q), (forall x, 0 <= p x) ->
  \sum_x p x * (clip eps (w x) * adv x) <= Clip.surrogate p w adv).
Proof. by move=> H; have := H half _ certain never_taken gain (fun _ => isT); rewrite /Clip.surrogate !sum_unit. Qed.

(* the greater of the two products *)
Lemma T55_mutant_maximum : ~ (forall (eps : q) (W : finType) (p w adv : W -> q), (forall x, 0 <= p x) ->
  \sum_x p x * Num.max (w x * adv x) (clip eps (w x) * adv x) <= Clip.surrogate p w adv).
Proof. by move=> H; have := H half _ certain never_taken gain (fun _ => isT); rewrite /Clip.surrogate !sum_unit. Qed.

(* equality where no ratio is above 1 + eps, though some may be below 1 - eps *)
Lemma T55_mutant_one_side : ~ (forall (eps : q) (W : finType) (p w adv : W -> q), (forall x, 0 <= p x) ->
  (forall x, w x <= 1 + eps) -> clipped_surrogate eps p w adv = Clip.surrogate p w adv).
Proof.
move=> H; have := H half _ certain never_taken loss (fun _ => isT) (fun _ => isT).
by rewrite /Clip.surrogate /clipped_surrogate !sum_unit; refuted.
Qed.
