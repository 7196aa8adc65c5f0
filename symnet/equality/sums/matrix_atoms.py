"""Determinants and inverses of matrices of any size as atoms, keyed by the normal form of the matrix's entry.

M and its transpose share them: det Mᵀ = det M and (Mᵀ)⁻¹[i, j] = M⁻¹[j, i], so the inverse of XᵀX is known to be symmetric. A number
that stands outside comes out of an inverse. M⁻¹ comes with two rules, Σ_k M[i, k] M⁻¹[k, j] = [i = j] = Σ_k M⁻¹[i, k] M[k, j].
"""

from __future__ import annotations

from fractions import Fraction

import sympy as sp

from symnet.equality.sums.abstraction import Slots
from symnet.equality.sums.product_rules import Rule
from symnet.equality.sums.terms import COLUMN, ROW, Atom, Head, Places, Poly, add_to, indices, lead, ordered, scaled, slot


def determinant(space: Slots, entry: Poly, size: sp.Expr) -> Atom:
    """det of the matrix with this entry at (ROW, COLUMN)."""
    inner, places, _, _ = _least(space, entry)
    head, _ = space.head("det", str(size), (inner,), size=size, positive=_definite(inner))
    return head, places


def _definite(inner: Poly) -> bool:
    """True for the entry of a tensor that is declared positive definite."""
    if len(inner) != 1 or not all(c > 0 for c in inner.values()):
        return False
    (term,) = inner
    heads = [h for (h, _), e in term.factors if e == 1]
    return not term.over and not term.where and len(term.factors) == len(heads) == 1 and heads[0].structure == "positive definite" and \
        set(term.factors[0][0][1]) == {ROW, COLUMN}


def inverse_entry(space: Slots, entry: Poly, size: sp.Expr, i: sp.Expr, j: sp.Expr) -> Poly:
    """The entry (i, j) of the inverse of the matrix with this entry at (ROW, COLUMN)."""
    outside, rest = without_factor(space, entry)
    inner, places, turned, symmetry = _least(space, rest)
    head, new = space.head("inverse entry", str(size), (inner,), symmetry, open=2, size=size)
    if new:
        space.rules[head] = _rules(space, head, size)
    at = (j, i, *places) if turned else (i, j, *places)
    return space.multiply(outside, space.atom((head, at)))


def without_factor(space: Slots, entry: Poly) -> tuple[Poly, Poly]:
    """(1/u, the rest) for a matrix that is a number u times the rest."""
    if not entry:
        raise ZeroDivisionError
    factors, rest = space.content(entry, lambda a: a[0].kind != "step" and not {ROW, COLUMN} & {s for p in a[1] for s in indices(p)})
    (inner,), _, _ = space.abstract((rest,))
    c = inner[lead(inner)]
    return scaled(space.settle(Fraction(1), (), {a: -e for a, e in factors.items()}), 1 / c), scaled(rest, 1 / c)


def rebuilt(space: Slots, head: Head, places: Places) -> Poly:
    """The atom at other places."""
    row, column = space.fresh(), space.fresh()
    there = {slot(k): p for k, p in enumerate(places[head.open:])}
    entry = space.put(space.put(head.inner[0], {ROW: row, COLUMN: column, **there}), {row: ROW, column: COLUMN})
    if head.kind == "det":
        return space.atom(determinant(space, entry, head.size))
    return inverse_entry(space, entry, head.size, places[0], places[1])


def _least(space: Slots, entry: Poly) -> tuple[Poly, Places, bool, tuple[tuple[int, ...], ...]]:
    """The matrix or its transpose, whichever comes first, over slots; the places; True for the transpose; the symmetries."""
    (inner,), places, alike = space.abstract((entry,))
    turned = space.put(space.put(entry, {ROW: slot(90), COLUMN: slot(91)}), {slot(90): COLUMN, slot(91): ROW})
    (other,), elsewhere, _ = space.abstract((turned,))
    symmetry = [(0, 1, *(2 + k for k in order)) for order in alike]
    if ordered(other) == ordered(inner):
        symmetry.append((1, 0, *(2 + places.index(p) for p in elsewhere)))
    if ordered(other) < ordered(inner):
        return other, elsewhere, True, tuple((0, 1, *(2 + k for k in order)) for order in space.abstract((turned,))[2])
    return inner, places, False, tuple(symmetry)


def _rules(space: Slots, head: Head, size: sp.Expr) -> list[Rule]:
    """M M⁻¹ and M⁻¹ M are the unit matrix."""
    inner = head.inner[0]
    slots = sorted({s for t in inner for s in t.symbols if s.name.startswith("_s")}, key=lambda s: int(s.name[2:]))
    places = tuple(slot(k) for k in range(len(slots)))
    found = []
    for left in (True, False):
        a, b, k = space.fresh(), space.fresh(), space.fresh()
        there = {ROW: a, COLUMN: k} if left else {ROW: k, COLUMN: b}
        itself = (head, (k, b, *places) if left else (a, k, *places))
        matrix = space.put(inner, there)
        first = lead(matrix)
        rest = {t: c for t, c in matrix.items() if t is not first}
        taken = space.apart(first)
        result = space.settle(Fraction(1), (), {}, [("=", a - b)])
        product = space.multiply(rest, space.atom(itself)) if rest else {}
        add_to(result, space.bind(product, [(k, sp.S.One, size)]), Fraction(-1))
        result = scaled(result, 1 / matrix[first])
        factors = ((itself, Fraction(1)), *taken.factors)
        found.append(Rule(factors, (*taken.over, (k, sp.S.One, size)), taken.where, frozenset({a, b, *places}), result))
    return found

