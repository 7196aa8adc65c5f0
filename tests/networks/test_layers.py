"""Each layer against its formula in NumPy, on arrays whose sizes are all different; the compiled gradients against nudges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.evaluate import evaluate
from symnet.core.program import Program
from symnet.core.tensors import Role
from symnet.errors import ShapeError, SymnetError
from symnet.networks.catalogue import LAYERS
from symnet.networks.convolution import Convolution
from symnet.networks.layers import Layer
from symnet.networks.losses import SquaredError
from symnet.networks.sequential import Sequential

Array = np.ndarray[Any, Any]
DICE = np.random.default_rng(7)


@pytest.fixture(autouse=True)
def the_same_numbers_in_every_test() -> None:
    DICE.bit_generator.state = np.random.default_rng(107).bit_generator.state


def rounded(*shape: int) -> Array:
    """Random numbers that are exact decimals, so that the exact value is the value of the float."""
    return DICE.integers(-200, 200, shape) / 128


X, W, B = rounded(4, 3), rounded(3, 2), rounded(2)
Z = X @ W + B


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


FORMULAS: dict[str, tuple[Layer, Callable[[Array], Array]]] = {
    "Sigmoid": (sn.Sigmoid(), lambda z: 1 / (1 + np.exp(-z))),
    "Tanh": (sn.Tanh(), np.tanh),
    "ReLU": (sn.ReLU(), lambda z: np.maximum(z, 0)),
    "LeakyReLU": (sn.LeakyReLU(), lambda z: np.where(z > 0, z, 0.01 * z)),
    "LeakyReLU with a slope": (sn.LeakyReLU("1/8"), lambda z: np.where(z > 0, z, z / 8)),
    "Softplus": (sn.Softplus(), lambda z: np.log1p(np.exp(z))),
    "Softmax": (sn.Softmax(), softmax),
    "LogSoftmax": (sn.LogSoftmax(), lambda z: np.log(softmax(z))),
}


def value(program: Program, **arrays: Array) -> Array:
    found = evaluate(program, {k: v.tolist() if hasattr(v, "tolist") else v for k, v in arrays.items()})
    return np.array(found.decimal(program.objective, 17), dtype=float)


def test_every_layer_here_is_in_the_table() -> None:
    assert {name.split()[0] for name in FORMULAS} | {"Linear", "Conv1d"} <= set(LAYERS)


@pytest.mark.parametrize("layer, formula", FORMULAS.values(), ids=FORMULAS)
def test_an_activation_is_its_formula(layer: Layer, formula: Callable[[Array], Array]) -> None:
    made = Sequential(sn.Linear("d", "h"), layer).program()
    np.testing.assert_allclose(value(made, X=X, W1=W, b1=B), formula(Z), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("bias", [True, False])
def test_linear_is_x_w_plus_b(bias: bool) -> None:
    made = Sequential(sn.Linear("d", "h", bias)).program()
    arrays = {"X": X, "W1": W} | ({"b1": B} if bias else {})
    assert [t.name for t in made.inputs if t.role is Role.PARAMETER] == (["W1", "b1"] if bias else ["W1"])
    np.testing.assert_array_equal(value(made, **arrays), Z if bias else X @ W)


def test_linear_with_one_input_and_one_output_is_plain_numbers() -> None:
    made = Sequential(sn.Linear(1, 1), sn.Sigmoid(), sn.Linear(1, 1, bias=False)).program()
    assert [str(d) for d in made] == ["z1 := b1 + w1*x", "a1 := sigmoid(z1)", "z2 := a1*w2"]


def test_linear_on_one_sample_has_no_sample_axis() -> None:
    made = Sequential(sn.Linear("d", "h")).program(batch=False)
    np.testing.assert_array_equal(value(made, x=X[0], W1=W, b1=B), Z[0])


def windows(x: Array, w: Array, b: float, stride: int) -> Array:
    count = (len(x) - len(w)) // stride + 1
    return np.array([x[stride * m : stride * m + len(w)] @ w + b for m in range(count)])


@pytest.mark.parametrize("stride, taps, outs", [(1, 3, 5), (2, 3, 4), (3, 2, 3), (1, 1, 4)])
def test_conv1d_is_a_sliding_product(stride: int, taps: int, outs: int) -> None:
    x, w, b = rounded(stride * (outs - 1) + taps), rounded(taps), 0.375
    made = Sequential(Convolution("K", "M", stride)).program(batch=False)
    found = evaluate(made, {"x": x.tolist(), "w1": w.tolist(), "b1": b}, {"K": taps, "M": outs})
    np.testing.assert_array_equal(np.array(found.decimal("z1", 17), dtype=float), windows(x, w, b, stride))


def test_conv1d_on_rows_and_without_bias() -> None:
    x, w = rounded(2, 6), rounded(3)
    made = Sequential(Convolution(3, 4, bias=False)).program()
    np.testing.assert_array_equal(value(made, X=x, w1=w), [windows(row, w, 0, 1) for row in x])


def test_conv1d_says_which_input_length_fits() -> None:
    assert Convolution("K", "M", 2).length == sp.expand(2 * (sp.Symbol("M", integer=True, positive=True) - 1)) + sp.Symbol(
        "K", integer=True, positive=True
    )


GRADED = {name: layer for name, (layer, _) in FORMULAS.items()}


@pytest.mark.parametrize("layer", GRADED.values(), ids=GRADED)
def test_gradients_agree_with_nudges(layer: Layer) -> None:
    run = derive(Sequential(sn.Linear("d", "h"), layer, sn.Linear("h", 2)).program(SquaredError())).compile(check=False)
    params = {"W1": W + 0.01, "b1": B, "W2": rounded(2, 2), "b2": rounded(2)}
    y, nudge = rounded(4, 2), 1e-6
    _, grads = run(params, X, y)
    for name, value_ in params.items():
        for place in np.ndindex(value_.shape):
            up, down = (
                {
                    **params,
                    name: value_
                    + sign * nudge * np.eye(value_.size)[np.ravel_multi_index(place, value_.shape)].reshape(value_.shape),
                }
                for sign in (1, -1)
            )
            slope = (run(up, X, y)[0] - run(down, X, y)[0]) / (2 * nudge)
            assert grads[name][place] == pytest.approx(slope, rel=2e-5, abs=2e-6)


@pytest.mark.parametrize("layer, slope", [(sn.ReLU(), 0), (sn.LeakyReLU("1/8"), sp.Rational(1, 8))], ids=["relu", "leaky relu"])
def test_at_the_kink_the_slope_is_the_convention(layer: Layer, slope: object) -> None:
    d = derive(Sequential(sn.Linear(1, 1), layer).program(SquaredError()))
    at = d.at({"x": 2, "w1": 0, "b1": 0, "y": 1})
    assert at.exact("dL_db1") == -2 * slope  # 2(a - y)·slope with a = 0, y = 1


MISFITS: dict[str, Callable[[], object]] = {
    "widths": lambda: Sequential(sn.Linear(2, 3), sn.Linear(4, 1)).program(),
    "named widths": lambda: Sequential(sn.Linear("d", "h"), sn.Linear("m", 1)).program(),
    "width zero": lambda: Sequential(sn.Linear(0, 3)).program(),
    "a negative width": lambda: Sequential(sn.Linear(-2, 3)).program(),
    "a width that is a fraction": lambda: Sequential(sn.Linear(1.5, 3)).program(),
    "a hostile width": lambda: Sequential(sn.Linear("<script>", 3)).program(),
    "a slope that is no number": lambda: Sequential(sn.Linear(2, 3), sn.LeakyReLU("big")).program(),
    "length after conv": lambda: Sequential(Convolution(3, 4), Convolution(3, 4)).program(),
}


@pytest.mark.parametrize("make", MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_is_said_in_one_line(make: Callable[[], object]) -> None:
    with pytest.raises(SymnetError) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_the_misfit_names_the_layer_and_both_widths() -> None:
    with pytest.raises(ShapeError, match="Linear, layer 2: 3 features; expected 4"):
        Sequential(sn.Linear(2, 3), sn.Tanh(), sn.Linear(4, 1)).program()
