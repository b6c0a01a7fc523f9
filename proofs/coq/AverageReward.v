(* The average reward (T57): with a stationary law d and a solution h of the Poisson equation, the gradient of the gain is
   sum over s of d(s) sum over a of D pi(a|s) Q(s, a); the deviation matrix gives h, and the derivative of d itself.
   Source: Sutton, McAllester, Singh, Mansour (1999), theorem 1; Puterman (1994), section 8.2; Schweitzer (1968). *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation Discounted.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section Average.
Variables (F : fieldType) (n : nat) (A : finType) (P : A -> 'M[F]_n) (r : A -> 'cV[F]_n) (pi : 'I_n -> A -> F).
Local Notation M := (Ppi P pi).
Local Notation one := (const_mx 1 : 'cV[F]_n).

Definition stationary (d : 'rV[F]_n) := d *m M = d /\ d *m one = 1%:M.
Definition gain (d : 'rV[F]_n) : F := (d *m rpi r pi) 0 0.
(* h + gain = r_pi + P_pi h *)
Definition poisson d (h : 'cV[F]_n) := h + gain d *: one = rpi r pi + M *m h.
Definition differential_Q d (h : 'cV[F]_n) s a : F := r a s 0 - gain d + (P a *m h) s 0.

Variables (D : F -> F) (dD : derivation D).
Hypotheses (DP : forall a s s', D (P a s s') = 0) (Dr : forall a s, D (r a s 0) = 0)
  (pi1 : forall s, \sum_a pi s a = 1).

Lemma D_mulmx m k p (X : 'M[F]_(m, k)) (Y : 'M[F]_(k, p)) :
  map_mx D (X *m Y) = map_mx D X *m Y + X *m map_mx D Y.
Proof.
apply/matrixP => i j; rewrite !mxE (der_sum dD) -big_split /=; apply: eq_bigr => l _.
by rewrite (der_leib dD) !mxE.
Qed.

(* T57: neither d nor h need be differentiated, and P need not be normalised. *)
Theorem T57_average_reward_gradient d h : stationary d -> poisson d h ->
  D (gain d) = \sum_s d 0 s * \sum_a D (pi s a) * differential_Q d h s a.
Proof.
case=> dM d1 ph.
have eq1 : map_mx D h + map_mx D (gain d *: one) = map_mx D (rpi r pi) + (map_mx D M *m h + M *m map_mx D h).
  rewrite -D_mulmx; have add (X Y : 'cV[F]_n) : map_mx D X + map_mx D Y = map_mx D (X + Y).
    by apply/colP => s; rewrite !mxE (der_add dD).
  by rewrite !add ph.
have eq2 : D (gain d) *: one = map_mx D (rpi r pi) + map_mx D M *m h + (M *m map_mx D h - map_mx D h).
  have -> : D (gain d) *: one = map_mx D (gain d *: one) by apply/colP => s; rewrite !mxE !mulr1.
  by apply: (addrI (map_mx D h)); rewrite eq1 [RHS]addrC -!addrA addNr addr0 addrA.
have := congr1 (fun X : 'cV_n => (d *m X) 0 0) eq2.
rewrite mulmxDr mulmxBr mulmxA dM subrr addr0 -scalemxAr d1 [LHS]mxE [X in _ * X = _]mxE eqxx mulr1 => ->.
rewrite [LHS]mxE; apply: eq_bigr => s _; congr (_ * _).
have Dpi1 : \sum_a D (pi s a) = 0 by rewrite -(der_sum dD) pi1 (der1 dD).
rewrite (eq_bigr (fun a => D (pi s a) * r a s 0 + D (pi s a) * (P a *m h) s 0 - D (pi s a) * gain d)); last first.
  by move=> a _; rewrite /differential_Q; move: ((P a *m h) s 0) (gain d) => u v; ring.
rewrite sumrB -mulr_suml Dpi1 mul0r subr0 big_split /= mxE; congr (_ + _).
  by rewrite !mxE (der_sum dD); apply: eq_bigr => a _; rewrite (der_leib dD) Dr mulr0 addr0.
rewrite mxE; under eq_bigr => s' _ do rewrite 2!mxE (der_sum dD) mulr_suml.
rewrite exchange_big /=; apply: eq_bigr => a _; rewrite mxE mulr_sumr; apply: eq_bigr => s' _.
by rewrite (der_leib dD) DP mulr0 addr0 mulrA.
Qed.

(* The deviation matrix. U is invertible if d is the only stationary law (lemma below). *)
Variable d : 'rV[F]_n.
Hypotheses (sd : stationary d) (M1 : M *m one = one).
Let U : 'M[F]_n := 1%:M - M + one *m d.
Hypothesis unitU : U \in unitmx.
Definition deviation : 'M[F]_n := invmx (1%:M - M + one *m d) - one *m d.

Lemma U_one : U *m one = one.
Proof. by rewrite mulmxDl mulmxBl mul1mx M1 subrr add0r -mulmxA (proj2 sd) mulmx1. Qed.
Lemma d_U : d *m U = d.
Proof. by rewrite mulmxDr mulmxBr mulmx1 (proj1 sd) subrr add0r mulmxA (proj2 sd) mul1mx. Qed.

(* (I - P_pi) deviation = I - 1 d = deviation (I - P_pi) *)
Lemma deviation_left : (1%:M - M) *m deviation = 1%:M - one *m d.
Proof.
have -> : 1%:M - M = U - one *m d by rewrite addrK.
have dU : d *m invmx U = d by rewrite -{1}d_U mulmxK.
rewrite /deviation -/U mulmxBr !mulmxBl mulmxV // -!mulmxA dU (mulmxA U) U_one (mulmxA d) (proj2 sd) mul1mx.
by rewrite subrr subr0.
Qed.

Lemma deviation_right : deviation *m (1%:M - M) = 1%:M - one *m d.
Proof.
have -> : 1%:M - M = U - one *m d by rewrite addrK.
have Uo : invmx U *m one = one by rewrite -{1}U_one mulKmx.
rewrite /deviation -/U mulmxBl !mulmxBr mulVmx // (mulmxA (invmx U)) Uo -!mulmxA d_U (mulmxA d) (proj2 sd) mul1mx.
by rewrite subrr subr0.
Qed.

(* T57: h = deviation r_pi solves the Poisson equation, so that the theorem above has its h, *)
Theorem T57_deviation_poisson : poisson d (deviation *m rpi r pi).
Proof.
have E : deviation *m rpi r pi - M *m (deviation *m rpi r pi) = rpi r pi - gain d *: one.
  rewrite -{1}[deviation *m rpi r pi]mul1mx -mulmxBl mulmxA deviation_left mulmxBl mul1mx -mulmxA; congr (_ - _).
  by apply/colP => s; rewrite mxE big_ord1 [X in X * _]mxE mul1r [RHS]mxE [X in _ * X]mxE mulr1.
by rewrite /poisson; move/eqP: E; rewrite subr_eq => /eqP {1}->; rewrite addrAC subrK.
Qed.

(* normalised by d h = 0. *)
Lemma deviation_centred : d *m (deviation *m rpi r pi) = 0.
Proof.
have dU : d *m invmx U = d by rewrite -{1}d_U mulmxK.
by rewrite mulmxA /deviation -/U mulmxBr dU mulmxA (proj2 sd) mul1mx subrr mul0mx.
Qed.

(* T57: the derivative of the stationary law itself, for a law that is stationary for every theta *)
Theorem T57_stationary_derivative : map_mx D d *m one = 0 ->
  map_mx D d = map_mx D d *m M + d *m map_mx D M -> map_mx D d = d *m map_mx D M *m deviation.
Proof.
move=> Dd1 /eqP; rewrite addrC -subr_eq -{1}[map_mx D d]mulmx1 -mulmxBr => /eqP E.
by rewrite -[in RHS]E -mulmxA deviation_left mulmxBr mulmx1 mulmxA Dd1 mul0mx subr0.
Qed.
End Average.

(* a law that is the only solution of its equations makes the matrix of the deviation invertible *)
Lemma deviation_invertible (F : fieldType) (n : nat) (A : finType) (P : A -> 'M[F]_n) pi (d : 'rV[F]_n)
    (one := const_mx 1 : 'cV[F]_n) : Ppi P pi *m one = one -> d *m one = 1%:M ->
  (forall x : 'rV_n, x *m Ppi P pi = x -> x *m one = 0 -> x = 0) ->
  1%:M - Ppi P pi + one *m d \in unitmx.
Proof.
move=> M1 d1 only; rewrite -row_free_unit -kermx_eq0; apply/eqP/row_matrixP => i; rewrite row0.
set x := row i _; have xU : x *m (1%:M - Ppi P pi + one *m d) = 0 by rewrite /x -row_mul mulmx_ker row0.
have x1 : x *m one = 0.
  have := congr1 (mulmx^~ one) xU; rewrite mul0mx -mulmxA mulmxDl mulmxBl mul1mx M1 subrr add0r.
  by rewrite -mulmxA d1 mulmx1.
have xM : x *m (1%:M - Ppi P pi) = 0 by move: xU; rewrite mulmxDr mulmxA x1 mul0mx addr0.
by apply: only => //; apply/eqP; rewrite eq_sym -subr_eq0 -{1}[x]mulmx1 -mulmxBr xM.
Qed.
