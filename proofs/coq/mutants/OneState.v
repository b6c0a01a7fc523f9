(* Sums over bool and unit, and the process of one state, in which a value is a quotient: for false variants by computation.
   Source: geometric series; p a < 1 is an episode that may end. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From PG Require Import Discounted.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Lemma sum_bool (R : zmodType) (f : bool -> R) : \sum_b f b = f true + f false.
Proof. by rewrite (bigD1 true) //= (big_pred1 false) //; case. Qed.
Lemma sum_unit (R : zmodType) (f : unit -> R) : \sum_u f u = f tt.
Proof. by rewrite (big_pred1 tt) //; case. Qed.

(* an equation between numbers that is false *)
Ltac refuted := let E := fresh in move/eqP => E; vm_compute in E; discriminate E.

Section OneState.
Variables (F : comUnitRingType) (A : finType) (p rew : A -> F) (gam : F) (w : A -> F).
Definition P1 a : 'M[F]_1 := (p a)%:M.
Definition r1 a : 'cV[F]_1 := (rew a)%:M.
Definition pi1 (_ : 'I_1) := w.
Definition kept := 1 - gam * \sum_a w a * p a.

Lemma Tpi1 : Tpi P1 gam pi1 = kept%:M.
Proof.
apply/matrixP => i j; rewrite (ord1 i) (ord1 j) !mxE eqxx; congr (_ - _ * _).
by apply: eq_bigr => a _; rewrite !mxE eqxx.
Qed.
Lemma V1 s : V P1 r1 gam pi1 s 0 = kept^-1 * \sum_a w a * rew a.
Proof.
rewrite (ord1 s) /V Tpi1 invmx_scalar mul_scalar_mx !mxE; congr (_ * _).
by apply: eq_bigr => a _; rewrite !mxE eqxx.
Qed.
Lemma Q1 s a : Q P1 r1 gam pi1 s a = rew a + gam * (p a * (kept^-1 * \sum_a w a * rew a)).
Proof. by rewrite (ord1 s) /Q {1}/P1 mul_scalar_mx [X in _ + _ * X]mxE V1 mxE eqxx. Qed.
Lemma occupancy1 (m : F) s : occupancy P1 gam pi1 m%:M 0 s = m * kept^-1.
Proof. by rewrite (ord1 s) /occupancy Tpi1 invmx_scalar -scalar_mxM !mxE eqxx. Qed.
Lemma J1 (m : F) : ((m%:M : 'rV[F]_1) *m V P1 r1 gam pi1) 0 0 = m * (kept^-1 * \sum_a w a * rew a).
Proof. by rewrite mul_scalar_mx mxE V1. Qed.
End OneState.
