"""NumPy code traced on symbolic arrays: the array that a user's function sees, and what NumPy's functions do with it.

Every operation is one of the graph's (``indexing.operations``), so that what a function computes is a Program for all sizes. Memory is
NumPy's: a slice, ``x.T`` and ``x[:, None]`` are views, which show what is written into their array and through which it is written;
numbers are no arrays, so that ``h += v`` makes a new one. A dtype is floating, whole or boolean. What depends on a size or on values in
a way that has no formula for all sizes (a loop over a size, a boolean selection, a sort) is refused by name.

The same array and the same table trace a function at sizes that are numbers, where another maker carries the operations out ``by_entry``:
then places are known, what moves entries about is NumPy's own, and a view shares NumPy's memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from symnet.core.code_edits import edited
from symnet.core.numbers import rational
from symnet.core.simple_numbers import read_float
from symnet.core.user_code import StandIn, SymbolicIndex, instead, numpy_stand_ins
from symnet.errors import OptionError, UnknownNodeError
from symnet.indexing import composites
from symnet.indexing.graph import unsupported
from symnet.indexing.index_array import same
from symnet.indexing.numpy_functions import COMPOSED, composed, fits
from symnet.indexing.numpy_ufuncs import LOGIC, NUMBERS, TESTS
from symnet.indexing.operations import Array, Maker

MOST_CONSTANTS = 64  # numbers of an array that stands inside a function
KINDS = "bif"  # of dtypes: truths, whole numbers, floating numbers; an operation's result has the last of its arguments' kinds
DTYPES = {"b": np.dtype(bool), "i": np.dtype(int), "f": np.dtype(float)}
Move = Callable[[Array], Array]


def refused(found: str, expected: str = "a formula that holds for all sizes") -> UnknownNodeError:
    """The error for what has no formula for all sizes."""
    return unsupported(found, "NumPy code", expected)


class SizedArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of symbolic or known sizes: a node of the graph, NumPy's ``kind`` of dtype, and for a view the array that it looks at.

    ``look`` finds the view's entries in its base and ``back`` puts them there; a reshape, of which NumPy's memory layout says whether it
    is a view, has neither: it can be read until its base is written to. Known entries share NumPy's memory instead. ``name`` is set on
    an argument of the function.
    """

    name: str = ""
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 100.0

    def __init__(self, maker: Maker, array: Array, kind: str = "f", base: SizedArray | None = None, look: Move | None = None,
                 back: Callable[[Array, Array], Array] | None = None) -> None:
        self.maker, self.kind = maker, kind
        self._array, self._base, self._look, self._back = array, base, look, back
        self._version, self._seen = 0, base.root()._version if base is not None else 0

    def root(self) -> SizedArray:
        """The array that owns the memory."""
        return self if self._base is None else self._base.root()

    @property
    def array(self) -> Array:
        """The entries now."""
        if self._base is not None and self._seen != self.root()._version:
            if self._look is None:
                raise refused("an array that was reshaped and then written to", "one of them, or a copy")
            self._array, self._seen = self._look(self._base.array), self.root()._version
        return self._array

    def write(self, new: Array, kind: str) -> None:
        """Every entry anew."""
        _fitting(kind, self.kind)
        if len(new.shape) > self.ndim or any(not same(x, y) for x, y in zip(_broadcast(self.array, new), self.array.shape,
                                                                            strict=True)):
            raise refused("an array written into one that is smaller", "shapes that broadcast")
        if self.kind != "b" and kind == "b":
            new = self.maker.map("indicator", new)
        new = self.maker.spread_to(new, self.array.shape)
        if self.maker.by_entry:
            self.maker.put(self._array, ..., new)  # type: ignore[attr-defined]
        elif self._base is None:
            self._array, self._version = new, self._version + 1
        elif self._back is None:
            raise refused("a write through a reshape", "a write into the array itself")
        else:
            self._base.write(self._back(self._base.array, new), kind)
            self._array, self._seen = new, self.root()._version

    # What NumPy arrays tell of themselves.

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes: whole numbers, or symbolic ones."""
        return tuple(size_of(self.maker, n) for n in self._array.shape)

    @property
    def ndim(self) -> int:
        """How many axes."""
        return self._array.rank

    @property
    def size(self) -> Any:
        """How many entries."""
        return size_of(self.maker, sp.Mul(*self._array.shape))

    @property
    def dtype(self) -> Any:
        """NumPy's."""
        return DTYPES[self.kind]

    @property
    def T(self) -> SizedArray:
        """The axes in reverse."""
        return _permuted(self, tuple(range(self.ndim))[::-1])

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """isinstance(x, np.ndarray) holds; a single number is none."""
        return np.ndarray if self.ndim else type(self)

    mT = property(lambda self: _permuted(self, (*range(self.ndim - 2), self.ndim - 1, self.ndim - 2)))
    real = property(lambda self: self)

    # What runs NumPy's functions.

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return _ufunc(self.maker, ufunc.__name__, method, inputs, options)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return called(self.maker, func.__name__, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if self.maker.by_entry and name in MOVING and hasattr(np.ndarray, name):
            return lambda *args, **options: _moved_about(self.maker, getattr(np.ndarray, name), (self, *args), options)
        if name in METHODS:
            return lambda *args, **options: called(self.maker, name, (self, *args), options)
        if not hasattr(np.ndarray, name) or name.startswith("__"):
            raise AttributeError(name)
        raise unknown(name, f".{name}")

    def __copy__(self) -> SizedArray:
        return _copied(self.maker, self)

    def __deepcopy__(self, _: Any) -> SizedArray:
        return _copied(self.maker, self)

    def __array__(self, dtype: Any = None, *_: Any, **__: Any) -> Any:
        if (known := self.known()) is not None:
            return np.asarray(known, dtype)
        raise OptionError("a plain array", "a symbolic value, which has no float", "the value itself", "np.zeros_like or np.zeros inside")

    # Entries.

    def __getitem__(self, key: Any) -> Any:
        if self.maker.by_entry and not _is_unknown_mask(key):
            return SizedArray(self.maker, self.maker.at(self.array, _places(key)), self.kind)  # type: ignore[attr-defined]
        key = _keys(self, key)
        if len(key) == 1 and isinstance(key[0], SizedArray) and key[0].kind == "b":
            mask = self.maker.copied(key[0].array)
            whole = self.maker.copied(self.array)
            return Selection(self.maker, whole, self.kind, self.maker.key(mask), _mask(self, mask), None, mask.rank)
        if any(isinstance(k, SizedArray) for k in key):
            return _advanced(self, key)
        if all(isinstance(k, slice) and k == slice(None) for k in key) and len(key) == self.ndim:
            return _view(self, lambda a: a, lambda base, new: new)
        if self.ndim and all(_is_whole(k) for k in key) and len(key) == self.ndim:
            return SizedArray(self.maker, _taken(self.maker, self.array, key), self.kind)
        plain = all(k is None or _is_whole(k) or k == slice(None) for k in key)
        return _view(self, lambda a: _taken(self.maker, a, key), (lambda base, new: _placed(self.maker, base, new, key)) if plain else None)

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.maker.by_entry and not _is_unknown_mask(key):
            _put_entries(self, _places(key), value)
            return
        key = _keys(self, key)
        if any(isinstance(k, SizedArray) for k in key):
            _set_selected(self, key, value)
            return
        target = self[tuple(key)]
        new, kind = lifted(self.maker, value)
        if target.ndim or self.ndim == 0:
            target.write(new, kind)
        elif new.rank:
            raise refused(f"an array of {new.rank} axes for a single entry", "one number")
        else:
            _fitting(kind, self.kind)
            self.write(_placed(self.maker, self.array, _numbers(self.maker, new, kind), key), self.kind)

    def __iter__(self) -> Iterator[Any]:
        if not self.ndim:
            raise OptionError("for", "a single number, which has no entries", "an array")
        if not self._array.shape[0].is_Integer:
            raise refused("a loop over an axis whose size is not known")
        return (self[k] for k in range(int(self._array.shape[0])))

    def __len__(self) -> int:
        if self.ndim and self.array.shape[0].is_Integer:
            return int(self.array.shape[0])
        raise refused("len() of an axis whose size is not known, as a number")

    def __contains__(self, value: Any) -> bool:
        raise OptionError("in", "a symbolic array, whose values are not known", "a condition on shapes or whole numbers")

    def known(self) -> Any:
        """The numbers or truths, where every one is known; else None."""
        return self.maker.known(self.array)

    def _single(self, where: str, found: str, *expected: str) -> Any:
        """The one entry, as a number or truth of Python's. Raises where it is not known."""
        if any(n != 1 for n in self._array.shape):
            raise OptionError(where, f"an array of shape {_shown(self._array)}", "a single number or condition", "np.where or a mask")
        value = self.known()
        if value is None:
            raise OptionError(where, found, *expected)
        return value.item() if isinstance(value, np.ndarray) else value

    def __bool__(self) -> bool:
        return bool(self._single("if", "a condition on a symbolic value, which is both true and false",
                                 "np.where, a mask such as (z > 0), or np.maximum"))

    def __float__(self) -> float:
        return float(self._single("float()", "a symbolic value, which has no float", "the value itself",
                                  "np functions instead of math ones, and leave out float(), int() and .item()"))

    def __int__(self) -> int:
        return int(self._single("int()", "a symbolic value, which is no whole number", "the value itself",
                                "np functions instead of math ones, and leave out float() and int()"))

    def __index__(self) -> int:
        value = self.known() if not self.ndim else None
        if value is None and not self.maker.by_entry:
            raise refused("the value of an array, as a number of Python's", "the array itself")
        if not isinstance(value, int) or isinstance(value, bool):
            raise SymbolicIndex(self.name)
        return value

    def _no_number(self, *_: Any) -> Any:
        raise OptionError("a symbolic value", "the value of an array, as a number of Python's", "the array itself")

    __complex__ = __round__ = __trunc__ = _no_number

    def __repr__(self) -> str:
        return f"symbolic array of shape {_shown(self._array)}"

    def __format__(self, spec: str) -> str:
        return repr(self) if self.ndim else "(symbolic)"


class Selection(SizedArray):
    """x[mask], or x[rows, labels]: ``whole`` are values at every place of x, of which those count where the condition holds.

    Numbers may be added and the like; ``x[mask] *= 2`` and ``x[rows, labels] -= 1`` write back. A mask selects along the first ``over``
    axes, and how many it selects depends on the values; None where they are no longer the first.
    """

    def __init__(self, maker: Maker, whole: Array, kind: str, key: Any, condition: Array, find: Move | None = None,
                 over: int | None = None) -> None:
        super().__init__(maker, whole if find is None else find(whole), kind)
        self.whole, self.key, self.condition, self.find, self.over = whole, key, condition, find, over

    def with_values(self, whole: Array, kind: str) -> Selection:
        """The same places of another array."""
        return Selection(self.maker, whole, kind, self.key, self.condition, self.find, self.over)

    @property
    def array(self) -> Array:
        """The entries now; those that a mask selects have no shape."""
        if self.find is None:
            raise refused("x[mask], whose shape is not known", "np.where(mask, x, 0)")
        return self._array

    def count(self) -> SizedArray:
        """How many places the mask selects."""
        return SizedArray(self.maker, self.maker.sum(self.condition), "i")

    @property
    def ndim(self) -> int:
        """How many axes."""
        return self._array.rank if self.over is None else self._array.rank - self.over + 1

    @property
    def shape(self) -> tuple[Any, ...]:
        """The sizes; the first of what a mask selects is a count."""
        if self.over is None:
            return tuple(size_of(self.maker, n) for n in self.array.shape)
        return (self.count(), *[size_of(self.maker, n) for n in self.whole.shape[self.over:]])

    @property
    def size(self) -> Any:
        """How many entries."""
        if self.over is None:
            return size_of(self.maker, sp.Mul(*self.array.shape))
        return self.count() * size_of(self.maker, sp.Mul(*self.whole.shape[self.over:]))

    @property
    def T(self) -> SizedArray:
        """The axes in reverse; what a mask selects stays selected."""
        if self.find is not None:
            return super().T
        order = tuple(range(self.whole.rank))[::-1]
        whole, condition = (self.maker.permute(a, order) for a in (self.whole, self.condition))
        return Selection(self.maker, whole, self.kind, self.key, condition)

    def without_the_rest(self, axis: int) -> SizedArray | None:
        """0 where the mask does not hold, where it selects along this axis alone."""
        shape = self.condition.shape
        if self.find is not None or any((n == 1) != (k != axis) for k, n in enumerate(shape)):
            return None
        return SizedArray(self.maker, self.maker.map("select", self.condition, _numbers(self.maker, self.whole, self.kind), 0), self.kind)


class Size(SizedArray):
    """The size of an axis, ``expr``; arithmetic with whole numbers gives sizes, any other gives numbers."""

    def __init__(self, maker: Maker, expr: sp.Expr) -> None:
        super().__init__(maker, maker.number(expr), "i")
        self.expr = expr

    def _with(self, other: Any, join: Callable[[sp.Expr, sp.Expr], sp.Expr], name: str, swapped: bool = False) -> Any:
        if isinstance(other, (list, tuple, str)):
            raise refused(f"a {type(other).__name__} repeated as often as a size says", "np.full")
        if isinstance(other, Size) or _is_whole(other):
            mine, its = self.expr, other.expr if isinstance(other, Size) else sp.Integer(int(other))
            return size_of(self.maker, sp.expand(join(its, mine) if swapped else join(mine, its)))
        return _ufunc(self.maker, name, "__call__", (other, self) if swapped else (self, other), {})

    def __add__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a + b, "add")

    def __sub__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a - b, "subtract")

    def __mul__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a * b, "multiply")

    def __radd__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a + b, "add", True)

    def __rsub__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a - b, "subtract", True)

    def __rmul__(self, other: Any) -> Any:
        return self._with(other, lambda a, b: a * b, "multiply", True)

    def __floordiv__(self, other: Any) -> Any:
        ratio = self._with(other, lambda a, b: a / b, "floor_divide")
        if isinstance(ratio, Size) and sp.denom(sp.cancel(ratio.expr)) != 1:
            by = other.expr if isinstance(other, Size) else other
            raise refused(f"{self.expr} // {by}, where it is not known to divide", "sizes that divide")
        return ratio

    def __eq__(self, other: Any) -> Any:
        if isinstance(other, SizedArray) and not isinstance(other, Size):
            return super().__eq__(other)
        return self._holds(other, sp.Eq)

    def __ne__(self, other: Any) -> Any:
        return not self == other

    def __lt__(self, other: Any) -> Any:
        return self._holds(other, sp.Lt)

    def __le__(self, other: Any) -> Any:
        return self._holds(other, sp.Le)

    def __gt__(self, other: Any) -> Any:
        return self._holds(other, sp.Gt)

    def __ge__(self, other: Any) -> Any:
        return self._holds(other, sp.Ge)

    def _holds(self, other: Any, relation: Any) -> bool:
        if other is None or isinstance(other, (str, tuple, list)):
            return False
        if not isinstance(other, Size) and not _is_number(other):
            raise refused(f"a comparison of the size {self.expr} with a value of type {type(other).__name__}", "a whole number")
        its = other.expr if isinstance(other, Size) else rational(other.item() if isinstance(other, np.generic) else other)
        found = relation(sp.expand(self.expr - its), 0)
        if found not in (sp.true, sp.false):
            raise refused(f"a condition on the size {self.expr}, which some sizes meet and others do not")
        return bool(found)

    def __bool__(self) -> bool:
        return bool(self != 0)

    def __hash__(self) -> int:  # type: ignore[override]
        raise refused(f"the size {self.expr} as a key", "a formula that holds for all sizes")

    def __repr__(self) -> str:
        raise refused(f"the size {self.expr} as text", "a formula that holds for all sizes")


