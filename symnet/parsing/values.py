"""What a piece of plain maths means: an index expression with one index for each axis, combined as NumPy combines arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.brackets import settle
from symnet.core.expressions import substitute
from symnet.core.program import Definition, Hole
from symnet.core.tensors import Tensor
from symnet.errors import MismatchError, ShapeError


@dataclass(frozen=True, slots=True)
class Value:
    """``expr`` depends on ``indices``, one for each of ``axes``. ``holes`` are where the text as it was written has no value,
    though ``expr`` has, because SymPy shortens while it builds: x*y/x has none at x = 0, sqrt(x)**2 none below 0. ``lines`` define the
    tensors that the expression uses and nobody declared: a maximum along an axis."""

    axes: tuple[Axis, ...]
    indices: tuple[sp.Symbol, ...]
    expr: sp.Expr
    holes: tuple[Hole, ...] = ()
    lines: tuple[Definition, ...] = ()

    @property
    def divisors(self) -> tuple[sp.Expr, ...]:
        """What the text divides by and the expression no longer does."""
        return tuple(u for u, sign, _ in self.holes if sign == "=")

    @property
    def shape(self) -> str:
        """The shape as text."""
        return "(" + ", ".join(str(a.size) for a in self.axes) + ("," if len(self.axes) == 1 else "") + ")"

    def at(self, *places: sp.Expr) -> sp.Expr:
        """The entry at ``places``."""
        return substitute(self.expr, dict(zip(self.indices, places, strict=True)))

    @property
    def transposed(self) -> Value:
        """Axes reversed; a vector is its own transpose, as in NumPy."""
        return Value(self.axes[::-1], self.indices[::-1], self.expr, self.holes, self.lines)


def number(expr: sp.Expr) -> Value:
    """A value without axes."""
    return Value((), (), expr)


def new_indices(axes: tuple[Axis, ...]) -> tuple[sp.Symbol, ...]:
    """Indices used nowhere else."""
    return tuple(sp.Dummy("i", integer=True) for _ in axes)


def of_tensor(tensor: Tensor) -> Value:
    """The whole tensor."""
    indices = new_indices(tensor.axes)
    return Value(tensor.axes, indices, tensor[indices] if indices else tensor[()])


def same(a: Axis, b: Axis) -> bool:
    """Axes that line up: equal ranges."""
    return bool(sp.expand(a.size - b.size) == 0)


def _is_one(axis: Axis) -> bool:
    return bool(axis.size == 1)


def broadcast(where: str, sign: str, *values: Value) -> tuple[tuple[Axis, ...], tuple[sp.Symbol, ...], list[sp.Expr]]:
    """Line the trailing axes up, as NumPy does; an axis of size 1 stretches. Raises ShapeError naming both shapes."""
    rank = max(len(v.axes) for v in values)
    axes: list[Axis] = []
    for k in range(rank, 0, -1):
        here = [v.axes[-k] for v in values if len(v.axes) >= k]
        wide = [a for a in here if not _is_one(a)] or here
        if not all(same(a, wide[0]) for a in wide):
            shapes = " and ".join(v.shape for v in values)
            raise MismatchError(where, f"shapes {shapes} with {sign}", "shapes that line up from the right",
                             "'@' for a matrix product" if sign == "'*'" else "")
        axes.append(wide[0])
    indices = new_indices(tuple(axes))
    exprs = []
    for v in values:
        places = []
        for own, index, axis in zip(v.axes, indices[rank - len(v.axes):], axes[rank - len(v.axes):], strict=True):
            shift = own.lower - axis.lower
            places.append(own.lower if _is_one(own) and not _is_one(axis) else index + shift)
        exprs.append(v.at(*places))
    return tuple(axes), indices, exprs


def elementwise(where: str, sign: str, function: Callable[..., sp.Expr], *values: Value) -> Value:
    """``function`` entry by entry."""
    axes, indices, exprs = broadcast(where, sign, *values)
    return Value(axes, indices, function(*exprs))


def matmul(where: str, a: Value, b: Value) -> Value:
    """a @ b for vectors and matrices."""
    if not a.axes or not b.axes or len(a.axes) > 2 or len(b.axes) > 2:
        raise ShapeError(where, f"{a.shape} @ {b.shape}", "vectors or matrices", "'*' for a product with a number")
    left, right = a.axes[-1], b.axes[0]
    if not same(left, right):
        hint = ""
        if len(b.axes) == 2 and same(left, b.axes[1]):
            hint = "transpose the right one: @ ….T"
        elif len(a.axes) == 2 and same(a.axes[0], right):
            hint = "transpose the left one: ….T @"
        if len(a.axes) == len(b.axes) == 1:  # with columns and rows, v @ w.T is a matrix
            raise ShapeError(where, f"{a.shape} @ {b.shape}: {left.size} is not {right.size}", "equal sizes", "outer(v, w) for the matrix")
        raise MismatchError(where, f"{a.shape} @ {b.shape}: {left.size} is not {right.size}", "equal inner sizes", hint)
    k = sp.Dummy("k", integer=True)
    free = new_indices((*a.axes[:-1], *b.axes[1:]))
    shift = right.lower - left.lower
    body = a.at(*free[: len(a.axes) - 1], k) * b.at(k + shift, *free[len(a.axes) - 1:])
    ranges = {i: axis.range for i, axis in zip(free, (*a.axes[:-1], *b.axes[1:]), strict=True)}
    return Value((*a.axes[:-1], *b.axes[1:]), free, settle(body, ((k, left.lower, left.upper),), ranges))


def outer_product(a: Value, b: Value) -> Value:
    """a b^T of two vectors."""
    i, j = new_indices((*a.axes, *b.axes))
    return Value((*a.axes, *b.axes), (i, j), a.at(i) * b.at(j))


def fitted(value: Value, axes: tuple[Axis, ...]) -> Value | None:
    """``value`` with these axes, where NumPy would stretch it to them or only axes of size 1 are too many; else None."""
    kept = [(a, i) for a, i in zip(value.axes, value.indices, strict=True) if not _is_one(a)]
    ones = {i: a.lower for a, i in zip(value.axes, value.indices, strict=True) if _is_one(a)}
    wide = [a for a in axes if not _is_one(a)]
    places = new_indices(axes)
    if len(kept) == len(wide) and all(same(a, b) for (a, _), b in zip(kept, wide, strict=True)):
        there = [i for i, a in zip(places, axes, strict=True) if not _is_one(a)]
        moved = {own: i + a.lower - b.lower for (a, own), i, b in zip(kept, there, wide, strict=True)}
        return Value(axes, places, substitute(value.expr, {**ones, **moved}), value.holes, value.lines)
    if len(value.axes) > len(axes):
        return None
    moved = {}
    first = len(axes) - len(value.axes)
    for own, a, i, b in zip(value.indices, value.axes, places[first:], axes[first:], strict=True):
        if not _is_one(a) and not same(a, b):
            return None
        moved[own] = a.lower if _is_one(a) else i + a.lower - b.lower
    return Value(axes, places, substitute(value.expr, moved), value.holes, value.lines)


def broadcasts(axes: tuple[Axis, ...], wanted: tuple[Axis, ...]) -> bool:
    """Would NumPy's broadcast_to stretch an array with these axes to the wanted ones?"""
    last = wanted[len(wanted) - len(axes):]
    return len(axes) <= len(wanted) and all(_is_one(a) or same(a, b) for a, b in zip(axes, last, strict=True))


