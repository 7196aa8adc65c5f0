"""The names of a program of numbers as fractions, so that a claim in these names is compared while they stay closed.

A function is a generator for each of its values, and no more is known of it: two expressions that are one fraction are equal wherever
both have a value, and others may be equal too. ``normal`` knows the rules of functions; here there are none, which is what makes it fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import sympy as sp

from symnet.core.program import Program
from symnet.equality.fractions import Fraction, Ring, TooLarge
from symnet.errors import UnknownNodeError

UNFIT = (TooLarge, UnknownNodeError, ZeroDivisionError, RecursionError)  # no fraction, or too large a one


@final
class NamedFractions:
    """The names of a program of numbers as fractions of polynomials in its inputs and in generators, one for each value of a function."""

    def __init__(self, program: Program) -> None:
        applied = [n for d in program.definitions for n in _functions(d.expr)]
        generators = [sp.Dummy("g") for _ in applied]
        self.ring = Ring([*(t[()] for t in program.inputs), *generators])
        self.free, self.values = iter(generators), list[tuple[sp.Expr, tuple[Fraction, ...], Fraction]]()
        self.names: dict[sp.Expr, Fraction] = {}
        for d in program.definitions:
            made = self.of(d.expr, new=True)
            if made is not None:
                self.names[d.entry] = made

    def of(self, expr: sp.Expr, new: bool = False) -> Fraction | None:
        """``expr`` as a fraction; None where a function takes a value that the program has not, unless it may be ``new``."""
        known = dict(self.names)
        for node in _functions(expr):
            args = tuple(self.ring.fraction(a, known) for a in node.args)
            found = next((f for head, given, f in self.values if head == node.func and all(map(_equal, given, args))), None)
            if found is None and not new:
                return None
            if found is None:
                found = Fraction(self.ring.generators[next(self.free)], self.ring.context.constant(1))
                self.values.append((node.func, args, found))
            known[node] = found
        return self.ring.fraction(expr, known)

    def same(self, left: sp.Expr, right: sp.Expr) -> bool:
        """True when the two are the same fraction; False says nothing."""
        try:
            one, other = self.of(left), self.of(right)
        except UNFIT:
            return False
        return one is not None and other is not None and _equal(one, other)


def _equal(a: Fraction, b: Fraction) -> bool:
    return bool(a.above * b.below == b.above * a.below)


def _functions(expr: sp.Expr) -> Iterator[sp.Expr]:
    """The parts that are no sums, products, whole powers, names or rational numbers, inner ones first."""
    seen: dict[sp.Expr, None] = {}
    for node in sp.postorder_traversal(expr):
        if node.args and not (isinstance(node, (sp.Add, sp.Mul)) or (isinstance(node, sp.Pow) and node.exp.is_Integer)):
            seen.setdefault(node)
    yield from seen
