"""Convolutions by PyTorch's names and conventions: cross-correlations, weights of shape (out_channels, in_channels, *kernel_size).

The input is X[n, c, i], X[n, c, i, j] or X[n, c, i, j, l] (a batch of signals with channels), or the same without a batch. Sizes may be
symbols; stride, padding and dilation are whole numbers, one for all axes or one for each; padding may be "same" or "valid". With
``groups`` the channels and the outputs fall into as many groups, and each group of outputs sees its own group of channels: W has the shape
(out_channels, in_channels/groups, *kernel_size). padding_mode is PyTorch's: zeros, reflect, replicate or circular. Source:
docs.pytorch.org, torch.nn.Conv1d, Conv2d and Conv3d; Dumoulin & Visin 2016.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import sympy as sp

from symnet.core.axes import MOST, Axis, index
from symnet.core.axes import size as to_size
from symnet.core.expressions import When, total
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, ShapeError, shown
from symnet.networks.arguments import PLACE, torch_arguments
from symnet.networks.builder import Builder, over, same_size
from symnet.networks.layers import Layer, Size
from symnet.networks.padding import MODES, extend
from symnet.networks.windows import SPOTS, TAPS, Sizes, Window, batch_letters, letters, padded, signal, spread, whole, windows

ORDER = "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode device dtype"  # PyTorch's
OUTPUTS = ("M", "P", "R", "S", "U", "V")  # names for output lengths that nobody gave


@dataclass(frozen=True)
class _Convolution(Layer):
    """What the convolutions share. ``positions`` names the output lengths where the layer stands first and no Input tells them."""

    in_channels: Size
    out_channels: Size
    kernel_size: Sizes
    stride: int | tuple[int, ...] = 1
    padding: int | str | tuple[int, ...] = 0
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    bias: bool = True
    padding_mode: str = "zeros"
    positions: Sizes | None = field(default=None, kw_only=True)

    dims: ClassVar[int]

    def sample_axes(self) -> tuple[Axis, ...]:
        made = self._windows(type(self).__name__)
        taken = {str(s) for e in (self.in_channels, self.out_channels, *[w.kernel for w in made]) for s in to_size(e).free_symbols}
        named = self.positions if self.positions is not None else tuple(n for n in OUTPUTS if n not in taken)[:self.dims]
        outs = [to_size(o) for o in spread(type(self).__name__, "positions", named, self.dims)]
        return (Axis.of(self.in_channels), *[Axis.of(w.inputs(o)) for w, o in zip(made, outs, strict=True)])

    def build(self, to: Builder) -> None:
        to.linear += 1
        where = f"{type(self).__name__}, layer {to.linear}"
        made, front = self._windows(where), signal(to, where, self.dims)
        if front[-1].size != Axis.of(self.in_channels).size:
            raise ShapeError(where, f"{front[-1].size} channels", str(self.in_channels), "in_channels of the signal before")
        outs = [Axis.of(w.outputs(a.size, where)) for w, a in zip(made, to.now.axes[-self.dims:], strict=True)]
        self._grouped(where)
        x = padded(to, made, f"pad{to.linear}") if self.padding_mode == "zeros" else self._extended(to, where, made)
        self._line(to, made, front, outs, x)

    def _extended(self, to: Builder, where: str, made: tuple[Window, ...]) -> Tensor:
        """The signal continued beyond its ends as padding_mode says."""
        if self.padding_mode not in MODES:
            raise OptionError(f"{where}, padding_mode", shown(self.padding_mode), '"zeros", ' + ", ".join(f'"{m}"' for m in MODES))
        for at, w in enumerate(made, start=len(to.now.axes) - self.dims):
            extend(to, where, at, (w.padding, w.padding + w.more), MODES[self.padding_mode])
        return to.now

    def _grouped(self, where: str) -> tuple[sp.Expr, sp.Expr]:
        """(channels, outputs) of one group."""
        each = [sp.expand(to_size(n) / whole(where, "groups", self.groups, 1)) for n in (self.in_channels, self.out_channels)]
        if not all(n.is_integer for n in each):
            raise OptionError(where, f"groups={self.groups}", f"a divisor of {self.in_channels} and {self.out_channels}",
                              "sizes such as 3*sn.size('c') for a symbol")
        return each[0], each[1]

    def _windows(self, where: str) -> tuple[Window, ...]:
        return windows(where, self.dims, self.kernel_size, self.stride, self.padding, self.dilation)

    def _line(self, to: Builder, made: tuple[Window, ...], front: tuple[Axis, ...], outs: list[Axis], x: Tensor) -> None:
        k, dims, taps, out = to.linear, self.dims, [Axis.of(w.kernel) for w in made], Axis.of(self.out_channels)
        ins, made_by = self._grouped(f"{type(self).__name__}, layer {k}")
        channels = front[-1] if self.groups == 1 else Axis.of(ins)
        w = to.add_input(f"W{k}", (out, channels, *taps), Role.PARAMETER, f"kernels of layer {k}: W[o, c] makes channel o from c")
        b = to.add_input(f"b{k}", (out,), Role.PARAMETER, f"biases of layer {k}") if self.bias else None
        chosen = letters(to, batch_letters(front) + "o" + SPOTS[:dims] + TAPS[:dims])
        rest, (c, o), i, p = chosen[:len(front) - 1], chosen[len(front) - 1:len(front) + 1], chosen[-2 * dims:-dims], chosen[-dims:]
        places = tuple(v.place(a, t) for v, a, t in zip(made, i, p, strict=True))
        sums = ((c, *channels.range), *[(t, *a.range) for t, a in zip(p, taps, strict=True)])

        def seen(group: sp.Expr) -> sp.Expr:
            return total(w[(o, c, *p)] * x[(*rest, sp.expand(c + ins * group), *places)], tuple(reversed(sums)))

        value = seen(sp.S.Zero) if self.groups == 1 else sp.Add(*[When(seen(sp.Integer(g)), sp.And(
            sp.Ge(o, g * made_by + 1), sp.Le(o, (g + 1) * made_by))) for g in range(self.groups)])
        value = value + (b[o] if b else 0)
        to.line(f"z{k}", (*front[:-1], out, *outs), (*rest, o, *i), value, f"convolution of layer {k}, before its activation")


@torch_arguments(ORDER, PLACE)
@dataclass(frozen=True)
class Conv1d(_Convolution):
    """z[n, o, i] = b[o] + Σ_c Σ_p W[o, c, p] X[n, c, s(i-1) + d(p-1) + 1], with zeros around X where there is padding.

    >>> from symnet.networks.sequential import Sequential
    >>> print(Sequential(Conv1d(3, 4, "K", positions="M")).program())
    z1[n, o, i] := b1[o] + Sum(W1[o, c, p]*X[n, c, i + p - 1], (p, 1, K), (c, 1, 3))
    """

    dims = 1


@torch_arguments(ORDER, PLACE)
@dataclass(frozen=True)
class Conv2d(_Convolution):
    """z[n, o, i, j] = b[o] + Σ_c Σ_p Σ_q W[o, c, p, q] X[n, c, s(i-1) + d(p-1) + 1, s(j-1) + d(q-1) + 1].

    >>> from symnet.networks.structure import Input
    >>> from symnet.networks.sequential import Sequential
    >>> Sequential(Input(3, 8, 6), Conv2d(3, 4, (3, 2), stride=2, padding=(1, 0))).program()["z1"].shape
    (N, 4, 4, 3)
    """

    dims = 2


@torch_arguments(ORDER, PLACE)
@dataclass(frozen=True)
class Conv3d(_Convolution):
    """As Conv2d with a third axis: z[n, o, i, j, l] = b[o] + Σ_c Σ_p Σ_q Σ_r W[o, c, p, q, r] X[n, c, …].

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input(2, 5, 6, 4), sn.Conv3d(2, 3, (2, 3, 2))).program()["z1"].shape
    (N, 3, 4, 4, 3)
    """

    dims = 3


@torch_arguments("kernel_size positions stride bias")
@dataclass(frozen=True)
class Convolution(Layer):
    """y_i = Σ_p w_p x_{s(i-1)+p} + b: one channel, no padding, stride s; input length s(M - 1) + K for M outputs.

    The textbook's form without channels; Conv1d is PyTorch's. ``positions`` is the number M of outputs.
    Source: Goodfellow, Bengio & Courville 2016, eq. 9.6 (cross-correlation).

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Convolution("K", "M")).program(batch=False))
    z1[i] := b1 + Sum(w1[p]*x[i + p - 1], (p, 1, K))
    """

    kernel_size: Size
    positions: Size
    stride: int = 1
    bias: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.stride <= MOST:
            raise OptionError("Convolution, stride", shown(self.stride), "a whole number, 1 or more")

    def sample_axes(self) -> tuple[Axis, ...]:
        return (Axis.of(self.length),)

    def build(self, to: Builder) -> None:
        to.linear += 1
        k, x = to.linear, to.now
        taps, outs = Axis.of(self.kernel_size), Axis.of(self.positions)
        same_size(f"Convolution, layer {k}", x.axes[-1], Axis.of(self.length))
        w = to.add_input(f"w{k}", (taps,), Role.PARAMETER, f"kernel of layer {k}")
        rest, i, p = to.letters(x.axes[:-1]), index("i"), index("p")
        value = over(w[p] * x[(*rest, self.stride * (i - 1) + p)], p, taps)
        if self.bias:
            value = value + to.add_input(f"b{k}", (), Role.PARAMETER, f"bias of layer {k}")[()]
        to.line(f"z{k}", (*x.axes[:-1], outs), (*rest, i), value, f"convolution of layer {k}")

    @property
    def length(self) -> sp.Expr:
        """The input length that fits."""
        return sp.expand(self.stride * (to_size(self.positions) - 1) + to_size(self.kernel_size))
