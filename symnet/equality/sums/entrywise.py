"""Identities of numbers under sums: Σ_i f(x[i]) = Σ_i g(x[i]) for all sizes where f = g is proved for numbers.

Sums over one range become one sum, and the two sides of its body are compared as numbers, with entries and inner sums for variables:
sin² + cos² - 1 is 0, so Σ_i (sin² x[i] + cos² x[i]) - n is Σ_i 1 - n. Where the bodies differ, their difference stays in the normal
form of numbers. Each rewriting is an identity wherever both bodies are defined, and a sum is defined where its body is at every place.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import sympy as sp

from symnet.core.expressions import BINDERS, Limits, When, entries, limits, rebuild, substitute, total
from symnet.core.matrices import Det, InverseEntry
from symnet.core.number_sets import like
from symnet.core.program import Definition, right_side_at, unfoldings
from symnet.core.tensors import entry_indices, tensor_name
from symnet.core.verdict import Answer
from symnet.equality.compare import prove_equal
from symnet.equality.feasible_point import defined_somewhere
from symnet.equality.fractions import TooLarge
from symnet.equality.normal import Basis
from symnet.equality.undefined import learn

OPAQUE = (When, Det, InverseEntry, *BINDERS)
MOST_PARTS = 1500  # nodes of a side with its names written out


def termwise_difference(left: sp.Expr, right: sp.Expr, opened: Mapping[str, tuple[Definition, ...]]) -> sp.Expr:
    """left - right, wherever both are defined, with each body of a sum in the normal form of numbers.

    >>> i, n, x = sp.Symbol("i", integer=True), sp.Symbol("n", integer=True, positive=True), sp.IndexedBase("x", real=True)
    >>> termwise_difference(sp.Sum(sp.sin(x[i])**2, (i, 1, n)), -sp.Sum(sp.cos(x[i])**2, (i, 1, n)), {})
    Sum(1, (_n0, 1, n))
    """
    return _difference(*[_numbered(_unfolded(side, opened), 0) for side in (left, right)])


def _unfolded(expr: sp.Expr, opened: Mapping[str, tuple[Definition, ...]]) -> sp.Expr:
    """``expr`` with the names that one line defines written out."""
    lines = {name: ds[0] for name, ds in opened.items() if len(ds) == 1 and all(tensor_name(e) != name for e in entries(ds[0].expr))}

    def right_side(e: sp.Expr) -> sp.Expr | None:
        return right_side_at(lines[tensor_name(e)], entry_indices(e)) if tensor_name(e) in lines else None
    for stage in islice(unfoldings(expr, right_side), len(lines) + 1):
        if len(list(islice(sp.preorder_traversal(stage), MOST_PARTS))) == MOST_PARTS:
            raise TooLarge("a body that is too long once written out")
        expr = stage
    return expr


def _numbered(expr: sp.Expr, depth: int) -> sp.Expr:
    """Sums over 1, …, with their indices named by how deep they stand, so that sums over one range share them."""
    if isinstance(expr, sp.Sum):
        body, over = expr.function, list[Limits]()
        for k, (i, low, high) in reversed(list(enumerate(limits(expr)))):
            new = sp.Symbol(f"_n{depth + len(over)}", integer=True)
            inner = {i: sp.expand(new + low - 1)}
            over.insert(0, (new, sp.S.One, sp.expand(high - low + 1)))
            body = total(body, limits(expr)[:k]) if k else body
            body = substitute(body, inner)
            if k:
                return total(_numbered(body, depth + len(over)), tuple(over))
        return total(_numbered(body, depth + len(over)), tuple(over))
    if not expr.args or isinstance(expr, (sp.Indexed, Det, InverseEntry)) or not expr.has(sp.Sum):
        return expr
    return expr.func(*[_numbered(a, depth) if isinstance(a, sp.Expr) else a for a in expr.args])


def _difference(left: sp.Expr, right: sp.Expr) -> sp.Expr:
    """left - right with the sums of one range in one."""
    sums: dict[tuple[Limits, ...], list[sp.Expr]] = {}
    rest = [sp.S.Zero, sp.S.Zero]
    for k, side in enumerate((left, right)):
        for term in sp.Add.make_args(sp.expand_mul(side, deep=False)):
            factors = sp.Mul.make_args(term)
            found = [f for f in factors if isinstance(f, sp.Sum)]
            if len(found) != 1:
                rest[k] += term
                continue
            pair = sums.setdefault(limits(found[0]), [sp.S.Zero, sp.S.Zero])
            pair[k] += sp.Mul(*[f for f in factors if f is not found[0]]) * found[0].function
    return _as_numbers(*rest) + sp.Add(*[total(_difference(*pair), over) for over, pair in sums.items()])


def _as_numbers(left: sp.Expr, right: sp.Expr) -> sp.Expr:
    """left - right, which have no sums but inside products and functions: 0 where they are equal as numbers, else in normal form."""
    apart: dict[sp.Basic, sp.Symbol] = {}
    sides = [_apart(side, apart) for side in (left, right)]
    back = {symbol: node for node, symbol in apart.items()}
    if all(s.is_extended_real for s in back):
        verdict = prove_equal(*sides)
        if verdict.answer is Answer.PROVED and not verdict.reason:
            return sp.S.Zero
    basis = Basis()
    if learn(basis, *sides) and not defined_somewhere(*sides):
        raise TooLarge("nowhere are both sides defined")
    basis.survey(*sides)
    ring, value = basis.normal(sides[0] - sides[1])
    return basis.spelled(ring.back(value.above) / ring.back(value.below)).xreplace(back)


def _apart(expr: sp.Basic, apart: dict[sp.Basic, sp.Symbol]) -> sp.Basic:
    """``expr`` with a variable for each entry, inner sum and bracket."""
    if isinstance(expr, sp.Indexed):
        return apart.setdefault(expr, like(expr, str(expr)))
    if isinstance(expr, OPAQUE):
        node = expr
        if isinstance(expr, When):
            node = When(_difference(expr.body, sp.S.Zero), expr.condition)
        elif isinstance(expr, sp.Sum):
            node = total(_difference(expr.function, sp.S.Zero), limits(expr))
            node = next((other for other in apart if _same_sum(node, other)), node)
        return apart.setdefault(node, sp.Dummy("part", real=True)) if node.args else node
    return expr if not expr.args else rebuild(expr, tuple(_apart(a, apart) for a in expr.args))  # the conditions of cases too


def _same_sum(a: sp.Expr, b: sp.Basic) -> bool:
    """Two sums over one range whose terms are equal."""
    return isinstance(a, sp.Sum) and isinstance(b, sp.Sum) and a.limits == b.limits and _difference(a.function, b.function) == 0
