"""Declared equalities solved for one symbol each, where they are linear in one."""

from __future__ import annotations

import pytest
import sympy as sp

from symnet.core.program import Assumption
from symnet.equality.assumption_solving import solved

x1, x2, x3 = sp.symbols("x_1 x_2 x_3", real=True)

SOLVED = [
    ([x1 + x2 - 1], {x2: 1 - x1}), ([x1 - x1], {}), ([x1 - x2, x2 - x1], {x2: x1}), ([x1 + x2, x2 + x3 - 1], {x2: -x1, x3: x1 + 1}),
    ([x1**2 - 1], None), ([x1 * x2 - 1], None), ([x1 - x1 + 1], None),
]


@pytest.mark.parametrize(("gaps", "there"), SOLVED)
def test_assumptions_are_solved_where_they_are_linear(gaps: list[sp.Expr], there: dict[sp.Symbol, sp.Expr] | None) -> None:
    assert solved(Assumption(gap, sp.S.Zero) for gap in gaps) == there
