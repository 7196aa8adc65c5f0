"""JAX's index arrays, parts put together, padding, running sums and masks: gradients are JAX's, and every step checks."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import ShapeError

jax = importlib.import_module("jax")
jax.config.update("jax_enable_x64", True)
jnp, nn = jax.numpy, jax.nn
RNG = np.random.default_rng(1)
E, X, W = RNG.normal(size=(6, 3)), RNG.normal(size=(4, 6)), RNG.normal(size=(3, 5))
WORDS, CLASSES, PAIRS = np.array([1, 2, 0, 5]), np.array([4, 0, 1, 3]), np.array([[1, 2], [0, 5], [3, 3]])
QKV = {k: RNG.normal(size=(6, 3)) for k in "QKV"}


def scores(p: Any, x: Any) -> Any:
    return (x @ p["Q"]) @ (x @ p["K"]).T / jnp.sqrt(3.0)


def picked(z: Any, y: Any) -> Any:
    return -jnp.mean(nn.log_softmax(z)[jnp.arange(z.shape[0]), y])


Case = tuple[Callable[..., Any], dict[str, Any], tuple[Any, ...], dict[str, Any]]
CASES: dict[str, Case] = {
    "rows": (lambda p, i: jnp.sum(jnp.sin(p["E"][i])), {"E": E}, (WORDS,), {"E": ("V", "d"), "i": ("N",)}),
    "take": (lambda p, i: jnp.sum(jnp.take(p["E"], i, axis=0) ** 2), {"E": E}, (WORDS,), {"E": ("V", "d")}),
    "take along columns": (lambda p, i: jnp.sum(jnp.take(p["E"], i, axis=1) ** 2), {"E": X}, (WORDS,), {}),
    "take_along_axis": (lambda p, i: jnp.sum(jnp.take_along_axis(p["E"], i[:, None], axis=1) ** 3), {"E": X}, (WORDS,),
                        {"E": ("N", "C"), "i": ("N",)}),
    "one entry of each row": (lambda p, i: jnp.sum(p["E"][jnp.arange(p["E"].shape[0]), i] ** 3), {"E": X}, (WORDS,),
                              {"E": ("N", "C"), "i": ("N",)}),
    "cross-entropy": (lambda p, x, y: picked(x @ p["W"] + p["b"], y), {"W": RNG.normal(size=(6, 5)), "b": RNG.normal(size=5)}, (X, CLASSES),
                      {"x": ("N", "d"), "y": ("N",), "W": ("d", "C"), "b": ("C",)}),
    "cross-entropy with one_hot": (lambda p, x, y: -jnp.mean(jnp.sum(nn.one_hot(y, 5) * nn.log_softmax(x @ p["W"]), 1)),
                                   {"W": RNG.normal(size=(6, 5))}, (X, CLASSES), {"x": ("N", "d"), "y": ("N",), "W": ("d", 5)}),
    "words to classes": (lambda p, i, y: picked(jnp.tanh(p["E"][i]) @ p["W"], y), {"E": E, "W": W}, (WORDS, CLASSES),
                         {"E": ("V", "d"), "W": ("d", "C"), "i": ("N",), "y": ("N",)}),
    "words and places": (lambda p, i: jnp.sum((p["E"][i] + p["P"][jnp.arange(i.shape[1])]) ** 3), {"E": E, "P": RNG.normal(size=(2, 3))},
                         (PAIRS,), {}),
    "weights of classes": (lambda p, y: jnp.sum(p["z"] ** 2 * p["w"][y]), {"z": RNG.normal(size=4), "w": RNG.normal(size=5)}, (CLASSES,), {}),
    "constant rows": (lambda p: jnp.sum(p["E"][jnp.array([-1, 2, 0])] ** 3), {"E": E}, (), {}),
    "a constant array": (lambda p: jnp.sum(p["E"] @ jnp.array([1.0, 2.0, 0.5])), {"E": E}, (), {}),
    "concatenate": (lambda p: jnp.sum(jnp.sin(jnp.concatenate([p["A"], p["B"]], 1) @ p["C"])),
                    {"A": X[:2, :3], "B": X[:2, 2:], "C": RNG.normal(size=(7, 5))}, (), {"A": ("N", 3), "B": ("N", 4)}),
    "concatenate thrice": (lambda p: jnp.sum(jnp.concatenate([p["A"], p["A"] * 2, p["B"]], 0) ** 3), {"A": X[:2], "B": X}, (), {}),
    "stack": (lambda p: jnp.sum(jnp.stack([p["A"], jnp.sin(p["A"])], 1) ** 3), {"A": X}, (), {}),
    "split": (lambda p: sum(jnp.sum(t ** (k + 1)) for k, t in enumerate(jnp.split(p["A"], 3, axis=1))), {"A": X}, (), {}),
    "cumsum": (lambda p: jnp.sum(jnp.cumsum(p["A"], 1) ** 3), {"A": X}, (), {"A": ("N", "d")}),
    "cumsum, backwards": (lambda p: jnp.sum(jax.lax.cumsum(p["A"], 0, reverse=True) ** 3), {"A": X}, (), {"A": ("N", "d")}),
    "pad": (lambda p: jnp.sum(jnp.sin(jnp.pad(p["A"], ((1, 2), (0, 1))) + 0.5) ** 3), {"A": X}, (), {"A": ("N", "d")}),
    "pad with a number": (lambda p: jnp.sum(jnp.sin(jnp.pad(p["A"], ((1, 2), (0, 1)), constant_values=2.0) * p["B"])),
                          {"A": X, "B": RNG.normal(size=(7, 7))}, (), {}),
    "dynamic_slice": (lambda p: jnp.sum(jax.lax.dynamic_slice(p["A"], (1, 0), (2, 3)) ** 3), {"A": X}, (), {}),
    "iota": (lambda p: jnp.sum((p["A"] * jnp.arange(p["A"].shape[1])) ** 2), {"A": X}, (), {"A": ("N", "d")}),
    "tril and triu": (lambda p: jnp.sum(jnp.tril(p["A"]) ** 3) + jnp.sum(jnp.triu(p["A"], 1) ** 2), {"A": X}, (), {}),
    "eye": (lambda p: jnp.sum((p["A"] @ jnp.eye(6) + p["A"]) ** 3), {"A": X}, (), {}),
    "diag": (lambda p: jnp.sum(jnp.diag(p["A"]) ** 3) + jnp.trace(p["A"] @ p["A"]), {"A": X[:, :4]}, (), {}),
    "roll and flip": (lambda p: jnp.sum((jnp.roll(p["E"], 1, axis=0) * p["E"][::-1]) ** 3), {"E": E}, (), {}),
    "a mask of -inf": (lambda p, x: jnp.sum((nn.softmax(jnp.where(jnp.arange(4)[:, None] >= jnp.arange(4), scores(p, x), -jnp.inf))
                                             @ (x @ p["V"])) ** 2), QKV, (X,), {}),
    "a mask of -1e9": (lambda p, x: jnp.sum((nn.softmax(jnp.where(jnp.tril(jnp.ones((4, 4))) == 1, scores(p, x), -1e9))
                                             @ (x @ p["V"])) ** 2), QKV, (X,), {}),
    "a mask that is given": (lambda p, x, m: jnp.sum((nn.softmax(jnp.where(m, scores(p, x), -jnp.inf)) @ (x @ p["V"])) ** 2), QKV,
                             (X, np.array([[True, False, True, True]] * 3 + [[False, True, True, False]])), {}),
    "two masks": (lambda p: jnp.sum(jnp.where((jnp.arange(4)[:, None] > jnp.arange(6)) | (jnp.arange(6) == 5), p["A"], p["A"] ** 2)),
                  {"A": X}, (), {}),
    "convolution": (lambda p, a: jnp.sum(jax.lax.conv_general_dilated(a[:, None, :], p["w"], (1,), "VALID") ** 2),
                    {"w": RNG.normal(size=(2, 1, 3))}, (X,), {}),
    "channels last, groups": (lambda p, a: jnp.sum(jax.lax.conv_general_dilated(
        a, p["w"], (2, 1), ((1, 1), (1, 1)), dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=2) ** 2),
        {"w": RNG.normal(size=(3, 3, 1, 4))}, (RNG.normal(size=(2, 7, 6, 2)),), {}),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_jax(name: str) -> None:
    function, p, data, shapes = CASES[name]
    value, slopes = jax.value_and_grad(function)(p, *data)
    d = sn.derive(sn.from_jax(function, (p, *data), shapes=shapes))
    ours, found = d.compile(check=False)(p, *data)
    assert ours == pytest.approx(float(value), rel=1e-12, abs=1e-12)
    for key, slope in slopes.items():
        np.testing.assert_allclose(found[key], slope, rtol=1e-10, atol=1e-10)
    assert all(s.check() for s in d.steps)


def test_a_class_index_is_read_as_a_bracket() -> None:
    function, p, data, shapes = CASES["cross-entropy"]
    program = sn.from_jax(function, (p, *data), shapes=shapes)
    assert program["y"].domain == "index" and str(program["y"].classes) == "C"
    step = next(s for s in sn.derive(program).steps if s.of.name == "z1")
    assert "When(1, Eq(" in str(step.definition.expr)


def test_negative_places_are_refused_when_it_runs() -> None:
    function, p, data, shapes = CASES["rows"]
    run = sn.derive(sn.from_jax(function, (p, *data), shapes=shapes)).compile(check=False)
    with pytest.raises(ShapeError, match="classes from 0 to 5"):
        run(p, np.array([0, -1, 2, 3]))
