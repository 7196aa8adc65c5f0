"""Validation data, metrics, early stopping and callbacks, against scikit-learn's metrics and loops by hand."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as theirs

import symnet as sn
from symnet.training.metrics import classes, metrics_of

RNG = np.random.default_rng(5)
X = RNG.normal(size=(60, 3))
Y = np.sin(X @ RNG.normal(size=(3, 2)))
LABELS = (Y[:, 0] > 0).astype(int) + (Y[:, 1] > 0)
NET = sn.Sequential(sn.Linear(3, 6), sn.Tanh(), sn.Linear(6, 2))


@pytest.mark.parametrize("name", ["mse", "mae", "r2", "rmse"])
def test_metrics_of_numbers_are_scikit_learns(name: str) -> None:
    made = sn.fit(NET, X[:40], Y[:40], loss="mse", lr="1/10", epochs=5, metrics=name, validation_data=(X[40:], Y[40:]))
    law = {"mse": theirs.mean_squared_error, "mae": theirs.mean_absolute_error, "r2": theirs.r2_score, "rmse": theirs.root_mean_squared_error}[name]
    assert made.history[f"val_{name}"][-1] == pytest.approx(law(Y[40:], made.predict(X[40:])), rel=1e-9 if name != "rmse" else 0.05)
    assert made.history[name][-1] == pytest.approx(law(Y[:40], made.predict(X[:40])), rel=1e-9 if name != "rmse" else 0.05)


@pytest.mark.parametrize(("loss", "targets", "wide"), [(sn.CrossEntropyLoss(), np.eye(3)[LABELS], 3), (sn.CrossEntropyLoss(indices=True), LABELS, 3),
                                                       (sn.BCEWithLogitsLoss(), (LABELS[:, None] > 0).astype(float), 1), (sn.HingeLoss(), np.sign(Y[:, :1]), 1)])
@pytest.mark.parametrize("name", ["accuracy", "f1"])
def test_metrics_of_classes_are_scikit_learns(name: str, loss: Any, targets: Any, wide: int) -> None:
    made = sn.fit(sn.Sequential(sn.Linear(3, 6), sn.Tanh(), sn.Linear(6, wide)), X, targets, loss=loss, optimizer="adam", lr="1/20", epochs=20, metrics=[name])
    out = made.predict(X)
    found = out.argmax(axis=1) if wide > 1 else (out > 0).ravel()
    truth = LABELS if wide > 1 else (targets > 0).ravel()
    law = theirs.accuracy_score if name == "accuracy" else lambda y, a: theirs.f1_score(y, a, average="macro")
    assert made.history[name][-1] == pytest.approx(law(truth, found), rel=1e-12) and made.history[name][-1] > 0.4


def test_several_labels_are_right_in_all() -> None:
    targets, outputs = np.array([[1, 0, 1], [0, 0, 1]]), np.array([[0.9, 0.1, 0.8], [0.2, 0.7, 0.9]])
    measure = metrics_of("accuracy", sn.program("L = x", objective="L"))["accuracy"]
    assert measure(targets, outputs) == 0.5 == theirs.accuracy_score(targets, outputs > 0.5)
    assert classes(np.array([-1.0, 1.0]), np.array([-0.1, 0.2]))[1].tolist() == [False, True]


def test_a_split_leaves_out_its_rows_and_keeps_the_batches() -> None:
    call: dict[str, Any] = {"loss": "mse", "lr": "1/10", "epochs": 3, "batch_size": 7, "seed": 4}
    split = sn.fit(NET, X, Y, validation_split=0.25, **call)
    apart = np.zeros(60, dtype=bool)
    apart[np.random.default_rng([4, 1]).permutation(60)[:15]] = True
    by_hand = sn.fit(NET, X[~apart], Y[~apart], validation_data=(X[apart], Y[apart]), **call)
    assert split.history == by_hand.history and split.log.samples == 45
    assert split.losses == sn.fit(NET, X[~apart], Y[~apart], **call).losses


@pytest.mark.parametrize("restore", [True, False])
@pytest.mark.parametrize("min_delta", [0.0, 0.01])
def test_early_stopping_is_the_rule(restore: bool, min_delta: float) -> None:
    call: dict[str, Any] = {"loss": "mse", "optimizer": "adam", "lr": "1/10", "batch_size": 8, "validation_data": (X[40:], Y[40:])}
    rule = sn.EarlyStopping(patience=4, min_delta=min_delta, restore_best=restore)
    made, free = (sn.fit(NET, X[:40], Y[:40], epochs=200, early_stopping=r, **call) for r in (rule, None))
    series, bar, waited, end = free.history["val_loss"], np.inf, 0, 0
    while waited < 4:
        end += 1
        bar, waited = (series[end], 0) if series[end] < bar - min_delta else (bar, waited + 1)
    assert end < 200 and made.log.epochs == end and made.history["val_loss"] == series[:end + 1]
    best = 1 + int(np.argmin(series[1:end + 1]))
    assert made.log.stopped == f"val_loss was best at epoch {best}"
    wanted = sn.fit(NET, X[:40], Y[:40], epochs=best if restore else end, **call).params
    assert all(np.array_equal(made.params[n], v) for n, v in wanted.items())


def test_early_stopping_by_a_metric_that_rises() -> None:
    targets = np.eye(3)[LABELS]
    made = sn.fit(sn.Sequential(sn.Linear(3, 6), sn.Tanh(), sn.Linear(6, 3)), X, targets, loss=sn.CrossEntropyLoss(), optimizer="adam", lr="1/20", epochs=300,
                  metrics="accuracy", validation_split=0.3, early_stopping=sn.EarlyStopping("val_accuracy", 10))
    best = max(made.history["val_accuracy"][1:])
    assert made.log.epochs < 300 and f"epoch {made.history['val_accuracy'].index(best, 1)}" in made.log.stopped


def test_callbacks_see_every_epoch_and_end_the_run() -> None:
    seen: list[sn.Epoch] = []

    def look(epoch: sn.Epoch) -> bool:
        seen.append(epoch)
        return epoch.number == 3

    made = sn.fit(NET, X, Y, loss="mse", lr="1/10", epochs=10, batch_size=20, callbacks=[look, lambda epoch: None], schedule=sn.StepLR(3, "1/2"))
    assert made.log.epochs == 3 == seen[-1].number and made.log.stopped == "a callback said so"
    assert [e.steps for e in seen] == [3, 6, 9] and [e.values["lr"] for e in seen] == [0.1, 0.05, 0.025]
    assert tuple(e.values["loss"] for e in seen) == made.losses[1:]
    with pytest.raises(ValueError, match="read-only"):
        seen[0].params["W1"][:] = 0


def test_the_log_is_one_line_of_json_an_epoch(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    made = sn.fit(NET, X, Y, loss="mse", lr="1/10", epochs=4, batch_size=20, validation_split=0.2, log=path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [e["epoch"] for e in lines] == [0, 1, 2, 3, 4] and [e["step"] for e in lines] == [0, 3, 6, 9, 12]
    assert tuple(e["loss"] for e in lines) == made.losses and tuple(e["val_loss"] for e in lines) == made.history["val_loss"]


def test_the_loss_during_an_epoch_is_the_mean_of_its_steps() -> None:
    call: dict[str, Any] = {"loss": "mse", "lr": "1/10", "batch_size": 25, "shuffle": False}
    during, after = sn.fit(NET, X, Y, epochs=2, epoch_loss="during", **call), sn.fit(NET, X, Y, epochs=2, **call)
    assert all(np.array_equal(during.params[n], v) for n, v in after.params.items())
    p = sn.fit(NET, X, Y, epochs=0, **call).params
    gaps = [(((np.tanh(X[r] @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]) - Y[r]) ** 2).mean() for r in (slice(0, 25),)]
    assert during.losses[0] == pytest.approx(gaps[0], rel=1e-12) and during.log.epochs == 2
    whole = sn.fit(NET, X, Y, epochs=3, epoch_loss="during", loss="mse", lr="1/10")
    assert whole.losses[1:] == sn.fit(NET, X, Y, epochs=3, loss="mse", lr="1/10").losses[:-1] and whole.losses[0] == whole.losses[1]


def test_the_curve_is_a_picture_of_its_own() -> None:
    made = sn.fit(NET, X, Y, loss="mse", lr="1/10", epochs=4, validation_split=0.2)
    svg = made.log.curve()
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg"') and svg.count("<polyline") == 2 and svg in made._repr_html_()
    ElementTree.fromstring(svg)


def test_batches_need_an_axis_of_samples() -> None:
    derivation = sn.derive(sn.program("r = w*x - y", "L = sum(r**2)", tensors={"x": ("m",), "y": ("m",), "w": ()}, objective="L"), wrt="w")
    with pytest.raises(sn.SymnetError, match="batch_size: a program without an axis of samples"):
        sn.fit(derivation, [1.0, 2], [1.0, 2], params={"w": 0}, batch_size=1)


def test_nothing_is_computed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of 5 epochs on all samples computes value and gradients 6 times, and nothing else."""
    from symnet.training import steps

    count = []
    real = steps.Steps.gradients
    monkeypatch.setattr(steps.Steps, "gradients", lambda self, *rest: count.append(1) or real(self, *rest))
    made = sn.fit(NET, X, Y, loss="mse", lr="1/10", epochs=5)
    assert len(count) == 6 and len(made.losses) == 6


@pytest.mark.parametrize("optimizer", ["adam", "nesterov"])
def test_float32_is_computed_in_float32(optimizer: str) -> None:
    call: dict[str, Any] = {"loss": "mse", "lr": "1/100", "optimizer": optimizer, "epochs": 30, "batch_size": 16, "schedule": sn.CosineAnnealingLR(200)}
    single, double = (sn.fit(NET, X, Y, dtype=t, **call) for t in ("float32", "float64"))
    assert all(v.dtype == np.float32 for v in single.params.values()) and single.predict(X).dtype == np.float32
    assert single.losses == pytest.approx(double.losses, rel=1e-4) and single.losses != double.losses
