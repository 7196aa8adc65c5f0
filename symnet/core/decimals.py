"""A number as a decimal text: certified digits of an exact rational or of a ball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import arb, ctx, fmpq

from symnet.errors import DomainError

Number = Any  # fmpq (exact) or arb (a ball)


def as_ball(value: Number) -> arb:
    """An enclosure at the current precision."""
    return value if isinstance(value, arb) else arb(value)


@dataclass(frozen=True, slots=True)
class Shown:
    """A number as printed: ``exact`` says that the text is the number itself and not rounded.

    ``note`` says what the text does not, where no precision up to the limit settled the rounding: "smaller than 1e-1232 in size, not
    proved to be 0".
    """

    text: str
    exact: bool
    note: str = ""

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


def nearest_tie(value: Number, digits: int) -> fmpq | None:
    """The number half-way between two roundings to ``digits`` significant digits that the ball holds; None where it holds none."""
    exponent = _exponent(value)
    if exponent is None:
        return None
    scale = fmpq(10) ** (digits - 1 - exponent)
    whole = (value * scale + arb(0.5)).unique_fmpz() if isinstance(value, arb) else None
    return None if whole is None else (fmpq(whole) - fmpq(1, 2)) / scale


def own_rounding(value: Number, digits: int) -> fmpq | None:
    """The rounding of a ball to ``digits`` significant digits where the ball holds it: it may be that very number; None elsewhere."""
    exponent = _exponent(value)
    if exponent is None or isinstance(value, fmpq):
        return None
    scale = fmpq(10) ** (digits - 1 - exponent)
    scaled = value * scale
    whole = (scaled + arb(0.5)).floor().unique_fmpz()
    return fmpq(whole) / scale if whole is not None and scaled.contains(fmpq(whole)) else None


def unsettled(value: Number, digits: int) -> Shown:
    """What can be said of a ball that no precision up to the limit made narrow enough to round.

    A ball around 0 is shown as 0, one around a tie with the one digit more that is beyond doubt, a wide one (a kink that may lie
    on either side) as an interval; each with a note. Raises DomainError for a ball without bounds: a divisor that may be 0.
    """
    ball = as_ball(value)
    if not ball.is_finite():
        raise DomainError("decimal", f"a divisor or argument that {ctx.prec} bits cannot tell from 0", "a point inside the domain")
    if ball.contains(0) and _power_above(ball) < -20:
        return Shown("0", False, f"smaller than 1e{_power_above(ball)} in size, not proved to be 0")
    for more in range(1, 4):
        shown = rounded(ball, digits + more)
        if shown is not None:
            return Shown(shown.text, False, f"{ctx.prec} bits do not tell to which side of a tie it lies: shown with {_digits(more)} more")
    return Shown(_interval(ball), False, f"about between these two; {ctx.prec} bits do not settle on which side of a kink it lies")


def _interval(ball: arb) -> str:
    """[low, high], to a thousandth of the width."""
    places = 3 - (_exponent(2 * ball.rad()) or 0)
    ends = [(end.mid() * fmpq(10) ** places + arb(0.5)).floor().mid().unique_fmpz() for end in (ball.lower(), ball.upper())]
    return "[" + ", ".join(layout(int(e), places, trim=True) if e else "0" for e in ends) + "]"


def _digits(count: int) -> str:
    """``count`` digits in words."""
    return "one digit" if count == 1 else f"{count} digits"


def _power_above(ball: arb) -> int:
    """A whole number e with |value| < 10^e for every value in the ball."""
    top = ball.abs_upper()
    return int(((top.log() / arb(10).log()).upper() + arb(1)).floor().unique_fmpz() or 0) if top > 0 else -ctx.prec


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
