"""The few lines that a step is about, as a program of their own.

A step says how an entry of u moves the lines that use u, and what that does to the objective, given the gradients of those lines:
ū = Σ_v v̄ · ∂v/∂u. In the excerpt for u the gradients v̄ are numbers like any other, and the objective is Σ_v Σ_P v̄[P] v[P], with every
other tensor held. Its slope in u is the step's line, whatever the numbers are. So a step of a deep program can be checked without the
rest of it, and one step stands for all that are the same but for names: by the chain rule the gradients are right where each step is
right and none is missing, which ``Shapes`` and the labels of the steps make sure of.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import replace

import sympy as sp

from symnet.core.derivation import Derivation, Rule, Step
from symnet.core.expressions import as_written, entries, total
from symnet.core.functions import stop_gradient
from symnet.core.program import Definition, Program
from symnet.core.renaming import shape_of
from symnet.core.tensors import Tensor, tensor_name
from symnet.errors import SymnetError


def active_names(derivation: Derivation) -> frozenset[str]:
    """The tensors with a gradient that is made of others."""
    found: frozenset[str] | None = derivation.__dict__.get("_active")
    if found is None:
        found = derivation.__dict__["_active"] = frozenset(
            s.of.name for s in derivation.steps if s.rule not in (Rule.ABSENT, Rule.STOPPED) and (not s.looked_at or s.contributions))
    return found


def _users(derivation: Derivation) -> dict[str, list[Definition]]:
    """The lines that use a tensor and that the objective depends on, in order."""
    found: dict[str, list[Definition]] | None = derivation.__dict__.get("_users")
    if found is None:
        found = derivation.__dict__["_users"] = {}
        active = active_names(derivation)
        for d in derivation.program.definitions:
            if d.name in active or d.name == derivation.objective:
                for u in d.uses:
                    found.setdefault(u, []).append(d)
    return found


def _stands_alone(derivation: Derivation, step: Step, users: list[Definition]) -> bool:
    """True for a step that is one line for the whole gradient and follows from ``users``, each one line for a whole tensor."""
    by_name, objective = derivation.program.by_name, derivation.objective
    return bool(users) and not (
        derivation.program.objective_tensor.axes or step.rule in (Rule.SYMMETRIC, Rule.ABSENT, Rule.STOPPED)
        or len(by_name.get(step.of.name, ())) > 1 or len(_lines_of(derivation).get(step.target.name, [])) > 1
        or any(len(by_name[d.name]) > 1 or step.of.name == d.name or (d.name != objective and objective in d.uses) for d in users))


def is_local(step: Step) -> bool:
    """True for a step that follows from the lines that use its tensor alone: nothing was put in, and nothing that is declared is used."""
    return not (step.inlined or step.assumptions or step.smooth or step.unassumed is not None)


def _lines_of(derivation: Derivation) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] | None = derivation.__dict__.get("_lines_of")
    if found is None:
        found = derivation.__dict__["_lines_of"] = {}
        for s in derivation.steps:
            found.setdefault(s.target.name, []).append(s)
    return found


class Shapes:
    """What each step of a derivation is but for names: all that its check depends on."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation

    def key(self, step: Step, look: bool = False) -> Hashable | None:
        """The same for two steps where the check of one is that of the other; None for a step that is checked by itself. What was not
        looked at is left out, unless ``look`` says to look.
        """
        users = _users(self.derivation).get(step.of.name, [])
        if not is_local(step) or not _stands_alone(self.derivation, step, users):
            return None
        numbers: dict[str, int] = {step.of.name: 0}
        parts: list[Hashable] = []
        for d in users:
            parts += [numbers.setdefault(d.name, len(numbers)), d.name == self.derivation.objective, d.indices, d.ranges,
                      shape_of(d.expr, numbers)]
        line = step.definition
        parts += [numbers.setdefault(line.name, len(numbers)), line.indices, line.ranges, shape_of(line.expr, numbers), step.rule,
                  step.conditions, self._is_in_program(step)]
        if step.looked_at or look:
            parts.append("the line" if step.raw is line.expr else shape_of(step.raw, numbers))
            for c in step.contributions:
                through = next((k for k, d in enumerate(users) if d is c.through), None)
                if through is None:
                    return None
                parts += [through, *[shape_of(e, numbers) for e in (*c.occurrences, c.upstream, c.local, *c.conditions)], c.sums]
        facts = tuple(self._facts(name, numbers) for name in tuple(numbers))
        return None if None in facts else (tuple(parts), facts)

    def _is_in_program(self, step: Step) -> bool:
        return not step.live or self.derivation.full.by_name.get(step.target.name) == (step.definition,)

    def _facts(self, name: str, numbers: dict[str, int]) -> Hashable | None:
        """What is known of a tensor: of a gradient also, whose it is."""
        known = self.derivation.program.tensors.get(name)
        if known is not None:
            return known.axes, known.domain, known.structure, known.classes, known.ignored
        steps = _lines_of(self.derivation).get(name)
        if not steps or steps[0].target.of not in numbers or self.derivation.names.get(steps[0].target.of) != name:
            return None
        return "gradient", numbers[steps[0].target.of], steps[0].target.axes


