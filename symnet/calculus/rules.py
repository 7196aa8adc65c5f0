"""Which rule a step used, read off the contributions it was computed from."""

from __future__ import annotations

import sympy as sp

from symnet.core.derivation import Contribution, Rule
from symnet.core.expressions import entries
from symnet.core.functions import conventions
from symnet.core.matrices import Det, InverseEntry
from symnet.core.program import Assumption, Program
from symnet.core.tensors import entry_indices, has_name, tensor_name
from symnet.core.text import TextPrinter


def rule_of(program: Program, name: str, terms: tuple[Contribution, ...], inlined: tuple[str, ...], alone: bool) -> Rule:
    """The name of the rule; the most telling one when several apply. ``alone`` says that the step is for a single place."""
    if not terms:
        return Rule.ABSENT if name != program.objective else Rule.DIRECT
    if inlined:
        return Rule.SUBSTITUTED
    if any(_shifted(t) and _recurs(program, t.through.name) for t in terms):
        return Rule.RECURRENCE
    if alone:
        return Rule.BOUNDARY
    kinds = {type(m) for t in terms for m in _matrices(t, name)}
    if kinds:
        return Rule.INVERSE if InverseEntry in kinds else Rule.DETERMINANT
    if all(t.upstream == 1 for t in terms):
        return Rule.DIRECT
    if len(terms) > 1:
        return Rule.SUM_OVER_USES
    return _single(name, terms[0])


def _single(name: str, term: Contribution) -> Rule:
    if not term.through.indices and not entry_indices(term.occurrence):
        return Rule.CHAIN
    if term.sums and not list(entries(term.local)):
        return Rule.BROADCAST
    if term.sums and not has_name(term.local, {name, term.through.name}):
        return Rule.LINEAR
    return Rule.SUM_OVER_USES if term.sums else Rule.ELEMENTWISE


def _matrices(term: Contribution, name: str) -> list[Det | InverseEntry]:
    """The determinants and inverses of a right side whose matrix uses ``name``."""
    found = term.through.expr.atoms(Det, InverseEntry)
    return sorted((m for m in found if has_name(m.matrix, {name})), key=str)


def _shifted(term: Contribution) -> bool:
    """True when the upstream gradient is taken at a neighbouring place."""
    return any(isinstance(e, sp.Add) and len(term.conditions) == 0 for e in entry_indices(term.upstream))


def _recurs(program: Program, name: str) -> bool:
    """True when a tensor depends on other places of itself; a shift by padding alone is no recurrence."""
    seen, stack = set[str](), [name]
    while stack:
        for used in program.uses(stack.pop()):
            if used == name:
                return True
            if used not in seen:
                seen.add(used)
                stack.append(used)
    return False


def conditions_of(terms: tuple[Contribution, ...], used: tuple[Assumption, ...]) -> tuple[str, ...]:
    """The side conditions of a step: kink conventions of the functions differentiated, matrices that must have an inverse, and
    declared assumptions."""
    kinks = dict.fromkeys(c for t in terms for c in conventions(t.through.expr))
    print_ = TextPrinter()
    inverted = {m.matrix: None for t in terms for m in _matrices(t, tensor_name(t.occurrence))}
    invertible = dict.fromkeys(f"{print_.matrix(m)} has an inverse" for m in inverted)
    return (*kinks, *invertible, *(f"declared: {a}" for a in used))
