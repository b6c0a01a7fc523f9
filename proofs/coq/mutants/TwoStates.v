(* The process of Instances without end, as matrices over the states 0 (false) and 1 (true): entries in the form that the kernel runs, given
   the inverse of I - gam P_pi; and false variants of the discounted theorems (T14 to T16), refuted on it, and of T17, refuted on other
   matrices of one or two states. Source: hand-made. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Derivation Discounted Resolvent.
From PG Require Import mutants.Rationals mutants.Instances.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Definition state (i : 'I_2) : bool := i == 1%N :> nat.
Definition square (f : bool -> bool -> dual) : 'M[dual]_2 := \matrix_(i, j) f (state i) (state j).
Definition transitions (P : bool -> bool -> bool -> dual) a := square (fun s => P s a).
Definition rewards (r : bool -> bool -> dual) a : 'cV[dual]_2 := \col_i r (state i) a.
Definition acts (pi : bool -> bool -> dual) (i : 'I_2) a : dual := pi (state i) a.
Definition start (m : bool -> dual) : 'rV[dual]_2 := \row_i m (state i).

Lemma sum_states (f : bool -> dual) : \sum_i f (state i) = two f.
Proof. by rewrite !big_ord_recl big_ord0 addr0 addrC. Qed.
Lemma states (f : 'I_2 -> dual) : \sum_i f i = f 0 + f 1.
Proof. by rewrite !big_ord_recl big_ord0 addr0; congr (_ + f _); apply: val_inj. Qed.

Section Entries.
Variables (P : bool -> bool -> bool -> dual) (r : bool -> bool -> dual) (gam : dual) (pi w : bool -> bool -> dual).
Local Notation T := (Tpi (transitions P) gam (acts pi)).
Definition bellman s s' := (s == s')%:R - gam * Ppi2 P pi s s'.
Definition value_at s := two (fun t => w s t * two (fun a => pi t a * r t a)).
Definition action_value_at s a := r s a + gam * two (fun t => P s a t * value_at t).

Lemma T_square : T = square bellman.
Proof.
apply/matrixP => i j; rewrite !mxE /bellman /Ppi2 -twoE; congr (_ - _ * _).
  by case: i j => [[|[|//]] i] [[|[|//]] j].
by apply: eq_bigr => a _; rewrite mxE.
Qed.
Lemma squareM f g : square f *m square g = square (fun s t => two (fun x => f s x * g x t)).
Proof. by apply/matrixP => i j; rewrite !mxE -sum_states; apply: eq_bigr => k _; rewrite !mxE. Qed.
Lemma inverse : (forall s t, two (fun x => bellman s x * w x t) = (s == t)%:R) -> T \in unitmx /\ invmx T = square w.
Proof.
move=> E; have TW : T *m square w = 1%:M.
  rewrite T_square squareM; apply/matrixP => i j; rewrite !mxE E.
  by case: i j => [[|[|//]] i] [[|[|//]] j].
by have [U _] := mulmx1_unit TW; split=> //; rewrite -[RHS](mulKmx U) TW mulmx1.
Qed.

Lemma columnB (x y : 'cV[dual]_2) i : (x - y) i 0 = x i 0 - y i 0. Proof. by rewrite mxE [X in _ + X]mxE. Qed.

Hypothesis invT : invmx T = square w.
(* the resolvent, and its transpose, on a column *)
Lemma resolventE (F : 'I_2 -> dual) i :
  (invmx T *m \col_s F s) i 0 = w (state i) false * F 0 + w (state i) true * F 1.
Proof. by rewrite invT mxE states !mxE. Qed.
Lemma transposedE (F : 'I_2 -> dual) i :
  ((invmx T)^T *m \col_s F s) i 0 = w false (state i) * F 0 + w true (state i) * F 1.
Proof. by rewrite invT mxE states !mxE. Qed.
Lemma valueE i : V (transitions P) (rewards r) gam (acts pi) i 0 = value_at (state i).
Proof.
rewrite /V resolventE addrC -[RHS]/(w _ true * two _ + w _ false * two _).
by congr (_ * _ + _ * _); rewrite -twoE; apply: eq_bigr => a _; rewrite mxE.
Qed.
Lemma action_valueE i a : Q (transitions P) (rewards r) gam (acts pi) i a = action_value_at (state i) a.
Proof. by rewrite /Q mxE [X in _ + _ * X]mxE states !valueE !mxE /action_value_at addrC [in RHS]addrC /two [X in _ * X + _]addrC. Qed.
Lemma occupancyE m i : occupancy (transitions P) gam (acts pi) (start m) 0 i = two (fun s => m s * w s (state i)).
Proof. by rewrite /occupancy invT mxE -sum_states; apply: eq_bigr => k _; rewrite !mxE. Qed.
Lemma returnE m : (start m *m V (transitions P) (rewards r) gam (acts pi)) 0 0 = two (fun s => m s * value_at s).
Proof. by rewrite mxE -sum_states; apply: eq_bigr => k _; rewrite valueE mxE. Qed.
End Entries.

(* for pi0; for its value, which does not move; for another policy; and for one that does not sum to one *)
Definition w0 (s t : bool) : dual :=
  if s then (if t then Dual (18%:R / 13%:R) (108%:R / 169%:R) else Dual (8%:R / 13%:R) (- (108%:R / 169%:R)))
  else (if t then Dual (6%:R / 13%:R) (36%:R / 169%:R) else Dual (20%:R / 13%:R) (- (36%:R / 169%:R))).
Definition pi2 s a := cst (value (pi0 s a)).
Definition w2 s t := cst (value (w0 s t)).
Definition w1 (s t : bool) : dual := cst (if s then (if t then 5%:R else 3%:R) / 4%:R else (if t then 1 else 7%:R) / 4%:R).
Definition pi3 (s a : bool) : dual := cst (if a then 1 / 2%:R else 1).
Definition w3 (s t : bool) : dual := cst (if s then 2%:R else if t then 1 else 3%:R).
Local Notation T pi := (Tpi (transitions P0) half (acts pi)).
Lemma unit0 : T pi0 \in unitmx. Proof. by have [] := @inverse P0 half pi0 w0 ltac:(by_cases). Qed.
Lemma inv0 : invmx (T pi0) = square w0. Proof. by have [] := @inverse P0 half pi0 w0 ltac:(by_cases). Qed.
Lemma unit1 : T pi1 \in unitmx. Proof. by have [] := @inverse P0 half pi1 w1 ltac:(by_cases). Qed.
Lemma inv1 : invmx (T pi1) = square w1. Proof. by have [] := @inverse P0 half pi1 w1 ltac:(by_cases). Qed.
Lemma unit2 : T pi2 \in unitmx. Proof. by have [] := @inverse P0 half pi2 w2 ltac:(by_cases). Qed.
Lemma inv2 : invmx (T pi2) = square w2. Proof. by have [] := @inverse P0 half pi2 w2 ltac:(by_cases). Qed.
Lemma unit3 : T pi3 \in unitmx. Proof. by have [] := @inverse P0 half pi3 w3 ltac:(by_cases). Qed.
Lemma inv3 : invmx (T pi3) = square w3. Proof. by have [] := @inverse P0 half pi3 w3 ltac:(by_cases). Qed.

Definition fixed (P : bool -> 'M[dual]_2) (r : bool -> 'cV[dual]_2) (gam : dual) :=
  (forall a s s', D (P a s s') = 0) /\ (forall a s, D (r a s 0) = 0) /\ D gam = 0.
Lemma fixed0 : fixed (transitions P0) (rewards r0) half.
Proof. by case: Instances.fixed0 => DP [Dr Dg]; split=> [a s s'|]; [|split=> [a s|]]; rewrite ?mxE. Qed.
(* an equation of columns that is wrong, by its entry in a state *)
Ltac entry i := move/(congr1 (fun M : 'cV[dual]_2 => M i 0)).
(* and its two sides there, once values and resolvents are numbers; inv is the inverse of I - gam P_pi *)
Ltac differ_with inv v w := Instances.write_out; rewrite ?(action_valueE _ inv) ?(valueE _ inv) ?mxE; Instances.differ v w.

(* Variants of the discounted policy gradient theorem (T14, T15), on the process of two states.
   In each comment: the place that is changed, then the left side against the right one, for T14 in state 0. *)

Definition mu0 (s : bool) : dual := cst (if s then 3%:R / 4%:R else 1 / 4%:R).
Definition mu_moving (s : bool) : dual := if s then Dual (3%:R / 4%:R) 1 else Dual (1 / 4%:R) (- 1).
Lemma mu0_fixed i : D (start mu0 0 i) = 0. Proof. by rewrite mxE; case: (state i); apply/eqP; vm_compute. Qed.

(* T14: the resolvent became (1 - gam) times the resolvent. -126/169 eps against -63/169 eps. *)
Lemma T14_mutant_normalised :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, fixed P r gam -> Tpi P gam pi \in unitmx ->
     map_mx D (V P r gam pi) = (1 - gam) *: (invmx (Tpi P gam pi) *m \col_s \sum_a D (pi s a) * Q P r gam pi s a)).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi0) fixed0 unit0). entry (0 : 'I_2).
rewrite [LHS]mxE [RHS]mxE (valueE _ inv0) (resolventE inv0).
differ_with inv0 (Dual 0 (- (126%:R / 169%:R))) (Dual 0 (- (63%:R / 169%:R))).
Qed.

(* T14: the resolvent is transposed. -126/169 eps against -168/169 eps. *)
Lemma T14_mutant_transposed :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, fixed P r gam -> Tpi P gam pi \in unitmx ->
     map_mx D (V P r gam pi) = (invmx (Tpi P gam pi))^T *m \col_s \sum_a D (pi s a) * Q P r gam pi s a).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi0) fixed0 unit0). entry (0 : 'I_2).
rewrite [LHS]mxE (valueE _ inv0) (transposedE inv0).
differ_with inv0 (Dual 0 (- (126%:R / 169%:R))) (Dual 0 (- (168%:R / 169%:R))).
Qed.

(* T14: the action value became the reward. -126/169 eps against -12/13 eps. *)
Lemma T14_mutant_reward :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, fixed P r gam -> Tpi P gam pi \in unitmx ->
     map_mx D (V P r gam pi) = invmx (Tpi P gam pi) *m \col_s \sum_a D (pi s a) * r a s 0).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi0) fixed0 unit0). entry (0 : 'I_2).
rewrite [LHS]mxE (valueE _ inv0) (resolventE inv0).
differ_with inv0 (Dual 0 (- (126%:R / 169%:R))) (Dual 0 (- (12%:R / 13%:R))).
Qed.

(* T14: without the assumption that r does not depend on theta. 228/169 eps against 72/169 eps. *)
Lemma T14_mutant_model :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, (forall a s s', D (P a s s') = 0) -> D gam = 0 -> Tpi P gam pi \in unitmx ->
     map_mx D (V P r gam pi) = invmx (Tpi P gam pi) *m \col_s \sum_a D (pi s a) * Q P r gam pi s a).
Proof.
have [DP [_ Dg]] := fixed0.
move=> /(_ (transitions P0) (rewards r_moving) half (acts pi0) DP Dg unit0). entry (0 : 'I_2).
rewrite [LHS]mxE (valueE _ inv0) (resolventE inv0).
differ_with inv0 (Dual 0 (228%:R / 169%:R)) (Dual 0 (72%:R / 169%:R)).
Qed.

(* T15: the visits became the start. -315/169 eps against -63/52 eps. *)
Lemma T15_mutant_start :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, fixed P r gam -> Tpi P gam pi \in unitmx ->
     forall mu : 'rV_2, (forall s, D (mu 0 s) = 0) ->
     D ((mu *m V P r gam pi) 0 0) = \sum_s mu 0 s * \sum_a D (pi s a) * Q P r gam pi s a).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi0) fixed0 unit0 (start mu0) mu0_fixed).
rewrite (returnE _ inv0) states. differ_with inv0 (Dual 0 (- (315%:R / 169%:R))) (Dual 0 (- (63%:R / 52%:R))).
Qed.

(* T15: the visits became (1 - gam) times the visits. -315/169 eps against -315/338 eps. *)
Lemma T15_mutant_normalised :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, fixed P r gam -> Tpi P gam pi \in unitmx ->
     forall mu : 'rV_2, (forall s, D (mu 0 s) = 0) ->
     D ((mu *m V P r gam pi) 0 0) = \sum_s (1 - gam) * occupancy P gam pi mu 0 s * \sum_a D (pi s a) * Q P r gam pi s a).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi0) fixed0 unit0 (start mu0) mu0_fixed).
rewrite (returnE _ inv0) states !(occupancyE inv0).
differ_with inv0 (Dual 0 (- (315%:R / 169%:R))) (Dual 0 (- (315%:R / 338%:R))).
Qed.

(* T15: without the assumption that mu does not depend on theta. -185/169 eps against -315/169 eps. *)
Lemma T15_mutant_moving_start :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi, fixed P r gam -> Tpi P gam pi \in unitmx -> forall mu : 'rV_2,
     D ((mu *m V P r gam pi) 0 0) = \sum_s occupancy P gam pi mu 0 s * \sum_a D (pi s a) * Q P r gam pi s a).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi0) fixed0 unit0 (start mu_moving)).
