"""Numbers written or computed in the user's code, read exactly.

A short float is the decimal it prints as: 0.5, 1e-5, 0.044715. A float with 16 or 17 digits came from arithmetic, such as 1/3 or
np.sqrt(2); it is read as the simple number that it is the rounding of, and the reading is noted. What is like nothing simple is known up to
its rounding only: it can be proved to cancel, and differences as small as its rounding refute nothing.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq

from symnet.checking.code import nodes as n
from symnet.core.numbers import rational
from symnet.errors import OptionError

SHORT = 12  # significant digits of a float that someone may have written
LARGEST = 4096  # denominators and numerators of a simple number
ROUNDING = 1e-15  # relative


def constant(value: Any) -> n.Node:
    """The node of a Python or NumPy number."""
    if isinstance(value, (bool, np.bool_)):
        return n.truth(bool(value))
    if isinstance(value, (int, np.integer)):
        return n.num(int(value))
    if isinstance(value, Fraction):
        return n.num(fmpq(value.numerator, value.denominator))
    if isinstance(value, (float, np.floating)):
        return _float(value)
    raise OptionError("array", f"an entry of type {type(value).__name__}", "a number")


def _float(value: Any) -> n.Node:
    x = float(value)
    if math.isnan(x):
        raise OptionError("array", "nan", "a number")
    if math.isinf(x):
        return n.graph().node("inf", (), 1 if x > 0 else -1)
    text = str(value) if isinstance(value, np.floating) else repr(x)
    digits = text.lower().split("e")[0].lstrip("-0.").replace(".", "")
    if len(digits) <= SHORT or x.is_integer():
        exact = rational(text)
        return n.num(fmpq(int(exact.p), int(exact.q)))
    found = _simple(x)
    if found is None:
        n.graph().notes[f"{text} is known up to its rounding"] = None
        return n.graph().node("about", (), x)
    n.graph().notes[f"{text} read as {found[0]}"] = None
    return found[1]


def _ratio(x: float) -> Fraction | None:
    """The simple fraction that x is the rounding of."""
    if not 1e-12 < abs(x) < 1e12:
        return None
    found = Fraction(x).limit_denominator(LARGEST)
    simple = found != 0 and abs(found.numerator) <= LARGEST * LARGEST
    return found if simple and abs(float(found) - x) <= 4 * ROUNDING * abs(x) else None


def _simple(x: float) -> tuple[str, n.Node] | None:
    """A fraction, its root, the same with π, or the logarithm of a whole number."""
    sign, size = (n.num(-1 if x < 0 else 1), abs(x))
    minus = "-" if x < 0 else ""
    pi = n.graph().node("pi")
    half = n.num(fmpq(1, 2))

    def made(r: Fraction) -> n.Node:
        return n.num(fmpq(r.numerator, r.denominator))

    if (r := _ratio(size)) is not None:
        return f"{minus}{r}", n.mul((sign, made(r)))
    if (r := _ratio(size * size)) is not None:
        return f"{minus}√({r})", n.mul((sign, n.power(made(r), half)))
    for k, name in ((1, "π"), (-1, "/π")):
        if (r := _ratio(size / math.pi**k)) is not None:
            return f"{minus}{r}{name}", n.mul((sign, made(r), n.power(pi, n.num(k))))
        if (r := _ratio(size * size / math.pi**k)) is not None:
            return f"{minus}√({r}{name})", n.mul((sign, n.power(n.mul((made(r), n.power(pi, n.num(k)))), half)))
    for whole in (2, 3, 5, 7, 10):
        if (r := _ratio(size / math.log(whole))) is not None and r.denominator <= 64:
            return f"{minus}{r} ln {whole}", n.mul((sign, made(r), n.apply("log", n.num(whole))))
        if (r := _ratio(size * math.log(whole))) is not None and r.denominator <= 64:
            return f"{minus}{r}/ln {whole}", n.mul((sign, made(r), n.power(n.apply("log", n.num(whole)), n.num(-1))))
    return None
