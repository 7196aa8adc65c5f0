"""Whole matrices inside index expressions: the determinant, and the entries of an inverse.

``Grid(body, (r, 1, d), (c, 1, d))`` is the matrix whose entry at row r and column c is ``body``; r and c are bound in it, as
an index is in a sum. ``Det(matrix)`` is its determinant, ``InverseEntry(matrix, i, j)`` the entry (i, j) of its inverse. At integer
sizes a Grid becomes ``Rows``, its entries written out row by row.

One derivative each, by the entry at row r and column c, which the chain rule sums over r and c like any other use
(Magnus & Neudecker 2019, §8.3-8.4; Matrix Cookbook 49 and 59)::

    ∂ det M / ∂M[r, c] = det M · M⁻¹[c, r]          ∂ M⁻¹[i, j] / ∂M[r, c] = -M⁻¹[i, r] M⁻¹[c, j]

Both hold where M is invertible.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from symnet.errors import DomainError, ShapeError

SINGULAR = ("a singular matrix: its determinant is 0", "a matrix that can be inverted")
MOST = 4  # rows of a matrix that is written out as a polynomial


class Grid(sp.Expr):  # type: ignore[misc]
    """The matrix with the entry ``function`` at row r and column c; ``limits`` are (r, first, last) and (c, first, last)."""

    is_commutative = True

    def __new__(cls, body: Any, rows: Any, columns: Any) -> Any:
        rows, columns = sp.Tuple(*rows), sp.Tuple(*columns)
        if sp.expand((rows[2] - rows[1]) - (columns[2] - columns[1])) != 0:
            shape = f"({sp.expand(rows[2] - rows[1] + 1)}, {sp.expand(columns[2] - columns[1] + 1)})"
            raise ShapeError("determinant or inverse", f"a matrix of shape {shape}", "a square matrix")
        return super().__new__(cls, body, rows, columns)

    @property
    def function(self) -> sp.Expr:
        """The entry."""
        return self.args[0]

    @property
    def limits(self) -> tuple[sp.Tuple, sp.Tuple]:
        """The two bound indices and their ranges."""
        return self.args[1], self.args[2]

    @property
    def free_symbols(self) -> set[sp.Basic]:
        """What it depends on; the bound indices are no part of that."""
        bound = {t[0] for t in self.limits}
        ends = {s for t in self.limits for e in t[1:] for s in e.free_symbols}
        inside: set[sp.Basic] = self.function.free_symbols
        return (inside - bound) | ends

    def _eval_is_real(self) -> Any:
        return self.function.is_real

    def _eval_is_extended_real(self) -> Any:
        return self.function.is_extended_real


    def _sympystr(self, printer: Any) -> str:
        return f"[{printer.doprint(self.function)} for {self.args[1][0]}, {self.args[2][0]}]"


class Rows(sp.Expr):  # type: ignore[misc]
    """A square matrix with its entries written out, row by row."""

    is_commutative = True

    @property
    def count(self) -> int:
        """How many rows there are."""
        return math.isqrt(len(self.args))

    def at(self, i: int, j: int) -> sp.Expr:
        """The entry in row i and column j, both from 1."""
        return self.args[(i - 1) * self.count + j - 1]

    def _sympystr(self, printer: Any) -> str:
        return "[" + ", ".join(map(printer.doprint, self.args)) + "]"

    def _eval_is_real(self) -> Any:
        return True if all(a.is_real for a in self.args) else None

    def _eval_is_extended_real(self) -> Any:
        return True if all(a.is_extended_real for a in self.args) else None


class _OfMatrix(sp.Expr):  # type: ignore[misc]
    """A number made from the matrix ``args[0]``."""

    is_commutative = True

    @property
    def matrix(self) -> Any:
        """The Grid or Rows."""
        return self.args[0]

    def _eval_is_real(self) -> Any:
        return self.args[0].is_real

    def _eval_is_extended_real(self) -> Any:
        return self.args[0].is_extended_real


class Det(_OfMatrix):
    """The determinant of a square matrix.

    >>> a, b = sp.symbols("a b", real=True)
    >>> Det(Rows(*map(sp.Integer, (1, 2, 3, 4))))
    -2
    """

    def __new__(cls, matrix: Any) -> Any:
        if isinstance(matrix, Rows) and (matrix.count == 1 or all(a.is_Rational for a in matrix.args)):
            return _rational(_exact(matrix).det()) if matrix.count > 1 else matrix.args[0]
        return super().__new__(cls, matrix)

    def _sympystr(self, printer: Any) -> str:
        return f"det({printer.doprint(self.matrix)})"


class InverseEntry(_OfMatrix):
    """The entry (i, j) of the inverse of a square matrix. Raises DomainError for numbers without an inverse.

    >>> InverseEntry(Rows(*map(sp.Integer, (1, 2, 3, 4))), sp.Integer(1), sp.Integer(2))
    1
    """

    def __new__(cls, matrix: Any, i: Any, j: Any) -> Any:
        if isinstance(matrix, Rows) and (matrix.count == 1 or all(a.is_Rational for a in matrix.args)):
            if Det(matrix) == 0:
                raise DomainError("inverse", *SINGULAR)
            return 1 / matrix.args[0] if matrix.count == 1 else _rational(_inverse(matrix)[int(i) - 1, int(j) - 1])
        return super().__new__(cls, matrix, i, j)

    @property
    def places(self) -> tuple[sp.Expr, sp.Expr]:
        """Row and column of the entry."""
        return self.args[1], self.args[2]


    def _sympystr(self, printer: Any) -> str:
        return f"inv({printer.doprint(self.matrix)})[{', '.join(map(printer.doprint, self.places))}]"


class AdjugateEntry(_OfMatrix):
    """The entry (i, j) of det(M) M⁻¹, the adjugate of a square matrix: a number for every matrix, also for one without an inverse."""

    @property
    def places(self) -> tuple[sp.Expr, sp.Expr]:
        """Row and column of the entry."""
        return self.args[1], self.args[2]

    def _sympystr(self, printer: Any) -> str:
        return f"adj({printer.doprint(self.matrix)})[{', '.join(map(printer.doprint, self.places))}]"


def local(node: sp.Expr, row: sp.Expr, column: sp.Expr) -> sp.Expr:
    """∂node/∂M[row, column], where M is the matrix of ``node``: the one rule that each of the two has."""
    if isinstance(node, Det):
        return node * InverseEntry(node.matrix, column, row)
    i, j = node.places
    return -InverseEntry(node.matrix, i, row) * InverseEntry(node.matrix, column, j)


def _exact(matrix: Rows) -> fmpq_mat:
    return fmpq_mat(matrix.count, matrix.count, [fmpq(int(a.p), int(a.q)) for a in matrix.args])


@lru_cache(maxsize=64)
def _inverse(matrix: Rows) -> Any:
    return _exact(matrix).inv()


def _rational(value: fmpq) -> sp.Rational:
    return sp.Rational(int(value.p), int(value.q))


def _minor(matrix: Rows, i: int, j: int) -> Rows:
    kept = range(1, matrix.count + 1)
    return Rows(*[matrix.at(r, c) for r in kept if r != i for c in kept if c != j])


def _polynomial(matrix: Rows) -> sp.Expr:
    """The determinant along the first row (Laplace)."""
    if matrix.count <= 1:
        return matrix.args[0] if matrix.args else sp.S.One
    return sp.Add(*[matrix.at(1, j) * _cofactor(matrix, 1, j) for j in range(1, matrix.count + 1)])


def _cofactor(matrix: Rows, i: int, j: int) -> sp.Expr:
    return sp.S.NegativeOne ** (i + j) * _polynomial(_minor(matrix, i, j))


def _has_matrices(expr: sp.Basic) -> bool:
    """True where a determinant or an inverse stands in it; each part is looked at once, in however many places it stands."""
    seen, waiting = {expr}, [expr]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (Det, InverseEntry)):
            return True
        new = [a for a in node.args if a not in seen]
        seen.update(new)
        waiting += new
    return False


def written_out(expr: sp.Basic) -> sp.Basic:
    """``expr`` with determinants and inverses of small written-out matrices as polynomials and their quotients (Cramer).

    Raises ZeroDivisionError for a matrix whose determinant is 0 whatever its entries are, such as x x^T.

    >>> a, b, c, d = sp.symbols("a b c d", real=True)
    >>> written_out(InverseEntry(Rows(a, b, c, d), sp.Integer(1), sp.Integer(1)))
    d/(a*d - b*c)
    """
    if not _has_matrices(expr):
        return expr
    if isinstance(expr, (Det, InverseEntry)) and isinstance(expr.matrix, Rows) and expr.matrix.count <= MOST:
        matrix = Rows(*[written_out(a) for a in expr.matrix.args])
        if isinstance(expr, Det):
            return _polynomial(matrix)
        below = sp.expand(_polynomial(matrix))
        if below.is_zero:
            raise ZeroDivisionError(SINGULAR[0])
        return _cofactor(matrix, int(expr.args[2]), int(expr.args[1])) / below
    return expr.func(*[written_out(a) for a in expr.args])


def whole(matrix: Grid) -> tuple[sp.Indexed, bool] | None:
    """(an entry, True when it is transposed) where the matrix is a tensor as it stands, at fixed leading places; else None."""
    body, (row, column) = matrix.function, (t[0] for t in matrix.limits)
    if not isinstance(body, sp.Indexed) or len(body.indices) < 2:
        return None
    *lead, r, c = body.indices
    if {r, c} != {row, column} or any(e.has(row, column) for e in lead):
        return None
    return body, r == column
