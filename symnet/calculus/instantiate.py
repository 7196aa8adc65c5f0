"""Integer sizes: every tensor entry becomes a scalar, W1[1, 2] the scalar W1_1_2 printed w_{12}^{(1)}."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy as sp

from symnet.core.axes import is_index
from symnet.core.derivation import Contribution, Derivation, Step
from symnet.core.expressions import Limits, as_written
from symnet.core.index_evaluation import Env, Written, at_place, in_order, open_at, span, visits
from symnet.core.names import entry_latex
from symnet.core.program import Assumption, Definition, Hole, Program
from symnet.core.schedule import schedule
from symnet.core.tensors import Tensor, free_name
from symnet.errors import ShapeError

LIMIT = 20_000  # entries; beyond this a list of scalars helps nobody


class Entries:
    """The scalars of one program at integer sizes, made on demand and each once."""

    def __init__(self, tensors: Mapping[str, Tensor], env: Env) -> None:
        self.tensors, self.env = tensors, env
        self.made: dict[tuple[str, tuple[int, ...]], Tensor] = {}
        self.by_name: dict[str, Tensor] = {}
        self.taken = set(tensors)
        self.titles: dict[tuple[str, tuple[int, ...]], str] = {}
        self.symbols: dict[tuple[str, tuple[int, ...]], sp.Expr] = {}  # one object for each entry: looking it up is then fast
        self.written: Written = {}

    def scalar(self, name: str, place: tuple[int, ...]) -> Tensor:
        """The scalar tensor for one entry."""
        key = (name, place)
        if key not in self.made:
            tensor = self.tensors[name]
            lead = len(tensor.axes) - len(self.tensors[tensor.of].axes) if tensor.of in self.tensors else 0  # a Jacobian's
            of = self.scalar(tensor.of, place[lead:]).name if tensor.of in self.tensors else tensor.of
            above = self.scalar(tensor.objective, place[:lead]).name if lead else tensor.objective
            classes = None if tensor.classes is None else tensor.classes.xreplace(dict(self.env))
            self.made[key] = replace(tensor, classes=classes) if not tensor.axes else replace(
                tensor, name=self.title(name, place), axes=(), parent=name, place=place, of=of, objective=above,
                latex=entry_latex(tensor, [str(p) for p in place], self.tensors),
                classes=classes)
            self.by_name[self.made[key].name] = self.made[key]
        return self.made[key]

    def title(self, name: str, place: tuple[int, ...]) -> str:
        """The name of the scalar for one entry: W1_1_2."""
        key = (name, place)
        if key not in self.titles:
            parts = [str(p) if p >= 0 else f"m{-p}" for p in place]  # y[-2] is y_m2
            title = free_name("_".join([name, *parts]), self.taken) if self.tensors[name].axes else name
            self.titles[key] = title
            self.taken.add(title)
        return self.titles[key]

    def __call__(self, name: str, place: tuple[int, ...]) -> sp.Expr:
        key = (name, place)
        if key not in self.symbols:
            self.symbols[key] = self.scalar(name, place)[()]
        return self.symbols[key]

    def put_in(self, expr: sp.Expr, env: Env) -> sp.Expr:
        """An expression of tensors, in these scalars; ``env`` has the sizes and where its indices stand."""
        return at_place(expr, env, self, self.written)

    def places(self, name: str) -> Iterator[tuple[int, ...]]:
        """All places of a tensor, row by row."""
        return itertools.product(*[span(a.range, self.env) for a in self.tensors[name].axes])

    def of(self, name: str) -> Iterator[Tensor]:
        """All entries of a tensor, row by row."""
        return (self.scalar(name, place) for place in self.places(name))


def environment(program: Program, sizes: Mapping[str, int], most: int | None = LIMIT) -> dict[sp.Symbol, sp.Expr]:
    """Size symbols to integers; raises ShapeError for a missing, unknown or impossible size, and for more than ``most`` entries."""
    known = {str(s): s for s in program.sizes}
    for name, value in sizes.items():
        if name not in known:
            raise ShapeError("sizes", f"no size named {name!r}", "one of " + ", ".join(known) if known else "no sizes")
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ShapeError(f"size {name}", str(value), "a positive integer")
    missing = [name for name in known if name not in sizes]
    if missing:
        raise ShapeError("sizes", f"no value for {', '.join(missing)}", "an integer for every size",
                         f"sizes={{{', '.join(f'{m!r}: 3' for m in missing)}}}")
    env = {known[name]: sp.Integer(value) for name, value in sizes.items()}
    for size, least in program.least.items():
        if env[size] < least:
            raise ShapeError(f"size {size}", str(env[size]), f"at least {least}, so that every place on a left side exists")
    for axis in program.axes:
        if axis.size.xreplace(env) < 0:
            raise ShapeError(f"size {axis.size}", str(axis.size.xreplace(env)), "a size that is not negative")
    count = sum(int(sp.Mul(*[e.xreplace(env) for e in t.shape])) for t in program.tensors.values())
    if most is not None and count > most:
        raise ShapeError("instantiate", f"{count} entries", f"at most {most}", "smaller sizes; at() for exact values, compile() for floats")
    return env


def instantiate_program(program: Program, sizes: Mapping[str, int], most: int = LIMIT,
                        within: Program | None = None) -> tuple[Program, Entries]:
    """The scalar program at ``sizes``, of at most ``most`` entries, and the entries it was made from: those of ``within``, which begins
    with the program, by default its own."""
    whole = program if within is None else within
    env = environment(whole, sizes, most)
    entries = Entries(whole.tensors, env)
    named(whole, entries)
    inputs = tuple(s for t in program.inputs for s in entries.of(t.name))
    lines = [_line(d, place, inner, entries) for b in schedule(program) for d, place, inner in in_order(b, env)]
    assumptions = tuple(made for a in program.assumptions for made in assumptions_at(a, program, env, entries))
    goal = "" if program.objective_tensor.axes else program.objective  # without a scalar objective the last entry stands in
    return Program(inputs, tuple(lines), goal, assumptions, program.title), entries


def named(program: Program, entries: Entries) -> dict[str, tuple[str, tuple[int, ...]]]:
    """What each scalar's name stands for. All names are given at once, in the order of the tensors, so that they depend on nothing else."""
    return {entries.title(name, place): (name, place) for name in program.tensors for place in entries.places(name)}


