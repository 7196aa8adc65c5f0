"""Class indices as targets and Embedding's whole numbers: against JAX in float64, exact, and with steps that check on their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.core.latex import definition_latex
from symnet.core.program import Program
from symnet.core.text import definition_text
from symnet.errors import DomainError, OptionError, ShapeError

jax.config.update("jax_enable_x64", True)
DICE = np.random.default_rng(11)
N, D, C, V, T = 5, 3, 4, 6, 2
X, W, B, WEIGHTS = DICE.normal(size=(N, D)), DICE.normal(size=(D, C)), DICE.normal(size=C), DICE.uniform(0.5, 2, C)
Y = np.array([2, 0, 3, 3, 1])
GAPS = np.array([2, -100, 3, 1, -100])  # with samples to leave out
Arrays = dict[str, Any]


def scores(a: Arrays) -> Any:
    return jax.nn.log_softmax(a["X"] @ a["W1"] + a["b1"])


def picked(logs: Any, y: np.ndarray, ignored: int, weights: Any = 1.0, smoothing: float = 0.0, mean: bool = True) -> Any:
    """PyTorch's documented formula, with gathers."""
    w = jnp.broadcast_to(jnp.asarray(weights), (C,))
    kept, there = y != ignored, np.where(y == ignored, 0, y)
    own = -w[there] * jnp.take_along_axis(logs, there[:, None], 1)[:, 0]
    spread = -(w * logs).sum(-1) / C
    each = jnp.where(kept, (1 - smoothing) * own + smoothing * spread, 0)
    return each.sum() / (jnp.where(kept, w[there], 0).sum() if mean else 1)


def linear(loss: Any, *more: Any) -> Program:
    return sn.Sequential(sn.Linear("d", "C"), *more).program(loss)


Row = tuple[Program, np.ndarray, Callable[[Any], Any]]
CASES: dict[str, Row] = {
    "plain": (linear(sn.CrossEntropyLoss(indices=True)), Y, lambda a: picked(scores(a), Y, -100)),
    "summed": (linear(sn.CrossEntropyLoss(indices=True, reduction="sum")), Y, lambda a: picked(scores(a), Y, -100, mean=False)),
    "ignored": (linear(sn.CrossEntropyLoss(indices=True, ignore_index=-100)), GAPS, lambda a: picked(scores(a), GAPS, -100)),
    "a class ignored": (linear(sn.CrossEntropyLoss(indices=True, ignore_index=3)), Y, lambda a: picked(scores(a), Y, 3)),
    "weighted": (linear(sn.CrossEntropyLoss(indices=True, weight="w")), Y, lambda a: picked(scores(a), Y, -100, a["w"])),
    "smoothed": (linear(sn.CrossEntropyLoss(indices=True, label_smoothing="1/10")), Y, lambda a: picked(scores(a), Y, -100, smoothing=0.1)),
    "all together": (linear(sn.CrossEntropyLoss(indices=True, label_smoothing="1/10", weight="w", ignore_index=-100)), GAPS,
                     lambda a: picked(scores(a), GAPS, -100, a["w"], 0.1)),
    "all together, summed": (linear(sn.CrossEntropyLoss(indices=True, label_smoothing="1/10", weight="w", ignore_index=-100,
                                                        reduction="sum")), GAPS,
                             lambda a: picked(scores(a), GAPS, -100, a["w"], 0.1, False)),
    "NLL": (linear(sn.NLLLoss(indices=True), sn.LogSoftmax()), Y, lambda a: picked(scores(a), Y, -100)),
    "NLL weighted, ignored": (linear(sn.NLLLoss(indices=True, weight="w", ignore_index=-100), sn.LogSoftmax()), GAPS,
                              lambda a: picked(scores(a), GAPS, -100, a["w"])),
}
TABLE = pytest.mark.parametrize("program, y, theirs", CASES.values(), ids=CASES)


def arrays(program: Program, y: np.ndarray) -> Arrays:
    known = {"X": X, "W1": W, "b1": B, "w": WEIGHTS, "y": y}
    return {t.name: known[t.name] for t in program.inputs}


