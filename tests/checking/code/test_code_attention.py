"""Scaled dot-product attention, free and causal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer
from symnet.networks.attention import attention

FREE, CAUSAL = sn.derive(attention()), sn.derive(attention(mask="causal"))


def softmax_attention(Q, K, V, Y):  # type: ignore[no-untyped-def]
    d = Q.shape[-1]
    U = Q @ K.T / np.sqrt(d)
    E = np.exp(U - U.max(-1, keepdims=True))
    P = E / E.sum(-1, keepdims=True)
    dO = P @ V - Y
    dV = P.T @ dO
    dP = dO @ V.T
    dU = P * (dP - (dP * P).sum(-1, keepdims=True))
    return 0.5 * np.sum(dO**2), (dU @ K * d**-0.5, dU.T @ Q / np.sqrt(d), dV)


def causal(Q, K, V, Y):  # type: ignore[no-untyped-def]
    T, d = Q.shape
    U = np.where(np.tril(np.ones((T, T))) == 1, Q @ K.T / np.sqrt(d), -np.inf)
    P = np.exp(U) / np.exp(U).sum(-1, keepdims=True)
    dO = P @ V - Y
    dP = dO @ V.T
    dU = P * dP - P * np.sum(P * dP, axis=1)[:, None]
    return 0.5 * np.sum(dO**2), dU @ K / np.sqrt(d), dU.T @ Q / np.sqrt(d), P.T @ dO


@pytest.mark.parametrize(("function", "derivation"), [(softmax_attention, FREE), (causal, CAUSAL)], ids=["free", "causal"])
def test_the_right_code_is_proved(function: Any, derivation: Any) -> None:
    found = sn.check_code(function, derivation)
    assert {j.name: j.verdict.answer for j in found.judged} == dict.fromkeys(("L", "Q", "K", "V"), Answer.PROVED)


WRONG = {
    "no softmax backwards": (softmax_attention, FREE, "P * (dP - (dP * P).sum(-1, keepdims=True))", "dP", {"Q", "K"}, "", ""),
    "diagonal alone": (softmax_attention, FREE, " - (dP * P).sum(-1, keepdims=True)", "", {"Q", "K"}, "value for the slope", "dL/dU"),
    "wrong axis": (softmax_attention, FREE, "(dP * P).sum(-1, keepdims=True)", "(dP * P).sum(0, keepdims=True)", {"Q", "K"}, "", ""),
    "no scale": (softmax_attention, FREE, "dU @ K * d**-0.5", "dU @ K", {"Q"}, "missing chain factor", "dL/dQ"),
    "keys for queries": (softmax_attention, FREE, "dU.T @ Q / np.sqrt(d)", "dU.T @ K[:2] / np.sqrt(d)", {"K"}, "", ""),
    "mask forgotten": (causal, CAUSAL, "np.where(np.tril(np.ones((T, T))) == 1, Q @ K.T / np.sqrt(d), -np.inf)", "Q @ K.T / np.sqrt(d)",
                       {"L", "Q", "K", "V"}, "", ""),
}


@pytest.mark.parametrize(("function", "derivation", "old", "new", "wrong", "kind", "said"), list(WRONG.values()), ids=list(WRONG))
def test_wrong_code_is_refuted_and_the_slip_named(changed: Any, function: Any, derivation: Any, old: str, new: str, wrong: set[str],
                                                  kind: str, said: str) -> None:
    sizes = {"T": 2, "d": 3, "S": 4, "v": 5} if derivation is FREE else {"T": 3, "d": 2, "v": 4}
    found = sn.check_code(changed(function, old, new), derivation, sizes)
    assert {j.name for j in found.judged if j.verdict.answer is Answer.REFUTED} == wrong
    for name in wrong if kind else ():
        slip = found[name].slip
        assert slip is not None and slip.kind == kind and said in str(slip), str(found)


def test_a_large_number_for_infinity_is_a_condition(changed: Any) -> None:
    found = sn.check_code(changed(causal, "-np.inf", "-1e9"), CAUSAL, {"T": 2, "d": 3, "v": 4})
    assert found and {j.verdict.answer for j in found.judged} == {Answer.CONDITIONAL}
    assert found["Q"].verdict.condition == "-1000000000 is taken for -∞"
