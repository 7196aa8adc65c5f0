"""Which sizes of an example are free: found by running the function with others.

A size is a name when the function also runs with another number there; sizes that only change
together share one name; one that changes in steps alone is a multiple of its name (2h for a rotary embedding). The rest are numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from math import gcd
from typing import Any

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.axes import size as to_size
from symnet.core.own_backward import Argument
from symnet.errors import NameError_, ShapeError, did_you_mean

LETTERS = ("N", "d", "h", "k", "m", "p", "q", "r", "u", "v")
KINDS = {"N": Kind.BATCH, "B": Kind.BATCH, "T": Kind.TIME}
MOST_RUNS = 150
Shapes = Mapping[str, Sequence[int | str] | int | str]
Places = tuple[str, int]  # an argument and an axis of it


def needed_arguments(who: str, names: Sequence[str], wrt: Sequence[str], marked: Sequence[str]) -> tuple[set[str], bool]:
    """The arguments whose gradient is asked for, and whether somebody said so: ``wrt``, else those that are marked, else all."""
    if unknown := [n for n in wrt if n not in names]:
        raise NameError_(f"{who}, wrt", f"no array argument named {unknown[0]!r}", "one of " + ", ".join(names),
                         did_you_mean(unknown[0], names))
    return set(wrt or marked or names), bool(wrt or marked)


def size_names(shapes: Mapping[str, tuple[sp.Expr, ...]]) -> tuple[str, ...]:
    """The names of sizes in shapes, in the order in which they first stand there."""
    return tuple(map(str, dict.fromkeys(s for shape in shapes.values() for n in shape for s in sorted(n.free_symbols, key=str))))


def shapes_at(shapes: Mapping[str, tuple[sp.Expr, ...]], sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """The shapes with numbers for the names of sizes."""
    there = {sp.Symbol(n, integer=True, positive=True): sp.Integer(k) for n, k in sizes.items()}
    return {name: tuple(int(n.xreplace(there)) for n in shape) for name, shape in shapes.items()}


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
        if unit // step > 2 and not tried(found, sp.Rational(2 * step, unit)):  # it asks for so many places
            continue
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
