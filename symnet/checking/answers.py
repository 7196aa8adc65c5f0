"""Answers, programs and equalities -> a Verdict: the ways to ask a Question."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symnet.calculus import derive
from symnet.calculus.closed import closed_form, closed_scalars
from symnet.checking.claims import claim_of, in_tensors_of
from symnet.checking.domains import classes_of
from symnet.checking.given_numbers import Text, at_given_numbers, right_there
from symnet.checking.question import Asked, Question, sums_up
from symnet.checking.reading import is_latex, read_answer
from symnet.core.derivation import Derivation
from symnet.core.expressions import substitute
from symnet.core.program import Hole, Program
from symnet.core.verdict import Answer, Verdict
from symnet.equality.compare import compare
from symnet.equality.domain import Domain
from symnet.errors import MismatchError
from symnet.indexing.index_array import IndexArray
from symnet.parsing.from_sympy import SympyAnswer

__all__ = ["check_answer", "check_claim", "compare_lines", "line_asked"]


def check_answer(answer: str | SympyAnswer, derivation: Derivation, wrt: str, latex: bool | None = None) -> Verdict:
    """Is ``answer``, in plain maths, LaTeX or SymPy, the gradient of the objective with respect to ``wrt``? ``latex`` says which it is.

    ``Question.verdict`` says how it is judged. A wrong shape is refuted.
    """
    derivation = _with_gradient(derivation, wrt)
    try:
        value = read_answer(answer, derivation, wrt, latex=latex)
    except MismatchError as error:
        return Verdict(Answer.REFUTED, "shape", reason=error.message)
    text = answer if isinstance(answer, str) else ""
    asked = Asked(hint=f"d{derivation.objective}/d{wrt}[…] = … in front", text=text)
    truth = bare(derivation, wrt)
    verdict = Question(truth, wrt, claim_of(value, derivation.full), derivation.program.assumptions).verdict(asked)
    return _at_given_numbers(verdict, text, value, derivation, truth, wrt, latex) if verdict.answer is Answer.REFUTED else verdict


def _at_given_numbers(verdict: Verdict, text: str, value: IndexArray, derivation: Derivation, truth: Derivation, wrt: str,
                      latex: bool | None) -> Verdict:
    """A refuted formula of numbers, where the numbers of the sheet make it right: conditional, or refuted with that said."""
    if not derivation.values or not text or value.axes or any(t.axes for t in derivation.program.tensors.values()):
        return verdict
    given = {derivation.program[n][()]: v for n, v in derivation.values.items()}
    there = closed_scalars(truth.full)

    def read(changed: str) -> sp.Expr:
        return read_answer(changed, derivation, wrt, latex=latex).expr.xreplace(there)

    written = Text(text, is_latex(text) if latex is None else latex, value.expr.free_symbols, read)
    found = at_given_numbers(value.expr.xreplace(there), closed_form(truth, wrt), given, written)
    if found is None:
        return verdict
    return replace(verdict, reason=right_there(found)) if found.missing else Verdict(Answer.CONDITIONAL, "normal form", str(found))


def check_claim(claim: Program, derivation: Derivation, wrt: str) -> Verdict:
    """Is the last line of ``claim``, whose inputs are tensors of the derivation by name, the gradient with respect to ``wrt``?

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("z = w*x", "L = (z - y)**2"), wrt="w")
    >>> print(check_claim(sn.program("r = w*x - y", "G = 2*r*x"), d, "w"))
    proved
    """
    derivation = _with_gradient(derivation, wrt)
    return Question(bare(derivation, wrt), wrt, in_tensors_of(claim, derivation.full), derivation.program.assumptions).verdict()


def _with_gradient(derivation: Derivation, wrt: str) -> Derivation:
    """The derivation once it has checked itself, with the gradient asked for: of a line, too, that the later ones no longer need."""
    derivation.check()
    lacking = derivation.names.get(wrt, wrt) not in derivation.full.tensors and wrt in derivation.names
    return derive(derivation.program, [wrt]) if lacking else derivation


def bare(derivation: Derivation, wrt: str) -> Derivation:
    """The truth is the gradient without what is declared: an answer that needs it is conditional."""
    declares = derivation.program.assumptions and derivation.names.get(wrt, wrt) != wrt
    return derive(replace(derivation.program, assumptions=()), [wrt]) if declares else derivation


def line_asked(program: Program, name: str) -> Derivation:
    """The question for a line of a program, in which nothing is differentiated."""
    whole = replace(program, objective=name)
    return Derivation(whole, whole, (name,), (), {name: name})


def compare_lines(program: Program, left: str, right: str) -> Verdict:
    """The verdict on left = right, two lines of ``program`` by name; both are claims, and either may lack a value where the other has one.

    Each must be one line over all its places.
    """
    a, b = program[left], program[right]
    if [x.size for x in a.axes] != [x.size for x in b.axes]:
        shapes = " and ".join(str(t.shape) if t.axes else "a single number" for t in (a, b))
        return Verdict(Answer.REFUTED, "shape", reason=f"the shapes differ: {shapes}")
    if not any(t.axes for t in program.tensors.values()) and not sums_up(d.expr for d in program.definitions):
        there = closed_scalars(program)
        sides = [there[t[()]] for t in (a, b)]
        asked = [tuple(_put_in(h, there) for d in program.by_name[t.name] for h in d.holes) for t in (a, b)]
        return compare(sides[0], sides[1], program.assumptions, asked[0], asked[1], Domain((), classes_of(program), (), ""))
    found = _line_is(program, left, right)
    if found.answer is not Answer.PROVED:
        return found
    turned = _line_is(program, right, left)  # what the left side asks for restricts the equality as well
    return turned if turned.answer in (Answer.ALMOST_EVERYWHERE, Answer.CONDITIONAL) else found


def _line_is(program: Program, aim: str, claim: str) -> Verdict:
    """Is the line ``claim`` of a program equal to the line ``aim`` where that has a value?"""
    (line,) = program.by_name[claim]
    value = IndexArray.over(line.target.axes, line.indices, line.expr, line.holes)
    asked = line_asked(program, aim)
    return Question(asked, aim, claim_of(value, asked.full), program.assumptions).verdict(Asked("other side"))


def _put_in(hole: Hole, there: dict[sp.Basic, sp.Expr]) -> Hole:
    u, sign, over = hole
    return substitute(u, there), sign, over
