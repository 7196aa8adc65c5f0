"""SymPy expressions as the syntax tree of plain maths, so that they are read by the rules that text is read by.

Symbols are numbers; an IndexedBase is an array whose axes are the places that the expression uses, or its shape; a MatrixSymbol is a
matrix, and counts from 0 as SymPy's do. Symbols in shapes and in the limits of sums are sizes. Nothing is simplified on the way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.concrete.products import Product
from sympy.matrices import MatrixBase
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement

from symnet.core.axes import Axis, Range, at_most, bounds, index, size
from symnet.core.expressions import When
from symnet.core.functions import TABLE
from symnet.core.matrices import Det, InverseEntry, whole
from symnet.core.tensors import DOMAINS, NAME, Role, Tensor
from symnet.errors import DomainError, NameError_, OptionError, ParseError, ShapeError, shown
from symnet.parsing.node import Node

MOST_NODES = 200_000
# SymPy functions that plain maths has by another name, and those that are written with others
CALLED: Mapping[Any, str] = {
    sp.tan: "tan", sp.cot: "cot", sp.sec: "sec", sp.csc: "csc", sp.sech: "sech", sp.csch: "csch", sp.coth: "coth", sp.ceiling: "ceil"}
REWRITTEN: Mapping[Any, Any] = {sp.asin: sp.atan, sp.acos: sp.atan, sp.acot: sp.atan, sp.asinh: sp.log, sp.acosh: sp.log, sp.atanh: sp.log,
                                sp.acoth: sp.log, sp.sinc: sp.sin, sp.erfc: sp.erf}
COMPARE: Mapping[Any, str] = {sp.Eq: "==", sp.Ne: "!=", sp.Lt: "<", sp.Le: "<=", sp.Gt: ">", sp.Ge: ">="}
Own = sp.Symbol | sp.IndexedBase | sp.MatrixSymbol


@dataclass(frozen=True)
class SympyAnswer:
    """A gradient as a SymPy expression. ``letters`` are the indices of the entry that it gives, in the order of the axes, "" for a
    place that is a number; none where none were said. ``shift`` is 1 where they count from 0, as MatrixSymbols do."""

    expr: Any
    letters: tuple[str, ...] = ()
    shift: int = 0


def wrt_name(wrt: Any) -> str:
    """The name of what is differentiated by: "w", Symbol("w"), IndexedBase("w") or an entry w[i]."""
    own = wrt.base if isinstance(wrt, sp.Indexed) else wrt.parent if isinstance(wrt, MatrixElement) else wrt
    if not isinstance(own, (str, sp.Symbol, sp.IndexedBase, sp.MatrixSymbol)):
        raise OptionError("wrt", shown(wrt), "a name or a SymPy symbol", 'wrt="w1"')
    return own if isinstance(own, str) else name_of(own, "wrt")


def sympy_answer(expr: Any, wrt: Any) -> SympyAnswer:
    """An answer for the gradient with respect to ``wrt``, which may be an entry w[i] and so say what i is."""
    places = wrt.indices if isinstance(wrt, (sp.Indexed, MatrixElement)) else ()
    letters = tuple(name_of(i, "wrt") if isinstance(i, (sp.Symbol, sp.Idx)) else "" for i in places)
    said = expr._sympy_() if hasattr(expr, "_sympy_") else expr
    own = {s: sp.Symbol(s.name, **s.assumptions0) for s in said.atoms(sp.Symbol) if type(s) not in (sp.Symbol, sp.Dummy)}
    return SympyAnswer(said.xreplace(own), letters, int(isinstance(wrt, MatrixElement)))  # a class of the user's own stays here


def is_sympy(value: Any) -> bool:
    """True for a SymPy expression, equation or matrix, and for what says that it is one (``_sympy_``)."""
    return isinstance(value, (sp.Basic, MatrixBase)) or hasattr(value, "_sympy_")


def name_of(own: Any, where: str = "symbol") -> str:
    r"""The name that a symbol has in programs: letters, digits and _; Greek letters by name, so that \theta and θ are theta.

    >>> name_of(sp.Symbol(r"\theta_1")), name_of(sp.Symbol("ŷ")), name_of(sp.IndexedBase("X"))
    ('theta_1', 'y', 'X')
    """
    text = str(own.label if isinstance(own, (sp.IndexedBase, sp.Idx)) else own.name)
    if NAME.match(text):
        return text
    spelled = "".join(_spelled(c) for c in unicodedata.normalize("NFD", text))
    made = re.sub(r"[^A-Za-z0-9]+", "_", spelled).strip("_")[:64]
    if not NAME.match(made):
        raise NameError_(where, f"the name {text[:40]!r}", "a name that starts with a letter", "sp.Symbol('x1')")
    return made


def _spelled(c: str) -> str:
    if ord(c) < 128:
        return c
    if unicodedata.combining(c):
        return ""
    words = unicodedata.name(c, "").split()
    if len(words) >= 4 and words[0] == "GREEK":
        letter = words[3].lower()
        return letter.capitalize() if words[1] == "CAPITAL" else letter
    return "_"


@dataclass
class SympyReader:
    """The symbols of several expressions, by name, and the trees of these expressions.

    ``own`` maps a name to the user's object, ``tensors`` to what it is in a program; ``sizes`` are the names of sizes. ``given`` are
    tensors known before: their names are theirs, whatever object stands for them.
    """

    given: Mapping[str, Tensor] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    sizes: dict[str, sp.Symbol] = field(default_factory=dict)
    defined: set[str] = field(default_factory=set)
    letters: dict[str, None] = field(default_factory=dict)
    """Indices without a sum around: those of a left side."""

    def read(self, expressions: Sequence[tuple[str, sp.Expr]]) -> list[Node]:
        """The trees of (where, expression), which share their names."""
        worked = [(where, _worked_out(where, e)) for where, e in expressions]
        for where, expr in worked:
            self._find_sizes(where, expr)
            self._find_letters(where, expr)
        shapes = _Shapes(self)
        for where, expr in worked:
            shapes.visit(where, expr, {})
        shapes.settle()
        made = [_Trees(self, where).whole(expr) for where, expr in worked]
        if "pi" in self.own and any(expr.has(sp.pi) for _, expr in worked):
            raise NameError_(expressions[0][0], "the number pi and a symbol of that name", "another name for the symbol")
        clash = sorted(self.sizes.keys() & self.tensors.keys())
        if clash:
            raise NameError_(expressions[0][0], f"{clash[0]!r} is a size and a number", "different symbols",
                             "integer=True, positive=True for a size")
        return made

    def name(self, own: Any, where: str) -> str:
        """The name of a symbol of the user's. Two symbols that differ in their assumptions alone are refused: which is meant?"""
        name = name_of(own, where)
        known = self.own.setdefault(name, own)
        if known != own and not (name in self.given or name in self.defined):
            raise NameError_(where, f"two different symbols that are written {name}", "one symbol for one name",
                             "the same assumptions everywhere: x = sp.Symbol('x', real=True)")
        return name

    def _find_sizes(self, where: str, expr: sp.Basic) -> None:
        found: set[sp.Symbol] = set()
        bound: set[sp.Basic] = set()
        for node in _nodes(where, expr):
            if isinstance(node, (sp.Sum, Product)):
                bound |= {t[0] for t in node.limits}
                found |= {s for t in node.limits for e in t[1:] for s in e.free_symbols}
            elif isinstance(node, sp.Idx):
                bound.add(node)
                bound.add(node.label)
                found |= {s for e in (node.lower, node.upper) if e is not None for s in e.free_symbols}
            elif isinstance(node, (sp.IndexedBase, sp.MatrixSymbol)):
                found |= {s for e in (node.shape or ()) for s in sp.sympify(e, strict=True).free_symbols}
            elif isinstance(node, sp.Symbol) and node.is_integer and node.is_positive:
                found.add(node)
        for s in found - bound:
            if isinstance(s, sp.Symbol):
                name = self.name(s, where)
                if name not in self.given:
                    self.sizes[name] = size(name)

    def _find_letters(self, where: str, expr: sp.Basic) -> None:
        """Indices without a sum around: they stand in places, and may stand in conditions and factors too."""
        bound = {t[0] for node in _nodes(where, expr) if isinstance(node, (sp.Sum, Product)) for t in node.limits}
        for node in _nodes(where, expr):
            if isinstance(node, (sp.Indexed, MatrixElement)):
                free = {s for place in node.indices for s in place.atoms(sp.Symbol, sp.Idx)} - bound
                names = {name_of(s, where) for s in free if all(getattr(b, "label", None) != s for b in bound)} - self.sizes.keys()
                self.letters |= dict.fromkeys(sorted(names))

    def scalar(self, own: sp.Symbol, where: str) -> str:
        """A symbol that is a number: its domain is what SymPy was told."""
        name = self.name(own, where)
        if name in self.given or name in self.tensors or name in self.sizes or name in self.defined:
            return name
        if own.is_integer:
            raise DomainError(where, f"{name}, a symbol for whole numbers", "an index of a sum, a positive size, or a real number",
                              f"sp.Symbol({name!r}, real=True)")
        self.tensors[name] = Tensor(name, (), domain_of(own, where), Role.INPUT)
        return name


