"""The masks of dropout: drawn anew for each step of training, 1 - p everywhere when the loss or a prediction is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp

from symnet.core.derivation import Derivation
from symnet.core.expressions import entries
from symnet.core.tensors import Role, Tensor, tensor_name
from symnet.errors import ShapeError

Array = np.ndarray[Any, Any]


class Masks:
    """The masks of a derivation that no values were given for, and the probability with which each keeps an entry."""

    def __init__(self, derivation: Derivation, given: Mapping[str, Any]) -> None:
        self.kept: dict[str, tuple[Tensor, float]] = {}
        for t in derivation.program.inputs:
            keep = _keeps(derivation, t) if t.role is Role.CONSTANT and t.name not in given else None
            if keep is not None:
                self.kept[t.name] = (t, keep)

    def drawn(self, arrays: Mapping[str, Array], inputs: tuple[Tensor, ...], rng: np.random.Generator) -> dict[str, Array]:
        """1 with the probability of keeping an entry, else 0."""
        return {n: (rng.random(_shape(t, arrays, inputs)) < keep).astype(float) for n, (t, keep) in self.kept.items()}

    def still(self, arrays: Mapping[str, Array], inputs: tuple[Tensor, ...]) -> dict[str, Array]:
        """Evaluation: nothing is dropped and nothing scaled up, so each entry is 1 - p."""
        return {n: np.full(_shape(t, arrays, inputs), keep) for n, (t, keep) in self.kept.items()}


def _keeps(derivation: Derivation, mask: Tensor) -> float | None:
    """1 - p of a line d = mask x/(1 - p); None for a constant of another kind."""
    if not mask.name.startswith("mask"):
        return None
    used = [d for d in derivation.program.definitions if any(tensor_name(e) == mask.name for e in entries(d.expr))]
    if len(used) != 1 or not isinstance(used[0].expr, sp.Mul):
        return None
    factor = used[0].expr.as_coeff_Mul()[0]
    return float(1 / factor) if factor >= 1 else None


def _shape(mask: Tensor, arrays: Mapping[str, Array], inputs: tuple[Tensor, ...]) -> tuple[int, ...]:
    """The shape of a mask: its sizes are read off the arrays of this step."""
    known = [(t, np.shape(arrays[t.name])) for t in inputs if t.name in arrays]
    sizes = {s: sp.Integer(n) for t, shape in known for s, n in zip(t.shape, shape, strict=False) if s.is_Symbol}
    found = [s.xreplace(sizes) for s in mask.shape]
    if not all(s.is_Integer for s in found):
        raise ShapeError(f"mask {mask.name}", f"shape {mask.shape}", "sizes that an array tells")
    return tuple(int(s) for s in found)
