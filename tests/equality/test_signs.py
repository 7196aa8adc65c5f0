"""Which signs an expression may have: never one too few, and few enough to be of use."""

from __future__ import annotations

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.core.functions import sigmoid, step
from symnet.core.numbers import enclose
from symnet.equality.fractions import Nowhere
from symnet.equality.normal import Basis
from symnet.equality.points import points
from symnet.equality.undefined import assume, learn

x, y = sp.symbols("x y", real=True)
p, q = sp.symbols("p q", positive=True)
n, m = sp.Symbol("n", nonnegative=True), sp.Symbol("m", negative=True)
PLUS, MINUS, FROM_ZERO, TO_ZERO, ALL = {1}, {-1}, {0, 1}, {-1, 0}, {-1, 0, 1}

SIGNS = {
    "a sum of positives": (p * q + n + sp.exp(x), PLUS),
    "squares": (x**2 + y**4, FROM_ZERO),
    "a negative": (m - p, MINUS),
    "a product": (m * n, TO_ZERO),
    "a quadratic": (x**2 + x * y + y**2 + p, PLUS),
    "a quadratic with a zero": (x**2 - 2 * x * y + y**2, FROM_ZERO),
    "minus a quadratic": (-(x**2) + x - 1, MINUS),
    "one real root": (x**3 - x + 5, ALL),
    "no real root": (x**6 - x + 5, PLUS),
    "no positive root": (p**3 - p**2 + p, PLUS),
    "|x|": (sp.Abs(x), FROM_ZERO),
    "1 + |x|": (1 + sp.Abs(x), PLUS),
    "1 + |x - y|": (1 + sp.Abs(x - y), PLUS),
    "a bounded wave": (2 + sp.sin(x), PLUS),
    "a wave that touches 0": (1 - sp.cos(x), FROM_ZERO),
    "erf never touches": (1 - sp.erf(x), PLUS),
    "sigmoid": (sigmoid(x) - 1, MINUS),
    "a log": (sp.log(1 + p), PLUS),
    "a root": (sp.sqrt(1 + x**2), PLUS),
    "a power": ((x**2 + 1) / (p - p * step(x) / 2), PLUS),
    "unknown": (x - 2 * y, ALL),
    "zero": (x * y - y * x, {0}),
    "arctan": (sp.atan(p + 1), PLUS),
}


@pytest.mark.parametrize(("expr", "signs"), SIGNS.values(), ids=SIGNS)
def test_the_signs_of_an_expression(expr: sp.Expr, signs: set[int]) -> None:
    basis = Basis()
    basis.survey(expr)
    assert basis.known.of_fraction(expr) == signs


LEARNT = {
    "a log": ([sp.log(x)], x, PLUS),
    "a root": ([sp.sqrt(-x)], x, TO_ZERO),
    "a divisor": ([1 / x], x, {-1, 1}),
    "a product and a factor": ([sp.log(x * y), sp.log(x)], y, PLUS),
    "a sum": ([sp.log(x - y)], x - y + p, PLUS),
    "of three": ([sp.log(-x * y**2)], x, MINUS),
    "nothing of a sum": ([sp.log(x + y)], x, ALL),
    "a product alone": ([sp.sqrt(x * y)], x, ALL),
    "both ways": ([sp.sqrt(x), sp.sqrt(-x)], x, {0}),
}


@pytest.mark.parametrize(("defined", "expr", "signs"), LEARNT.values(), ids=LEARNT)
def test_what_being_defined_tells(defined: list[sp.Expr], expr: sp.Expr, signs: set[int]) -> None:
    basis = Basis()
    assert learn(basis, *defined) or signs == ALL
    assert basis.known.of_fraction(expr) == signs


def test_facts_that_cannot_hold_together_are_noticed() -> None:
    with pytest.raises(Nowhere, match="nowhere are both sides defined"):
        learn(Basis(), sp.log(x), sp.log(-x))
    with pytest.raises(Nowhere):
        assume(Basis(), [(x, True), (-x, False)])


TREES = st.recursive(
    st.one_of(st.sampled_from([x, y, p, n, m]), st.integers(-2, 3).map(sp.Integer)),
    lambda e: st.one_of(
        st.builds(lambda u, v: u + v, e, e),
        st.builds(lambda u, v: u * v, e, e),
        e.map(lambda u: u**2 + 1),
        st.builds(lambda f, u: f(u), st.sampled_from([sp.exp, sp.sin, sp.erf, sp.Abs, sigmoid, step]), e),
    ),
    max_leaves=5,
)


@given(TREES)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_sign_is_missed(expr: sp.Expr) -> None:
    basis = Basis()
    basis.survey(expr)
    signs = basis.known.of_fraction(expr)
    for point in points([x, y, p, n, sp.Dummy()][:4], 12):
        value = enclose(expr, {**point, m: -sp.Rational(3, 2)})
        met = {1} if value > 0 else {-1} if value < 0 else signs
        assert met <= signs
