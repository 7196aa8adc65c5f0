"""Where the derivative of a line exists, and which of that needs no hypothesis because the signs of the line's parts show it.

A Condition is what a lemma of ``analysis.v`` asks: 0 < u for ln u and sqrt u, u ≠ 0 for 1/u and where u passes a kink, u ≠ v for the
larger of two. What ``Signs`` shows, the tactics of ``analysis.v`` show too; the rest are hypotheses of the theorems. A wrong guess here
makes a file that the kernel refuses, never one that says something wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp

from symnet.certificates.terms import BY_HEAD, ONE, Term, entry, number
from symnet.core.tensors import Tensor


@dataclass(frozen=True, slots=True)
class Condition:
    """"positive": 0 < a; "nonzero": a ≠ 0; "distinct": a ≠ b; "equal": a = b; "below": a < b; "at least": a <= b. It is asked where each
    of ``guards`` (z, True for 0 < z and False for z < 0) holds."""

    kind: str
    parts: tuple[Term, ...]
    guards: tuple[tuple[Term, bool], ...] = ()


def asked(term: Term, moving: Collection[str], guards: tuple[tuple[Term, bool], ...] = ()) -> Iterator[Condition]:
    """What the derivative of ``term`` asks for, where the entries ``moving`` move."""
    if not term.entries & set(moving):
        return
    parts = term.parts
    if term.head == "choose":
        yield from asked(parts[0], moving, guards)
        yield Condition("nonzero", parts[:1], guards)
        yield from asked(parts[1], moving, (*guards, (parts[0], True)))
        yield from asked(parts[2], moving, (*guards, (parts[0], False)))
        return
    for part in parts:
        yield from asked(part, moving, guards)
    if term.head == "divide":
        yield Condition("nonzero", parts[1:], guards)
    elif term.head == "inverse":
        yield Condition("nonzero", parts, guards)
    elif term.head in BY_HEAD and BY_HEAD[term.head].asks:
        kind = BY_HEAD[term.head].asks
        yield Condition(kind, parts if kind == "distinct" else parts[:1], guards)


class Signs:
    """What is known of the signs of lines and entries: ``positive``, ``nonnegative``, and ``rest``, the names v for which 0 < 1 - v."""

    def __init__(self) -> None:
        self.known: dict[str, set[str]] = {}

    def declare(self, name: str, tensor: Tensor) -> None:
        """What the domain of an input says."""
        if tensor.domain in ("complex", "index", "real"):
            return
        numbers = tensor.numbers
        low, high = numbers.ends
        found = set()
        if low is not None and (low[0] > 0 or (low[0] == 0 and (low[1] or numbers.apart))):
            found.add("positive")
        if low is not None and low[0] >= 0:
            found.add("nonnegative")
        if high is not None and (high[0] < 1 or (high[0] == 1 and high[1])):
            found.add("rest")
        if numbers.apart:
            found.add("nonzero")
        if found:
            self.known[name] = found

    def learn(self, name: str, term: Term) -> set[str]:
        """Look at the line ``name`` := ``term`` and keep what is seen; gives it."""
        found = set()
        if self.positive(term):
            found = {"positive"}
        elif self.nonnegative(term):
            found = {"nonnegative"}
        if self.positive(Term("minus", (ONE, term))):
            found.add("rest")
        if found:
            self.known[name] = found
        return found

    def shows(self, condition: Condition) -> bool:
        """True where the condition needs no hypothesis."""
        if condition.kind == "positive":
            return self.positive(condition.parts[0])
        return condition.kind == "nonzero" and self.nonzero(condition.parts[0])

    def _has(self, term: Term, what: str) -> bool:
        return term.head == "entry" and what in self.known.get(term.name, ())

    def positive(self, t: Term) -> bool:
        """True where 0 < t is seen."""
        p = t.parts
        if t.head == "number":
            return t.value > 0
        if t.head in ("exp", "sigmoid", "softplus", "cosh", "pi"):
            return True
        if t.head == "minus" and p[0] == ONE:
            return p[1].head == "sigmoid" or self._has(p[1], "rest") or (p[1].head == "number" and p[1].value < 1)
        if t.head == "plus":
            return any(self.positive(a) and self.nonnegative(b) for a, b in (p, p[::-1]))
        if t.head in ("times", "divide", "min"):
            return all(map(self.positive, p))
        if t.head == "max":
            return any(map(self.positive, p))
        if t.head in ("sqrt", "inverse", "power"):
            return self.positive(p[0])
        return self._has(t, "positive")

    def nonnegative(self, t: Term) -> bool:
        """True where 0 <= t is seen."""
        p = t.parts
        if self.positive(t) or t.head in ("abs", "relu", "sqrt") or (t.head == "number" and t.value >= 0):
            return True
        if t.head == "power":
            return (t.value % 2 == 0 and t.value <= 6) or self.nonnegative(p[0])
        if t.head == "times":
            return p[0] == p[1] or all(map(self.nonnegative, p))
        if t.head == "plus":
            return all(map(self.nonnegative, p))
        if t.head == "divide":
            return self.nonnegative(p[0]) and self.positive(p[1])
        return self._has(t, "nonnegative")

    def nonzero(self, t: Term) -> bool:
        """True where t ≠ 0 is seen."""
        if self.positive(t) or (t.head == "number" and t.value != 0):
            return True
        if t.head in ("times", "divide", "power", "inverse", "negative"):
            return all(map(self.nonzero, t.parts))
        return self._has(t, "nonzero")


def domain_conditions(name: str, tensor: Tensor) -> Iterator[Condition]:
    """What the declared domain of an input says, as hypotheses."""
    here, numbers = entry(name), tensor.numbers
    low, high = numbers.ends
    if low is not None:
        kind = "below" if low[1] or (low[0] == 0 and numbers.apart) else "at least"
        yield Condition("positive", (here,)) if low[0] == 0 and kind == "below" else Condition(kind, (number(_exact(low[0])), here))
    if high is not None:
        yield Condition("below" if high[1] else "at least", (here, number(_exact(high[0]))))
    if numbers.apart and (low is None or low[0] < 0):
        yield Condition("nonzero", (here,))


def _exact(value: sp.Rational) -> Fraction:
    return Fraction(int(value.p), int(value.q))
