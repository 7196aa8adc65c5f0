"""A bound function and the backend of Python's numbers: the same values as a call, and told the same way where something does not fit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import NameError_, OptionError, ShapeError

TWO = sn.derive(sn.program("z = w*x + b", "a = sigmoid(z)", "L = (a - y)**2"), wrt=["w", "b"])
NET = sn.derive(sn.Sequential(sn.Linear("d", "h"), sn.Tanh(), sn.Linear("h", "k")), loss=sn.CrossEntropyLoss())


def of_net(n: int = 5, d: int = 4, h: int = 3, k: int = 2) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(3)
    params = {"W1": rng.normal(size=(d, h)), "b1": rng.normal(size=h), "W2": rng.normal(size=(h, k)), "b2": rng.normal(size=k)}
    return params, {"X": rng.normal(size=(n, d)), "Y": np.eye(k)[rng.integers(0, k, n)]}


def same(a: tuple[Any, dict[str, Any]], b: tuple[Any, dict[str, Any]]) -> bool:
    return bool(np.array_equal(a[0], b[0], equal_nan=True)) and a[1].keys() == b[1].keys() and all(
        np.array_equal(a[1][k], b[1][k], equal_nan=True) for k in a[1])


def test_a_bound_function_gives_what_a_call_gives_and_sees_changes_in_place() -> None:
    f, (params, data) = NET.compile(), of_net()
    g = f.bind(params, **data)
    assert same(g(), f(params, **data))
    params["W1"] -= 0.5  # the array that is held itself
    assert same(g(), f(params, **data))
    g.arrays["b2"] += 1
    assert same(g(), f(params, **data)) and g.arrays["b2"] is params["b2"]


def test_another_array_may_have_other_rows_and_is_checked() -> None:
    f, (params, data) = NET.compile(), of_net()
    g = f.bind(params, data["X"], data["Y"])
    _, more = of_net(n=9)
    assert same(g(**more), f(params, **more)) and same(g(), f(params, **more))
    for wrong, kind in (({"X": more["X"][:, :2]}, ShapeError), ({"X": "abc"}, ShapeError), ({"V": 1.0}, NameError_), ({"X": more["X"][:4]}, ShapeError)):
        with pytest.raises(kind):
            g(**wrong)
        assert same(g(), f(params, **more)), "an array that does not fit changes nothing"


def test_what_does_not_fit_is_told_when_it_is_bound() -> None:
    f, (params, data) = NET.compile(), of_net()
    for p, given, kind in ((params, {"X": data["X"]}, NameError_), ({**params, "W1": np.zeros((9, 9))}, data, ShapeError),
                           ({**params, "W1": [["a"]]}, data, ShapeError), ([1.0], data, OptionError)):
        with pytest.raises(kind):
            f.bind(p, **given)


def test_gradients_of_two_calls_share_no_memory() -> None:
    f, (params, data) = NET.compile(), of_net()
    g = f.bind(params, **data)
    first, second = g()[1], g()[1]
    everything = [*first.values(), *second.values(), *g.arrays.values()]
    assert not any(np.shares_memory(a, b) for k, a in enumerate(everything) for b in everything[:k])


FORMULAS = ["exp(w)*x + log(b)", "sigmoid(w*x) + softplus(w - b)", "tanh(w)**2/(1 + abs(x))", "max(w, x)*min(b, w)", "relu(w - x) + leaky_relu(x - w, 1/10)",
            "log(sigmoid(w*x))", "erf(w/sqrt(2)) + sin(x)*cos(b)", "where(w > x, w**3, exp(-w))", "sqrt(w**2 + x**2)", "log(exp(w) + exp(x) + exp(b))",
            "stop_gradient(w)*w + x", "arctan(w) + sinh(x)/cosh(b) + floor(b)", "sign(w)*x**2 + abs(b)", "w*log(1 + exp(-x)) + step(b)", "exp(w)/(exp(w) + exp(x))",
            "clip(w, -1, 1)*x", "(1 - exp(-w))/w + log(1 + x)", "sqrt(w*w + b*b + 1)"]
POINTS = [(0.3, -1.2, 0.7), (2.0, 2.0, 2.0), (-40.0, 30.0, 1e-9), (0.0, 0.0, 0.0), (1e4, -1e4, 745.0), (math.inf, 1.0, 1.0), (math.nan, 1.0, 2.0), (-1.0, -2.0, -3.0)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("formula", FORMULAS)
def test_python_numbers_give_what_numpy_gives(formula: str) -> None:
    d = sn.derive(sn.program(f"L = {formula} + 0*(w + x + b)"), wrt=["w", "x", "b"])
    f, m = d.compile(), d.compile(backend="math")
    for point in POINTS:
        given = dict(zip(("w", "x", "b"), point, strict=True))
        (value, grads), (other, slopes) = f(given), m(given)
        np.testing.assert_allclose([float(other), *[float(slopes[k]) for k in grads]], [float(value), *[float(g) for g in grads.values()]],
                                   rtol=1e-13, atol=1e-300, err_msg=f"{formula} at {given}")
        assert same(m.bind(given)(), m(given)), "bound"


def test_python_numbers_are_floats() -> None:
    loss, grads = TWO.compile(backend="math")({"w": 1, "b": np.float64(0.5)}, x=np.array(2), y=0)
    assert type(loss) is float and {type(g) for g in grads.values()} == {float}


def test_what_python_numbers_cannot_do_is_refused() -> None:
    with pytest.raises(OptionError, match="an array"):
        NET.compile(backend="math")
    with pytest.raises(OptionError, match="float32"):
        TWO.compile(backend="math", dtype="float32")
    with pytest.raises(OptionError, match="numpy"):
        TWO.compile(backend="mth")
    for wrong in ([1.0], "2", 1j, None, np.zeros(1)):
        with pytest.raises(ShapeError):
            TWO.compile(backend="math")({"w": wrong, "b": 1.0}, x=1.0, y=1.0)


CONTRACTIONS = {  # the program, and how often the machine's matrix product stands in it
    "L = sum(X[n, t, i]*W[i, j]*G[n, t, j] for n in 1..N for t in 1..T for i in 1..d for j in 1..k)":
        {"X": ("N", "T", "d"), "W": ("d", "k"), "G": ("N", "T", "k")},
    "L = sum(Q[n, h, q, e]*K[n, h, s, e]*S[n, h, q, s] for n in 1..N for h in 1..H for q in 1..T for s in 1..U for e in 1..d)":
        {"Q": ("N", "H", "T", "d"), "K": ("N", "H", "U", "d"), "S": ("N", "H", "T", "U")},
    "L = sum(A[i, j]*B[j, k]*C[k, i] for i in 1..N for j in 1..T for k in 1..d)": {"A": ("N", "T"), "B": ("T", "d"), "C": ("d", "N")},
    "L = sum(X[n, i]*v[i]*m[n] for n in 1..N for i in 1..d)": {"X": ("N", "d"), "v": ("d",), "m": ("N",)},
    "L = sum(X[n, i]*Y[n, i] for n in 1..N for i in 1..d)": {"X": ("N", "d"), "Y": ("N", "d")},
    "L = sum(X[n, i, j]*Y[j, i, n] for n in 1..N for i in 1..d for j in 1..k)": {"X": ("N", "d", "k"), "Y": ("k", "d", "N")},
    "L = sum(X[n, i, j]*u[n, i]*w[j] for n in 1..N for i in 1..d for j in 1..k)": {"X": ("N", "d", "k"), "u": ("N", "d"), "w": ("k",)},
}
SIZES = {"N": 3, "T": 4, "d": 2, "k": 5, "H": 2, "U": 6}


@pytest.mark.parametrize("sizes", [SIZES, dict.fromkeys(SIZES, 1), {**SIZES, "N": 1, "d": 1}], ids=["all different", "ones", "some ones"])
@pytest.mark.parametrize("text", CONTRACTIONS)
def test_contractions_of_any_rank_are_jax_gradients(text: str, sizes: dict[str, int]) -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    shapes = CONTRACTIONS[text]
    rng = np.random.default_rng(5)
    arrays = {name: rng.normal(size=[sizes[s] for s in shape]) for name, shape in shapes.items()}
    terms = text.removeprefix("L = sum(").split(" for ")[0].split("*")
    spec = ",".join(t[t.index("[") + 1:-1].replace(", ", "") for t in terms)
    names = [t[:t.index("[")] for t in terms]
    value, wanted = jax.value_and_grad(lambda p: jax.numpy.einsum(f"{spec}->", *[p[n] for n in names]))(arrays)
    d = sn.derive(sn.program(text, tensors=shapes), wrt=list(shapes))
    loss, grads = d.compile()(arrays)
    np.testing.assert_allclose(loss, value, rtol=1e-12, atol=1e-13)
    for name, g in grads.items():
        np.testing.assert_allclose(g, wanted[name], rtol=1e-12, atol=1e-13)


def test_wide_contractions_are_matrix_products() -> None:
    first, second, *_ = CONTRACTIONS
    for text in (first, second):
        source = sn.derive(sn.program(text, tensors=CONTRACTIONS[text]), wrt=list(CONTRACTIONS[text])).compile().source
        assert " @ " in source and "einsum" not in source, source
