"""Sums that are declared to be numbers, and data that meet them: of random numbers none would."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp

from symnet.calculus.declared_values import check_given
from symnet.core.program import Program
from symnet.core.tensors import tensor_name
from symnet.errors import DomainError

Totals = dict[str, tuple[int, float]]  # by the name of an input: the axis, and what every sum along it is
ROUNDING = 1e-9


def declared_totals(program: Program) -> Totals:
    """The inputs of real numbers of which a sum along one whole axis is declared to be a number."""
    found: Totals = {}
    inputs = {t.name: t for t in program.inputs if t.domain == "real" and not t.structure}
    for a in program.assumptions:
        entry = a.left.function if isinstance(a.left, sp.Sum) and len(a.left.limits) == 1 else None
        if isinstance(entry, sp.Indexed) and a.right.is_Rational and len(set(entry.indices)) == len(entry.indices):
            (i, low, high), t = a.left.limits[0], inputs.get(tensor_name(entry))
            axis = entry.indices.index(i) if i in entry.indices else -1
            if t is not None and axis >= 0 and t.axes[axis].range == (low, high):
                found[t.name] = axis, float(a.right)
    return found


def meet(array: Any, axis: int, total: float) -> None:
    """Change the last entries along an axis so that every sum along it is the total."""
    along = np.moveaxis(array, axis, -1)  # a view
    along[..., -1] = total - along[..., :-1].sum(axis=-1)


def as_declared(program: Program, arrays: dict[str, Any], sizes: dict[str, int]) -> bool:
    """Are these values what the program declares of them?"""
    totals = declared_totals(program)
    if any(np.abs(arrays[name].sum(axis=axis) - total).max() > ROUNDING for name, (axis, total) in totals.items()):
        return False  # seen at once
    try:
        check_given(program, {name: nested(exactly(a), np.shape(a)) for name, a in arrays.items()}, sizes)
    except DomainError:
        return False
    return True


def exactly(a: Any) -> list[sp.Rational]:
    """The entries as the numbers that they are, row by row."""
    return [sp.Rational(*v.as_integer_ratio()) for v in np.reshape(a, -1).tolist()]


def nested(flat: list[Any], shape: tuple[int, ...]) -> Any:
    """A list of numbers as nested lists of a shape."""
    if not shape:
        return flat[0]
    step = len(flat) // shape[0]
    return [nested(flat[k * step:(k + 1) * step], shape[1:]) for k in range(shape[0])]
