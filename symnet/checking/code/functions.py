"""NumPy's array functions on arrays of nodes. Those that move entries about are NumPy's own, run on object arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from flint import fmpq

from symnet.checking.code import nodes as n
from symnet.checking.code.arrays import Traced, each, nodes_of, plain, wrap
from symnet.checking.code.ufuncs import in_dtype, put, reduce
from symnet.errors import OptionError
from symnet.indexing.numpy_functions import COMPOSED, composed

# They look at shapes and places alone, so that NumPy's own code does it on object arrays.
MOVING = frozenset({
    "reshape", "ravel", "transpose", "matrix_transpose", "swapaxes", "moveaxis", "rollaxis", "concatenate", "stack", "vstack", "hstack",
    "dstack", "column_stack", "row_stack", "split", "array_split", "hsplit", "vsplit", "dsplit", "expand_dims", "squeeze",
    "broadcast_to", "broadcast_arrays", "tile", "repeat", "diag", "diagonal", "diagflat", "flip", "flipud", "fliplr", "roll", "rot90",
    "pad", "atleast_1d", "atleast_2d", "atleast_3d", "tril", "triu", "copy", "append", "insert", "delete", "take",
    "take_along_axis", "resize", "block", "unstack",
})
ASKING = frozenset({"shape", "ndim", "size", "ndindex", "result_type", "iscomplexobj", "isrealobj", "may_share_memory"})
UNKNOWN = {"argmax": "np.max, or class labels as an argument", "argmin": "np.min", "argsort": "places as an argument",
           "sort": "np.max or np.min", "nonzero": "a mask", "argwhere": "a mask", "unique": "whole numbers", "median": "np.mean",
           **dict.fromkeys(("allclose", "array_equal", "isclose"), "no such test inside the function")}


def dispatch(func: Any, args: Any, kwargs: Any) -> Any:
    """What NumPy's ``func`` gives for arrays of nodes."""
    name = func.__name__
    if name in TABLE:
        return called(name, args, kwargs)
    if name in MOVING:
        return _wrapped(func(*[_plain(a) for a in args], **{k: _plain(v) for k, v in kwargs.items()}))
    if name in ASKING:
        return func(*[_plain(a) for a in args], **kwargs)
    raise OptionError(f"np.{name}", "a symbolic array, whose values are not known", "a function that has a formula", UNKNOWN.get(name, ""))


def called(name: str, args: Any, options: Any) -> Any:
    """A function of the table. With ``out=`` the result goes into that array, whatever the function."""
    options = dict(options)
    out = options.pop("out", None)
    if name in OUT and len(args) > OUT[name]:  # np.dot(a, b, out)
        args, out = args[:OUT[name]], args[OUT[name]]
    made = TABLE[name](*args, **options)
    return made if out is None else put(out, made if isinstance(made, Traced) else wrap(nodes_of(made)))


def _plain(x: Any) -> Any:
    if isinstance(x, (list, tuple)) and any(isinstance(v, (Traced, list, tuple)) for v in x):
        return type(x)(map(_plain, x)) if type(x) in (list, tuple) else x
    return plain(x) if isinstance(x, Traced) else x


def _wrapped(x: Any) -> Any:
    return type(x)(wrap(v) for v in x) if isinstance(x, (list, tuple)) else wrap(x)


def mean(x: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **more: Any) -> Any:
    """The mean along axes."""
    in_dtype(dtype, nodes_of(x), truths=False)
    total = reduce("add", x, axis, keepdims, **more)
    return total * wrap(n.num(fmpq(max(total.size, 1), max(nodes_of(x).size, 1))))


def where(condition: Any, *branches: Any) -> Any:
    """Entry by entry, the first where the condition holds."""
    if len(branches) != 2:
        raise OptionError("np.where", "a condition alone, whose places are not known", "np.where(condition, a, b)")
    return wrap(each(n.choose, nodes_of(condition), nodes_of(branches[0]), nodes_of(branches[1])))


