"""What an answer asks for beyond the derivation, for all sizes: exceptions that are null sets, or conditions."""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from symnet.core.expressions import limits
from symnet.core.verdict import Answer
from symnet.equality.domain import NEEDED
from symnet.equality.null_sets import is_null


def conditions(holes: Iterable[tuple[sp.Expr, str]]) -> tuple[Answer, list[str]]:
    """PROVED without holes; ALMOST_EVERYWHERE where each is u = 0 and shown to be a null set for every size; else CONDITIONAL."""
    found = sorted(dict.fromkeys((lettered(u), sign) for u, sign in holes), key=str)
    if not found:
        return Answer.PROVED, []
    if all(sign == "=" and null_for_all_sizes(u) for u, sign in found):
        return Answer.ALMOST_EVERYWHERE, [f"{u} = 0" for u, _ in found]
    return Answer.CONDITIONAL, [f"{u} {NEEDED[sign]} 0" for u, sign in found]


def null_for_all_sizes(u: sp.Expr) -> bool:
    """True when the zeros of u are a null set for every size: u has no sum, or it is a sum of different entries, times numbers.

    >>> y, i, n = sp.IndexedBase("y", real=True), sp.Symbol("i", integer=True), sp.Symbol("n", integer=True, positive=True)
    >>> null_for_all_sizes(y[i] - 1), null_for_all_sizes(sp.Sum(2*y[i], (i, 1, n))), null_for_all_sizes(sp.Sum(y[i]*y[1], (i, 1, n)))
    (True, True, False)
    """
    if isinstance(u, sp.Sum):
        number, entry = u.function.as_coeff_Mul()
        own = [i for i, _, _ in limits(u)]
        return bool(number != 0 and isinstance(entry, sp.Indexed) and entry.is_real and not entry.is_rational
                    and len(set(own) & set(entry.indices)) == len(own) and all(lo == 1 and hi.is_positive for _, lo, hi in limits(u)))
    if u.has(sp.Sum) or any(s.is_integer or not s.is_real for s in u.free_symbols - _letters(u)):
        return False
    return is_null(u.xreplace({e: sp.Dummy(str(e), **{"positive" if e.is_positive else "real": True}) for e in u.atoms(sp.Indexed)}))


def lettered(u: sp.Expr) -> sp.Expr:
    """``u`` with a letter for each index of its sums."""
    free = iter(c for c in "ijklmnpqrstuvw" if all(c != s.name for s in u.free_symbols))
    bound = dict.fromkeys(i for node in sp.preorder_traversal(u) if isinstance(node, sp.Sum) for i, _, _ in limits(node))
    return u.xreplace({i: sp.Symbol(letter, integer=True) for i, letter in zip(bound, free, strict=False)})


def _letters(u: sp.Expr) -> set[sp.Basic]:
    """The indices of its entries."""
    return {s for e in u.atoms(sp.Indexed) for i in e.indices for s in i.free_symbols} | {e.base.label for e in u.atoms(sp.Indexed)}
