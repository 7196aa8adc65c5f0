"""Transposed convolutions by PyTorch's names: what a convolution's backward pass does to a signal, as a layer of its own.

The input is X[n, c, i], X[n, c, i, j] or X[n, c, i, j, l]; weights have PyTorch's shape (in_channels, out_channels/groups, *kernel_size).
Each entry of X is spread over the places that a convolution of these windows would have seen from it. Source: docs.pytorch.org,
torch.nn.ConvTranspose2d; Dumoulin & Visin 2016, chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.axes import size as to_size
from symnet.core.expressions import When, total
from symnet.core.tensors import Role
from symnet.errors import OptionError, ShapeError
from symnet.networks.arguments import PLACE, torch_arguments
from symnet.networks.builder import Builder
from symnet.networks.layers import Layer, Size
from symnet.networks.windows import SPOTS, TAPS, Sizes, batch_letters, letters, signal, spread, whole, windows

ORDER = "in_channels out_channels kernel_size stride padding output_padding groups bias dilation padding_mode device dtype"
UNREAD = PLACE | {"padding_mode": ("zeros",)}
ROOM = "uvw"  # letters of the places of the result


@dataclass(frozen=True)
class _ConvTranspose(Layer):
    """What the transposed convolutions share."""

    in_channels: Size
    out_channels: Size
    kernel_size: Sizes
    stride: int | tuple[int, ...] = 1
    padding: int | tuple[int, ...] = 0
    output_padding: int | tuple[int, ...] = 0
    groups: int = 1
    bias: bool = True
    dilation: int | tuple[int, ...] = 1

    dims: ClassVar[int]

    def build(self, to: Builder) -> None:
        to.linear += 1
        k, dims, x = to.linear, self.dims, to.now
        where = f"{type(self).__name__}, layer {k}"
        front = signal(to, where, dims)
        if front[-1].size != Axis.of(self.in_channels).size:
            raise ShapeError(where, f"{front[-1].size} channels", str(self.in_channels), "in_channels of the signal before")
        made = windows(where, dims, self.kernel_size, self.stride, self.padding, self.dilation)
        more = [whole(where, "output_padding", n, 0) for n in spread(where, "output_padding", self.output_padding, dims)]
        for w, n in zip(made, more, strict=True):
            if n >= max(int(w.stride), w.dilation):
                raise OptionError(where, f"output_padding={n}", f"less than the stride {w.stride} or the dilation {w.dilation}")
        outs = [Axis.of(sp.expand(w.inputs(a.size) + n)) for w, a, n in zip(made, x.axes[-dims:], more, strict=True)]
        groups = whole(where, "groups", self.groups, 1)
        ins, each = (sp.expand(to_size(n) / groups) for n in (self.in_channels, self.out_channels))
        if not ins.is_integer or not each.is_integer:
            raise OptionError(where, f"groups={self.groups}", f"a divisor of {self.in_channels} and {self.out_channels}")
        taps, out, own = [Axis.of(w.kernel) for w in made], Axis.of(self.out_channels), Axis.of(ins)
        weight = to.add_input(f"W{k}", (front[-1], Axis.of(each), *taps), Role.PARAMETER, f"kernels of layer {k}: W[c, o] spreads c into o")
        b = to.add_input(f"b{k}", (out,), Role.PARAMETER, f"biases of layer {k}") if self.bias else None
        chosen = letters(to, batch_letters(front) + "o" + SPOTS[:dims] + TAPS[:dims] + ROOM[:dims])
        rest, (c, o) = chosen[:len(front) - 1], chosen[len(front) - 1:len(front) + 1]
        i, p, m = chosen[-3 * dims:-2 * dims], chosen[-2 * dims:-dims], chosen[-dims:]
        meets = sp.And(*[sp.Eq(u, sp.expand(w.place(a, t) - w.padding)) for u, w, a, t in zip(m, made, i, p, strict=True)])
        sums = ((c, *own.range), *[(t, *a.range) for t, a in zip(p, taps, strict=True)],
                *[(a, *axis.range) for a, axis in zip(i, x.axes[-dims:], strict=True)])

        def sent(group: int) -> sp.Expr:
            here, there = sp.expand(c + ins * group), sp.expand(o - each * group)
            return total(When(weight[(here, there, *p)] * x[(*rest, here, *i)], meets), tuple(reversed(sums)))

        value = sent(0) if groups == 1 else sp.Add(*[
            When(sent(g), sp.And(sp.Ge(o, g * each + 1), sp.Le(o, (g + 1) * each))) for g in range(groups)])
        to.line(f"z{k}", (*front[:-1], out, *outs), (*rest, o, *m), value + (b[o] if b else 0),
                f"transposed convolution of layer {k}, before its activation")


@torch_arguments(ORDER, UNREAD)
@dataclass(frozen=True)
class ConvTranspose1d(_ConvTranspose):
    """z[n, o, m] = b[o] + Σ_c Σ_p Σ_i [m = s(i-1) + d(p-1) + 1 - padding] W[c, o, p] X[n, c, i].

    The result has s(T - 1) - 2 padding + d(K - 1) + 1 + output_padding places.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input(3, 5), sn.ConvTranspose1d(3, 4, 3, stride=2)).program()["z1"].shape
    (N, 4, 11)
    """

    dims = 1


@torch_arguments(ORDER, UNREAD)
@dataclass(frozen=True)
class ConvTranspose2d(_ConvTranspose):
    """As ConvTranspose1d, for images.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input(3, 5, 4), sn.ConvTranspose2d(3, 2, 2, stride=2)).program()["z1"].shape
    (N, 2, 10, 8)
    """

    dims = 2


@torch_arguments(ORDER, UNREAD)
@dataclass(frozen=True)
class ConvTranspose3d(_ConvTranspose):
    """As ConvTranspose1d, for volumes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input(2, 2, 3, 2), sn.ConvTranspose3d(2, 3, 2)).program()["z1"].shape
    (N, 3, 3, 4, 3)
    """

    dims = 3


TRANSPOSED: tuple[type[Layer], ...] = (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)
