"""Two lines of a program: are they equal, entry by entry, for all values of its inputs?"""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symnet.calculus import derive
from symnet.calculus.closed import closed_scalars
from symnet.checking.answers import check_answer
from symnet.checking.domains import classes_of
from symnet.core.expressions import substitute, total
from symnet.core.program import Definition, Hole, Program
from symnet.core.tensors import Role, Tensor, free_name
from symnet.core.verdict import Answer, Verdict
from symnet.equality.compare import compare
from symnet.equality.domain import Domain


def compare_lines(program: Program, left: str, right: str) -> Verdict:
    """The verdict on left = right, two lines of ``program`` by name; both are claims, and either may lack a value where the other has one.

    Arrays are compared as every gradient is: v is the gradient of sum(q*v) in q.
    """
    a, b = program[left], program[right]
    if [x.size for x in a.axes] != [x.size for x in b.axes]:
        shapes = " and ".join(str(t.shape) if t.axes else "a single number" for t in (a, b))
        return Verdict(Answer.REFUTED, "shape", reason=f"the shapes differ: {shapes}")
    if not any(t.axes for t in program.tensors.values()):
        there = closed_scalars(program)
        sides = [there[t[()]] for t in (a, b)]
        asked = [tuple(_put_in(h, there) for d in program.by_name[t.name] for h in d.holes) for t in (a, b)]
        return compare(sides[0], sides[1], program.assumptions, asked[0], asked[1], Domain((), classes_of(program), (), ""))
    taken = dict(program.tensors)
    q = Tensor(free_name("q", taken), a.axes, "real", Role.INPUT)
    goal = Tensor(free_name("total", taken))
    places = tuple(sp.Dummy("i", integer=True) for _ in a.axes)
    body = a[places] * q[places] if places else a[()] * q[()]
    line = Definition(goal, (), total(body, tuple((i, *x.range) for i, x in reversed(list(zip(places, a.axes, strict=True))))))
    whole = replace(program, inputs=(*program.inputs, q), definitions=(*program.definitions, line), objective=goal.name)
    found = check_answer(right, derive(whole, [q.name]), q.name)
    return replace(found, reason="these are the transposes of one another") if found.answer is Answer.REFUTED and found.reason else found


def _put_in(hole: Hole, there: dict[sp.Basic, sp.Expr]) -> Hole:
    u, sign, over = hole
    return substitute(u, there), sign, over
