"""Claims that are single numbers, about one gradient in a program of numbers: what is asked is worked out once, and so is each claim.

A claim without cases, divisors, roots and logarithms is decided in names first: proved where it is the same polynomial in the inputs and
in the values of functions, refuted where it differs at a point at which every name is worked out once. The rest goes to ``compare``.
"""

from __future__ import annotations

from functools import cached_property
from itertools import islice

import sympy as sp
from flint import ctx

from symnet.calculus.closed import closed_form, closed_scalars
from symnet.checking.domains import Lines, answer_holes, asked_aside, domain_of
from symnet.core.derivation import Derivation
from symnet.core.numbers import Number, as_ball, compute
from symnet.core.program import Assumption, Hole, Program
from symnet.core.verdict import Answer, Verdict, Witness
from symnet.equality.cases import has_cases
from symnet.equality.compare import compare
from symnet.equality.domain import Domain
from symnet.equality.domain_conditions import holes
from symnet.equality.named_fractions import UNFIT, NamedFractions
from symnet.equality.points import points
from symnet.equality.refuting import BITS, FEW, symbols_of, told_apart
from symnet.errors import DomainError, UnknownNodeError
from symnet.indexing.index_array import IndexArray

MOST_CLAIMS, MOST_PARTS = 4096, 400  # claims that are remembered; parts of one that is decided in names
Key = tuple[sp.Expr, tuple[Hole, ...]]
Point = dict[sp.Symbol, sp.Rational]


class NumbersAsked:
    """Is a number, in the names of ``whole``, the gradient of ``derivation`` by ``wrt``? ``aside`` are lines that the objective does not
    need; ``declared`` may be used where it does not hold without."""

    def __init__(self, derivation: Derivation, wrt: str, whole: Program, declared: tuple[Assumption, ...], aside: Lines) -> None:
        self.derivation, self.wrt, self.whole, self.declared, self.aside = derivation, wrt, whole, declared, aside
        self.known: dict[Key, Verdict] = {}
        self.there = closed_scalars(whole)
        self.truth = closed_form(derivation, wrt)

    @cached_property
    def domain(self) -> Domain:
        """Where the objective has a value."""
        return domain_of(self.derivation.full, self.derivation.program, self.there)

    def verdict(self, value: IndexArray) -> Verdict:
        """The verdict on one claim."""
        key = value.expr, value.holes
        found = self.known.get(key)
        if found is None:
            found = self._in_names(value) if self._plain else None
            found = self._compared(value) if found is None else found
            if len(self.known) >= MOST_CLAIMS:
                self.known.clear()
            if found.answer is not Answer.UNDECIDED:  # with more time it may be decided
                self.known[key] = found
        return found

    def _compared(self, value: IndexArray) -> Verdict:
        """Both sides in the inputs alone."""
        asked = (*value.holes, *asked_aside((value.expr, *(u for u, _, _ in value.holes)), self.aside))
        found = answer_holes(value.expr, asked, self.there)
        return compare(value.expr.xreplace(self.there), self.truth, self.declared, found, domain=self.domain)

    @cached_property
    def _plain(self) -> bool:
        """Does the objective have a value everywhere, without cases and without anything that is declared?"""
        domain = self.domain
        real = all(t.domain not in ("index", "complex") for t in self.whole.inputs)
        forms = domain.forms.there or domain.forms.lacking
        return real and not (self.declared or self.aside or domain.holes or domain.unseen or domain.classes or forms
                             or has_cases(self.truth, *self.there.values()))

    def _in_names(self, value: IndexArray) -> Verdict | None:
        """Proved or refuted while names stay closed; None where that does not decide."""
        if value.holes or next(holes(value.expr), None) is not None or has_cases(value.expr) or \
                sum(1 for _ in islice(sp.preorder_traversal(value.expr), MOST_PARTS)) == MOST_PARTS:
            return None
        if self.fractions is not None and self.fractions.same(value.expr, self.wanted):
            return Verdict(Answer.PROVED, "normal form")
        witness = self._witness(value.expr)
        return None if witness is None else Verdict(Answer.REFUTED, "ball enclosure", witness=witness)

    @cached_property
    def fractions(self) -> NamedFractions | None:
        """Every name as a fraction; None where that grows too large."""
        try:
            return NamedFractions(self.whole)
        except UNFIT:
            return None

    @cached_property
    def wanted(self) -> sp.Expr:
        """The gradient by its name."""
        return self.whole[self.derivation.names.get(self.wrt, self.wrt)][()]

    def _witness(self, expr: sp.Expr) -> Witness | None:
        """One of the first points, if the sides certainly differ there."""
        free = symbols_of(self.truth, *(self.there.get(s, s) for s in expr.free_symbols))
        def at(side: sp.Expr, point: Point, bits: int) -> Number:
            return compute(side, {}, dict(self._values(point, bits)))
        for point in points(free, FEW if free else 1):
            try:
                with ctx.workprec(BITS):
                    if as_ball(at(expr, point, BITS) - at(self.wanted, point, BITS)).contains(0):
                        continue
                said = told_apart(lambda bits, p=point: at(expr, p, bits), lambda bits, p=point: at(self.wanted, p, bits))  # type: ignore[misc]
                return Witness(tuple((str(s), str(v)) for s, v in point.items()), *said)
            except (DomainError, UnknownNodeError, ZeroDivisionError):
                continue
        return None

    @cached_property
    def _at_points(self) -> dict[tuple[tuple[tuple[sp.Symbol, sp.Rational], ...], int], dict[sp.Basic, Number]]:
        return {}

    def _values(self, point: Point, bits: int) -> dict[sp.Basic, Number]:
        """Every name that is worked out from these inputs, with so many bits; the precision at hand is that."""
        key = tuple(point.items()), bits
        found = self._at_points.get(key)
        if found is None:
            found = {}
            for s, v in point.items():
                found[s] = compute(v, {})
            for d in self.whole.definitions:
                if self.there[d.entry].free_symbols <= point.keys():
                    found[d.entry] = compute(d.expr, {}, dict(found))
            if len(self._at_points) > MOST_PARTS:
                self._at_points.clear()
            self._at_points[key] = found
        return found
