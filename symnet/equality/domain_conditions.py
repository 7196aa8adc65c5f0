"""Where an expression may be undefined: divisors, roots, powers and logarithms, as it was written."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symnet.core.expressions import Limits, Nabla, When, limits
from symnet.core.functions import sigmoid
from symnet.core.matrices import Det, Grid, InverseEntry


def holes(expr: sp.Basic, sure: bool = False, seen: set[sp.Basic] | None = None) -> Iterator[tuple[sp.Expr, str]]:
    """What ``expr`` divides by and takes roots, powers and logarithms of, as it was written: sqrt(relu(u)) asks for nothing.

    Only where it certainly has no value with ``sure``: u^v asks for u > 0, but for a whole number v it has a value below 0 too. A part that
    stands in many places, as the values of a layer do in an entry of a deep network, is looked at once: ``seen`` are those.
    """
    seen = set() if seen is None else seen
    if expr in seen:
        return
    seen.add(expr)
    if isinstance(expr, sp.log):
        yield expr.args[0], "<="
    elif isinstance(expr, InverseEntry):
        yield Det(expr.matrix), "="
    elif isinstance(expr, sp.Pow):
        whole = bool(expr.exp.is_integer)
        if not (whole and expr.exp.is_nonnegative) and not (sure and not expr.exp.is_Rational):
            yield expr.base, "=" if whole else "<" if expr.exp.is_Rational and expr.exp > 0 else "<="
    if not isinstance(expr, (sp.Sum, Grid, sp.Piecewise, When, Nabla, sp.Indexed)):
        for arg in expr.args:
            yield from holes(arg, sure, seen)


AS_READ = ", as a power with a variable exponent is read"


def read_as_positive(*exprs: sp.Basic) -> set[sp.Expr]:
    """The bases that are read as positive because their exponent varies, though the power has values below 0 where that is whole."""
    powers = {p for e in exprs for p in e.atoms(sp.Pow) if not p.exp.is_Rational and p.exp.is_integer is not True}
    return {p.base for p in powers if not surely_defined(p.base, "<=")}


def indexed_holes(expr: sp.Basic, over: tuple[Limits, ...] = ()) -> Iterator[tuple[sp.Expr, str, tuple[Limits, ...]]]:
    """The holes of ``expr`` and of the terms of its sums, each with the indices of the sums that it stands under."""
    yield from ((u, sign, over) for u, sign in holes(expr))
    for part in _outermost_sums(expr):
        yield from indexed_holes(part.function, (*over, *limits(part)))


def _outermost_sums(expr: sp.Basic) -> Iterator[sp.Sum]:
    if isinstance(expr, sp.Sum):
        yield expr
    elif not isinstance(expr, (Grid, sp.Piecewise, When, Nabla, sp.Indexed)):
        for arg in expr.args:
            yield from _outermost_sums(arg)


def surely_defined(expr: sp.Expr, sign: str) -> bool:
    """True when ``expr`` is shown never to be where the hole is: a sum of positive terms, an exp, a nonzero number."""
    if _plainly_positive(expr):
        return True
    return bool(expr.is_positive or (sign == "=" and expr.is_nonzero) or (sign == "<" and expr.is_nonnegative))


def _plainly_positive(expr: sp.Expr) -> bool:
    """A sum or product of positive numbers and names, exps and sigmoids of real numbers: seen without SymPy's questions."""
    if isinstance(expr, (sp.exp, sigmoid)):
        return _plainly_real(expr.args[0])
    if isinstance(expr, (sp.Add, sp.Mul)):
        return all(_plainly_positive(a) for a in expr.args)
    return bool((expr.is_Rational or expr.is_Symbol) and expr.is_positive)


def _plainly_real(expr: sp.Expr) -> bool:
    if isinstance(expr, (sp.Add, sp.Mul, sp.exp, sigmoid, sp.tanh)):
        return all(_plainly_real(a) for a in expr.args)
    if isinstance(expr, sp.Pow) and expr.exp.is_Integer:
        return _plainly_real(expr.base) if expr.exp > 0 else _plainly_positive(expr.base)
    return bool((expr.is_Rational or expr.is_Symbol) and expr.is_real)
