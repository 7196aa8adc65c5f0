"""Arrays of one type behind one another in one piece of memory: what is done to all entries alike is one operation on the piece."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, final

import numpy as np

Array = np.ndarray[Any, Any]
ALIGNED = 64  # bytes; sums run over memory in the same way in every process, and so have the same bits


def aligned(count: int, dtype: str) -> Array:
    """``count`` zeros that begin at a multiple of 64 bytes."""
    size = count * np.dtype(dtype).itemsize
    memory = np.zeros(size + ALIGNED, np.uint8)
    first = -memory.ctypes.data % ALIGNED
    return memory[first:first + size].view(dtype)


@final
class Flat:
    """``whole`` is the piece, ``parts[name]`` the view of it that has the array's own shape.

    >>> flat = Flat({"w": (2, 2), "b": (2,)}, "float64")
    >>> flat.parts["b"][:] = 1
    >>> flat.whole
    array([0., 0., 0., 0., 1., 1.])
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], dtype: str) -> None:
        ends = [0]
        for shape in shapes.values():
            ends.append(ends[-1] + math.prod(shape))
        self.whole = aligned(ends[-1], dtype)
        self.parts: dict[str, Array] = {n: self.whole[a:b].reshape(s)
                                        for (n, s), a, b in zip(shapes.items(), ends[:-1], ends[1:], strict=True)}

    def take(self, arrays: Mapping[str, Any]) -> None:
        """The values of arrays of these names."""
        np.concatenate([np.ravel(arrays[name]) for name in self.parts], out=self.whole, casting="same_kind")

    def copies(self) -> dict[str, Array]:
        """Arrays of their own."""
        return {name: part.copy() for name, part in self.parts.items()}


def finite(whole: Array) -> bool:
    """Is every entry a number? The sum of the squares says so at once, unless it is itself too large."""
    return math.isfinite(np.dot(whole, whole)) or bool(np.isfinite(whole).all())
