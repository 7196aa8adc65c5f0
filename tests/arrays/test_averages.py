"""Means with the weights of a softmax are computed from shares, whether or not the author names them: nothing overflows, and small inputs
give what differences give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn

N = ("n",)
X = [[400.0, 2.0], [1.0, -1.0]]
ROWS: dict[str, tuple[tuple[str, ...], dict[str, Any], dict[str, Any], float, dict[str, Any]]] = {  # lines, shapes, a point, the value and slopes there
    "cross-entropy in one line": (("L = -sum(Y*log_softmax(X@W, axis=1))/n",), {"X": ("n", "d"), "W": ("d", "k"), "Y": ("n", "k")},
        {"X": X, "W": [[2.0, 0.0], [1.0, 1.0]], "Y": [[1.0, 0.0], [0.0, 1.0]]}, np.log(1 + np.exp(2)) / 2,
        {"X": [[0, 0], [1 / (1 + np.exp(-2)), 0]]}),
    "log-sum-exp of a product": (("L = logsumexp(X@w)",), {"X": ("n", "d"), "w": ("d",)}, {"X": X, "w": [2.0, 1.0]}, 802.0, {"w": [400, 2]}),
    "a temperature": (("L = logsumexp(x/a)",), {"x": N, "a": ()}, {"x": [0.0, 800.0], "a": 1.0}, 800.0, {"a": -800, "x": [0, 1]}),
    "attention in one line": (("L = sum((softmax(Q@K.T/sqrt(d), axis=1)@V)**2)",), dict.fromkeys("QKV", ("n", "d")),
        {"Q": X, "K": X, "V": [[1.0, 2.0], [3.0, 4.0]]}, 10.0, {"Q": [[0, 0], [0, 0]], "V": [[4, 8], [0, 0]]}),
    "a mean by exponentials": (("L = sum(exp(x)*y)/sum(exp(x))",), {"x": N, "y": N}, {"x": [0.0, 800.0], "y": [1.0, 2.0]}, 2.0,
        {"x": [0, 0], "y": [0, 1]}),
    "a mean by exponentials, squared": (("L = (sum(exp(x)*y)/sum(exp(x)))**2",), {"x": N, "y": N}, {"x": [0.0, 800.0], "y": [1.0, 2.0]}, 4.0,
        {"x": [0, 0], "y": [0, 4]}),
    "the least of all, softly": (("p = softmax(-x)", "L = sum(p*y)"), {"x": N, "y": N}, {"x": [0.0, -800.0], "y": [1.0, 2.0]}, 2.0,
        {"x": [0, 0], "y": [0, 1]}),
    "a product of shares": (("p = softmax(x)", "q = softmax(2*x)", "L = sum(p*q)"), {"x": N}, {"x": [0.0, 800.0]}, 1.0, {"x": [0, 0]}),
    "shares and what they lack": (("p = softmax(x)", "L = sum(y*p*(1-p))"), {"x": N, "y": N}, {"x": [0.0, 800.0], "y": [1.0, 2.0]}, 0.0,
        {"x": [0, 0], "y": [0, 0]}),
    "both ends": (("L = logsumexp(x) + logsumexp(-x)",), {"x": N}, {"x": [0.0, 800.0]}, 800.0, {"x": [-1, 1]}),
    "both ends, squared": (("L = (logsumexp(x) - logsumexp(-x))**2",), {"x": N}, {"x": [0.0, 800.0]}, 640000.0, {"x": [1600, 1600]}),
    "a sum and one more": (("L = log(1 + sum(exp(X@w)))",), {"X": ("n", "d"), "w": ("d",)}, {"X": X, "w": [2.0, 1.0]}, 802.0, {"w": [400, 2]}),
    "a mixture, far away": (("L = log(sum(exp(-(x[i]-a)**2/2) for i in 1..n))",), {"x": N, "a": ()}, {"x": [0.0, 1.0], "a": 50.0}, -1200.5,
        {"a": -49, "x": [0, 49]}),
    "a temperature below 0": (("L = -sum(y*log(softmax(-2*x)))",), {"x": N, "y": N}, {"x": [0.0, -800.0], "y": [1.0, 2.0]}, 1600.0, {"x": [2, -2]}),
    "cross-entropies of shares": (("p = softmax(z)", "L = -sum(y*log(p) + (1-y)*log(1-p))"), {"z": N, "y": N},
        {"z": [40.0, 0.0, 0.0], "y": [0.0, 1.0, 0.0]}, 80 - np.log(2), {"z": [2, -1.5, -0.5]}),
    "cross-entropies of shares in one line": (("L = -sum(y*log(softmax(z)) + (1-y)*log(1-softmax(z)))",), {"z": N, "y": N},
        {"z": [40.0, -40.0], "y": [0.5, 0.0]}, 40.0, {"z": [0.5, -0.5]}),
    "cross-entropies of rows of shares": (("P = softmax(Z, axis=1)", "L = -sum(2*w*log(1-P))/n"), {"Z": ("n", "k"), "w": ("n", "k")},
        {"Z": [[36.5, 0.0, 0.0], [0.0, 0.0, 90.0]], "w": [[0.5, 1.0, 0.3], [1.0, 1.0, 0.25]]}, (0.5 * (36.5 - np.log(2)) + 0.25 * (90 - np.log(2))),
        {"Z": [[0.5, -0.25, -0.25], [-0.125, -0.125, 0.25]]}),
    "a log-mean": (("L = log(mean(exp(a*x)))/a",), {"x": N, "a": ()}, {"x": [0.0, 800.0], "a": 1.0}, 800 - np.log(2), {"a": np.log(2)}),
}


@pytest.mark.parametrize("name", ROWS)
def test_nothing_overflows_and_the_slopes_are_those_of_differences(name: str) -> None:
    lines, shapes, point, value, slopes = ROWS[name]
    f = sn.derive(sn.program(*lines, tensors=shapes), wrt=list(shapes)).compile().value_and_grad
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        found, grads = f(**point)
    assert float(found) == pytest.approx(value, rel=1e-9)
    for which, slope in slopes.items():
        assert np.asarray(grads[which]) == pytest.approx(np.asarray(slope, dtype=float), rel=1e-9, abs=1e-12)
    rng = np.random.default_rng(1)
    at = {k: rng.uniform(0.2, 1.0, size=np.shape(v)) for k, v in point.items()}
    _, grads = f(**at)
    for which, array in at.items():
        turn = rng.normal(size=array.shape)
        up, down = (float(f(**{**at, which: array + h * turn})[0]) for h in (1e-6, -1e-6))
        assert float(np.sum(grads[which] * turn)) == pytest.approx((up - down) / 2e-6, rel=1e-6, abs=1e-7)
