"""Sums without their own term: what is left of p_j (v_j/(1 - p_j) - Σ_i p_i v_i/(1 - p_i)) where one share p is nearly 1.

The slope of a loss with 1 - p below a stroke or in a logarithm, p a softmax, has terms that are huge where p is nearly 1, and equal but for
their last digits. In p_j Σ_i w_i/(1 - p_i) the term of j itself is taken out; it and the terms that stand by themselves are then one
rational function of p_j, in which 1 - p_j cancels exactly. What is left, p_j Σ_{i≠j} w_i/(1 - p_i), has no large terms that meet: for the
one i with a share of nearly 1, p_j/(1 - p_i) is the share of j among all but i.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from symnet.arrays import stable_functions as st
from symnet.arrays.canonical import same
from symnet.core.expressions import entries, limits

Looked = Callable[[sp.Expr], sp.Expr]  # what a name stands for, in its stable form


def without_own(expr: sp.Expr, look: Looked) -> sp.Expr:
    """``expr`` with the term of its own place taken out of each such sum; ``look`` tells what the name of a share stands for."""
    if not divides_by_complement(expr) or not expr.has(sp.Sum):
        return expr
    looked = {e: look(e) for e in set(entries(expr))}
    expr = expr.xreplace({e: share for e, share in looked.items() if isinstance(share, st.share) and isinstance(share.args[1], sp.Add)})
    terms, crossed = [t for part in sp.Add.make_args(expr) for t in _single(part)], list[sp.Expr]()
    own: dict[st.others, list[sp.Expr]] = {}
    rest = list[sp.Expr]()
    for term in terms:
        found = _cross(term, look)
        if found is not None:
            made, own_term, complement = found
            crossed.append(made)
            own.setdefault(complement, []).extend(_single(own_term))
        else:
            rest.append(term)
    if not crossed:
        return expr
    for complement, parts in own.items():
        share = _share(complement)
        mine = [t for t in rest if any(isinstance(f, sp.Pow) and f.base == complement for f in sp.Mul.make_args(t))
                and not any(isinstance(f, sp.Sum) and divides_by_complement(f) for f in sp.Mul.make_args(t))]
        rest = [t for t in rest if t not in mine]
        crossed.append(_together(sp.Add(*mine, *parts), share, complement))
    return sp.Add(*crossed, *rest)


def divides_by_complement(expr: sp.Expr) -> bool:
    """True for an expression with 1/(1 - p), p a share."""
    return any(map(_divides, expr.atoms(sp.Pow)))


def _divides(power: sp.Pow) -> bool:
    return isinstance(power.base, st.others) and bool(power.exp.is_negative)


def _share(complement: st.others) -> sp.Expr:
    e, whole = complement.args
    return st.share(e, whole) if e.has(sp.exp) else e


def _single(term: sp.Expr) -> list[sp.Expr]:
    """Products with sums in brackets, and sums of several terms, as single terms."""
    made = []
    for t in sp.Add.make_args(sp.expand_mul(term, deep=False)):
        for k, f in enumerate(sp.Mul.make_args(t)):
            if isinstance(f, sp.Sum) and (parts := sp.Add.make_args(sp.expand_mul(f.function, deep=False))) and len(parts) > 1:
                others = sp.Mul(*[g for n, g in enumerate(sp.Mul.make_args(t)) if n != k])
                made += [s for p in parts for s in _single(others * sp.Sum(p, *f.limits))]
                break
        else:
            made.append(sp.Mul(*[_plain(f) for f in sp.Mul.make_args(t)]))
    return made


def _plain(factor: sp.Expr) -> sp.Expr:
    """-Σ f for Σ -f: what is the same but for its sign is seen to cancel."""
    number, body = factor.function.as_coeff_Mul() if isinstance(factor, sp.Sum) else (sp.S.One, factor)
    return factor if number == 1 else number * sp.Sum(body, *factor.limits)


def _cross(term: sp.Expr, look: Looked) -> tuple[sp.Expr, sp.Expr, st.others] | None:
    """(c p_j Σ_{i≠j} w_i/(1 - p_i), c p_j w_j/(1 - p_j), 1 - p_j) where ``term`` is c p_j Σ_i w_i/(1 - p_i)."""
    factors = list(sp.Mul.make_args(term))
    for total in [f for f in factors if isinstance(f, sp.Sum) and len(f.limits) == 1]:
        bound, *_ = limits(total)[0]
        inside = list(sp.Mul.make_args(total.function))
        below = [f.base for f in inside if isinstance(f, sp.Pow) and _divides(f)]
        outside = [f for f in factors if f is not total]
        for complement in below:
            for j in {i for f in outside for i in f.free_symbols if isinstance(i, sp.Symbol) and i.is_integer} - total.free_symbols:
                there = complement.xreplace({bound: j})
                exponential = _exponential(there, look)
                found = None if exponential is None else _quotients(outside, inside, {bound: j}, complement, exponential)
                if exponential is None or found is None or _share(there) not in found[0]:
                    continue
                found[0].remove(_share(there))
                front, weight = sp.Mul(*found[0]), (sp.Mul(*found[1]) * complement).xreplace({bound: j})
                return front * st.crossed(weight, *exponential), front * _share(there) * weight / there, there
    return None


def _quotients(outside: list[sp.Expr], inside: list[sp.Expr], to: dict[sp.Symbol, sp.Symbol], complement: st.others,
               exponential: tuple[sp.Expr, sp.Expr]) -> tuple[list[sp.Expr], list[sp.Expr]] | None:
    """The factors before and within a sum, e_j/Σ e written as the share p_j wherever e_j stands; None where there is no e_j for a 1/Σ e."""
    (e, whole), back = exponential, {j: i for i, j in to.items()}
    made, count = [list[sp.Expr](), list[sp.Expr]()], 0
    for part, factors in zip(made, (outside, inside), strict=True):
        for f in factors:
            base, power = f.as_base_exp()
            if isinstance(base, (sp.Sum, sp.Add)) and power.is_Integer and power < 0 and same(base, whole):
                count -= int(power)
            else:
                part.append(f)
    for _ in range(count):
        for part, top, share in ((made[0], e, _share(complement.xreplace(to))), (made[1], e.xreplace(back), _share(complement))):
            if top in part:
                part[part.index(top)] = share
                break
        else:
            return None
    return made[0], made[1]


def _exponential(complement: st.others, look: Looked) -> tuple[sp.Expr, sp.Expr] | None:
    """e_j and Σ e, of which p_j is the quotient."""
    e, whole = complement.args
    if e.has(sp.exp):
        return e, whole
    share = look(e)
    return share.args if isinstance(share, st.share) and isinstance(share.args[0], sp.exp) else None


def _together(total: sp.Expr, share: sp.Expr, complement: st.others) -> sp.Expr:
    """A rational function of p_j, in which 1 - p_j cancels."""
    p = sp.Dummy("p", positive=True)
    whole = sp.factor(sp.together(total.xreplace({complement: 1 - p, share: p})))
    made = [f.as_base_exp() for f in sp.Mul.make_args(whole)]
    there = {p: share}
    return sp.Mul(*[(-complement) ** n if b == p - 1 else complement**n if b == 1 - p else sp.Pow(b.xreplace(there), n) for b, n in made])
