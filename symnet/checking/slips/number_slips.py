"""Slips of a calculation: the one that gives exactly the number that was printed, found by exact arithmetic.

A factor left out, taken twice or another in its place, a term left out or with the other sign, digits cut off or exchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import sympy as sp

from symnet.checking.pages.printed_digits import cut_off, digits, places, rounds_to
from symnet.checking.slips.kinds import Mistake, mistake
from symnet.core.numbers import decimal, fixed, rational

Part = tuple[str, sp.Expr]  # as the page calls it, its value there
Found = tuple[str, dict[str, str], str, sp.Expr]  # kind, words, a second slip, the value that the slips give

INVERSE: dict[str, Callable[[sp.Expr], sp.Expr]] = {
    "sigmoid": lambda n: sp.log(n / (1 - n)), "tanh": lambda n: sp.log((1 + n) / (1 - n)) / 2, "exp": sp.log,
}
RANGE = {"sigmoid": (0, 1), "tanh": (-1, 1), "exp": (0, sp.oo)}


@dataclass(frozen=True)
class Calculation:
    """Where a printed number comes from: its exact value, and what the link before it comes to with the page's own numbers, as a
    product of ``factors``, a sum of ``terms``, or a function (the name in ``call``) of ``argument``."""

    printed: str
    exact: sp.Expr
    by_hand: sp.Expr | None = None
    factors: tuple[Part, ...] = ()
    terms: tuple[Part, ...] = ()
    call: str = ""
    argument: sp.Expr | None = None

    @property
    def values(self) -> list[sp.Expr]:
        """What should have been printed."""
        return [v for v in (self.by_hand, self.exact) if v is not None]


def number_slip(c: Calculation) -> Mistake | None:
    """The slip that gives exactly what was printed; None when none does."""
    tries = (_cut(c, c.by_hand), _parts(c, product_slips(c.factors)), _cut(c, c.exact), _parts(c, sum_slips(c.terms)), _argument(c),
             _misprints(c))
    for kind, words, second, value in chain.from_iterable(tries):
        return mistake(kind, words, decimal(value, 6).text, ratio=second)
    return None


def _cut(c: Calculation, value: sp.Expr | None) -> Iterator[Found]:
    if value is not None and cut_off(value, c.printed):
        yield "cut off", {}, "", value


def _parts(c: Calculation, found: Iterator[Found]) -> Iterator[Found]:
    """One part of the product or sum; a number of one digit is soon hit by chance."""
    if c.by_hand is not None and digits(c.printed) > 1:
        yield from (f for f in found if rounds_to(f[3], c.printed))


def product_slips(parts: tuple[Part, ...]) -> Iterator[Found]:
    """Each slip in a product: a factor left out, another put in its place, taken twice, a sign."""
    if len(parts) < 2:
        return
    whole = sp.Mul(*[v for _, v in parts])
    yield "sign", {}, "", -whole
    for k, (name, value) in enumerate(parts):
        rest = _without(parts, k)
        yield "missing factor", {"factor": name}, "", rest
        yield "missing factor", {"factor": name}, "sign", -rest
        yield "doubled chain factor", {"link": name}, "", whole * value
    for k, (name, _) in enumerate(parts):
        for other, value in parts:
            if other != name:
                sign = " (with a wrong sign)" if value.is_negative else ""
                yield "wrong factor", {"wrong": other, "right": name, "sign": sign}, "", _without(parts, k) * value


def _without(parts: tuple[Part, ...], k: int) -> sp.Expr:
    return sp.Mul(*[v for j, (_, v) in enumerate(parts) if j != k])


def sum_slips(terms: tuple[Part, ...]) -> Iterator[Found]:
    """Each slip in a sum: a term left out, or with the other sign."""
    whole = sp.Add(*[v for _, v in terms])
    for name, value in terms if len(terms) > 1 else ():
        yield "dropped term", {"term": name}, "", whole - value
        yield "sign of a term", {"term": name}, "", whole - 2 * value


def _argument(c: Calculation) -> Iterator[Found]:
    """For f(u) printed as n: the input at which f does give n."""
    if c.argument is None or c.call not in INVERSE:
        return
    number, (low, high) = rational(c.printed), RANGE[c.call]
    if low < number < high:
        there = INVERSE[c.call](number)
        yield "wrong argument", {"function": c.call, "value": c.printed, "wrong": decimal(there, 3).text,
                                 "right": decimal(c.argument, 6).text}, "", c.exact


def _misprints(c: Calculation) -> Iterator[Found]:
    """The sign, the decimal point, two digits exchanged."""
    if rational(c.printed) == 0:
        return
    for value in c.values:
        if rounds_to(-value, c.printed):
            yield "sign", {}, "", value
        for shift in (10, 100, sp.Rational(1, 10), sp.Rational(1, 100)):
            if len(c.printed.strip("-0.").replace(".", "")) > 1 and rounds_to(value * shift, c.printed):
                yield "decimal point", {}, "", value
        right = fixed(value, places(c.printed)).text
        if sorted(right) == sorted(c.printed) and sum(a != b for a, b in zip(right, c.printed, strict=True)) == 2:
            yield "digits exchanged", {"right": right}, "", value


def call_of(text: str) -> tuple[str, str]:
    """The function and what stands in its brackets, ("", "") for what is no call.

    >>> call_of("sigmoid(w*x + b)")
    ('sigmoid', 'w*x + b')
    """
    found = re.match(r"\s*([a-z]+)\((.*)\)\s*\Z", text)
    return (found[1], found[2]) if found else ("", "")


def factors(text: str) -> list[str]:
    """The factors of a product as written; [text] when it is no plain product.

    >>> factors("-0.89 * 0.246 * (1 - a)")
    ['-0.89', '0.246', '(1 - a)']
    """
    parts, depth, start = [], 0, 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and c == "*":
            parts.append(text[start:k].strip())
            start = k + 1
        elif depth == 0 and c in "+-" and k > 0 and text[start:k].strip():
            return [text]
    return [*parts, text[start:].strip()]
