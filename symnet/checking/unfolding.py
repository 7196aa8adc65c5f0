"""A value with names unfolded: what the lines of a program say of them put in, index by index."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace

from symnet.core.expressions import entries, fresh
from symnet.core.program import Definition, Program, right_side_at
from symnet.core.tensors import entry_indices, tensor_name
from symnet.errors import ShapeError
from symnet.indexing.index_array import IndexArray

DEEPEST = 100  # lines, one inside the other


def unfolded(value: IndexArray, known: Container[str], lines: Mapping[str, tuple[Definition, ...]]) -> IndexArray:
    """``value`` with every name that is not ``known`` unfolded, where it has one line."""
    expr = value.expr
    for _ in range(DEEPEST):
        expr = fresh(expr)
        open_ = {e for e in entries(expr) if tensor_name(e) not in known and len(lines.get(tensor_name(e), ())) == 1}
        if not open_:
            break
        expr = expr.xreplace({e: right_side_at(lines[tensor_name(e)][0], entry_indices(e)) for e in open_})
    return replace(value, expr=expr)


def claimed_value(program: Program) -> IndexArray:
    """What the last line of a program claims, in its inputs. Raises ShapeError for a recurrence, which has no such formula.

    >>> import symnet as sn
    >>> claimed_value(sn.program("r = w*x - y", "G = 2*r*x")).expr
    2*x*(w*x - y)
    """
    lines = program.by_name[program.objective]
    value = IndexArray.over(lines[0].target.axes, lines[0].indices, lines[0].expr)
    made = unfolded(value, {t.name for t in program.inputs}, program.by_name)
    if len(lines) > 1 or any(tensor_name(e) in program.by_name for e in entries(made.expr)):
        raise ShapeError("claim", f"{program.objective}, which is defined step by step", "one line for each name")
    return made
