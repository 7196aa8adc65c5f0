"""What has no formula of one line for all sizes: a recurrence with lines of its own. Along an axis max, min and prod, which are written
out where the size is a small number, and their running forms; and the Cholesky factor.

``max(X, axis=1)`` for X of shape (N, d) is m[n, d] with m[n, 1] = X[n, 1] and m[n, j] = max(m[n, j-1], X[n, j]). The adjoint of such a
recurrence is exact at every point: the slope of a product is the product of the others, whichever factors are 0, and of entries that
tie in a maximum the first gets the slope, as in torch.max along an axis.

``cholesky(A)`` is the lower triangle C with C Cᵀ = A for the symmetric A' = (A + Aᵀ)/2, by outer products (Golub & Van Loan 2013,
§4.2.5): S[1] = A', S[t] = S[t-1] - S[t-1][:, t-1] S[t-1][:, t-1]ᵀ / S[t-1][t-1, t-1], C[i, j] = [i >= j] S[j][i, j] / √S[j][j, j]. Its
derivative is that of these lines; that it is taken through A' makes it symmetric, as in PyTorch and JAX (Murray 2016, §3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symnet.core.axes import Axis, Kind, Range, bounds
from symnet.core.expressions import When, entries, free_integers
from symnet.core.functions import Max, Min
from symnet.core.iverson import rectangular
from symnet.core.program import Definition
from symnet.core.tensors import Tensor, tensor_name
from symnet.errors import ParseError, ShapeError
from symnet.indexing.arithmetic import axis_number
from symnet.indexing.conditions import by_bracket, compared, on_indices
from symnet.indexing.index_array import IndexArray, new_indices

MOST_WRITTEN = 16  # entries that are written out side by side
FOLDS: Mapping[str, Callable[..., sp.Expr]] = {"max": Max, "min": Min, "prod": lambda *args: sp.Mul(*args),
                                               "logsumexp": lambda *args: sp.log(sp.Add(*map(sp.exp, args)))}
NAMES = {"max": "max", "amax": "max", "min": "min", "amin": "min", "prod": "prod"}


class Recurrences:
    """The lines that the recurrences of one text or graph need. ``known`` are lines that exist already: equal ones are used again.

    A ``draft`` is made while the ranges of some letters are still looked for: those run over one place, and its lines are thrown away.
    """

    def __init__(self, taken: Iterable[str], known: Iterable[Definition] = (), draft: bool = False) -> None:
        self.taken, self.draft = set(taken), draft
        self.lines: list[Definition] = []
        self.known: dict[str, list[Definition]] = {}
        for d in known:
            self.known.setdefault(d.name, []).append(d)

    def along(self, where: str, name: str, value: IndexArray, axis: int | None, keepdims: bool,
              outer: Mapping[sp.Symbol, Range]) -> IndexArray:
        """The reduction ``name`` of ``value`` over all axes or one; ``outer`` are the ranges of the letters around."""
        over = list(range(len(value.axes))) if axis is None else [axis_number(where, value, axis)]
        made = _with_fixed_ends(value, outer)
        for k in reversed(over):  # the last axis first: of entries that tie, the first in reading order
            made = self._one(where, NAMES[name], made, k, outer)
        if not keepdims:
            return made
        kept = iter(zip(made.axes, made.indices, strict=True))
        parts = [(Axis.of(1), sp.Dummy("i", integer=True)) if k in over else next(kept) for k in range(len(value.axes))]
        return IndexArray.over(tuple(a for a, _ in parts), tuple(i for _, i in parts), made.expr)

    def running(self, where: str, name: str, value: IndexArray, axis: int, outer: Mapping[sp.Symbol, Range], back: bool = False
                ) -> IndexArray:
        """The reduction of the places up to each one, or from it on with ``back``."""
        k, own, value = axis % len(value.axes), value.axes[axis], _with_fixed_ends(value, outer)
        turned = {value.indices[k]: own.lower + own.upper - value.indices[k]}
        target, lead, others = self._turns(where, name, replace(value, expr=value.put(turned)) if back else value, k, outer)
        (place,) = new_indices([own])
        there = own.lower + own.upper - place if back else place
        indices = (*others[:k], place, *others[k:])
        return IndexArray.over(value.axes, indices, target[(*lead, *others, there)])

    def cholesky(self, where: str, value: IndexArray, outer: Mapping[sp.Symbol, Range]) -> IndexArray:
        """The lower triangular factor of the last two axes."""
        if not value.is_square:
            raise ShapeError(where, f"cholesky of shape {value.shape}", "a square matrix")
        around = self._around(where, value, outer)
        axis, front = value.axes[-1], value.axes[:-2]
        lead, own = tuple(i for i, _ in around), new_indices(front)
        turn, i, j = new_indices([axis] * 3)
        before, after = value.at(*own, i, j), value.at(*own, j, i)
        first = before if sp.expand(before - after) == 0 else (before + after) / 2
        axes = (*[Axis.between(lo, hi, Kind.FEATURE) for _, (lo, hi) in around], *front, axis, axis, axis)
        target = Tensor(self._fresh("rest", value.expr), axes)

        def at(t: sp.Expr, row: sp.Expr, column: sp.Expr) -> sp.Expr:
            return target[(*lead, *own, t, row, column)]
        ranges = [(s, *a.range) for s, a in zip((*lead, *own), axes, strict=False)]
        inner = ((i, *axis.range), (j, *axis.range))
        last = turn - 1
        self.lines += [Definition(target, (*lead, *own, axis.lower, i, j), first, (*ranges, *inner)),
                       Definition(target, (*lead, *own, turn, i, j), at(last, i, j) - at(last, i, last) * at(last, j, last)
                                  / at(last, last, last), (*ranges, (turn, axis.lower + 1, axis.upper), *inner))]
        self.taken.add(target.name)
        return IndexArray.over(value.axes, (*own, i, j), When(at(j, i, j) / sp.sqrt(at(j, j, j)), sp.Ge(i, j)))

    def _one(self, where: str, name: str, value: IndexArray, k: int, outer: Mapping[sp.Symbol, Range]) -> IndexArray:
        axis, rest = value.axes[k], value.axes[:k] + value.axes[k + 1:]
        if axis.size.is_Integer and axis.size <= MOST_WRITTEN:
            own = new_indices(rest)
            places = [axis.lower + step for step in range(int(axis.size))]
            return IndexArray.over(rest, own, FOLDS[name](*[value.at(*own[:k], place, *own[k:]) for place in places]))
        target, lead, own = self._turns(where, name, value, k, outer)
        return IndexArray.over(rest, own, target[(*lead, *own, axis.upper)])

    def between(self, where: str, name: str, value: IndexArray, low: sp.Expr, high: sp.Expr, outer: Mapping[sp.Symbol, Range]) -> sp.Expr:
        """The reduction of the places low..high of the one axis, where the ends hold letters: low <= high where it is looked at."""
        value = _with_fixed_ends(value, outer)
        target, lead, _ = self._turns(where, name, value, 0, outer, low, high)
        return target[(*lead, high)]

    def _turns(self, where: str, name: str, value: IndexArray, k: int, outer: Mapping[sp.Symbol, Range], low: sp.Expr | None = None,
               high: sp.Expr | None = None) -> tuple[Tensor, tuple[sp.Symbol, ...], tuple[sp.Symbol, ...]]:
        """The tensor of what stands after each place of axis k, its leading letters, and an index for each other axis; of the places
        from ``low`` to ``high`` alone, where these are told."""
        axis, rest = value.axes[k], value.axes[:k] + value.axes[k + 1:]
        own = new_indices(rest)
        first_place = axis.lower if low is None else low
        seen = sp.true if high is None else sp.And(sp.Ge(value.indices[k], first_place), sp.Le(value.indices[k], high))

        def entry(place: sp.Expr, others: Iterable[sp.Expr] = own) -> sp.Expr:
            places = list(others)
            return value.at(*places[:k], place, *places[k:])

        around = self._around(where, replace(value, expr=When(value.expr, seen)), outer)
        axes = (*[Axis.between(lo, hi, Kind.FEATURE) for _, (lo, hi) in around], *rest, axis)
        letters = tuple(i for i, _ in around)

        def lines(target: Tensor, first: tuple[sp.Expr, ...], then: tuple[sp.Expr, ...]) -> tuple[sp.Expr, sp.Expr]:
            """The right sides for the first place and for the others, at the places on the left."""
            a, b = (dict(zip(letters, places, strict=False)) for places in (first, then))
            before = target[(*then[:-1], then[-1] - 1)]
            start, here = entry(first[-1], first[len(letters):-1]), entry(then[-1], then[len(letters):-1])
            more = FOLDS[name](before, here.xreplace(b))
            if high is None:
                return start.xreplace(a), more
            starts = [sp.And(compared(sp.Eq, place, first_place.xreplace(there)), compared(sp.Le, place, high.xreplace(there)))
                      for place, there in ((first[-1], a), (then[-1], b))]
            further = When(more, sp.And(sp.Ge(then[-1], first_place.xreplace(b) + 1), sp.Le(then[-1], high.xreplace(b))))
            if first_place == axis.lower:  # the first place of all is the first of these
                return When(start.xreplace(a), compared(sp.Ge, high.xreplace(a), first_place)), further
            return When(start.xreplace(a), starts[0]), When(here.xreplace(b), starts[1]) + further

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
        return target, letters, own

    def _around(self, where: str, value: IndexArray, outer: Mapping[sp.Symbol, Range]) -> list[tuple[sp.Symbol, Range]]:
        """The letters of sums and left sides that the value depends on, and their ranges."""
        free = [i for i in free_integers(value.expr, {}) if not i.is_positive and i not in value.indices]
        if self.draft:
            outer = {**dict.fromkeys(free, (sp.S.One, sp.S.One)), **outer}
        found = dict[sp.Symbol, Range]()
        for i in free:
            low, high = (bounds(end, outer) for end in outer[i]) if i in outer else (None, None)  # of j in 1..i all that i may be
            if low is not None and high is not None:
                found[i] = (low[0], high[1])
            elif not self.draft:
                raise ShapeError(where, f"a maximum, minimum or product that depends on {i}, whose range is not known here", "whole arrays",
                                 "a line of its own for what is inside")
        return sorted(found.items(), key=lambda item: str(item[0]))

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


def _with_fixed_ends(value: IndexArray, outer: Mapping[sp.Symbol, Range]) -> IndexArray:
    """The same array, in which sums end at sizes: what stands in lines of its own is no part of the line around, where that is done."""
    if not value.expr.has(sp.Sum):
        return value
    return replace(value, expr=rectangular(value.expr, {**outer, **{i: a.range for i, a in zip(value.indices, value.axes, strict=True)}}))


def guarded(lines: Sequence[Definition], expr: sp.Expr) -> list[Definition]:
    """The lines that a text needs, each looked at only where the text, whose meaning is ``expr``, or a later one of them looks at it: what
    (max(h[i-1]*w[k] for k in 1..n) if i > 1 else 0) asks for need not exist at i = 1."""
    made: list[Definition] = []
    for d in reversed(lines):
        own = {place for place in d.indices[:-1] if place.is_Symbol and not place.is_positive}
        seen = [c for e in (expr, *(other.expr for other in made if other.name != d.name)) for c in _conditions(e, d, own, sp.true)]
        where = sp.Or(*seen) if seen else sp.true
        made.insert(0, d if where is sp.true else replace(d, expr=by_bracket(where, d.expr, sp.S.Zero)))
    return made


def _conditions(expr: sp.Basic, line: Definition, own: set[sp.Symbol], around: sp.Basic) -> Iterator[sp.Basic]:
    """What the brackets around each use of ``line`` say of the letters that stand on its left; nothing where other letters stand there."""
    if isinstance(expr, sp.Indexed):
        if tensor_name(expr) == line.name:
            letters = own & set(expr.indices)
            yield sp.And(*[c for c in sp.And.make_args(around) if on_indices(c) and _letters(c) & own and _letters(c) <= letters])
        return
    if isinstance(expr, When):
        yield from _conditions(expr.body, line, own, sp.And(around, expr.condition))
        return
    for part in expr.args:
        yield from _conditions(part, line, own, around)


def _letters(condition: sp.Basic) -> set[sp.Symbol]:
    return {s for s in condition.free_symbols if not s.is_positive}


def refused(where: str, name: str) -> ParseError:
    """Why a reduction over an axis without a fixed size has no reading here."""
    return ParseError(where, f"{name} along an axis whose size is a name", "a size that is a number", "a line of a program for it")
