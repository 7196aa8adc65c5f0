"""The operations of a graph (``indexing.operations.Maker``) carried out at once, on arrays whose entries are known one by one: nodes.

Where sizes are numbers, an array is NumPy's own object array: its memory, views, slices and places are NumPy's. What NumPy's functions
mean of it stands where it does for all sizes, in ``frontends/numpy_tracer.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sympy as sp
from flint import fmpq

from symnet.checking.code import nodes as n
from symnet.checking.code.constants import constant, exact
from symnet.errors import OptionError

Node = n.Node
Axes = Sequence[int] | int | None


@dataclass(frozen=True, slots=True, eq=False)
class NodeArray:
    """NumPy's array of nodes."""

    node: Any

    @property
    def shape(self) -> tuple[sp.Integer, ...]:
        """The sizes."""
        return tuple(map(sp.Integer, self.node.shape))

    @property
    def rank(self) -> int:
        """How many axes."""
        return int(self.node.ndim)


def _floor(a: Node) -> Node:
    return n.num(a.value // 1) if a.op == "num" else n.apply("floor", a)


OPERATIONS: dict[str, Callable[..., Node]] = {
    **{name: partial(n.apply, name) for name in ("abs", "sign", "exp", "log", "tanh", "sinh", "cosh", "sin", "cos", "erf")},
    "atan": partial(n.apply, "arctan"), "logistic": partial(n.apply, "sigmoid"), "neg": n.negative, "div": n.divide,
    "erfc": lambda a: n.add((n.num(1), n.negative(n.apply("erf", a)))),
    "floor": _floor, "ceil": lambda a: n.negative(_floor(n.negative(a))),
    "expm1": lambda a: n.add((n.apply("exp", a), n.num(-1))), "log1p": lambda a: n.apply("log", n.add((n.num(1), a))),
    "sqrt": lambda a: n.power(a, n.num(fmpq(1, 2))), "square": lambda a: n.power(a, n.num(2)), "pow": n.power,
    "add": lambda a, b: n.add((a, b)), "mul": lambda a, b: n.mul((a, b)), "sub": lambda a, b: n.add((a, n.negative(b))),
    "max": lambda a, b: n.extremum("max", (a, b)), "min": lambda a, b: n.extremum("min", (a, b)),
    "gt": partial(n.compared, "gt"), "ge": partial(n.compared, "ge"), "lt": lambda a, b: n.compared("gt", b, a),
    "le": lambda a, b: n.compared("ge", b, a), "eq": partial(n.compared, "eq"), "ne": lambda a, b: n.invert(n.compared("eq", a, b)),
    "and": lambda a, b: n.joined("and", (a, b)), "or": lambda a, b: n.joined("or", (a, b)), "not": n.invert, "select": n.choose,
    "indicator": n.as_number,
}
FOLDS: dict[str, Callable[[list[Node]], Node]] = {
    "sum": n.add, "prod": n.mul, "max": partial(n.extremum, "max"), "min": partial(n.extremum, "min"), "all": partial(n.joined, "and"),
    "any": partial(n.joined, "or"),
}


def each(function: Callable[..., Node], *arrays: Any) -> Any:
    """``function`` of the entries, with NumPy's broadcasting."""
    return _array(np.frompyfunc(function, len(arrays), 1)(*arrays))


def _array(x: Any) -> Any:
    """An object array, also of the single node that NumPy gives back for an array without axes."""
    if isinstance(x, np.ndarray):
        return x
    made = np.empty((), dtype=object)
    made[()] = x
    return made


def _node(x: Any) -> Node:
    return x if isinstance(x, Node) else n.graph().node("unset") if x is sp.nan else exact(x) if isinstance(x, sp.Expr) else \
        n.truth(bool(x)) if x in (sp.true, sp.false) else constant(x)


class EntryMaker:
    """Carries out operations on arrays of the nodes of the graph that is being made."""

    by_entry = True
    where = "NumPy code"

    def array(self, x: Any) -> NodeArray:
        """NumPy's array, of nodes; the same memory where it is one already."""
        made = _array(x)
        whole = made.dtype == object and all(isinstance(v, Node) for v in made.flat)
        return NodeArray(made if whole else each(_node, made))

    def number(self, value: Any) -> NodeArray:
        """A constant."""
        return NodeArray(_array(_node(value)))

    def copied(self, a: NodeArray) -> NodeArray:
        """In memory of its own, where entries lie in the same order."""
        return NodeArray(a.node.copy(order="K"))

    def laid_out(self, a: NodeArray, like: NodeArray) -> NodeArray:
        """In memory of its own, where entries lie as those of another array do."""
        made = np.empty_like(like.node)
        made[...] = a.node
        return NodeArray(made)

    def key(self, a: NodeArray) -> Any:
        """Equal for arrays of equal entries."""
        return a.node.shape, tuple(map(id, a.node.flat))

    def known(self, a: NodeArray) -> Any:
        """The numbers or truths, where every one is known: NumPy's array, or a scalar of Python's; None where one is not."""
        ops = {v.op for v in a.node.flat}
        if ops <= {"true", "false"} and ops:
            return np.array([v.op == "true" for v in a.node.flat], dtype=bool).reshape(a.node.shape)[()]
        if ops - {"num"}:
            return None
        whole = all(v.value.q == 1 for v in a.node.flat)
        found = np.array([int(v.value) if whole else float(v) for v in a.node.flat], dtype=int if whole else float).reshape(a.node.shape)
        return found if found.ndim else found.item()

    # What a graph has operations for.

    def map(self, function: str, *args: Any) -> NodeArray:
        """An entrywise function; shapes broadcast."""
        arrays = [a.node if isinstance(a, NodeArray) else _node(sp.sympify(a, strict=True)) for a in args]
        return NodeArray(each(OPERATIONS[function], *arrays))

    def fold(self, name: str, a: NodeArray, axes: Axes = None, keep: bool = False) -> NodeArray:
        """Entries joined along axes."""
        x = a.node
        along = tuple(range(x.ndim)) if axes is None else tuple(k % x.ndim for k in ([axes] if isinstance(axes, int) else axes))
        kept = [k for k in range(x.ndim) if k not in along]
        lined = x.transpose((*kept, *along)).reshape((*[x.shape[k] for k in kept], -1)) if x.size else \
            np.empty((*[x.shape[k] for k in kept], 0), dtype=object)
        # a reduction of NumPy's own says how the entries of its result lie in memory
        made, join = np.empty_like(np.any(np.empty_like(x, dtype=bool), axis=along, keepdims=keep), dtype=object), FOLDS[name]
        flat = made.reshape(lined.shape[:-1])
        for place in np.ndindex(*flat.shape):
            flat[place] = join(list(lined[place]))
        return NodeArray(made if np.may_share_memory(made, flat) or not made.size else flat)

    def sum(self, a: NodeArray, axes: Axes = None, keep: bool = False) -> NodeArray:
        """Σ along axes; of truths, how many hold."""
        return self.fold("sum", a, axes, keep)

    def any(self, a: NodeArray, axes: Axes = None, keep: bool = False) -> NodeArray:
        """Is a test true anywhere along axes?"""
        return self.fold("any", a, axes, keep)

    def all(self, a: NodeArray, axes: Axes = None, keep: bool = False) -> NodeArray:
        """Is a test true everywhere along axes?"""
        return self.fold("all", a, axes, keep)

    def mean(self, a: NodeArray, axes: Axes = None, keep: bool = False) -> NodeArray:
        """The mean along axes."""
        total = self.sum(a, axes, keep)
        return self.map("div", total, max(a.node.size, 1) // max(total.node.size, 1))

    def peak(self, name: str, a: NodeArray, axes: Axes = None, keep: bool = False) -> NodeArray:
        """The maximum or minimum along axes."""
        return self.fold(name, a, axes, keep)

    def top(self, a: NodeArray, axes: Axes = None, keep: bool = False) -> NodeArray:
        """0: formulas have no need of the maximum, which cancels."""
        return self.number(0)

    def running(self, a: NodeArray, axis: int, back: bool = False, name: str = "sum") -> NodeArray:
        """Σ or another fold of the places up to each one."""
        made = self.copied(a)
        along = np.moveaxis(made.node, axis, 0)
        for k in range(1, len(along)):
            along[k] = each(lambda u, v: FOLDS[name]([u, v]), along[k - 1], along[k])[()]
        return made

    def matmul(self, a: NodeArray, b: NodeArray) -> NodeArray:
        """a @ b as in NumPy."""
        rows, columns = a.node if a.rank > 1 else a.node[None, :], b.node if b.rank > 1 else b.node[:, None]
        parts = each(OPERATIONS["mul"], rows[..., :, None, :], np.swapaxes(columns, -1, -2)[..., None, :, :])
        made = self.fold("sum", NodeArray(parts), -1).node
        made = made[..., 0] if b.rank == 1 else made
        made = _array(made if a.rank > 1 else made[..., 0] if b.rank == 1 else made[..., 0, :])
        return NodeArray(made.copy())

    def concat(self, arrays: Sequence[NodeArray], axis: int) -> NodeArray:
        """One after another along an axis."""
        return NodeArray(np.concatenate([a.node for a in arrays], axis=axis))

    def permute(self, a: NodeArray, order: Sequence[int]) -> NodeArray:
        """Axis k of the result is axis order[k]: a view."""
        return NodeArray(a.node.transpose(order))

    def reshape(self, a: NodeArray, sizes: Sequence[Any]) -> NodeArray:
        """Other axes in the same order; a view where NumPy has one."""
        return NodeArray(a.node.reshape([int(s) for s in sizes]))

    def spread_to(self, a: NodeArray, shape: Sequence[Any]) -> NodeArray:
        """Broadcast to a shape: a view."""
        return NodeArray(np.broadcast_to(a.node, [int(s) for s in shape]))

    def with_axes(self, a: NodeArray, places: Sequence[int]) -> NodeArray:
        """New axes of size 1, at these places of the result: a view."""
        return NodeArray(np.expand_dims(a.node, tuple(places)))

    # Places that are known.

    def at(self, a: NodeArray, key: Any) -> NodeArray:
        """a[key]."""
        return NodeArray(_array(a.node[key]))

    def put(self, a: NodeArray, key: Any, new: NodeArray) -> None:
        """a[key] = new."""
        single = isinstance(a.node[key], Node)  # an object array would take the whole of a small array as one entry
        if single and new.node.size != 1:
            raise OptionError("x[...] = value", f"shape {new.node.shape} for a single entry", "one number")
        a.node[key] = new.node.reshape(-1)[0] if single else new.node

    def repeats(self, a: NodeArray, key: Any) -> bool:
        """Does a key name a place more than once?"""
        if not any(isinstance(k, (list, np.ndarray)) for k in (key if isinstance(key, tuple) else (key,))):
            return False
        places = np.arange(a.node.size).reshape(a.node.shape)[key]
        return len(set(np.reshape(places, -1).tolist())) < np.size(places)

    def put_one_by_one(self, a: NodeArray, key: Any, function: Callable[..., NodeArray], values: Sequence[NodeArray]) -> None:
        """``function`` of each place that a key names and what is given for it, as often as it is named."""
        places = np.arange(a.node.size).reshape(a.node.shape)[key]
        given = [np.broadcast_to(v.node, np.shape(places)).reshape(-1) for v in values]
        for k, place in enumerate(np.reshape(places, -1)):
            where = np.unravel_index(int(place), a.node.shape)
            a.node[where] = function(NodeArray(_array(a.node[where])), *[NodeArray(_array(v[k])) for v in given]).node[()]
