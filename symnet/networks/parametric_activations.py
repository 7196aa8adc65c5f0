"""Activations with parameters, random slopes or gates of their own: PReLU, RReLU and GLU."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.axes import size as to_size
from symnet.core.functions import sigmoid
from symnet.core.numbers import rational
from symnet.core.tensors import Role
from symnet.errors import OptionError, ShapeError, shown
from symnet.networks.arguments import BOTH, PLACE, torch_arguments
from symnet.networks.builder import Builder, axes_text
from symnet.networks.layers import Layer, Size


@torch_arguments("num_parameters init device dtype", PLACE)
@dataclass(frozen=True)
class PReLU(Layer):
    """z for z > 0, a z otherwise, with a learned slope a: one for all entries, or one for each channel (axis 1 of a batch).

    At 0 the slope is a, and that of the parameter 0, as in PyTorch. ``init`` says where training starts. Source: He et al. 2015, eq. 1.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear("d", "h"), sn.PReLU()).program().definitions[-1])
    a1[n, j] := Piecewise((z1[n, j], z1[n, j] > 0), (slope1*z1[n, j], True))
    """

    num_parameters: Size = 1
    init: object = "1/4"

    def build(self, to: Builder) -> None:
        z, k, number = to.now, max(to.linear, 1), 1 + sum(t.name.startswith("slope") for t in to.inputs)
        places = to.letters(z.axes)
        note = f"slope for negative entries {number}, starts at {rational(self.init)}"
        if to_size(self.num_parameters) == 1:
            slope = to.add_input(f"slope{number}", (), Role.PARAMETER, note)[()]
        else:
            at = 1 if z.axes and z.axes[0].kind is Kind.BATCH else 0
            if len(z.axes) <= at or z.axes[at].size != to_size(self.num_parameters):
                raise ShapeError("PReLU", f"an input of shape {axes_text(z.axes)}",
                                 f"{self.num_parameters} channels on axis 1, or 1 parameter")
            slope = to.add_input(f"slope{number}", (z.axes[at],), Role.PARAMETER, note)[places[at]]
        value = z[places] if places else z[()]
        to.line(f"a{k}", z.axes, places, sp.Piecewise((value, value > 0), (slope * value, sp.true)),
                f"activation of layer {k}: what it passes on")


@torch_arguments("lower upper inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class RReLU(Layer):
    """z for z > 0, a z otherwise; training draws each a from ``lower``..``upper``: an input slope1 of z's shape, whatever it is.

    With ``training=False``, PyTorch's evaluation mode, a is (lower + upper)/2. Source: Xu et al. 2015, section 3.4.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.RReLU("1/8", "3/8", training=False)).program().definitions[-1])
    a1 := Piecewise((z1, z1 > 0), (z1/4, True))
    """

    lower: object = "1/8"
    upper: object = "1/3"
    training: bool = True

    def __post_init__(self) -> None:
        if rational(self.lower) > rational(self.upper):
            raise OptionError("RReLU", f"lower {self.lower}, upper {self.upper}", "lower at most upper")

    def build(self, to: Builder) -> None:
        z, k = to.now, max(to.linear, 1)
        places = to.letters(z.axes)
        slope: sp.Expr = (rational(self.lower) + rational(self.upper)) / 2
        if self.training:
            number = 1 + sum(t.name.startswith("slope") for t in to.inputs)
            note = f"slopes for negative entries, drawn between {rational(self.lower)} and {rational(self.upper)}"
            drawn = to.add_input(f"slope{number}", z.axes, Role.CONSTANT, note)
            slope = drawn[places] if places else drawn[()]
        value = z[places] if places else z[()]
        to.line(f"a{k}", z.axes, places, sp.Piecewise((value, value > 0), (slope * value, sp.true)),
                f"activation of layer {k}: what it passes on")


@torch_arguments("dim")
@dataclass(frozen=True)
class GLU(Layer):
    """u ⊙ σ(v), where u and v are the first and the second half of the axis ``dim``, by default the last. Source: Dauphin et al. 2017.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear("d", 6), sn.GLU()).program().definitions[-1])
    a1[n, j] := sigmoid(z1[n, j + 3])*z1[n, j]
    """

    dim: int = -1

    def build(self, to: Builder) -> None:
        z, k = to.now, max(to.linear, 1)
        if not -len(z.axes) <= self.dim < len(z.axes):
            raise OptionError("GLU, dim", shown(self.dim), f"an axis of an input of shape {axes_text(z.axes)}")
        at = self.dim % len(z.axes)
        half = sp.expand(z.axes[at].size / 2)
        if not half.is_integer:
            raise ShapeError("GLU", f"an axis of size {z.axes[at].size}", "an even number", "Linear(d, 2*sn.size('h')) before it")
        axes = (*z.axes[:at], Axis.of(half), *z.axes[at + 1:])
        places = to.letters(z.axes)
        gate = z[(*places[:at], places[at] + half, *places[at + 1:])]
        to.line(f"a{k}", axes, places, z[places] * sigmoid(gate), "the first half, gated by the second")


PARAMETRIC: tuple[type[Layer], ...] = (PReLU, RReLU, GLU)
