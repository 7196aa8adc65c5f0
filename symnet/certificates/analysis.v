From Coq Require Import Reals Lra Lia FunctionalExtensionality.
From Coquelicot Require Import Coquelicot.
Open Scope R_scope.

Definition sigmoid (z : R) : R := / (1 + exp (- z)).
Definition softplus (z : R) : R := ln (1 + exp z).
Definition step (z : R) : R := if Rlt_dec 0 z then 1 else 0.
Definition relu (z : R) : R := if Rlt_dec 0 z then z else 0.
Definition leaky_relu (z s : R) : R := if Rlt_dec 0 z then z else s * z.
Definition erf (z : R) : R := 2 / sqrt PI * RInt (fun u => exp (- u ^ 2)) 0 z.
Definition choose (z u v : R) : R := if Rlt_dec 0 z then u else v.
Definition at1 (f : nat -> R) (i1 : nat) (t : R) : nat -> R := fun a1 => if (Nat.eqb a1 i1)%bool then t else f a1.
Definition unit1 (i1 : nat) : nat -> R := fun a1 => if (Nat.eqb a1 i1)%bool then 1 else 0.
Definition at2 (f : nat -> nat -> R) (i1 i2 : nat) (t : R) : nat -> nat -> R := fun a1 a2 => if (Nat.eqb a1 i1 && Nat.eqb a2 i2)%bool then t else f a1 a2.
Definition unit2 (i1 i2 : nat) : nat -> nat -> R := fun a1 a2 => if (Nat.eqb a1 i1 && Nat.eqb a2 i2)%bool then 1 else 0.
Definition at3 (f : nat -> nat -> nat -> R) (i1 i2 i3 : nat) (t : R) : nat -> nat -> nat -> R := fun a1 a2 a3 => if (Nat.eqb a1 i1 && Nat.eqb a2 i2 && Nat.eqb a3 i3)%bool then t else f a1 a2 a3.
Definition unit3 (i1 i2 i3 : nat) : nat -> nat -> nat -> R := fun a1 a2 a3 => if (Nat.eqb a1 i1 && Nat.eqb a2 i2 && Nat.eqb a3 i3)%bool then 1 else 0.
Definition at4 (f : nat -> nat -> nat -> nat -> R) (i1 i2 i3 i4 : nat) (t : R) : nat -> nat -> nat -> nat -> R := fun a1 a2 a3 a4 => if (Nat.eqb a1 i1 && Nat.eqb a2 i2 && Nat.eqb a3 i3 && Nat.eqb a4 i4)%bool then t else f a1 a2 a3 a4.
Definition unit4 (i1 i2 i3 i4 : nat) : nat -> nat -> nat -> nat -> R := fun a1 a2 a3 a4 => if (Nat.eqb a1 i1 && Nat.eqb a2 i2 && Nat.eqb a3 i3 && Nat.eqb a4 i4)%bool then 1 else 0.
Definition at5 (f : nat -> nat -> nat -> nat -> nat -> R) (i1 i2 i3 i4 i5 : nat) (t : R) : nat -> nat -> nat -> nat -> nat -> R := fun a1 a2 a3 a4 a5 => if (Nat.eqb a1 i1 && Nat.eqb a2 i2 && Nat.eqb a3 i3 && Nat.eqb a4 i4 && Nat.eqb a5 i5)%bool then t else f a1 a2 a3 a4 a5.
Definition unit5 (i1 i2 i3 i4 i5 : nat) : nat -> nat -> nat -> nat -> nat -> R := fun a1 a2 a3 a4 a5 => if (Nat.eqb a1 i1 && Nat.eqb a2 i2 && Nat.eqb a3 i3 && Nat.eqb a4 i4 && Nat.eqb a5 i5)%bool then 1 else 0.
Definition at6 (f : nat -> nat -> nat -> nat -> nat -> nat -> R) (i1 i2 i3 i4 i5 i6 : nat) (t : R) : nat -> nat -> nat -> nat -> nat -> nat -> R := fun a1 a2 a3 a4 a5 a6 => if (Nat.eqb a1 i1 && Nat.eqb a2 i2 && Nat.eqb a3 i3 && Nat.eqb a4 i4 && Nat.eqb a5 i5 && Nat.eqb a6 i6)%bool then t else f a1 a2 a3 a4 a5 a6.
Definition unit6 (i1 i2 i3 i4 i5 i6 : nat) : nat -> nat -> nat -> nat -> nat -> nat -> R := fun a1 a2 a3 a4 a5 a6 => if (Nat.eqb a1 i1 && Nat.eqb a2 i2 && Nat.eqb a3 i3 && Nat.eqb a4 i4 && Nat.eqb a5 i5 && Nat.eqb a6 i6)%bool then 1 else 0.

