"""Equalities that are declared, or only supposed, of the inputs: at integer sizes solved for one entry each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import sympy as sp

from symnet.calculus.instantiate import instantiate_program
from symnet.checking.slips.sampled_points import SampledPoints
from symnet.core.program import Assumption, Definition, Program
from symnet.core.tensors import Tensor, free_name
from symnet.equality.assumption_solving import solved


def impose(sampled: SampledPoints, program: Program, assumptions: tuple[Assumption, ...]) -> bool:
    """Change some inputs at the points so that the assumptions hold; False when they cannot be solved."""
    if not assumptions:
        return True
    stub = Definition(Tensor(free_name("one", program.tensors)), (), sp.S.One)
    part = Program(program.inputs, (stub,), stub.name, assumptions)
    scalars, entries = instantiate_program(part, _sizes(part, sampled.sizes))
    there = solved(scalars.assumptions)
    if there is None:
        return False
    for t in program.inputs:
        sampled.values[t.name] = np.array(sampled.values[t.name], dtype=float)
    # an entry of an array of this program, or, where the program has numbers alone, a number that was an entry once
    place = {t[()]: (t.parent, t.place) if t.parent in part.tensors else (t.name, ()) for t in scalars.inputs}

    def cell(symbol: sp.Symbol) -> tuple[str, tuple[int, ...]]:
        name, at = place[symbol]
        lower = [int(a.lower.xreplace(entries.env)) for a in part.tensors[name].axes]
        return name, tuple(p - low for p, low in zip(at, lower, strict=True))

    for symbol, value in there.items():
        name, at = cell(symbol)
        for lane in range(sampled.points):
            numbers = {s: sp.Float(float(sampled.values[cell(s)[0]][(*cell(s)[1], lane)])) for s in value.free_symbols}
            sampled.values[name][(*at, lane)] = float(value.xreplace(numbers))
    return True


def _sizes(program: Program, known: Mapping[sp.Symbol, object]) -> dict[str, int]:
    return {str(s): int(known[s]) for s in program.sizes}  # type: ignore[call-overload]
