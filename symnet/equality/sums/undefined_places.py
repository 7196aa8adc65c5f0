"""What an answer asks for beyond the derivation, for all sizes: exceptions that are null sets, or conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

import sympy as sp

from symnet.core.axes import nonnegative
from symnet.core.expressions import entries, fresh, limits, substitute
from symnet.core.functions import sigmoid, softplus
from symnet.core.number_sets import is_finite, like
from symnet.core.program import Definition
from symnet.core.structures import structure_of
from symnet.core.tensors import entry_indices, tensor_name
from symnet.core.verdict import Answer
from symnet.equality.domain import NEEDED
from symnet.equality.null_sets import is_null

Lines = Mapping[str, tuple[Definition, ...]]
ANALYTIC = (sp.exp, sp.tanh, sigmoid, softplus)  # for all numbers, and positive for positive ones
MOST_PARTS = 400  # nodes of a hole with its names written out


def conditions(holes: Iterable[tuple[sp.Expr, str]], defined: Lines) -> tuple[Answer, list[str]]:
    """PROVED without holes; ALMOST_EVERYWHERE where each is u = 0 and shown to be a null set for every size; else CONDITIONAL.

    What is ``defined`` is written out to see that; what is said stays in names.
    """
    found = sorted(dict.fromkeys((lettered(u), sign) for u, sign in holes), key=str)
    if not found:
        return Answer.PROVED, []
    if all(sign == "=" and _null_in_the_inputs(u, defined) for u, sign in found):
        return Answer.ALMOST_EVERYWHERE, [f"{u} = 0" for u, _ in found]
    return Answer.CONDITIONAL, [f"{u} {NEEDED[sign]} 0" for u, sign in found]


def _null_in_the_inputs(u: sp.Expr, defined: Lines) -> bool:
    """False also where a name is defined slice by slice or step by step, or is long."""
    for _ in range(len(defined) + 1):
        u = fresh(u)
        names = sorted({e for e in entries(u) if tensor_name(e) in defined}, key=str)
        if not names:
            return null_for_all_sizes(u)
        if any(len(defined[tensor_name(e)]) > 1 for e in names) or len(list(islice(sp.preorder_traversal(u), MOST_PARTS))) == MOST_PARTS:
            return False
        lines = {e: defined[tensor_name(e)][0] for e in names}
        u = u.xreplace({e: substitute(d.expr, dict(zip(d.indices, entry_indices(e), strict=True))) for e, d in lines.items()})
    return False


def null_for_all_sizes(u: sp.Expr) -> bool:
    """True when the zeros of u are shown to be a null set for every size.

    An analytic function that is not 0 everywhere is 0 on a null set: one that is positive where all entries are 1, or that has an entry
    of a tensor which stands nowhere else in it. Without sums the entries are as good as numbers.

    >>> y, i, n = sp.IndexedBase("y", real=True), sp.Symbol("i", integer=True), sp.Symbol("n", integer=True, positive=True)
    >>> null_for_all_sizes(y[i] - 1), null_for_all_sizes(sp.Sum(2*y[i], (i, 1, n))), null_for_all_sizes(sp.Sum(y[i] - y[1], (i, 1, n)))
    (True, True, False)
    """
    if u.is_Mul:
        return all(map(null_for_all_sizes, u.args))
    if isinstance(u, (sp.tanh, sp.Abs)) or (u.is_Pow and u.exp.is_Rational and u.exp > 0):
        return null_for_all_sizes(u.args[0])
    if u.is_Add and any(_alone(t, u) for t in u.args):
        return True
    if _positive_at_ones(u):
        return True
    if isinstance(u, sp.Sum):
        number, entry = u.function.as_coeff_Mul()
        own = [i for i, _, _ in limits(u)]
        return bool(number != 0 and _is_number(entry) and isinstance(entry, sp.Indexed)
                    and len(set(own) & set(entry.indices)) == len(own) and all(lo == 1 and hi.is_positive for _, lo, hi in limits(u)))
    if u.has(sp.Sum) or any(s.is_integer or not s.is_real for s in u.free_symbols - _letters(u)):
        return False
    return is_null(u.xreplace({e: like(e, str(e)) for e in u.atoms(sp.Indexed)}))


def _is_number(entry: sp.Expr) -> bool:
    """True for a real number's name: no size, no index, no class, none of finitely many numbers, nor bound to others."""
    return bool(isinstance(entry, (sp.Indexed, sp.Symbol)) and entry.is_real and not entry.is_rational and not is_finite(entry)
                and not structure_of(entry))


def _alone(term: sp.Expr, total: sp.Expr) -> bool:
    """Is it a number times an entry, of a tensor that no other term has?"""
    number, entry = term.as_coeff_Mul()
    if not (number != 0 and _is_number(entry)):
        return False
    rest = (t for t in total.args if t != term)
    return not any(tensor_name(e) == tensor_name(entry) for t in rest for e in entries(t))


def _positive_at_ones(u: sp.Expr) -> bool:
    """Is it analytic everywhere, and positive where every entry is 1: sums and products of positive numbers and entries?"""
    if u.is_Rational or _is_size(u):
        return bool(u.is_positive)
    if isinstance(u, sp.Sum):
        return all(nonnegative(hi - lo) for _, lo, hi in limits(u)) and _positive_at_ones(u.function)
    if u.is_Pow:
        return bool(u.exp.is_Integer and u.exp > 0) and _positive_at_ones(u.base)
    return _is_number(u) or (isinstance(u, (sp.Add, sp.Mul, *ANALYTIC)) and all(map(_positive_at_ones, u.args)))


def _is_size(u: sp.Expr) -> bool:
    return bool(u.is_Symbol and u.is_integer and u.is_positive)


def lettered(u: sp.Expr) -> sp.Expr:
    """``u`` with a letter for each index of its sums."""
    free = iter(c for c in "ijklmnpqrstuvw" if all(c != s.name for s in u.free_symbols))
    bound = dict.fromkeys(i for node in sp.preorder_traversal(u) if isinstance(node, sp.Sum) for i, _, _ in limits(node))
    return u.xreplace({i: sp.Symbol(letter, integer=True) for i, letter in zip(bound, free, strict=False)})


def _letters(u: sp.Expr) -> set[sp.Basic]:
    """The indices of its entries."""
    return {s for e in u.atoms(sp.Indexed) for i in e.indices for s in i.free_symbols} | {e.base.label for e in u.atoms(sp.Indexed)}
