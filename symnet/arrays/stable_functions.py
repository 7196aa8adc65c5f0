"""Functions that compiled code computes without overflow and without cancellation; each is an identity away from the language.

None of them is a function of the language: a program never holds one, ``stable`` puts them in the place of what users write.
``MEANING`` says what each is in the language's own functions; a test proves from it every rule of ``exponentials``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from symnet.arrays.canonical import place_in, sum_with
from symnet.core.expressions import limits
from symnet.core.functions import sigmoid, softplus, step


class Stable(sp.Function):  # type: ignore[misc]
    """A real function with a form of its own in every target; abstract."""

    is_real = True

    def _eval_is_finite(self) -> Any:
        return None


class expm1(Stable):
    """e^u - 1, also where u is tiny."""

    nargs = 1


class log1p(Stable):
    """log(1 + u), also where u is tiny."""

    nargs = 1


class bell(Stable):
    """σ(u)σ(-u), the slope of the sigmoid, from one exponential; 1 - σ(u) is never formed."""

    nargs = 1


class logaddexp(Stable):
    """log(e^u + e^v)."""

    nargs = 2


class ratio(Stable):
    """(E - 1)^k E^a P(E)/Q(E) with E = e^u; P and Q have a constant term, and neither is ever formed at a large E.

    Arguments: u, k, a, the number of coefficients of P, those of P from the constant up, those of Q.
    """


class logratio(Stable):
    """The logarithm of ``ratio``, k = 0 and P/Q positive: from log1p of (P - Q)/Q, and the powers of E added outside."""


class near(Stable):
    """near(u, x, y) is y for |u| < 1 and x elsewhere; both are the same number, computed in two ways."""

    nargs = 3


class kept(Stable):
    """kept(u, place, left, right, relation, holds): u where the comparison holds (holds = 1) or fails (0), and ``place`` elsewhere.

    Used inside a branch that counts only where it is u. ``relation`` is the place of the comparison in RELATIONS.
    """

    nargs = 6


RELATIONS = (sp.Gt, sp.Ge, sp.Lt, sp.Le, sp.Eq, sp.Ne)


class clamped(Stable):
    """clamped(u, a, b): u, kept between a and b; used inside ``near`` alone, where only the u between count."""

    nargs = 3


class share(Stable):
    """share(e^u, Σ e^v) = e^u/Σ e^v, one entry of a softmax; or of a weighted one, share(w e^u, Σ w e^v). There may be more in the total,
    c + Σ e^v, of which e^u is no term."""

    nargs = 2


class others(Stable):
    """others(e^u, Σ e^v) = 1 - e^u/Σ e^v: what the other entries of a softmax add up to, as their sum."""

    nargs = 2


class other_terms(Stable):
    """other_terms(t, Σ t) = Σ t - t: what the other terms of a sum add up to, as their sum."""

    nargs = 2


class crossed(Stable):
    """crossed(w_j, e_j, Σ e) = p_j Σ_{i≠j} w_i/(1 - p_i) for the shares p_i = e_i/Σ e, w_i standing where w_j does."""

    nargs = 3


class log_share(Stable):
    """The logarithm of ``share``: of the largest entry log1p of what the others are next to it."""

    nargs = 2


class log_others(Stable):
    """The logarithm of ``others``; log1p of minus the share while that is small."""

    nargs = 2


class exceeds(Stable):
    """exceeds(u, v) is 1 where u > v as both were computed, else 0: step(u - v), with no difference that is rounded."""

    nargs = 2


class part(Stable):
    """part(n, v1, v2, …): e^v of the first n added up, over all of them added up."""


class log_part(Stable):
    """The logarithm of ``part``."""


class grouped(Stable):
    """A difference that is formed before anything is added to it; SymPy would put all terms in one sum, in any order."""

    nargs = 1


class xlogy(Stable):
    """xlogy(x, w) = x log w, and 0 where x = 0; used where w is a multiple of a positive power of x, so that 0 is the limit."""

    nargs = 2


class gauss(Stable):
    """Φ(u) = (1 + erf(u/√2))/2, the normal distribution, with all digits in both tails."""

    nargs = 1


class log_gauss(Stable):
    """log Φ(u), however small that is."""

    nargs = 1


class hazard(Stable):
    """e^(-u²/2)/Φ(u), at -u times 1/√(2π) the hazard of the normal distribution: about -√(2π) u far below 0."""

    nargs = 1


class reciprocal(Stable):
    """1/r, and 0 where r = 0: r is a norm, whose slope at 0 is 0 by convention."""

    nargs = 1


def _fraction(*args: sp.Expr) -> sp.Expr:
    u, k, a, count, *rest = args
    grown = [sp.Add(*[c * sp.exp(n * u) for n, c in enumerate(part)]) for part in (rest[:int(count)], rest[int(count):])]
    return (sp.exp(u) - 1) ** k * sp.exp(a * u) * grown[0] / grown[1]


def _part(count: sp.Expr, *exponents: sp.Expr) -> sp.Expr:
    return sp.Add(*map(sp.exp, exponents[:int(count)])) / sp.Add(*map(sp.exp, exponents))


def _crossed(weight: sp.Expr, e: sp.Expr, total: sp.Expr) -> sp.Expr:
    whole, place = sum_with(e, total), place_in(e, total)
    assert whole is not None and place is not None
    bound, lo, hi = limits(whole)[0]
    every = weight / (1 - e / total)
    return e / total * (sp.Sum(every.xreplace({place: bound}), (bound, lo, hi)) - every)


MEANING: Mapping[Any, Callable[..., sp.Expr]] = {
    expm1: lambda u: sp.exp(u) - 1,
    log1p: lambda u: sp.log(1 + u),
    bell: lambda u: sigmoid(u) * sigmoid(-u),
    logaddexp: lambda u, v: sp.log(sp.exp(u) + sp.exp(v)),
    ratio: _fraction,
    logratio: lambda *args: sp.log(_fraction(*args)),
    near: lambda u, x, y: y,
    clamped: lambda u, a, b: u,
    kept: lambda u, *condition: u,
    share: lambda e, s: e / s,
    others: lambda e, s: 1 - e / s,
    other_terms: lambda own, total: total - own,
    crossed: _crossed,
    log_share: lambda e, s: sp.log(e / s),
    log_others: lambda e, s: sp.log(1 - e / s),
    part: _part,
    log_part: lambda *args: sp.log(_part(*args)),
    grouped: lambda u: u,
    exceeds: lambda u, v: step(u - v),
    xlogy: lambda x, w: x * sp.log(w),
    gauss: lambda u: (1 + sp.erf(u / sp.sqrt(2))) / 2,
    log_gauss: lambda u: sp.log((1 + sp.erf(u / sp.sqrt(2))) / 2),
    hazard: lambda u: 2 * sp.exp(-(u**2) / 2) / (1 + sp.erf(u / sp.sqrt(2))),
    reciprocal: lambda r: 1 / r,
}


def log_total(total: sp.Expr) -> sp.Expr:
    """The logarithm of a total, c + e^u + Σ e^v, from those of its terms."""
    logs = [t.args[0] if isinstance(t, sp.exp) else sp.log(t) for t in sp.Add.make_args(total)]
    value = logs[0]
    for u in logs[1:]:
        value = softplus(u) if value == 0 else softplus(value) if u == 0 else logaddexp(value, u)
    return value


def in_language(expr: sp.Expr) -> sp.Expr:
    """``expr`` with every stable function written out again in the functions of the language."""
    if expr.is_Atom:
        return expr
    args = tuple(in_language(a) if isinstance(a, sp.Basic) else a for a in expr.args)
    return MEANING[expr.func](*args) if expr.func in MEANING else expr.func(*args)
