"""Starting weights: arrays from a seed, and the variance each method gives them as a formula in n inputs and m outputs.

A sum of n products of independent weights and inputs of mean 0 has variance n Var(w) Var(x) (``symnet prove variance``; behind a relu
half of that, ``symnet prove variance-relu``), and the gradient flows back through m of the same weights. So the signal keeps its
size forward for Var(w) = 1/n (LeCun), backward for 1/m, with a relu for 2/n (He), and 2/(n + m) is the mean of both wishes (Glorot).
Names, arguments and gains are those of ``torch.nn.init``; a weight matrix has shape (inputs, outputs), the transpose of PyTorch's, and
a kernel PyTorch's (outputs, inputs, taps…), of which every tap feeds and is fed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from symnet.core.numbers import compute, rational
from symnet.errors import OptionError, did_you_mean, shown
from symnet.networks.arguments import NONE, torch_arguments

Array = np.ndarray[Any, Any]
N, M = sp.Symbol("n", positive=True), sp.Symbol("m", positive=True)
GENERATOR, SEED = {"generator": NONE}, {"generator": "seed=…, a number or a NumPy generator"}
UNIFORM, NORMAL = "uniform", "normal"
GAINS = {"linear": 1.0, **{f"conv{t}{d}d": 1.0 for t in ("", "_transpose") for d in (1, 2, 3)}, "sigmoid": 1.0,
         "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}  # torch.nn.init.calculate_gain


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
        rng = _generator(seed)
        if rational(gain) < 0:
            raise OptionError("gain", shown(gain), "a number that is not negative")
        n, m = fans_of(shape) if fans is None else fans
        square = compute((3 if self.law == UNIFORM else 1) * self.variance, {N: sp.Integer(n), M: sp.Integer(m)})
        spread = float(rational(gain)) * math.sqrt(float(square))
        made: Array = rng.uniform(-spread, spread, tuple(shape)) if self.law == UNIFORM else rng.normal(0.0, spread, tuple(shape))
        return made


def _generator(seed: int | np.random.Generator) -> np.random.Generator:
    """The generator that a seed is or begins. Raises OptionError for a negative one."""
    if isinstance(seed, np.random.Generator):
        return seed
    if seed < 0:
        raise OptionError("seed", shown(seed), "a whole number, at least 0")
    return np.random.default_rng(seed)


def fans_of(shape: Sequence[int]) -> tuple[int, int]:
    """(n, m), the fans: a matrix has (inputs, outputs), a kernel (outputs, inputs, taps…) with the taps counted, as in PyTorch.

    >>> fans_of((4, 3)), fans_of((8, 4, 3, 3))
    ((4, 3), (36, 72))
    """
    if len(shape) < 2:
        raise OptionError("initializer", f"the shape {tuple(shape)}", "at least two axes: (inputs, outputs), or (outputs, inputs, taps…)")
    taps = math.prod(shape[2:])
    return (shape[0], shape[1]) if len(shape) == 2 else (shape[1] * taps, shape[0] * taps)


@torch_arguments("nonlinearity param")
def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """The gain that keeps the signal behind a function: PyTorch's numbers. ``param`` is the slope of leaky_relu, 0.01 unless given.

    >>> import symnet as sn
    >>> sn.calculate_gain("tanh"), round(sn.calculate_gain("relu"), 4)
    (1.6666666666666667, 1.4142)
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + float(rational("1/100" if param is None else param)) ** 2))
    if nonlinearity not in GAINS:
        raise OptionError("calculate_gain", shown(nonlinearity), "one of " + ", ".join([*GAINS, "leaky_relu"]),
                          did_you_mean(nonlinearity, [*GAINS, "leaky_relu"]))
    return GAINS[nonlinearity]


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
    first, _, rest = name.lower().partition("_") if isinstance(name, str) else ("", "", "")
    key = f"{OTHER_NAMES.get(first, first)}_{rest or UNIFORM}"
    if key not in INITIALIZERS:
        raise OptionError("initializer", shown(name), "one of " + ", ".join(INITIALIZERS), did_you_mean(name, INITIALIZERS))
    return INITIALIZERS[key]


@torch_arguments("shape gain generator", GENERATOR, SEED)
def xavier_uniform(shape: Sequence[int], gain: Any = 1, *, seed: Seed = 0) -> Array:
    """Uniform on ±gain √(6/(n + m)): variance gain² 2/(n + m). Source: Glorot & Bengio 2010, eq. 16.

    >>> import symnet as sn
    >>> sn.xavier_uniform((4, 3), seed=1).shape
    (4, 3)
    """
    return INITIALIZERS["xavier_uniform"].draw(shape, seed, gain)


@torch_arguments("shape gain generator", GENERATOR, SEED)
def xavier_normal(shape: Sequence[int], gain: Any = 1, *, seed: Seed = 0) -> Array:
    """Normal with variance gain² 2/(n + m). Source: Glorot & Bengio 2010, eq. 12.

    >>> import symnet as sn
    >>> sn.xavier_normal((4, 3), seed=1).shape
    (4, 3)
    """
    return INITIALIZERS["xavier_normal"].draw(shape, seed, gain)


