"""Penalties of the parameters, added to any loss: weight decay (L2) and the lasso (L1)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace

import sympy as sp

from symnet.core.program import Definition
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, ShapeError, shown
from symnet.networks.arguments import torch_arguments
from symnet.networks.builder import Builder
from symnet.networks.loss_inputs import amount, summed
from symnet.networks.losses import Loss, as_loss


@dataclass(frozen=True)
class Penalty(Loss):
    """L := E + λ R, E the loss it is given and R a sum over the entries of the parameters.

    λ is ``weight``, a number or a name. ``parameters`` is "all" (as PyTorch's weight_decay), or "weights", which leaves out
    the biases: every parameter whose name begins with b.
    """

    loss: Loss | type[Loss]
    weight: object
    parameters: str = "all"

    def __post_init__(self) -> None:
        if not isinstance(self.loss, (Loss, type)):
            raise OptionError(type(self).__name__, shown(self.loss), "a loss such as MSELoss(), then the weight of the penalty")
        object.__setattr__(self, "loss", as_loss(self.loss))
        if self.parameters not in ("all", "weights"):
            raise OptionError(f"{type(self).__name__}, parameters", shown(self.parameters), '"all" or "weights"')

    def build(self, to: Builder) -> None:
        as_loss(self.loss).build(to)
        last = to.lines.pop()
        if last.target.axes:
            raise ShapeError(type(self).__name__, f"a loss of shape {last.target.shape}", "a scalar", 'reduction="mean" or "sum"')
        taken = {t.name for t in to.inputs} | {d.name for d in to.lines}
        name = "E" if "E" not in taken else "E_"
        inner = replace(last.target, name=name, role=Role.INTERMEDIATE)
        to.lines.append(Definition(inner, (), last.expr, (), last.note))
        weight = amount(to, f"{type(self).__name__}, weight", self.weight, "weight of the penalty", "nonnegative")
        wanted = [t for t in to.inputs if t.role is Role.PARAMETER and (self.parameters == "all" or not t.name.startswith("b"))]
        if not wanted:
            raise OptionError(type(self).__name__, "no parameters", "a network that has some")
        size = to.line("R", (), (), sp.Add(*[self._of(to, t) for t in wanted]), f"penalty: {self.about}")
        to.line("L", (), (), inner[()] + weight * size[()], "loss with its penalty", Role.OBJECTIVE)

    about = ""

    def _of(self, to: Builder, tensor: Tensor) -> sp.Expr:
        places = to.letters(tensor.axes)
        return summed(self.each(tensor[places]), places, tensor.axes) * self.factor

    factor = sp.S.One

    @abstractmethod
    def each(self, w: sp.Expr) -> sp.Expr:
        """The penalty of one entry."""


@torch_arguments("loss weight parameters")
class L2Penalty(Penalty):
    """L := E + λ Σ w²/2, whose gradient adds λ w (PyTorch's weight_decay). Source: Goodfellow et al. 2016, eq. 7.2.

    >>> from symnet.networks.layers import Linear
    >>> from symnet.networks.losses import MSELoss
    >>> from symnet.networks.sequential import Sequential
    >>> print(Sequential(Linear(1, 1)).program(L2Penalty(MSELoss(), "lam")))
    z1 := b1 + w1*x
    E := (-y + z1)**2
    R := b1**2/2 + w1**2/2
    L := E + R*lam
    """

    about = "half the sum of all squared parameters"
    factor = sp.Rational(1, 2)

    def each(self, w: sp.Expr) -> sp.Expr:
        return w**2


@torch_arguments("loss weight parameters")
class L1Penalty(Penalty):
    """L := E + λ Σ |w|, with slope 0 at w = 0. Source: Goodfellow et al. 2016, eq. 7.18.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1)).program(sn.L1Penalty(sn.MSELoss(), "1/10")).definitions[-2])
    R := Abs(b1) + Abs(w1)
    """

    about = "the sum of the absolute values of the parameters"

    def each(self, w: sp.Expr) -> sp.Expr:
        return sp.Abs(w)