Implicit Types (f g : R -> R) (x a b : R).
Lemma d_equal f x a b : is_derive f x a -> a = b -> is_derive f x b.
Proof. intros H <-. exact H. Qed.
Lemma d_ext f g x a : (forall t, f t = g t) -> is_derive f x a -> is_derive g x a.
Proof. intros E. apply (is_derive_ext f g x a E). Qed.
Lemma d_near f g x a : locally x (fun t => f t = g t) -> is_derive f x a -> is_derive g x a.
Proof. intros E. apply (is_derive_ext_loc f g x a E). Qed.
Lemma d_const (a x : R) : is_derive (fun _ => a) x 0.
Proof. apply (is_derive_const a x). Qed.
Lemma d_plus f g x a b : is_derive f x a -> is_derive g x b -> is_derive (fun t => f t + g t) x (a + b).
Proof. apply (is_derive_plus f g x a b). Qed.
Lemma d_opp f x a : is_derive f x a -> is_derive (fun t => - f t) x (- a).
Proof. apply (is_derive_opp f x a). Qed.
Lemma d_minus f g x a b : is_derive f x a -> is_derive g x b -> is_derive (fun t => f t - g t) x (a - b).
Proof. apply (is_derive_minus f g x a b). Qed.
Lemma d_id (x : R) : is_derive (fun t : R => t) x 1.
Proof. apply @is_derive_id. Qed.
Lemma d_still f x : (forall t, f t = f x) -> is_derive f x 0.
Proof. intros H. apply (d_ext (fun _ => f x)). intros t. symmetry. apply H. apply d_const. Qed.
Lemma d_mult f g x a b : is_derive f x a -> is_derive g x b -> is_derive (fun t => f t * g t) x (a * g x + f x * b).
Proof. intros H K. apply (is_derive_mult f g x a b H K). intros; apply Rmult_comm. Qed.
Lemma d_inv f x a : is_derive f x a -> f x <> 0 -> is_derive (fun t => / f t) x (- (/ (f x) ^ 2) * a).
Proof. intros H K. eapply d_equal. apply (is_derive_inv f x a H K). field. exact K. Qed.
Lemma d_div f g x a b : is_derive f x a -> is_derive g x b -> g x <> 0 -> is_derive (fun t => f t / g t) x ((a * g x - f x * b) / (g x) ^ 2).
Proof. intros H J K. eapply d_equal. apply (is_derive_div f g x a b H J K). reflexivity. Qed.
Lemma d_chain (g : R -> R) f x a b : is_derive g (f x) b -> is_derive f x a -> is_derive (fun t => g (f t)) x (b * a).
Proof. intros H K. eapply d_equal. apply (is_derive_comp g f x b a H K). apply Rmult_comm. Qed.
Lemma d_pow n f x a : is_derive f x a -> is_derive (fun t => f t ^ n) x (INR n * f x ^ pred n * a).
Proof. intros H. eapply d_equal. apply (is_derive_pow f n x a H). ring. Qed.
Lemma d_exp f x a : is_derive f x a -> is_derive (fun t => exp (f t)) x (exp (f x) * a).
Proof. apply (d_chain exp), is_derive_exp. Qed.
Lemma d_ln f x a : is_derive f x a -> 0 < f x -> is_derive (fun t => ln (f t)) x (/ f x * a).
Proof. intros H K. apply (d_chain ln); [apply is_derive_ln, K | exact H]. Qed.
Lemma d_sqrt f x a : is_derive f x a -> 0 < f x -> is_derive (fun t => sqrt (f t)) x (/ (2 * sqrt (f x)) * a).
Proof. intros H K. eapply d_equal. apply (is_derive_sqrt f x a H K). field. apply Rgt_not_eq, sqrt_lt_R0, K. Qed.
Lemma d_sin f x a : is_derive f x a -> is_derive (fun t => sin (f t)) x (cos (f x) * a).
Proof. apply (d_chain sin), is_derive_sin. Qed.
Lemma d_cos f x a : is_derive f x a -> is_derive (fun t => cos (f t)) x (- sin (f x) * a).
Proof. apply (d_chain cos), is_derive_cos. Qed.
Lemma d_sinh f x a : is_derive f x a -> is_derive (fun t => sinh (f t)) x (cosh (f x) * a).
Proof. apply (d_chain sinh). apply is_derive_Reals, derivable_pt_lim_sinh. Qed.
Lemma d_cosh f x a : is_derive f x a -> is_derive (fun t => cosh (f t)) x (sinh (f x) * a).
Proof. apply (d_chain cosh). apply is_derive_Reals, derivable_pt_lim_cosh. Qed.
Lemma d_atan f x a : is_derive f x a -> is_derive (fun t => atan (f t)) x (/ (1 + f x ^ 2) * a).
Proof. apply (d_chain atan). eapply d_equal. apply is_derive_atan. unfold Rsqr. f_equal. ring. Qed.
Lemma cosh_positive z : 0 < cosh z.
Proof. unfold cosh. pose proof (exp_pos z). pose proof (exp_pos (- z)). lra. Qed.
Lemma d_tanh f x a : is_derive f x a -> is_derive (fun t => tanh (f t)) x ((1 - tanh (f x) ^ 2) * a).
Proof.
  apply (d_chain tanh). unfold tanh. pose proof (cosh_positive (f x)).
  eapply d_equal. apply (d_mult sinh (fun t => / cosh t)). apply is_derive_Reals, derivable_pt_lim_sinh.
  apply (d_inv cosh). apply is_derive_Reals, derivable_pt_lim_cosh. lra. field. lra.
