"""Steps of deep programs, each checked in an excerpt, once for each shape: what is right passes, and a changed step anywhere is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from laws.step_fields import changed

from symnet.calculus import checking, derive
from symnet.calculus.excerpts import Shapes, excerpt
from symnet.core.derivation import Derivation, Step
from symnet.core.program import Program
from symnet.errors import FaultError
from symnet.networks import architectures
from symnet.networks.layers import Linear, ReLU
from symnet.networks.losses import CrossEntropyLoss
from symnet.networks.sequential import Sequential
from symnet.parsing.program import program

RESIDUAL = program("z = w*x + b", "a = z*sin(z) + z", "c = a*z + a", "L = (c - y)**2*a")  # lines that use u and one another
NETWORKS: dict[str, Program] = {
    "residual": RESIDUAL,
    "mlp": architectures.mlp(2, 3, 2),
    "relu": Sequential(Linear(2, 3), ReLU(), Linear(3, 2)).program(CrossEntropyLoss()),
    "shares": Sequential(Linear(2, 2), ReLU(), Linear(2, 2)).program(CrossEntropyLoss(normalized=True)),
    "labels": Sequential(Linear(2, 2), ReLU(), Linear(2, 2)).program(CrossEntropyLoss(indices=True)),
    "attention": architectures.transformer_block(2, 1, 2, positions=2),
    "conv": architectures.conv1d(2, 3),
}


def with_step(derivation: Derivation, step: Step) -> Derivation:
    """The derivation with one step put in the place of its own."""
    return replace(derivation, steps=tuple(step if s.number == step.number else s for s in derivation.steps))


@pytest.mark.parametrize("name", NETWORKS)
def test_an_excerpt_says_what_the_whole_program_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right steps pass in their excerpts, and a changed field is seen there."""
    monkeypatch.setattr(checking, "DEEP", 0)
    derivation = derive(NETWORKS[name])
    assert all(derivation.check())
    alone = [s for s in derivation.steps if excerpt(derivation, s) is not None]
    assert len(alone) >= 3, "there is nothing to be seen in excerpts"
    assert name not in ("mlp", "shares", "labels") or len(alone) == len(derivation.steps), "gradients that are put in are cut out with it"
    for step in alone[:: max(1, len(alone) // 4)]:
        for what, wrong in changed(step):
            if step.expression == 0 or (what == "local 0 negated" and step.contributions[0].local == 0):
                continue
            held = with_step(derivation, wrong)
            assert not held.steps[step.number - 1].check(), (name, step.number, what)


@pytest.fixture(scope="module")
def deep() -> Derivation:
    return derive(architectures.unrolled_mlp(2, 20))


def test_a_deep_program_is_checked_once_for_each_shape(deep: Derivation) -> None:
    """Every step passes; as many are looked at as there are shapes."""
    again = derive(deep.program)
    shapes = Shapes(again)
    assert len({shapes.key(s) for s in again.steps}) <= 12 < len(again.steps) == 80
    assert all(again.check())
    assert sum(s.looked_at for s in again.steps) <= 16


@pytest.mark.parametrize("number", [30, 31, 32, 33])
def test_a_changed_step_in_the_middle_is_seen(deep: Derivation, number: int) -> None:
    """The shapes of the others do not hide it."""
    step = deep.steps[number - 1]
    for _, wrong in list(changed(step))[::3]:
        with pytest.raises(FaultError):
            with_step(deep, wrong).check()


def test_a_line_that_takes_the_gradient_of_another_layer_is_seen(deep: Derivation) -> None:
    """Its shape is the same; whose gradient it is, is not."""
    line = deep.steps[40].definition
    used = next(n for n in line.uses if n.startswith("dL_d"))
    other = next(n for n in deep.names.values() if n[:4] == used[:4] and n != used and n.startswith("dL_dz"))
    there = {deep.full.tensors[used].base: deep.full.tensors[other].base}
    wrong = replace(deep.steps[40], definition=replace(line, expr=line.expr.xreplace(there)))
    with pytest.raises(FaultError):
        with_step(deep, wrong).check()


def test_a_step_that_is_made_later_is_the_step_that_is_derived(deep: Derivation) -> None:
    """Layer by layer, what the renamed steps say is what the steps of a shallow network say, where the names are the same."""
    shallow = derive(architectures.unrolled_mlp(2, 2))
    by_name = {s.target.name: s for s in deep.steps}
    for step in shallow.steps:
        if step.of.name in ("W1", "b1", "z1", "W2", "b2"):
            same = by_name[step.target.name]
            assert (same.expression, same.raw, same.rule) == (step.expression, step.raw, step.rule)
            assert str(same.contributions) == str(step.contributions), "the same but for the marks of bound indices"
            assert same.uses == step.uses and same.definition.ranges == step.definition.ranges


def test_gradients_of_a_deep_network_are_those_of_differences(deep: Derivation) -> None:
    """Against central differences of the compiled loss."""
    import numpy as np

    rng = np.random.default_rng(5)
    f = deep.compile()
    params = {k: rng.normal(size=(2, 2) if k[0] == "W" else 2) for k in deep.wrt}
    data = {"X": rng.normal(size=(3, 2)), "Y": rng.normal(size=(3, 2))}
    _, grads = f(params, **data)
    for name in ("W1", "b7", "W20"):
        at = (0,) * params[name].ndim
        ends = []
        for nudge in (1e-6, -1e-6):
            moved = params[name].copy()
            moved[at] += nudge
            ends.append(f({**params, name: moved}, **data)[0])
        assert abs((ends[0] - ends[1]) / 2e-6 - grads[name][at]) < 1e-6 * (1 + abs(grads[name][at]))


def test_what_is_too_large_as_a_whole_is_checked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit of entries no step was checked."""
    monkeypatch.setattr(checking, "LIMIT", 100)
    derivation = derive(architectures.unrolled_mlp(3, 4))
    found = derivation.check()
    assert all(found) and len(found) == 16
