(* False variants of the theorems on the Fisher matrix (T39, T40), and what they are refuted on: rational functions of two logits and their
   exponentials. Source: hand-made, but for the derivations, whose source stands above them. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix poly fraction.
From mathcomp.algebra_tactics Require Import ring.
From PG Require Import Derivation Discounted Softmax Fisher.
From PG Require Import mutants.Rationals mutants.OneState.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

(* Rational functions of two logits and their exponentials, with the derivatives for each logit: what a softmax needs, over the
   rationals. Source: Kolchin (1973), chapter I: a derivation extends to polynomials by its value at X, and to fractions. *)

Section Polynomials.
Variables (R : comRingType) (d : R -> R) (dd : derivation d) (g : {poly R}).
(* the derivation that is d on R, with value g at X *)
Definition poly_der (p : {poly R}) : {poly R} := map_poly d p + p^`() * g.
Let map0 : d 0 = 0. Proof. exact: der0. Qed.
Lemma poly_derP : derivation poly_der.
Proof.
have mapD p s : map_poly d (p + s) = map_poly d p + map_poly d s.
  by apply/polyP => i; rewrite !(coefD, coef_map_id0) // (der_add dd).
have mapM p s : map_poly d (p * s) = p * map_poly d s + map_poly d p * s.
  apply/polyP => i; rewrite coefD coef_map_id0 // !coefM (der_sum dd) -big_split; apply: eq_bigr => j _.
  by rewrite !coef_map_id0 // (der_leib dd) addrC.
split=> p s; rewrite /poly_der ?derivD ?derivM ?mapD ?mapM; ring.
Qed.
Lemma poly_der_C c : poly_der c%:P = (d c)%:P.
Proof. by rewrite /poly_der derivC mul0r addr0; apply/polyP => i; rewrite coef_map_id0 // !coefC; case: eqP. Qed.
Lemma poly_der_X : poly_der 'X = g.
Proof.
rewrite /poly_der derivX mul1r [X in X + _](_ : _ = 0) ?add0r //; apply/polyP => i.
by rewrite coef_map_id0 // coefX coef0; case: eqP => _; rewrite ?(der1 dd) ?map0.
Qed.
End Polynomials.

(* the rules for quotients, between numbers *)
Lemma quotient_add (F : fieldType) (a b c e da db dc de : F) : b != 0 -> e != 0 ->
  ((da * e + a * de + (dc * b + c * db)) * (b * e) - (a * e + c * b) * (db * e + b * de)) / (b * e) ^+ 2 =
  (da * b - a * db) / b ^+ 2 + (dc * e - c * de) / e ^+ 2.
Proof. by move=> b0 e0; field; rewrite b0 e0. Qed.
Lemma quotient_mul (F : fieldType) (a b c e da db dc de : F) : b != 0 -> e != 0 ->
  ((da * c + a * dc) * (b * e) - (a * c) * (db * e + b * de)) / (b * e) ^+ 2 =
  (da * b - a * db) / b ^+ 2 * (c / e) + a / b * ((dc * e - c * de) / e ^+ 2).
Proof. by move=> b0 e0; field; rewrite b0 e0. Qed.

Section Fractions.
Variables (R : idomainType) (d : R -> R) (dd : derivation d).
Local Notation K := {fraction R}.
Local Notation "x %:F" := (@FracField.tofrac R x).
Definition num (x : K) := \n_(repr x).
Definition den (x : K) := \d_(repr x).
Lemma den_neq0 x : (den x)%:F != 0. Proof. by rewrite tofrac_eq0 denom_ratioP. Qed.
Lemma num_den x : x = (num x)%:F / (den x)%:F.
Proof.
suff E : x * (den x)%:F = (num x)%:F by rewrite -E mulfK ?den_neq0.
rewrite /den /num; unlock FracField.tofrac.
rewrite -[x in LHS]reprK -[LHS]FracField.pi_mul; apply/eqmodP => /=.
rewrite FracField.equivfE /FracField.mulf !numden_Ratio ?oner_neq0 ?mulf_neq0 ?denom_ratioP ?oner_neq0 //.
by rewrite !mulr1 mulrC reprK.
Qed.
Definition frac_der x := (d (num x) * den x - num x * d (den x))%:F / (den x)%:F ^+ 2.
Lemma frac_derE a b : b != 0 -> frac_der (a%:F / b%:F) = (d a * b - a * d b)%:F / b%:F ^+ 2.
Proof.
move=> b0; set x := _ / _; have := num_den x; rewrite /x => /eqP.
have b0' : b%:F != 0 by rewrite tofrac_eq0.
rewrite eqr_div ?den_neq0 // -!tofracM tofrac_eq => /eqP E.
have := congr1 d E; rewrite !(der_leib dd) => E'.
apply/eqP; rewrite /frac_der eqr_div ?expf_neq0 ?den_neq0 // -!tofracX -!tofracM tofrac_eq -/x.
move: E E'; rewrite -/x; move: (num x) (den x) => n e; move: (d a) (d b) (d n) (d e) => da db dn de E0 E1.
rewrite -subr_eq0 [X in X == 0](_ : _ = (a * e - n * b) * (de * b + db * e) - e * b * (da * e + a * de - (dn * b + n * db))); last by ring.
by rewrite E0 E1 !subrr mul0r mulr0 subrr.
Qed.
Lemma frac_der_tofrac a : frac_der a%:F = (d a)%:F.
Proof.
rewrite -[a%:F]divr1 -[X in _ / X](tofrac1 R) frac_derE ?oner_neq0 // (der1 dd) mulr0 subr0 mulr1.
by rewrite tofrac1 expr1n divr1.
Qed.
Lemma frac_derP : derivation frac_der.
Proof.
split=> x y; rewrite (num_den x) (num_den y); have := den_neq0 y; have := den_neq0 x; rewrite !tofrac_eq0;
  move: (num x) (den x) (num y) (den y) => a b c e b0 e0; have bF : b%:F != 0 by rewrite tofrac_eq0.
- have eF : e%:F != 0 by rewrite tofrac_eq0.
  rewrite addf_div // -!tofracM -tofracD !frac_derE ?mulf_neq0 // (der_add dd) !(der_leib dd).
  by rewrite !(tofracB, tofracD, tofracM) quotient_add.
have eF : e%:F != 0 by rewrite tofrac_eq0.
by rewrite mulf_div -!tofracM !frac_derE ?mulf_neq0 // !(der_leib dd) !(tofracB, tofracD, tofracM) quotient_mul.
Qed.
End Fractions.

(* One more element x whose derivatives are u + v x: over R it satisfies no equation x = c. The ring is left unnamed, so that
   nothing below unfolds it. *)
Definition extends (R R' : comRingType) (D : bool -> R -> R) (D' : bool -> R' -> R') (i : {rmorphism R -> R'}) :=
  (forall a, derivation (D' a)) /\ injective i /\ forall a c, D' a (i c) = i (D a c).
Lemma adjoin (R : idomainType) (D : bool -> R -> R) (u v : bool -> R) : (forall a, derivation (D a)) ->
  exists (R' : idomainType) (D' : bool -> R' -> R') (i : {rmorphism R -> R'}) (x : R'),
  [/\ extends D D' i, forall a, D' a x = i (u a) + i (v a) * x & forall c, x != i c].
Proof.
move=> dD; exists [idomainType of {poly R}], (fun a => poly_der (D a) ((u a)%:P + (v a)%:P * 'X)), [rmorphism of polyC], 'X.
split; [split=> [a|]; [exact: poly_derP|split=> [|a c]; [exact: polyC_inj|exact: poly_der_C]] | by move=> a; exact: poly_der_X |].
move=> c; apply/eqP => /(congr1 (fun p : {poly R} => p`_1)); rewrite coefX coefC /= => /eqP.
by rewrite oner_eq0.
Qed.
Lemma fractions (R : idomainType) (D : bool -> R -> R) : (forall a, derivation (D a)) ->
  exists (K : fieldType) (D' : bool -> K -> K) (i : {rmorphism R -> K}), extends D D' i.
Proof.
move=> dD; exists [fieldType of {fraction R}], (fun a => frac_der (D a)), [rmorphism of (@FracField.tofrac R)].
split=> [a|]; first exact: frac_derP.
by split=> [x y /eqP|a c]; [rewrite tofrac_eq => /eqP | exact: frac_der_tofrac].
Qed.

(* D a is the derivative for the logit th a, and e a is the exponential of th a *)
Definition logits (K : fieldType) (D : bool -> K -> K) (th e : bool -> K) (half : K) :=
  [/\ forall a, derivation (D a), forall a b, D a (th b) = (a == b)%:R & forall a b, D a (e b) = e b * D a (th b)] /\
  [/\ forall a, D a half = 0, half * 2%:R = 1, forall a, e a != 0, e true != e false & e true + e false != 0].

Lemma logits_exist : exists (K : fieldType) D th e half, @logits K D th e half.
Proof.
have d0 (a : bool) : derivation (fun _ : q => 0) by split=> x y; rewrite ?addr0 ?mul0r ?mulr0 ?addr0.
have [R1 [D1 [i1 [t [[d1 [_ c1]] Dt _]]]]] := adjoin (fun a => a%:R) (fun=> 0) d0.
have [R2 [D2 [i2 [f [[d2 [_ c2]] Df _]]]]] := adjoin (fun a => (~~ a)%:R) (fun=> 0) d1.
have [R3 [D3 [i3 [x [[d3 [j3 c3]] Dx nx]]]]] := adjoin (fun=> 0) (fun a => a%:R) d2.
have [R4 [D4 [i4 [y [[d4 [j4 c4]] Dy ny]]]]] := adjoin (fun=> 0) (fun a => (~~ a)%:R) d3.
have [K [D [i [d [j c]]]]] := fractions d4.
pose up z := i (i4 (i3 (i2 (i1 z)))).
exists K, D, (fun a => if a then i (i4 (i3 (i2 t))) else i (i4 (i3 f))), (fun a => if a then i (i4 x) else i y), (up (1 / 2%:R)).
split; split=> //.
- move=> a [] /=; rewrite !(c, c4, c3, c2) ?Dt ?Df !(rmorph0, rmorph_nat, mul0r, addr0); by case: a.
- move=> a [] /=; rewrite !(c, c4, c3, c2) ?Dt ?Df ?Dx ?Dy !(rmorph0, rmorphM, rmorphD, rmorph_nat, mul0r, add0r, addr0); case: a;
    by rewrite !(mul0r, mul1r, mulr0, mulr1).
- by move=> a; rewrite /up !(c, c4, c3, c2, c1) !rmorph0.
- have -> : 2%:R = up 2%:R by rewrite /up !rmorph_nat.
  by rewrite /up -!rmorphM (_ : 1 / 2%:R * 2%:R = 1 :> q) ?rmorph1 //; apply/eqP; vm_compute.
- by case; [rewrite -(rmorph0 i) (inj_eq j) -(rmorph0 i4) (inj_eq j4) -(rmorph0 i3) nx | rewrite -(rmorph0 i) (inj_eq j) -(rmorph0 i4) ny].
- by rewrite (inj_eq j) eq_sym ny.
by rewrite -rmorphD -(rmorph0 i) (inj_eq j) addrC addr_eq0 -rmorphN ny.
Qed.

(* Variants of T39 (Fisher matrix times advantage), on the rational functions of two logits and their exponentials; and of T40 (kernel of
   the Fisher matrix), on two states with two actions. Source: hand-made; what each leaves out or replaces stands above it. *)

(* the assumptions of T39 *)
Definition kakade_premises (K : fieldType) n (A : finType) (P : A -> 'M[K]_n) (r : A -> 'cV[K]_n) gam (mu : 'rV[K]_n)
    (D : 'I_n * A -> K -> K) (th e : 'I_n -> A -> K) :=
  [/\ forall i, derivation (D i), forall i a s s', D i (P a s s') = 0, forall i a s, D i (r a s 0) = 0 & forall i, D i gam = 0] /\
  [/\ forall i s, D i (mu 0 s) = 0, forall i s a, D i (th s a) = (i == (s, a))%:R & forall i s a, D i (e s a) = e s a * D i (th s a)] /\
  (forall s, Z (e s) \is a GRing.unit) /\ Tpi P gam (softmax_policy e) \in unitmx.

(* One state that ends at once; action true earns 1; gam = 1/2. With probabilities x and y the advantages are y and -x. *)
Section Kakade.
Variables (K : fieldType) (D : bool -> K -> K) (th e : bool -> K) (half : K) (sys : logits D th e half).
Definition win (a : bool) : K := a%:R.
Definition over (_ : bool) : K := 0.
Definition pi : 'I_1 -> bool -> K := softmax_policy (fun=> e).
Definition advantage (j : 'I_1 * bool) := Q (P1 over) (r1 win) half pi j.1 j.2 - V (P1 over) (r1 win) half pi j.1 0.
Let x := pi 0 true.
Let y := pi 0 false.

Lemma Ze : Z e \is a GRing.unit.
Proof. by case: sys => [_ [_ _ _ _ s0]]; rewrite unitfE /Z sum_bool. Qed.
Lemma keptE : kept over half (pi 0) = 1. Proof. by rewrite /kept sum_bool !mulr0 addr0 mulr0 subr0. Qed.
Lemma premises_hold : kakade_premises (P1 over) (r1 win) half 1%:M (fun i => D i.2) (fun=> th) (fun=> e).
Proof.
case: (sys) => [[dD Dth De] [Dhalf _ _ _ _]]; have nat i (b : bool) : D i b%:R = 0 by case: b; rewrite ?(der1 (dD i)) ?(der0 (dD i)).
split; [split=> // | split; [split=> // | split=> //]].
- by move=> i a s s'; rewrite (ord1 s) (ord1 s') mxE eqxx mulr1n (der0 (dD _)).
- by move=> i a s; rewrite (ord1 s) mxE eqxx mulr1n nat.
- by move=> i s; rewrite (ord1 s) mxE eqxx mulr1n (der1 (dD _)).
- by move=> [i b] s a /=; rewrite Dth (ord1 i) (ord1 s) xpair_eqE eqxx.
- by move=> s; exact: Ze.
by rewrite (Tpi1 over half (pi 0)) keptE unitmx1.
Qed.
Lemma pi_sum s : \sum_a pi s a = 1. Proof. exact: (smx1 Ze). Qed.
Lemma advantageE s a : advantage (s, a) = if a then y else - x.
Proof.
have xy : x + y = 1 by rewrite -(pi_sum 0) sum_bool.
rewrite /advantage /= (Q1 over win half (pi 0)) (V1 over win half (pi 0)) keptE invr1 !mul0r mulr0 addr0 mul1r sum_bool /win mulr1 mulr0 addr0.
by case: a; rewrite ?sub0r // -xy addrC addKr.
Qed.
Lemma mean_advantage s : \sum_a pi s a * advantage (s, a) = 0.
Proof. by rewrite sum_bool !advantageE (ord1 s) mulrN mulrC subrr. Qed.
Lemma gradient : D true ((1%:M *m V (P1 over) (r1 win) half pi) 0 0) = x * y.
Proof.
have [[dD Dth De] _] := sys.
rewrite (J1 over win half (pi 0)) keptE invr1 !mul1r sum_bool /win mulr1 mulr0 addr0.
rewrite (T22_softmax_score (dD true) (De true) Ze true) sum_bool !Dth /= mulr1 mulr0 addr0; congr (_ * _).
by rewrite -(pi_sum 0) sum_bool addrC addKr.
Qed.
Lemma xy_neq0 : x * y != 0.
Proof.
have [_ [_ _ e0 _ _]] := sys; have := Ze; rewrite unitfE => s0.
by rewrite mulf_neq0 // mulf_neq0 ?invr_neq0.
Qed.
Lemma weighted d : \sum_j fisher d pi (tabular_score pi) (0, true) j * advantage j = d 0 * (x * y).
Proof. by rewrite (tabular_fisher_apply d pi_sum advantage) mean_advantage subr0 advantageE. Qed.
Lemma equal_weights d c : \sum_j fisher d (fun _ _ => c) (tabular_score pi) (0, true) j * advantage j = d 0 * (c * (x ^+ 2 + y ^+ 2)).
Proof.
rewrite fisher_apply big_ord1; congr (_ * _).
rewrite (eq_bigr (fun a => c * (tabular_score pi (0, true) 0 a * advantage (0, a)))) => [|a _]; last first.
  by rewrite tabular_score_sum mean_advantage subr0 mulrA.
have y1 : 1 - x = y by rewrite -(pi_sum 0) sum_bool addrC addKr.
rewrite -mulr_sumr sum_bool !advantageE /tabular_score /= -/x.
by rewrite !mul1r y1 sub0r mulrNN -!expr2 addrC.
Qed.
Lemma x_neq_y : x != y.
Proof.
have [_ [_ _ _ ne _]] := sys; apply: contra ne => /eqP E; apply/eqP; have := Ze; rewrite unitfE => s0.
by have := congr1 (fun z => z * Z e) E; rewrite !divfK.
Qed.
End Kakade.

(* the visits in the Fisher matrix normalised, those of the gradient not. x y / 2 against x y, 1/9 against 2/9 for x = 1/3. *)
Lemma T39_mutant_visits : ~ (forall (K : fieldType) n (A : finType) (P : A -> 'M[K]_n) r gam mu D th e, kakade_premises P r gam mu D th e ->
  forall i, \sum_j fisher (fun s => (1 - gam) * occupancy P gam (softmax_policy e) mu 0 s) (softmax_policy e) (tabular_score (softmax_policy e)) i j
      * (Q P r gam (softmax_policy e) j.1 j.2 - V P r gam (softmax_policy e) j.1 0)
    = D i ((mu *m V P r gam (softmax_policy e)) 0 0)).
Proof.
have [K [D [th [e [half sys]]]]] := logits_exist.
move=> /(_ _ _ _ _ _ _ _ _ _ _ (premises_hold sys) (0, true)) H.
have := etrans (esym (weighted sys _)) (etrans H (gradient sys)).
rewrite (occupancy1 (over K) half (pi e 0)) keptE invr1 !mulr1 => /eqP.
rewrite mulrBl mul1r -subr_eq0 addrAC subrr sub0r oppr_eq0 mulf_eq0 (negbTE (xy_neq0 sys)) orbF.
by have [_ [_ h _ _ _]] := sys; apply/negP/eqP => h0; move: h; rewrite h0 mul0r => /esym/eqP; rewrite oner_eq0.
Qed.

(* the actions in the Fisher matrix drawn from the uniform law. (x^2 + y^2) / 2 against x y, 5/18 against 2/9 for x = 1/3. *)
Lemma T39_mutant_policy : ~ (forall (K : fieldType) n (A : finType) (P : A -> 'M[K]_n) r gam mu D th e, kakade_premises P r gam mu D th e ->
  forall i, \sum_j fisher (fun s => occupancy P gam (softmax_policy e) mu 0 s) (fun _ _ => #|A|%:R^-1) (tabular_score (softmax_policy e)) i j
      * (Q P r gam (softmax_policy e) j.1 j.2 - V P r gam (softmax_policy e) j.1 0)
    = D i ((mu *m V P r gam (softmax_policy e)) 0 0)).
Proof.
have [K [D [th [e [half sys]]]]] := logits_exist.
move=> /(_ _ _ _ _ _ _ _ _ _ _ (premises_hold sys) (0, true)) H.
have := etrans (esym (equal_weights sys _ _)) (etrans H (gradient sys)).
rewrite (occupancy1 (over K) half (pi e 0)) keptE invr1 !mul1r card_bool.
have two0 : 2%:R != 0 :> K.
  by have [_ [_ h _ _ _]] := sys; apply/eqP => t0; move: h; rewrite t0 mulr0 => /esym/eqP; rewrite oner_eq0.
move/(congr1 (fun z => 2%:R * z)); rewrite mulVKf // mulr_natl => /eqP; rewrite -subr_eq0 addrAC -sqrrB expf_eq0 /=.
by rewrite subr_eq0 (negbTE (x_neq_y sys)).
Qed.

Definition once (_ : bool) : q := 1.
Definition fair (_ _ : bool) : q := 1 / 2%:R.
Lemma once_neq0 s : once s != 0. Proof. by []. Qed.
Lemma fair_neq0 s a : fair s a != 0. Proof. by vm_compute. Qed.
Lemma fair_sum s : \sum_a fair s a = 1. Proof. by rewrite sum_bool; apply/eqP; vm_compute. Qed.
(* F x = 0 for x(s, a) = c(s) *)
Lemma shifted (c : bool -> q) i : \sum_j fisher once fair (tabular_score fair) i j * c j.1 = 0.
Proof.
have [_ kernel] := @T40_fisher_kernel _ _ _ once fair (fun=> isT) (fun _ _ => isT).
by apply: (kernel once_neq0 fair_neq0 fair_sum (fun j => c j.1)).2; exists c.
Qed.

(* the kernel is zero alone, "the Fisher matrix is invertible"; x = 1 everywhere is sent to zero too. *)
Lemma T40_mutant_invertible : ~ (forall (S A : finType) (d : S -> q) (pi : S -> A -> q),
  (forall s, 0 <= d s) -> (forall s a, 0 <= pi s a) -> (forall s, d s != 0) -> (forall s a, pi s a != 0) ->
  (forall s, \sum_a pi s a = 1) -> forall x,
  (forall i, \sum_j fisher d pi (tabular_score pi) i j * x j = 0) <-> (forall s a, x (s, a) = 0)).
Proof.
move=> /(_ _ _ once fair (fun=> isT) (fun _ _ => isT) once_neq0 fair_neq0 fair_sum (fun=> 1)) [H _].
by have := H (shifted (fun=> 1)) true true; refuted.
Qed.

(* one constant for all states; x = 1 in state true and 0 in state false is sent to zero too. *)
Lemma T40_mutant_constant : ~ (forall (S A : finType) (d : S -> q) (pi : S -> A -> q),
  (forall s, 0 <= d s) -> (forall s a, 0 <= pi s a) -> (forall s, d s != 0) -> (forall s a, pi s a != 0) ->
  (forall s, \sum_a pi s a = 1) -> forall x,
  (forall i, \sum_j fisher d pi (tabular_score pi) i j * x j = 0) <-> (exists c, forall s a, x (s, a) = c)).
Proof.
move=> /(_ _ _ once fair (fun=> isT) (fun _ _ => isT) once_neq0 fair_neq0 fair_sum (fun i => i.1%:R)) [H _].
by have [c xc] := H (shifted (fun s => s%:R)); have := xc true true; rewrite -(xc false true); refuted.
Qed.

(* without the assumption that every action is played; the action that never is may have any logit. *)
Lemma T40_mutant_unplayed : ~ (forall (S A : finType) (d : S -> q) (pi : S -> A -> q),
  (forall s, 0 <= d s) -> (forall s a, 0 <= pi s a) -> (forall s, d s != 0) ->
  (forall s, \sum_a pi s a = 1) -> forall x,
  (forall i, \sum_j fisher d pi (tabular_score pi) i j * x j = 0) <-> (exists c, forall s a, x (s, a) = c s)).
Proof.
pose always (_ a : bool) : q := a%:R.
have always0 s a : 0 <= always s a by case: a.
have always1 s : \sum_a always s a = 1 by rewrite sum_bool.
move=> /(_ _ _ once always (fun=> isT) always0 once_neq0 always1 (fun i => (~~ i.2)%:R)) [H _].
suff /H [c xc] : forall i, \sum_j fisher once always (tabular_score always) i j * (~~ j.2)%:R = 0.
  by have := xc true true; rewrite -(xc true false); refuted.
case=> s a; rewrite (tabular_fisher_apply _ always1 (fun j => (~~ j.2)%:R)) sum_bool.
by case: a; apply/eqP; vm_compute.
Qed.

(* without the assumption that the states' weights are not negative; for a fair coin in a state of weight -1, x F x = -1/4. *)
Lemma T40_mutant_signed : ~ (forall (S A K : finType) (d : S -> q) (pi : S -> A -> q) (sc : K -> S -> A -> q) x,
  (forall s a, 0 <= pi s a) -> 0 <= \sum_i \sum_j x i * fisher d pi sc i j * x j).
Proof.
pose coin (_ : unit) (_ : bool) : q := 1 / 2%:R.
move=> /(_ _ _ _ (fun=> -1) coin (fun _ : unit => tabular_score coin (tt, true)) (fun=> 1) (fun _ _ => isT)).
by rewrite /fisher !sum_unit sum_bool [X in 0 <= X](_ : _ = - (1 / 4%:R)); [vm_compute | apply/eqP; vm_compute].
Qed.
