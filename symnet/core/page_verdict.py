"""What a check of somebody's worked lines found: every link judged against the truth and against the link before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from symnet.core.short_forms import cut


class Mark(StrEnum):
    """How a number or formula on a page was judged against the truth."""

    RIGHT = "right"
    WRONG = "wrong"
    UNDECIDED = "undecided"
    PUT_IN = "numbers put in"  # arithmetic with rounded numbers on the way to a result; only the result is judged
    GIVEN = "given"  # what the page itself sets: x = 2, e = a2 - y


class Follows(StrEnum):
    """Does it follow from the link before it, with the page's own numbers?"""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Source:
    """A value of the page that was used again: ``name`` was printed as ``printed`` on ``line``; ``wrong`` says how it was judged."""

    name: str
    printed: str
    line: int
    wrong: bool = False

    def __str__(self) -> str:
        return f"{self.name} = {self.printed}"


@dataclass(frozen=True, slots=True)
class Judged:
    """One claim of a page: ``name`` is said to be ``printed``; the exact value rounds to ``correct`` at those digits.

    ``value`` is the value to more digits, ``section`` the heading above. ``slip`` says in a sentence how something wrong came
    about where that was found by trying, or why it is undecided; ``note`` says what else there is to say of it. ``follows`` is
    the judgement against the link before, ``sources`` are the page's own values that were used, and ``from_line`` is the line
    that a wrong value came from. ``carried`` marks what is wrong but follows from an earlier number: no new error.
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
    relation: str = "="
    follows: Follows = Follows.UNDECIDED
    from_line: int | None = None
    sources: tuple[Source, ...] = ()
    note: str = ""
    kind: str = ""  # a stable word for the slip: "cut off", "rounded early", "sign", …
    hint: str = ""  # the question to ask oneself
    condition: str = ""  # the given numbers with which alone a formula is right

    @property
    def remarks(self) -> str:
        """The slip and the note in one sentence part."""
        return "; ".join(part for part in (self.slip, self.note) if part)


@dataclass(frozen=True)
class Errata:
    """All claims of a page in order, and how many lines of prose were passed over.

    >>> import symnet as sn
    >>> found = sn.check_page("z1 = w1*x + b1", "first", timeout=None)
    >>> len(found.claims), len(found.wrong)
    (1, 0)
    """

    judged: tuple[Judged, ...]
    skipped: int = 0

    def __repr__(self) -> str:
        counts = f"Errata: {len(self.claims)} claims, {len(self.wrong)} wrong ({len(self.carried)} carried forward), "
        lines = [f"{counts}{len(self.undecided)} undecided; {self.skipped} lines of prose"]
        first = self.first_wrong
        return "\n".join(map(cut, [*lines, *([] if first is None else [f"  line {first.line}: {first.name} = {first.printed}"])]))

    @property
    def wrong(self) -> tuple[Judged, ...]:
        """The claims that are wrong, those that follow from earlier ones too."""
        return self._of(Mark.WRONG)

    @property
    def errors(self) -> tuple[Judged, ...]:
        """The claims that are wrong by themselves."""
        return tuple(j for j in self.wrong if not j.carried)

    @property
    def carried(self) -> tuple[Judged, ...]:
        """The claims that are wrong but follow from an earlier number."""
        return tuple(j for j in self.wrong if j.carried)

    @property
    def right(self) -> tuple[Judged, ...]:
        """The claims that are right."""
        return self._of(Mark.RIGHT)

    @property
    def undecided(self) -> tuple[Judged, ...]:
        """The claims that could not be judged; ``slip`` holds the reason."""
        return self._of(Mark.UNDECIDED)

    @property
    def claims(self) -> tuple[Judged, ...]:
        """What says something that could be wrong: all but what the page sets itself."""
        return tuple(j for j in self.judged if j.mark is not Mark.GIVEN)

    @property
    def first_wrong(self) -> Judged | None:
        """The first claim that is wrong in itself; where none is, the first that is off because of rounding on the way."""
        return next(iter(self.errors), next(iter(self.wrong), None))

    @property
    def lines(self) -> list[tuple[Judged, ...]]:
        """The claims, line by line."""
        return [tuple(group) for _, group in groupby(self.judged, key=lambda j: j.line)]

    def _of(self, mark: Mark) -> tuple[Judged, ...]:
        return tuple(j for j in self.judged if j.mark is mark)

    def __str__(self) -> str:
        first = self.first_wrong
        head = [f"the first wrong line is line {first.line}"] if first else []
        return "\n".join([*head, *(sentence(j) for j in self.wrong)])


def sentence(j: Judged) -> str:
    """A wrong claim in one line.

    >>> sentence(Judged(4, "z = 2*3 = 7", "", "z", "7", Mark.WRONG, "6", "6"))
    'line 4: z is printed as 7; it is 6'
    """
    exact = f"; it is {j.correct}" + (f" ({j.value})" if j.value not in ("", j.correct) else "") if j.correct else ""
    return f"line {j.line}: {j.name} is printed as {j.printed}{exact}" + (f"; {j.remarks}" if j.remarks else "")


def from_lines(sources: Iterable[Source]) -> str:
    """Where values came from, in words.

    >>> from_lines([Source("a1", "0.768", 4), Source("z2", "0.22", 5)])
    'your line 4 (a1 = 0.768) and line 5 (z2 = 0.22)'
    """
    found = [f"line {s.line} ({s})" for s in dict.fromkeys(sources)]
    return "your " + (", ".join(found[:-1]) + " and " + found[-1] if len(found) > 1 else "".join(found))
