"""The numbers that a program must give: loss, gradients, Hessians and Jacobians by JAX in float64, at points drawn here (loss and gradients by PyTorch where asked)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from laws.language import Source
from laws.meaning import flattened, jax, loss_of, run, shape_at, shaped, value_and_grad

Arrays = dict[str, Any]
LARGEST = 1e6  # a program whose numbers pass this says nothing about rounding, and is left out


def point(source: Source, sizes: dict[str, int], seed: int, special: str = "") -> Arrays:
    """An array for each input: multiples of 1/32 between 1/4 and 5/4, of either sign, so that floats are exact; all different, so that
    nothing ties. ``special`` "zeros" puts a zero in every second place, "ones" the same number everywhere."""
    rng = np.random.default_rng(seed)
    found: Arrays = {}
    for name in source.inputs:
        shape = shape_at(source, name, sizes)
        count = int(np.prod(shape, dtype=int))
        sizes_of = (rng.permutation(np.arange(8, 8 + max(33, count)))[:count] + rng.integers(1, 8, count) / 8) / 32
        signs = np.where((rng.random(count) < 0.6) | (name in source.positive), 1.0, -1.0)
        values = sizes_of * signs
        if special == "zeros" and name not in source.positive:
            values[:: 2 if count > 1 else 1] = 0.0
        if special == "ones":
            values = np.full(count, 0.5)
        found[name] = values.reshape(shape)
    return found


def truth(source: Source, sizes: dict[str, int], arrays: Arrays, by: str = "jax") -> tuple[float, Arrays] | None:
    """The objective and its gradients; None where some number is infinite, missing or too large to compare."""
    value, gradients = value_and_grad(source, sizes, {k: flattened(v) for k, v in arrays.items()}, by)
    found = {k: shaped(g, np.shape(arrays[k])) for k, g in gradients.items()}
    return (float(value), found) if sane([np.asarray(value), *found.values()]) else None


def value_of(source: Source, sizes: dict[str, int], arrays: Arrays, name: str) -> Any:
    """The values of one line."""
    return shaped(run(source, {k: flattened(v) for k, v in arrays.items()}, sizes)[name], shape_at(source, name, sizes))


def sane(numbers: list[Any]) -> bool:
    """Finite, and not too large to compare."""
    return all(bool(np.all(np.isfinite(g))) and (not np.size(g) or float(np.max(np.abs(g))) < LARGEST) for g in numbers)


def along(source: Source, sizes: dict[str, int], arrays: Arrays, of: str, wrt: str, direction: Any) -> Any:
    """Σ over wrt's entries of ∂²L/∂of ∂wrt times ``direction``: of's shape."""
    loss = loss_of(source, sizes)
    given = {k: flattened(v) for k, v in arrays.items()}

    def slope(second: Any) -> Any:
        there = {**given, wrt: second}
        return jax().grad(lambda first: loss({**there, of: first}))(there[of])

    return shaped(jax().jvp(slope, (given[wrt],), (flattened(direction),))[1], np.shape(arrays[of]))


def pulled(source: Source, sizes: dict[str, int], arrays: Arrays, of: str, wrt: str, direction: Any) -> Any:
    """Σ over of's entries of ``direction`` times ∂of/∂wrt: wrt's shape."""
    given = {k: flattened(v) for k, v in arrays.items()}
    pull = jax().vjp(lambda one: run(source, {**given, wrt: one}, sizes)[of], given[wrt])[1]
    return shaped(pull(flattened(direction))[0], np.shape(arrays[wrt]))


def differ(ours: Any, theirs: Any, scale: float = 1.0) -> str:
    """What is wrong with ``ours``, or "": another shape, or a difference beyond rounding."""
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    if a.shape != b.shape:
        return f"shape {a.shape}, oracle {b.shape}"
    if not a.size:
        return ""
    worst = np.abs(a - b)
    limit = 1e-8 * (scale + float(np.max(np.abs(b))))
    if np.all(worst <= limit):
        return ""
    place = np.unravel_index(int(np.nanargmax(np.where(np.isnan(worst), np.inf, worst))), worst.shape) if worst.shape else ()
    return f"{list(map(int, place)) if place else ''} {a[place]:.9g}, oracle {b[place]:.9g}"


def table(arrays: Mapping[str, Any]) -> str:
    """A point to type in."""
    return ", ".join(f"{k}={np.asarray(v).tolist()}" for k, v in arrays.items())
