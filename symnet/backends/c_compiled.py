"""A derivation compiled by the system's C compiler: the file of ``c_source`` for the sizes at hand, loaded and called on NumPy arrays."""

from __future__ import annotations

import ctypes
import functools
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np
import sympy as sp

from symnet.backends.blas import gemm
from symnet.backends.c_compiler import library
from symnet.backends.c_fast import FAST, with_fast_functions
from symnet.backends.c_functions import HELPERS
from symnet.backends.c_source import CFile
from symnet.core.derivation import Derivation

SLOTS = 8  # bound functions of one library that are called without an argument, which is faster; the others take one
MOST = 2**31 - 1  # an int
_FREE: dict[int, list[int]] = {}  # of each library loaded: another derivation with the same source has the same one
RUNS = """typedef struct {
    symnet_inputs in;
    symnet_gradients out;
    symnet_memory *memory;
} symnet_frame;

real symnet_run(symnet_frame *frame)
{
    return symnet_gradient(&frame->in, &frame->out, frame->memory);
}

real symnet_descend(symnet_frame *frame, real rate, long steps)
{
    real objective = 0;
    for (long n = 0; n < steps; n++)
        objective = symnet_sgd(&frame->in, &frame->out, frame->memory, rate);
    return objective;
}

"""
SLOT = """static symnet_frame symnet_frame_{0};
symnet_frame *symnet_place_{0}(void)
{{
    return &symnet_frame_{0};
}}
real symnet_run_{0}(void)
{{
    return symnet_run(&symnet_frame_{0});
}}
"""


def machine_source(derivation: Derivation, sizes: Mapping[sp.Symbol, int], dtype: str) -> tuple[str, int]:
    """The file for this machine's compiler, and how many numbers of work memory it needs."""
    file = CFile(derivation, sizes, dtype, fast=True)
    file.helpers = {**HELPERS, **FAST}
    file.gradient()
    objective = derivation.full.tensors[derivation.objective]
    descends = set(derivation.wrt) <= {t.name for t in file.inputs} and not objective.axes
    if descends:
        file.sgd()
    runs = RUNS if descends else RUNS[:RUNS.index("real symnet_descend")]
    file.bodies.append(runs + "\n".join(SLOT.format(n) for n in range(SLOTS)))
    if dtype == "float64":
        file.words = with_fast_functions
        file.helpers = {**{name: with_fast_functions(text) for name, text in HELPERS.items()}, **FAST}
    text = file.text().replace("FMA(", "__builtin_fma(" if dtype == "float64" else "__builtin_fmaf(")
    return text.replace("#include <math.h>\n", "#include <math.h>\n#include <stdint.h>\n"), file.room


@final
class Built:
    """The library for one choice of sizes."""

    def __init__(self, derivation: Derivation, sizes: Mapping[sp.Symbol, int], dtype: str) -> None:
        self.source, self.room = machine_source(derivation, sizes, dtype)
        self.library = library(self.source)
        self.singular = "inverse(" in self.source
        number = ctypes.c_double if dtype == "float64" else ctypes.c_float
        if hasattr(self.library, "symnet_use"):
            self.library.symnet_use.restype = None
            self.library.symnet_use(ctypes.c_void_p(gemm(dtype)))
        self.run = self.library.symnet_run
        self.run.restype = number
        self.descend = getattr(self.library, "symnet_descend", None)
        if self.descend is not None:
            self.descend.restype = number
            self.descend.argtypes = [ctypes.c_void_p, number, ctypes.c_long]
        self.free = _FREE.setdefault(self.library._handle, list(range(SLOTS)))

    def slot(self) -> int | None:
        """A place for a frame inside the library."""
        return self.free.pop() if self.free else None


