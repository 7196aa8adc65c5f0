"""Which rule a step used, read off the terms it was computed from."""

from __future__ import annotations

import sympy as sp

from symnet.calculus.chain import Term
from symnet.calculus.pieces import Piece
from symnet.core.derivation import Rule
from symnet.core.expressions import entries
from symnet.core.functions import conventions
from symnet.core.program import Assumption, Program
from symnet.core.tensors import entry_indices, has_name


def rule_of(program: Program, name: str, piece: Piece, inlined: tuple[str, ...]) -> Rule:
    """The name of the rule; the most telling one when several apply."""
    if not piece.terms:
        return Rule.ABSENT if name != program.objective else Rule.DIRECT
    if inlined:
        return Rule.SUBSTITUTED
    if any(_shifted(t) for t in piece.terms):
        return Rule.RECURRENCE
    if piece.split is not None and piece.alone:
        return Rule.BOUNDARY
    if all(t.upstream == 1 for t in piece.terms):
        return Rule.DIRECT
    if len(piece.terms) > 1:
        return Rule.SUM_OVER_USES
    return _single(name, piece.terms[0])


def _single(name: str, term: Term) -> Rule:
    if not term.through.indices and not entry_indices(term.occurrence):
        return Rule.CHAIN
    if term.sums and not list(entries(term.local)):
        return Rule.BROADCAST
    if term.sums and not has_name(term.local, {name, term.through.name}):
        return Rule.LINEAR
    return Rule.SUM_OVER_USES if term.sums else Rule.ELEMENTWISE


def _shifted(term: Term) -> bool:
    """True when the upstream gradient is taken at a neighbouring place."""
    return any(isinstance(e, sp.Add) and len(term.conditions) == 0 for e in entry_indices(term.upstream))


def conditions_of(piece: Piece, used: tuple[Assumption, ...]) -> tuple[str, ...]:
    """The side conditions of a step: kink conventions of the functions differentiated, and declared assumptions."""
    kinks = dict.fromkeys(c for t in piece.terms for c in conventions(t.through.expr))
    return (*kinks, *(f"declared: {a}" for a in used))
