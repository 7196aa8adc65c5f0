"""NumPy's functions that are formulas of others, written once in NumPy's own words.

They hold for every array that answers NumPy's ufuncs and functions itself: arrays of symbolic sizes, and arrays of symbolic entries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np

from symnet.errors import OptionError

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _is(option: Any) -> bool:
    """Was an option given?"""
    return option is not None and option is not np._NoValue


def fits(dtype: Any, whole: bool) -> bool:
    """Are numbers, or ``whole`` ones, what they are where they are added up in this dtype, if any is given?"""
    if not _is(dtype):
        return True
    given = np.dtype(dtype)
    return given.itemsize >= 4 and (given.kind == "f" or (whole and given.kind in "iu"))


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


def var(x: Any, axis: Any = None, dtype: Any = None, ddof: int = 0, keepdims: Any = False, where: Any = True, mean: Any = None,
        correction: Any = None) -> Any:
    """The sum of the squares of what is left after the mean, divided by how many there are less ddof."""
    if (_is(where) and where is not True) or _is(mean):
        raise OptionError("np.var", "where= or mean=", "the variance of whole axes")
    left = np.subtract(x, np.mean(x, axis=axis, dtype=dtype, keepdims=True))
    axes = range(np.ndim(x)) if axis is None else (axis,) if isinstance(axis, int) else axis
    count = prod(np.shape(x)[k] for k in axes)
    over = {"axis": axis, "keepdims": bool(_is(keepdims) and keepdims)}
    return np.divide(np.sum(np.square(left), **over), count - (correction if _is(correction) else ddof))


def std(x: Any, *args: Any, **options: Any) -> Any:
    """The root of the variance."""
    return np.sqrt(var(x, *args, **options))


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
    return tensordot(x, y, axes=((np.ndim(x) - 1,), (max(np.ndim(y) - 2, 0),)))


def tensordot(x: Any, y: Any, axes: Any = 2) -> Any:
    """The product summed over axes of both, those that are left of x before those of y."""
    left, right = "".join(LETTERS[:np.ndim(x)]), list(LETTERS[np.ndim(x):np.ndim(x) + np.ndim(y)])
    given = (range(np.ndim(x) - axes, np.ndim(x)), range(axes)) if isinstance(axes, int) else axes
    pairs = ([k] if isinstance(k, int) else k for k in given)
    for i, j in zip(*pairs, strict=True):
        if np.shape(x)[i] != np.shape(y)[j]:
            raise OptionError("np.tensordot", f"shapes {np.shape(x)} and {np.shape(y)}", "inner sizes that agree", "a transpose")
        right[j] = left[i]
    result = [c for c in (*left, *right) if (c in left) + (c in right) == 1]
    return einsum(f"{left},{''.join(right)}->{''.join(result)}", x, y)


def inner(x: Any, y: Any) -> Any:
    """The last axes of both."""
    return tensordot(x, y, axes=((np.ndim(x) - 1,), (np.ndim(y) - 1,))) if np.ndim(x) and np.ndim(y) else np.multiply(x, y)


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


def _table(x: Any) -> Any:
    return x[None, :] if np.ndim(x) == 1 else x


def vstack(arrays: Any, **_: Any) -> Any:
    """One under another; a vector is a row."""
    return np.concatenate([_table(x) for x in arrays], axis=0)


def hstack(arrays: Any, **_: Any) -> Any:
    """One beside another."""
    return np.concatenate(arrays, axis=int(np.ndim(arrays[0]) > 1))


def column_stack(arrays: Any) -> Any:
    """One beside another; a vector is a column."""
    return np.concatenate([x[:, None] if np.ndim(x) == 1 else x for x in arrays], axis=1)


def take(x: Any, indices: Any, axis: Any = None) -> Any:
    """The places of an axis that indices name."""
    return np.ravel(x)[indices] if axis is None else x[(slice(None),) * (axis % np.ndim(x)) + (indices,)]


def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Each entry less the one before it, n times."""
    ends = [np.broadcast_to(e, [1 if k == axis % np.ndim(x) else s for k, s in enumerate(np.shape(x))]) if not np.ndim(e) else e
            for e in (prepend, append) if _is(e)]
    parts = [*ends[:_is(prepend)], x, *ends[int(_is(prepend)):]]
    made = np.moveaxis(np.concatenate(parts, axis=axis) if ends else x, axis, -1)
    for _ in range(n):
        made = made[..., 1:] - made[..., :-1]
    return np.moveaxis(made, -1, axis)


