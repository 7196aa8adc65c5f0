"""Printing index expressions: one layout (textbook order, brackets where needed) and two final printers, LaTeX and text.

The layout decides the order of terms and factors and where brackets stand; a printer only supplies the marks. ``leaf``
may be replaced to print numbers in place of names ("numbers put in"), in the same order.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy as sp

from symnet.core.decimals import as_decimal
from symnet.core.expressions import BINDERS, Nabla, Partial, When, limits
from symnet.core.functions import TABLE
from symnet.core.length import length
from symnet.core.matrices import Det, Grid, InverseEntry, Rows, whole
from symnet.core.tensors import Role, Tensor, entry_indices, tensor_name
from symnet.errors import UnknownNodeError

ADD, MUL, POW, ATOM = 1, 2, 3, 4
LONG = 400  # characters of an expression that SymPy no longer spells out to be sorted
Piece = tuple[str, int]  # text and how tightly it binds
Leaf = Callable[[sp.Expr], Piece]


class Printer(ABC):
    """The layout. ``leaf(entry)`` prints an entry; by default its name and indices."""

    def __init__(self, tensors: Mapping[str, Tensor] | None = None, leaf: Leaf | None = None) -> None:
        self.tensors = dict(tensors or {})
        self.leaf = leaf or self.entry
        self.numeric = leaf is not None
        self._named: Printer = self if leaf is None else type(self)(tensors)  # the same with names
        self._pieces: dict[sp.Basic, Piece] = {}  # a closed form holds its parts many times
        self._spelled: dict[sp.Basic, str] = {}
        self._numbers: dict[sp.Basic, bool] = {}
        self._lengths: dict[sp.Basic, int] = {}
        self._index_only: dict[sp.Basic, bool] = {}

    def __call__(self, expr: sp.Expr) -> str:
        return self.piece(expr)[0]

    def within(self, expr: sp.Expr, least: int) -> str:
        """``expr``, in brackets when it binds less tightly than ``least``."""
        text, binds = self.piece(expr)
        return text if binds >= least else self.brackets(text)

    def behind(self, expr: sp.Expr) -> str:
        """``expr`` behind an Iverson bracket: a minus sign in front would read as a subtraction from the bracket."""
        return self.brackets(self(expr)) if self.negative(expr) else self.within(expr, MUL)

    def piece(self, expr: sp.Basic) -> Piece:
        """The text of a node and how tightly it binds."""
        if expr not in self._pieces:
            self._pieces[expr] = self._piece(expr)
        return self._pieces[expr]

    def _piece(self, expr: sp.Basic) -> Piece:
        if isinstance(expr, sp.Indexed) or (expr.is_Symbol and not expr.is_integer):
            return self.leaf(expr)
        if expr.is_Symbol:
            return self.index(expr), ATOM
        if isinstance(expr, sp.Rational):
            return self.number(expr)
        if isinstance(expr, sp.Add):
            return self.add(expr), ADD
        if isinstance(expr, sp.Mul):
            return self.mul(expr)
        if isinstance(expr, sp.Pow):
            return self.power(expr)
        if isinstance(expr, sp.Sum):
            return self.sum(expr)
        if isinstance(expr, When):
            return self.bracket(expr)
        return self.other(expr)

    def other(self, expr: sp.Basic) -> Piece:
        """Constants, cases and the functions of the table; anything else raises."""
        if expr in (sp.pi, sp.E, sp.oo, -sp.oo):
            return self.constant(expr), ATOM
        if isinstance(expr, sp.Piecewise):
            return self.cases(expr)
        if expr.func in TABLE:
            return self.function(expr)
        if isinstance(expr, Det):
            return self.determinant(self.matrix(expr.matrix)), ATOM
        if isinstance(expr, InverseEntry):
            return self.inverse(self.matrix(expr.matrix), [self(p) for p in expr.places]), ATOM
        if isinstance(expr, Nabla):
            return f"{self.nabla}{self.within(expr.loss, ATOM)}{self.brackets(self(expr.point))}", POW
        if isinstance(expr, Partial):
            return self.partial(self(expr.of), self(expr.by)), ATOM
        raise UnknownNodeError("printing", f"no form for {expr.func.__name__}", "an expression of the program language")

    def matrix(self, matrix: Grid | Rows) -> str:
        """A matrix: its name, or its entry for every row and column."""
        if isinstance(matrix, Rows):
            places = range(1, matrix.count + 1)
            return self.rows([[self(matrix.at(i, j)) for j in places] for i in places])
        found = whole(matrix)
        if found is None or self.numeric:
            return self.grid(matrix)
        entry, transposed = found
        return self.named(entry, [self(e) for e in entry_indices(entry)[:-2]], transposed)

    def add(self, expr: sp.Expr) -> str:
        """Positive terms first, longer ones before shorter, so that w x + b and 1 - a read as in a book."""
        terms = self.sorted(expr.args, lambda t: (self.negative(t), not self.is_number(t), -len(sp.Mul.make_args(t)),
                                                  t.has(sp.Sum) is False))
        if self._of_indices(expr):  # an index or a size: i - p + 1
            terms = [t for t in terms if not self.is_number(t)] + [t for t in terms if self.is_number(t)]
        if len(terms) > 1 and self.is_number(terms[0]) and not any(self.negative(t) for t in terms[1:]):
            terms = terms[1:] + terms[:1] if not (terms[1].has(sp.exp) or terms[1].is_Function) else terms
        text = self.within(terms[0], MUL) if not self.negative(terms[0]) else self.minus + self.within(negated(terms[0]), MUL)
        for term in terms[1:]:
            minus = self.negative(term)
            text += f" {'-' if minus else '+'} {self.within(negated(term) if minus else term, MUL)}"
        return text

    def sorted(self, nodes: Iterable[sp.Expr], rank: Callable[[sp.Expr], Any]) -> list[sp.Expr]:
        """Nodes by rank, those of one rank by their texts, which are long and so only made where two share a rank."""
        ranks: dict[Any, list[sp.Expr]] = {}
        for node in nodes:
            ranks.setdefault(rank(node), []).append(node)
        return [n for r in sorted(ranks) for n in (ranks[r] if len(ranks[r]) == 1 else sorted(ranks[r], key=self._spelling))]

    def _spelling(self, node: sp.Basic) -> str:
        """SymPy's text; of a long expression, where that takes it minutes, our own. Numbers put in do not change it: they stand
        where their names stand."""
        if node not in self._spelled:
            self._spelled[node] = str(node) if length(node, self._lengths) < LONG else self._named(node)
        return self._spelled[node]

    def is_number(self, expr: sp.Basic) -> bool:
        """True when no symbol is free in ``expr``; of long sums SymPy would rename everything to find out."""
        if not expr.args or isinstance(expr, sp.Indexed):
            return bool(expr.is_number)
        if expr not in self._numbers:
            if isinstance(expr, BINDERS):
                self._numbers[expr] = length(expr, self._lengths) < LONG and bool(expr.is_number)
            else:
                self._numbers[expr] = all(map(self.is_number, expr.args))
        return self._numbers[expr]

    def _of_indices(self, expr: sp.Basic) -> bool:
        """True when nothing but indices, sizes and numbers stand in ``expr``."""
        if not expr.args:
            return not expr.is_Symbol or expr.is_integer is True
        if expr not in self._index_only:
            self._index_only[expr] = not isinstance(expr, sp.Indexed) and all(map(self._of_indices, expr.args))
        return self._index_only[expr]

    minus = "-"
    nabla = "grad "

    @staticmethod
    def negative(term: sp.Expr) -> bool:
        """True when a term is printed with a minus sign in front."""
        return bool(term.as_coeff_Mul()[0] < 0)

    def mul(self, expr: sp.Expr) -> Piece:
        """Sign, fraction, then factors: numbers, gradients, names, brackets, sums last."""
        coefficient, _ = expr.as_coeff_Mul()
        if coefficient < 0:
            text, binds = self.piece(negated(expr))
            return self.minus + (text if binds >= MUL else self.brackets(text)), MUL
        above, below = [], []
        for factor in expr.args:
            if isinstance(factor, sp.Rational) and as_decimal(abs(factor.p), factor.q) is None:
                above += [sp.Integer(factor.p)] * (factor.p != 1)
                below += [sp.Integer(factor.q)] * (factor.q != 1)
            elif isinstance(factor, sp.Pow) and self.negative(factor.exp) and factor.exp.is_number:
                below.append(upright(factor))
            else:
                above.append(factor)
        over = self.factors(self.sorted(above, self.order))
        return (self.fraction(above, over, self.sorted(below, self.order)), MUL) if below else (over, MUL)

    def order(self, factor: sp.Expr) -> float:
        """The place of a factor in a product."""
        if self.is_number(factor):
            return 0
        if isinstance(factor, sp.Symbol) and factor.is_integer:
            return 1
        if isinstance(factor, (sp.Indexed, sp.Symbol)):
            tensor = self.tensors.get(tensor_name(factor))
            is_gradient = tensor.of != "" if tensor else tensor_name(factor).startswith("d") and "_d" in tensor_name(factor)
            is_parameter = tensor is not None and tensor.role is Role.PARAMETER
            if tensor is not None and tensor.role is Role.CONSTANT:
                return 1
            return 2 if is_gradient else 3 if is_parameter else 4
        if isinstance(factor, sp.Sum):
            return 8
        if isinstance(factor, Partial):  # behind the gradient that it is multiplied by
            return 2.5
        if isinstance(factor, sp.Mul):  # a gradient written out, not multiplied yet
            return 2
        return 6 if isinstance(factor, sp.Add) else 7 if factor.is_Function else 5

    def factors(self, ordered: list[sp.Expr]) -> str:
        """A product of factors in order; a sum in the middle is bracketed, since it would swallow what follows."""
        if not ordered:
            return "1"
        texts = []
        for k, factor in enumerate(ordered):
            last = k == len(ordered) - 1
            open_ended = isinstance(factor, sp.Sum) and not last
            texts.append(self.brackets(self(factor)) if open_ended else self.within(factor, MUL if last and k else POW)
                         if not isinstance(factor, sp.Sum) else self(factor))
        return self.join(texts)

    @abstractmethod
    def entry(self, expr: sp.Expr) -> Piece: ...
    @abstractmethod
    def index(self, symbol: sp.Symbol) -> str: ...
    @abstractmethod
    def number(self, value: sp.Rational) -> Piece: ...
    @abstractmethod
    def constant(self, value: sp.Expr) -> str: ...
    @abstractmethod
    def brackets(self, text: str) -> str: ...
    @abstractmethod
    def join(self, texts: list[str]) -> str: ...
    @abstractmethod
    def fraction(self, above: list[sp.Expr], over: str, below: list[sp.Expr]) -> str: ...
    @abstractmethod
    def power(self, expr: sp.Pow) -> Piece: ...
    @abstractmethod
    def sum(self, expr: sp.Sum) -> Piece: ...
    @abstractmethod
    def bracket(self, expr: When) -> Piece: ...
    @abstractmethod
    def cases(self, expr: sp.Piecewise) -> Piece: ...
    @abstractmethod
    def function(self, expr: sp.Expr) -> Piece: ...
    @abstractmethod
    def determinant(self, matrix: str) -> str: ...
    @abstractmethod
    def inverse(self, matrix: str, places: list[str]) -> str: ...
    @abstractmethod
    def named(self, entry: sp.Indexed, lead: list[str], transposed: bool) -> str: ...
    @abstractmethod
    def partial(self, of: str, by: str) -> str: ...
    @abstractmethod
    def grid(self, matrix: Grid) -> str: ...
    @abstractmethod
    def rows(self, rows: list[list[str]]) -> str: ...


def upright(power: sp.Pow) -> sp.Expr:
    """1/power, for a power with a negative exponent; SymPy would ask for the sign of all that stands in a sum."""
    base, exponent = power.args
    if exponent == -1:
        return base
    return sp.Pow(base, -exponent, evaluate=False) if isinstance(base, sp.Add) else base ** -exponent


def negated(term: sp.Expr) -> sp.Expr:
    """-term without multiplying out: SymPy would turn -(-2(a - y)) into 2a - 2y."""
    coefficient, _ = term.as_coeff_Mul()
    if not isinstance(term, sp.Mul):
        return -term
    rest = [a for a in term.args if not a.is_Rational]
    factors = rest if coefficient == -1 else [-coefficient, *rest]
    return factors[0] if len(factors) == 1 else sp.Mul(*factors, evaluate=False)


def chain(condition: sp.Basic, show: Callable[[sp.Expr], str], le: str, other: Mapping[type, str], between: str = ", ") -> str:
    """A condition on one line; lo <= e & e <= hi becomes lo <= e <= hi."""
    parts = condition.args if isinstance(condition, sp.And) else (condition,)
    low = {p.args[0]: p.args[1] for p in parts if isinstance(p, sp.Ge)}
    high = {p.args[0]: p.args[1] for p in parts if isinstance(p, sp.Le)}
    texts = [f"{show(low[e])} {le} {show(e)} {le} {show(high[e])}" for e in low if e in high]
    for p in parts:
        if isinstance(p, (sp.Ge, sp.Le)) and p.args[0] in low and p.args[0] in high:
            continue
        if type(p) not in other:
            raise UnknownNodeError("printing", f"no form for {type(p).__name__}", "a comparison")
        texts.append(f"{show(p.args[0])} {other[type(p)]} {show(p.args[1])}")
    return between.join(texts)


def alternatives(condition: sp.Basic) -> list[sp.Basic]:
    """The conditions without "or" of which one must hold: (a or b) and c is a and c, or b and c."""
    if isinstance(condition, sp.Or):
        return [found for part in condition.args for found in alternatives(part)]
    if isinstance(condition, sp.And):
        return [sp.And(*parts, evaluate=False) for parts in itertools.product(*map(alternatives, condition.args))]
    return [condition]


def over(node: sp.Sum) -> tuple[tuple[sp.Symbol, sp.Expr, sp.Expr], ...]:
    """The limits of a sum, outermost first, as they are printed."""
    return tuple(reversed(limits(node)))
