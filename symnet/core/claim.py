"""Claims and how they are answered: the lines of a proof, or a counterexample. The kernel in ``proofs`` makes proofs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import sympy as sp

from symnet.core.expressions import substitute
from symnet.core.short_forms import WIDTH, short
from symnet.core.tensors import Tensor
from symnet.core.verbs import verb

RELATIONS = ("=", "<=", "<", "!=")


@dataclass(frozen=True, slots=True)
class Statement:
    """left = right, or another of the RELATIONS, for all real values of the symbols in their domains, wherever both sides have a value;
    and for every value ``first``, ``first`` + 1, … of the index ``over`` when there is one. A ``general`` one holds for every place of its
    free indices, as Σ_k y[n,k] = 1 for all n; else a free index is one particular place.

    >>> x = sp.Symbol("x", real=True)
    >>> print(Statement(sp.S.Zero, x**2, relation="<="))
    0 <= x**2
    """

    left: sp.Expr
    right: sp.Expr
    over: sp.Symbol | None = None
    relation: str = "="
    first: int = 0
    general: bool = False

    def at(self, value: sp.Expr) -> Statement:
        """The same at one value of its index."""
        there = {self.over: value}
        return Statement(substitute(self.left, there), substitute(self.right, there), None, self.relation)

    def __str__(self) -> str:
        every = "" if self.over is None else f" for all {self.over}" + (f" >= {self.first}" if self.first else "")
        places = " for all places" if self.general else ""
        return f"{self.left} {self.relation} {self.right}{every}{places}"


@dataclass(frozen=True, slots=True)
class ClaimText:
    """A claim as it was written, with declared names, hypotheses and lines; and the name of the theorem when it is the library's."""

    text: str
    tensors: tuple[Tensor, ...] = ()
    given: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    theorem: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed: a name, the sentence, and what must hold for it.

    The words are made from the name and the ``subject`` (for loss-scaling the update rule) by the prover of that name.
    """

    name: str
    sentence: str
    conditions: tuple[str, ...] = ()
    subject: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProofLine:
    """One line of a proof as it is read: what it says, by which rule, from which earlier lines.

    ``under`` is what is supposed on the way and not in the end: the case that is looked at, the step before. ``rest`` is the form in which
    the sign of a difference is seen.
    """

    number: int
    statements: tuple[Statement, ...]
    rule: str
    uses: tuple[int, ...]
    note: str = ""
    under: tuple[Statement, ...] = ()
    rest: sp.Expr | None = None


class Argument(Protocol):
    """What a report needs of a proof."""

    @property
    def lines(self) -> tuple[ProofLine, ...]:
        """The lines, in order."""

    def check(self) -> bool:
        """Make every line again by the kernel's rules and compare."""


_check_proved: Callable[[Proved], bool] = verb("check_proved")


@dataclass(frozen=True, slots=True)  # slots: no instance can have a check() of its own
class Proved:
    """A claim with its proof, which are one thing: true only while ``check()`` is.

    >>> import symnet as sn
    >>> found = sn.prove("loss-scaling", optimizer="sgd")
    >>> isinstance(found, sn.Proved), found.check(), len(found.proof.lines)
    (True, True, 11)
    """

    claim: Claim
    proof: Argument
    tensors: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def check(self) -> bool:
        """True when the kernel makes the proof again and the prover of the claim's name says these words about that very proof."""
        return _check_proved(self)

    @property
    def holds(self) -> bool:
        """True when it checks."""
        return self.check()

    def __bool__(self) -> bool:
        return self.check()

    def __str__(self) -> str:
        return f"proved: {self.claim.sentence}" if self.check() else "not proved: this claim and this proof do not belong together"

    def __repr__(self) -> str:
        return short(f"Proof in {len(self.proof.lines)} lines; {self}", 6 * WIDTH)


@dataclass(frozen=True, slots=True)
class Refutation:
    """A claim with a counterexample: an exact case, and the two values that ought to be equal and are not.

    ``left`` and ``right`` are decimals, rounded where ``exact`` holds no fraction that says them outright ("" where there is none).

    >>> import symnet as sn
    >>> found = sn.prove("loss-scaling", optimizer="adam")
    >>> found.holds, found.left, found.right
    (False, '0.9990000001', '0.9999000000')
    """

    claim: Claim
    case: tuple[tuple[str, str], ...]
    left: str
    right: str
    why: str = ""
    exact: tuple[str, str] = ("", "")

    @property
    def holds(self) -> bool:
        """Never."""
        return False

    @property
    def reached(self) -> tuple[str, str]:
        """Both values as they are told: a number that is exact as it stands, else with ≈ before what is rounded.

        >>> Refutation(Claim("c", "s"), (), "0.5", "0.3333333333", exact=("1/2", "1/3")).reached
        ('0.5', '1/3 ≈ 0.3333333333')
        """
        return _told(self.left, self.exact[0]), _told(self.right, self.exact[1])

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        at = ", ".join(f"{name} = {value}" for name, value in self.case)
        left, right = self.reached
        if self.claim.name.startswith("loss-scaling"):
            return f"refuted: {self.claim.sentence} Counterexample: with {at} the two runs reach {left} and {right}."
        given = f"with {at} " if at else ""
        return f"refuted: {self.claim.sentence}. Counterexample: {given}the left side is {left} and the right side {right}."

    def __repr__(self) -> str:
        return short(f"Refutation; {self}", 6 * WIDTH)


def _told(decimal: str, exact: str) -> str:
    if exact and sp.Rational(exact) == sp.Rational(decimal):
        return decimal
    return f"{exact} ≈ {decimal}" if exact else f"≈ {decimal}"
