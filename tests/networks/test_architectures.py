"""The architectures against NumPy: forward values with all sizes different, gradients by the textbook's recurrences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symnet.calculus import derive
from symnet.calculus.evaluate import Evaluation, evaluate
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn, unrolled_mlp

Array = np.ndarray[Any, Any]
DICE = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def the_same_numbers_in_every_test() -> None:
    DICE.bit_generator.state = np.random.default_rng(105).bit_generator.state


def rounded(*shape: int) -> Array:
    return DICE.integers(-100, 100, shape) / 128


def of(found: Evaluation, name: str) -> Array:
    return np.array(found.decimal(name, 17), dtype=float)


def lists(arrays: dict[str, Array]) -> dict[str, Any]:
    return {k: v.tolist() for k, v in arrays.items()}


def test_mlp_is_two_layers_with_softmax_cross_entropy() -> None:
    v = {"X": rounded(4, 3), "W1": rounded(3, 5), "b1": rounded(5), "W2": rounded(5, 2), "b2": rounded(2), "Y": rounded(4, 2)}
    z = np.tanh(v["X"] @ v["W1"] + v["b1"]) @ v["W2"] + v["b2"]
    wanted = -(v["Y"] * (z - np.log(np.exp(z).sum(axis=1, keepdims=True)))).sum() / 4
    assert float(of(evaluate(mlp(), lists(v)), "L")) == pytest.approx(wanted, rel=1e-13)


def test_unrolled_mlp_has_tensors_for_every_layer() -> None:
    made = unrolled_mlp(2, 3)
    assert [t.name for t in made.inputs] == ["X", "W1", "b1", "W2", "b2", "W3", "b3", "Y"]
    v = {"X": rounded(3, 2), "Y": rounded(3, 2)} | {
        f"{n}{k}": rounded(*s) for k in (1, 2, 3) for n, s in (("W", (2, 2)), ("b", (2,)))
    }
    a = v["X"]
    for k in (1, 2, 3):
        a = np.tanh(a @ v[f"W{k}"] + v[f"b{k}"])
    assert float(of(evaluate(made, lists(v)), "L")) == pytest.approx(((a - v["Y"]) ** 2).sum(), rel=1e-13)


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


DEEP = {"x": rounded(2), "y": rounded(2), "W": rounded(4, 2, 2), "b": rounded(4, 2)}


def test_deep_mlp_is_a_recurrence_over_layers_with_symbolic_depth() -> None:
    made = deep_mlp()
    assert {"L", "d"} == {str(s) for s in made.sizes}
    found, a = evaluate(made, lists(DEEP)), DEEP["x"]
    for w, b in zip(DEEP["W"], DEEP["b"], strict=True):
        a = sigmoid(w @ a + b)
    np.testing.assert_allclose(of(found, "a")[-1], a, rtol=1e-13)
    assert float(of(found, "C")) == pytest.approx(((a - DEEP["y"]) ** 2).sum() / 2, rel=1e-13)


def test_deep_mlp_has_nielsens_four_equations() -> None:
    activations, delta = [DEEP["x"]], [np.zeros(2)] * 4
    for w, b in zip(DEEP["W"], DEEP["b"], strict=True):
        activations.append(sigmoid(w @ activations[-1] + b))
    slopes = [a * (1 - a) for a in activations[1:]]
    delta[3] = (activations[4] - DEEP["y"]) * slopes[3]  # BP1
    for k in (2, 1, 0):
        delta[k] = (DEEP["W"][k + 1].T @ delta[k + 1]) * slopes[k]  # BP2
    found = derive(deep_mlp()).at(lists(DEEP))
    np.testing.assert_allclose(of(found, "dC_db"), np.array(delta), rtol=1e-12)  # BP3
    np.testing.assert_allclose(
        of(found, "dC_dW"), [np.outer(d, a) for d, a in zip(delta, activations, strict=False)], rtol=1e-12
    )  # BP4


TIME = {"x": rounded(4, 2), "y": rounded(4, 3), "s": rounded(3), "U": rounded(3, 2), "V": rounded(3, 3), "b": rounded(3)}


def test_rnn_runs_through_time_and_back() -> None:
    states = [TIME["s"]]
    for x in TIME["x"]:
        states.append(np.tanh(TIME["U"] @ x + TIME["V"] @ states[-1] + TIME["b"]))
    loss = sum(((h - y) ** 2).sum() for h, y in zip(states[1:], TIME["y"], strict=True)) / 2
    grads, back = {"U": np.zeros((3, 2)), "V": np.zeros((3, 3)), "b": np.zeros(3)}, np.zeros(3)
    for t in (4, 3, 2, 1):
        delta = (states[t] - TIME["y"][t - 1] + back) * (1 - states[t] ** 2)
        grads["U"] += np.outer(delta, TIME["x"][t - 1])
        grads["V"] += np.outer(delta, states[t - 1])
        grads["b"] += delta
        back = TIME["V"].T @ delta
    found = derive(rnn()).at(lists(TIME))
    assert float(of(found, "L")) == pytest.approx(loss, rel=1e-13)
    for name, wanted in grads.items():
        np.testing.assert_allclose(of(found, f"dL_d{name}"), wanted, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("stride", [1, 2])
def test_conv1d_and_its_kernel_gradient(stride: int) -> None:
    taps, outs = 3, 4
    v = {"x": rounded(stride * (outs - 1) + taps), "w1": rounded(taps), "b1": rounded(), "y": rounded(outs)}
    rows = np.array([v["x"][stride * m : stride * m + taps] for m in range(outs)])
    error = rows @ v["w1"] + v["b1"] - v["y"]
    found = derive(conv1d(stride=stride)).at(lists(v), {"K": taps, "M": outs})
    assert float(of(found, "L")) == pytest.approx((error**2).sum() / 2, rel=1e-13)
    np.testing.assert_allclose(of(found, "dL_dw1"), rows.T @ error, rtol=1e-12, atol=1e-15)
    assert float(of(found, "dL_db1")) == pytest.approx(error.sum(), rel=1e-12)


@pytest.mark.parametrize(
    "make, sizes", [(mlp, "N d h k"), (deep_mlp, "L d"), (rnn, "T d m"), (conv1d, "K M")], ids=["mlp", "deep", "rnn", "conv"]
)
def test_sizes_stay_symbols(make: Any, sizes: str) -> None:
    assert sorted(str(s) for s in make().sizes) == sizes.split()


def test_sizes_may_be_numbers() -> None:
    assert [str(s) for s in mlp(2, 3, 4).sizes] == ["N"]
    assert deep_mlp(2, 3).sizes == () and [str(s) for s in rnn(2, 3).sizes] == ["T"]
