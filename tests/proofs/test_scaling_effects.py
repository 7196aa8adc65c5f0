"""What dividing the loss does to each optimizer: each effect is proved and checks, and runs of numbers agree; the others are refuted."""

from __future__ import annotations

import pytest
import sympy as sp

import symnet as sn
from symnet.core.claim import Proved, Refutation
from symnet.networks.gradient_transforms import clip_by_value
from symnet.networks.optimizer_program import Optimizer
from symnet.networks.optimizers import optimizer
from symnet.proofs.scaling import DECAY, EFFECTS, EPSILON, LIMIT, NO_EPSILON, NOTHING, RATE, Effect, loss_scaling

HOLD: list[tuple[str, Optimizer, Effect]] = [
    ("sgd", optimizer("sgd"), RATE), ("nesterov", optimizer("nesterov"), RATE), ("decay", optimizer("sgd", weight_decay="1/100"), DECAY),
    ("clipped", clip_by_value(optimizer("sgd"), 1), LIMIT), ("signsgd", optimizer("signsgd"), NOTHING), ("adagrad", optimizer("adagrad"), EPSILON),
    ("adagrad, no eps", optimizer("adagrad"), NO_EPSILON), ("adam", optimizer("adam"), EPSILON)]
FAIL: list[tuple[str, Optimizer, Effect]] = [
    ("sgd changes nothing", optimizer("sgd"), NOTHING), ("adam is a rate", optimizer("adam"), RATE), ("adam changes nothing", optimizer("adam"), NOTHING),
    ("decay left", optimizer("sgd", weight_decay="1/100"), RATE), ("limit left", clip_by_value(optimizer("sgd"), 1), RATE),
    ("sign is a rate", optimizer("signsgd"), RATE)]


@pytest.mark.parametrize(("rule", "effect"), [h[1:] for h in HOLD], ids=[h[0] for h in HOLD])
def test_an_effect_is_proved_and_checks(rule: Optimizer, effect: Effect) -> None:
    found = loss_scaling(rule, effect)
    assert isinstance(found, Proved) and found.check()
    assert effect.same_as in found.claim.sentence


@pytest.mark.parametrize(("rule", "effect"), [f[1:] for f in FAIL], ids=[f[0] for f in FAIL])
def test_what_is_not_so_is_refuted(rule: Optimizer, effect: Effect) -> None:
    found = loss_scaling(rule, effect)
    assert isinstance(found, Refutation) and found.left != found.right


@pytest.mark.parametrize(("rule", "effect"), [h[1:] for h in HOLD], ids=[h[0] for h in HOLD])
def test_runs_of_floats_agree(rule: Optimizer, effect: Effect) -> None:
    """Beside Python's floats, on a loss that changes with the step: an oracle that is not the prover's."""
    c, steps = 8.0, 12
    settings = {k: float(v) for k, v in rule.settings.items()}
    settings |= dict.fromkeys(effect.zeros, 0.0)

    def run(factor: float, rate: float, changed: float) -> list[float]:
        values = {**settings, "lr": rate * settings["lr"], **{k: changed * settings[k] for k in effect.changed}}
        state = {"w": 1.7, **{old: 0.0 for old, _ in rule.states}}
        seen = []
        for t in range(1, steps + 1):
            slope = factor * (2 * state["w"] - (3 if t % 2 else -1))
            there = {sp.Symbol(k, real=True): v for k, v in {**values, **state, "g": slope, "t": t, "norm": abs(slope)}.items()}
            for d in rule.program.definitions:
                there[d.entry] = float(d.expr.xreplace(there))
            state = {old: there[sp.Symbol(new, real=True)] for old, new in (("w", "w_new"), *rule.states)}
            seen.append(state["w"])
        return seen

    one = run(1 / c, 1.0, 1.0)
    other = run(1.0, 1 / c if effect.divides_rate else 1.0, c)
    assert one == pytest.approx(other, rel=1e-9)


def test_every_effect_has_a_name_that_proves_it() -> None:
    assert all(name in EFFECTS for name in ("loss-scaling", "loss-scaling-nothing"))
    assert str(sn.prove("loss-scaling-nothing", optimizer="signsgd")).startswith("proved: For signSGD")
