"""The order of computation: definitions one by one, and loops where tensors depend on other places of themselves.

A recurrence is a strongly connected component of the graph of uses between slices. Along an axis with a direction, a use of the
entry u[e] in the definition of v[i] reaches back by e - i; the axis may be a loop when no use of the component reaches ahead
(tensors may run a fixed number of places behind one another). Uses that reach back by one place or more are then served by an
earlier turn of the loop; what is left of the component is ordered inside the loop in the same way, along another axis. The
order is thus lexicographic over axes, found for each component on its own, and whatever is no loop axis stays whole.
Source: Karp, Miller & Winograd 1967; Allen & Kennedy 1987 (loop distribution by components, level by level).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

import sympy as sp

from symnet.core.axes import Kind, Range, at_most
from symnet.core.expressions import BINDERS, When, limits
from symnet.core.guards import Guards, spans
from symnet.core.tensors import entry_indices, tensor_name
from symnet.errors import NameError_

if TYPE_CHECKING:
    from symnet.core.program import Definition, Program

Key = TypeVar("Key", int, str)
MOST_ASSIGNMENTS, MOST_REASONS = 64, 40  # choices of axes that are compared; ranges looked at for one distance


@dataclass(frozen=True, slots=True)
class Block:
    """One definition, or a loop that goes through ``steps`` in order at every turn.

    At the turn v of a loop each tensor of it stands at the place v + shift of one axis: ``along`` gives, by name, the position of
    the axis and the shift. The turns go up when ``ascending``. Inside, ``steps`` are blocks again, each at that place.
    """

    definition: Definition | None = None
    steps: tuple[Block, ...] = ()
    along: tuple[tuple[str, int, int], ...] = ()
    ascending: bool = True

    @property
    def is_loop(self) -> bool:
        """True when the block steps along an axis."""
        return bool(self.steps)

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """All definitions of the block, in the order of one turn."""
        return (self.definition,) if self.definition is not None else tuple(d for s in self.steps for d in s.definitions)

    def turns(self) -> tuple[Range, ...]:
        """The turns at which each definition has a place, first and last, definition by definition."""
        where = {name: (axis, shift) for name, axis, shift in self.along}
        found = []
        for d in self.definitions:
            axis, shift = where[d.name]
            low, high = d.slice()[axis]
            found.append((sp.expand(low - shift), sp.expand(high - shift)))
        return tuple(found)

    def replaced(self, there: Mapping[Definition, Definition]) -> Block:
        """The same order for other right sides."""
        if self.definition is not None:
            return Block(there.get(self.definition, self.definition))
        return Block(None, tuple(s.replaced(there) for s in self.steps), self.along, self.ascending)


@dataclass(frozen=True, slots=True)
class Use:
    """One use of the slice number ``used`` in the definition number ``user``: how far along each pair of axes it may reach."""

    user: int
    used: int
    here: tuple[sp.Expr, ...]
    there: tuple[sp.Expr, ...]
    ranges: Mapping[sp.Symbol, Range]
    guards: Guards

    def reach(self, own: int, other: int, ahead: int) -> int | None:
        """The most that the used entry lies ahead (in the direction ``ahead``, 1 or -1) along these axes; None when no bound is shown."""
        gap = sp.expand(ahead * (self.there[other] - self.here[own]))
        return int(gap) if gap.is_Integer else _most(gap, *_facts(self.ranges, self.guards))

    def level(self, own: int, other: int, distance: int) -> Use:
        """The same use where it reaches exactly this far: what an earlier turn of a loop does not serve."""
        gap = sp.expand(self.there[other] - self.here[own])
        if not gap.free_symbols & set(self.ranges):
            return self
        known = Guards({**self.guards.ranges, gap: (sp.Integer(distance), sp.Integer(distance))}, self.guards.whole,
                       self.guards.least)
        return Use(self.user, self.used, self.here, self.there, self.ranges, known)


Facts = tuple[tuple[tuple[sp.Symbol, Range], ...], tuple[tuple[sp.Expr, Range], ...], tuple[sp.Expr, ...]]


def _facts(ranges: Mapping[sp.Symbol, Range], guards: Guards) -> Facts:
    """What is known of indices, as a key: a derivation asks again for the order of the lines that it adds to."""
    return tuple(ranges.items()), tuple(guards.ranges.items()), guards.whole


@lru_cache(4096)
def _most(gap: sp.Expr, ranges: tuple[tuple[sp.Symbol, Range], ...], guaranteed: tuple[tuple[sp.Expr, Range], ...],
          whole: tuple[sp.Expr, ...]) -> int | None:
    """The least bound above ``gap`` that is shown, for all sizes; a negative one is good enough."""
    best: int | None = None
    for _, high in itertools.islice(spans(gap, dict(ranges), Guards(dict(guaranteed), whole)), MOST_REASONS):
        bound = _integer_above(high)
        if bound is not None and (best is None or bound < best):
            best = bound
        if best is not None and best < 0:
            break
    return best


def schedule(program: Program) -> tuple[Block, ...]:
    """The blocks of ``program`` in an order in which they can be computed; raises NameError_ when there is none."""
    kept: tuple[Block, ...] | None = program.__dict__.get("_schedule")
    if kept is None:
        kept = program.__dict__["_schedule"] = tuple(_blocks(program))
    return kept


def go_on(program: Program, begun: Program, new: Mapping[str, tuple[Definition, ...]]) -> None:
    """Keep the order of ``begun`` for a program that only has ``new`` tensors behind it, each of names before its own."""
    known = set(begun.tensors)
    for name in new:
        if not known.issuperset(program.uses(name)):
            return
        known.add(name)
    program.__dict__["_schedule"] = (*schedule(begun), *[Block(d) for pieces in new.values() for d in pieces])


def _blocks(program: Program) -> Iterator[Block]:
    names = list(program.by_name)
    line = {name: k for k, name in enumerate(names)}
    graph = {name: [u for u in program.uses(name) if u in line] for name in names}
    for group in components(graph):
        if len(group) > 1 or graph[next(iter(group))].count(next(iter(group))):
            lines = [d for d in program.definitions if d.name in group]
            yield from _Order(program, lines).blocks()
            continue
        name = next(iter(group))
        late = [u for u in graph[name] if line[u] > line[name]]
        if late:
            raise NameError_(f"definition of {name}", f"uses {late[0]!r} before it is named", "a name from above")
        for d in program.by_name[name]:
            yield Block(d)


class _Order:
    """The order of the slices of tensors that use one another."""

    def __init__(self, program: Program, lines: list[Definition]) -> None:
        self.lines = lines
        self.kinds = {d.name: [a.kind in (Kind.TIME, Kind.DEPTH) for a in d.target.axes] for d in lines}
        slices: dict[str, list[int]] = {}
        for k, d in enumerate(lines):
            slices.setdefault(d.name, []).append(k)
        self.uses = [Use(k, m, d.indices, entry_indices(entry), ranges, guards)
                     for k, d in enumerate(lines) for entry, ranges, guards in _entries(d.expr, d.free, Guards())
                     for m in slices.get(tensor_name(entry), ()) if _may_meet(entry, ranges, guards, lines[m])]

    def blocks(self) -> list[Block]:
        """All slices in order."""
        return self._ordered(list(range(len(self.lines))), self.uses, frozenset())

    def _ordered(self, nodes: list[int], uses: list[Use], taken: frozenset[tuple[str, int]]) -> list[Block]:
        """``taken`` are the axes (name and position) of the loops around."""
        graph: dict[int, list[int]] = {k: [] for k in nodes}
        for use in uses:
            if use.used not in graph[use.user]:
                graph[use.user].append(use.used)
        made = []
        for group in components(graph):
            first = next(iter(group))
            if len(group) == 1 and first not in graph[first]:
                made.append(Block(self.lines[first]))
            else:
                inner = [u for u in uses if u.user in group and u.used in group]
                made.append(self._loop([k for k in nodes if k in group], inner, taken))
        return made

    def _loop(self, nodes: list[int], uses: list[Use], taken: frozenset[tuple[str, int]]) -> Block:
        """A loop along the axis and in the direction that serves most uses; then the order inside it."""
        best: tuple[tuple[int, int, int, int], dict[str, int], dict[str, int], int, list[bool]] | None = None
        for ahead in (1, -1):
            for axes, reaches in itertools.islice(self._assignments(nodes, uses, taken, ahead), MOST_ASSIGNMENTS):
                late = _delays({self.lines[k].name for k in nodes},
                               [(self.lines[u.user].name, self.lines[u.used].name, r) for u, r in zip(uses, reaches, strict=True)])
                if late is None:
                    continue
                served = [r + late[self.lines[u.used].name] - late[self.lines[u.user].name] < 0 for u, r in zip(uses, reaches, strict=True)]
                marked = sum(self.kinds[name][axis] for name, axis in axes.items())
                rank = (sum(served), marked, ahead, -sum(axes.values()))
                if any(served) and (best is None or rank > best[0]):
                    best = (rank, axes, late, ahead, served)
        if best is None:
            raise self._refusal(nodes, uses, taken)
        _, axes, late, ahead, served = best
        left = [u.level(axes[self.lines[u.user].name], axes[self.lines[u.used].name],
                        ahead * (late[self.lines[u.user].name] - late[self.lines[u.used].name]))
                for u, done in zip(uses, served, strict=True) if not done]
        steps = self._ordered(nodes, left, taken | set(axes.items()))
        return Block(None, tuple(steps), tuple((name, axis, -ahead * late[name]) for name, axis in axes.items()), ahead == 1)

    def _assignments(self, nodes: list[int], uses: list[Use], taken: frozenset[tuple[str, int]],
                     ahead: int) -> Iterator[tuple[dict[str, int], list[int]]]:
        """Every choice of one axis for each tensor along which no use reaches ahead without bound, with the reaches of the uses."""
        names = list(dict.fromkeys(self.lines[k].name for k in nodes))
        known: dict[tuple[int, int, int], int | None] = {}

        def reach(number: int, axes: Mapping[str, int]) -> int | None:
            use = uses[number]
            key = (number, axes[self.lines[use.user].name], axes[self.lines[use.used].name])
            if key not in known:
                known[key] = use.reach(key[1], key[2], ahead)
            return known[key]

        def extend(axes: dict[str, int]) -> Iterator[dict[str, int]]:
            if len(axes) == len(names):
                yield axes
                return
            name = names[len(axes)]
            for axis in range(len(self.kinds[name])):
                more = {**axes, name: axis}
                if (name, axis) not in taken and all(
                        reach(n, more) is not None for n, u in enumerate(uses)
                        if {self.lines[u.user].name, self.lines[u.used].name} <= set(more)
                        and name in (self.lines[u.user].name, self.lines[u.used].name)):
                    yield from extend(more)

        for axes in extend({}):
            found = [reach(n, axes) for n in range(len(uses))]
            yield axes, [r for r in found if r is not None]

    def _refusal(self, nodes: list[int], uses: list[Use], taken: frozenset[tuple[str, int]]) -> NameError_:
        """Why there is no order, in one line."""
        where = f"definition of {self.lines[nodes[0]].name}"
        here = [u for u in uses if len(u.here) == len(u.there)
                and all(sp.expand(a - b) == 0 for a, b in zip(u.here, u.there, strict=True))]
        graph: dict[int, list[int]] = {k: [u.used for u in here if u.user == k] for k in nodes}
        for group in components(graph):
            first = min(group)
            if len(group) > 1 or first in graph[first]:
                d = self.lines[first]
                return NameError_(f"definition of {d.name}", f"uses {self.lines[graph[first][0]].name!r} at the same place before it is "
                                  "defined", "an earlier place, such as t-1")
        for ahead in (1, -1):
            if next(self._assignments(nodes, uses, taken, ahead), None) is None:
                break
        else:
            return NameError_(where, "a recurrence that looks both back and ahead", "one direction along some axis")
        use = uses[0]
        return NameError_(where, f"uses {self.lines[use.used].name!r} before it is named: along no axis does every use look back",
                          "a name from above, or an earlier place along one axis")


def _entries(expr: sp.Basic, ranges: Mapping[sp.Symbol, Range],
             guards: Guards) -> Iterator[tuple[sp.Expr, Mapping[sp.Symbol, Range], Guards]]:
    """Every entry used, with the ranges of the indices in scope and what the brackets around it guarantee."""
    if isinstance(expr, (sp.Indexed, sp.Symbol)):
        if isinstance(expr, sp.Indexed) or expr.is_integer is not True:
            yield expr, ranges, guards
    elif isinstance(expr, BINDERS):
        yield from _entries(expr.function, {**ranges, **{i: (lo, hi) for i, lo, hi in limits(expr)}}, guards)
    elif isinstance(expr, When):
        yield from _entries(expr.condition, ranges, guards)
        yield from _entries(expr.body, ranges, guards.under(expr.condition, ranges))
    else:
        for arg in expr.args:
            yield from _entries(arg, ranges, guards)


def _may_meet(entry: sp.Expr, ranges: Mapping[sp.Symbol, Range], guards: Guards, slice_: Definition) -> bool:
    """True unless the entries are shown to lie outside the slice along some axis."""
    facts = _facts(ranges, guards)
    return not any(_apart(place, end, *facts) for place, end in zip(entry_indices(entry), slice_.slice(), strict=True))


@lru_cache(4096)
def _apart(place: sp.Expr, slice_: Range, ranges: tuple[tuple[sp.Symbol, Range], ...], guaranteed: tuple[tuple[sp.Expr, Range], ...],
           whole: tuple[sp.Expr, ...]) -> bool:
    """True where ``place`` is shown to lie outside the range."""
    found = itertools.islice(spans(place, dict(ranges), Guards(dict(guaranteed), whole)), MOST_REASONS)
    return any(at_most(last + 1, slice_[0]) or at_most(slice_[1] + 1, first) for first, last in found)


def _delays(names: set[str], reaches: Iterable[tuple[str, str, int]]) -> dict[str, int] | None:
    """How many turns each tensor runs behind the first, so that no use reaches ahead; None when a cycle of uses does (Bellman 1958)."""
    late = dict.fromkeys(names, 0)
    edges = list(reaches)
    for _ in range(len(names) + 1):
        changed = False
        for user, used, reach in edges:
            if late[used] + reach > late[user]:
                late[user], changed = late[used] + reach, True
        if not changed:
            return late
    return None


def _integer_above(expr: sp.Expr) -> int | None:
    """The least integer shown to be at least ``expr``, a polynomial in sizes, for all sizes; None when there is none."""
    if any(not (s.is_integer and s.is_positive) for s in expr.free_symbols):
        return None
    rest, constant = sp.S.Zero, sp.S.Zero
    for term in sp.Add.make_args(sp.expand(expr.xreplace({s: s + 1 for s in expr.free_symbols}))):
        if term.is_number:
            constant += term
        else:
            rest += term
    if not all(term.as_coeff_Mul()[0] <= 0 for term in sp.Add.make_args(rest)):
        return None
    return int(sp.floor(constant)) if constant.is_Rational else None


def components(graph: Mapping[Key, list[Key]]) -> list[set[Key]]:
    """Strongly connected components, each after those it uses (Tarjan 1972, written without recursion)."""
    low: dict[Key, int] = {}
    number: dict[Key, int] = {}
    stack: list[Key] = []
    found: list[set[Key]] = []
    on_stack: set[Key] = set()
    for root in graph:
        if root in number:
            continue
        work: list[tuple[Key, Iterator[Key]]] = [(root, iter(graph[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            child = next(rest, None)
            if child is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    found.append(_pop(stack, on_stack, node))
            elif child not in number:
                number[child] = low[child] = len(number)
                stack.append(child)
                on_stack.add(child)
                work.append((child, iter(graph[child])))
            elif child in on_stack:
                low[node] = min(low[node], number[child])
    return found


def _pop(stack: list[Key], on_stack: set[Key], node: Key) -> set[Key]:
    group = set()
    while True:
        top = stack.pop()
        on_stack.discard(top)
        group.add(top)
        if top == node:
            return group
