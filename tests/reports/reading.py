"""What a report prints, read back from the printed strings and evaluated where nothing of the derivation is used.

A ``World`` is a forward program at small sizes and one point. In it a forward name is what the forward program computes; dL/dx[…] is the
central difference of the objective; dv[…]/du[…] the central difference of the one line that defines v[…], all else held.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq

from symnet.arrays.flow_axes import ALONG
from symnet.calculus.checking import run
from symnet.calculus.instantiate import instantiate_program
from symnet.core.axes import Axis, Range
from symnet.core.derivation import Derivation
from symnet.core.index_evaluation import at_place
from symnet.core.numbers import as_ball, compute, to_flint
from symnet.core.tensors import Tensor
from symnet.parsing.latex import latex_expression
from symnet.parsing.lowering import Lowering
from symnet.parsing.plain_grammar import Parser
from symnet.parsing.program import FUNCTIONS

BITS = 300
SLOPE = re.compile(r"\bd([A-Za-z][A-Za-z0-9_]*)(?:\[([^\[\]]*)\])?/d([A-Za-z][A-Za-z0-9_]*)(?:\[([^\[\]]*)\])?")
LITERAL = re.compile(r"(?<![A-Za-z0-9_.])(\d+\.?\d*(?:e[-+]?\d+)?)")


class World:
    """The values of one program at one point; ``derivation`` gives the names of gradients and nothing else."""

    def __init__(self, derivation: Derivation, sizes: Mapping[str, int], values: Mapping[str, Any] | None = None, seed: int = 3) -> None:
        self.program = derivation.program
        self.scalars, self.at = instantiate_program(self.program, sizes)
        rng = random.Random(seed)
        self.point: dict[str, Any] = {t.name: sp.Rational(rng.randint(5, 60), 61) * (1 if t.domain == "positive" or rng.random() < 0.6 else -1)
                                      for t in self.scalars.inputs}
        self.point |= {t.name: sp.Integer(rng.randrange(2 if t.classes is None else int(t.classes))) for t in self.scalars.inputs
                       if t.domain == "index"}
        for name, nested in (values or {}).items():
            for t, place in zip(self.at.of(name), self.at.places(name), strict=True):
                inner = nested
                for p in place:
                    inner = inner[p - 1]
                self.point[t.name] = sp.Rational(inner)
        if not values:
            self._declared()
        self.forward = run(self.scalars, self.point, {})
        self.right = {d.name: d.expr for d in self.scalars.definitions}
        self.gradients = {s.target.name: s.of.name for s in derivation.steps}
        self.known: dict[str, Tensor] = {**self.program.tensors, **{s.target.name: s.target for s in derivation.steps}}
        self.made: dict[tuple[str, tuple[int, ...]], Any] = {}
        self.letters: dict[sp.Symbol, sp.Expr] = dict(self.at.env)

    def _declared(self) -> None:
        """Σ_k y[n, k] = 1: the last entry of each sum makes it so."""
        for a in self.program.assumptions:
            if isinstance(a.left, sp.Add):
                *rest, last_one = a.left.args
                self.point[last_one.name] = 1 - sum(self.point[r.name] for r in rest)
                continue
            entry = a.left.function
            (i, lo, hi), = a.left.limits
            name, where = str(entry.base.label), list(entry.indices).index(i)
            last = int(hi.xreplace(self.at.env))
            for place in self.at.places(name):
                if place[where] == last:
                    rest = [self.at.scalar(name, (*place[:where], k, *place[where + 1:])).name for k in range(int(lo), last)]
                    self.point[self.at.scalar(name, place).name] = 1 - sum(self.point[r] for r in rest)

    @cached_property
    def sizes(self) -> dict[str, sp.Symbol]:
        return {str(s): s for s in self.program.sizes}

    def slope_tensor(self, of: str, by: str) -> Tensor:
        """dv/du as a tensor with v's places, then u's."""
        v, u = self.known[of], self.known[by]
        return self.known.setdefault(f"d{of}_d{by}", Tensor(f"d{of}_d{by}", (*v.axes, *u.axes), of=by, objective=of))

    def value(self, name: str, place: tuple[int, ...]) -> Any:
        """The value of one entry of anything that may be printed."""
        key = (name, place)
        if key not in self.made:
            self.made[key] = self._value(name, place)
        return self.made[key]

    def _value(self, name: str, place: tuple[int, ...]) -> Any:
        if name in self.program.tensors:
            return self.forward[self.at.scalar(name, place).name]
        if name in self.gradients:
            return self._difference(self.at.scalar(self.gradients[name], place).name)
        slope = self.known[name]
        v = self.at.scalar(slope.objective, place[:len(self.known[slope.objective].axes)]).name
        u = self.at.scalar(slope.of, place[len(self.known[slope.objective].axes):]).name
        expr = self.right[v]
        with ctx.workprec(BITS):
            table = {s: self.forward[s.name] for s in expr.free_symbols}
            moved = next((s for s in table if s.name == u), None)
            if moved is None:
                return fmpq(0)
            h = arb(2) ** -80
            up, down = (compute(expr, {**table, moved: table[moved] + k * h}) for k in (1, -1))
            return (up - down) / (2 * h)

    def _difference(self, name: str) -> Any:
        goal = self.program.objective
        with ctx.workprec(BITS):
            h = arb(2) ** -80
            up, down = (run(self.scalars, self.point, {name: k * h}, goal, self.forward)[goal] for k in (1, -1))
            return (up - down) / (2 * h)

    def entries_of(self, name: str) -> list[str]:
        """The scalars of a tensor, in a world of scalars."""
        return [name] if name in self.known else [t.name for t in self.known.values() if t.parent == name]

    def gradient_of(self, name: str) -> str:
        """The gradient of a name."""
        return next(g for g, of in self.gradients.items() if of == name)

    def evaluate(self, expr: sp.Expr, env: Mapping[sp.Symbol, sp.Expr]) -> Any:
        """An expression with its indices put in."""
        table: dict[sp.Expr, Any] = {}

        def entry(name: str, place: tuple[int, ...]) -> sp.Expr:
            symbol = sp.Symbol("_".join([name, *map(str, place)]) + "#", real=True)
            table[symbol] = self.value(name, place)
            return symbol

        put_in = at_place(expr, {**self.letters, **env}, entry)
        with ctx.workprec(BITS):
            return compute(put_in, table)


def far(a: Any, b: Any) -> float:
    """The difference of two values, against their size."""
    with ctx.workprec(BITS):
        return float((as_ball(a - b) / (1 + abs(as_ball(a)))).abs_upper())


def split(line: str, marks: tuple[str, ...]) -> list[tuple[str, str]]:
    """The parts of a chain of equalities, each with the relation before it; brackets are left whole."""
    found, depth, start, relation, k = [], 0, 0, "", 0
    while k < len(line):
        depth += (line[k] in "([{") - (line[k] in ")]}")
        mark = next((m for m in marks if depth == 0 and line.startswith(m, k)), None)
        if mark is None:
            k += 1
            continue
        found.append((relation, line[start:k].strip()))
        relation, k = mark.strip(), k + len(mark)
        start = k
    return [*found, (relation, line[start:].strip())]


@dataclass
class Read:
    """One printed equation: the value of its left side and of its right sides wherever its indices may stand."""

    world: World
    free: dict[str, sp.Symbol] = field(default_factory=dict)
    ranges: dict[str, Range] = field(default_factory=dict)

    def text(self, source: str) -> sp.Expr:
        """Plain text as an expression; dv[i]/du[j] is the slope of v's line."""
        made = SLOPE.sub(self._slope, source)
        lowering = Lowering(self.world.known, self.world.sizes, "line", self.free)
        value = lowering.real(Parser(made, "line", FUNCTIONS).whole())
        assert not value.axes, f"{source} is no number"
        return value.expr

    def _slope(self, m: re.Match[str]) -> str:
        of, by = m[1], m[3]
        name = f"d{of}_d{by}"
        if of == self.world.program.objective and m[2] is None:
            assert name in self.world.gradients, f"{m[0]} is no gradient of this report"
            return name + (f"[{m[4]}]" if m[4] is not None else "")
        places = ", ".join(p for p in (m[2], m[4]) if p is not None)
        return self.world.slope_tensor(of, by).name + (f"[{places}]" if places else "")

    def left(self, source: str, indices: Mapping[str, Range]) -> None:
        """The letters of a left side: each runs over the axis that it stands on, unless the line says otherwise."""
        for name, places in re.findall(r"([A-Za-z][A-Za-z0-9_]*)\[([^\[\]]*)\]", SLOPE.sub(self._slope, source)):
            pairs = list(zip([p.strip() for p in places.split(",")], self.world.known[name].axes, strict=True))
            lead = len(self.world.known[self.world.known[name].objective].axes) if name not in self.world.gradients and \
                self.world.known[name].objective else 0
            for place, axis in (*pairs[lead:], *pairs[:lead]):  # in a slope dv/du the letters of u come first
                if re.fullmatch(r"[a-z]\d?", place) and place not in self.world.sizes:
                    self.free.setdefault(place, sp.Symbol(place, integer=True))
                    self.ranges.setdefault(place, indices.get(place, axis.range))

    def places(self, most: int) -> Iterator[dict[sp.Symbol, sp.Expr]]:
        names = list(self.free)
        spans = []
        for n in names:
            lo, hi = (sp.sympify(e).xreplace(self.world.letters) for e in self.ranges[n])
            spans.append(range(int(lo), int(hi) + 1))
        every = list(itertools.product(*spans))
        for values in random.Random(len(every)).sample(every, min(most, len(every))):
            yield {self.free[n]: sp.Integer(v) for n, v in zip(names, values, strict=True)}


