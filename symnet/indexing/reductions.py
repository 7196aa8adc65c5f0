"""max, min and prod along an axis: written out where the size is a small number, else a recurrence with a line of its own.

``max(X, axis=1)`` for X of shape (N, d) is m[n, d] with m[n, 1] = X[n, 1] and m[n, j] = max(m[n, j-1], X[n, j]). The adjoint of such a
recurrence is exact at every point: the slope of a product is the product of the others, whichever factors are 0, and of entries that
tie in a maximum the first gets the slope, as in torch.max along an axis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import sympy as sp

from symnet.core.axes import Axis, Kind, Range
from symnet.core.expressions import entries, free_integers
from symnet.core.functions import Max, Min
from symnet.core.program import Definition
from symnet.core.tensors import Tensor, tensor_name
from symnet.errors import ParseError, ShapeError
from symnet.indexing.arithmetic import axis_number
from symnet.indexing.index_array import IndexArray, new_indices

MOST_WRITTEN = 16  # entries that are written out side by side
FOLDS: Mapping[str, Callable[..., sp.Expr]] = {"max": Max, "min": Min, "prod": lambda *args: sp.Mul(*args)}
NAMES = {"max": "max", "amax": "max", "min": "min", "amin": "min", "prod": "prod"}


class Reductions:
    """The lines that the reductions of one text need. ``known`` are lines that exist already: equal ones are used again."""

    def __init__(self, taken: Iterable[str], known: Iterable[Definition] = ()) -> None:
        self.taken = set(taken)
        self.lines: list[Definition] = []
        self.known: dict[str, list[Definition]] = {}
        for d in known:
            self.known.setdefault(d.name, []).append(d)

    def along(self, where: str, name: str, value: IndexArray, axis: int | None, keepdims: bool,
              outer: Mapping[sp.Symbol, Range]) -> IndexArray:
        """The reduction ``name`` of ``value`` over all axes or one; ``outer`` are the ranges of the letters around."""
        over = list(range(len(value.axes))) if axis is None else [axis_number(where, value, axis)]
        made = value
        for k in reversed(over):  # the last axis first: of entries that tie, the first in reading order
            made = self._one(where, NAMES[name], made, k, outer)
        if not keepdims:
            return made
        kept = iter(zip(made.axes, made.indices, strict=True))
        parts = [(Axis.of(1), sp.Dummy("i", integer=True)) if k in over else next(kept) for k in range(len(value.axes))]
        return IndexArray.over(tuple(a for a, _ in parts), tuple(i for _, i in parts), made.expr)

    def _one(self, where: str, name: str, value: IndexArray, k: int, outer: Mapping[sp.Symbol, Range]) -> IndexArray:
        axis, rest = value.axes[k], value.axes[:k] + value.axes[k + 1:]
        own = new_indices(rest)

        def entry(place: sp.Expr, others: Iterable[sp.Expr] = own) -> sp.Expr:
            places = list(others)
            return value.at(*places[:k], place, *places[k:])

        if axis.size.is_Integer and axis.size <= MOST_WRITTEN:
            return IndexArray.over(rest, own, FOLDS[name](*[entry(axis.lower + step) for step in range(int(axis.size))]))
        around = self._around(where, value, outer)
        axes = (*[Axis.between(lo, hi, Kind.FEATURE) for _, (lo, hi) in around], *rest, axis)
        letters = tuple(i for i, _ in around)

        def lines(target: Tensor, first: tuple[sp.Expr, ...], then: tuple[sp.Expr, ...]) -> tuple[sp.Expr, sp.Expr]:
            """The right sides for the first place and for the others, at the places on the left."""
            a, b = (dict(zip(letters, places, strict=False)) for places in (first, then))
            before = target[(*then[:-1], then[-1] - 1)]
            return (entry(first[-1], first[len(letters):-1]).xreplace(a),
                    FOLDS[name](before, entry(then[-1], then[len(letters):-1]).xreplace(b)))

        target = self._found(axes, lines)
        if target is None:
            target = Tensor(self._fresh(name, value.expr), axes)
            turn = sp.Dummy("j", integer=True)
            first, then = (*letters, *own, axis.lower), (*letters, *own, turn)
            ranges = tuple((i, *a.range) for i, a in zip((*letters, *own), axes, strict=False))
            right = lines(target, first, then)
            self.lines += [Definition(target, first, right[0], ranges or ()),
                           Definition(target, then, right[1], (*ranges, (turn, axis.lower + 1, axis.upper)))]
            self.taken.add(target.name)
        return IndexArray.over(rest, own, target[(*letters, *own, axis.upper)])

    def _around(self, where: str, value: IndexArray, outer: Mapping[sp.Symbol, Range]) -> list[tuple[sp.Symbol, Range]]:
        """The letters of sums and left sides that the value depends on, and their ranges."""
        free = [i for i in free_integers(value.expr, {}) if not i.is_positive and i not in value.indices]
        for i in free:
            if i not in outer or any(not s.is_positive for end in outer[i] for s in end.free_symbols):
                raise ShapeError(where, f"a maximum, minimum or product that depends on {i}, whose range is not known here", "whole arrays",
                                 "a line of its own for what is inside")
        return [(i, outer[i]) for i in sorted(free, key=str)]

    def _found(self, axes: tuple[Axis, ...], lines: Callable[[Tensor, tuple[sp.Expr, ...], tuple[sp.Expr, ...]], tuple[sp.Expr, sp.Expr]]
               ) -> Tensor | None:
        """A tensor whose lines say the same already."""
        for pair in (*self.known.values(), *[self.lines[k:k + 2] for k in range(0, len(self.lines), 2)]):
            if len(pair) == 2 and [a.range for a in pair[0].target.axes] == [a.range for a in axes] and pair[1].indices[-1].is_Symbol \
                    and pair[0].indices[-1] == axes[-1].lower:
                target = pair[0].target
                if lines(target, pair[0].indices, pair[1].indices) == (pair[0].expr, pair[1].expr):
                    return target
        return None

    def _fresh(self, name: str, expr: sp.Expr) -> str:
        of = list(dict.fromkeys(tensor_name(e) for e in entries(expr)))
        stem = f"{name}_{of[0]}" if len(of) == 1 and "_" not in of[0] else name
        return next(n for n in (stem if not k else f"{stem}{k}" for k in range(len(self.taken) + 2))
                    if n not in self.taken and n not in NAMES)


def refused(where: str, name: str) -> ParseError:
    """Why a reduction over an axis without a fixed size has no reading here."""
    return ParseError(where, f"{name} along an axis whose size is a name", "a size that is a number", "a line of a program for it")
