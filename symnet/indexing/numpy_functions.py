"""NumPy's functions that are formulas of others, written once in NumPy's own words.

They hold for every array that answers NumPy's ufuncs and functions itself: arrays of symbolic sizes, and arrays of symbolic entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from symnet.errors import OptionError


def _is(option: Any) -> bool:
    """Was an option given?"""
    return option is not None and option is not np._NoValue


def average(x: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: Any = False) -> Any:
    """The mean, or with weights the weighted mean."""
    if returned:
        raise OptionError("np.average", "returned=True", "the mean alone")
    if weights is None:
        return np.mean(x, axis=axis, keepdims=bool(_is(keepdims) and keepdims))
    if np.ndim(weights) != np.ndim(x):
        if np.ndim(weights) != 1 or not isinstance(axis, int):
            raise OptionError("np.average", "weights of another shape", "weights of the same shape, or one for each place of an axis")
        weights = weights[tuple(slice(None) if k == axis % np.ndim(x) else None for k in range(np.ndim(x)))]
    over = {"axis": axis, "keepdims": bool(_is(keepdims) and keepdims)}
    return np.sum(x * weights, **over) / np.sum(np.broadcast_to(weights, np.shape(x)), **over)


def clip(x: Any, a_min: Any = None, a_max: Any = None, **more: Any) -> Any:
    """min(max(x, lowest), highest)."""
    low, high = more.get("min", a_min), more.get("max", a_max)
    made = np.maximum(x, low) if _is(low) else x
    return np.minimum(made, high) if _is(high) else made


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """The root of the sum of squares; with ord=1 the sum of sizes."""
    rank = 1 if isinstance(axis, int) else np.ndim(x) if axis is None else len(axis)
    if ord is None or (ord == "fro" and rank == 2) or (ord == 2 and rank == 1):
        return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=bool(keepdims)))
    if ord == 1 and rank == 1:
        return np.sum(np.absolute(x), axis=axis, keepdims=bool(keepdims))
    raise OptionError("np.linalg.norm", f"ord={ord}", "the Euclidean norm", "np.sqrt(np.sum(x**2))")


def _row(x: Any) -> Any:
    return x if np.ndim(x) == 1 else np.ravel(x)


def dot(x: Any, y: Any) -> Any:
    """The last axis of x with the last but one of y."""
    if not np.ndim(x) or not np.ndim(y):
        return np.multiply(x, y)
    if np.ndim(x) <= 2 and np.ndim(y) <= 2:
        return np.matmul(x, y)
    return np.tensordot(x, y, axes=((np.ndim(x) - 1,), (max(np.ndim(y) - 2, 0),)))


def inner(x: Any, y: Any) -> Any:
    """The last axes of both."""
    return np.tensordot(x, y, axes=((np.ndim(x) - 1,), (np.ndim(y) - 1,))) if np.ndim(x) and np.ndim(y) else np.multiply(x, y)


def vdot(x: Any, y: Any) -> Any:
    """Of both as one row."""
    return inner(_row(x), _row(y))


def outer(x: Any, y: Any) -> Any:
    """Every entry of x times every entry of y."""
    return np.multiply(_row(x)[:, None], _row(y)[None, :])


def kron(x: Any, y: Any) -> Any:
    """The Kronecker product of matrices; a vector is a row."""
    a, b = (v if np.ndim(v) == 2 else _row(v)[None, :] for v in (x, y))
    (m, n), (p, q) = np.shape(a), np.shape(b)
    made = np.multiply(a[:, None, :, None], b[None, :, None, :])
    return np.reshape(made, (m * p, n * q) if max(np.ndim(x), np.ndim(y)) == 2 else (n * q,))


def ptp(x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """The largest entry less the smallest."""
    over = {"axis": axis, "keepdims": bool(_is(keepdims) and keepdims)}
    return np.max(x, **over) - np.min(x, **over)


def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Each entry less the one before it, n times."""
    ends = [np.broadcast_to(e, [1 if k == axis % np.ndim(x) else s for k, s in enumerate(np.shape(x))]) if not np.ndim(e) else e
            for e in (prepend, append) if _is(e)]
    parts = [*ends[:_is(prepend)], x, *ends[int(_is(prepend)):]]
    made = np.moveaxis(np.concatenate(parts, axis=axis) if ends else x, axis, -1)
    for _ in range(n):
        made = made[..., 1:] - made[..., :-1]
    return np.moveaxis(made, -1, axis)


COMPOSED: dict[str, tuple[Callable[..., Any], int]] = {  # and how many of the arguments by place are arrays
    "average": (average, 1), "clip": (clip, 1), "norm": (norm, 1), "ptp": (ptp, 1), "diff": (diff, 1), "dot": (dot, 2), "inner": (inner, 2),
    "vdot": (vdot, 2), "outer": (outer, 2), "kron": (kron, 2), "multi_dot": (lambda arrays: reduce(dot, arrays), 0),
}


def composed(name: str, args: Sequence[Any], options: Mapping[str, Any], lift: Callable[[Any], Any]) -> Any:
    """A function of the table, with its arrays made by ``lift``."""
    function, count = COMPOSED[name]
    more = {k: lift(v) if k == "weights" and v is not None else v for k, v in options.items()}
    return function(*map(lift, args[:count]), *args[count:], **more)
