"""Sets of real numbers that a domain names: an interval, a finite set, all but 0. A symbol carries its set with it.

SymPy's assumptions say "positive" and "nonzero", but not "between 0 and 1" or "0 or 1". Such a set is written into the symbol as one
more assumption, ``in (0, 1)``, so that whoever has the symbol, or an entry of an array of them, has the set: what is proved of its signs
and the points that are tried both ask ``numbers_of`` and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

import sympy as sp

from symnet.core.numbers import rational
from symnet.errors import NameError_, ParseError, SymnetError

FACT = "in "  # what the assumption that names a set begins with
WITHOUT = " without 0"
MOST_MEMBERS, LONGEST = 24, 200
INFINITY = {"oo": 1, "inf": 1, "infinity": 1, "∞": 1, "+oo": 1, "+inf": 1, "+∞": 1, "-oo": -1, "-inf": -1, "-infinity": -1, "-∞": -1}
EXAMPLES = '"(0, 1)", "[0, oo)", "{0, 1}"'
INTERVAL = re.compile(r"([(\[])([^,()\[\]{}]*),([^,()\[\]{}]*)([)\]])\Z")


@dataclass(frozen=True, slots=True)
class NumberSet:
    """The numbers from ``low`` to ``high`` (None: no end), with the ends unless they are ``open_low``, ``open_high``; or ``members`` alone;
    or, ``apart`` from 0, all others.

    >>> half = number_set("(0, 1]", "p")
    >>> sp.S.One in half, sp.S.Zero in half, str(half)
    (True, False, '(0, 1]')
    """

    low: sp.Rational | None = None
    high: sp.Rational | None = None
    open_low: bool = True
    open_high: bool = True
    members: tuple[sp.Rational, ...] = ()
    apart: bool = False

    def __contains__(self, value: sp.Expr) -> bool:
        if self.members:
            return value in self.members
        above = self.low is None or value > self.low or (value == self.low and not self.open_low)
        below = self.high is None or value < self.high or (value == self.high and not self.open_high)
        return bool(above and below and not (self.apart and value == 0))

    def __str__(self) -> str:
        if self.members:
            return "{" + ", ".join(map(str, self.members)) + "}"
        if self.apart and self.low is None and self.high is None:
            return "nonzero"
        without = WITHOUT if self.apart else ""
        low, high = ("-oo" if self.low is None else str(self.low)), ("oo" if self.high is None else str(self.high))
        return f"{'(' if self.open_low else '['}{low}, {high}{')' if self.open_high else ']'}{without}"

    @property
    def bounded(self) -> bool:
        """True for an interval with an end other than 0, of which SymPy's assumptions do not tell all."""
        return not self.members and bool(self.low or self.high or (self.low is not None and self.high is not None))

    @property
    def ends(self) -> tuple[tuple[sp.Rational, bool] | None, tuple[sp.Rational, bool] | None]:
        """The least and the greatest number, each with True where it is only come near to; None where there is no end."""
        if self.members:
            return (self.members[0], False), (self.members[-1], False)
        return (None if self.low is None else (self.low, self.open_low)), (None if self.high is None else (self.high, self.open_high))

    @property
    def hull(self) -> NumberSet:
        """The interval from the least to the greatest member of a finite set; any other set itself."""
        return NumberSet(self.members[0], self.members[-1], False, False) if self.members else self

    @property
    def pieces(self) -> tuple[NumberSet, ...]:
        """Convex parts that make up the set: each member of a finite set, what lies below and above 0 where it is left out."""
        if self.members:
            return tuple(NumberSet(members=(m,)) for m in self.members)
        if not self.apart:
            return (self,)
        return NumberSet(self.low, sp.S.Zero, self.open_low), NumberSet(sp.S.Zero, self.high, True, self.open_high)

    @property
    def facts(self) -> dict[str, bool]:
        """What SymPy can be told. A finite set is not said to be of integers: sizes and indices are."""
        ends = self.members or ()
        low, high = (ends[0], ends[-1]) if ends else (self.low, self.high)
        found = {"real": True}
        if low is not None and low >= 0:
            positive = low > 0 or (not ends and self.open_low) or self.apart
            found["positive" if positive else "nonnegative"] = True
        if high is not None and high <= 0 and not (low is not None and low >= 0):
            negative = high < 0 or (not ends and self.open_high) or self.apart
            found["negative" if negative else "nonpositive"] = True
        if len(found) == 1 and sp.S.Zero not in self:
            found["nonzero"] = True
        return found if str(self) in PLAIN else {**found, FACT + str(self): True}

    def intersected(self, other: NumberSet) -> NumberSet | None:
        """The numbers in both; None when there are none, or when it is no set of this kind.

        >>> str(number_set("(0, oo)", "x").intersected(number_set("[-1, 1]", "x")))
        '(0, 1]'
        """
        if self.members or other.members:
            return finite(m for m in (self.members or other.members) if m in self and m in other)
        low, open_low = _tighter(self.low, self.open_low, other.low, other.open_low, 1)
        high, open_high = _tighter(self.high, self.open_high, other.high, other.open_high, -1)
        return interval(low, high, open_low, open_high, self.apart or other.apart)

    def suited(self, value: sp.Rational) -> sp.Rational:
        """``value`` where it is in the set, else a number in it that goes with ``value``: other values give others where there are any."""
        if value in self:
            return value
        if self.members:
            return self.members[(abs(int(value.p)) + int(value.q) - 1) % len(self.members)]
        size = abs(value) or sp.S.One
        if self.low is not None and self.high is not None:
            size = (self.high - self.low) * (value - sp.floor(value) or 1 / (abs(value) + 2))
        base, side = (self.high, -1) if self.low is None and self.high is not None else (self.low or sp.S.Zero, 1)
        return next(v for v in (base + side * size, base + side * size / 2) if v in self)

    def beside(self, value: sp.Rational, moved: sp.Rational) -> sp.Rational:
        """A number of the set as near to ``value`` as ``moved`` is: that, the one on the other side, or ``value``."""
        return next((v for v in (moved, 2 * value - moved) if v in self and not self.members), value)


