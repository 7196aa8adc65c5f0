"""Entries of tensors, numbers and conditions on indices as NumPy source: slices where they do, index arrays elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Self

import sympy as sp

from symnet.arrays.one_hot_sums import sure
from symnet.arrays.tree import Labels, Leaf, Masked, Node
from symnet.backends.brackets import whole
from symnet.core.axes import Axis, Range, bounds, inside, nonnegative
from symnet.core.expressions import entries
from symnet.core.guards import guard_ranges, narrowed
from symnet.core.program import Program
from symnet.core.tensors import Tensor, entry_indices, tensor_name
from symnet.errors import DomainError, UnknownNodeError

LARGEST = sp.Integer(2) ** 1024 - 2**970  # from here on float64 rounds to infinity
COMPARE = {sp.Gt: ">", sp.Ge: ">=", sp.Lt: "<", sp.Le: "<=", sp.Eq: "==", sp.Ne: "!="}


class IndexCode:
    """Source for leaves of the array tree; ``names`` maps a tensor to its Python name, ``sizes`` a size likewise."""

    def __init__(self, program: Program, names: Mapping[str, str], sizes: Mapping[str, str] | None = None) -> None:
        self.tensors: Mapping[str, Tensor] = program.tensors
        self.names = names
        self.sizes = sizes or {}
        self.least = program.least
        self.loops: Mapping[sp.Symbol, Range] = {}

    def inside(self, loops: Mapping[sp.Symbol, Range]) -> Self:
        """The same for lines inside loops whose variables run over these ranges."""
        made = copy(self)
        made.loops = loops
        return made

    def number(self, value: sp.Expr) -> str:
        """A number, a size or an index expression."""
        if isinstance(value, sp.Rational) and abs(value) > LARGEST:
            raise DomainError("compile", "a number that float64 does not hold", "numbers below 1.8e308")
        if isinstance(value, sp.Integer):
            return str(int(value))
        if isinstance(value, sp.Rational):
            return f"({int(value.p)}/{int(value.q)})"
        if value in (sp.pi, sp.E):
            return {sp.pi: "np.pi", sp.E: "np.e"}[value]
        if isinstance(value, sp.Symbol):
            return self.sizes.get(str(value), self.names.get(str(value), str(value)) if not value.is_integer else value.name)
        if isinstance(value, sp.Add):
            first, *rest = sorted(value.args, key=lambda a: (a.could_extract_minus_sign(), a.is_number, str(a)))
            tail = "".join(f" - {self.number(-a)}" if a.could_extract_minus_sign() else f" + {self.number(a)}" for a in rest)
            return f"({self.number(first)}{tail})"
        if isinstance(value, sp.Mul):
            return "(" + "*".join(self.number(a) for a in value.args) + ")"
        if isinstance(value, sp.Pow) and value.exp.is_Integer and value.exp > 0:
            return f"{self.number(value.base)}**{int(value.exp)}"
        if isinstance(value, sp.Abs):
            return f"abs({self.number(value.args[0])})"
        if isinstance(value, sp.Mod):
            return f"({self.number(value.args[0])} % {self.number(value.args[1])})"
        if isinstance(value, sp.floor):
            above, below = sp.fraction(sp.together(value.args[0]))
            return f"({self.number(above)} // {self.number(below)})"
        raise UnknownNodeError("numpy", f"the number {value}", "sizes and whole numbers")

    def aligned(self, node: Node, labels: Labels) -> str:
        """``node`` as an array that broadcasts over ``labels``, in this order."""
        raise NotImplementedError

    def data(self, expr: sp.Basic, labels: Labels, spans: Mapping[sp.Symbol, Range]) -> dict[sp.Basic, sp.Symbol]:
        """The source of every entry in an index or a condition, laid along its axes among ``labels``."""
        found: dict[sp.Basic, sp.Symbol] = {}
        for e in entries(expr):
            if isinstance(e, sp.Indexed):
                own = tuple(dict.fromkeys(s for p in e.indices for s in sorted(p.free_symbols, key=str) if s in spans))
                leaf = Leaf(own, tensor_name(e), entry_indices(e), tuple((s, spans[s]) for s in own))
                found[e] = sp.Symbol(self.aligned(leaf, labels))
        return found

    def leaf(self, node: Leaf) -> str:
        name, axes = self.names[node.name], self.tensors[node.name].axes
        if not axes:
            return name
        spans = dict(node.spans)
        pairs = list(zip(node.places, axes, strict=True))
        if all(isinstance(p, sp.Symbol) and p in spans and spans[p] == a.range for p, a in pairs) \
                and len(set(node.places)) == len(node.places):
            return name
        simple = [self._slice(p, a.range, spans) for p, a in zip(node.places, axes, strict=True)]
        held = [s for p in node.places for s in p.free_symbols if s in spans]
        if None not in simple and len(set(held)) == len(held):  # A[i, i-1] is a diagonal: a slice for each place would be a block
            return f"{name}[{', '.join(str(s) for s in simple)}]"
        row = self._row(node, pairs, spans)
        if row is not None:
            return f"{name}[{row}]"
        gathered = ", ".join(self.position(p, a.range, node, spans) for p, a in zip(node.places, axes, strict=True))
        filled = all(nonnegative(sp.expand(a.upper - a.lower), self.least) for a in axes)
        return f"{name}[{gathered}]" if filled else f"gathered({name}, {gathered})"

    def _row(self, node: Leaf, pairs: list[tuple[sp.Expr, Axis]], spans: Mapping[sp.Symbol, Range]) -> str | None:
        """x of E[x]: the first place is an entry, the others are whole axes of their own."""
        (first, axis), *rest = pairs
        own = tuple(p for p, _ in rest)
        if next(entries(first), None) is None or any(spans.get(p) != a.range for p, a in rest) or len(set(own)) < len(own) \
                or first.free_symbols & set(own):  # X[Y[n, i], i] is one entry of a row each, not rows
            return None
        front = node.labels[:len(node.labels) - len(own)]
        return self.position(first, axis.range, Leaf(front, "", ()), spans) if (*front, *own) == node.labels else None

    def _slice(self, place: sp.Expr, axis: Range, spans: Mapping[sp.Symbol, Range]) -> str | None:
        """A plain slice or fixed position along one axis; None when the place mixes indices."""
        used = [s for s in place.free_symbols if s in spans]
        if not used:
            return self._single(place, axis)
        every = place.coeff(used[0], 1)
        shift = sp.expand(place - every * used[0])
        if len(used) != 1 or shift.free_symbols & set(spans) or not (every.is_Integer and every > 0):
            return None
        lo, hi = (sp.expand(every * end) for end in spans[used[0]])
        start, stop = sp.expand(lo + shift - axis[0]), sp.expand(hi + shift - axis[0] + 1)
        if every == 1 and start == 0 and sp.expand(stop - (axis[1] - axis[0] + 1)) == 0:
            return ":"
        # Under a bracket an index may leave the axis: NumPy would cut such a slice short in silence, so it is gathered.
        step = f":{every}" if every > 1 else ""
        ends = [bounds(sp.expand(end + shift), self.loops) for end in (lo, hi)]
        stays = ends[0] is not None and ends[1] is not None and inside((ends[0][0], ends[1][1]), axis)
        return f"{self.number(start)}:{self.counted(stop)}{step}" if stays else None

    def counted(self, count: sp.Expr) -> str:
        """A number of places, or the end of a slice: 0 where a range such as 1..n - 3 is empty; NumPy reads what is below 0 otherwise."""
        low, code = bounds(count, self.loops), self.number(count)
        if low is not None and nonnegative(low[0], self.least):
            return code
        return f"max({code[1:-1] if whole(code) else code}, 0)"

    def length(self, span: Range) -> str:
        """How many places a range has."""
        return self.counted(sp.expand(span[1] - span[0] + 1))

    def _single(self, place: sp.Expr, axis: Range) -> str:
        """One place; a loop, or the 2 of x[2], may lead out of the axis where a bracket says that nothing is looked at."""
        span = bounds(sp.expand(place), self.loops) if self.loops and place.free_symbols & set(self.loops) else (place, place)
        code = self._whole(sp.expand(place - axis[0]))
        if span is not None and inside(span, axis, self.least):
            return code
        return f"min(max({code}, 0), {self.number(sp.expand(axis[1] - axis[0]))})"

    def _whole(self, terms: sp.Expr) -> str:
        """A place as a whole number: s/2 is s // 2, under the bracket that asks for an even s."""
        below = int(sp.ilcm(1, *[c.q for c in terms.as_coefficients_dict().values()]))
        return self.number(terms) if below == 1 else f"({self.number(sp.expand(below * terms))} // {below})"

    def position(self, place: sp.Expr, axis: Range, node: Leaf, spans: Mapping[sp.Symbol, Range]) -> str:
        """Positions along one axis as an integer array over the node's labels; what falls outside is masked elsewhere."""
        terms = sp.expand(place - axis[0])
        data = self.data(terms, node.labels, spans)
        safe = bool(data) and sure(place, axis, self.tensors)
        terms = terms.xreplace(data)
        below = int(sp.ilcm(1, *[c.q for c in terms.as_coefficients_dict().values()]))  # a stride: whole under its bracket
        if place.is_Symbol and spans.get(place) == axis:
            return self.grid(place, (sp.S.Zero, sp.expand(axis[1] - axis[0])), node.labels)
        there = {s: sp.Symbol(self.grid(s, spans[s], node.labels)) for s in terms.free_symbols if s in spans}
        if not there and not data:
            return self._single(place, axis)
        code = self.number(sp.expand(below * terms).xreplace(there)) + (f" // {below}" if below > 1 else "")
        top = self.number(sp.expand(axis[1] - axis[0]))
        return f"np.clip({code}, 0, {top})" if (there or data) and not safe else code

    def grid(self, s: sp.Symbol, span: Range, labels: Labels) -> str:
        """The values of an index, laid along its axis among ``labels``."""
        values = f"np.arange({self.ends(span)})"
        shape = ", ".join(":" if t == s else "None" for t in labels)
        return values if len(labels) == 1 else f"{values}[{shape}]"

    def ends(self, span: Range) -> str:
        return f"{self.number(span[0])}, {self.number(sp.expand(span[1] + 1))}"

    def mask(self, node: Masked) -> str:
        """The condition of a bracket over the node's labels."""
        return " & ".join(f"({self._test(*part)})" for part in self._parts(node))

    def _parts(self, node: Masked) -> list[tuple[sp.Basic, Mapping[sp.Symbol, sp.Symbol]]]:
        spans = dict(node.spans)
        data = self.data(node.condition, node.labels, spans)
        condition = node.condition.xreplace(data)
        there = {s: sp.Symbol(self.grid(s, spans[s], node.labels)) for s in condition.free_symbols if s in spans}
        return [(p, there) for p in sp.And.make_args(condition)]

    def apart(self, node: Masked) -> tuple[Node, sp.Basic]:
        """A bracket without the parts that are comparisons of sizes and loop variables alone, and these parts."""
        labels = {s for s, _ in node.spans}
        parts = sp.And.make_args(node.condition)
        plain = [p for p in parts if not p.free_symbols & labels and next(entries(p), None) is None]
        if not plain:
            return node, sp.true
        rest = sp.And(*[p for p in parts if p not in plain])
        return node.body if rest is sp.true else replace(node, condition=rest), sp.And(*[p for p in plain if not self._always(p)])

    def _always(self, part: sp.Basic) -> bool:
        """True for a comparison that holds wherever the loops stand."""
        if not isinstance(part, (sp.Ge, sp.Le)) or not self.loops:
            return False
        span = bounds(sp.expand(part.gts - part.lts), self.loops)
        return span is not None and nonnegative(span[0])

    def where(self, condition: sp.Basic) -> Self:
        """The same for what is looked at only where a comparison of loop variables holds."""
        return self.inside(narrowed(self.loops, guard_ranges(condition, self.loops))) if self.loops else self

    def test(self, condition: sp.Basic) -> str:
        """A comparison of sizes and loop variables, as Python's."""
        return " and ".join(self._test(p, {}) for p in sp.And.make_args(condition))

    def _test(self, part: sp.Basic, there: Mapping[sp.Symbol, sp.Symbol]) -> str:
        if type(part) not in COMPARE:
            raise UnknownNodeError("numpy", f"the condition {part}", "comparisons of indices")
        # (i + 1)/3 <= 2 is compared as i + 1 <= 6: thirds would be rounded
        below = sp.ilcm(1, *[c.q for side in part.args for c in sp.expand(side).as_coefficients_dict().values()])
        left, right = (self._index_code(sp.expand(below * a) if below > 1 else a, there) for a in part.args)
        return f"{left} {COMPARE[type(part)]} {right}"

    def _index_code(self, expr: sp.Expr, there: Mapping[sp.Symbol, sp.Symbol]) -> str:
        return self.number(expr.xreplace(dict(there)))
