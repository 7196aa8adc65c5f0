"""Answers, programs and equalities -> a Verdict: the ways to ask a Question."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import sympy as sp

from symnet.calculus import derive
from symnet.calculus.closed import closed_form, closed_scalars
from symnet.checking.claims import claim_of, in_tensors_of
from symnet.checking.domains import aside_of, classes_of
from symnet.checking.given_numbers import Text, at_given_numbers, right_there
from symnet.checking.kept import kept
from symnet.checking.line_matching import LineMatching
from symnet.checking.numbers_asked import MOST_CLAIMS, NumbersAsked
from symnet.checking.question import Asked, Question, of_numbers, sums_up
from symnet.checking.reading import is_latex, other_reading, read_answer
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
    sought = _sought(derivation, wrt)
    try:
        value = read_answer(answer, sought.derivation, wrt, latex=latex)
    except MismatchError as error:
        return Verdict(Answer.REFUTED, "shape", reason=error.message)
    text = answer if isinstance(answer, str) else ""
    verdict = sought.verdict(value, text)
    if verdict.answer is not Answer.REFUTED:
        return verdict
    meant = other_reading(text, derivation.program)
    return Verdict(Answer.UNDECIDED, reason=meant) if meant else sought.at_given_numbers(verdict, text, value, latex)


class _Sought:
    """The gradient that answers are compared with, and what is worked out once for all of them."""

    def __init__(self, derivation: Derivation, wrt: str) -> None:
        self.asked_of, self.wrt = derivation, wrt
        self.derivation = derivation = _with_gradient(derivation, wrt)
        self.truth = bare(derivation, wrt)
        self.declared = derivation.program.assumptions
        self.matching = LineMatching(self.truth)
        self.at_numbers: dict[tuple[Any, ...], Verdict] = {}

    @cached_property
    def numbers(self) -> NumbersAsked | None:
        """The same question of numbers, where nothing has an axis or is summed."""
        full = self.truth.full
        return NumbersAsked(self.truth, self.wrt, full, self.declared, aside_of(self.truth.program)) if of_numbers(full) else None

    def verdict(self, value: IndexArray, text: str) -> Verdict:
        """The verdict on one answer."""
        if self.numbers is not None and not value.axes and not value.lines and not sums_up((value.expr,)):
            return self.numbers.verdict(value)
        asked = Asked(hint=f"d{self.derivation.objective}/d{self.wrt}[…] = … in front", text=text)
        return Question(self.truth, self.wrt, claim_of(value, self.derivation.full), self.declared, self.matching).verdict(asked)

    def at_given_numbers(self, verdict: Verdict, text: str, value: IndexArray, latex: bool | None) -> Verdict:
        """A refuted formula of numbers, where the numbers of the sheet make it right: conditional, or refuted with that said."""
        values = self.asked_of.values
        if not values or not text or value.axes or any(t.axes for t in self.derivation.program.tensors.values()):
            return verdict
        key = text, latex, tuple(values.items())
        if key not in self.at_numbers:
            if len(self.at_numbers) >= MOST_CLAIMS:
                self.at_numbers.clear()
            self.at_numbers[key] = self._at_given_numbers(verdict, text, value, latex)
        return self.at_numbers[key]

    def _at_given_numbers(self, verdict: Verdict, text: str, value: IndexArray, latex: bool | None) -> Verdict:
        given = {self.derivation.program[n][()]: v for n, v in self.asked_of.values.items()}
        there = self.numbers.there if self.numbers is not None else closed_scalars(self.truth.full)

        def read(changed: str) -> sp.Expr:
            return read_answer(changed, self.derivation, self.wrt, latex=latex).expr.xreplace(there)

        written = Text(text, is_latex(text) if latex is None else latex, value.expr.free_symbols, read)
        found = at_given_numbers(value.expr.xreplace(there), closed_form(self.truth, self.wrt), given, written)
        if found is None:
            return verdict
        return replace(verdict, reason=right_there(found)) if found.missing else Verdict(Answer.CONDITIONAL, "normal form", str(found))


_sought = kept(_Sought)


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
    whole = program.extend((), name)
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
