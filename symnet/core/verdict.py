"""A verdict on an equality: proved, almost everywhere, conditional, refuted or undecided, with its certificate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from symnet.core.short_forms import WIDTH, short

MANY, FIRST = 24, 8  # of a point with many names the first are printed


class Answer(StrEnum):
    """The five answers; the strings are part of the JSON contract."""

    PROVED = "proved"
    ALMOST_EVERYWHERE = "almost_everywhere"
    CONDITIONAL = "conditional"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Witness:
    """An exact point where two expressions differ, with both values as certified decimals.

    ``point`` pairs each name with its exact rational as a string; ``left`` and ``right`` are the values there. A long point is printed
    up to its first few names.
    """

    point: tuple[tuple[str, str], ...]
    left: str
    right: str

    def __str__(self) -> str:
        more = len(self.point) - FIRST if len(self.point) > MANY else 0
        at = ", ".join(f"{name} = {value}" for name, value in self.point[:FIRST if more else None])
        at += f" and {more} more" if more else ""
        return f"at {at}: {self.left} ≠ {self.right}" if at else f"{self.left} ≠ {self.right}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "is left = right?" and why.

    ``method`` says how it was decided ("normal form", "ball enclosure", …); ``condition`` names the points or the
    assumption of a qualified answer; ``reason`` says why an answer is undecided. ``scope`` is "for all sizes" or
    "at sizes (2, 3, 4)" for tensors, "" for scalars.

    >>> import sympy as sp
    >>> import symnet as sn
    >>> x = sp.Symbol("x", real=True)
    >>> found = sn.compare(x**2/x, x)
    >>> found.answer.value, found.holds, sn.compare(2*x, x + 1)
    ('proved', True, Verdict: refuted (at x = 2: 4 ≠ 3), by ball enclosure)
    """

    answer: Answer
    method: str = ""
    condition: str = ""
    witness: Witness | None = None
    reason: str = ""
    scope: str = ""

    @property
    def holds(self) -> bool:
        """True only for an unqualified proof."""
        return self.answer is Answer.PROVED

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        parts = (self.condition, self.reason, str(self.witness) if self.witness else "", self.scope)
        detail = "; ".join(p for p in parts if p)
        return f"{self.answer.value}" + (f" ({detail})" if detail else "")

    def __repr__(self) -> str:
        return short(f"Verdict: {self}" + (f", by {self.method}" if self.method else ""), 5 * WIDTH)


EXCEPT = "except where "


def all_of(parts: Iterable[tuple[Answer, str]]) -> tuple[Answer, list[str]]:
    """The weakest of several answers, with every condition that the whole then has: what one part leaves out, the whole leaves out.

    >>> all_of([(Answer.ALMOST_EVERYWHERE, "except where x = 0 or y = 0"), (Answer.CONDITIONAL, "z > 0")])
    (<Answer.CONDITIONAL: 'conditional'>, ['x != 0', 'y != 0', 'z > 0'])
    """
    found = list(parts)
    worst = max((a for a, _ in found), key=list(Answer).index)
    said: dict[str, None] = {}
    for answer, condition in found:
        exceptions = condition.removeprefix(EXCEPT).split(" or ") if answer is Answer.ALMOST_EVERYWHERE else []
        if worst is Answer.CONDITIONAL and exceptions:
            said |= dict.fromkeys(e.removesuffix(" = 0") + " != 0" for e in exceptions)
        elif worst is Answer.ALMOST_EVERYWHERE:
            said |= dict.fromkeys(exceptions)
        elif condition and answer is worst:
            said |= dict.fromkeys(condition.split(" and ") if worst is Answer.CONDITIONAL else [condition])
    return worst, list(said)
