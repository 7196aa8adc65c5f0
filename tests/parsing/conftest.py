"""Shared: are two readings of a text the same array?"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import pytest

from symnet.calculus.instantiate import instantiate_program
from symnet.core.expressions import entries
from symnet.core.index_evaluation import span
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor, tensor_name
from symnet.equality.compare import compare, prove_equal
from symnet.indexing.index_array import IndexArray


@pytest.fixture(scope="session")
def same_value() -> Callable[[IndexArray, IndexArray, Mapping[str, Tensor]], bool]:
    """Equal for all sizes, or entry by entry at sizes that are all different."""
    def same(left: IndexArray, right: IndexArray, tensors: Mapping[str, Tensor]) -> bool:
        there = left.expr.xreplace(dict(zip(left.indices, right.indices, strict=True)))
        if prove_equal(there, right.expr).holds:
            return True
        lines = tuple(Definition(Tensor(n, right.axes), right.indices, e) for n, e in (("left", there), ("right", right.expr)))
        used = dict.fromkeys(tensor_name(e) for d in lines for e in entries(d.expr))
        program = Program(tuple(tensors[n] for n in used), lines, "right")
        scalars, at = instantiate_program(program, {str(s): n for s, n in zip(program.sizes, (3, 2, 4), strict=False)})
        values = {d.entry: d.expr for d in scalars.definitions}
        places = itertools.product(*[span(a.range, at.env) for a in right.axes])
        return all(compare(values[at("left", p)], values[at("right", p)]).holds for p in places)
    return same
