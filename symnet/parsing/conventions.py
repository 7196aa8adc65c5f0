r"""What notation leaves open, as NumPy has it and as mathematics does: a product side by side, a vector beside a matrix, A^2.

NumPy's vectors have no side: two of them side by side are refused unless one is transposed, and a vector beside a matrix is a row.
In a textbook there are columns, rows, matrices, vectors of ones of the length that fits, and the unit matrix.

A vector is a column; its transpose is a Row. ``1 b^T`` has as many rows as what it is added to; until then that axis is OPEN: it has
size 1, stretches in a sum as NumPy's do, and the entries do not depend on its index. The unit matrix is a Unit until its size is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.expressions import When
from symnet.errors import MismatchError, ShapeError
from symnet.indexing.arithmetic import elementwise, matmul, outer
from symnet.indexing.conditions import times
from symnet.indexing.index_array import IndexArray, new_indices, number, same

OPEN = Axis("ones", sp.S.One, sp.S.One)
UNKNOWN = "a vector of ones or a unit matrix whose size nothing tells"


@dataclass(frozen=True, slots=True)
class Row(IndexArray):
    """A vector on its side."""


@dataclass(frozen=True, slots=True)
class Unit(IndexArray):
    """``expr`` times the unit matrix of the size that fits; it has no axes yet."""


@dataclass(frozen=True, slots=True)
class Convention:
    """How arrays meet: ``together`` in arithmetic entry by entry, ``applied`` in a function; what is refused names its own notation."""

    together: Callable[..., IndexArray]  # (where, sign, function, *arrays)
    applied: Callable[..., IndexArray]
    powers: str
    sizes: str
    unit: str


def side_by_side(where: str, a: IndexArray, b: IndexArray, lying: Sequence[bool]) -> IndexArray:
    """NumPy's arrays without a sign between them: a matrix product. Of two vectors one must be transposed, a^T b or a b^T."""
    if len(a.axes) == len(b.axes) == 1:
        if lying[0] == lying[1]:
            open_ = OPEN in (*a.axes, *b.axes)
            kind = ShapeError if open_ or same(a.axes[0].size, b.axes[0].size) else MismatchError  # no reading at all
            raise kind(where, f"two vectors side by side, {a.shape} and {b.shape}",
                       "v @ w for the sum, outer(v, w) for the matrix, v*w entry by entry")
        if lying[1] and not lying[0]:
            return outer(a, b)
    return matmul(where, *meeting(where, a, b, "ones(N) with its length"), outer_meant=False)


def with_unit(where: str, sign: str, a: IndexArray, b: IndexArray) -> IndexArray:
    """Arithmetic of plain maths with the unit matrix I: A + c I, X^T I r, (1 - c) I."""
    plus, product_ = sign in ("+", "-"), sign in ("*", "@", "juxtaposed")
    if plus:
        return together(where, repr(sign), (lambda u, v: u + v) if sign == "+" else (lambda u, v: u - v), a, b)
    if product_ and not (sign == "*" and (a.axes or b.axes)):
        return _with_unit(where, a, b)
    if sign == "*":
        return together(where, "'*'", times, a, b)
    if sign == "/" and isinstance(a, Unit) and not isinstance(b, Unit) and not b.axes:
        return Unit((), a.expr / b.expr)
    raise ShapeError(where, f"the unit matrix I with {sign!r}", "A + I, I @ x or a number times I", "eye(d) with its size")


def column(value: IndexArray) -> IndexArray:
    """The vector upright."""
    return IndexArray(value.dims, value.expr) if isinstance(value, Row) else value


def row(value: IndexArray) -> IndexArray:
    """The vector on its side; anything else as it is."""
    return Row(value.dims, value.expr) if len(value.axes) == 1 else value


def as_they_lie(made: IndexArray, values: Sequence[IndexArray]) -> IndexArray:
    """What is made of vectors entry by entry, lying where all of them lie."""
    return row(made) if any(isinstance(v, Row) for v in values) and all(isinstance(v, Row) or not v.axes for v in values) else made


def transpose(where: str, value: IndexArray) -> IndexArray:
    """A column becomes a row, a row a column."""
    if len(value.axes) > 2:
        raise ShapeError(where, f"the transpose of shape {value.shape}", "a vector or a matrix")
    if len(value.axes) == 1:
        return column(value) if isinstance(value, Row) else row(value)
    return value if not value.axes else value.transposed


def ones() -> IndexArray:
    """A column of ones of a length that fits."""
    return IndexArray.over((OPEN,), new_indices((OPEN,)), sp.S.One)


def meeting(where: str, a: IndexArray, b: IndexArray, said: str) -> tuple[IndexArray, IndexArray]:
    """Two arrays before they are contracted: a vector of ones is as long as what it meets; ``said`` is one whose length is told."""
    inner, below = a.axes[-1:], b.axes[:1]
    if inner == below == (OPEN,):
        raise ShapeError(where, UNKNOWN, said)
    if inner == (OPEN,):
        a = IndexArray.over((*a.axes[:-1], *below), a.indices, a.expr)
    if below == (OPEN,):
        b = IndexArray.over((*inner, *b.axes[1:]), b.indices, b.expr)
    return a, b


def is_open(value: IndexArray) -> bool:
    """True when a size is still to be found."""
    return isinstance(value, Unit) or OPEN in value.axes


