"""A theorem or a claim of one's own as a report, and the index of all theorems."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sympy as sp

from symnet.core.claim import ClaimText, Proved, Refutation
from symnet.core.number_sets import numbers_of
from symnet.core.numbers import decimal
from symnet.core.text import text
from symnet.core.verdict import Verdict
from symnet.equality.points import points
from symnet.errors import SymnetError
from symnet.parsing.claims import read_claim
from symnet.proofs.conjectures import Conjecture, conditions_of
from symnet.proofs.counterexamples import certain
from symnet.reports.document import Level, Story
from symnet.reports.proof_story import Neighbour, ProofCase, index_story, proof_story
from symnet.reports.report import Report
from symnet.theorems.library import WITH_PROVERS, Theorem, library
from symnet.theorems.proving import conjecture_of, prove_text

OTHERS = "Loss scaling and starting weights"
SHOWN_POINTS = 3


def proof_report(found: Proved | Refutation | Verdict, asked: ClaimText | None, level: str = "student") -> Report:
    """The report of what was found of a claim; ``asked`` is the claim as it was written, None for those with provers of their own."""
    from symnet import __version__

    theorem = library().get(asked.theorem) if asked is not None and asked.theorem else None
    what = None if asked is None else _read(asked)
    title = theorem.title if theorem else asked.text if asked is not None else _title(found)
    conditions = conditions_of(what) if what is not None else getattr(getattr(found, "claim", None), "conditions", ())
    tensors = found.tensors if isinstance(found, Proved) else {}
    case = ProofCase(
        title, found, Level(level), () if what is None else what.conclusions, tuple(conditions), tensors, near=_near(theorem),
        points=() if what is None else _points(what), reading=lambda: as_data(found), footer=f"Made by symnet {__version__}.")
    if theorem is not None:
        case = replace(case, words=theorem.words, written=theorem.claim.text, source=theorem.source)
    if asked is not None:
        case = replace(case, lines=asked.lines)
    return Report(proof_story(case))


def _title(found: Any) -> str:
    name = getattr(getattr(found, "claim", None), "name", "")
    return WITH_PROVERS.get(name, "A claim about training")


def _read(asked: ClaimText) -> Conjecture:
    read = read_claim(asked.text, {t.name: t for t in asked.tensors}, asked.given, asked.lines)
    return conjecture_of(read)


def _near(theorem: Theorem | None) -> tuple[Neighbour, ...]:
    found = [(n, prove_text(n.claim)) for n in (theorem.false if theorem else ())]
    return tuple(Neighbour(n.claim.text, f, n.why) for n, f in found if isinstance(f, Refutation))


def _points(what: Conjecture) -> tuple[tuple[str, str, str], ...]:
    """Some points with both sides of the first conclusion, where it is about numbers."""
    first = what.conclusions[0]
    if what.sequences or any(e.has(sp.Sum, sp.Indexed) for e in (first.left, first.right)):
        return ()
    free = sorted({s for h in (first, *what.hypotheses) for e in (h.left, h.right) for s in e.free_symbols}, key=str)
    found: list[tuple[str, str, str]] = []
    for at in itertools.islice(points(free, 12), 12) if free else ():
        if len(found) == SHOWN_POINTS:
            break
        if all(v in numbers_of(s) for s, v in at.items()) and all(certain(h.left, h.relation, h.right, at) for h in what.hypotheses):
            try:
                sides = [decimal(e.xreplace(at), 6).text for e in (first.left, first.right)]
            except (SymnetError, ZeroDivisionError):
                continue
            sides = sides[::-1] if what.turned and what.turned[0] else sides  # as it was written
            found.append((", ".join(f"{s} = {v}" for s, v in at.items()), sides[0], sides[1]))
    return tuple(found)


def as_data(found: Proved | Refutation | Verdict) -> dict[str, Any]:
    """What was found as plain data: the JSON contract of ``symnet prove``."""
    from symnet.reports.claims import line_formulas

    checked = isinstance(found, Proved) and found.check()
    state = "proved" if checked else "refuted" if isinstance(found, Refutation) else "undecided"
    lines = [] if not isinstance(found, Proved) or not checked else [
        {"number": line.number, "text": [f.text for f in line_formulas(line, found.tensors)],
         "latex": [f.latex for f in line_formulas(line, found.tensors)], "rule": line.rule, "uses": list(line.uses),
         "note": line.note,
         **({} if line.rest is None else {"difference": text(line.rest)})} for line in found.proof.lines]
    conditions = [] if isinstance(found, Verdict) else list(found.claim.conditions)
    return {"status": state, "message": str(found), "conditions": conditions, "checked": checked,
            "counterexample": _counterexample(found) if isinstance(found, Refutation) else None,
            "explanation": found.why if isinstance(found, Refutation) else getattr(found, "reason", ""), "lines": lines}


def _counterexample(found: Refutation) -> dict[str, Any]:
    """The case by name, and both values: a decimal, the exact fraction where it is short, and how they are told."""
    sides = zip(("left", "right"), (found.left, found.right), found.exact, found.reached, strict=True)
    values = {side: {"decimal": shown, "exact": exact or None, "text": told} for side, shown, exact, told in sides}
    return {"case": dict(found.case), **values}


def index() -> Story:
    """The index of all theorems."""
    from symnet import __version__

    topics: dict[str, list[tuple[str, str, str]]] = {OTHERS: [(n, t, "") for n, t in WITH_PROVERS.items()]}
    for theorem in library().values():
        topics.setdefault(theorem.topic, []).append((theorem.name, theorem.title, _shown(theorem.claim)))
    return index_story("Theorems", topics, f"Made by symnet {__version__}.")


def _shown(claim: ClaimText) -> str:
    return claim.text + (f", if {' and '.join(claim.given)}" if claim.given else "")


def names() -> Sequence[str]:
    """The names of all theorems."""
    return [*WITH_PROVERS, *library()]
