"""Folding right sides back to names: the value stays, and only instances are found."""

from __future__ import annotations

import pytest
import sympy as sp

import symnet as sn
from symnet.calculus.derive import derive
from symnet.calculus.folding import fold, unify
from symnet.calculus.occurrences import hide_exp, show_exp
from symnet.core.axes import Axis, index
from symnet.core.expressions import substitute
from symnet.core.functions import sigmoid
from symnet.core.program import Definition, define
from symnet.core.tensors import Tensor, scalar
from symnet.core.text import text

n, k, c = index("n"), index("k"), index("c")
ROWS, CLASSES = Axis.of("N"), Axis.of("C")
z, p = Tensor("z", (ROWS, CLASSES)), Tensor("p", (ROWS, CLASSES))
upper = CLASSES.upper
x = scalar("x")[()]


def total(row: sp.Expr) -> sp.Expr:
    return sp.Sum(sp.exp(z[row, c]), (c, 1, upper))


COLUMNS = tuple((i, sp.S.One, upper) for i in (c, index("u")))  # the indices that a line's derivative is summed over
SOFTMAX = define(p, n, k, expr=sp.exp(z[n, k]) / total(n))


def folded(expr: sp.Expr, definition: Definition) -> str:
    return text(show_exp(fold(hide_exp(expr), definition, hide_exp(definition.expr), COLUMNS)))


def test_the_whole_right_side_is_replaced() -> None:
    a = define(Tensor("a"), expr=sigmoid(x))
    assert folded(sigmoid(x) * (1 - sigmoid(x)), a) == "a*(1 - a)"
    assert folded(1 - sigmoid(2 * x), a) == "1 - sigmoid(2*x)", "another argument is another value"


def test_a_softmax_is_found_inside_a_larger_product() -> None:
    assert folded(3 * x * sp.exp(z[n, k]) / total(n), SOFTMAX) == "3*p[n, k]*x"


def test_a_softmax_is_found_at_another_index() -> None:
    both = sp.exp(z[n, k]) * sp.exp(z[n, c]) / total(n).xreplace({c: index("u")}) ** 2
    assert folded(both, SOFTMAX) in ("p[n, k]*p[n, c]", "p[n, c]*p[n, k]")


@pytest.mark.parametrize("expr", [
    sp.exp(z[n, k]) / total(n + 1), sp.exp(z[n, k]) * total(n), total(n) / sp.exp(z[n, k]), sp.exp(-z[n, k]) / total(n),
    sp.exp(z[n, k]) / sp.Sum(sp.exp(z[n, c]), (c, 1, upper - 1)), sp.exp(z[n, k]) / sp.Sum(sp.exp(2 * z[n, c]), (c, 1, upper)),
], ids=["another row", "not divided", "upside down", "another sign", "a shorter sum", "another sum"])
def test_what_is_no_instance_is_left_alone(expr: sp.Expr) -> None:
    assert "p[" not in folded(expr, SOFTMAX)


@pytest.mark.parametrize("expr", [x, x + 1, sp.Sum(z[n, c], (c, 1, upper))], ids=["name", "sum of two", "sum"])
def test_sums_and_names_are_not_looked_for(expr: sp.Expr) -> None:
    line = Definition(Tensor("q"), (), expr) if not expr.has(sp.Indexed) else define(Tensor("q", (ROWS,)), n, expr=expr)
    assert fold(2 * expr, line, expr) == 2 * expr


def test_unfolding_gives_back_what_was_folded() -> None:
    expr = x * sp.exp(z[n, k]) * sp.exp(z[n, c]) / total(n).xreplace({c: index("u")})**2
    right = hide_exp(SOFTMAX.expr)
    made = fold(hide_exp(expr), SOFTMAX, right, COLUMNS)
    assert made.has(p.base)
    assert not made.has(sp.Sum)
    back = made
    for entry in made.atoms(sp.Indexed):
        if entry.base == p.base:
            back = back.xreplace({entry: substitute(right, dict(zip((n, k), entry.indices, strict=True)))})
    assert at_u(back) == hide_exp(expr)


def at_u(expr: sp.Expr) -> sp.Expr:
    """Every bound index called u."""
    for node in expr.atoms(sp.Sum):
        old, u = node.limits[0][0], index("u")
        expr = expr.xreplace({node: sp.Sum(node.function.xreplace({old: u}), (u, *node.limits[0][1:]))})
    return expr


