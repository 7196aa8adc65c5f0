"""The network as an inline SVG: values in one colour above, gradients in another below, parameters on the arrows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import sympy as sp

from symnet.core.expressions import entries
from symnet.core.names import parts, shape_text
from symnet.core.program import Program
from symnet.core.schedule import schedule
from symnet.core.tensors import Role, Tensor, tensor_name
from symnet.reports.document import Picture
from symnet.reports.values import Values

RADIUS, MARGIN, TARGET_GAP = 25, 56, 88
SINGLE, SEVERAL = (150, 136), (196, 190)  # column and row spacing, for one row and for several
LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
HIGH = str.maketrans("0123456789()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾")
MOST_NODES = 16


def label(tensor: Tensor) -> str:
    """A name in plain Unicode: w₁, and w₁₂⁽¹⁾ for an entry.

    >>> label(Tensor("w1")), label(Tensor("W1_1_2", parent="W1", place=(1, 2)))
    ('w₁', 'w₁₂⁽¹⁾')
    """
    stem, digits, tail = parts(tensor.parent or tensor.name)
    if tensor.parent:
        inner = "".join(map(str, tensor.place)).translate(LOW)
        return (stem.lower() if len(stem) == 1 else stem) + inner + (f"({digits})".translate(HIGH) if digits else "")
    return stem + digits.translate(LOW) + (f" {tail}" if tail else "")


@dataclass(frozen=True, slots=True)
class _Node:
    tensor: Tensor
    x: float
    y: float


def draw(program: Program, gradients: Mapping[str, str], values: Values | None = None) -> Picture | None:
    """The graph of a program, columns by depth; None when it is too large to be read.

    ``gradients`` maps a name to the name of its gradient; with ``values`` every node and arrow shows its numbers.
    """
    data = [t for t in program.inputs if t.role is not Role.PARAMETER]
    shown = [*data, *dict.fromkeys(d.target for d in program.definitions)]
    if len(shown) > MOST_NODES or any(block.is_loop for block in schedule(program)):
        return None  # too many to read, or a recurrence, whose graph has no last column
    depth = _depths(program, {t.name for t in shown})
    nodes = _place(shown, depth)
    painter = _Painter(program, nodes, gradients, values)
    words = "Network drawing: " + ", then ".join(f"{t.name} from {', '.join(program.uses(t.name))}" for t in shown
                                               if t.name in program.by_name)
    return Picture(painter.svg(), words + ".")


def _depths(program: Program, shown: set[str]) -> dict[str, int]:
    depth = {t.name: 0 for t in program.inputs}
    for d in program.definitions:
        used = [depth[u] for u in program.uses(d.name) if u in shown and u in depth]
        depth[d.name] = 1 + max(used, default=-1)
    for t in program.inputs:  # a target stands right before the line that uses it
        users = [depth[d.name] for d in program.definitions if t.name in program.uses(d.name)]
        depth[t.name] = max(0, min(users, default=1) - 1)
    return depth


def _place(shown: list[Tensor], depth: Mapping[str, int]) -> dict[str, _Node]:
    columns: dict[int, list[Tensor]] = {}
    for t in shown:
        columns.setdefault(depth[t.name], []).append(t)
    tallest = max(sum(t.role is not Role.TARGET or x == 0 for t in c) for x, c in columns.items())
    step_x, step_y = SINGLE if tallest == 1 else SEVERAL
    nodes = {}
    for x, column in columns.items():
        main = [t for t in column if t.role is not Role.TARGET or x == 0]  # a target hangs below, off the main line
        top = MARGIN + (tallest - len(main)) * step_y / 2 + 14
        for k, t in enumerate(main):
            nodes[t.name] = _Node(t, MARGIN + x * step_x, top + k * step_y)
        low = MARGIN + 14 + (tallest - 1) * step_y + 118
        for k, t in enumerate(t for t in column if t not in main):
            nodes[t.name] = _Node(t, MARGIN + x * step_x, low + k * TARGET_GAP)
    return nodes


class _Painter:
    def __init__(self, program: Program, nodes: dict[str, _Node], gradients: Mapping[str, str], values: Values | None) -> None:
        self.program, self.nodes, self.gradients, self.values = program, nodes, gradients, values
        self.parts: list[str] = []

    def svg(self) -> str:
        """The whole picture."""
        for name, node in self.nodes.items():
            for d in self.program.by_name.get(name, ()):
                self._arrows(d.expr, node)
        for node in self.nodes.values():
            self._node(node)
        width = max(n.x for n in self.nodes.values()) + MARGIN
        height = max(n.y for n in self.nodes.values()) + MARGIN + 24
        return (f'<svg class="net" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
                f'aria-label="Drawing of the network">' + "".join(self.parts) + "</svg>")

    def _text(self, x: float, y: float, kind: str, text: str) -> None:
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="middle">{escape(text)}</text>')

    def _value(self, name: str) -> str:
        return "" if self.values is None else _minus(self.values.of(name).text)

    def _equals(self, name: str) -> str:
        """ = 0.5, or ≈ 0.3333 for a rounded number; nothing without values."""
        return "" if self.values is None else f" {self.values.of(name).relation} {self._value(name)}"

    def _slope(self, name: str) -> str:
        gradient = self.gradients.get(name, "")
        return "" if self.values is None or not gradient else _minus(self.values.of(gradient).text)

    def _node(self, node: _Node) -> None:
        t, kind = node.tensor, node.tensor.role.value
        self.parts.append(f'<circle cx="{node.x:g}" cy="{node.y:g}" r="{RADIUS}" class="node {kind}"/>')
        self._text(node.x, node.y + 6, "name", label(t))
        if self.values is not None:
            self._text(node.x, node.y - RADIUS - 7, "value", self._value(t.name))
        elif t.axes:
            self._text(node.x, node.y - RADIUS - 7, "value", shape_text(t).replace(",)", ")"))
        if self._slope(t.name):
            self._text(node.x, node.y + RADIUS + 17, "slope", "∂ " + self._slope(t.name))

    def _arrows(self, expr: sp.Expr, node: _Node) -> None:
        used = dict.fromkeys(tensor_name(e) for e in entries(expr))
        weights = _weights(expr, self.program)
        for name in used:
            if name in self.nodes and name != node.tensor.name:
                self._arrow(self.nodes[name], node, weights.get(name, ""))
        alone = [n for n in used if n not in self.nodes and n not in weights.values()]
        for k, name in enumerate(alone):
            self._bias(node, name, k)

    def _arrow(self, start: _Node, end: _Node, weight: str) -> None:
        dx, dy = end.x - start.x, end.y - start.y
        far = (dx * dx + dy * dy) ** 0.5 or 1.0
        ux, uy = dx / far, dy / far
        x1, y1, x2, y2 = start.x + ux * RADIUS, start.y + uy * RADIUS, end.x - ux * (RADIUS + 7), end.y - uy * (RADIUS + 7)
        self.parts.append(f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" class="arrow"/>')
        tip = f"{x2 + ux * 7:.1f},{y2 + uy * 7:.1f} {x2 - uy * 4:.1f},{y2 + ux * 4:.1f} {x2 + uy * 4:.1f},{y2 - ux * 4:.1f}"
        self.parts.append(f'<polygon points="{tip}" class="tip"/>')
        if weight:
            near = 0.5 if abs(dy) < 1 else 0.3  # arrows that cross carry their labels near the start
            self._label(start.x + near * dx, start.y + near * dy, weight)

    def _label(self, x: float, y: float, name: str) -> None:
        tensor = self.program.tensors[name]
        self._text(x, y - 6, "weight", label(tensor) + self._equals(name))
        if self._slope(name):
            self._text(x, y + 15, "slope", "∂ " + self._slope(name))

    def _bias(self, node: _Node, name: str, k: int) -> None:
        x, y = node.x, node.y + RADIUS + 17 * k
        text = label(self.program.tensors[name]) + self._equals(name)
        self._text(x, y + 34, "weight", f"+ {text}")
        if self._slope(name):
            self._text(x, y + 50, "slope", "∂ " + self._slope(name))


def _weights(expr: sp.Expr, program: Program) -> dict[str, str]:
    """For each factor that a parameter multiplies: that parameter."""
    found: dict[str, str] = {}
    terms = [t for a in sp.Add.make_args(expr) for t in ([a.function] if isinstance(a, sp.Sum) else [a])]
    for term in terms:
        names = [tensor_name(e) for f in sp.Mul.make_args(term) for e in entries(f)]
        weights = [n for n in names if program.tensors[n].role is Role.PARAMETER]
        others = [n for n in names if program.tensors[n].role is not Role.PARAMETER]
        if len(weights) == 1:
            found |= dict.fromkeys(others, weights[0])
    return found


def _minus(text: str) -> str:
    return text.replace("-", "−")
