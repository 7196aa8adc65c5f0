"""Putting an earlier gradient into a later one: only where it cancels, only where it is no longer, and never wrong."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.simplification import cost
from symnet.core.derivation import Derivation, Rule, Step
from symnet.core.program import Program
from symnet.core.text import definition_text, text
from symnet.networks.architectures import deep_mlp, rnn


def step(d: Derivation, name: str) -> Step:
    return next(s for s in d.steps if s.of.name == name)


def net(*layers: object, loss: object) -> Program:
    return sn.Sequential(*layers).program(loss)  # type: ignore[arg-type]


CANCELS: dict[str, tuple[Program, str, str]] = {
    "softmax and cross-entropy": (
        net(sn.Linear("d", "k"), loss=sn.CrossEntropyLoss()), "z1",
        "dL_dz1[n, j] = (p[n, j]*sum(Y[n, j1] for j1 in 1..k) - Y[n, j])/N"),
    "sigmoid and binary cross-entropy": (
        net(sn.Linear("d", "k"), sn.Sigmoid(), loss=sn.BCELoss()), "z1", "dL_dz1[n, j] = (a1[n, j] - Y[n, j])/(N*k)"),
    "one neuron": (
        net(sn.Linear(1, 1), sn.Sigmoid(), loss=sn.BCELoss()), "z1", "dL_dz1 = a1 - y"),
    "an exponential and a logarithm": (
        sn.program("u = exp(w*x)", "L = log(u)*y", tensors={"w": (), "x": (), "y": ()}), "w", "dL_dw = x*y"),
}


@pytest.mark.parametrize("name", CANCELS)
def test_what_cancels_is_put_in(name: str) -> None:
    program, of, wanted = CANCELS[name]
    found = step(derive(program), of)
    assert definition_text(found.definition) == wanted
    assert found.rule is Rule.SUBSTITUTED
    assert len(found.inlined) == 1
    assert found.check()


@pytest.mark.parametrize("name", CANCELS)
def test_the_short_form_is_no_longer_than_the_chain_rule_sum(name: str) -> None:
    program, of, _ = CANCELS[name]
    found = step(derive(program), of)
    assert cost(found.expression) <= cost(found.raw)
    assert any(gradient in text(found.raw) for gradient in found.inlined), "the raw sum still names what was put in"


@pytest.mark.parametrize("program", [
    net(sn.Linear("d", "h"), sn.Tanh(), sn.Linear("h", "k"), loss=sn.MSELoss()),
    net(sn.Linear("d", "k"), sn.Softmax(), loss=sn.SquaredError()), deep_mlp(), rnn(),
], ids=["squared error", "softmax, squared", "deep mlp", "rnn"])
def test_what_does_not_cancel_stays_named(program: Program) -> None:
    d = derive(program)
    assert all(s.inlined == () for s in d.steps)
    assert all(s.live for s in d.steps)


def test_a_gradient_that_is_still_used_stays_in_the_program() -> None:
    """p is used twice, by the loss and by a penalty, and dL/dp is asked for: it is shown, computed and right."""
    d = derive(sn.program("p = exp(z)/(1 + exp(z))", "L = -log(p)*y", tensors={"z": (), "y": ()}), ["z", "p"])
    assert step(d, "p").live
    assert "dL_dp" in d.full.tensors
    assert all(s.check() for s in d.steps)


SHARES = ["sum(Y, axis=1) == 1"]


def test_an_assumption_is_used_only_where_it_is_declared_and_is_named_there() -> None:
    lines = ("p = softmax(X @ W)", "L = -sum(Y*log(p))")
    shapes = {"X": ("N", "d"), "W": ("d", "k"), "Y": ("N", "k")}
    bare = derive(sn.program(*lines, tensors=shapes), ["X", "W"])
    told = derive(sn.program(*lines, tensors=shapes, assumptions=SHARES), ["X", "W"])
    assert not any(s.assumptions for s in bare.steps)
    assert "*sum(Y[n, j] for j in 1..k)" in text(step(bare, "X").expression)
    assert text(step(told, "X").expression) == "sum(W[i, j]*p[n, j] for j in 1..k) - sum(W[i, j]*Y[n, j] for j in 1..k)"
    assert step(told, "X").assumptions == told.program.assumptions
    assert all(s.check() for d in (bare, told) for s in d.steps)
    for s in told.steps:
        assert bool(s.assumptions) == any(c.startswith("declared: ") for c in s.conditions)


def test_an_assumption_about_another_axis_changes_nothing() -> None:
    program = net(sn.Linear("d", "k"), loss=sn.CrossEntropyLoss())
    columns = Program(program.inputs, program.definitions, program.objective,
                      sn.program("L = sum(Y)", tensors={"Y": program["Y"]}, assumptions=["sum(Y, axis=0) == 1"]).assumptions)
    assert text(step(derive(columns), "z1").expression) == text(step(derive(program), "z1").expression)
    assert step(derive(columns), "z1").assumptions == ()
