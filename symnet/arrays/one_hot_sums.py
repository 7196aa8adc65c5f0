"""Sums that a class chooses from: Σ_c [c = y[n] + 1] u[c] is u at one place, and Σ_n [v = y[n] + 1] D[n] adds up rows by class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sympy as sp

from symnet.core.axes import Range
from symnet.core.expressions import Limits, When, entries, of_data, total
from symnet.core.tensors import Tensor, entry_indices, tensor_name


@dataclass(frozen=True, slots=True)
class Rows:
    """``body`` summed over ``over``, each term added at ``place`` of the index ``label``."""

    label: sp.Symbol
    place: sp.Expr
    body: sp.Expr
    over: tuple[Limits, ...]


def taken(body: When, over: tuple[Limits, ...], tensors: Mapping[str, Tensor]) -> sp.Expr | None:
    """The sum without one index that a class fixes; None where there is none."""
    parts = _parts(body.condition)
    for limit in over:
        for part in parts:
            place = _fixed(part, limit[0])
            if place is None:
                continue
            rest = [p.xreplace({limit[0]: place}) for p in parts if p is not part]
            if not sure(place, limit[1:], tensors, rest):
                rest += [sp.Ge(place, limit[1]), sp.Le(place, limit[2])]
            return total(When(body.body.xreplace({limit[0]: place}), sp.And(*rest)), tuple(t for t in over if t is not limit))
    return None


def gathered(body: When, over: tuple[Limits, ...], labels: Iterable[sp.Symbol]) -> Rows | None:
    """The sum as rows added up, one row for each class; None where it is none such."""
    bound = {t[0] for t in over}
    parts = _parts(body.condition)
    for part in parts:
        for label in labels:
            place = _fixed(part, label)
            rest = sp.And(*[p for p in parts if p is not part])
            if place is None or label in body.body.free_symbols | rest.free_symbols:
                continue
            used = {s for e in entries(place) for p in entry_indices(e) for s in p.free_symbols}
            if used and used <= bound:
                inner = total(When(body.body, rest), tuple(t for t in over if t[0] not in used))
                return Rows(label, place, inner, tuple(t for t in over if t[0] in used))
    return None


def sure(place: sp.Expr, span: Range, tensors: Mapping[str, Tensor], given: Iterable[sp.Basic] = ()) -> bool:
    """True when a place y[n] + 1 lies in 1..classes, as declared of y; an ignored class must be ruled out by ``given``."""
    entry = next(entries(place), None)
    tensor = None if entry is None else tensors.get(tensor_name(entry))
    if tensor is None or tensor.classes is None or sp.expand(place - entry) != span[0]:
        return False
    kept = tensor.ignored is None or any(isinstance(g, sp.Ne) and sp.Integer(tensor.ignored) in g.args and entry in g.args for g in given)
    return kept and sp.expand(span[1] - span[0] + 1 - tensor.classes) == 0


def _parts(condition: sp.Basic) -> tuple[sp.Basic, ...]:
    return condition.args if isinstance(condition, sp.And) else (condition,)


def _fixed(condition: sp.Basic, symbol: sp.Symbol) -> sp.Expr | None:
    """What an equation that asks for data says an index is."""
    if not isinstance(condition, sp.Eq) or not of_data(condition):
        return None
    gap = sp.expand(condition.lhs - condition.rhs)
    factor = gap.coeff(symbol, 1)
    value = sp.expand(symbol - gap * factor)
    return value if factor in (1, -1) and symbol not in value.free_symbols else None
