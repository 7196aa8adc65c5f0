"""Points to compare at: exact, readable ones first, inside the domains, the same every time."""

from __future__ import annotations

import pytest
import sympy as sp

from symnet.equality.points import points

x, y, z = sp.symbols("x y z", real=True)
DOMAINS = {
    "positive": (sp.Symbol("p", positive=True), lambda v: v > 0),
    "nonnegative": (sp.Symbol("q", nonnegative=True), lambda v: v >= 0),
    "size": (sp.Symbol("n", integer=True, positive=True), lambda v: v.is_Integer and v > 0),
    "index": (sp.Symbol("i", integer=True), lambda v: v.is_Integer),
    "real": (x, lambda v: v.is_Rational),
}


@pytest.mark.parametrize("symbol, fits", DOMAINS.values(), ids=DOMAINS)
def test_every_value_is_in_its_domain(symbol: sp.Symbol, fits) -> None:
    values = [point[symbol] for point in points([x, symbol, y] if symbol is not x else [x], 40)]
    assert len(values) == 40 and all(fits(v) for v in values) and len(set(values)) > 3


def test_values_are_exact_and_the_first_are_readable() -> None:
    found = list(points([x, y, z], 16))
    assert all(isinstance(v, sp.Rational) for point in found for v in point.values())
    assert all(abs(v.p) <= 11 and v.q <= 4 for point in found[:8] for v in point.values())


def test_most_points_have_different_values_for_different_names() -> None:
    found = list(points([x, y, z], 16))
    assert sum(len(set(point.values())) == 3 for point in found) >= 12
    assert len({tuple(point.values()) for point in found}) >= 14


def test_both_signs_are_tried() -> None:
    values = [point[x] for point in points([x])]
    assert min(values) < 0 < max(values)


def test_the_same_points_come_every_time_and_others_with_another_seed() -> None:
    assert list(points([x, y])) == list(points([x, y]))
    assert list(points([x, y], 16, seed=1))[8:] != list(points([x, y], 16, seed=2))[8:]


def test_without_symbols_there_is_one_empty_point() -> None:
    assert list(points([], 1)) == [{}]
