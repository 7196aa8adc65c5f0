"""Sums without their own term: what is left of v_i/(1 - p_i) - p_i Σ_j v_j/(1 - p_j) where one share p is nearly 1.

The slope of a loss with log(1 - p), p a softmax, has V_i - p_i Σ_j V_j with V = v p/(1 - p): of the largest share both are huge, and equal
but for the last digits. V_i - p_i V_i is v_i p_i, so it is v_i p_i - p_i Σ_{j≠i} V_j, and nothing is lost.
"""

from __future__ import annotations

import sympy as sp

from symnet.arrays import stable_functions as st
from symnet.arrays.canonical import same
from symnet.arrays.exponentials import place_in
from symnet.core.expressions import limits


def without_own(expr: sp.Expr) -> sp.Expr:
    """``expr`` with the pairs of terms that cancel put together."""
    if not expr.has(st.others) or not expr.has(sp.Sum):
        return expr
    if isinstance(expr, sp.Mul):
        return sp.Mul(*[_paired(f) if isinstance(f, sp.Add) else f for f in expr.args])
    return _paired(expr) if isinstance(expr, sp.Add) else expr


def _paired(total: sp.Add) -> sp.Expr:
    for term in total.args:
        for left in [f for f in sp.Mul.make_args(term) if isinstance(f, sp.Pow) and f.exp == -1 and isinstance(f.base, st.others)]:
            for other in total.args:
                made = _pair(term, left.base, other) if other is not term else None
                if made is not None:
                    return _paired_again(sp.Add(*[t for t in total.args if t is not term and t is not other], made))
    return total


def _paired_again(expr: sp.Expr) -> sp.Expr:
    return _paired(expr) if isinstance(expr, sp.Add) else expr


def _pair(term: sp.Expr, complement: sp.Expr, other: sp.Expr) -> sp.Expr | None:
    """V_i - p_i (Σ V + more) where ``term`` is V_i, which has 1/(1 - p_i) for the ``complement`` 1 - p_i."""
    e, whole = complement.args
    share = st.share(e, whole) if e.has(sp.exp) else e
    factors = list(sp.Mul.make_args(other))
    if share not in factors:
        return None
    factors.remove(share)
    place = place_in(e, whole)
    for k, f in enumerate(factors if place is not None else ()):
        rest = [*factors[:k], *factors[k + 1:]]
        for total in sp.Add.make_args(f):
            if sp.Mul(*rest) == -1 and isinstance(total, sp.Sum) and len(total.limits) == 1 \
                    and same(total.function.xreplace({limits(total)[0][0]: place}), term):
                return sp.Add(term * complement, -share * st.sum_of_others(term, total), *[-share * t for t in [f - total] if t != 0])
    return None
