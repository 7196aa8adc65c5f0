"""Which change of the derivation gives exactly what the code gives? The search behind the slips that run through several gradients."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
import sympy as sp

from symnet.checking.code.arrays import each
from symnet.checking.code.constants import constant
from symnet.checking.code.judging import FIRST, Trial, judge
from symnet.checking.code.mutations import Mutation, mutations, unfolded
from symnet.checking.code.nodes import Node, tracing
from symnet.checking.code.proving import Prover
from symnet.checking.code.rebuilding import rebuilt
from symnet.checking.code.results import Slip
from symnet.checking.code.slips import alike, numbers, own_slip, right_numbers
from symnet.checking.code.truth import Truth, value_of
from symnet.checking.code.values import needed, values
from symnet.core.derivation import Derivation
from symnet.core.places import at_place, visits
from symnet.core.program import Program
from symnet.core.verdict import Answer
from symnet.errors import SymnetError

MOST = 300  # changes that are tried
SECONDS = 30  # for the search; what was found by then is judged
SCREENED = 2  # points
NUMBERS = 12  # of the code that are tried
SMALL = sp.Rational(1, 100)  # numbers in the code that may be an eps


def slips_of(refuted: Mapping[str, Trial], trials: list[tuple[Trial, Derivation]]) -> dict[str, Slip]:
    """The slip for each refuted value that one explains: what the array itself shows, a change of the derivation, a number in the code."""
    found: dict[str, Slip] = {}
    for trial, derivation in trials:
        names = [n for n, t in refuted.items() if t is trial]
        other = next((t for t, _ in trials if t is not trial), None)
        for name in names:
            slip = own_slip(trial, name, other)
            found |= {name: slip} if slip is not None else {}
        left = [n for n in names if n not in found and trial.returned[n].shape == trial.truth.shape(trial.targets[n])]
        if left:
            found |= explain(trial, [n for n in left if n != derivation.objective], derivation)
            found |= other_numbers(trial, [n for n in left if n not in found])
    return found


def explain(trial: Trial, wrong: list[str], derivation: Derivation) -> dict[str, Slip]:
    """The slip for each wrong gradient that one change explains; a change that explains more comes first."""
    try:
        whole = Changed(trial, derivation)
    except SymnetError:
        return {}
    if not wrong:
        return {}
    tried = []
    until = time.monotonic() + SECONDS
    for mutation in islice(mutations(derivation), MOST):
        tried.append((mutation, whole.explained(mutation, wrong)))
        if time.monotonic() > until:
            break
    found: dict[str, Slip] = {}
    for mutation, names in sorted((t for t in tried if t[1]), key=lambda t: -len(t[1])):
        left = [n for n in names if n not in found]
        if left and whole.confirmed(mutation, left):
            found |= dict.fromkeys(left, Slip(mutation.kind, mutation.message))
        if len(found) == len(wrong):
            break
    return found


class Changed:
    """The derivation with every chain-rule line written out, ready to have one of them changed."""

    def __init__(self, trial: Trial, derivation: Derivation) -> None:
        self.trial = trial
        full = derivation.program
        program = Program(full.inputs, (*full.definitions, *unfolded(derivation)), full.objective, (), full.title)
        known = {key: int(v) for key, v in trial.known.items()}
        self.truth = Truth(program, trial.truth.sizes, known, plain=False)
        self.values = [self.truth.values(p) for p in trial.points[:SCREENED]]
        self.targets = {n: derivation.names.get(n, n) for n in trial.returned}

    def definitions(self, mutation: Mutation) -> dict[sp.Symbol, sp.Expr]:
        """The lines of the change, entry by entry."""
        entries, there = self.truth.entries, self.truth.there
        found = {}
        for d in mutation.lines:
            for place, env in visits(d, entries.env):
                symbol = there.get(entries(d.name, place))
                if symbol is not None and symbol.is_Symbol:
                    found[symbol] = at_place(d.expr, env, entries).xreplace(there)
        return found

    def explained(self, mutation: Mutation, wrong: list[str]) -> list[str]:
        """The wrong gradients whose values are those that the change gives."""
        try:
            lines = self.definitions(mutation)
        except (SymnetError, KeyError, TypeError):
            return []
        names = wrong
        for k in range(SCREENED):
            changed = self._values(lines, k) if names else {}
            names = [n for n in names if alike(numbers(self.trial, self.trial.returned[n], k), self._array(n, changed))]
        return names

    def _array(self, name: str, changed: Mapping[Any, Any]) -> Any:
        made = np.empty(self.truth.shape(self.targets[name]), dtype=object)
        for place, entry in self.truth.array(self.targets[name]).items():
            made[place] = changed[entry] if entry in changed else self.truth.number(entry)
        return made

    def _values(self, lines: Mapping[sp.Symbol, sp.Expr], k: int) -> Mapping[Any, Any]:
        """All values at point k with some lines changed; only what depends on them is computed again."""
        found, dirty = dict(self.values[k]), set[sp.Symbol]()
        for s in self.truth.definitions:
            expr = lines.get(s, self.truth.definitions[s])
            if s in lines or expr.free_symbols & dirty:
                found[s] = value_of(expr, found)
                dirty.add(s)
        return found

    def confirmed(self, mutation: Mutation, names: list[str]) -> bool:
        """Proof that the code gives what the change gives, in every entry."""
        truth = self.truth.with_definitions(self.definitions(mutation))
        points = self.trial.points[:FIRST]
        order = needed(node for n in names for node in self.trial.returned[n].flat)
        prover = Prover(truth, [values(order, p) for p in points], [truth.values(p) for p in points])
        prover.write(order)
        return all(prover.equal(prover.form[self.trial.returned[n][place]], entry).holds
                   for n in names for place, entry in truth.array(self.targets[n]).items())


def other_numbers(trial: Trial, wrong: list[str]) -> dict[str, Slip]:
    """A number in the code (an eps, a coefficient) that makes the difference: with another one the value is right."""
    found: dict[str, Slip] = {}
    own = {abs(x) for d in trial.truth.scalars.definitions for x in d.expr.atoms(sp.Rational)}
    for node in [n for n in trial.order if n.op == "num" and abs(n.value) not in (0, 1)][:NUMBERS]:
        old = _rational(node)
        small = abs(old) <= SMALL
        tried = (sp.S.Zero, *sorted(x for x in own if 0 < x <= SMALL)) if small else (old / 2, old * 2, -old, sp.S.Zero, *sorted(own))
        for value in dict.fromkeys(tried):
            names = [n for n in wrong if n not in found]
            if value == old or not names:
                continue
            swapped = _swapped(trial, node, value)
            right = [n for n in names if swapped is not None and _right(swapped, n)]
            said = f"with {_decimal(value)} in place of {_decimal(old)} in the code it is right"
            if small and value == 0:
                said = f"{_decimal(old)} is added in the code and has no place in the derivation; without it this is right"
            found |= dict.fromkeys(right, Slip("eps" if small else "number", said))
    return found


def _rational(node: Node) -> sp.Rational:
    return sp.Rational(int(node.value.p), int(node.value.q))


def _decimal(value: sp.Rational) -> str:
    return str(value) if abs(value.q) < 1000 else f"{float(value):.12g}"


def _swapped(trial: Trial, old: Node, value: sp.Rational) -> Trial | None:
    """The same trace with another number."""
    try:
        with tracing(trial.graph):
            made = rebuilt(trial.order, old, constant(Fraction(int(value.p), int(value.q))))
    except SymnetError:
        return None
    arrays = {n: each(made.__getitem__, a) for n, a in trial.returned.items()}
    return replace(trial, returned=arrays, cache={})


def _right(trial: Trial, name: str) -> bool:
    if trial.returned[name].shape != trial.truth.shape(trial.targets[name]):
        return False
    if not all(alike(numbers(trial, trial.returned[name], k), right_numbers(trial, trial.targets[name], k)) for k in range(2)):
        return False
    return judge(trial, name)[0].answer in (Answer.PROVED, Answer.ALMOST_EVERYWHERE)


