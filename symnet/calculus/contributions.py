"""The terms of a gradient as contributions: for each definition they come through, the whole slope ∂v[P]/∂u[α], each place P once.

The chain rule gives one term for every *use* of u in a right side. Two uses at one entry are one slope, their sum; an index that is summed
inside the right side alone belongs to the slope; and uses at places that may meet (p[n, k] uses z[n, j] in its numerator where k = j, and
in its denominator for every k) are one slope that brackets tell apart::

    Σ_e v̄[P_e] g_e  =  Σ_i v̄[i] · (Σ_e [i = P_e] g_e)

so that what is printed as a slope is the partial derivative, and nothing is counted twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from symnet.calculus.chain import Term
from symnet.calculus.simplification import common_factor, cost, tidy
from symnet.core.axes import Range, bounds, inside, nonnegative
from symnet.core.derivation import Contribution
from symnet.core.expressions import Limits, When, entries, substitute, total
from symnet.core.guards import Guards, spans
from symnet.core.iverson import settle
from symnet.core.tensors import Tensor, entry_indices, tensor_name


@dataclass(frozen=True, slots=True)
class _Share:
    """What one or more uses add: at the place ``place`` of the definition's gradient, for each of ``sums`` under ``conditions``."""

    uses: tuple[sp.Expr, ...]
    place: tuple[sp.Expr, ...]
    local: sp.Expr
    sums: tuple[Limits, ...]
    conditions: tuple[sp.Basic, ...]


def contributions(terms: Sequence[Term], ranges: Mapping[sp.Symbol, Range], tensors: Mapping[str, Tensor]) -> list[Contribution]:
    """The contributions of ``terms``, whose differentiated indices (and those of an objective with axes) run over ``ranges``.

    The law is Contribution's. Terms through one definition are merged where they name one place, kept apart where their places are
    shown to be different for all sizes, and otherwise written with brackets.
    """
    groups: dict[int, list[Term]] = {}
    for term in terms:
        groups.setdefault(id(term.through), []).append(term)
    return [made for group in groups.values() for made in _through_one(group, ranges, tensors)]


def _through_one(terms: list[Term], ranges: Mapping[sp.Symbol, Range], tensors: Mapping[str, Tensor]) -> list[Contribution]:
    first = terms[0]
    shares = _merged([_own_sums_inside(t) for t in terms])
    apart = all(s is not None for s in shares) and all(_each_once(s) for s in shares if s is not None) and all(
        _never_meet(a, b, ranges) for a, b in itertools.combinations(shares, 2) if a is not None and b is not None)
    if not apart:
        shares = [_with_brackets(terms, ranges, tensors)]
    return [Contribution(first.through, s.uses, _at(first.upstream, s.place), s.local, s.sums, s.conditions)
            for s in shares if s is not None]


def _at(upstream: sp.Expr, place: tuple[sp.Expr, ...]) -> sp.Expr:
    return upstream.base[place] if isinstance(upstream, sp.Indexed) else upstream


def _own_sums_inside(term: Term) -> _Share | None:
    """The term with the sums that its place does not depend on inside the slope; None where a limit forbids that."""
    place = entry_indices(term.upstream)
    named = {s for p in place for s in p.free_symbols}
    outer = tuple(t for t in term.sums if t[0] in named)
    inner = tuple(t for t in term.sums if t[0] not in named)
    bound = {i for i, _, _ in inner}
    if any(bound & (lo.free_symbols | hi.free_symbols) for _, lo, hi in outer):
        return None
    own = [c for c in term.conditions if c.free_symbols & bound or not place]
    local = tidy(total(When(term.local, sp.And(*own)), inner)) if inner or own else term.local
    return _Share((term.occurrence,), place, local, outer, tuple(c for c in term.conditions if c not in own))


def _merged(shares: list[_Share | None]) -> list[_Share | None]:
    """Shares at one place added up, with the letters of the first."""
    found: dict[object, list[tuple[_Share, sp.Expr, dict[sp.Basic, sp.Basic]]]] = {}
    for share in shares:
        if share is None:
            return [None]
        key, local, back = _plain(share)
        found.setdefault(key, []).append((share, local, back))
    made: list[_Share | None] = []
    for group in found.values():
        first, local, back = group[0]
        if len(group) > 1:
            local = common_factor(sp.Add(*[other for _, other, _ in group]))
        if local is not sp.S.Zero:
            uses = tuple(dict.fromkeys(u for s, _, _ in group for u in s.uses))
            made.append(replace(first, uses=uses, local=substitute(local, back)))
    return made


def _plain(share: _Share) -> tuple[object, sp.Expr, dict[sp.Basic, sp.Basic]]:
    """The summed indices by where they stand in the place: what equal shares have in common, the slope so, and the way back."""
    order = sorted(share.sums, key=lambda t: next(k for k, p in enumerate(share.place) if t[0] in p.free_symbols))
    names: dict[sp.Basic, sp.Basic] = {i: sp.Dummy("s", integer=True, dummy_index=10**9 + k) for k, (i, _, _) in enumerate(order)}
    sums = frozenset((names[i], lo.xreplace(names), hi.xreplace(names)) for i, lo, hi in order)
    key = tuple(p.xreplace(names) for p in share.place), sums, frozenset(c.xreplace(names) for c in share.conditions)
    return key, substitute(share.local, names), {k: i for i, k in names.items()}


