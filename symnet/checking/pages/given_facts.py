"""What the numbers of a worksheet say of an array: the entries of y = [0, 1, 0] add up to 1.

A page that works with these numbers may lean on it, as p - y does for the slope of a cross-entropy by the logits. It is a fact of the
numbers, so it falls where the page gives others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import sympy as sp

from symnet.core.derivation import Derivation
from symnet.core.program import Assumption, Program
from symnet.indexing.index_array import new_indices


def with_given_facts(derivation: Derivation) -> Derivation:
    """The derivation with the fact declared, for every input whose given rows are shares that add up to 1."""
    program = derivation.program
    made = tuple(a for t in program.inputs if t.axes and t.name in derivation.values and _are_shares(derivation.values[t.name])
                 for a in _add_up(program, t.name))
    if not made:
        return derivation
    known = (*program.assumptions, *made)
    return replace(derivation, program=replace(program, assumptions=known), full=replace(derivation.full, assumptions=known))


def _are_shares(value: Any) -> bool:
    if not isinstance(value, Sequence) or not value:
        return False
    if any(isinstance(row, Sequence) for row in value):
        return all(map(_are_shares, value))
    entries = [sp.Integer(x) if isinstance(x, int) else x for x in value]
    return all(isinstance(x, sp.Rational) and x >= 0 for x in entries) and sum(entries) == 1


def _add_up(program: Program, name: str) -> Iterator[Assumption]:
    tensor = program[name]
    places = new_indices(tensor.axes)
    fact = Assumption(sp.Sum(tensor[places], (places[-1], *tensor.axes[-1].range)), sp.S.One)
    if str(fact) not in map(str, program.assumptions):
        yield fact