def einsum(subscripts: Any, *operands: Any, **_: Any) -> Any:
    """The product of all, each with its axes along their letters, summed over the letters that the result lacks."""
    if not isinstance(subscripts, str):
        raise OptionError("np.einsum", "subscripts as lists", "text such as 'ij,jk->ik'")
    if all(x.dtype == bool for x in operands):
        raise OptionError("np.einsum", "a product of arrays of truths, whose sum says whether any holds", "one of them as numbers")
    terms, result = _subscripts(subscripts, [np.ndim(x) for x in operands])
    sizes: dict[str, Any] = {}
    for term, x in zip(terms, operands, strict=True):
        if len(term) != np.ndim(x):
            raise OptionError("np.einsum", f"{term!r} for an array of {np.ndim(x)} axes", "one letter for each axis")
        for letter, size in zip(term, np.shape(x), strict=True):
            known = sizes.setdefault(letter, size)
            if known != size and known != 1 and size != 1:
                raise OptionError("np.einsum", f"sizes {known} and {size} for {letter!r}", "one size for each letter")
    if len(set(result)) < len(result) or set(result) - sizes.keys():
        raise OptionError("np.einsum", f"the result {result!r}", "letters of the arrays, each once")
    letters = [*result, *[c for c in sizes if c not in result]]
    made = reduce(np.multiply, [_lined(x, term, letters) for x, term in zip(operands, terms, strict=True)])
    return np.sum(made, axis=tuple(range(len(result), len(letters)))) if len(letters) > len(result) else made


def _subscripts(text: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The letters of each array and of the result, with letters of their own for the axes that "..." stands for."""
    left, arrow, right = text.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise OptionError("np.einsum", f"{len(ranks)} arrays for {left!r}", f"{len(terms)}")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in text]
    widths = [rank - len(t.replace("...", "")) for t, rank in zip(terms, ranks, strict=True) if "..." in t]
    dots = "".join(spare[:max(widths, default=0)])
    terms = [t.replace("...", dots[len(dots) - (rank - len(t) + 3):]) if "..." in t else t for t, rank in zip(terms, ranks, strict=True)]
    if not arrow:
        right = dots + "".join(sorted(c for c in set("".join(terms)) - set(dots) if "".join(terms).count(c) == 1))
    return terms, right.replace("...", dots)


def _lined(x: Any, term: str, letters: Sequence[str]) -> Any:
    """``x`` with its axes in the order of ``letters``, 1 where it has none, a repeated letter as a diagonal."""
    while len(set(term)) < len(term):
        letter = next(c for c in term if term.count(c) > 1)
        i, j = [k for k, c in enumerate(term) if c == letter][:2]
        x = np.diagonal(x, axis1=i, axis2=j)
        term = "".join(c for k, c in enumerate(term) if k not in (i, j)) + letter
    order = [term.index(c) for c in letters if c in term]
    turned = x if order == sorted(order) else np.transpose(x, order)
    return turned if len(letters) == len(term) else turned[tuple(slice(None) if c in term else None for c in letters)]


ONE, TWO, NO, REST = slice(1), slice(2), slice(0), slice(1, None)  # which of the arguments by place are arrays
COMPOSED: dict[str, tuple[Callable[..., Any], slice]] = {
    "average": (average, ONE), "var": (var, ONE), "std": (std, ONE),
    "clip": (clip, ONE), "norm": (norm, ONE), "ptp": (ptp, ONE), "diff": (diff, ONE), "dot": (dot, TWO),
    "tensordot": (tensordot, TWO), "inner": (inner, TWO), "vdot": (vdot, TWO), "outer": (outer, TWO), "kron": (kron, TWO),
    "einsum": (einsum, REST),
    "vstack": (vstack, NO), "hstack": (hstack, NO), "column_stack": (column_stack, NO), "take": (take, ONE),
    "multi_dot": (lambda arrays: reduce(dot, arrays), NO),
}


def composed(name: str, args: Sequence[Any], options: Mapping[str, Any], lift: Callable[[Any], Any]) -> Any:
    """A function of the table, with its arrays made by ``lift``."""
    function, arrays = COMPOSED[name]
    given = list(args)
    given[arrays] = map(lift, given[arrays])
    return function(*given, **{k: lift(v) if k == "weights" and v is not None else v for k, v in options.items()})