def test_unify_binds_each_index_once() -> None:
    wild = {n, k}
    assert unify(z[n, k], z[c, 3], wild, {}) == {n: c, k: 3}
    assert unify(z[n, n], z[c, k], wild, {}) is None
    assert unify(z[n, n], z[c, c], wild, {}) == {n: c}
    assert unify(z[n, k], p[n, k], wild, {}) is None
    assert unify(x + z[n, k], z[c, c] + x, wild, {}) == {n: c, k: c}


def test_bound_sums_match_up_to_their_names() -> None:
    u = index("u")
    assert unify(total(n), sp.Sum(sp.exp(z[3, u]), (u, 1, upper)), {n}, {}) == {n: 3}
    assert unify(total(n), sp.Sum(sp.exp(z[3, u]), (u, 1, upper + 1)), {n}, {}) is None


def test_exponentials_are_hidden_and_shown_again() -> None:
    expr = sp.exp(x) * sp.Sum(sp.exp(z[n, c] - sp.exp(x)), (c, 1, upper))
    hidden = hide_exp(expr)
    assert not hidden.has(sp.exp)
    assert show_exp(hidden) == expr


def test_a_root_is_found_below_the_line() -> None:
    made = sn.program("r = sqrt(sum(x**2))", "L = r**3", tensors={"x": ("n",)})
    step = next(s for s in derive(made, ["x"]).steps if s.of.name == "x")
    assert str(step.definition.expr) == "dL_dr*x[i]/r" and step.check()


TWICE = ["outer(x, x)", "2*outer(x, x)", "-outer(x, x)", "t*outer(x, x)", "outer(x, x)/n", "outer(x, x)/(x@x)", "outer(x**2, x)",
         "outer(x, 1/x)", "1/outer(x, x)", "outer(x, x)*outer(x, x).T"]


@pytest.mark.parametrize("right", TWICE)
def test_a_factor_that_stands_twice_at_equal_indices_is_divided_twice(right: str) -> None:
    d = sn.derive(sn.program(f"P = {right}", "L = sum(P*B)", tensors={"x": ("n",), "B": ("n", "n"), "t": ()}), wrt=["x"])
    assert all(s.check() for s in d.steps), str(d.full)
    again = sn.derive(sn.program(f"L = sum({right}*B)", tensors={"x": ("n",), "B": ("n", "n"), "t": ()}), wrt=["x"])
    values = {"x": ["2", "3", "-5"], "B": [["1", "2", "7"], ["4", "-1", "3"], ["5", "9", "2"]], "t": "3"}
    at, plain = d.at(values, sizes={"n": 3}), again.at(values, sizes={"n": 3})
    assert at.exact("dL_dx") == plain.exact("dL_dx"), "inlined and named agree"


def test_an_instance_at_an_index_that_the_line_does_not_define_is_left_alone() -> None:
    short = define(Tensor("q", (Axis.of(3),)), k, expr=z[n, k] / total(n))
    assert "q[" in folded(z[n, k] / total(n), short)
    assert "q[" not in folded(z[n, c] / total(n), short), "c runs to C, q has places 1..3"
    first = Definition(p, (n, k), z[n, k] / total(n), ((n, sp.S.One, ROWS.upper), (k, sp.S.One, sp.Integer(2))))
    assert "p[" not in folded(z[n, c] / total(n), first), "a slice of p is defined otherwise at c > 2"


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_sum_that_is_empty_at_small_sizes_counts_no_terms(n: int) -> None:
    """1..n - 2 has no place at n = 1, where n - 2 is -1."""
    d = sn.derive(sn.program("L = sum(sum(x[j] for j in 1..n) for i in 1..n-2) + sum(1 for i in 1..n-2)", tensors={"x": ("n",)}))
    x = [0.5 * k + 1 for k in range(n)]
    count = max(n - 2, 0)
    value, grads = d.compile()({"x": x})
    assert value == count * sum(x) + count and list(grads["x"]) == [count] * n
    assert d.at({"x": x}).exact("dL_dx") == [count] * n
    assert sn.check("sum(1 for i in 1..n-2)*ones(n)", d, "x").answer.value in ("proved", "undecided")
