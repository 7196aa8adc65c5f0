"""Nodes of the array tree that stand for what was computed before, and when two nodes are equal but for the letters of indices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import sympy as sp

from symnet.arrays.tree import (
    Apply,
    Cases,
    Contract,
    Crossed,
    Leaf,
    LogSum,
    LogWeighted,
    Masked,
    Node,
    Number,
    OfMatrix,
    Others,
    OtherTerms,
    Scatter,
    Softmax,
)
from symnet.core.axes import Range
from symnet.core.expressions import Limits


@dataclass(frozen=True, slots=True)
class Temp(Node):
    """An array, or a number, that was computed before: ``name`` in the source."""

    name: str
    spans: tuple[tuple[sp.Symbol, Range], ...] = ()


@dataclass(frozen=True, slots=True)
class Formula(Node):
    """C for one entry, ``text`` with the entries of ``args`` put in."""

    text: str
    args: tuple[Node, ...]


def parts(node: Any) -> Iterator[Node]:
    """A node and all below it."""
    if isinstance(node, Node):
        yield node
        for f in fields(node):
            yield from parts(getattr(node, f.name))
    elif isinstance(node, tuple):
        for part in node:
            yield from parts(part)


def norm_of(node: Apply) -> tuple[Node, tuple[Limits, ...]] | None:
    """v and the indices summed over, of the root of a sum of squares of v."""
    if node.function is not sp.Pow:
        return None
    total, exponent = node.args
    half = isinstance(exponent, Number) and exponent.value == sp.Rational(1, 2)
    if not (half and isinstance(total, Contract) and len(total.factors) == 1):
        return None
    (square,) = total.factors
    if not (isinstance(square, Apply) and square.function is sp.Pow and isinstance(square.args[1], Number) and square.args[1].value == 2):
        return None
    bound = {t[0] for t in total.over}
    own = set(square.args[0].labels)
    return (square.args[0], total.over) if bound <= own and own == set(square.labels) else None


STAND_INS = [sp.Dummy(f"label{n}", integer=True) for n in range(40)]


def key(node: Node) -> tuple[Any, list[sp.Symbol]]:
    """What is equal for nodes that are one another but for the letters of their indices, and these letters in order."""
    order: list[sp.Symbol] = []

    def number(s: sp.Symbol) -> int:
        if s not in order:
            order.append(s)
        return order.index(s)

    def renamed_(expr: sp.Basic) -> sp.Basic:
        if expr.is_Symbol:
            return STAND_INS[order.index(expr)] if expr in order else expr
        return expr.xreplace({s: STAND_INS[n] for n, s in enumerate(order)})

    def over(limits: Iterable[Limits]) -> tuple[Any, ...]:
        return tuple((number(i), lo, hi) for i, lo, hi in limits)

    def walk(x: Any) -> Any:
        if isinstance(x, Leaf):
            spans = tuple((number(s), r) for s, r in x.spans)
            return ("leaf", x.name, tuple(renamed_(p) for p in x.places), spans)
        if isinstance(x, Temp):
            return ("temp", x.name, tuple(map(number, x.labels)))
        if isinstance(x, Number):
            return ("number", *((number(x.labels[0]), x.span) if x.labels else (x.value,)))
        if isinstance(x, Apply):
            return (x.function, *[walk(a) for a in x.args])
        if isinstance(x, Formula):
            return (x.text, *[walk(a) for a in x.args])
        if isinstance(x, Contract):
            return ("sum", tuple(walk(f) for f in x.factors), over(x.over))
        if isinstance(x, Masked):
            return ("masked", walk(x.body), tuple((number(s), r) for s, r in x.spans), renamed_(x.condition), x.outside)
        if isinstance(x, Cases):
            return ("cases", tuple((walk(v), r, walk(a), walk(b)) for v, r, a, b in x.branches))
        if isinstance(x, Scatter):
            spans = tuple((number(s), r) for s, r in x.spans)
            return ("scatter", walk(x.body), over(x.over), renamed_(x.place), number(x.labels[0]), x.span, spans)
        if isinstance(x, OfMatrix):
            return (x.kind, walk(x.body), over((x.rows, x.columns)), tuple((number(s), r) for s, r in x.spans),
                    tuple(renamed_(p) for p in x.places))
        if isinstance(x, Softmax):
            return ("softmax", walk(x.body), over((x.axis,)), x.logarithm, x.others, walk(x.weight))
        if isinstance(x, LogWeighted):
            return ("logweighted", walk(x.body), walk(x.weight), over((x.axis,)), x.mean)
        if isinstance(x, Crossed):
            return ("crossed", walk(x.body), walk(x.weight), over((x.axis,)), walk(x.more))
        if isinstance(x, (LogSum, Others, OtherTerms)):
            return (type(x).__name__, walk(x.body), over((x.axis,)))
        return x

    made = walk(node)
    for s in node.labels:
        number(s)
    return made, order
