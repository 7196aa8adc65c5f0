"""Long code: an LSTM with backpropagation through time, and a network of four layers in loops over dicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer

LSTM = sn.derive(sn.Sequential(sn.LSTM("d", "h", steps="T")), sn.HalfSquaredError())
DEEP = sn.derive(sn.Sequential(sn.Linear("d", "h"), sn.Sigmoid(), sn.Linear("h", "m"), sn.Tanh(), sn.Linear("m", "k"), sn.ReLU(),
                               sn.Linear("k", "q")), sn.CrossEntropyLoss())
SMALL = {"N": 2, "T": 3, "d": 2, "h": 2}
TINY = {"N": 1, "T": 2, "d": 1, "h": 2}


def sigma(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def lstm(params, X, Y):  # type: ignore[no-untyped-def]
    N, T, _ = X.shape
    p, H = params, params["W1_hi"].shape[0]
    h, c, loss, cache = np.zeros((N, H)), np.zeros((N, H)), 0, []
    for t in range(T):
        s = {k: X[:, t] @ p["W1_i" + k].T + p["b1_i" + k] + h @ p["W1_h" + k].T + p["b1_h" + k] for k in "ifgo"}
        g = {k: np.tanh(v) if k == "g" else sigma(v) for k, v in s.items()}
        c_new = g["f"] * c + g["i"] * g["g"]
        h_new = g["o"] * np.tanh(c_new)
        cache.append((h, c, c_new, g, h_new))
        h, c = h_new, c_new
        loss += 0.5 * ((h - Y[:, t]) ** 2).sum()
    grads = {k: np.zeros_like(v) for k, v in p.items()}
    dh, dc = np.zeros((N, H)), np.zeros((N, H))
    for t in reversed(range(T)):
        h_old, c_old, c_new, g, h_new = cache[t]
        dh = dh + h_new - Y[:, t]
        dc = dc + dh * g["o"] * (1 - np.tanh(c_new) ** 2)
        ds = {"i": dc * g["g"] * g["i"] * (1 - g["i"]), "f": dc * c_old * g["f"] * (1 - g["f"]), "g": dc * g["i"] * (1 - g["g"] ** 2),
              "o": dh * np.tanh(c_new) * g["o"] * (1 - g["o"])}
        for k in "ifgo":
            grads["W1_i" + k] += ds[k].T @ X[:, t]
            grads["W1_h" + k] += ds[k].T @ h_old
            grads["b1_i" + k] += ds[k].sum(0)
            grads["b1_h" + k] += ds[k].sum(0)
        dh = sum(ds[k] @ p["W1_h" + k] for k in "ifgo")
        dc = dc * g["f"]
    return loss, grads


def deep(params, X, y):  # type: ignore[no-untyped-def]
    acts = [(sigma, lambda z, a: a * (1 - a)), (np.tanh, lambda z, a: 1 - a**2), (lambda z: np.maximum(z, 0), lambda z, a: z > 0)]
    a, zs = [X], []
    for layer, (f, _) in enumerate(acts, start=1):
        zs.append(a[-1] @ params[f"W{layer}"] + params[f"b{layer}"])
        a.append(f(zs[-1]))
    s = a[-1] @ params["W4"] + params["b4"]
    e = np.exp(s - s.max(1, keepdims=True))
    d = e / e.sum(1, keepdims=True)
    N = X.shape[0]
    grads = {"loss": -np.log(d[np.arange(N), y]).sum() / N}
    d[np.arange(N), y] -= 1
    for layer in (4, 3, 2, 1):
        grads[f"dW{layer}"], grads[f"db{layer}"] = a[layer - 1].T @ d / N, d.sum(0) / N
        if layer > 1:
            d = (d @ params[f"W{layer}"].T) * acts[layer - 2][1](zs[layer - 2], a[layer - 1])
    return grads


@pytest.mark.parametrize(("function", "derivation", "sizes"), [(lstm, LSTM, SMALL), (deep, DEEP, None)], ids=["lstm", "deep"])
def test_the_right_code_is_proved(function: Any, derivation: Any, sizes: Any) -> None:
    found = sn.check_code(function, derivation, sizes)
    assert {j.verdict.answer for j in found.judged} == {Answer.PROVED} and len(found.judged) == 1 + len(derivation.wrt)


WRONG = {
    "cell not carried": (lstm, LSTM, TINY, 'dc = dc * g["f"]', "dc = np.zeros((N, H))", {"W1_ii", "b1_ii"}, "missing time", "dL/dc1"),
    "state not carried": (lstm, LSTM, TINY, 'dh = sum(ds[k] @ p["W1_h" + k] for k in "ifgo")', "dh = 0", {"W1_io"}, "", ""),
    "new cell in the forget gate": (lstm, LSTM, TINY, 'dc * c_old * g["f"]', 'dc * c_new * g["f"]', {"W1_if", "b1_hf"}, "shifted index", "a step too far"),
    "slope of tanh": (deep, DEEP, None, "1 - a**2", "1 - z**2", {"W1", "W2", "b2"}, "slope at the output", "dL/dz2"),
    "bias without its mean": (deep, DEEP, None, "d.sum(0) / N", "d.sum(0)", {"b1", "b4"}, "sum for mean", "a factor 1/N is missing"),
}


@pytest.mark.parametrize(("function", "derivation", "sizes", "old", "new", "wrong", "kind", "said"), list(WRONG.values()), ids=list(WRONG))
def test_wrong_code_is_refuted_and_the_slip_named(changed: Any, function: Any, derivation: Any, sizes: Any, old: str, new: str,
                                                  wrong: set[str], kind: str, said: str) -> None:
    found = sn.check_code(changed(function, old, new), derivation, sizes)
    assert wrong <= {j.name for j in found.judged if j.verdict.answer is Answer.REFUTED}
    for name in wrong if kind else ():
        slip = found[name].slip
        assert slip is not None and slip.kind == kind and said in str(slip), str(found)
