r"""Answers in LaTeX are judged like answers in plain maths, and what was understood is said back in plain maths."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

import symnet as sn
from symnet.checking.answers import check_answer
from symnet.checking.reading import is_latex
from symnet.checking.tasks import judge, judge_simplified
from symnet.core.derivation import Derivation
from symnet.core.verdict import Answer


@cache
def squares() -> Derivation:
    shapes = {"X": ("N", "d"), "w": ("d",), "y": ("N",)}
    return sn.derive(sn.program("r = X @ w - y", "L = sum(r**2)/N", tensors=shapes), wrt=["w", "y", "X"])


@cache
def first() -> Derivation:
    return sn.load("first")


@cache
def softmax() -> Derivation:
    return sn.load("softmax-regression")


RIGHT: dict[str, tuple[Callable[[], Derivation], str, str]] = {
    "scalar": (first, "w2", r"2\left(a_2 - y\right) a_2 \left(1 - a_2\right) a_1"),
    "scalar, slope of sigmoid": (first, "w2", r"2(a_{2}-y)\sigma'(z_{2})a_{1}"),
    "scalar, chain": (first, "w2", r"\frac{\partial L}{\partial a_2} a_2 (1 - a_2) a_1"),
    "scalar, d for the slope": (first, "w2", r"\frac{dL}{dz_2} a_1"),
    "scalar, everything put in": (first, "b2", r"\frac{2 (a_2 - y) e^{-z_2}}{\left(1 + e^{-z_2}\right)^2}"),
    "scalar, with a left side": (first, "w2", r"\frac{\partial L}{\partial w_2} = 2(a_2 - y) a_2 (1 - a_2) a_1"),
    "least squares": (squares, "w", r"\frac{2}{N} X^{\top} \left(X w - y\right)"),
    "least squares, with dollars": (squares, "w", r"$\frac2N X^T (Xw - y)$"),
    "least squares, through r": (squares, "w", r"X^{\top} \frac{\partial L}{\partial r}"),
    "least squares, row by row": (squares, "w", r"\frac{\partial L}{\partial w_j} = \frac{2}{N} \sum_{n=1}^{N} x_{nj} \left(\sum_{i=1}^{d} x_{ni} w_i - y_n\right)"),
    "least squares, inputs": (squares, "X", r"\frac{2}{N} r w^{\top}"),
    "softmax, weights": (softmax, "W1", r"X^{\top} D_{1}"),
    "softmax, biases": (softmax, "b1", r"D_{1}^{\top} \mathbf{1}"),
}


@pytest.mark.parametrize(("make", "wrt", "latex"), RIGHT.values(), ids=RIGHT)
def test_right_answers_are_proved(make: Callable[[], Derivation], wrt: str, latex: str) -> None:
    result = judge({"id": "A1", "wrt": wrt, "latex": latex}, make())
    assert result.verdict.answer is Answer.PROVED, result.verdict
    assert result.read_as and "\\" not in result.read_as and "_k" not in result.read_as


WRONG: dict[str, tuple[Callable[[], Derivation], str, str]] = {
    "slope at a for slope at z": (first, "w2", r"2(a_2 - y) \sigma'(a_2) a_1"),
    "neighbour": (first, "w2", r"2(a_2 - y) a_2 (1 - a_2) a_2"),
    "factor 2": (squares, "w", r"\frac{1}{N} X^{\top} (X w - y)"),
    "transposed": (squares, "X", r"\frac{2}{N} w r^{\top}"),
    "one index wrong": (squares, "w", r"\frac{\partial L}{\partial w_j} = \frac{2}{N} \sum_{n=1}^{N} x_{nj} y_n"),
    "sum over the wrong axis": (softmax, "b1", r"D_{1} \mathbf{1}"),
}


@pytest.mark.parametrize(("make", "wrt", "latex"), WRONG.values(), ids=WRONG)
def test_wrong_answers_are_refuted(make: Callable[[], Derivation], wrt: str, latex: str) -> None:
    assert judge({"id": "A1", "wrt": wrt, "latex": latex}, make()).verdict.answer is Answer.REFUTED


def test_an_assumption_is_named() -> None:
    verdict = judge({"id": "A1", "wrt": "W1", "latex": r"\frac{1}{N} X^{\top} (P - Y)"}, softmax()).verdict
    assert verdict.answer is Answer.CONDITIONAL and "Y" in verdict.condition


@pytest.mark.parametrize("latex", [r"\frac{\partial L}{\partial w}", r"\nabla_w L"])
def test_the_gradient_itself_is_no_answer(latex: str) -> None:
    assert judge({"id": "A1", "wrt": "w", "latex": latex}, squares()).verdict.answer is Answer.UNDECIDED


@pytest.mark.parametrize("latex", [r"\input{x}", r"\frac{1}{", "", r"X^T Xw y", r"q X^{\top} r"])
def test_what_cannot_be_read_is_undecided_with_the_place(latex: str) -> None:
    verdict = judge({"id": "A1", "wrt": "w", "latex": latex}, squares()).verdict
    assert verdict.answer is Answer.UNDECIDED and "answer A1, column" in verdict.reason


@pytest.mark.parametrize(("text", "wanted"), [(r"\frac{1}{2}", True), ("w_{ij}^{(1)}", True), ("$x$", True), ("2*X.T @ r/N", False), ("X^T (X w - y)", False),
                                              ("w_{1}", False)])
def test_the_looks_tell_latex_from_plain_maths(text: str, wanted: bool) -> None:
    assert is_latex(text) is wanted


def test_check_reads_both() -> None:
    assert check_answer(r"\frac{2}{N} X^{\top} r", squares(), "w").answer is Answer.PROVED
    assert sn.check("2/N*X.T @ r", squares(), "w").answer is Answer.PROVED


def test_an_answer_to_simplify_may_be_latex() -> None:
    made = sn.derive(sn.program("L = sqrt(x**2)", tensors={"x": ()}), wrt=["x"])
    assert judge_simplified({"id": "A1", "latex": r"\left|x\right|"}, made).verdict.holds
    assert not judge_simplified({"id": "A2", "latex": "x"}, made).verdict.holds
