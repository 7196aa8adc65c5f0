"""A wrong formula of a page: what it should be, and the slip where one is found and confirmed."""

from __future__ import annotations

from typing import Any

import sympy as sp

from symnet.checking.pages.page_names import Names
from symnet.checking.slips.kinds import Mistake
from symnet.core.derivation import Derivation
from symnet.core.numbers import decimal
from symnet.core.text import text


def formula_slip(names: Names, left: sp.Symbol, expr: sp.Expr) -> dict[str, Any]:
    """The right formula and value of ``left``, and how ``expr`` came about."""
    more = formula_truth(names, left)
    found = _diagnosed(names, left, expr)
    here = names.value(expr)
    gives = "" if here is None else f"this formula gives {decimal(here, 8).text}"
    said = "; ".join(filter(None, (found["slip"] if found else "", gives)))
    return more | (found or {}) | {"slip": said or "it is not equal to what stands on the left"}


def said_of(slip: Mistake) -> dict[str, Any]:
    """What a page says of a slip."""
    return {"slip": slip.message, "kind": slip.kind, "hint": slip.hint}


def formula_truth(names: Names, left: sp.Symbol) -> dict[str, Any]:
    """The right formula and value."""
    local, value = names.local(left), names.value(left)
    shown = {"value": decimal(value, 8).text} if value is not None else {}
    return {"correct": "" if local is None else as_page(names, local), **shown}


def as_page(names: Names, expr: sp.Expr) -> str:
    """An expression with slopes as a page writes them: dL/da2 for dL_da2."""
    there = {s: sp.Symbol(_written(names, s), real=True) for s in expr.free_symbols}
    return text(expr.xreplace(there))


def _written(names: Names, atom: sp.Basic) -> str:
    tensor = names.tensors.get(str(atom))
    if tensor is not None and tensor.of:
        return f"d{tensor.objective}/d{tensor.of}"
    return names.called.get(atom, str(atom)) if str(atom).endswith("_new") else str(atom)


def _diagnosed(names: Names, left: sp.Symbol, expr: sp.Expr) -> dict[str, str] | None:
    """The slip in a wrong gradient, in names of the forward pass."""
    tensor = names.tensors.get(str(left))
    if tensor is None or not tensor.of:
        return None
    derivation: Derivation | None = names.all if tensor.objective == names.derivation.objective else \
        names.parts.get((tensor.objective, tensor.of))
    if derivation is None:
        return None
    known = {t[()] for t in derivation.program.tensors.values()}
    answer = _in_names(names, expr, known, 0)
    if answer.free_symbols - known:
        return None
    from symnet.checking.slips.search import slip_of  # much to load, and few pages need it

    slip = slip_of(answer, derivation, tensor.of)
    return None if slip is None else said_of(slip)


def _in_names(names: Names, expr: sp.Expr, known: set[sp.Basic], depth: int) -> sp.Expr:
    """Slopes and the page's own names put in, the names of the forward pass kept."""
    there = {}
    for s in expr.free_symbols - known:
        local = names.local(s)
        if local is not None and depth < 20:
            there[s] = _in_names(names, local, known, depth + 1)
    return expr.xreplace(there)