def domain_of(own: Any, where: str) -> str:
    """The domain that SymPy's assumptions state. Raises DomainError for a symbol that is no real number."""
    if own.is_real is False or own.is_extended_real is False:
        raise DomainError(where, f"{own}, a symbol that is not real", "a real number", "sp.Symbol('x', real=True)")
    facts = (("positive", own.is_positive), ("nonnegative", own.is_nonnegative), ("negative", own.is_negative),
             ("nonzero", own.is_real and own.is_nonzero))
    return next((name for name, holds in facts if holds and name in DOMAINS), "real")


def _worked_out(where: str, expr: Any) -> sp.Basic:
    """``expr`` with derivatives and integrals worked out; a matrix of one entry is that entry."""
    made = expr._sympy_() if hasattr(expr, "_sympy_") else expr
    if isinstance(made, MatrixBase):
        if made.shape != (1, 1):
            raise ShapeError(where, f"a matrix of shape {made.shape}", "a single number", "M[0, 0], or a sum over its entries")
        made = made[0, 0]
    kinds = {type(node) for node in _nodes(where, made)}
    if kinds & {sp.re, sp.im, sp.conjugate, sp.arg, sp.Derivative, sp.Integral, sp.Subs, sp.Limit}:
        there = {s: sp.Dummy(s.name, real=True) for s in made.atoms(sp.Symbol) if s.is_real is None}  # SymPy's |x|' asks for re x
        try:
            made = made.xreplace(there).doit().xreplace({d: s for s, d in there.items()})
        except Exception:  # whatever SymPy's integrals and limits raise
            raise ParseError(where, "a derivative, integral or limit that SymPy does not work out", "what it is worked out") from None
    return made


