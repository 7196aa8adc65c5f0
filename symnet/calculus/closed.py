"""Closed forms: every intermediate put in, an expression in the inputs alone."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symnet.core.derivation import Derivation
from symnet.core.expressions import as_written, entries, fresh, substitute
from symnet.core.labels import Labels, relabel
from symnet.core.program import Definition, Program
from symnet.core.schedule import schedule
from symnet.core.tensors import entry_indices, tensor_name
from symnet.errors import NameError_, ShapeError


def closed_form(derivation: Derivation, name: str) -> sp.Expr:
    """The gradient with respect to ``name`` (or the value of a definition, by its own name) in the inputs alone.

    A tensor's closed form is written with the indices of its definition. Raises ShapeError for a recurrence with a
    symbolic number of steps: it has none, instantiate it first.
    """
    program = derivation.full
    target = derivation.names.get(name, name)
    with as_written():
        return _closed(program, program[target].name)


def closed_scalars(program: Program, given: Mapping[sp.Basic, sp.Expr] | None = None) -> dict[sp.Basic, sp.Expr]:
    """Each line of a program of scalars with everything put in, by its entry; ``given`` are expressions for its inputs."""
    there = dict(given or {})
    for d in program.definitions:
        there[d.entry] = d.expr.xreplace(there)
    return there


def _closed(program: Program, name: str) -> sp.Expr:
    """Put in definition after definition, in order, each already closed; only what ``name`` needs."""
    needed = _needed(program, name)
    known: dict[str, Definition] = {}
    for block in schedule(program):
        names = {d.name for d in block.definitions} & needed
        if not names:
            continue
        if block.is_loop or any(len(program.by_name[n]) > 1 for n in names):
            raise ShapeError(f"closed form of {name}", f"{sorted(names)[0]} is defined step by step along an axis",
                             "a derivation without a recurrence", "instantiate(sizes) first")
        d = block.definitions[0]
        known[d.name] = Definition(d.target, d.indices, _put_in(d.expr, known), d.ranges)
    if name not in known:
        raise NameError_(f"closed form of {name}", "an input", "a gradient or a definition")
    d = known[name]
    return relabel(d.expr, {i: i for i in d.free}, Labels.of(program))


def _needed(program: Program, name: str) -> set[str]:
    found, stack = {name}, [name]
    while stack:
        for used in program.uses(stack.pop()):
            if used not in found:
                found.add(used)
                stack.append(used)
    return found


def _put_in(expr: sp.Expr, known: dict[str, Definition]) -> sp.Expr:
    """Replace entries by their closed forms; an entry may stand under a sum and use its index, so that is no capture."""
    expr = fresh(expr)
    mapping = {}
    for entry in set(entries(expr)):
        d = known.get(tensor_name(entry))
        if d is not None:
            mapping[entry] = substitute(fresh(d.expr), dict(zip(d.indices, entry_indices(entry), strict=True)))
    return expr.xreplace(mapping)
