"""An index expression at given places: sums written out, brackets decided, entries handed to whoever names them."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy as sp

from symnet.core.axes import Range
from symnet.core.expressions import When, limits, of_data, rebuild
from symnet.core.matrices import Grid, InverseEntry, Rows
from symnet.core.program import Definition
from symnet.core.schedule import Block
from symnet.core.tensors import entry_indices, tensor_name
from symnet.errors import ShapeError

Env = Mapping[sp.Symbol, sp.Expr]  # sizes and indices -> integers
NameEntry = Callable[[str, tuple[int, ...]], sp.Expr]
Written = dict[tuple[sp.Expr, tuple[sp.Expr, ...]], sp.Expr]  # a sum, with what its indices are -> the sum written out
RELATIONS: dict[Any, Callable[[Any, Any], bool]] = {
    sp.Eq: operator.eq, sp.Ne: operator.ne, sp.Lt: operator.lt, sp.Le: operator.le, sp.Gt: operator.gt, sp.Ge: operator.ge}


def integer(expr: sp.Expr, env: Env) -> int:
    """The value of an index or size expression; raises ShapeError when a size is missing."""
    number = _number(expr, env)
    if number is not None and number == int(number):
        return int(number)
    value = expr.xreplace(dict(env))
    if not value.is_Integer:
        raise no_integer(", ".join(sorted(map(str, value.free_symbols))) or str(value))
    return int(value)


def no_integer(missing: object) -> ShapeError:
    """The error for an index or size whose value is not given."""
    return ShapeError("sizes", f"no integer for {missing}", "an integer size for every name")


def _number(expr: sp.Basic, env: Env) -> Fraction | int | None:
    """The value of sums, products and remainders of numbers, without an expression made for it; None for any other."""
    if isinstance(expr, sp.Symbol):
        expr = env.get(expr, expr)
    if isinstance(expr, sp.Integer):
        return int(expr)
    if isinstance(expr, sp.Rational):
        return Fraction(int(expr.p), int(expr.q))
    if not isinstance(expr, (sp.Add, sp.Mul, sp.Mod)):
        return None
    values = list[Fraction | int]()
    for arg in expr.args:
        value = _number(arg, env)
        if value is None:
            return None
        values.append(value)
    if isinstance(expr, sp.Mod):
        return values[0] % values[1] if values[1] else None
    return sum(values) if isinstance(expr, sp.Add) else math.prod(values)


def span(bounds: Range, env: Env) -> range:
    """The places from first to last, both included."""
    return range(integer(bounds[0], env), integer(bounds[1], env) + 1)


def at_place(expr: sp.Expr, env: Env, entry: NameEntry, written: Written | None = None) -> sp.Expr:
    """``expr`` with all sizes and indices put in. A body under a bracket that fails is never looked at.

    A sum within sums is written out once for each choice of the indices that it depends on; ``written`` keeps them beyond this call,
    for other places at the same sizes with the same names.
    """
    return _at_place(expr, env, entry, {} if written is None else written)


def _at_place(expr: sp.Expr, env: Env, entry: NameEntry, written: Written) -> sp.Expr:
    if isinstance(expr, (sp.Indexed, sp.Symbol)):
        if isinstance(expr, sp.Symbol) and expr.is_integer:
            return sp.Integer(integer(expr, env))
        return entry(tensor_name(expr), tuple(integer(e, env) for e in entry_indices(expr)))
    if isinstance(expr, sp.Sum):
        key = expr, tuple(env.get(s, s) for s in _letters(expr))
        if key not in written:
            written[key] = sp.Add(*[_at_place(expr.function, inner, entry, written) for inner in _inner(expr, env)])
        return written[key]
    if isinstance(expr, Grid):
        return Rows(*[_at_place(expr.function, inner, entry, written) for inner in _inner(expr, env)])
    if isinstance(expr, InverseEntry) and isinstance(expr.matrix, Grid):  # Rows are counted from 1
        first = [lo for _, lo, _ in reversed(expr.matrix.limits)]
        places = [sp.Integer(integer(p - lo + 1, env)) for p, lo in zip(expr.places, first, strict=True)]
        return InverseEntry(_at_place(expr.matrix, env, entry, written), *places)
    if isinstance(expr, When):
        left = _open_at(expr.condition, env, entry, written)
        if left is sp.false:
            return sp.S.Zero
        body = _at_place(expr.body, env, entry, written)
        return body if left is sp.true else sp.Piecewise((body, left), (sp.S.Zero, sp.true))
    if not expr.args:
        return expr
    return rebuild(expr, tuple(_at_place(a, env, entry, written) for a in expr.args))


def open_at(condition: sp.Basic, env: Env, entry: NameEntry) -> sp.Basic:
    """What is left of a condition: true, false, or the parts that ask for data, at these places."""
    return _open_at(condition, env, entry, {})


def _open_at(condition: sp.Basic, env: Env, entry: NameEntry, written: Written) -> sp.Basic:
    on_places, on_data = _parts(condition)
    if not all(holds(p, env) for p in on_places):
        return sp.false
    return sp.And(*[p.func(*[_at_place(a, env, entry, written) for a in p.args]) for p in on_data]) if on_data else sp.true


@lru_cache(maxsize=10_000)
def _parts(condition: sp.Basic) -> tuple[tuple[sp.Basic, ...], tuple[sp.Basic, ...]]:
    """The parts of a condition that ask for indices and sizes alone, and those that ask for data."""
    parts = sp.And.make_args(condition)
    return tuple(p for p in parts if not of_data(p)), tuple(p for p in parts if of_data(p))


@lru_cache(maxsize=10_000)
def _letters(expr: sp.Expr) -> tuple[sp.Symbol, ...]:
    """The sizes and indices that an expression depends on."""
    return tuple(sorted((s for s in expr.free_symbols if s.is_Symbol and s.is_integer), key=str))


def holds(condition: sp.Basic, env: Env) -> bool:
    """Decide a condition on indices and sizes."""
    if condition is sp.true:
        return True
    relation = RELATIONS.get(condition.func)
    if relation is not None:
        left, right = (_number(side, env) for side in condition.args)
        if left is not None and right is not None:
            return bool(relation(left, right))
    value = condition.xreplace(dict(env))
    if value not in (sp.true, sp.false):
        raise ShapeError("bracket", f"cannot decide {condition}", "a condition on indices and sizes")
    return bool(value)


def _inner(node: sp.Expr, env: Env) -> Iterator[Env]:
    """One environment for each place of a sum's indices, or of a matrix row by row."""
    over = limits(node)
    for values in itertools.product(*[span((lo, hi), env) for _, lo, hi in over]):
        yield {**env, **{i: sp.Integer(v) for (i, _, _), v in zip(over, values, strict=True)}}


