"""L2 and L1 penalties: what they add to a loss and to its gradients, of which parameters, from Python and from a worksheet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.core.tensors import Role
from symnet.core.text import definition_text
from symnet.networks.losses_penalty import Penalty
from symnet.networks.sequential import Sequential
from symnet.parsing.worksheet import parse_worksheet
from symnet.worksheet_loader import derivation_of

DICE = np.random.default_rng(4)
X, W, B, Y = (DICE.normal(size=s) for s in ((4, 3), (3, 2), (2,), (4, 2)))
NET = Sequential(sn.Linear("d", "h"))
ADDED: dict[str, tuple[Callable[..., Penalty], Callable[..., float], Callable[..., object]]] = {
    "L2Penalty": (sn.L2Penalty, lambda w: 0.25 * (w**2).sum() / 2, lambda w: 0.25 * w),
    "L1Penalty": (sn.L1Penalty, lambda w: 0.25 * np.abs(w).sum(), lambda w: 0.25 * np.sign(w)),
}


@pytest.mark.parametrize("which", ["all", "weights"])
@pytest.mark.parametrize("make, value, slope", ADDED.values(), ids=ADDED)
def test_it_adds_its_value_and_its_slope(make: Callable[..., Penalty], value: Callable[..., float], slope: Callable[..., object], which: str) -> None:
    plain, grads = derive(NET.program(sn.MSELoss())).compile(check=False)({"W1": W, "b1": B}, X, Y)
    loss, found = derive(NET.program(make(sn.MSELoss(), "1/4", which))).compile(check=False)({"W1": W, "b1": B}, X, Y)
    biases = which == "all"
    assert loss == pytest.approx(plain + value(W) + biases * value(B), rel=1e-13)
    np.testing.assert_allclose(found["W1"], grads["W1"] + slope(W), rtol=1e-12)
    np.testing.assert_allclose(found["b1"], grads["b1"] + biases * slope(B), rtol=1e-12)


@pytest.mark.parametrize("make", [sn.L2Penalty, sn.L1Penalty])
@pytest.mark.parametrize("loss", [sn.MSELoss(), sn.CrossEntropyLoss(normalized=True), sn.HuberLoss(delta=2), sn.InfoNCE()], ids=lambda loss: type(loss).__name__)
def test_every_step_checks_with_any_loss(make: Callable[..., Penalty], loss: sn.MSELoss) -> None:
    d = derive(Sequential(sn.Linear("d", "h"), sn.Tanh(), sn.Linear("h", "k")).program(make(loss, "1/8")))
    assert all(s.check() for s in d.steps)


def test_the_weight_may_be_a_symbol_and_the_lines_read_like_the_textbook() -> None:
    made = Sequential(sn.Linear("d", 1)).program(sn.L2Penalty(sn.MSELoss(), "lambda", "weights"))
    shown = [definition_text(line, made.tensors) for line in made.definitions[-2:]]
    assert shown == ["R = sum(W1[i, 1]**2 for i in 1..d)/2", "L = lambda*R + E"]
    assert made["lambda"].role is Role.CONSTANT and derive(made).wrt == ("W1", "b1")


def test_two_penalties_make_an_elastic_net() -> None:
    made = NET.program(sn.L1Penalty(sn.L2Penalty(sn.MSELoss(), 2), 3))
    loss, _ = derive(made).compile(check=False)({"W1": W, "b1": B}, X, Y)
    sizes = np.concatenate([W.ravel(), B])
    assert loss == pytest.approx(((X @ W + B - Y) ** 2).mean() + (sizes**2).sum() + 3 * np.abs(sizes).sum(), rel=1e-13)


def test_the_slope_of_the_absolute_value_is_0_at_0() -> None:
    d = derive(Sequential(sn.Linear(1, 1)).program(sn.L1Penalty(sn.MSELoss(), 5)))
    assert d.at({"x": 0, "w1": 0, "b1": 1, "y": 1}).exact("dL_dw1") == 0


SHEET = """
[program]
layers = ["Linear(2, 3)", "GELU(approximate='tanh')", "Linear(3, 1)"]
loss = "{}"
"""
PAGES = {
    "a number": "HuberLoss(delta=1)", "by name": "HuberLoss(delta=0.5, reduction=sum)", "a fraction": "HuberLoss(delta=1/3)",
    "a loss in a penalty": "L2Penalty(MSELoss(), 0.01)", "a symbol": "L1Penalty(MSELoss(), lam, parameters=weights)",
    "two deep": "L1Penalty(L2Penalty(BCEWithLogitsLoss(pos_weight=2), 0.1), 0.2)", "quoted": "SmoothL1Loss(reduction='sum')",
}


@pytest.mark.parametrize("loss", PAGES.values(), ids=PAGES)
def test_a_worksheet_may_ask_for_it(loss: str) -> None:
    d = derivation_of(parse_worksheet(SHEET.format(loss)))
    assert d.wrt == ("W1", "b1", "W2", "b2") and d.steps[-1].check()


WRONG: dict[str, Callable[[], object]] = {
    "no loss": lambda: sn.L2Penalty("MSELoss", 1), "a class": lambda: sn.L2Penalty(sn.Linear, 1), "which": lambda: sn.L2Penalty(sn.MSELoss(), 1, "some"),
    "below 0": lambda: NET.program(sn.L2Penalty(sn.MSELoss(), -1)), "no number": lambda: NET.program(sn.L2Penalty(sn.MSELoss(), "1/0")),
    "no parameters": lambda: Sequential(sn.Linear(2, 2, bias=False), sn.Tanh()).program(sn.L2Penalty(sn.MSELoss(), 1, "biases")),
    "a page with a layer for a loss": lambda: derivation_of(parse_worksheet(SHEET.format("L2Penalty(Tanh(), 1)"))),
    "a page without the weight": lambda: derivation_of(parse_worksheet(SHEET.format("L2Penalty(MSELoss())"))),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_said_in_one_line(make: Callable[[], object]) -> None:
    with pytest.raises(sn.SymnetError) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_worksheet_with_values_for_two_arrays_of_one_batch_is_read() -> None:
    page = SHEET.format("HuberLoss(delta=1)") + "[symbols]\nX = [[1, 2], [3, 4], [5, 6]]\nY = [[1], [2], [3]]\n"
    assert derivation_of(parse_worksheet(page)).meta["sizes"] == {"N": 3}
    with pytest.raises(sn.SymnetError, match="size N = 2; expected 3"):
        derivation_of(parse_worksheet(page.replace("[[1], [2], [3]]", "[[1], [2]]")))
