"""A root to its power is what it is the root of, wherever it stands."""

from __future__ import annotations

import pytest
import sympy as sp

from symnet.core.verdict import Answer
from symnet.equality.compare import compare

x, y, a, b = sp.symbols("x y a b", real=True)
p = sp.Symbol("p", positive=True)
U = (x**2 + y**2) / 3 + p
R, C = sp.sqrt(U), U ** sp.Rational(1, 3)

EQUAL = [
    ((a / R + b / R) / R, (a + b) / U), ((a - x / R * (a * x / R)) / R, (a - x**2 * a / U) / R), (R * (R + 1), U + R),
    ((R + 1) * (R - 1), U - 1), ((C + 1) * (C**2 - C + 1), U + 1), (sp.sqrt(R + 1) * sp.sqrt(R + 1) * (R - 1), U - 1),
    (1 / (R - 1) - 1 / (R + 1), 2 / (U - 1)),
]


@pytest.mark.parametrize(("left", "right"), EQUAL, ids=str)
def test_what_a_root_satisfies_is_used(left: sp.Expr, right: sp.Expr) -> None:
    assert compare(left, right).answer in (Answer.PROVED, Answer.ALMOST_EVERYWHERE)


@pytest.mark.parametrize(("left", "right"), [(left, right + p / 7) for left, right in EQUAL], ids=str)
def test_another_value_is_refuted(left: sp.Expr, right: sp.Expr) -> None:
    assert compare(left, right).answer is Answer.REFUTED
