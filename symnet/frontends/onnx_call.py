"""One node of an ONNX graph, as the rules of ``onnx_ops.py`` and ``onnx_places.py`` see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from symnet.core.numbers import rational
from symnet.indexing.graph import unsupported
from symnet.indexing.operations import Array, Maker

MOST_CONSTANTS = 64  # numbers of an array of whole numbers that stands in the model


@dataclass(frozen=True, slots=True)
class Call:
    """One node: its inputs (an Array, a NumPy array of whole numbers or of one number, or None) and its attributes."""

    maker: Maker
    inputs: Sequence[Any]
    attributes: Mapping[str, Any]

    def array(self, k: int) -> Array | None:
        """Input k as an array of the program."""
        value = self.inputs[k] if k < len(self.inputs) else None
        if value is None or isinstance(value, Array):
            return value
        if value.dtype == object:  # sizes
            if value.size != 1:
                raise unsupported("sizes as the numbers of an array", self.maker.where, "a shape")
            made = self.maker.number(value.reshape(())[()])
            return self.maker.expand(made, [1] * value.ndim) if value.ndim else made
        if value.size > 1 and value.dtype.kind == "f" and np.all(value == value.flat[0]):  # zeros, most often
            return self.maker.expand(self.maker.number(float(str(value.flat[0]))), value.shape)
        if value.size != 1:
            if value.dtype.kind == "b" and (side := one_sided(value)) is not None:
                rows, columns = value.shape[-2:]
                return self.maker.reshape(self.maker.side(rows, columns, *side), value.shape)
            if value.dtype.kind not in "iubf" or value.size > MOST_CONSTANTS:
                raise unsupported(f"a constant array of shape {value.shape} as input {k + 1}", self.maker.where,
                                  f"at most {MOST_CONSTANTS} numbers, or an initializer")
            return self.maker.table(value.shape, [_exact(v, value.dtype.kind) for v in value.reshape(-1)])
        number = self.maker.number(float(str(value.reshape(())[()])) if value.dtype.kind == "f" else value.item())
        return self.maker.expand(number, [1] * value.ndim) if value.ndim else number

    def first(self) -> Array:
        """The first input."""
        return self.needed(0)

    def needed(self, k: int) -> Array:
        """Input k, which must be there."""
        value = self.array(k)
        if value is None:
            raise unsupported("a node without inputs" if k == 0 else f"a node without input {k + 1}", self.maker.where, "all inputs")
        return value

    def arrays(self) -> list[Array]:
        """Every input."""
        return [a for k in range(len(self.inputs)) if (a := self.array(k)) is not None]

    def integers(self, k: int, attribute: str) -> list[Any] | None:
        """Whole numbers, or sizes, given as input k or, in older models, as an attribute."""
        if k < len(self.inputs) and self.inputs[k] is not None:
            value = self.inputs[k]
            if isinstance(value, Array):
                raise unsupported(f"{attribute} that are computed", self.maker.where, "constants")
            return [n if isinstance(n, sp.Expr) else int(n) for n in np.asarray(value).reshape(-1)]
        found = self.attributes.get(attribute)
        return None if found is None else [int(n) for n in (found if isinstance(found, (list, tuple)) else [found])]

    def get(self, name: str, default: Any) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)


def _exact(value: Any, kind: str) -> sp.Basic:
    """A number of an array as an exact one: a real number as it is printed."""
    if kind == "b":
        return sp.true if value else sp.false
    return rational(float(str(value))) if kind == "f" else sp.Integer(int(value))


def one_sided(a: Any) -> tuple[bool, int] | None:
    """(on the lower side, the last or first diagonal) for ones on one side of a diagonal and zeros on the other; None for others."""
    if a.ndim < 2 or a.size != a.shape[-1] * a.shape[-2] or min(a.shape[-2:]) < 2:
        return None
    for lower, side in ((True, np.tril), (False, np.triu)):
        for k in (0, -1, 1):
            if np.array_equal(a, side(np.ones(a.shape), k)):
                return lower, k
    return None


Rule = Callable[[Call], Any]
