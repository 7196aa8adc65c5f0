"""What a bracket's condition guarantees of the indices under it, and the ranges that follow for an index expression.

Under [1 <= q - i + 1 <= 3] with i = 1..3 the place q lies in 1..5, whatever the axis of q: write γ = q - i + 1, so that
q = γ + i - 1. Under [2 | j + 1] the place (j + 1)/2 is a whole number. Under [n != 1] the size n is 2 at least.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sympy as sp

from symnet.core.axes import Least, Range, at_most, bounds, meet
from symnet.core.expressions import of_data

Fact = tuple[sp.Expr, Range]
MOST = 3  # guarantees that are used together


@dataclass(frozen=True, slots=True)
class Guards:
    """``ranges[e]`` is where the expression e is guaranteed to lie; each e of ``whole`` is guaranteed to be whole; ``least`` are the
    sizes that are guaranteed to be more than 1."""

    ranges: Mapping[sp.Expr, Range] = field(default_factory=dict)
    whole: tuple[sp.Expr, ...] = ()
    least: Least = field(default_factory=dict)

    def under(self, condition: sp.Basic, ranges: Mapping[sp.Symbol, Range] | None = None) -> Guards:
        """These and what ``condition`` adds; ``ranges`` of the indices give the side that a one-sided condition leaves open."""
        wholes = [(p.lhs.args[0], p.lhs.args[1]) for p in sp.And.make_args(condition)
                  if isinstance(p, sp.Eq) and isinstance(p.lhs, sp.Mod) and p.rhs == 0]
        known = dict(self.ranges)
        for e, span in guard_ranges(condition, narrowed(ranges or {}, known)).items():
            known[e] = meet(known[e], span) if e in known else span
        return Guards(known, (*self.whole, *[sp.expand(n / s) for n, s in wholes]),
                      _least_under(condition, ranges or {}, narrowed(ranges or {}, known), self.least))

    def never(self, ranges: Mapping[sp.Symbol, Range]) -> bool:
        """True where no choice of the indices is left at any size: i <= 1 and i != 1 of i = 1..n."""
        return any(at_most(high + 1, low) for low, high in narrowed(ranges, self.ranges).values())


def _least_under(condition: sp.Basic, ranges: Mapping[sp.Symbol, Range], left: Mapping[sp.Symbol, Range], known: Least) -> Least:
    """The least sizes where ``condition`` holds: [n >= 3] says 3, and so do [n != 1 and n != 2], [i >= 3] and [i = 3] of i = 1..n, of
    which the condition leaves the range ``left``."""
    found = dict(known)
    ends = [(first, last, *ranges[i]) for i, (first, last) in left.items()]
    some = [sp.Ge(high, low) for first, last, lower, upper in ends for low, high in ((first, last), (first, upper), (lower, last))]
    parts = [p for p in (*sp.And.make_args(condition), *some)
             if isinstance(p, (sp.Ge, sp.Gt, sp.Le, sp.Lt, sp.Ne)) and len(p.free_symbols) == 1 and next(iter(p.free_symbols)).is_positive]
    for part in parts * len(parts):
        (size,) = part.free_symbols
        gap = sp.expand(part.lhs - part.rhs if isinstance(part, sp.Ne) else part.gts - part.lts - int(isinstance(part, (sp.Gt, sp.Lt))))
        slope = gap.coeff(size, 1)
        if not slope.is_Integer or slope == 0 or gap.has(sp.Mod) or not (rest := gap - slope * size).is_Integer:
            continue
        end = -rest / slope
        if isinstance(part, sp.Ne) and end == found.get(size, 1):
            found[size] = int(end) + 1
        elif not isinstance(part, sp.Ne) and slope > 0:
            found[size] = max(found.get(size, 1), int(sp.ceiling(end)))
    return found


def guard_ranges(condition: sp.Basic, ranges: Mapping[sp.Symbol, Range] | None = None) -> dict[sp.Expr, Range]:
    """The ranges that a bracket's condition guarantees: {i - p + 1: (1, M)}; i = j + 1 says that i - j - 1 is 0.

    With ``ranges`` of the indices one side is enough: of t = 1..T the conditions t >= 2 and t != 1 say that t lies in 2..T.
    """
    low: dict[sp.Expr, sp.Expr] = {}
    high: dict[sp.Expr, sp.Expr] = {}
    found: dict[sp.Expr, Range] = {}
    for part in sp.And.make_args(condition):
        if of_data(part) or part.has(sp.Mod) or (isinstance(part, (sp.Gt, sp.Lt)) and not _integers(part.lhs - part.rhs)):
            continue
        if isinstance(part, (sp.Ge, sp.Gt)):
            end = part.args[1] + int(isinstance(part, sp.Gt))
            low[part.args[0]] = end if at_most(low.get(part.args[0], end), end) else low[part.args[0]]
        elif isinstance(part, (sp.Le, sp.Lt)):
            end = part.args[1] - int(isinstance(part, sp.Lt))
            high[part.args[0]] = end if at_most(end, high.get(part.args[0], end)) else high[part.args[0]]
        elif isinstance(part, sp.Eq):
            found[sp.expand(part.lhs - part.rhs)] = (sp.S.Zero, sp.S.Zero)
    for e in dict.fromkeys((*low, *high)):
        wide = _plain_bounds(e, ranges or {}) if (e in low) != (e in high) else (sp.S.Zero, sp.S.Zero)
        if wide is not None:
            found[sp.expand(e)] = (low.get(e, wide[0]), high.get(e, wide[1]))
    for part in sp.And.make_args(condition):  # i <= j - 1 speaks of j too: i - j + 1 is not above 0
        if isinstance(part, (sp.Ge, sp.Le)) and part.lhs in found and any(s in (ranges or {}) for s in part.rhs.free_symbols):
            gap = sp.expand(part.lhs - part.rhs)
            wide = _plain_bounds(gap, ranges or {})
            if wide is not None:
                found.setdefault(gap, (sp.S.Zero, wide[1]) if isinstance(part, sp.Ge) else (wide[0], sp.S.Zero))
    gaps = [sp.expand(p.lhs - p.rhs) for p in sp.And.make_args(condition) if isinstance(p, sp.Ne) and not of_data(p) and not p.has(sp.Mod)]
    for _ in gaps:  # t != 1 and t != 2: one after the other
        for gap in gaps:
            found |= _beside(gap, narrowed(ranges or {}, found))
    return found


def narrowed(ranges: Mapping[sp.Symbol, Range], facts: Mapping[sp.Expr, Range]) -> Mapping[sp.Symbol, Range]:
    """The ranges of the indices where the facts hold: t - 1 in 1..T - 1 says that t is in 2..T."""
    made = dict(ranges)
    for e, (low, high) in facts.items():
        for s in e.free_symbols:
            rest = sp.expand(e - s)
            if s in made and all(r.is_positive for r in rest.free_symbols):
                made[s] = meet(made[s], (sp.expand(low - rest), sp.expand(high - rest)))
    return made


def _beside(gap: sp.Expr, ranges: Mapping[sp.Symbol, Range]) -> dict[sp.Expr, Range]:
    """Of t = 1..T the condition t != 1 says that t - 1 lies in 1..T - 1, and t != T that t - T lies in 1 - T..-1."""
    wide = _plain_bounds(gap, ranges)
    if wide is None:
        return {}
    if wide[0] == 0:
        return {gap: (sp.S.One, wide[1])}
    return {gap: (wide[0], sp.S.NegativeOne)} if wide[1] == 0 else {}


def _plain_bounds(e: sp.Expr, ranges: Mapping[sp.Symbol, Range]) -> Range | None:
    """The range of a whole expression in indices whose ranges are all known."""
    if not _integers(e) or not all(s in ranges or s.is_positive for s in e.free_symbols):
        return None
    return bounds(sp.expand(e), ranges)


def spans(place: sp.Expr, ranges: Mapping[sp.Symbol, Range], guards: Guards) -> Iterator[Range]:
    """Every range in which ``place`` is shown to stay, simplest reasons first; none when it may not be whole."""
    if (place.is_Symbol or place.is_Integer) and not guards.ranges and not guards.whole:
        yield ranges.get(place, (place, place))
        return
    place = sp.expand(place)
    if place in guards.ranges and _is_whole(place, guards):
        yield guards.ranges[place]
    plain = bounds(place, ranges) if _integers(place) else None
    if plain is not None:
        yield plain
    facts = [(e, r) for e, r in guards.ranges.items() if _is_whole(e, guards)]
    for e in guards.whole:
        divisor = sp.ilcm(1, *[c.q for c in e.as_coefficients_dict().values()])
        wide = bounds(sp.expand(e * divisor), ranges)
        if wide is not None:
            facts.append((e, (sp.ceiling(wide[0] / divisor), sp.floor(wide[1] / divisor))))
    for count in range(1, MOST + 1):
        for chosen in itertools.permutations(facts, count):
            yield from _through(place, dict(ranges), list(chosen), {})


def _through(place: sp.Expr, known: dict[sp.Symbol, Range], facts: list[Fact],
             mapping: dict[sp.Symbol, sp.Expr]) -> Iterator[Range]:
    """The range of ``place`` once each fact e has taken the place of one of its indices: a new index γ = e that runs over e's range.

    A fact of indices that the place does not hold says nothing of it, or does so behind others.
    """
    written = sp.expand(place.xreplace(mapping))
    if not facts:
        found = bounds(written, known) if _integers(written) else None
        if found is not None:
            yield found
        return
    (fact, span), *rest = facts
    e = sp.expand(fact.xreplace(mapping))
    for symbol in sorted((s for s in e.free_symbols & written.free_symbols if s in known and not isinstance(s, _Gamma)), key=str):
        gamma = _Gamma("γ", integer=True)
        value = sp.expand(symbol - (e - gamma) / e.coeff(symbol, 1))
        after = {s: v.xreplace({symbol: value}) for s, v in mapping.items()} | {symbol: value}
        yield from _through(place, known | {gamma: span}, rest, after)


class _Gamma(sp.Dummy):  # type: ignore[misc]
    """An index that stands for a guaranteed expression."""


def _integers(expr: sp.Expr) -> bool:
    """True when every coefficient is an integer, so that the value is whole for whole indices."""
    return all(c.is_Integer for c in sp.expand(expr).as_coefficients_dict().values())


def _is_whole(expr: sp.Expr, guards: Guards) -> bool:
    """True when ``expr`` is whole: by its coefficients, or because it differs from a guaranteed one by a whole number."""
    if _integers(expr):
        return True
    for e in guards.whole:
        for symbol in e.free_symbols:
            times = expr.coeff(symbol, 1) / e.coeff(symbol, 1) if e.coeff(symbol, 1) != 0 else sp.nan
            if times.is_Integer and _integers(expr - times * e):
                return True
    return False
