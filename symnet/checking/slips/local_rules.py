"""The slips of differentiation at one hop: the rule misremembered. Each gives the slope that the slip would have put there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import sympy as sp

from symnet.checking.slips.chain_paths import Hop
from symnet.core.expressions import When
from symnet.core.functions import TABLE, absolute, relu, sigmoid, softplus, step

ACTIVATIONS = (sigmoid, sp.tanh, relu)
INTEGRALS: dict[Any, Callable[[sp.Expr], sp.Expr]] = {
    sp.log: lambda u: u * sp.log(u) - u, sp.sin: lambda u: -sp.cos(u), sp.cos: sp.sin, sp.sinh: sp.cosh, sp.cosh: sp.sinh,
    sp.tanh: lambda u: sp.log(sp.cosh(u)), sigmoid: softplus, relu: lambda u: relu(u) ** 2 / 2, sp.Abs: lambda u: u * absolute(u) / 2,
}
KINKS = (relu, sp.Abs, sp.Max, sp.Min)


@dataclass(frozen=True)
class Slip:
    """``slope`` stands where that of the hop belongs. ``words`` are expressions or names for the sentence."""

    kind: str
    slope: sp.Expr
    words: tuple[tuple[str, sp.Expr | str], ...] = ()


def slips_at(hop: Hop) -> Iterator[Slip]:
    """The slips at a hop, apart from leaving it out or taking it twice."""
    node = hop.node
    if isinstance(node, sp.Pow):
        yield from _power(hop) if hop.k == 0 else _exponential(hop, node.base)
    elif isinstance(node, sp.exp):
        yield from _exponential(hop, sp.E)
    elif isinstance(node, sp.log):
        yield from _log(hop)
    elif isinstance(node, sp.Piecewise):
        yield from _cases(hop)
    elif node.func in TABLE:
        yield from _function(hop)
    yield from _integral(hop)


def _power(hop: Hop) -> Iterator[Slip]:
    base, n = hop.node.args
    at = (("node", hop.node),)
    yield Slip("power not lowered", n * base**n, at)
    yield Slip("missing exponent", base ** (n - 1), at)
    yield Slip("value for the slope", hop.node, (("name", hop.node),))
    if n.is_negative:
        yield Slip("quotient rule sign", -hop.slope, at)
        yield Slip("quotient not squared", n * base**n, at)
        yield Slip("quotient not squared", -(n * base**n), at)
    if n == sp.Rational(1, 2):
        yield Slip("missing exponent", 1 / sp.sqrt(base), at)


def _exponential(hop: Hop, base: sp.Expr) -> Iterator[Slip]:
    u, node = hop.argument, hop.node
    wrong = [u * base ** (u - 1)]
    if base != sp.E:
        wrong += [node, node / sp.log(base)]
    for slope in wrong:
        yield Slip("exponential derivative", slope, (("node", node), ("wrong", slope), ("right", hop.slope)))


def _log(hop: Hop) -> Iterator[Slip]:
    u, node = hop.argument, hop.node
    for slope in (node, 1 / node, u, 1 / u**2, -1 / u**2):
        yield Slip("log derivative", slope, (("node", node), ("wrong", slope), ("right", hop.slope)))


def _function(hop: Hop) -> Iterator[Slip]:
    node, z = hop.node, hop.argument
    row = TABLE[node.func]
    if len(node.args) == 1 and node.func not in KINKS:
        slope = row.derivative[0]
        for wrong, at in ((slope(node, row.function(node)), node), (slope(node, node), node)):
            yield Slip("slope at the output", wrong, (("name", row.name), ("wrong", at), ("right", z)))
        yield Slip("slope at the output", slope(z, z), (("name", row.name), ("wrong", z), ("right", node)))
        for other in ACTIVATIONS:
            if other is not node.func:
                words = (("wrong", TABLE[other].name), ("right", row.name))
                yield Slip("slope of another activation", TABLE[other].derivative[0](z, other(z)), words)
                yield Slip("slope of another activation", TABLE[other].derivative[0](z, node), words)
    yield Slip("value for the slope", node, (("name", node),))
    if node.func in KINKS or node.has(step):
        yield Slip("reversed indicator", _turned(hop.slope), (("node", node),))
        yield Slip("missing indicator", sp.S.One, (("node", node),))


def _turned(slope: sp.Expr) -> sp.Expr:
    """Every indicator in ``slope`` as its opposite."""
    return slope.xreplace({s: 1 - s for s in slope.atoms(step)} | {s: -s for s in slope.atoms(sp.sign)})


def _cases(hop: Hop) -> Iterator[Slip]:
    cases = [hop.slope] if isinstance(hop.slope, sp.Piecewise) else list(hop.slope.atoms(sp.Piecewise))
    branches = [b for p in cases for b, _ in p.args]
    for branch, condition in (pair for p in cases for pair in p.args):
        if branch != 0 and branches.count(sp.S.Zero) == len(branches) - 1:
            yield Slip("missing indicator", branch, (("node", hop.node),))
        elif branch != 0:
            yield Slip("missing case", branch, (("condition", condition if condition != sp.true else sp.Not(hop.node.args[-2][1])),))
    if isinstance(hop.slope, sp.Piecewise) and len(branches) == 2:
        condition = hop.slope.args[0][1]
        yield Slip("reversed indicator", sp.Piecewise((branches[1], condition), (branches[0], True)), (("node", hop.node),))


def _integral(hop: Hop) -> Iterator[Slip]:
    """The antiderivative in the argument of the hop."""
    node = hop.node
    found = INTEGRALS[node.func](hop.argument) if node.func in INTEGRALS else None
    if isinstance(node, sp.Pow) and hop.k == 0:
        base, n = node.args
        found = sp.log(absolute(base)) if n == -1 else base ** (n + 1) / (n + 1)
        if n == -1:
            yield Slip("integrated", sp.log(base), (("node", node),))
    if found is not None:
        yield Slip("integrated", found, (("node", node),))


def is_kink(hop: Hop) -> bool:
    """True where the slope is an indicator."""
    return hop.node.func in KINKS or isinstance(hop.node, (sp.Piecewise, When))
