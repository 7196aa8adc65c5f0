"""The order of computation: definitions one by one, and loops where tensors depend on earlier places of themselves.

A recurrence ``h[t] := f(h[t-1])`` (also through other tensors: z[t] uses h[t-1], h[t] uses z[t]) is a strongly connected
component of the graph of uses. It is computable when every use inside the component looks back (or, for adjoints, ahead)
along one axis, and uses at the same place follow the order of the lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy as sp

from symnet.core.axes import Kind, at_most
from symnet.core.expressions import entries
from symnet.core.tensors import tensor_name
from symnet.errors import NameError_

if TYPE_CHECKING:
    from symnet.core.program import Definition, Program


@dataclass(frozen=True, slots=True)
class Block:
    """Definitions computed together. ``axis_of`` is empty for a plain definition; for a loop it gives each tensor's
    position of the loop axis, and ``ascending`` its direction."""

    definitions: tuple[Definition, ...]
    axis_of: tuple[tuple[str, int], ...] = ()
    ascending: bool = True

    @property
    def is_loop(self) -> bool:
        """True when the block steps along an axis."""
        return bool(self.axis_of)

    def place(self, d: Definition) -> sp.Expr:
        """The loop index (or fixed place) on the left of ``d``."""
        return d.indices[dict(self.axis_of)[d.name]]


def schedule(program: Program) -> tuple[Block, ...]:
    """The blocks of ``program`` in an order in which they can be computed; raises NameError_ when there is none."""
    names = list(program.by_name)
    line = {name: k for k, name in enumerate(names)}
    graph = {name: [u for u in program.uses(name) if u in line] for name in names}
    blocks = []
    for group in components(graph):
        ordered = sorted(group, key=line.__getitem__)
        if len(ordered) == 1 and ordered[0] not in graph[ordered[0]]:
            name = ordered[0]
            late = [u for u in graph[name] if line[u] > line[name]]
            if late:
                raise NameError_(f"definition of {name}", f"uses {late[0]!r} before it is named", "a name from above")
            blocks += [Block((d,)) for d in program.by_name[name]]
        else:
            blocks.append(_loop(program, ordered))
    return tuple(blocks)


def _loop(program: Program, names: list[str]) -> Block:
    position = {name: _loop_axis(program, name) for name in names}
    lines = [(k, d) for k, d in enumerate(program.definitions) if d.name in position]
    directions = set()
    for k, d in lines:
        for use in entries(d.expr):
            other = tensor_name(use)
            if other not in position:
                continue
            offset = _offset(d, use, position)
            if offset == 0 and any(m >= k and _meets(d, e, position) for m, e in lines if e.name == other):
                raise NameError_(f"definition of {d.name}", f"uses {other!r} at the same place before it is defined",
                                 "an earlier place, such as t-1")
            directions.add(int(sp.sign(offset)))
    if {1, -1} <= directions:
        raise NameError_(f"definition of {names[0]}", "a recurrence that looks both back and ahead", "one direction")
    return Block(tuple(d for _, d in lines), tuple(position.items()), 1 not in directions)


def _offset(d: Definition, use: sp.Expr, position: dict[str, int]) -> sp.Expr:
    """How far ahead (+) or back (-) along the loop axis ``use`` looks from ``d``."""
    here, there = position[d.name], position[tensor_name(use)]
    offset = sp.expand(use.indices[there] - d.indices[here]) if here >= 0 and there >= 0 else None
    if offset is None or not offset.is_Integer:
        raise NameError_(f"definition of {d.name}", f"uses {tensor_name(use)!r} before it is named",
                         "a name from above, or an earlier place along one axis")
    return offset


def _meets(d: Definition, e: Definition, position: dict[str, int]) -> bool:
    """True unless the two slices are shown to be apart along the loop axis."""
    p, q = d.slice()[position[d.name]], e.slice()[position[e.name]]
    return not (at_most(p[1] + 1, q[0]) or at_most(q[1] + 1, p[0]))


def _loop_axis(program: Program, name: str) -> int:
    axes = program.tensors[name].axes
    marked = [k for k, a in enumerate(axes) if a.kind in (Kind.TIME, Kind.DEPTH)]
    return marked[0] if marked else 0 if axes else -1


def components(graph: dict[str, list[str]]) -> list[set[str]]:
    """Strongly connected components, each after those it uses (Tarjan 1972, written without recursion)."""
    low: dict[str, int] = {}
    number: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []
    on_stack: set[str] = set()
    for root in graph:
        if root in number:
            continue
        work: list[tuple[str, Iterator[str]]] = [(root, iter(graph[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            child = next(rest, None)
            if child is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    found.append(_pop(stack, on_stack, node))
            elif child not in number:
                number[child] = low[child] = len(number)
                stack.append(child)
                on_stack.add(child)
                work.append((child, iter(graph[child])))
            elif child in on_stack:
                low[node] = min(low[node], number[child])
    return found


def _pop(stack: list[str], on_stack: set[str], node: str) -> set[str]:
    group = set()
    while True:
        top = stack.pop()
        on_stack.discard(top)
        group.add(top)
        if top == node:
            return group
