"""An exact rational point at which two expressions certainly differ, by ball arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from itertools import chain

import sympy as sp

from symnet.core.expressions import entries
from symnet.core.number_sets import numbers_of
from symnet.core.numbers import Number, compute, decimal, enclose
from symnet.core.verdict import Witness
from symnet.equality.domain_conditions import holes, surely_defined
from symnet.equality.feasible_point import meeting_point
from symnet.equality.points import nearby, points
from symnet.errors import DomainError

BITS = 128
FEW = 4  # points tried before a proof is; nearly every wrong answer fails at the first
AROUND = 3  # points around one at which a difference must show
MANY = 120  # where there are cases, a difference may show in one small region
Point = dict[sp.Symbol, sp.Rational]


def symbols_of(*sides: sp.Expr) -> list[sp.Symbol]:
    """The free scalars of the sides, in a fixed order."""
    return sorted({s for side in sides for s in side.free_symbols if isinstance(s, sp.Symbol)}, key=str)


def refute(left: sp.Expr, right: sp.Expr, tries: int = 16, there: Mapping[sp.Expr, sp.Expr] | None = None,
           borders: bool = True, near: Point | None = None, asked: Iterable[tuple[sp.Expr, str]] = (),
           classes: Mapping[sp.Basic, int] | None = None, unsaid: Container[sp.Basic] = ()) -> Witness | None:
    """An exact point at which the sides are certainly different, or None. Points where a side is undefined are passed by.

    ``there`` gives some symbols as formulas in the others (declared assumptions, solved); the point then satisfies them.
    Without ``borders``, a difference counts only where it is met all around the point: one on a null set, where a step, a sign or a
    case changes, is passed by, and one where min(x, 4) = 4 for all x > 4 is not. ``near`` gives values to try first.
    ``asked`` are places without a value that SymPy forgot (see ``holes.holes``); they are passed by too.
    ``classes`` says how many values an index takes. ``unsaid`` are symbols that no reader knows.
    """
    if any(isinstance(e, sp.Indexed) for side in (left, right) for e in entries(side)) or left.has(sp.Sum) or right.has(sp.Sum):
        return None
    solved = dict(there or {})
    hidden = list(asked)  # they may hold a symbol that is gone from both sides, as x is from y*x/x
    free = [s for s in symbols_of(left, right, *solved.values(), *[u for u, _ in hidden]) if s not in solved]
    fixed = {s: v for s, v in (near or {}).items() if s in free and _in_domain(s, v)}
    first = [{**point, **fixed} for point in points(free, FEW, classes=classes)] if fixed else []

    def differ(point: Point) -> dict[sp.Expr, sp.Expr] | None:
        """The whole point where the sides are certainly different there."""
        whole = {**point, **{s: value.xreplace(point) for s, value in solved.items()}}
        if not all(value.is_Rational and _in_domain(s, value) for s, value in whole.items()):
            return None
        try:
            if any(_missing(*hole, whole) for hole in hidden) or enclose(left - right, whole, BITS).contains(0):
                return None
        except (DomainError, ZeroDivisionError):
            return None
        return whole

    for point in chain(first, points(free, tries if free else 1, classes=classes), _meeting(left, right, free, hidden)):
        whole = differ(point)
        if whole is not None and (borders or all(differ(nearby(point, k)) for k in range(AROUND))):
            try:
                said = tuple((str(s), str(v)) for s, v in whole.items() if s not in unsaid)
                return Witness(said, *told_apart(_value(left, whole), _value(right, whole)))
            except DomainError:  # no bits settle how a value is rounded
                continue
    return None


def _meeting(left: sp.Expr, right: sp.Expr, free: list[sp.Symbol], hidden: Iterable[tuple[sp.Expr, str]]) -> Iterator[Point]:
    """Where few points have a value, as with log a + log(1 - a) for many a: one that is looked for."""
    also = tuple(h for h in hidden if not surely_defined(*h))
    if free and (also or any(not surely_defined(*h) for side in (left, right) for h in holes(side))):
        found = meeting_point(left, right, also=also)
        if found is not None and free == sorted(found, key=str):
            yield found


def _missing(u: sp.Expr, sign: str, point: Point) -> bool:
    """True when ``u`` may lie in the hole at the point."""
    ball = enclose(u, point, BITS)
    return bool(ball.contains(0)) if sign == "=" else not ball > 0 if sign == "<=" else not ball >= 0


def _in_domain(symbol: sp.Expr, value: sp.Expr) -> bool:
    """A value that was computed must still lie in the domain of its symbol."""
    whole = symbol.is_integer or symbol.is_rational  # a size, or a class that counts from 0
    return not (whole and not value.is_Integer) and value in numbers_of(symbol)


def _value(side: sp.Expr, point: dict[sp.Symbol, sp.Rational]) -> Callable[[int], Number]:
    return lambda bits: compute(side, point)


def told_apart(left: Callable[[int], Number], right: Callable[[int], Number]) -> tuple[str, str]:
    """Two values that differ, computed for a number of bits, with as many digits as it takes to see it."""
    said = ("", "")
    for digits in (10, 20, 40, 80):
        said = (decimal(left, digits).text, decimal(right, digits).text)
        if said[0].rstrip("0").rstrip(".") != said[1].rstrip("0").rstrip("."):
            break
    return said
