"""Max and average pooling against JAX in float64: value and the gradient of the input; windows as PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.calculus import derive
from symnet.core.axes import index, size
from symnet.core.program import Program, define
from symnet.core.tensors import Tensor
from symnet.networks.losses import SquaredError
from symnet.networks.pooling import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from symnet.networks.sequential import Sequential

jax.config.update("jax_enable_x64", True)
Pooled = Callable[[Any], Any]


def window(kind: str, kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...], dilation: tuple[int, ...]) -> Pooled:
    """PyTorch's pooling in JAX: -∞ around the signal for the maximum, zeros that count for the mean; one slice for each tap."""
    def pooled(x: Any) -> Any:
        around = jnp.pad(x, [(0, 0), (0, 0), *[(p, p) for p in padding]], constant_values=-jnp.inf if kind == "max" else 0.0)
        outs = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(around.shape[2:], kernel, stride, dilation, strict=True)]
        seen = [around[(slice(None), slice(None), *[slice(p * d, p * d + s * (m - 1) + 1, s) for p, d, s, m in
                                                    zip(tap, dilation, stride, outs, strict=True)])] for tap in np.ndindex(kernel)]
        return jnp.max(jnp.stack(seen), axis=0) if kind == "max" else sum(seen) / len(seen)
    return pooled


@pytest.mark.parametrize("kind, start, act", [("max", -np.inf, jax.lax.max), ("avg", 0.0, jax.lax.add)], ids=["max", "avg"])
def test_the_oracle_is_reduce_window(kind: str, start: float, act: Any) -> None:
    x = jnp.asarray(np.random.default_rng(1).normal(size=(2, 3, 9, 8)))
    theirs = jax.lax.reduce_window(x, start, act, (1, 1, 3, 2), (1, 1, 2, 1), ((0, 0), (0, 0), (1, 1), (0, 0)), window_dilation=(1, 1, 2, 3))
    ours = window(kind, (3, 2), (2, 1), (1, 0), (2, 3))(x)
    np.testing.assert_allclose(ours, theirs if kind == "max" else theirs / 6, rtol=1e-14)


def agree(program: Program, x_shape: tuple[int, ...], pooled: Pooled) -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=x_shape)
    wanted_shape = pooled(jnp.asarray(x)).shape
    y = rng.normal(size=wanted_shape)
    run = derive(program, wrt=["X"]).compile(check=False)
    assert "for " not in run.source.split("def compute")[1]
    found, grads = run({"X": x}, y)
    wanted, theirs = jax.value_and_grad(lambda a: ((pooled(a) - y) ** 2).sum())(jnp.asarray(x))
    assert found == pytest.approx(float(wanted), rel=1e-12)
    np.testing.assert_allclose(grads["X"], theirs, rtol=1e-10, atol=1e-12)


MAX = {  # kernel, stride, padding, dilation
    "halves": (2, None, 0, 1), "overlapping": (3, 1, 0, 1), "stride 2 of 3": (3, 2, 0, 1), "stride beyond the kernel": (2, 3, 0, 1),
    "padding": (3, 2, 1, 1), "padding both ends": (4, 1, 2, 1), "dilation": (2, 1, 0, 3), "one": (1, None, 0, 1), "one, stride": (1, 2, 0, 1),
}


@pytest.mark.parametrize("kernel, stride, padding, dilation", MAX.values(), ids=MAX)
def test_maxpool1d_agrees_with_jax(kernel: int, stride: int | None, padding: int, dilation: int) -> None:
    made = Sequential(sn.Input(3, 11), MaxPool1d(kernel, stride, padding, dilation)).program(SquaredError())
    agree(made, (2, 3, 11), window("max", (kernel,), (stride or kernel,), (padding,), (dilation,)))


AVG = {"halves": (2, None, 0), "overlapping": (3, 1, 0), "stride 2 of 3": (3, 2, 0), "padding counts": (3, 2, 1), "one": (1, 1, 0)}


@pytest.mark.parametrize("kernel, stride, padding", AVG.values(), ids=AVG)
def test_avgpool1d_agrees_with_jax(kernel: int, stride: int | None, padding: int) -> None:
    made = Sequential(sn.Input(3, 11), AvgPool1d(kernel, stride, padding)).program(SquaredError())
    agree(made, (2, 3, 11), window("avg", (kernel,), (stride or kernel,), (padding,), (1,)))


