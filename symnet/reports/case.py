"""Everything a report may tell, as nouns of core. What is None is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symnet.core.claim import Proved, Refutation
from symnet.core.derivation import Derivation, StepCheck
from symnet.core.errata import Errata
from symnet.core.log import TrainingLog
from symnet.core.numbers import Shown as Rounded
from symnet.core.program import Program
from symnet.reports.values import Evaluated
from symnet.reports.view import Level, Notation


@dataclass(frozen=True, slots=True)
class Nudge:
    """A parameter moved by ``by``: how much the loss moved, how much the gradient said, and the difference quotient."""

    name: str
    by: str
    moved: Rounded
    foretold: Rounded
    quotient: Rounded
    gradient: Rounded
    agrees: bool = True  # is the slope measured on both sides the gradient, to one part in a hundred?


@dataclass(frozen=True, slots=True)
class Shown:
    """The theorem on this very network: each parameter after one step of run A and of run B, and whether proved equal."""

    factor: str
    rows: tuple[tuple[str, Rounded, Rounded], ...]  # name, run A, run B
    verdict: str


@dataclass(frozen=True)
class Case:
    """The nouns of one report. ``scalars`` is the derivation at integer sizes, ``descent`` one step of gradient descent as
    a scalar program, ``values`` its evaluation."""

    derivation: Derivation
    level: Level = Level.STUDENT
    digits: int = 6
    notation: Notation = Notation.BOTH
    columns: bool = False
    scalars: Derivation | None = None
    descent: Program | None = None
    values: Evaluated | None = None
    checks: tuple[StepCheck, ...] = ()
    nudges: tuple[Nudge, ...] = ()
    proved: Proved | Refutation | None = None
    shown: Shown | None = None
    errata: Errata | None = None
    log: TrainingLog | None = None
    numpy: Callable[[], str] = str  # the NumPy module and the exact values, made when the JSON is asked for
    footer: str = ""
    json_values: Callable[[], dict[str, Any]] = dict
