"""What a check of somebody's worked lines found: every number judged, the wrong ones with the slip where one explains it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How a number or formula on a page was judged."""

    RIGHT = "right"
    WRONG = "wrong"
    UNDECIDED = "undecided"
    PUT_IN = "numbers put in"  # arithmetic with rounded numbers on the way to a result; only the result is judged


@dataclass(frozen=True, slots=True)
class Judged:
    """One claim of a page: ``name`` is said to be ``printed``; the exact value rounds to ``correct`` at those digits.

    ``value`` is the value to more digits, ``section`` the heading above, ``slip`` says in a sentence how the printed number
    came about where that was found by trying, and ``carried`` that it follows from the page's own earlier rounded numbers.
    """

    line: int
    text: str
    section: str
    name: str
    printed: str
    mark: Mark
    correct: str = ""
    value: str = ""
    slip: str = ""
    carried: bool = False


@dataclass(frozen=True)
class Errata:
    """All claims of a page in order, and how many lines of prose were passed over."""

    judged: tuple[Judged, ...]
    skipped: int = 0

    @property
    def wrong(self) -> tuple[Judged, ...]:
        """The claims that are wrong."""
        return tuple(j for j in self.judged if j.mark is Mark.WRONG)

    @property
    def right(self) -> tuple[Judged, ...]:
        """The claims that are right."""
        return tuple(j for j in self.judged if j.mark is Mark.RIGHT)

    def __str__(self) -> str:
        return "\n".join(f"line {j.line}: {j.name} is printed as {j.printed}; it is {j.correct} ({j.value})"
                         + (f"; {j.slip}" if j.slip else "") for j in self.wrong)
