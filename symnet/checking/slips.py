"""How did this number come about? Try the usual slips one at a time and name the one that gives exactly what was printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import sympy as sp

from symnet.core.numbers import decimal, fixed, rational

INVERSE: dict[str, Callable[[sp.Expr], sp.Expr]] = {
    "sigmoid": lambda n: sp.log(n / (1 - n)), "tanh": lambda n: sp.log((1 + n) / (1 - n)) / 2, "exp": sp.log,
}
RANGE = {"sigmoid": (0, 1), "tanh": (-1, 1), "exp": (0, sp.oo)}


def places(printed: str) -> int:
    """The decimals a printed number claims."""
    return len(printed.partition(".")[2])


def rounds_to(value: sp.Expr, printed: str) -> bool:
    """True when ``value`` rounds to what was printed."""
    return bool(rational(fixed(value, places(printed)).text) == rational(printed))


def cut_off(value: sp.Expr, printed: str) -> bool:
    """True when the digits of ``value`` were cut where they should have been rounded up."""
    longer = fixed(value, places(printed) + 12).text
    head, _, tail = longer.partition(".")
    return bool(rational(f"{head}.{tail[: places(printed)] or '0'}") == rational(printed))


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


def product_slips(parts: list[tuple[str, sp.Expr]]) -> Iterator[tuple[str, sp.Expr]]:
    """(sentence, value) for each single slip in a product: a factor left out, another put in its place, taken twice, a sign."""
    whole = sp.Mul(*[v for _, v in parts])
    yield "the sign is wrong", -whole
    for k, (name, value) in enumerate(parts):
        rest = sp.Mul(*[v for j, (_, v) in enumerate(parts) if j != k])
        yield f"the factor {name} was left out", rest
        yield f"the factor {name} was left out, and the sign is wrong", -rest
        yield f"the factor {name} was taken twice", whole * value
    for k, (name, _) in enumerate(parts):
        for other, value in parts:
            if other != name:
                rest = sp.Mul(*[v for j, (_, v) in enumerate(parts) if j != k])
                sign = " (with a wrong sign)" if value.is_negative else ""
                yield f"{other} was put in again where {name} belongs{sign}", rest * value


def explain(printed: str, value: sp.Expr, product: list[tuple[str, sp.Expr]]) -> str:
    """The slip that gives ``printed``, "" when none of them does. ``value`` is the exact value, ``product`` its factors."""
    if cut_off(value, printed):
        return "the digits were cut off, not rounded"
    if len(product) > 1:
        for sentence, candidate in product_slips(product):
            if rounds_to(candidate, printed):
                return sentence
    return ""


def other_argument(text: str, printed: str, argument: sp.Expr) -> str:
    """For f(u) printed as n: the input at which f does give n."""
    match = re.match(r"\s*([a-z]+)\(.*\)\s*\Z", text)
    if match is None or match[1] not in INVERSE:
        return ""
    number = rational(printed)
    low, high = RANGE[match[1]]
    if not low < number < high:
        return ""
    there = decimal(INVERSE[match[1]](number), 3).text
    return f"{match[1]} gives {printed} at about {there}, but its input here is {decimal(argument, 6).text}"

