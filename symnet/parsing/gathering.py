"""Places that come from data: P[n, y[n]] is Σ_c [c = y[n] + 1] P[n, c], and E[x] is the rows of E that x names.

The entries of an index tensor count from 0, as positions in an array do; the places of a program count from 1, hence the + 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symnet.core.expressions import When, asks_data, entries, limits, of_data, total
from symnet.core.tensors import Tensor, tensor_name
from symnet.errors import ShapeError
from symnet.indexing.index_array import IndexArray, number
from symnet.indexing.places import looked_up


def asks(place: IndexArray) -> bool:
    """True for a place that is an entry of a tensor, or an array of such."""
    return of_data(place.expr)


def entry_at(where: str, value: IndexArray, places: Sequence[IndexArray], tensors: Mapping[str, Tensor]) -> IndexArray:
    """One entry, or with an array for the only place the rows that it names."""
    rows = len(places) == 1 and bool(places[0].axes)
    if not rows and (len(places) != len(value.axes) or any(p.axes for p in places)):
        raise ShapeError(where, f"{len(places)} indices", f"{len(value.axes)} single ones, or one array of whole numbers")
    if not value.axes:
        raise ShapeError(where, "an index on a single number", "a vector or a matrix")
    for place in places:
        if asks(place):
            _of_classes(where, place.expr, tensors)
    from_zero = [p if asks(p) else replace(p, expr=p.expr - a.lower) for p, a in zip(places, value.axes, strict=False)]
    return looked_up(value, from_zero, range(len(places)), (), where)


def inside(value: IndexArray, tensors: Mapping[str, Tensor], function: Callable[[IndexArray], IndexArray]) -> IndexArray:
    """f(P[n, y[n]]) as Σ_c [c = y[n] + 1] f(P[n, c]): the sum has one term, since y[n] is one of the classes of its axis."""
    expr = value.expr
    if value.axes or not isinstance(expr, sp.Sum) or len(expr.limits) != 1 or not asks_data(expr.function):
        return function(value)
    ((c, low, high),) = limits(expr)
    entry = next(entries(expr.function.condition))
    tensor = tensors.get(tensor_name(entry))
    if tensor is None or tensor.ignored is not None or tensor.classes is None or sp.expand(high - low + 1 - tensor.classes) != 0 \
            or expr.function.condition != sp.Eq(c, entry + low):
        return function(value)
    return number(total(When(function(number(expr.function.body)).expr, expr.function.condition), ((c, low, high),)))


def _of_classes(where: str, place: sp.Expr, tensors: Mapping[str, Tensor]) -> None:
    """Refuse a place that is no entry of an index tensor."""
    entry = next(entries(place))
    tensor = tensors.get(tensor_name(entry))
    if place != entry or tensor is None or tensor.domain != "index":
        raise ShapeError(where, f"the index {place}", "indices, sizes and entries of a symbol of the domain \"index\"",
                         'domain = "index" for an array of whole numbers')
