"""Entrywise functions of other frameworks as SymPy, relu and leaky_relu by their textbook names.

A maximum that only keeps exp from overflowing is carried as a mark: ``Top`` is that maximum and ``Scale`` is exp(Top), both
unknown. exp(z - Top) = exp(z)/Scale, and log(Scale s) = Top + log s, so in a softmax or log-sum-exp they cancel exactly; what
does not cancel is refused when the line is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import sympy as sp

from symnet.core import functions as fn
from symnet.core.axes import Range
from symnet.core.expressions import Limits, When, entries, limits, substitute
from symnet.core.functions import Max, Min
from symnet.core.iverson import settle
from symnet.indexing.conditions import Barred, by_bracket, compared, negated, truth, whole


class Top(sp.Function):  # type: ignore[misc]
    """Top(k, places): the maximum that node k takes, at these places."""

    is_real = True


class Scale(sp.Function):  # type: ignore[misc]
    """exp of the Top with the same arguments."""

    is_real = True
    is_positive = True


def exp(u: sp.Expr) -> sp.Expr:
    """exp(u), with marks taken out as factors."""
    if isinstance(u, Barred):
        outside, inside = _scales(exp(u.args[0]))
        return sp.Mul(*outside, When(sp.Mul(*inside), u.args[1]))
    marks: list[sp.Expr] = []
    rest: list[sp.Expr] = []
    for term in sp.Add.make_args(u):
        factor, mark = term.as_coeff_Mul()
        (marks if isinstance(mark, Top) and factor.is_Integer else rest).append(term)
    scales = [Scale(*t.as_coeff_Mul()[1].args) ** t.as_coeff_Mul()[0] for t in marks]
    return sp.Mul(sp.exp(sp.Add(*rest)), *scales)


def log(u: sp.Expr) -> sp.Expr:
    """log(u), with marks taken out as terms."""
    marks, rest = _scales(u)
    return sp.Add(sp.log(sp.Mul(*rest)), *[f.as_base_exp()[1] * Top(*f.as_base_exp()[0].args) for f in marks])


def summed(body: sp.Expr, over: tuple[Limits, ...], ranges: Mapping[sp.Symbol, Range]) -> sp.Expr:
    """Σ body under bound indices of its own, without the sums over indices that a bracket fixes; marks that do not depend on the sum
    are taken out. ``ranges`` are those of the free indices."""
    own = {i: sp.Dummy(i.name, integer=True) for i, _, _ in over}
    body, over = substitute(body, own), tuple((own[i], lo, hi) for i, lo, hi in over)
    marks, rest = _scales(body)
    outside = [f for f in marks if not f.free_symbols & {i for i, _, _ in over}]
    if not outside:
        return settle(body, over, ranges)
    return sp.Mul(*outside, settle(sp.Mul(*rest, *[f for f in marks if f not in outside]), over, ranges))


def _scales(u: sp.Expr) -> tuple[list[sp.Expr], list[sp.Expr]]:
    """(the factors that are powers of marks, the others)."""
    factors = sp.Mul.make_args(u)
    marks = [f for f in factors if isinstance(f.as_base_exp()[0], Scale)]
    return marks, [f for f in factors if f not in marks]


def marked(u: sp.Basic) -> bool:
    """True while a mark has not cancelled."""
    return bool(u.has(Top, Scale))


def _positive(u: sp.Expr) -> bool:
    """True when u > 0 for certain: an exp, a mark, a sum, product or power of such."""
    if isinstance(u, sp.Sum):  # of exponentials under a bracket: a softmax has at least one term
        return _positive(u.function.body if isinstance(u.function, When) else u.function)
    if isinstance(u, (sp.Add, sp.Mul)):
        return all(_positive(a) for a in u.args)
    return isinstance(u, (sp.exp, Scale, fn.sigmoid)) or (isinstance(u, sp.Pow) and _positive(u.base)) or bool(
        u.is_Number and u.is_positive)


def absolute(u: sp.Expr) -> sp.Expr:
    """|u|, or u itself where it is positive for certain."""
    return u if _positive(u) else fn.absolute(u)


def maximum(u: sp.Expr, v: sp.Expr) -> sp.Expr:
    """max(u, v); relu where one is 0."""
    for a, b in ((u, v), (v, u)):
        if b == -sp.oo:
            return a
        if b.is_zero:
            return fn.relu(a)
    return Max(u, v)


def minimum(u: sp.Expr, v: sp.Expr) -> sp.Expr:
    """min(u, v)."""
    for a, b in ((u, v), (v, u)):
        if b == sp.oo:
            return a
    return Min(u, v)


def minus(u: sp.Expr) -> sp.Expr:
    """-u, term by term while u has marks to cancel."""
    return sp.Add(*[-t for t in u.args]) if isinstance(u, sp.Add) and marked(u) else -u


def choose(condition: sp.Basic, then: sp.Expr, other: sp.Expr) -> sp.Expr:
    """``then`` where the condition holds, else ``other``; relu and leaky_relu by their names. Two conditions make one."""
    condition = truth(condition)
    if condition in (sp.true, sp.false):
        return then if condition is sp.true else other
    if not isinstance(then, sp.Expr) or not isinstance(other, sp.Expr):
        return sp.Or(sp.And(condition, truth(then)), sp.And(negated(condition), truth(other)))
    if whole(condition):
        return by_bracket(condition, then, other)
    if isinstance(condition, (sp.Gt, sp.Ge)) and condition.rhs == 0 and then == condition.lhs:
        slope, rest = other.as_coeff_Mul()
        if other.is_zero or rest == then:
            return fn.relu(then) if other.is_zero else fn.leaky_relu(then, slope)
    return sp.Piecewise((then, condition), (other, True))


def added(u: sp.Expr, v: sp.Expr) -> sp.Expr:
    """u + v; -∞ stays where it is."""
    for a, b in ((u, v), (v, u)):
        if isinstance(a, Barred):
            if isinstance(b, Barred):
                return Barred(added(a.args[0], b.args[0]), sp.And(a.args[1], b.args[1]))
            return Barred(added(a.args[0], b), a.args[1])
    return u + v


def multiplied(u: sp.Expr, v: sp.Expr) -> sp.Expr:
    """u v; -∞ stays where it is times a positive number."""
    for a, b in ((u, v), (v, u)):
        if isinstance(a, Barred) and b.is_positive:
            return Barred(a.args[0] * b, a.args[1])
    return u * v


def stopped(u: sp.Basic) -> sp.Basic:
    """stop_gradient(u); of what depends on no entry, u itself.

    A maximum that is stopped is a mark of its own, with a negative number, and is a constant everywhere it stands; so it is taken out of
    a stop-gradient. One that is not stopped is not: its slope counts outside, and would not cancel with what is held inside.
    """
    if isinstance(u, Top):
        return Top(-sp.Abs(u.args[0]), *u.args[1:])
    if not isinstance(u, sp.Expr) or (not marked(u) and next(entries(u), None) is None):
        return u
    if isinstance(u, Barred):
        return Barred(stopped(u.args[0]), u.args[1])
    if isinstance(u, When):
        return When(stopped(u.body), u.condition)
    if isinstance(u, sp.Add) and marked(u):
        marks = [t for t in u.args if isinstance(t.as_coeff_Mul()[1], Top) and t.as_coeff_Mul()[1].args[0].is_negative]
        return sp.Add(fn.stop_gradient(sp.Add(*[t for t in u.args if t not in marks])), *marks)
    marks = [f for f in _scales(u)[0] if f.as_base_exp()[0].args[0].is_negative]
    return sp.Mul(fn.stop_gradient(sp.Mul(*[f for f in sp.Mul.make_args(u) if f not in marks])), *marks)


def _same_or_not(kind: Any) -> Callable[[sp.Basic, sp.Basic], sp.Basic]:
    """Equal or unequal, numbers or truths."""
    def rule(u: sp.Basic, v: sp.Basic) -> sp.Basic:
        if isinstance(u, sp.Expr) and isinstance(v, sp.Expr):
            return compared(kind, u, v)
        for test, number in ((u, v), (v, u)):
            if isinstance(number, sp.Expr):  # true is 1 and false is 0, and no other number is either
                same = sp.Or(sp.And(test, compared(sp.Eq, number, sp.S.One)), sp.And(negated(test), compared(sp.Eq, number, sp.S.Zero)))
                return same if kind is sp.Eq else negated(same)
        other = negated(v) if kind is sp.Eq else v
        return sp.Or(sp.And(u, negated(other)), sp.And(negated(u), other))
    return rule


def power(u: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    """u ** exponent."""
    return u**exponent


MAPS: dict[str, Callable[..., sp.Basic]] = {
    **{name: row.function for name, row in fn.NAMED.items()},  # below: what also knows marks, bars and conditions
    "add": added, "sub": lambda u, v: added(u, minus(v)), "mul": multiplied, "div": lambda u, v: multiplied(u, 1 / v), "neg": minus,
    "pow": power,
    "exp": exp, "log": log, "log1p": lambda u: log(1 + u), "expm1": lambda u: exp(u) - 1, "erfc": lambda u: 1 - sp.erf(u),
    "sqrt": sp.sqrt, "rsqrt": lambda u: 1 / sp.sqrt(u), "square": lambda u: u**2, "abs": absolute, "max": maximum, "min": minimum,
    "gt": partial(compared, sp.Gt), "ge": partial(compared, sp.Ge), "lt": partial(compared, sp.Lt), "le": partial(compared, sp.Le),
    "eq": _same_or_not(sp.Eq), "ne": _same_or_not(sp.Ne), "is_finite": lambda u: sp.true,
    "never": lambda u: sp.false, "and": lambda u, v: sp.And(truth(u), truth(v)), "or": lambda u, v: sp.Or(truth(u), truth(v)),
    "not": lambda u: negated(truth(u)),
    "stop_gradient": stopped, "ceil": fn.ceiling, "round": fn.half_to_even,
    "indicator": lambda c: choose(c, sp.S.One, sp.S.Zero), "select": choose,
}
LINEAR = frozenset({"add", "sub", "mul", "div", "neg", "select", "indicator"})
ACTIVATIONS = (fn.sigmoid, sp.tanh, fn.relu, fn.leaky_relu, fn.softplus, sp.sin, sp.cos)


def is_exp(u: sp.Basic) -> bool:
    """exp(…), or [c] exp(…)."""
    return isinstance(u.body if isinstance(u, When) else u, sp.exp)


def is_exp_sum(u: sp.Basic) -> bool:
    """Σ exp(…) or Σ [c] exp(…): the lower half of a softmax."""
    return isinstance(u, sp.Sum) and is_exp(u.function) and len(limits(u)) == 1
