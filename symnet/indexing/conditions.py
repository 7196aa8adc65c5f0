"""Conditions on indices and on whole numbers as brackets, and scores that are barred: -∞ where a condition fails, 0 in a softmax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symnet.core.axes import Range, bounds, nonnegative
from symnet.core.expressions import When, entries

MIRRORED = {sp.Gt: sp.Lt, sp.Ge: sp.Le, sp.Lt: sp.Gt, sp.Le: sp.Ge, sp.Eq: sp.Eq, sp.Ne: sp.Ne}


NOUGHT = sp.Dummy("nought", integer=True)  # a 0 of an index table, which a bracket around it would lose: [q = 1] 0 is 0


class Barred(sp.Expr):  # type: ignore[misc]
    """Barred(u, c): u where the condition on indices holds, -∞ elsewhere. Only its exponential is a number everywhere."""

    is_commutative = True
    is_real = True

    def __new__(cls, u: Any, condition: Any) -> Any:
        return u if condition is sp.true else super().__new__(cls, u, condition)


def whole(expr: sp.Basic) -> bool:
    """True where every entry in it is a whole number, one of an index tensor."""
    return all(e.is_rational for e in entries(expr))


def compared(kind: Any, u: sp.Expr, v: sp.Expr) -> sp.Basic:
    """A comparison; between indices and whole numbers with the sum on one side and no strict sign: i - 1 > j - 1 is i >= j + 1."""
    if v.is_number and isinstance(u, sp.Expr) and isinstance(u.as_coeff_Mul()[1], When):  # a mask of numbers compared with one
        factor, bracket = u.as_coeff_Mul()
        if bracket.body.is_number and whole(bracket.condition):
            here, there = kind(factor * bracket.body, v), kind(sp.S.Zero, v)
            return sp.Or(sp.And(here, bracket.condition), sp.And(there, negated(bracket.condition)))
    if not whole(u) or not whole(v) or u.has(When) or v.has(When):
        return kind(u, v)
    gap = sp.expand(u - v)
    if gap.is_number:
        return kind(gap, 0)
    terms = sp.Add.make_args(gap)
    data = [t for t in terms if next(entries(t), None) is not None]
    positive = [t for t in terms if not t.is_number and t not in data and not t.could_extract_minus_sign()]
    if not positive and [t for t in terms if not t.is_number and t not in data]:
        kind, gap = MIRRORED[kind], -gap
        terms = sp.Add.make_args(sp.expand(gap))
        positive = [t for t in terms if not t.is_number and next(entries(t), None) is None and not t.could_extract_minus_sign()]
    left = sp.Add(*positive) if positive else sp.Add(*data)
    right = sp.expand(left - gap)
    if kind in (sp.Gt, sp.Lt):
        kind, right = (sp.Ge, right + 1) if kind is sp.Gt else (sp.Le, right - 1)
    return kind(left, right)


def truth(value: sp.Basic) -> sp.Basic:
    """A condition; a mask of numbers is true where it is not 0."""
    return compared(sp.Ne, value, sp.S.Zero) if isinstance(value, sp.Expr) else value


def negated(condition: sp.Basic) -> sp.Basic:
    """Not the condition, again without strict signs."""
    turned = sp.Not(condition)
    return compared(type(turned), *turned.args) if isinstance(turned, (sp.Gt, sp.Lt)) else turned


def by_bracket(condition: sp.Basic, then: sp.Expr, other: sp.Expr) -> sp.Expr:
    """[c] then + [not c] other."""
    if isinstance(condition, sp.Or):
        first, *rest = condition.args
        return by_bracket(first, then, by_bracket(sp.Or(*rest), then, other))
    parts = condition.args if isinstance(condition, sp.And) else (condition,)
    if other == -sp.oo:
        return Barred(then, condition)
    if then == -sp.oo and len(parts) == 1:
        return Barred(other, negated(condition))
    outside = sp.Add(*[When(other, sp.And(*parts[:k], negated(p))) for k, p in enumerate(parts)])
    return When(then, condition) + outside


def settled(expr: sp.Expr, ranges: Mapping[sp.Symbol, Range]) -> sp.Expr:
    """A position without the brackets that always hold or never: indices stay in their ranges, classes count from 0."""
    there: dict[sp.Basic, sp.Expr] = {}
    for node in sorted(expr.atoms(When), key=str):
        kept = []
        for part in sp.And.make_args(node.condition):
            truth = _truth(part, ranges)
            if truth is False:
                there[node] = sp.S.Zero
                break
            if truth is None:
                kept.append(part)
        else:
            there[node] = When(node.body, sp.And(*kept))
    return sp.expand(expr.xreplace(there))


def _truth(condition: sp.Basic, ranges: Mapping[sp.Symbol, Range]) -> bool | None:
    """Whether a comparison holds at all places; None when that is not shown."""
    if not isinstance(condition, (sp.Ge, sp.Gt, sp.Le, sp.Lt)):
        return None
    gap = sp.expand(condition.gts - condition.lts)
    if isinstance(condition, (sp.Gt, sp.Lt)):
        gap = gap - 1
    free = {e: sp.Dummy("class", integer=True) for e in entries(gap)}
    known = {**ranges, **{d: (sp.S.Zero, sp.Symbol("_classes", integer=True, positive=True)) for d in free.values()}}
    span = bounds(gap.xreplace(free), known)
    if span is None:
        return None
    return True if nonnegative(span[0]) else False if nonnegative(-span[1] - 1) else None
