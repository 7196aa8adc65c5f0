"""Conv1d and Conv2d against jax.lax in float64: value and all gradients, sizes all different; lengths as PyTorch counts them."""

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
from symnet.core.axes import size
from symnet.core.program import Program
from symnet.core.tensors import Role
from symnet.networks.convolution import Conv1d, Conv2d
from symnet.networks.losses import SquaredError
from symnet.networks.sequential import Sequential

jax.config.update("jax_enable_x64", True)
Array = np.ndarray[Any, Any]


def jax_loss(strides: tuple[int, ...], pads: tuple[int, ...], dilations: tuple[int, ...]) -> Callable[[dict[str, Any]], Any]:
    def loss(a: dict[str, Any]) -> Any:
        z = jax.lax.conv_general_dilated(a["X"], a["W1"], strides, [(p, p) for p in pads], rhs_dilation=dilations)
        bias = a["b1"].reshape((1, -1) + (1,) * len(strides)) if "b1" in a else 0.0
        return ((z + bias - a["Y"]) ** 2).sum()
    return loss


def agree(program: Program, shapes: dict[str, tuple[int, ...]], loss: Callable[[dict[str, Any]], Any]) -> None:
    """The compiled loss and every gradient, the input's too, against JAX; no Python loop in the source."""
    rng = np.random.default_rng(5)
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    wrt = [name for name in arrays if name != "Y"]
    run = derive(program, wrt=wrt).compile(check=False)
    assert "for " not in run.source.split("def compute")[1]
    found, grads = run({name: arrays[name] for name in wrt}, arrays["Y"])
    wanted, theirs = jax.value_and_grad(loss)({name: jnp.asarray(a) for name, a in arrays.items()})
    assert found == pytest.approx(float(wanted), rel=1e-12)
    for name in wrt:
        np.testing.assert_allclose(grads[name], theirs[name], rtol=1e-10, atol=1e-12, err_msg=name)


ONE = {  # (kernel, stride, padding, dilation, length): 2 samples, 3 channels to 4
    "plain": (3, 1, 0, 1, 8), "padding": (3, 1, 1, 1, 6), "much padding": (2, 1, 3, 1, 5), "stride": (3, 2, 0, 1, 9),
    "stride leaves a rest": (3, 2, 0, 1, 8), "dilation": (3, 1, 0, 2, 9), "stride and dilation": (2, 2, 0, 3, 10),
    "all of them": (3, 2, 2, 2, 11), "stride beyond the kernel": (2, 3, 1, 1, 9), "one tap": (1, 1, 0, 1, 6), "one output": (5, 1, 0, 1, 5),
}


