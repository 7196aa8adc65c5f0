"""Put an earlier gradient into a later one where that cancels: softmax with cross-entropy becomes (p·Σy - y)/N.

Done only where the earlier gradient divides by something that the local derivative multiplies by, and kept only when the
result is no longer than before.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symnet.calculus.chain import Term
from symnet.calculus.simplification import assume, common_factor, cost, multiply_out, tidy
from symnet.core.expressions import asks_data, bracketed, entries, substitute, total
from symnet.core.program import Assumption, Definition
from symnet.core.tensors import tensor_name


def divided_by(expr: sp.Expr) -> set[str]:
    """The tensors that stand in a denominator of ``expr``."""
    return {tensor_name(e) for p in expr.atoms(sp.Pow) if p.exp.is_negative for e in entries(p.base)}


def may_cancel(earlier: sp.Expr) -> bool:
    """False for a gradient that is put into no later line, whatever that is."""
    return any(asks_data(f) for f in sp.Mul.make_args(earlier)) or bool(divided_by(earlier))


def cancels(earlier: Definition, term: Term) -> bool:
    """True when the earlier gradient divides by a tensor that the local derivative multiplies by."""
    if any(asks_data(f) for f in sp.Mul.make_args(earlier.expr)) and term.sums:
        return True  # Σ_c [c = y[n] + 1] u[c] may be a number
    below = divided_by(earlier.expr)
    if not below:
        return False
    above = {tensor_name(e) for f in sp.Mul.make_args(term.local) if not (f.is_Pow and f.exp.is_negative) for e in entries(f)}
    return bool(below & above)


Inlined = tuple[sp.Expr, tuple[str, ...], tuple[Assumption, ...], sp.Expr | None]


def inline(terms: tuple[Term, ...], earlier: Mapping[str, Definition], raw: sp.Expr, assumptions: tuple[Assumption, ...]) -> Inlined:
    """``raw`` or something shorter equal to it, the names of the gradients put in, the assumptions that were needed, and what stood
    there before they were used (None where none was)."""
    chosen = {_name(t) for t in terms if _name(t) in earlier and cancels(earlier[_name(t)], t)}
    if not chosen:
        return _assumed(raw, assumptions, ())
    whole = sp.Add(*[_put_in(t, earlier) if _name(t) in chosen else t.expr for t in terms])
    tidied = tidy(whole)
    names = tuple(sorted(chosen))
    candidates = [_assumed(c, assumptions, names) for c in (tidied, common_factor(multiply_out(tidied)))]
    best = min(candidates, key=lambda c: cost(c[0]))
    return best if cost(best[0]) <= cost(raw) else _assumed(raw, assumptions, ())


def _assumed(expr: sp.Expr, assumptions: tuple[Assumption, ...], names: tuple[str, ...]) -> Inlined:
    changed, used = assume(expr, assumptions)
    return (tidy(changed), names, used, expr) if used else (expr, names, used, None)


def _name(term: Term) -> str:
    return "" if term.upstream.is_Number else tensor_name(term.upstream)


def _put_in(term: Term, earlier: Mapping[str, Definition]) -> sp.Expr:
    """The term with its upstream gradient written out and multiplied into each summand, so that factors cancel."""
    definition = earlier[_name(term)]
    places = term.upstream.indices if isinstance(term.upstream, sp.Indexed) else ()
    value = substitute(definition.expr, dict(zip(definition.indices, places, strict=True)))
    parts = sp.Add.make_args(multiply_out(value))
    return sp.Add(*[total(bracketed(part * term.local, sp.And(*term.conditions)), term.sums) for part in parts])
