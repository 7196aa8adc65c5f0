"""Reshapes in index form: axes are split into parts and grouped; no entry moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from symnet.core.axes import Axis
from symnet.indexing.graph import unsupported
from symnet.indexing.index_array import Dim, IndexArray, Part, new_part, same


def reshape(v: IndexArray, sizes: Sequence[sp.Expr], where: str) -> IndexArray:
    """Other axes over the same entries, row by row, as NumPy does: neighbours are grouped, or split, or both."""
    single = [m for d in v.dims for m in ([Dim(a.size, ((i, a),)) for i, a in d.parts] or [d])]  # one index an axis
    old, new = [d for d in single if d.size != 1], [n for n in sizes if n != 1]
    made: list[Dim] = []
    while new or old:
        count, number = _group([d.size for d in old], new)
        cuts = _refined([d.size for d in old[:count]], new[:number]) if count else None
        if cuts is None:
            raise unsupported(f"a reshape from {tuple(d.size for d in v.dims)} to {tuple(sizes)}", where,
                              "neighbouring axes grouped or split evenly")
        parts: list[Part] = []
        for d in old[:count]:
            v, more = _split(v, d, _own(cuts, d.size))
            parts += more
        for size in new[:number]:
            own = _own(cuts, size)
            made.append(Dim(size, tuple(parts[:len(own)])))
            del parts[:len(own)]
        old, new = old[count:], new[number:]
    return IndexArray(tuple(made.pop(0) if n != 1 else Dim(sp.S.One) for n in sizes), v.expr)


def _divides(a: sp.Expr, b: sp.Expr) -> bool:
    """True when b/a is a whole number for all sizes."""
    return bool(sp.denom(sp.cancel(b / a)) == 1)


def _group(old: Sequence[sp.Expr], new: Sequence[sp.Expr]) -> tuple[int, int]:
    """How many of the first axes on either side hold equally many entries; (0, 0) when none do."""
    if not old or not new:
        return 0, 0
    i, j, left, right = 1, 1, old[0], new[0]
    while not same(left, right):
        if i < len(old) and (j == len(new) or _divides(left, right)):
            left, i = left * old[i], i + 1
        elif j < len(new):
            right, j = right * new[j], j + 1
        else:
            return 0, 0
    return i, j


def _refined(old: Sequence[sp.Expr], new: Sequence[sp.Expr]) -> list[sp.Expr] | None:
    """Sizes that both sides are made of, slowest first: (2, 4) and (4, 2) are both made of (2, 2, 2)."""
    strides: list[sp.Expr] = []
    for sizes in (old, new):
        so_far = sp.S.One
        for size in reversed(sizes):
            so_far = sp.expand(so_far * size)
            strides += [so_far] if so_far not in strides else []
    strides.sort(key=lambda e: e.xreplace({s: sp.Integer(10**6 + 3) for s in e.free_symbols}))
    below = [sp.S.One, *strides[:-1]]
    if not all(_divides(a, b) for a, b in zip(below, strides, strict=True)):
        return None
    return [sp.cancel(b / a) for a, b in zip(below, strides, strict=True)][::-1]


def _own(cuts: list[sp.Expr], size: sp.Expr) -> list[sp.Expr]:
    """The first cuts, which make up ``size``; they are taken off and come back at the end, for the other side."""
    taken: list[sp.Expr] = []
    product = sp.S.One
    while not same(product, size):
        taken.append(cuts.pop(0))
        product = product * taken[-1]
    cuts.extend(taken)
    return taken


def _split(v: IndexArray, d: Dim, sizes: list[sp.Expr]) -> tuple[IndexArray, list[Part]]:
    """An axis of one index, or of none, as several."""
    if d.parts and len(sizes) == 1:
        return v, list(d.parts)
    made = [new_part(Axis.of(s)) for s in sizes]
    return replace(v, expr=v.expr.xreplace({i: Dim(d.size, tuple(made)).place for i, _ in d.parts})), made
