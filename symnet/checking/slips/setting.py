"""One wrong answer: what it says, the truth, and both as numbers at a few points, to sift what may explain it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from symnet.calculus import derive
from symnet.calculus.closed import closed_form
from symnet.checking.slips.chain_paths import Chain
from symnet.checking.slips.imposed_facts import impose
from symnet.checking.slips.sampled_points import Array, SampledPoints
from symnet.checking.tried_sizes import MOST_SIZES, PROVED_AT
from symnet.core.derivation import Derivation
from symnet.core.expressions import When, entries, of_data
from symnet.core.number_sets import NumberSet
from symnet.core.program import Assumption, Program, small_sizes
from symnet.core.schedule import Block, schedule
from symnet.core.tensors import Tensor, tensor_name
from symnet.core.time_limit import time_is_over
from symnet.errors import ShapeError, SymnetError
from symnet.indexing.index_array import IndexArray, of_tensor

SECONDS = 6.0  # an ordinary answer takes a small part of it
LONGER = 14.0  # for a function, whose derivation is longer than that of an answer by hand
CLOSE = NEAR = 1e-8
POSITIVE = (1002, 1004)  # seeds of further points


@dataclass(frozen=True)
class Claim:
    """``left`` = ratio · ``right``. With ``changed``, ``right`` is the gradient asked for, in a derivation in which the gradient line
    of one tensor has another right side."""

    left: IndexArray
    right: IndexArray
    changed: tuple[str, sp.Expr] | None = None


class Entrywise(ABC):
    """A claim that is known entry by entry, at some sizes: an array that a function computed. ``tensor`` stands for it in formulas."""

    tensor: Tensor
    sizes: Mapping[str, int]

    @abstractmethod
    def fixed(self) -> Mapping[str, Array]:
        """The inputs that are certain numbers here, such as class labels."""

    @abstractmethod
    def numbers(self, sampled: SampledPoints) -> Array:
        """The claim at the points, which have values for the inputs."""

    @abstractmethod
    def proved(self, setting: Setting, claim: Claim, ratio: sp.Expr, facts: tuple[Assumption, ...]) -> bool:
        """Is left = ratio · right at these sizes, for all values for which the facts hold?"""

    @abstractmethod
    def computes(self, values: Array) -> bool:
        """Does a step on the way to the claim have these values at the points where ``numbers`` was asked for last?"""


class Setting:
    """An answer to the question for d(objective)/d(wrt), and all that its slips are sought in.

    ``derivation`` declares nothing and has every gradient that a slip may put in the place of another; ``given`` is as it was asked for.
    ``goals`` are the gradients that questions are about: of a changed derivation these alone are kept.
    """

    def __init__(self, derivation: Derivation, wrt: str, given: Derivation | None = None, goals: Iterable[str] = ()) -> None:
        self.given, self.derivation = given or derivation, derivation
        self.declared, self.program = self.given.program.assumptions, derivation.program
        self.sizes = derivation.full.sizes
        self.chain = Chain(derivation)
        self.slips: list[Any] = []  # what may go wrong in the derivation, found once and kept for the next answer
        self.moved: dict[tuple[str, sp.Expr], Mapping[str, Array]] = {}  # the gradients at the points, for each of them
        self.goals = {self.chain.gradients[name].name for name in (wrt, *goals) if name in self.chain.gradients}
        self.ask(wrt)

    def ask(self, wrt: str) -> None:
        """Make it a question about another gradient, or about a value of the forward pass."""
        self.until = time.process_time() + SECONDS
        self.wrt, self.truth = wrt, self.derivation.full[self.derivation.names.get(wrt, wrt)]
        self.formula = self.derivation.full.by_name[self.truth.name]
        self.gradient = of_tensor(self.truth)
        self.named_before: list[tuple[str, sp.Expr]] = []  # changes that explain another claim of the same function
        self.others: tuple[Setting, ...] = ()  # the same question at other sizes, for a claim that is known entry by entry

    @classmethod
    def of(cls, value: IndexArray, derivation: Derivation, wrt: str) -> Setting:
        """The setting of one answer. What does not depend on the answer is kept: the next one is mostly to the same question."""
        if not (LAST and LAST[0].given is derivation and LAST[0].wrt == wrt):
            found = cls(_bare(derivation, wrt), wrt, derivation)
            if len(found.sizes) > MOST_SIZES:
                raise ShapeError("slips", f"{len(found.sizes)} different sizes", f"at most {MOST_SIZES}")
            LAST[:] = [found]
            _ = LAST[0].sampled
        setting = copy(LAST[0])
        setting.until = time.process_time() + SECONDS
        setting.value = setting.written = value
        setting.named_before = []
        return setting

    @classmethod
    def entry_by_entry(cls, derivation: Derivation, wrt: str, claim: Entrywise, goals: Iterable[str] = (),
                       like: Setting | None = None) -> Setting:
        """The setting of a claim that is known entry by entry. ``like`` is one about another gradient of the same derivation."""
        setting = copy(like) if like is not None else cls(derivation, wrt, goals=goals)
        shared = like.sampled if like is not None and like.entrywise is not None and like.entrywise.sizes == claim.sizes else None
        for made in ("sampled", "named", "lifted"):
            setting.__dict__.pop(made, None)
        before = like.named_before if like is not None else []
        setting.ask(wrt)
        setting.until += LONGER
        setting.entrywise, setting.named_before = claim, before
        setting.value = setting.written = of_tensor(claim.tensor)
        if shared is not None and np.any(shared.values[setting.truth.name]):  # what slips give at these points is known already
            setting.__dict__["sampled"] = setting._claimed(shared.copy())
        else:
            setting.moved = {}
        return setting

    entrywise: Entrywise | None = None
    value: IndexArray  # the answer
    claim: Program | None = None  # the answer as lines, where a function computed it
    written: IndexArray  # the answer as it stands on the page, where that is known: 2(y - a), not 2y - 2a

    @property
    def late(self) -> bool:
        """True when the time is over."""
        return time.process_time() > self.until or time_is_over()

    @cached_property
    def named(self) -> IndexArray | None:
        """The truth in the names of the forward pass; None for a recurrence, which has no such formula."""
        backward = [d for d in self.derivation.full.definitions if d.name not in self.program.by_name]
        part = replace(self.derivation, full=Program(tuple(self.program.tensors.values()), tuple(backward)))
        try:
            return IndexArray.over(self.truth.axes, self.formula[0].indices, closed_form(part, self.wrt))
        except SymnetError:
            return None

    @cached_property
    def lifted(self) -> IndexArray:
        """The answer, as NumPy would stretch it, where it has fewer axes than the gradient."""
        value, axes, letters = self.value, self.gradient.axes, self.gradient.indices
        count = len(value.axes)
        own = axes[len(axes) - count:]
        if count >= len(axes) or any(sp.expand(a.size - b.size) != 0 for a, b in zip(value.axes, own, strict=True)):
            return value
        return IndexArray.over(axes, letters, value.at(*letters[len(axes) - count:]))

    def numbers_for(self, choice: int = 0) -> dict[sp.Symbol, int]:
        """Sizes by symbol."""
        found = self.entrywise.sizes if self.entrywise is not None else small_sizes(self.derivation.full, PROVED_AT[choice])
        return {s: found[str(s)] for s in self.sizes}

    @cached_property
    def forward(self) -> tuple[Block, ...]:
        """The forward pass in order."""
        return schedule(self.program)

    @cached_property
    def sampled(self) -> SampledPoints | None:
        """A few points at which everything has a value, and not all gradients are 0; more for numbers than for arrays."""
        wanted = 2 if any(t.axes for t in self.program.tensors.values()) else 8
        for drawn in (2 * wanted, 24):
            sampled = self._drawn_points((*range(drawn), *POSITIVE))
            truth = sampled.values[self.truth.name].reshape(-1, sampled.points)
            good = [k for k in range(sampled.points) if np.all(np.isfinite(truth[:, k]))]
            moving = [k for k in good if k < drawn and np.any(truth[:, k])]
            if moving:
                flat = [k for k in good if k < drawn and k not in moving]
                positive = [k for k in good if k >= drawn]
                return self._claimed(sampled.only([*moving[:wanted], *flat[:max(2, wanted - len(moving))], *positive]))
        return None

    def points(self, seeds: Sequence[int], facts: tuple[Assumption, ...] | None = None, hot: str = "") -> SampledPoints:
        """Points for which the facts hold, and the claim at them."""
        return self._claimed(self._drawn_points(seeds, facts, hot))

    def _claimed(self, sampled: SampledPoints) -> SampledPoints:
        """The points with what is claimed there, where that has no formula."""
        if self.entrywise is not None:
            claimed = self.entrywise.tensor
            sampled.tensors[claimed.name], sampled.values[claimed.name] = claimed, self.entrywise.numbers(sampled)
        return sampled

    def _drawn_points(self, seeds: Sequence[int], facts: tuple[Assumption, ...] | None = None, hot: str = "") -> SampledPoints:
        """Inputs by chance for which the facts (what is declared) hold, ``hot`` one-hot along its last axis, then both passes."""
        sampled = SampledPoints(self.numbers_for(), self.program.tensors, len(seeds))
        classes = _classes(self.program)
        drawn = [self._drawn(sampled, seed, classes) for seed in seeds]
        for t in self.program.inputs:
            sampled.values[t.name] = np.stack([_structured(t.structure, d[t.name]) for d in drawn], axis=-1)
        if self.entrywise is not None:
            for name, numbers in self.entrywise.fixed().items():
                sampled.values[name] = np.repeat(numbers[..., None], len(seeds), axis=-1)
        impose(sampled, self.program, self.declared if facts is None else facts)
        if hot:
            sampled.values[hot] = np.moveaxis(one_hot(np.moveaxis(sampled.values[hot], -2, -1)), -1, -2)
        sampled.run(self.forward)
        sampled.run(self.chain.blocks)
        for name, tensor in self.chain.gradients.items():
            own = self.derivation.names[name]
            sampled.values[own], sampled.tensors[own] = sampled.values[tensor.name], tensor
        for name in self.derivation.names.values():
            if name in self.derivation.full.tensors:
                sampled.tensors.setdefault(name, self.derivation.full[name])
                sampled.values.setdefault(name, np.zeros(sampled.shape(sampled.tensors[name])))
        return sampled

    def _drawn(self, sampled: SampledPoints, seed: int, classes: Mapping[str, int]) -> dict[str, Array]:
        """Every other point is the one before with all signs turned, and every other pair is wider: both sides of a kink.

        Of POSITIVE, no number is negative, and of its last none more than 1: a wrong answer may have logarithms that the right one lacks.
        """
        dice = np.random.default_rng(seed // 2)
        wide, turned = (2.0 if seed // 2 % 2 else 1.0), (1.0 if seed % 2 == 0 else -1.0)
        positive = POSITIVE.index(seed) + 1 if seed in POSITIVE else 0
        found = {}
        for t in self.program.inputs:
            shape = sampled.shape(t)[:-1]
            size, signs = dice.uniform(0.2, 1.6, shape) * wide, dice.choice([-1.0, 1.0], shape) * turned
            size, signs = (size / 2 / positive, np.abs(signs)) if positive else (size, signs)
            whole = dice.integers(0, 2, shape) * 1.0
            found[t.name] = np.asarray(whole + classes[t.name] if t.name in classes else _inside(t.numbers, size, signs))
        return found

    def changed(self, name: str, expr: sp.Expr) -> Array | None:
        """The gradient with another line for ``name``; None where that changes nothing."""
        assert self.sampled is not None
        key = (name, expr)
        if key not in self.moved:
            blocks = self.chain.changed(name, expr)
            moved = self.goals & {d.name for b in blocks for d in b.definitions}
            self.moved[key] = {}
            if moved:
                other = self.sampled.copy()
                other.run(blocks)
                self.moved[key] = {goal: other.values[goal] for goal in moved}
        goal = self.chain.gradients.get(self.wrt)
        return self.moved[key].get(goal.name) if goal is not None else None

    def ratio(self, claim: Claim) -> float | None:
        """The number r for which left = r · right at every point; None when there is none."""
        if self.sampled is None or len(claim.left.axes) != len(claim.right.axes):
            return None
        right = array_of(self.sampled, claim.right) if claim.changed is None else self.changed(*claim.changed)
        return None if right is None else constant_ratio(array_of(self.sampled, claim.left), right)

    def agrees(self, claim: Claim, ratio: float | None, exact: sp.Expr) -> bool:
        """Is ``ratio``, which left = ratio · right has at the points, the ``exact`` one, and at the other sizes too?"""
        wanted = exact if exact.is_Rational else exact.xreplace({s: sp.Integer(n) for s, n in self.numbers_for().items()})
        if ratio is None or abs(ratio / float(wanted) - 1) >= NEAR:
            return False
        return all(other.agrees(claim, other.ratio(claim), exact) for other in self.others)


def one_hot(values: Array) -> Array:
    """1 at the largest of the last axis, else 0."""
    return np.eye(values.shape[-1])[np.argmax(values, axis=-1)]


def _structured(structure: str, values: Array) -> Array:
    """An array of the declared structure, made of any numbers."""
    if values.ndim < 1 or not structure:
        return values
    made: Mapping[str, Callable[[Array], Array]] = {
        "symmetric": lambda a: np.triu(a) + np.triu(a, 1).T, "diagonal": lambda a: np.diag(np.diag(a)), "one-hot": one_hot,
        "positive definite": lambda a: a @ a.T + np.eye(len(a)), "orthogonal": lambda a: np.linalg.qr(a)[0]}
    return made[structure](values)


def array_of(sampled: SampledPoints, value: IndexArray) -> Array:
    """The numbers of a value at all points."""
    return sampled.array(value.axes, value.indices, value.expr)


def constant_ratio(left: Array, right: Array) -> float | None:
    """The number r with left = r · right at all points where both have a value, or None."""
    if left.shape != right.shape:
        return None
    valued = np.isfinite(left).reshape(-1, left.shape[-1]).all(0) & np.isfinite(right).reshape(-1, right.shape[-1]).all(0)
    left, right = left[..., valued].ravel(), right[..., valued].ravel()
    size = float(np.dot(right, right))
    if size < 1e-18:
        return None
    r = float(np.dot(left, right)) / size
    near = np.max(np.abs(left - r * right)) <= CLOSE * (np.max(np.abs(left)) + np.max(np.abs(right)))
    return r if near and abs(r) > 1e-12 else None


def _bare(derivation: Derivation, wrt: str) -> Derivation:
    """The derivation without what is declared, which is the truth for every input, and with the gradients of all inputs."""
    program = derivation.program
    if program.objective_tensor.axes:  # a Jacobian
        return derivation
    bare = replace(program, assumptions=())
    names = dict.fromkeys((wrt, *(t.name for t in program.inputs if t.name not in _classes(program))))
    try:
        return derive(bare, names)
    except SymnetError:
        return derive(bare, [wrt])


def _classes(program: Program) -> dict[str, int]:
    """The inputs that hold whole numbers, classes that are compared with an index, and the least class: 0 where i = y + 1 is asked."""
    brackets = [c for d in program.definitions for w in d.expr.atoms(When) for c in sp.And.make_args(w.condition) if of_data(c)]
    given, found = {t.name for t in program.inputs}, dict[str, int]()
    for c in (c for c in brackets if isinstance(c, (sp.Eq, sp.Ne))):
        for e in (e for e in entries(c) if tensor_name(e) in given):
            gap = sp.expand(c.lhs - c.rhs)
            slope = gap.coeff(e)
            rest = gap - slope * e
            least = sp.expand(-rest.xreplace({i: sp.S.One for i in rest.free_symbols if i.is_integer}) / slope) if slope else sp.S.One
            found[tensor_name(e)] = int(least) if least.is_Integer else 1
    return found


LAST: list[Setting] = []  # the latest question


def _inside(numbers: NumberSet, size: Array, signs: Array) -> Array:
    """Numbers of the set, made of sizes and signs."""
    low, high = (None if end is None else float(end) for end in (numbers.low, numbers.high))
    if numbers.members:
        found = np.array([float(m) for m in numbers.members])[np.floor(size * 97).astype(int) % len(numbers.members)]
    elif low is not None and high is not None:
        found = low + (high - low) * (0.05 + 0.9 * np.mod(size * 0.6, 1.0))
    else:
        found = low + size if low is not None else high - size if high is not None else size * signs
    return np.asarray(found)
