"""One part of a syntax tree, in plain maths and in LaTeX."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """``kind``: number, name, call, index, attribute, unary, binary, cond, sum, bracket, … ``text`` is its sign or name."""

    kind: str
    text: str
    args: tuple[Node, ...] = ()
    column: int = 0
    keywords: tuple[tuple[str, Node], ...] = ()
