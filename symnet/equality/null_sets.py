"""Is {u = 0} a set of measure zero? Only such a set may be left out of a claim that holds "almost everywhere".

Two proofs. If u is a polynomial in one symbol v, whose coefficients do not depend on v, and a coefficient is 0 on a null set at most,
then for almost all values of the other symbols u has finitely many zeros in v: by Fubini's theorem its zeros are a null set, whatever
functions the coefficients are. Else piece by piece: where the signs of what its cases ask about are fixed, u is one formula; the zeros
of an analytic function that is not 0 everywhere on a convex domain are a null set (Mityagin 2015), and so are the borders of the
pieces. min(x, 4) - 4 fails both tests: it is 0 for all x > 4.
"""

from __future__ import annotations

from itertools import islice, product
from math import prod

import sympy as sp

from symnet.core.number_sets import is_finite, numbers_of
from symnet.equality.cases import CLOSED, analytic, asked_of, first_case, in_steps, is_real, outcome, put
from symnet.equality.fractions import TooLarge
from symnet.equality.refuting import refute
from symnet.equality.region_signs import Facts, FactSigns
from symnet.errors import SymnetError

MOST_PIECES, MOST_PARTS, DEEPEST = 48, 600, 4


def is_null(u: sp.Expr) -> bool:
    """True when the zeros of ``u`` are shown to have measure zero among the values that its symbols may have.

    >>> x, y = sp.symbols("x y", real=True)
    >>> is_null(x**2 - y), is_null(sp.Min(x, 4) - 4), is_null(y - sp.Max(x, 0))
    (True, False, True)
    """
    try:
        return all(_shown(u.xreplace(there), DEEPEST) for there in _convex(u))
    except (TooLarge, SymnetError, ZeroDivisionError, RecursionError, ValueError, TypeError):
        return False


def _convex(u: sp.Expr) -> list[dict[sp.Basic, sp.Expr]]:
    """What to put for the symbols whose numbers form no convex set, in every way: each member of a finite one, each side of a missing 0.

    Among finitely many numbers none is a null set.
    """
    split = {s: numbers_of(s).pieces for s in sorted(u.free_symbols, key=str) if (s.is_Symbol and len(numbers_of(s).pieces) > 1)
             or is_finite(s)}
    if prod(map(len, split.values())) > MOST_PIECES:
        raise TooLarge(f"more than {MOST_PIECES} pieces")
    ways = product(*[[p.members[0] if p.members else sp.Symbol(str(s), **p.facts) for p in pieces] for s, pieces in split.items()])
    return [dict(zip(split, way, strict=True)) for way in ways]


def _shown(u: sp.Expr, depth: int) -> bool:
    if u.is_Rational:
        return bool(u != 0)
    if sum(1 for _ in islice(sp.preorder_traversal(u), MOST_PARTS)) >= MOST_PARTS or not is_real(u):
        return False
    above = sp.fraction(sp.together(u))[0] if u.has(sp.Pow) else u
    if above.is_Mul:
        return all(_shown(f.base if f.is_Pow else f, depth) for f in above.args)
    return _in_one_symbol(above, depth) or _Pieces().null(in_steps(above), ())


def continuous_symbol(s: sp.Basic) -> bool:
    """True for a symbol that takes the values of an interval; sizes, indices and classes do not."""
    return bool(isinstance(s, sp.Symbol) and not s.is_integer and s.is_rational is not True and s.is_real)


def _in_one_symbol(u: sp.Expr, depth: int) -> bool:
    """Is u a polynomial in some symbol, with a coefficient whose zeros are a null set? Coefficients are read off, not worked out."""
    if depth == 0:
        return False
    for v in sorted(filter(continuous_symbol, u.free_symbols), key=str):
        coefficients = coefficients_in(u, v)
        if coefficients is not None and any(power and c != 0 and _shown(c, depth - 1) for power, c in coefficients.items()):
            return True
    return False


def coefficients_in(u: sp.Expr, v: sp.Symbol) -> dict[int, sp.Expr] | None:
    """The powers of ``v`` in a sum of products with what stands beside them, or None where v stands within anything else."""
    found: dict[int, sp.Expr] = {}
    for term in sp.Add.make_args(u):
        power, rest = 0, list[sp.Expr]()
        for factor in sp.Mul.make_args(term):
            base, exponent = factor.as_base_exp() if factor.is_Pow else (factor, sp.S.One)
            if base == v and exponent.is_Integer and exponent > 0:
                power += int(exponent)
            elif v in factor.free_symbols:
                return None
            else:
                rest.append(factor)
        found[power] = found.get(power, sp.S.Zero) + sp.Mul(*rest)
    return found


class _Pieces:
    """The pieces of one expression, counted."""

    def __init__(self) -> None:
        self.count = 0

    def null(self, u: sp.Expr, facts: Facts) -> bool:
        self.count += 1
        if self.count > MOST_PIECES:
            raise TooLarge(f"more than {MOST_PIECES} pieces")
        case = first_case(u)
        if case is None:
            return self._leaf(u, facts)
        asked = asked_of(case)
        if not self._leaf(asked, facts):
            return False  # perhaps on its border all over a piece
        for sign in (1, -1):
            here = (*facts, (sign * asked, True))
            if FactSigns(sp.S.One, here).possible and not self.null(put(u, {case: outcome(case, sign)}), here):
                return False
        return True

    @staticmethod
    def _leaf(u: sp.Expr, facts: Facts) -> bool:
        """One formula, somewhere not 0."""
        u = sp.fraction(sp.together(u))[0]
        if u.is_Rational:
            return bool(u != 0)
        return not u.has(*CLOSED, sp.nan, sp.zoo, sp.oo) and analytic(u) and refute(u, sp.S.Zero) is not None
