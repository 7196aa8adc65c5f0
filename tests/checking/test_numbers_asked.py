"""Answers that are numbers: decided in names, remembered, and the same whatever was asked before. Oracle: Python's own arithmetic."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import pytest
import sympy as sp

import symnet as sn
from symnet.checking.answers import check_answer
from symnet.core.derivation import Derivation
from symnet.core.verdict import Answer

LINES = ("z = w*x + b", "a = sigmoid(z)", "L = (a - y)**2")
LEFT = ("2*(a-y)", "(a-y)*2", "-2*(y-a)", "(a-y)", "2*(y-a)", "2*(a+y)", "dL/da", "2*(sigmoid(w*x+b)-y)")
MIDDLE = ("a*(1-a)", "(a - a**2)", "a", "(1-a)", "a*(1+a)", "sigmoid(z)*(1-a)", "exp(-z)*a**2", "1/(2+exp(z)+exp(-z))")
RIGHT = ("x", "w", "1", "x*b/b", "(z-b)/w")
TEXTS = [f"{a}*{b}*{c}" for a, b, c in itertools.product(LEFT, MIDDLE, RIGHT)]
SAMPLE = random.Random(5).sample(TEXTS, 120)


def net() -> Derivation:
    return sn.derive(sn.program(*LINES), wrt=["w", "b"])


NET = net()


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def values(w: float, x: float, b: float, y: float) -> dict[str, float]:
    z = w * x + b
    a = sigmoid(z)
    return {"w": w, "x": x, "b": b, "y": y, "z": z, "a": a, "dLda": 2 * (a - y)}


def evaluated(text: str, at: dict[str, float]) -> float:
    return float(eval(text.replace("dL/da", "dLda"), {"exp": math.exp, "sigmoid": sigmoid, **at}))  # noqa: S307 - the table's own texts


def gradient(at: dict[str, float]) -> float:
    def loss(w: float) -> float:
        return (sigmoid(w * at["x"] + at["b"]) - at["y"]) ** 2
    return (loss(at["w"] + 1e-5) - loss(at["w"] - 1e-5)) / 2e-5


@pytest.mark.parametrize("text", SAMPLE)
def test_an_answer_holds_where_its_numbers_are_the_slope(text: str) -> None:
    dice = random.Random(3)
    points = [values(*[dice.uniform(0.3, 1.7) for _ in "wxby"]) for _ in range(4)]
    right = all(abs(evaluated(text, at) - gradient(at)) < 1e-8 for at in points)
    found = check_answer(text, NET, "w")
    assert found.answer in ((Answer.PROVED, Answer.ALMOST_EVERYWHERE) if right else (Answer.REFUTED,)), found
    if found.witness is not None:
        at = values(*[float(Fraction(dict(found.witness.point).get(n, "1"))) for n in "wxby"])
        assert abs(evaluated(text, at) - float(found.witness.left)) < 1e-6
        assert abs(gradient(at) - float(found.witness.right)) < 1e-6


def test_what_was_asked_before_changes_nothing() -> None:
    first = [str(check_answer(t, NET, "w")) for t in SAMPLE[:40]]
    again, turned = net(), net()
    assert [str(check_answer(t, again, "w")) for t in SAMPLE[:40]] == first
    assert [str(check_answer(t, turned, "w")) for t in reversed(SAMPLE[:40])] == first[::-1]


def test_each_name_and_each_derivation_has_its_own_answer() -> None:
    other = sn.derive(sn.program("z = w*x + b", "a = sigmoid(z)", "L = (a - y)**2/2"), wrt=["w", "b"])
    text = "2*(a-y)*a*(1-a)*x"
    for _ in range(2):
        assert check_answer(text, NET, "w").answer is Answer.PROVED
        assert check_answer(text, NET, "b").answer is Answer.REFUTED
        assert check_answer(text, other, "w").answer is Answer.REFUTED


def test_a_text_is_read_as_what_it_is_said_to_be() -> None:
    made = sn.derive(sn.program("L = exp(x)*y"), wrt=["x"])
    for _ in range(2):
        assert check_answer("e^xy", made, "x", latex=True).answer is Answer.PROVED  # LaTeX raises one letter
        assert check_answer("e^xy", made, "x", latex=False).answer is Answer.REFUTED


def test_given_numbers_are_those_of_now() -> None:
    sheet = net()
    given = {"w": 1, "x": 2, "b": 1, "y": 1}
    sheet.values.update({n: sp.Integer(v) for n, v in given.items()})
    first = check_answer("2*(a-1)*a*(1-a)*x", sheet, "w")
    assert first.answer is Answer.CONDITIONAL and first.condition == "y = 1"
    sheet.values["y"] = sp.Integer(3)
    assert check_answer("2*(a-1)*a*(1-a)*x", sheet, "w").answer is Answer.REFUTED


@pytest.mark.parametrize(("domain", "text", "answer"), [
    ("positive", "abs(x)", Answer.PROVED), ("real", "abs(x)", Answer.REFUTED), ("{0, 1}", "x**2", Answer.PROVED), ("real", "x**2", Answer.REFUTED),
    ("(0, 1)", "x", Answer.PROVED), ("nonzero", "x**2/x", Answer.PROVED), ("real", "x**2/x", Answer.ALMOST_EVERYWHERE)])
def test_domains_are_honoured(domain: str, text: str, answer: Answer) -> None:
    made = sn.derive(sn.program("L = w*x", tensors={"w": (), "x": sn.Tensor("x", domain=domain)}), wrt=["w"])
    assert check_answer(text, made, "w").answer is answer