def _nodes(where: str, expr: sp.Basic) -> Iterable[sp.Basic]:
    for k, node in enumerate(sp.preorder_traversal(expr)):
        if k > MOST_NODES:
            raise ParseError(where, "an expression that is too long", f"at most {MOST_NODES:,} parts", "lines for its parts: sp.Eq(z, …)")
        yield node


class _Shapes:
    """The axes of arrays: from their shapes, else from the places that are used."""

    def __init__(self, reader: SympyReader) -> None:
        self.reader = reader
        self.used: dict[str, list[list[Range]]] = {}  # for each array the ranges of its places, axis by axis
        self.where: dict[str, str] = {}

    def visit(self, where: str, expr: sp.Basic, scope: Mapping[sp.Symbol, Range]) -> None:
        if isinstance(expr, (sp.Sum, Product)):
            inner = dict(scope)
            for letter, low, high in reversed([_limits(where, t) for t in expr.limits]):
                inner[index(name_of(letter))] = (self._place(low, inner), self._place(high, inner))
            self.visit(where, expr.function, inner)
            return
        if isinstance(expr, sp.Indexed):
            self._entry(where, expr, scope)
        elif isinstance(expr, sp.MatrixSymbol):
            self._matrix(where, expr)
        for a in expr.args:
            self.visit(where, a, scope)

    def _matrix(self, where: str, own: sp.MatrixSymbol) -> None:
        name = self.reader.name(own, where)
        if name not in self.reader.given and name not in self.reader.tensors:
            axes = tuple(Axis.of(self._place(n, {})) for n in own.shape)
            self.reader.tensors[name] = Tensor(name, axes, "real", Role.INPUT)

    def _entry(self, where: str, entry: sp.Indexed, scope: Mapping[sp.Symbol, Range]) -> None:
        own = entry.base
        name = self.reader.name(own, where)
        if name in self.reader.given or name in self.reader.defined:
            return
        self.where.setdefault(name, where)
        here = {**scope, **{index(name_of(i)): (self._place(i.lower, {}), self._place(i.upper, {})) for i in entry.atoms(sp.Idx)
                            if i.lower is not None and index(name_of(i)) not in scope}}
        known = self.used.setdefault(name, [[] for _ in entry.indices])
        if len(known) != len(entry.indices):
            raise ShapeError(where, f"{own} with {len(entry.indices)} indices and with {len(known)}", "the same number everywhere")
        for axis, place in zip(known, entry.indices, strict=True):
            found = bounds(self._place(place, here), here)
            letters = {s for end in found or () for s in end.free_symbols if not s.is_positive}
            axis.append((sp.nan, sp.nan) if found is None or letters else found)

    def _place(self, expr: Any, scope: Mapping[sp.Symbol, Range]) -> sp.Expr:
        """An index or size expression in symnet's own symbols."""
        table = {}
        for s in expr.atoms(sp.Symbol, sp.Idx):
            name = name_of(s)
            table[s] = self.reader.sizes[name] if name in self.reader.sizes and index(name) not in scope else index(name)
        return sp.expand(expr.xreplace(table))

    def settle(self) -> None:
        for name, axes in self.used.items():
            own = self.reader.own[name]
            declared = own.shape or (None,) * len(axes)
            if len(declared) != len(axes):
                raise ShapeError(self.where[name], f"{own} with {len(axes)} indices", f"{len(declared)}, as its shape says")
            made = tuple(self._axis(name, k, None if n is None else self._place(sp.sympify(n, strict=True), {}), ranges)
                         for k, (n, ranges) in enumerate(zip(declared, axes, strict=True)))
            domain = domain_of(own.label, self.where[name]) if isinstance(own.label, sp.Symbol) else "real"
            self.reader.tensors[name] = Tensor(name, made, domain, Role.INPUT)

    def _axis(self, name: str, k: int, n: sp.Expr | None, ranges: list[Range]) -> Axis:
        shown = [r for r in ranges if r[0] is not sp.nan]
        if n is not None:
            from_one = any(at_most(n, high) for _, high in shown) or (bool(shown) and n == 1 and all(r[0] == 1 for r in shown))
            return Axis.of(n) if from_one else Axis.between(sp.S.Zero, n - 1, Axis.of(n).kind, str(n))
        try:
            low, high = _outermost([r[0] for r in shown], least=True), _outermost([r[1] for r in shown], least=False)
        except ValueError:
            low = high = None
        if low is None or high is None or len(shown) < len(ranges):
            raise ShapeError(self.where[name], f"{name}, whose axis {k + 1} has no size that can be told from its use",
                             "an array with a shape", f"sp.IndexedBase({name!r}, shape=(n,))")
        return Axis.of(high) if low == 1 else Axis.between(low, high, Axis.of(1).kind, str(high))


