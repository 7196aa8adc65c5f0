"""Which rule a step used, read off the contributions it was computed from."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symnet.calculus.stopping import is_stopped
from symnet.core.derivation import Contribution, Rule
from symnet.core.expressions import entries
from symnet.core.functions import conventions
from symnet.core.matrices import Det, InverseEntry
from symnet.core.program import Assumption, Definition, Program
from symnet.core.tensors import entry_indices, has_name, tensor_name
from symnet.core.text import TextPrinter


def rule_of(program: Program, of: str, line: Definition, terms: Sequence[Contribution], inlined: tuple[str, ...]) -> Rule:
    """The name of the rule by which ``line``, the gradient of ``of``, follows from ``terms``; the most telling one when several apply."""
    if not terms:
        return Rule.DIRECT if of == program.objective else Rule.STOPPED if is_stopped(program, of) else Rule.ABSENT
    if inlined:
        return Rule.SUBSTITUTED
    if any(_shifted(c, line) and recurs(program, c.through.name) for c in terms):
        return Rule.RECURRENCE
    if _at_an_end(program, of, line):
        return Rule.BOUNDARY
    kinds = {type(m) for c in terms for m in _matrices(c, of)}
    if kinds:
        return Rule.INVERSE if InverseEntry in kinds else Rule.DETERMINANT
    if all(c.upstream == 1 for c in terms):
        return Rule.DIRECT
    return _single(of, terms[0]) if len(terms) == 1 else Rule.SUM_OVER_USES


def _at_an_end(program: Program, of: str, line: Definition) -> bool:
    """True for the line of a single place, the first or the last of its axis."""
    axes = program[of].axes
    own = line.indices[len(line.indices) - len(axes):]
    return any(i not in line.free and i in axis.range for i, axis in zip(own, axes, strict=True))


def _single(of: str, c: Contribution) -> Rule:
    """The rule of a value that enters one definition only."""
    if not c.through.indices and not any(entry_indices(use) for use in c.occurrences):
        return Rule.CHAIN
    if c.sums and not list(entries(c.local)):
        return Rule.BROADCAST
    if not has_name(c.local, {of, c.through.name}):
        return Rule.LINEAR
    if c.sums:
        return Rule.SUM_OVER_USES
    own, alone = entry_indices(c.occurrences[0]), len(c.occurrences) == 1
    return Rule.ELEMENTWISE if alone and own and set(own) == set(c.through.indices) == set(c.through.free) else Rule.CHAIN


def _matrices(term: Contribution, name: str) -> list[Det | InverseEntry]:
    """The determinants and inverses of a right side whose matrix uses ``name``."""
    found = term.through.expr.atoms(Det, InverseEntry)
    return sorted((m for m in found if has_name(m.matrix, {name})), key=str)


def _shifted(c: Contribution, line: Definition) -> bool:
    """True when the upstream gradient is taken at a neighbouring place of the one that ``line`` is about."""
    fixed = {i for i in line.indices if i.is_Integer}
    places = entry_indices(c.upstream)
    return not c.conditions and any(isinstance(e, sp.Add) or (e.is_Integer and fixed and e not in fixed) for e in places)


def recurs(program: Program, name: str) -> bool:
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


def conditions_of(terms: Sequence[Contribution], used: tuple[Assumption, ...], smooth: tuple[sp.Expr, ...] = ()) -> tuple[str, ...]:
    """The side conditions of a step: kink conventions of the functions differentiated, the u = 0 at which both sides agree and their
    slope comes before a convention, matrices that must have an inverse, and declared assumptions."""
    kinks = dict.fromkeys(c for t in terms for c in conventions(t.through.expr))
    print_ = TextPrinter()
    inverted = {m.matrix: None for t in terms for m in _matrices(t, tensor_name(t.occurrences[0]))}
    invertible = dict.fromkeys(f"{print_.matrix(m)} has an inverse" for m in inverted)
    agreed = (f"at {print_(u)} = 0 the slopes of both sides agree, and theirs is taken" for u in smooth)
    return (*kinks, *agreed, *invertible, *(f"declared: {a}" for a in used))
