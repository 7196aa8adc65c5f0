"""The independent check of a step: all that it says, against differences of the forward program.

Nothing of the chain rule is used. The forward program is run at 300 bits with the entries of the differentiated tensor moved
together, each by its own random share of ±2^-80; the change of the objective must be the sum of shares times gradient entries.
One direction sees every entry: a wrong one is missed only where random rationals cancel. Then each field of the step is read
on its own: its line and its raw sum give the gradient's values, its contributions add up to them, each local factor is the
difference quotient of the one forward line it goes through, and rule, conditions and names are what the contributions say.

All sizes are small and different, so that a transpose or a wrong axis cannot hide; the numbers are random rationals inside
each symbol's domain and fit the declared assumptions. What a step says without naming an assumption must hold without it.
What stands in a stop-gradient keeps its unmoved value.

A program of many lines, or of too many entries, is not run as a whole: a step is then checked in the ``excerpt`` of the lines that use its
tensor, against differences of these lines, the gradients above being numbers like any other; that the whole is right where all its
steps are, and none is missing, is the chain rule.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy as sp
from flint import arb, ctx

from symnet.calculus.excerpts import Shapes, active_names, excerpt, is_local
from symnet.calculus.instantiate import Entries, environment, instantiate_program
from symnet.calculus.matrices import moved_with
from symnet.calculus.rules import conditions_of, rule_of
from symnet.calculus.simplification import class_facts, one_hot_facts
from symnet.calculus.stopping import held_apart, held_out
from symnet.calculus.tabulate import Here, Numbers, Plan
from symnet.core.derivation import Contribution, Derivation, Rule, Step, StepCheck
from symnet.core.expressions import Limits, Partial, as_written, entries, limits
from symnet.core.functions import leaky_relu, relu
from symnet.core.functions import step as heaviside
from symnet.core.index_evaluation import Env, open_at, span, visits
from symnet.core.numbers import as_ball, compute, to_flint
from symnet.core.program import Assumption, Definition, Program, is_size, small_sizes
from symnet.core.tensors import Tensor, entry_indices, tensor_name
from symnet.errors import DomainError, FaultError, SymnetError

BITS, TOLERANCE = 300, 100  # working precision; accepted below 2^-100
NUDGES = (80, 120, 160)  # step 2^-80, so an error of order 2^-160; the finer ones where the third derivative is huge (a share near 0)
LIMIT = 6000  # entries; beyond this, sizes are not small
SIZES = (2, 3, 4, 5, 6, 7, 8, 9)
ATTEMPTS = 10  # points tried where some function is not defined at the first
DEEP = 30  # lines of a program beyond which steps are checked in excerpts
POINTS = 3  # points for a program in pieces, of which one point sees one
MORE = 5  # further points where the gradient is 0 at all of those: a line that is 0 everywhere agrees with its double
PIECEWISE = (sp.Piecewise, sp.Max, sp.Min, sp.Abs, sp.sign, sp.floor, sp.ceiling, relu, leaky_relu, heaviside)
LINE_PLACES = 3  # places at which one printed line is evaluated
ENTRIES, AGAIN = 60, 12  # entries whose raw sum and contributions are read, at the first and at further points; the line itself at all

Place = tuple[int, ...]


def check_derivation(derivation: Derivation) -> tuple[StepCheck, ...]:
    """Every step checked, once for each derivation. Raises FaultError where a step is contradicted: nothing may be built on it.

    A step that could not be checked (no point was found where the objective has a value) is no fault; its StepCheck says so.
    """
    kept = derivation.full.__dict__.setdefault("_checks", {})
    key = (id(derivation.program), *[s.identity for s in derivation.steps])
    if key not in kept:
        kept[key] = derivation.steps, tuple(_checks(derivation))  # the steps, so that their identities stay theirs
    found: tuple[StepCheck, ...] = kept[key][1]
    for step, check in zip(derivation.steps, found, strict=True):
        if check.contradicted:
            raise FaultError(f"step {step.number}, {step.target.name}", check.reason)
    return found


def _checks(derivation: Derivation) -> Iterator[StepCheck]:
    """The check of each step. Of a deep program each is checked in an excerpt, and those that are the same but for names are checked once,
    so that the time is that of the shapes and not that of the depth.

    Of steps whose contributions nobody asked for, which are those of another step, the last is made and compared with that one.
    """
    deep = _in_excerpts(derivation)
    shapes = Shapes(derivation)
    keys = [shapes.key(step) if deep and not next(_name_faults(derivation, step), "") else None for step in derivation.steps]
    last = {key: step for key, step in zip(keys, derivation.steps, strict=True) if key is not None and not step.looked_at}
    whole = {key: shapes.key(step, look=True) for key, step in last.items()}
    known: dict[Hashable, StepCheck] = {}
    for step, key in zip(derivation.steps, keys, strict=True):
        same = whole.get(key, key)
        if same is None:
            yield check_step(derivation, step)
            continue
        if same not in known:
            known[same] = check_step(derivation, last.get(key, step))
        yield known[same]


def check_step(derivation: Derivation, step: Step, seed: int = 0) -> StepCheck:
    """Compare all that ``step`` says with differences of the forward program; see the module's first lines."""
    said = next(_labels(derivation, step), "")
    if said:
        return StepCheck(False, (), 0, "", said, contradicted=True)
    cut_out = excerpt(derivation, step) if _in_excerpts(derivation) else None
    if cut_out is None:
        return _check_step(derivation, step, seed)
    found = _check_step(cut_out, cut_out.steps[-1], seed)
    if not found.contradicted or is_local(step):
        return found
    whole = _check_step(derivation, step, seed)  # what is put in or assumed may lean on lines that are not in the excerpt
    return whole if whole or whole.contradicted else replace(whole, reason=f"could not be checked in parts: {found.reason}")


