"""PyTorch modules read as programs: their gradients are those of autograd."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.tensors import Role
from symnet.errors import UnknownNodeError
from symnet.frontends.torch_modules import from_torch

torch = importlib.import_module("torch")
nn, F = torch.nn, torch.nn.functional
TOLERANCE = 1e-10


class Model(nn.Module):  # type: ignore[misc]
    """Layers and a function of them."""

    def __init__(self, forward: Callable[..., Any], **layers: Any) -> None:
        super().__init__()
        self.run = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, *inputs: Any) -> Any:
        return self.run(self, *inputs)


def hidden(activation: Any) -> Any:
    return nn.Sequential(nn.Linear(3, 4), activation, nn.Linear(4, 2))


def functional(f: Callable[[Any], Any]) -> Any:
    return Model(lambda s, x: f(s.first(x)), first=nn.Linear(3, 4))


ROWS, IMAGE, SIGNAL, SEQUENCE = (5, 3), (2, 2, 5, 4), (2, 3, 6), (2, 5, 4)
MODELS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    **{a.__class__.__name__: (lambda a=a: hidden(a), ROWS) for a in (
        nn.Tanh(), nn.Sigmoid(), nn.ReLU(), nn.LeakyReLU(0.2), nn.ELU(1.5), nn.SELU(), nn.GELU(), nn.SiLU(), nn.Mish(), nn.Softplus(),
        nn.Softsign(), nn.Hardtanh(-0.3, 0.4), nn.ReLU6(), nn.LogSigmoid(), nn.Softmax(1), nn.LogSoftmax(1), nn.LayerNorm(4), nn.RMSNorm(4),
        nn.BatchNorm1d(4), nn.Identity())},
    "GELU, tanh": (lambda: hidden(nn.GELU("tanh")), ROWS), "Softplus, beta": (lambda: hidden(nn.Softplus(beta=2)), ROWS),
    "BatchNorm1d, eval": (lambda: hidden(nn.BatchNorm1d(4)).eval(), ROWS), "Dropout, eval": (lambda: hidden(nn.Dropout(0.5)).eval(), ROWS),
    "Conv1d": (lambda: nn.Conv1d(3, 2, 2), SIGNAL), "Conv1d, all options": (lambda: nn.Conv1d(3, 2, 3, 2, 2, 2), SIGNAL),
    "Conv2d": (lambda: nn.Sequential(nn.Conv2d(2, 3, 2, padding=1), nn.ReLU(), nn.AvgPool2d(2)), IMAGE),
    "convolutional net": (lambda: nn.Sequential(nn.Conv2d(2, 2, 2), nn.Tanh(), nn.MaxPool2d((2, 1)), nn.Flatten(), nn.Linear(12, 2)), IMAGE),
    "pools": (lambda: nn.Sequential(nn.Conv1d(3, 2, 1), nn.AvgPool1d(2, 1, 1), nn.MaxPool1d(3, 2)), SIGNAL),
    "MultiheadAttention": (lambda: Model(lambda s, x: s.a(x, x, x, need_weights=False)[0], a=nn.MultiheadAttention(4, 2, batch_first=True)),
                           SEQUENCE),
    "TransformerEncoderLayer": (lambda: nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, batch_first=True, norm_first=True), SEQUENCE),
    "residual": (lambda: Model(lambda s, x: x + s.f(torch.tanh(s.f(x))), f=nn.Linear(3, 3)), ROWS),
    "statistics": (lambda: functional(lambda z: z.mean(1, keepdim=True) * z.std(1, unbiased=False, keepdim=True) + z.var(0)
                                      + torch.logsumexp(z, 1, keepdim=True)), ROWS),
    "pieces": (lambda: functional(lambda z: z.chunk(2, 1)[0] * z.split([1, 2, 1], 1)[1] + z.unbind(1)[3].unsqueeze(1)), ROWS),
    "moves": (lambda: functional(lambda z: z.t().unsqueeze(0).transpose(1, 2).squeeze(0)[1:4, ::2].flatten().reshape(3, 2) @ z[:2, :2].T), ROWS),
    "where, clamp": (lambda: functional(lambda z: torch.where(z > 0.1, z * 2, z.clamp(min=-0.2)) - 1), ROWS),
}


def by_torch(module: Any, inputs: Any, targets: Any) -> tuple[float, dict[str, Any]]:
    module.zero_grad()
    value = F.mse_loss(module(*inputs), targets)
    value.backward()
    return value.item(), {name: p.grad.numpy() for name, p in module.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_those_of_autograd(name: str) -> None:
    torch.manual_seed(0)
    make, shape = MODELS[name]
    module, x = make().double(), torch.randn(shape, dtype=torch.float64)
    read = from_torch(module, (x,), sn.MSELoss())
    y = torch.randn(module(x).shape, dtype=torch.float64)
    d = sn.derive(read)
    data, target = (next(t.name for t in d.program.inputs if t.role is role) for role in (Role.INPUT, Role.TARGET))
    value, found = d.compile(check=False)(read.values, **{data: x.numpy(), target: y.numpy()})
    wanted, gradients = by_torch(module, (x,), y)
    assert value == pytest.approx(wanted, rel=TOLERANCE)
    assert {read.sources[n] for n in found} == set(gradients)
    for n, g in found.items():
        assert g.shape == gradients[read.sources[n]].shape
        assert np.max(np.abs(g - gradients[read.sources[n]])) < TOLERANCE


@pytest.mark.parametrize("name", ["GELU", "LayerNorm", "Conv1d, all options", "MultiheadAttention"])
def test_every_step_checks(name: str) -> None:
    make, shape = MODELS[name]
    assert all(step.check() for step in sn.derive(from_torch(make(), (torch.zeros(shape),), sn.MSELoss())).steps)


def test_the_program_reads_like_the_textbook() -> None:
    model = from_torch(hidden(nn.Tanh()), (torch.zeros(5, 3),), sn.MSELoss(), batch="N")
    assert str(model.program) == """\
