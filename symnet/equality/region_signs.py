"""The sign of what a case asks about, factor by factor, where certain facts hold."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp

from symnet.equality.fourier_motzkin import Row, feasible, solution
from symnet.equality.fractions import Nowhere, Ring
from symnet.equality.normal import Basis
from symnet.equality.undefined import assume, learn

Fact = tuple[sp.Expr, bool]  # an expression that is > 0 (True) or ≥ 0 (False) in a region
Facts = tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Factor:
    """An irreducible factor of what a case asks about: over the generators and spelled out, and the signs it may have."""

    inner: sp.Expr
    meaning: sp.Expr
    power: int
    below: bool
    signs: tuple[int, ...]


def basis_where(defined: tuple[sp.Expr, ...], facts: Facts) -> Basis:
    """A basis that knows the facts, and what follows from these expressions having values: x > 0 from log x.

    Raises Nowhere when they cannot hold together.
    """
    basis = Basis()
    if defined:
        learn(basis, *defined)
    if facts:
        assume(basis, facts)
    return basis


class FactSigns:
    """The sign of one expression where the facts hold, factor by factor."""

    def __init__(self, asked: sp.Expr, facts: Facts, defined: tuple[sp.Expr, ...] = ()) -> None:
        self.basis, self.rows, self.factors = Basis(), list[Row](), list[Factor]()
        self.known: dict[sp.Symbol, tuple[int, bool]] = {}  # generator -> sign, and whether it is certainly not 0
        self.sign, self.possible = 1, False
        try:
            self.basis = basis_where(defined, facts)
        except Nowhere:
            return
        self.basis.survey(asked, *[f for f, _ in facts])
        polynomials = [(*_product(self.basis, f), strict) for f, strict in facts]
        for ring, polynomial, strict in polynomials:
            self._learn(ring, polynomial, strict)
        for ring, polynomial, strict in polynomials:
            self.rows += self._rows(ring, polynomial, strict)
        self._take(asked, 1, False)
        self.sign *= _signed(self.factors)
        self.possible = feasible(self.rows) and all(f.signs for f in self.factors)

    def open_factor(self) -> Factor | None:
        """A factor whose sign matters and is not yet known."""
        return next((f for f in self.factors if len(f.signs) > 1 and (f.power % 2 or 0 in f.signs)), None)

    def solved(self, factor: Factor) -> dict[sp.Basic, sp.Expr]:
        """``factor`` = 0 solved for a symbol that stands in it once, with a number; {} when there is none."""
        gap = sp.expand(factor.inner)
        for symbol in sorted(gap.free_symbols, key=str):
            c, plain = gap.coeff(symbol, 1), self.basis.meaning.get(symbol, symbol)
            rest = sp.expand(gap - c * symbol)
            if not c.is_Rational or c == 0 or symbol in rest.free_symbols or not isinstance(plain, (sp.Symbol, sp.Indexed)):
                continue
            value = self.basis.spelled(-rest / c)
            if not value.has(plain):
                return {plain: value}
        return {}

    def inside(self) -> dict[sp.Symbol, sp.Rational]:
        """Numbers that satisfy the facts, as far as these are linear in symbols."""
        plain = [r for r in self.rows if all(isinstance(m, sp.Symbol) and m not in self.basis.meaning for m in r.terms)]
        found = solution(plain) or {}
        return {s: sp.Rational(v.numerator, v.denominator) for s, v in found.items() if isinstance(s, sp.Symbol)}

    def _take(self, asked: sp.Expr, power: int, below: bool) -> None:
        """Note the factors of ``asked``, which is itself a factor of what was asked, to this power."""
        ring, value = self.basis.normal(asked)
        if value.is_zero:
            self.sign = 0
            return
        for part, under in ((value.above, False), (value.below, True)):
            content, factors = part.factor()
            self.sign *= 1 if content > 0 or power % 2 == 0 else -1
            for polynomial, times in factors:
                simpler = self._simpler(ring, polynomial)
                if simpler is None:
                    self.factors.append(self._factor(ring, polynomial, int(times) * power, under or below))
                else:
                    self._take(simpler, int(times) * power, under or below)

    def _simpler(self, ring: Ring, polynomial: Any) -> sp.Expr | None:
        """What has the same sign and the same zeros: u - v for exp u - exp v, u - 1 for log u."""
        terms = [(dict(zip(ring.symbols, map(int, powers), strict=False)), c) for powers, c in polynomial.to_dict().items()]
        if len(terms) == 1:
            inner = ring.back(polynomial)
            return self.basis.spelled(self.basis.logs[inner]) - 1 if inner in self.basis.logs else None
        if len(terms) != 2 or terms[0][1] * terms[1][1] > 0:
            return None
        (first, c), (second, d) = terms if terms[0][1] > 0 else terms[::-1]
        powers = {s: e - second[s] for s, e in first.items() if e != second[s]}
        ratio = -c / d
        gap = sp.log(sp.Rational(int(ratio.p), int(ratio.q)))
        for symbol, e in powers.items():
            meaning = self.basis.meaning.get(symbol)
            if not isinstance(meaning, sp.exp):
                return None
            gap += e * self.basis.spelled(meaning.args[0])
        return gap

    def _factor(self, ring: Ring, polynomial: Any, power: int, below: bool) -> Factor:
        inner = ring.back(polynomial)
        meaning = self.basis.spelled(inner)
        known = self.basis.known.of(inner)
        signs: list[int] = [s for s in (1, -1) if s in known and (len(known) == 1 or self._can(ring, s * polynomial))]
        if 0 in known and feasible([*self.rows, *self._rows(ring, polynomial, False), *self._rows(ring, -polynomial, False)]):
            signs.append(0)
        return Factor(inner, meaning, power, below, tuple(signs))

    def _can(self, ring: Ring, polynomial: Any) -> bool:
        """Can the polynomial be positive where the facts hold?"""
        return feasible([*self.rows, *self._rows(ring, polynomial, True)])

    def _learn(self, ring: Ring, polynomial: Any, strict: bool) -> None:
        """A fact that is a number times one generator tells that generator's sign."""
        terms = polynomial.to_dict()
        if strict and len(terms) == 1:
            (powers, c), = terms.items()
            used = [s for s, e in zip(ring.symbols, powers, strict=False) if e]
            if len(used) == 1 and sum(map(int, powers)) == 1:
                self.known[used[0]] = (1 if c > 0 else -1, True)

    def _sign_of(self, symbol: sp.Symbol) -> tuple[int, bool]:
        """(sign, certainly not 0) of a generator; sign 0 is unknown."""
        if symbol not in self.known:
            signs = self.basis.known.of(symbol)
            side = 1 if -1 not in signs else -1 if 1 not in signs else 0
            self.known[symbol] = (side, 0 not in signs)
        return self.known[symbol]

    def _rows(self, ring: Ring, polynomial: Any, strict: bool) -> list[Row]:
        """polynomial > 0 (or ≥ 0) as a row over its monomials, with what is known of the monomials' signs."""
        terms: dict[sp.Expr, Fraction] = {}
        constant, rows = Fraction(0), self._ends(ring)
        for powers, c in polynomial.to_dict().items():
            factors = [(s, int(e)) for s, e in zip(ring.symbols, powers, strict=False) if e]
            size = Fraction(int(c.p), int(c.q))
            if not factors:
                constant = size
                continue
            monomial = sp.Mul(*[s**e for s, e in factors])
            terms[monomial] = size
            sign, sure = 1, True
            for s, e in factors:
                one, certain = self._sign_of(s)
                sign, sure = sign * (one if e % 2 else 1), sure and certain
            if sign:
                rows.append(Row({monomial: Fraction(sign)}, Fraction(0), sure))
        return [Row(terms, constant, strict), *rows]

    def _ends(self, ring: Ring) -> list[Row]:
        """The ends of the intervals that the generators lie in."""
        rows = list[Row]()
        for s in ring.symbols:
            numbers = self.basis.numbers(s)
            if not numbers.members and not numbers.bounded:
                continue  # a sign, which the monomials tell
            low, high = (numbers.members[0], numbers.members[-1]) if numbers.members else (numbers.low, numbers.high)
            ends = ((low, 1, numbers.open_low), (high, -1, numbers.open_high))
            rows += [Row({s: Fraction(side)}, -side * Fraction(int(end.p), int(end.q)), is_open and not numbers.members)
                     for end, side, is_open in ends if end is not None]
        return rows


def _signed(factors: list[Factor]) -> int:
    """The sign of a product whose factors each have one sign."""
    sign = 1
    for f in factors:
        one = f.signs[0] if f.signs else 0
        sign *= one * one if f.power % 2 == 0 else one
    return sign


def _product(basis: Basis, expr: sp.Expr) -> tuple[Ring, Any]:
    """A polynomial with the sign of ``expr``: its numerator times its denominator."""
    ring, value = basis.normal(expr)
    return ring, value.above * value.below