def stretch(value: IndexArray, axes: Sequence[Axis]) -> IndexArray:
    """``value`` with its open axes as long as those of ``axes``; the unit matrix of that size."""
    if isinstance(value, Unit):
        if len(axes) != 2 or not same(axes[0].size, axes[1].size) or OPEN in axes:
            return value
        i, j = new_indices(tuple(axes))
        return IndexArray.over(tuple(axes), (i, j), When(value.expr, sp.Eq(i, j + axes[0].lower - axes[1].lower)))
    if OPEN not in value.axes or len(axes) != len(value.axes):
        return value
    return type(value).over((b if a == OPEN else a for a, b in zip(value.axes, axes, strict=True)), value.indices, value.expr)


def together(where: str, sign: str, function: Callable[..., sp.Expr], *values: IndexArray) -> IndexArray:
    """Entry by entry; vectors must stand the same way, and a vector beside a matrix is a row, as in X W + b."""
    if any(isinstance(v, Unit) for v in values):
        if all(isinstance(v, Unit) for v in values):
            return Unit((), function(*[v.expr for v in values]))
        partner = next(v for v in values if not isinstance(v, Unit))
        values = tuple(stretch(v, partner.axes) for v in values)
        if any(isinstance(v, Unit) for v in values):
            raise ShapeError(where, f"the unit matrix with shape {partner.shape}", "a square matrix")
    vectors = [v for v in values if len(v.axes) == 1]
    rank = max(len(v.axes) for v in values)
    if rank == 1 and len({isinstance(v, Row) for v in vectors}) > 1:
        raise ShapeError(where, f"a row and a column with {sign}", "two columns or two rows", "^{\\top} on one of them")
    if rank == 2:
        _beside_matrix(where, sign, vectors, next(v for v in values if len(v.axes) == 2))
    made = elementwise(where, sign, function, *[column(v) for v in values])
    return row(made) if rank == 1 and isinstance(vectors[0], Row) else made


def _beside_matrix(where: str, sign: str, vectors: Sequence[IndexArray], matrix: IndexArray) -> None:
    for v in vectors:
        if not isinstance(v, Row) and same(matrix.dims[0].size, v.dims[0].size) and OPEN not in (*matrix.axes, *v.axes):
            raise ShapeError(where, f"a column {v.shape} {sign} a matrix {matrix.shape}", "arrays of one shape",
                             "\\mathbf{1} b^{\\top} adds b to every row, b \\mathbf{1}^{\\top} to every column")


def product(where: str, sign: str, a: IndexArray, b: IndexArray) -> IndexArray:
    """a b as mathematics reads it; ``sign`` is j (side by side), c (a dot), x (a cross), k (a Kronecker product)."""
    if isinstance(a, Unit) or isinstance(b, Unit):
        return _with_unit(where, a, b)
    if not a.axes or not b.axes:
        kept = a if a.axes else b
        made = elementwise(where, "a product", times, column(a), column(b))
        return row(made) if isinstance(kept, Row) else made
    if len(a.axes) > 2 or len(b.axes) > 2:
        raise ShapeError(where, f"a product of {a.shape} and {b.shape}", "vectors or matrices")
    if sign == "x":
        raise ShapeError(where, "\\times between arrays", "\\odot entry by entry, or a product side by side")
    if len(a.axes) == 1 and len(b.axes) == 1:
        return _vectors(where, sign, a, b)
    if len(a.axes) == 1 and not isinstance(a, Row):
        raise ShapeError(where, f"a column {a.shape} before a matrix {b.shape}", "a row", "a^{\\top}")
    if isinstance(b, Row):
        raise ShapeError(where, f"a matrix {a.shape} before a row {b.shape}", "a column", "no ^{\\top}")
    made = _contract(where, a, b)
    return row(made) if isinstance(a, Row) else made


def _with_unit(where: str, a: IndexArray, b: IndexArray) -> IndexArray:
    expr = times(a.expr, b.expr)
    if isinstance(a, Unit) and isinstance(b, Unit):
        return Unit((), expr)
    unit, other = (a, b) if isinstance(a, Unit) else (b, a)
    return product(where, "j", number(unit.expr), other) if other.axes else Unit((), expr)


def _vectors(where: str, sign: str, a: IndexArray, b: IndexArray) -> IndexArray:
    left, right = isinstance(a, Row), isinstance(b, Row)
    if (left and not right) or (sign == "c" and not left and not right):
        return _contract(where, a, b)
    if not left and right:
        return outer(column(a), column(b))
    kind = ShapeError if OPEN in (*a.axes, *b.axes) or same(a.axes[0].size, b.axes[0].size) else MismatchError  # no reading at all
    raise kind(where, f"two {'rows' if left else 'columns'} side by side", "a row before a column",
               "a^{\\top} b for the sum, a b^{\\top} for the outer product, a \\odot b entry by entry")


def _contract(where: str, a: IndexArray, b: IndexArray) -> IndexArray:
    a, b = meeting(where, a, b, "\\mathbf{1}_{N} with its length")
    return matmul(where, column(a), column(b), outer_meant=False)


def _applied(where: str, name: str, function: Callable[..., sp.Expr], *values: IndexArray) -> IndexArray:
    return as_they_lie(elementwise(where, name, function, *map(column, values)), values)


NUMPY = Convention(elementwise, elementwise, "A @ A or inv(A), or A**2 entry by entry", "abs(x), norm(x) or det(x)", "eye(d) with its size")
TEXTBOOK = Convention(together, _applied, "A A, or A^{\\odot 2}", "\\operatorname{abs}, \\lVert x \\rVert or \\det", "I_{d} with its size")