TWO = {  # kernel, stride, padding
    "quarters": (2, None, 0), "oblong": ((3, 2), None, 0), "overlapping": ((2, 3), (1, 2), 0), "padding": ((3, 2), 2, (1, 0)),
    "padding both": (3, (1, 2), 1),
}


def pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


@pytest.mark.parametrize("kind, layer", [("max", MaxPool2d), ("avg", AvgPool2d)], ids=["max", "avg"])
@pytest.mark.parametrize("kernel, stride, padding", TWO.values(), ids=TWO)
def test_2d_pooling_agrees_with_jax(kind: str, layer: Any, kernel: Any, stride: Any, padding: Any) -> None:
    made = Sequential(sn.Input(3, 7, 8), layer(kernel, stride, padding)).program(SquaredError())
    strides = pair(kernel if stride is None else stride)
    agree(made, (2, 3, 7, 8), window(kind, pair(kernel), strides, pair(padding), (1, 1)))


def test_maxpool2d_may_be_dilated() -> None:
    made = Sequential(sn.Input(3, 7, 8), MaxPool2d(2, 1, dilation=(3, 2))).program(SquaredError())
    agree(made, (2, 3, 7, 8), window("max", (2, 2), (1, 1), (0, 0), (3, 2)))


@pytest.mark.parametrize("stride", [None, 1, 2])
def test_the_mean_of_windows_of_a_symbolic_size(stride: int | None) -> None:
    kernel, outs = 3, 4
    length = (stride or kernel) * (outs - 1) + kernel
    axis = size("K") * size("M") if stride is None else stride * (size("M") - 1) + size("K")
    made = Sequential(sn.Input("c", axis.expand()), AvgPool1d("K", stride)).program(SquaredError())
    assert made["s1"].shape == (size("N"), size("c"), size("M"))
    d = derive(made, wrt=["X"])
    x, y = np.random.default_rng(3).normal(size=(2, 5, length)), np.zeros((2, 5, outs))
    found = d.at({"X": x.round(3).tolist(), "Y": y.tolist()}, {"K": kernel, "M": outs})
    pooled = window("avg", (kernel,), (stride or kernel,), (0,), (1,))
    theirs = jax.grad(lambda a: (pooled(a) ** 2).sum())(jnp.asarray(x.round(3)))
    np.testing.assert_allclose(np.array(found.decimal("dL_dX", 17), dtype=float), theirs, rtol=1e-12, atol=1e-14)


def test_a_signal_of_symbolic_length_is_halved() -> None:
    made = Sequential(sn.Input("c", 2 * size("M")), MaxPool1d(2)).program(SquaredError())
    assert made["m1"].shape == (size("N"), size("c"), size("M"))
    agree(made, (2, 3, 8), window("max", (2,), (2,), (0,), (1,)))


def test_where_entries_tie_the_first_of_them_gets_the_derivative_as_in_torch() -> None:
    d = derive(Sequential(sn.Input(1, 3), MaxPool1d(3)).program(SquaredError(), batch=False), wrt=["X"])
    _, grads = d.compile(check=False)({"X": [[2.0, 2.0, 2.0]]}, [[0.0]])
    assert grads["X"].tolist() == [[4.0, 0.0, 0.0]]
    assert any("the first of them gets the derivative" in text for text in d.conventions)


@pytest.mark.parametrize("ties", [(3, 2, 3, 3), (1, 1, 1, 1), (0, 4, 4, 1), (2, 5, 1, 5), (1, 2, 3, 4)])
@pytest.mark.parametrize("layer", ["MaxPool1d(4)", "MaxPool1d(3, 1)", "MaxPool2d(2)", "MaxPool2d((1, 2))"])
def test_ties_in_a_window_are_torchs(layer: str, ties: tuple[int, ...]) -> None:
    import torch

    shape = (1, 1, 4) if "1d" in layer else (1, 1, 2, 2)
    theirs = torch.tensor(ties, dtype=torch.float64).reshape(shape).requires_grad_()
    weights = torch.arange(1.0, 17.0, dtype=torch.float64)
    pooled = eval(f"torch.nn.{layer}")(theirs)  # noqa: S307 - a name from the table above
    (weights[: pooled.numel()].reshape(pooled.shape) * pooled).sum().backward()
    made = Sequential(sn.Input(*shape[1:]), eval(f"sn.{layer}")).program()  # noqa: S307
    out = made.tensors[made.definitions[-1].name]
    letters = tuple(index(c) for c in "abcd"[: len(out.axes)])
    w = Tensor("weights", out.axes)
    total = sp.Sum(w[letters] * out[letters], *[(i, *a.range) for i, a in reversed(list(zip(letters, out.axes, strict=True)))])
    whole = Program((*made.inputs, w), (*made.definitions, define(Tensor("L"), expr=total)), "L")
    _, grads = derive(whole, wrt=["X"]).compile(check=False)({"X": theirs.detach().numpy()}, weights[: pooled.numel()].reshape(pooled.shape).numpy())
    np.testing.assert_array_equal(grads["X"], theirs.grad.numpy())


