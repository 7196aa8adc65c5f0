"""Linear inequalities: "impossible" is only said when no point of a fine grid, and no solver, finds one."""

from __future__ import annotations

import importlib
from fractions import Fraction as F
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.equality.fourier_motzkin import MOST_ROWS, Row, feasible, solution


def row(x: int, y: int, constant: int, strict: bool) -> Row:
    return Row({"x": F(x), "y": F(y)}, F(constant), strict)


IMPOSSIBLE = {
    "x > 0 and x < 0": [row(1, 0, 0, True), row(-1, 0, 0, True)],
    "x > 0 and x <= 0": [row(1, 0, 0, True), row(-1, 0, 0, False)],
    "x >= 1 and x <= 0": [row(1, 0, -1, False), row(-1, 0, 0, False)],
    "x > y, y > x + 1": [row(1, -1, 0, True), row(-1, 1, -1, True)],
    "x + y > 2, x < 1, y < 1": [row(1, 1, -2, True), row(-1, 0, 1, True), row(0, -1, 1, True)],
    "0 > 0": [Row({}, F(0), True)],
    "-1 >= 0": [Row({}, F(-1), False)],
}
POSSIBLE = {
    "nothing": [],
    "x = 0": [row(1, 0, 0, False), row(-1, 0, 0, False)],
    "0 >= 0": [Row({}, F(0), False)],
    "x + y >= 2, x <= 1, y <= 1": [row(1, 1, -2, False), row(-1, 0, 1, False), row(0, -1, 1, False)],
    "a thin wedge": [row(1000, -1, 0, True), row(-999, 1, 0, True)],
}


@pytest.mark.parametrize("rows", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_be(rows: list[Row]) -> None:
    assert not feasible(rows)


@pytest.mark.parametrize("rows", POSSIBLE.values(), ids=POSSIBLE)
def test_what_can_be(rows: list[Row]) -> None:
    assert feasible(rows)


def test_too_much_is_perhaps() -> None:
    """Past the limit of rows the answer is the safe one."""
    names = [f"x{k}" for k in range(6)]
    signs = list(product((-1, 1), repeat=len(names)))
    rows = [Row({n: F(s * (k + 2)) for k, (n, s) in enumerate(zip(names, pattern, strict=True))}, F(-1), True) for pattern in signs * 4]
    assert len(rows) > MOST_ROWS and feasible(rows) is True


@pytest.mark.parametrize("rows", POSSIBLE.values(), ids=POSSIBLE)
def test_a_point_is_found(rows: list[Row]) -> None:
    found = solution(rows)
    assert found is not None and all(r.holds(found) for r in rows)


def test_the_point_is_readable() -> None:
    assert solution([row(1, 0, -3, True)]) == {"x": 4}
    assert solution([Row({"x": F(10)}, F(-3), True), Row({"x": F(-10)}, F(4), True)]) == {"x": F(1, 3)}


numbers = st.integers(-3, 3)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(numbers, numbers, numbers, numbers, st.booleans()), min_size=1, max_size=7))
def test_no_point_is_denied(made: list[tuple[int, int, int, int, bool]]) -> None:
    """If any grid point satisfies all rows, they are feasible."""
    rows = [Row({"x": F(a), "y": F(b), "z": F(c)}, F(d), strict) for a, b, c, d, strict in made]
    grid = [F(k) for k in (-4, -1, F(-1, 3), 0, F(1, 2), 1, 3)]
    for point in product(grid, repeat=3):
        values = [sum(r.terms.get(n, F(0)) * v for n, v in zip("xyz", point, strict=True)) + r.constant for r in rows]
        if all(v > 0 if r.strict else v >= 0 for r, v in zip(rows, values, strict=True)):
            assert feasible(rows)
            break
    found = solution(rows)
    assert found is None or all(r.holds(found) for r in rows)
    assert (found is not None) == feasible(rows)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=2, max_size=6))
def test_agrees_with_a_linear_program(made: list[tuple[int, int, int]]) -> None:
    """Weak rows against SciPy's solver: the same answer both ways."""
    rows = [Row({"x": F(a), "y": F(b)}, F(c), False) for a, b, c in made]
    optimize = importlib.import_module("scipy.optimize")
    found = optimize.linprog([0, 0], A_ub=[[-a, -b] for a, b, _ in made], b_ub=[c for *_, c in made], bounds=[(None, None)] * 2)
    assert feasible(rows) == (found.status == 0)
