"""A compiled derivation: ``loss, grads = f(params, X, Y)``."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np

from symnet.arrays.stable import caveats
from symnet.backends.c_compiled import CTarget, Frame
from symnet.backends.c_compiler import compiler
from symnet.backends.dialects import library_source
from symnet.backends.running import functions_of
from symnet.backends.source import forward_source, named, results_of, tensors_of
from symnet.core.derivation import Derivation
from symnet.core.matrices import SINGULAR
from symnet.core.program import Program
from symnet.core.short_forms import cut, listed
from symnet.errors import DomainError, NameError_, OptionError, ShapeError, SymnetError, a_kind, did_you_mean, needs, shown

DTYPES = ("float64", "float32")
BACKENDS = ("numpy", "math", "c")


class CompiledDerivation:
    """Run the objective and all gradients on arrays. ``source`` is the module that runs.

    ``params`` maps each differentiated input to an array; the other inputs follow in the order of the program. Returns the
    objective as a number and a dictionary of gradients, each of the shape of its variable. Raises ShapeError or NameError_.

    The backend "math" is for programs of numbers: Python's own floats in and out, ten times as fast as arrays without axes. Where a
    value leaves the range of floats, NumPy says what it is.

    The backend "c" is the same mathematics as one C file for the sizes at hand, compiled by the system's C compiler where it is bound or
    first called (a part of a second for each choice of sizes; kept on disk) and loaded. Raises OptionError where there is no compiler.

    >>> import symnet as sn
    >>> f = sn.derive(sn.program("L = (w*x - 1)**2"), wrt=["w"]).compile()
    >>> loss, grads = f({"w": 2.0}, 3.0)
    >>> loss, float(grads["w"])
    (25.0, 30.0)
    """

    def __init__(self, derivation: Derivation, dtype: str = "float64", backend: str = "numpy") -> None:
        if backend not in BACKENDS:
            raise OptionError("compile", f"the backend {shown(backend)}", "one of " + ", ".join(BACKENDS), did_you_mean(backend, BACKENDS))
        if dtype not in DTYPES:
            raise OptionError("compile", f"the dtype {shown(dtype)}", "one of " + ", ".join(DTYPES), did_you_mean(dtype, DTYPES))
        self.backend, self.dtype = backend, dtype
        if backend == "c":
            compiler()
        self._source = library_source(derivation, "numpy" if backend == "c" else backend, dtype)
        self._caveats = functools.cache(lambda: caveats(named(derivation).full, results_of(derivation)))
        self.parameters, self.data = tensors_of(derivation)
        self.wrt = derivation.wrt
        self.objective = derivation.objective
        self.names = tuple(t.name for t in derivation.program.inputs)
        self.prepare, self.compute, self.value_and_grad = functions_of(self._source, "prepare", "compute", "value_and_grad")
        self.in_c = None
        if backend == "c":
            self.compute = self.in_c = CTarget(derivation, dtype, self.compute)
            self.value_and_grad = lambda **symbols: self.compute(*self.prepare(**symbols))
        self._wide = functools.cache(lambda: CompiledDerivation(derivation, dtype).value_and_grad) if backend == "math" else None

    @property
    def source(self) -> str:
        """The code that runs. That of the backend "c" is written for the sizes that were bound or called last; before, it is NumPy's."""
        return self._source if self.in_c is None or self.in_c.last is None else self.in_c.last.source

    @property
    def caveats(self) -> tuple[str, ...]:
        """The lines that may overflow or lose digits at some inputs, each with the reason: no rule wrote them otherwise.

        >>> import symnet as sn
        >>> sn.derive(sn.program("L = log(1 + exp(x))"), wrt=["x"]).compile().caveats
        ()
        """
        return self._caveats()

    def __repr__(self) -> str:
        given = ", ".join([f"{{{listed(self.wrt, 40)}}}", listed([t.name for t in self.data], 40)])
        return cut(f"{self.objective}, grads = f({given})") + "\n  compiled; f.source is the code"

    def __call__(self, params: Mapping[str, Any], *data: Any, **named: Any) -> tuple[float, dict[str, np.ndarray[Any, Any]]]:
        symbols = self._by_name("call", params, data, named)
        return self._ended(_called("call", self.value_and_grad, symbols, self.names, self._wide))

    def bind(self, params: Mapping[str, Any], *data: Any, **named: Any) -> BoundDerivation:
        """The function with its arrays held: names, shapes and types are checked here, once, and ``g()`` computes.

        ``g.arrays`` holds them; a parameter changed in place, ``g.arrays["w"] -= 0.1*grads["w"]``, is seen by the next call, and
        ``g(w=…)`` puts another array in. An array that is float64 already is held itself, not a copy.

        >>> import symnet as sn
        >>> g = sn.derive(sn.program("L = (w*x - 1)**2"), wrt=["w"]).compile().bind({"w": 2.0}, 3.0)
        >>> g()[0], g(w=0.0)[0]
        (25.0, 1.0)
        """
        return BoundDerivation(self, _called("bind", self.prepare, self._by_name("bind", params, data, named), self.names))

    def _by_name(self, where: str, params: Mapping[str, Any], data: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        needs(params, Mapping, f"{where}, params", "a table of arrays by name", "f({" + repr(self.wrt[0]) + ": …}, …)")
        waiting = [t.name for t in self.data if t.name not in params]  # a model's constants stand among its values
        if len(data) > len(waiting):
            raise ShapeError(where, f"{len(data)} data arrays", f"at most {len(waiting)}: {', '.join(waiting)}")
        return {**dict(zip(waiting, data, strict=False)), **named, **params}

    @staticmethod
    def _ended(made: tuple[Any, dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
        value, gradients = made
        return (float(value) if np.ndim(value) == 0 else value), gradients


@final
class BoundDerivation:
    """``loss, grads = g()``: a compiled derivation with its arrays, made by ``CompiledDerivation.bind``.

    ``g.run()`` gives the objective alone and leaves the gradients in ``g.gradients``, which the next call overwrites: nothing is made
    anew. ``g.descend(rate, steps)`` changes the arrays of the parameters themselves.
    """

    def __init__(self, compiled: CompiledDerivation, held: tuple[Any, ...]) -> None:
        self.compiled = compiled
        self.arrays: dict[str, Any] = _Held(zip(compiled.names, held, strict=False))
        self._sizes = held[len(self.arrays):]
        self._made: dict[str, Any] = {}
        self._frame: Frame | None = None
        self.run: Callable[[], Any] = self._run
        self._bind()

    def _bind(self) -> None:
        """The addresses of the arrays, where C computes."""
        assert isinstance(self.arrays, _Held)
        self.run, in_c = self._run, self.compiled.in_c
        self._frame = None if in_c is None else in_c.frame((*self.arrays.values(), *self._sizes))
        if self._frame is not None:
            self._frame.fast()
            self.arrays.changed = self._bind
            if not self._frame.copies and self._frame.objective is None:
                self.run = self._frame.run

    def __repr__(self) -> str:
        return cut(f"{self.compiled.objective}, grads = g()") + f"\n  holds {listed(list(self.arrays), 60)}"

    @property
    def gradients(self) -> dict[str, Any]:
        """What ``run`` computed last."""
        return self._made if self._frame is None else self._frame.gradients

    def _run(self) -> Any:
        if self._frame is not None:
            return self._frame.whole(self._frame.value())
        value, self._made = self()
        return value

    def descend(self, rate: float, steps: int = 1) -> Any:
        """Steps of gradient descent on the arrays held: each parameter becomes itself minus ``rate`` times its gradient, in place.

        Gives the objective before the last step. The backend "c" stays in C for all steps. Raises OptionError for arrays that may not
        be written to.

        >>> import symnet as sn
        >>> g = sn.derive(sn.program("L = (w*x - 1)**2"), wrt=["w"]).compile().bind({"w": 2.0}, 1.0)
        >>> g.descend(1/4, steps=2), float(g.arrays["w"])
        (0.25, 1.25)
        """
        rate, steps = _rate(rate), _steps(steps)
        for w in self.compiled.wrt:
            if w not in self.arrays:
                raise OptionError("descend", f"{w}, which is computed", "gradients of inputs")
            if isinstance(self.arrays[w], np.ndarray) and not self.arrays[w].flags.writeable:
                raise OptionError("descend", f"the array of {w}, which is read-only", "an array that may be written to",
                                  f"g({w}={w}.copy())")
        if self._frame is not None and self._frame.built.descend is not None:
            return self._frame.descend(rate, steps)
        value: Any = None
        for _ in range(steps):
            value, made = self()
            for w in self.compiled.wrt:
                if isinstance(self.arrays[w], np.ndarray):
                    self.arrays[w] -= rate*made[w]
                else:
                    self.arrays[w] = self.arrays[w] - rate*made[w]
        return value

    def __call__(self, **changed: Any) -> tuple[Any, dict[str, Any]]:
        if changed:
            there = {**self.arrays, **changed}
            held = _called("call", self.compiled.prepare, there, self.compiled.names)
            self._sizes = held[len(self.arrays):]
            dict.update(self.arrays, zip(self.compiled.names, held, strict=False))
            self._bind()
        try:
            if self._frame is not None:
                return self.compiled._ended(self._frame.fresh())
            with np.errstate(over="ignore"):
                made = self.compiled.compute(*self.arrays.values(), *self._sizes)
        except (ArithmeticError, ValueError, np.linalg.LinAlgError):  # told as a call tells it
            return self.compiled(self.arrays)
        return self.compiled._ended(made)


@final
class _Held(dict[str, Any]):
    """Arrays by name; another array in a place is bound anew."""

    changed: Callable[[], None] | None = None

    def __setitem__(self, name: str, value: Any) -> None:
        other = self.get(name) is not value
        super().__setitem__(name, value)
        if other and self.changed is not None:
            self.changed()

    def update(self, *others: Any, **named: Any) -> None:
        """One after another, as each is put in."""
        for name, value in dict(*others, **named).items():
            self[name] = value


def _rate(rate: Any) -> float:
    if isinstance(rate, bool) or not isinstance(rate, (int, float, np.floating)) or not math.isfinite(rate):
        raise OptionError("descend, rate", shown(rate), "a finite number")
    return float(rate)


def _steps(steps: Any) -> int:
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise OptionError("descend, steps", shown(steps), "a whole number, at least 1")
    return steps


def run_program(program: Program, names: Sequence[str], arrays: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of some lines of a program; numbers are Python's."""
    made = _called("run", _forward(program, tuple(names)), arrays, tuple(t.name for t in program.inputs))
    values = made if len(names) > 1 else (made,)
    return tuple(float(v) if np.ndim(v) == 0 else v for v in values)


@functools.lru_cache(maxsize=16)
def _forward(program: Program, names: tuple[str, ...]) -> Any:
    return functions_of(forward_source(program, *names), "forward")[0]


def _called(where: str, function: Any, symbols: Mapping[str, Any], known: Sequence[str], wide: Any = None) -> Any:
    """A generated function on arrays by name; what does not fit is told in one line. ``wide()`` knows infinities where it does not."""
    if len(symbols) != len(known) or any(name not in symbols for name in known):
        for name in symbols:
            if name not in known:
                raise NameError_(where, f"no input named {shown(name)}", "an input of the program", did_you_mean(name, known))
        missing = [name for name in known if name not in symbols]
        raise NameError_(where, f"no array for {', '.join(missing)}", "an array for every input")
    for name, value in symbols.items():
        if not (value.dtype.kind in "biuf" if type(value) is np.ndarray else type(value) is float):
            _numbers(where, name, value)
    try:
        with np.errstate(over="ignore"):  # a value beyond the largest number is inf
            return function(**symbols)
    except np.linalg.LinAlgError:
        raise DomainError(where, *SINGULAR) from None
    except SymnetError:
        if wide is not None:
            return _called(where, wide(), symbols, known)
        raise
    except (ArithmeticError, TypeError, ValueError) as error:
        if wide is not None:
            return _called(where, wide(), symbols, known)
        if isinstance(error, ZeroDivisionError):
            raise DomainError(where, "a division by 0: a number, or the size of an axis under a mean", "at least one entry") from None
        if isinstance(error, ArithmeticError):
            raise
        raise ShapeError(where, str(error), "arrays of the declared shapes") from None


def _numbers(where: str, name: str, value: object) -> None:
    """Raise ShapeError for what is no array of numbers."""
    try:
        kind = np.asarray(value).dtype.kind
    except Exception:  # rows of different lengths, or whatever a stranger's __array__ raises
        kind = "O"
    if kind not in "biuf":
        raise ShapeError(f"{where}, {name}", a_kind(value), "numbers, or an array of them")