def _tighter(a: sp.Rational | None, open_a: bool, b: sp.Rational | None, open_b: bool, side: int) -> tuple[sp.Rational | None, bool]:
    if a is None or b is None:
        return (b, open_b) if a is None else (a, open_a)
    return (a, open_a or open_b) if a == b else (a, open_a) if side * (a - b) > 0 else (b, open_b)


def finite(members: Iterable[sp.Rational]) -> NumberSet | None:
    """A finite set, or None without members."""
    found = tuple(sorted(set(members)))
    return NumberSet(members=found) if found else None


def interval(low: sp.Rational | None, high: sp.Rational | None, open_low: bool = True, open_high: bool = True,
             apart: bool = False) -> NumberSet | None:
    """An interval, without 0 where ``apart``; None where it is empty."""
    if low is not None and high is not None and low >= high:
        return finite((low,)) if low == high and not (open_low or open_high) and not (apart and low == 0) else None
    apart = apart and sp.S.Zero in NumberSet(low, high, open_low, open_high)
    if apart and sp.S.Zero in (low, high):
        return NumberSet(low, high, open_low or low == 0, open_high or high == 0)
    return NumberSet(low, high, open_low, open_high, apart=apart)


REAL = NumberSet()
PLAIN: dict[str, str] = {"(-oo, oo)": "real", "(0, oo)": "positive", "[0, oo)": "nonnegative", "(-oo, 0)": "negative",
                         "(-oo, 0]": "nonpositive", "nonzero": "nonzero"}
NAMED: dict[str, NumberSet] = {
    "real": REAL, "positive": NumberSet(sp.S.Zero), "nonnegative": NumberSet(sp.S.Zero, open_low=False),
    "negative": NumberSet(high=sp.S.Zero), "nonpositive": NumberSet(high=sp.S.Zero, open_high=False), "nonzero": NumberSet(apart=True)}


