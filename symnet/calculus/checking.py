"""The independent check of a step: nudge one entry of the forward program and compare the objective's change.

Nothing of the chain rule is used: the forward program is run at 300 bits with the entry moved by ±2^-80, and the central
difference is compared with the value of the gradient line. What stands in a stop-gradient keeps its unmoved value. All sizes are small and different, so that a transpose or a
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
from symnet.calculus.matrices import moved_with
from symnet.calculus.stopping import held_apart
from symnet.core.derivation import Derivation, Step, StepCheck
from symnet.core.expressions import as_written, limits
from symnet.core.numbers import as_ball, compute, to_flint
from symnet.core.places import at_place, visits
from symnet.core.program import Assumption, Program
from symnet.core.tensors import Tensor, entry_indices, tensor_name
from symnet.errors import DomainError, SymnetError

BITS, TOLERANCE = 300, 100  # working precision; accepted below 2^-100
NUDGES = (80, 120)  # step 2^-80, so an error of order 2^-160; the finer one where the third derivative is huge (a share near 0)
SIZES = (2, 3, 4, 5, 6, 7, 8, 9)
ATTEMPTS = 10  # points tried where some function is not defined at the first
ENTRIES = 6  # entries of one gradient that are checked


def check_step(derivation: Derivation, step: Step, seed: int = 0) -> StepCheck:
    """Compare ``step``'s line with central differences of the forward program; see the module's first lines."""
    names = [str(s) for s in derivation.program.sizes]
    problem = ""
    for attempt in range(ATTEMPTS):
        order = names if attempt < ATTEMPTS // 2 else names[::-1]  # X^T X has an inverse only where X is tall
        sizes = dict(sorted(zip(order, SIZES + SIZES, strict=False), key=lambda pair: names.index(pair[0])))
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
    scalars, entries = _scalars(derivation, sizes)
    point = _point(derivation.program, scalars, entries, rng, positive)
    values = run(scalars, point, {})
    worst, count = 0.0, 0
    places = list(visits(step.definition, entries.env))
    lead = len(derivation.program.objective_tensor.axes)  # a Jacobian's first places are the objective's
    for place, _ in rng.sample(places, min(ENTRIES, len(places))):
        moved = moved_with(step, place[lead:], lambda at: entries.scalar(step.of.name, at).name)
        goal = entries.scalar(derivation.objective, place[:lead]).name if lead else derivation.objective
        found = values[entries.scalar(step.target.name, place).name]
        for bits in NUDGES:
            slope = _difference(scalars, point, moved, goal, values, bits)
            with ctx.workprec(BITS):
                error = float((as_ball(slope - found) / (1 + abs(as_ball(slope)))).abs_upper())
            if error < 2.0**-TOLERANCE:
                break
        worst, count = max(worst, error), count + 1
    return StepCheck(worst < 2.0**-TOLERANCE, tuple(sizes.items()), count, f"{worst:.1e}",
                     "" if worst < 2.0**-TOLERANCE else f"differs from the central difference by {worst:.3g}")


def _scalars(derivation: Derivation, sizes: dict[str, int]) -> tuple[Program, Entries]:
    """The program of scalars at ``sizes``, kept with the derivation: all its steps are checked at the same sizes."""
    kept: dict[tuple[tuple[str, int], ...], tuple[Program, Entries]] = derivation.__dict__.setdefault("_scalars", {})
    key = tuple(sizes.items())
    if key not in kept:
        lines = [s.definition for s in derivation.steps if not s.live]
        kept[key] = instantiate_program(derivation.full.extend(lines) if lines else derivation.full, sizes)
    return kept[key]


def _difference(scalars: Program, point: Mapping[str, Any], moved: Mapping[str, int], objective: str,
                still: Mapping[str, Any], bits: int) -> Any:
    """The slope along the entries ``moved``, each by 1/n of the nudge 2^-bits: one entry as a rule, two across a diagonal."""
    nudge = arb(1) / arb(2) ** bits
    up = run(scalars, point, {name: nudge / n for name, n in moved.items()}, objective, still)[objective]
    down = run(scalars, point, {name: -nudge / n for name, n in moved.items()}, objective, still)[objective]
    with ctx.workprec(BITS):
        return (up - down) / (2 * nudge)


def run(scalars: Program, point: Mapping[str, Any], nudges: Mapping[str, Any], stop: str = "",
        still: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Every scalar's ball, with some of them moved after they are computed; up to the line ``stop``.

    ``still`` are the values with nothing moved: a line that uses nothing that moved is taken from there.
    """
    values: dict[Any, Any] = {}
    moved = set(nudges)
    symbols, lines = _lines(scalars)
    with ctx.workprec(BITS):
        for t in scalars.inputs:
            values[symbols.get(t.name, t.name)] = to_flint(point[t.name]) + nudges.get(t.name, 0)
        for name, expr, uses in lines:
            if still is not None and name not in nudges and moved.isdisjoint(uses):
                values[symbols.get(name, name)] = still[name]
            else:
                values[symbols.get(name, name)] = compute(expr, values) + nudges.get(name, 0)
                moved.add(name)
            if name == stop:
                break
    return {str(getattr(k, "name", k)): v for k, v in values.items()}


def _lines(scalars: Program) -> tuple[dict[str, sp.Symbol], list[tuple[str, sp.Expr, frozenset[str]]]]:
    """The symbols of a program of scalars, each the very object that its lines hold, and the lines with the names they use."""
    kept: tuple[dict[str, sp.Symbol], list[tuple[str, sp.Expr, frozenset[str]]]] | None = scalars.__dict__.get("_lines")
    if kept is None:
        apart = held_apart(scalars)  # what a stop-gradient holds uses nothing that moves
        used = [d.expr.free_symbols for d, _ in apart]
        symbols = {s.name: s for found in used for s in found}
        lines = [(d.name, d.expr, frozenset() if held else frozenset(s.name for s in found))
                 for (d, held), found in zip(apart, used, strict=True)]
        kept = scalars.__dict__["_lines"] = symbols, lines
    return kept


def _point(program: Program, scalars: Program, entries: Entries, rng: random.Random,
           positive: bool = False) -> dict[str, sp.Rational]:
    """Random rationals for every input entry, inside its domain, then bent to the declared assumptions."""
    point = {}
    for t in scalars.inputs:
        if t.domain == "index":
            point[t.name] = sp.Integer(_any_class(t, rng))
            continue
        value = sp.Rational(rng.randint(1, 97), rng.choice((53, 59, 61, 67)))
        keep = positive or t.domain in ("positive", "nonnegative") or rng.random() < 0.6
        point[t.name] = value if keep else -value
    for a in program.assumptions:
        _bend(a, program, entries, point)
    return point


def _any_class(t: Tensor, rng: random.Random) -> int:
    """One of the classes, counted from 0, or now and then the ignored one."""
    return t.ignored if t.ignored is not None and rng.random() < 0.3 else rng.randrange(2 if t.classes is None else int(t.classes))


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
