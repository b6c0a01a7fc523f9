(* T01, T02 and T04 with nothing but the Coq standard library: states and actions are any finite lists, so that the kernel
   can also evaluate V and Q on numbers. Checks with coqc 8.16 and with jsCoq (npm, no root). Sources: as in proofs/coq. *)
Require Import Ring List Arith.

Section Plain.
Variables (R : Type) (O I : R) (add mul sub : R -> R -> R) (opp : R -> R).
Hypothesis Rth : ring_theory O I add mul sub opp (@eq R).
Add Ring Rring : Rth.
Infix "+" := add. Infix "*" := mul. Infix "-" := sub.

Fixpoint sum {X} (l : list X) (f : X -> R) : R :=
  match l with nil => O | x :: t => f x + sum t f end.
Fixpoint sumn (n : nat) (f : nat -> R) : R :=
  match n with 0%nat => O | S m => f 0%nat + sumn m (fun k => f (S k)) end.
Fixpoint pow (x : R) n : R := match n with 0%nat => I | S m => x * pow x m end.

Lemma sum_ext {X} (l : list X) f g : (forall x, f x = g x) -> sum l f = sum l g.
Proof. intro H; induction l; simpl; congruence. Qed.
Lemma sumn_ext n : forall f g, (forall k, (k < n)%nat -> f k = g k) -> sumn n f = sumn n g.
Proof.
  induction n; intros f g H; simpl; auto.
  rewrite (IHn (fun k => f (S k)) (fun k => g (S k))), H; auto with arith.
Qed.
Lemma sum_add {X} (l : list X) f g : sum l (fun x => f x + g x) = sum l f + sum l g.
Proof. induction l; simpl; [ring | rewrite IHl; ring]. Qed.
Lemma sum_sub {X} (l : list X) f g : sum l (fun x => f x - g x) = sum l f - sum l g.
Proof. induction l; simpl; [ring | rewrite IHl; ring]. Qed.
Lemma sum_mul {X} (l : list X) c f : sum l (fun x => c * f x) = c * sum l f.
Proof. induction l; simpl; [ring | rewrite IHl; ring]. Qed.
Lemma sum_mulr {X} (l : list X) c f : sum l (fun x => f x * c) = sum l f * c.
Proof. induction l; simpl; [ring | rewrite IHl; ring]. Qed.
Lemma sum_O {X} (l : list X) : sum l (fun _ => O) = O.
Proof. induction l; simpl; [|rewrite IHl]; ring. Qed.
Lemma sum_swap {X Y} (l : list X) (m : list Y) f :
  sum l (fun x => sum m (f x)) = sum m (fun y => sum l (fun x => f x y)).
Proof. induction l; simpl; [now rewrite sum_O | rewrite IHl, <- sum_add; now apply sum_ext]. Qed.
Lemma sumn_mul c n : forall f, sumn n (fun k => c * f k) = c * sumn n f.
Proof. induction n; intro f; simpl; [ring | rewrite (IHn (fun k => f (S k))); ring]. Qed.
Lemma sum_sumn {X} (l : list X) n : forall f : X -> nat -> R,
  sum l (fun x => sumn n (f x)) = sumn n (fun k => sum l (fun x => f x k)).
Proof.
  induction n; intro f; simpl; [apply sum_O |].
  now rewrite sum_add, (IHn (fun x k => f x (S k))).
Qed.

