"""Fold known right sides back to their names: σ(z)(1 - σ(z)) becomes a(1 - a), exp(z)/Σ exp(z) becomes p.

Only the definition being differentiated is looked for, since its own value is what a local derivative repeats. A whole
right side is replaced where it stands; a product is also found inside a larger product, at any index (softmax: the factor
exp(z[n,c])/S next to exp(z[n,k])/S is p[n,c] p[n,k]).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy as sp

from symnet.core.expressions import BINDERS, rebuild, substitute
from symnet.core.matrices import InverseEntry
from symnet.core.program import Definition

Match = dict[sp.Symbol, sp.Expr]


def fold(expr: sp.Expr, definition: Definition, right: sp.Expr) -> sp.Expr:
    """``expr`` with the right side ``right`` of ``definition`` replaced by its left side wherever it occurs."""
    if right.is_Atom or isinstance(right, (sp.Indexed, sp.Add, sp.Sum)):
        return expr
    folded = expr.xreplace({right: definition.entry})
    if isinstance(right, sp.Pow) and right.exp.is_Rational and not right.exp.is_Integer:  # 1/sqrt(u) is 1/r where r names sqrt(u)
        powers = {q: q.exp / right.exp for q in folded.atoms(sp.Pow) if q.base == right.base}
        folded = folded.xreplace({q: definition.entry**k for q, k in powers.items() if k.is_Integer})
    if isinstance(right, InverseEntry):
        return _inverses(folded, definition, right)
    if isinstance(right, sp.Mul):
        folded = _in_products(folded, definition, right)
    return folded


def _inverses(expr: sp.Expr, definition: Definition, right: InverseEntry) -> sp.Expr:
    """The other entries of the inverse that ``definition`` names: -M⁻¹[i, r] M⁻¹[c, j] is -B[i, r] B[c, j]."""
    wild = set(definition.free)
    matches = {node: unify(right, node, wild, {}) for node in expr.atoms(InverseEntry)}
    return expr.xreplace({n: substitute(definition.entry, m) for n, m in matches.items() if m is not None and set(m) == wild})


def _in_products(expr: sp.Expr, definition: Definition, right: sp.Mul) -> sp.Expr:
    if expr.is_Atom or isinstance(expr, sp.Indexed):
        return expr
    expr = rebuild(expr, tuple(_in_products(a, definition, right) if isinstance(a, sp.Expr) else a for a in expr.args))
    while isinstance(expr, sp.Mul):
        smaller = take_out(expr, definition, right)
        if smaller is None:
            break
        expr = smaller
    return expr


def take_out(product: sp.Mul, definition: Definition, right: sp.Mul,
             allowed: Callable[[Match], bool] = lambda match: True) -> sp.Expr | None:
    """Divide ``product`` by one instance of ``right`` and multiply by its name; None when there is no instance."""
    pattern = dict(right.as_powers_dict())
    factors = dict(product.as_powers_dict())
    wild = set(definition.free)
    pieces = sorted(pattern, key=lambda b: -len(b.free_symbols & wild))
    for match in _cover(pieces, pattern, factors, wild, {}):
        if set(match) == wild and allowed(match):
            left = _divided(factors, {substitute(base, match): exponent for base, exponent in pattern.items()})
            if left is not None:
                return sp.Mul(*[b**e for b, e in left.items()]) * substitute(definition.entry, match)
    return None


def _divided(factors: Mapping[sp.Expr, sp.Expr], pattern: Mapping[sp.Expr, sp.Expr]) -> dict[sp.Expr, sp.Expr] | None:
    """``factors`` with the exponents of ``pattern`` taken off; a base is found up to the names of bound indices."""
    left = dict(factors)
    for base, exponent in pattern.items():
        found = next((b for b in left if unify(base, b, set(), {}) is not None), None)
        if found is None:
            return None
        left[found] -= exponent
    return left


def _cover(pieces: list[sp.Expr], pattern: Mapping[sp.Expr, sp.Expr], factors: Mapping[sp.Expr, sp.Expr],
           wild: set[sp.Symbol], match: Match) -> list[Match]:
    """Every way to find all pattern factors, with exponents of the same sign and at least as large."""
    if not pieces:
        return [match]
    first, rest = pieces[0], pieces[1:]
    found = []
    for base, exponent in factors.items():
        need = pattern[first]
        if not (need.is_Integer and exponent.is_Integer and need * exponent > 0 and abs(exponent) >= abs(need)):
            continue
        inner = unify(first, base, wild, dict(match))
        if inner is not None:
            found += _cover(rest, pattern, factors, wild, inner)
    return found


def unify(pattern: sp.Basic, target: sp.Basic, wild: set[sp.Symbol], match: Match) -> Match | None:
    """Extend ``match`` so that ``pattern`` becomes ``target``; None when it cannot. Bound sums match up to their names."""
    if pattern in wild:
        if pattern in match:
            return match if match[pattern] == target else None
        return {**match, pattern: target} if isinstance(target, sp.Expr) else None
    if pattern == target:
        return match if not pattern.free_symbols & wild else _all(pattern, target, wild, match)
    if pattern.func != target.func or len(pattern.args) != len(target.args) or not pattern.args:
        return None
    if isinstance(pattern, BINDERS):
        if len(pattern.limits) != len(target.limits):
            return None
        rename = {t[0]: p[0] for p, t in zip(pattern.limits, target.limits, strict=True)}
        target = target.xreplace(rename)
    return _all(pattern, target, wild, match)


def _all(pattern: sp.Basic, target: sp.Basic, wild: set[sp.Symbol], match: Match) -> Match | None:
    orders = [target.args]
    if isinstance(pattern, (sp.Add, sp.Mul, sp.And)) and len(pattern.args) == 2:
        orders.append(target.args[::-1])
    for order in orders:
        current: Match | None = match
        for p, t in zip(pattern.args, order, strict=True):
            current = unify(p, t, wild, current) if current is not None else None
        if current is not None:
            return current
    return None
