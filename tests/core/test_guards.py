"""What a bracket guarantees: ranges that hold, shown by counting, and nothing that does not follow."""

from __future__ import annotations

import itertools

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.core.axes import Range, index, inside, size
from symnet.core.guards import Guards, guard_ranges, spans

i, j, p = index("i"), index("j"), index("p")
M, K = size("M"), size("K")


def between(e: sp.Expr, low: object, high: object) -> sp.Basic:
    return sp.And(sp.Ge(e, low), sp.Le(e, high))


def stays(place: sp.Expr, ranges: dict[sp.Symbol, Range], condition: sp.Basic, axis: Range) -> bool:
    """True when ``place`` is shown to stay in ``axis`` under ``condition``."""
    return any(inside(s, axis) for s in spans(place, ranges, Guards().under(condition)))


def test_guard_ranges_need_both_ends() -> None:
    assert guard_ranges(between(i - p, 1, M)) == {i - p: (1, M)}
    assert guard_ranges(sp.Ge(i - p, 1)) == {}
    assert guard_ranges(sp.Eq(i, j + 1)) == {i - j - 1: (0, 0)}
    assert guard_ranges(sp.Eq(sp.Mod(i, 2), 0)) == {}


ONE = sp.S.One
WIDE = {i: (ONE, K + M - 1), j: (ONE, M), p: (ONE, K)}
FOLLOWS: dict[str, tuple[sp.Expr, sp.Basic, Range]] = {
    "the guarded place itself": (i - p + 1, between(i - p + 1, 1, M), (ONE, M)),
    "a guarded index": (i, between(i, 1, M), (ONE, M)),
    "one more than it": (i + 1, between(i, 1, M), (ONE, M + 1)),
    "through a difference": (i, between(i - p + 1, 1, M), (ONE, K + M - 1)),
    "an equality": (i + 1, sp.Eq(i, j + 1), (ONE, M + 2)),
    "a half under a stride": (j / 2 + 1, sp.And(sp.Eq(sp.Mod(j, 2), 0), between(j / 2, 1, 3)), (ONE, sp.Integer(4))),
    "an index under a stride": (j + 1, sp.And(sp.Eq(sp.Mod(j, 2), 0), between(j / 2, 1, 3)), (ONE, sp.Integer(7))),
    "two guards at once": (i, sp.And(between(i - p + 1, 1, 3), between(p, 1, 2)), (ONE, sp.Integer(4))),
}
NOT: dict[str, tuple[sp.Expr, sp.Basic, Range]] = {
    "one too far": (i + 1, between(i, 1, M), (ONE, M)),
    "another expression": (i + p, between(i - p + 1, 1, M), (ONE, M)),
    "one side alone": (i - p + 1, sp.Ge(i - p + 1, 1), (ONE, M)),
    "a half that may not be whole": (j / 2, between(j / 2, 1, 3), (ONE, sp.Integer(3))),
    "a third under a stride of two": (j / 3, sp.And(sp.Eq(sp.Mod(j, 2), 0), between(j / 3, 1, 3)), (ONE, sp.Integer(3))),
    "a half of the other parity": (j / 2, sp.And(sp.Eq(sp.Mod(j + 1, 2), 0), between(j / 2, 1, 3)), (ONE, sp.Integer(3))),
}


@pytest.mark.parametrize("name", FOLLOWS)
def test_what_follows_is_shown(name: str) -> None:
    place, condition, axis = FOLLOWS[name]
    assert stays(place, WIDE, condition, axis)
    assert not stays(place, WIDE, sp.true, axis) or name == "through a difference", "the bracket was needed"


@pytest.mark.parametrize("name", NOT)
def test_what_does_not_follow_is_not_shown(name: str) -> None:
    place, condition, axis = NOT[name]
    assert not stays(place, WIDE, condition, axis)


@pytest.mark.parametrize(("condition", "least"), [
    (sp.Ne(M, 1), {M: 2}), (sp.And(sp.Ne(M, 1), sp.Ne(M, 2)), {M: 3}), (sp.Ge(M, 3), {M: 3}), (sp.Ge(2 * M - 3, 2), {M: 3}), (sp.Ge(j, 2), {M: 2}),
    (sp.And(sp.Ge(j, 3), sp.Le(j, M - 1)), {M: 4}), (sp.Ne(M, 2), {}), (sp.Le(M, 3), {}), (sp.Ge(M, K), {}), (sp.Ge(i, 3), {}), (sp.Eq(j, 2), {M: 2}),
], ids=str)
def test_the_sizes_that_a_bracket_asks_for(condition: sp.Basic, least: dict[sp.Symbol, int]) -> None:
    assert Guards().under(condition, WIDE).least == least


LINEAR = st.tuples(st.sampled_from([-2, -1, 0, 1, 2]), st.sampled_from([-1, 0, 1, 2]), st.integers(-3, 3))
SIDES = st.tuples(st.integers(-3, 3), st.integers(0, 4))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(LINEAR, st.lists(st.tuples(LINEAR, SIDES), max_size=2), st.sampled_from([None, (1, 0, 2), (1, 1, 2), (1, 2, 3), (2, 1, 3)]),
       st.sampled_from([1, 1, 2, 3]))
def test_every_range_holds_at_every_place(place: tuple[int, int, int], guards: list[tuple[tuple[int, int, int], tuple[int, int]]],
                                          stride: tuple[int, int, int] | None, divisor: int) -> None:
    """By counting: wherever the condition holds, the place is whole and inside each range that is shown."""
    def linear(c: tuple[int, int, int]) -> sp.Expr:
        return sp.sympify(c[0] * i + c[1] * j + c[2])

    condition = sp.And(*[between(linear(c), lo, lo + n) for c, (lo, n) in guards])
    if stride is not None:
        condition = sp.And(condition, sp.Eq(sp.Mod(stride[0] * i + stride[1] * j, stride[2]), 0))
    expr, ranges = linear(place) / divisor, {i: (ONE, sp.Integer(5)), j: (ONE, sp.Integer(4))}
    values = []
    for a, b in itertools.product(range(1, 6), range(1, 5)):
        at = {i: sp.Integer(a), j: sp.Integer(b)}
        if condition.xreplace(at) == sp.true:
            values.append(expr.xreplace(at))
    for low, high in spans(expr, ranges, Guards().under(condition)):
        assert all(v.is_Integer and low <= v <= high for v in values)