rewrite (returnE _ inv0) states !(occupancyE inv0).
differ_with inv0 (Dual 0 (- (185%:R / 169%:R))) (Dual 0 (- (315%:R / 169%:R))).
Qed.

(* Variants of the discounted performance difference (T16), on the process of two states.
   In each comment: the place that is changed, then the left side against the right one, in state 0. *)

Definition sums_to_one (pi : 'I_2 -> bool -> dual) := forall s, \sum_a pi s a = 1.
Lemma acts1_sum : sums_to_one (acts pi1). Proof. by move=> i; exact: normalised1. Qed.

(* Both sides in state 0 as numbers, where the right side has the visits of pi_d, the action values of pi_q and the values of pi_v. *)
Section Entry.
Variables (P : bool -> bool -> bool -> dual) (r : bool -> bool -> dual) (gam : dual).
Variables (new old pi_d pi_q pi_v w' w w_d w_q w_v : bool -> bool -> dual).
Local Notation T pi := (Tpi (transitions P) gam (acts pi)).
Local Notation V pi := (V (transitions P) (rewards r) gam (acts pi)).
Local Notation Q pi := (Q (transitions P) (rewards r) gam (acts pi)).
Hypotheses (i' : invmx (T new) = square w') (i : invmx (T old) = square w)
  (i_d : invmx (T pi_d) = square w_d) (i_q : invmx (T pi_q) = square w_q) (i_v : invmx (T pi_v) = square w_v).
Definition gain s := two (fun a => new s a * (action_value_at P r gam pi_q w_q s a - value_at r pi_v w_v s)).
Lemma in_state_0 : V new - V old = invmx (T pi_d) *m (\col_s \sum_a acts new s a * (Q pi_q s a - V pi_v s 0)) ->
  value_at r new w' (state 0) - value_at r old w (state 0) = w_d (state 0) false * gain (state 0) + w_d (state 0) true * gain (state 1).
Proof.
move=> H; transitivity ((V new - V old) 0 0).
  by rewrite columnB; congr (_ - _); symmetry; [exact: (valueE r i' 0) | exact: (valueE r i 0)].
rewrite H; apply: (etrans (resolventE i_d _ 0)).
have g s : \sum_a acts new s a * (Q pi_q s a - V pi_v s 0) = gain (state s).
  by rewrite twoE /gain /two !(action_valueE r i_q) !(valueE r i_v).
by rewrite (g 0) (g 1).
Qed.
End Entry.

(* T16: the visits of the new policy became those of the old one. -119/208 against -159/338. *)
Lemma T16_mutant_visits :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi pi', Tpi P gam pi \in unitmx -> Tpi P gam pi' \in unitmx -> sums_to_one pi' ->
     V P r gam pi' - V P r gam pi = invmx (Tpi P gam pi) *m \col_s \sum_a pi' s a * (Q P r gam pi s a - V P r gam pi s 0)).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi2) (acts pi1) unit2 unit1 acts1_sum) /(in_state_0 inv1 inv2 inv2 inv2 inv2).
differ (cst (- (119%:R / 208%:R))) (cst (- (159%:R / 338%:R))).
Qed.

(* T16: the action values of the old policy became those of the new one. -119/208 against -213/208. *)
Lemma T16_mutant_action_value :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi pi', Tpi P gam pi' \in unitmx -> sums_to_one pi' ->
     V P r gam pi' - V P r gam pi = invmx (Tpi P gam pi') *m \col_s \sum_a pi' s a * (Q P r gam pi' s a - V P r gam pi s 0)).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi2) (acts pi1) unit1 acts1_sum) /(in_state_0 inv1 inv2 inv1 inv1 inv2).
