"""The numbers of every line of an index program at a point, array by array: exact rationals where they stay so, else balls.

No scalar expression is made for an entry. The right side of a line is computed at each place by ``core.numbers.compute``, which is
handed the values of entries, indices, sums and brackets there; a sum or a matrix is computed once for the indices that it depends
on, and a sum of products over one index is a matrix product.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from math import prod
from typing import Any

import sympy as sp
from flint import arb_mat, ctx, fmpq, fmpq_mat

from symnet.core.axes import Range
from symnet.core.balls import hull, times
from symnet.core.expressions import When, entries, free_integers, limits, of_data
from symnet.core.functions import stop_gradient
from symnet.core.index_evaluation import holds, integer, no_integer
from symnet.core.linear import Square
from symnet.core.matrices import Grid, InverseEntry, Rows
from symnet.core.numbers import Number, as_ball, bounded, compute, decide
from symnet.core.program import Definition, Program, is_size
from symnet.core.schedule import Block, schedule
from symnet.core.tensors import entry_indices, tensor_name
from symnet.errors import SymnetError, UnknownNodeError

Place = tuple[int, ...]
Table = dict[Place, Number]
Places = dict[sp.Symbol, int]  # sizes and indices -> whole numbers
Key = tuple[sp.Basic, Place]  # a part of a right side, and the values of its indices
MATRIX = 64  # products of two numbers from which on a sum is done as a matrix product


class Plan:
    """What tabulating a program at fixed sizes needs, whatever the point and the precision."""

    def __init__(self, program: Program, sizes: Mapping[sp.Symbol, sp.Expr]) -> None:
        self.program = program
        self.sizes: Places = {s: int(n) for s, n in sizes.items()}
        self._free: dict[sp.Basic, tuple[sp.Symbol, ...]] = {}
        self._integers: dict[sp.Basic, frozenset[sp.Symbol]] = {}
        self._whole: dict[Key, int] = {}
        self._true: dict[Key, bool] = {}
        self._spans: dict[int, dict[sp.Symbol, range]] = {}

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The lines in an order in which they can be computed."""
        return schedule(self.program)

    @cached_property
    def block_of(self) -> dict[str, list[int]]:
        """The numbers of the blocks that define a tensor."""
        found: dict[str, list[int]] = {}
        for k, block in enumerate(self.blocks):
            for name in dict.fromkeys(d.name for d in block.definitions):
                found.setdefault(name, []).append(k)
        return found

    def needed(self, name: str) -> list[int]:
        """The blocks to be computed for ``name``, in order."""
        seen, stack = {name}, [name]
        while stack:
            for used in self.program.uses(stack.pop()):
                if used not in seen:
                    seen.add(used)
                    stack.append(used)
        return sorted({k for n in seen for k in self.block_of.get(n, ())})

    def indices(self, node: sp.Basic) -> tuple[sp.Symbol, ...]:
        """The indices that ``node`` depends on."""
        if node not in self._free:
            found = free_integers(node, self._integers)
            self._free[node] = tuple(sorted((s for s in found if not is_size(s)), key=lambda s: (str(s), s.sort_key())))
        return self._free[node]

    def key(self, node: sp.Basic, at: Places) -> Key:
        """The part ``node`` at the place where it is looked at."""
        try:
            return node, tuple(at[s] for s in self.indices(node))
        except KeyError as missing:
            raise no_integer(missing) from None

    def whole(self, expr: sp.Expr, at: Places) -> int:
        """The value of an index or size expression."""
        if expr.is_Symbol:
            if expr not in at:
                raise no_integer(expr)
            return at[expr]
        if expr.is_Integer:
            return int(expr)
        key = self.key(expr, at)
        if key not in self._whole:
            self._whole[key] = integer(expr, self._env(expr, at))
        return self._whole[key]

    def true(self, condition: sp.Basic, at: Places) -> bool:
        """The truth of a condition on indices and sizes."""
        key = self.key(condition, at)
        if key not in self._true:
            self._true[key] = holds(condition, self._env(condition, at))
        return self._true[key]

    def _env(self, node: sp.Basic, at: Places) -> dict[sp.Symbol, sp.Expr]:
        return {s: sp.Integer(at[s]) for s in node.free_symbols if s in at}

    def span(self, bounds: Range, at: Places) -> range:
        """The places from first to last, both included."""
        return range(self.whole(bounds[0], at), self.whole(bounds[1], at) + 1)

    def spans(self, d: Definition) -> dict[sp.Symbol, range]:
        """The free indices of a line and where they run."""
        if id(d) not in self._spans:
            self._spans[id(d)] = {i: self.span(bounds, self.sizes) for i, bounds in d.free.items()}
        return self._spans[id(d)]

    def visits(self, d: Definition, at: Mapping[int, int] | None = None) -> Iterator[tuple[Place, Places]]:
        """Every place that a line defines, with the values of its indices; ``at`` fixes places of some axes."""
        spans = dict(self.spans(d))
        for axis, value in (at or {}).items():
            i = d.indices[axis]
            if i not in spans:
                if self.whole(i, self.sizes) != value:
                    return
            else:
                spans[i] = range(value, value + 1) if value in spans[i] else range(0)
        for values in itertools.product(*spans.values()):
            inner = {**self.sizes, **dict(zip(spans, values, strict=True))}
            yield tuple(self.whole(i, inner) for i in d.indices), inner

    def visit(self, name: str, place: Place) -> tuple[Definition, Places] | None:
        """The line that defines an entry, with the values of its indices; None for an input."""
        for d in self.program.by_name.get(name, ()):
            spans, at = self.spans(d), dict(self.sizes)
            for i, p in zip(d.indices, place, strict=True):
                if i in spans:
                    at[i] = p
            if all(at[i] in s for i, s in spans.items()) and all(self.whole(i, at) == p for i, p in zip(d.indices, place, strict=True)):
                return d, at
        return None

    def in_order(self, block: Block, at: Mapping[str, Mapping[int, int]] | None = None) -> Iterator[tuple[Definition, Place, Places]]:
        """Every place of a block, in an order in which they can be computed; ``at`` are the places of the loops around it, by name."""
        at = at or {}
        if block.definition is not None:
            yield from ((block.definition, place, inner) for place, inner in self.visits(block.definition, at.get(block.definition.name)))
            return
        spans = [(self.whole(low, self.sizes), self.whole(high, self.sizes)) for low, high in block.turns()]
        low, high = min(s[0] for s in spans), max(s[1] for s in spans)
        for turn in range(low, high + 1) if block.ascending else range(high, low - 1, -1):
            here = {**at, **{name: {**at.get(name, {}), axis: turn + shift} for name, axis, shift in block.along}}
            for step in block.steps:
                yield from self.in_order(step, here)

    def scopes(self, block: Block, stepped: frozenset[tuple[str, int]] = frozenset()) -> dict[Definition, dict[sp.Symbol, range]]:
        """For each line of a block the indices that it runs over at once: all but those that the loops around it step along."""
        if block.definition is not None:
            d = block.definition
            steps = {d.indices[axis] for name, axis in stepped if name == d.name}
            return {d: {i: span for i, span in self.spans(d).items() if i not in steps}}
        around = stepped | {(name, axis) for name, axis, _ in block.along}
        return {d: scope for step in block.steps for d, scope in self.scopes(step, around).items()}

    def work(self) -> int:
        """About how many products and functions one computation of every line takes; no computation is made to find out."""
        return sum(prod(map(len, self.spans(d).values())) + sum(self._work(n, self.spans(d)) for n in d.expr.atoms(sp.Sum, Grid))
                   for d in self.program.definitions)

    def _work(self, node: sp.Expr, spans: Mapping[sp.Symbol, range]) -> int:
        far = {i: span[-1] for i, span in spans.items() if span} | self.sizes
        outer = [len(spans[i]) for i in self.indices(node) if i in spans]
        ends = [(lo, hi) for _, lo, hi in limits(node) if all(s in far for s in lo.free_symbols | hi.free_symbols)]
        return prod(outer) * prod(len(self.span(bounds, far)) for bounds in ends)