def _in_excerpts(derivation: Derivation) -> bool:
    """True for a program of many lines, or of more entries than are run as a whole."""
    found: bool | None = derivation.__dict__.get("_long")
    if found is None:
        found = len(derivation.program.definitions) > DEEP
        if not found:
            try:
                environment(derivation.full, _sizes(derivation.program, 0), LIMIT)
            except SymnetError as error:
                found = error.where == "instantiate"
        derivation.__dict__["_long"] = found
    return found


def _check_step(derivation: Derivation, step: Step, seed: int) -> StepCheck:
    program = derivation.program
    pieces = program.__dict__.get("_in_pieces")
    if pieces is None:
        pieces = program.__dict__["_in_pieces"] = any(d.expr.has(*PIECEWISE) for d in program)
    wanted = POINTS if pieces else 2 if program.sizes else 1
    problem, found, told = "", list[StepCheck](), False
    for attempt in range(ATTEMPTS):
        sizes = _sizes(derivation.program, attempt)
        try:
            with as_written():
                sample = _sample(derivation, sizes, seed + attempt, attempt % 2 == 1, bool(found) and attempt >= ATTEMPTS // 2)
                found.append(_compare(derivation, step, sample, AGAIN if found else ENTRIES))
                told = told or any(not _same(sample.at(step.target.name, at), 0) for at, _ in visits(step.definition, sample.entries.env))
        except DomainError as error:  # log of a negative number: another point, every second one all positive
            problem = str(error)
        except SymnetError as error:
            problem = str(error)
            if not found:
                break
        if found and (found[-1].contradicted or (len(found) >= wanted and (told or len(found) == wanted + MORE))):
            break
    if found:
        worst = found[-1] if found[-1].contradicted else max(found, key=lambda c: float(c.worst))
        return worst if worst.contradicted else replace(worst, sizes=found[0].sizes, entries=found[0].entries, points=len(found))
    return StepCheck(False, tuple(sizes.items()), 0, "", f"could not be checked: {problem}")


def _sizes(program: Program, attempt: int) -> dict[str, int]:
    """Small sizes, all different: at every second attempt others, since n - 2 is 0 at one of them; at late ones the other way round,
    since X^T X has an inverse only where X is tall."""
    count = max(len(program.sizes), 1)
    first, turn = SIZES[:count + 1], attempt % 2 * (count + 1) // 2
    numbers = [*first[turn:], *first[:turn], *SIZES][:count]
    return small_sizes(program, (*(numbers if attempt < ATTEMPTS // 2 else numbers[::-1]), *SIZES, *SIZES))


Line = tuple[str, sp.Expr, sp.Expr, tuple[Limits, ...], tuple[sp.Basic, ...]]


def check_lines(derivation: Derivation, lines: Iterable[Line]) -> None:
    """Evaluate printed lines: (where, left, right, ranges, conditions) says left = right for all indices in the ranges where the
    conditions hold. A slope is a ``Partial``, the difference quotient of the one forward line that it is the slope of.

    Raises FaultError for the first line that is not so; says nothing where no point is found at which the program has values.
    """
    wanted = tuple(lines)
    for attempt in range(ATTEMPTS):
        try:
            with as_written():
                sample = _sample(derivation, _sizes(derivation.program, attempt), attempt, attempt % 2 == 1)
                wrong = next((where for where, *line in wanted if not _so(sample, *line)), "")
        except SymnetError:
            continue
        if wrong:
            raise FaultError(wrong, "what is printed is not what the forward program gives")
        return


def _so(sample: _Sample, left: sp.Expr, right: sp.Expr, ranges: tuple[Limits, ...], conditions: tuple[sp.Basic, ...]) -> bool:
    """True when both sides agree at a few places."""
    every = list(itertools.product(*[span((lo, hi), sample.entries.env) for _, lo, hi in ranges]))
    tried = 0
    for values in random.Random(len(every)).sample(every, len(every)):
        env = {**sample.entries.env, **{i: sp.Integer(v) for (i, _, _), v in zip(ranges, values, strict=True)}}
        if open_at(sp.And(*conditions), env, sample.entries) is not sp.true:
            continue
        tried += 1
        plain, other = sorted((sample.entries.put_in(side, env) for side in (left, right)), key=lambda side: side.has(Partial))
        try:
            if _distance(_with_slopes(sample, other), sample.scalar_value(plain)) >= 2.0**-TOLERANCE:
                return False
        except _Kink:  # the slope printed is a convention there
            continue
        if tried == LINE_PLACES:
            break
    return True


def _with_slopes(sample: _Sample, expr: sp.Expr) -> Callable[[int], _Quotient]:
    """The values of an expression of scalars in which slopes stand, by the number of their difference quotients."""
    slopes = {p: sp.Dummy(real=True) for p in expr.atoms(Partial)}
    quotients = {s: _line_quotient(sample, p.of.name, p.by.name) for p, s in slopes.items()}
    put_in = expr.xreplace(slopes)

    def value(number: int) -> _Quotient:
        found = {s: quotient(number) for s, quotient in quotients.items()}
        table = {s: sample.values[s.name] for s in put_in.free_symbols if s not in quotients}
        with ctx.workprec(BITS):
            return _Quotient(compute(put_in, {**table, **{s: q.central for s, q in found.items()}}),
                             max((q.apart for q in found.values()), default=0.0))

    return value


@dataclass(frozen=True)
class _Sample:
    """A derivation at small sizes and a random exact point: the forward program in scalars, and the ball of every scalar, of the
    gradient lines too, whose values are computed array by array."""

    sizes: dict[str, int]
    program: Program
    scalars: Program
    entries: Entries
    point: Mapping[str, Any]
    values: Mapping[str, Any]
    declared: Numbers  # the values, array by array
    bare: Numbers | None  # those at a point that fits no declared assumption; None where none is declared
    seed: int

    @cached_property
    def lines(self) -> dict[str, sp.Expr]:
        """The right side of every scalar line."""
        return {d.name: d.expr for d in self.scalars.definitions}

    @cached_property
    def users(self) -> dict[str, list[str]]:
        """The scalar lines that use a scalar."""
        found: dict[str, list[str]] = {}
        for name, expr in self.lines.items():
            for s in expr.free_symbols:
                found.setdefault(s.name, []).append(name)
        return found

    def at(self, name: str, place: Place) -> Any:
        """The value of one entry."""
        return self.values[self.entries.scalar(name, place).name]

    def value(self, expr: sp.Expr, env: Env, numbers: Numbers | None = None) -> Any:
        """The value of an index expression with its indices put in."""
        numbers = self.declared if numbers is None else numbers
        with ctx.workprec(BITS):
            return numbers.value(expr, Here(numbers, {s: int(n) for s, n in env.items()}, {}))

    def scalar_value(self, expr: sp.Expr) -> Any:
        """The value of an expression of scalars."""
        with ctx.workprec(BITS):
            return compute(expr, {s: self.values[s.name] for s in expr.free_symbols})


def _sample(derivation: Derivation, sizes: dict[str, int], seed: int, positive: bool, small: bool = False) -> _Sample:
    """Made once for each derivation and attempt: all its steps are checked at the same point."""
    kept: dict[Any, _Sample] = derivation.__dict__.setdefault("_samples", {})
    key = (tuple(sizes.items()), seed, positive, small)
    if key not in kept:
        program, scalars, entries = _scalars(derivation, sizes)
        bare = _point(scalars, random.Random(seed), positive, small)
        point = dict(bare)
        for a in (*derivation.program.assumptions, *one_hot_facts(derivation.program)):
            _bend(a, derivation.program, entries, point)
        bare.update(_definite(scalars, bare))
        point.update(_definite(scalars, point))
        values, numbers = _values(derivation, program, entries, run(scalars, point, {}))
        undeclared = _values(derivation, program, entries, run(scalars, bare, {}))[1] if derivation.program.assumptions else None
        kept[key] = _Sample(sizes, program, scalars, entries, point, values, numbers, undeclared, seed)
    return kept[key]


def _values(derivation: Derivation, program: Program, entries: Entries, forward: Mapping[str, Any]) -> tuple[dict[str, Any], Numbers]:
    """The values of every line by the names of its scalars, and array by array, from those of the forward lines."""
    plan = Plan(program, entries.env)
    known = derivation.program.tensors
    numbers = Numbers(plan, {name: {at: forward[entries.title(name, at)] for at in entries.places(name)} for name in known}, BITS)
    numbers.done.update(k for name in known for k in plan.block_of.get(name, ()))
    values = dict(forward)
    for name in program.by_name:
        if name not in known:
            values.update((entries.title(name, at), number) for at, number in numbers.table(name).items())
    return values, numbers


def _compare(derivation: Derivation, step: Step, sample: _Sample, most: int) -> StepCheck:
    places = list(visits(step.definition, sample.entries.env))
    worst, count = _along_directions(derivation, step, sample, places)
    false = f"differs from the central difference by {worst:.3g}" if worst >= 2.0**-TOLERANCE else ""
    said = false or next(_fields(derivation, step, sample, places, most), "")
    if not said and not count and places:
        raise DomainError("difference quotient", "a kink at every entry")
    return StepCheck(not said, tuple(sample.sizes.items()), count, f"{worst:.1e}", said, contradicted=bool(said))


def _along_directions(derivation: Derivation, step: Step, sample: _Sample, places: list[tuple[Place, Env]]) -> tuple[float, int]:
    """The largest error of the step's own line along a random direction of the entries it covers, and how many entries those are.

    Where the objective has a kink in that direction (entries of a pooled ReLU that tie at 0) the entries are halved, and an entry
    with a kink of its own is left out: its slope is a convention, which no difference can tell.
    """
    try:
        return _along_a_direction(derivation, step, sample, places), len(places)
    except _Kink:
        moved = list(dict.fromkeys(place[len(derivation.program.objective_tensor.axes):] for place, _ in places))
        if len(moved) == 1:
            return 0.0, 0
        half = set(moved[: len(moved) // 2])
        lead = len(derivation.program.objective_tensor.axes)
        parts = [[p for p in places if (p[0][lead:] in half) is inside] for inside in (True, False)]
        found = [_along_directions(derivation, step, sample, part) for part in parts]
        return max(worst for worst, _ in found), sum(count for _, count in found)


def _along_a_direction(derivation: Derivation, step: Step, sample: _Sample, places: list[tuple[Place, Env]]) -> float:
    """The largest error of the step's own line along a random direction of the entries at ``places``."""
    entries, lead = sample.entries, len(derivation.program.objective_tensor.axes)
    rng = random.Random(f"{sample.seed} {step.target.name}")
    shares = {place[lead:]: sp.Rational(rng.randint(1, 97), rng.choice((53, 59, 61, 67))) for place, _ in places}
    moved: dict[str, sp.Rational] = {}
    expected: dict[Place, Any] = {}
    for place, env in places:  # a Jacobian's first places are the objective's
        share = shares[place[lead:]] * _scale(sample.at(step.of.name, place[lead:]))
        if place == (*places[0][0][:lead], *place[lead:]):
            for name, n in moved_with(step, place[lead:], lambda at: entries.scalar(step.of.name, at).name).items():
                moved[name] = moved.get(name, sp.S.Zero) + share / n
        with ctx.workprec(BITS):
            term = to_flint(share) * as_ball(sample.value(step.expression, env))
            expected[place[:lead]] = expected.get(place[:lead], 0) + term
    goals = {at: entries.scalar(derivation.objective, at).name if lead else derivation.objective for at in expected}
    last = max(goals.values(), key=list(sample.lines).index) if lead else derivation.objective

    def moved_by(nudge: Any) -> dict[str, Any]:
        return run(sample.scalars, sample.point, {name: nudge * to_flint(share) for name, share in moved.items()}, last, sample.values)

    made = _Finer(moved_by)
    return max((_distance(made.quotient_of(goal, sample.values[goal]), expected[at]) for at, goal in goals.items()), default=0.0)


class _Kink(DomainError):
    """The difference quotients from both sides have limits, and they differ."""


@dataclass(frozen=True)
class _Quotient:
    """A central difference, and how far apart the two one-sided ones are."""

    central: Any
    apart: float


class _Finer:
    """Runs with everything moved up and down by finer and finer nudges, each made once."""

    def __init__(self, moved_by: Callable[[Any], Mapping[str, Any]]) -> None:
        self.moved_by = moved_by
        self.made: dict[int, tuple[Any, Mapping[str, Any], Mapping[str, Any]]] = {}

    def quotient_of(self, goal: str, still: Any) -> Callable[[int], _Quotient]:
        """The difference quotients of one line, whose value is ``still`` with nothing moved."""
        def quotient(number: int) -> _Quotient:
            with ctx.workprec(BITS):
                if number not in self.made:
                    nudge = arb(1) / arb(2) ** NUDGES[number]
                    self.made[number] = nudge, self.moved_by(nudge), self.moved_by(-nudge)
                nudge, up, down = self.made[number]
                ahead, back = (up[goal] - still) / nudge, (still - down[goal]) / nudge
                return _Quotient((ahead + back) / 2, _error(ahead, back))
        return quotient


def _distance(quotient: Callable[[int], _Quotient], found: Any) -> float:
    """How far ``found`` is from the limit of the difference quotients. Raises _Kink where the sides have limits of their own, and
    DomainError where no limit is in sight or ``found`` is no number."""
    if not as_ball(found).is_finite():  # the slope of a norm at 0, as it is written: 0/0, and no point to compare at
        raise DomainError("difference quotient", "the line has no value there")
    seen: list[_Quotient] = []
    errors: list[float] = []
    problem = DomainError("difference quotient", "no limit in sight")
    for number in range(len(NUDGES)):
        try:
            seen.append(quotient(number))
        except DomainError as error:  # moved past the edge of a domain
            problem = error
            continue
        errors.append(_error(seen[-1].central, found))
        if errors[-1] < 2.0**-TOLERANCE:
            return errors[-1]
        if len(seen) > 1 and _error(seen[-1].central, seen[-2].central) < min(errors) / 1000:
            if seen[-1].apart > min(errors) / 1000:
                raise _Kink("difference quotient", "a kink")
            return min(errors)
    raise problem


def _scale(value: Any) -> sp.Rational:
    """1, or a power of two of the size of a value near 0: a share of 1e-25 is moved by less than itself."""
    with ctx.workprec(BITS):
        size = float(as_ball(value).abs_upper())
    return sp.S.One if size == 0 or size > 1e-9 else sp.Rational(1, 2 ** max(0, -math.frexp(size)[1]))


def _error(slope: Any, found: Any) -> float:
    """The difference, against 1 + |slope|; what has no value is infinitely far. Raises _Kink where a kink leaves a ball wide, at a tie
    of what no digits tell apart: it holds both sides, and there is nothing to compare."""
    with ctx.workprec(BITS):
        apart, size = as_ball(slope - found), 1 + abs(as_ball(slope))
        if apart.is_finite() and apart.contains(0) and apart.rad() > size.mid() * arb(2) ** -TOLERANCE:
            raise _Kink("difference quotient", "a tie")
        error = float((apart / size).abs_upper())
    return error if error == error else float("inf")


def _same(one: Any, other: Any) -> bool:
    """Are two balls of one number seen? Balls hold what they stand for, so those that lie apart differ, be it by 1e-40."""
    with ctx.workprec(BITS):
        return _error(one, other) < 2.0**-TOLERANCE and bool(as_ball(one).overlaps(as_ball(other)))


def _fields(derivation: Derivation, step: Step, sample: _Sample, places: list[tuple[Place, Env]], most: int) -> Iterator[str]:
    """What is wrong with the step's raw sum, its contributions and their local factors; nothing where all is right."""
    for place, env in random.Random(sample.seed).sample(places, min(most, len(places))):
        try:
            yield from _at_entry(derivation, step, sample, place, env)
        except _Kink:  # the sign of what is 0 for every input, such as sigmoid(u) + sigmoid(-u) - 1
            continue
    if (step.unassumed is None) == bool(step.assumptions):
        yield "what stood there before the declared assumptions were used is told where none was used, or kept silent"


def _at_entry(derivation: Derivation, step: Step, sample: _Sample, place: Place, env: Env) -> Iterator[str]:
    """What is wrong with a step at one entry."""
    found = sample.value(step.expression, env)
    if not _same(found, sample.at(step.target.name, place)):
        yield "its line is not the line of the derivation"
    if step.rule is Rule.SYMMETRIC:
        return
    if not _same(found, sample.value(step.raw, env)):
        yield "its line differs from the chain-rule sum that it shortens"
    bare = sample.bare
    if bare is not None and not step.assumptions and not _same(sample.value(step.expression, env, bare), sample.value(step.raw, env, bare)):
        yield "its line holds only where the declared assumptions hold, and it does not say so"
    if step.unassumed is not None and not all(_same(sample.value(step.unassumed, env, at), sample.value(step.raw, env, at))
                                              for at in (sample.declared, *((bare,) if bare is not None else ()))):
        yield "what stands before the declared assumptions were used differs from the chain-rule sum"
    yield from _contributions(derivation, step, sample, place, env, found)


def _contributions(derivation: Derivation, step: Step, sample: _Sample, place: Place, env: Env, found: Any) -> Iterator[str]:
    """Whether the contributions to one entry add up to it, name each place once, and leave out none that the entry moves, and
    whether each local factor is the slope of the line it goes through."""
    if not step.contributions:
        return
    lead = len(derivation.program.objective_tensor.axes)
    objective = sample.entries.scalar(derivation.objective, place[:lead]).name
    whole = to_flint(sp.S.Zero)
    slopes: dict[str, Any] = {}  # the local factors by the forward entry that they go through
    for c in step.contributions:
        for inner, left in _summed(c, env, sample.entries):
            local = sample.value(c.local, inner) if left is sp.true else sample.scalar_value(
                sp.Piecewise((sample.entries.put_in(c.local, inner), left), (sp.S.Zero, sp.true)))
            upstream = sample.entries.put_in(c.upstream, inner)
            through = sample.entries.by_name[upstream.name].of if upstream.is_Symbol else objective
            line = sample.entries.by_name[through]
            if (line.parent or line.name) != c.through.name and line.name != c.through.name:
                yield f"the gradient {upstream} stands where that of {c.through.name} belongs"
            if through in slopes:
                yield f"the way through {through} is counted twice"
            slopes[through] = local
            with ctx.workprec(BITS):
                whole = whole + sample.scalar_value(upstream) * local
    if not _same(found, whole):
        yield "its contributions do not add up to it"
    own = sample.entries.scalar(step.of.name, place[lead:]).name
    active = active_names(derivation)
    for name in sample.users.get(own, ()):
        if name == objective or {name, sample.entries.by_name[name].parent} & active:
            slopes.setdefault(name, to_flint(sp.S.Zero))
    for name, slope in slopes.items():
        if not _is_slope(sample, name, own, slope):
            yield f"its local factor through {name} is not the slope of that line"


def _summed(c: Contribution, env: Env, entries: Entries) -> Iterator[tuple[Env, sp.Basic]]:
    """Each place that a contribution sums over where its conditions may hold, and what they still ask of the data there."""
    whole = sp.And(*c.conditions)
    for values in itertools.product(*[span((lo, hi), env) for _, lo, hi in c.sums]):
        inner = {**env, **{i: sp.Integer(v) for (i, _, _), v in zip(c.sums, values, strict=True)}}
        left = open_at(whole, inner, entries)
        if left is not sp.false:
            yield inner, left


def _is_slope(sample: _Sample, name: str, own: str, slope: Any) -> bool:
    """True where ``slope`` is the difference quotient of one forward line in ``own``, all its other arguments held."""
    try:
        return _distance(_line_quotient(sample, name, own), slope) < 2.0**-TOLERANCE
    except _Kink:
        return True  # a convention: there is no slope to compare with


def _line_quotient(sample: _Sample, name: str, own: str) -> Callable[[int], _Quotient]:
    """The difference quotients of one forward line in ``own``, by their number, all its other arguments held."""
    line, held = held_out(sample.lines[name])
    moving = next((s for s in line.free_symbols if s.name == own), None)
    if moving is None:
        return lambda number: _Quotient(to_flint(sp.S.Zero), 0.0)
    table = {d.entry: sample.scalar_value(d.expr) for d in held}
    table |= {s: sample.values[s.name] for s in line.free_symbols if s not in table}
    scale = to_flint(_scale(table[moving]))
    scaled = _Finer(lambda nudge: {name: compute(line, {**table, moving: table[moving] + nudge * scale})}).quotient_of(
        name, sample.values[name])

    def quotient(number: int) -> _Quotient:
        found = scaled(number)
        with ctx.workprec(BITS):
            return _Quotient(found.central / scale, found.apart)

    return quotient


def _place(use: sp.Expr, through: Definition) -> tuple[object, ...]:
    """What a line uses and where, whatever its bound indices are called."""
    bound = sp.Dummy("bound", integer=True, dummy_index=0)
    kept = {*through.free}
    places = [e.xreplace({s: bound for s in e.free_symbols if s not in kept and not is_size(s)}) for e in entry_indices(use)]
    return tensor_name(use), *places


def _labels(derivation: Derivation, step: Step) -> Iterator[str]:
    """What is wrong with the step's names, rule and conditions."""
    program, of = derivation.program, step.of.name
    yield from _name_faults(derivation, step)
    if step.rule is Rule.SYMMETRIC or any(t.parent for t in program.tensors.values()):
        return  # a line of its own, or the entry of a step at integer sizes, which keeps that step's labels
    gradients = set(derivation.names.values())
    for c in step.contributions:
        if c.upstream != 1 and (not isinstance(c.upstream, (sp.Indexed, sp.Symbol)) or tensor_name(c.upstream) not in gradients):
            yield f"{c.upstream} stands where a gradient belongs"
        if c.through not in program.by_name.get(c.through.name, ()):
            yield f"it goes through a line {c.through.name} that is not in the program"
        there = {_place(e, c.through) for e in entries(c.through.expr) if tensor_name(e) == of}
        if not c.occurrences or not {_place(use, c.through) for use in c.occurrences} <= there:
            yield f"it goes through a use of {of} that is not in the line {c.through.name}"
    names = {tensor_name(c.upstream) for c in step.contributions if not c.upstream.is_Number}
    if not set(step.inlined) <= names:
        yield "an earlier gradient is called put in that is no factor"
    if step.rule is not rule_of(program, of, step.definition, step.contributions, step.inlined):
        yield f"its rule is called {step.rule}"
    if step.conditions != conditions_of(step.contributions, step.assumptions, step.smooth):
        yield "its conditions are not those of the functions and assumptions used"
    if not set(step.assumptions) <= {*program.assumptions, *class_facts(program)}:
        yield "it leans on an assumption that is not declared"


def _name_faults(derivation: Derivation, step: Step) -> Iterator[str]:
    """What is wrong with the number and the names of a step, and with whether it is called needed."""
    here = derivation.steps[step.number - 1] if 0 < step.number <= len(derivation.steps) else None
    if here is None or here.target != step.target or here.definition.slice() != step.definition.slice():
        yield f"it is not step {step.number}"
    if step.live != (step.target.name in derivation.full.by_name):
        yield "it is called needed and is not" if step.live else "it is needed and called not needed"
    if step.rule is Rule.SYMMETRIC or any(t.parent for t in derivation.program.inputs):
        return
    of, target = step.of.name, step.target
    if target.of != of or (derivation.names.get(of) != target.name and not any(
            s.rule is Rule.SYMMETRIC and s.of == step.of for s in derivation.steps)):
        yield f"{target.name} is not the gradient of {of}"


def _scalars(derivation: Derivation, sizes: dict[str, int]) -> tuple[Program, Program, Entries]:
    """The whole program, and the scalars of its forward lines at ``sizes``, kept with the derivation for all steps."""
    kept: dict[tuple[tuple[str, int], ...], tuple[Program, Program, Entries]] = derivation.__dict__.setdefault("_scalars", {})
    key = tuple(sizes.items())
    if key not in kept:
        lines = [s.definition for s in derivation.steps if not s.live]
        program = derivation.full.extend(lines) if lines else derivation.full
        kept[key] = program, *instantiate_program(derivation.program, sizes, LIMIT, program)
    return kept[key]


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


def _point(scalars: Program, rng: random.Random, positive: bool = False, small: bool = False) -> dict[str, sp.Rational]:
    """Random rationals for every input entry, inside its domain; ``small`` ones do not saturate what the others do."""
    point: dict[str, sp.Rational] = {}
    seen: set[sp.Rational] = set()
    for t in scalars.inputs:
        if t.domain == "index":
            point[t.name] = sp.Integer(_any_class(t, rng))
            continue
        value = sp.Rational(rng.randint(1, 97), rng.choice((53, 59, 61, 67)))
        while value in seen:  # two that tie are no point in general position
            value = sp.Rational(rng.randint(1, 997), rng.choice((601, 607, 613, 617)))
        seen.add(value)
        keep = positive or rng.random() < 0.6
        point[t.name] = t.numbers.hull.suited((value if keep else -value) / (8 if small else 1))
    return point


def _definite(scalars: Program, point: Mapping[str, sp.Rational]) -> dict[str, sp.Rational]:
    """Matrices that are declared positive definite: B Bᵀ + 1 for the B at the point."""
    matrices: dict[str, dict[Place, str]] = {}
    for t in scalars.inputs:
        if t.structure == "positive definite" and t.parent:
            matrices.setdefault(t.parent, {})[t.place] = t.name
    found: dict[str, sp.Rational] = {}
    for names in matrices.values():
        rows = sorted({p[0] for p in names})
        for (i, j), name in names.items():
            found[name] = sum((point[names[i, k]] * point[names[j, k]] for k in rows), sp.Integer(i == j))
    return found


def _any_class(t: Tensor, rng: random.Random) -> int:
    """One of the classes, counted from 0, or now and then the ignored one."""
    if t.ignored is not None and rng.random() < 0.3:
        return t.ignored
    return rng.randrange(int(t.classes) if t.classes is not None and t.classes.is_Integer else 2)


def _bend(a: Assumption, program: Program, entries: Entries, point: dict[str, sp.Rational]) -> None:
    """Make Σ_k y[n, k] = 1 true by moving the last entry of each sum."""
    if isinstance(a.left, sp.Add) and a.left.args[-1].is_Symbol:  # the same, every entry a number
        *others, last = a.left.args
        point[last.name] = a.right - sum((s.xreplace({e: point[e.name] for e in s.free_symbols}) for s in others), sp.S.Zero)
        return
    if not isinstance(a.left, sp.Sum):
        return  # no step leans on it
    if not isinstance(a.left.function, sp.Indexed):
        raise SymnetError("assumption", str(a), "a plain sum of entries equal to a number")
    (index, _, _), = limits(a.left)
    inner = a.left.function
    tensor: Tensor = program[tensor_name(inner)]
    ranges = [range(int(x.lower.xreplace(entries.env)), int(x.upper.xreplace(entries.env)) + 1) for x in tensor.axes]
    where = entry_indices(inner).index(index)
    for place in itertools.product(*[r if k != where else (r[-1],) for k, r in enumerate(ranges)]):
        others = [entries.scalar(tensor.name, (*place[:where], p, *place[where + 1:])).name for p in ranges[where][:-1]]
        total = entries.put_in(a.right, entries.env)
        if tensor.numbers.low is not None and tensor.numbers.low >= 0 and total.is_positive:  # all parts of the total, none below 0
            names = [*others, entries.scalar(tensor.name, place).name]
            size = total / sum((abs(point[o]) for o in names), sp.S.Zero)
            point.update({o: abs(point[o]) * size for o in names})
        point[entries.scalar(tensor.name, place).name] = total - sum((point[o] for o in others), sp.S.Zero)
