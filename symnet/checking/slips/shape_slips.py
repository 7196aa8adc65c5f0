"""Slips of the answer as a whole: transposed, not summed, summed too far, or another line of the derivation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, permutations

import sympy as sp

from symnet.checking.slips.kinds import WHOLE
from symnet.checking.slips.setting import Claim, Setting
from symnet.checking.slips.wording import Finding, Words
from symnet.core.axes import Axis
from symnet.core.expressions import When, substitute, total
from symnet.indexing.index_array import IndexArray, of_tensor


def shape_slips(setting: Setting) -> Iterator[Finding]:
    """Every slip that concerns the answer as a whole."""
    yield from _permuted(setting)
    yield from _diagonal(setting)
    yield from _longer(setting)
    yield from _shorter(setting)
    yield from _other_sums(setting)
    yield from _flipped(setting)
    yield from _other_lines(setting)


def _fits(axes: tuple[Axis, ...], wanted: tuple[Axis, ...]) -> bool:
    return len(axes) == len(wanted) and all(sp.expand(a.size - b.size) == 0 for a, b in zip(axes, wanted, strict=True))


def _undone(setting: Setting, kind: str, value: IndexArray, words: Words | None = None) -> Finding:
    return Finding(kind, Claim(value, setting.gradient), words or {}, WHOLE, value)


def _permuted(setting: Setting) -> Iterator[Finding]:
    value = setting.value
    kind = "jacobian layout" if setting.program.objective_tensor.axes else "transposed answer"
    for order in permutations(range(len(value.axes))):
        axes = tuple(value.axes[k] for k in order)
        if list(order) != sorted(order) and _fits(axes, setting.truth.axes):
            yield _undone(setting, kind, IndexArray.over(axes, tuple(value.indices[k] for k in order), value.expr))


def _diagonal(setting: Setting) -> Iterator[Finding]:
    """A Jacobian with nothing outside its diagonal."""
    gradient = setting.gradient
    if setting.program.objective_tensor.axes and len(gradient.axes) == 2 and _fits(setting.value.axes, gradient.axes) \
            and gradient.axes[0].range == gradient.axes[1].range:
        only = IndexArray.over(gradient.axes, gradient.indices, When(gradient.expr, sp.Eq(*gradient.indices)))
        yield Finding(_of_diagonal(setting), Claim(setting.value, only), {"above": setting.program.objective, "of": setting.wrt}, WHOLE)


def _of_diagonal(setting: Setting) -> str:
    softmax = any(d.expr.has(sp.exp) and d.expr.has(sp.Sum) for d in setting.program.definitions)
    return "softmax elementwise" if softmax else "missing off-diagonal terms"


def _longer(setting: Setting) -> Iterator[Finding]:
    """Axes too many: not summed over, or of size 1. A transposed answer may have them too."""
    value, extra = setting.value, len(setting.value.axes) - len(setting.truth.axes)
    if extra <= 0 or extra > 2:
        return
    for gone in combinations(range(len(value.axes)), extra):
        kept = [k for k in range(len(value.axes)) if k not in gone]
        axes, letters = tuple(value.axes[k] for k in kept), tuple(value.indices[k] for k in kept)
        if not _fits(axes, setting.truth.axes):
            continue
        lost = [(value.indices[k], *value.axes[k].range) for k in reversed(gone)]
        if all(lo == hi for _, lo, hi in lost):
            there = {i: lo for i, lo, _ in lost}
            yield _undone(setting, "extra axis", IndexArray.over(axes, letters, substitute(value.expr, there)))
            continue
        summed = IndexArray.over(axes, letters, total(value.expr, tuple(lost)))
        sizes = ", ".join(f"{value.axes[k].size} (axis {k})" for k in gone)
        yield _undone(setting, "missing batch sum", summed, {"index": sizes})
        count = sp.Mul(*[value.axes[k].size for k in gone])
        yield _undone(setting, "missing batch sum", IndexArray.over(axes, letters, summed.expr / count), {"index": sizes})


def _shorter(setting: Setting) -> Iterator[Finding]:
    """Axes too few: the diagonal of a matrix, or a sum over an axis that the variable has."""
    value, gradient = setting.value, setting.gradient
    missing = len(gradient.axes) - len(value.axes)
    if missing <= 0 or missing > 2:
        return
    if missing == 1 and len(gradient.axes) == 2 and _fits((*value.axes, *value.axes), gradient.axes):
        i, j = gradient.indices
        diag = IndexArray.over(gradient.axes, gradient.indices, When(value.at(i), sp.Eq(i, j)))
        yield _undone(setting, "missing diag", diag)
        only = IndexArray.over(value.axes, value.indices, gradient.at(value.indices[0], value.indices[0]))
        words: Words = {"above": setting.program.objective, "of": setting.wrt}
        yield Finding(_of_diagonal(setting), Claim(value, only), words, WHOLE)
    for gone in combinations(range(len(gradient.axes)), missing):
        kept = [k for k in range(len(gradient.axes)) if k not in gone]
        axes, letters = tuple(gradient.axes[k] for k in kept), tuple(gradient.indices[k] for k in kept)
        if _fits(value.axes, axes):
            over = tuple((gradient.indices[k], *gradient.axes[k].range) for k in reversed(gone))
            sizes = ", ".join(f"{gradient.axes[k].size} (axis {k})" for k in gone)
            found: Words = {"index": sizes, "of": setting.wrt}
            yield Finding("summed too far", Claim(value, IndexArray.over(axes, letters, total(gradient.expr, over))), found, WHOLE)


def _other_sums(setting: Setting) -> Iterator[Finding]:
    """The chain's products summed over other axes than those that the variable lacks."""
    links = setting.chain.links.get(setting.wrt, [])
    if len(links) != 1 or not links[0].term.sums:
        return
    (link,) = links
    summed = {i: (lo, hi) for i, lo, hi in link.term.sums}
    spans = {**dict(zip(link.alphas, link.axes, strict=True)), **summed}
    if any(e.free_symbols & spans.keys() for span in spans.values() for e in span):
        return
    body, value = link.expr(term=replace(link.term, sums=())), setting.value
    for letters in permutations(spans, len(value.axes)):
        axes = tuple(Axis(str(spans[i][1]), *spans[i]) for i in letters)
        gone = [i for i in spans if i not in letters]
        if set(letters) == set(link.alphas) or not _fits(axes, value.axes):
            continue
        made = IndexArray.over(axes, letters, total(body, tuple((i, *spans[i]) for i in gone)))
        less, more = ([str(spans[i][1]) for i in some] for some in (set(gone) & set(link.alphas), set(letters) & set(summed)))
        words: Words = {"index": ", ".join(more or less), "of": setting.wrt, "wrong": "a sum over " + ", ".join(less),
                        "right": "a sum over " + ", ".join(more)}
        kind = "wrong axis" if less and more else "missing batch sum" if more else "summed too far"
        yield Finding(kind, Claim(value, made), words, WHOLE)


