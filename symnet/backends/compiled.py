"""A compiled derivation: ``loss, grads = f(params, X, Y)``."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from symnet.backends.running import function_of
from symnet.backends.source import forward_source, numpy_source, tensors_of
from symnet.core.derivation import Derivation
from symnet.core.matrices import SINGULAR
from symnet.core.program import Program
from symnet.core.short_forms import cut, listed
from symnet.core.tensors import Tensor
from symnet.errors import DomainError, NameError_, OptionError, ShapeError, a_kind, did_you_mean, needs, shown

DTYPES = ("float64", "float32")


class CompiledDerivation:
    """Run the objective and all gradients on arrays. ``source`` is the module that runs.

    ``params`` maps each differentiated input to an array; the other inputs follow in the order of the program. Returns the
    objective as a number and a dictionary of gradients, each of the shape of its variable. Raises ShapeError or NameError_.

    >>> import symnet as sn
    >>> f = sn.derive(sn.program("L = (w*x - 1)**2"), wrt=["w"]).compile()
    >>> loss, grads = f({"w": 2.0}, 3.0)
    >>> loss, float(grads["w"])
    (25.0, 30.0)
    """

    def __init__(self, derivation: Derivation, dtype: str = "float64") -> None:
        if dtype not in DTYPES:
            raise OptionError("compile", f"the dtype {shown(dtype)}", "one of " + ", ".join(DTYPES), did_you_mean(dtype, DTYPES))
        self.source = numpy_source(derivation, dtype)
        self.parameters, self.data = tensors_of(derivation)
        self.wrt = derivation.wrt
        self.objective = derivation.objective
        self.value_and_grad = function_of(self.source, "value_and_grad")

    def __repr__(self) -> str:
        given = ", ".join([f"{{{listed(self.wrt, 40)}}}", listed([t.name for t in self.data], 40)])
        return cut(f"{self.objective}, grads = f({given})") + "\n  compiled; f.source is the code"

    def __call__(self, params: Mapping[str, Any], *data: Any, **named: Any) -> tuple[float, dict[str, np.ndarray[Any, Any]]]:
        needs(params, Mapping, "call, params", "a table of arrays by name", "f({" + repr(self.wrt[0]) + ": …}, …)")
        waiting = [t.name for t in self.data if t.name not in params]  # a model's constants stand among its values
        if len(data) > len(waiting):
            raise ShapeError("call", f"{len(data)} data arrays", f"at most {len(waiting)}: {', '.join(waiting)}")
        symbols = {**dict(zip(waiting, data, strict=False)), **named, **params}
        value, gradients = _called("call", self.value_and_grad, symbols, [*self.parameters, *self.data])
        return (float(value) if np.ndim(value) == 0 else value), gradients


def run_program(program: Program, names: Sequence[str], arrays: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of some lines of a program; numbers are Python's."""
    made = _called("run", _forward(program, tuple(names)), arrays, program.inputs)
    values = made if len(names) > 1 else (made,)
    return tuple(float(v) if np.ndim(v) == 0 else v for v in values)


@functools.lru_cache(maxsize=16)
def _forward(program: Program, names: tuple[str, ...]) -> Any:
    return function_of(forward_source(program, *names), "forward")


def _called(where: str, function: Any, symbols: Mapping[str, Any], inputs: Iterable[Tensor]) -> Any:
    """A generated function on arrays by name; what does not fit is told in one line."""
    known = [t.name for t in inputs]
    for name in symbols:
        if name not in known:
            raise NameError_(where, f"no input named {shown(name)}", "an input of the program", did_you_mean(name, known))
    missing = [name for name in known if name not in symbols]
    if missing:
        raise NameError_(where, f"no array for {', '.join(missing)}", "an array for every input")
    for name, value in symbols.items():
        _numbers(where, name, value)
    try:
        with np.errstate(over="ignore"):  # a value beyond the largest number is inf
            return function(**symbols)
    except np.linalg.LinAlgError:
        raise DomainError(where, *SINGULAR) from None
    except ZeroDivisionError:
        raise DomainError(where, "a division by 0: a number, or the size of an axis under a mean", "at least one entry") from None
    except (TypeError, ValueError) as error:
        raise ShapeError(where, str(error), "arrays of the declared shapes") from None


def _numbers(where: str, name: str, value: object) -> None:
    """Raise ShapeError for what is no array of numbers."""
    try:
        kind = np.asarray(value).dtype.kind
    except Exception:  # rows of different lengths, or whatever a stranger's __array__ raises
        kind = "O"
    if kind not in "biuf":
        raise ShapeError(f"{where}, {name}", a_kind(value), "numbers, or an array of them")
