From Coq Require Import Reals Lra Lia.
From Coquelicot Require Import Coquelicot.
Open Scope R_scope.

(* least-squares: the gradient of a sum of squares over n + 1 samples, for every n and every entry of the samples. *)
Definition squares (x y : nat -> R) (n : nat) (w : R) : R := sum_n (fun i => (w * x i - y i) ^ 2) n.
Theorem least_squares (x y : nat -> R) (n : nat) (w : R) :
  is_derive (squares x y n) w (sum_n (fun i => 2 * (w * x i - y i) * x i) n).
Proof.
  apply (is_derive_sum_n (fun i w => (w * x i - y i) ^ 2) n w (fun i => 2 * (w * x i - y i) * x i)).
  intros k K. auto_derive. exact I. ring.
Qed.

(* depth: layers a(l+1) = phi (w l * a l + b l) of any number, any differentiable phi. *)
Fixpoint activation (phi : R -> R) (w b : nat -> R) (l : nat) (x : R) : R :=
  match l with O => x | S k => phi (w k * activation phi w b k x + b k) end.
Fixpoint slope (phi dphi : R -> R) (w b : nat -> R) (l : nat) (x : R) : R :=
  match l with O => 1 | S k => dphi (w k * activation phi w b k x + b k) * w k * slope phi dphi w b k x end.
Theorem depth (phi dphi : R -> R) (w b : nat -> R) : (forall z, is_derive phi z (dphi z)) ->
  forall (l : nat) (x : R), is_derive (activation phi w b l) x (slope phi dphi w b l x).
Proof.
  intros H l x. induction l as [|k IH]; simpl.
  - apply @is_derive_id.
  - evar_last.
    + apply (is_derive_comp phi (fun t => w k * activation phi w b k t + b k)). apply H.
      apply @is_derive_plus. apply is_derive_scal, IH. apply is_derive_const.
    + unfold plus, scal, mult, zero; simpl; unfold mult; simpl. ring.
Qed.

(* vanishing: the slope through l layers is at most (m W)^l where |phi'| <= m and |w| <= W. *)
Theorem vanishing (phi dphi : R -> R) (w b : nat -> R) (m W : R) : (forall z, Rabs (dphi z) <= m) -> (forall k, Rabs (w k) <= W) ->
  forall (l : nat) (x : R), Rabs (slope phi dphi w b l x) <= (m * W) ^ l.
Proof.
  intros M K. assert (0 <= m) by (eapply Rle_trans; [apply Rabs_pos | apply (M 0)]).
  assert (0 <= W) by (eapply Rle_trans; [apply Rabs_pos | apply (K O)]).
  intros l x. induction l as [|k IH]; simpl.
  - rewrite Rabs_R1. lra.
  - rewrite !Rabs_mult. apply Rmult_le_compat; try apply Rmult_le_pos; try apply Rabs_pos.
    + apply Rmult_le_compat; try apply Rabs_pos; auto.
    + exact IH.
Qed.

(* sigmoid-slope: the slope of a sigmoid is at most 1/4. *)
Theorem sigmoid_slope (a : R) : 0 <= a <= 1 -> 0 <= a * (1 - a) <= 1 / 4.
Proof. intros. split; [nra|]. pose proof (pow2_ge_0 (a - 1 / 2)). nra. Qed.

(* loss-scaling: with losses L_k that may change from step to step, dividing them by c is dividing the learning rates by c, for all n steps. *)
Fixpoint descent (rate : nat -> R) (loss : nat -> R -> R) (n : nat) (w : R) : R :=
  match n with O => w | S k => descent rate loss k w - rate k * Derive (loss k) (descent rate loss k w) end.
Theorem loss_scaling (rate : nat -> R) (loss : nat -> R -> R) (c : R) : c <> 0 ->
  forall (n : nat) (w : R), descent rate (fun k w => loss k w / c) n w = descent (fun k => rate k / c) loss n w.
Proof.
  intros C n w. induction n as [|k IH]; simpl. reflexivity.
  rewrite IH. rewrite (Derive_ext _ (fun w => / c * loss k w)) by (intros; field; exact C). rewrite Derive_scal. field. exact C.
Qed.

(* descent-lemma: one step of length 1/K down a function whose slope is K-Lipschitz lowers it by at least f'(x)^2/(2K). *)
Theorem descent_lemma (f df : R -> R) (K : R) : 0 < K -> (forall x, is_derive f x (df x)) ->
  (forall x y, Rabs (df x - df y) <= K * Rabs (x - y)) -> forall x, f (x - df x / K) <= f x - df x ^ 2 / (2 * K).
Proof.
  intros P D Lip x. set (c := df x).
  set (g := fun t => f (x - t * c) + t * c ^ 2 - K / 2 * t ^ 2 * c ^ 2).
  assert (G : forall t, is_derive g t (- c * df (x - t * c) + c ^ 2 - K * t * c ^ 2)).
  { intros t. unfold g. auto_derive. repeat split; eexists; apply D. change (fun u : R => f u) with f.
    rewrite (is_derive_unique f _ _ (D _)). replace (x + - (t * c)) with (x - t * c) by ring. field. }
  assert (0 < / K) by (apply Rinv_0_lt_compat; lra).
  assert (M : g (/ K) - g 0 <= 0).
  { destruct (MVT_gen g 0 (/ K) (fun t => - c * df (x - t * c) + c ^ 2 - K * t * c ^ 2)) as (t & T & E).
    - intros; apply G.
    - intros t T. apply continuity_pt_filterlim, (ex_derive_continuous (V := R_NormedModule) g t). eexists; apply G.
    - rewrite Rmin_left in T by lra. rewrite Rmax_right in T by lra. rewrite E.
      replace 0 with (0 * (/ K - 0)) at 2 by ring. apply Rmult_le_compat_r; [lra|].
      pose proof (Lip x (x - t * c)) as A. fold c in A. replace (x - (x - t * c)) with (t * c) in A by ring.
      rewrite Rabs_mult, (Rabs_pos_eq t) in A by lra.
      assert (B : c * (c - df (x - t * c)) <= Rabs c * (K * (t * Rabs c))).
      { eapply Rle_trans. apply Rle_abs. rewrite Rabs_mult. apply Rmult_le_compat_l. apply Rabs_pos. exact A. }
      assert (Q : Rabs c * Rabs c = c ^ 2) by (rewrite <- Rabs_mult; simpl; rewrite Rmult_1_r; apply Rabs_pos_eq; nra).
      replace (Rabs c * (K * (t * Rabs c))) with (K * t * (Rabs c * Rabs c)) in B by ring. rewrite Q in B. nra. }
  unfold g in M. replace (x - / K * c) with (x - c / K) in M by (unfold Rdiv; ring). replace (x - 0 * c) with x in M by ring.
  assert (E : / K * c ^ 2 - K / 2 * (/ K) ^ 2 * c ^ 2 = c ^ 2 / (2 * K)) by (field; lra). lra.
Qed.

Definition every_theorem := (least_squares, (depth, (vanishing, (sigmoid_slope, (loss_scaling, descent_lemma))))).
Print Assumptions every_theorem.
