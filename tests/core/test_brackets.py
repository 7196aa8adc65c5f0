"""Sums over an index that a bracket fixes: settled, with the same value at every size."""

from __future__ import annotations

import itertools

import pytest
import sympy as sp

from symnet.core.axes import index, size
from symnet.core.expressions import When, limits, total
from symnet.core.index_evaluation import at_place
from symnet.core.iverson import fixed, settle

i, j, k, l, v = map(index, "ijklv")
M, P = size("M"), size("P")
x, y = sp.IndexedBase("x"), sp.IndexedBase("y")
ONE = sp.S.One


def value(expr: sp.Expr, **places: int) -> sp.Expr:
    """The expression at M = 3, P = 2 and the places of the free indices."""
    env = {M: sp.Integer(3), P: sp.Integer(2), **{index(n): sp.Integer(p) for n, p in places.items()}}
    return at_place(expr, env, lambda name, place: sp.Symbol("_".join([name, *map(str, place)])))


ROWS = [
    ("a diagonal", When(x[j], sp.Eq(i, j)), ((j, ONE, M),), "x[i]"),
    ("the other way round", When(x[j], sp.Eq(j, i)), ((j, ONE, M),), "x[i]"),
    ("two brackets of one product", When(x[j], sp.Eq(i, j)) * When(y[k], sp.Eq(k, j)), ((j, ONE, M), (k, ONE, M)), "x[i]*y[i]"),
    ("inside a sum", sp.Sum(When(x[j] * y[k], sp.Eq(k, j)), (k, 1, M)), ((j, ONE, M),), "Sum(x[j]*y[j], (j, 1, M))"),
    ("a place of a Kronecker product", When(x[i] * y[k], sp.Eq(v, P * (i - 1) + k)), ((v, ONE, M * P),), "x[i]*y[k]"),
]


@pytest.mark.parametrize(("body", "over", "shown"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_it_is_settled_and_keeps_its_value(body: sp.Expr, over: tuple, shown: str) -> None:  # type: ignore[type-arg]
    bound = {t[0] for t in over}
    free = {s: (ONE, P if s == k else M) for s in (i, k) if s not in bound}
    made = settle(body, over, free)
    assert str(made) == shown
    for p, q in itertools.product((1, 2), (1, 2)):
        assert value(made, i=p, k=q) == value(total(body, over), i=p, k=q)


def test_a_place_that_may_lie_outside_keeps_a_bracket() -> None:
    made = settle(When(x[j], sp.Eq(j, i + 1)), ((j, ONE, M),), {i: (ONE, M)})
    assert isinstance(made, When)
    assert [value(made, i=p) for p in (1, 2, 3)] == [sp.Symbol("x_2"), sp.Symbol("x_3"), 0]


def test_equal_places_of_a_kronecker_product_have_equal_parts() -> None:
    """P(i - 1) + k = P(j - 1) + l with k, l in 1..P only if i = j and k = l."""
    ranges = {i: (ONE, M), k: (ONE, P)}
    there, over, conditions = fixed([sp.Eq(P * (i - 1) + k, P * (j - 1) + l)], ((j, ONE, M), (l, ONE, P)), ranges)
    assert (there, over, conditions) == ({j: i, l: k}, (), ())


def test_without_a_small_enough_part_nothing_is_split() -> None:
    """P(i - 1) + k = P(j - 1) + l with k, l in 1..M says nothing of the parts."""
    ranges = {i: (ONE, M), k: (ONE, M), j: (ONE, M), l: (ONE, M)}
    condition = sp.Eq(P * (i - 1) + k, P * (j - 1) + l)
    assert fixed([condition], (), ranges) == ({}, (), (condition,))


def test_other_brackets_are_left_alone() -> None:
    body = When(x[j], sp.Ge(j, i))
    assert settle(body, ((j, ONE, M),), {i: (ONE, M)}) == sp.Sum(body, (j, 1, M))
    stride = When(x[j], sp.Eq(sp.Mod(j, 2), 0))
    assert limits(settle(stride, ((j, ONE, M),))) == ((j, 1, M),)
