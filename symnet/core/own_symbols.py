"""Expressions in the SymPy objects that a user wrote, in place of the engine's, and numbers put in for them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Protocol, runtime_checkable

import sympy as sp

from symnet.core.expressions import in_cases
from symnet.core.numbers import rational
from symnet.core.tensors import tensor_name
from symnet.errors import NameError_, OptionError, did_you_mean


@runtime_checkable
class SympyObject(Protocol):
    """A SymPy symbol or expression; SymPy has no types of its own to name."""

    @property
    def free_symbols(self) -> set[Any]:
        """The symbols in it."""


def named_by(name: Any, symbols: Mapping[str, Any]) -> Any:
    """The name of a symbol of the user's; anything else as it is. A mutable matrix, which has no hash, names nothing."""
    if not isinstance(name, sp.Basic):
        return name if isinstance(name, Hashable) else str(name)
    return next((known for known, own in symbols.items() if own == name), str(name))


def in_own(expr: sp.Expr, symbols: Mapping[str, Any]) -> sp.Expr:
    """``expr`` with ``symbols[name]`` for the number, array or size called name, and brackets as cases; a MatrixSymbol counts from 0.

    >>> x, X = sp.Symbol("x", real=True), sp.Symbol("x")
    >>> in_own(x**2, {"x": X}).free_symbols == {X}
    True
    """
    if not symbols:
        return expr
    table: dict[sp.Basic, sp.Basic] = {s: symbols[s.name] for s in expr.atoms(sp.Symbol) if isinstance(symbols.get(s.name), sp.Symbol)
                                       and (s.is_positive or not s.is_integer)}
    for e in sorted(expr.atoms(sp.Indexed), key=lambda e: len(e.atoms(sp.Indexed))):
        own = symbols.get(tensor_name(e))
        places = [p.xreplace(table) for p in e.indices]
        if isinstance(own, sp.MatrixSymbol):
            table[e] = own[tuple(sp.expand(p - 1) for p in places)]
        elif own is not None:
            table[e] = own[tuple(places)]
    return in_cases(expr.xreplace(table))


def put_in(expr: sp.Expr, values: Mapping[Any, Any], symbols: Mapping[str, Any]) -> sp.Expr:
    """``expr`` with exact values for names or symbols. Raises NameError_ for a name that there is not, OptionError for an array."""
    table: dict[sp.Basic, sp.Basic] = {}
    for key, value in values.items():
        own = symbols.get(key) if isinstance(key, str) else key
        if own is None:
            raise NameError_("subs", f"no symbol named {key!r}", "a name of the program", did_you_mean(key, symbols))
        if isinstance(own, (sp.IndexedBase, sp.MatrixSymbol)):
            raise OptionError("subs", f"a value for the array {key}", "numbers for numbers and sizes", "d.at({...}) for arrays")
        table[own] = value if isinstance(value, sp.Expr) else rational(value)
    return expr.subs(table, simultaneous=True)
