"""RNN, GRU and LSTM over symbolic time: PyTorch's equations against JAX in float64, every step checked, loops along time only."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.arrays.notation import matrix_latex
from symnet.errors import SymnetError
from symnet.networks.architectures import gru, lstm
from symnet.networks.recurrent import GRU, LSTM, RNN, Recurrent
from symnet.parsing.worksheet import parse_worksheet
from symnet.worksheet_loader import derivation_of

jax = importlib.import_module("jax")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy

SIZES = {"N": 2, "T": 4, "d": 3, "m": 5, "k": 6}
CELLS: dict[str, type[Recurrent]] = {"RNN": RNN, "GRU": GRU, "LSTM": LSTM}
Values = dict[str, Any]


def random_values(program: sn.Program, seed: int = 0, scale: float = 1.0) -> Values:
    dice = np.random.default_rng(seed)
    return {t.name: scale * dice.normal(size=tuple(SIZES[str(s)] for s in t.shape)) for t in program.inputs}


def forward(cell: str, v: Values, x: Any, number: int = 1, nonlinearity: Callable[[Any], Any] = jnp.tanh, bias: bool = True) -> Any:
    """PyTorch's documented equations, one time step after another; gives the states at t = 1..T."""

    def linear(gate: str, source: Any, side: str) -> Any:
        return source @ v[f"W{number}_{side}{gate}"].T + (v[f"b{number}_{side}{gate}"] if bias else 0)

    width = v[next(n for n in v if n.startswith(f"W{number}_h"))].shape[0]
    h = v.get(f"h{number}_0", jnp.zeros((*x.shape[:-2], width)))
    c = v.get(f"c{number}_0", jnp.zeros_like(h))
    states = []
    for t in range(x.shape[-2]):
        now = x[..., t, :]
        total = {g: linear(g, now, "i") + linear(g, h, "h") for g in {"RNN": "h", "GRU": "rz", "LSTM": "ifgo"}[cell]}
        s = {g: jax.nn.sigmoid(u) for g, u in total.items()}
        if cell == "RNN":
            h = nonlinearity(total["h"])
        elif cell == "GRU":
            n = jnp.tanh(linear("n", now, "i") + s["r"] * linear("n", h, "h"))
            h = (1 - s["z"]) * n + s["z"] * h
        else:
            c = s["f"] * c + s["i"] * jnp.tanh(total["g"])
            h = s["o"] * jnp.tanh(c)
        states.append(h)
    return jnp.stack(states, axis=-2)


def agree(program: sn.Program, loss: Callable[[Values], Any], seed: int = 0, wrt: list[str] | None = None) -> None:
    d = sn.derive(program, wrt=wrt)
    values = random_values(program, seed)
    found, grads = d.compile(check=False)({w: values[w] for w in d.wrt}, **{n: a for n, a in values.items() if n not in d.wrt})
    wanted, slopes = jax.jit(jax.value_and_grad(lambda p: loss({**values, **p})))({w: values[w] for w in d.wrt})
    assert found == pytest.approx(float(wanted), rel=1e-12)
    for name, slope in slopes.items():
        np.testing.assert_allclose(grads[name], slope, rtol=1e-9, atol=1e-12, err_msg=name)


def half_square(a: Any, y: Any) -> Any:
    return ((a - y) ** 2).sum() / 2


@pytest.mark.parametrize("output", ["all", "last"])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_a_batch_agree_with_jax(cell: str, output: str) -> None:
    program = sn.Sequential(CELLS[cell]("d", "m", output=output)).program(sn.HalfSquaredError())
    agree(program, lambda v: half_square(forward(cell, v, v["X"])[:, -1 if output == "last" else slice(None)], v["Y"]))


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_given_initial_states_and_the_input(cell: str) -> None:
    program = sn.Sequential(CELLS[cell]("d", "m", initial=True)).program(sn.HalfSquaredError(), batch=False)
    assert ("c1_0" in program.tensors) == (cell == "LSTM")
    everything = [t.name for t in program.inputs if t.name != "Y"]
    agree(program, lambda v: half_square(forward(cell, v, v["X"]), v["Y"]), wrt=everything)


def test_relu_cells_without_biases() -> None:
    program = sn.Sequential(RNN("d", "m", bias=False, nonlinearity="relu")).program(sn.HalfSquaredError())
    assert not any(t.name.startswith("b") for t in program.inputs)
    agree(program, lambda v: half_square(forward("RNN", v, v["X"], nonlinearity=jax.nn.relu, bias=False), v["Y"]))


