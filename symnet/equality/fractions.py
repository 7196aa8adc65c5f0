"""Fractions of polynomials with rational coefficients, over named generators, on python-flint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import comb
from typing import Any

import sympy as sp
from flint import Ordering, fmpq, fmpq_mpoly_ctx

from symnet.core.time_limit import time_is_over
from symnet.errors import UnknownNodeError

MAX_POWER = 64
MAX_TERMS = 20_000
MAX_WORK = 4_000_000  # products of terms in one multiplication


class TooLarge(Exception):
    """A normal form that would grow past the limits, or take longer; the caller answers "undecided"."""


class Nowhere(TooLarge):
    """What was taken to hold cannot hold together; a caller that knows no better answers "undecided"."""


@dataclass(frozen=True, slots=True)
class Fraction:
    """above/below, two polynomials over the generators of one ring."""

    above: Any
    below: Any

    def __add__(self, other: Fraction) -> Fraction:
        if self.below == other.below:
            return _checked(self.above + other.above, self.below)
        return _checked(_product(self.above, other.below) + _product(other.above, self.below), _product(self.below, other.below))

    def __mul__(self, other: Fraction) -> Fraction:
        return _checked(_product(self.above, other.above), _product(self.below, other.below))

    def __pow__(self, n: int) -> Fraction:
        if abs(n) > MAX_POWER:
            raise TooLarge(f"the power {n}")
        above, below = (self.above, self.below) if n >= 0 else (self.below, self.above)
        if below == 0:
            raise ZeroDivisionError
        if max(comb(len(p) + abs(n) - 1, abs(n)) for p in (above, below)) > MAX_WORK:
            raise TooLarge(f"more than {MAX_TERMS} terms")
        return _checked(above ** abs(n), below ** abs(n))

    @property
    def is_zero(self) -> bool:
        """True when the fraction is the zero of the field."""
        return bool(self.above == 0)


def _product(a: Any, b: Any) -> Any:
    if len(a) * len(b) > MAX_WORK:
        raise TooLarge(f"more than {MAX_TERMS} terms")
    return a * b


def _checked(above: Any, below: Any) -> Fraction:
    if len(above) + len(below) > MAX_TERMS:
        raise TooLarge(f"more than {MAX_TERMS} terms")
    if time_is_over():
        raise TooLarge("the time is over")
    if not below.is_constant() and len(above) * len(below) <= MAX_WORK // 10:
        shared = above.gcd(below)
        if shared != 1:
            above, below = above / shared, below / shared
    return Fraction(above, below)


class Ring:
    """The fractions over a fixed, sorted list of generator symbols."""

    def __init__(self, symbols: Iterable[sp.Symbol]) -> None:
        self.symbols = sorted(set(symbols), key=str)
        names = tuple(f"v{k}" for k in range(len(self.symbols)))  # not the symbols' own: two symbols may print alike
        self.context = fmpq_mpoly_ctx.get(names or ("_",), Ordering.lex)
        self.generators = dict(zip(self.symbols, self.context.gens(), strict=False))

    def constant(self, value: sp.Rational) -> Fraction:
        """A rational number."""
        return Fraction(self.context.constant(fmpq(int(value.p), int(value.q))), self.context.constant(1))

    def fraction(self, expr: sp.Expr, known: dict[sp.Expr, Fraction] | None = None) -> Fraction:
        """``expr``, built from + · integer powers, rational numbers and the generators, as one reduced fraction.

        ``known`` holds parts whose fractions are known, and is added to.
        """
        if isinstance(expr, sp.Rational):
            return self.constant(expr)
        known = {} if known is None else known
        if expr not in known:
            known[expr] = self._fraction(expr, known)
        return known[expr]

    def _fraction(self, expr: sp.Expr, known: dict[sp.Expr, Fraction]) -> Fraction:
        if expr in self.generators:
            return Fraction(self.generators[expr], self.context.constant(1))
        if isinstance(expr, sp.Pow) and expr.exp.is_Integer:
            return self.fraction(expr.base, known) ** int(expr.exp)
        if isinstance(expr, (sp.Add, sp.Mul)):
            total = self.fraction(expr.args[0], known)
            for arg in expr.args[1:]:
                total = total + self.fraction(arg, known) if expr.is_Add else total * self.fraction(arg, known)
            return total
        raise UnknownNodeError("normal form", type(expr).__name__, "a rational expression")

    def back(self, polynomial: Any) -> sp.Expr:
        """A polynomial as a SymPy expression."""
        def product(powers: Iterable[Any]) -> sp.Expr:
            return sp.Mul(*[s**int(e) for s, e in zip(self.symbols, powers, strict=False) if e])

        return sp.Add(*[sp.Rational(int(c.p), int(c.q)) * product(powers) for powers, c in polynomial.terms()])
