"""Numbers that are one of finitely many: a polynomial of degree n or more in one of n numbers is one of degree n - 1 at most.

y² = y for y in {0, 1}, y² = 1 for y in {-1, 1}: the power is divided by Π (y - m) over the members m and the rest kept. Two polynomials
that agree at every choice of members have the same rests, so that what is left is a normal form.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import product
from math import prod
from typing import Any

import sympy as sp

from symnet.core.number_sets import numbers_of
from symnet.equality.fractions import Ring, TooLarge

MOST_CHOICES = 64
MOST_POWER = 60
Members = tuple[sp.Rational, ...]


@cache
def rest_of_power(members: Members, e: int) -> tuple[sp.Rational, ...]:
    """y^e as a polynomial of degree below the number of members, its coefficients from the constant up; e < 0 where 0 is no member.

    >>> rest_of_power((0, 1), 5), rest_of_power((-1, 1), -3)
    ((0, 1), (0, 1))
    """
    y = sp.Dummy("y")
    if abs(e) > MOST_POWER:
        raise TooLarge(f"the power {e}")
    found = sp.Poly(sp.interpolate([(m, sp.Rational(m) ** e) for m in members], y), y)
    return tuple(sp.Rational(found.coeff_monomial(y**k)) for k in range(len(members)))


def lowered_powers(ring: Ring, polynomial: Any, members: Mapping[sp.Symbol, Members]) -> Any:
    """The polynomial with every power of such a generator brought below the number of its members."""
    for symbol, found in members.items():
        at = ring.symbols.index(symbol)
        if polynomial.degrees()[at] < len(found):
            continue
        y, total = ring.generators[symbol], ring.constant(sp.S.Zero).above
        parts: dict[int, dict[tuple[int, ...], Any]] = {}
        for powers, c in polynomial.to_dict().items():
            parts.setdefault(int(powers[at]), {})[tuple(0 if k == at else int(e) for k, e in enumerate(powers))] = c
        for e, part in parts.items():
            low = sum((ring.constant(c).above * y**k for k, c in enumerate(rest_of_power(found, e)) if c), ring.constant(sp.S.Zero).above)
            total = total + ring.context.from_dict(part) * low
        polynomial = total
    return polynomial


def choices(*sides: sp.Expr) -> list[dict[sp.Basic, sp.Expr]]:
    """Every choice of members for the symbols of the sides that have finitely many; [] where there are none, or too many choices."""
    found = {s: numbers_of(s).members for s in sorted({s for side in sides for s in side.free_symbols}, key=str) if s.is_Symbol}
    open_ = {s: members for s, members in found.items() if members}
    if not open_ or prod(len(m) for m in open_.values()) > MOST_CHOICES:
        return []
    return [dict(zip(open_, chosen, strict=True)) for chosen in product(*open_.values())]
