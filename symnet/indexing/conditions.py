"""Conditions on indices and on whole numbers as brackets, and scores that are barred: -∞ where a condition fails, 0 in a softmax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from symnet.core.axes import Range, bounds, nonnegative
from symnet.core.expressions import When, entries, is_whole_number, without_fractions
from symnet.core.functions import step
from symnet.errors import ParseError

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
    gap = without_fractions(u - v)
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
    if kind in (sp.Gt, sp.Lt) and is_whole_number(gap):
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
    either = next((p for p in parts if isinstance(p, sp.Or)), None)
    if either is not None:
        return by_bracket(sp.And(*[p for p in parts if p is not either]), by_bracket(either, then, other), other)
    if other == -sp.oo:
        return Barred(then, condition)
    if then == -sp.oo and len(parts) == 1:
        return Barred(other, negated(condition))
    return under(then, condition) + sp.Add(*[under(other, sp.And(*parts[:k], sp.Not(p))) for k, p in enumerate(parts)])


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
        gap = without_fractions(gap) - 1
        if not is_whole_number(gap):
            return None
    free = {e: sp.Dummy("class", integer=True) for e in entries(gap)}
    known = {**ranges, **{d: (sp.S.Zero, sp.Symbol("_classes", integer=True, positive=True)) for d in free.values()}}
    span = bounds(gap.xreplace(free), known)
    if span is None:
        return None
    return True if nonnegative(span[0]) else False if nonnegative(-span[1] - 1) else None


def indicator(condition: sp.Basic) -> sp.Expr:
    """1 where the condition holds, else 0: a bracket on indices, a step for numbers."""
    if condition in (sp.true, sp.false):
        return sp.Integer(condition is sp.true)
    if on_indices(condition) and not condition.has(sp.Or):
        return When(sp.S.One, oriented(condition))
    if isinstance(condition, sp.And):
        return sp.Mul(*[indicator(c) for c in condition.args])
    if isinstance(condition, sp.Or):
        return choose(condition, sp.S.One, sp.S.Zero)
    u, v = condition.args
    if isinstance(condition, (sp.Gt, sp.Le)):
        return step(u - v) if isinstance(condition, sp.Gt) else 1 - step(u - v)
    if isinstance(condition, (sp.Lt, sp.Ge)):
        return step(v - u) if isinstance(condition, sp.Lt) else 1 - step(v - u)
    return sp.Piecewise((1, condition), (0, True), evaluate=False)


def on_indices(condition: sp.Basic) -> bool:
    """True for a comparison of indices and sizes alone."""
    return not condition.has(sp.Indexed) and all(s.is_integer for s in condition.free_symbols) and condition not in (sp.true, sp.false)


def under(expr: sp.Expr, condition: sp.Basic) -> sp.Expr:
    """[condition] expr, a sum of brackets each on its own; t > 1 is written t >= 2."""
    whole = sp.And(*[_not_strict(c) for c in sp.And.make_args(oriented(condition))])
    if isinstance(expr, sp.Add) and all(isinstance(term, When) for term in expr.args):
        return sp.Add(*[When(term.body, sp.And(whole, term.condition)) for term in expr.args])
    return When(expr.body, sp.And(whole, expr.condition)) if isinstance(expr, When) else When(expr, whole)


def _not_strict(condition: sp.Basic) -> sp.Basic:
    if not isinstance(condition, (sp.Gt, sp.Lt, sp.Ge, sp.Le)):
        return condition
    gap = sp.expand(condition.lhs - condition.rhs)
    if without_fractions(gap) != gap:
        return compared(type(condition), condition.lhs, condition.rhs)
    if isinstance(condition, (sp.Ge, sp.Le)) or not is_whole_number(gap):
        return condition
    return sp.Ge(condition.lhs, condition.rhs + 1) if isinstance(condition, sp.Gt) else sp.Le(condition.lhs, condition.rhs - 1)


def oriented(condition: sp.Basic) -> sp.Basic:
    """Comparisons with the index on the left, as symnet writes them: 1 <= i becomes i >= 1."""
    if isinstance(condition, sp.And):
        return sp.And(*[oriented(c) for c in condition.args])
    moving = [any(not s.is_positive for s in side.free_symbols) for side in condition.args]
    return condition.reversed if moving == [False, True] else condition


def times(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """a·b; a bracket takes in the whole product, so that what it guards is not looked at where it fails."""
    if isinstance(a, When):
        return When(times(a.body, b), a.condition)
    return When(times(a, b.body), b.condition) if isinstance(b, When) else a * b


def is_condition(expr: sp.Basic) -> bool:
    """True for a comparison or several; a name is none, though SymPy counts symbols among its truth values."""
    return isinstance(expr, sp.logic.boolalg.Boolean) and not isinstance(expr, sp.Symbol)


def choose(condition: sp.Expr, yes: sp.Expr, no: sp.Expr) -> sp.Expr:
    """``yes`` where the condition holds, else ``no``: brackets for what is asked of indices, cases, as they are written, for the rest."""
    if not is_condition(condition):
        raise ParseError("condition", str(condition), "a comparison such as z > 0")
    if condition in (sp.true, sp.false):
        return yes if condition is sp.true else no
    joins, parts = type(condition), condition.args
    if joins not in (sp.And, sp.Or):
        joins, parts = sp.And, (condition,)
    here = [c for c in parts if on_indices(c)]
    rest = joins(*[c for c in parts if c not in here])
    if here and joins is sp.And:
        return by_bracket(sp.And(*here), choose(rest, yes, no), no)
    if here:
        return by_bracket(sp.Or(*here), yes, choose(rest, yes, no))
    mixed = next((c for c in parts if isinstance(c, (sp.And, sp.Or)) and any(map(on_indices, c.atoms(Relational)))), None)
    if mixed is not None and len(parts) > 1:
        rest = joins(*[c for c in parts if c is not mixed])
        return choose(mixed, choose(rest, yes, no), no) if joins is sp.And else choose(mixed, yes, choose(rest, yes, no))
    if condition.has(sp.Piecewise):  # SymPy would turn it into cases of truth values, which have no form here: cases of cases say the same
        return _chosen_by_cases(condition, yes, no)
    return sp.Piecewise((yes, condition), (no, True), evaluate=False)


def _chosen_by_cases(condition: sp.Expr, yes: sp.Expr, no: sp.Expr) -> sp.Expr:
    """(yes if (a if c else b) > 0 else no) as ((yes if a > 0 else no) if c else (yes if b > 0 else no))."""
    inner = [p for p in sp.preorder_traversal(condition) if isinstance(p, sp.Piecewise)]
    if len(set(inner)) > 3:
        raise ParseError("condition", "too many cases inside a condition", "at most 3")
    parts = [choose(condition.xreplace({inner[-1]: e}), yes, no) for e, _ in inner[-1].args]
    return sp.Piecewise(*zip(parts, [c for _, c in inner[-1].args], strict=True), evaluate=False)
