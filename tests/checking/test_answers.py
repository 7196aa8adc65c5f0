"""Answers for gradients: right ones are proved, wrong ones never are; assumptions make a verdict conditional."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

import pytest

import symnet as sn
from symnet.checking.answers import check_answer
from symnet.core.derivation import Derivation
from symnet.core.verdict import Answer
from symnet.errors import NameError_, ParseError, SymnetError


@cache
def squares() -> Derivation:
    shapes = {"X": ("N", "d"), "w": ("d",), "y": ("N",)}
    return sn.derive(sn.program("r = X @ w - y", "L = sum(r**2)/N", tensors=shapes), wrt=["w", "y", "X"])


@cache
def layer() -> Derivation:
    shapes = {"X": ("N", "d"), "W": ("d", "h"), "Y": ("N", "h")}
    return sn.derive(sn.program("Z = X @ W", "A = tanh(Z)", "L = sum((A - Y)**2)/2", tensors=shapes), wrt=["W", "X", "Y"])


@cache
def first() -> Derivation:
    return sn.load("first")


@cache
def softmax() -> Derivation:
    return sn.load("softmax-regression")


RIGHT: dict[str, tuple[Callable[[], Derivation], str, str]] = {
    "scalar, with names": (first, "w2", "2*(a2 - y)*a2*(1 - a2)*a1"),
    "scalar, multiplied out": (first, "b2", "2*a2**2 - 2*a2*y - 2*a2**3 + 2*a2**2*y"),
    "scalar, with sigmoid written": (first, "b2", "2*(a2 - y)*sigmoid(z2)*(1 - sigmoid(z2))"),
    "scalar, with exp": (first, "b2", "2*(a2 - y)*exp(-z2)/(1 + exp(-z2))**2"),
    "scalar, everything put in": (first, "b2", "2*(sigmoid(w2*sigmoid(w1*x + b1) + b2) - y)*a2*(1 - a2)"),
    "scalar, long chain": (first, "w1", "2*(a2 - y)*a2*(1 - a2)*w2*a1*(1 - a1)*x"),
    "least squares": (squares, "w", "(2/N)*X.T @ (X @ w - y)"),
    "least squares, with r": (squares, "w", "2/N*X.T @ r"),
    "least squares, row form": (squares, "w", "2/N*r @ X"),
    "least squares, multiplied out": (squares, "w", "2/N*(X.T @ X @ w - X.T @ y)"),
    "least squares, textbook": (squares, "w", "2/N X^T (X w - y)"),
    "least squares, as a sum": (squares, "w", "2/N*sum(X*outer(r, w/w), axis=0)"),
    "least squares, targets": (squares, "y", "-2*r/N"),
    "least squares, inputs": (squares, "X", "2/N*outer(r, w)"),
    "layer, weights": (layer, "W", "X.T @ ((A - Y)*(1 - A**2))"),
    "layer, inputs": (layer, "X", "((A - Y)*(1 - A**2)) @ W.T"),
    "layer, targets": (layer, "Y", "Y - A"),
    "softmax, no assumption needed": (softmax, "W1", "X.T @ (p*sum(Y, axis=1, keepdims=True) - Y)/N"),
}
LATEX: dict[str, tuple[Callable[[], Derivation], str, str]] = {
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
PROVED = {Answer.PROVED, Answer.ALMOST_EVERYWHERE}


@pytest.mark.parametrize(("make", "wrt", "text"), [pytest.param(*row, id=name) for table in (RIGHT, LATEX) for name, row in table.items()])
def test_a_right_answer_holds(make: Callable[[], Derivation], wrt: str, text: str) -> None:
    verdict = check_answer(text, make(), wrt)
    assert verdict.answer in PROVED
    assert verdict.holds or "w/w" in text  # w/w is 1 except where w = 0


def mutants(text: str) -> Iterator[tuple[str, str]]:
    """(what was done, another text): one slip each, as people make them."""
    yield "sign flipped", f"-({text})"
    yield "taken twice", f"2*({text})"
    yield "one too many", f"({text}) + 1"
    for k, match in enumerate(re.finditer(r"\b2/N\b|\b2\*(?=[(r])", text)):
        one = "1*" if "*" in match.group() else "1"
        yield f"factor {match.group()} dropped ({k})", text[:match.start()] + one + text[match.end():]
    for k, match in enumerate(re.finditer(r"(?<=[a-zA-Z)]) - (?=[a-zA-Z(])", text)):
        yield f"minus made plus ({k})", text[:match.start()] + " + " + text[match.end():]
    for k, match in enumerate(re.finditer(r"\(1 - (\w+)\)", text)):
        yield f"{match.group()} dropped ({k})", text[:match.start()] + "1" + text[match.end():]
    for k, match in enumerate(re.finditer(r"\*(a1|w2|x)(?![\w(])", text)):
        yield f"{match.group()} dropped ({k})", text[:match.start()] + text[match.end():]
    for k, match in enumerate(re.finditer(r"\*\*2", text)):
        yield f"square dropped ({k})", text[:match.start()] + text[match.end():]
    for k, match in enumerate(re.finditer(r"\.T\b", text)):
        yield f"transpose dropped ({k})", text[:match.start()] + text[match.end():]


SLIPS: dict[str, tuple[Callable[[], Derivation], str, str]] = {
    "slope at a for slope at z": (first, "w2", r"2(a_2 - y) \sigma'(a_2) a_1"),
    "neighbour": (first, "w2", r"2(a_2 - y) a_2 (1 - a_2) a_2"),
    "factor 2": (squares, "w", r"\frac{1}{N} X^{\top} (X w - y)"),
    "transposed": (squares, "X", r"\frac{2}{N} w r^{\top}"),
    "one index wrong": (squares, "w", r"\frac{\partial L}{\partial w_j} = \frac{2}{N} \sum_{n=1}^{N} x_{nj} y_n"),
    "sum over the wrong axis": (softmax, "b1", r"D_{1} \mathbf{1}"),
}
WRONG = [pytest.param(make, wrt, changed, id=f"{name}: {what}")
         for name, (make, wrt, text) in RIGHT.items() for what, changed in mutants(text)]
WRONG += [pytest.param(*row, id=f"{name}: in LaTeX") for name, row in SLIPS.items()]


@pytest.mark.parametrize(("make", "wrt", "text"), WRONG)
def test_a_wrong_answer_is_refuted(make: Callable[[], Derivation], wrt: str, text: str) -> None:
    try:
        verdict = check_answer(text, make(), wrt)
    except SymnetError as error:  # shapes that do not fit have no value to judge
        assert error.code == "shape" and "\n" not in str(error)
        return
    assert verdict.answer not in PROVED
    if make is not softmax:
        assert verdict.answer is Answer.REFUTED
        assert verdict.witness is not None or verdict.method == "shape"


def test_there_are_mutants_of_every_kind() -> None:
    kinds = {re.sub(r" \(\d+\)|.*: ", "", p.id or "") for p in WRONG}
    assert {"sign flipped", "square dropped", "transpose dropped", "minus made plus"} <= kinds
    assert len(WRONG) > 80


def test_a_factor_that_is_one_at_a_small_size_is_still_missed() -> None:
    # 2/N is 1 at N = 2: one choice of sizes would not see it
    assert check_answer("X.T @ r", squares(), "w").answer is Answer.REFUTED
    assert check_answer("2/3*X.T @ r", squares(), "w").answer is Answer.REFUTED


def test_a_refuted_answer_has_a_point_that_shows_it() -> None:
    verdict = check_answer("2*(a2 - y)*a2*(1 - a2)", first(), "w2")  # the factor a1 left out
    assert verdict.witness is not None
    assert verdict.witness.left != verdict.witness.right
    assert {name for name, _ in verdict.witness.point} == {"x", "w1", "b1", "w2", "b2", "y"}


def test_a_tensor_is_refuted_at_an_entry_and_sizes_that_are_told() -> None:
    verdict = check_answer("X.T @ (A - Y)", layer(), "W")
    assert verdict.condition == "entry (1, 1)"
    assert verdict.scope.startswith("at sizes N = 3, d = 2, h = 4")


def test_scalars_are_decided_without_a_scope() -> None:
    assert check_answer(RIGHT["scalar, with names"][2], first(), "w2").scope == ""


def test_all_points_of_an_almost_everywhere_are_named() -> None:
    verdict = check_answer("2/N*sum(X*outer(r, w), axis=0)/w", squares(), "w")
    assert verdict.answer is Answer.ALMOST_EVERYWHERE
    assert verdict.condition == "except where w[i] = 0"


UNREADABLE = [("w1", "foo*x", NameError_), ("w1", "2*(a2", ParseError), ("w1", "", ParseError), ("zzz", "x", NameError_),
              ("w1", "__import__('os')", SymnetError)]


@pytest.mark.parametrize(("wrt", "text", "error"), UNREADABLE)
def test_an_answer_that_cannot_be_read_is_told_in_one_line(wrt: str, text: str, error: type[SymnetError]) -> None:
    with pytest.raises(error) as caught:
        check_answer(text, first(), wrt)
    assert "\n" not in str(caught.value)
