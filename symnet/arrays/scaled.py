"""Quotients and products of sums of exponentials, each sum next to its own scale: N/D is N e^-M / (D e^-M), M the log of D without weights.

The last resort where no share is recognized, Σ y e^z/(1 + Σ e^x) for instance: every sum is a number of ordinary size times e^M, and the
scales of all factors meet in one exponent, where they are subtracted before anything overflows.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from symnet.arrays import stable_functions as st
from symnet.arrays.indefinite import indefinite, is_open
from symnet.arrays.weighted import split_weight
from symnet.core.axes import is_index
from symnet.core.expressions import When, fresh, rebuild
from symnet.core.functions import sigmoid, softplus

FAR = 10**4  # e^-FAR is 0 in every floating-point type
Log = Callable[[sp.Expr], sp.Expr]  # the logarithm of a sum of exponentials with positive coefficients, in its stable form


def scaled(expr: sp.Expr, log: Log) -> sp.Expr:
    """``expr`` with the scales of each indefinite product in one exponent.

    >>> x, y = sp.symbols("x y", real=True)
    >>> scaled(sp.exp(x)/(1 + sp.exp(y)), sp.log)
    exp(x - grouped(log(exp(y) + 1)))
    """
    if expr.is_Atom or isinstance(expr, (sp.Indexed, st.Stable)):
        return expr
    made = rebuild(expr, tuple(scaled(a, log) if isinstance(a, sp.Expr) and not isinstance(expr, sp.exp) else a for a in expr.args))
    return _product(made, log) if isinstance(made, sp.Mul) and indefinite(made) else made


def log_scaled(total: sp.Expr, log: Log) -> tuple[sp.Expr, sp.Expr] | None:
    """(log(N e^-M) + M, M): the logarithm of a sum N of exponentials with weights of any sign, and its scale; None for anything else."""
    total = joined(total)
    whole = majorant(total)
    if whole is None:
        return None
    scale = log(whole)
    return sp.Add(sp.log(_scaled_down(total, scale)), scale), scale


def kept_below(total: sp.Expr) -> sp.Expr:
    """``total`` with its exponentials at most e, for a place where they are less."""
    return joined(total).replace(lambda f: isinstance(f, sp.exp) and not f.is_number, lambda f: _exp(st.clamped(f.args[0], -FAR, 1)))


def joined(total: sp.Expr) -> sp.Expr:
    """``total`` with each product of exponentials as one, e^x e^-(x + 1) as e^-1: alone, one may overflow where the other is 0."""
    def one(product: sp.Mul) -> sp.Expr:
        powers = [f for f in product.args if isinstance(f, sp.exp)]
        return sp.Mul(*[f for f in product.args if f not in powers], sp.exp(sp.Add(*[f.args[0] for f in powers])))
    return total.replace(lambda f: isinstance(f, sp.Mul) and sum(isinstance(g, sp.exp) for g in f.args) > 1, one)


def _product(product: sp.Mul, log: Log) -> sp.Expr:
    exponent, kept, tops = sp.S.Zero, list[sp.Expr](), list[sp.Expr]()
    for f in (part for whole in product.args for part in _parts(whole)):
        base, count = (f, sp.S.One) if isinstance(f, sp.exp) else f.as_base_exp()
        power = _exponent(base) if count.is_Rational else None
        if power is not None:
            exponent += count * power
        elif is_open(base) and count.is_Rational:
            whole = majorant(base)
            if whole is None:
                return product
            if count == 1 and whole != base and not tops:
                tops.append(base)
                continue
            exponent += count * st.grouped(log(whole))
            kept += [] if whole == base else [_scaled_down(base, log(whole)) ** count]
        else:
            kept.append(f)
    for top in tops:
        if {*filter(is_index, exponent.free_symbols)} <= top.free_symbols:  # it meets each term, also one whose weight alone is not 0
            return sp.Mul(*kept, times_exp(top, exponent))
        scale = log(majorant(top))
        exponent += st.grouped(scale)
        kept.append(_scaled_down(top, scale))
    return sp.Mul(*kept, _exp(exponent))


def _parts(factor: sp.Expr) -> tuple[sp.Expr, ...]:
    """A weighted share w e^u/Σ w e^v as w, e^u and the sum."""
    base, count = factor.as_base_exp()
    found = split_weight(base.args[0]) if isinstance(base, st.share) else None
    return (factor,) if found is None else (found[0] ** count, _exp(count * found[1]), base.args[1] ** -count)


def _exponent(base: sp.Expr) -> sp.Expr | None:
    """The logarithm of an exponential, or of a function between 0 and 1 that is made of some."""
    if isinstance(base, sp.exp):
        return base.args[0]
    if isinstance(base, st.share) and isinstance(base.args[0], sp.exp):
        return st.log_share(*base.args)
    if isinstance(base, st.part):
        return st.log_part(*base.args)
    if isinstance(base, sigmoid):
        return -softplus(-base.args[0])
    return -softplus(base.args[0]) - softplus(-base.args[0]) if isinstance(base, st.bell) else None


def _scaled_down(total: sp.Expr, scale: sp.Expr) -> sp.Expr:
    """total · e^-scale, a number of ordinary size."""
    return st.grouped(times_exp(total, -st.grouped(scale)))


def majorant(total: sp.Expr) -> sp.Expr | None:
    """A sum of exponentials that is about as large as ``total`` may be but for its weights, which are left out, and how many numbers there
    are; ``total`` itself where it has no weight. (a + b)^k is about a^k + b^k: a logarithm that is known. None where there is anything
    else in it."""
    if isinstance(total, sp.Add):
        parts = [majorant(t) for t in total.args]
        return None if any(p is None for p in parts) else sp.Add(*parts)
    if total.is_number and total.is_positive:
        return total
    if isinstance(total, sp.exp):
        return total
    if isinstance(total, sp.Sum):
        inner = majorant(total.function)
        if inner is None or not inner.has(sp.exp):
            return None
        opened = [rebuild(total, (t, *total.args[1:])) for t in sp.Add.make_args(inner) if is_open(t)]
        return sp.Add(*opened, *[] if len(opened) == len(sp.Add.make_args(inner)) else [sp.S.One])
    if isinstance(total, sp.Mul):
        numbers, opened = [f for f in total.args if f.is_number], [f for f in total.args if not f.is_number and is_open(f)]
        whole = [majorant(f) for f in opened]
        if any(w is None for w in whole):
            return None
        number = sp.Abs(sp.Mul(*numbers)) if len(numbers) + len(opened) == len(total.args) else sp.S.One
        return sp.Mul(number, *whole)
    if isinstance(total, sp.Pow) and is_open(total):
        inner = majorant(total.base)
        if inner is None or not (total.exp.is_Integer and total.exp > 0):
            return None
        return sp.Add(*[sp.Pow(t, total.exp) for t in sp.Add.make_args(inner)])
    return None if is_open(total) else sp.S.One


def times_exp(total: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    """total · e^exponent, brought into the exponentials of ``total``."""
    if isinstance(total, sp.exp):
        return _exp(sp.Add(total.args[0], exponent))
    if isinstance(total, sp.Add):
        return sp.Add(*[times_exp(t, exponent) for t in total.args])
    if isinstance(total, sp.Sum):
        return rebuild(total, (times_exp(total.function, fresh(exponent)), *total.args[1:]))
    if isinstance(total, When):
        return When(times_exp(total.body, exponent), total.condition)
    if isinstance(total, sp.Mul):
        powers = [f for f in total.args if isinstance(f, sp.exp)]
        opened = [f for f in total.args if f not in powers and is_open(f)]
        if powers:
            return sp.Mul(*[f for f in total.args if f not in powers], _exp(sp.Add(*[f.args[0] for f in powers], exponent)))
        if opened:
            return sp.Mul(*[f for f in total.args if f is not opened[0]], times_exp(opened[0], exponent))
    if isinstance(total, sp.Pow) and is_open(total) and total.exp.is_Integer and total.exp > 0:
        return times_exp(total.base, exponent / total.exp) ** total.exp
    return sp.Mul(total, _exp(exponent))


def _exp(exponent: sp.Expr) -> sp.Expr:
    return sp.exp(exponent, evaluate=False)
