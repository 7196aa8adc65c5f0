"""Functions written with exp and log: what cancels is found whatever the order in which the parts are met."""

from __future__ import annotations

import pytest
import sympy as sp

from symnet.core.functions import raised, relu, sigmoid, softplus, step
from symnet.core.numbers import enclose
from symnet.core.verdict import Answer
from symnet.equality.basis_forms import in_exp
from symnet.equality.compare import compare
from symnet.equality.domain_conditions import holes, surely_defined
from symnet.equality.normal import Basis

x, y = sp.symbols("x y", real=True)
p = sp.Symbol("p", positive=True)
e = sp.exp

SAME = {
    "sigmoid of softplus": (sigmoid(softplus(x)), (1 + e(x)) / (2 + e(x))),
    "sigmoid of log": (sigmoid(sp.log(p)), p / (1 + p)),
    "cosh of log": (sp.cosh(sp.log(p)), (p + 1 / p) / 2),
    "exp of twice softplus": (e(2 * softplus(x)), (1 + e(x)) ** 2),
    "exp of half softplus": (e(softplus(x) / 2), sp.sqrt(1 + e(x))),
    "a half inside an exp": (e(sp.Mul(e(x / 2), e(x / 2), evaluate=False)), e(e(x))),
    "tanh of exp": (sp.tanh(e(x)), 1 - 2 / (1 + e(2 * e(x / 2) ** 2))),
    "a real power": (p**y, sp.Pow(e(y / 2 * sp.log(p)), 2, evaluate=False)),
    "a log beside a fraction": (e(sp.tanh(x) + softplus(y)), e(sp.tanh(x)) * (1 + e(y))),
    "a number beside a fraction": (e(x / (e(x) + 2) + y - 2), e(-2) * e(y) * e(x / (e(x) + 2))),
    "a power with a fraction": (p ** (sp.cosh(x) + 2), sp.Mul(p**2, p ** sp.cosh(x), evaluate=False)),
    "a square in a root": (sp.sqrt((x + 3) ** 2 + 1), sp.sqrt(x**2 + 6 * x + 10)),
    "a square in a divisor": (1 / ((x + y) ** 2 + 1), 1 / (x**2 + 2 * x * y + y**2 + 1)),
    "nested sigmoids": (sigmoid(1 - sigmoid(-x)), 1 - sigmoid(-sigmoid(x))),
}


@pytest.mark.parametrize(("left", "right"), SAME.values(), ids=SAME)
def test_equal_is_proved(left: sp.Expr, right: sp.Expr) -> None:
    assert compare(left, right).answer is Answer.PROVED
    assert compare(right, left).answer is Answer.PROVED


@pytest.mark.parametrize(("left", "right"), SAME.values(), ids=SAME)
def test_nearly_equal_is_refuted(left: sp.Expr, right: sp.Expr) -> None:
    assert compare(left, right * sp.Rational(100_001, 100_000)).answer is Answer.REFUTED


@pytest.mark.parametrize("u", [x, 2 * x, -x - y, sp.log(p), 3 * sp.log(p), sp.Integer(0), sp.Integer(1), sp.Rational(1, 2)], ids=str)
def test_raised_is_exp(u: sp.Expr) -> None:
    point = {x: sp.Rational(1, 3), y: sp.Integer(2), p: sp.Rational(5, 2)}
    assert (enclose(raised(u), point) - enclose(e(u), point)).contains(0)
    assert raised(u) == e(u)


def test_a_log_inside_asks_for_its_domain() -> None:
    verdict = compare(sigmoid(sp.log(x)), x / (1 + x))
    assert (verdict.answer, "x > 0" in verdict.condition) == (Answer.CONDITIONAL, True)


def test_what_repeats_is_one_generator() -> None:
    basis, deep = Basis(), sigmoid(x * sigmoid(y) + 1)
    basis.survey(deep * (1 - deep), deep**2)
    basis.normal(deep * (1 - deep))
    count = len(basis.keys)
    basis.normal(deep**2 + sigmoid(-y) * deep)
    assert {kind for kind, _ in basis.keys} == {"exp"} and len(basis.keys) == count == 2  # e^y and e^(x/(e^y + 1) + 1)


def test_a_second_survey_forgets_what_the_first_took_for_final() -> None:
    basis = Basis()
    basis.survey(e(x))
    basis.survey(e(x / 2))
    _, difference = basis.normal(e(x) - e(x / 2) ** 2)
    assert difference.is_zero


def test_holes_are_read_off_as_written() -> None:
    assert list(holes(1 / x + sp.log(y))) in ([(x, "="), (y, "<=")], [(y, "<="), (x, "=")])
    assert not list(holes(sp.exp(x) * relu(y)))


@pytest.mark.parametrize("expr", [1 + e(x), e(-x) + e(y) * sigmoid(x), 2 + e(sigmoid(x) / (1 + e(y))), p * e(sp.tanh(x))], ids=str)
def test_plainly_positive(expr: sp.Expr) -> None:
    assert all(surely_defined(expr, sign) for sign in ("=", "<", "<="))


@pytest.mark.parametrize("expr", [e(x) - 1, x + e(x), e(sp.Symbol("z")), 1 + e(sp.log(sp.Symbol("z"))), step(x)], ids=str)
def test_not_plainly_positive(expr: sp.Expr) -> None:
    assert not surely_defined(expr, "<=")


def test_written_out_nothing_is_left() -> None:
    assert not in_exp(sigmoid(sp.tanh(softplus(x)))).has(sigmoid, sp.tanh, softplus)
