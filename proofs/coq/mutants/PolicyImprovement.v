(* False variants of the theorems on improvement by comparing values without end: T32 to T35, T56. They are refuted on one or two states.
   In each comment: the place that is changed, then the left side against the right one. *)
From Coq Require Import ZArith.
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Discounted Policy DeterministicPolicy BellmanOptimality.
From PG Require Import mutants.Rationals mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* Variants of the minimum principle (T32), on two states that follow each other, and of policy improvement (T33), on
   a process of one state. *)

Definition gam0 : q := 1 / 2%:R.

(* for T32: each of two states leads to the other *)
Definition swap : 'M[q]_2 := \matrix_(i, j) (i != j)%:R.
Definition column (x y : q) : 'cV[q]_2 := \col_i (if i == 0 then x else y).
Lemma swap_ge0 i j : 0 <= swap i j. Proof. by rewrite mxE ler0n. Qed.
Lemma swap_sum i : \sum_j swap i j <= 1.
Proof. by rewrite !big_ord_recl big_ord0 !mxE; case: i => [[|[|k]] lt2] //; vm_compute. Qed.
Lemma moved (c : q) x y i : ((1%:M + c *: swap) *m column x y) i 0 = if i == 0 then x + c * y else y + c * x.
Proof.
rewrite mulmxDl mul1mx -scalemxAl mxE [X in _ + X]mxE !mxE !big_ord_recl big_ord0 !mxE.
by case: i => [[|[|k]] lt2] //=; rewrite !mul0r ?mul1r ?add0r ?addr0.
Qed.

