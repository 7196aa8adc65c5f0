"""A convolution in loops, and one by im2col."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer

CONV = sn.derive(sn.Sequential(sn.Conv1d("c", "o", 2, positions="M"), sn.ReLU()), sn.HalfSquaredError())
PLANE = sn.derive(sn.Sequential(sn.Conv2d(2, 3, (2, 2), positions=(2, 3))), sn.MSELoss())


def conv(X, W1, b1, Y):  # type: ignore[no-untyped-def]
    N, _, length = X.shape
    K = W1.shape[2]
    M = length - K + 1
    z = np.zeros((N, W1.shape[0], M))
    for i in range(M):
        z[:, :, i] = np.tensordot(X[:, :, i:i + K], W1, axes=([1, 2], [1, 2])) + b1
    a = np.maximum(z, 0)
    dz = (a - Y) * (z > 0)
    dW, dX = np.zeros_like(W1), np.zeros_like(X)
    for i in range(M):
        dW += np.einsum("no,nck->ock", dz[:, :, i], X[:, :, i:i + K])
        dX[:, :, i:i + K] += np.einsum("no,ock->nck", dz[:, :, i], W1)
    return 0.5 * ((a - Y) ** 2).sum(), {"W1": dW, "b1": dz.sum(axis=(0, 2)), "X": dX}


def im2col(X, W1, b1, Y):  # type: ignore[no-untyped-def]
    """As in the usual course code: columns by fancy indexing, back by np.add.at."""
    N, C, H, W = X.shape
    F, _, HH, WW = W1.shape
    P, Q = H - HH + 1, W - WW + 1
    i = np.tile(np.repeat(np.arange(HH), WW), C).reshape(-1, 1) + np.repeat(np.arange(P), Q).reshape(1, -1)
    j = np.tile(np.arange(WW), HH * C).reshape(-1, 1) + np.tile(np.arange(Q), P).reshape(1, -1)
    k = np.repeat(np.arange(C), HH * WW).reshape(-1, 1)
    cols = X[:, k, i, j].transpose(1, 2, 0).reshape(HH * WW * C, -1)
    out = (W1.reshape(F, -1) @ cols + b1.reshape(-1, 1)).reshape(F, P, Q, N).transpose(3, 0, 1, 2)
    dout = 2 * (out - Y) / out.size
    db = np.sum(dout, axis=(0, 2, 3))
    rows = dout.transpose(1, 2, 3, 0).reshape(F, -1)
    dW = (rows @ cols.T).reshape(W1.shape)
    dcols = (W1.reshape(F, -1).T @ rows).reshape(C * HH * WW, -1, N).transpose(2, 0, 1)
    dX = np.zeros((N, C, H, W), dtype=cols.dtype)
    np.add.at(dX, (slice(None), k, i, j), dcols)
    return np.mean((out - Y) ** 2), {"W1": dW, "b1": db, "X": dX}


@pytest.mark.parametrize(("function", "derivation", "sizes"), [(conv, CONV, None), (im2col, PLANE, {"N": 2})], ids=["loops", "im2col"])
def test_the_right_code_is_proved(function: Any, derivation: Any, sizes: Any) -> None:
    found = sn.check_code(function, derivation, sizes)
    assert {j.name: j.verdict.answer for j in found.judged} == dict.fromkeys(("L", "W1", "b1", "X"), Answer.PROVED)


WRONG = {
    "overlaps overwritten": ("dX[:, :, i:i + K] +=", "dX[:, :, i:i + K] =", {"X"}, "", ""),
    "last window only": ("dW += np", "dW = np", {"W1"}, "only the last step", "only the last place of the sum over 1..M"),
    "bias not summed over places": ("dz.sum(axis=(0, 2))", "dz[:, :, 0].sum(axis=0)", {"b1"}, "only the first step", "only the first place of the sum over 1..M"),
    "bias not summed at all": ("dz.sum(axis=(0, 2))", "dz.sum(axis=0)", {"b1"}, "missing batch sum", "the sum over M (axis 1) is missing"),
    "kernel flipped": ("W1)\n", "W1[:, :, ::-1])\n", {"X"}, "", ""),
    "no relu backwards": ("* (z > 0)", "", {"W1", "b1", "X"}, "missing indicator", "dL/dz1"),
}


@pytest.mark.parametrize(("old", "new", "wrong", "kind", "said"), list(WRONG.values()), ids=list(WRONG))
def test_wrong_code_is_refuted_and_the_slip_named(changed: Any, old: str, new: str, wrong: set[str], kind: str, said: str) -> None:
    found = sn.check_code(changed(conv, old, new), CONV, {"N": 2, "c": 3, "o": 2, "M": 4})
    assert {j.name for j in found.judged if j.verdict.answer is Answer.REFUTED} == wrong
    for name in wrong if kind else ():
        slip = found[name].slip
        assert slip is not None and slip.kind == kind and said in str(slip), str(found)
