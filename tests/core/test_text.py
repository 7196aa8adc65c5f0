"""Plain text of formulas: textbook order, brackets where needed, and the text means what was printed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.evaluate import evaluate
from symnet.core import functions as fn
from symnet.core.axes import index, size
from symnet.core.expressions import When, as_written
from symnet.core.numbers import compute
from symnet.core.program import Program
from symnet.core.text import definition_text, text
from symnet.errors import UnknownNodeError
from symnet.networks.architectures import conv1d, mlp
from symnet.parsing.program import expression

a, y, z = sp.symbols("a y z", real=True)
i, j, p = index("i"), index("j"), index("p")
N, M = size("N"), size("M")
x = sp.IndexedBase("x", real=True)


def sum_of(body: sp.Expr) -> sp.Expr:
    return sp.Sum(body, (i, 1, N))


@pytest.mark.parametrize(("expr", "wanted"), [
    (a * (1 - a), "a*(1 - a)"), ((a - y)**2 / 2, "(a - y)**2/2"), (-a / y, "-a/y"), (1 / (a * y), "1/(a*y)"),
    (a - 1, "a - 1"), (-1 - a, "-1 - a"), (1 + sp.exp(-a), "1 + exp(-a)"), (-a / 3, "-a/3"), (2 * a / 3, "2*a/3"),
    (sp.sqrt(a), "sqrt(a)"), (1 / sp.sqrt(a), "1/sqrt(a)"), (a**-2, "1/a**2"), ((a + y)**z, "(a + y)**z"), (a**y, "a**y"),
    (sum_of(x[i]), "sum(x[i] for i in 1..N)"), (-sum_of(x[i]), "-sum(x[i] for i in 1..N)"),
    (a - sum_of(x[i]), "a - sum(x[i] for i in 1..N)"), (sum_of(x[i] - a) / N, "sum(x[i] - a for i in 1..N)/N"),
    (sum_of(x[i]) * sum_of(x[i]**2), "(sum(x[i]**2 for i in 1..N))*sum(x[i] for i in 1..N)"),
    (sp.Sum(x[i] * x[j], (j, 1, i), (i, 1, N)), "sum(x[i]*x[j] for i in 1..N for j in 1..i)"),
    (fn.leaky_relu(a, sp.Rational(1, 5)), "leaky_relu(a, 1/5)"), (abs(a), "abs(a)"), (sp.Max(a, y), "maximum(a, y)"),
    (sp.pi * a, "pi*a"), (sp.E * a, "e*a"), (sp.Piecewise((a, a > 0), (y, True)), "(a if a > 0 else y)"),
    (sp.Piecewise((a, sp.And(sp.Or(a > 0, y > 1), z < 2)), (y, True)), "(a if a > 0 and z < 2 or y > 1 and z < 2 else y)"),
    (When(x[i - p + 1], sp.And(sp.Ge(i - p + 1, 1), sp.Le(i - p + 1, N))), "[1 <= i - p + 1 <= N]*x[i - p + 1]"),
    (When(-2 * a, sp.Eq(i, j)), "[i == j]*(-2*a)"),
    (When(a + 1, sp.Eq(i, j)) * y, "y*[i == j]*(a + 1)"),
    (When(x[i / 2], sp.And(sp.Eq(sp.Mod(i, 2), 0), sp.Ge(i / 2, 1), sp.Le(i / 2, M))), "[i % 2 == 0, 1 <= i/2 <= M]*x[i/2]"),
], ids=str)
def test_text(expr: sp.Expr, wanted: str) -> None:
    assert text(expr) == wanted


def test_a_number_stays_in_front_of_a_bracket() -> None:
    with as_written():
        assert text(-2 * (a - y)) == "-2*(a - y)"
        assert text(2 * (a - y) * a * (1 - a)) == "2*a*(1 - a)*(a - y)"


def test_numbers_can_be_put_in_for_names() -> None:
    values = {a: ("0.25", 4), y: ("-1", 1)}
    assert text(a * (1 - a) * y, leaf=lambda e: values[e]) == "0.25 * (-1) * (1 - 0.25)"


def test_a_node_without_a_form_raises() -> None:
    for expr in (sp.gamma(a), sp.Function("f")(a), sp.Product(x[i], (i, 1, N))):
        with pytest.raises(UnknownNodeError, match="no form for"):
            text(expr)


def trees() -> st.SearchStrategy[sp.Expr]:
    """Small expressions with every kind of operator."""
    leaves = st.sampled_from([a, y, z, sp.Integer(2), sp.Integer(-3), sp.Rational(1, 2), sp.Rational(-2, 5)])

    def grow(inner: st.SearchStrategy[sp.Expr]) -> st.SearchStrategy[sp.Expr]:
        pair = st.tuples(inner, inner)
        return st.one_of(pair.map(lambda t: t[0] + t[1]), pair.map(lambda t: t[0] - t[1]), pair.map(lambda t: t[0] * t[1]),
                         inner.map(lambda e: -e), inner.map(lambda e: e**2), inner.map(lambda e: 1 / (e**2 + 1)),
                         inner.map(fn.relu), inner.map(abs), pair.map(lambda t: sp.Max(*t)))
    return st.recursive(leaves, grow, max_leaves=8)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(trees())
def test_the_text_of_an_expression_is_read_back_with_the_same_value(expr: sp.Expr) -> None:
    scalars = {s.name: sn.Tensor(s.name) for s in (a, y, z)}
    again = expression(text(expr), scalars).expr
    for point in ((1, 2, 3), ("-1/3", "1/7", 5)):
        values = {s: sp.Rational(v) for s, v in zip((a, y, z), point, strict=True)}
        assert compute(expr, values) == compute(again, values)


NETS: dict[str, tuple[Program, dict[str, int]]] = {
    "mlp": (mlp(), {"N": 2, "d": 3, "h": 4, "k": 2}),
    "conv1d": (conv1d(), {"K": 2, "M": 3}),
    "binary cross-entropy": (sn.Sequential(sn.Linear("d", "h"), sn.Sigmoid()).program(sn.BCELoss()), {"N": 2, "d": 3, "h": 4}),
    "one neuron a layer": (sn.load("first").program, {}),
    "leaky relu": (sn.Sequential(sn.Linear("d", "h"), sn.LeakyReLU()).program(sn.MSELoss()), {"N": 2, "d": 3, "h": 4}),
}


@pytest.mark.parametrize("name", NETS)
def test_a_whole_derivation_is_read_back_from_its_text(name: str) -> None:
    made, sizes = NETS[name]
    full = derive(made).full
    lines = [definition_text(d, full.tensors) for d in full]
    known = {t.name: t for t in full.tensors.values() if t.axes or t in full.inputs}
    again = sn.program(*lines, tensors=known, objective=full.objective)
    env = {str(s): sizes[str(s)] for s in full.sizes}
    values = {t.name: nested([int(n.xreplace({s: sp.Integer(env[str(s)]) for s in full.sizes})) for n in t.shape], counter())
              for t in full.inputs}
    first, second = evaluate(full, values, env), evaluate(again, values, env)
    for d in full:
        assert first.decimal(d.name, 25) == second.decimal(d.name, 25)


def counter() -> Iterator[int]:
    yield from range(1, 10_000)


def nested(shape: list[int], numbers: Iterator[int]) -> Any:
    """Nested lists of different rationals between 0 and 1."""
    return f"{next(numbers)}/97" if not shape else [nested(shape[1:], numbers) for _ in range(shape[0])]
