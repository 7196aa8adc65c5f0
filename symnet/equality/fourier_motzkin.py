"""Can linear inequalities hold together? Fourier-Motzkin elimination with exact fractions.

Unknowns are any hashable things, here monomials, each taken as a free real number. What is then impossible is impossible in
truth, so a region may be thrown away when this says no; a yes proves nothing. Source: Motzkin (1936); Schrijver (1986), 12.2.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

MOST_ROWS = 200  # past this the answer is "perhaps", which is always safe


@dataclass(frozen=True, slots=True)
class Row:
    """Σ terms[m] · m + constant > 0 when ``strict``, else ≥ 0."""

    terms: Mapping[Hashable, Fraction]
    constant: Fraction
    strict: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", {m: c for m, c in self.terms.items() if c})

    def holds(self, at: Mapping[Hashable, Fraction]) -> bool:
        """True at numbers that satisfy the row; an unknown that is not given is 0."""
        total = self.constant + sum((c * at.get(m, Fraction(0)) for m, c in self.terms.items()), Fraction(0))
        return total > 0 if self.strict else total >= 0

    @property
    def broken(self) -> bool:
        """True for a row without unknowns that does not hold."""
        return not self.terms and (self.constant <= 0 if self.strict else self.constant < 0)


def feasible(rows: Iterable[Row]) -> bool:
    """False only when no real numbers satisfy all rows.

    >>> one = Fraction(1)
    >>> feasible([Row({"x": one}, -one, True), Row({"x": -one}, one, True)])  # x > 1 and x < 1
    False
    """
    return _stages(rows) is not None


def solution(rows: Iterable[Row]) -> dict[Hashable, Fraction] | None:
    """Numbers that satisfy all rows, readable ones first; None when there are none or when it would take too long.

    >>> one = Fraction(1)
    >>> solution([Row({"x": one}, -one, True), Row({"x": -one, "y": one}, 0 * one, True)])  # x > 1, y > x
    {'x': Fraction(2, 1), 'y': Fraction(3, 1)}
    """
    stages = _stages(rows)
    if stages is None or stages[-1][0] is not None:
        return None
    found: dict[Hashable, Fraction] = {}
    for unknown, left in reversed(stages[:-1]):
        low, high = _limit(unknown, left, found, 1), _limit(unknown, left, found, -1)
        found[unknown] = _between(low, high)
    return found


def _stages(rows: Iterable[Row]) -> list[tuple[Hashable, list[Row]]] | None:
    """Each unknown with the rows it is eliminated from, then (None, []); an unknown last when there are too many rows; None
    when the rows cannot hold together."""
    left, stages = list(rows), list[tuple[Hashable, list[Row]]]()
    while True:
        if any(row.broken for row in left):
            return None
        left = [row for row in left if row.terms]
        unknown = _cheapest(left)
        stages.append((unknown, left))
        if unknown is None or len(left) > MOST_ROWS:
            return stages
        left = _without(unknown, left)


Bound = tuple[Fraction, bool]  # a limit, and whether it is left out


def _limit(unknown: Hashable, rows: list[Row], known: Mapping[Hashable, Fraction], side: int) -> Bound | None:
    """The strongest lower (side 1) or upper (-1) limit that the rows give the unknown, once the others are known."""
    limits = [(-(r.constant + sum((c * known.get(m, Fraction(0)) for m, c in r.terms.items() if m != unknown), Fraction(0)))
               / r.terms[unknown], r.strict) for r in rows if r.terms.get(unknown, 0) * side > 0]
    return max(limits, key=lambda b: (side * b[0], b[1]), default=None)


def _between(low: Bound | None, high: Bound | None) -> Fraction:
    """A readable number between the limits: a whole one near 0, else the fraction with the smallest divisor."""
    if low is not None and high is not None and low[0] == high[0]:
        return low[0]
    for divisor in range(1, 1000):
        start = math.ceil(low[0] * divisor) if low else math.floor(high[0] * divisor) - 2 if high else 1
        for k in range(start, start + 3):
            number = Fraction(k, divisor)
            above = low is None or number > low[0] or (number == low[0] and not low[1])
            below = high is None or number < high[0] or (number == high[0] and not high[1])
            if above and below:
                return number
    return (low[0] + high[0]) / 2 if low and high else Fraction(0)


def _cheapest(rows: list[Row]) -> Hashable | None:
    """The unknown whose elimination makes the fewest rows."""
    up: dict[Hashable, int] = {}
    down: dict[Hashable, int] = {}
    for row in rows:
        for m, c in row.terms.items():
            side = up if c > 0 else down
            side[m] = side.get(m, 0) + 1
    return min({**up, **down}, key=lambda m: up.get(m, 0) * down.get(m, 0), default=None)


def _without(unknown: Hashable, rows: list[Row]) -> list[Row]:
    """What the rows say of the other unknowns: each lower bound with each upper bound."""
    low = [r for r in rows if r.terms.get(unknown, 0) > 0]
    high = [r for r in rows if r.terms.get(unknown, 0) < 0]
    rest = [r for r in rows if unknown not in r.terms]
    return rest + [_added(a, -b.terms[unknown], b, a.terms[unknown]) for a in low for b in high]


def _added(a: Row, p: Fraction, b: Row, q: Fraction) -> Row:
    """p · a + q · b, for positive p and q."""
    terms = {m: p * a.terms.get(m, Fraction(0)) + q * b.terms.get(m, Fraction(0)) for m in {**a.terms, **b.terms}}
    return Row(terms, p * a.constant + q * b.constant, a.strict or b.strict)
