"""Exact rational points to compare at, the smallest readable numbers first. Every value is in its symbol's domain."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

import sympy as sp

from symnet.core.number_sets import numbers_of

READABLE = [sp.Rational(*p) for p in ((1, 1), (2, 1), (3, 1), (1, 2), (5, 1), (-1, 1), (3, 2), (-2, 1), (7, 1), (1, 3), (-1, 2),
                                      (2, 3), (5, 2), (-3, 1), (11, 1), (3, 4))]


def points(symbols: Sequence[sp.Symbol], tries: int = 16, seed: int = 0,
           classes: Mapping[sp.Basic, int] | None = None) -> Iterator[dict[sp.Symbol, sp.Rational]]:
    """Points for the symbols, each value inside its symbol's domain; ``classes`` says how many values an index takes."""
    count = classes or {}
    for shift in range(min(tries, 8)):
        yield {s: suited(s, READABLE[(k * (1 + shift) + shift) % len(READABLE)], count.get(s)) for k, s in enumerate(symbols)}
    dice = random.Random(seed)
    for _ in range(tries - 8):
        yield {s: suited(s, sp.Rational(dice.randint(-60, 60) or 7, dice.choice((7, 11, 13, 20))), count.get(s)) for s in symbols}


def suited(symbol: sp.Symbol, value: sp.Rational, classes: int | None = None) -> sp.Rational:
    """``value``, changed so that it lies in the symbol's domain; the ``classes`` of an index count from 0, and there are two at least."""
    if symbol.is_rational and not symbol.is_integer:
        return sp.Integer(abs(value.p) % (classes or 2))
    return numbers_of(symbol).suited(sp.Integer(value.p) if symbol.is_integer else value)


def nearby(point: Mapping[sp.Symbol, sp.Rational], seed: int) -> dict[sp.Symbol, sp.Rational]:
    """A point so near that a case changes there only if ``point`` lies on its border; whole numbers stay. At random, so that no border
    of measure zero is met again: two formulas that differ at a few such points differ on a set of positive measure.
    """
    dice = random.Random(seed)
    moved = {s: v + (-1 if v and dice.random() < 0.5 else 1) * sp.Rational(dice.randint(2**30, 2**31), 2**61) for s, v in point.items()}
    return {s: v if s.is_integer or s.is_rational else numbers_of(s).beside(v, moved[s]) for s, v in point.items()}
