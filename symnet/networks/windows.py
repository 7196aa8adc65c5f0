"""Sliding windows: which entry a kernel tap sees, how many windows fit, and zeros or edges around a signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import sympy as sp

from symnet.core.axes import Axis, Kind, index, nonnegative, size
from symnet.core.expressions import When
from symnet.core.tensors import Tensor
from symnet.errors import OptionError, ShapeError
from symnet.networks.builder import Builder
from symnet.networks.layers import Size

Sizes: TypeAlias = Size | tuple[Size, ...]
SPARE = "ijkuvqrspabcdefghlmnowxyz"


@dataclass(frozen=True)
class Window:
    """Windows along one axis. Tap p of window i sees the entry s(i - 1) + d(p - 1) + 1 of the padded signal, all counted from 1.

    Lengths follow PyTorch: M = ⌊(T + 2·padding - d(K - 1) - 1)/s⌋ + 1.
    """

    kernel: sp.Expr
    stride: sp.Expr
    padding: int = 0
    dilation: int = 1

    def place(self, i: sp.Expr, p: sp.Expr) -> sp.Expr:
        """Where tap p of window i looks."""
        return sp.expand(self.stride * (i - 1) + self.dilation * (p - 1) + 1)

    def outputs(self, length: sp.Expr, where: str) -> sp.Expr:
        """How many windows fit a signal of ``length``; raises ShapeError when none does, or none is sure to."""
        room = sp.expand(length + 2 * self.padding - self.dilation * (self.kernel - 1) - 1)
        steps = sp.floor(room / self.stride) if room.is_Integer and self.stride.is_Integer else sp.cancel(room / self.stride)
        if not steps.is_polynomial() or not sp.expand(steps).is_integer:
            raise ShapeError(where, f"length {length}, which stride {self.stride} may not divide", "a length that fits every size",
                             f"length {self.inputs(size('M'))} for M outputs")
        if not nonnegative(sp.expand(steps)):
            raise ShapeError(where, f"length {length} with padding {self.padding}",
                             f"at least {sp.expand(self.dilation * (self.kernel - 1) + 1)}, the length of the kernel")
        return sp.expand(steps + 1)

    def inputs(self, outputs: sp.Expr) -> sp.Expr:
        """The length that gives ``outputs`` windows with nothing left over."""
        return sp.expand(self.stride * (outputs - 1) + self.dilation * (self.kernel - 1) + 1 - 2 * self.padding)


def spread(where: str, name: str, value: Any, dims: int) -> tuple[Any, ...]:
    """One value for each of ``dims`` axes: 3 is (3, 3), PyTorch's way."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * dims
    if len(values) != dims:
        raise OptionError(where, f"{name}={value}", f"one number or {dims}")
    return values


def whole(where: str, name: str, value: Any, least: int) -> int:
    """A whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, sp.Integer)) or value < least:
        raise OptionError(where, f"{name}={value!r}"[:60], f"a whole number, {least} or more")
    return int(value)


def windows(where: str, dims: int, kernel: Sizes, stride: Any, padding: Any, dilation: Any = 1) -> tuple[Window, ...]:
    """One Window for each axis. Raises OptionError or ShapeError for numbers that make none."""
    kernels = [size(k) for k in spread(where, "kernel_size", kernel, dims)]
    strides = [k if s is None else sp.Integer(whole(where, "stride", s, 1))
               for k, s in zip(kernels, spread(where, "stride", stride, dims), strict=True)]
    pads = [whole(where, "padding", p, 0) for p in spread(where, "padding", padding, dims)]
    dilations = [whole(where, "dilation", d, 1) for d in spread(where, "dilation", dilation, dims)]
    return tuple(Window(*made) for made in zip(kernels, strides, pads, dilations, strict=True))


def signal(to: Builder, where: str, dims: int) -> tuple[Axis, ...]:
    """The axes that come before the positions: (batch, channels) or (channels,). Raises ShapeError for another shape."""
    axes = to.now.axes
    if len(axes) != dims + (2 if axes and axes[0].kind is Kind.BATCH else 1):
        shape = "(" + ", ".join(str(a.size) for a in axes) + ")"
        wanted = "(N, channels, length)" if dims == 1 else "(N, channels, height, width)"
        raise ShapeError(where, f"an input of shape {shape}", wanted, "Input(channels, length) or Input(channels, height, width) first")
    return axes[:-dims]


def letters(to: Builder, wanted: str, *more: sp.Expr) -> tuple[sp.Symbol, ...]:
    """Index letters, the wanted ones unless a size has that name; ``more`` are sizes about to be used."""
    sizes = {str(s) for t in (*to.inputs, *[d.target for d in to.lines]) for a in t.axes for s in a.upper.free_symbols}
    busy = sizes | {str(s) for e in more for s in e.free_symbols}
    found: list[str] = []
    for letter in wanted:
        pool = (letter, *(c for c in SPARE if c not in wanted), *(f"{letter}{k}" for k in range(1, 9)))
        found.append(next(c for c in pool if c not in busy and c not in found))
    return tuple(index(c) for c in found)


def batch_letters(axes: tuple[Axis, ...]) -> str:
    """The letters of (batch, channels) or (channels,)."""
    return "nc"[-len(axes):]


def padded(to: Builder, made: tuple[Window, ...], name: str) -> Tensor:
    """A definition of the signal with zeros around it; the signal itself where nothing is added."""
    x, dims = to.now, len(made)
    if all(w.padding == 0 for w in made):
        return x
    front, inner = x.axes[:-dims], x.axes[-dims:]
    axes = tuple(a if w.padding == 0 else Axis.of(sp.expand(a.size + 2 * w.padding)) for w, a in zip(made, inner, strict=True))
    places = letters(to, batch_letters(front) + "ij"[:dims])
    there = tuple(p - w.padding for p, w in zip(places[len(front):], made, strict=True))
    within = [c for p, w, a in zip(there, made, inner, strict=True) if w.padding for c in (sp.Ge(p, a.lower), sp.Le(p, a.upper))]
    return to.line(name, (*front, *axes), places, When(x[(*places[:len(front)], *there)], sp.And(*within)),
                   "the signal with zeros around it")


def edged(to: Builder, at: int, padding: int, name: str) -> Tensor:
    """A definition of the signal with its first and last entry along axis ``at``, each less 1, around it.

    Every window that sees such an entry sees the edge too (padding is at most half a window), so that it never is the largest: -∞ in
    PyTorch, a finite number here. The signal itself where nothing is added.
    """
    x, axis = to.now, to.now.axes[at]
    if padding == 0:
        return x
    places = letters(to, "ncij"[-len(x.axes):] if len(x.axes) != 3 else "nci")
    i = places[at]

    def put(where: sp.Expr) -> sp.Expr:
        return x[(*places[:at], where, *places[at + 1:])]

    value = (When(put(i - padding), sp.And(sp.Ge(i - padding, axis.lower), sp.Le(i - padding, axis.upper)))
             + When(put(axis.lower) - 1, sp.Le(i, padding)) + When(put(axis.upper) - 1, sp.Ge(i, axis.upper + padding + 1)))
    axes = (*x.axes[:at], Axis.of(sp.expand(axis.size + 2 * padding)), *x.axes[at + 1:])
    return to.line(name, axes, places, value, "the signal with what is never the largest around it")
