"""What a traced function computes: a graph of numbers and conditions, each node made once.

A node is an operation on nodes before it. Rational arithmetic folds at once; nothing else is simplified, so that the graph is the user's
own computation. Nodes are compared by identity: equal operations on equal nodes are one node.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flint import fmpq

CONDITIONS = frozenset({"true", "false", "gt", "ge", "eq", "and", "or", "not"})
FUNCTIONS = frozenset({"exp", "log", "tanh", "sinh", "cosh", "sin", "cos", "arctan", "erf", "abs", "sign", "sigmoid", "floor"})


class Node:
    """``op`` on ``args``; ``value`` is the number of "num" and "about", the sign of "inf", the symbol of "var"."""

    __slots__ = ("args", "number", "op", "value")

    def __init__(self, op: str, args: tuple[Node, ...], value: Any, number: int) -> None:
        self.op, self.args, self.value, self.number = op, args, value, number

    def __deepcopy__(self, _: Any) -> Node:
        return self  # a value, like a number

    @property
    def is_condition(self) -> bool:
        """True for a truth value, False for a number."""
        return self.op in CONDITIONS

    def __repr__(self) -> str:
        if self.op in ("num", "var", "about"):
            return str(self.value)
        return f"<{self.op}>"

    def __bool__(self) -> bool:
        raise TypeError("a node has no truth of its own")

    def __float__(self) -> float:
        if self.op != "num":
            raise TypeError("a node that is no number")
        return int(self.value.p) / int(self.value.q)


class Graph:
    """The nodes of one trace, in the order in which they were made; a node stands after its arguments."""

    def __init__(self) -> None:
        self.made: dict[tuple[Any, ...], Node] = {}
        self.partial: dict[Node, bool] = {}  # which nodes may have no value
        self.notes: dict[str, None] = {}  # how numbers in the code were read

    def node(self, op: str, args: tuple[Node, ...] = (), value: Any = None) -> Node:
        """The node of this operation."""
        key = (op, value, *(a.number for a in args))
        if key not in self.made:
            self.made[key] = Node(op, args, value, len(self.made))
        return self.made[key]


_now: ContextVar[Graph] = ContextVar("graph")


def graph() -> Graph:
    """The graph that is being made."""
    return _now.get()


@contextmanager
def tracing(made: Graph) -> Iterator[Graph]:
    """Make nodes of this graph within."""
    token = _now.set(made)
    try:
        yield made
    finally:
        _now.reset(token)


def num(value: Any) -> Node:
    """An exact rational."""
    return graph().node("num", (), fmpq(value) if not isinstance(value, fmpq) else value)


def var(symbol: Any) -> Node:
    """An entry of an argument."""
    return graph().node("var", (), symbol)


def truth(value: bool) -> Node:
    """True or false."""
    return graph().node("true" if value else "false")
