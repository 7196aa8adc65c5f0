"""Rewriting that keeps the value and shortens the line: linearity of sums, common factors, declared assumptions.

Each function is an identity of the real numbers; nothing here searches or guesses.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import sympy as sp

from symnet.calculus.folding import unify
from symnet.core.axes import bounds, is_index, nonnegative
from symnet.core.expressions import Limits, When, asks_data, entries, limits, rebuild, substitute, total
from symnet.core.program import Assumption, Program
from symnet.core.structures import ONE_HOT
from symnet.core.tensors import has_name, tensor_name


def tidy(expr: sp.Expr) -> sp.Expr:
    """Sums pulled apart and what does not depend on their index pulled out; then common factors in front."""
    return common_factor(linear(expr))


def linear(expr: sp.Expr) -> sp.Expr:
    """Σ(a + b) = Σa + Σb and Σ c·a = c·Σa for c without the index; [cond]-brackets are left whole."""
    if expr.is_Atom or isinstance(expr, (sp.Indexed, When)) or not expr.has(sp.Sum):
        return expr
    if not isinstance(expr, sp.Sum):
        return rebuild(expr, tuple(linear(a) if isinstance(a, sp.Expr) else a for a in expr.args))
    body = linear(expr.function)
    terms = sp.Add.make_args(body)
    return sp.Add(*[_pull(term, limits(expr)) for term in terms])


def _count(i: sp.Symbol, lo: sp.Expr, hi: sp.Expr, outer: tuple[Limits, ...]) -> sp.Expr:
    """How many terms a sum has, hi - lo + 1 where that is shown to be >= 0 within the sums around it: 1..n - 2 has none at n = 1."""
    whole = hi - lo + 1
    span = bounds(sp.expand(whole), {j: (low, high) for j, low, high in outer})
    return whole if span is not None and nonnegative(span[0]) else total(sp.S.One, ((i, lo, hi),))


def _pull(term: sp.Expr, over: tuple[Limits, ...]) -> sp.Expr:
    """One term of a sum with what does not depend on an index in front of that index's sum, innermost first."""
    for k, (i, lo, hi) in enumerate(over):
        if i not in term.free_symbols:
            term = term * _count(i, lo, hi, over[k + 1:])
            continue
        outside: list[sp.Expr] = []
        inside: list[sp.Expr] = []
        for factor in _opened(term):
            (inside if i in factor.free_symbols else outside).append(factor)
        brackets = [f for f in inside if asks_data(f)]  # opened: their bodies are 1
        body = When(sp.Mul(*[f for f in inside if f not in brackets]), sp.And(*[f.condition for f in brackets]))
        term = sp.Mul(*outside, total(body, ((i, lo, hi),)))
    return _merge(term)


def _opened(term: sp.Expr) -> Iterator[sp.Expr]:
    """The factors of a term; of [c = y[n] + 1] u v, whose bracket asks for data and guards no place, the bracket and u and v."""
    for factor in sp.Mul.make_args(term):
        if asks_data(factor):
            yield from _opened(factor.body)
            yield When(sp.S.One, factor.condition)
        else:
            yield factor


def _merge(term: sp.Expr) -> sp.Expr:
    """Nested sums written as one."""
    if isinstance(term, sp.Sum) and isinstance(term.function, sp.Sum):
        return total(_merge(term.function), limits(term))
    if isinstance(term, sp.Mul):
        return sp.Mul(*[_merge(f) for f in term.args])
    return term


def common_factor(expr: sp.Expr) -> sp.Expr:
    """u·a + u·b = u·(a + b), numbers included, at the top of the expression."""
    if not isinstance(expr, sp.Add):
        return expr
    powers = [_powers(term) for term in expr.args]
    shared = reduce(lambda p, q: {b: _least(p[b], q[b]) for b in p if b in q and p[b] * q[b] > 0}, powers)
    factor = sp.Mul(*[b**e for b, e in shared.items()])
    if factor == 1:
        return expr
    cases = {b: sp.Dummy() for b in shared if b.has(sp.Piecewise)}  # SymPy divides case by case, and 1/0 is in one of them
    below = factor.xreplace(cases)
    rest = sp.Add(*[(term.xreplace(cases) / below).xreplace({d: b for b, d in cases.items()}) for term in expr.args])
    return factor * rest


def multiply_out(expr: sp.Expr) -> sp.Expr:
    """a·(b + c) = a·b + a·c, for sums and for integer powers of sums above the line; denominators stay whole.

    SymPy's ``expand`` would also multiply denominators together, and then nothing cancels.
    """
    if isinstance(expr, sp.Add):
        return sp.Add(*[multiply_out(term) for term in expr.args])
    rest, sums = [], []
    for factor in sp.Mul.make_args(expr):
        base, exponent = factor.as_base_exp()
        if isinstance(base, sp.Add) and exponent.is_Integer and 0 < exponent <= 4:
            sums += [base] * int(exponent)
        else:
            rest.append(factor)
    if not sums:
        return expr
    terms = reduce(lambda done, s: [t * u for t in done for u in sp.Add.make_args(s)], sums, [sp.Mul(*rest)])
    whole = sp.Add(*terms)
    return multiply_out(whole) if isinstance(whole, sp.Add) and any(_is_product_of_sum(t) for t in whole.args) else whole


