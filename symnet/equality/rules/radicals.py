"""What a root satisfies: r^q = u for r the q-th root of u. Without it, 1/sqrt(u)² and 1/u would be two things."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy as sp

from symnet.equality.fractions import Fraction, Ring

Root = tuple[int, tuple[sp.Expr, sp.Expr]]  # q, and u as above/below over the generators
Roots = dict[sp.Symbol, Root]


def with_radicands(symbols: Iterable[sp.Symbol], roots: Roots) -> set[sp.Symbol]:
    """The generators and, for each root among them, those of what it is the root of."""
    found, stack = set[sp.Symbol](), list(symbols)
    while stack:
        symbol = stack.pop()
        if symbol not in found:
            found.add(symbol)
            if symbol in roots:
                stack += [s for part in roots[symbol][1] for s in part.free_symbols]
    return found


def lowered(ring: Ring, value: Fraction, roots: Roots) -> Fraction:
    """The same fraction with every root below its q-th power above the line; outer roots first, since they were made last."""
    for symbol, (q, radicand) in reversed(roots.items()):
        if symbol in ring.generators:
            value = _lower(ring, value, symbol, q, radicand)
    return value


def _lower(ring: Ring, value: Fraction, symbol: sp.Symbol, q: int, radicand: tuple[sp.Expr, sp.Expr]) -> Fraction:
    at = ring.symbols.index(symbol)
    parts: dict[int, dict[tuple[int, ...], Any]] = {}
    for powers, c in value.above.to_dict().items():
        rest = tuple(int(e) % q if k == at else int(e) for k, e in enumerate(powers))
        parts.setdefault(int(powers[at]) // q, {})[rest] = c
    top = max(parts, default=0)
    if top == 0:
        return value
    above, below = (ring.fraction(part) for part in radicand)
    one = ring.constant(sp.S.One)
    total = ring.constant(sp.S.Zero)
    for times, terms in parts.items():
        total = total + Fraction(ring.context.from_dict(terms), one.above) * above**times * below ** (top - times)
    return total * Fraction(one.above, value.below) * below**-top
