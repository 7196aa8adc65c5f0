"""PyTorch's convolutions and pools: paddings of every mode, groups, "same", ceil_mode and count_include_pad."""

from __future__ import annotations

import itertools
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
    """The largest entry of each window; what is padded is never the largest."""
    def rule(m: Maker, x: Array, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False) -> Array:
        size = numbers(kernel, rank, 1)
        steps = numbers(stride, rank, 1) if stride else size
        pads, spread = numbers(padding, rank, 0), numbers(dilation, rank, 1)
        for k in range(rank):
            axis = x.rank - rank + k
            _, more = _lengths(m, x, axis, (size[k], steps[k], pads[k], spread[k]), ceil_mode)
            if (pads[k] or more) and spread[k] != 1:
                raise unsupported("padding or ceil_mode with dilation", m.where, "one of them")
            x = m.extended(x, axis, pads[k], pads[k] + more, 1)  # the edge less 1: every window that sees it sees the edge too
        return composites.max_pool(m, x, size, steps, [0] * rank, spread)
    return rule


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
        if low < 0 or high < 0:  # less than nothing cuts off
            a = m.cut(a, axis, max(-low, 0), a.shape[axis] - max(-high, 0))
            low, high = max(low, 0), max(high, 0)
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
        return m.extended(a, axis, low, high)
    else:
        raise unsupported(f"padding of the mode {mode!r}", m.where, "constant, circular, reflect or replicate")
    return m.concat([p for p in (before, a, after) if p is not None], axis)


def conv_transpose(m: Maker, x: Array, w: Array, b: Array | None = None, stride: Any = 1, padding: Any = 0, more: Any = 0,
                   groups: int = 1, dilation: Any = 1) -> Array:
    """The convolution's own transpose: zeros between the places, and the kernel turned round."""
    rank = w.rank - 2
    steps, pads, ends, far = (numbers(v, rank, empty) for v, empty in ((stride, 1), (padding, 0), (more, 0), (dilation, 1)))
    for k in range(rank):
        low = far[k] * (int(w.shape[2 + k]) - 1) - pads[k]
        x, w = pad(m, m.stuffed(x, 2 + k, steps[k]), [*[0, 0] * (rank - 1 - k), low, low + ends[k]]), m.flip(w, 2 + k)
    w = m.reshape(w, [groups, w.shape[0] / groups, *w.shape[1:]])
    w = m.permute(w, [0, 2, 1, *range(3, w.rank)])
    w = m.reshape(w, [groups * w.shape[1], *w.shape[2:]])
    return composites.convolution(m, x, w, b, [1] * rank, [0] * rank, far, groups)


