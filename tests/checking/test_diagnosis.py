"""Slips are named only when undoing them gives the right answer."""

from __future__ import annotations

import random

import pytest
import sympy as sp

import symnet as sn
from symnet.calculus.closed import closed_form, closed_scalars
from symnet.checking.diagnosis import diagnose
from symnet.core.functions import sigmoid
from symnet.equality.compare import compare
from symnet.parsing.program import expression

FIRST = sn.load("first")


def named(text: str) -> sp.Expr:
    value = expression(text, FIRST.program.tensors, where="answer")
    return value.expr


SLIPS = [
    ("w2", "-2*(a2 - y)*a2*(1 - a2)*a1", "sign", "the sign is wrong"),
    ("w2", "(a2 - y)*a2*(1 - a2)*a1", "constant", "a factor 2 is missing"),
    ("w2", "4*(a2 - y)*a2*(1 - a2)*a1", "constant", "a factor 2 is too much"),
    ("w2", "2*(a2 - y)*a2*(1 - a2)", "missing chain factor", "the factor dz2/dw2 = a1 is missing"),
    ("w2", "2*(a2 - y)*a1", "missing chain factor", "the factor da2/dz2 = a2*(1 - a2) is missing"),
    ("w1", "2*(a2 - y)*a2*(1 - a2)*a1*(1 - a1)*x", "missing chain factor", "the factor dz2/da1 = w2 is missing"),
    ("w1", "2*(a2 - y)*a2*(1 - a2)*w2*a1*(1 - a1)", "missing chain factor", "the factor dz1/dw1 = x is missing"),
    ("w1", "2*(a2 - y)*a2*(1 - a2)*w2*a1*(1 - a1)*x*x", "doubled chain factor", "the factor dz1/dw1 = x was taken twice"),
    ("w1", "2*(a2 - y)*a2*(1 - a2)*w1*a1*(1 - a1)*x", "wrong variable", "w1 stands where w2 belongs"),
    ("w2", "2*(a2 - y)*a2*(1 - a2)*z1", "wrong variable", "z1 stands where a1 belongs"),
    ("w2", "2*(a2 - y)*sigmoid(a2)*(1 - sigmoid(a2))*a1", "slope at the output", "the slope of sigmoid was taken at a2 instead of z2"),
    ("b1", "2*(a2 - y)*a2*(1 - a2)*w2*a1*(1 - a1)*x", "doubled chain factor", "the factor dz1/dw1 = x was taken twice"),
    ("w2", "2*(y - a2)*a2*(1 - a2)", "missing chain factor, sign", "the factor dz2/dw2 = a1 is missing and the sign is wrong"),
]


@pytest.mark.parametrize(("wrt", "answer", "kind", "message"), SLIPS, ids=lambda v: str(v)[:40])
def test_the_slip_is_named(wrt: str, answer: str, kind: str, message: str) -> None:
    found = diagnose(named(answer), FIRST, wrt)
    assert found is not None and (found.kind, found.message) == (kind, message)


@pytest.mark.parametrize("seed", range(25))
def test_a_named_slip_undone_is_the_right_answer(seed: int) -> None:
    """Random products and sums: whatever is named, undoing it gives the gradient; what explains nothing is not named."""
    rng = random.Random(seed)
    wrt = rng.choice(["w1", "b1", "w2", "b2"])
    truth = closed_form(FIRST, wrt)
    factors = [sp.Integer(-1), sp.Integer(2), *closed_scalars(FIRST.full).values()]
    wrong = truth * rng.choice(factors) ** rng.choice((-1, 1)) * rng.choice([sp.S.One, sp.S.One, *factors])
    found = diagnose(wrong, FIRST, wrt)
    if found is not None:
        undone = expression(found.undo, FIRST.program.tensors, where="undone").expr
        assert compare(undone, truth).holds


def test_a_right_answer_has_no_slip_to_undo_and_nonsense_is_not_explained() -> None:
    nonsense = sp.exp(FIRST.program["x"][()]) + sigmoid(FIRST.program["y"][()])
    assert diagnose(nonsense, FIRST, "w1") is None
