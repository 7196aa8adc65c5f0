"""The independent check of a step: nudge one entry of the forward program and compare the objective's change.

Nothing of the chain rule is used: the forward program is run at 300 bits with the entry moved by ±2^-80, and the central
difference is compared with the value of the gradient line. All sizes are small and different, so that a transpose or a
wrong axis cannot hide; the numbers are random rationals inside each symbol's domain and fit the declared assumptions.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from typing import Any

import sympy as sp
from flint import arb, ctx

from symnet.calculus.instantiate import Entries, instantiate_program
from symnet.core.derivation import Derivation, Step, StepCheck
from symnet.core.expressions import as_written, limits
from symnet.core.numbers import as_ball, compute, to_flint
from symnet.core.places import at_place, visits
from symnet.core.program import Assumption, Program
from symnet.core.tensors import Tensor, entry_indices, tensor_name
from symnet.errors import DomainError, SymnetError

BITS, NUDGE, TOLERANCE = 300, 80, 100  # working precision; step 2^-80, so an error of order 2^-160; accepted below 2^-100
SIZES = (2, 3, 4, 5, 6, 7, 8, 9)
ATTEMPTS = 10  # points tried where some function is not defined at the first
ENTRIES = 6  # entries of one gradient that are checked


def check_step(derivation: Derivation, step: Step, seed: int = 0) -> StepCheck:
    """Compare ``step``'s line with central differences of the forward program; see the module's first lines."""
    sizes = {str(s): n for s, n in zip(derivation.program.sizes, SIZES + SIZES, strict=False)}
    problem = ""
    for attempt in range(ATTEMPTS):
        try:
            with as_written():
                return _compare(derivation, step, sizes, random.Random(seed + attempt), positive=attempt % 2 == 1)
        except DomainError as error:  # log of a negative number: another point, every second one all positive
            problem = str(error)
        except SymnetError as error:
            problem = str(error)
            break
    return StepCheck(False, tuple(sizes.items()), 0, "", f"could not be checked: {problem}")


def _compare(derivation: Derivation, step: Step, sizes: dict[str, int], rng: random.Random, positive: bool) -> StepCheck:
    lines = [s.definition for s in derivation.steps if not s.live]
    program = derivation.full.extend(lines) if lines else derivation.full
    scalars, entries = instantiate_program(program, sizes)
    point = _point(derivation.program, scalars, entries, rng, positive)
    values = run(scalars, point, {})
    worst, count = 0.0, 0
    places = list(visits(step.definition, entries.env))
    for place, _ in rng.sample(places, min(ENTRIES, len(places))):
        name = entries.scalar(step.of.name, place).name
        slope = _difference(scalars, point, name, derivation.objective)
        with ctx.workprec(BITS):
            error = as_ball(slope - values[entries.scalar(step.target.name, place).name]) / (1 + abs(as_ball(slope)))
        worst, count = max(worst, float(error.abs_upper())), count + 1
    return StepCheck(worst < 2.0**-TOLERANCE, tuple(sizes.items()), count, f"{worst:.1e}",
                     "" if worst < 2.0**-TOLERANCE else f"differs from the central difference by {worst:.3g}")


def _difference(scalars: Program, point: Mapping[str, Any], name: str, objective: str) -> Any:
    nudge = arb(1) / arb(2) ** NUDGE
    up = run(scalars, point, {name: nudge}, stop=objective)[objective]
    down = run(scalars, point, {name: -nudge}, stop=objective)[objective]
    with ctx.workprec(BITS):
        return (up - down) / (2 * nudge)


def run(scalars: Program, point: Mapping[str, Any], nudges: Mapping[str, Any], stop: str = "") -> dict[str, Any]:
    """Every scalar's ball, with some of them moved after they are computed; up to the line ``stop``."""
    values: dict[Any, Any] = {}
    with ctx.workprec(BITS):
        for t in scalars.inputs:
            values[t[()]] = to_flint(point[t.name]) + nudges.get(t.name, 0)
        for d in scalars.definitions:
            values[d.entry] = compute(d.expr, values) + nudges.get(d.name, 0)
            if d.name == stop:
                break
    return {str(k): v for k, v in values.items()}


def _point(program: Program, scalars: Program, entries: Entries, rng: random.Random,
           positive: bool = False) -> dict[str, sp.Rational]:
    """Random rationals for every input entry, inside its domain, then bent to the declared assumptions."""
    point = {}
    for t in scalars.inputs:
        value = sp.Rational(rng.randint(1, 97), rng.choice((53, 59, 61, 67)))
        keep = positive or t.domain in ("positive", "nonnegative") or rng.random() < 0.6
        point[t.name] = value if keep else -value
    for a in program.assumptions:
        _bend(a, program, entries, point)
    return point


def _bend(a: Assumption, program: Program, entries: Entries, point: dict[str, sp.Rational]) -> None:
    """Make Σ_k y[n, k] = 1 true by moving the last entry of each sum."""
    if not isinstance(a.left, sp.Sum) or not isinstance(a.left.function, sp.Indexed):
        raise SymnetError("assumption", str(a), "a plain sum of entries equal to a number")
    (index, _, _), = limits(a.left)
    inner = a.left.function
    tensor: Tensor = program[tensor_name(inner)]
    ranges = [range(int(x.lower.xreplace(entries.env)), int(x.upper.xreplace(entries.env)) + 1) for x in tensor.axes]
    where = entry_indices(inner).index(index)
    for place in itertools.product(*[r if k != where else (r[-1],) for k, r in enumerate(ranges)]):
        others = [entries.scalar(tensor.name, (*place[:where], p, *place[where + 1:])).name for p in ranges[where][:-1]]
        total = at_place(a.right, entries.env, entries)
        point[entries.scalar(tensor.name, place).name] = total - sum((point[o] for o in others), sp.S.Zero)