def _outermost(ends: list[sp.Expr], least: bool) -> sp.Expr | None:
    """The least or greatest of several ends, where that is shown."""
    for e in ends:
        if all(at_most(e, other) if least else at_most(other, e) for other in ends):
            return e
    return None


def stated(places: Iterable[sp.Basic]) -> tuple[Node, ...]:
    """The ranges that indices of a left side state, Idx("i", n) as 0..n-1: name, first and last of each."""
    found: list[Node] = []
    for i in places:
        if isinstance(i, sp.Idx) and i.lower is not None and i.upper is not None:
            found += [Node("name", name_of(i)), *(_Trees(SympyReader(), "range").tree(end) for end in (i.lower, i.upper))]
    return tuple(found)


def _limits(where: str, t: sp.Tuple) -> tuple[sp.Basic, sp.Expr, sp.Expr]:
    if len(t) == 3:
        return t[0], t[1], t[2]
    letter = t[0]
    if isinstance(letter, sp.Idx) and letter.lower is not None and letter.upper is not None:
        return letter, letter.lower, letter.upper
    raise ShapeError(where, f"a sum over {letter} without limits", "first and last place", f"sp.Sum(…, ({letter}, 1, n))")


def _binary(sign: str, parts: Sequence[Node]) -> Node:
    made = parts[0]
    for p in parts[1:]:
        made = Node("binary", sign, (made, p))
    return made


