"""Which lines must be opened so that an equality of terms is algebra: the fewest with which it holds at random points.

It is a guess that keeps files short; that the equality holds is the kernel's to say.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence

import mpmath

from symnet.certificates.terms import Term

DIGITS, POINTS = 40, 2


def value(term: Term, at: Mapping[str, mpmath.mpf]) -> mpmath.mpf:
    """The value of a term where its entries have values. Raises ValueError or ZeroDivisionError where it has none."""
    head = term.head
    if head == "number":
        return mpmath.mpf(term.value.numerator) / term.value.denominator
    if head == "entry":
        return at[term.name]
    if head == "pi":
        return +mpmath.pi
    if head == "choose":
        return value(term.parts[1 if value(term.parts[0], at) > 0 else 2], at)
    p = [value(part, at) for part in term.parts]
    if head == "power":
        return p[0] ** int(term.value)
    if head in ("ln", "sqrt") and p[0] < 0:
        raise ValueError(head)
    return _OPERATIONS[head](*p)


_OPERATIONS = {
    "plus": lambda a, b: a + b, "minus": lambda a, b: a - b, "times": lambda a, b: a * b, "divide": lambda a, b: a / b,
    "negative": lambda a: -a, "inverse": lambda a: 1 / a, "exp": mpmath.exp, "ln": mpmath.log, "sqrt": mpmath.sqrt, "sin": mpmath.sin,
    "cos": mpmath.cos, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh, "atan": mpmath.atan, "erf": mpmath.erf,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)), "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)), "relu": lambda z: max(z, 0),
    "leaky_relu": lambda z, s: z if z > 0 else s * z, "step": lambda z: mpmath.mpf(z > 0), "sign": mpmath.sign, "abs": abs,
    "max": max, "min": min,
}


def holds(left: Term, right: Term, opened: Mapping[str, Term], solved: Sequence[tuple[Term, Term]], kept: Mapping[str, set[str]],
          seed: int = 1) -> bool:
    """True where left = right at random points: lines in ``opened`` have the values of their terms, the unknowns of ``solved`` those of
    theirs, all others any value of the signs that are ``kept`` of them."""
    rng = random.Random(seed)
    with mpmath.workdps(DIGITS):
        for _ in range(POINTS):
            at: dict[str, mpmath.mpf] = {}
            try:
                for name in sorted(_needed((left, right), opened, solved)):
                    free = mpmath.mpf(rng.randint(2000, 9000)) / 10000
                    at[name] = free if kept.get(name) else free * rng.choice((-1, 1))
                for unknown, term in solved:
                    if term.entries <= at.keys():
                        at[unknown.name] = value(term, at)
                for name, term in opened.items():  # in the order in which they are computed
                    if term.entries <= at.keys():
                        at[name] = value(term, at)
                a, b = value(left, at), value(right, at)
            except (ValueError, ZeroDivisionError):
                return False
            if abs(a - b) > mpmath.mpf(10) ** (8 - DIGITS) * (1 + abs(a) + abs(b)):
                return False
    return True


def _needed(terms: Iterable[Term], opened: Mapping[str, Term], solved: Sequence[tuple[Term, Term]]) -> set[str]:
    """The entries that need a value of their own."""
    found: set[str] = set()
    for t in (*terms, *opened.values(), *[v for _, v in solved], *[u for u, _ in solved]):
        found |= t.entries
    return found
