"""A function that brings its own backward, as it is judged: its arguments, the sizes that may differ, and what a trace and a run give.

Which sizes are free is found by running: a size is a name when the function also runs with another number there; sizes that only change
together share one name; one that changes in steps alone is a multiple of its name (2h for a rotary embedding). The rest are numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import gcd
from typing import Any

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.axes import size as to_size
from symnet.core.program import Program
from symnet.errors import NameError_, OptionError, ShapeError, did_you_mean

LETTERS = ("N", "d", "h", "k", "m", "p", "q", "r", "u", "v")
KINDS = {"N": Kind.BATCH, "B": Kind.BATCH, "T": Kind.TIME}
MOST_RUNS = 150
Shapes = Mapping[str, Sequence[int | str] | int | str]
Places = tuple[str, int]  # an argument and an axis of it


@dataclass(frozen=True, slots=True)
class Argument:
    """An array among the arguments: its shape in the example, "real", "index" or "bool" entries, and whether a gradient is asked for."""

    name: str
    shape: tuple[int, ...]
    domain: str
    wanted: bool
    highest: int = 1  # of whole numbers, in the example


@dataclass(frozen=True, slots=True)
class Trace:
    """The forward pass as a program whose objective is Σ G·output, and the gradients that the function's own backward gives.

    A gradient has several programs where it differs with what else needs one; None is a gradient that is not given. ``sizes`` are the
    numbers of a trace that holds for these alone.
    """

    program: Program
    gradients: Mapping[str, tuple[Program | None, ...]]
    upstream: tuple[str, ...]
    sizes: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """What the function gave on numbers: its outputs, its gradients by name, and the arguments that it wrote into."""

    outputs: tuple[Any, ...]
    gradients: Mapping[str, Any]
    changed: tuple[str, ...] = ()


def axes_of(shapes: Mapping[str, tuple[sp.Expr, ...]]) -> dict[str, tuple[Axis, ...]]:
    """Axes by name."""
    return {name: tuple(Axis.of(n, KINDS.get(str(n), Kind.FEATURE)) for n in shape) for name, shape in shapes.items()}


def declared_shapes(arguments: Sequence[Argument], shapes: Shapes, who: str) -> dict[str, tuple[sp.Expr, ...]]:
    """The shapes as they are said; those that are not named keep the numbers of the example. Raises ShapeError, NameError_."""
    known = {a.name for a in arguments}
    if unknown := sorted(set(shapes) - known):
        raise NameError_(who, f"no array argument named {unknown[0]!r}", "one of " + ", ".join(sorted(known)),
                         did_you_mean(unknown[0], known))
    found: dict[str, tuple[sp.Expr, ...]] = {}
    for a in arguments:
        said = shapes.get(a.name, a.shape)
        wanted = (said,) if isinstance(said, (str, int)) else tuple(said)
        if len(wanted) != len(a.shape):
            raise ShapeError(f"shapes of {a.name}", f"{len(wanted)} sizes", f"{len(a.shape)}, one for each axis of the example")
        found[a.name] = tuple(map(_size, wanted))
    if twice := {str(s) for shape in found.values() for n in shape for s in n.free_symbols} & known:
        raise NameError_(who, f"{min(twice)!r} is a size and an argument", "different names for sizes and arguments")
    return found


def _size(said: int | str) -> sp.Expr:
    """A size as it is said: 3, N, or 2h."""
    if isinstance(said, str):
        digits = said[:len(said) - len(said.lstrip("0123456789"))]
        name = said[len(digits):].removeprefix("*")
        if digits and name:
            return sp.Integer(int(digits)) * to_size(name)
        return sp.Integer(int(said)) if digits else to_size(said)
    return to_size(said)


def free_shapes(arguments: Sequence[Argument], runs: Callable[[Mapping[str, tuple[int, ...]]], bool], taken: set[str]
                ) -> dict[str, tuple[sp.Expr, ...]]:
    """The shapes of the example with names for the sizes with which the function ``runs`` as well."""
    shapes: dict[str, list[Any]] = {a.name: [sp.Integer(n) for n in a.shape] for a in arguments}
    lengths = {(a.name, k): n for a in arguments for k, n in enumerate(a.shape)}
    waiting = [p for p, n in lengths.items() if n > 1]
    letters = iter(x for x in (*LETTERS, *(f"n{k}" for k in range(1, 40))) if x not in taken)
    left = MOST_RUNS

    def tried(group: Sequence[Places], factor: sp.Rational) -> bool:
        nonlocal left
        left -= 1
        if left < 0:
            return False
        new = {a.name: list(a.shape) for a in arguments}
        for name, k in group:
            new[name][k] = int(lengths[name, k] * factor)
        return runs({name: tuple(shape) for name, shape in new.items()})

    while waiting:
        first = waiting.pop(0)
        found = next((g for g in _groups(first, waiting, lengths) if tried(g, sp.Integer(2))), None)
        if found is None:
            continue
        waiting = [p for p in waiting if p not in found]
        unit = gcd(*[lengths[p] for p in found])
        step = next((s for s in range(1, unit + 1) if unit % s == 0 and tried(found, sp.Rational(unit + s, unit))), unit)
        symbol = to_size(next(letters))
        for name, k in found:
            shapes[name][k] = sp.Integer(lengths[name, k] // unit * step) * symbol
    return {name: tuple(shape) for name, shape in shapes.items()}


def _groups(first: Places, others: Sequence[Places], lengths: Mapping[Places, int]) -> Iterator[tuple[Places, ...]]:
    """Sizes that may belong together, the likely ones first: alone, with all equal ones, with some of them, with some of any."""
    equal = [p for p in others if lengths[p] == lengths[first]]
    yield (first,)
    seen = {(first,)}
    for pool in (equal, list(others)):
        for count in (len(equal) if pool is equal else 0, *range(1, min(len(pool), 4) + 1)):
            for more in combinations(pool, count):
                group = (first, *more)
                if count and group not in seen:
                    seen.add(group)
                    yield group


def numbers_for(symbols: Sequence[str], choice: Sequence[int]) -> dict[str, int]:
    """A number for each size."""
    if len(symbols) > len(choice):
        raise OptionError("check_function", f"{len(symbols)} different sizes", f"at most {len(choice)}")
    return dict(zip(symbols, choice, strict=False))
