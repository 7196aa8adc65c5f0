"""The proof of a claim: left = ratio · right, for all sizes, else entry by entry at the two choices of sizes that answers are checked at.

There, first every forward value is a symbol of its own, which makes short formulas: what is equal then is equal. Where that does not
prove it, all of them are put in.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, product

import sympy as sp

from symnet.calculus.closed import closed_scalars
from symnet.calculus.instantiate import Entries, instantiate_program
from symnet.checking.answers import line_asked
from symnet.checking.claims import claim_of
from symnet.checking.question import Question
from symnet.checking.slips.setting import Claim, Setting
from symnet.core.expressions import entries
from symnet.core.program import Assumption, Definition, Program
from symnet.core.tensors import Tensor, entry_indices, free_name, tensor_name
from symnet.core.verdict import Answer
from symnet.equality.assumption_solving import solved
from symnet.equality.compare import prove_equal
from symnet.errors import SymnetError
from symnet.indexing.index_array import IndexArray

MOST = 64  # choices of the places that are 1, for one entry
EQUAL = (Answer.PROVED, Answer.ALMOST_EVERYWHERE)


def proved(setting: Setting, claim: Claim, ratio: sp.Expr = sp.S.One, facts: tuple[Assumption, ...] | None = None) -> bool:
    """Does left = ratio · right hold for all values for which the ``facts`` (what is declared) hold?"""
    known = setting.declared if facts is None else facts
    if setting.entrywise is not None:
        return setting.entrywise.proved(setting, claim, ratio, known)
    if setting.sizes and _for_all_sizes(setting, claim, ratio, known):
        return True
    return all(_at(setting, claim, ratio, choice, known) for choice in range(2 if setting.sizes else 1))


def _for_all_sizes(setting: Setting, claim: Claim, ratio: sp.Expr, facts: tuple[Assumption, ...]) -> bool:
    """Is it seen at once, as an answer is judged?"""
    try:
        lines, left, right = claim_lines(setting, claim, ratio)
        lines = [*setting.program.definitions, *_needed(lines, [left, right]), right]
        asked = line_asked(Program(setting.program.inputs, tuple(lines)), right.name)
        value = IndexArray.over(left.target.axes, left.indices, left.expr)
        found = Question(asked, right.name, claim_of(value, asked.full), facts).for_all_sizes()
    except (SymnetError, RecursionError):
        return False
    return found is not None and found.answer in EQUAL


def _at(setting: Setting, claim: Claim, ratio: sp.Expr, choice: int, facts: tuple[Assumption, ...]) -> bool:
    for closed in (False, True):
        try:
            if _entries_equal(setting, claim, ratio, choice, facts, closed):
                return True
        except (SymnetError, ZeroDivisionError):
            continue
        if setting.late:
            return False
    return False


def _entries_equal(setting: Setting, claim: Claim, ratio: sp.Expr, choice: int, facts: tuple[Assumption, ...], closed: bool) -> bool:
    scalars, made, left, right = _at_sizes(setting, claim, ratio, choice, facts, closed)
    there = solved(scalars.assumptions)
    if there is None:
        return False
    values = closed_scalars(scalars, there)
    return _same(setting, [(values[made(left.name, p)], values[made(right.name, p)]) for p in made.places(left.name)])


def _same(setting: Setting, pairs: list[tuple[sp.Expr, sp.Expr]]) -> bool:
    return bool(pairs) and all(a == b or (not setting.late and prove_equal(a, b).answer in EQUAL) for a, b in pairs)


def proved_one_hot(setting: Setting, claim: Claim, ratio: sp.Expr, name: str) -> bool:
    """Does left = ratio · right hold whenever ``name`` is one-hot along its last axis? Every entry is proved for every choice of the
    places that are 1, in the rows that it uses."""
    try:
        return all(_one_hot_at(setting, claim, ratio, choice, name) for choice in range(2 if setting.sizes else 1))
    except (SymnetError, ZeroDivisionError):
        return False


def _one_hot_at(setting: Setting, claim: Claim, ratio: sp.Expr, choice: int, name: str) -> bool:
    scalars, made, left, right = _at_sizes(setting, claim, ratio, choice, (), False)
    values = closed_scalars(scalars)
    rows: dict[tuple[int, ...], list[sp.Expr]] = {}
    for place in made.places(name):
        rows.setdefault(place[:-1], []).append(made(name, place))
    for place in made.places(left.name):
        a, b = values[made(left.name, place)], values[made(right.name, place)]
        used = [row for row in rows.values() if (a.free_symbols | b.free_symbols) & set(row)]
        chosen = list(islice(product(*used), MOST + 1))
        if len(chosen) > MOST:
            return False
        ones = [{s: sp.Integer(s in hot) for row in used for s in row} for hot in chosen]
        if not _same(setting, [(a.xreplace(there), b.xreplace(there)) for there in ones]):
            return False
    return True


def _at_sizes(setting: Setting, claim: Claim, ratio: sp.Expr, choice: int, facts: tuple[Assumption, ...],
              closed: bool) -> tuple[Program, Entries, Tensor, Tensor]:
    """The scalar program of both sides, and the tensors that they are."""
    program, left, right = _program(setting, claim, ratio, facts, closed)
    known = {str(s): n for s, n in setting.numbers_for(choice).items()}
    return *instantiate_program(program, {str(s): known[str(s)] for s in program.sizes}), left, right


def _program(setting: Setting, claim: Claim, ratio: sp.Expr, facts: tuple[Assumption, ...], closed: bool) -> tuple[Program, Tensor, Tensor]:
    """The lines that the two sides need, then the two sides."""
    lines, left, right = claim_lines(setting, claim, ratio)
    if closed:
        lines = [*setting.program.definitions, *lines]
    kept = _needed(lines, [left, right])
    given = setting.program.inputs if closed else tuple(setting.program.tensors.values())
    return Program(given, (*kept, left, right), right.name, facts), left.target, right.target


def claim_lines(setting: Setting, claim: Claim, ratio: sp.Expr) -> tuple[list[Definition], Definition, Definition]:
    """The gradient lines, changed as the claim says, and the two sides: left, ratio · right."""
    full, chain = setting.derivation.full, setting.chain
    lines = [d for d in full.definitions if d.name not in setting.program.by_name]
    expr = claim.right.expr
    name, changed = claim.changed or ("", None)
    own = {t.name for t in chain.gradients.values()}
    if changed is not None or any(tensor_name(e) in own for e in entries(expr)):
        lines += [chain.line(u, changed if u == name else None) for u in chain.links]
    if changed is not None:
        goal = chain.gradients[setting.wrt]
        asked = [e for e in entries(expr) if tensor_name(e) == setting.truth.name]
        expr = expr.xreplace({e: goal[entry_indices(e)] if goal.axes else goal[()] for e in asked})
    taken = {*full.tensors, *(t.name for t in chain.gradients.values())}
    left, right = (Tensor(free_name(n, taken), v.axes) for n, v in (("left", claim.left), ("right", claim.right)))
    return lines, Definition(left, claim.left.indices, claim.left.expr), Definition(right, claim.right.indices, ratio * expr)


def _needed(lines: list[Definition], sides: list[Definition]) -> list[Definition]:
    used = set(_names(sides))
    kept: list[Definition] = []
    while True:
        more = [d for d in lines if d.name in used and d not in kept]
        if not more:
            return [d for d in lines if d in kept]
        kept += more
        used |= set(_names(more))


def _names(lines: Iterable[Definition]) -> Iterable[str]:
    return (tensor_name(e) for d in lines for e in entries(d.expr))