def test_the_largest_entry_is_taken_row_by_row() -> None:
    made = Sequential(sn.Input(1, 4, 6), MaxPool2d((2, 3))).program()
    assert [str(d.entry) for d in made] == ["r1[n, c, i, j]", "m1[n, c, i, j]"]
    assert [len(d.expr.args) for d in made] == [3, 2]


STEPS: dict[str, Callable[[], Program]] = {
    "max": lambda: Sequential(sn.Input("c", 2 * size("M")), MaxPool1d(2)).program(SquaredError()),
    "max, overlapping": lambda: Sequential(sn.Input(2, 7), MaxPool1d(3, 2)).program(SquaredError()),
    "max, padding": lambda: Sequential(sn.Input(2, "T"), MaxPool1d(3, 1, 1)).program(SquaredError()),
    "max 2-D": lambda: Sequential(sn.Input(2, 4, 6), MaxPool2d((2, 3))).program(SquaredError()),
    "mean": lambda: Sequential(sn.Input("c", size("K") * size("M")), AvgPool1d("K")).program(SquaredError()),
    "mean, padding": lambda: Sequential(sn.Input(2, "T"), AvgPool1d(3, 1, 1)).program(SquaredError()),
    "mean 2-D": lambda: Sequential(sn.Input(2, 3, 5), AvgPool2d((2, 3), 1)).program(SquaredError()),
}


@pytest.mark.parametrize("make", STEPS.values(), ids=STEPS)
def test_every_step_checks(make: Callable[[], Program]) -> None:
    for s in derive(make(), wrt=["X"]).steps:
        assert s.check(), f"{s.definition}: {s.check().reason}"


MISFITS: dict[str, tuple[Callable[[], object], str]] = {
    "a symbolic window of a maximum": (lambda: Sequential(sn.Input(3, 8), MaxPool1d("K")).program(), "kernel_size"),
    "a huge window": (lambda: Sequential(sn.Input(3, 800), MaxPool1d(100)).program(), "at most 16"),
    "padding beyond half": (lambda: Sequential(sn.Input(3, 8), MaxPool1d(3, padding=2)).program(), "half"),
    "padding beyond half, mean": (lambda: Sequential(sn.Input(3, 8), AvgPool1d(3, padding=2)).program(), "half"),
    "padding and dilation": (lambda: Sequential(sn.Input(3, 8), MaxPool1d(2, padding=1, dilation=2)).program(), "one of them"),
    "no channels": (lambda: Sequential(sn.Linear(3, 8), MaxPool1d(2)).program(), "(N, channels, length)"),
    "too many axes": (lambda: Sequential(sn.Input(3, 8, 8), MaxPool1d(2)).program(), "(N, channels, length)"),
    "one axis too few": (lambda: Sequential(sn.Input(3, 8), MaxPool2d(2)).program(batch=False), "height"),
    "a window longer than the signal": (lambda: Sequential(sn.Input(3, 4), MaxPool1d(5)).program(), "at least 5"),
    "a length that may not divide": (lambda: Sequential(sn.Input(3, "T"), MaxPool1d(2)).program(), "stride 2"),
    "kernel 0": (lambda: Sequential(sn.Input(3, 8), AvgPool1d(0)).program(), "positive"),
    "stride 0": (lambda: Sequential(sn.Input(3, 8), AvgPool1d(2, 0)).program(), "stride"),
}


@pytest.mark.parametrize("make, words", MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_is_said_in_one_line(refused: Callable[..., None], make: Callable[[], object], words: str) -> None:
    refused(make, words)
