"""Weighted sums of exponentials, Σ w e^u, and of shares of a softmax, Σ w e^u/Σ e^u."""

from __future__ import annotations

import sympy as sp

from symnet.arrays.canonical import same
from symnet.arrays.stable_functions import share
from symnet.core.expressions import limits


def split_weight(term: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
    """(w, u) where ``term`` is w exp(u) with a weight w, of which no factor is an exponential; None otherwise."""
    factors = sp.Mul.make_args(term)
    tops = [f for f in factors if isinstance(f, sp.exp)]
    if not tops or len(tops) == len(factors):
        return None
    return sp.Mul(*[f for f in factors if f not in tops]), sp.Add(*[t.args[0] for t in tops])


def weighted_exponentials(total: sp.Basic) -> tuple[sp.Expr, sp.Expr, bool] | None:
    """(w, u, False) where ``total`` is Σ w exp(u) along one axis."""
    found = split_weight(total.function) if isinstance(total, sp.Sum) and len(total.limits) == 1 else None
    return None if found is None else (*found, False)


def weighted_shares(total: sp.Basic) -> tuple[sp.Expr, sp.Expr, bool] | None:
    """(w, u, True) where ``total`` is Σ w exp(u)/Σ exp(u) along one axis."""
    if not isinstance(total, sp.Sum) or len(total.limits) != 1:
        return None
    bound, lo, hi = limits(total)[0]
    factors = sp.Mul.make_args(total.function)
    for f in factors:
        if len(factors) > 1 and isinstance(f, share) and isinstance(f.args[0], sp.exp) and isinstance(f.args[1], sp.Sum):
            (own, *ends), *_ = limits(f.args[1])
            if ends == [lo, hi] and same(f.args[1].function.xreplace({own: bound}), f.args[0]):
                return sp.Mul(*[g for g in factors if g is not f]), f.args[0].args[0], True
    return None
