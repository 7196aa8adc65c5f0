"""Logarithms of softmax and sigmoid are rewritten by identities, and hold at inputs of size 1000."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.arrays.exponentials import Exponentials
from symnet.arrays.stable import stable
from symnet.arrays.stable_functions import log_share
from symnet.calculus import derive
from symnet.core.functions import sigmoid, softplus
from symnet.core.program import Program
from symnet.networks.architectures import mlp

BIG = 1000.0


def last(program: Program) -> sp.Expr:
    return stable(program).definitions[-1].expr


def test_log_of_a_sigmoid_is_minus_softplus_of_minus_z() -> None:
    z = sp.Symbol("z", real=True)
    assert last(sn.program("a = sigmoid(z)", "L = log(a)")) == -softplus(-z)


def test_log_of_one_minus_a_sigmoid_is_minus_softplus_of_z() -> None:
    z = sp.Symbol("z", real=True)
    assert last(sn.program("a = sigmoid(z)", "L = log(1 - a)")) == -softplus(z)


def test_log_of_a_softmax_is_z_minus_the_log_of_a_sum() -> None:
    program = mlp()
    loss = stable(program).by_name["L"][0].expr
    assert not any(e.base.name == "p" for e in loss.atoms(sp.Indexed))
    assert any(isinstance(node, log_share) for node in sp.preorder_traversal(loss))


UNTOUCHED = {
    "log of an input": ("L = log(a)",),
    "log of a sum of inputs": ("a = z + u", "L = log(a)"),
    "no log": ("a = sigmoid(z)", "L = a**2"),
    "a difference of inputs": ("a = z - u", "L = a**2"),
}


@pytest.mark.parametrize("lines", UNTOUCHED.values(), ids=UNTOUCHED)
def test_where_nothing_can_cancel_the_program_is_left_alone(lines: tuple[str, ...]) -> None:
    program = sn.program(*lines)
    assert stable(program).definitions == program.definitions


@pytest.mark.parametrize("point", ["-3", "-1/2", "0", "2", "5"])
def test_the_rewritten_program_has_the_same_exact_values(point: str) -> None:
    program = sn.program("a = sigmoid(z)", "L = y*log(a) + (1 - y)*log(1 - a)")
    z, y = sp.Symbol("z", real=True), sp.Symbol("y", real=True)
    there = {z: sp.Rational(point), y: sp.Rational(1, 3)}
    definition, loss = program.definitions
    naive = loss.expr.xreplace({definition.entry: definition.expr}).xreplace(there)
    rewritten = last(program).xreplace(there)
    in_exp = [e.replace(sigmoid, lambda u: 1 / (1 + sp.exp(-u))).replace(softplus, lambda u: sp.log(1 + sp.exp(u)))
              for e in (naive, rewritten)]
    assert abs(sp.N(in_exp[0] - in_exp[1], 40)) < sp.Float("1e-30")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("z", [BIG, -BIG])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_binary_cross_entropy_of_a_sure_sigmoid_is_finite(y: float, z: float, dtype: str) -> None:
    d = sn.derive(sn.program("z = w*x", "a = sigmoid(z)", "L = -(y*log(a) + (1 - y)*log(1 - a))"), wrt=["w"])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss, grads = d.compile(dtype=dtype)({"w": z}, 1.0, y)
    wrong = (z > 0) != (y == 1)
    assert loss == pytest.approx(BIG if wrong else 0.0, abs=1e-6)
    assert float(grads["w"]) == pytest.approx((1.0 if z > 0 else 0.0) - y)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("scale", [BIG, -BIG])
def test_cross_entropy_of_a_sure_softmax_is_finite(scale: float, dtype: str) -> None:
    d = sn.load("softmax-regression")
    X, Y = np.array([[scale], [1.0]]), np.array([[0.0, 1, 0], [0.25, 0.5, 0.25]])
    W, b = np.array([[1.0, -1, 0]]), np.zeros(3)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss, grads = d.compile(dtype=dtype)({"W1": W, "b1": b}, X, Y)
    Z = X @ W
    logs = Z - Z.max(axis=1, keepdims=True)
    logs = logs - np.log(np.exp(logs).sum(axis=1, keepdims=True))
    assert loss == pytest.approx(-(Y * logs).sum() / 2, rel=1e-6)
    assert np.allclose(grads["W1"], X.T @ (np.exp(logs) - Y) / 2, rtol=1e-4)


LAYERS = {"sigmoid": "sigmoid(z)", "tanh": "tanh(z)", "relu": "relu(z)", "softplus": "softplus(z)", "softmax": "softmax(z)",
          "logsumexp": "log(sum(exp(z)))"}


@pytest.mark.parametrize("text", LAYERS.values(), ids=LAYERS)
def test_a_function_and_its_slope_are_finite_at_inputs_of_size_1000(text: str) -> None:
    d = derive(sn.program(f"a = {text}", "L = sum(a*c)", tensors={"z": ("k",), "c": ("k",)}), ["z"])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss, grads = d.compile()({"z": np.array([BIG, -BIG, 0.0])}, c=np.array([1.0, 2, 3]))
    assert np.isfinite(loss) and np.isfinite(grads["z"]).all()


def test_a_line_that_does_not_use_its_index_names_nothing_in_front_of_a_sum() -> None:
    made = stable(sn.program("Q[i] = tanh(t)", "L = sum(Q[i]*x[i] for i in 1..n)", tensors={"x": ("n",), "t": (), "Q": ("n",)}))
    assert made.by_name["L"][0].expr.free_symbols.isdisjoint(sp.symbols("_0 i", integer=True))
    assert sn.derive(made).compile()({"x": [1.0, 2.0], "t": 0.0})[0] == 0.0


@pytest.mark.parametrize("line", ["log(sigmoid(where(x > y, x, 3*y)))", "softplus(-where(x <= y, x, y))", "log(sigmoid(maximum(x, y)))"])
def test_cases_may_stand_in_a_sigmoid(line: str) -> None:
    f = sn.derive(sn.program(f"L = {line}", tensors={"x": (), "y": ()}), wrt=["x", "y"]).compile()
    at, h = {"x": -4.0, "y": 1.0}, 1e-6
    _, grads = f(at)
    for name in at:
        ahead, back = (float(f({**at, name: at[name] + s * h})[0]) for s in (1, -1))
        assert grads[name] == pytest.approx((ahead - back) / (2 * h), abs=1e-8)


@pytest.mark.parametrize("line", ["-trace(log(softmax(Z)))", "sum(log(softmax(Z)[i, i])*y[i] for i in 1..n)", "trace(softmax(Z)*softmax(Z))",
                                  "sum(exp(Z[i, i])/sum(exp(Z[i, j]) for j in 1..n)*y[i] for i in 1..n)", "sum(log(softmax(Z)[i, n+1-i]) for i in 1..n)",
                                  "sum(y[i]*log(1 - softmax(Z)[i, i]) for i in 1..n)"])
def test_one_entry_of_each_row_of_a_softmax_is_no_axis(line: str) -> None:
    """A contrastive loss takes the diagonal of a softmax over rows."""
    d = sn.derive(sn.program(f"L = {line}", tensors={"Z": ("n", "n"), "y": ("n",)}), wrt=["Z"])
    z, y = np.array([[0.1, 0.5, -1.2], [0.3, -0.2, 0.9], [1.4, 0.0, -0.6]]), np.array([0.5, 2.0, -1.0])
    value, grads = d.compile()({"Z": z}, y)
    exact = d.at({"Z": z, "y": y}, sizes={"n": 3})
    assert value == pytest.approx(float(exact.decimal("L", 17)), rel=1e-14)
    for i in range(3):
        for j in range(3):
            assert grads["Z"][i, j] == pytest.approx(float(exact.decimal("dL_dZ", 17)[i][j]), rel=1e-12, abs=1e-15)


def test_a_factor_with_many_digits_in_an_exponential_is_no_power_to_write_out() -> None:
    """JAX's gelu has 0.7978845608028654 in a tanh; its numerator as the degree of a polynomial took 20 GB."""
    p = sn.program("L = sum(x*(1 + tanh(0.7978845608028654*(x + 0.044715*x**3)))/2)", tensors={"x": ("n",)})
    f = sn.derive(p, wrt=["x"]).compile()
    x, h = np.array([-3.0, -0.5, 0.0, 0.7, 4.0]), 1e-6
    _, grads = f({"x": x})
    for k in range(5):
        ahead, back = (float(f({"x": x + s * h * (np.arange(5) == k)})[0]) for s in (1, -1))
        assert grads["x"][k] == pytest.approx((ahead - back) / (2 * h), abs=1e-8)


