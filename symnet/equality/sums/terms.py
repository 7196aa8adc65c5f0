"""Terms of an index normal form: Σ over bound indices of a product of atoms, in a form that does not depend on the indices' names.

An atom is a head with its places: ``A[i, k]`` is the head A at (i, k), exp(Σ_k A[i, k] x[k]) the head "exp of that sum over a slot"
at (i). Two terms that differ in the names of bound indices alone have one text: the indices are told apart by what they touch
(colour refinement, Weisfeiler & Leman 1968), and where that leaves several alike, each order is tried and the least text kept
(McKay 1981, without his pruning: past ``MOST_ORDERS`` orders the answer is "undecided").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import TypeAlias

import sympy as sp

from symnet.core.expressions import Limits
from symnet.core.number_sets import REAL, NumberSet
from symnet.equality.fractions import TooLarge

MOST_ORDERS = 720
Places: TypeAlias = tuple[sp.Expr, ...]
Names: TypeAlias = Mapping[sp.Basic, str]
# ("=", u) is u = 0, (">=", u) is u >= 0, ("==", u) is u = 0 for data, ("?", c) a condition as it stands
Condition: TypeAlias = tuple[str, sp.Basic]


@dataclass(frozen=True, eq=False, slots=True)
class Head:
    """What stands at the places of an atom. ``inner`` are its arguments, written over slots; two heads are equal when they are one.

    ``symmetry`` lists the orders of the places that give the same number; ``positive`` says that the atom is > 0, ``nonnegative``
    that it is >= 0.
    """

    kind: str
    name: str
    number: int
    inner: tuple[Poly, ...] = ()
    symmetry: tuple[tuple[int, ...], ...] = ()
    positive: bool = False
    nonnegative: bool = False
    root: int = 0  # q of a q-th root
    open: int = 0  # how many places come before the slots: the row and the column of an inverse
    size: sp.Expr = sp.S.Zero  # of the matrix
    numbers: NumberSet = REAL  # what an entry may be
    structure: str = ""  # of the matrix that it is an entry of

    def orders(self, places: Places) -> Iterator[Places]:
        """The places in every order that gives the same number."""
        yield places
        for order in self.symmetry:
            yield tuple(places[k] for k in order)


Atom: TypeAlias = tuple[Head, Places]
Factors: TypeAlias = dict[Atom, Fraction]


@dataclass(frozen=True, slots=True)
class Term:
    """Σ over ``over`` of Π atom^exponent where ``where`` holds; ``text`` alone tells terms apart."""

    text: str
    over: tuple[Limits, ...] = field(compare=False)
    factors: tuple[tuple[Atom, Fraction], ...] = field(compare=False)
    where: tuple[Condition, ...] = field(compare=False)

    @property
    def symbols(self) -> set[sp.Basic]:
        """Every symbol in it but those it binds: indices and sizes."""
        found: set[sp.Basic] = {s for (_, places), _ in self.factors for p in places for s in indices(p)}
        found |= {s for _, c in self.where for s in indices(c)} | {s for _, _, high in self.over for s in indices(high)}
        return found - {i for i, _, _ in self.over}


Poly: TypeAlias = dict[Term, Fraction]  # each term with its number; 0 has no terms
ONE_TERM = Term("", (), (), ())


def settled(head: Head, places: Places) -> Atom:
    """The atom with its places in the least of the orders that its head allows, so that A[i, j] and A[j, i] meet."""
    return (head, min(head.orders(places), key=lambda order: tuple(map(_plain, order)))) if head.symmetry else (head, places)


def apart_and_plain(places: Places) -> bool:
    """True for indices that are all different."""
    return all(p.is_Symbol and not p.is_positive for p in places) and len(set(places)) == len(places)


def one() -> Poly:
    """The number 1."""
    return {ONE_TERM: Fraction(1)}


def add_to(total: Poly, more: Mapping[Term, Fraction], times: Fraction = Fraction(1)) -> None:
    """Add ``times`` · ``more`` to ``total``, in place."""
    for term, c in more.items():
        value = total.get(term, 0) + c * times
        if value:
            total[term] = value
        else:
            total.pop(term, None)


def scaled(poly: Poly, by: Fraction) -> Poly:
    """The same with every number multiplied."""
    return {t: c * by for t, c in poly.items()} if by else {}


def lead(poly: Poly) -> Term:
    """The term that a rule about ``poly`` takes out: the one with the most sums, then the most factors."""
    return max(poly, key=lambda t: (len(t.over), len(t.factors), t.text))


def ordered(poly: Poly) -> tuple[tuple[str, Fraction], ...]:
    """What tells two sums of terms apart, in order."""
    return tuple(sorted((t.text, c) for t, c in poly.items()))


@cache
def indices(expr: sp.Basic) -> frozenset[sp.Symbol]:
    """The indices and sizes in an index expression or a condition."""
    return frozenset(s for s in expr.free_symbols if s.is_Symbol and s.is_integer)


@cache
def bound_symbol(k: int) -> sp.Symbol:
    """The k-th bound index of a term in normal form."""
    return sp.Symbol(f"_b{k}", integer=True)


@cache
def slot(k: int) -> sp.Symbol:
    """The k-th place of a head."""
    return sp.Symbol(f"_s{k}", integer=True)


ROW, COLUMN = sp.Symbol("_row", integer=True), sp.Symbol("_column", integer=True)  # of the matrix inside a determinant or an inverse


@cache
def _plain(expr: sp.Basic) -> str:
    return str(expr)


@cache
def _named(name: str) -> sp.Symbol:
    return sp.Symbol(name, integer=True)


def _text(expr: sp.Basic, names: Names) -> str:
    """An index expression with some of its indices called otherwise."""
    if isinstance(expr, sp.Symbol):
        return names.get(expr) or expr.name
    if not indices(expr) & names.keys():
        return _plain(expr)
    return _plain(expr.xreplace({s: _named(names[s]) for s in indices(expr) if s in names}))


def factor_text(atom: Atom, exponent: Fraction, names: Names) -> str:
    """One factor, its places in the least of the orders that its head allows."""
    head, places = atom
    texts = tuple(_text(p, names) for p in places)
    if head.symmetry:
        texts = min(texts, *(tuple(texts[k] for k in order) for order in head.symmetry))
    return f"{head.number}^{exponent}({','.join(texts)})"


def condition_text(condition: Condition, names: Names) -> str:
    """One condition; u = 0 and -u = 0 are one."""
    sign, u = condition
    return f"[{min(_text(u, names), _text(-u, names)) if sign in ('=', '==') else _text(u, names)}{sign}]"


class _Labelling:
    """The least text of one term over all orders of its bound indices that their colours leave open."""

    def __init__(self, over: tuple[Limits, ...], factors: Factors, where: frozenset[Condition]) -> None:
        self.over, self.factors, self.where = over, factors, where
        self.bound = [i for i, _, _ in over]
        self.high = {i: high for i, _, high in over}
        found = set(self.bound)
        self.touching: dict[sp.Symbol, list[tuple[Atom, Fraction]]] = {i: [] for i in self.bound}
        for atom, e in factors.items():
            for i in {s for p in atom[1] for s in indices(p)} & found:
                self.touching[i].append((atom, e))
        self.under = {i: [c for c in where if i in indices(c[1])] for i in self.bound}
        self.within = {i: [j for j in self.bound if i in indices(self.high[j])] for i in self.bound}
        self.tried = 0

    def best(self) -> tuple[str, dict[sp.Symbol, sp.Symbol]]:
        """(the text, the names that the bound indices get)."""
        start = dict.fromkeys(self.bound, "*")
        return self._least(self._refined({i: _text(self.high[i], start) for i in self.bound}))

    def _refined(self, colours: dict[sp.Symbol, str]) -> dict[sp.Symbol, int]:
        """Each index's class, told by its range, its factors and the classes of its neighbours, until nothing changes."""
        ranks = _ranked(colours)
        while len(set(ranks.values())) < len(ranks):
            finer = _ranked({i: f"{ranks[i]:04d}|{self._signature(i, ranks)}" for i in self.bound})
            if len(set(finer.values())) == len(set(ranks.values())):
                break
            ranks = finer
        return ranks

    def _signature(self, i: sp.Symbol, ranks: Mapping[sp.Symbol, int]) -> str:
        names = {j: f"_c{rank}" for j, rank in ranks.items()} | {i: "_me"}
        parts = [factor_text(a, e, names) for a, e in self.touching[i]] + [condition_text(c, names) for c in self.under[i]]
        parts += [f"in {names[j]}" for j in self.within[i]] + [_text(self.high[i], names)]
        return ";".join(sorted(parts))

    def _least(self, ranks: dict[sp.Symbol, int]) -> tuple[str, dict[sp.Symbol, sp.Symbol]]:
        groups: dict[int, list[sp.Symbol]] = {}
        for i, rank in ranks.items():
            groups.setdefault(rank, []).append(i)
        several = [rank for rank in sorted(groups) if len(groups[rank]) > 1]
        if not several:
            self.tried += 1
            if self.tried > MOST_ORDERS:
                raise TooLarge("too many indices that look alike")
            there = {i: bound_symbol(k) for k, i in enumerate(sorted(ranks, key=ranks.__getitem__))}
            return self.text({i: s.name for i, s in there.items()}), there
        alike = groups[several[0]]
        return min((self._least(self._refined({i: f"{2 * r + (r == several[0] and i != first):05d}" for i, r in ranks.items()}))
                    for first in alike), key=lambda found: found[0])

    def text(self, names: Names) -> str:
        """The whole term under these names."""
        over = sorted(f"{names[i]}<={_text(self.high[i], names)}" for i in self.bound)
        parts = sorted(factor_text(a, e, names) for a, e in self.factors.items())
        return " ".join([*over, *parts, *sorted(condition_text(c, names) for c in self.where)])


def _ranked(colours: Mapping[sp.Symbol, str]) -> dict[sp.Symbol, int]:
    order = {c: k for k, c in enumerate(sorted(set(colours.values())))}
    return {i: order[c] for i, c in colours.items()}


def canonical(over: Iterable[Limits], factors: Factors, where: Iterable[Condition] = ()) -> Term:
    """The term with its bound indices called _b0, _b1, … in an order that their old names have no part in."""
    labelling = _Labelling(tuple(over), factors, frozenset(where))
    text, there = labelling.best()
    if not there:
        return Term(text, (), tuple(sorted(factors.items(), key=lambda f: factor_text(f[0], f[1], {}))), tuple(labelling.where))
    limits = sorted(((there[i], lo, hi.xreplace(there)) for i, lo, hi in labelling.over), key=lambda t: int(t[0].name[2:]))
    placed = [(settled(head, tuple(p.xreplace(there) for p in places)), e) for (head, places), e in factors.items()]
    conditions = tuple((sign, c.xreplace(there)) for sign, c in labelling.where)
    return Term(text, tuple(limits), tuple(sorted(placed, key=lambda f: factor_text(f[0], f[1], {}))), conditions)