def over_of(line: str, world: World) -> tuple[str, str, dict[str, Range]]:
    """A line without "where …" and "for t = a..b": the line, the condition, the ranges."""
    ranges: dict[str, Range] = {}
    line, *tails = re.split(r"  for (?=[a-z]\d? = )", line)
    for tail in tails:
        name, span_ = tail.split(" = ")
        low, high = (Read(world).text(e) for e in span_.split(".."))
        ranges[name] = (low, high)
    line, _, condition = line.partition(" where ")
    return line, condition, ranges


def text_line(world: World, line: str, inner: Mapping[str, Range], most: int = 6, left: str = "") -> list[tuple[float, str]]:
    """How far the sides of a printed equation are apart, at every place tried. ``left`` stands before a line that begins with its
    relation; ``inner`` are the ranges of letters that the line leaves to the one above, as a slope does with a summed index."""
    line, condition, ranges = over_of(line, world)
    sides = split(line, (" = ", " ≈ "))
    if len(sides) == 1 and line[:2] in ("= ", "≈ "):
        sides = [("", left), (line[0], line[2:])]
    read = Read(world)
    read.left(sides[0][1], ranges)
    for name in re.findall(r"(?<![A-Za-z0-9_.])[a-z]\d?(?![A-Za-z0-9_(\[])", " ".join([condition, *(s for _, s in sides)])):
        if name in inner and name not in read.free and name not in world.sizes:
            read.free[name], read.ranges[name] = sp.Symbol(name, integer=True), inner[name]
    exprs = [read.text(s) for _, s in sides if not is_numbers(s)]
    where = read.text(condition) if condition else sp.S.One
    found, tried = [], 0
    for env in read.places(most if not condition else 60):
        if world.evaluate(where, env) == 0:
            continue
        values = [world.evaluate(e, env) for e in exprs]
        tried += 1
        found += [(far(values[0], v), f"{line} at {env}") for v in values[1:]]
        for relation, side in sides[1:]:
            if is_numbers(side):
                found.append((numbers_apart(side, relation, values[0]), f"{line}: {side} against {values[0]}"))
    assert tried, f"no place for {line}"
    return found


