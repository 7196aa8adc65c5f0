"""A claim, decided, as a report: what is claimed, under what conditions, each line of the proof or the counterexample, and what is nearly
the same and wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from symnet.core.claim import Proved, Refutation, Statement
from symnet.core.sentences import capitalised
from symnet.core.tensors import Tensor
from symnet.core.verdict import Verdict
from symnet.reports.claims import proof_lines, statement_formula
from symnet.reports.document import Block, Formula, Level, Rich, Section, Story, Table
from symnet.reports.values import number_latex


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A claim that is nearly the same, what was found of it, and what the difference is."""

    text: str
    found: Refutation
    why: str


@dataclass(frozen=True)
class ProofCase:
    """All that a report about a claim shows. ``points`` are places with the values of both sides there, as decimals."""

    title: str
    found: Proved | Refutation | Verdict
    level: Level
    statements: tuple[Statement, ...] = ()
    conditions: tuple[str, ...] = ()
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    words: str = ""
    written: str = ""
    lines: tuple[str, ...] = ()
    source: str = ""
    near: tuple[Neighbour, ...] = ()
    points: tuple[tuple[str, str, str], ...] = ()
    reading: Callable[[], dict[str, object]] = dict
    footer: str = ""


def proof_story(case: ProofCase) -> Story:
    """The report."""
    sections = [_claim(case), _found(case), _points(case), _near(case)]
    verdict = "Proved" if isinstance(case.found, Proved) else "Refuted" if isinstance(case.found, Refutation) else "Undecided"
    return Story(case.title, case.level, (f"{verdict}.",), tuple(s for s in sections if s is not None), case.footer, case.reading)


def _claim(case: ProofCase) -> Section:
    blocks: list[Block] = [(statement_formula(s, case.tensors),) for s in case.statements]
    arrays = any(t.axes for t in case.tensors.values())
    said = f"For all real values of the names{' in their domains' if case.conditions else ''}{', and all sizes' if arrays else ''}."
    blocks += [(said,)] if case.statements else []
    blocks += [(f"Written: {case.written}",)] if case.written else []
    blocks += [(f"With {'; '.join(case.lines)}.",)] if case.lines else []
    blocks += [("Conditions: " + "; ".join(case.conditions) + ".",)] if case.conditions else []
    blocks += [(case.words,)] if case.words and case.level is not Level.EXPERT else []
    blocks += [(f"Source: {case.source}.",)] if case.source else []
    return Section("claim", "The claim", (capitalised(case.title).rstrip(".") + ".",), tuple(blocks))


def _found(case: ProofCase) -> Section:
    found = case.found
    if isinstance(found, Proved):
        lines = proof_lines(found, case.level)
        end: Rich = ("The proof was made again from its first line by the kernel, and it checks." if found.check() else
                     "The proof does NOT check.",)
        return Section("proof", "The proof", ("Each line follows from the lines it names, by the rule it names.",), (*lines, end))
    if isinstance(found, Refutation):
        return Section("counterexample", "A counterexample", (), tuple(counterexample(found)))
    return Section("undecided", "Undecided", (capitalised(found.reason) + ".",))


def counterexample(found: Refutation) -> list[Block]:
    """The case and both sides as a small worked example."""
    left, right = found.reached
    rows: list[tuple[Rich, ...]] = [((name,), (value,)) for name, value in found.case]
    rows += [(("left side",), (left,)), (("right side",), (right,))]
    blocks: list[Block] = [Table(("", "value"), tuple(rows))]
    return [*blocks, (capitalised(found.why).rstrip(".") + ".",)] if found.why else blocks


def _points(case: ProofCase) -> Section | None:
    if not case.points or case.level is Level.EXPERT:
        return None
    rows = tuple(((where,), _decimal(a), _decimal(b)) for where, a, b in case.points)
    return Section("numbers", "In numbers", ("Both sides at some points; the proof does not rest on them.",),
                   (Table(("at", "left side", "right side"), rows),))


def _decimal(text: str) -> Rich:
    return (Formula(number_latex(text), text),)


def _near(case: ProofCase) -> Section | None:
    if not case.near:
        return None
    blocks: list[Block] = []
    for n in case.near:
        blocks += [(f"Not so: {n.text}. {capitalised(n.why)}.",), *counterexample(n.found)]
    return Section("near", "Nearly the same, and wrong", (), tuple(blocks))


def index_story(title: str, topics: Mapping[str, Sequence[tuple[str, str, str]]], footer: str = "") -> Story:
    """All theorems: by topic, the name, the statement in words and the claim in symbols."""
    sections = tuple(Section(topic.lower().replace(" ", "-").replace(",", ""), topic, (), (Table(("name", "theorem", "claim"), tuple(
        ((name,), (said,), (claim,)) for name, said, claim in rows), (1.2, 2.6, 2.6)),)) for topic, rows in topics.items())
    count = sum(map(len, topics.values()))
    return Story(title, Level.STUDENT, (f"{count} theorems, each proved by symnet prove NAME.",), sections, footer,
                 lambda: {"theorems": [{"topic": t, "name": n, "title": s, "claim": c} for t, rows in topics.items() for n, s, c in rows]})
