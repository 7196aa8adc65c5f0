"""Where an expression may be undefined, over the generators; and what its being defined tells of signs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy as sp

from symnet.equality.domain_conditions import holes, surely_defined
from symnet.equality.fractions import Fraction, Nowhere, Ring
from symnet.equality.generators import Signs
from symnet.equality.normal import Basis
from symnet.equality.signs import APART, FROM_ZERO, MINUS, PLUS, TO_ZERO, factors_of, raised_sign, times

Hole = tuple[sp.Expr, str]
ZERO: Signs = frozenset((0,))
HARMLESS = {"=": APART, "<=": PLUS, "<": FROM_ZERO}  # the signs of u that leave the expression defined


def undefined(basis: Basis, expr: sp.Expr) -> dict[Hole, sp.Expr]:
    """(u, "=") for u = 0, "<=" for u ≤ 0, "<" for u < 0, with u over the generators, and what u stands for.

    u is taken apart into irreducible factors, so that 1/(2xy) and 1/x · 1/y agree; factors of known sign are left out, and
    log(x²) asks only for x ≠ 0.
    """
    found: dict[Hole, sp.Expr] = {}
    waiting = list({h: None for h in holes(expr) if not surely_defined(*h)})
    while waiting:
        hole, sign = waiting.pop(0)
        ring, value = basis.normal(hole)
        if value.is_zero:
            found[sp.S.Zero, sign] = sp.S.Zero
            continue
        for u, kind in _parts(basis, ring, value, sign, basis.real(hole)):
            if kind == "=" and u in basis.roots and basis.kinds[u][0] != "root":
                waiting.append((basis.spelled(basis.roots[u][1][0]), "="))  # sqrt(z) = 0 is z = 0
            else:
                found[u, kind] = basis.spelled(u)
    within = {p for p, sign in found if sign == "<="}  # u = 0 is part of u <= 0
    return {key: u for key, u in found.items() if not surely_defined(u, key[1]) and not (key[1] == "=" and key[0] in within)}


def _parts(basis: Basis, ring: Ring, value: Fraction, sign: str, real: bool) -> list[Hole]:
    """A hole, factor by factor."""
    if not real:
        return _parts_of_complex(ring, value, sign)
    number, factors = factors_of(basis, ring, value)
    if sign == "=":
        return [h for f, power in factors if power > 0 for h in _zeros(basis, f)]
    rest, parts, total = sp.S.One if number > 0 else sp.S.NegativeOne, list[Hole](), PLUS if number > 0 else MINUS
    for factor, power in factors:
        signs = raised_sign(basis.known.of(factor), power)
        if sign == "<=" and signs in (FROM_ZERO, TO_ZERO):
            parts += _zeros(basis, factor)
            signs -= ZERO
        total = times(total, signs)
        if signs in (PLUS, MINUS):
            rest *= min(signs)
        else:
            rest *= factor if power % 2 else factor**2
    return parts if total == PLUS or (sign == "<" and total <= FROM_ZERO) else [*parts, (rest, sign)]


def _zeros(basis: Basis, factor: sp.Expr) -> list[Hole]:
    """Where a factor is 0; a sine where the cosine is 1 or -1."""
    found = [basis.circles[factor] - 1, basis.circles[factor] + 1] if factor in basis.circles else [factor]
    return [(f, "=") for f in found if 0 in basis.known.of(f)]


def _parts_of_complex(ring: Ring, value: Fraction, sign: str) -> list[Hole]:
    if sign == "=":
        return [(ring.back(p / p.leading_coefficient()), sign) for p, _ in value.above.factor()[1]]
    lead = value.below.leading_coefficient()
    size: Any = abs((value.above / lead).leading_coefficient())
    return [(ring.back(value.above / lead / size) / ring.back(value.below / lead), sign)]


def learn(basis: Basis, *sides: sp.Expr) -> bool:
    """Take it that the sides are defined; True when that tells the sign of anything."""
    return learn_facts(basis, [h for side in sides for h in holes(side, sure=True)])


def assume(basis: Basis, facts: Iterable[tuple[sp.Expr, bool]]) -> bool:
    """Take it that each expression is > 0 (True) or ≥ 0 (False)."""
    return learn_facts(basis, [(u, "<=" if strict else "<") for u, strict in facts])


def learn_facts(basis: Basis, away: Iterable[Hole]) -> bool:
    """Take it that none of these holes is met: (u, "<=") says u > 0. Raises TooLarge when that cannot be."""
    facts = list({h: None for h in away if basis.real(h[0]) and not surely_defined(*h)})
    learnt = False
    for _ in range(3):
        news = [_learn_one(basis, hole, sign) for hole, sign in facts]
        basis.forget(forms=True)
        if not any(news):
            break
        learnt = True
    return learnt


def _learn_one(basis: Basis, hole: sp.Expr, sign: str) -> bool:
    """What u > 0, u ≥ 0 or u ≠ 0 tells of the factors of u: that none is 0, and the sign of the only open one."""
    ring, value = basis.normal(hole)
    if value.is_zero:
        return False
    number, named = factors_of(basis, ring, value)
    total = basis.known.of_product(number, named)
    if not total & HARMLESS[sign]:
        raise Nowhere(f"{hole} cannot be {'> 0' if sign == '<=' else '>= 0'}: nowhere are both sides defined")
    news = [basis.known.learn(f, APART) for f, power in named if sign != "<" or power < 0]
    if sign == "=":
        return any(news)
    vanishing = [f for f, power in named if 0 in raised_sign(basis.known.of(f), power)]
    if total <= TO_ZERO and sign == "<" and len(vanishing) == 1:  # u ≥ 0 and u ≤ 0
        return any([*news, basis.known.learn(vanishing[0], ZERO)])
    known, unknown = PLUS if number > 0 else MINUS, list[sp.Expr]()
    for factor, power in named:
        signs = raised_sign(basis.known.of(factor), power)
        if power % 2 and len(signs - ZERO) > 1:
            unknown.append(factor)
        elif 0 in signs:
            return any(news)  # u ≥ 0 may hold because this factor is 0
        else:
            known = times(known, signs)
    if len(unknown) == 1 and len(known) == 1:
        news.append(basis.known.learn(unknown[0], times(known, HARMLESS[sign])))
    return any(news)
