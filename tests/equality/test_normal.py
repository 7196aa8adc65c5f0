"""The basis: equal expressions reach one normal form, generators are what they stand for, holes are found."""

from __future__ import annotations

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.core.expressions import Nabla, When
from symnet.core.functions import ROWS, leaky_relu, relu, sigmoid, softplus, step
from symnet.core.numbers import enclose
from symnet.equality.normal import Basis, in_exp, surely_defined
from symnet.equality.undefined import undefined
from symnet.errors import UnknownNodeError

x, y = sp.symbols("x y", real=True)
p = sp.Symbol("p", positive=True)
a, i, j = sp.IndexedBase("a", real=True), *sp.symbols("i j", integer=True)


def same(left: sp.Expr, right: sp.Expr) -> bool:
    basis = Basis()
    basis.survey(left)
    basis.survey(right)
    return bool(basis.normal(left - right)[1].is_zero)


REWRITTEN = [row for row in ROWS if row.in_exp is not None]


@pytest.mark.parametrize("row", REWRITTEN, ids=[r.name for r in REWRITTEN])
def test_each_rewriting_is_an_identity_on_both_sides_of_the_kink_and_at_it(row) -> None:
    slope = sp.Rational(1, 5)
    for value in (sp.S.Zero, sp.Rational(-3, 2), sp.Rational(1, 3), sp.Integer(4)):
        args = (x, slope) if row.function is leaky_relu else (x,)
        assert (enclose(row.function(*args), {x: value}) - enclose(in_exp(row.function(*args)), {x: value})).contains(0)
        assert not in_exp(row.function(*args)).has(row.function)


def test_inner_functions_are_rewritten_too() -> None:
    deep = in_exp(sigmoid(sp.tanh(relu(x)) + softplus(y)))
    assert {type(n) for n in sp.preorder_traversal(deep) if isinstance(n, sp.Function)} <= {sp.exp, sp.log, step}


GENERATORS = {
    "exp of a sum alone": (sp.exp(x + 2 * y), 1),
    "exp of a sum beside its parts": (sp.exp(x + 2 * y) + sp.exp(x) + sp.exp(y), 2),
    "fractions share one exp": (sp.exp(x / 2) + sp.exp(x / 3), 1),
    "log": (sp.log(x) + sp.log(y), 2),
    "one log two ways": (sp.log(x**2 + 2 * x + 1) + sp.log((x + 1) ** 2), 1),
    "entries": (a[i + 1] + a[1 + i] + a[j], 2),
    "roots": (sp.sqrt(p) + p ** sp.Rational(3, 2), 1),
    "sums": (sp.Sum(a[i], (i, 1, 3)) + sp.Sum(a[j], (j, 1, 3)), 1),
    "steps": (step(x) + step(y), 2),
    "e and pi": (sp.E + sp.pi, 2),
    "gradients": (Nabla(x, a[i]) + Nabla(x, a[j]), 4),
    "cases": (sp.Piecewise((x, x > 0), (y, True)), 1),
    "brackets": (When(a[i], i > 1), 1),
}


@pytest.mark.parametrize("expr, count", GENERATORS.values(), ids=GENERATORS)
def test_equal_atoms_share_a_generator_and_others_do_not(expr: sp.Expr, count: int) -> None:
    basis = Basis()
    basis.survey(expr)
    basis.normal(expr)
    assert len(basis.keys) == count == len(basis.meaning)


def test_a_generator_can_be_spelled_out_again() -> None:
    basis, expr = Basis(), sp.log(1 + sp.exp(x) * sp.sin(p)) * sp.atan(1 + sp.log(p)) + step(x + y)
    spelled = basis.spelled(basis.flat(expr))
    assert spelled == expr.xreplace({1 + sp.exp(x) * sp.sin(p): sp.Abs(1 + sp.exp(x) * sp.sin(p))})  # it is positive where log is defined


