"""Pooling by PyTorch's names: the largest or the mean entry of each window. The stride is the kernel size unless given.

The input is X[n, c, i], X[n, c, i, j] or X[n, c, i, j, l], as for convolutions. With ``ceil_mode`` a last window may reach beyond the
signal and its padding (lengths must then be numbers). Left out of PyTorch's arguments: return_indices. Source: docs.pytorch.org,
torch.nn.MaxPool1d, MaxPool2d, MaxPool3d, AvgPool1d, AvgPool2d, AvgPool3d, LPPool1d, LPPool2d and LPPool3d.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.expressions import When, total
from symnet.core.functions import Max
from symnet.errors import OptionError
from symnet.networks.arguments import torch_arguments
from symnet.networks.builder import Builder
from symnet.networks.layers import Layer
from symnet.networks.windows import (
    SPOTS,
    TAPS,
    Sizes,
    Window,
    batch_letters,
    ceiled,
    edged,
    letters,
    padded,
    signal,
    signal_letters,
    spread,
    whole,
    windows,
)

PLACES = {"return_indices": "a program has one output; MaxUnpool takes the places as an input of its own"}  # the reason for the refusal
LARGEST = "kernel_size stride padding dilation return_indices ceil_mode"  # PyTorch's arguments
MOST_TAPS = 16  # of one maximum: its derivative compares every entry with the later ones


def _where(layer: Layer, to: Builder) -> str:
    return f"{type(layer).__name__} after layer {to.linear}"


def _padding_fits(where: str, made: tuple[Window, ...]) -> None:
    """PyTorch's rule: at most half the kernel, so that every window sees the signal."""
    for w in made:
        if w.padding and not (w.kernel.is_Integer and 2 * w.padding <= w.kernel):
            raise OptionError(where, f"padding={w.padding}", f"at most half the kernel size {w.kernel}")


@dataclass(frozen=True)
class _MaxPool(Layer):
    """What the maximum poolings share."""

    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] | None = None
    padding: int | tuple[int, ...] = 0
    dilation: int | tuple[int, ...] = 1
    ceil_mode: bool = False

    dims: ClassVar[int]

    def build(self, to: Builder) -> None:
        where = _where(self, to)
        for k in spread(where, "kernel_size", self.kernel_size, self.dims):
            if whole(where, "kernel_size", k, 1) > MOST_TAPS:
                raise OptionError(where, f"kernel_size={k}", f"at most {MOST_TAPS}")
        made = windows(where, self.dims, self.kernel_size, self.stride, self.padding, self.dilation)
        _padding_fits(where, made)
        front, number = signal(to, where, self.dims), max(to.linear, 1)
        if self.ceil_mode:
            made = tuple(ceiled(where, w, a.size) for w, a in zip(made, to.now.axes[-self.dims:], strict=True))
        if any(w.around and w.dilation != 1 for w in made):
            raise OptionError(where, "padding or ceil_mode together with dilation", "one of them")
        outs = [Axis.of(w.outputs(a.size, where)) for w, a in zip(made, to.now.axes[-self.dims:], strict=True)]
        for at, (w, out) in reversed(list(enumerate(zip(made, outs, strict=True), start=len(front)))):
            _largest(to, at, w, out, f"{'m' if at == len(front) else 'r' if at == len(front) + 1 else 'rr'}{number}")


def _largest(to: Builder, at: int, w: Window, out: Axis, name: str) -> None:
    """name[…, i, …] := max over the taps of axis ``at``."""
    x = edged(to, at, w, f"pad{name}")
    places = letters(to, signal_letters(x.axes))
    seen = [x[(*places[:at], w.place(places[at], sp.Integer(p)), *places[at + 1:])] for p in range(1, int(w.kernel) + 1)]
    note = "the largest entry of each window" if name[0] == "m" else "the largest entry of each row of a window"
    to.line(name, (*x.axes[:at], out, *x.axes[at + 1:]), places, Max(*seen), note)