def _number(value: sp.Rational) -> Node:
    if value < 0:
        return Node("unary", "-", (_number(-value),))
    whole_number = Node("number", str(value.p))
    return whole_number if value.q == 1 else Node("binary", "/", (whole_number, Node("number", str(value.q))))


class _Trees:
    """The tree of one expression. ``scope`` maps letters of sums to their names, and the variables of functions to their trees."""

    def __init__(self, reader: SympyReader, where: str) -> None:
        self.reader, self.where = reader, where
        self.scope: dict[sp.Basic, Node] = {}
        self.known: dict[sp.Basic, Node] = {}

    def whole(self, expr: sp.Basic) -> Node:
        """The tree of an expression; a matrix of one entry is a number."""
        made = self.tree(expr)
        if isinstance(expr, sp.MatrixExpr) and expr.shape == (1, 1):
            return Node("call", "sum", (made,))
        return made

    def tree(self, expr: sp.Basic) -> Node:
        """The tree of a node."""
        if expr in self.scope:
            return self.scope[expr]
        if expr not in self.known:
            self.known[expr] = self._tree(expr)
        return self.known[expr]

    def _tree(self, expr: sp.Basic) -> Node:
        forms: tuple[tuple[Any, Callable[[Any], Node]], ...] = (  # the first that fits: SymPy's matrix sums are sums too
            (sp.Rational, _number), (sp.Float, self._float), (sp.Idx, lambda i: self._symbol(i.label)), (sp.Symbol, self._symbol),
            (sp.Indexed, self._indexed), (MatrixElement, self._element), (sp.MatrixExpr, self._matrix), ((sp.Sum, Product), self._over),
            (When, self._when), (sp.Piecewise, self._cases), (sp.Pow, self._power), (sp.Add, self._add), (sp.Mul, self._mul),
            (sp.KroneckerDelta, self._delta), (sp.Heaviside, self._heaviside), ((Det, sp.Determinant), self._determinant),
            (InverseEntry, self._inverse_entry), (sp.Trace, lambda t: Node("call", "trace", (self.tree(t.arg),))),
            ((*TABLE, *CALLED, sp.Function), self._function), (sp.And, lambda a: _binary("and", [self.tree(c) for c in a.args])))
        for kind, made in forms:
            if isinstance(expr, kind):
                return made(expr)
        sign = COMPARE.get(type(expr))
        if sign is not None:
            return Node("binary", sign, tuple(self.tree(a) for a in expr.args))
        if expr is sp.pi:
            return Node("constant", "pi")
        if expr is sp.E:
            return Node("call", "exp", (Node("number", "1"),))
        if expr.is_number and expr.is_real and not expr.free_symbols and expr.func in (type(sp.GoldenRatio), type(sp.sqrt(2))):
            return self.tree(expr.rewrite(sp.sqrt))
        return self._refused(expr)

    def _refused(self, expr: sp.Basic) -> Node:
        what = type(expr).__name__ if expr.args else str(expr)
        raise ParseError(self.where, f"{what[:40]} in a SymPy expression",
                         "real numbers, sums over indices, matrices and functions that symnet knows",
                         "sp.I, undefined functions and unevaluated integrals have no place in a network")

    def _float(self, value: sp.Float) -> Node:
        if not value.is_finite:
            return self._refused(value)
        if value < 0:
            return Node("unary", "-", (self._float(-value),))
        return Node("number", str(value))  # the decimal that it prints as

    def _symbol(self, own: sp.Symbol) -> Node:
        name = name_of(own, self.where)
        if name in self.reader.letters and name not in self.reader.tensors:
            return Node("name", name)
        return Node("name", self.reader.name(own, self.where) if name in self.reader.sizes else self.reader.scalar(own, self.where))

    def _indexed(self, entry: sp.Indexed) -> Node:
        name = self.reader.name(entry.base, self.where)
        return Node("index", "[]", (Node("name", name), *(self._place(i) for i in entry.indices)))

    def _place(self, place: sp.Basic) -> Node:
        """An index: letters without a sum around are those of the left side."""
        letters = [s for s in place.atoms(sp.Symbol, sp.Idx) if s not in self.scope and name_of(s) not in self.reader.sizes]
        free = {s: Node("name", name_of(s)) for s in sorted(letters, key=str)}
        self.scope |= free
        try:
            return self.tree(place)
        finally:
            for s in free:
                del self.scope[s]

    def _element(self, entry: MatrixElement) -> Node:
        if not isinstance(entry.parent, sp.MatrixSymbol):
            return self._entry_of(self.tree(entry.parent), [self._place(i + 1) for i in entry.indices])
        name = self.reader.name(entry.parent, self.where)
        return Node("index", "[]", (Node("name", name), *(self._place(sp.expand(i + 1)) for i in entry.indices)))

    def _entry_of(self, base: Node, places: list[Node]) -> Node:
        if base.kind not in ("name", "attribute", "call"):
            raise ParseError(self.where, "an entry of a product of matrices", "the entry worked out: (A*B)[i, j].doit()")
        return Node("index", "[]", (base, *places))

    def _over(self, total: sp.Sum | sp.Product) -> Node:
        """A sum or product over indices."""
        saved, known = dict(self.scope), self.known
        self.known = {}
        triples: list[Node] = []
        for letter, low, high in reversed([_limits(self.where, t) for t in total.limits]):
            ends = (self._place(low), self._place(high))
            name = Node("name", self._letter(letter))
            self.scope[letter] = name
            triples += [name, *ends]
        body = self.tree(total.function)
        self.scope, self.known = saved, known
        return Node("sum", "sum" if isinstance(total, sp.Sum) else "prod", (body, *triples))

    def _letter(self, letter: Any) -> str:
        """The name of an index, another one where a tensor, a size or a sum around has it."""
        name = name_of(letter)
        taken = {*self.reader.tensors, *self.reader.given, *self.reader.sizes, *self.reader.defined, *(n.text for n in self.scope.values())}
        return next(n for n in (name, *(f"{name}_{k}" for k in range(1, 1000))) if n not in taken)

    def _when(self, bracket: When) -> Node:
        return Node("cond", "if", (self.tree(bracket.body), self._place(bracket.condition), Node("number", "0")))

    def _delta(self, delta: sp.KroneckerDelta) -> Node:
        one, zero = Node("number", "1"), Node("number", "0")
        return Node("cond", "if", (one, Node("binary", "==", (self._place(delta.args[0]), self._place(delta.args[1]))), zero))

    def _cases(self, cases: sp.Piecewise) -> Node:
        *first, (last, otherwise) = cases.args
        if otherwise is not sp.true:
            raise ParseError(self.where, "a Piecewise without a last case", "(…, True) at its end: what holds elsewhere")
        made = self.tree(last)
        for branch, condition in reversed(first):
            made = self._chosen(self.tree(branch), condition, made)
        return made

    def _chosen(self, yes: Node, condition: sp.Basic, no: Node) -> Node:
        """yes if condition else no; plain maths has "and" alone, so that "or" and "not" become cases in cases."""
        if isinstance(condition, sp.Or):
            for part in condition.args:
                no = self._chosen(yes, part, no)
            return no
        if isinstance(condition, sp.Not):
            return self._chosen(no, condition.args[0], yes)
        if isinstance(condition, sp.And) and any(isinstance(c, (sp.Or, sp.Not)) for c in condition.args):
            for part in condition.args:
                yes = self._chosen(yes, part, no)
            return yes
        return Node("cond", "if", (yes, self.tree(condition), no))

    def _add(self, expr: sp.Add) -> Node:
        made: Node | None = None
        for term in expr.args if not expr.args[0].could_extract_minus_sign() else (*expr.args[1:], expr.args[0]):
            minus = made is not None and term.is_Mul and term.args[0].is_Number and term.args[0] < 0
            part = self.tree(sp.Mul(-term.args[0], *term.args[1:], evaluate=False) if minus and term.args[0] != -1 else
                             sp.Mul(*term.args[1:], evaluate=False) if minus else term)
            made = part if made is None else Node("binary", "-" if minus else "+", (made, part))
        assert made is not None
        return made

    def _mul(self, expr: sp.Mul) -> Node:
        above: list[Node] = []
        below: list[Node] = []
        sign = False
        for f in expr.args:
            if f == -1:
                sign = not sign
            elif f.is_Rational and f.q != 1:
                sign = sign ^ bool(f < 0)
                above += [Node("number", str(abs(f.p)))] if abs(f.p) != 1 else []
                below.append(Node("number", str(f.q)))
            elif f.is_Pow and f.exp.is_Rational and f.exp < 0 and f.base is not sp.E:
                below.append(self.tree(sp.Pow(f.base, -f.exp, evaluate=False) if f.exp != -1 else f.base))
            else:
                above.append(self.tree(f))
        made = _binary("*", above) if above else Node("number", "1")
        for f in below:
            made = Node("binary", "/", (made, f))
        return Node("unary", "-", (made,)) if sign else made

    def _power(self, power: sp.Pow) -> Node:
        base, exponent = power.args
        if base is sp.E:
            return Node("call", "exp", (self.tree(exponent),))
        if exponent == sp.Rational(1, 2):
            return Node("call", "sqrt", (self.tree(base),))
        if exponent.is_Rational and exponent < 0:
            below = base if exponent == -1 else sp.Pow(base, -exponent, evaluate=False)
            return Node("binary", "/", (Node("number", "1"), self.tree(below)))
        return Node("binary", "**", (self.tree(base), self.tree(exponent)))

    def _heaviside(self, expr: sp.Heaviside) -> Node:
        """[z > 0], and at 0 what its second argument says: 1/2 unless stated."""
        z = self.tree(expr.args[0])
        at_zero = self.tree(expr.args[1]) if len(expr.args) > 1 else _number(sp.Rational(1, 2))
        zero, one = Node("number", "0"), Node("number", "1")
        rest = Node("cond", "if", (at_zero, Node("binary", "==", (z, zero)), zero))
        return Node("cond", "if", (one, Node("binary", ">", (z, zero)), rest))

    def _function(self, expr: sp.Expr) -> Node:
        if expr.func in REWRITTEN:
            made = expr.rewrite(REWRITTEN[expr.func])
            return self._refused(expr) if made.has(expr.func) else self.tree(made)
        if expr.func in CALLED:
            return Node("call", CALLED[expr.func], tuple(self.tree(a) for a in expr.args))
        row = TABLE.get(expr.func)
        if row is None:
            return self._refused(expr)
        args = [self.tree(a) for a in expr.args]
        if isinstance(expr, (sp.Max, sp.Min)):
            made = args[0]
            for a in args[1:]:
                made = Node("call", row.name, (made, a))
            return made
        return Node("call", row.name, tuple(args))

    def _determinant(self, expr: Any) -> Node:
        return Node("call", "det", (self.tree(expr.arg) if isinstance(expr, sp.Determinant) else self._named(expr.matrix),))

    def _inverse_entry(self, expr: InverseEntry) -> Node:
        return Node("index", "[]", (Node("call", "inv", (self._named(expr.matrix),)), *(self._place(p) for p in expr.places)))

    def _named(self, matrix: Any) -> Node:
        found = whole(matrix) if not hasattr(matrix, "count") else None
        if found is None or len(found[0].indices) != 2:
            raise ParseError(self.where, "a determinant or inverse of what has no name", "a matrix by its name")
        name = Node("name", self.reader.name(found[0].base, self.where))
        return Node("attribute", "T", (name,)) if found[1] else name

    def _matrix(self, expr: sp.MatrixExpr) -> Node:
        if isinstance(expr, sp.MatrixSymbol):
            return Node("name", self.reader.name(expr, self.where))
        if isinstance(expr, sp.MatAdd):
            return _binary("+", [self.tree(a) for a in expr.args])
        if isinstance(expr, sp.MatMul):
            numbers, matrices = [a for a in expr.args if not a.is_Matrix], [a for a in expr.args if a.is_Matrix]
            return _binary("*", [*map(self.tree, numbers), _binary("@", [self.tree(a) for a in matrices])])
        if isinstance(expr, sp.Transpose):
            return Node("attribute", "T", (self.tree(expr.arg),))
        if isinstance(expr, sp.Inverse):
            return Node("call", "inv", (self.tree(expr.arg),))
        if isinstance(expr, sp.Identity):
            return Node("call", "eye", (self._place(expr.shape[0]),))
        if isinstance(expr, sp.MatPow) and expr.shape == (1, 1):
            return Node("binary", "**", (Node("call", "sum", (self.tree(expr.base),)), self.tree(expr.exp)))
        if isinstance(expr, sp.MatPow) and expr.exp.is_Integer and 0 < abs(expr.exp) <= 24:
            base = self.tree(expr.base) if expr.exp > 0 else Node("call", "inv", (self.tree(expr.base),))
            return _binary("@", [base] * abs(int(expr.exp)))
        if isinstance(expr, sp.HadamardProduct):
            return _binary("*", [self.tree(a) for a in expr.args])
        if isinstance(expr, ElementwiseApplyFunction):
            variable = expr.function.variables[0]
            inner = self.tree(expr.expr)
            known, self.known = self.known, {}
            self.scope[variable] = inner
            made = self.tree(expr.function.expr)
            del self.scope[variable]
            self.known = known
            return made
        if isinstance(expr, sp.KroneckerProduct):
            made = self.tree(expr.args[0])
            for a in expr.args[1:]:
                made = Node("call", "kron", (made, self.tree(a)))
            return made
        return self._refused(expr)
