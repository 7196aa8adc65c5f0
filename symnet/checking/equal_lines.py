"""Two lines of a program: are they equal, entry by entry, for all values of its inputs?"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symnet.calculus.closed import closed_scalars
from symnet.checking.answers import judged, sums_up
from symnet.checking.answers_sizes import Question
from symnet.checking.domains import classes_of
from symnet.core.derivation import Derivation
from symnet.core.expressions import substitute
from symnet.core.program import Hole, Program
from symnet.core.verdict import Answer, Verdict
from symnet.equality.compare import compare
from symnet.equality.domain import Domain
from symnet.indexing.index_array import IndexArray


def compare_lines(program: Program, left: str, right: str) -> Verdict:
    """The verdict on left = right, two lines of ``program`` by name; both are claims, and either may lack a value where the other has one.

    Each must be one line over all its places.
    """
    a, b = program[left], program[right]
    if [x.size for x in a.axes] != [x.size for x in b.axes]:
        shapes = " and ".join(str(t.shape) if t.axes else "a single number" for t in (a, b))
        return Verdict(Answer.REFUTED, "shape", reason=f"the shapes differ: {shapes}")
    if not any(t.axes for t in program.tensors.values()) and not sums_up(d.expr for d in program.definitions):
        there = closed_scalars(program)
        sides = [there[t[()]] for t in (a, b)]
        asked = [tuple(_put_in(h, there) for d in program.by_name[t.name] for h in d.holes) for t in (a, b)]
        return compare(sides[0], sides[1], program.assumptions, asked[0], asked[1], Domain((), classes_of(program), (), ""))
    found = _judged(program, left, right)
    if found.answer is not Answer.PROVED:
        return found
    turned = _judged(program, right, left)  # what the left side asks for restricts the equality as well
    return turned if turned.answer in (Answer.ALMOST_EVERYWHERE, Answer.CONDITIONAL) else found


def _judged(program: Program, aim: str, claim: str) -> Verdict:
    """Is ``claim`` equal to ``aim`` where that has a value?"""
    whole = replace(program, objective=aim)
    (line,) = program.by_name[claim]
    value = IndexArray.over(line.target.axes, line.indices, line.expr, line.holes)
    return judged(Question(Derivation(whole, whole, (), (), {}), aim, program.assumptions), value, "", "other side", "")


def _put_in(hole: Hole, there: dict[sp.Basic, sp.Expr]) -> Hole:
    u, sign, over = hole
    return substitute(u, there), sign, over
