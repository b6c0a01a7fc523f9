(* False variants of T38 (compatible function approximation), refuted on one state and two actions over dual numbers.
   In each comment: the place that is changed, then the left side against the right one. *)
From mathcomp Require Import all_ssreflect all_algebra.
From PG Require Import Derivation Discounted CompatibleApproximation.
From PG Require Import mutants.Rationals mutants.Instances mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

(* the assumptions of T38, but for that on f *)
Definition compatible_premises n (A : finType) (P : A -> 'M[dual]_n) (r : A -> 'cV[dual]_n) gam pi sc (mu : 'rV[dual]_n) :=
  (forall a s s', D (P a s s') = 0) /\ (forall a s, D (r a s 0) = 0) /\ D gam = 0 /\ Tpi P gam pi \in unitmx /\
  (forall s a, D (pi s a) = pi s a * sc s a) /\ (forall s, D (mu 0 s) = 0).

(* action true, played with probability 1/3 + eps, earns 1, action false 0; both stay: V = 2/3 + 2 eps, Q = 4/3 + eps, 1/3 + eps *)
Definition stay (_ : bool) : dual := 1.
Definition win (a : bool) : dual := a%:R.
Definition third (a : bool) : dual := if a then Dual (1 / 3%:R) 1 else Dual (2%:R / 3%:R) (- 1).
Definition sc (_ : 'I_1) (a : bool) : dual := Dual 0 (if a then 3%:R else - (3%:R / 2%:R)).

Lemma premises_hold : compatible_premises (P1 stay) (r1 win) half (pi1 third) sc 1%:M.
Proof.
have real a : D (win a) = 0 by move: a; by_cases.
split=> [a s s'|]; first by rewrite (ord1 s) (ord1 s') mxE eqxx; apply/eqP; vm_compute.
split=> [a s|]; first by rewrite (ord1 s) mxE eqxx mulr1n real.
split; first by apply/eqP; vm_compute.
split; first by rewrite Tpi1 -scalemx1 unitmxZ ?unitmx1 // /kept twoE; vm_compute.
by split=> [s|s]; [by_cases | rewrite (ord1 s) mxE eqxx; apply/eqP; vm_compute].
Qed.

(* the start instead of the visits: f = Q. 2 eps against 1 eps. *)
Lemma T38_mutant_visits : ~ (forall n (A : finType) (P : A -> 'M[dual]_n) r gam pi sc mu f, compatible_premises P r gam pi sc mu ->
  \sum_s occupancy P gam pi mu 0 s * (\sum_a pi s a * (Q P r gam pi s a - f s a) * sc s a) = 0 ->
  D ((mu *m V P r gam pi) 0 0) = \sum_s mu 0 s * \sum_a D (pi s a) * f s a).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ (Q (P1 stay) (r1 win) half (pi1 third)) premises_hold) H.
suff : D ((1%:M *m V (P1 stay) (r1 win) half (pi1 third)) 0 0) =
    \sum_s (1%:M : 'rV[dual]_1) 0 s * \sum_a D (pi1 third s a) * Q (P1 stay) (r1 win) half (pi1 third) s a.
  rewrite J1 big_ord1 mxE eqxx !twoE /two !Q1 /kept; differ (Dual 0 2%:R) (Dual 0 1).
by apply: H; apply: big1 => s _; rewrite big1 ?mulr0 // => a _; rewrite subrr mulr0 mul0r.
Qed.

(* the score left out of the condition: a critic that is right in the mean, f = V. 2 eps against 0. *)
Lemma T38_mutant_score : ~ (forall n (A : finType) (P : A -> 'M[dual]_n) r gam pi sc mu f, compatible_premises P r gam pi sc mu ->
  \sum_s occupancy P gam pi mu 0 s * (\sum_a pi s a * (Q P r gam pi s a - f s a)) = 0 ->
  D ((mu *m V P r gam pi) 0 0) = \sum_s occupancy P gam pi mu 0 s * \sum_a D (pi s a) * f s a).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ (fun _ _ => Dual (2%:R / 3%:R) 2%:R) premises_hold) H.
suff : D ((1%:M *m V (P1 stay) (r1 win) half (pi1 third)) 0 0) =
    \sum_s occupancy (P1 stay) half (pi1 third) 1%:M 0 s * \sum_a D (pi1 third s a) * Dual (2%:R / 3%:R) 2%:R.
  rewrite J1 big_ord1 occupancy1 /kept; differ (Dual 0 2%:R) (Dual 0 0).
by apply: H; rewrite big_ord1 occupancy1 !twoE /two !Q1 /kept; write_out; apply/eqP; vm_compute.
Qed.

(* the policy left out of the condition, f fitted with equal weights of the actions: f = Q - 1, Q - 2. 2 eps against 4 eps. *)
Lemma T38_mutant_policy : ~ (forall n (A : finType) (P : A -> 'M[dual]_n) r gam pi sc mu f, compatible_premises P r gam pi sc mu ->
  \sum_s occupancy P gam pi mu 0 s * (\sum_a (Q P r gam pi s a - f s a) * sc s a) = 0 ->
  D ((mu *m V P r gam pi) 0 0) = \sum_s occupancy P gam pi mu 0 s * \sum_a D (pi s a) * f s a).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ (fun _ a => if a then Dual (1 / 3%:R) 1 else Dual (- (5%:R / 3%:R)) 1) premises_hold) H.
suff : D ((1%:M *m V (P1 stay) (r1 win) half (pi1 third)) 0 0) = \sum_s occupancy (P1 stay) half (pi1 third) 1%:M 0 s *
    \sum_a D (pi1 third s a) * (if a then Dual (1 / 3%:R) 1 else Dual (- (5%:R / 3%:R)) 1).
  rewrite J1 big_ord1 occupancy1 /kept; differ (Dual 0 2%:R) (Dual 0 4%:R).
by apply: H; rewrite big_ord1 occupancy1 !twoE /two !Q1 /kept; write_out; apply/eqP; vm_compute.
Qed.
