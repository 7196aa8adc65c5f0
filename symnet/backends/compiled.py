"""A compiled derivation: ``loss, grads = f(params, X, Y)``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symnet.backends.running import function_of
from symnet.backends.source import numpy_source, tensors_of
from symnet.core.derivation import Derivation
from symnet.core.matrices import SINGULAR
from symnet.core.short import cut, listed
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
            raise OptionError("compile", f"the dtype {dtype!r}", "one of " + ", ".join(DTYPES))
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
        if len(data) > len(self.data):
            wanted = ", ".join(t.name for t in self.data)
            raise ShapeError("call", f"{len(data)} data arrays", f"at most {len(self.data)}: {wanted}")
        symbols = {**dict(zip([t.name for t in self.data], data, strict=False)), **named, **params}
        known = {t.name for t in (*self.parameters, *self.data)}
        for name in symbols:
            if name not in known:
                raise NameError_("call", f"no input named {shown(name)}", "an input of the program", did_you_mean(name, known))
        missing = [t.name for t in (*self.parameters, *self.data) if t.name not in symbols]
        if missing:
            raise NameError_("call", f"no array for {', '.join(missing)}", "an array for every input")
        for name, value in symbols.items():
            _numbers(name, value)
        try:
            with np.errstate(over="ignore"):  # a value beyond the largest number is inf
                value, gradients = self.value_and_grad(**symbols)
        except np.linalg.LinAlgError:
            raise DomainError("call", *SINGULAR) from None
        except ZeroDivisionError:
            raise DomainError("call", "a division by 0: a number, or the size of an axis under a mean", "at least one entry") from None
        except (TypeError, ValueError) as error:
            raise ShapeError("call", str(error), "arrays of the declared shapes") from None
        return (float(value) if np.ndim(value) == 0 else value), gradients


def _numbers(name: str, value: object) -> None:
    """Raise ShapeError for what is no array of numbers."""
    try:
        kind = np.asarray(value).dtype.kind
    except Exception:  # rows of different lengths, or whatever a stranger's __array__ raises
        kind = "O"
    if kind not in "biuf":
        raise ShapeError(f"call, {name}", a_kind(value), "numbers, or an array of them")