Qed.
Lemma sigmoid_positive z : 0 < sigmoid z.
Proof. unfold sigmoid. apply Rinv_0_lt_compat. pose proof (exp_pos (- z)). lra. Qed.
Lemma sigmoid_below_1 z : sigmoid z < 1.
Proof. unfold sigmoid. pose proof (exp_pos (- z)). rewrite <- Rinv_1 at 2. apply Rinv_lt_contravar; lra. Qed.
Lemma sigmoid_rest z : 0 < 1 - sigmoid z.
Proof. pose proof (sigmoid_below_1 z). lra. Qed.
Lemma d_sigmoid f x a : is_derive f x a -> is_derive (fun t => sigmoid (f t)) x (sigmoid (f x) * (1 - sigmoid (f x)) * a).
Proof.
  apply (d_chain sigmoid). unfold sigmoid. assert (1 + exp (- f x) <> 0) by (pose proof (exp_pos (- f x)); lra).
  eapply d_equal. apply (d_inv (fun t => 1 + exp (- t))). apply d_plus. apply d_const. apply d_exp, d_opp, @is_derive_id.
  assumption. simpl. unfold one; simpl. field. assumption.
Qed.
Lemma softplus_positive z : 0 < softplus z.
Proof. unfold softplus. rewrite <- ln_1. pose proof (exp_pos z). apply ln_increasing; lra. Qed.
Lemma d_softplus f x a : is_derive f x a -> is_derive (fun t => softplus (f t)) x (sigmoid (f x) * a).
Proof.
  apply (d_chain softplus). unfold softplus, sigmoid. pose proof (exp_pos (f x)). pose proof (exp_pos (- f x)).
  eapply d_equal. apply (d_ln (fun t => 1 + exp t)). apply d_plus. apply d_const. apply is_derive_exp. lra.
  rewrite exp_Ropp. field. lra.
