"""What is plainly positive or never negative, seen from how it is written: squares, exps, means of squares, their roots and sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp

from symnet.core.axes import nonnegative
from symnet.core.expressions import limits
from symnet.core.functions import relu, sigmoid, softplus, step
from symnet.core.program import Definition
from symnet.core.tensors import tensor_name

POSITIVE, NONNEGATIVE = "positive", "nonnegative"
Signs = Mapping[str, str]


def signs(definitions: Iterable[Definition]) -> dict[str, str]:
    """The definitions whose right sides are plainly positive or nonnegative, in an order in which each uses those before it.

    What is defined slice by slice is left out: each slice would have to be looked at, and a recurrence uses itself.
    """
    lines = tuple(definitions)
    names = [d.name for d in lines]
    found: dict[str, str] = {}
    for d in lines:
        sign = sign_of(d.expr, found) if names.count(d.name) == 1 else None
        if sign:
            found[d.name] = sign
    return found


def sign_of(expr: sp.Basic, known: Signs) -> str | None:
    """"positive", "nonnegative" or None where neither is plain. Real numbers throughout; wherever ``expr`` is defined."""
    if isinstance(expr, (sp.Rational, sp.Symbol, sp.Indexed)) or expr in (sp.pi, sp.E):
        if expr.is_positive:
            return POSITIVE
        own = None if isinstance(expr, sp.Rational) or expr in (sp.pi, sp.E) or expr.is_integer else known.get(tensor_name(expr))
        return own or (NONNEGATIVE if expr.is_nonnegative else None)
    if isinstance(expr, (sigmoid, softplus)) or (isinstance(expr, sp.exp) and _real(expr.args[0])):
        return POSITIVE
    if isinstance(expr, (sp.Abs, relu, step)):
        return NONNEGATIVE
    if isinstance(expr, (sp.Add, sp.Mul)):
        parts = [sign_of(a, known) for a in expr.args]
        if None in parts:
            return None
        some = any if isinstance(expr, sp.Add) else all
        return POSITIVE if some(p == POSITIVE for p in parts) else NONNEGATIVE
    if isinstance(expr, sp.Sum):
        inner = sign_of(expr.function, known)
        return NONNEGATIVE if inner == POSITIVE and not all(nonnegative(hi - lo) for _, lo, hi in limits(expr)) else inner
    return _power(expr, known) if isinstance(expr, sp.Pow) else None


def surely(u: sp.Expr, sign: str, known: Signs) -> bool:
    """True where a hole is plainly never met: u is positive, or not negative where that is enough."""
    found = sign_of(u, known)
    return found == POSITIVE or (sign == "<" and found == NONNEGATIVE)


def _power(expr: sp.Pow, known: Signs) -> str | None:
    base = sign_of(expr.base, known)
    if base == POSITIVE:
        return POSITIVE
    even = expr.exp.is_Integer and expr.exp % 2 == 0 and _real(expr.base)
    root = expr.exp.is_Rational and not expr.exp.is_Integer
    if even or root or base == NONNEGATIVE:
        return POSITIVE if expr.exp.is_negative else NONNEGATIVE
    return None


def _real(expr: sp.Basic) -> bool:
    """True when every name in it is a real number: then so is all that is made of them, where it is defined."""
    return all(e.is_extended_real for e in expr.atoms(sp.Symbol, sp.Indexed) if not (isinstance(e, sp.Symbol) and e.is_extended_real is None
               and any(e == x.base.label for x in expr.atoms(sp.Indexed))))
