"""While the user's function runs, its np.zeros and its kind make arrays that can hold symbolic values, and np.random refuses.

NumPy asks an argument's class how to run a function, but np.zeros((n, m)) has no such argument: it makes a float array, into which no
symbolic value fits. So the names that mean NumPy in the user's own modules (np, also ``import numpy`` inside a function, and
``from numpy import zeros``) lead to a stand-in for as long as the function runs, and are put back afterwards, whatever happens. NumPy
itself is not changed: compiled code that makes its own arrays must find the real np.empty. One check runs at a time.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from symnet.checking.code import nodes as n
from symnet.checking.code.arrays import Traced, nodes_of, wrap
from symnet.checking.code.functions import TABLE, filled
from symnet.checking.code.ufuncs import ONE
from symnet.errors import OptionError

_LOCK = threading.RLock()
LIBRARIES = frozenset({"numpy", "scipy", "symnet", "sympy", "math", "flint"})

CALL = "__call__"


def _whole(dtype: Any) -> bool:
    """True for an array of whole numbers, truths or objects, which stays NumPy's own."""
    return dtype is not None and np.dtype(dtype).kind != "f"


def _for_users(original: Any, new: Any) -> Callable[..., Any]:
    """``new`` where the user's code calls, ``original`` where a library does: NumPy's own functions use np.empty and the like too."""
    def choose(*args: Any, **options: Any) -> Any:
        caller = str(sys._getframe(1).f_globals.get("__name__", "")).split(".")[0]
        return (new if caller not in LIBRARIES and n.is_tracing() else original)(*args, **options)
    return choose


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
            return wrap(ONE[name](nodes_of(x)[()]))
        return getattr(np, name)(x, *rest, **options)
    return apply


def _no_chance(name: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OptionError(f"np.random.{name}", "a random number inside the function", "the same result on every call",
                          "pass a dropout mask or noise as an argument")
    return refuse


class StandIn(ModuleType):
    """A module with some names of its own; all others are those of the real one."""

    def __init__(self, real: ModuleType, own: dict[str, Any]) -> None:
        super().__init__(real.__name__, real.__doc__)
        self.__dict__["_real"] = real
        self.__dict__.update({name: _for_users(getattr(real, name), new) for name, new in own.items()})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_real"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["_real"], name, value)  # importing numpy.fft for the first time sets it here


def stand_ins() -> list[StandIn]:
    """NumPy, its random module, math and scipy.special (where the user has it) as a traced function needs them."""
    made: dict[str, Any] = {
        "zeros": _new(0), "ones": _new(1), "empty": _new(None), "full": _full, "eye": _eye, "identity": _eye, "zeros_like": _like(0),
        "ones_like": _like(1), "empty_like": _like(None),
        "full_like": lambda x, fill_value, dtype=None, **_: _full(np.shape(x), fill_value, dtype),
        **{name: _array(name) for name in ("array", "asarray", "asanyarray", "ascontiguousarray")},
        **{name: _exactly(name) for name in ("sqrt", "exp", "log", "log2", "tanh")},
    }
    chance = StandIn(np.random, {name: _no_chance(name) for name in dir(np.random) if name[0].islower()
                                 and callable(getattr(np.random, name)) and not isinstance(getattr(np.random, name), ModuleType)})
    numpy = StandIn(np, made)
    numpy.__dict__["random"] = chance
    found = [numpy, chance]
    names = ("sqrt", "exp", "log", "log2", "tanh", "sin", "cos", "erf")
    found.append(StandIn(math, {name: _from_math(name, getattr(math, name)) for name in names}))
    special = sys.modules.get("scipy.special")
    if special is not None:
        own = {name: _either(TABLE[name], getattr(special, name)) for name in ("softmax", "log_softmax", "logsumexp")}
        found.append(StandIn(special, own))
    return found


def _from_math(name: str, original: Any) -> Callable[..., Any]:
    def apply(x: Any, *rest: Any) -> Any:
        ours = isinstance(x, (Traced, int, float)) and not rest and np.ndim(x) == 0
        return wrap(ONE[name](nodes_of(x)[()])) if ours else original(x, *rest)
    return apply


def _either(ours: Any, original: Any) -> Callable[..., Any]:
    return lambda x, *rest, **more: ours(x, *rest, **more) if isinstance(x, Traced) else original(x, *rest, **more)


@contextmanager
def symbolic_numpy(function: Any) -> Iterator[None]:
    """NumPy as a traced function needs it, within."""
    with _LOCK:
        made = stand_ins()
        instead: dict[int, tuple[Any, Any]] = {}
        for module in made:
            real = module.__dict__["_real"]
            instead[id(real)] = (real, module)
            instead |= {id(getattr(real, name)): (getattr(real, name), new) for name, new in vars(module).items()
                        if not name.startswith("_") and hasattr(real, name) and new is not getattr(real, name)}
        swaps = [(space, name, value, instead[id(value)][1]) for space in _spaces(function) for name, value in list(space.items())
                 if id(value) in instead and value is instead[id(value)][0]]
        loaded: dict[str, Any] = sys.modules
        swaps += [(loaded, m.__name__, m.__dict__["_real"], m) for m in made if loaded.get(m.__name__) is m.__dict__["_real"]]
        try:
            for space, name, _, new in swaps:
                space[name] = new
            yield
        finally:
            for space, name, old, _ in swaps:
                space[name] = old


def _spaces(function: Any) -> list[dict[str, Any]]:
    """The global names of the function and of the user's own functions that these names lead to."""
    found: dict[int, dict[str, Any]] = {}
    waiting = [function]
    while waiting:
        at = waiting.pop()
        at = getattr(at, "__func__", at)
        at = getattr(at, "__wrapped__", at) if not isinstance(at, FunctionType) else at
        space = getattr(at, "__globals__", None)
        if space is None and isinstance(at, type):
            space = vars(sys.modules.get(at.__module__, math))
        elif space is None and not isinstance(at, ModuleType):
            space = getattr(getattr(type(at), CALL, None), "__globals__", None)
        if space is None or id(space) in found or str(space.get("__name__", "")).split(".")[0] in LIBRARIES:
            continue
        found[id(space)] = space
        waiting += [v for v in list(space.values()) if isinstance(v, FunctionType)]
    return list(found.values())