Qed.
Lemma near_positive (x : R) : 0 < x -> locally x (fun t => 0 < t).
Proof. intros H. exists (mkposreal x H). intros y B. apply Rabs_lt_between' in B. simpl in B. lra. Qed.
Lemma near_negative (x : R) : x < 0 -> locally x (fun t => t < 0).
Proof. intros H. assert (K : 0 < - x) by lra. exists (mkposreal (- x) K). intros y B. apply Rabs_lt_between' in B. simpl in B. lra. Qed.
Lemma d_step f x a : is_derive f x a -> f x <> 0 -> is_derive (fun t => step (f t)) x (0 * a).
Proof.
  intros H K. apply (d_chain step); [|exact H]. destruct (Rdichotomy _ _ K) as [N | P].
  - apply (d_near (fun _ => 0)); [|apply d_const]. apply (filter_imp (fun t => t < 0)); [|apply near_negative, N].
    intros t T. unfold step. destruct Rlt_dec; lra.
  - apply (d_near (fun _ => 1)); [|apply d_const]. apply (filter_imp (fun t => 0 < t)); [|apply near_positive; lra].
    intros t T. unfold step. destruct Rlt_dec; lra.
Qed.
Lemma d_leaky_relu f g x a b : is_derive f x a -> is_derive g x b -> f x <> 0 ->
  is_derive (fun t => leaky_relu (f t) (g t)) x ((step (f x) + g x * (1 - step (f x))) * a + f x * (1 - step (f x)) * b).
Proof.
  intros H J K. assert (C : continuous f x) by (apply (ex_derive_continuous f x); eexists; exact H).
  unfold step. destruct (Rdichotomy _ _ K) as [N | P]; destruct Rlt_dec; try lra.
  - apply (d_near (fun t => g t * f t)).
    + apply (filter_imp (fun t => f t < 0)); [|apply (C _ (near_negative _ N))].
      intros t T. unfold leaky_relu. destruct Rlt_dec; lra.
    + eapply d_equal. apply (d_mult g f); eassumption. ring.
  - apply (d_near f).
    + apply (filter_imp (fun t => 0 < f t)); [|apply (C _ (near_positive _ r))].
      intros t T. unfold leaky_relu. destruct Rlt_dec; lra.
    + eapply d_equal. exact H. ring.
Qed.
Lemma d_choose (z : R -> R) f g x (c : R) a b : is_derive z x c -> z x <> 0 -> (0 < z x -> is_derive f x a) ->
  (z x < 0 -> is_derive g x b) -> is_derive (fun t => choose (z t) (f t) (g t)) x (choose (z x) a b).
Proof.
  intros H K F G. assert (C : continuous z x) by (apply (ex_derive_continuous z x); eexists; exact H).
  unfold choose at 2. destruct (Rdichotomy _ _ K) as [N | P]; destruct Rlt_dec; try lra.
  - apply (d_near g); [|apply G, N]. apply (filter_imp (fun t => z t < 0)); [|apply (C _ (near_negative _ N))].
    intros t T. unfold choose. destruct Rlt_dec; lra.
  - apply (d_near f); [|apply F, P]. apply (filter_imp (fun t => 0 < z t)); [|apply (C _ (near_positive _ P))].
    intros t T. unfold choose. destruct Rlt_dec; lra.
Qed.
Lemma relu_nonnegative z : 0 <= relu z.
Proof. unfold relu. destruct Rlt_dec; lra. Qed.
Lemma d_relu f x a : is_derive f x a -> f x <> 0 -> is_derive (fun t => relu (f t)) x (step (f x) * a).
Proof.
  intros H K. eapply d_equal. apply (d_ext (fun t => leaky_relu (f t) 0)).
  - intros t. unfold leaky_relu, relu. destruct Rlt_dec; ring.
  - apply (d_leaky_relu f (fun _ => 0) x a 0); try assumption. apply d_const.
  - simpl. ring.
Qed.
Lemma d_sign f x a : is_derive f x a -> f x <> 0 -> is_derive (fun t => sign (f t)) x (0 * a).
Proof.
  intros H K. apply (d_chain sign); [|exact H]. destruct (Rdichotomy _ _ K) as [N | P].
  - apply (d_near (fun _ => -1)); [|apply d_const]. apply (filter_imp (fun t => t < 0)); [|apply near_negative, N].
    intros t T. symmetry. apply sign_eq_m1, T.
  - apply (d_near (fun _ => 1)); [|apply d_const]. apply (filter_imp (fun t => 0 < t)); [|apply near_positive; lra].
    intros t T. symmetry. apply sign_eq_1, T.
