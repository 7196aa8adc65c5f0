"""Code that is right where it is looked at and wrong elsewhere, or that asks what it is run on, is never proved for all sizes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer
from symnet.errors import SymnetError

SQUARES = sn.derive(sn.program("r = X @ w - y", "L = sum(r**2)/N", tensors={"X": ("N", "d"), "w": ("d",), "y": ("N",)}), wrt=["w"])
LOGS = sn.derive(sn.program("L = sum(log(W))**2", tensors={"W": ("N", "d")}), wrt=["W"])


def slope(X: Any, w: Any, y: Any) -> Any:
    return 2 / len(X) * X.T @ (X @ w - y)


def tried_size(X: Any, w: Any, y: Any) -> Any:
    g = slope(X, w, y)
    try:
        if len(X) > 50:
            g = g * 2
    except Exception:
        pass
    return g


def tried_value(X: Any, w: Any, y: Any) -> Any:
    g = slope(X, w, y)
    try:
        if float(np.abs(X).max()) > 10:
            g = g / 2
    except Exception:
        pass
    return g


WRONG_SOMEWHERE: dict[str, Callable[..., Any]] = {
    "a try around a question about a size": tried_size, "a try around a question about a value": tried_value,
    "a size against a float": lambda X, w, y: slope(X, w, y) * (2 if len(X) > 50.0 else 1),
    "the least of a size and a float": lambda X, w, y: 2 / min(len(X), 1e1) * X.T @ (X @ w - y),
    "a size in a set": lambda X, w, y: slope(X, w, y) * (3 if X.shape[0] in {1, 60} else 1),
    "a size as a key": lambda X, w, y: {1: 5.0, 60: 2.0}.get(len(X), 1.0) * slope(X, w, y),
    "a size as text": lambda X, w, y: slope(X, w, y) * (2 if str(len(X)) == "60" else 1),
    "a shape in a set": lambda X, w, y: slope(X, w, y) * (2 if X.shape in {(60, 3)} else 1),
    "counted in eight bits": lambda X, w, y: 2 / np.sum(X[:, 0] == X[:, 0], dtype=np.int8) * X.T @ (X @ w - y),
    "half precision": lambda X, w, y: 2 / len(X) * X.T.astype(np.float16) @ (X @ w - y).astype(np.float16),
    "two keys for one gradient": lambda X, w, y: {"dw": X[0] * 0, "w": slope(X, w, y)},
}


@pytest.mark.parametrize("name", WRONG_SOMEWHERE)
def test_what_is_wrong_at_other_sizes_or_values_is_not_proved_for_all(name: str) -> None:
    try:
        found = sn.check_code(WRONG_SOMEWHERE[name], SQUARES)
    except SymnetError as refused:
        assert "internal" not in refused.message
        return
    assert "for all sizes" not in str(found) and "for all sizes" not in found["w"].verdict.scope


@pytest.mark.parametrize("code", [
    lambda W: 2 * np.sum(np.log(W)) / W * (2 if type(W) is np.ndarray else 1),
    lambda W: 2 * np.sum(np.log(W), dtype=int) / W,
], ids=["it asks for a type", "cut to whole numbers"])
def test_plain_arrays_have_the_values_that_the_function_needs(code: Callable[..., Any]) -> None:
    assert sn.check_code(lambda W: 2 * np.sum(np.log(W)) / W, LOGS)["W"].verdict.answer is Answer.PROVED
    try:
        assert sn.check_code(code, LOGS)["W"].verdict.answer is Answer.REFUTED
    except SymnetError as refused:
        assert "dtype" in refused.message


def test_an_embedding_of_any_number_of_words_is_run_on_plain_arrays_too() -> None:
    d = sn.derive(sn.Sequential(sn.Embedding("V", "e"), sn.Linear("e", "k")), loss=sn.MSELoss())

    def backward(times: Callable[[Any], int]) -> Callable[..., Any]:
        def code(x: Any, E1: Any, W2: Any, b2: Any, Y: Any) -> Any:
            Q = (x[:, None] == np.arange(E1.shape[0])) * 1.0
            A = Q @ E1
            D = 2 * (A @ W2 + b2 - Y) / (Y.shape[0] * Y.shape[1]) * times(Y)
            return {"E1": Q.T @ (D @ W2.T), "W2": A.T @ D, "b2": D.sum(0)}
        return code

    right, wrong = sn.check_code(backward(lambda Y: 1), d), sn.check_code(backward(lambda Y: 5 if type(Y) is np.ndarray else 1), d)
    assert all(right[n].verdict.answer is Answer.PROVED for n in ("E1", "W2", "b2"))
    assert all(wrong[n].verdict.answer is Answer.REFUTED for n in ("E1", "W2", "b2"))


def test_a_deep_copy_is_a_copy() -> None:
    def code(X: Any, w: Any, y: Any) -> Any:
        A = copy.deepcopy(X)
        A *= 2
        return 1 / len(X) * A.T @ (X @ w - y)

    assert sn.check_code(code, SQUARES)["w"].verdict.answer is Answer.PROVED
    with pytest.raises(SymnetError, match="no choice"):
        sn.check_code(code, SQUARES, sizes=[])


def test_whole_numbers_compared_with_places_are_class_labels() -> None:
    d = sn.derive(sn.Sequential(sn.Linear("d", "k")), loss=sn.CrossEntropyLoss())

    def backward(times: float) -> Callable[..., Any]:
        def code(X: Any, W: Any, b: Any, y: Any) -> Any:
            E = np.exp(X @ W + b)
            D = times * (E / E.sum(1, keepdims=True) - (y[:, None] == np.arange(len(b)))) / len(y)
            return {"W": X.T @ D, "b": D.sum(0)}
        return code

    found = sn.check_code(backward(1.0), d)
    assert found and "y read as class labels of Y" in found.notes
    assert sn.check_code(backward(2.0), d).worst is Answer.REFUTED


def test_a_line_that_is_returned_under_its_own_name_is_no_gradient() -> None:
    found = sn.check_code(lambda X, w, y: {"w": slope(X, w, y), "r": X @ w - y}, SQUARES)
    assert found and found.unread == ("r",)
    dr = sn.check_code(lambda X, w, y: {"w": slope(X, w, y), "dr": X @ w - y}, SQUARES)
    assert dr["r"].verdict.answer is Answer.REFUTED
