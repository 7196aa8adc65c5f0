"""Compiled gradients against central differences and against JAX, and calls that do not fit."""

from __future__ import annotations

import importlib
import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.derivation import Derivation
from symnet.errors import DomainError, NameError_, OptionError, ShapeError, SymnetError
from symnet.networks import architectures as nets

Arrays = dict[str, np.ndarray]
Case = tuple[Callable[[], Derivation], dict[str, tuple[int, ...]]]


def network(*layers: Any, loss: Any, batch: Any = None) -> Callable[[], Derivation]:
    return lambda: sn.derive(sn.Sequential(*layers), loss=loss, batch=batch)


def dense(n: int, *widths: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"X": (n, widths[0]), "Y": (n, widths[-1])}
    for k, (a, b) in enumerate(itertools.pairwise(widths), start=1):
        shapes |= {f"W{k}": (a, b), f"b{k}": (b,)}
    return shapes


# In every case all sizes are different, so that a transposed or misread axis cannot go unseen.
CASES: dict[str, Case] = {
    "mlp": (lambda: sn.derive(nets.mlp()), dense(7, 5, 4, 3)),
    "mlp-normalized": (lambda: sn.derive(nets.mlp(normalized=True)), dense(7, 5, 4, 3)),
    "unrolled-mlp": (lambda: sn.derive(nets.unrolled_mlp(3, 4)), dense(5, 3, 3, 3, 3, 3)),
    "deep-mlp": (lambda: sn.derive(nets.deep_mlp()), {"x": (3,), "y": (3,), "W": (4, 3, 3), "b": (4, 3)}),
    "rnn": (lambda: sn.derive(nets.rnn()), {"x": (5, 3), "y": (5, 4), "s": (4,), "U": (4, 3), "V": (4, 4), "b": (4,)}),
    "conv": (lambda: sn.derive(nets.conv1d()), {"w1": (3,), "b1": (), "x": (9,), "y": (7,)}),
    "conv-stride-2": (lambda: sn.derive(nets.conv1d(stride=2)), {"w1": (3,), "b1": (), "x": (11,), "y": (5,)}),
    "sigmoid-mse": (network(sn.Linear("d", "h"), sn.Sigmoid(), sn.Linear("h", "k"), loss=sn.MSELoss()), dense(6, 5, 4, 3)),
    "relu": (network(sn.Linear("d", "h"), sn.ReLU(), sn.Linear("h", "k"), loss=sn.SquaredError()), dense(6, 5, 4, 3)),
    "leaky-relu": (network(sn.Linear("d", "h"), sn.LeakyReLU("1/10"), loss=sn.HalfSquaredError()), dense(6, 5, 4)),
    "softplus": (network(sn.Linear("d", "h"), sn.Softplus(), loss=sn.MSELoss()), dense(6, 5, 4)),
    "softmax-mse": (network(sn.Linear("d", "k"), sn.Softmax(), loss=sn.MSELoss()), dense(6, 5, 4)),
    "log-softmax": (network(sn.Linear("d", "k"), sn.LogSoftmax(), loss=sn.MSELoss()), dense(6, 5, 4)),
    "binary-cross-entropy": (network(sn.Linear("d", "h"), sn.Tanh(), sn.Linear("h", 1), sn.Sigmoid(), loss=sn.BCELoss()),
                             dense(6, 5, 4, 1)),
    "one-sample": (network(sn.Linear("d", "h"), sn.Tanh(), loss=sn.MSELoss(), batch=False),
                   {"x": (5,), "y": (4,), "W1": (5, 4), "b1": (4,)}),
    "scalars": (network(sn.Linear(1, 1), sn.Sigmoid(), sn.Linear(1, 1), sn.Sigmoid(), loss=sn.MSELoss()),
                {"x": (), "y": (), "w1": (), "b1": (), "w2": (), "b2": ()}),
    "softmax-regression": (lambda: sn.load("softmax-regression"), dense(6, 5, 4)),
    "two-two-two": (lambda: sn.load("two-two-two"), {"x": (2,), "y": (2,), "W1": (2, 2), "b1": (2,), "W2": (2, 2), "b2": (2,)}),
}


