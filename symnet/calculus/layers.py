"""A step of known shape is not derived again: its names are put into the step that was derived.

What a step says follows from the lines that use its tensor and from what is known of their tensors. Where those are the same but for
names, as in the layers of a deep network, so is the step.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from symnet.core.derivation import Contribution, Rule, Step
from symnet.core.later import Later
from symnet.core.matrices import Det, InverseEntry
from symnet.core.program import Definition, Program
from symnet.core.renaming import renamed
from symnet.core.schedule import schedule
from symnet.core.tensors import Tensor

PLAIN = (Rule.CHAIN, Rule.SUM_OVER_USES, Rule.LINEAR, Rule.ELEMENTWISE, Rule.BROADCAST)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a step stands: its tensor, the lines that use it, and all names that occur, in order."""

    of: str
    users: tuple[Definition, ...]
    names: tuple[str, ...]


class KnownShapes:
    """The steps of one derivation by what they follow from. ``gradient`` are the gradient tensors by name, ``wanted`` the tensors that
    are differentiated, ``kept_whole`` the gradients that may be put into later lines, ``told`` the tensors of which an equality is
    declared."""

    def __init__(self, program: Program, gradient: Mapping[str, Tensor], wanted: Collection[str], kept_whole: set[str],
                 told: Collection[str]) -> None:
        self.program, self.gradient, self.wanted, self.kept_whole, self.told = program, gradient, wanted, kept_whole, told
        self.loops = any(block.is_loop for block in schedule(program))
        self.steps: dict[Hashable, tuple[_Place, Step]] = {}
        self.matrices: dict[Hashable, bool] = {}

    def key(self, of: str, users: Sequence[Definition]) -> tuple[Hashable, _Place] | None:
        """What the step by ``of`` follows from, and its names; None where it may follow from more."""
        if self.loops or any(d.name == self.program.objective or self.gradient[d.name].name in self.kept_whole for d in users):
            return None
        numbers = {of: 0}
        own = self.program.by_name.get(of, ())
        if len(own) > 1 or any(len(self.program.by_name[d.name]) > 1 for d in users):
            return None
        shapes: list[Hashable] = [own[0].indices if own else None]
        for d in users:
            shape, names = d.shape
            if self._has_matrices(shape, d):
                return None
            shapes += [shape, tuple(numbers.setdefault(n, len(numbers)) for n in (d.name, *names))]
        if any(name in self.told for name in numbers):
            return None
        known = tuple(self._facts(name) for name in numbers)
        return (tuple(shapes), known), _Place(of, tuple(users), tuple(numbers))

    def _has_matrices(self, shape: Hashable, d: Definition) -> bool:
        if shape not in self.matrices:
            self.matrices[shape] = d.expr.has(Det, InverseEntry)
        return self.matrices[shape]

    def _facts(self, name: str) -> Hashable:
        t = self.program[name]
        return t.axes, t.domain, t.structure, t.classes, t.ignored, name in self.wanted

    def keep(self, key: Hashable, place: _Place, step: Step) -> None:
        """A step that was derived, for others of its shape."""
        if step.rule in PLAIN and not (step.inlined or step.assumptions or step.smooth):
            self.steps[key] = place, step

    def again(self, key: Hashable, place: _Place, number: int) -> Step | None:
        """The step of a known shape at other names; what it is summed from is made when it is looked at."""
        if key not in self.steps:
            return None
        before, step = self.steps[key]
        there: dict[sp.Basic, sp.Basic] = {}
        for old, new in zip(before.names, place.names, strict=True):
            there[self.program[old].base] = self.program[new].base
            if old in self.gradient:
                there[self.gradient[old].base] = self.gradient[new].base
        made: dict[sp.Basic, sp.Expr] = {}

        def put_in(expr: sp.Expr) -> sp.Expr:
            return renamed(expr, there, made)

        line = step.definition
        target = self.gradient[place.of]
        definition = line.renamed(target, put_in(line.expr))
        through = dict(zip(before.users, place.users, strict=True))
        if line.target.name in self.kept_whole:
            self.kept_whole.add(target.name)
        raw = definition.expr if step.raw is line.expr else Later(lambda: put_in(step.raw))
        return Step(number, self.program[place.of], definition, step.rule, Later(_contributions(step, through, put_in)), raw,
                    conditions=step.conditions)


def _contributions(step: Step, through: Mapping[Definition, Definition],
                   put_in: Callable[[sp.Expr], sp.Expr]) -> Callable[[], tuple[Contribution, ...]]:
    return lambda: tuple(replace(c, through=through[c.through], occurrences=tuple(map(put_in, c.occurrences)),
                                 upstream=put_in(c.upstream), local=put_in(c.local)) for c in step.contributions)