@torch_arguments("shape a mode nonlinearity generator", GENERATOR, SEED)
def kaiming_uniform(shape: Sequence[int], a: Any = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, seed: Seed = 0) -> Array:
    """Uniform on ±gain √(3/n), by default √(6/((1 + a²) n)) with a the negative slope of a leaky relu; mode "fan_out" takes m.

    Source: He et al. 2015. Defaults and the gain of ``nonlinearity`` are PyTorch's.

    >>> import symnet as sn
    >>> sn.kaiming_uniform((4, 3), seed=1).shape
    (4, 3)
    """
    return _kaiming("kaiming_uniform", shape, seed, (a, mode, nonlinearity))


@torch_arguments("shape a mode nonlinearity generator", GENERATOR, SEED)
def kaiming_normal(shape: Sequence[int], a: Any = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", *, seed: Seed = 0) -> Array:
    """Normal with variance gain²/n, by default 2/((1 + a²) n) with a the negative slope of a leaky relu; mode "fan_out" takes m.

    Source: He et al. 2015. Defaults and the gain of ``nonlinearity`` are PyTorch's.

    >>> import symnet as sn
    >>> sn.kaiming_normal((4, 3), seed=1).shape
    (4, 3)
    """
    return _kaiming("kaiming_normal", shape, seed, (a, mode, nonlinearity))


def _kaiming(name: str, shape: Sequence[int], seed: Seed, options: tuple[Any, str, str]) -> Array:
    a, mode, nonlinearity = options
    if mode not in ("fan_in", "fan_out"):
        raise OptionError(name, f"mode {mode!r}"[:60], "fan_in or fan_out", did_you_mean(str(mode)[:60], ("fan_in", "fan_out")))
    n, m = fans_of(shape)
    gain = calculate_gain(nonlinearity, a)
    made = INITIALIZERS[name].draw(shape, seed, 1, (n, m) if mode == "fan_in" else (m, n))  # of the gain √2
    return made if nonlinearity == "leaky_relu" and rational(a) == 0 else made * (gain / math.sqrt(2))


@torch_arguments("shape")
def lecun_uniform(shape: Sequence[int], *, seed: Seed = 0) -> Array:
    """Uniform on ±√(3/n): variance 1/n. Source: LeCun, Bottou, Orr & Müller 1998, eq. 16.

    >>> import symnet as sn
    >>> sn.lecun_uniform((4, 3), seed=1).shape
    (4, 3)
    """
    return INITIALIZERS["lecun_uniform"].draw(shape, seed)


@torch_arguments("shape")
def lecun_normal(shape: Sequence[int], *, seed: Seed = 0) -> Array:
    """Normal with variance 1/n. Source: LeCun, Bottou, Orr & Müller 1998, eq. 16; self-normalizing nets: Klambauer et al. 2017.

    >>> import symnet as sn
    >>> sn.lecun_normal((4, 3), seed=1).shape
    (4, 3)
    """
    return INITIALIZERS["lecun_normal"].draw(shape, seed)


@torch_arguments("shape gain generator", GENERATOR, SEED)
def orthogonal(shape: Sequence[int], gain: Any = 1, *, seed: Seed = 0) -> Array:
    """``gain`` times a matrix whose rows or columns, the fewer, are orthonormal, drawn evenly among all such; a kernel is one row for
    each output. It keeps lengths, whatever the depth. Source: Saxe, McClelland & Ganguli 2014; drawn as in Mezzadri 2007.

    >>> import symnet as sn
    >>> q = sn.orthogonal((4, 3), seed=1)
    >>> bool(abs(q.T @ q - np.eye(3)).max() < 1e-12)
    True
    """
    fans_of(shape)
    rows, columns = shape[0], math.prod(shape[1:])
    rng = _generator(seed)
    q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diag(r))  # without it, qr favours some
    made: Array = float(rational(gain)) * (q if rows >= columns else q.T).reshape(tuple(shape))
    return made


@torch_arguments("shape mean std a b generator", GENERATOR, SEED)
def trunc_normal(shape: Sequence[int], mean: Any = 0, std: Any = 1, a: Any = -2, b: Any = 2, *, seed: Seed = 0) -> Array:
    """Normal numbers of this mean and standard deviation among those that lie in a..b, drawn again until they do.

    >>> import symnet as sn
    >>> bool(abs(sn.trunc_normal((50, 3), 0, "1/50")).max() <= 2)
    True
    """
    centre, width, low, high = (float(rational(v)) for v in (mean, std, a, b))
    if width <= 0 or low >= high or not centre - 5 * width < high or not low < centre + 5 * width:
        raise OptionError("trunc_normal", f"mean={mean}, std={std}, a={a}, b={b}", "std positive, and a..b not far outside the mean")
    rng = _generator(seed)
    made: Array = rng.normal(centre, width, tuple(shape))
    while (outside := (made < low) | (made > high)).any():
        made[outside] = rng.normal(centre, width, int(outside.sum()))
    return made


