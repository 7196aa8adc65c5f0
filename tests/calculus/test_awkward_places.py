"""Gradients of entries at awkward places: reversed strides, diagonals that two uses share, and cases inside sums and brackets."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.core.expressions import When, as_written
from symnet.core.program import Program

Loss = Callable[[dict[str, Any], Any], Any]


def jax64() -> Any:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


def program(*lines: str, **shapes: tuple[Any, ...]) -> Program:
    return sn.program(*lines, tensors=shapes)


def agrees(given: Program, loss: Loss, sizes: dict[str, int], seed: int = 0) -> None:
    """Every step is checked; the compiled gradients, and those at scalars, are JAX's of the loss written by hand."""
    jax, d = jax64(), sn.derive(given)
    assert all(c.ok for c in d.check()), [c.reason for c in d.check() if not c.ok]
    rng = np.random.default_rng(seed)
    arrays = {t.name: rng.normal(size=[int(e.xreplace({s: sizes[s.name] for s in e.free_symbols})) for e in t.shape]) for t in given.inputs}
    value, found = d.compile()(arrays)
    wanted, slopes = jax.value_and_grad(lambda a: loss(a, jax.numpy))(arrays)
    assert value == pytest.approx(float(wanted), rel=1e-11)
    for name in arrays:
        np.testing.assert_allclose(found[name], np.asarray(slopes[name]), rtol=1e-10, atol=1e-12)
    assert d.instantiate(sizes).wrt


# -- strides that fall ------------------------------------------------------------------------------------------------------

