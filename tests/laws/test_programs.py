"""Random programs against JAX in float64: 300 here, thousands in ``python -m tests.laws.nightly``.

Hypothesis makes them and, when a law breaks, makes them small. Every program is asked for its gradients by compiled code, by exact values
and by its steps; some for modules in other libraries, Hessians and Jacobians.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from laws import spelling
from laws.dice import Dice, Drawn, Seeded
from laws.index_programs import index_program
from laws.judging import DIFFERENT, Case, judge
from laws.language import Number, Op, Source
from laws.numpy_programs import numpy_program
from laws.recurrences import recurrence

KINDS: dict[str, tuple[Callable[[Dice], Source], int]] = {"index": (index_program, 180), "numpy": (numpy_program, 70), "recurrence": (recurrence, 50)}
EVERY = ("NumPy", "compile", "exact values", "step.check", "step fields")
SOME = ("numpy module", "torch module", "jax module", "hessian", "jacobian")


def holds(source: Source, seed: int, laws: tuple[str, ...]) -> None:
    note("\n".join(spelling.lines(source)))
    note(f"tensors={spelling.shapes(source)}, positive: {sorted(source.positive)}")
    assert judge(Case(source, seed), laws) == []


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_and_steps_are_right(kind: str) -> None:
    make, count = KINDS[kind]

    @settings(max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def law(data: st.DataObject) -> None:
        dice = Drawn(data)
        holds(make(dice), dice.below(1000), EVERY)

    law()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_modules_hessians_and_jacobians_are_right(kind: str, seed: int) -> None:
    holds(KINDS[kind][0](Seeded(f"ci {seed}")), seed, SOME)


def test_most_programs_have_a_value() -> None:
    without = sum(Case(make(Seeded(f"value {k}")), k).at(DIFFERENT)[2] is None for make, _ in KINDS.values() for k in range(20))
    assert without <= 6


def test_the_oracle_sees_a_wrong_gradient() -> None:
    """The laws can fail: a derivation of another program is caught by each."""
    source = index_program(Seeded("the oracle"))
    last = source.lines[-1]
    more = replace(last, expr=Op("+", last.expr, Op("*", last.expr, Number(Fraction(1, 3)))))
    case = Case(source, 1)
    case.made = Case(replace(source, lines=(*source.lines[:-1], more))).derivation
    laws = ("compile", "exact values", "numpy module", "hessian")
    assert {f.law for f in judge(case, laws)} == set(laws)
