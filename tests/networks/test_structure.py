"""Input, Flatten, Dropout, Residual, Embedding and PositionalBias: values, gradients against JAX in float64, and steps that check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.core.axes import Axis, size
from symnet.core.program import Program
from symnet.core.tensors import Role
from symnet.networks.dropping import Dropout
from symnet.networks.losses import SquaredError
from symnet.networks.sequential import Sequential
from symnet.networks.structure import Embedding, Flatten, Input, PositionalBias, Residual

jax.config.update("jax_enable_x64", True)
Arrays = dict[str, Any]
D, E, F = size("D"), size("E"), size("F")


def net(*layers: Any) -> Program:
    return Sequential(*layers).program(SquaredError())


def affine(a: Arrays, x: Any, k: int) -> Any:
    return x @ a[f"W{k}"] + a[f"b{k}"]


FLAT = net(Input("D", "E", "F"), Flatten(), sn.Linear(D * E * F, "k"))
CASES: dict[str, tuple[Program, dict[str, tuple[int, ...]], Callable[[Arrays], Any]]] = {
    "flatten": (FLAT, {"X": (2, 3, 4, 5), "W1": (60, 6), "b1": (6,), "Y": (2, 6)}, lambda a: affine(a, a["X"].reshape(2, 60), 1)),
    "flatten numbers": (net(Input(3, 4), Flatten()), {"X": (2, 3, 4), "Y": (2, 12)}, lambda a: a["X"].reshape(2, 12)),
    "flatten the middle": (net(Input("D", "E", "F"), Flatten(1, 2)), {"X": (2, 3, 4, 5), "Y": (2, 12, 5)}, lambda a: a["X"].reshape(2, 12, 5)),
    "flatten from axis 2": (net(Input(3, 4, 5), Flatten(2)), {"X": (2, 3, 4, 5), "Y": (2, 3, 20)}, lambda a: a["X"].reshape(2, 3, 20)),
    "flatten the batch too": (net(Input(3, 4), Flatten(0, 1)), {"X": (2, 3, 4), "Y": (6, 4)}, lambda a: a["X"].reshape(6, 4)),
    "flatten equal axes": (net(Input(3, 3), Flatten()), {"X": (2, 3, 3), "Y": (2, 9)}, lambda a: a["X"].reshape(2, 9)),
    "dropout": (net(sn.Linear("d", "h"), Dropout("1/4")), {"X": (2, 3), "W1": (3, 4), "b1": (4,), "mask1": (2, 4), "Y": (2, 4)},
                lambda a: a["mask1"] * affine(a, a["X"], 1) / 0.75),
    "residual": (net(Residual(sn.Linear("d", "h"), sn.Tanh(), sn.Linear("h", "d"))),
                 {"X": (2, 3), "W1": (3, 4), "b1": (4,), "W2": (4, 3), "b2": (3,), "Y": (2, 3)},
                 lambda a: a["X"] + affine(a, jnp.tanh(affine(a, a["X"], 1)), 2)),
    "residual in a residual": (net(Residual(Residual(sn.Linear("d", "d")), sn.Tanh())),
                               {"X": (2, 3), "W1": (3, 3), "b1": (3,), "Y": (2, 3)},
                               lambda a: a["X"] + jnp.tanh(a["X"] + affine(a, a["X"], 1))),
    "embedding": (net(Embedding("V", "d", one_hot=True)), {"X": (2, 5), "E1": (5, 3), "Y": (2, 3)}, lambda a: a["X"] @ a["E1"]),
    "embedding of a sequence": (net(Input("T", "V"), Embedding("V", "d", one_hot=True), PositionalBias()),
                                {"X": (2, 4, 5), "E1": (5, 3), "P1": (4, 3), "Y": (2, 4, 3)}, lambda a: a["X"] @ a["E1"] + a["P1"]),
    "positional bias": (net(sn.Linear("d", "h"), PositionalBias(), PositionalBias()),
                        {"X": (2, 3), "W1": (3, 4), "b1": (4,), "P1": (4,), "P2": (4,), "Y": (2, 4)},
                        lambda a: affine(a, a["X"], 1) + a["P1"] + a["P2"]),
}
TABLE = pytest.mark.parametrize("program, shapes, theirs", CASES.values(), ids=CASES)


@TABLE
def test_value_and_gradients_agree_with_jax(program: Program, shapes: dict[str, tuple[int, ...]], theirs: Callable[[Arrays], Any]) -> None:
    rng = np.random.default_rng(4)
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    wrt = [n for n in arrays if n not in ("Y", "mask1")]
    if "mask1" in arrays:
        arrays["mask1"] = rng.integers(0, 2, shapes["mask1"]).astype(float)
    run = derive(program, wrt=wrt).compile(check=False)
    assert "for " not in run.source.split("def compute")[1]
    found, grads = run({n: arrays[n] for n in wrt}, **{n: a for n, a in arrays.items() if n not in wrt})
    given = {n: jnp.asarray(a) for n, a in arrays.items()}
    wanted, slopes = jax.value_and_grad(lambda a: ((theirs(a) - given["Y"]) ** 2).sum())(given)
    assert found == pytest.approx(float(wanted), rel=1e-12)
    for name in wrt:
        np.testing.assert_allclose(grads[name], slopes[name], rtol=1e-10, atol=1e-12, err_msg=name)


@TABLE
def test_every_step_checks(program: Program, shapes: dict[str, tuple[int, ...]], theirs: Callable[[Arrays], Any]) -> None:
    wrt = [t.name for t in program.inputs if t.role is not Role.TARGET]
    for s in derive(program, wrt=wrt).steps:
        assert s.check(), f"{s.definition}: {s.check().reason}"


def test_flatten_counts_the_last_axis_fastest_and_its_gradient_takes_the_entry_back() -> None:
    d = derive(net(Input("D", "E", "F"), Flatten()), wrt=["X"])
    f, x = d.full.by_name["f1"][0], d.full.by_name["dL_dX"][0]
    (_, i, j, k), m = x.indices, f.indices[1]
    place = E * F * (i - 1) + F * (j - 1) + k
    assert str(x.expr.base) == "dL_df1"
    assert (x.expr.indices[1] - place).expand() == 0
    assert m not in x.expr.free_symbols


def test_flatten_of_one_axis_adds_no_line() -> None:
    assert [d.name for d in Sequential(sn.Linear(2, 3), Flatten()).program()] == ["z1"]


def test_flatten_of_one_sample_takes_all_its_axes() -> None:
    made = Sequential(Input(3, 4), Flatten()).program(batch=False)
    assert made["f1"].shape == (12,)


def test_the_mask_is_an_input_that_is_not_trained() -> None:
    made = net(sn.Linear("d", "h"), Dropout(0.2), sn.Linear("h", "k"), Dropout())
    roles = {t.name: t.role for t in made.inputs}
    assert (roles["mask1"], roles["mask2"]) == (Role.CONSTANT, Role.CONSTANT)
    assert derive(made).wrt == ("W1", "b1", "W2", "b2")
    assert [str(d) for d in made if d.name[0] == "d"] == ["d1[n, j] := 5*mask1[n, j]*z1[n, j]/4", "d2[n, u] := 2*mask2[n, u]*z2[n, u]"]


def test_dropout_of_a_number() -> None:
    made = Sequential(sn.Linear(1, 1), Dropout("1/2")).program()
    assert [str(d) for d in made] == ["z1 := b1 + w1*x", "d1 := 2*mask1*z1"]


def test_the_gradient_of_an_embedding_adds_up_the_rows_of_each_word() -> None:
    words, upstream = [2, 0, 2], np.arange(12.0).reshape(3, 4)
    run = derive(net(Embedding(5, 4, one_hot=True))).compile(check=False)
    _, grads = run({"E1": np.zeros((5, 4))}, np.eye(5)[words], -upstream / 2)  # L = Σ (e - Y)², so dL/de = upstream
    wanted = np.zeros((5, 4))
    np.add.at(wanted, words, upstream)
    np.testing.assert_allclose(grads["E1"], wanted, rtol=1e-15)


def test_an_input_is_its_shape() -> None:
    assert Input(3, "T") == Input(3, "T") != Input("T", 3)
    assert Input(3, "T").sample_axes() == (Axis.of(3), Axis.of("T"))
    assert len({Residual(sn.Tanh()), Residual(sn.Tanh()), Residual(sn.ReLU())}) == 2


def cnn() -> Program:
    return Sequential(Input(1, 6, 5), sn.Conv2d(1, 2, (3, 2), padding=(1, 0)), sn.ReLU(), sn.MaxPool2d(2), Flatten(),
                      sn.Linear(2 * 3 * 2, 3)).program(sn.CrossEntropyLoss())


def test_a_small_cnn_agrees_with_jax_and_learns() -> None:
    rng = np.random.default_rng(2)
    params = {"W1": rng.normal(size=(2, 1, 3, 2)) / 2, "b1": np.zeros(2), "W2": rng.normal(size=(12, 3)) / 3, "b2": np.zeros(3)}
    labels = np.arange(8) % 3
    x = rng.normal(size=(8, 1, 6, 5)) + labels[:, None, None, None]
    y = np.eye(3)[labels]

    def loss(a: Arrays) -> Any:
        z = jax.lax.conv_general_dilated(jnp.asarray(x), a["W1"], (1, 1), [(1, 1), (0, 0)]) + a["b1"][None, :, None, None]
        m = jnp.maximum(z, 0).reshape(8, 2, 3, 2, 2, 2).max(axis=(3, 5))
        return -(y * jax.nn.log_softmax(m.reshape(8, 12) @ a["W2"] + a["b2"])).sum() / 8

    run = derive(cnn()).compile(check=False)
    first, grads = run(params, x, y)
    wanted, slopes = jax.value_and_grad(loss)({n: jnp.asarray(a) for n, a in params.items()})
    assert first == pytest.approx(float(wanted), rel=1e-12)
    for name in params:
        np.testing.assert_allclose(grads[name], slopes[name], rtol=1e-9, atol=1e-12, err_msg=name)
    for _ in range(30):
        now, grads = run(params, x, y)
        params = {n: a - 0.1 * grads[n] for n, a in params.items()}
    assert now < first / 2


def test_every_step_of_a_small_cnn_checks() -> None:
    for s in derive(cnn()).steps:
        assert s.check(), f"{s.definition}: {s.check().reason}"


def test_a_small_cnn_is_fitted() -> None:
    rng = np.random.default_rng(3)
    labels = np.arange(6) % 2
    x = rng.normal(size=(6, 1, 5)) + 2 * labels[:, None, None]
    made = Sequential(Input(1, 5), sn.Conv1d(1, 2, 2), sn.Tanh(), sn.AvgPool1d(2), Flatten(), sn.Linear(4, 2)).program(sn.CrossEntropyLoss())
    fitted = sn.fit(made, x, np.eye(2)[labels], optimizer="adam", lr="1/10", epochs=20, progress=False)
    assert fitted.losses[-1] < fitted.losses[0] / 2
    assert (fitted.predict(x).argmax(axis=1) == labels).all()


def test_fitting_with_dropout_draws_the_mask() -> None:
    made = sn.fit(Sequential(sn.Linear(2, 3), Dropout(), sn.Linear(3, 1)), [[0, 1], [1, 0]], [[1], [0]], loss=sn.MSELoss(), epochs=2)
    assert "mask1" not in made.params and len(made.losses) == 3


MISFITS: dict[str, tuple[Callable[[], object], str]] = {
    "flatten then another width": (lambda: Sequential(Input(3, 4), Flatten(), sn.Linear(11, 2)).program(), "12 features"),
    "flatten an axis that is not there": (lambda: Sequential(sn.Linear(3, 4), Flatten(3)).program(), "start_dim=3"),
    "flatten backwards": (lambda: Sequential(Input(3, 4), Flatten(2, 1)).program(), "start_dim=2"),
    "dropout of everything": (lambda: Sequential(sn.Linear(3, 4), Dropout(1)).program(), "0 <= p < 1"),
    "a negative dropout": (lambda: Sequential(sn.Linear(3, 4), Dropout("-1/2")).program(), "0 <= p < 1"),
    "a block that changes the shape": (lambda: Sequential(Residual(sn.Linear(3, 4))).program(), "keeps the shape"),
    "an empty block": (lambda: Residual(), "no layers"),
    "a block of something else": (lambda: Residual(sn.MSELoss), "no layer"),
    "an embedding of another width": (lambda: Sequential(sn.Linear(3, 4), Embedding(5, 2, one_hot=True)).program(), "4 features"),
    "an input after a layer of another shape": (lambda: Sequential(sn.Linear(3, 4), Input(5)).program(), "ends in (5)"),
    "an input without sizes": (lambda: Input(), "no sizes"),
    "an input of size 0": (lambda: Input(0), "positive"),
    "only layers of any shape": (lambda: Sequential(Flatten(), Dropout()).program(), "Input("),
}


@pytest.mark.parametrize("make, words", MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_is_said_in_one_line(refused: Callable[..., None], make: Callable[[], object], words: str) -> None:
    refused(make, words)