@final
class CTarget:
    """``compute`` of a compiled derivation, through C: arrays that were checked, and the sizes, in; the objective and gradients out."""

    def __init__(self, derivation: Derivation, dtype: str, otherwise: Callable[..., Any]) -> None:
        self.derivation, self.dtype = derivation, dtype
        self.otherwise = otherwise  # NumPy's, for what C has no form for: axes without entries, the refusal of a singular matrix
        self.inputs = derivation.program.inputs
        self.built: dict[tuple[int, ...], Built] = {}
        self.last: Built | None = None

    def library_for(self, sizes: Sequence[int]) -> Built | None:
        """The library for these sizes; None where there are none to compute on."""
        given = tuple(map(int, sizes))
        if any(n < 1 for n in given):
            return None
        if given not in self.built:
            self.built[given] = Built(self.derivation, dict(zip(self.derivation.full.sizes, given, strict=True)), self.dtype)
        self.last = self.built[given]
        return self.last

    def __call__(self, *held: Any) -> tuple[Any, dict[str, Any]]:
        frame = self.frame(held)
        return self.otherwise(*held) if frame is None else frame.fresh()

    def frame(self, held: Sequence[Any]) -> Frame | None:
        """The function with its arrays bound."""
        if any(t.domain == "index" and np.abs(a).max(initial=0) > MOST for t, a in zip(self.inputs, held, strict=False)):
            return None  # no int
        built = self.library_for(held[len(self.inputs):])
        return None if built is None else Frame(self, built, held)


@final
class Frame:
    """Arrays with their addresses, as C takes them.

    An array that C cannot read where it lies (another order, whole numbers of another width) is copied at every call.
    """

    def __init__(self, target: CTarget, built: Built, held: Sequence[Any]) -> None:
        d = target.derivation
        self.target, self.built, self.held = target, built, held
        self.copies: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
        self.inputs = [self._readable(a, np.dtype(np.intc if t.domain == "index" else target.dtype))
                       for t, a in zip(target.inputs, held, strict=False)]
        sizes = dict(zip(d.full.sizes, map(sp.Integer, held[len(self.inputs):]), strict=True))

        def room(name: str) -> np.ndarray[Any, Any]:
            return np.empty([int(sp.expand(n.xreplace(sizes))) for n in d.full.tensors[name].shape], dtype=target.dtype)

        self.gradients = {w: room(d.gradient_name(w)) for w in d.wrt}
        self.objective = room(d.objective) if d.full.tensors[d.objective].axes else None
        self.memory = np.empty(built.room + 16, dtype=target.dtype)
        at = self.memory.ctypes.data + -self.memory.ctypes.data % 64
        addresses = [*[a.ctypes.data for a in self.inputs], *[g.ctypes.data for g in self.gradients.values()],
                     *([] if self.objective is None else [self.objective.ctypes.data]), at]
        self.numbers = (ctypes.c_void_p * len(addresses))(*addresses)
        self.address = ctypes.c_void_p(ctypes.addressof(self.numbers))
        self.run: Callable[[], float] = functools.partial(built.run, self.address)

    def fast(self) -> None:
        """Take a place inside the library, where there is one left: then a call has no argument."""
        slot = self.built.slot()
        if slot is None:
            return
        code = self.built.library
        place = getattr(code, f"symnet_place_{slot}")
        place.restype = ctypes.c_void_p
        ctypes.memmove(place(), self.numbers, ctypes.sizeof(self.numbers))
        self.run = getattr(code, f"symnet_run_{slot}")
        self.run.restype = self.built.run.restype  # type: ignore[attr-defined]
        weakref.finalize(self, self.built.free.append, slot)

    def _readable(self, array: Any, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        if array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned:
            return array  # type: ignore[no-any-return]
        made = np.ascontiguousarray(array, dtype=dtype).reshape(array.shape)
        self.copies.append((made, array))
        return made

    def value(self) -> Any:
        """Compute; the gradients stand in ``gradients`` until the next call."""
        for made, array in self.copies:
            np.copyto(made, array, casting="unsafe")
        return self.run()

    def fresh(self) -> tuple[Any, dict[str, Any]]:
        """The objective, and the gradients as arrays of their own."""
        value = self.value()
        if value != value and self.built.singular:
            made: tuple[Any, dict[str, Any]] = self.target.otherwise(*self.held)
            return made
        return self.whole(value), {w: g.copy() for w, g in self.gradients.items()}

    def whole(self, value: float) -> Any:
        """The objective; one with axes is an array."""
        return value if self.objective is None else self.objective.copy()

    def descend(self, rate: float, steps: int) -> float:
        """Steps of gradient descent in place."""
        for made, array in self.copies:
            np.copyto(made, array, casting="unsafe")
        assert self.built.descend is not None
        value: float = self.built.descend(self.address, rate, steps)
        for made, array in self.copies:
            if array.flags.writeable and array.dtype == made.dtype:
                np.copyto(array, made)
        return value
