"""Declared equalities of numbers: solved for one symbol each, and whether anything satisfies them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import sympy as sp

from symnet.core.number_sets import numbers_of
from symnet.core.program import Assumption
from symnet.equality.domain import Holes
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


def contradictory(assumptions: Iterable[Assumption], outside: Holes = (), forms: Mapping[sp.Basic, sp.Expr] | None = None) -> bool:
    """True when it is shown that no values, each in the domain of its symbol, satisfy them all; then anything would follow.

    ``outside`` are holes that no value may lie in; ``forms`` are entries that are formulas in others.

    >>> y = sp.Symbol("y", positive=True)
    >>> contradictory([Assumption(y, -sp.S.One)]), contradictory([Assumption(y, sp.S.One)])
    (True, False)
    """
    there = dict(forms or {})
    gaps = [sp.expand((a.left - a.right).xreplace(there)) for a in assumptions]
    facts = [(u, False) for gap in gaps for u in (gap, -gap)] + [(u, sign == "<=") for u, sign in outside if sign != "="]
    if any(_never(_values(gap), lambda v: bool(v == 0)) for gap in gaps) or \
            any(_never(_values(u), (lambda v: bool(v > 0)) if strict else (lambda v: bool(v >= 0))) for u, strict in facts):
        return True
    try:
        return bool(facts) and not FactSigns(sp.S.One, tuple(facts)).possible
    except (TooLarge, SymnetError, ZeroDivisionError, RecursionError):
        return False


def _values(u: sp.Expr) -> list[sp.Expr]:
    """What a number or an expression of one symbol with finitely many members may be; [] for anything else."""
    symbols = sorted(u.free_symbols, key=str)
    members = numbers_of(symbols[0]).members if len(symbols) == 1 and symbols[0].is_Symbol else ()
    found = [u.xreplace({symbols[0]: m}) for m in members] if members else [u]
    return found if all(v.is_Rational for v in found) else []


def _never(values: list[sp.Expr], holds: Callable[[sp.Expr], bool]) -> bool:
    return bool(values) and not any(map(holds, values))


def said_of_nothing(assumptions: Iterable[Assumption]) -> str:
    """What is said of an answer then."""
    return "nothing satisfies the declared assumptions " + " and ".join(map(str, assumptions)) + ", so anything would follow from them"