def _shown(a: Array) -> str:
    return f"({', '.join(map(str, a.shape))}{',' * (a.rank == 1)})"


def size_of(maker: Maker, n: sp.Expr) -> Any:
    """A whole number of Python's, or a symbolic size."""
    return int(n) if n.is_Integer else Size(maker, n)


def _is_whole(x: Any) -> bool:
    return isinstance(x, (int, np.integer)) and not isinstance(x, (bool, np.bool_))


def _is_number(x: Any) -> bool:
    return _is_whole(x) or (isinstance(x, (float, np.floating)) and math.isfinite(x))


def _length(x: Any) -> sp.Expr:
    """A size that was given: of an axis that is made."""
    if isinstance(x, Size):
        return x.expr
    if _is_whole(x):
        return sp.Integer(int(x))
    raise refused(f"a size of type {type(x).__name__}", "a size")


def _lengths(shape: Any) -> tuple[sp.Expr, ...]:
    return tuple(map(_length, shape)) if isinstance(shape, (tuple, list)) else (_length(shape),)


def lifted(maker: Maker, x: Any) -> tuple[Array, str]:
    """A node of the graph, and its kind: of an array, a number, or lists of these."""
    if isinstance(x, SizedArray):
        return x.array, x.kind
    if isinstance(x, (bool, np.bool_)):
        return maker.number(bool(x)), "b"
    if _is_whole(x):
        return maker.number(int(x)), "i"
    if isinstance(x, (float, np.floating)):
        if math.isnan(x):
            raise refused("nan", "a number")
        return maker.number(x if maker.by_entry else exact(x)), "f"
    if isinstance(x, (list, tuple)) and x:
        parts = [lifted(maker, v) for v in x]
        kind = _join(k for _, k in parts)
        rows = [maker.with_axes(a if kind == "b" else _numbers(maker, a, k), [0]) for a, k in parts]
        if any(len(r.shape) != len(rows[0].shape) or not all(map(same, r.shape, rows[0].shape)) for r in rows):
            raise refused("rows of different shapes", "rows of one shape")
        return maker.concat(rows, 0), kind
    if isinstance(x, np.ndarray) and maker.by_entry and x.dtype == object:
        parts = [lifted(maker, v) for v in x.flat]
        return maker.reshape(maker.concat([maker.reshape(_numbers(maker, a, k), [1]) for a, k in parts], 0), x.shape), "f"
    if isinstance(x, np.ndarray) and x.dtype.kind in "biuf":
        return _constants(maker, x)
    raise refused(f"a value of type {type(x).__name__}", "an array or a number")


