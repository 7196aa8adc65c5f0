"""Derivations as modules for JAX and PyTorch: the same numbers as the NumPy module, and no gradient that was not derived."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.backends.dialects import library_source
from symnet.backends.running import function_of
from symnet.core.derivation import Derivation
from symnet.core.program import Program
from symnet.errors import OptionError, UnknownNodeError
from symnet.networks import architectures as nets

ARRAYS = ("jax", "torch")
ODD = "sum(erf(x) + log(1 + exp(x)) + maximum(x, y) + abs(x)*cos(y) + where(x > y, exp(x), y) + sqrt(2)*x + pi) + log(sum(exp(x)))"
CASES: dict[str, tuple[Callable[[], Program], dict[str, int]]] = {
    "mlp": (nets.mlp, {"N": 3, "d": 4, "h": 5, "k": 2}),
    "depth": (nets.deep_mlp, {"d": 3, "L": 4}),
    "rnn": (nets.rnn, {"T": 4, "d": 2, "m": 3}),
    "conv": (lambda: nets.conv1d(stride=2), {"K": 3, "M": 4}),
    "attention": (lambda: sn.program("p = softmax(Q @ K.T)", "L = sum((p @ V)**3)", tensors={"Q": ("T", "d"), "K": ("S", "d"), "V": ("S", "c")}),
                  {"T": 3, "S": 4, "d": 2, "c": 5}),
    "relu, bce": (lambda: sn.Sequential(sn.Linear("d", "k"), sn.ReLU(), sn.Linear("k", 2), sn.Sigmoid()).program(sn.BCELoss()),
                  {"N": 3, "d": 4, "k": 2}),
    "leaky relu, softplus": (lambda: sn.Sequential(sn.Linear("d", "k"), sn.LeakyReLU(), sn.Linear("k", 2), sn.Softplus()).program(
        sn.MSELoss()), {"N": 3, "d": 4, "k": 2}),
    "functions": (lambda: sn.program("L = " + ODD, tensors={"x": ("d",), "y": ("d",)}), {"d": 4}),
    "functions of sizes": (lambda: sn.program("L = sum(x)*(arctan(d) + sigmoid(d) + erf(d) + abs(d - 6) + sign(d - 6) + step(d - 2) + max(d, 2, 5))",
                                              tensors={"x": ("d",)}), {"d": 4}),
    "nothing in range": (lambda: sn.program("u[i, j] = x[i]*x[j]", "L = sum(u[i, i]*u[i+1, i] for i in 1..d-2) + sum(u[i, d-j] for i in 1..d for j in 1..d-1)",
                                            tensors={"x": ("d",)}), {"d": 1}),
    "constant": (lambda: sn.program("z = 2", "L = sum(x*z)", tensors={"x": ("d",)}), {"d": 4}),
}


def load(library: str) -> Any:
    module = importlib.import_module(library)
    if library == "jax":
        module.config.update("jax_enable_x64", True)
    return module


def draw(program: Program, sizes: dict[str, int]) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    shapes = {t.name: [int(n.xreplace({s: sizes[str(s)] for s in n.free_symbols})) for n in t.shape] for t in program.inputs}
    return {name: np.abs(rng.normal(size=shape)) for name, shape in shapes.items()}


def run(source: str) -> dict[str, Any]:
    space: dict[str, Any] = {}
    exec(source, space)
    return space


def prepared(name: str) -> tuple[Derivation, dict[str, Any], float, dict[str, Any]]:
    make, sizes = CASES[name]
    d = sn.derive(make())
    arrays = draw(d.program, sizes)
    return d, arrays, *run(library_source(d, "numpy"))["value_and_grad"](**arrays)


def agree(found: dict[str, Any], wanted: dict[str, Any], times: float = 1) -> None:
    assert set(found) == set(wanted)
    for name, g in wanted.items():
        assert np.asarray(found[name]).dtype == np.float64
        assert np.asarray(found[name]).shape == g.shape
        assert np.allclose(np.asarray(found[name]), times * g, rtol=1e-12, atol=1e-13), name


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("library", ARRAYS)
def test_the_module_gives_the_numbers_of_numpy(library: str, name: str) -> None:
    load(library)
    d, arrays, value, gradients = prepared(name)
    found = run(library_source(d, library))["value_and_grad"](**arrays)
    assert float(found[0]) == pytest.approx(value, rel=1e-12)
    agree(found[1], gradients)


@pytest.mark.parametrize("name", ["mlp", "rnn", "functions"])
def test_jax_compiles_it_and_grad_gives_the_derived_gradients(name: str) -> None:
    jax = load("jax")
    d, arrays, _, gradients = prepared(name)
    loss = run(library_source(d, "jax"))["loss"]
    data = {n: a for n, a in arrays.items() if n not in d.wrt}
    agree(jax.jit(jax.grad(lambda p: 2 * loss(p, data)))({n: arrays[n] for n in d.wrt}), gradients, 2)


def test_jax_does_not_differentiate_what_was_not_derived() -> None:
    jax = load("jax")
    d, arrays, _, _ = prepared("mlp")
    parameters, data = {n: arrays[n] for n in d.wrt}, {n: a for n, a in arrays.items() if n not in d.wrt}
    with pytest.raises(TypeError, match="only the parameters have gradients here: W1, b1, W2, b2"):
        jax.grad(run(library_source(d, "jax"))["loss"], argnums=1)(parameters, data)


@pytest.mark.parametrize("name", ["mlp", "rnn", "functions"])
def test_backward_of_torch_gives_the_derived_gradients(name: str) -> None:
    torch = load("torch")
    d, arrays, _, gradients = prepared(name)
    tensors = {n: torch.tensor(a, requires_grad=n in d.wrt) for n, a in arrays.items()}
    (2 * run(library_source(d, "torch"))["loss"](**tensors)).backward()
    agree({n: tensors[n].grad for n in d.wrt}, gradients, 2)


def test_torch_does_not_differentiate_what_was_not_derived() -> None:
    torch = load("torch")
    d, arrays, _, _ = prepared("mlp")
    loss = run(library_source(d, "torch"))["loss"](**{n: torch.tensor(a, requires_grad=True) for n, a in arrays.items()})
    with pytest.raises(TypeError, match="only these have gradients here: W1, b1, W2, b2"):
        loss.backward()


@pytest.mark.parametrize("library", ARRAYS)
@pytest.mark.parametrize("name", CASES)
def test_no_numpy_is_left(library: str, name: str) -> None:
    tree = ast.parse(library_source(sn.derive(CASES[name][0]()), library))
    imported = {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert imported == {"math", library}
    assert "np" not in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


@pytest.mark.parametrize("library", ARRAYS)
@pytest.mark.parametrize("name", ["jax", "jnp", "torch", "math", "asarray", "heaviside", "loss", "NAMES", "lambda"])
def test_a_tensor_may_have_any_name(library: str, name: str) -> None:
    load(library)
    d = sn.derive(sn.program(f"L = sum(maximum({name}*x, x) + log(1 + exp(x)))", tensors={name: ("d",), "x": ("d",)}) if name != "lambda"
                  else sn.Sequential(sn.Linear("lambda", 1)).program(sn.MSELoss()))
    arrays = draw(d.program, {"d": 3, "N": 2, "lambda": 4})
    agree(run(library_source(d, library))["value_and_grad"](**arrays)[1], run(library_source(d, "numpy"))["value_and_grad"](**arrays)[1])


def test_a_gradient_of_something_computed_has_no_loss_function() -> None:
    d = sn.derive(sn.program("z = w*x", "L = z**2"), wrt=["z"])
    assert "custom_vjp" not in library_source(d, "jax")
    assert "autograd" not in library_source(d, "torch")


def test_another_library_is_refused() -> None:
    with pytest.raises(OptionError, match="tensorflow"):
        library_source(prepared("constant")[0], "tensorflow")


def test_a_numpy_function_without_a_form_is_refused() -> None:
    from symnet.backends.dialects import JAX, _translate

    with pytest.raises(UnknownNodeError, match=r"np\.unwrap"):
        _translate("x = np.unwrap(y)", JAX)


def test_export_is_public() -> None:
    assert sn.export(sn.derive(nets.mlp()), "torch") == library_source(sn.derive(nets.mlp()), "torch")


NUMBERS = ["sum(0.3 for k in 1..5)", "n/3", "c"]  # c is a line of its own, c = n/3
OF_NUMBERS = ["log(1 + {}**2)", "exp({}) - 1", "sin({})", "tanh({})", "sinh({})", "cosh({})", "atan({})", "abs({} - 20)", "sign({} - 20)",
              "floor({}/2)", "sqrt({} + 1)", "sigmoid({})", "softplus({})", "logsigmoid({})", "gelu({})", "silu({})", "relu({} - 1)",
              "log(1 - exp(-{}))", "log(cosh({}))", "max({}, 2)", "where({} > 1, 1, 3)"]


@pytest.mark.parametrize("library", ARRAYS)
@pytest.mark.parametrize("number", NUMBERS)
def test_a_function_of_a_number_that_no_array_holds(library: str, number: str) -> None:
    """PyTorch's functions take tensors only; the value and the slope are NumPy's."""
    load(library)
    total = " + ".join(f"{k}*u*{f.format(f'({number})')}" for k, f in enumerate(OF_NUMBERS, start=1))
    d = sn.derive(sn.program("c = n/3", f"L = {total} + sum(x)", tensors={"u": (), "x": ("n",)}))
    arrays = {"u": np.array(1.5), "x": np.zeros(4)}
    agree(run(library_source(d, library))["value_and_grad"](**arrays)[1], run(library_source(d, "numpy"))["value_and_grad"](**arrays)[1])


@pytest.mark.parametrize("library", ["numpy", "torch", "math", "jax"])
@pytest.mark.parametrize(("text", "wanted"), [
    ("a*exp(tanh(1))", 2 * np.exp(np.tanh(1))), ("a*exp(exp(1/3))", 2 * np.exp(np.exp(1 / 3))), ("a*sigmoid(tanh(1/3))", 2 / (1 + np.exp(-np.tanh(1 / 3)))),
    ("a**2/(1 + (exp(3/10)/(1 + exp(3/10)))**2)", 4 / (1 + 1 / (1 + np.exp(-0.3)) ** 2)), ("a*log(softplus(2))", 2 * np.log(np.log1p(np.exp(2)))),
])
def test_functions_of_numbers_alone(text: str, wanted: float, library: str) -> None:
    d = sn.derive(sn.program(f"L = {text}", tensors={"a": ()}), wrt=["a"])
    value, _ = function_of(library_source(d, library, "float32" if library == "jax" else "float64"), "value_and_grad")(a=2.0)
    assert float(value) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("library", ["numpy", "torch", "jax"])
def test_a_number_among_exponents(library: str) -> None:
    d = sn.derive(sn.program("p = log_softmax(y)", "L = log(sum(exp(z)/(2 + sum(exp(p)))))", tensors={"y": ("n",), "z": ("n",)}), wrt=["y", "z"])
    half = np.full(3, 0.5)
    value, grads = function_of(library_source(d, library, "float32"), "value_and_grad")(y=half, z=half)
    assert float(value) == pytest.approx(0.5 + np.log(3) - np.log(3), rel=1e-5)
    assert np.asarray(grads["z"]) == pytest.approx(np.full(3, 1 / 3), rel=1e-5)


@pytest.mark.parametrize("text", ["max(sigmoid(x[j]) for j in 1..2)", "maximum(sigmoid(x[1]), sigmoid(x[2]))", "max(x[j]*sigmoid(x[j]) for j in 1..2)",
                                  "maximum(exp(x[1])/(1+exp(x[1])), exp(x[2])/(1+exp(x[2])))", "max(tanh(x[j]) for j in 1..2)"])
def test_equal_values_tie_however_they_are_computed(text: str) -> None:
    """The first of two equal entries has the slope, at all of 400 points: the values and what asks which is greater round alike."""
    f = sn.derive(sn.program(f"L = {text}", tensors={"x": (2,)}), wrt=["x"]).compile().value_and_grad
    for k in range(-200, 200):
        slope = f(x=np.array([k / 100, k / 100]))[1]["x"]
        assert (slope[0] != 0 or abs(k) in (127, 128)) and slope[1] == 0, k