def test_slices_of_one_gradient_each_name_what_stands_in_an_exponential() -> None:
    """P[n+1-k] and P[j] with j from 2 on: dL/dP has three slices, and two of them hold a sum in an exponential."""
    p = sn.program("P[i] = cos(t/n**2)", "L = expm1(2*sum(P[n+1-k]*r[j]*P[j]**2 for j in 2..n for k in 1..n))", tensors={"r": ("n",), "t": (), "P": ("0..n",)})
    f, r, h = sn.derive(p, wrt=["t", "r"]).compile(), np.array([1.0, 0.5, 0.3]), 1e-6

    def loss(t: float, r: np.ndarray) -> float:
        entry = np.cos(t / 9)
        return float(np.expm1(2 * 3 * entry**3 * r[1:].sum()))

    value, grads = f({"t": 0.7, "r": r})
    assert value == pytest.approx(loss(0.7, r), rel=1e-14)
    assert grads["t"] == pytest.approx((loss(0.7 + h, r) - loss(0.7 - h, r)) / (2 * h), rel=1e-8)
    for k in range(3):
        step = h * (np.arange(3) == k)
        assert grads["r"][k] == pytest.approx((loss(0.7, r + step) - loss(0.7, r - step)) / (2 * h), rel=1e-8, abs=1e-6)