@pytest.mark.parametrize("kernel, stride, padding, dilation, length", ONE.values(), ids=ONE)
def test_conv1d_agrees_with_jax(kernel: int, stride: int, padding: int, dilation: int, length: int) -> None:
    outs = (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    net = Sequential(sn.Input(3, length), Conv1d(3, 4, kernel, stride, padding, dilation))
    made = net.program(SquaredError())
    assert made["z1"].shape == (size("N"), 4, outs)
    shapes = {"X": (2, 3, length), "W1": (4, 3, kernel), "b1": (4,), "Y": (2, 4, outs)}
    agree(made, shapes, jax_loss((stride,), (padding,), (dilation,)))


@pytest.mark.parametrize("stride, padding, dilation", [(1, 0, 1), (1, 2, 1), (2, 0, 1), (1, 0, 2), (2, 1, 3)])
def test_conv1d_with_every_size_a_symbol_agrees_with_jax(stride: int, padding: int, dilation: int) -> None:
    n, c, o, kernel, outs = 2, 3, 4, 5, 6
    made = Sequential(Conv1d("c", "o", "K", stride, padding, dilation, positions="M")).program(SquaredError())
    assert {str(s) for s in made.sizes} == {"N", "c", "o", "K", "M"}
    length = stride * (outs - 1) + dilation * (kernel - 1) + 1 - 2 * padding
    shapes = {"X": (n, c, length), "W1": (o, c, kernel), "b1": (o,), "Y": (n, o, outs)}
    agree(made, shapes, jax_loss((stride,), (padding,), (dilation,)))


TWO: dict[str, tuple[Any, Any, Any, Any]] = {  # kernel, stride, padding, dilation
    "plain": ((3, 2), 1, 0, 1), "padding": ((3, 2), 1, (1, 0), 1), "padding both": (3, 1, 1, 1), "stride": ((2, 3), (2, 1), 0, 1),
    "dilation": ((2, 3), 1, 0, (3, 2)), "all of them": ((3, 2), (2, 3), (1, 2), (1, 2)),
}


def pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("kernel, stride, padding, dilation", TWO.values(), ids=TWO)
def test_conv2d_agrees_with_jax(kernel: Any, stride: Any, padding: Any, dilation: Any, bias: bool) -> None:
    made = Sequential(sn.Input(3, 8, 7), Conv2d(3, 4, kernel, stride, padding, dilation, bias=bias)).program(SquaredError())
    k, s, p, d = pair(kernel), pair(stride), pair(padding), pair(dilation)
    outs = tuple((n + 2 * b - e * (a - 1) - 1) // c + 1 for n, a, c, b, e in zip((8, 7), k, s, p, d, strict=True))
    shapes = {"X": (2, 3, 8, 7), "W1": (4, 3, *k), "Y": (2, 4, *outs)} | ({"b1": (4,)} if bias else {})
    agree(made, shapes, jax_loss(s, p, d))


def test_conv2d_with_every_size_a_symbol_agrees_with_jax() -> None:
    made = Sequential(Conv2d("c", "o", ("K", "J"), padding=(1, 0), positions=("M", "P"))).program(SquaredError())
    shapes = {"X": (2, 3, 5 + 4 - 1 - 2, 7 + 2 - 1), "W1": (6, 3, 4, 2), "b1": (6,), "Y": (2, 6, 5, 7)}
    agree(made, shapes, jax_loss((1, 1), (1, 0), (1, 1)))


def test_the_weight_has_pytorchs_layout_and_the_line_is_the_textbooks() -> None:
    made = Sequential(sn.Input("c", "H", "W"), Conv2d("c", "o", 1)).program()
    assert made["W1"].shape == (size("o"), size("c"), 1, 1)
    line = str(Sequential(sn.Input(3, 8, 6), Conv2d(3, 4, 2, stride=2)).program().definitions[0])
    assert line == "z1[n, o, i, j] := b1[o] + Sum(W1[o, c, p, q]*X[n, c, 2*i + p - 2, 2*j + q - 2], (q, 1, 2), (p, 1, 2), (c, 1, 3))"


def test_the_gradient_of_the_input_is_the_convolution_with_the_flipped_kernel() -> None:
    d = derive(Sequential(Conv1d(1, 1, 3, bias=False, positions="M")).program(SquaredError(), batch=False), wrt=["X"])
    line = d.full.by_name["dL_dX"][0]
    (sum_,) = line.expr.atoms(sp.Sum)
    places = {str(e.base): [str(i) for i in e.indices] for e in line.expr.atoms(sp.Indexed)}
    i, p = str(line.indices[-1]), places["W1"][-1]
    assert places["dL_dz1"][-1] == f"{i} - {p} + 1"
    assert str(sum_.function.condition) == f"({i} - {p} + 1 >= 1) & ({i} - {p} + 1 <= M)"


def test_padding_is_a_line_of_its_own_and_its_gradient_a_shift() -> None:
    d = derive(Sequential(sn.Input(3, "T"), Conv1d(3, 4, 3, padding=1)).program(SquaredError()), wrt=["X"])
    assert [x.name for x in d.program] == ["pad1", "z1", "L"]
    line = d.full.by_name["dL_dX"][0]
    n, c, i = line.indices
    assert str(line.expr) == f"dL_dpad1[{n}, {c}, {i} + 1]"


def test_one_signal_without_a_batch() -> None:
    made = Sequential(Conv1d(2, 3, 2, positions=4)).program(batch=False)
    assert [str(s) for s in made.inputs[0].shape] == ["2", "5"]
    assert [str(s) for s in made["z1"].shape] == ["3", "4"]


def test_lengths_follow_through_layers() -> None:
    net = Sequential(sn.Input(1, 28, 20), Conv2d(1, 2, 5, padding=2), sn.ReLU(), Conv2d(2, 3, 3, stride=2), Conv2d(3, 1, (2, 3), dilation=2))
    made = net.program()
    assert [tuple(int(s) for s in made[f"z{k}"].shape[1:]) for k in (1, 2, 3)] == [(2, 28, 20), (3, 13, 9), (1, 11, 5)]
    assert [t.name for t in made.inputs if t.role is Role.PARAMETER] == ["W1", "b1", "W2", "b2", "W3", "b3"]


def test_index_letters_step_aside_for_sizes_of_the_same_name() -> None:
    made = Sequential(Conv1d("c", "o", "p", positions="i")).program(SquaredError())
    assert not {str(i) for d in made for i in d.free} & {str(s) for s in made.sizes}


STEPS: dict[str, Callable[[], Program]] = {
    "symbols": lambda: Sequential(Conv1d("c", "o", "K", positions="M")).program(SquaredError()),
    "symbols, stride": lambda: Sequential(Conv1d("c", 2, "K", 2, positions="M")).program(SquaredError(), batch=False),
    "symbols, padding": lambda: Sequential(sn.Input("c", "T"), Conv1d("c", "o", 3, padding=1)).program(SquaredError()),
    "stride and dilation": lambda: Sequential(sn.Input(2, 11), Conv1d(2, 3, 2, 2, 1, 3)).program(SquaredError()),
    "two layers": lambda: Sequential(sn.Input(2, 7), Conv1d(2, 3, 3), sn.Tanh(), Conv1d(3, 1, 2, 2)).program(SquaredError()),
    "2-D": lambda: Sequential(sn.Input(2, 3, 4), Conv2d(2, 1, (2, 3), padding=(1, 0), stride=(2, 1))).program(SquaredError()),
}


@pytest.mark.parametrize("make", STEPS.values(), ids=STEPS)
def test_every_step_checks(make: Callable[[], Program]) -> None:
    program = make()
    for s in derive(program, wrt=[t.name for t in program.inputs if t.role is not Role.TARGET]).steps:
        assert s.check(), f"{s.definition}: {s.check().reason}"


MISFITS: dict[str, tuple[Callable[[], object], str]] = {
    "channels": (lambda: Sequential(sn.Input(3, 8), Conv1d(2, 4, 3)).program(), "3 channels; expected 2"),
    "no channels": (lambda: Sequential(sn.Linear(4, 8), Conv1d(1, 4, 3)).program(), "channels"),
    "axes": (lambda: Sequential(sn.Input(3, 8, 8), Conv1d(3, 4, 3), Conv1d(4, 4, 3)).program(batch="N"), "shape"),
    "a kernel longer than the signal": (lambda: Sequential(sn.Input(3, 4), Conv1d(3, 4, 5)).program(), "at least 5"),
    "a length that may be too short": (lambda: Sequential(sn.Input(3, "T"), Conv1d(3, 4, 3)).program(), "length T"),
    "a length that may not divide": (lambda: Sequential(sn.Input(3, "T"), Conv1d(3, 4, 2, stride=2)).program(), "stride 2"),
    "stride 0": (lambda: Sequential(Conv1d(3, 4, 3, stride=0)).program(), "stride"),
    "a negative padding": (lambda: Sequential(Conv1d(3, 4, 3, padding=-1)).program(), "padding"),
    "a padding that is a word": (lambda: Sequential(Conv1d(3, 4, 3, padding="full")).program(), "padding"),
    "dilation 0": (lambda: Sequential(Conv2d(3, 4, 3, dilation=(1, 0))).program(), "dilation"),
    "a kernel of three": (lambda: Sequential(sn.Input(3, 8, 8), Conv2d(3, 4, (3, 3, 3))).program(), "kernel_size"),
    "a kernel of size 0": (lambda: Sequential(Conv1d(3, 4, 0)).program(), "positive"),
}


@pytest.mark.parametrize("make, words", MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_is_said_in_one_line(refused: Callable[..., None], make: Callable[[], object], words: str) -> None:
    refused(make, words)


def test_the_length_that_fits_is_the_inverse_of_the_number_of_outputs() -> None:
    for stride, padding, dilation in ((1, 0, 1), (2, 1, 3), (3, 2, 2)):
        _, axis = Conv1d("c", "o", "K", stride, padding, dilation, positions="M").sample_axes()
        made = Sequential(sn.Input("c", axis.size), Conv1d("c", "o", "K", stride, padding, dilation)).program()
        assert made["z1"].axes[-1].size == sp.Symbol("M", integer=True, positive=True)
