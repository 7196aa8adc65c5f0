"""Lines that are the same but for the names of their tensors: the shape of one, and the same line with other names.

A network of many equal layers has many lines of few shapes. What holds of a line for all values of its tensors holds of every line of
its shape, with the names put in.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from operator import is_
from typing import Any

import sympy as sp
from sympy.core.add import _addsort
from sympy.core.mul import _mulsort

SORTS = {sp.Add: _addsort, sp.Mul: _mulsort}


def shape_of(expr: sp.Basic, numbers: dict[str, int]) -> Hashable:
    """What ``expr`` is with numbers for the names of its tensors, in the order in which they come; ``numbers`` grows by new names.

    >>> x, y, z = sp.symbols("x y z", real=True)
    >>> shape_of(x * (x + y), {}) == shape_of(y * (y + z), {}), shape_of(x * y, {}) == shape_of(x * x, {})
    (True, False)
    """
    if isinstance(expr, sp.Indexed):
        places = tuple(p if p.is_Symbol or p.is_Integer else shape_of(p, numbers) for p in expr.indices)
        return sp.Indexed, numbers.setdefault(expr.base.label.name, len(numbers)), *places
    if isinstance(expr, sp.Symbol):
        return expr if expr.is_integer else (sp.Symbol, numbers.setdefault(expr.name, len(numbers)))
    args = expr.args
    return (expr.func, *[shape_of(a, numbers) for a in args]) if args else expr


def renamed(expr: Any, there: Mapping[sp.Basic, sp.Basic], made: dict[sp.Basic, Any]) -> Any:
    """``expr`` with other symbols: no two become one, so that nothing cancels, and sums and products are only put in order anew.

    ``made`` keeps what was renamed so.

    >>> x, y, z = sp.symbols("x y z")
    >>> renamed(2 * x * (x + y), {x: z, y: x}, {})
    2*z*(x + z)
    """
    kind = type(expr)
    if kind is sp.Indexed:
        base, *places = expr.args
        if not all(p.is_Symbol or p.is_Integer for p in places):
            places = [renamed(p, there, made) for p in places]
        return there.get(base, base)[tuple(places)]
    args = expr.args
    if not args:
        return there.get(expr, expr)
    found = made.get(expr)
    if found is None:
        new = [renamed(a, there, made) for a in args]
        found = made[expr] = expr if all(map(is_, args, new)) else _with_args(expr, new)
    return found


def _with_args(expr: Any, new: list[Any]) -> Any:
    sort = SORTS.get(expr.func)
    if sort is not None:
        first = [new.pop(0)] if new[0].is_Number else []
        if _in_order(expr.args[len(first):], sort):
            sort(new)
        return expr.func._from_args([*first, *new], expr.is_commutative)
    if expr.func is sp.Sum:
        again = sp.Expr.__new__(sp.Sum, *new)
        again.is_commutative = expr.is_commutative
        return again
    return expr.func(*new)


def _in_order(args: tuple[sp.Basic, ...], sort: Any) -> bool:
    """True for arguments in the order that SymPy gives them; some are kept as they were written."""
    ordered = list(args)
    sort(ordered)
    return all(map(is_, args, ordered))
