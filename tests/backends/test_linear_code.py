"""Determinants and inverses as NumPy source."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.errors import DomainError

RNG = np.random.default_rng(2)
A = np.eye(3) + 0.4*RNG.normal(size=(3, 3))
X = RNG.normal(size=(5, 3))
R = np.eye(3) + 0.2*RNG.normal(size=(4, 3, 3))
SHAPES = {"A": ("d", "d"), "X": ("N", "d"), "R": ("M", "d", "d")}
VALUES: dict[str, Any] = {"A": A, "X": X, "R": R}


def compiled(text: str) -> tuple[float, str]:
    """The value of L = text, and the source."""
    names = [n for n in SHAPES if n in text]
    f = derive(sn.program(f"L = {text}", tensors={n: SHAPES[n] for n in names}), names).compile()
    return f({n: VALUES[n] for n in names})[0], f.source


@pytest.mark.parametrize(("text", "value", "code"), [
    ("det(A)", np.linalg.det(A), "L = np.linalg.det(A)"),
    ("log(abs(det(-A)))", np.linalg.slogdet(A)[1], "np.linalg.slogdet("),
    ("log(det(A))", np.linalg.slogdet(A)[1], "L = logdet(A)"),
    ("sum(inv(A))", np.linalg.inv(A).sum(), "s1 = np.linalg.inv(A)"),
    ("sum(inv(A.T)*A)", (np.linalg.inv(A.T)*A).sum(), "np.linalg.inv(A.T)"),
    ("trace(inv(A))", np.trace(np.linalg.inv(A)), "np.arange("),
    ("inv(A)[1, d]", np.linalg.inv(A)[0, 2], "s1[0, (d - 1)]"),
    ("sum(inv(A)[i, i + 1] for i in 1..d-1)", np.diag(np.linalg.inv(A), 1).sum(), "s1["),
    ("det(X.T @ X)", np.linalg.det(X.T @ X), "L = np.linalg.det(s1)"),
    ("sum(det(R))", np.linalg.det(R).sum(), "np.linalg.det(R)"),
    ("sum(inv(R)*R)", (np.linalg.inv(R)*R).sum(), "np.linalg.inv(R)"),
], ids=lambda x: x if isinstance(x, str) else "")
def test_the_value_and_the_source(text: str, value: float, code: str) -> None:
    got, source = compiled(text)
    assert got == pytest.approx(value, rel=1e-10)
    assert code in source


def test_a_large_log_determinant_does_not_overflow() -> None:
    f = derive(sn.program("L = log(det(A))", tensors={"A": ("d", "d")})).compile()
    value, grads = f({"A": 1e10*np.eye(60)})
    assert value == pytest.approx(60*10*np.log(10))
    assert np.allclose(grads["A"], 1e-10*np.eye(60))


def test_the_log_of_a_negative_determinant_is_no_number() -> None:
    f = derive(sn.program("L = log(det(A))", tensors={"A": ("d", "d")})).compile()
    assert np.isnan(f({"A": np.diag([1.0, -1.0])})[0])


def test_a_matrix_without_an_inverse_is_a_domain_error() -> None:
    f = derive(sn.program("L = sum(inv(A))", tensors={"A": ("d", "d")})).compile()
    with pytest.raises(DomainError, match="a singular matrix"):
        f({"A": np.ones((2, 2))})


def cofactors(a: np.ndarray) -> np.ndarray:
    """Laplace's signed minors."""
    n = len(a)
    return np.array([[(-1)**(i + j)*np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(n)] for i in range(n)])


SINGULAR = {"ones": np.ones((2, 2)), "0": np.zeros((1, 1)), "zeros": np.zeros((3, 3)), "rank 2": np.outer([1.0, 2, 3], [3, -1, 2]) + np.eye(3)[0],
            "rank 1": np.outer([1.0, 2, 3], [3, -1, 2]), "regular": A}


@pytest.mark.parametrize("a", SINGULAR.values(), ids=SINGULAR)
@pytest.mark.parametrize(("lines", "slope"), [
    (("L = det(A)",), lambda a, d: cofactors(a)), (("L = -3*det(A.T)",), lambda a, d: -3*cofactors(a)),
    (("L = det(A)**2",), lambda a, d: 2*d*cofactors(a)), (("D = 2*det(A)", "L = D**3 + D"), lambda a, d: (24*d**2 + 2)*cofactors(a)),
    (("L = trace(A)*det(A)",), lambda a, d: d*np.eye(len(a)) + np.trace(a)*cofactors(a)),
    (("L = det(A @ A.T)",), lambda a, d: 2*cofactors(a @ a.T) @ a), (("L = sin(det(A))",), lambda a, d: np.cos(d)*cofactors(a)),
], ids=lambda x: x[-1] if isinstance(x, tuple) else "")
def test_the_slope_of_a_determinant_is_that_of_a_polynomial(lines: tuple[str, ...], slope: Any, a: np.ndarray) -> None:
    grads = derive(sn.program(*lines, tensors={"A": ("d", "d")})).compile()({"A": a})[1]
    assert np.allclose(grads["A"], slope(a, np.linalg.det(a)), rtol=1e-10, atol=1e-10)


def test_of_a_batch_some_matrices_may_be_singular() -> None:
    f = derive(sn.program("D[k] = det(R[k])", "L = sum(D[k]*w[k] for k in 1..M)", tensors={"R": ("M", "d", "d"), "w": ("M",)}), ["R"]).compile()
    r = np.stack([SINGULAR["rank 2"], A])
    assert np.allclose(f({"R": r}, np.array([2.0, 3.0]))[1]["R"], [2*cofactors(r[0]), 3*cofactors(A)])
