"""Where a text has no value although its expression has one: SymPy shortens x*y/x to y and sqrt(x)**2 to x while it builds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import sympy as sp

from symnet.parsing.values import Hole, Value

ASKING = {"log": "<=", "ln": "<=", "log2": "<=", "log10": "<=", "sqrt": "<"}


def with_holes(value: Value, asked: Iterable[Hole]) -> Value:
    """``value`` with what its text asked for and its expression no longer does.

    >>> from symnet.parsing.program import expression, tensor_of
    >>> expression("x*y/x", {"x": tensor_of("x", ()), "y": tensor_of("y", ())}).holes
    ((x, '='),)
    """
    plain = [(u, sign) for u, sign in dict.fromkeys(asked) if all(s.is_Symbol for s in u.free_symbols) and not u.has(sp.Sum, sp.Indexed)]
    still = _asked_by(value.expr) if plain else set()
    lost = tuple((u, sign) for u, sign in plain if not _within(u, sign, still))
    return replace(value, holes=lost) if lost else value


def rules_out(condition: sp.Basic, u: sp.Expr) -> bool:
    """Does the condition say that u is not 0? x > 0 does of x and of 2 x."""
    if isinstance(condition, sp.And):
        return any(rules_out(c, u) for c in condition.args)
    if not isinstance(condition, (sp.Gt, sp.Lt, sp.Ne)):
        return False
    gap = sp.expand(condition.lhs - condition.rhs)
    return gap != 0 and bool((sp.expand(u) / gap).is_number)


def _within(u: sp.Expr, sign: str, still: set[Hole]) -> bool:
    """Does the expression still ask for it? 1/(x y) asks by 1/x and 1/y."""
    if (u, sign) in still:
        return True
    return sign == "=" and all(f.is_number or (f.as_base_exp()[0], sign) in still for f in sp.Mul.make_args(u))


def _asked_by(expr: sp.Expr) -> set[Hole]:
    found: set[Hole] = set()
    for part in sp.preorder_traversal(expr):
        if isinstance(part, sp.log):
            found.add((part.args[0], "<="))
        elif isinstance(part, sp.Pow) and part.exp.is_Integer and part.exp < 0:
            found.add((part.base, "="))
        elif isinstance(part, sp.Pow) and not part.exp.is_Integer:
            found.add((part.base, "<" if part.exp.is_Rational and part.exp > 0 else "<="))
    return found
