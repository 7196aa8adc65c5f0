"""What symnet says, as rows of short strings: one row for each thing judged, one field for each thing said of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from symnet.core.derivation import Derivation
from symnet.core.page_verdict import Errata
from symnet.core.verdict import Verdict
from symnet.errors import SymnetError

Row = dict[str, str]
WIDTH = 160  # what is longer keeps its beginning and a fingerprint of the whole


def row(**fields: Any) -> Row:
    """The fields that say something."""
    return {name: cut(str(value)) for name, value in fields.items() if value not in ("", None, False, (), {})}


def cut(text: str) -> str:
    """A long text as its beginning and its fingerprint."""
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}… {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def of_error(error: SymnetError) -> list[Row]:
    """A refusal."""
    return [row(error=type(error).__name__, message=error)]


def of_verdict(v: Verdict, mistake: Any = None, **more: Any) -> list[Row]:
    """A verdict, with the slip that was found."""
    return [row(**more, verdict=v.answer.value, scope=v.scope, condition=v.condition, reason=v.reason, method=v.method, witness=v.witness,
                **of_mistake(mistake))]


def of_mistake(mistake: Any) -> dict[str, str]:
    """Kind and words of a slip."""
    return {} if mistake is None else {"kind": str(mistake.kind), "message": str(mistake.message)}


def of_code(found: Any) -> list[Row]:
    """A function, value by value, and what is said of it as a whole."""
    whole = found.as_json()
    rows = [row(**{name: result[name] for name in ("id", "verdict", "scope", "condition", "entry", "message")},
                kind=(result["mistake"] or {}).get("kind", "")) for result in whole["results"]]
    return [*rows, row(id="(whole)", **{name: ", ".join(whole[name]) for name in ("missing", "unread", "notes")})]


def of_page(found: Errata) -> list[Row]:
    """A page, claim by claim."""
    rows = [row(id=f"line {j.line}", name=j.name, printed=j.printed, verdict=j.mark.value, correct=j.correct, value=j.value, message=j.slip,
                kind=j.kind, condition=getattr(j, "condition", ""), note=j.note, carried=j.carried, follows=j.follows.value, from_line=j.from_line,
                sources=", ".join(map(str, j.sources))) for j in found.judged]
    return [*rows, row(id="(whole)", skipped=found.skipped)]


def of_derivation(d: Derivation) -> list[Row]:
    """The gradients as strings."""
    return [row(id=name, gradient=d.gradients[name]) for name in d.wrt]


def of_json(results: list[Mapping[str, Any]], **more: Any) -> list[Row]:
    """Results as the command line prints them."""
    return [row(**{name: value for name, value in result.items() if not isinstance(value, (dict, list))},
                **{name: value for name, value in result.items() if isinstance(value, list)},
                **(of_json_parts(result)), **more) for result in results]


def of_json_parts(result: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a result that have fields of their own."""
    return {f"{name}.{inner}": str(value) for name, part in result.items() if isinstance(part, dict) for inner, value in part.items()}
