"""Padding layers by PyTorch's names: a signal X[n, c, i, …] continued beyond its ends by a number or by its own entries.

``padding`` is one number for all sides, or two for each axis as PyTorch counts them, the last axis first: (left, right, top, bottom,
front, back). Source: docs.pytorch.org, torch.nn, padding layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import sympy as sp

from symnet.core.axes import Axis, nonnegative
from symnet.core.expressions import When
from symnet.core.numbers import rational
from symnet.core.tensors import Tensor
from symnet.errors import OptionError, ShapeError, shown
from symnet.networks.arguments import torch_arguments
from symnet.networks.builder import Builder
from symnet.networks.layers import Layer
from symnet.networks.windows import letters, signal, signal_letters, whole

Paddings = int | tuple[int, ...]
Beyond = tuple[Callable[[sp.Expr, sp.Expr, sp.Expr], tuple[sp.Expr, sp.Expr]], int]  # the places before and behind, how many are left out

# Where place i of the padded signal looks before its first and behind its last entry: i, the length T, how many stand before.
REFLECT: Beyond = (lambda i, length, low: (low + 2 - i, 2 * length + low - i), 1)
REPLICATE: Beyond = (lambda i, length, low: (sp.S.One, length), 0)
CIRCULAR: Beyond = (lambda i, length, low: (length - low + i, i - low - length), 0)
MODES = {"reflect": REFLECT, "replicate": REPLICATE, "circular": CIRCULAR}


def extend(to: Builder, where: str, at: int, sides: tuple[int, int], beyond: Beyond | None, value: sp.Expr = sp.S.Zero) -> Tensor:
    """Add the signal with so many places before and behind along axis ``at``: its own entries, or ``value`` where beyond is None."""
    x, (low, high) = to.now, sides
    if low == high == 0:
        return x
    axis = x.axes[at]
    length = axis.size
    places = letters(to, signal_letters(x.axes))
    i = places[at]

    def put(place: sp.Expr) -> sp.Expr:
        return x[(*places[:at], sp.expand(place), *places[at + 1:])]

    inside = sp.And(sp.Ge(i, low + 1), sp.Le(i, low + length))
    if beyond is None:
        found = value + When(put(i - low) - value, inside)
    else:
        looks, spare = beyond
        if beyond is not REPLICATE and not nonnegative(length - max(low, high) - spare):
            raise ShapeError(where, f"length {length} with {max(low, high)} places around it", f"at least {max(low, high) + spare} entries",
                             "a longer signal, or less padding")
        before, behind = looks(i, length, sp.Integer(low))
        found = When(put(i - low), inside)
        if low:
            found = found + When(put(before), sp.Le(i, low))
        if high:
            found = found + When(put(behind), sp.Ge(i, low + length + 1))
    axes = (*x.axes[:at], Axis.of(sp.expand(length + low + high)), *x.axes[at + 1:])
    number = to.next_number("pad")
    return to.line(f"pad{number}", axes, places, found, "the signal, continued beyond its ends")


@dataclass(frozen=True)
class _Padding(Layer):
    """What all padding layers share."""

    padding: Paddings

    dims: ClassVar[int]
    beyond: ClassVar[Beyond | None]

    def filling(self) -> sp.Expr:
        """The number that stands around the signal where nothing of it does."""
        return sp.S.Zero

    def build(self, to: Builder) -> None:
        where = type(self).__name__
        front = signal(to, where, self.dims)
        for at, sides in enumerate(self._sides(where), start=len(front)):
            extend(to, where, at, sides, self.beyond, self.filling())

    def _sides(self, where: str) -> list[tuple[int, int]]:
        """(before, behind) of each axis."""
        given: Any = self.padding
        values = tuple(given) if isinstance(given, (tuple, list)) else (given,) * (2 * self.dims)
        if len(values) != 2 * self.dims:
            raise OptionError(where, f"padding={shown(given)}", f"one number or {2 * self.dims}, the last axis first")
        found = [whole(where, "padding", v, 0) for v in values]
        return list(zip(found[::2], found[1::2], strict=True))[::-1]


@dataclass(frozen=True)
class _ConstantPad(_Padding):
    """What the paddings with a number of one's own share."""

    value: object
    beyond = None

    def filling(self) -> sp.Expr:
        return rational(self.value)


@torch_arguments("padding")
@dataclass(frozen=True)
class ZeroPad1d(_Padding):
    """Padding with zeros around the signal.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.ZeroPad1d((1, 2))).program().definitions[-1].target.shape
    (N, c, 11)
    """

    dims = 1
    beyond = None


@torch_arguments("padding")
@dataclass(frozen=True)
class ZeroPad2d(_Padding):
    """Padding with zeros around the signal, along each of 2 axes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 8), sn.ZeroPad2d((1, 2, 3, 0))).program().definitions[-1].target.shape
    (N, c, 7, 11)
    """

    dims = 2
    beyond = None


