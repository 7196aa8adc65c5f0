"""Layers that shape a network: Input, Flatten, Residual, Embedding and a positional bias.

Names and conventions are PyTorch's where PyTorch has the layer. Source: docs.pytorch.org, torch.nn; residual connections: He et al.
2016; learned positions: Gehring et al. 2017.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.axes import size as to_size
from symnet.core.expressions import When, total
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, ShapeError, shown
from symnet.networks.arguments import BOTH, NONE, PLACE, torch_arguments
from symnet.networks.builder import Builder, axes_text, over, same_size
from symnet.networks.layers import Layer, Size, as_layer
from symnet.networks.windows import letters


def _entry(x: Tensor, places: tuple[sp.Symbol, ...]) -> sp.Expr:
    return x[places] if x.axes else x[()]


class Input(Layer):
    """States the shape of one sample, the batch left out: Input(3, 28, 28) before a Conv2d. It adds no line.

    >>> from symnet.networks.sequential import Sequential
    >>> Sequential(Input("c", 5), Flatten()).program().inputs[0].shape
    (N, c, 5)
    """

    def __init__(self, *shape: Size) -> None:
        if not shape:
            raise OptionError("Input", "no sizes", "the sizes of one sample, such as Input(3, 28, 28)")
        self.shape = tuple(to_size(s) for s in shape)

    def __repr__(self) -> str:
        return f"Input({', '.join(map(str, self.shape))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Input) and self.shape == other.shape

    def __hash__(self) -> int:
        return hash(self.shape)

    def sample_axes(self) -> tuple[Axis, ...]:
        return tuple(Axis.of(s) for s in self.shape)

    def build(self, to: Builder) -> None:
        found = to.now.axes[-len(self.shape):]
        if tuple(a.size for a in found) != self.shape:
            raise ShapeError("Input", f"shape {axes_text(to.now.axes)} so far", f"one that ends in {axes_text(self.sample_axes())}")


@torch_arguments("start_dim end_dim")
@dataclass(frozen=True)
class Flatten(Layer):
    """f[n, m] = X[n, c, i, j] at m = HW(c-1) + W(i-1) + j: the axes from start_dim to end_dim written as one, the last fastest.

    The batch is axis 0, as in PyTorch; without a batch axis the axes of the sample are counted from 1 all the same.
    As an index program it is a sum with a bracket, Σ_c Σ_i Σ_j [m = HW(c-1) + W(i-1) + j] X[n, c, i, j], that has one term.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input(3, 4, 4), sn.Flatten()).program().definitions[-1].target.shape
    (N, 48)
    """

    start_dim: int = 1
    end_dim: int = -1

    def build(self, to: Builder) -> None:
        x, shift = to.now, 0 if to.now.axes and to.now.axes[0].kind is Kind.BATCH else 1
        count = len(x.axes)
        first = self.start_dim - shift if self.start_dim >= 0 else self.start_dim + count
        last = self.end_dim - shift if self.end_dim >= 0 else self.end_dim + count
        if not 0 <= first < count or not first <= last < count:
            raise ShapeError("Flatten", f"start_dim={self.start_dim}, end_dim={self.end_dim}",
                             f"axes of an input of shape {axes_text(x.axes)}")
        if first == last:
            return
        joined = x.axes[first:last + 1]
        axis = Axis.of(sp.expand(sp.Mul(*[a.size for a in joined])))
        places = to.letters(x.axes)
        m = next(c for c in letters(to, "mabdegh") if c not in places)
        inner = places[first:last + 1]
        where, stride = sp.S.Zero, sp.S.One
        for i, a in reversed(list(zip(inner, joined, strict=True))):
            where, stride = where + stride * (i - a.lower), stride * a.size
        sums = tuple((i, *a.range) for i, a in reversed(list(zip(inner, joined, strict=True))))
        value = total(When(x[places], sp.Eq(m, sp.expand(where + 1))), sums)
        to.line(f"f{max(to.linear, 1)}", (*x.axes[:first], axis, *x.axes[last + 1:]), (*places[:first], m, *places[last + 1:]), value,
                "the entries of one sample in a row")


class Residual(Layer):
    """r = x + F(x) with F the layers given, one after another; F keeps the shape. Source: He et al. 2016, eq. 1.

    >>> from symnet.networks.layers import Linear, Tanh
    >>> from symnet.networks.sequential import Sequential
    >>> print(Sequential(Residual(Linear("d", "d"), Tanh())).program().definitions[-1])
    r1[n, j] := X[n, j] + a1[n, j]
    """

    def __init__(self, *block: Layer | type[Layer]) -> None:
        if not block:
            raise OptionError("Residual", "no layers", "layers such as Linear(3, 3)")
        self.block = tuple(as_layer(p, "Residual") for p in block)

    def __repr__(self) -> str:
        return f"Residual({', '.join(map(repr, self.block))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Residual) and self.block == other.block

    def __hash__(self) -> int:
        return hash(self.block)

    def sample_axes(self) -> tuple[Axis, ...]:
        return next((axes for axes in (p.sample_axes() for p in self.block) if axes), ())

    def build(self, to: Builder) -> None:
        x = to.now
        for layer in self.block:
            layer.build(to)
        out = to.now
        if [a.size for a in x.axes] != [a.size for a in out.axes]:
            raise ShapeError("Residual", f"a block that takes {axes_text(x.axes)} to {axes_text(out.axes)}", "a block that keeps the shape")
        places = to.letters(x.axes)
        to.line(f"r{max(to.linear, 1)}", x.axes, places, _entry(x, places) + _entry(out, places), "the input added to the block's output")


TABLE = {  # why an argument is refused
    "max_norm": "it writes into the table while looking up, which no function does; scale the rows before",
    "norm_type": "it goes with max_norm, which writes into the table while looking up",
    "scale_grad_by_freq": "the result would not be the derivative; divide it by the counts of the words in the update",
    "include_last_offset": "bags are the rows of x here, so that there are no offsets",
    "padding_idx": "in Embedding, with a sum over the words behind it"}


@torch_arguments("num_embeddings embedding_dim padding_idx max_norm norm_type scale_grad_by_freq sparse _weight _freeze device dtype",
                 PLACE | {"max_norm": NONE, "norm_type": (2,), "scale_grad_by_freq": (False,), "sparse": BOTH, "_weight": NONE,
                          "_freeze": (False,)}, TABLE)
@dataclass(frozen=True)
class Embedding(Layer):
    """e[n, j] = Σ_v [v = x[n] + 1] E[v, j]: the row of E that the index x[n] names. The indices are PyTorch's, counted from 0.

    The input holds whole numbers 0..V-1 and stands first in a network; Input("T") before it gives it more axes, x[n, t]. The gradient Σ_n
    [v = x[n] + 1] ∂L/∂e[n, j] adds up the rows of each word. E has PyTorch's shape (num_embeddings, embedding_dim). ``padding_idx`` is a
    word of padding: its vector is 0, whose gradient is 0 (where PyTorch starts that row and leaves it). With ``one_hot=True`` the input
    holds a row of shares of the words for each place, X[n, v], and the layer is X E.

    >>> from symnet.networks.sequential import Sequential
    >>> print(Sequential(Embedding("V", "d")).program())
    e1[n, j] := Sum(When(E1[i, j], Eq(i, x[n] + 1)), (i, 1, V))
    """

    num_embeddings: Size
    embedding_dim: Size
    padding_idx: int | None = None
    one_hot: bool = field(default=False, kw_only=True)

    def sample_axes(self) -> tuple[Axis, ...]:
        return (Axis.of(self.num_embeddings),) if self.one_hot else ()

    def classes(self) -> sp.Expr | None:
        return None if self.one_hot else to_size(self.num_embeddings)

    def build(self, to: Builder) -> None:
        if not self.one_hot:
            self._by_index(to)
            return
        to.linear += 1
        k, x, words, width = to.linear, to.now, Axis.of(self.num_embeddings), Axis.of(self.embedding_dim)
        if not x.axes:
            raise ShapeError(f"Embedding, layer {k}", "a single number", f"one-hot rows of {words.size} entries")
        same_size(f"Embedding, layer {k}", x.axes[-1], words)
        table = to.add_input(f"E{k}", (words, width), Role.PARAMETER, f"embeddings of layer {k}: row v for the word v")
        *rest, v, j = to.letters((*x.axes, width))
        to.line(f"e{k}", (*x.axes[:-1], width), (*rest, j), over(x[(*rest, v)] * table[v, j], v, x.axes[-1]), "the row of each word")

    def _by_index(self, to: Builder) -> None:
        to.linear += 1
        k, x, words, width = to.linear, to.now, Axis.of(self.num_embeddings), Axis.of(self.embedding_dim)
        where = f"Embedding, layer {k}"
        if x.domain != "index":
            raise ShapeError(where, "real numbers", "whole numbers that name words", "Embedding first, or Embedding(…, one_hot=True)")
        table = to.add_input(f"E{k}", (words, width), Role.PARAMETER, f"embeddings of layer {k}: row v for the word v - 1")
        *rest, v, j = to.letters((*x.axes, words, width))
        mine = sp.Eq(v, _entry(x, tuple(rest)) + 1)
        if self.padding_idx is not None:
            mine = sp.And(mine, sp.Ne(_entry(x, tuple(rest)), self.padding_idx))
        to.line(f"e{k}", (*x.axes, width), (*rest, j), over(When(table[v, j], mine), v, words), "the row of each word")


@torch_arguments("num_embeddings embedding_dim max_norm norm_type scale_grad_by_freq mode sparse _weight include_last_offset padding_idx "
                 "device dtype",
                 PLACE | {"max_norm": NONE, "norm_type": (2,), "scale_grad_by_freq": (False,), "sparse": BOTH, "_weight": NONE,
                          "include_last_offset": (False,), "padding_idx": NONE}, TABLE)
@dataclass(frozen=True)
class EmbeddingBag(Layer):
    """e[n, j] = Σ_t Σ_v [v = x[n, t] + 1] E[v, j], for mode "mean" divided by the number T of words of a bag; the bags are rows of x.

    Input("T") before it says how many words a bag has. Left out of PyTorch's arguments: mode "max", offsets.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("T"), sn.EmbeddingBag("V", "d")).program().definitions[-1].target.shape
    (N, d)
    """

    num_embeddings: Size
    embedding_dim: Size
    mode: str = "mean"

    def __post_init__(self) -> None:
        if self.mode not in ("mean", "sum"):
            raise OptionError("EmbeddingBag, mode", shown(self.mode), '"mean" or "sum"')

    def classes(self) -> sp.Expr | None:
        return to_size(self.num_embeddings)

    def build(self, to: Builder) -> None:
        to.linear += 1
        k, x, words, width = to.linear, to.now, Axis.of(self.num_embeddings), Axis.of(self.embedding_dim)
        where = f"EmbeddingBag, layer {k}"
        if x.domain != "index" or len(x.axes) <= sum(a.kind is Kind.BATCH for a in x.axes):
            raise ShapeError(where, f"an input of shape {axes_text(x.axes)}", "whole numbers that name words, a bag a row",
                             'Input("T") and EmbeddingBag first')
        table = to.add_input(f"E{k}", (words, width), Role.PARAMETER, f"embeddings of layer {k}: row v for the word v - 1")
        *rest, t, v, j = to.letters((*x.axes, words, width))
        value = over(over(When(table[v, j], sp.Eq(v, x[(*rest, t)] + 1)), v, words), t, x.axes[-1])
        value = value / x.axes[-1].size if self.mode == "mean" else value
        to.line(f"e{k}", (*x.axes[:-1], width), (*rest, j), value, f"the {self.mode} of the rows of each bag")


class Identity(Layer):
    """The input, unchanged; it adds no line. Arguments are taken and mean nothing, as in PyTorch.

    >>> import symnet as sn
    >>> len(sn.Sequential(sn.Linear(1, 1), sn.Identity()).program().definitions)
    1
    """

    def __init__(self, *args: object, **keywords: object) -> None:
        pass

    def __repr__(self) -> str:
        return "Identity()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity)

    def __hash__(self) -> int:
        return hash(Identity)

    def build(self, to: Builder) -> None:
        pass


@dataclass(frozen=True)
class PositionalBias(Layer):
    """h[n, t, j] = x[n, t, j] + P[t, j]: a learned bias for each place of a sample, the same for all samples.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("T", "d"), sn.PositionalBias()).program().definitions[-1])
    h1[n, i, j] := P1[i, j] + X[n, i, j]
    """

    def build(self, to: Builder) -> None:
        x = to.now
        shared = 1 if x.axes and x.axes[0].kind is Kind.BATCH else 0
        k = 1 + sum(t.name.startswith("P") and t.name[1:].isdigit() for t in to.inputs)
        bias = to.add_input(f"P{k}", x.axes[shared:], Role.PARAMETER, "a bias for each place of a sample")
        places = to.letters(x.axes)
        to.line(f"h{k}", x.axes, places, _entry(x, places) + _entry(bias, places[shared:]), "with the bias of each place")
