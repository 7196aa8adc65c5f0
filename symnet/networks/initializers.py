"""Starting weights: arrays from a seed, and the variance each method gives them as a formula in n inputs and m outputs.

A sum of n products of independent weights and inputs of mean 0 has variance n Var(w) Var(x) (``symnet prove variance``; behind a relu
half of that, ``symnet prove variance-relu``), and the gradient flows back through m of the same weights. So the signal keeps its
size forward for Var(w) = 1/n (LeCun), backward for 1/m, with a relu for 2/n (He), and 2/(n + m) is the mean of both wishes (Glorot).
Names and gains are those of ``torch.nn.init``; a weight matrix has shape (inputs, outputs), the transpose of PyTorch's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from symnet.core.numbers import compute, rational
from symnet.core.wellformed import did_you_mean
from symnet.errors import OptionError

Array = np.ndarray[Any, Any]
N, M = sp.Symbol("n", positive=True), sp.Symbol("m", positive=True)
UNIFORM, NORMAL = "uniform", "normal"


@dataclass(frozen=True)
class Initializer:
    """Weights of mean 0: ``variance`` is a formula in n (inputs of a unit) and m (outputs), ``law`` uniform or normal.

    >>> print(INITIALIZERS["xavier_uniform"].spread, INITIALIZERS["kaiming_normal"].spread, sep="; ")
    sqrt(6)/sqrt(m + n); sqrt(2)/sqrt(n)
    """

    name: str
    law: str
    variance: sp.Expr
    source: str

    @property
    def spread(self) -> sp.Expr:
        """What the law is given: the bound a of the uniform on (-a, a), whose variance is a²/3, or the standard deviation."""
        return sp.sqrt(3 * self.variance if self.law == UNIFORM else self.variance)

    @property
    def forward(self) -> sp.Expr:
        """n Var(w): the factor by which a layer multiplies the variance of inputs of mean 0."""
        return sp.cancel(N * self.variance)

    @property
    def backward(self) -> sp.Expr:
        """m Var(w): the factor by which a layer multiplies the variance of the gradient on its way back."""
        return sp.cancel(M * self.variance)

    def draw(self, shape: Sequence[int], seed: int | np.random.Generator = 0, gain: Any = 1, fans: tuple[int, int] | None = None) -> Array:
        """An array of this shape: ``gain`` times the spread, the fans (n, m) by ``fans_of`` unless they are given."""
        n, m = fans_of(shape) if fans is None else fans
        square = compute((3 if self.law == UNIFORM else 1) * self.variance, {N: sp.Integer(n), M: sp.Integer(m)})
        spread = float(rational(gain)) * math.sqrt(float(square))
        rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
        made: Array = rng.uniform(-spread, spread, tuple(shape)) if self.law == UNIFORM else rng.normal(0.0, spread, tuple(shape))
        return made


def fans_of(shape: Sequence[int]) -> tuple[int, int]:
    """(inputs, outputs) of one map: the last two axes; axes before them are depth or time. A missing axis counts 1."""
    n, m = [1, 1, *shape][-2:]
    return n, m


_GLOROT, _HE = "Glorot & Bengio 2010, eq. 12 and 16", "He et al. 2015, eq. 10"
_LECUN = "LeCun, Bottou, Orr & Müller 1998, eq. 16"
INITIALIZERS: dict[str, Initializer] = {i.name: i for i in (
    Initializer("xavier_uniform", UNIFORM, 2 / (N + M), _GLOROT), Initializer("xavier_normal", NORMAL, 2 / (N + M), _GLOROT),
    Initializer("kaiming_uniform", UNIFORM, 2 / N, _HE), Initializer("kaiming_normal", NORMAL, 2 / N, _HE),
    Initializer("lecun_uniform", UNIFORM, 1 / N, _LECUN), Initializer("lecun_normal", NORMAL, 1 / N, _LECUN),
)}
OTHER_NAMES = {"glorot": "xavier", "he": "kaiming"}
Seed = int | np.random.Generator


def initializer(name: str | Initializer) -> Initializer:
    """An initializer by its name; glorot is xavier, he is kaiming. Raises OptionError."""
    if isinstance(name, Initializer):
        return name
    first, _, rest = str(name).lower().partition("_")
    key = f"{OTHER_NAMES.get(first, first)}_{rest or UNIFORM}"
    if key not in INITIALIZERS:
        raise OptionError("initializer", repr(name)[:60], "one of " + ", ".join(INITIALIZERS), did_you_mean(key[:60], INITIALIZERS))
    return INITIALIZERS[key]


def xavier_uniform(shape: Sequence[int], seed: Seed = 0, gain: Any = 1) -> Array:
    """Uniform on ±gain √(6/(n + m)): variance gain² 2/(n + m). Source: Glorot & Bengio 2010, eq. 16."""
    return INITIALIZERS["xavier_uniform"].draw(shape, seed, gain)


def xavier_normal(shape: Sequence[int], seed: Seed = 0, gain: Any = 1) -> Array:
    """Normal with variance gain² 2/(n + m). Source: Glorot & Bengio 2010, eq. 12."""
    return INITIALIZERS["xavier_normal"].draw(shape, seed, gain)


def kaiming_uniform(shape: Sequence[int], seed: Seed = 0, a: Any = 0, mode: str = "fan_in") -> Array:
    """Uniform on ±√(6/((1 + a²) n)), with a the negative slope of a leaky relu; mode "fan_out" takes m. Source: He et al. 2015."""
    return _kaiming("kaiming_uniform", shape, seed, a, mode)


def kaiming_normal(shape: Sequence[int], seed: Seed = 0, a: Any = 0, mode: str = "fan_in") -> Array:
    """Normal with variance 2/((1 + a²) n), with a the negative slope of a leaky relu; mode "fan_out" takes m. Source: He et al. 2015."""
    return _kaiming("kaiming_normal", shape, seed, a, mode)


def _kaiming(name: str, shape: Sequence[int], seed: Seed, a: Any, mode: str) -> Array:
    if mode not in ("fan_in", "fan_out"):
        raise OptionError(name, f"mode {mode!r}"[:60], "fan_in or fan_out", did_you_mean(str(mode)[:60], ("fan_in", "fan_out")))
    n, m = fans_of(shape)
    made = INITIALIZERS[name].draw(shape, seed, 1, (n, m) if mode == "fan_in" else (m, n))
    slope = float(rational(a))
    return made if slope == 0 else made / math.sqrt(1 + slope**2)


def lecun_uniform(shape: Sequence[int], seed: Seed = 0) -> Array:
    """Uniform on ±√(3/n): variance 1/n. Source: LeCun, Bottou, Orr & Müller 1998, eq. 16."""
    return INITIALIZERS["lecun_uniform"].draw(shape, seed)


def lecun_normal(shape: Sequence[int], seed: Seed = 0) -> Array:
    """Normal with variance 1/n. Source: LeCun, Bottou, Orr & Müller 1998, eq. 16; self-normalizing nets: Klambauer et al. 2017."""
    return INITIALIZERS["lecun_normal"].draw(shape, seed)
