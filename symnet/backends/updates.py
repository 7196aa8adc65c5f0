"""An optimizer's program as a NumPy function on whole arrays: the update is written for one entry and applies to all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symnet.arrays.lowering import lower_definition
from symnet.backends.numpy_code import NumpyCode
from symnet.backends.running import function_of
from symnet.backends.source import HELPERS, python_names
from symnet.backends.stable_code import needed
from symnet.core.program import Program


def update_source(program: Program, results: tuple[str, ...]) -> str:
    """The source of ``update(**values)``, which gives the values of ``results``."""
    names = python_names(program)
    code = NumpyCode(program, names)
    lines = [f"    {names[t.name]} = values[{t.name!r}]" for t in program.inputs]
    lines += [f"    {names[d.name]} = {code.code(lower_definition(d))}" for d in program.definitions]
    lines.append(f"    return {', '.join(names[r] for r in results)},")
    text = "\n".join(lines)
    helpers = "".join(f"{HELPERS[name]}\n\n" for name in needed(text, HELPERS))
    return f"import numpy as np\n\ndtype = np.float64\n\n\n{helpers}def update(**values):\n{text}\n"


def update_function(program: Program, results: tuple[str, ...]) -> Callable[..., tuple[Any, ...]]:
    """``update(w=…, g=…, …)`` for arrays."""
    made: Callable[..., tuple[Any, ...]] = function_of(update_source(program, results), "update")
    return made
