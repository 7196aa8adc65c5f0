"""From an expression to its index normal form, and where it may be undefined.

A hole is a divisor, a radicand or the argument of a logarithm together with the ranges of the indices it stands under: the
expression is undefined where for some places the divisor is 0. Two expressions with the same holes are undefined at the same
points. u <= 0 is taken apart as u < 0 and u = 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache

import sympy as sp

from symnet.core.axes import Range
from symnet.core.expressions import Limits, When, limits, substitute, total
from symnet.core.functions import TABLE, relu
from symnet.core.matrices import Det, InverseEntry
from symnet.core.number_sets import numbers_of
from symnet.core.program import Definition
from symnet.core.structures import MIRRORED, structure_of
from symnet.core.tensors import tensor_name
from symnet.equality.basis_forms import by_row
from symnet.equality.fractions import TooLarge
from symnet.equality.sums.function_atoms import Algebra
from symnet.equality.sums.index_conditions import read_condition
from symnet.equality.sums.matrix_atoms import determinant, inverse_entry, without_factor
from symnet.equality.sums.plain_signs import sign_of
from symnet.equality.sums.terms import COLUMN, ROW, Condition, Places, Poly, add_to, one, ordered, scaled
from symnet.errors import UnknownNodeError

Key = tuple[str, object]  # a hole: its sign, and what is asked about in normal form
# lines to write out, and True for those that are defined wherever the question is asked
Opened = Mapping[str, tuple[tuple[Definition, ...], bool]]
MOST_PARTS = 4000
SIGNS = {sp.Eq: "=", sp.Ne: "!=", sp.Gt: ">", sp.Lt: ">", sp.Ge: ">=", sp.Le: ">="}


class Reader:
    """Reads the expressions of one comparison into one Algebra."""

    def __init__(self, space: Algebra, opened: Opened | None = None) -> None:
        self.space = space
        self.opened = dict(opened or {})
        self.silent = False  # inside a line that is given, whose holes are given too
        self._templates: dict[str, Poly] = {}
        self.said: dict[Key, tuple[sp.Expr, str]] = {}  # each hole as it stood, with its indices by letters
        self.known: dict[sp.Basic, Poly] = {}
        self.ranges: dict[sp.Symbol, Range] = dict(space.ranges)

    @property
    def holes(self) -> set[Key]:
        """Where what was read may be undefined."""
        return set(self.said)

    def read(self, expr: sp.Basic) -> Poly:
        """The normal form of an expression."""
        if expr not in self.known:
            if len(self.known) > MOST_PARTS:
                raise TooLarge(f"more than {MOST_PARTS} parts")
            self.known[expr] = self._read(expr)
        return self.known[expr]

    def _read(self, expr: sp.Basic) -> Poly:
        space = self.space
        if isinstance(expr, sp.Rational):
            return scaled(one(), Fraction(int(expr.p), int(expr.q)))
        if isinstance(expr, sp.Symbol):
            return space.index_value(expr) if expr.is_integer else self._entry(expr.name, (), expr)
        if isinstance(expr, sp.Indexed):
            return self._entry(expr.base.label.name, tuple(i if i.is_Symbol else sp.expand(i) for i in expr.indices), expr)
        if isinstance(expr, sp.Add):
            found: Poly = {}
            for arg in expr.args:
                add_to(found, self.read(arg))
            return found
        if isinstance(expr, sp.Mul):
            result = one()
            for arg in expr.args:
                result = space.multiply(result, self.read(arg))
            return result
        if isinstance(expr, sp.Pow):
            return self._power(expr.base, expr.exp)
        return self._node(expr)

    def _entry(self, name: str, places: Places, entry: sp.Expr) -> Poly:
        """An entry as an atom, or written out where its name is opened."""
        if name in self.opened:
            definitions, given = self.opened[name]
            if name not in self._templates:
                del self.opened[name]  # a line that uses itself at another place is opened once
                before, self.silent = self.silent, self.silent or given
                self._templates[name] = self._template(definitions)
                self.opened[name], self.silent = (definitions, given), before
            return self.space.put(self._templates[name], {_place(k): p for k, p in enumerate(places)})
        self.space.real &= bool(entry.is_extended_real)
        known = self.space.signs.get(name)
        positive, nonnegative = bool(entry.is_positive) or known == "positive", bool(entry.is_nonnegative) or known is not None
        structure = structure_of(entry)
        symmetry = ((1, 0),) if structure in MIRRORED else self.space.symmetric.get(name, ())
        head, _ = self.space.head("entry", f"{name}[{len(places)}]", (), symmetry, positive, nonnegative=nonnegative,
                                  numbers=numbers_of(entry), structure=structure)
        if structure == "diagonal":
            return self.space.bind(self.space.atom((head, (places[0], places[0]))), (), [("=", sp.expand(places[0] - places[1]))])
        return self.space.atom((head, places))

    def _template(self, definitions: tuple[Definition, ...]) -> Poly:
        """The right side at places _p0, _p1, …; of a tensor defined slice by slice, each slice under its bracket."""
        found: Poly = {}
        for d in definitions:
            free = d.free
            there = {i: _place(k) for k, i in enumerate(d.indices) if i in free}
            self.ranges |= {there[i]: free[i] for i in there}
            where: list[Condition] = []
            for k, i in enumerate(d.indices if len(definitions) > 1 else ()):
                low, high = free.get(i, (i, i))
                if (low, high) != d.target.axes[k].range:
                    where += [("=", _place(k) - low)] if low == high else [(">=", _place(k) - low), (">=", high - _place(k))]
            add_to(found, self.space.bind(self.read(d.expr.xreplace(there)), (), where))
        return found

    def _node(self, expr: sp.Basic) -> Poly:
        space = self.space
        if isinstance(expr, sp.exp) or expr is sp.E:
            return space.exp(one() if expr is sp.E else self.read(expr.args[0]))
        if isinstance(expr, sp.log):
            inside = self.read(expr.args[0])
            self.hole("<=", inside, expr.args[0])
            return space.log(inside)
        if isinstance(expr, sp.Sum):
            return self._sum(expr)
        if isinstance(expr, When):
            return space.bind(self.read(expr.body), (), read_condition(expr.condition))
        if isinstance(expr, (Det, InverseEntry)):
            return self._matrix(expr)
        if isinstance(expr, (sp.Max, sp.Min)):
            return self._extremum(expr)
        if isinstance(expr, sp.Piecewise):
            return self._cases(expr)
        if expr is sp.pi:
            return space.atom((space.head("number", "pi", positive=True)[0], ()))
        row = TABLE.get(expr.func)
        if row is None:
            raise UnknownNodeError("equality", f"no rule for {expr.func.__name__}", "an expression of the program language")
        if isinstance(expr, (relu, sp.Abs)) and space.nonnegative(inside := self.read(expr.args[0])):
            return inside
        if row.in_exp is not None:
            for arg in expr.args:
                self.read(arg)  # notes where it is undefined: exp(log x), which is in softplus(log x), SymPy makes x
            return self.read(by_row(expr, expr.args))
        return space.function(row.name, tuple(map(self.read, expr.args)))

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> Poly:
        inside = self.read(base)
        if exponent.is_Rational:
            if not exponent.is_Integer:
                self.hole("<" if exponent > 0 else "<=", inside, base)
            elif exponent < 0:
                self.hole("=", inside, base)
            return self.space.raised(inside, Fraction(int(exponent.p), int(exponent.q)))
        if not self.space.positive(inside):
            raise TooLarge(f"a power with the exponent {exponent}")
        return self.space.exp(self.space.multiply(self.read(exponent), self.space.log(inside)))

    def _matrix(self, expr: Det | InverseEntry) -> Poly:
        """A determinant, or an entry of an inverse."""
        space = self.space
        if not hasattr(expr.matrix, "limits"):
            raise TooLarge("a matrix that is written out")
        (r, low, high), (c, left, _) = limits(expr.matrix)
        size = sp.expand(high - low + 1)
        entry = expr.matrix.function
        whole = structure_of(entry) if isinstance(entry, sp.Indexed) and entry.indices in ((r, c), (c, r)) and low == left else ""
        if isinstance(expr, InverseEntry) and whole == "orthogonal" and space.spans.get(tensor_name(entry)) == (low, high):
            i, j = expr.places
            return self.read(entry.base[j, i] if entry.indices == (r, c) else entry.base[i, j])
        row, column = space.fresh(), space.fresh()
        for i in (row, column):
            space.ranges[i] = self.ranges[i] = (sp.S.One, size)
        body = self.read(substitute(expr.matrix.function, {r: row + low - 1, c: column + left - 1}))
        inner = space.put(body, {row: ROW, column: COLUMN})
        if isinstance(expr, Det):
            return space.atom(determinant(space, inner, size))
        if whole != "positive definite":
            self.vanishing(space.atom(determinant(space, without_factor(space, inner)[1], size)), _called(expr.matrix.function))
        i, j = expr.places
        return inverse_entry(space, inner, size, sp.expand(i - low + 1), sp.expand(j - left + 1))

    def _sum(self, expr: sp.Sum) -> Poly:
        """Σ, the outermost index first, with every range moved to start at 1."""
        *inner, (i, low, high) = limits(expr)
        new, last = self.space.fresh(), sp.expand(high - low + 1)
        self.space.ranges[new] = self.ranges[new] = (sp.S.One, last)
        body = substitute(total(expr.function, tuple(inner)), {i: sp.expand(new + low - 1)})
        return self.space.bind(self.read(body), [(new, sp.S.One, last)])

    def _extremum(self, expr: sp.Expr) -> Poly:
        """max(a, b) = b + (a - b) step(a - b), written so that its leading number is positive; min(a, b) = a + b - max(a, b)."""
        *rest, last = expr.args
        b = self.read(last)
        a = self.read(rest[0]) if len(rest) == 1 else self.read(expr.func(*rest))
        gap = dict(a)
        add_to(gap, b, Fraction(-1))
        if not gap or self.space.nonnegative(gap):
            return a if isinstance(expr, sp.Max) else b
        if self.space.nonnegative(scaled(gap, Fraction(-1))):
            return b if isinstance(expr, sp.Max) else a
        if gap[max(gap, key=lambda t: t.text)] < 0:
            a, b, gap = b, a, scaled(gap, Fraction(-1))
        top = dict(b)
        add_to(top, self.space.multiply(gap, self.space.function("step", (gap,))))
        if isinstance(expr, sp.Max):
            return top
        total = dict(a)
        add_to(total, b)
        add_to(total, top, Fraction(-1))
        return total

    def _cases(self, expr: sp.Piecewise) -> Poly:
        """Cases as one function of its branches and of what its conditions compare."""
        shape: list[str] = []
        polys: list[Poly] = []
        for branch, condition in expr.args:
            polys.append(self.read(branch))
            shape.append(self._condition(condition, polys))
        if not self._settled(polys):
            raise TooLarge("cases that are undefined in places")
        return self.space.function("cases " + ";".join(shape), tuple(polys))

    @staticmethod
    def _settled(polys: list[Poly]) -> bool:
        return all(e > 0 and h.kind not in ("inverse", "root", "log") for p in polys for t in p for (h, _), e in t.factors)

    def _condition(self, condition: sp.Basic, polys: list[Poly]) -> str:
        if condition in (sp.true, sp.false):
            return str(condition)
        if isinstance(condition, (sp.And, sp.Or, sp.Not)):
            inner = [self._condition(c, polys) for c in sorted(condition.args, key=sp.default_sort_key)]
            return f"{condition.func.__name__}({','.join(inner)})"
        sign = SIGNS.get(condition.func)
        if sign is None:
            raise UnknownNodeError("equality", f"no rule for {type(condition).__name__} in cases", "a comparison")
        turned = isinstance(condition, (sp.Lt, sp.Le))
        polys.append(self.read(condition.rhs - condition.lhs if turned else condition.lhs - condition.rhs))
        return sign

    def hole(self, sign: str, inside: Poly, expr: sp.Expr) -> None:
        """Note where something is undefined, unless it is shown never to be there."""
        if self.silent:
            return
        if isinstance(expr, sp.Abs) and sign != "<":  # |u| <= 0 where u = 0
            return self.hole("=", self.read(expr.args[0]), expr.args[0])
        space, plain = self.space, sign_of(expr, self.space.signs)
        if plain == "positive" or space.positive(inside):
            return
        if not inside:
            raise ZeroDivisionError
        over = [(i, *self.ranges[i]) for i in sorted(expr.free_symbols & self.ranges.keys(), key=str)]
        plainly = expr.xreplace(self.letters(over)), sign
        if sign != "<":
            for key in self._divisors(inside):
                self.said.setdefault(key, plainly)
        if sign != "=" and not plain and not space.nonnegative(inside):
            _, rest = space.content(inside, lambda a: a[0].positive)
            (inner,), places, _ = space.abstract((rest,))
            size = abs(min((t.text, c) for t, c in inner.items())[1])
            self.said.setdefault(("<", (ordered(scaled(inner, 1 / size)), self._spans(places))), plainly)

    def vanishing(self, poly: Poly, called: sp.Expr) -> None:
        """Note that nothing is defined where ``poly`` is 0."""
        if not self.silent:
            self.said |= dict.fromkeys(self._divisors(poly), (called, "="))

    def _divisors(self, inside: Poly) -> set[Key]:
        """u = 0, factor by factor."""
        space = self.space
        factors, rest = space.content(inside, lambda a: a[0].kind != "step")
        parts = [space.inside(h, places) if h.kind == "root" else space.atom((h, places)) for (h, places), e in factors.items()
                 if not h.positive and e > 0 and h.kind != "inverse" and sp.S.Zero in h.numbers]
        if not (len(rest) == 1 and next(iter(rest)).text == ""):
            parts.append(rest)
        return {("=", self._zeros(p)) for p in parts if not space.positive(p) and not space.positive(scaled(p, Fraction(-1)))}

    @staticmethod
    def letters(over: Iterable[Limits]) -> dict[sp.Symbol, sp.Symbol]:
        """Letters that a reader knows for indices, i, j, …: the last axis has the last letter."""
        return {i: sp.Symbol(letter, integer=True) for (i, _, _), letter in zip(over, "ijklmnpqrstuvw", strict=False)}

    def _zeros(self, poly: Poly) -> object:
        (inner,), places, _ = self.space.abstract((poly,))
        first = inner[max(inner, key=lambda t: t.text)]
        return ordered(scaled(inner, 1 / first)), self._spans(places)

    def _spans(self, places: tuple[sp.Expr, ...]) -> tuple[str, ...]:
        return tuple(str(self.ranges.get(p, p)) for p in places)


@cache
def _place(k: int) -> sp.Symbol:
    return sp.Symbol(f"_p{k}", integer=True)


def _called(entry: sp.Expr) -> sp.Symbol:
    """det(A), for a message."""
    return sp.Symbol(f"det({entry.base.label})" if isinstance(entry, sp.Indexed) else "the determinant")
