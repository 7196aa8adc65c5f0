"""Names first, then opened: which names are written out at which stage; and every step of a derivation as a theorem for all sizes."""

from __future__ import annotations

from functools import cache

import pytest
import sympy as sp

import symnet as sn
from symnet.checking.answers_opening import Opening, in_each_other
from symnet.core.derivation import Derivation
from symnet.core.verdict import Answer
from symnet.equality.sums.all_sizes import prove_for_all_sizes

a, b, c, d = (sp.Symbol(n, real=True) for n in "abcd")


@cache
def chain() -> Derivation:
    return sn.derive(sn.program("b = a**2", "c = exp(b)", "d = c*b", "L = d + a"), wrt=["a"])


def stages(left: sp.Expr, right: sp.Expr) -> list[set[str]]:
    return [set(names) for names in Opening(chain().program).stages(left, right)]


def test_what_both_sides_use_stays_closed_first() -> None:
    assert stages(2 * c, c + c * b / b)[:1] == [set()]
    assert stages(c + b, b + c) == [set(), {"c"}, {"b", "c"}]


def test_what_one_side_alone_uses_is_opened_until_both_use_the_same() -> None:
    assert stages(d, c * b) == [set(), {"d"}, {"c", "d"}, {"b", "c", "d"}]
    assert stages(d, a) == [set(), {"b", "c", "d"}]


def test_scalars_are_written_out_in_order() -> None:
    assert in_each_other({b: a**2, c: sp.exp(b), d: c * b})[d] == a**2 * sp.exp(a**2)
    assert in_each_other({d: c * b})[d] == c * b


def test_what_is_defined_slice_by_slice_in_a_recurrence_stays_closed() -> None:
    opening = Opening(sn.load("rnn").full)
    assert "h" not in opening.definitions and "dE_dh" not in opening.definitions
    assert {"z", "dE_dz", "dE_dV"} <= opening.definitions.keys()


@pytest.mark.parametrize("sheet", ["mlp", "rnn", "convolution", "depth", "digits", "transformer", pytest.param("lstm", marks=pytest.mark.slow)])
def test_every_step_holds_for_all_sizes(sheet: str) -> None:
    """The sum over uses, as the chain rule gives it, equals the line that is shown."""
    made = sn.load(sheet)
    opening, proved = Opening(made.full), 0
    for step in made.steps:
        if step.inlined:
            continue  # uses lines that are no part of the result
        line = step.definition
        found = [prove_for_all_sizes(step.raw, line.expr, line.free, step.assumptions, made.program.definitions, opened=opening.lines(names))
                 for names in list(opening.stages(step.raw, line.expr))[:3]]
        assert any(v.answer is not Answer.UNDECIDED for v in found), (line, step.raw)
        proved += 1
    assert proved > 3
