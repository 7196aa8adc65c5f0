"""The table of elementary functions: every row is right, by numbers that do not come from SymPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import sympy as sp

from symnet.core import functions as fn
from symnet.core.functions import BY_NAME, ROWS, TABLE, Elementary, conventions
from symnet.core.numbers import RULES, enclose

u, v = sp.symbols("u v", real=True)
POINTS = (-2.5, -0.75, -0.125, 0.125, 0.5, 1.75, 3.25)
SECOND = 0.25  # the other argument of a function of two

# Each function once more, by its definition, in mpmath.
MEANING: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "tanh": mpmath.tanh,
    "relu": lambda z: z if z > 0 else mpmath.mpf(0),
    "leaky_relu": lambda z, s: z if z > 0 else s * z,
    "step": lambda z: mpmath.mpf(z > 0),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)),
    "exp": mpmath.exp, "log": mpmath.log, "sin": mpmath.sin, "cos": mpmath.cos, "sinh": mpmath.sinh, "cosh": mpmath.cosh,
    "arctan": mpmath.atan, "erf": mpmath.erf, "abs": abs, "sign": mpmath.sign, "floor": mpmath.floor,
    "maximum": lambda a, b: max(a, b), "minimum": lambda a, b: min(a, b),
    "stop_gradient": lambda z: z,
}
HELD = {"stop_gradient"}  # constant where derivatives are taken, whatever the value
rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def arguments(row: Elementary) -> list[tuple[float, ...]]:
    """Points inside the domain, away from kinks and ties."""
    first = [p for p in POINTS if row.domain != "positive" or p > 0]
    return [(p, SECOND) for p in first] if len(row.derivative) == 2 else [(p,) for p in first]


def value(expr: sp.Expr, point: tuple[float, ...]) -> float:
    """The value of an expression in u and v, by balls."""
    exact = {s: sp.Rational(p) for s, p in zip((u, v), point, strict=False)}
    return float(enclose(expr, exact, 200).mid())


def close(a: float, b: Any, tolerance: float = 1e-12) -> bool:
    return abs(a - float(b)) <= tolerance * (1 + abs(a))


def apply(row: Elementary) -> sp.Expr:
    """The function at its symbols."""
    return row.function(*(u, v)[: len(row.derivative)])


def test_every_row_has_a_meaning_here_and_a_ball_rule() -> None:
    names = [row.name for row in ROWS]
    assert set(MEANING) == set(names) == set(BY_NAME)
    assert len(set(names)) == len(names)
    assert set(TABLE) == set(RULES), "a function that is differentiated can also be evaluated, and the other way round"


@rows
def test_the_value_is_what_the_name_says(row: Elementary) -> None:
    for point in arguments(row):
        assert close(value(apply(row), point), MEANING[row.name](*map(mpmath.mpf, point)))


@rows
def test_each_partial_derivative_is_the_slope(row: Elementary) -> None:
    for point in arguments(row):
        for k, rule in enumerate(row.derivative):
            ours = value(rule(*(u, v)[: len(point)], apply(row)), point)
            with mpmath.workdps(40):
                orders = tuple(int(k == m) for m in range(len(point)))
                slope = 0 if row.name in HELD else mpmath.diff(MEANING[row.name], tuple(map(mpmath.mpf, point)), orders)
            assert close(ours, slope), f"{row.name} in argument {k} at {point}"


@pytest.mark.parametrize("row", [r for r in ROWS if r.function.__module__ == fn.__name__], ids=lambda row: row.name)
def test_our_own_fdiff_agrees_with_the_row(row: Elementary) -> None:
    node = apply(row)
    for k, rule in enumerate(row.derivative):
        assert sp.expand(node.fdiff(k + 1) - rule(*node.args, node)) == 0


@pytest.mark.parametrize("row", [r for r in ROWS if r.in_exp], ids=lambda row: row.name)
def test_the_exponential_form_is_equal(row: Elementary) -> None:
    assert row.in_exp is not None
    for point in arguments(row):
        form = row.in_exp(*(u, v)[: len(point)])
        assert not form.has(row.function)
        assert close(value(form, point), value(apply(row), point))


@pytest.mark.parametrize(("node", "wanted"), [
    (fn.relu(u), 0), (fn.leaky_relu(u, sp.Rational(1, 5)), sp.Rational(1, 5)), (fn.step(u), 0), (sp.Abs(u), 0), (sp.sign(u), 0),
], ids=str)
def test_the_convention_at_the_kink(node: sp.Expr, wanted: sp.Rational) -> None:
    row = TABLE[node.func]
    slope = row.derivative[0](*node.args, node)
    assert value(slope, (0.0,)) == float(wanted)
    assert row.kinks == (0,)
    assert row.convention


def test_where_two_arguments_tie_the_first_gets_the_slope() -> None:
    for function in (fn.Max, fn.Min):
        node = function(u, v)
        slopes = [value(rule(u, v, node), (1.5, 1.5)) for rule in TABLE[function].derivative]
        assert slopes == [1.0, 0.0]


@pytest.mark.parametrize(("expr", "wanted"), [
    (fn.sigmoid(0), sp.Rational(1, 2)), (fn.softplus(0), sp.log(2)), (fn.relu(-3), 0), (fn.relu(3), 3), (fn.step(0), 0),
    (fn.step(2), 1), (fn.step(-2), 0), (fn.leaky_relu(-2, sp.Rational(1, 4)), sp.Rational(-1, 2)), (fn.leaky_relu(2, 9), 2),
], ids=str)
def test_exact_special_values(expr: sp.Expr, wanted: object) -> None:
    assert expr == wanted


def test_functions_do_not_expand_themselves() -> None:
    """σ(z) stays σ(z): the textbook form is not hidden in exponentials."""
    for f in (fn.sigmoid, fn.relu, fn.softplus, fn.step):
        assert f(u).func is f
        assert f(u + 1).func is f


def test_every_row_says_its_law_and_its_convention() -> None:
    for row in ROWS:
        assert row.law, row.name
        assert "\n" not in row.law
        assert bool(row.kinks or row.name in HELD) == bool(row.convention), row.name


def test_conventions_names_only_what_is_used() -> None:
    assert conventions(sp.exp(u) + fn.sigmoid(u)) == ()
    found = conventions(fn.relu(u) * sp.exp(sp.Abs(v)))
    assert [text.split(":")[0] for text in found] == ["relu", "abs"]
