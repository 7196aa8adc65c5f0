"""Brackets that fix an index of a sum: Σ_j [i = j] x_j is x_i, and Σ_I [I = p(i - 1) + k] K_I is K at that place.

``diag``, ``kron`` and ``vec`` are written with such brackets, and their gradients read as in a book once the sums are settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import sympy as sp

from symnet.core.axes import Range, at_most, bounds, inside
from symnet.core.expressions import BINDERS, Limits, When, bracketed, fresh, limits, of_data, rebuild, substitute, total
from symnet.core.guards import Guards

Ranges = Mapping[sp.Symbol, Range]


def settle(body: sp.Expr, over: tuple[Limits, ...], ranges: Ranges | None = None) -> sp.Expr:
    """Σ over ``over`` of ``body``, without the sums over indices that a bracket fixes; ``ranges`` are those of free indices.

    >>> i, j = sp.symbols("i j", integer=True)
    >>> x, d = sp.IndexedBase("x"), sp.Symbol("d", integer=True, positive=True)
    >>> settle(When(x[j], sp.Eq(i, j)), ((j, sp.S.One, d),), {i: (sp.S.One, d)})
    x[i]
    """
    opened, inside_ = _open(body)
    inner, conditions = _gather(opened)
    if not any(isinstance(c, sp.Eq) for c in conditions):
        return total(body, over)
    there, over, conditions = fixed(conditions, (*inside_, *over), ranges or {})
    return total(When(substitute(inner, there), sp.And(*conditions)), over)


def _open(body: sp.Expr) -> tuple[sp.Expr, tuple[Limits, ...]]:
    """A product of sums of brackets as one body and all the sums over it."""
    over: list[Limits] = []
    factors: list[sp.Expr] = []
    for factor in sp.Mul.make_args(body):
        if isinstance(factor, sp.Sum) and factor.has(When):
            own = fresh(factor)
            over += limits(own)
            factors.append(own.function)
        else:
            factors.append(factor)
    return sp.Mul(*factors), tuple(over)


def _gather(body: sp.Expr) -> tuple[sp.Expr, tuple[sp.Basic, ...]]:
    """A product as one body under all its brackets."""
    factors = sp.Mul.make_args(body)
    brackets = [f for f in factors if isinstance(f, When)]
    if not brackets:
        return body, ()
    inside_ = [_gather(b.body) for b in brackets]
    rest = [f for f in factors if not isinstance(f, When)]
    found = [c for b, (_, more) in zip(brackets, inside_, strict=True) for c in (*sp.And.make_args(b.condition), *more)]
    return sp.Mul(*rest, *[b for b, _ in inside_]), tuple(found)


Fixed = tuple[dict[sp.Symbol, sp.Expr], tuple[Limits, ...], tuple[sp.Basic, ...]]


def fixed(conditions: Iterable[sp.Basic], over: tuple[Limits, ...], ranges: Ranges) -> Fixed:
    """(what each fixed index is, the sums that are left, the conditions that are left)."""
    there: dict[sp.Symbol, sp.Expr] = {}
    left = [part for c in conditions for part in sp.And.make_args(c)]
    while True:
        known = {**ranges, **{i: (lo, hi) for i, lo, hi in over}}
        left = [part for c in left for part in _split(c, known)]
        ways = [(*way, _stays(way[1], way[2], known)) for way in _solutions(left, over)]
        if not ways:
            return there, over, tuple(c for c in left if c is not sp.true)
        condition, (index, low, high), value, stays = next((w for w in ways if w[3]), ways[0])
        left.remove(condition)
        over = tuple(t for t in over if t[0] != index)
        if not stays:
            left.append(sp.And(sp.Ge(value, low), sp.Le(value, high)))
        left = [c.xreplace({index: value}) for c in left]
        there = {i: sp.expand(e.xreplace({index: value})) for i, e in there.items()} | {index: value}


def _solutions(conditions: list[sp.Basic], over: tuple[Limits, ...]) -> Iterator[tuple[sp.Basic, Limits, sp.Expr]]:
    """The equations that fix an index of a sum, and its value."""
    for condition in conditions:
        if not isinstance(condition, sp.Eq) or condition.has(sp.Mod) or of_data(condition):
            continue
        gap = sp.expand(condition.lhs - condition.rhs)
        for limit in over:
            factor = gap.coeff(limit[0], 1)
            if factor in (1, -1) and not any(limit[0] in e.free_symbols for t in over for e in t[1:]):
                yield condition, limit, sp.expand(limit[0] - gap * factor)


def _stays(limit: Limits, value: sp.Expr, known: Ranges) -> bool:
    """True when the value is shown to lie in the range of the index that it takes the place of."""
    span = bounds(value, {i: r for i, r in known.items() if i != limit[0]})
    return span is not None and inside(span, limit[1:])


def _split(condition: sp.Basic, ranges: Ranges) -> Iterator[sp.Basic]:
    """p·u + v = 0 with |v| < p says u = 0 and v = 0: two places of a Kronecker product are one only if both parts are."""
    if not isinstance(condition, sp.Eq) or condition.has(sp.Mod) or of_data(condition):
        yield condition
        return
    gap = sp.expand(condition.lhs - condition.rhs)
    if gap == 0:
        return
    indices = [i for i in ranges if i in gap.free_symbols]
    for radix in sorted({sp.Abs(gap.coeff(i, 1)) for i in indices} - {sp.S.Zero, sp.S.One}, key=str):  # 0 of one within a bracket
        high = sp.expand(sp.Add(*[gap.coeff(i, 1) / radix * i for i in indices if sp.Abs(gap.coeff(i, 1)) == radix]))
        low = sp.expand(gap - radix * high)
        span = bounds(low, ranges)
        if span is not None and at_most(1 - radix, span[0]) and at_most(span[1], radix - 1):
            yield sp.Eq(high, 0)
            yield sp.Eq(low, 0)
            return
    yield condition


def rectangular(expr: sp.Basic, ranges: Ranges) -> sp.Basic:
    """Sums whose ends depend on other indices as sums with fixed ends and brackets; ``ranges`` are those of free indices.

    Σ_{j=1}^{i} x_j is Σ_{j=1}^{n} [j <= i] x_j for i = 1..n; where the range is empty nothing is added.

    >>> i, j = sp.symbols("i j", integer=True)
    >>> x, n = sp.IndexedBase("x"), sp.Symbol("n", integer=True, positive=True)
    >>> rectangular(sp.Sum(x[j], (j, 1, i)), {i: (sp.S.One, n)})
    Sum(When(x[j], j <= i), (j, 1, n))
    """
    if not expr.has(sp.Sum):
        return expr
    if not isinstance(expr, sp.Sum):
        return rebuild(expr, tuple(rectangular(a, ranges) for a in expr.args))
    known, over, conditions = dict(ranges), list[Limits](), list[sp.Basic]()
    for index, low, high in reversed(limits(expr)):
        wide = [bounds(end, known) for end in (low, high)]
        known[index] = (low, high)
        if wide[0] is None or wide[1] is None or (wide[0][0], wide[1][1]) == (low, high):
            over.insert(0, (index, low, high))
            continue
        over.insert(0, (index, wide[0][0], wide[1][1]))
        conditions += [c for c, moves in ((sp.Ge(index, low), wide[0][0] != low), (sp.Le(index, high), wide[1][1] != high)) if moves]
    body = rectangular(expr.function, known)
    return total(bracketed(body, sp.And(*conditions)) if conditions else body, tuple(over))


def reachable(expr: sp.Basic, ranges: Ranges, guards: Guards | None = None) -> sp.Basic:
    """Without the brackets that hold nowhere: cases in cases leave [i <= 1 and i != 1] for i = 1..n.

    >>> i, n = sp.Symbol("i", integer=True), sp.Symbol("n", integer=True, positive=True)
    >>> reachable(When(2, sp.And(i <= 1, sp.Ne(i, 1))) + When(3, i <= 1), {i: (sp.S.One, n)})
    When(3, i <= 1)
    """
    if not expr.has(When) or isinstance(expr, sp.Indexed):
        return expr
    guards = guards or Guards()
    if isinstance(expr, When):
        inner = guards.under(expr.condition, ranges)
        return sp.S.Zero if inner.never(ranges) else rebuild(expr, (reachable(expr.body, ranges, inner), expr.condition))
    if isinstance(expr, BINDERS):
        known = {**ranges, **{i: (low, high) for i, low, high in limits(expr)}}
        body = reachable(expr.function, known, guards)
        return total(body, limits(expr)) if isinstance(expr, sp.Sum) and body != expr.function else rebuild(expr, (body, *expr.args[1:]))
    return rebuild(expr, tuple(reachable(a, ranges, guards) for a in expr.args))