def exact(x: Any) -> Any:
    """A number of the user's as what it stands for; a float that is like nothing simple is the decimal that it prints as."""
    if not isinstance(x, (float, np.floating)) or not math.isfinite(x):
        return x
    found, _ = read_float(x)
    return rational(float(x)) if found is None else found


def _constants(maker: Maker, x: Any) -> tuple[Array, str]:
    kind = {"u": "i"}.get(x.dtype.kind, x.dtype.kind)
    if x.ndim == 0:
        number: tuple[Array, str] = lifted(maker, x.item())
        return number
    if maker.by_entry:
        return maker.array(x), kind  # type: ignore[attr-defined]
    if not 0 < x.size <= MOST_CONSTANTS:
        raise refused(f"a constant array of {x.size} numbers", f"at most {MOST_CONSTANTS}")
    if kind == "f" and not np.isfinite(x).all():
        raise refused("a constant array with inf or nan", "numbers")
    if (x == x.flat[0]).all():
        return maker.spread_to(lifted(maker, x.flat[0].item())[0], tuple(map(sp.Integer, x.shape))), kind
    numbers = [(sp.true if v else sp.false) if kind == "b" else sp.sympify(exact(v), strict=True) for v in x.reshape(-1).tolist()]
    return maker.table(x.shape, numbers), kind


def _join(kinds: Iterable[str]) -> str:
    return max(kinds, key=KINDS.index)


def _fitting(kind: str, into: str) -> None:
    """Raise for what does not fit into an array of another dtype."""
    if KINDS.index(kind) > KINDS.index(into):
        raise refused("numbers written into an array of whole numbers or truths", "a floating array")


def _join_of_numbers(kinds: Iterable[str]) -> str:
    kind = _join(kinds)
    if kind == "b":
        raise refused("arrays of truths put together", "arrays of numbers")
    return kind


def _numbers(maker: Maker, a: Array, kind: str) -> Array:
    """Truths as 1 and 0."""
    return maker.map("indicator", a) if kind == "b" else a


def _truths(maker: Maker, a: Array, kind: str) -> Array:
    return a if kind == "b" else maker.map("ne", a, 0)


def _broadcast(*arrays: Array) -> tuple[sp.Expr, ...]:
    shape: tuple[sp.Expr, ...] = ()
    for a in arrays:
        long, short = (shape, a.shape) if len(shape) >= len(a.shape) else (a.shape, shape)
        shape = tuple(_common(x, y) for x, y in zip(long, (sp.S.One,) * (len(long) - len(short)) + tuple(short), strict=True))
    return shape


def _common(x: sp.Expr, y: sp.Expr) -> sp.Expr:
    if not same(x, y) and 1 not in (x, y):
        raise refused(f"arrays of sizes {x} and {y} that lie along each other", "shapes that broadcast")
    return y if x == 1 else x


def _without_axis(maker: Maker, a: Array, axis: int) -> Array:
    return Array(maker.graph.add("take", a.node, more=(axis, 0), where=maker.where), a.shape[:axis] + a.shape[axis + 1:])


# Views.

def _view(x: SizedArray, look: Move, back: Callable[[Array, Array], Array] | None) -> SizedArray:
    return SizedArray(x.maker, look(x.array), x.kind, *(() if x.maker.by_entry else (x, look, back)))


def _permuted(x: SizedArray, order: Sequence[int]) -> SizedArray:
    order = tuple(k % x.ndim for k in order)
    if sorted(order) != list(range(x.ndim)):
        raise refused(f"the axes {order}", f"each of the {x.ndim} axes once")
    inverse = tuple(order.index(k) for k in range(len(order)))
    return _view(x, lambda a: x.maker.permute(a, order), lambda _, new: x.maker.permute(new, inverse)) if x.ndim else x


def _reshaped(x: SizedArray, sizes: Any) -> SizedArray:
    wanted = [sp.Integer(-1) if _is_whole(n) and n == -1 else _length(n) for n in sizes]
    return SizedArray(x.maker, x.maker.reshape(x.array, wanted), x.kind, None if x.maker.by_entry else x)


def _is_unknown_mask(key: Any) -> bool:
    """Is it a mask, not all of whose truths are known?"""
    mask = key[0] if isinstance(key, tuple) and len(key) == 1 else key
    return isinstance(mask, SizedArray) and mask.kind == "b" and mask.known() is None


def _places(key: Any) -> Any:
    """A key with NumPy's own arrays in place of symbolic ones, of which everything is known. Raises SymbolicIndex where it is not."""
    if isinstance(key, (tuple, list)):
        return type(key)(map(_places, key)) if any(isinstance(k, (SizedArray, list)) for k in key) else key
    if not isinstance(key, SizedArray):
        return key
    known = key.known()
    if known is None:
        raise SymbolicIndex(key.name)
    if key.kind == "f":
        raise refused("an index that is no whole number", "whole numbers")
    return known


def _put_entries(x: SizedArray, where: Any, value: Any) -> None:
    """x[where] = value, at known places."""
    maker: Any = x.maker
    new, kind = lifted(maker, value)
    _fitting(kind, x.kind)
    new = _numbers(maker, new, kind) if x.kind != "b" else new
    sign = None if x.kind == "b" or np.may_share_memory(x.array.node, new.node) else edited("assignment", "=", ("+=", "-="))
    if sign is not None:  # what the same code with += would do
        new = maker.map("add" if sign == "+=" else "sub", maker.at(x.array, where), new)
    if maker.repeats(x.array, where) and edited("assignment", "+=", ("np.add.at",)) == "np.add.at":
        maker.put_one_by_one(x.array, where, partial(maker.map, "add"), [maker.map("sub", new, maker.at(x.array, where))])
    else:
        maker.put(x.array, where, new)


def _keys(x: SizedArray, key: Any) -> list[Any]:
    """One key for each axis of x, and None for each new one; a mask stands alone."""
    found = list(key) if isinstance(key, tuple) else [key]
    made = [_index(x.maker, k) for k in found]
    if any(isinstance(k, SizedArray) and k.kind == "b" for k in made):
        if len(made) > 1:
            raise refused("a mask beside other indices", "x[mask]")
        return made
    used = sum(k is not None and k is not Ellipsis for k in made)
    if used > x.ndim:
        raise refused(f"{used} indices for {x.ndim} axes", "one for each axis")
    where = next((k for k, v in enumerate(made) if v is Ellipsis), len(made))
    return [*made[:where], *[slice(None)] * (x.ndim - used), *made[where + 1:]]


def _index(maker: Maker, k: Any) -> Any:
    if k is None or k is Ellipsis or isinstance(k, slice) or _is_whole(k):
        return k
    if isinstance(k, Size):
        raise refused("a size as an index", "an index that is inside for all sizes")
    if isinstance(k, (list, np.ndarray)):
        array, kind = lifted(maker, k)
        k = SizedArray(maker, array, kind)
    if isinstance(k, SizedArray) and k.kind in "bi":
        return k
    raise refused("an index that is no whole number", "whole numbers")


def _taken(maker: Maker, a: Array, key: Sequence[Any]) -> Array:
    """a[key] of whole numbers, slices and new axes."""
    axis = 0
    for k in key:
        if k is None:
            a, axis = maker.with_axes(a, [axis]), axis + 1
        elif isinstance(k, slice):
            a, axis = _cut(maker, a, axis, k), axis + 1
        else:
            n = a.shape[axis]
            if n.is_Integer and not -int(n) <= k < int(n):
                raise refused(f"the place {k} of an axis of size {n}", "a place inside")
            if not n.is_Integer and k not in (0, -1):
                raise refused(f"the place {k} of an axis of size {n}", "a place that every size has")
            place = n + k if k < 0 else sp.Integer(int(k))
            a = Array(maker.graph.add("take", a.node, more=(axis, int(place) if place.is_Integer else place), where=maker.where),
                      a.shape[:axis] + a.shape[axis + 1:])
    return a