def _flipped(setting: Setting) -> Iterator[Finding]:
    """The entries in reverse order."""
    value = setting.value
    if not _fits(value.axes, setting.truth.axes):
        return
    for count in range(1, len(value.axes) + 1):
        for turned in combinations(range(len(value.axes)), count):
            places = [a.lower + a.upper - i if k in turned else i for k, (i, a) in enumerate(zip(value.indices, value.axes, strict=True))]
            words: Words = {"axes": "axis " + ", ".join(map(str, turned))}
            yield _undone(setting, "flipped", IndexArray.over(value.axes, value.indices, value.at(*places)), words)
    for k, (i, axis) in enumerate(zip(value.indices, value.axes, strict=True)):
        half = sp.expand(axis.size / 2)
        if all(c.is_Integer for c in half.as_coefficients_dict().values()):
            last = axis.lower + half - 1
            moved = [value.at(*value.indices[:k], place, *value.indices[k + 1:]) for place in (i + half, i - half)]
            expr = When(moved[0], i <= last) + When(moved[1], i > last)
            yield _undone(setting, "halves exchanged", IndexArray.over(value.axes, value.indices, expr), {"axes": f"axis {k}"})


def _other_lines(setting: Setting) -> Iterator[Finding]:
    """The gradient of another variable, or a value of the forward pass."""
    goal, value = setting.program.objective, setting.value
    for name, tensor in setting.chain.gradients.items():
        if name != setting.wrt and _fits(value.axes, tensor.axes):
            yet = "yet " if name in setting.program.by_name and name in _above(setting) else ""
            words: Words = {"objective": goal, "other": name, "of": setting.wrt, "yet": yet}
            own = setting.derivation.names[name]
            if own in setting.derivation.full.tensors:
                yield Finding("another gradient", Claim(value, of_tensor(setting.derivation.full[own])), words, WHOLE)
    for name in setting.program.by_name:
        tensor = setting.program.tensors[name]
        if _fits(value.axes, tensor.axes):
            yield Finding("not differentiated", Claim(value, of_tensor(tensor)), {"other": name}, WHOLE)


def _above(setting: Setting) -> set[str]:
    """The tensors that the variable acts on."""
    found, stack = set(), [setting.wrt]
    while stack:
        name = stack.pop()
        for d in setting.program.definitions:
            if name in setting.program.uses(d.name) and d.name not in found:
                found.add(d.name)
                stack.append(d.name)
    return found
