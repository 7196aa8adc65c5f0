"""The rows of the identity table that are Jacobians, Hessians or written with indices: 4, 21, 28-30, 34, 40, 53, and log det."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.jacobian import hessian, hessian_vector_product, jacobian
from symnet.core.axes import Axis, size
from symnet.core.derivation import Derivation
from symnet.core.verdict import Answer

BCE = ("p = sigmoid(X @ w)", "L = -sum(y*log(p) + (1 - y)*log(1 - p))")


def of_vector(text: str, *more: str) -> Derivation:
    """The Jacobian of y = text by the vector z."""
    return jacobian(sn.program(f"y = {text}", "L = sum(y)", tensors={"z": ("d",)}), "y", ["z"])


def second(*lines: str, wrt: str, **tensors: Any) -> Derivation:
    return hessian(derive(sn.program(*lines, tensors=tensors), [wrt]), wrt)


def product(text: str, of: str, **tensors: Any) -> Derivation:
    """The Hessian of L = text times a matrix v."""
    return hessian_vector_product(derive(sn.program(f"L = {text}", tensors=tensors), [of]), of)


ROWS: dict[str, tuple[Callable[[], Derivation], str, str]] = {
    "4 Hessian": (lambda: second("L = x @ A @ x", wrt="x", x=("d",), A=("d", "d")), "x", "A + A.T"),
    "21": (lambda: of_vector("tanh(z)"), "z", "diag(1 - tanh(z)**2)"),
    "28": (lambda: of_vector("softmax(z)"), "z", "diag(softmax(z)) - outer(softmax(z), softmax(z))"),
    "29 Hessian": (lambda: second("L = log(sum(exp(z)))", wrt="z", z=("d",)), "z",
                   "diag(softmax(z)) - outer(softmax(z), softmax(z))"),
    "30": (lambda: of_vector("log_softmax(z)"), "z", "eye(d) - softmax(z)"),
    "34 Hessian": (lambda: second(*BCE, wrt="w", X=("N", "d"), w=("d",), y=("N",)), "w", "X.T @ diag(p*(1 - p)) @ X"),
    "40": (lambda: of_vector("z/norm(z)"), "z", "(eye(d) - outer(z, z)/(z @ z))/norm(z)"),
    "log det, Hessian times v": (lambda: product("log(det(A))", "A", A=("d", "d")), "A", "-(inv(A) @ v @ inv(A)).T"),
    "inverse, Hessian times v": (lambda: product("trace(inv(A))", "A", A=("d", "d")), "A",
                                 "(inv(A) @ v @ inv(A) @ inv(A) + inv(A) @ inv(A) @ v @ inv(A)).T"),
}
EACH = pytest.mark.parametrize("name", list(ROWS))


@EACH
def test_the_second_derivative_is_the_one_in_the_books(name: str) -> None:
    make, wrt, want = ROWS[name]
    verdict = sn.check(want, make(), wrt)
    assert verdict.answer is Answer.PROVED, str(verdict)


@EACH
def test_every_step_checks(name: str) -> None:
    assert [s.check().reason for s in ROWS[name][0]().steps if not s.check()] == []


def convolution() -> Derivation:
    """Row 53: y[i] = Σ_t x[i + t - 1] w[t], i = 1..M, with the upstream gradient g."""
    return derive(sn.program("y[i] = sum(x[i + t - 1]*w[t] for t in 1..K)", "L = sum(g[i]*y[i] for i in 1..M)",
                             tensors={"x": sn.Tensor("x", (Axis.of(size("M") + size("K") - 1),)), "w": ("K",), "g": ("M",), "y": ("M",)}), ["w", "x"])


def test_a_convolution_sends_back_a_correlation_and_a_full_convolution() -> None:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(3)
    x, w, g = rng.normal(size=7), rng.normal(size=3), rng.normal(size=5)
    d = convolution()
    assert all(s.check() for s in d.steps)
    _, made = d.compile()({"x": x, "w": w}, g=g)
    dx, dw = jax.grad(lambda x, w: jax.numpy.sum(g*jax.numpy.correlate(x, w, "valid")), (0, 1))(x, w)
    assert np.allclose(made["x"], dx, atol=1e-12)
    assert np.allclose(made["w"], dw, atol=1e-12)
    assert np.allclose(made["x"], np.convolve(g, w, "full"), atol=1e-12)
    assert np.allclose(made["w"], np.correlate(x, g, "valid"), atol=1e-12)
