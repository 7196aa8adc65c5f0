"""Lines of which only a few places are not 0: the slope by p of a loss of p[1] alone is 0 but at 1.

A line that looks into such a name is written by cases, where its index is the place and where it is another, so that in each case all that
overflows is there to cancel: p_i (g_i - Σ_k g_k p_k) is p_1 (1 - p_1) g_1 at 1 and -p_i p_1 g_1 elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import sympy as sp

from symnet.core.axes import is_index
from symnet.core.expressions import When, entries, fresh, limits, rebuild, substitute
from symnet.core.program import Definition
from symnet.core.tensors import entry_indices, tensor_name

MOST = 2  # places: each may be the same as another
Part = tuple[sp.Expr, sp.Basic]  # a value, and where it counts


def few_places(lines: tuple[Definition, ...]) -> list[tuple[Definition, sp.Symbol, sp.Expr, sp.Expr]] | None:
    """(line, index, place, value): the index of the axis, the places at which a name is not 0 and its values there; None for any other
    name."""
    found = []
    axes = {k for d in lines for k, i in enumerate(d.indices) if i not in d.free}
    if len(lines) > 1 and len(axes) == 1:
        (axis,) = axes
        for d in lines:
            if d.indices[axis] not in d.free:
                found.append((d, sp.Dummy(integer=True), d.indices[axis], d.expr))
            elif d.expr != 0:
                return None
        return found
    for term in sp.Add.make_args(lines[0].expr) if len(lines) == 1 else ():
        outside, brackets = term.as_independent(When, as_Add=False)
        test = brackets.condition if isinstance(brackets, When) else None
        if not isinstance(test, sp.Eq) or outside.has(sp.Sum) or test.lhs not in lines[0].free or any(map(is_index, test.rhs.free_symbols)):
            return None
        found.append((lines[0], test.lhs, test.rhs, outside * brackets.body))
    return found


def by_places(right: sp.Expr, free: set[sp.Symbol], look: Callable[[str], tuple[Definition, ...]]) -> list[Part] | None:
    """``right`` by cases, where ``look`` gives the lines of the names that are to be looked into; None where there are none, or too
    many."""
    there: dict[sp.Expr, sp.Expr] = {}
    for e in set(entries(right)):
        lines = look(tensor_name(e))
        found = few_places(lines) if lines else None
        if found:
            there[e] = sp.Add(*[_at(e, *f) for f in found])
    if not there:
        return None
    whole = _collapsed(right.xreplace(there))
    tests = list(dict.fromkeys(w.condition for w in sorted(whole.atoms(When), key=str)))
    if not 0 < len(tests) <= MOST or not all(isinstance(t, sp.Eq) and t.lhs in free for t in tests) or len({t.lhs for t in tests}) > 1:
        return None
    cases = []
    for holds in product((True, False), repeat=len(tests)):
        chosen = dict(zip(tests, holds, strict=True))
        made = whole.replace(lambda n: isinstance(n, When), lambda w, chosen=chosen: w.body if chosen[w.condition] else sp.S.Zero)
        first = next((t for t in tests if chosen[t]), None)
        if first is not None:
            made = substitute(made, {first.lhs: first.rhs})
        condition = sp.And(*[t if yes else sp.Ne(*t.args) for t, yes in chosen.items()])
        if condition is not sp.false and made != 0:
            cases.append((made, condition))
    return cases


def _at(entry: sp.Expr, line: Definition, index: sp.Symbol, place: sp.Expr, value: sp.Expr) -> sp.Expr:
    """What a line gives at an entry."""
    letters = dict(zip(line.indices, entry_indices(entry), strict=True))
    own = letters[index] if index in letters else letters[place]
    test = sp.Eq(own, place)
    body = substitute(fresh(value), {i: p for i, p in letters.items() if i in line.free})
    return body if test is sp.true else When(body, test) if test is not sp.false else sp.S.Zero


def _collapsed(expr: sp.Expr) -> sp.Expr:
    """Σ_k [k = c] f[k] is f[c]."""
    if expr.is_Atom or isinstance(expr, sp.Indexed) or not expr.has(When):
        return expr
    made = rebuild(expr, tuple(_collapsed(a) if isinstance(a, sp.Expr) else a for a in expr.args))
    if not (isinstance(made, sp.Sum) and len(made.limits) == 1):
        return made
    (bound, *_), kept, taken = limits(made)[0], list[sp.Expr](), list[sp.Expr]()
    for term in sp.Add.make_args(sp.expand_mul(made.function)):
        brackets = [f for f in sp.Mul.make_args(term) if isinstance(f, When) and isinstance(f.condition, sp.Eq)
                    and f.condition.lhs == bound]
        if brackets:
            rest = sp.Mul(*[f for f in sp.Mul.make_args(term) if f is not brackets[0]], brackets[0].body)
            taken.append(substitute(rest, {bound: brackets[0].condition.rhs}))
        else:
            kept.append(term)
    return sp.Add(*taken, sp.Sum(sp.Add(*kept), *made.limits) if kept else sp.S.Zero)
