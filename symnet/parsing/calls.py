"""Calls as data: "Linear(d, 3)" or "L2Penalty(MSELoss(), 0.01)" taken apart; nothing is executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from symnet.core.numbers import rational
from symnet.errors import WorksheetError

CALL = re.compile(r"\s*([A-Za-z][A-Za-z0-9]{0,31})\s*\((.*)\)\s*\Z", re.DOTALL)
KEYWORD = re.compile(r"([A-Za-z_]{1,32})\s*=\s*(?!=)")
ATOM = re.compile(r"""(["']?)([A-Za-z][A-Za-z0-9_]{0,31}|-?\d{1,9}(?:\.\d{1,12})?(?:/\d{1,9}|e-?\d{1,3})?)\1\Z""")
ROW = re.compile(r"\((?P<round>.*)\)\Z|\[(?P<square>.*)\]\Z", re.DOTALL)
WORDS = {"True": True, "False": False, "true": True, "false": False, "None": None}
LONGEST, DEEPEST = 2000, 4


@dataclass(frozen=True, slots=True)
class Call:
    """``Linear(d, 3)`` as data: a name and arguments, each an integer, an exact number, a name, a truth value, None, a tuple or a Call."""

    name: str
    args: tuple[Any, ...]
    keywords: tuple[tuple[str, Any], ...] = ()


def call(text: str, where: str, depth: int = 0) -> Call:
    """Take "Linear(d, 3)" apart.

    >>> call("Linear(d, 3)", "layers")
    Call(name='Linear', args=('d', 3), keywords=())
    """
    match = CALL.match(text) if len(text) <= LONGEST else None
    if match is None or depth > DEEPEST:
        raise WorksheetError(where, repr(text[:80]), "a layer such as Linear(2, 3) or Sigmoid()")
    args: list[Any] = []
    keywords: list[tuple[str, Any]] = []
    for part in _parts(match[2], where) if match[2].strip() else ():
        key = KEYWORD.match(part)
        value = _value(part[key.end():] if key else part, where, depth)
        if key:
            keywords.append((key[1], value))
        else:
            args.append(value)
    return Call(match[1], tuple(args), tuple(keywords))


def _parts(text: str, where: str) -> Iterator[str]:
    """The arguments, cut at the commas outside all brackets."""
    depth, start = 0, 0
    for k, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if depth < 0:
            break
        if c == "," and depth == 0:
            yield text[start:k].strip()
            start = k + 1
    if depth != 0:
        raise WorksheetError(where, f"the arguments {text[:40]!r}", "every bracket closed")
    yield text[start:].strip()


def _value(part: str, where: str, depth: int) -> Any:
    row = ROW.match(part)
    if row is not None and depth <= DEEPEST:
        inner = row["square"] if row["round"] is None else row["round"]
        parts = list(_parts(inner, where)) if inner.strip() else []
        if len(parts) == 1 and row["round"] is not None:  # (3) is 3, as in Python
            return _value(parts[0], where, depth + 1)
        if parts and not parts[-1]:  # (3,)
            parts.pop()
        return tuple(_value(p, where, depth + 1) for p in parts)
    if part.endswith(")"):
        return call(part, where, depth + 1)
    atom = ATOM.match(part)
    if atom is None:
        raise WorksheetError(where, f"the argument {part[:40]!r}", "a number, a name, True or False, a list, or a call such as MSELoss()")
    text = atom[2]
    if text in WORDS:
        return WORDS[text]
    if text[0].isalpha():
        return text
    return rational(text) if {".", "/", "e"} & set(text) else int(text)
