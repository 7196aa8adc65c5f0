"""A claim is about the symbols; the numbers that are given for them are one point.

A formula that differs from the truth in its symbols is wrong, though its number may be right at that point: a factor of 1 that is not
written is a factor that is missing, and so is a term of 0. It is right under a condition where it shows that the given numbers are put
in: a digit of its text stands for one, or one changes several parts at once, as -log(p) is -t log(p) - (1 - t) log(1 - p) at t = 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import islice, product

import sympy as sp

from symnet.core.names import name_latex
from symnet.core.numbers import as_ball, compute, rational
from symnet.core.verdict import Answer
from symnet.equality.compare import compare
from symnet.errors import DomainError
from symnet.parsing.tokens import MAX_LENGTH

MOST_CHOICES = 40  # ways to read given values into the numbers of a formula
LITERAL = re.compile(r"(?<![\w.^_])(?<!\*\*)(?<!\^\{)(?<!_\{)(\d+(?:\.\d+)?(?:[eE][-+]?\d{1,3})?|\.\d+)(?![\w.])")
EXPONENT = re.compile(r"(?:\^|\*\*)\s*[{(]?\s*-?(\d+(?:\.\d+)?)(?![\w.])")
Point = Mapping[sp.Basic, sp.Expr]


@dataclass(frozen=True, slots=True)
class AtGiven:
    """The given numbers with which a formula is right: they are ``written`` in its text, or it is ``missing`` a factor or a term."""

    point: Point
    written: bool = False
    missing: bool = False

    def __str__(self) -> str:
        return " and ".join(f"{a} = {v}" for a, v in self.point.items())


@dataclass(frozen=True, slots=True)
class Text:
    """A formula as it is written, the symbols that stand in it, and how a text is read into the inputs."""

    written: str
    latex: bool
    uses: Set[sp.Basic]
    read: Callable[[str], sp.Expr]


def right_there(found: AtGiven) -> str:
    """What is said of a formula that lacks something and whose number is right."""
    return f"right only with {found}, which is given: a formula is about its symbols"


def at_given_numbers(claim: sp.Expr, truth: sp.Expr, given: Point, text: Text, terms: Iterable[sp.Expr] = ()) -> AtGiven | None:
    """How a formula that is wrong in its symbols is right with given numbers; None where it is not.

    ``claim`` and ``truth`` are in the inputs, and so are the ``terms`` of the truth as it is written in names.
    """
    if not _same_number(claim, truth, given):
        return None
    point = {a: v for a, v in given.items() if a in truth.free_symbols - text.uses}
    for names in _seen(text.written, point):
        if _equal(text.read(_with_names(text, {k: (a, point[a]) for k, a in names.items()})), truth):
            return AtGiven({a: point[a] for a in names.values()}, written=True)
    exponents = {s for p in truth.atoms(sp.Pow) for s in p.exp.free_symbols}
    printed = set(map(rational, EXPONENT.findall(text.written))) - {sp.S.One, sp.S.Zero}
    said = {a: v for a, v in point.items() if a in exponents and abs(v) in printed}
    if said and _equal(claim, truth.xreplace(said)):  # (1 - p)^2 for (1 - p)^g
        return AtGiven(said, written=True)
    for term in dict.fromkeys(terms):  # 1 + s for (a - y)**2 + s, where that is 1
        value = term.xreplace(dict(given))
        if value.is_Rational and any(rational(n) == abs(value) for n in numbers_in(text.written)) and _equal(claim + term - value, truth):
            return AtGiven({a: v for a, v in given.items() if a in term.free_symbols}, written=True)
    gone = {a: v for a, v in point.items() if v in (-1, 0, 1)}
    for there in (*({a: v} for a, v in gone.items()), gone):
        if there and _equal(claim.xreplace(there), truth.xreplace(there)):
            return AtGiven(there, missing=_lacks(claim, truth, there, (*terms, *sp.Add.make_args(truth))))
    return None


def _equal(left: sp.Expr, right: sp.Expr) -> bool:
    return compare(left, right).answer is Answer.PROVED


def _same_number(claim: sp.Expr, truth: sp.Expr, given: Point) -> bool:
    """May the two be equal at the point? Not where they certainly differ."""
    if not (claim.free_symbols | truth.free_symbols) <= given.keys():
        return True
    try:
        return bool(as_ball(compute(claim - truth, given)).contains(0))
    except (DomainError, ZeroDivisionError):
        return True


def _lacks(claim: sp.Expr, truth: sp.Expr, there: Point, terms: Iterable[sp.Expr]) -> bool:
    """Is the claim the truth without one of its terms, or but for factors of these names?"""
    factors = [sp.Mul(*[(a / v) ** k for a, v in there.items() if v != 0]) for k in (1, 2, -1)]
    return any(_equal(claim * f, truth) for f in factors if f != 1) or \
        any(_equal(claim + t, truth) for t in dict.fromkeys(terms) if t.free_symbols & there.keys() and t != truth)


def _seen(text: str, point: Point) -> Iterator[dict[int, sp.Basic]]:
    """Which numbers of the text may stand for which given values: one number for one value, then each value at every number like it.
    That a number also stands elsewhere, as in 1 - a, puts nothing in."""
    printed = list(numbers_in(text))
    fit = {a: [k for k, n in enumerate(printed) if rational(n) == abs(v)] for a, v in point.items()}
    fit = {a: places for a, places in fit.items() if places}
    for chosen in islice(product(*[[None, *places] for places in fit.values()]), 1, MOST_CHOICES):
        names = {k: a for a, k in zip(fit, chosen, strict=True) if k is not None}
        if len(names) == sum(k is not None for k in chosen):
            yield names


def _with_names(text: Text, names: Mapping[int, tuple[sp.Basic, sp.Expr]]) -> str:
    """The text with names for some of its numbers."""
    count = iter(range(MAX_LENGTH))

    def stand(match: re.Match[str]) -> str:
        atom, value = names.get(next(count), (None, sp.S.Zero))
        return match[0] if atom is None else rf" ({'-' if value < 0 else ''}{name_latex(str(atom)) if text.latex else atom}) "

    return LITERAL.sub(stand, text.written)


def numbers_in(text: str) -> Iterator[str]:
    """The numbers of an expression, exponents and indices left out.

    >>> list(numbers_in("2 * (0.555 - 1)^2 + x_1"))
    ['2', '0.555', '1']
    """
    return (m[1] for m in LITERAL.finditer(text))
