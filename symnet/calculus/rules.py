"""Which rule a step used, read off the terms it was computed from."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from symnet.calculus.chain import Term
from symnet.calculus.pieces import Piece
from symnet.core.derivation import Contribution, Rule
from symnet.core.expressions import entries
from symnet.core.functions import conventions
from symnet.core.matrices import Det, InverseEntry
from symnet.core.program import Assumption, Program
from symnet.core.tensors import entry_indices, has_name, tensor_name
from symnet.core.text import TextPrinter


def rule_of(program: Program, name: str, piece: Piece, shares: Sequence[Contribution], inlined: tuple[str, ...]) -> Rule:
    """The name of the rule; the most telling one when several apply."""
    if not shares:
        return Rule.ABSENT if name != program.objective else Rule.DIRECT
    if inlined:
        return Rule.SUBSTITUTED
    if any(_shifted(c) and _recurs(program, c.through.name) for c in shares):
        return Rule.RECURRENCE
    if piece.split is not None and piece.alone and piece.spans[piece.split][0] in program[name].axes[piece.split].range:
        return Rule.BOUNDARY
    kinds = {type(m) for t in piece.terms for m in _matrices(t, name)}
    if kinds:
        return Rule.INVERSE if InverseEntry in kinds else Rule.DETERMINANT
    if all(c.upstream == 1 for c in shares):
        return Rule.DIRECT
    return _single(name, shares[0]) if len(shares) == 1 else Rule.SUM_OVER_USES


def _single(name: str, c: Contribution) -> Rule:
    """The rule of a value that enters one definition only."""
    if c.sums and not list(entries(c.local)):
        return Rule.BROADCAST
    if not has_name(c.local, {name, c.through.name}):
        return Rule.LINEAR
    if c.sums:
        return Rule.SUM_OVER_USES
    own, alone = entry_indices(c.occurrences[0]), len(c.occurrences) == 1
    return Rule.ELEMENTWISE if alone and own and set(own) == set(c.through.indices) == set(c.through.free) else Rule.CHAIN


def _matrices(term: Term, name: str) -> list[Det | InverseEntry]:
    """The determinants and inverses of a right side whose matrix uses ``name``."""
    found = term.through.expr.atoms(Det, InverseEntry)
    return sorted((m for m in found if has_name(m.matrix, {name})), key=str)


def _shifted(c: Contribution) -> bool:
    """True when the upstream gradient is taken at a neighbouring place."""
    return any(isinstance(e, sp.Add) and len(c.conditions) == 0 for e in entry_indices(c.upstream))


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


def conditions_of(piece: Piece, used: tuple[Assumption, ...]) -> tuple[str, ...]:
    """The side conditions of a step: kink conventions of the functions differentiated, matrices that must have an inverse, and
    declared assumptions."""
    kinks = dict.fromkeys(c for t in piece.terms for c in conventions(t.through.expr))
    print_ = TextPrinter()
    inverted = {m.matrix: None for t in piece.terms for m in _matrices(t, tensor_name(t.occurrence))}
    invertible = dict.fromkeys(f"{print_.matrix(m)} has an inverse" for m in inverted)
    return (*kinks, *invertible, *(f"declared: {a}" for a in used))
