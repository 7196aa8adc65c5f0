"""What a slip would explain: the claim to be proved, and the words for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import sympy as sp

from symnet.checking.diagnosis.case import Case, Claim
from symnet.core.axes import Range
from symnet.core.expressions import BINDERS, entries, limits
from symnet.core.functions import TABLE
from symnet.core.labels import Labels, extend, relabel
from symnet.core.tensors import entry_indices, tensor_name
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

    def said(self, case: Case) -> dict[str, str]:
        """The words as texts."""
        return {key: self.text(case, word) for key, word in self.words.items()}

    def text(self, case: Case, word: Word) -> str:
        """One word as text."""
        return word if isinstance(word, str) else say(case, word, self.value) if isinstance(word, sp.Basic) else word()


def say(case: Case, expr: sp.Basic, value: IndexArray | None = None) -> str:
    """``expr`` in plain maths with readable letters; the indices of ``value`` get the letters of its axes."""
    if isinstance(expr, sp.Not):
        return f"not ({say(case, expr.args[0], value)})"
    if isinstance(expr, sp.core.relational.Relational):
        return f"{say(case, expr.lhs, value)} {expr.rel_op} {say(case, expr.rhs, value)}"
    labels, expr = Labels.of(case.program), _folded(case, expr)
    scope: dict[sp.Symbol, sp.Symbol] = {}
    if value is not None:
        scope = extend(scope, [(i, *a.range) for i, a in zip(value.indices, value.axes, strict=True)], labels)
    bound = {i for node in expr.atoms(*BINDERS) for i, _, _ in limits(node)}
    for s in sorted((s for s in expr.free_symbols if isinstance(s, sp.Dummy) and s not in scope and s not in bound), key=str):
        scope = extend(scope, [(s, *_range_of(case, expr, s))], labels)
    return text(relabel(expr, scope, labels))


def _range_of(case: Case, expr: sp.Expr, letter: sp.Symbol) -> Range:
    """The range of an index, by an entry in which it stands alone."""
    for e in entries(expr):
        axes = case.derivation.full.tensors[tensor_name(e)].axes if tensor_name(e) in case.derivation.full.tensors else ()
        for place, axis in zip(entry_indices(e), axes, strict=False):
            if place == letter:
                return axis.range
    return sp.S.One, sp.S.One


def truth_text(case: Case) -> str:
    """The right formula in the names of the program; the name of the gradient where it has several lines."""
    made = case.named
    return case.truth.name if made is None else say(case, made.expr, made)


def _folded(case: Case, expr: sp.Expr) -> sp.Expr:
    """σ(z) as a, where the program says a = σ(z)."""
    known = [d for d in case.program.definitions if d.expr.func in TABLE and _name_of(d.expr.args[0])]
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