def visits(definition: Definition, env: Env, at: Mapping[int, int] | None = None) -> Iterator[tuple[tuple[int, ...], Env]]:
    """Every place that ``definition`` defines, with the environment that has its indices; ``at`` fixes places of some axes."""
    free = definition.free
    pairs = [(definition.indices[axis], value) for axis, value in (at or {}).items()]
    if any(i not in free and integer(i, env) != value for i, value in pairs):
        return
    names, fixed = list(free), {i: value for i, value in pairs if i in free}
    ranges = [[v for v in (fixed[i],) if v in span(free[i], env)] if i in fixed else span(free[i], env) for i in names]
    for values in itertools.product(*ranges):
        inner = {**env, **{i: sp.Integer(v) for i, v in zip(names, values, strict=True)}}
        yield tuple(integer(i, inner) for i in definition.indices), inner


def in_order(block: Block, env: Env) -> Iterator[tuple[Definition, tuple[int, ...], Env]]:
    """Every (definition, place) of a block in an order in which they can be computed."""
    yield from _in_order(block, env, {})


def _in_order(block: Block, env: Env, at: Mapping[str, Mapping[int, int]]) -> Iterator[tuple[Definition, tuple[int, ...], Env]]:
    if block.definition is not None:
        for place, inner in visits(block.definition, env, at.get(block.definition.name)):
            yield block.definition, place, inner
        return
    for turn in turns(block, env):
        here = {**at, **{name: {**at.get(name, {}), axis: turn + shift} for name, axis, shift in block.along}}
        for step in block.steps:
            yield from _in_order(step, env, here)


def turns(block: Block, env: Env) -> range:
    """The turns of a loop in their order, from the first to the last at which something is computed."""
    spans = [(integer(low, env), integer(high, env)) for low, high in block.turns()]
    low, high = min(s[0] for s in spans), max(s[1] for s in spans)
    return range(low, high + 1) if block.ascending else range(high, low - 1, -1)
