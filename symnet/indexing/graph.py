"""A graph of array operations, the common ground of every reader: a reader adds operations, ``lowering.py`` writes the program.

The operations are NumPy's, few and without rank tricks: ``input``, ``number``, ``map`` (entry by entry, sizes of 1 repeat), ``sum``,
``top`` (the maximum along axes; it must cancel, as in a softmax), ``dot``, ``iota`` (0, 1, … along an axis), ``table`` (a small array),
``concat``, ``pad``, ``fold`` (max, min, prod along axes), ``running`` (sums up to each place, or another fold), ``reverse``, ``lookup``
(by index arrays), ``det``, ``inverse``, ``cholesky`` (of the last two axes), ``recurrence`` with its parts ``before`` (the states before
each turn) and ``after``, and the moves ``spread`` (broadcast), ``permute``, ``reshape``, ``take`` (one place of an axis), ``cut`` (a
stretch of one), ``window`` (an axis seen through a sliding window). Two equal operations are one node, so that what a framework
computes twice is named once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.numbers import rational
from symnet.core.tensors import Role
from symnet.errors import UnknownNodeError

MOVES = frozenset({"spread", "permute", "reshape", "take", "cut", "window"})  # the same entries at other places


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: what it is, the nodes it takes, and its options; ``where`` is its place in the model."""

    kind: str
    args: tuple[int, ...] = ()
    more: tuple[Any, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """An array that the model takes: its axes as the program will have them, and what it is for."""

    name: str
    axes: tuple[Axis, ...]
    role: Role
    note: str = ""
    domain: str = "real"


@dataclass
class Graph:
    """The operations in order. A class with state, used while one model is read, then dropped."""

    ops: list[Op] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    closed: dict[int, int] = field(default_factory=dict)  # the number of a recurrence -> the node that says all its turns
    _known: dict[Any, int] = field(default_factory=dict)

    def add(self, kind: str, *args: int, more: tuple[Any, ...] = (), where: str = "") -> int:
        """The node of an operation; an equal one is used again."""
        key = (kind, args, more)
        if key not in self._known:
            self._known[key] = len(self.ops)
            self.ops.append(Op(kind, args, more, where))
        return self._known[key]

    def add_input(self, name: str, axes: tuple[Axis, ...], role: Role, note: str = "", domain: str = "real") -> int:
        """A new input; its domain is "real", "index" for whole numbers, or "bool"."""
        self.inputs.append(Input(name, axes, role, note, domain))
        return self.add("input", more=(len(self.inputs) - 1,), where=f"input {name}")

    def number(self, value: Any, where: str = "") -> int:
        """A constant: exact for rationals, a float as the shortest decimal that prints as it."""
        if isinstance(value, sp.Basic):
            return self.add("number", more=(value,), where=where)
        if isinstance(value, bool):
            return self.add("number", more=(sp.true if value else sp.false,), where=where)
        special = {"inf": sp.oo, "-inf": -sp.oo, "nan": sp.nan}.get(str(value))
        return self.add("number", more=(rational(value) if special is None else special,), where=where)

    def map(self, function: str, *args: int, more: tuple[Any, ...] = (), where: str = "") -> int:
        """An entrywise function by its name in ``entrywise.py``."""
        if function == "add" and (inside := self._softplus(*args)) is not None:
            function, args = "softplus", (inside,)
        return self.add("map", *args, more=(function, *more), where=where)

    def _softplus(self, a: int, b: int) -> int | None:
        """z when a + b is max(z, 0) + log(1 + exp(-|z - 0|)), which is softplus(z) for every real z."""
        top = self.ops[a]
        if top.more != ("max",) or self.ops[top.args[1]].more != (0,):
            return None
        z = top.args[0]
        insides = (z, self._of("sub", z, top.args[1]))
        return z if b in [self._nested(i, "abs", "neg", "exp", "log1p") for i in insides] else None

    def _of(self, function: str, *args: int) -> int | None:
        """The node of a function of nodes, if there is one."""
        return self._known.get(("map", args, (function,)))

    def _nested(self, z: int | None, *functions: str) -> int | None:
        for function in functions:
            z = None if z is None else self._of(function, z)
        return z

    def needed(self, output: int) -> list[int]:
        """The nodes that ``output`` depends on, itself included, in order."""
        found, stack = {output}, [output]
        while stack:
            op = self.ops[stack.pop()]
            for arg in (*op.args, *([self.closed[op.more[0]]] if op.kind in ("before", "after") else ())):
                if arg not in found:
                    found.add(arg)
                    stack.append(arg)
        return sorted(found)

    def uses(self, output: int) -> dict[int, int]:
        """How often each needed node is looked at, a look through a mere move counting for what is moved."""
        needed = self.needed(output)
        count = dict.fromkeys(needed, 0)
        count[output] = 1
        for k in reversed(needed):
            op = self.ops[k]
            for arg in op.args:
                count[arg] += count[k] if op.kind in MOVES else 1
        return count


def unsupported(found: str, where: str, expected: str = "an operation that symnet reads") -> UnknownNodeError:
    """The error for an operation without a form: what it is and where it stands."""
    return UnknownNodeError(where, found, expected)
