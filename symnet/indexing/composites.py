"""Activations, softmax, norms and layers as array operations, each defined once in a few lines. They have no gradient rules.

``m`` is whoever carries the operations out: the Maker of a graph, which writes them down for a framework's model, ``AtOnce`` on arrays in
index form, for text, or ``ENTRIES`` on single entries, for the layers of networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import sympy as sp

from symnet.core.numbers import rational
from symnet.indexing.arithmetic import count, elementwise, reduce_sum
from symnet.indexing.entrywise import MAPS
from symnet.indexing.graph import unsupported
from symnet.indexing.index_array import IndexArray, number
from symnet.indexing.operations import Array, Maker

# PyTorch's digits (torch/nn/modules/activation.py, class SELU), taken as exact decimals; Klambauer et al. 2017, eq. 14.
SELU_ALPHA, SELU_SCALE = rational("1.6732632423543772848170429916717"), rational("1.0507009873554804934193349852946")
T = TypeVar("T")
Made = TypeVar("Made", covariant=True)


class Maps(Protocol[Made]):
    """Carries out functions entry by entry, by their names in ``entrywise.py``; numbers may stand among the arguments."""

    def map(self, function: str, *args: Any) -> Made:
        """The function of arrays or numbers."""
        ...


class Reduces(Maps[T], Protocol[T]):
    """Sums along axes too."""

    def sum(self, a: T, axes: Any = None, keep: bool = False) -> T:
        """Σ along axes."""
        ...

    def top(self, a: T, axes: Any = None, keep: bool = False) -> T:
        """The maximum along axes, which keeps exp from overflowing and must cancel later."""
        ...


def _exact(value: Any) -> sp.Basic:
    return value if isinstance(value, sp.Basic) else rational(value)


class _Entries:
    """Functions of single entries, at once."""

    def map(self, function: str, *args: Any) -> sp.Expr:
        """The function by its name."""
        return MAPS[function](*map(_exact, args))


ENTRIES = _Entries()


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Operations on arrays in index form, at once; ``where`` and ``name`` say in a message what was called."""

    where: str
    name: str

    def map(self, function: str, *args: Any) -> IndexArray:
        """The function entry by entry, shapes broadcast."""
        arrays = [a if isinstance(a, IndexArray) else number(_exact(a)) for a in args]
        return elementwise(self.where, self.name, MAPS[function], *arrays)

    def sum(self, a: IndexArray, axes: int | None = None, keep: bool = False) -> IndexArray:
        """Σ over all axes or one."""
        return reduce_sum(self.where, a, axes, keep)

    def top(self, a: IndexArray, axes: int | None = None, keep: bool = False) -> IndexArray:
        """0: formulas have no need of the maximum, which cancels."""
        return number(sp.S.Zero)

    def mean(self, a: IndexArray, axes: int | None = None, keep: bool = False) -> IndexArray:
        """The mean over all axes or one."""
        return self.map("div", self.sum(a, axes, keep), count(a, axes))


def softmax(m: Reduces[T], a: T, axis: int) -> T:
    """exp(a)/Σ exp(a)."""
    e = m.map("exp", m.map("sub", a, m.top(a, axis, True)))
    return m.map("div", e, m.sum(e, axis, True))


def log_softmax(m: Reduces[T], a: T, axis: int) -> T:
    """a - log Σ exp(a)."""
    shifted = m.map("sub", a, m.top(a, axis, True))
    return m.map("sub", shifted, m.map("log", m.sum(m.map("exp", shifted), axis, True)))


def logsumexp(m: Reduces[T], a: T, axes: Any, keep: bool = False) -> T:
    """log Σ exp(a)."""
    e = m.map("exp", m.map("sub", a, m.top(a, axes, True)))
    return m.map("add", m.map("log", m.sum(e, axes, keep)), m.top(a, axes, keep))


def gelu_inner(m: Maps[T], a: T) -> T:
    """√(2/π) (a + 0.044715 a³), of which the tanh form of GELU takes the tanh."""
    return m.map("mul", sp.sqrt(2 / sp.pi), m.map("add", a, m.map("mul", rational("0.044715"), m.map("pow", a, 3))))


