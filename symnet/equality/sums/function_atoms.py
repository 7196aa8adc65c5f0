"""Functions of sums of terms as atoms: 1/u, roots, exp, log and the rest, each keyed by the normal form of its argument.

What can be pulled out is: 1/(2 x u) is 1/2 · x⁻¹ · 1/u, exp(u + 2v) is exp(u) exp(v)², log(2 N exp(u)) is log 2 + log N + u, and
sqrt(N u) is N^(1/2) sqrt(u), since sizes, exps and names declared positive are positive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import gcd

import sympy as sp

from symnet.core.axes import bounds, nonnegative
from symnet.equality.fractions import TooLarge
from symnet.equality.sums import matrix_atoms as indexed_matrices
from symnet.equality.sums.abstraction import Slots
from symnet.equality.sums.atom_powers import brought_down
from symnet.equality.sums.interval_bounds import above_zero
from symnet.equality.sums.product_rules import rules_of_inverse
from symnet.equality.sums.terms import (
    Atom,
    Factors,
    Head,
    Places,
    Poly,
    Term,
    add_to,
    indices,
    lead,
    one,
    scaled,
    slot,
)

MOST_BITS = 64
ODD, EVEN = frozenset({"sin", "sinh", "tan", "erf", "arctan", "sign"}), frozenset({"cos", "cosh"})


class Algebra(Slots):
    """A Space that knows functions of sums of terms."""

    def brought_down(self, atom: Atom, e: Fraction) -> tuple[Fraction, Poly] | None:
        """What a power comes to."""
        return brought_down(self, atom, e)

    def inverse(self, poly: Poly) -> Poly:
        """1/poly."""
        if not poly:
            raise ZeroDivisionError
        factors, rest = self.content(poly, lambda a: a[0].kind != "step")
        outside = self.settle(Fraction(1), (), {a: -e for a, e in factors.items()})
        if len(rest) == 1:
            ((t, c),) = rest.items()
            if not t.over and not t.where and not t.factors:
                return scaled(outside, 1 / c)
        (inner,), places, alike = self.abstract((rest,))
        c = inner[lead(inner)]
        inner = scaled(inner, 1 / c)
        head, new = self.head("inverse", "", (inner,), alike, self.positive(inner))
        if new:
            self.rules[head] = rules_of_inverse(head)
        return scaled(self.multiply(outside, self.atom((head, places))), 1 / c)

    def raised(self, poly: Poly, exponent: Fraction) -> Poly:
        """poly to a rational power."""
        if exponent.denominator == 1:
            return self.power(poly if exponent >= 0 else self.inverse(poly), abs(int(exponent)))
        factors, rest = self._positive_content(poly)
        number, rest = self._unit(rest)
        result = self.multiply(self._number(number, exponent), self.settle(Fraction(1), (), {
            a: e * exponent for a, e in factors.items() if a[0].kind != "inverse"}))
        for (head, places), e in factors.items():
            if head.kind == "inverse":
                result = self.multiply(result, self.raised(self.inside(head, places), -e * exponent))
        if rest == one():
            return result
        atom = self.of("root", "", (rest,), self.positive(rest), exponent.denominator)
        return self.multiply(result, self.atom(atom, Fraction(exponent.numerator)))

    def _positive_content(self, poly: Poly) -> tuple[Factors, Poly]:
        if not poly or not self.real:
            raise TooLarge("a root, logarithm or sign of 0 or of a complex number")
        return self.content(poly, lambda a: a[0].positive and a[0].kind != "root")

    @staticmethod
    def _unit(poly: Poly) -> tuple[Fraction, Poly]:
        """(a positive number, the rest): the numbers of the rest are whole and have no common factor."""
        below, above = 1, 0
        for c in poly.values():
            below = below * c.denominator // gcd(below, c.denominator)
        for c in poly.values():
            above = gcd(above, int(c * below))
        return Fraction(above, below), scaled(poly, Fraction(below, above))

    def _number(self, number: Fraction, exponent: Fraction) -> Poly:
        """A positive rational to a power, over the roots of primes."""
        made: Factors = {}
        for prime, e in _primes(number).items():
            made[(self.head("prime", str(prime), positive=True)[0], ())] = e * exponent
        return self.settle(Fraction(1), (), made)

    def exp(self, poly: Poly) -> Poly:
        """exp(Σ c·t) = Π exp(t)^c; exp(c log u) = u^c, where log u is defined."""
        result = one()
        for t, c in poly.items():
            if len(t.factors) == 1 and not t.over and not t.where and t.factors[0][1] == 1 and t.factors[0][0][0].kind == "log":
                head, places = t.factors[0][0]
                result = self.multiply(result, self.raised(self.inside(head, places), c))
            else:
                result = self.multiply(result, self.atom(self.of("exp", "", ({t: Fraction(1)},), True), c))
        return result

    def log(self, poly: Poly) -> Poly:
        """log of a product of positive numbers and the rest, apart."""
        factors, rest = self._positive_content(poly)
        number, rest = self._unit(rest)
        found: Poly = {}
        for (head, places), e in factors.items():
            if head.kind == "exp":
                add_to(found, self.inside(head, places), e)
            elif head.kind == "inverse":
                add_to(found, self.log(self.inside(head, places)), -e)
            elif head.kind == "prime":
                add_to(found, self._log_prime(int(head.name)), e)
            else:
                add_to(found, self.atom(self.of("log", "", (self.atom((head, places)),))), e)
        for prime, e in _primes(number).items():
            add_to(found, self._log_prime(prime), e)
        if rest != one():
            add_to(found, self.atom(self.of("log", "", (rest,))))
        return found

    def _log_prime(self, prime: int) -> Poly:
        return self.atom((self.head("number", f"log {prime}", positive=True)[0], ()))

    def function(self, name: str, polys: tuple[Poly, ...]) -> Poly:
        """Any other function; sin(-u) is -sin(u), step(2 N u) is step(u), and step(u s) for a step s is s step(u)."""
        sign = Fraction(1)
        if name in ODD | EVEN | {"step"} and not polys[0]:
            return one() if name in EVEN else {}
        if name in ("step", "sign"):
            if self.positive(polys[0]):
                return one()
            if name == "step" and self.nonnegative(scaled(polys[0], Fraction(-1))):
                return {}
            polys = (self._unit(self._positive_content(polys[0])[1])[1],)
            if name == "step" and (held := self._shared_steps(polys[0])):
                made = self.function("step", (self._where_held(polys[0], held),))
                for atom in held:
                    made = self.multiply(made, self.atom(atom))
                return made
        if name in ODD | EVEN:
            (inner,), _, _ = self.abstract(polys)
            if inner[lead(inner)] < 0:
                polys, sign = (scaled(polys[0], Fraction(-1)),), Fraction(-1 if name in ODD else 1)
        kind = "step" if name == "step" else "function"
        return scaled(self.atom(self.of(kind, name, polys)), sign)

    @staticmethod
    def _shared_steps(poly: Poly) -> list[Atom]:
        """The steps that all terms have as factors outside their sums."""
        here = [{a for a, _ in t.factors if a[0].kind == "step" and not {i for i, _, _ in t.over} & {s for p in a[1] for s in indices(p)}}
                for t in poly]
        return sorted(set.intersection(*here), key=str) if here else []

    def _where_held(self, poly: Poly, held: list[Atom]) -> Poly:
        """``poly`` where these steps are 1."""
        found: Poly = {}
        for t, c in poly.items():
            add_to(found, self.settle(Fraction(1), t.over, {a: e for a, e in t.factors if a not in held}, t.where), c)
        return found

    def rebuilt(self, head: Head, places: Places) -> Poly:
        """The atom of ``head`` made anew at other places."""
        there = {slot(k): p for k, p in enumerate(places)}
        polys = tuple(self.put(p, there) for p in head.inner)
        made: Mapping[str, Callable[[], Poly]] = {
            "inverse": lambda: self.inverse(polys[0]), "exp": lambda: self.exp(polys[0]), "log": lambda: self.log(polys[0]),
            "root": lambda: self.raised(polys[0], Fraction(1, head.root))}
        if head.kind in made:
            return made[head.kind]()
        if head.kind in ("function", "step"):
            return self.function(head.name, polys)
        return indexed_matrices.rebuilt(self, head, places)

    def positive(self, poly: Poly, deep: int = 2) -> bool:
        """True when every value is shown to be > 0: numbers > 0 times what is >= 0, one term of them > 0 outright; 1 - 1/u is (u - 1)/u."""
        if (self._termwise(poly) and any(self._surely(t, strict=True) for t in poly)) or (self.real and above_zero(poly, strict=True)):
            return True
        below = {a: None for t in poly for a, _ in t.factors if a[0].kind == "inverse" and a[0].positive} if deep else {}
        return any(self.positive(self.cleared(poly, atom), deep - 1) for atom in below if self._free(poly, atom))

    def nonnegative(self, poly: Poly) -> bool:
        """True when every value is shown to be >= 0."""
        return self._termwise(poly) or (self.real and above_zero(poly, strict=False))

    def _termwise(self, poly: Poly) -> bool:
        return bool(poly) and self.real and all(c > 0 and self._surely(t, strict=False) for t, c in poly.items())

    def _surely(self, term: Term, strict: bool) -> bool:
        if strict and not self._happens(term):
            return False
        return all(h.positive or (not strict and (h.nonnegative or h.kind in ("step", "root") or (e.denominator == 1 and e % 2 == 0)))
                   for (h, _), e in term.factors)

    def _happens(self, term: Term) -> bool:
        """True when the conditions are shown to hold at the first or at the last places of the sums, which are not empty."""
        if not all(nonnegative(high - 1) for _, _, high in term.over):
            return False
        ends: tuple[dict[sp.Symbol, sp.Expr], ...] = ({i: sp.S.One for i, _, _ in term.over}, {i: high for i, _, high in term.over})
        return not term.where or any(all(self._shown(sign, u.xreplace(there)) for sign, u in term.where) for there in ends)

    def _shown(self, sign: str, u: sp.Expr) -> bool:
        span = bounds(sp.expand(u), self.ranges) if sign in ("=", ">=") else None
        return span is not None and nonnegative(span[0]) and (sign == ">=" or span == (0, 0))

    @staticmethod
    def _free(poly: Poly, atom: Atom) -> bool:
        """True when no sum of ``poly`` binds an index of the atom."""
        used = {s for p in atom[1] for s in indices(p)}
        return not any(i in used for t in poly for i, _, _ in t.over)

    def cleared(self, poly: Poly, atom: Atom) -> Poly:
        """poly · u^k for the atom 1/u, where k is its highest power in ``poly``."""
        power = {t: dict(t.factors).get(atom, Fraction(0)) for t in poly}
        top, inside = max(power.values(), default=Fraction(0)), self.inside(*atom)
        found: Poly = {}
        for t, c in poly.items():
            raw = self.apart(t)
            rest = self.settle(Fraction(1), (), {a: e for a, e in raw.factors if a != atom})
            add_to(found, self.bind(self.multiply(rest, self.power(inside, int(top - power[t]))), raw.over, raw.where), c)
        return found


def _primes(number: Fraction) -> dict[int, Fraction]:
    if max(number.numerator.bit_length(), number.denominator.bit_length()) > MOST_BITS:
        raise TooLarge("a root or logarithm of a very long number")
    found: dict[int, Fraction] = {}
    for value, sign in ((number.numerator, 1), (number.denominator, -1)):
        for prime, e in sp.factorint(value).items():
            found[int(prime)] = found.get(int(prime), Fraction(0)) + sign * int(e)
    return found
