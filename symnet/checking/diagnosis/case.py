"""One wrong answer: what it says, the truth, and both as numbers at a few points, to sift what may explain it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from symnet.calculus import derive
from symnet.calculus.closed import closed_form
from symnet.checking.diagnosis.evaluating import Array, World
from symnet.checking.diagnosis.facts import impose
from symnet.checking.diagnosis.links import Chain
from symnet.checking.sizes import MOST_SIZES, PROVED_AT
from symnet.core.derivation import Derivation
from symnet.core.expressions import When, entries, of_data
from symnet.core.number_sets import NumberSet
from symnet.core.program import Assumption, Program, small_sizes
from symnet.core.schedule import Block, schedule
from symnet.core.tensors import tensor_name
from symnet.errors import ShapeError, SymnetError
from symnet.indexing.index_array import IndexArray, of_tensor

SECONDS = 6.0  # an ordinary answer takes a small part of it
CLOSE = 1e-8


@dataclass(frozen=True)
class Claim:
    """``left`` = ratio · ``right``. With ``changed``, ``right`` is the gradient asked for, in a derivation in which the gradient line
    of one tensor has another right side."""

    left: IndexArray
    right: IndexArray
    changed: tuple[str, sp.Expr] | None = None


class Case:
    """An answer to the question for d(objective)/d(wrt)."""

    def __init__(self, derivation: Derivation, wrt: str) -> None:
        self.until = time.process_time() + SECONDS
        self.given, self.wrt, self.declared = derivation, wrt, derivation.program.assumptions
        self.derivation = _bare(derivation, wrt)
        self.program = self.derivation.program
        full = self.derivation.full
        self.sizes = full.sizes
        if len(self.sizes) > MOST_SIZES:
            raise ShapeError("diagnosis", f"{len(self.sizes)} different sizes", f"at most {MOST_SIZES}")
        self.truth = full[self.derivation.gradient_name(wrt)]
        self.formula = self.derivation.gradients[wrt].definitions
        self.gradient = of_tensor(self.truth)
        self.chain = Chain(self.derivation)
        self.slips: list[Any] = []  # what may go wrong in the derivation, found once and kept for the next answer
        self.moved: dict[tuple[str, sp.Expr], Array | None] = {}  # the gradient at the points, for each of them

    @classmethod
    def of(cls, value: IndexArray, derivation: Derivation, wrt: str) -> Case:
        """The case of one answer. What does not depend on the answer is kept: the next one is mostly to the same question."""
        if not (LAST and LAST[0].given is derivation and LAST[0].wrt == wrt):
            LAST[:] = [cls(derivation, wrt)]
            _ = LAST[0].world
        case = copy(LAST[0])
        case.until = time.process_time() + SECONDS
        case.value = case.written = value
        return case

    value: IndexArray  # the answer
    written: IndexArray  # the answer as it stands on the page, where that is known: 2(y - a), not 2y - 2a

    @property
    def late(self) -> bool:
        """True when the time is over."""
        return time.process_time() > self.until

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
        found = small_sizes(self.derivation.full, PROVED_AT[choice])
        return {s: found[str(s)] for s in self.sizes}

    @cached_property
    def forward(self) -> tuple[Block, ...]:
        """The forward pass in order."""
        return schedule(self.program)

    @cached_property
    def world(self) -> World | None:
        """A few points at which everything has a value, and not all gradients are 0; more for numbers than for arrays."""
        wanted = 2 if any(t.axes for t in self.program.tensors.values()) else 8
        for drawn in (2 * wanted, 24):
            world = self.points(range(drawn))
            truth = world.values[self.truth.name].reshape(-1, drawn)
            good = [k for k in range(drawn) if np.all(np.isfinite(truth[:, k]))]
            moving = [k for k in good if np.any(truth[:, k])]
            if moving:
                flat = [k for k in good if k not in moving]
                return world.only([*moving[:wanted], *flat[:max(2, wanted - len(moving))]])
        return None

    def points(self, seeds: range, facts: tuple[Assumption, ...] | None = None, hot: str = "") -> World:
        """Inputs by chance for which the facts (what is declared) hold, ``hot`` one-hot along its last axis, then both passes."""
        world = World(self.numbers_for(), self.program.tensors, len(seeds))
        classes = _classes(self.program)
        drawn = [self._drawn(world, seed, classes) for seed in seeds]
        world.values.update({t.name: np.stack([_structured(t.structure, d[t.name]) for d in drawn], axis=-1) for t in self.program.inputs})
        impose(world, self.program, self.declared if facts is None else facts)
        if hot:
            world.values[hot] = np.moveaxis(one_hot(np.moveaxis(world.values[hot], -2, -1)), -1, -2)
        world.run(self.forward)
        world.run(self.chain.blocks)
        for name, tensor in self.chain.gradients.items():
            own = self.derivation.names[name]
            world.values[own], world.tensors[own] = world.values[tensor.name], tensor
        for name in self.derivation.names.values():
            if name in self.derivation.full.tensors:
                world.tensors.setdefault(name, self.derivation.full[name])
                world.values.setdefault(name, np.zeros(world.shape(world.tensors[name])))
        return world

    def _drawn(self, world: World, seed: int, classes: set[str]) -> dict[str, Array]:
        """Every other point is the one before with all signs turned, and every other pair is wider: both sides of a kink."""
        dice = np.random.default_rng(seed // 2)
        wide, turned = (2.0 if seed // 2 % 2 else 1.0), (1.0 if seed % 2 == 0 else -1.0)
        found = {}
        for t in self.program.inputs:
            shape = world.shape(t)[:-1]
            size, signs = dice.uniform(0.2, 1.6, shape) * wide, dice.choice([-1.0, 1.0], shape) * turned
            whole = dice.integers(1, 3, shape) * 1.0
            found[t.name] = np.asarray(whole if t.name in classes else _inside(t.numbers, size, signs))
        return found

    def changed(self, name: str, expr: sp.Expr) -> Array | None:
        """The gradient with another line for ``name``; None where that changes nothing."""
        assert self.world is not None
        key = (name, expr)
        if key not in self.moved:
            blocks = self.chain.changed(name, expr)
            goal = self.chain.gradients[self.wrt].name
            self.moved[key] = None
            if any(d.name == goal for b in blocks for d in b.definitions):
                other = self.world.copy()
                other.run(blocks)
                self.moved[key] = other.values[goal]
        return self.moved[key]

    def ratio(self, claim: Claim) -> float | None:
        """The number r for which left = r · right at every point; None when there is none."""
        if self.world is None or len(claim.left.axes) != len(claim.right.axes):
            return None
        right = array_of(self.world, claim.right) if claim.changed is None else self.changed(*claim.changed)
        return None if right is None else constant_ratio(array_of(self.world, claim.left), right)


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


def array_of(world: World, value: IndexArray) -> Array:
    """The numbers of a value at all points."""
    return world.array(value.axes, value.indices, value.expr)


def constant_ratio(left: Array, right: Array) -> float | None:
    """The number r with left = r · right, or None."""
    if left.shape != right.shape or not (np.all(np.isfinite(left)) and np.all(np.isfinite(right))):
        return None
    left, right = left.ravel(), right.ravel()
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


def _classes(program: Program) -> set[str]:
    """The inputs that hold whole numbers: classes, compared with an index."""
    brackets = [c for d in program.definitions for w in d.expr.atoms(When) for c in sp.And.make_args(w.condition) if of_data(c)]
    return {tensor_name(e) for c in brackets if isinstance(c, (sp.Eq, sp.Ne)) for e in entries(c)} & {t.name for t in program.inputs}


LAST: list[Case] = []  # the latest question


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