def gelu(m: Maps[T], a: T, approximate: str = "none") -> T:
    """a Φ(a), with erf or PyTorch's tanh form."""
    if approximate == "none":
        inner = m.map("erf", m.map("div", a, sp.sqrt(2)))
    else:
        inner = m.map("tanh", gelu_inner(m, a))
    return m.map("mul", m.map("mul", rational("0.5"), a), m.map("add", 1, inner))


def silu(m: Maps[T], a: T) -> T:
    """a σ(a)."""
    return m.map("mul", a, m.map("logistic", a))


def mish(m: Maps[T], a: T) -> T:
    """a tanh(softplus(a))."""
    return m.map("mul", a, m.map("tanh", m.map("softplus", a)))


def norm(m: Reduces[T], a: T, axes: Any, keep: bool = False) -> T:
    """√(Σ a²): Euclid's norm, of a matrix Frobenius'."""
    return m.map("sqrt", m.sum(m.map("square", a), axes, keep))


def log_sigmoid(m: Maps[T], a: T) -> T:
    """log σ(a), written -softplus(-a), so that it stays finite."""
    return m.map("neg", m.map("softplus", m.map("neg", a)))


def softplus(m: Maps[T], a: T, beta: Any = 1) -> T:
    """log(1 + exp(βa))/β; PyTorch's threshold only saves time."""
    return m.map("softplus", a) if beta == 1 else m.map("div", m.map("softplus", m.map("mul", beta, a)), beta)


def elu(m: Maps[T], a: T, alpha: Any = 1, scale: Any = 1) -> T:
    """scale·a for a > 0, else scale·α(exp(a) - 1)."""
    below = m.map("mul", _exact(alpha), m.map("expm1", a))
    return m.map("mul", _exact(scale), m.map("select", m.map("gt", a, 0), a, below))


def celu(m: Maps[T], a: T, alpha: Any) -> T:
    """a for a > 0, else α(exp(a/α) - 1)."""
    return m.map("select", m.map("gt", a, 0), a, m.map("mul", alpha, m.map("expm1", m.map("div", a, alpha))))


def hardtanh(m: Maps[T], a: T, low: Any = -1, high: Any = 1) -> T:
    """a between two bounds."""
    return m.map("min", m.map("max", a, low), high)


def softsign(m: Maps[T], a: T) -> T:
    """a/(1 + |a|)."""
    return m.map("div", a, m.map("add", 1, m.map("abs", a)))


def scaled(m: Maker, a: Array, weight: Array | None, bias: Array | None) -> Array:
    """a·weight + bias, where there are any."""
    a = a if weight is None else m.map("mul", a, weight)
    return a if bias is None else m.map("add", a, bias)


def layer_norm(m: Maker, a: Array, rank: int, weight: Array | None, bias: Array | None, eps: Any) -> Array:
    """(a - mean)/√(variance + eps) over the last ``rank`` axes."""
    axes = range(a.rank - rank, a.rank)
    centred = m.map("sub", a, m.mean(a, axes, True))
    spread = m.map("sqrt", m.map("add", m.mean(m.map("square", centred), axes, True), rational(eps)))
    return scaled(m, m.map("div", centred, spread), weight, bias)


def rms_norm(m: Maker, a: Array, rank: int, weight: Array | None, eps: Any) -> Array:
    """a/√(mean a² + eps) over the last ``rank`` axes."""
    axes = range(a.rank - rank, a.rank)
    spread = m.map("sqrt", m.map("add", m.mean(m.map("square", a), axes, True), rational(eps)))
    return scaled(m, m.map("div", a, spread), weight, None)