@torch_arguments("padding")
@dataclass(frozen=True)
class ZeroPad3d(_Padding):
    """Padding with zeros around the signal, along each of 3 axes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 4, 8), sn.ZeroPad3d((1, 2, 3, 0, 0, 1))).program().definitions[-1].target.shape
    (N, c, 5, 7, 11)
    """

    dims = 3
    beyond = None


@torch_arguments("padding value")
@dataclass(frozen=True)
class ConstantPad1d(_ConstantPad):
    """Padding with a number around the signal.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.ConstantPad1d((1, 2), 7)).program().definitions[-1].target.shape
    (N, c, 11)
    """

    dims = 1


@torch_arguments("padding value")
@dataclass(frozen=True)
class ConstantPad2d(_ConstantPad):
    """Padding with a number around the signal, along each of 2 axes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 8), sn.ConstantPad2d((1, 2, 3, 0), 7)).program().definitions[-1].target.shape
    (N, c, 7, 11)
    """

    dims = 2


@torch_arguments("padding value")
@dataclass(frozen=True)
class ConstantPad3d(_ConstantPad):
    """Padding with a number around the signal, along each of 3 axes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 4, 8), sn.ConstantPad3d((1, 2, 3, 0, 0, 1), 7)).program().definitions[-1].target.shape
    (N, c, 5, 7, 11)
    """

    dims = 3


@torch_arguments("padding")
@dataclass(frozen=True)
class ReflectionPad1d(_Padding):
    """Padding with the signal mirrored at its first and last entry, which are not repeated.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.ReflectionPad1d((1, 2))).program().definitions[-1].target.shape
    (N, c, 11)
    """

    dims = 1
    beyond = REFLECT


@torch_arguments("padding")
@dataclass(frozen=True)
class ReflectionPad2d(_Padding):
    """Padding with the signal mirrored at its first and last entry, which are not repeated, along each of 2 axes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 8), sn.ReflectionPad2d((1, 2, 3, 0))).program().definitions[-1].target.shape
    (N, c, 7, 11)
    """

    dims = 2
    beyond = REFLECT


@torch_arguments("padding")
@dataclass(frozen=True)
class ReflectionPad3d(_Padding):
    """Padding with the signal mirrored at its first and last entry, which are not repeated, along each of 3 axes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 4, 8), sn.ReflectionPad3d((1, 2, 3, 0, 0, 1))).program().definitions[-1].target.shape
    (N, c, 5, 7, 11)
    """

    dims = 3
    beyond = REFLECT


@torch_arguments("padding")
@dataclass(frozen=True)
class ReplicationPad1d(_Padding):
    """Padding with the first and last entry repeated.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.ReplicationPad1d((1, 2))).program().definitions[-1].target.shape
    (N, c, 11)
    """

    dims = 1
    beyond = REPLICATE


@torch_arguments("padding")
@dataclass(frozen=True)
class ReplicationPad2d(_Padding):
    """Padding with the first and last entry repeated, along each of 2 axes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 8), sn.ReplicationPad2d((1, 2, 3, 0))).program().definitions[-1].target.shape
    (N, c, 7, 11)
    """

    dims = 2
    beyond = REPLICATE


@torch_arguments("padding")
@dataclass(frozen=True)
class ReplicationPad3d(_Padding):
    """Padding with the first and last entry repeated, along each of 3 axes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 4, 8), sn.ReplicationPad3d((1, 2, 3, 0, 0, 1))).program().definitions[-1].target.shape
    (N, c, 5, 7, 11)
    """

    dims = 3
    beyond = REPLICATE


@torch_arguments("padding")
@dataclass(frozen=True)
class CircularPad1d(_Padding):
    """Padding with the signal's other end, as if it were a ring.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.CircularPad1d((1, 2))).program().definitions[-1].target.shape
    (N, c, 11)
    """

    dims = 1
    beyond = CIRCULAR


@torch_arguments("padding")
@dataclass(frozen=True)
class CircularPad2d(_Padding):
    """Padding with the signal's other end, as if it were a ring, along each of 2 axes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 8), sn.CircularPad2d((1, 2, 3, 0))).program().definitions[-1].target.shape
    (N, c, 7, 11)
    """

    dims = 2
    beyond = CIRCULAR


@torch_arguments("padding")
@dataclass(frozen=True)
class CircularPad3d(_Padding):
    """Padding with the signal's other end, as if it were a ring, along each of 3 axes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 4, 8), sn.CircularPad3d((1, 2, 3, 0, 0, 1))).program().definitions[-1].target.shape
    (N, c, 5, 7, 11)
    """

    dims = 3
    beyond = CIRCULAR


PADDINGS: tuple[type[Layer], ...] = (
    ZeroPad1d, ZeroPad2d, ZeroPad3d, ConstantPad1d, ConstantPad2d, ConstantPad3d,
    ReflectionPad1d, ReflectionPad2d, ReflectionPad3d, ReplicationPad1d, ReplicationPad2d, ReplicationPad3d,
    CircularPad1d, CircularPad2d, CircularPad3d)