EQUAL = {
    "steps are idempotent": (step(x) ** 3 * y, step(x) * y),
    "relu of relu": (relu(x) * step(x), relu(x)),
    "powers": (p**x * p**-x, sp.S.One),
    "nested exp": (sp.exp(sp.exp(x) + y), sp.exp(y) * sp.exp(sp.exp(x))),
    "exp of a fraction": (sp.exp((x + 2) / (1 + x)) ** 2, sp.exp((4 * x + 8) / (2 + 2 * x))),
    "exp of another fraction": (sp.exp(1 / (2 + 2 * x)) ** 3, sp.exp(sp.Rational(3, 2) / (1 + x))),
    "nested log": (sp.log(1 + sp.log(p**2 + p)), sp.log(sp.log(p * (p + 1)) + 1)),
}
APART = {
    "step of the other sign": (step(x), step(-x)),
    "another power": (p**x, p**y),
    "log of another": (sp.log(x), sp.log(1 + x)),
    "entry": (a[i], a[i + 1]),
    "another limit": (sp.Sum(a[i], (i, 1, 3)), sp.Sum(a[i], (i, 1, 4))),
    "another body": (sp.Sum(a[i], (i, 1, 3)), sp.Sum(a[i + 1], (i, 1, 3))),
    "another point": (Nabla(x, a[i]), Nabla(x, a[j])),
    "another loss": (Nabla(x, a[i]), Nabla(x / 2, a[i])),
    "exp": (sp.exp(x), sp.exp(-x)),
}


@pytest.mark.parametrize("left, right", EQUAL.values(), ids=EQUAL)
def test_equal_expressions_have_one_normal_form(left: sp.Expr, right: sp.Expr) -> None:
    assert same(left, right)


@pytest.mark.parametrize("left, right", APART.values(), ids=APART)
def test_different_expressions_do_not(left: sp.Expr, right: sp.Expr) -> None:
    assert not same(left, right)


HOLES = {
    "a divisor": (1 / (x - 1), ["x - 1 ="]),
    "factors": (1 / (x**2 - x), ["x - 1 =", "x ="]),
    "scaled": (1 / (3 * x + 3), ["x + 1 ="]),
    "never 0": (1 / (1 + sp.exp(x)), []),
    "never 0, after cancelling": (1 / (1 - sigmoid(x)), []),
    "log": (sp.log(2 * x), ["x <="]),
    "log of a positive": (sp.log(1 + p), []),
    "root": (sp.sqrt(x), ["x <"]),
    "root below": (1 / sp.sqrt(x), ["x <="]),
    "power": (x**y, ["x <="]),
    "positive power": (p**y, []),
    "root of what is never negative": (sp.sqrt(relu(x)), []),
    "inside exp": (sp.exp(1 / x), ["x ="]),
    "inside log": (sp.log(1 + 1 / x), ["x*(x + 1) <=", "x ="]),
    "log of a square": (sp.log(x**2), ["x ="]),
    "log of |x|": (sp.log(sp.Abs(x)), ["x ="]),
    "root of a square times": (sp.sqrt(x**2 * y + x**2), ["x**2*(y + 1) <"]),
    "positive factors": (sp.log(p * x * (1 + y**2)), ["x <="]),
    "a sine": (1 / sp.sin(x), ["cos(x) + 1 =", "cos(x) - 1 ="]),
    "a quadratic without zeros": (1 / (x**2 + x * y + y**2 + 1), []),
}


@pytest.mark.parametrize("expr, holes", HOLES.values(), ids=HOLES)
def test_where_an_expression_may_be_undefined(expr: sp.Expr, holes: list[str]) -> None:
    basis = Basis()
    basis.survey(expr)
    assert sorted(f"{u} {sign}" for (_, sign), u in undefined(basis, expr).items()) == sorted(holes)


def test_what_is_surely_defined_is_shown_not_guessed() -> None:
    assert surely_defined(1 + sp.exp(x), "=") and surely_defined(x**2, "<") and surely_defined(p, "<=")
    assert not surely_defined(x, "=") and not surely_defined(x**2, "<=") and not surely_defined(-p, "<=")


@pytest.mark.parametrize("expr", [sp.gamma(x), sp.nan, sp.zoo, sp.I, sp.Function("f")(x)], ids=str)
def test_an_unknown_node_raises(expr: sp.Expr) -> None:
    with pytest.raises(UnknownNodeError, match="no rule for"):
        Basis().normal(expr)


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.sampled_from([x, y, sp.exp(x), sigmoid(y), sp.log(p)])), min_size=1, max_size=6)
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_order_of_a_sum_does_not_matter(terms: list[tuple[int, sp.Expr]]) -> None:
    total = sp.Add(*[c * t for c, t in terms])
    assert same(total**2, sp.Add(*[c * t * total for c, t in reversed(terms)]))
