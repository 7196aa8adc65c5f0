"""Axes, and exact questions about the ranges of indices."""

from __future__ import annotations

import itertools

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.core.axes import Axis, Kind, at_most, bounds, index, inside, nonnegative, size
from symnet.errors import ShapeError

LAW = settings(max_examples=60, deadline=None, derandomize=True)
T, K, M = size("T"), size("K"), size("M")
i, p = index("i"), index("p")


def test_a_size_is_a_positive_integer_or_a_name() -> None:
    assert size(3) == 3
    assert size("N").is_integer
    assert size("N").is_positive
    assert size(K + M - 1) == K + M - 1
    for bad in (0, -2):
        with pytest.raises(ShapeError, match="a positive integer or a name"):
            size(bad)


def test_an_axis_counts_both_ends() -> None:
    assert Axis.of("d").range == (1, size("d"))
    assert Axis.of(4).size == 4
    whole = Axis.between(0, "T", Kind.TIME)
    assert whole.range == (0, T)
    assert whole.size == T + 1
    assert Axis.between(2, 5, Kind.FEATURE).size == 4


@pytest.mark.parametrize(("expr", "shown"), [
    (sp.S.Zero, True), (sp.Integer(-1), False), (T - 1, True), (T - 2, False), (T - K, False), (T * K - 1, True),
    (T * K - T, True), (K + M - 2, True), (K + M - 3, False), (2 * T - T, True), (T**2 - T, True), (T**2 - 2 * T + 1, True),
    (i, False), (sp.Symbol("r", real=True), False),
], ids=str)
def test_nonnegative_is_shown_or_not_shown(expr: sp.Expr, shown: bool) -> None:
    assert nonnegative(expr) is shown


@LAW
@given(st.integers(-6, 6), st.integers(-6, 6), st.integers(-6, 6), st.integers(-12, 12))
def test_what_is_shown_nonnegative_is_so_at_every_small_size(a: int, b: int, c: int, d: int) -> None:
    expr = sp.expand(a * T + b * K + c * T * K + d)
    least = min(expr.xreplace({T: sp.Integer(t), K: sp.Integer(k)}) for t in range(1, 6) for k in range(1, 6))
    assert not nonnegative(expr) or least >= 0
    if min(a, b) >= 0 and c == 0:  # then the least value is at sizes 1, and the test is complete
        assert nonnegative(expr) == (a + b + d >= 0)


@LAW
@given(st.integers(-4, 4), st.integers(-4, 4), st.integers(-9, 9), st.tuples(st.integers(-3, 3), st.integers(0, 4)),
       st.tuples(st.integers(-3, 3), st.integers(0, 4)))
def test_bounds_are_reached_and_never_passed(a: int, b: int, c: int, first: tuple[int, int], second: tuple[int, int]) -> None:
    spans = {i: (first[0], sum(first)), p: (second[0], sum(second))}
    expr = a * i + b * p + c
    values = [a * x + b * y + c for x, y in itertools.product(*[range(lo, hi + 1) for lo, hi in spans.values()])]
    exact = {s: (sp.Integer(lo), sp.Integer(hi)) for s, (lo, hi) in spans.items()}
    assert bounds(sp.sympify(expr), exact) == (min(values), max(values))


def test_bounds_of_symbolic_ranges() -> None:
    ranges = {i: (sp.S.One, M), p: (sp.S.One, K)}
    assert bounds(i + p - 1, ranges) == (1, K + M - 1)
    assert bounds(i - p, ranges) == (1 - K, M - 1)
    assert bounds(sp.Integer(3), ranges) == (3, 3)
    assert bounds(T + 1, ranges) == (T + 1, T + 1)


@pytest.mark.parametrize("expr", [i * p, i**2, i / 2, sp.Mod(i, 2)], ids=str)
def test_what_is_not_affine_has_no_bounds(expr: sp.Expr) -> None:
    assert bounds(expr, {i: (sp.S.One, M), p: (sp.S.One, K)}) is None


def test_inside_needs_both_ends() -> None:
    assert inside((sp.Integer(2), T), (sp.Integer(1), T))
    assert not inside((sp.Integer(0), T), (sp.Integer(1), T))
    assert not inside((sp.Integer(1), T + 1), (sp.Integer(1), T))
    assert not inside((sp.Integer(1), K), (sp.Integer(1), T)), "K <= T is not known"
    assert at_most(K, K)
