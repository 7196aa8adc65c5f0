"""Conditions on indices: brackets read as equations and inequalities, and what an equation between free indices says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp

from symnet.core.expressions import is_whole_number, of_data, without_fractions
from symnet.equality.sums.terms import Condition, Factors, indices


def elected(gap: sp.Basic, bound: set[sp.Symbol]) -> dict[sp.Symbol, sp.Expr]:
    """Under i - j = 0 with i, j not summed: the later name given by the rest."""
    free = sorted((s for s in indices(gap) if not s.is_positive and s not in bound), key=lambda s: (len(s.name), s.name))
    if not free or gap.has(sp.Mod) or indices(gap) & bound or gap.coeff(free[-1], 1) not in (1, -1):
        return {}
    return {free[-1]: sp.expand(free[-1] - gap * gap.coeff(free[-1], 1))}


def occurs(there: Mapping[sp.Symbol, sp.Expr], factors: Factors, where: Iterable[Condition]) -> bool:
    """True when the elected index stands anywhere but in its own equation."""
    (symbol,) = there
    if any(symbol in indices(p) for _, places in factors for p in places):
        return True
    return sum(symbol in indices(u) for _, u in where) > 1


def replaced(condition: Condition, there: Mapping[sp.Symbol, sp.Expr]) -> Condition:
    """The condition with indices replaced."""
    sign, u = condition
    return sign, sp.expand(u.xreplace(there)) if sign in ("=", ">=") else u.xreplace(there)


def as_condition(condition: Condition) -> sp.Basic:
    """The condition as SymPy writes it."""
    sign, u = condition
    return u if sign == "?" else sp.Ge(u, 0) if sign == ">=" else sp.Eq(u, 0)


def read_condition(condition: sp.Basic) -> list[Condition]:
    """A bracket's condition on indices as a list that must all hold."""
    if condition is sp.true:
        return []
    if isinstance(condition, sp.And):
        return [c for part in condition.args for c in read_condition(part)]
    if condition.has(sp.Mod, sp.Or, sp.Not, sp.Ne) or not isinstance(condition, (sp.Eq, sp.Ge, sp.Le, sp.Gt, sp.Lt)):
        return [("?", condition)]
    gap = sp.expand(condition.lhs - condition.rhs)
    if isinstance(condition, sp.Eq):
        return [("==" if of_data(condition) else "=", gap)]
    if of_data(condition):
        return [("?", condition)]
    if isinstance(condition, (sp.Gt, sp.Lt)):
        gap = without_fractions(gap)
        if not is_whole_number(gap):
            return [("?", condition)]
    if isinstance(condition, (sp.Le, sp.Lt)):
        gap = -gap
    return [(">=", sp.expand(gap - (1 if isinstance(condition, (sp.Gt, sp.Lt)) else 0)))]
