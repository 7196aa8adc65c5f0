"""Slopes of one line of a program by a name above it, as an answer writes them in a chain: dL/da * da/dz * dz/dw."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symnet.calculus import derive
from symnet.core.derivation import Derivation
from symnet.core.expressions import BINDERS, When, entries
from symnet.core.program import Program
from symnet.core.tensors import Tensor, same_name, tensor_name
from symnet.errors import NameError_
from symnet.indexing.index_array import IndexArray, new_indices, number, of_tensor
from symnet.parsing.claim_prefix import LOSSES


def slope_of(derivation: Derivation, usable: Mapping[str, Tensor], above: str, below: str, asked: str) -> IndexArray | None:
    """The slope d above/d below in names of the program; None where it has none here.

    Numbers have one by each other. An array has one by another where each entry depends on the entry at the same place alone, and
    then it is the array of these slopes. The slope that is asked for is never given.
    """
    program = derivation.program
    top, under = same_name(above, program.tensors), same_name(below, program.tensors)
    if top is None and above in LOSSES:
        top = derivation.objective
    if top is None or under is None or (top == derivation.objective and under == asked):
        return None
    if top == derivation.objective:
        found = [t for t in usable.values() if t.of == under and t.objective == top]
        return of_tensor(found[0]) if found else _scalar(program, top, under)
    return _scalar(program, top, under) if not program[top].axes and not program[under].axes else _entrywise(program, top, under)


def activation_of(program: Program, below: str) -> str | None:
    """The one name whose line is a function of this one alone: a for a = tanh(z). A book may call that function f, g or phi."""
    found = [n for n in program.by_name if n != program.objective and set(program.uses(n)) == {below}
             and program[n].shape == program[below].shape]
    return found[0] if len(found) == 1 else None


def depends(program: Program, above: str, below: str) -> bool:
    """Does a line use another name, by way of other lines or not?"""
    return above in program.by_name and (below in program.uses(above) or other_way(program, above, below))


def _scalar(program: Program, above: str, below: str) -> IndexArray | None:
    if program[above].axes or program[below].axes or above not in program.by_name:
        return None
    _, expr = local_slope(program, above, below)
    return number(expr)


def _entrywise(program: Program, above: str, below: str) -> IndexArray | None:
    """d above/d below where above[i, j] is a function of below[i, j], in one line, and of nothing else that depends on it."""
    lines = program.by_name.get(above, ())
    if len(lines) != 1 or program[above].shape != program[below].shape or other_way(program, above, below):
        return None
    line = lines[0]
    met = [e for e in entries(line.expr) if tensor_name(e) == below]
    held = Tensor("held_")[()]
    expr = line.expr.xreplace(dict.fromkeys(met, held))
    if not met or any(tuple(e.indices) != line.indices for e in met) or any(node.has(held) for node in expr.atoms(*BINDERS, When)):
        return None
    places = new_indices(line.target.axes)
    slope = expr.diff(held).xreplace({held: program[below][line.indices]})
    return IndexArray.over(line.target.axes, places, slope.xreplace(dict(zip(line.indices, places, strict=True))))


def other_way(program: Program, above: str, below: str) -> bool:
    """Does a name that ``above`` uses depend on ``below`` too?"""
    seen, stack = set[str](), [n for n in program.uses(above) if n != below]
    while stack:
        name = stack.pop()
        if name == below:
            return True
        if name not in seen:
            seen.add(name)
            stack += program.uses(name)
    return False


def direct_slope(program: Program, above: str, below: str) -> sp.Expr | None:
    """d above/d below in the one line of a number, every other name of it held; None where that is the whole slope, or there is none.

    In z2 = u*x2 + v*h1 with h1 = tanh(u*x1), dz2/du may be meant as x2, as it stands in a sum over the steps, or as all of it.
    """
    if above not in program.by_name or below not in program.uses(above) or not other_way(program, above, below):
        return None
    given = tuple(program[n] for n in program.uses(above))
    return _in_forward_names(derive(Program(given, program.by_name[above], above), [below]), below)


def _in_forward_names(made: Derivation, below: str) -> sp.Expr:
    there: dict[sp.Basic, sp.Expr] = {}
    for d in made.full.definitions:
        if d.target.of:
            there[d.entry] = d.expr.xreplace(there)
    return there[made.full[made.gradient_name(below)][()]]


def local_slope(program: Program, above: str, below: str) -> tuple[Derivation | None, sp.Expr]:
    """d above/d below for numbers, in names of the forward pass, and how it was found; ``below`` is held as given."""
    if above == below:
        return None, sp.S.One
    if above not in program.by_name:
        raise NameError_("line", f"nobody defined {above!r}", "a line of the worksheet")
    upto = max(k for k, d in enumerate(program.definitions) if d.name == above)
    made = derive(_independent(Program(program.inputs, program.definitions[: upto + 1], above), below), [below])
    return made, _in_forward_names(made, below)


def _independent(program: Program, name: str) -> Program:
    """The program that starts at ``name``: its own definition and what only leads to it become given."""
    if name not in program.by_name:
        return program
    kept = [d for d in program.definitions if d.name != name]
    return Program((*program.inputs, program[name]), tuple(kept), program.objective)
