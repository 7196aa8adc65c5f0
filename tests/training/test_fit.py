"""Training reaches stated losses, agrees with loops written by hand, and says clearly what goes wrong."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import DomainError, OptionError, ShapeError, SymnetError
from symnet.training.data import ages, digits, xor
from symnet.training.fit import derivation_for, fit
from symnet.training.models import output_name

XOR_NET = sn.Sequential(sn.Linear(2, 2), sn.Tanh(), sn.Linear(2, 1), sn.Sigmoid())
ONE = sn.Sequential(sn.Linear(1, 1), sn.Sigmoid())
LINE = sn.Sequential(sn.Linear(2, 1))
X, Y = xor()


def test_the_worked_example_learns_its_one_case() -> None:
    made = fit(sn.load("first"), lr="1/10", epochs=200)
    assert made.losses[0] == pytest.approx(0.19936281)  # the exact loss of the page
    assert made.losses[-1] < 0.0095
    assert all(b < a for a, b in zip(made.losses, made.losses[1:], strict=False))


def test_one_step_on_the_worked_example_gives_its_new_weights() -> None:
    made = fit(sn.load("first"), lr="1/10", epochs=1)
    shown = {"w1": 0.50628165, "b1": 0.20314082, "w2": 0.81696091, "b2": -0.37793056}
    assert {n: float(v) for n, v in made.params.items()} == pytest.approx(shown, abs=1e-8)


@pytest.mark.parametrize("seed", [0, 3])
def test_xor_is_learnt_by_two_hidden_units(seed: int) -> None:
    made = fit(XOR_NET, X, Y, loss=sn.BCELoss(), optimizer="adam", lr="1/10", epochs=300, seed=seed)
    assert made.losses[-1] < 0.01
    assert np.array_equal(made.predict(X) > 0.5, Y > 0.5)


def test_xor_from_most_starts() -> None:
    d = sn.derive(XOR_NET, loss=sn.BCELoss())
    ends = [fit(d, X, Y, optimizer="adam", lr="1/10", epochs=300, seed=s).losses[-1] for s in range(8)]
    assert sum(end < 0.1 for end in ends) >= 6  # the others stay at log 2 / 2 or beside it


def test_the_ages_are_learnt_from_columns_by_a_net_of_width_one() -> None:
    x, y = ages()
    made = fit(ONE, x, y, loss=sn.BCELoss(), optimizer="adam", lr="1/10", epochs=1000)
    assert made.losses[-1] < 0.05
    assert np.array_equal(made.predict(x) > 0.5, y > 0.5)
    assert made.log.samples == 5


def test_the_ages_worksheet_fits_the_least_squares_line() -> None:
    made = fit(sn.load("ages"), lr="1/25", epochs=2000)
    x, y = (a[:, 0] for a in ages())
    slope, intercept = np.polyfit(x, y, 1)
    assert float(made.params["w"]) == pytest.approx(slope, abs=1e-6)
    assert float(made.params["b"]) == pytest.approx(intercept, abs=1e-6)
    assert made.losses[-1] < 0.15


@pytest.mark.slow
def test_the_digits_are_learnt_by_64_32_10() -> None:
    importlib.import_module("sklearn")
    x, y = digits()
    net = sn.Sequential(sn.Linear(64, 32), sn.Tanh(), sn.Linear(32, 10))
    made = fit(net, x[:1500], y[:1500], loss=sn.CrossEntropyLoss(normalized=True), optimizer="adam", lr="1/100", epochs=20,
               batch_size=64)
    assert made.losses[0] > 2 and made.losses[-1] < 0.06
    assert (made.predict(x[1500:]).argmax(axis=1) == y[1500:].argmax(axis=1)).mean() > 0.9


def _start() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    return {"W1": rng.normal(size=(2, 1)), "b1": rng.normal(size=1)}


def _slopes(params: dict[str, Any], x: Any = X, y: Any = Y) -> dict[str, Any]:
    """The gradient of the mean squared error of a line, by hand."""
    gap = 2 * (x @ params["W1"] + params["b1"] - y) / y.size
    return {"W1": x.T @ gap, "b1": gap.sum(axis=0)}


def _by_hand(name: str, steps: int, lr: float) -> dict[str, Any]:
    """The optimizers after PyTorch's documentation, in plain NumPy."""
    params = _start()
    m, v = ({n: np.zeros_like(p) for n, p in params.items()} for _ in range(2))
    for t in range(1, steps + 1):
        for n, g in _slopes(params).items():
            if name == "sgd":
                step = g
            elif name == "momentum":
                m[n] = 0.9 * m[n] + g
                step = m[n]
            elif name == "rmsprop":
                v[n] = 0.99 * v[n] + 0.01 * g * g
                step = g / (np.sqrt(v[n]) + 1e-8)
            else:
                m[n], v[n] = 0.9 * m[n] + 0.1 * g, 0.999 * v[n] + 0.001 * g * g
                step = m[n] / (1 - 0.9**t) / (np.sqrt(v[n] / (1 - 0.999**t)) + 1e-8)
            params[n] = params[n] - lr * step
    return params


@pytest.mark.parametrize("name", ["sgd", "momentum", "rmsprop", "adam"])
def test_twenty_steps_agree_with_a_loop_by_hand(name: str) -> None:
    made = fit(LINE, X, Y, loss=sn.MSELoss(), optimizer=name, lr="1/50", epochs=20, params=_start())
    wanted = _by_hand(name, 20, 0.02)
    for n, value in made.params.items():
        assert np.allclose(value, wanted[n], rtol=1e-12), n


