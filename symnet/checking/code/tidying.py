"""Rewriting before a proof, each rewriting an identity: kinks in one form, logarithms of products as sums.

step(c u) is step(u) for c > 0; log(exp(s) r) is s + log r, so that a logarithm of a softmax meets log-sum-exp. With ``kinks`` the two
sides of a kink are one: step(-u) is taken for 1 - step(u), which fails only at u = 0; the places where that was used are collected.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from symnet.core.functions import relu, sigmoid, step


class Tidy:
    """One way of rewriting, with what was met so far."""

    def __init__(self, thin: Callable[[sp.Expr], bool] | None = None) -> None:
        """``thin`` says of u that its zeros are shown to have measure zero; without it, no side of a kink is taken for the other."""
        self.kinks, self._thin = thin is not None, thin
        self.used: dict[sp.Expr, None] = {}
        self._known: dict[sp.Basic, sp.Basic] = {}

    def __call__(self, expr: sp.Expr) -> sp.Expr:
        return self._rewritten(expr) if expr.has(sp.log, step, relu, sp.Max, sp.Min, sp.sign, sp.Abs) else expr

    def _rewritten(self, expr: sp.Basic) -> sp.Basic:
        if not expr.args:
            return expr
        if expr not in self._known:
            args = [self._rewritten(a) for a in expr.args]
            made = expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else expr.func(*args)
            self._known[expr] = self._one(made)
        return self._known[expr]

    def _one(self, expr: sp.Basic) -> sp.Basic:
        if isinstance(expr, sp.log):
            return _logarithm(expr.args[0])
        if isinstance(expr, step):
            return self._step(expr.args[0])
        if isinstance(expr, relu):
            return expr.args[0] * self._step(expr.args[0])
        if isinstance(expr, sp.Abs) and self.kinks:
            return expr.args[0] * (2 * self._step(expr.args[0]) - 1)
        if isinstance(expr, sp.sign):
            return self._step(expr.args[0]) - self._step(-expr.args[0])
        if isinstance(expr, (sp.Max, sp.Min)) and len(expr.args) == 2 and (self.kinks or any(a.is_Number for a in expr.args)):
            a, b = sorted(expr.args, key=lambda x: x.is_Number)
            gap = a - b if isinstance(expr, sp.Max) else b - a
            return b + (a - b) * self._step(gap)
        return expr

    def _step(self, u: sp.Expr) -> sp.Expr:
        inner = _of_relu(u)
        if inner is not None:
            return inner
        size, rest = sp.expand(u).as_content_primitive()
        rest = rest if size > 0 else -rest
        if self._thin is not None and rest.could_extract_minus_sign() and self._thin(-rest):
            self.used[-rest] = None
            return 1 - step(-rest)
        return step(rest)


def _of_relu(u: sp.Expr) -> sp.Expr | None:
    """step(c v step(v)), the mask of an activation: step(v) for c > 0, 0 for c < 0; None for anything else."""
    steps = [f for f in sp.Mul.make_args(u) if isinstance(f, step)]
    if len(steps) != 1 or not u.is_Mul:
        return None
    size, rest = sp.expand(sp.Mul(*[f for f in u.args if f is not steps[0]])).as_content_primitive()
    own, inside = sp.expand(steps[0].args[0]).as_content_primitive()
    for sign in (1, -1):
        if rest == sign * inside:
            return steps[0] if sign * size * own > 0 else sp.S.Zero
    return None


def _logarithm(u: sp.Expr) -> sp.Expr:
    """log u with every factor exp(s) taken out."""
    power, rest = exponent(u)
    if power == 0 and rest == u:
        return sp.log(u)
    factors = sp.Mul.make_args(rest)
    if len(factors) > 1 and all(f.is_positive for f in factors):
        return sp.Add(power, *map(_single, factors))
    return power + _single(rest)


def _single(u: sp.Expr) -> sp.Expr:
    if isinstance(u, sp.Pow) and u.exp.is_Rational and u.base.is_positive:
        return u.exp * sp.log(u.base)
    return sp.log(u)


def exponent(u: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """(s, r) with u = exp(s) r, s as large as it can be read off."""
    if isinstance(u, sp.exp):
        return sp.expand(u.args[0]), sp.S.One
    if isinstance(u, sigmoid):
        return sp.S.Zero, 1 / (1 + sp.exp(-u.args[0]))
    if u.is_Mul:
        parts = [exponent(a) for a in u.args]
        return sp.Add(*[s for s, _ in parts]), sp.Mul(*[r for _, r in parts])
    if isinstance(u, sp.Pow) and u.exp.is_Rational and u.base.is_positive:
        s, r = exponent(u.base)
        return sp.expand(u.exp * s), r**u.exp
    if u.is_Add:
        parts = [exponent(a) for a in u.args]
        if all(s != 0 for s, _ in parts):
            terms = [dict(_term(t) for t in sp.Add.make_args(s)) for s, _ in parts]
            shared = sp.Add(*[c * m for m, c in terms[0].items() if all(t.get(m) == c for t in terms[1:])])
            if shared != 0:
                return shared, sp.Add(*[sp.exp(sp.expand(s - shared)) * r for s, r in parts])
    return sp.S.Zero, u


def _term(t: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    c, m = t.as_coeff_Mul()
    return m, c
