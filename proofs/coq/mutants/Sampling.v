(* False variants of T43 (moments), T44 (batch mean), T45 (baselines) and T60 (off-policy returns), refuted by computation.
   Source: hand-made; what each leaves out stands above it. *)
From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Variance BatchVariance StateBaseline FiniteHorizon Trajectories Reinforce OffPolicyReturns.
From PG Require Import mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

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
