"""A page of worked lines -> chains, table rows and prose. Nothing is computed here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from symnet.parsing.tokens import plain

NAME = r"(?:d\s?[A-Za-z]\w*\s?/\s?d\s?[A-Za-z]\w*|[A-Za-z]\w*'?)"
LEFT = re.compile(NAME + r"\Z")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?\Z")
STATED = re.compile(r"\(?\b([A-Za-z]\w{0,11})\)? = (-?\d+(?:\.\d+)?)(?!\w)(?!\s*[-*/+^(])(?!\.\d)")
HEADER = re.compile(r"\(([A-Za-z]\w*)\)\s*\Z")


@dataclass(frozen=True, slots=True)
class Chain:
    """``left = e1 = e2 ≈ n``: ``links`` pairs each relation with the text after it."""

    number: int
    text: str
    section: str
    left: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: (name, cell) for each column, and the name of the column that is claimed ("" when none is)."""

    number: int
    text: str
    section: str
    cells: tuple[tuple[str, str], ...]
    claimed: str


@dataclass(frozen=True, slots=True)
class Stated:
    """A number given in the middle of a sentence: "an input value x = 2"."""

    number: int
    text: str
    section: str
    left: str
    value: str


@dataclass(frozen=True, slots=True)
class Prose:
    """A line without a claim."""

    number: int


Line = Chain | Row | Stated | Prose


def read_lines(page: str) -> Iterator[Line]:
    """The lines of a page. A heading starts a section; a table's first line names its columns in brackets: "Age (x)".

    >>> [type(line).__name__ for line in read_lines("Let us say x = 2.\\nz = w*x = 0.5 * 2 ≈ 1.0\\nThat is all.")]
    ['Stated', 'Chain', 'Prose']
    """
    section = ""
    columns: tuple[str, ...] = ()
    for number, raw in enumerate(page.splitlines(), start=1):
        text = raw.strip()
        if text.startswith("#"):
            section, columns = text.lstrip("# "), ()
        elif "|" in text:
            cells = tuple(c.strip() for c in text.strip("|").split("|"))
            if all(HEADER.search(c) for c in cells):
                columns = cells
            elif len(cells) == len(columns) and all(NUMBER.match(plain(c)) for c in cells):
                yield _row(number, text, section, columns, cells)
        elif text:
            columns = ()
            yield from _line(number, text, section)


def _row(number: int, text: str, section: str, columns: tuple[str, ...], cells: tuple[str, ...]) -> Row:
    names = [HEADER.search(c)[1] for c in columns]  # type: ignore[index]
    claimed = names[-1] if columns[-1].lower().startswith("predicted") else ""
    return Row(number, text, section, tuple(zip(names, cells, strict=True)), claimed)


def _line(number: int, text: str, section: str) -> Iterator[Line]:
    chain = _chain(number, text, section)
    if chain is not None:
        yield chain
        return
    stated = STATED.findall(plain(text))
    for name, value in stated:
        yield Stated(number, text, section, name, value)
    if not stated:
        yield Prose(number)


def _chain(number: int, text: str, section: str) -> Chain | None:
    body = plain(text).rstrip(" .,;:")
    label = re.match(r"[^=≈]{0,80}:\s+", body)
    body = body[label.end():] if label else body
    parts = re.split(r"\s*(≈|(?<![<>!=:])=(?!=))\s*", body)
    if len(parts) < 3 or not LEFT.match(parts[0]) or not all(parts[2::2]):
        return None
    return Chain(number, text, section, parts[0], tuple(zip(parts[1::2], parts[2::2], strict=True)))
