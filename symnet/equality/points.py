"""Exact rational points to compare at, the smallest readable numbers first. Every value is in its symbol's domain."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import sympy as sp

READABLE = [sp.Rational(*p) for p in ((1, 1), (2, 1), (3, 1), (1, 2), (5, 1), (-1, 1), (3, 2), (-2, 1), (7, 1), (1, 3), (-1, 2),
                                      (2, 3), (5, 2), (-3, 1), (11, 1), (3, 4))]


def points(symbols: Sequence[sp.Symbol], tries: int = 16, seed: int = 0) -> Iterator[dict[sp.Symbol, sp.Rational]]:
    """Points for the symbols, each value inside its symbol's domain."""
    for shift in range(min(tries, 8)):
        yield {s: suited(s, READABLE[(k * (1 + shift) + shift) % len(READABLE)]) for k, s in enumerate(symbols)}
    dice = random.Random(seed)
    for _ in range(tries - 8):
        yield {s: suited(s, sp.Rational(dice.randint(-60, 60) or 7, dice.choice((7, 11, 13, 20)))) for s in symbols}


def suited(symbol: sp.Symbol, value: sp.Rational) -> sp.Rational:
    """``value``, changed so that it lies in the symbol's domain."""
    if symbol.is_rational and not symbol.is_integer:  # a class, counted from 0: one of the first two, which there are
        return sp.Integer(value.p % 2)
    value = sp.Integer(value.p) if symbol.is_integer else value
    return abs(value) if symbol.is_nonnegative or symbol.is_positive else value
