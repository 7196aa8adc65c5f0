"""A right page has no wrong line; one slip in it is the first wrong line, and what is computed from it is marked as following."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from symnet.core.page_verdict import Errata, Follows, Mark
from symnet.worksheet_loader import check_page

SHEET = """```toml
[program]
definitions = ["z1 = w1*x + b1", "a1 = sigmoid(z1)", "z2 = w2*a1 + b2", "a2 = tanh(z2)", "L = (a2 - y)**2"]
wrt = ["w1", "b1", "w2", "b2"]
learning_rate = "0.1"
```
"""
TOP = SHEET.count("\n")
PLACES = 5
PHASES = (Phase.explicit, Phase.generate)  # to shrink a page of numbers tells no more and takes long
Values = Mapping[str, float]


@dataclass(frozen=True)
class Step:
    """One line: what it defines, its formula, and how it is calculated."""

    name: str
    formula: str
    of: Callable[[Values], float]


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


STEPS = (
    Step("z1", "w1*x + b1", lambda v: v["w1"] * v["x"] + v["b1"]),
    Step("a1", "sigmoid(z1)", lambda v: sigmoid(v["z1"])),
    Step("z2", "w2*a1 + b2", lambda v: v["w2"] * v["a1"] + v["b2"]),
    Step("a2", "tanh(z2)", lambda v: math.tanh(v["z2"])),
    Step("L", "(a2 - y)^2", lambda v: (v["a2"] - v["y"]) ** 2),
    Step("dL/da2", "2*(a2 - y)", lambda v: 2 * (v["a2"] - v["y"])),
    Step("da2/dz2", "1 - a2^2", lambda v: 1 - v["a2"] ** 2),
    Step("dL/dw2", "dL/da2 * da2/dz2 * a1", lambda v: v["dL/da2"] * v["da2/dz2"] * v["a1"]),
    Step("dL/db2", "dL/da2 * da2/dz2", lambda v: v["dL/da2"] * v["da2/dz2"]),
    Step("dL/dz1", "dL/db2 * w2 * a1 * (1 - a1)", lambda v: v["dL/db2"] * v["w2"] * v["a1"] * (1 - v["a1"])),
    Step("dL/dw1", "dL/dz1 * x", lambda v: v["dL/dz1"] * v["x"]),
    Step("w2'", "w2 - 0.1*dL/dw2", lambda v: v["w2"] - 0.1 * v["dL/dw2"]),
    Step("w1'", "w1 - 0.1*dL/dw1", lambda v: v["w1"] - 0.1 * v["dL/dw1"]),
)
tenths = st.integers(min_value=-18, max_value=18).filter(bool).map(lambda k: k / 10)
inputs = st.fixed_dictionaries(dict.fromkeys(("x", "w1", "b1", "w2", "b2", "y"), tenths))
slips = st.tuples(st.integers(0, len(STEPS) - 1), st.sampled_from((-0.3, -0.07, 0.04, 0.2)))


def page(start: Values, slip: tuple[int, float] | None = None, rounding: bool = False) -> str:
    """A page of worked lines; ``slip`` adds something to the number of one line, and later lines go on from there.

    With ``rounding`` later lines use the numbers as printed, else a calculator that keeps all digits.
    """
    values = dict(start)
    lines = [", ".join(f"{n} = {v}" for n, v in start.items())]
    for k, step in enumerate(STEPS):
        value = step.of(values) + (slip[1] if slip is not None and slip[0] == k else 0)
        printed = f"{value:.{PLACES}f}"
        slipped = slip is not None and slip[0] == k
        values[step.name] = float(printed) if rounding or slipped else value
        lines.append(f"{step.name} = {step.formula} ≈ {printed}")
    return SHEET + "\n".join(lines) + "\n"


def numbers(found: Errata) -> list[tuple[int, Mark, Follows, bool]]:
    """The printed results: their line among the steps, and how they were judged."""
    return [(j.line - TOP - 2, j.mark, j.follows, j.carried) for j in found.judged if j.line > TOP + 1 and j.relation == "≈"]


@settings(max_examples=12, deadline=None, derandomize=True, phases=PHASES)
@given(inputs)
def test_a_right_page_is_right_and_each_line_follows(start: Values) -> None:
    found = check_page(page(start))
    assert not found.wrong and not found.undecided
    assert [n[1:3] for n in numbers(found)] == [(Mark.RIGHT, Follows.YES)] * len(STEPS)


@settings(max_examples=30, deadline=None, derandomize=True, phases=PHASES)
@given(inputs, slips)
def test_one_wrong_number_is_the_first_wrong_line_and_the_rest_follows(start: Values, slip: tuple[int, float]) -> None:
    found = check_page(page(start, slip))
    assert found.first_wrong is not None
    assert found.first_wrong.line - TOP - 2 == slip[0]
    assert [j.line for j in found.errors] == [found.first_wrong.line]
    assert not found.undecided
    for _, mark, follows, carried in numbers(found)[slip[0] + 1:]:
        assert follows is Follows.YES
        assert carried is (mark is Mark.WRONG)
    lines = {j.line for j in found.wrong}
    assert all(j.from_line in lines and j.from_line < j.line for j in found.carried)  # type: ignore[operator]


@settings(max_examples=12, deadline=None, derandomize=True, phases=PHASES)
@given(inputs)
def test_rounding_on_the_way_is_never_an_error_of_its_own(start: Values) -> None:
    found = check_page(page(start, rounding=True))
    assert not found.errors and not found.undecided
    assert all(n[2] is Follows.YES for n in numbers(found))


FACTORS = {  # a line, its right formula, the wrong one, and how the wrong one is calculated
    "a link of the chain is missing": (7, "dL/da2 * a1", lambda v: v["dL/da2"] * v["a1"]),
    "a factor too many": (8, "dL/da2 * da2/dz2 * a2", lambda v: v["dL/da2"] * v["da2/dz2"] * v["a2"]),
    "the wrong sign": (5, "2*(y - a2)", lambda v: 2 * (v["y"] - v["a2"])),
    "the slope of another function": (6, "a2*(1 - a2)", lambda v: v["a2"] * (1 - v["a2"])),
    "a weight for an input": (10, "dL/dz1 * w1", lambda v: v["dL/dz1"] * v["w1"]),
}


@pytest.mark.parametrize(("at", "formula", "of"), FACTORS.values(), ids=FACTORS)
def test_one_wrong_formula_is_the_first_wrong_line_and_the_rest_follows(at: int, formula: str, of: Callable[[Values], float],
                                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tuple(Step(s.name, formula, of) if k == at else s for k, s in enumerate(STEPS))
    monkeypatch.setattr(f"{__name__}.STEPS", changed)
    found = check_page(page({"x": 1.5, "w1": 0.7, "b1": -0.2, "w2": 1.1, "b2": 0.3, "y": -0.6}))
    assert [(j.line - TOP - 2, j.printed) for j in found.errors] == [(at, formula)]
    assert found.first_wrong == found.errors[0]
    assert all(j.carried and j.from_line is not None for j in found.wrong[1:])
    assert len(found.wrong) > 1
