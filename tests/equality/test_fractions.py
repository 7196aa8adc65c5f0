"""Fractions of polynomials: the field laws, reduction, limits, and the way back to SymPy."""

from __future__ import annotations

import pytest
import sympy as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from symnet.equality.fractions import MAX_POWER, Fraction, Ring, TooLarge
from symnet.errors import UnknownNodeError

x, y = sp.symbols("x y")
RING = Ring([x, y])


def back(value: Fraction) -> sp.Expr:
    return RING.back(value.above) / RING.back(value.below)


def same(u: Fraction, v: Fraction) -> bool:
    return (u + RING.constant(sp.S.NegativeOne) * v).is_zero


LEAVES = st.one_of(
    st.sampled_from([x, y]), st.fractions(-3, 3, max_denominator=4).map(lambda f: sp.Rational(f.numerator, f.denominator))
)
POLYNOMIALS = st.recursive(
    LEAVES, lambda e: st.one_of(st.builds(lambda u, v: u + v, e, e), st.builds(lambda u, v: u * v, e, e)), max_leaves=5
)
LAWS = settings(max_examples=60, deadline=None, derandomize=True)


@given(POLYNOMIALS, POLYNOMIALS, POLYNOMIALS)
@LAWS
def test_the_laws_of_a_field(a: sp.Expr, b: sp.Expr, c: sp.Expr) -> None:
    u, v, w = (RING.fraction(e) for e in (a, b, c))
    assert same((u + v) * w, u * w + v * w) and same(u * v, v * u) and same((u + v) + w, u + (v + w)) and same(u, u)
    assert not same(u, u + RING.constant(sp.S.One))
    assume(not v.is_zero)
    assert same(u * v * v**-1, u) and same((v**-1) ** -1, v)


@given(POLYNOMIALS, POLYNOMIALS)
@LAWS
def test_the_way_back_is_the_same_expression(a: sp.Expr, b: sp.Expr) -> None:
    assume(sp.expand(b) != 0)
    assert sp.cancel(back(RING.fraction(a) * RING.fraction(b) ** -1) - a / b) == 0


def test_a_fraction_is_reduced() -> None:
    value = RING.fraction((x**2 - y**2) / (x - y))
    assert RING.back(value.below) == 1 and sp.expand(RING.back(value.above) - x - y) == 0


def test_constants_alone_need_no_symbols() -> None:
    assert Ring([]).fraction(sp.Rational(1, 3) + sp.Rational(2, 3)) == Ring([]).constant(sp.S.One)


def test_symbols_that_print_alike_stay_apart() -> None:
    one, two = sp.Symbol("k", real=True), sp.Symbol("k", positive=True)
    assert not Ring([one, two]).fraction(one - two).is_zero


def test_zero_has_no_inverse() -> None:
    with pytest.raises(ZeroDivisionError):
        RING.fraction(x - x) ** -1
    with pytest.raises(ZeroDivisionError):
        RING.fraction(sp.Pow(sp.Add(x, -x, evaluate=False), -1, evaluate=False))


LARGE = {"power": x ** (MAX_POWER + 1), "negative power": (x + 1) ** -(MAX_POWER + 1)}


@pytest.mark.parametrize("expr", LARGE.values(), ids=LARGE)
def test_powers_past_the_limit_are_refused(expr: sp.Expr) -> None:
    with pytest.raises(TooLarge, match="the power"):
        RING.fraction(expr)


def test_too_many_terms_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symnet.equality.fractions.MAX_TERMS", 50)
    assert RING.fraction((x + y) ** 40).is_zero is False
    with pytest.raises(TooLarge, match="more than 50 terms"):
        RING.fraction((x + y) ** 40 * (x + 2 * y + 1) ** 10)


@pytest.mark.parametrize("expr", [sp.sqrt(x), sp.exp(x), sp.Symbol("q"), sp.pi, x**y], ids=str)
def test_what_is_no_fraction_of_polynomials_raises(expr: sp.Expr) -> None:
    with pytest.raises(UnknownNodeError):
        RING.fraction(expr)
