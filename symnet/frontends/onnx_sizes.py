"""ONNX's arithmetic of shapes where a size is a name: the operators that exporters put together a shape with, on arrays of sizes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

Sizes = np.ndarray[Any, Any]
Of = Callable[[Sequence[Any], Mapping[str, Any]], Any]


def _held(value: Any) -> Sizes:
    """An array of sizes; of whole numbers where all are known."""
    made = np.asarray(value, dtype=object)
    if all(isinstance(n, int) or getattr(n, "is_Integer", False) for n in made.reshape(-1)):
        return np.asarray([int(n) for n in made.reshape(-1)], dtype=np.int64).reshape(made.shape)
    return made


def _integers(value: Any) -> list[int]:
    return [int(n) for n in np.asarray(value).reshape(-1)]


def _axes(given: Sequence[Any], attributes: Mapping[str, Any]) -> tuple[int, ...] | None:
    found = given[1] if len(given) > 1 and given[1] is not None else attributes.get("axes")
    return None if found is None else tuple(_integers(found))


def _slice(given: Sequence[Any], _: Mapping[str, Any]) -> Sizes:
    value, starts, ends = given[0], _integers(given[1]), _integers(given[2])
    axes = _integers(given[3]) if len(given) > 3 and given[3] is not None else list(range(len(starts)))
    steps = _integers(given[4]) if len(given) > 4 and given[4] is not None else [1] * len(starts)
    cuts = [slice(None)] * value.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        cuts[axis] = slice(start, end, step)
    return _held(value[tuple(cuts)])


def _quotient(a: Any, b: Any) -> Any:
    """A quotient of sizes, which goes without a rest where one is a multiple of the other."""
    whole = sp.cancel(sp.sympify(a, strict=True) / sp.sympify(b, strict=True))
    return whole if whole.is_integer else sp.floor(whole)


def _each(function: Callable[[Any, Any], Any]) -> Of:
    def rule(given: Sequence[Any], _: Mapping[str, Any]) -> Sizes:
        a, b = np.broadcast_arrays(*(np.asarray([sp.sympify(int(n) if isinstance(n, np.integer) else n, strict=True)
                                                 for n in np.asarray(v).reshape(-1)], dtype=object).reshape(np.shape(v)) for v in given))
        return _held(np.asarray([function(x, y) for x, y in zip(a.reshape(-1), b.reshape(-1), strict=True)], dtype=object).reshape(a.shape))
    return rule


def _where(given: Sequence[Any], _: Mapping[str, Any]) -> Sizes:
    return _held(np.where(np.asarray(given[0], dtype=bool), *(np.asarray(v, dtype=object) for v in given[1:])))


OF_SIZES: dict[str, Of] = {
    "Gather": lambda given, a: _held(np.take(given[0], np.asarray(given[1], dtype=np.int64), int(a.get("axis", 0)))),
    "Concat": lambda given, a: _held(np.concatenate([np.asarray(g, dtype=object) for g in given], int(a.get("axis", 0)))),
    "Unsqueeze": lambda given, a: _held(np.expand_dims(given[0], _axes(given, a) or (0,))),
    "Squeeze": lambda given, a: _held(np.squeeze(given[0], _axes(given, a))), "Cast": lambda given, a: given[0],
    "Identity": lambda given, a: given[0], "Slice": _slice, "Add": _each(lambda x, y: x + y), "Sub": _each(lambda x, y: x - y),
    "Mul": _each(lambda x, y: x * y), "Div": _each(_quotient), "Equal": _each(lambda x, y: sp.Integer(int(x == y))), "Where": _where,
    "ReduceProd": lambda given, a: _held(np.asarray(sp.Mul(*given[0].reshape(-1)), dtype=object).reshape(
        [1] if a.get("keepdims", 1) else [])),
    "Reshape": lambda given, a: _held(given[0].reshape(_integers(given[1]))),
}
