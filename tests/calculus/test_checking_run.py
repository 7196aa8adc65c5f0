"""The runs of the forward program behind step.check(): a line that nothing moved is taken over, and that changes no value."""

from __future__ import annotations

import pytest
import sympy as sp
from flint import arb

from symnet.calculus import derive
from symnet.calculus.checking import run
from symnet.calculus.instantiate import instantiate_program
from symnet.core.program import Program
from symnet.networks.architectures import deep_mlp, mlp, rnn

NETWORKS = {"mlp": (mlp(), {"N": 2, "d": 3, "h": 4, "k": 5}), "depth": (deep_mlp(), {"d": 2, "L": 3}),
            "time": (rnn(), {"d": 2, "m": 3, "T": 4})}
NUDGE = arb(1) / arb(2) ** 40


def scalars(program: Program, sizes: dict[str, int]) -> tuple[Program, dict[str, sp.Rational]]:
    """The program of scalars and a point."""
    whole, _ = instantiate_program(derive(program).full, sizes)
    return whole, {t.name: sp.Rational(k % 7 - 3, 5) for k, t in enumerate(whole.inputs, start=1)}


@pytest.mark.parametrize(("program", "sizes"), NETWORKS.values(), ids=NETWORKS)
def test_values_taken_over_are_the_values_computed(program: Program, sizes: dict[str, int]) -> None:
    whole, point = scalars(program, sizes)
    still = run(whole, point, {})
    for name in (whole.inputs[0].name, whole.inputs[-1].name, whole.definitions[3].name):
        fresh, kept = run(whole, point, {name: NUDGE}), run(whole, point, {name: NUDGE}, "", still)
        assert fresh.keys() == kept.keys()
        assert all(fresh[k] == kept[k] or (fresh[k] - kept[k]).contains(0) for k in fresh)
        assert any(fresh[k] != still[k] for k in fresh if k != name)


def test_a_run_ends_at_the_line_asked_for() -> None:
    whole, point = scalars(*NETWORKS["mlp"])
    values = run(whole, point, {}, "L")
    assert "L" in values and not any(name.startswith("dL_d") for name in values)


def test_one_entry_is_one_object() -> None:
    _, entries = instantiate_program(mlp(), {"N": 2, "d": 3, "h": 4, "k": 5})
    assert entries("X", (1, 2)) is entries("X", (1, 2))
    assert entries("X", (1, 2)) != entries("X", (2, 1))
