"""The normal distribution far out: e^(-u²/2)/Φ(u) and e^(u²/2) Φ(u), of which both factors may be 0 or too large for a machine.

The slope of log Φ is the first (the inverse of Mills' ratio, the hazard of -u); erfc times e^(x²) is the second. Either is a hazard, a
function of ordinary size, times an exponential of what is left of the exponents.
"""

from __future__ import annotations

import sympy as sp

from symnet.arrays import stable_functions as st
from symnet.core.expressions import rebuild


def with_hazards(expr: sp.Expr) -> sp.Expr:
    """``expr`` with each product of powers of Φ(u) and an exponential as hazards, where the squares cancel.

    >>> u = sp.Symbol("u", real=True)
    >>> with_hazards(3*sp.exp(-u**2/2)/st.gauss(u))
    3*hazard(u)
    """
    if expr.is_Atom or isinstance(expr, sp.Indexed) or not expr.has(st.gauss):
        return expr
    made = rebuild(expr, tuple(with_hazards(a) if isinstance(a, sp.Expr) else a for a in expr.args))
    tops = [f for f in made.args if isinstance(f, sp.exp)] if isinstance(made, sp.Mul) else []
    if not tops:
        return made
    for f in made.args:
        if f.is_Add and all(any(isinstance(g.as_base_exp()[0], st.gauss) for g in sp.Mul.make_args(t)) for t in f.args):
            return sp.Add(*[with_hazards(sp.Mul(t, *[g for g in made.args if g is not f])) for t in f.args])
    exponent, rest = sp.expand(sp.Add(*[f.args[0] for f in tops])), list[sp.Expr]()
    before = exponent
    for f in made.args:
        base, count = f.as_base_exp()
        left = sp.expand(exponent - count * base.args[0] ** 2 / 2) if isinstance(base, st.gauss) and count.is_Integer else exponent
        if len(sp.Add.make_args(left)) < len(sp.Add.make_args(exponent)) or (left == 0 != exponent):
            exponent = left
            rest.append(st.hazard(*base.args) ** -count)
        elif f not in tops:
            rest.append(f)
    return made if exponent == before else sp.Mul(*rest, sp.exp(exponent, evaluate=False) if exponent != 0 else sp.S.One)
