"""The answers of a worksheet -> verdicts, in the shape of the JSON contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symnet.checking.answers import check_answer
from symnet.core.derivation import Derivation
from symnet.core.text import text as plain_text
from symnet.core.verdict import Answer, Verdict
from symnet.equality.compare import compare
from symnet.errors import SymnetError
from symnet.parsing.program import expression


@dataclass(frozen=True, slots=True)
class Result:
    """One answer judged. ``read_as`` is what was understood."""

    id: str
    verdict: Verdict
    read_as: str = ""

    def as_json(self) -> dict[str, object]:
        """The fields of the contract."""
        v = self.verdict
        w = v.witness
        witness = None if w is None else {"point": dict(w.point), "answer": w.left, "correct": w.right}
        return {"id": self.id, "verdict": v.answer.value, "condition": v.condition, "witness": witness, "mistake": None,
                "message": str(v), "read_as": self.read_as}


def judge(answer: Mapping[str, str], derivation: Derivation) -> Result:
    """One answer about a gradient."""
    name = answer["id"]
    if "latex" in answer:
        reason = "answers in LaTeX are not read yet; write plain maths under text"
        return Result(name, Verdict(Answer.UNDECIDED, reason=reason))
    wrt = answer.get("wrt") or (derivation.wrt[0] if len(derivation.wrt) == 1 else "")
    if wrt not in derivation.names:
        reason = f"no gradient of {wrt!r} is asked for" if wrt else "wrt is missing"
        return Result(name, Verdict(Answer.UNDECIDED, reason=reason))
    try:
        value = expression(answer["text"], derivation.program.tensors, where=f"answer {name}")
        return Result(name, check_answer(answer["text"], derivation, wrt), plain_text(value.expr))
    except SymnetError as error:
        return Result(name, Verdict(Answer.UNDECIDED, reason=error.message))


def judge_simplified(answer: Mapping[str, str], derivation: Derivation) -> Result:
    """One answer that must equal the objective itself."""
    try:
        tensors = derivation.program.tensors
        value = expression(answer.get("text", ""), tensors, where=f"answer {answer['id']}")
        goal = derivation.program.by_name[derivation.objective][-1].expr
        return Result(answer["id"], compare(value.expr, goal), plain_text(value.expr))
    except SymnetError as error:
        return Result(answer["id"], Verdict(Answer.UNDECIDED, reason=error.message))
