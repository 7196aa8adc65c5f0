"""Sums inside functions as generators of their own, for what would be too large when multiplied out.

In z · sigmoid(z) with z = w · a + b and a such a product again, multiplying out doubles the length with each layer. With z itself a
generator (known by its own normal form over the layer below) it stays short. What holds for a free z holds for this z; the converse
fails, so this is for what is too large otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from symnet.equality.generators import Generators


def stems_of(nodes: Iterable[sp.Basic]) -> set[sp.Expr]:
    """The sums that are arguments of functions among ``nodes``."""
    sums = {a for n in nodes if isinstance(n, sp.Function) for a in n.args if isinstance(a, sp.Add)}
    return sums | {sp.Add(*[-t for t in a.args]) for a in sums}


def stem(basis: Generators, expr: sp.Expr) -> sp.Expr:
    """One of the basis' stems as a number times a generator; equal sums share it, and those that differ by a factor."""
    assert basis.stems is not None
    basis.stems.remove(expr)
    try:
        ring, value = basis.normal(expr)
    finally:
        basis.stems.add(expr)
    if len(value.above) < 2:
        return ring.back(value.above) / ring.back(value.below)
    size = value.above.leading_coefficient() / value.below.leading_coefficient()
    number = sp.Rational(int(size.p), int(size.q))
    key = ring.back(value.above / value.above.leading_coefficient()), ring.back(value.below / value.below.leading_coefficient())
    return number * basis.generator("stem", key, expr / number)