Variables (St A : Type) (ss : list St) (aa : list A).
Variables (P : St -> A -> St -> R) (r : St -> A -> R) (gam : R).
Definition Ppi pi s s' := sum aa (fun a => pi s a * P s a s').
Fixpoint V (pi : St -> A -> R) n s : R := match n with 0%nat => O | S m =>
  sum aa (fun a => pi s a * (r s a + gam * sum ss (fun s' => P s a s' * V pi m s'))) end.
Definition Q pi n s a := r s a + gam * sum ss (fun s' => P s a s' * V pi n s').
(* (after k f)(s) = E[ f(s_k) | s_0 = s ] *)
Fixpoint after pi k (f : St -> R) s : R := match k with 0%nat => f s | S j =>
  sum ss (fun x => Ppi pi s x * after pi j f x) end.

(* T01 *)
Lemma unroll pi (c X : nat -> St -> R) :
  (forall s, X 0%nat s = O) ->
  (forall n s, X (S n) s = c n s + gam * sum ss (fun x => Ppi pi s x * X n x)) ->
  forall n s, X n s = sumn n (fun k => pow gam k * after pi k (c (n - 1 - k)%nat) s).
Proof.
  intros X0 XS; induction n; intro s; simpl; [apply X0 |].
  rewrite XS, !Nat.sub_0_r.
  replace (I * c n s) with (c n s) by ring; f_equal.
  rewrite <- sum_mul.
  transitivity (sum ss (fun x => sumn n (fun k =>
      gam * (Ppi pi s x * (pow gam k * after pi k (c (n - 1 - k)%nat) x))))).
  { apply sum_ext; intro x; now rewrite IHn, !sumn_mul. }
  rewrite sum_sumn; apply sumn_ext; intros k Hk; simpl.
  replace (n - S k)%nat with (n - 1 - k)%nat by now rewrite <- Nat.sub_add_distr.
  rewrite <- sum_mul; apply sum_ext; intro x; ring.
Qed.

Lemma sum_Ppi pi s f :
  sum ss (fun x => Ppi pi s x * f x) = sum aa (fun a => pi s a * sum ss (fun x => P s a x * f x)).
Proof.
  transitivity (sum ss (fun x => sum aa (fun a => pi s a * (P s a x * f x)))).
  { apply sum_ext; intro x; unfold Ppi; rewrite <- sum_mulr; apply sum_ext; intro a; ring. }
  rewrite sum_swap; apply sum_ext; intro a; now rewrite sum_mul.
Qed.

Section Grad.
Variables (D : R -> R) (pi : St -> A -> R).
Hypotheses (Dadd : forall x y, D (x + y) = D x + D y) (Dmul : forall x y, D (x * y) = D x * y + x * D y)
  (DP : forall s a s', D (P s a s') = O) (Dr : forall s a, D (r s a) = O) (Dgam : D gam = O).

Lemma D0 : D O = O.
Proof.
  assert (H := Dadd O O); replace (O + O) with O in H by ring.
  transitivity (D O + D O - D O); [ring | rewrite <- H; ring].
Qed.
Lemma Dsum {X} (l : list X) f : D (sum l f) = sum l (fun x => D (f x)).
Proof. induction l; simpl; [apply D0 | now rewrite Dadd, IHl]. Qed.

(* T02 *)
Theorem policy_gradient n s :
  D (V pi n s) = sumn n (fun k => pow gam k *
    after pi k (fun x => sum aa (fun a => D (pi x a) * Q pi (n - 1 - k) x a)) s).
Proof.
  apply (unroll pi (fun m x => sum aa (fun a => D (pi x a) * Q pi m x a)) (fun m x => D (V pi m x))).
  - intro x; apply D0.
  - intros m x; simpl; rewrite Dsum, sum_Ppi, <- sum_mul, <- sum_add; apply sum_ext; intro a.
    rewrite Dmul, Dadd, Dr, Dmul, Dgam, Dsum; unfold Q.
    rewrite (sum_ext ss (fun s' => D (P x a s' * V pi m s')) (fun s' => P x a s' * D (V pi m s'))).
    + ring.
    + intro y; rewrite Dmul, DP; ring.
Qed.
End Grad.

(* T04 *)
Theorem performance_difference pi pi' n s : (forall x, sum aa (pi' x) = I) ->
  V pi' n s - V pi n s = sumn n (fun k => pow gam k *
    after pi' k (fun x => sum aa (fun a => pi' x a * (Q pi (n - 1 - k) x a - V pi (S (n - 1 - k)) x))) s).
Proof.
  intro H1.
  apply (unroll pi' (fun m x => sum aa (fun a => pi' x a * (Q pi m x a - V pi (S m) x)))
                    (fun m x => V pi' m x - V pi m x)); intros; [simpl; ring |].
  rewrite (sum_ext aa (fun a => pi' s0 a * (Q pi n0 s0 a - V pi (S n0) s0))
     (fun a => pi' s0 a * Q pi n0 s0 a - pi' s0 a * V pi (S n0) s0)) by (intro; ring).
  rewrite sum_sub, sum_mulr, H1, sum_Ppi.
  replace (V pi' (S n0) s0) with (sum aa (fun a => pi' s0 a * Q pi n0 s0 a)
    + gam * sum aa (fun a => pi' s0 a * sum ss (fun x => P s0 a x * (V pi' n0 x - V pi n0 x)))).
  { change (sum aa (pi' s0)) with (sum aa (fun a => pi' s0 a)); ring. }
  rewrite <- sum_mul, <- sum_add; simpl; apply sum_ext; intro a; unfold Q.
  rewrite (sum_ext ss (fun x => P s0 a x * (V pi' n0 x - V pi n0 x))
    (fun x => P s0 a x * V pi' n0 x - P s0 a x * V pi n0 x)) by (intro; ring).
  rewrite sum_sub; ring.
Qed.
End Plain.
