"""Functions that have no value at some places, or one that is too large for a machine: what stands under a bracket or in a case is computed
at every place, and there such a function must be taken of something else where the bracket fails."""

from __future__ import annotations

import sympy as sp

from symnet.arrays.stable_functions import expm1, log1p
from symnet.core.expressions import When, entries

PARTLY_DEFINED = (sp.exp, sp.log, sp.sinh, sp.cosh, expm1, log1p, sp.Pow)


def is_partly_defined(expr: sp.Expr) -> bool:
    """True for a function of this kind; a power with a positive whole exponent is none."""
    return isinstance(expr, PARTLY_DEFINED) and not (expr.is_Pow and expr.exp.is_Integer and expr.exp > 0)


def defined(expr: sp.Expr) -> bool:
    """True for a function that has a value wherever its arguments have, and for one of numbers and sizes alone.

    >>> x, n = sp.Symbol("x", real=True), sp.Symbol("n", integer=True, positive=True)
    >>> defined(1/x), defined(x**2), defined(sp.log(1 + x**2)), defined(1/n)
    (False, True, True, True)
    """
    if not is_partly_defined(expr):
        return True
    base = expr.args[0]
    if isinstance(expr, (sp.log, sp.Pow)) and _is_positive(base):
        return True
    return next(entries(base), None) is None and all(s.is_positive for s in base.free_symbols)


def _is_positive(expr: sp.Expr) -> bool:
    """True for what is above 0 wherever it is computed."""
    if isinstance(expr, sp.Sum):
        return _is_positive(expr.function)
    return not expr.has(When) and bool(expr.is_positive)
