"""What the readers of PyTorch and ONNX share: operations on arrays of known shape, written with the graph's few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from symnet.core.tensors import Role
from symnet.indexing.graph import MOVES, Graph, unsupported
from symnet.indexing.index_array import same

TESTS = frozenset({"gt", "ge", "lt", "le", "eq", "ne", "and", "or", "not", "never"})  # the functions that give true or false
Shape = tuple[sp.Expr, ...]
FARTHEST = 2**62  # an end of a slice that means the end of the axis


@dataclass(frozen=True, slots=True)
class Array:
    """A node of the graph and its shape."""

    node: int
    shape: Shape

    @property
    def rank(self) -> int:
        """How many axes."""
        return len(self.shape)


@dataclass
class Maker:
    """Adds operations to ``graph``; ``where`` is the place in the model that errors name."""

    graph: Graph
    where: str = ""
    values: dict[int, Any] = field(default_factory=dict)  # the numbers of the nodes that are parameters

    def number(self, value: Any) -> Array:
        """A constant."""
        return Array(self.graph.number(value, self.where), ())

    def map(self, function: str, *args: Any) -> Array:
        """An entrywise function; shapes broadcast as in NumPy."""
        arrays = [a if isinstance(a, Array) else self.number(a) for a in args]
        shape: Shape = ()
        for a in arrays:
            shape = self._joined(shape, a.shape)
        return Array(self.graph.map(function, *[a.node for a in arrays], where=self.where), shape)

    def stopped(self, a: Array) -> Array:
        """stop_gradient(a); a itself where it depends on constants alone."""
        inputs = [self.graph.inputs[op.more[0]] for op in map(self.graph.ops.__getitem__, self.graph.needed(a.node)) if op.kind == "input"]
        return self.map("stop_gradient", a) if any(i.role is not Role.CONSTANT and i.domain == "real" for i in inputs) else a

    def _joined(self, a: Shape, b: Shape) -> Shape:
        long, short = (a, b) if len(a) >= len(b) else (b, a)
        padded = (sp.S.One,) * (len(long) - len(short)) + short
        for x, y in zip(long, padded, strict=True):
            if not same(x, y) and 1 not in (x, y):
                raise unsupported(f"arrays of shapes {a} and {b}", self.where, "shapes that broadcast")
        return tuple(y if x == 1 else x for x, y in zip(long, padded, strict=True))

    def _axes(self, a: Array, axes: Sequence[int] | int | None) -> tuple[int, ...]:
        if axes is None or (not isinstance(axes, int) and not len(axes)):
            return tuple(range(a.rank))
        return tuple(sorted(k % a.rank for k in ([axes] if isinstance(axes, int) else axes)))

    def _reduced(self, kind: str, a: Array, axes: Sequence[int] | int | None, keep: bool) -> Array:
        along = self._axes(a, axes)
        shape = tuple(sp.S.One if k in along else n for k, n in enumerate(a.shape) if keep or k not in along)
        return Array(self.graph.add(kind, a.node, more=(along, keep), where=self.where), shape)

    def sum(self, a: Array, axes: Sequence[int] | int | None = None, keep: bool = False) -> Array:
        """Σ along axes."""
        return self._reduced("sum", a, axes, keep)

    def top(self, a: Array, axes: Sequence[int] | int | None = None, keep: bool = False) -> Array:
        """The maximum along axes, which must cancel later."""
        return self._reduced("top", a, axes, keep)

    def mean(self, a: Array, axes: Sequence[int] | int | None = None, keep: bool = False) -> Array:
        """The mean along axes."""
        return self.map("div", self.sum(a, axes, keep), sp.Mul(*[a.shape[k] for k in self._axes(a, axes)]))

    def variance(self, a: Array, axes: Sequence[int] | int | None, correction: Any = 0, keep: bool = False) -> Array:
        """Σ (a - mean)² / (count - correction)."""
        count = sp.Mul(*[a.shape[k] for k in self._axes(a, axes)])
        centred = self.map("sub", a, self.mean(a, axes, True))
        return self.map("div", self.sum(self.map("square", centred), axes, keep), count - sp.Integer(int(correction)))

    def dot(self, a: Array, b: Array, contract: tuple[Sequence[int], Sequence[int]],
            batch: tuple[Sequence[int], Sequence[int]] = ((), ())) -> Array:
        """Σ a b over pairs of axes; the result has the batch axes, the rest of a, the rest of b."""
        more = tuple(map(tuple, contract)), tuple(map(tuple, batch))
        shape = [a.shape[k] for k in batch[0]] + [n for k, n in enumerate(a.shape) if k not in (*batch[0], *contract[0])]
        shape += [n for k, n in enumerate(b.shape) if k not in (*batch[1], *contract[1])]
        return Array(self.graph.add("dot", a.node, b.node, more=more, where=self.where), tuple(shape))

    def matmul(self, a: Array, b: Array) -> Array:
        """a @ b as in NumPy; axes in front of the matrices are shared, or belong to one of the two."""
        if a.rank == 1 or b.rank == 1:
            return self.dot(a, b, ([a.rank - 1], [max(b.rank - 2, 0)]))
        shared = min(a.rank, b.rank) - 2
        left, right = [a.rank - 3 - k for k in range(shared)][::-1], [b.rank - 3 - k for k in range(shared)][::-1]
        if any(not same(a.shape[i], b.shape[j]) for i, j in zip(left, right, strict=True)):
            raise unsupported(f"a product of shapes {a.shape} and {b.shape}", self.where, "equal axes in front of the matrices")
        made = self.dot(a, b, ([a.rank - 1], [b.rank - 2]), (left, right))
        extra = abs(a.rank - b.rank)  # now: shared, then a's own axes and rows, then b's own axes and columns
        own = list(range(shared, shared + extra)) if a.rank > b.rank else list(range(shared + 1, shared + 1 + extra))
        rows = [k for k in range(made.rank) if k >= shared and k not in own]
        return self.permute(made, [*own, *range(shared), *rows])

    def linear(self, x: Array, w: Array, b: Array | None = None) -> Array:
        """x Wᵀ + b: PyTorch stores W as (out, in)."""
        made = self.dot(x, w, ([x.rank - 1], [1]))
        return made if b is None else self.map("add", made, b)

    def permute(self, a: Array, order: Sequence[int]) -> Array:
        """Axis k of the result is axis order[k]."""
        places = tuple(k % a.rank for k in order)
        if places == tuple(range(a.rank)):
            return a
        return Array(self.graph.add("permute", a.node, more=(places,), where=self.where), tuple(a.shape[k] for k in places))

    def reshape(self, a: Array, sizes: Sequence[Any]) -> Array:
        """Other axes in the same row by row order; one size may be -1."""
        shape = [sp.sympify(s, strict=True) for s in sizes]
        if -1 in shape:
            known = sp.Mul(*[s for s in shape if s != -1])
            shape[shape.index(sp.Integer(-1))] = sp.cancel(sp.Mul(*a.shape) / known)
        if tuple(shape) == a.shape:
            return a
        return Array(self.graph.add("reshape", a.node, more=(tuple(shape),), where=self.where), tuple(shape))

    def expand(self, a: Array, sizes: Sequence[Any]) -> Array:
        """Axes of size 1 (or new ones in front) repeated; -1 keeps a size."""
        new = len(sizes) - a.rank
        sources = tuple(None if k < new else k - new for k in range(len(sizes)))
        shape = tuple(a.shape[k - new] if s == -1 else sp.sympify(s, strict=True) for k, s in enumerate(sizes))
        return Array(self.graph.add("spread", a.node, more=(sources, shape), where=self.where), shape)

    def table(self, sizes: Sequence[int], numbers: Sequence[Any]) -> Array:
        """A small array of numbers."""
        shape = tuple(map(sp.Integer, sizes))
        return Array(self.graph.add("table", more=(shape, tuple(numbers)), where=self.where), shape)

    def is_test(self, a: Array | None) -> bool:
        """True for an array of true and false."""
        if a is None:
            return False
        op = self.graph.ops[a.node]
        if op.kind == "input":
            return bool(self.graph.inputs[op.more[0]].domain == "bool")
        if op.kind == "map":
            return op.more[0] in TESTS
        return op.kind in MOVES and self.is_test(Array(op.args[0], ()))

    def is_whole(self, a: Array) -> bool:
        """True for an array of whole numbers."""
        op = self.graph.ops[a.node]
        if op.kind == "input":
            return bool(self.graph.inputs[op.more[0]].domain == "index")
        return op.kind in ("iota", "table") or (op.kind in MOVES and self.is_whole(Array(op.args[0], ())))

    def iota(self, sizes: Sequence[Any], axis: int) -> Array:
        """0, 1, … along an axis."""
        shape = tuple(sp.sympify(n, strict=True) for n in sizes)
        return Array(self.graph.add("iota", more=(axis, shape), where=self.where), shape)

    def concat(self, arrays: Sequence[Array], axis: int) -> Array:
        """One after another along an axis."""
        k = axis % arrays[0].rank
        size = sp.expand(sp.Add(*[a.shape[k] for a in arrays]))
        shape = (*arrays[0].shape[:k], size, *arrays[0].shape[k + 1:])
        return Array(self.graph.add("concat", *[a.node for a in arrays], more=(k,), where=self.where), shape)

    def pad(self, a: Array, axis: int, low: Any, high: Any, value: Any = 0) -> Array:
        """Places before and after along an axis that hold ``value``."""
        if low == 0 and high == 0:
            return a
        shape = (*a.shape[:axis], sp.expand(a.shape[axis] + low + high), *a.shape[axis + 1:])
        more = (axis, sp.sympify(low, strict=True), sp.sympify(high, strict=True), self.graph.ops[self.number(value).node].more[0])
        return Array(self.graph.add("pad", a.node, more=more, where=self.where), shape)

    def running(self, a: Array, axis: int, back: bool = False) -> Array:
        """Σ over the places up to each one."""
        return Array(self.graph.add("running", a.node, more=(axis % a.rank, back), where=self.where), a.shape)

    def flip(self, a: Array, axis: int) -> Array:
        """The places of an axis from the last to the first."""
        return Array(self.graph.add("reverse", a.node, more=(axis % a.rank,), where=self.where), a.shape)

    def lookup(self, a: Array, places: Sequence[Array], axes: Sequence[int], shared: Sequence[tuple[int, int]] = ()) -> Array:
        """a at the places that index arrays name: their axes, then the rest of a's."""
        shape: Shape = ()
        for p in places:
            shape = self._joined(shape, p.shape)
        rest = [n for k, n in enumerate(a.shape) if k not in axes and k not in [mine for mine, _ in shared]]
        node = self.graph.add("lookup", a.node, *[p.node for p in places], more=(tuple(axes), tuple(shared)), where=self.where)
        return Array(node, (*shape, *rest))

    def added_at(self, a: Array, places: Sequence[Array], values: Array) -> Array:
        """a with values added at the places that index arrays name along its first axes: Σ over all that name a place."""
        count = len(places)
        lead: Shape = ()
        for p in places:
            lead = self._joined(lead, p.shape)
        rest = a.shape[count:]
        values = self.expand(values, (*lead, *rest))
        test: Array | None = None
        for k, p in enumerate(places):
            p = self.reshape(self.expand(p, lead), [*lead, *[1] * a.rank])
            here = self.map("eq", p, self.iota([*[1] * len(lead), *[n if j == k else 1 for j, n in enumerate(a.shape)]], len(lead) + k))
            test = here if test is None else self.map("and", test, here)
        wide = self.reshape(values, [*lead, *[1] * count, *rest])
        return self.map("add", a, self.sum(self.map("select", test, wide, 0), range(len(lead))))

    def take(self, a: Array, axis: int, place: int) -> Array:
        """One place of an axis; negative from the end."""
        k = axis % a.rank
        where = place if place >= 0 else a.shape[k] + place
        return Array(self.graph.add("take", a.node, more=(k, where), where=self.where), a.shape[:k] + a.shape[k + 1:])

    def cut(self, a: Array, axis: int, start: Any, stop: Any, step: int = 1) -> Array:
        """The places start, start + step, … before stop, with Python's meaning of negative numbers."""
        k = axis % a.rank
        if not all(n is None or sp.sympify(n, strict=True).is_Integer for n in (a.shape[k], start, stop)):
            return self._cut_by_names(a, k, start, stop, step)
        places = range(int(a.shape[k]))[slice(None if start is None else int(start), None if stop is None else int(stop), step)]
        if step == -1 and places:  # counted down: the stretch, turned round
            return self.flip(self.cut(a, axis, places[-1], places[0] + 1), k)
        if step < 1 or not places:
            raise unsupported(f"the slice {start}:{stop}:{step}", self.where, "at least one place, upwards")
        more = (k, sp.Integer(places[0]), sp.Integer(len(places)), step)
        return Array(self.graph.add("cut", a.node, more=more, where=self.where), (*a.shape[:k], more[2], *a.shape[k + 1:]))

    def _cut_by_names(self, a: Array, k: int, start: Any, stop: Any, step: int) -> Array:
        """A stretch where sizes are names: its ends must lie inside for all sizes, and the step must go into it evenly."""
        size = a.shape[k]
        low, high = (sp.sympify(n, strict=True) if n is not None else end for n, end in ((start, sp.S.Zero), (stop, size)))
        low, high = (n + size if n.is_negative else n for n in (low, high))
        high = size if high.is_Integer and high >= FARTHEST else high
        count = sp.cancel((high - low) / step)
        inside = low.is_nonnegative and _at_most(high, size) and count.is_integer and _at_most(sp.S.One, count)
        if step < 1 or not inside:
            raise unsupported(f"the slice {start}:{stop}:{step} of an axis of size {size}", self.where, "a stretch inside it for all sizes")
        more = (k, sp.expand(low), sp.expand(count), step)
        return Array(self.graph.add("cut", a.node, more=more, where=self.where), (*a.shape[:k], more[2], *a.shape[k + 1:]))

    def window(self, a: Array, axis: int, taps: int, stride: int, dilation: int = 1, padding: int = 0) -> Array:
        """An axis as two: the outputs of a sliding window and its taps."""
        outputs = sp.Integer(1) + (a.shape[axis] + 2 * padding - dilation * (taps - 1) - 1) // stride
        more = (axis, outputs, sp.Integer(taps), stride, dilation, padding)
        shape = (*a.shape[:axis], outputs, sp.Integer(taps), *a.shape[axis + 1:])
        return Array(self.graph.add("window", a.node, more=more, where=self.where), shape)


def _at_most(a: sp.Expr, b: sp.Expr) -> bool:
    """a <= b whenever all sizes are 1 at least."""
    there = {s: sp.Symbol(f"{s}_", integer=True, nonnegative=True) + 1 for s in (a.free_symbols | b.free_symbols)}
    return bool(sp.expand((b - a).xreplace(there)).is_nonnegative)
