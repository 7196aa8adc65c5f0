"""Arrays under partial functions, cases and index domains: no answer that is right is refuted, none that is wrong is proved.

The gradient of sum(q * f(x, y, …)) in q is f. An answer is right where L has a value, entry by entry, by mpmath at exact points.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from soundness import partial
from soundness.trees import Tree, variables

import symnet as sn
from symnet.core.axes import Axis
from symnet.core.derivation import Derivation
from symnet.core.tensors import Role, Tensor
from symnet.core.verdict import Answer, Verdict
from symnet.errors import SymnetError

INDEX = Tensor("k", (Axis.of("n"),), "index", Role.INPUT, classes=partial.sp.Integer(4))
TENSORS = dict.fromkeys(("q", "x", "y", "c"), ("n",)) | {"k": INDEX}
GRID = partial.points(24, seed=5)


def derivation(truth: Tree) -> Derivation:
    return sn.derive(sn.program(f"L = sum(q*({partial.written(truth)}))", tensors=TENSORS), wrt=["q"])


def wrong(verdict: Verdict, answer: Tree, truth: Tree) -> str:
    """Why the verdict is wrong, or ""."""
    kind = verdict.answer
    if kind is Answer.UNDECIDED:
        return ""
    if kind is Answer.REFUTED:
        return refuted_wrongly(verdict, answer, truth)
    for point in GRID:
        right = partial.entries(truth, point)
        if None in right or not met(verdict, point):
            continue
        mine = partial.entries(answer, point)
        if any(a is None or differ(a, b) for a, b in zip(mine, right, strict=True)):
            return f"{verdict}, but at {point}: {mine}, right is {right}"
    return ""


def met(verdict: Verdict, point: dict[str, list[Fraction]]) -> bool:
    if verdict.answer is Answer.CONDITIONAL:
        return partial.holds(verdict.condition, point)
    if verdict.answer is Answer.ALMOST_EVERYWHERE:
        return all(partial.holds(e.removesuffix(" = 0") + " != 0", point) for e in verdict.condition.removeprefix("except where ").split(" or "))
    return True


def differ(a: Any, b: Any) -> bool:
    return bool(abs(a - b) > mpmath.mpf(10) ** -40)


def refuted_wrongly(verdict: Verdict, answer: Tree, truth: Tree) -> str:
    """The two must differ at the witness, and where they differ must be more than points; so must they nearby."""
    if verdict.witness is None:
        return "refuted without a witness"
    given = {name: Fraction(number) for name, number in verdict.witness.point}
    stated = re.search(r"n = (\d+)", verdict.scope)  # entries that the witness leaves out may be anything, but they are there
    size = int(stated[1]) if stated else max(int(name.rpartition("_")[2]) for name in given) if given else partial.SIZE
    for others in (Fraction(1, 3), Fraction(-1, 3), Fraction(2)):
        point = {name: [given.get(f"{name}_{i + 1}", others if name != "k" else Fraction(1)) for i in range(max(size, 1))] for name in "xyck"}
        if any(q.denominator != 1 or not 0 <= q <= 3 for q in point["k"]):
            return f"{verdict}: a class that there is not"
        right, mine = at_size(truth, point), at_size(answer, point)
        if any(b is None for b in right):
            continue
        if any(a is not None and differ(a, b) for a, b in zip(mine, right, strict=True)):
            return ""
    return f"{verdict}: no difference at the witness where L has a value"


def at_size(tree: Tree, point: dict[str, list[Fraction]]) -> list[Any]:
    before, partial.SIZE = partial.SIZE, len(point["x"])
    try:
        return partial.entries(tree, point)
    finally:
        partial.SIZE = before


def judged(count: int, seed: int) -> tuple[Counter[str], list[str]]:
    dice, kinds, faults = random.Random(seed), Counter[str](), []
    for truth, answer in partial.answers(dice, count):
        try:
            verdict = sn.check(partial.written(answer), derivation(truth), wrt="q")
        except SymnetError:
            kinds["refused"] += 1
            continue
        kinds[verdict.answer.value] += 1
        fault = wrong(verdict, answer, truth)
        if fault:
            faults.append(f"{partial.written(answer)} for {partial.written(truth)}: {fault}")
        right = all(not differ(a, b) for point in GRID for a, b in zip(partial.entries(answer, point), partial.entries(truth, point), strict=True)
                    if a is not None and b is not None)
        if right and verdict.answer is Answer.REFUTED and not fault and len(variables(answer)) < 3:
            faults.append(f"{partial.written(answer)} for {partial.written(truth)}: {verdict}, though no difference was found")
    return kinds, faults


def test_no_verdict_on_partial_functions_is_wrong() -> None:
    kinds, faults = judged(120, seed=1)
    assert not faults, faults[:3]
    assert kinds["conditional"] > 5 and kinds["refuted"] > 20 and kinds["proved"] > 10, kinds


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_verdict_of_a_thousand_on_partial_functions_is_wrong() -> None:
    kinds, faults = judged(1000, seed=2)
    print(kinds)
    assert not faults, faults[:5]


def test_the_oracle_of_domains_finds_a_wrong_proof() -> None:
    x, proved = partial.x, Verdict(Answer.PROVED)
    assert wrong(proved, partial.f("exp", partial.f("log", x)), x)
    assert not wrong(Verdict(Answer.CONDITIONAL, condition="x[i] > 0"), partial.f("exp", partial.f("log", x)), x)
    assert not wrong(proved, partial.f("abs", x), partial.power(partial.f("sqrt", x), 2))
    assert np.isclose(float(partial.entries(partial.mul(x, partial.S), GRID[5])[0]), float(GRID[5]["x"][0] * sum(GRID[5]["y"])))
