"""det(M) M⁻¹ as the adjugate of M, which every square matrix has: the slope of a determinant where it is 0.

The chain rule gives ∂ det M/∂M = det(M) M⁻ᵀ, which holds where M has an inverse; the matrix of cofactors is the same there, and the
slope everywhere, as a determinant is a polynomial of the entries (Magnus & Neudecker 2019, §8.3).
"""

from __future__ import annotations

import sympy as sp

from symnet.arrays.canonical import same
from symnet.arrays.switched_off import Looked
from symnet.core.expressions import rebuild
from symnet.core.matrices import AdjugateEntry, Det, InverseEntry


def with_adjugates(expr: sp.Expr, unfold: Looked) -> sp.Expr:
    """``expr`` with products of a determinant and entries of the inverse of its matrix as entries of the adjugate.

    ``unfold`` gives the right side of a name that holds a determinant.
    """
    if not expr.has(InverseEntry):
        return expr
    expr = rebuild(expr, tuple(with_adjugates(a, unfold) if isinstance(a, sp.Expr) else a for a in expr.args))
    if not isinstance(expr, sp.Mul):
        return expr
    for f in expr.args:
        base, count = f.as_base_exp()
        if not (count.is_Integer and count > 0):
            continue
        whole = (unfold(base) if isinstance(base, (sp.Indexed, sp.Symbol)) else None) or base
        for det in sp.Mul.make_args(whole):
            of, power = det.as_base_exp()
            if not (isinstance(of, Det) and power.is_Integer and power > 0):
                continue
            for g in expr.args:
                made = _times(g, of.matrix) if g is not f else None
                if made is not None:
                    left = whole**count / of
                    return sp.Mul(*[h for h in expr.args if h is not f and h is not g], left, made)
    return expr


def _times(expr: sp.Expr, matrix: sp.Expr) -> sp.Expr | None:
    """det(matrix) · ``expr``, which is made of entries of the inverse, each term with one; None for anything else."""
    if isinstance(expr, InverseEntry):
        return AdjugateEntry(*expr.args) if same(expr.matrix, matrix) else None
    if isinstance(expr, sp.Sum):
        inner = _times(expr.function, matrix)
        return None if inner is None else rebuild(expr, (inner, *expr.args[1:]))
    if isinstance(expr, sp.Add):
        terms = [_times(t, matrix) for t in expr.args]
        return None if any(t is None for t in terms) else sp.Add(*terms)
    if isinstance(expr, sp.Mul):
        for f in expr.args:
            made = _times(f, matrix)
            if made is not None:
                return sp.Mul(*[g for g in expr.args if g is not f], made)
    return None