@torch_arguments(LARGEST, {"return_indices": (False,)}, PLACES)
@dataclass(frozen=True)
class MaxPool1d(_MaxPool):
    """m[n, c, i] = max over p = 1..K of X[n, c, s(i-1) + d(p-1) + 1]; padding is never the largest.

    Around X stands the edge entry less 1, which has the effect of PyTorch's -∞ in finite numbers. The window has a whole number of
    taps, so the maximum is written out, max(X[.., i], X[.., i+1], …), a nested maximum. Where entries tie, the first of them gets
    the derivative, as in PyTorch.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.MaxPool1d(2)).program().definitions[-1].target.shape
    (N, c, 4)
    """

    dims = 1


@torch_arguments(LARGEST, {"return_indices": (False,)}, PLACES)
@dataclass(frozen=True)
class MaxPool2d(_MaxPool):
    """The largest entry of each window: first along each row, r[n, c, i, j] = max_q X[n, c, i, ·], then m = max_p r[n, c, ·, j].

    The two maxima in a row equal the maximum of the window and keep the derivative short. Ties as in MaxPool1d.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8, 6), sn.MaxPool2d(2)).program().definitions[-1].target.shape
    (N, c, 4, 3)
    """

    dims = 2


@torch_arguments(LARGEST, {"return_indices": (False,)}, PLACES)
@dataclass(frozen=True)
class MaxPool3d(_MaxPool):
    """The largest entry of each window, along one axis after another as in MaxPool2d.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 8, 6), sn.MaxPool3d(2)).program().definitions[-1].target.shape
    (N, c, 2, 4, 3)
    """

    dims = 3


@dataclass(frozen=True)
class _AvgPool(Layer):
    """What the mean poolings share."""

    kernel_size: Sizes
    stride: int | tuple[int, ...] | None = None
    padding: int | tuple[int, ...] = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    dims: ClassVar[int]

    def build(self, to: Builder) -> None:
        where, number = _where(self, to), max(to.linear, 1)
        made, front = windows(where, self.dims, self.kernel_size, self.stride, self.padding), signal(to, where, self.dims)
        _padding_fits(where, made)
        spots = to.now.axes[-self.dims:]
        if self.ceil_mode:
            made = tuple(ceiled(where, w, a.size) for w, a in zip(made, spots, strict=True))
        outs = [Axis.of(w.outputs(a.size, where)) for w, a in zip(made, to.now.axes[-self.dims:], strict=True)]
        x = padded(to, made, f"pads{number}")
        taps = [Axis.of(w.kernel) for w in made]
        chosen = letters(to, batch_letters(front) + SPOTS[:self.dims] + TAPS[:self.dims], *[w.kernel for w in made])
        rest, i, p = chosen[:len(front)], chosen[len(front):-self.dims], chosen[-self.dims:]
        places = tuple(w.place(a, t) for w, a, t in zip(made, i, p, strict=True))
        sums = tuple((t, *a.range) for t, a in reversed(list(zip(p, taps, strict=True))))
        below = [_counted(w, a, (place, t), self.count_include_pad) for w, a, place, t in zip(made, spots, places, p, strict=True)]
        divisor = getattr(self, "divisor_override", None)
        value = total(x[(*rest, *places)], sums) / (sp.Mul(*below) if divisor is None else whole(where, "divisor_override", divisor, 1))
        to.line(f"s{number}", (*front, *outs), (*rest, *i), value, "the mean of each window")


def _counted(w: Window, axis: Axis, at: tuple[sp.Expr, sp.Symbol], padding_too: bool) -> sp.Expr:
    """How many places of a window count: its taps inside the signal, or inside the signal and its padding; K where all do."""
    place, tap = at
    first, last = (1, axis.size + 2 * w.padding) if padding_too else (w.padding + 1, axis.size + w.padding)
    if w.around == 0 or (padding_too and w.more == 0):
        return w.kernel
    return total(When(sp.S.One, sp.And(sp.Ge(place, first), sp.Le(place, last))), ((tap, sp.S.One, w.kernel),))


@torch_arguments("kernel_size stride padding ceil_mode count_include_pad")
@dataclass(frozen=True)
class AvgPool1d(_AvgPool):
    """s[n, c, i] = (1/K) Σ_p X[n, c, s(i-1) + p]; zeros around X count. K may be a symbol.

    With count_include_pad=False the sum is divided by Σ_p [1 <= s(i-1) + p - padding <= T], the taps that see the signal; what a window
    of ceil_mode lacks behind the padding counts in no case.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.AvgPool1d(2)).program().definitions[-1].target.shape
    (N, c, 4)
    """

    dims = 1


