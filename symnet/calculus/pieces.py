"""Put the terms of a gradient in their places: one definition, or one for each stretch of an axis where they differ.

The gradient of h[0..T] in a recurrence gets the recurrence's term on 0..T-1 and the loss's term at T: two slices. Where
the stretches cannot be shown to be in order for every size, brackets say the same thing in one line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy as sp

from symnet.calculus.chain import Term
from symnet.core.axes import Axis, Kind, Range, at_most, bounds, inside
from symnet.core.expressions import of_data
from symnet.core.tensors import Tensor


@dataclass(frozen=True, slots=True)
class Piece:
    """The terms on one slice; ``spans`` is the slice, ``alone`` says that the slice is a single place of axis ``split``."""

    spans: tuple[Range, ...]
    terms: tuple[Term, ...]
    split: int | None = None

    @property
    def alone(self) -> bool:
        """True for a single place."""
        return self.split is not None and self.spans[self.split][0] == self.spans[self.split][1]


def pieces(tensor: Tensor, terms: list[Term], alphas: tuple[sp.Symbol, ...]) -> list[Piece]:
    """The slices of ``tensor``'s gradient, first to last along the split axis."""
    whole = tuple(a.range for a in tensor.axes)
    terms = [t for t in terms if not any(at_most(high + 1, low) for low, high in t.spans)]  # the last places of an axis that has none
    partial = [d for d, span in enumerate(whole) if any(t.spans[d] != span for t in terms)]
    if not partial:
        return [Piece(whole, tuple(terms))]
    split = _split_axis(tensor.axes, partial)
    terms = [_bracket(t, [d for d in partial if d != split], alphas, whole) for t in terms]
    cuts = _cuts(whole[split], [t.spans[split] for t in terms])
    if cuts is None:
        return [Piece(whole, tuple(_bracket(t, [split], alphas, whole) for t in terms))]
    found = []
    for span in cuts:
        here = (*whole[:split], span, *whole[split + 1:])
        known = dict(zip(alphas, here, strict=True))
        found.append(Piece(here, tuple(t for t in terms if inside(span, t.spans[split]) and not _never(t, known)), split))
    return found


def _split_axis(axes: tuple[Axis, ...], partial: list[int]) -> int:
    marked = [d for d in partial if axes[d].kind in (Kind.TIME, Kind.DEPTH)]
    return (marked or partial)[0]


def _bracket(term: Term, dims: list[int], alphas: tuple[sp.Symbol, ...], whole: tuple[Range, ...]) -> Term:
    """The same term with the restriction of some axes written as a bracket."""
    conditions = list(term.conditions)
    spans = list(term.spans)
    for d in dims:
        low, high = spans[d]
        if (low, high) != whole[d]:
            conditions.append(sp.Eq(alphas[d], low) if low == high else sp.And(sp.Ge(alphas[d], low), sp.Le(alphas[d], high)))
            spans[d] = whole[d]
    return replace(term, spans=tuple(spans), conditions=tuple(conditions))


def _never(term: Term, known: dict[sp.Symbol, Range]) -> bool:
    """True when a bracket of ``term`` is shown to fail at every place of a slice: of q[i + j - 1] for i, j = 1..2 at q[10]."""
    known = known | {i: (low, high) for i, low, high in term.sums}
    for part in (p for c in term.conditions for p in sp.And.make_args(c)):
        if isinstance(part, (sp.Ge, sp.Le, sp.Eq)) and not of_data(part) and not part.has(sp.Mod):
            gap = sp.expand(part.gts - part.lts) if isinstance(part, (sp.Ge, sp.Le)) else sp.expand(part.lhs - part.rhs)
            span = bounds(gap, known)
            if span is not None and (at_most(span[1] + 1, sp.S.Zero) or (isinstance(part, sp.Eq) and at_most(sp.S.One, span[0]))):
                return True
    return False


def _cuts(axis: Range, spans: list[Range]) -> list[Range] | None:
    """The stretches on which the same spans apply; None when their order cannot be shown for all sizes."""
    starts = [axis[0]]
    for low, high in spans:
        starts += [s for s in (low, sp.expand(high + 1)) if s not in starts and s != sp.expand(axis[1] + 1)]
    ordered: list[sp.Expr] = []
    for s in starts:
        after = [k for k, other in enumerate(ordered) if at_most(other, s)]
        before = [k for k, other in enumerate(ordered) if at_most(s, other)]
        if len(after) + len(before) < len(ordered):
            return None
        ordered.insert(len(after), s)
    ends = [sp.expand(s - 1) for s in ordered[1:]] + [axis[1]]
    cuts = list(zip(ordered, ends, strict=True))
    if not all(inside(c, axis) for c in cuts):  # 1..2 and 3..n, where n may be 1
        return None
    return cuts  # every start was compared with all others, so a cut lies in a span or apart from it
