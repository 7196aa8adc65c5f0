"""Arithmetic of arrays as NumPy has it, for text: shapes that do not fit are refused by name, with a hint."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import sympy as sp

from symnet.core.axes import Axis
from symnet.errors import MismatchError, ParseError, ShapeError
from symnet.indexing.index_array import Dim, IndexArray, align, contract, new_indices, same, sum_over

LETTERS = re.compile(r"[A-Za-z]*(?:,[A-Za-z]*)*(?:->[A-Za-z]*)?\Z")


def broadcast(where: str, sign: str, *values: IndexArray) -> tuple[tuple[Dim, ...], list[sp.Expr]]:
    """Line the trailing axes up, as NumPy does; an axis of size 1 stretches. Raises MismatchError naming both shapes."""
    for k in range(1, max(len(v.dims) for v in values) + 1):
        wide = [v.dims[-k].size for v in values if len(v.dims) >= k and v.dims[-k].size != 1]
        if not all(same(n, wide[0]) for n in wide):
            shapes = " and ".join(v.shape for v in values)
            raise MismatchError(where, f"shapes {shapes} with {sign}", "shapes that line up from the right",
                                "'@' for a matrix product" if sign == "'*'" else "")
    return align(values, where)


def elementwise(where: str, sign: str, function: Callable[..., sp.Expr], *values: IndexArray) -> IndexArray:
    """``function`` entry by entry."""
    if not any(v.dims for v in values):
        return IndexArray((), function(*[v.expr for v in values]))
    dims, entries = broadcast(where, sign, *values)
    return IndexArray(dims, function(*entries))


def matmul(where: str, a: IndexArray, b: IndexArray, outer_meant: bool = True) -> IndexArray:
    """a @ b for vectors and matrices; of two vectors that do not fit, ``outer_meant`` says that the matrix may be meant, v @ w.T."""
    if not a.dims or not b.dims or len(a.dims) > 2 or len(b.dims) > 2:
        raise ShapeError(where, f"{a.shape} @ {b.shape}", "vectors or matrices", "'*' for a product with a number")
    left, right = a.dims[-1].size, b.dims[0].size
    if not same(left, right):
        hint = ""
        if len(b.dims) == 2 and same(left, b.dims[1].size):
            hint = "transpose the right one: @ ….T"
        elif len(a.dims) == 2 and same(a.dims[0].size, right):
            hint = "transpose the left one: ….T @"
        if len(a.dims) == len(b.dims) == 1:
            kind = ShapeError if outer_meant else MismatchError
            raise kind(where, f"{a.shape} @ {b.shape}: {left} is not {right}", "equal sizes", "outer(v, w) for the matrix")
        raise MismatchError(where, f"{a.shape} @ {b.shape}: {left} is not {right}", "equal inner sizes", hint)
    rows, columns = "i" * (len(a.dims) - 1), "j" * (len(b.dims) - 1)
    return contract((a, b), (rows + "k", "k" + columns), rows + columns, where)


def outer(a: IndexArray, b: IndexArray) -> IndexArray:
    """a b^T of two vectors."""
    return contract((a, b), ("i", "j"), "ij", "outer")


def einsum(where: str, letters: str, values: Sequence[IndexArray]) -> IndexArray:
    """NumPy's einsum: einsum('nd,n->d', X, r) is the sum over n of X[n, d] r[n].

    Each letter is an index; what stands behind the arrow stays, in that order, the rest is summed. Without an arrow the letters that
    stand once stay, in alphabetical order. Raises ShapeError where one letter stands on axes of two sizes.
    """
    text = "".join(letters.split())
    if not LETTERS.match(text):
        raise ParseError(where, f"the letters {letters!r}", "letters for each array, such as 'nd,n->d'")
    left, arrow, kept = text.partition("->")
    parts = left.split(",")
    kept = kept if arrow else "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
    if len(parts) != len(values) or [len(p) for p in parts] != [len(v.dims) for v in values]:
        shapes = ", ".join(v.shape for v in values)
        raise ShapeError(where, f"the letters {text!r} for arrays of shape {shapes}", "one letter for each axis of each array")
    sizes: dict[str, sp.Expr] = {}
    for part, value in zip(parts, values, strict=True):
        for letter, dim in zip(part, value.dims, strict=True):
            if not same(sizes.setdefault(letter, dim.size), dim.size):
                raise ShapeError(where, f"the letter {letter} on axes of sizes {sizes[letter]} and {dim.size}",
                                 "one size for each letter")
    if len(set(kept)) != len(kept) or not set(kept) <= sizes.keys():
        raise ParseError(where, f"the letters {kept!r} behind the arrow", "letters from before it, each once")
    return contract(values, parts, kept, where, first_inside=True)


def reduce_sum(where: str, value: IndexArray, axis: int | None, keepdims: bool = False) -> IndexArray:
    """The sum over all axes or one; counted from the end when negative. An axis that is kept has one place."""
    which = list(range(len(value.dims))) if axis is None else [axis_number(where, value, axis)]
    return with_axes(sum_over(value, which, keepdims))


def with_axes(value: IndexArray) -> IndexArray:
    """The same with an index for every axis, those of one place too."""
    return replace(value, dims=tuple(d if d.parts else Dim(d.size, ((*new_indices("i"), Axis.of(d.size)),)) for d in value.dims))


def count(value: IndexArray, axis: int | None) -> sp.Expr:
    """How many entries a reduction takes together."""
    return sp.Mul(*[d.size for d in value.dims]) if axis is None else value.dims[axis].size


def axis_number(where: str, value: IndexArray, axis: int) -> int:
    """An axis counted from the front. Raises ShapeError where there is none."""
    if not -len(value.dims) <= axis < len(value.dims):
        raise ShapeError(where, f"axis {axis} of shape {value.shape}", f"an axis from 0 to {len(value.dims) - 1}")
    return axis % len(value.dims)


def fitted(value: IndexArray, axes: tuple[Axis, ...]) -> IndexArray | None:
    """``value`` with these axes, where NumPy would stretch it to them or only axes of size 1 are too many; else None."""
    kept = [d for d in value.dims if d.size != 1]
    wide = [a for a in axes if a.size != 1]
    if len(kept) == len(wide) and all(same(d.size, a.size) for d, a in zip(kept, wide, strict=True)):
        rest = iter(kept)
        shaped = tuple(next(rest) if a.size != 1 else Dim(sp.S.One) for a in axes)
        value = replace(value, dims=shaped, expr=value.put({i: a.lower for d in value.dims if d.size == 1 for i, a in d.parts}))
    elif len(value.dims) > len(axes) or not broadcasts(value.axes, axes):
        return None
    target = IndexArray.over(axes, new_indices(axes), sp.S.Zero)
    dims, (_, expr) = align((target, value), "fitted")
    return replace(value, dims=dims, expr=expr)


def broadcasts(axes: tuple[Axis, ...], wanted: tuple[Axis, ...]) -> bool:
    """Would NumPy's broadcast_to stretch an array with these axes to the wanted ones?"""
    last = wanted[len(wanted) - len(axes):]
    return len(axes) <= len(wanted) and all(a.size == 1 or same(a.size, b.size) for a, b in zip(axes, last, strict=True))
