"""Losses with margins between scores, and losses made of a layer and a loss, by PyTorch's names."""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

from symnet.core.expressions import When
from symnet.core.functions import relu, softplus
from symnet.core.tensors import Role
from symnet.errors import OptionError, ShapeError, shown
from symnet.networks.arguments import LEGACY, NONE, PLACE, torch_arguments
from symnet.networks.builder import Builder, over
from symnet.networks.layers import Linear, Size
from symnet.networks.loss_inputs import CLASSES, amount, check_weight, given, target
from symnet.networks.losses import REDUCTION, CrossEntropyLoss, Loss, Reduced
from symnet.networks.losses_indices import class_weights, classes_of
from symnet.networks.losses_pairs import TripletMarginLoss


@torch_arguments("margin size_average reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class MarginRankingLoss(Reduced):
    """max(0, -y (a - v) + margin), the mean over all entries: y = 1 where the output a should rank above the other input v, else -1.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.MarginRankingLoss(), "N"))
    L := Sum(relu(-(-V[n] + a[n])*y[n]), (n, 1, N))/N
    """

    margin: object = 0
    other: str = field(default="V", kw_only=True)

    def build(self, to: Builder) -> None:
        a = to.now
        v = given(to, self.other, a.axes, Role.INPUT, "the scores to compare with")
        y = target(to, "the target: 1 where the output should rank above the other score, -1 where below")
        margin, at = amount(to, "MarginRankingLoss, margin", self.margin, "the margin", "real"), to.letters(a.axes)
        body = relu(-y[at] * (a[at] - v[at]) + margin)
        self.finish(to, lambda over: over(body), at, a.axes, "the margin ranking loss")


@torch_arguments("p margin weight size_average reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class MultiMarginLoss(Reduced):
    """Σ_{c ≠ y} max(0, margin - a[y] + a[c])^p / C, the mean over samples, for class indices y (PyTorch's), counted from 0.

    ``weight`` names the weights of the classes: the term of a sample is multiplied by that of its class; the mean divides by N.
    Source: Crammer & Singer 2001 (its sum in place of the maximum); Weston & Watkins 1999, eq. 6.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.MultiMarginLoss(), "N", "C").definitions[0])
    u[n] := Sum(When(A[n, i], Eq(i, y[n] + 1)), (i, 1, C))
    """

    p: int = 1
    margin: object = 1
    weight: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_weight("MultiMarginLoss", self.weight, CLASSES)
        if self.p not in (1, 2) or isinstance(self.p, bool):
            raise OptionError("MultiMarginLoss, p", shown(self.p), "1 or 2")

    def build(self, to: Builder) -> None:
        a, places = to.now, to.letters(to.now.axes)
        if not a.axes:
            raise ShapeError("MultiMarginLoss", "a network with one number as output", "a score for each class")
        found = classes_of(to, places, None)
        rest, c = places[:-1], places[-1]
        own = over(When(a[places], found.mine), c, a.axes[-1])
        u = to.line("u", a.axes[:-1], rest, own, "the score of the right class")
        factor = sp.S.One
        if self.weight is not None:
            mine = over(When(class_weights(to, self.weight, a.axes[-1], c), found.mine), c, a.axes[-1])
            factor = to.line("m", a.axes[:-1], rest, mine, "the weight of each sample: that of its class")[rest]
        margin = amount(to, "MultiMarginLoss, margin", self.margin, "the margin")
        body = When(factor * relu(margin - u[rest] + a[places]) ** self.p, sp.Ne(c, found.entry + 1))
        self.finish(to, lambda over: over(body) / a.axes[-1].size, places, a.axes, "the multi-class margin loss", 1)


@torch_arguments("size_average reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class MultiLabelMarginLoss(Reduced):
    """Σ_j Σ_i y[j] (1 - y[i]) max(0, 1 - a[j] + a[i]) / C, the mean over samples; y is 1 for each label that holds, else 0.

    PyTorch's target is the list of the labels that hold, filled up with -1.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.MultiLabelMarginLoss(), "N", "C"))
    L := Sum((1 - Y[n, j])*relu(-A[n, i] + A[n, j] + 1)*Y[n, i], (j, 1, C), (i, 1, C), (n, 1, N))/(C*N)
    """

    def build(self, to: Builder) -> None:
        a = to.now
        if not a.axes:
            raise ShapeError("MultiLabelMarginLoss", "a network with one number as output", "a score for each label")
        y = target(to, "the target: 1 for a label that holds, 0 for another")
        *rest, i, j = to.letters((*a.axes, a.axes[-1]))
        body = y[(*rest, i)] * (1 - y[(*rest, j)]) * relu(1 - a[(*rest, i)] + a[(*rest, j)])
        size, axes = a.axes[-1].size, (*a.axes, a.axes[-1])
        self.finish(to, lambda over: over(body) / size, (*rest, i, j), axes, "the multi-label margin loss", 2)


@torch_arguments("weight size_average reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class MultiLabelSoftMarginLoss(Reduced):
    """The binary cross-entropy of the scores, softplus(a) - y a, its mean over the labels and then over samples.

    ``weight`` names the weights of the labels.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.MultiLabelSoftMarginLoss(), "N", "C"))
    L := Sum(softplus(A[n, i]) - A[n, i]*Y[n, i], (i, 1, C), (n, 1, N))/(C*N)
    """

    weight: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_weight("MultiLabelSoftMarginLoss", self.weight, CLASSES)

    def build(self, to: Builder) -> None:
        a = to.now
        if not a.axes:
            raise ShapeError("MultiLabelSoftMarginLoss", "a network with one number as output", "a score for each label")
        y, at = target(to, "the target: 1 for a label that holds, 0 for another"), to.letters(a.axes)
        body = class_weights(to, self.weight, a.axes[-1], at[-1]) * (softplus(a[at]) - y[at] * a[at])
        self.finish(to, lambda over: over(body) / a.axes[-1].size, at, a.axes, "the multi-label soft margin loss", 1)


@torch_arguments("", {"distance_function": NONE})
@dataclass(frozen=True)
class TripletMarginWithDistanceLoss(Reduced):
    """TripletMarginLoss with PyTorch's default distance, ‖x - y + 1e-6‖₂; a distance of one's own is a program of one's own.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.TripletMarginWithDistanceLoss(), "N", "d").definitions[-1])
    L := Sum(relu(rho1[n] - rho2[n] + 1), (n, 1, N))/N
    """

    margin: object = field(default=1, kw_only=True)
    swap: bool = field(default=False, kw_only=True)
    positive: str = field(default="U", kw_only=True)
    negative: str = field(default="V", kw_only=True)

    def build(self, to: Builder) -> None:
        TripletMarginLoss(self.margin, swap=self.swap, reduction=self.reduction, positive=self.positive, negative=self.negative).build(to)


@torch_arguments("in_features num_classes",
                 PLACE | {"out_features": ((),), "options": NONE})
@dataclass(frozen=True)
class LinearCrossEntropyLoss(Reduced):
    """A linear layer to the scores of the classes and the cross-entropy of class indices, as one loss.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.LinearCrossEntropyLoss("d", "C"), "N", "d").definitions[0])
    z1[n, j] := Sum(A[n, i]*W1[i, j], (i, 1, d))
    """

    in_features: Size
    num_classes: Size
    bias: bool = field(default=False, kw_only=True)
    weight: str | None = field(default=None, kw_only=True)
    ignore_index: int | None = field(default=None, kw_only=True)
    label_smoothing: object = field(default=0, kw_only=True)

    def build(self, to: Builder) -> None:
        Linear(self.in_features, self.num_classes, self.bias).build(to)
        CrossEntropyLoss(self.weight, ignore_index=self.ignore_index, label_smoothing=self.label_smoothing, indices=True,
                         reduction=self.reduction).build(to)


MARGINS: tuple[type[Loss], ...] = (
    MarginRankingLoss, MultiMarginLoss, MultiLabelMarginLoss, MultiLabelSoftMarginLoss, TripletMarginWithDistanceLoss,
    LinearCrossEntropyLoss)
