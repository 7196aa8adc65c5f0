"""Where a run stopped being numbers: the first line of the program, in the order of computation, that is inf or nan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symnet.backends.running import function_of
from symnet.backends.source import lines_source
from symnet.core.derivation import Derivation
from symnet.core.short_forms import cut
from symnet.core.text import definition_text
from symnet.errors import DivergedError

Array = np.ndarray[Any, Any]


def where_it_began(derivation: Derivation, arrays: Mapping[str, Any], dtype: str) -> str:
    """"z2[3, 0] is inf in z2[n, u] = …": the first value that is no number, and its line. ``arrays`` are those of the step."""
    with np.errstate(all="ignore"):
        values: dict[str, Any] = function_of(lines_source(derivation, dtype), "lines")(**arrays)
    for name, value in values.items():
        found = _first(name, np.asarray(value))
        if found:
            lines = derivation.full.by_name.get(name)
            return found + (f" in {cut(definition_text(lines[0], derivation.full.tensors))}" if lines else "")
    return ""


def _first(name: str, value: Array) -> str:
    if value.dtype.kind != "f" or np.isfinite(value).all():
        return ""
    place = tuple(int(k) for k in np.argwhere(~np.isfinite(value))[0])
    return f"{name}[{', '.join(map(str, place))}] is {value[place]}" if place else f"{name} is {value}"


def diverged(epoch: int, step: int, found: str) -> DivergedError:
    """The error that says where; the one who raises it puts the partial result in."""
    return DivergedError(f"fit, epoch {epoch}, step {step}", found, "finite numbers", "a smaller learning rate")


def bad_update(params: Mapping[str, Array]) -> str:
    """The first parameter that an update made inf or nan."""
    found = next((found for name, value in params.items() if (found := _first(name, value))), "")
    return f"the update made {found.replace(' is ', ' ', 1)}"
