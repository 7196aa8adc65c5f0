"""Exponents: as few generators as there are independent exponents, also for fractions; and what is too large otherwise."""

from __future__ import annotations

from itertools import pairwise

import pytest
import sympy as sp

from symnet.core.functions import sigmoid, softplus
from symnet.core.verdict import Answer
from symnet.equality.compare import prove_equal
from symnet.equality.normal import Basis
from symnet.equality.rules.linear_relations import Exponents, Rests, unit

x, y, t = sp.symbols("x y t", real=True)
R, E = sp.Rational, sp.exp


def test_a_combination_is_one_whatever_the_order() -> None:
    for first, second, third in (([(1, x), (2, y)], [(1, y)], [(1, x)]), ([(1, x)], [(1, x), (2, y)], [(1, y)])):
        space = Exponents()
        for terms in (first, second, third):
            terms = [(sp.Integer(c), v) for c, v in terms]
            value = sp.Add(*[c * v for c, v in terms])
            assert sp.expand(sp.Add(*[c * u for c, u in space.combination(terms)]) - value) == 0
        assert len(space.members) == 2


def test_an_independent_exponent_joins() -> None:
    space = Exponents()
    assert space.combination([(R(-1, 2), x)]) == [(-1, x / 2)]
    assert space.combination([(sp.Integer(3), x)]) == [(6, x / 2)]
    assert space.combination([(sp.S.One, x), (sp.S.One, y)]) == [(1, x + y)]


@pytest.mark.parametrize(("numbers", "one"), [([1, 2], 1), ([R(1, 2), R(1, 3)], R(1, 6)), ([R(8943, 200000), R(8943, 100000)], R(8943, 200000)), ([-4, 6], 2)], ids=str)
def test_a_unit_measures_all_numbers(numbers: list[sp.Rational], one: sp.Rational) -> None:
    units: dict[sp.Expr, sp.Rational] = {}
    for c in numbers:
        assert (c / unit(units, x, sp.Rational(c))).q == 1
    assert units[x] == one


def test_fractions_that_depend_on_one_another_are_seen() -> None:
    rests, one = Rests(), sp.S.One
    assert rests.combination(one, 1 / (x + 1)) == [(1, 1 / (x + 1))]
    assert rests.combination(one, 1 / (y - 1)) == [(1, 1 / (y - 1))]
    both = rests.combination(sp.Integer(2), (x + y) / ((x + 1) * (y - 1)))
    assert sorted(both, key=str) == sorted([(sp.Integer(2), 1 / (x + 1)), (sp.Integer(2), 1 / (y - 1))], key=str)
    assert rests.combination(one, 1 / (x + 2)) == [(1, 1 / (x + 2))]


KINDS = {
    "a sigmoid": (sigmoid(x + y), {"wave"}),
    "a tanh": (sp.tanh(3 * x) * y, {"wave"}),
    "an exp of the same": (sigmoid(x) + E(-x), {"wave"}),
    "half of it too": (sigmoid(x) + E(x / 2), {"exp"}),
    "exps alone": (E(x) / (E(x) + E(y)), {"exp"}),
    "softplus": (softplus(x), {"exp", "log"}),
}


@pytest.mark.parametrize(("expr", "kinds"), KINDS.values(), ids=KINDS)
def test_sigmoid_is_the_generator_where_it_is_met(expr: sp.Expr, kinds: set[str]) -> None:
    basis = Basis(waves=True)
    basis.survey(expr)
    basis.normal(expr)
    assert {kind for kind, _ in basis.keys} == kinds


def silu(u: sp.Expr) -> sp.Expr:
    return u * sigmoid(u)


def slope(widths: tuple[int, ...], act) -> sp.Expr:
    """The derivative of half the squared error with respect to the first weight."""
    a = list(sp.symbols(f"x_1:{widths[0] + 1}", real=True))
    for layer, (_, k) in enumerate(pairwise(widths)):
        rows = [sp.symbols(f"w{layer}{j}_0:{len(a)}", real=True) for j in range(k)]
        a = [act(sum(w * u for w, u in zip(row, a, strict=True)) + sp.Symbol(f"b{layer}{j}", real=True)) for j, row in enumerate(rows)]
    return sp.diff((a[0] - t) ** 2 / 2, sp.Symbol("w00_0", real=True))


@pytest.mark.parametrize("act", [sp.tanh, sigmoid, silu], ids=["tanh", "sigmoid", "silu"])
@pytest.mark.parametrize("widths", [(2, 3, 1), (2, 2, 2, 1)], ids=str)
def test_gradients_of_networks_are_proved_and_slips_are_not(widths: tuple[int, ...], act) -> None:
    truth = slope(widths, act)
    other = truth.replace(sigmoid, lambda u: 1 - sigmoid(-u)).replace(sp.tanh, lambda u: 2 * sigmoid(2 * u) - 1)
    assert prove_equal(truth, other).holds and prove_equal(truth, sp.expand(truth, deep=False)).holds
    assert prove_equal(truth, other * R(10**6 + 1, 10**6)).answer is Answer.UNDECIDED


def test_stems_are_told_apart_and_keep_their_factor() -> None:
    basis = Basis(waves=True, stems=True)
    left, right = sigmoid(x + y) * (x + y), sigmoid(2 * x + 2 * y) * (2 * x + 2 * y)
    basis.survey(left, right)
    assert not basis.normal(left - right)[1].is_zero
    assert basis.normal(left / (x + y) - 1 + sigmoid(-x - y))[1].is_zero
    assert [kind for kind, _ in basis.keys].count("stem") == 1