def is_numbers(side: str) -> bool:
    """True for arithmetic on decimals alone."""
    return not re.search(r"[A-Za-z_]", re.sub(r"\b(sigmoid|exp|log|tanh|relu|sqrt|max|min|abs|step)\b|\d+\.?\d*e[-+]?\d+", "", side)) and bool(LITERAL.search(side))


def numbers_apart(side: str, relation: str, value: Any) -> float:
    """0 where the arithmetic on printed decimals encloses the value (≈), or gives it exactly (=); else how far it is off."""
    names, table = [], {}

    def literal(m: re.Match[str]) -> str:
        digits, _, tail = m[1].partition("e")
        _, _, after = digits.partition(".")
        scale = sp.Rational(10) ** (int(tail or 0) - len(after))
        exact = sp.Rational(m[1])
        name = f"q{len(names)}"
        names.append(name)
        with ctx.workprec(BITS):
            table[sp.Symbol(name, real=True)] = to_flint(exact) if relation == "=" or not after else arb(to_flint(exact), float(scale) / 2 * 1.000001)
        return name

    source = LITERAL.sub(literal, side)
    known = {n: Tensor(n) for n in names}
    expr = Lowering(known, {}, "numbers", {}).real(Parser(source, "numbers", FUNCTIONS).whole()).expr
    with ctx.workprec(BITS):
        found = compute(expr, table)
        if relation == "=":
            return 0.0 if isinstance(found, fmpq) and isinstance(value, fmpq) and found == value else far(found, value)
        gap = as_ball(found) - as_ball(value)
        return 0.0 if gap.contains(0) else far(found, value)