def test_a_line_that_is_looked_into_keeps_its_indices_apart_from_those_outside() -> None:
    """P is unfolded into dL_dx[j]; its own sum is over j, too."""
    d = sn.derive(sn.program("P[i] = exp(sum(x[j] for j in 1..n))", "L = max(sum(P[i]*z[i] for i in 1..m), 1)", tensors={"x": ("n",), "z": ("m",), "P": ("m",)}),
                  wrt=["x"])
    value, grads = d.compile()({"x": np.array([0.5, -0.25]), "z": np.ones(3)})
    assert value == pytest.approx(3 * np.exp(0.25)) and grads["x"] == pytest.approx(2 * [3 * np.exp(0.25)])


def test_roots_of_two_exponentials_have_a_degree() -> None:
    """sigmoid(h/2) is a root of a share of exponentials; the products of such with tanh are looked into."""
    d = sn.derive(sn.program("h[0] = s", "g[0] = 1", "h[t] = sigmoid(h[t-1]/2) for t in 1..T", "g[t] = tanh(u*h[t]) for t in 1..T",
                             "L = g[T]**2 + sum(h[t]*g[t]*x[t] for t in 1..T)",
                             tensors={"s": (), "u": (), "x": ("T",), "h": ("0..T",), "g": ("0..T",)}), wrt=["s", "u"])
    f, at, step = d.compile(), {"s": 0.4, "u": -0.5}, 1e-6
    _, grads = f(at, x=np.ones(4))
    for name in at:
        up, down = (f({**at, name: at[name] + h}, x=np.ones(4))[0] for h in (step, -step))
        assert grads[name] == pytest.approx((up - down) / (2 * step), rel=1e-7)


