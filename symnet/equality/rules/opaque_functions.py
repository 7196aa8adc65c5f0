"""What has no rule of its own: one generator each, keyed by normal forms, so that equal ones are one."""

from __future__ import annotations

from typing import Any

import sympy as sp

from symnet.core.expressions import Nabla, When, limits
from symnet.core.functions import TABLE
from symnet.core.matrices import Det, InverseEntry, Rows
from symnet.equality.basis_forms import in_exp
from symnet.equality.generators import Generators, Rule
from symnet.errors import UnknownNodeError


def atom(basis: Generators, expr: sp.Expr) -> sp.Symbol:
    """max, tan and what else has a row in the table of functions, keyed by the normal forms of its arguments."""
    if expr.func not in TABLE:
        raise UnknownNodeError("equality", f"no rule for {expr.func.__name__}", "an expression of the program language")
    return basis.generator(expr.func.__name__, tuple(map(basis.key, expr.args)), expr)


def power_apart(basis: Generators, expr: sp.Pow) -> sp.Symbol:
    """A power that may be complex."""
    return basis.generator("power", (basis.key(expr.base), basis.key(expr.exp)), expr)


def _odd(basis: Generators, expr: sp.Expr) -> sp.Expr:
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


def _matrix_key(basis: Generators, expr: Det | InverseEntry) -> tuple[Any, ...]:
    matrix, *places = expr.args
    rows = tuple(map(basis.key, matrix.args)) if isinstance(matrix, Rows) else _canonical(matrix)
    return rows, *map(sp.expand, places)


def _canonical(expr: sp.Expr) -> sp.Tuple:
    """The sum in a form in which the names of bound indices do not matter."""
    rename = {i: sp.Symbol(f"_{k}", integer=True) for k, (i, _, _) in enumerate(limits(expr))}
    over = [sp.Tuple(rename[i], lo.xreplace(rename), hi.xreplace(rename)) for i, lo, hi in limits(expr)]
    return sp.Tuple(sp.expand(expr.function.xreplace(rename)), *over)


def _matrix(basis: Generators, expr: Det | InverseEntry) -> sp.Symbol:
    return basis.generator(expr.func.__name__, _matrix_key(basis, in_exp(expr)), expr)


def _whole(basis: Generators, expr: sp.Expr) -> sp.Symbol:
    return basis.generator("whole", in_exp(expr), expr)


RULES = (
    Rule(sp.Indexed, lambda basis, node: basis.generator("entry", (node.base, *map(sp.expand, node.indices)), node)),
    Rule(Nabla, lambda basis, node: basis.generator("nabla", (basis.key(node.loss), basis.key(node.point)), node)),
    Rule(sp.Sum, lambda basis, node: basis.generator("sum", _canonical(in_exp(node)), node)),
    Rule(Det, _matrix), Rule(InverseEntry, _matrix), Rule(sp.Piecewise, _whole), Rule(When, _whole),
    Rule(type(sp.pi), lambda basis, node: basis.generator("pi", node, node)),
    Rule(sp.atan, _odd), Rule(sp.erf, _odd),
)
