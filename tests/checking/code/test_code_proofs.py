"""No wrong proof: every entry is looked at, however small the difference; and what proves needs no luck with the points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.checking.code.proving import NO, Prover
from symnet.checking.code.tidying import Tidy
from symnet.core.verdict import Answer
from symnet.equality.compare import compare
from symnet.equality.null_sets import is_null
from symnet.parsing.program import expression

NET = sn.derive(sn.Sequential(sn.Linear("d", "h"), sn.ReLU(), sn.Linear("h", "k"), sn.Sigmoid()), sn.MSELoss())


def code(W1, b1, W2, b2, X, Y):  # type: ignore[no-untyped-def]
    z1 = X @ W1 + b1
    a1 = z1 * (z1 > 0)
    a2 = 1 / (1 + np.exp(-(a1 @ W2 + b2)))
    dz2 = 2 * (a2 - Y) / Y.size * a2 * (1 - a2)
    dz1 = np.where(z1 > 0, dz2 @ W2.T, 0)
    return {"W1": X.T @ dz1, "b1": dz1.sum(0), "W2": a1.T @ dz2, "b2": dz2.sum(0)}


@pytest.mark.parametrize(("name", "place"), [("W1", (1, 3)), ("W2", (0, 0)), ("b1", (2,)), ("b2", (4,))])
@pytest.mark.parametrize("change", [lambda e: e * (1 + 1e-9), lambda e: e + 1e-12, lambda e: -e])
def test_one_entry_off_by_little_is_found(name: str, place: tuple[int, ...], change: Any) -> None:
    def spoilt(W1, b1, W2, b2, X, Y):  # type: ignore[no-untyped-def]
        g = code(W1, b1, W2, b2, X, Y)
        g[name][place] = change(g[name][place])
        return g

    found = sn.check_code(spoilt, NET, {"N": 3, "d": 2, "h": 4, "k": 5})
    assert found[name].verdict.answer is Answer.REFUTED and found[name].entry == place
    assert all(j.right for j in found.judged if j.name != name)


def test_a_difference_that_shows_in_a_corner_only_is_not_proved() -> None:
    """max(z, 0) and max(z, 0) + max(z - 10^6, 0) agree at every small point."""
    d = sn.derive(sn.program("L = sum(relu(w*x))", tensors={"w": (), "x": ("N",)}), wrt=["w"])
    found = sn.check_code(lambda w, x: {"w": ((w * x > 0) * x).sum() + ((w * x > 1000000) * x).sum()}, d)
    assert found["w"].verdict.answer in (Answer.UNDECIDED, Answer.REFUTED)


def test_a_merge_needs_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a prover that proves nothing, equal values at all points give no verdict."""
    monkeypatch.setattr(Prover, "_try", lambda self, left, right: NO)
    found = sn.check_code(code, NET, {"N": 2, "d": 2, "h": 2, "k": 2})
    assert {j.verdict.answer for j in found.judged} == {Answer.UNDECIDED}


def test_no_time_is_undecided_with_the_reason() -> None:
    found = sn.check_code(code, NET, {"N": 2, "d": 2, "h": 2, "k": 2}, seconds=-1)
    assert any("time" in j.verdict.reason for j in found.judged) and not any(j.verdict.answer is Answer.REFUTED for j in found.judged)


TIDY = ["log(exp(x)*y**2/(exp(x) + exp(z)))", "log(exp(x + m) + exp(z + m))", "step(2*x - 4) + step(-3*x)", "max(x, 1) - min(x, 0)", "sign(x - y)"]


@pytest.mark.parametrize("text", TIDY)
@pytest.mark.parametrize("kinks", [False, True])
def test_tidying_keeps_every_value(text: str, kinks: bool) -> None:
    tensors = {n: sn.Tensor(n) for n in "xyzm"}
    expr = expression(text, tensors).expr
    assert compare(expr, Tidy(is_null if kinks else None)(expr)).answer is not Answer.REFUTED


@pytest.mark.parametrize(("factor", "answer", "said"), [
    (lambda w, x: w / w, Answer.ALMOST_EVERYWHERE, "except where w = 0"),
    (lambda w, x: np.sqrt(w) ** 2 / np.sqrt(w) ** 2, Answer.CONDITIONAL, "w > 0"),
    (lambda w, x: np.exp(np.log(w)) / (w * w) * w, Answer.CONDITIONAL, "w > 0"),
    (lambda w, x: (w**2 + 1) / (1 + w * w), Answer.PROVED, ""),
    (lambda w, x: np.exp(w) / np.exp(w), Answer.PROVED, ""),
    (lambda w, x: np.where(w != 0, w / w, 1), Answer.UNDECIDED, ""),
])
def test_what_the_code_divides_by_is_part_of_the_verdict(factor: Any, answer: Answer, said: str) -> None:
    d = sn.derive(sn.program("L = sum((w*x)**2)", tensors={"w": (), "x": ("N",)}), wrt=["w"])
    found = sn.check_code(lambda w, x: {"w": (2 * w * x**2).sum() * factor(w, x)}, d)["w"].verdict
    assert (found.answer is answer or answer is Answer.UNDECIDED) and said in found.condition
