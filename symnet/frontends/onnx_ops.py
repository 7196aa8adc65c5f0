"""ONNX operators as array operations, one row each. Conventions are those of ONNX's operator reference (opset 13 and later)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from symnet.frontends.onnx_call import Call, Rule
from symnet.frontends.onnx_places import PLACES
from symnet.indexing import composites
from symnet.indexing.graph import unsupported
from symnet.indexing.numpy_ufuncs import NUMBERS
from symnet.indexing.operations import Array, Maker


def _map(function: str) -> Rule:
    return lambda c: c.maker.map(function, *c.arrays())


def _fold(function: str) -> Rule:
    """max, min and sum take any number of inputs."""
    def rule(c: Call) -> Array:
        made, *rest = c.arrays()
        for a in rest:
            made = c.maker.map(function, made, a)
        return made
    return rule


def _gemm(c: Call) -> Array:
    m, (a, b, *rest) = c.maker, c.arrays()
    a = m.permute(a, (1, 0)) if c.get("transA", 0) else a
    made = m.linear(a, b) if c.get("transB", 0) else m.matmul(a, b)
    made = made if c.get("alpha", 1.0) == 1 else m.map("mul", c.get("alpha", 1.0), made)
    if not rest:
        return made
    return m.map("add", made, rest[0] if c.get("beta", 1.0) == 1 else m.map("mul", c.get("beta", 1.0), rest[0]))


def _reduce(function: Callable[..., Array]) -> Rule:
    def rule(c: Call) -> Array:
        axes = c.integers(1, "axes")
        if not axes and c.get("noop_with_empty_axes", 0):
            return c.first()
        return function(c.maker, c.first(), axes, bool(c.get("keepdims", 1)))
    return rule


def _reshape(c: Call) -> Array:
    a, sizes = c.first(), c.integers(1, "shape") or []
    return c.maker.reshape(a, [a.shape[k] if n == 0 and not c.get("allowzero", 0) else n for k, n in enumerate(sizes)])


def _flatten(c: Call) -> Array:
    a, axis = c.first(), c.get("axis", 1)
    return c.maker.reshape(a, [sp.Mul(*a.shape[:axis]), sp.Mul(*a.shape[axis:])])


def _squeeze(c: Call) -> Array:
    a, axes = c.first(), c.integers(1, "axes")
    gone = [k for k, n in enumerate(a.shape) if n == 1] if axes is None else [k % a.rank for k in axes]
    return c.maker.reshape(a, [n for k, n in enumerate(a.shape) if k not in gone])


def _unsqueeze(c: Call) -> Array:
    a, axes = c.first(), c.integers(1, "axes") or []
    rest, new = list(a.shape), {k % (a.rank + len(axes)) for k in axes}
    return c.maker.reshape(a, [sp.S.One if k in new else rest.pop(0) for k in range(a.rank + len(axes))])


def _slice(c: Call) -> Array:
    a, starts, ends = c.first(), c.integers(1, "starts") or [], c.integers(2, "ends") or []
    axes, steps = c.integers(3, "axes") or list(range(len(starts))), c.integers(4, "steps") or [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        a = c.maker.cut(a, axis, start, end, step)
    return a


def _split(c: Call) -> list[Array]:
    a, axis = c.first(), int(c.get("axis", 0))
    count = c.get("num_outputs", None)
    whole = int(a.shape[axis])
    each = -(-whole // int(count or 2))
    sizes = c.integers(1, "split") or [min(each, whole - k) for k in range(0, whole, each)]
    return [c.maker.cut(a, axis, sum(sizes[:k]), sum(sizes[:k + 1])) for k in range(len(sizes))]


def _softmax(function: Callable[[Maker, Array, int], Array]) -> Rule:
    return lambda c: function(c.maker, c.first(), int(c.get("axis", -1)))


def _clip(c: Call) -> Array:
    low, high = c.array(1), c.array(2)
    made = c.first()
    made = made if low is None else c.maker.map("max", made, low)
    return made if high is None else c.maker.map("min", made, high)


def _layer_norm(c: Call) -> Array:
    a = c.first()
    return composites.layer_norm(c.maker, a, a.rank - int(c.get("axis", -1)) % a.rank, c.array(1), c.array(2), c.get("epsilon", 1e-5))


def _batch_norm(c: Call) -> Array:
    if c.get("training_mode", 0):
        raise unsupported("BatchNormalization while training", c.maker.where, "a model for inference")
    x, scale, bias, mean, var = c.arrays()
    return composites.batch_norm(c.maker, x, scale, bias, mean, var, c.get("epsilon", 1e-5))


def _transpose(c: Call) -> Array:
    a = c.first()
    return c.maker.permute(a, c.get("perm", None) or range(a.rank)[::-1])


def _dropout(c: Call) -> Array:
    if len(c.inputs) > 2 and c.inputs[2] is not None and bool(c.inputs[2]):
        raise unsupported("Dropout while training", c.maker.where, "a model for inference")
    return c.first()


def _cast(c: Call) -> Array:
    a = c.first()
    kind, test = int(c.get("to", 1)), c.maker.is_test(a)
    if kind == 9:
        return a if test else c.maker.map("ne", a, 0)
    if kind in (6, 7) and (test or c.maker.is_whole(a)):
        return c.maker.map("indicator", a) if test else a
    if kind not in (1, 10, 11, 16):
        raise unsupported("a conversion to something else than real numbers", c.maker.where, "float or double")
    return c.maker.map("indicator", a) if test else a


def _expand(c: Call) -> Array:
    a, sizes = c.first(), c.integers(1, "shape") or []
    padded = (sp.S.One,) * (len(sizes) - a.rank) + a.shape
    return c.maker.expand(a, [n if m == 1 else m for n, m in zip(sizes, padded[-len(sizes):], strict=True)])


def _tile(c: Call) -> Array:
    return c.maker.tiled(c.first(), c.integers(1, "repeats") or [])


def _shrink(c: Call) -> Array:
    """x + bias below -lambd, x - bias above it, 0 between."""
    m, x, edge, bias = c.maker, c.first(), c.get("lambd", 0.5), c.get("bias", 0.0)
    low = m.map("select", m.map("lt", x, m.map("neg", edge)), m.map("add", x, bias), 0)
    return m.map("select", m.map("gt", x, edge), m.map("sub", x, bias), low)


def _lp_normalization(c: Call) -> Array:
    m, x, axis = c.maker, c.first(), int(c.get("axis", -1))
    size = m.sum(m.map("abs", x), axis, True) if int(c.get("p", 2)) == 1 else composites.norm(m, x, axis, True)
    return m.map("div", x, size)


def _standardized(c: Call) -> Array:
    """(x - mean)/√(variance + 1e-9), along the axes."""
    m, x, axes = c.maker, c.first(), c.get("axes", None) or [0, 2, 3]
    return m.map("div", m.map("sub", x, m.mean(x, axes, True)), m.map("add", m.map("sqrt", m.variance(x, axes, 0, True)), 1e-9))


def _formula(name: str) -> Rule:
    return lambda c: NUMBERS[name](c.maker, *c.arrays())


def _logsumexp(m: Maker, a: Array, axes: Any, keep: bool) -> Array:
    return composites.logsumexp(m, a, axes, keep)


MAPS = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Neg": "neg", "Exp": "exp", "Log": "log", "Tanh": "tanh", "Sin": "sin",
        "Cos": "cos", "Sinh": "sinh", "Cosh": "cosh", "Atan": "atan", "Erf": "erf", "Sqrt": "sqrt", "Abs": "abs", "Sign": "sign",
        "Pow": "pow", "Relu": "relu", "Sigmoid": "logistic", "Greater": "gt", "GreaterOrEqual": "ge", "Less": "lt", "LessOrEqual": "le",
        "Where": "select", "Floor": "floor", "Ceil": "ceil"}
OPERATORS: dict[str, Rule] = {
    **{name: _map(function) for name, function in MAPS.items()},
    "Mean": lambda c: c.maker.map("div", _fold("add")(c), len(c.arrays())),
    "ThresholdedRelu": lambda c: c.maker.map("select", c.maker.map("gt", c.first(), c.get("alpha", 1.0)), c.first(), 0),
    "Shrink": _shrink, "LpNormalization": _lp_normalization, "MeanVarianceNormalization": _standardized,
    "Max": _fold("max"), "Min": _fold("min"), "Sum": _fold("add"), "Gemm": _gemm, "MatMul": lambda c: c.maker.matmul(*c.arrays()),
    "Reciprocal": lambda c: c.maker.map("div", 1, c.first()), "Softplus": lambda c: c.maker.map("softplus", c.first()),
    "Softsign": lambda c: composites.softsign(c.maker, c.first()), "Mish": lambda c: composites.mish(c.maker, c.first()),
    "LeakyRelu": lambda c: c.maker.map("leaky_relu", c.first(), c.get("alpha", 0.01)),
    "Elu": lambda c: composites.elu(c.maker, c.first(), c.get("alpha", 1.0)),
    "Selu": lambda c: composites.elu(c.maker, c.first(), c.get("alpha", 1.67326319217681884765625),
                                     c.get("gamma", 1.05070102214813232421875)),
    "Gelu": lambda c: composites.gelu(c.maker, c.first(), str(c.get("approximate", "none"))),
    "Clip": _clip, "Softmax": _softmax(composites.softmax), "LogSoftmax": _softmax(composites.log_softmax),
    "ReduceSum": _reduce(Maker.sum), "ReduceMean": _reduce(Maker.mean), "ReduceLogSumExp": _reduce(_logsumexp),
    "ReduceL2": _reduce(composites.norm),
    "ReduceSumSquare": _reduce(lambda m, a, axes, keep: m.sum(m.map("square", a), axes, keep)),
    "ReduceL1": _reduce(lambda m, a, axes, keep: m.sum(m.map("abs", a), axes, keep)),
    "GlobalAveragePool": lambda c: c.maker.mean(c.first(), range(2, c.first().rank), True),
    "ReduceMax": _reduce(Maker.top), "ReduceMin": _reduce(lambda m, a, axes, keep: m.fold("min", a, axes, keep)),
    "ReduceProd": _reduce(lambda m, a, axes, keep: m.fold("prod", a, axes, keep)),
    "ReduceLogSum": _reduce(lambda m, a, axes, keep: m.map("log", m.sum(a, axes, keep))),
    "GlobalMaxPool": lambda c: c.maker.fold("max", c.first(), range(2, c.first().rank), True), "Tile": _tile,
    "Einsum": lambda c: c.maker.einsum(str(c.get("equation", "")), c.arrays()), "Det": lambda c: c.maker.det(c.first()),
    "IsNaN": lambda c: c.maker.map("never", c.first()), "Round": _map("round"), "Mod": lambda c: NUMBERS[
        "fmod" if c.get("fmod", 0) else "remainder"](c.maker, *c.arrays()),
    **{name: _formula(formula) for name, formula in (
        ("Tan", "tan"), ("Asin", "arcsin"), ("Acos", "arccos"), ("Asinh", "arcsinh"), ("Acosh", "arccosh"), ("Atanh", "arctanh"))},
    "Swish": lambda c: c.maker.map("mul", c.first(), c.maker.map("logistic", c.maker.map("mul", c.get("alpha", 1.0), c.first()))),
    "RMSNormalization": lambda c: composites.rms_norm(c.maker, c.first(), c.first().rank - int(c.get("axis", -1)) % c.first().rank,
                                                      c.array(1), c.get("epsilon", 1e-5)),
    "Transpose": _transpose, "Reshape": _reshape, "Flatten": _flatten, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze, "Slice": _slice,
    "Split": _split, "Expand": _expand, "Identity": lambda c: c.first(), "Cast": _cast,
    "Dropout": _dropout,
    "LayerNormalization": _layer_norm, "BatchNormalization": _batch_norm, **PLACES,
}
