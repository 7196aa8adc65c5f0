"""The layers and losses by name, and one of them from a name, its class or itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from symnet.errors import OptionError, did_you_mean, shown
from symnet.networks import (
    activations,
    attention,
    convolution,
    layers,
    losses,
    losses_classes,
    losses_pairs,
    losses_penalty,
    normalization,
    pooling,
    recurrent,
    structure,
)
from symnet.networks.arguments import bare_name
from symnet.networks.layers import Layer
from symnet.networks.losses import Loss

AnyLoss: TypeAlias = Loss | type[Loss] | str

_LAYERS: tuple[type[Layer], ...] = (
    layers.Linear, layers.Sigmoid, layers.Tanh, layers.ReLU, layers.LeakyReLU, layers.Softplus, layers.Softmax,
    layers.LogSoftmax, *activations.ACTIVATIONS, recurrent.RNN, recurrent.GRU, recurrent.LSTM, attention.MultiheadAttention,
    attention.TransformerEncoderLayer,
    convolution.Convolution, convolution.Conv1d, convolution.Conv2d, pooling.MaxPool1d, pooling.MaxPool2d, pooling.AvgPool1d,
    pooling.AvgPool2d, normalization.BatchNorm1d, normalization.LayerNorm, normalization.RMSNorm, structure.Input, structure.Flatten,
    structure.Dropout, structure.Residual, structure.Embedding, structure.PositionalBias)
_LOSSES: tuple[type[Loss], ...] = (
    losses.MSELoss, losses.SquaredError, losses.HalfSquaredError, losses.BCELoss, losses.CrossEntropyLoss, losses.L1Loss,
    losses.HuberLoss, losses.SmoothL1Loss, *losses_classes.CLASSES, *losses_pairs.PAIRS, losses_penalty.L2Penalty,
    losses_penalty.L1Penalty)
LAYERS = {c.__name__: c for c in _LAYERS}
LOSSES = {c.__name__: c for c in _LOSSES}
# PyTorch's functions, whose names are longer than those of the classes.
FUNCTIONS = {"binary_cross_entropy": "BCELoss", "binary_cross_entropy_with_logits": "BCEWithLogitsLoss", "mean_squared_error": "MSELoss"}


_BY_PLAIN_NAME = {bare_name(n, "loss"): LOSSES[FUNCTIONS.get(n, n)] for n in (*LOSSES, *FUNCTIONS)}


def loss(what: AnyLoss) -> Loss:
    """The loss that is meant: itself, its class, or its name as PyTorch spells it, case and the word loss aside.

    >>> loss("mse") == loss("mse_loss") == loss(losses.MSELoss) == losses.MSELoss()
    True
    """
    if not isinstance(what, str):
        return losses.as_loss(what)
    kind = _BY_PLAIN_NAME.get(bare_name(what, "loss"))
    if kind is None:
        raise OptionError("loss", shown(what), "a loss such as MSELoss(), or its name", did_you_mean(what, LOSSES))
    return losses.as_loss(kind)


def build(kind: str, name: str, args: Iterable[Any], keywords: dict[str, Any] | None = None) -> Any:
    """The layer or loss called ``name`` with arguments as data; ``kind`` is "layer" or "loss"."""
    table: dict[str, Any] = dict(LAYERS if kind == "layer" else LOSSES)
    if name not in table:
        raise OptionError(kind, f"{name!r}", "one of " + ", ".join(table), did_you_mean(name, table))
    try:
        return table[name](*args, **(keywords or {}))
    except TypeError as error:
        raise OptionError(f"{kind} {name}", str(error).split(") ")[-1], "the arguments of its docstring") from None
