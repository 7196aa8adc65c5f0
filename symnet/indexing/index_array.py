"""Arrays in index form: a value is one entry as an expression, and for each axis the indices that run along it.

A reshape (``reshaping.py``) never moves a number: an axis of size 12 that comes from axes 3 and 4 keeps their two indices, and where it
meets an axis with one index q, that q is 4(i - 1) + j.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.expressions import When
from symnet.indexing.entrywise import summed
from symnet.indexing.graph import unsupported

Part = tuple[sp.Symbol, Axis]


@dataclass(frozen=True, slots=True)
class Dim:
    """One axis of a value: its size and the indices that run along it, slowest first; none where the value does not vary."""

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
class Value:
    """An array: the entry at the indices of ``dims``."""

    dims: tuple[Dim, ...]
    expr: sp.Expr

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every index, in order of the axes."""
        return tuple(p for d in self.dims for p in d.parts)

    def put(self, mapping: dict[sp.Symbol, sp.Expr]) -> sp.Expr:
        """The entry with other indices. Every bound index is a dummy of its own, so nothing is captured."""
        return self.expr.xreplace(mapping)


def same(a: sp.Expr, b: sp.Expr) -> bool:
    """True when two sizes are equal for certain."""
    return bool(a == b or sp.expand(a - b) == 0)


def new_part(axis: Axis) -> Part:
    """A new index along ``axis``."""
    return sp.Dummy("_", integer=True), axis


def of_axes(axes: Sequence[Axis]) -> tuple[Dim, ...]:
    """New indices along axes; an axis of size 1 needs none."""
    return tuple(Dim(a.size, () if a.size == 1 else (new_part(a),)) for a in axes)


def meet(a: Dim, b: Dim, where: str) -> tuple[Dim, dict[sp.Symbol, sp.Expr]]:
    """One axis for two that lie along each other, and what becomes of the indices of either."""
    if not b.parts or not a.parts:
        long = a if a.parts else b if b.parts or a.size == 1 else a
        return long, {}
    if not same(a.size, b.size):
        raise unsupported(f"axes of sizes {a.size} and {b.size} that lie along each other", where, "equal sizes, or 1")
    if len(a.parts) == len(b.parts) and all(same(x.size, y.size) for (_, x), (_, y) in zip(a.parts, b.parts, strict=True)):
        return a, {t: s for (s, _), (t, _) in zip(a.parts, b.parts, strict=True)}
    short, long = (a, b) if len(a.parts) == 1 else (b, a)
    if len(short.parts) != 1:
        raise unsupported("a reshape that groups the same axis in two ways", where, "one grouping")
    return long, {short.parts[0][0]: long.place}


def align(values: Sequence[Value], where: str) -> tuple[tuple[Dim, ...], list[sp.Expr]]:
    """The common axes of values of one rank (a number has any rank), and their entries at the same indices."""
    rank = max(len(v.dims) for v in values)
    full = [replace(v, dims=(Dim(sp.S.One),) * (rank - len(v.dims)) + v.dims) for v in values]
    dims, entries = full[0].dims, [full[0].expr]
    for v in map(renamed, full[1:]):
        mapping: dict[sp.Symbol, sp.Expr] = {}
        joined = []
        for a, b in zip(dims, v.dims, strict=True):
            dim, more = meet(a, b, where)
            joined.append(dim)
            mapping |= more
        dims = tuple(joined)
        entries = [e.xreplace(mapping) for e in (*entries, v.expr)]
    return dims, entries


def sum_over(v: Value, axes: Sequence[int], keep: bool = False) -> Value:
    """Σ along axes; along an axis on which the value does not vary, a multiple."""
    parts = [p for k in axes for p in v.dims[k].parts]
    over = tuple((i, *a.range) for i, a in parts if i in v.expr.free_symbols)
    times = sp.Mul(*[v.dims[k].size for k in axes if not v.dims[k].parts], *[a.size for i, a in parts if i not in v.expr.free_symbols])
    body = summed(v.expr, over[::-1]) if over else v.expr
    rest = tuple(Dim(sp.S.One) if k in axes else d for k, d in enumerate(v.dims) if keep or k not in axes)
    return Value(rest, times * body if times != 1 else body)


def renamed(v: Value) -> Value:
    """The same with new indices, so that a value may meet itself (z zᵀ)."""
    there = {i: sp.Dummy("_", integer=True) for i, _ in v.parts}
    return Value(tuple(Dim(d.size, tuple((there[i], a) for i, a in d.parts)) for d in v.dims), v.expr.xreplace(there))


def dot(a: Value, b: Value, contract: tuple[tuple[int, ...], tuple[int, ...]], batch: tuple[tuple[int, ...], tuple[int, ...]],
        where: str) -> Value:
    """Σ a b along pairs of axes, side by side along others; the result has the shared axes, then a's, then b's."""
    b = renamed(b)
    mapping: dict[sp.Symbol, sp.Expr] = {}
    shared: dict[int, Dim] = {}
    for i, j in zip((*batch[0], *contract[0]), (*batch[1], *contract[1]), strict=True):
        shared[i], more = meet(a.dims[i], b.dims[j], where)
        mapping |= more
    body = a.put(mapping) * b.put(mapping)
    over = tuple((s, *x.range) for i in contract[0] for s, x in shared[i].parts if s in body.free_symbols)
    body = sp.Mul(*[shared[i].size for i in contract[0] if not any(s in body.free_symbols for s, _ in shared[i].parts)]) * body
    dims = [shared[i] for i in batch[0]] + [d for i, d in enumerate(a.dims) if i not in (*batch[0], *contract[0])]
    dims += [d for j, d in enumerate(b.dims) if j not in (*batch[1], *contract[1])]
    return Value(tuple(dims), summed(body, over[::-1]) if over else body)


def spread(v: Value, sources: Sequence[int | None], sizes: Sequence[sp.Expr]) -> Value:
    """Axis k of the result is axis ``sources[k]`` of v (None: a new one), repeated to ``sizes[k]`` where it has size 1."""
    dims = []
    for source, size in zip(sources, sizes, strict=True):
        old = v.dims[source] if source is not None else Dim(sp.S.One)
        dims.append(old if old.parts else Dim(size))
    return Value(tuple(dims), v.expr)


def take(v: Value, axis: int, place: int) -> Value:
    """One place of an axis, from 0."""
    there: dict[sp.Symbol, sp.Expr] = {}
    for symbol, a in reversed(v.dims[axis].parts):
        there[symbol] = a.lower + place % int(a.size) if len(v.dims[axis].parts) > 1 else a.lower + place
        place = place // int(a.size) if len(v.dims[axis].parts) > 1 else 0
    return Value(v.dims[:axis] + v.dims[axis + 1:], v.put(there))


def cut(v: Value, axis: int, start: sp.Expr, length: sp.Expr, step: int, where: str) -> Value:
    """The places start, start + step, … of an axis, from 0."""
    d = v.dims[axis]
    if len(d.parts) > 1:
        raise unsupported("a slice of an axis that a reshape made", where, "a slice before the reshape")
    (new,) = of_axes([Axis.of(length)])
    there = {s: a.lower + start + step * (new.place - 1) for s, a in d.parts}
    return Value((*v.dims[:axis], new if d.parts else Dim(length), *v.dims[axis + 1:]), v.put(there))


def window(v: Value, axis: int, outputs: sp.Expr, taps: sp.Expr, stride: int, dilation: int, padding: int, where: str) -> Value:
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
    return Value((*v.dims[:axis], i, p, *v.dims[axis + 1:]), body)
