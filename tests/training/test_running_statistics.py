"""Batch normalization in fit and predict: the running statistics, the parameters and the predictions are PyTorch's."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import SymnetError

torch = importlib.import_module("torch")
DICE = np.random.default_rng(8)
X, Y = DICE.normal(2, 3, size=(21, 3)), DICE.normal(size=(21, 2))


def trained(ours: Any, theirs: Any, names: list[str], sizes: list[int | None], epochs: int = 4, batch: int | None = None, X: Any = X,
            Y: Any = Y) -> tuple[Any, Any]:
    """Both networks after the same steps: symnet's order of batches, from its own seed, is PyTorch's too."""
    theirs = theirs.double().train()
    start = {n: (p.detach().numpy().T if p.ndim == 2 else p.detach().numpy()).copy() for n, p in zip(names, theirs.parameters(), strict=True)}
    made = sn.fit(ours, X, Y, loss=sn.MSELoss(), optimizer="sgd", lr="1/20", momentum="9/10", epochs=epochs, batch_size=batch, seed=3, params=start)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9)
    rng = np.random.default_rng(3)
    for _ in range(epochs):
        order = rng.permutation(len(X)) if batch else np.arange(len(X))
        for k in range(0, len(X), batch or len(X)):
            rows = order[k:k + (batch or len(X))]
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(theirs(torch.from_numpy(X[rows])), torch.from_numpy(Y[rows])).backward()
            optimizer.step()
    return made, theirs.eval()


NAMES = ["W1", "b1", "gamma1", "beta1", "W2", "b2"]


def nets(**options: Any) -> tuple[Any, Any]:
    ours = sn.Sequential(sn.Linear(3, 4), sn.BatchNorm1d(4, **options), sn.Tanh(), sn.Linear(4, 2))
    torch.manual_seed(1)
    return ours, torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4, **options), torch.nn.Tanh(), torch.nn.Linear(4, 2))


@pytest.mark.parametrize("options", [{}, {"momentum": 0.25}, {"momentum": None}, {"momentum": 0}, {"momentum": 1, "eps": 0.5},
                                     {"track_running_stats": False}], ids=str)
@pytest.mark.parametrize("batch", [None, 7, 5])
def test_predictions_after_training_are_those_of_pytorch(options: dict[str, Any], batch: int | None) -> None:
    if batch == 5:  # 21 rows: PyTorch takes no batch of one
        made, theirs = trained(*nets(**options), NAMES, [], batch=batch, X=X[:20], Y=Y[:20])
    else:
        made, theirs = trained(*nets(**options), NAMES, [], batch=batch)
    for n, p in zip(NAMES, theirs.parameters(), strict=True):
        assert np.allclose(made.params[n].T, p.detach().numpy(), rtol=1e-9, atol=1e-11), n
    if options.get("track_running_stats", True):
        assert np.allclose(made.statistics["mu1"], theirs[1].running_mean.numpy(), rtol=1e-10)
        assert np.allclose(made.statistics["var1"], theirs[1].running_var.numpy(), rtol=1e-10)
    new = DICE.normal(size=(5, 3))
    assert np.allclose(made.predict(new), theirs(torch.from_numpy(new)).detach().numpy(), rtol=1e-9, atol=1e-11)
    rows = X[:20] if batch == 5 else X
    wanted = torch.nn.functional.mse_loss(theirs(torch.from_numpy(rows)), torch.from_numpy(Y[:len(rows)]))
    assert made.losses[-1] == pytest.approx(float(wanted), rel=1e-9)


def test_a_row_does_not_feel_its_company() -> None:
    made = sn.fit(nets()[0], X, Y, loss=sn.MSELoss(), epochs=3, batch_size=7)
    alone = np.concatenate([made.predict(X[k:k + 1]) for k in range(len(X))])
    assert np.allclose(alone, made.predict(X), rtol=1e-12)
    assert np.allclose(made.predict(1000 * X)[:2], made.predict(1000 * X[:2]), rtol=1e-12)


def test_positions_count_with_the_rows() -> None:
    signal, wanted = DICE.normal(size=(9, 2, 6)), DICE.normal(size=(9, 3, 5))
    torch.manual_seed(2)
    theirs = torch.nn.Sequential(torch.nn.Conv1d(2, 3, 2), torch.nn.BatchNorm1d(3)).double().train()
    start = {n: p.detach().numpy().copy() for n, p in zip(["W1", "b1", "gamma1", "beta1"], theirs.parameters(), strict=True)}
    ours = sn.Sequential(sn.Input(2, 6), sn.Conv1d(2, 3, 2), sn.BatchNorm1d(3))
    program = ours.program(sn.MSELoss())
    made = sn.fit(sn.derive(program), signal, wanted, optimizer="sgd", lr="1/20", epochs=3, params=start)
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.05)
    for _ in range(3):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(theirs(torch.from_numpy(signal)), torch.from_numpy(wanted)).backward()
        optimizer.step()
    assert np.allclose(made.predict(signal[:2]), theirs.eval()(torch.from_numpy(signal[:2])).detach().numpy(), rtol=1e-9)


def test_two_normalizations_and_a_dropout() -> None:
    net = sn.Sequential(sn.Linear(3, 4), sn.BatchNorm1d(4), sn.ReLU(), sn.Dropout("1/4"), sn.Linear(4, 4), sn.BatchNorm1d(4), sn.Linear(4, 2))
    made = sn.fit(net, X, Y, loss=sn.MSELoss(), epochs=5, batch_size=7, seed=2)
    assert set(made.statistics) == {"mu1", "var1", "mu2", "var2"}
    assert np.allclose(made.predict(X[:1]), made.predict(X)[:1], rtol=1e-12)
    again = sn.fit(net, X, Y, loss=sn.MSELoss(), epochs=5, batch_size=7, seed=2)
    assert np.array_equal(made.predict(X), again.predict(X))


@pytest.mark.parametrize("layer", [lambda: sn.LayerNorm(4), lambda: sn.RMSNorm(4)])
def test_what_keeps_nothing_is_left_alone(layer: Callable[[], Any]) -> None:
    made = sn.fit(sn.Sequential(sn.Linear(3, 4), layer(), sn.Linear(4, 2)), X, Y, loss=sn.MSELoss(), epochs=2)
    assert not made.statistics and np.allclose(made.predict(X[:1]), made.predict(X)[:1])


def test_a_batch_of_one_row_is_refused_as_in_pytorch() -> None:
    with pytest.raises(SymnetError, match="one row"):
        sn.fit(nets()[0], X, Y, loss=sn.MSELoss(), epochs=1, batch_size=5)
    with pytest.raises(SymnetError, match="one row"):
        sn.fit(nets()[0], X[:1], Y[:1], loss=sn.MSELoss(), epochs=1)


def test_before_a_step_the_statistics_are_0_and_1() -> None:
    made = sn.fit(nets()[0], X, Y, loss=sn.MSELoss(), epochs=0)
    assert not made.statistics["mu1"].any() and np.all(made.statistics["var1"] == 1)


@pytest.mark.parametrize("momentum", [-0.1, 1.5, "big"])
def test_a_momentum_is_a_share(momentum: Any) -> None:
    with pytest.raises(SymnetError, match="momentum|big"):
        sn.BatchNorm1d(3, momentum=momentum)
