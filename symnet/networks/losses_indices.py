"""Targets that are class indices: y[n] is one of 0..C-1, as PyTorch's integer targets, and [c = y[n] + 1] picks its class.

The indices of a program count from 1, those in an array from 0, hence the + 1. Such a bracket is an index program like any other; its
gradient is again one, P - onehot(y) for the cross-entropy. Source: docs.pytorch.org, torch.nn.CrossEntropyLoss, NLLLoss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.expressions import When, total
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, shown
from symnet.networks.builder import Builder
from symnet.networks.loss_inputs import CLASSES, Places, Summed, amount, check_weight, given, summed


@dataclass(frozen=True)
class Classes:
    """The classes of samples under one network: the target y, the indices of its places and the index c of the class."""

    to: Builder
    target: Tensor
    places: Places
    axes: tuple[Axis, ...]

    @property
    def entry(self) -> sp.Expr:
        """y[n]."""
        return self.target[self.places[:-1] if self.target.axes else ()]

    @property
    def kept(self) -> sp.Basic:
        """y[n] ≠ ignored."""
        return sp.true if self.target.ignored is None else sp.Ne(self.entry, self.target.ignored)

    @property
    def mine(self) -> sp.Basic:
        """c = y[n] + 1, and y[n] ≠ ignored."""
        return sp.And(sp.Eq(self.places[-1], self.entry + 1), self.kept)

    def summed(self, body: sp.Expr, condition: sp.Basic) -> sp.Expr:
        """Σ over samples and classes of [condition] body."""
        return summed(When(body, condition), self.places, self.axes)


def classes_of(to: Builder, places: Places, ignored: int | None) -> Classes:
    """The target y of whole numbers, one for each sample, under the scores that flow."""
    *rest, last = to.now.axes
    note = f"the class of each sample, counted from 0: one of 0, …, {last.size - 1}"
    note += "" if ignored is None else f"; {ignored} marks a sample that is left out"
    y = Tensor("Y" if len(rest) > 1 else "y", tuple(rest), "index", Role.TARGET, note=note, classes=last.size, ignored=ignored)
    to.inputs.append(y)
    return Classes(to, y, places, to.now.axes)


def check_options(where: str, weight: object, ignored: object, indices: bool) -> None:
    """Raise OptionError for options that say nothing."""
    check_weight(where, weight, CLASSES)
    if ignored is not None and (not indices or isinstance(ignored, bool) or not isinstance(ignored, int)):
        raise OptionError(f"{where}, ignore_index", shown(ignored), "a whole number, with indices=True")


def class_weights(to: Builder, weight: str | None, axis: Axis, c: sp.Symbol) -> sp.Expr:
    """w[c], or 1."""
    return sp.S.One if weight is None else given(to, weight, (axis,), Role.CONSTANT, "the weight of each class", "nonnegative")[c]


def class_loss(found: Classes, score: Callable[[Places], sp.Expr], weight: str | None, smoothing: object,
               mean: bool) -> tuple[Callable[[Summed], sp.Expr], sp.Expr]:
    """-Σ_c [c = y[n] + 1] w[c] log p[n, c], the term of a sample, and Σ_n w[y[n]] for the mean; ignored samples count nowhere.

    With smoothing ε the bracket becomes q[n, c] = (1 - ε)[c = y[n] + 1] + ε/C.
    """
    to, places, axes = found.to, found.places, found.axes
    w = class_weights(to, weight, axes[-1], places[-1])
    epsilon = amount(to, "label_smoothing", smoothing, "the share spread over all classes", "nonnegative")
    now = to.now
    below = _count(found, w) if mean else sp.S.One
    if epsilon == 0:
        body = When(w * score(places), found.mine)
    else:
        share = (1 - epsilon) * When(sp.S.One, found.mine) + When(epsilon / axes[-1].size, found.kept)
        q = to.line("q", axes, places, share, "the smoothed target: a little of each share goes to all classes")
        body = w * q[places] * score(places)
    to.now = now
    return lambda over: -over(body), below


def _count(found: Classes, w: sp.Expr) -> sp.Expr:
    """Σ_n w[y[n]]: the number of samples where the weights are 1; a line of its own unless it is N."""
    to, axes = found.to, found.axes[:-1]
    if w == 1 and found.kept is sp.true:
        return sp.Mul(*[a.size for a in axes])
    if w == 1:
        value = summed(When(sp.S.One, found.kept), found.places[:-1], axes)
        return to.line("M", (), (), value, "how many samples are not ignored")[()]
    each = total(When(w, found.mine), ((found.places[-1], *found.axes[-1].range),))
    if not axes:
        return to.line("M", (), (), each, "the weight of the class")[()]
    m = to.line("m", axes, found.places[:-1], each, "the weight of each sample: that of its class")
    return to.line("M", (), (), summed(m[found.places[:-1]], found.places[:-1], axes), "the weights of all samples together")[()]
