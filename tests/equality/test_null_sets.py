"""Which equations hold on a set of measure zero alone: only those may be left out of "almost everywhere"."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
import sympy as sp

from symnet.core.functions import relu, sigmoid, step
from symnet.core.tensors import Tensor
from symnet.core.verdict import Answer
from symnet.equality.compare import compare
from symnet.equality.null_sets import is_null

x, y, b = sp.symbols("x y b", real=True)
p = sp.Symbol("p", positive=True)
k = Tensor("k", domain="index")[()]

NULL = {"x": x, "a line": x - y, "a circle": x**2 + y**2 - 1, "x y": x * y, "exp": sp.exp(x) - 2, "a graph over relu": y - relu(x),
        "relu and a bias": 3 * relu(x * y) - 2 * relu(-x) + b, "max of x and y, less 4": sp.Max(x, y) - 4, "|x| - 1": sp.Abs(x) - 1,
        "never 0": 1 + x**2, "log of a positive number": sp.log(p), "a quotient": (x - 1) / (1 + y**2), "sigmoid": sigmoid(x) - sp.Rational(1, 3),
        "a number": sp.Integer(2), "x |x| - 1": x * sp.Abs(x) - 1}
THICK = {"relu": relu(x), "min(x, 4) - 4": sp.Min(x, 4) - 4, "x - |x|": x - sp.Abs(x), "clip": sp.Min(sp.Max(x, -1), 1) - 1, "0": sp.S.Zero,
         "max(x, y) - x": sp.Max(x, y) - x, "step": step(x), "sign product": sp.sign(x) * sp.sign(y) - 1, "floor": sp.floor(x) - 2,
         "root of a square": sp.sqrt(x**2) - x, "relu of relu": relu(relu(x) - 1), "cases": sp.Piecewise((0, x > 1), (x, True)),
         "relu times y": relu(x) * y, "a class": k - 1, "0 in disguise": (x + 1)**2 - x**2 - 2 * x - 1}


@pytest.mark.parametrize("u", NULL.values(), ids=NULL)
def test_a_null_set_is_seen(u: sp.Expr) -> None:
    assert is_null(u)


@pytest.mark.parametrize("u", THICK.values(), ids=THICK)
def test_what_is_0_on_a_region_is_no_null_set(u: sp.Expr) -> None:
    assert not is_null(u)


def pieces(dice: random.Random, depth: int) -> sp.Expr:
    if depth == 0:
        return dice.choice((x, y, x - 1, x + y, sp.Integer(1), 2 * x, sp.Integer(-2), sp.Integer(0)))
    u, v = pieces(dice, depth - 1), pieces(dice, depth - 1)
    return dice.choice((lambda: sp.Max(u, v), lambda: sp.Min(u, v), lambda: relu(u), lambda: sp.Abs(u), lambda: u + v, lambda: u - v, lambda: u * v,
                        lambda: u * step(v)))()


def test_random_pieces_against_random_points() -> None:
    """What is 0 at two random points of a fine grid is 0 on a region."""
    dice, said = random.Random(6), 0
    for _ in range(300):
        u = pieces(dice, dice.randint(1, 3))
        found = is_null(u)
        said += found
        zeros = sum(u.xreplace({x: sp.Rational(dice.randint(-10**9, 10**9), 10**8 + 7), y: sp.Rational(dice.randint(-10**9, 10**9), 10**8 + 7)}) == 0
                    for _ in range(20))
        assert not (found and zeros), u
    assert said > 40


def test_a_difference_on_a_border_alone_is_no_refutation() -> None:
    """Too many cases for a proof, and equal but at ties."""
    names = sp.symbols("a:6", real=True)
    left = sum(step(u - v) for u in names for v in names if u != v)
    verdict = compare(left, sp.Integer(15))
    assert verdict.answer in (Answer.ALMOST_EVERYWHERE, Answer.UNDECIDED), verdict


def test_a_difference_on_a_region_where_a_case_stands_on_its_border_is_one() -> None:
    wrong = sp.Piecewise((2, sp.Eq(sp.Min(x, 4), 4)), (1, True))
    verdict = compare(wrong, sp.S.One)
    assert verdict.answer is Answer.REFUTED and verdict.witness is not None
    assert Fraction(dict(verdict.witness.point)["x"]) > 4


def test_a_hole_that_is_a_region_is_a_condition() -> None:
    verdict = compare(x * relu(y), x * relu(y), holes=((relu(y), "="),))
    assert verdict.answer is Answer.CONDITIONAL and verdict.condition == "step(y) != 0 and y != 0"
