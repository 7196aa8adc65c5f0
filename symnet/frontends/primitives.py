"""JAX's primitives as graph operations, one row each. What is not here is refused by name, and only where the result is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy as sp

from symnet.frontends.jax_equation import Equation
from symnet.indexing.composites import convolution, pooled
from symnet.indexing.numpy_ufuncs import NUMBERS
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
    which, *cases = e.args
    if _counts_from_the_end(e, which, cases):
        return cases[0]
    if str(e.inputs[0].dtype) == "bool":
        return e.graph.map("select", which, cases[1], cases[0], where=e.where)
    return chosen(e, which, cases)


def _counts_from_the_end(e: Equation, which: int, cases: Sequence[int]) -> bool:
    """Is it the place i, or i + size where i < 0? Places count from 0 here: 0, 1, … are, and an index array with a negative entry is
    refused when the program runs."""
    test, moved = e.graph.ops[which], e.graph.ops[cases[1]]
    return bool(test.more == ("lt",) and moved.more == ("add",) and test.args[0] == cases[0] and cases[0] in moved.args
                and e.graph.ops[test.args[1]].more == (0,) and e.maker.counts_from_zero(cases[0]))


def chosen(e: Equation, which: int, cases: Sequence[int]) -> int:
    """The case that a whole number names."""
    made = cases[-1]
    for k, case in reversed(list(enumerate(cases[:-1]))):  # whole numbers count from 0, and what lies outside is the last
        made = e.graph.map("select", e.graph.map("eq", which, e.graph.number(k), where=e.where), case, made, where=e.where)
    return made


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
    m, (a, filling) = e.maker, e.arrays
    if e.graph.ops[filling.node].kind != "number":
        raise e.refuse("a padding value that is computed", "a number")
    value = e.graph.ops[filling.node].more[0]
    for axis, (low, high, between) in enumerate((int(before), int(after), int(b)) for before, after, b in e.params["padding_config"]):
        if between and value != 0:
            raise e.refuse(f"padding by {value} between the entries", "0")
        a = _around(m, m.stuffed(a, axis, between + 1), axis, low, high, value)
    return a.node


def _around(m: Maker, a: Array, axis: int, low: int, high: int, value: Any = 0) -> Array:
    """Places before and after; less than none cuts some off."""
    if low < 0 or high < 0:
        a = m.cut(a, axis, max(-low, 0), a.shape[axis] - max(-high, 0))
    return m.pad(a, axis, max(low, 0), max(high, 0), value)


def _running(name: str) -> Rule:
    return lambda e: e.maker.running(e.arrays[0], int(e.params["axis"]), bool(e.params["reverse"]), name).node


def _fold(name: str) -> Rule:
    return lambda e: e.maker.fold(name, e.arrays[0], tuple(map(int, e.params["axes"]))).node


def _window(kind: str) -> Rule:
    """lax.reduce_window by max, min or sum."""
    def rule(e: Equation) -> int:
        m, a = e.maker, e.arrays[0]
        names = ("window_dimensions", "window_strides", "padding", "base_dilation", "window_dilation")
        for axis, (size, step, pads, base, far) in enumerate(zip(*[e.params[n] for n in names], strict=True)):
            low, high = map(int, pads)
            if int(base) != 1 or (kind != "sum" and (low or high) and (int(far) != 1 or max(low, high) >= int(size))):
                raise e.refuse("a window with base_dilation, or a padded one with gaps", "a plain window")
            if int(size) == 1 and int(step) == 1 and not (low or high):
                continue
            a = m.pad(a, axis, low, high) if kind == "sum" else m.extended(a, axis, low, high, 1 if kind == "max" else -1)
            seen = m.window(a, axis, int(size), int(step), int(far))
            a = m.sum(seen, axis + 1) if kind == "sum" else pooled(m, seen, axis + 1, kind)
        return a.node
    return rule


def _cholesky(e: Equation) -> int:
    return e.maker.cholesky(e.arrays[0]).node


def _triangular_solve(e: Equation) -> int:
    m, (a, b), p = e.maker, e.arrays, e.params
    a = m.triangular(a, bool(p["lower"]), bool(p["unit_diagonal"]))
    a = m.transposed(a) if p["transpose_a"] else a
    return m.solve(a, b, bool(p["left_side"])).node


def _linear_solve(e: Equation) -> int:
    """A⁻¹ b for the matrix of lax.custom_linear_solve, where the system is a product with one that stands there whole."""
    lengths, inner = e.params["const_lengths"], e.params["jaxprs"].matvec
    body = getattr(inner, "jaxpr", inner)
    product = [q for q in body.eqns if str(q.primitive.name) == "dot_general"]
    rest = {str(q.primitive.name) for q in body.eqns} - {"dot_general", "transpose", "reshape", "squeeze", "broadcast_in_dim"}
    a, b = e.arrays[0], e.arrays[-1]
    if lengths.matvec != 1 or len(product) != 1 or rest or product[0].invars[0] is not body.invars[0] \
            or [int(k) for k in product[0].params["dimension_numbers"][0][0]] != [a.rank - 1]:
        raise e.refuse("a linear system that is no product with one matrix", "jnp.linalg.solve")
    m, theirs = e.maker, [int(k) for k in product[0].params["dimension_numbers"][0][1]]
    if len(e.args) != sum(lengths) + 1 or a.rank != 2 or b.rank > 2:
        raise e.refuse("a stack of linear systems, or several", "one system, or jnp.linalg.inv")
    if b.rank == 1:
        return m.solve(a, b).node
    return m.solve(a, b).node if theirs == [0] else m.permute(m.solve(a, m.permute(b, (1, 0))), (1, 0)).node


def _tile(e: Equation) -> int:
    return e.maker.tiled(e.arrays[0], list(map(int, e.params["reps"]))).node


def _reverse(e: Equation) -> int:
    node = e.args[0]
    for axis in e.params["dimensions"]:
        node = e.graph.add("reverse", node, more=(int(axis),), where=e.where)
    return node


def _dynamic_slice(e: Equation) -> int:
    a, *starts = e.arrays
    return _stretch(e.maker, a, starts, e.sizes(e.params["slice_sizes"])).node


def _stretch(m: Maker, a: Array, starts: Sequence[Array], sizes: Sequence[sp.Expr]) -> Array:
    """A block of these sizes from these places on."""
    for axis, (start, size, whole) in enumerate(zip(starts, sizes, a.shape, strict=True)):
        if size == whole:
            continue
        place = m.graph.ops[start.node]
        if place.kind == "number":
            first = int(place.more[0])
            first = min(first + int(whole) if first < 0 else first, int(whole - size))
            a = m.cut(a, axis, first, first + size)
        else:
            a = m.lookup(m.permute(a, [axis, *[k for k in range(a.rank) if k != axis]]), [m.map("add", start, m.iota([size], 0))], [0])
            a = m.permute(a, [*range(1, axis + 1), 0, *range(axis + 1, a.rank)])
    return a


def _dynamic_update(e: Equation) -> int:
    a, values, *starts = e.arrays
    return _written(e, a, {k: (s, True) for k, s in enumerate(starts)}, values, "scatter", True).node


def _places(e: Equation, count: int) -> tuple[list[Array], Array]:
    """The index array of a gather or scatter, one array for each axis that it names."""
    m, indices = e.maker, e.arrays[1]
    return [m.take(indices, -1, k) for k in range(count)], indices


def _gather(e: Equation) -> int:
    """Look-ups: an axis that is named by an index is taken at one place, or from one place on; the others are taken whole."""
    m, a, numbers = e.maker, e.arrays[0], e.params["dimension_numbers"]
    sizes, named = e.sizes(e.params["slice_sizes"]), list(map(int, numbers.start_index_map))
    shared = list(map(int, getattr(numbers, "operand_batching_dims", ())))
    gone = [*map(int, numbers.collapsed_slice_dims), *shared]
    if any(d not in named and d not in gone and n != a.shape[d] for d, n in enumerate(sizes)):
        raise e.refuse("a gather of the first places of an axis", "a slice")
    parts, _ = _places(e, len(named))
    kept = [d for d in named if d in gone or sizes[d] != a.shape[d]]
    wide = [d for d in kept if d not in gone]
    rank, places = len(e.inputs[1].shape) - 1, []
    for d in kept:
        p = m.reshape(parts[named.index(d)], [*parts[0].shape, *[1] * len(wide)])
        if d in wide:
            own = m.iota([*[1] * rank, *[sizes[d] if x == d else 1 for x in wide]], rank + wide.index(d))
            p = m.map("add", p, own) if sizes[d] != 1 else p
        places.append(p)
    pairs = tuple(zip(shared, map(int, getattr(numbers, "start_indices_batching_dims", ())), strict=True))
    rest = [d for d in range(a.rank) if d not in kept and d not in shared]
    made = m.lookup(a, places, kept, pairs) if kept else m.expand(a, [*parts[0].shape, *a.shape]) if rank else a
    offset = [int(d) for d in numbers.offset_dims]
    windows = [rank + (wide.index(d) if d in wide else len(wide) + rest.index(d)) for d in range(a.rank) if d not in gone]
    leading = iter(range(rank))
    return m.permute(made, [windows[offset.index(k)] if k in offset else next(leading) for k in range(len(e.outputs[0].shape))]).node


def _scatter(e: Equation) -> int:
    """x.at[…].set, add, multiply, min, max."""
    numbers, (a, _, values) = e.params["dimension_numbers"], e.arrays
    m, named = e.maker, list(map(int, numbers.scatter_dims_to_operand_dims))
    parts, _ = _places(e, len(named))
    shared = list(zip(map(int, getattr(numbers, "operand_batching_dims", ())),
                      map(int, getattr(numbers, "scatter_indices_batching_dims", ())), strict=True))
    inserted = [*map(int, numbers.inserted_window_dims), *[d for d, _ in shared]]
    windows = list(map(int, numbers.update_window_dims))
    own = [d for d in range(a.rank) if d not in inserted]
    lead = [k for k in range(values.rank) if k not in windows]
    values = m.permute(values, [*lead, *windows])
    shape: list[Any] = list(values.shape[:len(lead)])
    rest = dict(zip(own, values.shape[len(lead):], strict=True))
    full = m.reshape(values, [*shape, *[rest.get(d, 1) for d in range(a.rank)]])
    places = {d: (p, d not in inserted) for d, p in zip(named, parts, strict=True)}
    for d, k in shared:  # along with an axis of the index arrays
        places[d] = m.iota([n if j == k else 1 for j, n in enumerate(values.shape[:len(lead)])], k), False
    return _written(e, a, places, full, str(e.name),
                    bool(e.params.get("unique_indices"))).node


def _written(e: Equation, a: Array, places: Mapping[int, tuple[Array, bool]], values: Array, how: str, unique: bool) -> Array:
    """``a`` with values written: behind the axes of the index arrays they have one for each axis of a, 1 where an index names it alone.
    An axis whose index starts a stretch is marked true."""
    m, rank = e.maker, values.rank - a.rank
    named = [d for d, (_, stretch) in places.items() if not stretch or values.shape[rank + d] != a.shape[d]]
    kept = [d for d in range(a.rank) if d not in named]
    lead, wide = values.shape[:rank], [d for d in named if places[d][1]]
    found = []
    for d in named:
        p = m.reshape(m.expand(places[d][0], lead) if rank else places[d][0], [*lead, *[1] * len(wide)])
        if d in wide:
            sizes = [*[1] * rank, *[values.shape[rank + x] if x == d else 1 for x in wide]]
            p = m.map("add", p, m.iota(sizes, rank + wide.index(d)))
        found.append(p)
    values = m.reshape(m.permute(values, [*range(rank), *[rank + d for d in wide], *[rank + d for d in named if d not in wide],
                                          *[rank + d for d in kept]]),
                       [*lead, *[values.shape[rank + d] for d in wide], *[values.shape[rank + d] for d in kept]])
    order = [*named, *kept]
    moved, back = m.permute(a, order), [order.index(k) for k in range(a.rank)]
    if not named:
        return m.map("add", a, values) if how == "scatter-add" else m.expand(values, a.shape)
    if how == "scatter-add":
        return m.permute(m.added_at(moved, found, values), back)
    if not (unique or all(n == 1 for n in lead) or any(m.all_different(p) for p in found)):
        raise e.refuse("a write at places that may repeat", ".at[…].add, or places that are all different")
    if how != "scatter":
        old = m.lookup(moved, found, range(len(named)))
        values = m.map({"scatter-mul": "mul", "scatter_mul": "mul", "scatter-max": "max", "scatter-min": "min"}[how], old, values)
    return m.permute(m.put_at(moved, found, values), back)


def _conv(e: Equation) -> int:
    """Cross-correlation; JAX names the axes of its three arrays by their positions."""
    names, stride, pads = e.params["dimension_numbers"], e.params["window_strides"], e.params["padding"]
    if e.params["batch_group_count"] != 1:
        raise e.refuse("a convolution with groups of samples", "groups of channels")
    m, (x, w) = e.maker, e.arrays
    x, w = m.permute(x, names.lhs_spec), m.permute(w, names.rhs_spec)
    for k, ((low, high), step) in enumerate(zip(pads, e.params["lhs_dilation"], strict=True), start=2):
        low, high = int(low), int(high)
        x = m.stuffed(x, k, int(step))
        if low != high or low < 0:
            x = _around(m, x, k, low, high)
    made = convolution(m, x, w, None, list(stride), [int(a) if a == b and a > 0 else 0 for a, b in pads], list(e.params["rhs_dilation"]),
                       int(e.params["feature_group_count"]))
    back = [list(names.out_spec).index(k) for k in range(made.rank)]
    return m.permute(made, back).node


def _formula(name: str) -> Rule:
    """An entrywise function by its formula."""
    return lambda e: NUMBERS[name](e.maker, *e.arrays).node


PRIMITIVES: dict[str, Rule] = {
    **{name: _map(name) for name in ("add", "sub", "mul", "div", "neg", "exp", "log", "log1p", "expm1", "tanh", "sin", "cos", "sinh",
                                     "cosh", "atan", "logistic", "erf", "erfc", "sqrt", "rsqrt", "square", "abs", "sign", "max", "min",
                                     "floor", "ceil", "pow", "gt", "ge", "lt", "le", "eq", "ne", "is_finite")},
    "add_any": _map("add"), "stop_gradient": _map("stop_gradient"), "copy": _same, "copy_p": _same, "optimization_barrier": _same,
    "round": _round, "convert_element_type": _convert, "integer_pow": _integer_pow, "reduce_sum": _sum, "reduce_max": _max,
    "reduce_min": _fold("min"), "reduce_prod": _fold("prod"), "reduce_and": lambda e: e.maker.all(e.arrays[0], e.params["axes"]).node,
    "reduce_or": lambda e: e.maker.any(e.arrays[0], e.params["axes"]).node,
    **{f"reduce_window_{kind}": _window(kind) for kind in ("max", "min", "sum")}, "tile": _tile,
    **dict.fromkeys(("scatter", "scatter-add", "scatter-mul", "scatter_mul", "scatter-min", "scatter-max"), _scatter),
    "dynamic_update_slice": _dynamic_update, "cholesky": _cholesky, "triangular_solve": _triangular_solve,
    "custom_linear_solve": _linear_solve,
    **{name: _formula(formula) for name, formula in (
        ("tan", "tan"), ("asin", "arcsin"), ("acos", "arccos"), ("atan2", "arctan2"), ("asinh", "arcsinh"), ("acosh", "arccosh"),
        ("atanh", "arctanh"), ("exp2", "exp2"), ("cbrt", "cbrt"), ("rem", "fmod"))},
    "dot_general": _dot,
    "broadcast_in_dim": _broadcast, "reshape": _reshape, "slice": _slice, "squeeze": _to_shape, "expand_dims": _to_shape,
    "transpose": _transpose,
    "iota": _iota, "concatenate": _concatenate, "stack": _stack, "pad": _pad, "cumsum": _running("sum"), "cumprod": _running("prod"),
    "cummax": _running("max"), "cummin": _running("min"), "cumlogsumexp": _running("logsumexp"), "rev": _reverse, "split": _split,
    "gather": _gather, "dynamic_slice": _dynamic_slice, "conv_general_dilated": _conv, **{k: _map(k) for k in ("and", "or", "not")},
    "select_n": _select, "dim_as_value": _size, "clamp": _clamp,
}
