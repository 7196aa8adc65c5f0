"""Dropout with the mask passed in, and why it has to be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer
from symnet.errors import SymnetError

NET = sn.derive(sn.Sequential(sn.Linear("d", "h"), sn.ReLU(), sn.Dropout("1/5"), sn.Linear("h", "k")), sn.CrossEntropyLoss())


def dropout(params, X, y, mask):  # type: ignore[no-untyped-def]
    p = 0.2
    z = X @ params["W1"] + params["b1"]
    a = np.maximum(z, 0)
    d = a * mask / (1 - p)
    s = d @ params["W2"] + params["b2"]
    s = s - s.max(1, keepdims=True)
    P = np.exp(s) / np.exp(s).sum(1, keepdims=True)
    N = len(y)
    loss = -np.sum(np.log(P[range(N), y])) / N
    ds = P
    ds[range(N), y] -= 1
    ds /= N
    da = ds @ params["W2"].T * mask / (1 - p)
    dz = da * (z > 0)
    return loss, {"W1": X.T @ dz, "b1": dz.sum(0), "W2": d.T @ ds, "b2": ds.sum(0)}


def test_the_right_code_is_proved() -> None:
    found = sn.check_code(dropout, NET)
    assert {j.name: j.verdict.answer for j in found.judged} == dict.fromkeys(("L", "W1", "b1", "W2", "b2"), Answer.PROVED)


WRONG = {
    "no mask backwards": ("params[\"W2\"].T * mask / (1 - p)", "params[\"W2\"].T / (1 - p)", {"W1", "b1"}, "missing chain factor", "mask1[n, j]"),
    "no scale backwards": ("params[\"W2\"].T * mask / (1 - p)", "params[\"W2\"].T * mask", {"W1", "b1"}, "constant", "a factor 5/4 is missing"),
    "another p": ("p = 0.2", "p = 0.25", {"L", "W1", "b1", "W2", "b2"}, "", ""),
    "kink of the output": ("(z > 0)", "(d > 0)", {"W1", "b1"}, "", ""),
    "activations before dropout": ("d.T @ ds", "a.T @ ds", {"W2"}, "", ""),
}


@pytest.mark.parametrize(("old", "new", "wrong", "kind", "said"), list(WRONG.values()), ids=list(WRONG))
def test_wrong_code_is_refuted_and_the_slip_named(changed: Any, old: str, new: str, wrong: set[str], kind: str, said: str) -> None:
    found = sn.check_code(changed(dropout, old, new), NET)
    assert {j.name for j in found.judged if j.verdict.answer is Answer.REFUTED} == wrong
    for name in wrong if kind else ():
        slip = found[name].slip
        assert slip is not None and slip.kind == kind and said in str(slip), str(found)


def test_the_other_side_of_the_kink_is_almost_everywhere(changed: Any) -> None:
    found = sn.check_code(changed(dropout, "(z > 0)", "(z >= 0)"), NET)
    assert found and found["W1"].verdict.answer is Answer.ALMOST_EVERYWHERE
    assert "except" in found["W1"].verdict.condition and "z1_1_1 = 0" in found["W1"].verdict.condition


@pytest.mark.parametrize("draw", ["np.random.rand(*z.shape) > 0.2", "np.random.binomial(1, 0.8, z.shape)"])
def test_a_mask_drawn_inside_is_refused(changed: Any, draw: str) -> None:
    with pytest.raises(SymnetError, match="mask or noise as an argument"):
        sn.check_code(changed(dropout, "a = np.maximum(z, 0)", f"a = np.maximum(z, 0); mask = {draw}"), NET)


def test_a_generator_made_outside_is_found_out(changed: Any) -> None:
    dice = np.random.default_rng(3)
    code = changed(dropout, "a = np.maximum(z, 0)", "a = np.maximum(z, 0); mask = dice.random(z.shape) > 0.2")
    code.__globals__["dice"] = dice
    with pytest.raises(SymnetError, match="two calls with the same arguments give different results"):
        sn.check_code(code, NET)
