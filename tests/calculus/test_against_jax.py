"""The gradients agree with JAX in float64, at random points with all sizes different, evaluated exactly and compiled."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.calculus import derive
from symnet.core.derivation import Derivation
from symnet.core.program import Program
from symnet.core.tensors import Role
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn

Arrays = dict[str, Any]
TOLERANCE = 1e-10  # relative, on the whole array


def load_jax() -> Any:
    """JAX with 64-bit numbers; skips the test where JAX is absent."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


# The losses once more, by hand; ``np`` is jax.numpy.

def _cross_entropy(z: Any, y: Any, np: Any) -> Any:
    log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.sum(y * log_p) / z.shape[0]


def mlp_loss(a: Arrays, np: Any) -> Any:
    return _cross_entropy(np.tanh(a["X"] @ a["W1"] + a["b1"]) @ a["W2"] + a["b2"], a["Y"], np)


def softmax_regression_loss(a: Arrays, np: Any) -> Any:
    return _cross_entropy(a["X"] @ a["W1"] + a["b1"], a["Y"], np)


def deep_loss(a: Arrays, np: Any) -> Any:
    out = a["x"]
    for w, b in zip(a["W"], a["b"], strict=True):
        out = 1 / (1 + np.exp(-(w @ out + b)))
    return np.sum((out - a["y"]) ** 2) / 2


def rnn_loss(a: Arrays, np: Any) -> Any:
    state, loss = a["s"], 0.0
    for x, y in zip(a["x"], a["y"], strict=True):
        state = np.tanh(a["U"] @ x + a["V"] @ state + a["b"])
        loss = loss + np.sum((state - y) ** 2) / 2
    return loss


def conv_loss(stride: int) -> Callable[[Arrays, Any], Any]:
    def loss(a: Arrays, np: Any) -> Any:
        taps = a["w1"].shape[0]
        out = np.stack([np.sum(a["w1"] * a["x"][stride * k: stride * k + taps]) for k in range(a["y"].shape[0])]) + a["b1"]
        return np.sum((out - a["y"]) ** 2) / 2
    return loss


def bce_loss(a: Arrays, np: Any) -> Any:
    out = 1 / (1 + np.exp(-(a["X"] @ a["W1"] + a["b1"])))
    return -np.mean(a["Y"] * np.log(out) + (1 - a["Y"]) * np.log(1 - out))


def mse_after(activation: Callable[[Any, Any], Any]) -> Callable[[Arrays, Any], Any]:
    def loss(a: Arrays, np: Any) -> Any:
        out = activation(a["X"] @ a["W1"] + a["b1"], np) @ a["W2"] + a["b2"]
        return np.mean((out - a["Y"]) ** 2)
    return loss


def layer_norm_loss(a: Arrays, np: Any) -> Any:
    x = a["x"]
    u = (x - np.mean(x)) / np.sqrt(np.mean((x - np.mean(x)) ** 2) + 1)
    return np.sum(a["g"] * u**3)


def attention_loss(a: Arrays, np: Any) -> Any:
    scores = np.exp(a["Q"] @ a["K"].T)
    return np.sum((scores / np.sum(scores, axis=1, keepdims=True) @ a["V"]) ** 3)


def between(layer: Any) -> Program:
    return sn.Sequential(sn.Linear("d", "h"), layer, sn.Linear("h", "k")).program(sn.MSELoss())


@dataclass(frozen=True)
class Case:
    """A program, the same by hand, integer sizes (all different), and whether targets must be shares."""

    program: Program
    by_hand: Callable[[Arrays, Any], Any]
    sizes: dict[str, int]
    shares: bool = False

    def derivation(self) -> Derivation:
        """With respect to every input but the targets."""
        return derive(self.program, [t.name for t in self.program.inputs if t.role is not Role.TARGET])


WIDE = {"N": 3, "d": 4, "h": 5, "k": 2}
NORM = sn.program("m = mean(x)", "v = mean((x - m)**2)", "u = (x - m)/sqrt(v + 1)", "L = sum(g*u**3)",
                  tensors={"x": ("d",), "g": ("d",)})
ATTENTION = sn.program("p = softmax(Q @ K.T)", "O = p @ V", "L = sum(O**3)",
                       tensors={"Q": ("T", "d"), "K": ("S", "d"), "V": ("S", "c")})
SOFTMAX = sn.Sequential(sn.Linear("d", "k"))
CASES = {
    "mlp": Case(mlp(), mlp_loss, WIDE),
    "mlp, shares declared": Case(mlp(normalized=True), mlp_loss, WIDE, shares=True),
    "softmax regression": Case(SOFTMAX.program(sn.CrossEntropyLoss()), softmax_regression_loss, {"N": 5, "d": 3, "k": 4}),
    "deep mlp": Case(deep_mlp(), deep_loss, {"d": 3, "L": 4}),
    "deep mlp, one layer": Case(deep_mlp(), deep_loss, {"d": 2, "L": 1}),
    "rnn": Case(rnn(), rnn_loss, {"T": 4, "d": 2, "m": 3}),
    "rnn, one time": Case(rnn(), rnn_loss, {"T": 1, "d": 3, "m": 2}),
    "conv1d": Case(conv1d(), conv_loss(1), {"K": 3, "M": 5}),
    "conv1d, long kernel": Case(conv1d(), conv_loss(1), {"K": 5, "M": 2}),
    "conv1d, stride 2": Case(conv1d(stride=2), conv_loss(2), {"K": 3, "M": 4}),
    "conv1d, stride 3, gaps": Case(conv1d(stride=3), conv_loss(3), {"K": 2, "M": 4}),
    "binary cross-entropy": Case(sn.Sequential(sn.Linear("d", "k"), sn.Sigmoid()).program(sn.BCELoss()), bce_loss,
                                 {"N": 3, "d": 4, "k": 2}, shares=True),
    "relu": Case(between(sn.ReLU()), mse_after(lambda z, np: np.where(z > 0, z, 0.0)), WIDE),
    "leaky relu": Case(between(sn.LeakyReLU("1/5")), mse_after(lambda z, np: np.where(z > 0, z, z / 5)), WIDE),
    "softplus": Case(between(sn.Softplus()), mse_after(lambda z, np: np.log(1 + np.exp(z))), WIDE),
    "layer norm": Case(NORM, layer_norm_loss, {"d": 5}),
    "attention": Case(ATTENTION, attention_loss, {"T": 3, "S": 4, "d": 2, "c": 5}),
}


