"""The usual slips, tried one at a time: the one that gives what was printed is named."""

from __future__ import annotations

import pytest
import sympy as sp

from symnet.checking.pages.printed_digits import cut_off, places, rounds_to
from symnet.checking.slips.number_slips import Calculation, call_of, factors, number_slip, product_slips
from symnet.core.functions import sigmoid

R = sp.Rational


@pytest.mark.parametrize(("printed", "count"), [("0.768", 3), ("2", 0), ("-0.10", 2), ("12.0", 1)])
def test_the_decimals_a_number_claims(printed: str, count: int) -> None:
    assert places(printed) == count


ROUNDING = [  # value, printed, does it round there, were its digits cut
    (R(7685, 10000), "0.77", True, False),
    (R(7685, 10000), "0.76", False, True),
    (R(-893, 1000), "-0.89", True, True),
    (R(-2471, 10000), "-0.24", False, True),
    (R(1, 2), "0.5", True, True),
    (R(1, 3), "0.3", True, True),
    (R(2, 3), "0.6", False, True),
    (R(2, 3), "0.67", True, False),
    (sp.log(2), "0.693", True, True),
    (sigmoid(R(6, 5)), "0.768", False, True),
    (sigmoid(R(6, 5)), "0.769", True, False),
    (sp.Integer(2), "2", True, True),
    (sp.Integer(2), "2.1", False, False),
]


@pytest.mark.parametrize(("value", "printed", "rounds", "cut"), ROUNDING, ids=[f"{v} as {p}" for v, p, _, _ in ROUNDING])
def test_rounding_and_cutting(value: sp.Expr, printed: str, rounds: bool, cut: bool) -> None:
    assert rounds_to(value, printed) is rounds
    assert cut_off(value, printed) is cut


FACTORS = {
    "a*b*c": ["a", "b", "c"],
    "-0.89 * 0.246 * (1 - a)": ["-0.89", "0.246", "(1 - a)"],
    "2 * (a2 - y)": ["2", "(a2 - y)"],
    "a*b + c": ["a*b + c"],
    "f(a*b)": ["f(a*b)"],
    "x": ["x"],
}


@pytest.mark.parametrize(("text", "parts"), FACTORS.items(), ids=FACTORS)
def test_factors_of_a_product_as_written(text: str, parts: list[str]) -> None:
    assert factors(text) == parts


PRODUCT = (("u", R(1, 2)), ("v", R(3, 10)), ("w", R(7)))  # 1.05
EXPLAINED = {
    "-1.05": ("sign", "the sign is wrong"),
    "2.10": ("missing factor", "the factor u is missing"),
    "-2.10": ("missing factor, sign", "the factor u is missing and the sign is wrong"),
    "3.50": ("missing factor", "the factor v is missing"),
    "0.15": ("missing factor", "the factor w is missing"),
    "7.35": ("doubled chain factor", "the factor w was taken twice"),
    "0.32": ("doubled chain factor", "the factor v was taken twice"),
    "1.75": ("wrong factor", "u was put in again where v belongs"),
    "0.63": ("wrong factor", "v was put in again where u belongs"),
    "1.50": ("digits exchanged", "two digits are exchanged: 1.05"),
    "10.5": ("decimal point", "the decimal point is misplaced"),
    "9.99": ("", ""),
}


def slip(printed: str, exact: sp.Expr, **more: object) -> tuple[str, str]:
    found = number_slip(Calculation(printed, exact, **more))  # type: ignore[arg-type]
    return (found.kind, found.message) if found else ("", "")


@pytest.mark.parametrize(("printed", "said"), EXPLAINED.items())
def test_a_slip_in_a_product_is_named(printed: str, said: tuple[str, str]) -> None:
    # 0.315 rounds to 0.32 (half away from zero or to even alike) and 0.63 = 0.3*0.3*7
    assert slip(printed, R(105, 100), by_hand=R(105, 100), factors=PRODUCT) == said


TERMS = (("u", R(5)), ("v", R(-3, 2)))  # 3.5
SUMS = {"5.0": ("dropped term", "the term v is missing"), "-1.5": ("dropped term", "the term u is missing"),
        "6.5": ("sign of a term", "the term v has the wrong sign"), "7.3": ("", "")}


@pytest.mark.parametrize(("printed", "said"), SUMS.items())
def test_a_slip_in_a_sum_is_named_as_one(printed: str, said: tuple[str, str]) -> None:
    assert slip(printed, R(7, 2), by_hand=R(7, 2), terms=TERMS) == said


def test_every_slip_that_is_named_gives_what_was_printed() -> None:
    for kind, _, second, value in product_slips(PRODUCT):
        printed = f"{float(value):.4f}"
        found, _ = slip(printed, R(105, 100), by_hand=R(105, 100), factors=PRODUCT)
        assert found, (kind, second)
        assert any(rounds_to(v, printed) for k, _, s, v in product_slips(PRODUCT) if k + (f", {s}" if s else "") == found)


def test_cut_digits_come_before_any_other_slip() -> None:
    assert slip("0.768", sigmoid(R(6, 5))) == ("cut off", "the digits were cut off, not rounded")


def test_one_factor_is_no_product() -> None:
    assert slip("3.50", R(105, 100), by_hand=R(105, 100), factors=(("u", R(105, 100)),)) == ("", "")


ARGUMENTS = {
    "sigmoid": ("sigmoid(z)", "0.524", R(2), "sigmoid gives 0.524 at about 0.0961, but its input here is 2"),
    "tanh": ("tanh(z)", "0.462", R(1), "tanh gives 0.462 at about 0.500, but its input here is 1"),
    "exp": ("exp(z)", "7.389", R(1), "exp gives 7.389 at about 2.00, but its input here is 1"),
    "out of its range": ("sigmoid(z)", "1.5", R(2), ""),
    "at the edge of its range": ("tanh(z)", "1", R(2), ""),
    "no inverse known": ("sin(z)", "0.5", R(2), ""),
    "no call": ("z*w", "0.5", R(2), ""),
}


@pytest.mark.parametrize(("text", "printed", "argument", "sentence"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_the_input_that_would_give_the_printed_number(text: str, printed: str, argument: sp.Expr, sentence: str) -> None:
    kind, said = slip(printed, sp.Integer(77), call=call_of(text)[0], argument=argument)
    assert said == sentence and kind == ("wrong argument" if sentence else "")
