"""Cases: identities of relu, max, |·|, sign and Piecewise are proved; what differs on a border alone is said to; nothing false is proved.

The oracle of the random tests is exact: every tree is evaluated in rationals on a grid that holds all of its borders.
"""

from __future__ import annotations

from fractions import Fraction as F
from itertools import product
from math import prod

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.core.functions import leaky_relu, relu, sigmoid, step
from symnet.core.verdict import Answer
from symnet.equality.cases import in_steps
from symnet.equality.compare import compare, prove_equal

x, y, z = sp.symbols("x y z", real=True)
p = sp.Symbol("p", positive=True)
n = sp.Symbol("n", integer=True, positive=True)
exp, log, half = sp.exp, sp.log, sp.Rational(1, 2)
Max, Min, Abs, Pw = sp.Max, sp.Min, sp.Abs, sp.Piecewise

TRUE = {
    "relu of -x": (relu(x) - relu(-x), x),
    "relu of 2x": (relu(2 * x), 2 * relu(x)),
    "relu twice": (relu(relu(x)), relu(x)),
    "relu in relu": (relu(relu(x) - 1), relu(x - 1)),
    "max by relu": (Max(x, y), y + relu(x - y)),
    "max + min": (Max(x, y) + Min(x, y), x + y),
    "max - min": (Max(x, y) - Min(x, y), Abs(x - y)),
    "max · min": (Max(x, y) * Min(x, y), x * y),
    "max by halves": (Max(x, y), (x + y + Abs(x - y)) / 2),
    "max of three": (Max(x, y, z), z + relu(Max(x, y) - z)),
    "max of exps": (Max(exp(x), exp(y)), exp(Max(x, y))),
    "max of logs": (Max(log(p), 0), log(Max(p, 1))),
    "min spread": (Min(x, y) + z, Min(x + z, y + z)),
    "|x y|": (Abs(x * y), Abs(x) * Abs(y)),
    "|x| + |y|": (Abs(x) + Abs(y), Max(Abs(x + y), Abs(x - y))),
    "sign": (sp.sign(x) * x, Abs(x)),
    "hardtanh": (Min(Max(x, -1), 1), (Abs(x + 1) - Abs(x - 1)) / 2),
    "leaky": (leaky_relu(x, sp.Rational(1, 100)), Max(x, x / 100)),
    "a positive factor": (relu(x * exp(y)), relu(x) * exp(y)),
    "cases": (Pw((x, x > 0), (0, True)), relu(x)),
    "cases with >=": (Pw((x, x >= 0), (0, True)), relu(x)),
    "cases turned": (Pw((x, x > 0), (-x, True)), Abs(x)),
    "three cases": (Pw((-1, x < 0), (0, sp.Eq(x, 0)), (1, True)), sp.sign(x)),
    "and": (Pw((1, (x > 0) & (y > 0)), (0, True)), step(x) * step(y)),
    "or": (Pw((1, (x > 0) | (y > 0)), (0, True)), step(x) + step(y) - step(x) * step(y)),
    "Huber's slope": (Pw((x, Abs(x) <= p), (p * sp.sign(x), True)), Max(-p, Min(x, p))),
    "Huber": (Pw((x**2 / 2, Abs(x) <= p), (p * (Abs(x) - p / 2), True)), Pw((x**2 / 2, Abs(x) < p), (p * (Abs(x) - p / 2), True))),
    "ELU": (Pw((x, x > 0), (exp(x) - 1, True)), Max(x, 0) + Min(0, exp(x) - 1)),
    "sigmoid, stable": (sigmoid(x), Pw((1 / (1 + exp(-x)), x >= 0), (exp(x) / (1 + exp(x)), True))),
    "a log under its case": (Pw((exp(log(x)), x > 0), (0, True)), relu(x)),
    "a divisor on both sides": (relu(x) / y + relu(-x) / y, Abs(x) / y),
    "a whole number": (Max(n, 0), n),
    "whole numbers": (Max(n, x) + Min(n, x), n + x),
    "step of exp": (step(exp(x) - 1), step(x)),
    "a square": (step(x**2 - 2 * x * y + y**2), step(Abs(x - y))),
}
QUALIFIED = {
    "1[x > 0] and 1[x >= 0]": (step(x), Pw((1, x >= 0), (0, True)), Answer.ALMOST_EVERYWHERE, "except where x = 0"),
    "both slopes": (step(x) + step(-x), sp.S.One, Answer.ALMOST_EVERYWHERE, "except where x = 0"),
    "sign as a quotient": (sp.sign(x), x / Abs(x), Answer.ALMOST_EVERYWHERE, "except where x = 0"),
    "one point": (Pw((5, sp.Eq(x, sp.Rational(22, 7))), (x, True)), x, Answer.ALMOST_EVERYWHERE, "except where 7*x - 22 = 0"),
    "one point that is tried": (Pw((5, sp.Eq(x, 1)), (x, True)), x, Answer.ALMOST_EVERYWHERE, "except where x - 1 = 0"),
    "one line": (step(x - y), 1 - step(y - x), Answer.ALMOST_EVERYWHERE, "except where x - y = 0"),
    "a log": (step(log(x)), step(x - 1), Answer.CONDITIONAL, "x > 0"),
    "a log in a case": (Pw((log(x), y > 0), (0, True)), step(y) * log(p) + Pw((log(x) - log(p), y > 0), (0, True)),
                        Answer.PROVED, ""),
}
FALSE = {
    "relu and abs": (relu(x), Abs(x)),
    "max and sum": (Max(x, y), x + y),
    "a forgotten zero": (Max(x, y, 0), Max(x, y)),
    "the wrong slope": (leaky_relu(x, sp.Rational(1, 100)), Max(x, x / 10)),
    "wrong threshold": (Pw((x, Abs(x) <= p), (p * sp.sign(x), True)), Max(-p, Min(x, 2 * p))),
    "a whole number": (step(n - 1), sp.S.One),
    "a corner": (relu(x + y) - relu(x) - relu(y), sp.S.Zero),
}


