(* False variants of the theorems on draws: T42 (leave-one-out), T43 (moments), T44 (batch mean), T45 (baselines), T46 (all actions instead
   of one), T60 (off-policy returns), refuted by computation. Source: hand-made; what each leaves out or replaces stands above it. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix rat.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Variance BatchVariance StateBaseline FiniteHorizon Trajectories Reinforce OffPolicyReturns LeaveOneOut Policy RaoBlackwell.
From PG Require Import mutants.Rationals mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* Variants of T43 (moments), T44 (batch mean), T45 (baselines) and T60 (off-policy returns), by computation.
   Source: hand-made; what each leaves out stands above it. *)

Local Notation Q := rat.
Definition half : Q := 2%:R^-1.
Definition fair (_ : bool) : Q := half.
Definition win (b : bool) : Q := b%:R.
Definition sign (b : bool) : Q := if b then 1 else -1.
Definition one_way (_ _ : unit) : Q := 1.
Definition stay (_ _ _ : unit) : Q := 1.

(* T44: the division by n left out *)
Lemma T44_mutant_factor : ~ (forall (W : finType) (p : W -> Q) n (X : W -> Q), \sum_w p w = 1 -> n%:R != 0 :> Q ->
  Var (prodp (fun _ : 'I_n => p)) (fun w => (\sum_i X (w i)) / n%:R) = Var p X).
Proof.
move=> H; have p1 : \sum_b fair b = 1 by rewrite sum_bool.
have := H _ fair 2%N win p1 isT; rewrite (T44_batch_mean_variance _ p1) // /Var /E !sum_bool.
refuted.
Qed.

(* T44: weights that do not sum to one *)
Lemma T44_mutant_mass : ~ (forall (W : finType) (p : W -> Q) n (X : W -> Q), n%:R != 0 :> Q ->
  Var (prodp (fun _ : 'I_n => p)) (fun w => (\sum_i X (w i)) / n%:R) = Var p X / n%:R).
Proof.
move=> H; have := H _ (fun _ : unit => 2%:R) 2%N (fun _ => 1) isT.
have E2 c : E (prodp (fun (_ : 'I_2) (_ : unit) => 2%:R : Q)) (fun _ => c) = 4%:R * c.
  rewrite /E -mulr_suml; congr (_ * _); rewrite /prodp -(bigA_distr_bigA (fun _ _ => 2%:R)) /=.
  by rewrite !big_ord_recl big_ord0 !sum_unit.
rewrite {1}/Var (eq_E _ (Y := fun _ => (1 - 4%:R) ^+ 2)) => [|w]; last by rewrite sumr_const card_ord E2.
rewrite E2 /Var /E !sum_unit; refuted.
Qed.

Section Moments.
Variables (S A : finType) (P : S -> A -> S -> Q) (r : S -> A -> Q) (gam : Q) (pi sc1 sc2 : S -> A -> Q).
(* the moments of T43 without the binomial coefficients, and with the return that follows not discounted *)
Fixpoint unweighted n p q k s : Q :=
  if n is m.+1 then
    \sum_a pi s a * \sum_(i < p.+1) \sum_(j < q.+1) \sum_(l < k.+1)
      (sc1 s a ^+ (p - i) * sc2 s a ^+ (q - j) * r s a ^+ (k - l) * gam ^+ l) * (\sum_s' P s a s' * unweighted m i j l s')
  else (p + q + k == 0)%N%:R.
Fixpoint undiscounted n p q k s : Q :=
  if n is m.+1 then
    \sum_a pi s a * \sum_(i < p.+1) \sum_(j < q.+1) \sum_(l < k.+1) ('C(p, i) * 'C(q, j) * 'C(k, l))%:R *
      (sc1 s a ^+ (p - i) * sc2 s a ^+ (q - j) * r s a ^+ (k - l)) * (\sum_s' P s a s' * undiscounted m i j l s')
  else (p + q + k == 0)%N%:R.
End Moments.

Local Notation one := one_way.

(* two steps of the second moment *)
Lemma T43_mutant_binomial : ~ (forall (S A : finType) (P : S -> A -> S -> Q) r gam pi sc1 sc2 n p q k s,
  Etraj P pi n s (fun t => score sc1 s t ^+ p * score sc2 s t ^+ q * ret r gam s t ^+ k) = unweighted P r gam pi sc1 sc2 n p q k s).
Proof.
move=> H; have := H _ _ stay one half one one one 2%N 0%N 0%N 2%N tt.
pose m n k := unweighted stay one half one one one n 0 0 k tt.
have step n k : m n.+1 k = \sum_(l < k.+1) half ^+ l * m n l.
  rewrite /m /= sum_unit !big_ord1 mul1r; apply: eq_bigr => l _; rewrite sum_unit.
  by rewrite ?(bin0, expr1n, mul1r, mulr1, addr0, expr0, subn0, muln1, mul1n).
have last l : m 1%N l = 1.
  by rewrite step big_ord_recl big1 => [|i _]; rewrite /m /= ?(mulr0, addr0, mulr1, expr0, bin0).
rewrite !EtrajS !sum_unit !EtrajS !sum_unit !Etraj0 -/(m _ _) step.
rewrite !big_ord_recl big_ord0 !last /=; refuted.
Qed.

(* two steps of the mean *)
Lemma T43_mutant_discount : ~ (forall (S A : finType) (P : S -> A -> S -> Q) r gam pi sc1 sc2 n p q k s,
  Etraj P pi n s (fun t => score sc1 s t ^+ p * score sc2 s t ^+ q * ret r gam s t ^+ k) = undiscounted P r pi sc1 sc2 n p q k s).
Proof.
move=> H; have := H _ _ stay one half one one one 2%N 0%N 0%N 1%N tt.
pose m n k := undiscounted stay one one one one n 0 0 k tt.
have step n k : m n.+1 k = \sum_(l < k.+1) 'C(k, l)%:R * m n l.
  rewrite /m /= sum_unit !big_ord1 mul1r; apply: eq_bigr => l _; rewrite sum_unit.
  by rewrite ?(bin0, expr1n, mul1r, mulr1, addr0, expr0, subn0, muln1, mul1n).
have last l : m 1%N l = 1.
  by rewrite step big_ord_recl big1 => [|i _]; rewrite /m /= ?(mulr0, addr0, mulr1, expr0, bin0).
rewrite !EtrajS !sum_unit !EtrajS !sum_unit !Etraj0 -/(m _ _) step.
rewrite !big_ord_recl big_ord0 !last /=; refuted.
Qed.

Section Baselines.
Let st (_ : bool) := tt.
Let g (_ : unit) := sign.

(* the sign of the excess turned *)
Lemma T45_mutant_sign : ~ (forall (W S I : finType) (p : W -> Q) (st : W -> S) (g : I -> W -> Q) (G : W -> Q) b,
  (forall i s, \sum_(w | st w == s) p w * g i w = 0) ->
  (forall s, score_mass p st g s = 0 -> return_mass p st g G s = 0) ->
  total_variance p st g G b = total_variance p st g G (best_state_baseline p st g G) -
    \sum_s score_mass p st g s * (b s - best_state_baseline p st g G s) ^+ 2).
Proof.
move=> H; have all (f : bool -> Q) s : \sum_(w | st w == s) f w = f true + f false.
  by rewrite -sum_bool; apply: eq_bigl => w; case: s.
have g0 (i s : unit) : \sum_(w | st w == s) fair w * g i w = 0 by rewrite all.
have m1 (s : unit) : score_mass fair st g s = 1 by rewrite /score_mass all !sum_unit.
have := H _ _ _ fair st g win (fun=> 0) g0.
rewrite /total_variance /best_state_baseline !sum_unit m1 /Var /E !sum_bool /return_mass all !sum_unit => {}H.
have /H : forall s : unit, score_mass fair st g s = 0 ->
    fair true * g tt true ^+ 2 * win true + fair false * g tt true ^+ 2 * win false = 0 by move=> s; rewrite m1 => /eqP.
refuted.
Qed.

(* the mean of the score not zero in the state: then the baseline moves the mean too, and the formula is not the minimum *)
Lemma T45_mutant_score_mean : ~ (forall (W S I : finType) (p : W -> Q) (st : W -> S) (g : I -> W -> Q) (G : W -> Q) b,
  (forall w, 0 <= p w) ->
  total_variance p st g G (best_state_baseline p st g G) <= total_variance p st g G b).
Proof.
move=> H; have all (f : bool -> Q) s : \sum_(w | st w == s) f w = f true + f false.
  by rewrite -sum_bool; apply: eq_bigl => w; case: s.
have := H _ _ _ fair st (fun (_ : unit) b => 1 + win b) win (fun=> 2%:R) (fun=> isT).
rewrite /total_variance /best_state_baseline !sum_unit /Var /E !sum_bool /return_mass /score_mass !all !sum_unit => E.
by vm_compute in E.
Qed.
End Baselines.

Section OffPolicy.
(* T60: the target policy itself put where its reweighting by the truncated ratios belongs *)
Lemma T60_mutant_policy : ~ (forall (S A : finType) (P : S -> A -> S -> Q) r gam mu rho c W n s,
  (forall s a, \sum_s' P s a s' = 1) -> (forall s, \sum_a mu s a = 1) ->
  (forall s, W s = \sum_a mu s a * (r s a + gam * \sum_s' P s a s' * W s')) ->
  vtrace_mean P r gam mu rho c W n s = W s).
Proof.
move=> H; have a1 (s : unit) (a : bool) : \sum_(s' : unit) (1 : Q) = 1 by rewrite sum_unit.
have a2 (s : unit) : \sum_b fair b = 1 by rewrite sum_bool.
have a3 (s : unit) : half = \sum_a fair a * (win a + 0 * \sum_(s' : unit) 1 * half) by rewrite sum_bool !sum_unit.
have := H _ _ (fun _ _ _ => 1) (fun _ => win) 0 (fun _ => fair) (fun _ b => if b then 1 else half) (fun _ _ => 1)
  (fun _ => half) 1%N tt a1 a2 a3.
rewrite /vtrace_mean EtrajS !sum_bool !sum_unit !Etraj0; refuted.
Qed.

(* T60: traces that are not cut to mu c <= pi *)
Lemma T60_mutant_trace : ~ (forall (S A : finType) (P : S -> A -> S -> Q) r gam mu c pi (qf qs : S -> A -> Q) e n,
  (forall s a s', 0 <= P s a s') -> (forall s a, \sum_s' P s a s' = 1) -> 0 <= gam -> gam < 1 ->
  (forall s, \sum_a mu s a = 1) -> (forall s a, 0 <= c s a) -> (forall s a, 0 <= pi s a) -> (forall s, \sum_a pi s a = 1) ->
  (forall s a, qs s a = r s a + gam * \sum_s' P s a s' * \sum_b pi s' b * qs s' b) ->
  (forall s a, `|qf s a - qs s a| <= e) ->
  forall s a, `|retrace_mean P r gam mu pi c qf n s a - qs s a| <= gam * e).
Proof.
move=> H; have pos (s a s' : unit) : 0 <= stay s a s' by [].
have a1 (s a : unit) : \sum_s' stay s a s' = 1 by rewrite sum_unit.
have a2 (s : unit) : \sum_a one_way s a = 1 by rewrite sum_unit.
have a3 (s a : unit) : 0 = 0 + half * \sum_s' stay s a s' * \sum_b one_way s' b * 0 by rewrite !sum_unit !mulr0 addr0.
have a4 (s a : unit) : `|1 - 0| <= 1 :> Q by [].
have := H _ _ stay (fun _ _ => 0) half one_way (fun _ _ => 10%:R) one_way (fun _ _ => 1) (fun _ _ => 0) 1 1%N
  pos a1 isT isT a2 (fun _ _ => isT) (fun _ _ => isT) a2 a3 a4 tt tt.
rewrite /retrace_mean !sum_unit EtrajS !sum_unit Etraj0 /retrace /= /expected_error !sum_unit => E.
by vm_compute in E.
Qed.
End OffPolicy.

(* Variants of T42 (leave-one-out and group mean), on groups of two draws.
   In each comment: the place that is changed, then the left side against the right one. *)

(* a fair coin, scores 1 and -1, rewards 1 and 0: E[g R] = 1/2 *)
Definition even (_ : bool) : q := 1 / 2%:R.
Definition prize (b : bool) : q := b%:R.
Definition push (b : bool) : q := if b then 1 else -1.
Lemma even_sum : \sum_b even b = 1. Proof. by rewrite sum_bool; apply/eqP; vm_compute. Qed.
Lemma push_mean : E even push = 0. Proof. by rewrite /E sum_bool; apply/eqP; vm_compute. Qed.
Lemma own_mean : E even (fun x => push x * prize x) = 1 / 2%:R. Proof. by rewrite /E sum_bool; apply/eqP; vm_compute. Qed.
Lemma two_neq0 : 2%:R != 0 :> q. Proof. by vm_compute. Qed.

(* group mean: (n-1)/n became 1. 1/4 against 1/2. *)
Lemma T42_mutant_factor : ~ (forall (W : finType) (p g R : W -> q) n, \sum_w p w = 1 -> E p g = 0 -> n%:R != 0 :> q ->
  E (prodp (fun _ : 'I_n => p)) (leave_one_out g R (n := n)) = E p (fun x => g x * R x) /\
  E (prodp (fun _ : 'I_n => p)) (group_mean g R (n := n)) = E p (fun x => g x * R x)).
Proof.
move=> /(_ _ _ _ prize _ even_sum push_mean two_neq0) [_].
by rewrite (proj2 (T42_leave_one_out prize even_sum push_mean two_neq0)) own_mean; refuted.
Qed.

(* leave-one-out: shrunk by (n-1)/n as well. 1/2 against 1/4. *)
Lemma T42_mutant_shrunk : ~ (forall (W : finType) (p g R : W -> q) n, \sum_w p w = 1 -> E p g = 0 -> n%:R != 0 :> q ->
  E (prodp (fun _ : 'I_n => p)) (leave_one_out g R (n := n)) = n.-1%:R / n%:R * E p (fun x => g x * R x) /\
  E (prodp (fun _ : 'I_n => p)) (group_mean g R (n := n)) = n.-1%:R / n%:R * E p (fun x => g x * R x)).
Proof.
move=> /(_ _ _ _ prize _ even_sum push_mean two_neq0) [+ _].
by rewrite (proj1 (T42_leave_one_out prize even_sum push_mean two_neq0)) own_mean; refuted.
Qed.

(* without the assumption that the score has mean zero; one outcome, g = R = 1. 0 against 1. *)
Lemma T42_mutant_score_mean : ~ (forall (W : finType) (p g R : W -> q) n, \sum_w p w = 1 -> n%:R != 0 :> q ->
  E (prodp (fun _ : 'I_n => p)) (leave_one_out g R (n := n)) = E p (fun x => g x * R x) /\
  E (prodp (fun _ : 'I_n => p)) (group_mean g R (n := n)) = n.-1%:R / n%:R * E p (fun x => g x * R x)).
Proof.
pose one (_ : unit) : q := 1; have one_sum : \sum_u one u = 1 by rewrite sum_unit.
move=> /(_ _ one one one 2%N one_sum two_neq0) [+ _].
rewrite (eq_E _ (Y := fun _ => 0)) => [|w]; last first.
  by rewrite /leave_one_out big1 ?mul0r // => i _; rewrite sumr_const cardC1 card_ord divr1 subrr mulr0.
by rewrite (Ecst (prodp1 (fun=> one_sum))) /E sum_unit; refuted.
Qed.

(* Variants of T46 (all actions instead of one), on two states that are visited equally, with two actions.
   In each comment: the place that is changed, then the left side against the right one. *)

(* in state true 4 with probability 3/4, else 0; in state false 1 or -1 with probability 1/2 *)
Definition equal (_ : bool) : q := 1 / 2%:R.
Definition pi (s a : bool) : q := if s then (if a then 3%:R / 4%:R else 1 / 4%:R) else 1 / 2%:R.
Definition x (s a : bool) : q := if s then (if a then 4%:R else 0) else (if a then 1 else -1).
Lemma pi_policy : policy pi.
Proof. by split=> [[] []|s] //; rewrite sum_bool; case: s; apply/eqP; vm_compute. Qed.
Lemma sum_pairs (f : bool * bool -> q) : \sum_w f w = f (true, true) + f (true, false) + (f (false, true) + f (false, false)).
Proof. by rewrite (eq_bigr (fun w => f (w.1, w.2))) => [|[]//]; rewrite -(pair_bigA _ (fun s a => f (s, a))) /= !sum_bool. Qed.

(* the action drawn from the uniform law instead of pi. 3/2 against 1. *)
Lemma T46_mutant_policy : ~ (forall (S A : finType) (d : S -> q) (pi x : S -> A -> q), (forall s, 0 <= d s) -> policy pi ->
  E d (fun s => \sum_a pi s a * x s a) = E (fun w => d w.1 / #|A|%:R) (fun w => x w.1 w.2)).
Proof.
move=> /(_ _ _ equal _ x (fun=> isT) pi_policy); rewrite card_bool /E !sum_bool sum_pairs.
refuted.
Qed.

(* the inequality turned. 17/4 against 9/4. *)
Lemma T46_mutant_direction : ~ (forall (S A : finType) (d : S -> q) (pi x : S -> A -> q), (forall s, 0 <= d s) -> policy pi ->
  Var (fun w => d w.1 * pi w.1 w.2) (fun w => x w.1 w.2) <= Var d (fun s => \sum_a pi s a * x s a)).
Proof.
move=> /(_ _ _ equal _ x (fun=> isT) pi_policy); rewrite /Var /E !sum_pairs !sum_bool; by vm_compute.
Qed.

(* the variance within the states in the place of the whole. 9/4 against 2. *)
Lemma T46_mutant_within : ~ (forall (S A : finType) (d : S -> q) (pi x : S -> A -> q), (forall s, 0 <= d s) -> policy pi ->
  Var d (fun s => \sum_a pi s a * x s a) <= E d (fun s => Var (pi s) (x s))).
Proof.
move=> /(_ _ _ equal _ x (fun=> isT) pi_policy); rewrite /Var /E !sum_bool; by vm_compute.
Qed.
