"""Functions written with exp, log and step, as their rows in ``core.functions`` say."""

from __future__ import annotations

import sympy as sp

from symnet.core.expressions import BINDERS, entries
from symnet.core.functions import TABLE, leaky_relu, relu
from symnet.errors import UnknownNodeError


def in_exp(expr: sp.Basic) -> sp.Basic:
    """``expr`` with sigmoid, tanh, softplus, relu, |·|, … written with exp, log and step, inside out."""
    if not expr.args or isinstance(expr, sp.Indexed):
        return expr
    if isinstance(expr, BINDERS):
        return expr.func(in_exp(expr.function), *expr.limits)
    args = tuple(in_exp(a) if isinstance(a, sp.Expr) else a for a in expr.args)
    row = TABLE.get(expr.func)
    if row is not None and row.in_exp is not None:
        written = by_row(expr, args)
        return in_exp(written) if any(TABLE.get(n.func) and TABLE[n.func].in_exp for n in sp.preorder_traversal(written)
                                      if isinstance(n, sp.Function)) else written
    return expr if args == expr.args else expr.func(*args)


def by_row(expr: sp.Basic, args: tuple[sp.Expr, ...]) -> sp.Expr:
    """The function of ``expr`` at other arguments, written as its row in the table says."""
    if expr.func in (sp.Abs, relu, leaky_relu) and not all(e.is_extended_real for a in expr.args for e in entries(a)):
        raise UnknownNodeError("equality", f"{TABLE[expr.func].name} of a complex number", "real numbers")
    return TABLE[expr.func].in_exp(*args)  # type: ignore[misc]
