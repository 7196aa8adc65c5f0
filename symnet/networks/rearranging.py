"""Layers that move entries and change none, by PyTorch's names: Unflatten, PixelShuffle, ChannelShuffle, Unfold, Fold, Upsample, unpooling.

Each is an index program: an entry of the result is the entry of the input, or the sum of those, whose place fits. Source:
docs.pytorch.org, torch.nn; sub-pixel convolution: Shi et al. 2016, eq. 4; channel shuffle: Zhang et al. 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.axes import size as to_size
from symnet.core.expressions import When, total
from symnet.core.numbers import rational
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, ShapeError, shown
from symnet.networks.arguments import torch_arguments
from symnet.networks.builder import Builder, axes_text
from symnet.networks.layers import Layer, Size
from symnet.networks.windows import Sizes, Window, letters, padded, signal, signal_letters, spread, whole, windows

MOST_PLACES = 64  # along one axis of an interpolation, whose weights are written out


def _batch(to: Builder) -> tuple[Axis, ...]:
    return to.now.axes[:1] if to.now.axes and to.now.axes[0].kind is Kind.BATCH else ()


def _image(to: Builder, where: str) -> tuple[Axis, ...]:
    """The axes before (height, width)."""
    return signal(to, where, 2)


def _ranges(places: Sequence[sp.Symbol], axes: Sequence[Axis]) -> tuple[tuple[sp.Symbol, sp.Expr, sp.Expr], ...]:
    return tuple((i, *a.range) for i, a in zip(places, axes, strict=True))


@torch_arguments("dim unflattened_size")
@dataclass(frozen=True)
class Unflatten(Layer):
    """f[n, a, b] = X[n, B(a-1) + b]: one axis written as several, the last fastest; the opposite of Flatten. One size may be -1.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input(6), sn.Unflatten(1, (2, 3))).program().definitions[-1].target.shape
    (N, 2, 3)
    """

    dim: int
    unflattened_size: tuple[Size, ...]

    def build(self, to: Builder) -> None:
        x, shift = to.now, 0 if _batch(to) else 1
        at = self.dim - shift if self.dim >= 0 else self.dim + len(x.axes)
        if not 0 <= at < len(x.axes):
            raise OptionError("Unflatten, dim", shown(self.dim), f"an axis of an input of shape {axes_text(x.axes)}")
        given = tuple(self.unflattened_size) if isinstance(self.unflattened_size, (tuple, list)) else (self.unflattened_size,)
        sizes = [None if s == -1 else to_size(s) for s in given]
        known = sp.Mul(*[s for s in sizes if s is not None])
        if sizes.count(None) > 1 or not sizes:
            raise OptionError("Unflatten, unflattened_size", shown(given), "sizes, at most one of them -1")
        made = [sp.cancel(x.axes[at].size / known) if s is None else s for s in sizes]
        if sp.expand(sp.Mul(*made) - x.axes[at].size) != 0 or not all(s.is_integer for s in made):
            raise ShapeError("Unflatten", f"an axis of size {x.axes[at].size}", f"the product of {shown(given)}")
        axes = (*x.axes[:at], *map(Axis.of, made), *x.axes[at + 1:])
        places = to.letters(axes)
        where, stride = sp.S.One, sp.S.One
        for i, s in reversed(list(zip(places[at:at + len(made)], made, strict=True))):
            where, stride = where + stride * (i - 1), stride * s
        entry = x[(*places[:at], sp.expand(where), *places[at + len(made):])]
        to.line(f"f{max(to.linear, 1)}", axes, places, entry, "one axis written as several")


@torch_arguments("upscale_factor")
@dataclass(frozen=True)
class PixelShuffle(Layer):
    """y[n, c, i, j] = X[n, r²(c-1) + r(p-1) + q, h, w] at i = r(h-1) + p, j = r(w-1) + q: channels become places.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input(8, 3, 4), sn.PixelShuffle(2)).program().definitions[-1].target.shape
    (N, 2, 6, 8)
    """

    upscale_factor: int

    def build(self, to: Builder) -> None:
        r, x = whole("PixelShuffle", "upscale_factor", self.upscale_factor, 1), to.now
        *front, channels = _image(to, "PixelShuffle")
        each = sp.expand(channels.size / r**2)
        if not each.is_integer:
            raise ShapeError("PixelShuffle", f"{channels.size} channels", f"a multiple of {r**2}")
        height, width = x.axes[-2:]
        *rest, c, i, j, h, w, p, q = letters(to, "n"[:len(front)] + "cijhwpq")
        small = Axis.of(r)
        value = When(x[(*rest, sp.expand(r**2 * (c - 1) + r * (p - 1) + q), h, w)],
                     sp.And(sp.Eq(i, r * (h - 1) + p), sp.Eq(j, r * (w - 1) + q)))
        axes = (*front, Axis.of(each), Axis.of(sp.expand(r * height.size)), Axis.of(sp.expand(r * width.size)))
        to.line(f"y{to.next_number('y')}", axes, (*rest, c, i, j), total(value, _ranges((h, w, p, q), (height, width, small, small))),
                "channels written as places")


@torch_arguments("downscale_factor")
@dataclass(frozen=True)
class PixelUnshuffle(Layer):
    """y[n, m, h, w] = X[n, c, r(h-1) + p, r(w-1) + q] at m = r²(c-1) + r(p-1) + q: places become channels.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input(2, 6, 8), sn.PixelUnshuffle(2)).program().definitions[-1].target.shape
    (N, 8, 3, 4)
    """

    downscale_factor: int

    def build(self, to: Builder) -> None:
        r, x = whole("PixelUnshuffle", "downscale_factor", self.downscale_factor, 1), to.now
        *front, channels = _image(to, "PixelUnshuffle")
        outs = [sp.expand(a.size / r) for a in x.axes[-2:]]
        if not all(n.is_integer for n in outs):
            raise ShapeError("PixelUnshuffle", f"an image of {x.axes[-2].size} by {x.axes[-1].size}", f"multiples of {r}")
        *rest, m, h, w, c, p, q = letters(to, "n"[:len(front)] + "mhwcpq")
        small = Axis.of(r)
        value = When(x[(*rest, c, sp.expand(r * (h - 1) + p), sp.expand(r * (w - 1) + q))],
                     sp.Eq(m, sp.expand(r**2 * (c - 1) + r * (p - 1) + q)))
        axes = (*front, Axis.of(sp.expand(r**2 * channels.size)), *map(Axis.of, outs))
        to.line(f"y{to.next_number('y')}", axes, (*rest, m, h, w), total(value, _ranges((c, p, q), (channels, small, small))),
                "places written as channels")


@torch_arguments("groups")
@dataclass(frozen=True)
class ChannelShuffle(Layer):
    """y[n, m, …] = X[n, (C/G)(g-1) + q, …] at m = G(q-1) + g: the channels of G groups, dealt out in turn.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input(6, 3, 4), sn.ChannelShuffle(2)).program().definitions[-1].target.shape
    (N, 6, 3, 4)
    """

    groups: int

    def build(self, to: Builder) -> None:
        groups, x, first = sp.Integer(whole("ChannelShuffle", "groups", self.groups, 1)), to.now, len(_batch(to))
        if len(x.axes) <= first:
            raise ShapeError("ChannelShuffle", f"an input of shape {axes_text(x.axes)}", "(N, channels, …)")
        each = sp.expand(x.axes[first].size / groups)
        if not each.is_integer:
            raise ShapeError("ChannelShuffle", f"{x.axes[first].size} channels", f"a multiple of {groups}")
        places = letters(to, signal_letters(x.axes) if first else signal_letters((x.axes[0], *x.axes))[1:])
        g, q = letters(to, "gq")
        value = When(x[(*places[:first], sp.expand(each * (g - 1) + q), *places[first + 1:])],
                     sp.Eq(places[first], sp.expand(groups * (q - 1) + g)))
        to.line(f"y{to.next_number('y')}", x.axes, places, total(value, _ranges((g, q), (Axis.of(groups), Axis.of(each)))),
                "the channels, group after group in turn")


def _blocks(where: str, kernel: Sizes, stride: Any, padding: Any, dilation: Any) -> tuple[Window, Window]:
    one, two = windows(where, 2, kernel, stride, padding, dilation)
    return one, two


@torch_arguments("kernel_size dilation padding stride")
@dataclass(frozen=True)
class Unfold(Layer):
    """u[n, K₁K₂(c-1) + K₂(p-1) + q, W(i-1) + j] = X[n, c, s(i-1) + d(p-1) + 1, …]: each window of an image as a column (im2col).

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input(2, 5, 4), sn.Unfold((2, 3))).program().definitions[-1].target.shape
    (N, 12, 8)
    """

    kernel_size: Sizes
    dilation: int | tuple[int, ...] = 1
    padding: int | tuple[int, ...] = 0
    stride: int | tuple[int, ...] = 1

    def build(self, to: Builder) -> None:
        made = _blocks("Unfold", self.kernel_size, self.stride, self.padding, self.dilation)
        *front, channels = _image(to, "Unfold")
        outs = [Axis.of(w.outputs(a.size, "Unfold")) for w, a in zip(made, to.now.axes[-2:], strict=True)]
        x, taps = padded(to, made, f"pad{to.next_number('u')}"), [Axis.of(w.kernel) for w in made]
        *rest, m, a, c, p, q, i, j = letters(to, "n"[:len(front)] + "macpqij")
        row = sp.expand(taps[0].size * taps[1].size * (c - 1) + taps[1].size * (p - 1) + q)
        value = When(x[(*rest, c, made[0].place(i, p), made[1].place(j, q))],
                     sp.And(sp.Eq(m, row), sp.Eq(a, sp.expand(outs[1].size * (i - 1) + j))))
        axes = (*front, Axis.of(sp.expand(channels.size * taps[0].size * taps[1].size)), Axis.of(sp.expand(outs[0].size * outs[1].size)))
        to.line(f"u{to.next_number('u')}", axes, (*rest, m, a), total(value, _ranges((c, p, q, i, j), (channels, *taps, *outs))),
                "each window as a column")


@torch_arguments("output_size kernel_size dilation padding stride")
@dataclass(frozen=True)
class Fold(Layer):
    """y[n, c, h, w] = Σ X[n, K₁K₂(c-1) + K₂(p-1) + q, W(i-1) + j] over the windows (i, j) and taps (p, q) that lie on (h, w): what
    Unfold took apart, added up (col2im).

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input(12, 8), sn.Fold((5, 4), (2, 3))).program().definitions[-1].target.shape
    (N, 2, 5, 4)
    """

    output_size: Sizes
    kernel_size: Sizes
    dilation: int | tuple[int, ...] = 1
    padding: int | tuple[int, ...] = 0
    stride: int | tuple[int, ...] = 1

    def build(self, to: Builder) -> None:
        made, x = _blocks("Fold", self.kernel_size, self.stride, self.padding, self.dilation), to.now
        *front, rows = signal(to, "Fold", 1)
        room = [Axis.of(to_size(n)) for n in spread("Fold", "output_size", self.output_size, 2)]
        outs = [Axis.of(w.outputs(a.size, "Fold")) for w, a in zip(made, room, strict=True)]
        taps = [Axis.of(w.kernel) for w in made]
        channels = sp.cancel(rows.size / (taps[0].size * taps[1].size))
        if not channels.is_integer or sp.expand(outs[0].size * outs[1].size - x.axes[-1].size) != 0:
            raise ShapeError("Fold", f"an input of shape {axes_text(x.axes)}",
                             f"(N, channels*{taps[0].size * taps[1].size}, {outs[0].size * outs[1].size})")
        *rest, c, h, w, p, q, i, j = letters(to, "n"[:len(front)] + "chwpqij")
        row = sp.expand(taps[0].size * taps[1].size * (c - 1) + taps[1].size * (p - 1) + q)
        value = When(x[(*rest, row, sp.expand(outs[1].size * (i - 1) + j))],
                     sp.And(sp.Eq(h, sp.expand(made[0].place(i, p) - made[0].padding)),
                            sp.Eq(w, sp.expand(made[1].place(j, q) - made[1].padding))))
        to.line(f"y{to.next_number('y')}", (*front, Axis.of(channels), *room), (*rest, c, h, w),
                total(value, _ranges((p, q, i, j), (*taps, *outs))), "the windows, added up where they lie")


LINEAR_MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


@torch_arguments("size scale_factor mode align_corners recompute_scale_factor", {"recompute_scale_factor": (None, False)})
@dataclass(frozen=True)
class Upsample(Layer):
    """A signal on a finer grid: mode "nearest" repeats entries, y[i] = X[⌊(i-1)T/M⌋ + 1]; "linear", "bilinear" and "trilinear" (by the
    number of axes) weigh the two entries around each place, with PyTorch's two conventions for the corners.

    ``size`` is the new size, or ``scale_factor`` a whole number for names of sizes, any rational for numbers. Left out: "bicubic".

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("c", "T"), sn.Upsample(scale_factor=2)).program().definitions[-1].target.shape)
    (N, c, 2*T)
    """

    size: Sizes | None = None
    scale_factor: object = None
    mode: str = "nearest"
    align_corners: bool | None = None

    def build(self, to: Builder) -> None:
        first = len(_batch(to)) + 1
        dims = len(to.now.axes) - first
        if dims not in LINEAR_MODES or self.mode not in ("nearest", LINEAR_MODES[dims]):
            raise OptionError("Upsample, mode", f"{shown(self.mode)} for an input of shape {axes_text(to.now.axes)}",
                              '"nearest", or "linear", "bilinear" and "trilinear" for one, two and three axes')
        if (self.size is None) == (self.scale_factor is None):
            raise OptionError("Upsample", "both size and scale_factor" if self.size is not None else "neither size nor scale_factor",
                              "one of them")
        for k, at in enumerate(range(first, len(to.now.axes))):
            old = to.now.axes[at].size
            if self.size is not None:
                new, scale = to_size(spread("Upsample", "size", self.size, dims)[k]), None
            else:
                scale = rational(spread("Upsample", "scale_factor", self.scale_factor, dims)[k])
                new = sp.floor(old * scale) if old.is_Integer else sp.expand(old * scale)
            if not new.is_integer or (new.is_Integer and new < 1):
                raise ShapeError("Upsample", f"length {old} times {scale}", "a whole number of places")
            if self.mode == "nearest":
                self._nearest(to, at, new, scale)
            else:
                self._linear(to, at, new, scale)

    @staticmethod
    def _nearest(to: Builder, at: int, new: sp.Expr, scale: sp.Rational | None) -> None:
        x = to.now
        old, places, p = x.axes[at].size, letters(to, signal_letters(x.axes)), letters(to, "p")[0]
        i, entry = places[at], x[(*places[:at], p, *places[at + 1:])]
        step = 1 / scale if scale is not None else sp.cancel(old / new)
        if not step.is_Rational:
            raise OptionError("Upsample", f"size {new} for {old} entries", "a number of times as many")
        above, below = step.p, step.q  # place i shows entry ⌊(i-1) above/below⌋ + 1
        mine = sp.And(sp.Ge(sp.expand(above * (i - 1) - below * (p - 1)), 0), sp.Le(sp.expand(above * (i - 1) - below * p), -1))
        to.line(f"y{to.next_number('y')}", (*x.axes[:at], Axis.of(new), *x.axes[at + 1:]), places,
                total(When(entry, mine), ((p, *x.axes[at].range),)), "each entry repeated")

    def _linear(self, to: Builder, at: int, new: sp.Expr, scale: sp.Rational | None) -> None:
        x = to.now
        old = x.axes[at].size
        if not (old.is_Integer and new.is_Integer and new <= MOST_PLACES):
            raise OptionError(f'Upsample, mode="{self.mode}"', f"{old} entries to {new}", f"numbers, at most {MOST_PLACES}")
        places, p = letters(to, signal_letters(x.axes)), letters(to, "p")[0]
        i = places[at]
        terms = [When(weight, sp.And(sp.Eq(i, k + 1), sp.Eq(p, t + 1)))
                 for k in range(int(new)) for t, weight in self._around(k, int(old), int(new), scale)]
        k = to.next_number("Q")
        table = to.line(f"Q{k}", (Axis.of(new), x.axes[at]), (i, p), sp.Add(*terms), "how much of each entry each place shows")
        value = total(table[i, p] * x[(*places[:at], p, *places[at + 1:])], ((p, *x.axes[at].range),))
        to.line(f"y{to.next_number('y')}", (*x.axes[:at], Axis.of(new), *x.axes[at + 1:]), places, value, "between the entries around")

    def _around(self, k: int, old: int, new: int, scale: sp.Rational | None) -> list[tuple[int, sp.Rational]]:
        """The entries, from 0, that place k shows, with their weights."""
        if self.align_corners:
            spot = sp.Rational(k * (old - 1), new - 1) if new > 1 else sp.S.Zero
        else:
            step = 1 / scale if scale is not None else sp.Rational(old, new)
            spot = sp.Max(step * (k + sp.Rational(1, 2)) - sp.Rational(1, 2), 0)
        low = int(sp.floor(spot))
        high, share = min(low + 1, old - 1), spot - low
        return [(t, w) for t, w in ((low, 1 - share), (high, share)) if w != 0] if low != high else [(low, sp.S.One)]


@torch_arguments("size scale_factor")
@dataclass(frozen=True)
class UpsamplingNearest2d(Layer):
    """Upsample with mode "nearest", for images.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 3, 4), sn.UpsamplingNearest2d(scale_factor=2)).program().definitions[-1].target.shape
    (N, c, 6, 8)
    """

    size: Sizes | None = None
    scale_factor: object = None

    def build(self, to: Builder) -> None:
        _image(to, "UpsamplingNearest2d")
        Upsample(self.size, self.scale_factor).build(to)


@torch_arguments("size scale_factor")
@dataclass(frozen=True)
class UpsamplingBilinear2d(Layer):
    """Upsample with mode "bilinear" and corners on corners, for images.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 3, 4), sn.UpsamplingBilinear2d(scale_factor=2)).program().definitions[-1].target.shape
    (N, c, 6, 8)
    """

    size: Sizes | None = None
    scale_factor: object = None

    def build(self, to: Builder) -> None:
        _image(to, "UpsamplingBilinear2d")
        Upsample(self.size, self.scale_factor, "bilinear", True).build(to)


@dataclass(frozen=True)
class _MaxUnpool(Layer):
    """What the unpoolings share."""

    kernel_size: Sizes
    stride: int | tuple[int, ...] | None = None
    padding: int | tuple[int, ...] = 0

    dims: ClassVar[int]

    def build(self, to: Builder) -> None:
        where, x, dims = type(self).__name__, to.now, self.dims
        front = signal(to, where, dims)
        made = windows(where, dims, self.kernel_size, self.stride, self.padding)
        room = [Axis.of(w.inputs(a.size)) for w, a in zip(made, x.axes[-dims:], strict=True)]
        count = sp.Mul(*[a.size for a in room])
        k = 1 + sum(t.name.startswith("indices") for t in to.inputs)
        spots = Tensor(f"indices{k}", x.axes, "index", Role.INPUT, note="where each entry stood, counted from 0 row by row",
                       classes=sp.expand(count))
        to.inputs.append(spots)
        chosen = letters(to, "nc"[-len(front):] + "ijl"[:dims] + "uvw"[:dims])
        rest, inner, outer = chosen[:len(front)], chosen[len(front):-dims], chosen[-dims:]
        place, stride = sp.S.One, sp.S.One
        for u, a in reversed(list(zip(outer, room, strict=True))):
            place, stride = place + stride * (u - 1), stride * a.size
        value = When(x[(*rest, *inner)], sp.Eq(spots[(*rest, *inner)] + 1, sp.expand(place)))
        to.line(f"y{to.next_number('y')}", (*front, *room), (*rest, *outer), total(value, _ranges(inner, x.axes[-dims:])),
                "each entry where it stood, 0 elsewhere")


_UNPOOL = "kernel_size stride padding"


@torch_arguments(_UNPOOL)
@dataclass(frozen=True)
class MaxUnpool1d(_MaxUnpool):
    """y[n, c, u] = Σ_i [indices[n, c, i] = u - 1] X[n, c, i]: entries put back where a max pooling took them, 0 elsewhere.

    The places are an input, indices1, as MaxPool1d(return_indices=True) gives them in PyTorch; no two may be alike in one channel.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4), sn.MaxUnpool1d(2)).program().definitions[-1].target.shape
    (N, c, 8)
    """

    dims = 1


@torch_arguments(_UNPOOL)
@dataclass(frozen=True)
class MaxUnpool2d(_MaxUnpool):
    """As MaxUnpool1d, for images; places are counted row by row.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 3), sn.MaxUnpool2d(2)).program().definitions[-1].target.shape
    (N, c, 8, 6)
    """

    dims = 2


@torch_arguments(_UNPOOL)
@dataclass(frozen=True)
class MaxUnpool3d(_MaxUnpool):
    """As MaxUnpool1d, for volumes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 2, 4, 3), sn.MaxUnpool3d(2)).program().definitions[-1].target.shape
    (N, c, 4, 8, 6)
    """

    dims = 3


REARRANGING: tuple[type[Layer], ...] = (
    Unflatten, PixelShuffle, PixelUnshuffle, ChannelShuffle, Unfold, Fold, Upsample, UpsamplingNearest2d, UpsamplingBilinear2d,
    MaxUnpool1d, MaxUnpool2d, MaxUnpool3d)
