"""What the readers of PyTorch and ONNX share: operations on arrays of known shape, written with the graph's few."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import sympy as sp

from symnet.core.tensors import Role
from symnet.indexing.graph import MOVES, Graph, unsupported
from symnet.indexing.index_array import same

TESTS = frozenset({"gt", "ge", "lt", "le", "eq", "ne", "and", "or", "not", "never"})  # the functions that give true or false
ARITHMETIC = frozenset({"add", "sub", "mul", "div", "neg", "pow", "max", "min", "square", "abs", "sqrt", "exp", "log", "sign", "gt", "ge",
                        "lt", "le"})
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
    """Adds operations to ``graph``; ``where`` is the place in the model that errors name.

    A reader that uses no more than what it does may be given another maker, which carries the operations out: ``by_entry`` says that
    its arrays are NumPy's own, with entries that are known one by one (``checking/code/entry_maker.py``).
    """

    by_entry: ClassVar[bool] = False
    graph: Graph
    where: str = ""
    values: dict[int, Any] = field(default_factory=dict)  # the numbers of the nodes that are parameters

    def number(self, value: Any) -> Array:
        """A constant."""
        return Array(self.graph.number(value, self.where), ())

    def map(self, function: str, *args: Any) -> Array:
        """An entrywise function; shapes broadcast as in NumPy."""
        arrays = [a if isinstance(a, Array) else self.number(a) for a in args]
        if function in ARITHMETIC:  # true counts as 1
            arrays = [Array(self.graph.map("indicator", a.node, where=self.where), a.shape) if self.is_test(a) else a for a in arrays]
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

    def known(self, a: Array) -> Any:
        """The numbers or truths of an array, where every one is known: as a scalar of Python's; None where it is not."""
        value = self.graph.ops[a.node].more[0] if self.graph.ops[a.node].kind == "number" else None
        return bool(value) if value in (sp.true, sp.false) else int(value) if isinstance(value, sp.Integer) else None

    def key(self, a: Array) -> Any:
        """Equal for arrays of equal entries."""
        return a.node

    def copied(self, a: Array) -> Array:
        """In memory of its own; a node is never written into."""
        return a

    def _axes(self, a: Array, axes: Sequence[int] | int | None) -> tuple[int, ...]:
        if axes is None or (not isinstance(axes, int) and not len(axes)):
            return tuple(range(a.rank))
        return tuple(sorted(k % a.rank for k in ([axes] if isinstance(axes, int) else axes)))

    def _reduced(self, kind: str, a: Array, axes: Sequence[int] | int | None, keep: bool) -> Array:
        along = self._axes(a, axes)
        shape = tuple(sp.S.One if k in along else n for k, n in enumerate(a.shape) if keep or k not in along)
        return Array(self.graph.add(kind, a.node, more=(along, keep), where=self.where), shape)

    def sum(self, a: Array, axes: Sequence[int] | int | None = None, keep: bool = False) -> Array:
        """Σ along axes; of truths, how many hold."""
        return self._reduced("sum", self.map("indicator", a) if self.is_test(a) else a, axes, keep)

    def top(self, a: Array, axes: Sequence[int] | int | None = None, keep: bool = False) -> Array:
        """The maximum along axes; one that cancels, as in a softmax, is never taken."""
        return self._reduced("top", a, axes, keep)

    def peak(self, name: str, a: Array, axes: Sequence[int] | int | None = None, keep: bool = False) -> Array:
        """The maximum, or minus that of -a, along axes; as ``top``."""
        return self.top(a, axes, keep) if name == "max" else self.map("neg", self.top(self.map("neg", a), axes, keep))

    def fold(self, name: str, a: Array, axes: Sequence[int] | int | None = None, keep: bool = False) -> Array:
        """min or prod along axes, or max where it is sure not to cancel."""
        if name == "max":
            return self.top(a, axes, keep)
        along = self._axes(a, axes)
        shape = tuple(sp.S.One if k in along else n for k, n in enumerate(a.shape) if keep or k not in along)
        return Array(self.graph.add("fold", a.node, more=(name, along, keep), where=self.where), shape)

    def any(self, a: Array, axes: Sequence[int] | int | None = None, keep: bool = False) -> Array:
        """Is a test true anywhere along axes?"""
        return self.map("ge", self.sum(self.map("indicator", a), axes, keep), 1)

    def all(self, a: Array, axes: Sequence[int] | int | None = None, keep: bool = False) -> Array:
        """Is a test true everywhere along axes?"""
        return self.map("not", self.any(self.map("not", a), axes, keep))

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
        front = [(a.rank - 3 - k, b.rank - 3 - k) for k in range(min(a.rank, b.rank) - 2)]
        if any(not same(a.shape[i], b.shape[j]) and 1 in (a.shape[i], b.shape[j]) for i, j in front):
            rank = max(a.rank, b.rank)
            a, b = (self.reshape(v, [*[1] * (rank - v.rank), *v.shape]) for v in (a, b))
            joined = self._joined(a.shape[:-2], b.shape[:-2])
            a, b = (self.expand(v, [*joined, *v.shape[-2:]]) for v in (a, b))
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
        shape = [a.shape[k - new] if s == -1 else sp.sympify(s, strict=True) for k, s in enumerate(sizes)]
        return self._spread(a, [None if k < new else k - new for k in range(len(sizes))], shape)

    def spread_to(self, a: Array, shape: Sequence[sp.Expr]) -> Array:
        """Broadcast to a shape."""
        if tuple(a.shape) == tuple(shape):
            return a
        new = len(shape) - a.rank
        return self._spread(a, [None if k < new else k - new for k in range(len(shape))], shape)

    def with_axes(self, a: Array, places: Sequence[int]) -> Array:
        """New axes of size 1, at these places of the result."""
        if not places:
            return a
        rest = iter(range(a.rank))
        sources = [None if k in places else next(rest) for k in range(a.rank + len(places))]
        return self._spread(a, sources, [sp.S.One if s is None else a.shape[s] for s in sources])

    def _spread(self, a: Array, sources: Sequence[int | None], shape: Sequence[sp.Expr]) -> Array:
        return Array(self.graph.add("spread", a.node, more=(tuple(sources), tuple(shape)), where=self.where), tuple(shape))

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

    def counts_from_zero(self, node: int) -> bool:
        """True for index arrays and for 0, 1, …"""
        op = self.graph.ops[node]
        if op.kind in MOVES:
            return self.counts_from_zero(op.args[0])
        return op.kind == "iota" or (op.kind == "input" and bool(self.graph.inputs[op.more[0]].domain == "index"))

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

    def running(self, a: Array, axis: int, back: bool = False, name: str = "sum") -> Array:
        """Σ, or max, min, prod, logsumexp, over the places up to each one; with ``back`` from it on."""
        return Array(self.graph.add("running", a.node, more=(axis % a.rank, back, name), where=self.where), a.shape)

    # Matrices: the last two axes.

    def _of_square(self, kind: str, a: Array, cut: int) -> Array:
        if a.rank < 2 or not same(a.shape[-1], a.shape[-2]):
            raise unsupported(f"{kind} of shape {a.shape}", self.where, "a square matrix")
        return Array(self.graph.add(kind, a.node, where=self.where), a.shape[:a.rank - cut])

    def det(self, a: Array) -> Array:
        """The determinant."""
        return self._of_square("det", a, 2)

    def slogdet(self, a: Array) -> tuple[Array, Array]:
        """(sign of det A, log |det A|)."""
        det = self.det(a)
        return self.map("sign", det), self.map("log", self.map("abs", det))

    def inverse(self, a: Array) -> Array:
        """A⁻¹."""
        return self._of_square("inverse", a, 0)

    def transposed(self, a: Array) -> Array:
        """Aᵀ."""
        return self.permute(a, [*range(a.rank - 2), a.rank - 1, a.rank - 2])

    def cholesky(self, a: Array, upper: bool = False) -> Array:
        """The lower triangle C with C Cᵀ = (A + Aᵀ)/2, or ``upper`` Cᵀ."""
        made = self._of_square("cholesky", a, 0)
        return self.transposed(made) if upper else made

    def matrix_power(self, a: Array, n: int) -> Array:
        """Aⁿ, of A⁻¹ where n < 0."""
        base = self.inverse(a) if n < 0 else a
        made = base if n else self.expand(self.unit(a.shape[-1]), a.shape)
        for _ in range(abs(n) - 1):
            made = self.matmul(made, base)
        return made

    def solve(self, a: Array, b: Array, left: bool = True) -> Array:
        """X with A X = B, or X A = B; a b of one axis less is a vector, or a stack of them."""
        vector = b.rank == 1 or (b.rank == a.rank - 1 and left)
        b = self.reshape(b, [*b.shape, 1]) if vector else b
        made = self.matmul(self.inverse(a), b) if left else self.matmul(b, self.inverse(a))
        return self.reshape(made, made.shape[:-1]) if vector else made

    def side(self, rows: Any, columns: Any, lower: bool, diagonal: Any = 0) -> Array:
        """Is a place of a matrix on this side of a diagonal, or on it?"""
        row, column = self.iota([rows, 1], 0), self.iota([1, columns], 1)
        return self.map("le" if lower else "ge", column, self.map("add", row, diagonal) if diagonal != 0 else row)

    def triangle(self, a: Array, lower: bool, diagonal: Any = 0) -> Array:
        """The entries on one side of a diagonal, it included, and 0."""
        return self.map("select", self.side(a.shape[-2], a.shape[-1], lower, diagonal), a, 0)

    def _on_diagonal(self, rows: Any, columns: Any, offset: int = 0) -> Array:
        row = self.iota([rows, 1], 0)
        return self.map("eq", self.map("add", row, offset) if offset else row, self.iota([1, columns], 1))

    def unit(self, rows: Any, columns: Any = None, offset: int = 0) -> Array:
        """Ones on a diagonal."""
        return self.map("indicator", self._on_diagonal(rows, rows if columns is None else columns, offset))

    def triangular(self, a: Array, lower: bool, ones: bool = False) -> Array:
        """The triangular matrix that a solver reads of ``a``; with ``ones`` its diagonal is 1 whatever stands there."""
        if not ones:
            return self.triangle(a, lower)
        return self.map("add", self.triangle(a, lower, -1 if lower else 1), self.unit(a.shape[-1]))

    def diagonal(self, a: Array, offset: int = 0) -> Array:
        """The entries (i, i + offset) of the last two axes, as the last axis."""
        rows, columns = a.shape[-2:]
        if offset:
            start = [sp.Integer(max(0, -offset)), sp.Integer(max(0, offset))]
            if not all(n.is_Integer for n in (rows, columns)):
                raise unsupported(f"the diagonal {offset} of a matrix whose sizes are names", self.where, "the main one")
            count = max(min(int(rows - start[0]), int(columns - start[1])), 0)
            a = self.cut(self.cut(a, -2, start[0], start[0] + count), -1, start[1], start[1] + count)
        return self.sum(self.map("select", self._on_diagonal(*a.shape[-2:]), a, 0), -1)

    def einsum(self, letters: str, arrays: Sequence[Array]) -> Array:
        """Σ of products by letters, one array after another: "bij,bkj->bik"."""
        left, _, kept = letters.replace(" ", "").partition("->")
        parts = left.split(",")
        kept = kept if "->" in letters else "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
        if "." in left or len(parts) != len(arrays) or any(len(p) != a.rank for p, a in zip(parts, arrays, strict=False)):
            raise unsupported(f"the letters {letters!r}", self.where, "one letter for each axis of each array")
        made, own = self._lettered(arrays[0], parts[0], {*kept, *"".join(parts[1:])})
        for k, (array, part) in enumerate(zip(arrays[1:], parts[1:], strict=True), start=2):
            later = {*kept, *"".join(parts[k:])}
            array, part = self._lettered(array, part, {*own, *later})
            made, own = self._lettered(made, own, {*part, *later})
            both = [c for c in own if c in part]
            contract, batch = [c for c in both if c not in later], [c for c in both if c in later]
            made = self.dot(made, array, ([own.index(c) for c in contract], [part.index(c) for c in contract]),
                            ([own.index(c) for c in batch], [part.index(c) for c in batch]))
            own = "".join([*batch, *[c for c in own if c not in both], *[c for c in part if c not in both]])
        return self.permute(made, [own.index(c) for c in kept])

    def _lettered(self, a: Array, letters: str, wanted: set[str]) -> tuple[Array, str]:
        """Without repeated letters (the diagonal) and without those that nobody wants (their sum)."""
        while twice := [c for c in letters if letters.count(c) > 1]:
            i, j = [k for k, c in enumerate(letters) if c == twice[0]][:2]
            a = self.diagonal(self.permute(a, [*[k for k in range(a.rank) if k not in (i, j)], i, j]))
            letters = "".join(c for k, c in enumerate(letters) if k not in (i, j)) + twice[0]
        gone = [k for k, c in enumerate(letters) if c not in wanted]
        return self.sum(a, gone) if gone else a, "".join(c for c in letters if c in wanted)

    # Recurrences.

    def recurrence(self, first: Sequence[Array], length: Any, turn: Callable[[list[Array]], Sequence[Array]]) -> list[Array]:
        """The states after each turn: h[0] = first, h[t] = turn(h[t-1]). In front of every array that ``turn`` takes and gives stands
        the axis of the turns, of size ``length``, so that it says all of them at once."""
        number, size = len(self.graph.ops), sp.sympify(length, strict=True)
        shapes = tuple(a.shape for a in first)

        def states(kind: str) -> list[Array]:
            return [Array(self.graph.add(kind, a.node, more=(number, j, size, a.shape), where=self.where), (size, *a.shape))
                    for j, a in enumerate(first)]
        then = turn(states("before"))
        more = (number, len(first), size, shapes)
        node = self.graph.add("recurrence", *[a.node for a in (*first, *then)], more=more, where=self.where)
        self.graph.closed[number] = node
        return states("after")

    def counted(self, length: Any, start: Any, step: Any) -> Array:
        """start, start + step, …"""
        places = self.iota([length], 0)
        places = places if step == 1 else self.map("mul", step, places)
        return places if start == 0 else self.map("add", start, places)

    def extended(self, a: Array, axis: int, low: int, high: int, less: int = 0) -> Array:
        """The first place ``low`` times in front of an axis and the last ``high`` times behind it, each smaller by ``less``."""
        def times(place: int, count: int) -> list[Array]:
            if not count:
                return []
            start = sp.S.Zero if place == 0 else a.shape[axis] - 1
            kept = self.cut(a, axis, start, start + 1)
            kept = self.map("sub", kept, less) if less else kept
            return [self.expand(kept, [*a.shape[:axis], count, *a.shape[axis + 1:]])]
        parts = [*times(0, low), a, *times(-1, high)]
        return self.concat(parts, axis) if len(parts) > 1 else a

    def repeated(self, a: Array, axis: int, count: int) -> Array:
        """Each place ``count`` times, one after another."""
        shape = a.shape
        wide = self.expand(self.reshape(a, [*shape[:axis + 1], 1, *shape[axis + 1:]]), [*shape[:axis + 1], count, *shape[axis + 1:]])
        return self.reshape(wide, [*shape[:axis], shape[axis] * count, *shape[axis + 1:]])

    def tiled(self, a: Array, counts: Sequence[Any]) -> Array:
        """The last axes, each as often as its count says, one whole after another; for further counts there are new axes in front."""
        a = self.with_axes(a, range(max(len(counts) - a.rank, 0)))
        for axis, count in zip(range(a.rank - len(counts), a.rank), counts, strict=True):
            if count != 1:
                shape = a.shape
                wide = self.expand(self.reshape(a, [*shape[:axis], 1, *shape[axis:]]), [*shape[:axis], count, *shape[axis:]])
                a = self.reshape(wide, [*shape[:axis], count * shape[axis], *shape[axis + 1:]])
        return a

    def stuffed(self, a: Array, axis: int, step: int) -> Array:
        """``step`` - 1 zeros between two places of an axis."""
        if step == 1:
            return a
        wide = self.pad(self.reshape(a, [*a.shape[:axis + 1], 1, *a.shape[axis + 1:]]), axis + 1, 0, step - 1)
        whole = self.reshape(wide, [*a.shape[:axis], a.shape[axis] * step, *a.shape[axis + 1:]])
        return self.cut(whole, axis, 0, (a.shape[axis] - 1) * step + 1)

    def _numbers(self, a: Array) -> tuple[Any, ...] | None:
        """The numbers of a small table along one axis, which moves alone have changed."""
        op = self.graph.ops[a.node]
        while op.kind in ("reshape", "spread", "permute"):
            op = self.graph.ops[op.args[0]]
        if op.kind != "table" or sum(n != 1 for n in a.shape) > 1 or not same(sp.Mul(*a.shape), sp.Integer(len(op.more[1]))):
            return None
        return tuple(op.more[1])

    def put_at(self, a: Array, places: Sequence[Array], values: Array) -> Array:
        """a with other values at the places that index arrays name along its first axes, none of them twice."""
        test, wide, lead = self._there(a, places, values)
        if not lead:
            return self.map("select", test, wide, a)
        return self.map("select", self.any(test, range(lead)), self.sum(self.map("select", test, wide, 0), range(lead)), a)

    def all_different(self, a: Array) -> bool:
        """Is an array of places along one axis known to name each at most once, as 0, 1, … does?"""
        op, size = self.graph.ops[a.node], sp.Mul(*a.shape)
        if sum(n != 1 for n in a.shape) > 1:
            return False
        if op.kind == "map" and op.more[0] == "select":  # p + n where p < 0, else p: and none is below 0
            below = self.graph.ops[op.args[0]]
            zero = self.graph.ops[below.args[1]] if below.kind == "map" and below.more[0] == "lt" and below.args[0] == op.args[2] else None
            return zero is not None and zero.kind == "number" and zero.more[0] == 0 and self.all_different(Array(op.args[2], a.shape))
        if op.kind == "table":
            return bool(len(op.more[1]) == size and len(set(op.more[1])) == size and all(n >= 0 for n in op.more[1]))
        if op.kind == "iota":
            return same(sp.Mul(*op.more[1]), size)
        return op.kind in ("permute", "reshape", "spread") and self.all_different(Array(op.args[0], a.shape))

    def _lead(self, places: Sequence[Array]) -> Shape:
        lead: Shape = ()
        for p in places:
            lead = self._joined(lead, p.shape)
        return lead

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
        test, wide, lead = self._there(a, places, values)
        new = self.map("select", test, wide, 0)
        return self.map("add", a, self.sum(new, range(lead)) if lead else new)

    def _there(self, a: Array, places: Sequence[Array], values: Array) -> tuple[Array, Array, int]:
        """(is this the place that is named, the values, how many axes the index arrays have): their axes first, then all of a's."""
        count, lead = len(places), self._lead(places)
        rest = a.shape[count:]
        test: Array | None = None
        for k, p in enumerate(places):
            own = self.iota([*[1] * len(lead), *[n if j == k else 1 for j, n in enumerate(a.shape)]], len(lead) + k)
            numbers = self._numbers(p)
            if numbers is not None and len(lead) == 1 and lead[0] == len(numbers):  # one place after another
                turn = self.iota([lead[0], *[1] * a.rank], 0)
                each = [self.map("and", self.map("eq", turn, j), self.map("eq", own, n)) for j, n in enumerate(numbers)]
                here = each[0]
                for other in each[1:]:
                    here = self.map("or", here, other)
            else:
                here = self.map("eq", self.reshape(self.expand(p, lead), [*lead, *[1] * a.rank]), own)
            test = here if test is None else self.map("and", test, here)
        assert test is not None
        return test, self.reshape(self.expand(values, (*lead, *rest)), [*lead, *[1] * count, *rest]), len(lead)

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
