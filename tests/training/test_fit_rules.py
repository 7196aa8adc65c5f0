"""Training with every optimizer, decay, clipping and schedule agrees with loops written by hand over all parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.errors import OptionError, SymnetError
from symnet.training.data import xor
from symnet.training.fit import fit, optimizer_for

Array = np.ndarray[Any, Any]
Params = dict[str, Array]
X, Y = xor()
NET = sn.Sequential(sn.Linear(2, 3), sn.Tanh(), sn.Linear(3, 1))
DERIVED = sn.derive(NET, loss=sn.MSELoss(), batch="N")


def start() -> Params:
    rng = np.random.default_rng(5)
    return {"W1": rng.normal(size=(2, 3)), "b1": rng.normal(size=3), "W2": rng.normal(size=(3, 1)), "b2": rng.normal(size=1)}


def slopes(p: Params, x: Array = X, y: Array = Y) -> Params:
    """The gradient of the mean squared error of a net with one hidden layer, by hand."""
    a = np.tanh(x @ p["W1"] + p["b1"])
    gap = 2 * (a @ p["W2"] + p["b2"] - y) / y.size
    back = gap @ p["W2"].T * (1 - a**2)
    return {"W1": x.T @ back, "b1": back.sum(axis=0), "W2": a.T @ gap, "b2": gap.sum(axis=0)}


def loop(update: Callable[[Params, Params, int], Params], steps: int = 20) -> Params:
    p = start()
    for t in range(1, steps + 1):
        p = update(p, slopes(p), t)
    return p


def descent(rate: Callable[[int], float], change: Callable[[Params], Params] = lambda g: g, decay: float = 0) -> Callable[[Params, Params, int], Params]:
    return lambda p, g, t: {n: p[n] - rate(t) * (v + decay * p[n]) for n, v in change(g).items()}


def by_norm(limit: float) -> Callable[[Params], Params]:
    def change(g: Params) -> Params:
        norm = np.sqrt(sum((v**2).sum() for v in g.values()))
        return {n: v * min(1.0, limit / (norm + 1e-6)) for n, v in g.items()}
    return change


RUNS: dict[str, tuple[dict[str, Any], Callable[[Params, Params, int], Params]]] = {
    "plain": ({}, descent(lambda t: 0.25)), "decay": ({"weight_decay": "1/8"}, descent(lambda t: 0.25, decay=0.125)),
    "by value": ({"clip_value": "1/8"}, descent(lambda t: 0.25, lambda g: {n: np.clip(v, -0.125, 0.125) for n, v in g.items()})),
    "by norm": ({"clip_norm": "1/4"}, descent(lambda t: 0.25, by_norm(0.25))),
    "by norm, decay": ({"clip_norm": "1/4", "weight_decay": "1/8"}, descent(lambda t: 0.25, by_norm(0.25), decay=0.125)),
    "1/t": ({"schedule": sn.InverseTimeLR()}, descent(lambda t: 0.25 / t)),
    "steps": ({"schedule": sn.StepLR(6, "1/2")}, descent(lambda t: 0.25 * 0.5 ** ((t - 1) // 6))),
    "all": ({"schedule": sn.WarmupLR(5, sn.ExponentialLR("0.9")), "clip_norm": "1/4", "weight_decay": "1/8"},
            descent(lambda t: 0.25 * min(1, t / 5) * 0.9 ** (t - 1), by_norm(0.25), decay=0.125)),
    "by name": ({"schedule": "inversetime"}, descent(lambda t: 0.25 / t)),
}


@pytest.mark.parametrize(("options", "update"), RUNS.values(), ids=RUNS)
def test_twenty_steps_of_descent_agree_with_a_loop_by_hand(options: dict[str, Any], update: Callable[[Params, Params, int], Params]) -> None:
    made = fit(DERIVED, X, Y, lr="1/4", epochs=20, params=start(), **options)
    wanted = loop(update)
    for name, value in made.params.items():
        np.testing.assert_allclose(value, wanted[name], rtol=1e-12, err_msg=name)


def test_the_clipping_by_norm_is_really_of_all_gradients_together() -> None:
    alone = fit(DERIVED, X, Y, lr="1/4", epochs=1, params=start(), clip_norm="1/4").params
    norms = {n: np.linalg.norm(alone[n] - p) / 0.25 for n, p in start().items()}
    assert sum(v**2 for v in norms.values()) == pytest.approx(0.0625, rel=1e-5) and all(v < 0.25 for v in norms.values())


def test_adamw_over_mini_batches_counts_every_step() -> None:
    made = fit(DERIVED, X, Y, optimizer="adamw", lr="1/10", weight_decay="1/4", epochs=5, batch_size=2, params=start(), seed=3,
               schedule=sn.CosineAnnealingLR(10))
    p, rng, t = start(), np.random.default_rng(3), 0
    m, v = ({n: np.zeros_like(a) for n, a in p.items()} for _ in range(2))
    for _ in range(5):
        order = rng.permutation(4)
        for rows in (order[:2], order[2:]):
            t, g = t + 1, slopes(p, X[rows], Y[rows])
            lr = 0.1 * (1 + np.cos(np.pi * (t - 1) / 10)) / 2
            for n in p:
                p[n] = p[n] - lr * 0.25 * p[n]
                m[n], v[n] = 0.9 * m[n] + 0.1 * g[n], 0.999 * v[n] + 0.001 * g[n] ** 2
                p[n] = p[n] - lr * (m[n] / (1 - 0.9**t)) / (np.sqrt(v[n] / (1 - 0.999**t)) + 1e-8)
    for name, value in made.params.items():
        np.testing.assert_allclose(value, p[name], rtol=1e-11, err_msg=name)


RATES = {"sgd": "1/2", "momentum": "1/10", "heavyball": "1/10", "nesterov": "1/10", "adagrad": "1/2", "rmsprop": "1/20", "adam": "1/10", "adamw": "1/10",
         "nadam": "1/10", "lion": "1/50"}


@pytest.mark.parametrize("name", RATES)
def test_every_optimizer_learns_exclusive_or(name: str) -> None:
    made = fit(DERIVED, X, Y, optimizer=name, lr=RATES[name], epochs=600, seed=4)
    assert made.losses[-1] < 0.02 < made.losses[0]
    assert np.array_equal(made.predict(X) > 0.5, Y > 0.5)


def test_the_log_names_everything_that_was_used() -> None:
    made = fit(DERIVED, X, Y, optimizer="nesterov", lr="1/10", momentum="4/5", clip_norm=1, schedule=sn.StepLR(3), epochs=1, params=start())
    assert made.log.optimizer == "Nesterov with gradients clipped by norm, StepLR"
    assert dict(made.log.settings) == {"lr": "1/10", "mu": "4/5", "limit": "1", "eps_clip": "1/1000000", "step_size": "3", "gamma": "1/10"}


MISUSES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown schedule": ({"schedule": "steep"}, "did you mean 'step'"), "unknown start": ({"init": "xaviar"}, "did you mean 'xavier"),
    "clipped twice": ({"clip_norm": 1, "clip_value": 1}, "one kind of clipping"), "limit 0": ({"clip_norm": 0}, "a positive number"),
    "no number": ({"weight_decay": "some"}, "'some'"), "schedule without arguments": ({"schedule": "step"}, "step_size"),
}


@pytest.mark.parametrize(("options", "words"), MISUSES.values(), ids=MISUSES)
def test_a_misuse_is_told_in_one_line(options: dict[str, Any], words: str) -> None:
    with pytest.raises(SymnetError, match=words) as caught:
        fit(DERIVED, X, Y, epochs=1, **options)
    assert "\n" not in str(caught.value)


def test_an_optimizer_object_takes_its_settings_and_what_goes_in_front() -> None:
    rule = optimizer_for(sn.Adam(), {"lr": "1/2", "beta1": "1/4"}, sn.StepLR(2), None, 3)
    assert dict(rule.settings) | {"lr": 0} == {"lr": 0, "beta1": sn.Adam(beta1="1/4").settings["beta1"], "beta2": sn.Adam().settings["beta2"],
                                               "eps": sn.Adam().settings["eps"], "limit": 3, "eps_clip": sp.Rational(1, 10**6),
                                               "step_size": 2, "gamma": sn.StepLR(2).settings["gamma"]}
    with pytest.raises(OptionError, match="no setting 'weight_decay'"):
        optimizer_for(sn.Adam(), {"weight_decay": 1})
