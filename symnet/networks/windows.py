"""Sliding windows: which entry a kernel tap sees, how many windows fit, and zeros or edges around a signal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import sympy as sp

from symnet.core.axes import Axis, Kind, index, nonnegative, size
from symnet.core.expressions import When
from symnet.core.tensors import Tensor
from symnet.errors import OptionError, ShapeError, shown
from symnet.networks.builder import Builder
from symnet.networks.layers import Size

Sizes: TypeAlias = Size | tuple[Size, ...]
SPARE = "ijkuvqrspabcdefghlmnowxyz"
SPOTS, TAPS = "ijl", "pqr"  # letters of places and of taps, one for each axis of an image


@dataclass(frozen=True)
class Window:
    """Windows along one axis. Tap p of window i sees the entry s(i - 1) + d(p - 1) + 1 of the padded signal, all counted from 1.

    Lengths follow PyTorch: M = ⌊(T + 2·padding - d(K - 1) - 1)/s⌋ + 1. ``more`` places stand behind the signal beside the padding:
    one for padding="same" with an even kernel, those that a window of ceil_mode lacks.
    """

    kernel: sp.Expr
    stride: sp.Expr
    padding: int = 0
    dilation: int = 1
    more: int = 0

    @property
    def around(self) -> int:
        """How many places stand around the signal."""
        return 2 * self.padding + self.more

    def place(self, i: sp.Expr, p: sp.Expr) -> sp.Expr:
        """Where tap p of window i looks."""
        return sp.expand(self.stride * (i - 1) + self.dilation * (p - 1) + 1)

    def outputs(self, length: sp.Expr, where: str) -> sp.Expr:
        """How many windows fit a signal of ``length``; raises ShapeError when none does, or none is sure to."""
        room = sp.expand(length + self.around - self.dilation * (self.kernel - 1) - 1)
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
        return sp.expand(self.stride * (outputs - 1) + self.dilation * (self.kernel - 1) + 1 - self.around)


def spread(where: str, name: str, value: Any, dims: int) -> tuple[Any, ...]:
    """One value for each of ``dims`` axes: 3 is (3, 3), PyTorch's way."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * dims
    if len(values) != dims:
        raise OptionError(where, f"{name}={shown(value)}", f"one number or {dims}")
    return values


