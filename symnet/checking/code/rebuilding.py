"""A graph again with one number changed."""

from __future__ import annotations

from collections.abc import Iterable

from symnet.checking.code import nodes as n
from symnet.checking.code.nodes import Node


def rebuilt(order: Iterable[Node], old: Node, new: Node) -> dict[Node, Node]:
    """Each node of ``order`` (arguments first) as it would be with ``new`` in place of the number ``old``."""
    made: dict[Node, Node] = {}
    for node in order:
        if node is old:
            made[node] = new
            continue
        args = [made[a] for a in node.args]
        made[node] = node if all(a is b for a, b in zip(args, node.args, strict=True)) else _again(node, args)
    return made


def _again(node: Node, args: list[Node]) -> Node:
    op = node.op
    if op in ("add", "mul"):
        return n.add(args) if op == "add" else n.mul(args)
    if op == "pow":
        return n.power(*args)
    if op in ("max", "min"):
        return n.extremum(op, args)
    if op in ("gt", "ge", "eq"):
        return n.compared(op, *args)
    if op in ("and", "or"):
        return n.joined(op, args)
    if op == "not":
        return n.invert(args[0])
    return n.choose(*args) if op == "where" else n.apply(op, args[0])