Qed.
Lemma d_abs f x a : is_derive f x a -> f x <> 0 -> is_derive (fun t => Rabs (f t)) x (sign (f x) * a).
Proof. apply is_derive_Rabs. Qed.
Lemma d_max f g x a b : is_derive f x a -> is_derive g x b -> f x <> g x ->
  is_derive (fun t => Rmax (f t) (g t)) x (step (f x - g x) * a + step (g x - f x) * b).
Proof.
  intros H J K. assert (M : f x - g x <> 0) by lra. pose proof (d_plus f (fun t => - g t) x a (- b) H (d_opp _ _ _ J)) as D.
  eapply d_equal. apply (d_ext (fun t => g t + relu (f t + - g t))).
  - intros t. unfold relu, Rmax. destruct Rlt_dec, Rle_dec; lra.
  - apply d_plus. exact J. apply (d_relu _ _ _ D). exact M.
  - simpl. unfold step. replace (f x + - g x) with (f x - g x) by ring. destruct Rlt_dec, Rlt_dec; lra.
Qed.
Lemma d_min f g x a b : is_derive f x a -> is_derive g x b -> f x <> g x ->
  is_derive (fun t => Rmin (f t) (g t)) x (step (g x - f x) * a + step (f x - g x) * b).
Proof.
  intros H J K. pose proof (d_max _ _ _ _ _ (d_opp _ _ _ H) (d_opp _ _ _ J)) as D.
  eapply d_equal. apply (d_ext (fun t => - Rmax (- f t) (- g t))).
  - intros t. unfold Rmin, Rmax. destruct Rle_dec, Rle_dec; lra.
  - apply d_opp, D. lra.
  - simpl. replace (- f x - - g x) with (g x - f x) by ring. replace (- g x - - f x) with (f x - g x) by ring. ring.
Qed.
Lemma d_erf f x a : is_derive f x a -> is_derive (fun t => erf (f t)) x (2 / sqrt PI * exp (- f x ^ 2) * a).
Proof.
  apply (d_chain erf). unfold erf. apply (is_derive_scal (fun z => RInt (fun u => exp (- u ^ 2)) 0 z)).
  assert (C : forall z, continuous (fun u => exp (- u ^ 2)) z).
  { intros z. apply (ex_derive_continuous (fun u => exp (- u ^ 2)) z). auto_derive. exact I. }
  apply (is_derive_RInt (fun u => exp (- u ^ 2)) (fun z => RInt (fun u => exp (- u ^ 2)) 0 z) 0); [|apply C].
  apply filter_forall; intros z. apply (@RInt_correct R_CompleteNormedModule), ex_RInt_continuous. intros; apply C.