def whole(where: str, name: str, value: Any, least: int) -> int:
    """A whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, sp.Integer)) or value < least:
        raise OptionError(where, f"{name}={shown(value)}", f"a whole number, {least} or more")
    return int(value)


def windows(where: str, dims: int, kernel: Sizes, stride: Any, padding: Any, dilation: Any = 1) -> tuple[Window, ...]:
    """One Window for each axis. Raises OptionError or ShapeError for numbers that make none."""
    if isinstance(padding, str):
        return _named(where, dims, kernel, stride, padding, dilation)
    kernels = [size(k) for k in spread(where, "kernel_size", kernel, dims)]
    strides = [k if s is None else sp.Integer(whole(where, "stride", s, 1))
               for k, s in zip(kernels, spread(where, "stride", stride, dims), strict=True)]
    pads = [whole(where, "padding", p, 0) for p in spread(where, "padding", padding, dims)]
    dilations = [whole(where, "dilation", d, 1) for d in spread(where, "dilation", dilation, dims)]
    return tuple(Window(*made) for made in zip(kernels, strides, pads, dilations, strict=True))


def _named(where: str, dims: int, kernel: Sizes, stride: Any, padding: str, dilation: Any) -> tuple[Window, ...]:
    """PyTorch's padding="valid", none, and "same", which keeps the length: d(K - 1) places, the odd one behind."""
    made = windows(where, dims, kernel, stride, 0, dilation)
    if padding == "valid":
        return made
    if padding != "same" or any(w.stride != 1 or not w.kernel.is_Integer for w in made):
        raise OptionError(where, f"padding={shown(padding)}", '"valid", or "same" with stride 1 and a kernel of a whole number of taps')
    total = [w.dilation * (int(w.kernel) - 1) for w in made]
    return tuple(replace(w, padding=n // 2, more=n % 2) for w, n in zip(made, total, strict=True))


def ceiled(where: str, w: Window, length: sp.Expr) -> Window:
    """The same window with what the last one of ceil_mode lacks; it starts inside the signal or its padding, as in PyTorch."""
    if not length.is_Integer or not w.kernel.is_Integer:
        raise OptionError(where, f"ceil_mode with length {length} and kernel {w.kernel}", "numbers")
    reach, stride = w.dilation * (int(w.kernel) - 1) + 1, int(w.stride)
    count = -(-(int(length) + 2 * w.padding - reach) // stride) + 1
    count -= (count - 1) * stride >= int(length) + w.padding
    return replace(w, more=max((count - 1) * stride + reach - int(length) - 2 * w.padding, 0))


def signal(to: Builder, where: str, dims: int) -> tuple[Axis, ...]:
    """The axes that come before the positions: (batch, channels) or (channels,). Raises ShapeError for another shape."""
    axes = to.now.axes
    if len(axes) != dims + (2 if axes and axes[0].kind is Kind.BATCH else 1):
        shape = "(" + ", ".join(str(a.size) for a in axes) + ")"
        wanted = ("channels, length", "channels, height, width", "channels, depth, height, width")[dims - 1]
        raise ShapeError(where, f"an input of shape {shape}", f"(N, {wanted})", f"Input({wanted}) first")
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


def signal_letters(axes: tuple[Axis, ...]) -> str:
    """The letters of a whole signal, by its number of axes."""
    return {3: "nci", 5: "ncijl"}.get(len(axes), "ncij"[-len(axes):])


def padded(to: Builder, made: tuple[Window, ...], name: str) -> Tensor:
    """A definition of the signal with zeros around it; the signal itself where nothing is added."""
    x, dims = to.now, len(made)
    if all(w.around == 0 for w in made):
        return x
    front, inner = x.axes[:-dims], x.axes[-dims:]
    axes = tuple(a if w.around == 0 else Axis.of(sp.expand(a.size + w.around)) for w, a in zip(made, inner, strict=True))
    places = letters(to, batch_letters(front) + SPOTS[:dims])
    there = tuple(p - w.padding for p, w in zip(places[len(front):], made, strict=True))
    within = [c for p, w, a in zip(there, made, inner, strict=True) if w.around for c in (sp.Ge(p, a.lower), sp.Le(p, a.upper))]
    return to.line(name, (*front, *axes), places, When(x[(*places[:len(front)], *there)], sp.And(*within)),
                   "the signal with zeros around it")


def edged(to: Builder, at: int, w: Window, name: str) -> Tensor:
    """A definition of the signal with its first and last entry along axis ``at``, each less 1, around it.

    Every window that sees such an entry sees the edge too (padding is at most half a window), so that it never is the largest: -∞ in
    PyTorch, a finite number here. The signal itself where nothing is added.
    """
    x, axis, padding = to.now, to.now.axes[at], w.padding
    if w.around == 0:
        return x
    places = letters(to, signal_letters(x.axes))
    i = places[at]

    def put(where: sp.Expr) -> sp.Expr:
        return x[(*places[:at], where, *places[at + 1:])]

    value = (When(put(i - padding), sp.And(sp.Ge(i - padding, axis.lower), sp.Le(i - padding, axis.upper)))
             + (When(put(axis.lower) - 1, sp.Le(i, padding)) if padding else 0)
             + (When(put(axis.upper) - 1, sp.Ge(i, axis.upper + padding + 1)) if padding + w.more else 0))
    axes = (*x.axes[:at], Axis.of(sp.expand(axis.size + w.around)), *x.axes[at + 1:])
    return to.line(name, axes, places, value, "the signal with what is never the largest around it")
