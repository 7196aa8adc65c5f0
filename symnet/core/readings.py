"""What a derivation is turned into in other rooms, as a caller sees it: values at a point, and a compiled function.

Core imports no room, so these are the faces of ``calculus.evaluate.Evaluation`` and ``backends.compiled.CompiledDerivation``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import sympy as sp

from symnet.core.program import Program

if TYPE_CHECKING:
    import numpy as np


class ExactValues(Protocol):
    """The values of every line at a point. A scalar's value is one value, a tensor's a nested list.

    >>> import symnet as sn
    >>> there = sn.derive(sn.program("L = (w*x - 1)**2"), wrt="w").at({"w": "1/3", "x": 2})
    >>> there.exact("dL_dw"), there.decimal("dL_dw", 4)
    (-4/3, '-1.333')
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Every tensor that has a value."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """The sizes, by name."""

    @property
    def scalars(self) -> Program:
        """The program with every entry a scalar."""

    def exact(self, name: str) -> Any:
        """The exact value(s), SymPy numbers."""

    def exact_scalar(self, name: str) -> sp.Expr:
        """The exact value of one scalar line."""

    def exact_lines(self, name: str) -> dict[str, sp.Expr]:
        """The exact value(s) in named parts."""

    def decimal(self, name: str, digits: int = 6) -> Any:
        """Correctly rounded decimal text(s)."""

    def ball(self, name: str, bits: int = 128) -> Any:
        """Certified enclosure(s)."""


class BoundGradients(Protocol):
    """``loss, grads = g()``, with its arrays held in ``g.arrays``; ``g(w=…)`` puts another one in."""

    @property
    def arrays(self) -> dict[str, Any]:
        """The arrays by name. What is changed in place is seen by the next call."""

    @property
    def gradients(self) -> dict[str, Any]:
        """What ``run`` computed last; the next call may overwrite it."""

    @property
    def run(self) -> Callable[[], float]:
        """The objective alone; the gradients stand in ``gradients``."""

    def descend(self, rate: float, steps: int = 1) -> float:
        """Steps of gradient descent on the arrays held, in place; gives the objective before the last one."""

    def __call__(self, **changed: Any) -> tuple[float, dict[str, np.ndarray[Any, Any]]]:
        """The objective and the gradient of each name."""


class CompiledGradients(Protocol):
    """``loss, grads = f(params, X, Y)``; ``source`` is the module that runs."""

    @property
    def source(self) -> str:
        """The source of the module."""

    @property
    def wrt(self) -> tuple[str, ...]:
        """The names differentiated."""

    def __call__(self, params: Mapping[str, Any], /, *data: Any, **named: Any) -> tuple[float, dict[str, np.ndarray[Any, Any]]]:
        """The objective and the gradient of each name."""

    def bind(self, params: Mapping[str, Any], /, *data: Any, **named: Any) -> BoundGradients:
        """The function with its arrays held: checked once, then called without arguments."""

    def value_and_grad(self, **symbols: Any) -> tuple[Any, dict[str, np.ndarray[Any, Any]]]:
        """The function of the source itself: every symbol by its name."""
