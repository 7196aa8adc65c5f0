"""Where PyTorch is installed: twenty steps of torch.optim and its schedulers themselves, in float64."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
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
    "amsgrad": (sn.Adam("1/8", ("3/4", "1/2"), "1/32", 0, True), "Adam", {**ADAM, "amsgrad": True}),
    "amsgrad of adamw": (sn.AdamW("1/8", ("3/4", "1/2"), "1/32", "1/4", True), "AdamW", {**ADAM, "weight_decay": 0.25, "amsgrad": True}),
    "adam, decoupled": (sn.Adam("1/8", ("3/4", "1/2"), "1/32", "1/4", decoupled_weight_decay=True), "Adam",
                        {**ADAM, "weight_decay": 0.25, "decoupled_weight_decay": True}),
    "nadam, decoupled": (sn.NAdam("1/8", ("3/4", "1/2"), "1/32", "1/4", "1/4", True), "NAdam",
                         {**ADAM, "momentum_decay": 0.25, "weight_decay": 0.25, "decoupled_weight_decay": True}),
    "nadam, coupled": (sn.NAdam("1/8", ("3/4", "1/2"), "1/32", "1/4"), "NAdam", {**ADAM, "weight_decay": 0.25}),
    "radam, decoupled": (sn.RAdam("1/8", ("3/4", "7/8"), "1/32", "1/4", True), "RAdam",
                         {**ADAM, "betas": (0.75, 0.875), "weight_decay": 0.25, "decoupled_weight_decay": True}),
    "radam, coupled": (sn.RAdam("1/8", ("3/4", "7/8"), "1/32", "1/4"), "RAdam", {**ADAM, "betas": (0.75, 0.875), "weight_decay": 0.25}),
    "adagrad, begun": (sn.Adagrad("1/8", "1/2", "1/4", "3/4", "1/32"), "Adagrad",
                       {"lr": 0.125, "lr_decay": 0.5, "weight_decay": 0.25, "initial_accumulator_value": 0.75, "eps": 0.03125}),
    "rmsprop, everything": (sn.RMSprop("1/8", "3/4", "1/32", "1/4", "1/2", True, maximize=True), "RMSprop",
                            {**MEANS, "centered": True, "momentum": 0.5, "weight_decay": 0.25, "maximize": True}),
    "rprop": (sn.Rprop("1/8"), "Rprop", {"lr": 0.125}),
    "rprop, everything": (sn.Rprop("1/8", ("1/4", "3/2"), ("1/16", "1/4"), maximize=True), "Rprop",
                          {"lr": 0.125, "etas": (0.25, 1.5), "step_sizes": (0.0625, 0.25), "maximize": True}),
    "asgd": (sn.ASGD("1/8", "1/4"), "ASGD", {"lr": 0.125, "lambd": 0.25}),
    "asgd, averaged": (sn.ASGD("1/8", "1/4", "1/2", 3, "1/4", maximize=True), "ASGD",
                       {"lr": 0.125, "lambd": 0.25, "alpha": 0.5, "t0": 3.0, "weight_decay": 0.25, "maximize": True}),
    **{f"{name.lower()}, maximized": (getattr(sn, name)("1/8", weight_decay="1/4", maximize=True), name,
                                      {"lr": 0.125, "weight_decay": 0.25, "maximize": True})
       for name in ("SGD", "Adagrad", "Adadelta", "Adam", "AdamW", "Adamax", "NAdam", "RAdam")},
    "nesterov, maximized": (sn.SGD("1/8", "3/4", 0, "1/4", True, maximize=True), "SGD", {**HEAVY, "nesterov": True, "weight_decay": 0.25, "maximize": True}),
}


@pytest.fixture(autouse=True)
def _doubles() -> Iterator[None]:
    """PyTorch keeps the states that are one number, such as ASGD's rate, in its default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


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
    np.testing.assert_allclose(w, parameter.detach().numpy(), rtol=1e-12)
    if theirs == "ASGD":
        np.testing.assert_allclose(state["a"], optimizer.state[parameter]["ax"].numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", ["Rprop", "ASGD"])
def test_a_schedule_under_a_rule_that_keeps_its_rate_is_pytorchs(name: str) -> None:
    rule = sn.with_schedule(getattr(sn, name)("1/8"), sn.LinearLR("1/2", 1, 4))
    run = update_function(rule.program, ("w_new", *[new for _, new in rule.states]))
    w, state = START, {old: np.zeros_like(START) for old, _ in rule.states}
    parameter = torch.tensor(START.copy(), requires_grad=True)
    optimizer = getattr(torch.optim, name)([parameter], lr=0.125)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 0.5, 1, 4)
    for t, g in enumerate(GRADIENTS, start=1):
        w, *new = run(w=w, g=g, **state, **{k: float(v) for k, v in rule.settings.items()}, t=float(t))
        state = {old: s for (old, _), s in zip(rule.states, new, strict=True)}
        parameter.grad = torch.tensor(g.copy())
        optimizer.step()
        scheduler.step()
    np.testing.assert_allclose(w, parameter.detach().numpy(), rtol=1e-12)


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
    "longer restarts": (sn.CosineAnnealingWarmRestarts(3, 2, "1/8"), "CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.125}),
    "thrice as long": (sn.CosineAnnealingWarmRestarts(1, 3), "CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 3}),
    "one cycle": (sn.OneCycleLR(2, 24), "OneCycleLR", {"max_lr": 2.0, "total_steps": 24}),
    "one cycle, linear": (sn.OneCycleLR(2, None, 8, 3, "1/4", "linear", True, "1/2", "3/4", 8, 16), "OneCycleLR",
                          {"max_lr": 2.0, "epochs": 8, "steps_per_epoch": 3, "pct_start": 0.25, "anneal_strategy": "linear", "base_momentum": 0.5,
                           "max_momentum": 0.75, "div_factor": 8.0, "final_div_factor": 16.0}),
    "one cycle, three phases": (sn.OneCycleLR(2, 24, pct_start="0.37", three_phase=True), "OneCycleLR",
                                {"max_lr": 2.0, "total_steps": 24, "pct_start": 0.37, "three_phase": True}),
    "one cycle, no way up": (sn.OneCycleLR(2, 24, pct_start=0, cycle_momentum=False), "OneCycleLR",
                             {"max_lr": 2.0, "total_steps": 24, "pct_start": 0.0, "cycle_momentum": False}),
    "cyclic": (sn.CyclicLR("1/8", 1, 4), "CyclicLR", {"base_lr": 0.125, "max_lr": 1.0, "step_size_up": 4}),
    "cyclic, halved": (sn.CyclicLR("1/8", 1, 3, 2, "triangular2", base_momentum="1/2"), "CyclicLR",
                       {"base_lr": 0.125, "max_lr": 1.0, "step_size_up": 3, "step_size_down": 2, "mode": "triangular2", "base_momentum": 0.5}),
    "cyclic, falling": (sn.CyclicLR("1/8", 1, 3, 5, "exp_range", "7/8", cycle_momentum=False), "CyclicLR",
                        {"base_lr": 0.125, "max_lr": 1.0, "step_size_up": 3, "step_size_down": 5, "mode": "exp_range", "gamma": 0.875,
                         "cycle_momentum": False}),
    "lambda": (sn.LambdaLR(lambda e: 0.95**e), "LambdaLR", {"lr_lambda": lambda e: 0.95**e}),
    "lambda of parts": (sn.LambdaLR(lambda e: 0.5 ** (e // 4) / (1 + e)), "LambdaLR", {"lr_lambda": lambda e: 0.5 ** (e // 4) / (1 + e)}),
    "multiplicative": (sn.MultiplicativeLR(lambda e: 0.9), "MultiplicativeLR", {"lr_lambda": lambda e: 0.9}),
}
Kind = tuple[str, tuple[Any, ...], dict[str, Any]]
PARTS: dict[str, tuple[list[Kind], list[int] | None]] = {  # None for all at once
    "two": ([("ConstantLR", (0.25, 2), {}), ("ExponentialLR", (0.9,), {})], [7]),
    "four": ([("LinearLR", (0.25, 1, 3), {}), ("CosineAnnealingLR", (4,), {"eta_min": 0.125}), ("StepLR", (2, 0.5), {}),
              ("PolynomialLR", (5, 2.0), {})], [3, 9, 14]),
    "restarts behind": ([("LinearLR", (0.5, 1, 5), {}), ("CosineAnnealingWarmRestarts", (3,), {"T_mult": 2}), ("MultiStepLR", ([2, 3], 0.5), {})],
                        [5, 16]),
    "chained": ([("ConstantLR", (0.25, 4), {}), ("ExponentialLR", (0.9,), {})], None),
    "chained, many": ([("LinearLR", (0.25, 1, 3), {}), ("StepLR", (5, 0.5), {}), ("MultiStepLR", ([2, 9], 0.5), {}), ("PolynomialLR", (11, 2.0), {})], None),
}


def ours(kind: Kind) -> Any:
    name, args, keywords = kind
    texts = [str(a) if isinstance(a, float) else a for a in args]
    return getattr(sn, name)(*texts, **{k: str(v) if isinstance(v, float) else v for k, v in keywords.items()})


@pytest.mark.parametrize("name", PARTS)
def test_schedules_of_schedules_are_those_of_torch(name: str) -> None:
    kinds, milestones = PARTS[name]
    rates = sn.ChainedScheduler([ours(k) for k in kinds]) if milestones is None else sn.SequentialLR([ours(k) for k in kinds], milestones)
    module = torch.optim.lr_scheduler
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    parts = [getattr(module, n)(optimizer, *a, **k) for n, a, k in kinds]
    scheduler = module.ChainedScheduler(parts) if milestones is None else module.SequentialLR(optimizer, parts, milestones)
    wanted = []
    for _ in range(24):
        wanted.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert [rates.rate(t, "1/2") for t in range(1, 25)] == pytest.approx(wanted, rel=1e-12, abs=1e-14)
    program = sn.with_schedule(sn.SGD("1/2"), rates)  # compiled, too
    run = update_function(program.program, ("lr_t",))
    fixed = {k: float(v) for k, v in program.settings.items()}
    assert [float(run(w=0.0, g=0.0, t=float(t), **fixed)[0]) for t in range(1, 25)] == pytest.approx(wanted, rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("theirs", ["SGD", "Adam", "RMSprop"])
@pytest.mark.parametrize("kind", ["OneCycleLR", "CyclicLR"])
def test_a_cycle_moves_the_momentum_of_the_rule_as_in_torch(kind: str, theirs: str) -> None:
    with_momentum = {} if theirs == "Adam" else {"momentum": 0.5}
    rates = sn.OneCycleLR("1/8", 20) if kind == "OneCycleLR" else sn.CyclicLR("1/16", "1/8", 3)
    rule = sn.with_schedule(getattr(sn, theirs)(**{k: str(v) for k, v in with_momentum.items()}), rates)
    run = update_function(rule.program, ("w_new", *[new for _, new in rule.states]))
    w, state = START, {old: np.zeros_like(START) for old, _ in rule.states}
    parameter = torch.tensor(START.copy(), requires_grad=True)
    optimizer = getattr(torch.optim, theirs)([parameter], **with_momentum)
    options: dict[str, Any] = {"max_lr": 0.125, "total_steps": 20} if kind == "OneCycleLR" else {"base_lr": 0.0625, "max_lr": 0.125, "step_size_up": 3}
    scheduler = getattr(torch.optim.lr_scheduler, kind)(optimizer, **options)
    for t, g in enumerate(GRADIENTS, start=1):
        w, *new = run(w=w, g=g, **state, **{k: float(v) for k, v in rule.settings.items()}, t=float(t))
        state = {old: s for (old, _), s in zip(rule.states, new, strict=True)}
        group = optimizer.param_groups[0]
        assert rates.momentum(t) == pytest.approx(group["betas"][0] if theirs == "Adam" else group["momentum"], rel=1e-12)
        parameter.grad = torch.tensor(g.copy())
        optimizer.step()
        if t < len(GRADIENTS):
            scheduler.step()
    np.testing.assert_allclose(w, parameter.detach().numpy(), rtol=1e-11)


@pytest.mark.parametrize(("rates", "theirs", "options"), SCHEDULES.values(), ids=SCHEDULES)
def test_the_rates_are_those_of_torch_schedulers(rates: Any, theirs: str, options: dict[str, Any]) -> None:
    parameter = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=0.5, momentum=0.5)
    scheduler = getattr(torch.optim.lr_scheduler, theirs)(optimizer, **options)
    for t in range(1, 25):
        assert rates.rate(t, "1/2") == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12, abs=1e-14)
        if rates.moves_momentum:
            assert rates.momentum(t) == pytest.approx(optimizer.param_groups[0]["momentum"], rel=1e-12)
        parameter.grad = torch.zeros(1)
        optimizer.step()
        if t < 24:
            scheduler.step()
