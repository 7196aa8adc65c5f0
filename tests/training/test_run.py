"""Training as a worksheet says: its table becomes the arguments of fit, and changes go on top."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import SymnetError, WorksheetError
from symnet.parsing.worksheet import parse_worksheet, schedule_call
from symnet.training.data import xor
from symnet.training.run import schedule_from, train_sheet
from symnet.worksheet_loader import derivation_of

SHEET = """
[program]
layers = ["Linear(2, 2)", "Tanh()", "Linear(2, 1)", "Sigmoid()"]
loss = "BCELoss()"
batch = "N"
[training]
data = "xor"
optimizer = "nesterov"
learning_rate = "1/5"
epochs = 5
seed = 1
momentum = "4/5"
weight_decay = "1/100"
clip_norm = "1/2"
schedule = "warmup(3, step(4, gamma=1/2))"
init = "lecun_normal"
"""


def derived(text: str = SHEET) -> Any:
    return derivation_of(parse_worksheet(text))


def test_every_key_of_the_table_reaches_the_run() -> None:
    made = train_sheet(derived(), {})
    wanted = sn.fit(derived(), *xor(), optimizer=sn.Nesterov("1/5", "4/5", weight_decay="1/100"), epochs=5, seed=1,
                    clip_norm="1/2", schedule=sn.WarmupLR(3, sn.StepLR(4, "1/2")), init="lecun_normal")
    assert made.losses == wanted.losses and all(np.array_equal(made.params[n], wanted.params[n]) for n in made.params)
    assert made.log.optimizer == "Nesterov with weight decay, gradients clipped by norm, WarmupLR and StepLR"
    assert dict(made.log.settings) == {"lr": "1/5", "mu": "4/5", "lam": "1/100", "limit": "1/2", "eps_clip": "1/1000000", "warmup": "3", "step_size": "4", "gamma": "1/2"}


def test_changes_go_on_top() -> None:
    made = train_sheet(derived(), {"epochs": 2, "clip_norm": "1/4", "settings": {"momentum": "1/2"}, "schedule": schedule_call("constant", "test")})
    assert made.log.epochs == 2 and {"mu": "1/2", "limit": "1/4"}.items() <= dict(made.log.settings).items()
    assert "Constant" in made.log.optimizer and "warmup" not in dict(made.log.settings)


def test_another_optimizer_leaves_the_settings_of_the_first_behind() -> None:
    made = train_sheet(derived(), {"optimizer": "lion", "epochs": 1})
    assert made.log.optimizer.startswith("Lion with gradients clipped") and not {"mu", "lam"} & set(dict(made.log.settings))
    assert dict(train_sheet(derived(), {"optimizer": "Nesterov", "epochs": 1}).log.settings)["mu"] == "4/5"


@pytest.mark.parametrize(("text", "name", "rates"), [
    ("constant", "Constant", [1, 1, 1]), ("step(2, gamma=0.5)", "StepLR", [1, 1, 0.5]), ("MultiStepLR([1, 2], gamma=1/2)", "MultiStepLR", [1, 0.5, 0.25]),
    ("cosine(T_max=2)", "CosineAnnealingLR", [1, 0.5, 0]), ("warmup(2, inversetime(1))", "WarmupLR and InverseTimeLR", [0.5, 0.5, 1 / 3]),
    ("warmup(2, then=exponential(0.5))", "WarmupLR and ExponentialLR", [0.5, 0.5, 0.25]),
])
def test_schedules_by_their_text(text: str, name: str, rates: list[float]) -> None:
    made = schedule_from(schedule_call(text, "test"))
    assert made.name == name and [made.rate(t) for t in (1, 2, 3)] == pytest.approx(rates, abs=1e-15)


@pytest.mark.parametrize("text", ["", "step(", "steep(3)", "step()", "step(3, 4, 5)", "step(x)", "step(True)", "warmup(2, 3)", "warmup(2, ReLU(3))", "a b",
                                  "__import__(1)", "cosine(100) then"])
def test_what_is_no_schedule_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SymnetError) as caught:
        schedule_from(schedule_call(text, "test"))
    assert "\n" not in str(caught.value)


def test_a_worksheet_without_training_is_refused() -> None:
    with pytest.raises(WorksheetError, match=r"no \[training\]"):
        train_sheet(derived(SHEET.split("[training]")[0]), {})
