"""What depends linearly, over the rational numbers, on what was met before: exponents, and fractions under exp and sin.

A fraction that is no polynomial is written as a rational combination of those met before it, where it is one:
exp(a/u + b/v) is exp(a/u) exp(b/v) only when the three exponents are seen to depend on one another (Risch 1979: exp of
Q-independent arguments are independent, of dependent ones not).
"""

from __future__ import annotations

from math import gcd
from typing import Any

import sympy as sp
from flint import fmpq_mat

from symnet.equality.fractions import Ring, TooLarge

MOST = 24
Terms = list[tuple[sp.Rational, sp.Expr]]  # Σ rational · monomial
Vector = dict[sp.Expr, sp.Rational]


def unit(units: dict[sp.Expr, sp.Rational], monomial: sp.Expr, coefficient: sp.Rational) -> sp.Rational:
    """The largest number of which this coefficient and all met before are whole multiples; noted in ``units``."""
    before = units.get(monomial, sp.S.Zero)
    if before == 0 or (coefficient / before).q != 1:
        whole = gcd(int(before.p * coefficient.q), int(coefficient.p * before.q))
        units[monomial] = sp.Rational(whole, before.q * coefficient.q)
    return units[monomial]


class Exponents:
    """Exponents that are independent over the rational numbers, in the order in which they were met."""

    def __init__(self) -> None:
        self.members: list[sp.Expr] = []
        self._rows: list[tuple[sp.Expr, Vector, dict[int, sp.Rational]]] = []  # pivot, reduced vector, what it is in members

    def combination(self, terms: Terms) -> Terms:
        """Σ terms as Σ rational · member; an exponent that is independent of them becomes one."""
        left: Vector = {}
        for c, monomial in terms:
            _add(left, monomial, c)
        found: dict[int, sp.Rational] = {}
        for pivot, row, made_of in self._rows:
            if pivot in left:
                times = left[pivot] / row[pivot]
                for monomial, c in row.items():
                    _add(left, monomial, -times * c)
                for k, c in made_of.items():
                    _add(found, k, times * c)
        if not left:
            return [(c, self.members[k]) for k, c in found.items()]
        sign = sp.S.One if terms[0][0] > 0 else sp.S.NegativeOne
        self._rows.append((next(iter(left)), left, {**{k: -c for k, c in found.items()}, len(self.members): sign}))
        self.members.append(sp.Add(*[sign * c * monomial for c, monomial in terms]))
        return [(sign, self.members[-1])]


def _add(vector: dict[Any, sp.Rational], at: Any, c: sp.Rational) -> None:
    total = vector.get(at, sp.S.Zero) + c
    if total:
        vector[at] = total
    else:
        vector.pop(at, None)


class Rests:
    """Fractions that are independent over the rational numbers."""

    def __init__(self) -> None:
        self.independent: list[sp.Expr] = []

    def combination(self, size: sp.Rational, fraction: sp.Expr) -> list[tuple[sp.Rational, sp.Expr]]:
        """size · fraction as Σ rational · independent fraction; a fraction that is none joins them."""
        if fraction not in self.independent:
            found = _solved(fraction, self.independent) if 0 < len(self.independent) <= MOST else None
            if found is not None:
                return [(size * c, f) for c, f in zip(found, self.independent, strict=True) if c]
            self.independent.append(fraction)
        return [(size, fraction)]


def _solved(wanted: sp.Expr, known: list[sp.Expr]) -> list[sp.Rational] | None:
    """The numbers c with wanted = Σ c_k known_k, or None."""
    ring = Ring({s for e in (wanted, *known) for s in e.free_symbols})
    try:
        return _numbers([_numerators(p) for p in _on_one_line([ring.fraction(e) for e in (*known, wanted)])])
    except TooLarge:
        return None


def _on_one_line(fractions: list[Any]) -> list[Any]:
    """The numerators over one common denominator."""
    common = fractions[0].below
    for f in fractions[1:]:
        common = common * (f.below / common.gcd(f.below))
    return [f.above * (common / f.below) for f in fractions]


def _numerators(polynomial: Any) -> dict[tuple[int, ...], Any]:
    return {tuple(map(int, powers)): c for powers, c in polynomial.to_dict().items()}


def _numbers(columns: list[dict[tuple[int, ...], Any]]) -> list[sp.Rational] | None:
    """The last column as a combination of the others, by Gauss elimination."""
    rows = sorted({powers for c in columns for powers in c})
    table, rank = fmpq_mat([[c.get(row, 0) for c in columns] for row in rows]).rref()
    last = len(columns) - 1
    found = [sp.S.Zero] * last
    for i in range(rank):
        pivot = next(j for j in range(last + 1) if table[i, j] != 0)
        if pivot == last:
            return None
        found[pivot] = sp.Rational(int(table[i, last].p), int(table[i, last].q))
    return found
