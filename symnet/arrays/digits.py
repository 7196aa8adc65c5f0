"""Places written in several digits: Σ_c Σ_i Σ_j [m = HW c + W i + j] x[c, i, j] has one term, whose indices are the digits of m."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symnet.core.axes import Range, bounds, inside
from symnet.core.expressions import Limits


def all_digits(condition: sp.Basic, over: tuple[Limits, ...],
                spans: Mapping[sp.Symbol, Range]) -> dict[sp.Symbol, sp.Expr] | None:
    """Several such equations, each for some of the indices: the rows and the columns of a Kronecker product."""
    found: dict[sp.Symbol, sp.Expr] = {}
    for part in sp.And.make_args(condition):
        digits = _digits(part, tuple(t for t in over if t[0] in part.free_symbols), spans)
        if digits is None or found.keys() & digits.keys():
            return None
        found |= digits
    return found if len(found) == len(over) else None


def _digits(condition: sp.Basic, over: tuple[Limits, ...], spans: Mapping[sp.Symbol, Range]) -> dict[sp.Symbol, sp.Expr] | None:
    """Σ_c Σ_i Σ_j [m = HW c + W i + j] x[c, i, j] has one term: its indices are the digits of m, to the bases C, H and W.

    None where the condition is of another kind, or m may not be reached.
    """
    if not isinstance(condition, sp.Eq):
        return None
    left = sp.expand(condition.lhs - condition.rhs)
    sign = -1 if any(left.coeff(i, 1) == 1 for i, _, _ in over) else 1
    stride, digits, waiting = sp.S.One, [], list(over)
    while waiting:  # the last digit has stride 1, the one before as many as the last has values, …
        found = next((t for t in waiting if sp.expand(sign * left.coeff(t[0], 1) + stride) == 0), None)
        if found is None:
            return None
        waiting.remove(found)
        digits.append((found, stride))
        stride = sp.expand(stride * (found[2] - found[1] + 1))
    place = sp.expand(sign * left.xreplace({i: lo for i, lo, _ in over}))  # counts from 0
    span = bounds(place, spans)
    if span is None or not inside(span, (sp.S.Zero, stride - 1)):
        return None
    return {i: lo + sp.Mod(sp.floor(place / s), hi - lo + 1) for (i, lo, hi), s in digits}