def name_of(numbers: NumberSet) -> str:
    """The set as a domain is written: "positive", "(0, 1)", "{0, 1}"."""
    return PLAIN.get(str(numbers), str(numbers))


@cache
def number_set(text: str, where: str = "domain") -> NumberSet:
    """The set that a text names. Raises NameError_ for what is none, or empty.

    >>> number_set("{1, -1}", "y").members, str(number_set("[1/2, inf)", "y"))
    ((-1, 1), '[1/2, oo)')
    """
    plain = text.strip()
    if plain in NAMED:
        return NAMED[plain]
    expected = f"one of {', '.join(NAMED)}, or a set such as {EXAMPLES}"
    if len(plain) > LONGEST:
        raise NameError_(where, "a domain of more than 200 letters", expected)
    if plain.startswith("{") and plain.endswith("}"):
        parts = [p for p in plain[1:-1].split(",") if p.strip()]
        if len(parts) > MOST_MEMBERS:
            raise NameError_(where, f"a set of {len(parts)} numbers", f"at most {MOST_MEMBERS}")
        found = finite(_end(p, where, expected) for p in parts)
    else:
        match = INTERVAL.match(plain.removesuffix(WITHOUT))
        if match is None:
            raise NameError_(where, f"the domain {plain[:60]!r}", expected)
        low, high = (_limit(match[k], where, expected, side) for k, side in ((2, -1), (3, 1)))
        if (low is None and match[1] == "[") or (high is None and match[4] == "]"):
            raise NameError_(where, f"the domain {plain!r}", "a round bracket at an infinite end: (-oo, 1], [0, oo)")
        found = interval(low, high, match[1] == "(", match[4] == ")", plain.endswith(WITHOUT))
    if found is None:
        raise NameError_(where, f"the domain {plain!r}, which is empty", expected)
    return found


def _limit(text: str, where: str, expected: str, side: int) -> sp.Rational | None:
    if text.strip() in INFINITY:
        if INFINITY[text.strip()] != side:
            raise NameError_(where, f"the end {text.strip()} on that side", expected)
        return None
    return _end(text, where, expected)


def _end(text: str, where: str, expected: str) -> sp.Rational:
    try:
        found = rational(text.strip())
    except (ParseError, SymnetError) as error:
        raise NameError_(where, f"the number {text.strip()[:40]!r} in a domain: {error.found}"[:160], expected) from None
    return found


def numbers_of(entry: sp.Basic) -> NumberSet:
    """The numbers that a symbol, or an entry of an array, may be; all real ones for what has no domain.

    >>> numbers_of(sp.Symbol("x", positive=True)) == NAMED["positive"]
    True
    """
    base = entry.base.label if isinstance(entry, sp.Indexed) else entry
    return _carried(base)


@lru_cache(maxsize=4096)
def _carried(base: sp.Basic) -> NumberSet:
    said = next((fact for fact in base.assumptions0 if fact.startswith(FACT)), "")
    if said:
        return number_set(said.removeprefix(FACT))
    if base.is_positive or base.is_negative:
        return NAMED["positive" if base.is_positive else "negative"]
    if base.is_nonnegative or base.is_nonpositive:
        return NAMED["nonnegative" if base.is_nonnegative else "nonpositive"]
    return NAMED["nonzero"] if base.is_nonzero else REAL


def like(entry: sp.Basic, name: str) -> sp.Symbol:
    """A new number that may be what ``entry`` may be."""
    facts = entry.base.label.assumptions0 if isinstance(entry, sp.Indexed) else entry.assumptions0
    return sp.Dummy(name, **facts)


def is_finite(entry: sp.Basic) -> bool:
    """True for a symbol or an entry that is one of finitely many numbers."""
    return bool(numbers_of(entry).members)


