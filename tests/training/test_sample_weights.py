"""A sample of weight 2 is one that is there twice; classes weigh as scikit-learn and PyTorch weigh them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

import symnet as sn
from symnet.errors import SymnetError
from symnet.networks.sample_weights import weighted

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(2)
X, CLASSES = RNG.normal(size=(12, 3)), np.array([0, 1, 2, 0, 0, 0, 1, 2, 1, 0, 0, 0])
ONE_HOT, NUMBERS, BINARY = np.eye(3)[CLASSES], RNG.normal(size=(12, 3)), (CLASSES[:, None] > 0).astype(float)
TIMES = np.array([1, 2, 0, 3, 1, 1, 2, 1, 0, 1, 4, 1])
NET = sn.Sequential(sn.Linear(3, 4), sn.Tanh(), sn.Linear(4, 3))
ONE = sn.Sequential(sn.Linear(3, 4), sn.Tanh(), sn.Linear(4, 1))
LOSSES: dict[str, tuple[Any, Any, Any]] = {
    "mse": (NET, sn.MSELoss(), NUMBERS), "sum": (NET, sn.MSELoss(reduction="sum"), NUMBERS), "l1": (NET, sn.L1Loss(), NUMBERS),
    "huber": (NET, sn.HuberLoss(), NUMBERS), "cross-entropy": (NET, sn.CrossEntropyLoss(), ONE_HOT), "normalized": (NET, sn.CrossEntropyLoss(normalized=True), ONE_HOT),
    "labels": (NET, sn.CrossEntropyLoss(indices=True), CLASSES), "logits": (ONE, sn.BCEWithLogitsLoss(), BINARY),
    "penalty": (NET, sn.L2Penalty(sn.MSELoss(), "1/10"), NUMBERS), "half": (NET, sn.HalfSquaredError(), NUMBERS),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_weight_counts_how_often_a_sample_is_there(name: str) -> None:
    net, loss, Y = LOSSES[name]
    rows = np.repeat(np.arange(12), TIMES)
    call: dict[str, Any] = {"loss": loss, "optimizer": "momentum", "lr": "1/200" if name == "sum" else "1/20", "epochs": 15, "seed": 1}
    by_weight, by_rows = sn.fit(net, X, Y, sample_weight=TIMES, **call), sn.fit(net, X[rows], Y[rows], **call)
    np.testing.assert_allclose(by_weight.losses, by_rows.losses, rtol=1e-12)
    for n, value in by_rows.params.items():
        np.testing.assert_allclose(by_weight.params[n], value, rtol=1e-9, atol=1e-12, err_msg=n)


def test_weights_of_classes_are_those_of_pytorch() -> None:
    given = {0: 0.5, 1: 2.0, 2: 3.0}
    made = sn.fit(NET, X, ONE_HOT, loss=sn.CrossEntropyLoss(), class_weight=given, lr="1/10", epochs=10)
    start = sn.fit(NET, X, ONE_HOT, loss=sn.CrossEntropyLoss(), epochs=0).params
    params = {n: torch.tensor(v, requires_grad=True) for n, v in start.items()}
    rule = torch.optim.SGD(params.values(), lr=0.1)
    law = torch.nn.CrossEntropyLoss(torch.tensor([0.5, 2.0, 3.0], dtype=torch.float64))
    for _ in range(10):
        rule.zero_grad()
        law(torch.tanh(torch.tensor(X) @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"], torch.tensor(CLASSES)).backward()
        rule.step()
    for n, value in params.items():
        np.testing.assert_allclose(made.params[n], value.detach(), rtol=1e-12)


@pytest.mark.parametrize(("net", "loss", "Y"), [(NET, sn.CrossEntropyLoss(), ONE_HOT), (NET, sn.CrossEntropyLoss(indices=True), CLASSES), (ONE, sn.BCEWithLogitsLoss(), BINARY)])
def test_balanced_is_scikit_learns(net: Any, loss: Any, Y: Any) -> None:
    labels = Y.argmax(axis=1) if Y.shape == ONE_HOT.shape else Y.ravel().astype(int)
    by_hand = compute_class_weight("balanced", classes=np.unique(labels), y=labels)
    call = {"loss": loss, "epochs": 5, "lr": "1/10"}
    one, other = sn.fit(net, X, Y, class_weight="balanced", **call), sn.fit(net, X, Y, sample_weight=by_hand[labels], **call)
    assert one.losses == pytest.approx(other.losses, rel=1e-14)


def test_both_weights_are_multiplied() -> None:
    call = {"loss": sn.CrossEntropyLoss(), "epochs": 3}
    one = sn.fit(NET, X, ONE_HOT, class_weight={1: 2}, sample_weight=TIMES, **call)
    assert one.losses == sn.fit(NET, X, ONE_HOT, sample_weight=TIMES * np.array([1, 2, 1])[CLASSES], **call).losses


def test_each_batch_is_a_weighted_mean_of_its_own() -> None:
    weights = RNG.uniform(0.5, 2, 12)
    made = sn.fit(sn.Sequential(sn.Linear(3, 1, bias=False)), X, BINARY, loss="mse", batch_size=5, shuffle=False, sample_weight=weights, lr="1/10",
                  epochs=2, params={"W1": np.zeros((3, 1))})
    w = np.zeros((3, 1))
    for rows in 2 * [slice(0, 5), slice(5, 10), slice(10, 12)]:
        s = weights[rows, None]
        w = w - 0.1 * X[rows].T @ (2 * s * (X[rows] @ w - BINARY[rows])) / s.sum()
    np.testing.assert_allclose(made.params["W1"], w, rtol=1e-12)


def test_validation_may_have_weights_of_its_own() -> None:
    made = sn.fit(NET, X, NUMBERS, loss="mse", sample_weight=TIMES, validation_data=(X, NUMBERS, TIMES), epochs=3, lr="1/10")
    assert made.history["val_loss"] == pytest.approx(made.losses, rel=1e-12)
    plain = sn.fit(NET, X, NUMBERS, loss="mse", sample_weight=TIMES, validation_data=(X, NUMBERS), epochs=3, lr="1/10")
    assert plain.history["val_loss"][-1] == pytest.approx(((plain.predict(X) - NUMBERS) ** 2).mean(), rel=1e-12)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a class that is not there": ({"class_weight": {7: 1}}, "no sample of the class 7; expected one of 0, 1, 2"), "a word": ({"class_weight": "even"}, '"balanced"'),
    "a negative weight": ({"class_weight": {0: -1}}, "class_weight of 0: -1"), "numbers": ({"Y": NUMBERS, "loss": "mse", "class_weight": "balanced"}, "expected class labels"),
    "no sum over samples": ({"what": sn.derive(sn.program("z[n] = w*x[n]", "L = sqrt(sum(z)**2 + 1)", tensors={"x": ("N",), "w": ()}, objective="L"), wrt="w"), "X": X[:, 0], "Y": None,
                             "loss": None, "params": {"w": 1}, "sample_weight": np.ones(12)}, "no sum over the samples"),
}


@pytest.mark.parametrize(("change", "says"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_weights_is_refused(change: dict[str, Any], says: str) -> None:
    call: dict[str, Any] = {"what": NET, "X": X, "Y": ONE_HOT, "loss": sn.CrossEntropyLoss(), "epochs": 1, **change}
    with pytest.raises(SymnetError, match=says):
        sn.fit(call.pop("what"), call.pop("X"), call.pop("Y"), **call)


def test_a_statistic_over_the_batch_is_not_weighted() -> None:
    net = sn.Sequential(sn.Linear(3, 1), sn.BatchNorm1d(1), sn.Linear(1, 1)).program("mse", "N")
    made, name = weighted(net)
    assert [d.expr for d in made.definitions[:-1]] == [d.expr for d in net.definitions[:-1]] and name in made.uses(made.objective)
