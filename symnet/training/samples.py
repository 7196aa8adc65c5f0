"""How many samples the data of a program are."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sympy as sp

from symnet.core.axes import Kind
from symnet.core.expressions import BINDERS, When, limits
from symnet.core.program import Program
from symnet.core.tensors import Tensor, entry_indices, tensor_name

Node = tuple[str, int]  # an axis of a tensor, by its place; or an index, by its number
ALONG = (Kind.TIME, Kind.DEPTH)


def count_samples(program: Program, wrt: Collection[str], shapes: Mapping[str, tuple[int, ...]]) -> int | None:
    """The length of the axis of the data along which each entry goes its own way through the same parameters; 1 without such an axis.

    ``shapes`` are those of the data. An axis whose index, in any line, also stands at an axis of a parameter is a feature. An axis that was
    declared for samples (N, B) is taken at that; of another one no line may use two entries together, or some at places of their
    own: those may be steps of time, or classes. None where the program leaves it open which axis it is.

    >>> from symnet.networks.architectures import mlp
    >>> count_samples(mlp(), ("W1", "b1", "W2", "b2"), {"X": (5, 3), "Y": (5, 2)})
    5
    """
    axes = _Axes(program)
    data = {(t.name, k): shapes[t.name][k] for t in program.inputs if t.name in shapes and t.name not in wrt for k in range(len(t.axes))}
    lengths: dict[Node, set[int]] = {}
    for node, length in data.items():
        lengths.setdefault(axes.root(node), set()).add(length)
    features = {axes.root((t.name, k)) for t in program.inputs if t.name in wrt for k in range(len(t.axes))}
    kinds = {(t.name, k): a.kind for t in program.inputs for k, a in enumerate(t.axes)}
    along = {axes.root(n) for n, kind in kinds.items() if kind in ALONG}
    shared = [r for r in lengths if r not in features and r not in along]
    declared = [r for r in shared if any(kinds[n] is Kind.BATCH and axes.root(n) == r for n in data)]
    apart = declared or [r for r in shared if r not in axes.entangled()]
    if len(apart) > 1:  # the one that every array begins with, where there is one
        first = {axes.root(n) for n in data if n[1] == 0}
        apart = list(first) if len(first) == 1 and first <= set(apart) else []
    if not apart:
        return None if shared else 1
    found = lengths[apart[0]]
    return found.pop() if len(found) == 1 else None


class _Axes:
    """The axes of the tensors of a program, put together where one index runs over both."""

    def __init__(self, program: Program) -> None:
        self.up: dict[Node, Node] = {}
        self.marked: set[Node] = set()  # indices and axes whose places are not all treated alike
        self.together: list[list[Node]] = []  # what one line holds at once
        self.count = 0
        for d in program.definitions:
            there = {i: self.index() for i in d.free}
            self.together.append([*there.values()])
            self.places(d.target, d.indices, there)
            self.marked |= {there[i] for i, span in d.free.items() if span not in {a.range for a in d.target.axes}}
            self.visit(d.expr, there)
        self.together += [[(t.name, k) for k in range(len(t.axes))] for t in program.tensors.values()]

    def index(self) -> Node:
        self.count += 1
        return "", self.count

    def root(self, node: Node) -> Node:
        while node in self.up:
            node = self.up[node]
        return node

    def join(self, a: Node, b: Node) -> None:
        a, b = self.root(a), self.root(b)
        if a != b:
            self.up[a] = b

    def entangled(self) -> set[Node]:
        """The axes that stand twice in one line, or whose places differ."""
        found = {self.root(n) for n in self.marked}
        for nodes in self.together:
            roots = [self.root(n) for n in nodes]
            found |= {r for r in roots if roots.count(r) > 1}
        return found

    def visit(self, expr: sp.Basic, there: Mapping[sp.Basic, Node]) -> None:
        """A part of a line; ``there`` are the indices around it."""
        if isinstance(expr, sp.Indexed):
            self.places(tensor_name(expr), entry_indices(expr), there)
        elif isinstance(expr, BINDERS):
            inside = {**there, **{i: self.index() for i, _, _ in limits(expr)}}
            self.together.append([*inside.values()])
            self.visit(expr.function, inside)
            for _, low, high in limits(expr):
                self.visit(low, there)
                self.visit(high, there)
        elif isinstance(expr, When):
            self.visit(expr.condition, there)
            self.visit(expr.body, there)
        elif expr in there:  # a number of its own for each place
            self.marked.add(there[expr])
        else:
            for part in expr.args:
                self.visit(part, there)

    def places(self, tensor: Tensor | str, places: tuple[sp.Expr, ...], there: Mapping[sp.Basic, Node]) -> None:
        """The indices at the axes of a tensor."""
        for k, place in enumerate(places):
            axis = (tensor if isinstance(tensor, str) else tensor.name, k)
            if place in there:
                self.join(axis, there[place])
            else:
                self.marked.add(axis)
                self.visit(place, there)
