"""Solve ``e(i, k) = α`` for the indices of one use: which indices are fixed by the differentiated entry, which are summed.

Each equation is solved for one index of unit coefficient, so no KroneckerDelta ever appears. What an index may not reach
becomes a restriction of α's range (a boundary), a bracket under the sum, or, without a unit coefficient (a stride), a
divisibility bracket.
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from symnet.core.axes import Range, bounds, inside, meet, nonnegative
from symnet.core.expressions import Limits
from symnet.core.iverson import fixed


@dataclass(frozen=True, slots=True)
class Solution:
    """``mapping`` puts α into the solved indices; ``sums`` are left to sum over; ``spans[d]`` restricts α_d."""

    mapping: dict[sp.Symbol, sp.Expr]
    sums: tuple[Limits, ...]
    spans: tuple[Range, ...]
    conditions: tuple[sp.Basic, ...]


def solve(places: tuple[sp.Expr, ...], alphas: tuple[sp.Symbol, ...], axes: tuple[Range, ...],
          free: tuple[Limits, ...], bound: tuple[Limits, ...]) -> Solution:
    """The indices in ``free`` (of the definition) and ``bound`` (of its sums) for which ``places`` equal ``alphas``."""
    ranges = {i: (lo, hi) for i, lo, hi in (*free, *bound)}
    mapping: dict[sp.Symbol, sp.Expr] = {}
    spans = list(axes)
    conditions: list[sp.Basic] = []
    order = [i for i, _, _ in (*free, *bound)]
    pending = list(enumerate(places))
    while pending:
        d, place, unit = _next(pending, mapping, order)
        left = place - alphas[d]
        if unit is not None:
            value = alphas[d] if place == unit else sp.expand(unit - left / place.coeff(unit, 1))
            mapping = {i: e.xreplace({unit: value}) for i, e in mapping.items()} | {unit: value}
        elif not place.free_symbols & (set(order) | set(alphas)):
            spans[d] = (place, place)
        else:
            strided = _stride(place, alphas[d], [i for i in order if i not in mapping])
            if strided is None:
                conditions.append(_equation(alphas[d], place))
            else:
                index, value, condition = strided
                mapping = {i: e.xreplace({index: value}) for i, e in mapping.items()} | {index: value}
                conditions.append(condition)
    rest = tuple((i, lo, hi) for i, lo, hi in (*free, *bound) if i not in mapping)
    _restrict(mapping, ranges, rest, alphas, spans, conditions)
    return Solution(mapping, rest, tuple(spans), tuple(conditions))


def _equation(alpha: sp.Symbol, place: sp.Expr) -> sp.Basic:
    """α = place; for n - 1 - j the terms change sides, [i + j + 1 = n]: SymPy never ends on -(…) that it keeps as written."""
    if not (place.is_Add and place.could_extract_minus_sign()):
        return sp.Eq(alpha, place)
    away = [t for t in place.args if t.could_extract_minus_sign()]
    return sp.Eq(sp.Add(alpha, *[-t for t in away]), sp.Add(*[t for t in place.args if t not in away]))


def _next(pending: list[tuple[int, sp.Expr]], mapping: dict[sp.Symbol, sp.Expr],
          order: list[sp.Symbol]) -> tuple[int, sp.Expr, sp.Symbol | None]:
    """The next equation to use: one with an unsolved index of coefficient ±1 if there is any, else the first."""
    for where, (d, place) in enumerate(pending):
        now = place.xreplace(mapping)
        now = now if now.is_Symbol else sp.expand(now)
        for i in order:
            if i not in mapping and now.coeff(i, 1) in (1, -1):
                pending.pop(where)
                return d, now, i
    d, place = pending.pop(0)
    return d, sp.expand(place.xreplace(mapping)), None


def _stride(place: sp.Expr, alpha: sp.Symbol, unsolved: list[sp.Symbol]) -> tuple[sp.Symbol, sp.Expr, sp.Basic] | None:
    """Solve s·i + c = α for i: i = (α - c)/s where s divides α - c."""
    for i in unsolved:
        s = place.coeff(i, 1)
        if s != 0:
            rest = sp.expand(alpha - (place - s * i))
            if s.is_number and s < 0:
                rest, s = _negated(rest), -s
            whole = _negated(rest) if rest.is_Add and rest.could_extract_minus_sign() else rest  # SymPy never ends on the rest of -(…)
            return i, rest / s, sp.Eq(sp.Mod(whole, sp.Abs(s)), 0)
    return None


def _negated(expr: sp.Expr) -> sp.Expr:
    """-u term by term."""
    return sp.Add(*[-t for t in sp.Add.make_args(expr)])


def _restrict(mapping: dict[sp.Symbol, sp.Expr], ranges: dict[sp.Symbol, Range], rest: tuple[Limits, ...],
              alphas: tuple[sp.Symbol, ...], spans: list[Range], conditions: list[sp.Basic]) -> None:
    """Keep each solved index in its own range: as a span of α when only α is in it, as a bracket otherwise."""
    known = {a: spans[d] for d, a in enumerate(alphas)} | {i: (lo, hi) for i, lo, hi in rest}
    for index, value in mapping.items():
        low, high = ranges[index]
        span = _whole_bounds(value, known)
        if span is not None and inside(span, (low, high)):
            continue
        used = [a for a in alphas if a in value.free_symbols]
        way = value.coeff(used[0], 1) if len(used) == 1 else 0
        shift = sp.expand(value - way * used[0]) if way in (1, -1) else value
        if way in (1, -1) and not shift.free_symbols & set(known):
            d = alphas.index(used[0])
            own = (sp.expand(low - shift), sp.expand(high - shift)) if way == 1 else (sp.expand(shift - high), sp.expand(shift - low))
            spans[d] = meet(spans[d], own)  # of i = n + 2 - α in 2..n too: α in 2..n
            known[used[0]] = spans[d]
        else:
            if value.is_Add and value.could_extract_minus_sign():  # SymPy never ends on i - 2 j - 6 <= 2 while it keeps -(…) as written
                value, low, high = _negated(value), -high, -low
            conditions.append(sp.And(sp.Ge(value, low), sp.Le(value, high)))


def _whole_bounds(value: sp.Expr, known: dict[sp.Symbol, Range]) -> Range | None:
    """The range of ``value`` where it is whole: (i + 1)/2 with i = 1..6 runs over 1..3."""
    if value in known:
        return known[value]
    divisor = sp.ilcm(1, *[c.q for c in value.as_coefficients_dict().values()])
    wide = bounds(sp.expand(divisor * value), known)
    if wide is None or divisor == 1:
        return wide
    low, high = sp.expand(wide[0] / divisor), sp.expand(wide[1] / divisor)
    return sp.ceiling(low) if low.is_Rational else low, sp.floor(high) if high.is_Rational else high


def pin(sums: tuple[Limits, ...], conditions: tuple[sp.Basic, ...],
        known: dict[sp.Symbol, Range]) -> tuple[dict[sp.Symbol, sp.Expr], tuple[Limits, ...], tuple[sp.Basic, ...]]:
    """Σ_m [m = e] f(m) is f(e): what takes the place of summed indices, the sums left over, the conditions left over.

    ``known`` are the ranges of the indices that are not summed. Where e is not shown to lie in m's range, a bracket says so.
    """
    there, rest, left = fixed(conditions, sums, known)
    rest, left = _narrowed(rest, left)
    return there, rest, _needed([p for c in left for p in sp.And.make_args(c)], known | {i: (lo, hi) for i, lo, hi in rest})


def _narrowed(sums: tuple[Limits, ...], conditions: tuple[sp.Basic, ...]) -> tuple[tuple[Limits, ...], tuple[sp.Basic, ...]]:
    """Σ_{k=0}^{n} [k >= 1] is Σ_{k=1}^{n}: a number that alone bounds a summed index from below is where its range starts."""
    parts = [p for c in conditions for p in sp.And.make_args(c)]
    above = {p.lhs for p in parts if isinstance(p, sp.Le)}
    starts = {i: p.rhs for p in parts for i, lo, _ in sums if isinstance(p, sp.Ge) and p.lhs == i and i not in above
              and p.rhs.is_Integer and lo.is_Integer and p.rhs >= lo}
    left = tuple(p for p in parts if not (isinstance(p, sp.Ge) and starts.get(p.lhs) == p.rhs))
    return tuple((i, starts.get(i, lo), hi) for i, lo, hi in sums), left if starts else conditions


def _needed(parts: list[sp.Basic], ranges: dict[sp.Symbol, Range]) -> tuple[sp.Basic, ...]:
    """The conditions without those that always hold; lower and upper bound of one expression stay or go together."""
    always: dict[sp.Basic, bool] = {}
    for p in parts:
        if isinstance(p, (sp.Ge, sp.Le)):
            span = bounds(sp.expand(p.gts - p.lts), ranges)
            always[p.args[0]] = always.get(p.args[0], True) and span is not None and nonnegative(span[0])
    return tuple(p for p in parts if not (isinstance(p, (sp.Ge, sp.Le)) and always[p.args[0]]))
