"""The array tree as C99 for given sizes: one loop nest for each array, the expression of an entry inside it.

What needs a loop of its own (sums, softmaxes, determinants) gets an array or a number of its own first, and so does what is costly and
would be computed again: the same for another index, or in another line. Equal loop nests become one function, called with other arrays.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import Any, final

import sympy as sp

from symnet.arrays import stable_functions as st
from symnet.arrays.lowering import Lowering
from symnet.arrays.tree import (
    Apply,
    Cases,
    Contract,
    Crossed,
    Labels,
    Leaf,
    LogSum,
    LogWeighted,
    Masked,
    Node,
    Number,
    OfMatrix,
    Others,
    OtherTerms,
    Scatter,
    Softmax,
    is_inverse,
    sign_of,
    without_sign,
)
from symnet.backends.brackets import atom, divisor, factor
from symnet.backends.c_functions import CALLS, CHEAP
from symnet.backends.c_kernel import Kernel, Line, Memory
from symnet.backends.c_text import decimal, literal, mentions, numbers, renamed, term, unbracketed
from symnet.backends.index_code import COMPARE
from symnet.backends.node_keys import Formula, Temp, key, norm_of, parts
from symnet.backends.numpy_code import joined
from symnet.backends.places import Place, Span
from symnet.core import functions as fn
from symnet.core.axes import Range
from symnet.core.expressions import Limits, entries, fresh
from symnet.core.program import Definition, Program
from symnet.core.schedule import Block, schedule
from symnet.core.tensors import Tensor, entry_indices, tensor_name
from symnet.errors import UnknownNodeError

Spans = Mapping[sp.Symbol, Range]
HEAVY = (Contract, Softmax, Others, OtherTerms, Crossed, LogSum, LogWeighted, Scatter, OfMatrix)
MANY = 32768  # multiplications of a product that goes to a library
MOST = 2**31 - 1  # an int
OFTEN = 4  # calls of one function
LONG = 16  # terms of a sum that are worth being added in several parts at once
SMALL = 64  # a row of a product that is kept beside the sums, in registers where there are enough


@final
class CCode:
    """The C of one file: functions for loop nests, shared by all parts of it; ``part`` begins another part, with arrays of its own."""

    def __init__(self, sizes: Mapping[sp.Symbol, int], fast: bool = False) -> None:
        self.sizes = {s: sp.Integer(n) for s, n in sizes.items()}
        self.fast = fast  # for this machine's compiler: products of many numbers by a library, or one rounding for a*b + c
        self.functions: dict[tuple[str, str], str] = {}  # (signature, body) -> name
        self.calls: Counter[str] = Counter()
        self.numbers = 0

    # a part of the file: one program

    def part(self, program: Program, results: Iterable[str]) -> list[Line]:
        """The statements that compute a program."""
        self.program, self.results = program, set(results)
        self.tensors: Mapping[str, Tensor] = program.tensors
        self.memory: dict[str, Memory] = {}
        self.known: dict[Any, tuple[str, tuple[int, ...]]] = {}
        self.shares: dict[str, tuple[Labels, Softmax]] = {}  # lines that are a softmax
        self.loops: dict[sp.Symbol, Place] = {}
        self.turns: dict[str, Span] = {}
        self.lines: list[Line] = []
        for t in program.tensors.values():
            kind = "int" if t.domain == "index" else "real"
            self.memory[c_name(t.name)] = Memory(tuple(self.whole(s) for s in t.shape), tuple(self.whole(a.lower) for a in t.axes), kind)
        self._count(program)
        made: set[str] = set()
        for block in schedule(program):
            for d in block.definitions:
                pieces = len(program.by_name[d.name]) > 1 or block.is_loop or not self._all(d)
                if pieces and d.name not in made and d.target.axes:
                    name = c_name(d.name)
                    self.lines.append(Line(f"memset({name}, 0, {self.memory[name].count}*sizeof(real));", (name,)))
                made.add(d.name)
            self._block(block, ())
        return self.lines

    def whole(self, expr: sp.Expr) -> int:
        """A number that the sizes tell."""
        value = sp.expand(expr.xreplace(self.sizes)) if expr.free_symbols else expr
        if not value.is_Integer:
            raise UnknownNodeError("c", f"the size {expr}", "a size that the given sizes tell")
        return int(value)

    def _all(self, d: Definition) -> bool:
        return all(i in d.free and span == a.range for i, span, a in zip(d.indices, d.slice(), d.target.axes, strict=True))

    def _node(self, d: Definition, there: Mapping[sp.Basic, sp.Expr]) -> tuple[Node, dict[sp.Symbol, Range]]:
        free = {i: span for i, span in d.free.items() if i not in there}
        return Lowering(free, self.tensors).node(fresh(d.expr.xreplace(dict(there)))), free

    def _count(self, program: Program) -> None:
        """How often what is costly is asked for, in all lines together."""
        self.asked: Counter[Any] = Counter()
        self.nodes: dict[Definition, tuple[Node, dict[sp.Symbol, Range]]] = {}
        for block in schedule(program):
            if block.definition is not None:
                self.nodes[block.definition] = self._node(block.definition, {})
                self._ask(self.nodes[block.definition][0])

    def _ask(self, node: Node) -> None:
        for part in parts(node):
            if isinstance(part, Apply) and part.function in (fn.sigmoid, st.bell):
                self.asked["falling", key(part.args[0])[0]] += 1
            elif isinstance(part, Apply) and costly(part):
                self.asked[key(part)[0]] += 1

    # blocks and definitions

    def _block(self, block: Block, around: tuple[tuple[sp.Symbol, Mapping[str, tuple[int, int]]], ...]) -> None:
        if block.definition is not None:
            self._assignment(block.definition, around)
            return
        ends = [(self.whole(lo), self.whole(hi)) for lo, hi in block.turns()]
        low, high = min(lo for lo, _ in ends), max(hi for _, hi in ends)
        if low > high:
            return
        name = f"t{len(around) + 1}"
        variable = sp.Dummy(name, integer=True)
        kept, known = self.lines, dict(self.known)
        self.lines = []
        self.loops[variable], self.turns[name] = Place(((name, 1),)), (low, high)
        along = {n: (axis, shift) for n, axis, shift in block.along}
        for step in block.steps:
            self._block(step, (*around, (variable, along)))
        del self.turns[name]
        head = f"for (int {name} = {low}; {name} <= {high}; {name}++)" if block.ascending else \
            f"for (int {name} = {high}; {name} >= {low}; {name}--)"
        kept.append(Line(head, (), self.lines))
        self.lines, self.known = kept, known

    def _assignment(self, d: Definition, around: tuple[tuple[sp.Symbol, Mapping[str, tuple[int, int]]], ...]) -> None:
        places, there, tests = list(d.indices), dict[sp.Basic, sp.Expr](), list[str]()
        kept_turns = dict(self.turns)
        for variable, along in around:
            axis, shift = along[d.name]
            low, high = (self.whole(end) - shift for end in d.slice()[axis])
            if d.indices[axis] in d.free:
                there[d.indices[axis]] = places[axis] = variable + shift
            (name, _), = self.loops[variable].terms
            first, last = self.turns[name]
            if low > last or high < first:
                return
            if low == high and (first, last) != (low, high):
                tests.append(f"{name} == {low}")
            else:
                tests += [f"{name} >= {low}"] * (low > first) + [f"{name} <= {high}"] * (high < last)
            self.turns[name] = (max(low, first), min(high, last))
        kept, known = self.lines, dict(self.known)
        if tests:
            self.lines = []
        node, free = self.nodes[d] if not there and d in self.nodes else self._node(d, there)
        target = Leaf(tuple(i for i in d.indices if i in free), d.name, tuple(places), tuple((s, r) for s, r in free.items()))
        self.fill(target, c_name(d.name), node, free)
        if not there and self._through(target, target.labels) and (isinstance(node, HEAVY) or (isinstance(node, Apply) and costly(node))):
            mark, order = key(node)
            if isinstance(node, Softmax) and node.weight is None and not node.others and not node.logarithm:
                self.shares[d.name] = (target.labels, node)
            if set(target.labels) == set(node.labels):  # an equal expression in another line is this one
                self.known.setdefault(mark, (c_name(d.name), tuple(order.index(s) for s in target.labels)))
        if tests:
            kept.append(Line(f"if ({' && '.join(tests)})", (), self.lines))
            self.lines, self.known = kept, known
        self.turns = kept_turns

    # arrays and numbers of their own

    def fill(self, target: Leaf | Temp, name: str, node: Node, spans: Spans) -> None:
        """Compute ``node`` into ``target``, which has all labels of it."""
        if any(self.length(spans[s]) == 0 for s in target.labels):
            return
        labels = target.labels
        if isinstance(node, Contract) and set(node.labels) == set(labels):
            self._contract(target, name, node, spans)
            return
        if isinstance(node, Scatter) and set(node.labels) == set(labels):
            self._scatter(target, name, node, spans)
            return
        flat = self.flat(node, spans, labels, own=True)
        if not labels and not self.memory[name].sizes:
            self.number(name, flat)
            return
        k = self.kernel()
        if self._dense(target, flat):
            count = self.memory[name].count
            with k.loop(None, Place(), count) as variable:
                k.line(f"{k.argument(name, 'real *')}[{variable}] = {unbracketed(self.entry(flat, k, variable))};")
        else:
            self._loops(k, labels, spans, lambda: k.line(
                f"{self.access(k, name, self._places(target), 'real *')} = {unbracketed(self.entry(flat, k))};"))
        self.call(k)

    def number(self, name: str, node: Node) -> None:
        """``const real name = …;``."""
        k = self.kernel()
        text = self.entry(node, k)
        text = renamed(text, {inner: outer for outer, (inner, _) in k.arguments.items()})  # nothing of it is inside a function
        self.lines.append(Line(f"const real {name} = {unbracketed(text)};", tuple(k.arguments)))

    def _dense(self, target: Leaf | Temp, flat: Node) -> bool:
        """True when target and node go through the same places of memory in the same order, so that one loop does."""
        if not self._through(target, target.labels):
            return False
        leaves = list(parts(flat))
        if any(isinstance(n, (Number, Masked)) and n.labels for n in leaves):
            return False
        return all(self._through(n, target.labels) if n.labels else True for n in leaves if isinstance(n, (Leaf, Temp))) and len(
            target.labels) > 1

    def _through(self, leaf: Leaf | Temp, labels: Labels) -> bool:
        """True for a whole array whose axes are the labels in this order."""
        spans = dict(leaf.spans)
        places = leaf.labels if isinstance(leaf, Temp) else leaf.places
        if tuple(places) != labels or next((e for p in places for e in entries(p)), None) is not None:
            return False
        there = self.memory[self.named(leaf)]
        return bool(there.sizes) and all(s in spans and self.whole(spans[s][0]) == f and self.length(spans[s]) == n
                                         for s, f, n in zip(labels, there.first, there.sizes, strict=True))

    def temp(self, node: Node, spans: Spans, known: tuple[Any, list[sp.Symbol]] | None = None) -> Temp:
        """What was computed before for an equal node, or else computed now."""
        mark, order = key(node) if known is None else known
        if mark in self.known:
            name, numbers = self.known[mark]
            own = tuple(order[n] for n in numbers)
            return Temp(own, name, tuple((s, spans[s]) for s in own))
        made = self.array(node.labels, spans)
        self.fill(made, made.name, node, spans)
        self.known[mark] = (made.name, tuple(order.index(s) for s in node.labels))
        return made

    def array(self, labels: Labels, spans: Spans) -> Temp:
        """A new array over the labels, or a number."""
        self.numbers += 1
        name = f"{'s' if labels else 'x'}{self.numbers}"
        self.memory[name] = Memory(tuple(self.length(spans[s]) for s in labels), tuple(self.whole(spans[s][0]) for s in labels))
        return Temp(labels, name, tuple((s, spans[s]) for s in labels))

    def length(self, span: Range) -> int:
        """How many places a range has."""
        return max(self.whole(sp.expand(span[1] - span[0] + 1)), 0)

    def flat(self, node: Node, spans: Spans, around: Labels, own: bool = False) -> Node:
        """The tree without what needs loops of its own; it will be computed for each place of the labels ``around``. With ``own`` it
        gets an array of its own anyway."""
        if isinstance(node, (Leaf, Number, Temp)):
            return node
        if isinstance(node, Formula):
            return replace(node, args=tuple(self.flat(a, spans, around) for a in node.args))
        if isinstance(node, Apply):
            square = norm_of(node)
            if square is not None:
                return self._norm(node, *square, spans)
            if node.function in (fn.sigmoid, st.bell):
                canonical, order = key(node.args[0])
                if self.asked["falling", canonical] > 1:
                    inner = Formula(node.labels, "falling({0})", node.args)
                    e = self.temp(inner, spans, (("falling", canonical), order))
                    if node.function is st.bell:
                        return Formula(node.labels, "bell_of({0})", (e,))
                    return Formula(node.labels, "sigmoid_of({0}, {1})", (self.flat(node.args[0], spans, around), e))
            if costly(node) and not own and (len(set(node.labels)) < len(set(around)) or self.asked[key(node)[0]] > 1):
                return self.temp(node, spans)
            return replace(node, args=tuple(self.flat(a, spans, around) for a in node.args))
        if isinstance(node, Masked):
            return replace(node, body=self.flat(node.body, spans, around))
        if isinstance(node, Cases):
            return Cases(node.labels, tuple((self.flat(v, spans, around), r, None if a is None else self.flat(a, spans, around),
                                             None if b is None else self.flat(b, spans, around)) for v, r, a, b in node.branches))
        if isinstance(node, (Softmax, LogSum)):
            return self._softmax(node, spans, around)
        if isinstance(node, Others) and isinstance(node.body, Leaf) and node.body.name in self.shares:
            return self._other_shares(node, node.body, spans) or self._by_line(node, spans)
        if isinstance(node, (Others, OtherTerms, Crossed, LogWeighted)):
            return self._by_line(node, spans)
        if isinstance(node, OfMatrix):
            return self._of_matrix(node, spans)
        if isinstance(node, (Contract, Scatter)):
            return self.temp(node, {**spans, **({i: (lo, hi) for i, lo, hi in node.over})})
        raise UnknownNodeError("c", type(node).__name__, "an array expression")

    # sums

    def _contract(self, target: Leaf | Temp, name: str, node: Contract, spans: Spans) -> None:
        """Σ of a product."""
        labels, spans = target.labels, {**spans, **{i: (lo, hi) for i, lo, hi in node.over}}
        counted = [t for t in node.over if not any(t[0] in f.labels for f in node.factors)]
        over = tuple(t for t in node.over if t not in counted)
        if any(self.length(t[1:]) == 0 for t in node.over):
            node, over, counted = Contract(node.labels, (Number((), sp.S.Zero),), ()), (), []
        many = 1
        for t in counted:
            many *= self.length(t[1:])
        numbers = [f for f in node.factors if not f.labels] + ([Number((), sp.Integer(many))] if many != 1 else [])
        factors = [f for f in node.factors if f.labels]
        if not over:
            product = (*numbers, *factors)
            body = product[0] if len(product) == 1 else Apply(node.labels, sp.Mul, product) if product else Number((), sp.S.One)
            self.fill(target, name, body, spans)
            return
        factors = joined(factors, over)
        over = tuple(t for t in over if any(t[0] in f.labels for f in factors))
        bound = [t[0] for t in over]
        if not over:
            self.fill(target, name, Apply(node.labels, sp.Mul, (*numbers, *factors)) if numbers or len(factors) > 1 else factors[0], spans)
            return
        everything = (*labels, *bound)
        if len(factors) == 2 and labels and all(set(f.labels) != set(everything) for f in factors):
            parts_ = [self._operand(f, spans) for f in factors]
            front = [self.flat(n, spans, ()) for n in numbers]
            self._product(target, name, parts_[0], parts_[1], bound, spans, front)
            return
        body = self.flat(factors[0] if len(factors) == 1 else Apply(tuple(dict.fromkeys(s for f in factors for s in f.labels)), sp.Mul,
                                                                     tuple(factors)), spans, everything)
        self._sum(target, name, body, bound, spans, [self.flat(n, spans, ()) for n in numbers])
        return

    def _operand(self, node: Node, spans: Spans) -> Leaf | Temp:
        """A factor of a product, in memory."""
        flat = self.flat(node, spans, node.labels)
        if isinstance(flat, Temp) or (isinstance(flat, Leaf) and self._plain(flat, spans)):
            return flat
        return self.temp(node, spans)

    def _plain(self, leaf: Leaf, spans: Spans) -> bool:
        """True for entries at places that are linear in indices and lie in the array."""
        k = self.kernel()
        for s in leaf.labels:
            self._index(k, s, spans)
        found = self.position(k, c_name(leaf.name), leaf.places)
        return found is not None and all(t in k.ranges for t, _ in found.terms)

    def _index(self, k: Kernel, symbol: sp.Symbol, spans: Spans) -> None:
        """A variable for a label, without a loop."""
        name = k.variable()
        k.ranges[name] = (0, max(self.length(spans[symbol]) - 1, 0))
        k.index[symbol] = Place(((name, 1),)).plus(self.first(spans[symbol]))

    def first(self, span: Range) -> Place:
        """The first value of an index."""
        return Place((), self.whole(span[0]))

    def _sum(self, target: Leaf | Temp, name: str, body: Node, bound: list[sp.Symbol], spans: Spans, front: list[Node]) -> None:
        """Σ of the entries of a body, a partial sum for each index summed over, or along the rows of the result."""
        labels, k = target.labels, self.kernel()
        ahead = "".join(f"{factor(self.entry(n, k))}*" for n in front)
        last, bound = self._last(body), self._in_order(body, bound)
        if labels and last == labels[-1]:
            with self._nest(k, labels[:-1], spans):
                count = self.length(spans[labels[-1]])
                with k.loop(labels[-1], self.first(spans[labels[-1]]), count):
                    k.line(f"{self.access(k, name, self._places(target), 'real *')} = 0;")
                with self._nest(k, bound, spans), k.loop(labels[-1], self.first(spans[labels[-1]]), count):
                    k.line(f"{self.access(k, name, self._places(target), 'real *')} += {unbracketed(self.entry(body, k))};")
                if ahead:
                    with k.loop(labels[-1], self.first(spans[labels[-1]]), count):
                        k.line(f"{self.access(k, name, self._places(target), 'real *')} *= {ahead[:-1]};")
            self.call(k)
            return
        alone = not labels and not self.memory[name].sizes
        with self._nest(k, labels, spans):
            made = self._summed(k, body, bound, spans, 0)
            value = f"{ahead}{made}"
            k.line(f"return {value};" if alone else f"{self.access(k, name, self._places(target), 'real *')} = {value};")
        self.call(k, name if alone else "")

    def _summed(self, k: Kernel, body: Node, bound: Sequence[sp.Symbol], spans: Spans, depth: int) -> str:
        """The lines of a sum; gives the name that holds it."""
        name = f"sum{depth or ''}"
        k.line(f"real {name} = 0;")
        if len(bound) == 1 and self.fast and self.length(spans[bound[0]]) >= LONG:
            k.line(f"#pragma omp simd reduction(+:{name})")
        with k.loop(bound[0], self.first(spans[bound[0]]), self.length(spans[bound[0]])):
            inner = self._summed(k, body, bound[1:], spans, depth + 1) if len(bound) > 1 else unbracketed(self.entry(body, k))
            k.line(f"{name} += {inner};")
        return name

    def _largest(self, body: Node) -> tuple[sp.Expr, ...]:
        """The places of the array with the most axes."""
        found = [n for n in parts(body) if isinstance(n, (Leaf, Temp)) and n.labels]
        largest = max(found, key=lambda n: len(n.labels), default=None)
        return () if largest is None else self._places(largest)

    def _last(self, body: Node) -> sp.Symbol | None:
        """The label along which the largest array of a body lies in memory."""
        last = self._largest(body)[-1:]
        return next((s for p in last for s in sorted(p.free_symbols, key=str) if s in body.labels), None)

    def _in_order(self, body: Node, bound: list[sp.Symbol]) -> list[sp.Symbol]:
        """The indices of a sum in the order in which the largest array lies in memory."""
        there = [s for p in self._largest(body) for s in p.free_symbols]
        return sorted(bound, key=lambda s: there.index(s) if s in there else -1)

    @contextmanager
    def _nest(self, k: Kernel, labels: Iterable[sp.Symbol], spans: Spans) -> Iterator[None]:
        """Loops over labels, the last one inside."""
        rest = list(labels)
        if not rest:
            yield
            return
        with k.loop(rest[0], self.first(spans[rest[0]]), self.length(spans[rest[0]])), self._nest(k, rest[1:], spans):
            yield

    def _loops(self, k: Kernel, labels: Iterable[sp.Symbol], spans: Spans, inside: Any) -> None:
        with self._nest(k, labels, spans):
            inside()

    def _product(self, target: Leaf | Temp, name: str, a: Leaf | Temp, b: Leaf | Temp, bound: list[sp.Symbol], spans: Spans,
                 front: list[Node]) -> None:
        """Σ a·b where each has an index that the other lacks: a matrix product, over as many axes as there are."""
        labels = target.labels
        many = 1
        for s in (*labels, *bound):
            many *= self.length(spans[s])
        if self.fast and many >= MANY and self._by_library(target, name, a, b, bound, spans, front):
            return
        inner = labels[-1]
        if inner not in b.labels or (inner in a.labels and self._last(a) == inner):
            a, b = b, a
        k = self.kernel()
        ahead = "".join(f"{factor(self.entry(n, k))}*" for n in front)
        count = self.length(spans[inner])
        last = self._last(b)
        along = last is not None and last == self._last(a) and last in bound and self.length(spans[last]) >= LONG
        if along:  # an inner product for each entry
            with self._nest(k, labels, spans):
                made = self._summed(k, Apply((), sp.Mul, (a, b)), self._in_order(b, bound), spans, 0)
                k.line(f"{self.access(k, name, self._places(target), 'real *')} = {ahead}{made};")
            self.call(k)
            return
        if self.fast and self._last(b) != inner and inner not in a.labels and len(labels) > 1:  # laid out so that rows are read in order
            turned = self.array((*[s for s in b.labels if s != inner], inner), spans)
            self.fill(turned, turned.name, b, spans)
            b = turned
        with self._nest(k, labels[:-1], spans):
            room = count <= SMALL
            place = "row[{0}]" if room else ""
            if room:
                k.line(f"real row[{count}] = {{0}};")
            else:
                with k.loop(inner, self.first(spans[inner]), count):
                    k.line(f"{self.access(k, name, self._places(target), 'real *')} = 0;")
            common = inner not in a.labels
            with self._nest(k, bound, spans):
                if common:
                    k.line(f"const real by = {self.entry(a, k)};")
                with k.loop(inner, self.first(spans[inner]), count) as variable:
                    left = place.format(variable) if room else self.access(k, name, self._places(target), "real *")
                    k.line(self.added(left, "by" if common else self.entry(a, k), self.entry(b, k)))
            if room or ahead:
                with k.loop(inner, self.first(spans[inner]), count) as variable:
                    there = self.access(k, name, self._places(target), "real *")
                    k.line(f"{there} = {ahead}{place.format(variable) if room else there};")
        self.call(k)

    def _by_library(self, target: Leaf | Temp, name: str, a: Leaf | Temp, b: Leaf | Temp, bound: list[sp.Symbol], spans: Spans,
                    front: list[Node]) -> bool:
        """The product of two large matrices, or of many pairs; False where the result does not lie in rows. An array of which the axes
        do not lie as a matrix is laid out as one first."""
        labels = target.labels
        batch = [s for s in labels if s in a.labels and s in b.labels]
        rows, columns = ([s for s in labels if s in f.labels and s not in batch] for f in (a, b))
        over = self._in_order(b, self._in_order(a, bound))
        k = self.kernel()
        for s in (*labels, *bound):
            self._index(k, s, spans)
        there = self.position(k, name, self._places(target))
        if there is None or not rows or not columns or self._stride(k, there, columns, spans) != 1:
            if there is None or not rows or not columns or self._stride(k, there, rows, spans) != 1:
                return False
            a, b, rows, columns = b, a, columns, rows
        across = self._stride(k, there, rows, spans)
        if across is None or across < self._many(columns, spans):
            return False
        sizes = [self._many(group, spans) for group in (rows, columns, over)]
        operands = []
        for leaf, groups in ((a, (rows, over)), (b, (over, columns))):
            at = self.position(k, self.named(leaf), self._places(leaf))
            strides = [None if at is None else self._stride(k, at, group, spans) for group in groups]
            low, high = (strides[0], self._many(groups[1], spans)) if strides[1] == 1 else (strides[1], self._many(groups[0], spans))
            if None in strides or 1 not in strides or (low or 0) < high:
                copy = self.array((*batch, *groups[0], *groups[1]), spans)
                self.fill(copy, copy.name, leaf, spans)
                leaf, strides = copy, [self._many(groups[1], spans), 1]
            operands.append((leaf, strides))
        k = self.kernel()
        scale = "*".join(factor(self.entry(n, k)) for n in front) or "1"
        with self._nest(k, batch, spans):
            texts = []
            for leaf, kind in ((operands[0][0], "const real *"), (operands[1][0], "const real *"), (target, "real *")):
                for s in (*rows, *columns, *over):
                    k.index[s], k.ranges[f"{s}"] = self.first(spans[s]), (0, 0)
                at = self.position(k, self.named(leaf), self._places(leaf))
                texts.append(k.argument(self.named(leaf), kind) + ("" if str(at) == "0" else f" + {at}"))
            (_, (ar, ac)), (_, (br, bc)) = operands
            args = (*sizes, texts[0], ar, ac, texts[1], br, bc, texts[2], across, scale)
            k.line(f"product({', '.join(map(str, args))});")
        self.call(k)
        return True

    def _many(self, group: Iterable[sp.Symbol], spans: Spans) -> int:
        made = 1
        for s in group:
            made *= self.length(spans[s])
        return made

    def _stride(self, k: Kernel, at: Place, group: list[sp.Symbol], spans: Spans) -> int | None:
        """How far apart two neighbours along indices taken as one lie; None where they do not lie evenly."""
        stride = last = None
        for s in reversed(group):
            (variable, _), = k.index[s].terms
            own = at.factor(variable)
            if stride is not None and own != stride:
                return None
            last = own if last is None else last
            stride = own * self.length(spans[s])
        return last

    def added(self, to: str, a: str, b: str) -> str:
        """``to`` plus a*b; the faster one, with one rounding, where a product is wanted and no comparison can hang on it."""
        return f"{to} = muladd({a}, {b}, {to});" if self.fast else f"{to} += {a}*{b};"

    def _scatter(self, target: Leaf | Temp, name: str, node: Scatter, spans: Spans) -> None:
        """Each term added to the place that its class names."""
        spans = {**spans, **{i: (lo, hi) for i, lo, hi in node.over}}
        bound = [t[0] for t in node.over]
        rest = [s for s in target.labels if s != node.labels[0]]
        body = self.flat(node.body, spans, (*bound, *rest))
        k = self.kernel()
        with self._nest(k, target.labels, spans):
            k.line(f"{self.access(k, name, self._places(target), 'real *')} = 0;")
        with self._nest(k, bound, spans):
            low = self.whole(node.span[0])
            there, below = self.linear(node.place - low, k)
            k.line(f"const int to_class = inside({there.over(below)}, {self.length(node.span) - 1});")
            k.index[node.labels[0]] = Place((("to_class", 1),)).plus(Place((), low))
            k.ranges["to_class"] = (0, self.length(node.span) - 1)
            with self._nest(k, rest, spans):
                k.line(f"{self.access(k, name, self._places(target), 'real *')} += {unbracketed(self.entry(body, k))};")
        self.call(k)

    # functions of lines and matrices

    def _softmax(self, node: Softmax | LogSum, spans: Spans, around: Labels) -> Node:
        """Shares and their relatives from one pass over exp."""
        if isinstance(node, Softmax) and (node.weight is not None or (node.others and node.logarithm)):
            return self._by_line(node, spans)
        axis = node.axis[0]
        spans = {**spans, axis: (node.axis[1], node.axis[2])}
        z = self._in_line(node.body, axis, spans)
        outer = z.labels[:-1]
        canonical, order = key(node.body)
        names = self._remembered(("rest", canonical), order, (axis,), z.labels, outer, spans)
        if names is None:
            e, top, more = self.array(z.labels, spans), self._held(outer, spans), self._held(outer, spans)
            self._line_call("{2} = below_top({n}, {0}, {1});", outer, axis, spans, [z], [e], [top])
            k = self.kernel()
            with k.loop(None, Place(), self.memory[e.name].count) as variable:
                there = f"{k.argument(e.name, 'real *')}[{variable}]"
                k.line(f"{there} = exp({there});")
            self.call(k)
            self._line_call("{3} = besides_top({n}, {0}, {1}, {2});", outer, axis, spans, [z, e], [], [top, more])
            self._remember(("rest", canonical), order, (axis,), z.labels, (z, e, top, more))
        else:
            _, e, top, more = names
        if isinstance(node, LogSum):
            return self._whole_number(Formula(outer, "({0} + log1p({1}))", (top, more)), spans, around)
        if node.logarithm:
            less = self._whole_number(Formula(outer, "log1p({0})", (more,)), spans, around)
            return Formula(node.labels, "(({0} - finite_top({1})) - {2})", (z, top, less))
        if node.others:
            return Formula(node.labels, "other_share({0}, {1}, {2}, {3})", (z, e, top, more))
        return Formula(node.labels, "share({0}, {1}, {2})", (e, top, more))

    def _other_shares(self, node: Others, leaf: Leaf, spans: Spans) -> Node | None:
        """1 - p for a line p that is a softmax."""
        labels, softmax = self.shares[leaf.name]
        if not self._through(leaf, leaf.labels) or leaf.labels.index(node.axis[0]) != labels.index(softmax.axis[0]):
            return None
        place = dict(zip(labels, leaf.labels, strict=True))
        canonical, order = key(softmax.body)
        own = (*[place[s] for s in softmax.body.labels if s != softmax.axis[0]], node.axis[0])
        spans = {**spans, node.axis[0]: node.axis[1:]}
        back = {new: old for old, new in place.items()}
        line = tuple(back[s] for s in own)
        found = self._remembered(("rest", canonical), order, (softmax.axis[0],), line, line[:-1], {s: spans[place[s]] for s in line})
        if found is None:
            return None
        z, e, top, more = [Temp(tuple(place[s] for s in t.labels), t.name, tuple((place[s], r) for s, r in t.spans)) for t in found]
        return Formula(node.labels, "other_share({0}, {1}, {2}, {3})", (z, e, top, more))

    def _whole_number(self, formula: Formula, spans: Spans, around: Labels) -> Node:
        """A formula that would be computed again for other labels gets an array of its own."""
        if len(formula.labels) == len(around):
            return formula
        canonical = ("formula", formula.text, tuple(n.name for n in formula.args if isinstance(n, Temp)))
        return self.temp(formula, spans, (canonical, list(formula.labels)))

    def _remembered(self, mark: Any, order: list[sp.Symbol], axes: Labels, line: Labels, outer: Labels,
                    spans: Spans) -> tuple[Temp, ...] | None:
        found = self.known.get((mark, tuple(order.index(s) for s in axes), tuple(order.index(s) for s in line)))
        if found is None:
            return None
        names = found[0].split()
        return tuple(Temp(own, n, tuple((s, spans[s]) for s in own)) for n, own in zip(names, (line, line, outer, outer), strict=True))

    def _remember(self, mark: Any, order: list[sp.Symbol], axes: Labels, line: Labels, made: tuple[Temp | Leaf, ...]) -> None:
        names = " ".join(self.named(t) for t in made)
        self.known[mark, tuple(order.index(s) for s in axes), tuple(order.index(s) for s in line)] = (names, ())

    def _held(self, labels: Labels, spans: Spans) -> Temp:
        """An array even where it has no axes, so that a function can write there."""
        made = self.array(labels, spans)
        if not labels:
            self.memory[made.name] = Memory((1,), (0,))
        return made

    def _in_line(self, node: Node, axis: sp.Symbol, spans: Spans) -> Temp | Leaf:
        """The array with the axis last, in memory without gaps."""
        labels = (*[s for s in node.labels if s != axis], axis)
        if axis in node.labels or (isinstance(node, (Leaf, Temp)) and self._through(node, labels)):
            return self._in_line_as(node, labels, spans)
        made = self.array(labels, spans)
        self.fill(made, made.name, node, spans)
        return made

    def _line_call(self, text: str, outer: Labels, axis: sp.Symbol | None, spans: Spans, read: list[Temp | Leaf], made: list[Temp],
                   numbers: list[Temp], n: int | None = None, whole_lines: int | None = None) -> None:
        """A function of C on each line of arrays: lines are handed over by their beginning, ``numbers`` by their place."""
        k = self.kernel()
        length = self.length(spans[axis]) if n is None and axis is not None else n or 0
        with self._nest(k, outer, spans):
            texts = []
            for leaf, kind in [*[(x, "const real *") for x in read], *[(x, "real *") for x in made]]:
                own = leaf.labels[:-1] if axis is not None else tuple(s for s in leaf.labels if s in outer)
                at = self._flat_place(k, leaf, own, spans)
                name = k.argument(self.named(leaf), kind)
                texts.append(name if str(at) == "0" else f"{name} + {at}")
            for leaf in numbers:
                at = self._flat_place(k, leaf, leaf.labels, spans)
                texts.append(f"{k.argument(leaf.name, 'real *')}[{at}]")
            k.line(text.format(*texts, n=length))
        self.call(k)

    def _flat_place(self, k: Kernel, leaf: Temp | Leaf, labels: Labels, spans: Spans) -> Place:
        """Where the line of an array begins at which these labels stand."""
        there = self.memory[self.named(leaf)]
        at = Place()
        stride = there.count
        for s, n, first in zip(labels, there.sizes, there.first, strict=False):
            stride //= max(n, 1)
            at = at.plus(k.index[s].plus(Place((), -first)), stride)
        return at

    def _by_line(self, node: Node, spans: Spans) -> Node:
        """The rarer functions along an axis, by a function of C for each line."""
        assert isinstance(node, (Softmax, Others, OtherTerms, Crossed, LogWeighted))
        axis = node.axis[0]
        spans = {**spans, axis: (node.axis[1], node.axis[2])}
        canonical, order = key(node)
        labels = tuple(dict.fromkeys((*[s for s in node.labels if s != axis], axis)))
        outer = labels[:-1]
        reduced = isinstance(node, LogWeighted)
        mark = (canonical, tuple(order.index(s) for s in labels))
        if mark in self.known:
            own = outer if reduced else labels
            return Temp(own, self.known[mark][0], tuple((s, spans[s]) for s in own))

        def line(part: Node) -> Temp | Leaf:
            if set(part.labels) == set(labels):
                return self._in_line_as(part, labels, spans)
            made = self.array(labels, spans)
            self.fill(made, made.name, part, spans)
            return made

        body = line(node.body)
        made = self._held(outer, spans) if reduced else self.array(labels, spans)
        if isinstance(node, Softmax) and node.weight is not None:
            shares = self.array(labels, spans) if node.others else made
            self._line_call("weighted({n}, {0}, {1}, {2});", outer, axis, spans, [body, line(node.weight)], [shares], [])
            if node.others:
                self._line_call("allbut({n}, {0}, {1});", outer, axis, spans, [shares], [made], [])
        elif isinstance(node, Softmax):
            self._line_call("logothers({n}, {0}, {1});", outer, axis, spans, [body], [made], [])
        elif isinstance(node, Others):
            self._line_call("othersofall({n}, {0}, {1});", outer, axis, spans, [body], [made], [])
        elif isinstance(node, OtherTerms):
            self._line_call("sumofothers({n}, {0}, {1});", outer, axis, spans, [body], [made], [])
        elif isinstance(node, Crossed):
            rooms = [self.array((axis,), spans), self.array((axis,), spans)]
            more = [] if node.more is None else [self._number_for(node.more, outer, spans)]
            text = f"crossed({{n}}, {{0}}, {{1}}, {'{5}' if more else '-INFINITY'}, {{2}}, {{3}}, {{4}});"
            self._line_call(text, outer, axis, spans, [line(node.weight), body], [made, *rooms], more)
        else:
            room = self.array((axis,), spans)
            name = "logmean" if node.mean else "logweighted"
            self._line_call(f"{{3}} = {name}({{n}}, {{0}}, {{1}}, {{2}});", outer, axis, spans, [body, line(node.weight)], [room], [made])
        self.known[mark] = (made.name, ())
        return made

    def _number_for(self, node: Node, outer: Labels, spans: Spans) -> Temp:
        """A number for each line."""
        made = self._held(outer, spans)
        if outer:
            self.fill(made, made.name, node, spans)
            return made
        flat, k = self.flat(node, spans, ()), self.kernel()
        k.line(f"{k.argument(made.name, 'real *')}[0] = {unbracketed(self.entry(flat, k))};")
        self.call(k)
        return made

    def _in_line_as(self, node: Node, labels: Labels, spans: Spans) -> Temp | Leaf:
        if isinstance(node, (Leaf, Temp)) and self._through(node, labels):
            return node
        canonical, order = key(node)
        mark = (("line", canonical), tuple(order.index(s) for s in labels))
        if mark in self.known:
            return Temp(labels, self.known[mark][0], tuple((s, spans[s]) for s in labels))
        made = self.array(labels, spans)
        self.fill(made, made.name, node, spans)
        self.known[mark] = (made.name, ())
        return made

    def _norm(self, node: Apply, body: Node, over: tuple[Limits, ...], spans: Spans) -> Node:
        """The root of a sum of squares."""
        canonical, order = key(node)
        mark = (("norm", canonical), tuple(order.index(s) for s in node.labels))
        if mark in self.known:
            return Temp(node.labels, self.known[mark][0], tuple((s, spans[s]) for s in node.labels))
        inner = {**spans, **{i: (lo, hi) for i, lo, hi in over}}
        labels = (*node.labels, *[t[0] for t in over])
        v = self._in_line_as(body, labels, inner)
        made = self._held(node.labels, spans)
        count = 1
        for t in over:
            count *= self.length(t[1:])
        self._line_call("{1} = norm({n}, {0});", node.labels, None, inner, [v], [], [made], count)
        self.known[mark] = (made.name, ())
        return made

    def _of_matrix(self, node: OfMatrix, spans: Spans) -> Node:
        """Determinants, inverses and adjugates, a matrix at a time."""
        rows, columns = node.rows[0], node.columns[0]
        inner = {**spans, rows: node.rows[1:], columns: node.columns[1:]}
        outer = tuple(s for s in node.body.labels if s not in (rows, columns))
        n = self.length(node.rows[1:])
        canonical, order = key(node.body)
        mark = (("matrix", node.kind, canonical), tuple(order.index(s) if s in order else -1 for s in (*outer, rows, columns)))
        turned = node.kind in ("inv", "adj")
        if mark in self.known:
            name = self.known[mark][0]
        else:
            labels = (*outer, rows, columns)
            matrix = self.array(labels, inner)
            self.fill(matrix, matrix.name, node.body, inner)
            made = self.array(labels, inner) if turned else self._held(outer, inner)
            if turned:  # a row of the inverse is a column of the matrix
                first = tuple(self.whole(r[0]) for r in (node.columns[1:], node.rows[1:]))
                kept = self.memory[made.name]
                self.memory[made.name] = Memory(kept.sizes, (*kept.first[:-2], *first))
            name = made.name
            room = self.array((rows, columns), inner)
            call = {"det": "{2} = determinant({n}, {0}, {1}, ROWS);", "logdet": "{2} = logdeterminant({n}, {0}, 1, {1}, ROWS);",
                    "logabsdet": "{2} = logdeterminant({n}, {0}, 0, {1}, ROWS);", "inv": "inverse({n}, {0}, {1}, {2}, ROWS);",
                    "adj": "adjugate({n}, {0}, {1}, {2}, ROWS);"}[node.kind].replace("ROWS", "rows")
            k = self.kernel()
            k.line(f"int rows[{max(n, 1)}];")
            with self._nest(k, outer, inner):
                order_ = [(matrix, "const real *"), *([(made, "real *"), (room, "real *")] if turned else [(room, "real *")])]
                texts = []
                for leaf, kind in order_:
                    at = self._flat_place(k, leaf, tuple(s for s in leaf.labels if s in outer), inner)
                    texts.append(k.argument(leaf.name, kind) + ("" if str(at) == "0" else f" + {at}"))
                if not turned:
                    texts.append(f"{k.argument(made.name, 'real *')}[{self._flat_place(k, made, made.labels, inner)}]")
                k.line(call.format(*texts, n=n))
            self.call(k)
            self.known[mark] = (name, ())
        if not turned:
            return Temp(outer, name, tuple((s, spans[s]) for s in outer))
        return Leaf(node.labels, "\0" + name, (*outer, *node.places), (*node.spans, *[(s, spans[s]) for s in outer]))

    # entries

    def kernel(self) -> Kernel:
        """A loop nest to be written, inside the loops around it."""
        return Kernel(self.loops, self.turns)

    def named(self, leaf: Leaf | Temp) -> str:
        """The name in the source."""
        return leaf.name if isinstance(leaf, Temp) else c_name(leaf.name)

    def _places(self, target: Leaf | Temp) -> tuple[sp.Expr, ...]:
        return target.labels if isinstance(target, Temp) else target.places

    def linear(self, expr: sp.Expr, k: Kernel) -> tuple[Place, int]:
        """An index expression times a number, which makes it whole, and that number."""
        if expr in k.index:
            return k.index[expr], 1
        value = sp.expand(expr.xreplace(self.sizes))
        found = value.as_coefficients_dict()
        below = int(sp.ilcm(1, *[c.q for c in found.values()]))
        made = Place()
        for part, c in found.items():
            times = int(c * below)
            if part == 1:
                made = made.plus(Place((), times))
            elif part in k.index:
                made = made.plus(k.index[part], times)
            else:
                made = made.plus(Place(((self.integer(part, k), 1),)), times)
        return made, below

    def integer(self, expr: sp.Basic, k: Kernel) -> str:
        """A whole number as C."""
        if isinstance(expr, sp.Indexed) or (isinstance(expr, sp.Symbol) and expr not in k.index and str(expr) in self.tensors):
            return self.access(k, c_name(tensor_name(expr)), entry_indices(expr))
        if expr in k.index:
            return atom(str(k.index[expr]))
        expr = expr.xreplace(self.sizes)
        if expr.is_Integer:
            return str(int(expr)) if expr >= 0 else f"({int(expr)})"
        if isinstance(expr, sp.Add):
            return "(" + " + ".join(self.integer(a, k) for a in expr.args) + ")"
        if isinstance(expr, sp.Mul):
            above, under = expr.as_numer_denom()
            if under != 1:
                return f"quotient({self.integer(above, k)}, {self.integer(under, k)})"
            return "(" + "*".join(self.integer(a, k) for a in expr.args) + ")"
        if isinstance(expr, sp.Pow) and expr.exp.is_Integer and expr.exp > 0:
            return "(" + "*".join([self.integer(expr.base, k)] * int(expr.exp)) + ")"
        if isinstance(expr, sp.Mod):
            return f"modulo({self.integer(expr.args[0], k)}, {self.integer(expr.args[1], k)})"
        if isinstance(expr, sp.floor):
            above, under = sp.fraction(sp.together(expr.args[0]))
            return f"quotient({self.integer(above, k)}, {self.integer(under, k)})"
        if isinstance(expr, sp.Abs):
            text = self.integer(expr.args[0], k)
            return f"({text} < 0 ? -{atom(text)} : {text})"
        raise UnknownNodeError("c", f"the number {expr}", "sizes and whole numbers")

    def position(self, k: Kernel, name: str, places: Sequence[sp.Expr]) -> Place | None:
        """Where an entry lies, kept inside the array; None for an array without entries."""
        there = self.memory[name]
        at, stride = Place(), there.count
        if stride == 0:
            return None
        for place, n, first in zip(places, there.sizes, there.first, strict=True):
            stride //= n
            part, below = self.linear(place, k)
            part = part.plus(Place((), -first * below))
            span = part.span(k.ranges)
            if not (below == 1 and span is not None and span[0] >= 0 and span[1] < n):  # whatever the data say, inside the array
                part = Place(((f"inside({part.over(below)}, {n - 1})", 1),))
            at = at.plus(part, stride)
        return at

    def access(self, k: Kernel, name: str, places: Sequence[sp.Expr], kind: str = "") -> str:
        """One entry."""
        there = self.memory[name]
        if not there.sizes:
            return k.argument(name, "real")
        at = self.position(k, name, places)
        if at is None:
            return "0.0"
        return f"{k.argument(name, kind or f'const {there.kind} *')}[{at}]"

    def entry(self, node: Node, k: Kernel, dense: str = "") -> str:
        """C for one entry of a node without heavy parts; ``dense`` is the variable of a loop through whole arrays."""
        if isinstance(node, (Leaf, Temp)):
            name = self.named(node)
            if dense and node.labels:
                return f"{k.argument(name, f'const {self.memory[name].kind} *')}[{dense}]"
            if isinstance(node, Temp) and not node.labels and self.memory[name].sizes:
                return f"{k.argument(name, 'const real *')}[0]"
            return self.access(k, name, self._places(node))
        if isinstance(node, Number):
            return self._number(node.value, k)
        if isinstance(node, Formula):
            return node.text.format(*[self.entry(a, k, dense) for a in node.args])
        if isinstance(node, Apply):
            return self._apply(node, k, dense)
        if isinstance(node, Masked):
            test = self.test(node.condition, k)
            body = self.entry(node.body, k, dense) if test != "0" else ""
            outside = "-INFINITY" if node.outside is sp.S.NegativeInfinity else literal(node.outside)
            return body if test == "1" else outside if test == "0" else f"({test} ? {body} : {outside})"
        if isinstance(node, Cases):
            text = ""
            for depth, (value, relation, left, right) in enumerate(node.branches):
                code = self.entry(value, k, dense)
                if relation is None or left is None or right is None:
                    return f"{text}{code}" + ")" * depth
                text += f"({self.entry(left, k, dense)} {COMPARE[relation]} {self.entry(right, k, dense)} ? {code} : "
            return text + "NAN" + ")" * len(node.branches)
        raise UnknownNodeError("c", type(node).__name__, "an expression of one entry")

    def _number(self, value: sp.Expr, k: Kernel) -> str:
        value = value.xreplace(self.sizes) if value.free_symbols else value
        if value.is_number:
            return literal(value)
        return f"(real){self.integer(value, k)}"

    def test(self, condition: sp.Basic, k: Kernel) -> str:
        """A condition on indices and data; "1" or "0" where the sizes decide."""
        found = []
        for part in sp.And.make_args(condition):
            part = part.xreplace(self.sizes)
            if part is sp.true:
                continue
            if part is sp.false:
                return "0"
            if type(part) not in COMPARE:
                raise UnknownNodeError("c", f"the condition {part}", "comparisons of indices")
            below = sp.ilcm(1, *[c.q for side in part.args for c in sp.expand(side).as_coefficients_dict().values()])
            wide = [sp.expand(below * a) for a in part.args]
            if sum(self._size(e, k) for e in wide) > MOST:
                raise UnknownNodeError("c", f"the condition {part}, whose numbers are beyond C's int", "smaller numbers",
                                       'backend="numpy"')
            sides = [self.linear(e, k)[0] for e in wide]
            gap = sides[0].plus(sides[1], -1).span(k.ranges)
            if gap is not None and (decided := DECIDED[type(part)](*gap)) is not None:
                if not decided:
                    return "0"
                continue
            found.append(f"{sides[0]} {COMPARE[type(part)]} {sides[1]}")
        return " && ".join(found) if len(found) == 1 else " && ".join(f"({f})" for f in found) or "1"

    def _size(self, expr: sp.Expr, k: Kernel) -> int:
        """How large a whole number may be on the way to its value; what is read from data counts as 0."""
        if expr.is_Rational:
            return int(abs(expr))
        if expr in k.index:
            span = k.index[expr].span(k.ranges)
            return 0 if span is None else max(map(abs, span))
        if isinstance(expr, (sp.Add, sp.Mul)):
            sizes = [self._size(a, k) for a in expr.args]
            return sum(sizes) if isinstance(expr, sp.Add) else math.prod(sizes)
        if isinstance(expr, sp.Pow) and expr.exp.is_Integer and expr.exp > 0:
            return int(self._size(expr.base, k) ** int(expr.exp))
        return 0

    def _apply(self, node: Apply, k: Kernel, dense: str) -> str:
        def one(n: Node) -> str:
            return self.entry(n, k, dense)

        if node.function is sp.Add:
            first, *rest = node.args
            if sign_of(first) < 0 and sign_of(rest[0]) > 0:
                first, rest[0] = rest[0], first
            text = term(one(first))
            for part in rest:
                text += f" - {atom(one(without_sign(part)))}" if sign_of(part) < 0 else f" + {term(one(part))}"
            return f"({text})"
        if node.function is sp.Mul:
            above = [one(n) for n in node.args if not is_inverse(n)]
            below = [one(n.args[0]) for n in node.args if isinstance(n, Apply) and is_inverse(n)]
            if len(above) > 1 and above[0] == "-1.0":
                above = [f"-{atom(above[1])}", *above[2:]]
            top = "*".join(factor(a) for a in above) or "1"
            return f"({top}/{divisor(below)})" if below else f"({top})"
        if node.function is sp.Pow:
            return self._power(node.args[1], one(node.args[0]), one(node.args[1]))
        if node.function in (st.part, st.log_part):
            count = int(node.args[0].value) if isinstance(node.args[0], Number) else 0
            v = [unbracketed(one(n)) for n in node.args[1:]]
            name = "part" if node.function is st.part else "logpart"
            return f"{name}({count}, {len(v)}, (const real[]){{{', '.join(v)}}})"
        if node.function in (st.ratio, st.logratio):
            return self._ratio(node, k, dense)
        if node.function in CALLS:
            args = [one(n) for n in node.args]
            made = CALLS[node.function](*args if node.function in (st.kept, st.exceeds, fn.stop_gradient) else map(unbracketed, args))
            return made
        raise UnknownNodeError("c", node.function.__name__, "a function with a form in C")

    def _power(self, exponent: Node, base: str, shown: str) -> str:
        value = exponent.value if isinstance(exponent, Number) else None
        inner = unbracketed(base)
        forms = {sp.Integer(2): f"square({inner})", sp.Integer(3): f"cube({inner})", sp.Rational(1, 2): f"sqrt({inner})",
                 sp.S.NegativeOne: f"(1/{atom(base)})", sp.Rational(-1, 2): f"(1/sqrt({inner}))", sp.Integer(-2): f"(1/square({inner}))"}
        return forms[value] if value in forms else f"pow({inner}, {unbracketed(shown)})"

    def _ratio(self, node: Apply, k: Kernel, dense: str) -> str:
        u, power, shift, count, *rest = [n if i == 0 else exact(n) for i, n in enumerate(node.args)]
        assert isinstance(u, Node) and isinstance(count, Fraction) and isinstance(power, Fraction) and isinstance(shift, Fraction)
        n = int(count)
        p, q = [c for c in rest[:n] if isinstance(c, Fraction)], [c for c in rest[n:] if isinstance(c, Fraction)]
        text, a = unbracketed(self.entry(u, k, dense)), decimal(shift)
        if node.function is st.ratio:
            return f"ratio({text}, {int(power)}, {a}, {len(p)}, {numbers(p)}, {len(q)}, {numbers(q)})"
        m = max(len(p), len(q))
        ends = [[x - y for x, y in zip(f + [Fraction(0)] * (m - len(f)), g + [Fraction(0)] * (m - len(g)), strict=True)]
                for f, g in ((p, q), (p[::-1], q[::-1]))]
        return f"logratio({text}, {a}, {len(p)}, {numbers(p)}, {len(q)}, {numbers(q)}, {m}, {numbers(ends[0])}, {numbers(ends[1])})"

    # functions

    def call(self, k: Kernel, result: str = "") -> None:
        """The loop nest as a function of its own, and its call."""
        for name in k.arguments:
            if self.memory[name].count > MOST:
                raise UnknownNodeError("c", f"an array of {self.memory[name].count} entries", f"at most {MOST}: places are of type int")
        used = "\n".join(k.lines)
        turns = {t: f"const int {t}" for t in k.outside if mentions(used, t)}
        signature = ", ".join([*[f"{'real *restrict ' if kind == 'real *' else kind + 'restrict ' if '*' in kind else 'const real '}{inner}"
                                 for inner, kind in k.arguments.values()], *turns.values()]) or "void"
        kind = "real" if result else "void"
        name = self.functions.setdefault((f"{kind} {{}}({signature})", used), f"step{len(self.functions) + 1}")
        self.calls[name] += 1
        text = f"{name}({', '.join([*k.arguments, *turns])});"
        self.lines.append(Line(f"const real {result} = {text}" if result else text, tuple(k.arguments)))

    def sources(self) -> Iterator[str]:
        """The functions, in the order of their first use."""
        for (signature, body), name in self.functions.items():
            once = "__attribute__((noinline)) " * (self.fast and self.calls[name] > OFTEN)  # compiled once, not at every call
            yield f"static {once}{signature.format(name)}\n{{\n{body}\n}}\n"


DECIDED: Mapping[type, Any] = {
    sp.Gt: lambda lo, hi: True if lo > 0 else False if hi <= 0 else None,
    sp.Ge: lambda lo, hi: True if lo >= 0 else False if hi < 0 else None,
    sp.Lt: lambda lo, hi: True if hi < 0 else False if lo >= 0 else None,
    sp.Le: lambda lo, hi: True if hi <= 0 else False if lo > 0 else None,
    sp.Eq: lambda lo, hi: True if lo == hi == 0 else False if lo > 0 or hi < 0 else None,
    sp.Ne: lambda lo, hi: False if lo == hi == 0 else True if lo > 0 or hi < 0 else None}


def c_name(name: str) -> str:
    """The name of a tensor in C; that of an array that was made on the way is marked, and stays."""
    return name[1:] if name.startswith("\0") else f"v_{name}"


def costly(node: Apply) -> bool:
    """True for a function that takes many steps of the processor."""
    if node.function is sp.Pow:
        value = node.args[1].value if isinstance(node.args[1], Number) else None
        return not (value is not None and value.is_Integer and -2 <= value <= 3)
    return node.function not in CHEAP


def exact(node: Node) -> Fraction:
    """The number that a node holds."""
    if not isinstance(node, Number) or not isinstance(node.value, sp.Rational):
        raise UnknownNodeError("c", "a coefficient that is no fraction", "numbers")
    return Fraction(int(node.value.p), int(node.value.q))
