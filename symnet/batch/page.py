"""A summary -> the data of a class report."""

from __future__ import annotations

import os
from collections.abc import Iterator

from symnet.batch.items import Outcome, Witness
from symnet.batch.summary import RIGHT, Slip, Summary, table
from symnet.core.verdict import Answer
from symnet.errors import one_line
from symnet.reports.class_report import Cell, ClassReport, Detail, Example, Mark, Row, SlipView, Tally, class_report

MARKS = {Answer.PROVED.value: Mark.RIGHT, Answer.ALMOST_EVERYWHERE.value: Mark.NOTE, Answer.CONDITIONAL.value: Mark.NOTE,
         Answer.REFUTED.value: Mark.WRONG, Answer.UNDECIDED.value: Mark.UNDECIDED}
LEGEND = "Right is what was proved, wrong what was refuted; what could be neither is undecided, with the reason."
MOST_SENTENCES, MOST_LINKS = 5, 8  # shown for one kind of slip


def write_html(found: Summary) -> str:
    """The class report as a page."""
    return class_report(report_of(found))


def report_of(found: Summary) -> ClassReport:
    """The class report as data."""
    from symnet import __version__

    anchors = {id(o): f"a{k}" for k, o in enumerate(found.answers, 1) if o.verdict != Answer.PROVED}
    names = _names(found.files)
    titles = {o.title for o in found.answers}
    title = one_line(titles.pop(), 120) if len(titles) == 1 else ""
    return ClassReport(
        title=title or "Class report", lead=str(found), total=Tally("", found.right, found.wrong, found.undecided),
        files=len(found.files), head=_head(found), rows=tuple(_rows(found, names, anchors)),
        problems=tuple(Tally(_short(p.id), p.right, p.wrong, p.undecided) for p in found.problems) if _head(found) else (),
        slips=tuple(SlipView(_short(s.kind), s.count, tuple(_examples(s, names, anchors))) for s in found.slips),
        details=tuple(_details(found, names, anchors)), unusable=tuple((o.file, one_line(o.message, 600)) for o in found.unusable),
        footer=f"Made by symnet {__version__}. {LEGEND}")


def _head(found: Summary) -> tuple[str, ...]:
    grid = table(found)
    return () if grid is None else tuple(map(_short, grid[0]))


def _rows(found: Summary, names: dict[str, str], anchors: dict[int, str]) -> Iterator[Row]:
    columns = [p.id for p in found.problems] if _head(found) else None
    for file in found.files:
        those = [o for o in found.answers if o.file == file]
        cells = [Cell(_short(o.id), MARKS[o.verdict], anchors.get(id(o), "")) for o in those]
        right = sum(o.verdict in RIGHT for o in those)
        lists = [tuple(cells)] if columns is None else [tuple(c for c, o in zip(cells, those, strict=True) if o.id == i) for i in columns]
        yield Row(names[file], tuple(lists), right, len(those))


def _examples(slip: Slip, names: dict[str, str], anchors: dict[int, str]) -> Iterator[Example]:
    """What was said about the answers, each sentence once, with the answers it was said about."""
    said: dict[str, list[Outcome]] = {}
    for o in slip.answers:
        said.setdefault(one_line(o.slip, 400), []).append(o)
    for text in sorted(said, key=lambda t: -len(said[t]))[:MOST_SENTENCES]:
        links = tuple((f"{names[o.file]}, {_short(o.about)}", anchors[id(o)]) for o in said[text][:MOST_LINKS])
        yield Example(text, links, len(said[text]) - len(links))


def _details(found: Summary, names: dict[str, str], anchors: dict[int, str]) -> Iterator[tuple[str, tuple[Detail, ...]]]:
    for file in found.files:
        those = tuple(_detail(o, anchors[id(o)]) for o in found.answers if o.file == file and id(o) in anchors)
        if those:
            yield names[file], those


def _detail(o: Outcome, anchor: str) -> Detail:
    said = [("slip", o.slip), ("condition", o.condition if MARKS[o.verdict] is Mark.NOTE else ""),
            ("because", "" if o.witness or MARKS[o.verdict] is Mark.NOTE else o.why)]
    return Detail(anchor, _short(o.about) or "all answers", MARKS[o.verdict],
                  tuple((label, one_line(text, 400)) for label, text in said if text), one_line(o.read_as, 1000), o.read, o.right,
                  _short(o.condition) if o.witness else "", _witness(o.witness))


def _witness(witness: Witness | None) -> Witness | None:
    if witness is None:
        return None
    point, left, right = witness
    return tuple((_short(name), _short(value)) for name, value in point), _short(left), _short(right)


def _short(text: str) -> str:
    return one_line(text, 60)


def _names(files: tuple[str, ...]) -> dict[str, str]:
    """Each file without the folder that all have in common, and without the ending that all have in common."""
    folder = os.path.commonpath([os.path.dirname(f) for f in files]) if files and len({os.path.isabs(f) for f in files}) == 1 else ""
    short = {f: os.path.relpath(f, folder) if folder else f for f in files}
    same = len({os.path.splitext(f)[1] for f in files}) == 1
    return {f: one_line(os.path.splitext(s)[0] if same else s, 200) for f, s in short.items()}
