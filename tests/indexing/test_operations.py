"""Operations of the graph that every reader shares: values and gradients are JAX's in float64, at numbers and at sizes that are names."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.axes import Axis
from symnet.core.tensors import Role
from symnet.errors import SymnetError
from symnet.indexing.graph import Graph
from symnet.indexing.lowering import write
from symnet.indexing.operations import Array, Maker

jax = importlib.import_module("jax")
jnp, lax = jax.numpy, jax.lax
RNG = np.random.default_rng(0)
WIDE, SQUARE, LONG = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 3)), RNG.normal(size=(2, 20))
POSITIVE = SQUARE @ SQUARE.T + 2 * np.eye(3)
Case = tuple[Callable[..., Array], Callable[..., Any], list[Any], dict[int, tuple[Any, ...]]]
ANY, TIMES = {0: ("n", "d")}, {1: ("T", 3)}


def _rnn(m: Maker, w: Array, x: Array) -> Array:
    return m.recurrence([m.expand(m.number(0), (3,))], x.shape[0], lambda h: [m.map("tanh", m.map("add", m.matmul(h[0], w), x))])[0]


def _scan(w: Any, x: Any) -> Any:
    return lax.scan(lambda h, v: (jnp.tanh(h @ w + v),) * 2, jnp.zeros(3), x)[1]


CASES: dict[str, Case] = {
    "max": (lambda m, w: m.top(w, 1), lambda w: w.max(1), [WIDE], {}),
    "max of many": (lambda m, w: m.top(w, 1), lambda w: w.max(1), [LONG], {}),
    "max, any size": (lambda m, w: m.top(w, 0), lambda w: w.max(0), [WIDE], ANY),
    "min": (lambda m, w: m.fold("min", w), lambda w: w.min(), [WIDE], {}),
    "prod, kept": (lambda m, w: m.map("mul", m.fold("prod", w, 1, True), w), lambda w: w.prod(1, keepdims=True) * w, [WIDE], {}),
    "prod, any size": (lambda m, w: m.fold("prod", w, 0), lambda w: w.prod(0), [WIDE], ANY),
    "cumprod back": (lambda m, w: m.running(w, 0, True, "prod"), lambda w: jnp.cumprod(w[::-1], 0)[::-1], [WIDE], ANY),
    "cummax": (lambda m, w: m.running(w, 1, False, "max"), lambda w: lax.cummax(w, 1), [WIDE], {}),
    "cumlogsumexp": (lambda m, w: m.running(w, 1, False, "logsumexp"), lambda w: lax.cumlogsumexp(w, 1), [WIDE], {}),
    "det": (lambda m, w: m.det(w), jnp.linalg.det, [SQUARE], {}), "inverse": (lambda m, w: m.inverse(w), jnp.linalg.inv, [POSITIVE], {}),
    "solve": (lambda m, w, x: m.solve(w, x), jnp.linalg.solve, [POSITIVE, SQUARE], {}),
    "cholesky": (lambda m, w: m.cholesky(w), jnp.linalg.cholesky, [POSITIVE], {0: ("n", "n")}),
    "recurrence": (_rnn, _scan, [SQUARE, RNG.normal(size=(5, 3))], TIMES),
    "window of what a reshape made": (lambda m, w: m.window(m.reshape(w, (12,)), 0, 2, 1),
                                      lambda w: jnp.stack([w.reshape(12)[:-1], w.reshape(12)[1:]], 1), [WIDE], {}),
    "any": (lambda m, w: m.map("select", m.any(m.map("gt", w, 0), 1, True), w, 0), lambda w: jnp.where((w > 0).any(1, keepdims=True), w, 0),
            [WIDE], {}),
    "edges again": (lambda m, w: m.extended(w, 1, 2, 1), lambda w: jnp.pad(w, ((0, 0), (2, 1)), mode="edge"), [WIDE], {}),
    "repeat": (lambda m, w: m.repeated(w, 1, 2), lambda w: jnp.repeat(w, 2, 1), [WIDE], {}),
    "zeros between": (lambda m, w: m.stuffed(w, 1, 3), lambda w: jnp.zeros((3, 10)).at[:, ::3].set(w), [WIDE], {}),
    "another diagonal": (lambda m, w: m.diagonal(w, 1), lambda w: jnp.diagonal(w, 1), [WIDE], {}),
    "einsum": (lambda m, w, x: m.einsum("ij,kj,ll->ki", [w, w, x]), lambda w, x: jnp.einsum("ij,kj,ll->ki", w, w, x), [WIDE, SQUARE], {}),
    "writes": (lambda m, w: m.put_at(w, [m.table([2], [2, 0])], m.number(5)), lambda w: w.at[jnp.array([2, 0])].set(5.0), [WIDE], {}),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_jax(name: str) -> None:
    build, reference, arrays, sizes = CASES[name]
    maker = Maker(Graph(), "here")
    inputs = []
    for k, array in enumerate(arrays):
        axes = tuple(Axis.of(n) for n in sizes.get(k, array.shape))
        role = Role.INPUT if k else Role.PARAMETER
        inputs.append(Array(maker.graph.add_input("wx"[k], axes, role), tuple(a.size for a in axes)))
    program = write(maker.graph, maker.sum(maker.map("sin", build(maker, *inputs))).node)
    value, gradients = sn.derive(program).compile()({"w": arrays[0]}, *arrays[1:])
    with jax.enable_x64(True):
        wanted, slope = jax.value_and_grad(lambda *a: jnp.sum(jnp.sin(reference(*a))))(*map(jnp.asarray, arrays))
    assert value == pytest.approx(float(wanted), rel=1e-10)
    assert np.allclose(gradients["w"], slope, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("build", "said"), [
    (lambda m, w: m.inverse(w), "a square matrix"), (lambda m, w: m.cholesky(w), "a square matrix"),
    (lambda m, w: m.einsum("ijk->i", [w]), "one letter for each axis"), (lambda m, w: m.einsum("i...->i", [w]), "one letter for each axis"),
])
def test_what_has_no_value_is_refused_in_one_line(build: Callable[..., Array], said: str) -> None:
    maker = Maker(Graph(), "here")
    axes = Axis.of(3), Axis.of(4)
    w = Array(maker.graph.add_input("w", axes, Role.PARAMETER), tuple(a.size for a in axes))
    with pytest.raises(SymnetError, match=said) as error:
        build(maker, w)
    assert "\n" not in str(error.value)


TEXTS = {
    "sum(cumsum(A, axis=1)**2)": lambda A, x: (jnp.cumsum(A, 1)**2).sum(), "sum(cumprod(x)**2)": lambda A, x: (jnp.cumprod(x)**2).sum(),
    "sum(cummax(x)**2)": lambda A, x: (lax.cummax(x)**2).sum(), "x @ cholesky(A) @ x": lambda A, x: x @ jnp.linalg.cholesky(A) @ x,
    "logabsdet(A)": lambda A, x: jnp.linalg.slogdet(A)[1], "sum(arcsinh(x) + arctan2(x, A[1, 1]))": lambda A, x: (
        jnp.arcsinh(x) + jnp.arctan2(x, A[0, 0])).sum(),
}


@pytest.mark.parametrize("text", TEXTS)
def test_plain_maths_has_them_too(text: str) -> None:
    arrays = {"A": POSITIVE, "x": SQUARE[0]}
    program = sn.program(text, tensors={"A": ("n", "n"), "x": ("n",)})
    held = {t.name: arrays[t.name] for t in program.inputs}
    value, gradients = sn.derive(program, wrt=list(held)).compile()(held)
    with jax.enable_x64(True):
        wanted, slopes = jax.value_and_grad(TEXTS[text], argnums=(0, 1))(*map(jnp.asarray, arrays.values()))
    assert value == pytest.approx(float(wanted), rel=1e-10)
    assert all(np.allclose(gradients[n], dict(zip("Ax", slopes, strict=True))[n], rtol=1e-9) for n in held)


@pytest.mark.parametrize(("text", "said"), [
    ("slogdet(A)", "which has two values; expected logabsdet"), ("sum(cumprod(A))", "an axis"), ("sum(cholesky(x))", "a square matrix"), ("cumprod(A, x)", "the axis")])
def test_wrong_calls_are_one_line(text: str, said: str) -> None:
    with pytest.raises(SymnetError, match=said) as error:
        sn.program(text, tensors={"A": ("n", "n"), "x": ("n",)})
    assert "\n" not in str(error.value)


NUMPY: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "products": (lambda A, x: np.prod(x) + A.prod(axis=0).sum(), lambda A, x: jnp.prod(x) + A.prod(axis=0).sum()),
    "running": (lambda A, x: np.sum(np.cumprod(x)**2 * A.max(axis=1)), lambda A, x: jnp.sum(jnp.cumprod(x)**2 * A.max(axis=1))),
    "matrices": (lambda A, x: np.linalg.slogdet(A)[1] + x @ np.linalg.solve(A, x) + np.linalg.cholesky(A) @ x @ x,
                 lambda A, x: jnp.linalg.slogdet(A)[1] + x @ jnp.linalg.solve(A, x) + jnp.linalg.cholesky(A) @ x @ x),
}


@pytest.mark.parametrize("name", NUMPY)
def test_numpy_functions_have_them_too(name: str) -> None:
    function, reference = NUMPY[name]
    program = sn.from_numpy(function, shapes={"A": ("n", "n"), "x": "n"})
    value, gradients = sn.derive(program, wrt=["A", "x"]).compile()({"A": POSITIVE, "x": SQUARE[0]})
    with jax.enable_x64(True):
        wanted, slopes = jax.value_and_grad(reference, argnums=(0, 1))(jnp.asarray(POSITIVE), jnp.asarray(SQUARE[0]))
    assert value == pytest.approx(float(wanted), rel=1e-10)
    assert all(np.allclose(gradients[n], s, rtol=1e-9) for n, s in zip("Ax", slopes, strict=True))


def test_places_are_known_to_be_different_or_not() -> None:
    m = Maker(Graph(), "test")
    x, n = m.iota([3], 0), 3

    def wrapped(p: Array, least: Any = 0) -> Array:
        return m.map("select", m.map("lt", p, least), m.map("add", p, n), p)
    different = {"0, 1, 2": x, "a table": m.table([3], [2, 0, 1]), "from the end": wrapped(x), "a column": m.reshape(x, [3, 1])}
    maybe_not = {"twice": m.table([3], [2, 0, 2]), "-1 is 2": m.table([2], [-1, 2]), "-1 is 2, from the end": wrapped(m.table([2], [-1, 2])),
                 "0 or its own": m.map("select", m.map("gt", m.map("sub", x, 1), 0), m.number(0), x),
                 "below 1 from the end": wrapped(x, 1), "spread": m.expand(m.number(0), (3,))}
    assert {name for name, p in different.items() if not m.all_different(p)} == set()
    assert {name for name, p in maybe_not.items() if m.all_different(p)} == set()
