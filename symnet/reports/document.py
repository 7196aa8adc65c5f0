"""What a report shows, as plain data. Writers turn it into HTML, LaTeX, text, Markdown or JSON; none computes anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import sympy as sp

from symnet.core.expressions import Limits


class Level(StrEnum):
    """How much is said."""

    BEGINNER = "beginner"
    STUDENT = "student"
    EXPERT = "expert"


class Notation(StrEnum):
    """Which form of a line is shown; a line without a matrix form stands in index form in every case."""

    BOTH = "both"
    MATRIX = "matrix"
    INDEX = "index"
    SCALAR = "scalar"


@dataclass(frozen=True, slots=True)
class Formula:
    """One formula in both notations."""

    latex: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A name in a sentence that leads to the line that made it."""

    formula: Formula
    anchor: str


Rich = tuple[str | Formula | Link, ...]  # a sentence with formulas in it


@dataclass(frozen=True, slots=True)
class Claim:
    """What a printed line says, for a machine to evaluate: ``left`` = ``right`` for all indices in ``ranges`` where ``conditions`` hold.

    A slope is a ``Partial``. With ``decimal`` the line goes on to that number, the value of ``right`` rounded as it is printed; with
    ``put_in`` the numbers as printed stand in ``right`` in place of their names.
    """

    left: sp.Expr
    right: sp.Expr
    ranges: tuple[Limits, ...] = ()
    conditions: tuple[sp.Basic, ...] = ()
    decimal: str = ""
    put_in: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of a step: a formula and what it is ("with numbers", "value", "in matrix notation", …), and what it claims."""

    label: str
    formula: Formula
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """One step: its number, the rule, the lines, what it uses, and why."""

    anchor: str
    number: str
    title: Rich
    stages: tuple[Stage, ...]
    uses: Rich = ()
    why: tuple[Rich, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; cells are sentences with formulas. ``widths`` are the relative widths of the columns on paper."""

    head: tuple[str, ...]
    rows: tuple[tuple[Rich, ...], ...]
    widths: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing made as SVG, with the same said in words."""

    svg: str
    words: str


Block = StepView | Table | Picture | Rich


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, an introduction and blocks. ``drawn`` says that it is for formats that can draw."""

    anchor: str
    title: str
    lead: Rich = ()
    blocks: tuple[Block, ...] = ()
    drawn: bool = False


@dataclass(frozen=True)
class Story:
    """A whole report."""

    title: str
    level: Level
    summary: Rich
    sections: tuple[Section, ...]
    footer: str = ""
    reading: Callable[[], dict[str, object]] = dict  # makes ``data``

    @cached_property
    def data(self) -> dict[str, object]:
        """The JSON reading: exact values and the NumPy module, made only when somebody asks."""
        return self.reading()

    @property
    def claims(self) -> tuple[tuple[str, Claim], ...]:
        """Every claim of the lines of the two passes, with the number of the line."""
        return tuple((b.number, s.claim) for section in self.sections if section.anchor in ("forward", "backward")
                     for b in section.blocks if isinstance(b, StepView) for s in b.stages if s.claim is not None)

    @property
    def written(self) -> tuple[Section, ...]:
        """The sections for formats without drawings."""
        return tuple(s for s in self.sections if not s.drawn)
