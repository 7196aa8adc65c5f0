"""What a process of the pool does: read a worksheet, derive its gradients, judge one answer; or judge a page of worked lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from symnet.batch.items import Item, Outcome, Source
from symnet.batch.worker import reached
from symnet.checking.progress import Way
from symnet.checking.reading import read_answer
from symnet.checking.worksheet_answers import Result
from symnet.core.derivation import Derivation
from symnet.core.index_letters import Labels, extend, relabel
from symnet.core.latex import definition_latex, latex
from symnet.core.page_verdict import Errata, Judged, Mark
from symnet.core.verdict import Answer
from symnet.errors import SymnetError, WorksheetError
from symnet.parsing.worksheet import Worksheet, parse_worksheet
from symnet.worksheet_loader import Judge, judge_of, page_errata

OPENING = 6.0  # times the limit of one answer that the gradients of a worksheet may take
# a page, the worksheet it is judged by unless it has its own, and the lines that are left out
Page = tuple[Source, Source | Worksheet, Mapping[int, str]]
MARKS = {Mark.RIGHT: "proved", Mark.WRONG: "refuted", Mark.UNDECIDED: "undecided"}
CARRIED = "follows from an earlier line"


def read_source(source: Source) -> tuple[Item, ...]:
    """The answers of a worksheet. Raises WorksheetError when there are none."""
    sheet = _sheet(source.text, source.name)
    if not sheet.answers:
        raise WorksheetError(source.name, "no [[answers]]", "answers to check")
    only = sheet.wrt[0] if len(sheet.wrt) == 1 else ""
    return tuple(Item(source, k, a["id"], "" if sheet.simplify else a.get("wrt", only), sheet.title)
                 for k, a in enumerate(sheet.answers))


def open_source(source: Source) -> None:
    """Derive what the worksheet asks for and keep it for its answers. Raises SymnetError when the file is unusable.

    An answer that asks for the gradient of a name that is not there spoils only itself: the sheet is tried without it.
    """
    reached(times=OPENING)
    try:
        _judge(source.text, source.name)
    except SymnetError:
        sheet = _sheet(source.text, source.name)
        plain = {k: v for k, v in sheet.answers[0].items() if k != "wrt"}
        if all("wrt" not in a for a in sheet.answers):
            raise
        judge_of(replace(sheet, answers=(plain,)), source.name)


def judge_item(item: Item) -> Outcome:
    """One answer judged. Raises SymnetError when it asks for something that is not there."""
    text, name = item.source.text, item.source.name
    answer = _sheet(text, name).answers[item.number]
    reached(times=OPENING)  # in a new process the gradients are derived again
    try:
        derivation, judge = _judge(text, name)
    except SymnetError:
        derivation, judge = judge_of(replace(_sheet(text, name), answers=(answer,)), name)
    reached()
    found = outcome(judge(answer, lambda first: reached(outcome(first, item))), item)
    if found.verdict != Answer.REFUTED or not item.wrt:
        return found
    reached(found)
    read, right = _formulas(answer, derivation, item.wrt)
    return replace(found, read=read, right=right)


def _formulas(answer: Mapping[str, str], derivation: Derivation, wrt: str) -> tuple[str, str]:
    """The answer as it was read and the right one, in LaTeX."""
    try:
        value = read_answer(answer.get("latex", answer.get("text", "")), derivation, wrt, latex="latex" in answer)
        labels = Labels.of(derivation.program)
        scope = extend({}, [(i, *axis.range) for i, axis in zip(value.indices, value.axes, strict=True)], labels)
        tensors = derivation.full.tensors
        return latex(relabel(value.expr, scope, labels), tensors), _right(derivation, wrt)
    except SymnetError:
        return "", ""


def _right(derivation: Derivation, wrt: str) -> str:
    """The gradient in LaTeX; a number's in the names of the forward pass, an array's as the derivation has it."""
    made = derivation.gradients[wrt].definitions
    if len(made) != 1:
        return ""
    (line,) = made
    if not any(t.axes for t in derivation.full.tensors.values()):
        forward = derivation.program.by_name
        for d in reversed(derivation.full.definitions):
            if d.name not in forward:
                line = replace(line, expr=line.expr.xreplace({d.entry: d.expr}))
    return definition_latex(line, derivation.full.tensors)


def outcome(result: Result, item: Item) -> Outcome:
    """The contract's fields of a result, flat."""
    verdict, slip = result.verdict, result.mistake
    w = verdict.witness
    return Outcome(
        file=item.source.name, id=result.id, wrt=item.wrt, verdict=verdict.answer.value, condition=verdict.condition,
        witness=None if w is None else (w.point, w.left, w.right), kind=slip.kind if slip else "", slip=slip.message if slip else "",
        message=str(verdict), read_as=result.read_as, title=item.title, result=result)


def judge_lines(whole: Page) -> Errata:
    """A page judged line by line; each has the limit to itself. Raises SymnetError for a bad worksheet."""
    page, against, lost = whole
    reached(times=OPENING)
    sheet = _sheet(against.text, against.name) if isinstance(against, Source) else against
    return page_errata(page.text, sheet, page.name, Way(reached, lost))


def page_outcomes(found: Errata, page: Source) -> tuple[Outcome, ...]:
    """Every claim of a judged page."""
    claims = tuple(_claim(j, page.name) for j in found.judged if j.mark in MARKS)
    return claims or (Outcome(page.name, message="undecided (no line claims anything)"),)


def _claim(judged: Judged, file: str) -> Outcome:
    verdict, wrong = MARKS[judged.mark], judged.mark is Mark.WRONG
    why = judged.remarks if judged.mark is Mark.UNDECIDED else f"{judged.printed}; it is {judged.correct}" if judged.correct else ""
    kind = CARRIED if judged.carried else judged.kind
    return Outcome(file, f"line {judged.line}", judged.name, verdict, kind=kind if wrong else "", slip=judged.remarks if wrong else "",
                   message=f"{verdict} ({why})" if why else verdict, read_as=judged.printed)


@lru_cache(maxsize=8)
def _sheet(text: str, name: str) -> Worksheet:
    return parse_worksheet(text, name)


@lru_cache(maxsize=8)
def _judge(text: str, name: str) -> tuple[Derivation, Judge]:
    return judge_of(_sheet(text, name), name)