def _shape(name: str, shape: Sequence[int], *axes: int) -> tuple[int, ...]:
    """The sizes of an array of so many axes; of any number where none is told."""
    found = tuple(shape)
    if any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0 for n in found):
        raise OptionError(f"{name}, shape", shown(shape), "whole numbers, at least 0")
    if axes and len(found) not in axes:
        raise OptionError(f"{name}, shape", shown(shape), f"{' or '.join(map(str, axes))} axes")
    return found


@torch_arguments("shape a b generator", GENERATOR, SEED)
def uniform(shape: Sequence[int], a: Any = 0, b: Any = 1, *, seed: Seed = 0) -> Array:
    """Uniform on a..b.

    >>> import symnet as sn
    >>> bool((sn.uniform((4, 3), -1, 1, seed=1) < 1).all())
    True
    """
    low, high = float(rational(a)), float(rational(b))
    if low > high:
        raise OptionError("uniform", f"a={a}, b={b}", "a, which is not above b")
    return np.asarray(_generator(seed).uniform(low, high, _shape("uniform", shape)))


@torch_arguments("shape mean std generator", GENERATOR, SEED)
def normal(shape: Sequence[int], mean: Any = 0, std: Any = 1, *, seed: Seed = 0) -> Array:
    """Normal with this mean and standard deviation.

    >>> import symnet as sn
    >>> sn.normal((4, 3), 0, "1/100", seed=1).shape
    (4, 3)
    """
    if rational(std) < 0:
        raise OptionError("normal, std", shown(std), "a number that is not negative")
    return np.asarray(_generator(seed).normal(float(rational(mean)), float(rational(std)), _shape("normal", shape)))


@torch_arguments("shape val")
def constant(shape: Sequence[int], val: Any) -> Array:
    """``val`` everywhere.

    >>> import symnet as sn
    >>> sn.constant((2,), "1/2")
    array([0.5, 0.5])
    """
    return np.full(_shape("constant", shape), float(rational(val)))


@torch_arguments("shape")
def ones(shape: Sequence[int]) -> Array:
    """1 everywhere.

    >>> import symnet as sn
    >>> sn.ones((2,))
    array([1., 1.])
    """
    return constant(shape, 1)


@torch_arguments("shape")
def zeros(shape: Sequence[int]) -> Array:
    """0 everywhere.

    >>> import symnet as sn
    >>> sn.zeros((2,))
    array([0., 0.])
    """
    return constant(shape, 0)


@torch_arguments("shape")
def eye(shape: Sequence[int]) -> Array:
    """A matrix with 1 on its diagonal: a linear layer that passes on as many inputs as it can.

    >>> import symnet as sn
    >>> sn.eye((2, 3))
    array([[1., 0., 0.],
           [0., 1., 0.]])
    """
    rows, columns = _shape("eye", shape, 2)
    return np.eye(rows, columns)


@torch_arguments("shape groups")
def dirac(shape: Sequence[int], groups: int = 1) -> Array:
    """A kernel (outputs, inputs, taps…) with 1 at the middle tap of output k and input k, within each group: a convolution that passes on
    as many channels as it can.

    >>> import symnet as sn
    >>> sn.dirac((2, 2, 3))[1]
    array([[0., 0., 0.],
           [0., 1., 0.]])
    """
    sizes = _shape("dirac", shape, 3, 4, 5)
    if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1 or sizes[0] % groups:
        raise OptionError("dirac, groups", shown(groups), f"a whole number that divides {sizes[0]}, the outputs")
    made, each = np.zeros(sizes), sizes[0] // groups
    middle = tuple(n // 2 for n in sizes[2:])
    for group in range(groups):
        for k in range(min(each, sizes[1])):
            made[(group * each + k, k, *middle)] = 1
    return made


@torch_arguments("shape sparsity std generator", GENERATOR, SEED)
def sparse(shape: Sequence[int], sparsity: Any, std: Any = "1/100", *, seed: Seed = 0) -> Array:
    """Normal numbers, of which the part ``sparsity`` of the weights of each input, rounded up, is 0: those of a row, since a matrix is
    (inputs, outputs) here, the transpose of PyTorch's. Source: Martens 2010, section 5.

    >>> import symnet as sn
    >>> (sn.sparse((4, 10), "1/4", seed=1) == 0).sum(axis=1).tolist()
    [3, 3, 3, 3]
    """
    rows, columns = _shape("sparse", shape, 2)
    part = rational(sparsity)
    if not 0 <= part <= 1:
        raise OptionError("sparse, sparsity", shown(sparsity), "a number from 0 to 1")
    rng = _generator(seed)
    made = normal((rows, columns), 0, std, seed=rng)
    for row in made:
        row[rng.permutation(columns)[: math.ceil(part * columns)]] = 0
    return made
