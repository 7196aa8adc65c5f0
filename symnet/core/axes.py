"""Axes and indices: what an index runs over, and exact questions about ranges ("is i + p - 1 inside 1..T?").

Indices start at 1, as in textbooks; an axis that starts elsewhere (the layers 0..L of an activation) says so. Sizes are
positive integers or symbols for them; every comparison below is *proved* for all positive sizes or answered "not shown".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import sympy as sp

from symnet.errors import ShapeError, needs, shown

MOST = 10**15  # a size; more is no array
SIZE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")  # the name of a size
Range = tuple[sp.Expr, sp.Expr]  # first and last value of an index, both included


class Kind(StrEnum):
    """What an axis counts; depth and time axes are the ones a recurrence may run along."""

    FEATURE = "feature"
    BATCH = "batch"
    TIME = "time"
    DEPTH = "depth"


def size(value: int | str | sp.Expr) -> sp.Expr:
    """A size: a positive integer, or a name for one.

    >>> size("N"), size(3)
    (N, 3)
    """
    if isinstance(value, str) and SIZE.match(value):
        return sp.Symbol(value, integer=True, positive=True)
    expr = sp.Integer(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(expr, sp.Expr) or not expr.is_integer or (expr.is_Integer and not 1 <= expr <= MOST):
        raise ShapeError("size", shown(value), "a positive integer or a name")
    return expr


def index(name: str) -> sp.Symbol:
    """The index symbol called ``name``."""
    return sp.Symbol(name, integer=True)


def is_index(symbol: sp.Basic) -> bool:
    """True for the symbol of an index; that of a size, which is positive, or of a number is none."""
    return bool(symbol.is_Symbol and symbol.is_integer and not symbol.is_positive)


@dataclass(frozen=True, slots=True)
class Axis:
    """The values lower..upper of an index, both included. ``Axis.of("d")`` is 1..d.

    >>> Axis.of("d").size
    d
    """

    name: str
    lower: sp.Expr
    upper: sp.Expr
    kind: Kind = Kind.FEATURE

    @classmethod
    def of(cls, value: int | str | sp.Expr, kind: Kind = Kind.FEATURE, name: str = "") -> Axis:
        """The axis 1..value."""
        upper = size(value)
        return cls(name or str(upper), sp.S.One, upper, kind)

    @classmethod
    def between(cls, lower: int | sp.Expr, upper: int | str | sp.Expr, kind: Kind, name: str = "") -> Axis:
        """The axis lower..upper, for instance the layers 0..L."""
        for end in (lower, upper):
            if isinstance(end, int) and abs(end) > MOST:
                raise ShapeError("axis", "an end of too many digits", "whole numbers or sizes at both ends")
            needs(end, (int, str, sp.Expr) if end is upper else (int, sp.Expr), "axis", "whole numbers or sizes at both ends")
        needs(kind, Kind, "axis, kind", "one of " + ", ".join(Kind))
        top = size(upper) if isinstance(upper, str) else sp.Integer(upper) if isinstance(upper, int) else upper
        return cls(name or str(top), sp.Integer(lower) if isinstance(lower, int) else lower, top, kind)

    def __repr__(self) -> str:
        kind = "" if self.kind is Kind.FEATURE else f", {self.kind}"
        return f"Axis {self.name}: {self.lower}..{self.upper}{kind}"

    @property
    def size(self) -> sp.Expr:
        """How many values the index takes."""
        return self.upper - self.lower + 1

    @property
    def range(self) -> Range:
        """(lower, upper)."""
        return self.lower, self.upper


Least = Mapping[sp.Symbol, int]  # the least value of a size, where it is more than 1


def nonnegative(expr: sp.Expr, least: Least | None = None) -> bool:
    """True when ``expr``, a polynomial in sizes, is shown to be >= 0 for all positive sizes; False means "not shown".

    Each size s is written 1 + s' with s' >= 0 (or m + s' where ``least`` says s >= m); a polynomial whose coefficients are then
    all >= 0 is >= 0. The number floor(p/q) of whole steps lies in (p - q + 1)/q..p/q, and ceiling(p/q) in p/q..(p + q - 1)/q.

    >>> T, K = size("T"), size("K")
    >>> nonnegative(T - 1), nonnegative(T - K), nonnegative(T - 2), nonnegative(T - 2, {T: 2})
    (True, False, False, True)
    >>> nonnegative(T - sp.floor(T/2)), nonnegative(sp.floor(T/2) - 1), nonnegative(sp.ceiling((T + 1)/3) - 1)
    (True, False, True)
    """
    if expr.is_Integer:
        return bool(expr >= 0)
    symbols = expr.free_symbols
    if not all(s.is_integer and s.is_positive for s in symbols):
        return False
    if expr.has(sp.floor, sp.ceiling):
        lower = _without_rounding(sp.expand(expr))
        return lower is not None and nonnegative(lower, least)
    shifted = sp.expand(expr.xreplace({s: s + (least.get(s, 1) if least else 1) for s in symbols}))
    return all(term.as_coeff_Mul()[0] >= 0 for term in sp.Add.make_args(shifted))


def _without_rounding(expr: sp.Expr) -> sp.Expr | None:
    """A polynomial that is >= 0 only where ``expr`` is, with floors and ceilings at the ends of what they may be; None where they are
    no factors of the terms. A whole number is >= 0 where it is > -1."""
    terms = []
    for term in sp.Add.make_args(expr):
        number, rest = term.as_coeff_Mul()
        rounded = [f for f in sp.Mul.make_args(rest) if isinstance(f, (sp.floor, sp.ceiling))]
        if not rounded:
            terms.append(term)
            continue
        inside_ = rounded[0].args[0]
        if len(rounded) > 1 or inside_.has(sp.floor, sp.ceiling) or not _is_polynomial(inside_):
            return None
        divisor = _divisor(inside_)
        slack = sp.Rational(divisor - 1, divisor)
        if isinstance(rounded[0], sp.floor):
            end = inside_ - slack if number > 0 else inside_
        else:
            end = inside_ if number > 0 else inside_ + slack
        terms.append(term / rounded[0] * end)
    whole = all(t.as_coeff_Mul()[0].is_Integer for t in sp.Add.make_args(expr))
    lower = sp.expand(sp.Add(*terms))
    if not _is_polynomial(lower):
        return None
    divisor = _divisor(lower)
    return sp.expand(divisor * lower + (divisor - 1 if whole else 0))


def _is_polynomial(expr: sp.Expr) -> bool:
    return bool(expr.is_polynomial(*expr.free_symbols)) and all(t.as_coeff_Mul()[0].is_Rational for t in sp.Add.make_args(sp.expand(expr)))


def _divisor(expr: sp.Expr) -> int:
    """The least d > 0 for which d times ``expr`` has whole coefficients."""
    return int(sp.ilcm(1, 1, *[t.as_coeff_Mul()[0].q for t in sp.Add.make_args(sp.expand(expr))]))


def at_most(a: sp.Expr, b: sp.Expr, least: Least | None = None) -> bool:
    """True when a <= b is shown for all sizes."""
    return a == b or nonnegative(b - a, least)


def bounds(expr: sp.Expr, ranges: Mapping[sp.Symbol, Range]) -> Range | None:
    """The least and greatest value of an index expression, affine in the indices; None when it is not affine.

    The ends of a range may depend on other indices: with j = 1..i - 1 and i = 1..n the gap i - j runs over 1..n - 1.
    Coefficients are whole numbers or sizes (W*i + j, the place of row i and column j when rows of W follow one another).

    >>> i, p = index("i"), index("p")
    >>> bounds(i + p - 1, {i: (sp.S.One, size("M")), p: (sp.S.One, size("K"))})
    (1, K + M - 1)
    """
    if expr.is_Symbol or expr.is_Integer:  # nearly every index is one letter
        ends_of: Range = ranges.get(expr, (expr, expr))
        if not any(s in ranges for end in ends_of for s in end.free_symbols):
            return ends_of
    ends = [_extreme(sp.sympify(expr, strict=True), ranges, up) for up in (False, True)]
    return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])


def _extreme(expr: sp.Expr, ranges: Mapping[sp.Symbol, Range], up: bool) -> sp.Expr | None:
    """The greatest (or least) value: each index stands at one of its ends, those first whose ends depend on other indices."""
    for _ in range(len(ranges) + 1):
        free = expr.free_symbols
        used = [i for i in ranges if i in free]
        if not used:
            return sp.expand(expr)
        named = {s for i in used for end in ranges[i] for s in end.free_symbols}
        first = [i for i in used if i not in named]
        if not first:
            return None
        for i in first:
            slope = expr.diff(i)
            rising = bool(slope.is_integer) and nonnegative(slope)
            if not rising and not (slope.is_integer and nonnegative(-slope)):  # a size may multiply an index: p*(i - 1) + k
                return None
            expr = expr.xreplace({i: sp.S.Zero}) + slope * ranges[i][1 if rising is up else 0]
    return None


def meet(a: Range, b: Range) -> Range:
    """The common part of two ranges, each end the one shown to be tighter (``b``'s where neither is)."""
    low = a[0] if inside((a[0], a[0]), (b[0], a[0])) else b[0]
    high = a[1] if inside((a[1], a[1]), (a[1], b[1])) else b[1]
    return low, high


def inside(inner: Range, outer: Range, least: Least | None = None) -> bool:
    """True when the range ``inner`` is shown to lie within ``outer``."""
    return at_most(outer[0], inner[0], least) and at_most(inner[1], outer[1], least)
