"""One basis for elementary functions: everything is a fraction over generators that are as independent as we can make them.

sigmoid, tanh, cosh, softplus, … become exp and log; exp(c·m) becomes a power of exp(m/q), sin and cos of sums are added out (``circle``),
logs and powers are taken apart along the irreducible factors of what they are of (``logs``, ``powers``); what has no rule is a
generator keyed by the normal form of its argument. Each rewriting is an identity on the whole domain of the
expression, so a difference whose normal form is 0 is 0 wherever both sides are defined. Source for the exponentials:
Risch (1979), structure theorem: exp of Q-independent arguments are independent.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

import sympy as sp

from symnet.core.expressions import Nabla
from symnet.core.functions import TABLE
from symnet.core.number_sets import REAL, NumberSet, numbers_of
from symnet.equality.basis_forms import by_row, in_exp
from symnet.equality.domain_conditions import surely_defined
from symnet.equality.fractions import Fraction, Ring
from symnet.equality.generators import Generators, Rule, Signs
from symnet.equality.rules import exponentials, heaviside, logarithms, opaque_functions, trigonometric
from symnet.equality.rules.exponentials import WAVES, is_exp, study
from symnet.equality.rules.generator_relations import reduced
from symnet.equality.rules.linear_relations import Exponents, Rests, Terms
from symnet.equality.rules.opaque_functions import atom, power_apart
from symnet.equality.rules.opaque_sums import stem, stems_of
from symnet.equality.rules.radicals import with_radicands
from symnet.equality.rules.rational_powers import power
from symnet.equality.signs import Known

__all__ = ["Basis", "in_exp", "surely_defined"]
MOST_SURVEYS = 4


class Basis(Generators):
    """The generators met so far. ``flat`` rewrites an expression over them; one Basis serves one comparison."""

    def __init__(self, waves: bool = False, stems: bool = False) -> None:
        self.keys: dict[tuple[Any, ...], sp.Symbol] = {}  # never texts: two different symbols may print alike
        self.kinds, self.meaning, self.steps = {}, {}, set()
        self.roots, self.circles, self.logs, self.sizes = {}, {}, {}, {}
        self.exponents, self.rests, self.known = Exponents(), Rests(), Known(self)
        self.units, self.angles, self.degrees, self.waving = {}, {}, {}, set()
        self.waves = waves  # may sigmoid(u) be a generator instead of exp(u)? Networks stay far shorter with it
        self.stems = set() if stems else None
        self._written: dict[sp.Basic, sp.Basic | None] = {}  # what was worked out before; an expression repeats its parts often
        self._flat: dict[sp.Basic, sp.Expr] = {}
        self._terms: dict[sp.Expr, Terms] = {}
        self._real: dict[sp.Basic, bool] = {}

    def generator(self, kind: str, key: Any, meaning: sp.Expr) -> sp.Symbol:
        """The symbol for one kind of atom with one normalized argument."""
        name = (kind, key)
        if name not in self.keys:
            symbol = sp.Symbol(f"g{len(self.keys):03d}_")
            self.keys[name], self.kinds[symbol], self.meaning[symbol] = symbol, name, meaning
        return self.keys[name]

    def survey(self, *sides: sp.Expr) -> None:
        """First pass: learn with which numbers each monomial stands under exp, so that all become whole powers.

        Inner functions first: what stands in an exp is in final form before the exp itself is looked at. Roots, logs and angles may
        teach more (sqrt(exp x) is exp(x/2)), so with them the pass is repeated until it teaches nothing new.
        """
        levels: dict[sp.Basic, int] = {}
        for side in sides:
            self._level(side, levels)
        self.forget()
        if self.stems is not None:
            self.stems |= stems_of(levels)
        nodes = sorted((n for n in levels if _teaches(n) or (self.waves and isinstance(n, WAVES))), key=lambda n: levels[n])
        for _ in range(MOST_SURVEYS):
            before = self.units.copy(), self.angles.copy(), self.degrees.copy()
            for _, group in groupby(nodes, key=lambda n: levels[n]):
                study(self, list(group))
            if before == (self.units, self.angles, self.degrees) or all(is_exp(n) or isinstance(n, WAVES) for n in nodes):
                return
            self.forget()

    def forget(self, forms: bool = False) -> None:
        """Drop what was worked out with less knowledge; of signs, too, with ``forms``."""
        if forms:
            self._written.clear()
        self._flat.clear()
        self._terms.clear()

    def _level(self, node: sp.Basic, levels: dict[sp.Basic, int]) -> int:
        """How many exps, logs, roots, sines stand in one another in ``node``; every part is noted in ``levels``."""
        if node not in levels:
            form = self._form(node)
            inner = max((self._level(a, levels) for a in (node.args if form is None else (form,))), default=0)
            levels[node] = inner + 1 if _teaches(node) else inner
        return levels[node]

    def _form(self, node: sp.Basic) -> sp.Expr | None:
        """sigmoid, tanh, softplus, relu, … written with exp, log and step, p**y as exp(y log p); None for anything else."""
        if node not in self._written:
            row = TABLE.get(node.func)
            if row is not None and row.in_exp is not None:
                self._written[node] = by_row(node, node.args)
            elif isinstance(node, sp.Pow) and not isinstance(node.exp, sp.Rational) and self.known.positive(node.base):
                self._written[node] = sp.exp(node.exp * sp.log(node.base, evaluate=False), evaluate=False)
            else:
                self._written[node] = None
        return self._written[node]

    def real(self, expr: sp.Basic) -> bool:
        """True when every symbol and entry in ``expr`` stands for a real number."""
        if expr not in self._real:
            if isinstance(expr, (sp.Symbol, sp.Indexed)):
                self._real[expr] = self.real(self.meaning[expr]) if expr in self.meaning else bool(expr.is_extended_real)
            else:
                self._real[expr] = isinstance(expr, Nabla) or (expr is not sp.I and all(map(self.real, expr.args)))
        return self._real[expr]

    def monomials(self, argument: sp.Expr) -> Terms:
        """A normalized argument as Σ rational · monomial; what is left of a fraction after division is told by ``rests``."""
        if argument not in self._terms:
            self._terms[argument] = self._split(argument)
        return self._terms[argument]

    def _split(self, argument: sp.Expr) -> Terms:
        ring, value = self.normal(argument)
        lead = value.below.leading_coefficient()
        whole, rest = divmod(value.above / lead, value.below / lead)  # exp(log u + v/w) is u exp(v/w)
        found = [term.as_coeff_Mul() for term in sp.Add.make_args(ring.back(whole)) if term != 0]
        if rest != 0:
            size = rest.leading_coefficient()
            fraction = ring.back(rest / size) / ring.back(value.below / lead)
            found += self.rests.combination(sp.Rational(int(size.p), int(size.q)), fraction)
        return found

    def normal(self, expr: sp.Expr) -> tuple[Ring, Fraction]:
        """The reduced fraction of ``expr`` and the ring it lives in."""
        parts: dict[sp.Expr, sp.Expr] = {}
        symbols: set[sp.Symbol] = set()
        self._gather(expr, parts, symbols, set())
        symbols = with_radicands(symbols, self.roots)
        ring, known = Ring(symbols | {self.circles[s] for s in symbols & self.circles.keys()}), dict[sp.Expr, Fraction]()
        for part, form in parts.items():
            known[part] = ring.fraction(form, known)
        members = {s: found for s in ring.symbols if (found := self.numbers(s).members)}
        return ring, reduced(ring, ring.fraction(expr, known), self.roots, self.circles, self.steps, members)

    def numbers(self, symbol: sp.Symbol) -> NumberSet:
        """The numbers that a symbol may be, or a generator that stands for an entry; all real ones for other generators."""
        if symbol not in self.kinds:
            return numbers_of(symbol)
        return numbers_of(self.meaning[symbol]) if self.kinds[symbol][0] == "entry" else REAL

    def _gather(self, expr: sp.Expr, parts: dict[sp.Expr, sp.Expr], symbols: set[sp.Symbol], seen: set[sp.Expr]) -> None:
        """Each part of ``expr`` that is no sum, product or whole power, with what it is in generators and parts before it."""
        if expr in seen or isinstance(expr, sp.Rational):
            return
        seen.add(expr)
        form = self._form(expr)
        if self.stems and expr in self.stems:
            parts[expr] = self.flat(expr)
            symbols |= parts[expr].free_symbols
        elif form is not None:
            self._gather(form, parts, symbols, seen)
            parts[expr] = form
        elif isinstance(expr, (sp.Add, sp.Mul)) or (isinstance(expr, sp.Pow) and expr.exp.is_Integer):
            for arg in expr.args:
                self._gather(arg, parts, symbols, seen)
        else:
            parts[expr] = self.flat(expr)
            symbols |= parts[expr].free_symbols

    def key(self, expr: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """The reduced fraction of an argument, scaled so that two equal arguments share it."""
        ring, value = self.normal(expr)
        lead = value.below.leading_coefficient()
        return ring.back(value.above / lead), ring.back(value.below / lead)

    def spelled(self, expr: sp.Expr) -> sp.Expr:
        """``expr`` with every generator replaced by what it stands for."""
        while expr.free_symbols & self.meaning.keys():
            expr = expr.xreplace(self.meaning)
        return expr

    def flat(self, expr: sp.Expr) -> sp.Expr:
        """``expr`` with every atom replaced by its generator; only + · and whole powers are left."""
        if isinstance(expr, (sp.Rational, sp.Symbol)):
            return expr
        if expr not in self._flat:
            self._flat[expr] = self._flatten(expr)
        return self._flat[expr]

    def _flatten(self, expr: sp.Expr) -> sp.Expr:
        form = self._form(expr)
        if form is not None:
            return self.flat(form)
        if self.stems and expr in self.stems:
            return stem(self, expr)
        if isinstance(expr, (sp.Add, sp.Mul)):
            return expr.func(*[self.flat(a) for a in expr.args])
        rule = RULES.get(type(expr))
        return atom(self, expr) if rule is None else rule.function(self, expr)

    def signs_of(self, factor: sp.Expr) -> Signs:
        return self.known.of(factor)


def whole(expr: sp.Expr) -> bool:
    """True for whole numbers: sums and products of integers, sizes and classes."""
    if isinstance(expr, (sp.Add, sp.Mul)):
        return all(map(whole, expr.args))
    if isinstance(expr, sp.Pow):
        return bool(expr.exp.is_Integer and expr.exp > 0) and whole(expr.base)
    return bool(expr.is_integer or (isinstance(expr, (sp.Symbol, sp.Indexed)) and expr.is_rational and expr.is_nonnegative))


def _power(basis: Generators, node: sp.Pow) -> sp.Expr:
    if node.exp.is_Integer:
        return basis.flat(node.base) ** node.exp
    return power(basis, node.base, node.exp) if isinstance(node.exp, sp.Rational) else power_apart(basis, node)


def _floor(basis: Generators, node: sp.floor) -> sp.Expr:
    return basis.flat(node.args[0]) if whole(node.args[0]) else atom(basis, node)


RULES: dict[type[sp.Basic], Rule] = {rule.head: rule for rule in (
    *exponentials.RULES, *logarithms.RULES, *trigonometric.RULES, *heaviside.RULES, *opaque_functions.RULES,
    Rule(sp.Pow, _power), Rule(sp.floor, _floor))}


def _teaches(node: sp.Basic) -> bool:
    """True for what a survey looks at."""
    fractional = isinstance(node, sp.Pow) and isinstance(node.exp, sp.Rational) and not node.exp.is_Integer
    return fractional or isinstance(node, (sp.log, sp.sin, sp.cos)) or is_exp(node)
