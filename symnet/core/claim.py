"""Claims and how they are answered: the lines of a proof, or a counterexample. The kernel in ``proofs`` makes proofs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import sympy as sp

from symnet.core.expressions import substitute


@dataclass(frozen=True, slots=True)
class Equation:
    """left = right, for every value 0, 1, 2, … of ``over`` when there is such an index."""

    left: sp.Expr
    right: sp.Expr
    over: sp.Symbol | None = None

    def at(self, value: sp.Expr) -> Equation:
        """The same at one value of its index."""
        there = {self.over: value}
        return Equation(substitute(self.left, there), substitute(self.right, there))

    def __str__(self) -> str:
        return f"{self.left} = {self.right}" + (f" for all {self.over}" if self.over is not None else "")


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed: a name, the sentence, and what must hold for it."""

    name: str
    sentence: str
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProofLine:
    """One line of a proof as it is read: what it says, by which rule, from which earlier lines."""

    number: int
    equations: tuple[Equation, ...]
    rule: str
    uses: tuple[int, ...]
    note: str = ""


class Argument(Protocol):
    """What a report needs of a proof."""

    @property
    def lines(self) -> tuple[ProofLine, ...]:
        """The lines, in order."""

    def check(self) -> bool:
        """Make every line again by the kernel's rules and compare."""


@dataclass(frozen=True)
class Proved:
    """A claim with its proof. ``check()`` re-checks it from nothing."""

    claim: Claim
    proof: Argument
    tensors: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    holds = True

    def check(self) -> bool:
        """True when the proof re-checks."""
        return self.proof.check()

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return f"proved: {self.claim.sentence}"


@dataclass(frozen=True)
class Refutation:
    """A claim with a counterexample: an exact case, and the two values that ought to be equal and are not."""

    claim: Claim
    case: tuple[tuple[str, str], ...]
    left: str
    right: str
    why: str = ""

    holds = False

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        at = ", ".join(f"{name} = {value}" for name, value in self.case)
        return f"refuted: {self.claim.sentence} Counterexample: with {at} the two runs reach {self.left} and {self.right}."
