"""A user's function, run: stand-ins for NumPy while it is traced, and its errors told in one line with the place in the user's file.

NumPy asks an argument's class how to run a function, but np.zeros((n, m)) has no such argument: it makes a float array, into which no
symbolic value fits. So the names that mean NumPy in the user's own modules (np, also ``import numpy`` inside a function, and
``from numpy import zeros``) lead to a stand-in for as long as the function runs, and are put back afterwards, whatever happens. NumPy
itself is not changed: compiled code that makes its own arrays must find the real np.empty. One function is traced at a time.
"""

from __future__ import annotations

import math
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any

from symnet.errors import OptionError, SymnetError, one_line

_LOCK = threading.RLock()
LIBRARIES = frozenset({"numpy", "scipy", "symnet", "sympy", "math", "flint"})
CALL = "__call__"
NUMBER_TYPES = ("float32", "float64", "int32", "int64")
MATHS = ("sqrt", "exp", "log", "log2", "tanh", "sin", "cos", "erf")
SPECIAL = ("softmax", "log_softmax", "logsumexp")


class SymbolicIndex(OptionError):
    """A symbolic array was used as an index; class labels can be passed as whole numbers instead."""

    def __init__(self, name: str) -> None:
        super().__init__("index", f"{name or 'a symbolic array'}, whose values are not known", "whole numbers",
                         "labels={'y': 'Y'} passes class labels")
        self.name = name


class StandIn(ModuleType):
    """A module with some names of its own, which users meet while ``active``; all others, and what libraries meet, are the real one's."""

    def __init__(self, real: ModuleType, own: Mapping[str, Any], active: Callable[[], bool]) -> None:
        super().__init__(real.__name__, real.__doc__)
        self.__dict__["_real"] = real
        self.__dict__.update({name: _for_users(getattr(real, name), new, active) for name, new in own.items()})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_real"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["_real"], name, value)  # importing numpy.fft for the first time sets it here


def _for_users(original: Any, new: Any, active: Callable[[], bool]) -> Callable[..., Any]:
    """``new`` where the user's code calls, ``original`` where a library does: NumPy's own functions use np.empty and the like too."""
    def choose(*args: Any, **options: Any) -> Any:
        caller = str(sys._getframe(1).f_globals.get("__name__", "")).split(".")[0]
        return (new if caller not in LIBRARIES and active() else original)(*args, **options)
    return choose


def number_type(real: Any, cast: Callable[..., Any]) -> Any:
    """np.int64 and its kind while a function is traced: a type as the real one is, whose call is ``cast``: np.int64(mask)."""
    class Meta(type(real)):  # type: ignore[misc]
        def __instancecheck__(cls, x: Any) -> bool:
            return isinstance(x, real)

        def __eq__(cls, other: Any) -> bool:
            return other is cls or other is real

        def __hash__(cls) -> int:
            return hash(real)

        def __call__(cls, *args: Any, **options: Any) -> Any:
            return cast(*args, **options)

    return Meta(real.__name__, (real,), {})


def numpy_stand_ins(own: Mapping[str, Any], ours: Callable[[Any], bool], cast: Callable[[Any, Any], Any],
                    maths: Callable[[str, Any], Any], special: Callable[..., Any], of_numbers: bool = False) -> list[StandIn]:
    """NumPy with names of its ``own``, and no chance. Where an argument is one of ``ours``, its number types ``cast``, math's functions
    (with ``of_numbers`` of a number too) are ``maths`` and those of scipy.special, where the user has it, ``special``, by name."""
    import numpy as np

    thread = threading.get_ident()

    def active() -> bool:
        return threading.get_ident() == thread

    def number(real: Any) -> Any:
        return number_type(real, lambda *args, **more: cast(args[0], real) if args and ours(args[0]) else real(*args, **more))

    def of_math(name: str, real: Any) -> Any:
        def apply(x: Any, *rest: Any) -> Any:
            mine = ours(x) or (of_numbers and isinstance(x, (int, float)))
            return maths(name, x) if mine and not rest and not np.ndim(x) else real(x, *rest)
        return apply

    def of_scipy(name: str, real: Any) -> Any:
        return lambda x, *rest, **more: special(name, (x, *rest), more) if ours(x) else real(x, *rest, **more)

    chances = [name for name in dir(np.random) if name[0].islower() and callable(getattr(np.random, name))
               and not isinstance(getattr(np.random, name), ModuleType)]
    chance = StandIn(np.random, {name: _no_chance(name) for name in chances}, active)
    numpy = StandIn(np, own, active)
    numpy.__dict__["random"] = chance
    numpy.__dict__.update({name: number(getattr(np, name)) for name in NUMBER_TYPES})
    found = [numpy, chance, StandIn(math, {name: of_math(name, getattr(math, name)) for name in MATHS}, active)]
    scipy = sys.modules.get("scipy.special")
    if scipy is not None:
        found.append(StandIn(scipy, {name: of_scipy(name, getattr(scipy, name)) for name in SPECIAL}, active))
    return found


def _no_chance(name: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OptionError(f"np.random.{name}", "a random number inside the function", "the same result on every call",
                          "pass a dropout mask or noise as an argument")
    return refuse


@contextmanager
def instead(function: Any, made: Sequence[StandIn], built_in: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Within, ``function`` and the user's own functions that it leads to find the stand-ins, and ``built_in`` names such as len."""
    with _LOCK:
        there: dict[int, tuple[Any, Any]] = {}
        for module in made:
            real = module.__dict__["_real"]
            there[id(real)] = (real, module)
            there |= {id(getattr(real, name)): (getattr(real, name), new) for name, new in vars(module).items()
                      if not name.startswith("_") and hasattr(real, name) and new is not getattr(real, name)}
        spaces = _spaces(function)
        swaps = [(space, name, value, there[id(value)][1]) for space in spaces for name, value in list(space.items())
                 if id(value) in there and value is there[id(value)][0]]
        loaded: dict[str, Any] = sys.modules
        swaps += [(loaded, m.__name__, m.__dict__["_real"], m) for m in made if loaded.get(m.__name__) is m.__dict__["_real"]]
        added = [(space, name, new) for space in spaces for name, new in (built_in or {}).items() if name not in space]
        try:
            for space, name, _, new in swaps:
                space[name] = new
            for space, name, new in added:
                space[name] = new
            yield
        finally:
            for space, name, old, _ in swaps:
                space[name] = old
            for space, name, _ in added:
                space.pop(name, None)


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


def told(error: BaseException, path: Path | None = None) -> SymnetError:
    """The error in one line, with the place in the user's own file (``path`` where it is known)."""
    walked = [(f, line) for f, line in traceback.walk_tb(error.__traceback__)]
    mine = [(f, line) for f, line in walked if path is not None and Path(f.f_code.co_filename) == path]
    own = mine or [(f, line) for f, line in walked if _of_the_user(f)]
    where = f"{Path(own[-1][0].f_code.co_filename).name}:{own[-1][1]}" if own else "the function"
    if isinstance(error, SymnetError):
        return OptionError(f"{where}: {error.where}", error.found, error.expected, error.hint)
    return OptionError(where, f"{type(error).__name__}: {one_line(str(error), 160)}".removesuffix(": "), "code that runs")


def place_of_the_user() -> str:
    """Where the user's code is now, model.py:12; empty where none is running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and not _of_the_user(frame):
        frame = frame.f_back
    return "" if frame is None else f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def _of_the_user(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name.split(".")[0] not in LIBRARIES and "importlib" not in name and not frame.f_code.co_filename.startswith("<")
