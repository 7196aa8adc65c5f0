"""LaTeX of index expressions, in commands that the MathML wrapper and pdfLaTeX both know."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import sympy as sp

from symnet.core.decimals import as_decimal
from symnet.core.expressions import When, limits
from symnet.core.functions import TABLE, step
from symnet.core.matrices import Grid
from symnet.core.names import entry_latex, gradient_latex, index_latex, name_latex, tensor_latex
from symnet.core.printing import ADD, ATOM, MUL, POW, Leaf, Piece, Printer, alternatives, chain, over, upright
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor, entry_indices, tensor_name

COMPARE = {sp.Eq: "=", sp.Ne: r"\ne", sp.Gt: ">", sp.Lt: "<", sp.Ge: r"\ge", sp.Le: r"\le"}

MOST_LINES = 40  # of a program that a notebook shows


class LatexPrinter(Printer):
    """The LaTeX marks.

    >>> a, y = sp.symbols("a2 y", real=True)
    >>> LatexPrinter()(a * (1 - a))
    'a_{2} \\\\left(1 - a_{2}\\\\right)'
    """

    nabla = r"\nabla "

    def entry(self, expr: sp.Expr) -> Piece:
        name = tensor_name(expr)
        tensor = self.tensors.get(name)
        places = [self(e) for e in entry_indices(expr)]
        if tensor is None:
            return name_latex(name) + (f"_{{{','.join(places)}}}" if places else ""), ATOM
        return entry_latex(tensor, places, self.tensors), ATOM

    def index(self, symbol: sp.Symbol) -> str:
        return name_latex(str(symbol)) if symbol.is_positive else index_latex(str(symbol))  # a size d1 is no primed index

    def number(self, value: sp.Rational) -> Piece:
        sign = "-" if value < 0 else ""
        decimal = as_decimal(abs(value.p), value.q)
        text = decimal or (str(abs(value.p)) if value.q == 1 else rf"\frac{{{abs(value.p)}}}{{{value.q}}}")
        return sign + text, ADD if value < 0 else (MUL if value.q != 1 and not decimal else ATOM)

    def constant(self, value: sp.Expr) -> str:
        return {sp.pi: r"\pi", sp.E: "e", sp.oo: r"\infty"}.get(value, r"-\infty")

    def brackets(self, text: str) -> str:
        return rf"\left({text}\right)"

    def join(self, texts: list[str]) -> str:
        joined = texts[0]
        for left, right in itertools.pairwise(texts):
            dot = self.numeric or right[0].isdigit() or (left.endswith("}") and left.startswith(r"\frac{\partial")) \
                or right.startswith(r"\frac")
            joined += (r" \cdot " if dot else " ") + right
        return joined

    def fraction(self, above: list[sp.Expr], over: str, below: list[sp.Expr]) -> str:
        under = self.factors(below) if len(below) > 1 else self(below[0])
        return rf"\frac{{{over if len(above) != 1 else self(above[0])}}}{{{under}}}"

    def power(self, expr: sp.Pow) -> Piece:
        base, exponent = expr.args
        if exponent == sp.Rational(1, 2):
            return rf"\sqrt{{{self(base)}}}", POW
        if self.negative(exponent) and exponent.is_number:
            return rf"\frac{{1}}{{{self(upright(expr))}}}", MUL
        inner = self.within(base, ATOM)
        if isinstance(base, (sp.Indexed, sp.Symbol)) and "^" in inner:
            inner = self.brackets(inner)
        return f"{inner}^{{{self(exponent)}}}", POW

    def sum(self, expr: sp.Sum) -> Piece:
        marks = "".join(rf"\sum_{{{self(i)}={self(lo)}}}^{{{self(hi)}}} " for i, lo, hi in over(expr))
        return marks + self.within(expr.function, MUL), MUL

    def bracket(self, expr: When) -> Piece:
        condition = chain(expr.condition, self, r"\le", COMPARE) if not expr.condition.has(sp.Mod) else self._divides(expr)
        mark = rf"\left[{condition}\right]"
        return (mark, ATOM) if expr.body == 1 else (f"{mark} {self.behind(expr.body)}", MUL)

    def _divides(self, expr: When) -> str:
        parts = expr.condition.args if isinstance(expr.condition, sp.And) else (expr.condition,)
        strides = [p for p in parts if p.has(sp.Mod)]
        rest = sp.And(*[p for p in parts if not p.has(sp.Mod)])
        marks = [rf"{self(p.args[0].args[1])} \mid {self.within(p.args[0].args[0], MUL)}" for p in strides]
        return ", ".join([*marks, *([chain(rest, self, r"\le", COMPARE)] if rest is not sp.true else [])])

    def cases(self, expr: sp.Piecewise) -> Piece:
        cases = [(e, c) for e, either in expr.args for c in alternatives(either)]
        rows = [rf"{self(e)} & \text{{otherwise}}" if c is sp.true else
                rf"{self(e)} & \text{{if }} {chain(c, self, chr(92) + 'le', COMPARE)}" for e, c in cases]
        return r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}", ATOM

    def function(self, expr: sp.Expr) -> Piece:
        args = [self(a) for a in expr.args]
        if isinstance(expr, step):
            return rf"\left[{args[0]} > 0\right]", ATOM
        if isinstance(expr, sp.exp):
            return f"e^{{{args[0]}}}", POW
        if isinstance(expr, sp.Abs):
            return rf"\left|{args[0]}\right|", ATOM
        if isinstance(expr, sp.floor):
            return rf"\left\lfloor {args[0]}\right\rfloor", ATOM
        return rf"{TABLE[expr.func].latex}\left({', '.join(args)}\right)", ATOM

    def determinant(self, matrix: str) -> str:
        return rf"\det \left({matrix}\right)"

    def inverse(self, matrix: str, places: list[str]) -> str:
        plain = all(len(p) == 1 for p in places)
        name = rf"\left({matrix}\right)" if "^" in matrix and not matrix.startswith((r"\left[", r"\begin")) else matrix
        return rf"\left({name}^{{-1}}\right)_{{{('' if plain else ',').join(places)}}}"

    def named(self, entry: sp.Indexed, lead: list[str], transposed: bool) -> str:
        tensor = self.tensors.get(tensor_name(entry))
        name = tensor_latex(tensor) if tensor is not None else name_latex(tensor_name(entry))
        marked = rf"{name}^{{({','.join(lead)})}}" if lead else name
        return (rf"\left({marked}\right)" if lead else marked) + r"^{\top}" if transposed else marked

    def partial(self, of: str, by: str) -> str:
        return gradient_latex(of, by)

    def grid(self, matrix: Grid) -> str:
        return rf"\left[{self(matrix.function)}\right]_{{{','.join(self(i) for i, _, _ in limits(matrix))}}}"

    def rows(self, rows: list[list[str]]) -> str:
        return r"\begin{pmatrix} " + r" \\ ".join(" & ".join(row) for row in rows) + r" \end{pmatrix}"


def latex(expr: sp.Expr, tensors: Mapping[str, Tensor] | None = None, leaf: Leaf | None = None) -> str:
    """The LaTeX of ``expr``; ``tensors`` tells depth and time axes and gradients apart, ``leaf`` prints entries."""
    return LatexPrinter(tensors, leaf)(expr)


def left_latex(definition: Definition, tensors: Mapping[str, Tensor]) -> str:
    """The left side of a definition."""
    if not definition.indices and (definition.target.latex or not definition.target.of):
        return tensor_latex(definition.target)
    return LatexPrinter(tensors)(definition.entry)


def aligned(program: Program, lines: Sequence[Definition] | None = None) -> str:
    """The lines of a program, or some of them, under each other; of very many only the first and the last."""
    every = program.definitions if lines is None else lines
    rows = [definition_latex(d, program.tensors).replace(" = ", " &= ", 1) for d in (*every[:MOST_LINES], *every[MOST_LINES:][-1:])]
    if len(every) > MOST_LINES + 1:
        rows.insert(MOST_LINES, r"&\;\;\vdots")
    return r"\begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}"


def definition_latex(definition: Definition, tensors: Mapping[str, Tensor] | None = None) -> str:
    """``left = right``."""
    known = {**(tensors or {}), definition.name: definition.target}
    return f"{left_latex(definition, known)} = {latex(definition.expr, known)}"
