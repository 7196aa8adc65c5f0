"""A page of worked lines -> chains, table rows, stated numbers and prose. Nothing is computed here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from symnet.checking.pages.chains import NUMBER, latex_chains, text_chains, tidy
from symnet.checking.pages.markdown import Piece, pieces

NAME_CELL = re.compile(r"(?:[^|()]*\(\s*)?([A-Za-z]\w{0,15}'?)\s*\)?\s*\Z")
HEADER = re.compile(r"\(\s*([A-Za-z]\w*)\s*\)\s*\Z")
RULE = re.compile(r"\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\Z")
ABOUT = re.compile(  # in front of a name: something else of it than its value
    r"\b(?!(?:values?|inputs?|weights?|parameters?|choice)\b)[A-Za-z]+\s+(?:of|w\.?r\.?t\.?|with\s+respect\s+to)\s+\Z"
    r"|\b(?:change|step|update|error|increase|decrease|move|shift|difference)\s+(?:in|to|for)\s+\Z", re.I)
OF_SLOPES = re.compile(r"\b(?:gradients?|grads?|slopes?|derivatives?)\b", re.I)  # the head of a column
OF_OTHERS = re.compile(r"\b(?:new|updated|after|changes?|steps?|updates?|errors?|counts?|differences?)\b", re.I)
NUMERIC = re.compile(r"(?:value|result|number|≈|decimal)", re.I)


@dataclass(frozen=True, slots=True)
class Chain:
    """``left = e1 = e2 ≈ n``: ``links`` pairs each relation with the text after it. Without ``left`` it continues the chain before."""

    number: int
    text: str
    section: str
    left: str
    links: tuple[tuple[str, str], ...]
    latex: bool = False
    defines: bool = False  # let e = …, e := …
    updates: bool = False  # w ← w - …
    labelled: bool = False  # a name, a colon and a number


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


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that looks like a claim and cannot be read, with the reason."""

    number: int
    text: str
    section: str
    reason: str


Line = Chain | Row | Stated | Prose | Unread
LONGEST = 4000  # letters of a line


def read_lines(page: str) -> Iterator[Line]:
    """The lines of a page. A heading starts a section; a table's first line names its columns: "Age (x)", or x alone.

    >>> [type(line).__name__ for line in read_lines("Let us say x = 2.\\nz = w*x = 0.5 * 2 ≈ 1.0\\nThat is all.")]
    ['Stated', 'Chain', 'Prose']
    """
    section, columns = "", ()  # type: str, tuple[str, ...]
    pending = ""
    for piece in pieces(page):
        if len(piece.text) > LONGEST:
            claims = re.search(r"[=≈]", piece.text)
            reason = f"{len(piece.text)} letters in one line; expected at most {LONGEST}"
            yield Unread(piece.number, piece.text[:200] + "…", section, reason) if claims else Prose(piece.number)
            continue
        if piece.kind == "heading":
            section, columns = piece.text.lstrip("# "), ()
            if "=" not in section and "≈" not in section:
                continue
        if piece.kind == "table":
            cells = tuple(c.strip() for c in piece.text.strip().strip("|").split("|"))
            if RULE.match(piece.text):
                continue
            names = _columns(cells)
            if names and not any(NUMBER.match(c) for c in cells):
                columns = cells
                continue
            yield from _cells(piece, section, columns, cells)
            continue
        columns = ()
        if piece.kind == "code":
            yield Prose(piece.number)
            continue
        found = list(_claims(piece, section, pending))
        pending = _pending(piece)
        yield from found or [Prose(piece.number)]


def _pending(piece: Piece) -> str:
    """The left side that waits for its line: "dL/dw2 =" at the end of a line."""
    match = re.match(r"([^=≈]{1,60}?)\s*=?\Z", tidy(piece.text))
    return match[1].rstrip(" &") if match and len(match[1].split()) == 1 else ""


def _claims(piece: Piece, section: str, pending: str) -> Iterator[Line]:
    """The claims of one piece."""
    chains = latex_chains(piece.text) if piece.kind == "maths" else text_chains(piece.text)
    for k, found in enumerate(chains):
        left = found.left or (pending if k == 0 else "")
        (relation, first), *more = found.links
        if found.stated and not more and NUMBER.match(first) and relation and ABOUT.search(found.before):
            continue  # the gradient of w = 3 says nothing of w
        if found.stated and not more and NUMBER.match(first) and relation:
            yield Stated(piece.number, piece.text, section, left, first)
        else:
            yield Chain(piece.number, piece.text, section, left, found.links, found.latex, found.defines, found.updates, found.labelled)


def _columns(cells: tuple[str, ...]) -> list[str]:
    """The names of the columns, when every cell is one or has one in brackets."""
    found = [NAME_CELL.match(tidy(c)) for c in cells]
    return [m[1] for m in found if m] if all(found) else []


def _cells(piece: Piece, section: str, columns: tuple[str, ...], cells: tuple[str, ...]) -> Iterator[Line]:
    """A row of numbers under named columns; a row that begins with a name is a chain; every other cell is a line of its own."""
    numbers = [tidy(c) for c in cells]
    if columns and len(cells) == len(columns) and all(NUMBER.match(c) for c in numbers):
        names = _columns(columns)
        claimed = names[-1] if columns[-1].lower().startswith("predicted") or not HEADER.search(columns[-1]) else ""
        yield Row(piece.number, piece.text, section, tuple(zip(names, numbers, strict=True)), claimed)
        return
    named = text_chains(f"{tidy(cells[0])} = 0") if len(cells) > 1 and not any(re.search(r"[=≈]", c) for c in cells) else []
    whole = len(named) == 1 and named[0].left and not named[0].stated
    rest = [c for c in cells[1:] if c and re.search(r"[\d(*+/^]|\\", c)]
    head = columns[-1] if columns and len(columns) == len(cells) and NUMBER.match(tidy(cells[-1])) else ""
    if whole and rest and OF_OTHERS.search(head):
        yield Prose(piece.number)
        return
    if whole and rest and OF_SLOPES.search(head) and re.fullmatch(r"[A-Za-z]\w*", tidy(cells[0])):
        cells = (f"dL/d{tidy(cells[0])}", *cells[1:])
    if whole and rest:
        formulas, values = [c for c in rest if not NUMBER.match(tidy(c))], [c for c in rest if NUMBER.match(tidy(c))]
        texts = [" ≈ ".join([" = ".join([cells[0], *formulas]), *values])]
    else:  # a result beside a line belongs to it
        texts = [f"{c} ≈ {after}" if NUMBER.match(tidy(after)) else c for c, after in zip(cells, (*cells[1:], ""), strict=True)]
    found = [line for t in texts for line in _claims(replace(piece, text=t, kind="text"), section, "") if re.search(r"[=≈]", t)]
    yield from (replace(line, text=piece.text) for line in found if isinstance(line, (Chain, Stated)))
    if not found:
        yield Prose(piece.number)
