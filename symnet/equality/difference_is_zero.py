"""Is left - right = 0 wherever both sides are defined?"""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from symnet.core.number_sets import REAL, numbers_of
from symnet.equality.cases import in_steps
from symnet.equality.domain_conditions import holes, surely_defined
from symnet.equality.feasible_point import defined_somewhere
from symnet.equality.fractions import TooLarge
from symnet.equality.normal import Basis
from symnet.equality.undefined import HARMLESS, Hole, learn, learn_facts, undefined
from symnet.errors import UnknownNodeError


def agrees(left: sp.Expr, right: sp.Expr, basis: Basis, also: tuple[sp.Expr, ...] = ()) -> bool:
    """True when the sides are shown equal wherever both are defined, and that is somewhere or the same; ``basis`` has surveyed them.

    First without, then with what their being defined tells: beside log x, |x| is x. ``also`` have values as well where the sides do.

    >>> x = sp.Symbol("x", real=True)
    >>> agrees(sp.log(x**2), 2 * sp.log(x), Basis()), agrees(sp.log(-x), sp.log(x), Basis())
    (True, False)
    """
    same = basis.normal(left - right)[1].is_zero
    open_holes = any(not surely_defined(*h) for side in (left, right, *also) for h in holes(side))
    if not same and open_holes:
        told = Basis(basis.waves, basis.stems is not None)
        if learn(told, left, right, *also):
            told.survey(left, right)
            same = told.normal(left - right)[1].is_zero and defined_somewhere(left, right, *also)
    elif same and open_holes and undefined(basis, left).keys() != undefined(basis, right).keys():
        return defined_somewhere(left, right)
    return same


def judged(left: sp.Expr, right: sp.Expr, also: tuple[sp.Expr, ...] = ()) -> tuple[Basis, list[dict[Hole, sp.Expr]], bool]:
    """A basis, where each side may be undefined, and whether the sides agree elsewhere. What is too large is tried with stems."""
    for stems in (False, True):
        basis = Basis(waves=True, stems=stems)
        try:
            basis.survey(left, right)
            return basis, [undefined(basis, side) for side in (left, right)], agrees(left, right, basis, also)
        except TooLarge:
            if stems:
                raise
    raise AssertionError("one of the two returns or raises")


def ruled_out(u: sp.Expr, sign: str) -> bool:
    """True when the domains of the symbols alone show that u never lies in the hole: 1 - p = 0 for p in (0, 1).

    >>> p = sp.Symbol("p", positive=True, **{"in (0, 1)": True})
    >>> ruled_out(p - p**2, "<="), ruled_out(2*p - 1, "=")
    (True, False)
    """
    if surely_defined(u, sign):
        return True
    if all(numbers_of(s) == REAL for s in u.free_symbols if s.is_Symbol):
        return False
    basis = Basis()
    try:
        return basis.real(u) and basis.known.of_fraction(in_steps(u)) <= HARMLESS[sign]
    except (TooLarge, UnknownNodeError, ZeroDivisionError, RecursionError):
        return False


def without_implied(open_holes: Iterable[Hole], both: Iterable[Hole] = ()) -> list[Hole]:
    """The holes that are not part of the others, nor of the holes of both sides: beside x ≤ 0 and y ≤ 0, xy ≤ 0 and x + 1 = 0
    tell nothing new.

    >>> x, y = sp.symbols("x y", real=True)
    >>> without_implied([(x, "="), (x * y, "<="), (x, "<="), (y, "<=")])
    [(x, '<='), (y, '<=')]
    """
    left, given = list(open_holes), list(both)
    for hole in sorted(left, key=lambda h: (h[1] != "=", -len(h[0].free_symbols), -sp.count_ops(h[0]))):
        others = [h for h in left if h != hole]
        basis = Basis()
        try:
            known = basis.real(hole[0]) and learn_facts(basis, _about(hole[0].free_symbols, others + given))
            if known and basis.known.of_fraction(hole[0]) <= HARMLESS[hole[1]]:
                left = others
        except (TooLarge, UnknownNodeError, ZeroDivisionError, RecursionError):
            continue
    return left


def _about(symbols: set[sp.Basic], facts: list[Hole]) -> list[Hole]:
    """The facts that share a symbol with these, or with one another: others tell nothing of them."""
    found, rest = list[Hole](), list(facts)
    while near := [h for h in rest if h[0].free_symbols & symbols]:
        found += near
        rest = [h for h in rest if h not in near]
        symbols = symbols.union(*(h[0].free_symbols for h in near))
    return found
