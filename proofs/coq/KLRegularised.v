(* The best law under a reward minus beta KL to a reference is the Gibbs law, and what the reward then is (T62).
   Source: Ziebart (2010); Rafailov et al. (2023), equations 4-6 (direct preference optimisation). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import ExpLog KullbackLeibler.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Gibbs.
Variables (F : realFieldType) (ex ln : F -> F) (A : finType).
Hypothesis el : explog ex ln.
Variables (ref rew : A -> F) (beta : F).
Hypotheses (ref0 : forall a, 0 <= ref a) (b0 : 0 < beta).

Definition regularised (p : A -> F) := (\sum_a p a * rew a) - beta * KL ln p ref.
Definition partition := \sum_a ref a * ex (rew a / beta).
Definition gibbs a := ref a * ex (rew a / beta) / partition.

Lemma partition_gt0 a : 0 < ref a -> 0 < partition.
Proof.
move=> ra; rewrite /partition (bigD1 a) //= ltr_spaddl ?mulr_gt0 ?(ex_gt0 el) //.
by apply: sumr_ge0 => b _; rewrite mulr_ge0 // ltW // (ex_gt0 el).
Qed.

Lemma law_support p : law p -> dominated p ref -> exists a, 0 < ref a.
Proof.
case=> p0 p1 pr; case: (pickP (fun a => 0 < ref a)) => [a|none]; first by exists a.
have := p1; rewrite big1 => [/eqP|a _]; first by rewrite eq_sym oner_eq0.
by apply: pr; case: (pos_or_0 (ref0 a)) => // ra; move: (none a); rewrite ra.
Qed.

Lemma gibbs_law a : 0 < ref a -> law gibbs.
Proof.
move=> ra; have Z0 := partition_gt0 ra; split=> [b|].
  by rewrite /gibbs !mulr_ge0 // ?invr_ge0 ?(ltW Z0) // ltW // (ex_gt0 el).
by rewrite -mulr_suml divff // lt0r_neq0.
Qed.

Lemma gibbs_dominated : dominated gibbs ref.
Proof. by move=> a ra; rewrite /gibbs ra !mul0r. Qed.

Lemma dominated_gibbs p : 0 < partition -> dominated p ref -> dominated p gibbs.
Proof.
move=> Z0 pr a /eqP; rewrite /gibbs !mulf_eq0 invr_eq0 (gt_eqF Z0) (gt_eqF (ex_gt0 el _)) !orbF.
by move/eqP/pr.
Qed.

Lemma ln_gibbs a : 0 < ref a -> ln (gibbs a) = ln (ref a) + rew a / beta - ln partition.
Proof.
move=> ra; have Z0 := partition_gt0 ra.
by rewrite /gibbs (ln_div el) ?mulr_gt0 ?(ex_gt0 el) // (lnM el) ?(ex_gt0 el) // (exK el).
Qed.

(* T62: what a law p loses against beta log Z is beta times its divergence from the Gibbs law. *)
Theorem T62_gibbs_gap p : law p -> dominated p ref ->
  regularised p = beta * ln partition - beta * KL ln p gibbs.
Proof.
move=> lp pr; have [p0 p1] := lp.
rewrite -[beta * ln partition]mul1r -p1 mulr_suml /regularised /KL !mulr_sumr -!sumrB.
apply: eq_bigr => a _; case: (pos_or_0 (p0 a)) => [->|pa]; first by rewrite !mul0r mulr0.
have ra := dominated_gt0 ref0 pr pa; have Z0 := partition_gt0 ra.
have ga : 0 < gibbs a by rewrite /gibbs !mulr_gt0 ?invr_gt0 // (ex_gt0 el).
rewrite (ln_div el pa ra) (ln_div el pa ga) ln_gibbs //; move: (ln _) (ln _) (ln _) => u v w.
by field; exact: lt0r_neq0.
Qed.

(* T62: the Gibbs law is the optimum, and the only one. ref need not be positive, nor sum to one. *)
Theorem T62_kl_regularised_optimum p : law p -> dominated p ref ->
  [/\ law gibbs, dominated gibbs ref, regularised p <= regularised gibbs
    & regularised p = regularised gibbs -> p =1 gibbs].
Proof.
move=> lp pr; have [a0 ra] := law_support lp pr; have lg := gibbs_law ra; have Z0 := partition_gt0 ra.
have Jg : regularised gibbs = beta * ln partition.
  by rewrite (T62_gibbs_gap lg gibbs_dominated) (KL_refl el (proj1 lg)) mulr0 subr0.
have pg := dominated_gibbs Z0 pr; split=> //; first exact: gibbs_dominated.
  by rewrite Jg T62_gibbs_gap // ler_subl_addr ler_addl mulr_ge0 ?(ltW b0) // (KL_ge0 el).
rewrite Jg T62_gibbs_gap // => /eqP; rewrite -subr_eq0 addrAC subrr add0r oppr_eq0 mulf_eq0 (gt_eqF b0).
by move/eqP/(KL_eq0 el lp lg pg).
Qed.

(* T62, the identity of direct preference optimisation: the reward is beta log(gibbs / ref) + beta log Z, *)
Theorem T62_dpo_reward a : 0 < ref a ->
  rew a = beta * ln (gibbs a / ref a) + beta * ln partition.
Proof.
move=> ra; have Z0 := partition_gt0 ra.
have ga : 0 < gibbs a by rewrite /gibbs !mulr_gt0 ?invr_gt0 // (ex_gt0 el).
rewrite (ln_div el ga ra) ln_gibbs //; move: (ln _) (ln _) => u v.
by field; exact: lt0r_neq0.
Qed.

(* and log Z drops out of the preference of Bradley and Terry. *)
Theorem T62_dpo_preference a b : 0 < ref a -> 0 < ref b ->
  ex (rew a) / (ex (rew a) + ex (rew b)) =
  (1 + ex (- (beta * ln (gibbs a / ref a) - beta * ln (gibbs b / ref b))))^-1.
Proof.
move=> ra rb; have -> : beta * ln (gibbs a / ref a) - beta * ln (gibbs b / ref b) = rew a - rew b.
  by rewrite (T62_dpo_reward ra) (T62_dpo_reward rb); ring.
rewrite opprB (exD el) (exN el).
have := ex_gt0 el (rew a); have := ex_gt0 el (rew b).
move: (ex _) (ex _) => u v u0 v0; field; rewrite !lt0r_neq0 ?addr_gt0 //.
Qed.
End Gibbs.

(* T62: every positive law is the optimum of the reward that it implies, which is what such a method trains. *)
Theorem T62_dpo_implicit_reward (F : realFieldType) (ex ln : F -> F) (A : finType) (ref p : A -> F) (beta : F) :
  explog ex ln -> (forall a, 0 < ref a) -> 0 < beta -> (forall a, 0 < p a) -> \sum_a p a = 1 ->
  gibbs ex ref (fun a => beta * ln (p a / ref a)) beta =1 p.
Proof.
move=> el r0 b0 p0 p1 a.
have t b : ref b * ex (beta * ln (p b / ref b) / beta) = p b.
  rewrite mulrAC divff ?lt0r_neq0 // mul1r (lnK el) ?divr_gt0 // mulrC divfK //.
  exact: lt0r_neq0.
by rewrite /gibbs /partition t (eq_bigr p) ?p1 ?divr1.
Qed.
