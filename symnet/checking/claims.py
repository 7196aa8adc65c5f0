"""A claim is a Program in the tensors of a derivation; its last line is the claimed value, those before it are its own definitions."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from itertools import islice

import sympy as sp

from symnet.core.expressions import rebuild
from symnet.core.functions import step
from symnet.core.program import Definition, Program, right_side_at, unfoldings
from symnet.core.tensors import Tensor, entry_indices, free_name, tensor_name
from symnet.errors import NameError_, ShapeError, did_you_mean
from symnet.indexing.index_array import IndexArray

DEEPEST = 100  # lines, one inside the other


def claim_of(value: IndexArray, full: Program) -> Program:
    """The claim that a text makes: ``value`` is written in the tensors of ``full`` and in lines of its own."""
    own = {d.name for d in value.lines}
    target = Tensor(free_name("answer", {*full.tensors, *own}), value.axes)
    last = Definition(target, value.indices, value.expr, holes=value.holes)
    return Program(tuple(t for t in full.tensors.values() if t.name not in own), (*value.lines, last), target.name)


def claimed(claim: Program) -> IndexArray:
    """The last line of a claim, with the lines before it. Raises ShapeError where it is defined step by step."""
    *lines, last = claim.definitions
    if len(claim.by_name[last.name]) > 1 or any(not i.is_Symbol for i in last.indices):
        raise ShapeError("claim", f"{last.name}, which is defined step by step", "one line for the claimed value")
    return IndexArray.over(last.target.axes, last.indices, last.expr, last.holes, tuple(lines))


def in_tensors_of(program: Program, full: Program) -> Program:
    """Somebody's program as a claim: its inputs are the tensors of ``full`` by name, and its lines get names that ``full`` does not have.

    Raises NameError_ for an input that ``full`` lacks and ShapeError for one of another shape.
    """
    taken = {*full.tensors, *map(str, full.sizes)}
    inputs = tuple(_same_input(t, full) for t in program.inputs)
    own: dict[sp.Basic, sp.Basic] = {t.base: mine.base for t, mine in zip(program.inputs, inputs, strict=True)}
    targets: dict[str, Tensor] = {}
    for name, lines in program.by_name.items():
        targets[name] = replace(lines[0].target, name=free_name(f"code_{name}", taken))
        taken.add(targets[name].name)
        own[lines[0].target.base] = targets[name].base
    made = tuple(replace(d, target=targets[d.name], expr=_in_steps(d.expr.xreplace(own)),
                         holes=tuple((_in_steps(u.xreplace(own)), sign, over) for u, sign, over in d.holes)) for d in program.definitions)
    return replace(program, inputs=inputs, definitions=made, objective=targets[program.objective].name)


def _same_input(tensor: Tensor, full: Program) -> Tensor:
    mine = full.tensors.get(tensor.name)
    if mine is None:
        raise NameError_("claim", f"no input named {tensor.name!r}", "an input of the derivation", did_you_mean(tensor.name, full.tensors))
    if [a.range for a in mine.axes] != [a.range for a in tensor.axes]:
        raise ShapeError("claim", f"{tensor.name} of shape {tensor.shape}", f"shape {mine.shape}, as in the derivation")
    return mine


def unfolded(value: IndexArray, known: Container[str], lines: Mapping[str, tuple[Definition, ...]]) -> IndexArray:
    """``value`` with every name that is not ``known`` unfolded, where it has one line."""
    def right_side(e: sp.Expr) -> sp.Expr | None:
        own = lines.get(tensor_name(e), ()) if tensor_name(e) not in known else ()
        return right_side_at(own[0], entry_indices(e)) if len(own) == 1 else None
    *_, expr = islice(unfoldings(value.expr, right_side), DEEPEST + 1)
    return replace(value, expr=expr)


def in_names_of(claim: Program, full: Program, instead: Definition | None = None) -> IndexArray:
    """What the last line of a claim says in the names of ``full``: its own lines are put in, where each has one formula.

    ``instead`` is another line for one of them.
    """
    lines = claim.by_name if instead is None else {**claim.by_name, instead.name: (instead,)}
    return replace(unfolded(claimed(claim), full.tensors, lines), lines=())


def _in_steps(expr: sp.Expr) -> sp.Expr:
    """Cases on data as sums of steps, [u > 0] = step(u): {a where u > 0, else b} is b + step(u) (a - b), the same at 0 too."""
    if not expr.has(sp.Piecewise):
        return expr
    args = tuple(_in_steps(a) if isinstance(a, sp.Expr) else a for a in expr.args)
    if not isinstance(expr, sp.Piecewise):
        return rebuild(expr, args)
    made: sp.Expr | None = None
    for body, condition in reversed(expr.args):
        holds = _step_of(condition)
        if holds is None:
            return expr
        made = _in_steps(body) if made is None and condition is sp.true else None if made is None else \
            made + holds * (_in_steps(body) - made)
        if made is None:
            return expr
    return made


def _step_of(condition: sp.Basic) -> sp.Expr | None:
    """1 where the condition holds, else 0, by steps."""
    if condition in (sp.true, sp.false):
        return sp.Integer(condition is sp.true)
    if isinstance(condition, (sp.And, sp.Or, sp.Not)):
        parts = [p for c in condition.args if (p := _step_of(c)) is not None]
        if len(parts) < len(condition.args):
            return None
        if isinstance(condition, sp.And):
            return sp.Mul(*parts)
        others = sp.Mul(*[1 - p for p in parts])
        return others if isinstance(condition, sp.Not) else 1 - others
    if not isinstance(condition, (sp.Gt, sp.Ge, sp.Lt, sp.Le, sp.Eq, sp.Ne)):
        return None
    a, b = condition.args
    if isinstance(condition, (sp.Eq, sp.Ne)):
        equal = (1 - step(a - b)) * (1 - step(b - a))
        return equal if isinstance(condition, sp.Eq) else 1 - equal
    above = a - b if isinstance(condition, (sp.Gt, sp.Le)) else b - a
    return step(above) if isinstance(condition, (sp.Gt, sp.Lt)) else 1 - step(above)
