r"""Answers in LaTeX: which texts are LaTeX, what was understood is said back in plain maths, what cannot be read is told. Verdicts: test_answers."""

from __future__ import annotations

from functools import cache

import pytest

import symnet as sn
from symnet.checking.answers import check_answer
from symnet.checking.reading import is_latex
from symnet.checking.worksheet_answers import judge, judge_simplified
from symnet.core.derivation import Derivation
from symnet.core.verdict import Answer


@cache
def squares() -> Derivation:
    shapes = {"X": ("N", "d"), "w": ("d",), "y": ("N",)}
    return sn.derive(sn.program("r = X @ w - y", "L = sum(r**2)/N", tensors=shapes), wrt=["w", "y", "X"])


@pytest.mark.parametrize("latex", [r"\frac{\partial L}{\partial w}", r"\nabla_w L"])
def test_the_gradient_itself_is_no_answer(latex: str) -> None:
    assert judge({"id": "A1", "wrt": "w", "latex": latex}, squares()).verdict.answer is Answer.UNDECIDED


@pytest.mark.parametrize("latex", [r"\input{x}", r"\frac{1}{", "", r"q X^{\top} r"])
def test_what_cannot_be_read_is_undecided_with_the_place(latex: str) -> None:
    verdict = judge({"id": "A1", "wrt": "w", "latex": latex}, squares()).verdict
    assert verdict.answer is Answer.UNDECIDED and "answer A1, column" in verdict.reason


def test_two_columns_of_different_lengths_have_no_product() -> None:
    verdict = judge({"id": "A1", "wrt": "w", "latex": r"X^T Xw y"}, squares()).verdict
    assert verdict.answer is Answer.REFUTED and "two columns side by side" in verdict.reason


@pytest.mark.parametrize(("text", "wanted"), [(r"\frac{1}{2}", True), ("w_{ij}^{(1)}", True), ("$x$", True), ("2*X.T @ r/N", False), ("X^T (X w - y)", False),
                                              ("w_{1}", False)])
def test_the_looks_tell_latex_from_plain_maths(text: str, wanted: bool) -> None:
    assert is_latex(text) is wanted


@pytest.mark.parametrize("latex", [r"\frac{2}{N} X^{\top} \left(X w - y\right)", r"\frac{\partial L}{\partial w_j} = \frac{2}{N} \sum_{n=1}^{N} x_{nj} r_n"])
def test_what_was_understood_is_said_back(latex: str) -> None:
    result = judge({"id": "A1", "wrt": "w", "latex": latex}, squares())
    assert result.verdict.answer is Answer.PROVED, result.verdict
    assert result.read_as and "\\" not in result.read_as and "_k" not in result.read_as


def test_check_reads_both() -> None:
    assert check_answer(r"\frac{2}{N} X^{\top} r", squares(), "w").answer is Answer.PROVED
    assert sn.check("2/N*X.T @ r", squares(), "w").answer is Answer.PROVED


def test_an_answer_to_simplify_may_be_latex() -> None:
    made = sn.derive(sn.program("L = sqrt(x**2)", tensors={"x": ()}), wrt=["x"])
    assert judge_simplified({"id": "A1", "latex": r"\left|x\right|"}, made).verdict.holds
    assert not judge_simplified({"id": "A2", "latex": "x"}, made).verdict.holds