differ (cst (- (119%:R / 208%:R))) (cst (- (213%:R / 208%:R))).
Qed.

(* T16: without the assumption that the new policy sums to one; its rows sum to 3/2. 55/26 against -27/26. *)
Lemma T16_mutant_unnormalised :
  ~ (forall (P : bool -> 'M[dual]_2) r gam pi pi', Tpi P gam pi' \in unitmx ->
     V P r gam pi' - V P r gam pi = invmx (Tpi P gam pi') *m \col_s \sum_a pi' s a * (Q P r gam pi s a - V P r gam pi s 0)).
Proof.
move=> /(_ (transitions P0) (rewards r0) half (acts pi2) (acts pi3) unit3) /(in_state_0 inv3 inv2 inv3 inv2 inv2).
differ (cst (55%:R / 26%:R)) (cst (- (27%:R / 26%:R))).
Qed.

(* Variants of T17 (the discounted system is invertible): matrices of one or two states with a kernel.
   In each comment: the place that is changed, then the matrix M and the discount. *)

Definition two_by_two (a b : q) : 'M[q]_2 := \matrix_(i, j) if i == j then a else b.
Lemma sum2 (f : 'I_2 -> q) : \sum_i f i = f 0 + f 1.
Proof. by rewrite !big_ord_recl big_ord0 addr0; congr (_ + f _); apply: val_inj. Qed.
Ltac entries := repeat case; move=> //; rewrite !mxE; by vm_compute.

(* 1 x + (-1) y = 0 in both rows: a matrix that takes (1, c) to zero has no inverse *)
Lemma singular (a b g c : q) : 1 - g * a - g * b * c = 0 -> c * (1 - g * a) - g * b = 0 ->
  1%:M - g *: two_by_two a b \in unitmx -> False.
Proof.
move=> row0 row1 U; set T := _ - _ in U.
pose x : 'cV[q]_2 := \col_i if i == 0 then 1 else c.
have Tx : T *m x = 0.
  apply/colP => i; rewrite [LHS]mxE sum2 !mxE; case: i => [[|[|//]] i] /=.
    by rewrite -[RHS]row0 mulr1 mulr1n mulr0n sub0r mulNr.
  by rewrite -[RHS]row1 mulr1 mulr1n mulr0n sub0r addrC mulrC.
have := congr1 (fun X => (invmx T *m X) 0 0) Tx.
by rewrite /= mulKmx // mulmx0 !mxE.
Qed.

(* T17: gam < 1 became gam <= 1. The identity, with discount 1. *)
Lemma T17_mutant_discount :
  ~ (forall n (M : 'M[q]_n) gam, (forall i j, 0 <= M i j) -> (forall i, \sum_j M i j <= 1) -> 0 <= gam -> gam <= 1 ->
     1%:M - gam *: M \in unitmx).
Proof.
move=> /(_ _ (two_by_two 1 0) 1) H; apply: (@singular 1 0 1 1); [by apply/eqP | by apply/eqP |].
by apply: H => // [i j|i]; [rewrite mxE; case: eqP | rewrite sum2 !mxE; case: i => [[|[|]]]].
Qed.

(* T17: the rows that sum to at most one became entries of at most one. All entries 1, discount 1/2. *)
Lemma T17_mutant_entries :
  ~ (forall n (M : 'M[q]_n) gam, (forall i j, 0 <= M i j) -> (forall i j, M i j <= 1) -> 0 <= gam -> gam < 1 ->
     1%:M - gam *: M \in unitmx).
Proof.
move=> /(_ _ (two_by_two 1 1) (1 / 2%:R)) H; apply: (@singular 1 1 (1 / 2%:R) 1); [by apply/eqP | by apply/eqP |].
by apply: H => // i j; rewrite mxE; case: eqP.
Qed.

(* T17: without the assumption that M is not negative. 3/2 on the diagonal and -1/2 beside it, discount 1/2. *)
Lemma T17_mutant_negative :
  ~ (forall n (M : 'M[q]_n) gam, (forall i, \sum_j M i j <= 1) -> 0 <= gam -> gam < 1 -> 1%:M - gam *: M \in unitmx).
Proof.
move=> /(_ _ (two_by_two (3%:R / 2%:R) (- (1 / 2%:R))) (1 / 2%:R)) H.
apply: (@singular (3%:R / 2%:R) (- (1 / 2%:R)) (1 / 2%:R) (- 1)); [by apply/eqP | by apply/eqP |].
by apply: H => // i; rewrite sum2 !mxE; case: i => [[|[|]]].
Qed.

(* T17: without the assumption that gam is not negative. The cycle of two states, discount -1. *)
Lemma T17_mutant_discount_sign :
  ~ (forall n (M : 'M[q]_n) gam, (forall i j, 0 <= M i j) -> (forall i, \sum_j M i j <= 1) -> gam < 1 -> 1%:M - gam *: M \in unitmx).
Proof.
move=> /(_ _ (two_by_two 0 1) (- 1)) H; apply: (@singular 0 1 (- 1) (- 1)); [by apply/eqP | by apply/eqP |].
by apply: H => // [i j|i]; [rewrite mxE; case: eqP | rewrite sum2 !mxE; case: i => [[|[|]]]].
Qed.
