"""Equal wherever both sides are defined, and that is somewhere; holes that tell nothing new are left out."""

from __future__ import annotations

import pytest
import sympy as sp

from symnet.core.verdict import Answer
from symnet.equality.compare import compare, prove_equal
from symnet.equality.difference_is_zero import agrees, judged, without_implied
from symnet.equality.feasible_point import defined_somewhere, meeting_point
from symnet.equality.normal import Basis

x, y = sp.symbols("x y", real=True)
p = sp.Symbol("p", positive=True)
w = sp.IndexedBase("w", real=True)
i, k = sp.symbols("i k", integer=True)
log, sqrt = sp.log, sp.sqrt


def test_what_both_sides_ask_for_is_used() -> None:
    for left, right in ((sqrt(x**2 + 2 * x + 1) + log(x), x + 1 + log(x)), (sp.Pow(x, y) * log(x), sp.exp(y * log(x)) * log(x))):
        basis = Basis()
        basis.survey(left, right)
        assert not basis.normal(left - right)[1].is_zero
        assert agrees(left, right, basis)


SOMEWHERE = {
    "a half line": ((log(x),), True),
    "two half lines": ((log(x), log(-x)), False),
    "a quadrant": ((log(x), sqrt(-y)), True),
    "entries": ((log(w[1]), log(-w[2])), True),
    "one entry": ((log(w[1]), log(-w[1])), False),
    "a sum": ((log(sp.Sum(w[i], (i, 1, k))), sqrt(-sp.Sum(w[i], (i, 1, k)))), False),
    "a narrow place": ((log(x - 1), log(3 - x)), True),
    "nowhere": ((sqrt(-1 - x**2),), False),
    "a divisor": ((1 / (x**2 - 1),), True),
    "nested": ((log(log(log(x))), sqrt(30 - x)), True),
    "a strip": ((sqrt(x - y), sqrt(y - x + 1), log(x - 4)), True),
}


@pytest.mark.parametrize(("sides", "answer"), SOMEWHERE.values(), ids=SOMEWHERE)
def test_is_there_a_point(sides: tuple[sp.Expr, ...], answer: bool) -> None:
    assert defined_somewhere(*sides) is answer


def test_many_conditions_are_met_together() -> None:
    probabilities = sp.symbols("a_1:11", real=True)
    loss = sp.Add(*[log(a) + log(1 - a) for a in probabilities])
    point = meeting_point(loss)
    assert point is not None and all(0 < v < 1 for v in point.values())
    assert prove_equal(loss, sp.Add(*[log(a - a**2) for a in probabilities])).answer is Answer.CONDITIONAL
    assert prove_equal(loss + log(sp.S(6)), loss + log(sp.S(2)) + log(sp.S(3))).holds


@pytest.mark.parametrize("extra", [0, sp.Abs(y), sp.Sum(w[i], (i, 1, k))], ids=str)
def test_nothing_is_claimed_where_no_point_has_both_values(extra: sp.Expr) -> None:
    assert prove_equal(log(x) + extra, log(-x) + extra).answer is Answer.UNDECIDED


IMPLIED = {
    "a product of two": ([(x * y, "<="), (x, "<="), (y, "<=")], [], [(x, "<="), (y, "<=")]),
    "never 0 there": ([(x + 1, "="), (x, "<=")], [], [(x, "<=")]),
    "known from both sides": ([(x + p, "=")], [(x, "<")], []),
    "apart": ([(x, "<="), (y, "=")], [], [(x, "<="), (y, "=")]),
    "not implied": ([(x - 1, "="), (x, "<=")], [], [(x - 1, "="), (x, "<=")]),
    "one alone": ([(x, "=")], [], [(x, "=")]),
}


@pytest.mark.parametrize(("holes", "both", "left"), IMPLIED.values(), ids=IMPLIED)
def test_what_follows_from_the_others_is_not_said(holes, both, left) -> None:
    assert without_implied(holes, both) == left


def test_a_hole_that_the_common_domain_leaves_out_is_no_hole() -> None:
    assert str(compare(log(x) * (x + 1) / (x + 1) + log(p), log(x * p))) == "proved"


def test_what_is_too_large_is_tried_with_stems() -> None:
    deep = sum(sp.symbols("u_0:12", real=True)) + 1
    basis, holes, same = judged(deep**60 * sp.sin(deep) ** 2, deep**60 * (1 - sp.cos(deep) ** 2))
    assert same and basis.stems and holes == [{}, {}]
