"""Losses on scores and log-probabilities: binary cross-entropy with logits, NLL, Kullback-Leibler, hinge."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

from symnet.core.functions import relu, softplus
from symnet.networks.arguments import LEGACY, NONE, torch_arguments
from symnet.networks.builder import Builder
from symnet.networks.loss_inputs import amount, summed, target
from symnet.networks.losses import REDUCTION, Entrywise, Loss, Reduced
from symnet.networks.losses_indices import check_options, class_loss, class_weights, classes_of


@torch_arguments("weight size_average reduce reduction pos_weight", LEGACY | {"weight": NONE}, REDUCTION)
@dataclass(frozen=True)
class BCEWithLogitsLoss(Entrywise):
    """-(y log σ(z) + (1 - y) log(1 - σ(z))) written as softplus(z) - y z, so that it stays finite; the mean over all entries.

    ``pos_weight`` multiplies the first term, which then is written w y softplus(-z) + (1 - y) softplus(z).

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.BCEWithLogitsLoss(), "N"))
    L := Sum(softplus(a[n]) - a[n]*y[n], (n, 1, N))/N
    """

    pos_weight: object = field(default=1, kw_only=True)
    about = ("the binary cross-entropy of the scores", "the binary cross-entropy of the scores, summed")

    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        weight = amount(to, "BCEWithLogitsLoss, pos_weight", self.pos_weight, "weight of the positive class")
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
            self.objective(to, class_loss(found, lambda at: a[at], self.weight, 0, self.reduction == "mean"), note)
            return
        y = target(to, "the target: 1 for the right class, 0 for the others")
        value = -summed(class_weights(to, self.weight, a.axes[-1], places[-1]) * y[places] * a[places], places, a.axes)
        self.objective(to, self.reduced(value, a.axes[:-1]), note)


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

    def __post_init__(self) -> None:
        if self.reduction != "batchmean":
            super().__post_init__()

    def build(self, to: Builder) -> None:
        note = "the target: " + ("logarithms of the shares" if self.log_target else "the share each class should get")
        a, y = to.now, target(to, note, "real" if self.log_target else "nonnegative")
        at = to.letters(a.axes)
        if self.log_target:
            value = summed(sp.exp(y[at]) * (y[at] - a[at]), at, a.axes)
        else:
            own = sp.Piecewise((y[at] * sp.log(y[at]), y[at] > 0), (0, sp.true))
            value = summed(own, at, a.axes) - summed(y[at] * a[at], at, a.axes)
        value = value / a.axes[0].size if self.reduction == "batchmean" and a.axes else self.reduced(value, a.axes)
        self.objective(to, value, "the Kullback-Leibler divergence")


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


@torch_arguments("log_input full size_average eps reduce reduction",
                 LEGACY | {"log_input": (True,), "full": (False,), "eps": (1e-8,)}, REDUCTION)
@dataclass(frozen=True)
class PoissonNLLLoss(Entrywise):
    """e^a - y a for the log-rate a (PyTorch's PoissonNLLLoss with its defaults, without Stirling's term).

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.PoissonNLLLoss(), "N"))
    L := Sum(exp(a[n]) - a[n]*y[n], (n, 1, N))/N
    """

    about = ("the mean Poisson loss", "the Poisson loss, summed")
    says = "the target: a count"

    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        return sp.exp(a) - y * a


CLASSES: tuple[type[Loss], ...] = (
    BCEWithLogitsLoss, NLLLoss, KLDivLoss, HingeLoss, HingeEmbeddingLoss, SoftMarginLoss, PoissonNLLLoss)
