"""Sequential: layers one after another, and the same from text ("Linear(d, h)")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.expressions import as_written
from symnet.core.labels import unlike_names
from symnet.core.program import Program
from symnet.core.tensors import Role, Tensor
from symnet.core.wellformed import did_you_mean
from symnet.errors import OptionError
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
from symnet.networks.builder import Builder
from symnet.networks.layers import Layer, Linear, Size, batch_axis
from symnet.networks.losses import Loss

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


class Sequential:
    """Layers one after another.

    ``program(loss, batch)`` gives the Program: ``batch`` is the name or number of samples (rows), False for one sample
    without a sample axis, and by default "N", or False when every width is 1 (then all values are plain numbers).

    >>> print(Sequential(Linear(1, 1), layers.Sigmoid()).program(losses.MSELoss()))
    z1 := b1 + w1*x
    a1 := sigmoid(z1)
    L := (a1 - y)**2
    """

    def __init__(self, *parts: Layer) -> None:
        if not parts or not all(isinstance(p, Layer) for p in parts):
            found = "something that is no layer" if parts else "no layers"
            raise OptionError("Sequential", found, "layers such as Linear(2, 3)")
        self.layers = parts

    def program(self, loss: Loss | None = None, batch: Size | bool | None = None, title: str = "") -> Program:
        """The forward program, with the loss as its last line when there is one."""
        with as_written():
            to = Builder()
            self._start(to, batch)
            for layer in self.layers:
                layer.build(to)
            if loss is not None:
                losses.as_loss(loss).build(to)
            return unlike_names(to.program(title))

    def _start(self, to: Builder, batch: Size | bool | None) -> None:
        known = [axes for p in self.layers if (axes := p.sample_axes())]
        first = next((p for p in self.layers if not isinstance(p, structure.Input)), self.layers[0])
        classes = first.classes()
        if classes is not None:
            self._start_classes(to, classes, known, batch)
            return
        if not known:
            raise OptionError("Sequential", "no layer that tells the shape of the input", "Linear, Conv1d, … or Input(…) first")
        along = next((axes for axes in known if axes[0].kind is Kind.TIME), known[0])  # time before features, even of a Linear
        sample = (*along[:-1], known[0][-1]) if len(known[0]) == 1 else known[0]
        if batch is None:
            batch = False if self._all_one() else "N"
        rows = () if batch is False else (batch_axis(batch if batch is not True else "N"),)
        axes = () if batch is False and self._all_one() else (*rows, *sample)
        name = "X" if len(axes) > 1 else "x"
        to.now = to.add_input(name, axes, Role.INPUT, "the input" + (": one sample a row" if rows else ""))

    def _start_classes(self, to: Builder, classes: sp.Expr, known: list[tuple[Axis, ...]], batch: Size | bool | None) -> None:
        """The input of an Embedding: whole numbers, one for each place that an Input or a layer over time tells."""
        rows = () if batch is False else (batch_axis(batch if not isinstance(batch, bool) and batch is not None else "N"),)
        if isinstance(self.layers[0], structure.Input):
            places = known[0]
        else:
            places = next((axes[:-1] for axes in known if axes[0].kind is Kind.TIME), ())
        axes = (*rows, *places)
        note = f"the input: words counted from 0, each one of 0, …, {classes - 1}"
        to.now = Tensor("X" if len(axes) > 1 else "x", axes, "index", Role.INPUT, note=note, classes=classes)
        to.inputs.append(to.now)

    def _all_one(self) -> bool:
        return all(p.in_features == 1 and p.out_features == 1 if isinstance(p, Linear) else not p.sample_axes() for p in self.layers)


def build(kind: str, name: str, args: Iterable[Any], keywords: dict[str, Any] | None = None) -> Any:
    """The layer or loss called ``name`` with arguments as data; ``kind`` is "layer" or "loss"."""
    table: dict[str, Any] = dict(LAYERS if kind == "layer" else LOSSES)
    if name not in table:
        raise OptionError(kind, f"{name!r}", "one of " + ", ".join(table), did_you_mean(name, table))
    try:
        return table[name](*args, **(keywords or {}))
    except TypeError as error:
        raise OptionError(f"{kind} {name}", str(error).split(") ")[-1], "the arguments of its docstring") from None