def matrix_line(world: World, latex: str, of: sp.Expr, columns: bool, most: int = 6) -> list[tuple[float, str]]:
    """How far the sides of a line of matrix notation are apart, entry by entry; ``of`` is the entry that the line is about."""
    tensor = world.known[str(of.base.label) if isinstance(of, sp.Indexed) else of.name]
    sides = [s for _, s in split(latex.split(r" \quad ")[0], (" = ",))]
    ranges: dict[str, Range] = {}
    for tail in latex.split(r" \quad ")[1:]:
        name, lo, hi = re.fullmatch(r"\\text\{for \} (\S+) = (.*?), \\ldots, (.*)", tail).groups()  # type: ignore[union-attr]
        ranges[name] = tuple(latex_expression(e, world.known, world.sizes).expr for e in (lo, hi))  # type: ignore[assignment]
    read = Read(world)
    rows: list[tuple[sp.Expr, Axis]] = []
    for i, axis in zip(of.indices if isinstance(of, sp.Indexed) else (), tensor.axes, strict=True):
        if i.is_Symbol and str(i) not in world.sizes:
            read.free[str(i)], read.ranges[str(i)] = i, ranges.get(str(i), axis.range)
        if axis.kind not in ALONG:
            rows.append((i, axis))
    rows = rows[:: -1 if columns else 1]
    free = {str(i): i for i, a in zip(of.indices if isinstance(of, sp.Indexed) else (), tensor.axes, strict=True)
            if a.kind in ALONG and i.is_Symbol and str(i) not in world.sizes}
    exprs = []
    for side in sides:
        value = latex_expression(side, world.known, free=free, axes=[a for _, a in rows], columns=columns)
        assert not value.axes or [a.size for a in value.axes] == [a.size for _, a in rows], f"the shape of {side}"
        exprs.append(value.at(*[i for i, _ in rows]) if value.axes else value.expr)
    found = []
    for env in read.places(most):
        values = [world.evaluate(e, env) for e in (of, *exprs)]
        found += [(far(values[0], v), f"{latex} at {env}") for v in values[1:]]
    return found


def latex_line(world: World, latex: str, of: sp.Expr | None, ranges: Mapping[str, Range], most: int = 4) -> list[tuple[float, str]]:
    """The same for a line of index notation in LaTeX, its sides against one another and the value of ``of``."""
    body = latex.split(r" \quad ")[0]
    sides = [s for _, s in split(body, (" = ", r" \approx "))]
    read = Read(world)
    for i, span_ in ranges.items():
        read.free[i], read.ranges[i] = sp.Symbol(i, integer=True), span_
    exprs = [latex_expression(s, world.known, world.sizes, free=dict(read.free.items())).expr for s in sides]
    found = []
    for env in read.places(most):
        values = [world.evaluate(e, env) for e in ((*exprs,) if of is None else (of, *exprs))]
        found += [(far(values[0], v), f"{latex} at {env}") for v in values[1:]]
    return found


def correctly_rounded(shown: str, value: Any, digits: int) -> bool:
    """True when a printed number, with its ≈ where it has one, is the value to so many significant digits."""
    rounded, text = shown.startswith("≈"), shown.removeprefix("≈").strip()
    with ctx.workprec(BITS):
        gap = abs(as_ball(value) - as_ball(to_flint(sp.Rational(text))))
        if not rounded:
            return bool(value == to_flint(sp.Rational(text)) or gap < arb(10) ** -40)
        head, _, tail = text.lstrip("-").partition("e")
        after = len(head.partition(".")[2])
        kept = len(head.replace(".", "").lstrip("0"))
        return kept == digits and bool(gap <= arb(10) ** (int(tail or 0) - after) / 2 * arb("1.0000001"))


