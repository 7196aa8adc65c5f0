"""Losses: each adds the objective L, a scalar, to a program. Means follow PyTorch's reduction="mean"."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import sympy as sp

from symnet.core.expressions import total
from symnet.core.program import Assumption
from symnet.core.tensors import Role, Tensor
from symnet.networks.builder import Builder, over
from symnet.networks.layers import softmax_line


class Loss(ABC):
    """Compares what the network says with the target."""

    @abstractmethod
    def build(self, to: Builder) -> None:
        """Add the target and the objective."""


def _target(to: Builder, note: str = "the target: what the network should say") -> Tensor:
    axes = to.now.axes
    return to.add_input("Y" if len(axes) > 1 else "y", axes, Role.TARGET, note)


def _objective(to: Builder, value: sp.Expr, note: str) -> None:
    to.line("L", (), (), value, note, Role.OBJECTIVE)


def _summed(to: Builder, body: sp.Expr, places: tuple[sp.Symbol, ...]) -> sp.Expr:
    return total(body, tuple((i, *a.range) for i, a in reversed(list(zip(places, to.now.axes, strict=True)))))


def _entries(to: Builder) -> tuple[tuple[sp.Symbol, ...], sp.Expr, sp.Expr, Tensor]:
    out, y = to.now, _target(to)
    places = to.letters(out.axes)
    return places, out[places] if places else out[()], y[places] if places else y[()], out


def _squares(to: Builder, factor: sp.Expr, note: str) -> None:
    places, a, y, _ = _entries(to)
    _objective(to, factor * _summed(to, (a - y) ** 2, places), note)


@dataclass(frozen=True)
class MSELoss(Loss):
    """The mean of (a - y)² over all entries (PyTorch's MSELoss)."""

    def build(self, to: Builder) -> None:
        _squares(to, 1 / sp.Mul(*to.now.shape), "loss: the mean squared error")


@dataclass(frozen=True)
class SquaredError(Loss):
    """The sum of (a - y)²."""

    def build(self, to: Builder) -> None:
        _squares(to, sp.S.One, "loss: the squared error")


@dataclass(frozen=True)
class HalfSquaredError(Loss):
    """Half the sum of (a - y)²; the half cancels the 2 of the derivative (Nielsen 2015, eq. 26)."""

    def build(self, to: Builder) -> None:
        _squares(to, sp.Rational(1, 2), "loss: half the squared error")


@dataclass(frozen=True)
class BCELoss(Loss):
    """-(y log a + (1 - y) log(1 - a)), the mean over all entries; a must lie between 0 and 1."""

    def build(self, to: Builder) -> None:
        places, a, y, out = _entries(to)
        body = y * sp.log(a) + (1 - y) * sp.log(1 - a)
        _objective(to, -_summed(to, body, places) / sp.Mul(*out.shape), "loss: the binary cross-entropy")


@dataclass(frozen=True)
class CrossEntropyLoss(Loss):
    """-Σ_k y_k log p_k with p = softmax(z), the mean over samples. Targets are shares: one-hot rows or probabilities.

    ``normalized=True`` declares Σ_k y_k = 1, and only then is the gradient printed (p - y)/N. Source: Bishop 2006, eq. 4.108.
    """

    normalized: bool = False

    def build(self, to: Builder) -> None:
        softmax_line(to, "p", "softmax of the last layer: shares between 0 and 1 that add up to 1", logarithm=False)
        p, y = to.now, _target(to, "the target: the share each class should get")
        places = to.letters(p.axes)
        body = _summed(to, y[places] * sp.log(p[places]), places)
        samples = sp.Mul(*p.shape[:-1])
        if self.normalized:
            to.assumptions.append(Assumption(over(y[places], places[-1], p.axes[-1]), sp.S.One))
        _objective(to, -body / samples, "loss: the cross-entropy")
