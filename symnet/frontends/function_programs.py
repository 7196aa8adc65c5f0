"""The programs of a function that brings its own backward: its outputs and Σ G·output, and what its backward gives.

What the backward keeps of the forward pass has a line on both sides, so that the two are compared line by line, and slips named by them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symnet.core.axes import Axis
from symnet.core.own_backward import Trace
from symnet.core.program import Program
from symnet.core.tensors import Role, free_name
from symnet.errors import SymnetError, internal
from symnet.frontends.asked_conditions import asked_by
from symnet.indexing.graph import MOVES, Graph, unsupported
from symnet.indexing.lowering import GraphLowering
from symnet.indexing.operations import Array, Maker


@dataclass
class FunctionGraph:
    """The graph of one function, forward and backward. ``taken`` are the names of its arguments and sizes."""

    graph: Graph
    name: str
    taken: frozenset[str]

    def __post_init__(self) -> None:
        self.maker = Maker(self.graph, self.name)

    def incoming(self, number: int, count: int, axes: tuple[Axis, ...]) -> Array:
        """The gradient that comes in for output ``number`` of ``count``."""
        name = free_name("G" if count == 1 else f"G{number + 1}", {*self.taken, "L"})
        return Array(self.graph.add_input(name, axes, Role.INPUT), tuple(a.size for a in axes))

    def trace(self, outputs: Sequence[Array], incoming: Sequence[Array], gradients: Mapping[str, Sequence[int | None]],
              sizes: Mapping[str, int], notes: Sequence[str] = (), again: Sequence[Array] = ()) -> Trace:
        """All programs. ``again`` are the outputs as the rule itself computes them, where it does so a second time."""
        stem = "out" if "y" in self.taken else "y"
        named = {out.node: free_name(stem + (str(k + 1) if len(outputs) > 1 else ""), {*self.taken, "L"})
                 for k, out in enumerate(outputs)}
        kept = self._kept([o.node for o in outputs], [n for nodes in gradients.values() for n in nodes if n is not None])
        lines = {**dict.fromkeys(kept, ""), **named}
        program = self._program(self._objective(outputs, incoming), "L", lines, False)
        rest = {n: name for n, name in lines.items() if n not in named}
        programs = {n: tuple(None if k is None else self._program(k, "answer", rest, True) for k in nodes)
                    for n, nodes in gradients.items()}
        same = [a.node for a in again] in ([], [o.node for o in outputs])
        value = None if same else self._program(self._objective(again, incoming), "answer", rest, True)
        names = tuple(self.graph.inputs[self.graph.ops[g.node].more[0]].name for g in incoming)
        return Trace(program, programs, names, dict(sizes), tuple(notes), value)

    def _kept(self, outputs: Sequence[int], gradients: Sequence[int]) -> list[int]:
        """The results of the forward pass that the backward looks at."""
        forward = {k for out in outputs for k in self.graph.needed(out)}
        backward = {k for g in gradients for k in self.graph.needed(g)} - forward
        used = {a for k in backward for a in self.graph.ops[k].args if a in forward}
        return sorted(k for k in used if self.graph.ops[k].kind not in MOVES | {"input", "number", "iota", "table"})

    def _objective(self, outputs: Sequence[Array], incoming: Sequence[Array]) -> int:
        total: Array | None = None
        for out, g in zip(outputs, incoming, strict=True):
            product = self.maker.map("mul", g, out)
            term = self.maker.sum(product) if product.rank else product
            total = term if total is None else self.maker.map("add", total, term)
        if total is None:
            raise unsupported("no output that has a gradient", self.name, "an output of real numbers")
        return total.node

    def _program(self, node: int, name: str, named: Mapping[int, str], claimed: bool) -> Program:
        try:
            writer = GraphLowering(self.graph, node, name, named)
            made = writer.program()
            asked = asked_by(writer, made, self.name) if claimed else ()
        except SymnetError:
            raise
        except Exception as error:  # an operation without a form, found late
            raise unsupported(internal(error), self.name) from None
        return replace(made, definitions=(*made.definitions[:-1], replace(made.definitions[-1], holes=asked))) if asked else made
