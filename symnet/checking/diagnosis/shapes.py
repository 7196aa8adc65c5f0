"""Slips of the answer as a whole: transposed, not summed, summed too far, or another line of the derivation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import sympy as sp

from symnet.checking.diagnosis.case import Case, Claim
from symnet.checking.diagnosis.finding import Finding, Words
from symnet.checking.diagnosis.kinds import WHOLE
from symnet.core.axes import Axis
from symnet.core.expressions import When, substitute, total
from symnet.indexing.index_array import IndexArray, of_tensor


def shape_slips(case: Case) -> Iterator[Finding]:
    """Every slip that concerns the answer as a whole."""
    yield from _permuted(case)
    yield from _diagonal(case)
    yield from _longer(case)
    yield from _shorter(case)
    yield from _other_lines(case)


def _fits(axes: tuple[Axis, ...], wanted: tuple[Axis, ...]) -> bool:
    return len(axes) == len(wanted) and all(sp.expand(a.size - b.size) == 0 for a, b in zip(axes, wanted, strict=True))


def _undone(case: Case, kind: str, value: IndexArray, words: Words | None = None) -> Finding:
    return Finding(kind, Claim(value, case.gradient), words or {}, WHOLE, value)


def _permuted(case: Case) -> Iterator[Finding]:
    value = case.value
    kind = "jacobian layout" if case.program.objective_tensor.axes else "transposed answer"
    for order in permutations(range(len(value.axes))):
        axes = tuple(value.axes[k] for k in order)
        if list(order) != sorted(order) and _fits(axes, case.truth.axes):
            yield _undone(case, kind, IndexArray.over(axes, tuple(value.indices[k] for k in order), value.expr))


def _diagonal(case: Case) -> Iterator[Finding]:
    """A Jacobian with nothing outside its diagonal."""
    gradient = case.gradient
    if case.program.objective_tensor.axes and len(gradient.axes) == 2 and _fits(case.value.axes, gradient.axes) \
            and gradient.axes[0].range == gradient.axes[1].range:
        only = IndexArray.over(gradient.axes, gradient.indices, When(gradient.expr, sp.Eq(*gradient.indices)))
        yield Finding(_of_diagonal(case), Claim(case.value, only), {"above": case.program.objective, "of": case.wrt}, WHOLE)


def _of_diagonal(case: Case) -> str:
    softmax = any(d.expr.has(sp.exp) and d.expr.has(sp.Sum) for d in case.program.definitions)
    return "softmax elementwise" if softmax else "missing off-diagonal terms"


def _longer(case: Case) -> Iterator[Finding]:
    """Axes too many: not summed over, or of size 1. A transposed answer may have them too."""
    value, extra = case.value, len(case.value.axes) - len(case.truth.axes)
    if extra <= 0 or extra > 2:
        return
    for gone in combinations(range(len(value.axes)), extra):
        kept = [k for k in range(len(value.axes)) if k not in gone]
        axes, letters = tuple(value.axes[k] for k in kept), tuple(value.indices[k] for k in kept)
        if not _fits(axes, case.truth.axes):
            continue
        lost = [(value.indices[k], *value.axes[k].range) for k in reversed(gone)]
        if all(lo == hi for _, lo, hi in lost):
            there = {i: lo for i, lo, _ in lost}
            yield _undone(case, "extra axis", IndexArray.over(axes, letters, substitute(value.expr, there)))
            continue
        summed = IndexArray.over(axes, letters, total(value.expr, tuple(lost)))
        sizes = ", ".join(f"{value.axes[k].size} (axis {k})" for k in gone)
        yield _undone(case, "missing batch sum", summed, {"index": sizes})
        count = sp.Mul(*[value.axes[k].size for k in gone])
        yield _undone(case, "missing batch sum", IndexArray.over(axes, letters, summed.expr / count), {"index": sizes})


def _shorter(case: Case) -> Iterator[Finding]:
    """Axes too few: the diagonal of a matrix, or a sum over an axis that the variable has."""
    value, gradient = case.value, case.gradient
    missing = len(gradient.axes) - len(value.axes)
    if missing <= 0 or missing > 2:
        return
    if missing == 1 and len(gradient.axes) == 2 and _fits((*value.axes, *value.axes), gradient.axes):
        i, j = gradient.indices
        diag = IndexArray.over(gradient.axes, gradient.indices, When(value.at(i), sp.Eq(i, j)))
        yield _undone(case, "missing diag", diag)
        only = IndexArray.over(value.axes, value.indices, gradient.at(value.indices[0], value.indices[0]))
        words: Words = {"above": case.program.objective, "of": case.wrt}
        yield Finding(_of_diagonal(case), Claim(value, only), words, WHOLE)
    for gone in combinations(range(len(gradient.axes)), missing):
        kept = [k for k in range(len(gradient.axes)) if k not in gone]
        axes, letters = tuple(gradient.axes[k] for k in kept), tuple(gradient.indices[k] for k in kept)
        if _fits(value.axes, axes):
            over = tuple((gradient.indices[k], *gradient.axes[k].range) for k in reversed(gone))
            sizes = ", ".join(f"{gradient.axes[k].size} (axis {k})" for k in gone)
            found: Words = {"index": sizes, "of": case.wrt}
            yield Finding("summed too far", Claim(value, IndexArray.over(axes, letters, total(gradient.expr, over))), found, WHOLE)


def _other_lines(case: Case) -> Iterator[Finding]:
    """The gradient of another variable, or a value of the forward pass."""
    goal, value = case.program.objective, case.value
    for name, tensor in case.chain.gradients.items():
        if name != case.wrt and _fits(value.axes, tensor.axes):
            yet = "yet " if name in case.program.by_name and name in _above(case) else ""
            words: Words = {"objective": goal, "other": name, "of": case.wrt, "yet": yet}
            own = case.derivation.names[name]
            if own in case.derivation.full.tensors:
                yield Finding("another gradient", Claim(value, of_tensor(case.derivation.full[own])), words, WHOLE)
    for name in case.program.by_name:
        tensor = case.program.tensors[name]
        if _fits(value.axes, tensor.axes):
            yield Finding("not differentiated", Claim(value, of_tensor(tensor)), {"other": name}, WHOLE)


def _above(case: Case) -> set[str]:
    """The tensors that the variable acts on."""
    found, stack = set(), [case.wrt]
    while stack:
        name = stack.pop()
        for d in case.program.definitions:
            if name in case.program.uses(d.name) and d.name not in found:
                found.add(d.name)
                stack.append(d.name)
    return found
