"""Random programs against JAX in float64: 300 here, thousands in ``python -m tests.laws.nightly``.

Hypothesis makes them; ``laws.nightly`` makes small what breaks a law. Every program is asked for its gradients by compiled code, by exact values
and by its steps; some for modules in other libraries, Hessians and Jacobians.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from laws import spelling
from laws.dice import Dice, Drawn, Seeded
from laws.index_programs import index_program
from laws.judging import DIFFERENT, Case, judge
from laws.language import Number, Op, Source
from laws.numpy_programs import numpy_program
from laws.oracle import differ
from laws.recurrences import recurrence

KINDS: dict[str, Callable[[Dice], Source]] = {"index": index_program, "numpy": numpy_program, "recurrence": recurrence}
COUNTS = {"index": 45, "numpy": 35, "recurrence": 25}  # programs in a block
BLOCKS = [*[("index", k) for k in range(4)], *[("numpy", k) for k in range(2)], *[("recurrence", k) for k in range(2)]]
EVERY = ("NumPy", "compile", "exact values", "step.check")
SOME = ("step fields", "numpy module", "torch module", "jax module", "hessian", "jacobian")


def holds(source: Source, number: int, laws: tuple[str, ...]) -> None:
    faults = judge(Case(source, number), laws)
    assert not faults, "\n".join([*map(str, faults), *spelling.lines(source), f"tensors={spelling.shapes(source)}, positive: {sorted(source.positive)}"])


@pytest.mark.parametrize(("kind", "block"), BLOCKS)
def test_gradients_and_steps_are_right(kind: str, block: int) -> None:
    @seed(block)
    @settings(max_examples=COUNTS[kind], deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.data())
    def law(data: st.DataObject) -> None:
        dice = Drawn(data)
        holds(KINDS[kind](dice), dice.below(1000), EVERY)

    law()


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_modules_hessians_and_jacobians_are_right(kind: str, number: int) -> None:
    holds(KINDS[kind](Seeded(f"ci {number}")), number, SOME)


def test_most_programs_have_a_value() -> None:
    without = sum(Case(make(Seeded(f"value {k}")), k).at(DIFFERENT)[2] is None for make in KINDS.values() for k in range(20))
    assert without <= 6


@pytest.mark.parametrize("kind", KINDS)
def test_the_two_oracles_agree(kind: str) -> None:
    for number in range(8):
        source = KINDS[kind](Seeded(f"oracles {number}"))
        first, second = (Case(source, number, oracle=name).at(DIFFERENT)[2] for name in ("jax", "torch"))
        assert (first is None) == (second is None)
        if first is not None and second is not None:
            assert not differ(first[0], second[0]) and not any(differ(first[1][k], second[1][k], abs(first[0])) for k in source.wrt)


def test_the_oracle_sees_a_wrong_gradient() -> None:
    """The laws can fail: a derivation of another program is caught by each."""
    source = index_program(Seeded("the oracle"))
    last = source.lines[-1]
    more = replace(last, expr=Op("+", last.expr, Op("*", last.expr, Number(Fraction(1, 3)))))
    case = Case(source, 1)
    case.made = Case(replace(source, lines=(*source.lines[:-1], more))).derivation
    laws = ("compile", "exact values", "numpy module", "hessian")
    assert {f.law for f in judge(case, laws)} == set(laws)
