"""A page of worked lines -> chains, table rows, stated numbers and prose. Nothing is computed here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from symnet.checking.pages.chains import ASIDE, NUMBER, latex_chains, latex_link, prose_in, text_chains, tidy
from symnet.checking.pages.markdown import Piece, pieces
from symnet.parsing.written_slopes import slope_parts

NAME_CELL = re.compile(r"(?:[^|()]*\(\s*)?([A-Za-z]\w{0,15}'?)\s*\)?\s*\Z")
HEADER = re.compile(r"\(\s*([A-Za-z]\w*)\s*\)\s*\Z")
RULE = re.compile(r"\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\Z")
ABOUT = re.compile(  # in front of a name: something else of it than its value
    r"\b(?!(?:values?|inputs?|weights?|parameters?|choice)\b)[A-Za-z]+\s+(?:of|w\.?r\.?t\.?|with\s+respect\s+to)\s+\Z"
    r"|\b(?:change|step|update|error|increase|decrease|move|shift|difference)\s+(?:in|to|for)\s+\Z", re.I)
SUPPOSED = re.compile(r"\b(?:if|when|whenever|unless|until|suppose|at|for|where|near|around)\s+\Z", re.I)
MATHS = re.compile(r"\$([^$]+)\$\Z")
SIGN = re.compile(r"(?:[=≈]|\\approx(?![A-Za-z]))\s*")
# what the head of a column says that its cells are, of the name in their row; under any other head a cell claims only what it says whole
HEADS = {
    "others": re.compile(r"stands|printed|wrong|mistake|incorrect|claimed|change|step|update\b|errors?\b|counts?\b|difference|foretold"
                         r"|moves?\b|numeric|finite|measured|both sides|check|estimate|epsilon|relative|expected", re.I),
    "slope": re.compile(r"\bgrad(?:ient)?s?\b|\bslopes?\b|\bderivatives?\b|∂|\\partial|\\nabla|∇|\bd[A-Za-z]/d", re.I),
    "new": re.compile(r"\b(?:new|updated|after)\b", re.I),
    "formula": re.compile(r"\b(?:formulas?|expressions?|definitions?|equations?|rule)\b", re.I),
    "value": re.compile(r"\b(?:values?|results?|numbers?|decimals?|old|before|initial|current|start)\b|≈", re.I)}
NAMES = re.compile(r"\b(?:parameter|symbol|name|variable|quantity|weight|what|term)s?\b", re.I)  # the head of the column of names


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
    supposed: bool = False  # if z = 0
    condition: str = ""  # for t = 1..T - 1, behind the line


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
    supposed: bool = False


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
MOST_BROKEN = 6  # line ends inside of one formula


def read_lines(page: str) -> Iterator[Line]:
    """The lines of a page. A heading starts a section; a table's first line names its columns: "Age (x)", or x alone.

    >>> [type(line).__name__ for line in read_lines("Let us say x = 2.\\nz = w*x = 0.5 * 2 ≈ 1.0\\nThat is all.")]
    ['Stated', 'Chain', 'Prose']
    """
    section, columns = "", ()  # type: str, tuple[str, ...]
    pending = ""
    there = list(_unwrapped(pieces(page)))
    for at, piece in enumerate(there):
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
            cells = tuple(c.strip() for c in re.split(r"(?<!\\)\|", piece.text.strip().strip("|")))
            if RULE.match(piece.text):
                continue
            if _is_head(there, at) or (_columns(cells) and not any(map(_number, cells))):
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


def _unwrapped(there: Iterable[Piece]) -> Iterator[Piece]:
    """Lines of text that were broken at the right margin in one: inside a bracket, behind an operator or in front of one."""
    held: Piece | None = None
    for piece in there:
        next_ = held is not None and piece.kind == "text" and piece.number == held.number + held.text.count("\n") + 1
        if held is not None and next_ and (_goes_on(held.text) or _is_rest(piece.text)):
            held = replace(held, text=f"{held.text}\n{piece.text}")
        elif held is not None:
            yield replace(held, text=" ".join(held.text.split("\n")))
            held = piece
        else:
            held = piece
        if held.kind != "text" or held.text.count("\n") >= MOST_BROKEN or not re.search(r"[=≈]", held.text):
            yield replace(held, text=" ".join(held.text.split("\n")))
            held = None
    if held is not None:
        yield replace(held, text=" ".join(held.text.split("\n")))


def _goes_on(text: str) -> bool:
    """True where a line of maths was broken: a bracket is open, or an operator or "for" stands at the end."""
    if not re.search(r"[=≈]", text) or "$" in text or "\\" in text:
        return False
    depth = sum((c in "([") - (c in ")]") for c in text)
    return depth > 0 or bool(re.search(r"(?:[^+*/^-][-+*/^]|\s(?:for|in))\Z", text.rstrip()))


def _is_rest(text: str) -> bool:
    """True for a line that is no claim and no sentence, with an operator in front: what is added to the line before."""
    sign = re.match(r"[-−+*/·×⊙]\s*(?=[^\s*+/-])", text)
    if sign is None or re.search(r"[=≈:$]|\\approx", text):
        return False
    body = text[sign.end():]
    aside = ASIDE.search(body)
    body = body[:aside.start()] if aside else body
    words = prose_in(body) or re.fullmatch(r"[A-Za-z' ]{4,}[.,;!]?", body) is not None
    return not words and (sign[0][-1:].isspace() or not body[:1].isalpha())


def _is_head(there: list[Piece], at: int) -> bool:
    """True for the first row of a table with a rule below it."""
    def beside(k: int) -> Piece | None:
        near = there[k] if 0 <= k < len(there) else None
        return near if near is not None and near.kind == "table" and abs(near.number - there[at].number) == 1 else None

    above = beside(at - 1)
    first = above is None or (RULE.match(above.text) is not None and (at < 2 or there[at - 2].kind != "table"))
    below = beside(at + 1)
    return first and below is not None and RULE.match(below.text) is not None


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
        number = not more and NUMBER.match(first) and relation
        if number and ABOUT.search(found.before):
            continue  # the gradient of w = 3 says nothing of w
        supposed = bool(number and SUPPOSED.search(found.before))
        if found.stated and number:
            yield Stated(piece.number, piece.text, section, left, first, supposed)
        else:
            yield Chain(piece.number, piece.text, section, left, found.links, found.latex, found.defines, found.updates, found.labelled,
                        supposed, found.condition)


def _columns(cells: tuple[str, ...]) -> list[str]:
    """The names of the columns, when every cell is one or has one in brackets."""
    found = [NAME_CELL.match(tidy(_bare(c))) for c in cells]
    return [m[1] for m in found if m] if all(found) else []


def _bare(cell: str) -> str:
    """A cell without its dollars, and without the sign of equality in front."""
    maths = MATHS.match(cell)
    return re.sub(rf"\A{SIGN.pattern}", "", (maths[1] if maths else cell).strip())


def _number(cell: str) -> str:
    """The number that is all of a cell, "" for any other cell."""
    found = latex_link(tidy(_bare(cell)))
    return found if NUMBER.match(found) else ""


def _cells(piece: Piece, section: str, columns: tuple[str, ...], cells: tuple[str, ...]) -> Iterator[Line]:
    """A row of numbers under named columns is data; otherwise what the heads say of the name in the row, and what cells say whole."""
    numbers = [_number(c) for c in cells]
    fits = len(cells) == len(columns)
    names = _columns(columns)
    if fits and names and all(numbers):
        claimed = names[-1] if columns[-1].lower().startswith("predicted") or not HEADER.search(columns[-1]) else ""
        yield Row(piece.number, piece.text, section, tuple(zip(names, numbers, strict=True)), claimed)
        return
    heads = [_head(c) for c in columns] if fits else [""] * len(cells)
    found: list[Chain] = list(_row(piece, section, heads, cells, _place_of_names(columns)))
    if not found and fits:
        found = list(_transposed(piece, section, columns, cells))
    yield from found
    if not found:
        yield Prose(piece.number)


def _head(head: str) -> str:
    """What the cells under a head are; "unknown" where it does not say."""
    return next((kind for kind, words in HEADS.items() if words.search(head)), "unknown")


def _place_of_names(columns: tuple[str, ...]) -> int:
    return next((k for k, c in enumerate(columns) if NAMES.search(c)), 0)


def _row(piece: Piece, section: str, heads: list[str], cells: tuple[str, ...], place: int) -> Iterator[Chain]:
    """The chains of a row, from left to right: a number beside a formula is its value."""
    name = _name(cells[place]) if len(cells) > 1 else ""
    count = sum(bool(_number(c)) for c in cells)
    chain: Chain | None = None
    for k, (head, cell) in enumerate(zip(heads, cells, strict=True)):
        own = [] if head == "others" or not re.search(r"[=≈]|\\approx", _bare(cell)) else \
            [f for f in _claims(replace(piece, text=cell, kind="text"), section, "") if isinstance(f, (Chain, Stated))]
        number, formula = _number(cell), not own and _is_formula(cell)
        if own:
            yield from [] if chain is None else [chain]
            *before, last = [replace(f, text=piece.text) if isinstance(f, Chain) else _whole(f, piece) for f in own]
            yield from before
            chain = last
        elif (k == place and name) or not (number or formula) or head in ("others", "unknown"):
            continue
        elif chain is not None and head in ("value", "formula", "") and not NUMBER.match(chain.links[-1][1]):
            chain = replace(chain, links=(*chain.links, ("≈" if number else "=", number or _bare(cell))))
        elif name and (head or count == 1 or formula):
            yield from [] if chain is None else [chain]
            chain = _of_name(piece, section, head, name, cell, number)
    yield from [] if chain is None else [chain]


def _whole(stated: Stated, piece: Piece) -> Chain:
    return Chain(stated.number, piece.text, stated.section, stated.left, (("=", stated.value),))


def _of_name(piece: Piece, section: str, head: str, name: str, cell: str, number: str) -> Chain:
    r"""A cell as a line about the name in its row: the name itself, its slope or its new value."""
    latex = bool(MATHS.match(cell)) or "\\" in name or "{" in name
    if latex and "\\" not in name and "{" not in name and "_" not in name:
        name = re.sub(r"\A([A-Za-z]+?)_?(\d+)\Z", r"\1_{\2}", name)
    if head == "slope" and not slope_parts(name) and not re.match(r"\\frac|\\nabla|∂", name):
        name = rf"\frac{{\partial L}}{{\partial {name}}}" if latex else f"dL/d{name}"
    elif head == "new":
        name = rf"{name}^{{\mathrm{{new}}}}" if latex else f"{name}_new"
    return Chain(piece.number, piece.text, section, name, (("≈" if number else "=", number or _bare(cell)),), latex)


def _transposed(piece: Piece, section: str, columns: tuple[str, ...], cells: tuple[str, ...]) -> Iterator[Chain]:
    """A row of new values or slopes under the names of parameters."""
    head, names = _head(cells[0]), [_name(c) for c in columns[1:]]
    if head in ("value", "slope", "new") and names and all(names):
        for name, cell in zip(names, cells[1:], strict=True):
            if _number(cell):
                yield _of_name(piece, section, head, name, cell, _number(cell))


def _name(cell: str) -> str:
    """The name, or the slope, that is all of a cell, "" for any other cell."""
    maths = MATHS.match(cell)
    if maths:
        found = latex_chains(f"{maths[1]} = 0")
        left = found[0].left if len(found) == 1 and len(found[0].links) == 1 else ""
        return left if re.match(r"\\?[A-Za-z]", left) and not re.search(r"[-+*=<>]|\\(?:cdot|times|sum|in)\b", left) else ""
    plain_ones = text_chains(f"{tidy(cell)} = 0")
    return plain_ones[0].left if len(plain_ones) == 1 and plain_ones[0].left and not plain_ones[0].stated else ""


def _is_formula(cell: str) -> bool:
    """True for maths that is no shape and no sentence."""
    body = _bare(cell)
    if r"\mathbb" in body or not re.search(r"[\d(*+/^]|\\", body):
        return False
    return bool(MATHS.match(cell)) or not prose_in(tidy(body))
