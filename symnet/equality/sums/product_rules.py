"""Rules that take a product out of a term: u · 1/u is 1, and whatever a declared assumption says.

A rule's pattern is a product, possibly under sums. It is found inside a term when its factors are there and its summed indices
stand in nothing else: Σ_c exp(z[n, c]) · 1/Σ_c exp(z[n, c]) is 1, while Σ_c exp(z[n, c]) y[c] · 1/… stays. For a sum u of several
terms its leading one is replaced: lead · 1/u is 1 - rest · 1/u.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from symnet.equality.sums.algebra import Space
from symnet.equality.sums.terms import (
    Factors,
    Head,
    Places,
    Poly,
    Term,
    add_to,
    condition_text,
    indices,
    lead,
    one,
    scaled,
    settled,
    slot,
)

Binding = dict[sp.Symbol, sp.Expr]


@dataclass(frozen=True, slots=True)
class Rule:
    """Σ over ``over`` of the product of ``factors`` where ``where`` holds is ``result``; ``wild`` are indices that may be anything."""

    factors: tuple[tuple[tuple[Head, Places], Fraction], ...]
    over: tuple[tuple[sp.Symbol, sp.Expr, sp.Expr], ...]
    where: tuple[tuple[str, sp.Basic], ...]
    wild: frozenset[sp.Symbol]
    result: Poly

    def apply(self, space: Space, term: Term) -> Poly | None:
        """``term`` with the pattern replaced once; None where it is not found."""
        if len(self.over) > len(term.over) or len(self.factors) > len(term.factors):
            return None
        raw = space.apart(term)
        bound = {i for i, _, _ in raw.over}
        for binding, left in self._matches(self.factors, dict(raw.factors), {}, bound):
            images = [binding.get(i) for i, _, _ in self.over]
            if self._private(raw, left, binding, images):
                gone = set(images)
                result = space.put(self.result, {w: binding[w] for w in self.wild if w in binding})
                over = tuple(t for t in raw.over if t[0] not in gone)
                taken = {condition_text((s, c.xreplace(binding)), {}) for s, c in self.where}
                rest = [w for w in raw.where if condition_text(w, {}) not in taken]
                return space.bind(space.multiply(space.settle(Fraction(1), (), left), result), over, rest)
        return None

    def _matches(self, wanted: tuple[tuple[tuple[Head, Places], Fraction], ...], there: Factors, binding: Binding,
                 bound: set[sp.Symbol]) -> Iterator[tuple[Binding, Factors]]:
        """Every way to find the factors, with the factors that are left over."""
        if not wanted:
            yield binding, there
            return
        ((head, places), e), *rest = wanted
        for (other, at), f in there.items():
            if other is not head or f * e <= 0 or abs(f) < abs(e):
                continue
            for order in head.orders(at):
                more = self._unified(places, order, binding, bound)
                if more is not None:
                    left = {**there, (other, at): f - e} if f != e else {a: x for a, x in there.items() if a != (other, at)}
                    yield from self._matches(tuple(rest), left, more, bound)

    def _unified(self, pattern: Places, target: Places, binding: Binding, bound: set[sp.Symbol]) -> Binding | None:
        own = {i for i, _, _ in self.over}
        for p, t in zip(pattern, target, strict=True):
            if p in binding or not (p in own or p in self.wild):
                if sp.expand(p.xreplace(binding) - t) != 0:
                    return None
            elif p in own and (t not in bound or t in binding.values()):
                return None
            else:
                binding = {**binding, p: t}
        return binding

    def _private(self, raw: Term, left: Factors, binding: Mapping[sp.Symbol, sp.Expr], images: list[sp.Expr | None]) -> bool:
        """The summed indices have the pattern's ranges and conditions and stand in nothing that is left."""
        if None in images or len(set(images)) != len(images) or any(w not in binding for w in self._needed()):
            return False
        if any(set(images) & indices(binding[w]) for w in self.wild if w in binding):
            return False
        high = {i: hi for i, _, hi in raw.over}
        if any(sp.expand(hi.xreplace(dict(binding)) - high[image]) != 0 for (_, _, hi), image in zip(self.over, images, strict=True)):
            return False
        gone = set(images)
        if any(gone & indices(q) for _, places in left for q in places) or \
                any(gone & indices(hi) for i, hi in high.items() if i not in gone):
            return False
        wanted = {condition_text((s, c.xreplace(dict(binding))), {}) for s, c in self.where}
        here = {condition_text(w, {}): w for w in raw.where}
        return wanted <= here.keys() and not any(gone & indices(c) for text, (_, c) in here.items() if text not in wanted)

    def _needed(self) -> set[sp.Symbol]:
        return {w for w in self.wild if any(w in t.symbols for t in self.result)}


def rules_of_inverse(head: Head) -> list[Rule]:
    """What 1/u does to the leading term of u, for ``head`` = 1/u; and, for u = c + k exp(…), to exp(…)⁻¹."""
    inner = head.inner[0]
    places = tuple(slot(k) for k in range(1 + max((int(s.name[2:]) for t in inner for s in t.symbols if not s.is_positive), default=-1)))
    itself = ((head, places), Fraction(1))
    wild = frozenset(places)
    first = lead(inner)
    rest: Poly = {t: c for t, c in inner.items() if t is not first}
    made = [Rule((itself, *first.factors), first.over, first.where, wild, _without(rest, itself, inner[first]))]
    constant = next((t for t in inner if not t.factors and not t.over and not t.where), None)
    if constant is not None and len(inner) == 2 and not first.over and all(h.kind == "exp" for (h, _), _ in first.factors):
        for atom, e in first.factors:
            below = (atom, Fraction(-1) if e > 0 else Fraction(1))
            back = {t: c for t, c in inner.items() if t is not constant}
            whole = _without(back, itself, inner[constant])
            made.append(Rule((itself, below), (), (), wild, _times(whole, below)))
    return made


def _without(rest: Poly, itself: tuple[tuple[Head, Places], Fraction], c: Fraction) -> Poly:
    """(1 - rest · 1/u)/c."""
    found = scaled(one(), 1 / c)
    add_to(found, _times(rest, itself), -1 / c)
    return found


def _times(poly: Poly, factor: tuple[tuple[Head, Places], Fraction]) -> Poly:
    """Each term with one factor more; raw, since ``put`` brings a rule's result into normal form where it is used."""
    found: Poly = {}
    for t, c in poly.items():
        factors = dict(t.factors)
        atom = settled(*factor[0])
        factors[atom] = factors.get(atom, Fraction(0)) + factor[1]
        text = f"{t.text} times {factor[0][0].number}^{factor[1]}"
        found[Term(text, t.over, tuple((a, e) for a, e in factors.items() if e), t.where)] = c
    return found


def rule_of_equality(left: Poly, right: Poly, free: frozenset[sp.Symbol]) -> Rule | None:
    """left = right, declared for all values of the free indices, as a rule for its leading term."""
    gap = dict(left)
    add_to(gap, right, Fraction(-1))
    if not gap:
        return None
    first = lead(gap)
    if not first.factors:
        return None
    result: Poly = {}
    add_to(result, {t: c for t, c in gap.items() if t is not first}, -1 / gap[first])
    return Rule(tuple(sorted(first.factors, key=lambda f: -len(f[0][1]))), first.over, first.where, free, result)
