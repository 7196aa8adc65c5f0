"""Which signs a polynomial over the generators may have, from the domains of its symbols and from what has been learnt.

Signs are sets of -1, 0 and 1. They are found term by term; for what is quadratic in one generator by its discriminant; for a
polynomial in one generator by counting its real roots (Sturm). What is not found is "all three", which is always true.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp

from symnet.core.number_sets import NumberSet
from symnet.equality.domain_conditions import surely_defined
from symnet.equality.factors import factored
from symnet.equality.fractions import Fraction, Nowhere, Ring
from symnet.equality.generators import Generators, Signs

PLUS, MINUS, ALL, APART = frozenset((1,)), frozenset((-1,)), frozenset((-1, 0, 1)), frozenset((-1, 1))
FROM_ZERO, TO_ZERO = frozenset((0, 1)), frozenset((-1, 0))
ENDS = {"step": (0, 1), "sin": (-1, 1), "cos": (-1, 1), "erf": (-1, 1), "wave": (0, 1)}
MOST_TERMS, DEEPEST = 150, 4


def times(a: Signs, b: Signs) -> Signs:
    """The signs of a product."""
    return frozenset(i * j for i in a for j in b)


def plus(a: Signs, b: Signs) -> Signs:
    """The signs of a sum."""
    return frozenset(s for i in a for j in b for s in ((i or j,) if i == j or not i * j else ALL))


class Known:
    """The signs of polynomials over the generators of one comparison, all real."""

    def __init__(self, basis: Generators) -> None:
        self.basis = basis
        self.learnt: dict[sp.Expr, Signs] = {}  # irreducible polynomial with leading coefficient 1 -> signs it has
        self._found: dict[sp.Expr, Signs] = {}

    def learn(self, factor: sp.Expr, signs: Signs) -> bool:
        """Note that ``factor`` has one of these signs; False when that was known. Raises TooLarge when it can have none."""
        before = self.of(factor)
        if before <= signs:
            return False
        if not before & signs:
            raise Nowhere(f"{self.basis.spelled(factor)} can have no sign: nowhere are both sides defined")
        self.learnt[factor] = before & signs
        self._found.clear()
        return True

    def of(self, factor: sp.Expr) -> Signs:
        """The signs that ``factor`` may have."""
        if factor not in self._found:
            ring = Ring(factor.free_symbols)
            found = self._polynomial(ring, ring.fraction(factor).above, 0) & self.learnt.get(factor, ALL)
            self._found[factor] = found or ALL
        return self._found[factor]

    def of_fraction(self, expr: sp.Expr) -> Signs:
        """The signs that a real expression may have, factor by factor."""
        ring, value = self.basis.normal(expr)
        if value.is_zero:
            return frozenset((0,))
        return self.of_product(*factors_of(self.basis, ring, value))

    def positive(self, expr: sp.Expr) -> bool:
        """True when ``expr`` is shown to be positive wherever it is defined."""
        return surely_defined(expr, "<=") or (self.basis.real(expr) and self.of_fraction(expr) == PLUS)

    def of_product(self, number: sp.Rational, factors: list[tuple[sp.Expr, int]]) -> Signs:
        """The signs that a number times powers of polynomials may have."""
        signs = _signs(number)
        for factor, power in factors:
            signs = times(signs, raised_sign(self.of(factor), power))
        return signs

    def _generator(self, symbol: sp.Symbol) -> Signs:
        kind, key = self.basis.kinds.get(symbol, ("", symbol))
        learnt = self.learnt.get(symbol, ALL)
        if kind in ("exp", "pi", "wave"):
            return PLUS
        if kind == "root":
            inner = self.of(key[0]) if isinstance(key[0], sp.Expr) else ALL
            return learnt & frozenset(s * s for s in inner)
        if kind == "step":
            return FROM_ZERO & learnt
        if kind == "log":  # log u has the sign of u - 1
            return learnt & (self._shifted(key) if self.of(key) == PLUS else ALL)
        if kind in ("atan", "erf"):
            return learnt & times(self.of(key[0]), self.of(key[1]))
        if kind in ("", "entry"):
            return learnt & _declared(self.basis.meaning.get(symbol, symbol))
        return learnt

    def _shifted(self, key: sp.Expr) -> Signs:
        return _signs(key - 1) if key.is_Rational else self.of(key - 1)

    def _polynomial(self, ring: Ring, polynomial: Any, depth: int) -> Signs:
        terms = polynomial.to_dict()
        if len(terms) > MOST_TERMS:
            return ALL
        signs = {k: self._generator(s) for k, s in enumerate(ring.symbols)}
        found = self._termwise(terms, signs)
        if len(found) == 1 or depth >= DEEPEST:
            return found
        for part, allowed in self.learnt.items():
            if not part.is_Symbol and part.free_symbols <= set(ring.symbols):
                quotient, rest = divmod(polynomial, ring.fraction(part).above)
                if quotient != 0:
                    found &= plus(times(self._polynomial(ring, quotient, depth + 1), allowed), self._polynomial(ring, rest, depth + 1))
        degrees = polynomial.degrees()
        affine = all(sum(map(int, powers)) <= 1 for powers in terms)
        if affine and len(found) > 1:
            found &= self._affine(ring, terms)
        for k, degree in enumerate(degrees):
            kind = self.basis.kinds.get(ring.symbols[k], ("",))[0]
            if degree == 1 and len(found) > 1 and kind in ENDS:
                found &= self._between(ring, polynomial, ring.symbols[k], depth)
            if degree and len(found) > 1 and not affine:
                numbers: NumberSet = self.basis.numbers(ring.symbols[k])
                if numbers.members or numbers.bounded:
                    found &= self._on_set(ring, terms, k, numbers, depth)
            if degree == 2 and len(found) > 1:
                found &= self._quadratic(ring, terms, k, depth)
        if len(found) > 1 and sum(d > 0 for d in degrees) == 1 and max(degrees) > 2:
            found &= _sturm(terms, next(k for k, d in enumerate(degrees) if d), signs)
        return found or ALL

    def _termwise(self, terms: Mapping[tuple[Any, ...], Any], signs: Mapping[int, Signs]) -> Signs:
        found: Signs = frozenset((0,))
        for powers, c in terms.items():
            term = PLUS if c > 0 else MINUS
            for k, e in enumerate(powers):
                if e:
                    term = times(term, signs[k] if e % 2 else frozenset(s * s for s in signs[k]))
            found = plus(found, term)
            if found == ALL:
                break
        return found

    def _between(self, ring: Ring, polynomial: Any, symbol: sp.Symbol, depth: int) -> Signs:
        """Linear in a generator that has bounds: what holds at both ends holds between. A step has no between, and tells a sign."""
        kind, key = self.basis.kinds[symbol]
        ends = list[Signs]()
        for end in ENDS[kind]:
            there = polynomial.compose(*[ring.context.constant(end) if s == symbol else g for s, g in ring.generators.items()])
            known = self
            if kind == "step" and isinstance(key, sp.Expr):
                known = Known(self.basis)
                signs = self.learnt.get(key, ALL) & (PLUS if end else ALL - PLUS)
                known.learnt = {**self.learnt, key: signs or ALL}
            ends.append(known._polynomial(ring, there, depth + 1))
        between = plus(*ends)
        return between if kind in ("erf", "wave") else ends[0] | ends[1] | (between if kind != "step" else frozenset())

    def _affine(self, ring: Ring, terms: Mapping[tuple[Any, ...], Any]) -> Signs:
        """A sum of numbers times generators, from the ends of the intervals that these lie in."""
        low: tuple[sp.Rational, bool] | None = (sp.S.Zero, False)
        high: tuple[sp.Rational, bool] | None = (sp.S.Zero, False)
        for powers, coefficient in terms.items():
            c = sp.Rational(int(coefficient.p), int(coefficient.q))
            at = next((k for k, e in enumerate(powers) if e), None)
            first, last = ((sp.S.One, False), (sp.S.One, False)) if at is None else self.basis.numbers(ring.symbols[at]).ends
            if c < 0:
                first, last = last, first
            low = None if low is None or first is None else (low[0] + c * first[0], low[1] or first[1])
            high = None if high is None or last is None else (high[0] + c * last[0], high[1] or last[1])
        found = set(ALL)
        if low is not None and low[0] >= 0:
            found -= {-1} if low[0] == 0 and not low[1] else {-1, 0}
        if high is not None and high[0] <= 0:
            found -= {1} if high[0] == 0 and not high[1] else {1, 0}
        return frozenset(found)

    def _on_set(self, ring: Ring, terms: Mapping[tuple[Any, ...], Any], at: int, numbers: NumberSet, depth: int) -> Signs:
        """With one generator in a set: at each member of a finite one; on an interval from a to b with (a + b t)/(1 + t) for it, t > 0,
        term by term in t (Bernstein), and at the ends that belong to it.
        """
        parts: dict[int, dict[tuple[int, ...], Any]] = {}
        for powers, coefficient in terms.items():
            rest = tuple(0 if k == at else int(e) for k, e in enumerate(powers))
            parts.setdefault(int(powers[at]), {})[rest] = coefficient
        coefficients = {e: ring.context.from_dict(part) for e, part in parts.items()}
        if max(coefficients) > 12:
            return ALL
        if numbers.members:
            return self._at_any(ring, coefficients, numbers.members, depth)
        t = sp.Dummy("t")
        top = max(coefficients)
        if numbers.low is not None and numbers.high is not None:
            inner = {e: sp.Poly((numbers.low + numbers.high * t) ** e * (1 + t) ** (top - e), t) for e in coefficients}
        else:
            moved = numbers.low + t if numbers.low is not None else numbers.high - t
            inner = {e: sp.Poly(moved**e, t) for e in coefficients}
        along: dict[int, Any] = {}
        for e, poly in inner.items():
            for (power,), c in poly.terms():
                part = coefficients[e] * ring.constant(c).above
                along[power] = along[power] + part if power in along else part
        found: Signs = frozenset((0,))
        for part in along.values():
            found = plus(found, frozenset((0,)) if part == 0 else self._polynomial(ring, part, depth + 1))
        ends = (numbers.low, numbers.open_low), (numbers.high, numbers.open_high)
        return found | self._at_any(ring, coefficients, [end for end, is_open in ends if end is not None and not is_open], depth)

    def _at_any(self, ring: Ring, coefficients: Mapping[int, Any], values: Iterable[sp.Rational], depth: int) -> Signs:
        """The signs at any of these values of one generator."""
        found = frozenset[int]()
        for value in values:
            there = sum((c * ring.constant(sp.Rational(value) ** e).above for e, c in coefficients.items()), ring.constant(sp.S.Zero).above)
            found |= frozenset((0,)) if there == 0 else self._polynomial(ring, there, depth + 1)
        return found

    def _quadratic(self, ring: Ring, terms: Mapping[tuple[Any, ...], Any], at: int, depth: int) -> Signs:
        """a g² + b g + c with 4ac > b² has the sign of a; with 4ac ≥ b² it has that sign or is 0."""
        parts: list[dict[tuple[int, ...], Any]] = [{}, {}, {}]
        for powers, coefficient in terms.items():
            parts[int(powers[at])][tuple(0 if k == at else int(e) for k, e in enumerate(powers))] = coefficient
        c, b, a = (ring.context.from_dict(p) for p in parts)
        lead = self._polynomial(ring, a, depth + 1)
        if lead not in (PLUS, MINUS):
            return ALL
        room = self._polynomial(ring, 4 * a * c - b * b, depth + 1)
        return lead if room == PLUS else lead | {0} if room <= FROM_ZERO else ALL


def raised_sign(signs: Signs, power: int) -> Signs:
    """The signs of a power, where it is defined."""
    there = signs - {0} if power < 0 else signs
    return there if power % 2 else frozenset(s * s for s in there)


def factors_of(basis: Generators, ring: Ring, value: Fraction) -> tuple[sp.Rational, list[tuple[sp.Expr, int]]]:
    """A number and (polynomial, power) pairs whose product has the sign of ``value``, which is real and not 0.

    f (2 step(f) - 1), which is |f|, is told as f²; a root of |f| as |f|.
    """
    number, factors = factored(value)
    powers: dict[sp.Expr, int] = {}
    for polynomial, power in factors:
        factor = ring.back(polynomial)
        while basis.kinds.get(factor, ("",))[0] == "root":
            factor, power = basis.kinds[factor][1][0], 2 * power
        powers[factor] = powers.get(factor, 0) + power
    for factor in [f for f in powers if f.is_Add and f.args[0] == -sp.S.Half and f.args[1] in basis.steps]:
        inner = basis.kinds[factor.args[1]][1]
        if powers[factor] % 2 and powers.get(inner):
            powers[inner] += 1 if powers[inner] > 0 else -1
            del powers[factor]
    return number, list(powers.items())


def _signs(number: sp.Rational) -> Signs:
    return frozenset((bool(number > 0) - bool(number < 0),))


def _declared(entry: sp.Expr) -> Signs:
    """What the domain of a symbol or entry says."""
    signs = {1, 0, -1}
    if entry.is_nonnegative:
        signs.discard(-1)
    if entry.is_nonpositive:
        signs.discard(1)
    if entry.is_nonzero:
        signs.discard(0)
    return frozenset(signs)


def _sturm(terms: Mapping[tuple[Any, ...], Any], at: int, signs: Mapping[int, Signs]) -> Signs:
    """A polynomial in one generator without a root where the generator may be has one sign there."""
    z = sp.Dummy("z")
    polynomial = sp.Poly({(int(p[at]),): sp.Rational(int(c.p), int(c.q)) for p, c in terms.items()}, z)
    low = 0 if signs[at] <= FROM_ZERO else None
    if polynomial.degree() > 20 or polynomial.count_roots(low, None) - (low == 0 and 0 not in signs[at] and polynomial(0) == 0):
        return ALL
    return _signs(sp.Rational(polynomial(1)))
