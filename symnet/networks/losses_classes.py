"""Losses on scores and log-probabilities: binary cross-entropy with logits, NLL, Kullback-Leibler, hinge."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

from symnet.core.functions import relu, softplus
from symnet.errors import OptionError, ShapeError, shown
from symnet.networks.arguments import LEGACY, torch_arguments
from symnet.networks.builder import Builder
from symnet.networks.loss_inputs import ENTRIES, amount, check_weight, is_name, number, target
from symnet.networks.losses import REDUCTION, Entrywise, Loss, Reduced
from symnet.networks.losses_indices import check_options, class_loss, class_weights, classes_of


@torch_arguments("weight size_average reduce reduction pos_weight", LEGACY, REDUCTION)
@dataclass(frozen=True)
class BCEWithLogitsLoss(Entrywise):
    """-(y log σ(z) + (1 - y) log(1 - σ(z))) written as softplus(z) - y z, so that it stays finite; the mean over all entries.

    ``pos_weight``, a number or a name, multiplies the first term, which then is written w y softplus(-z) + (1 - y) softplus(z); with
    ``per_class`` the name stands for a number for each place of the last axis. ``weight`` names factors of the terms.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.BCEWithLogitsLoss(), "N"))
    L := Sum(softplus(a[n]) - a[n]*y[n], (n, 1, N))/N
    """

    weight: str | None = None
    pos_weight: object = field(default=None, kw_only=True)
    per_class: bool = field(default=False, kw_only=True)
    about = ("the binary cross-entropy of the scores", "the binary cross-entropy of the scores, summed")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_weight("BCEWithLogitsLoss", self.weight, ENTRIES)
        if self.per_class and not is_name(self.pos_weight):
            raise OptionError("BCEWithLogitsLoss, per_class", f"pos_weight={shown(self.pos_weight)}", 'a name: pos_weight="w"')

    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        if self.per_class:
            if not to.now.axes:
                raise ShapeError("BCEWithLogitsLoss, per_class", "a network with one number as output", "a score for each class")
            weight = class_weights(to, str(self.pos_weight), to.now.axes[-1], to.letters(to.now.axes)[-1])
        else:
            given = 1 if self.pos_weight is None else self.pos_weight
            weight = amount(to, "BCEWithLogitsLoss, pos_weight", given, "weight of the positive class")
        return softplus(a) - y * a if weight == 1 else weight * y * softplus(-a) + (1 - y) * softplus(a)


@torch_arguments("weight size_average ignore_index reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class NLLLoss(Reduced):
    """-Σ_k y_k a_k, the mean over samples, of log-probabilities a (LogSoftmax); a class is given as its one-hot row.

    With ``indices=True`` the targets are class indices 0..K-1, PyTorch's form: -Σ_n Σ_k [k = y[n] + 1] a[n, k]; ``weight`` and
    ``ignore_index`` are those of CrossEntropyLoss.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.NLLLoss(), "N", "d"))
    L := -Sum(A[n, i]*Y[n, i], (i, 1, d), (n, 1, N))/N
    """

    weight: str | None = None
    indices: bool = field(default=False, kw_only=True)
    ignore_index: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_options("NLLLoss", self.weight, self.ignore_index, self.indices)

    def build(self, to: Builder) -> None:
        a, places, note = to.now, to.letters(to.now.axes), "minus the log-probability of the right class"
        if self.indices:
            found = classes_of(to, places, self.ignore_index)
            term, count = class_loss(found, lambda at: a[at], self.weight, 0, self.reduction == "mean")
            self.finish(to, term, places, a.axes, note, 1, count)
            return
        y = target(to, "the target: 1 for the right class, 0 for the others")
        w = class_weights(to, self.weight, a.axes[-1], places[-1])
        self.finish(to, lambda over: -over(w * y[places] * a[places]), places, a.axes, note, 1)


@torch_arguments("size_average reduce reduction log_target", LEGACY, REDUCTION)
@dataclass(frozen=True)
class KLDivLoss(Reduced):
    """y (log y - a) with log-probabilities a and probabilities y, 0 log 0 being 0; with ``log_target`` the target is log y.

    As in PyTorch the mean is over all entries; reduction="batchmean" divides by the number of samples (the first axis), which
    is the mathematical divergence. Source: Kullback & Leibler 1951, eq. 2.4.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.KLDivLoss(), "N"))
    L := (-Sum(a[n]*y[n], (n, 1, N)) + Sum(Piecewise((log(y[n])*y[n], y[n] > 0), (0, True)), (n, 1, N)))/N
    """

    log_target: bool = field(default=False, kw_only=True)
    reductions = ("mean", "sum", "none", "batchmean")

    def build(self, to: Builder) -> None:
        note = "the target: " + ("logarithms of the shares" if self.log_target else "the share each class should get")
        a, y = to.now, target(to, note, "real" if self.log_target else "nonnegative")
        at = to.letters(a.axes)
        if self.log_target:
            parts = sp.exp(y[at]) * (y[at] - a[at]), sp.S.Zero
        else:
            parts = sp.Piecewise((y[at] * sp.log(y[at]), y[at] > 0), (0, sp.true)), y[at] * a[at]
        samples = a.axes[0].size if self.reduction == "batchmean" and a.axes else None
        self.finish(to, lambda over: over(parts[0]) - over(parts[1]), at, a.axes, "the Kullback-Leibler divergence", count=samples)


@torch_arguments("squared")
@dataclass(frozen=True)
class HingeLoss(Entrywise):
    """max(0, 1 - y a) for scores a and targets y of -1 or 1, the mean over all entries; ``squared`` squares each term.

    The slope at the kink is 0. PyTorch has no such class; this is scikit-learn's hinge_loss. Source: Cortes & Vapnik 1995.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.HingeLoss(), "N"))
    L := Sum(relu(-a[n]*y[n] + 1), (n, 1, N))/N
    """

    squared: bool = False
    about = ("the mean hinge loss", "the hinge loss, summed")
    says = "the target: -1 or 1"

    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        return relu(1 - y * a) ** (2 if self.squared else 1)


@torch_arguments("margin size_average reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class HingeEmbeddingLoss(Entrywise):
    """a where y = 1, max(0, margin - a) where y = -1 (PyTorch's HingeEmbeddingLoss); the margin is 1 by default.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.HingeEmbeddingLoss(), "N"))
    L := Sum(Piecewise((a[n], y[n] > 0), (relu(1 - a[n]), True)), (n, 1, N))/N
    """

    margin: object = 1
    about = ("the mean hinge embedding loss", "the hinge embedding loss, summed")
    says = "the target: -1 or 1"

    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        margin = amount(to, "HingeEmbeddingLoss, margin", self.margin, "the margin", "nonnegative")
        return sp.Piecewise((a, y > 0), (relu(margin - a), sp.true))


@torch_arguments("size_average reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class SoftMarginLoss(Entrywise):
    """log(1 + e^(-y a)), written softplus(-y a), for targets y of -1 or 1 (PyTorch's SoftMarginLoss).

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.SoftMarginLoss(), "N"))
    L := Sum(softplus(-a[n]*y[n]), (n, 1, N))/N
    """

    about = ("the mean soft margin loss", "the soft margin loss, summed")
    says = "the target: -1 or 1"

    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        return softplus(-y * a)


@torch_arguments("log_input full size_average eps reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class PoissonNLLLoss(Entrywise):
    """e^a - y a for the log-rate a, or a - y log(a + eps) for the rate a with ``log_input=False``.

    ``full`` adds Stirling's y log y - y + log(2πy)/2 where y > 1. Source: docs.pytorch.org, torch.nn.PoissonNLLLoss.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.PoissonNLLLoss(), "N"))
    L := Sum(exp(a[n]) - a[n]*y[n], (n, 1, N))/N
    """

    log_input: bool = True
    full: bool = False
    eps: object = "1e-8"
    about = ("the mean Poisson loss", "the Poisson loss, summed")
    says = "the target: a count"

    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        least = number("PoissonNLLLoss, eps", self.eps, "nonnegative")
        each = sp.exp(a) - y * a if self.log_input else a - y * sp.log(a + least)
        if not self.full:
            return each
        return each + sp.Piecewise((y * sp.log(y) - y + sp.log(2 * sp.pi * y) / 2, y > 1), (0, sp.true))


CLASSES: tuple[type[Loss], ...] = (
    BCEWithLogitsLoss, NLLLoss, KLDivLoss, HingeLoss, HingeEmbeddingLoss, SoftMarginLoss, PoissonNLLLoss)
