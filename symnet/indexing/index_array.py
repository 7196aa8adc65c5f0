"""Arrays in index form: an array is one entry as an expression, and for each axis the indices that run along it.

One type serves text, frameworks and networks. Text names one index for each axis (``axes``, ``indices``). A reshape (``reshaping.py``)
never moves a number: an axis of size 12 that comes from axes 3 and 4 keeps their two indices, and where it meets an axis with one index
q, that q is 4(i - 1) + j.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import sympy as sp

from symnet.core.axes import Axis, Range
from symnet.core.expressions import When, substitute
from symnet.core.program import Definition, Hole
from symnet.core.tensors import Tensor
from symnet.indexing.entrywise import summed
from symnet.indexing.graph import unsupported

Part = tuple[sp.Symbol, Axis]


@dataclass(frozen=True, slots=True)
class Dim:
    """One axis of an array: its size and the indices that run along it, slowest first; none where the array does not vary."""

    size: sp.Expr
    parts: tuple[Part, ...] = ()

    @property
    def place(self) -> sp.Expr:
        """Where along the axis the indices point, from 1."""
        stride, where = sp.S.One, sp.S.One
        for symbol, axis in reversed(self.parts):
            where, stride = where + stride * (symbol - axis.lower), stride * axis.size
        return sp.expand(where)


@dataclass(frozen=True, slots=True)
class IndexArray:
    """An array: the entry ``expr`` at the indices of ``dims``.

    ``holes`` are where the text as it was written has no value, though ``expr`` has, because SymPy shortens while it builds: x*y/x has
    none at x = 0, sqrt(x)**2 none below 0. ``lines`` define the tensors that the expression uses and nobody declared: a maximum along
    an axis.
    """

    dims: tuple[Dim, ...]
    expr: sp.Expr
    holes: tuple[Hole, ...] = ()
    lines: tuple[Definition, ...] = ()

    @classmethod
    def over(cls, axes: Iterable[Axis], indices: Iterable[sp.Symbol], expr: sp.Expr, holes: tuple[Hole, ...] = (),
             lines: tuple[Definition, ...] = ()) -> Self:
        """The array with one index for each axis."""
        return cls(tuple(Dim(a.size, ((i, a),)) for a, i in zip(axes, indices, strict=True)), expr, holes, lines)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every index, in order of the axes."""
        return tuple(p for d in self.dims for p in d.parts)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes, where each has one index."""
        return tuple(a for d in self.dims for _, a in d.parts)

    @property
    def indices(self) -> tuple[sp.Symbol, ...]:
        """The index of each axis, where each has one."""
        return tuple(i for d in self.dims for i, _ in d.parts)

    @property
    def divisors(self) -> tuple[sp.Expr, ...]:
        """What the text divides by and the expression no longer does."""
        return tuple(u for u, sign, _ in self.holes if sign == "=")

    @property
    def shape(self) -> str:
        """The shape as text."""
        return "(" + ", ".join(str(d.size) for d in self.dims) + ("," if len(self.dims) == 1 else "") + ")"

    @property
    def is_square(self) -> bool:
        """True where the last two axes are equally long."""
        return len(self.dims) > 1 and same(self.dims[-2].size, self.dims[-1].size)

    @property
    def transposed(self) -> Self:
        """Axes reversed; a vector is its own transpose, as in NumPy."""
        return replace(self, dims=self.dims[::-1])

    def at(self, *places: sp.Expr) -> sp.Expr:
        """The entry at ``places``, one for each index."""
        return self.put(dict(zip(self.indices, places, strict=True)))

    def put(self, mapping: Mapping[sp.Basic, sp.Expr]) -> sp.Expr:
        """The entry with other indices."""
        return substitute(self.expr, mapping)


def same(a: sp.Expr, b: sp.Expr) -> bool:
    """True when two sizes are equal for certain."""
    return bool(a == b or sp.expand(a - b) == 0)


def apart(ranges: Sequence[Range]) -> bool:
    """True when one index cannot run over all of these ranges: they start alike, and their ends are different sizes, not T and T - 1."""
    ends = [hi for _, hi in ranges]
    return len({lo for lo, _ in ranges}) == 1 and any(
        not same(ends[0], hi) and (ends[0].is_Integer is True or not sp.expand(ends[0] - hi).is_Integer) for hi in ends[1:])


def number(expr: sp.Expr) -> IndexArray:
    """An array without axes."""
    return IndexArray((), expr)


def new_indices(axes: Sequence[object]) -> tuple[sp.Symbol, ...]:
    """As many indices that are used nowhere else."""
    return tuple(sp.Dummy("i", integer=True) for _ in axes)


def of_tensor(tensor: Tensor) -> IndexArray:
    """The whole tensor."""
    indices = new_indices(tensor.axes)
    return IndexArray.over(tensor.axes, indices, tensor[indices] if indices else tensor[()])


def new_part(axis: Axis) -> Part:
    """A new index along ``axis``."""
    return sp.Dummy("_", integer=True), axis


def of_axes(axes: Sequence[Axis]) -> tuple[Dim, ...]:
    """New indices along axes; an axis of size 1 needs none."""
    return tuple(Dim(a.size, () if a.size == 1 else (new_part(a),)) for a in axes)


def renamed(v: IndexArray) -> IndexArray:
    """The same with new indices, so that an array may meet itself (z zᵀ)."""
    there = {i: sp.Dummy(i.name, integer=True) for i, _ in v.parts}
    return replace(v, dims=tuple(Dim(d.size, tuple((there[i], a) for i, a in d.parts)) for d in v.dims), expr=v.put(there))


def meet(a: Dim, b: Dim, where: str) -> tuple[Dim, dict[sp.Symbol, sp.Expr]]:
    """One axis for two that lie along each other, and what becomes of the indices of either: an axis of one place stretches."""
    for short, long in ((a, b), (b, a)):
        if short.size == 1 and long.size != 1:
            return long, {i: axis.lower for i, axis in short.parts}
    if not b.parts or not a.parts:
        return a if a.parts or not b.parts else b, {}
    if not same(a.size, b.size):
        raise unsupported(f"axes of sizes {a.size} and {b.size} that lie along each other", where, "equal sizes, or 1")
    if len(a.parts) == len(b.parts) and all(same(x.size, y.size) for (_, x), (_, y) in zip(a.parts, b.parts, strict=True)):
        return a, {t: s + y.lower - x.lower for (s, x), (t, y) in zip(a.parts, b.parts, strict=True)}
    short, long = (a, b) if len(a.parts) == 1 else (b, a)
    if len(short.parts) != 1:
        raise unsupported("a reshape that groups the same axis in two ways", where, "one grouping")
    return long, {short.parts[0][0]: long.place}


def align(values: Sequence[IndexArray], where: str) -> tuple[tuple[Dim, ...], list[sp.Expr]]:
    """The common axes of arrays, lined up from the last as NumPy does, and their entries at the same, new indices."""
    rank = max(len(v.dims) for v in values)
    letters = [range(rank - len(v.dims), rank) for v in values]
    dims, entries = lettered(values, letters, where)
    return tuple(dims[k] for k in range(rank)), entries


Letters = Sequence[Hashable]


def lettered(values: Sequence[IndexArray], letters: Sequence[Letters], where: str) -> tuple[dict[Hashable, Dim], list[sp.Expr]]:
    """One axis for each letter, and the entries of all arrays at its indices, which are new."""
    dims: dict[Hashable, Dim] = {}
    entries: list[sp.Expr] = []
    for v, own in zip(values, letters, strict=True):
        new = {i: sp.Dummy(i.name, integer=True) for i, _ in v.parts}  # an array may meet itself (z zᵀ)
        mapping: dict[sp.Symbol, sp.Expr] = {}
        for letter, dim in zip(own, v.dims, strict=True):
            here = Dim(dim.size, tuple((new[i], a) for i, a in dim.parts))
            dims[letter], more = meet(dims[letter], here, where) if letter in dims else (here, {})
            mapping |= more
        before = {i: place for i, place in mapping.items() if i not in new.values()}  # an axis of one place that stretches
        entries = [*(substitute(e, before) for e in entries), v.put({i: mapping.get(n, n) for i, n in new.items()})]
    return dims, entries


def contract(values: Sequence[IndexArray], letters: Sequence[Letters], kept: Letters, where: str, first_inside: bool = False) -> IndexArray:
    """Σ of the product over the letters that are not kept, as einsum writes it: each letter is an axis. The sum over the first letter
    stands outside, or innermost with ``first_inside``.

    The products of vectors and matrices, traces, diagonals and outer products are rows of this one rule.
    """
    dims, entries = lettered(values, letters, where)
    product = IndexArray(tuple(dims.values()), sp.Mul(*entries))
    gone = [k for k, letter in enumerate(dims) if letter not in kept]
    made = sum_over(product, gone[::-1] if first_inside else gone)
    places = [letter for letter in dims if letter in kept]
    return replace(made, dims=tuple(made.dims[places.index(letter)] for letter in kept))


def sum_over(v: IndexArray, axes: Sequence[int], keep: bool = False) -> IndexArray:
    """Σ along axes; along an axis on which the array does not vary, a multiple."""
    over = tuple((i, *a.range) for k in axes for i, a in v.dims[k].parts)
    times_ = sp.Mul(*[v.dims[k].size for k in axes if not v.dims[k].parts])
    left = [d for k, d in enumerate(v.dims) if k not in axes]
    body = summed(v.expr, over[::-1], {i: a.range for d in left for i, a in d.parts})
    rest = tuple(Dim(sp.S.One) if k in axes else d for k, d in enumerate(v.dims) if keep or k not in axes)
    return replace(v, dims=rest, expr=times_ * body if times_ != 1 else body)


def spread(v: IndexArray, sources: Sequence[int | None], sizes: Sequence[sp.Expr]) -> IndexArray:
    """Axis k of the result is axis ``sources[k]`` of v (None: a new one), repeated to ``sizes[k]`` where it has size 1."""
    dims = []
    for source, size in zip(sources, sizes, strict=True):
        old = v.dims[source] if source is not None else Dim(sp.S.One)
        dims.append(old if old.parts else Dim(size))
    return replace(v, dims=tuple(dims))


def take(v: IndexArray, axis: int, place: sp.Expr | int) -> IndexArray:
    """One place of an axis, from 0."""
    there: dict[sp.Symbol, sp.Expr] = {}
    for symbol, a in reversed(v.dims[axis].parts):
        there[symbol] = a.lower + place % int(a.size) if len(v.dims[axis].parts) > 1 else a.lower + place
        place = place // int(a.size) if len(v.dims[axis].parts) > 1 else 0
    return replace(v, dims=v.dims[:axis] + v.dims[axis + 1:], expr=v.put(there))


def cut(v: IndexArray, axis: int, start: sp.Expr, length: sp.Expr, step: int, where: str) -> IndexArray:
    """The places start, start + step, … of an axis, from 0."""
    d = v.dims[axis]
    if len(d.parts) > 1:
        raise unsupported("a slice of an axis that a reshape made", where, "a slice before the reshape")
    (new,) = of_axes([Axis.of(length)])
    there = {s: a.lower + start + step * (new.place - 1) for s, a in d.parts}
    return replace(v, dims=(*v.dims[:axis], new if d.parts else Dim(length), *v.dims[axis + 1:]), expr=v.put(there))


def window(v: IndexArray, axis: int, outputs: sp.Expr, taps: sp.Expr, stride: int, dilation: int, padding: int, where: str) -> IndexArray:
    """An axis as two, the output i and the tap p of a sliding window, at place stride (i - 1) + dilation (p - 1) + 1 - padding;
    zero where that leaves the axis."""
    d = v.dims[axis]
    if len(d.parts) != 1:
        raise unsupported("a window along an axis of size 1, or one that a reshape made", where, "an axis of its own")
    i, p = of_axes([Axis.of(outputs), Axis.of(taps)])
    place = sp.expand(stride * (i.place - 1) + dilation * (p.place - 1) + 1 - padding)
    body = v.put({d.parts[0][0]: place})
    if padding:
        body = When(body, sp.And(sp.Ge(place, 1), sp.Le(place, d.size)))
    return replace(v, dims=(*v.dims[:axis], i, p, *v.dims[axis + 1:]), expr=body)


def ungrouped(v: IndexArray, axis: int) -> IndexArray:
    """An axis that a reshape made of several, as one of its own: Σ over the slower ones under the bracket that finds the fastest."""
    d = v.dims[axis]
    (new,) = of_axes([Axis.of(d.size)])
    (last, fastest), slower = d.parts[-1], d.parts[:-1]
    found = sp.expand(new.place - d.place.xreplace({last: sp.S.Zero}))
    inside = sp.And(sp.Ge(found, fastest.lower), sp.Le(found, fastest.upper))
    body = summed(When(v.put({last: found}), inside), tuple((i, *a.range) for i, a in slower),
                  {i: a.range for k, other in enumerate((*v.dims, new)) if k != axis for i, a in other.parts})
    return replace(v, dims=(*v.dims[:axis], new, *v.dims[axis + 1:]), expr=body)
