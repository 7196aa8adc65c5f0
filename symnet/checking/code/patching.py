"""NumPy as a function that is traced at small sizes finds it: arrays of nodes, and no chance."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from symnet.checking.code import nodes as n
from symnet.checking.code.arrays import Traced, nodes_of, wrap
from symnet.checking.code.functions import called, filled
from symnet.checking.code.ufuncs import MADE
from symnet.core.user_code import StandIn, instead, numpy_stand_ins


def _whole(dtype: Any) -> bool:
    """True for an array of whole numbers, truths or objects, which stays NumPy's own."""
    return dtype is not None and np.dtype(dtype).kind != "f"


def _new(value: Any) -> Callable[..., Any]:
    def make(shape: Any, dtype: Any = None, order: str = "C", **_: Any) -> Any:
        if _whole(dtype):
            return np.full(shape, 0 if value is None else value, dtype=dtype) if value is not None else np.zeros(shape, dtype)
        return filled(shape, value)
    return make


def _full(shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", **_: Any) -> Any:
    kind = dtype if dtype is not None or _symbolic(fill_value) else np.asarray(fill_value).dtype  # np.full(3, 1) holds whole numbers
    if _whole(kind):
        return np.full(shape, fill_value, kind)
    return filled(shape, fill_value)


def _like(value: Any) -> Callable[..., Any]:
    def make(x: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, **_: Any) -> Any:
        kind = dtype if dtype is not None else getattr(x, "dtype", None)
        size = np.shape(x) if shape is None else shape
        return np.full(size, value or 0, kind) if _whole(kind) else filled(size, value)
    return make


def _eye(rows: Any, columns: Any = None, k: int = 0, dtype: Any = None, order: str = "C", **_: Any) -> Any:
    made = np.eye(rows, columns, k, int)
    return made.astype(dtype) if _whole(dtype) else wrap(nodes_of(made))


def _symbolic(x: Any) -> bool:
    return isinstance(x, (Traced, n.Node)) or (isinstance(x, (list, tuple)) and any(map(_symbolic, x)))


def _array(name: str) -> Callable[..., Any]:
    def make(x: Any, dtype: Any = None, **options: Any) -> Any:
        if isinstance(x, Traced) and name != "array":
            return x
        if _symbolic(x):
            made = wrap(nodes_of(x).copy())
            return made if dtype is None or np.dtype(dtype).kind == "O" else made.astype(dtype)
        made = getattr(np, name)(x, dtype, **options)
        return wrap(nodes_of(made)) if made.dtype.kind == "f" else made
    return make


def _exactly(name: str) -> Callable[..., Any]:
    """np.sqrt(2) as √2, not as a float; arrays go on to NumPy."""
    def apply(x: Any, *rest: Any, **options: Any) -> Any:
        if isinstance(x, (int, float, np.integer, np.floating)) and not isinstance(x, bool):
            return wrap(MADE[name](nodes_of(x)[()]))
        return getattr(np, name)(x, *rest, **options)
    return apply


def stand_ins() -> list[StandIn]:
    """NumPy, its random module, math and scipy.special (where the user has it) as a traced function needs them."""
    made: dict[str, Any] = {
        "zeros": _new(0), "ones": _new(1), "empty": _new(None), "full": _full, "eye": _eye, "identity": _eye, "zeros_like": _like(0),
        "ones_like": _like(1), "empty_like": _like(None),
        "full_like": lambda x, fill_value, dtype=None, **_: _full(np.shape(x), fill_value, dtype),
        **{name: _array(name) for name in ("array", "asarray", "asanyarray", "ascontiguousarray")},
        **{name: _exactly(name) for name in ("sqrt", "exp", "log", "log2", "tanh")},
    }
    return numpy_stand_ins(made, lambda x: isinstance(x, Traced), lambda x, real: x.astype(real),
                           lambda name, x: wrap(MADE[name](nodes_of(x)[()])), called, n.is_tracing, of_numbers=True)


def symbolic_numpy(function: Any) -> AbstractContextManager[None]:
    """NumPy as a traced function needs it, within."""
    return instead(function, stand_ins())
