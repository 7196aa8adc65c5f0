"""What is computed where a formula has a limit, or a convention, but no value as it is written: x log x and norms at 0; and variances.

* x log w is 0 at x = 0 when w is a multiple of a positive power of x, the limit from the right; so is x^t log w where x^t is 0.
* r = (Σ f²)^(1/2) has no derivative where every f is 0; by convention (PyTorch's) it is 0 there: a gradient line that divides by a
  norm once takes 1/r as 0 at r = 0. Any other division by a norm stays a division.
* A Σ f² - B (Σ f)² with A = n B for n terms is A Σ (f - Σ f/n)², a variance as a sum of squares, in which nothing cancels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy as sp

from symnet.arrays import stable_functions as st
from symnet.core.expressions import entries, limits, rebuild
from symnet.core.functions import sum_of_squares
from symnet.core.tensors import tensor_name

Unfold = Callable[[sp.Expr], sp.Expr | None]


def x_log_x(expr: sp.Expr, unfold: Unfold = lambda entry: None) -> sp.Expr:
    """x log w as ``xlogy``, also where a factor is a sum: y (log y - a) is y log y - y a; and x^t log w, which is 0 where x^t is.

    ``unfold`` gives the right side of a name that is a power.
    """
    if not expr.has(sp.log):
        return expr
    expr = rebuild(expr, tuple(x_log_x(a, unfold) if isinstance(a, sp.Expr) else a for a in expr.args))
    if not isinstance(expr, sp.Mul):
        return expr
    for f in expr.args if expr.has(sp.log) else ():
        for x in expr.args if isinstance(f, sp.log) else ():
            power = (unfold(x) if isinstance(x, (sp.Indexed, sp.Symbol)) else None) or x
            if power.is_Pow and not power.exp.is_number and _log_of(f, power.base):
                return sp.Mul(*[g for g in expr.args if g is not f and g is not x]) * st.xlogy(x, f.args[0])
    plain = [f for f in expr.args if isinstance(f.as_base_exp()[0], (sp.Indexed, sp.Symbol)) and f.as_base_exp()[1].is_positive]
    for f in expr.args:
        for x in plain:
            base = x.as_base_exp()[0]
            rest = sp.Mul(*[g for g in expr.args if g is not f and g is not x], x / base)
            if _log_of(f, base):
                return rest * st.xlogy(base, f.args[0])
            if f.is_Add and any(_log_of(g, base) for t in f.args for g in sp.Mul.make_args(t)):
                return sp.Add(*[x_log_x(sp.Mul(base, *[rest] if rest != 1 else [], t), unfold) for t in f.args])
    return expr


def _log_of(f: sp.Expr, x: sp.Expr) -> bool:
    return isinstance(f, sp.log) and any(g.as_base_exp()[0] == x and g.as_base_exp()[1].is_positive for g in sp.Mul.make_args(f.args[0]))


class Norms:
    """The names of a program that are norms, r = Q^q with 0 < q < 1 and Q a sum of squares that may be 0; lines are added in order."""

    def __init__(self) -> None:
        self.squares: set[str] = set()
        self.roots: set[str] = set()

    def kind(self, right: sp.Expr) -> str:
        """What a right side is: a "square", a "root" or neither."""
        return "square" if sum_of_squares(right, self.squares) else "root" if self._root(right) else ""

    def add(self, name: str, kinds: Sequence[str]) -> None:
        """One more name, by the kinds of its lines."""
        if set(kinds) == {"square"}:
            self.squares.add(name)
        elif set(kinds) == {"root"}:
            self.roots.add(name)

    def of(self, name: str) -> tuple[bool, bool]:
        """Is the name a sum of squares, or a norm?"""
        return name in self.squares, name in self.roots

    def _root(self, expr: sp.Expr) -> bool:
        if not any(f.is_Pow and f.exp.is_Rational and 0 < f.exp < 1 for f in sp.Mul.make_args(expr)):
            return False
        factors = [f for f in sp.Mul.make_args(expr) if not f.is_positive]
        return len(factors) == 1 and factors[0].is_Pow and self._power(factors[0].base, factors[0].exp)

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> bool:
        return bool(exponent.is_Rational and 0 < exponent < 1 and sum_of_squares(base, self.squares))

    def divided(self, expr: sp.Expr) -> sp.Expr:
        """A gradient line in which 1/r is 0 where the norm r is 0."""
        if expr.is_Atom or isinstance(expr, sp.Indexed):
            return expr
        if expr.is_Pow:
            named = isinstance(expr.base, (sp.Indexed, sp.Symbol)) and tensor_name(expr.base) in self.roots
            if (named and expr.exp == -1) or self._power(expr.base, -expr.exp):
                return st.reciprocal(sp.Pow(expr.base, -expr.exp))
        return rebuild(expr, tuple(self.divided(a) if isinstance(a, sp.Expr) else a for a in expr.args))


def centred(expr: sp.Expr, unfold: Unfold) -> sp.Expr:
    """Variances in ``expr`` as sums of squared differences; ``unfold`` gives the right side of a name."""
    if expr.is_Atom or isinstance(expr, sp.Indexed):
        return expr
    if isinstance(expr, sp.Add):
        return _variance(expr, unfold) or rebuild(expr, tuple(centred(a, unfold) for a in expr.args))
    return rebuild(expr, tuple(centred(a, unfold) if isinstance(a, sp.Expr) else a for a in expr.args))


def _variance(expr: sp.Add, unfold: Unfold) -> sp.Expr | None:
    terms = {t: _opened(t, unfold) for t in expr.args}
    for first, a in terms.items():
        squares = [s for s in sp.Mul.make_args(a) if isinstance(s, sp.Sum) and len(s.limits) == 1]
        for second, b in terms.items():
            for total in squares if first is not second else ():
                front = a / total
                (bound, lo, hi), body = limits(total)[0], total.function
                root = sp.sqrt(body) if body.is_Pow and body.exp == 2 else None
                if root is None or front.has(sp.Sum):
                    continue
                inner = body.base
                power = next((p for p in sp.Mul.make_args(b) if p.is_Pow and p.exp == 2 and isinstance(p.base, sp.Sum)), None)
                if power is None or not _same(power.base, sp.Sum(inner, (bound, lo, hi))):
                    continue
                count = hi - lo + 1
                if sp.expand(front + count * b / power) != 0:
                    continue
                other = sp.Dummy(integer=True)
                mean = sp.Sum(inner.xreplace({bound: other}), (other, lo, hi)) / count
                rest = [t for t in expr.args if t not in (first, second)]
                return sp.Add(*rest, front * sp.Sum((inner - mean) ** 2, (bound, lo, hi)))
    return None


def _opened(term: sp.Expr, unfold: Unfold) -> sp.Expr:
    """A term with the names of sums written out, powers of products multiplied out."""
    there = {e: right for e in entries(term) if (right := unfold(e)) is not None}
    return sp.expand_power_base(term.xreplace(there), force=True) if there else term


def _same(a: sp.Sum, b: sp.Sum) -> bool:
    if len(a.limits) != 1:
        return False
    (i, lo, hi), (j, *ends) = limits(a)[0], limits(b)[0]
    return [lo, hi] == ends and a.function.xreplace({i: j}) == b.function
