"""Outcomes -> counts: right, wrong and undecided, of each problem, and the commonest slips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from symnet.batch.items import UNUSABLE, Outcome
from symnet.core.verdict import Answer

RIGHT = (Answer.PROVED, Answer.ALMOST_EVERYWHERE, Answer.CONDITIONAL)
# The word for each verdict in a table; a condition is told beside it.
WORDS = {Answer.PROVED.value: "right", Answer.ALMOST_EVERYWHERE.value: "right, except at points",
         Answer.CONDITIONAL.value: "right under a condition", Answer.REFUTED.value: "wrong", Answer.UNDECIDED.value: "undecided",
         UNUSABLE: UNUSABLE}
NO_SLIP = "no single slip found"


@dataclass(frozen=True, slots=True)
class Problem:
    """The answers with one id, over all files."""

    id: str
    right: int
    wrong: int
    undecided: int

    @property
    def answers(self) -> int:
        """How many there are."""
        return self.right + self.wrong + self.undecided


@dataclass(frozen=True, slots=True)
class Slip:
    """A kind of slip and the answers that have it."""

    kind: str
    answers: tuple[Outcome, ...]

    @property
    def count(self) -> int:
        """How often it was found."""
        return len(self.answers)


@dataclass(frozen=True)
class Summary:
    """All outcomes in order, and what they come to."""

    outcomes: tuple[Outcome, ...]

    @cached_property
    def answers(self) -> tuple[Outcome, ...]:
        """The answers that were judged or left undecided."""
        return tuple(o for o in self.outcomes if o.verdict != UNUSABLE)

    @cached_property
    def unusable(self) -> tuple[Outcome, ...]:
        """The files that are none."""
        return tuple(o for o in self.outcomes if o.verdict == UNUSABLE)

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The files with answers, in order."""
        return tuple(dict.fromkeys(o.file for o in self.answers))

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many answers have each verdict."""
        found = Counter(o.verdict for o in self.answers)
        return {a.value: found[a.value] for a in Answer}

    @property
    def right(self) -> int:
        """Proved, with or without a condition."""
        return sum(self.counts[a.value] for a in RIGHT)

    @property
    def wrong(self) -> int:
        """Refuted."""
        return self.counts[Answer.REFUTED.value]

    @property
    def undecided(self) -> int:
        """Undecided."""
        return self.counts[Answer.UNDECIDED.value]

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """The answers by id, in the order in which the ids come up."""
        return tuple(Problem(id, *_tally([o for o in self.answers if o.id == id]))
                     for id in dict.fromkeys(o.id for o in self.answers if o.id))

    @cached_property
    def slips(self) -> tuple[Slip, ...]:
        """The commonest slips first; wrong answers that no single slip explains come last, whatever their number."""
        kinds: dict[str, list[Outcome]] = {}
        for o in self.answers:
            if o.verdict == Answer.REFUTED or (o.kind and o.verdict not in RIGHT):
                kinds.setdefault(o.kind or NO_SLIP, []).append(o)
        found = [Slip(kind, tuple(those)) for kind, those in kinds.items()]
        return tuple(sorted(found, key=lambda s: (s.kind == NO_SLIP, -s.count, s.kind)))

    @property
    def exit_code(self) -> int:
        """4 when a self-check failed, 2 when a file is unusable, else 1 when an answer is wrong, else 3 when one is undecided, else 0."""
        if any(o.fault for o in self.outcomes):
            return 4
        return 2 if self.unusable or not self.answers else 1 if self.wrong else 3 if self.undecided else 0

    def __str__(self) -> str:
        parts = [f"{self.right} right", f"{self.wrong} wrong", f"{self.undecided} undecided"]
        text = f"{_many(len(self.answers), 'answer')} in {_many(len(self.files), 'file')}: {', '.join(parts)}"
        return text + (f"; {_many(len(self.unusable), 'file')} unusable" if self.unusable else "")


def summary(outcomes: Sequence[Outcome]) -> Summary:
    """What the outcomes come to."""
    return Summary(tuple(outcomes))


def _tally(outcomes: Sequence[Outcome]) -> tuple[int, int, int]:
    found = Counter(o.verdict for o in outcomes)
    return sum(found[a] for a in RIGHT), found[Answer.REFUTED], found[Answer.UNDECIDED]


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def table(found: Summary) -> tuple[tuple[str, ...], list[tuple[str, list[list[str]]]]] | None:
    """A grid of files by ids: the ids, and for each file the verdicts on each; None when the files have little in common."""
    ids = tuple(p.id for p in found.problems)
    cells: dict[tuple[str, str], list[str]] = {}
    for o in found.answers:
        cells.setdefault((o.file, o.id), []).append(o.verdict)
    if not ids or 2 * len(cells) < len(ids) * len(found.files):
        return None
    return ids, [(file, [cells.get((file, id), []) for id in ids]) for file in found.files]
