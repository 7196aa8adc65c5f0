"""Syntax tree to meaning: names looked up, shapes worked out, index expressions built. Nothing is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

import sympy as sp

from symnet.core.axes import index
from symnet.core.expressions import total
from symnet.core.functions import BY_NAME, absolute
from symnet.core.numbers import rational
from symnet.errors import NameError_, ParseError, ShapeError, SymnetError, did_you_mean
from symnet.parsing.asking import ASKING
from symnet.parsing.chosen import asks, entry_at, inside
from symnet.parsing.conditions import indicator, times
from symnet.parsing.functions import Call, built, choose, is_condition
from symnet.parsing.grammar import Node, is_slope
from symnet.parsing.limits import MOST_DIGITS, too_large
from symnet.parsing.naming import CONSTANTS, UNKNOWN, Names
from symnet.parsing.values import Value, elementwise, matmul, new_indices, number, of_tensor, same

__all__ = ["CONSTANTS", "MAX_PRODUCTS", "Lowering"]

MAX_POWER, MAX_PRODUCTS, MAX_SIZE = 64, 24, 4000  # the last: parts of an expression once softmax is written out
UNDEFINED = frozenset({sp.zoo, sp.nan, sp.oo, -sp.oo})
ALSO = {"sigma": "sigmoid", "expit": "sigmoid", "logistic": "sigmoid", "atan": "arctan", "ReLU": "relu", "ln": "log"}
COMPARE: Mapping[str, Callable[..., sp.Expr]] = {"<": sp.Lt, ">": sp.Gt, "<=": sp.Le, ">=": sp.Ge, "==": sp.Eq, "!=": sp.Ne}


def _is_not_real(expr: sp.Basic) -> bool:
    """True for sqrt(-1) and (-8)**(1/3)."""
    return bool(expr.has(sp.I)) or any(p.is_extended_real is False for p in expr.atoms(sp.Pow) if p.is_number)


class Lowering(Names):
    """The names one line may use: ``tensors``, ``sizes`` and the ``free`` indices of its left side."""

    def value(self, node: Node) -> Value:
        """The meaning of a node."""
        try:
            made: Value = getattr(self, f"_{node.kind}")(node)
        except (TypeError, ValueError) as error:  # SymPy will not order what is no real number
            if isinstance(error, SymnetError) or "compar" not in str(error):
                raise
            raise ParseError(self.at(node), "a comparison with what has no real value, such as log(-1) > 0", "a real number") from None
        if too_large(made.expr):
            raise ParseError(self.at(node), "a constant that is too large", f"at most {MOST_DIGITS} digits")
        if made.expr in UNDEFINED or ((node.text in ("**", "^") or node.kind == "call") and _is_not_real(made.expr)):
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

    def _unary(self, node: Node) -> Value:
        inner = self.real(node.args[0])
        return Value(inner.axes, inner.indices, -inner.expr)

    def _binary(self, node: Node) -> Value:
        if is_slope(node) and not any(self.find(a.text) or a.text in self.sizes for a in node.args):
            found = self.find("_".join(a.text for a in node.args))  # dL/dz is the tensor dL_dz, where there is one
            if found is not None:
                return of_tensor(self.tensors[found])
        left, right = (self.value(a) if node.text == "and" else self.real(a) for a in node.args)
        where, sign = self.at(node), node.text
        if sign == "and" and not (is_condition(left.expr) and is_condition(right.expr)):
            raise ParseError(where, "'and' between numbers", "comparisons such as x > 0 and y > 0")
        if sign == "called":
            a, b = (n.text for n in node.args)
            raise ParseError(where, f"{a}({b}), where {a} is no function", f"{a}*{b} for the product", f"{a} alone, if {a} at {b} is meant")
        if sign == "behind":
            if left.axes or not right.axes:  # 2/N X^T r has one reading: nobody divides by an array
                raise ParseError(where, "a factor behind a division", "brackets or *", "a/b c may be (a/b)*c or a/(b*c)")
            sign = "juxtaposed"
        if sign == "juxtaposed" and left.axes and right.axes:
            self._one_product(node, left, right)
        if sign == "@" or (sign == "juxtaposed" and left.axes and right.axes):
            self.products += 1
            if self.products > MAX_PRODUCTS:
                raise ParseError(where, "too many matrix products in one line", f"at most {MAX_PRODUCTS}",
                                 "a line for a part of it")
            return matmul(where, left, right)
        if sign in ("**", "^"):
            if sign == "^" and len(left.axes) == 2 and same(*left.axes):
                raise ShapeError(where, f"the power {right.expr} of a square matrix, which may be a product or entry by entry",
                                 "A @ A or inv(A), or A**2 entry by entry")
            return self._power(node, left, right)
        if sign == "and":
            return elementwise(where, "'and'", sp.And, left, right)
        if sign in COMPARE:
            return elementwise(where, repr(sign), COMPARE[sign], left, right)
        if sign == "/" and right.expr.is_zero:
            raise ParseError(where, "division by 0", "a divisor that is not 0")
        if sign == "/":
            self.ask(right, "=")
        table: Mapping[str, Callable[..., sp.Expr]] = {
            "+": lambda a, b: a + b, "-": lambda a, b: a - b, "/": lambda a, b: a / b}
        return elementwise(where, repr("*" if sign == "juxtaposed" else sign), table.get(sign, times), left, right)

    def _one_product(self, node: Node, left: Value, right: Value) -> None:
        """Two vectors side by side have a reading only when the left one lies on its side."""
        lying = [a.kind == "attribute" for a in node.args]
        if len(left.axes) == len(right.axes) == 1 and lying != [True, False]:
            raise ShapeError(self.at(node), "two vectors side by side", "v @ w for the sum, outer(v, w) for the matrix, v*w entry by entry")

    def _prime(self, node: Node) -> Value:
        """The slope of a function of one argument: sigma'(z)."""
        known = BY_NAME.get(ALSO.get(node.text, node.text))
        if known is None or len(known.derivative) != 1 or len(node.args) != 1:
            raise ParseError(self.at(node), f"the derivative of {node.text}", "a function of one argument that symnet knows")
        return elementwise(self.at(node), node.text, lambda z: known.derivative[0](z, known.function(z)), self.real(node.args[0]))

    def _abs(self, node: Node) -> Value:
        value = self.real(node.args[0])
        if value.axes:
            raise ShapeError(self.at(node), f"|…| of shape {value.shape}, which may be entry by entry, a norm or a determinant",
                             "abs(x), norm(x) or det(x)")
        return number(absolute(value.expr))

    def _power(self, node: Node, base: Value, exponent: Value) -> Value:
        power = exponent.expr
        if power.is_Rational and (abs(power.p) > MAX_POWER or power.q > MAX_POWER):
            raise ParseError(self.at(node), f"the exponent {power}", f"at most {MAX_POWER}")
        if self._long(base.expr):
            raise ParseError(self.at(node), "a power of a very long number", "smaller numbers")
        if base.expr.is_Pow and base.expr.exp.is_Rational and power.is_Rational and \
                abs(base.expr.exp * power) > MAX_POWER:
            raise ParseError(self.at(node), "a power of a power", f"an exponent of at most {MAX_POWER}")
        whole = bool(power.is_integer)  # a size too: b^(T - 1) has a value for every b
        if not whole or not power.is_nonnegative:
            self.ask(base, "=" if whole else "<" if power.is_Rational and power > 0 else "<=")
        return elementwise(self.at(node), "'**'", lambda a, b: a**b, base, exponent)

    @staticmethod
    def _long(expr: sp.Expr) -> bool:
        return isinstance(expr, sp.Rational) and max(int(expr.p).bit_length(), int(expr.q).bit_length()) > 256

    def _cond(self, node: Node) -> Value:
        (yes, condition, no) = self.chosen(node.args[0], node.args[1], node.args[2])
        return elementwise(self.at(node), "'if'", choose, condition, yes, no)

    def chosen(self, yes: Node, condition: Node, no: Node) -> tuple[Value, Value, Value]:
        """The branches and the condition; what a branch asks for counts only where it holds."""
        test = self.value(condition)
        otherwise = sp.Not(test.expr) if is_condition(test.expr) else sp.true
        return self.branch(yes, test.expr, test.indices), test, self.branch(no, otherwise, test.indices)

    def _call(self, node: Node) -> Value:
        if node.text == "where" and len(node.args) == 3:
            yes, test, no = self.chosen(node.args[1], node.args[0], node.args[2])
            args = [test, yes, no]
        else:
            args = [self.real(a) for a in node.args]
        if node.text in ASKING and len(args) == 1:
            self.ask(args[0], ASKING[node.text])
        self.products += (MAX_PRODUCTS // 4) * (node.text == "kron")
        if self.products > MAX_PRODUCTS:
            raise ParseError(self.at(node), "too many matrix products in one line", f"at most {MAX_PRODUCTS}, or 4 of kron")
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
        if len(args) == 1 and axis is None:
            return inside(args[0], self.tensors, lambda a: built(Call(node.text, self.at(node), (a,), axis, keepdims)))
        return built(Call(node.text, self.at(node), tuple(args), axis, keepdims))

    def _integer(self, node: Node) -> int:
        value = self.value(node).expr
        if not value.is_Integer or abs(value) > 8:
            raise ParseError(self.at(node), f"the axis {value}", "a small integer such as 0, 1 or -1")
        return int(value)

    def _sum(self, node: Node) -> Value:
        saved, over, terms, bound, asked = dict(self.scope), [], self.terms, dict(self.bound), len(self.asked)
        for k in range(1, len(node.args), 3):
            name = node.args[k].text
            if name in self.tensors or name in self.sizes or name in self.scope:
                raise NameError_(self.at(node.args[k]), f"the index {name!r} is already a name", "another letter")
            low, high = self.scalar(node.args[k + 1]), self.scalar(node.args[k + 2])
            symbol = index(name)
            self.scope[name], self.bound[symbol] = symbol, (low, high)
            over.append((symbol, low, high))
            self.loop(node, low, high)
        body = self.scalar(node.args[0])
        if is_condition(body) or any(map(is_condition, (e for _, *ends in over for e in ends))):
            raise ParseError(self.at(node), "a comparison as a number", "where(condition, 1, 0)")
        self.scope, self.terms, self.bound = saved, terms, bound
        self.asked_everywhere(asked, over)
        return number(total(body, tuple(reversed(over))))

    def _bracket(self, node: Node) -> Value:
        condition = self.scalar(node.args[0])
        if not is_condition(condition):
            raise ParseError(self.at(node), "a bracket without a comparison", "[i <= j]")
        return number(indicator(condition))

    def _attribute(self, node: Node) -> Value:
        if node.text in ("T", "^T"):
            base = self.value(node.args[0])
            return self.to_the_t(node, base) if self.power_of_t(node, base) else base.transposed
        raise ParseError(self.at(node), ".shape alone", ".shape[0]")

    def power_of_t(self, node: Node, base: Value) -> bool:
        """True where a T above is a power: of a number by a size T, of anything by a declared T; else it is a transpose."""
        return node.text == "^T" and ("T" in self.tensors or "T" in self.scope or ("T" in self.sizes and not base.axes))

    def to_the_t(self, node: Node, base: Value) -> Value:
        """The power by the declared T."""
        return self._power(node, base, self.value(Node("name", "T", (), node.column)))

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
        asked = tuple(self.value(p) for p in places)
        if any(asks(a) for a in asked):
            for a, axis in zip(asked, value.axes, strict=False):
                if a.expr.is_Symbol and not a.expr.is_positive and not asks(a):
                    self.ranges.setdefault(a.expr, axis.range)
            return entry_at(self.at(node), value, asked, self.tensors)
        if len(places) > len(value.axes):
            raise ShapeError(self.at(node), f"{len(places)} indices on {node.args[0].text}", f"{len(value.axes)}")
        where = tuple(self.scalar(p) for p in places)
        for place, axis in zip(where, value.axes, strict=False):
            if place.is_Symbol and not place.is_positive and axis is not UNKNOWN:
                self.ranges.setdefault(place, axis.range)
            if not self.guarded and axis is not UNKNOWN:
                self.reached.append((place, axis, dict(self.bound)))
        rest = value.axes[len(places):]  # W[l] is a matrix where W has three axes
        own = new_indices(rest)
        return Value(rest, own, value.at(*where, *own))
