"""PyTorch's convolutions and pools: paddings of every mode, groups, "same", ceil_mode and count_include_pad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp

from symnet.indexing import composites
from symnet.indexing.graph import unsupported
from symnet.indexing.operations import Array, Maker

Rule = Callable[..., Array | list[Array]]


def numbers(value: Any, rank: int, empty: int) -> list[int]:
    """PyTorch gives one number for all axes, or a list."""
    found = [value] if isinstance(value, int) else list(value or [empty])
    return [int(n) for n in (found * rank if len(found) == 1 else found)]


def conv(m: Maker, x: Array, w: Array, b: Array | None = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
         groups: int = 1) -> Array:
    """Cross-correlation; "same" pads by one more at the end where the sum is odd, as PyTorch does."""
    rank = w.rank - 2
    if x.rank != w.rank:
        raise unsupported(f"an input with {x.rank} axes", m.where, f"{w.rank}: samples, channels, places")
    steps = numbers(dilation, rank, 1)
    if padding == "same":
        for k in range(rank):
            total = steps[k] * (int(w.shape[2 + k]) - 1)
            x = m.pad(x, 2 + k, total // 2, total - total // 2)
    zeros = [0] * rank if isinstance(padding, str) else numbers(padding, rank, 0)
    return composites.convolution(m, x, w, b, numbers(stride, rank, 1), zeros, steps, groups)


def _lengths(m: Maker, a: Array, axis: int, window: tuple[int, int, int, int], ceil_mode: bool) -> tuple[int, int]:
    """(how many windows, how many places are missing at the end) along an axis; the last window starts inside the padded signal."""
    kernel, stride, padding, dilation = window
    if not ceil_mode:
        return 0, 0
    if not a.shape[axis].is_Integer:
        raise unsupported(f"ceil_mode along an axis of size {a.shape[axis]}", m.where, "a size that is a number")
    length = int(a.shape[axis])
    room = length + 2 * padding - dilation * (kernel - 1) - 1
    outputs = -(-room // stride) + 1
    outputs -= (outputs - 1) * stride >= length + padding
    return outputs, max((outputs - 1) * stride + dilation * (kernel - 1) + 1 - length - 2 * padding, 0)


def max_pool(rank: int) -> Rule:
    """The largest entry of each window; what is padded is the edge less 1, which is never the largest."""
    def rule(m: Maker, x: Array, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False) -> Array:
        size = numbers(kernel, rank, 1)
        steps = numbers(stride, rank, 1) if stride else size
        pads, spread = numbers(padding, rank, 0), numbers(dilation, rank, 1)
        for k in range(rank):
            axis = x.rank - rank + k
            _, more = _lengths(m, x, axis, (size[k], steps[k], pads[k], spread[k]), ceil_mode)
            if (pads[k] or more) and spread[k] != 1:
                raise unsupported("padding or ceil_mode with dilation", m.where, "one of them")
            x = _edged(m, x, axis, pads[k], pads[k] + more)
        return composites.max_pool(m, x, size, steps, [0] * rank, spread)
    return rule


def _edged(m: Maker, x: Array, axis: int, low: int, high: int) -> Array:
    """Every window that sees such a place sees the edge too, since padding is at most half a window."""
    length = int(x.shape[axis]) if low or high else 0
    parts = [x]
    for count, place in ((low, 0), (high, length - 1)):
        if count:
            edge = m.map("sub", m.cut(x, axis, place, place + 1), 1)
            wide = m.expand(edge, [count if k == axis else n for k, n in enumerate(x.shape)])
            parts = [wide, *parts] if place == 0 and parts[0] is x else [*parts, wide]
    return m.concat(parts, axis) if len(parts) > 1 else x


def average_pool(rank: int) -> Rule:
    """Σ over each window, divided by how many places it counts: those of the padding too, or those of the signal alone."""
    def rule(m: Maker, x: Array, kernel: Any, stride: Any = (), padding: Any = 0, ceil_mode: bool = False, include: bool = True,
             divisor: Any = None) -> Array:
        size = numbers(kernel, rank, 1)
        steps, pads = numbers(stride, rank, 1) if stride else size, numbers(padding, rank, 0)
        first, below = x.rank - rank, []
        for k in range(rank):
            outputs, more = _lengths(m, x, first + k, (size[k], steps[k], pads[k], 1), ceil_mode)
            uneven = divisor is None and (more or (pads[k] and not include))
            below.append(_counts(m, x, first + k, (size[k], steps[k], pads[k]), (outputs, include)) if uneven else [size[k]])
            x = m.pad(x, first + k, pads[k], pads[k] + more)
        made = m.map("mul", composites.average_pool(m, x, size, steps, [0] * rank), sp.Mul(*size))
        if divisor is not None:
            return m.map("div", made, int(divisor))
        for k, counts in enumerate(below):
            if len(set(counts)) == 1:
                made = m.map("div", made, counts[0])
            else:
                shares = m.table([len(counts)], [sp.Rational(1, n) for n in counts])
                made = m.map("mul", made, m.reshape(shares, [len(counts), *[1] * (rank - 1 - k)]))
        return made
    return rule


def _counts(m: Maker, x: Array, axis: int, window: tuple[int, int, int], how: tuple[int, bool]) -> list[int]:
    """How many places each window counts."""
    (kernel, stride, padding), (outputs, include) = window, how
    if not x.shape[axis].is_Integer:
        raise unsupported(f"count_include_pad=False or ceil_mode along an axis of size {x.shape[axis]}", m.where, "a size that is a number")
    length = int(x.shape[axis])
    outputs = outputs or (length + 2 * padding - kernel) // stride + 1
    found = []
    for i in range(outputs):
        start = i * stride - padding
        end = min(start + kernel, length + padding)
        found.append(end - start if include else min(end, length) - max(start, 0))
    return found


def pad(m: Maker, a: Array, amounts: Sequence[int], mode: str = "constant", value: Any = None) -> Array:
    """PyTorch counts the axes from the last: (left, right, top, bottom, …)."""
    for k in range(len(amounts) // 2):
        axis, low, high = a.rank - 1 - k, int(amounts[2 * k]), int(amounts[2 * k + 1])
        if low < 0 or high < 0:
            raise unsupported("padding by less than nothing", m.where, "a slice")
        if mode == "constant":
            a = m.pad(a, axis, low, high, 0 if value is None else value)
        elif low or high:
            a = _around(m, a, axis, (low, high), mode)
    return a


def _around(m: Maker, a: Array, axis: int, amounts: tuple[int, int], mode: str) -> Array:
    (low, high), length = amounts, int(a.shape[axis])
    if mode == "circular":
        before, after = m.cut(a, axis, length - low, length) if low else None, m.cut(a, axis, 0, high) if high else None
    elif mode == "reflect":
        before = m.flip(m.cut(a, axis, 1, low + 1), axis) if low else None
        after = m.flip(m.cut(a, axis, length - high - 1, length - 1), axis) if high else None
    elif mode == "replicate":
        def edge(place: int, count: int) -> Array:
            return m.expand(m.cut(a, axis, place, place + 1), [count if k == axis else n for k, n in enumerate(a.shape)])
        before, after = edge(0, low) if low else None, edge(length - 1, high) if high else None
    else:
        raise unsupported(f"padding of the mode {mode!r}", m.where, "constant, circular, reflect or replicate")
    return m.concat([p for p in (before, a, after) if p is not None], axis)


WINDOWS: dict[str, Rule] = {
    "conv1d": conv, "conv2d": conv, "max_pool1d": max_pool(1), "max_pool2d": max_pool(2), "avg_pool1d": average_pool(1),
    "avg_pool2d": average_pool(2), "pad": pad, "constant_pad_nd": lambda m, a, n, value=0: pad(m, a, n, "constant", value),
}
