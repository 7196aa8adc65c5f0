"""More activations by PyTorch's names, each an expression of known functions; none has a derivative rule of its own.

Where an activation has a kink it is written with cases, and the derivative on a border is that of the branch that holds
there, which is PyTorch's convention too: ELU has slope α at 0, Hardtanh slope 0 at both ends, Hardswish slope 1 at 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from symnet.core.functions import relu
from symnet.core.numbers import rational
from symnet.core.program import Definition
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, shown
from symnet.indexing import composites
from symnet.indexing.composites import ENTRIES, SELU_ALPHA, SELU_SCALE
from symnet.networks.arguments import BOTH, NONE, torch_arguments
from symnet.networks.builder import Builder
from symnet.networks.layers import Activation

ALPHA = Tensor("alpha_selu", domain="positive", role=Role.CONSTANT, latex=r"\alpha", note="constant of SELU")
SCALE = Tensor("scale_selu", domain="positive", role=Role.CONSTANT, latex=r"\lambda", note="scale of SELU")


def constant(to: Builder, tensor: Tensor, value: sp.Expr) -> None:
    """Add a line that names a number, once in a program."""
    if all(d.target != tensor for d in to.lines):
        to.lines.append(Definition(tensor, (), value, (), tensor.note))


def cases(*branches: tuple[sp.Expr, sp.Basic]) -> sp.Expr:
    """Branches in order, each with its condition; the last condition is True."""
    return sp.Piecewise(*branches)


@torch_arguments("alpha inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class ELU(Activation):
    """z for z > 0, α(e^z - 1) otherwise; PyTorch's default α = 1. The slope at 0 is α. Source: Clevert et al. 2016, eq. 15.

    >>> ELU(2).function()(sp.Symbol("z", real=True))
    Piecewise((z, z > 0), (2*exp(z) - 2, True))
    """

    alpha: object = 1

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        alpha = rational(self.alpha)
        return lambda z: composites.elu(ENTRIES, z, alpha)


@torch_arguments("inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class SELU(Activation):
    """λ z for z > 0, λ α(e^z - 1) otherwise, with PyTorch's α = 1.6732632423543772848170429916717 and scale
    λ = 1.0507009873554804934193349852946, taken as exact decimals. The slope at 0 is λα. Source: Klambauer et al. 2017, eq. 2.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.SELU()).program().definitions[-1])
    a1 := scale_selu*Piecewise((z1, z1 > 0), (alpha_selu*(exp(z1) - 1), True))
    """

    def build(self, to: Builder) -> None:
        constant(to, ALPHA, SELU_ALPHA)
        constant(to, SCALE, SELU_SCALE)
        super().build(to)

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return lambda z: composites.elu(ENTRIES, z, ALPHA[()], SCALE[()])


@torch_arguments("approximate")
@dataclass(frozen=True)
class GELU(Activation):
    """z Φ(z), Φ the standard normal distribution: (z/2)(1 + erf(z/√2)); with approximate="tanh"
    (z/2)(1 + tanh(√(2/π)(z + 0.044715 z³))). Source: Hendrycks & Gimpel 2016, section 2.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.GELU()).program().definitions[-1])
    a1 := z1*(erf(sqrt(2)*z1/2) + 1)/2
    """

    approximate: str = "none"

    def __post_init__(self) -> None:
        if self.approximate not in ("none", "tanh"):
            raise OptionError("GELU, approximate", shown(self.approximate), '"none" or "tanh"')

    def build(self, to: Builder) -> None:
        if self.approximate == "none":
            super().build(to)
            return
        z, k = to.now, max(to.linear, 1)
        u = to.entrywise(f"u{k}", f"inner part of the GELU of layer {k}", lambda z: composites.gelu_inner(ENTRIES, z))
        places = to.letters(z.axes)
        to.line(f"a{k}", z.axes, places, z[places] * (1 + sp.tanh(u[places])) / 2, f"activation of layer {k}: what it passes on")

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return lambda z: composites.gelu(ENTRIES, z)


@torch_arguments("inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class SiLU(Activation):
    """z σ(z), also called swish. Source: Elfwing, Uchibe & Doya 2018, eq. 4.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.SiLU()).program().definitions[-1])
    a1 := z1*sigmoid(z1)
    """

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return lambda z: composites.silu(ENTRIES, z)


@torch_arguments("inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class Mish(Activation):
    """z tanh(softplus(z)). Source: Misra 2020, eq. 1.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.Mish()).program().definitions[-1])
    a1 := z1*tanh(softplus(z1))
    """

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return lambda z: composites.mish(ENTRIES, z)


@torch_arguments()
@dataclass(frozen=True)
class Softsign(Activation):
    """z/(1 + |z|), between -1 and 1. Its derivative 1/(1 + |z|)² is smooth at 0 although |z| is not.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.Softsign()).program().definitions[-1])
    a1 := z1/(Abs(z1) + 1)
    """

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return lambda z: composites.softsign(ENTRIES, z)


@torch_arguments("min_val max_val inplace min_value max_value", {"inplace": BOTH, "min_value": NONE, "max_value": NONE},
                 {"min_value": "min_val=…", "max_value": "max_val=…"})
@dataclass(frozen=True)
class Hardtanh(Activation):
    """z cut off at min_val and max_val (PyTorch's defaults -1 and 1), with slope 0 at both ends.

    >>> Hardtanh().function()(sp.Symbol("z", real=True))
    Piecewise((-1, z <= -1), (z, z < 1), (1, True))
    """

    min_val: object = -1
    max_val: object = 1

    def __post_init__(self) -> None:
        if rational(self.min_val) >= rational(self.max_val):
            raise OptionError("Hardtanh", f"min_val {self.min_val}, max_val {self.max_val}", "min_val below max_val")

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        low, high = rational(self.min_val), rational(self.max_val)
        return lambda z: cases((low, z <= low), (z, z < high), (high, sp.true))


@torch_arguments("inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class ReLU6(Activation):
    """min(max(z, 0), 6), with slope 0 at both ends.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.ReLU6()).program().definitions[-1])
    a1 := Piecewise((0, z1 <= 0), (z1, z1 < 6), (6, True))
    """

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return Hardtanh(0, 6).function()


@torch_arguments()
@dataclass(frozen=True)
class LogSigmoid(Activation):
    """log σ(z), written -softplus(-z), so that it stays finite.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.LogSigmoid()).program().definitions[-1])
    a1 := -softplus(-z1)
    """

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return lambda z: composites.log_sigmoid(ENTRIES, z)


@torch_arguments("lambd")
@dataclass(frozen=True)
class Softshrink(Activation):
    """z moved towards 0 by λ and 0 between -λ and λ: relu(z - λ) - relu(-z - λ); PyTorch's default λ = 0.5.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.Softshrink()).program().definitions[-1])
    a1 := -relu(-z1 - 1/2) + relu(z1 - 1/2)
    """

    lambd: object = "1/2"

    def __post_init__(self) -> None:
        if rational(self.lambd) < 0:
            raise OptionError("Softshrink, lambd", str(self.lambd), "a number that is not negative")

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        by = rational(self.lambd)
        return lambda z: relu(z - by) - relu(-z - by)


@torch_arguments("alpha inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class CELU(Activation):
    """z for z > 0, α(e^(z/α) - 1) otherwise, smooth at 0 for every α; PyTorch's default α = 1. Source: Barron 2017, eq. 2.

    >>> CELU(2).function()(sp.Symbol("z", real=True))
    Piecewise((z, z > 0), (2*exp(z/2) - 2, True))
    """

    alpha: object = 1

    def __post_init__(self) -> None:
        if rational(self.alpha) <= 0:
            raise OptionError("CELU, alpha", str(self.alpha), "a positive number")

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        alpha = rational(self.alpha)
        return lambda z: cases((z, z > 0), (alpha * (sp.exp(z / alpha) - 1), sp.true))


@torch_arguments("inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class Hardsigmoid(Activation):
    """z/6 + 1/2 cut off at 0 and 1, with slope 0 at both ends. Source: Howard et al. 2019, section 5.2.

    >>> Hardsigmoid().function()(sp.Symbol("z", real=True))
    Piecewise((0, z <= -3), (z/6 + 1/2, z < 3), (1, True))
    """

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return lambda z: cases((sp.S.Zero, z <= -3), (z / 6 + sp.Rational(1, 2), z < 3), (sp.S.One, sp.true))


@torch_arguments("inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class Hardswish(Activation):
    """z (z + 3)/6 between -3 and 3, 0 below and z above, with slope 0 at -3 and 1 at 3. Source: Howard et al. 2019, eq. 4.

    >>> Hardswish().function()(sp.Symbol("z", real=True))
    Piecewise((0, z <= -3), (z*(z + 3)/6, z < 3), (z, True))
    """

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return lambda z: cases((sp.S.Zero, z <= -3), (z * (z + 3) / 6, z < 3), (z, sp.true))


@torch_arguments("lambd")
@dataclass(frozen=True)
class Hardshrink(Activation):
    """z where |z| > λ and 0 between -λ and λ, with slope 0 at both; PyTorch's default λ = 0.5.

    >>> Hardshrink().function()(sp.Symbol("z", real=True))
    Piecewise((z, z > 1/2), (0, z >= -1/2), (z, True))
    """

    lambd: object = "1/2"

    def __post_init__(self) -> None:
        if rational(self.lambd) < 0:
            raise OptionError("Hardshrink, lambd", str(self.lambd), "a number that is not negative")

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        by = rational(self.lambd)
        return lambda z: cases((z, z > by), (sp.S.Zero, z >= -by), (z, sp.true))


@torch_arguments()
@dataclass(frozen=True)
class Tanhshrink(Activation):
    """z - tanh(z), whose slope is tanh²(z).

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.Tanhshrink()).program().definitions[-1])
    a1 := z1 - tanh(z1)
    """

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return lambda z: z - sp.tanh(z)


@torch_arguments("threshold value inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class Threshold(Activation):
    """z where z > threshold, else the number ``value``, whose slope is 0.

    >>> Threshold("1/10", 20).function()(sp.Symbol("z", real=True))
    Piecewise((z, z > 1/10), (20, True))
    """

    threshold: object
    value: object

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        above, value = rational(self.threshold), rational(self.value)
        return lambda z: cases((z, z > above), (value, sp.true))


ACTIVATIONS: tuple[type[Activation], ...] = (
    ELU, SELU, GELU, SiLU, Mish, Softsign, Hardtanh, ReLU6, LogSigmoid, Softshrink, CELU, Hardsigmoid, Hardswish, Hardshrink, Tanhshrink,
    Threshold)
