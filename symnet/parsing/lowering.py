"""Syntax tree to meaning: names looked up, shapes worked out, index expressions built. Nothing is evaluated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice

import sympy as sp

from symnet.core.axes import Axis, Kind, Range, bounds, index, nonnegative
from symnet.core.axes import inside as within
from symnet.core.expressions import Limits, When, asked_of, entries, total
from symnet.core.functions import NAMED, absolute
from symnet.core.guards import Guards, narrowed, spans
from symnet.core.numbers import rational
from symnet.errors import MismatchError, NameError_, ParseError, ShapeError, SymnetError, did_you_mean
from symnet.indexing.arithmetic import axis_number, count, einsum, elementwise, matmul, outer
from symnet.indexing.conditions import by_bracket, choose, indicator, is_condition, times
from symnet.indexing.index_array import IndexArray, apart, new_indices, number, of_tensor, same
from symnet.indexing.places import running
from symnet.indexing.recurrences import MOST_WRITTEN, NAMES, Recurrences, refused
from symnet.parsing.conventions import NUMPY, Unit, is_open, meeting, ones, side_by_side, with_unit
from symnet.parsing.conventions import UNKNOWN as UNSIZED
from symnet.parsing.function_call import Call
from symnet.parsing.functions import FUNCTIONS, built
from symnet.parsing.gathering import added_at, asks, entry_at, gathered, inside, taken
from symnet.parsing.limits import MOST_DIGITS, too_large
from symnet.parsing.lost_conditions import ASKING
from symnet.parsing.matrices import stacked
from symnet.parsing.naming import CONSTANTS, UNKNOWN, Names, is_one_letter
from symnet.parsing.node import Node
from symnet.parsing.plain_grammar import is_slope

__all__ = ["CONSTANTS", "MAX_PRODUCTS", "Lowering"]

MAX_POWER, MAX_ROOT, MAX_PRODUCTS, MAX_SIZE = 64, 10**12, 24, 4000  # the last: parts of an expression once softmax is written out
COUNTING = frozenset({"sum", "mean", "amax", "amin", "max", "min", "prod", "dot", "matmul", "einsum"})  # also of comparisons
REDUCED = frozenset(NAMES)
PLACED = frozenset({"take", "take_along_axis", "gather", "scatter_add"})  # with places that come from data
SHAPED = frozenset({"ones", "zeros", "reshape", "transpose", "permute"})  # which take a shape as a tuple, too
TURNED = frozenset({"transpose", "swapaxes", "permute"})
WITH_LINES = frozenset({"cumsum", "cumprod", "cummax", "cummin", "cholesky", "linalg.cholesky"})
RUNNING = {"cumsum": "sum", "cumprod": "prod", "cummax": "max", "cummin": "min"}
ALONG = frozenset({"sum", "mean", "var", "std", "amax", "amin", "prod", *RUNNING})  # whose second argument is the axis
UNDEFINED = frozenset({sp.zoo, sp.nan, sp.oo, -sp.oo})
ORDERED = (sp.Gt, sp.Lt, sp.Ge, sp.Le)
JOINING: Mapping[str, Callable[..., sp.Expr]] = {"and": sp.And, "or": sp.Or}
COMPARE: Mapping[str, Callable[..., sp.Expr]] = {"<": sp.Lt, ">": sp.Gt, "<=": sp.Le, ">=": sp.Ge, "==": sp.Eq, "!=": sp.Ne}


def _is_not_real(expr: sp.Basic) -> bool:
    """True for sqrt(-1) and (-8)**(1/3)."""
    return bool(expr.has(sp.I)) or any(p.is_extended_real is False for p in expr.atoms(sp.Pow) if p.is_number)


MOST_CELLS = 64  # of an array written out
TIMES, ARITHMETIC = frozenset({"*", "juxtaposed"}), frozenset({"*", "juxtaposed", "+", "-"})


def _factors(node: Node) -> list[Node]:
    """The factors of a product of products."""
    if node.kind != "binary" or node.text not in TIMES:
        return [node]
    return [*_factors(node.args[0]), node.args[1]]


def _arrays(node: Node) -> list[Node]:
    """The arguments of a call that are arrays or numbers: a shape in brackets is taken apart, letters and axes are left out."""
    if node.text == "tensordot":
        return list(node.args[:2])
    return [a for b in node.args if b.kind != "quoted" for a in (b.args if b.kind in ("tuple", "list") and node.text in SHAPED else (b,))]


class Lowering(Names):
    """The names one line may use: ``tensors``, ``sizes`` and the ``free`` indices of its left side."""

    convention = NUMPY

    def value(self, node: Node) -> IndexArray:
        """The meaning of a node."""
        try:
            made: IndexArray = getattr(self, f"_{node.kind}")(node)
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

    def any(self, node: Node) -> IndexArray:
        """The meaning of a node that must be a number, an array of them or a unit matrix, not a comparison."""
        value = self.value(node)
        if is_condition(value.expr):
            raise ParseError(self.at(node), "a comparison as a number", "where(condition, 1, 0)")
        return value

    def real(self, node: Node) -> IndexArray:
        """The meaning of a node that must be a number or an array of them, of a size that is known."""
        return self._sized(node, self.any(node))

    def numeric(self, node: Node) -> IndexArray:
        """The meaning of a node that is counted or summed, where a comparison is 1 or 0: sum(z > 0)."""
        return self._sized(node, self.factor(node))

    def factor(self, node: Node) -> IndexArray:
        """The meaning of a node that takes part in arithmetic: numbers, arrays, unit matrices, and comparisons as in D * (Z > 0)."""
        value = self.value(node)
        return replace(value, expr=indicator(value.expr)) if is_condition(value.expr) else value

    def _sized(self, node: Node, value: IndexArray) -> IndexArray:
        if is_open(value):
            raise ShapeError(self.at(node), UNSIZED, self.convention.unit)
        return value

    def scalar(self, node: Node) -> sp.Expr:
        """The meaning of a node that must have no axes."""
        value = self._sized(node, self.value(node))
        if value.axes:
            raise ShapeError(self.at(node), f"shape {value.shape}", "a single number")
        return value.expr

    def _number(self, node: Node) -> IndexArray:
        return number(rational(node.text))

    def _constant(self, node: Node) -> IndexArray:
        return number(CONSTANTS[node.text])

    def _unary(self, node: Node) -> IndexArray:
        inner = self.any(node.args[0])
        if id(node.args[0]) in self.lying:
            self.lying[id(node)] = node
        return replace(inner, expr=-inner.expr)

    def _ones(self, node: Node) -> IndexArray:
        """A vector of ones, 1_N or of a length that fits; where everything is a number it is 1."""
        if node.args:
            return built(Call("ones", self.at(node), (self.real(node.args[0]),)))
        return ones() if any(t.axes for t in self.tensors.values()) else number(sp.S.One)

    def _list(self, node: Node) -> IndexArray:
        """[a, b] and [[a, b], [c, d]]: an array written out."""
        parts = [self._list(a) if a.kind == "bracket" and all(b.kind in ("list", "bracket") for b in node.args) else self.factor(a)
                 for a in (node.args if node.kind == "list" else (node.args[0],))]
        if any([a.range for a in p.axes] != [a.range for a in parts[0].axes] or isinstance(p, Unit) for p in parts) \
                or len(parts) * sp.Mul(*[a.size for a in parts[0].axes if a.size.is_Integer]) > MOST_CELLS or len(parts[0].axes) > 1:
            raise ShapeError(self.at(node), "an array of parts of different shapes or too many entries",
                             f"numbers or rows of one length, {MOST_CELLS} entries at most")
        return stacked(parts)

    def _tuple(self, node: Node) -> IndexArray:
        raise ParseError(self.at(node), "several values in round brackets", "one value, or [a, b] for an array",
                         "a decimal point, not a comma")

    def _binary(self, node: Node) -> IndexArray:
        if is_slope(node) and not any(self.find(a.text) or a.text in self.sizes for a in node.args):
            found = self.find("_".join(a.text for a in node.args))  # dL/dz is the tensor dL_dz, where there is one
            if found is not None:
                return of_tensor(self.tensors[found])
        product_ = self._of_numbers(node)
        if product_ is not None:
            return product_
        made = self._operated(node)
        self._lay(node, made)
        return made

    def _lay(self, node: Node, made: IndexArray) -> None:
        """Note a vector that lies on its side: made of a transposed one."""
        if len(made.axes) != 1:
            return
        left, right = (id(a) in self.lying for a in node.args)
        contracted = node.text in ("@", "juxtaposed", "behind") and id(node.args[1]) in self.matrices
        if left or (right and not contracted and id(node.args[0]) not in self.matrices):
            self.lying[id(node)] = node

    def _operated(self, node: Node) -> IndexArray:
        where, sign = self.at(node), node.text
        if sign in JOINING:
            return self._joined(node)
        read = self.real if sign in COMPARE or sign in ("**", "^") else self.factor
        if sign == "called" and (made := self._hypothesis(*node.args)) is not None:
            return made
        left, right = map(read, node.args)
        if sign in ("+", "-", "@") and all(a.text in (*COMPARE, *JOINING) for a in node.args):  # NumPy's + of two is an or
            raise ParseError(where, f"{sign!r} between comparisons", "'and', or where(condition, 1, 0) for a number")
        self._one_factor(node)
        if sign == "called":
            a, b = (n.text for n in node.args)
            near = did_you_mean(a, FUNCTIONS)
            hint = near if near.startswith("did") and not self.find(a) else f"{a} alone, if {a} at {b} is meant"
            raise ParseError(where, f"{a}({b}), where {a} is no function", f"{a}*{b} for the product", hint)
        if sign == "behind":
            # 2/N X^T r has one reading: nobody divides by an array
            if left.axes or not (right.axes or node.args[1].kind in ("along", "sum")):
                raise ParseError(where, "a factor behind a division", "brackets or *", "a/b c may be (a/b)*c or a/(b*c)")
            sign = "juxtaposed"
        self.matrices |= {id(a): a for a, v in zip(node.args, (left, right), strict=True) if len(v.axes) > 1}
        if isinstance(left, Unit) or isinstance(right, Unit):
            return with_unit(where, sign, left, right)
        if sign == "⊗":
            return self._kronecker(node, left, right)
        if sign == "juxtaposed" and node.args[0].text == "1" and len(right.axes) == 1 and id(node.args[1]) in self.lying:
            left = ones()  # 1 w^T
        if sign == "*" and len(left.axes) == len(right.axes) == 1 and node.args[1].text == "^T" and node.args[0].text != "^T":
            if same(left.axes[0].size, right.axes[0].size):
                raise ParseError(where, "'*' before a transposed vector", "v*w entry by entry, outer(v, w) for the matrix",
                                 "v * w^T may be either")
            return outer(left, right)
        if sign == "@" or (sign == "juxtaposed" and left.axes and right.axes):
            self.products += 1
            if self.products > MAX_PRODUCTS:
                raise ParseError(where, "too many matrix products in one line", f"at most {MAX_PRODUCTS}",
                                 "a line for a part of it")
            lying = [id(a) in self.lying for a in node.args]
            if sign == "juxtaposed":
                return side_by_side(where, left, right, lying)
            return matmul(where, *meeting(where, left, right, self.convention.unit), outer_meant=lying[1])
        if sign in ("**", "^"):
            if sign == "^":
                self.no_square(node, left, right.expr)
            return self._power(node, left, right)
        if sign in COMPARE:
            return elementwise(where, repr(sign), COMPARE[sign], left, right)
        if sign == "/":
            self.ask(right, "=")
        table: Mapping[str, Callable[..., sp.Expr]] = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "/": self.over(node)}
        return elementwise(where, repr("*" if sign == "juxtaposed" else sign), table.get(sign, times), left, right)

    def _joined(self, node: Node) -> IndexArray:
        """a and b, a or b: b is looked at where a leaves it open, as in Python."""
        left = self.value(node.args[0])
        with self.under(left.expr if node.text == "and" or not is_condition(left.expr) else sp.Not(left.expr)):
            right = self.value(node.args[1])
        if not is_condition(left.expr) or not is_condition(right.expr):
            raise ParseError(self.at(node), f"{node.text!r} between numbers", f"comparisons such as x > 0 {node.text} y > 0")
        return elementwise(self.at(node), repr(node.text), JOINING[node.text], left, right)

    def _of_numbers(self, node: Node) -> IndexArray | None:
        """A product of several names of numbers, numbers and sums of these, made at once; None for any other."""
        factors = _factors(node) if node.text in TIMES else ()
        if len(factors) < 3 or not all(map(self._is_number, factors)):
            return None
        return number(sp.Mul(*[self.factor(f).expr for f in factors]))

    def _is_number(self, node: Node) -> bool:
        """True for what has no axes for certain: names of numbers, numbers, their sums and products."""
        if node.kind == "name":
            tensor = self.tensors.get(node.text)
            return tensor is not None and not tensor.axes and node.text not in self.scope and not self.own.has(node.text.replace("_", ""))
        arithmetic = node.kind == "unary" or (node.kind == "binary" and node.text in ARITHMETIC)
        return node.kind == "number" or (arithmetic and all(map(self._is_number, node.args)))

    def over(self, node: Node) -> Callable[..., sp.Expr]:
        """Division, not by 0."""
        def divide(a: sp.Expr, b: sp.Expr) -> sp.Expr:
            if b.is_zero:
                raise ParseError(self.at(node), "division by 0", "a divisor that is not 0")
            of_places = isinstance(a, When) and next(entries(b), None) is None
            return When(divide(a.body, b), a.condition) if of_places else a / b  # [i > 1] x/(i - 1)
        return divide

    def no_square(self, node: Node, base: IndexArray, power: sp.Expr) -> None:
        """Refuse A^2 of a square matrix, which has two readings."""
        if len(base.axes) == 2 and base.is_square:
            raise ShapeError(self.at(node), f"the power {power} of a square matrix, which may be a product or entry by entry",
                             self.convention.powers)

    def _terms(self, node: Node) -> IndexArray:
        """The sum of many terms."""
        values = [self.factor(a) for a in node.args]
        signed = [v if s == "+" else replace(v, expr=-v.expr) for s, v in zip(node.text, values, strict=True)]
        if not any(v.axes or isinstance(v, Unit) for v in signed):
            return number(sp.Add(*[v.expr for v in signed]))
        made, where = signed[0], self.at(node)
        for value in signed[1:]:
            unit = isinstance(made, Unit) or isinstance(value, Unit)
            made = with_unit(where, "+", made, value) if unit else elementwise(where, "'+'", lambda u, v: u + v, made, value)
        return made

    def _kronecker(self, node: Node, a: IndexArray, b: IndexArray) -> IndexArray:
        """a ⊗ b: the matrix a b^T of two vectors, Kronecker's product of two matrices."""
        if len(a.axes) == len(b.axes) == 1 and id(node.args[0]) not in self.lying:  # of a^T and b it is b a^T
            return outer(a, b)
        if len(a.axes) != 2 or len(b.axes) != 2 or is_open(a) or is_open(b):
            raise ShapeError(self.at(node), f"⊗ between {a.shape} and {b.shape}", "two vectors or two matrices")
        return self._kron_of(self.at(node), a, b)

    def _kron_of(self, where: str, a: IndexArray, b: IndexArray) -> IndexArray:
        self.products += MAX_PRODUCTS // 4
        if self.products > MAX_PRODUCTS:
            raise ParseError(where, "too many Kronecker products", "4 at most")
        return built(Call("kron", where, (a, b)))

    def _one_factor(self, node: Node) -> None:
        """a/wx and wx**2, where wx is w times x, have two readings."""
        which = {"/": 1, "**": 0, "^": 0}.get(node.text)
        if which is None or node.args[which].kind != "name":
            return
        name = node.args[which].text
        if self.factors(name):
            a, b = "".join(self.factors(name)[:-1]), self.factors(name)[-1]
            ways = (f"a/{name} may be (a/{a})*{b} or a/({a}*{b})" if which else f"{name}**2 may be {a}*{b}**2 or ({a}*{b})**2")
            raise ParseError(self.at(node.args[which]), f"{name}, which is {'*'.join(self.factors(name))}, beside {node.text!r}",
                             "brackets or *", ways)

    def _prime(self, node: Node) -> IndexArray:
        """The slope of a function of one argument: sigma'(z)."""
        known = NAMED.get(node.text) if self.find(node.text) is None else None
        value = self.activation(node) if known is None and len(node.args) == 1 else None
        if value is not None:
            return value
        if known is None or len(known.derivative) != 1 or len(node.args) != 1:
            raise ParseError(self.at(node), f"the derivative of {node.text}", "a function of one argument that symnet knows")
        slope = known.derivative[0]
        return self.convention.applied(self.at(node), node.text, lambda z: slope(z, known.function(z)), self.real(node.args[0]))

    def _hypothesis(self, name: Node, of: Node) -> IndexArray | None:
        """h_theta(x) is h, where h is made of theta and of x; h_theta(x_n) is its entry n."""
        stem, _, below = name.text.partition("_")
        row, _, letter = of.text.rpartition("_") if not self.find(of.text) else (of.text, "", "")
        above, parameter, data = self.find(stem), self.find(below), self.find(row) or self.find(row.capitalize())
        if not above or not parameter or not data or self.find(name.text) or not all(self.depends(above, u) for u in (parameter, data)):
            return None
        return self._lettered(above, letter) if letter else of_tensor(self.tensors[above])

    def activation(self, node: Node) -> IndexArray | None:
        """g'(z), where a = g(z) is a line or g is called a: the slope da/dz, or its entry for g'(z_i)."""
        inner = node.args[0]
        base, places = (inner.args[0], inner.args[1:]) if inner.kind == "index" else (inner, ())
        if base.kind != "name":
            return None
        above, below = self.find(node.text) or "", self.find(base.text)
        stem, _, letters = base.text.rpartition("_")
        if below is None and not places and stem and all(c in self.scope for c in letters):
            below, places = self.find(stem), tuple(Node("name", c, (), base.column) for c in letters)
        value = self.slopes(above, below) if below is not None and (above or is_one_letter(node.text)) else None
        return value if value is None or not places else self._part(node, value, places)

    def _abs(self, node: Node) -> IndexArray:
        value = self.real(node.args[0])
        if value.axes:
            raise ShapeError(self.at(node), f"|…| of shape {value.shape}, which may be entry by entry, a norm or a determinant",
                             self.convention.sizes)
        return number(absolute(value.expr))

    def _power(self, node: Node, base: IndexArray, exponent: IndexArray) -> IndexArray:
        power = exponent.expr
        if power.is_Rational and base.expr is not sp.E and (abs(power) > MAX_POWER or power.q > MAX_ROOT):
            raise ParseError(self.at(node), f"the exponent {power}", f"at most {MAX_POWER}"
                             if abs(power) > MAX_POWER else "at most 12 digits behind the point")
        if self._long(base.expr):
            raise ParseError(self.at(node), "a power of a very long number", "smaller numbers")
        if base.expr.is_Pow and base.expr.exp.is_Rational and power.is_Rational and \
                abs(base.expr.exp * power) > MAX_POWER:
            raise ParseError(self.at(node), "a power of a power", f"an exponent of at most {MAX_POWER}")
        whole = bool(power.is_integer)  # a size too: b^(T - 1) has a value for every b
        if not whole or not (power.is_nonnegative or self._counts(power)):
            self.ask(base, "=" if whole else "<" if power.is_Rational and power > 0 else "<=")
        return elementwise(self.at(node), "'**'", lambda a, b: a**b, base, exponent)

    def _counts(self, power: sp.Expr) -> bool:
        """True for an index as an exponent that is never negative within the sums around."""
        span = bounds(sp.expand(power), self.bound) if power.free_symbols & self.bound.keys() else None
        return span is not None and nonnegative(span[0])

    @staticmethod
    def _long(expr: sp.Expr) -> bool:
        return isinstance(expr, sp.Rational) and max(int(expr.p).bit_length(), int(expr.q).bit_length()) > 256

    def _cond(self, node: Node) -> IndexArray:
        (yes, condition, no) = self.chosen(node.args[0], node.args[1], node.args[2])
        return elementwise(self.at(node), "'if'", choose, condition, yes, no)

    def chosen(self, yes: Node, condition: Node, no: Node) -> tuple[IndexArray, IndexArray, IndexArray]:
        """The branches and the condition; what a branch asks for counts only where it holds."""
        test = self.value(condition)
        otherwise = sp.Not(test.expr) if is_condition(test.expr) else sp.true
        return self.branch(yes, test.expr, test.indices), test, self.branch(no, otherwise, test.indices)

    def _call(self, node: Node) -> IndexArray:
        if node.text == "where" and len(node.args) == 3:
            yes, test, no = self.chosen(node.args[1], node.args[0], node.args[2])
            args = [test, yes, no]
            if self.steps and no.expr == 0 and isinstance(test.expr, ORDERED) and not asked_of(yes.expr):
                return elementwise(self.at(node), "where", lambda c, a, _: times(indicator(c), a), *args)
        else:
            args = [self.numeric(a) if node.text in COUNTING else self.real(a) for a in _arrays(node)]
        if node.text == "einsum":
            return self._einsum(node, args)
        if node.text == "tensordot":
            return self._tensordot(node, args)
        if node.text in TURNED and len(args) > 1:
            return self._turned(node, args)
        if node.text in ASKING and len(args) == 1:
            self.ask(args[0], ASKING[node.text])
        self.products += (MAX_PRODUCTS // 4) * (node.text == "kron")
        if self.products > MAX_PRODUCTS:
            raise ParseError(self.at(node), "too many matrix products in one line", f"at most {MAX_PRODUCTS}, or 4 of kron")
        axis, keepdims = None, False
        for key, value in node.keywords:
            if key in ("axis", "dim") and value.text != "None":
                axis = self._integer(value)
            elif key in ("keepdims", "keepdim") and value.text in ("True", "False"):
                keepdims = value.text == "True"
            else:
                raise ParseError(self.at(node), f"the keyword {key!r} of {node.text}", "axis=… or keepdims=True")
        if node.text in ALONG and len(args) == 2 and axis is None:
            axis, args = self._integer(node.args[1]), args[:1]
        if node.text in REDUCED and len(args) == 1:
            return self._reduced(node, args[0], axis, keepdims)
        if node.text in WITH_LINES and len(args) == 1:
            return self._with_lines(node, args[0], axis)
        if node.text in PLACED and not keepdims:
            return self._placed(node, args, axis)
        if len(args) == 1 and axis is None:
            return inside(args[0], self.tensors, lambda a: built(Call(node.text, self.at(node), (a,), axis, keepdims)))
        return built(Call(node.text, self.at(node), tuple(args), axis, keepdims))

    def _reduced(self, node: Node, value: IndexArray, axis: int | None, keepdims: bool) -> IndexArray:
        """The largest or smallest entry or the product, along an axis or of all."""
        over = value.axes if axis is None else (value.axes[axis_number(self.at(node), value, axis)],)
        if self.recurrences is None and not all(a.size.is_Integer and a.size <= MOST_WRITTEN for a in over):
            raise refused(self.at(node), node.text)
        return (self.recurrences or Recurrences(())).along(self.at(node), node.text, value, axis, keepdims, {**self.ranges, **self.bound})

    def _with_lines(self, node: Node, value: IndexArray, axis: int | None) -> IndexArray:
        """A running sum, product or maximum along an axis, or a Cholesky factor: recurrences."""
        where = self.at(node)
        if node.text in RUNNING and axis is None and len(value.axes) != 1:
            raise ShapeError(where, f"{node.text} of shape {value.shape}", "an axis", f"{node.text}(X, axis=0)")
        if node.text == "cumsum":
            return running(value, axis_number(where, value, axis or 0), False, where)
        if self.recurrences is None:
            raise ParseError(where, f"{node.text}, which needs lines of its own", "a line of a program for it")
        outer = {**self.ranges, **self.bound}
        if node.text not in RUNNING:
            return self.recurrences.cholesky(where, value, outer)
        return self.recurrences.running(where, RUNNING[node.text], value, axis_number(where, value, axis or 0), outer)

    def _placed(self, node: Node, args: list[IndexArray], axis: int | None) -> IndexArray:
        """take(X, y, axis=1), take_along_axis(X, Y, axis=1) as NumPy has them; gather(X, 1, Y), scatter_add(X, 1, Y, S) as PyTorch does."""
        where, name, count = self.at(node), node.text, 3 if node.text == "scatter_add" else 2
        behind = 1 if name in ("gather", "scatter_add") else 2  # where the axis stands
        if len(args) == count + 1 and axis is None:
            axis, args = self._integer(node.args[behind]), [*args[:behind], *args[behind + 1:]]
        if len(args) != count:
            wanted = {"take": "take(X, y, axis=1)", "scatter_add": "scatter_add(X, 1, Y, S)", "gather": "gather(X, 1, Y)"}
            raise ParseError(where, f"{name} with {len(args)} arguments", wanted.get(name, f"{name}(X, Y, axis=1)"))
        if axis is None and len(args[0].axes) != 1:
            raise ShapeError(where, f"{name} of shape {args[0].shape}", "an axis", f"{name}(…, {'dim' if behind == 1 else 'axis'}=1)")
        k = axis_number(where, args[0], axis or 0)
        if count == 3:
            return added_at(where, args[0], args[1], args[2], k, self.tensors)
        return (taken if name == "take" else gathered)(where, args[0], args[1], k, self.tensors)

    def _einsum(self, node: Node, args: list[IndexArray]) -> IndexArray:
        if not node.args or node.args[0].kind != "quoted" or node.keywords:
            raise ParseError(self.at(node), f"einsum with {len(node.args)} arguments, of which the first is not its letters",
                             "einsum('nd,n->d', X, r)")
        self.products += len(args)
        if self.products > MAX_PRODUCTS:
            raise ParseError(self.at(node), "too many matrix products in one line", f"at most {MAX_PRODUCTS}")
        return einsum(self.at(node), node.args[0].text, args)

    def _tensordot(self, node: Node, args: list[IndexArray]) -> IndexArray:
        """The sum over axes of the one and axes of the other; over none, the outer product."""
        where = self.at(node)
        given = [v for k, v in node.keywords if k in ("axes", "dims")] + list(node.args[2:3])
        if not 2 <= len(node.args) <= 3:
            raise ParseError(where, f"tensordot with {len(node.args)} arguments", "2 or 3: tensordot(X, R, axes=([0], [0]))")
        if len(given) > 1 or len(node.keywords) + len(node.args) > 3 or any(len(a.axes) > 6 for a in args[:2]):
            raise ParseError(where, "tensordot with other arguments than two arrays and axes", "tensordot(X, R, axes=([0], [0]))")
        a, b = args[:2]
        over = given[0] if given else Node("number", "2")
        if over.kind in ("tuple", "list"):
            pairs = [[self._integer(p) for p in (s.args if s.kind in ("list", "tuple", "bracket") else (s,))] for s in over.args]
        else:
            count = self._integer(over)
            pairs = [list(range(len(a.axes) - count, len(a.axes))), list(range(count))] if count else [[], []]
        if len(pairs) != 2 or len(pairs[0]) != len(pairs[1]):
            raise ParseError(where, "the axes of tensordot", "as many of the one array as of the other", "axes=([0], [0])")
        self.products += 1
        if self.products > MAX_PRODUCTS:
            raise ParseError(where, "too many matrix products in one line", f"at most {MAX_PRODUCTS}")
        left, right = [[axis_number(where, v, p) for p in ps] for v, ps in zip((a, b), pairs, strict=True)]
        first, second = list("abcdefgh"[:len(a.axes)]), list("klmnopqr"[:len(b.axes)])
        for p, q in zip(left, right, strict=True):
            second[q] = first[p]
        kept = [c for k, c in enumerate(first) if k not in left] + [c for k, c in enumerate(second) if k not in right]
        return einsum(where, f"{''.join(first)},{''.join(second)}->{''.join(kept)}", (a, b))

    def _turned(self, node: Node, args: list[IndexArray]) -> IndexArray:
        """A.transpose(1, 0), A.swapaxes(0, 1), A.permute(1, 0) of a matrix. A.transpose(0, 1) is A in NumPy and A.T in PyTorch."""
        value, *axes = Call(node.text, self.at(node), tuple(args)).only(3)
        if len(value.axes) != 2 or [len(args), *(a.expr % 2 for a in axes)] not in ([3, 0, 1], [3, 1, 0]):
            raise ParseError(self.at(node), f"{node.text} of shape {value.shape} at other places than 0 and 1", "the two axes of a matrix",
                             "X.T")
        if node.text == "transpose" and axes[0].expr % 2 == 0:
            raise ParseError(self.at(node), "transpose(0, 1), which turns a matrix in PyTorch and not in NumPy", "X.T or X.swapaxes(0, 1)")
        return value if node.text == "permute" and axes[0].expr % 2 == 0 else value.transposed

    def _counted(self, node: Node) -> IndexArray:
        """(z > 0).astype(float); the whole number of what is no comparison is another number."""
        value = self.value(node.args[0])
        if node.text == "int" and not is_condition(value.expr):
            raise ParseError(self.at(node), "a number made whole", "(z > 0).astype(int), or floor(x)")
        return self.numeric(node.args[0])

    def _quoted(self, node: Node) -> IndexArray:
        raise ParseError(self.at(node), "a text in quotes", "numbers and names", "einsum('nd,n->d', X, r)")

    def _integer(self, node: Node) -> int:
        value = self.value(node).expr
        if not value.is_Integer or abs(value) > 8:
            raise ParseError(self.at(node), f"the axis {value}", "a small integer such as 0, 1 or -1")
        return int(value)

    def _sum(self, node: Node) -> IndexArray:
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
        body = self.numeric(node.args[0])
        if node.text != "sum":
            return self._looped(node, body, over, saved, terms, bound)
        if any(map(is_condition, (e for _, *ends in over for e in ends))):
            raise ParseError(self.at(node), "a comparison as a number", "where(condition, 1, 0)")
        self.scope, self.terms, self.bound = saved, terms, bound
        self.asked_everywhere(asked, over)
        return replace(body, expr=total(body.expr, tuple(reversed(over))))

    def _looped(self, node: Node, body: IndexArray, over: list[Limits], saved: dict[str, sp.Symbol], terms: int,
                bound: dict[sp.Symbol, Range]) -> IndexArray:
        """max(x[i] for i in 1..n): the reduction of an array with an axis for each letter."""
        self.scope, self.terms = saved, terms
        if body.axes:
            raise ShapeError(self.at(node), f"shape {body.shape} under {node.text} with 'for'", "a single number")
        for i, low, high in reversed(over):
            del self.bound[i]
            body = self._over_one(node, body, i, low, high)
        self.bound = bound
        return body

    def _over_one(self, node: Node, body: IndexArray, i: sp.Symbol, low: sp.Expr, high: sp.Expr) -> IndexArray:
        """The reduction over one letter, whose ends may hold others: max(x[i] for i in 1..t)."""
        where, own = self.at(node), self.ranges.get(i)
        letters = [s for s in low.free_symbols | high.free_symbols if not s.is_positive]
        if not letters and (nonnegative(high - low) or self._asks_a_size(low, high)):
            return self._reduced(node, IndexArray.over((Axis.between(low, high, Kind.FEATURE),), (i,), body.expr), None, False)
        outer = {**self.ranges, **self.bound}
        if (high - low).is_Integer and 0 <= high - low < MOST_WRITTEN:  # i in t..t+2 is t + k for k in 0..2
            value = IndexArray.over((Axis.between(0, high - low, Kind.FEATURE),), (i,), body.put({i: low + i}))
            return self._reduced(node, value, None, False)
        facts = Guards().under(sp.And(*self.conditions), outer)
        drafted = self.recurrences is not None and self.recurrences.draft
        empty = not drafted and not any(nonnegative(gap, facts.least) for gap, _ in spans(sp.expand(high - low), outer, facts))
        if self.recurrences is None or (empty and NAMES[node.text] != "prod"):
            raise ShapeError(where, f"{node.text} over {i} in {low}..{high}, which may be empty or change", "as 1..n",
                             f"a condition around it that says {low} <= {high}" if empty else "")
        first, last = (bounds(end, narrowed(outer, facts.ranges)) for end in (low, high))
        wide = own or (sp.S.One, sp.S.One)
        if not drafted and first is not None and last is not None and not (own is not None and within((first[0], last[1]), own)):
            wide = first[0], last[1]
        axis = Axis.between(*wide, Kind.FEATURE)
        made = self.recurrences.between(where, NAMES[node.text], IndexArray.over((axis,), (i,), body.expr), low, high, outer)
        return number(by_bracket(sp.Le(low, high), made, sp.S.One) if empty else made)

    def _asks_a_size(self, low: sp.Expr, high: sp.Expr) -> bool:
        """True for 2..n, which is there where n is 2 at least: a program asks for that where it has lines for a place of the range."""
        sizes = (high - low).free_symbols
        return self.recurrences is not None and len(sizes) == 1 and nonnegative((high - low).diff(*sizes) - 1)

    def _along(self, node: Node) -> IndexArray:
        """sum_n x_n y_n: n runs over the axis on which it stands."""
        body, *letters = node.args
        saved, asked = dict(self.scope), len(self.asked)
        for letter in letters:
            if letter.text in self.tensors or letter.text in self.scope:  # a size may be hidden by an index, as a book's k is
                raise NameError_(self.at(letter), f"the index {letter.text!r} is already a name", "another letter")
            self.hides(letter.text, body)
            self.scope[letter.text] = index(letter.text)
            self.spans.pop(index(letter.text), None)
        value = self.numeric(body)
        self.scope = saved
        over = []
        for letter in letters:
            spans = list(dict.fromkeys(self.spans.pop(index(letter.text), [])))
            if len(spans) != 1:
                ranges = " and ".join(f"{lo}..{hi}" for lo, hi in spans)
                kind = MismatchError if apart(spans) else ShapeError
                raise kind(self.at(node), f"sum_{letter.text}, where {letter.text} " + (f"runs over {ranges}" if spans else
                                 "is the place of no entry"), "one range", f"sum(… for {letter.text} in 1..N)")
            over.append((index(letter.text), *spans[0]))
        self.asked_everywhere(asked, over)
        return replace(value, expr=total(value.expr, tuple(reversed(over))))

    def _slope(self, node: Node) -> IndexArray:
        """dL/dz by its name, or what whoever reads the answer knows of it."""
        above, below = (a.text for a in node.args)
        found = self.find(f"d{above}_d{below}")
        value = of_tensor(self.tensors[found]) if found is not None else self.slopes(above, below)
        if value is None and "_" in below:  # dL/dz_nj, an entry
            stem, _, letters = below.rpartition("_")
            whole = self.find(f"d{above}_d{stem}")
            value = None if whole is None else self._lettered(stem, letters, self.tensors[whole])
        if value is None:
            raise NameError_(self.at(node), f"the slope {node.text}", "a slope that has a name here", "write out what it is")
        return value

    def _bracket(self, node: Node) -> IndexArray:
        condition = self.value(node.args[0])
        if not is_condition(condition.expr):
            if node.args[0].kind in ("name", "number"):
                raise ParseError(self.at(node), "a bracket without a comparison", "[i <= j], or round brackets")
            return condition
        return replace(condition, expr=indicator(condition.expr))

    def _attribute(self, node: Node) -> IndexArray:
        if node.text in ("T", "^T", "^⊤"):
            factors = self.factors(node.args[0].text) if node.args[0].kind == "name" else ()
            if factors:
                return self._last_transposed(node, factors)
            base = self.any(node.args[0])
            if self.power_of_t(node, base) and node.args[0].text != "1":
                return self.to_the_t(node, base)
            if node.args[0].kind == "number":
                if node.args[0].text != "1" or node.text == "T":
                    raise ParseError(self.at(node), f"the transpose of {node.args[0].text}", "ones(N).T for a row of ones")
                base = self._ones(node.args[0])
            if len(base.axes) == 1 and id(node.args[0]) not in self.lying:
                self.lying[id(node)] = node
            return base if isinstance(base, Unit) else base.transposed
        if node.text == "size":
            return number(count(self.real(node.args[0]), None))
        raise ParseError(self.at(node), ".shape alone", ".shape[0]")

    def _last_transposed(self, node: Node, factors: tuple[str, ...]) -> IndexArray:
        """GW^T, where GW is G times W: a transpose is of the letter that it stands on; GW.T may be that of the product."""
        before, last = "*".join(factors[:-1]), factors[-1]
        if node.text == ".T" or node.text == "T":
            raise ParseError(self.at(node), f"{node.args[0].text}.T, where {node.args[0].text} is {'*'.join(factors)}", "brackets",
                             f"it may be {before} @ {last}.T or ({before} @ {last}).T")
        parts = [Node("name", f, (), node.column) for f in factors]
        parts[-1] = Node("attribute", node.text, (parts[-1],), node.column)
        made = parts[0]
        for part in parts[1:]:
            made = Node("binary", "juxtaposed", (made, part), node.column)
        return self.real(made)

    def power_of_t(self, node: Node, base: IndexArray) -> bool:
        """True where a T above is a power: of a number by a size T, of anything by a declared T; else it is a transpose."""
        return node.text == "^T" and ("T" in self.tensors or "T" in self.scope or ("T" in self.sizes and not base.axes))

    def to_the_t(self, node: Node, base: IndexArray) -> IndexArray:
        """The power by the declared T."""
        return self._power(node, base, self.value(Node("name", "T", (), node.column)))

    def _index(self, node: Node) -> IndexArray:
        base, places = node.args[0], node.args[1:]
        if base.kind == "attribute" and base.text == "shape":
            axes = self.real(base.args[0]).axes
            which = self._integer(places[0])
            if len(places) != 1 or not -len(axes) <= which < len(axes):
                raise ShapeError(self.at(node), f".shape[{which}]", f"an axis from 0 to {len(axes) - 1}")
            return number(axes[which].size)
        if base.kind != "name" or self.own.has(base.text.replace("_", "")):
            return self._entry(node, self.real(base), places)
        name = self.find(base.text)
        if name is None:
            raise NameError_(self.at(base), f"unknown name {base.text!r}", "a declared tensor",
                             did_you_mean(base.text, self.tensors))
        return self._entry(node, of_tensor(self.tensors[name]), places)

    def _entry(self, node: Node, value: IndexArray, places: tuple[Node, ...]) -> IndexArray:
        """An entry of an array, or with : and None for some places a row, a column, or the array with an axis more: r[:, None]."""
        while len(places) <= len(value.axes) and places and places[-1].kind == "whole":
            places = places[:-1]
        if any(p.kind in ("whole", "new") for p in places):
            return self._part(node, value, places)
        asked = tuple(self.value(p) for p in places)
        if any(asks(a) for a in asked):
            for a, axis in zip(asked, value.axes, strict=False):
                if a.expr.is_Symbol and not a.expr.is_positive and not asks(a):
                    self.ranges.setdefault(a.expr, axis.range)
            return entry_at(self.at(node), value, asked, self.tensors)
        return self._part(node, value, places)

    def _part(self, node: Node, value: IndexArray, places: tuple[Node, ...]) -> IndexArray:
        """``value`` at some places, the other axes whole: W[l] is a matrix where W has three axes."""
        if len([p for p in places if p.kind != "new"]) > len(value.axes):
            raise ShapeError(self.at(node), f"{len(places)} indices on {node.args[0].text or f'shape {value.shape}'}", f"{len(value.axes)}")
        left, where = list(value.axes), list[sp.Expr]()
        axes, own = list[Axis](), list[sp.Symbol]()
        for p in places:
            axis = Axis.of(1) if p.kind == "new" else left.pop(0)
            if p.kind in ("whole", "new"):
                axes.append(axis)
                own += new_indices((axis,))
                where += own[-1:] if p.kind == "whole" else []
            else:
                where.append(self.placed(self.scalar(p), axis))
        rest = new_indices(tuple(left))
        return IndexArray.over((*axes, *left), (*own, *rest), value.at(*where, *rest))

    def placed(self, place: sp.Expr, axis: Axis) -> sp.Expr:
        """``place`` on ``axis``, noted: what it says of the range of its letter, and that it must exist."""
        if axis is not UNKNOWN:
            if place.is_Symbol and not place.is_positive:
                self.ranges.setdefault(place, axis.range)
                self.spans.setdefault(place, []).append(axis.range)
            if not self.conditions:
                self.reached.append((place, axis, dict(self.bound)))
        return place
