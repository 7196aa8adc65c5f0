"""Weights of samples as a part of the program: the mean over the samples becomes the weighted mean."""

from __future__ import annotations

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.expressions import When, as_written, fresh, limits, total
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role, Tensor, free_name, tensor_name
from symnet.errors import ShapeError

ENTRIES = (sp.Indexed, sp.Symbol)
NOTE = "the weights of the samples"


def weighted(program: Program) -> tuple[Program, str]:
    """The program with s[n] in front of the terms of sample n, and the name of s.

    A mean Σ ℓ[n]/N becomes Σ s[n] ℓ[n] / Σ s[n], a sum becomes Σ s[n] ℓ[n]; what is not summed over samples, such as a penalty, stays. So
    a sample of weight 2 counts as one that is there twice. Raises ShapeError for an objective that is no sum over samples.

    >>> import symnet as sn
    >>> made, name = weighted(sn.Sequential(sn.Linear(2, 1)).program("mse"))
    >>> print(made.definitions[-1])
    L := Sum((-Y[n, 1] + z1[n, 1])**2*s[n], (n, 1, N))/Sum(s[_n], (_n, 1, N))
    """
    batch = next((a for t in program.inputs for a in t.axes[:1] if a.kind is Kind.BATCH), None)
    if batch is None:
        raise ShapeError("sample weights", "a program without an axis of samples", "data with one row a sample")
    name = free_name("s", set(program.tensors) | {str(x) for x in program.sizes})
    weights = Tensor(name, (batch,), "nonnegative", Role.CONSTANT, note=NOTE)
    lines, found, added = [], False, {program.objective}  # the lines whose terms add up to the objective
    with as_written():
        for d in reversed(program.definitions):
            expr = d.expr
            if d.name in added:
                expr = _weighted(d.expr, batch, weights)
                added |= {tensor_name(f) for e in sp.Add.make_args(d.expr) for f in sp.Mul.make_args(e) if isinstance(f, ENTRIES)}
            found = found or expr != d.expr
            lines.append(d if expr == d.expr else Definition(d.target, d.indices, expr, d.ranges, d.note, d.holes))
    if not found:
        raise ShapeError("sample weights", "an objective that is no sum over the samples", "a loss that adds up the samples' own",
                         'reduction="mean" or "sum"')
    return Program((*program.inputs, weights), tuple(reversed(lines)), program.objective, program.assumptions, program.title), name


def _weighted(expr: sp.Expr, batch: Axis, weights: Tensor) -> sp.Expr:
    """Each sum over the samples in a line without places, weighted; the count of samples beside it is the sum of the weights."""
    if isinstance(expr, sp.Add):
        return expr.func(*[_weighted(e, batch, weights) for e in expr.args])
    factors = list(sp.Mul.make_args(expr))
    for k, factor in enumerate(factors):
        over = [i for i, low, high in limits(factor) if (low, high) == batch.range] if isinstance(factor, sp.Sum) else []
        if len(over) == 1:
            inner = total(_times(factor.function, weights[over[0],]), tuple(factor.limits))
            whole = fresh(total(weights[over[0],], ((over[0], *batch.range),)))
            rest = [whole**-1 if f == batch.size**-1 else _without(f, batch, whole) for n, f in enumerate(factors) if n != k]
            return sp.Mul(inner, *rest)
    return expr


def _times(term: sp.Expr, weight: sp.Expr) -> sp.Expr:
    """weight · term; within a condition, where the term stands."""
    return When(_times(term.body, weight), term.condition) if isinstance(term, When) else term * weight


def _without(factor: sp.Expr, batch: Axis, whole: sp.Expr) -> sp.Expr:
    """A factor such as 1/(N k) with the sum of the weights for N."""
    if isinstance(factor, sp.Pow) and factor.exp == -1 and batch.size in sp.Mul.make_args(factor.base):
        others = [b for b in sp.Mul.make_args(factor.base) if b != batch.size]
        return sp.Mul(*others) ** -1 * whole**-1
    return factor