def arrays(name: str) -> Arrays:
    """Random arrays; targets are shares, so that every loss is defined."""
    rng = np.random.default_rng(sorted(CASES).index(name))
    made = {n: rng.normal(0.0, 0.7, shape) for n, shape in CASES[name][1].items()}
    for target in {"y", "Y"} & set(made):
        made[target] = np.exp(made[target]) / np.exp(made[target]).sum(axis=-1 if made[target].ndim else None, keepdims=True)
        if made[target].shape[-1:] in ((1,), ()):
            made[target] = np.full(made[target].shape, 0.3)
    return made


def split(d: Derivation, made: Arrays) -> tuple[Arrays, Arrays]:
    return {n: made[n] for n in d.wrt}, {n: a for n, a in made.items() if n not in d.wrt}


@pytest.mark.parametrize("name", CASES)
def test_gradients_agree_with_central_differences(name: str) -> None:
    d, made, h = CASES[name][0](), arrays(name), 1e-5
    f = d.compile()
    params, data = split(d, made)
    grads = f(params, **data)[1]
    assert list(grads) == list(d.wrt)
    for p, value in params.items():
        assert grads[p].shape == value.shape and grads[p].dtype == np.float64
        nudged = np.zeros(value.shape)
        for at in np.ndindex(*value.shape):
            up, down = value.copy(), value.copy()
            up[at] += h
            down[at] -= h
            nudged[at] = (f({**params, p: up}, **data)[0] - f({**params, p: down}, **data)[0]) / (2 * h)
        assert np.allclose(grads[p], nudged, rtol=1e-6, atol=1e-8), p


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32_and_agrees(name: str) -> None:
    d, made = CASES[name][0](), arrays(name)
    params, data = split(d, made)
    exact, near = d.compile()(params, **data), d.compile(dtype="float32")(params, **data)
    assert near[0] == pytest.approx(exact[0], rel=1e-4)
    for p in d.wrt:
        assert near[1][p].dtype == np.float32
        assert np.allclose(near[1][p], exact[1][p], rtol=1e-3, atol=1e-4)


def test_float32_is_not_left_on_the_way() -> None:
    program = sn.program("a = erf(w)*sqrt(pi)*exp(1)", "L = sum(a**2)", tensors={"w": ("d",)})
    source = sn.derive(program, wrt=["a"]).compile(dtype="float32").source
    space: dict[str, Any] = {}
    exec(source.replace("    return L,", "    assert a.dtype == L.dtype == np.float32\n    return L,"), space)
    loss, _ = space["value_and_grad"](w=np.ones(3))
    assert loss.dtype == np.float32


def _jax_losses(jnp: Any, jax: Any) -> dict[str, Callable[[Any], Any]]:
    """The same losses written by hand for JAX, after PyTorch's definitions."""

    def dense_loss(act: Any, loss: Any, last: Any = lambda z: z) -> Callable[[Any], Any]:
        def value(v: Any) -> Any:
            a, depth = v["X"], len([n for n in v if n.startswith("W")])
            for k in range(1, depth + 1):
                a = a @ v[f"W{k}"] + v[f"b{k}"]
                a = act(a) if k < depth else last(a)
            return loss(a, v["Y"])
        return value

    def entropy(z: Any, y: Any) -> Any:
        return -(y * jax.nn.log_softmax(z, axis=-1)).sum() / len(z)

    def bce(a: Any, y: Any) -> Any:
        return -(y * jnp.log(a) + (1 - y) * jnp.log(1 - a)).mean()

    def mse(a: Any, y: Any) -> Any:
        return ((a - y) ** 2).mean()

    def squares(a: Any, y: Any) -> Any:
        return ((a - y) ** 2).sum()

    def half(a: Any, y: Any) -> Any:
        return ((a - y) ** 2).sum() / 2

    def deep(v: Any) -> Any:
        a = v["x"]
        for w, b in zip(v["W"], v["b"], strict=True):
            a = jax.nn.sigmoid(w @ a + b)
        return half(a, v["y"])

    def recurrent(v: Any) -> Any:
        h, total = v["s"], 0.0
        for x, y in zip(v["x"], v["y"], strict=True):
            h = jnp.tanh(v["U"] @ x + v["V"] @ h + v["b"])
            total = total + half(h, y)
        return total

    def conv(stride: int) -> Callable[[Any], Any]:
        def value(v: Any) -> Any:
            m, k = len(v["y"]), len(v["w1"])
            windows = jnp.stack([v["x"][stride * i:stride * i + k] for i in range(m)])
            return half(windows @ v["w1"] + v["b1"], v["y"])
        return value

    sig, tanh = jax.nn.sigmoid, jnp.tanh
    return {
        "mlp": dense_loss(tanh, entropy), "mlp-normalized": dense_loss(tanh, entropy),
        "unrolled-mlp": dense_loss(tanh, squares, tanh), "deep-mlp": deep, "rnn": recurrent, "conv": conv(1),
        "conv-stride-2": conv(2), "sigmoid-mse": dense_loss(sig, mse), "relu": dense_loss(jax.nn.relu, squares),
        "leaky-relu": dense_loss(tanh, half, lambda z: jnp.where(z > 0, z, 0.1 * z)),
        "softplus": dense_loss(tanh, mse, jax.nn.softplus), "softmax-mse": dense_loss(tanh, mse, jax.nn.softmax),
        "log-softmax": dense_loss(tanh, mse, jax.nn.log_softmax), "binary-cross-entropy": dense_loss(tanh, bce, sig),
        "one-sample": lambda v: mse(tanh(v["x"] @ v["W1"] + v["b1"]), v["y"]),
        "scalars": lambda v: (sig(v["w2"] * sig(v["w1"] * v["x"] + v["b1"]) + v["b2"]) - v["y"]) ** 2,
        "softmax-regression": dense_loss(tanh, entropy),
        "two-two-two": lambda v: half(sig(sig(v["x"] @ v["W1"] + v["b1"]) @ v["W2"] + v["b2"]), v["y"]),
    }


