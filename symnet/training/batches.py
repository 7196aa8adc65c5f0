"""The data of a run, whole or in batches of rows that are gathered into memory that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np

from symnet.core.axes import Kind
from symnet.core.program import Program
from symnet.core.tensors import Role
from symnet.errors import ShapeError
from symnet.training.masks import Masks
from symnet.training.models import Model

Array = np.ndarray[Any, Any]


def rows_of(program: Program, data: Mapping[str, Array]) -> tuple[tuple[str, ...], int]:
    """The arrays that have one row a sample, and how many rows they have; 1 without such an array."""
    names = tuple(t.name for t in program.inputs if t.name in data and t.axes and t.axes[0].kind is Kind.BATCH)
    lengths = {n: len(data[n]) for n in names if np.ndim(data[n])}
    return names, next(iter(lengths.values()), 1)


def check_rows(names: tuple[str, ...], data: Mapping[str, Array], count: int) -> None:
    """Raise ShapeError where an array that has one row a sample has another number of rows, or none."""
    for name in names:
        shape = np.shape(data[name])
        if not shape or shape[0] != count:
            raise ShapeError("fit", f"{name}: shape {shape}", f"{count} rows, one a sample")
    if names and not count:
        raise ShapeError("fit", f"{names[0]}: no samples", "at least one row")


@final
class Batches:
    """``arguments(rows)`` are what the compiled step takes for these rows; None stands for all of them.

    Everything is checked when a batch of a new length is first asked for; after that, rows are copied into place and nothing else is done.
    """

    def __init__(self, model: Model, data: Mapping[str, Array], params: Mapping[str, Array], masks: Masks) -> None:
        self.model, self.params, self.masks = model, params, masks
        self.program = model.derivation.program
        self.names, self.count = rows_of(self.program, data)
        self._whole = self._prepared(data)
        self.data: dict[str, Array] = {n: a for n, a in zip(model.names, self._whole, strict=False) if n in data}
        self._held: dict[int, tuple[Any, ...]] = {}
        self._gathered: dict[int, list[tuple[Array, Array]]] = {}
        self._masks: dict[int, dict[str, Array]] = {}

    def arguments(self, rows: Array | None, rng: np.random.Generator) -> tuple[Any, ...]:
        """The arrays and sizes of one step; the masks of dropout are drawn."""
        length = self.count if rows is None else len(rows)
        if length not in self._held:
            self._begin(length, rows is None)
        if rows is not None:
            for source, place in self._gathered[length]:
                np.take(source, rows, axis=0, out=place, mode="clip")
        if self.masks.kept:
            drawn = self.masks.drawn(self.arrays(length), self.program.inputs, rng)
            for name, place in self._masks[length].items():
                place[...] = drawn[name]
        return self._held[length]

    def arrays(self, length: int) -> dict[str, Array]:
        """The arrays of the batch of this length that was made last, by name."""
        return {n: a for n, a in zip(self.model.names, self._held[length], strict=False) if n not in self.masks.kept}

    def all(self, length: int) -> dict[str, Array]:
        """The same with the masks."""
        return dict(zip(self.model.names, self._held[length], strict=False))

    def _begin(self, length: int, whole: bool) -> None:
        given = self.data if whole else {n: a[:length].copy() if n in self.names else a for n, a in self.data.items()}
        held = self._prepared(given)
        by_name = dict(zip(self.model.names, held, strict=False))
        self._held[length] = held
        self._gathered[length] = [(self.data[n], by_name[n]) for n in self.names]
        self._masks[length] = {n: by_name[n] for n in self.masks.kept}

    def _prepared(self, data: Mapping[str, Array]) -> tuple[Any, ...]:
        known = {**data, **self.params}
        return prepared(self.model, {**known, **self.masks.still(known, self.program.inputs)})


def prepared(model: Model, arrays: Mapping[str, Any]) -> tuple[Any, ...]:
    """What the compiled step makes of arrays by name. Raises ShapeError for those that do not fit."""
    step = model.step
    try:
        return step[0](**arrays)
    except ValueError as error:
        raise ShapeError("fit", str(error), "arrays that fit the network", _hint(model.derivation.program, arrays)) from None


def _hint(program: Program, arrays: Mapping[str, Any]) -> str:
    """What to do with a row of numbers where a table is expected: a column, or class labels as one-hot rows."""
    for t in program.inputs:
        if np.ndim(arrays.get(t.name, 0)) == 1 and len(t.axes) in (0, 2):
            if len(t.axes) == 2 and t.role is Role.TARGET and t.shape[1] != 1:
                return f"np.eye(k)[{t.name}] for class labels, or a loss with indices=True"
            return f"{t.name}.reshape(-1, 1): one sample a row"
    return ""
