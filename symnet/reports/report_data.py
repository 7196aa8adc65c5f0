"""Everything a report may tell, as nouns of core. What is None is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symnet.core.claim import Proved, Refutation
from symnet.core.derivation import Derivation, StepCheck
from symnet.core.numbers import Shown
from symnet.core.page_verdict import Errata
from symnet.core.program import Program
from symnet.core.training_log import TrainingLog
from symnet.reports.document import Level, Notation
from symnet.reports.values import Evaluated

ZERO = Shown("0", True)


@dataclass(frozen=True, slots=True)
class Nudge:
    """A parameter moved by ``by``: how much the loss moved, how much the gradient said, and the difference quotient."""

    name: str
    by: str
    moved: Shown = ZERO
    foretold: Shown = ZERO
    quotient: Shown = ZERO
    gradient: Shown = ZERO
    agrees: bool = True  # is the slope measured on both sides the gradient, to one part in a hundred?


@dataclass(frozen=True, slots=True)
class TwoRuns:
    """The theorem on this very network: each parameter after one step of run A and of run B, and whether proved equal."""

    factor: str
    rows: tuple[tuple[str, Shown, Shown], ...]  # name, run A, run B
    verdict: str


@dataclass(frozen=True)
class Case:
    """The nouns of one report. ``derivation`` is what is shown, ``held`` what the program holds: with samples as columns every matrix of
    it is transposed in print. ``scalars`` is the derivation at integer sizes, ``descent`` one step of gradient descent as a scalar
    program, ``values`` its evaluation."""

    derivation: Derivation
    held: Derivation
    level: Level = Level.STUDENT
    digits: int = 6
    notation: Notation = Notation.BOTH
    columns: bool = False
    scalars: Derivation | None = None
    descent: Program | None = None
    values: Evaluated | None = None
    checks: tuple[StepCheck, ...] = ()
    nudges: tuple[Nudge, ...] = ()
    unmoved: tuple[str, ...] = ()  # parameters nearer to the edge of the domain than the nudge
    proved: Proved | Refutation | None = None
    shown: TwoRuns | None = None
    errata: Errata | None = None
    log: TrainingLog | None = None
    numpy: Callable[[], str] = str  # the NumPy module and the exact values, made when the JSON is asked for
    footer: str = ""
    json_values: Callable[[], dict[str, Any]] = dict