def test_mini_batches_are_every_row_once_an_epoch() -> None:
    made = fit(LINE, X, Y, loss=sn.MSELoss(), lr="1/10", epochs=3, batch_size=3, params=_start(), seed=11)
    params, rng = _start(), np.random.default_rng(11)
    for _ in range(3):
        order = rng.permutation(4)
        for rows in (order[:3], order[3:]):
            slopes = _slopes(params, X[rows], Y[rows])
            params = {n: p - 0.1 * slopes[n] for n, p in params.items()}
    assert np.allclose(made.params["W1"], params["W1"], rtol=1e-12)


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    d = sn.derive(XOR_NET, loss=sn.BCELoss())
    one, same, other = (fit(d, X, Y, epochs=5, seed=s).losses for s in (1, 1, 2))
    assert one == same and one != other


def test_weights_start_within_glorots_bound_and_biases_at_zero() -> None:
    net = sn.Sequential(sn.Linear(30, 20), sn.Tanh(), sn.Linear(20, 10))
    made = fit(net, np.zeros((2, 30)), np.zeros((2, 10)), loss=sn.MSELoss(), epochs=0).params
    for name, ends in (("W1", 50), ("W2", 30)):
        bound = math.sqrt(6 / ends)
        assert np.abs(made[name]).max() <= bound
        assert made[name].std() == pytest.approx(bound / math.sqrt(3), rel=0.1)
    assert not made["b1"].any() and not made["b2"].any()


def test_the_log_tells_the_rule_its_settings_and_one_loss_an_epoch() -> None:
    made = fit(LINE, X, Y, loss=sn.MSELoss(), optimizer="momentum", lr="1/50", mu="1/2", epochs=7, batch_size=2)
    assert made.log.optimizer == "Momentum"
    assert dict(made.log.settings) == {"lr": "1/50", "mu": "1/2"}
    assert (len(made.losses), made.log.batch_size) == (8, 2)


def test_starting_values_are_not_changed() -> None:
    start = _start()
    fit(LINE, X, Y, loss=sn.MSELoss(), epochs=3, params=start)
    assert all(np.array_equal(v, _start()[n]) for n, v in start.items())


def test_the_progress_line_goes_to_stderr_alone(capsys: pytest.CaptureFixture[str]) -> None:
    fit(LINE, X, Y, loss=sn.MSELoss(), epochs=4, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "SGD: " in err and "4/4" in err and "loss" in err and err.endswith("\n")


@pytest.mark.parametrize("progress", [False, None], ids=["off", "no terminal"])
def test_no_progress_line(progress: bool | None, capsys: pytest.CaptureFixture[str]) -> None:
    fit(LINE, X, Y, loss=sn.MSELoss(), epochs=4, progress=progress)
    assert capsys.readouterr() == ("", "")


@pytest.mark.filterwarnings("error")
def test_a_run_that_diverges_is_told_with_its_epoch() -> None:
    with pytest.raises(DomainError, match=r"fit, epoch (\d+), step \1: L is inf in L = sum\(.*smaller learning rate"):
        fit(LINE, 10 * X, Y, loss=sn.MSELoss(), lr=100, epochs=500)


def test_predict_gives_the_last_line_before_the_target() -> None:
    d = derivation_for(XOR_NET, X, sn.BCELoss())
    assert output_name(d.program) == "a2"
    made = fit(d, X, Y, epochs=1)
    p = made.params
    wanted = 1 / (1 + np.exp(-(np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"])))
    assert np.allclose(made.predict(X), wanted)


MISUSES: dict[str, tuple[dict[str, Any], type[SymnetError], str]] = {
    "no loss": ({"loss": None}, OptionError, "without a loss"),
    "no network": ({"what": "net"}, OptionError, "str"),
    "unknown optimizer": ({"optimizer": "adamm"}, OptionError, "did you mean 'adam'"),
    "unknown setting": ({"rho": 1}, OptionError, "no argument 'rho'"),
    "unknown parameter": ({"params": {"W9": 1.0}}, OptionError, "no parameter named 'W9'"),
    "parameter of another shape": ({"params": {"W1": np.zeros((3, 1))}}, ShapeError, r"\(3, 1\)"),
    "ragged": ({"X": [[1, 2], [3]]}, ShapeError, "inhomogeneous"),
    "too few columns": ({"X": np.zeros((4, 3))}, ShapeError, r"\(4, 3\)"),
    "no target": ({"Y": None}, ShapeError, "no values for Y"),
    "other rows": ({"Y": np.zeros((3, 1))}, ShapeError, r"\(3, 1\)"),
    "not a number": ({"X": np.full((4, 2), np.nan)}, DomainError, r"fit, X: X\[0, 0\] is nan \(and 7 more\)"),
    "batch of nothing": ({"batch_size": 0}, OptionError, "batch_size=0"),
    "negative epochs": ({"epochs": -1}, OptionError, "epochs=-1"),
}


@pytest.mark.parametrize(("change", "error", "says"), MISUSES.values(), ids=MISUSES)
def test_a_misuse_is_told_in_one_line(change: dict[str, Any], error: type[SymnetError], says: str) -> None:
    call: dict[str, Any] = {"what": LINE, "X": X, "Y": Y, "loss": sn.MSELoss(), "epochs": 2, **change}
    with pytest.raises(error, match=says) as caught:
        fit(call.pop("what"), call.pop("X"), call.pop("Y"), **call)
    assert "\n" not in str(caught.value)


def test_a_penalty_of_the_parameters_is_no_output() -> None:
    made = fit(LINE, X, Y, loss=sn.L2Penalty(sn.MSELoss(), "1/10"), epochs=2)
    assert output_name(made.derivation.program) == "z1" and made.predict(X).shape == (4, 1)
