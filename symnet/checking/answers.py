"""An answer for a gradient -> a Verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import sympy as sp

from symnet.calculus import derive
from symnet.calculus.closed import closed_form, closed_scalars
from symnet.calculus.matrices import CONVENTIONS, symmetric
from symnet.checking.answers_sizes import Question
from symnet.checking.domains import answer_holes, aside_of, asked_aside, domain_of
from symnet.checking.reading import read_answer
from symnet.core.derivation import Derivation
from symnet.core.expressions import When
from symnet.core.program import is_size
from symnet.core.tensors import tensor_name
from symnet.core.verdict import Answer, Verdict
from symnet.equality.compare import compare
from symnet.errors import MismatchError
from symnet.indexing.arithmetic import broadcasts, fitted
from symnet.indexing.index_array import IndexArray
from symnet.parsing.from_sympy import SympyAnswer

__all__ = ["check_answer", "judged"]
RIGHT = frozenset({Answer.PROVED, Answer.ALMOST_EVERYWHERE, Answer.CONDITIONAL})


def check_answer(answer: str | SympyAnswer, derivation: Derivation, wrt: str, latex: bool | None = None) -> Verdict:
    """Is ``answer``, in plain maths, LaTeX or SymPy, the gradient of the objective with respect to ``wrt``? ``latex`` says which it is.

    Scalars are decided outright. Tensors are first compared for all sizes by a normal form of sums over indices, in the names of the
    program and then with the names written out; if that does not decide, entry by entry at small sizes that are all different, and the
    verdict's scope says so. A wrong shape is refuted; the transpose of the gradient is refuted and called so.
    """
    derivation.check()
    if derivation.names.get(wrt, wrt) not in derivation.full.tensors and wrt in derivation.names:
        derivation = derive(derivation.program, [wrt])  # a line that the later ones no longer need
    try:
        value = read_answer(answer, derivation, wrt, latex=latex)
    except MismatchError as error:
        return Verdict(Answer.REFUTED, "shape", reason=error.message)
    declared = derivation.program.assumptions
    if declared:  # the truth is the gradient without them; an answer that needs one is conditional
        derivation = derive(replace(derivation.program, assumptions=()), [wrt])
    if not any(t.axes for t in derivation.program.tensors.values()) and not value.axes and not value.lines and \
            not sums_up((value.expr, *(d.expr for d in derivation.full.definitions))):
        there = closed_scalars(derivation.full)
        aside = asked_aside((value.expr, *(u for u, _, _ in value.holes)), aside_of(derivation.program))
        holes = answer_holes(value.expr, (*value.holes, *aside), there)
        domain = domain_of(derivation.full, derivation.program, there)
        return compare(value.expr.xreplace(there), closed_form(derivation, wrt), declared, holes, domain=domain)
    hint = f"d{derivation.objective}/d{wrt}[…] = … in front"
    return judged(Question(derivation, wrt, declared, value.lines), value, answer if isinstance(answer, str) else "", "gradient", hint)


def sums_up(exprs: Iterable[sp.Expr]) -> bool:
    """Is there a sum or bracket over indices? Then numbers are judged as arrays are, written out at sizes."""
    return any(e.has(sp.Sum, When) for e in exprs)


def judged(question: Question, value: IndexArray, answer: str, what: str, hint: str) -> Verdict:
    """The verdict on a value of any shape; ``what`` is the tensor asked for in a word."""
    shape, wanted = tuple(a.size for a in value.axes), question.wanted.shape
    turned = len(shape) == 2 and shape[::-1] == wanted
    if shape != wanted:
        if (spread := fitted(value, question.wanted.axes)) is not None and (verdict := question.judge(spread)).answer in RIGHT:
            stretched = f"it is broadcast to shape ({', '.join(map(str, wanted))})"
            moved = f"axes of size 1 are moved to make it {_shape(wanted)}"
            condition = stretched if broadcasts(value.axes, question.wanted.axes) else moved
            return replace(verdict, answer=Answer.CONDITIONAL, condition=" and ".join(filter(None, (verdict.condition, condition))))
        last = [e for e in value.expr.atoms(sp.Indexed) if any(is_size(i) for i in e.indices) and tensor_name(e) in answer]
        if not shape and last:  # sum_n Z[n, k], where k is a size
            return Verdict(Answer.UNDECIDED, reason=f"a single number with the last place of an axis, {last[0]}; where an index is meant, "
                           f"say which: {hint}")
        plain = f"the answer is {_shape(shape)}, the {what} {_shape(wanted)}"
        transposed = turned and question.judge(value.transposed).answer in RIGHT
        return Verdict(Answer.REFUTED, "shape", reason=f"this is the transpose of the {what}: {plain}" if transposed else plain)
    verdict = question.judge(value)
    if verdict.answer is Answer.REFUTED and question.derivation.program[question.wrt].structure in ("symmetric", "positive definite"):
        return next((v for v in _conventions(question, value, question.wrt) if v.answer in RIGHT), verdict)
    if turned and verdict.answer is Answer.REFUTED and question.judge(value.transposed).answer in RIGHT:
        return replace(verdict, reason=f"this is the transpose of the {what}")
    return verdict


def _conventions(question: Question, value: IndexArray, wrt: str) -> Iterator[Verdict]:
    """Verdicts by the conventions for a gradient among symmetric matrices; right by one of them is right under that condition."""
    for convention, said in CONVENTIONS.items():
        verdict = Question(symmetric(question.derivation, wrt, convention), wrt, question.declared).judge(value)
        if verdict.answer is Answer.PROVED:
            yield replace(verdict, answer=Answer.CONDITIONAL, condition=f"by the convention {convention!r} ({said})", reason="")


def _shape(shape: tuple[sp.Expr, ...]) -> str:
    return "of shape (" + ", ".join(map(str, shape)) + ")" if shape else "a single number"
