"""Loss scaling for every optimizer, decay, clipping and schedule. Decided by hand, which is the table below:

- a rule that is linear in the gradients (descent, every momentum) is scaled by its rate alone: proved, with any rate per step that is a
  multiple of the base rate;
- a weight decay adds a term that only one of the two runs divides: refuted, coupled and decoupled (the runs differ by αλw(1 - 1/c));
- a rule that divides by the size of the gradient, or takes its sign, forgets the factor in the loss: refuted;
- a limit of clipping, or a least rate of a schedule, stays as it is in both runs: refuted.

Every counterexample is computed again here in mpmath by the published rule, every proved claim is tried on a loss that is no polynomial.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import sympy as sp

from symnet.core.claim import Proved, Refutation
from symnet.core.tensors import scalar
from symnet.core.verdict import Answer, Verdict
from symnet.networks.gradient_transforms import clip_by_norm, clip_by_value, decoupled_decay, weight_decay
from symnet.networks.optimizer_program import LR, STEP, TOTAL, G, W, in_front, symbol, update_rule
from symnet.networks.optimizers import OPTIMIZERS, SGD, HeavyBall, Momentum, Nesterov, Optimizer, optimizer
from symnet.networks.optimizers_adaptive import ASGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, NAdam, RAdam, RMSprop, Rprop, SignSGD
from symnet.networks.schedules import (
    Constant,
    CosineAnnealingLR,
    ExponentialLR,
    InverseTimeLR,
    LinearLR,
    MultiStepLR,
    StepLR,
    WarmupLR,
    with_schedule,
)
from symnet.proofs.scaling import loss_scaling, one_step_equation

Slope = Callable[[mpmath.mpf], mpmath.mpf]
Setting = dict[str, mpmath.mpf]


def run(rule: str, slope: Slope, lr: mpmath.mpf, w: mpmath.mpf, steps: int, s: Setting) -> mpmath.mpf:
    """The published rules in mpmath, written for one parameter; ``rule`` may name a decay, a clipping and a least rate before a +."""
    *extras, kind = rule.split("+")
    m = v = a = b = mpmath.mpf(0)
    product, base, before = mpmath.mpf(1), lr, w
    for t in range(1, steps + 1):
        g = slope(w)
        if "value" in extras:
            g = max(-s["limit"], min(s["limit"], g))
        if "norm" in extras:
            g = g * min(1, s["limit"] / (abs(g) + mpmath.mpf("1e-6")))
        if "coupled" in extras:
            g = g + s["lam"] * w
        if "least" in extras:
            lr = s["lr_min"] + (base - s["lr_min"]) * (1 + mpmath.cos(mpmath.pi * (t - 1) / s["T_max"])) / 2
        if "decoupled" in extras:
            w = w - lr * s["lam"] * w
        if kind == "sgd":
            w = w - lr * g
        elif kind == "momentum":
            m = s["mu"] * m + (g if t == 1 else (1 - s.get("tau", 0)) * g)
            w = w - lr * m
        elif kind == "heavyball":
            w, before = w - lr * g + s["mu"] * (w - before), w
        elif kind == "nesterov":
            m = s["mu"] * m + g
            w = w - lr * (g + s["mu"] * m)
        elif kind == "adagrad":
            v = v + g * g
            w = w - lr / (1 + (t - 1) * s.get("eta", 0)) * g / (mpmath.sqrt(v) + s["eps"])
        elif kind in ("rmsprop", "centered"):
            v, a = s["rho"] * v + (1 - s["rho"]) * g * g, s["rho"] * a + (1 - s["rho"]) * g
            b = s.get("mu", 0) * b + g / (mpmath.sqrt(v - a * a if kind == "centered" else v) + s["eps"])
            w = w - lr * b
        elif kind == "signsgd":
            w = w - lr * mpmath.sign(g)
        elif kind == "adadelta":
            v = s["rho"] * v + (1 - s["rho"]) * g * g
            d = g * mpmath.sqrt(a + s["eps"]) / mpmath.sqrt(v + s["eps"])
            a, w = s["rho"] * a + (1 - s["rho"]) * d * d, w - lr * d
        elif kind == "adamax":
            m, v = s["beta1"] * m + (1 - s["beta1"]) * g, max(s["beta2"] * v, abs(g) + s["eps"])
            w = w - lr * m / (1 - s["beta1"] ** t) / v
        elif kind == "radam":
            m, v = s["beta1"] * m + (1 - s["beta1"]) * g, s["beta2"] * v + (1 - s["beta2"]) * g * g
            most = 2 / (1 - s["beta2"]) - 1
            known = most - 2 * t * s["beta2"] ** t / (1 - s["beta2"] ** t)
            up = m / (1 - s["beta1"] ** t)
            if known > 5:
                up = up * mpmath.sqrt((known - 4) * (known - 2) * most / ((most - 4) * (most - 2) * known))
                up = up * mpmath.sqrt(1 - s["beta2"] ** t) / (mpmath.sqrt(v) + s["eps"])
            w = w - lr * up
        elif kind == "rprop":
            a = min(s["s_max"], max(s["s_min"], (lr if t == 1 else a) * (s["eta_plus"] if g * b > 0 else s["eta_minus"] if g * b < 0 else 1)))
            b = mpmath.mpf(0) if g * b < 0 else g
            w = w - a * mpmath.sign(b)
        elif kind == "asgd":
            rate = lr / (1 + s["lambd"] * lr * (t - 1)) ** s["rho"]
            w = w * (1 - s["lambd"] * rate) - rate * g
        elif kind == "lion":
            w = w - lr * mpmath.sign(s["beta1"] * m + (1 - s["beta1"]) * g)
            m = s["beta2"] * m + (1 - s["beta2"]) * g
        else:  # adam, nadam
            m, v = s["beta1"] * m + (1 - s["beta1"]) * g, s["beta2"] * v + (1 - s["beta2"]) * g * g
            up = m / (1 - s["beta1"] ** t)
            if kind == "nadam":
                now, ahead = (s["beta1"] * (1 - mpmath.mpf("0.96") ** (k * s["psi"]) / 2) for k in (t, t + 1))
                product = product * now
                up = ahead * m / (1 - product * ahead) + (1 - now) * g / (1 - product)
            w = w - lr * up / (mpmath.sqrt(v / (1 - s["beta2"] ** t)) + s["eps"])
    return w


LINEAR = {"sgd": SGD(), "momentum": Momentum(), "dampened+momentum": Momentum(dampening="1/4"), "heavyball": HeavyBall(), "nesterov": Nesterov()}
REFUTED: dict[str, Optimizer] = {
    "adagrad": Adagrad(), "slowed+adagrad": Adagrad(lr_decay="1/10"), "rmsprop": RMSprop(), "centered": RMSprop(centered=True),
    "pushed+centered": RMSprop(centered=True, momentum="1/2"), "adam": Adam(), "decoupled+adam": AdamW(), "nadam": NAdam(), "lion": Lion(), "signsgd": SignSGD(),
    "adadelta": Adadelta(), "adamax": Adamax(), "radam": RAdam(), "rprop": Rprop(), "asgd": ASGD(),
    "coupled+signsgd": SignSGD(weight_decay="1/100"),
    "coupled+sgd": SGD(weight_decay="1/100"), "coupled+momentum": Momentum(weight_decay="1/100"), "coupled+nesterov": Nesterov(weight_decay="1/100"),
    "coupled+heavyball": HeavyBall(weight_decay="1/100"), "coupled+adam": Adam(weight_decay="1/100"), "coupled+adagrad": Adagrad(weight_decay="1/100"),
    "decoupled+sgd": decoupled_decay(SGD(), "1/100"), "decoupled+momentum": decoupled_decay(Momentum(), "1/1000"), "decoupled+lion": Lion(weight_decay="1/100"),
    "value+sgd": clip_by_value(SGD(), 1), "high+value+sgd": clip_by_value(SGD(), 500), "value+momentum": clip_by_value(Momentum(), 2),
    "norm+sgd": clip_by_norm(SGD(), 1), "high+norm+nesterov": clip_by_norm(Nesterov(), 10**5), "norm+coupled+sgd": clip_by_norm(SGD(weight_decay=1), 1),
    "least+sgd": with_schedule(SGD(), CosineAnnealingLR(10, "1/1000")), "least+momentum": with_schedule(Momentum(), CosineAnnealingLR(10, "1/1000")),
}
SCHEDULES = {"constant": Constant(), "step": StepLR(3), "multistep": MultiStepLR([2, 5]), "exponential": ExponentialLR("9/10"), "cosine": CosineAnnealingLR(9),
             "linear": LinearLR(), "warmup": WarmupLR(5), "warmup then": WarmupLR(5, CosineAnnealingLR(9)), "1/t": InverseTimeLR(), "inverse": InverseTimeLR("1/4")}


def test_every_optimizer_is_decided_here() -> None:
    decided = {r.name for r in (*LINEAR.values(), *REFUTED.values())}
    assert {optimizer(name).name for name in OPTIMIZERS} <= decided


@pytest.mark.parametrize("name", LINEAR)
def test_linear_rules_are_proved(name: str) -> None:
    found = loss_scaling(LINEAR[name])
    assert isinstance(found, Proved) and found.check() and found.proof.statements[0].over is not None


@pytest.mark.parametrize("name", LINEAR)
def test_what_is_proved_holds_on_a_loss_that_is_no_polynomial(name: str) -> None:
    s = {k: mpmath.mpf(v.p) / v.q for k, v in LINEAR[name].settings.items()}

    def slope(w: mpmath.mpf) -> mpmath.mpf:  # of log cosh(w) + w⁴/4
        return mpmath.tanh(w) + w**3

    with mpmath.workdps(80):
        for c in map(mpmath.mpf, ("7", "0.3", "1000")):
            first = run(name, lambda w, c=c: slope(w) / c, mpmath.mpf("0.05"), mpmath.mpf("1.5"), 20, s)  # type: ignore[misc]
            second = run(name, slope, mpmath.mpf("0.05") / c, mpmath.mpf("1.5"), 20, s)
            assert abs(first - second) < mpmath.mpf(10) ** -70


@pytest.mark.parametrize("rates", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("name", LINEAR)
def test_a_schedule_that_multiplies_the_rate_keeps_the_proof(name: str, rates: Any) -> None:
    found = loss_scaling(with_schedule(LINEAR[name], rates))
    assert isinstance(found, Proved) and found.check()


@pytest.mark.parametrize("name", REFUTED)
def test_the_others_are_refuted_by_numbers_that_come_out_again(name: str) -> None:
    found = loss_scaling(REFUTED[name])
    assert isinstance(found, Refutation) and not found
    case = dict(found.case)
    assert case["L(w)"] == "w²/2" and {"c", "α", "the start", "steps"} <= set(case)
    with mpmath.workdps(60):
        s = {k: mpmath.mpf(sp.Rational(v).p) / sp.Rational(v).q for k, v in case.items() if k != "L(w)"}
        steps = int(s["steps"])
        first = run(name, lambda w: w / s["c"], s["α"], s["the start"], steps, s)
        second = run(name, lambda w: w, s["α"] / s["c"], s["the start"], steps, s)
        assert abs(first - second) > mpmath.mpf(10) ** -12 * abs(second)
        for printed, value in ((found.left, first), (found.right, second)):
            assert abs(mpmath.mpf(printed) - value) <= abs(value) * mpmath.mpf(10) ** -9


@pytest.mark.parametrize("name", REFUTED)
def test_a_refutation_says_why_and_names_every_constant(name: str) -> None:
    found = loss_scaling(REFUTED[name])
    words = {"coupled": "decay λw", "decoupled": "decay pulls", "value": "limit", "norm": "limit", "least": "least rate", "lion": "sign", "signsgd": "sign",
             "adam": "recent size", "nadam": "recent size", "adagrad": "recent size", "rmsprop": "recent size", "centered": "recent size"}
    assert isinstance(found, Refutation) and all(words[part] in found.why for part in name.split("+") if part in words)
    assert set(REFUTED[name].settings) - {"lr"} <= {k for k, _ in found.case}


@pytest.mark.parametrize("name", [*LINEAR, *REFUTED])
def test_the_one_step_equation_holds_where_no_state_is_scaled(name: str) -> None:
    rule = {**LINEAR, **REFUTED}[name]
    left, _, proved = one_step_equation(rule)
    assert proved is (name in ("sgd", "heavyball")) and not {str(s) for s in left.free_symbols} & {"norm", *rule.program.by_name}


@pytest.mark.parametrize("rule", [weight_decay(SGD(), 1), decoupled_decay(Momentum(), 1), Nesterov(weight_decay=1)], ids=lambda r: r.name)
def test_a_decay_of_0_is_no_decay_and_the_proof_says_so(rule: Optimizer) -> None:
    found = loss_scaling(rule.with_settings(lam=0))
    assert isinstance(found, Proved) and found.check() and "lam = 0" in found.claim.conditions
    assert isinstance(loss_scaling(rule), Refutation)


def test_where_no_counterexample_is_met_the_answer_is_undecided_and_never_proved() -> None:
    for rule in (clip_by_norm(SGD(), 10**30), clip_by_value(SGD(), 10**30), clip_by_norm(Momentum(), 10**30), Adam(lr=0)):
        found = loss_scaling(rule)
        assert isinstance(found, Verdict) and not found and found.reason


OWN: dict[str, tuple[dict[str, sp.Expr], bool]] = {
    "the rate squared": ({"w_new": W - LR**2 * G}, False), "the gradient cubed": ({"w_new": W - LR * G**3}, False),
    "both squared": ({"w_new": W - LR**2 * G**2}, True), "only later": ({"w_new": W - LR * G - LR * G * (G - 1) * (STEP - 1) * (STEP - 2)}, False),
    "divided by the rate": ({"w_new": W - G / LR}, False), "the product in a sine": ({"w_new": W - sp.sin(LR * G)}, True),
}


@pytest.mark.parametrize("lines, holds", OWN.values(), ids=OWN)
def test_rules_of_ones_own(lines: dict[str, sp.Expr], holds: bool) -> None:
    found = loss_scaling(update_rule("own", lines, (), {"lr": "1/10"}, counts=True))
    assert isinstance(found, Proved if holds else Refutation)


def test_a_rule_that_needs_more_than_the_two_runs_share_is_not_proved() -> None:
    inert = in_front(SGD(), "own", {"size": symbol("norm") ** 2}, {}, {}, (TOTAL,))  # the norm is there and plays no part
    other = in_front(SGD(), "own", {"size": symbol("h") * W}, {}, {}, (scalar("h"),))
    without = update_rule("own", {"w_new": W - G / 10}, (), {"mu": 1})
    for rule, reason in ((inert, "no proof"), (other, "needs h"), (without, "no learning rate")):
        found = loss_scaling(rule)
        assert isinstance(found, Verdict) and found.answer is Answer.UNDECIDED and reason in found.reason
