"""NumPy functions that have a form for all sizes: proved there, and their slips sought in the formulas of their own lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn

LINES = ["r = 1/sqrt(sum(x**2, axis=1)/d + e)", "y = x*r[:,None]*w", "L = sum(G*y)"]
NORM = sn.derive(sn.program(LINES, tensors={"x": ("N", "d"), "w": "d", "e": (), "G": ("N", "d")}), wrt=["x", "w"])


def right(x: Any, w: Any, e: Any, G: Any) -> Any:
    r = 1 / np.sqrt((x**2).mean(1, keepdims=True) + e)
    h, d = x * r, G * w
    return {"x": r * (d - h * (d * h).mean(1, keepdims=True)), "w": (G * h).sum(0)}


def without_weight(x: Any, w: Any, e: Any, G: Any) -> Any:
    r = 1 / np.sqrt((x**2).mean(1, keepdims=True) + e)
    h = x * r
    return {"x": r * (G - h * (G * h).mean(1, keepdims=True)), "w": (G * h).sum(0)}


def test_what_a_root_of_the_code_asks_for_is_known_of_the_loss() -> None:
    assert {j.verdict.scope for j in sn.check_code(right, NORM).judged} == {"for all sizes"}


def test_a_forgotten_weight_is_named() -> None:
    found = {j.name: j for j in sn.check_code(without_weight, NORM).judged}
    assert found["x"].slip is not None and found["x"].slip.kind == "missing factor" and "w[" in found["x"].slip.message
    assert found["w"].verdict.holds


@pytest.mark.parametrize("answer, kind", [
    ("-p*(log(y) - sum(p*log(y)))", "arguments exchanged"), ("p*(log(y) - sum(p*log(y)))", "arguments exchanged, sign"), ("p - y", "hidden assumption")])
def test_a_reversed_cross_entropy_is_named(answer: str, kind: str) -> None:
    d = sn.derive(sn.program(["p = softmax(z)", "L = -sum(y*log(p))"], tensors={"z": "k", "y": "k"}), wrt="z")
    found = sn.diagnose(answer, d, "z")
    assert found is not None and found.kind == kind