Qed.
Lemma sqrt_PI_positive : 0 < sqrt PI.
Proof. apply sqrt_lt_R0, PI_RGT_0. Qed.
Lemma d_at1 (f : nat -> R) (i1 a1 : nat) (x : R) : is_derive (fun t => at1 f i1 t a1) x (unit1 i1 a1).
Proof. unfold at1, unit1. destruct (Nat.eqb_spec a1 i1); simpl; try apply d_const; apply @is_derive_id. Qed.
Lemma at1_same (f : nat -> R) (i1 : nat) : at1 f i1 (f i1) = f.
Proof. apply functional_extensionality; intros a1. unfold at1. destruct (Nat.eqb_spec a1 i1); simpl; congruence. Qed.
Lemma d_at2 (f : nat -> nat -> R) (i1 i2 a1 a2 : nat) (x : R) : is_derive (fun t => at2 f i1 i2 t a1 a2) x (unit2 i1 i2 a1 a2).
Proof. unfold at2, unit2. destruct (Nat.eqb_spec a1 i1); simpl; try apply d_const; destruct (Nat.eqb_spec a2 i2); simpl; try apply d_const; apply @is_derive_id. Qed.
Lemma at2_same (f : nat -> nat -> R) (i1 i2 : nat) : at2 f i1 i2 (f i1 i2) = f.
Proof. apply functional_extensionality; intros a1. apply functional_extensionality; intros a2. unfold at2. destruct (Nat.eqb_spec a1 i1); destruct (Nat.eqb_spec a2 i2); simpl; congruence. Qed.
Lemma d_at3 (f : nat -> nat -> nat -> R) (i1 i2 i3 a1 a2 a3 : nat) (x : R) : is_derive (fun t => at3 f i1 i2 i3 t a1 a2 a3) x (unit3 i1 i2 i3 a1 a2 a3).
Proof. unfold at3, unit3. destruct (Nat.eqb_spec a1 i1); simpl; try apply d_const; destruct (Nat.eqb_spec a2 i2); simpl; try apply d_const; destruct (Nat.eqb_spec a3 i3); simpl; try apply d_const; apply @is_derive_id. Qed.
Lemma at3_same (f : nat -> nat -> nat -> R) (i1 i2 i3 : nat) : at3 f i1 i2 i3 (f i1 i2 i3) = f.
Proof. apply functional_extensionality; intros a1. apply functional_extensionality; intros a2. apply functional_extensionality; intros a3. unfold at3. destruct (Nat.eqb_spec a1 i1); destruct (Nat.eqb_spec a2 i2); destruct (Nat.eqb_spec a3 i3); simpl; congruence. Qed.
Lemma d_at4 (f : nat -> nat -> nat -> nat -> R) (i1 i2 i3 i4 a1 a2 a3 a4 : nat) (x : R) : is_derive (fun t => at4 f i1 i2 i3 i4 t a1 a2 a3 a4) x (unit4 i1 i2 i3 i4 a1 a2 a3 a4).
Proof. unfold at4, unit4. destruct (Nat.eqb_spec a1 i1); simpl; try apply d_const; destruct (Nat.eqb_spec a2 i2); simpl; try apply d_const; destruct (Nat.eqb_spec a3 i3); simpl; try apply d_const; destruct (Nat.eqb_spec a4 i4); simpl; try apply d_const; apply @is_derive_id. Qed.
Lemma at4_same (f : nat -> nat -> nat -> nat -> R) (i1 i2 i3 i4 : nat) : at4 f i1 i2 i3 i4 (f i1 i2 i3 i4) = f.
Proof. apply functional_extensionality; intros a1. apply functional_extensionality; intros a2. apply functional_extensionality; intros a3. apply functional_extensionality; intros a4. unfold at4. destruct (Nat.eqb_spec a1 i1); destruct (Nat.eqb_spec a2 i2); destruct (Nat.eqb_spec a3 i3); destruct (Nat.eqb_spec a4 i4); simpl; congruence. Qed.
Lemma d_at5 (f : nat -> nat -> nat -> nat -> nat -> R) (i1 i2 i3 i4 i5 a1 a2 a3 a4 a5 : nat) (x : R) : is_derive (fun t => at5 f i1 i2 i3 i4 i5 t a1 a2 a3 a4 a5) x (unit5 i1 i2 i3 i4 i5 a1 a2 a3 a4 a5).
Proof. unfold at5, unit5. destruct (Nat.eqb_spec a1 i1); simpl; try apply d_const; destruct (Nat.eqb_spec a2 i2); simpl; try apply d_const; destruct (Nat.eqb_spec a3 i3); simpl; try apply d_const; destruct (Nat.eqb_spec a4 i4); simpl; try apply d_const; destruct (Nat.eqb_spec a5 i5); simpl; try apply d_const; apply @is_derive_id. Qed.
Lemma at5_same (f : nat -> nat -> nat -> nat -> nat -> R) (i1 i2 i3 i4 i5 : nat) : at5 f i1 i2 i3 i4 i5 (f i1 i2 i3 i4 i5) = f.
Proof. apply functional_extensionality; intros a1. apply functional_extensionality; intros a2. apply functional_extensionality; intros a3. apply functional_extensionality; intros a4. apply functional_extensionality; intros a5. unfold at5. destruct (Nat.eqb_spec a1 i1); destruct (Nat.eqb_spec a2 i2); destruct (Nat.eqb_spec a3 i3); destruct (Nat.eqb_spec a4 i4); destruct (Nat.eqb_spec a5 i5); simpl; congruence. Qed.
Lemma d_at6 (f : nat -> nat -> nat -> nat -> nat -> nat -> R) (i1 i2 i3 i4 i5 i6 a1 a2 a3 a4 a5 a6 : nat) (x : R) : is_derive (fun t => at6 f i1 i2 i3 i4 i5 i6 t a1 a2 a3 a4 a5 a6) x (unit6 i1 i2 i3 i4 i5 i6 a1 a2 a3 a4 a5 a6).
Proof. unfold at6, unit6. destruct (Nat.eqb_spec a1 i1); simpl; try apply d_const; destruct (Nat.eqb_spec a2 i2); simpl; try apply d_const; destruct (Nat.eqb_spec a3 i3); simpl; try apply d_const; destruct (Nat.eqb_spec a4 i4); simpl; try apply d_const; destruct (Nat.eqb_spec a5 i5); simpl; try apply d_const; destruct (Nat.eqb_spec a6 i6); simpl; try apply d_const; apply @is_derive_id. Qed.
Lemma at6_same (f : nat -> nat -> nat -> nat -> nat -> nat -> R) (i1 i2 i3 i4 i5 i6 : nat) : at6 f i1 i2 i3 i4 i5 i6 (f i1 i2 i3 i4 i5 i6) = f.
Proof. apply functional_extensionality; intros a1. apply functional_extensionality; intros a2. apply functional_extensionality; intros a3. apply functional_extensionality; intros a4. apply functional_extensionality; intros a5. apply functional_extensionality; intros a6. unfold at6. destruct (Nat.eqb_spec a1 i1); destruct (Nat.eqb_spec a2 i2); destruct (Nat.eqb_spec a3 i3); destruct (Nat.eqb_spec a4 i4); destruct (Nat.eqb_spec a5 i5); destruct (Nat.eqb_spec a6 i6); simpl; congruence. Qed.
Lemma power_nonzero (a : R) (n : nat) : a <> 0 -> a ^ n <> 0.
Proof. apply pow_nonzero. Qed.
Lemma square_nonnegative (a : R) (n : nat) : 0 <= a ^ (2 * n).
Proof. rewrite pow_mult. apply pow_le, pow2_ge_0. Qed.
Lemma by_sums (u v l r : R) : l = r -> u - v = l - r -> u = v.
Proof. intros. lra. Qed.
Lemma last_one (g d rest : R) : d = 1 -> rest = 0 -> g * d + rest = g.
Proof. intros -> ->. ring. Qed.
Lemma other_one (g d rest x : R) : d = 0 -> rest = x -> g * d + rest = x.
Proof. intros -> ->. ring. Qed.

