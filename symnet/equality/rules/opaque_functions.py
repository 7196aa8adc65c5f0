"""What has no rule of its own: one generator each, keyed by normal forms, so that equal ones are one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy as sp

from symnet.core.expressions import Nabla, When, limits
from symnet.core.functions import TABLE
from symnet.core.matrices import Det, InverseEntry, Rows
from symnet.equality.basis_forms import in_exp
from symnet.errors import UnknownNodeError

if TYPE_CHECKING:
    from symnet.equality.normal import Basis

ODD = (sp.atan, sp.erf)


def atom(basis: Basis, expr: sp.Basic) -> sp.Expr:
    """arctan, erf, max, cases, sums, tensor entries, powers that may be complex."""
    if isinstance(expr, sp.Pow):
        return basis.generator("power", (basis.key(expr.base), basis.key(expr.exp)), expr)
    if isinstance(expr, sp.Indexed):
        return basis.generator("entry", (expr.base, *map(sp.expand, expr.indices)), expr)
    if isinstance(expr, Nabla):
        return basis.generator("nabla", (basis.key(expr.loss), basis.key(expr.point)), expr)
    if isinstance(expr, sp.Sum):
        return basis.generator("sum", _canonical(in_exp(expr)), expr)
    if isinstance(expr, (Det, InverseEntry)):
        return basis.generator(expr.func.__name__, _matrix_key(basis, in_exp(expr)), expr)
    if isinstance(expr, (sp.Piecewise, When)):
        return basis.generator("whole", in_exp(expr), expr)
    if expr is sp.pi:
        return basis.generator("pi", expr, expr)
    if isinstance(expr, ODD):
        return _odd(basis, expr)
    if expr.func in TABLE:
        return basis.generator(expr.func.__name__, tuple(map(basis.key, expr.args)), expr)
    raise UnknownNodeError("equality", f"no rule for {expr.func.__name__}", "an expression of the program language")


def _odd(basis: Basis, expr: sp.Expr) -> sp.Expr:
    """f(-u) = -f(u): one generator for both, its argument with a positive leading coefficient."""
    ring, value = basis.normal(expr.args[0])
    if value.is_zero:
        return sp.S.Zero
    lead = value.below.leading_coefficient()
    above, below = value.above / lead, value.below / lead
    minus = above.leading_coefficient() < 0
    key = ring.back(-above if minus else above), ring.back(below)
    made = basis.generator(expr.func.__name__, key, expr.func(key[0] / key[1], evaluate=False))
    return -made if minus else made


def _matrix_key(basis: Basis, expr: Det | InverseEntry) -> tuple[Any, ...]:
    matrix, *places = expr.args
    rows = tuple(map(basis.key, matrix.args)) if isinstance(matrix, Rows) else _canonical(matrix)
    return rows, *map(sp.expand, places)


def _canonical(expr: sp.Expr) -> sp.Tuple:
    """The sum in a form in which the names of bound indices do not matter."""
    rename = {i: sp.Symbol(f"_{k}", integer=True) for k, (i, _, _) in enumerate(limits(expr))}
    over = [sp.Tuple(rename[i], lo.xreplace(rename), hi.xreplace(rename)) for i, lo, hi in limits(expr)]
    return sp.Tuple(sp.expand(expr.function.xreplace(rename)), *over)
