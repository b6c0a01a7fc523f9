(* False variants of gradient domination (T47) and of the mismatch bound (T48), refuted in processes of one state.
   Source: hand-made; what each leaves out or replaces stands above it. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix rat.
From PG Require Import Discounted Policy DeterministicPolicy GradientDomination MismatchBound.
From PG Require Import mutants.Rationals mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* Variants of T47 (gradient domination), in a process of one state.
   Source: hand-made; what each leaves out stands above it. *)

Local Notation Q := rat.
(* a point mass on one of two actions, and a reward of one for "true" *)
Definition point (c b : bool) : Q := (b == c)%:R.
Definition win (b : bool) : Q := b%:R.
Definition always (b : bool) : Q := 1.

Lemma point_policy (n : nat) c : policy (fun (_ : 'I_n) => point c).
Proof. by split=> [s []|s]; rewrite ?sum_bool /point; case: c. Qed.
Lemma P1_ge0 (p : bool -> Q) : (forall b, 0 <= p b) -> forall a s s', 0 <= P1 p a s s'.
Proof. by move=> p0 a s s'; rewrite (ord1 s) (ord1 s') mxE eqxx mulr1n. Qed.
Lemma P1_sum (p : bool -> Q) : (forall b, p b <= 1) -> forall a s, \sum_s' P1 p a s s' <= 1.
Proof. by move=> p1 a s; rewrite big_ord1 (ord1 s) mxE eqxx mulr1n. Qed.
Lemma start_ge0 (m : Q) : 0 <= m -> forall s : 'I_1, 0 <= (m%:M : 'rV[Q]_1) 0 s.
Proof. by move=> m0 s; rewrite (ord1 s) mxE eqxx mulr1n. Qed.

