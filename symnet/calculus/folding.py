"""Fold known right sides back to their names: σ(z)(1 - σ(z)) becomes a(1 - a), exp(z)/Σ exp(z) becomes p.

Only the definition being differentiated is looked for, since its own value is what a local derivative repeats. A whole
right side is replaced where it stands; a product is also found inside a larger product, at any index (softmax: the factor
exp(z[n,c])/S next to exp(z[n,k])/S is p[n,c] p[n,k]).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import sympy as sp

from symnet.core.axes import bounds, inside
from symnet.core.expressions import BINDERS, Limits, limits, rebuild, substitute
from symnet.core.matrices import InverseEntry
from symnet.core.program import Definition

Match = dict[sp.Symbol, sp.Expr]


def fold(expr: sp.Expr, definition: Definition, right: sp.Expr, sums: tuple[Limits, ...] = ()) -> sp.Expr:
    """``expr`` with the right side ``right`` of ``definition`` replaced by its left side wherever it occurs.

    ``expr`` stands under the bound indices ``sums``; at another index the name is used only where the line is shown to define it.
    """
    if right.is_Atom or isinstance(right, (sp.Indexed, sp.Add, sp.Sum)):
        return expr
    folded = expr.xreplace({right: definition.entry})
    if isinstance(right, sp.Pow) and right.exp.is_Rational and not right.exp.is_Integer:  # 1/sqrt(u) is 1/r where r names sqrt(u)
        powers = {q: q.exp / right.exp for q in folded.atoms(sp.Pow) if q.base == right.base}
        folded = folded.xreplace({q: definition.entry**k for q, k in powers.items() if k.is_Integer})
    if isinstance(right, InverseEntry):
        return _inverses(folded, definition, right, sums)
    if isinstance(right, sp.Mul):
        folded = _in_products(folded, definition, right, sums)
    return folded


def _inverses(expr: sp.Expr, definition: Definition, right: InverseEntry, sums: tuple[Limits, ...]) -> sp.Expr:
    """The other entries of the inverse that ``definition`` names: -M⁻¹[i, r] M⁻¹[c, j] is -B[i, r] B[c, j]."""
    wild = set(definition.free)
    matches = {node: unify(right, node, wild, {}) for node in expr.atoms(InverseEntry)}
    return expr.xreplace({n: substitute(definition.entry, m) for n, m in matches.items()
                          if m is not None and set(m) == wild and _defined_at(definition, m, sums)})


def _in_products(expr: sp.Expr, definition: Definition, right: sp.Mul, sums: tuple[Limits, ...]) -> sp.Expr:
    if expr.is_Atom or isinstance(expr, sp.Indexed):
        return expr
    inner = (*sums, *limits(expr)) if isinstance(expr, BINDERS) else sums
    expr = rebuild(expr, tuple(_in_products(a, definition, right, inner) if isinstance(a, sp.Expr) else a for a in expr.args))
    while isinstance(expr, sp.Mul):
        smaller = take_out(expr, definition, right, sums)
        if smaller is None:
            break
        expr = smaller
    return expr


def take_out(product: sp.Mul, definition: Definition, right: sp.Mul, sums: tuple[Limits, ...],
             allowed: Callable[[Match], bool] = lambda match: True) -> sp.Expr | None:
    """Divide ``product`` by one instance of ``right`` and multiply by its name; None when there is no instance.

    The instance is divided as a whole: where two pieces of ``right`` become one, x[i]·x[j] at i = j, their powers add up.
    """
    pattern = dict(right.as_powers_dict())
    factors = dict(product.as_powers_dict())
    wild = set(definition.free)
    pieces = sorted(pattern, key=lambda b: -len(b.free_symbols & wild))
    for match in _cover(pieces, pattern, factors, wild, {}):
        if set(match) == wild and _defined_at(definition, match, sums) and allowed(match):
            left = _divided(factors, [(substitute(base, match), exponent) for base, exponent in pattern.items()])
            if left is not None:
                return sp.Mul(*[b**e for b, e in left.items()]) * substitute(definition.entry, match)
    return None


def _defined_at(definition: Definition, match: Match, sums: tuple[Limits, ...]) -> bool:
    """True where each matched index is shown to stay in the range of its own, so that the line defines the entry."""
    ranges = definition.free | {i: (lo, hi) for i, lo, hi in sums}
    spans = [(bounds(place, ranges), definition.free[index]) for index, place in match.items()]
    return all(span is not None and inside(span, own) for span, own in spans)


def _divided(factors: Mapping[sp.Expr, sp.Expr], instance: Iterable[tuple[sp.Expr, sp.Expr]]) -> dict[sp.Expr, sp.Expr] | None:
    """``factors`` with the powers of ``instance`` taken off; a base is found up to the names of bound indices. None where a
    power is not there, since 0/0 is no factor."""
    left = dict(factors)
    for base, exponent in instance:
        found = next((b for b in left if unify(base, b, set(), {}) is not None), None)
        if found is None or left[found] * exponent <= 0 or abs(left[found]) < abs(exponent):
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