def test_two_layers_and_a_classifier_on_the_last_state() -> None:
    net = sn.Sequential(LSTM("d", "m"), GRU("m", "d", output="last"), sn.Linear("d", "k"))

    def loss(v: Values) -> Any:
        last = forward("GRU", v, forward("LSTM", v, v["X"]), 2)[:, -1]
        return -(v["Y"] * jax.nn.log_softmax(last @ v["W3"] + v["b3"])).sum() / SIZES["N"]

    agree(net.program(sn.CrossEntropyLoss()), loss, seed=3)


def test_a_linear_map_before_time_works_at_each_time() -> None:
    program = sn.Sequential(sn.Linear("d", "m"), RNN("m", "k")).program(sn.HalfSquaredError())
    assert [str(s) for s in program["X"].shape] == ["N", "T", "d"]
    agree(program, lambda v: half_square(forward("RNN", v, v["X"] @ v["W1"] + v["b1"], 2), v["Y"]))


def test_one_width_for_input_and_state() -> None:
    agree(sn.Sequential(LSTM("m", "m")).program(sn.HalfSquaredError()), lambda v: half_square(forward("LSTM", v, v["X"]), v["Y"]))


@pytest.mark.parametrize("cell", CELLS)
def test_every_step_checks(cell: str) -> None:
    d = sn.derive(sn.Sequential(CELLS[cell](2, 1, steps="T", initial=True)).program(sn.HalfSquaredError(), batch=False))
    assert len(d.steps) > 8 and all(s.check() for s in d.steps)


@pytest.mark.slow
@pytest.mark.parametrize("make", [gru, lstm], ids=["gru", "lstm"])
def test_every_step_checks_with_all_sizes_symbols(make: Callable[[], sn.Program]) -> None:
    assert sorted(str(s) for s in make().sizes) == ["N", "T", "d", "m"]
    assert all(s.check() for s in sn.derive(make()).steps)


@pytest.mark.parametrize("make", [gru, lstm], ids=["gru", "lstm"])
def test_compiled_loops_run_along_time_alone(make: Callable[[], sn.Program]) -> None:
    source = sn.derive(make()).compile(check=False).source
    assert len(re.findall(r"^ +for ", source, re.MULTILINE)) == 2  # once forward, once back
    assert " for " not in re.sub(r"^ +for t in .*:$", "", source.split("def compute")[1], flags=re.MULTILINE)


def test_one_time_step_is_enough() -> None:
    values = {**random_values(lstm(), 1)}
    short = {**values, "X": values["X"][:, :1], "Y": values["Y"][:, :1]}
    found, _ = sn.derive(lstm()).compile(check=False).value_and_grad(**short)
    assert float(found) == pytest.approx(float(half_square(forward("LSTM", short, short["X"]), short["Y"])), rel=1e-12)


def test_the_adjoint_of_the_cell_state_runs_back() -> None:
    d = sn.derive(lstm())
    lines = [str(line) for line in d.full.by_name["dL_dc1"]]
    assert any("dL_dc1[n, t + 1, j]*f1[n, t + 1, j]" in line for line in lines)
    assert str(d.full.by_name["dL_ds1_f"][0]) == "dL_ds1_f[n, t, j] := (1 - f1[n, t, j])*dL_df1[n, t, j]*f1[n, t, j]"


def test_matrix_notation_of_backpropagation_through_time() -> None:
    d = sn.derive(lstm())
    shown = {line.name: matrix_latex(line, d.full.tensors) for line in d.full.definitions}
    assert shown["c1"] == r"C_{1}^{(t)} = C_{1}^{(t - 1)} \odot F_{1}^{(t)} + G_{1}^{(t)} \odot I_{1}^{(t)}"
    assert r"\sum_{t=1}^{T}" in str(shown["dL_dW1_hf"]) and r"\left(H_{1}^{(t - 1)}\right)" not in str(shown["dL_db1_hf"])
    assert all(text is not None for text in shown.values())


def test_a_worksheet_of_layers() -> None:
    text = 'title = "x"\n[program]\nlayers = ["LSTM(d, m, output=last)", "Linear(m, k)"]\nloss = "CrossEntropyLoss()"\n'
    d = derivation_of(parse_worksheet(text, "x"), "x")
    assert {"W1_ii", "W1_ho", "b1_hf", "W2"} <= set(d.wrt) and str(d.program.by_name["a1"][0]) == "a1[n, j] := h1[n, T, j]"


WRONG: dict[str, Callable[[], Any]] = {
    "output": lambda: sn.Sequential(LSTM("d", "m", output="first")).program(),
    "nonlinearity": lambda: sn.Sequential(RNN("d", "m", nonlinearity="sin")).program(),
    "width": lambda: sn.Sequential(LSTM("d", "m"), GRU("k", "m")).program(),
    "no time left": lambda: sn.Sequential(LSTM("d", "m", output="last"), GRU("m", "k")).program(),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(SymnetError):
        make()
