"""What a slip would explain: the claim to be proved, and the words for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import sympy as sp

from symnet.checking.slips.setting import Claim, Setting
from symnet.core.axes import Range
from symnet.core.expressions import BINDERS, entries, limits
from symnet.core.functions import TABLE
from symnet.core.index_letters import Labels, extend, relabel
from symnet.core.tensors import Role, Tensor, entry_indices, tensor_name
from symnet.core.text import text
from symnet.indexing.index_array import IndexArray

Word: TypeAlias = str | sp.Basic | Callable[[], str]  # a text, a formula to be written, or what makes the text when it is needed
Words: TypeAlias = dict[str, Word]


@dataclass(frozen=True)
class Finding:
    """A slip of ``kind`` at ``place``. ``undo`` is the answer with the slip undone, None for the right formula.

    ``value`` gives the letters of free indices in the words.
    """

    kind: str
    claim: Claim
    words: Words = field(default_factory=dict)
    place: Word = ""
    undo: IndexArray | str | None = None
    value: IndexArray | None = None

    def said(self, setting: Setting) -> dict[str, str]:
        """The words as texts."""
        return {key: self.text(setting, word) for key, word in self.words.items()}

    def text(self, setting: Setting, word: Word) -> str:
        """One word as text."""
        return word if isinstance(word, str) else say(setting, word, self.value) if isinstance(word, sp.Basic) else word()


def say(setting: Setting, expr: sp.Basic, value: IndexArray | None = None) -> str:
    """``expr`` in plain maths with readable letters; the indices of ``value`` get the letters of its axes."""
    if isinstance(expr, sp.Not):
        return f"not ({say(setting, expr.args[0], value)})"
    if isinstance(expr, sp.core.relational.Relational):
        return f"{say(setting, expr.lhs, value)} {expr.rel_op} {say(setting, expr.rhs, value)}"
    labels, expr = Labels.of(setting.program), _folded(setting, expr)
    scope: dict[sp.Symbol, sp.Symbol] = {s: s for s in expr.free_symbols if s.is_integer and not isinstance(s, sp.Dummy)}
    if value is not None:
        scope = extend(scope, [(i, *a.range) for i, a in zip(value.indices, value.axes, strict=True)], labels)
    bound = {i for node in expr.atoms(*BINDERS) for i, _, _ in limits(node)}
    for s in sorted((s for s in expr.free_symbols if isinstance(s, sp.Dummy) and s not in scope and s not in bound), key=str):
        scope = extend(scope, [(s, *_range_of(setting, expr, s))], labels)
    return text(relabel(expr, scope, labels))


def _range_of(setting: Setting, expr: sp.Expr, letter: sp.Symbol) -> Range:
    """The range of an index, by an entry in which it stands alone."""
    for e in entries(expr):
        axes = setting.derivation.full.tensors[tensor_name(e)].axes if tensor_name(e) in setting.derivation.full.tensors else ()
        for place, axis in zip(entry_indices(e), axes, strict=False):
            if place == letter:
                return axis.range
    return sp.S.One, sp.S.One


def truth_text(setting: Setting) -> str:
    """The right formula in the names of the program; the name of the gradient where it has several lines."""
    if setting.entrywise is not None:  # in the named steps of the derivation: what a function computes is long
        lines = setting.formula
        return say(setting, lines[0].expr, of_lines(setting)) if len(lines) == 1 else setting.truth.name
    made = setting.named
    return setting.truth.name if made is None else say(setting, made.expr, made)


def of_lines(setting: Setting) -> IndexArray:
    """The gradient by its own line."""
    d = setting.formula[0]
    return IndexArray.over(setting.truth.axes, d.indices, d.expr)


def undone_text(setting: Setting, value: IndexArray) -> str:
    """The answer with the slip undone, or what it then equals where it has no formula."""
    return truth_text(setting) if setting.entrywise is not None else say(setting, value.expr, value)


def _folded(setting: Setting, expr: sp.Expr) -> sp.Expr:
    """σ(z) as a, where the program says a = σ(z)."""
    known = [d for d in setting.program.definitions if d.expr.func in TABLE and _name_of(d.expr.args[0])]
    there = {}
    for node in expr.atoms(sp.Function):
        for d in known:
            if node.func is d.expr.func and tensor_name(d.expr.args[0]) == _name_of(node.args[0]):
                places = dict(zip(entry_indices(d.expr.args[0]), entry_indices(node.args[0]), strict=True))
                if set(d.indices) <= set(places) and d.expr.xreplace(places) == node:
                    there[node] = d.entry.xreplace(places)
    return expr.xreplace(there)


def _name_of(node: sp.Expr) -> str:
    return tensor_name(node) if isinstance(node, (sp.Indexed, sp.Symbol)) else ""


def like(a: Tensor, b: Tensor) -> bool:
    """Two tensors of which one may stand for the other."""
    return a.name != b.name and [x.range for x in a.axes] == [x.range for x in b.axes]


def renamed(a: Tensor, b: Tensor) -> str:
    """The kind of slip that puts one for the other: w1 for w2 is the weight of another layer."""
    numbered = a.name.rstrip("0123456789") == b.name.rstrip("0123456789") and a.name[:1] in "wWvVuU"
    return "neighbouring weight" if numbered or a.role is b.role is Role.PARAMETER else "wrong variable"


def entry_of(tensor: Tensor, at: sp.Expr) -> sp.Expr:
    """The entry of a tensor at the place of another's."""
    return tensor[entry_indices(at)] if tensor.axes else tensor[()]


def fitting(t: Tensor, spans: dict[sp.Symbol, tuple[sp.Expr, sp.Expr]]) -> Iterator[tuple[sp.Symbol, ...]]:
    """Letters for the axes of ``t``, each of the same range, all different."""
    choices: list[tuple[sp.Symbol, ...]] = [()]
    for axis in t.axes:
        choices = [(*c, i) for c in choices for i, span in spans.items() if span == axis.range and i not in c]
    yield from choices
