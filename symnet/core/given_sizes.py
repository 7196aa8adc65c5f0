"""The sizes that given arrays have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.tensors import Tensor
from symnet.errors import ShapeError


def sizes_of_shapes(tensors: Iterable[Tensor], shapes: Mapping[str, tuple[int, ...]], whole: bool = True) -> dict[str, int]:
    """Sizes by name, read off the shapes of values of ``tensors``. Raises ShapeError where a value does not fit or two disagree.

    With ``whole`` every size must follow; without it an axis of two unknown sizes says nothing.

    >>> sizes_of_shapes([Tensor("x", (Axis.of("n"),))], {"x": (3,)})
    {'n': 3}
    """
    found: dict[str, int] = {}
    later: list[tuple[str, Axis, int]] = []
    for t in tensors:
        shape = shapes[t.name]
        if len(shape) != len(t.axes):
            raise ShapeError(f"value of {t.name}", f"an array with {len(shape)} axes", f"{len(t.axes)} axes, {t.shape}")
        for axis, n in zip(t.axes, shape, strict=True):
            if axis.size.is_Symbol:
                if found.setdefault(str(axis.size), n) != n:
                    raise ShapeError(f"value of {t.name}", f"size {axis.size} = {n}", f"{found[str(axis.size)]}, as above")
            else:
                later.append((t.name, axis, n))
    for name, axis, n in later:
        _fits(name, axis, n, found, whole)
    return found


def _fits(name: str, axis: Axis, n: int, found: dict[str, int], whole: bool) -> None:
    """An axis of size K + M - 1 or 3: solve for the one unknown size, or compare."""
    env = {s: sp.Integer(found[str(s)]) for s in axis.size.free_symbols if str(s) in found}
    left = sp.expand(axis.size.xreplace(env))
    unknown = sorted(left.free_symbols, key=str)
    if len(unknown) == 1 and left.coeff(unknown[0], 1).is_Integer:
        value = (n - left.xreplace({unknown[0]: sp.S.Zero})) / left.coeff(unknown[0], 1)
        if value.is_Integer and value >= 1:
            found[str(unknown[0])] = int(value)
            return
    if left != n and (whole or len(unknown) < 2):
        raise ShapeError(f"value of {name}", f"{n} entries along an axis", f"{left}")
