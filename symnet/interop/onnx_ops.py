"""ONNX operators as array operations, one row each. Conventions are those of ONNX's operator reference (opset 13 and later)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from symnet.interop import idioms
from symnet.interop.arrays import Array, Maker
from symnet.interop.graph import unsupported


@dataclass(frozen=True, slots=True)
class Call:
    """One node: its inputs (an Array, a NumPy array of whole numbers or of one number, or None) and its attributes."""

    maker: Maker
    inputs: Sequence[Any]
    attributes: Mapping[str, Any]

    def array(self, k: int) -> Array | None:
        """Input k as an array of the program."""
        value = self.inputs[k] if k < len(self.inputs) else None
        if value is None or isinstance(value, Array):
            return value
        if value.size != 1:
            raise unsupported(f"a constant array of shape {value.shape} as input {k + 1}", self.maker.where, "a number, or an initializer")
        number = self.maker.number(float(str(value.reshape(())[()])) if value.dtype.kind == "f" else value.item())
        return self.maker.expand(number, [1] * value.ndim) if value.ndim else number

    def first(self) -> Array:
        """The first input."""
        value = self.array(0)
        if value is None:
            raise unsupported("a node without inputs", self.maker.where, "one input")
        return value

    def arrays(self) -> list[Array]:
        """Every input."""
        return [a for k in range(len(self.inputs)) if (a := self.array(k)) is not None]

    def integers(self, k: int, attribute: str) -> list[int] | None:
        """Whole numbers given as input k or, in older models, as an attribute."""
        if k < len(self.inputs) and self.inputs[k] is not None:
            value = self.inputs[k]
            if isinstance(value, Array):
                raise unsupported(f"{attribute} that are computed", self.maker.where, "constants")
            return [int(n) for n in value.reshape(-1)]
        found = self.attributes.get(attribute)
        return None if found is None else [int(n) for n in (found if isinstance(found, (list, tuple)) else [found])]

    def get(self, name: str, default: Any) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)


Rule = Callable[[Call], Any]


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


def _norm2(m: Maker, a: Array, axes: Any, keep: bool) -> Array:
    return m.map("sqrt", m.sum(m.map("square", a), axes, keep))


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


def _gather(c: Call) -> Array:
    where = c.inputs[1]
    if isinstance(where, Array) or where.ndim:
        raise unsupported("Gather with an array of places", c.maker.where, "one constant place")
    return c.maker.take(c.first(), int(c.get("axis", 0)), int(where))


def _softmax(function: Callable[[Maker, Array, int], Array]) -> Rule:
    return lambda c: function(c.maker, c.first(), int(c.get("axis", -1)))


def _clip(c: Call) -> Array:
    low, high = c.array(1), c.array(2)
    made = c.first()
    made = made if low is None else c.maker.map("max", made, low)
    return made if high is None else c.maker.map("min", made, high)


def _window(c: Call) -> tuple[list[int], list[int], list[int], list[int]]:
    """(kernel, stride, padding, dilation) of the spatial axes."""
    rank = c.first().rank - 2
    weights = c.array(1)
    kernel = [int(n) for n in c.get("kernel_shape", None) or (weights.shape[2:] if weights is not None else [])]
    pads = list(c.get("pads", [0] * 2 * rank))
    if pads[:rank] != pads[rank:] or c.get("auto_pad", "NOTSET") not in ("NOTSET", b"NOTSET", "VALID", b"VALID") or c.get("ceil_mode", 0):
        raise unsupported("padding on one side, auto_pad or ceil_mode", c.maker.where, "equal padding on both sides")
    return kernel, list(c.get("strides", [1] * rank)), pads[:rank], list(c.get("dilations", [1] * rank))


def _conv(c: Call) -> Array:
    _, stride, padding, dilation = _window(c)
    x, w, *bias = c.arrays()
    return idioms.convolution(c.maker, x, w, bias[0] if bias else None, stride, padding, dilation, int(c.get("group", 1)))


def _average_pool(c: Call) -> Array:
    kernel, stride, padding, dilation = _window(c)
    if any(d != 1 for d in dilation) or (any(padding) and not c.get("count_include_pad", 0)):
        raise unsupported("dilations, or padding that is not counted", c.maker.where, "none, or count_include_pad=1")
    return idioms.average_pool(c.maker, c.first(), kernel, stride, padding)


def _max_pool(c: Call) -> Array:
    kernel, stride, padding, dilation = _window(c)
    return idioms.max_pool(c.maker, c.first(), kernel, stride, padding, dilation)


def _layer_norm(c: Call) -> Array:
    a = c.first()
    return idioms.layer_norm(c.maker, a, a.rank - int(c.get("axis", -1)) % a.rank, c.array(1), c.array(2), c.get("epsilon", 1e-5))


def _batch_norm(c: Call) -> Array:
    if c.get("training_mode", 0):
        raise unsupported("BatchNormalization while training", c.maker.where, "a model for inference")
    x, scale, bias, mean, var = c.arrays()
    return idioms.batch_norm(c.maker, x, scale, bias, mean, var, c.get("epsilon", 1e-5))


def _transpose(c: Call) -> Array:
    a = c.first()
    return c.maker.permute(a, c.get("perm", None) or range(a.rank)[::-1])


def _dropout(c: Call) -> Array:
    if len(c.inputs) > 2 and c.inputs[2] is not None and bool(c.inputs[2]):
        raise unsupported("Dropout while training", c.maker.where, "a model for inference")
    return c.first()


def _cast(c: Call) -> Array:
    a = c.first()
    if int(c.get("to", 1)) not in (1, 10, 11, 16):
        raise unsupported("a conversion to something else than real numbers", c.maker.where, "float or double")
    comparison = c.maker.graph.ops[a.node].more[:1] in [(name,) for name in ("gt", "ge", "lt", "le")]
    return c.maker.map("indicator", a) if comparison else a


def _expand(c: Call) -> Array:
    a, sizes = c.first(), c.integers(1, "shape") or []
    padded = (sp.S.One,) * (len(sizes) - a.rank) + a.shape
    return c.maker.expand(a, [n if m == 1 else m for n, m in zip(sizes, padded[-len(sizes):], strict=True)])


def _logsumexp(m: Maker, a: Array, axes: Any, keep: bool) -> Array:
    return idioms.logsumexp(m, a, axes, keep)


MAPS = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Neg": "neg", "Exp": "exp", "Log": "log", "Tanh": "tanh", "Sin": "sin",
        "Cos": "cos", "Sinh": "sinh", "Cosh": "cosh", "Atan": "atan", "Erf": "erf", "Sqrt": "sqrt", "Abs": "abs", "Sign": "sign",
        "Pow": "pow", "Relu": "relu", "Sigmoid": "logistic", "Greater": "gt", "GreaterOrEqual": "ge", "Less": "lt", "LessOrEqual": "le",
        "Where": "select"}
OPERATORS: dict[str, Rule] = {
    **{name: _map(function) for name, function in MAPS.items()},
    "Max": _fold("max"), "Min": _fold("min"), "Sum": _fold("add"), "Gemm": _gemm, "MatMul": lambda c: c.maker.matmul(*c.arrays()),
    "Reciprocal": lambda c: c.maker.map("div", 1, c.first()), "Softplus": lambda c: c.maker.map("softplus", c.first()),
    "Softsign": lambda c: idioms.softsign(c.maker, c.first()), "Mish": lambda c: idioms.mish(c.maker, c.first()),
    "LeakyRelu": lambda c: c.maker.map("leaky_relu", c.first(), c.get("alpha", 0.01)),
    "Elu": lambda c: idioms.elu(c.maker, c.first(), c.get("alpha", 1.0)),
    "Selu": lambda c: idioms.elu(c.maker, c.first(), c.get("alpha", 1.67326319217681884765625), c.get("gamma", 1.05070102214813232421875)),
    "Gelu": lambda c: idioms.gelu(c.maker, c.first(), str(c.get("approximate", "none"))),
    "Clip": _clip, "Softmax": _softmax(idioms.softmax), "LogSoftmax": _softmax(idioms.log_softmax),
    "ReduceSum": _reduce(Maker.sum), "ReduceMean": _reduce(Maker.mean), "ReduceLogSumExp": _reduce(_logsumexp), "ReduceL2": _reduce(_norm2),
    "ReduceSumSquare": _reduce(lambda m, a, axes, keep: m.sum(m.map("square", a), axes, keep)),
    "ReduceL1": _reduce(lambda m, a, axes, keep: m.sum(m.map("abs", a), axes, keep)),
    "GlobalAveragePool": lambda c: c.maker.mean(c.first(), range(2, c.first().rank), True),
    "Transpose": _transpose, "Reshape": _reshape, "Flatten": _flatten, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze, "Slice": _slice,
    "Split": _split, "Gather": _gather, "Expand": _expand, "Identity": lambda c: c.first(), "Cast": _cast,
    "Dropout": _dropout,
    "Conv": _conv, "AveragePool": _average_pool, "MaxPool": _max_pool, "LayerNormalization": _layer_norm, "BatchNormalization": _batch_norm,
}
