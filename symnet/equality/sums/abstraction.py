"""Sums of terms over slots instead of their free indices: what makes the head of an atom, whatever its indices are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import islice, permutations, product

import sympy as sp

from symnet.core.axes import Range
from symnet.equality.fractions import TooLarge
from symnet.equality.sums.algebra import Space
from symnet.equality.sums.product_rules import Rule
from symnet.equality.sums.terms import (
    COLUMN,
    ROW,
    Atom,
    Factors,
    Head,
    Places,
    Poly,
    Term,
    add_to,
    factor_text,
    indices,
    one,
    ordered,
    scaled,
    slot,
)

MOST_SLOTS, MOST_SLOT_ORDERS = 6, 120


class Slots(Space):
    """A Space that makes heads of sums of terms, with the rules that go with them."""

    def __init__(self, ranges: Mapping[sp.Symbol, Range]) -> None:
        super().__init__(ranges)
        self.rules: dict[Head, list[Rule]] = {}

    def ruled(self, term: Term) -> Poly | None:
        """The term after the first rule that applies to it."""
        rules = (rule for (head, _), _ in term.factors for rule in self.rules.get(head, ()))
        return next((made for rule in rules if (made := rule.apply(self, term)) is not None), None)

    def content(self, poly: Poly, allowed: Callable[[Atom], bool]) -> tuple[Factors, Poly]:
        """(the factors that all terms share and that stand outside their sums, the rest)."""
        shared: Factors | None = None
        for t in poly:
            bound = {i for i, _, _ in t.over}
            here = {(h, p): e for (h, p), e in t.factors if allowed((h, p)) and not any(s in bound for q in p for s in indices(q))}
            if shared is None:
                shared = here
            both = {a: (shared.get(a, Fraction(0)), here.get(a, Fraction(0))) for a in {**shared, **here}}
            shared = {a: min(pair) for a, pair in both.items() if min(pair)}
        shared = shared or {}
        return shared, self.multiply(poly, self.settle(Fraction(1), (), {a: -e for a, e in shared.items()})) if shared else poly

    def abstract(self, polys: tuple[Poly, ...]) -> tuple[tuple[Poly, ...], Places, tuple[tuple[int, ...], ...]]:
        """The sums over slots instead of their free indices; the indices, one for each slot; the orders of slots that are alike."""
        free = sorted({s for p in polys for t in p for s in t.symbols if not s.is_positive and s not in (ROW, COLUMN)}, key=str)
        if len(free) > MOST_SLOTS:
            raise TooLarge(f"a function of something with more than {MOST_SLOTS} indices")
        if not free:
            return polys, (), ()
        marks = {i: _mark(i, polys) for i in free}
        groups = [[i for i in free if marks[i] == m] for m in sorted(set(marks.values()))]
        found: list[tuple[object, tuple[Poly, ...], tuple[sp.Symbol, ...]]] = []
        for order in islice(product(*map(permutations, groups)), MOST_SLOT_ORDERS):
            places = tuple(i for group in order for i in group)
            over = tuple(self.put(p, {i: slot(k) for k, i in enumerate(places)}) for p in polys)
            found.append((tuple(map(ordered, over)), over, places))
        key, over, places = min(found, key=lambda f: (f[0], tuple(map(str, f[2]))))
        alike = tuple(tuple(places.index(s) for s in other) for k, _, other in found if k == key and other != places)
        return over, places, alike

    def of(self, kind: str, name: str, polys: tuple[Poly, ...], positive: bool = False, root: int = 0) -> Atom:
        """The atom of a function of these sums."""
        inner, places, alike = self.abstract(polys)
        head, _ = self.head(kind, name, inner, alike, positive, root=root)
        return head, places

    def size(self, symbol: sp.Symbol) -> Atom:
        """A size as a number."""
        return self.head("size", symbol.name, positive=True)[0], ()

    def index_value(self, expr: sp.Expr) -> Poly:
        """A polynomial in sizes and indices as a number."""
        found: Poly = {}
        for part in sp.Add.make_args(sp.expand(expr)):
            c, rest = part.as_coeff_Mul()
            if not c.is_Rational:
                raise TooLarge(f"{expr} as a number")
            made = scaled(one(), Fraction(int(c.p), int(c.q)))
            for f in sp.Mul.make_args(rest):
                base, n = f.as_base_exp()
                if base == 1:
                    continue
                if not base.is_Symbol or not n.is_Integer:
                    raise TooLarge(f"{expr} as a number")
                head = self.size(base)[0] if base.is_positive else self.head("index")[0]
                made = self.multiply(made, self.atom((head, () if base.is_positive else (base,)), Fraction(int(n))))
            add_to(found, made)
        return found


def _mark(index: sp.Symbol, polys: tuple[Poly, ...]) -> str:
    """What an index touches, whatever the other indices are called."""
    found = []
    for k, p in enumerate(polys):
        for t, c in p.items():
            names = {s: "_me" if s == index else "_x" for s in t.symbols if not s.is_positive} | {i: "_x" for i, _, _ in t.over}
            found += [f"{k}:{c}:{factor_text(a, e, names)}" for a, e in t.factors if any(index in indices(q) for q in a[1])]
    return ";".join(sorted(found))
