"""Names for lines, and readable letters for the indices of lines that were written with indices of no name."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symnet.core.index_letters import Labels, extend, relabel
from symnet.core.program import Definition
from symnet.core.tensors import Tensor
from symnet.indexing.entrywise import ACTIVATIONS, is_exp_sum


def lettered(inputs: Sequence[Tensor], lines: Sequence[Definition]) -> tuple[Definition, ...]:
    """The same lines; an index is called as its axis is everywhere else."""
    tensors = [*inputs, *[d.target for d in lines]]
    labels = Labels(tensors, (), {str(s) for t in tensors for e in t.shape for s in e.free_symbols})
    return tuple(lettered_line(d, labels) for d in lines)


def lettered_line(d: Definition, labels: Labels) -> Definition:
    """Readable letters for the indices that had none."""
    places = tuple((i, *d.free[i]) for i in d.indices if i in d.free)
    own = {i: i for i, _, _ in places if not isinstance(i, sp.Dummy)}
    scope = extend(own, [place for place in places if place[0] not in own], labels)
    ranges = tuple((scope[i], lo, hi) for i, lo, hi in d.ranges)
    holes = tuple((relabel(u, {**scope, **{i: i for i, _, _ in over}}, labels), sign, over) for u, sign, over in d.holes)
    return Definition(d.target, tuple(scope.get(i, i) for i in d.indices), relabel(d.expr, scope, labels), ranges, d.note, holes)


def letter_of(expr: sp.Expr) -> str:
    """a for activations, p for shares, z for weighted sums, v for any other value."""
    if isinstance(expr, ACTIVATIONS):
        return "a"
    if any(isinstance(f, sp.Pow) and is_exp_sum(f.base) for f in sp.Mul.make_args(expr)):
        return "p"
    return "z" if any(isinstance(f, sp.Sum) for t in sp.Add.make_args(expr) for f in sp.Mul.make_args(t)) else "v"
