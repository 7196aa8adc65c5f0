"""What is proved of numbers is proved of the terms of a sum and of an array, for all sizes; and nothing that is wrong is."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import sympy as sp

from symnet.core.functions import relu, sigmoid, softplus, step
from symnet.core.verdict import Answer
from symnet.equality.compare import prove_equal
from symnet.equality.sums.all_sizes import SCOPE, prove_for_all_sizes

Sides = Callable[[sp.Expr, sp.Expr], tuple[sp.Expr, sp.Expr]]
E, S, C, T = sp.exp, sp.sin, sp.cos, sp.tanh
IDENTITIES: dict[str, tuple[str, Sides]] = {
    "sin2 + cos2": ("real", lambda x, y: (S(x)**2 + C(x)**2, sp.S.One)),
    "tanh by sigmoid": ("real", lambda x, y: (T(x), 2 * sigmoid(2 * x) - 1)),
    "exp and its inverse": ("real", lambda x, y: (E(x) * E(-x), sp.S.One)),
    "square of a root": ("positive", lambda x, y: (sp.sqrt(x)**2, x)),
    "sine of a sum": ("real", lambda x, y: (S(x + y), S(x) * C(y) + C(x) * S(y))),
    "cosine of a sum": ("real", lambda x, y: (C(x + y), C(x) * C(y) - S(x) * S(y))),
    "double sine": ("real", lambda x, y: (S(2 * x), 2 * S(x) * C(x))),
    "double cosine": ("real", lambda x, y: (C(2 * x), 1 - 2 * S(x)**2)),
    "triple sine": ("real", lambda x, y: (S(3 * x), 3 * S(x) - 4 * S(x)**3)),
    "fourth powers": ("real", lambda x, y: (S(x)**4 - C(x)**4, 1 - 2 * C(x)**2)),
    "cosh2 - sinh2": ("real", lambda x, y: (sp.cosh(x)**2 - sp.sinh(x)**2, sp.S.One)),
    "double sinh": ("real", lambda x, y: (sp.sinh(2 * x), 2 * sp.sinh(x) * sp.cosh(x))),
    "sigmoid mirrored": ("real", lambda x, y: (sigmoid(-x), 1 - sigmoid(x))),
    "slope of sigmoid": ("real", lambda x, y: (sigmoid(x) * (1 - sigmoid(x)), E(-x) / (1 + E(-x))**2)),
    "slope of tanh": ("real", lambda x, y: (1 - T(x)**2, 4 / (E(x) + E(-x))**2)),
    "tanh as a quotient": ("real", lambda x, y: (T(x), (E(2 * x) - 1) / (E(2 * x) + 1))),
    "tanh doubled": ("real", lambda x, y: (T(2 * x), 2 * T(x) / (1 + T(x)**2))),
    "softplus mirrored": ("real", lambda x, y: (softplus(x) - softplus(-x), x)),
    "softplus of a log": ("positive", lambda x, y: (softplus(sp.log(x)), sp.log(1 + x))),
    "log of sigmoid": ("real", lambda x, y: (sp.log(sigmoid(x)), x - sp.log(1 + E(x)))),
    "logit": ("real", lambda x, y: (sp.log(sigmoid(x) / (1 - sigmoid(x))), x)),
    "log of a product": ("positive", lambda x, y: (sp.log(x * y), sp.log(x) + sp.log(y))),
    "log of a power": ("positive", lambda x, y: (sp.log(x**3 / y), 3 * sp.log(x) - sp.log(y))),
    "root of a product": ("positive", lambda x, y: (sp.sqrt(x * y), sp.sqrt(x) * sp.sqrt(y))),
    "roots multiplied out": ("positive", lambda x, y: ((sp.sqrt(x) - sp.sqrt(y)) * (sp.sqrt(x) + sp.sqrt(y)), x - y)),
    "conjugate": ("positive", lambda x, y: (1 / (sp.sqrt(x) + sp.sqrt(x + y)), (sp.sqrt(x + y) - sp.sqrt(x)) / y)),
    "cube root": ("positive", lambda x, y: (x**sp.Rational(1, 3) * x**sp.Rational(2, 3), x)),
    "exp of a sum": ("real", lambda x, y: (E(x + y), E(x) * E(y))),
    "exp of a log": ("positive", lambda x, y: (E(2 * sp.log(x) + y), x**2 * E(y))),
    "difference of squares": ("real", lambda x, y: (x**2 - y**2, (x - y) * (x + y))),
    "partial fractions": ("positive", lambda x, y: (1 / (x * (x + 1)), 1 / x - 1 / (x + 1))),
    "two quotients": ("positive", lambda x, y: (1 / x + 1 / y, (x + y) / (x * y))),
    "relu and its mirror": ("real", lambda x, y: (relu(x) - relu(-x), x)),
    "size by relu": ("real", lambda x, y: (sp.Abs(x), relu(x) + relu(-x))),
    "relu by size": ("real", lambda x, y: (relu(x), (x + sp.Abs(x)) / 2)),
    "size of a product": ("real", lambda x, y: (sp.Abs(x * y), sp.Abs(x) * sp.Abs(y))),
    "square of a size": ("real", lambda x, y: (sp.Abs(x)**2, x**2)),
    "log of a square": ("nonzero", lambda x, y: (sp.log(x**2), 2 * sp.log(sp.Abs(x)))),
    "max by size": ("real", lambda x, y: (sp.Max(x, y), (x + y + sp.Abs(x - y)) / 2)),
    "max and min": ("real", lambda x, y: (sp.Max(x, y) + sp.Min(x, y), x + y)),
    "relu of relu": ("real", lambda x, y: (relu(relu(x)), relu(x))),
    "clip": ("real", lambda x, y: (sp.Min(sp.Max(x, 0), 1), relu(x) - relu(x - 1))),
    "step of a step": ("real", lambda x, y: (step(x) * relu(x), relu(x))),
    "binary entropy": ("real", lambda x, y: (-sp.log(sigmoid(x)) * y - sp.log(1 - sigmoid(x)) * (1 - y), softplus(x) - x * y)),
}
WRONG: dict[str, tuple[str, Sides]] = {
    "sin2 - cos2": ("real", lambda x, y: (S(x)**2 - C(x)**2, sp.S.One)),
    "half a sigmoid": ("real", lambda x, y: (T(x), 2 * sigmoid(x) - 1)),
    "root of a square": ("real", lambda x, y: (sp.sqrt(x**2), x)),
    "sum of roots": ("positive", lambda x, y: (sp.sqrt(x + y), sp.sqrt(x) + sp.sqrt(y))),
    "relu of a sum": ("real", lambda x, y: (relu(x + y), relu(x) + relu(y))),
    "log of a sum": ("positive", lambda x, y: (sp.log(x + y), sp.log(x) + sp.log(y))),
    "a swapped pair": ("real", lambda x, y: (x * sigmoid(y), y * sigmoid(x))),
    "exp squared": ("real", lambda x, y: (E(x**2), E(x)**2)),
    "step at 0": ("real", lambda x, y: (step(x) + step(-x), sp.S.One)),
}
n = sp.Symbol("n", integer=True, positive=True)
i, j = sp.symbols("i j", integer=True)


def numbers(domain: str) -> tuple[sp.Expr, sp.Expr]:
    return sp.Symbol("x", **{domain: True}), sp.Symbol("y", **{domain: True})


def arrays(domain: str, k: sp.Symbol) -> tuple[sp.Expr, sp.Expr]:
    return sp.IndexedBase("x", **{domain: True})[k], sp.IndexedBase("y", **{domain: True})[k]


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_identity_of_numbers_is_one_of_terms(name: str) -> None:
    domain, sides = IDENTITIES[name]
    assert prove_equal(*sides(*numbers(domain))).answer is Answer.PROVED
    left, right = sides(*arrays(domain, i))
    found = [prove_for_all_sizes(left, right, {i: (sp.S.One, n)}, termwise=True)]
    over = (i, 1, n)
    one_sum = sp.Sum(left - right, over)
    several = sp.Sum(left, over) + 3 * sp.Sum(arrays(domain, j)[1], (j, 1, n)), sp.Sum(right + 3 * arrays(domain, i)[1], over)
    inside = sp.exp(sp.Sum(left, over) / n), sp.exp(sp.Sum(right.xreplace({i: j}), (j, 1, n)) / n)
    shifted = sp.Sum(left, over), sp.Sum(right.xreplace({i: j - 2}), (j, 3, n + 2))
    found += [prove_for_all_sizes(a, b, {}, termwise=True) for a, b in ((one_sum, sp.S.Zero), several, inside, shifted)]
    assert [(v.answer, v.scope) for v in found] == [(Answer.PROVED, SCOPE)] * 5, [str(v) for v in found]


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_of_numbers_is_not_proved_of_terms(name: str) -> None:
    domain, sides = WRONG[name]
    left, right = sides(*arrays(domain, i))
    for a, b in ((sp.Sum(left, (i, 1, n)), sp.Sum(right, (i, 1, n))), (sp.Sum(left - right, (i, 1, n)), sp.S.Zero)):
        assert prove_for_all_sizes(a, b, {}, termwise=True).answer is Answer.UNDECIDED


def test_a_domain_learnt_under_one_sum_says_nothing_of_another() -> None:
    """log x[i] for i < n says nothing of |x[n]|; and under a sum over a longer range the exception is said as it was."""
    x = sp.IndexedBase("x", real=True)
    short = sp.Sum(sp.log(x[i]), (i, 1, n - 1))
    left, right = short + sp.Sum(sp.Abs(x[i]), (i, 1, n)), short + sp.Sum(x[i], (i, 1, n))
    assert prove_for_all_sizes(left, right, {}, termwise=True).answer is Answer.UNDECIDED
    whole = sp.Sum(sp.log(x[i]), (i, 1, n))
    left, right = whole + sp.Sum(sp.Abs(x[i]), (i, 1, n)), whole + sp.Sum(x[i], (i, 1, n))
    assert prove_for_all_sizes(left, right, {}, termwise=True).answer is Answer.PROVED


def test_what_a_function_is_written_with_hides_no_exception() -> None:
    """softplus(log x) is log(1 + exp(log x)), which SymPy writes log(1 + x): it still has no value for x <= 0."""
    x = sp.IndexedBase("x", real=True)[i]
    for left, right in ((softplus(sp.log(x)), sp.log(1 + x)), (relu(softplus(sp.log(x))), relu(sp.log(1 + x)))):
        for termwise in (False, True):
            found = prove_for_all_sizes(sp.Sum(left, (i, 1, n)), sp.Sum(right, (i, 1, n)), {}, termwise=termwise)
            assert found.answer in (Answer.CONDITIONAL, Answer.UNDECIDED), str(found)


def test_random_sums_of_identities_and_of_slips() -> None:
    """Sums of identities are proved; with one number changed they are not."""
    dice = random.Random(7)
    plain = [name for name, (domain, _) in IDENTITIES.items() if domain == "real"]
    for _ in range(12):
        left = right = sp.S.Zero
        for k, name in enumerate(dice.sample(plain, 3)):
            c, letter = dice.choice((1, 2, -3)), (i, j)[k % 2]
            a, b = IDENTITIES[name][1](*arrays("real", letter))
            left, right = left + c * sp.Sum(a, (letter, 1, n)), right + sp.Sum(c * b, (letter, 1, n))
        assert prove_for_all_sizes(left, right, {}, termwise=True).answer is Answer.PROVED
        assert prove_for_all_sizes(left, right + dice.choice((1, n)), {}, termwise=True).answer is Answer.UNDECIDED
