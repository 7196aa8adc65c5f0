"""Index expressions on NumPy arrays, to sift candidates fast. A number found here proves nothing; it only says what is worth a proof.

Several points are computed at once: they are the last axis of every array. Every index in scope has an axis of its own before
it, the outermost index the last: what lacks inner indices then broadcasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import sympy as sp

from symnet.core import functions as fn
from symnet.core.axes import Axis
from symnet.core.expressions import When, limits
from symnet.core.functions import Max, Min
from symnet.core.index_evaluation import turns
from symnet.core.matrices import Det, Grid, InverseEntry, Rows
from symnet.core.program import Definition
from symnet.core.schedule import Block
from symnet.core.tensors import Tensor, entry_indices, tensor_name
from symnet.errors import ShapeError, UnknownNodeError

Array = Any  # a NumPy array of floats
Scope = Mapping[sp.Symbol, Array]  # sizes and indices in scope -> their values, each along its own axis
MOST = 4_000_000  # numbers in one array


def _sigmoid(z: Array) -> Array:
    return 0.5 * (1 + np.tanh(z / 2))


def _erf(z: Array) -> Array:
    from math import erf

    return np.vectorize(erf, otypes=[float])(z)


RULES: dict[Any, Callable[..., Array]] = {
    fn.sigmoid: _sigmoid, fn.relu: lambda z: np.maximum(z, 0), fn.step: lambda z: (z > 0) * 1.0,
    fn.leaky_relu: lambda z, s: np.where(z > 0, z, s * z), fn.softplus: lambda z: np.logaddexp(z, 0),
    sp.exp: np.exp, sp.log: np.log, sp.tanh: np.tanh, sp.sinh: np.sinh, sp.cosh: np.cosh, sp.sin: np.sin, sp.cos: np.cos,
    sp.atan: np.arctan, sp.erf: _erf, sp.Abs: np.abs, sp.sign: np.sign, sp.floor: np.floor, sp.Mod: np.mod,
    fn.stop_gradient: lambda z: z,
    **dict.fromkeys((Max, sp.Max), lambda *a: _fold(np.maximum, a)), **dict.fromkeys((Min, sp.Min), lambda *a: _fold(np.minimum, a)),
    sp.Add: lambda *a: _fold(np.add, a), sp.Mul: lambda *a: _fold(np.multiply, a),
    sp.And: lambda *a: _fold(np.logical_and, a), sp.Or: lambda *a: _fold(np.logical_or, a), sp.Not: np.logical_not,
    sp.Eq: np.equal, sp.Ne: np.not_equal, sp.Gt: np.greater, sp.Ge: np.greater_equal, sp.Lt: np.less, sp.Le: np.less_equal,
}


def _fold(function: Callable[[Array, Array], Array], args: tuple[Array, ...]) -> Array:
    result = args[0]
    for a in args[1:]:
        result = function(result, a)
    return result


class SampledPoints:
    """A few points: a number for every size and, for every tensor that has been computed, an array with the points as last axis."""

    def __init__(self, sizes: Mapping[sp.Symbol, int], tensors: Mapping[str, Tensor], points: int = 1) -> None:
        self.sizes = {s: np.asarray(v) for s, v in sizes.items()}
        self.tensors = dict(tensors)
        self.points = points
        self.lane = np.arange(points)
        self.values: dict[str, Array] = {}
        self._known: dict[sp.Basic, Array] = {}  # of one formula after another, which differ at one place
        self._letters: tuple[sp.Symbol, ...] | None = None

    def length(self, axis: Axis) -> int:
        """How many places the axis has here."""
        return int(self._of(axis.size, self.sizes, 0))

    def shape(self, tensor: Tensor) -> list[int]:
        """The shape of the array of ``tensor``."""
        return [*(self.length(a) for a in tensor.axes), self.points]

    def array(self, axes: tuple[Axis, ...], indices: tuple[sp.Symbol, ...], expr: sp.Expr) -> Array:
        """The array of ``expr`` over its free indices, which run over ``axes``, and the points."""
        scope = dict(self.sizes)
        lengths = [self.length(a) for a in axes]
        for k, (i, axis) in enumerate(zip(indices, axes, strict=True), start=1):
            low = int(self._of(axis.lower, self.sizes, 0))
            scope[i] = np.arange(low, low + lengths[k - 1]).reshape(-1, *[1] * k)
        if indices != self._letters:
            self._known, self._letters = {}, indices
        self._outer = len(axes) + 1
        with np.errstate(all="ignore"):
            found = self._of(expr, scope, self._outer)
        self._outer = -1
        full = np.broadcast_to(np.asarray(found, dtype=float), (*reversed(lengths), self.points))
        return full.transpose(*reversed(range(len(axes))), len(axes))

    _outer = -1  # the depth at which parts are remembered

    def copy(self) -> SampledPoints:
        """The same points, to be changed."""
        other = SampledPoints({}, self.tensors, self.points)
        other.sizes, other.values = self.sizes, dict(self.values)
        return other

    def only(self, lanes: list[int]) -> SampledPoints:
        """Some of the points."""
        other = SampledPoints({}, self.tensors, len(lanes))
        other.sizes, other.values = self.sizes, {name: value[..., lanes] for name, value in self.values.items()}
        return other

    def run(self, blocks: Iterable[Block]) -> None:
        """Compute the definitions of ``blocks`` in order."""
        started: set[str] = set()
        for block in blocks:
            for d in block.definitions:
                if d.name not in started:  # a new array: the old one may be shared with a copy
                    started.add(d.name)
                    self.tensors.setdefault(d.name, d.target)
                    self.values[d.name] = np.zeros(self.shape(d.target))
            for d, at in self._in_order(block, {}):
                self.fill(d, at)

    def _in_order(self, block: Block, at: Mapping[str, Mapping[int, int]]) -> Iterator[tuple[Definition, Mapping[int, int]]]:
        """Every definition with the places of its axes along which the loops around it run."""
        if block.definition is not None:
            yield block.definition, at.get(block.definition.name, {})
            return
        for turn in turns(block, {s: sp.Integer(int(n)) for s, n in self.sizes.items()}):
            here = {**at, **{name: {**at.get(name, {}), axis: turn + shift} for name, axis, shift in block.along}}
            for step in block.steps:
                yield from self._in_order(step, here)

    def fill(self, d: Definition, at: Mapping[int, int]) -> None:
        """Compute one definition, at fixed places of some of its axes; nothing where it has no such place."""
        for axis, place in at.items():
            low, high = (int(self._of(e, self.sizes, 0)) for e in d.slice()[axis])
            if not low <= place <= high:
                return
        fixed = {d.indices[axis]: np.asarray(place) for axis, place in at.items() if d.indices[axis] in d.free}
        scope = {**self.sizes, **fixed}
        free = [i for i in d.free if i not in fixed]
        shape = []
        for k, i in enumerate(free, start=1):
            low, high = (int(self._of(e, self.sizes, 0)) for e in d.free[i])
            scope[i] = np.arange(low, high + 1).reshape(-1, *[1] * k)
            shape.append(high + 1 - low)
        with np.errstate(all="ignore"):
            made = np.asarray(self._of(d.expr, scope, len(free) + 1), dtype=float)
        places = tuple(np.asarray(self._of(e, scope, 0) - self._of(a.lower, self.sizes, 0), dtype=int)
                       for e, a in zip(d.indices, d.target.axes, strict=True))
        self.values[d.name][(*places, self.lane)] = np.broadcast_to(made, (*reversed(shape), self.points))

    def _of(self, expr: sp.Basic, scope: Scope, depth: int) -> Array:
        if depth != self._outer:
            return self._computed(expr, scope, depth)
        if expr not in self._known:
            self._known[expr] = self._computed(expr, scope, depth)
        return self._known[expr]

    def _computed(self, expr: sp.Basic, scope: Scope, depth: int) -> Array:
        if expr in scope:
            return scope[expr]
        rule = RULES.get(expr.func)
        if rule is not None:
            return rule(*[self._of(a, scope, depth) for a in expr.args])
        if isinstance(expr, (sp.Indexed, sp.Symbol)):
            return self._entry(expr, scope, depth)
        if isinstance(expr, sp.Rational):
            return np.asarray(int(expr)) if expr.is_Integer else np.asarray(int(expr.p) / int(expr.q))
        if isinstance(expr, sp.Pow):
            base, power = self._of(expr.base, scope, depth), self._of(expr.exp, scope, depth)
            return np.power(np.asarray(base, dtype=float), power)
        if isinstance(expr, sp.Sum):
            return self._sum(expr, scope, depth)
        if isinstance(expr, When):
            truth = self._of(expr.condition, scope, depth)
            return np.where(truth, self._of(expr.body, scope, depth), 0.0) if np.any(truth) else np.asarray(0.0)
        if isinstance(expr, sp.Piecewise):
            result: Array = np.asarray(np.nan)
            for branch, condition in reversed(expr.args):
                result = np.where(self._of(condition, scope, depth), self._of(branch, scope, depth), result)
            return result
        if isinstance(expr, (Det, InverseEntry)):
            return self._matrix(expr, scope, depth)
        if expr is sp.true or expr is sp.false:
            return np.asarray(expr is sp.true)
        if expr.is_number:
            return np.asarray(float(expr)) if expr.is_finite and expr.is_extended_real is not False else np.asarray(np.nan)
        raise UnknownNodeError("slips", f"no rule for {expr.func.__name__}", "a function of the table in core.functions")

    def _entry(self, entry: sp.Expr, scope: Scope, depth: int) -> Array:
        name = tensor_name(entry)
        if name not in self.values:
            raise UnknownNodeError("slips", f"no value for {name}", "a tensor of the program")
        value = self.values[name]
        places = []
        for e, axis, length in zip(entry_indices(entry), self.tensors[name].axes, value.shape[:-1], strict=True):
            place = np.asarray(self._of(e, scope, depth), dtype=int) - int(self._of(axis.lower, self.sizes, 0))
            places.append(np.clip(place, 0, length - 1))  # a place off the axis stands under a bracket that fails there
        return value[(*places, self.lane)] if places else value

    def _sum(self, expr: sp.Expr, scope: Scope, depth: int) -> Array:
        inner, masks, bounds = dict(scope), [], []
        for k, (i, lo, hi) in enumerate(reversed(limits(expr))):
            low, high = (np.asarray(self._of(e, inner, depth + k)) for e in (lo, hi))
            places = np.arange(low.min(), high.max() + 1).reshape(-1, *[1] * (depth + k))
            if places.size == 0:
                return np.asarray(0.0)
            inner[i] = places
            bounds.append(places.size)
            if low.ndim or high.ndim:
                masks.append((places >= low) & (places <= high))
        body = self._of(expr.function, inner, depth + len(bounds))
        for mask in masks:
            body = np.where(mask, body, 0.0)
        if np.size(body) > MOST:
            raise ShapeError("slips", f"an array of {np.size(body)} numbers", f"at most {MOST}")
        for k in reversed(range(len(bounds))):
            if np.ndim(body) <= depth + k or np.shape(body)[0] == 1 != bounds[k]:
                body = (body[0] if np.ndim(body) > depth + k else body) * bounds[k]
            else:
                body = np.sum(body, axis=0)
        return body

    def _matrix(self, expr: sp.Expr, scope: Scope, depth: int) -> Array:
        matrix = expr.matrix
        if isinstance(matrix, Rows):
            n = matrix.count
            parts = np.broadcast_arrays(*[self._of(a, scope, depth) for a in matrix.args])
            whole, first = np.stack(parts, axis=-1).reshape(*parts[0].shape, n, n), (1, 1)
        else:
            whole, first = self._grid(matrix, scope, depth)
        if isinstance(expr, Det):
            return np.linalg.det(whole)
        i, j = (np.asarray(self._of(e, scope, depth), dtype=int) - f for e, f in zip(expr.places, first, strict=True))
        inverse = _inverse(whole)
        inverse, i, j = inverse, *np.broadcast_arrays(i, j)
        lead = np.broadcast_shapes(inverse.shape[:-2], i.shape)
        grids = np.indices(lead, sparse=True)
        inverse = np.broadcast_to(inverse, (*lead, *inverse.shape[-2:]))
        return inverse[(*grids, np.broadcast_to(i, lead), np.broadcast_to(j, lead))]

    def _grid(self, matrix: Grid, scope: Scope, depth: int) -> tuple[Array, tuple[int, int]]:
        (r, r0, r1), (c, c0, c1) = limits(matrix)
        ends = [int(self._of(e, scope, depth)) for e in (r0, r1, c0, c1)]
        rows = np.arange(ends[0], ends[1] + 1).reshape(-1, *[1] * depth)
        columns = np.arange(ends[2], ends[3] + 1).reshape(-1, *[1] * (depth + 1))
        body = np.asarray(self._of(matrix.function, {**scope, r: rows, c: columns}, depth + 2), dtype=float)
        body = body.reshape(*[1] * (depth + 2 - body.ndim), *body.shape)
        body = np.broadcast_to(body, (columns.shape[0], rows.shape[0], *body.shape[2:]))
        return np.moveaxis(body, (1, 0), (-2, -1)), (ends[0], ends[2])


def _inverse(matrices: Array) -> Array:
    """The inverse of each; no number where there is none."""
    with np.errstate(all="ignore"):
        singular = ~(np.linalg.cond(matrices) < 1e12) if np.all(np.isfinite(matrices)) else ~np.isfinite(matrices).all(axis=(-2, -1))
    good = np.where(singular[..., None, None], np.eye(matrices.shape[-1]), matrices)
    return np.where(singular[..., None, None], np.nan, np.linalg.inv(good))
