"""Determinants and inverses under the one chain rule, and gradients by a symmetric matrix."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.matrices import CONVENTIONS, symmetric
from symnet.core.derivation import Derivation, Rule
from symnet.core.text import definition_text
from symnet.errors import DomainError, OptionError, ShapeError

SQUARE = ("d", "d")


def of(*lines: str, wrt: tuple[str, ...] = ("A",), **tensors: Any) -> Derivation:
    return derive(sn.program(*lines, tensors={"A": SQUARE, **tensors}), wrt)


def line(d: Derivation, name: str = "A") -> str:
    return definition_text(next(s.definition for s in d.steps if s.of.name == name), d.full.tensors)


@pytest.mark.parametrize(("lines", "shown"), [
    (("L = det(A)",), "dL_dA[i, j] = L*inv(A)[j, i]"),
    (("L = log(det(A))",), "dL_dA[i, j] = inv(A)[j, i]"),
    (("L = log(abs(det(A)))",), "dL_dA[i, j] = inv(A)[j, i]"),
    (("D = det(A)", "L = log(D)"), "dL_dA[i, j] = inv(A)[j, i]"),
    (("L = det(A)**2",), "dL_dA[i, j] = 2*L*inv(A)[j, i]"),
    (("L = det(A.T)",), "dL_dA[i, j] = L*inv(A.T)[i, j]"),
    (("L = trace(inv(A))",), "dL_dA[i, j] = -sum(inv(A)[k, i]*inv(A)[j, k] for k in 1..d)"),
], ids=lambda x: x[-1] if isinstance(x, tuple) else "")
def test_the_line_reads_as_in_the_books(lines: tuple[str, ...], shown: str) -> None:
    assert line(of(*lines)).replace("i1", "k") == shown


def test_an_inverse_with_a_name_is_called_by_it() -> None:
    d = of("B = inv(A)", "L = sum(B*C)", C=SQUARE)
    step = d.steps[-1]
    assert "inv(" not in str(step.expression)
    assert step.uses == ("B", "dL_dB")


@pytest.mark.parametrize(("lines", "rule"), [(("L = det(A)",), Rule.DETERMINANT), (("L = trace(inv(A))",), Rule.INVERSE)],
                         ids=["det", "inv"])
def test_the_step_names_its_rule_and_its_condition(lines: tuple[str, ...], rule: Rule) -> None:
    step = of(*lines).steps[-1]
    assert (step.rule, step.conditions) == (rule, ("A has an inverse",))


def test_a_matrix_computed_in_place_is_differentiated_through() -> None:
    d = of("L = log(det(A @ diag(x) @ A.T + eye(d)))", wrt=("A", "x"), x=("d",))
    assert [s.check().reason for s in d.steps if not s.check()] == []


def test_a_batch_of_matrices() -> None:
    tensors = {"B": ("N", "d", "d"), "x": ("d",)}
    d = derive(sn.program("C = inv(B)", "L = sum(log(abs(det(B)))) + sum(x[i]*C[n, i, j]*x[j] for n in 1..N for i in 1..d for j in 1..d)",
                          tensors=tensors), ["B"])
    assert [s.check().reason for s in d.steps if not s.check()] == []
    b, x = np.random.default_rng(1).normal(size=(4, 3, 3)), np.array([1.0, 2.0, -1.0])
    value, grads = d.compile()({"B": b}, x)
    inverse = np.linalg.inv(b)
    assert value == pytest.approx(np.linalg.slogdet(b)[1].sum() + np.einsum("i,nij,j->", x, inverse, x))
    u, v = np.einsum("i,nij->nj", x, inverse), np.einsum("nij,j->ni", inverse, x)
    assert np.allclose(grads["B"], np.swapaxes(inverse, 1, 2) - np.einsum("nj,ni->nji", u, v))


def test_a_scalar_program_of_entries_is_differentiated_too() -> None:
    d = derive(of("L = det(A)").instantiate({"d": 2}).program)
    assert all(s.check() for s in d.steps)
    assert d.at({"A_1_1": 1, "A_1_2": 2, "A_2_1": 3, "A_2_2": 4}).exact(d.gradient_name("A_1_2")) == -3


def test_values_are_exact() -> None:
    e = of("L = b @ inv(A) @ b", b=("d",)).at({"A": [[2, 1], [1, 3]], "b": ["1/3", 1]})
    assert str(e.exact("L")) == "1/3"
    assert [[str(x) for x in r] for r in e.exact("dL_dA")] == [["0", "0"], ["0", "-1/9"]]


@pytest.mark.parametrize("how", ["exact", "decimal", "compiled"])
def test_a_singular_matrix_is_told_in_one_line(how: str) -> None:
    d = of("L = trace(inv(A))")
    with pytest.raises(DomainError, match="a singular matrix: its determinant is 0; expected a matrix that can be inverted"):
        if how == "compiled":
            d.compile()({"A": [[1, 2], [2, 4]]})
        else:
            getattr(d.at({"A": [[1, 2], [2, 4]]}), how)("L")


def test_a_matrix_that_is_not_square_is_refused() -> None:
    with pytest.raises(ShapeError, match="det of shape"):
        sn.program("L = det(X)", tensors={"X": ("N", "d")})


# Gradients by a symmetric matrix.

S = [[2.0, 0.5, 0.25], [0.5, 3.0, -1.0], [0.25, -1.0, 2.5]]
X = [1.0, -2.0, 0.5]


def gaussian() -> Derivation:
    return of("L = log(det(A)) + x @ inv(A) @ x", x=("d",))


def loss(a: np.ndarray[Any, Any]) -> float:
    x = np.array(X)
    return float(np.linalg.slogdet(a)[1] + x @ np.linalg.solve(a, x))


def basis(i: int, j: int, share: float) -> np.ndarray[Any, Any]:
    made = np.zeros((3, 3))
    made[i, j] = made[j, i] = 1.0 if i == j else share
    return made


@pytest.mark.parametrize(("convention", "share"), [("projection", 0.5), ("entries", 1.0)])
def test_the_two_conventions_are_what_they_say(convention: str, share: float) -> None:
    d = symmetric(gaussian(), "A", convention)
    _, grads = d.compile()({"A": S}, X)
    a, h = np.array(S), 1e-6
    for i in range(3):
        for j in range(3):
            way = basis(i, j, share)
            slope = (loss(a + h*way) - loss(a - h*way))/(2*h)
            assert grads["A"][i, j] == pytest.approx(slope, abs=1e-7)


@pytest.mark.parametrize("convention", list(CONVENTIONS))
def test_a_symmetric_gradient_checks_and_says_its_convention(convention: str) -> None:
    d = symmetric(gaussian(), "A", convention)
    assert d.steps[-1].rule is Rule.SYMMETRIC
    assert d.steps[-1].conditions == (CONVENTIONS[convention],)
    assert CONVENTIONS[convention] in d.conventions
    assert all(s.check() for s in d.steps)
    assert all(s.check() for s in d.instantiate({"d": 2}).steps)


def test_the_check_of_a_symmetric_gradient_can_fail() -> None:
    d = symmetric(gaussian(), "A", "entries")
    assert not replace(d.steps[-1], conditions=(CONVENTIONS["projection"],)).check()


def test_the_answer_of_the_book_is_right_under_its_convention_alone() -> None:
    plain = of("L = log(det(A))")
    answer = "inv(A) + inv(A).T - diag(diag(inv(A)))"  # Matrix Cookbook 141 with X^T for X: 2 X^-1 - diag(X^-1)
    assert sn.check(answer, symmetric(plain, "A", "entries"), "A").holds
    assert not sn.check(answer, symmetric(plain, "A"), "A").holds


@pytest.mark.parametrize(("name", "convention", "error"), [("x", "projection", ShapeError), ("A", "upper", OptionError)])
def test_what_is_not_symmetric_is_refused(name: str, convention: str, error: type[Exception]) -> None:
    d = of("L = x @ inv(A) @ x", wrt=("A", "x"), x=("d",))
    with pytest.raises(error):
        symmetric(d, name, convention)
