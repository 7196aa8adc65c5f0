"""What is to be judged, and what was found: sources (files), and one outcome for each answer in them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from symnet.errors import FaultError, SymnetError, WorksheetError, one_line
from symnet.parsing.files import text_of_file
from symnet.parsing.page_files import PAGES, page_of_file
from symnet.worksheets.builtin import names, worksheet_text

if TYPE_CHECKING:
    from symnet.checking.worksheet_answers import Result

UNUSABLE = "unusable"  # the verdict on a file that cannot be read as a worksheet; the others are core.verdict's
KINDS = (".toml", *PAGES)
Witness = tuple[tuple[tuple[str, str], ...], str, str]  # a point, the answer there, the right value there


@dataclass(frozen=True, slots=True)
class Source:
    """A file with its text, so that a machine that does not see the file can judge it; or the reason why it has none."""

    number: int
    name: str
    text: str = ""
    error: str = ""

    @property
    def page(self) -> bool:
        """True for a page of worked lines, False for a worksheet."""
        return self.name.lower().endswith(PAGES)


@dataclass(frozen=True, slots=True)
class Item:
    """One answer: the ``number``-th of a source, with its id, the name it differentiates by, and its worksheet's title."""

    source: Source
    number: int
    id: str = ""
    wrt: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer judged. The fields are those of the JSON contract, with the file, the time, and ``kind`` of the slip.

    ``verdict`` is one of core.verdict's answers or UNUSABLE; ``slip`` is a sentence about the mistake.
    """

    file: str
    id: str = ""
    wrt: str = ""
    verdict: str = "undecided"
    condition: str = ""
    witness: Witness | None = None
    kind: str = ""
    slip: str = ""
    message: str = ""
    read_as: str = ""
    seconds: float = 0.0
    title: str = ""
    read: str = ""  # of a wrong answer: what was read, as LaTeX
    right: str = ""  # and the right one
    result: Result | None = None  # of an answer of a worksheet: all that was found
    error: SymnetError | None = None  # why a file is unusable

    @property
    def about(self) -> str:
        """What was asked, as far as it is known: "A1 (w1)"."""
        return f"{self.id} ({self.wrt})" if self.id and self.wrt not in self.id else self.id or self.wrt

    @property
    def fault(self) -> bool:
        """True when a self-check failed: nothing was built on what it found."""
        return isinstance(self.error, FaultError)

    @property
    def why(self) -> str:
        """The message without the verdict: the witness, the condition, the reason."""
        return self.message.removeprefix(self.verdict).strip().removeprefix("(").removesuffix(")")


def sources(given: Sequence[str]) -> tuple[Source, ...]:
    """Every file once, in the order given; of a folder every worksheet and page in it, sorted. What cannot be read says why."""
    found: dict[str, Source] = {}
    for name in given:
        for path, reason in _files(name):
            key = path if "\0" in path else os.path.realpath(path)
            if key not in found:
                found[key] = _source(len(found), path, reason)
    return tuple(found.values())


def _files(name: str) -> Iterator[tuple[str, str]]:
    """The files that a name stands for, or the name with the reason why it stands for none."""
    if not os.path.isdir(name):
        yield name, ""
        return
    inside = [file for file in _inside(name) if file.lower().endswith(KINDS)]
    yield from ((file, "") for file in inside)
    if not inside:
        yield name, f"no worksheet (.toml) and no page ({', '.join(PAGES)}) in this folder"


def passed_over(given: Sequence[str]) -> tuple[str, ...]:
    """The files in the given folders that are neither worksheets nor pages."""
    return tuple(file for name in given if os.path.isdir(name) for file in _inside(name) if not file.lower().endswith(KINDS))


def _inside(name: str) -> list[str]:
    """Every file below a folder, hidden ones left out, sorted."""
    return sorted(os.path.normpath(os.path.join(folder, f)) for folder, files in _walk(name) for f in files if not f.startswith("."))


def _walk(name: str) -> Iterator[tuple[str, list[str]]]:
    """Folders below, without hidden ones and without following links, which may go in circles."""
    for folder, below, files in os.walk(name):
        below[:] = sorted(b for b in below if not b.startswith("."))
        yield folder, files


def _source(number: int, path: str, reason: str) -> Source:
    shown = one_line(path)
    try:
        return Source(number, shown, error=f"{shown}: {reason}") if reason else Source(number, shown, text_of(path))
    except SymnetError as error:
        return Source(number, shown, error=error.message)


def text_of(path: str) -> str:
    """The text of a worksheet or page. Raises WorksheetError when there is none."""
    if path in names() and not Path(path).exists():
        return worksheet_text(path)
    if ".py:" in path or path.endswith(".py"):
        raise WorksheetError(path, "NumPy code among many files", f"worksheets (.toml) and pages ({', '.join(PAGES)})",
                             "symnet check FILE.py:FUNCTION alone")
    return page_of_file(path) if path.lower().endswith(PAGES) else text_of_file(path, "a worksheet (.toml)")
