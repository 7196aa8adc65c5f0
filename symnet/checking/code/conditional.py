"""A refuted gradient that is right under an assumption: one that the program declares, or that the rows of a target sum to 1."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import sympy as sp

from symnet.calculus.instantiate import instantiate_program
from symnet.checking.code.entry_maker import each
from symnet.checking.code.float_arrays import Place
from symnet.checking.code.judging import Trial, judge
from symnet.checking.code.nodes import Node, tracing
from symnet.checking.code.rebuilding import rebuilt
from symnet.checking.code.truth import Truth
from symnet.core.program import Assumption, Program
from symnet.core.tensors import Role
from symnet.core.verdict import Answer, Verdict, all_of
from symnet.equality.assumption_solving import contradictory, said_of_nothing
from symnet.errors import SymnetError

Found = tuple[Trial, Verdict, Place | None]
HUGE = -10_000  # a mask
HOLDS = (Answer.PROVED, Answer.ALMOST_EVERYWHERE)


def under_assumptions(judged: dict[str, list[Found]], program: Program) -> dict[str, list[Found]]:
    """The same judgements, a refuted one CONDITIONAL where the assumption makes it right at every choice of sizes."""
    refuted = [n for n, found in judged.items() if any(v.answer is Answer.REFUTED and v.method != "shape" for _, v, _ in found)]
    if refuted and program.assumptions and any(contradictory(_declared(trial, program)) for trial, _, _ in judged[refuted[0]]):
        nothing = Verdict(Answer.UNDECIDED, reason=said_of_nothing(program.assumptions))
        return judged | {n: [(trial, nothing, None) for trial, _, _ in judged[n]] for n in refuted}
    for assumptions, condition in candidates(program) if refuted else ():
        better = {n: made for n in refuted if (made := _again(judged[n], n, assumptions, condition)) is not None}
        if better:
            return {**judged, **better}
    return judged


def with_infinity(judged: dict[str, list[Found]]) -> dict[str, list[Found]]:
    """What is undecided since the code masks with -1e9 or so, CONDITIONAL where it is right with -∞ in its place."""
    return {name: [_infinite(f, name) if f[1].answer is Answer.UNDECIDED else f for f in found] for name, found in judged.items()}


def _infinite(found: Found, name: str) -> Found:
    trial = found[0]
    for old in [node for node in trial.order if node.op == "num" and node.value <= HUGE and under_exp(trial, node)]:
        try:
            with tracing(trial.graph):
                made = rebuilt(trial.order, old, trial.graph.node("inf", (), -1))
        except SymnetError:
            continue
        again = replace(trial, returned={n: each(made.__getitem__, a) for n, a in trial.returned.items()}, cache={})
        verdict, _ = judge(again, name)
        if verdict.answer in HOLDS:
            return trial, under(verdict, f"{int(old.value)} is taken for -∞"), None
    return found


def under_exp(trial: Trial, number: Node) -> bool:
    """Does the number matter in exponents alone, where a large negative one means "left out"?"""
    open_, met = {number}, False
    for node in trial.order:
        if any(a in open_ for a in node.args):
            if node.op in ("add", "mul", "max", "where"):
                open_.add(node)
            elif node.op == "exp":
                met = True
            else:
                return False
    return met and not any(a in open_ for array in trial.returned.values() for a in array.flat)


def candidates(program: Program) -> list[tuple[tuple[Assumption, ...], str]]:
    """What the program declares, in words; where that is nothing, of each target that its rows sum to 1."""
    if program.assumptions:
        return [(program.assumptions, " and ".join(map(str, program.assumptions)))]
    made: list[tuple[tuple[Assumption, ...], str]] = []
    for t in program.inputs:
        if t.role is Role.TARGET and len(t.axes) > 1:
            letters = sp.symbols(f"i:{len(t.axes)}", integer=True)
            row = sp.Sum(t[tuple(letters)], (letters[-1], *t.axes[-1].range))
            made.append(((Assumption(row, sp.S.One),), f"each row of {t.name} sums to 1"))
    return made


def _declared(trial: Trial, program: Program) -> tuple[Assumption, ...]:
    """The declared assumptions at the sizes of a trial, for the entries that are numbers too."""
    scalars, entries = instantiate_program(program, trial.truth.sizes)
    there = {entries(*key): sp.Integer(v) for key, v in trial.known.items()}
    return tuple(Assumption(a.left.xreplace(there), a.right.xreplace(there)) for a in scalars.assumptions)


def _again(found: list[Found], name: str, assumptions: tuple[Assumption, ...], condition: str) -> list[Found] | None:
    made: list[Found] = []
    for trial, verdict, place in found:
        if verdict.answer is not Answer.REFUTED:
            made.append((trial, verdict, place))
            continue
        old = trial.truth.program
        if trial.known:
            return None
        whole = Program(old.inputs, old.definitions, old.objective, assumptions, old.title)
        sizes = trial.truth.sizes
        again = replace(trial, make=partial(Truth, whole, sizes, solved=True), cache={})
        better, _ = judge(again, name)
        if better.answer not in HOLDS:
            return None
        made.append((trial, under(better, condition), None))
    return made


def under(verdict: Verdict, condition: str) -> Verdict:
    """The verdict where it holds under a condition too; what it leaves out stays left out."""
    parts = [(Answer.CONDITIONAL, condition), *([(verdict.answer, verdict.condition)] if verdict.condition else [])]
    answer, said = all_of(parts)
    return replace(verdict, answer=answer, condition=" and ".join(said))
