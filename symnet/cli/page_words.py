"""What the terminal and the JSON say of a judged page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from symnet.core.page_verdict import Errata, Judged, Mark
from symnet.core.sentences import capitalised

WIDE = 108
SIGNS = {Mark.RIGHT: "✓", Mark.WRONG: "✗", Mark.UNDECIDED: "?", Mark.PUT_IN: "✓", Mark.GIVEN: "·"}


def page_text(found: Errata) -> Iterator[str]:
    """Line by line: the line, what is to be said of its links, and at the end the first wrong line and the count."""
    wide = max([len(str(j.line)) for j in found.judged], default=1)
    for group in found.lines:
        yield f"{_sign(group)} line {group[0].line:>{wide}}: {_shown(group)}"
        yield from (" " * (wide + 9) + said for said in dict.fromkeys(filter(None, map(_said, group))))
    yield ""
    yield from _first(found)
    yield counted(found)


def _sign(group: tuple[Judged, ...]) -> str:
    wrong = [j for j in group if j.mark is Mark.WRONG]
    if wrong:
        return "↪" if all(j.carried for j in wrong) else "✗"
    marks = {j.mark for j in group}
    return SIGNS[next(m for m in (Mark.UNDECIDED, Mark.RIGHT, Mark.PUT_IN, Mark.GIVEN) if m in marks)]


def _shown(group: tuple[Judged, ...]) -> str:
    """The line as it stands; of a long sentence, what it claims."""
    text = group[0].text
    if len(text) <= WIDE or any(len(j.printed) > WIDE for j in group):
        return text if len(text) <= 2 * WIDE else text[: 2 * WIDE - 1] + "…"
    claims = list(dict.fromkeys(f"{j.name} {j.relation} {j.printed}" for j in group))
    return f"{text[:40].rstrip()} … " + ", ".join(claims)


def _said(j: Judged) -> str:
    """What there is to say of one link; "" for nothing."""
    link = f"{j.relation} {j.printed}"
    link = link if len(link) <= WIDE else link[: WIDE - 1] + "…"
    if j.mark is Mark.UNDECIDED:
        return f"{link}: undecided: {j.slip}"
    if j.mark is Mark.WRONG:
        exact = f"it is {_exact(j)}" if j.correct or j.value else ""
        if j.carried:
            return "; ".join(filter(None, (f"{link} {j.slip}", exact, j.note)))
        return f"{link} is wrong: " + "; ".join(filter(None, (exact, j.slip, j.note)))
    return f"{link}: {j.note}" if j.note not in ("", "for all sizes") else ""


def _exact(j: Judged) -> str:
    return f"{j.correct} ({j.value})" if j.correct and j.value not in ("", j.correct) else j.correct or j.value


def _first(found: Errata) -> Iterator[str]:
    first = found.first_wrong
    if first is None:
        return
    exact = f", it is {_exact(first)}" if first.correct or first.value else ""
    early = "No line is wrong in itself, only rounded too early; the first that is off is line"
    start = "The first wrong line is line" if found.errors else early
    yield f"{start} {first.line}: {first.name} {first.relation} {first.printed}{exact}."
    if first.slip:
        yield f"  {capitalised(first.slip)}."


def counted(found: Errata) -> str:
    """The summary in one line."""
    marks = [j.mark for j in found.judged]
    carried = len(found.carried)
    own = len(found.errors)
    follow = f" ({own} in {'itself' if own == 1 else 'themselves'}, {carried} that follow{'s' if carried == 1 else ''})" if carried else ""
    wrong = f"{len(found.wrong)} wrong{follow}"
    parts = [f"{len(found.right)} right", wrong, f"{len(found.undecided)} undecided"]
    parts += [f"{marks.count(Mark.PUT_IN)} with numbers put in"] if Mark.PUT_IN in marks else []
    parts += [f"{marks.count(Mark.GIVEN)} given"] if Mark.GIVEN in marks else []
    return f"{_count(len(found.judged), 'claim')}: " + ", ".join(parts) + f"; {_count(found.skipped, 'line')} of prose passed over"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def page_json(found: Errata, version: str) -> dict[str, Any]:
    """All that is known of a page, in the shape of the contract with the links of every line."""
    first = found.first_wrong
    marks = [j.mark for j in found.judged]
    return {
        "version": version,
        "results": [_line(group) for group in found.lines],
        "first_wrong": None if first is None else {"line": first.line, "name": first.name, "text": first.printed, "correct": first.correct,
                                                   "value": first.value, "slip": first.slip},
        "summary": {"claims": len(marks), **{m.name.lower(): marks.count(m) for m in Mark}, "new_errors": len(found.errors),
                    "carried": len(found.carried)},
        "skipped": found.skipped,
    }


def _line(group: tuple[Judged, ...]) -> dict[str, Any]:
    marks = {j.mark for j in group}
    verdict = "refuted" if Mark.WRONG in marks else "undecided" if Mark.UNDECIDED in marks else "proved" if Mark.RIGHT in marks else \
        group[0].mark.value  # a line that only sets something, or only puts numbers in, claims nothing that could be proved
    only = " and ".join(dict.fromkeys(j.condition for j in group if j.condition))
    verdict = "conditional" if verdict == "proved" and only else verdict
    slip = next((j for j in group if j.mark is Mark.WRONG and j.slip), None)
    said = [s for s in map(_said, group) if s]
    return {
        "id": f"line {group[0].line}", "line": group[0].line, "text": group[0].text, "section": group[0].section, "name": group[0].name,
        "verdict": verdict, "condition": only, "witness": None,
        "mistake": None if slip is None else {"kind": slip.kind, "message": slip.slip, "hint": slip.hint},
        "message": "; ".join([verdict, *said]), "read_as": "",
        "links": [_link(j) for j in group],
    }


def _link(j: Judged) -> dict[str, Any]:
    return {"name": j.name, "relation": j.relation, "text": j.printed, "mark": j.mark.value, "follows": j.follows.value,
            "from_line": j.from_line, "carried": j.carried, "correct": j.correct, "value": j.value, "slip": j.slip, "kind": j.kind,
            "note": j.note, "sources": [{"name": s.name, "text": s.printed, "line": s.line, "wrong": s.wrong} for s in j.sources]}
