"""A float that came from arithmetic, as the simple number that it is the rounding of: 0.7978845608028654 is √(2/π)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import sympy as sp

from symnet.core.numbers import rational

SHORT = 12  # significant digits of a float that someone may have written
LARGEST = 4096  # denominators and numerators of a simple number
ROUNDING = 1e-15  # relative


def read_float(x: Any) -> tuple[sp.Expr | None, str]:
    """What a finite float of a user's stands for, and how it was read, if not as it is written; None where it is known up to its rounding.

    A short one is the decimal that it prints as, since someone may have written it: 0.5, 1e-5, 0.044715.

    >>> read_float(0.25), read_float(2/3)
    ((1/4, ''), (2/3, '0.6666666666666666 read as 2/3'))
    """
    text = str(x)
    if len(text.lower().split("e")[0].lstrip("-0.").replace(".", "")) <= SHORT or float(x).is_integer():
        return rational(text), ""
    found = simple_number(float(x))
    return (None, f"{text} is known up to its rounding") if found is None else (found[1], f"{text} read as {found[0]}")


def simple_number(x: float) -> tuple[str, sp.Expr] | None:
    """A fraction, its root, the same with π, or with the logarithm of a whole number, and how it is said; None where x is like none.

    >>> simple_number(1/3), simple_number(2**-0.5), simple_number(0.7978845608028654)
    (('1/3', 1/3), ('√(1/2)', sqrt(2)/2), ('√(2/π)', sqrt(2)/sqrt(pi)))
    """
    sign, minus, size = sp.Integer(-1 if x < 0 else 1), "-" if x < 0 else "", abs(x)
    for power, name in ((0, ""), (1, "π"), (-1, "/π")):
        if (r := _ratio(size / math.pi**power)) is not None:
            return f"{minus}{r}{name}", sign * r * sp.pi**power
        if (r := _ratio(size * size / math.pi**power)) is not None:
            return f"{minus}√({r}{name})", sign * sp.sqrt(r) * sp.sqrt(sp.pi**power)
    for whole in (2, 3, 5, 7, 10):
        for power, name in ((1, f" ln {whole}"), (-1, f"/ln {whole}")):
            if (r := _ratio(size / math.log(whole)**power)) is not None and r.q <= 64:
                return f"{minus}{r}{name}", sign * r * sp.log(whole)**power
    return None


def _ratio(x: float) -> sp.Rational | None:
    """The simple fraction that x is the rounding of."""
    if not 1e-12 < abs(x) < 1e12:
        return None
    found = Fraction(x).limit_denominator(LARGEST)
    simple = found != 0 and abs(found.numerator) <= LARGEST * LARGEST
    return sp.Rational(found.numerator, found.denominator) if simple and abs(float(found) - x) <= 4 * ROUNDING * abs(x) else None
