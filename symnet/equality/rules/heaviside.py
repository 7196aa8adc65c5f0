"""Steps: step(u) depends on the sign of u alone, and step(u)² = step(u)."""

from __future__ import annotations

from typing import Any

import sympy as sp

from symnet.core.functions import step
from symnet.equality.fractions import Ring
from symnet.equality.generators import Generators, Rule
from symnet.equality.signs import factors_of


def step_of(basis: Generators, argument: sp.Expr) -> sp.Expr:
    """step(argument) over the generators: positive factors do not matter, of a power only whether it is odd."""
    if not basis.real(argument):
        return _step(basis, basis.key(argument), step(argument))
    ring, value = basis.normal(argument)
    if value.is_zero:
        return sp.S.Zero
    number, factors = factors_of(basis, ring, value)
    rest = sp.S.One if number > 0 else sp.S.NegativeOne
    for factor, power in factors:
        signs = basis.signs_of(factor) - (frozenset((0,)) if power < 0 else frozenset())
        if len(signs) == 1 and 0 not in signs:
            rest *= min(signs) if power % 2 else 1
        elif power % 2 or 0 in signs:
            rest *= factor if power % 2 else factor**2
    if rest.is_Rational:
        return sp.S.One if rest > 0 else sp.S.Zero
    signs = basis.signs_of(sp.expand(rest))
    return sp.S.One if min(signs) > 0 else sp.S.Zero if max(signs) <= 0 else step_of_factor(basis, sp.expand(rest))


def step_of_factor(basis: Generators, factor: sp.Expr) -> sp.Symbol:
    """step of a polynomial over the generators, as one generator."""
    return _step(basis, factor, step(factor))


def _step(basis: Generators, key: Any, meaning: sp.Expr) -> sp.Symbol:
    made = basis.generator("step", key, meaning)
    basis.steps.add(made)
    return made


def idempotent(ring: Ring, polynomial: Any, steps: set[sp.Symbol]) -> Any:
    """step(u)² = step(u): every power of a step above 1 becomes 1."""
    at = [k for k, s in enumerate(ring.symbols) if s in steps]
    if not at:
        return polynomial
    found: dict[tuple[int, ...], Any] = {}
    for powers, c in polynomial.to_dict().items():
        low = tuple(min(int(e), 1) if k in at else int(e) for k, e in enumerate(powers))
        found[low] = found[low] + c if low in found else c
    return ring.context.from_dict(found)


RULES = (Rule(step, lambda basis, node: step_of(basis, node.args[0])),)
