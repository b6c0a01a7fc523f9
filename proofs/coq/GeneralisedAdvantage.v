(* TD errors telescope (T26); generalised advantage estimation as an average of k-step advantages (T27) and backwards (T28).
   Source: Schulman, Moritz, Levine, Jordan, Abbeel (2016), section 3. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section GeneralisedAdvantage.
Variables (R : comRingType) (rew v : nat -> R) (gam lam : R).
Definition delta t := rew t + gam * v t.+1 - v t.
Definition nstep n t := (\sum_(i < n) gam ^+ i * rew (t + i)%N) + gam ^+ n * v (t + n)%N - v t.
Definition gae n t := \sum_(i < n) (gam * lam) ^+ i * delta (t + i)%N.

(* T26: n TD errors telescope to the n-step advantage. *)
Theorem T26_td_telescope n t : \sum_(i < n) gam ^+ i * delta (t + i)%N = nstep n t.
Proof.
elim: n => [|n IH]; first by rewrite /nstep !big_ord0 addn0 expr0; ring.
rewrite big_ord_recr IH /nstep big_ord_recr /= /delta addnS exprS; move: (\sum_(i < n) _) => u.
by ring.
Qed.

(* T27: GAE of n+1 steps is the average of the k-step advantages with weights (1 - lam) lam^(k-1), the rest on the last. *)
Theorem T27_gae_average n t :
  gae n.+1 t = (1 - lam) * (\sum_(i < n) lam ^+ i * nstep i.+1 t) + lam ^+ n * nstep n.+1 t.
Proof.
elim: n => [|n IH].
  by rewrite -T26_td_telescope /gae !big_ord_recl !big_ord0 !expr0; ring.
have gaeS : gae n.+2 t = gae n.+1 t + (gam * lam) ^+ n.+1 * delta (t + n.+1)%N.
  by rewrite /gae big_ord_recr.
have nS : nstep n.+2 t = nstep n.+1 t + gam ^+ n.+1 * delta (t + n.+1)%N.
  by rewrite -!T26_td_telescope big_ord_recr.
rewrite gaeS IH nS big_ord_recr /= exprMn; move: (\sum_(i < n) _) => u.
by rewrite !exprS; ring.
Qed.

(* T28: the backward recursion that programs use. *)
Theorem T28_gae_backward n t : gae n.+1 t = delta t + gam * lam * gae n t.+1.
Proof.
rewrite /gae big_ord_recl expr0 mul1r addn0 mulr_sumr; congr (_ + _); apply: eq_bigr => i _.
by rewrite lift0 exprS addSnnS mulrA.
Qed.
End GeneralisedAdvantage.
