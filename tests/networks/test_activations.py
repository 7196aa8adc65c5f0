"""Every activation against a formula written by hand in JAX, float64: values, gradients, kinks, large inputs, printing."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp
from jax.scipy.special import erf

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.evaluate import evaluate
from symnet.core.latex import definition_latex
from symnet.core.text import definition_text
from symnet.networks.activations import ACTIVATIONS, SELU_ALPHA, SELU_SCALE, Hardtanh
from symnet.networks.catalogue import LAYERS
from symnet.networks.layers import Layer
from symnet.networks.losses import SquaredError
from symnet.networks.sequential import Sequential

jax.config.update("jax_enable_x64", True)
Array = np.ndarray[Any, Any]
DICE = np.random.default_rng(5)
X, W, B, Y = (DICE.integers(-300, 300, s) / 128 for s in ((4, 3), (3, 2), (2,), (4, 2)))
ALPHA, SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def elu(z: Any, alpha: float = 1.0) -> Any:
    return jnp.where(z > 0, z, alpha * jnp.expm1(jnp.minimum(z, 0)))


FORMULAS: dict[str, tuple[Layer, Callable[[Any], Any]]] = {
    "ELU": (sn.ELU(), elu),
    "ELU with alpha": (sn.ELU("3/8"), lambda z: elu(z, 0.375)),
    "SELU": (sn.SELU(), lambda z: SCALE * elu(z, ALPHA)),
    "GELU": (sn.GELU(), lambda z: z * 0.5 * (1 + erf(z / math.sqrt(2)))),
    "GELU by tanh": (sn.GELU("tanh"), lambda z: 0.5 * z * (1 + jnp.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))),
    "SiLU": (sn.SiLU(), lambda z: z / (1 + jnp.exp(-z))),
    "Mish": (sn.Mish(), lambda z: z * jnp.tanh(jnp.log1p(jnp.exp(z)))),
    "Softsign": (sn.Softsign(), lambda z: z / (1 + jnp.abs(z))),
    "Hardtanh": (sn.Hardtanh(), lambda z: jnp.clip(z, -1, 1)),
    "Hardtanh with ends": (sn.Hardtanh("-1/4", 2), lambda z: jnp.clip(z, -0.25, 2)),
    "ReLU6": (sn.ReLU6(), lambda z: jnp.minimum(jnp.maximum(z, 0), 6)),
    "LogSigmoid": (sn.LogSigmoid(), lambda z: -jnp.log1p(jnp.exp(-z))),
    "Softshrink": (sn.Softshrink(), lambda z: jnp.sign(z) * jnp.maximum(jnp.abs(z) - 0.5, 0)),
    "CELU": (sn.CELU("3/2"), lambda z: 1.5 * elu(z / 1.5)),
    "Hardsigmoid": (sn.Hardsigmoid(), lambda z: jnp.clip(z / 6 + 0.5, 0, 1)),
    "Hardswish": (sn.Hardswish(), lambda z: z * jnp.clip(z + 3, 0, 6) / 6),
    "Hardshrink": (sn.Hardshrink(), lambda z: jnp.where(jnp.abs(z) > 0.5, z, 0)),
    "Tanhshrink": (sn.Tanhshrink(), lambda z: z - jnp.tanh(z)),
    "Threshold": (sn.Threshold("1/8", 3), lambda z: jnp.where(z > 0.125, z, 3)),
}


def test_every_new_activation_has_a_formula_here() -> None:
    names = {c.__name__ for c in ACTIVATIONS}
    assert {name.split()[0] for name in FORMULAS} == names
    assert names <= set(LAYERS) and all(getattr(sn, name) is LAYERS[name] for name in names)


@pytest.mark.parametrize("layer, formula", FORMULAS.values(), ids=FORMULAS)
def test_the_exact_value_is_the_formula(layer: Layer, formula: Callable[[Any], Any]) -> None:
    made = Sequential(sn.Linear("d", "h"), layer).program()
    found = evaluate(made, {"X": X.tolist(), "W1": W.tolist(), "b1": B.tolist()}).decimal("a1", 17)
    np.testing.assert_allclose(np.array(found, dtype=float), formula(X @ W + B), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("layer, formula", FORMULAS.values(), ids=FORMULAS)
def test_value_and_gradients_agree_with_jax(layer: Layer, formula: Callable[[Any], Any]) -> None:
    loss, grads = derive(Sequential(sn.Linear("d", "h"), layer).program(SquaredError())).compile(check=False)({"W1": W, "b1": B}, X, Y)
    wanted, slopes = jax.value_and_grad(lambda w, b: jnp.sum((formula(X @ w + b) - Y) ** 2), (0, 1))(W, B)
    assert loss == pytest.approx(float(wanted), rel=1e-12)
    for name, slope in zip(("W1", "b1"), slopes, strict=True):
        np.testing.assert_allclose(grads[name], slope, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("layer", [layer for layer, _ in FORMULAS.values()], ids=FORMULAS)
def test_every_step_checks_on_its_own(layer: Layer) -> None:
    d = derive(Sequential(sn.Linear("d", "h"), layer, sn.Linear("h", 1)).program(SquaredError()))
    assert all(s.check() for s in d.steps)


@pytest.mark.parametrize("layer, formula", FORMULAS.values(), ids=FORMULAS)
def test_large_inputs_give_finite_values_and_gradients(layer: Layer, formula: Callable[[Any], Any]) -> None:
    run = derive(Sequential(sn.Linear("d", "h"), layer).program(SquaredError())).compile()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the branch of the cases that does not hold may overflow
        loss, grads = run({"W1": np.eye(2), "b1": np.zeros(2)}, np.array([[1000.0, -1000.0]]), np.ones((1, 2)))
    assert np.isfinite(loss) and np.isfinite(grads["W1"]).all()


KINKS: dict[str, tuple[Layer, object, object]] = {  # torch.nn.functional's own answers at these points
    "ELU": (sn.ELU("1/2"), 0, sp.Rational(1, 2)), "SELU": (sn.SELU(), 0, SELU_SCALE * SELU_ALPHA), "Softsign": (sn.Softsign(), 0, 1),
    "Hardtanh above": (sn.Hardtanh(), 1, 0), "Hardtanh below": (sn.Hardtanh(), -1, 0), "ReLU6": (sn.ReLU6(), 6, 0),
    "Softshrink": (sn.Softshrink(), "1/2", 0),
}


@pytest.mark.parametrize("layer, at, slope", KINKS.values(), ids=KINKS)
def test_at_a_kink_the_slope_is_pytorchs(layer: Layer, at: object, slope: object) -> None:
    d = derive(Sequential(sn.Linear(1, 1), layer).program(SquaredError()))
    found = d.at({"x": at, "w1": 1, "b1": 0, "y": 3})
    assert found.exact("dL_db1") == 2 * (found.exact("a1") - 3) * slope


def test_the_convention_at_the_border_of_cases_is_stated() -> None:
    d = derive(Sequential(sn.Linear(1, 1), sn.ELU()).program(SquaredError()))
    assert any("the branch that holds there" in c for c in d.conventions)


def test_selu_names_its_constants_once_and_they_are_pytorchs_digits() -> None:
    made = Sequential(sn.Linear("d", "h"), sn.SELU(), sn.Linear("h", "k"), sn.SELU()).program()
    assert [d.name for d in made] == ["z1", "alpha_selu", "scale_selu", "a1", "z2", "a2"]
    assert definition_text(made.by_name["alpha_selu"][0]) == "alpha_selu = 1.6732632423543772848170429916717"
    assert definition_text(made.by_name["scale_selu"][0]) == "scale_selu = 1.0507009873554804934193349852946"


PRINTED: dict[str, tuple[Layer, str]] = {
    "ELU": (sn.ELU(), r"a = \begin{cases} z & \text{if } z > 0 \\ e^{z} - 1 & \text{otherwise} \end{cases}"),
    "SELU": (sn.SELU(), r"a = \lambda \begin{cases} z & \text{if } z > 0 \\ \alpha \left(e^{z} - 1\right) & \text{otherwise} \end{cases}"),
    "GELU": (sn.GELU(), r"a = \frac{z \left(1 + \operatorname{erf}\left(\frac{\sqrt{2} z}{2}\right)\right)}{2}"),
    "SiLU": (sn.SiLU(), r"a = z \sigma\left(z\right)"),
    "Mish": (sn.Mish(), r"a = z \tanh\left(\operatorname{softplus}\left(z\right)\right)"),
    "Softsign": (sn.Softsign(), r"a = \frac{z}{1 + \left|z\right|}"),
}


@pytest.mark.parametrize("layer, wanted", PRINTED.values(), ids=PRINTED)
def test_it_reads_like_the_textbook(layer: Layer, wanted: str) -> None:
    made = Sequential(sn.Linear(1, 1), layer).program()
    shown = definition_latex(made.by_name["a1"][0], made.tensors)
    assert shown.replace("_{1}", "") == wanted


def test_the_derivative_of_cases_is_cases() -> None:
    d = derive(Sequential(sn.Linear(1, 1), sn.ELU(2)).program(SquaredError()))
    step = next(s for s in d.steps if s.of.name == "z1")
    assert definition_text(step.definition, d.full.tensors) == "dL_dz1 = dL_da1*(1 if z1 > 0 else 2*exp(z1))"


WRONG: dict[str, Callable[[], object]] = {
    "GELU": lambda: sn.GELU("sigmoid"), "ends": lambda: Hardtanh(1, -1), "equal ends": lambda: Hardtanh(1, 1),
    "a negative shrink": lambda: sn.Softshrink(-1), "no number": lambda: sn.Softshrink("wide"),
    "a slope that is no number": lambda: Sequential(sn.Linear(1, 1), sn.ELU("steep")).program(),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_a_wrong_argument_is_said_in_one_line(make: Callable[[], object]) -> None:
    with pytest.raises(sn.SymnetError) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_exact_values_of_large_numbers_are_written_down_and_cases_are_decided() -> None:
    made = Sequential(sn.Linear(2, 2), sn.SELU(), sn.Linear(2, 2), sn.GELU("tanh"), sn.Linear(2, 1)).program(sn.HuberLoss())
    ones = {"X": [[1, 2], [3, -4]], "W1": [[1, 2], [3, 4]], "b1": [1, 0], "W2": [[1, -1], [2, 1]], "b2": [0, 1], "W3": [[1], [2]], "b3": [1]}
    found = derive(made).at({**ones, "Y": [[1], [2]]})
    exact = found.exact("dL_dW3")[0][0]
    assert not exact.has(sp.Piecewise) and float(exact.evalf(20)) == pytest.approx(float(found.decimal("dL_dW3", 17)[0][0]), rel=1e-12)
