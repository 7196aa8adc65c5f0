"""check_function: is the backward that a function brings the derivative of its forward?

The incoming gradient is symbolic: of the objective L = Σ G·output every gradient is derived, and what the function's own backward gives is
a claim about it, judged as an answer is, for all sizes first. Then the function really runs, in float64, on fresh data at several sizes:
what it gives there must be what was traced, and the derivative must be what differences of its outputs say. Where the run and the trace
part, nothing is proved.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import sympy as sp

from symnet.calculus import derive
from symnet.checking.claims import in_tensors_of
from symnet.checking.code.function_runs import FunctionRuns
from symnet.checking.code.results import CodeCheck, Judged
from symnet.checking.line_matching import LineMatching
from symnet.checking.progress import ALONE, Way
from symnet.checking.question import Question
from symnet.checking.slips.kinds import WHOLE, Mistake, mistake
from symnet.checking.slips.search import slip_of
from symnet.core.derivation import Derivation
from symnet.core.own_backward import OwnBackward, Trace
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor
from symnet.core.verdict import EXCEPT, Answer, Verdict
from symnet.errors import FaultError, SymnetError, internal

RIGHT = (Answer.PROVED, Answer.ALMOST_EVERYWHERE, Answer.CONDITIONAL)
AT = ((3, 2, 4, 5, 6, 7), (2, 3, 5, 4, 7, 6))  # sizes of a function that has no trace for all of them
RUNS = "the runs"
MOST_SAID = 4  # places at which an equality does not hold
NO_GRADIENT = "backward gives None for {name}, and the derivative is not 0"
UNMARKED = "where it needs a gradient, that is wrong; .requires_grad_() in the example says which arguments do"


def check_function(function: OwnBackward, seconds: float = 120, way: Way = ALONE) -> CodeCheck:
    """``sn.check_function``, of a function as its reader gives it."""
    deadline = time.monotonic() + seconds
    way.at(None)
    traces, why = _traces(function)
    judges = [_Judge(function, trace, deadline) for trace in traces]
    runs = FunctionRuns(function, [(j.trace, j.derivation) for j in judges])
    if RUNS in way.lost:
        runs.parted[""] = way.lost[RUNS]
    else:
        way.at(RUNS)
        runs.run()
    made: list[Judged] = []
    if traces and traces[0].value is not None:
        verdict, slip = max((j.of_value() for j in judges), key=lambda v: list(Answer).index(v[0].answer))
        made.append(Judged("L", "the value that fwd gives", verdict, None, slip))
    smaller: list[_Judge] | None = None
    for name in (a.name for a in function.arguments if a.wanted):
        if name in way.lost:
            made.append(Judged(name, f"dL/d{name}", Verdict(Answer.UNDECIDED, reason=way.lost[name])))
            continue
        way.at(name)
        verdict, slip = _weakest(judges, name) if judges else (Verdict(Answer.UNDECIDED, reason=why), None)
        if verdict.answer is Answer.UNDECIDED and traces and not traces[0].sizes and function.sizes and name not in runs.wrong \
                and None not in traces[0].gradients[name] and time.monotonic() < deadline:
            smaller = [_Judge(function, t, deadline) for t in _at_sizes(function)] if smaller is None else smaller
            again = _weakest(smaller, name)[0] if smaller else verdict
            verdict = again if again.answer in RIGHT else verdict
        settled, entry = runs.settle(name, verdict)
        made.append(Judged(name, f"dL/d{name}", settled, entry, slip if settled.answer is Answer.REFUTED else None))
    way.at(None)
    notes = tuple(dict.fromkeys(n for t in traces for n in t.notes))
    return CodeCheck(function.name, tuple(made), notes=notes + ((f"not for all sizes: {why}",) if traces and why else ()))


def _weakest(judges: Sequence[_Judge], name: str) -> tuple[Verdict, Mistake | None]:
    """The weakest verdict on one gradient; one that holds at sizes names them all."""
    verdict, slip = max((j.verdict(name) for j in judges), key=lambda v: list(Answer).index(v[0].answer))
    said = verdict.condition.removeprefix(EXCEPT).split(" or ") if verdict.answer is Answer.ALMOST_EVERYWHERE else []
    if len(said) > MOST_SAID:
        verdict = replace(verdict, condition=EXCEPT + " or ".join(said[:MOST_SAID]) + f" or {len(said) - MOST_SAID} more")
    if verdict.answer in RIGHT and any(j.trace.sizes for j in judges):
        verdict = replace(verdict, scope=" and ".join(dict.fromkeys(_scope(j.trace) for j in judges)))
    return verdict, slip


def _traces(function: OwnBackward) -> tuple[list[Trace], str]:
    """One trace for all sizes, else one at each of two choices; and why there is none, or none for all."""
    try:
        return [function.traced()], ""
    except SymnetError as error:
        why = error.message
    return _at_sizes(function) if function.sizes else [], why


def _at_sizes(function: OwnBackward) -> list[Trace]:
    try:
        return [function.traced(dict(zip(function.sizes, choice, strict=False))) for choice in AT]
    except SymnetError:
        return []


def _scope(trace: Trace) -> str:
    return "at sizes " + ", ".join(f"{n} = {k}" for n, k in trace.sizes.items()) if trace.sizes else ""


class _Judge:
    """One trace, the derivation of its forward pass, and the verdicts on what its backward gives."""

    def __init__(self, function: OwnBackward, trace: Trace, deadline: float) -> None:
        self.function, self.trace, self.deadline = function, trace, deadline
        self.derivation: Derivation = derive(trace.program, list(trace.gradients))
        self.derivation.check()
        self.matching = LineMatching(self.derivation)

    def verdict(self, name: str) -> tuple[Verdict, Mistake | None]:
        """The weakest verdict on what backward gives for an argument, whatever else needs a gradient; and the slip."""
        found: list[tuple[Verdict, Mistake | None]] = []
        for number, claim in enumerate(self.trace.gradients[name]):
            verdict, slip = self._alone(name, claim)
            if number and found[0][0].answer in RIGHT and verdict.answer not in RIGHT:
                said = f"where {name} alone needs a gradient"
                verdict = replace(verdict, reason="; ".join(filter(None, (said, verdict.reason))))
                slip = mistake("needs_input_grad", {"of": name}, place=WHOLE) if verdict.answer is Answer.REFUTED else None
            found.append((verdict, slip))
        return max(found, key=lambda v: list(Answer).index(v[0].answer))

    def of_value(self) -> tuple[Verdict, Mistake | None]:
        """Does the rule compute the value of the function?"""
        assert self.trace.value is not None
        return self._asked(self.derivation.objective, self.trace.value), None

    def _alone(self, name: str, claim: Program | None) -> tuple[Verdict, Mistake | None]:
        if claim is None:
            return self._of_none(name)
        if time.monotonic() > self.deadline:
            return Verdict(Answer.UNDECIDED, reason="out of time"), None
        verdict = self._asked(name, claim)
        slip = slip_of(claim, self.derivation, name) if verdict.answer is Answer.REFUTED else None
        return verdict, slip

    def _asked(self, name: str, claim: Program) -> Verdict:
        try:
            made = Question(self.derivation, name, in_tensors_of(claim, self.derivation.full), (), self.matching).verdict()
        except (FaultError, MemoryError):
            raise
        except SymnetError as error:
            return Verdict(Answer.UNDECIDED, reason=error.message)
        except Exception as error:  # a bug of ours costs one value
            return Verdict(Answer.UNDECIDED, reason=internal(error))
        return replace(made, scope=_scope(self.trace)) if self.trace.sizes else made

    def _of_none(self, name: str) -> tuple[Verdict, Mistake | None]:
        """No gradient is one of 0: PyTorch and JAX add nothing."""
        wanted = self.derivation.program[name]
        target = Tensor("nothing", wanted.axes)
        line = Definition(target, tuple(sp.Dummy("i", integer=True) for _ in wanted.axes), sp.S.Zero)
        verdict = self._asked(name, Program(self.derivation.program.inputs, (line,), target.name))
        if verdict.answer is not Answer.REFUTED:
            return verdict, None
        said = NO_GRADIENT.format(name=name)
        if not self.function.marked:
            return Verdict(Answer.UNDECIDED, reason=f"{said}: {UNMARKED}"), None
        return replace(verdict, reason=said), mistake("no gradient", {"of": name}, place=WHOLE)