def running(name: str) -> Callable[..., Any]:
    """np.cumsum and np.cumprod."""
    join = n.add if name == "cumsum" else n.mul

    def apply(x: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        array = nodes_of(x).reshape(-1) if axis is None else nodes_of(x)
        in_dtype(dtype, array)
        along = np.moveaxis(array, 0 if axis is None else axis, 0)
        rows = [along[0]]
        for row in along[1:]:
            rows.append(each(lambda a, b: join((a, b)), rows[-1], row))
        return wrap(np.moveaxis(np.stack(rows), 0, 0 if axis is None else axis))
    return apply


def like(value: Any) -> Callable[..., Any]:
    """np.zeros_like and its kind."""
    def apply(x: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **_: Any) -> Any:
        return filled(np.shape(x) if shape is None else shape, value)
    return apply


def filled(shape: Any, value: Any) -> Traced:
    """An array of one value; None stands for an entry that is not set yet."""
    made = np.empty(shape, dtype=object)
    made[...] = n.graph().node("unset") if value is None else nodes_of(value)
    return wrap(made)


def _trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, **_: Any) -> Any:
    return reduce("add", wrap(np.diagonal(nodes_of(x), offset, axis1, axis2)), -1)


def _logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, **_: Any) -> Any:
    return np.log(reduce("add", np.exp(a) if b is None else np.exp(a) * b, axis, keepdims))


def _softmax(x: Any, axis: Any = None) -> Any:
    e = np.exp(wrap(nodes_of(x)))
    return e / reduce("add", e, axis, True)


def _peak(name: str) -> Callable[..., Any]:
    def apply(x: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True) -> Any:
        start = None if initial is np._NoValue else initial
        return reduce(name, x, axis, keepdims, initial=start, out=out, where=True if where is np._NoValue else where)
    return apply


def _sum(name: str) -> Callable[..., Any]:
    def apply(x: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None,
              where: Any = True) -> Any:
        in_dtype(dtype, nodes_of(x))
        return _peak(name)(x, axis, out, keepdims, initial, where)
    return apply


def _composed(name: str, *args: Any, **options: Any) -> Any:
    return composed(name, args, options, lambda x: x if isinstance(x, Traced) else wrap(nodes_of(x)))


OUT = {"dot": 2, "inner": 2, "outer": 2, "sum": 3, "prod": 3, "mean": 3, "var": 3, "std": 3, "max": 2, "amax": 2, "min": 2, "amin": 2,
       "all": 2, "any": 2, "cumsum": 3, "cumprod": 3, "trace": 5, "clip": 3}  # the place of ``out`` among positional arguments
TABLE: dict[str, Callable[..., Any]] = {
    "sum": _sum("add"), "prod": _sum("multiply"), "max": _peak("maximum"), "amax": _peak("maximum"), "min": _peak("minimum"),
    "amin": _peak("minimum"), "all": lambda x, axis=None, out=None, keepdims=False: reduce("logical_and", x, axis, keepdims),
    "any": lambda x, axis=None, out=None, keepdims=False: reduce("logical_or", x, axis, keepdims),
    "mean": mean, "where": where, "cumsum": running("cumsum"), "cumprod": running("cumprod"), "trace": _trace,
    "zeros_like": like(0), "ones_like": like(1), "empty_like": like(None),
    "full_like": lambda x, fill_value, **_: filled(np.shape(x), fill_value), "nan_to_num": lambda x, *_, **__: x,
    "logsumexp": _logsumexp, "softmax": _softmax, "log_softmax": lambda x, axis=None: x - _logsumexp(x, axis, keepdims=True),
    "count_nonzero": lambda x, axis=None, keepdims=False: reduce("add", wrap(each(n.as_condition, nodes_of(x))), axis, keepdims),
    "real": lambda x: x, "around": lambda *_, **__: _refuse("np.round"), "round": lambda *_, **__: _refuse("np.round"),
    **{name: partial(_composed, name) for name in COMPOSED},
}


def _refuse(name: str) -> Any:
    raise OptionError(name, "a symbolic value, which has no digits", "the value itself")


def _method(name: str) -> Callable[..., Any]:
    def apply(self: Traced, *args: Any, **options: Any) -> Any:
        if name in UNKNOWN:
            raise OptionError(f".{name}()", "a symbolic array, whose values are not known", "a function that has a formula", UNKNOWN[name])
        return called(name, (self, *args), options)
    apply.__name__ = name
    return apply


for _name in ("sum", "prod", "max", "min", "all", "any", "mean", "var", "std", "cumsum", "cumprod", "dot", "trace", "clip", "round", "ptp",
              "argmax", "argmin", "argsort", "sort", "nonzero"):
    setattr(Traced, _name, _method(_name))
