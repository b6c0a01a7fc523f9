(* Compatible function approximation: a critic that is fitted along the score may stand in the place of Q (T38).
   Source: Sutton, McAllester, Singh, Mansour (1999), theorem 2. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation Discounted DiscountedPolicyGradient.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Section Compatible.
Variables (R : comUnitRingType) (n : nat) (A : finType) (P : A -> 'M[R]_n) (r : A -> 'cV[R]_n) (gam : R).
Variables (D : R -> R) (dD : derivation D) (pi sc : 'I_n -> A -> R).
Hypotheses (DP : forall a s s', D (P a s s') = 0) (Dr : forall a s, D (r a s 0) = 0) (Dgam : D gam = 0)
  (U : Tpi P gam pi \in unitmx) (scE : forall s a, D (pi s a) = pi s a * sc s a).

(* T38: f need not be linear in the score; that the error Q - f has no component along it is enough. *)
Theorem T38_compatible_gradient (mu : 'rV[R]_n) (f : 'I_n -> A -> R) : (forall s, D (mu 0 s) = 0) ->
  \sum_s occupancy P gam pi mu 0 s * (\sum_a pi s a * (Q P r gam pi s a - f s a) * sc s a) = 0 ->
  D ((mu *m V P r gam pi) 0 0) = \sum_s occupancy P gam pi mu 0 s * \sum_a D (pi s a) * f s a.
Proof.
move=> Dmu fit; rewrite (T15_policy_gradient_occupancy dD) //; apply/eqP; rewrite -subr_eq0 -sumrB -[X in _ == X]fit.
apply/eqP/eq_bigr => s _; rewrite -mulrBr -sumrB; congr (_ * _); apply: eq_bigr => a _.
by rewrite scE; ring.
Qed.
End Compatible.

(* A linear critic with the least squared error satisfies the condition of T38; the weights m = d pi may have any sign. *)
Section LeastSquares.
Variables (F : realFieldType) (K X : finType) (m q : X -> F) (sc : K -> X -> F).
Definition critic (w : K -> F) x := \sum_k w k * sc k x.
Definition squared_error w := \sum_x m x * (q x - critic w x) ^+ 2.

Lemma least_squares_stationary w : (forall w', squared_error w <= squared_error w') ->
  forall k, \sum_x m x * (q x - critic w x) * sc k x = 0.
Proof.
move=> least k; set G := \sum_x _; pose H := \sum_x m x * sc k x ^+ 2.
pose h := `|H| + 1; have h0 : 0 < h by rewrite ltr_paddl.
pose t := G / h; pose w' j := w j + t * (j == k)%:R.
have critic' x : critic w' x = critic w x + t * sc k x.
  rewrite /critic /w' (eq_bigr (fun j => w j * sc j x + t * ((j == k)%:R * sc j x))) => [|j _]; last by ring.
  rewrite big_split -mulr_sumr /=; congr (_ + _ * _).
  by rewrite (bigD1 k) //= eqxx mul1r big1 ?addr0 // => j /negbTE ->; rewrite mul0r.
have E : squared_error w' = squared_error w + (t ^+ 2 * H - 2%:R * t * G).
  rewrite /squared_error /G /H !mulr_sumr -sumrB -big_split; apply: eq_bigr => x _ /=.
  by rewrite critic'; ring.
have := least w'; rewrite E ler_addl => le; apply/eqP; move: le; apply: contraTT => G0.
rewrite -ltNge.
have -> : t ^+ 2 * H - 2%:R * t * G = (G / h) ^+ 2 * (H - 2%:R * h).
  by rewrite /t; move: (h) (lt0r_neq0 h0) => u u0; field.
rewrite pmulr_rlt0; last by rewrite lt_neqAle sqr_ge0 eq_sym expf_neq0 // mulf_neq0 // invr_neq0 // lt0r_neq0.
rewrite subr_lt0; apply: (le_lt_trans (ler_norm H)).
rewrite mulrDl mul1r; apply: (@lt_le_trans _ _ h); first by rewrite /h ltr_addl ltr01.
by rewrite ler_addl ltW.
Qed.
End LeastSquares.
