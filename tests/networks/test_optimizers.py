"""Optimizers: twenty steps of each program against PyTorch's documented algorithm in NumPy, with exact numbers too; settings and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.backends.updates import update_function
from symnet.calculus.evaluate import evaluate
from symnet.core.tensors import Role
from symnet.errors import OptionError, SymnetError
from symnet.networks.optimizers import OPTIMIZERS, SGD, HeavyBall, Momentum, Nesterov, Optimizer, optimizer
from symnet.networks.optimizers_adaptive import ASGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, NAdam, RAdam, RMSprop, Rprop, SignSGD
from symnet.reports.mathml import to_mathml

Array = np.ndarray[Any, Any]
Steps = list[Array]
RNG = np.random.default_rng(7)
START = np.array([[0.5, -1.25, 3.0], [2.0, 0.75, -0.125]])
GRADIENTS = [RNG.normal(size=(2, 3)) * 2.0 ** RNG.integers(-3, 3, size=(2, 3)) for _ in range(20)]


# ------------------------------------------------- the algorithms, as torch.optim documents them, line by line
def torch_sgd(w: Array, steps: Steps, lr: float = 0.125, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
              nesterov: bool = False) -> Array:
    b: Array | None = None
    for g in steps:
        if weight_decay != 0:
            g = g + weight_decay * w
        if momentum != 0:
            b = g if b is None else momentum * b + (1 - dampening) * g
            g = g + momentum * b if nesterov else b
        w = w - lr * g
    return w


def polyak(w: Array, steps: Steps) -> Array:
    before = w
    for g in steps:
        w, before = w - 0.125 * g + 0.75 * (w - before), w
    return w


def torch_adagrad(w: Array, steps: Steps, lr_decay: float = 0) -> Array:
    total = np.zeros_like(w)
    for t, g in enumerate(steps, start=1):
        rate = 0.125 / (1 + (t - 1) * lr_decay)
        total = total + g * g
        w = w - rate * g / (np.sqrt(total) + 0.03125)
    return w


def torch_rmsprop(w: Array, steps: Steps, centered: bool = False, momentum: float = 0, weight_decay: float = 0) -> Array:
    v, mean, b = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    for g in steps:
        if weight_decay != 0:
            g = g + weight_decay * w
        v = 0.75 * v + 0.25 * g**2
        size = v
        if centered:
            mean = 0.75 * mean + 0.25 * g
            size = size - mean**2
        if momentum > 0:
            b = momentum * b + g / (np.sqrt(size) + 0.03125)
            w = w - 0.125 * b
        else:
            w = w - 0.125 * g / (np.sqrt(size) + 0.03125)
    return w


def torch_adam(w: Array, steps: Steps, coupled: float = 0, decoupled: float = 0) -> Array:
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(steps, start=1):
        w = w - 0.125 * decoupled * w
        if coupled != 0:
            g = g + coupled * w
        m, v = 0.75 * m + 0.25 * g, 0.5 * v + 0.5 * g**2
        w = w - 0.125 * (m / (1 - 0.75**t)) / (np.sqrt(v / (1 - 0.5**t)) + 0.03125)
    return w


def torch_nadam(w: Array, steps: Steps) -> Array:
    m, v, product = np.zeros_like(w), np.zeros_like(w), 1.0
    for t, g in enumerate(steps, start=1):
        mu, ahead = (0.75 * (1 - 0.5 * 0.96 ** (k * 0.25)) for k in (t, t + 1))
        product *= mu
        m, v = 0.75 * m + 0.25 * g, 0.5 * v + 0.5 * g**2
        m_hat = ahead * m / (1 - product * ahead) + (1 - mu) * g / (1 - product)
        w = w - 0.125 * m_hat / (np.sqrt(v / (1 - 0.5**t)) + 0.03125)
    return w


def torch_adadelta(w: Array, steps: Steps) -> Array:
    v, u = np.zeros_like(w), np.zeros_like(w)
    for g in steps:
        v = 0.75 * v + 0.25 * g**2
        d = np.sqrt(u + 0.03125) / np.sqrt(v + 0.03125) * g
        u = 0.75 * u + 0.25 * d**2
        w = w - 0.125 * d
    return w


def torch_adamax(w: Array, steps: Steps) -> Array:
    m, u = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(steps, start=1):
        m, u = 0.75 * m + 0.25 * g, np.maximum(0.5 * u, np.abs(g) + 0.03125)
        w = w - 0.125 / (1 - 0.75**t) * m / u
    return w


def torch_radam(w: Array, steps: Steps) -> Array:
    m, v, most = np.zeros_like(w), np.zeros_like(w), 2 / (1 - 0.875) - 1
    for t, g in enumerate(steps, start=1):
        m, v = 0.75 * m + 0.25 * g, 0.875 * v + 0.125 * g**2
        known = most - 2 * t * 0.875**t / (1 - 0.875**t)
        step = m / (1 - 0.75**t)
        if known > 5:
            step = step * np.sqrt((known - 4) * (known - 2) * most / ((most - 4) * (most - 2) * known)) * np.sqrt(1 - 0.875**t) / (np.sqrt(v) + 0.03125)
        w = w - 0.125 * step
    return w


def lion(w: Array, steps: Steps, decay: float = 0) -> Array:
    m = np.zeros_like(w)
    for g in steps:
        update = np.sign(0.75 * m + (1 - 0.75) * g)
        w = w - 0.125 * (update + decay * w)
        m = 0.5 * m + (1 - 0.5) * g
    return w


def signs(w: Array, steps: Steps) -> Array:
    for g in steps:
        w = w - 0.125 * np.sign(g)
    return w


def rprop(w: Array, steps: Steps) -> Array:
    sizes, before = np.full_like(w, 0.125), np.zeros_like(w)
    for g in steps:
        turned = np.sign(g * before)
        sizes = np.clip(sizes * np.where(turned > 0, 1.5, np.where(turned < 0, 0.25, 1)), 0.0625, 0.25)
        before = np.where(turned < 0, 0, g)
        w = w - sizes * np.sign(before)
    return w


def asgd(w: Array, steps: Steps) -> Array:
    for t, g in enumerate(steps, start=1):
        rate = 0.125 / (1 + 0.25 * 0.125 * (t - 1)) ** 0.5
        w = w * (1 - 0.25 * rate) - rate * g
    return w


def using(function: Callable[..., Array], **options: Any) -> Callable[[Array, Steps], Array]:
    return lambda w, steps: function(w, steps, **options)


RULES: dict[str, tuple[Optimizer, Callable[[Array, Steps], Array]]] = {
    "sgd": (SGD("1/8"), torch_sgd), "momentum": (Momentum("1/8", "3/4"), using(torch_sgd, momentum=0.75)), "heavyball": (HeavyBall("1/8", "3/4"), polyak),
    "nesterov": (Nesterov("1/8", "3/4"), using(torch_sgd, momentum=0.75, nesterov=True)), "adagrad": (Adagrad("1/8", eps="1/32"), torch_adagrad),
    "rmsprop": (RMSprop("1/8", "3/4", "1/32"), torch_rmsprop), "adam": (Adam("1/8", ("3/4", "1/2"), "1/32"), torch_adam),
    "adamw": (AdamW("1/8", ("3/4", "1/2"), "1/32", weight_decay="1/4"), using(torch_adam, decoupled=0.25)),
    "nadam": (NAdam("1/8", ("3/4", "1/2"), "1/32", momentum_decay="1/4"), torch_nadam), "lion": (Lion("1/8", ("3/4", "1/2")), lion),
    "signsgd": (SignSGD("1/8"), signs), "adadelta": (Adadelta("1/8", "3/4", "1/32"), torch_adadelta),
    "adamax": (Adamax("1/8", ("3/4", "1/2"), "1/32"), torch_adamax), "radam": (RAdam("1/8", ("3/4", "7/8"), "1/32"), torch_radam),
    "rprop": (Rprop("1/8", ("1/4", "3/2"), ("1/16", "1/4")), rprop), "asgd": (ASGD("1/8", "1/4", "1/2"), asgd),
}
WITH_OPTIONS: dict[str, tuple[Optimizer, Callable[[Array, Steps], Array]]] = {
    "dampening": (Momentum("1/8", "3/4", "1/4"), using(torch_sgd, momentum=0.75, dampening=0.25)),
    "sgd decay": (SGD("1/8", weight_decay="1/4"), using(torch_sgd, weight_decay=0.25)),
    "damped with decay": (Momentum("1/8", "3/4", "1/4", weight_decay="1/4"), using(torch_sgd, momentum=0.75, dampening=0.25, weight_decay=0.25)),
    "nesterov decay": (Nesterov("1/8", "3/4", weight_decay="1/4"), using(torch_sgd, momentum=0.75, nesterov=True, weight_decay=0.25)),
    "adagrad lr_decay": (Adagrad("1/8", "1/2", eps="1/32"), using(torch_adagrad, lr_decay=0.5)),
    "rmsprop centered": (RMSprop("1/8", "3/4", "1/32", centered=True), using(torch_rmsprop, centered=True)),
    "rmsprop momentum": (RMSprop("1/8", "3/4", "1/32", momentum="1/2"), using(torch_rmsprop, momentum=0.5)),
    "rmsprop all": (RMSprop("1/8", "3/4", "1/32", centered=True, momentum="1/2", weight_decay="1/4"),
                    using(torch_rmsprop, centered=True, momentum=0.5, weight_decay=0.25)),
    "adam decay": (Adam("1/8", ("3/4", "1/2"), "1/32", weight_decay="1/4"), using(torch_adam, coupled=0.25)),
    "adamw without": (AdamW("1/8", ("3/4", "1/2"), "1/32", weight_decay=0), torch_adam),
    "lion decay": (Lion("1/8", ("3/4", "1/2"), weight_decay="1/4"), using(lion, decay=0.25)),
}
EVERY = {**RULES, **WITH_OPTIONS}
every_rule = pytest.mark.parametrize("rule, by_hand", EVERY.values(), ids=EVERY)


def test_every_optimizer_has_a_rule_here() -> None:
    assert set(RULES) == set(OPTIMIZERS)


@every_rule
def test_twenty_steps_on_arrays_are_the_published_rule(rule: Optimizer, by_hand: Callable[[Array, Steps], Array]) -> None:
    run = update_function(rule.program, ("w_new", *[new for _, new in rule.states]))
    w, state = START, {old: np.zeros_like(START) for old, _ in rule.states}
    fixed = {k: float(v) for k, v in rule.settings.items()}
    for t, g in enumerate(GRADIENTS, start=1):
        w, *new = run(w=w, g=g, **state, **fixed, **({"t": float(t)} if rule.counts else {}))
        state = {old: s for (old, _), s in zip(rule.states, new, strict=True)}
    np.testing.assert_allclose(w, by_hand(START, GRADIENTS), rtol=1e-12)


@every_rule
def test_three_steps_with_exact_numbers_are_the_same(rule: Optimizer, by_hand: Callable[[Array, Steps], Array]) -> None:
    w, state = sp.Rational(2), {old: sp.S.Zero for old, _ in rule.states}
    for t, g in enumerate(GRADIENTS[:3], start=1):
        given = {"w": w, "g": float(g[1, 0]), **state, **rule.settings, **({"t": t} if rule.counts else {})}
        found = evaluate(rule.program, given)
        w = sp.Rational(found.decimal("w_new", 40))
        state = {old: sp.Rational(found.decimal(new, 40)) for old, new in rule.states}
    assert float(w) == pytest.approx(by_hand(START, GRADIENTS[:3])[1, 0], rel=1e-12)


def test_the_printed_updates_are_the_golden_ones(golden: Callable[[str, str], None]) -> None:
    rules = {**{name: optimizer(name) for name in OPTIMIZERS}, **{name: rule for name, (rule, _) in WITH_OPTIONS.items()}}
    golden("optimizers.tex", "".join(f"% {name}\n{rule.latex}\n".replace(r" \\ ", " \\\\\n") for name, rule in rules.items()))


@every_rule
def test_the_printed_update_is_understood_by_the_reports(rule: Optimizer, by_hand: Any) -> None:
    assert to_mathml(rule.latex).startswith("<math") and rule._repr_latex_() == f"$${rule.latex}$$"


ADAM = {"lr": "1/1000", "beta1": "9/10", "beta2": "999/1000", "eps": "1e-8"}
DEFAULTS = {
    "sgd": {"lr": "1/1000"}, "momentum": {"lr": "1/1000", "mu": "9/10"}, "rmsprop": {"lr": "1/100", "rho": "99/100", "eps": "1e-8"},
    "adam": ADAM, "heavyball": {"lr": "1/1000", "mu": "9/10"}, "nesterov": {"lr": "1/1000", "mu": "9/10"}, "adagrad": {"lr": "1/100", "eps": "1e-10"},
    "adamw": {**ADAM, "lam": "1/100"}, "nadam": {**ADAM, "lr": "1/500", "psi": "1/250"}, "lion": {"lr": "1e-4", "beta1": "9/10", "beta2": "99/100"},
    "signsgd": {"lr": "1e-4"}, "adadelta": {"lr": 1, "rho": "9/10", "eps": "1e-6"}, "adamax": {**ADAM, "lr": "1/500"}, "radam": ADAM,
    "rprop": {"lr": "1/100", "eta_minus": "1/2", "eta_plus": "6/5", "s_min": "1e-6", "s_max": 50},
    "asgd": {"lr": "1/100", "lambd": "1e-4", "rho": "3/4", "t_0": "1e6"},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_settings_are_pytorchs_and_exact(name: str) -> None:
    assert dict(optimizer(name).settings) == {k: sp.Rational(v) for k, v in DEFAULTS[name].items()}


@pytest.mark.parametrize("rule", [r for r, _ in EVERY.values()], ids=EVERY)
def test_a_rule_is_a_program_that_ends_in_the_new_parameter(rule: Optimizer) -> None:
    roles = {t.name: t.role for t in rule.program.inputs}
    assert rule.program.objective == "w_new" and roles["w"] is Role.PARAMETER
    assert {old for old, _ in rule.states} | set(rule.settings) | {"w", "g"} | ({"t"} if rule.counts else set()) == set(roles)
    assert all(new in rule.program.by_name for _, new in rule.states)
    assert rule.counts is any("t" in rule.program.uses(d.name) for d in rule.program.definitions)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_rule_is_public_and_says_its_source(name: str) -> None:
    assert getattr(sn, OPTIMIZERS[name].__name__) is OPTIMIZERS[name]
    assert any(str(year) in (OPTIMIZERS[name].__doc__ or "") for year in range(1847, 2026))


def test_a_definition_is_asked_for_by_name() -> None:
    w, g, lr = sp.symbols("w g lr", real=True)
    assert SGD().definition("w_new") == w - lr * g


@pytest.mark.parametrize("name", ["SGD", "Adam", "rmsPROP", "AdamW", "HeavyBall"])
def test_names_do_not_care_for_case(name: str) -> None:
    assert optimizer(name).name.lower() == name.lower()


def test_settings_change_and_the_rule_stays() -> None:
    rule = optimizer("adam", lr=0.1, beta1="1/2")
    assert (rule.settings["lr"], rule.settings["beta1"]) == (sp.Rational(1, 10), sp.Rational(1, 2))
    assert rule.settings["beta2"] == optimizer("adam").settings["beta2"] and str(rule.program) == str(optimizer("adam").program)
    assert optimizer(rule) is rule and optimizer(rule, lr=1).settings["lr"] == 1 and rule.settings["lr"] != 1


def test_the_keywords_of_pytorch_and_the_symbols_of_the_formulas_both_name_a_setting() -> None:
    assert optimizer("momentum", momentum="1/2").settings == optimizer("momentum", mu="1/2").settings == Momentum().with_settings(momentum="1/2").settings
    assert optimizer("rmsprop", alpha="1/2", centered=True).settings["rho"] == sp.Rational(1, 2)
    assert optimizer("adamw", weight_decay="1/5").settings["lam"] == sp.Rational(1, 5)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "unknown": (lambda: optimizer("adma"), "did you mean 'adam'"), "hostile": (lambda: optimizer("<script>\n"), "one of sgd"),
    "no name": (lambda: optimizer(None), "one of sgd"), "unknown setting": (lambda: optimizer("adam", beta3=1), "did you mean 'beta"),
    "no setting of this rule": (lambda: optimizer("adam", momentum=1), "no setting 'momentum'"), "no number": (lambda: optimizer("sgd", lr="fast"), "'fast'"),
    "not finite": (lambda: SGD(float("nan")), "nan"), "nothing": (lambda: SGD(None), "None"), "too long": (lambda: optimizer("x" * 5000), "one of sgd"),
    "a long setting": (lambda: optimizer("sgd", **{"x" * 5000: 1}), "no setting"),
}


@pytest.mark.parametrize("make, words", REFUSED.values(), ids=REFUSED)
def test_what_is_no_optimizer_is_refused_in_one_line(make: Callable[[], object], words: str) -> None:
    with pytest.raises(SymnetError) as caught:
        make()
    assert words in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 700


def test_the_settings_do_not_leak_between_rules() -> None:
    with pytest.raises(OptionError):
        SGD().with_settings(eps="1e-3")
    assert SGD().settings == {"lr": sp.Rational(1, 1000)}