def _is_product_of_sum(term: sp.Expr) -> bool:
    return any(f.as_base_exp()[0].is_Add and f.as_base_exp()[1].is_Integer and 0 < f.as_base_exp()[1] <= 4
               for f in sp.Mul.make_args(term))


def _powers(term: sp.Expr) -> dict[sp.Expr, sp.Expr]:
    """Bases with integer exponents; a number counts by its absolute value, so that -1 is never pulled out."""
    found: dict[sp.Expr, sp.Expr] = {}
    for factor in sp.Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if factor.is_Rational:
            if abs(factor) != 1:
                found[abs(factor)] = sp.S.One
        elif exponent.is_Integer:
            found[base] = exponent
    return found


def _least(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    return a if abs(a) <= abs(b) else b


def assume(expr: sp.Expr, assumptions: tuple[Assumption, ...]) -> tuple[sp.Expr, tuple[Assumption, ...]]:
    """``expr`` with each declared sum replaced by its declared value, and the assumptions that were used."""
    used: list[Assumption] = []
    for assumption in assumptions:
        if not isinstance(assumption.left, sp.Sum):
            continue
        wild = {*filter(is_index, assumption.left.free_symbols)}
        for node in sorted(expr.atoms(sp.Sum), key=str):
            match = unify(assumption.left, node, wild, {})
            if match is not None:
                expr = expr.xreplace({node: substitute(assumption.right, match)})
                used.append(assumption)
    return expr, tuple(dict.fromkeys(used))


def class_facts(program: Program) -> tuple[Assumption, ...]:
    """Σ_c [c = y[n] + 1] = 1 for a tensor y of classes 0..C-1; where one is ignored, Σ_c [c = y[n] + 1, y[n] ≠ it] = [y[n] ≠ it].

    Σ_c y[n, c] = 1 for rows that are one-hot.
    """
    found = list(one_hot_facts(program))
    for t in program.inputs:
        if t.domain != "index" or t.classes is None:
            continue
        places = tuple(_letter(f"n{k}") for k in range(len(t.axes)))
        c, entry = _letter("c"), t[places if places else ()]
        over, one = ((c, sp.S.One, t.classes),), sp.Eq(c, entry + 1)
        said = f"every entry of {t.name} is one of 0, …, {t.classes - 1}"
        if t.ignored is None or (t.ignored >= 0 and t.classes.is_Integer and t.ignored < t.classes):
            found.append(Assumption(total(When(sp.S.One, one), over), sp.S.One, said))
        if t.ignored is not None:
            kept = sp.Ne(entry, t.ignored)
            found.append(Assumption(total(When(sp.S.One, sp.And(one, kept)), over), When(sp.S.One, kept), f"{said} or {t.ignored}"))
    return tuple(found)


def one_hot_facts(program: Program) -> tuple[Assumption, ...]:
    """Σ_c y[n, c] = 1 for each tensor y of one-hot rows."""
    found = list[Assumption]()
    for t in program.inputs:
        if t.structure == ONE_HOT and t.axes:
            c = _letter("c")
            places = (*(_letter(f"n{k}") for k in range(len(t.axes) - 1)), c)
            found.append(Assumption(total(t[places], ((c, *t.axes[-1].range),)), sp.S.One, f"the rows of {t.name} are one-hot"))
    return tuple(found)


def _letter(name: str) -> sp.Dummy:
    """An index that no program has, the same each time: what is declared of the same classes is the same fact."""
    return sp.Dummy(name, integer=True, dummy_index=2 * 10**9)


def implied(program: Program) -> dict[Assumption, Assumption]:
    """Sums of defined tensors that a declared sum makes a number, each with the declared one.

    For q_k := (1 - ε) y_k + ε/K and the declared Σ_k y_k = 1 this is Σ_k q_k = 1.
    """
    found: dict[Assumption, Assumption] = {}
    for source in (*program.assumptions, *class_facts(program)):
        for d in program.definitions if isinstance(source.left, sp.Sum) else ():
            if len(program.by_name[d.name]) > 1 or not has_name(d.expr, {tensor_name(e) for e in entries(source.left)}):
                continue
            for place in d.ranges:
                value, used = assume(tidy(total(d.expr, (place,))), (source,))
                if used and not sp.expand(value).free_symbols:
                    found[Assumption(total(d.entry, (place,)), sp.expand(value))] = source
    return found


def cost(expr: sp.Expr) -> int:
    """How long a line reads: operations plus entries."""
    return int(sp.count_ops(expr)) + len(expr.atoms(sp.Indexed)) + 3 * len(expr.atoms(sp.Sum))
