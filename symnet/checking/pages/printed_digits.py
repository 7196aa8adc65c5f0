"""What a printed number claims: its digits, what rounds to it, and what was cut off."""

from __future__ import annotations

import sympy as sp
from flint import ctx

from symnet.core.numbers import as_ball, enclose, rational, to_flint


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
