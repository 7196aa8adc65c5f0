"""Places that come from data: P[n, y[n]] is Σ_c [c = y[n] + 1] P[n, c], and E[x] is the rows of E that x names; take, gather and
scatter_add read and write along one axis so.

The entries of an index tensor count from 0, as positions in an array do; the places of a program count from 1, hence the + 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symnet.core.expressions import When, asks_data, entries, limits, of_data, substitute, total
from symnet.core.tensors import Tensor, tensor_name
from symnet.errors import ShapeError
from symnet.indexing.index_array import IndexArray, align, meet, number, renamed, same, sum_over
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


def taken(where: str, value: IndexArray, place: IndexArray, axis: int, tensors: Mapping[str, Tensor]) -> IndexArray:
    """take(X, y, axis): in place of the axis, those of y (NumPy's take)."""
    _of_classes(where, place.expr, tensors)
    made = looked_up(value, [place], [axis], (), where)
    named, rest = made.dims[:len(place.dims)], made.dims[len(place.dims):]
    return replace(made, dims=(*rest[:axis], *named, *rest[axis:]))


def gathered(where: str, value: IndexArray, place: IndexArray, axis: int, tensors: Mapping[str, Tensor]) -> IndexArray:
    """take_along_axis(X, Y, axis): the entry at Y[n, k] of row n (NumPy's; PyTorch's gather)."""
    _of_classes(where, place.expr, tensors)
    _of_one_shape(where, value, place, axis)
    return looked_up(value, [place], [axis], [(k, k) for k in range(len(value.dims)) if k != axis], where)


def added_at(where: str, value: IndexArray, place: IndexArray, more: IndexArray, axis: int, tensors: Mapping[str, Tensor]) -> IndexArray:
    """scatter_add(X, axis, Y, S): X[n, c] + Σ_k [c = Y[n, k] + 1] S[n, k], PyTorch's, also for places that repeat."""
    _of_classes(where, place.expr, tensors)
    _of_one_shape(where, value, place, axis)
    if len(place.dims) != len(more.dims) or not all(same(a.size, b.size) for a, b in zip(place.dims, more.dims, strict=True)):
        raise ShapeError(where, f"places of shape {place.shape} for values of shape {more.shape}", "one place for each value")
    value = renamed(value)
    dims, (at, added) = align([place, more], where)
    own, joined = value.dims[axis], list(dims)
    mapping: dict[sp.Symbol, sp.Expr] = {}
    for k, dim in enumerate(value.dims):
        if k != axis:
            joined[k], met = meet(dims[k], dim, where)
            mapping |= met
    if len(own.parts) != 1:
        raise ShapeError(where, f"an axis of size {own.size} to add along", "an axis of its own")
    ((c, axis_),) = own.parts
    body = When(substitute(added, mapping), sp.Eq(c, substitute(at, mapping) + axis_.lower))
    summed = sum_over(IndexArray((*joined[:axis], own, *joined[axis:]), body), [axis + 1])
    return replace(summed, expr=value.put(mapping) + summed.expr)


def _of_one_shape(where: str, value: IndexArray, place: IndexArray, axis: int) -> None:
    """Refuse places whose other axes are not those of the array."""
    sizes = [(a.size, b.size) for k, (a, b) in enumerate(zip(value.dims, place.dims, strict=False)) if k != axis]
    if len(value.dims) != len(place.dims) or not all(same(a, b) for a, b in sizes):
        raise ShapeError(where, f"places of shape {place.shape} along axis {axis} of shape {value.shape}", "the same other axes")


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
