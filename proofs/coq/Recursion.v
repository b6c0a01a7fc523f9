(* A gap that falls by a multiple of its square falls like 1/t (T49): the last step of the O(1/t) rates of policy gradients.
   Source: Mei, Xiao, Szepesvari, Schuurmans (2020), proof of theorem 4; Nesterov (2004), theorem 2.1.14. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Recursion.
Variables (F : realFieldType) (c : F) (gap : nat -> F) (c0 : 0 < c).

(* up to one time, from the steps before it *)
Lemma quadratic_recursion_until n : (forall t, (t < n)%N -> gap t.+1 <= gap t - c * gap t ^+ 2) -> c * gap n * n%:R <= 1.
Proof.
move=> step; suff H t : (t <= n)%N -> c * gap t * t%:R <= 1 by exact: H.
elim: t => [|t IH] tn; first by rewrite mulr0 ler01.
have {}IH := IH (ltnW tn); set y := c * gap t in IH *.
have yS : c * gap t.+1 <= y - y ^+ 2.
  have -> : y - y ^+ 2 = c * (gap t - c * gap t ^+ 2) by rewrite /y; ring.
  by rewrite ler_wpmul2l ?step // ltW.
apply: (@le_trans _ _ ((y - y ^+ 2) * t.+1%:R)); first by rewrite ler_wpmul2r ?ler0n.
have -> : (y - y ^+ 2) * t.+1%:R = y * t%:R * (1 - y) + (y - y ^+ 2).
  by rewrite [t.+1%:R]mulrSr; ring.
have [y1|y1] := lerP y 1.
  have y1' : 0 <= 1 - y by rewrite subr_ge0.
  apply: (@le_trans _ _ (1 * (1 - y) + (y - y ^+ 2))); first by rewrite ler_add2r ler_wpmul2r.
  have -> : 1 * (1 - y) + (y - y ^+ 2) = 1 - y ^+ 2 by ring.
  by rewrite ler_subl_addr ler_addl sqr_ge0.
have y0 : 0 <= y by rewrite ltW // (lt_trans ltr01).
have -> : y * t%:R * (1 - y) + (y - y ^+ 2) = - (y * t.+1%:R * (y - 1)).
  by rewrite [t.+1%:R]mulrSr; ring.
have y1' : 0 <= y - 1 by rewrite subr_ge0 ltW.
apply: (le_trans _ ler01); rewrite oppr_le0; apply: mulr_ge0 => //.
by apply: mulr_ge0 => //; exact: ler0n.
Qed.
End Recursion.

(* T49: the gaps need not be nonnegative, nor the first one small. *)
Theorem T49_quadratic_recursion (F : realFieldType) (c : F) (gap : nat -> F) : 0 < c ->
  (forall t, gap t.+1 <= gap t - c * gap t ^+ 2) ->
  forall t, gap t.+1 <= 1 / (c * t.+1%:R).
Proof.
move=> c0 step t; rewrite ler_pdivl_mulr ?mulr_gt0 ?ltr0Sn // mulrCA mulrA.
by apply: quadratic_recursion_until => // k _; exact: step.
Qed.
