"""Numbers and brackets in C."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

import sympy as sp

from symnet.backends.brackets import whole
from symnet.backends.index_code import LARGEST
from symnet.errors import DomainError


def decimal(value: Fraction | float) -> str:
    """The nearest number of float64 as C."""
    text = repr(float(value))
    mantissa, _, exponent = text.partition("e")
    return mantissa + ("" if "." in mantissa else ".0") + (f"e{exponent}" if exponent else "")


def numbers(values: Sequence[Fraction]) -> str:
    """An array of numbers."""
    return f"(const real[]){{{', '.join(map(decimal, values))}}}"


def literal(value: sp.Expr) -> str:
    """A number as C."""
    if value is sp.nan:
        return "NAN"
    if value in (sp.oo, -sp.oo):
        return "INFINITY" if value is sp.oo else "-INFINITY"
    if isinstance(value, sp.Rational):
        if abs(value) > LARGEST:
            raise DomainError("compile", "a number that float64 does not hold", "numbers below 1.8e308")
        return decimal(Fraction(int(value.p), int(value.q)))
    return decimal(float(value))


def term(code: str) -> str:
    """A term of a sum: a product needs no brackets there."""
    inner = unbracketed(code)
    return code if inner == code or any(sign in outside_brackets(inner) for sign in (" + ", " - ", " ? ", " > ")) else inner


def outside_brackets(code: str) -> str:
    """What stands in no brackets."""
    made, depth = "", 0
    for c in code:
        depth += (c in "([{") - (c in ")]}")
        made += c if depth == 0 else ""
    return made


def unbracketed(code: str) -> str:
    """Without the brackets around the whole."""
    return code[1:-1] if whole(code) else code


def renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with other names, all at once."""
    return re.sub(r"[A-Za-z_]\w*", lambda m: names.get(m[0], m[0]), text)


def mentions(text: str, name: str) -> bool:
    """Is the name used?"""
    return re.search(rf"\b{name}\b", text) is not None