def reduce_sum(where: str, value: Value, axis: int | None, keepdims: bool = False) -> Value:
    """The sum over all axes or one; counted from the end when negative."""
    which = range(len(value.axes)) if axis is None else [axis_number(where, value, axis)]
    over = tuple((value.indices[k], value.axes[k].lower, value.axes[k].upper) for k in reversed(list(which)))
    keep = [k for k in range(len(value.axes)) if k not in which]
    expr = settle(value.expr, over, {value.indices[k]: value.axes[k].range for k in keep})
    if not keepdims:
        return Value(tuple(value.axes[k] for k in keep), tuple(value.indices[k] for k in keep), expr)
    ones = {k: Axis.of(1) for k in which}
    indices = tuple(sp.Dummy("i", integer=True) if k in ones else value.indices[k] for k in range(len(value.axes)))
    return Value(tuple(ones.get(k, value.axes[k]) for k in range(len(value.axes))), indices, expr)


def count(value: Value, axis: int | None) -> sp.Expr:
    """How many entries a reduction takes together."""
    return sp.Mul(*[a.size for a in value.axes]) if axis is None else value.axes[axis].size


def axis_number(where: str, value: Value, axis: int) -> int:
    """An axis counted from the front. Raises ShapeError where there is none."""
    if not -len(value.axes) <= axis < len(value.axes):
        raise ShapeError(where, f"axis {axis} of shape {value.shape}", f"an axis from 0 to {len(value.axes) - 1}")
    return axis % len(value.axes)
