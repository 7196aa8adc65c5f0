"""A number as a decimal text: certified digits of an exact rational or of a ball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import arb, fmpq

Number = Any  # fmpq (exact) or arb (a ball)


def as_ball(value: Number) -> arb:
    """An enclosure at the current precision."""
    return value if isinstance(value, arb) else arb(value)


@dataclass(frozen=True, slots=True)
class Shown:
    """A number as printed: ``exact`` says that the text is the number itself and not rounded."""

    text: str
    exact: bool

    @property
    def relation(self) -> str:
        """"=" or "≈"."""
        return "=" if self.exact else "≈"

    def __str__(self) -> str:
        return self.text


def shown_number(value: Number, digits: int) -> str:
    """A short text of a number for a message."""
    shown = rounded(value, digits)
    return shown.text if shown is not None else str(value)


def rounded(value: Number, digits: int) -> Shown | None:
    """``value`` to so many significant digits; None when the ball is too wide to say."""
    if value == 0:
        return Shown("0", True)
    exponent = _exponent(value)
    if exponent is None:
        return None
    places = digits - 1 - exponent  # decimals kept after the point
    scaled = value * (fmpq(10) ** places if places >= 0 else 1 / fmpq(10) ** -places)
    exact = isinstance(scaled, fmpq)
    unique = half_even(scaled) if exact else (scaled + arb(0.5)).floor().unique_fmpz()
    if unique is None:
        return None
    whole, exact = int(unique), exact and scaled == unique
    if abs(whole) == 10**digits:  # 0.9999 rounded up to 1.00: one digit fewer after the point
        whole, places = whole // 10 if whole > 0 else -(-whole // 10), places - 1
    return Shown(layout(whole, places, trim=exact), exact)


def half_even(x: fmpq) -> int:
    """The nearest whole number, ties to the even one."""
    floor = int(x.p // x.q)
    rest = x - floor
    return floor + (rest > fmpq(1, 2) or (rest == fmpq(1, 2) and floor % 2 == 1))


def _exponent(value: Number) -> int | None:
    """floor(log10 |value|); None when the ball is too wide to say."""
    size = abs(as_ball(value))
    if size.contains(0):
        return None
    found = (size.log() / arb(10).log()).floor().unique_fmpz()
    if found is None:  # a power of ten sits inside the ball: either answer gives the digits, one more or less
        guess = (size.mid().log() / arb(10).log()).mid() + arb(0.5)
        near = guess.floor().unique_fmpz()
        return None if near is None else int(near)
    return int(found)


def layout(whole: int, places: int, trim: bool = False) -> str:
    """The decimal text of whole · 10^-places; scientific where many zeros would stand.

    >>> layout(12345, 4), layout(5, 9), layout(12, -3)
    ('1.2345', '5e-9', '12000')
    """
    sign, digits = ("-" if whole < 0 else ""), str(abs(whole))
    if trim and places > 0:
        cut = min(len(digits) - len(digits.rstrip("0")), places) if digits.strip("0") else 0
        digits, places = digits[: len(digits) - cut], places - cut
    exponent = len(digits) - 1 - places
    if exponent < -5 or exponent > 20:
        tail = digits[1:].rstrip("0") if trim else digits[1:]
        return f"{sign}{digits[0]}{'.' + tail if tail else ''}e{exponent}"
    if places <= 0:
        return sign + digits + "0" * -places
    digits = digits.rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def as_decimal(p: int, q: int) -> str | None:
    """p/q > 0 as an exact decimal text when q is large and that is no longer than the fraction; None otherwise.

    >>> as_decimal(8943, 200000), as_decimal(1, 8), as_decimal(1, 30000)
    ('0.044715', None, None)
    """
    if q < 10_000:
        return None
    twos = (q & -q).bit_length() - 1
    rest, fives = q >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > len(str(p)) + len(str(q)):
        return None
    digits = str(p * 10**places // q).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}"
    return text if len(text) <= len(str(p)) + len(str(q)) else None
