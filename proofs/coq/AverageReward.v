(* The average reward (T57): with a stationary law d and a solution h of the Poisson equation, the gradient of the gain is
   sum over s of d(s) sum over a of D pi(a|s) Q(s, a); the deviation matrix gives h, and the derivative of d itself.
   Source: Sutton, McAllester, Singh, Mansour (1999), theorem 1; Puterman (1994), section 8.2; Schweitzer (1968). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix mxalgebra.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation FiniteHorizon.
From PG Require Discounted.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Gradient.
Variables (R : comRingType) (S A : finType) (P : S -> A -> S -> R) (r : S -> A -> R) (pi : S -> A -> R).
Implicit Types d h : S -> R.

Definition stationary d := (forall s', \sum_s d s * Ppi P pi s s' = d s') /\ \sum_s d s = 1.
Definition gain d := \sum_s d s * \sum_a pi s a * r s a.
(* h + gain = r_pi + P_pi h *)
Definition poisson d h := forall s, h s + gain d = \sum_a pi s a * (r s a + \sum_s' P s a s' * h s').
Definition differential_Q d h s a := r s a - gain d + \sum_s' P s a s' * h s'.

Variables (D : R -> R) (dD : derivation D).
Hypotheses (DP : forall s a s', D (P s a s') = 0) (Dr : forall s a, D (r s a) = 0)
  (pi1 : forall s, \sum_a pi s a = 1).

(* T57: neither d nor h is differentiated, P need not be normalised, and nothing need be positive. *)
Theorem T57_average_reward_gradient d h : stationary d -> poisson d h ->
  D (gain d) = \sum_s d s * \sum_a D (pi s a) * differential_Q d h s a.
Proof.
case=> dM d1 ph; have Dh s : D (gain d) = (\sum_a D (pi s a) * differential_Q d h s a) +
    (\sum_s' Ppi P pi s s' * D (h s')) - D (h s).
  have Dpi1 : \sum_a D (pi s a) = 0 by rewrite -(der_sum dD) pi1 (der1 dD).
  apply: (addrI (D (h s))); rewrite -(der_add dD) ph (der_sum dD) sum_Ppi [RHS]addrC subrK.
  have g0 : \sum_a D (pi s a) * gain d = 0 by rewrite -mulr_suml Dpi1 mul0r.
  rewrite -[RHS]addr0 -[X in _ = _ + X]g0 -!big_split /=; apply: eq_bigr => a _.
  rewrite (der_leib dD) (der_add dD) Dr add0r (der_sum dD) /differential_Q.
  have -> : \sum_s' D (P s a s' * h s') = \sum_s' P s a s' * D (h s').
    by apply: eq_bigr => s' _; rewrite (der_cst dD).
  by move: (\sum_s' P s a s' * h s') (\sum_s' P s a s' * D (h s')) => u v; ring.
rewrite -[LHS]mul1r -d1 mulr_suml.
rewrite (eq_bigr (fun s => d s * (\sum_a D (pi s a) * differential_Q d h s a) +
  (d s * (\sum_s' Ppi P pi s s' * D (h s')) - d s * D (h s)))) => [|s _]; last by rewrite {1}(Dh s) -addrA mulrDr mulrBr.
rewrite big_split sumrB /= [X in _ + (X - _)](_ : _ = \sum_s d s * D (h s)) ?subrr ?addr0 //.
under eq_bigr => s _ do rewrite mulr_sumr.
rewrite exchange_big /=; apply: eq_bigr => s' _; rewrite -(dM s') mulr_suml.
by apply: eq_bigr => s _; rewrite mulrA.
Qed.

(* T57: a constant of the state is free here, too. *)
Theorem T57_average_reward_baseline d h (c : S -> R) : stationary d -> poisson d h ->
  D (gain d) = \sum_s d s * \sum_a D (pi s a) * (differential_Q d h s a + c s).
Proof.
move=> sd ph; rewrite (T57_average_reward_gradient sd ph); apply: eq_bigr => s _; congr (_ * _).
under [RHS]eq_bigr => a _ do rewrite mulrDr.
by rewrite big_split /= -mulr_suml -(der_sum dD) pi1 (der1 dD) mul0r addr0.
Qed.
End Gradient.

Section Deviation.
Import Discounted.
Variables (F : fieldType) (n : nat) (A : finType) (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (pi : 'I_n -> A -> F).
Local Notation M := (Ppi P pi).
Local Notation one := (const_mx 1 : 'cV[F]_n).
Variable d : 'rV[F]_n.
Hypotheses (dM : d *m M = d) (d1 : d *m one = 1%:M) (M1 : M *m one = one).

(* deviation = (I - P_pi + 1 d)^-1 - 1 d; the inverse exists if d is the only stationary law (lemma below) *)
Let U : 'M[F]_n := 1%:M - M + one *m d.
Hypothesis unitU : U \in unitmx.
Definition deviation : 'M[F]_n := invmx (1%:M - M + one *m d) - one *m d.

Lemma U_one : U *m one = one.
Proof. by rewrite mulmxDl mulmxBl mul1mx M1 subrr add0r -mulmxA d1 mulmx1. Qed.
Lemma d_U : d *m U = d.
Proof. by rewrite mulmxDr mulmxBr mulmx1 dM subrr add0r mulmxA d1 mul1mx. Qed.

(* (I - P_pi) deviation = I - 1 d = deviation (I - P_pi) *)
Lemma deviation_left : (1%:M - M) *m deviation = 1%:M - one *m d.
Proof.
have -> : 1%:M - M = U - one *m d by rewrite addrK.
have dU : d *m invmx U = d by rewrite -{1}d_U mulmxK.
rewrite /deviation -/U mulmxBr !mulmxBl mulmxV // -!mulmxA dU (mulmxA U) U_one (mulmxA d) d1 mul1mx.
by rewrite subrr subr0.
Qed.

Lemma deviation_right : deviation *m (1%:M - M) = 1%:M - one *m d.
Proof.
have -> : 1%:M - M = U - one *m d by rewrite addrK.
have Uo : invmx U *m one = one by rewrite -{1}U_one mulKmx.
rewrite /deviation -/U mulmxBl !mulmxBr mulVmx // (mulmxA (invmx U)) Uo -!mulmxA d_U (mulmxA d) d1 mul1mx.
by rewrite subrr subr0.
Qed.

(* T57: h = deviation r_pi solves the Poisson equation, so that the theorem above has its h, *)
Theorem T57_deviation_poisson :
  poisson (fun s a s' => P a s s') (fun s a => r a s 0) pi (fun s => d 0 s) (fun s => (deviation *m rpi r pi) s 0).
Proof.
set h := deviation *m rpi r pi; pose g := gain (fun s a => r a s 0) pi (fun s => d 0 s).
have gE : one *m (d *m rpi r pi) = g *: one.
  apply/colP => s; rewrite mxE big_ord1 [X in X * _]mxE mul1r [RHS]mxE [X in _ * X]mxE mulr1 mxE.
  by apply: eq_bigr => x _; rewrite [X in _ * X]mxE.
have E : h = rpi r pi - g *: one + M *m h.
  apply/eqP; rewrite -subr_eq -{1}[h]mul1mx -mulmxBl mulmxA deviation_left mulmxBl mul1mx -mulmxA.
  by rewrite gE.
move=> s; rewrite -/g {1}E [X in X + _]mxE [X in X + _ + _]mxE [X in _ + X + _ + _]mxE [X in _ - X + _ + _]mxE.
rewrite [X in _ - _ * X + _ + _]mxE mulr1 addrAC subrK PpiE [X in X + _]mxE -big_split /=; apply: eq_bigr => a _.
by rewrite mulrDr [X in _ + _ * X = _]mxE.
Qed.

(* normalised by d h = 0. *)
Lemma deviation_centred : d *m (deviation *m rpi r pi) = 0.
Proof.
have dU : d *m invmx U = d by rewrite -{1}d_U mulmxK.
by rewrite mulmxA /deviation -/U mulmxBr dU mulmxA d1 mul1mx subrr mul0mx.
Qed.

(* T57: the derivative of the stationary law itself, for a law that is stationary for every theta *)
Theorem T57_stationary_derivative (D : F -> F) : map_mx D d *m one = 0 ->
  map_mx D d = map_mx D d *m M + d *m map_mx D M -> map_mx D d = d *m map_mx D M *m deviation.
Proof.
move=> Dd1 /eqP; rewrite addrC -subr_eq -{1}[map_mx D d]mulmx1 -mulmxBr => /eqP E.
by rewrite -[in RHS]E -mulmxA deviation_left mulmxBr mulmx1 mulmxA Dd1 mul0mx subr0.
Qed.
End Deviation.

(* a law that is the only solution of its equations makes the matrix of the deviation invertible *)
Lemma deviation_invertible (F : fieldType) (n : nat) (A : finType) (P : A -> 'M[F]_n) pi (d : 'rV[F]_n)
    (one := const_mx 1 : 'cV[F]_n) : Discounted.Ppi P pi *m one = one -> d *m one = 1%:M ->
  (forall x : 'rV_n, x *m Discounted.Ppi P pi = x -> x *m one = 0 -> x = 0) ->
  1%:M - Discounted.Ppi P pi + one *m d \in unitmx.
Proof.
move=> M1 d1 only; rewrite -row_free_unit -kermx_eq0; apply/eqP/row_matrixP => i; rewrite row0.
set x := row i _; have xU : x *m (1%:M - Discounted.Ppi P pi + one *m d) = 0 by rewrite /x -row_mul mulmx_ker row0.
have x1 : x *m one = 0.
  have := congr1 (mulmx^~ one) xU; rewrite mul0mx -mulmxA mulmxDl mulmxBl mul1mx M1 subrr add0r.
  by rewrite -mulmxA d1 mulmx1.
have xM : x *m (1%:M - Discounted.Ppi P pi) = 0 by move: xU; rewrite mulmxDr mulmxA x1 mul0mx addr0.
by apply: only => //; apply/eqP; rewrite eq_sym -subr_eq0 -{1}[x]mulmx1 -mulmxBr xM.
Qed.
