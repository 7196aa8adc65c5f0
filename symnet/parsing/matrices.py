"""Matrices by NumPy's names: det, inv, solve, matrix_power, kron, diag, eye, and vec, each as an index expression.

Conventions: ``kron(A, B)[p(i-1) + k, q(j-1) + l] = A[i, j] B[k, l]`` for B of shape (p, q), as NumPy's. ``vec(A)`` stacks the
columns (Magnus & Neudecker 2019, §2.4); ``ravel(A)`` stacks the rows, as NumPy's. ``logdet(A)`` is log det A, which needs a
positive determinant (PyTorch's logdet); ``logabsdet(A)`` is log |det A|, slogdet's second number. ``norm`` of a matrix is Frobenius'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.expressions import When, total
from symnet.core.functions import absolute
from symnet.core.matrices import Det, Grid, InverseEntry
from symnet.errors import ParseError, ShapeError
from symnet.indexing.arithmetic import matmul
from symnet.indexing.index_array import IndexArray, contract, new_indices
from symnet.indexing.places import counted
from symnet.parsing.function_call import Build, Call

MOST_FACTORS = 12  # of a matrix power
LARGEST = 1000  # size of a matrix of ones or units, where it is a number


def _square(call: Call, value: IndexArray) -> tuple[tuple[Axis, ...], tuple[sp.Symbol, ...], Grid]:
    """(axes in front, their indices, the matrix over the last two axes): a stack of matrices is a batch, as in NumPy."""
    if not value.is_square:
        raise ShapeError(call.where, f"{call.name} of shape {value.shape}", "a square matrix")
    *lead, row, column = new_indices(value.axes)
    r, c = value.axes[-2:]
    return value.axes[:-2], tuple(lead), Grid(value.at(*lead, row, column), (row, *r.range), (column, *c.range))


def written_out(rows: Sequence[Sequence[sp.Expr]]) -> IndexArray:
    """The matrix with these entries."""
    axes = (Axis.of(len(rows)), Axis.of(len(rows[0])))
    i, j = new_indices(axes)
    cells = [When(e, sp.And(sp.Eq(i, r), sp.Eq(j, c))) for r, cells in enumerate(rows, 1) for c, e in enumerate(cells, 1)]
    return IndexArray.over(axes, (i, j), sp.Add(*cells))


def stacked(parts: Sequence[IndexArray]) -> IndexArray:
    """Numbers, vectors or matrices of one shape along a new first axis."""
    axes = (Axis.of(len(parts)), *parts[0].axes)
    i, *rest = new_indices(axes)
    return IndexArray.over(axes, (i, *rest), sp.Add(*[When(p.at(*rest), sp.Eq(i, k)) for k, p in enumerate(parts, 1)]))


def _det(call: Call) -> IndexArray:
    axes, lead, grid = _square(call, *call.only(1))
    return IndexArray.over(axes, lead, Det(grid))


def _logdet(call: Call, of: Callable[[sp.Expr], sp.Expr] = sp.sympify) -> IndexArray:
    made = _det(call)
    return replace(made, expr=sp.log(of(made.expr)))


def _inverse(call: Call, a: IndexArray) -> IndexArray:
    axes, lead, grid = _square(call, a)
    i, j = new_indices(a.axes[-2:])
    return IndexArray.over((*axes, *a.axes[:-3:-1]), (*lead, i, j), InverseEntry(grid, i, j))


def _solve(call: Call) -> IndexArray:
    a, b = call.only(2)
    return matmul(call.where, _inverse(call, a), b)


def _power(call: Call) -> IndexArray:
    a, exponent = call.only(2)
    n = exponent.expr
    if not n.is_Integer or abs(n) > MOST_FACTORS:
        raise ParseError(call.where, f"the exponent {n}", f"a whole number from -{MOST_FACTORS} to {MOST_FACTORS}")
    if len(a.axes) != 2 or not a.is_square:
        raise ShapeError(call.where, f"{call.name} of shape {a.shape}", "a square matrix")
    if n == 0:
        return _identity(a.axes[0])
    base = _inverse(call, a) if n < 0 else a
    result = base
    for _ in range(abs(int(n)) - 1):
        result = matmul(call.where, result, base)
    return result


def _kron(call: Call) -> IndexArray:
    a, b = call.only(2)
    if len(a.axes) != len(b.axes) or len(a.axes) not in (1, 2):
        raise ShapeError(call.where, f"kron of {a.shape} and {b.shape}", "two matrices or two vectors")
    axes = tuple(Axis.of(sp.expand(u.size * v.size)) for u, v in zip(a.axes, b.axes, strict=True))
    places, outer, inner = new_indices(axes), new_indices(a.axes), new_indices(b.axes)
    parts = zip(places, outer, inner, a.axes, b.axes, strict=True)
    meets = [sp.Eq(place, v.size * (i - u.lower) + k - v.lower + 1) for place, i, k, u, v in parts]
    over = tuple((i, *axis.range) for i, axis in zip((*outer, *inner), (*a.axes, *b.axes), strict=True))
    return IndexArray.over(axes, places, total(When(a.at(*outer) * b.at(*inner), sp.And(*meets)), over))


def _stack(by_columns: bool) -> Build:
    def build(call: Call) -> IndexArray:
        (a,) = call.only(1)
        if len(a.axes) != 2:
            raise ShapeError(call.where, f"{call.name} of shape {a.shape}", "a matrix")
        i, j = new_indices(a.axes)
        slow, fast = ((j, a.axes[1]), (i, a.axes[0])) if by_columns else ((i, a.axes[0]), (j, a.axes[1]))
        axis = Axis.of(sp.expand(a.axes[0].size * a.axes[1].size))
        (place,) = new_indices((axis,))
        meets = sp.Eq(place, fast[1].size * (slow[0] - slow[1].lower) + fast[0] - fast[1].lower + 1)
        return IndexArray.over((axis,), (place,), total(When(a.at(i, j), meets), ((i, *a.axes[0].range), (j, *a.axes[1].range))))
    return build


def _diag(call: Call) -> IndexArray:
    """A vector on the diagonal of a matrix, or the diagonal of a matrix as a vector."""
    (a,) = call.only(1)
    if len(a.axes) == 1:
        i, j = new_indices((*a.axes, *a.axes))
        return IndexArray.over((*a.axes, *a.axes), (i, j), When(a.at(i), sp.Eq(i, j)))
    if len(a.axes) != 2 or not a.is_square:
        raise ShapeError(call.where, f"diag of shape {a.shape}", "a vector or a square matrix")
    return contract((a,), ("ii",), "i", call.where)


def _identity(axis: Axis) -> IndexArray:
    i, j = new_indices((axis, axis))
    return IndexArray.over((axis, axis), (i, j), When(sp.S.One, sp.Eq(i, j)))


def _eye(call: Call) -> IndexArray:
    (size,) = call.only(1)
    if size.axes or not size.expr.is_integer or not size.expr.is_positive:
        raise ShapeError(call.where, f"{call.name} of {size.expr}", "a size, such as eye(d) or eye(3)")
    if size.expr.is_Integer and size.expr > LARGEST:
        raise ShapeError(call.where, f"{call.name} of a large size", f"at most {LARGEST}, or a name")
    return _identity(Axis.of(size.expr))


def _triangle(kept: Callable[[sp.Expr, sp.Expr], sp.Basic]) -> Build:
    """The entries on the diagonal and on one side of it, 0 on the other."""
    def build(call: Call) -> IndexArray:
        (a,) = call.only(1)
        if len(a.axes) < 2:
            raise ShapeError(call.where, f"{call.name} of shape {a.shape}", "a matrix")
        indices = new_indices(a.axes)
        (row, column), (rows, columns) = indices[-2:], a.axes[-2:]
        return IndexArray.over(a.axes, indices, When(a.at(*indices), kept(row, column + rows.lower - columns.lower)))
    return build


def _arange(call: Call) -> IndexArray:
    """0, 1, …, n - 1, as NumPy counts."""
    (size,) = call.only(1)
    if size.axes or not size.expr.is_integer or not size.expr.is_positive:
        raise ShapeError(call.where, f"{call.name} of {size.expr}", "a size, such as arange(d) or arange(3)")
    return counted(0, (size.expr,))


def _onehot(call: Call) -> IndexArray:
    """onehot(y, C)[n, c] = [c = y[n] + 1]: the row of zeros with a one at each class; y counts from 0."""
    y, size = call.only(2)
    if size.axes or not size.expr.is_integer or not size.expr.is_positive:
        raise ShapeError(call.where, f"{call.name} with {size.expr} classes", "a size, such as onehot(y, C) or onehot(y, 10)")
    axis = Axis.of(size.expr)
    places, (c,) = new_indices(y.axes), new_indices((axis,))
    return IndexArray.over((*y.axes, axis), (*places, c), When(sp.S.One, sp.Eq(c, y.at(*places) + 1)))


MATRICES: Mapping[str, Build] = {
    "det": _det, "linalg.det": _det, "logdet": _logdet, "solve": _solve, "linalg.solve": _solve,
    "inv": lambda call: _inverse(call, *call.only(1)), "linalg.inv": lambda call: _inverse(call, *call.only(1)),
    "matrix_power": _power, "linalg.matrix_power": _power, "kron": _kron, "vec": _stack(True), "ravel": _stack(False),
    "logabsdet": lambda call: _logdet(call, absolute), "diag": _diag, "onehot": _onehot, "one_hot": _onehot, "eye": _eye,
    "identity": _eye, "tril": _triangle(sp.Ge), "triu": _triangle(sp.Le), "arange": _arange,
}
