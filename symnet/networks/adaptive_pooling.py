"""Poolings to a given number of places, by PyTorch's names: window i of M along T entries holds ⌊(i-1)T/M⌋ + 1 to ⌈iT/M⌉.

Where M divides T these are windows of T/M entries side by side, for names of sizes too; otherwise they overlap and differ in length.
Source: docs.pytorch.org, torch.nn.AdaptiveAvgPool2d.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.axes import size as to_size
from symnet.core.expressions import When, total
from symnet.core.functions import Max
from symnet.core.tensors import Tensor
from symnet.errors import OptionError
from symnet.networks.arguments import torch_arguments
from symnet.networks.builder import Builder
from symnet.networks.layers import Layer, Size
from symnet.networks.pooling import MOST_TAPS, PLACES
from symnet.networks.windows import letters, signal, signal_letters, spread


def _outputs(where: str, wanted: Any, axes: tuple[Axis, ...]) -> list[sp.Expr]:
    """How many places each axis shall have; None keeps the axis."""
    return [a.size if n is None else to_size(n) for n, a in zip(spread(where, "output_size", wanted, len(axes)), axes, strict=True)]


@dataclass(frozen=True)
class _Adaptive(Layer):
    """What the adaptive poolings share: one axis after another."""

    output_size: Size | tuple[Size | None, ...] | None

    dims: ClassVar[int]
    letter: ClassVar[str]

    def build(self, to: Builder) -> None:
        where, number = f"{type(self).__name__} after layer {to.linear}", max(to.linear, 1)
        front = signal(to, where, self.dims)
        wanted = _outputs(where, self.output_size, to.now.axes[-self.dims:])
        for at, outs in reversed(list(enumerate(wanted, start=len(front)))):
            if outs != to.now.axes[at].size:
                self.along(to, where, at, outs, f"{self.letter if at == len(front) else 'r'}{number}")

    @abstractmethod
    def along(self, to: Builder, where: str, at: int, outs: sp.Expr, name: str) -> Tensor:
        """One axis to ``outs`` places."""


def _even(axis: Axis, outs: sp.Expr) -> sp.Expr | None:
    """The length of windows side by side, where there are such."""
    each = sp.cancel(axis.size / outs)
    return each if each.is_integer and each.is_polynomial() else None


@dataclass(frozen=True)
class _AdaptiveMean(_Adaptive):
    """The mean of each window."""

    letter = "s"

    def along(self, to: Builder, where: str, at: int, outs: sp.Expr, name: str) -> Tensor:
        x = to.now
        axis, places, p = x.axes[at], letters(to, signal_letters(x.axes)), letters(to, "p")[0]
        i, each = places[at], _even(axis, outs)

        def put(place: sp.Expr) -> sp.Expr:
            return x[(*places[:at], sp.expand(place), *places[at + 1:])]

        if each is not None:
            value = total(put(each * (i - 1) + p), ((p, sp.S.One, each),)) / each
        else:
            if not (axis.size.is_Integer and outs.is_Integer):
                raise OptionError(where, f"{outs} places of {axis.size}", "a divisor of the length, or two numbers")
            first = sp.Ge(sp.expand(outs * p - (i - 1) * axis.size), 1)  # p > (i-1)T/M
            last = sp.Le(sp.expand(outs * (p - 1) - i * axis.size), -1)  # p - 1 < iT/M
            below = total(When(sp.S.One, sp.And(first, last)), ((p, *axis.range),))
            value = total(When(put(p), sp.And(first, last)), ((p, *axis.range),)) / below
        return to.line(name, (*x.axes[:at], Axis.of(outs), *x.axes[at + 1:]), places, value, "the mean of each window")


@dataclass(frozen=True)
class _AdaptiveMax(_Adaptive):
    """The largest entry of each window."""

    letter = "m"

    def along(self, to: Builder, where: str, at: int, outs: sp.Expr, name: str) -> Tensor:
        x = to.now
        axis, places, each = x.axes[at], letters(to, signal_letters(x.axes)), _even(x.axes[at], outs)
        if each is None or not each.is_Integer or each > MOST_TAPS:
            raise OptionError(where, f"{outs} places of {axis.size}", f"windows side by side, of at most {MOST_TAPS} entries")
        seen = [x[(*places[:at], sp.expand(each * (places[at] - 1) + p), *places[at + 1:])] for p in range(1, int(each) + 1)]
        return to.line(name, (*x.axes[:at], Axis.of(outs), *x.axes[at + 1:]), places, Max(*seen), "the largest entry of each window")


@torch_arguments("output_size")
@dataclass(frozen=True)
class AdaptiveAvgPool1d(_AdaptiveMean):
    """The mean of windows that divide the signal into ``output_size`` places.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.AdaptiveAvgPool1d(4)).program().definitions[-1].target.shape
    (N, c, 4)
    """

    dims = 1


@torch_arguments("output_size")
@dataclass(frozen=True)
class AdaptiveAvgPool2d(_AdaptiveMean):
    """The mean of windows that divide each of 2 axes into ``output_size`` places.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8, 6), sn.AdaptiveAvgPool2d((4, 3))).program().definitions[-1].target.shape
    (N, c, 4, 3)
    """

    dims = 2


@torch_arguments("output_size")
@dataclass(frozen=True)
class AdaptiveAvgPool3d(_AdaptiveMean):
    """The mean of windows that divide each of 3 axes into ``output_size`` places.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8, 6, 4), sn.AdaptiveAvgPool3d((4, 3, 1))).program().definitions[-1].target.shape
    (N, c, 4, 3, 1)
    """

    dims = 3


@torch_arguments("output_size return_indices", {"return_indices": (False,)}, PLACES)
@dataclass(frozen=True)
class AdaptiveMaxPool1d(_AdaptiveMax):
    """The largest entry of windows that divide the signal into ``output_size`` places.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.AdaptiveMaxPool1d(4)).program().definitions[-1].target.shape
    (N, c, 4)
    """

    dims = 1


@torch_arguments("output_size return_indices", {"return_indices": (False,)}, PLACES)
@dataclass(frozen=True)
class AdaptiveMaxPool2d(_AdaptiveMax):
    """The largest entry of windows that divide each of 2 axes into ``output_size`` places.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8, 6), sn.AdaptiveMaxPool2d((4, 3))).program().definitions[-1].target.shape
    (N, c, 4, 3)
    """

    dims = 2


@torch_arguments("output_size return_indices", {"return_indices": (False,)}, PLACES)
@dataclass(frozen=True)
class AdaptiveMaxPool3d(_AdaptiveMax):
    """The largest entry of windows that divide each of 3 axes into ``output_size`` places.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8, 6, 4), sn.AdaptiveMaxPool3d((4, 3, 1))).program().definitions[-1].target.shape
    (N, c, 4, 3, 1)
    """

    dims = 3


ADAPTIVE: tuple[type[Layer], ...] = (
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d, AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d)
