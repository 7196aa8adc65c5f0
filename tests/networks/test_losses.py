"""Each loss against its formula in NumPy, with and without a sample axis; what is declared and what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.evaluate import evaluate
from symnet.core.tensors import Role
from symnet.networks.catalogue import LOSSES
from symnet.networks.losses import HalfSquaredError, Loss, SquaredError
from symnet.networks.sequential import Sequential

Array = np.ndarray[Any, Any]
DICE = np.random.default_rng(11)
X, W, B = (DICE.integers(-200, 200, s) / 128 for s in ((4, 3), (3, 2), (2,)))
Y = DICE.integers(1, 127, (4, 2)) / 128
Z = X @ W + B


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def log_softmax(z: Array) -> Array:
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def bce(a: Array, y: Array) -> float:
    return float(-(y * np.log(a) + (1 - y) * np.log(1 - a)).mean())


ROWS: dict[str, tuple[Loss, Callable[[Array, Array], float]]] = {
    "MSELoss": (sn.MSELoss(), lambda z, y: ((z - y) ** 2).mean()),
    "SquaredError": (SquaredError(), lambda z, y: ((z - y) ** 2).sum()),
    "HalfSquaredError": (HalfSquaredError(), lambda z, y: ((z - y) ** 2).sum() / 2),
    "CrossEntropyLoss": (sn.CrossEntropyLoss(), lambda z, y: -(y * log_softmax(z)).sum(axis=-1).mean()),
}


def test_every_loss_here_is_in_the_table() -> None:
    assert {*ROWS, "BCELoss"} <= set(LOSSES)


@pytest.mark.parametrize("loss, formula", ROWS.values(), ids=ROWS)
def test_a_loss_over_rows_is_its_formula(loss: Loss, formula: Callable[[Array, Array], float]) -> None:
    made = Sequential(sn.Linear("d", "h")).program(loss)
    found = evaluate(made, {"X": X.tolist(), "W1": W.tolist(), "b1": B.tolist(), "Y": Y.tolist()})
    assert float(found.decimal("L", 17)) == pytest.approx(formula(Z, Y), rel=1e-13)


@pytest.mark.parametrize("loss, formula", ROWS.values(), ids=ROWS)
def test_a_loss_of_one_sample_is_its_formula(loss: Loss, formula: Callable[[Array, Array], float]) -> None:
    made = Sequential(sn.Linear("d", "h")).program(loss, batch=False)
    found = evaluate(made, {"x": X[0].tolist(), "W1": W.tolist(), "b1": B.tolist(), "y": Y[0].tolist()})
    assert float(found.decimal("L", 17)) == pytest.approx(formula(Z[0], Y[0]), rel=1e-13)


@pytest.mark.parametrize("batch", [None, False])
def test_binary_cross_entropy_is_its_formula(batch: bool | None) -> None:
    made = Sequential(sn.Linear("d", "h"), sn.Sigmoid()).program(sn.BCELoss(), batch=batch)
    given = {"X": X, "Y": Y} if batch is None else {"x": X[0], "y": Y[0]}
    found = evaluate(made, {**{k: v.tolist() for k, v in given.items()}, "W1": W.tolist(), "b1": B.tolist()})
    wanted = bce(sigmoid(Z), Y) if batch is None else bce(sigmoid(Z[0]), Y[0])
    assert float(found.decimal("L", 17)) == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize(
    "loss, wanted",
    [(sn.MSELoss(), "(a1 - y)**2"), (SquaredError(), "(a1 - y)**2"), (HalfSquaredError(), "(a1 - y)**2/2")],
    ids=["mean", "sum", "half"],
)
def test_of_one_number_the_loss_is_plain(loss: Loss, wanted: str) -> None:
    made = Sequential(sn.Linear(1, 1), sn.Sigmoid()).program(loss)
    from symnet.core.text import text

    assert text(made.by_name["L"][0].expr) == wanted


GRADIENTS: dict[str, tuple[Loss, Callable[[Array, Array], Array]]] = {
    "MSELoss": (sn.MSELoss(), lambda z, y: 2 * (z - y) / z.size),
    "SquaredError": (SquaredError(), lambda z, y: 2 * (z - y)),
    "HalfSquaredError": (HalfSquaredError(), lambda z, y: z - y),
    "CrossEntropyLoss": (
        sn.CrossEntropyLoss(),
        lambda z, y: (np.exp(log_softmax(z)) * y.sum(axis=-1, keepdims=True) - y) / len(z),
    ),
}


@pytest.mark.parametrize("loss, gradient", GRADIENTS.values(), ids=GRADIENTS)
def test_the_gradient_is_the_textbooks(loss: Loss, gradient: Callable[[Array, Array], Array]) -> None:
    run = derive(Sequential(sn.Linear("d", "h")).program(loss)).compile(check=False)
    _, grads = run({"W1": W, "b1": B}, X, Y)
    np.testing.assert_allclose(grads["W1"], X.T @ gradient(Z, Y), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(grads["b1"], gradient(Z, Y).sum(axis=0), rtol=1e-11, atol=1e-13)


def test_binary_cross_entropy_has_the_short_gradient() -> None:
    run = derive(Sequential(sn.Linear("d", "h"), sn.Sigmoid()).program(sn.BCELoss())).compile(check=False)
    _, grads = run({"W1": W, "b1": B}, X, Y)
    np.testing.assert_allclose(grads["W1"], X.T @ (sigmoid(Z) - Y) / Y.size, rtol=1e-10, atol=1e-13)


def test_only_a_normalized_target_is_declared_to_add_up_to_one() -> None:
    net = Sequential(sn.Linear("d", "k"))
    assert net.program(sn.CrossEntropyLoss()).assumptions == ()
    (declared,) = net.program(sn.CrossEntropyLoss(normalized=True)).assumptions
    assert str(declared) == "Sum(Y[n, j], (j, 1, k)) = 1"


@pytest.mark.parametrize("name", [*ROWS, "BCELoss"])
def test_the_target_and_the_objective_have_their_roles(name: str) -> None:
    made = Sequential(sn.Linear("d", "k"), sn.Sigmoid()).program(LOSSES[name]())
    roles = {t.name: t.role for t in made.inputs}
    assert roles["Y"] is Role.TARGET and made.objective == "L" and made.objective_tensor.role is Role.OBJECTIVE


def test_outside_its_domain_binary_cross_entropy_says_so() -> None:
    made = Sequential(sn.Linear(1, 1)).program(sn.BCELoss())
    found = evaluate(made, {"x": 1, "w1": 2, "b1": 0, "y": 1})
    with pytest.raises(sn.SymnetError, match="log"):
        found.decimal("L")
