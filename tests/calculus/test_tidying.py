"""Tidying keeps the value: linearity of sums, common factors, multiplying out, declared sums."""

from __future__ import annotations

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import symnet as sn
from symnet.calculus.inlining import divided_by
from symnet.calculus.simplification import assume, common_factor, cost, implied, linear, multiply_out, tidy
from symnet.core.axes import index, size
from symnet.core.expressions import When, as_written
from symnet.core.index_evaluation import at_place
from symnet.core.program import Assumption
from symnet.core.text import text

LAW = settings(max_examples=60, deadline=None, derandomize=True)
i, j, n = index("i"), index("j"), index("n")
N, M = size("N"), size("M")
a, b, c = sp.symbols("a b c", real=True)
x, y = sp.IndexedBase("x", real=True), sp.IndexedBase("y", real=True)


def over(body: sp.Expr, letter: sp.Symbol = i, upper: sp.Expr = N) -> sp.Expr:
    return sp.Sum(body, (letter, 1, upper))


def at(expr: sp.Expr) -> sp.Expr:
    """Written out at N = 3, M = 2 with the free index n = 1, every entry a symbol of its own."""
    env = {N: sp.Integer(3), M: sp.Integer(2), n: sp.Integer(1)}
    return at_place(expr, env, lambda name, place: sp.Symbol("_".join([name, *map(str, place)]), real=True))


def same(p: sp.Expr, q: sp.Expr) -> bool:
    return sp.cancel(sp.together(at(p) - at(q))) == 0


@pytest.mark.parametrize(("expr", "wanted"), [
    (over(a * x[i]), "a*sum(x[i] for i in 1..N)"),
    (over(x[i] + y[i]), "sum(x[i] for i in 1..N) + sum(y[i] for i in 1..N)"),
    (over(a), "N*a"), (over(sp.S.One), "N"),
    (over(over(x[i] * y[j], j, M)), "(sum(x[i] for i in 1..N))*sum(y[j] for j in 1..M)"),
    (a * b + a * c, "a*(b + c)"), (2 * a * b - 2 * a * c, "2*a*(b - c)"), (-a * b - a * c, "a*(-b - c)"),
    (a / b + c / b, "(a + c)/b"), (a**2 * b + a * c, "a*(a*b + c)"), (a + b, "a + b"),
], ids=str)
def test_tidy(expr: sp.Expr, wanted: str) -> None:
    with as_written():
        made = tidy(expr)
        assert text(made) == wanted
    assert same(made, expr)


def test_a_bracket_under_a_sum_is_left_whole() -> None:
    expr = over(When(a * x[i], sp.Ge(i, n)))
    assert linear(expr) == expr


def forms() -> st.SearchStrategy[sp.Expr]:
    """Products and sums of names, entries and sums over i and j."""
    leaves = st.sampled_from([a, b, x[i], y[i], x[j], 2 * a, -b, sp.Rational(1, 3) * c, sp.S.One, a + x[i], y[j] - b, 1 / a])
    pair = st.tuples(leaves, leaves)
    body = st.one_of(leaves, pair.map(lambda t: t[0] * t[1]), pair.map(lambda t: t[0] + t[1]))
    whole = body.map(lambda e: over(over(e, j, M)))
    return st.one_of(whole, st.tuples(whole, whole).map(lambda t: t[0] - 2 * t[1]), st.tuples(whole, whole).map(lambda t: t[0] * t[1]))


@LAW
@given(forms())
def test_tidy_keeps_the_value(expr: sp.Expr) -> None:
    with as_written():
        made = tidy(expr)
        opened = multiply_out(made)
    assert same(made, expr)
    assert same(opened, expr)


@LAW
@given(st.lists(st.sampled_from([a, b, c, 2 * a, -3 * b, a * b, a**2, 1 / a, a / b, sp.Rational(1, 2) * c, -a]), min_size=2, max_size=4),
       st.sampled_from([a, b, 6 * a, a**2 * b, 1 / c]))
def test_common_factor_keeps_the_value_and_finds_the_factor(terms: list[sp.Expr], factor: sp.Expr) -> None:
    expr = sp.Add(*[t * factor for t in terms])
    with as_written():
        made = common_factor(expr)
    assert sp.cancel(made - expr) == 0
    if isinstance(expr, sp.Add):
        assert cost(made) <= cost(expr) + 1


def test_multiply_out_leaves_denominators_whole() -> None:
    with as_written():
        made = multiply_out((a + b) * (b - c) / (a + c))
    assert isinstance(made, sp.Add)
    assert len(made.args) == 4
    assert all(term.has(1 / (a + c)) for term in made.args)
    assert sp.cancel(made - (a + b) * (b - c) / (a + c)) == 0


def test_multiply_out_opens_small_powers() -> None:
    with as_written():
        assert sp.expand(multiply_out((a + b)**3) - (a + b)**3) == 0
        assert not multiply_out((a + b)**3).has(a + b)


SHARES = Assumption(sp.Sum(y[n, i], (i, 1, N)), sp.S.One)


def test_a_declared_sum_is_replaced_wherever_its_index_stands() -> None:
    k = index("k")
    expr = a * sp.Sum(y[j, k], (k, 1, N)) + sp.Sum(y[3, i], (i, 1, N))
    made, used = assume(expr, (SHARES,))
    assert made == a + 1
    assert used == (SHARES,)


@pytest.mark.parametrize("expr", [
    sp.Sum(y[i, n], (i, 1, N)), sp.Sum(y[n, i], (i, 1, N - 1)), sp.Sum(y[n, i], (i, 2, N)), sp.Sum(y[n, i]**2, (i, 1, N)),
    sp.Sum(x[n, i], (i, 1, N)), sp.Sum(y[n, i] * x[i], (i, 1, N)), a + b,
], ids=["the other axis", "one short", "from the second", "squares", "another name", "weighted", "no sum"])
def test_only_the_declared_sum_is_replaced(expr: sp.Expr) -> None:
    made, used = assume(expr, (SHARES,))
    assert made == expr
    assert used == ()


def test_cost_prefers_what_reads_shorter() -> None:
    with as_written():
        assert cost(a * (b + c)) < cost(a * b + a * c)
        assert cost(x[i] - y[i]) < cost(x[i] * over(y[j], j) - y[i])


def test_divided_by_names_what_stands_below_the_line() -> None:
    assert divided_by(a / (x[i] * b) + sp.Sum(1 / y[j]**2, (j, 1, N))) == {"x", "b", "y"}
    assert divided_by(a * x[i]) == set()


def test_a_declared_sum_makes_sums_of_defined_tensors_numbers() -> None:
    made = sn.program("q[n, k] = (1 - eps)*Y[n, k] + eps/K", "r[n, k] = 2*Y[n, k]", "s[n, k] = Y[n, k]**2", "L = sum(q*r*s)",
                      tensors={"Y": ("N", "K"), "eps": ()}, assumptions=["sum(Y, axis=1) == 1"])
    with as_written():
        found = implied(made)
    assert [(text(a.left), a.right) for a in found] == [("sum(q[n, k] for k in 1..K)", 1), ("sum(r[n, k] for k in 1..K)", 2)]
    assert set(found.values()) == set(made.assumptions)


def test_a_factor_with_cases_is_taken_out_without_dividing_by_its_zeros() -> None:
    import symnet as sn

    d = sn.derive(sn.program("s = where(z > 1, z, 0)", "t = where(z > 1, z, 0)", "L = s - 2*t"), wrt=["z"])
    assert d.at({"z": 3}).exact("dL_dz") == -1 and d.at({"z": 0}).exact("dL_dz") == 0