def _line(d: Definition, place: tuple[int, ...], env: Env, entries: Entries) -> Definition:
    holes = tuple(holes_at(d, env, entries)) if d.holes else ()
    return Definition(entries.scalar(d.name, place), (), entries.put_in(d.expr, env), (), d.note, holes)


def holes_at(d: Definition, env: Env, entries: Entries) -> Iterator[Hole]:
    """The holes of a line at one place, one for each place of those of their own indices that they depend on."""
    for u, sign, over in d.holes:
        needed = [t for t in over if t[0] in u.free_symbols or any(t[0] in end.free_symbols for _, *ends in over for end in ends)]
        rest = [t for t in over if t not in needed]
        for inner in _choices(needed, env):
            if next(_choices(rest, inner), None) is not None:  # a sum without a term asks for nothing
                yield entries.put_in(u, inner), sign, ()


def _choices(over: Sequence[Limits], env: Env) -> Iterator[Env]:
    """The indices at each choice of their places; the ends of one may hold others, j in i + 1..n."""
    names = {i for i, _, _ in over}
    ready = next((t for t in over if not any(end.free_symbols & names for end in t[1:])), None)
    if ready is None:
        yield env
        return
    rest = [t for t in over if t is not ready]
    for value in span(ready[1:], env):
        yield from _choices(rest, {**env, ready[0]: sp.Integer(value)})


def assumptions_at(a: Assumption, program: Program, env: Env, entries: Entries) -> Iterator[Assumption]:
    """A declared equality at every place of its free indices."""
    free = sorted(filter(is_index, a.left.free_symbols), key=str)
    places = [_range_of(s, a.left, program, env) for s in free]
    for values in itertools.product(*places):
        inner = {**env, **dict(zip(free, map(sp.Integer, values), strict=True))}
        yield Assumption(entries.put_in(a.left, inner), entries.put_in(a.right, inner))


def _range_of(symbol: sp.Symbol, expr: sp.Expr, program: Program, env: Env) -> range:
    for node in expr.atoms(sp.Indexed):
        for place, axis in zip(node.indices, program.tensors[str(node.base.label)].axes, strict=True):
            if place == symbol:
                return span(axis.range, env)
    raise ShapeError("assumption", f"the index {symbol} stands alone", "an index of some tensor")


