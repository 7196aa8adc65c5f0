"""Functions with cases (relu, |·|, sign, max, min, Piecewise): written with step, and what the cases ask about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy as sp
from sympy.core.relational import Relational

from symnet.core.expressions import BINDERS, Nabla, When, entries
from symnet.core.functions import TABLE, leaky_relu, relu, step
from symnet.core.matrices import Det, InverseEntry
from symnet.equality.basis_forms import by_row
from symnet.equality.domain_conditions import holes, surely_defined
from symnet.errors import UnknownNodeError

CLOSED = (*BINDERS, When, Nabla, sp.Indexed, Det, InverseEntry)  # what stands in them may hold bound indices: taken whole
BENT = (relu, leaky_relu, sp.Abs, sp.Max, sp.Min)  # continuous, with a kink
JUMPS = (step, sp.sign, sp.floor, sp.Piecewise)
VALUE = {sp.Gt: lambda s: s > 0, sp.Ge: lambda s: s >= 0, sp.Lt: lambda s: s < 0, sp.Le: lambda s: s <= 0,
         sp.Eq: lambda s: s == 0, sp.Ne: lambda s: s != 0}


def has_cases(*sides: sp.Basic) -> bool:
    """True when a side has a part that is decided by the sign of something."""
    return any(side.has(*JUMPS, *BENT) for side in sides)


def in_steps(expr: sp.Basic) -> sp.Basic:
    """``expr`` with relu, |·|, sign, max and min written with step; each rewriting is true everywhere, at the kink too.

    >>> x = sp.Symbol("x", real=True)
    >>> in_steps(sp.Max(x, 0)), in_steps(sp.sign(x))
    (x*step(x), -step(-x) + step(x))
    """
    if not expr.args or isinstance(expr, CLOSED):
        return expr
    if isinstance(expr, (sp.Piecewise, Relational, sp.And, sp.Or, sp.Not)):
        return rebuilt(expr, in_steps)
    args = tuple(in_steps(a) for a in expr.args)
    if isinstance(expr, (sp.Abs, sp.sign, sp.Max, sp.Min)) and not is_real(expr):
        raise UnknownNodeError("equality", f"{TABLE[expr.func].name} of a complex number", "real numbers")
    if isinstance(expr, sp.sign):
        return step(args[0]) - step(-args[0])
    if isinstance(expr, (sp.Max, sp.Min)):
        best, down = args[0], isinstance(expr, sp.Min)
        for other in args[1:]:
            best = best + (other - best) * step(best - other if down else other - best)
        return best
    if isinstance(expr, BENT):
        return by_row(expr, args)
    return expr if args == expr.args else expr.func(*args)


def put(expr: sp.Basic, there: Mapping[sp.Basic, sp.Basic]) -> sp.Basic:
    """``expr`` with parts replaced. SymPy's xreplace would try to decide each condition it meets, which may take for ever."""
    if expr in there:
        return there[expr]
    if not expr.args or isinstance(expr, CLOSED) or not expr.has(sp.Piecewise, Relational):
        return expr.xreplace(dict(there))
    return rebuilt(expr, lambda part: put(part, there))


def rebuilt(expr: sp.Basic, change: Callable[[sp.Basic], sp.Basic]) -> sp.Basic:
    """``expr`` with every argument changed, and only what is true or false already taken out of cases and conditions."""
    if isinstance(expr, sp.Piecewise):
        return _chosen(expr, change)
    args = [change(a) for a in expr.args]
    if isinstance(expr, Relational):
        return expr.func(*args, evaluate=False)
    if isinstance(expr, (sp.And, sp.Or)):
        stops, passes = (sp.false, sp.true) if isinstance(expr, sp.And) else (sp.true, sp.false)
        rest = [a for a in args if a is not passes]
        return stops if stops in rest else passes if not rest else rest[0] if len(rest) == 1 else expr.func(*rest, evaluate=False)
    if isinstance(expr, sp.Not):
        return expr.func(args[0], evaluate=args[0] in (sp.true, sp.false))
    return expr.func(*args)


def _chosen(expr: sp.Piecewise, change: Callable[[sp.Basic], sp.Basic]) -> sp.Basic:
    kept: list[tuple[sp.Basic, sp.Basic]] = []
    for body, condition in expr.args:
        asked = change(condition)
        if asked is not sp.false:
            kept.append((change(body), asked))
        if asked is sp.true:
            break
    if not kept:
        return sp.nan
    return kept[0][0] if kept[0][1] is sp.true else sp.Piecewise(*kept, evaluate=False)


def is_real(expr: sp.Basic) -> bool:
    """True when every symbol and entry in it stands for a real number."""
    return all(e.is_extended_real for e in entries(expr))


def first_case(*exprs: sp.Basic) -> sp.Basic | None:
    """The step or relation to decide next, in the first of ``exprs`` that has one."""
    return next((found for e in exprs if (found := _first(e)) is not None), None)


def _first(expr: sp.Basic) -> sp.Basic | None:
    """The step or relation to decide next: one that holds no other. Of Piecewise first its first condition."""
    if isinstance(expr, CLOSED):
        return None
    if isinstance(expr, sp.Piecewise):
        asked = sorted(expr.args[0].cond.atoms(Relational), key=str)
        if not asked:
            raise UnknownNodeError("equality", f"the condition {expr.args[0].cond}", "a comparison")
        inner = _first(asked[0].lhs - asked[0].rhs)
        return asked[0] if inner is None else inner
    inner = first_case(*expr.args)
    return expr if inner is None and isinstance(expr, step) else inner


def asked_of(case: sp.Basic) -> sp.Expr:
    """What must be positive (zero, …) for the case to hold."""
    return case.args[0] if isinstance(case, step) else case.lhs - case.rhs


def outcome(case: sp.Basic, sign: int) -> sp.Basic:
    """What a step or relation is when what it asks about has this sign."""
    if isinstance(case, step):
        return sp.Integer(sign > 0)
    return sp.true if VALUE[case.func](sign) else sp.false


def continuous(expr: sp.Basic) -> bool:
    """True when ``expr`` is shown to be continuous wherever it is defined, and that place to be open.

    Roots of what may be negative are left out: sqrt(-x²) is defined at one point alone.
    """
    nodes = [n for n in sp.preorder_traversal(expr) if not isinstance(n, sp.Indexed)]
    if any(isinstance(n, (*JUMPS, *CLOSED)) or (isinstance(n, sp.Function) and n.func not in TABLE) for n in nodes):
        return False
    return all(sign != "<" or surely_defined(hole, sign) for hole, sign in holes(expr))


def analytic(expr: sp.Basic) -> bool:
    """True when ``expr`` is shown to be analytic for all real values of its symbols (in their domains, which are convex)."""
    whole = all(not isinstance(n, (*JUMPS, *BENT, *CLOSED)) or isinstance(n, sp.Indexed) for n in sp.preorder_traversal(expr))
    known = all(n.func in TABLE for n in expr.atoms(sp.Function))
    dense = all(not s.is_integer and not s.is_rational and (s.is_positive or s.is_negative or not s.is_nonzero) for s in expr.free_symbols)
    return whole and known and dense and all(surely_defined(h, "=" if s == "=" else "<=") for h, s in holes(expr))
