"""The end of a model: one of symnet's losses behind its output."""

from __future__ import annotations

from symnet.core.expressions import as_written
from symnet.core.program import Program
from symnet.core.tensors import free_name
from symnet.indexing.graph import Graph
from symnet.indexing.lowering import write
from symnet.indexing.operations import Array
from symnet.networks.builder import Builder
from symnet.networks.catalogue import AnyLoss
from symnet.networks.catalogue import loss as loss_of


def finish(graph: Graph, output: Array, loss: AnyLoss | None, title: str) -> Program:
    """The program of a graph; with a loss, its output is called ``out`` and the loss comes last."""
    names = {i.name for i in graph.inputs}
    if loss is None:
        return write(graph, output.node, free_name("out" if output.shape else "L", names), title)
    forward = write(graph, output.node, free_name("out", names))
    to = Builder(list(forward.inputs), list(forward.definitions), [], 0, forward.tensors[forward.objective])
    with as_written():
        loss_of(loss).build(to)
        return to.program(title)
