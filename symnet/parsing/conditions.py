"""Conditions as numbers: [i = j] on indices, [z > 0] on numbers, and products with them."""

from __future__ import annotations

import sympy as sp

from symnet.core.expressions import When
from symnet.core.functions import step


def indicator(condition: sp.Basic) -> sp.Expr:
    """1 where the condition holds, else 0: a bracket on indices, a step for numbers."""
    if condition in (sp.true, sp.false):
        return sp.Integer(condition is sp.true)
    if on_indices(condition):
        return When(sp.S.One, oriented(condition))
    if isinstance(condition, sp.And):
        return sp.Mul(*[indicator(c) for c in condition.args])
    u, v = condition.args
    if isinstance(condition, (sp.Gt, sp.Le)):
        return step(u - v) if isinstance(condition, sp.Gt) else 1 - step(u - v)
    if isinstance(condition, (sp.Lt, sp.Ge)):
        return step(v - u) if isinstance(condition, sp.Lt) else 1 - step(v - u)
    return sp.Piecewise((1, condition), (0, True), evaluate=False)


def on_indices(condition: sp.Basic) -> bool:
    """True for a comparison of indices and sizes alone."""
    return not condition.has(sp.Indexed) and all(s.is_integer for s in condition.free_symbols) and condition not in (sp.true, sp.false)


def under(expr: sp.Expr, condition: sp.Basic) -> sp.Expr:
    """[condition] expr, a sum of brackets each on its own; t > 1 is written t >= 2."""
    whole = sp.And(*[_not_strict(c) for c in sp.And.make_args(oriented(condition))])
    if isinstance(expr, sp.Add) and all(isinstance(term, When) for term in expr.args):
        return sp.Add(*[When(term.body, sp.And(whole, term.condition)) for term in expr.args])
    return When(expr.body, sp.And(whole, expr.condition)) if isinstance(expr, When) else When(expr, whole)


def _not_strict(condition: sp.Basic) -> sp.Basic:
    if isinstance(condition, sp.Gt):
        return sp.Ge(condition.lhs, condition.rhs + 1)
    return sp.Le(condition.lhs, condition.rhs - 1) if isinstance(condition, sp.Lt) else condition


def oriented(condition: sp.Basic) -> sp.Basic:
    """Comparisons with the index on the left, as symnet writes them: 1 <= i becomes i >= 1."""
    if isinstance(condition, sp.And):
        return sp.And(*[oriented(c) for c in condition.args])
    moving = [any(not s.is_positive for s in side.free_symbols) for side in condition.args]
    return condition.reversed if moving == [False, True] else condition


def times(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """a·b; a bracket takes in the whole product, so that what it guards is not looked at where it fails."""
    if isinstance(a, When):
        return When(times(a.body, b), a.condition)
    return When(times(a, b.body), b.condition) if isinstance(b, When) else a * b
