"""What cannot be trained on is refused before anything is computed, each in one line that names it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import DomainError, OptionError, ShapeError, SymnetError

NET = sn.Sequential(sn.Linear(2, 3), sn.Tanh(), sn.Linear(3, 1))
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 2)), RNG.normal(size=(6, 1))


def spoilt(array: Any, place: tuple[int, ...], value: float) -> Any:
    made = np.array(array, dtype=float)
    made[place] = value
    return made


REFUSED: dict[str, tuple[dict[str, Any], type[SymnetError], str]] = {
    "nan in X": ({"X": spoilt(X, (3, 1), np.nan)}, DomainError, r"fit, X: X\[3, 1\] is nan; expected finite numbers"),
    "inf in Y": ({"Y": spoilt(Y, (0, 0), np.inf)}, DomainError, r"fit, Y: Y\[0, 0\] is inf"),
    "several": ({"X": spoilt(spoilt(X, (5, 0), -np.inf), (2, 0), np.nan)}, DomainError, r"X\[2, 0\] is nan \(and 1 more\)"),
    "nan in a start": ({"params": {"b1": [0, np.nan, 0]}}, DomainError, r"fit, params, b1: b1\[1\] is nan"),
    "nan in a weight": ({"sample_weight": spoilt(np.ones(6), (4,), np.nan)}, DomainError, r"sample_weight\[4\] is nan"),
    "nan in validation": ({"validation_data": (spoilt(X, (1, 1), np.nan), Y)}, DomainError, r"validation_data, X: X\[1, 1\] is nan"),
    "negative rate": ({"lr": "-1/10"}, OptionError, r"optimizer SGD, lr: -1/10; expected a number of at least 0"),
    "negative rate of adam": ({"optimizer": "adam", "lr": -0.1}, OptionError, "optimizer Adam, lr: -1/10"),
    "a rate that is no number": ({"lr": float("nan")}, SymnetError, "nan"),
    "a beta of 1": ({"optimizer": "adam", "beta1": 1}, OptionError, "beta1: 1; expected a number of at least 0, below 1"),
    "negative decay": ({"weight_decay": -1}, OptionError, "lam: -1; expected a number of at least 0"),
    "complex": ({"X": X + 0j}, ShapeError, "array X: complex numbers"), "nothing": ({"X": X[:0], "Y": Y[:0]}, ShapeError, "X: no samples"),
    "a row for a column": ({"Y": Y[:, 0]}, ShapeError, r"Y: shape \(6,\).*try: Y.reshape\(-1, 1\)"),
    "labels": ({"what": sn.Sequential(sn.Linear(2, 3)), "loss": sn.CrossEntropyLoss(), "Y": np.arange(6) % 3}, ShapeError, "one-hot rows|indices=True"),
    "numbers for a net of numbers": ({"what": sn.Sequential(sn.Linear(1, 1)), "X": [1, 2], "Y": [1, 2]}, ShapeError, r"x.reshape\(-1, 1\): one sample a row"),
    "no parameters named": ({"what": sn.program("L = (w*x - y)**2"), "loss": None}, ShapeError, r'expected 0; try: sn.derive\(program, wrt="'),
    "rows": ({"Y": Y[:5]}, ShapeError, r"\(5, 1\)"),
    "weights of other rows": ({"sample_weight": [1, 2]}, ShapeError, r"shape \(2,\); expected 6 numbers"),
    "a negative weight": ({"sample_weight": [1, 1, -2, 1, 1, 1]}, OptionError, "-2 at 2"),
    "no weight": ({"sample_weight": np.zeros(6)}, OptionError, "no weight above 0"),
    "dtype": ({"dtype": "float16"}, OptionError, "'float16'; expected one of float64, float32"),
    "epoch_loss": ({"epoch_loss": "befor"}, OptionError, "one of after, during"),
    "split of all": ({"validation_split": 1.0}, OptionError, "a number between 0 and 1"),
    "split of nothing": ({"validation_split": 0.01}, ShapeError, "at least one sample on either side"),
    "both validations": ({"validation_split": 0.5, "validation_data": (X, Y)}, OptionError, "one of them"),
    "validation without targets": ({"validation_data": X}, OptionError, r"expected \(X, Y\)"),
    "metric": ({"metrics": "acuracy"}, OptionError, "did you mean 'accuracy'"),
    "metric of no number": ({"metrics": lambda y, a: a}, OptionError, "that gives a number"),
    "monitor": ({"early_stopping": sn.EarlyStopping("val_loss")}, OptionError, "try: validation_split=0.1"),
    "patience": ({"early_stopping": 0}, OptionError, "EarlyStopping, patience: 0"),
    "callback": ({"callbacks": [3]}, OptionError, r"callbacks: \[3\]; expected a function"),
    "log": ({"log": "/nowhere/log.jsonl"}, OptionError, "No such file"),
    "checkpoint": ({"checkpoint": "/nowhere/run.npz"}, OptionError, "No such file"),
    "resume without a file": ({"resume": True}, OptionError, "checkpoint="),
    "resume of nothing": ({"resume": "/nowhere/run.npz"}, OptionError, "no such file"),
    "a loss and a program": ({"what": sn.program("L = (w*x - 1)**2")}, OptionError, "a program and a loss"),
    "an array of no input": ({"X": {"X": X, "Z": X}, "Y": None}, OptionError, "no input named 'Z'"),
}


@pytest.mark.parametrize(("change", "error", "says"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_in_one_line(change: dict[str, Any], error: type[SymnetError], says: str) -> None:
    call: dict[str, Any] = {"what": NET, "X": X, "Y": Y, "loss": "mse", "epochs": 2, **change}
    with pytest.raises(error, match=says) as caught:
        sn.fit(call.pop("what"), call.pop("X"), call.pop("Y"), **call)
    assert "\n" not in str(caught.value)


def test_a_table_of_arrays_is_x_and_y() -> None:
    derivation = sn.derive(NET, loss="mse", batch="N")
    assert sn.fit(derivation, {"Y": Y, "X": X}, epochs=3).losses == sn.fit(derivation, X, Y, epochs=3).losses
