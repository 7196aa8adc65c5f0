"""What was found of a user's function: one judgement for each returned value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from symnet.checking.slips.kinds import Mistake
from symnet.core.short_forms import short_lines
from symnet.core.verdict import Answer, Verdict
from symnet.errors import UnknownKeyError, did_you_mean, shown

RIGHT = (Answer.PROVED, Answer.ALMOST_EVERYWHERE, Answer.CONDITIONAL)


@dataclass(frozen=True, slots=True)
class Judged:
    """One returned value: the gradient with respect to ``name``, or the loss. ``entry`` is the first wrong one, counted from 0."""

    name: str
    title: str
    verdict: Verdict
    entry: tuple[int, ...] | None = None
    slip: Mistake | None = None

    @property
    def right(self) -> bool:
        """True for every answer that holds, with its condition if it has one."""
        return self.verdict.answer in RIGHT

    def __str__(self) -> str:
        v = self.verdict
        at = f"entry [{', '.join(map(str, self.entry))}]" if self.entry and v.witness else ""
        witness = f"the code gives {v.witness.left}, right is {v.witness.right}" if v.witness else ""
        point = ", ".join(f"{k} = {x}" for k, x in v.witness.point) if v.witness and len(v.witness.point) <= 6 else ""
        said = ": ".join(x for x in (at, witness) if x) + (f" (at {point})" if point else "")
        detail = "; ".join(x for x in (v.condition if not at else "", v.reason, said, v.scope) if x)
        line = f"{self.title}: {v.answer.value}" + (f" ({detail})" if detail else "")
        return line + (f"\n    {self.slip}" if self.slip else "")

    def as_json(self) -> dict[str, object]:
        """The fields of the contract of ``symnet check``, and the entry."""
        v, w = self.verdict, self.verdict.witness
        witness = None if w is None else {"point": dict(w.point), "answer": w.left, "correct": w.right}
        slip = None if self.slip is None else self.slip.as_json()
        return {"id": self.title, "wrt": self.name, "verdict": v.answer.value, "condition": v.condition, "witness": witness,
                "entry": None if self.entry is None else list(self.entry), "mistake": slip, "message": str(self), "read_as": "",
                "scope": v.scope}


@dataclass(frozen=True)
class CodeCheck:
    """Every returned value judged. True when all of them are right; ``check["W1"]`` is the judgement on one.

    ``missing`` are gradients that the derivation has and the function does not return, ``unread`` returned keys that name no gradient,
    ``notes`` says how numbers in the code were read.

    >>> import symnet as sn
    >>> def backward(w, x, y):
    ...     return 2*x*(w*x - y)
    >>> found = sn.check_code(backward, sn.derive(sn.program("L = (w*x - y)**2"), wrt="w"))
    >>> bool(found), found.worst.value
    (True, 'proved')
    """

    function: str
    judged: tuple[Judged, ...]
    missing: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return all(j.right for j in self.judged)

    def __getitem__(self, name: str) -> Judged:
        for j in self.judged:
            if name in (j.name, j.title):
                return j
        known = [j.name for j in self.judged]
        raise UnknownKeyError("check_code", f"nothing judged for {shown(name)}", "one of " + ", ".join(known), did_you_mean(name, known))

    def __repr__(self) -> str:
        return "\n".join(short_lines([f"CodeCheck of {self.function}", *[f"  {line}" for line in str(self).split("\n")]]))

    @property
    def worst(self) -> Answer:
        """REFUTED if anything is, else UNDECIDED if anything is, else PROVED."""
        answers = {j.verdict.answer for j in self.judged}
        return next((a for a in (Answer.REFUTED, Answer.UNDECIDED) if a in answers), Answer.PROVED)

    def __str__(self) -> str:
        scopes = {j.verdict.scope for j in self.judged if j.right} - {""}
        once = scopes.pop() if len(scopes) == 1 else ""  # said once, at the end
        lines = [str(replace(j, verdict=replace(j.verdict, scope="")) if j.right and j.verdict.scope == once else j) for j in self.judged]
        lines += [f"what holds was shown {once}"] if once else []
        lines += [f"not returned: {', '.join(self.missing)}"] if self.missing else []
        lines += [f"not read: {', '.join(self.unread)} (no such gradient)"] if self.unread else []
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """For programs: the results, and what was left over."""
        return {"function": self.function, "results": [j.as_json() for j in self.judged], "missing": list(self.missing),
                "unread": list(self.unread), "notes": list(self.notes)}
