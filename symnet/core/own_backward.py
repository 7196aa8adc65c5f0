"""A function that brings its own backward (torch.autograd.Function, jax.custom_vjp), as it is judged: what a trace and a run of it give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from symnet.core.program import Program


@dataclass(frozen=True, slots=True)
class Argument:
    """An array among the arguments: its shape in the example, "real", "index" or "bool" entries, and whether a gradient is asked for."""

    name: str
    shape: tuple[int, ...]
    domain: str
    wanted: bool
    highest: int = 1  # of whole numbers, in the example


@dataclass(frozen=True, slots=True)
class Trace:
    """The forward pass as a program whose objective is Σ G·output, and the gradients that the function's own backward gives.

    A gradient has several programs where it differs with what else needs one; None is a gradient that is not given. ``sizes`` are the
    numbers of a trace that holds for these alone.
    """

    program: Program
    gradients: Mapping[str, tuple[Program | None, ...]]
    upstream: tuple[str, ...]
    sizes: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    value: Program | None = None  # the objective as the rule itself computes it, where that is written otherwise


@dataclass(frozen=True, slots=True)
class Run:
    """What the function gave on numbers: its outputs, its gradients by name, and the arguments that it wrote into."""

    outputs: tuple[Any, ...]
    gradients: Mapping[str, Any]
    changed: tuple[str, ...] = ()


class OwnBackward(Protocol):
    """A function with an example of its arguments; the readers of PyTorch and JAX make one."""

    @property
    def name(self) -> str:
        """The function's own name."""

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The arrays among its arguments."""

    @property
    def marked(self) -> bool:
        """Does the example say which arguments need a gradient? Else all arrays of real numbers are taken to."""

    @property
    def sizes(self) -> tuple[str, ...]:
        """The names of the sizes that may differ."""

    def shapes_at(self, sizes: Mapping[str, int]) -> Mapping[str, tuple[int, ...]]:
        """The shapes of the arguments at these sizes."""

    def traced(self, sizes: Mapping[str, int] | None = None) -> Trace:
        """The trace for all sizes, or for the given numbers. Raises the error family where there is none."""

    def run(self, arrays: Mapping[str, Any], upstream: Callable[[Sequence[Any]], Sequence[Any]], needed: Sequence[str] = (),
            strided: bool = False) -> Run:
        """One run in float64; ``upstream`` makes the incoming gradients of the outputs. Raises the error family."""
