"""What is right at small sizes alone is refuted; what is right at all sizes is not."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.core.verdict import Answer

SQUARES = ("L = sum(x**2)", {"x": ("N",)}, "x")
LEAST = ("L = sum((X@w - y)**2)/N", {"X": ("N", "d"), "w": ("d",), "y": ("N",)}, "w")
RIGHT = "(2/N)*X.T@(X@w-y)"


@pytest.mark.parametrize(("task", "answer"), [
    (SQUARES, "2*x + maximum(N - 100, 0)"), (SQUARES, "2*x*where(N > 50, 2, 1)"), (SQUARES, "2*x*(N if N > 9 else 1)"),
    (LEAST, RIGHT + "*where(N == d, 2, 1)"), (LEAST, RIGHT + "*max(1, N - 40)"), (LEAST, RIGHT + "*(1 + relu(d - 60))")])
def test_a_claim_that_fails_at_large_or_equal_sizes_is_refuted(task: tuple[str, dict[str, tuple[str, ...]], str], answer: str) -> None:
    line, tensors, wrt = task
    verdict = sn.check(answer, sn.derive(sn.program(line, tensors=tensors), wrt=[wrt]), wrt=wrt)
    assert verdict.answer == "refuted"
    assert "at sizes" in verdict.scope and verdict.witness is not None


@pytest.mark.parametrize(("task", "answer"), [
    (SQUARES, "2*x*where(N > 0, 1, 7)"), (SQUARES, "2*x + 0*maximum(N - 100, 0)"), (LEAST, RIGHT + "*where(N == N, 1, 2)"),
    (LEAST, RIGHT + "*max(1, 1)")])
def test_a_claim_that_is_right_is_not(task: tuple[str, dict[str, tuple[str, ...]], str], answer: str) -> None:
    line, tensors, wrt = task
    assert sn.check(answer, sn.derive(sn.program(line, tensors=tensors), wrt=[wrt]), wrt=wrt).answer != "refuted"


@pytest.mark.parametrize("answer", ["2*x + (N - 3)*(N - 4)*relu(x)", "2*x*sum(y) + (N - 3)*(N - 4)*x"])
def test_what_vanishes_at_the_sizes_of_a_proof_is_refuted_at_others_under_assumptions_too(answer: str) -> None:
    """(N - 3)(N - 4) is 0 at both; no large size is tried where something is declared."""
    d = sn.derive(sn.program("L = sum(x**2)*sum(y)", tensors={"x": ("N",), "y": ("N",)}, assumptions=["sum(y) == 1"]), wrt=["x"])
    assert sn.check(answer, d, "x", timeout=None).answer is Answer.REFUTED


@pytest.mark.parametrize("answer", ["S + (N - 3)*(N - 4)*relu(S)", "S.T + (N - 3)*(N - 4)*S"])
def test_what_vanishes_at_the_sizes_of_a_proof_is_refuted_at_others_for_structured_matrices_too(answer: str) -> None:
    square = (sn.Axis.of("N"), sn.Axis.of("N"))
    tensors = {"S": sn.Tensor("S", square, structure="symmetric"), "C": ("N", "N")}
    assert sn.check(answer, sn.derive(sn.program("L = sum(S*C)", tensors=tensors), wrt=["C"]), "C", timeout=None).answer is Answer.REFUTED
