"""Brackets that fix a summed index are solved, conditions that always hold are dropped, and a shift by padding is no recurrence."""

from __future__ import annotations

import pytest
import sympy as sp

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.solving import pin
from symnet.core.axes import bounds, index, size
from symnet.core.derivation import Rule
from symnet.networks.architectures import rnn
from symnet.networks.losses import SquaredError

A, B, M = index("a"), index("b"), index("m")
H, W, N = size("H"), size("W"), size("N")
ONE = sp.S.One


def test_a_summed_index_that_a_bracket_fixes_is_put_in() -> None:
    place = W * (A - 1) + B
    mapping, sums, left = pin(((M, ONE, H * W),), (sp.Eq(M, sp.expand(place)),), {A: (ONE, H), B: (ONE, W)})
    assert (sp.expand(mapping[M] - place), sums, left) == (0, (), ())


def test_where_the_place_may_be_outside_a_bracket_says_so() -> None:
    mapping, sums, left = pin(((M, ONE, N),), (sp.Eq(M, A - 1),), {A: (ONE, N)})
    assert (mapping, sums) == ({M: A - 1}, ())
    assert set(left) == {sp.Ge(A - 1, 1), sp.Le(A - 1, N)}


@pytest.mark.parametrize("low, high, kept", [(1, N, 0), (2, N, 2), (1, N - 1, 2), (0, N + 1, 0)],
                         ids=["the axis", "not the first", "not the last", "more than the axis"])
def test_conditions_that_always_hold_are_dropped_both_ends_together(low: sp.Expr, high: sp.Expr, kept: int) -> None:
    _, _, left = pin((), (sp.And(sp.Ge(A, low), sp.Le(A, high)),), {A: (ONE, N)})
    assert len(left) == kept


def test_a_bracket_on_divisibility_stays() -> None:
    even = sp.Eq(sp.Mod(A, 2), 0)
    assert pin(((M, ONE, N),), (even,), {A: (ONE, N)}) == ({}, ((M, ONE, N),), (even,))


@pytest.mark.parametrize("expr, low, high", [
    (W * A + B, W + 1, H * W + W), (-W * A, -H * W, -W), (W * (A - 1) + B, 1, H * W), (A - W * B, 1 - W**2, H - W),
], ids=["a row's place", "falling", "rows one after another", "mixed"])
def test_bounds_with_sizes_as_coefficients(expr: sp.Expr, low: sp.Expr, high: sp.Expr) -> None:
    found = bounds(sp.expand(expr), {A: (ONE, H), B: (ONE, W)})
    assert found is not None
    assert [sp.expand(found[0] - low), sp.expand(found[1] - high)] == [0, 0]


def test_a_size_that_may_be_of_either_sign_gives_no_bounds() -> None:
    assert bounds((H - W) * A, {A: (ONE, N)}) is None


def test_a_stride_that_always_fits_leaves_divisibility_alone() -> None:
    d = derive(sn.Sequential(sn.Input(1, 6), sn.MaxPool1d(2)).program(SquaredError()), wrt=["X"])
    conditions = {c for node in d.full.by_name["dL_dX"][0].expr.atoms(sp.core.relational.Relational) for c in [node]}
    assert conditions
    assert all(c.has(sp.Mod) for c in conditions)


def test_the_shift_of_a_padding_is_no_recurrence() -> None:
    d = derive(sn.Sequential(sn.Input(1, "T"), sn.Conv1d(1, 1, 3, padding=1)).program(SquaredError()), wrt=["X"])
    assert d.steps[-1].target.name == "dL_dX"
    assert d.steps[-1].rule is not Rule.RECURRENCE
    assert any(s.rule is Rule.RECURRENCE for s in derive(rnn()).steps)


def test_a_bound_below_the_range_of_a_sum_does_not_widen_it() -> None:
    assert pin(((M, ONE, N),), (sp.Ge(M, 0),), {}) == ({}, ((M, ONE, N),), ())
    assert pin(((M, sp.S.Zero, N),), (sp.Ge(M, 1),), {}) == ({}, ((M, ONE, N),), ())
