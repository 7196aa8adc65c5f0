"""A graph as a Program: which results get a name and a line of their own, and which stay inside the line that uses them.

Named are: what is used twice, weighted sums before an activation (z1, z2, …), activations (a1, …), softmax shares (p1, …), what enters a
product that is summed, and the output. A line never holds a sum inside a product inside a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.expressions import When, as_written, entries, substitute
from symnet.core.matrices import Det, Grid, InverseEntry
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role, Tensor, tensor_name
from symnet.errors import UnknownNodeError
from symnet.indexing import index_array as vs
from symnet.indexing import places as at
from symnet.indexing.conditions import NOUGHT, Barred, whole
from symnet.indexing.entrywise import ACTIVATIONS, LINEAR, MAPS, Top, is_exp_sum, marked
from symnet.indexing.graph import MOVES, Graph, Op, unsupported
from symnet.indexing.index_array import Dim, IndexArray
from symnet.indexing.line_names import letter_of, lettered
from symnet.indexing.recurrences import Recurrences
from symnet.indexing.reshaping import reshape


class GraphLowering:
    """Writes the lines of one graph; ``output`` is the node that comes last, ``named`` are nodes that get a line by that name, or by
    one that is made. Used once."""

    def __init__(self, graph: Graph, output: int, name: str, named: Mapping[int, str] | None = None) -> None:
        self.graph, self.output, self.name, self.named = graph, output, name, named or {}
        self.uses = graph.uses(output)
        self.inputs = [Tensor(i.name, i.axes, "index" if i.domain == "bool" else i.domain, i.role, note=i.note) for i in graph.inputs]
        sizes = {str(s) for t in self.inputs for e in t.shape for s in e.free_symbols}
        self.declared = {t.name for t in self.inputs} | {name} | {n for n in self.named.values() if n} | sizes
        self.folded: frozenset[int] = frozenset()  # the maxima that did not cancel: each is taken for itself
        self._start()

    def _start(self) -> None:
        self.taken = set(self.declared)
        self.recurrences = Recurrences(self.taken)
        self.values: dict[int, IndexArray] = {}
        self.lines: list[Definition] = []
        self.count: dict[str, int] = {}
        self.classes: dict[str, sp.Expr] = {}
        self.tops: dict[tuple[int, tuple[int, ...]], int] = {}  # the same maximum, with its axis kept or not, is one mark
        self.states: dict[tuple[int, int], Tensor] = {}  # of recurrences

    def program(self, title: str = "") -> Program:
        """The program whose last line is the output."""
        with as_written():
            while True:
                try:
                    left = self._written()
                except UnknownNodeError:  # perhaps for the mark of a maximum that would not have cancelled
                    left = frozenset(self.tops.values()) - self.folded
                    if not left:
                        raise
                if not left:
                    break
                self.folded |= left
                self._start()
            said = {n: c for n, c in self.classes.items() if c is not sp.S.NaN}
            used = {self.graph.inputs[op.more[0]].name for op in map(self.graph.ops.__getitem__, self.graph.needed(self.output))
                    if op.kind == "input"}
            inputs = (replace(t, classes=said.get(t.name)) if t.domain == "index" else t for t in self.inputs
                      if t.role is not Role.CONSTANT or t.name in used)
            return Program(tuple(inputs), lettered(self.inputs, self.lines), self.name, (), title)

    def _written(self) -> frozenset[int]:
        """Every line, and the maxima that no line has cancelled."""
        for k in self.graph.needed(self.output):
            op = self.graph.ops[k]
            self.values[k] = getattr(self, f"_{op.kind}")(k, op)
            if self.named.get(k) and isinstance(self.values[k].expr, sp.Expr) and not marked(self.values[k].expr):
                self.values[k] = self._line(self.values[k], self.named[k])
            elif k in self.named or self._wants_name(k, op):
                self._give_name(k)
        return self._finish()

    # One method a kind of operation.

    def _input(self, k: int, op: Op) -> IndexArray:
        tensor = self.inputs[op.more[0]]
        dims = vs.of_axes(tensor.axes)
        entry = tensor[tuple(d.place for d in dims)]
        if self.graph.inputs[op.more[0]].domain == "bool":  # 1 for true, 0 for false
            self._classes(tensor.name, sp.Integer(2))
            return IndexArray(dims, sp.Ne(entry, 0))
        return IndexArray(dims, entry)

    def _unread(self, k: int, op: Op) -> IndexArray:
        raise unsupported(f"the operation {op.more[0]!r}", op.where)

    def _number(self, k: int, op: Op) -> IndexArray:
        return IndexArray((), op.more[0])

    def _map(self, k: int, op: Op) -> IndexArray:
        function, *numbers = op.more
        if function not in LINEAR:
            for a in op.args:
                if self._has_sum(a) and not (function in ("log", "abs") and self._is_exp_sum(a)):
                    self._give_name(a)
        if function == "mul":
            self._name_factors(op.args)
        dims, found = vs.align(self._plain(op.args), op.where)
        return IndexArray(dims, MAPS[function](*[e.xreplace({NOUGHT: sp.S.Zero}) for e in found], *numbers))

    def _plain(self, args: tuple[int, ...]) -> list[IndexArray]:
        """The values of an entrywise function; an axis that a reshape grouped and that meets a whole one gets a line with one index."""
        found = [self.values[a] for a in args]
        rank = max(len(v.dims) for v in found)
        whole = {len(v.dims) - k for v in found for k, d in enumerate(v.dims) if len(d.parts) == 1}
        for number, (a, v) in enumerate(zip(args, found, strict=True)):
            grouped = [k for k, d in enumerate(v.dims) if len(d.parts) > 1 and len(v.dims) - k in whole]
            if grouped and rank:
                for k in grouped:
                    v = vs.ungrouped(v, k)
                self.values[a] = found[number] = self._line(v, self._fresh_name(v.expr))
        return found

    def _apart(self, k: int, axes: Iterable[int] | None = None) -> IndexArray:
        """The value of node k with one index along each of these axes (all); what a reshape made of several gets a line."""
        v, rank = self.values[k], len(self.values[k].dims)
        along = range(rank) if axes is None else [j % rank for j in axes]
        grouped = [j for j in along if len(v.dims[j].parts) > 1]
        for j in grouped:
            v = vs.ungrouped(v, j)
        if grouped and not marked(v.expr):
            v = self.values[k] = self._line(v, self._fresh_name(v.expr))
        dims = (d if d.parts or j not in along else Dim(d.size, (vs.new_part(Axis.of(d.size)),)) for j, d in enumerate(v.dims))
        return replace(v, dims=tuple(dims))

    def _own_lines(self, made: IndexArray) -> IndexArray:
        """A value that needed lines of its own, which are written now."""
        self.lines += self.recurrences.lines
        self.taken |= self.recurrences.taken
        self.recurrences = Recurrences(self.taken, self.lines)
        return made

    def _fold(self, k: int, op: Op) -> IndexArray:
        name, axes, keep = op.more
        if not self._is_atom(op.args[0]):
            self._give_name(op.args[0])
        made = self._apart(op.args[0])
        for axis in sorted(axes, reverse=True):
            made = self._own_lines(self.recurrences.along(op.where, name, made, axis, False, {}))
        if not keep:
            return made
        rest = iter(made.dims)
        return replace(made, dims=tuple(Dim(sp.S.One) if j in axes else next(rest) for j in range(len(self.values[op.args[0]].dims))))

    def _square(self, k: int) -> tuple[tuple[Dim, ...], Grid]:
        if not self._is_atom(k):
            self._give_name(k)
        v = vs.renamed(self._apart(k, (-2, -1)))
        *lead, row, column = v.dims
        return tuple(lead), Grid(v.expr, *[(i, *a.range) for i, a in (*row.parts, *column.parts)])

    def _det(self, k: int, op: Op) -> IndexArray:
        lead, grid = self._square(op.args[0])
        return IndexArray(lead, Det(grid))

    def _inverse(self, k: int, op: Op) -> IndexArray:
        lead, grid = self._square(op.args[0])
        axes = [Axis.between(lo, hi, Kind.FEATURE) for _, lo, hi in grid.limits]
        i, j = (vs.new_part(a) for a in axes)
        return IndexArray((*lead, Dim(axes[1].size, (i,)), Dim(axes[0].size, (j,))), InverseEntry(grid, i[0], j[0]))

    def _cholesky(self, k: int, op: Op) -> IndexArray:
        if not self._is_atom(op.args[0]):
            self._give_name(op.args[0])
        return self._own_lines(self.recurrences.cholesky(op.where, self._apart(op.args[0]), {}))

    # A recurrence: state j of recurrence r is a tensor over the turns 0..T and its own axes.

    def _state(self, op: Op, place: Callable[[sp.Symbol], sp.Expr]) -> IndexArray:
        """State j over all turns; its line for turn 0 is written when it is first looked at."""
        number, j, length, shape = op.more
        if (number, j) not in self.states:
            axes = [Axis.of(n) for n in shape if n != 1]
            self.states[number, j] = Tensor(self._fresh_by("h"), (Axis.between(0, length, Kind.TIME), *axes))
            self._part(self.states[number, j], op.args[0], shape, False)
        dims = (Dim(length, (vs.new_part(Axis.of(length, Kind.TIME)),)), *vs.of_axes([Axis.of(n) for n in shape]))
        (turn, _), *own = [p for d in dims for p in d.parts]
        return IndexArray(dims, self.states[number, j][(place(turn), *[i for i, _ in own])])

    def _part(self, target: Tensor, k: int, shape: Sequence[sp.Expr], turns: bool) -> None:
        """The line of a state at turn 0, or that for the turns, whose axis stands first in the value of node k."""
        v = self._apart(k)
        long = [axis + turns for axis, n in enumerate(shape) if n != 1]
        parts = [v.dims[axis].parts[0] for axis in ([0] if turns else []) + long]
        ones = {i: sp.S.One for axis, d in enumerate(v.dims) if d.size == 1 and not (turns and axis == 0) for i, _ in d.parts}
        expr = substitute(v.expr, ones).xreplace({NOUGHT: sp.S.Zero})
        places = tuple(i for i, _ in parts)
        self.lines.append(Definition(target, places if turns else (sp.S.Zero, *places), expr, tuple((i, *a.range) for i, a in parts)))

    def _before(self, k: int, op: Op) -> IndexArray:
        return self._state(op, lambda t: t - 1)

    def _after(self, k: int, op: Op) -> IndexArray:
        return self._state(op, lambda t: t)

    def _recurrence(self, k: int, op: Op) -> IndexArray:
        number, count, length, shapes = op.more
        for j, (first, then, shape) in enumerate(zip(op.args[:count], op.args[count:], shapes, strict=True)):
            self._state(replace(op, args=(first,), more=(number, j, length, shape)), lambda t: t)
            self._part(self.states[number, j], then, shape, True)
        return IndexArray((), sp.S.Zero)

    def _iota(self, k: int, op: Op) -> IndexArray:
        return at.counted(*op.more)

    def _table(self, k: int, op: Op) -> IndexArray:
        return at.tabled(*op.more)

    def _concat(self, k: int, op: Op) -> IndexArray:
        return at.concatenated([self._apart(a, [op.more[0]]) for a in op.args], op.more[0], op.where)

    def _pad(self, k: int, op: Op) -> IndexArray:
        axis, low, high, filling = op.more
        return at.padded(self._apart(op.args[0], [axis]), axis, (low, high), filling, op.where)

    def _running(self, k: int, op: Op) -> IndexArray:
        if not self._is_atom(op.args[0]):
            self._give_name(op.args[0])
        axis, back, name = op.more
        if name == "sum":
            return at.running(self._apart(op.args[0], [axis]), axis, back, op.where)
        return self._own_lines(self.recurrences.running(op.where, name, self._apart(op.args[0]), axis, {}, back))

    def _reverse(self, k: int, op: Op) -> IndexArray:
        return at.reversed_(self._apart(op.args[0], op.more), op.more[0], op.where)

    def _lookup(self, k: int, op: Op) -> IndexArray:
        table, *places = op.args
        axes, shared = op.more
        if not self._is_atom(table):
            self._give_name(table)
        found = [self.values[p] for p in places]
        for axis, place in zip(axes, found, strict=True):
            for e in entries(place.expr):
                self._classes(tensor_name(e), self.values[table].dims[axis].size)
        return at.looked_up(self._apart(table, axes), found, axes, shared, op.where)

    def _classes(self, name: str, size: sp.Expr) -> None:
        """An index array that is looked up with names places of that axis: its classes are as many."""
        known = self.classes.setdefault(name, size)
        if sp.expand(known - size) != 0:  # looked up in two arrays of different lengths: nothing is said
            self.classes[name] = sp.S.NaN

    def _sum(self, k: int, op: Op) -> IndexArray:
        axes, keep = op.more
        factor, inner = self.values[op.args[0]].expr.as_coeff_Mul()
        if not isinstance(inner, sp.Sum):
            if self._has_sum(op.args[0]):
                self._give_name(op.args[0])
            return vs.sum_over(self.values[op.args[0]], axes, keep)
        made = vs.sum_over(replace(self.values[op.args[0]], expr=inner), axes, keep)
        return replace(made, expr=factor * made.expr)

    def _top(self, k: int, op: Op) -> IndexArray:
        axes, keep = op.more
        if self.tops.setdefault((op.args[0], axes), k) in self.folded:
            return self._fold(k, replace(op, more=("max", axes, keep)))
        self._give_name(op.args[0])
        v = self.values[op.args[0]]
        rest = tuple(Dim(sp.S.One) if j in axes else d for j, d in enumerate(v.dims) if keep or j not in axes)
        made = IndexArray(rest, sp.S.Zero)
        return replace(made, expr=Top(sp.Integer(self.tops.setdefault((op.args[0], axes), k)), *[i for i, _ in made.parts]))

    def _dot(self, k: int, op: Op) -> IndexArray:
        for a in op.args:
            if not self._is_atom(a):
                self._give_name(a)
        (mine, theirs), (own, other) = op.more[0], op.more[1]
        left, right = ([f"{side}{j}" for j in range(len(self.values[arg].dims))] for side, arg in zip("ab", op.args, strict=True))
        for i, j in zip((*own, *mine), (*other, *theirs), strict=True):
            right[j] = left[i]
        shared = [left[k] for k in own]
        rest = [x for x in (*left, *right) if x not in shared and x not in [left[k] for k in mine]]
        return vs.contract([self.values[a] for a in op.args], (left, right), (*shared, *rest), op.where)

    def _spread(self, k: int, op: Op) -> IndexArray:
        return vs.spread(self.values[op.args[0]], *op.more)

    def _permute(self, k: int, op: Op) -> IndexArray:
        v = self.values[op.args[0]]
        return replace(v, dims=tuple(v.dims[j] for j in op.more[0]))

    def _reshape(self, k: int, op: Op) -> IndexArray:
        return reshape(self.values[op.args[0]], op.more[0], op.where)

    def _take(self, k: int, op: Op) -> IndexArray:
        return vs.take(self.values[op.args[0]], op.more[0], op.more[1])

    def _cut(self, k: int, op: Op) -> IndexArray:
        axis, start, length, step = op.more
        return vs.cut(self._apart(op.args[0], [axis]), axis, start, length, step, op.where)

    def _window(self, k: int, op: Op) -> IndexArray:
        if not self._is_atom(op.args[0]):
            self._give_name(op.args[0])
        axis, outputs, taps, stride, dilation, padding = op.more
        return vs.window(self._apart(op.args[0], [axis]), axis, outputs, taps, stride, dilation, padding, op.where)

    # What gets a name.

    def _wants_name(self, k: int, op: Op) -> bool:
        expr = self.values[k].expr
        if k == self.output or op.kind in MOVES or self._is_atom(k):
            return False
        bare = expr.body if isinstance(expr, When) else expr
        if op.kind in ("iota", "table", "recurrence") or not isinstance(expr, sp.Expr) or whole(expr):
            return False
        cheap = isinstance(bare, sp.exp) and _is_entry(bare.args[0])  # stays inside, so that a softmax is seen whole
        return isinstance(expr, ACTIVATIONS) or (self.uses[k] > 1 and not cheap)

    def _name_factors(self, args: tuple[int, ...]) -> None:
        """In a product of two varying factors, a factor with a sum in it gets a name."""
        if all(self.values[a].expr.free_symbols for a in args):
            for a in args:
                if self._has_sum(a):
                    self._give_name(a)

    def _has_sum(self, k: int) -> bool:
        return bool(self.values[k].expr.has(sp.Sum))

    def _is_exp_sum(self, k: int) -> bool:
        return all(is_exp_sum(f) or f.is_number or marked(f) for f in sp.Mul.make_args(self.values[k].expr))

    def _is_atom(self, k: int) -> bool:
        expr = self.values[k].expr
        expr = expr.body if isinstance(expr, When) else expr
        return not isinstance(expr, sp.Expr) or expr.is_number or _is_entry(expr.as_coeff_Mul()[1])

    def _give_name(self, k: int) -> None:
        """Write a line for the value of node ``k``, unless it is an entry already or still carries a mark."""
        op = self.graph.ops[k]
        if op.kind in MOVES:  # name what is moved, in its own order
            self._give_name(op.args[0])
            self.values[k] = getattr(self, f"_{op.kind}")(k, op)
        v = self.values[k]
        if isinstance(v.expr, Barred):
            u = IndexArray(v.dims, v.expr.args[0])
            if not _is_entry(u.expr) and not marked(u.expr):
                self.values[k] = replace(v, expr=Barred(self._line(u, self._fresh_name(u.expr)).expr, v.expr.args[1]))
            return
        if not isinstance(v.expr, sp.Expr) or _is_entry(v.expr) or v.expr.is_number or marked(v.expr):
            return
        self.values[k] = self._line(v, self._fresh_name(v.expr))

    def _line(self, v: IndexArray, name: str) -> IndexArray:
        v = replace(v, expr=v.expr.xreplace({NOUGHT: sp.S.Zero}))
        varying = [(i, a) for i, a in v.parts if i in v.expr.free_symbols]
        tensor = Tensor(name, tuple(a for _, a in varying), role=Role.INTERMEDIATE)
        self.lines.append(Definition(tensor, tuple(i for i, _ in varying), v.expr))
        return replace(v, expr=tensor[tuple(i for i, _ in varying)])

    def _fresh_name(self, expr: sp.Expr) -> str:
        return self._fresh_by(letter_of(expr))

    def _fresh_by(self, letter: str) -> str:
        while True:
            self.count[letter] = self.count.get(letter, 0) + 1
            name = f"{letter}{self.count[letter]}"
            if name not in self.taken:
                self.taken.add(name)
                return name

    # The end.

    def _finish(self) -> frozenset[int]:
        v = self.values[self.output]
        for k in [k for k, dim in enumerate(v.dims) if len(dim.parts) > 1]:
            v = vs.ungrouped(v, k)
        axes = tuple(d.parts[0][1] if d.parts else Axis.of(d.size) for d in v.dims)
        places = tuple(d.parts[0][0] if d.parts else sp.Dummy("_", integer=True) for d in v.dims)
        tensor = Tensor(self.name, axes, role=Role.INTERMEDIATE if axes else Role.OBJECTIVE)
        self.lines.append(Definition(tensor, places, v.expr.xreplace({NOUGHT: sp.S.Zero})))
        for d in self.lines:
            for bad in (sp.nan, sp.oo, -sp.oo, sp.zoo):
                if d.expr.has(bad):
                    raise unsupported(f"the value {bad} in {d.name}", f"definition of {d.name}", "finite numbers")
            if d.expr.has(Barred):
                raise unsupported(f"the value -∞ in {d.name}", f"definition of {d.name}", "-∞ under a softmax")
        return frozenset(abs(int(t.args[0])) for d in self.lines for t in d.expr.atoms(sp.Function) if marked(t) and t.args[0].is_Integer)


def _is_entry(expr: sp.Basic) -> bool:
    return isinstance(expr, sp.Indexed) or (isinstance(expr, sp.Symbol) and expr.is_integer is not True)


def write(graph: Graph, output: int, name: str = "L", title: str = "") -> Program:
    """The program of a graph."""
    return GraphLowering(graph, output, name).program(title)
