"""The sizes at which code is judged: small, all different, two choices; smaller where the program is large."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod

import sympy as sp

from symnet.checking.tried_sizes import MOST_SIZES, PROVED_AT, SCREENED_AT, unlike
from symnet.core.program import Program
from symnet.errors import OptionError

MANY = 500  # entries of all tensors; above this the order of sizes is chosen to have fewer
Sizes = Mapping[str, int] | Sequence[Mapping[str, int]] | None


def choices(program: Program, given: Sizes) -> Iterator[dict[str, int]]:
    """The choices of sizes; those that were given, or two, in which every size differs from every other and from itself before."""
    names = [str(s) for s in program.sizes]
    if given is not None and not given:
        raise OptionError("sizes", "no choice", "a table of sizes, or several", "sizes={...}, or leave it out")
    if given is not None:
        yield from ([dict(given)] if isinstance(given, Mapping) else map(dict, given))
        return
    if len(names) > MOST_SIZES:
        raise OptionError("check_code", f"{len(names)} different sizes", f"at most {MOST_SIZES}", "sizes={...}")
    if not names:
        yield {}
        return
    orders = [dict(zip(names, order, strict=False)) for order in PROVED_AT]
    if any(entries(program, [order])[0] > MANY for order in orders):
        every = [dict(zip(names, p, strict=True)) for p in itertools.permutations(range(2, 3 + len(names)), len(names))]
        counted = sorted(zip(entries(program, every), map(tuple, map(dict.items, every)), strict=True), key=lambda pair: pair[0])
        best = dict(counted[0][1])
        other = next((dict(o) for _, o in counted if unlike(tuple(best.values()), tuple(dict(o).values()))), orders[1])
        orders = [best, other]
    yield from orders


def screens(program: Program, given: Sizes) -> Iterator[dict[str, int]]:
    """Further sizes, at which exact points alone are tried; none where the sizes were given, or where the program is large there."""
    names = [str(s) for s in program.sizes]
    orders = [dict(zip(names, order, strict=False)) for order in SCREENED_AT] if names and given is None else []
    yield from (o for o in orders if min(o.values()) > 1 and entries(program, [o])[0] <= MANY)


def entries(program: Program, orders: Iterable[Mapping[str, int]]) -> list[int]:
    """How many entries all tensors have together, for each choice."""
    axes = {a for t in program.tensors.values() for a in t.axes}
    lengths = {a: sp.Poly(a.size, *program.sizes) for a in axes}
    found = []
    for order in orders:
        at = tuple(order[str(s)] for s in program.sizes)
        length = {a: int(p(*at)) for a, p in lengths.items()}
        found.append(sum(prod(length[a] for a in t.axes) for t in program.tensors.values()))
    return found
