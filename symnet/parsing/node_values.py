"""Has an expression, as it was written, a value at a point? SymPy makes x/sqrt(x) sqrt(x) while it is read; the tree still asks for x > 0.

Only for numbers: what stands for an array has no answer here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import sympy as sp
from flint import arb

from symnet.core.functions import NAMED
from symnet.core.numbers import Number, as_ball, compute, rational, to_flint
from symnet.errors import DomainError, SymnetError
from symnet.parsing.node import Node

LETTERS = [sp.Symbol(f"_{k}", real=True) for k in range(4)]
ASKING = frozenset({"log", "ln", "log2", "log10", "log1p", "sqrt", "tan", "inv", "solve", "cosine_similarity", "logit", "pow", "power",
                    "cbrt"})
POSITIVE = frozenset({"exp", "softmax", "sigmoid", "sigma", "σ", "softplus", "cosh"})
OTHER_NAMES = {"ln": "log", "max": "maximum", "min": "minimum"}
CONSTANTS = {"pi": sp.pi, "e": sp.E}
SIGNS = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}


class NotANumber(Exception):
    """Raised for a part that is no number."""


def asks(node: Node, indices: Collection[str] = ()) -> bool:
    """Does a part of it ask for something: a divisor, a root, a logarithm, a power that is no whole number, as one of an index is?"""
    if node.kind == "binary" and node.text == "/" and not _positive(node.args[1]):
        return True
    if node.kind == "binary" and node.text in ("**", "^") and not _is_plain_power(node.args[1], indices):
        return True
    if node.kind == "call" and node.text.rpartition(".")[2] in ASKING and not all(map(_positive, node.args)):
        return True
    return any(asks(a, indices) for a in _parts(node))


def _positive(node: Node) -> bool:
    """Plainly a positive number, or an array of these: numbers, exps, softmaxes, their sums, products and quotients."""
    if node.kind == "number":
        return bool(rational(node.text) > 0)
    if node.kind == "bracket" or (node.kind == "call" and node.text.rpartition(".")[2] in ("sum", "mean") and len(node.args) == 1):
        return len(node.args) == 1 and _positive(node.args[0])
    if node.kind == "binary" and node.text in ("+", "*", "/"):
        return all(map(_positive, node.args))
    return node.kind == "call" and node.text.rpartition(".")[2] in POSITIVE


def _parts(node: Node) -> Iterator[Node]:
    yield from node.args
    yield from (v for _, v in node.keywords)


def _is_plain_power(exponent: Node, indices: Collection[str]) -> bool:
    if exponent.kind == "number":
        return exponent.text.isdigit()
    if exponent.kind == "name":
        return exponent.text in indices
    return exponent.kind in ("binary", "bracket") and exponent.text in ("+", "-", "", "(") and all(
        _is_plain_power(a, indices) for a in exponent.args)


def has_values(trees: Mapping[str, Node] | list[Node], values: Mapping[str, Number]) -> bool:
    """True when each tree certainly has a value at the point; False also where that is not seen."""
    try:
        for tree in trees.values() if isinstance(trees, Mapping) else trees:
            value(tree, values)
    except (NotANumber, SymnetError, ArithmeticError, ValueError, TypeError, RecursionError):
        return False
    return True


def value(node: Node, values: Mapping[str, Number]) -> Number:
    """The value as a ball or an exact number. Raises DomainError where there is none, NotANumber for an array."""
    if node.kind == "number":
        return to_flint(rational(node.text))
    if node.kind == "name":
        if node.text in values:
            return values[node.text]
        if node.text in CONSTANTS:
            return compute(CONSTANTS[node.text], {})
        raise NotANumber
    if node.kind == "bracket" and len(node.args) == 1:
        return value(node.args[0], values)
    if node.kind == "unary" and node.text in ("-", "+"):
        inner = value(node.args[0], values)
        return -inner if node.text == "-" else inner
    if node.kind == "binary":
        return _binary(node, values)
    if node.kind == "call" and not node.keywords:
        return _call(node, values)
    raise NotANumber


def _binary(node: Node, values: Mapping[str, Number]) -> Number:
    a, b = (value(part, values) for part in node.args)
    if node.text in SIGNS:
        return SIGNS[node.text](a, b)
    if node.text == "/":
        if as_ball(b).contains(0):
            raise DomainError("division", "0", "a divisor that is not 0")
        return a / b
    if node.text in ("**", "^"):
        return _at(sp.Pow(LETTERS[0], LETTERS[1]), [a, b])
    raise NotANumber


def _call(node: Node, values: Mapping[str, Number]) -> Number:
    name = node.text.rpartition(".")[2]
    inner = [value(a, values) for a in node.args]
    if name == "sqrt":
        return _at(sp.sqrt(LETTERS[0]), inner)
    row = NAMED.get(OTHER_NAMES.get(name, name))
    if row is None or len(inner) > len(LETTERS):
        raise NotANumber
    return _at(row.function(*LETTERS[:len(inner)]), inner)


def _at(expr: sp.Expr, inner: list[Number]) -> Number:
    found = compute(expr, dict(zip(LETTERS, inner, strict=False)))
    if isinstance(found, arb) and not found.is_finite():
        raise DomainError("value", "nothing finite", "a number")
    return found
