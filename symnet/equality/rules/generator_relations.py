"""The relations between generators, used above and below the line: r^q = u, sin² = 1 - cos², step² = step, y² = y for y in {0, 1}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symnet.equality.fractions import Fraction, Ring
from symnet.equality.rules.finite_sets import Members, lowered_powers
from symnet.equality.rules.heaviside import idempotent
from symnet.equality.rules.radicals import Roots, lowered
from symnet.equality.rules.trigonometric import on_circle

MOST_ROUNDS = 6


def reduced(ring: Ring, value: Fraction, roots: Roots, circles: dict[sp.Symbol, sp.Symbol], steps: set[sp.Symbol],
            members: Mapping[sp.Symbol, Members]) -> Fraction:
    """``value`` with low powers of roots, sines and steps. Raises ZeroDivisionError where what is below is 0 in disguise."""
    here = ring.generators.keys()
    if not (members or here & roots.keys() or here & circles.keys() or here & steps):
        return value
    above, below = (_part(ring, part, roots, circles, steps, members) for part in (value.above, value.below))
    if below.above == 0:
        raise ZeroDivisionError
    return above * below**-1


def _part(ring: Ring, polynomial: Any, roots: Roots, circles: dict[sp.Symbol, sp.Symbol], steps: set[sp.Symbol],
          members: Mapping[sp.Symbol, Members]) -> Fraction:
    value = Fraction(polynomial, ring.context.constant(1))
    for _ in range(MOST_ROUNDS):
        above = lowered_powers(ring, idempotent(ring, on_circle(ring, value.above, circles), steps), members)
        after = lowered(ring, Fraction(above, value.below), roots)
        if after == value:
            break
        value = after
    return value
