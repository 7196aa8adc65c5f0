"""PyTorch's normalizations, losses with weights, and norms of vectors as array operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp

from symnet.core.numbers import rational
from symnet.indexing import composites
from symnet.indexing.graph import unsupported
from symnet.indexing.operations import Array, Maker

Rule = Callable[..., Array | list[Array]]


def reduction(m: Maker, terms: Array, code: int) -> Array:
    """PyTorch's code: 0 none, 1 mean, 2 sum."""
    return terms if code == 0 else m.mean(terms) if code == 1 else m.sum(terms)


def _weighted(m: Maker, terms: Array, weight: Array | None) -> Array:
    return terms if weight is None else m.map("mul", weight, terms)


def _bce(m: Maker, a: Array, y: Array, weight: Array | None = None, code: int = 1) -> Array:
    yes = m.map("mul", y, m.map("log", a))
    each = m.map("neg", m.map("add", yes, m.map("mul", m.map("sub", 1, y), m.map("log", m.map("sub", 1, a)))))
    return reduction(m, _weighted(m, each, weight), code)


def _bce_logits(m: Maker, z: Array, y: Array, weight: Array | None = None, positive: Array | None = None, code: int = 1) -> Array:
    if positive is None:
        each = m.map("sub", m.map("softplus", z), m.map("mul", y, z))
    else:  # w y softplus(-z) + (1 - y) softplus(z)
        yes = m.map("mul", m.map("mul", positive, y), m.map("softplus", m.map("neg", z)))
        each = m.map("add", yes, m.map("mul", m.map("sub", 1, y), m.map("softplus", z)))
    return reduction(m, _weighted(m, each, weight), code)


def _kl(m: Maker, a: Array, y: Array, code: int = 1, log_target: bool = False) -> Array:
    if log_target:
        return reduction(m, m.map("mul", m.map("exp", y), m.map("sub", y, a)), code)
    own = m.map("select", m.map("gt", y, 0), m.map("mul", y, m.map("log", y)), 0)
    return reduction(m, m.map("sub", own, m.map("mul", y, a)), code)


def layer_norm(m: Maker, x: Array, shape: Sequence[int], w: Array | None = None, b: Array | None = None, eps: float = 1e-5,
               *_: Any) -> Array:
    return composites.layer_norm(m, x, len(shape), w, b, eps)


def rms_norm(m: Maker, x: Array, shape: Sequence[int], w: Array | None = None, eps: float | None = None) -> Array:
    # PyTorch's default is the eps of the array's type; programs have real numbers, so float64's is taken
    return composites.rms_norm(m, x, len(shape), w, 2.0**-52 if eps is None else eps)


def batch_norm(m: Maker, x: Array, w: Array | None, b: Array | None, mean: Array | None, var: Array | None, training: bool,
               momentum: float, eps: float, *_: Any) -> Array:
    return composites.batch_norm(m, x, w, b, None if training else mean, None if training else var, eps)


def _functional_batch_norm(m: Maker, x: Array, w: Array | None, b: Array | None, *rest: Any) -> list[Array]:
    """As ``run_decompositions`` gives it, with the new running statistics behind, which no gradient needs."""
    *statistics, training, _, eps = rest
    mean, var = statistics if statistics else (None, None)
    made = composites.batch_norm(m, x, w, b, None if training else mean, None if training else var, eps)
    return [made] * 5


