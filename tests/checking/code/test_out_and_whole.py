"""``out=`` of any function, whole-number arrays, gradients that later lines no longer need, masks of the activation: as NumPy has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import SymnetError

LEAST = sn.derive(sn.program("r = X@w - y", "L = sum(r**2)/N", tensors={"X": ("N", "d"), "w": ("d",), "y": ("N",)}), wrt=["w"])


def into(write: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    def backward(X: Any, w: Any, y: Any) -> Any:
        g = np.empty(w.shape)
        write(X, X @ w - y, g)
        return 2 * g / len(y)
    return backward


@pytest.mark.parametrize("write", [
    lambda X, r, g: np.dot(X.T, r, out=g), lambda X, r, g: np.dot(X.T, r, g), lambda X, r, g: X.T.dot(r, out=g),
    lambda X, r, g: np.einsum("nd,n->d", X, r, out=g), lambda X, r, g: np.sum(X * r[:, None], axis=0, out=g),
    lambda X, r, g: (X * r[:, None]).sum(axis=0, out=g), lambda X, r, g: np.sum(X * r[:, None], 0, None, g),
    lambda X, r, g: np.matmul(X.T, r, out=g)])
def test_out_is_where_the_result_goes(write: Callable[[Any, Any, Any], Any]) -> None:
    assert "proved" in str(sn.check_code(into(write), LEAST))
    wrong = into(lambda X, r, g: write(X, 3 * r, g))
    assert "refuted" in str(sn.check_code(wrong, LEAST))


def test_an_array_of_whole_numbers_holds_no_gradient() -> None:
    def truncates(X: Any, w: Any, y: Any) -> Any:
        g = np.full(w.shape, 0)
        g[:] = X.T @ (X @ w - y)
        return 2 * g / len(y)

    with pytest.raises(SymnetError):
        sn.check_code(truncates, LEAST)


def test_a_gradient_that_later_lines_do_not_need_is_judged() -> None:
    d = sn.load("softmax-regression")

    def backward(X: Any, Y: Any, W: Any, b: Any) -> Any:
        Z = X @ W + b
        P = np.exp(Z - Z.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        dP = -Y / P / len(X)
        dZ = P * (dP - (dP * P).sum(1, keepdims=True))
        return {"dP": dP, "W": X.T @ dZ, "b": dZ.sum(0)}

    assert str(sn.check_code(backward, d)).count(": proved") == 3
    assert sn.check("-Y/(N*p)", d, wrt="p").holds
    assert not sn.check("Y/(N*p)", d, wrt="p").holds


RECTIFIED = sn.derive(sn.program("z = X@w", "a = relu(z)", "L = sum((a - y)**2)/N", tensors={"X": ("N", "d"), "w": ("d",), "y": ("N",)}),
                      wrt=["w"])


@pytest.mark.parametrize("mask", [
    lambda z, a: a > 0, lambda z, a: np.sign(a), lambda z, a: a != 0, lambda z, a: (z > 0) & (a > 0), lambda z, a: np.where(a > 0, 1, 0),
    lambda z, a: z > 0])
def test_the_mask_of_the_activation_is_that_of_its_input(mask: Callable[[Any, Any], Any]) -> None:
    def backward(X: Any, w: Any, y: Any) -> Any:
        z = X @ w
        a = np.maximum(z, 0)
        return X.T @ (2 * (a - y) / len(X) * mask(z, a))

    def wrong(X: Any, w: Any, y: Any) -> Any:
        z = X @ w
        a = np.maximum(z, 0)
        return X.T @ (2 * (a - y) / len(X) * (1 - mask(z, a)))

    assert "dL/dw: proved" in str(sn.check_code(backward, RECTIFIED))
    assert "refuted" in str(sn.check_code(wrong, RECTIFIED))
