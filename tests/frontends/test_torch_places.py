"""PyTorch's layers and losses with whole numbers, windows, masks and time: values and gradients are those of autograd."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.frontends.torch_modules import from_torch

torch = importlib.import_module("torch")
nn, F = torch.nn, torch.nn.functional
TOLERANCE = 1e-10
Case = tuple[Callable[[], Any], Callable[..., Any], Callable[[], tuple[Any, ...]]]


class Model(nn.Module):  # type: ignore[misc]
    """A network and a function of it that gives a number."""

    def __init__(self, net: Any, function: Callable[..., Any]) -> None:
        super().__init__()
        self.net, self.function = net, function

    def forward(self, *inputs: Any) -> Any:
        return self.function(self.net, *inputs)


def summed(net: Any, *inputs: Any) -> Any:
    made = net(*inputs)
    return torch.sin(made[0] if isinstance(made, tuple) else made).sum()


def normal(*shape: int) -> Any:
    return torch.randn(*shape, dtype=torch.float64)


def on(make: Callable[[], Any], *shape: int) -> Case:
    return make, summed, lambda: (normal(*shape),)


def loss(function: Callable[..., Any], *targets: Callable[[], Any]) -> Case:
    return lambda: nn.Linear(3, 4), lambda net, x, *y: function(net(x), *y), lambda: (normal(5, 3), *[t() for t in targets])


def classes() -> Any:
    return torch.tensor([1, 0, 3, 3, 2])


def shares() -> Any:
    return torch.softmax(normal(5, 4), 1)


def signs() -> Any:
    return torch.sign(normal(5, 4))


def words() -> Any:
    return (torch.tensor([[1, 2], [0, 5], [1, 3]]),)


def attention(**options: Any) -> Callable[..., Any]:
    def run(net: Any, x: Any, *mask: Any) -> Any:
        masks = {"key_padding_mask": mask[0]} if mask else {}
        return torch.sin(net(x, x, x, **masks, **options)[0]).sum()
    return run


WINDOWS = {
    **{f"Conv1d, {k}": on(lambda k=k: nn.Conv1d(2, 4, 3, **k), 2, 2, 7) for k in (
        {"padding": "same"}, {"padding": "same", "dilation": 2}, {"padding": "valid"}, {"groups": 2}, {"padding": 1, "padding_mode": "circular"},
        {"padding": 1, "padding_mode": "reflect"}, {"padding": 2, "padding_mode": "replicate"})},
    "Conv2d, same, groups": on(lambda: nn.Conv2d(2, 4, (3, 2), padding="same", groups=2), 2, 2, 5, 4),
    **{f"MaxPool1d, {k}": on(lambda k=k: nn.Sequential(nn.Conv1d(2, 3, 2), nn.MaxPool1d(3, **k)), 2, 2, 9) for k in (
        {"padding": 1}, {"ceil_mode": True}, {"ceil_mode": True, "padding": 1, "stride": 2})},
    **{f"AvgPool2d, {k}": on(lambda k=k: nn.Sequential(nn.Conv2d(2, 3, 2), nn.AvgPool2d(3, **k)), 2, 2, 6, 9) for k in (
        {"padding": 1, "count_include_pad": False}, {"ceil_mode": True, "padding": 1, "stride": 2},
        {"ceil_mode": True, "padding": 1, "stride": 2, "count_include_pad": False}, {"divisor_override": 2})},
}
TIME = {
    **{f"{c.__name__}, {k}": on(lambda c=c, k=k: c(3, 2, batch_first=True, **k), 2, 3, 3) for c in (nn.RNN, nn.GRU, nn.LSTM) for k in (
        {}, {"num_layers": 2, "bidirectional": True})},
    "GRUCell": on(lambda: nn.GRUCell(3, 2), 4, 3), "LSTMCell": on(lambda: nn.LSTMCell(3, 2), 4, 3),
}
LAYERS = {
    "Embedding": (lambda: nn.Sequential(nn.Embedding(6, 3), nn.Linear(3, 2)), summed, words),
    "Embedding, padding_idx": (lambda: nn.Embedding(6, 3, padding_idx=0), summed, words),
    "BatchNorm1d": on(lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), 5, 3),
    "GroupNorm": on(lambda: nn.Sequential(nn.Conv1d(2, 4, 2), nn.GroupNorm(2, 4)), 5, 2, 4),
    "InstanceNorm1d": on(lambda: nn.Sequential(nn.Conv1d(2, 4, 2), nn.InstanceNorm1d(4, affine=True)), 5, 2, 4),
    "PReLU": on(lambda: nn.Sequential(nn.Linear(3, 4), nn.PReLU()), 5, 3), "GLU": on(lambda: nn.Sequential(nn.Linear(3, 4), nn.GLU()), 5, 3),
    "attention": (lambda: nn.MultiheadAttention(4, 2, batch_first=True), attention(), lambda: (normal(2, 3, 4),)),
    "attention, causal": (lambda: nn.MultiheadAttention(4, 2, batch_first=True), attention(
        attn_mask=torch.triu(torch.ones(3, 3, dtype=torch.bool), 1)), lambda: (normal(2, 3, 4),)),
    "attention, padding of keys": (lambda: nn.MultiheadAttention(4, 2, batch_first=True), attention(),
                                   lambda: (normal(2, 3, 4), torch.tensor([[False, False, True], [False, True, False]]))),
    "scaled dot product, is_causal": (lambda: nn.Linear(3, 3), lambda n, q: torch.sin(F.scaled_dot_product_attention(
        n(q), n(q), q, is_causal=True)).sum(), lambda: (normal(2, 4, 3),)),
    "cat, stack, pad, cumsum": (lambda: nn.Linear(3, 4), lambda n, x: torch.sin(torch.cumsum(F.pad(torch.cat(
        [n(x), torch.stack([n(x)[:, 0], n(x)[:, 1]], 1)], 1), (1, 2)), 1)).sum(), lambda: (normal(5, 3),)),
    "index, gather": (lambda: nn.Linear(3, 5), lambda n, x, y: torch.sin(n(x)[torch.arange(5), y]).sum() + n(x)[:, y].sum()
                      + n(x).gather(1, y[:, None]).sum(), lambda: (normal(5, 3), classes())),
    "masked_fill": (lambda: nn.Linear(3, 5), lambda n, x, m: torch.softmax(n(x).masked_fill(m, float("-inf")), 1)[:, 0].sum(),
                    lambda: (normal(2, 3), torch.tensor([[0, 1, 0, 0, 1], [0, 0, 1, 0, 0]]).bool())),
}
LOSSES = {
    f"{name}, {r}": loss(make(r), *targets) for r in ("mean", "sum") for name, (make, targets) in {
        "classes": (lambda r: nn.CrossEntropyLoss(reduction=r), (classes,)),
        "classes, all options": (lambda r: nn.CrossEntropyLoss(reduction=r, label_smoothing=0.1, weight=torch.tensor(
            [0.5, 1, 2, 0.25], dtype=torch.float64), ignore_index=3), (classes,)),
        "shares, weighted": (lambda r: nn.CrossEntropyLoss(reduction=r, weight=torch.tensor([0.5, 1, 2, 0.25], dtype=torch.float64)), (shares,)),
        "NLL": (lambda r: lambda z, y: F.nll_loss(torch.log_softmax(z, 1), y, ignore_index=2, reduction=r), (classes,)),
        "Huber": (lambda r: nn.HuberLoss(reduction=r, delta=0.7), (lambda: normal(5, 4),)),
        "smooth L1": (lambda r: nn.SmoothL1Loss(reduction=r, beta=0.7), (lambda: normal(5, 4),)),
        "KL": (lambda r: lambda z, y: F.kl_div(torch.log_softmax(z, 1), y, reduction=r), (shares,)),
        "BCE, weighted": (lambda r: lambda z, y: F.binary_cross_entropy(torch.sigmoid(z), y, torch.tensor(
            [0.5, 1, 2, 0.25], dtype=torch.float64), reduction=r), (shares,)),
        "BCE with logits, pos_weight": (lambda r: nn.BCEWithLogitsLoss(reduction=r, pos_weight=torch.tensor(
            [0.5, 1, 2, 0.25], dtype=torch.float64)), (shares,)),
        "hinge embedding": (lambda r: nn.HingeEmbeddingLoss(reduction=r), (signs,)),
        "cosine embedding": (lambda r: nn.CosineEmbeddingLoss(margin=0.2, reduction=r), (lambda: normal(5, 4), lambda: torch.tensor(
            [1.0, -1, 1, -1, 1], dtype=torch.float64))),
        "triplet": (lambda r: nn.TripletMarginLoss(reduction=r), (lambda: normal(5, 4), lambda: normal(5, 4))),
    }.items()
}
CASES: dict[str, Case] = {**WINDOWS, **TIME, **LAYERS, **LOSSES}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in TIME else n for n in CASES])
def test_gradients_are_those_of_autograd(name: str) -> None:
    torch.manual_seed(0)
    make, function, inputs = CASES[name]
    module, given = Model(make().double(), function), inputs()
    read = from_torch(module, given)
    value = module(*given)
    value.backward()
    paths = {p: t.grad for p, t in module.named_parameters() if t.grad is not None}
    d = sn.derive(read.program, wrt=[n for n in read.values if read.sources[n] in paths])
    data = [t.name for t in read.program.inputs if t.name not in read.values]
    ours, found = d.compile(check=False)({}, **read.values, **dict(zip(data, [a.numpy() for a in given], strict=True)))
    assert ours == pytest.approx(value.item(), rel=TOLERANCE)
    assert {read.sources[n] for n in found} == set(paths)
    for n, g in found.items():
        assert np.max(np.abs(g - paths[read.sources[n]].numpy())) < TOLERANCE


@pytest.mark.parametrize("name", ["classes, all options, mean", "Embedding", "Conv1d, {'groups': 2}", "masked_fill"])
def test_every_step_checks(name: str) -> None:
    make, function, inputs = CASES[name]
    assert all(s.check() for s in sn.derive(from_torch(Model(make().double(), function), inputs()).program).steps)


def test_classes_are_printed_as_a_bracket() -> None:
    make, function, inputs = CASES["classes, mean"]
    program = from_torch(Model(make().double(), function), inputs()).program
    assert program.inputs[-1].domain == "index" and program.inputs[-1].classes == 4
    assert "Eq(" in str(program.definitions[-1])
