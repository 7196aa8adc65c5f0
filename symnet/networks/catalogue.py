"""The layers and losses by name, and one of them from a name, its class or itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from symnet.errors import OptionError, did_you_mean, shown
from symnet.networks import (
    activations,
    adaptive_pooling,
    attention,
    convolution,
    dropping,
    layers,
    lazy,
    losses,
    losses_classes,
    losses_margin,
    losses_pairs,
    losses_penalty,
    normalization,
    padding,
    pairwise,
    parametric_activations,
    pooling,
    rearranging,
    recurrent,
    recurrent_cells,
    structure,
    transformer,
    transposed_convolution,
)
from symnet.networks.arguments import bare_name
from symnet.networks.layers import Layer
from symnet.networks.losses import Loss
from symnet.networks.unavailable import UNAVAILABLE

AnyLoss: TypeAlias = Loss | type[Loss] | str

_LAYERS: tuple[type[Layer], ...] = (
    layers.Linear, layers.Sigmoid, layers.Tanh, layers.ReLU, layers.LeakyReLU, layers.Softplus, layers.Softmax, layers.LogSoftmax,
    layers.Softmin, layers.Softmax2d, *activations.ACTIVATIONS, *parametric_activations.PARAMETRIC, recurrent.RNN, recurrent.GRU,
    recurrent.LSTM, *recurrent_cells.CELLS, attention.MultiheadAttention, attention.TransformerEncoderLayer, *transformer.STACKS,
    convolution.Convolution, convolution.Conv1d, convolution.Conv2d, convolution.Conv3d, *transposed_convolution.TRANSPOSED,
    *pooling.POOLINGS, *adaptive_pooling.ADAPTIVE, *padding.PADDINGS, *normalization.NORMALIZATIONS, *rearranging.REARRANGING,
    *dropping.DROPPING, *pairwise.PAIRWISE, *lazy.LAZY, structure.Input, structure.Flatten, structure.Identity,
    structure.Residual, structure.Embedding, structure.EmbeddingBag, structure.PositionalBias)
_LOSSES: tuple[type[Loss], ...] = (
    losses.MSELoss, losses.SquaredError, losses.HalfSquaredError, losses.BCELoss, losses.CrossEntropyLoss, losses.L1Loss,
    losses.HuberLoss, losses.SmoothL1Loss, *losses_classes.CLASSES, *losses_pairs.PAIRS, *losses_margin.MARGINS, losses_penalty.L2Penalty,
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
    if name in UNAVAILABLE:
        why, instead = UNAVAILABLE[name]
        raise OptionError(kind, f"PyTorch's {name}, which is not here: {why}", instead)
    if name not in table:
        raise OptionError(kind, f"{name!r}", "one of " + ", ".join(table), did_you_mean(name, table))
    try:
        return table[name](*args, **(keywords or {}))
    except TypeError as error:
        raise OptionError(f"{kind} {name}", str(error).split(") ")[-1], "the arguments of its docstring") from None