@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradients_agree_with_jax(name: str) -> None:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    losses = _jax_losses(jax.numpy, jax)
    d, made = CASES[name][0](), arrays(name)
    params, data = split(d, made)
    ours, (theirs, slopes) = d.compile()(params, **data), jax.value_and_grad(lambda p: losses[name]({**data, **p}))(params)
    assert ours[0] == pytest.approx(float(theirs), rel=1e-12)
    for p in d.wrt:
        assert np.allclose(ours[1][p], np.asarray(slopes[p]), rtol=1e-9, atol=1e-12), p


def test_every_case_has_a_jax_loss() -> None:
    jax = importlib.import_module("jax")
    assert set(_jax_losses(jax.numpy, jax)) == set(CASES)


@pytest.mark.parametrize("n", [1, 2, 11])
def test_sizes_are_read_off_the_arrays(n: int) -> None:
    f = sn.load("softmax-regression").compile()
    params = {"W1": np.zeros((2, 3)), "b1": np.zeros(3)}
    assert f(params, np.ones((n, 2)), np.tile([1.0, 0, 0], (n, 1)))[0] == pytest.approx(np.log(3))


W, B, X, Y = np.zeros((3, 4)), np.zeros(4), np.zeros((5, 3)), np.zeros((5, 4))
MISFITS: dict[str, tuple[dict[str, Any], tuple[Any, ...], type[SymnetError], str]] = {
    "missing data": ({"W1": W, "b1": B}, (X,), NameError_, "no array for Y"),
    "missing parameter": ({"W1": W}, (X, Y), NameError_, "no array for b1"),
    "unknown name": ({"W1": W, "b1": B, "W7": W}, (X, Y), NameError_, "no input named 'W7'"),
    "too many arrays": ({"W1": W, "b1": B}, (X, Y, Y), ShapeError, "3 data arrays"),
    "transposed": ({"W1": W.T, "b1": B}, (X, Y), ShapeError, r"W1: shape \(4, 3\)"),
    "too few axes": ({"W1": W, "b1": B}, (X[0], Y), ShapeError, r"X: shape \(3,\)"),
    "another number of rows": ({"W1": W, "b1": B}, (X, Y[:4]), ShapeError, r"Y: shape \(4, 4\)"),
    "ragged": ({"W1": W, "b1": B}, ([[1, 2], [3]], Y), ShapeError, "X: a list; expected numbers"),
    "text": ({"W1": W, "b1": B}, ("abc", Y), ShapeError, "X: a str; expected numbers"),
    "no array at all": ({"W1": W, "b1": B}, (object(), Y), ShapeError, "number"),
}


