"""Axes along which the values flow, time and depth: in matrix notation their index is a superscript and their sum a sum."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symnet.core.axes import Kind
from symnet.core.expressions import Limits, entries, limits, total
from symnet.core.tensors import Tensor, entry_indices, tensor_name

ALONG = (Kind.TIME, Kind.DEPTH)


def along_sums(expr: sp.Expr, tensors: Mapping[str, Tensor]) -> tuple[sp.Expr, tuple[Limits, ...], sp.Expr]:
    """(factor, the sums over time or depth, what is summed): such a sum is printed as a sum, not as a product of arrays."""
    sums = [f for f in sp.Mul.make_args(expr) if isinstance(f, sp.Sum)]
    if len(sums) != 1:
        return sp.S.One, (), expr
    used = {s for e in entries(sums[0].function) for p, a in zip(entry_indices(e), tensors[tensor_name(e)].axes, strict=True)
            if a.kind in ALONG for s in p.free_symbols}
    over = tuple(t for t in limits(sums[0]) if t[0] in used)
    rest = tuple(t for t in limits(sums[0]) if t[0] not in used)
    if not over:
        return sp.S.One, (), expr
    return sp.Mul(*[f for f in sp.Mul.make_args(expr) if f is not sums[0]]), over, total(sums[0].function, rest)
