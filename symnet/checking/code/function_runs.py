"""A function that brings its own backward, really run: float64 on fresh data, against its trace, the derivative and differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from symnet.checking.code.float_arrays import Place, apart, refuted
from symnet.core.derivation import Derivation
from symnet.core.own_backward import OwnBackward, Run, Trace
from symnet.core.verdict import Answer, Verdict
from symnet.errors import SymnetError

SIZES = ((3, 2, 4, 5, 6, 7), (2, 5, 3, 4, 7, 6), (1, 3, 2, 4, 5, 6), (3, 1, 2, 2, 3, 2), (1, 1, 1, 1, 1, 1), (8, 11, 9, 13, 10, 12))
STEP, NEAR = 1e-6, 1e-4  # of a difference, and how well it agrees
MOST_ENTRIES = 80  # whose differences are taken one by one
ON_TENSORS = "on plain tensors"
Arrays = dict[str, Any]


class FunctionRuns:
    """All runs, and what they showed."""

    def __init__(self, function: OwnBackward, traces: Sequence[tuple[Trace, Derivation]]) -> None:
        self.function, self.traces = function, traces
        self.names = tuple(a.name for a in function.arguments if a.wanted)
        self.parted: dict[str, str] = {}  # by argument; "" for all of them
        self.wrong: dict[str, tuple[Verdict, Place | None]] = {}
        self.agreed: set[str] = set()  # what was right in every run
        self.changed: dict[str, None] = {}

    def settle(self, name: str, verdict: Verdict) -> tuple[Verdict, Place | None]:
        """The verdict on one gradient with what the runs showed, and the entry that they showed."""
        parted = self.parted.get(name, self.parted.get("", ""))
        if verdict.answer is Answer.UNDECIDED:
            return self.wrong.get(name, (verdict, None))
        if verdict.answer is Answer.REFUTED:
            if name not in self.wrong and name in self.agreed and (parted or _rounded_apart(verdict)):
                said = parted or f"{ON_TENSORS} it is right up to rounding: a number in the code may be rounded"
                return Verdict(Answer.UNDECIDED, reason=said), None
            return verdict, None
        if name in self.wrong and verdict.answer is not Answer.CONDITIONAL:
            return self.wrong[name]
        if self.changed:
            said = f"the function writes into its argument {next(iter(self.changed))}: what the caller had there is lost"
            return Verdict(Answer.UNDECIDED, reason=f"{ON_TENSORS} {said}"), None
        return (Verdict(Answer.UNDECIDED, reason=parted), None) if parted else (verdict, None)

    def run(self) -> None:
        """At every choice of sizes, on data of several kinds."""
        self.agreed = set(self.names)
        choices = [t.sizes for t, _ in self.traces if t.sizes] or [dict(zip(self.function.sizes, c, strict=False)) for c in SIZES]
        for number, sizes in enumerate(choices if self.function.sizes else [{}]):
            trace = next(((t, d) for t, d in self.traces if not t.sizes or t.sizes == sizes), None)
            for seed, strided, scale in ((0, False, 1.0), (1, True, 1.0), (2, True, 1000.0))[:3 if number < 2 else 1]:
                if "" in self.parted:
                    return
                self._at(sizes, trace, seed + 10 * number, strided, scale)

    # One choice of sizes and data.

    def _at(self, sizes: Mapping[str, int], trace: tuple[Trace, Derivation] | None, seed: int, strided: bool, scale: float) -> None:
        where = ", ".join(f"{n} = {k}" for n, k in sizes.items())
        where = f"at sizes {where}" if where else ""
        for positive in (False, True):
            arrays = self._data(sizes, trace, seed, positive)
            upstream = _upstream(seed, strided and scale == 1.0, scale)
            try:
                run = self.function.run(arrays, upstream, (), strided)
            except SymnetError as error:
                if not positive:
                    continue
                self.parted[""] = f"{ON_TENSORS} it raises {error.found}, {where}".removesuffix(", ")
                return
            if positive or all(np.isfinite(o).all() for o in run.outputs):
                break
        self.changed |= dict.fromkeys(run.changed)
        if trace is None:
            self._by_differences(arrays, run, upstream, where)
            return
        right = self._against_trace(*trace, arrays, run, upstream, where)
        if "" in self.parted or strided:
            return
        self._slopes(right, arrays, run, upstream, where)
        for name in self.names if len(self.names) > 1 else ():  # each alone: needs_input_grad, and what an earlier run left behind
            try:
                alone = self.function.run(arrays, upstream, (name,)).gradients[name]
            except SymnetError as error:
                self.parted[name] = f"{ON_TENSORS}, where {name} alone needs a gradient, it raises {error.found}"
                continue
            both = run.gradients[name]
            if (alone is None) != (both is None) or (both is not None and apart(alone, both) is not None):
                self.agreed.discard(name)
                self.parted.setdefault(name, f"{ON_TENSORS} it gives another gradient for {name} where that alone needs one")

    def _data(self, sizes: Mapping[str, int], trace: tuple[Trace, Derivation] | None, seed: int, positive: bool) -> Arrays:
        dice = np.random.default_rng(seed)
        shapes, made = self.function.shapes_at(sizes), Arrays()
        tensors = trace[0].program.tensors if trace is not None else {}
        for a in self.function.arguments:
            shape = shapes[a.name]
            if a.domain == "bool":
                made[a.name] = dice.integers(0, 2, shape) > 0
            elif a.domain == "index":
                known = tensors[a.name].classes if a.name in tensors else None
                there = {s: sp.Integer(sizes[str(s)]) for s in known.free_symbols if str(s) in sizes} if known is not None else {}
                count = known.xreplace(there) if known is not None else None
                likely = a.highest + 1 if trace is not None else min(a.highest + 1, 2)
                made[a.name] = dice.integers(0, int(count) if count is not None and count.is_number else likely, shape)
            else:
                values = dice.uniform(0.05, 0.95, shape) if positive else (1 + seed % 3) * dice.normal(size=shape)
                made[a.name] = np.asarray(values, dtype=float)
        return made

    def _against_trace(self, trace: Trace, derivation: Derivation, arrays: Arrays, run: Run, upstream: Callable[..., Any],
                       where: str) -> Arrays:
        """Its values against those that were traced, and against the derivative, which comes back."""
        incoming = dict(zip(trace.upstream, upstream(run.outputs), strict=False))
        given = {**arrays, **incoming}
        given = {t.name: given[t.name] for t in trace.program.inputs}
        objective = derivation.program.objective
        targets = {n: derivation.names[n] for n in self.names if derivation.names[n] in derivation.full.tensors}
        with np.errstate(all="ignore"):
            right = derivation.full.values([objective, *targets.values()], given)
        said = sum(float(np.sum(g * o)) for g, o in zip(incoming.values(), run.outputs, strict=True))
        if np.isfinite(float(right[objective])) and apart(np.asarray(said), np.asarray(right[objective])) is not None:
            self.parted[""] = f"{ON_TENSORS} the forward pass does not give what was traced, {where}".removesuffix(", ")
            return {}
        slopes = {n: np.asarray(right[targets[n]] if n in targets else np.zeros(arrays[n].shape)) for n in self.names}
        for name, wanted in slopes.items():
            got = run.gradients[name]
            mine = np.zeros(wanted.shape) if got is None else got
            claim = trace.gradients[name][0]
            if claim is not None:
                with np.errstate(all="ignore"):
                    traced = np.asarray(claim.values([claim.objective], {t.name: given[t.name] for t in claim.inputs})[claim.objective])
                if apart(mine, traced) is not None:
                    self.parted.setdefault(name, f"{ON_TENSORS} backward does not give what was traced, {where}".removesuffix(", "))
            elif got is not None:
                self.parted.setdefault(name, f"{ON_TENSORS} backward gives a gradient for {name}, where it was traced without one")
            place = apart(mine, wanted)
            if place is not None:
                self.agreed.discard(name)
                if got is not None:
                    self.wrong.setdefault(name, refuted(place, mine, wanted, given, f"{where}, {ON_TENSORS}".removeprefix(", ")))
        return slopes

    def _slopes(self, slopes: Arrays, arrays: Arrays, run: Run, upstream: Callable[..., Any], where: str) -> None:
        """The derivative against differences of the real outputs, along one direction for each argument."""
        for name, right in slopes.items():
            direction = np.random.default_rng(5).choice([-1.0, 1.0], arrays[name].shape)
            slope = self._difference(arrays, name, STEP * direction, upstream)
            if slope is None or not np.isfinite(right).all():
                continue
            size = float(np.abs(right).sum()) + abs(slope)
            if abs(float((right * direction).sum()) - slope) > NEAR * size + 1e-6 * (1 + sum(float(np.abs(o).sum()) for o in run.outputs)):
                self.parted.setdefault(name, f"{ON_TENSORS} differences of its outputs give another slope than what was traced, {where}")

    def _difference(self, arrays: Arrays, name: str, move: Any, upstream: Callable[..., Any]) -> float | None:
        """The slope of Σ G·output along a move of one argument by STEP; None at a kink."""
        values = []
        for sign in (1, 0, -1):
            try:
                run = self.function.run({**arrays, name: arrays[name] + sign * move}, upstream)
            except SymnetError:
                return None
            values.append(sum(float(np.sum(g * o)) for g, o in zip(upstream(run.outputs), run.outputs, strict=True)))
        step = float(np.abs(move).max())
        right, left = (values[0] - values[1]) / step, (values[1] - values[2]) / step
        made = (right + left) / 2
        return made if np.isfinite(made) and abs(right - left) <= 1e-2 * (abs(right) + abs(left)) + 1e-3 else None

    def _by_differences(self, arrays: Arrays, run: Run, upstream: Callable[..., Any], where: str) -> None:
        """Without a trace: every entry against the difference of the outputs. What differs much, at two steps alike, is wrong."""
        for name in self.names:
            got = run.gradients[name]
            if got is None or name in self.wrong or not 0 < arrays[name].size <= MOST_ENTRIES or got.shape != arrays[name].shape:
                continue
            wanted = np.zeros(arrays[name].shape)
            for place in _places(arrays[name].shape):
                unit = np.zeros(arrays[name].shape)
                unit[place] = 1.0
                near, far = (self._difference(arrays, name, STEP * k * unit, upstream) for k in (1.0, 30.0))
                if near is None or far is None or abs(near - far) > NEAR * (1 + abs(near)):
                    return  # a kink, or no slope
                wanted[place] = near
            size = float(max(np.abs(wanted).max(), np.abs(got).max()))
            place = tuple(int(k) for k in np.unravel_index(int(np.argmax(np.abs(got - wanted))), wanted.shape)) if wanted.ndim else ()
            if np.isfinite(got).all() and abs(float(got[place] - wanted[place])) > 1e-2 * size + 1e-4:
                scope = f"{where}, {ON_TENSORS}, by differences".removeprefix(", ")
                self.wrong[name] = refuted(place, got, wanted, arrays, scope)


def _upstream(seed: int, ones: bool, scale: float) -> Callable[[Sequence[Any]], list[Any]]:
    """Incoming gradients for outputs, the same at each call: by chance, or all 1 as sum().backward() gives them."""
    def made(outputs: Sequence[Any]) -> list[Any]:
        dice = np.random.default_rng(seed + 1000)
        return [np.ones(np.shape(o)) if ones else scale * np.asarray(dice.integers(-64, 65, np.shape(o)) / 32) for o in outputs]
    return made


def _places(shape: tuple[int, ...]) -> Iterator[Place]:
    return iter(np.ndindex(*shape))


def _rounded_apart(verdict: Verdict) -> bool:
    """Do the two values of a refutation differ by no more than a rounded number in the code makes?"""
    if verdict.witness is None:
        return False
    try:
        left, right = float(verdict.witness.left), float(verdict.witness.right)
    except ValueError:
        return False
    return bool(np.isfinite(left) and np.isfinite(right) and abs(left - right) <= 1e-6 * max(abs(left), abs(right)))
