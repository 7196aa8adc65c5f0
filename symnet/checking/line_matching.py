"""The lines of a claim that are lines of the derivation, sought first to last as in circuit equivalence checking.

A line that is proved equal, for all sizes, to one of the same names and shape takes that one's name, so that what is long is compared
line by line and never written out whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import sympy as sp

from symnet.checking.domains import aside_of
from symnet.core.derivation import Derivation
from symnet.core.expressions import entries
from symnet.core.program import Definition, Program, right_side_at
from symnet.core.tensors import entry_indices, tensor_name
from symnet.core.verdict import Answer
from symnet.equality.sums.all_sizes import prove_for_all_sizes

Opened = Mapping[str, tuple[Definition, ...]]  # lines that are written out


class LineMatching:
    """What the lines of a derivation were found equal to; kept, since claims about one derivation share lines."""

    def __init__(self, derivation: Derivation) -> None:
        aside = aside_of(derivation.program)  # what the objective does not need may lack a value where it has one
        self.full = derivation.full
        self.given = tuple(d for d in derivation.program.definitions if d.name not in aside)
        self.equal: dict[tuple[Any, ...], Definition | None] = {}
        self.single = {name: lines for name, lines in self.full.by_name.items()
                       if len(lines) == 1 and all(i.is_Symbol for i in lines[0].indices)}

    @cached_property
    def known(self) -> dict[tuple[Any, ...], list[tuple[Definition, Opened]]]:
        """The lines of the derivation by what equal lines share, the shape and the names that they use: as they stand, and with the slopes
        that they use written out, since by hand a layer's two slopes are often one line."""
        found: dict[tuple[Any, ...], list[tuple[Definition, Opened]]] = {}
        for (d,) in self.single.values():
            names = _names(d.expr)
            slopes = {n: self.single[n] for n in names if n in self.single and self.full[n].of}
            for opened in ({}, slopes) if slopes else ({},):
                used = names.difference(opened).union(*[_names(e.expr) for (e,) in opened.values()])
                found.setdefault((_spans(d), frozenset(used)), []).append((d, opened))
        return found

    def matched(self, claim: Program) -> Program:
        """The claim with the derivation's names for the lines that are lines of it too, and without those that it no longer uses."""
        last = claim.definitions[-1]
        found: dict[str, Definition] = {}
        kept: dict[str, Definition] = {}
        for d in (d for d in claim.definitions[:-1] if len(claim.by_name[d.name]) == 1):
            line = _in_names(d, found)
            equal = self._equal(line, kept)
            if equal is not None:
                found[d.name] = equal
            else:
                kept[d.name] = line
        if not found:
            return claim
        made = [_in_names(d, found) for d in claim.definitions if d.name not in found]
        needed, waiting = set[str](), {last.name}
        while waiting:
            needed |= waiting
            parts = [part for d in made if d.name in waiting for part in (d.expr, *(u for u, _, _ in d.holes))]
            waiting = {n for part in parts for n in _names(part)} - needed
        return replace(claim, inputs=tuple(self.full.tensors.values()), definitions=tuple(d for d in made if d.name in needed))

    def _equal(self, line: Definition, own: Mapping[str, Definition]) -> Definition | None:
        """The line of the derivation that this one is; ``own`` are the claim's lines before it."""
        used, waiting = dict[str, Definition](), [line]  # its own lines, which are written out
        while waiting:
            for name in _names(waiting.pop().expr):
                if name in own and name not in used:
                    used[name] = own[name]
                    waiting.append(own[name])
        names = frozenset(n for d in (line, *used.values()) for n in _names(d.expr) if n not in used)
        key = line.expr, line.holes, line.ranges, tuple((d.expr, d.holes) for d in used.values())
        if key not in self.equal:
            others = self.known.get((_spans(line), names), ())
            self.equal[key] = next((other for other, opened in others if self._proved(line, other, used, opened)), None)
        return self.equal[key]

    def _proved(self, line: Definition, other: Definition, used: Mapping[str, Definition], slopes: Opened) -> bool:
        asked = tuple((u, sign, (*d.ranges, *over)) for d in used.values() for u, sign, over in d.holes)
        wanted = right_side_at(other, line.indices)
        if line.expr == wanted and not line.holes and not asked:
            return True
        opened = {**slopes, **{name: (d,) for name, d in used.items()}}
        return prove_for_all_sizes(line.expr, wanted, line.free, (), self.given, (*line.holes, *asked), opened,
                                   self.full.by_name).answer is Answer.PROVED


def _spans(d: Definition) -> tuple[Any, ...]:
    return tuple(a.range for a in d.target.axes)


def _names(expr: sp.Expr) -> set[str]:
    return {tensor_name(e) for e in entries(expr)}


def _in_names(d: Definition, found: Mapping[str, Definition]) -> Definition:
    """A line with the entries of lines that were found as entries of the derivation's."""
    def put(expr: sp.Expr) -> sp.Expr:
        there = {e: found[tensor_name(e)].target[tuple(entry_indices(e)) or ()] for e in entries(expr) if tensor_name(e) in found}
        return expr.xreplace(there) if there else expr
    return replace(d, expr=put(d.expr), holes=tuple((put(u), sign, over) for u, sign, over in d.holes)) if found else d
