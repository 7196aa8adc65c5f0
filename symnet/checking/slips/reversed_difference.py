"""y - a for a - y: a difference of the forward pass or of the right gradient that stands the other way round in the answer."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symnet.checking.slips.setting import Entrywise, Setting, array_of
from symnet.core.expressions import as_written, entries
from symnet.core.tensors import entry_indices, tensor_name
from symnet.indexing.index_array import IndexArray

Pair = tuple[str, str]
THROUGH = (sp.Add, sp.Mul, sp.Sum)  # where a sign passes


def reversed_difference(setting: Setting) -> tuple[sp.Expr, sp.Expr] | None:
    """(the difference as it stands, the answer with it turned round) where the answer, as written, has exactly one that is turned.

    The sign alone would be undone by this too; it is the difference that is turned when the forward pass, or the right gradient,
    has it the other way. A claim that is known entry by entry has one where the function that computed it did.
    """
    expr = setting.written.expr
    if setting.entrywise is not None:
        return _computed(setting, setting.entrywise)
    forward = {p for d in setting.given.full.definitions for node in d.expr.atoms(sp.Add) for p in [_pair(node)] if p}
    found = [node for node in _sums(expr) for p in [_pair(node)] if p and p[::-1] in forward and p not in forward]
    if len(found) != 1:
        return None
    (node,) = found
    with as_written():
        turned = sp.Add(*[-t for t in node.args])
        return node, expr.xreplace({node: turned})


def _computed(setting: Setting, claim: Entrywise) -> tuple[sp.Expr, sp.Expr] | None:
    """The first difference of which the negative was computed, and not the difference itself."""
    full, sampled = setting.derivation.full, setting.sampled
    for node in dict.fromkeys(node for d in full.definitions for node in d.expr.atoms(sp.Add) if _pair(node)):
        spans = {i: axis for e in entries(node) for i, axis in zip(entry_indices(e), full.tensors[tensor_name(e)].axes, strict=True)}
        if sampled is None or not all(i.is_Symbol for i in spans):
            continue
        values = array_of(sampled, IndexArray.over(tuple(spans.values()), tuple(spans), node))
        if claim.computes(-values) and not claim.computes(values):
            with as_written():
                return sp.Add(*[-t for t in node.args]), -setting.value.expr
    return None


def _sums(expr: sp.Expr) -> Iterator[sp.Expr]:
    if isinstance(expr, sp.Add):
        yield expr
    if isinstance(expr, THROUGH):
        for arg in expr.args[:1] if isinstance(expr, sp.Sum) else expr.args:
            yield from _sums(arg)


def _pair(node: sp.Expr) -> Pair | None:
    """The names of a and b in a - b, or in c(a - b) multiplied out with c > 0."""
    if len(node.args) != 2:
        return None
    parts = dict(t.as_coeff_Mul() for t in node.args)
    up = [c for c in parts if c > 0]
    if len(parts) != 2 or len(up) != 1 or -up[0] not in parts:
        return None
    first, second = (",".join(sorted({tensor_name(e) for e in entries(parts[c])})) for c in (up[0], -up[0]))
    return (first, second) if first and second else None
