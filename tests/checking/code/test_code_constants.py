"""Numbers in code are read exactly, and what was rounded on the way refutes nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from flint import fmpq

import symnet as sn
from symnet.checking.code.constants import constant
from symnet.checking.code.nodes import Graph, Node, tracing
from symnet.checking.code.values import needed, values
from symnet.core.decimals import as_ball
from symnet.core.verdict import Answer

CUBE = sn.derive(sn.program("L = w**2"), wrt=["w"])


def read(x: Any) -> tuple[Node, Graph]:
    with tracing(Graph()) as graph:
        return constant(x), graph


@pytest.mark.parametrize(("x", "value"), [
    (0.1, fmpq(1, 10)), (1e-5, fmpq(1, 100000)), (0.044715, fmpq(44715, 10**6)), (3, fmpq(3)), (np.int64(-2), fmpq(-2)), (2.0, fmpq(2)),
    (1 / 3, fmpq(1, 3)), (2 / 7, fmpq(2, 7)), (1 / 3 * 5, fmpq(5, 3)), (0.1 + 0.2, fmpq(3, 10)), (-1 / 12, fmpq(-1, 12)),
    (np.float32(0.25), fmpq(1, 4)),
])
def test_a_float_is_the_number_it_stands_for(x: Any, value: fmpq) -> None:
    node, _ = read(x)
    assert node.op == "num" and node.value == value


@pytest.mark.parametrize("x", [2**0.5, 3**-0.5, -(7**0.5), math.pi, math.pi / 4, math.sqrt(2 / math.pi), 1 / math.sqrt(2 * math.pi), math.log(2),
                               1 / math.log(2), 5 / math.log(10)])
def test_roots_pi_and_logarithms_are_known_again(x: float) -> None:
    node, graph = read(x)
    assert "about" not in [a.op for a in needed([node])] and len(graph.notes) == 1
    value = as_ball(values(needed([node]), {})[node])
    assert abs(float(value.mid()) - x) < 1e-15 * max(1, abs(x)) * 4 and float(value.rad()) < 1e-40


def test_a_constant_that_was_computed_is_proved_for_all_sizes() -> None:
    shapes: dict[str, Any] = {"z": ("n",), "c": ("n",)}
    d = sn.derive(sn.program("L = sum(c*tanh(sqrt(2/pi)*z))", tensors=shapes), wrt="z")

    def right(z: Any, c: Any) -> Any:
        return c * np.sqrt(2 / np.pi) * (1 - np.tanh(np.sqrt(2 / np.pi) * z) ** 2)

    found = sn.check_code(right, d)["z"].verdict
    assert (found.answer, found.scope) == (Answer.PROVED, "for all sizes")
    assert sn.check_code(lambda z, c: right(z, c) * 1.0000001, d)["z"].verdict.answer is Answer.REFUTED


def test_what_is_like_nothing_is_known_up_to_its_rounding() -> None:
    node, graph = read(math.sin(1))
    assert node.op == "about" and "up to its rounding" in next(iter(graph.notes))


def test_a_rounded_number_that_cancels_is_proved() -> None:
    odd = math.sin(1)
    assert sn.check_code(lambda w: (w * odd) * 2 / odd, CUBE)["w"].verdict.answer is Answer.PROVED


def test_a_rounded_number_refutes_nothing_within_its_rounding() -> None:
    odd = math.sin(1)
    found = sn.check_code(lambda w: w * (odd**2 + math.cos(1) ** 2) * 2, CUBE)["w"].verdict
    assert found.answer in (Answer.PROVED, Answer.UNDECIDED)
    assert sn.check_code(lambda w: w * 2 * (odd + 0.1585291), CUBE)["w"].verdict.answer is Answer.REFUTED


@pytest.mark.parametrize("near", [2.0001, 1.9999999, 2 + 1e-11])
def test_a_near_miss_is_refuted(near: float) -> None:
    assert sn.check_code(lambda w: near * w, CUBE)["w"].verdict.answer is Answer.REFUTED


def test_readings_are_told() -> None:
    assert sn.check_code(lambda w: w * (1 / 3) * 6, CUBE).notes == ("0.3333333333333333 read as 1/3",)
    assert "note: 0.3333333333333333 read as 1/3" in str(sn.check_code(lambda w: w * (1 / 3) * 6, CUBE))