@pytest.mark.parametrize("text", [
    "log(sum(exp(x[i]) for i in 1..n for j in 1..m))*sum(B)", "log(sum(exp(x[i]) for i in 1..n for j in 1..m-1))*sum(B)",
    "sum(1/(1 + sum(exp(x[k]) for k in 1..n for p in 1..m))*B[i, 1] for i in 1..n)", "log(sum(exp(x[1]) for j in 1..m))*sum(B)",
    "sum(log(exp(x[i])/sum(exp(x[k]) for j in 1..m for k in 1..n))*x[i] for i in 1..n)*sum(B)",
])
def test_a_logarithm_of_a_sum_in_which_some_axis_only_counts(text: str) -> None:
    d = sn.derive(sn.program(f"L = {text}", tensors={"x": ("n",), "B": ("n", "m")}), wrt=["x"])
    f, x, B, h = d.compile(), np.array([0.3, -0.2]), np.full((2, 3), 0.5), 1e-6
    _, grads = f({"x": x}, B=B)
    for k in range(2):
        up, down = (f({"x": x + step * np.eye(2)[k]}, B=B)[0] for step in (h, -h))
        assert grads["x"][k] == pytest.approx((up - down) / (2 * h), rel=1e-7, abs=1e-8)
    if "1..m-1" not in text:
        assert np.isfinite(f({"x": x + 1000}, B=B)[0])


@pytest.mark.parametrize(("text", "wanted"), [
    ("log(2 + sigmoid(z) + exp(y))", lambda s, z, y: np.log(2 + s(z) + np.exp(y))), ("log(1/2 + sigmoid(z) + exp(y))", lambda s, z, y: np.log(0.5 + s(z) + np.exp(y))),
    ("log(exp(y) + sigmoid(z) - 1/2)", lambda s, z, y: np.log(np.exp(y) + s(z) - 0.5)), ("log(1/2 + sigmoid(z)*exp(y))", lambda s, z, y: np.log(0.5 + s(z) * np.exp(y))),
    ("log(1/2 + sigmoid(z) + sigmoid(y))", lambda s, z, y: np.log(0.5 + s(z) + s(y))), ("log(sigmoid(z) + sigmoid(y) - 1/4)", lambda s, z, y: np.log(s(z) + s(y) - 0.25)),
    ("log(3 + 2*sigmoid(z) + exp(y)/(1 + exp(z)))", lambda s, z, y: np.log(3 + 2 * s(z) + np.exp(y) / (1 + np.exp(z)))),
    ("log(1 + sigmoid(z) + exp(y))", lambda s, z, y: np.log(1 + s(z) + np.exp(y))), ("y*log(2 + sigmoid(z) + exp(y))", lambda s, z, y: y * np.log(2 + s(z) + np.exp(y))),
])
def test_a_number_in_a_logarithm_is_that_number(text: str, wanted: Callable[..., float]) -> None:
    f = sn.derive(sn.program(f"L = {text}", tensors={"z": (), "y": ()}), wrt=["z", "y"]).compile().value_and_grad
    for z, y in ((0.3, 0.7), (-2.0, 1.5), (1.0, -0.25)):
        def value(z: float, y: float) -> float:
            return float(wanted(lambda u: 1 / (1 + np.exp(-u)), z, y))

        found, grads = f(z=z, y=y)
        assert float(found) == pytest.approx(value(z, y), rel=1e-13)
        h = 1e-6
        assert float(grads["z"]) == pytest.approx((value(z + h, y) - value(z - h, y)) / (2 * h), rel=1e-7)
        assert float(grads["y"]) == pytest.approx((value(z, y + h) - value(z, y - h)) / (2 * h), rel=1e-7)


@pytest.mark.parametrize("function", ["tanh({})", "softmax({})"])
def test_the_work_grows_as_the_lines_do(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain of names, each of the two before: what is looked into does not look into all that stands before."""
    read, counts = Exponentials.read, list[int]()

    def counted(self: Exponentials, node: sp.Expr) -> Any:
        counts[-1] += 1
        return read(self, node)

    monkeypatch.setattr(Exponentials, "read", counted)
    for depth in (4, 8):
        counts.append(0)
        lines = ["a0 = z", f"a1 = {function.format('z')}", *[f"a{i} = {function.format(f'a{i - 1}*a{i - 2}')}" for i in range(2, depth + 1)]]
        stable(sn.derive(sn.program(*lines, f"L = sum(y*log(1 - a{depth}**2))", tensors={"z": ("n",), "y": ("n",)})).full)
    assert counts[1] < 3 * counts[0]
