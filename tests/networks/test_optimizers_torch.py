"""Where PyTorch is installed: twenty steps of torch.optim and its schedulers themselves, in float64."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.backends.updates import update_function

torch = importlib.import_module("torch")

RNG = np.random.default_rng(7)
START, GRADIENTS = RNG.normal(size=(2, 3)), [RNG.normal(size=(2, 3)) for _ in range(20)]
HEAVY, MEANS = {"lr": 0.125, "momentum": 0.75}, {"lr": 0.125, "alpha": 0.75, "eps": 0.03125}
ADAM = {"lr": 0.125, "betas": (0.75, 0.5), "eps": 0.03125}
RULES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "sgd": (sn.SGD("1/8"), "SGD", {"lr": 0.125}), "momentum": (sn.Momentum("1/8", "3/4"), "SGD", HEAVY),
    "dampening": (sn.Momentum("1/8", "3/4", "1/4"), "SGD", {**HEAVY, "dampening": 0.25}),
    "decay": (sn.Momentum("1/8", "3/4", "1/4", weight_decay="1/4"), "SGD", {**HEAVY, "dampening": 0.25, "weight_decay": 0.25}),
    "nesterov": (sn.Nesterov("1/8", "3/4", weight_decay="1/4"), "SGD", {**HEAVY, "nesterov": True, "weight_decay": 0.25}),
    "adagrad": (sn.Adagrad("1/8", "1/2", eps="1/32"), "Adagrad", {"lr": 0.125, "lr_decay": 0.5, "eps": 0.03125}),
    "rmsprop": (sn.RMSprop("1/8", "3/4", "1/32"), "RMSprop", MEANS),
    "centered": (sn.RMSprop("1/8", "3/4", "1/32", centered=True, momentum="1/2"), "RMSprop", {**MEANS, "centered": True, "momentum": 0.5}),
    "adam": (sn.Adam("1/8", ("3/4", "1/2"), "1/32", weight_decay="1/4"), "Adam", {**ADAM, "weight_decay": 0.25}),
    "adamw": (sn.AdamW("1/8", ("3/4", "1/2"), "1/32", weight_decay="1/4"), "AdamW", {**ADAM, "weight_decay": 0.25}),
    "nadam": (sn.NAdam("1/8", ("3/4", "1/2"), "1/32", momentum_decay="1/4"), "NAdam", {**ADAM, "momentum_decay": 0.25}),
    "adadelta": (sn.Adadelta("1/8", "3/4", "1/32", weight_decay="1/4"), "Adadelta", {"lr": 0.125, "rho": 0.75, "eps": 0.03125, "weight_decay": 0.25}),
    "adamax": (sn.Adamax("1/8", ("3/4", "1/2"), "1/32", weight_decay="1/4"), "Adamax", {**ADAM, "weight_decay": 0.25}),
    "radam": (sn.RAdam("1/8", ("3/4", "7/8"), "1/32"), "RAdam", {**ADAM, "betas": (0.75, 0.875)}),
}


@pytest.mark.parametrize(("rule", "theirs", "options"), RULES.values(), ids=RULES)
def test_twenty_steps_are_those_of_torch_optim(rule: Any, theirs: str, options: dict[str, Any]) -> None:
    run = update_function(rule.program, ("w_new", *[new for _, new in rule.states]))
    w, state = START, {old: np.zeros_like(START) for old, _ in rule.states}
    fixed = {k: float(v) for k, v in rule.settings.items()}
    parameter = torch.tensor(START.copy(), requires_grad=True)
    optimizer = getattr(torch.optim, theirs)([parameter], **options)
    for t, g in enumerate(GRADIENTS, start=1):
        w, *new = run(w=w, g=g, **state, **fixed, **({"t": float(t)} if rule.counts else {}))
        state = {old: s for (old, _), s in zip(rule.states, new, strict=True)}
        parameter.grad = torch.tensor(g.copy())
        optimizer.step()
    loose = theirs == "NAdam"  # PyTorch keeps NAdam's product of momenta in single precision
    np.testing.assert_allclose(w, parameter.detach().numpy(), rtol=1e-7 if loose else 1e-12)


SCHEDULES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "step": (sn.StepLR(3, "1/10"), "StepLR", {"step_size": 3, "gamma": 0.1}),
    "multistep": (sn.MultiStepLR([4, 9], gamma="1/4"), "MultiStepLR", {"milestones": [4, 9], "gamma": 0.25}),
    "exponential": (sn.ExponentialLR("0.9"), "ExponentialLR", {"gamma": 0.9}),
    "cosine": (sn.CosineAnnealingLR(10), "CosineAnnealingLR", {"T_max": 10}),
    "cosine kept": (sn.CosineAnnealingLR(10, "1/8"), "CosineAnnealingLR", {"T_max": 10, "eta_min": 0.125}),
    "linear": (sn.LinearLR("1/4", 1, 8), "LinearLR", {"start_factor": 0.25, "end_factor": 1.0, "total_iters": 8}),
    "constant": (sn.ConstantLR("1/4", 3), "ConstantLR", {"factor": 0.25, "total_iters": 3}),
    "polynomial": (sn.PolynomialLR(6, "3/2"), "PolynomialLR", {"total_iters": 6, "power": 1.5}),
    "restarts": (sn.CosineAnnealingWarmRestarts(5, eta_min="1/8"), "CosineAnnealingWarmRestarts", {"T_0": 5, "eta_min": 0.125}),
}


@pytest.mark.parametrize(("rates", "theirs", "options"), SCHEDULES.values(), ids=SCHEDULES)
def test_the_rates_are_those_of_torch_schedulers(rates: Any, theirs: str, options: dict[str, Any]) -> None:
    parameter = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.5)
    scheduler = getattr(torch.optim.lr_scheduler, theirs)(optimizer, **options)
    for t in range(1, 25):
        assert rates.rate(t, "1/2") == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12, abs=1e-14)
        parameter.grad = torch.zeros(1)
        optimizer.step()
        scheduler.step()
