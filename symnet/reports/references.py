"""Which line a name in a line comes from: the line, or lines, that define that very entry; a later one in a recurrence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sympy as sp

from symnet.core.axes import Range, bounds, nonnegative
from symnet.core.expressions import BINDERS, limits
from symnet.core.program import Definition
from symnet.core.tensors import entry_indices, tensor_name


@dataclass(frozen=True, slots=True)
class Line:
    """A numbered line of the report."""

    definition: Definition
    number: str
    anchor: str


@dataclass
class References:
    """The lines of a report by what they define."""

    lines: list[Line] = field(default_factory=list)

    def add(self, definition: Definition, number: str, kind: str) -> Line:
        """Number a line; its anchor is the name that it defines, with a mark where several lines define one name."""
        taken = {line.anchor for line in self.lines}
        anchor = f"{kind}-{definition.name}"
        while anchor in taken:
            anchor += "-"
        self.lines.append(Line(definition, number, anchor))
        return self.lines[-1]

    def used(self, d: Definition) -> dict[str, list[Line]]:
        """For each name in the right side of ``d``: the lines that define the entries it uses, none for what is given."""
        found: dict[str, list[Line]] = {}
        for entry, ranges in entries_in_scope(d.expr, d.free):
            here = found.setdefault(tensor_name(entry), [])
            here += [line for line in self.lines if line not in here and _may_define(line.definition, entry, ranges)]
        return {name: sorted(here, key=self.lines.index) for name, here in found.items()}

    def defining(self, name: str) -> list[Line]:
        """The lines that define ``name``."""
        return [line for line in self.lines if line.definition.name == name]


def entries_in_scope(expr: sp.Basic, ranges: Mapping[sp.Symbol, Range]) -> Iterator[tuple[sp.Expr, Mapping[sp.Symbol, Range]]]:
    """Every entry with the ranges of the indices that may stand in it."""
    if isinstance(expr, sp.Indexed) or (isinstance(expr, sp.Symbol) and expr.is_integer is not True):
        yield expr, ranges
        return
    inner = {**ranges, **{i: (lo, hi) for i, lo, hi in limits(expr)}} if isinstance(expr, BINDERS) else ranges
    for arg in expr.args[:1] if isinstance(expr, BINDERS) else expr.args:
        yield from entries_in_scope(arg, inner)


def _may_define(d: Definition, entry: sp.Expr, ranges: Mapping[sp.Symbol, Range]) -> bool:
    """False where the entry is shown not to be one that ``d`` defines, for any size."""
    if d.name != tensor_name(entry):
        return False
    for own, place in zip(d.indices, entry_indices(entry), strict=True):
        first, last = d.free.get(own, (own, own))
        span = bounds(sp.expand(place), ranges)
        if span is not None and (nonnegative(sp.expand(first - span[1] - 1)) or nonnegative(sp.expand(span[0] - last - 1))):
            return False
    return True
