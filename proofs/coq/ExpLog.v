(* What the theorems on exp and log use of them, over any ordered field: 1 + x <= exp x, the addition law, and that
   log inverts exp. Everything else (monotone, log x <= x - 1, strict cases) follows here. RealExpLog.v has the instance. *)
From mathcomp Require Import all_ssreflect ssralg ssrnum zmodp matrix.
From mathcomp.algebra_tactics Require Import ring.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory Order.TTheory.
Local Open Scope ring_scope.

Record explog (F : realFieldType) (ex ln : F -> F) : Prop := ExpLog {
  ex_ge1D : forall x, 1 + x <= ex x;
  exD     : forall x y, ex (x + y) = ex x * ex y;
  exK     : forall x, ln (ex x) = x;
  lnK     : forall x, 0 < x -> ex (ln x) = x }.

Section ExpLog.
Variables (F : realFieldType) (ex ln : F -> F).
Hypothesis el : explog ex ln.

Lemma ex0 : ex 0 = 1.
Proof.
have e1 : 1 <= ex 0 by have := ex_ge1D el 0; rewrite addr0.
have := exD el 0 0; rewrite addr0 -{1}[ex 0]mulr1 => /mulfI -> //.
by rewrite gt_eqF // (lt_le_trans ltr01).
Qed.

Lemma ex_gt0 x : 0 < ex x.
Proof.
rewrite lt_neqAle eq_sym; apply/andP; split; last first.
  by rewrite (splitr x) (exD el) -expr2 sqr_ge0.
apply/eqP => e0; have := exD el x (- x); rewrite subrr ex0 e0 mul0r => /eqP.
by rewrite oner_eq0.
Qed.

Lemma exN x : ex (- x) = (ex x)^-1.
Proof.
apply: (mulfI (lt0r_neq0 (ex_gt0 x))); rewrite -(exD el) subrr ex0 divff //.
exact/lt0r_neq0/ex_gt0.
Qed.

Lemma ln1 : ln 1 = 0.
Proof. by rewrite -ex0 (exK el). Qed.

Lemma lnM x y : 0 < x -> 0 < y -> ln (x * y) = ln x + ln y.
Proof. by move=> x0 y0; rewrite -{1}(lnK el x0) -{1}(lnK el y0) -(exD el) (exK el). Qed.

Lemma lnV x : 0 < x -> ln x^-1 = - ln x.
Proof.
move=> x0; apply/eqP; rewrite -addr_eq0 -lnM ?invr_gt0 // mulVf ?ln1 //.
exact: lt0r_neq0.
Qed.

Lemma ln_div x y : 0 < x -> 0 < y -> ln (x / y) = ln x - ln y.
Proof. by move=> x0 y0; rewrite lnM ?invr_gt0 // lnV. Qed.

Lemma ln_le x : 0 < x -> ln x <= x - 1.
Proof. by move=> x0; rewrite ler_subr_addl -{2}(lnK el x0); exact: (ex_ge1D el). Qed.

(* strict away from 0, because exp x = (exp (x/2))^2 >= (1 + x/2)^2 *)
Lemma ex_gt1D x : x != 0 -> 1 + x < ex x.
Proof.
move=> x0; case: (ltP (1 + x) 0) => [/lt_trans|x1]; first by apply; exact: ex_gt0.
have h0 : 0 <= 1 + x / 2%:R.
  rewrite -(pmulr_rge0 _ (ltr0Sn F 1)) mulrDr mulr1 mulrCA divff ?pnatr_eq0 // mulr1.
  by rewrite -[2%:R]/(1 + 1) -addrA addr_ge0 ?ler01.
rewrite [x in ex x](splitr x) (exD el); apply: (lt_le_trans (y := (1 + x / 2%:R) * (1 + x / 2%:R))).
  rewrite -subr_gt0; have -> : (1 + x / 2%:R) * (1 + x / 2%:R) - (1 + x) = (x / 2%:R) ^+ 2.
    by field.
  by rewrite lt_neqAle sqr_ge0 andbT eq_sym sqrf_eq0 mulf_neq0 // invr_eq0 pnatr_eq0.
by rewrite ler_pmul ?(ex_ge1D el).
Qed.

Lemma ln_lt x : 0 < x -> x != 1 -> ln x < x - 1.
Proof.
move=> x0 x1; rewrite ltr_subr_addl -{2}(lnK el x0) ex_gt1D //.
by apply: contra x1 => /eqP l0; rewrite -(lnK el x0) l0 ex0.
Qed.

Lemma ex_le x y : x <= y -> ex x <= ex y.
Proof.
move=> xy; rewrite -(subrK x y) (exD el) ler_pemull ?(ltW (ex_gt0 _)) //.
by apply: le_trans (ex_ge1D el _); rewrite ler_addl subr_ge0.
Qed.

Lemma ln_ge0 x : 1 <= x -> 0 <= ln x.
Proof.
move=> x1; have x0 : 0 < x by exact: lt_le_trans ltr01 x1.
rewrite -[ln x]opprK oppr_ge0 -lnV //; apply: (le_trans (ln_le _)); rewrite ?invr_gt0 //.
by rewrite subr_le0 invf_le1.
Qed.
End ExpLog.
