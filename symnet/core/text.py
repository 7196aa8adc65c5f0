"""Plain text of index expressions, the maths that worksheets are written in: ``sum(X[n, i]*w[i] for i in 1..d)``."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symnet.core.decimals import as_decimal
from symnet.core.expressions import When, limits
from symnet.core.functions import TABLE
from symnet.core.length import length
from symnet.core.matrices import Grid
from symnet.core.printing import ADD, ATOM, MUL, POW, Leaf, Piece, Printer, alternatives, chain, over, upright
from symnet.core.program import MOST_SHORT, Definition
from symnet.core.tensors import Tensor, entry_indices, tensor_name

COMPARE = {sp.Eq: "==", sp.Ne: "!=", sp.Gt: ">", sp.Lt: "<", sp.Ge: ">=", sp.Le: "<="}


class TextPrinter(Printer):
    """The text marks.

    >>> a, y = sp.symbols("a y", real=True)
    >>> TextPrinter()((a - y)**2 / 2)
    '(a - y)**2/2'
    """

    def entry(self, expr: sp.Expr) -> Piece:
        places = ", ".join(self(e) for e in entry_indices(expr))
        return tensor_name(expr) + (f"[{places}]" if places else ""), ATOM

    def index(self, symbol: sp.Symbol) -> str:
        return str(symbol)

    def number(self, value: sp.Rational) -> Piece:
        decimal = as_decimal(abs(value.p), value.q)
        text = str(value) if decimal is None else ("-" if value < 0 else "") + decimal
        return text, ADD if value < 0 else (MUL if value.q != 1 and not decimal else ATOM)

    def constant(self, value: sp.Expr) -> str:
        return {sp.pi: "pi", sp.E: "e", sp.oo: "inf"}.get(value, "-inf")

    def brackets(self, text: str) -> str:
        return f"({text})"

    def join(self, texts: list[str]) -> str:
        return (" * " if self.numeric else "*").join(texts)

    def fraction(self, above: list[sp.Expr], over: str, below: list[sp.Expr]) -> str:
        under = self.factors(below)
        return f"{over}/{under if len(below) == 1 else self.brackets(under)}"

    def power(self, expr: sp.Pow) -> Piece:
        base, exponent = expr.args
        if exponent == sp.Rational(1, 2):
            return f"sqrt({self(base)})", ATOM
        if self.negative(exponent) and exponent.is_number:
            return f"1/{self.within(upright(expr), POW)}", MUL
        return f"{self.within(base, ATOM)}**{self.within(exponent, ATOM)}", POW

    def sum(self, expr: sp.Sum) -> Piece:
        loops = " ".join(f"for {i} in {self(lo)}..{self(hi)}" for i, lo, hi in over(expr))
        return f"sum({self(expr.function)} {loops})", ATOM

    def bracket(self, expr: When) -> Piece:
        if expr.condition.has(sp.Mod):
            condition = self._divides(expr.condition)
        else:
            condition = chain(expr.condition, self, "<=", COMPARE)
        return (f"[{condition}]", ATOM) if expr.body == 1 else (f"[{condition}]*{self.behind(expr.body)}", MUL)

    def _divides(self, condition: sp.Basic) -> str:
        """A bracket of a stride: [(j - 1) % 2 == 0, 1 <= (j - 1)/2 <= M]."""
        parts = sp.And.make_args(condition)
        strides = [p for p in parts if p.has(sp.Mod)]
        marks = [f"{self.within(p.args[0].args[0], ATOM)} % {self(p.args[0].args[1])} == 0" for p in strides]
        rest = sp.And(*[p for p in parts if not p.has(sp.Mod)])
        return ", ".join([*marks, *([chain(rest, self, "<=", COMPARE)] if rest is not sp.true else [])])

    def cases(self, expr: sp.Piecewise) -> Piece:
        text = ""
        for branch, condition in expr.args:
            text += self.within(branch, MUL)
            if condition is not sp.true:
                text += f" if {' or '.join(chain(c, self, '<=', COMPARE, ' and ') for c in alternatives(condition))} else "
        return f"({text})", ATOM

    def function(self, expr: sp.Expr) -> Piece:
        name, args = TABLE[expr.func].name, [self(a) for a in expr.args]
        while isinstance(expr, (sp.Max, sp.Min)) and len(args) > 2:  # NumPy's maximum takes two
            args = [f"{name}({args[0]}, {args[1]})", *args[2:]]
        return f"{name}({', '.join(args)})", ATOM

    def determinant(self, matrix: str) -> str:
        return f"det({matrix})"

    def inverse(self, matrix: str, places: list[str]) -> str:
        return f"inv({matrix})[{', '.join(places)}]"

    def named(self, entry: sp.Indexed, lead: list[str], transposed: bool) -> str:
        return tensor_name(entry) + (f"[{', '.join(lead)}]" if lead else "") + (".T" if transposed else "")

    def partial(self, of: str, by: str) -> str:
        return "/".join(f"d({name})" if "_d" in name else f"d{name}" for name in (of, by))  # a gradient in brackets

    def grid(self, matrix: Grid) -> str:
        loops = " ".join(f"for {i} in {self(lo)}..{self(hi)}" for i, lo, hi in limits(matrix))
        return f"[{self(matrix.function)} {loops}]"

    def rows(self, rows: list[list[str]]) -> str:
        return "[" + ", ".join(f"[{', '.join(row)}]" for row in rows) + "]"


def text(expr: sp.Expr, leaf: Leaf | None = None, tensors: Mapping[str, Tensor] | None = None) -> str:
    """The plain text of ``expr``."""
    return TextPrinter(tensors, leaf)(expr)


def short_text(definition: Definition, tensors: Mapping[str, Tensor] | None = None) -> str:
    """``left = right`` for a repr: a right side that is very long is not written out to be cut off."""
    long = length(definition.expr)
    if long <= MOST_SHORT:
        return definition_text(definition, tensors)
    return f"{TextPrinter({definition.name: definition.target})(definition.entry)} = … (about {long:,} characters)"


def definition_text(definition: Definition, tensors: Mapping[str, Tensor] | None = None) -> str:
    """``left = right``."""
    printer = TextPrinter({**(tensors or {}), definition.name: definition.target})
    return f"{printer(definition.entry)} = {printer(definition.expr)}"
