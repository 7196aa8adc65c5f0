"""JAX's primitives as graph operations, one row each. What is not here is refused by name, and only where the result is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from symnet.frontends.jax_equation import Equation
from symnet.indexing.composites import convolution
from symnet.indexing.operations import Array, Maker

Rule = Callable[["Equation"], "int | list[int]"]
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
    if after == "bool":
        return e.graph.map("ne", e.args[0], e.graph.number(0), where=e.where)
    if before.startswith("float") and not after.startswith(("float", "bfloat")):
        raise e.refuse(f"a conversion from {before} to {after}", "real numbers")
    return e.args[0]


def _integer_pow(e: Equation) -> int:
    return e.graph.map("pow", e.args[0], e.graph.number(int(e.params["y"])), where=e.where)


def _round(e: Equation) -> int:
    even = int(e.params["rounding_method"]) == 1  # lax.RoundingMethod.TO_NEAREST_EVEN
    if not even:
        raise e.refuse("a rounding of halves away from 0", "jnp.round, which rounds halves to even")
    return e.graph.map("round", *e.args, where=e.where)


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


def _split(e: Equation) -> list[int]:
    axis, starts, made = int(e.params["axis"]), 0, []
    for size in map(int, e.params["sizes"]):
        made.append(e.graph.add("cut", e.args[0], more=(axis, sp.Integer(starts), sp.Integer(size), 1), where=e.where))
        starts += size
    return made


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


def _iota(e: Equation) -> int:
    return e.graph.add("iota", more=(int(e.params["dimension"]), e.sizes(e.outputs[0].shape)), where=e.where)


def _concatenate(e: Equation) -> int:
    return e.graph.add("concat", *e.args, more=(int(e.params["dimension"]),), where=e.where)


def _stack(e: Equation) -> int:
    axis, shape = int(e.params["axis"]), e.sizes(e.inputs[0].shape)
    wide = (*shape[:axis], sp.S.One, *shape[axis:])
    parts = [e.graph.add("reshape", a, more=(wide,), where=e.where) for a in e.args]
    return e.graph.add("concat", *parts, more=(axis,), where=e.where) if len(parts) > 1 else parts[0]


def _pad(e: Equation) -> int:
    node, filling = e.args
    if e.graph.ops[filling].kind != "number":
        raise e.refuse("a padding value that is computed", "a number")
    for axis, (low, high, between) in enumerate(e.params["padding_config"]):
        if int(between) or int(low) < 0 or int(high) < 0:
            raise e.refuse("padding between the entries, or less than none", "padding around the array")
        if low or high:
            more = (axis, sp.Integer(int(low)), sp.Integer(int(high)), e.graph.ops[filling].more[0])
            node = e.graph.add("pad", node, more=more, where=e.where)
    return node


def _cumsum(e: Equation) -> int:
    return e.graph.add("running", *e.args, more=(int(e.params["axis"]), bool(e.params["reverse"])), where=e.where)


def _reverse(e: Equation) -> int:
    node = e.args[0]
    for axis in e.params["dimensions"]:
        node = e.graph.add("reverse", node, more=(int(axis),), where=e.where)
    return node


def _dynamic_slice(e: Equation) -> int:
    node, *starts = e.args
    sizes = e.sizes(e.params["slice_sizes"])
    for axis, (start, size, whole) in enumerate(zip(starts, sizes, e.sizes(e.inputs[0].shape), strict=True)):
        if size == whole:
            continue
        op = e.graph.ops[start]
        if op.kind != "number":
            raise e.refuse("a start that is computed", "a number")
        first = int(op.more[0])
        first = first + int(whole) if first < 0 else first
        node = e.graph.add("cut", node, more=(axis, sp.Integer(min(first, int(whole - size))), size, 1), where=e.where)
    return node


def _gather(e: Equation) -> int:
    """Look-ups: every axis that is named by an index is taken at one place, the others are taken whole."""
    numbers, sizes, whole = e.params["dimension_numbers"], e.sizes(e.params["slice_sizes"]), e.sizes(e.inputs[0].shape)
    named, shared = list(numbers.start_index_map), list(getattr(numbers, "operand_batching_dims", ()))
    gone = [*numbers.collapsed_slice_dims, *shared]
    if any(d not in numbers.collapsed_slice_dims for d in named) or any(n != w for d, (n, w) in enumerate(zip(sizes, whole, strict=True))
                                                                       if d not in gone):
        raise e.refuse("a gather of stretches", "rows or entries, as x[index] and take_along_axis take them")
    rank = len(e.inputs[1].shape) - 1
    parts = [e.graph.add("take", e.args[1], more=(rank, k), where=e.where) for k in range(len(named))]
    pairs = tuple(zip(map(int, shared), map(int, getattr(numbers, "start_indices_batching_dims", ())), strict=True))
    made = e.graph.add("lookup", e.args[0], *parts, more=(tuple(map(int, named)), pairs), where=e.where)
    offset = [int(d) for d in numbers.offset_dims]
    places = [d for d in range(len(e.outputs[0].shape)) if d not in offset]
    order = [places.index(d) if d in places else rank + offset.index(d) for d in range(len(e.outputs[0].shape))]
    return made if order == sorted(order) else e.graph.add("permute", made, more=(tuple(order),), where=e.where)


def _conv(e: Equation) -> int:
    """Cross-correlation; JAX names the axes of its three arrays by their positions."""
    names, stride, pads = e.params["dimension_numbers"], e.params["window_strides"], e.params["padding"]
    if any(n != 1 for n in e.params["lhs_dilation"]) or e.params["batch_group_count"] != 1 or any(a != b for a, b in pads):
        raise e.refuse("a convolution with lhs_dilation, groups of samples or uneven padding", "even padding")
    m = Maker(e.graph, e.where)
    x, w = (Array(a, e.sizes(v.shape)) for a, v in zip(e.args, e.inputs, strict=True))
    x, w = m.permute(x, names.lhs_spec), m.permute(w, names.rhs_spec)
    made = convolution(m, x, w, None, list(stride), [int(a) for a, _ in pads], list(e.params["rhs_dilation"]),
                       int(e.params["feature_group_count"]))
    back = [list(names.out_spec).index(k) for k in range(made.rank)]
    return m.permute(made, back).node


PRIMITIVES: dict[str, Rule] = {
    **{name: _map(name) for name in ("add", "sub", "mul", "div", "neg", "exp", "log", "log1p", "expm1", "tanh", "sin", "cos", "sinh",
                                     "cosh", "atan", "logistic", "erf", "erfc", "sqrt", "rsqrt", "square", "abs", "sign", "max", "min",
                                     "floor", "ceil", "pow", "gt", "ge", "lt", "le", "eq", "ne", "is_finite")},
    "add_any": _map("add"), "stop_gradient": _map("stop_gradient"), "copy": _same, "copy_p": _same, "optimization_barrier": _same,
    "round": _round, "convert_element_type": _convert, "integer_pow": _integer_pow, "reduce_sum": _sum, "reduce_max": _max,
    "dot_general": _dot,
    "broadcast_in_dim": _broadcast, "reshape": _reshape, "slice": _slice, "squeeze": _to_shape, "expand_dims": _to_shape,
    "transpose": _transpose,
    "iota": _iota, "concatenate": _concatenate, "stack": _stack, "pad": _pad, "cumsum": _cumsum, "rev": _reverse, "split": _split,
    "gather": _gather, "dynamic_slice": _dynamic_slice, "conv_general_dilated": _conv, **{k: _map(k) for k in ("and", "or", "not")},
    "select_n": _select, "dim_as_value": _size, "clamp": _clamp,
}
