"""0 times an exponential is 0, also where the exponential is too large for a floating-point number.

The slope of min(e^z, 5) is (1 - step(e^z - 5)) e^z: for z = 10⁴ that is 0 · ∞, which a machine calls NaN. Where a factor step(u), relu(u),
1 - step(u) or a case that is 0 switches a product off, its exponentials are taken at 0 instead. A NaN stays where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy as sp

from symnet.arrays import stable_functions as st
from symnet.core.expressions import fresh, rebuild
from symnet.core.functions import relu, step

OVERFLOW = (sp.exp, sp.sinh, sp.cosh, st.expm1, st.ratio)  # finite for every number, too large for some; the first argument counts
Switch = tuple[sp.Expr, sp.Expr, int, int]  # left, right, the relation and whether it must hold: where the factor is not 0, as in ``kept``
Looked = Callable[[sp.Expr], sp.Expr | None]  # the right side of a name, or None


def switched_off(expr: sp.Expr, slope: Looked = lambda entry: None, value: Looked = lambda entry: None) -> sp.Expr:
    """``expr`` with the exponentials of each product kept at 0 where a factor of it is 0. ``slope`` and ``value`` look into names: the
    one for factors that are 0, the other for exponentials.

    >>> z = sp.Symbol("z", real=True)
    >>> switched_off(step(1 - z)*sp.exp(z)).subs(z, 0), switched_off(step(z) + sp.exp(z))
    (exp(kept(0, 0, 1, 0, 3, 0)), exp(z) + step(z))
    """
    if expr.is_Atom or isinstance(expr, (sp.Indexed, st.kept)):
        return expr
    if not isinstance(expr, sp.Mul):
        return rebuild(expr, tuple(switched_off(a, slope, value) if isinstance(a, sp.Expr) else a for a in expr.args))
    switches = {f: tuple(_switches(f, slope)) for f in expr.args}
    large = [f for f in expr.args if not switches[f] and _grows(f, value)]
    for f in expr.args if large else ():
        rest = [g for g in expr.args if g is not f]
        if f.is_Add and not switches[f] and any(g in large for g in rest) and any(
                True for t in f.args for g in sp.Mul.make_args(t) for _ in _switches(g, slope)):  # each term has switches of its own
            return sp.Add(*[switched_off(sp.Mul(t, *rest), slope, value) for t in f.args])
    off = list(dict.fromkeys(s for found in switches.values() for s in found))
    made = (_kept(f, off, value) if off and f in large else switched_off(f, slope, value) for f in expr.args)
    return rebuild(expr, tuple(made))


def _switches(factor: sp.Expr, slope: Looked) -> Iterator[Switch]:
    """Where the factor is not 0."""
    base, count = factor.as_base_exp()
    if isinstance(base, (step, relu)) and count.is_positive:
        yield base.args[0], sp.S.Zero, st.RELATIONS.index(sp.Le), 0
    elif isinstance(base, st.exceeds) and count.is_positive:
        yield *base.args, st.RELATIONS.index(sp.Le), 0
    elif isinstance(base, sp.Add) and len(base.args) == 2 and 1 in base.args and count.is_positive:
        number, inner = next(t for t in base.args if t != 1).as_coeff_Mul()
        if number == -1 and isinstance(inner, step):
            yield inner.args[0], sp.S.Zero, st.RELATIONS.index(sp.Gt), 0
        elif number == -1 and isinstance(inner, st.exceeds):
            yield *inner.args, st.RELATIONS.index(sp.Gt), 0
    elif isinstance(base, sp.Piecewise) and len(base.args) == 2 and count.is_positive:
        (first, condition), (second, _) = base.args
        if isinstance(condition, sp.core.relational.Relational) and (first == 0) != (second == 0) and not condition.has(sp.Mod):
            yield condition.lhs, condition.rhs, st.RELATIONS.index(condition.func), int(second == 0)
    elif isinstance(base, (sp.Indexed, sp.Symbol)) and count.is_positive:
        right = slope(base)
        for f in sp.Mul.make_args(right) if right is not None else ():
            if not isinstance(f, (sp.Indexed, sp.Symbol)):
                yield from _switches(f, slope)


def has_switches(right: sp.Expr) -> bool:
    """Is it a product with a factor that may be 0 on a stretch?"""
    return any(True for f in sp.Mul.make_args(right) if not isinstance(f, (sp.Indexed, sp.Symbol)) for _ in _switches(f, lambda e: None))


THROUGH = (sp.Add, sp.Mul, sp.Min, sp.Max, sp.Sum, relu)  # finite where their arguments are, and undefined nowhere


def _grows(expr: sp.Expr, value: Looked) -> bool:
    """Is there an exponential in it that ``_kept`` reaches?"""
    if isinstance(expr, OVERFLOW):
        return True
    if isinstance(expr, (sp.Indexed, sp.Symbol)):
        right = value(expr)
        return right is not None and _grows(right, lambda e: None)
    return any(_grows(a, value) for a in _parts(expr))


def _parts(expr: sp.Expr) -> tuple[sp.Expr, ...]:
    power = expr.is_Pow and expr.exp.is_Integer and expr.exp > 0
    return tuple(a for a in expr.args if isinstance(a, sp.Expr)) if isinstance(expr, THROUGH) or power else ()


def _kept(expr: sp.Expr, switches: list[Switch], value: Looked) -> sp.Expr:
    """The exponentials in it at 0 where one of the switches is off; at 1 those that have a pole at 0."""
    if isinstance(expr, OVERFLOW):
        inner, place = expr.args[0], int(isinstance(expr, st.ratio) and bool(expr.args[1] < 0))
        for left, right, relation, holds in switches:
            inner = st.kept(inner, place, left, right, relation, holds)
        return sp.exp(inner, evaluate=False) if isinstance(expr, sp.exp) else expr.func(inner, *expr.args[1:])
    if isinstance(expr, (sp.Indexed, sp.Symbol)):
        right = value(expr)
        return _kept(right, switches, lambda e: None) if right is not None and _grows(right, lambda e: None) else expr
    parts = _parts(expr)
    if isinstance(expr, sp.Sum):  # a switch may hold a sum over the same letter
        switches = [(fresh(left), fresh(right), relation, holds) for left, right, relation, holds in switches]
    return rebuild(expr, tuple(_kept(a, switches, value) if a in parts else a for a in expr.args)) if parts else expr
