"""NumPy's and SciPy's entrywise functions (``indexing/numpy_ufuncs.py``) on arrays of nodes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import sympy as sp
from flint import fmpq

from symnet.checking.code import nodes as n
from symnet.checking.code.arrays import Traced, cleaned, each, nodes_of, over_axes, plain, wrap
from symnet.checking.code.constants import exact
from symnet.checking.code.edits import edited
from symnet.errors import OptionError
from symnet.indexing.numpy_functions import fits
from symnet.indexing.numpy_ufuncs import made_of

Node = n.Node
PLAIN = ("a plain float array that is to hold symbolic values", "np.zeros_like or np.zeros inside the function")


def _whole(name: str) -> Callable[[Node, Node], Node]:
    def apply(a: Node, b: Node) -> Node:
        ratio = n.apply("floor", n.divide(a, b)) if "num" not in (a.op,) or b.op != "num" else n.num(a.value // b.value)
        return ratio if name == "floor_divide" else n.add((a, n.negative(n.mul((b, ratio)))))
    return apply


def _times(a: Node, b: Node) -> Node:
    return n.joined("and", (a, b)) if a.is_condition and b.is_condition else n.mul((a, b))


def _plus(a: Node, b: Node) -> Node:
    return n.joined("or", (a, b)) if a.is_condition and b.is_condition else n.add((a, b))


def _erfc(a: Node) -> Node:
    return n.add((n.num(1), n.negative(n.apply("erf", a))))


OPERATIONS: dict[str, Callable[..., Node]] = {
    **{name: partial(n.apply, name) for name in ("abs", "sign", "exp", "log", "tanh", "sinh", "cosh", "sin", "cos", "erf")},
    "atan": partial(n.apply, "arctan"), "logistic": partial(n.apply, "sigmoid"), "erfc": _erfc, "neg": n.negative, "div": n.divide,
    "expm1": lambda a: n.add((n.apply("exp", a), n.num(-1))), "log1p": lambda a: n.apply("log", n.add((n.num(1), a))),
    "sqrt": lambda a: n.power(a, n.num(fmpq(1, 2))), "square": lambda a: n.power(a, n.num(2)), "pow": n.power, "add": _plus, "mul": _times,
    "sub": lambda a, b: n.add((a, n.negative(b))), "max": lambda a, b: n.extremum("max", (a, b)),
    "min": lambda a, b: n.extremum("min", (a, b)), "gt": partial(n.compared, "gt"), "ge": partial(n.compared, "ge"),
    "lt": lambda a, b: n.compared("gt", b, a), "le": lambda a, b: n.compared("ge", b, a), "eq": partial(n.compared, "eq"),
    "ne": lambda a, b: n.invert(n.compared("eq", a, b)), "and": lambda a, b: n.joined("and", (a, b)),
    "or": lambda a, b: n.joined("or", (a, b)), "not": n.invert, "select": n.choose, "indicator": n.as_number,
}


class _Nodes:
    """The operations on nodes."""

    def map(self, name: str, *args: Any) -> Node:
        return OPERATIONS[name](*[a if isinstance(a, Node) else exact(sp.sympify(a, strict=True)) for a in args])


MADE: dict[str, Callable[..., Node]] = {
    **made_of(_Nodes()), "positive": n.as_number, "conjugate": n.as_number, "reciprocal": lambda a: n.power(a, n.num(-1)),
    "exp2": lambda a: n.power(n.num(2), a), "floor": partial(n.apply, "floor"), "floor_divide": _whole("floor_divide"),
    "remainder": _whole("remainder"), "isnan": lambda a: n.truth(False), "isinf": lambda a: n.truth(False),
    "isfinite": lambda a: n.truth(True),
}
REDUCED: dict[str, Callable[[list[Node]], Node]] = {
    "add": n.add, "multiply": n.mul, "maximum": lambda v: n.extremum("max", v), "minimum": lambda v: n.extremum("min", v),
    "logical_and": lambda v: n.joined("and", v), "logical_or": lambda v: n.joined("or", v),
}
SIGNS = {"greater": ">", "less": "<", "greater_equal": ">=", "less_equal": "<="}
TURNED = {"greater": "less", "less": "greater", "greater_equal": "less_equal", "less_equal": "greater_equal"}
IN_PLACE = {"add": "+=", "subtract": "-="}


def call(ufunc: Any, method: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """``ufunc`` on arrays of nodes."""
    name = ufunc.__name__
    if name == "matmul" and method == "__call__":
        return put(options.get("out"), _matmul(*inputs))
    if name not in (REDUCED if method == "reduce" else MADE):
        raise OptionError(f"np.{name}", "a symbolic array", "a function that has a formula")
    if method == "__call__":
        return _elementwise(name, inputs, options)
    if method == "reduce":
        return reduce(name, inputs[0], **{"axis": 0, **options})
    if method == "outer":
        a, b = (nodes_of(x) for x in inputs)
        return wrap(each(MADE[name], a.reshape(a.shape + (1,) * b.ndim), b))
    if method == "at":
        return _at(name, *inputs)
    raise OptionError(f"np.{name}.{method}", "a symbolic array", "np.cumsum, or a loop")


def _one_mask(left: Any, right: Any) -> bool:
    """Does the mask of x select along its last axis, that of y along the axis that goes with it, and are they the same?"""
    one = left.reshape(-1, left.shape[-1])
    two = (right[:, None] if right.ndim == 1 else np.moveaxis(right, -2, 0)).reshape(right.shape[max(right.ndim - 2, 0)], -1)
    return one.shape[1] == two.shape[0] and all(row[k] is m for row in one for k, masks in enumerate(two) for m in masks)


def _matmul(x: Any, y: Any) -> Any:
    """x @ y. Where both are selected by one mask along the axis that is summed over, what it leaves out counts as 0."""
    a, b = nodes_of(x), nodes_of(y)
    if not a.ndim or not b.ndim:
        raise OptionError("@", "a single number", "arrays", "*")
    masks = [plain(v.mask) if isinstance(v, Traced) and v.mask is not None else None for v in (x, y)]
    if masks[0] is not None or masks[1] is not None:
        if masks[0] is None or masks[1] is None or not _one_mask(*masks):
            raise OptionError("@ of x[mask]", "entries that are not known", "X[mask].T @ y[mask], or np.where(mask, x, 0)")
        a, b = (each(n.choose, m, v, n.num(0)) for m, v in zip(masks, (a, b), strict=True))
    if a.ndim == b.ndim == 2 and (side := edited("transposition in code", "@", ("left", "right"))):
        a, b = (a.T, b) if side == "left" else (a, b.T)
    if a.shape[-1] != b.shape[max(b.ndim - 2, 0)]:
        raise OptionError("@", f"shapes {a.shape} and {b.shape}", "inner sizes that agree", "a transpose")
    rows, columns = a if a.ndim > 1 else a[None, :], b if b.ndim > 1 else b[:, None]
    parts = each(_times, rows[..., :, None, :], np.swapaxes(columns, -1, -2)[..., None, :, :])
    made = wrap(over_axes(parts, -1, False, n.add))
    made = made[..., 0] if b.ndim == 1 else made
    return made if a.ndim > 1 else made[..., 0] if b.ndim == 1 else made[..., 0, :]


def _elementwise(name: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    masks = [x.mask for x in inputs if isinstance(x, Traced) and x.mask is not None]
    if name in SIGNS and edited("comparison in code", SIGNS[name], (SIGNS[TURNED[name]],)):
        name = TURNED[name]
    made = wrap(each(MADE[name], *[nodes_of(x) for x in inputs]))
    where = options.get("where", True)
    if where is not True:
        kept = nodes_of(options["out"][0]) if options.get("out") else None
        if kept is None:
            raise OptionError(f"np.{name}", "where= without out=", "both, or np.where")
        made = wrap(each(n.choose, nodes_of(where), plain(made), kept))
    if masks:
        made.mask = masks[0]
    out = options.get("out")
    if out and out[0] is inputs[0] and name in IN_PLACE and edited("assignment", IN_PLACE[name], ("=",)) == "=":
        made = wrap(np.broadcast_to(nodes_of(inputs[1]), made.shape).copy())
    if out and not np.ndim(out[0]) and any(x is out[0] for x in inputs):  # h += v: a number is no array, and what was it stays so
        return made
    return put(out, made)


def put(out: Any, made: Traced) -> Any:
    """Into ``out`` where one is given: that is what -= and += do."""
    if out is None:
        return made
    target = out[0] if isinstance(out, tuple) else out
    if not isinstance(target, Traced):
        raise OptionError("in-place", *PLAIN)
    target_nodes = plain(target)
    if target_nodes.shape != np.broadcast_shapes(target_nodes.shape, made.shape):
        raise OptionError("in-place", f"shape {made.shape} into an array of shape {target.shape}", "shapes that broadcast")
    target_nodes[...] = plain(made)
    return target


def in_dtype(dtype: Any, array: Any, truths: bool = True) -> None:
    """Refuse a dtype in which symbolic numbers are not what they are; truths may be counted in whole numbers."""
    if not fits(dtype, truths and all(a.is_condition or (a.op == "num" and a.value.q == 1) for a in array.flat)):
        raise OptionError("dtype", f"numbers added up as {np.dtype(dtype)}", "a dtype that holds them", "float64")


def reduce(name: str, x: Any, axis: Any = None, keepdims: Any = False, initial: Any = None, out: Any = None, where: Any = True,
           dtype: Any = None) -> Any:
    """Sum, product, maximum, … along axes; what a mask left out counts as nothing."""
    array = nodes_of(x)
    in_dtype(dtype, array)
    mask = x.mask if isinstance(x, Traced) and x.mask is not None else None
    if where is not True:
        mask = wrap(np.broadcast_to(nodes_of(where), array.shape))
    if mask is not None:
        empty = {"add": n.num(0), "multiply": n.num(1), "maximum": n.graph().node("inf", (), -1), "minimum": n.graph().node("inf", (), 1)}
        if name in ("maximum", "minimum"):
            raise OptionError(f"np.{name} of x[mask]", "entries that are not known", "np.where(mask, x, -np.inf), where one entry is kept")
        array = each(n.choose, plain(mask), array, empty[name])
    start = [] if initial is None or not np.isscalar(initial) else [nodes_of(initial)[()]]
    keep = bool(keepdims) and keepdims is not np._NoValue
    if array.ndim > 1 and not isinstance(axis, (tuple, list)):
        old = None if axis is None else int(axis) % array.ndim
        new = edited("axis in code", f"axis={old}", [f"axis={k}" for k in range(array.ndim) if k != old])
        axis, keep = (axis, keep) if new is None else (int(new.removeprefix("axis=")), keep or old is None)
    return put(out, wrap(over_axes(array, axis, keep, lambda values: REDUCED[name]([*values, *start]))))


def _at(name: str, target: Any, where: Any, *values: Any) -> None:
    if not isinstance(target, Traced):
        raise OptionError("in-place", *PLAIN)
    array = plain(target)
    key = cleaned(where)
    order = np.arange(array.size).reshape(array.shape)[key]
    given = [np.broadcast_to(nodes_of(v), order.shape) for v in values]
    flat = array.reshape(-1).copy()
    for k, place in enumerate(np.asarray(order).reshape(-1)):
        flat[place] = MADE[name](flat[place], *[g.reshape(-1)[k] for g in given])
    array[...] = flat.reshape(array.shape)