def batch_norm(m: Maker, a: Array, weight: Array | None, bias: Array | None, mean: Array | None, var: Array | None, eps: Any) -> Array:
    """Along axis 1 (channels): by given statistics, or by those of the batch when ``mean`` is None."""
    others = [k for k in range(a.rank) if k != 1]

    def column(v: Array | None) -> Array | None:
        return None if v is None else m.reshape(v, [1, *v.shape, *[1] * (a.rank - 2)])

    centre = m.mean(a, others, True) if mean is None else column(mean)
    spread = m.variance(a, others, 0, True) if var is None else column(var)
    root = m.map("sqrt", m.map("add", spread, rational(eps)))
    return scaled(m, m.map("div", m.map("sub", a, centre), root), column(weight), column(bias))


def attention(m: Maker, q: Array, k: Array, v: Array, mask: Array | None = None, scale: Any = None, test: bool = False) -> Array:
    """softmax(q kᵀ/√d + mask) v over the last two axes; a mask that is a ``test`` says where a key may be seen."""
    scores = m.map("mul", m.matmul(q, m.transposed(k)), 1 / sp.sqrt(q.shape[-1]) if scale is None else rational(scale))
    if mask is not None:
        scores = m.map("select", mask, scores, -sp.oo) if test else m.map("add", scores, mask)
    return m.matmul(softmax(m, scores, -1), v)


def convolution(m: Maker, x: Array, w: Array, bias: Array | None, stride: Sequence[int], padding: Sequence[int],
                dilation: Sequence[int], groups: int) -> Array:
    """y[n, o, i…] = Σ_{c, p…} w[o, c, p…] x[n, c, stride (i - 1) + dilation (p - 1) + 1 - padding …] + b[o] (cross-correlation)."""
    rank = x.rank - 2
    for k in reversed(range(rank)):
        x = m.window(x, 2 + k, int(w.shape[2 + k]), stride[k], dilation[k], padding[k])
    taps = [3 + 2 * k for k in range(rank)]
    if groups == 1:
        made = m.dot(x, w, ([1, *taps], [1, *range(2, 2 + rank)]))
        made = m.permute(made, [0, made.rank - 1, *range(1, made.rank - 1)])
    else:  # each group of channels makes its own group of outputs
        x = m.reshape(x, [x.shape[0], groups, x.shape[1] / groups, *x.shape[2:]])
        v = m.reshape(w, [groups, w.shape[0] / groups, *w.shape[1:]])
        made = m.dot(x, v, ([2, *[t + 1 for t in taps]], [2, *range(3, 3 + rank)]), ([1], [0]))  # group, sample, places, output
        made = m.permute(made, [1, 0, made.rank - 1, *range(2, made.rank - 1)])
        made = m.reshape(made, [made.shape[0], w.shape[0], *made.shape[3:]])
    return made if bias is None else m.map("add", made, m.reshape(bias, [*bias.shape, *[1] * rank]))


def average_pool(m: Maker, x: Array, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]) -> Array:
    """The mean of each window of the last axes; padding counts as zeros (PyTorch's count_include_pad)."""
    first = x.rank - len(kernel)
    for k in reversed(range(len(kernel))):
        x = m.window(x, first + k, kernel[k], stride[k], 1, padding[k])
    return m.mean(x, [first + 1 + 2 * k for k in range(len(kernel))])


def max_pool(m: Maker, x: Array, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]) -> Array:
    """The largest entry of each window of the last axes; padding is never the largest."""
    first = x.rank - len(kernel)
    for k, (size, step, pad, far) in enumerate(zip(kernel, stride, padding, dilation, strict=True)):
        if pad and (far != 1 or pad >= size):
            raise unsupported(f"padding {tuple(padding)} of a maximum with gaps", m.where, "padding 0")
        x = m.extended(x, first + k, pad, pad, 1)  # the edge less 1 is never the largest: every padded window holds the edge
        x = pooled(m, m.window(x, first + k, size, step, far), first + k + 1, "max")
    return x


def pooled(m: Maker, seen: Array, axis: int, name: str) -> Array:
    """The largest or smallest of the few places of an axis."""
    made = m.take(seen, axis, 0)
    for p in range(1, int(seen.shape[axis])):
        made = m.map(name, made, m.take(seen, axis, p))
    return made
