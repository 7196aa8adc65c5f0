"""The slip in a refuted gradient that a function computed: the engine of ``checking/slips``, asked about an array known entry by entry.

The array is one unknown tensor in every formula; its numbers at points come from the trace, and the prover that judges a gradient
confirms what the engine finds. What only code can have, a shape or a small number of its own (eps), is tried here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from flint import arb, ctx

from symnet.checking.code.constants import exact
from symnet.checking.code.entry_maker import each
from symnet.checking.code.judging import FIRST, Trial, judge
from symnet.checking.code.nodes import Node, tracing
from symnet.checking.code.proving import Prover
from symnet.checking.code.rebuilding import rebuilt
from symnet.checking.code.truth import Truth, value_of
from symnet.checking.code.values import BITS, needed, values
from symnet.checking.slips.kinds import WHOLE, Mistake, mistake
from symnet.checking.slips.proof import claim_lines
from symnet.checking.slips.sampled_points import Array, SampledPoints
from symnet.checking.slips.search import search
from symnet.checking.slips.setting import Claim, Entrywise, Setting
from symnet.core.axes import Axis
from symnet.core.code_edits import watched
from symnet.core.decimals import as_ball
from symnet.core.derivation import Derivation
from symnet.core.index_evaluation import visits
from symnet.core.program import Assumption, Program
from symnet.core.tensors import Tensor, free_name
from symnet.core.time_limit import time_is_over
from symnet.core.verdict import Answer
from symnet.errors import FaultError, SymnetError

SECONDS = 60  # for all values of one trace
NUMBERS = 12  # of the code that are tried
EDITS = 60  # of the code that are tried
SMALL = sp.Rational(1, 100)  # numbers in the code that may be an eps
NEAR = 1e-9


def slips_of(refuted: Mapping[str, Trial], trials: list[tuple[Trial, Derivation]]) -> dict[str, Mistake]:
    """The slip for each refuted value that one explains: a slip in the derivation, a shape, or a number in the code."""
    found: dict[str, Mistake] = {}
    for trial, derivation in trials:
        names = [n for n, t in refuted.items() if t is trial]
        others = [t for t, _ in trials if t is not trial]
        like: Setting | None = None
        until = time.process_time() + SECONDS
        for name in names:
            if time.process_time() > until:
                break
            try:
                like = _setting(trial, name, trial.returned[name], derivation, others, names, like)
                slip = search(like) or _shape(trial, name, derivation, others)
            except (FaultError, MemoryError):
                raise
            except Exception:  # the verdict stands, whatever becomes of the search
                slip = None
            found |= {name: slip} if slip is not None else {}
        found |= other_numbers(trial, [n for n in names if n not in found])
        found |= edits(trial, [n for n in names if n not in found])
    return found


def _setting(trial: Trial, name: str, array: Any, derivation: Derivation, others: list[Trial], goals: list[str] = [],  # noqa: B006
             like: Setting | None = None) -> Setting:
    """The question about one returned array, at the sizes of the trial and, as far as numbers go, of the others."""
    claimed = TracedArray(trial, name, array, derivation)
    setting = Setting.entry_by_entry(derivation, name, claimed, goals, like)
    more = [TracedArray(t, name, t.returned[name], derivation) for t in others if name in t.returned]
    setting.others = tuple(Setting.entry_by_entry(derivation, name, t, goals, setting) for t in more if t.tensor == claimed.tensor)
    return setting


class TracedArray(Entrywise):
    """An array of nodes, for the gradient with respect to ``name``."""

    def __init__(self, trial: Trial, name: str, array: Any, derivation: Derivation) -> None:
        self.trial, self.array, self.program = trial, array, derivation.program
        self.sizes = trial.truth.sizes
        wanted = derivation.full[trial.targets[name]]
        self.tensor = Tensor(free_name("claimed", derivation.full.tensors), tuple(self._axes(wanted)))
        self.values: list[dict[Node, float]] = []  # of the nodes, at the latest points

    def _axes(self, wanted: Tensor) -> Iterator[Axis]:
        """The axes of the array, as far as its lengths are known sizes."""
        shape, env = self.array.shape, self.trial.truth.entries.env
        right = [int(a.size.xreplace(env)) for a in wanted.axes]
        if list(shape) == right:
            yield from wanted.axes
            return
        known = {n: Axis.of(s) for s, n in self.sizes.items()} | dict(zip(right, wanted.axes, strict=True))
        yield from (known.get(n) or Axis.of(n) for n in shape)

    def fixed(self) -> Mapping[str, Array]:
        found: dict[str, Array] = {}
        places = {name: {there: mine for mine, there in self.trial.truth.places(name).items()} for name, _ in self.trial.known}
        for (name, place), number in self.trial.known.items():
            array = found.setdefault(name, np.zeros(self.trial.truth.shape(name)))
            array[places[name][place]] = number
        return found

    @cached_property
    def order(self) -> list[Node]:
        """What the array depends on."""
        return needed(self.array.flat)

    def numbers(self, sampled: SampledPoints) -> Array:
        truth = self.trial.truth
        self.values = []
        for lane in range(sampled.points):
            point = {truth.entries(t.name, there): arb(sampled.values[t.name][(*mine, lane)])
                     for t in self.program.inputs for mine, there in truth.places(t.name).items()}
            self.values.append({node: _float(v) for node, v in values(self.order, point).items()})
        made = np.empty((*self.array.shape, sampled.points))
        for place in np.ndindex(*self.array.shape):
            made[place] = [at[self.array[place]] for at in self.values]
        return made

    def computes(self, values: Array) -> bool:
        lanes = [values.reshape(-1, values.shape[-1])[0]]
        return any(all(abs(at[node] - v) <= NEAR * (1 + abs(v)) for at, v in zip(self.values, lane, strict=False))
                   for lane in lanes for node in self.order if not node.is_condition)

    def proved(self, setting: Setting, claim: Claim, ratio: sp.Expr, facts: tuple[Assumption, ...]) -> bool:
        try:
            return self._proved(setting, claim, ratio, facts)
        except (SymnetError, ZeroDivisionError):
            return False

    def _proved(self, setting: Setting, claim: Claim, ratio: sp.Expr, facts: tuple[Assumption, ...]) -> bool:
        trial, old = self.trial, self.trial.truth.program
        lines, left, right = claim_lines(setting, claim, ratio)
        program = Program((*old.inputs, self.tensor), (*setting.program.definitions, *lines, right), old.objective, facts, old.title)
        truth = Truth(program, self.sizes, trial.known, solved=bool(facts))
        mine = {truth.entries(self.tensor.name, there): self.array[place] for place, there in truth.places(self.tensor.name).items()}
        right_points: list[Mapping[Any, Any]] = []
        own: list[Mapping[Node, Any]] = []
        for point in truth.points(FIRST):
            at = values(self.order, point)
            own.append(at)
            right_points.append(truth.values({**point, **{s: at[node] for s, node in mine.items()}}))
        prover = Prover(truth, own, right_points)
        prover.write(self.order)
        forms = {s: prover.form[node] for s, node in mine.items()}
        for place, env in visits(left, truth.entries.env):
            entry = truth.entries.put_in(left.expr, env).xreplace(forms | truth.there)
            if setting.late or not prover.equal(entry, truth.entry(right.name, place).xreplace(forms)).holds:
                return False
        return True


def _float(value: Any) -> float:
    if value is None or isinstance(value, bool):
        return float("nan")
    with ctx.workprec(BITS):
        return float(as_ball(value).mid())


def _shape(trial: Trial, name: str, derivation: Derivation, others: list[Trial]) -> Mistake | None:
    """The right values in another shape."""
    array, wanted = trial.returned[name], trial.truth.shape(trial.targets[name])
    if array.shape == wanted or array.size != int(np.prod(wanted, dtype=int)):
        return None
    setting = _setting(trial, name, array.reshape(wanted), derivation, [])
    claim = Claim(setting.value, setting.gradient)
    if setting.sampled is None or not setting.agrees(claim, setting.ratio(claim), sp.S.One) or setting.entrywise is None \
            or not setting.entrywise.proved(setting, claim, sp.S.One, ()):
        return None
    return mistake("shape", {"wrong": str(array.shape), "right": str(wanted)}, place=WHOLE)


def other_numbers(trial: Trial, wrong: list[str]) -> dict[str, Mistake]:
    """A number in the code (an eps, a coefficient) that makes the difference: with another one the value is right."""
    found: dict[str, Mistake] = {}
    if not wrong:
        return found
    own = {abs(x) for d in trial.truth.scalars.definitions for x in d.expr.atoms(sp.Rational)}
    for node in [n for n in trial.order if n.op == "num" and abs(n.value) not in (0, 1)][:NUMBERS]:
        old = sp.Rational(int(node.value.p), int(node.value.q))
        small = abs(old) <= SMALL
        tried = (sp.S.Zero, *sorted(x for x in own if 0 < x <= SMALL)) if small else (old / 2, old * 2, -old, sp.S.Zero, *sorted(own))
        for value in dict.fromkeys(tried):
            names = [n for n in wrong if n not in found]
            if value == old or not names:
                continue
            swapped = _swapped(trial, node, value)
            right = [n for n in names if swapped is not None and _right(swapped, n)]
            kind = "number" if not small else "another eps" if value else "eps"
            found |= dict.fromkeys(right, mistake(kind, {"wrong": _decimal(old), "right": _decimal(value)}, place=_decimal(old)))
    return found


def edits(trial: Trial, wrong: list[str]) -> dict[str, Mistake]:
    """One place of the code edited (= for +=, another axis, a transposition) so that the value is right."""
    found: dict[str, Mistake] = {}
    if not wrong:
        return found
    with watched() as watch:
        trial.again()
    for edit in list(watch.seen)[:EDITS]:
        names = [n for n in wrong if n not in found]
        if not names or time_is_over():
            break
        try:
            with watched(edit):
                arrays = trial.again()
        except SymnetError:  # shapes that do not fit
            continue
        changed = replace(trial, returned=arrays, cache={key: trial.cache[key] for key in ("truth", "points") if key in trial.cache})
        words = {"line": edit.place, "wrong": edit.old, "right": edit.new}
        found |= {n: mistake(edit.kind, words, place=edit.place) for n in names if n in arrays and _right(changed, n)}
    return found


def _decimal(value: sp.Rational) -> str:
    return str(value) if abs(value.q) < 1000 else f"{float(value):.12g}"


def _swapped(trial: Trial, old: Node, value: sp.Rational) -> Trial | None:
    """The same trace with another number."""
    try:
        with tracing(trial.graph):
            made = rebuilt(trial.order, old, exact(value))
    except SymnetError:
        return None
    arrays = {n: each(made.__getitem__, a) for n, a in trial.returned.items()}
    return replace(trial, returned=arrays, cache={})


def _right(trial: Trial, name: str) -> bool:
    """May it be right, and is it?"""
    if trial.returned[name].shape != trial.truth.shape(trial.targets[name]):
        return False
    for k in range(2):
        mine, right = trial.at(k)
        for place, entry in trial.entries(name).items():
            a, b = mine.get(trial.returned[name][place]), right[entry] if entry in right else value_of(entry, right)
            with ctx.workprec(BITS):
                if a is None or b is None or not as_ball(a - b).contains(0):
                    return False
    return judge(trial, name)[0].answer in (Answer.PROVED, Answer.ALMOST_EVERYWHERE)