Create HintDb signs.
Ltac known := first [assumption | solve [auto with signs nocore]].
Ltac positive := cbv beta; lazymatch goal with
  | |- 0 < exp _ => apply exp_pos
  | |- 0 < sigmoid _ => apply sigmoid_positive
  | |- 0 < 1 - sigmoid _ => apply sigmoid_rest
  | |- 0 < softplus _ => apply softplus_positive
  | |- 0 < cosh _ => apply cosh_positive
  | |- 0 < PI => apply PI_RGT_0
  | |- 0 < sqrt _ => first [known | apply sqrt_lt_R0; positive]
  | |- 0 < _ * _ => first [known | apply Rmult_lt_0_compat; positive]
  | |- 0 < _ / _ => first [known | apply Rdiv_lt_0_compat; positive]
  | |- 0 < / _ => first [known | apply Rinv_0_lt_compat; positive]
  | |- 0 < _ + _ => first [known | apply Rplus_lt_0_compat; positive | apply Rplus_lt_le_0_compat; [positive | nonnegative]
                                 | apply Rplus_le_lt_0_compat; [nonnegative | positive] | lra]
  | |- 0 < _ ^ _ => first [known | apply pow_lt; positive]
  | |- 0 < Rmax _ _ => first [known | eapply Rlt_le_trans; [|apply Rmax_l]; positive | eapply Rlt_le_trans; [|apply Rmax_r]; positive]
  | |- 0 < Rmin _ _ => first [known | apply Rmin_glb_lt; positive]
  | |- _ => first [known | lra]
  end
