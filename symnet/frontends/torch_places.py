"""PyTorch's operators on whole numbers and places: embeddings, gathers, class targets, concatenation, padding, masks of places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp

from symnet.core.numbers import rational
from symnet.indexing import composites
from symnet.indexing.graph import unsupported
from symnet.indexing.operations import Array, Maker

Rule = Callable[..., Array | list[Array]]
NOT_IGNORED = -100  # PyTorch's default of ignore_index: no class is; other numbers outside 0..C-1 are refused when the program runs


def _embedding(m: Maker, table: Array, words: Array, padding: int = -1, *_: Any, **__: Any) -> Array:
    made = m.lookup(table, [words], [0])
    if padding < 0:
        return made
    row = m.values.get(table.node)
    if row is None or bool((row[padding] != 0).any()):
        raise unsupported("padding_idx of a row that is not 0, whose gradient PyTorch leaves out", m.where,
                          "no padding_idx, or a row of zeros")
    kept = m.reshape(m.map("ne", words, padding), [*words.shape, 1])
    return m.map("select", kept, made, 0)


def index(m: Maker, a: Array, places: Sequence[Array | None]) -> Array:
    """a[:, i, j]: the axes of the index arrays stand where the first of them is, when they are neighbours, else in front."""
    axes = [k for k, p in enumerate(places) if p is not None]
    made = m.lookup(a, [p for p in places if p is not None], axes)
    rank = made.rank - (a.rank - len(axes))
    first = axes[0] if axes == list(range(axes[0], axes[-1] + 1)) else 0
    return m.permute(made, [*range(rank, rank + first), *range(rank), *range(rank + first, made.rank)])


def _index_select(m: Maker, a: Array, dim: int, places: Array) -> Array:
    return index(m, a, [None] * (dim % a.rank) + [places])


def gather(m: Maker, a: Array, dim: int, places: Array, **_: Any) -> Array:
    axis = dim % a.rank
    others = [k for k in range(a.rank) if k != axis]
    if any(a.shape[k] != places.shape[k] for k in others):
        raise unsupported("a gather from a part of the other axes", m.where, "index arrays of their sizes")
    return m.lookup(a, [places], [axis], [(k, k) for k in others])


def one_hot(m: Maker, words: Array, classes: int = -1) -> Array:
    if classes < 0:
        raise unsupported("one_hot without the number of classes", m.where, "num_classes")
    count = m.iota([*[1] * words.rank, classes], words.rank)
    return m.map("indicator", m.map("eq", m.reshape(words, [*words.shape, 1]), count))


def _classes_last(m: Maker, x: Array) -> Array:
    return m.permute(x, [0, *range(2, x.rank), 1]) if x.rank > 2 else x


def class_terms(m: Maker, logs: Array, y: Array, weight: Array | None, reduction: int, ignore: int, smoothing: float) -> Array:
    """-w[y] log p[y] for classes y, the classes along the last axis of ``logs``; PyTorch's reductions."""
    lead = [(k, k) for k in range(y.rank)]
    own = m.lookup(logs, [y], [logs.rank - 1], lead)
    w = None if weight is None else m.lookup(weight, [y], [0])
    each = m.map("neg", own if w is None else m.map("mul", w, own))
    if smoothing:
        spread = m.sum(logs if weight is None else m.map("mul", weight, logs), [logs.rank - 1])
        little = m.map("mul", rational(smoothing) / logs.shape[-1], spread)
        each = m.map("sub", m.map("mul", 1 - rational(smoothing), each), little)
    kept = None if ignore == NOT_IGNORED else m.map("ne", y, ignore)
    if kept is not None:
        each = m.map("select", kept, each, 0)
    if reduction == 0:
        return each
    if reduction == 2:
        return m.sum(each)
    if w is None and kept is None:
        return m.mean(each)
    count: Any = 1 if w is None else w
    if kept is not None:
        count = m.map("select", kept, count, 0)
    return m.map("div", m.sum(each), m.sum(count))


