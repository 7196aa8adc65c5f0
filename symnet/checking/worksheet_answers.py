"""The answers of a worksheet -> verdicts, in the shape of the JSON contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from symnet.checking.answers import check_answer
from symnet.checking.claims import claim_of
from symnet.checking.question import Asked, Question
from symnet.checking.reading import read_answer, read_as
from symnet.checking.slips.kinds import Mistake
from symnet.core.derivation import Derivation
from symnet.core.verdict import Answer, Verdict
from symnet.equality.compare import compare
from symnet.errors import FaultError, MismatchError, ShapeError, SymnetError, internal
from symnet.indexing.index_array import IndexArray
from symnet.parsing.latex import latex_expression
from symnet.parsing.program import expression


@dataclass(frozen=True, slots=True)
class Result:
    """One answer judged. ``read_as`` is what was understood, ``mistake`` the slip where one was found and confirmed."""

    id: str
    verdict: Verdict
    read_as: str = ""
    mistake: Mistake | None = None

    def __str__(self) -> str:
        read = f"   read as {self.read_as}" if self.read_as else ""
        return f"{self.id}: {self.verdict}{read}" + (f"\n    {self.mistake}\n    {self.mistake.hint}" if self.mistake else "")

    def as_json(self) -> dict[str, object]:
        """The fields of the contract."""
        v = self.verdict
        w = v.witness
        witness = None if w is None else {"point": dict(w.point), "answer": w.left, "correct": w.right}
        slip = None if self.mistake is None else self.mistake.as_json()
        return {"id": self.id, "verdict": v.answer.value, "condition": v.condition, "witness": witness, "mistake": slip,
                "message": str(v), "read_as": self.read_as}


Told = Callable[[Result], None]


def judge(answer: Mapping[str, str], derivation: Derivation, told: Told = lambda result: None) -> Result:
    """One answer about a gradient; an error of ours costs this answer alone. ``told`` hears the verdict before the slip is looked for."""
    return _alone(answer, lambda: _judge(answer, derivation, told))


def _alone(answer: Mapping[str, str], judged: Callable[[], Result]) -> Result:
    """Undecided, with the reason, where something breaks."""
    try:
        return judged()
    except (FaultError, MemoryError):  # these are not about one answer
        raise
    except SymnetError as error:
        reason = error.message
    except Exception as error:  # a bug of ours
        reason = internal(error)
    return Result(answer["id"], Verdict(Answer.UNDECIDED, reason=reason))


def _judge(answer: Mapping[str, str], derivation: Derivation, told: Told) -> Result:
    name = answer["id"]
    wrt = answer.get("wrt") or (derivation.wrt[0] if len(derivation.wrt) == 1 else "")
    if wrt not in derivation.names:
        reason = f"no gradient of {wrt!r} is asked for" if wrt else "wrt is missing"
        return Result(name, Verdict(Answer.UNDECIDED, reason=reason))
    text = answer["latex" if "latex" in answer else "text"]
    latex = True if "latex" in answer else None  # else as it looks
    try:
        value = read_answer(text, derivation, wrt, f"answer {name}", latex)
        verdict = check_answer(text, derivation, wrt, latex)
        found = Result(name, verdict, read_as(value, derivation.program, text))
        return found if verdict.answer is not Answer.REFUTED else _explained(found, value, text, derivation, wrt, latex, told)
    except ShapeError as error:
        verdict = Verdict(Answer.REFUTED, "shape", reason=error.message) if isinstance(error, MismatchError) else \
            Verdict(Answer.UNDECIDED, reason=error.message)
        return _explained(Result(name, verdict), text, "", derivation, wrt, latex, told)


def _explained(found: Result, value: IndexArray | str, written: str, derivation: Derivation, wrt: str, latex: bool | None,
               told: Told) -> Result:
    """The result with its slip. The verdict stands, whatever becomes of the search for it."""
    told(found)
    from symnet.checking.slips.search import slip_of  # much to load, with NumPy, and right answers do not need it

    return replace(found, mistake=slip_of(value, derivation, wrt, written, latex=latex))


def judge_simplified(answer: Mapping[str, str], derivation: Derivation, goal: str = "") -> Result:
    """One answer that must equal the objective itself. ``goal`` is its text: where x*y/x has no value SymPy forgets."""
    return _alone(answer, lambda: _judge_simplified(answer, derivation, goal))


def _judge_simplified(answer: Mapping[str, str], derivation: Derivation, goal: str) -> Result:
    program, name = derivation.program, derivation.objective
    tensors = {n: t for n, t in program.tensors.items() if n != name}
    where, text = f"answer {answer['id']}", answer["latex" if "latex" in answer else "text"]
    try:
        value = latex_expression(text, tensors, where=where) if "latex" in answer else \
            expression(text, tensors, where=where, lines=program.definitions)
    except MismatchError as error:
        return Result(answer["id"], Verdict(Answer.REFUTED, "shape", reason=error.message))
    if value.axes or value.lines or any(t.axes for t in program.tensors.values()):
        question = Question(derivation, name, claim_of(value, program), program.assumptions)
        verdict = question.verdict(Asked("expression", "sum(… for k in 1..K)", text))
        return Result(answer["id"], verdict, read_as(value, program))
    aim = derivation.program.by_name[derivation.objective][-1].expr
    other = expression(goal, tensors, where="simplify").holes if goal else ()
    mine, others = (tuple((u, sign) for u, sign, _ in found) for found in (value.holes, other))
    written = answer["latex" if "latex" in answer else "text"]
    return Result(answer["id"], compare(value.expr, aim, holes=mine, other_holes=others), read_as(value, derivation.program, written))
