"""Sums whose bound indices are named by how deep they stand, so that equal sums are the same expression."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symnet.core.axes import Range
from symnet.core.expressions import fresh, limits, rebuild
from symnet.core.matrices import Grid
from symnet.core.tensors import entry_indices


def canonical(expr: sp.Expr) -> sp.Expr:
    """The same expression with bound indices named by how deep they stand: equal sums become the same sum."""
    return _canonical(expr)[0]


def _canonical(expr: sp.Basic) -> tuple[sp.Basic, int]:
    if not expr.args or not expr.has(sp.Sum):
        return expr, 0
    if not isinstance(expr, sp.Sum):
        made = [_canonical(a) for a in expr.args]
        return rebuild(expr, tuple(a for a, _ in made)), max(d for _, d in made)
    apart = {i: sp.Dummy(integer=True) for i, _, _ in limits(expr)}  # a sum inside may use the name of a sum outside
    body, depth = _canonical(expr.function.xreplace(apart))
    names = {apart[i]: sp.Symbol(f"_{depth + n}", integer=True) for n, (i, _, _) in enumerate(limits(expr))}
    spans = [(names[apart[i]], lo.xreplace(apart).xreplace(names), hi.xreplace(apart).xreplace(names)) for i, lo, hi in limits(expr)]
    return sp.Sum(body.xreplace(names), *spans), depth + len(names)


def same(a: sp.Expr, b: sp.Expr) -> bool:
    """True when both are the same but for the names of bound indices."""
    if isinstance(a, Grid) and isinstance(b, Grid):
        names = {s[0]: t[0] for s, t in zip(a.limits, b.limits, strict=True)}
        return [s[1:] for s in a.limits] == [t[1:] for t in b.limits] and same(fresh(a.function).xreplace(names), b.function)
    return bool(a == b or (a.has(sp.Sum) and canonical(a) == canonical(b)))


def sum_with(e: sp.Expr, total: sp.Expr | None) -> sp.Sum | None:
    """The sum in ``total``, Σ e^v or c + Σ e^v + …, that adds up ``e`` with others of its kind, or None."""
    sums = [t for t in sp.Add.make_args(total) if isinstance(t, sp.Sum) and len(t.limits) == 1] if total is not None else []
    return next((t for t in sums if _place(e, t) is not None), None)


def place_in(e: sp.Expr, total: sp.Expr | None) -> sp.Expr | None:
    """The index at which ``e`` is one of the terms that ``total`` adds up, or None."""
    found = sum_with(e, total)
    return None if found is None else _place(e, found)


def _place(e: sp.Expr, total: sp.Sum) -> sp.Expr | None:
    bound = limits(total)[0][0]
    candidates = dict.fromkeys(p for entry in e.atoms(sp.Indexed) for p in entry_indices(entry))
    return next((p for p in candidates if same(total.function.xreplace({bound: p}), e)), None)


def term_of(e: sp.Expr, total: sp.Expr | None) -> bool:
    """True when ``e`` is one of the terms that ``total``, Σ e^v, adds up."""
    return sum_with(e, total) is not None


def axis_of(e: sp.Expr, total: sp.Expr, spans: Mapping[sp.Symbol, Range]) -> sp.Symbol | None:
    """The index of ``spans`` along which ``e`` is each term of a sum in ``total``. It runs over what the sum runs over, and the sum does
    not depend on it: exp(Z[i, i])/Σ_j exp(Z[i, j]) is one entry of each row, not an axis; equal terms lie along none."""
    for part in (t for t in sp.Add.make_args(total) if isinstance(t, sp.Sum) and len(t.limits) == 1):
        bound, lo, hi = limits(part)[0]
        for i, span in spans.items():
            if span == (lo, hi) and i not in total.free_symbols and e.has(i) and same(part.function.xreplace({bound: i}), e):
                return i
    return None