def cross_entropy(m: Maker, x: Array, y: Array, weight: Array | None = None, reduction: int = 1, ignore: int = NOT_IGNORED,
                  smoothing: float = 0.0) -> Array:
    """With classes y, one for each sample (and place), or with shares y of x's shape."""
    x = _classes_last(m, x)
    logs = composites.log_softmax(m, x, -1)
    if y.rank == x.rank - 1:
        return class_terms(m, logs, y, weight, reduction, ignore, smoothing)
    y = _classes_last(m, y)
    if smoothing:
        y = m.map("add", m.map("mul", 1 - rational(smoothing), y), rational(smoothing) / x.shape[-1])
    each = m.map("mul", y, logs)
    each = m.map("neg", m.sum(each if weight is None else m.map("mul", weight, each), -1))
    return each if reduction == 0 else m.sum(each) if reduction == 2 else m.mean(each)


def nll(m: Maker, logs: Array, y: Array, weight: Array | None = None, reduction: int = 1, ignore: int = NOT_IGNORED) -> Array:
    return class_terms(m, _classes_last(m, logs), y, weight, reduction, ignore, 0.0)


def _cat(m: Maker, arrays: Sequence[Array], dim: int = 0) -> Array:
    return m.concat(list(arrays), dim)


def _stack(m: Maker, arrays: Sequence[Array], dim: int = 0) -> Array:
    k = dim % (arrays[0].rank + 1)
    return m.concat([m.reshape(a, [*a.shape[:k], 1, *a.shape[k:]]) for a in arrays], k)


def _arange(m: Maker, *ends: Any, **_: Any) -> Array:
    start, end, step = (0, ends[0], 1) if len(ends) == 1 else (*ends, 1) if len(ends) == 2 else ends[:3]
    count = m.iota([sp.ceiling((sp.sympify(end, strict=True) - start) / sp.sympify(step, strict=True))], 0)
    count = count if step == 1 else m.map("mul", step, count)
    return count if start == 0 else m.map("add", start, count)


def index_put(m: Maker, a: Array, places: Sequence[Array | None], values: Array, accumulate: bool = False) -> Array:
    """a with values at the places that index arrays name, or added there; a mask of truths chooses entry by entry."""
    if len(places) == 1 and places[0] is not None and m.is_test(places[0]) and places[0].rank == a.rank \
            and (not values.rank or values.shape == a.shape):  # values chosen by the same mask are those of the whole
        return m.map("select", places[0], m.map("add", a, values) if accumulate else values, a)
    if len(places) == 2 and all(places) and a.rank == 2 and _counts_rows(m, a, places[0]):  # one place of each row: none twice
        assert places[1] is not None
        there = m.map("eq", m.reshape(places[1], [a.shape[0], 1]), m.iota([1, a.shape[1]], 1))
        op = m.graph.ops[values.node]
        if not accumulate and op.more[:1] in (("add",), ("sub",)) and op.args[0] == index(m, a, places).node \
                and m.graph.ops[op.args[1]].kind == "number":  # p[rows, y] -= 1
            return m.map(op.more[0], a, m.map("select", there, Array(op.args[1], ()), 0))
        new = m.reshape(values, [*values.shape, 1]) if values.rank else values
        return m.map("select", there, m.map("add", a, new) if accumulate else new, a)
    if not accumulate:
        raise unsupported("a write at places that may repeat", m.where, "index_add, scatter_add, or accumulate=True")
    axes = [k for k, p in enumerate(places) if p is not None]
    if axes != list(range(len(axes))):
        raise unsupported("a write at places of a later axis", m.where, "index_add")
    return m.added_at(a, [p for p in places if p is not None], values)


def _counts_rows(m: Maker, a: Array, place: Array | None) -> bool:
    """Is it 0, 1, … for each row?"""
    return place is not None and m.graph.ops[place.node].kind == "iota" and place.shape == a.shape[:1]


