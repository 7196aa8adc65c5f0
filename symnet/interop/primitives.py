"""JAX's primitives as graph operations, one row each. What is not here is refused by name, and only where the result is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symnet.interop.jaxpr import Equation

Rule = Callable[["Equation"], int]
INNER = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "core_call": "call_jaxpr", "custom_jvp_call": "call_jaxpr",
         "custom_vjp_call": "call_jaxpr", "custom_vjp_call_jaxpr": "fun_jaxpr", "remat2": "jaxpr", "checkpoint": "jaxpr"}


def inner_jaxpr(name: str, params: dict[str, Any]) -> Any:
    """The function that a call primitive calls; None for any other primitive."""
    return params.get(INNER[name], params.get("fun_jaxpr")) if name in INNER else None


def _map(function: str) -> Rule:
    return lambda e: e.graph.map(function, *e.args, where=e.where)


def _same(e: Equation) -> int:
    return e.args[0]


def _convert(e: Equation) -> int:
    before, after = str(e.inputs[0].dtype), str(e.params["new_dtype"])
    if before == "bool":
        return e.graph.map("indicator", e.args[0], where=e.where)
    if before.startswith("float") and not after.startswith(("float", "bfloat")):
        raise e.refuse(f"a conversion from {before} to {after}", "real numbers")
    return e.args[0]


def _integer_pow(e: Equation) -> int:
    return e.graph.map("pow", e.args[0], e.graph.number(int(e.params["y"])), where=e.where)


def _sum(e: Equation) -> int:
    return e.graph.add("sum", *e.args, more=(tuple(e.params["axes"]), False), where=e.where)


def _max(e: Equation) -> int:
    return e.graph.add("top", *e.args, more=(tuple(e.params["axes"]), False), where=e.where)


def _dot(e: Equation) -> int:
    (contract_a, contract_b), (batch_a, batch_b) = e.params["dimension_numbers"]
    pairs = (tuple(contract_a), tuple(contract_b)), (tuple(batch_a), tuple(batch_b))
    return e.graph.add("dot", *e.args, more=pairs, where=e.where)


def _broadcast(e: Equation) -> int:
    places = tuple(e.params["broadcast_dimensions"])
    sizes = e.sizes(e.outputs[0].shape)
    sources = tuple(places.index(k) if k in places else None for k in range(len(sizes)))
    return e.graph.add("spread", e.args[0], more=(sources, sizes), where=e.where)


def _to_shape(e: Equation) -> int:
    return e.graph.add("reshape", e.args[0], more=(e.sizes(e.outputs[0].shape),), where=e.where)


def _reshape(e: Equation) -> int:
    if e.params.get("dimensions") is not None:
        raise e.refuse("a reshape that permutes", "reshape and transpose apart")
    return _to_shape(e)


def _slice(e: Equation) -> int:
    node = e.args[0]
    starts, steps = e.sizes(e.params["start_indices"]), e.params["strides"] or [1] * len(e.outputs[0].shape)
    for axis, (start, length, whole, step) in enumerate(zip(starts, e.sizes(e.outputs[0].shape), e.sizes(e.inputs[0].shape), steps,
                                                            strict=True)):
        if (start, length) != (0, whole):
            node = e.graph.add("cut", node, more=(axis, start, length, int(step)), where=e.where)
    return node


def _transpose(e: Equation) -> int:
    return e.graph.add("permute", *e.args, more=(tuple(e.params["permutation"]),), where=e.where)


def _select(e: Equation) -> int:
    if len(e.args) != 3 or str(e.inputs[0].dtype) != "bool":
        raise e.refuse("a choice by number", "a choice between two by a comparison")
    return e.graph.map("select", e.args[0], e.args[2], e.args[1], where=e.where)


def _size(e: Equation) -> int:
    return e.graph.number(e.sizes([e.params["dim"]])[0], e.where)


def _clamp(e: Equation) -> int:
    low, x, high = e.args
    return e.graph.map("min", e.graph.map("max", x, low, where=e.where), high, where=e.where)


PRIMITIVES: dict[str, Rule] = {
    **{name: _map(name) for name in ("add", "sub", "mul", "div", "neg", "exp", "log", "log1p", "expm1", "tanh", "sin", "cos", "sinh",
                                     "cosh", "atan", "logistic", "erf", "erfc", "sqrt", "rsqrt", "square", "abs", "sign", "max", "min",
                                     "pow", "gt", "ge", "lt", "le", "eq", "ne", "is_finite")},
    "add_any": _map("add"), "stop_gradient": _same, "copy": _same, "copy_p": _same, "optimization_barrier": _same,
    "convert_element_type": _convert, "integer_pow": _integer_pow, "reduce_sum": _sum, "reduce_max": _max, "dot_general": _dot,
    "broadcast_in_dim": _broadcast, "reshape": _reshape, "slice": _slice, "squeeze": _to_shape, "expand_dims": _to_shape,
    "transpose": _transpose,
    "select_n": _select, "dim_as_value": _size, "clamp": _clamp,
}
