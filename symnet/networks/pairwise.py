"""Layers of two tensors, by PyTorch's names: Bilinear, CosineSimilarity and PairwiseDistance.

The first is what flows through the network; the second is an input called ``other``, unless the program has a line of that name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.functions import Max
from symnet.core.numbers import rational
from symnet.core.tensors import Role
from symnet.errors import OptionError, ShapeError, shown
from symnet.networks.arguments import PLACE, torch_arguments
from symnet.networks.builder import Builder, axes_text, over, same_size
from symnet.networks.layers import Layer, Size
from symnet.networks.loss_inputs import given
from symnet.networks.windows import letters


@torch_arguments("in1_features in2_features out_features bias device dtype", PLACE)
@dataclass(frozen=True)
class Bilinear(Layer):
    """z[n, k] = b[k] + Σ_i Σ_j x[n, i] W[k, i, j] v[n, j]: W has PyTorch's shape (out, in1, in2).

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input(2), sn.Bilinear(2, 3, 4)).program()["W1"].shape)
    (4, 2, 3)
    """

    in1_features: Size
    in2_features: Size
    out_features: Size
    bias: bool = True
    other: str = field(default="V", kw_only=True)

    def sample_axes(self) -> tuple[Axis, ...]:
        return (Axis.of(self.in1_features),)

    def build(self, to: Builder) -> None:
        to.linear += 1
        k, x = to.linear, to.now
        where = f"Bilinear, layer {k}"
        if not x.axes:
            raise ShapeError(where, "a single number", "(N, features)")
        same_size(where, x.axes[-1], Axis.of(self.in1_features))
        second, out = Axis.of(self.in2_features), Axis.of(self.out_features)
        v = given(to, self.other, (*x.axes[:-1], second), Role.INPUT, "the second input")
        w = to.add_input(f"W{k}", (out, x.axes[-1], second), Role.PARAMETER, f"weights of layer {k}")
        *rest, i, j, o = to.letters((*x.axes, second, out))
        value = over(over(x[(*rest, i)] * w[o, i, j] * v[(*rest, j)], j, second), i, x.axes[-1])
        if self.bias:
            value = value + to.add_input(f"b{k}", (out,), Role.PARAMETER, f"biases of layer {k}")[o]
        to.line(f"z{k}", (*x.axes[:-1], out), (*rest, o), value, f"products of both inputs, weighted, of layer {k}")


@torch_arguments("dim eps")
@dataclass(frozen=True)
class CosineSimilarity(Layer):
    """c = x·v/(max(‖x‖, ε) max(‖v‖, ε)) along the axis ``dim``, by default 1 as in PyTorch.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("d"), sn.CosineSimilarity()).program().definitions[-1])
    c1[n] := Sum(V[n, i]*X[n, i], (i, 1, d))/(Max(1/100000000, q1[n])*Max(1/100000000, q2[n]))
    """

    dim: int = 1
    eps: object = "1e-8"
    other: str = field(default="V", kw_only=True)

    def build(self, to: Builder) -> None:
        x, eps = to.now, rational(self.eps)
        if not -len(x.axes) <= self.dim < len(x.axes) or eps < 0:
            raise OptionError("CosineSimilarity", f"dim={shown(self.dim)}, eps={self.eps}",
                              f"an axis of an input of shape {axes_text(x.axes)}, and eps not negative")
        v, at = given(to, self.other, x.axes, Role.INPUT, "the second input"), self.dim % len(x.axes)
        places = to.letters(x.axes)
        rest, axes, i = places[:at] + places[at + 1:], x.axes[:at] + x.axes[at + 1:], places[at]
        k = to.next_number("q")
        lengths = []
        for n, (u, whose) in enumerate(((x, "first"), (v, "second"))):
            q = to.line(f"q{k + n}", axes, rest, sp.sqrt(over(u[places] ** 2, i, x.axes[at])), f"lengths of the {whose} input")
            lengths.append(q[rest] if rest else q[()])
        below = sp.Mul(*[Max(q, eps) if eps else q for q in lengths])
        value = over(x[places] * v[places], i, x.axes[at]) / below
        to.line(f"c{(k + 1) // 2}", axes, rest, value, "cosines of the angle between both inputs")


@torch_arguments("p eps keepdim")
@dataclass(frozen=True)
class PairwiseDistance(Layer):
    """‖x - v + ε‖_p along the last axis, p a whole number; with ``keepdim`` the axis stays, of size 1.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("d"), sn.PairwiseDistance(eps=0)).program().definitions[-1])
    rho1[n] := sqrt(Sum((-V[n, i] + X[n, i])**2, (i, 1, d)))
    """

    p: float = 2
    eps: object = "1e-6"
    keepdim: bool = False
    other: str = field(default="V", kw_only=True)

    def build(self, to: Builder) -> None:
        x, p = to.now, int(self.p) if isinstance(self.p, float) and self.p.is_integer() else self.p
        if isinstance(p, bool) or not isinstance(p, int) or p < 1 or not x.axes:
            raise OptionError("PairwiseDistance", f"p={shown(self.p)} for an input of shape {axes_text(x.axes)}",
                              "a whole number p >= 1, and rows")
        v = given(to, self.other, x.axes, Role.INPUT, "the second input")
        *rest, i = to.letters(x.axes)
        gap = x[(*rest, i)] - v[(*rest, i)] + rational(self.eps)
        value = over(gap**p if p % 2 == 0 else sp.Abs(gap) ** p, i, x.axes[-1]) ** sp.Rational(1, p)
        axes, places = x.axes[:-1], tuple(rest)
        if self.keepdim:
            axes, places = (*axes, Axis.of(1)), (*places, next(c for c in letters(to, "jkm") if c not in (*rest, i)))
        k = to.next_number("rho")
        to.line(f"rho{k}", axes, places, value, "distances between both inputs")


PAIRWISE: tuple[type[Layer], ...] = (Bilinear, CosineSimilarity, PairwiseDistance)
