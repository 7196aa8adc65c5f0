"""An answer for a gradient -> a Verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from symnet.calculus import derive
from symnet.calculus.closed import closed_form, closed_scalars
from symnet.calculus.instantiate import instantiate_program
from symnet.checking.reading import read_answer
from symnet.core.derivation import Derivation
from symnet.core.matrices import SINGULAR, written_out
from symnet.core.program import Assumption, Definition, Program
from symnet.core.tensors import Tensor, free_name
from symnet.core.verdict import Answer, Verdict
from symnet.equality.compare import compare, prove_equal
from symnet.errors import OptionError, SymnetError
from symnet.parsing.values import Value

# Two choices, so that a factor such as 2/N, which is 1 at N = 2, is not lost.
SIZES = ((3, 2, 4, 5, 6, 7), (2, 3, 5, 4, 7, 6))


def check_answer(answer: str, derivation: Derivation, wrt: str, latex: bool | None = None) -> Verdict:
    """Is ``answer``, in plain maths or LaTeX, the gradient of the objective with respect to ``wrt``? ``latex`` says which it is.

    Scalars are decided outright. Tensors are first compared for all sizes by normal form; if that does not decide, entry by
    entry at small sizes that are all different, and the verdict's scope says so. A wrong shape is refuted.
    """
    declared = derivation.program.assumptions
    if declared:  # the truth is the gradient without them; an answer that needs one is conditional
        derivation = derive(replace(derivation.program, assumptions=()), [wrt])
    wanted = derivation.full[derivation.gradient_name(wrt)]
    value = read_answer(answer, derivation, wrt, latex=latex)
    shape = tuple(a.size for a in value.axes)
    if shape != wanted.shape:
        return Verdict(Answer.REFUTED, "shape", reason=f"the answer is {_shape(shape)}, the gradient {_shape(wanted.shape)}")
    if not any(t.axes for t in derivation.program.tensors.values()):
        there = closed_scalars(derivation.full)
        return compare(value.expr.xreplace(there), closed_form(derivation, wrt), declared)
    return _for_all_sizes(value, derivation, wrt) or _entry_by_entry(value, derivation, wanted, declared)


def _shape(shape: tuple[sp.Expr, ...]) -> str:
    return "of shape (" + ", ".join(map(str, shape)) + ")" if shape else "a single number"


def _for_all_sizes(value: Value, derivation: Derivation, wrt: str) -> Verdict | None:
    """Proved for all sizes when both sides have one normal form with sums as they stand."""
    formulas = derivation.gradients[wrt].definitions
    if len(formulas) != 1 or len(value.indices) != len(formulas[0].indices):
        return None
    rename = dict(zip(value.indices, formulas[0].indices, strict=True))
    try:
        verdict = prove_equal(value.expr.xreplace(rename), formulas[0].expr)
    except SymnetError:
        return None
    return Verdict(Answer.PROVED, "normal form", scope="for all sizes") if verdict.holds else None


def _entry_by_entry(value: Value, derivation: Derivation, wanted: Tensor,
                    declared: tuple[Assumption, ...]) -> Verdict:
    """Every entry at small sizes, all different, for two choices of sizes."""
    target = Tensor(free_name("answer", derivation.full.tensors), value.axes)
    letters = value.indices
    whole = derivation.full
    lines = (*whole.definitions, Definition(target, letters, value.expr))
    program = Program(whole.inputs, lines, whole.objective, declared)
    if len(program.sizes) > len(SIZES[0]):
        raise OptionError("check", f"{len(program.sizes)} different sizes", f"at most {len(SIZES[0])}")
    found: list[Verdict] = []
    scopes: list[str] = []
    for choice in SIZES[:2 if program.sizes else 1]:
        sizes = dict(zip([str(s) for s in program.sizes], choice, strict=False))
        scope = "at sizes " + ", ".join(f"{k} = {v}" for k, v in sizes.items()) if sizes else ""
        before = len(found)
        for place, verdict in _verdicts(program, target, wanted, sizes):
            if verdict.answer in (Answer.REFUTED, Answer.UNDECIDED):
                at = f"entry ({', '.join(map(str, place))})" if place else ""
                return Verdict(verdict.answer, verdict.method, at, verdict.witness, verdict.reason, scope)
            found.append(verdict)
        scopes += [scope] * (len(found) > before)
    if not found:
        return Verdict(Answer.UNDECIDED, reason=f"{SINGULAR[0]} at every size that was tried", scope=scope)
    return _joined(found, " and ".join(scopes))


Judged = tuple[tuple[int, ...], Verdict]  # a place and what was found there


def _verdicts(program: Program, left: Tensor, right: Tensor, sizes: dict[str, int]) -> Iterator[Judged]:
    """Entry by entry; nothing where there is no gradient at these sizes, as of log det X^T X for a wide X."""
    scalars, entries = instantiate_program(program, sizes)
    there = closed_scalars(scalars)
    if any(_singular(there[entries(right.name, place)]) for place in entries.places(right.name)):
        return
    for place in entries.places(right.name):
        verdict = compare(there[entries(left.name, place)], there[entries(right.name, place)], scalars.assumptions)
        if verdict.condition and set(verdict.condition.split(" and ")) <= set(map(str, scalars.assumptions)):
            verdict = replace(verdict, condition=" and ".join(map(str, program.assumptions)))  # as declared, not entry by entry
        yield place, verdict


def _singular(expr: sp.Expr) -> bool:
    try:
        written_out(expr)
    except ZeroDivisionError:
        return True
    return False


def _joined(verdicts: list[Verdict], scope: str) -> Verdict:
    """The weakest of the answers, with all the conditions that entries of that answer have."""
    worst = max(verdicts, key=lambda v: list(Answer).index(v.answer))
    said = dict.fromkeys(v.condition for v in verdicts if v.answer is worst.answer and v.condition)
    points = worst.answer is Answer.ALMOST_EVERYWHERE
    condition = "except where " + " or ".join(c.removeprefix("except where ") for c in said) if points else " and ".join(said)
    return Verdict(worst.answer, worst.method, condition, None, "", scope)
