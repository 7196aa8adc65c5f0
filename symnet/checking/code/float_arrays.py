"""Arrays that a function gave on floating-point numbers, against the right ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symnet.core.verdict import Answer, Verdict, Witness

CLOSE, SINGLE, FLOOR = 1e-6, 1e-2, 1e-9  # relative to the largest entry: of a float64 result, of one in less; and what counts as 0
Place = tuple[int, ...]


def closeness(got: Any) -> float:
    """How near a result must come, relative to the right one."""
    return CLOSE if got.dtype == float or got.dtype.kind != "f" else SINGLE


def apart(got: Any, wanted: Any) -> Place | None:
    """The place where two arrays differ most, beyond rounding; () for shapes that differ. Where ``wanted`` has no value nothing is said."""
    got, wanted = np.asarray(got), np.asarray(wanted, dtype=float)
    if got.shape != wanted.shape:
        return ()
    finite = np.isfinite(wanted)
    if not finite.any():
        return None
    gap = np.where(finite, np.abs(np.asarray(got, dtype=float) - np.where(finite, wanted, 0)), 0)
    gap = np.where(np.isnan(gap), np.inf, gap)
    if not (gap > closeness(got) * np.abs(wanted[finite]).max() + FLOOR).any():
        return None
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(gap)), wanted.shape)) if wanted.ndim else ()


def refuted(place: Place, got: Any, wanted: Any, arrays: Mapping[str, Any], scope: str) -> tuple[Verdict, Place | None]:
    """The verdict: at these data the value at a place, or the shape, is wrong."""
    if np.shape(got) != np.shape(wanted):
        return Verdict(Answer.REFUTED, "shape", reason=two_shapes(np.shape(got), np.shape(wanted)), scope=scope), None
    point = tuple((f"{name}_{'_'.join(str(k + 1) for k in p)}" if p else name, repr(float(a[p])))
                  for name, a in arrays.items() for p in np.ndindex(np.shape(a)))
    return Verdict(Answer.REFUTED, "floating point", witness=Witness(point, number(got[place]), number(wanted[place])), scope=scope), place


def number(x: Any) -> str:
    """A number with a few digits."""
    return f"{float(x) + 0.0:.6g}"


def two_shapes(found: Place, wanted: Place) -> str:
    """The code's shape and the right one, in words."""
    said, right = (f"of shape {shape}" if shape else "a single number" for shape in (found, wanted))
    return f"the code's is {said}, the right one {right}"