z1[n, i] := b1[i] + Sum(W1[i, j]*X[n, j], (j, 1, 3))
a1[n, i] := tanh(z1[n, i])
out[n, k] := b2[k] + Sum(W2[k, i]*a1[n, i], (i, 1, 4))
L := Sum((-Y[n, k] + out[n, k])**2, (k, 1, 2), (n, 1, N))/(2*N)"""
    assert model.sources == {"W1": "0.weight", "b1": "0.bias", "W2": "2.weight", "b2": "2.bias"}


@pytest.mark.parametrize("name", ["Tanh", "LayerNorm", "convolutional net", "TransformerEncoderLayer"])
def test_a_named_batch_holds_for_any_number_of_samples(name: str) -> None:
    torch.manual_seed(1)
    make, shape = MODELS[name]
    module = make().double()
    d = sn.derive(read := from_torch(module, (torch.zeros(shape, dtype=torch.float64),), sn.MSELoss(), batch="N"))
    x = torch.randn(7, *shape[1:], dtype=torch.float64)
    y = torch.randn(module(x).shape, dtype=torch.float64)
    value, found = d.compile(check=False)(read.values, x.numpy(), y.numpy())
    wanted, gradients = by_torch(module, (x,), y)
    assert value == pytest.approx(wanted, rel=TOLERANCE)
    assert all(np.max(np.abs(g - gradients[read.sources[n]])) < TOLERANCE for n, g in found.items())


LOSSES = {
    "mse_loss": (F.mse_loss, lambda: torch.rand(5, 4)), "l1_loss": (F.l1_loss, lambda: torch.rand(5, 4)),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, lambda: torch.rand(5, 4)),
    "binary_cross_entropy": (lambda z, y: F.binary_cross_entropy(torch.sigmoid(z), y), lambda: torch.rand(5, 4)),
    "cross_entropy": (F.cross_entropy, lambda: torch.softmax(torch.rand(5, 4), 1)),
    "cross_entropy, smooth": (lambda z, y: F.cross_entropy(z, y, label_smoothing=0.1), lambda: torch.softmax(torch.rand(5, 4), 1)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_inside_the_module_is_the_objective(name: str) -> None:
    torch.manual_seed(2)
    loss, targets = LOSSES[name]
    module = Model(lambda s, x, y: loss(s.f(x), y), f=nn.Linear(3, 4)).double()
    x, y = torch.randn(5, 3).double(), targets().double()
    read = from_torch(module, (x, y))
    module(x, y).backward()
    value, found = sn.derive(read).compile(check=False)(read.values, x.numpy(), y.numpy())
    assert value == pytest.approx(module(x, y).item(), rel=TOLERANCE)
    assert np.max(np.abs(found["W1"] - module.f.weight.grad.numpy())) < TOLERANCE


REFUSED = {
    "padding of an embedding": (lambda: nn.Embedding.from_pretrained(torch.ones(7, 3), False, padding_idx=1), torch.zeros(2, dtype=torch.int64),
                                r"operator aten.embedding.default.*padding_idx"),
    "sort, inside": (lambda: nn.Sequential(nn.Tanh(), Model(lambda s, x: torch.sort(x)[0])), torch.zeros(5, 3), r"module 1, operator aten.sort"),
    "dropout while training": (lambda: nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)), torch.zeros(5, 3), r"module 1.*dropout with p = 0.5"),
    "places of a maximum": (lambda: functional(lambda z: z.argmax(1) * z[:, 0]), torch.zeros(5, 3), "argmax"),
    "eigenvalues": (lambda: functional(lambda z: torch.linalg.eigvalsh(z[:3, :3])), torch.zeros(5, 3), "eigenvectors"),
    "gamma function": (lambda: functional(torch.lgamma), torch.zeros(5, 3), "lgamma"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_named_with_its_place(name: str) -> None:
    make, x, message = REFUSED[name]
    with pytest.raises(UnknownNodeError, match=message):
        from_torch(make(), (x,))
