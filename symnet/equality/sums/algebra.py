"""Arithmetic with sums over indices: products merge their sums, brackets fix indices, what an index does not touch is counted.

Sizes are positive integers of any value, so each rule holds for ranges of every length that may occur, the empty one too:
Σ_{i=1}^{m} c is m·c only where m >= 0 is shown, and Σ_i [i = e] f(i) is f(e) only where e is shown to lie in the range.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from symnet.core.axes import Range, bounds, nonnegative
from symnet.core.expressions import Limits
from symnet.core.iverson import fixed
from symnet.core.time_limit import time_is_over
from symnet.equality.fractions import TooLarge
from symnet.equality.sums.index_conditions import as_condition, elected, occurs, read_condition, replaced
from symnet.equality.sums.terms import (
    Atom,
    Condition,
    Factors,
    Head,
    Places,
    Poly,
    Term,
    add_to,
    apart_and_plain,
    canonical,
    indices,
    one,
    ordered,
    scaled,
    settled,
    slot,
)

MOST_TERMS, MOST_STEPS, MOST_POWER = 4000, 20_000, 8


class Space(ABC):
    """The heads met so far, the ranges of free indices, and the rules that hold. One Space serves one comparison."""

    def __init__(self, ranges: Mapping[sp.Symbol, Range]) -> None:
        self.ranges = dict(ranges)
        self.heads: dict[object, Head] = {}
        self.symmetric: dict[str, tuple[tuple[int, ...], ...]] = {}  # tensors declared symmetric
        self.spans: dict[str, Range] = {}  # of the rows of tensors of a declared structure
        self.signs: dict[str, str] = {}  # definitions whose right sides are plainly "positive" or "nonnegative"
        self.real = True  # False once a name that may be complex was met
        self.steps = 0
        self._fresh = 0
        self._settled: dict[object, Poly] = {}

    def head(self, kind: str, name: str = "", inner: tuple[Poly, ...] = (), symmetry: tuple[tuple[int, ...], ...] = (),
             positive: bool = False, **more: Any) -> tuple[Head, bool]:
        """The one head of this description, and True when it is new."""
        key = (kind, name, more.get("root"), tuple(map(ordered, inner)))
        if key in self.heads:
            return self.heads[key], False
        self.heads[key] = Head(kind, name, len(self.heads), inner, symmetry, positive, **more)
        return self.heads[key], True

    def fresh(self) -> sp.Symbol:
        """An index never used before."""
        self._fresh += 1
        return sp.Symbol(f"_k{self._fresh}", integer=True)

    def atom(self, atom: Atom, exponent: Fraction = Fraction(1)) -> Poly:
        """One atom to a power."""
        return self.settle(Fraction(1), (), {settled(*atom): exponent})

    def multiply(self, a: Poly, b: Poly) -> Poly:
        """a·b: each pair of terms under the sums of both."""
        found: Poly = {}
        if len(a) * len(b) > MOST_TERMS:
            raise TooLarge(f"more than {MOST_TERMS} terms")
        for t, c in a.items():
            t = self.apart(t) if t.over else t
            for u, d in b.items():
                add_to(found, self._product(t, self.apart(u) if u.over else u), c * d)
        return found

    def _product(self, t: Term, u: Term) -> Poly:
        factors = dict(t.factors)
        for atom, e in u.factors:
            factors[atom] = factors.get(atom, Fraction(0)) + e
        return self.settle(Fraction(1), (*t.over, *u.over), factors, (*t.where, *u.where))

    def apart(self, t: Term) -> Term:
        """The term with fresh names for the indices it binds; no longer in normal form."""
        there = {i: self.fresh() for i, _, _ in t.over}
        over = tuple((there[i], lo, hi.xreplace(there)) for i, lo, hi in t.over)
        factors = tuple((settled(h, tuple(p.xreplace(there) for p in places)), e) for (h, places), e in t.factors)
        return Term(t.text, over, factors, tuple((s, c.xreplace(there)) for s, c in t.where))

    def power(self, poly: Poly, n: int) -> Poly:
        """poly to a whole power >= 0."""
        if n > MOST_POWER and len(poly) > 1:
            raise TooLarge(f"the power {n}")
        if len(poly) == 1:
            ((t, c),) = poly.items()
            if not t.over:
                return scaled(self.settle(Fraction(1), (), {a: e * n for a, e in t.factors}, t.where), c**n) if n else one()
        result = one()
        for _ in range(n):
            result = self.multiply(result, poly)
        return result

    def bind(self, poly: Poly, over: Iterable[Limits], where: Iterable[Condition] = ()) -> Poly:
        """Σ over ``over`` of ``poly`` where ``where`` holds; ranges start at 1."""
        found: Poly = {}
        outer, conditions = tuple(over), tuple(where)
        for t, c in poly.items():
            u = self.apart(t) if t.over else t
            add_to(found, self.settle(Fraction(1), (*outer, *u.over), dict(u.factors), (*conditions, *u.where)), c)
        return found

    def settle(self, c: Fraction, over: tuple[Limits, ...], factors: Factors, where: Iterable[Condition] = ()) -> Poly:
        """One raw term in normal form: c · Σ over ``over`` of the product, where ``where`` holds."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooLarge(f"more than {MOST_STEPS} steps")
        if time_is_over():
            raise TooLarge("the time is over")
        kept = {a: e for a, e in factors.items() if e}
        conditions = self._conditions(where, over)
        if conditions is None:
            return {}
        solved = self._solved(over, kept, conditions)
        if solved is not None:
            return scaled(solved, c)
        split = self._split(over, kept, conditions)
        if split is not None:
            return scaled(split, c)
        counted = self._counted(over, kept, conditions)
        if counted is not None:
            return scaled(counted, c)
        term = canonical(over, kept, conditions)
        if term.text not in self._settled:
            reduced = self.ruled(term)
            self._settled[term.text] = {term: Fraction(1)} if reduced is None else reduced
        return scaled(self._settled[term.text], c)

    def _known(self, over: tuple[Limits, ...]) -> dict[sp.Symbol, Range]:
        return self.ranges | {i: (lo, hi) for i, lo, hi in over}

    def _conditions(self, where: Iterable[Condition], over: tuple[Limits, ...]) -> frozenset[Condition] | None:
        """The conditions that say something; None where they never hold."""
        kept = set()
        for sign, u in where:
            gap = sp.expand(u) if sign in ("=", ">=") else u
            if sign in ("?", "=="):
                kept.add((sign, gap))
                continue
            span = bounds(gap, self._known(over))
            if span is not None and (nonnegative(sp.expand(-span[1] - 1)) or (sign == "=" and nonnegative(sp.expand(span[0] - 1)))):
                return None
            if gap == 0 or (sign == ">=" and span is not None and nonnegative(span[0])):
                continue
            kept.add((sign, min(gap, sp.expand(-gap), key=str) if sign == "=" else gap))
        return frozenset(kept)

    def _solved(self, over: tuple[Limits, ...], factors: Factors, where: frozenset[Condition]) -> Poly | None:
        """The term without the sums that an equation fixes: Σ_j [i = j] x_j is x_i; and with i for j all over under [i = j]."""
        equations = [u for sign, u in where if sign == "="]
        if not equations:
            return None
        names = {i for i, _, _ in over}
        parts = [as_condition(w) for w in sorted(where, key=str)]
        there, left, rest = fixed(parts, tuple((i, lo, hi) for i, lo, hi in over), self._known(()))
        conditions = [c for part in rest for c in read_condition(part)]
        if not there:
            there = next((t for t in (elected(u, names) for u in equations) if t and occurs(t, factors, where)), {})
            conditions = [c if c[0] == "=" and elected(c[1], names) == there else replaced(c, there) for c in where]
        if not there:
            return None
        return self.bind(self.put_factors(factors, there), left, conditions)

    def put_factors(self, factors: Factors, there: Mapping[sp.Symbol, sp.Expr]) -> Poly:
        """The product with indices replaced."""
        plain: Factors = {}
        result = one()
        for (head, places), e in factors.items():
            new = tuple(sp.expand(p.xreplace(there)) if not p.is_Symbol else p.xreplace(there) for p in places)
            if head.inner and new != places and not apart_and_plain(new[head.open:]):
                rebuilt = self.rebuilt(head, new)
                result = self.multiply(result, self.raised(rebuilt, e))
            else:
                atom = settled(head, new)
                plain[atom] = plain.get(atom, Fraction(0)) + e
        return self.multiply(result, self.settle(Fraction(1), (), plain)) if plain else result

    def put(self, poly: Poly, there: Mapping[sp.Symbol, sp.Expr]) -> Poly:
        """A sum of terms with free indices replaced, all at once; no index is captured."""
        found: Poly = {}
        for t, c in poly.items():
            u = self.apart(t)
            where = [replaced(w, there) for w in u.where]
            over = [(i, lo, sp.expand(hi.xreplace(there))) for i, lo, hi in u.over]
            add_to(found, self.bind(self.put_factors(dict(u.factors), there), over, where), c)
        return found

    @abstractmethod
    def rebuilt(self, head: Head, places: Places) -> Poly:
        """The atom of ``head`` made anew at places that are no different indices: exp(A[i, j]) at (n, n) is exp(A[n, n])."""

    @abstractmethod
    def raised(self, poly: Poly, exponent: Fraction) -> Poly:
        """poly to a power."""

    def _split(self, over: tuple[Limits, ...], factors: Factors, where: frozenset[Condition]) -> Poly | None:
        """The term with the first power that can be brought down brought down."""
        for atom, e in factors.items():
            lower = self.brought_down(atom, e)
            if lower is not None:
                rest = {a: x for a, x in factors.items() if a != atom}
                return self.bind(self.multiply(self.settle(Fraction(1), (), {atom: lower[0], **rest}), lower[1]), over, where)
        return None

    def inside(self, head: Head, places: Places) -> Poly:
        """The first argument of an atom."""
        return self.put(head.inner[0], {slot(k): p for k, p in enumerate(places)})

    def _counted(self, over: tuple[Limits, ...], factors: Factors, where: frozenset[Condition]) -> Poly | None:
        """A sum whose index nothing touches, as its length where that is shown to be >= 0."""
        used = {s for _, places in factors for p in places for s in indices(p)}
        used |= {s for _, c in where for s in indices(c)} | {s for _, _, hi in over for s in indices(hi)}
        for k, (i, _, high) in enumerate(over):
            rest = over[:k] + over[k + 1:]
            if i not in used:
                span = bounds(high, self._known(rest))
                if span is not None and nonnegative(span[0]):
                    count = self.index_value(high)
                    return self.bind(self.multiply(count, self.settle(Fraction(1), (), dict(factors))), rest, where)
        return None

    @abstractmethod
    def index_value(self, expr: sp.Expr) -> Poly:
        """A polynomial in sizes and indices as a number."""

    @abstractmethod
    def brought_down(self, atom: Atom, e: Fraction) -> tuple[Fraction, Poly] | None:
        """(the power that is left, what the rest of it is), or None where nothing can be brought down."""

    @abstractmethod
    def ruled(self, term: Term) -> Poly | None:
        """The term after the first rule that applies to it."""
