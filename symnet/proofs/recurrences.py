"""For all steps: a statement about a sequence that its own earlier values define, by induction over the step.

The lines of the sequence, w[1] = w0 and w[t] = w[t-1] - lr*w[t-1], are hypotheses; what is put in at a step is what they say there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy as sp

from symnet.core.claim import Statement
from symnet.core.expressions import substitute
from symnet.core.program import Definition
from symnet.errors import ProofError
from symnet.proofs import inequality_rules as rules
from symnet.proofs import kernel
from symnet.proofs.inequalities import Hypotheses, Search, prove_of_entries, without_products_in_abs
from symnet.proofs.kernel import Proof


def lines_of(definitions: Sequence[Definition]) -> list[Statement]:
    """What the lines of sequences of numbers say: at one place, or for every step from the first on."""
    found: list[Statement] = []
    for d in definitions:
        (place,) = d.indices
        if not d.ranges:
            found.append(Statement(d.entry, d.expr))
            continue
        ((letter, low, _),) = d.ranges
        shift = place - letter
        if not (low.is_Integer and shift.is_Integer and low >= 1):
            raise ProofError("recurrence", f"a line over {low}..", "steps from a number on")
        there = {letter: letter + 1}
        found.append(Statement(substitute(d.entry, there), substitute(d.expr, there), letter, "=", int(low) - 1))
    return found


def by_induction(claim: Statement, letter: sp.Symbol, first: int, lines: Sequence[Statement], given: Hypotheses, search: Search,
                 equality: Callable[[sp.Expr, sp.Expr, Hypotheses], Proof | None]) -> Proof | None:
    """The claim for every value of its letter from ``first`` on."""
    start = Statement(claim.left, claim.right, letter, claim.relation, first)
    base = _shown(start.at(sp.Integer(first)), lines, given, search, equality, None)
    step = _shown(start.at(letter + 1), lines, (*given, Statement(sp.Integer(first), letter, None, "<=")), search, equality, claim)
    if base is None or step is None:
        return None
    known = sp.Integer(first)
    parts = (base, step, letter, (claim,), known) if first else (base, step, letter, (claim,))
    return kernel.noted(kernel.induction(*parts), f"by induction, for every {letter}")


def _shown(wanted: Statement, lines: Sequence[Statement], given: Hypotheses, search: Search,
           equality: Callable[[sp.Expr, sp.Expr, Hypotheses], Proof | None], supposed: Statement | None) -> Proof | None:
    """The claim at one place, with what the lines say put in."""
    sides = [_unfolded(side, lines) for side in (wanted.left, wanted.right)]
    ends = _ends(wanted, sides)
    if supposed is not None:
        also = kernel.noted(kernel.given(supposed), "suppose that it holds at this step")
        if supposed.relation == "=" and isinstance(supposed.left, sp.Indexed):
            sides = [_with(also, s, e) for s, e in zip(sides, ends, strict=True)]
            ends = _ends(wanted, sides)
        else:
            found = _from_supposed(wanted, ends, also, given, search)
            return None if found is None else _back(wanted, sides, found)
    if wanted.relation == "=" and ends[0] == ends[1] and sides[0] is not None and sides[1] is None:
        return sides[0]
    if wanted.relation == "=":
        found = _by_powers(ends[0], ends[1], given) or equality(ends[0], ends[1], given)
    else:
        gap = prove_of_entries(sp.expand(ends[1] - ends[0]), wanted.relation == "<", given, search)
        found = None if gap is None else rules.combine(gap, ends[0], wanted.relation, ends[1], sp.S.Zero, (sp.S.One,), ())
    return None if found is None else _back(wanted, sides, found)


def _ends(wanted: Statement, sides: Sequence[Proof | None]) -> list[sp.Expr]:
    """What the two sides have become."""
    return [e if s is None else s.statements[0].right for s, e in zip(sides, (wanted.left, wanted.right), strict=True)]


def _with(supposed: Proof, side: Proof | None, end: sp.Expr) -> Proof | None:
    """A side with what is supposed put in."""
    if not end.has(supposed.statements[0].left):
        return side
    return kernel.noted(kernel.rewrite(supposed, side or kernel.algebra(end, end)), "put in what is supposed")


def _by_powers(left: sp.Expr, right: sp.Expr, given: Hypotheses) -> Proof | None:
    steps = tuple(h for h in given if h.relation == "<=" and h.right.is_Symbol and h.right.is_integer)
    try:
        return kernel.noted(kernel.whole_powers(left, right, steps), "by algebra")
    except ProofError:
        return None


def _back(wanted: Statement, sides: Sequence[Proof | None], found: Proof) -> Proof:
    """The statement about the sequence from that about what stands for it."""
    signs = (sp.S.One, sp.S.NegativeOne)
    used = [(p, m) for p, m in zip(sides, signs, strict=True) if p is not None]
    premises, multipliers = [p for p, _ in used], [m for _, m in used]
    return rules.combine(*premises, found, wanted.left, wanted.relation, wanted.right, sp.S.Zero, (*multipliers, sp.S.One), ())


def _from_supposed(wanted: Statement, ends: Sequence[sp.Expr], supposed: Proof, given: Hypotheses, search: Search) -> Proof | None:
    """A multiple of what is supposed, and a rest whose sign is seen."""
    one = supposed.statements[0]
    gap, mine = (without_products_in_abs(sp.expand(e)) for e in (ends[1] - ends[0], one.right - one.left))
    multipliers = [sp.S.One]
    for e in sorted(mine.atoms(sp.Indexed) | {a for a in mine.atoms(sp.Abs) if a.has(sp.Indexed)}, key=str):
        if e is not None:
            letter = sp.Dummy("w", real=True)
            try:
                quotient, _ = sp.div(sp.Poly(gap.xreplace({e: letter}), letter), sp.Poly(mine.xreplace({e: letter}), letter))
            except sp.PolynomialError:
                continue
            multipliers.append(quotient.as_expr().xreplace({letter: e}))
    for m in multipliers:
        rest = sp.expand(gap - m * mine)
        relation = wanted.relation
        try:
            extra = [] if rest == 0 else [prove_of_entries(rest, False, given, search, 1)]
            if None in extra:
                continue
            more = tuple(h for h in given)
            return kernel.noted(rules.combine(supposed, *extra, ends[0], relation, ends[1], sp.S.Zero,
                                               (m, *(sp.S.One for _ in extra)), more), "from what is supposed")
        except ProofError:
            continue
    return None


def _unfolded(expr: sp.Expr, lines: Sequence[Statement]) -> Proof | None:
    """⊢ expr = the same with the entries at later places put in; None where there are none."""
    proof: Proof | None = None
    for e in sorted(expr.atoms(sp.Indexed), key=str):
        put = next((found for line in lines if (found := _at(line, e)) is not None), None)
        if put is None:
            continue
        if proof is None and expr == e:
            proof = put
        else:
            proof = kernel.noted(kernel.rewrite(put, proof or kernel.algebra(expr, expr)), "put in what the line says")
    return proof


def _at(line: Statement, entry: sp.Expr) -> Proof | None:
    """What a line says of an entry."""
    if line.over is None:
        return kernel.noted(kernel.given(line), "a line of the program") if line.left == entry else None
    if line.left.base != entry.base:
        return None
    step = sp.expand(line.over + entry.indices[0] - line.left.indices[0])
    if (step.is_Integer and step < line.first) or (isinstance(step, sp.Add) and step.args[0].is_Integer and step.args[0] < 0):
        return None
    whole = kernel.noted(kernel.given(line), "a line of the program")
    return kernel.specialize(whole, step)