@TABLE
@pytest.mark.parametrize("library", ["numpy", "jax"])
def test_value_and_gradient_agree_with_jax(program: Program, y: np.ndarray, theirs: Callable[[Any], Any], library: str) -> None:
    data = arrays(program, y)
    value, slopes = jax.value_and_grad(lambda p: theirs({**data, **p}))({k: jnp.asarray(data[k]) for k in ("W1", "b1")})
    space: dict[str, Any] = {}
    exec(sn.export(derive(program), library), space)
    loss, found = space["value_and_grad"](**data)
    assert float(loss) == pytest.approx(float(value), rel=1e-12)
    for name in ("W1", "b1"):
        np.testing.assert_allclose(found[name], slopes[name], rtol=1e-11, atol=1e-13)


@TABLE
def test_every_step_checks_and_exact_values_agree(program: Program, y: np.ndarray, theirs: Callable[[Any], Any]) -> None:
    d, data = derive(program), arrays(program, y)
    assert all(s.check() for s in d.steps)
    assert float(d.at({k: v.tolist() for k, v in data.items()}).decimal("L", 16)) == pytest.approx(float(theirs(data)), rel=1e-12)


@TABLE
def test_the_one_hot_rows_of_the_same_classes_give_the_same(program: Program, y: np.ndarray, theirs: Callable[[Any], Any]) -> None:
    if np.any(y < 0) or "w" in program.tensors or "Ne" in str(program):
        pytest.skip("a row of shares has no class to ignore, and weights its mean otherwise")
    name = "LogSoftmax" if "a1" in program.tensors else ""
    smooth = "1/10" if "q" in program.tensors else 0
    reduction = "mean" if "/N" in str(program.definitions[-1]) else "sum"
    loss = sn.NLLLoss(reduction=reduction) if name else sn.CrossEntropyLoss(label_smoothing=smooth, reduction=reduction)
    rows = derive(linear(loss, *([sn.LogSoftmax()] if name else [])))
    ours, theirs_ = derive(program).compile(check=False)({"W1": W, "b1": B}, X, y), rows.compile(check=False)({"W1": W, "b1": B}, X, np.eye(C)[y])
    assert ours[0] == pytest.approx(theirs_[0], rel=1e-13)
    np.testing.assert_allclose(ours[1]["W1"], theirs_[1]["W1"], atol=1e-14)


def test_the_gradient_is_printed_as_shares_less_the_bracket() -> None:
    d = derive(linear(sn.CrossEntropyLoss(indices=True)))
    step = next(s for s in d.steps if s.of.name == "z1")
    assert definition_text(step.definition) == "dL_dz1[n, j] = (p[n, j] - [j == y[n] + 1])/N"
    assert r"\left[j = y_{n} + 1\right]" in definition_latex(step.definition, d.full.tensors)
    assert step.conditions == ("declared: every entry of y is one of 0, …, C - 1",)


def test_no_large_array_is_made_for_a_look_up() -> None:
    d = derive(sn.Sequential(sn.Embedding("V", "d"), sn.Linear("d", "C")).program(sn.CrossEntropyLoss(indices=True)))
    source = d.compile(check=False).source
    assert "e1 = E1[x]\n" in source and "scatter(x, dL_de1, (V, d))" in source


ROWS = DICE.normal(size=(V, D))
WORDS = {"one word": np.array([4, 0, 4, 5, 2]), "a sentence": np.array([[4, 0], [0, 5], [5, 2], [2, 2], [3, 0]])}


@pytest.mark.parametrize("padding", [None, 0])
@pytest.mark.parametrize("name", WORDS)
def test_an_embedding_adds_up_the_rows_of_each_word(name: str, padding: int | None) -> None:
    words = WORDS[name]
    layers = (sn.Input("T"),) if words.ndim > 1 else ()
    d = derive(sn.Sequential(*layers, sn.Embedding("V", "d", padding)).program(sn.MSELoss()))
    wanted = DICE.normal(size=(*words.shape, D))
    rows = ROWS if padding is None else np.where(np.arange(V)[:, None] == padding, 0, ROWS)

    def theirs(table: Any) -> Any:
        return ((jnp.where((words == padding)[..., None], jax.lax.stop_gradient(table[words]), table[words]) - wanted) ** 2).mean()

    value, slope = jax.value_and_grad(theirs)(jnp.asarray(rows))
    for library in ("numpy", "jax"):
        space: dict[str, Any] = {}
        exec(sn.export(d, library), space)
        data = {"x" if words.ndim == 1 else "X": words, "E1": rows, "Y": wanted}
        loss, found = space["value_and_grad"](**data)
        assert float(loss) == pytest.approx(float(value), rel=1e-12)
        np.testing.assert_allclose(found["E1"], slope, rtol=1e-12, atol=1e-14)
    assert all(s.check() for s in d.steps)


