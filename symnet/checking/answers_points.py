"""Two tensors of a program at small sizes: an entry and an exact point at which they certainly differ, found without closed forms.

Every line is computed at the point with balls, so that nothing grows: a network of many layers costs as much as running it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import sympy as sp
from flint import ctx

from symnet.calculus.instantiate import Entries
from symnet.checking.domains import classes_of
from symnet.core.number_sets import numbers_of
from symnet.core.numbers import Number, as_ball, compute
from symnet.core.program import Definition, Program
from symnet.core.verdict import Witness
from symnet.equality.cases import has_cases
from symnet.equality.points import nearby, points
from symnet.equality.refuting import AROUND, told_apart
from symnet.equality.structured import forms_of
from symnet.errors import DomainError, SymnetError

BITS, FEW = 128, 4
OTHERS = 8  # values tried for inputs that do not matter for a difference, but for there being one
Place = tuple[int, ...]


class Numbers:
    """The scalars of a program, computed where they are needed and once for each point."""

    def __init__(self, scalars: Program, entries: Entries) -> None:
        self.entries = entries
        self.lines: dict[sp.Basic, Definition] = {d.entry: d for d in scalars.definitions}
        self.inputs: dict[sp.Basic, frozenset[sp.Basic]] = {t[()]: frozenset((t[()],)) for t in scalars.inputs}
        for d in scalars.definitions:
            used = [self.inputs[s] for s in d.expr.free_symbols if s in self.inputs]
            self.inputs[d.entry] = frozenset().union(*used)
        self.classes = classes_of(scalars)
        self.forms = forms_of(scalars.inputs)
        self.given = {t[()]: t.name for t in scalars.inputs}
        self.holes = [(u, sign) for d in scalars.definitions for u, sign, _ in d.holes]
        self.goals = [entries(scalars.objective, place) for place in entries.places(scalars.objective)] \
            if scalars.objective in entries.tensors else []
        self._values: dict[tuple[sp.Basic, ...], dict[sp.Basic, Number]] = {}

    def value(self, entry: sp.Basic, point: Mapping[sp.Basic, sp.Rational], bits: int = BITS) -> Number:
        """One scalar at a point."""
        known = self._values.setdefault((*point.items(), bits), dict(point))
        with ctx.workprec(bits):
            return self._computed(entry, known)

    def _computed(self, entry: sp.Basic, known: dict[sp.Basic, Number]) -> Number:
        stack = [entry]
        while stack:
            top = stack[-1]
            if top in known:
                stack.pop()
                continue
            expr = self.lines[top].expr
            missing = [s for s in expr.free_symbols if s in self.lines and s not in known]
            if missing:
                stack += missing
            else:
                known[top] = compute(expr, known)
                stack.pop()
        return known[entry]

    def difference(self, left: str, right: str, there: Mapping[sp.Basic, sp.Expr]) -> tuple[Place, Witness] | None:
        """The first place at which two tensors of one shape are shown to differ, with the point.

        ``there`` gives some inputs as formulas in the others: declared structures and assumptions, which the point then satisfies.
        """
        if self.forms.lacking:
            return None
        for place in self.entries.places(right):
            a, b = self.entries(left, place), self.entries(right, place)
            used = self.inputs[a] | self.inputs[b]
            used |= {s for e in used & there.keys() for s in there[e].free_symbols}
            free = sorted(used - there.keys(), key=str)
            for point in points(free, FEW if free else 1, classes=self.classes):
                try:
                    whole = self._differ(a, b, point, there, used)
                    if whole is not None and (not self._has_cases((a, b)) or all(
                            self._differ(a, b, nearby(point, k), there, used) for k in range(AROUND))):
                        said = tuple((name, str(whole[e])) for e, name in self.given.items() if e in whole)
                        return place, Witness(said, *told_apart(partial(self.value, a, whole), partial(self.value, b, whole)))
                except (DomainError, ZeroDivisionError):
                    continue
                except SymnetError:
                    return None
        return None

    def _differ(self, a: sp.Basic, b: sp.Basic, point: Mapping[sp.Symbol, sp.Rational], there: Mapping[sp.Basic, sp.Expr],
                used: frozenset[sp.Basic]) -> dict[sp.Basic, sp.Rational] | None:
        """The whole point where the two are certainly different."""
        whole = {**point, **{e: there[e].xreplace(point) for e in sorted(used & there.keys(), key=str)}}
        differ = all(in_domain(e, v) for e, v in whole.items()) and \
            not as_ball(self.value(a, whole) - self.value(b, whole)).contains(0)
        return whole if differ and self._defined(whole) else None

    def _defined(self, point: Mapping[sp.Basic, sp.Rational]) -> bool:
        """Have the objective and every line, as it was written, a value at the point, the other inputs being suited?"""
        others = {s for s, used in self.inputs.items() if used == {s} and s not in self.lines and s not in point}
        there = {s: self.forms.there[s] for s in others & self.forms.there.keys()}
        free = sorted((others - there.keys()) | {s for form in there.values() for s in form.free_symbols if s not in point}, key=str)
        return any(self._defined_at({**other, **point, **{s: form.xreplace({**other, **point}) for s, form in there.items()}})
                   for other in points(free, OTHERS if free else 1, classes=self.classes))

    def _defined_at(self, point: Mapping[sp.Basic, sp.Rational]) -> bool:
        try:
            for goal in self.goals:
                self.value(goal, point)
            for u, sign in self.holes:
                known = self._values.setdefault((*point.items(), BITS), dict(point))
                for s in u.free_symbols & self.lines.keys():
                    self.value(s, point)
                with ctx.workprec(BITS):
                    ball = as_ball(compute(u, known))
                if ball.contains(0) if sign == "=" else not ball > 0 if sign == "<=" else not ball >= 0:
                    return False
        except (DomainError, ZeroDivisionError):
            return False
        return True

    def _has_cases(self, goals: tuple[sp.Basic, ...]) -> bool:
        """True where a step, a kink or a case may change: two answers that differ there alone are equal almost everywhere."""
        stack, seen = list(goals), set[sp.Basic]()
        while stack:
            entry = stack.pop()
            if entry in seen or entry not in self.lines:
                continue
            seen.add(entry)
            expr = self.lines[entry].expr
            if has_cases(expr):
                return True
            stack += expr.free_symbols
        return False


def in_domain(symbol: sp.Basic, value: sp.Rational) -> bool:
    """True when the value is one that the symbol may have."""
    return bool(value.is_Rational) and value in numbers_of(symbol)
