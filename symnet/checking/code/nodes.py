"""The operations of a traced function: each gives the node of its result. Only rational arithmetic folds at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isqrt
from typing import Any

from flint import fmpq

from symnet.checking.code.graph import CONDITIONS, FUNCTIONS, Graph, Node, graph, num, tracing, truth, var
from symnet.errors import DomainError

__all__ = ["CONDITIONS", "FUNCTIONS", "Graph", "Node", "add", "apply", "as_condition", "as_number", "choose", "compared", "divide",
           "extremum", "graph", "invert", "joined", "mul", "negative", "num", "power", "tracing", "truth", "var"]


def as_number(node: Node) -> Node:
    """A condition as 1 or 0."""
    if not node.is_condition:
        return node
    if node.op in ("true", "false"):
        return num(1 if node.op == "true" else 0)
    return graph().node("where", (node, num(1), num(0)))


def as_condition(node: Node) -> Node:
    """A number as a condition: is it not 0?"""
    if node.is_condition:
        return node
    if node.op == "where" and [a.op for a in node.args[1:]] == ["num", "num"] and [a.value for a in node.args[1:]] == [1, 0]:
        return node.args[0]
    return invert(compared("eq", node, num(0)))


def _infinite(args: Iterable[Node]) -> list[Node]:
    return [a for a in args if a.op == "inf"]


def add(terms: Iterable[Node]) -> Node:
    """The sum."""
    known, rest = fmpq(0), []
    for t in map(as_number, terms):
        if t.op == "num":
            known += t.value
        else:
            rest.append(t)
    infinite = {t.value for t in _infinite(rest)}
    if len(infinite) == 2:
        raise DomainError("sum", "∞ - ∞", "a number")
    if infinite:
        return graph().node("inf", (), infinite.pop())
    if known != 0:
        rest.append(num(known))
    if len(rest) < 2:
        return rest[0] if rest else num(0)
    return graph().node("add", tuple(sorted(rest, key=lambda t: t.number)))


def mul(factors: Iterable[Node]) -> Node:
    """The product; 0 times anything that has a value everywhere is 0, and 0 log x stays: it has none for x < 0."""
    known, rest = fmpq(1), []
    for f in map(as_number, factors):
        if f.op == "num":
            known *= f.value
        else:
            rest.append(f)
    if _infinite(rest):
        return _infinite_product(known, rest)
    if not rest or (known == 0 and not any(map(partial, rest))):
        return num(known)
    if known != 1:
        rest.append(num(known))
    return rest[0] if len(rest) == 1 else graph().node("mul", tuple(sorted(rest, key=lambda f: f.number)))


def partial(node: Node) -> bool:
    """Does the node ask for a sign somewhere, by a logarithm, a root or a division?"""
    known = graph().partial
    waiting = [node]
    while waiting:
        top = waiting[-1]
        open_ = [a for a in top.args if a not in known]
        if top in known or not open_:
            whole = top.op == "pow" and top.args[1].op == "num" and top.args[1].value.q == 1 and top.args[1].value > 0
            known.setdefault(top, top.op == "log" or (top.op == "pow" and not whole) or any(known[a] for a in top.args))
            waiting.pop()
        else:
            waiting += open_
    return known[node]


def _infinite_product(known: fmpq, rest: list[Node]) -> Node:
    if known == 0 or any(f.op != "inf" for f in rest):
        raise DomainError("product", "∞ times a value that may be 0", "a number", "np.where(mask, x, -np.inf)")
    sign = 1 if known > 0 else -1
    for f in rest:
        sign *= f.value
    return graph().node("inf", (), sign)


def negative(a: Node) -> Node:
    """-a."""
    return mul((num(-1), a))


def power(base: Node, exponent: Node) -> Node:
    """base ** exponent."""
    base, exponent = as_number(base), as_number(exponent)
    if exponent.op == "num":
        e = exponent.value
        if e == 1:
            return base
        if e == 0:
            return num(1)
        if base.op == "num" and e.q == 1 and abs(int(e.p)) <= 1000:
            if base.value == 0 and e < 0:
                raise DomainError("division", "a divisor that is 0", "a divisor that is not 0")
            return num(base.value ** int(e.p))
        if base.op == "num" and base.value >= 0 and e.q == 2:
            return _root(base.value, exponent)
        if base.op == "inf" and e < 0:
            return num(0)
    return graph().node("pow", (base, exponent))


def _root(value: fmpq, exponent: Node) -> Node:
    above, below = isqrt(int(value.p)), isqrt(int(value.q))
    if value != 0 and above * above == value.p and below * below == value.q:
        return num(fmpq(above, below) ** int(exponent.value.p))
    return num(0) if value == 0 and exponent.value > 0 else graph().node("pow", (num(value), exponent))


def divide(a: Node, b: Node) -> Node:
    """a / b."""
    return mul((a, power(b, num(-1))))


AT_ZERO = {"exp": 1, "tanh": 0, "sinh": 0, "cosh": 1, "sin": 0, "cos": 1, "arctan": 0, "erf": 0, "abs": 0, "sign": 0, "floor": 0}


def apply(name: str, a: Node) -> Node:
    """One of FUNCTIONS."""
    a = as_number(a)
    if a.op == "inf":
        found = {("exp", -1): 0, ("tanh", 1): 1, ("tanh", -1): -1, ("sigmoid", 1): 1, ("sigmoid", -1): 0, ("sign", 1): 1, ("sign", -1): -1}
        if (name, a.value) in found:
            return num(found[name, a.value])
        raise DomainError(name, "an infinite value", "a number")
    if a.op == "num" and a.value == 0 and name in AT_ZERO:
        return num(AT_ZERO[name])
    if a.op == "num" and name in ("abs", "sign"):
        return num(abs(a.value)) if name == "abs" else num(1 if a.value > 0 else -1)
    if name == "log" and a.op == "num" and a.value == 1:
        return num(0)
    return graph().node(name, (a,))


def extremum(name: str, values: Iterable[Node]) -> Node:
    """The largest ("max") or smallest ("min") of values."""
    better = max if name == "max" else min
    rest: dict[Node, None] = {}
    known: list[Any] = []
    for v in map(as_number, values):
        if v.op == "inf" and v.value == (1 if name == "max" else -1):
            return v
        if v.op == "num":
            known.append(v.value)
        elif v.op != "inf":
            rest[v] = None
    found = [*rest, *([num(better(known))] if known else [])]
    if not found:
        raise DomainError(name, "no finite values", "at least one")
    return found[0] if len(found) == 1 else graph().node(name, tuple(sorted(found, key=lambda v: v.number)))


def compared(name: str, a: Node, b: Node) -> Node:
    """a > b ("gt"), a >= b ("ge") or a = b ("eq")."""
    a, b = as_number(a), as_number(b)
    if a is b:
        return truth(name != "gt")
    if a.op == b.op == "num":
        test: dict[str, Callable[[Any, Any], bool]] = {"gt": lambda p, q: p > q, "ge": lambda p, q: p >= q, "eq": lambda p, q: p == q}
        return truth(bool(test[name](a.value, b.value)))
    if "inf" in (a.op, b.op):
        return truth(False if name == "eq" else (a.value > 0 if a.op == "inf" else b.value < 0))
    return graph().node(name, (a, b))


def invert(a: Node) -> Node:
    """not a."""
    a = as_condition(a)
    if a.op in ("true", "false"):
        return truth(a.op == "false")
    return a.args[0] if a.op == "not" else graph().node("not", (a,))


def joined(name: str, values: Iterable[Node]) -> Node:
    """All of ("and") or any of ("or") conditions."""
    stop = "false" if name == "and" else "true"
    rest: dict[Node, None] = {}
    for v in map(as_condition, values):
        if v.op == stop:
            return v
        if v.op not in ("true", "false"):
            rest[v] = None
    if len(rest) < 2:
        return next(iter(rest), truth(name == "and"))
    return graph().node(name, tuple(rest))


def choose(condition: Node, a: Node, b: Node) -> Node:
    """a where the condition holds, else b."""
    condition = as_condition(condition)
    if condition.op in ("true", "false"):
        return a if condition.op == "true" else b
    if a is b:
        return a
    if a.is_condition and b.is_condition:
        return joined("or", (joined("and", (condition, a)), joined("and", (invert(condition), b))))
    return graph().node("where", (condition, as_number(a), as_number(b)))
