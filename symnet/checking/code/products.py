"""Products of arrays of nodes: every entry is one sum of products, however it is written."""

from __future__ import annotations

from typing import Any

import numpy as np

from symnet.checking.code import nodes as n
from symnet.checking.code.arrays import Traced, nodes_of, wrap
from symnet.errors import OptionError


def contract(left: Any, right: Any, shape: tuple[int, ...]) -> Traced:
    """Σ over the last axis of ``left`` times that of ``right``, both of the shape (*shape, K)."""
    made = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        made[place] = n.add(n.mul(pair) for pair in zip(left[place], right[place], strict=True))
    return wrap(made)


def _mismatch(name: str, a: Any, b: Any) -> OptionError:
    return OptionError(name, f"shapes {a.shape} and {b.shape}", "inner sizes that agree", "a transpose")


def matmul(x: Any, y: Any) -> Traced:
    """x @ y."""
    a, b = nodes_of(x), nodes_of(y)
    if not a.ndim or not b.ndim:
        raise OptionError("@", "a single number", "arrays", "*")
    first, last = a.ndim == 1, b.ndim == 1
    a = a[None, :] if first else a
    b = b[:, None] if last else b
    if a.shape[-1] != b.shape[-2]:
        raise _mismatch("@", nodes_of(x), nodes_of(y))
    front = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    shape = (*front, a.shape[-2], b.shape[-1])
    left = np.broadcast_to(a[..., :, None, :], (*shape, a.shape[-1]))
    right = np.broadcast_to(np.swapaxes(b, -1, -2)[..., None, :, :], (*shape, a.shape[-1]))
    made = contract(left, right, shape)
    made = made[..., 0] if last else made
    return made[..., 0, :] if first and not last else made[..., 0] if first else made


def tensordot(x: Any, y: Any, axes: Any = 2) -> Traced:
    """np.tensordot."""
    a, b = nodes_of(x), nodes_of(y)
    if isinstance(axes, int):
        axes = (tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes)))
    one, two = ([axes[k]] if isinstance(axes[k], int) else list(axes[k]) for k in (0, 1))
    one, two = [k % a.ndim for k in one], [k % b.ndim for k in two]
    if [a.shape[k] for k in one] != [b.shape[k] for k in two]:
        raise _mismatch("np.tensordot", a, b)
    free, rest = [k for k in range(a.ndim) if k not in one], [k for k in range(b.ndim) if k not in two]
    outer_, inner_ = [a.shape[k] for k in free], [b.shape[k] for k in rest]
    length = int(np.prod([a.shape[k] for k in one], dtype=int))
    left = a.transpose((*free, *one)).reshape((*outer_, *[1] * len(inner_), length))
    right = b.transpose((*rest, *two)).reshape((*inner_, length))
    shape = (*outer_, *inner_)
    return contract(np.broadcast_to(left, (*shape, length)), np.broadcast_to(right, (*shape, length)), shape)