def adaptive(how: str, rank: int) -> Rule:
    """The mean or the largest of stretches: output i sees the places ⌊i n/k⌋ .. ⌈(i + 1) n/k⌉ - 1."""
    def along(m: Maker, x: Array, axis: int, count: int) -> Array:
        def of(part: Array, taps: int) -> Array:
            return m.mean(part, taps) if how == "avg" else m.fold("max", part, taps)
        n = x.shape[axis]
        if count == 1:
            made = of(x, axis)
            return m.reshape(made, [*x.shape[:axis], 1, *x.shape[axis + 1:]])
        if not n.is_Integer:
            raise unsupported(f"{count} stretches of an axis of size {n}", m.where, "a size that is a number, or one stretch")
        if n % count == 0:
            return of(m.window(x, axis, int(n) // count, int(n) // count), axis + 1)
        parts = [of(m.cut(x, axis, i * int(n) // count, -(-(i + 1) * int(n) // count)), axis) for i in range(count)]
        return m.concat([m.reshape(p, [*x.shape[:axis], 1, *x.shape[axis + 1:]]) for p in parts], axis)

    def rule(m: Maker, x: Array, sizes: Any) -> Any:
        wanted = list(sizes) * rank if isinstance(sizes, (list, tuple)) and len(sizes) == 1 else list(sizes)
        for k, count in enumerate(wanted):
            axis = x.rank - rank + k
            x = x if count is None or count == x.shape[axis] else along(m, x, axis, int(count))
        return x if how == "avg" else [x, None]
    return rule


def _scales(x: Array, rank: int, sizes: Any, factors: Any) -> list[tuple[int, sp.Expr]]:
    """(how many places, how far apart in the old ones) for each of the last axes."""
    found = []
    for k in range(rank):
        n = x.shape[x.rank - rank + k]
        factor = None if not factors else sp.Rational(str(factors[k] if isinstance(factors, (list, tuple)) else factors))
        count = sizes[k] if sizes is not None else sp.floor(n * factor) if n.is_Integer else n * factor
        found.append((count, n / sp.sympify(count, strict=True) if factor is None else 1 / factor))
    return found


def nearest(rank: int) -> Rule:
    """Place i shows the old place ⌊i s⌋."""
    def rule(m: Maker, x: Array, sizes: Any, *factors: Any) -> Array:
        for k, (count, step) in enumerate(_scales(x, rank, sizes, factors[0] if len(factors) == 1 else list(factors))):
            axis, times = x.rank - rank + k, sp.cancel(1 / step)
            if times.is_Integer:
                x = m.repeated(x, axis, int(times)) if times != 1 else x
                continue
            places = m.table([int(count)], [sp.floor(i * step) for i in range(int(count))])
            made = m.lookup(x, [places], [axis])
            x = m.permute(made, [*range(1, axis + 1), 0, *range(axis + 1, made.rank)])
        return x
    return rule


def linear(rank: int) -> Rule:
    """Along each axis a mean of the two old places around, by PyTorch's two ways of counting where the corners are."""
    def rule(m: Maker, x: Array, sizes: Any, corners: bool = False, *factors: Any) -> Array:
        given = [f for f in factors if f is not None]
        for k, (count, step) in enumerate(_scales(x, rank, sizes, given[0] if len(given) == 1 else given)):
            axis = x.rank - rank + k
            if not (x.shape[axis].is_Integer and sp.sympify(count, strict=True).is_Integer):
                raise unsupported(f"an interpolation along an axis of size {x.shape[axis]}", m.where, "a size that is a number")
            n, count = int(x.shape[axis]), int(count)
            if corners:
                step = sp.Rational(n - 1, count - 1) if count > 1 else sp.S.Zero
            rows = []
            for i in range(count):
                place = i * step if corners else sp.Max((i + sp.S.Half) * step - sp.S.Half, 0)
                low = min(int(sp.floor(place)), n - 1)
                row = [sp.S.Zero] * n
                row[low] += 1 - (place - low)
                row[min(low + 1, n - 1)] += place - low
                rows += row
            x = m.dot(x, m.table([count, n], rows), ([axis], [1]))
            x = m.permute(x, [*range(axis), x.rank - 1, *range(axis, x.rank - 1)])
        return x
    return rule


def _unfold(m: Maker, a: Array, dim: int, size: int, step: int) -> Array:
    """Tensor.unfold: the taps of each window as the last axis."""
    k = dim % a.rank
    made = m.window(a, k, int(size), int(step))
    return m.permute(made, [*range(k + 1), *range(k + 2, made.rank), k + 1])


def _fold(m: Maker, a: Array, sizes: Sequence[int], kernel: Sequence[int], dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Array:
    """Σ over all windows of what each says of a place."""
    rank = len(kernel)
    far, pads, steps = numbers(dilation, rank, 1), numbers(padding, rank, 0), numbers(stride, rank, 1)
    counts = [(int(n) + 2 * p - d * (int(k) - 1) - 1) // s + 1 for n, k, d, p, s in zip(sizes, kernel, far, pads, steps, strict=True)]
    x = m.reshape(a, [*a.shape[:-2], a.shape[-2] / sp.Mul(*kernel), *kernel, *counts])
    total: Array | None = None
    for taps in itertools.product(*[range(int(k)) for k in kernel]):
        part = x
        for k in range(rank):
            part = m.take(part, x.rank - 2 * rank, taps[k])
        first = part.rank - rank
        for k in range(rank):
            part = m.stuffed(part, first + k, steps[k])
            low = taps[k] * far[k] - pads[k]
            part = pad(m, part, [*[0, 0] * (rank - 1 - k), low, int(sizes[k]) - low - int(part.shape[first + k])])
        total = part if total is None else m.map("add", total, part)
    assert total is not None
    return total


WINDOWS: dict[str, Rule] = {
    **{f"conv{k}d": conv for k in (1, 2, 3)}, **{f"conv_transpose{k}d": conv_transpose for k in (1, 2, 3)},
    **{f"max_pool{k}d": max_pool(k) for k in (1, 2, 3)}, **{f"avg_pool{k}d": average_pool(k) for k in (1, 2, 3)},
    **{f"adaptive_{how}_pool{k}d": adaptive(how, k) for how in ("avg", "max") for k in (1, 2, 3)},
    **{f"upsample_nearest{k}d": nearest(k) for k in (1, 2, 3)}, "upsample_linear1d": linear(1), "upsample_bilinear2d": linear(2),
    "upsample_trilinear3d": linear(3), "unfold": _unfold, "col2im": _fold, "pad": pad,
    "constant_pad_nd": lambda m, a, n, value=0: pad(m, a, n, "constant", value),
}
