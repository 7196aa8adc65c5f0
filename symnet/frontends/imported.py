"""What a reader of a trained model gives: the program and the values of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from symnet.core.program import Program
from symnet.core.short_forms import LINES, cut, listed, short_lines


@dataclass(frozen=True)
class Imported:
    """A model as a program, with the numbers it holds. ``sn.derive`` takes it like a program.

    ``values`` maps each parameter's name to its array; ``sources`` to its name in the framework it comes from. Example::

        model = sn.from_sklearn(MLPClassifier().fit(X, y))
        loss, gradients = sn.derive(model).compile()(model.values, X, Y)

    >>> import symnet as sn
    >>> held = sn.Imported(sn.program("L = (w*x - y)**2"), {"w": 2.0}, {"w": "weight"})
    >>> sn.derive(held, wrt="w").compile()(held.values, 1.0, 3.0)[0]
    1.0
    """

    program: Program
    values: Mapping[str, Any]
    sources: Mapping[str, str]

    def __repr__(self) -> str:
        held = listed(f"{name} {getattr(value, 'shape', '')}".rstrip() for name, value in self.values.items())
        return "\n".join([cut(f"Imported: {held}"), *short_lines(repr(self.program).split("\n"), LINES - 1)])

    def _repr_latex_(self) -> str:
        return self.program._repr_latex_()
