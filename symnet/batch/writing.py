"""A summary as text, JSON or CSV. User text is shown on one line, without control characters, and never as a spreadsheet formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from symnet.batch.items import Outcome
from symnet.batch.summary import RIGHT, WORDS, Summary, table
from symnet.core.verdict import Answer
from symnet.errors import one_line

COLUMNS = ("file", "id", "wrt", "verdict", "condition", "mistake", "message", "read_as", "seconds")
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
EXAMPLES = 3
LONG, CELL = 200, 24  # characters of a line of text, and of a cell of its table


def write_json(found: Summary, version: str) -> str:
    """The contract's results, each with its file, and the counts."""
    data = {
        "version": version, "results": [_result(o) for o in found.answers],
        "unusable": [{"file": o.file, "message": o.message} for o in found.unusable],
        "summary": {
            "files": len(found.files), "answers": len(found.answers), "right": found.right, "wrong": found.wrong,
            "undecided": found.undecided, "verdicts": found.counts,
            "problems": [{"id": p.id, "right": p.right, "wrong": p.wrong, "undecided": p.undecided} for p in found.problems],
            "slips": [{"kind": s.kind, "count": s.count, "examples": [{"file": o.file, "id": o.id} for o in s.answers[:EXAMPLES]]}
                      for s in found.slips]}}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _result(o: Outcome) -> dict[str, Any]:
    witness = None if o.witness is None else {"point": dict(o.witness[0]), "answer": o.witness[1], "correct": o.witness[2]}
    slip = {"kind": o.kind, "message": o.slip} if o.kind or o.slip else None
    return {"file": o.file, "id": o.id, "wrt": o.wrt, "verdict": o.verdict, "condition": o.condition, "witness": witness,
            "mistake": slip, "message": o.message, "read_as": o.read_as, "seconds": round(o.seconds, 3)}


def write_csv(found: Summary) -> str:
    """One row for each answer, and one for each unusable file. A cell that a spreadsheet would compute starts with an apostrophe.

    ``message`` is the slip where one was found, else the verdict with its reason.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for o in found.outcomes:
        cells = (o.file, o.id, o.wrt, o.verdict, o.condition, o.kind, o.slip or o.message, o.read_as)
        writer.writerow([*map(_cell, cells), f"{o.seconds:.3f}"])
    return out.getvalue()


def _cell(text: str) -> str:
    """Text that a spreadsheet shows and does not compute."""
    shown = one_line(text, 2000)
    return f"'{shown}" if shown.startswith(STARTS_A_FORMULA) else shown


def write_text(found: Summary) -> str:
    """A table of verdicts, the slips, what was wrong or undecided, and the sum."""
    return "\n".join(line.rstrip() for line in _text(found)).lstrip("\n") + "\n"


def _text(found: Summary) -> Iterator[str]:
    grid = table(found)
    if grid is not None:
        ids, rows = grid
        yield from _columns([["", *ids], *[[file, *[" + ".join(map(_word, cell)) or "-" for cell in row]] for file, row in rows]])
    else:
        for file in found.files:
            said = (f"{_short(o.id) or 'all'} {WORDS[o.verdict]}" for o in found.answers if o.file == file)
            yield f"{file}: {one_line(', '.join(said), 2000)}"
    if len(found.files) > 1 and len(found.problems) > 1 and grid is not None:
        yield from ["", *_columns([["", "right", "wrong", "undecided"],
                                   *[[p.id, str(p.right), str(p.wrong), str(p.undecided)] for p in found.problems]])]
    yield from _part("commonest slips", [f"{s.count} x {s.kind}: {_example(s.answers[0])}" for s in found.slips])
    for title, verdicts in (("wrong", (Answer.REFUTED,)), ("undecided", (Answer.UNDECIDED,)), ("right, but", RIGHT[1:])):
        yield from _part(title, [line for o in found.answers if o.verdict in verdicts for line in _detail(o)])
    yield from _part("unusable", [o.message for o in found.unusable])
    yield from ["", str(found)]


def _word(verdict: str) -> str:
    """One word for a cell: a condition is told below."""
    return WORDS[verdict].replace(",", " ").split()[0]


def _part(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from ["", f"{title}:", *[f"  {one_line(x, LONG) if not x.startswith(' ') else '    ' + one_line(x, LONG)}" for x in lines]]


def _example(o: Outcome) -> str:
    return f"{o.slip} ({o.file} {o.id})" if o.slip else f"{o.file} {o.id}"


def _detail(o: Outcome) -> Iterator[str]:
    """The lines about one answer; those that start with a space belong to the first."""
    yield f"{o.file} {o.about}: {o.slip or o.why}"
    if o.slip and o.why:
        yield f" {o.why}"
    if o.read_as:
        yield f" read as {o.read_as}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows under one another; the first cell of each is kept whole."""
    shown = [[one_line(row[0], 60), *[_short(c) for c in row[1:]]] for row in rows]
    widths = [max(len(row[k]) for row in shown) for k in range(len(shown[0]))]
    for row in shown:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _short(text: str) -> str:
    return one_line(text, CELL)
