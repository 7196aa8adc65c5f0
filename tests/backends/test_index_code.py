"""Index expressions as NumPy: slices with a step, whole-number comparisons, digits, and what stands outside a bracket."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.backends.dialects import library_source
from symnet.backends.running import function_of
from symnet.calculus import derive
from symnet.core.axes import Axis, index, size
from symnet.core.expressions import When, total
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role, Tensor
from symnet.networks.losses import SquaredError

I, J, M = index("i"), index("j"), index("m")


def source(program: Program, wrt: list[str]) -> str:
    return str(derive(program, wrt=wrt).compile().source.split("def compute")[1])


def compiled(target: tuple[Axis, ...], places: tuple[sp.Symbol, ...], value: Any, *inputs: Tensor) -> Any:
    """L = Σ v² with v as given, compiled with gradients of all inputs."""
    v, loss = Tensor("v", target), Tensor("L", role=Role.OBJECTIVE)
    square = total(v[places] ** 2, tuple((i, *a.range) for i, a in zip(places, target, strict=True)))
    return derive(Program(inputs, (Definition(v, places, value), Definition(loss, (), square))), wrt=[t.name for t in inputs]).compile()


X = Tensor("X", (Axis.of(7),), role=Role.INPUT)


def test_every_second_entry_is_a_slice_with_a_step() -> None:
    run = compiled((Axis.of(3),), (I,), X[2 * I] - X[2 * I - 1], X)
    assert "X[1:6:2]" in run.source
    assert "X[0:5:2]" in run.source
    x = np.arange(7.0) ** 2
    assert run({"X": x})[0] == ((x[1:6:2] - x[0:5:2]) ** 2).sum()


@pytest.mark.parametrize("function, reduced", [(sp.Max, np.max), (sp.Min, np.min)], ids=["max", "min"])
def test_an_extremum_of_three_is_two_of_two(function: Any, reduced: Any) -> None:
    """np.maximum(a, b, c) would write its result over c."""
    run = compiled((Axis.of(5),), (I,), function(X[I], X[I + 1], X[I + 2]), X)
    x = np.random.default_rng(1).normal(size=7)
    value, grads = run({"X": x})
    seen = np.stack([x[:5], x[1:6], x[2:]])
    assert value == pytest.approx((reduced(seen, axis=0) ** 2).sum(), rel=1e-14)
    wanted = np.zeros(7)
    which = (seen.argmax if function is sp.Max else seen.argmin)(axis=0)
    np.add.at(wanted, which + np.arange(5), 2 * reduced(seen, axis=0))
    np.testing.assert_allclose(grads["X"], wanted, rtol=1e-14)


@pytest.mark.parametrize("below", [3, 7, 10, 49])
def test_a_bracket_with_a_fraction_is_compared_in_whole_numbers(below: int) -> None:
    """[i/3 <= 2] in floating point would lose 6/3 <= 2 for some fractions."""
    count = 4 * below
    x = Tensor("x", (Axis.of(count),), role=Role.INPUT)
    run = compiled((Axis.of(count),), (I,), When(x[I], sp.Le(I / below + sp.Rational(2, below), 3 + sp.Rational(1, below))), x)
    value, _ = run({"x": np.ones(count)})
    assert value == 3 * below - 1


def test_an_entry_at_plain_indices_stands_outside_the_bracket() -> None:
    made = sn.Sequential(sn.Conv1d(2, 3, 2, positions=4)).program(SquaredError())
    line = next(text for text in source(made, ["X"]).splitlines() if "dL_dX = " in text)
    assert "W1" not in line[line.index("np.where("):line.index(" @ ")]  # the weight itself is not spread over the positions


C, H = Axis.of("C"), Axis.of("H")
GRID = Tensor("G", (C, H), role=Role.INPUT)


@pytest.mark.parametrize("place", [H.size * (I - 1) + J, C.size * (J - 1) + I], ids=["rows", "columns"])
def test_entries_in_a_row_are_taken_by_their_digits(place: sp.Expr) -> None:
    value = total(When(GRID[I, J], sp.Eq(M, sp.expand(place))), ((J, *H.range), (I, *C.range)))
    run = compiled((Axis.of(C.size * H.size),), (M,), value * X[1], GRID, X)
    assert "//" in run.source and " % " in run.source and "einsum" not in run.source.split("v = ")[1].splitlines()[0]
    g, x = np.random.default_rng(2).normal(size=(3, 4)), np.ones(7)
    loss, grads = run({"G": g, "X": x})
    assert loss == pytest.approx((g**2).sum(), rel=1e-14)
    np.testing.assert_allclose(grads["G"], 2 * g, rtol=1e-14)


def test_a_bracket_that_is_no_number_system_is_a_masked_sum() -> None:
    """Σ_i Σ_j [m = i + j - 1] G[i, j]: several terms for one m, so no digits."""
    value = total(When(GRID[I, J], sp.Eq(M, I + J - 1)), ((J, *H.range), (I, *C.range)))
    run = compiled((Axis.of(size("C") + size("H") - 1),), (M,), value, GRID)
    g = np.random.default_rng(3).normal(size=(3, 4))
    sums = np.array([g[::-1].diagonal(k).sum() for k in range(-2, 4)])
    loss, grads = run({"G": g})
    assert loss == pytest.approx((sums**2).sum(), rel=1e-13)
    np.testing.assert_allclose(grads["G"], 2 * sums[np.add.outer(np.arange(3), np.arange(4))], rtol=1e-13)


@pytest.mark.parametrize("place", ["2*i", "4 - 2*i", "5 - i", "i + 1"])
def test_strided_and_reversed_reads_of_a_recurrence(place: str) -> None:
    """The backward loop meets s/2 as a place: a whole number under its bracket."""
    import jax
    import jax.numpy as jnp

    d = sn.derive(sn.program("b[0] = c", "b[t] = sin(b[t-1]) + x[t] for t in 1..4", f"L = sum(x[i]*b[{place}] for i in 1..2)",
                             tensors={"x": (4,), "c": ()}), wrt=["x", "c"])
    point = {"x": np.array([0.3, -0.4, 0.5, 0.9]), "c": 0.7}

    def loss(p: Any) -> Any:
        b = [p["c"]]
        for t in range(1, 5):
            b.append(jnp.sin(b[-1]) + p["x"][t - 1])
        return sum(p["x"][i - 1] * b[eval(place, {"i": i})] for i in (1, 2))  # noqa: S307 - a place from the table above

    value, grads = d.compile()(point)
    jax.config.update("jax_enable_x64", True)
    wanted = jax.grad(loss)({k: jnp.asarray(v) for k, v in point.items()})
    assert value == pytest.approx(float(loss({k: jnp.asarray(v) for k, v in point.items()})), rel=1e-14)
    for name in point:
        np.testing.assert_allclose(grads[name], wanted[name], rtol=1e-13, atol=1e-15)


R = range
EMPTY = {  # sums that have no term at small sizes, and the same as loops over places from 1
    "sum(x[j]**2 for j in 1..n-3)*w": lambda n, x, C, w: sum(x(j)**2 for j in R(1, n - 2)) * w,
    "sum(x[j]*x[j+1] for j in 1..n-4)*w": lambda n, x, C, w: sum(x(j) * x(j + 1) for j in R(1, n - 3)) * w,
    "sum(x[j]*x[k]*C[i, j, k] for i in 1..n for j in 1..n-3 for k in 1..n-2)*w":
        lambda n, x, C, w: sum(x(j) * x(k) * C(i, j, k) for i in R(1, n + 1) for j in R(1, n - 2) for k in R(1, n - 1)) * w,
    "sum(cos(x[j]*x[k]*C[i, j, k]) for i in 1..n for j in 1..n-3 for k in 1..n-3)*w":
        lambda n, x, C, w: sum(np.cos(x(j) * x(k) * C(i, j, k)) for i in R(1, n + 1) for j in R(1, n - 2) for k in R(1, n - 2)) * w,
    "w*n + sum(w**2 for j in 1..n-3) + sum(x)": lambda n, x, C, w: w * n + sum(w**2 for _ in R(1, n - 2)) + sum(x(i) for i in R(1, n + 1)),
    "sum(exp(C[i, j, k]) for i in 1..n for j in 1..n-2 for k in 1..n-3)*w*x[1]":
        lambda n, x, C, w: sum(np.exp(C(i, j, k)) for i in R(1, n + 1) for j in R(1, n - 1) for k in R(1, n - 2)) * w * x(1),
    "w/(1 + sum(exp(x[j]) for j in 1..n-3)) + log(1 + sum(exp(x[j]) for j in 1..n-2))*w":
        lambda n, x, C, w: w / (1 + sum(np.exp(x(j)) for j in R(1, n - 2))) + np.log(1 + sum(np.exp(x(j)) for j in R(1, n - 1))) * w,
    "sum(x[i]*sum(x[j] for j in 1..i-3) for i in 1..n)*w": lambda n, x, C, w: sum(x(i) * sum(x(j) for j in R(1, i - 2)) for i in R(1, n + 1)) * w,
}


@pytest.mark.parametrize("library", ["numpy", "jax", "torch"])
@pytest.mark.parametrize("text", EMPTY)
def test_a_range_that_is_empty_adds_nothing(text: str, library: str) -> None:
    """1..n - 3 has no place at n = 2, and its end, -1, does not count from behind."""
    shapes = {name: shape for name, shape in {"x": ("n",), "C": ("n", "n", "n"), "w": ()}.items() if re.search(rf"\b{name}\b", text)}
    d = sn.derive(sn.program(f"L = {text}", tensors=shapes), wrt=list(shapes))
    run = function_of(library_source(d, library, "float32" if library == "jax" else "float64"), "value_and_grad")
    rng = np.random.default_rng(0)
    for n in (1, 2, 3, 4, 5, 7):
        at = {name: rng.normal(size=[n] * len(shape)) for name, shape in shapes.items()}

        def loops(moved: dict[str, Any], n: int = n) -> float:
            entry = {k: (lambda *i, v=v: v[tuple(j - 1 for j in i)]) for k, v in moved.items()}
            return float(EMPTY[text](n, entry.get("x"), entry.get("C"), moved.get("w")))

        value, grads = run(**at)
        assert float(value) == pytest.approx(loops(at), rel=1e-5, abs=1e-5)
        for name, array in at.items():
            turn = rng.normal(size=array.shape)
            up, down = (loops({**at, name: array + h * turn}) for h in (1e-5, -1e-5))
            assert float(np.sum(np.asarray(grads[name]) * turn)) == pytest.approx((up - down) / 2e-5, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("library", ["numpy", "jax", "torch"])
@pytest.mark.parametrize(("lines", "shape"), [
    (("v[i] = x[i]**2 for i in 1..n-2", "L = sum(v)"), ("n",)), (("v[i,j] = x[i,j]**2 for i in 1..n-1 for j in 1..n-2", "L = sum(v)"), ("n", "n")),
    (("v[i] = x[i+1] - x[i] for i in 1..n-1", "u[i] = v[i+1]*v[i] for i in 1..n-2", "L = sum(u)"), ("n",)),
])
def test_a_line_without_places_is_no_error(lines: tuple[str, ...], shape: tuple[str, ...], library: str) -> None:
    """At n = 2 the line has no entry, and a condition leaves out each that its gradient would ask for."""
    d = sn.derive(sn.program(*lines, tensors={"x": shape}), wrt=["x"])
    value, grads = function_of(library_source(d, library, "float32"), "value_and_grad")(x=np.ones([2] * len(shape)))
    assert float(value) == 0 and not np.asarray(grads["x"]).any()


def test_one_of_equal_terms_is_no_softmax_along_them() -> None:
    d = sn.derive(sn.program("v[i] = sum(exp(A[i,i])*A[i,i] for j in 1..n)/sum(exp(A[i,i]) for j in 1..n) for i in 1..n", "L = sum(v)",
                             tensors={"A": ("n", "n")}))
    value, grads = d.compile()({"A": np.array([[1.0, 2.0], [3.0, 4.0]])})
    assert value == pytest.approx(5) and grads["A"] == pytest.approx(np.eye(2))


FRACTIONS = ["i < 5/2", "i/2 < n/5", "i/2 <= n/5", "i/2 > n/5", "i/3 < 2", "2*i < n/3", "i < n/3", "i >= n/3", "i*0.5 < 1.7", "i/2 < 3 and i/3 > 1",
             "not (i/2 < n/5)", "(i-1)/2 < n/7", "0 < i/2 <= n/3", "i+1/2 < n/2", "i/n < 1/2", "i*i/n <= 2", "i**2/3 < n", "i/2 == 1", "n/2 < 2",
             "(i+1)/(n+1) > 1/3", "i < 2.5 or i > 3.5"]


@pytest.mark.parametrize("condition", FRACTIONS)
def test_a_condition_with_fractions_leaves_no_place_between_its_branches(condition: str) -> None:
    """i < 5/2 was read as i <= 3/2, so that i = 2 belonged to neither branch: its square and its slope were lost."""
    d = derive(sn.program(f"L = sum((x[i]**2 if {condition} else 3*x[i]) for i in 1..n)", tensors={"x": ("n",)}), ["x"])
    run = d.compile()
    for n in (1, 2, 3, 5, 8):
        x = np.arange(1, n + 1) * 0.7 + 0.3
        holds = [eval(condition, {"i": i, "n": n}) for i in range(1, n + 1)]  # noqa: S307  (the test's own text)
        loss, grads = run({"x": x})
        assert loss == pytest.approx(sum(v * v if c else 3 * v for v, c in zip(x, holds, strict=True)))
        assert np.allclose(grads["x"], [2 * v if c else 3 for v, c in zip(x, holds, strict=True)])
    assert all(d.check())


def test_the_right_slope_of_a_condition_with_a_fraction_is_not_refuted() -> None:
    d = derive(sn.program("L = sum((x[i]**2 if i < 5/2 else 3*x[i]) for i in 1..n)", tensors={"x": ("n",)}), ["x"])
    assert sn.check("(2*x[i] if i <= 2 else 3)", d, wrt="x").holds
    assert not sn.check("(2*x[i] if i <= 1 else 3)", d, wrt="x").holds
