r"""A Markdown or text page -> numbered pieces: headings, text, display maths and tables. Fenced code is passed over.

A fence without a language, or called text, math, latex or tex, is read as lines; any other fence is code. The first ```toml fence is
the page's own worksheet (``split_worksheet``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

FENCE = re.compile(r"\s{0,3}(```+|~~~+)\s*([\w+.-]*)")
READ = frozenset({"", "text", "txt", "math", "maths", "latex", "tex", "plain", "markdown", "md"})
MATHS = frozenset({"math", "maths", "latex", "tex"})
OPENING = re.compile(r"\$\$|\\\[|\\begin\{(?:align|aligned|equation|gather|gathered|eqnarray|multline|split)\*?\}")
CLOSING = re.compile(r"\$\$|\\\]|\\end\{(?:align|equation|gather|eqnarray|multline)\*?\}")
NOISE = re.compile(r"\$\$|\\\[(?!\d)|\\\]|\\(?:begin|end)\{(?:align|aligned|equation|gather|gathered|eqnarray|multline|split)\*?\}"
                   r"|(?<!\\)&|\\(?:label|tag)\*?\{[^{}]*\}|\\(?:nonumber|notag)\b")
COLUMNS = re.compile(r"\s*-{2,}(?:\s{2,}-{2,})+\s*\Z")
INSIDE = r"\{(?:[pbBvV]?matrix|smallmatrix|array|cases)\}"
INNER = re.compile(rf"\\begin{INSIDE}.*?\\end{INSIDE}", re.S)
INNER_BEGIN, INNER_END = re.compile(rf"\\begin{INSIDE}"), re.compile(rf"\\end{INSIDE}")
INNER_BACK = {1: "\\\\", 2: "&"}
ROW = re.compile(r"\\\\(?:\s*\[[^\]]*\])?")


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a page. ``kind``: heading, text, maths (LaTeX without its dollars), table or code."""

    number: int
    text: str
    kind: str


def split_worksheet(page: str) -> tuple[str, str]:
    """The text of the first ```toml fence, "" when there is none, and the page with that fence blanked: line numbers stay.

    >>> split_worksheet("# Mine\\n```toml\\ntitle = 'T'\\n```\\nz = 1")
    ("title = 'T'", '# Mine\\n\\n\\n\\nz = 1')
    """
    lines = page.splitlines()
    start = next((k for k, t in enumerate(lines) if (m := FENCE.match(t)) and m[2].lower() == "toml"), None)
    if start is None:
        return "", page
    mark = FENCE.match(lines[start])[1]  # type: ignore[index]
    end = next((k for k in range(start + 1, len(lines)) if lines[k].strip() == mark), len(lines))
    inner = "\n".join(lines[start + 1:end])
    return inner, "\n".join([*lines[:start], *[""] * (min(end + 1, len(lines)) - start), *lines[end + 1:]])


def pieces(page: str) -> Iterator[Piece]:
    """The pieces of a page in order, empty lines left out.

    >>> [(p.number, p.kind) for p in pieces("# One\\nz = 1\\n```python\\nz = 2\\n```\\n$$\\na &= b \\\\\\\\\\n&= c\\n$$")]
    [(1, 'heading'), (2, 'text'), (4, 'code'), (7, 'maths'), (8, 'maths')]
    """
    numbered = iter(enumerate(_with_bars(page.splitlines()), start=1))
    mark, language = "", ""
    for number, raw in numbered:
        fence = FENCE.match(raw)
        if mark:
            if fence and raw.strip() == mark:
                mark = ""
            elif raw.strip():
                yield from _fenced(number, raw.strip(), language)
            continue
        if fence:
            mark, language = fence[1], fence[2].lower()
            continue
        text = raw.strip()
        opened = OPENING.match(re.sub(r"^(?:>|[-*+]\s|\d+[.)]\s)\s*", "", text))
        if opened:
            yield from _display(_block(number, text, numbered))
        elif text:
            bar = text.startswith("| ") and text.count("|") == 1 and not text.endswith("|")  # a remark in symnet's own text
            yield Piece(number, text[2:] if bar else text, "text" if bar else _kind(text))


def _with_bars(lines: list[str]) -> list[str]:
    """Tables that are set with spaces, under a rule of dashes for each column, as tables with bars."""
    made, k = list(lines), 1
    while k < len(lines):
        if not COLUMNS.match(lines[k]) or not lines[k - 1].strip():
            k += 1
            continue
        starts = [m.start() for m in re.finditer(r"-+", lines[k])]
        last = next((n for n in range(k, len(lines)) if not lines[n].strip()), len(lines))
        for n in range(k - 1, last):
            cells = [lines[n][a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)]
            made[n] = "| " + " | ".join(cells) + " |"
        k = last + 1
    return made


def _fenced(number: int, text: str, language: str) -> Iterator[Piece]:
    if language not in READ:
        yield Piece(number, text, "code")
    elif language in MATHS:
        yield from _display([(number, text)])
    else:
        yield Piece(number, text, "text")


def _kind(text: str) -> str:
    if re.match(r"#{1,6}\s", text) or (text.startswith("#") and text.strip("#")[:1].isalpha()):
        return "heading"
    bare = re.sub(r"\$[^$]*\$|`[^`]*`", "", text)
    return "table" if "|" in bare and "||" not in bare else "text"


def _block(number: int, text: str, rest: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """The lines of a display, up to its end: of an environment that stands alone, up to the end of that."""
    found = [(number, text)]
    opened = OPENING.search(text)
    tail = text[opened.end():] if opened else ""
    closing = re.compile(re.escape(opened[0].replace("begin", "end", 1))) if opened and opened[0].startswith("\\begin") else CLOSING
    if closing.search(tail):
        return found
    for at, raw in rest:
        found.append((at, raw.strip()))
        if closing.search(raw) or not raw.strip():
            break
    return found


def _closed(block: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines of a display, those of one matrix together."""
    held: tuple[int, str] | None = None
    for number, text in block:
        held = (number, text) if held is None else (held[0], f"{held[1]} {text}")
        if len(INNER_BEGIN.findall(held[1])) <= len(INNER_END.findall(held[1])):
            yield held
            held = None
    if held is not None:
        yield held


def _kept(text: str) -> str:
    """A display whose matrices and cases keep their signs for the next row and the next entry."""
    return INNER.sub(lambda m: m[0].replace("\\\\", "\x01").replace("&", "\x02"), text)


def _display(block: list[tuple[int, str]]) -> Iterator[Piece]:
    r"""The rows of a display: \\ ends one, and a line that starts or ends with = goes on with the one before."""
    row, at = "", 0
    for number, text in _closed(block):
        parts = [p.translate(INNER_BACK) for p in ROW.split(NOISE.sub(" ", _kept(text)))]
        for k, part in enumerate(parts):
            if part.strip() and not row.strip():
                at = number
            row += " " + part
            if k < len(parts) - 1 and row.strip():
                yield Piece(at, " ".join(row.split()), "maths")
                row = ""
    if row.strip():
        yield Piece(at, " ".join(row.split()), "maths")