def instantiate(derivation: Derivation, sizes: Mapping[str, int]) -> Derivation:
    """The same derivation with every entry a scalar: its lines and steps at each place, in order.

    >>> from symnet.core.axes import Axis, index, size
    >>> from symnet.core.program import define
    >>> from symnet.calculus.derive import derive
    >>> v, i = Tensor("v", (Axis.of("d"),)), index("i")
    >>> L = define(Tensor("L"), expr=sp.Sum(v[i] ** 2, (i, 1, size("d"))))
    >>> print(instantiate(derive(Program((v,), (L,))), {"d": 2}).full)
    L := v_1**2 + v_2**2
    dL_dv_1 := 2*v_1
    dL_dv_2 := 2*v_2
    """
    with as_written():
        return _instantiate(derivation, sizes)


def _instantiate(derivation: Derivation, sizes: Mapping[str, int]) -> Derivation:
    forward, _ = instantiate_program(derivation.program, sizes)
    full, entries = instantiate_program(derivation.full, sizes)
    entries.tensors = {**derivation.full.tensors, **{s.target.name: s.target for s in derivation.steps}}
    through = {d.name: d for d in full.definitions}
    facts = {a: tuple(made for made in assumptions_at(a, derivation.program, entries.env, entries))
             for a in dict.fromkeys(a for s in derivation.steps for a in s.assumptions)}
    steps = [made for s in derivation.steps for made in _steps(s, entries, through, facts)]
    steps = [replace(s, number=k) for k, s in enumerate(steps, start=1)]
    names = {entries.scalar(u, p).name: entries.scalar(g, p).name
             for u, g in derivation.names.items() for p in entries.places(u)} if not derivation.program.objective_tensor.axes \
        else {s.name: s.name for g in derivation.names.values() for s in entries.of(g)}  # a Jacobian's entries go by their own names
    wrt = tuple(t.name for u in derivation.wrt for t in entries.of(u)) if not derivation.program.objective_tensor.axes \
        else tuple(s.name for u in derivation.wrt for s in entries.of(derivation.names[u]))
    values = {t.name: v for n, nested in derivation.values.items() for t, v in _flatten(n, nested, entries)}
    return Derivation(forward, full, wrt, tuple(steps), names, derivation.conventions, values, derivation.meta)


def _flatten(name: str, nested: Any, entries: Entries) -> Iterator[tuple[Tensor, Any]]:
    axes = entries.tensors[name].axes
    for tensor, place in zip(entries.of(name), entries.places(name), strict=True):
        value = nested
        for p, axis in zip(place, axes, strict=True):
            value = value[p - int(axis.lower.xreplace(entries.env))]
        yield tensor, value


def _steps(step: Step, entries: Entries, through: Mapping[str, Definition],
           facts: Mapping[Assumption, tuple[Assumption, ...]]) -> Iterator[Step]:
    for place, env in visits(step.definition, entries.env):
        of = entries.scalar(step.of.name, place[len(step.target.axes) - len(step.of.axes):])
        line = _line(step.definition, place, env, entries)
        parts = tuple(made for c in step.contributions for made in _contributions(c, of, env, entries, through))
        used = dict.fromkeys(str(c.upstream) for c in parts if c.upstream.is_Symbol)
        inlined = tuple(n for n in used if (entries.by_name[n].parent or n) in step.inlined)
        before = None if step.unassumed is None else entries.put_in(step.unassumed, env)
        assumed = tuple(f for a in step.assumptions for f in facts[a] if before is not None and f.left.free_symbols <= before.free_symbols)
        yield replace(step, of=of, definition=line, contributions=parts, raw=entries.put_in(step.raw, env), inlined=inlined,
                      assumptions=assumed, unassumed=before if assumed else None)


def _contributions(c: Contribution, of: Tensor, env: Env, entries: Entries,
                   through: Mapping[str, Definition]) -> Iterator[Contribution]:
    for values in itertools.product(*[span((lo, hi), env) for _, lo, hi in c.sums]):
        inner = {**env, **{i: sp.Integer(v) for (i, _, _), v in zip(c.sums, values, strict=True)}}
        left = open_at(sp.And(*c.conditions), inner, entries)
        if left is sp.false:
            continue
        local = entries.put_in(c.local, inner)
        local = local if left is sp.true else sp.Piecewise((local, left), (sp.S.Zero, sp.true))
        if local.is_zero:
            continue
        upstream = entries.put_in(c.upstream, inner)
        yield Contribution(_through(c, upstream, entries, through), (of[()],), upstream, local)


def _through(c: Contribution, upstream: sp.Expr, entries: Entries, through: Mapping[str, Definition]) -> Definition:
    """The scalar line whose gradient ``upstream`` is; the objective's own line when that is 1."""
    if not upstream.is_Symbol:
        return through.get(c.through.name, c.through)
    return through[entries.by_name[upstream.name].of]
