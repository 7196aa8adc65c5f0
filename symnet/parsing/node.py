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


def same_tree(a: Node, b: Node) -> bool:
    """Equal but for the columns."""
    return (a.kind, a.text, len(a.args)) == (b.kind, b.text, len(b.args)) and all(map(same_tree, a.args, b.args))