def index_add(m: Maker, a: Array, dim: int, places: Array, values: Array, alpha: Any = 1) -> Array:
    """a with the rows of ``values`` added at the places along an axis."""
    axis = dim % a.rank
    front, back = [axis, *[k for k in range(a.rank) if k != axis]], [*range(1, axis + 1), 0, *range(axis + 1, a.rank)]
    values = values if alpha == 1 else m.map("mul", alpha, values)
    return m.permute(m.added_at(m.permute(a, front), [places], m.permute(values, front)), back)


def scatter_add(m: Maker, a: Array, dim: int, places: Array, values: Array, *_: Any) -> Array:
    """a[i, places[i, j]] += values[i, j] along an axis, for index arrays of a's other sizes."""
    axis = dim % a.rank
    if any(a.shape[k] != places.shape[k] for k in range(a.rank) if k != axis) or values.shape != places.shape:
        raise unsupported("a scatter into a part of the other axes", m.where, "index arrays of their sizes")
    wide = [*places.shape[:axis], 1, *places.shape[axis:]]  # the axis of places, then that of a
    there = m.iota([a.shape[axis] if k == axis else 1 for k in range(a.rank + 1)], axis)
    here = m.map("select", m.map("eq", m.reshape(places, wide), there), m.reshape(values, wide), 0)
    return m.map("add", a, m.sum(here, axis + 1))


def _scatter(m: Maker, a: Array, dim: int, places: Array, value: Any, reduce: str = "", **_: Any) -> Array:
    """One number, or values, put at one place of each row."""
    axis = dim % a.rank
    if reduce or places.shape[axis] != 1:
        raise unsupported("a scatter at places that may repeat", m.where, "scatter_add, or one place for each row")
    there = m.iota([a.shape[k] if k == axis else 1 for k in range(a.rank)], axis)
    return m.map("select", m.map("eq", places, there), value, a)


def _filled(m: Maker, a: Array, mask: Array, value: Any) -> Array:
    return m.map("select", mask, value, a)


def _full(m: Maker, sizes: Sequence[Any], value: Any, **_: Any) -> Array:
    return m.expand(m.number(value), sizes)


def _like(value: Any) -> Rule:
    return lambda m, a, *_, **__: m.expand(m.number(value), a.shape)


def _flip(m: Maker, a: Array, dims: Sequence[int]) -> Array:
    for k in dims:
        a = m.flip(a, k)
    return a


def _embedding_bag(m: Maker, table: Array, words: Array, offsets: Array, _: bool = False, mode: int = 0, *rest: Any) -> list[Any]:
    """The sum, mean or largest of the rows that each bag of words names; all bags have the same number of words."""
    size = _equal_bags(m, words, offsets)
    rows = m.lookup(table, [m.reshape(words, [words.shape[0] / size, size])], [0])
    if len(rest) > 1 and rest[1] is not None:  # per_sample_weights
        rows = m.map("mul", rows, m.reshape(rest[1], [words.shape[0] / size, size, 1]))
    return [(m.sum, m.mean, lambda a, k: m.fold("max", a, k))[mode](rows, 1), None, None, None]


def _equal_bags(m: Maker, words: Array, offsets: Array) -> sp.Expr:
    """How many words a bag has, where they begin at 0, k, 2k, …"""
    op, step = m.graph.ops[offsets.node], sp.S.One
    if op.kind == "map" and op.more[0] == "mul" and m.graph.ops[op.args[0]].kind == "number":
        op, step = m.graph.ops[op.args[1]], m.graph.ops[op.args[0]].more[0]
    if op.kind != "iota" or sp.expand(offsets.shape[0] * step - words.shape[0]) != 0:
        raise unsupported("bags of different sizes", m.where, "a matrix of words: one bag a row")
    return step