@torch_arguments("kernel_size stride padding ceil_mode count_include_pad divisor_override")
@dataclass(frozen=True)
class AvgPool2d(_AvgPool):
    """s[n, c, i, j] = (1/(K₁K₂)) Σ_p Σ_q X[n, c, s₁(i-1) + p, s₂(j-1) + q]; zeros around X count. ``divisor_override`` stands for K₁K₂.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8, 6), sn.AvgPool2d(2)).program().definitions[-1].target.shape
    (N, c, 4, 3)
    """

    divisor_override: int | None = None
    dims = 2


@torch_arguments("kernel_size stride padding ceil_mode count_include_pad divisor_override")
@dataclass(frozen=True)
class AvgPool3d(_AvgPool):
    """The mean of each window of K₁K₂K₃ entries; zeros around X count. ``divisor_override`` stands for their number.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 8, 6), sn.AvgPool3d(2)).program().definitions[-1].target.shape
    (N, c, 2, 4, 3)
    """

    divisor_override: int | None = None
    dims = 3


@dataclass(frozen=True)
class _LPPool(Layer):
    """What the power-mean poolings share."""

    norm_type: int
    kernel_size: Sizes
    stride: int | tuple[int, ...] | None = None
    ceil_mode: bool = False

    dims: ClassVar[int]

    def build(self, to: Builder) -> None:
        where, number = _where(self, to), max(to.linear, 1)
        power = whole(where, "norm_type", self.norm_type, 1)
        made, front = windows(where, self.dims, self.kernel_size, self.stride, 0), signal(to, where, self.dims)
        spots = to.now.axes[-self.dims:]
        if self.ceil_mode:
            made = tuple(ceiled(where, w, a.size) for w, a in zip(made, spots, strict=True))
        outs = [Axis.of(w.outputs(a.size, where)) for w, a in zip(made, spots, strict=True)]
        x = padded(to, made, f"pads{number}")
        chosen = letters(to, batch_letters(front) + SPOTS[:self.dims] + TAPS[:self.dims], *[w.kernel for w in made])
        rest, i, p = chosen[:len(front)], chosen[len(front):-self.dims], chosen[-self.dims:]
        places = tuple(w.place(a, t) for w, a, t in zip(made, i, p, strict=True))
        sums = tuple((t, sp.S.One, w.kernel) for t, w in reversed(list(zip(p, made, strict=True))))
        seen = [w.kernel / _counted(w, a, (place, t), True) for w, a, place, t in zip(made, spots, places, p, strict=True)]
        value = (sp.Mul(*seen) * total(x[(*rest, *places)] ** power, sums)) ** sp.Rational(1, power)
        to.line(f"s{number}", (*front, *outs), (*rest, *i), value, f"the {power}-norm of each window")


_POWERS = "norm_type kernel_size stride ceil_mode"


@torch_arguments(_POWERS)
@dataclass(frozen=True)
class LPPool1d(_LPPool):
    """s[n, c, i] = (Σ_p X[n, c, s(i-1) + p]^P)^(1/P), P a whole number; as in PyTorch the powers are of X, not of |X|.

    With ``ceil_mode`` the sum of a last window that reaches beyond the signal is made larger by K over the taps that it has.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.LPPool1d(2, 2)).program().definitions[-1].target.shape
    (N, c, 4)
    """

    dims = 1


@torch_arguments(_POWERS)
@dataclass(frozen=True)
class LPPool2d(_LPPool):
    """As LPPool1d, over windows of an image.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8, 6), sn.LPPool2d(2, 2)).program().definitions[-1].target.shape
    (N, c, 4, 3)
    """

    dims = 2


@torch_arguments(_POWERS)
@dataclass(frozen=True)
class LPPool3d(_LPPool):
    """As LPPool1d, over windows of a volume.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 8, 6), sn.LPPool3d(2, 2)).program().definitions[-1].target.shape
    (N, c, 2, 4, 3)
    """

    dims = 3


POOLINGS: tuple[type[Layer], ...] = (MaxPool1d, MaxPool2d, MaxPool3d, AvgPool1d, AvgPool2d, AvgPool3d, LPPool1d, LPPool2d, LPPool3d)
