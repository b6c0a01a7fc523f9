(* The Fisher matrix: applied to the advantage it gives the gradient of a tabular softmax (T39); it is positive semidefinite,
   and what it sends to zero are the shifts of a state's logits (T40). Source: Kakade (2001), theorem 1; Agarwal et al. (2021). *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation Discounted DiscountedPolicyGradient Softmax NaturalGradient.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* K the parameters, d the weights of the states, sc i s a the derivative of log pi(a|s) for parameter i *)
Definition fisher (R : comRingType) (S A K : finType) (d : S -> R) (pi : S -> A -> R) (sc : K -> S -> A -> R) i j :=
  \sum_s d s * \sum_a pi s a * (sc i s a * sc j s a).

(* scores of a tabular softmax, a logit for each state and action *)
Definition tabular_score (R : comRingType) (S A : finType) (pi : S -> A -> R) (i : S * A) s a : R :=
  (i.1 == s)%:R * ((i.2 == a)%:R - pi s i.2).

Section Products.
Variables (R : comRingType) (S A K : finType) (d : S -> R) (pi : S -> A -> R) (sc : K -> S -> A -> R).

Lemma fisher_apply w i :
  \sum_j fisher d pi sc i j * w j = \sum_s d s * \sum_a pi s a * sc i s a * (\sum_j w j * sc j s a).
Proof.
under eq_bigr => j _ do rewrite /fisher mulr_suml.
rewrite exchange_big; apply: eq_bigr => s _ /=.
under eq_bigr => j _ do rewrite -mulrA mulr_suml.
rewrite -mulr_sumr exchange_big; congr (_ * _); apply: eq_bigr => a _ /=.
by rewrite mulr_sumr; apply: eq_bigr => j _; ring.
Qed.

Lemma fisher_quadratic x :
  \sum_i \sum_j x i * fisher d pi sc i j * x j = \sum_s d s * \sum_a pi s a * (\sum_i x i * sc i s a) ^+ 2.
Proof.
transitivity (\sum_i x i * (\sum_s d s * \sum_a pi s a * sc i s a * (\sum_j x j * sc j s a))).
  apply: eq_bigr => i _; rewrite -fisher_apply mulr_sumr.
  by apply: eq_bigr => j _; rewrite mulrA.
under eq_bigr => i _ do rewrite mulr_sumr.
rewrite exchange_big; apply: eq_bigr => s _ /=.
rewrite (eq_bigr (fun i => d s * \sum_a x i * (pi s a * sc i s a * (\sum_j x j * sc j s a)))); last first.
  by move=> i _; rewrite mulrCA -[X in _ = _ * X]mulr_sumr.
rewrite -mulr_sumr exchange_big; congr (_ * _); apply: eq_bigr => a _ /=.
rewrite expr2 mulr_suml mulr_sumr; apply: eq_bigr => i _.
by move: (\sum_j _) => u; ring.
Qed.
End Products.

Section Tabular.
Variables (R : comRingType) (S A : finType) (d : S -> R) (pi : S -> A -> R).

Lemma tabular_score_sum (w : S * A -> R) s a :
  \sum_j w j * tabular_score pi j s a = w (s, a) - \sum_b pi s b * w (s, b).
Proof.
transitivity (\sum_s' \sum_b w (s', b) * tabular_score pi (s', b) s a).
  by rewrite pair_bigA; apply: eq_bigr; case.
rewrite (bigD1 s) //=.
rewrite [X in _ + X]big1 ?addr0 => [|s' /negbTE s's]; last first.
  by rewrite big1 // => b _; rewrite /tabular_score /= s's mul0r mulr0.
rewrite (eq_bigr (fun b => (b == a)%:R * w (s, b) - pi s b * w (s, b))); last first.
  by move=> b _; rewrite /tabular_score /= eqxx; move: (_ == _)%:R => u; rewrite mul1r; ring.
rewrite sumrB; congr (_ - _); rewrite (bigD1 a) //= eqxx mul1r big1 ?addr0 // => b /negbTE ->.
by rewrite mul0r.
Qed.

Hypothesis pi1 : forall s, \sum_a pi s a = 1.

Lemma tabular_fisher_apply (w : S * A -> R) s a :
  \sum_j fisher d pi (tabular_score pi) (s, a) j * w j = d s * (pi s a * (w (s, a) - \sum_b pi s b * w (s, b))).
Proof.
rewrite fisher_apply (bigD1 s) //= [X in _ + X]big1 ?addr0 => [|s' /negbTE ss']; last first.
  by rewrite big1 ?mulr0 // => b _; rewrite /tabular_score /= eq_sym ss' mul0r mulr0 mul0r.
congr (_ * _); set m := \sum_b pi s b * w (s, b).
transitivity (\sum_b ((a == b)%:R * (pi s b * (w (s, b) - m)) - pi s a * (pi s b * w (s, b) - m * pi s b))).
  by apply: eq_bigr => b _; rewrite tabular_score_sum -/m /tabular_score /= eqxx mul1r; move: (_ == _)%:R => u; ring.
rewrite sumrB -mulr_sumr sumrB -mulr_sumr pi1 -/m mulr1 subrr mulr0 subr0.
by rewrite (bigD1 a) //= eqxx mul1r big1 ?addr0 // => b; rewrite eq_sym => /negbTE ->; rewrite mul0r.
Qed.
End Tabular.

(* T39: the parameters are the logits th(s, a), D i the derivative for logit i, e = exp th. *)
Section Kakade.
Variables (R : comUnitRingType) (n : nat) (A : finType) (P : A -> 'M[R]_n) (r : A -> 'cV[R]_n) (gam : R) (mu : 'rV[R]_n).
Variables (D : 'I_n * A -> R -> R) (th e : 'I_n -> A -> R).
Definition softmax_policy s a := smx (e s) a.
Local Notation pi := softmax_policy.

Theorem T39_fisher_advantage :
  (forall i, derivation (D i)) -> (forall i a s s', D i (P a s s') = 0) -> (forall i a s, D i (r a s 0) = 0) ->
  (forall i, D i gam = 0) -> (forall i s, D i (mu 0 s) = 0) ->
  (forall i s a, D i (th s a) = (i == (s, a))%:R) -> (forall i s a, D i (e s a) = e s a * D i (th s a)) ->
  (forall s, Z (e s) \is a GRing.unit) -> Tpi P gam pi \in unitmx ->
  forall i, \sum_j fisher (fun s => occupancy P gam pi mu 0 s) pi (tabular_score pi) i j
              * (Q P r gam pi j.1 j.2 - V P r gam pi j.1 0)
            = D i ((mu *m V P r gam pi) 0 0).
Proof.
move=> dD DP Dr Dgam Dmu Dth De Z0 U [s a].
have pi1 x : \sum_b pi x b = 1 by exact: smx1.
rewrite (tabular_fisher_apply _ pi1 (fun j => Q P r gam pi j.1 j.2 - V P r gam pi j.1 0)) /=.
have -> : \sum_b pi s b * (Q P r gam pi s b - V P r gam pi s 0) = 0.
  under eq_bigr => b _ do rewrite mulrBr.
  by rewrite sumrB -mulr_suml pi1 mul1r (V_Q r s U) subrr.
rewrite subr0 (T15_policy_gradient_occupancy (dD _)) // (bigD1 s) //= [X in _ = _ + X]big1 ?addr0 => [|x /negbTE xs].
  congr (_ * _); rewrite (T23_softmax_covariance (dD _) (De _ s) (Z0 s)) (bigD1 a) //= [X in _ = _ + X]big1 ?addr0.
    by rewrite Dth eqxx mulr1 (V_Q r s U).
  by move=> b /negbTE ba; rewrite Dth xpair_eqE eqxx eq_sym ba mulr0.
rewrite (T23_softmax_covariance (dD _) (De _ x) (Z0 x)) big1 ?mulr0 // => b _.
by rewrite Dth xpair_eqE eq_sym xs mulr0.
Qed.
End Kakade.

(* T40: the Fisher matrix of any scores is positive semidefinite. For a tabular softmax that visits every state and plays every
   action, F x = 0 exactly if x(s, a) does not depend on a. *)
Theorem T40_fisher_kernel (F : realFieldType) (S A : finType) (d : S -> F) (pi : S -> A -> F) :
  (forall s, 0 <= d s) -> (forall s a, 0 <= pi s a) ->
  (forall (K : finType) (sc : K -> S -> A -> F) x, 0 <= \sum_i \sum_j x i * fisher d pi sc i j * x j) /\
  ((forall s, d s != 0) -> (forall s a, pi s a != 0) -> (forall s, \sum_a pi s a = 1) -> forall x,
   (forall i, \sum_j fisher d pi (tabular_score pi) i j * x j = 0) <-> (exists c, forall s a, x (s, a) = c s)).
Proof.
move=> d0 p0; split=> [K sc x|dn pn pi1 x].
  rewrite fisher_quadratic sumr_ge0 // => s _; rewrite mulr_ge0 // sumr_ge0 // => a _.
  by rewrite mulr_ge0 ?sqr_ge0.
split=> [zero|[c xc] [s a]].
  exists (fun s => \sum_b pi s b * x (s, b)) => s a; apply/eqP; rewrite -subr_eq0.
  have /eqP := zero (s, a); rewrite tabular_fisher_apply // !mulf_eq0 (negbTE (dn s)) (negbTE (pn s a)) /=.
  by [].
rewrite tabular_fisher_apply // xc (eq_bigr (fun b => pi s b * c s)) => [|b _]; last by rewrite xc.
by rewrite -mulr_suml pi1 mul1r subrr !mulr0.
Qed.