def _scatter_reduce(m: Maker, a: Array, dim: int, places: Array, values: Array, reduce: str, include_self: bool = True) -> Array:
    """Values put together at the places along an axis, with what stands there or, where any is put, without it."""
    axis = dim % a.rank
    if reduce in ("sum", "mean", "prod") and any(n == 0 for n in places.shape):
        return a
    nothing = m.expand(m.number(0), a.shape)
    if reduce not in ("sum", "mean", "prod", "amax", "amin"):
        raise unsupported(f"scatter_reduce by {reduce!r}", m.where, "sum, mean, prod, amax or amin")
    if reduce == "sum" and include_self:
        return scatter_add(m, a, dim, places, values)
    count = scatter_add(m, nothing, dim, places, m.expand(m.number(1), values.shape))
    if reduce in ("sum", "mean"):
        total = scatter_add(m, a if include_self else nothing, dim, places, values)
        if reduce == "mean":
            below = m.map("add", count, 1) if include_self else m.map("max", count, 1)
            total = m.map("div", total, below)
        return total if include_self else m.map("select", m.map("gt", count, 0), total, a)
    wide = [*places.shape[:axis], 1, *places.shape[axis:]]  # the axis of places, then that of a
    there = m.iota([a.shape[axis] if k == axis else 1 for k in range(a.rank + 1)], axis)
    here, own = m.map("eq", m.reshape(places, wide), there), m.reshape(a, [*a.shape[:axis + 1], 1, *a.shape[axis + 1:]])
    name = {"amax": "max", "amin": "min", "prod": "prod"}[reduce]
    if reduce == "prod":
        made = m.fold("prod", m.map("select", here, m.reshape(values, wide), 1), axis + 1)
        if include_self:
            return m.map("mul", a, made)
    else:  # where a value is not put, one that changes nothing: what stands there, or the least (largest) of all values
        other = own if include_self else m.reshape(m.fold("min" if name == "max" else "max", values, axis, True), [
            *[1 if k == axis else n for k, n in enumerate(a.shape[:axis + 1])], 1, *a.shape[axis + 1:]])
        made = m.fold(name, m.map("select", here, m.reshape(values, wide), other), axis + 1)
        if include_self:
            return m.map(name, a, made)
    return m.map("select", m.map("gt", count, 0), made, a)


def _take(m: Maker, a: Array, places: Array) -> Array:
    return m.lookup(m.reshape(a, [sp.Mul(*a.shape)]), [places], [0])


PLACES: dict[str, Rule] = {
    "embedding_bag": _embedding_bag, "_embedding_bag_forward_only": _embedding_bag, "_embedding_bag": _embedding_bag,
    "scatter_reduce": _scatter_reduce, "take": _take, "take_along_dim": lambda m, a, places, dim: gather(m, a, dim, places),
    "embedding": _embedding, "index": index, "index_select": _index_select, "gather": gather, "one_hot": one_hot,
    "cross_entropy_loss": cross_entropy, "nll_loss": nll, "nll_loss_nd": nll, "nll_loss2d": nll,
    "cat": _cat, "concat": _cat, "stack": _stack,
    "arange": _arange, "masked_fill": _filled, "full": _full, "flip": _flip,
    "full_like": lambda m, a, value, **_: m.expand(m.number(value), a.shape), "zeros_like": _like(0), "ones_like": _like(1),
    "new_zeros": lambda m, a, sizes, **_: m.expand(m.number(0), sizes), "new_ones": lambda m, a, sizes, **_: m.expand(m.number(1), sizes),
    "index_put": index_put, "index_add": index_add, "scatter_add": scatter_add, "scatter": _scatter,
    "cumsum": lambda m, a, dim, **_: m.running(a, dim), "cumprod": lambda m, a, dim, **_: m.running(a, dim, False, "prod"),
    "cummax": lambda m, a, dim: [m.running(a, dim, False, "max"), None],
    "cummin": lambda m, a, dim: [m.running(a, dim, False, "min"), None],
    "logcumsumexp": lambda m, a, dim: m.running(a, dim, False, "logsumexp"),
    "logical_not": lambda m, a: m.map("not", a),
    "bitwise_not": lambda m, a: m.map("not", a), "logical_and": lambda m, a, b: m.map("and", a, b),
    "logical_or": lambda m, a, b: m.map("or", a, b), "bitwise_and": lambda m, a, b: m.map("and", a, b),
    "bitwise_or": lambda m, a, b: m.map("or", a, b), "scalar_tensor": lambda m, v, **_: m.number(v),
}