def draw(case: Case, seed: int = 7) -> Arrays:
    """Random arrays of the right shapes, short decimals so that both sides start from the same numbers."""
    rng = np.random.default_rng(seed)
    arrays: Arrays = {}
    for t in case.program.inputs:
        shape = [int(n.xreplace({s: sp.Integer(case.sizes[str(s)]) for s in n.free_symbols})) for n in t.shape]
        arrays[t.name] = np.round(rng.normal(size=shape), 4) * 0.7
        if case.shares and t.role is Role.TARGET:
            raw = rng.integers(1, 9, size=shape)
            arrays[t.name] = raw / raw.sum(axis=-1, keepdims=True)
    return arrays


def truth(case: Case, arrays: Arrays, names: tuple[str, ...]) -> tuple[float, Arrays]:
    """Loss and gradients by JAX."""
    jax = load_jax()

    def loss(chosen: Arrays) -> Any:
        return case.by_hand({**{k: jax.numpy.asarray(v) for k, v in arrays.items()}, **chosen}, jax.numpy)

    value, gradients = jax.value_and_grad(loss)({k: jax.numpy.asarray(arrays[k]) for k in names})
    assert value.dtype == np.float64
    return float(value), {k: np.asarray(g) for k, g in gradients.items()}


def far(ours: Any, theirs: np.ndarray[Any, Any]) -> float:
    """The largest difference, relative to the largest entry."""
    found = np.asarray(ours, dtype=float)
    assert found.shape == theirs.shape
    return float(np.max(np.abs(found - theirs)) / (np.max(np.abs(theirs)) or 1.0))


@cache
def prepared(name: str) -> tuple[Derivation, Arrays, float, Arrays]:
    """A case's derivation, its point, and JAX's loss and gradients there; made once."""
    case = CASES[name]
    d, arrays = case.derivation(), draw(case)
    return d, arrays, *truth(case, arrays, d.wrt)


cases = pytest.mark.parametrize("name", CASES)


@cases
def test_exact_evaluation_agrees(name: str) -> None:
    d, arrays, value, gradients = prepared(name)
    at = d.at({k: v.tolist() for k, v in arrays.items()}, CASES[name].sizes)
    assert far(at.decimal(d.objective, 20), np.asarray(value)) < TOLERANCE
    for wrt, gradient in gradients.items():
        assert np.any(gradient), f"the gradient of {wrt} is not all zero, so it tests something"
        assert far(at.decimal(d.gradient_name(wrt), 20), gradient) < TOLERANCE, wrt


@cases
def test_the_compiled_function_agrees(name: str) -> None:
    d, arrays, value, gradients = prepared(name)
    data = [arrays[t.name] for t in d.program.inputs if t.name not in d.wrt]
    loss, found = d.compile()({k: arrays[k] for k in d.wrt}, *data)
    assert far(loss, np.asarray(value)) < TOLERANCE
    assert set(found) == set(d.wrt)
    for wrt, gradient in gradients.items():
        assert far(found[wrt], gradient) < TOLERANCE, wrt


@pytest.mark.parametrize("name", ["mlp", "rnn", "conv1d, stride 2"])
def test_the_instantiated_scalars_agree(name: str) -> None:
    d, arrays, _, gradients = prepared(name)
    scalars = d.instantiate(CASES[name].sizes)
    values = {t.name: arrays[t.parent or t.name][tuple(p - 1 for p in t.place)] for t in scalars.program.inputs}
    at = scalars.at({k: float(v) for k, v in values.items()})
    for wrt in scalars.wrt:
        t = scalars.program[wrt]
        wanted = gradients[t.parent or t.name][tuple(p - 1 for p in t.place)]
        assert abs(float(at.decimal(scalars.gradient_name(wrt), 20)) - wanted) < TOLERANCE * (1 + abs(wanted))


def test_the_comparison_can_fail() -> None:
    """A loss that is off by one part in a thousand million is noticed."""
    case = CASES["conv1d"]
    d, arrays = case.derivation(), draw(case)
    wrong = Case(case.program, lambda a, np: case.by_hand(a, np) * (1 + 1e-9), case.sizes)
    _, gradients = truth(wrong, arrays, d.wrt)
    at = d.at({k: v.tolist() for k, v in arrays.items()}, case.sizes)
    assert far(at.decimal(d.gradient_name("w1"), 20), gradients["w1"]) > TOLERANCE
