"""Brackets, bound indices, and replacing without capture."""

from __future__ import annotations

import pytest
import sympy as sp

from symnet.core.expressions import When, as_written, entries, fresh, limits, rebuild, substitute, total

i, j, k = sp.symbols("i j k", integer=True)
n = sp.Symbol("n", integer=True, positive=True)
a = sp.Symbol("a", real=True)
x, y = sp.IndexedBase("x", real=True), sp.IndexedBase("y", real=True)


def at(expr: sp.Expr, m: int) -> sp.Expr:
    """The value with n = m and every sum written out, by SymPy."""
    return expr.xreplace({n: sp.Integer(m)}).doit()


@pytest.mark.parametrize(("made", "wanted"), [
    (When(a, sp.true), a), (When(a, sp.false), 0), (When(0, sp.Eq(i, j)), 0), (When(a, sp.Eq(1, 2)), 0),
    (When(a, sp.Ge(n, 1)), a),
], ids=["true", "false", "nothing", "decided", "a size is at least 1"])
def test_a_decided_bracket_is_gone(made: sp.Expr, wanted: object) -> None:
    assert made == wanted


def test_an_open_bracket_stays() -> None:
    node = When(a, sp.Eq(i, j))
    assert (node.body, node.condition) == (a, sp.Eq(i, j))
    assert node.xreplace({i: sp.Integer(2), j: sp.Integer(2)}) == a
    assert node.xreplace({i: sp.Integer(2), j: sp.Integer(3)}) == 0
    assert node.is_real


def test_substitute_does_not_capture_the_index_of_a_sum() -> None:
    made = substitute(sp.Sum(x[i, j], (i, 1, 3)), {j: i})
    assert not made.has(x[i, i])
    assert made.doit() == x[1, i] + x[2, i] + x[3, i]


def test_substitute_leaves_a_bound_index_of_the_same_name_alone() -> None:
    made = substitute(x[i] + sp.Sum(x[i], (i, 1, 2)), {i: sp.Integer(7)})
    assert made.doit() == x[7] + x[1] + x[2]


def test_substitute_is_all_at_once() -> None:
    assert substitute(x[i] * y[j], {i: j, j: i}) == x[j] * y[i]
    assert substitute(a * x[i], {}) == a * x[i]


def test_substitute_under_nested_sums_and_brackets() -> None:
    expr = sp.Sum(When(x[i, j] * y[k], sp.Ge(k, j)), (i, 1, 2), (j, 1, 2))
    made = substitute(expr, {k: i + j})  # i and j outside are not those under the sum
    free = made.free_symbols
    assert {i, j} <= free
    bound = [t[0] for t in made.limits]
    assert not set(bound) & {i, j}


def test_fresh_keeps_the_value_and_changes_every_bound_index() -> None:
    expr = sp.Sum(x[i] * sp.Sum(y[i, j], (j, 1, i)), (i, 1, n)) + x[k]
    made = fresh(expr)
    old = {t[0] for s in expr.atoms(sp.Sum) for t in s.limits}
    new = {t[0] for s in made.atoms(sp.Sum) for t in s.limits}
    assert not old & new
    assert made.free_symbols & {i, j, k} == {k}
    assert at(made, 3) == at(expr, 3)


def test_fresh_is_different_every_time() -> None:
    expr = sp.Sum(x[i], (i, 1, n))
    assert fresh(expr).limits != fresh(expr).limits


def test_entries_are_tensor_entries_and_no_indices_or_sizes() -> None:
    expr = a * sp.Sum(sp.exp(x[i + n]) * y[i], (i, 1, n)) / n + When(x[k], sp.Ge(k, n))
    assert list(entries(expr)) and set(entries(expr)) == {a, x[i + n], y[i], x[k]}


def test_total_joins_sums_and_needs_something_to_sum() -> None:
    inner = sp.Sum(x[i, j], (i, 1, 2))
    whole = total(inner, ((j, sp.S.One, sp.Integer(2)),))
    assert isinstance(whole, sp.Sum)
    assert limits(whole) == ((i, 1, 2), (j, 1, 2))
    assert whole.doit() == x[1, 1] + x[1, 2] + x[2, 1] + x[2, 2]
    assert total(a, ()) == a
    assert total(sp.S.Zero, ((j, sp.S.One, n),)) == 0


def test_as_written_keeps_a_number_in_front_of_a_bracket() -> None:
    with as_written():
        kept = 2 * (a - x[1])
    assert isinstance(kept, sp.Mul)
    assert isinstance(2 * (a - x[1]), sp.Add), "outside, SymPy multiplies out as ever"


@pytest.mark.parametrize("u", [-a - 1, -2 * a - 1, -a - sp.Rational(1, 2)], ids=str)
def test_questions_about_an_exponential_end_while_sums_are_kept_as_written(u: sp.Expr) -> None:
    with as_written():
        assert (1 + sp.exp(u)).is_zero is False
        assert sp.exp(-u).as_numer_denom()[0] * sp.exp(u).as_numer_denom()[0] == sp.exp(-u)
        assert (1 / (1 + sp.exp(u))).is_positive and (1 + sp.exp(2 * u)).is_positive


def test_rebuild_gives_the_same_object_when_nothing_changed() -> None:
    node = a + x[1]
    assert rebuild(node, node.args) is node
    assert rebuild(node, (a, x[2])) == a + x[2]
