"""What went wrong in a refuted gradient: usual slips of array code, each confirmed by proof before it is named.

First the array itself: its sign, a factor, its shape, another gradient in its place, a sum left out. ``mutations`` then changes one line of
the right derivation at a time and asks whether the code computes exactly that; one such change may explain many gradients. Last, small
numbers in the code (eps) are tried as 0. ``at`` values sift the candidates, and the same proof that judges a gradient confirms them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from flint import ctx, fmpq

from symnet.checking.code.arrays import each, plain, wrap
from symnet.checking.code.judging import Trial
from symnet.checking.code.nodes import tracing
from symnet.checking.code.results import Slip
from symnet.checking.code.truth import value_of
from symnet.checking.code.values import BITS, needed
from symnet.core.decimals import as_ball

POINTS = 2
Array = Any  # an object array of nodes, or of numbers


def own_slip(trial: Trial, name: str, other: Trial | None) -> Slip | None:
    """The slip that the returned array itself shows."""
    for kind, message, array, target in itertools.chain(_turned(trial, name), _summed(trial, name), _instead(trial, name)):
        if _equal(trial, array, target, sp.S.One):
            return Slip(kind, message)
    return _factor(trial, name, other)


def numbers(trial: Trial, array: Array, k: int) -> Array:
    """The values of an array of nodes at point k."""
    mine = trial.at(k)[0]
    made = np.empty(array.shape, dtype=object)
    for place in np.ndindex(*array.shape):
        made[place] = mine.get(array[place])
    return made


def right_numbers(trial: Trial, name: str, k: int) -> Array:
    """The right values of a tensor at point k."""
    right = trial.at(k)[1]
    made = np.empty(trial.truth.shape(name), dtype=object)
    for place, entry in trial.truth.array(name).items():
        made[place] = right[entry] if entry in right else value_of(entry, right)
    return made


def close(a: Any, b: Any) -> bool:
    """True when two values may be equal."""
    if a is None or b is None:
        return False
    with ctx.workprec(BITS):
        return bool(as_ball(a - b).contains(0))


def alike(a: Array, b: Array) -> bool:
    """True when two arrays of values may be equal and are not 0 throughout."""
    if a.shape != b.shape or not a.size or not any(x != 0 for x in b.flat):
        return False
    return all(close(x, y) for x, y in zip(a.flat, b.flat, strict=True))


def _equal(trial: Trial, array: Array, target: str, factor: sp.Expr) -> bool:
    """Is the array ``factor`` times a tensor of the derivation? By values, then by proof."""
    c = fmpq(int(factor.p), int(factor.q))
    for k in range(POINTS):
        right = right_numbers(trial, target, k)
        mine = numbers(trial, array, k)
        if mine.shape != right.shape or not alike(mine, each(lambda v: None if v is None else c * v, right)):
            return False
    prover = trial.prover(False)
    prover.write(needed(array.flat))
    return all(prover.equal(prover.form[array[place]], factor * entry).holds for place, entry in trial.truth.array(target).items())


def _turned(trial: Trial, name: str) -> Iterator[tuple[str, str, Array, str]]:
    """The same entries in another shape or order."""
    array, target = trial.returned[name], trial.targets[name]
    wanted = trial.truth.shape(target)
    if array.ndim == 2 and array.T.shape == wanted:
        yield "transposed", "it is the transpose of the gradient", array.T, target
    elif array.ndim > 2:
        for order in itertools.permutations(range(array.ndim)):
            if array.transpose(order).shape == wanted and order != tuple(range(array.ndim)):
                yield "transposed", f"its axes are in another order: transpose{order} puts them right", array.transpose(order), target
    if array.shape != wanted and array.size == int(np.prod(wanted, dtype=int)):
        yield "shape", f"the values are right, the shape {array.shape} should be {wanted}", array.reshape(wanted), target
    for axes in (a for r in range(1, array.ndim + 1) for a in itertools.combinations(range(array.ndim), r)):
        if array.shape == wanted:
            yield "flipped", f"it is reversed along axis {', '.join(map(str, axes))}", np.flip(array, axes), target


def _instead(trial: Trial, name: str) -> Iterator[tuple[str, str, Array, str]]:
    """Another gradient in its place."""
    array, target = trial.returned[name], trial.targets[name]
    tensors = trial.truth.program.tensors
    for other, tensor in tensors.items():
        if tensor.of and other != target and trial.truth.shape(other) == array.shape:
            yield "another gradient", f"this is d{tensor.objective}/d{tensor.of}, not d{tensor.objective}/d{name}", array, other


def _summed(trial: Trial, name: str) -> Iterator[tuple[str, str, Array, str]]:
    """A sum over axes left out."""
    array, target = trial.returned[name], trial.targets[name]
    wanted = trial.truth.shape(target)
    extra = array.ndim - len(wanted)
    for axes in itertools.combinations(range(array.ndim), extra) if extra > 0 else ():
        if tuple(n for k, n in enumerate(array.shape) if k not in axes) == wanted:
            with tracing(trial.graph):
                made = plain(np.sum(wrap(array), axis=axes))
            trial.extend(made)
            lengths = [k for k, v in trial.truth.sizes.items() for a in axes if v == array.shape[a]]
            over = f" ({', '.join(lengths)})" if len(lengths) == len(axes) else ""
            yield "missing sum", f"the sum over axis {', '.join(map(str, axes))}{over} is missing", made, target


def _factor(trial: Trial, name: str, other: Trial | None) -> Slip | None:
    """One simple number times the gradient."""
    ratio = common_ratio(trial, name)
    if ratio is None or ratio in (0, 1):
        return None
    if not _equal(trial, trial.returned[name], trial.targets[name], sp.Rational(ratio.numerator, ratio.denominator)):
        return None
    if ratio == -1:
        return Slip("sign", "the sign is wrong")
    second = common_ratio(other, name) if other is not None else None
    sign = "the sign is wrong and " if ratio < 0 else ""
    shown = _named(abs(ratio), trial.truth.sizes, abs(second) if second else None, other.truth.sizes if other is not None else {})
    undo = _named(1 / abs(ratio), trial.truth.sizes, 1 / abs(second) if second else None, other.truth.sizes if other is not None else {})
    if abs(ratio) > 1:
        return Slip("constant factor", f"{sign}it is {shown} times too large: a factor {undo} is missing")
    return Slip("constant factor", f"{sign}it is {shown} of what is right: a factor {undo} is missing")


def common_ratio(trial: Trial | None, name: str) -> Fraction | None:
    """The simple number c with array = c · gradient at the first points."""
    if trial is None:
        return None
    found: Fraction | None = None
    for k in range(POINTS):
        mine, right = numbers(trial, trial.returned[name], k), right_numbers(trial, trial.targets[name], k)
        if mine.shape != right.shape:
            return None
        for a, b in zip(mine.flat, right.flat, strict=True):
            if a is None or b is None:
                return None
            with ctx.workprec(BITS):
                if as_ball(b).contains(0):
                    if not as_ball(a).contains(0):
                        return None
                    continue
                if found is None:
                    found = Fraction(float(as_ball(a / b).mid())).limit_denominator(5000)
                if not as_ball(a - fmpq(found.numerator, found.denominator) * b).contains(0):
                    return None
    return found


def _named(ratio: Fraction, sizes: Mapping[str, int], again: Fraction | None, others: Mapping[str, int]) -> str:
    """The number, in sizes where both choices of sizes agree on it: 1/N, 2/N, N·T."""
    if again is None or again == ratio:
        return str(ratio)
    for count in (1, 2, 3):
        for group in itertools.combinations(sizes, count):
            for powers in itertools.product((1, -1), repeat=count):
                for whole in (Fraction(1), Fraction(2), Fraction(1, 2)):
                    if all(whole * _product(group, powers, s) == r for s, r in ((sizes, ratio), (others, again))):
                        return _spelled(whole, group, powers)
    return str(ratio)


def _product(group: Sequence[str], powers: Sequence[int], sizes: Mapping[str, int]) -> Fraction:
    made = Fraction(1)
    for name, p in zip(group, powers, strict=True):
        made *= Fraction(sizes[name]) ** p
    return made


def _spelled(whole: Fraction, group: Sequence[str], powers: Sequence[int]) -> str:
    above = [str(whole.numerator)] * (whole.numerator != 1) + [g for g, p in zip(group, powers, strict=True) if p > 0]
    below = [str(whole.denominator)] * (whole.denominator != 1) + [g for g, p in zip(group, powers, strict=True) if p < 0]
    top = "·".join(above) or "1"
    return top if not below else f"{top}/{below[0]}" if len(below) == 1 else f"{top}/({'·'.join(below)})"