FALLING: dict[str, tuple[str, str, Loss]] = {
    "odd places": ("L = sum(q[2*n + 1 - 2*i]**2 for i in 1..n)", "2*n", lambda a, np: np.sum(a["q"][0::2] ** 2)),
    "even places": ("L = sum(sin(q[2*n + 2 - 2*i]) for i in 1..n)", "2*n", lambda a, np: np.sum(np.sin(a["q"][1::2]))),
    "every third": ("L = sum(i*q[3*n + 1 - 3*i]**3 for i in 1..n)", "3*n",
                    lambda a, np: np.sum(np.arange(a["q"].size // 3, 0, -1) * a["q"][0::3] ** 3)),
    "both ways": ("L = sum(q[2*n + 1 - 2*i]*q[2*i] for i in 1..n)", "2*n", lambda a, np: np.sum(a["q"][0::2][::-1] * a["q"][1::2])),
    "twice": ("L = sum(q[2*n + 2 - 2*i - j]**2*j for i in 1..n for j in 0..1)", "2*n", lambda a, np: np.sum(a["q"][0::2] ** 2)),
}


@pytest.mark.parametrize("name", FALLING)
@pytest.mark.parametrize("n", [1, 4])
def test_a_stride_may_fall_at_any_size(name: str, n: int) -> None:
    line, shape, loss = FALLING[name]
    agrees(program(f"{line} + sum(x**2)", q=(shape,), x=("n",)), lambda a, np: loss(a, np) + np.sum(a["x"] ** 2), {"n": n})


@pytest.mark.parametrize("text", ["a - 2*n - 1", "a - 2*n - 2", "-a - 3*n - 1", "a - 2*b - 2*n", "-a - b + 2*n + 1"])
def test_questions_about_falling_indices_end_while_sums_are_kept_as_written(text: str) -> None:
    n, a, b = sp.Symbol("n", integer=True, positive=True), sp.Symbol("a", integer=True), sp.Symbol("b", integer=True)
    e = sp.sympify(text, {"n": n, "a": a, "b": b})
    with as_written():
        conditions = [sp.Le(e, 1), sp.Gt(e, n), sp.Eq(sp.Mod(e, 2), 0)]
        size = sp.Abs(e)
    for at in (1, 4, 7):
        env = {n: 3, a: at, b: 2}
        v = int(e.subs(env))
        assert [c.subs(env) == sp.true for c in conditions] == [v <= 1, v > 3, v % 2 == 0]
        assert size.subs(env) == abs(v)


# -- two uses of one entry that brackets tell apart -------------------------------------------------------------------------

def test_a_bracket_that_all_uses_share_guards_the_gradient_above_them() -> None:
    """A[6 - 2i, i] A[3i - 1, i] for i = 1, 2: columns 3 to 5 have no z[i] at all."""
    agrees(program("z[i] = A[6-2*i, i]*A[3*i-1, i] for i in 1..2", "h[i] = A[i+1, i+1] for i in 1..2", "L = sum(z**2) + sum(h)", A=(5, 5)),
           lambda a, np: (a["A"][3, 0] * a["A"][1, 0]) ** 2 + (a["A"][1, 1] * a["A"][4, 1]) ** 2 + a["A"][1, 1] + a["A"][2, 2], {})


def test_the_same_with_sizes() -> None:
    agrees(program("z[i] = B[2*i, i]*B[i, i] + B[2*n, i] for i in 1..n", "L = sum(x[i]*z[i]**2 for i in 1..n)", B=("2*n", "2*n"), x=("n",)),
           lambda a, np: sum(a["x"][i] * (a["B"][2 * i + 1, i] * a["B"][i, i] + a["B"][-1, i]) ** 2 for i in range(a["B"].shape[0] // 2)), {"n": 3})


# -- a slice of a gradient where a bracket never holds ----------------------------------------------------------------------

def _pairs(a: dict[str, Any], value: Callable[[Any, Any, Any], Any]) -> Any:
    return sum(value(a["q"][i], a["q"][i + j], a["r"][i + j + 1]) ** 2 for i in range(2) for j in range(2)) + a["q"][9]


ALONE: dict[str, tuple[str, Callable[[Any], Callable[[Any, Any, Any], Any]]]] = {
    "product": ("q[j+i-1]*r[i+j]", lambda np: lambda first, q, r: q * r),
    "maximum": ("max(q[j+i-1], r[i+j])", lambda np: lambda first, q, r: np.maximum(q, r)),
    "cases": ("where(q[i] > 0, q[j+i-1], r[j+i])", lambda np: lambda first, q, r: np.where(first > 0, q, r)),
}


@pytest.mark.parametrize("name", ALONE)
def test_a_place_out_of_reach_of_a_sum_is_not_asked_about(name: str) -> None:
    text, value = ALONE[name]
    agrees(program(f"g[i, j] = {text} for i in 1..2 for j in 1..2", "L = sum(g[i, j]**2 for i in 1..2 for j in 1..2) + q[10]", q=(10,), r=(4,)),
           lambda a, np: _pairs(a, value(np)), {})


# -- cases under sums and brackets ------------------------------------------------------------------------------------------

CASES: dict[str, tuple[Program, Loss, dict[str, int]]] = {
    "norm of a product": (
        program("L = norm(r @ where(outer(x, x) > 1/5, outer(y, x), outer(x, r)))", x=("n",), y=("n",), r=("n",)),
        lambda a, np: np.sqrt(np.sum((a["r"] @ np.where(np.outer(a["x"], a["x"]) > 0.2, np.outer(a["y"], a["x"]),
                                                        np.outer(a["x"], a["r"]))) ** 2)), {"n": 3}),
    "square of an inner sum": (
        program("L = sum(sum(where(x[i]*x[k] > 1, y[k], x[i]) for k in 1..n)**2 for i in 1..n)", x=("n",), y=("n",)),
        lambda a, np: np.sum(np.sum(np.where(np.outer(a["x"], a["x"]) > 1, a["y"][None, :], a["x"][:, None]), axis=1) ** 2), {"n": 3}),
    "a window": (
        program("P[i, j] = where(x[i] < 1, K[i+j-1], 1) for i in 1..n for j in 1..m", "L = sum(sum(P[i, j] for j in 1..m) for i in 1..n)",
                x=("n",), K=("n+m-1",), P=("n", "m")),
        lambda a, np: sum(np.where(a["x"][i] < 1, a["K"][i + j], 1) for i in range(4) for j in range(a["K"].size - 3)), {"n": 4, "m": 2}),
    "a window against itself": (
        program("P[i, j] = where(x[i] < K[i+j-1], K[i+j-1]**2, x[i]) for i in 1..n for j in 1..m",
                "L = sum(sum(P[i, j] for j in 1..m)**2 for i in 1..n)", x=("n",), K=("n+m-1",)),
        lambda a, np: sum(sum(np.where(a["x"][i] < a["K"][i + j], a["K"][i + j] ** 2, a["x"][i]) for j in range(a["K"].size - 3)) ** 2
                          for i in range(4)), {"n": 4, "m": 3}),
}


@pytest.mark.parametrize("name", CASES)
def test_the_conditions_of_cases_stay_under_their_sums_and_brackets(name: str) -> None:
    given, loss, sizes = CASES[name]
    agrees(given, loss, sizes)


def test_a_sum_keeps_the_cases_of_an_inner_sum_inside_it() -> None:
    i, k, n = sp.Symbol("i", integer=True), sp.Symbol("k", integer=True), sp.Symbol("n", integer=True, positive=True)
    x = sp.IndexedBase("x", real=True)
    inner = sp.Sum(sp.Piecewise((x[k], x[i] * x[k] > 0), (1, True)), (k, 1, n))
    assert sp.Sum(inner**2, (i, 1, n)).function == inner**2
    guarded = When(sp.Piecewise((1, x[i - 1] > 0), (0, True)), sp.Ge(i, 2))
    assert sp.Sum(x[i] * guarded, (i, 1, n)).function == x[i] * guarded
    plain = sp.Piecewise((x[i], x[i] > 0), (1, True))
    assert sp.Sum(2 * plain, (i, 1, n)).function == sp.Piecewise((2 * x[i], x[i] > 0), (2, True))
