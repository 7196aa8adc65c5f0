"""An exact rational point at which two expressions certainly differ, by ball arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import sympy as sp

from symnet.core.expressions import entries
from symnet.core.numbers import compute, decimal, enclose
from symnet.core.verdict import Witness
from symnet.equality.cases import turns
from symnet.equality.holes import holes, surely_defined
from symnet.equality.meeting import meeting_point
from symnet.equality.points import points
from symnet.errors import DomainError

BITS = 128
FEW = 4  # points tried before a proof is; nearly every wrong answer fails at the first
MANY = 120  # where there are cases, a difference may show in one small region
Point = dict[sp.Symbol, sp.Rational]


def symbols_of(*sides: sp.Expr) -> list[sp.Symbol]:
    """The free scalars of the sides, in a fixed order."""
    return sorted({s for side in sides for s in side.free_symbols if isinstance(s, sp.Symbol)}, key=str)


def refute(left: sp.Expr, right: sp.Expr, tries: int = 16, there: Mapping[sp.Expr, sp.Expr] | None = None,
           borders: bool = True, near: Point | None = None, asked: Iterable[tuple[sp.Expr, str]] = ()) -> Witness | None:
    """An exact point at which the sides are certainly different, or None. Points where a side is undefined are passed by.

    ``there`` gives some symbols as formulas in the others (declared assumptions, solved); the point then satisfies them.
    Without ``borders``, points are passed by at which a step, a sign or a case changes. ``near`` gives values to try first.
    ``asked`` are places without a value that SymPy forgot (see ``holes.holes``); they are passed by too.
    """
    if any(isinstance(e, sp.Indexed) for side in (left, right) for e in entries(side)) or left.has(sp.Sum) or right.has(sp.Sum):
        return None
    solved = dict(there or {})
    hidden = list(asked)  # they may hold a symbol that is gone from both sides, as x is from y*x/x
    free = [s for s in symbols_of(left, right, *solved.values(), *[u for u, _ in hidden]) if s not in solved]
    turning = [] if borders else turns(left, right)
    fixed = {s: v for s, v in (near or {}).items() if s in free and _in_domain(s, v)}
    first = [{**point, **fixed} for point in points(free, FEW)] if fixed else []
    for point in chain(first, points(free, tries if free else 1), _meeting(left, right, free)):
        whole = {**point, **{s: value.xreplace(point) for s, value in solved.items()}}
        if not all(value.is_Rational and _in_domain(s, value) for s, value in whole.items()):
            continue
        try:
            if any(enclose(u, whole, BITS).contains(0) for u in turning) or any(_missing(*hole, whole) for hole in hidden):
                continue
            if not enclose(left - right, whole, BITS).contains(0):
                return Witness(tuple((str(s), str(v)) for s, v in whole.items()), _shown(left, whole), _shown(right, whole))
        except (DomainError, ZeroDivisionError):
            continue
    return None


def _meeting(left: sp.Expr, right: sp.Expr, free: list[sp.Symbol]) -> Iterator[Point]:
    """Where few points have a value, as with log a + log(1 - a) for many a: one that is looked for."""
    if free and any(not surely_defined(*h) for side in (left, right) for h in holes(side)):
        found = meeting_point(left, right)
        if found is not None and free == sorted(found, key=str):
            yield found


def _missing(u: sp.Expr, sign: str, point: Point) -> bool:
    """True when ``u`` may lie in the hole at the point."""
    ball = enclose(u, point, BITS)
    return bool(ball.contains(0)) if sign == "=" else not ball > 0 if sign == "<=" else not ball >= 0


def _in_domain(symbol: sp.Expr, value: sp.Expr) -> bool:
    """A value that was computed must still lie in the domain of its symbol."""
    wrong = (symbol.is_integer and not value.is_Integer) or (symbol.is_positive and value <= 0) or (symbol.is_nonnegative and value < 0)
    return not wrong


def _shown(side: sp.Expr, point: dict[sp.Symbol, sp.Rational]) -> str:
    return decimal(lambda bits: compute(side, point), 10).text
