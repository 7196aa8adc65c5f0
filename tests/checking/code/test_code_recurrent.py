"""A vanilla RNN with backpropagation through time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer

RNN = sn.derive(sn.Sequential(sn.RNN("d", "h", steps="T")), sn.HalfSquaredError())


def bptt(X, Y, W1_ih, W1_hh, b1_ih, b1_hh):  # type: ignore[no-untyped-def]
    N, T, _ = X.shape
    H = W1_hh.shape[0]
    h = np.zeros((N, T + 1, H))
    for t in range(T):
        h[:, t + 1] = np.tanh(X[:, t] @ W1_ih.T + b1_ih + h[:, t] @ W1_hh.T + b1_hh)
    dWi, dWh = np.zeros_like(W1_ih), np.zeros_like(W1_hh)
    db, dnext = np.zeros(H), np.zeros((N, H))
    for t in reversed(range(T)):
        dh = h[:, t + 1] - Y[:, t] + dnext
        dz = (1 - h[:, t + 1] ** 2) * dh
        dWi += dz.T @ X[:, t]
        dWh += dz.T @ h[:, t]
        db += dz.sum(axis=0)
        dnext = dz @ W1_hh
    return 0.5 * np.sum((h[:, 1:] - Y) ** 2), {"W1_ih": dWi, "W1_hh": dWh, "b1_ih": db, "b1_hh": db}


def test_the_right_code_is_proved() -> None:
    found = sn.check_code(bptt, RNN)
    assert {j.name: j.verdict.answer for j in found.judged} == dict.fromkeys(("L", "W1_ih", "W1_hh", "b1_ih", "b1_hh"), Answer.PROVED)


WRONG = {
    "no carry": ("dnext = dz @ W1_hh", "pass", {"W1_ih", "W1_hh", "b1_ih", "b1_hh"}, "missing time", "in dL/dh1, the path through z1"),
    "transposed carry": ("dnext = dz @ W1_hh", "dnext = dz @ W1_hh.T", {"W1_ih", "W1_hh"}, "transposed factor", "a factor is transposed"),
    "state of this step": ("dz.T @ h[:, t]", "dz.T @ h[:, t + 1]", {"W1_hh"}, "shifted index", "h1[n, t, j] stands where h1[n, t - 1, j] belongs"),
    "last step only": ("dWi += dz.T", "dWi = dz.T", {"W1_ih"}, "only the first step", "first place of the sum over 1..T"),
    "no slope": ("(1 - h[:, t + 1] ** 2) * dh", "dh", {"W1_ih", "W1_hh", "b1_ih"}, "missing activation slope", "dL/dz1"),
    "slope of the state before": ("(1 - h[:, t + 1] ** 2)", "(1 - h[:, t] ** 2)", {"W1_ih", "W1_hh"}, "shifted index", "h1[n, t - 1, j] stands where h1[n, t, j] belongs"),
}


@pytest.mark.parametrize(("old", "new", "wrong", "kind", "said"), list(WRONG.values()), ids=list(WRONG))
def test_wrong_code_is_refuted_and_the_slip_named(changed: Any, old: str, new: str, wrong: set[str], kind: str, said: str) -> None:
    found = sn.check_code(changed(bptt, old, new), RNN)
    assert wrong <= {j.name for j in found.judged if j.verdict.answer is Answer.REFUTED}
    assert found["L"].verdict.answer is Answer.PROVED
    for name in wrong if kind else ():
        slip = found[name].slip
        assert slip is not None and slip.kind == kind and said in str(slip), str(found)
