"""How did this number come about? Try the usual slips one at a time and name the one that gives exactly what was printed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import sympy as sp
from flint import ctx

from symnet.core.numbers import as_ball, decimal, enclose, rational, to_flint

INVERSE: dict[str, Callable[[sp.Expr], sp.Expr]] = {
    "sigmoid": lambda n: sp.log(n / (1 - n)), "tanh": lambda n: sp.log((1 + n) / (1 - n)) / 2, "exp": sp.log,
}
RANGE = {"sigmoid": (0, 1), "tanh": (-1, 1), "exp": (0, sp.oo)}


def places(printed: str) -> int:
    """The decimals a printed number claims.

    >>> places("0.768"), places("-1.2e-3"), places("2")
    (3, 4, 0)
    """
    mantissa, _, exponent = printed.lower().partition("e")
    return len(mantissa.partition(".")[2]) - int(exponent or 0)


def half_unit(printed: str) -> sp.Rational:
    """Half of the last digit shown."""
    return sp.Rational(1, 2) * sp.Integer(10) ** -places(printed)


def digits(printed: str) -> int:
    """The significant digits shown.

    >>> digits("0.0768"), digits("-120"), digits("1.20")
    (3, 3, 3)
    """
    return len(printed.lower().partition("e")[0].replace(".", "").lstrip("+-0"))


def rounds_to(value: sp.Expr, printed: str) -> bool:
    """True when ``value`` rounds to what was printed; a tie goes either way."""
    return within(value, rational(printed), half_unit(printed))


def within(value: sp.Expr, number: sp.Rational, bound: sp.Rational) -> bool:
    """|value - number| <= bound, beyond doubt; what 1024 bits do not tell from a tie is a tie."""
    if value.is_Rational:
        return bool(abs(value - number) <= bound)
    for bits in (96, 256, 1024):
        with ctx.workprec(bits):
            room = as_ball(to_flint(bound)) - abs(enclose(value, {}, bits) - as_ball(to_flint(number)))
            if not room.contains(0):
                return bool(room > 0)
    return True


def cut_off(value: sp.Expr, printed: str) -> bool:
    """True when the digits of ``value`` were cut where they should have been rounded up."""
    unit, number = 2 * half_unit(printed), rational(printed)
    if number == 0 or enclose(value, {}, 96).contains(0):
        return False
    end = number + unit * (1 if number > 0 else -1)
    return within(value, (number + end) / 2, unit / 2) and not within(value, end, sp.S.Zero)


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


def sum_slips(terms: list[tuple[str, sp.Expr]]) -> Iterator[tuple[str, sp.Expr]]:
    """(sentence, value) for each single slip in a sum: a term left out, or with the other sign."""
    whole = sp.Add(*[v for _, v in terms])
    if len(terms) < 2:
        return
    for name, value in terms:
        yield f"the term {name} was left out", whole - value
        yield f"the term {name} has the wrong sign", whole - 2 * value


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