@pytest.mark.parametrize(("left", "right"), TRUE.values(), ids=TRUE)
def test_true(left: sp.Expr, right: sp.Expr) -> None:
    assert compare(left, right).answer is Answer.PROVED
    assert compare(right, left).answer is Answer.PROVED


@pytest.mark.parametrize(("left", "right", "answer", "condition"), QUALIFIED.values(), ids=QUALIFIED)
def test_qualified(left: sp.Expr, right: sp.Expr, answer: Answer, condition: str) -> None:
    verdict = compare(left, right)
    assert (verdict.answer, verdict.condition) == (answer, condition)


@pytest.mark.parametrize(("left", "right"), FALSE.values(), ids=FALSE)
def test_false(left: sp.Expr, right: sp.Expr) -> None:
    assert compare(left, right).answer is Answer.REFUTED


def test_one_whole_number_is_no_small_set() -> None:
    """n = 1 is not negligible among whole numbers: never "almost everywhere"."""
    assert prove_equal(step(n - 1), sp.S.One).answer is Answer.UNDECIDED


def test_a_hidden_zero_is_no_border() -> None:
    """step(u) for u that is 0 everywhere, though no normal form shows it, must not count as "almost nowhere"."""
    hidden = sp.sin(x) * sp.cos(y) + sp.cos(x) * sp.sin(y) - sp.sin(x + y)
    for verdict in (prove_equal(step(hidden) + step(-hidden), sp.S.One), prove_equal(sp.sign(hidden) ** 2, sp.S.One)):
        assert verdict.answer is Answer.UNDECIDED


def test_a_root_of_what_is_negative_is_no_open_place() -> None:
    """sqrt(-x²) is defined at 0 alone, where relu(x) + 1 is not relu(x) + 2."""
    root = sp.sqrt(-(x**2), evaluate=False)
    assert not prove_equal(root + relu(x), root + relu(x) + step(-(x**2) + 1)).holds


# Random trees, evaluated exactly.
GRID = (F(-3), F(-1), F(-1, 2), F(0), F(1, 3), F(1), F(2))
leaves = st.sampled_from([x, y, sp.S.One, sp.S.NegativeOne, sp.S.Zero, x - 1, y + 1, x - y, -x])