Section Domination.
Let J (n : nat) P r gam (pi : 'I_n -> bool -> Q) (mu : 'rV_n) : Q := (mu *m V P r gam pi) 0 0.
Let gain n P r gam (pi : 'I_n -> bool -> Q) mu pb : Q :=
  \sum_s \sum_a (pb s a - pi s a) * direct_gradient P r gam pi mu s a.

Lemma gain1 (pb : 'I_1 -> bool -> Q) : gain (P1 always) (r1 win) 0 (pi1 (point false)) 1%:M pb = pb 0 true.
Proof.
have k1 : kept always 0 (point false) = 1 by rewrite /kept mul0r subr0.
rewrite /gain big_ord1 sum_bool /direct_gradient !occupancy1 !Q1 k1 invr1 !mul0r !addr0 !mul1r.
have -> : win false = 0 by [].
by rewrite mulr1 mulr0 addr0.
Qed.

(* the mismatch kappa left out: the start rho = 2 weighs twice the start mu = 1 *)
Lemma T47_mutant_mismatch : ~ (forall n (P : bool -> 'M[Q]_n) r gam (pi pi' : 'I_n -> bool -> Q) (rho mu : 'rV_n) kappa m,
  (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
  policy pi -> policy pi' -> (forall s, 0 <= rho 0 s) -> 0 <= kappa ->
  (forall pb, policy pb -> gain P r gam pi mu pb <= m) ->
  (forall s, occupancy P gam pi' rho 0 s <= kappa * occupancy P gam pi mu 0 s) ->
  J P r gam pi' rho - J P r gam pi rho <= m).
Proof.
move=> H; have := H 1%N (P1 always) (r1 win) 0 (pi1 (point false)) (pi1 (point true)) 2%:R%:M 1%:M 2%:R 1.
rewrite /J !J1 /kept !sum_bool /point /win /= => {}H; suff : false by []; move: H; apply=> //.
- exact: P1_ge0.
- exact: P1_sum.
- exact: point_policy.
- exact: point_policy.
- exact: start_ge0.
- move=> pb [p0 p1]; rewrite gain1 -(p1 0) sum_bool ler_addl; exact: p0.
- by move=> s; rewrite !(ord1 s) /occupancy !Tpi1 !invmx_scalar -!scalar_mxM !mxE /kept !sum_bool /point /always.
Qed.

(* the sign of the gain turned: pi - pb where it must be pb - pi *)
Lemma T47_mutant_sign : ~ (forall n (P : bool -> 'M[Q]_n) r gam (pi pi' : 'I_n -> bool -> Q) (rho mu : 'rV_n) kappa m,
  (forall a s s', 0 <= P a s s') -> (forall a s, \sum_s' P a s s' <= 1) -> 0 <= gam -> gam < 1 ->
  policy pi -> policy pi' -> (forall s, 0 <= rho 0 s) -> 0 <= kappa ->
  (forall pb, policy pb -> - gain P r gam pi mu pb <= m) ->
  (forall s, occupancy P gam pi' rho 0 s <= kappa * occupancy P gam pi mu 0 s) ->
  J P r gam pi' rho - J P r gam pi rho <= kappa * m).
Proof.
move=> H; have := H 1%N (P1 always) (r1 win) 0 (pi1 (point false)) (pi1 (point true)) 1%:M 1%:M 1 0.
rewrite /J !J1 /kept !sum_bool /point /win /= => {}H; suff : false by []; move: H; apply=> //.
- exact: P1_ge0.
- exact: P1_sum.
- exact: point_policy.
- exact: point_policy.
- exact: start_ge0.
- move=> pb [p0 p1]; rewrite gain1 oppr_le0; exact: p0.
- by move=> s; rewrite !(ord1 s) /occupancy !Tpi1 !invmx_scalar -!scalar_mxM !mxE /kept !sum_bool /point /always.
Qed.
End Domination.

(* Variants of T48 (the mismatch bound), in a process of one state and one action that ends at once, gamma = 1/2.
   In each comment: the place that is changed, then the left side against the right one. *)

(* the assumptions of T48 *)
Definition mismatch_premises n (A : finType) (P : A -> 'M[q]_n) (gam : q) (pi pi' : 'I_n -> A -> q) (mu mu' : 'rV[q]_n) s :=
  (forall a s s', 0 <= P a s s') /\ (forall a s, \sum_s' P a s s' <= 1) /\ 0 <= gam /\ gam < 1 /\ policy pi /\ policy pi' /\
  (forall x, 0 <= mu 0 x) /\ (forall x, 0 <= mu' 0 x) /\ 0 < mu 0 s.

Definition half : q := 1 / 2%:R.
Definition over (_ : unit) : q := 0.
Definition only (_ : unit) : q := 1.

(* the policy starts with weight 1, the other one, which acts in the same way, with weight 2: their visits are 1/2 and 1 *)
Lemma premises_hold : mismatch_premises (P1 over) half (pi1 only) (pi1 only) 1%:M 2%:R%:M 0.
Proof.
have start (x : q) i : (x%:M : 'rV_1) 0 i = x by rewrite (ord1 i) mxE eqxx mulr1n.
have only_policy : policy (pi1 only : 'I_1 -> unit -> q) by split=> [s a|s] //; rewrite sum_unit.
split=> [a s s'|]; first by rewrite (ord1 s) (ord1 s') mxE eqxx mulr1n.
split=> [a s|]; first by rewrite big_ord1 (ord1 s) mxE eqxx mulr1n.
split; first by []. split; first by []. split=> //; split=> //.
split=> [x|]; first by rewrite start ltW.
by split=> [x|]; rewrite start // ltW.
Qed.
Lemma visits (m : q) : (1 - half) * occupancy (P1 over) half (pi1 only) m%:M 0 0 = half * m.
Proof.
rewrite occupancy1 /kept sum_unit; have -> : (1 - half * (only tt * over tt))^-1 = 1 by apply/eqP; vm_compute.
by rewrite mulr1; congr (_ * _); apply/eqP; vm_compute.
Qed.

(* 1 - gam left out. 2 against 1. *)
Lemma T48_mutant_factor : ~ (forall n (A : finType) (P : A -> 'M[q]_n) gam pi pi' mu mu' s, mismatch_premises P gam pi pi' mu mu' s ->
  ((1 - gam) * occupancy P gam pi' mu' 0 s) / ((1 - gam) * occupancy P gam pi mu 0 s)
    <= ((1 - gam) * occupancy P gam pi' mu' 0 s) / mu 0 s).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ _ premises_hold); rewrite !visits mxE eqxx mulr1n.
by have [-> ->] : half * 2%:R / (half * 1) = 2%:R /\ half * 2%:R / 1 = 1; [split; apply/eqP; vm_compute | vm_compute].
Qed.

(* the start mu of the policy became the start mu' of the other one. 2 against 1. *)
Lemma T48_mutant_start : ~ (forall n (A : finType) (P : A -> 'M[q]_n) gam pi pi' mu mu' s, mismatch_premises P gam pi pi' mu mu' s ->
  ((1 - gam) * occupancy P gam pi' mu' 0 s) / ((1 - gam) * occupancy P gam pi mu 0 s)
    <= ((1 - gam) * occupancy P gam pi' mu' 0 s) / ((1 - gam) * mu' 0 s)).
Proof.
move=> /(_ _ _ _ _ _ _ _ _ _ premises_hold); rewrite !visits mxE eqxx mulr1n.
by have [-> ->] : half * 2%:R / (half * 1) = 2%:R /\ half * 2%:R / ((1 - half) * 2%:R) = 1; [split; apply/eqP; vm_compute | vm_compute].
Qed.
