"""Exact numbers in, certified decimals out."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy as sp
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.core import functions as fn
from symnet.core.numbers import Shown, compute, decide, decimal, enclose, fixed, layout, proved_zero, rational
from symnet.errors import DomainError, ParseError, UnknownNodeError

LAW = settings(max_examples=60, deadline=None, derandomize=True)
FRACTIONS = st.fractions(min_value=-10**9, max_value=10**9, max_denominator=10**9)
x, y = sp.symbols("x y", real=True)


@pytest.mark.parametrize(("given_value", "wanted"), [
    (2, "2"), ("2", "2"), ("-0.40", "-2/5"), (".5", "1/2"), ("5.", "5"), ("1/3", "1/3"), (" 1 / 3 ", "1/3"), ("+7", "7"),
    ("-2e-3", "-1/500"), ("1.5e3", "1500"), (0.1, "1/10"), (-2.5e-9, "-1/400000000"), (1e22, str(10**22)),
    (Fraction(-3, 9), "-1/3"), (Decimal("0.125"), "1/8"), (sp.Rational(4, 6), "2/3"),
], ids=str)
def test_rational_reads_exactly(given_value: object, wanted: str) -> None:
    assert rational(given_value) == sp.Rational(wanted)
    assert isinstance(rational(given_value), sp.Rational)


@pytest.mark.parametrize(("given_value", "phrase"), [
    ("", "a number such as"), ("abc", "a number such as"), ("1/0", "denominator that is not 0"), ("1,5", "not a comma"),
    (True, "a number such as"), (None, "a number such as"), (float("nan"), "a number such as"), (float("inf"), "a number"),
    (Decimal("NaN"), "a finite number"), ("__import__('os')", "a number such as"), ("9" * 5001, "a number such as"),
    ("1e9999", "a number such as"), ("--1", "a number such as"), ("1/2/3", "a number such as"), (".", "a number such as"),
    ("0x10", "a number such as"), ("1_000", "a number such as"),
], ids=str)
def test_rational_refuses_in_one_line(given_value: object, phrase: str) -> None:
    with pytest.raises(ParseError, match=phrase) as caught:
        rational(given_value)
    assert "\n" not in str(caught.value)


@LAW
@given(FRACTIONS)
def test_rational_reads_back_what_python_prints(value: Fraction) -> None:
    assert rational(str(value)) == rational(value) == sp.Rational(value.numerator, value.denominator)


@LAW
@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e30, max_value=1e30))
def test_a_float_is_the_decimal_it_prints_as(value: float) -> None:
    read = rational(value)
    assert Fraction(int(read.p), int(read.q)) == Fraction(Decimal(repr(value)))
    assert float(read) == value


@LAW
@given(FRACTIONS, st.integers(1, 30))
def test_decimal_rounds_a_rational_like_python(value: Fraction, digits: int) -> None:
    shown = decimal(sp.Rational(value.numerator, value.denominator), digits)
    with localcontext() as context:
        context.prec, context.rounding = digits, ROUND_HALF_EVEN
        wanted = Decimal(value.numerator) / Decimal(value.denominator)
    assert Decimal(shown.text) == wanted
    assert shown.exact == (Fraction(wanted) == value)
    assert shown.relation == ("=" if shown.exact else "≈")


@LAW
@given(FRACTIONS, st.integers(0, 12))
def test_fixed_rounds_a_rational_like_python(value: Fraction, places: int) -> None:
    shown = fixed(sp.Rational(value.numerator, value.denominator), places)
    assert Fraction(shown.text) == round(value, places)  # Python rounds a Fraction half to even
    assert len(shown.text.partition(".")[2]) == places or "e" in shown.text


IRRATIONAL = {"exp": (sp.exp, mpmath.exp), "tanh": (sp.tanh, mpmath.tanh), "sin": (sp.sin, mpmath.sin),
              "atan": (sp.atan, mpmath.atan), "erf": (sp.erf, mpmath.erf),
              "sigmoid": (fn.sigmoid, lambda v: 1 / (1 + mpmath.exp(-v))),
              "softplus": (fn.softplus, lambda v: mpmath.log(1 + mpmath.exp(v)))}


@LAW
@given(st.sampled_from(sorted(IRRATIONAL)), st.fractions(-9, 9, max_denominator=999).filter(bool), st.integers(1, 40))
def test_decimal_of_an_irrational_agrees_with_mpmath(name: str, value: Fraction, digits: int) -> None:
    ours, theirs = IRRATIONAL[name]
    shown = decimal(ours(sp.Rational(value.numerator, value.denominator)), digits)
    with mpmath.workdps(digits + 40):
        text = mpmath.nstr(theirs(mpmath.mpf(value.numerator) / value.denominator), digits + 30)
    with localcontext() as context:
        context.prec, context.rounding = digits, ROUND_HALF_EVEN
        assert Decimal(shown.text) == +Decimal(text)
    assert not shown.exact


@pytest.mark.parametrize(("expr", "digits", "wanted"), [
    (sp.Rational(5, 2), 1, "2"), (sp.Rational(7, 2), 1, "4"), (sp.Rational(1, 8), 6, "0.125"), (sp.S.Zero, 3, "0"),
    (sp.Rational(-1, 3), 3, "-0.333"), (sp.Rational(999999, 10**6), 3, "1.00"), (sp.Rational(-9996, 10), 3, "-1000"),
    (1 - sp.exp(-30), 4, "1.000"), (sp.exp(sp.log(10, evaluate=False), evaluate=False), 5, "10"),
    (sp.Integer(10)**25, 3, "1e25"), (sp.pi / 10**7, 4, "3.142e-7"), (sp.Integer(123456), 2, "120000"),
], ids=str)
def test_decimal_prints(expr: sp.Expr, digits: int, wanted: str) -> None:
    assert decimal(expr, digits).text == wanted


@pytest.mark.parametrize(("expr", "places", "wanted"), [
    (sp.exp(1), 3, "2.718"), (sp.Rational(1, 2), 0, "0"), (sp.Rational(3, 2), 0, "2"), (sp.Rational(-1, 3), 2, "-0.33"),
    (sp.Rational(768, 1000), 3, "0.768"), (sp.S.One, 2, "1.00"), (sp.Rational(1, 10**9), 3, "0.000"),
], ids=str)
def test_fixed_prints(expr: sp.Expr, places: int, wanted: str) -> None:
    assert fixed(expr, places).text == wanted


HIDDEN_TIE = sp.exp(sp.log(2, evaluate=False), evaluate=False) + sp.Rational(1, 2)  # 2.5, which balls alone never tell


def test_a_tie_that_is_proved_goes_to_the_even_digit() -> None:
    assert (decimal(HIDDEN_TIE, 1).text, fixed(HIDDEN_TIE, 0).text) == ("2", "2")
    assert (decimal(HIDDEN_TIE + 1, 1).text, fixed(HIDDEN_TIE + 1, 0).text) == ("4", "4")


def test_a_tie_that_nobody_proves_is_shown_with_the_digit_more_that_is_sure() -> None:
    at = lambda bits: compute(HIDDEN_TIE, {})  # noqa: E731 - a number without a proof
    for shown in (decimal(at, 1), fixed(at, 0)):
        assert (shown.text, shown.exact, shown.relation) == ("2.5", False, "≈")
        assert "do not tell to which side of a tie" in shown.note


@pytest.mark.parametrize("zero", [
    sp.sin(1)**2 + sp.cos(1)**2 - 1, fn.sigmoid(sp.Integer(3)) + fn.sigmoid(sp.Integer(-3)) - 1, sp.log(6) - sp.log(2) - sp.log(3),
    sp.tanh(sp.Rational(1, 3)) - 2 * fn.sigmoid(sp.Rational(2, 3)) + 1, sp.cosh(2)**2 - sp.sinh(2)**2 - 1,
    fn.softplus(sp.Integer(2)) - sp.log(1 + sp.exp(2)), sp.log(sp.exp(sp.Rational(1, 2), evaluate=False), evaluate=False) - sp.Rational(1, 2),
], ids=str)
def test_a_zero_behind_functions_is_proved(zero: sp.Expr) -> None:
    assert proved_zero(zero)
    assert decimal(zero, 6) == Shown("0", True)
    assert not proved_zero(zero + sp.Rational(1, 10**40))


def test_what_is_neither_proved_nor_told_from_zero_says_how_small_it_is() -> None:
    tiny = fn.sigmoid(sp.Integer(5000)) - 1  # -exp(-5000), about -1e-2171
    shown = decimal(tiny, 6)
    assert (shown.text, shown.exact, shown.relation) == ("0", False, "≈")
    size = int(re.fullmatch(r"smaller than 1e-(\d+) in size, not proved to be 0", shown.note)[1])
    assert 1200 < size < 2171, "true, and of at least 1,200 digits"
    assert decimal(sp.exp(-5000), 3).text == "3.37e-2172", "small is not the same as unknown"


def test_a_kink_that_no_precision_settles_is_an_interval_and_a_divisor_an_error() -> None:
    near = fn.step(1 - fn.sigmoid(sp.Integer(5000)))  # 1, but 4096 bits see nothing but 0
    assert decimal(near, 3).text == "[0, 1]"
    assert "kink" in decimal(near, 3).note
    with pytest.raises(DomainError, match="cannot tell from 0"):
        decimal(1 / (1 - fn.sigmoid(sp.Integer(10**5))), 3)


@pytest.mark.parametrize("size", [2900, 5000, 10000])
def test_a_divisor_and_an_argument_that_are_tiny_and_not_zero_have_a_value(size: int) -> None:
    small = 1 - fn.sigmoid(sp.Integer(size))
    with mpmath.workdps(6000):
        assert mpmath.almosteq(mpmath.mpf(decimal(1 / small, 12).text), 1 + mpmath.exp(size), 1e-11)
    assert decimal(-sp.log(small), 12).text == fixed(sp.Integer(size), 0).text + "." + "0" * (12 - len(str(size)))
    assert fixed(-sp.log(small), 3).text == f"{size}.000"


@LAW
@given(st.integers(-10**12, 10**12), st.integers(-10, 30))
def test_layout_is_the_number(whole: int, places: int) -> None:
    for trim in (False, True):
        assert Fraction(layout(whole, places, trim)) == Fraction(whole) / Fraction(10)**places


@LAW
@given(st.fractions(-5, 5, max_denominator=99), st.sampled_from([24, 53, 128]))
def test_a_ball_holds_the_true_value(value: Fraction, bits: int) -> None:
    exact = sp.Rational(value.numerator, value.denominator)
    ball = enclose(fn.sigmoid(x) * sp.tanh(x) + sp.exp(x) / 3, {x: exact}, bits)
    with mpmath.workdps(80):
        v = mpmath.mpf(value.numerator) / value.denominator
        truth = mpmath.tanh(v) / (1 + mpmath.exp(-v)) + mpmath.exp(v) / 3
        text = mpmath.nstr(truth, 70)
    with ctx.workprec(300):
        assert (ball - arb(text)).contains(0)


NEAR = [c + sign * sp.exp(-k) for c in (-1, 0, 1, 2) for sign in (1, -1) for k in (20, 100, 700)]
ONE_ARGUMENT = sorted((f for f, row in fn.TABLE.items() if len(row.derivative) == 1), key=str)


@pytest.mark.parametrize("function", ONE_ARGUMENT, ids=str)
def test_the_ball_of_a_function_near_a_point_where_it_is_exact_holds_the_value(function: Any) -> None:
    """log(1 + exp(-100)) was exactly 0: its ball at 64 bits holds 1, which is neither equal to 1 nor different from it."""
    told = 0
    for near in NEAR:
        expr = function(near)
        try:
            truth = enclose(expr, {}, 3000)
        except (DomainError, UnknownNodeError):  # SymPy writes log(-1 + …) with i
            continue
        for bits in (24, 64, 128):
            try:
                ball = enclose(expr, {}, bits)
            except DomainError:  # it cannot be told from outside the domain with so few bits
                continue
            told += 1
            assert ball.overlaps(truth), (expr, bits)
            assert truth.is_exact() or not ball.is_exact(), (expr, bits)
    assert told > 5


def test_the_logarithm_of_what_is_nearly_1_is_not_0() -> None:
    assert decimal(sp.log(1 + sp.exp(-100)), 6).text == "3.72008e-44"


@pytest.mark.parametrize("power", range(1, 8))
def test_a_whole_power_of_a_ball_that_holds_zero_is_a_ball(power: int) -> None:
    base = arb(0, 1e-30)
    with ctx.workprec(128):
        found = compute(x**power, {x: base})
    assert found.is_finite() and found.contains(0)
    assert found.contains(arb(1e-30) ** power) and float(found.abs_upper()) < 1.01e-30**power


def test_values_stay_exact_while_they_are_rational() -> None:
    value = compute((x + 1)**3 / x - abs(-x) + fn.relu(x), {x: sp.Rational(1, 2)})
    assert isinstance(value, fmpq)
    assert value == fmpq(27, 4)


BEHIND = {"e": sp.exp(1), "minus pi": -sp.pi, "a root": sp.sqrt(2), "a sigmoid": fn.sigmoid(sp.Rational(1, 3))}


@pytest.mark.parametrize(("expr", "wanted"), [
    (x * 0 + sp.Rational(1, 10), "1/10"), (y * x + sp.Rational(1, 3), "1/3"), (fn.relu(-abs(x)) / 7 + sp.Rational(1, 7), "1/7"),
    (fn.step(abs(x)) / 3, "1/3"), (sp.sign(-abs(x)) / 3, "-1/3"), (sp.cos(y * x) / 3, "1/3"), (sp.tanh(y * x) - sp.Rational(2, 9), "-2/9"),
    (sp.sqrt(y + sp.Rational(4, 9)), "2/3"), ((y + sp.Rational(27, 8))**sp.Rational(-2, 3), "4/9"), (fn.Max(-abs(x), sp.Rational(1, 3)), "1/3"),
    (fn.leaky_relu(-abs(x), y) + sp.Rational(1, 5), "1/5"), (sp.floor(abs(x) + 10) * y - sp.Rational(1, 9), "-1/9"),
    (sp.Piecewise((sp.Rational(1, 3), x > 100), (sp.Rational(2, 3), True)), "2/3"), ((1 + y)**x / 3, "1/3"),
], ids=str)
@pytest.mark.parametrize("value", BEHIND.values(), ids=BEHIND)
def test_a_rational_number_behind_irrational_ones_stays_exact(expr: sp.Expr, wanted: str, value: sp.Expr) -> None:
    """x is irrational and y is 0."""
    with ctx.workprec(64):
        found = compute(expr, {x: compute(value, {}), y: fmpq(0)})
        assert isinstance(found, fmpq)
        assert found == fmpq(*map(int, wanted.split("/")))


def test_nothing_times_what_has_no_value_is_not_zero() -> None:
    with ctx.workprec(64):
        wide = 1 / arb(0, 1)  # a divisor that may be 0
        found = compute(x * y, {x: fmpq(0), y: wide})
        assert isinstance(found, arb)
        assert not found.is_finite()


@pytest.mark.parametrize(("expr", "digits", "text"), [
    (sp.exp(sp.log(3) / 2)**2 / 10, 6, "0.3"), (sp.sqrt(2) * sp.sqrt(8) / 16, 3, "0.25"), (sp.sin(2)**2 + sp.cos(2)**2, 6, "1"),
    (fn.sigmoid(sp.Rational(1, 3)) + fn.sigmoid(-sp.Rational(1, 3)), 30, "1"), (-sp.log(sp.exp(sp.Rational(5, 2), evaluate=False)), 2, "-2.5"),
])
def test_what_is_exact_is_shown_so(expr: sp.Expr, digits: int, text: str) -> None:
    shown = decimal(expr, digits)
    assert (shown.text, shown.exact, shown.note) == (text, True, "")


@pytest.mark.parametrize(("expr", "text"), [
    (fn.sigmoid(sp.Integer(5000)), "1.00000"), (1 + sp.exp(-400), "1.00000"), (sp.Rational(1, 4) - sp.exp(-700), "0.250000"),
    (sp.pi, "3.14159"), (1 + sp.Rational(1, 10**90), "1.00000"),
])
def test_what_is_nearly_a_short_number_is_rounded(expr: sp.Expr, text: str) -> None:
    """Whether 4096 bits tell it from the short number or not."""
    shown = decimal(expr, 6)
    assert (shown.text, shown.exact) == (text, False)


def test_a_node_without_a_rule_is_never_taken_as_zero() -> None:
    for expr in (sp.gamma(x), sp.Function("f")(x), x + sp.zeta(x)):
        with pytest.raises(UnknownNodeError, match="no rule for"):
            compute(expr, {x: sp.S.One})
    with pytest.raises(UnknownNodeError, match="no value for x"):
        compute(x + 1, {})


@pytest.mark.parametrize(("expr", "phrase"), [
    (sp.log(x), "log: the value -1.* expected a positive number"), (1 / (x + 1), "division: 0"),
    (sp.sqrt(x), "negative base"), (x ** sp.Rational(1, 3), "negative base"), (sp.log(x + 1), "log: the value 0"),
    (sp.Piecewise((x, x > 0)), "no case applies"),
], ids=str)
def test_outside_a_domain_is_an_error(expr: sp.Expr, phrase: str) -> None:
    with pytest.raises(DomainError, match=phrase):
        compute(expr, {x: sp.Integer(-1)})


@pytest.mark.parametrize(("relation", "truths"), [  # at 0, 1 and 2
    (x > 1, (False, False, True)), (x >= 1, (False, True, True)), (x < 1, (True, False, False)),
    (x <= 1, (True, True, False)), (sp.Eq(x, 1), (False, True, False)), (sp.Ne(x, 1), (True, False, True)),
    (sp.And(x > 0, x < 2), (False, True, False)), (sp.Or(x < 1, x > 1), (True, False, True)),
    (sp.Not(sp.And(x > 0, x < 2)), (True, False, True)), (sp.true, (True, True, True)),
], ids=str)
def test_decide(relation: sp.Basic, truths: tuple[bool, ...]) -> None:
    assert tuple(decide(relation, {x: sp.Integer(v)}, {}) for v in (0, 1, 2)) == truths


def test_a_comparison_that_the_balls_leave_open_is_open() -> None:
    assert decide(sp.Gt(x, 0), {x: arb(0, 1)}, {}) is None
    wide = compute(sp.Piecewise((sp.Integer(5), x > 0), (sp.Integer(7), True)), {x: arb(0, 1)})
    assert wide.contains(5)
    assert wide.contains(7)


def test_a_comparison_of_cases_is_decided_by_the_case_that_holds() -> None:
    x, y, wide = sp.Symbol("x"), sp.Symbol("y"), arb(0, 1)
    either = sp.ITE(x > 0, y > 1, y > 5)
    known = [({x: fmpq(1), y: fmpq(2)}, True), ({x: fmpq(-1), y: fmpq(2)}, False), ({x: wide, y: fmpq(9)}, True), ({x: wide, y: fmpq(2)}, None)]
    assert [decide(either, values, {}) for values, _ in known] == [wanted for _, wanted in known]


def test_a_root_is_sought_as_a_rational_up_to_the_64th() -> None:
    x = sp.Symbol("x", positive=True)
    assert compute(x ** sp.Rational(1, 64), {x: sp.Integer(2) ** 64}) == fmpq(2)
    assert isinstance(compute(x ** sp.Rational(1, 65), {x: sp.Integer(2) ** 65}), arb)
