(* The instances on which false variants of theorems are refuted: rationals, dual numbers (a derivation that computes), a process
   of two states and two actions; and the tactic that computes with them. Source: Clifford (1873) for dual numbers. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation FiniteHorizon Trajectories.
From PG Require Import mutants.Rationals.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* a + b eps with eps^2 = 0: the value and the derivative of a function of one parameter, at one point *)
Record dual := Dual { value : q; slope : q }.

Definition dual_pair x := (value x, slope x).
Definition pair_dual p := Dual p.1 p.2.
Lemma dual_pairK : cancel dual_pair pair_dual. Proof. by case. Qed.
Definition dual_eqMixin := CanEqMixin dual_pairK.
Canonical dual_eqType := EqType dual dual_eqMixin.
Definition dual_choiceMixin := CanChoiceMixin dual_pairK.
Canonical dual_choiceType := ChoiceType dual dual_choiceMixin.

Definition dual_add x y := Dual (value x + value y) (slope x + slope y).
Definition dual_opp x := Dual (- value x) (- slope x).
Definition dual_mul x y := Dual (value x * value y) (value x * slope y + slope x * value y).
Definition dual_inv x := if value x == 0 then x else Dual (value x)^-1 (- slope x / value x ^+ 2).

Lemma dual_addA : associative dual_add. Proof. by move=> [a b] [c d] [e f]; rewrite /dual_add !addrA. Qed.
Lemma dual_addC : commutative dual_add. Proof. by move=> [a b] [c d]; congr Dual; exact: addrC. Qed.
Lemma dual_add0 : left_id (Dual 0 0) dual_add. Proof. by move=> [a b]; rewrite /dual_add !add0r. Qed.
Lemma dual_addN : left_inverse (Dual 0 0) dual_opp dual_add. Proof. by move=> [a b]; rewrite /dual_add !addNr. Qed.
Definition dual_zmodMixin := ZmodMixin dual_addA dual_addC dual_add0 dual_addN.
Canonical dual_zmodType := ZmodType dual dual_zmodMixin.

Lemma dual_mulA : associative dual_mul. Proof. by move=> [a b] [c d] [e f]; congr Dual => /=; ring. Qed.
Lemma dual_mulC : commutative dual_mul. Proof. by move=> [a b] [c d]; congr Dual => /=; ring. Qed.
Lemma dual_mul1 : left_id (Dual 1 0) dual_mul. Proof. by move=> [a b]; congr Dual => /=; ring. Qed.
Lemma dual_mulD : left_distributive dual_mul dual_add. Proof. by move=> [a b] [c d] [e f]; congr Dual => /=; ring. Qed.
Lemma dual_1_neq0 : Dual 1 0 != 0. Proof. by []. Qed.
Definition dual_ringMixin := ComRingMixin dual_mulA dual_mulC dual_mul1 dual_mulD dual_1_neq0.
Canonical dual_ringType := RingType dual dual_ringMixin.
Canonical dual_comRingType := ComRingType dual dual_mulC.

Definition dual_unit x := value x != 0.
Lemma dual_mulV : {in dual_unit, left_inverse 1 dual_inv *%R}.
Proof. by move=> [a b] a0; rewrite /dual_inv /= ifN //; congr Dual => /=; field. Qed.
Lemma dual_unitP x y : y * x = 1 -> dual_unit x.
Proof. by move=> E; apply/eqP => x0; have := congr1 value E; rewrite /= x0 mulr0. Qed.
Lemma dual_inv_out : {in [predC dual_unit], dual_inv =1 id}.
Proof. by move=> x; rewrite inE /= negbK /dual_inv => ->. Qed.
Definition dual_unitMixin := ComUnitRingMixin dual_mulV dual_unitP dual_inv_out.
Canonical dual_unitRingType := UnitRingType dual dual_unitMixin.
Canonical dual_comUnitRingType := [comUnitRingType of dual].

Definition cst (x : q) := Dual x 0.


(* the slope, times eps: additive, obeys the product rule *)
Definition D x := Dual 0 (slope x).
Lemma dD : derivation D.
Proof. by split=> [[a b] [c d]|[a b] [c d]]; congr Dual => /=; ring. Qed.

(* With two states and two actions every sum is written out: the same functions, in a form that the kernel runs. *)
Section TwoByTwo.
Variables (R : comRingType) (P : bool -> bool -> bool -> R) (r : bool -> bool -> R) (gam : R).
Implicit Types pi : bool -> bool -> R.
Definition two (f : bool -> R) := f true + f false.
Lemma twoE f : \sum_b f b = two f. Proof. exact: big_bool. Qed.

Definition Ppi2 pi s s' := two (fun a => pi s a * P s a s').
Fixpoint reach2 pi k s s' : R :=
  if k is j.+1 then two (fun x => Ppi2 pi s x * reach2 pi j x s') else (s == s')%:R.