NETS = {
    "words, then scores of classes": (sn.Embedding("V", "d"), sn.Linear("d", "C")),
    "one word, one sentence": (sn.Embedding("V", "d"), sn.RNN("d", "m", output="last"), sn.Linear("m", "C")),
    "a class for each word": (sn.Embedding("V", "d"), sn.GRU("d", "m"), sn.Linear("m", "C")),
    "attention": (sn.Embedding("V", "d"), sn.MultiheadAttention("d", "H", mask="causal"), sn.Linear("d", "C")),
}


@pytest.mark.parametrize("layers", NETS.values(), ids=NETS)
def test_every_step_of_a_network_on_words_checks(layers: tuple[Any, ...]) -> None:
    assert all(s.check() for s in derive(sn.Sequential(*layers).program(sn.CrossEntropyLoss(indices=True))).steps)


def test_one_sample_without_a_batch() -> None:
    program = sn.Sequential(sn.Linear("d", "C")).program(sn.CrossEntropyLoss(indices=True), batch=False)
    d = derive(program)
    loss, found = d.compile(check=False)({"W1": W, "b1": B}, X[0], 2)
    logs = jax.nn.log_softmax(X[0] @ W + B)
    assert loss == pytest.approx(-float(logs[2]), rel=1e-12)
    np.testing.assert_allclose(found["b1"], np.exp(logs) - np.eye(C)[2], rtol=1e-11)
    assert all(s.check() for s in d.steps)


def test_a_large_score_does_not_overflow() -> None:
    run = derive(linear(sn.CrossEntropyLoss(indices=True))).compile(check=False)
    loss, found = run({"W1": np.diag([1000.0, -1000.0]), "b1": np.zeros(2)}, np.eye(2), [1, 1])
    assert loss == 1000.0 and np.all(np.isfinite(found["W1"]))


@pytest.mark.parametrize("y", [[0, 1, 2, 3, 4], [0, 1, -1, 0, 0], [0.5, 0, 0, 0, 0]], ids=["too large", "negative", "no whole number"])
def test_what_is_no_class_is_refused(y: list[float]) -> None:
    d = derive(linear(sn.CrossEntropyLoss(indices=True)))
    with pytest.raises(ShapeError, match="y: (classes from 0 to 3|whole numbers) expected"):
        d.compile(check=False)({"W1": W, "b1": B}, X, y)
    with pytest.raises(DomainError, match="value of y"):
        d.at({"X": X.tolist(), "W1": W.tolist(), "b1": B.tolist(), "y": y})


def test_nothing_is_differentiated_by_a_class() -> None:
    program = linear(sn.CrossEntropyLoss(indices=True))
    with pytest.raises(DomainError, match="wrt: 'y', whose entries are whole numbers"):
        derive(program, wrt=["y"])
    assert "y" not in derive(sn.program("L = sum(x)", tensors={"x": ("N",)})).wrt


@pytest.mark.parametrize("make", [lambda: sn.CrossEntropyLoss(weight=[1, 2]), lambda: sn.CrossEntropyLoss(ignore_index=1),
                                  lambda: sn.NLLLoss(indices=True, ignore_index=0.5)], ids=["a list", "no indices", "half"])
def test_an_option_that_says_nothing_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(OptionError):
        make()


def test_an_embedding_of_real_numbers_is_refused() -> None:
    with pytest.raises(ShapeError, match="Embedding first, or"):
        sn.Sequential(sn.Linear("d", "h"), sn.Embedding("h", "k")).program()
