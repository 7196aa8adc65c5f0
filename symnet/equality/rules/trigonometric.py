"""sin and cos over the generators: of a sum by angle addition, of whole multiples step by step, of multiples of π/12 by value.

With sin² = 1 - cos² as the only relation, every identity between sines and cosines of rational combinations of the same angles
comes out. All of this holds for complex angles too.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from symnet.equality.fractions import Ring
from symnet.equality.generators import Generators, Rule
from symnet.equality.rules.linear_relations import unit

Pair = tuple[sp.Expr, sp.Expr]  # cosine and sine of one angle
MOST = 24  # whole multiples that are multiplied out
_ROOT2, _ROOT3, _ROOT6 = sp.sqrt(2), sp.sqrt(3), sp.sqrt(6)
COSINES = (sp.S.One, (_ROOT6 + _ROOT2) / 4, _ROOT3 / 2, _ROOT2 / 2, sp.Rational(1, 2), (_ROOT6 - _ROOT2) / 4, sp.S.Zero)


def circle(basis: Generators, argument: sp.Expr) -> Pair:
    """(cos, sin) of ``argument``."""
    total: Pair = (sp.S.One, sp.S.Zero)
    for coefficient, monomial in basis.monomials(argument):
        total = _sum(total, _multiple(basis, coefficient, monomial))
    return total


def _sum(a: Pair, b: Pair) -> Pair:
    return a[0] * b[0] - a[1] * b[1], a[1] * b[0] + a[0] * b[1]


def _multiple(basis: Generators, coefficient: sp.Rational, monomial: sp.Expr) -> Pair:
    if basis.kinds.get(monomial, ("",))[0] == "pi" and 12 % coefficient.q == 0:
        twelfths = int(coefficient * 12) % 24
        return basis.flat(_cosine(twelfths)), basis.flat(_cosine(twelfths - 6))
    one = unit(basis.angles, monomial, coefficient)
    if abs(coefficient / one) > MOST:
        one = abs(coefficient)
    return _scaled(basis, one * monomial, int(abs(coefficient) / one), coefficient < 0)


def _cosine(twelfths: int) -> sp.Expr:
    """cos(π · twelfths / 12)."""
    there = twelfths % 24
    there = min(there, 24 - there)
    return COSINES[there] if there <= 6 else -COSINES[12 - there]


def _scaled(basis: Generators, angle: sp.Expr, count: int, negative: bool) -> Pair:
    cosine = basis.generator("cos", angle, sp.cos(angle))
    sine = basis.generator("sin", angle, sp.sin(angle))
    basis.circles[sine] = cosine
    total = one = (cosine, sine)
    for _ in range(count - 1):
        total = _sum(total, one)
    return (total[0], -total[1]) if negative else total


def on_circle(ring: Ring, polynomial: Any, circles: dict[sp.Symbol, sp.Symbol]) -> Any:
    """sin² = 1 - cos²: every sine is left with power 0 or 1."""
    for sine, cosine in circles.items():
        if sine in ring.generators:
            at = ring.symbols.index(sine)
            if max((int(p[at]) for p in polynomial.monoms()), default=0) > 1:
                polynomial = _lowered(ring, polynomial, at, 1 - ring.generators[cosine] ** 2)
    return polynomial


def _lowered(ring: Ring, polynomial: Any, at: int, square: Any) -> Any:
    parts: dict[int, dict[tuple[int, ...], Any]] = {}
    for powers, c in polynomial.to_dict().items():
        rest = tuple(int(e) % 2 if k == at else int(e) for k, e in enumerate(powers))
        parts.setdefault(int(powers[at]) // 2, {})[rest] = c
    total = ring.context.constant(0)
    for times, terms in parts.items():
        total += ring.context.from_dict(terms) * square**times
    return total


RULES = (Rule(sp.cos, lambda basis, node: circle(basis, node.args[0])[0]), Rule(sp.sin, lambda basis, node: circle(basis, node.args[0])[1]))
