"""Readable index names: after a derivation every index gets the letter its axis has in the program, primed when taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp

from symnet.core.axes import Kind, Range, index
from symnet.core.expressions import BINDERS, Limits, limits, rebuild
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor

_LETTERS = {
    Kind.BATCH: ("n", "m"),
    Kind.TIME: ("t", "s"),
    Kind.DEPTH: ("l", "r"),
    Kind.FEATURE: ("i", "j", "k", "p", "q", "u", "v"),
}
_TIME = {"t": 0, "s": 1}


class Labels:
    """The letter of each range of one program: the author's own where there is one, else by the kind of the axis."""

    def __init__(self, tensors: Iterable[Tensor], definitions: Iterable[Definition] = (), sizes: Iterable[str] = ()) -> None:
        self._letters: dict[Range, list[str]] = {}
        known = tuple(tensors)
        self._reserved = {t.name for t in known} | set(sizes)
        self._many = any(len(t.axes) > 2 for t in known)
        lines = tuple(definitions)
        for d in lines:
            for i, lo, hi in d.ranges:
                self._claim((lo, hi), i)
        for d in lines:
            for node in d.expr.atoms(*BINDERS):
                for i, lo, hi in limits(node):
                    self._claim((lo, hi), i)
        for letters in self._letters.values():
            letters.sort(key=lambda c: (c[-1].isdigit(), _TIME.get(c, -1), c))  # i before j wherever first used, t before s, i1 last
        for axis in dict.fromkeys(a for t in known for a in t.axes):
            if axis.range not in self._letters:
                free = [c for c in _LETTERS[axis.kind] if c not in self._taken() and c not in self._reserved]
                self._letters[axis.range] = [free[0] if free else _LETTERS[axis.kind][0]]

        for t in known:  # a square matrix has two letters
            spans = [a.range for a in t.axes]
            for span in dict.fromkeys(s for s in spans if spans.count(s) > 1):
                self.spare(span)

    @classmethod
    def of(cls, program: Program) -> Labels:
        """The letters of a program."""
        return cls(program.tensors.values(), program.definitions, [str(s) for s in program.sizes])

    def _taken(self) -> set[str]:
        return {name for names in self._letters.values() for name in names}

    def _claim(self, span: Range, symbol: sp.Symbol) -> None:
        if not isinstance(symbol, sp.Dummy) and str(symbol) not in self._taken():
            self._letters.setdefault(span, []).append(str(symbol))

    def spare(self, span: Range) -> None:
        """Give a range one more letter, for two indices over it side by side: J[i, j] rather than J[i, i']."""
        free = [c for c in _LETTERS[Kind.FEATURE] if c not in self._taken() and c not in self._reserved]
        if free and sum(len(c) == 1 for c in self._letters.setdefault(span, [])) < 2:
            self._letters[span].insert(1, free[0])

    def pick(self, span: Range, taken: Iterable[str], wish: str = "") -> sp.Symbol:
        """A letter for an index over ``span`` that is not in ``taken``: k, then k1, k2, … (printed k', k'').

        ``wish`` is the author's letter for this very index. In a program of tensors with three axes or more it is kept where the size is
        a number, as axes of one length may then be different things (5 channels, 5 rows).
        """
        letters = self._letters.get(span) or self._near(span)
        busy = set(taken) | self._reserved
        if self._many and wish in self._taken() - busy and span[0].is_Integer and span[1].is_Integer:
            return index(wish)
        free = [name for name in letters if name not in busy]
        number = 1
        while not free:
            free = [f"{letters[0]}{number}"] if f"{letters[0]}{number}" not in busy else []
            number += 1
        return index(free[0])

    def _near(self, span: Range) -> list[str]:
        sizes = span[0].free_symbols | span[1].free_symbols
        for known, letters in self._letters.items():
            if sizes and sizes == known[0].free_symbols | known[1].free_symbols:
                return letters
        return ["s"]


def relabel(expr: sp.Expr, scope: Mapping[sp.Symbol, sp.Symbol], labels: Labels) -> sp.Expr:
    """``expr`` with its free indices renamed by ``scope`` and every bound index given a readable letter."""
    if not expr.has(*BINDERS):
        return expr.xreplace(dict(scope))
    if isinstance(expr, BINDERS):
        inner = extend(scope, limits(expr), labels)
        over = [(inner[i], lo.xreplace(dict(scope)), hi.xreplace(dict(scope))) for i, lo, hi in limits(expr)]
        return expr.func(relabel(expr.function, inner, labels), *over)
    return rebuild(expr, tuple(relabel(a, scope, labels) for a in expr.args))


def extend(scope: Mapping[sp.Symbol, sp.Symbol], over: Iterable[Limits], labels: Labels, wish: str = "") -> dict[sp.Symbol, sp.Symbol]:
    """``scope`` with a letter for each index of ``over``; ``wish`` as in Labels.pick, by default the name of the index."""
    inner = dict(scope)
    for i, lo, hi in over:
        inner[i] = labels.pick((lo, hi), [v.name if v.is_Symbol else str(v) for v in inner.values()], wish or str(i.name))
    return inner


def unlike_names(program: Program) -> Program:
    """The program with other letters for indices that are called like one of its sizes or tensors: Σ over k = 1..m beside k classes
    misleads."""
    named = {*map(str, program.sizes), *program.tensors}
    labels = Labels.of(program)

    def clear(d: Definition) -> Definition:
        bound = {i for node in d.expr.atoms(*BINDERS) for i, _, _ in limits(node)}
        if named.isdisjoint(str(i) for i in {*d.free, *bound}):
            return d
        scope = extend({}, [(i, *span) for i, span in d.free.items()], labels)
        ranges = tuple((scope[i], lo, hi) for i, lo, hi in d.ranges)
        return Definition(d.target, tuple(scope.get(i, i) for i in d.indices), relabel(d.expr, scope, labels), ranges, d.note)

    lines = tuple(clear(d) for d in program.definitions)
    if lines == program.definitions:
        return program
    return Program(program.inputs, lines, program.objective, program.assumptions, program.title)
