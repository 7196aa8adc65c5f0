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

from symnet.core.expressions import Nabla, When, entries, limits
from symnet.core.functions import TABLE, leaky_relu, relu, step
from symnet.equality.fractions import Fraction, Ring
from symnet.errors import UnknownNodeError


class Basis:
    """The generators met so far. ``flat`` rewrites an expression over them; one Basis serves one comparison."""

    def __init__(self) -> None:
        self.keys: dict[tuple[Any, ...], sp.Symbol] = {}  # never texts: two different symbols may print alike
        self.meaning: dict[sp.Symbol, sp.Expr] = {}  # generator -> what it stands for
        self.steps: set[sp.Symbol] = set()
        self.exponents: dict[sp.Expr, int] = {}  # monomial m -> the common denominator q of its coefficients under exp
        self.holes: list[tuple[sp.Expr, str]] = []  # (u, "="): not defined where u = 0, by division; (u, "<="): by log u; …

    def generator(self, kind: str, key: Any, meaning: sp.Expr) -> sp.Symbol:
        """The symbol for one kind of atom with one normalized argument."""
        name = (kind, key)
        if name not in self.keys:
            self.keys[name] = sp.Symbol(f"g{len(self.keys):03d}_")
            self.meaning[self.keys[name]] = meaning
        return self.keys[name]

    def survey(self, expr: sp.Expr) -> None:
        """First pass: learn with which fractions each monomial stands under exp, so that all become whole powers."""
        for node in sp.preorder_traversal(in_exp(expr)):
            if node is sp.E:
                self.exponents.setdefault(sp.S.One, 1)
            elif isinstance(node, sp.exp):
                for coefficient, monomial in self._monomials(node.args[0]):
                    self.exponents[monomial] = lcm(self.exponents.get(monomial, 1), int(coefficient.q))

    def _monomials(self, argument: sp.Expr) -> list[tuple[sp.Rational, sp.Expr]]:
        """A normalized argument as Σ rational · monomial; a true fraction counts as one monomial."""
        ring, value = self.normal(argument)
        if not value.below.is_constant():
            lead, size = value.below.leading_coefficient(), (value.above / value.below.leading_coefficient()).leading_coefficient()
            monomial = ring.back(value.above / lead / size) / ring.back(value.below / lead)
            return [(sp.Rational(int(size.p), int(size.q)), monomial)]
        scale = sp.S.One / ring.back(value.below)
        return [(term * scale).as_coeff_Mul() for term in sp.Add.make_args(ring.back(value.above)) if term != 0]

    def normal(self, expr: sp.Expr) -> tuple[Ring, Fraction]:
        """The reduced fraction of ``expr`` and the ring it lives in."""
        flat = self.flat(in_exp(expr))
        ring = Ring(flat.free_symbols)
        value = ring.fraction(flat)
        return ring, Fraction(_idempotent(ring, value.above, self.steps), value.below)

    def key(self, expr: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """The reduced fraction of an argument, scaled so that two equal arguments share it."""
        ring, value = self.normal(expr)
        lead = value.below.leading_coefficient()
        return ring.back(value.above / lead), ring.back(value.below / lead)

    def undefined(self, expr: sp.Expr) -> dict[tuple[sp.Expr, str], sp.Expr]:
        """Where ``expr`` may be undefined: (u, "=") for u = 0, "<=" for u ≤ 0, "<" for u < 0, with u over the generators, and
        what u stands for. Divisors are taken apart into irreducible factors, so that 1/(2xy) and 1/x · 1/y agree."""
        self.holes.clear()
        self.normal(expr)
        found: dict[tuple[sp.Expr, str], sp.Expr] = {}
        for hole, sign in tuple(self.holes):
            ring, value = self.normal(hole)
            lead = value.below.leading_coefficient()
            if sign == "=":
                parts = [ring.back(p / p.leading_coefficient()) for p, _ in value.above.factor()[1]] if value.above != 0 else [sp.S.Zero]
            else:
                size = abs((value.above / lead).leading_coefficient()) if value.above != 0 else 1
                parts = [ring.back(value.above / lead / size) / ring.back(value.below / lead)]
            found |= {(p, sign): self.spelled(p) for p in parts}
        return {key: u for key, u in found.items() if not surely_defined(u, key[1])}

    def spelled(self, expr: sp.Expr) -> sp.Expr:
        """``expr`` with every generator replaced by what it stands for."""
        while expr.free_symbols & self.meaning.keys():
            expr = expr.xreplace(self.meaning)
        return expr

    def flat(self, expr: sp.Expr) -> sp.Expr:
        """``expr`` with every atom replaced by its generator; only + · and whole powers are left."""
        if isinstance(expr, sp.Rational):
            return expr
        if isinstance(expr, sp.Symbol):
            return expr
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
            q = lcm(self.exponents.get(monomial, 1), int(coefficient.q))
            self.exponents[monomial] = q
            base = self.generator("exp", (monomial, q), sp.exp(monomial / q))
            result *= base ** int(coefficient * q)
        return result

    def _power(self, expr: sp.Pow) -> sp.Expr:
        base, exponent = expr.base, expr.exp
        if exponent.is_Integer:
            if exponent < 0:
                self.holes.append((base, "="))
            return self.flat(base) ** exponent
        if isinstance(exponent, sp.Rational):
            root = self.generator(f"root{exponent.q}", self.key(base), base ** sp.Rational(1, exponent.q))
            self.holes.append((base, "<" if exponent > 0 else "<="))
            return root ** exponent.p
        if base.is_positive:
            return self.flat(in_exp(sp.exp(exponent * sp.log(base))))
        self.holes.append((base, "<="))
        return self.generator("power", (self.key(base), self.key(exponent)), expr)

    def _atom(self, expr: sp.Basic) -> sp.Expr:
        """log, step, roots, cases, sums, tensor entries: one generator each."""
        if isinstance(expr, sp.log):
            self.holes.append((expr.args[0], "<="))
            return self.generator("log", self.key(expr.args[0]), expr)
        if isinstance(expr, step):
            made = self.generator("step", self.key(expr.args[0]), expr)
            self.steps.add(made)
            return made
        if isinstance(expr, sp.Indexed):
            return self.generator("entry", (expr.base, *map(sp.expand, expr.indices)), expr)
        if isinstance(expr, Nabla):
            return self.generator("nabla", (self.key(expr.loss), self.key(expr.point)), expr)
        if isinstance(expr, sp.Sum):
            return self.generator("sum", _canonical(expr), expr)
        if isinstance(expr, (sp.Piecewise, When)) or expr is sp.pi:
            return self.generator("whole", expr, expr)
        if expr.func in TABLE:
            return self.generator(expr.func.__name__, tuple(map(self.key, expr.args)), expr)
        raise UnknownNodeError("equality", f"no rule for {expr.func.__name__}", "an expression of the program language")


def in_exp(expr: sp.Basic) -> sp.Basic:
    """``expr`` with sigmoid, tanh, softplus, relu, |·|, … written with exp, log and step, inside out."""
    if not expr.args or isinstance(expr, sp.Indexed):
        return expr
    if isinstance(expr, sp.Sum):
        return sp.Sum(in_exp(expr.function), *expr.limits)
    args = tuple(in_exp(a) if isinstance(a, sp.Expr) else a for a in expr.args)
    row = TABLE.get(expr.func)
    if row is not None and row.in_exp is not None:
        if expr.func in (sp.Abs, relu, leaky_relu) and not all(e.is_extended_real for a in expr.args for e in entries(a)):
            raise UnknownNodeError("equality", f"{row.name} of a complex number", "real numbers")
        written = row.in_exp(*args)
        return in_exp(written) if any(TABLE.get(n.func) and TABLE[n.func].in_exp for n in sp.preorder_traversal(written)
                                      if isinstance(n, sp.Function)) else written
    return expr if args == expr.args else expr.func(*args)


def surely_defined(expr: sp.Expr, sign: str) -> bool:
    """True when ``expr`` is shown never to be where the hole is: a sum of positive terms, an exp, a nonzero number."""
    return bool(expr.is_positive or (sign == "=" and expr.is_nonzero) or (sign == "<" and expr.is_nonnegative))


def _canonical(expr: sp.Sum) -> sp.Tuple:
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
