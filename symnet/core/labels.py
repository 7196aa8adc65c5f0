"""Readable index names: after a derivation every index gets the letter its axis has in the program, primed when taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp

from symnet.core.axes import Kind, Range, index
from symnet.core.expressions import Limits, limits, rebuild
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor

_LETTERS = {
    Kind.BATCH: ("n", "m"),
    Kind.TIME: ("t", "s"),
    Kind.DEPTH: ("l", "r"),
    Kind.FEATURE: ("i", "j", "k", "p", "q", "u", "v"),
}


class Labels:
    """The letter of each range of one program: the author's own where there is one, else by the kind of the axis."""

    def __init__(self, tensors: Iterable[Tensor], definitions: Iterable[Definition] = (), sizes: Iterable[str] = ()) -> None:
        self._letters: dict[Range, list[str]] = {}
        known = tuple(tensors)
        self._reserved = {t.name for t in known} | set(sizes)
        lines = tuple(definitions)
        for d in lines:
            for i, lo, hi in d.ranges:
                self._claim((lo, hi), i)
        for d in lines:
            for node in d.expr.atoms(sp.Sum):
                for i, lo, hi in limits(node):
                    self._claim((lo, hi), i)
        for letters in self._letters.values():
            letters.sort()  # where one range has several letters, i comes before j wherever they were first used
        for axis in dict.fromkeys(a for t in known for a in t.axes):
            if axis.range not in self._letters:
                free = [c for c in _LETTERS[axis.kind] if c not in self._taken() and c not in self._reserved]
                self._letters[axis.range] = [free[0] if free else _LETTERS[axis.kind][0]]

    @classmethod
    def of(cls, program: Program) -> Labels:
        """The letters of a program."""
        return cls(program.tensors.values(), program.definitions, [str(s) for s in program.sizes])

    def _taken(self) -> set[str]:
        return {name for names in self._letters.values() for name in names}

    def _claim(self, span: Range, symbol: sp.Symbol) -> None:
        if not isinstance(symbol, sp.Dummy) and str(symbol) not in self._taken():
            self._letters.setdefault(span, []).append(str(symbol))

    def pick(self, span: Range, taken: Iterable[str]) -> sp.Symbol:
        """A letter for an index over ``span`` that is not in ``taken``: k, then k1, k2, … (printed k', k'')."""
        letters = self._letters.get(span) or self._near(span)
        busy = set(taken) | self._reserved
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
    if not expr.has(sp.Sum):
        return expr.xreplace(dict(scope))
    if isinstance(expr, sp.Sum):
        inner = extend(scope, limits(expr), labels)
        over = [(inner[i], lo.xreplace(dict(scope)), hi.xreplace(dict(scope))) for i, lo, hi in limits(expr)]
        return sp.Sum(relabel(expr.function, inner, labels), *over)
    args = tuple(relabel(a, scope, labels) if isinstance(a, sp.Expr) else a.xreplace(dict(scope)) for a in expr.args)
    return rebuild(expr, args)


def extend(scope: Mapping[sp.Symbol, sp.Symbol], over: Iterable[Limits], labels: Labels) -> dict[sp.Symbol, sp.Symbol]:
    """``scope`` with a letter for each index of ``over``."""
    inner = dict(scope)
    for i, lo, hi in over:
        inner[i] = labels.pick((lo, hi), [str(v) for v in inner.values()])
    return inner