with nonnegative := cbv beta; lazymatch goal with
  | |- 0 <= ?a * ?a => first [known | apply Rle_0_sqr]
  | |- 0 <= _ ^ 2 => apply pow2_ge_0
  | |- 0 <= sqrt _ => apply sqrt_pos
  | |- 0 <= Rabs _ => apply Rabs_pos
  | |- 0 <= relu _ => apply relu_nonnegative
  | |- 0 <= _ ^ _ => first [known | apply (square_nonnegative _ 1) | apply (square_nonnegative _ 2) | apply (square_nonnegative _ 3) | apply pow_le; nonnegative]
  | |- 0 <= _ + _ => first [known | apply Rplus_le_le_0_compat; nonnegative | lra]
  | |- 0 <= _ * _ => first [known | apply Rmult_le_pos; nonnegative]
  | |- 0 <= _ / _ => first [known | apply Rdiv_le_0_compat; [nonnegative | positive]]
  | |- _ => first [known | apply Rlt_le; positive | lra]
  end.
Ltac nonzero := cbv beta; lazymatch goal with
  | |- _ * _ <> 0 => first [known | apply Rmult_integral_contrapositive_currified; nonzero]
  | |- _ ^ _ <> 0 => first [known | apply pow_nonzero; nonzero]
  | |- / _ <> 0 => first [known | apply Rinv_neq_0_compat; nonzero]
  | |- - _ <> 0 => first [known | apply Ropp_neq_0_compat; nonzero]
  | |- _ <> 0 => first [known | apply Rgt_not_eq; unfold Rgt; positive | lra]
  | |- _ => first [known | lra]
  end.
Ltac sign := cbv beta; lazymatch goal with
  | |- 0 < _ => first [positive | auto with signs nocore]
  | |- _ <> 0 => first [nonzero | auto with signs nocore]
  | |- _ => first [known | lra]
  end.
Ltac sides := repeat match goal with |- _ /\ _ => split end; solve [nonzero | nonnegative].
Lemma exp_minus (a b : R) : exp (a - b) = exp a / exp b.
Proof. unfold Rminus, Rdiv. rewrite exp_plus, exp_Ropp. reflexivity. Qed.
Lemma exp_twice (a : R) : exp (2 * a) = exp a ^ 2.
Proof. replace (2 * a) with (a + a) by ring. rewrite exp_plus. ring. Qed.
Lemma root_power (n : nat) (k u : R) : 0 < u -> INR (S n) = k -> exp (1 / k * ln u) ^ S n = u.
Proof.
  intros U <-. assert (E : forall (m : nat) (a : R), exp a ^ m = exp (INR m * a)).
  { intros m a. induction m as [|m IH]. simpl. rewrite Rmult_0_l, exp_0. reflexivity.
    rewrite S_INR, Rmult_plus_distr_r, exp_plus, Rmult_1_l, <- IH. simpl. ring. }
  rewrite E. replace (INR (S n) * (1 / INR (S n) * ln u)) with (ln u). apply exp_ln, U. field. apply not_0_INR. discriminate.
Qed.
Ltac same_arguments close := repeat match goal with
  | |- context [exp ?u] => match goal with |- context [exp ?v] => tryif constr_eq u v then fail else
      (replace (exp u) with (exp v) by (f_equal; solve [close])) end
  | |- context [ln ?u] => match goal with |- context [ln ?v] => tryif constr_eq u v then fail else
      (replace (ln u) with (ln v) by (f_equal; solve [close])) end
  end.
Ltac exponentials close := rewrite ?exp_twice, ?exp_plus, ?exp_minus, ?exp_Ropp; same_arguments close.
Ltac branches := unfold relu, leaky_relu, step, choose, Rmax, Rmin in *; repeat match goal with
  | |- context [Rlt_dec ?a ?b] => destruct (Rlt_dec a b)
  | |- context [Rle_dec ?a ?b] => destruct (Rle_dec a b)
  | H : context [Rle_dec ?a ?b] |- _ => destruct (Rle_dec a b)
  end; try lra.