def _cut(maker: Maker, a: Array, axis: int, k: slice) -> Array:
    n = a.shape[axis]
    start, stop = k.start, None if isinstance(k.stop, Size) and same(k.stop.expr, n) else k.stop
    if isinstance(start, Size) or isinstance(stop, Size) or not all(v is None or _is_whole(v) for v in (start, stop, k.step)):
        raise refused("a slice that depends on a size", "a slice that every size has")
    if n.is_Integer:
        return maker.cut(a, axis, start, stop, 1 if k.step is None else int(k.step))
    if (start, stop, k.step) == (None, None, -1):
        return maker.flip(a, axis)
    first, last = start or 0, 0 if stop is None else -stop
    if k.step not in (None, 1) or first < 0 or last < 0 or (stop == 0) or first + last > 1:
        raise refused(f"a slice of an axis of size {n}", "a slice that every size has, such as x[1:]")
    if not first + last:
        return a
    more = (axis, sp.Integer(first), n - 1, 1)
    return Array(maker.graph.add("cut", a.node, more=more, where=maker.where), (*a.shape[:axis], n - 1, *a.shape[axis + 1:]))


def _placed(maker: Maker, base: Array, new: Array, key: Sequence[Any]) -> Array:
    """``base`` with ``new`` at key: whole numbers, whole axes and new axes."""
    tests: list[Array] = []
    axis = where = 0
    for k in key:
        if k is None:
            new = _without_axis(maker, new, where)
            continue
        if _is_whole(k):
            n = base.shape[axis]
            places = maker.iota(_lone(n, axis, base.rank), axis)
            tests.append(maker.map("eq", places, n + int(k) if k < 0 else sp.Integer(int(k))))
            new = maker.with_axes(new, [where])
        axis, where = axis + 1, where + 1
    if not tests:
        return new
    test = tests[0]
    for t in tests[1:]:
        test = maker.map("and", test, t)
    return _changed(maker, base, test, new)


def _changed(maker: Maker, base: Array, test: Array, new: Array) -> Array:
    """``base``, where the test on places holds ``new``: base + [test] (new - base), so that what is equal cancels."""
    return maker.map("add", base, maker.map("mul", maker.map("indicator", test), maker.map("sub", new, base)))


def _lone(n: sp.Expr, axis: int, rank: int) -> tuple[sp.Expr, ...]:
    """A shape that is 1 but along one axis."""
    return tuple(n if k == axis else sp.S.One for k in range(rank))


# Selections.

def _mask(x: SizedArray, a: Array) -> Array:
    if len(a.shape) > x.ndim or not all(map(same, a.shape, x.array.shape)):
        raise refused("a mask of another shape", "a mask of the same shape")
    return x.maker.with_axes(a, range(a.rank, x.ndim)) if a.rank < x.ndim else a


def _advanced(x: SizedArray, key: list[Any]) -> SizedArray:
    """x at the places that arrays of whole numbers name."""
    maker, a = x.maker, x.array
    axes = [k for k, v in enumerate(key) if isinstance(v, SizedArray)]
    if len(key) != x.ndim or any(not isinstance(v, SizedArray) and v != slice(None) for v in key) or \
            axes != list(range(axes[0], axes[0] + len(axes))):
        raise refused("arrays of indices beside other indices", "x[rows, labels], x[labels] or x[:, labels]")
    places = [key[k].array for k in axes]
    for k, p in zip(axes, places, strict=True):
        _inside(maker, p, a.shape[k])
    shape, first = _broadcast(*places), axes[0]

    def find(table: Array) -> Array:
        found = Array(maker.lookup(table, places, axes).node, (*shape, *[n for k, n in enumerate(a.shape) if k not in axes]))
        rank = len(shape)
        return maker.permute(found, [*range(rank, rank + first), *range(rank), *range(rank + first, found.rank)]) if first else found

    pair = _one_each_row(maker, a, axes, places)
    if pair is None:
        return SizedArray(maker, find(a), x.kind)
    return Selection(maker, a, x.kind, tuple(p.node for p in places), pair, find)


def _inside(maker: Maker, place: Array, n: sp.Expr) -> None:
    """Raise for places that are not known to lie on an axis of size n."""
    op = maker.graph.ops[place.node]
    while op.kind in ("spread", "take", "permute"):
        op = maker.graph.ops[op.args[0]]
    if op.kind == "iota" and same(op.more[1][op.more[0]], n):
        return
    if op.kind == "input":  # class labels; the program says how many classes there are
        return
    if op.kind == "table" and n.is_Integer and all(0 <= v < n for v in op.more[1]):
        return
    raise refused("places that are computed", "np.arange, or class labels")


def _one_each_row(maker: Maker, a: Array, axes: Sequence[int], places: Sequence[Array]) -> Array | None:
    """The condition on the places of a matrix that (arange, labels) choose one of in each row; None for another choice."""
    ops = [maker.graph.ops[p.node] for p in places]
    if a.rank != 2 or len(axes) != 2 or any(p.rank != 1 for p in places) or sum(o.kind == "iota" for o in ops) != 1:
        return None
    row = next(k for k, o in enumerate(ops) if o.kind == "iota")
    if not same(places[row].shape[0], a.shape[row]):
        return None
    labels = maker.with_axes(places[1 - row], [1 - row])
    return maker.map("eq", maker.iota(_lone(a.shape[1 - row], 1 - row, 2), 1 - row), labels)


def _set_selected(x: SizedArray, key: list[Any], value: Any) -> None:
    maker = x.maker
    chosen = x[tuple(key)]
    if not isinstance(chosen, Selection):
        raise refused("a write at places that may repeat", "np.add.at, or a one-hot matrix")
    if isinstance(value, Selection):
        if value.key != chosen.key:
            raise refused("values of another selection", "the same one on both sides")
        new, kind = value.whole, value.kind
    else:
        new, kind = lifted(maker, value)
        if chosen.find is None and new.rank > x.ndim - len(key[0].array.shape):
            raise refused("an array written where a mask holds", "one number, or x[mask] of the same mask")
        if new.rank and chosen.find is not None:
            row = next(k for k, n in enumerate(x.array.shape) if same(n, new.shape[0]))
            new = maker.with_axes(new, [1 - row])
    _fitting(kind, x.kind)
    if chosen.find is not None:
        x.write(_changed(maker, x.array, chosen.condition, _numbers(maker, new, kind)), x.kind)
    elif x.kind == "b":
        old, test = x.array, chosen.condition
        x.write(maker.map("or", maker.map("and", test, _truths(maker, new, kind)), maker.map("and", maker.map("not", test), old)), "b")
    else:
        x.write(maker.map("select", chosen.condition, _numbers(maker, new, kind), x.array), x.kind)


# Entrywise functions.

PLAIN = ("a plain array that is to hold symbolic values", "np.zeros_like or np.zeros inside the function")
SIGNS = {"greater": ">", "less": "<", "greater_equal": ">=", "less_equal": "<="}
TURNED = {"greater": "less", "less": "greater", "greater_equal": "less_equal", "less_equal": "greater_equal"}
IN_PLACE = {"add": "+=", "subtract": "-="}
SAME_KIND = {"negative", "absolute", "fabs", "sign", "square", "positive", "conjugate", "add", "subtract", "multiply", "maximum", "minimum",
             "fmax", "fmin", "power", "floor_divide", "remainder", "mod"}


