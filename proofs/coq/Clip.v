(* The clipped surrogate of PPO never exceeds the unclipped one and meets it where no ratio is clipped (T55).
   Source: Schulman, Wolski, Dhariwal, Radford, Klimov (2017), section 3. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Clip.
Variables (F : realFieldType) (eps : F).
Definition clip w := Num.max (1 - eps) (Num.min w (1 + eps)).
(* one term: ratio w = pi / pi_old, advantage adv *)
Definition clipped w adv := Num.min (w * adv) (clip w * adv).

Variables (W : finType) (p w adv : W -> F).
Definition surrogate := \sum_x p x * (w x * adv x).
Definition clipped_surrogate := \sum_x p x * clipped (w x) (adv x).

Lemma clip_id v : `|v - 1| <= eps -> clip v = v.
Proof.
rewrite ler_distl => /andP [lo hi].
by rewrite /clip (min_idPl hi); exact/max_idPr.
Qed.

(* T55: p are the probabilities of the old policy; the ratios may be anything for the bound, negative ones included. *)
Theorem T55_clip_lower_bound : (forall x, 0 <= p x) ->
  clipped_surrogate <= surrogate /\
  ((forall x, `|w x - 1| <= eps) -> clipped_surrogate = surrogate).
Proof.
move=> p0; split; first by apply: ler_sum => x _; rewrite ler_wpmul2l // /clipped le_minl lexx.
by move=> near; apply: eq_bigr => x _; rewrite /clipped clip_id // minxx.
Qed.

(* at the old policy every ratio is one, whatever eps >= 0 *)
Corollary clip_tight_at_one : 0 <= eps -> (forall x, w x = 1) -> clipped_surrogate = surrogate.
Proof.
move=> e0 w1; apply: eq_bigr => x _.
by rewrite /clipped clip_id ?minxx // w1 subrr normr0.
Qed.

(* the form that programs often use: only one side is clipped, by the sign of the advantage *)
Lemma clipped_by_sign v a : 0 <= eps ->
  clipped v a = (if 0 <= a then Num.min v (1 + eps) else Num.max (1 - eps) v) * a.
Proof.
move=> e0; rewrite /clipped /clip.
have e1 : 1 - eps <= 1 + eps by rewrite ler_add2l -subr_ge0 opprK addr_ge0.
case: (lerP 0 a) => a0.
  rewrite -minr_pmull //; congr (_ * _).
  case: (lerP v (1 - eps)) => [h|h].
    have h1 := le_trans h e1.
    by rewrite (min_idPl h1) (max_idPl h) (min_idPl h).
  case: (lerP v (1 + eps)) => [h1|h1]; first by rewrite (max_idPr (ltW h)) minxx.
  by rewrite (max_idPr e1) (min_idPr (ltW h1)).
rewrite -maxr_nmull ?ltW //; congr (_ * _).
case: (lerP v (1 + eps)) => [h1|h1].
  by rewrite maxCA maxxx.
rewrite (max_idPr e1) (max_idPl (ltW h1)); apply/esym/max_idPr.
exact: (le_trans e1 (ltW h1)).
Qed.
End Clip.
