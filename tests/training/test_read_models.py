"""Models of other libraries are trained from their own weights, as those libraries train them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import OptionError

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 3)), RNG.normal(size=(20, 2))


def module(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2)).double()


RULES: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "sgd": ({"optimizer": "sgd", "lr": "1/10", "momentum": "9/10", "weight_decay": "1/100"}, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01), None),
    "adam": ({"optimizer": "adam", "lr": "1/50", "schedule": sn.StepLR(10, "1/2")}, lambda p: torch.optim.Adam(p, 0.02), lambda o: torch.optim.lr_scheduler.StepLR(o, 10, 0.5)),
    "adamw": ({"optimizer": "adamw", "lr": "1/50", "weight_decay": "1/10", "schedule": sn.CosineAnnealingLR(30)}, lambda p: torch.optim.AdamW(p, 0.02, weight_decay=0.1), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 30)),
    "rmsprop": ({"optimizer": "rmsprop", "lr": "1/100", "clip_norm": "1/2"}, lambda p: torch.optim.RMSprop(p, 0.01), None),
}


@pytest.mark.parametrize("name", RULES)
def test_a_torch_module_follows_torchs_own_way(name: str) -> None:
    """Mini-batches, schedule, decay and clipping, step by step in float64."""
    options, make, schedule = RULES[name]
    net = module()
    made = sn.fit(sn.from_torch(net, torch.tensor(X[:4]), sn.MSELoss(), batch="N"), X, Y, epochs=20, batch_size=6, shuffle=False, **options)
    rule = make(net.parameters())
    rates = None if schedule is None else schedule(rule)
    for _ in range(20):
        for k in range(0, 20, 6):
            rule.zero_grad()
            torch.nn.functional.mse_loss(net(torch.tensor(X[k:k + 6])), torch.tensor(Y[k:k + 6])).backward()
            if "clip_norm" in options:
                torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            rule.step()
            if rates is not None:
                rates.step()
    np.testing.assert_allclose(made.predict(X), net(torch.tensor(X)).detach().numpy(), rtol=1e-9)
    np.testing.assert_allclose(made.params["W1"], net[0].weight.detach().numpy(), rtol=1e-9)


class Two(torch.nn.Module):  # type: ignore[misc, name-defined]
    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = torch.nn.Linear(3, 2).double(), torch.nn.Linear(2, 2).double()

    def forward(self, a: Any, b: Any) -> Any:
        return torch.tanh(self.left(a)) * self.right(b)


def test_a_module_of_two_inputs_takes_a_table() -> None:
    torch.manual_seed(1)
    net, B = Two(), RNG.normal(size=(20, 2))
    model = sn.from_torch(net, (torch.tensor(X[:4]), torch.tensor(B[:4])), "mse", batch="N")
    names = [t.name for t in model.program.inputs if t.role.value == "input"]
    made = sn.fit(model, {names[0]: X, names[1]: B, "Y": Y}, lr="1/10", epochs=5, batch_size=5)
    start = sn.fit(model, {names[0]: X, names[1]: B, "Y": Y}, epochs=0)
    assert made.losses[-1] < made.losses[0]
    np.testing.assert_allclose(start.predict({names[0]: X, names[1]: B}), net(torch.tensor(X), torch.tensor(B)).detach().numpy(), rtol=1e-12)
    with pytest.raises(OptionError, match="no input named 'Z'"):
        made.predict({"Z": X})


def test_no_epoch_leaves_the_weights_as_they_were_read() -> None:
    net = module()
    made = sn.fit(sn.from_torch(net, torch.tensor(X[:4]), "mse", batch="N"), X, Y, epochs=0)
    assert np.array_equal(made.params["W2"], net[2].weight.detach().numpy())
    assert made.losses[0] == pytest.approx(torch.nn.functional.mse_loss(net(torch.tensor(X)), torch.tensor(Y)).item(), rel=1e-12)


def test_a_model_of_scikit_learn_goes_on(recwarn: pytest.WarningsRecorder) -> None:
    from sklearn.neural_network import MLPRegressor

    fitted = MLPRegressor(hidden_layer_sizes=(4,), max_iter=20, random_state=0).fit(X, Y)
    made = sn.fit(sn.from_sklearn(fitted), X, Y, lr="1/10", epochs=30)
    assert made.losses[-1] < made.losses[0]
    assert np.allclose(sn.fit(sn.from_sklearn(fitted), X, Y, epochs=0).params["W1"], fitted.coefs_[0])


def test_an_onnx_model_is_trained(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    pytest.importorskip("onnx")
    net = module().float()
    torch.onnx.export(net, torch.tensor(X[:4]).float(), str(tmp_path / "m.onnx"), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "N"}})
    made = sn.fit(sn.from_onnx(str(tmp_path / "m.onnx"), sn.MSELoss()), X, Y, lr="1/10", epochs=20, batch_size=5)
    assert made.losses[0] == pytest.approx(torch.nn.functional.mse_loss(net(torch.tensor(X).float()), torch.tensor(Y).float()).item(), rel=1e-5)
    assert made.losses[-1] < made.losses[0]


def test_a_model_without_a_loss_says_where_to_give_one() -> None:
    with pytest.raises(OptionError, match='loss="mse" where the model is read'):
        sn.fit(sn.from_torch(module(), torch.tensor(X[:4]), batch="N"), X, Y)
    with pytest.raises(OptionError, match="a program and a loss"):
        sn.fit(sn.from_torch(module(), torch.tensor(X[:4]), "mse", batch="N"), X, Y, loss="mse")
