"""A two-layer softmax classifier, as it is written by hand in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer

CLASSIFIER = sn.derive(sn.Sequential(sn.Linear("d", "h"), sn.Tanh(), sn.Linear("h", "k")), sn.CrossEntropyLoss())


def classifier(W1, b1, W2, b2, X, y):  # type: ignore[no-untyped-def]
    N = X.shape[0]
    a1 = np.tanh(X @ W1 + b1)
    z = a1 @ W2 + b2
    z = z - np.max(z, axis=1, keepdims=True)
    e = np.exp(z)
    p = e / np.sum(e, axis=1, keepdims=True)
    loss = -np.log(p[np.arange(N), y]).mean()
    dz = p.copy()
    dz[np.arange(N), y] -= 1
    dz /= N
    dz1 = (dz @ W2.T) * (1 - a1**2)
    return loss, {"dW1": X.T @ dz1, "db1": dz1.sum(axis=0), "dW2": a1.T @ dz, "db2": dz.sum(axis=0)}


def other_manner(params, X, Y):  # type: ignore[no-untyped-def]
    """The same in loops, log-sum-exp, cosh and einsum, with one-hot Y."""
    W1, b1, W2, b2 = (params[k] for k in ("W1", "b1", "W2", "b2"))
    N = Y.shape[0]
    a1 = np.tanh(np.einsum("nd,dh->nh", X, W1) + b1)
    z = a1.dot(W2) + b2
    m = z.max(axis=1)
    lse = np.log(np.exp(z - m[:, None]).sum(axis=1)) + m
    loss = np.mean(lse * Y.sum(axis=1) - (z * Y).sum(axis=1))
    p = np.exp(z - lse.reshape(-1, 1))
    dz = p * Y.sum(axis=1, keepdims=True) - Y
    dW1 = np.zeros((X.shape[1], W1.shape[1]))
    dW2 = np.zeros_like(W2)
    for n in range(N):
        dW2 += np.outer(a1[n], dz[n])
        dW1 += np.outer(X[n], dz[n] @ W2.T / np.cosh(X[n] @ W1 + b1) ** 2)
    dz1 = (dz @ W2.T) / np.cosh(X @ W1 + b1) ** 2
    return loss, (dW1 / N, dz1.mean(axis=0), dW2 * (1 / N), dz.mean(0))


@pytest.mark.parametrize("function", [classifier, other_manner])
def test_the_right_code_is_proved(function: Any) -> None:
    found = sn.check_code(function, CLASSIFIER)
    assert {j.name: j.verdict.answer for j in found.judged} == dict.fromkeys(("L", "W1", "b1", "W2", "b2"), Answer.PROVED)
    scope = found["W1"].verdict.scope
    assert scope == "for all sizes" if function is classifier else "N = 3" in scope and "N = 4" in scope  # a loop over N


WRONG = {
    "no slope": ("(1 - a1**2)", "1", {"W1", "b1"}, "activation slope", "dL/dz1"),
    "slope at the output": ("(1 - a1**2)", "(1 - np.tanh(a1)**2)", {"W1", "b1"}, "slope at output", "at a1 instead of z1"),
    "z in the slope": ("(1 - a1**2)", "(1 - (X @ W1 + b1)**2)", {"W1", "b1"}, "slope at output", "z1 stands for it"),
    "no mean": ("dz /= N", "pass", {"W1", "b1", "W2", "b2"}, "constant factor", "a factor 1/N is missing"),
    "transposed": ("X.T @ dz1", "dz1.T @ X", {"W1"}, "transposed", "transpose"),
    "no sum": ("dz1.sum(axis=0)", "dz1", {"b1"}, "missing sum", "axis 0 (N)"),
    "first sample": ("dz1.sum(axis=0)", "dz1[0]", {"b1"}, "missing sum", "first term of the sum over n"),
    "swapped": ('"db2": dz.sum(axis=0)', '"db2": dz1.sum(axis=0)', {"b2"}, "another gradient", "this is dL/db1"),
    "sign": ("a1.T @ dz", "-a1.T @ dz", {"W2"}, "sign", "sign"),
    "p for p - y": ("(dz @ W2.T)", "(p / N @ W2.T)", {"W1", "b1"}, "missing term", "dL/dz2"),
    "eps": ("np.log(p[", "np.log(1e-8 + p[", {"L"}, "eps", "1e-08"),
    "two for one": ("-= 1", "-= 2", {"W1", "b1", "W2", "b2"}, "number", "in place of"),
}


@pytest.mark.parametrize(("old", "new", "wrong", "kind", "said"), list(WRONG.values()), ids=list(WRONG))
def test_wrong_code_is_refuted_and_the_slip_named(changed: Any, old: str, new: str, wrong: set[str], kind: str, said: str) -> None:
    found = sn.check_code(changed(classifier, old, new), CLASSIFIER)
    assert not found
    assert {j.name for j in found.judged if j.verdict.answer is Answer.REFUTED} == wrong
    assert {j.name for j in found.judged if j.verdict.answer is Answer.PROVED} == {"L", "W1", "b1", "W2", "b2"} - wrong
    for name in wrong:
        slip = found[name].slip
        assert slip is not None and slip.kind == kind and said in slip.message


def test_the_entry_and_both_values_are_named(changed: Any) -> None:
    found = sn.check_code(changed(classifier, "-= 1", "-= 2"), CLASSIFIER)["W2"]
    assert found.entry is not None and len(found.entry) == 2
    w = found.verdict.witness
    assert w is not None and w.left != w.right and dict(w.point).keys() >= {"X_1_1", "W2_1_1"}
    assert f"entry [{found.entry[0]}, {found.entry[1]}]: the code gives {w.left}, right is {w.right}" in str(found)