(* T32: I - gam M became I + gam M. 0 against -1. *)
Lemma T32_mutant_sign :
  ~ (forall n (M : 'M[q]_n) gam, (forall i j, 0 <= M i j) -> (forall i, \sum_j M i j <= 1) -> 0 <= gam -> gam < 1 ->
     forall x : 'cV[q]_n, (forall i, 0 <= ((1%:M + gam *: M) *m x) i 0) -> forall i, 0 <= x i 0).
Proof.
move=> /(_ _ swap gam0 swap_ge0 swap_sum isT isT (column (-1) 2%:R)) H.
have /H : forall i, 0 <= ((1%:M + gam0 *: swap) *m column (-1) 2%:R) i 0 by move=> i; rewrite moved; case: eqP; vm_compute.
by move=> /(_ 0); rewrite mxE; vm_compute.
Qed.

(* T32: x is larger than (I - gam M) x, and not than that divided by 1 - gam. 0 against -1. *)
Lemma T32_mutant_factor :
  ~ (forall n (M : 'M[q]_n) gam, (forall i j, 0 <= M i j) -> (forall i, \sum_j M i j <= 1) -> 0 <= gam -> gam < 1 ->
     forall x : 'cV[q]_n, (forall i, 0 <= ((1%:M - gam *: M) *m x) i 0) ->
     forall i, 0 <= x i 0 - ((1%:M - gam *: M) *m x) i 0 / (1 - gam)).
Proof.
move=> /(_ _ swap gam0 swap_ge0 swap_sum isT isT (column 1 2%:R)) H.
rewrite -scaleNr in H.
have /H : forall i, 0 <= ((1%:M + - gam0 *: swap) *m column 1 2%:R) i 0 by move=> i; rewrite moved; case: eqP; vm_compute.
by move=> /(_ (lift 0 0)); rewrite moved mxE; vm_compute.
Qed.

(* for T33: one state, which every action keeps with probability 1/2; action true pays one. The policies play one action. *)
Definition stays (_ : bool) : q := 1 / 2%:R.
Definition win (b : bool) : q := b%:R.
Definition point (c b : bool) : q := (b == c)%:R.
Lemma point_policy c : policy (pi1 (point c)).
Proof. by split=> [s []|s]; rewrite ?sum_bool /pi1 /point; case: c. Qed.
Lemma P1_ge0 (p : bool -> q) : (forall b, 0 <= p b) -> forall a s s', 0 <= P1 p a s s'.
Proof. by move=> p0 a s s'; rewrite (ord1 s) (ord1 s') mxE eqxx mulr1n. Qed.
Lemma P1_sum (p : bool -> q) : (forall b, p b <= 1) -> forall a s, \sum_s' P1 p a s s' <= 1.
Proof. by move=> p1 a s; rewrite big_ord1 (ord1 s) mxE eqxx mulr1n. Qed.
Lemma stays_ge0 b : 0 <= stays b. Proof. by vm_compute. Qed.
Lemma stays_le1 b : stays b <= 1. Proof. by vm_compute. Qed.

(* T33: the new policy in the mean of the advantages became the old one. 4/3 against 0. *)
Lemma T33_mutant_policy :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) r gam,
     (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
     forall pi pi', policy pi' ->
     (forall s, 0 <= \sum_a pi s a * (Q P r gam pi s a - V P r gam pi s 0)) ->
     forall s, V P r gam pi s 0 <= V P r gam pi' s 0).
Proof.
move=> /(_ _ _ _ (r1 win) gam0 (P1_ge0 stays_ge0) (P1_sum stays_le1) isT isT (pi1 (point true)) _ (point_policy false)) H.
have /H : forall s, 0 <= \sum_a pi1 (point true) s a *
    (Q (P1 stays) (r1 win) gam0 (pi1 (point true)) s a - V (P1 stays) (r1 win) gam0 (pi1 (point true)) s 0).
  by move=> s; rewrite sum_bool !Q1 !V1 /kept !sum_bool; vm_compute.
by move=> /(_ 0); rewrite !V1 /kept !sum_bool; vm_compute.
Qed.

(* T33: the new value is larger by the mean advantage of the state, and not by that divided by 1 - gam. 0 against -2/3. *)
Lemma T33_mutant_factor :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) r gam,
     (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
     forall pi pi', policy pi' ->
     (forall s, 0 <= \sum_a pi' s a * (Q P r gam pi s a - V P r gam pi s 0)) ->
     forall s, V P r gam pi s 0 <= V P r gam pi' s 0 - (\sum_a pi' s a * (Q P r gam pi s a - V P r gam pi s 0)) / (1 - gam)).
Proof.
move=> /(_ _ _ _ (r1 win) gam0 (P1_ge0 stays_ge0) (P1_sum stays_le1) isT isT (pi1 (point false)) _ (point_policy true)) H.
have /H : forall s, 0 <= \sum_a pi1 (point true) s a *
    (Q (P1 stays) (r1 win) gam0 (pi1 (point false)) s a - V (P1 stays) (r1 win) gam0 (pi1 (point false)) s 0).
  by move=> s; rewrite sum_bool !Q1 !V1 /kept !sum_bool; vm_compute.
by move=> /(_ 0); rewrite sum_bool !Q1 !V1 /kept !sum_bool; vm_compute.
Qed.

(* Variants of Chebyshev's inequality (T34) and of the monotone natural gradient (T35), on two points and on one state. *)

(* for T34: weights 1 and 3 on the values 0 and 1 of both functions *)
Definition mass (b : bool) : q := if b then 3%:R else 1.
Lemma mass_ge0 b : 0 <= mass b. Proof. by case: b; vm_compute. Qed.
Lemma win_comonotone a b : 0 <= (win a - win b) * (win a - win b). Proof. by move: a b; repeat case; vm_compute. Qed.

(* T34: the total weight dropped. 9 against 3. *)
Lemma T34_mutant_total :
  ~ (forall (A : finType) (p u x : A -> q), (forall a, 0 <= p a) -> (forall a b, 0 <= (u a - u b) * (x a - x b)) ->
     (\sum_a p a * u a) * (\sum_a p a * x a) <= \sum_a p a * (u a * x a)).
Proof. by move=> /(_ _ _ _ _ mass_ge0 win_comonotone); rewrite !sum_bool; vm_compute. Qed.

(* T34: the total weight became the number of points, as if all weights were one. 9 against 6. *)
Lemma T34_mutant_count :
  ~ (forall (A : finType) (p u x : A -> q), (forall a, 0 <= p a) -> (forall a b, 0 <= (u a - u b) * (x a - x b)) ->
     (\sum_a p a * u a) * (\sum_a p a * x a) <= #|A|%:R * (\sum_a p a * (u a * x a))).
Proof. by move=> /(_ _ _ _ _ mass_ge0 win_comonotone); rewrite !sum_bool card_bool; vm_compute. Qed.

(* for T35: one state, discount 1/2, both actions alike; true pays 1 and ends, false pays 3/4 and goes on. V = 7/6, Q = 1 and 4/3. *)
Definition goes_on (b : bool) : q := (~~ b)%:R.
Definition pays (b : bool) : q := if b then 1 else 3%:R / 4%:R.
Definition fair (_ : bool) : q := 1 / 2%:R.
(* weights that rise with Q, and some that rise with the rewards *)
Definition u0 (b : bool) : q := if b then 1 / 4%:R else 1 / 2%:R.
Definition u_rewards (b : bool) : q := if b then 5%:R / 4%:R else 1.
Lemma goes_on_ge0 b : 0 <= goes_on b. Proof. by case: b; vm_compute. Qed.
Lemma goes_on_le1 b : goes_on b <= 1. Proof. by case: b; vm_compute. Qed.
Lemma fair_policy : policy (pi1 fair). Proof. by split=> [s b|s]; [|rewrite sum_bool; apply/eqP]; vm_compute. Qed.
Lemma u0_gt0 (s : 'I_1) b : 0 < pi1 u0 s b. Proof. by case: b; vm_compute. Qed.
Lemma u_rewards_gt0 (s : 'I_1) b : 0 < pi1 u_rewards s b. Proof. by case: b; vm_compute. Qed.
Local Notation Q0 := (Q (P1 goes_on) (r1 pays) gam0 (pi1 fair)).
Lemma u0_comonotone s a b : 0 <= (pi1 u0 s a - pi1 u0 s b) * (Q0 s a - Q0 s b).
Proof. by rewrite !Q1 /kept !sum_bool; move: a b; repeat case; vm_compute. Qed.
Lemma u_rewards_comonotone s a b : 0 <= (pi1 u_rewards s a - pi1 u_rewards s b) * (r1 pays a s 0 - r1 pays b s 0).
Proof. by rewrite (ord1 s) !mxE eqxx !mulr1n; move: a b; repeat case; vm_compute. Qed.
(* T35: the weights divide, a step down. 7/6 against 11/10. *)
Lemma T35_mutant_inverse :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) (r : A -> 'cV[q]_n) gam (pi u : 'I_n -> A -> q),
     (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
     policy pi -> (forall s a, 0 < u s a) ->
     (forall s a b, 0 <= (u s a - u s b) * (Q P r gam pi s a - Q P r gam pi s b)) ->
     forall s, V P r gam pi s 0 <= V P r gam (fun s a => pi s a / u s a / \sum_b pi s b / u s b) s 0).
Proof.
move=> /(_ _ _ _ (r1 pays) gam0 _ _ (P1_ge0 goes_on_ge0) (P1_sum goes_on_le1) isT isT fair_policy u0_gt0 u0_comonotone 0).
by rewrite V1 [X in _ <= X](V1 goes_on pays gam0 (fun a => fair a / u0 a / \sum_b fair b / u0 b)) /kept !sum_bool; vm_compute.
Qed.

(* T35: the normalisation dropped. 7/6 against 5/14. *)
Lemma T35_mutant_normalisation :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) (r : A -> 'cV[q]_n) gam (pi u : 'I_n -> A -> q),
     (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
     policy pi -> (forall s a, 0 < u s a) ->
     (forall s a b, 0 <= (u s a - u s b) * (Q P r gam pi s a - Q P r gam pi s b)) ->
     forall s, V P r gam pi s 0 <= V P r gam (fun s a => pi s a * u s a) s 0).
Proof.
move=> /(_ _ _ _ (r1 pays) gam0 _ _ (P1_ge0 goes_on_ge0) (P1_sum goes_on_le1) isT isT fair_policy u0_gt0 u0_comonotone 0).
by rewrite V1 [X in _ <= X](V1 goes_on pays gam0 (fun a => fair a * u0 a)) /kept !sum_bool; vm_compute.
Qed.

(* T35: weights that rise with the rewards, not with Q. 7/6 against 8/7. *)
Lemma T35_mutant_rewards :
  ~ (forall n (A : finType) (P : A -> 'M[q]_n) (r : A -> 'cV[q]_n) gam (pi u : 'I_n -> A -> q),
     (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
     policy pi -> (forall s a, 0 < u s a) ->
     (forall s a b, 0 <= (u s a - u s b) * (r a s 0 - r b s 0)) ->
     forall s, V P r gam pi s 0 <= V P r gam (fun s a => pi s a * u s a / \sum_b pi s b * u s b) s 0).
Proof.
move=> /(_ _ _ _ (r1 pays) gam0 _ _ (P1_ge0 goes_on_ge0) (P1_sum goes_on_le1) isT isT fair_policy u_rewards_gt0 u_rewards_comonotone 0).
by rewrite V1 [X in _ <= X](V1 goes_on pays gam0 (fun a => fair a * u_rewards a / \sum_b fair b * u_rewards b)) /kept !sum_bool; vm_compute.
Qed.

(* Variants of T56 (Bellman optimality), in a process of one state with two actions, in fractions.
   Source: hand-made; what each gets wrong stands above it. *)

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