Fixpoint V2 pi n s : R :=
  if n is m.+1 then two (fun a => pi s a * (r s a + gam * two (fun s' => P s a s' * V2 pi m s'))) else 0.
Definition Q2 pi n s a : R := r s a + gam * two (fun s' => P s a s' * V2 pi n s').
Fixpoint Etraj2 pi n s (F : seq (bool * bool) -> R) : R :=
  if n is m.+1 then two (fun a => pi s a * two (fun s' => P s a s' * Etraj2 pi m s' (fun t => F ((a, s') :: t))))
  else F [::].

Lemma PpiE pi s s' : Ppi P pi s s' = Ppi2 pi s s'. Proof. exact: big_bool. Qed.
Lemma reachE pi k s s' : reach P pi k s s' = reach2 pi k s s'.
Proof. by elim: k s => //= k IH s; rewrite twoE /two !IH !PpiE. Qed.
Lemma VE pi n s : V P r gam pi n s = V2 pi n s.
Proof. by elim: n s => //= n IH s; rewrite twoE /two !twoE /two !IH. Qed.
Lemma QE pi n s a : Q P r gam pi n s a = Q2 pi n s a.
Proof. by rewrite /Q twoE /two !VE. Qed.
Lemma EtrajE pi n s F : Etraj P pi n s F = Etraj2 pi n s F.
Proof. by elim: n s F => [|n IH] s F; rewrite ?Etraj0 // EtrajS twoE /two !twoE /two !IH. Qed.
End TwoByTwo.

(* Writes out the sums over k < n, then those over two elements, from the outermost in. (An Ltac match sees closed sums only,
   so that nothing is unified with a sum that is not there.) *)
Ltac write_out :=
  rewrite ?big_ord_recl ?big_ord0;
  repeat match goal with |- context [ @BigOp.bigop ?R ?I ?z ?l ?F ] =>
    let f := eval cbv beta iota in (fun b : bool => match F b with BigBody _ _ _ x => x end) in
    pattern (@BigOp.bigop R I z l F); refine (eq_ind_r _ _ (twoE f)); cbv beta delta [two]; cbv beta end;
  rewrite ?VE ?QE ?reachE ?PpiE ?EtrajE.
(* An equation that is wrong, and its two sides. *)
Ltac differ v w := write_out;
  match goal with |- ?l = ?r -> False =>
    have -> : l = v; [by apply/eqP; vm_compute | have -> : r = w; [by apply/eqP; vm_compute | by move/eqP; vm_compute]] end.

(* The process: action a leads to state a; rewards 0, 1, 2, 0; the policy plays true with probability 1/2 in state false and
   1/3 + eps in state true, so that D differentiates by that probability; discount 1/2. *)
Definition P0 (s a s' : bool) : dual := (a == s')%:R.
Definition r0 (s a : bool) : dual := if s then (if a then 0 else 2%:R) else (if a then 1 else 0).
Definition pi0 (s a : bool) : dual :=
  let p := if s then Dual (1 / 3%:R) 1 else cst (1 / 2%:R) in if a then p else 1 - p.
Definition sc0 (s a : bool) : dual := if s then Dual 0 (if a then 3%:R else - (3%:R / 2%:R)) else 0.
Definition half : dual := cst (1 / 2%:R).
(* another policy, another model, and some that break an assumption *)
Definition pi1 (s a : bool) : dual := if a then cst (1 / 4%:R) else cst (3%:R / 4%:R).
Definition P1 (s a s' : bool) : dual := if s' then cst (1 / 4%:R) else cst (3%:R / 4%:R).
Definition r1 (s a : bool) : dual := r0 s a + 1.
Definition pi_unnormalised (s a : bool) : dual := if a then Dual (1 / 2%:R) 1 else 1.
Definition sc_unnormalised (s a : bool) : dual := if a then Dual 0 2%:R else 0.
Definition P_unnormalised (s a s' : bool) : dual := 1.
Definition P_moving (s a s' : bool) : dual := if s' then Dual (1 / 2%:R) 1 else Dual (1 / 2%:R) (- 1).
Definition r_moving (s a : bool) : dual := if a then Dual 1 1 else 0.

Definition fixed_model (P : bool -> bool -> bool -> dual) (r : bool -> bool -> dual) (gam : dual) :=
  (forall s a s', D (P s a s') = 0) /\ (forall s a, D (r s a) = 0) /\ D gam = 0.
Definition normalised (pi : bool -> bool -> dual) := forall s, \sum_a pi s a = 1.
Definition stochastic (P : bool -> bool -> bool -> dual) := forall s a, \sum_s' P s a s' = 1.
Definition score_of (pi sc : bool -> bool -> dual) := forall s a, D (pi s a) = pi s a * sc s a.

Ltac by_cases := repeat case; by apply/eqP; vm_compute.
Lemma fixed0 : fixed_model P0 r0 half. Proof. by split; [|split]; by_cases. Qed.
Lemma fixed_unnormalised : fixed_model P_unnormalised r0 half. Proof. by split; [|split]; by_cases. Qed.
Lemma normalised0 : normalised pi0. Proof. by move=> s; rewrite twoE /two; move: s; by_cases. Qed.
Lemma normalised1 : normalised pi1. Proof. by move=> s; rewrite twoE /two; move: s; by_cases. Qed.
Lemma stochastic0 : stochastic P0. Proof. by move=> s a; rewrite twoE /two; move: s a; by_cases. Qed.
Lemma stochastic1 : stochastic P1. Proof. by move=> s a; rewrite twoE /two; move: s a; by_cases. Qed.
Lemma stochastic_moving : stochastic P_moving. Proof. by move=> s a; rewrite twoE /two; move: s a; by_cases. Qed.
Lemma score0 : score_of pi0 sc0. Proof. by_cases. Qed.
Lemma score_unnormalised : score_of pi_unnormalised sc_unnormalised. Proof. by_cases. Qed.
