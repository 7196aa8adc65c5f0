"""The least value of a sum of products of entries that lie in intervals: 1 - p[i] q[j] is positive for p and q in (0, 1)."""

from __future__ import annotations

from fractions import Fraction

from symnet.equality.sums.terms import Factors, Poly

End = tuple[Fraction, bool]  # a bound, and whether it is never reached


def above_zero(poly: Poly, strict: bool) -> bool:
    """True when the bounds of the entries show that every value is > 0, or >= 0 unless ``strict``; False says nothing."""
    least, is_open = Fraction(0), False
    for term, c in poly.items():
        if term.over or term.where:
            return False
        ends = _product(dict(term.factors))
        end = ends[0 if c > 0 else 1]
        if end is None:
            return False
        least, is_open = least + c * end[0], is_open or end[1]
    return bool(poly) and (least > 0 or (least == 0 and (is_open or not strict)))


def _product(factors: Factors) -> tuple[End | None, End | None]:
    """(the least value, the greatest) of a product of powers of entries, each None where no bound is known."""
    low: End | None = (Fraction(1), False)
    high: End | None = (Fraction(1), False)
    for (head, _), e in factors.items():
        numbers = head.numbers
        members = numbers.members
        ends = [None if end is None else Fraction(int(end.p), int(end.q)) for end in
                ((members[0], members[-1]) if members else (numbers.low, numbers.high))]
        first = None if ends[0] is None else (ends[0], numbers.open_low and not members)
        last = None if ends[1] is None else (ends[1], numbers.open_high and not members)
        if len(factors) == 1 and e == 1:
            return first, last
        if first is None or first[0] < 0 or e.denominator != 1 or e < 1:
            return None, None
        n = e.numerator
        assert low is not None  # every factor so far has its least value at 0 or above
        low = _times(low, (first[0]**n, first[1]))
        high = None if last is None or high is None else (high[0] * last[0]**n, high[1] or last[1])
    return low, high


def _times(a: End, b: End) -> End:
    """The least value of a product of two numbers at or above 0: 0 is reached where one of them reaches it."""
    if a[0] and b[0]:
        return a[0] * b[0], a[1] or b[1]
    return Fraction(0), all(is_open for end, is_open in (a, b) if end == 0)
