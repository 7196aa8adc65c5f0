"""Folding under brackets: a masked softmax has the gradient of a softmax, and a bracket that guards an index stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sympy as sp

from symnet.calculus import derive
from symnet.core.axes import Axis, index
from symnet.core.expressions import When, as_written
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role, Tensor

N = Axis.of("N")
i, j = index("i"), index("j")
x, y, z = (Tensor(name, (N,), role=Role.PARAMETER) for name in "xyz")
p, loss = Tensor("p", (N,)), Tensor("L")
INSIDE = sp.And(sp.Ge(i, 2), sp.Le(i, N.upper))


def made(value: Callable[[], sp.Expr]) -> Program:
    with as_written():
        return Program((x, y, z), (Definition(p, (i,), value()), Definition(loss, (), sp.Sum(p[i] * y[i] ** 2, (i, *N.range)))))


def share() -> sp.Expr:
    return When(sp.exp(x[i]), sp.Le(i, 2)) / sp.Sum(When(sp.exp(x[j]), sp.Le(j, 2)), (j, *N.range))


def half_masked() -> sp.Expr:
    """The bracket is on top only: the terms below have none to match."""
    return When(sp.exp(x[i]), sp.Le(i, 2)) / sp.Sum(sp.exp(x[j]), (j, *N.range))


def other_mask() -> sp.Expr:
    return When(sp.exp(x[i]), sp.Le(i, 2)) / sp.Sum(When(sp.exp(x[j]), sp.Ge(j, 2)), (j, *N.range))


PROGRAMS: dict[str, Callable[[], sp.Expr]] = {
    "masked softmax": share, "half masked": half_masked, "another mask below": other_mask,
    "shifted inside exp": lambda: y[i] * When(sp.exp(x[i - 1]), INSIDE),
    "a factor at a shifted place": lambda: y[i] * When(sp.exp(x[i] * z[i - 1]), INSIDE),
    "a shifted factor beside exp": lambda: y[i] * When(sp.exp(x[i]) * z[i - 1], INSIDE),
}


@pytest.mark.parametrize("value", PROGRAMS.values(), ids=PROGRAMS)
def test_every_step_checks(value: Callable[[], sp.Expr]) -> None:
    d = derive(made(value), wrt=["x", "y", "z"])
    assert all(s.check() for s in d.steps)


def test_the_gradient_of_a_masked_softmax_has_no_bracket() -> None:
    line = derive(made(share), wrt=["x"]).full.by_name["dL_dx"][0]
    assert str(line) == "dL_dx[i] := (dL_dp[i] - Sum(dL_dp[j]*p[j], (j, 1, N)))*p[i]"


def test_another_bracket_stays() -> None:
    assert derive(made(other_mask), wrt=["x"]).gradients["x"].expr.has(When)


def test_a_bracket_that_guards_an_index_stays() -> None:
    d = derive(made(PROGRAMS["a factor at a shifted place"]), wrt=["x"])
    assert d.gradients["x"].expr.has(When)
