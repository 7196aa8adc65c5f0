"""A point at which expressions have values, found by mending what fails: log a and log(1 - a) of ten a's ask for all in (0, 1)."""

from __future__ import annotations

import random

import sympy as sp

from symnet.core.expressions import BINDERS, Nabla, When
from symnet.core.matrices import Det, InverseEntry
from symnet.core.number_sets import like
from symnet.core.numbers import enclose
from symnet.equality.domain_conditions import holes, surely_defined
from symnet.equality.points import READABLE, points, suited
from symnet.errors import DomainError, UnknownNodeError

BITS, STEPS = 128, 400
Point = dict[sp.Symbol, sp.Rational]
Hole = tuple[sp.Expr, str]
FINE = [sp.Rational(k, 17) for k in range(1, 17)]


def defined_somewhere(*sides: sp.Expr) -> bool:
    """True when there is a point at which all the sides have values. Entries and sums are taken as free real numbers."""
    stand_in: dict[sp.Basic, sp.Symbol] = {}
    try:
        return meeting_point(*[_without_tensors(side, stand_in) for side in sides]) is not None
    except UnknownNodeError:
        return True  # nothing that can be computed


def meeting_point(*sides: sp.Expr, seed: int = 0, also: tuple[Hole, ...] = ()) -> Point | None:
    """A rational point at which all the sides have values and that none of ``also`` leaves out, or None where none is found.

    From a first point on, a symbol of something that fails gets another value, until nothing fails (a random walk as for the
    satisfiability of formulas; Papadimitriou 1991).

    >>> x, y = sp.symbols("x y", real=True)
    >>> 0 < meeting_point(sp.log(x), sp.log(1 - x))[x] < 1, meeting_point(sp.log(x), sp.sqrt(-x))
    (True, None)
    """
    dice = random.Random(seed)
    free = sorted({s for side in (*sides, *(u for u, _ in also)) for s in side.free_symbols}, key=str)
    asked = sorted({h for side in sides for h in holes(side) if not surely_defined(*h)} | set(also), key=str)
    point = next(points(free, 1))
    failing = _failing(asked, point)
    for _ in range(STEPS):
        if not failing and all(_fine(side, "", point) for side in sides):
            return point
        movable = sorted(dice.choice(failing).free_symbols if failing else free, key=str)
        if not movable:
            return None
        symbol = dice.choice(movable)
        value = dice.choice(FINE if dice.random() < 0.5 else READABLE) * dice.choice((1, 1, 1, -1))
        moved = {**point, symbol: suited(symbol, value + (point[symbol] if dice.random() < 0.5 else 0))}
        after = _failing(asked, moved)
        if len(after) <= len(failing) or dice.random() < 0.1:
            point, failing = moved, after
    return None


def _failing(asked: list[Hole], point: Point) -> list[sp.Expr]:
    """What does not hold at the point."""
    return [u for u, sign in asked if not _fine(u, sign, point)]


def _fine(u: sp.Expr, sign: str, point: Point) -> bool:
    """Does u have a value, and one that leaves what asks for it defined?"""
    try:
        value = enclose(u, point, BITS)
    except (DomainError, ZeroDivisionError):
        return False
    return bool(value > 0 if sign == "<=" else value >= 0 if sign == "<" else not value.contains(0) if sign == "=" else True)


def _without_tensors(expr: sp.Expr, stand_in: dict[sp.Basic, sp.Symbol]) -> sp.Expr:
    if isinstance(expr, (*BINDERS, Nabla, When, Det, InverseEntry, sp.Indexed)):
        if isinstance(expr, sp.Indexed):
            return stand_in.setdefault(expr, like(expr, f"t{len(stand_in)}"))
        domain = {"positive": True} if expr.is_positive else {"nonnegative": True} if expr.is_nonnegative else {"real": True}
        return stand_in.setdefault(expr, sp.Dummy(f"t{len(stand_in)}", **domain))
    if not expr.args:
        return expr
    args = tuple(_without_tensors(a, stand_in) if isinstance(a, sp.Expr) else a for a in expr.args)
    return expr if args == expr.args else expr.func(*args)