def _each_once(share: _Share) -> bool:
    """True when different values of the summed indices are shown to name different places."""
    if not share.sums:
        return True
    rows = [[sp.expand(p).coeff(i, 1) for i, _, _ in share.sums] for p in share.place]
    linear = all(sp.expand(p - sum(c * i for c, (i, _, _) in zip(row, share.sums, strict=True))).free_symbols.isdisjoint(
        i for i, _, _ in share.sums) for p, row in zip(share.place, rows, strict=True))
    return linear and all(c.is_Rational for row in rows for c in row) and sp.Matrix(rows).rank() == len(share.sums)


def _never_meet(a: _Share, b: _Share, ranges: Mapping[sp.Symbol, Range]) -> bool:
    """True when no place of ``a`` is shown to be a place of ``b``, for any size."""
    other = {i: sp.Dummy(str(i), integer=True) for i, _, _ in b.sums}
    known = {**ranges, **{i: (lo, hi) for i, lo, hi in a.sums},
             **{other[i]: (lo.xreplace(other), hi.xreplace(other)) for i, lo, hi in b.sums}}
    for p, q in zip(a.place, b.place, strict=True):
        span = bounds(sp.expand(p - q.xreplace(other)), known)
        if span is not None and (nonnegative(span[0] - 1) or nonnegative(-span[1] - 1)):
            return True
    return False


def _with_brackets(terms: list[Term], ranges: Mapping[sp.Symbol, Range], tensors: Mapping[str, Tensor]) -> _Share:
    """One share for all terms: a sum over every place at which they differ, each term under the bracket that says where it is."""
    through = terms[0].through
    places = [entry_indices(t.upstream) for t in terms]
    summed = {i for t in terms for i, _, _ in t.sums}
    lead = len(places[0]) - len(through.indices)
    place: list[sp.Expr] = []
    sums: dict[int, Limits] = {}
    for k, p in enumerate(places[0]):
        if all(q[k] == p for q in places) and not p.free_symbols & summed:
            place.append(p)
        else:
            index = through.indices[k - lead]
            sums[k] = (sp.Dummy(str(index), integer=True), *through.free[index])
            place.append(sums[k][0])
    known = {**ranges, **{i: (lo, hi) for i, lo, hi in sums.values()}}
    asked = [dict.fromkeys(p for c in t.conditions for p in sp.And.make_args(c)) for t in terms]
    shared = [p for p in asked[0] if all(p in a for a in asked) and not p.free_symbols & summed]
    bare = [replace(t, conditions=tuple(p for p in a if p not in shared)) for t, a in zip(terms, asked, strict=True)]
    for k, p in enumerate(place[lead:], start=lead):
        axis = through.free.get(through.indices[k - lead])
        if k not in sums and axis is not None and not any(inside(s, axis) for s in spans(p, known, Guards().under(sp.And(*shared), known))):
            shared.append(sp.And(sp.Ge(p, axis[0]), sp.Le(p, axis[1])))
    local = common_factor(sp.Add(*[_bracketed(t, sums, known, tensors) for t in bare]))
    return _Share(tuple(dict.fromkeys(t.occurrence for t in terms)), tuple(place), local, tuple(sums.values()), tuple(shared))


def _bracketed(term: Term, sums: Mapping[int, Limits], ranges: Mapping[sp.Symbol, Range], tensors: Mapping[str, Tensor]) -> sp.Expr:
    """[i = P] of one term, over the new indices i; a sum of its own that names P by itself takes the new index."""
    place, rest, names = entry_indices(term.upstream), list(term.sums), dict[sp.Symbol, sp.Symbol]()
    for k, (i, lo, hi) in sums.items():
        own = next((t for t in rest if t[0] == place[k] and t[1:] == (lo, hi)), None)
        if own is not None and not any(own[0] in e.free_symbols for t in rest for e in t[1:]):
            rest.remove(own)
            names[own[0]] = i
    tests = [sp.Eq(i, place[k].xreplace(names)) for k, (i, _, _) in sums.items()]
    conditions = sp.And(*[c for c in tests if c is not sp.true], *[c.xreplace(names) for c in term.conditions])
    body = substitute(term.local, names)
    if conditions is sp.true:
        return tidy(total(body, tuple(rest)))
    settled = settle(When(body, conditions), tuple(rest), ranges)
    return _opened(settled, {i for i, _, _ in sums.values()}, ranges, tensors) if isinstance(settled, When) else settled


def _opened(bracket: When, new: set[sp.Symbol], ranges: Mapping[sp.Symbol, Range], tensors: Mapping[str, Tensor]) -> sp.Expr:
    """[k = j] g as g · [k = j] where g exists at every place, in the shorter of its two spellings: with k for j, or as it is."""
    parts = sp.And.make_args(bracket.condition)
    if not all(isinstance(p, sp.Eq) and p.lhs.is_Symbol and p.rhs.is_Symbol for p in parts):
        return bracket
    there = {j: i for p in parts for i, j in (p.args, p.args[::-1]) if i in new and j not in new}
    ways = [body for body in (substitute(bracket.body, there), bracket.body) if _exists(body, ranges, tensors)]
    return min(ways, key=cost) * When(sp.S.One, bracket.condition) if ways else bracket


def _exists(body: sp.Expr, ranges: Mapping[sp.Symbol, Range], tensors: Mapping[str, Tensor]) -> bool:
    """True when every entry of ``body`` is shown to exist wherever its free indices may stand."""
    if body.has(sp.Sum, When):
        return False
    for entry in entries(body):
        axes = tensors[tensor_name(entry)].axes
        for place, axis in zip(entry_indices(entry), axes, strict=True):
            span = bounds(place, ranges)
            if span is None or not inside(span, axis.range):
                return False
    return True
