"""The answers of a class as one HTML page: who was right in what, the commonest slips, and every wrong answer with its reason.

Takes plain data; all text is escaped by the template, formulas pass the strict MathML wrapper.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from symnet.errors import SymnetError
from symnet.reports.html import _font
from symnet.reports.loading import environment, read
from symnet.reports.mathml import to_mathml

LONGEST = 1500  # characters of LaTeX that are laid out; what is longer is shown as text


class Mark(StrEnum):
    """How an answer is shown."""

    RIGHT = "right"
    NOTE = "right, but"  # under a condition, or except at points
    WRONG = "wrong"
    UNDECIDED = "undecided"


SIGNS = {Mark.RIGHT: "✓", Mark.NOTE: "✓", Mark.WRONG: "✗", Mark.UNDECIDED: "?"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One answer in the table. ``anchor`` leads to its details, where it has any."""

    id: str
    mark: Mark
    anchor: str = ""

    @property
    def sign(self) -> str:
        """A sign for those who do not see the colour."""
        return SIGNS[self.mark]


@dataclass(frozen=True, slots=True)
class Row:
    """The answers of one file: one list of cells for each column of the head."""

    file: str
    cells: tuple[tuple[Cell, ...], ...]
    right: int
    answers: int


@dataclass(frozen=True, slots=True)
class Tally:
    """One problem over all files."""

    id: str
    right: int
    wrong: int
    undecided: int

    @property
    def answers(self) -> int:
        """How many there are."""
        return self.right + self.wrong + self.undecided


@dataclass(frozen=True, slots=True)
class Example:
    """What was said, about which answers (a name and an anchor each), and about how many more."""

    said: str
    links: tuple[tuple[str, str], ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class SlipView:
    """A kind of slip, how often it was found, and examples."""

    kind: str
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """One answer that is not simply right.

    ``said`` pairs a label (slip, condition, because) with a sentence. ``read`` and ``right`` are LaTeX, or empty; ``read_as`` is
    plain text. ``witness`` is a point, the answer there and the right value there, of the ``entry`` where there are several.
    """

    anchor: str
    title: str
    mark: Mark
    said: tuple[tuple[str, str], ...]
    read_as: str = ""
    read: str = ""
    right: str = ""
    entry: str = ""
    witness: tuple[tuple[tuple[str, str], ...], str, str] | None = None

    @property
    def sign(self) -> str:
        """As in the table."""
        return SIGNS[self.mark]


@dataclass(frozen=True)
class ClassReport:
    """The page as data. ``head`` is empty when the files have little in common; then each row has one list of cells."""

    title: str
    lead: str
    total: Tally
    files: int
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    problems: tuple[Tally, ...] = ()
    slips: tuple[SlipView, ...] = ()
    details: tuple[tuple[str, tuple[Detail, ...]], ...] = ()  # by file
    unusable: tuple[tuple[str, str], ...] = ()
    footer: str = ""


def class_report(report: ClassReport) -> str:
    """The page: self-contained, no script, nothing from the network."""
    from markupsafe import Markup

    def formula(latex: str, text: str = "") -> Any:
        try:
            return Markup(to_mathml(latex, True)) if latex and len(latex) <= LONGEST else _code(text, Markup)
        except SymnetError:
            return _code(text, Markup)

    page = environment("html").get_template("class_report.html.j2")
    return str(page.render(report=report, formula=formula, css=Markup(read("report.css")), more=Markup(read("class_report.css")),
                           share=_share, font=_font() if any(d.read for _, those in report.details for d in those) else ""))


def _code(text: str, markup: Any) -> Any:
    return markup("<code>{}</code>").format(text) if text else ""


def _share(part: int, whole: int) -> str:
    """A part as a percentage for a width."""
    return f"{100 * part / whole:.4g}%" if whole else "0%"
