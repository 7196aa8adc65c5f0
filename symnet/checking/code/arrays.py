"""The array that a user's function sees: NumPy's own object array, whose entries are nodes of the graph.

Views, slices, broadcasting and fancy indexing are NumPy's; functions come from ``ufuncs`` and ``functions``. A mask made by comparing
symbolic values has no fixed shape to select, so ``x[mask]`` stays the whole array with its mask: ``x[mask] = 0`` and
``x[mask] *= 0.01`` mean where, and a sum over it takes the rest as 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from symnet.checking.code import nodes as n
from symnet.checking.code.constants import constant
from symnet.checking.code.edits import edited
from symnet.errors import OptionError

_VALUE = ("the value itself", "np functions instead of math ones, and leave out float() and int()")


class Traced(np.ndarray):
    """An array of nodes. ``mask`` is set on what a symbolic mask selected; ``name`` on an argument of the traced function."""

    mask: Traced | None = None
    name: str = ""
    __hash__ = None

    @property
    def dtype(self) -> Any:  # what code asks for to make arrays of the same kind
        return np.dtype(float)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        from symnet.checking.code.ufuncs import call

        return call(ufunc, method, inputs, options)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from symnet.checking.code.functions import dispatch

        return dispatch(func, args, kwargs)

    @property
    def T(self) -> Any:
        """The axes in reverse; what a mask selected stays selected."""
        turned = plain(self).T.view(Traced)
        turned.mask = None if self.mask is None else plain(self.mask).T.view(Traced)
        return turned

    def __getitem__(self, key: Any) -> Any:
        mask = symbolic_mask(key)
        if mask is not None:
            found = plain(self).copy().view(Traced)
            found.mask = _fitting(mask, self)
            return found
        return wrap(plain(self)[cleaned(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        mask = symbolic_mask(key)
        if mask is not None:
            if isinstance(value, Traced) and value.mask is not None and value.shape != self.shape:
                raise OptionError("x[mask] = value", "a value selected by another mask", "one number or an array of the same mask")
            chosen = np.broadcast_to(nodes_of(value), self.shape)
            plain(self)[...] = each(n.choose, plain(_fitting(mask, self)), chosen, plain(self))
        else:
            target, where, made = plain(self), cleaned(key), nodes_of(value)
            if isinstance(target[where], n.Node):  # an object array would take the whole of a small array as one entry
                if made.size != 1:
                    raise OptionError("x[...] = value", f"shape {made.shape} for a single entry", "one number")
                made = made.reshape(-1)[0]
            sign = None if np.may_share_memory(target, made) else edited("assignment", "=", ("+=", "-="))
            if sign is not None:  # what the same code with += would do
                made = each(lambda old, new: n.add((old, new if sign == "+=" else n.negative(new))), target[where], made)
                made = made[()] if isinstance(target[where], n.Node) else made
            if _repeated(target, where) and edited("assignment", "+=", ("np.add.at",)) == "np.add.at":
                _add_at(target, where, each(lambda new, old: n.add((new, n.negative(old))), made, target[where]))
                return
            target[where] = made

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise OptionError("for", "a single number, which has no entries", "an array")
        return (self[k] for k in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        raise OptionError("in", "a symbolic array, whose values are not known", "a condition on shapes or whole numbers")

    def __bool__(self) -> bool:
        if self.size != 1:
            raise OptionError("if", f"an array of shape {self.shape} as a condition", "one condition", "np.where or a mask")
        return bool(plain(self).reshape(-1)[0])

    def __float__(self) -> float:
        return float(self._single("float()"))

    def __int__(self) -> int:
        node = self._single("int()")
        if node.op == "num":
            return int(float(node))
        raise OptionError("int()", "a symbolic value, which is no whole number", *_VALUE)

    def __index__(self) -> int:
        node = self._single("index")
        if node.op == "num" and node.value.q == 1:
            return int(node.value)
        raise SymbolicIndex(self)

    def __complex__(self) -> complex:
        raise OptionError("complex()", "a symbolic value, which is no complex number", *_VALUE)

    def __repr__(self) -> str:
        return f"symbolic array of shape {self.shape}"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "(symbolic)" if not self.ndim else repr(self)

    def _single(self, where: str) -> n.Node:
        if self.size != 1:
            raise OptionError(where, f"an array of shape {self.shape}", "a single number")
        return plain(self).reshape(-1)[0]  # type: ignore[no-any-return]

    def item(self, *where: Any) -> Any:
        """The single entry, as an array without axes."""
        return self.reshape(-1)[where[0] if where else 0] if where or self.size == 1 else self._single("item()")

    def tolist(self) -> Any:
        """Nested lists of single entries."""
        return [row.tolist() for row in self] if self.ndim else self

    def astype(self, kind: Any, *_: Any, **__: Any) -> Any:  # type: ignore[override]
        """A copy; conditions become 1 and 0. Symbolic values have no whole part."""
        if np.dtype(kind).kind == "f" and np.dtype(kind).itemsize < 4:
            raise OptionError("astype", f"numbers as {np.dtype(kind)}", "float64 or float32")
        if np.dtype(kind).kind in "iu" and any(not a.is_condition and a.op != "num" for a in plain(self).flat):
            raise OptionError("astype", "a symbolic value as a whole number", *_VALUE)
        return self.copy() if np.dtype(kind).kind == "b" else wrap(each(n.as_number, plain(self)))

    def copy(self, *_: Any, **__: Any) -> Any:
        """A copy."""
        return wrap(plain(self).copy())

    def fill(self, value: Any) -> None:
        """Set every entry."""
        self[...] = value


def _repeated(target: Any, where: Any) -> bool:
    """Does an index name a place more than once?"""
    places = np.arange(target.size).reshape(target.shape)[where]
    return bool(np.unique(places).size < np.size(places))


def _add_at(target: Any, where: Any, values: Any) -> None:
    """``np.add.at``."""
    flat, places = target.reshape(-1), np.arange(target.size).reshape(target.shape)[where]
    for place, value in zip(places.reshape(-1), np.broadcast_to(values, places.shape).reshape(-1), strict=True):
        flat[place] = n.add((flat[place], value))
    target[...] = flat.reshape(target.shape)


class SymbolicIndex(OptionError):
    """A symbolic array was used as an index; class labels can be passed as whole numbers instead."""

    def __init__(self, array: Traced) -> None:
        name = array.name or "a symbolic array"
        super().__init__("index", f"{name}, whose values are not known", "whole numbers", "labels={'y': 'Y'} passes class labels")
        self.name = array.name


def plain(x: Any) -> Any:
    """The same memory as NumPy's own object array."""
    return x.view(np.ndarray)


