"""Slips that only code can have: the edit of its text that makes it right is named, and selections by a mask that products take in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer

CE = sn.derive(sn.program("S = X @ W", "L = sum(log(sum(exp(S), axis=1)) - sum(Y*S, axis=1))/N",
                          tensors={"X": ("N", "d"), "W": ("d", "k"), "Y": ("N", "k")}), wrt=["W"])
RELU = sn.derive(sn.program("Z = X @ W", "L = sum((relu(Z) - Y)**2)/2", tensors={"X": ("N", "d"), "W": ("d", "k"), "Y": ("N", "k")}), wrt=["W"])
EMBEDDED = sn.derive(sn.program("L = sum((Y @ E - T)**2)/2", tensors={"Y": ("N", "v"), "E": ("v", "e"), "T": ("N", "e")}), wrt=["E"])
HINGE = sn.derive(sn.program("m = 1 - y*(X @ w)", "L = sum(relu(m))/N", tensors={"X": ("N", "d"), "w": ("d",), "y": ("N",)}), wrt=["w"])
FORM = sn.derive(sn.program("L = sum((A @ B)*G)", tensors={"A": ("n", "n"), "B": ("n", "n"), "G": ("n", "n")}), wrt=["A", "B"])


def labels(X: Any, W: Any, y: Any) -> Any:
    e = np.exp(X @ W)
    p = e / e.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    return X.T @ p / len(y)


def masked(X: Any, W: Any, Y: Any) -> Any:
    Z = X @ W
    dZ = np.maximum(Z, 0) - Y
    dZ[Z <= 0] = 0
    return X.T @ dZ


def scattered(E: Any, y: Any, T: Any) -> Any:
    G = np.zeros_like(E)
    np.add.at(G, y, E[y] - T)
    return G


def looped(E: Any, y: Any, T: Any) -> Any:
    G = np.zeros_like(E)
    for n, word in enumerate(y):
        G[word] += E[word] - T[n]
    return G


def product(A: Any, B: Any, G: Any) -> Any:
    dB = B.copy()
    dB[:] = A.T @ G
    return G @ B.T, dB


SLIPS: dict[str, tuple[Callable[..., Any], Any, str, str, str, str]] = {
    "assigned": (labels, CE, "] -= 1", "] = -1", "assignment", "= stands where += belongs"),
    "axis": (labels, CE, "axis=1, keep", "axis=0, keep", "axis in code", "axis=0 stands where axis=1 belongs"),
    "mask turned round": (masked, RELU, "Z <= 0", "Z >= 0", "comparison in code", ">= stands where <= belongs"),
    "buffered": (scattered, EMBEDDED, "np.add.at(G, y, E[y] - T)", "G[y] += E[y] - T", "assignment", "+= stands where np.add.at belongs"),
    "assigned in a loop": (looped, EMBEDDED, "] += ", "] = ", "assignment", "= stands where += belongs"),
    "added to what was there": (labels, CE, "return", "p += p; p += np.zeros_like(p); return", "constant", "a factor 2 is too much"),
    "not transposed": (product, FORM, "A.T @ G", "A @ G", "transposed factor", "A[i, j] stands where A[j, i] belongs"),
    "added": (product, FORM, "dB[:] =", "dB +=", "assignment", "+= stands where = belongs"),
}


@pytest.mark.parametrize("name", SLIPS)
def test_the_edit_that_makes_it_right_is_named(name: str, changed: Callable[..., Any]) -> None:
    f, d, old, new, kind, said = SLIPS[name]
    given = {"y": "Y"} if "y" in f.__code__.co_varnames[:f.__code__.co_argcount] else None
    assert sn.check_code(f, d, labels=given)
    found = sn.check_code(changed(f, old, new), d, labels=given)
    slips = [j.slip for j in found.judged if j.verdict.answer is Answer.REFUTED]
    assert slips and all(s is not None and s.kind.startswith(kind) and said in s.message for s in slips), str(found)


SELECTED = {
    "@": lambda X, y, m: X[m].T @ y[m], "dot": lambda X, y, m: np.dot(X[m].T, y[m]), "the other side": lambda X, y, m: y[m] @ X[m],
    "sum": lambda X, y, m: (X.T * y).T[m].sum(axis=0), "where": lambda X, y, m: X.T @ np.where(m, y, 0),
}


@pytest.mark.parametrize("name", SELECTED)
def test_what_a_mask_selects_is_summed_over(name: str) -> None:
    found = sn.check_code(lambda X, w, y: -SELECTED[name](X, y, 1 - y * (X @ w) > 0) / len(y), HINGE)
    assert found["w"].verdict.answer is Answer.PROVED and found["w"].verdict.scope == "for all sizes", str(found)
    assert sn.check_code(lambda X, w, y: -SELECTED[name](X, y, 1 - y * (X @ w) < 0) / len(y), HINGE).worst is Answer.REFUTED


@pytest.mark.parametrize("code", [
    lambda X, w, y: -X[y > 0].T @ y / len(y), lambda X, w, y: -(X[y * (X @ w) < 1].T @ y[y * (X @ w) > 1]) / len(y),
], ids=["selected on one side", "two masks"])
def test_products_of_other_selections_are_not_proved(code: Callable[..., Any]) -> None:
    try:
        assert not sn.check_code(code, HINGE)
    except sn.SymnetError:
        return


def test_no_infinite_value_is_met() -> None:
    d = sn.derive(sn.program("L = sum(log(1 + exp(z)) - y*z)", tensors={"z": ("n",), "y": ("n",)}), wrt=["z"])
    found = sn.check_code(lambda z, y: np.where(np.isinf(z) | np.isnan(z), 0, 1 / (1 + np.exp(-z)) - y), d)
    assert found["z"].verdict.scope == "for all sizes" and found
