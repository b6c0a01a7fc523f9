(* All mixed moments of two coordinates of the score and of the return by one recursion over states (T43): the second
   moment, and so the covariance, of REINFORCE in closed form. Source: Bellman recursion for moments, Sobel (1982). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation FiniteHorizon Trajectories Reinforce.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory.
Local Open Scope ring_scope.

Section SecondMoment.
Variables (R : comRingType) (S A : finType) (P : S -> A -> S -> R) (r : S -> A -> R) (gam : R).
Variables (pi sc1 sc2 : S -> A -> R).
Local Notation Et := (Etraj P pi).
Local Notation score := (@score R S A).
Local Notation ret := (ret r gam).

(* E[score1^p score2^q return^k] with n steps to go, from the moments of no higher order with one step less *)
Fixpoint moment n p q k s : R :=
  if n is m.+1 then
    \sum_a pi s a * \sum_(i < p.+1) \sum_(j < q.+1) \sum_(l < k.+1)
      ('C(p, i) * 'C(q, j) * 'C(k, l))%:R *
      (sc1 s a ^+ (p - i) * sc2 s a ^+ (q - j) * r s a ^+ (k - l) * gam ^+ l) *
      (\sum_s' P s a s' * moment m i j l s')
  else (p + q + k == 0)%N%:R.

Lemma Etraj_sum (I : finType) n s (G : I -> seq (A * S) -> R) :
  Et n s (fun t => \sum_i G i t) = \sum_i Et n s (G i).
Proof. by rewrite /Etraj exchange_big; apply: eq_bigr => t _; rewrite mulr_sumr. Qed.

Lemma shuffle (x x' y y' z z' g a b c : R) :
  x * x' * a * (y * y' * b) * (z * (g * z') * c) = a * b * c * (x * y * z * g) * (x' * y' * z').
Proof. by ring. Qed.

(* T43: neither pi nor P need be normalised. *)
Theorem T43_moment_recursion n p q k s :
  Et n s (fun t => score sc1 s t ^+ p * score sc2 s t ^+ q * ret s t ^+ k) = moment n p q k s.
Proof.
elim: n p q k s => [|n IH] p q k s; first by rewrite Etraj0 /= !expr0n !addn_eq0 -!natrM !mulnb.
rewrite EtrajS; apply: eq_bigr => a _; congr (_ * _).
under [RHS]eq_bigr => i _ do under eq_bigr => j _ do under eq_bigr => l _ do rewrite mulr_sumr.
under [RHS]eq_bigr => i _ do under eq_bigr => j _ do rewrite exchange_big.
under [RHS]eq_bigr => i _ do rewrite exchange_big.
rewrite [RHS]exchange_big; apply: eq_bigr => s' _.
pose c (i : 'I_p.+1) (j : 'I_q.+1) (l : 'I_k.+1) := ('C(p, i) * 'C(q, j) * 'C(k, l))%:R *
      (sc1 s a ^+ (p - i) * sc2 s a ^+ (q - j) * r s a ^+ (k - l) * gam ^+ l).
rewrite (eq_Etraj P pi n s' (G := fun t => \sum_(i < p.+1) \sum_(j < q.+1) \sum_(l < k.+1) c i j l *
    (score sc1 s' t ^+ i * score sc2 s' t ^+ j * ret s' t ^+ l))); last first.
  move=> t /=; rewrite !exprDn mulr_suml mulr_suml; apply: eq_bigr => i _.
  rewrite [X in X * _]mulr_sumr mulr_suml; apply: eq_bigr => j _; rewrite mulr_sumr; apply: eq_bigr => l _.
  rewrite /c !natrM exprMn -[_ *+ 'C(p, i)]mulr_natr -[_ *+ 'C(q, j)]mulr_natr -[_ *+ 'C(k, l)]mulr_natr.
  exact: shuffle.
rewrite Etraj_sum mulr_sumr; apply: eq_bigr => i _; rewrite Etraj_sum mulr_sumr; apply: eq_bigr => j _.
rewrite Etraj_sum mulr_sumr; apply: eq_bigr => l _; rewrite EtrajZ IH /c.
exact: mulrCA.
Qed.

Variables (D1 D2 : R -> R) (dD1 : derivation D1) (dD2 : derivation D2).
Hypotheses (P1 : forall s a, \sum_s' P s a s' = 1) (pi1 : forall s, \sum_a pi s a = 1)
  (D1P : forall s a s', D1 (P s a s') = 0) (D2P : forall s a s', D2 (P s a s') = 0)
  (D1r : forall s a, D1 (r s a) = 0) (D2r : forall s a, D2 (r s a) = 0) (D1g : D1 gam = 0) (D2g : D2 gam = 0)
  (sc1E : forall s a, D1 (pi s a) = pi s a * sc1 s a) (sc2E : forall s a, D2 (pi s a) = pi s a * sc2 s a).

(* T43: entry (1, 2) of the covariance of REINFORCE; with D1 = D2 it is the variance. *)
Theorem T43_reinforce_covariance n s (g1 := fun t => score sc1 s t * ret s t) (g2 := fun t => score sc2 s t * ret s t) :
  Et n s (fun t => (g1 t - Et n s g1) * (g2 t - Et n s g2)) =
  moment n 1 1 2 s - D1 (V P r gam pi n s) * D2 (V P r gam pi n s).
Proof.
have mean1 := T10_reinforce_unbiased dD1 P1 D1P D1r D1g pi1 sc1E n s.
have mean2 := T10_reinforce_unbiased dD2 P1 D2P D2r D2g pi1 sc2E n s.
rewrite /g1 /g2 mean1 mean2; move: (D1 (V _ _ _ _ _ _)) (D2 (V _ _ _ _ _ _)) mean1 mean2 => u v mean1 mean2.
rewrite (eq_Etraj P pi n s (G := fun t => (score sc1 s t ^+ 1 * score sc2 s t ^+ 1 * ret s t ^+ 2
  + ((- v) * (score sc1 s t * ret s t) + (- u) * (score sc2 s t * ret s t))) + u * v)); last first.
  by move=> t; move: (score sc1 s t) (score sc2 s t) (ret s t) => x y z; ring.
rewrite !EtrajD !EtrajZ (Etrajcst P1) // T43_moment_recursion mean1 mean2.
by move: (moment _ _ _ _ _) => w; ring.
Qed.
End SecondMoment.
