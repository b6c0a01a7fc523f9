(* False variants of the theorems on values with n steps to go: T01 to T05, T30, T31, T58, T59. What a part is refuted on stands above it.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix poly rat.
From PG Require Import Derivation FiniteHorizon Policy OffPolicy PolicyGradient DroppedDiscount.
From PG Require Import mutants.Rationals mutants.Instances.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* Variants of T01 to T05, on the process of Instances. *)

(* for T01: x (n+1) = n + x n / 2 in both states *)
Fixpoint x0 n : dual := if n is m.+1 then m%:R + half * x0 m else 0.
Lemma x0_step n s : x0 n.+1 = n%:R + half * \sum_s' Ppi P0 pi0 s s' * x0 n.
Proof.
rewrite -mulr_suml; write_out.
have -> : Ppi2 P0 pi0 s true + Ppi2 P0 pi0 s false = 1 by apply/eqP; case: s; vm_compute.
by rewrite mul1r.
Qed.

(* T01: c (n - k.+1) s' became c (n - k) s'. 5/2 against 17/4. *)
Lemma T01_mutant_index :
  ~ (forall (P : bool -> bool -> bool -> dual) gam pi (c X : nat -> bool -> dual), (forall s, X 0%N s = 0) ->
     (forall n s, X n.+1 s = c n s + gam * \sum_s' Ppi P pi s s' * X n s') ->
     forall n s, X n s = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' * c (n - k)%N s').
Proof. move=> /(_ P0 half pi0 (fun n _ => n%:R) (fun n _ => x0 n) (fun=> erefl) x0_step 3%N true). differ (Dual (5%:R / 2%:R) 0) (Dual (17%:R / 4%:R) 0). Qed.

(* T01: the factor gam ^+ k dropped. 5/2 against 3. *)
Lemma T01_mutant_factor :
  ~ (forall (P : bool -> bool -> bool -> dual) gam pi (c X : nat -> bool -> dual), (forall s, X 0%N s = 0) ->
     (forall n s, X n.+1 s = c n s + gam * \sum_s' Ppi P pi s s' * X n s') ->
     forall n s, X n s = \sum_(k < n) \sum_s' reach P pi k s s' * c (n - k.+1)%N s').
Proof. move=> /(_ P0 half pi0 (fun n _ => n%:R) (fun n _ => x0 n) (fun=> erefl) x0_step 3%N true). differ (Dual (5%:R / 2%:R) 0) (Dual 3%:R 0). Qed.

(* T02: Q with n - k.+1 steps to go became Q with n - k. -23/12 eps against -271/144 eps. *)
Lemma T02_mutant_index :
  ~ (forall P r gam pi, fixed_model P r gam -> forall n s,
     D (V P r gam pi n s) = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' * \sum_a D (pi s' a) * Q P r gam pi (n - k) s' a).
Proof. move=> /(_ P0 r0 half pi0 fixed0 2%N true). differ (Dual 0 (- (23%:R / 12%:R))) (Dual 0 (- (271%:R / 144%:R))). Qed.

(* T02: the factor gam ^+ k dropped. -1/2 eps against -1 eps. *)
Lemma T02_mutant_factor :
  ~ (forall P r gam pi, fixed_model P r gam -> forall n s,
     D (V P r gam pi n s) = \sum_(k < n) \sum_s' reach P pi k s s' * \sum_a D (pi s' a) * Q P r gam pi (n - k.+1) s' a).
Proof. move=> /(_ P0 r0 half pi0 fixed0 2%N false). differ (Dual 0 (- (1 / 2%:R))) (Dual 0 (- 1)). Qed.

(* T03: the baseline b k s' became b k s' a, which depends on the action. -23/12 eps against -37/12 eps. *)
Lemma T03_mutant_action :
  ~ (forall P r gam pi, fixed_model P r gam -> normalised pi -> forall n s (b : nat -> bool -> bool -> dual),
     D (V P r gam pi n s) = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' * \sum_a D (pi s' a) * (Q P r gam pi (n - k.+1) s' a - b (k : nat) s' a)).
Proof. move=> /(_ P0 r0 half pi0 fixed0 normalised0 2%N true (fun _ _ a => a%:R)). differ (Dual 0 (- (23%:R / 12%:R))) (Dual 0 (- (37%:R / 12%:R))). Qed.

(* T03: without the assumption that pi sums to one. 3/2 eps against -1/4 eps. *)
Lemma T03_mutant_unnormalised :
  ~ (forall P r gam pi, fixed_model P r gam -> forall n s (b : nat -> bool -> dual),
     D (V P r gam pi n s) = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' * \sum_a D (pi s' a) * (Q P r gam pi (n - k.+1) s' a - b (k : nat) s')).
Proof. move=> /(_ P0 r0 half pi_unnormalised fixed0 2%N true (fun _ _ => 1)). differ (Dual 0 (3%:R / 2%:R)) (Dual 0 (- (1 / 4%:R))). Qed.

(* T04: the visits of the new policy, reach P pi', became those of the old one, reach P pi. 17/288 + 23/12 eps against 11/144 + 53/24 eps. *)
Lemma T04_mutant_visits :
  ~ (forall (P : bool -> bool -> bool -> dual) r gam pi pi', normalised pi' -> forall n s,
     V P r gam pi' n s - V P r gam pi n s = \sum_(k < n) gam ^+ k * \sum_s' reach P pi k s s' * \sum_a pi' s' a * (Q P r gam pi (n - k.+1) s' a - V P r gam pi (n - k.+1).+1 s')).
Proof. move=> /(_ P0 r0 half pi0 pi1 normalised1 2%N true). differ (Dual (17%:R / 288%:R) (23%:R / 12%:R)) (Dual (11%:R / 144%:R) (53%:R / 24%:R)). Qed.

(* T04: without the assumption that pi' sums to one. 37/36 + 41/12 eps against -1/8 + 143/72 eps. *)
Lemma T04_mutant_unnormalised :
  ~ (forall (P : bool -> bool -> bool -> dual) r gam pi pi', forall n s,
     V P r gam pi' n s - V P r gam pi n s = \sum_(k < n) gam ^+ k * \sum_s' reach P pi' k s s' * \sum_a pi' s' a * (Q P r gam pi (n - k.+1) s' a - V P r gam pi (n - k.+1).+1 s')).
Proof. move=> /(_ P0 r0 half pi0 pi_unnormalised 2%N true). differ (Dual (37%:R / 36%:R) (41%:R / 12%:R)) (Dual (- (1 / 8%:R)) (143%:R / 72%:R)). Qed.

(* T05: P' x a y - P x a y became P x a y - P' x a y. 211/144 - 1/3 eps against 221/144 + 1/3 eps. *)
Lemma T05_mutant_sign :
  ~ (forall (P P' : bool -> bool -> bool -> dual) r r' gam pi n s,
     V P' r' gam pi n s - V P r gam pi n s = \sum_(k < n) gam ^+ k * \sum_x reach P' pi k s x * \sum_a pi x a *
       (r' x a - r x a + gam * \sum_y (P x a y - P' x a y) * V P r gam pi (n - k.+1) y)).
Proof. move=> /(_ P0 P1 r0 r1 half pi0 2%N true). differ (Dual (211%:R / 144%:R) (- (1 / 3%:R))) (Dual (221%:R / 144%:R) (1 / 3%:R)). Qed.

(* T05: the visits in the new model, reach P', became those in the old one, reach P. 1447/864 - 13/48 eps against 2899/1728 - 25/96 eps. *)
Lemma T05_mutant_visits :
  ~ (forall (P P' : bool -> bool -> bool -> dual) r r' gam pi n s,
     V P' r' gam pi n s - V P r gam pi n s = \sum_(k < n) gam ^+ k * \sum_x reach P pi k s x * \sum_a pi x a *
       (r' x a - r x a + gam * \sum_y (P' x a y - P x a y) * V P r gam pi (n - k.+1) y)).
Proof. move=> /(_ P0 P1 r0 r1 half pi0 3%N true). differ (Dual (1447%:R / 864%:R) (- (13%:R / 48%:R))) (Dual (2899%:R / 1728%:R) (- (25%:R / 96%:R))). Qed.

(* Variants of policy improvement and of the bound of a value with n steps to go (T30, T31), on two states and two actions. *)

(* The process of T30: from both states to state false, where action true pays one; discount 1/2. The old policy plays true everywhere,
   the new one in state true alone: it is as good there at first, and careless later. *)
Definition to_false (s a s' : bool) : q := (~~ s')%:R.
Definition there (s a : bool) : q := (~~ s && a)%:R.
Definition gam0 : q := 1 / 2%:R.
Definition always (_ a : bool) : q := (a == true)%:R.
Definition never (_ a : bool) : q := (a == false)%:R.
Definition careless_later (s a : bool) : q := (a == s)%:R.

Ltac is_policy := split; [repeat case | case; rewrite twoE; apply/eqP]; by vm_compute.
Lemma policy_always : policy always. Proof. is_policy. Qed.
Lemma policy_never : policy never. Proof. is_policy. Qed.
Lemma policy_careless : policy careless_later. Proof. is_policy. Qed.
Lemma to_false_ge0 s a s' : 0 <= to_false s a s'. Proof. exact: ler0n. Qed.
Lemma no_advantage pi m s : \sum_a pi s a = 1 ->
  0 <= \sum_a pi s a * (Q to_false there gam0 pi m s a - V to_false there gam0 pi m.+1 s).
Proof. by move=> p1; under eq_bigr => a _ do rewrite mulrBr; rewrite sumrB -mulr_suml p1 mul1r subrr. Qed.

(* T30: the new policy in the mean of the advantages became the old one. 1/2 against 0. *)
Lemma T30_mutant_policy :
  ~ (forall (S A : finType) (P : S -> A -> S -> q) r gam, (forall s a s', 0 <= P s a s') -> 0 <= gam ->
     forall pi pi' n s, policy pi' ->
     (forall m x, 0 <= \sum_a pi x a * (Q P r gam pi m x a - V P r gam pi m.+1 x)) ->
     V P r gam pi n s <= V P r gam pi' n s).
Proof.
move=> /(_ _ _ _ there gam0 to_false_ge0 isT always never 2%N true policy_never) H.
have {H} := H (fun m x => no_advantage m (proj2 policy_always x)).
by rewrite !VE; vm_compute.
Qed.

(* T30: no negative advantage in the first state s alone, in place of every state x. 1/2 against 0. *)
Lemma T30_mutant_state :
  ~ (forall (S A : finType) (P : S -> A -> S -> q) r gam, (forall s a s', 0 <= P s a s') -> 0 <= gam ->
     forall pi pi' n s, policy pi' ->
     (forall m, 0 <= \sum_a pi' s a * (Q P r gam pi m s a - V P r gam pi m.+1 s)) ->
     V P r gam pi n s <= V P r gam pi' n s).
Proof.
move=> /(_ _ _ _ there gam0 to_false_ge0 isT always careless_later 2%N true policy_careless) H.
have {H} := H (fun m => no_advantage m (proj2 policy_always true)).
by rewrite !VE; vm_compute.
Qed.

(* The process of T31: every step pays one; states do not change. *)
Definition stay (s a s' : bool) : q := (s' == s)%:R.
Definition one (_ _ : bool) : q := 1.
Lemma stay_ge0 s a s' : 0 <= stay s a s'. Proof. exact: ler0n. Qed.
Lemma stay_sum s a : \sum_s' stay s a s' <= 1. Proof. by rewrite twoE; move: s a; repeat case; vm_compute. Qed.
Lemma one_bounded s a : `|one s a| <= 1. Proof. by vm_compute. Qed.

(* T31: n steps became n - 1 in the bound. 3/2 against 1. *)
Lemma T31_mutant_steps :
  ~ (forall (S A : finType) (P : S -> A -> S -> q) r gam, (forall s a s', 0 <= P s a s') -> 0 <= gam ->
     (forall s a, \sum_s' P s a s' <= 1) -> forall pi B n s, policy pi -> (forall s a, `|r s a| <= B) ->
     `|V P r gam pi n s| <= B * \sum_(k < n.-1) gam ^+ k).
Proof.
move=> /(_ _ _ _ one gam0 stay_ge0 isT stay_sum always 1 2%N true policy_always one_bounded).
by rewrite VE /= !big_ord_recl big_ord0; vm_compute.
Qed.

(* T31: the powers of gam start with one, not with zero. 3/2 against 3/4. *)
Lemma T31_mutant_power :
  ~ (forall (S A : finType) (P : S -> A -> S -> q) r gam, (forall s a s', 0 <= P s a s') -> 0 <= gam ->
     (forall s a, \sum_s' P s a s' <= 1) -> forall pi B n s, policy pi -> (forall s a, `|r s a| <= B) ->
     `|V P r gam pi n s| <= B * \sum_(k < n) gam ^+ k.+1).
Proof.
move=> /(_ _ _ _ one gam0 stay_ge0 isT stay_sum always 1 2%N true policy_always one_bounded).
by rewrite VE !big_ord_recl big_ord0; vm_compute.
Qed.

(* Variants of T59 (the off-policy gradient), on the process of Instances with all weight on state false.
   Source: hand-made, but for the first, which is theorem 1 of Degris, White, Sutton (2012). *)

Definition in_false (s : bool) : dual := (~~ s)%:R.
Lemma in_false0 s : D (in_false s) = 0. Proof. by case: s. Qed.

(* T59: the term of the next states left out, as the theorem was first published. -1/2 eps against 0. *)
Lemma T59_mutant_missing :
  ~ (forall P r gam pi (d : bool -> dual), fixed_model P r gam -> (forall s, D (d s) = 0) -> forall n,
     D (excursion P r gam d pi n.+1) = off_policy_gradient P r gam D d pi n).
Proof. move=> /(_ P0 r0 half pi0 in_false fixed0 in_false0 1%N); rewrite /excursion /off_policy_gradient. differ (Dual 0 (- (1 / 2%:R))) (Dual 0 0). Qed.

(* T59: the factor gam of the next states dropped. -1/2 eps against -1 eps. *)
Lemma T59_mutant_discount :
  ~ (forall P r gam pi (d : bool -> dual), fixed_model P r gam -> (forall s, D (d s) = 0) -> forall n,
     D (excursion P r gam d pi n.+1) = off_policy_gradient P r gam D d pi n + \sum_s d s * \sum_s' Ppi P pi s s' * D (V P r gam pi n s')).
Proof. move=> /(_ P0 r0 half pi0 in_false fixed0 in_false0 1%N); rewrite /excursion /off_policy_gradient. differ (Dual 0 (- (1 / 2%:R))) (Dual 0 (- 1)). Qed.

(* T59: the value of the next state became that of the state itself. -1/2 eps against 0. *)
Lemma T59_mutant_state :
  ~ (forall P r gam pi (d : bool -> dual), fixed_model P r gam -> (forall s, D (d s) = 0) -> forall n,
     D (excursion P r gam d pi n.+1) = off_policy_gradient P r gam D d pi n + gam * \sum_s d s * D (V P r gam pi n s)).
Proof. move=> /(_ P0 r0 half pi0 in_false fixed0 in_false0 1%N); rewrite /excursion /off_policy_gradient. differ (Dual 0 (- (1 / 2%:R))) (Dual 0 0). Qed.

(* Variants of T58 (without gam^t no gradient): the function of x and y whose gradient the changed field is, over polynomials.
   Source: hand-made; what each changes stands above it. *)

(* commuting derivations that have x and y as coordinates and gam as a constant: the assumptions of the theorem but one *)
Definition plane (R : comRingType) (gam x y : R) (Dx Dy : R -> R) :=
  [/\ derivation Dx, derivation Dy, forall f, Dx (Dy f) = Dy (Dx f), [/\ Dx x = 1, Dx y = 0, Dy x = 0 & Dy y = 1] & Dx gam = 0 /\ Dy gam = 0].
Definition gradient (R : Type) (Dx Dy : R -> R) (field : (R -> R) -> R) := exists J : R, Dx J = field Dx /\ Dy J = field Dy.

Local Notation R := [comRingType of {poly {poly rat}}].
Lemma plane_rational (gam : rat) : plane (gam%:P%:P : R) 'X 'X%:P along_x along_y.
Proof.
split; [exact: along_x_derivation | exact: along_y_derivation | exact: along_commute | exact: along_coordinates | exact: along_constant].
Qed.
Lemma one_neq0 : (1 : rat)%:P%:P != 0 :> R. Proof. by rewrite !polyC1 oner_neq0. Qed.
Lemma half_neq1 : (2%:R^-1 : rat)%:P%:P != 1 :> R. Proof. by rewrite -polyC1 (inj_eq polyC_inj) -polyC1 (inj_eq polyC_inj). Qed.

(* the discount that is excluded became 0: with gam = 1 the field is the gradient of x y *)
Lemma T58_mutant_excluded :
  ~ (forall (R : comRingType) (gam x y : R) Dx Dy, plane gam x y Dx Dy -> gam != 0 ->
     ~ gradient Dx Dy (fun D => dropped_discount_gradient (advance R) (prize R) gam D (two_coins x y) 2 false)).
Proof.
move=> /(_ _ _ _ _ _ _ (plane_rational 1) one_neq0); apply; exists ('X * 'X%:P).
by rewrite !followed_field ?polyC1 ?mul1r ?(der_leib along_x_derivation) ?(der_leib along_y_derivation);
  [| exact: along_y_derivation | exact: along_x_derivation].
Qed.

(* the weights gam^k stand again: the field is the gradient of the value *)
Lemma T58_mutant_weights :
  ~ (forall (R : comRingType) (gam x y : R) Dx Dy, plane gam x y Dx Dy -> gam != 1 ->
     ~ gradient Dx Dy (fun D => \sum_(k < 2) gam ^+ k * \sum_s' reach (advance R) (two_coins x y) k false s' *
         \sum_a D (two_coins x y s' a) * Q (advance R) (prize R) gam (two_coins x y) (2 - k.+1) s' a)).
Proof.
move=> /(_ _ _ _ _ _ _ (plane_rational 2%:R^-1) half_neq1); apply.
have constant D (b : bool) : derivation D -> D (b%:R : R) = 0 by move=> dD; case: b; [exact: (der1 dD) | exact: (der0 dD)].
have [xg yg] := along_constant 2%:R^-1.
exists (V (advance R) (prize R) (2%:R^-1)%:P%:P (two_coins 'X 'X%:P) 2 false); split.
  by apply: (T02_policy_gradient_finite along_x_derivation) => // *; exact/constant/along_x_derivation.
by apply: (T02_policy_gradient_finite along_y_derivation) => // *; exact/constant/along_y_derivation.
Qed.

Lemma one_step_field (R : comRingType) (gam x y : R) D : dropped_discount_gradient (advance R) (prize R) gam D (two_coins x y) 1 false = 0.
Proof.
rewrite /dropped_discount_gradient big_ord1 !big_bool /= ?big_bool /= /Q /= ?big_bool /= /prize /=.
by rewrite ?(mulr0, mul0r, addr0, add0r).
Qed.

(* one step to go instead of two: nothing can be won, and the field is the gradient of 0 *)
Lemma T58_mutant_horizon :
  ~ (forall (R : comRingType) (gam x y : R) Dx Dy, plane gam x y Dx Dy -> gam != 1 ->
     ~ gradient Dx Dy (fun D => dropped_discount_gradient (advance R) (prize R) gam D (two_coins x y) 1 false)).
Proof.
move=> /(_ _ _ _ _ _ _ (plane_rational 2%:R^-1) half_neq1); apply; exists 0.
by rewrite !one_step_field (der0 along_x_derivation) (der0 along_y_derivation).
Qed.
