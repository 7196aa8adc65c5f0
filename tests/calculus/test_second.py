"""Jacobians, Hessians, Hessian-vector products: the same rule again, against JAX and by its own step checks."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.arrays.notation import matrix_latex
from symnet.calculus import derive
from symnet.calculus.evaluate import evaluate
from symnet.calculus.jacobian import gauss_newton, hessian, hessian_vector_product, jacobian
from symnet.errors import NameError_, ShapeError
from symnet.parsing.program import program

SIZES = {"n": 3, "m": 4, "d": 3, "N": 5}


def softmax() -> Any:
    return program("s = softmax(z)", "L = sum(s**2)", tensors={"z": ("n",)})


def logsumexp() -> Any:
    return program("L = log(sum(exp(z)))", tensors={"z": ("n",)})


def least_squares() -> Any:
    return program("r = X @ w - y", "L = sum(r**2)/2", tensors={"X": ("N", "d"), "w": ("d",), "y": ("N",)})


def layer() -> Any:
    return program("z = W @ x", "a = tanh(z)", "L = sum((a - y)**2)/2", tensors={"W": ("m", "d"), "x": ("d",), "y": ("m",)})


def test_the_softmax_jacobian_is_diag_s_minus_s_s() -> None:
    d = jacobian(softmax(), "s", ["z"])
    assert str(d.gradients["z"]) == "ds_dz[i, j] = [j == i]*s[i] - s[i]*s[j]"
    assert matrix_latex(d.gradients["z"].definitions[0], d.full.tensors) == \
        r"\frac{\partial s}{\partial z} = \operatorname{diag}\left(s\right) - s s^{\top}"
    assert d.gradients["z"].latex().startswith(r"\frac{\partial s_{i}}{\partial z_{j}} = ")


def test_the_hessian_of_log_sum_exp_has_the_same_form() -> None:
    h = hessian(derive(logsumexp(), ["z"]), "z")
    assert matrix_latex(h.gradients["z"].definitions[0], h.full.tensors) == \
        r"\frac{\partial^{2} L}{\partial z \, \partial z^{\top}} = \operatorname{diag}\left(\frac{\partial L}{\partial z}\right)" \
        r" - \frac{\partial L}{\partial z} \left(\frac{\partial L}{\partial z}\right)^{\top}"


MADE = {
    "softmax jacobian": lambda: jacobian(softmax(), "s", ["z"]),
    "layer jacobian": lambda: jacobian(layer(), "a", ["x", "W"]),
    "layer hessian": lambda: hessian(derive(layer(), ["x"]), "x"),
    "weights hessian": lambda: hessian(derive(layer(), ["W"]), "W"),
    "mixed": lambda: hessian(derive(layer(), ["x", "W"]), "x", "W"),
    "least squares": lambda: hessian(derive(least_squares(), ["w"]), "w"),
    "log sum exp": lambda: hessian(derive(logsumexp(), ["z"]), "z"),
    "product": lambda: hessian_vector_product(derive(layer(), ["W"]), "W"),
    "1-1-1": lambda: hessian(sn.load("first"), "w1", "w2"),
    "third": lambda: hessian(hessian(derive(program("L = sum(exp(x))/3", tensors={"x": ("n",)}), ["x"]), "x"), "x"),
}


@pytest.mark.parametrize("name", MADE)
def test_every_step_checks(name: str) -> None:
    d = MADE[name]()
    assert d.steps and all(s.check() for s in d.steps)


@pytest.mark.parametrize("name", [n for n in MADE if n != "third"])
def test_integer_sizes_give_the_same(name: str) -> None:
    d = MADE[name]()
    sizes = {str(s): SIZES[str(s)] for s in d.program.sizes}
    assert len(d.instantiate(sizes).full.definitions) >= len(d.full.definitions)


def _inputs(p: Any, seed: int) -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    return {t.name: rng.normal(size=[int(s.xreplace({u: SIZES[str(u)] for u in s.free_symbols})) for s in t.shape]) for t in p.inputs}


def _jax() -> Any:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


def test_hessians_agree_with_jax() -> None:
    jax = _jax()
    jnp = jax.numpy
    values = _inputs(layer(), 1)

    def loss(x: Any, w: Any) -> Any:
        return ((jnp.tanh(w @ x) - values["y"]) ** 2).sum() / 2

    wanted = jax.hessian(loss, argnums=(0, 1))(values["x"], values["W"])
    cases = {("x", "x"): wanted[0][0], ("W", "W"): wanted[1][1], ("x", "W"): wanted[0][1]}
    for (of, wrt), matrix in cases.items():
        d = hessian(derive(layer(), ["x", "W"]), of, wrt)
        _, found = d.compile().value_and_grad(**values)
        np.testing.assert_allclose(found[wrt], matrix, rtol=1e-11, atol=1e-13)


def test_the_hessian_vector_product_agrees_with_jax() -> None:
    jax = _jax()
    jnp = jax.numpy
    values = {**_inputs(layer(), 2), "v": np.random.default_rng(3).normal(size=(4, 3))}

    def loss(w: Any) -> Any:
        return ((jnp.tanh(w @ values["x"]) - values["y"]) ** 2).sum() / 2

    wanted = jax.jvp(jax.grad(loss), (values["W"],), (values["v"],))[1]
    _, found = hessian_vector_product(derive(layer(), ["W"]), "W").compile().value_and_grad(**values)
    np.testing.assert_allclose(found["W"], wanted, rtol=1e-11, atol=1e-13)


def test_gauss_newton_is_the_hessian_where_the_network_is_linear() -> None:
    g = gauss_newton(derive(least_squares(), ["w"]), "r", "w")
    h = hessian(derive(least_squares(), ["w"]), "w")
    values = {n: a.round(2).tolist() for n, a in _inputs(least_squares(), 4).items()}
    values = {n: [[str(v) for v in row] if isinstance(row, list) else str(row) for row in rows] for n, rows in values.items()}
    sizes = {"N": 5, "d": 3}
    assert evaluate(g, values, sizes).exact("G") == evaluate(h.full, values, sizes).exact(h.gradient_name("w"))


def test_the_mixed_partial_is_symmetric() -> None:
    first = sn.load("first")
    one, two = (hessian(first, a, b).at(first.values) for a, b in (("w1", "w2"), ("w2", "w1")))
    import mpmath

    with mpmath.workdps(60):
        def loss(w1: Any, w2: Any) -> Any:
            a1 = 1 / (1 + mpmath.exp(-(w1 * 2 + mpmath.mpf(2) / 10)))
            return (1 / (1 + mpmath.exp(-(w2 * a1 - mpmath.mpf(4) / 10))) - 1) ** 2

        wanted = mpmath.nstr(mpmath.diff(loss, (mpmath.mpf(1) / 2, mpmath.mpf(8) / 10), (1, 1)), 20)
    assert one.decimal("ddL_dw1_dw2", 20) == two.decimal("ddL_dw2_dw1", 20) == wanted


def test_what_has_no_jacobian_says_so() -> None:
    with pytest.raises(NameError_, match="no line defines"):
        jacobian(layer(), "nope", ["x"])
    from symnet.networks.architectures import rnn

    with pytest.raises(ShapeError, match="other places of itself"):
        jacobian(rnn(), "h", ["U"])


@pytest.mark.parametrize(("line", "hessian_at_3"), [
    ("L = sum(x[j]**2 for j in 2..n)", [[0, 0, 0], [0, 2, 0], [0, 0, 2]]),
    ("L = x[n]**3", [[0, 0, 0], [0, 0, 0], [0, 0, 30]]),
    ("L = sum(x[j]*x[j+1] for j in 1..n-1)", [[0, 1, 0], [1, 0, 1], [0, 1, 0]]),
    ("L = x[1]*sum(x[j] for j in 2..n)", [[0, 1, 1], [1, 0, 0], [1, 0, 0]]),
], ids=lambda v: v if isinstance(v, str) else "")
def test_a_gradient_in_slices_has_a_hessian(line: str, hessian_at_3: list[list[int]]) -> None:
    d = sn.derive(sn.program(line, tensors={"x": ("n",)}), wrt=["x"])
    second = sn.hessian(d, "x")
    assert all(second.check())
    found = second.at({"x": ["2", "3", "5"]}, sizes={"n": 3}).exact(second.gradients["x"].target.name)
    assert found == hessian_at_3


def test_slices_with_sums_of_their_own_have_a_hessian() -> None:
    """The letters of the one line are none that a slice binds."""
    p = sn.program("Q = cosh(sum(z[i]*r[k]/(1 + sum(z[l]**2 for l in 1..m-1)) for i in 1..m for k in 1..n))", "L = sum(Q*x[i] for i in 1..n)",
                   tensors={"z": ("m",), "x": ("n",), "r": ("n",)})
    assert all(sn.hessian(derive(p, ["z"]), "z").check())