@pytest.mark.parametrize(("params", "data", "error", "says"), MISFITS.values(), ids=MISFITS)
def test_arrays_that_do_not_fit_are_told_in_one_line(params: Any, data: Any, error: type[SymnetError], says: str) -> None:
    f = sn.derive(sn.Sequential(sn.Linear("d", "h")), loss=sn.MSELoss()).compile()
    with pytest.raises(error, match=says) as caught:
        f(params, *data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{"backend": "torch"}, {"dtype": "float16"}, {"dtype": "int64"}], ids=str)
def test_an_unknown_backend_or_dtype_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        sn.load("first").compile(**options)


def test_an_empty_batch_has_no_mean_and_says_so() -> None:
    with pytest.raises(DomainError, match="division by 0"):
        sn.derive(sn.program("L = mean(x)", tensors={"x": ("N",)})).compile()({"x": []})


@pytest.mark.parametrize("line", ["L = (exp(x) - 1)/x", "L = exp(x) - 1 - x", "L = exp(x)"])
def test_a_value_beyond_the_largest_number_is_inf_without_a_warning(line: str) -> None:
    f = sn.derive(sn.program(line)).compile()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*overflow")
        assert f({"x": 1e4})[0] == np.inf


@pytest.mark.parametrize(("z", "wanted"), [(-1.0, 0.0), (0.0, 0.0), (2.0, 4 * np.log(2))])
@pytest.mark.parametrize("lines", [("a = relu(z)", "L = a**t"), ("a = relu(z)", "L = 3*a**t/3"), ("a = relu(z)", "b = a**t", "L = b")])
def test_the_slope_of_a_power_by_its_exponent_is_zero_at_zero(lines: tuple[str, ...], z: float, wanted: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grads = sn.derive(sn.program(*lines, tensors={"z": (), "t": ()}), wrt=["t"]).compile()({"t": 2.0}, z)[1]
    assert np.isclose(grads["t"], wanted, rtol=1e-14)


@pytest.mark.parametrize(("dtype", "large"), [("float64", 1e200), ("float32", 1e25)])
@pytest.mark.parametrize("line", ["L = norm(x)", "L = sqrt(sum(x**2))", "L = sum(x[i]*x[i] for i in 1..2)**(1/2)"])
def test_a_norm_is_in_range_where_its_squares_are_not(line: str, dtype: str, large: float) -> None:
    f = sn.derive(sn.program(line, tensors={"x": (2,)})).compile(dtype=dtype)
    for size in (large, 1 / large, 1.0):
        loss, grads = f({"x": [3 * size, -4 * size]})
        assert np.isclose(loss / size, 5, rtol=1e-6) and np.allclose(grads["x"], [0.6, -0.8], rtol=1e-6)
    assert f({"x": [0, 0]})[0] == 0 and not f({"x": [0, 0]})[1]["x"].any()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("line", "slopes"), [
    ("L = -log(max(b, c))", (0, -1 / 3)), ("L = 2 - log(max(b, c))", (0, -1 / 3)), ("L = -log(min(b, c))", (-1 / 2, 0)),
    ("L = -log(abs(b*max(b, c)))", (-1 / 2, -1 / 3)), ("L = -max(b, c)/b", (3 / 4, -1 / 2)), ("L = -b*log(max(b, c))", (-np.log(3), -2 / 3)),
    ("L = log(min(b, c)) - log(max(b, c))", (1 / 2, -1 / 3)),
], ids=lambda x: x if isinstance(x, str) else "")
def test_a_minus_may_stand_before_what_is_chosen(line: str, slopes: tuple[float, ...], dtype: str) -> None:
    """By hand, at b = 2 and c = 3."""
    grads = sn.derive(sn.program(line, tensors={"b": (), "c": ()})).compile(dtype=dtype)({"b": 2.0, "c": 3.0})[1]
    assert [float(grads[n]) for n in "bc"] == pytest.approx(slopes, rel=1e-6)
    rows = sn.derive(sn.program(line.replace("L = ", "L = sum(") + ")", tensors={"b": ("n",), "c": ("n",)})).compile(dtype=dtype)
    found = rows({n: np.full(3, v, dtype=dtype) for n, v in (("b", 2), ("c", 3))})[1]
    assert [found[n].dtype for n in "bc"] == [np.dtype(dtype)] * 2
    assert np.allclose([found[n] for n in "bc"], np.array(slopes)[:, None], rtol=1e-6)