class Numbers:
    """The numbers of a program at one point, at a working precision of ``bits``, each array computed when it is asked for.

    ``settled`` are parts of right sides whose value is known by other means, a proof. ``watch`` is told what was computed on the way to
    a number, and says whether it has learned something since, so that it should be computed again. ``still`` are the numbers that
    what stands in a stop-gradient keeps.
    """

    def __init__(self, plan: Plan, inputs: Mapping[str, Table], bits: int, settled: Mapping[Key, Number] | None = None,
                 watch: Callable[[dict[Any, Number], Places], bool] | None = None, still: Numbers | None = None) -> None:
        self.still = still
        self.plan, self.bits, self.watch = plan, bits, watch
        self.settled: Mapping[Key, Number] = {} if settled is None else settled
        self.tables: dict[str, Table] = dict(inputs)
        self.parts: dict[Key, Any] = {}  # sums and matrices, by the indices that they depend on
        self.single: set[sp.Expr] = set()  # sums that are no matrix products
        self.done: set[int] = set()

    def table(self, name: str) -> Table:
        """The numbers of an array by place."""
        if any(k not in self.done for k in self.plan.block_of.get(name, ())):
            with ctx.workprec(self.bits):
                for k in self.plan.needed(name):
                    if k not in self.done:
                        self._run(self.plan.blocks[k])
                        self.done.add(k)
        return self.tables[name]

    def _run(self, block: Block) -> None:
        scopes = self.plan.scopes(block)
        for d in scopes:
            self.tables.setdefault(d.name, {})
        for d, place, at in self.plan.in_order(block):
            self.tables[d.name][place] = self.value(d.expr, Here(self, at, scopes[d]))

    def value(self, expr: sp.Expr, here: Here) -> Number:
        """The value of an expression at a place."""
        while True:
            known: dict[Any, Number] = {}
            found = compute(expr, here, known)
            if self.watch is None or not self.watch(known, here.at):
                return found


