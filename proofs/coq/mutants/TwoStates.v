(* The process of Instances without end, as matrices over the states 0 (false) and 1 (true): entries in the form that the kernel
   runs, given the inverse of I - gam P_pi. Source: hand-made. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Derivation Discounted mutants.Rationals mutants.Instances.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
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
