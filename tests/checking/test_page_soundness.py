"""Random formulas on a page, right and wrong: what is marked right is equal at random points, what is marked wrong is not."""

from __future__ import annotations

import math
import random
from functools import cache

import pytest

import symnet as sn
from symnet.checking.pages.judge import judge_page
from symnet.core.derivation import Derivation
from symnet.core.page_verdict import Mark

Point = dict[str, float]


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


@cache
def network() -> Derivation:
    return sn.derive(sn.program("z1 = w1*x + b1", "a1 = tanh(z1)", "z2 = w2*a1 + b2", "a2 = sigmoid(z2)", "L = (a2 - y)**2"),
                     wrt=["w1", "b1", "w2", "b2"])


def point(seed: int) -> Point:
    """All values of the forward and backward pass, by hand."""
    rng = random.Random(seed)
    v = {n: rng.uniform(-1.5, 1.5) for n in ("x", "y", "w1", "b1", "w2", "b2")}
    v["z1"] = v["w1"] * v["x"] + v["b1"]
    v["a1"] = math.tanh(v["z1"])
    v["z2"] = v["w2"] * v["a1"] + v["b2"]
    v["a2"] = sigmoid(v["z2"])
    v["dL/da2"] = 2 * (v["a2"] - v["y"])
    v["da2/dz2"] = v["a2"] * (1 - v["a2"])
    v["dL/dz2"] = v["dL/db2"] = v["dL/da2"] * v["da2/dz2"]
    v["dL/dw2"], v["dL/da1"] = v["dL/dz2"] * v["a1"], v["dL/dz2"] * v["w2"]
    v["da1/dz1"] = 1 - v["a1"] ** 2
    v["dL/dz1"] = v["dL/db1"] = v["dL/da1"] * v["da1/dz1"]
    v["dL/dw1"], v["dz2/da1"], v["dz2/dw2"], v["da2/da1"] = v["dL/dz1"] * v["x"], v["w2"], v["a1"], v["da2/dz2"] * v["w2"]
    return v


POINTS = [point(k) for k in range(3)]
FACTORS = {  # how a factor is written, and what it is worth
    **{n: (lambda v, n=n: v[n]) for n in ("dL/da2", "da2/dz2", "dz2/dw2", "dz2/da1", "da1/dz1", "w2", "a1", "x", "dL/dz2", "dL/dz1", "da2/da1")},
    "2*(a2 - y)": lambda v: 2 * (v["a2"] - v["y"]),
    "a2*(1 - a2)": lambda v: v["a2"] * (1 - v["a2"]),
    "sigmoid'(z2)": lambda v: sigmoid(v["z2"]) * (1 - sigmoid(v["z2"])),
    "tanh'(z1)": lambda v: 1 - math.tanh(v["z1"]) ** 2,
    "(1 - a1^2)": lambda v: 1 - v["a1"] ** 2,
    "(1 - a1)": lambda v: 1 - v["a1"],
    "-1": lambda v: -1,
}
RIGHT = {  # formulas as lists of factors
    "dL/dz2": (["dL/da2", "da2/dz2"], ["2*(a2 - y)", "a2*(1 - a2)"], ["dL/da2", "sigmoid'(z2)"]),
    "dL/dw2": (["dL/dz2", "a1"], ["dL/da2", "da2/dz2", "dz2/dw2"], ["2*(a2 - y)", "sigmoid'(z2)", "a1"]),
    "dL/dz1": (["dL/dz2", "w2", "(1 - a1^2)"], ["dL/da2", "da2/da1", "da1/dz1"], ["dL/dz2", "dz2/da1", "tanh'(z1)"]),
    "dL/dw1": (["dL/dz1", "x"], ["2*(a2 - y)", "a2*(1 - a2)", "w2", "(1 - a1^2)", "x"], ["dL/dz2", "w2", "da1/dz1", "x"]),
    "da2/da1": (["da2/dz2", "w2"], ["sigmoid'(z2)", "dz2/da1"]),
}


def mutated(rng: random.Random, factors: list[str]) -> list[str]:
    """Leave out, put in, exchange or double one factor, or leave all as it is."""
    kind, at = rng.randrange(5), rng.randrange(len(factors))
    other = rng.choice(list(FACTORS))
    made = {0: factors, 1: factors[:at] + factors[at + 1:], 2: [*factors, other], 3: [*factors[:at], other, *factors[at + 1:]],
            4: [*factors, factors[at]]}[kind]
    made = list(made) or ["x"]
    rng.shuffle(made)
    return made


@pytest.mark.parametrize("seed", range(6))
def test_formulas_have_the_mark_that_numbers_confirm(seed: int) -> None:
    rng = random.Random(seed)
    lines, equal = [], []
    for _ in range(12):
        name = rng.choice(list(RIGHT))
        factors = mutated(rng, list(rng.choice(RIGHT[name])))
        lines.append(f"{name} = " + " * ".join(f"({f})" if f == "-1" else f for f in factors))
        gaps = [abs(math.prod(FACTORS[f](v) for f in factors) - v[name]) for v in POINTS]
        equal.append(max(gaps) < 1e-12)
        assert equal[-1] or max(gaps) > 1e-6  # the points tell them apart
    found = {j.line: j.mark for j in judge_page("\n".join(lines), network()).judged if j.mark is not Mark.GIVEN}
    for k, same in enumerate(equal, 1):
        if k in found:
            assert found[k] is (Mark.RIGHT if same else Mark.WRONG), lines[k - 1]
    assert len(found) > 8
