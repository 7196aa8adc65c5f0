"""``symnet.check`` on answers as text is never wrong either: networks with named intermediate values, and arrays."""

from __future__ import annotations

import random

import mpmath
import numpy as np
import pytest
from soundness import arrays
from soundness.checks import Count
from soundness.mutations import mutated
from soundness.oracle import points, wrong
from soundness.rewrites import rewritten
from soundness.trees import ZERO, Tree, add, div, f, mul, n, power, slope, sub, text, v, variables

import symnet as sn
from symnet.core.derivation import Derivation
from symnet.core.verdict import Answer
from symnet.errors import SymnetError

Lines = tuple[tuple[str, Tree], ...]


def named(inputs: int, hidden: int, outputs: int, activation: str) -> Lines:
    """A network with one hidden layer, a line for each value."""
    lines: list[tuple[str, Tree]] = []
    for j in range(1, hidden + 1):
        lines.append((f"z{j}", add(*[mul(v(f"w{j}{i}"), v(f"x{i}")) for i in range(1, inputs + 1)], v(f"b{j}"))))
        lines.append((f"a{j}", f(activation, v(f"z{j}"))))
    for k in range(1, outputs + 1):
        lines.append((f"q{k}", add(*[mul(v(f"u{k}{j}"), v(f"a{j}")) for j in range(1, hidden + 1)], v(f"c{k}"))))
        lines.append((f"p{k}", f("sigmoid", v(f"q{k}"))))
    return (*lines, ("L", div(add(ZERO, *[power(sub(v(f"p{k}"), v(f"y{k}")), 2) for k in range(1, outputs + 1)]), n(2))))


def folded(tree: Tree, lines: Lines) -> Tree:
    """The slope of a value as books write it: a(1 - a) where the line is a = sigmoid(z)."""
    for name, right in lines:
        tree = _put(tree, right, v(name))
    return tree


def _put(tree: Tree, old: Tree, new: Tree) -> Tree:
    return new if tree == old else tuple(_put(t, old, new) if isinstance(t, tuple) else t for t in tree)


def gradient(lines: Lines, wrt: str) -> Tree:
    """By the chain rule, last line first, in the names of the lines."""
    bars: dict[str, Tree] = {lines[-1][0]: n(1)}
    for name, right in reversed(lines):
        if name in bars:
            for inner in sorted(variables(right)):
                local = folded(slope(right, inner), lines)
                if local != ZERO:
                    part = mul(bars[name], local)
                    bars[inner] = add(bars[inner], part) if inner in bars else part
    return bars[wrt]


def written_out(tree: Tree, lines: Lines) -> Tree:
    """``tree`` in the inputs alone."""
    for name, right in reversed(lines):
        tree = _put(tree, v(name), right)
    return tree


NETS: dict[str, tuple[Lines, str]] = {
    "1-1-1 by w": (named(1, 1, 1, "sigmoid"), "w11"), "1-1-1 by u": (named(1, 1, 1, "tanh"), "u11"), "2-2-2 by w": (named(2, 2, 2, "sigmoid"), "w21"),
    "2-2-2 by u": (named(2, 2, 2, "tanh"), "u12"), "2-3-1 by w": (named(2, 3, 1, "softplus"), "w32"), "2-3-1 by b": (named(2, 3, 1, "relu"), "b2"),
}


def derivation_of(lines: Lines, wrt: str) -> Derivation:
    return sn.derive(sn.program(*[f"{name} = {text(right)}" for name, right in lines]), wrt=[wrt])


def judged(lines: Lines, wrt: str, each: int, seed: int) -> Count:
    made, truth = derivation_of(lines, wrt), gradient(lines, wrt)
    names = sorted(variables(written_out(lines[-1][1], lines)))
    grid, dice, found = points(names, frozenset()), random.Random(seed), Count()
    inner = sorted(variables(truth))
    for k in range(2 * each):
        tree, used = rewritten(truth, dice, frozenset(), dice.randint(1, 3))
        if k % 2:
            tree, slip = mutated(tree, dice, inner)
            used = [slip]
        try:
            verdict = sn.check(text(tree), made, wrt)
        except SymnetError:
            assert k % 2, text(tree)
            continue
        found.add(verdict, used, text(tree), wrong(verdict, written_out(tree, lines), written_out(truth, lines), grid))
        assert k % 2 or verdict.answer is not Answer.REFUTED, text(tree)
    return found


@pytest.mark.parametrize(("lines", "wrt"), NETS.values(), ids=NETS)
def test_answers_about_networks(lines: Lines, wrt: str) -> None:
    found = judged(lines, wrt, 6, seed=5)
    assert not found.wrong, found.wrong[:3]


@pytest.mark.slow
@pytest.mark.parametrize(("lines", "wrt"), NETS.values(), ids=NETS)
def test_many_answers_about_networks(lines: Lines, wrt: str) -> None:
    found = judged(lines, wrt, 60, seed=6)
    print(found)
    assert not found.wrong, found.wrong[:3]
    assert found.verdicts["undecided"] <= found.total / 50, found.open


IDS = [p.name for p in arrays.PROBLEMS]


@pytest.mark.parametrize("problem", arrays.PROBLEMS, ids=IDS)
def test_the_right_answers_for_arrays_are_right(problem: arrays.ArrayProblem) -> None:
    with mpmath.workdps(60):
        given = arrays.inputs(problem, 1)
        known = arrays.valued(problem, given)
        assert _differ(arrays.value(problem.truth, known), arrays.slope_by_differences(problem, given, mpmath.mpf(10) ** -20)) is False


def _differ(a: object, b: object) -> bool:
    off = np.max(np.abs(np.asarray(a, dtype=object) - np.asarray(b, dtype=object)))
    return bool(off > mpmath.mpf(10) ** -30)


def _arrays(problem: arrays.ArrayProblem, each: int, seed: int) -> Count:
    lines = [f"{name} = {arrays.text(right)}" for name, right in problem.lines]
    made = sn.derive(sn.program(*lines, tensors=problem.shapes), wrt=[problem.wrt])
    dice, found = random.Random(seed), Count()
    for k in range(2 * each):
        tree = arrays.changed(arrays.changed(problem.truth, dice), dice) if k % 2 else arrays.slipped(problem.truth, dice)
        verdict = sn.check(arrays.text(tree), made, problem.wrt)
        with mpmath.workdps(60):
            differ = any(_differ(*[arrays.value(t, known) for t in (tree, problem.truth)])
                         for s in (1, 2) for known in [arrays.valued(problem, arrays.inputs(problem, s))])
        fault = differ != (verdict.answer is Answer.REFUTED) and verdict.answer is not Answer.UNDECIDED
        found.add(verdict, ["slip" if k % 2 == 0 else "rewriting"], arrays.text(tree), f"{verdict}, but the values {'differ' if differ else 'agree'}"
                  if fault else "")
    return found


@pytest.mark.parametrize("problem", arrays.PROBLEMS, ids=IDS)
def test_answers_that_are_arrays(problem: arrays.ArrayProblem) -> None:
    found = _arrays(problem, 4, seed=7)
    assert not found.wrong, found.wrong[:3]


@pytest.mark.slow
@pytest.mark.parametrize("problem", arrays.PROBLEMS, ids=IDS)
def test_many_answers_that_are_arrays(problem: arrays.ArrayProblem) -> None:
    found = _arrays(problem, 15, seed=8)
    print(found)
    assert not found.wrong, found.wrong[:3]
    assert found.verdicts["undecided"] <= found.total / 50, found.open