def _node(x: Any) -> n.Node:
    if isinstance(x, n.Node):
        return x
    if isinstance(x, np.ndarray) and x.size == 1:
        return _node(x.reshape(-1).view(np.ndarray)[0])
    return constant(x)


def each(function: Any, *arrays: Any) -> Any:
    """``function`` of the entries, with NumPy's broadcasting."""
    return _array(np.frompyfunc(function, len(arrays), 1)(*arrays))


def _array(x: Any) -> Any:
    """An object array, also of the single node that NumPy gives back for an array without axes."""
    if isinstance(x, np.ndarray):
        return x
    made = np.empty((), dtype=object)
    made[()] = x
    return made


def nodes_of(x: Any) -> Any:
    """An object array of nodes, from a number, nested lists or any array."""
    if isinstance(x, Traced):
        return plain(x)
    if isinstance(x, n.Node):
        return _array(x)
    if isinstance(x, (list, tuple)):
        return np.stack([nodes_of(v) for v in x]) if x else np.empty((0,), dtype=object)
    return each(_node, np.asarray(x))


def wrap(x: Any) -> Traced:
    """An array of nodes as the user's array; numbers that NumPy filled in become nodes, memory is shared where it can be."""
    array = _array(x)
    if any(not isinstance(a, n.Node) for a in array.flat):
        array = each(_node, array)
    return array.view(Traced)  # type: ignore[no-any-return]


def _fitting(mask: Traced, array: Traced) -> Traced:
    if mask.shape != array.shape[:mask.ndim]:
        raise OptionError("x[mask]", f"a mask of shape {mask.shape} for an array of shape {array.shape}", "a mask of the same shape")
    lined = plain(mask).reshape(mask.shape + (1,) * (array.ndim - mask.ndim))
    return np.broadcast_to(lined, array.shape).view(Traced)


def symbolic_mask(key: Any) -> Traced | None:
    """The mask that ``key`` is, when its entries are conditions that are not known."""
    if isinstance(key, tuple) and len(key) == 1:
        key = key[0]
    if not isinstance(key, Traced) or not key.size or not all(a.is_condition for a in plain(key).flat):
        return None
    return None if all(a.op in ("true", "false") for a in plain(key).flat) else key


def cleaned(key: Any) -> Any:
    """An index with symbolic arrays of known whole numbers or truths as NumPy's own; raises SymbolicIndex for others."""
    if isinstance(key, tuple):
        return tuple(map(cleaned, key))
    if isinstance(key, list) and any(isinstance(k, Traced) for k in key):
        return [cleaned(k) for k in key]
    if not isinstance(key, Traced):
        return key
    entries = plain(key)
    if key.size and all(a.op in ("true", "false") for a in entries.flat):
        return np.array([a.op == "true" for a in entries.flat], dtype=bool).reshape(key.shape)
    if all(a.op == "num" and a.value.q == 1 for a in entries.flat):
        return np.array([int(a.value) for a in entries.flat], dtype=int).reshape(key.shape)
    raise SymbolicIndex(key)


def over_axes(x: Any, axis: Any, keepdims: bool, join: Any) -> Any:
    """``join`` of the entries along ``axis`` (None: all), for one array of nodes."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(a % x.ndim for a in (axis if isinstance(axis, Iterable) else (axis,)))
    kept = [k for k in range(x.ndim) if k not in axes]
    lined = x.transpose((*kept, *axes)).reshape((*[x.shape[k] for k in kept], -1))
    made = np.empty(lined.shape[:-1], dtype=object)
    for place in np.ndindex(*made.shape):
        made[place] = join(list(lined[place]))
    return made.reshape([1 if k in axes else x.shape[k] for k in range(x.ndim)]) if keepdims else made
