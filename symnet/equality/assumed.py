"""Declared equalities of numbers: solved for one symbol each, and whether anything satisfies them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp

from symnet.core.program import Assumption
from symnet.equality.fractions import TooLarge
from symnet.equality.region_signs import FactSigns
from symnet.errors import SymnetError


def solved(assumptions: Iterable[Assumption], forms: Mapping[sp.Basic, sp.Expr] | None = None) -> dict[sp.Basic, sp.Expr] | None:
    """Each assumption solved for an input in which it is linear, each in turn put into the others; None where one cannot be.

    ``forms`` are entries that are formulas already: they come along.

    >>> x, y = sp.symbols("x y", real=True)
    >>> solved([Assumption(x + y, sp.S.One)])
    {y: 1 - x}
    """
    there: dict[sp.Basic, sp.Expr] = dict(forms or {})
    for a in assumptions:
        gap = sp.expand((a.left - a.right).xreplace(there))
        if gap == 0:
            continue
        found = next((s for s in sorted(gap.free_symbols, key=str, reverse=True) if _linear(gap, s)), None)
        if found is None:
            return None
        value = sp.expand(found - gap / gap.coeff(found, 1))
        there = {s: e.xreplace({found: value}) for s, e in there.items()} | {found: value}
    return there


def _linear(gap: sp.Expr, symbol: sp.Basic) -> bool:
    """True when the gap is a rational number times the symbol, and something without it."""
    factor = gap.coeff(symbol, 1)
    return bool(factor.is_Rational and factor != 0 and symbol not in sp.expand(gap - factor * symbol).free_symbols)


def contradictory(assumptions: Iterable[Assumption]) -> bool:
    """True when it is shown that no values, each in the domain of its symbol, satisfy them all; then anything would follow.

    >>> y = sp.Symbol("y", positive=True)
    >>> contradictory([Assumption(y, -sp.S.One)]), contradictory([Assumption(y, sp.S.One)])
    (True, False)
    """
    gaps = [sp.expand(a.left - a.right) for a in assumptions]
    try:
        return bool(gaps) and not FactSigns(sp.S.One, tuple((u, False) for gap in gaps for u in (gap, -gap))).possible
    except (TooLarge, SymnetError, ZeroDivisionError, RecursionError):
        return False


def said_of_nothing(assumptions: Iterable[Assumption]) -> str:
    """What is said of an answer then."""
    return "nothing satisfies the declared assumptions " + " and ".join(map(str, assumptions)) + ", so anything would follow from them"
