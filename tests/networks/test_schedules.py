"""Learning-rate schedules: every step's rate against PyTorch's formulas in plain Python, alone and inside an optimizer."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import sympy as sp

from symnet.backends.updates import update_function
from symnet.errors import SymnetError
from symnet.networks.gradient_transforms import decoupled_decay
from symnet.networks.optimizers import OPTIMIZERS, SGD, HeavyBall, Momentum, Optimizer
from symnet.networks.schedules import (
    SCHEDULES,
    ChainedScheduler,
    Constant,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    InverseTimeLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    Schedule,
    SequentialLR,
    StepLR,
    WarmupLR,
    schedule,
    with_schedule,
)
from symnet.reports.mathml import to_mathml

# PyTorch's closed forms: the factor of the base rate at its epoch e = t - 1; with lr = 1/2.
LR = 0.5
ROWS: dict[str, tuple[Schedule, Callable[[int], float]]] = {
    "constant": (Constant(), lambda e: LR),
    "step": (StepLR(3, "1/10"), lambda e: LR * 0.1 ** (e // 3)),
    "multistep": (MultiStepLR([4, 9], gamma="1/4"), lambda e: LR * 0.25 ** ((e >= 4) + (e >= 9))),
    "exponential": (ExponentialLR("0.9"), lambda e: LR * 0.9**e),
    "cosine": (CosineAnnealingLR(10), lambda e: LR * (1 + math.cos(math.pi * e / 10)) / 2),
    "cosine kept": (CosineAnnealingLR(10, "1/8"), lambda e: 0.125 + (LR - 0.125) * (1 + math.cos(math.pi * e / 10)) / 2),
    "linear": (LinearLR("1/4", 1, 8), lambda e: LR * (0.25 + 0.75 * min(e, 8) / 8)),
    "constant at first": (ConstantLR("1/4", 3), lambda e: LR * (0.25 if e < 3 else 1)),
    "polynomial": (PolynomialLR(6, "3/2"), lambda e: LR * (1 - min(e, 6) / 6) ** 1.5),
    "restarts": (CosineAnnealingWarmRestarts(5, eta_min="1/8"), lambda e: 0.125 + (LR - 0.125) * (1 + math.cos(math.pi * (e % 5) / 5)) / 2),
    "warmup": (WarmupLR(5), lambda e: LR * min(1.0, (e + 1) / 5)),
    "warmup then": (WarmupLR(5, CosineAnnealingLR(10)), lambda e: LR * min(1.0, (e + 1) / 5) * (1 + math.cos(math.pi * e / 10)) / 2),
    "warmup, kept": (WarmupLR(5, CosineAnnealingLR(10, "1/8")),
                     lambda e: 0.125 + (LR * min(1.0, (e + 1) / 5) - 0.125) * (1 + math.cos(math.pi * e / 10)) / 2),
    "longer restarts": (CosineAnnealingWarmRestarts(3, 2), lambda e: LR * (1 + math.cos(math.pi * (e - 3 * (2 ** (k := int(math.log2(e / 3 + 1))) - 1)) / (
        3 * 2**k))) / 2),
    "one cycle": (OneCycleLR(1, 11, pct_start="6/11", anneal_strategy="linear", cycle_momentum=False, div_factor=5, final_div_factor=2),
                  lambda e: 0.2 + 0.8 * e / 5 if e <= 5 else max(0.1, 1 - 0.9 * (e - 5) / 5)),
    "cyclic": (CyclicLR(0, 1, 3, cycle_momentum=False), lambda e: 1 - abs(e % 6 - 3) / 3),
    "lambda": (LambdaLR(lambda e: 1 / (1 + e**2)), lambda e: LR / (1 + e**2)), "multiplicative": (MultiplicativeLR(lambda e: 0.75), lambda e: LR * 0.75**e),
    "sequential": (SequentialLR([ConstantLR("1/4", 3), ExponentialLR("0.9")], [5]), lambda e: LR * (0.25 if e < 3 else 1 if e < 5 else 0.9 ** (e - 5))),
    "chained": (ChainedScheduler([ConstantLR("1/4", 3), ExponentialLR("0.9")]), lambda e: LR * (0.25 if e < 3 else 1) * 0.9**e),
    "inversetime": (InverseTimeLR("1/4"), lambda e: LR / (1 + 0.25 * e)),
    "1/t": (InverseTimeLR(), lambda e: LR / (e + 1)),
}
every_schedule = pytest.mark.parametrize("rates, by_hand", ROWS.values(), ids=ROWS)


def test_every_schedule_has_a_row() -> None:
    assert {schedule_.name.split(" ")[0] for schedule_, _ in ROWS.values()} == {f.__name__ for f in SCHEDULES.values()}


@every_schedule
def test_the_rates_are_pytorchs(rates: Schedule, by_hand: Callable[[int], float]) -> None:
    assert [rates.rate(t, "1/2") for t in range(1, 25)] == pytest.approx([by_hand(t - 1) for t in range(1, 25)], rel=1e-13, abs=1e-16)


def steps(rule: Optimizer, gradients: list[float], start: float) -> list[float]:
    run = update_function(rule.program, ("w_new", *[new for _, new in rule.states]))
    fixed = {k: float(v) for k, v in rule.settings.items()}
    w, state, seen = start, {old: 0.0 for old, _ in rule.states}, []
    for t, g in enumerate(gradients, start=1):
        w, *new = run(w=w, g=g, **state, **fixed, **({"t": float(t)} if rule.counts else {}))
        state = {old: s for (old, _), s in zip(rule.states, new, strict=True)}
        seen.append(float(w))
    return seen


GRADIENTS = [float(g) for g in np.random.default_rng(2).normal(size=20)]


@every_schedule
def test_twenty_scheduled_steps_of_descent(rates: Schedule, by_hand: Callable[[int], float]) -> None:
    w, wanted = 1.5, []
    for e, g in enumerate(GRADIENTS):
        w -= by_hand(e) * g
        wanted.append(w)
    assert steps(with_schedule(SGD("1/2"), rates), GRADIENTS, 1.5) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_constant_schedule_changes_nothing(name: str) -> None:
    rule = OPTIMIZERS[name]()
    assert steps(with_schedule(rule, Constant()), GRADIENTS, 1.5) == steps(rule, GRADIENTS, 1.5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_halved_rate_is_the_rule_with_half_the_rate(name: str) -> None:
    rule = OPTIMIZERS[name]()
    halved = with_schedule(rule, LinearLR("1/2", "1/2", 1))
    other = steps(rule.with_settings(lr=rule.settings["lr"] / 2), GRADIENTS, 1.5)
    assert steps(halved, GRADIENTS, 1.5) == pytest.approx(other, rel=1e-14)


def test_a_decoupled_decay_follows_the_schedule() -> None:
    rule = with_schedule(decoupled_decay(SGD("1/2"), "1/4"), InverseTimeLR())
    w, wanted = 1.5, []
    for t, g in enumerate(GRADIENTS, start=1):
        w = w - 0.5 / t * 0.25 * w - 0.5 / t * g
        wanted.append(w)
    assert steps(rule, GRADIENTS, 1.5) == pytest.approx(wanted, rel=1e-12)


def test_the_two_conventions_of_momentum_agree_for_a_constant_rate_and_only_then() -> None:
    pytorch, polyak = Momentum("1/8", "3/4"), HeavyBall("1/8", "3/4")
    assert steps(pytorch, GRADIENTS, 1.5) == pytest.approx(steps(polyak, GRADIENTS, 1.5), rel=1e-12)
    falling = StepLR(3, "1/2")
    ends = [steps(with_schedule(rule, falling), GRADIENTS, 1.5) for rule in (pytorch, polyak)]
    assert ends[0][:3] == pytest.approx(ends[1][:3], rel=1e-12) and abs(ends[0][5] - ends[1][5]) > 1e-3


def test_a_schedule_is_a_program_and_its_constants_are_exact() -> None:
    rates = StepLR(3, 0.1)
    assert rates.program.objective == "lr_t" and dict(rates.settings) == {"step_size": 3, "gamma": sp.Rational(1, 10)}
    rule = with_schedule(SGD(), rates)
    assert rule.counts and rule.name == "SGD with StepLR" and [d.name for d in rule.program.definitions] == ["lr_t", "w_new"]


def test_the_printed_formulas_are_the_golden_ones(golden: Callable[[str, str], None]) -> None:
    golden("schedules.tex", "".join(f"% {name}\n{rates.latex}\n".replace(r" \\ ", " \\\\\n") for name, (rates, _) in ROWS.items()))
    assert all(to_mathml(rates.latex) and rates._repr_latex_().startswith("$$") for rates, _ in ROWS.values())


@pytest.mark.parametrize("name", ["StepLR", "step", "STEP", "step_lr", "Step-LR"])
def test_names_with_and_without_lr(name: str) -> None:
    assert schedule(name, 3).program == StepLR(3).program
    assert schedule(rates := StepLR(3)) is rates


def test_milestones_in_a_list_as_in_pytorch() -> None:
    assert MultiStepLR([4, 9]).program == MultiStepLR((4, 9)).program


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "unknown": (lambda: schedule("steep"), "did you mean 'step'"), "hostile": (lambda: schedule("<script>\n" * 900), "one of constant"),
    "no size": (lambda: schedule("step"), "step_size"), "unknown setting": (lambda: schedule("step", 3, gama=1), "gama"),
    "every 0 steps": (lambda: StepLR(0), "a positive number"), "no length": (lambda: CosineAnnealingLR(0), "a positive number"),
    "no warm-up": (lambda: WarmupLR(0), "a positive number"), "linear over nothing": (lambda: LinearLR(total_iters=0), "a positive number"),
    "no number": (lambda: ExponentialLR("fast"), "'fast'"), "nothing": (lambda: schedule(None), "one of constant"),
    "a branch": (lambda: LambdaLR(lambda e: 1 if e < 5 else 2), "no branches"), "math": (lambda: LambdaLR(lambda e: math.cos(e)), "no branches"),
    "other with numbers": (lambda: LambdaLR(lambda e: 1 if isinstance(e, int) else e), "epoch"), "no function": (lambda: LambdaLR(3), "lambda"),
    "factors that change": (lambda: MultiplicativeLR(lambda e: 0.9**e), "LambdaLR"), "no steps": (lambda: OneCycleLR(1), "total_steps"),
    "no momentum": (lambda: with_schedule(SGD(), OneCycleLR(1, 10)), "cycle_momentum=False"), "a zigzag": (lambda: CyclicLR(0, 1, mode="zigzag"), "triangular"),
    "a scale": (lambda: CyclicLR(0, 1, scale_fn=abs), "scale_fn"), "milestones that fall": (lambda: SequentialLR([Constant()] * 3, [5, 4]), "rise"),
    "too few milestones": (lambda: SequentialLR([Constant()] * 3, [5]), "2 steps"), "a chained cosine": (lambda: ChainedScheduler([CosineAnnealingLR(3)]), "factor"),
    "a chained cycle": (lambda: ChainedScheduler([CyclicLR(0, 1)]), "cycle_momentum=False"), "half a restart": (lambda: CosineAnnealingWarmRestarts("5/2"), "whole"),
    "scheduled twice": (lambda: with_schedule(with_schedule(SGD(), Constant()), Constant()), "lr_t"),
}


@pytest.mark.parametrize("make, words", REFUSED.values(), ids=REFUSED)
def test_what_is_no_schedule_is_refused_in_one_line(make: Callable[[], object], words: str) -> None:
    with pytest.raises(SymnetError) as caught:
        make()
    assert words in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 700
