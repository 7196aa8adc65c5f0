"""One entry of what is computed along a whole axis, log(1 - p[1]) for a softmax p: a line for the axis, and its entry.

Along an axis the share that is nearly 1 is known, and what it lacks is computed from the others; at a place alone it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from symnet.arrays import stable_functions as st
from symnet.arrays.arguments import NOTE, insert
from symnet.arrays.canonical import axis_of, place_in, same, sum_with
from symnet.core.axes import Axis, Range, is_index
from symnet.core.expressions import When, limits, rebuild, substitute
from symnet.core.program import Definition
from symnet.core.tensors import Role, Tensor, free_name

ALONG_AN_AXIS = (st.log_share, st.others, st.log_others, st.crossed, st.other_terms)


def placed(lines: list[Definition], taken: Mapping[str, Tensor]) -> list[Definition]:
    """The lines, and before each those that it takes single entries of."""
    made: list[Definition] = []
    known = dict(taken)
    for d in lines:
        if not d.expr.has(*ALONG_AN_AXIS):
            made.append(d)
            continue
        found = _Placed(d, known)
        expr = found.walked(d.expr, d.free)
        for named in found.lines:
            insert(made, named, d.name)
        made.append(replace(d, expr=expr) if found.lines else d)
    return made


class _Placed:
    """The single entries of one line."""

    def __init__(self, line: Definition, taken: dict[str, Tensor]) -> None:
        self.line, self.taken = line, taken
        self.lines: list[Definition] = []

    def walked(self, expr: sp.Expr, scope: Mapping[sp.Symbol, Range]) -> sp.Expr:
        if expr.is_Atom or isinstance(expr, sp.Indexed) or not expr.has(*ALONG_AN_AXIS):
            return expr
        if isinstance(expr, sp.Sum):
            inside = {i: (lo, hi) for i, lo, hi in limits(expr)}
            return rebuild(expr, (self.walked(expr.function, {**scope, **inside}), *expr.args[1:]))
        if isinstance(expr, When):  # the letters of its condition may leave their axes outside of it
            scope = {i: span for i, span in scope.items() if i not in expr.condition.free_symbols}
            return When(self.walked(expr.body, scope), expr.condition)
        if isinstance(expr, ALONG_AN_AXIS):
            return self.entry(expr, scope) or expr
        return rebuild(expr, tuple(self.walked(a, scope) if isinstance(a, sp.Expr) else a for a in expr.args))

    def entry(self, expr: sp.Expr, scope: Mapping[sp.Symbol, Range]) -> sp.Expr | None:
        """An entry of a line for the whole axis; None where the expression lies along an axis already."""
        *_, own, total = expr.args
        place = place_in(own, total)
        summed = sum_with(own, total)
        if place is None or summed is None or axis_of(own, total, scope) is not None:
            return None
        bound, lo, hi = limits(summed)[0]
        letter = sp.Dummy(str(bound).strip("_") or "k", integer=True)
        whole = rebuild(expr, (*[a.xreplace({place: letter}) for a in expr.args[:-2]], summed.function.xreplace({bound: letter}), total))
        letters = tuple(i for i in scope if i in whole.free_symbols)
        if any(is_index(s) and s not in scope and s is not letter for s in whole.free_symbols) or any(
                e.free_symbols & {*scope} for i in letters for e in scope[i]) or {lo, hi} != {lo, hi} - {*scope}:
            return None
        spans = (*[(i, *scope[i]) for i in letters], (letter, lo, hi))
        for line in self.lines:
            if [t[1:] for t in line.ranges] == [t[1:] for t in spans] and same(
                    substitute(line.expr, dict(zip(line.indices, (*letters, letter), strict=True))), whole):
                return line.target[(*letters, place)]
        axes = tuple(Axis(str(t[2]), *t[1:]) for t in spans)
        tensor = Tensor(free_name(f"{self.line.name}_at", self.taken), axes, "real", Role.INTERMEDIATE, note=NOTE)
        self.taken[tensor.name] = tensor
        self.lines.append(Definition(tensor, (*letters, letter), whole, spans))
        return tensor[(*letters, place)]