def group_norm(m: Maker, x: Array, groups: int, w: Array | None = None, b: Array | None = None, eps: float = 1e-5, *_: Any) -> Array:
    """(x - mean)/√(variance + eps) over the channels of a group and all places; then scales and shifts by channel."""
    channels = int(x.shape[1])
    split = m.reshape(x, [x.shape[0], groups, channels // groups, *x.shape[2:]])
    made = m.reshape(composites.layer_norm(m, split, split.rank - 2, None, None, eps), x.shape)
    return composites.scaled(m, made, *[None if v is None else m.reshape(v, [channels, *[1] * (x.rank - 2)]) for v in (w, b)])


def instance_norm(m: Maker, x: Array, w: Array | None, b: Array | None, mean: Any, var: Any, from_input: bool, momentum: float,
                   eps: float, *_: Any) -> Array:
    if not from_input:
        return composites.batch_norm(m, x, w, b, mean, var, eps)
    made = composites.layer_norm(m, x, x.rank - 2, None, None, eps)
    return composites.scaled(m, made, *[None if v is None else m.reshape(v, [*v.shape, *[1] * (x.rank - 2)]) for v in (w, b)])


def _norm(m: Maker, a: Array, order: Any = 2, dims: Any = None, keep: bool = False, **_: Any) -> Array:
    if order == 1:
        return m.sum(m.map("abs", a), dims, keep)
    if str(order) in ("inf", "oo"):
        return m.fold("max", m.map("abs", a), dims, keep)
    if order != 2:
        p = rational(order)
        if not p.is_positive:
            raise unsupported(f"a norm of order {order}", m.where, "a positive one")
        return m.map("pow", m.sum(m.map("pow", m.map("abs", a), p), dims, keep), 1 / p)
    return m.map("sqrt", m.sum(m.map("square", a), dims, keep))


def _roll(m: Maker, a: Array, shifts: Sequence[int] | int, dims: Sequence[int] | int = ()) -> Array:
    steps, axes = [shifts] if isinstance(shifts, int) else list(shifts), [dims] if isinstance(dims, int) else list(dims)
    if len(steps) != len(axes):
        raise unsupported("a roll of the array as one row", m.where, "dims")
    for step, axis in zip(steps, axes, strict=True):
        length = int(a.shape[axis])
        if step % length:
            a = m.concat([m.cut(a, axis, length - step % length, length), m.cut(a, axis, 0, length - step % length)], axis)
    return a


def _prelu(m: Maker, a: Array, slope: Array) -> Array:
    slope = m.reshape(slope, [*slope.shape, *[1] * (a.rank - 2)]) if slope.shape[0] != 1 and a.rank > 2 else slope
    return m.map("select", m.map("gt", a, 0), a, m.map("mul", slope, a))


def _hardsigmoid(m: Maker, a: Array) -> Array:
    return m.map("mul", composites.hardtanh(m, m.map("add", a, 3), 0, 6), sp.Rational(1, 6))


NORMS: dict[str, Rule] = {
    "mse_loss": lambda m, a, b, code=1: reduction(m, m.map("square", m.map("sub", a, b)), code),
    "l1_loss": lambda m, a, b, code=1: reduction(m, m.map("abs", m.map("sub", a, b)), code),
    "binary_cross_entropy": _bce, "binary_cross_entropy_with_logits": _bce_logits, "kl_div": _kl,
    "soft_margin_loss": lambda m, a, y, code=1: reduction(m, m.map("softplus", m.map("neg", m.map("mul", y, a))), code),
    "layer_norm": layer_norm, "rms_norm": rms_norm, "batch_norm": batch_norm, "group_norm": group_norm, "instance_norm": instance_norm,
    "_native_batch_norm_legit_functional": _functional_batch_norm, "_native_batch_norm_legit": _functional_batch_norm,
    "linalg_vector_norm": _norm, "repeat": Maker.tiled, "roll": _roll, "prelu": _prelu, "hardsigmoid": _hardsigmoid,
    "hardswish": lambda m, a: m.map("mul", a, _hardsigmoid(m, a)),
    "celu": lambda m, a, alpha=1: composites.celu(m, a, rational(alpha)),
    "isnan": lambda m, a: m.map("never", a), "empty_permuted": lambda m, sizes, *_, **__: m.expand(m.number(0), sizes),
    "empty_like": lambda m, a, **_: m.expand(m.number(0), a.shape),
}
