"""Answers that are right by an identity of numbers under a sum: proved for all sizes, as a user asks."""

from __future__ import annotations

import pytest

import symnet as sn

ANSWERS = [
    ("w*sum(sin(x)**2 + cos(x)**2)", "n", "proved (for all sizes)"),
    ("w*sum(tanh(x) - (2*sigmoid(2*x) - 1))", "0", "proved (for all sizes)"),
    ("w*sum(relu(x) - relu(-x))", "sum(x)", "proved (for all sizes)"),
    ("w*log(sum(abs(x)))", "log(sum(relu(x) + relu(-x)))", "for all sizes"),
    ("w*mean(maximum(x, y))", "mean(x + y + abs(x - y))/2", "proved (for all sizes)"),
    ("w*sum(relu(x) + relu(-x))", "sum(x)", "refuted"),
    ("w*sum(sin(x)**2 + cos(x)**2)", "2*n", "refuted"),
]


@pytest.mark.parametrize(("objective", "answer", "said"), ANSWERS)
def test_a_sum_is_judged_by_its_terms(objective: str, answer: str, said: str) -> None:
    d = sn.derive(sn.program(f"L = {objective}", tensors={"w": (), "x": ("n",), "y": ("n",)}), wrt=["w"])
    assert said in str(sn.check(answer, d, wrt="w"))
