"""Arrays put together, padded and looked into, in index form: brackets say which part an index is in, or what an index array names."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.expressions import Limits, When, entries, substitute, total
from symnet.indexing.conditions import NOUGHT, settled
from symnet.indexing.graph import unsupported
from symnet.indexing.index_array import Dim, IndexArray, align, meet, new_part, of_axes, renamed, sum_over


def counted(axis: int, sizes: Sequence[sp.Expr]) -> IndexArray:
    """0, 1, … along an axis."""
    dims = tuple(Dim(n, (new_part(Axis.of(n)),) if k == axis and n != 1 else ()) for k, n in enumerate(sizes))
    return IndexArray(dims, dims[axis].place - 1)


def tabled(sizes: Sequence[sp.Expr], numbers: Sequence[sp.Basic]) -> IndexArray:
    """A small array of numbers, or of true and false, row by row."""
    dims = of_axes([Axis.of(n) for n in sizes])
    terms: list[sp.Basic] = []
    for place, number in zip(itertools.product(*[range(1, int(n) + 1) for n in sizes]), numbers, strict=True):
        here = sp.And(*[sp.Eq(d.parts[0][0], p) for d, p in zip(dims, place, strict=True) if d.parts])
        terms.append(sp.And(number, here) if number in (sp.true, sp.false) else When(NOUGHT if number == 0 else number, here))
    return IndexArray(dims, sp.Or(*terms) if numbers[0] in (sp.true, sp.false) else sp.Add(*terms))


def concatenated(values: Sequence[IndexArray], axis: int, where: str) -> IndexArray:
    """One after another along an axis: Σ_k [first_k <= q <= last_k] part_k[q - first_k + 1]."""
    if len(values) == 1:
        return values[0]
    whole = Axis.of(sp.expand(sp.Add(*[v.dims[axis].size for v in values])))
    part = new_part(whole)
    start, moved = sp.S.Zero, []
    for v in values:
        size = v.dims[axis].size
        moved.append(_at(v, axis, part[0], start, Dim(whole.size, (part,)), where))
        start = sp.expand(start + size)
    dims, parts = align(moved, where)
    return IndexArray(dims, sp.Add(*parts))


def _at(v: IndexArray, axis: int, q: sp.Symbol, start: sp.Expr, dim: Dim, where: str) -> IndexArray:
    """``v`` along the places start + 1, … of a longer axis, 0 elsewhere."""
    own = v.dims[axis]
    if len(own.parts) > 1:
        raise unsupported("a part whose axis a reshape made", where, "the part before the reshape")
    there = {s: q - start + a.lower - 1 for s, a in own.parts}
    inside = sp.Eq(q, start + 1) if own.size == 1 else sp.And(sp.Ge(q, start + 1), sp.Le(q, sp.expand(start + own.size)))
    return IndexArray((*v.dims[:axis], dim, *v.dims[axis + 1:]), When(v.put(there), inside))


def padded(v: IndexArray, axis: int, amounts: tuple[sp.Expr, sp.Expr], filling: sp.Expr, where: str) -> IndexArray:
    """``v`` with places before and after it along an axis, which hold ``filling``."""
    low, high = amounts
    size = v.dims[axis].size
    whole = Axis.of(sp.expand(size + low + high))
    part = new_part(whole)
    made = _at(v, axis, part[0], low, Dim(whole.size, (part,)), where)
    around = When(filling, sp.Le(part[0], low)) if low != 0 else sp.S.Zero
    if high != 0:
        around = around + When(filling, sp.Ge(part[0], sp.expand(low + size + 1)))
    return replace(made, expr=made.expr + around) if filling != 0 else made


def running(v: IndexArray, axis: int, back: bool, where: str) -> IndexArray:
    """Σ over the places up to each one, or from it on with ``back``."""
    own = v.dims[axis]
    if len(own.parts) != 1:
        raise unsupported("a running sum along an axis of size 1, or one that a reshape made", where, "an axis of its own")
    old, new = own.parts[0][0], new_part(own.parts[0][1])
    body = When(v.expr, sp.Ge(old, new[0]) if back else sp.Le(old, new[0]))
    around = IndexArray((*v.dims[:axis], Dim(own.size, (new,)), own, *v.dims[axis + 1:]), body)
    return sum_over(around, [axis + 1])


def reversed_(v: IndexArray, axis: int, where: str) -> IndexArray:
    """The places of an axis from the last to the first."""
    own = v.dims[axis]
    if len(own.parts) > 1:
        raise unsupported("an axis that a reshape made, turned round", where, "the array before the reshape")
    return replace(v, expr=v.put({s: a.lower + a.upper - s for s, a in own.parts}))


def looked_up(v: IndexArray, places: Sequence[IndexArray], axes: Sequence[int], shared: Sequence[tuple[int, int]],
              where: str) -> IndexArray:
    """v at the places (from 0) that index arrays name along ``axes``: the axes of the index arrays, then the rest of v's.

    ``shared`` pairs an axis of v with the axis of the index arrays that runs along with it.
    """
    v = renamed(v)
    dims, found = align(places, where)
    joined: list[Dim] = list(dims)
    mapping: dict[sp.Symbol, sp.Expr] = {}
    for mine, theirs in shared:
        joined[theirs], more = meet(joined[theirs], v.dims[mine], where)
        mapping |= more
    expr, ranges = v.put(mapping), {s: a.range for d in (*joined, *v.dims) for s, a in d.parts}
    read: list[tuple[sp.Basic, Limits]] = []
    for axis, place in zip(axes, found, strict=True):
        own = v.dims[axis]
        if len(own.parts) > 1:
            raise unsupported("a look-up along an axis that a reshape made", where, "the array before the reshape")
        for s, a in own.parts:
            expr = _placed(expr, s, a, settled(substitute(place, mapping), ranges), where, read)
    rest = [d for k, d in enumerate(v.dims) if k not in axes and k not in [m for m, _ in shared]]
    return IndexArray((*joined, *rest), _found(expr, read))


def _found(expr: sp.Expr, read: Sequence[tuple[sp.Basic, Limits]]) -> sp.Expr:
    """Σ over the places that data name, under the brackets that find them."""
    return total(When(expr, sp.And(*[condition for condition, _ in read])), tuple(over for _, over in read))


def _placed(expr: sp.Expr, symbol: sp.Symbol, axis: Axis, place: sp.Expr, where: str, read: list[tuple[sp.Basic, Limits]]) -> sp.Expr:
    """``expr`` with ``place``, from 0, for an index; one that data name gets an index of its own, and ``read`` its bracket."""
    brackets = [t for t in sp.Add.make_args(place) if isinstance(t.as_coeff_Mul()[1], When)]
    if brackets:  # the places of a table: each term holds somewhere else
        rest = sp.Add(*[t for t in sp.Add.make_args(place) if t not in brackets])
        if rest != 0:
            raise unsupported("a place that is computed from several cases", where, "an index array")
        made = []
        for t in brackets:
            factor, bracket = t.as_coeff_Mul()
            inner: list[tuple[sp.Basic, Limits]] = []
            here = _placed(expr, symbol, axis, factor * bracket.body, where, inner)
            made.append(When(_found(here, inner), bracket.condition))
        return sp.Add(*made)
    place = place.xreplace({NOUGHT: sp.S.Zero})
    if next(entries(place), None) is None:
        return substitute(expr, {symbol: sp.expand(place + axis.lower)})
    if not all(e.is_rational for e in entries(place)):
        raise unsupported("a place that is no whole number", where, "an index array")
    c = sp.Dummy("_", integer=True)
    read.append((sp.Eq(c, sp.expand(place + axis.lower)), (c, *axis.range)))
    return substitute(expr, {symbol: c})