def _grow(inner: st.SearchStrategy[sp.Expr]) -> st.SearchStrategy[sp.Expr]:
    two = st.tuples(inner, inner)
    four = st.tuples(inner, inner, inner, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
    relation = {"<": sp.Lt, "<=": sp.Le, ">": sp.Gt, ">=": sp.Ge, "==": sp.Eq, "!=": sp.Ne}
    return st.one_of(
        inner.map(relu), inner.map(step), inner.map(Abs), inner.map(sp.sign), two.map(lambda t: Max(*t)), two.map(lambda t: Min(*t)),
        two.map(lambda t: t[0] + t[1]), two.map(lambda t: t[0] - t[1]), two.map(lambda t: t[0] * t[1]),
        four.map(lambda t: Pw((t[0], relation[t[3]](t[2], 0)), (t[1], True))))


trees = st.recursive(leaves, _grow, max_leaves=6)


def value(expr: sp.Expr, at: dict[sp.Symbol, F]) -> F:
    """Exact value, by Python's fractions alone."""
    if expr.is_Symbol:
        return at[expr]
    if expr.is_Rational:
        return F(int(expr.p), int(expr.q))
    if isinstance(expr, Pw):
        return value(next(body for body, condition in expr.args if truth(condition, at)), at)
    args = [value(a, at) for a in expr.args]
    if expr.is_Add:
        return sum(args, F(0))
    if expr.is_Mul:
        return prod(args)
    if expr.is_Pow:
        return args[0] ** int(args[1])
    return {relu: lambda u: max(u, F(0)), step: lambda u: F(u > 0), Abs: abs, sp.sign: lambda u: F((u > 0) - (u < 0)),
            Max: lambda *u: max(u), Min: lambda *u: min(u)}[expr.func](*args)


def truth(condition: sp.Basic, at: dict[sp.Symbol, F]) -> bool:
    """A condition at a point; SymPy turns cases within conditions into ITE, And, Or and Not."""
    if condition in (sp.true, sp.false):
        return condition is sp.true
    if isinstance(condition, sp.ITE):
        asked, first, second = condition.args
        return truth(first if truth(asked, at) else second, at)
    if isinstance(condition, (sp.And, sp.Or)):
        return (all if isinstance(condition, sp.And) else any)(truth(c, at) for c in condition.args)
    if isinstance(condition, sp.Not):
        return not truth(condition.args[0], at)
    a, b = value(condition.lhs, at), value(condition.rhs, at)
    return {sp.Lt: a < b, sp.Le: a <= b, sp.Gt: a > b, sp.Ge: a >= b, sp.Eq: a == b, sp.Ne: a != b}[condition.func]


def differences(left: sp.Expr, right: sp.Expr) -> list[dict[sp.Symbol, F]]:
    points = [{x: a, y: b} for a, b in product(GRID, repeat=2)]
    return [at for at in points if value(left, at) != value(right, at)]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(trees, trees)
def test_two_trees(left: sp.Expr, right: sp.Expr) -> None:
    """Whatever is said of two random trees is true on the grid."""
    _sound(left, right)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(trees, trees, st.integers(0, 5))
def test_one_tree_two_ways(tree: sp.Expr, other: sp.Expr, way: int) -> None:
    """A tree and the same tree written otherwise, once truly and once falsely: still true, and the first never refuted."""
    ways = [in_steps(tree), tree + relu(other) - relu(-other) - other, Max(tree, other) + Min(tree, other) - other,
            Pw((tree, other > 0), (tree, True), evaluate=False), tree + Abs(other) ** 2 - other**2, sp.expand(in_steps(tree))]
    assert not differences(tree, ways[way])
    assert _sound(tree, ways[way]) in (Answer.PROVED, Answer.UNDECIDED)
    _sound(tree, ways[way] + step(other - half))
    _sound(tree, ways[way] + Pw((1, sp.Eq(other, 1)), (0, True)))


def _sound(left: sp.Expr, right: sp.Expr) -> Answer:
    verdict, different = compare(left, right), differences(left, right)
    if verdict.answer is Answer.PROVED:
        assert not different
    elif verdict.answer is Answer.ALMOST_EVERYWHERE:
        borders = [sp.sympify(c.removesuffix(" = 0"), locals={"x": x, "y": y, "step": step})
                   for c in verdict.condition.removeprefix("except where ").split(" or ")]
        assert all(any(value(b, at) == 0 for b in borders) for at in different)
        assert any(value(b, at) for b in borders for at in [{x: F(7, 11), y: F(-13, 17)}])
    elif verdict.answer is Answer.REFUTED:
        at = {x: F(0), y: F(0)} | {{"x": x, "y": y}[name]: F(v) for name, v in verdict.witness.point}
        assert value(left, at) != value(right, at)
    return verdict.answer


SMALL = {
    "a thin strip": (step(x + y + 1), step(x + y)),
    "one hundred thousandth": (Pw((0, x <= -sp.Rational(99999, 100000)), (x, True)), Pw((0, x <= -1), (x, True))),
    "far away": (Max(x, 1000), Max(x, 1000, y - 10**6)),
    "a wedge": (relu(1000 * x - y) * relu(y - 999 * x), sp.S.Zero),
    "nested cases": (Pw((x, x > y / 2), (Pw((y, y > 0), (0, True)), True)), Pw((x, x > y), (Pw((y, y > 0), (0, True)), True))),
}


@pytest.mark.parametrize(("left", "right"), SMALL.values(), ids=SMALL)
def test_a_difference_in_a_small_region_is_found(left: sp.Expr, right: sp.Expr) -> None:
    """Where the proof fails, a point of that very region is tried."""
    assert compare(left, right).answer is Answer.REFUTED
