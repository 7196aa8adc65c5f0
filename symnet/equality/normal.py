"""One basis for elementary functions: everything is a fraction over generators that are as independent as we can make them.

sigmoid, tanh, cosh, softplus, … become exp and log; exp(c·m) becomes a power of exp(m/q); log, roots and what has no rule
are generators keyed by the normal form of their argument. Each rewriting is an identity on the whole domain of the
expression, so a difference whose normal form is 0 is 0 wherever both sides are defined. Source for the exponentials:
Risch (1979), structure theorem: exp of Q-independent arguments are independent.
"""

from __future__ import annotations

from math import lcm
from typing import Any

import sympy as sp

from symnet.core.expressions import Nabla, When, limits
from symnet.core.functions import TABLE, raised, step
from symnet.core.matrices import Det, InverseEntry, Rows
from symnet.equality.fractions import Fraction, Ring
from symnet.equality.holes import holes, surely_defined
from symnet.equality.roots import Root, lowered, with_radicands
from symnet.equality.writing import by_row, in_exp
from symnet.errors import UnknownNodeError


class Basis:
    """The generators met so far. ``flat`` rewrites an expression over them; one Basis serves one comparison."""

    def __init__(self) -> None:
        self.keys: dict[tuple[Any, ...], sp.Symbol] = {}  # never texts: two different symbols may print alike
        self.meaning: dict[sp.Symbol, sp.Expr] = {}  # generator -> what it stands for
        self.steps: set[sp.Symbol] = set()
        self.roots: dict[sp.Symbol, Root] = {}  # generator -> what it is the root of
        self.exponents: dict[sp.Expr, int] = {}  # monomial m -> the common denominator q of its coefficients under exp
        self.logs: dict[sp.Symbol, sp.Expr] = {}  # the generators that are logarithms, with what they are the logarithms of
        self._written: dict[sp.Basic, sp.Basic | None] = {}  # what was worked out before; an expression repeats its parts often
        self._flat: dict[sp.Basic, sp.Expr] = {}
        self._terms: dict[sp.Expr, list[tuple[sp.Rational, sp.Expr]]] = {}

    def generator(self, kind: str, key: Any, meaning: sp.Expr) -> sp.Symbol:
        """The symbol for one kind of atom with one normalized argument."""
        name = (kind, key)
        if name not in self.keys:
            self.keys[name] = sp.Symbol(f"g{len(self.keys):03d}_")
            self.meaning[self.keys[name]] = meaning
        return self.keys[name]

    def survey(self, *sides: sp.Expr) -> None:
        """First pass: learn with which fractions each monomial stands under exp, so that all become whole powers.

        Inner exps first: what stands in an exp is in final form before the exp itself is looked at.
        """
        self._flat.clear()
        self._terms.clear()
        levels: dict[sp.Basic, int] = {}
        for side in sides:
            self._level(side, levels)
        for node in sorted((n for n in levels if isinstance(n, sp.exp) or n is sp.E), key=lambda n: levels[n]):
            for coefficient, monomial in self._monomials(sp.S.One if node is sp.E else node.args[0]):
                self.exponents[monomial] = lcm(self.exponents.get(monomial, 1), int(coefficient.q))

    def _level(self, node: sp.Basic, levels: dict[sp.Basic, int]) -> int:
        """How many exps stand in one another in ``node``; every part is noted in ``levels``."""
        if node not in levels:
            form = self._form(node)
            inner = max((self._level(a, levels) for a in (node.args if form is None else (form,))), default=0)
            levels[node] = inner + 1 if isinstance(node, sp.exp) or node is sp.E else inner
        return levels[node]

    def _form(self, node: sp.Basic) -> sp.Expr | None:
        """sigmoid, tanh, softplus, relu, … written with exp, log and step, p**y as exp(y log p); None for anything else."""
        if node not in self._written:
            row = TABLE.get(node.func)
            if row is not None and row.in_exp is not None:
                self._written[node] = by_row(node, node.args)
            elif isinstance(node, sp.Pow) and not isinstance(node.exp, sp.Rational) and node.base.is_positive:
                self._written[node] = sp.exp(node.exp * sp.log(node.base), evaluate=False)
            else:
                self._written[node] = None
        return self._written[node]

    def _monomials(self, argument: sp.Expr) -> list[tuple[sp.Rational, sp.Expr]]:
        """A normalized argument as Σ rational · monomial; what is left of a fraction after division counts as one."""
        if argument not in self._terms:
            self._terms[argument] = self._split(argument)
        return self._terms[argument]

    def _split(self, argument: sp.Expr) -> list[tuple[sp.Rational, sp.Expr]]:
        ring, value = self.normal(argument)
        lead = value.below.leading_coefficient()
        whole, rest = divmod(value.above / lead, value.below / lead)  # exp(log u + v/w) is u exp(v/w)
        found = [term.as_coeff_Mul() for term in sp.Add.make_args(ring.back(whole)) if term != 0]
        if rest != 0:
            size = rest.leading_coefficient()
            found.append((sp.Rational(int(size.p), int(size.q)), ring.back(rest / size) / ring.back(value.below / lead)))
        return found

    def normal(self, expr: sp.Expr) -> tuple[Ring, Fraction]:
        """The reduced fraction of ``expr`` and the ring it lives in."""
        parts: dict[sp.Expr, sp.Expr] = {}
        symbols: set[sp.Symbol] = set()
        self._gather(expr, parts, symbols, set())
        ring, known = Ring(with_radicands(symbols, self.roots)), dict[sp.Expr, Fraction]()
        for part, form in parts.items():
            known[part] = ring.fraction(form, known)
        value = ring.fraction(expr, known)
        return ring, lowered(ring, Fraction(_idempotent(ring, value.above, self.steps), value.below), self.roots)

    def _gather(self, expr: sp.Expr, parts: dict[sp.Expr, sp.Expr], symbols: set[sp.Symbol], seen: set[sp.Expr]) -> None:
        """Each part of ``expr`` that is no sum, product or whole power, with what it is in generators and parts before it."""
        if expr in seen or isinstance(expr, sp.Rational):
            return
        seen.add(expr)
        form = self._form(expr)
        if form is not None:
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

    def undefined(self, expr: sp.Expr) -> dict[tuple[sp.Expr, str], sp.Expr]:
        """Where ``expr`` may be undefined: (u, "=") for u = 0, "<=" for u ≤ 0, "<" for u < 0, with u over the generators, and
        what u stands for. Divisors are taken apart into irreducible factors, so that 1/(2xy) and 1/x · 1/y agree."""
        found: dict[tuple[sp.Expr, str], sp.Expr] = {}
        waiting = list({h: None for h in holes(expr) if not surely_defined(*h)})
        while waiting:
            hole, sign = waiting.pop(0)
            ring, value = self.normal(hole)
            lead = value.below.leading_coefficient()
            if value.is_zero:
                parts = [sp.S.Zero]
            elif sign == "=":
                parts = [ring.back(p / p.leading_coefficient()) for p, _ in value.above.factor()[1]]
                waiting += [(self.spelled(self.roots[p][1][0]), "=") for p in parts if p in self.roots]  # sqrt(u) = 0 is u = 0
                parts = [p for p in parts if p not in self.roots]
            else:
                size = abs((value.above / lead).leading_coefficient())
                parts = [ring.back(value.above / lead / size) / ring.back(value.below / lead)]
            found |= {(p, sign): self.spelled(p) for p in parts}
        within = {p for p, sign in found if sign == "<="}  # u = 0 is part of u <= 0
        return {key: u for key, u in found.items() if not surely_defined(u, key[1]) and not (key[1] == "=" and key[0] in within)}

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
        if isinstance(expr, (sp.Add, sp.Mul)):
            return expr.func(*[self.flat(a) for a in expr.args])
        if isinstance(expr, sp.exp) or expr is sp.E:
            return self._exponential(sp.S.One if expr is sp.E else expr.args[0])
        if isinstance(expr, sp.Pow):
            return self._power(expr)
        return self._atom(expr)

    def _exponential(self, argument: sp.Expr) -> sp.Expr:
        result = sp.S.One
        for coefficient, monomial in self._monomials(argument):
            if monomial in self.logs:  # exp(c log u) is u^c, where log u is defined
                result *= self.flat(self.logs[monomial] ** coefficient)
                continue
            q = lcm(self.exponents.get(monomial, 1), int(coefficient.q))
            self.exponents[monomial] = q
            base = self.generator("exp", (monomial, q), raised(monomial / q))
            result *= base ** int(coefficient * q)
        return result

    def _power(self, expr: sp.Pow) -> sp.Expr:
        base, exponent = expr.base, expr.exp
        if exponent.is_Integer:
            return self.flat(base) ** exponent
        if in_exp(base) != base:  # sqrt(relu(u)) is sqrt(u) sqrt(step(u))
            return self.flat(in_exp(base) ** exponent)
        if isinstance(exponent, sp.Rational):
            key = self.key(base)
            root = self.generator(f"root{exponent.q}", key, base ** sp.Rational(1, exponent.q))
            self.roots[root] = (int(exponent.q), key)
            return root ** exponent.p
        return self.generator("power", (self.key(base), self.key(exponent)), expr)

    def _atom(self, expr: sp.Basic) -> sp.Expr:
        """log, step, roots, cases, sums, tensor entries: one generator each."""
        if isinstance(expr, sp.log):
            made = self.generator("log", self.key(expr.args[0]), expr)
            self.logs[made] = expr.args[0]
            return made
        if isinstance(expr, step):
            made = self.generator("step", self.key(expr.args[0]), expr)
            self.steps.add(made)
            return made
        if isinstance(expr, sp.Indexed):
            return self.generator("entry", (expr.base, *map(sp.expand, expr.indices)), expr)
        if isinstance(expr, Nabla):
            return self.generator("nabla", (self.key(expr.loss), self.key(expr.point)), expr)
        if isinstance(expr, sp.Sum):
            return self.generator("sum", _canonical(in_exp(expr)), expr)
        if isinstance(expr, (Det, InverseEntry)):
            return self.generator(expr.func.__name__, self._matrix_key(in_exp(expr)), expr)
        if isinstance(expr, (sp.Piecewise, When)) or expr is sp.pi:
            return self.generator("whole", in_exp(expr), expr)
        if expr.func in TABLE:
            return self.generator(expr.func.__name__, tuple(map(self.key, expr.args)), expr)
        raise UnknownNodeError("equality", f"no rule for {expr.func.__name__}", "an expression of the program language")

    def _matrix_key(self, expr: Det | InverseEntry) -> tuple[Any, ...]:
        matrix, *places = expr.args
        rows = tuple(map(self.key, matrix.args)) if isinstance(matrix, Rows) else _canonical(matrix)
        return rows, *map(sp.expand, places)


def _canonical(expr: sp.Expr) -> sp.Tuple:
    """The sum in a form in which the names of bound indices do not matter."""
    rename = {i: sp.Symbol(f"_{k}", integer=True) for k, (i, _, _) in enumerate(limits(expr))}
    over = [sp.Tuple(rename[i], lo.xreplace(rename), hi.xreplace(rename)) for i, lo, hi in limits(expr)]
    return sp.Tuple(sp.expand(expr.function.xreplace(rename)), *over)


def _idempotent(ring: Ring, polynomial: Any, steps: set[sp.Symbol]) -> Any:
    """step(u)² = step(u): every power of a step above 1 becomes 1."""
    at = [k for k, s in enumerate(ring.symbols) if s in steps]
    if not at:
        return polynomial
    found: dict[tuple[int, ...], Any] = {}
    for powers, c in polynomial.to_dict().items():
        low = tuple(min(int(e), 1) if k in at else int(e) for k, e in enumerate(powers))
        found[low] = found[low] + c if low in found else c
    return ring.context.from_dict(found)
