"""An answer for a gradient -> a Verdict."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace

import sympy as sp

from symnet.calculus import derive
from symnet.calculus.closed import closed_form
from symnet.calculus.instantiate import Entries, instantiate_program
from symnet.core.derivation import Derivation
from symnet.core.places import span
from symnet.core.program import Assumption, Definition, Program
from symnet.core.tensors import Tensor
from symnet.core.verdict import Answer, Verdict
from symnet.equality.compare import compare, prove_equal
from symnet.errors import OptionError, SymnetError
from symnet.parsing.program import expression
from symnet.parsing.values import Value

SIZES = (2, 3, 4, 5, 6, 7)


def check_answer(answer: str, derivation: Derivation, wrt: str) -> Verdict:
    """Is ``answer``, written in plain maths, the gradient of the objective with respect to ``wrt``?

    Scalars are decided outright. Tensors are first compared for all sizes by normal form; if that does not decide, entry by
    entry at small sizes that are all different, and the verdict's scope says so. A wrong shape is refuted.
    """
    declared = derivation.program.assumptions
    if declared:  # the truth is the gradient without them; an answer that needs one is conditional
        derivation = derive(replace(derivation.program, assumptions=()), [wrt])
    wanted = derivation.full[derivation.gradient_name(wrt)]
    value = expression(answer, derivation.program.tensors, where="answer")
    shape = tuple(a.size for a in value.axes)
    if shape != wanted.shape:
        return Verdict(Answer.REFUTED, "shape", reason=f"the answer is {_shape(shape)}, the gradient {_shape(wanted.shape)}")
    if not any(t.axes for t in derivation.program.tensors.values()):
        there = _scalars(derivation.program)
        return compare(value.expr.xreplace(there), closed_form(derivation, wrt), declared)
    return _for_all_sizes(value, derivation, wrt) or _entry_by_entry(value, derivation, wanted, declared)


def _shape(shape: tuple[sp.Expr, ...]) -> str:
    return "of shape (" + ", ".join(map(str, shape)) + ")" if shape else "a single number"


def _scalars(program: Program) -> dict[sp.Basic, sp.Expr]:
    """Each scalar definition with everything put in."""
    there: dict[sp.Basic, sp.Expr] = {}
    for d in program.definitions:
        there[d.entry] = d.expr.xreplace(there)
    return there


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
    """Every entry at small sizes, all different."""
    target = Tensor(_fresh(derivation.full), value.axes)
    letters = value.indices
    whole = derivation.full
    lines = (*whole.definitions, Definition(target, letters, value.expr))
    program = Program(whole.inputs, lines, whole.objective, declared)
    sizes = dict(zip([str(s) for s in program.sizes], SIZES, strict=False))
    if len(program.sizes) > len(SIZES):
        raise OptionError("check", f"{len(program.sizes)} different sizes", f"at most {len(SIZES)}")
    scalars, entries = instantiate_program(program, sizes)
    there = _scalars(scalars)
    assumptions = tuple(scalars.assumptions)
    scope = "at sizes " + ", ".join(f"{k} = {v}" for k, v in sizes.items()) if sizes else ""
    verdicts = []
    for place in _places(wanted, entries):
        left, right = (there[entries(t, place)] for t in (target.name, wanted.name))
        verdict = compare(left, right, assumptions)
        if verdict.answer in (Answer.REFUTED, Answer.UNDECIDED):
            at = f"entry ({', '.join(map(str, place))})" if place else ""
            return Verdict(verdict.answer, verdict.method, at, verdict.witness, verdict.reason, scope)
        verdicts.append(verdict)
    worst = max(verdicts, key=lambda v: list(Answer).index(v.answer))
    return Verdict(worst.answer, worst.method, worst.condition, None, "", scope)


def _fresh(program: Program) -> str:
    name = "answer"
    while name in program.tensors:
        name += "_"
    return name


def _places(tensor: Tensor, entries: Entries) -> Iterator[tuple[int, ...]]:
    env: Mapping[sp.Symbol, sp.Expr] = entries.env
    return itertools.product(*[span(a.range, env) for a in tensor.axes])