class Here(Mapping[Any, Number]):
    """What stands at one place of a line, for ``compute``: entries, indices and sizes, sums, matrices and brackets.

    ``scope`` are the indices over which the whole line runs, for sums that are matrix products.
    """

    __slots__ = ("at", "numbers", "scope")

    def __init__(self, numbers: Numbers, at: Places, scope: Mapping[sp.Symbol, range]) -> None:
        self.numbers, self.at, self.scope = numbers, at, scope

    def __contains__(self, node: object) -> bool:
        return isinstance(node, LOOKED_UP) or (
            bool(self.numbers.settled) and isinstance(node, sp.Basic) and self.numbers.plan.key(node, self.at) in self.numbers.settled)

    def __getitem__(self, node: Any) -> Number:
        if self.numbers.settled:
            key = self.numbers.plan.key(node, self.at)
            if key in self.numbers.settled:
                return self.numbers.settled[key]
        for kind, rule in HERE.items():
            if isinstance(node, kind):
                return rule(self, node)
        raise KeyError(node)

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def inside(self, indices: tuple[sp.Symbol, ...], values: tuple[int, ...]) -> Here:
        """The same place with the values of more indices."""
        return Here(self.numbers, {**self.at, **dict(zip(indices, values, strict=True))}, self.scope)

    def held(self, node: Any) -> Number:
        """What stands in a stop-gradient has the value that it has with nothing moved."""
        source = self.numbers.still
        if source is None:
            return compute(node.args[0], self)
        for e in entries(node.args[0]):
            source.table(tensor_name(e))  # made when it is asked for
        return compute(node.args[0], Here(source, self.at, self.scope))

    def entry(self, node: Any) -> Number:
        """The number of an entry."""
        place = tuple([self.numbers.plan.whole(e, self.at) for e in entry_indices(node)])
        table = self.numbers.tables.get(tensor_name(node), {})
        if place not in table:
            raise UnknownNodeError("value", f"no value for {tensor_name(node)} at {list(place)}", "a value for every entry")
        return table[place]

    def symbol(self, node: Any) -> Number:
        """The number of a scalar, an index or a size."""
        return fmpq(self.at[node]) if node in self.at else self.entry(node)

    def _kept(self, node: Any, make: Callable[[Any], Any]) -> Any:
        key = self.numbers.plan.key(node, self.at)
        if key not in self.numbers.parts:
            found = make(node)
            self.numbers.parts.setdefault(key, found)  # a matrix product fills in the others too
        return self.numbers.parts[key]

    def total(self, node: Any) -> Number:
        """A sum."""
        return self._kept(node, self._total)

    def _total(self, node: Any) -> Number:
        product = self._product(node)
        if product is not None:
            return product
        over = limits(node)
        indices = tuple(i for i, _, _ in over)
        found: Number = fmpq(0)
        for values in itertools.product(*[self.numbers.plan.span((lo, hi), self.at) for _, lo, hi in over]):
            found = found + self.numbers.value(node.function, self.inside(indices, values))
        return bounded(found)

    def _product(self, node: Any) -> Number | None:
        """The sum by one matrix product for all places of the line; None where it is no product, or a short one."""
        if node in self.numbers.single:
            return None
        split = two_factors(node, frozenset(self.scope), self.numbers.plan)
        if split is None:
            self.numbers.single.add(node)
            return None
        (left, rows), (right, columns) = split
        (k, lo, hi), = limits(node)
        inner = self.numbers.plan.span((lo, hi), self.at)
        down, across = (list(itertools.product(*[self.scope[i] for i in side])) for side in (rows, columns))
        if len(down) * len(across) * len(inner) < MATRIX:
            self.numbers.single.add(node)
            return None
        try:
            a = [[self.numbers.value(left, self.inside((*rows, k), (*r, p))) for p in inner] for r in down]
            b = [[self.numbers.value(right, self.inside((*columns, k), (*c, p))) for c in across] for p in inner]
        except SymnetError:  # an entry that is not there, or has no value, where nobody asked for it
            self.numbers.single.add(node)
            return None
        made = _times(a, b)
        for r, values in zip(down, made, strict=True):
            for c, value in zip(across, values, strict=True):
                self.numbers.parts[self.numbers.plan.key(node, self.inside((*rows, *columns), (*r, *c)).at)] = value
        return self.numbers.parts[self.numbers.plan.key(node, self.at)]

    def square(self, node: Any) -> Any:
        """A matrix of numbers."""
        return self._kept(node, self._square)

    def _square(self, node: Any) -> Square:
        if isinstance(node, Rows):
            return Square(*[self.numbers.value(a, self) for a in node.args])
        over = limits(node)
        places = itertools.product(*[self.numbers.plan.span((lo, hi), self.at) for _, lo, hi in over])
        return Square(*[self.numbers.value(node.function, self.inside(tuple(i for i, _, _ in over), p)) for p in places])

    def inverse(self, node: Any) -> Number:
        """An entry of the inverse of a matrix."""
        if isinstance(node.matrix, Rows):
            return self.square(node.matrix).inverse_at(*[fmpq(int(p)) for p in node.places])
        first = [lo for _, lo, _ in reversed(limits(node.matrix))]
        places = [fmpq(self.numbers.plan.whole(p, self.at) - self.numbers.plan.whole(lo, self.at) + 1)
                  for p, lo in zip(node.places, first, strict=True)]
        return self.square(node.matrix).inverse_at(*places)

    def bracket(self, node: Any) -> Number:
        """The body where the condition holds, else 0; their hull where the numbers leave it open."""
        plan, parts = self.numbers.plan, sp.And.make_args(node.condition)
        if not all(plan.true(p, self.at) for p in parts if not of_data(p)):
            return fmpq(0)
        truth = decide(sp.And(*[p for p in parts if of_data(p)], evaluate=False), self, {})
        if truth is False:
            return fmpq(0)
        body = self.numbers.value(node.body, self)
        return body if truth else hull(body, fmpq(0))

    def number(self, node: Any) -> Number:
        """A function of indices and sizes alone."""
        return compute(node.xreplace({s: sp.Integer(v) for s, v in self.at.items()}), {})


