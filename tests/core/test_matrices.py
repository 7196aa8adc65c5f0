"""Determinants and inverse entries as expressions: binding, exact values, writing out, printing."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy as sp
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.core.expressions import entries, fresh, substitute
from symnet.core.latex import latex
from symnet.core.linear import Square
from symnet.core.matrices import Det, Grid, InverseEntry, Rows, local, whole, written_out
from symnet.core.numbers import compute, enclose
from symnet.core.text import text
from symnet.errors import DomainError, ShapeError

d = sp.Symbol("d", integer=True, positive=True)
i, j, r, c, n = sp.symbols("i j r c n", integer=True)
A = sp.IndexedBase("A", real=True)
GRID = Grid(A[r, c], (r, 1, d), (c, 1, d))
WHOLE = st.lists(st.integers(-5, 5), min_size=9, max_size=9)


def rows(*numbers: Any) -> Rows:
    return Rows(*map(sp.sympify, map(sp.Rational, numbers)))


def exact(numbers: list[int]) -> sp.Matrix:
    return sp.Matrix(3, 3, numbers)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(WHOLE)
def test_the_determinant_is_sympys(numbers: list[int]) -> None:
    assert Det(rows(*numbers)) == exact(numbers).det()
    names = sp.symbols("a:9", real=True)
    assert written_out(Det(Rows(*names))).xreplace(dict(zip(names, map(sp.Integer, numbers), strict=True))) == exact(numbers).det()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(WHOLE, st.integers(1, 3), st.integers(1, 3))
def test_the_inverse_is_sympys_or_an_error(numbers: list[int], row: int, column: int) -> None:
    names = sp.symbols("a:9", real=True)
    node = InverseEntry(Rows(*names), sp.Integer(row), sp.Integer(column))
    values = dict(zip(names, map(fmpq, numbers), strict=True))
    if exact(numbers).det() == 0:
        with pytest.raises(DomainError, match="a singular matrix"):
            InverseEntry(rows(*numbers), sp.Integer(row), sp.Integer(column))
        with pytest.raises(DomainError, match="a singular matrix"):
            compute(node, values)
    else:
        want = exact(numbers).inv()[row - 1, column - 1]
        assert InverseEntry(rows(*numbers), sp.Integer(row), sp.Integer(column)) == want
        assert compute(node, values) == fmpq(int(want.p), int(want.q))
        assert written_out(node).xreplace(dict(zip(names, map(sp.Integer, numbers), strict=True))) == want


def test_a_single_entry_is_the_number_itself() -> None:
    a = sp.Symbol("a", real=True)
    assert Det(Rows(a)) == a
    assert InverseEntry(Rows(a), sp.S.One, sp.S.One) == 1 / a


def test_balls_where_an_entry_is_no_rational() -> None:
    node = InverseEntry(Rows(sp.exp(1), sp.S.One, sp.S.One, sp.S.One), sp.S.One, sp.S.One)
    assert enclose(node, {}, 200).overlaps(1 / (arb(1).exp() - 1))


def test_what_balls_cannot_tell_from_singular_is_given_up_and_says_so() -> None:
    node = InverseEntry(Rows(sp.exp(1), sp.exp(1), sp.exp(1), sp.exp(1)), sp.S.One, sp.S.One)
    assert not enclose(node, {}, 128).is_finite()
    with pytest.raises(DomainError, match="300 bits cannot tell from a singular one"):
        enclose(node, {}, 300)


def test_the_inverse_is_computed_once() -> None:
    square = Square(fmpq(1), fmpq(2), fmpq(3), fmpq(4))
    assert square.inverse is square.inverse
    assert square.inverse_at(fmpq(2), fmpq(1)) == fmpq(3, 2)
    with ctx.workprec(64):
        assert Square(arb(2), fmpq(0), fmpq(0), fmpq(2)).det.contains(4)


@pytest.mark.parametrize("node", [Det(rows(1, 2, 3, 5)), InverseEntry(Rows(*sp.symbols("a:4")), sp.S(1, strict=True), sp.S(2, strict=True))],
                         ids=["number", "names"])
def test_written_out_leaves_no_matrix(node: sp.Expr) -> None:
    assert not written_out(node).has(Det, InverseEntry)


def test_written_out_of_a_matrix_that_is_never_invertible() -> None:
    a, b = sp.symbols("a b", real=True)
    with pytest.raises(ZeroDivisionError):
        written_out(InverseEntry(Rows(a * a, a * b, a * b, b * b), sp.S.One, sp.S.One))


def test_five_rows_stay_a_determinant() -> None:
    node = Det(Rows(*sp.symbols("a:25", real=True)))
    assert written_out(node) == node


def test_a_grid_binds_its_indices() -> None:
    assert not {r, c} & Det(GRID).free_symbols
    assert d in Det(GRID).free_symbols
    assert fresh(Det(GRID)) != Det(GRID)
    assert [str(e) for e in entries(Det(GRID))] == ["A[r, c]"]


def test_substitution_captures_nothing() -> None:
    moved = substitute(Det(Grid(A[r, c] * i, (r, 1, d), (c, 1, d))), {i: r})
    assert r in moved.free_symbols


def test_a_grid_is_square() -> None:
    with pytest.raises(ShapeError, match=r"a matrix of shape \(d, 3\)"):
        Grid(A[r, c], (r, 1, d), (c, 1, 3))


@pytest.mark.parametrize("k", range(9))
def test_the_rule_is_the_slope_of_the_polynomial(k: int) -> None:
    names = sp.symbols("a:9", real=True)
    matrix = Rows(*names)
    row, column = sp.Integer(k // 3 + 1), sp.Integer(k % 3 + 1)
    there = {s: sp.Rational(Fraction(7 * m % 11 + 1, 3)) for m, s in enumerate(names)}
    for node in (Det(matrix), InverseEntry(matrix, sp.Integer(1), sp.Integer(3))):
        slope = written_out(node).diff(names[k]).xreplace(there)
        assert written_out(local(node, row, column)).xreplace(there) == slope


@pytest.mark.parametrize(("expr", "plain", "tex"), [
    (Det(GRID), "det(A)", r"\det \left(A\right)"),
    (InverseEntry(GRID, i, j), "inv(A)[i, j]", r"\left(A^{-1}\right)_{ij}"),
    (InverseEntry(GRID, i + 1, j), "inv(A)[i + 1, j]", r"\left(A^{-1}\right)_{i + 1,j}"),
    (Det(Grid(A[c, r], (r, 1, d), (c, 1, d))), "det(A.T)", r"\det \left(A^{\top}\right)"),
    (Det(Grid(A[n, r, c], (r, 1, d), (c, 1, d))), "det(A[n])", r"\det \left(A^{(n)}\right)"),
    (Det(Grid(2 * A[r, c], (r, 1, d), (c, 1, d))), "det([2*A[r, c] for r in 1..d for c in 1..d])",
     r"\det \left(\left[2 A_{rc}\right]_{r,c}\right)"),
    (Det(Rows(*sp.symbols("a b c d", real=True))), "det([[a, b], [c, d]])",
     r"\det \left(\begin{pmatrix} a & b \\ c & d \end{pmatrix}\right)"),
], ids=str)
def test_how_it_prints(expr: sp.Expr, plain: str, tex: str) -> None:
    assert text(expr) == plain
    assert latex(expr).replace("A_{r,c}", "A_{rc}") == tex


def test_a_part_of_a_row_is_no_whole_matrix() -> None:
    assert whole(Grid(A[r, r], (r, 1, d), (c, 1, d))) is None
    assert whole(GRID) == (A[r, c], False)


def test_the_proof_kernel_puts_no_equality_below_a_matrix_that_binds_its_index() -> None:
    from symnet.proofs.kernel import bound

    assert bound(Det(GRID)) == {r, c}
