"""A point at which a statement fails: exact rational numbers in the domains that satisfy the hypotheses, the smallest first."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import sympy as sp

from symnet.core.claim import Statement
from symnet.core.number_sets import numbers_of
from symnet.core.numbers import enclose
from symnet.equality.points import points, suited
from symnet.equality.zero import proved_zero
from symnet.errors import SymnetError

Point = dict[sp.Symbol, sp.Rational]
BITS = 160
SMALL = [sp.Rational(p) for p in "0 1 -1 2 -2 1/2 -1/2 3 -3 1/3 3/2 -3/2 5/2 -5/2 10 -10 1/10 -1/10 5 -5 100 -100 1/100".split()]
MOST_SMALL = 4000


def failing_point(left: sp.Expr, relation: str, right: sp.Expr, hypotheses: Iterable[Statement] = (), tries: int = 400,
                  accept: Callable[[Point], bool] | None = None) -> Point | None:
    """A point in the domains, where the hypotheses certainly hold and the relation certainly does not; None when none is met. Only those
    that ``accept`` takes count.

    >>> x = sp.Symbol("x", real=True)
    >>> failing_point(x, "<=", x**2)
    {x: 1/2}
    """
    given = tuple(h for h in hypotheses if h.over is None and not h.general)
    free = sorted({s for e in (left, right, *(s for h in given for s in (h.left, h.right))) for s in e.free_symbols
                   if isinstance(s, sp.Symbol)}, key=str)
    fixed = _solved(given, free)
    rest = [s for s in free if s not in fixed]
    for point in itertools.islice(_candidates(rest), tries):
        whole = _completed(point, fixed)
        if whole is not None and all(certain(h.left, h.relation, h.right, whole) for h in given) and refuted(left, relation, right, whole) \
                and (accept is None or accept(whole)):
            return whole
    return None


def _solved(given: Sequence[Statement], free: Sequence[sp.Symbol]) -> dict[sp.Symbol, sp.Expr]:
    """Symbols that equalities give by the others."""
    found: dict[sp.Symbol, sp.Expr] = {}
    for h in given:
        if h.relation != "=":
            continue
        gap = (h.left - h.right).xreplace(found)
        for s in sorted(gap.free_symbols & set(free), key=str):
            slope = sp.diff(gap, s)
            if s not in found and not slope.free_symbols & {s} and slope != 0:
                value = sp.together(s - gap / slope)
                found = {k: v.xreplace({s: value}) for k, v in found.items()} | {s: value}
                break
    return found


def _candidates(free: Sequence[sp.Symbol]) -> Iterator[Point]:
    """Small numbers in all combinations, then others."""
    if not free:
        yield {}
        return
    choices = [[v for v in SMALL if v in numbers_of(s) and (not s.is_integer or v.is_Integer)] or [suited(s, sp.S.One)] for s in free]
    count = 0
    for total in range(sum(len(c) - 1 for c in choices) + 1):  # by how far the numbers stand in their lists
        for places in _adding_up(total, [len(c) for c in choices]):
            count += 1
            if count > MOST_SMALL:
                break
            yield {s: c[k] for s, c, k in zip(free, choices, places, strict=True)}
        if count > MOST_SMALL:
            break
    yield from points(list(free), 60)


def _adding_up(total: int, most: Sequence[int]) -> Iterator[tuple[int, ...]]:
    if len(most) == 1:
        if total < most[0]:
            yield (total,)
        return
    for k in range(min(total, most[0] - 1) + 1):
        for rest in _adding_up(total - k, most[1:]):
            yield (k, *rest)


def _completed(point: Point, fixed: Mapping[sp.Symbol, sp.Expr]) -> Point | None:
    whole = dict(point)
    for s, value in fixed.items():
        there = value.xreplace(point)
        if not there.is_Rational or there not in numbers_of(s):
            return None
        whole[s] = there
    return whole


def certain(left: sp.Expr, relation: str, right: sp.Expr, at: Point) -> bool:
    """Does the relation certainly hold at the point?"""
    sign = sign_at(right - left, at)
    return sign is not None and sign in {"<": (1,), "<=": (0, 1), "=": (0,), "!=": (-1, 1)}[relation]


def refuted(left: sp.Expr, relation: str, right: sp.Expr, at: Point) -> bool:
    """Does it certainly fail there, though both sides have values?"""
    if relation == "=":
        try:
            return not enclose(right - left, at, BITS).contains(0)
        except (SymnetError, ArithmeticError, ValueError, TypeError):
            return False
    sign = sign_at(right - left, at)
    return sign is not None and sign not in {"<": (1,), "<=": (0, 1), "!=": (-1, 1)}[relation]


def sign_at(expr: sp.Expr, at: Mapping[sp.Symbol, sp.Rational]) -> int | None:
    """The sign of a value, certainly; None where there is none or it is not settled."""
    try:
        ball = enclose(expr, dict(at), BITS)
        if ball > 0 or ball < 0:
            return 1 if ball > 0 else -1
        return 0 if ball == 0 or proved_zero(expr.xreplace(dict(at))) else None
    except (SymnetError, ArithmeticError, ValueError, TypeError, RecursionError):
        return None
