"""PyTorch's operators (ATen, as ``torch.export`` gives them) as array operations, one row each. Conventions are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy as sp

from symnet.core.numbers import rational
from symnet.frontends.torch_matrices import MATRICES
from symnet.frontends.torch_norms import NORMS
from symnet.frontends.torch_places import PLACES
from symnet.frontends.torch_windows import WINDOWS
from symnet.indexing import composites
from symnet.indexing.graph import unsupported
from symnet.indexing.numpy_ufuncs import NUMBERS
from symnet.indexing.operations import Array, Maker

Rule = Callable[..., Array | list[Array]]  # rule(maker, *args, **kwargs) with the operator's own arguments


def _map(function: str) -> Rule:
    return lambda m, *args, **_: m.map(function, *args)


def _divided(m: Maker, a: Any, b: Any, rounding_mode: str | None = None) -> Array:
    if rounding_mode not in (None, "floor"):
        raise unsupported(f"a division with rounding_mode {rounding_mode!r}", m.where, "None or 'floor'")
    made = m.map("div", a, b)
    return made if rounding_mode is None else m.map("floor", made)


def _scaled(function: str) -> Rule:
    """add and sub have a factor ``alpha`` for the second argument."""
    def rule(m: Maker, a: Any, b: Any, alpha: Any = 1) -> Array:
        return m.map(function, a, b if alpha == 1 else m.map("mul", alpha, b))
    return rule


def _same(m: Maker, a: Array, *_: Any, **__: Any) -> Array:
    return a


def _rounded(m: Maker, a: Array, decimals: int = 0) -> Array:
    if decimals:
        raise unsupported(f"round to {decimals} decimals", m.where, "round to whole numbers")
    return m.map("round", a)


def _dropout(m: Maker, a: Array, p: float, train: bool) -> Array:
    if train and p:
        raise unsupported(f"dropout with p = {p} while training", m.where, "model.eval(), or p = 0")
    return a


def _reduce(m: Maker, a: Array, dim: Any = None, keepdim: bool = False, **_: Any) -> Array:
    return m.sum(a, dim, keepdim)


def _mean(m: Maker, a: Array, dim: Any = None, keepdim: bool = False, **_: Any) -> Array:
    return m.mean(a, dim, keepdim)


def _variance(m: Maker, a: Array, dim: Any = None, unbiased: Any = True, keepdim: bool = False, correction: Any = None) -> Array:
    return m.variance(a, dim, int(bool(unbiased)) if correction is None else correction, keepdim)


def _extreme(name: str) -> Rule:
    """``max`` or ``min`` of two tensors, of a whole one, or along an axis with the places, which have no formula."""
    def rule(m: Maker, a: Array, *rest: Any, **options: Any) -> Array | list[Any]:
        if rest and isinstance(rest[0], Array):
            return m.map(name, a, rest[0])
        dim, keep = rest[0] if rest else options.get("dim"), rest[1] if len(rest) > 1 else options.get("keepdim", False)
        made = m.fold(name, a, dim, keep)
        return made if dim is None else [made, None]
    return rule


def _converted(m: Maker, a: Array, of: str, to: str) -> Array:
    if of == "bool":
        return a if to == "bool" else m.map("indicator", a)
    if to == "bool":
        return m.map("ne", a, 0)
    if of == "real" and to == "index":
        raise unsupported("a conversion to whole numbers", m.where, "real numbers")
    return a


def _cast(m: Maker, a: Array, *args: Any, **options: Any) -> Array:
    """Another type: truths and numbers are told apart, and nothing is rounded."""
    to = next((str(v) for v in (*args, *options.values()) if str(v).startswith("torch.") and str(v).split(".")[1] in DTYPES), "")
    if not to:
        return a
    return _converted(m, a, "bool" if m.is_test(a) else "index" if m.is_whole(a) else "real", DTYPES[to.split(".")[1]])


DTYPES = {"bool": "bool", **dict.fromkeys(("float", "double", "half", "float16", "float32", "float64", "bfloat16"), "real"),
          **dict.fromkeys(("int", "long", "short", "int8", "int16", "int32", "int64", "uint8"), "index")}


def _addmm(m: Maker, c: Array, a: Array, b: Array, beta: Any = 1, alpha: Any = 1) -> Array:
    product = m.matmul(a, b)
    return m.map("add", c if beta == 1 else m.map("mul", beta, c), product if alpha == 1 else m.map("mul", alpha, product))


def _transpose(m: Maker, a: Array, first: int = 0, second: int = 1) -> Array:
    order = list(range(a.rank))
    order[first], order[second] = order[second], order[first]
    return m.permute(a, order) if a.rank > 1 else a


def _flatten(m: Maker, a: Array, start: int = 0, end: int = -1) -> Array:
    first, last = start % a.rank, end % a.rank
    return m.reshape(a, [*a.shape[:first], sp.Mul(*a.shape[first:last + 1]), *a.shape[last + 1:]])


def _unflatten(m: Maker, a: Array, dim: int, sizes: Sequence[Any]) -> Array:
    k = dim % a.rank
    return m.reshape(a, [*a.shape[:k], *sizes, *a.shape[k + 1:]])


def _unsqueeze(m: Maker, a: Array, dim: int) -> Array:
    k = dim % (a.rank + 1)
    return m.reshape(a, [*a.shape[:k], 1, *a.shape[k:]])


def _squeeze(m: Maker, a: Array, dim: Any = None) -> Array:
    chosen = range(a.rank) if dim is None else [k % a.rank for k in ([dim] if isinstance(dim, int) else dim)]
    return m.reshape(a, [n for k, n in enumerate(a.shape) if not (k in chosen and n == 1)])


def _slice(m: Maker, a: Array, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Array:
    if start in (None, 0) and (end is None or (isinstance(end, int) and end >= 2**62)) and step == 1:
        return a
    return m.cut(a, dim, start, end, step)


def _pieces(m: Maker, a: Array, sizes: Any, dim: int = 0) -> list[Array]:
    lengths = list(sizes) if isinstance(sizes, (list, tuple)) else _equal_lengths(m, a.shape[dim], sizes)
    starts = [sp.Add(*lengths[:k]) for k in range(len(lengths))]
    return [m.cut(a, dim, s, s + n) for s, n in zip(starts, lengths, strict=True)]


def _equal_lengths(m: Maker, whole: sp.Expr, size: Any) -> list[Any]:
    """As many of one size as there is room for, and what is left; of a size that is a name, without a rest."""
    count = sp.cancel(whole / size)
    if count.is_Integer:
        return [size] * int(count)
    if not whole.is_Integer:
        raise unsupported(f"pieces of {size} of an axis of size {whole}", m.where, "as many equal pieces for all sizes")
    return [min(int(size), int(whole) - k) for k in range(0, int(whole), int(size))]


def _chunk(m: Maker, a: Array, count: int, dim: int = 0) -> list[Array]:
    size = sp.cancel(a.shape[dim] / count)
    return _pieces(m, a, size if size.is_integer else -(-int(a.shape[dim]) // count), dim)


def _unbind(m: Maker, a: Array, dim: int = 0) -> list[Array]:
    return [m.take(a, dim, k) for k in range(int(a.shape[dim]))]


def _attention(m: Maker, q: Array, k: Array, v: Array, attn_mask: Array | None = None, dropout_p: float = 0.0, is_causal: bool = False,
               scale: Any = None, enable_gqa: bool = False) -> Array:
    if dropout_p or enable_gqa:
        raise unsupported("attention with dropout or enable_gqa", m.where, "neither of them")
    if is_causal:
        attn_mask = m.side(q.shape[-2], k.shape[-2], lower=True)
    return composites.attention(m, q, k, v, attn_mask, scale, is_causal or m.is_test(attn_mask))


def _formula(name: str) -> Rule:
    """An entrywise function by its formula."""
    return lambda m, *args, **_: NUMBERS[name](m, *[a if isinstance(a, Array) else m.number(a) for a in args])


def _rrelu(m: Maker, a: Array, lower: Any = 1 / 8, upper: Any = 1 / 3, training: bool = False, *_: Any) -> Array:
    if training:
        raise unsupported("rrelu while training", m.where, "model.eval()")
    return m.map("leaky_relu", a, (rational(lower) + rational(upper)) / 2)


OPERATORS: dict[str, Rule] = {
    **{name: _map(name) for name in ("mul", "neg", "exp", "log", "log1p", "expm1", "tanh", "sin", "cos", "sinh", "cosh", "erf",
                                     "erfc", "sqrt", "rsqrt", "square", "abs", "sign", "pow", "relu", "gt", "ge", "lt", "le", "eq", "ne")},
    "div": _divided, "true_divide": _divided,
    "sigmoid": _map("logistic"), "atan": _map("atan"), "maximum": _map("max"), "minimum": _map("min"), "where": _map("select"),
    "add": _scaled("add"), "sub": _scaled("sub"), "rsub": lambda m, a, b, alpha=1: _scaled("sub")(m, b, a, alpha),
    "reciprocal": lambda m, a: m.map("div", 1, a), "log_sigmoid": composites.log_sigmoid,
    "leaky_relu": lambda m, a, slope=0.01: m.map("leaky_relu", a, slope),
    "gelu": lambda m, a, approximate="none": composites.gelu(m, a, approximate),
    "silu": composites.silu, "mish": composites.mish, "softplus": lambda m, a, beta=1, threshold=20: composites.softplus(m, a, beta),
    "elu": lambda m, a, alpha=1, scale=1, *_: composites.elu(m, a, alpha, scale),
    "selu": lambda m, a: composites.elu(m, a, composites.SELU_ALPHA, composites.SELU_SCALE),
    "hardtanh": lambda m, a, low=-1, high=1: composites.hardtanh(m, a, low, high), "relu6": lambda m, a: composites.hardtanh(m, a, 0, 6),
    "clamp": lambda m, a, min=None, max=None: composites.hardtanh(m, a, -sp.oo if min is None else min, sp.oo if max is None else max),
    "clamp_min": lambda m, a, low: m.map("max", a, low), "clamp_max": lambda m, a, high: m.map("min", a, high),
    "sum": _reduce, "mean": _mean, "max": _extreme("max"), "min": _extreme("min"),
    "amax": lambda m, a, dim=None, keepdim=False: m.top(a, dim, keepdim),
    "amin": lambda m, a, dim=None, keepdim=False: m.fold("min", a, dim, keepdim),
    "prod": lambda m, a, dim=None, keepdim=False, **_: m.fold("prod", a, dim, keepdim),
    "any": lambda m, a, dim=None, keepdim=False: m.any(_converted(m, a, "bool" if m.is_test(a) else "real", "bool"), dim, keepdim),
    "all": lambda m, a, dim=None, keepdim=False: m.all(_converted(m, a, "bool" if m.is_test(a) else "real", "bool"), dim, keepdim),
    "var_mean": lambda m, a, dim=None, *rest, **options: [_variance(m, a, dim, *rest, **options),
                                                          m.mean(a, dim, options.get("keepdim", False))],
    "std_mean": lambda m, a, dim=None, *rest, **options: [m.map("sqrt", _variance(m, a, dim, *rest, **options)),
                                                          m.mean(a, dim, options.get("keepdim", False))],
    **{name: _formula(formula) for name, formula in (
        ("tan", "tan"), ("asin", "arcsin"), ("acos", "arccos"), ("atan2", "arctan2"), ("asinh", "arcsinh"), ("acosh", "arccosh"),
        ("atanh", "arctanh"), ("log2", "log2"), ("log10", "log10"), ("exp2", "exp2"), ("special_exp2", "exp2"), ("trunc", "trunc"),
        ("fix", "trunc"), ("fmod", "fmod"), ("remainder", "remainder"), ("hypot", "hypot"), ("logaddexp", "logaddexp"),
        ("heaviside", "heaviside"), ("fmax", "maximum"), ("fmin", "minimum"), ("xlogy", "xlogy"), ("special_xlogy", "xlogy"),
        ("special_ndtr", "ndtr"))}, "frac": lambda m, a: m.map("sub", a, NUMBERS["trunc"](m, a)), "rrelu": _rrelu,
    "var": _variance, "std": lambda m, *args, **options: m.map("sqrt", _variance(m, *args, **options)),
    "logsumexp": composites.logsumexp,
    "softmax": lambda m, a, dim, *_: composites.softmax(m, a, dim), "log_softmax": lambda m, a, dim, *_: composites.log_softmax(m, a, dim),
    "linear": lambda m, x, w, b=None: m.linear(x, w, b), "matmul": lambda m, a, b: m.matmul(a, b), "mm": lambda m, a, b: m.matmul(a, b),
    "bmm": lambda m, a, b: m.matmul(a, b), "addmm": _addmm, "dot": lambda m, a, b: m.matmul(a, b), "mv": lambda m, a, b: m.matmul(a, b),
    "t": _transpose, "transpose": _transpose, "permute": lambda m, a, order: m.permute(a, order), "numpy_T": lambda m, a: m.permute(
        a, range(a.rank)[::-1]), "view": lambda m, a, sizes: m.reshape(a, sizes), "reshape": lambda m, a, sizes: m.reshape(a, sizes),
    "_unsafe_view": lambda m, a, sizes: m.reshape(a, sizes), "flatten": _flatten, "unflatten": _unflatten, "unsqueeze": _unsqueeze,
    "squeeze": _squeeze, "expand": lambda m, a, sizes, **_: m.expand(a, sizes), "select": lambda m, a, dim, place: m.take(a, dim, place),
    "slice": _slice, "split": _pieces, "split_with_sizes": _pieces, "chunk": _chunk, "unbind": _unbind,
    "broadcast_tensors": lambda m, arrays: arrays,  # every operation broadcasts
    **PLACES, **WINDOWS, **NORMS, **MATRICES, **dict.fromkeys(("contiguous", "clone", "alias", "lift_fresh_copy"), _same),
    **dict.fromkeys(("to", "_to_copy", "type_as"), _cast),
    "detach": lambda m, a: m.stopped(a), "floor": _map("floor"), "ceil": _map("ceil"), "round": _rounded,
    "dropout": _dropout, "feature_dropout": _dropout, "scaled_dot_product_attention": _attention,
    "zeros": lambda m, sizes, **_: m.expand(m.number(0), sizes), "ones": lambda m, sizes, **_: m.expand(m.number(1), sizes),
}

# What a traced function needs besides: its operators stand behind autograd, where ``detach`` only hands on, and dtypes are seen.


def _layer_norm_parts(m: Maker, x: Array, shape: Sequence[Any], w: Array | None, b: Array | None, eps: float) -> list[Array]:
    """With the mean and 1/√(variance + eps) behind, which a backward pass keeps."""
    axes = range(x.rank - len(shape), x.rank)
    made, variance = composites.layer_norm(m, x, len(shape), w, b, eps), m.variance(x, axes, 0, True)
    return [made, m.mean(x, axes, True), m.map("rsqrt", m.map("add", variance, rational(eps)))]


TRACED: dict[str, Rule] = {
    **OPERATORS, **dict.fromkeys(("detach", "lift", "alias", "_conj", "conj_physical", "resolve_conj"), _same), "_to_copy": _converted,
    "copy": lambda m, a, b, *_: m.expand(b, a.shape), "zero": lambda m, a: m.expand(m.number(0), a.shape),
    "fill": lambda m, a, value: m.expand(value if isinstance(value, Array) else m.number(value), a.shape),
    "_softmax": lambda m, a, dim, *_: composites.softmax(m, a, dim),
    "_log_softmax": lambda m, a, dim, *_: composites.log_softmax(m, a, dim),
    "empty": lambda m, sizes, **_: m.expand(m.number(float("nan")), sizes), "empty_like": lambda m, a, **_: m.expand(
        m.number(float("nan")), a.shape), "new_empty": lambda m, a, sizes, **_: m.expand(m.number(float("nan")), sizes),
    "native_layer_norm": _layer_norm_parts, "sgn": _map("sign"),
}
