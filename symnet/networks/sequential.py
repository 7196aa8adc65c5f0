"""Sequential: layers one after another, a layer itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import overload

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.expressions import as_written
from symnet.core.index_letters import unlike_names
from symnet.core.program import Program
from symnet.core.short_forms import short, short_lines
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, PlaceError, needs, shown
from symnet.networks import structure
from symnet.networks.builder import Builder
from symnet.networks.catalogue import AnyLoss
from symnet.networks.catalogue import loss as loss_of
from symnet.networks.layers import Layer, Linear, Size, as_layer, batch_axis

MOST_LAYERS = 12  # that a repr lists


class Sequential(Layer):
    """Layers one after another. A layer without arguments may be given as its class; a Sequential may stand in another.

    ``len(net)``, ``net[0]``, ``net[-1]``, ``net[1:]`` and ``for layer in net`` are PyTorch's.

    ``program(loss, batch)`` gives the Program: ``batch`` is the name or number of samples (rows), False for one sample
    without a sample axis, and by default "N", or False when every width is 1 (then all values are plain numbers).

    >>> from symnet.networks.layers import Sigmoid
    >>> print(Sequential(Linear(1, 1), Sigmoid).program("mse"))
    z1 := b1 + w1*x
    a1 := sigmoid(z1)
    L := (a1 - y)**2
    """

    def __init__(self, *parts: Layer | type[Layer]) -> None:
        if not parts:
            raise OptionError("Sequential", "no layers", "layers such as Linear(2, 3)")
        self.layers = tuple(as_layer(p, "Sequential") for p in parts)

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @overload
    def __getitem__(self, place: int) -> Layer: ...

    @overload
    def __getitem__(self, place: slice) -> Sequential: ...

    def __getitem__(self, place: int | slice) -> Layer | Sequential:
        needs(place, (int, slice), "Sequential", "the place of a layer, a whole number, or a slice", "net[0] is the first layer")
        try:
            found = self.layers[place]
        except (TypeError, IndexError, ValueError):  # of the ends of a slice too
            raise PlaceError("Sequential", f"no place {shown(place)}", f"0 to {len(self) - 1}, or from -1 backwards") from None
        return Sequential(*found) if isinstance(found, tuple) else found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequential) and self.layers == other.layers

    def __hash__(self) -> int:
        return hash(self.layers)

    def __repr__(self) -> str:
        return "\n".join(["Sequential(", *short_lines(self._rows(), MOST_LAYERS), ")"])

    def _rows(self) -> list[str]:
        """A line for each layer, as PyTorch shows it, those of an inner network further in."""
        rows = []
        for k, part in enumerate(self.layers):
            if isinstance(part, Sequential):
                rows += [f"  ({k}): Sequential(", *[f"  {row}" for row in part._rows()], "  )"]
            else:
                rows.append(f"  ({k}): {short(part)}")
        return rows

    def build(self, to: Builder) -> None:
        for part in self.layers:
            part.build(to)

    def sample_axes(self) -> tuple[Axis, ...]:
        return next((axes for p in self.layers if (axes := p.sample_axes())), ())

    def classes(self) -> sp.Expr | None:
        return next((p for p in self._leaves() if not isinstance(p, structure.Input)), self._leaves()[0]).classes()

    def _leaves(self) -> tuple[Layer, ...]:
        """The layers, those of inner networks among them."""
        return tuple(leaf for p in self.layers for leaf in (p._leaves() if isinstance(p, Sequential) else (p,)))

    def program(self, loss: AnyLoss | None = None, batch: Size | bool | None = None, title: str = "") -> Program:
        """The forward program, with the loss as its last line when there is one."""
        needs(batch, (int, str, bool, sp.Expr, type(None)), "Sequential, batch", "a name or number of samples, or False")
        needs(title, str, "Sequential, title", "text")
        with as_written():
            to = Builder()
            self._start(to, batch)
            self.build(to)
            if loss is not None:
                loss_of(loss).build(to)
            return unlike_names(to.program(title))

    def _start(self, to: Builder, batch: Size | bool | None) -> None:
        known = [axes for p in self._leaves() if (axes := p.sample_axes())]
        classes = self.classes()
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
        if isinstance(self._leaves()[0], structure.Input):
            places = known[0]
        else:
            places = next((axes[:-1] for axes in known if axes[0].kind is Kind.TIME), ())
        axes = (*rows, *places)
        note = f"the input: words counted from 0, each one of 0, …, {classes - 1}"
        to.now = Tensor("X" if len(axes) > 1 else "x", axes, "index", Role.INPUT, note=note, classes=classes)
        to.inputs.append(to.now)

    def _all_one(self) -> bool:
        return all(p.in_features == 1 and p.out_features == 1 if isinstance(p, Linear) else not p.sample_axes() for p in self._leaves())
