"""Names first, then opened: two expressions in the names of a program, and the same with one name after another written out.

Most right answers agree while the intermediates keep their names, and then nothing swells. Where they do not, the name that one side
alone uses is opened, the latest first, and at last those that both use. In a recurrence a line is opened once, and what is defined
slice by slice stays closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import sympy as sp

from symnet.core.expressions import entries
from symnet.core.program import Definition, Program
from symnet.core.schedule import schedule
from symnet.core.tensors import tensor_name


class Opening:
    """The definitions of a program that may be written out, each with its place in the order of computation."""

    def __init__(self, program: Program) -> None:
        loops = {d.name for block in schedule(program) if block.is_loop for d in block.definitions}
        self.definitions: Mapping[str, tuple[Definition, ...]] = {
            n: ds for n, ds in program.by_name.items() if n not in loops or len(ds) == 1}
        self.order = {name: k for k, name in enumerate(program.by_name)}
        self.uses = {name: frozenset(program.uses(name)) for name in self.definitions}

    def stages(self, left: sp.Expr, right: sp.Expr) -> Iterator[frozenset[str]]:
        """The names to write out: none; then those that one side alone uses; then one shared name after another besides."""
        opened: set[str] = set()
        yield frozenset()
        sides = [{tensor_name(e) for e in entries(side)} for side in (left, right)]
        while True:
            used = [self._closed(names, opened) for names in sides]
            while alone := used[0] ^ used[1]:
                opened.add(max(alone, key=self.order.__getitem__))
                used = [self._closed(names, opened) for names in sides]
            if opened:
                yield frozenset(opened)
            if not used[0]:
                return
            opened.add(max(used[0], key=self.order.__getitem__))

    def _closed(self, names: Iterable[str], opened: set[str]) -> set[str]:
        """The names that still stand for something once ``opened`` are written out."""
        found, stack, seen = set[str](), list(names), set[str]()
        while stack:
            name = stack.pop()
            if name in seen or name not in self.definitions:
                continue
            seen.add(name)
            if name in opened:
                stack += self.uses[name]
            else:
                found.add(name)
        return found

    def lines(self, names: Iterable[str]) -> dict[str, tuple[Definition, ...]]:
        """The definitions of these names."""
        return {name: self.definitions[name] for name in names}


def in_each_other(lines: Mapping[sp.Basic, sp.Expr]) -> dict[sp.Basic, sp.Expr]:
    """The right sides of ``lines``, each with those before it put in."""
    there: dict[sp.Basic, sp.Expr] = {}
    for entry, right in lines.items():
        there[entry] = right.xreplace(there)
    return there
