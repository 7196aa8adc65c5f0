"""Batch normalization and layer normalization backwards, the compact formula and the textbook's line by line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer

BATCH = sn.derive(sn.Sequential(sn.Linear("d", "h"), sn.BatchNorm1d("h"), sn.ReLU(), sn.Linear("h", 1)), sn.MSELoss())
LAYER = sn.derive(sn.Sequential(sn.Linear("d", "h"), sn.LayerNorm("h"), sn.Tanh()), sn.MSELoss())


def batchnorm(W1, b1, gamma1, beta1, W2, b2, X, Y):  # type: ignore[no-untyped-def]
    N = X.shape[0]
    z = X @ W1 + b1
    mu = z.mean(axis=0)
    istd = 1 / np.sqrt(z.var(axis=0) + 1e-5)
    xhat = (z - mu) * istd
    u = gamma1 * xhat + beta1
    a = np.maximum(0, u)
    out = a @ W2 + b2
    loss = np.mean((out - Y) ** 2)
    dout = 2 * (out - Y) / out.size
    du = dout @ W2.T
    du[u <= 0] = 0
    dxhat = du * gamma1
    dz = (1 / N) * istd * (N * dxhat - dxhat.sum(0) - xhat * (dxhat * xhat).sum(0))
    grads = {"W1": X.T @ dz, "b1": dz.sum(0), "gamma1": (du * xhat).sum(0), "beta1": du.sum(0), "W2": a.T @ dout, "b2": dout.sum(0)}
    return loss, grads


def layernorm(W1, b1, gamma1, beta1, X, Y):  # type: ignore[no-untyped-def]
    z = X @ W1 + b1
    D = z.shape[-1]
    xc = z - z.mean(-1, keepdims=True)
    std = np.sqrt((xc**2).mean(-1, keepdims=True) + 1e-5)
    xhat = xc / std
    a = np.tanh(xhat * gamma1 + beta1)
    du = 2 * (a - Y) / a.size * (1 - a**2)
    dxhat = du * gamma1
    dvar = np.sum(dxhat * xc * -0.5 * std**-3, axis=-1, keepdims=True)
    dmu = np.sum(-dxhat / std, axis=-1, keepdims=True) + dvar * np.mean(-2 * xc, axis=-1, keepdims=True)
    dz = dxhat / std + dvar * 2 * xc / D + dmu / D
    return np.mean((a - Y) ** 2), X.T @ dz, dz.sum(0), (du * xhat).sum(0), du.sum(0)


@pytest.mark.parametrize(("function", "derivation"), [(batchnorm, BATCH), (layernorm, LAYER)], ids=["batch", "layer"])
def test_the_right_code_is_proved(function: Any, derivation: Any) -> None:
    found = sn.check_code(function, derivation)
    assert {j.verdict.answer for j in found.judged} == {Answer.PROVED} and not found.missing
    assert len(found.judged) == 1 + len(derivation.wrt)


WRONG = {
    "variance as a constant": (batchnorm, BATCH, " - xhat * (dxhat * xhat).sum(0)", "", {"W1"}, "missing use", "the use of z1 in var1 is missing"),
    "mean as a constant": (layernorm, LAYER, " + dmu / D", "", {"W1", "b1"}, "missing use", "dL/dmu1"),
    "statistics as constants": (batchnorm, BATCH, "(1 / N) * istd * (N * dxhat - dxhat.sum(0) - xhat * (dxhat * xhat).sum(0))", "istd * dxhat",
                                {"W1", "b1"}, "one use alone", "only the use of z1 in xhat1 is there"),
    "no relu": (batchnorm, BATCH, "du[u <= 0] = 0", "pass", {"W1", "gamma1", "beta1"}, "missing indicator", "dL/du1"),
    "eps of its own": (layernorm, LAYER, "+ 1e-5", "+ 1e-3", {"L", "W1", "gamma1", "beta1"}, "another eps", "in place of"),
    "no gamma": (layernorm, LAYER, "dxhat = du * gamma1", "dxhat = du", {"W1"}, "missing chain factor", "the factor du1/dxhat1 = gamma1[j] is missing"),
    "half": (layernorm, LAYER, "-0.5", "-1", {"W1"}, "constant", "a factor 2 is too much"),
}


@pytest.mark.parametrize(("function", "derivation", "old", "new", "wrong", "kind", "said"), list(WRONG.values()), ids=list(WRONG))
def test_wrong_code_is_refuted_and_the_slip_named(changed: Any, function: Any, derivation: Any, old: str, new: str, wrong: set[str],
                                                  kind: str, said: str) -> None:
    found = sn.check_code(changed(function, old, new), derivation)
    refuted = {j.name for j in found.judged if j.verdict.answer is Answer.REFUTED}
    assert refuted >= wrong
    for name in wrong:
        slip = found[name].slip
        assert slip is not None and slip.kind == kind and said in str(slip), str(found)
