"""Losses by PyTorch's names: each adds the objective L to a program. ``reduction`` is PyTorch's: "mean" and "sum" make L a scalar, "none"
keeps the terms, one for each entry or sample (``jacobian`` differentiates such an L; ``derive`` and ``fit`` ask for a scalar).

A constant of a loss is a number or a name: ``HuberLoss(delta="delta")`` keeps δ as a symbol.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.numbers import rational
from symnet.core.program import Assumption
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, a_kind, shown
from symnet.networks.arguments import LEGACY, torch_arguments
from symnet.networks.builder import Builder, over
from symnet.networks.layers import softmax_line
from symnet.networks.loss_inputs import ENTRIES, Places, Summed, amount, check_weight, entry_weights, is_name, summed, target
from symnet.networks.losses_indices import check_options, class_loss, class_weights, classes_of

HALF = sp.Rational(1, 2)
REDUCTION = dict.fromkeys(("size_average", "reduce", "weight"), "reduction=\"mean\", \"sum\" or \"none\" by its name")


class Loss(ABC):
    """Compares what the network says with the target.

    >>> import symnet as sn
    >>> isinstance(sn.MSELoss(), sn.Loss), issubclass(sn.BCELoss, sn.Loss)
    (True, True)
    """

    @abstractmethod
    def build(self, to: Builder) -> None:
        """Add the target and the objective."""


def as_loss(loss: Any) -> Loss:
    """``loss``, or what its class makes without arguments. Raises OptionError for anything else."""
    if isinstance(loss, type) and issubclass(loss, Loss):
        try:
            return loss()
        except TypeError:
            raise OptionError("loss", f"the class {loss.__name__}", f"a loss: {loss.__name__}(…) with its arguments") from None
    if not isinstance(loss, Loss):
        raise OptionError("loss", a_kind(loss) if isinstance(loss, type) else shown(loss), "a loss such as MSELoss()")
    return loss


@dataclass(frozen=True)
class Reduced(Loss):
    """A loss of many terms, of which ``reduction`` takes the mean or the sum, or leaves all."""

    reduction: str = field(default="mean", kw_only=True)
    reductions: ClassVar[tuple[str, ...]] = ("mean", "sum", "none")

    def __post_init__(self) -> None:
        if self.reduction not in self.reductions:
            *first, last = [f'"{r}"' for r in self.reductions]
            raise OptionError(f"{type(self).__name__}, reduction", shown(self.reduction), f"{', '.join(first)} or {last}")

    def finish(self, to: Builder, term: Callable[[Summed], sp.Expr], places: Places, axes: tuple[Axis, ...], note: str, within: int = 0,
               count: sp.Expr | None = None) -> None:
        """L: one term for each place of ``axes`` but the last ``within``, over which every term is a sum itself, or their sum or mean.

        ``term`` writes it with the function it gets, which sums: over the axes within a term, or over all, so that the sums are one.
        ``count`` is what the mean divides by where that is not the number of terms.
        """
        kept = len(axes) - within
        if self.reduction == "none":
            value = term(lambda body: summed(body, places[kept:], axes[kept:]))
            to.line("L", axes[:kept], places[:kept], value, f"loss: {note}", Role.OBJECTIVE)
            return
        value = term(lambda body: summed(body, places, axes))
        if self.reduction != "sum":
            value = value / (sp.Mul(*[a.size for a in axes[:kept]]) if count is None else count)
        to.line("L", (), (), value, f"loss: {note}", Role.OBJECTIVE)


@dataclass(frozen=True)
class Entrywise(Reduced):
    """A loss with one term for each entry a of the output and y of the target: factor · Σ each(a, y)."""

    factor: ClassVar[sp.Expr] = sp.S.One
    about: ClassVar[tuple[str, str]] = ("the mean", "the sum")  # what the loss is called for either reduction
    says: ClassVar[str] = "the target: what the network should say"

    def build(self, to: Builder) -> None:
        a, y = to.now, target(to, self.says)
        places = to.letters(a.axes)
        each = self.each(to, a[places], y[places])
        weight: object = getattr(self, "weight", None)
        if weight is not None:
            each = entry_weights(to, f"{type(self).__name__}, weight", weight, a.axes, places) * each
        own = f"{self.about[1].removesuffix(', summed')} of each entry"
        note = own if self.reduction == "none" else self.about[self.reduction == "sum"]
        self.finish(to, lambda over: self.factor * over(each), places, a.axes, note)

    @abstractmethod
    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        """The term of one entry."""


@torch_arguments("size_average reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class MSELoss(Entrywise):
    """The mean of (a - y)² over all entries (PyTorch's MSELoss).

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.MSELoss(), "N"))
    L := Sum((a[n] - y[n])**2, (n, 1, N))/N
    """

    about = ("the mean squared error", "the squared error")

    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        return (a - y) ** 2


@torch_arguments()
@dataclass(frozen=True)
class SquaredError(MSELoss):
    """The sum of (a - y)²: MSELoss with reduction="sum".

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.SquaredError(), "N"))
    L := Sum((a[n] - y[n])**2, (n, 1, N))
    """

    reduction: str = field(default="sum", kw_only=True)


@torch_arguments()
@dataclass(frozen=True)
class HalfSquaredError(MSELoss):
    """Half the sum of (a - y)²; the half cancels the 2 of the derivative (Nielsen 2015, eq. 26).

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.HalfSquaredError(), "N"))
    L := Sum((a[n] - y[n])**2, (n, 1, N))/2
    """

    factor = HALF
    about = ("half the mean squared error", "half the squared error")
    reduction: str = field(default="sum", kw_only=True)


@torch_arguments("size_average reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class L1Loss(Entrywise):
    """The mean of |a - y| over all entries, with slope 0 where a = y.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.L1Loss(), "N"))
    L := Sum(Abs(a[n] - y[n]), (n, 1, N))/N
    """

    about = ("the mean absolute error", "the absolute error")

    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        return sp.Abs(a - y)


@torch_arguments("reduction delta")
@dataclass(frozen=True)
class HuberLoss(Entrywise):
    """(a - y)²/2 where |a - y| ≤ δ, δ(|a - y| - δ/2) elsewhere; PyTorch's default δ = 1. Source: Huber 1964, eq. 1.2.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.HuberLoss(delta="delta"), "N"))
    L := Sum(Piecewise(((a[n] - y[n])**2/2, delta >= Abs(a[n] - y[n])), (delta*(-delta/2 + Abs(a[n] - y[n])), True)), (n, 1, N))/N
    """

    reduction: str = field(default="mean", kw_only=False)
    delta: object = 1
    about = ("the mean Huber loss", "the Huber loss, summed")

    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        delta = amount(to, "HuberLoss, delta", self.delta, "where the squared error ends")
        size = sp.Abs(a - y)
        return sp.Piecewise(((a - y) ** 2 / 2, size <= delta), (delta * (size - delta / 2), sp.true))


@torch_arguments("size_average reduce reduction beta", LEGACY, REDUCTION)
@dataclass(frozen=True)
class SmoothL1Loss(Entrywise):
    """(a - y)²/(2β) where |a - y| < β, |a - y| - β/2 elsewhere; PyTorch's default β = 1. It is HuberLoss(β)/β, and L1 for β = 0.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.SmoothL1Loss(), "N"))
    L := Sum(Piecewise(((a[n] - y[n])**2/2, Abs(a[n] - y[n]) < 1), (Abs(a[n] - y[n]) - 1/2, True)), (n, 1, N))/N
    """

    beta: object = field(default=1, kw_only=True)
    about = ("the mean smooth absolute error", "the smooth absolute error, summed")

    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        domain = "positive" if is_name(self.beta) else "nonnegative"
        beta = amount(to, "SmoothL1Loss, beta", self.beta, "where the squared error ends", domain)
        size = sp.Abs(a - y)
        return size if beta == 0 else sp.Piecewise(((a - y) ** 2 / (2 * beta), size < beta), (size - beta / 2, sp.true))


@torch_arguments("weight size_average reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class BCELoss(Entrywise):
    """-(y log a + (1 - y) log(1 - a)), the mean over all entries; a must lie between 0 and 1. ``weight`` names factors of the terms.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.BCELoss(), "N"))
    L := -Sum((1 - y[n])*log(1 - a[n]) + log(a[n])*y[n], (n, 1, N))/N
    """

    weight: str | None = None
    factor = sp.S.NegativeOne
    about = ("the binary cross-entropy", "the binary cross-entropy, summed")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_weight("BCELoss", self.weight, ENTRIES)

    def each(self, to: Builder, a: sp.Expr, y: sp.Expr) -> sp.Expr:
        return y * sp.log(a) + (1 - y) * sp.log(1 - a)


@torch_arguments("weight size_average ignore_index reduce reduction label_smoothing", LEGACY, REDUCTION)
@dataclass(frozen=True)
class CrossEntropyLoss(Reduced):
    """-Σ_k y_k log p_k with p = softmax(z), the mean over samples. Targets are shares: a row of them for each sample.

    With ``indices=True`` they are class indices, as PyTorch's integer targets: y[n] is one of 0..K-1, and the loss is
    -Σ_n Σ_k [k = y[n] + 1] log p[n, k] (a program counts from 1). ``ignore_index`` is a class that marks samples to leave out
    (PyTorch's is -100 unless told; here none is). ``weight`` names the weights of the classes, an input of K numbers; PyTorch's mean
    then divides by Σ_n w[y[n]] for indices, by N for shares. ``label_smoothing`` ε puts (1 - ε) y_k + ε/K in place of y_k, K the number
    of classes. ``normalized=True`` declares Σ_k y_k = 1, and only then is the gradient printed (p - y)/N; indices need no such word.
    The classes are the last axis. Sources: Bishop 2006, eq. 4.108; Szegedy et al. 2016, section 7.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.CrossEntropyLoss(), "N", "d"))
    p[n, i] := exp(A[n, i])/Sum(exp(A[n, i1]), (i1, 1, d))
    L := -Sum(log(p[n, i])*Y[n, i], (i, 1, d), (n, 1, N))/N
    """

    weight: str | None = None
    ignore_index: int | None = field(default=None, kw_only=True)
    label_smoothing: object = field(default=0, kw_only=True)
    indices: bool = field(default=False, kw_only=True)
    normalized: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_options("CrossEntropyLoss", self.weight, self.ignore_index, self.indices)
        if not is_name(self.label_smoothing) and not 0 <= rational(self.label_smoothing) <= 1:
            raise OptionError("CrossEntropyLoss, label_smoothing", str(self.label_smoothing), "a number from 0 to 1")

    def build(self, to: Builder) -> None:
        softmax_line(to, "p", "softmax of the last layer: shares between 0 and 1 that add up to 1", logarithm=False)
        note = "the cross-entropy" + (", summed" if self.reduction == "sum" else "")
        if self.indices:
            p, places = to.now, to.letters(to.now.axes)
            found = classes_of(to, places, self.ignore_index)
            term, count = class_loss(found, lambda at: sp.log(p[at]), self.weight, self.label_smoothing, self.reduction == "mean")
            self.finish(to, term, places, p.axes, note, 1, count)
            return
        p, y = to.now, target(to, "the target: the share each class should get")
        places = to.letters(p.axes)
        wanted = self._smoothed(to, y, places)
        if self.normalized:
            to.assumptions.append(Assumption(over(y[places], places[-1], p.axes[-1]), sp.S.One))
        w = class_weights(to, self.weight, p.axes[-1], places[-1])
        self.finish(to, lambda over: -over(w * wanted[places] * sp.log(p[places])), places, p.axes, note, 1)

    def _smoothed(self, to: Builder, y: Tensor, places: Places) -> Tensor:
        """q := (1 - ε) y + ε/K, or y itself without smoothing."""
        smoothing = amount(to, "label_smoothing", self.label_smoothing, "the share spread over all classes", "nonnegative")
        if smoothing == 0:
            return y
        share = (1 - smoothing) * y[places] + smoothing / y.axes[-1].size
        return to.line("q", y.axes, places, share, "the smoothed target: a little of each share goes to all classes")
