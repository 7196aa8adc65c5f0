"""Syntax tree to meaning: names looked up, shapes worked out, index expressions built. Nothing is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

import sympy as sp

from symnet.core.axes import Range, index
from symnet.core.expressions import When, total
from symnet.core.numbers import rational
from symnet.core.tensors import Tensor
from symnet.core.wellformed import did_you_mean
from symnet.errors import NameError_, ParseError, ShapeError
from symnet.parsing.functions import FUNCTIONS, Call, choose, is_condition
from symnet.parsing.grammar import Node
from symnet.parsing.limits import MOST_DIGITS, too_large
from symnet.parsing.values import Value, elementwise, matmul, number, of_tensor

MAX_POWER, MAX_PRODUCTS, MAX_SIZE = 64, 24, 4000  # the last: parts of an expression once softmax is written out
UNDEFINED = frozenset({sp.zoo, sp.nan, sp.oo, -sp.oo})
CONSTANTS = {"pi": sp.pi, "e": sp.E}
COMPARE: Mapping[str, Callable[..., sp.Expr]] = {"<": sp.Lt, ">": sp.Gt, "<=": sp.Le, ">=": sp.Ge, "==": sp.Eq, "!=": sp.Ne}


class Lowering:
    """The names one line may use: ``tensors``, ``sizes`` and the ``free`` indices of its left side."""

    def __init__(self, tensors: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol], where: str,
                 free: Mapping[str, sp.Symbol] | None = None) -> None:
        self.tensors, self.sizes, self.where = tensors, sizes, where
        self.scope: dict[str, sp.Symbol] = dict(free or {})
        self.ranges: dict[sp.Symbol, Range] = {}
        self.products = 0

    def at(self, node: Node) -> str:
        """Where a node stands, for a message."""
        return f"{self.where}, column {node.column}"

    def value(self, node: Node) -> Value:
        """The meaning of a node."""
        made: Value = getattr(self, f"_{node.kind}")(node)
        if too_large(made.expr):
            raise ParseError(self.at(node), "a constant that is too large", f"at most {MOST_DIGITS} digits")
        if made.expr in UNDEFINED or ((node.text == "**" or node.kind == "call") and made.expr.has(sp.I)):
            raise ParseError(self.at(node), "a value that no real number has, such as 1/0, log(0) or sqrt(-1)", "a real number")
        if node.kind == "call" and sum(1 for _ in islice(sp.preorder_traversal(made.expr), MAX_SIZE)) == MAX_SIZE:
            raise ParseError(self.at(node), "an expression that is too long once written out",
                             "a line of its own for a part of it")
        return made

    def real(self, node: Node) -> Value:
        """The meaning of a node that must be a number or an array of them, not a comparison."""
        value = self.value(node)
        if is_condition(value.expr):
            raise ParseError(self.at(node), "a comparison as a number", "where(condition, 1, 0)")
        return value

    def scalar(self, node: Node) -> sp.Expr:
        """The meaning of a node that must have no axes."""
        value = self.value(node)
        if value.axes:
            raise ShapeError(self.at(node), f"shape {value.shape}", "a single number")
        return value.expr

    def _number(self, node: Node) -> Value:
        return number(rational(node.text))

    def _name(self, node: Node) -> Value:
        name = node.text
        if name in self.scope:
            return number(self.scope[name])
        found = self.find(name)
        if found is not None:
            return of_tensor(self.tensors[found])
        if name in self.sizes:
            return number(self.sizes[name])
        if name in CONSTANTS:
            return number(CONSTANTS[name])
        known = [*self.tensors, *self.sizes, *self.scope]
        raise NameError_(self.at(node), f"unknown name {name!r}", "a declared name", did_you_mean(name, known))

    def find(self, name: str) -> str | None:
        """The declared tensor that is meant: w_1, w_{1} and w1 are one name."""
        if name in self.tensors:
            return name
        bare = name.replace("_", "")
        same = [t for t in self.tensors if t.replace("_", "") == bare]
        return same[0] if len(same) == 1 else None

    def _unary(self, node: Node) -> Value:
        inner = self.real(node.args[0])
        return Value(inner.axes, inner.indices, -inner.expr)

    def _binary(self, node: Node) -> Value:
        left, right = (self.value(a) if node.text == "and" else self.real(a) for a in node.args)
        where, sign = self.at(node), node.text
        if sign == "@" or (sign == "juxtaposed" and left.axes and right.axes):
            self.products += 1
            if self.products > MAX_PRODUCTS:
                raise ParseError(where, "too many matrix products in one line", f"at most {MAX_PRODUCTS}",
                                 "a line for a part of it")
            return matmul(where, left, right)
        if sign == "**":
            return self._power(node, left, right)
        if sign == "and":
            return elementwise(where, "'and'", sp.And, left, right)
        if sign in COMPARE:
            return elementwise(where, repr(sign), COMPARE[sign], left, right)
        if sign == "/" and right.expr.is_zero:
            raise ParseError(where, "division by 0", "a divisor that is not 0")
        table: Mapping[str, Callable[..., sp.Expr]] = {
            "+": lambda a, b: a + b, "-": lambda a, b: a - b, "/": lambda a, b: a / b}
        return elementwise(where, repr("*" if sign == "juxtaposed" else sign), table.get(sign, times), left, right)

    def _power(self, node: Node, base: Value, exponent: Value) -> Value:
        power = exponent.expr
        if power.is_Rational and (abs(power.p) > MAX_POWER or power.q > MAX_POWER):
            raise ParseError(self.at(node), f"the exponent {power}", f"at most {MAX_POWER}")
        if self._long(base.expr):
            raise ParseError(self.at(node), "a power of a very long number", "smaller numbers")
        if base.expr.is_Pow and base.expr.exp.is_Rational and power.is_Rational and \
                abs(base.expr.exp * power) > MAX_POWER:
            raise ParseError(self.at(node), "a power of a power", f"an exponent of at most {MAX_POWER}")
        return elementwise(self.at(node), "'**'", lambda a, b: a**b, base, exponent)

    @staticmethod
    def _long(expr: sp.Expr) -> bool:
        return isinstance(expr, sp.Rational) and max(int(expr.p).bit_length(), int(expr.q).bit_length()) > 256

    def _cond(self, node: Node) -> Value:
        yes, condition, no = self.real(node.args[0]), self.value(node.args[1]), self.real(node.args[2])
        return elementwise(self.at(node), "'if'", choose, condition, yes, no)

    def _call(self, node: Node) -> Value:
        args = [self.value(a) if (node.text, k) == ("where", 0) else self.real(a) for k, a in enumerate(node.args)]
        axis, keepdims = None, False
        for key, value in node.keywords:
            if key == "axis":
                axis = self._integer(value)
            elif key == "keepdims" and value.text in ("True", "False"):
                keepdims = value.text == "True"
            else:
                raise ParseError(self.at(node), f"the keyword {key!r} of {node.text}", "axis=… or keepdims=True")
        if node.text in ("sum", "mean") and len(args) == 2 and axis is None:
            axis, args = self._integer(node.args[1]), args[:1]
        return FUNCTIONS[node.text](Call(node.text, self.at(node), tuple(args), axis, keepdims))

    def _integer(self, node: Node) -> int:
        value = self.value(node).expr
        if not value.is_Integer or abs(value) > 8:
            raise ParseError(self.at(node), f"the axis {value}", "a small integer such as 0, 1 or -1")
        return int(value)

    def _sum(self, node: Node) -> Value:
        saved, over = dict(self.scope), []
        for k in range(1, len(node.args), 3):
            name = node.args[k].text
            if name in self.tensors or name in self.sizes or name in self.scope:
                raise NameError_(self.at(node.args[k]), f"the index {name!r} is already a name", "another letter")
            low, high = self.scalar(node.args[k + 1]), self.scalar(node.args[k + 2])
            symbol = index(name)
            self.scope[name] = symbol
            over.append((symbol, low, high))
        body = self.scalar(node.args[0])
        self.scope = saved
        return number(total(body, tuple(reversed(over))))

    def _bracket(self, node: Node) -> Value:
        condition = self.scalar(node.args[0])
        if not is_condition(condition):
            raise ParseError(self.at(node), "a bracket without a comparison", "[i <= j]")
        return number(When(sp.S.One, oriented(condition)))

    def _attribute(self, node: Node) -> Value:
        if node.text == "T":
            return self.value(node.args[0]).transposed
        raise ParseError(self.at(node), ".shape alone", ".shape[0]")

    def _index(self, node: Node) -> Value:
        base, places = node.args[0], node.args[1:]
        if base.kind == "attribute" and base.text == "shape":
            axes = self.value(base.args[0]).axes
            which = self._integer(places[0])
            if len(places) != 1 or not -len(axes) <= which < len(axes):
                raise ShapeError(self.at(node), f".shape[{which}]", f"an axis from 0 to {len(axes) - 1}")
            return number(axes[which].size)
        if base.kind == "call":
            return self._entry(node, self.real(base), places)
        name = self.find(base.text) if base.kind == "name" else None
        if name is None:
            raise NameError_(self.at(base), f"unknown name {base.text!r}", "a declared tensor",
                             did_you_mean(base.text, self.tensors))
        return self._entry(node, of_tensor(self.tensors[name]), places)

    def _entry(self, node: Node, value: Value, places: tuple[Node, ...]) -> Value:
        """One entry of a tensor, or of what a function gives: inv(A)[i, j]."""
        if len(places) != len(value.axes):
            raise ShapeError(self.at(node), f"{len(places)} indices on {node.args[0].text}", f"{len(value.axes)}")
        where = tuple(self.scalar(p) for p in places)
        for place, axis in zip(where, value.axes, strict=True):
            if place.is_Symbol and not place.is_positive:
                self.ranges.setdefault(place, axis.range)
        return number(value.at(*where))


def oriented(condition: sp.Basic) -> sp.Basic:
    """Comparisons with the index on the left, as symnet writes them: 1 <= i becomes i >= 1."""
    if isinstance(condition, sp.And):
        return sp.And(*[oriented(c) for c in condition.args])
    moving = [any(not s.is_positive for s in side.free_symbols) for side in condition.args]
    return condition.reversed if moving == [False, True] else condition


def times(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """a·b; a bracket takes in the whole product, so that what it guards is not looked at where it fails."""
    if isinstance(a, When):
        return When(times(a.body, b), a.condition)
    return When(times(a, b.body), b.condition) if isinstance(b, When) else a * b