def two_factors(node: Any, scope: frozenset[sp.Symbol], plan: Plan) -> tuple[tuple[sp.Expr, tuple[sp.Symbol, ...]], ...] | None:
    """Σ_k a[i, k] b[k, j] as two factors, each with the indices of the line that it alone depends on; None for any other sum."""
    if len(node.limits) != 1 or not isinstance(node.function, sp.Mul):
        return None
    groups: list[tuple[list[sp.Expr], set[sp.Symbol]]] = []
    for factor in node.function.args:
        mine, own = [factor], {i for i in plan.indices(factor) if i in scope}
        apart = []
        for others, theirs in groups:
            if theirs & own:
                mine, own = others + mine, own | theirs
            else:
                apart.append((others, theirs))
        groups = [*apart, (mine, own)]
    with_indices = [g for g in groups if g[1]]
    if len(with_indices) < 2:
        return None
    first = with_indices[0]
    rest = [g for g in groups if g is not first]
    there = sp.Mul(*[f for g in rest for f in g[0]], evaluate=False)
    return ((sp.Mul(*first[0], evaluate=False), tuple(sorted(first[1], key=str))),
            (there, tuple(sorted({i for g in rest for i in g[1]}, key=str))))


def _times(a: list[list[Number]], b: list[list[Number]]) -> list[list[Number]]:
    """The product of two matrices, exact where all entries are."""
    made: Any
    if all(isinstance(x, fmpq) for m in (a, b) for row in m for x in row):
        made = fmpq_mat(len(a), len(b), [x for row in a for x in row]) * fmpq_mat(len(b), len(b[0]), [x for row in b for x in row])
        return [[bounded(made[i, j]) for j in range(len(b[0]))] for i in range(len(a))]
    made = arb_mat([[as_ball(x) for x in row] for row in a]) * arb_mat([[as_ball(x) for x in row] for row in b])
    columns = list(zip(*b, strict=True))
    left, right = [_balls(row) for row in a], [_balls(column) for column in columns]
    return [[_dot(row, column) if balls & ~zeros_there == 0 and balls_there & ~zeros == 0 else bounded(made[i, j])
             for j, (column, (balls_there, zeros_there)) in enumerate(zip(columns, right, strict=True))]
            for i, (row, (balls, zeros)) in enumerate(zip(a, left, strict=True))]


def _balls(numbers: Sequence[Number]) -> tuple[int, int]:
    """Which of some numbers are balls, and which are exactly 0 and make a ball beside them 0: a bit for each."""
    finite = all(isinstance(x, fmpq) or x.is_finite() for x in numbers)
    balls = sum(1 << k for k, x in enumerate(numbers) if not isinstance(x, fmpq))
    return (balls, sum(1 << k for k, x in enumerate(numbers) if isinstance(x, fmpq) and x == 0)) if finite else (-1, 0)


def _dot(row: Sequence[Number], column: Sequence[Number]) -> Number:
    """The sum of the products, each exact."""
    found: Number = fmpq(0)
    for x, y in zip(row, column, strict=True):
        found = found + times(x, y)
    return bounded(found)


HERE: dict[type, Callable[[Here, Any], Any]] = {
    stop_gradient: Here.held, sp.Indexed: Here.entry, sp.Symbol: Here.symbol, sp.Sum: Here.total, When: Here.bracket,
    Grid: Here.square, Rows: Here.square, InverseEntry: Here.inverse, sp.Mod: Here.number, sp.ceiling: Here.number}
LOOKED_UP = tuple(HERE)