def _ufunc(maker: Maker, name: str, method: str, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """A ufunc of NumPy's or SciPy's."""
    more = dict(options)
    out, where = more.pop("out", None), more.pop("where", True)
    target = out[0] if isinstance(out, tuple) else out
    if method == "reduce":
        names = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any"}
        if name not in names:
            raise refused(f"np.{name}.reduce")
        more |= {"out": out} if out else {}
        return called(maker, names[name], inputs, {"axis": 0, **more, **({} if where is True else {"where": where})})
    if method == "outer":
        (a, _), (b, _) = (lifted(maker, x) for x in inputs)
        inputs = (SizedArray(maker, maker.with_axes(a, range(a.rank, a.rank + b.rank)), _kind(maker, inputs[0])), inputs[1])
    elif method == "at":
        return _at(maker, name, *inputs)
    elif method != "__call__":
        raise refused(f"np.{name}.{method}")
    _in_dtype(more.pop("dtype", None), "f")
    if set(more) - {"casting", "order", "subok"}:
        raise refused(f"np.{name} with {', '.join(more)}")
    if name in SIGNS and edited("comparison in code", SIGNS[name], (SIGNS[TURNED[name]],)):
        name = TURNED[name]
    in_place = target is not None and target is inputs[0]
    if target is not None and any(x is target for x in inputs) and not np.ndim(target):
        target = None  # h += v: a number is no array, and what was it before stays so
    selections = [x for x in inputs if isinstance(x, Selection)]
    if selections and where is True and name != "matmul" and all(_goes_with(x, selections[0]) for x in inputs):
        return selections[0].with_values(*_entrywise(maker, name, [(x.whole, x.kind) if isinstance(x, Selection) else lifted(maker, x)
                                                                   for x in inputs]))
    if name == "matmul":
        result, kind = _matmul(maker, *inputs), _join(_kind(maker, x) for x in inputs)
    else:
        result, kind = _entrywise(maker, name, [lifted(maker, x) for x in inputs])
    if in_place and name in IN_PLACE and edited("assignment", IN_PLACE[name], ("=",)) == "=":
        result, kind = lifted(maker, inputs[1])
    return _put(maker, target, result, kind, where, f"np.{name}")


def _at(maker: Maker, name: str, target: Any, where: Any, *values: Any) -> None:
    """np.add.at and its kind: each place as often as it is named."""
    if not isinstance(target, SizedArray):
        raise OptionError("in-place", *PLAIN)
    given = [lifted(maker, v) for v in values]
    for _, k in given:
        _fitting(k, target.kind)
    arrays = [_numbers(maker, a, k) for a, k in given]
    if maker.by_entry:
        maker.put_one_by_one(target.array, _places(where), partial(NUMBERS[name], maker), arrays)  # type: ignore[attr-defined]
        return
    if name not in ("add", "subtract"):
        raise refused(f"np.{name}.at")
    key = [_index(maker, k) for k in (where if isinstance(where, tuple) else (where,))]
    if not all(isinstance(k, SizedArray) and k.kind == "i" for k in key) or len(key) > target.ndim:
        raise refused(f"np.{name}.at places that are no arrays of whole numbers", "np.add.at(x, labels, values)")
    places = [k.array for k in key]
    for p, n in zip(places, target.array.shape, strict=False):
        _inside(maker, p, n)
    wanted = (*_broadcast(*places), *target.array.shape[len(places):])
    if _broadcast(arrays[0], Array(0, wanted)) != wanted:
        raise refused(f"np.{name}.at of values of another shape", "shapes that broadcast")
    new = arrays[0] if name == "add" else maker.map("neg", arrays[0])
    target.write(maker.added_at(target.array, places, new), target.kind)


def _kind(maker: Maker, x: Any) -> str:
    return x.kind if isinstance(x, SizedArray) else lifted(maker, x)[1]


def _goes_with(x: Any, selection: Selection) -> bool:
    """May it be joined with the selection entry by entry: a number, or the same selection of another array?"""
    return x.key == selection.key if isinstance(x, Selection) else not np.ndim(x) if not isinstance(x, SizedArray) else not x.ndim


def _put(maker: Maker, target: Any, result: Array, kind: str, where: Any, name: str) -> Any:
    """A new array, or the one that ``out`` names."""
    if target is None:
        if where is not True:
            raise refused(f"{name} with where= and no out=", "both, or np.where")
        return SizedArray(maker, result, kind)
    if not isinstance(target, SizedArray):
        raise OptionError("in-place", *PLAIN)
    if where is not True:
        test = lifted(maker, where)
        result = maker.map("select", _truths(maker, *test), _numbers(maker, result, kind), _numbers(maker, target.array, target.kind))
        kind = _join((kind, target.kind, "i"))
    if _broadcast(result, target.array) != tuple(target.array.shape) and \
            not all(map(same, _broadcast(result, target.array), target.array.shape)):
        raise refused("a result that is larger than the array it goes into", "shapes that broadcast")
    target.write(result, kind)
    return target


def _entrywise(maker: Maker, name: str, args: list[tuple[Array, str]]) -> tuple[Array, str]:
    kinds = [k for _, k in args]
    if name in ("isnan", "isinf", "isfinite"):  # every entry is a number
        return maker.copied(maker.spread_to(maker.number(name == "isfinite"), args[0][0].shape)), "b"
    if name in LOGIC:
        if name in ("bitwise_and", "bitwise_or", "invert") and set(kinds) != {"b"}:
            raise refused(f"np.{name} of whole numbers", "conditions")
        truths = [_truths(maker, a, k) for a, k in args]
        return LOGIC[name](maker, *truths), "b"
    if set(kinds) == {"b"} and name in ("add", "multiply", "maximum", "minimum"):
        return maker.map("or" if name in ("add", "maximum") else "and", *[a for a, _ in args]), "b"
    if set(kinds) == {"b"} and name in ("subtract", "negative", "positive", "sign", "power", "square"):
        raise refused(f"np.{name} of conditions", "numbers: mask.astype(float)")
    numbers = [_numbers(maker, a, k) for a, k in args]
    kind = _join(kinds) if name in SAME_KIND else "f"
    if name in TESTS:
        return TESTS[name](maker, *numbers), "b"
    if name == "power" and kind == "i" and (maker.known(numbers[1]) is None or np.any(maker.known(numbers[1]) < 0)):
        raise refused("whole numbers to a power", "floating numbers")
    if name in NUMBERS:
        made = NUMBERS[name](maker, *numbers)
        return maker.copied(made) if any(made is a for a in numbers) else made, kind
    raise unknown(name, f"np.{name}")


def _selected_along(x: Any, y: Any) -> tuple[Any, Any]:
    """The factors of a product; where one mask selects both along the axis that is summed over, what it leaves out is 0."""
    if isinstance(x, Selection) and isinstance(y, Selection) and x.key == y.key:
        one, two = x.without_the_rest(x.ndim - 1), y.without_the_rest(max(y.ndim - 2, 0))
        return (x, y) if one is None or two is None else (one, two)
    return x, y


def _matmul(maker: Maker, x: Any, y: Any) -> Array:
    given = [lifted(maker, v) for v in _selected_along(x, y)]
    if all(kind == "b" for _, kind in given):
        raise refused("a product of arrays of truths, which is no sum", "one of them as numbers")
    a, b = (_numbers(maker, *v) for v in given)
    if not a.rank or not b.rank:
        raise refused("a product @ with a number", "*")
    if a.rank == b.rank == 2 and (side := edited("transposition in code", "@", ("left", "right"))):
        a, b = (maker.permute(a, (1, 0)), b) if side == "left" else (a, maker.permute(b, (1, 0)))
    if not same(a.shape[-1], b.shape[max(b.rank - 2, 0)]):
        raise OptionError("@", f"shapes {_shown(a)} and {_shown(b)}", "inner sizes that agree", "a transpose")
    return maker.matmul(a, b)


def _common_size(x: sp.Expr, y: sp.Expr) -> None:
    if not same(x, y):
        raise refused(f"axes of sizes {x} and {y}", "equal sizes")


# Functions.

# They look at shapes and places alone: where entries are known one by one, NumPy's own code moves them about.
MOVING = frozenset({
    "reshape", "ravel", "transpose", "matrix_transpose", "swapaxes", "moveaxis", "rollaxis", "concatenate", "stack", "vstack", "hstack",
    "dstack", "column_stack", "row_stack", "split", "array_split", "hsplit", "vsplit", "dsplit", "expand_dims", "squeeze",
    "broadcast_to", "broadcast_arrays", "tile", "repeat", "diag", "diagonal", "diagflat", "flip", "flipud", "fliplr", "roll", "rot90",
    "pad", "atleast_1d", "atleast_2d", "atleast_3d", "tril", "triu", "copy", "append", "insert", "delete", "take",
    "take_along_axis", "resize", "block", "unstack", "flatten",
})
OUT = {"dot": 2, "inner": 2, "outer": 2, "sum": 3, "prod": 3, "mean": 3, "var": 3, "std": 3, "max": 2, "amax": 2, "min": 2, "amin": 2,
       "all": 2, "any": 2, "cumsum": 3, "cumprod": 3, "trace": 5, "clip": 3}  # the place of ``out`` among positional arguments
UNKNOWN = {"argmax": "np.max, or class labels as an argument", "argmin": "np.min", "argsort": "places as an argument",
           "sort": "np.max or np.min", "nonzero": "a mask", "argwhere": "a mask", "unique": "whole numbers", "median": "np.mean",
           "round": "the value itself, which has no digits", "around": "the value itself, which has no digits",
           **dict.fromkeys(("allclose", "array_equal", "isclose"), "no such test inside the function")}


def unknown(name: str, said: str) -> UnknownNodeError:
    """The error for a function that is in no table."""
    return UnknownNodeError(said, "a symbolic array, whose values are not known", "a function that has a formula", UNKNOWN.get(name, ""))


def _moved_about(maker: Maker, function: Callable[..., Any], args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """NumPy's own ``function`` on the entries."""
    kinds: list[str] = []

    def found(x: Any) -> None:
        if isinstance(x, (list, tuple)):
            for v in x:
                found(v)
        elif isinstance(x, (SizedArray, float, np.ndarray)):
            kinds.append(_kind(maker, x))

    def plain(x: Any) -> Any:
        if isinstance(x, (list, tuple)):
            return type(x)(map(plain, x)) if any(isinstance(v, (SizedArray, list, tuple)) for v in x) else x
        return _as_kind(maker, x, kind).node if isinstance(x, SizedArray) else x

    def wrapped(x: Any) -> Any:
        if isinstance(x, (list, tuple)):
            return type(x)(map(wrapped, x))
        return SizedArray(maker, maker.array(x), kind)  # type: ignore[attr-defined]

    found([*args, *options.values()])
    kind = _join(kinds)
    return wrapped(function(*map(plain, args), **{k: plain(v) for k, v in options.items()}))


def _as_kind(maker: Maker, x: SizedArray, kind: str) -> Any:
    return x.array if kind == "b" else _numbers(maker, x.array, x.kind)


def called(maker: Maker, name: str, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """A function of the table; with ``out=`` its result goes into that array."""
    if maker.by_entry and name in MOVING:
        return _moved_about(maker, getattr(np, name), args, options)
    if name not in FUNCTIONS:
        raise unknown(name, f"np.{name}")
    if name in OUT and len(args) > OUT[name]:  # np.dot(a, b, out)
        args, options = args[:OUT[name]], {**options, "out": args[OUT[name]]}
    more = {k: v for k, v in options.items() if v is not np._NoValue}
    out = more.pop("out", None)
    target = out[0] if isinstance(out, tuple) else out
    made = FUNCTIONS[name](maker, *args, **more)
    if target is None:
        return made
    return _put(maker, target, *lifted(maker, made), True, f"np.{name}")


def _axes(a: Array, axis: Any) -> tuple[int, ...]:
    found = range(a.rank) if axis is None else [axis] if _is_whole(axis) else axis
    if any(not _is_whole(k) or not -a.rank <= k < a.rank for k in found):
        raise refused(f"axis = {axis} of an array of {a.rank} axes", "its axes")
    return tuple(sorted(int(k) % a.rank for k in found))


NOTHING = {"sum": 0, "mean": 0, "prod": 1, "all": True, "any": False}  # what does not count


def _reduction(kind: str) -> Callable[..., Any]:
    def apply(m: Maker, x: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True) -> Any:
        if isinstance(x, Selection) and x.find is None and kind in ("sum", "mean") and where is True:
            _in_dtype(dtype, "f" if kind == "mean" else x.kind)
            whole = SizedArray(m, m.map("select", x.condition, _numbers(m, x.whole, x.kind), 0), x.kind) if axis is None else \
                x.without_the_rest(int(axis) % x.condition.rank) if _is_whole(axis) else None
            if whole is not None:
                total = _reduction("sum")(m, whole, axis, keepdims=keepdims, initial=initial)
                return total if kind == "sum" else total / (x.size if axis is None else x.count())
        a, k = lifted(m, x)
        _in_dtype(dtype, "f" if kind == "mean" else k)
        a = _truths(m, a, k) if kind in ("all", "any") else _numbers(m, a, k)
        if where is not True:
            if kind not in NOTHING:
                raise refused("where= of a maximum", "np.where")
            test = m.spread_to(_truths(m, *lifted(m, where)), a.shape)
            if kind == "mean":
                return _reduction("sum")(m, x, axis, keepdims=keepdims, where=where) / _reduction("sum")(
                    m, SizedArray(m, test, "b"), axis, keepdims=keepdims)
            a = m.map("select", test, a, NOTHING[kind])
        axes, keep = _axes(a, axis), bool(keepdims)
        if a.rank > 1 and not isinstance(axis, (tuple, list)):
            old = None if axis is None else axes[0]
            if new := edited("axis in code", f"axis={old}", [f"axis={j}" for j in range(a.rank) if j != old]):
                axes, keep = (int(new.removeprefix("axis=")),), keep or old is None
        if kind in ("all", "any"):
            return SizedArray(m, (m.all if kind == "all" else m.any)(a, axes, keep) if axes else m.copied(a), "b")
        if not axes:
            made = m.copied(a)
        elif kind in ("sum", "mean"):
            made = (m.sum if kind == "sum" else m.mean)(a, axes, keep)
        else:
            made = m.fold("prod", a, axes, keep) if kind == "prod" else m.peak(kind, a, axes, keep)
        if initial is not None:
            made = m.map({"sum": "add", "prod": "mul"}.get(kind, kind), made, lifted(m, initial)[0])
        return SizedArray(m, made, "f" if kind == "mean" or isinstance(initial, float) else "i" if k == "b" else k)
    return apply


def _where(m: Maker, condition: Any, *branches: Any) -> SizedArray:
    if len(branches) != 2:
        raise OptionError("np.where", "a condition alone, whose places are not known", "np.where(condition, a, b)")
    kinds = [_kind(m, b) for b in branches]
    parts = [lifted(m, b)[0] for b in branches]
    if set(kinds) != {"b"}:
        parts = [_numbers(m, a, k) for a, k in zip(parts, kinds, strict=True)]
    return SizedArray(m, m.map("select", _truths(m, *lifted(m, condition)), *parts), _join(kinds))


def _running(kind: str) -> Callable[..., SizedArray]:
    def apply(m: Maker, x: Any, axis: Any = None, dtype: Any = None) -> SizedArray:
        a, k = lifted(m, x)
        _in_dtype(dtype, k)
        a = m.reshape(a, [-1]) if axis is None and a.rank != 1 else a
        return SizedArray(m, m.running(_numbers(m, a, k), 0 if axis is None else int(axis), False, kind), "i" if k == "b" else k)
    return apply


def _of_matrix(name: str) -> Callable[..., Any]:
    """np.linalg: of matrices of real numbers."""
    def apply(m: Maker, *args: Any, **options: Any) -> Any:
        if not hasattr(m, name):
            raise unknown(name, f"np.linalg.{name}")
        made = getattr(m, name)(*[int(x) if _is_whole(x) else _numbers(m, *lifted(m, x)) for x in args], **options)
        return tuple(SizedArray(m, v) for v in made) if isinstance(made, tuple) else SizedArray(m, made)
    return apply


def _softmax(how: Callable[..., Array]) -> Callable[..., SizedArray]:
    def apply(m: Maker, x: Any, axis: Any = None, keepdims: bool = False) -> SizedArray:
        a = _numbers(m, *lifted(m, x))
        if how is composites.logsumexp:
            return SizedArray(m, how(m, a, _axes(a, axis), keepdims))
        if axis is None and a.rank != 1:
            raise refused("a softmax over all axes", "an axis")
        return SizedArray(m, how(m, a, 0 if axis is None else int(axis)))
    return apply


def _stack(m: Maker, arrays: Any, axis: int = 0) -> SizedArray:
    parts = [lifted(m, x) for x in arrays]
    k = axis % (parts[0][0].rank + 1)
    kind = _join_of_numbers(kd for _, kd in parts)
    return SizedArray(m, m.concat([m.with_axes(_numbers(m, a, kd), [k]) for a, kd in parts], k), kind)


def _concatenate(m: Maker, arrays: Any, axis: Any = 0) -> SizedArray:
    parts = [lifted(m, x) for x in arrays]
    if axis is None or any(a.rank != parts[0][0].rank or not a.rank for a, _ in parts):
        raise refused("np.concatenate of arrays of different ranks", "arrays of one rank")
    k = axis % parts[0][0].rank
    for a, _ in parts:
        for j, (x, y) in enumerate(zip(a.shape, parts[0][0].shape, strict=True)):
            if j != k:
                _common_size(x, y)
    kind = _join_of_numbers(kd for _, kd in parts)
    return SizedArray(m, m.concat([_numbers(m, a, kd) for a, kd in parts], k), kind)


def _filled(m: Maker, shape: Any, value: Any, kind: str) -> SizedArray:
    number = sp.nan if value is None else value
    a = m.number(bool(number)) if kind == "b" else m.number(number)
    lengths = _lengths(shape)
    if not lengths and not m.by_entry:
        raise refused("an array without axes that is to be filled", "a number")
    return SizedArray(m, m.copied(m.spread_to(a, lengths)), kind)


def _dtype_kind(m: Maker, dtype: Any) -> str:
    """Of the dtype that is asked for. Small whole numbers, which wrap round, are let pass where the code is run on plain arrays too."""
    if dtype is None:
        return "f"
    given = np.dtype(dtype)
    kind = str(given.kind)
    if kind == "b" or (kind in "fi" and given.itemsize >= 4):
        return kind
    if kind in "iu" and m.by_entry:
        return "i"
    raise refused(f"an array of {given}", "float64, int64 or bool")


def _in_dtype(dtype: Any, kind: str) -> None:
    """Refuse a dtype in which numbers of this kind are not what they are."""
    if not fits(dtype, kind != "f"):
        raise refused(f"numbers added up as {np.dtype(dtype)}", "a dtype that holds them")


def _like(value: Any) -> Callable[..., SizedArray]:
    def apply(m: Maker, x: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None) -> SizedArray:
        kind = _dtype_kind(m, np.asarray(x).dtype if dtype is None and not isinstance(x, SizedArray) else dtype or x.dtype)
        if not np.ndim(x) and shape is None:
            return SizedArray(m, m.number(sp.nan if value is None else value), kind)
        made = _filled(m, np.shape(x) if shape is None else shape, value, kind)
        return _laid_out_as(x, made) if shape is None else made
    return apply


def _full_like(m: Maker, x: Any, fill_value: Any, dtype: Any = None, **_: Any) -> SizedArray:
    return _laid_out_as(x, _full(m, np.shape(x), fill_value, dtype or DTYPES[_kind(m, x)]))


def _laid_out_as(x: Any, made: SizedArray) -> SizedArray:
    """In memory as x lies in it."""
    if made.maker.by_entry and isinstance(x, SizedArray):
        return SizedArray(made.maker, made.maker.laid_out(made.array, x.array), made.kind)  # type: ignore[attr-defined]
    return made


def _full(m: Maker, shape: Any, fill_value: Any, dtype: Any = None, order: str = "C") -> SizedArray:
    a, k = lifted(m, fill_value)
    kind = k if dtype is None else _dtype_kind(m, dtype)
    if a.rank:
        raise refused("an array that is filled with arrays", "a number")
    _fitting(k, kind)
    return SizedArray(m, m.copied(m.spread_to(a if kind == "b" else _numbers(m, a, k), _lengths(shape))), kind)


def _eye(m: Maker, rows: Any, columns: Any = None, k: int = 0, dtype: Any = None, order: str = "C") -> SizedArray:
    return SizedArray(m, m.unit(_length(rows), _length(rows if columns is None else columns), int(k)), _dtype_kind(m, dtype))


def _arange(m: Maker, *ends: Any, dtype: Any = None) -> SizedArray:
    start, stop, step = (0, ends[0], 1) if len(ends) == 1 else (*ends, 1)[:3] if len(ends) == 2 else ends
    if not _is_whole(step) or step != 1:
        raise refused("np.arange with a step", "np.arange(n)")
    made = m.iota((sp.expand(_length(stop) - _length(start)),), 0)
    return SizedArray(m, made if not isinstance(start, Size) and start == 0 else m.map("add", made, _length(start)),
                      "i" if dtype is None else _dtype_kind(m, dtype))


def _copied(m: Maker, x: Any, *_: Any, **__: Any) -> SizedArray:
    a, kind = lifted(m, x)
    return SizedArray(m, m.copied(a), kind)


def _cast(m: Maker, x: SizedArray, dtype: Any, *_: Any, copy: bool = True, **__: Any) -> SizedArray:
    a, kind = lifted(m, x)
    wanted = _dtype_kind(m, dtype)
    if wanted == kind and not copy:
        return x
    if kind == "f" and wanted == "i" and m.known(a) is None:
        raise refused("numbers cut to whole numbers", "the numbers themselves")
    if kind == "f" and wanted == "i":
        return SizedArray(m, *lifted(m, np.asarray(m.known(a)).astype(int)))
    return SizedArray(m, m.copied(_truths(m, a, kind) if wanted == "b" else _numbers(m, a, kind)), wanted)


def _array(m: Maker, x: Any, dtype: Any = None, copy: Any = True, **_: Any) -> SizedArray:
    if isinstance(x, SizedArray) and not copy and dtype is None:
        return x
    made = x if isinstance(x, SizedArray) else _copied(m, x)
    if dtype is None or np.dtype(dtype).kind == "O":
        return _copied(m, made)
    return _cast(m, made, dtype, copy=bool(copy))


def _as_array(m: Maker, x: Any, dtype: Any = None, *_: Any, **__: Any) -> SizedArray:
    return _array(m, x, dtype, copy=False)


def _squeezed(m: Maker, x: SizedArray, axis: Any = None) -> SizedArray:
    ones = [k for k, n in enumerate(x.array.shape) if n == 1]
    gone = ones if axis is None else list(_axes(x.array, axis))
    if axis is None and any(not n.is_Integer for n in x.array.shape):
        raise refused("np.squeeze without an axis", "an axis, since a size may be 1")
    if set(gone) - set(ones):
        raise refused("np.squeeze of an axis that is not of size 1", "an axis of size 1")
    return x[tuple(0 if k in gone else slice(None) for k in range(x.ndim))]  # type: ignore[no-any-return]


def _expanded(m: Maker, x: SizedArray, axis: Any) -> SizedArray:
    axes = [axis] if _is_whole(axis) else list(axis)
    rank = x.ndim + len(axes)
    places = {k % rank for k in axes}
    return x[tuple(None if k in places else slice(None) for k in range(rank))]  # type: ignore[no-any-return]


def _moved(m: Maker, x: SizedArray, source: Any, destination: Any) -> SizedArray:
    froms, tos = ([v % x.ndim for v in ([w] if _is_whole(w) else w)] for w in (source, destination))
    order = [k for k in range(x.ndim) if k not in froms]
    for to, start in sorted(zip(tos, froms, strict=True)):
        order.insert(to, start)
    return _permuted(x, order)


def _swapped(m: Maker, x: SizedArray, one: int, other: int) -> SizedArray:
    order = list(range(x.ndim))
    order[one], order[other] = order[other], order[one]
    return _permuted(x, order)


def _transposed(m: Maker, x: SizedArray, *axes: Any, **more: Any) -> SizedArray:
    axes = (more["axes"],) if "axes" in more else axes
    order = axes[0] if len(axes) == 1 and not _is_whole(axes[0]) else axes
    return x.T if not order else _permuted(x, order)


def _reshape(m: Maker, x: Any, *sizes: Any, order: str = "C", **more: Any) -> SizedArray:
    given = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
    given = more.get("newshape", more.get("shape", given))
    if order != "C":
        raise refused(f"a reshape with order={order!r}", "row by row")
    sized = x if isinstance(x, SizedArray) else SizedArray(m, *lifted(m, x))
    return _reshaped(sized, given if isinstance(given, (tuple, list)) else (given,))


def _tiled(m: Maker, x: Any, reps: Any) -> SizedArray:
    a, kind = lifted(m, x)
    return SizedArray(m, m.tiled(_numbers(m, a, kind), _lengths(reps)), "i" if kind == "b" else kind)


def _repeated(m: Maker, x: Any, repeats: Any, axis: Any = None) -> SizedArray:
    a, kind = lifted(m, x)
    a = m.reshape(a, [-1]) if axis is None and a.rank != 1 else a
    return SizedArray(m, m.repeated(_numbers(m, a, kind), _axes(a, axis or 0)[0], _length(repeats)), "i" if kind == "b" else kind)


def _triangle(lower: bool) -> Callable[..., SizedArray]:
    def apply(m: Maker, x: Any, k: int = 0) -> SizedArray:
        a, kind = lifted(m, x)
        if a.rank != 2:
            raise refused("a triangle of an array that is no matrix", "a matrix")
        test = m.side(a.shape[0], a.shape[1], lower, int(k))
        if kind == "b":
            return SizedArray(m, m.map("and", test, a), "b")
        return SizedArray(m, m.map("select", test, a, 0), kind)
    return apply


def _diagonal(m: Maker, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> SizedArray:
    a, k = lifted(m, x)
    i, j = _axes(a, axis1) + _axes(a, axis2)
    lined = m.permute(_numbers(m, a, k), [*[r for r in range(a.rank) if r not in (i, j)], i, j])
    if not offset:
        _common_size(*lined.shape[-2:])
    return SizedArray(m, m.diagonal(lined, int(offset)), "i" if k == "b" else k)


def _diag(m: Maker, x: Any, k: int = 0) -> SizedArray:
    a, kind = lifted(m, x)
    if a.rank == 2:
        return _diagonal(m, x, k)
    if a.rank != 1 or k:
        raise refused("np.diag of an array that is no vector", "a vector")
    return SizedArray(m, m.map("mul", m.unit(a.shape[0]), m.with_axes(_numbers(m, a, kind), [0])), kind)


def _filled_in_place(m: Maker, x: SizedArray, value: Any) -> None:
    x[...] = value


def _item(m: Maker, x: SizedArray, *where: Any) -> SizedArray:
    if where:
        lined = len(where) == 1 and not isinstance(where[0], tuple)
        return _reshape(m, x, -1)[where[0]] if lined else x[where if len(where) > 1 else where[0]]  # type: ignore[no-any-return]
    if any(n != 1 for n in x.array.shape):
        raise refused(".item() of an array", "a single number")
    return x[(0,) * x.ndim] if x.ndim else _copied(m, x)


def _listed(m: Maker, x: SizedArray) -> Any:
    return [row.tolist() for row in x] if x.ndim else x


def _flip(m: Maker, x: Any, axis: Any = None) -> SizedArray:
    a, k = lifted(m, x)
    for j in _axes(a, axis):
        a = m.flip(a, j)
    return SizedArray(m, a, k)


def _broadcast_to(m: Maker, x: Any, shape: Any) -> SizedArray:
    a, k = lifted(m, x)
    lengths = _lengths(shape)
    if _broadcast(a, Array(a.node, lengths)) != lengths:
        raise refused("np.broadcast_to a smaller shape", "shapes that broadcast")
    if isinstance(x, SizedArray) and x.ndim:
        return _view(x, lambda now: m.spread_to(now, lengths), None)
    return SizedArray(m, m.spread_to(a, lengths), k)


def _composed(name: str, m: Maker, *args: Any, **options: Any) -> Any:
    return composed(name, args, options, lambda x: x if isinstance(x, SizedArray) else SizedArray(m, *lifted(m, x)))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sum": _reduction("sum"), "mean": _reduction("mean"), "max": _reduction("max"), "amax": _reduction("max"), "min": _reduction("min"),
    "amin": _reduction("min"), "all": _reduction("all"), "any": _reduction("any"),
    "count_nonzero": lambda m, x, axis=None, keepdims=False: _reduction("sum")(m, SizedArray(m, _truths(m, *lifted(m, x)), "b"), axis,
                                                                                 keepdims=keepdims),
    **{name: partial(_composed, name) for name in COMPOSED},
    "where": _where, "cumsum": _running("sum"), "cumprod": _running("prod"),
    "prod": _reduction("prod"), "inv": _of_matrix("inverse"),
    **{name: _of_matrix(name) for name in ("det", "solve", "cholesky", "slogdet", "matrix_power")},
    "trace": lambda m, x, *where, dtype=None: np.sum(np.diagonal(x, *where), axis=-1, dtype=dtype), "diagonal": _diagonal, "diag": _diag,
    "softmax": _softmax(composites.softmax), "log_softmax": _softmax(composites.log_softmax), "logsumexp": _softmax(composites.logsumexp),
    "concatenate": _concatenate, "stack": _stack, "zeros_like": _like(0), "ones_like": _like(1), "empty_like": _like(None),
    "full_like": _full_like,
    "reshape": _reshape, "ravel": lambda m, x, order="C": _reshape(m, x, -1, order=order),
    "flatten": lambda m, x, order="C": _copied(m, _reshape(m, x, -1, order=order)), "transpose": _transposed, "swapaxes": _swapped,
    "moveaxis": _moved, "expand_dims": _expanded, "squeeze": _squeezed, "flip": _flip, "tril": _triangle(True), "triu": _triangle(False),
    "broadcast_to": _broadcast_to, "copy": _copied, "astype": _cast, "fill": _filled_in_place, "item": _item,
    "real": lambda m, x: x, "conj": lambda m, x: x,
    "shape": lambda m, x: x.shape, "ndim": lambda m, x: x.ndim, "size": lambda m, x, axis=None: x.size if axis is None else x.shape[axis],
    "fliplr": lambda m, x: _flip(m, x, 1), "flipud": lambda m, x: _flip(m, x, 0),
    "atleast_1d": lambda m, x: x if x.ndim else x[None], "matrix_transpose": lambda m, x: x.mT,
    "tile": _tiled, "repeat": _repeated, "tolist": _listed, "nan_to_num": _copied, "iscomplexobj": lambda m, x: False,
    "isrealobj": lambda m, x: True,
    "result_type": lambda m, *xs: np.result_type(*[x.dtype if isinstance(x, SizedArray) else x for x in xs]),
    "may_share_memory": lambda m, x, y, *_: _share_memory(x, y), "shares_memory": lambda m, x, y, *_: _share_memory(x, y),
}
METHODS = frozenset({"sum", "mean", "max", "min", "var", "std", "all", "any", "clip", "dot", "cumsum", "cumprod", "prod", "trace",
                     "reshape", "ravel", "flatten", "transpose", "swapaxes", "squeeze", "copy", "astype", "fill", "item", "conj", "ptp",
                     "diagonal", "repeat", "take", "tolist"})


def _share_memory(x: Any, y: Any) -> bool:
    if isinstance(x, SizedArray) and isinstance(y, SizedArray):
        return x.root() is y.root() if not x.maker.by_entry else np.may_share_memory(x.array.node, y.array.node)
    return False


# What NumPy makes without an array to ask.

def _has_sized(x: Any) -> bool:
    return isinstance(x, SizedArray) or (isinstance(x, (list, tuple)) and any(map(_has_sized, x)))


def stand_ins(maker: Maker) -> list[StandIn]:
    """NumPy, math and scipy.special (where the user has it) as a traced function needs them."""
    def of_its_own(dtype: Any) -> bool:
        """Where entries are known, an array of whole numbers, truths or objects that holds no symbol stays NumPy's own."""
        return maker.by_entry and dtype is not None and np.dtype(dtype).kind != "f"

    def new(name: str, value: Any) -> Callable[..., Any]:
        def make(shape: Any, dtype: Any = None, order: str = "C", **_: Any) -> Any:
            return getattr(np, name)(shape, dtype) if of_its_own(dtype) else _filled(maker, shape, value, _dtype_kind(maker, dtype))
        return make

    def full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", **_: Any) -> Any:
        kind = dtype if dtype is not None or _has_sized(fill_value) else np.asarray(fill_value).dtype  # np.full(3, 1) holds whole numbers
        return np.full(shape, fill_value, kind) if of_its_own(kind) else _full(maker, shape, fill_value, dtype)

    def like(value: Any) -> Callable[..., Any]:
        def make(x: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None) -> Any:
            if not _has_sized(x) and of_its_own(dtype or np.asarray(x).dtype):
                return np.full(np.shape(x) if shape is None else shape, value or 0, dtype or np.asarray(x).dtype)
            return _like(value)(maker, x, dtype, shape=shape)
        return make

    def either(name: str, original: Any) -> Callable[..., Any]:
        return lambda *args, **more: called(maker, name, args, more) if _has_sized([*args, *more.values()]) else original(*args, **more)

    def array(make: Callable[..., Any], original: Any) -> Callable[..., Any]:
        def apply(x: Any, *args: Any, **more: Any) -> Any:
            if _has_sized(x):
                return make(maker, x, *args, **more)
            made = original(x, *args, **more)
            return _copied(maker, made) if made.dtype.kind == "f" and made.ndim else made
        return apply

    def exactly(name: str) -> Callable[..., Any]:
        """np.sqrt(2) as √2, not as a float."""
        def apply(x: Any, *rest: Any, **options: Any) -> Any:
            return _ufunc(maker, name, "__call__", (x,), {}) if _is_number(x) else getattr(np, name)(x, *rest, **options)
        return apply

    def eye(rows: Any, columns: Any = None, k: int = 0, dtype: Any = None, **_: Any) -> Any:
        if not maker.by_entry:
            return _eye(maker, rows, columns, k, dtype)
        made = np.eye(rows, columns, k, dtype if of_its_own(dtype) else float)
        return made if of_its_own(dtype) else _copied(maker, made)

    own: dict[str, Any] = {
        "zeros": new("zeros", 0), "ones": new("ones", 1), "empty": new("zeros", None), "full": full, "eye": eye,
        "identity": lambda n, dtype=None: eye(n, dtype=dtype),
        "zeros_like": like(0), "ones_like": like(1), "empty_like": like(None),
        "full_like": lambda x, fill_value, dtype=None, **_: _full_like(maker, x, fill_value, dtype) if _has_sized(x) else \
            full(np.shape(x), fill_value, dtype or np.asarray(x).dtype),
        "arange": lambda *args, **more: _arange(maker, *args, **more) if _has_sized(args) else np.arange(*args, **more),
        "prod": lambda x, *args, **more: math.prod(x) if isinstance(x, tuple) and _has_sized(x) else np.prod(x, *args, **more),
        "array": array(_array, np.array), "asarray": array(_as_array, np.asarray), "asanyarray": array(_as_array, np.asanyarray),
        "ascontiguousarray": array(_contiguous, np.ascontiguousarray),
        **{name: either(name, getattr(np, name)) for name in ("stack", "concatenate", "sum", "mean", "broadcast_to", "reshape")},
        **({name: exactly(name) for name in ("sqrt", "exp", "log", "log2", "tanh")} if maker.by_entry else {}),
    }
    return numpy_stand_ins(own, lambda x: isinstance(x, SizedArray), lambda x, real: _cast(maker, x, real),
                           lambda name, x: _ufunc(maker, name, "__call__", (x,), {}), partial(called, maker), maker.by_entry)


def _contiguous(m: Maker, x: Any, dtype: Any = None, **_: Any) -> SizedArray:
    made = _as_array(m, x, dtype)
    if m.by_entry:
        return SizedArray(m, m.array(np.ascontiguousarray(made.array.node)), made.kind)  # type: ignore[attr-defined]
    return _reshaped(made, made.shape)


def sized_numpy(function: Any, maker: Maker) -> AbstractContextManager[None]:
    """NumPy as ``function`` needs it while it runs on symbolic sizes, within."""
    return instead(function, stand_ins(maker), {"len": lambda x: x.shape[0] if isinstance(x, SizedArray) and x.ndim else len(x)})