def excerpt(derivation: Derivation, step: Step) -> Derivation | None:
    """The derivation of one step by itself; None where the step follows from more than the lines that use its tensor.

    Where an earlier gradient was put in, that of v, the lines that use v are there too, and v is not held: v̄ is what they make of it.
    """
    opened = _put_in(derivation, step)
    users = _users(derivation)
    lines: dict[str, Definition] = {}
    for name in (step.of.name, *opened):
        if not _stands_alone(derivation, step if name == step.of.name else opened[name], users.get(name, [])):
            return None
        lines |= {d.name: d for d in users[name]}
    lines = {d.name: d for d in derivation.program.definitions if d.name in lines}
    above = {name: g for name in lines if name not in opened and name != derivation.objective
             and (g := _gradient(derivation, name)) is not None}
    if not lines.keys() <= {*above, *opened, derivation.objective}:
        return None
    given = {name: derivation.program.tensors[name] for name in (step.of.name, *[u for d in lines.values() for u in d.uses])
             if name not in lines}
    given |= {g.name: g for g in above.values()}
    earlier = [s.definition for s in opened.values()]
    if not {u for d in (*earlier, step.definition) for u in d.uses} <= {*given, *lines, *[d.name for d in earlier]}:
        return None
    told = {tensor_name(e) for a in step.assumptions for e in entries(a.left)}
    if not told <= given.keys() or any(told & {*d.uses} for name in given for d in derivation.program.by_name.get(name, ())):
        return None  # what is declared of y is used of q, whose line is not here
    try:
        with as_written():
            program = _lines_alone(derivation, lines, opened, given, above)
            full = program.extend([*earlier, step.definition], derivation.objective)
    except SymnetError:  # it leans on what other lines say of the sizes
        return None
    if not {s for t in given.values() if t.classes is not None for s in t.classes.free_symbols} <= {*program.sizes}:
        return None
    steps = [replace(s, number=k, live=True) for k, s in enumerate((*opened.values(), step), start=1)]
    alone = Derivation(program, full, (step.of.name,), tuple(steps), {s.of.name: s.target.name for s in steps})
    alone.__dict__["_active"] = frozenset({*lines, step.of.name})
    return alone


def _put_in(derivation: Derivation, step: Step) -> dict[str, Step]:
    """The steps whose gradients were put in, and those put into these, by the tensors that they are of; the last to be computed last."""
    found: dict[str, Step] = {}
    stack = list(step.inlined)
    while stack:
        for s in _lines_of(derivation).get(stack.pop(), []):
            if s.of.name not in found:
                found[s.of.name] = s
                stack += s.inlined
    return dict(sorted(found.items(), key=lambda item: item[1].number))


def _lines_alone(derivation: Derivation, lines: Mapping[str, Definition], opened: Collection[str], given: Mapping[str, Tensor],
                 above: Mapping[str, Tensor]) -> Program:
    """The lines, and the objective Σ_v Σ_P v̄[P] v[P], with the terms of the program's own where its line is among them."""
    held = lines.keys() - opened
    made = [Definition(d.target, d.indices, _held(d, held), d.ranges) for name, d in lines.items() if name != derivation.objective]
    goal = [_held(d, held) for name, d in lines.items() if name == derivation.objective]
    for name, gradient in above.items():
        target = lines[name].target
        over = tuple((sp.Dummy(f"p{k}", integer=True), *a.range) for k, a in enumerate(target.axes))
        place = tuple(i for i, _, _ in over)
        goal.append(total(gradient[place] * target[place], over))
    objective = Definition(derivation.program.objective_tensor, (), sp.Add(*goal))
    known = tuple(a for a in derivation.program.assumptions if {tensor_name(e) for e in entries(a.left)} <= given.keys())
    return Program(tuple(given.values()), (*made, objective), derivation.objective, known)


def _gradient(derivation: Derivation, name: str) -> Tensor | None:
    steps = _lines_of(derivation).get(derivation.names.get(name, ""), [])
    return steps[0].target if steps else None


def _held(d: Definition, names: Collection[str]) -> sp.Expr:
    """The right side with the other lines that use the tensor held: their share in it is a step of its own."""
    held = {e: stop_gradient(e) for e in entries(d.expr) if tensor_name(e) in names and tensor_name(e) != d.name}
    return d.expr.xreplace(held) if held else d.expr


