(* Rationals on which the kernel computes: the reduced fractions of the standard library (binary numbers) as an ordered field of
   MathComp, whose own type rat counts in unary. Source: Coq.QArith.Qcanon. *)
From Coq Require Import ZArith QArith Qcanon.
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.

Definition q := Qc.
(* n over d *)
Definition frac (n : Z) (d : positive) : q := Q2Qc (Qmake n d).

Definition q_eqb (x y : q) := Qeq_bool (this x) (this y).
Lemma q_eqP : Equality.axiom q_eqb.
Proof.
move=> x y; apply: (iffP idP) => [H|->]; first by apply: Qc_is_canon; exact: Qeq_bool_eq.
by apply: Qeq_eq_bool; reflexivity.
Qed.
Canonical q_eqType := EqType q (EqMixin q_eqP).

Definition q_code (x : q) : bool * nat * nat :=
  let n := Qnum (this x) in (Z.leb 0 n, Z.abs_nat n, Pos.to_nat (Qden (this x))).
Definition q_decode (c : bool * nat * nat) : q :=
  let: (s, n, d) := c in frac (if s then Z.of_nat n else Z.opp (Z.of_nat n)) (Pos.of_nat d).
Lemma q_codeK : cancel q_code q_decode.
Proof.
move=> [[n d] can]; apply: Qc_is_canon; rewrite /q_decode /q_code /frac /= Pos2Nat.id Zabs2Nat.id_abs.
have -> : (if Z.leb 0 n then Z.abs n else Z.opp (Z.abs n)) = n by case: n {can}.
exact: Qred_correct.
Qed.
Canonical q_choiceType := ChoiceType q (CanChoiceMixin q_codeK).

Definition q_add (x y : q) : q := Qcplus x y.
Definition q_opp (x : q) : q := Qcopp x.
Definition q_mul (x y : q) : q := Qcmult x y.
Definition q_inv (x : q) : q := Qcinv x.

Lemma q_addA : associative q_add. Proof. exact: Qcplus_assoc. Qed.
Lemma q_addC : commutative q_add. Proof. exact: Qcplus_comm. Qed.
Lemma q_add0 : left_id (frac 0 1) q_add. Proof. exact: Qcplus_0_l. Qed.
Lemma q_addN : left_inverse (frac 0 1) q_opp q_add. Proof. by move=> x; rewrite q_addC; exact: Qcplus_opp_r. Qed.
Canonical q_zmodType := ZmodType q (ZmodMixin q_addA q_addC q_add0 q_addN).

Lemma q_mulA : associative q_mul. Proof. exact: Qcmult_assoc. Qed.
Lemma q_mulC : commutative q_mul. Proof. exact: Qcmult_comm. Qed.
Lemma q_mul1 : left_id (frac 1 1) q_mul. Proof. exact: Qcmult_1_l. Qed.
Lemma q_mulD : left_distributive q_mul q_add. Proof. by move=> x y z; exact: Qcmult_plus_distr_l. Qed.
Lemma q_1_neq0 : frac 1 1 != frac 0 1. Proof. by []. Qed.
Canonical q_ringType := RingType q (ComRingMixin q_mulA q_mulC q_mul1 q_mulD q_1_neq0).
Canonical q_comRingType := ComRingType q q_mulC.

Lemma q_mulV : GRing.Field.axiom q_inv.
Proof. by move=> x /eqP x0; exact: Qcmult_inv_l. Qed.
Lemma q_inv0 : q_inv (frac 0 1) = frac 0 1. Proof. exact: Qc_is_canon. Qed.
Definition q_unitMixin := FieldUnitMixin q_mulV q_inv0.
Canonical q_unitRingType := UnitRingType q q_unitMixin.
Canonical q_comUnitRingType := [comUnitRingType of q].
Lemma q_field_axiom : GRing.Field.mixin_of q_unitRingType. Proof. by move=> x x0; rewrite qualifE /= x0. Qed.
Canonical q_idomainType := IdomainType q (FieldIdomainMixin q_field_axiom).
Canonical q_fieldType := FieldType q q_field_axiom.

Definition q_le (x y : q) := Qle_bool (this x) (this y).
Definition q_lt (x y : q) := (y != x) && q_le x y.
Definition q_norm (x : q) := if q_le (frac 0 1) x then x else q_opp x.
Lemma q_leP x y : reflect (Qcle x y) (q_le x y).
Proof. by apply: (iffP idP) => /Qle_bool_iff. Qed.

Local Open Scope ring_scope.
Lemma q_le0_add x y : q_le 0 x -> q_le 0 y -> q_le 0 (x + y).
Proof. move=> /q_leP x0 /q_leP y0; apply/q_leP; exact: (Qcplus_le_compat _ _ _ _ x0 y0). Qed.
Lemma q_le0_mul x y : q_le 0 x -> q_le 0 y -> q_le 0 (x * y).
Proof. move=> /q_leP x0 /q_leP y0; have := Qcmult_le_compat_r _ _ _ x0 y0; rewrite (Qcmult_0_l y) => H; exact/q_leP. Qed.
Lemma q_le0_anti x : q_le 0 x -> q_le x 0 -> x = 0.
Proof. by move=> /q_leP x0 /q_leP x1; exact: Qcle_antisym. Qed.
Lemma q_sub_ge0 x y : q_le 0 (y - x) = q_le x y.
Proof.
apply/q_leP/q_leP => [H|H]; last by have := Qcplus_le_compat _ _ _ _ H (Qcle_refl (Qcopp x)); rewrite Qcplus_opp_r.
have := Qcplus_le_compat _ _ _ _ H (Qcle_refl x).
by rewrite Qcplus_0_l -Qcplus_assoc [Qcplus (Qcopp x) x]Qcplus_comm Qcplus_opp_r Qcplus_0_r.
Qed.
Lemma q_le0_total x : q_le 0 x || q_le x 0.
Proof.
case: (Qclt_le_dec 0 x) => [/Qclt_le_weak|] H; first by apply/orP; left; exact/q_leP.
by apply/orP; right; exact/q_leP.
Qed.
Lemma q_normN x : q_norm (- x) = q_norm x.
Proof.
rewrite /q_norm; have N : q_le 0 (- x) = q_le x 0 by rewrite -sub0r q_sub_ge0.
rewrite [q_le (frac 0 1) (- x)]N; case: (boolP (q_le x 0)) => le; case: (boolP (q_le (frac 0 1) x)) => ge //.
- by rewrite (q_le0_anti ge le) oppr0.
- by rewrite -[RHS]opprK.
- by have := q_le0_total x; rewrite (negbTE le) orbF [q_le 0 x](negbTE ge).
Qed.
Lemma q_ge0_norm x : q_le 0 x -> q_norm x = x. Proof. by rewrite /q_norm => ->. Qed.
Lemma q_lt_def x y : q_lt x y = (y != x) && q_le x y. Proof. by []. Qed.

Definition q_leMixin := RealLeMixin q_le0_add q_le0_mul q_le0_anti q_sub_ge0 q_le0_total q_normN q_ge0_norm q_lt_def.
Canonical q_porderType := POrderType ring_display q q_leMixin.
Canonical q_latticeType := LatticeType q q_leMixin.
Canonical q_distrLatticeType := DistrLatticeType q q_leMixin.
Canonical q_orderType := OrderType q q_leMixin.
Canonical q_numDomainType := NumDomainType q q_leMixin.
Canonical q_normedZmodType := NormedZmodType q q q_leMixin.
Canonical q_numFieldType := [numFieldType of q].
Canonical q_realDomainType := [realDomainType of q].
Canonical q_realFieldType := [realFieldType of q].
