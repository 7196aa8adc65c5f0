"""The nodes of a graph at a point: exact rationals while they are rational, else balls; None where a value does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq

from symnet.checking.code.nodes import FUNCTIONS, Node
from symnet.core import functions as fn
from symnet.core.balls import RULES, hull
from symnet.core.decimals import Number, as_ball
from symnet.core.numbers import HEIGHT
from symnet.errors import SymnetError

BITS = 192
SYMPY = {"exp": sp.exp, "log": sp.log, "tanh": sp.tanh, "sinh": sp.sinh, "cosh": sp.cosh, "sin": sp.sin, "cos": sp.cos, "arctan": sp.atan,
         "erf": sp.erf, "abs": sp.Abs, "sign": sp.sign, "sigmoid": fn.sigmoid, "floor": sp.floor}
assert SYMPY.keys() == FUNCTIONS
Value = Any  # a Number, bool or None


def needed(results: Iterable[Node]) -> list[Node]:
    """The nodes that the results depend on, arguments first."""
    seen: dict[int, Node] = {}
    waiting = list(results)
    while waiting:
        node = waiting.pop()
        if node.number not in seen:
            seen[node.number] = node
            waiting += node.args
    return [seen[k] for k in sorted(seen)]


def values(order: Iterable[Node], point: Mapping[Any, Any]) -> dict[Node, Value]:
    """The value of each node, in an order in which arguments stand first."""
    found: dict[Node, Value] = {}
    with ctx.workprec(BITS):
        for node in order:
            try:
                found[node] = _value(node, [found[a] for a in node.args], point)
            except (SymnetError, ZeroDivisionError):
                found[node] = None
    return found


def _value(node: Node, args: list[Value], point: Mapping[Any, Any]) -> Value:
    op = node.op
    if op == "num":
        return node.value
    if op == "var":
        return point[node.value]
    if op == "where":
        return _where(*args)
    if op in ("true", "false"):
        return op == "true"
    if op in ("gt", "ge", "eq", "and", "or", "not"):
        return _truth(op, args)
    if op in ("inf", "unset") or None in args:
        return None
    if op == "pi":
        return arb.pi()
    if op == "about":
        return arb(node.value, abs(node.value) * 2e-15)
    if op in ("add", "mul"):
        return _join(op, args)
    if op == "pow":
        return _power(*args)
    return RULES[sp.Max if op == "max" else sp.Min](*args) if op in ("max", "min") else RULES[SYMPY[op]](*args)


def _join(op: str, args: list[Number]) -> Number:
    total = args[0]
    for a in args[1:]:
        total = total + a if op == "add" else total * a
    return arb(total) if isinstance(total, fmpq) and total.height_bits() > HEIGHT else total


def _power(base: Number, exponent: Number) -> Value:
    if isinstance(exponent, fmpq) and exponent.q == 1 and abs(int(exponent.p)) <= 10_000:
        if exponent < 0 and (base == 0 or (not isinstance(base, fmpq) and base.contains(0))):
            return None
        return base ** int(exponent.p) if exponent >= 0 else 1 / base ** int(-exponent.p)
    if base == 0:
        return fmpq(0) if exponent > 0 else None
    if not base > 0:
        return None
    return as_ball(base).sqrt() if exponent == fmpq(1, 2) else as_ball(base) ** as_ball(exponent)


def _where(condition: Value, a: Value, b: Value) -> Value:
    if condition is not None:
        return a if condition else b
    return None if a is None or b is None else hull(a, b)


def _truth(op: str, args: list[Value]) -> bool | None:
    if op == "not":
        return None if args[0] is None else not args[0]
    if op in ("and", "or"):
        stop = op == "or"
        return stop if stop in args else None if None in args else not stop
    if None in args:
        return None
    gap = args[0] - args[1]
    if gap > 0:
        return op != "eq"
    if gap < 0:
        return False
    return op != "gt" if isinstance(gap, fmpq) or gap == 0 else None
