"""The right derivation with one line changed as people change it: a term dropped, a factor forgotten, a slope taken at the wrong place.

Each change is made in the chain rule's own terms (a step's contributions: upstream · local, summed). The code is wrong in just that way
when what it returns is what the changed derivation gives; that is judged by values first and by proof before it is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from symnet.core.derivation import Contribution, Derivation, Step
from symnet.core.expressions import When, entries, substitute, total
from symnet.core.functions import TABLE
from symnet.core.program import Definition
from symnet.core.tensors import Tensor, entry_indices, tensor_name
from symnet.core.text import text

Changed = tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class Mutation:
    """Other definitions for the gradient of one tensor, and the slip that makes them."""

    kind: str
    message: str
    of: str
    lines: tuple[Definition, ...]


def mutations(derivation: Derivation) -> Iterator[Mutation]:
    """Every single change of every gradient line, the objective's side first."""
    by_tensor: dict[str, list[Step]] = {}
    for step in derivation.steps:
        if step.contributions:
            by_tensor.setdefault(step.of.name, []).append(step)
    for name, steps in by_tensor.items():
        grad = f"d{derivation.objective}/d{name}"
        seen: set[tuple[Definition, ...]] = {tuple(_line(s, s.contributions) for s in steps)}
        for kind, message, changed in _changes(grad, steps):
            lines = tuple(_line(s, c) for s, c in zip(steps, changed, strict=True))
            if lines not in seen:
                seen.add(lines)
                yield Mutation(kind, message, name, lines)


def unfolded(derivation: Derivation) -> tuple[Definition, ...]:
    """Every gradient line as the chain rule gives it, also those that were put into others."""
    return tuple(_line(s, s.contributions) if s.contributions else s.definition for s in derivation.steps)


def _line(step: Step, contributions: Changed) -> Definition:
    """The gradient as the sum of these contributions."""
    terms = [total(When(c.upstream * c.local, sp.And(*c.conditions)), c.sums) for c in contributions]
    d = step.definition
    return Definition(d.target, d.indices, sp.Add(*terms), d.ranges, d.note)


def _changes(grad: str, steps: list[Step]) -> Iterator[tuple[str, str, list[Changed]]]:
    through = dict.fromkeys(c.through.name for s in steps for c in s.contributions)
    whole = [s.contributions for s in steps]
    if len(through) > 1:
        for name in through:
            yield "missing term", f"in {grad} the part that comes through {name} is missing", [
                tuple(c for c in cs if c.through.name != name) for cs in whole]
    uses = [tuple(u for c in cs for u in _uses(c)) for cs in whole]
    for k in range(max(map(len, uses))):
        if any(len({c.through.name for c in cs}) < len(cs) for cs in uses):
            yield "missing term", f"in {grad} one of the terms through {uses[0][min(k, len(uses[0]) - 1)].through.name} is missing", [
                tuple(c for j, c in enumerate(cs) if j != k) for cs in uses]
    if len(through) > 2:
        for name in through:
            yield "missing terms", f"in {grad} only the part that comes through {name} is there", [
                tuple(c for c in cs if c.through.name == name) for cs in whole]
    for name in through:
        yield from _local_changes(grad, name, whole)


def _uses(c: Contribution) -> Iterator[Contribution]:
    """A slope of several uses as one contribution for each of its summands: the diagonal and the rest of a softmax's."""
    factors = sp.Mul.make_args(c.local)
    summed = next((f for f in factors if isinstance(f, sp.Add)), None)
    if len(c.occurrences) == 1 or summed is None:
        yield c
        return
    for term in summed.args:
        yield _with(c, sp.Mul(term, *[f for f in factors if f is not summed]))


def _local_changes(grad: str, name: str, whole: list[Changed]) -> Iterator[tuple[str, str, list[Changed]]]:
    """One part of the chain rule changed in its local derivative or its sum."""
    first = next(c for cs in whole for c in cs if c.through.name == name)
    where = f"in {grad}, where it comes through {name},"
    count = len(sp.Mul.make_args(first.local))
    for k in range(count):
        factor = _factor(first.local, k)
        if factor is not None:
            kind = "activation slope" if _is_slope(first, factor) else "missing factor"
            what = "the slope of the activation, " if kind == "activation slope" else "the factor "
            yield kind, f"{where} {what}{text(factor)} is missing", _mapped(
                whole, name, lambda c, k=k: _with(c, c.local / (_factor(c.local, k) or 1)))
            yield "doubled factor", f"{where} the factor {text(factor)} is taken twice", _mapped(
                whole, name, lambda c, k=k: _with(c, c.local * (_factor(c.local, k) or 1)))
    yield "sign", f"{where} the sign is wrong", _mapped(whole, name, lambda c: _with(c, -c.local))
    for place, message in _at_output(first):
        yield "slope at output", f"{where} {message}", _mapped(whole, name, lambda c, p=place: _with(c, _moved(c, p)))
    if any(_shifted(c) != c.local for cs in whole for c in cs if c.through.name == name):
        yield "wrong step", f"{where} an entry of the step before is taken at this step", _mapped(
            whole, name, lambda c: _with(c, _shifted(c)))
    if any(_turned(c) != c.local for cs in whole for c in cs if c.through.name == name):
        yield "transposed", f"{where} a square matrix is transposed", _mapped(whole, name, lambda c: _with(c, _turned(c)))
    for i, _, _ in first.sums:
        for end, word in ((2, "last"), (1, "first")):
            yield "missing sum", f"{where} only the {word} term of the sum over {i} is there", _mapped(
                whole, name, lambda c, i=i, end=end: _only(c, i, end))


def _mapped(whole: list[Changed], name: str, change: object) -> list[Changed]:
    return [tuple(change(c) if c.through.name == name else c for c in cs) for cs in whole]  # type: ignore[operator]


def _with(c: Contribution, local: sp.Expr) -> Contribution:
    return Contribution(c.through, c.occurrences, c.upstream, local, c.sums, c.conditions)


def _factor(local: sp.Expr, k: int) -> sp.Expr | None:
    args = sp.Mul.make_args(local)
    return args[k] if k < len(args) and args[k] not in (1, -1) else None


def _unary(c: Contribution) -> sp.Expr | None:
    """f(z) where the line that it comes through is an elementary function of the one entry."""
    expr = c.through.expr
    return expr if expr.func in TABLE and len(set(entries(expr))) == 1 else None


def _is_slope(c: Contribution, factor: sp.Expr) -> bool:
    return _unary(c) is not None and not factor.is_number


def _names(c: Contribution) -> tuple[Tensor, str] | None:
    """The line's own tensor (a) and the name of its argument (z)."""
    made = _unary(c)
    return None if made is None else (c.through.target, tensor_name(next(iter(entries(made)))))


def _at_output(c: Contribution) -> Iterator[tuple[str, str]]:
    names = _names(c)
    if names is None:
        return
    a, z = names
    used = {tensor_name(e) for e in entries(c.local)}
    if a.name in used:
        yield "in", f"the slope is written in {a.name}, and {z} stands for it"
    yield "out", f"the slope of the activation is taken at {a.name} instead of {z}"


def _moved(c: Contribution, place: str) -> sp.Expr:
    """The local derivative with z in place of a ("in"), or f' at a in place of z ("out")."""
    names = _names(c)
    if names is None:
        return c.local
    a, z = names
    found = {}
    for e in entries(c.local):
        if tensor_name(e) == a.name:
            found[e] = _entry(z, e) if place == "in" else c.through.expr.func(e, *c.through.expr.args[1:])
        elif tensor_name(e) == z and place == "out":
            found[e] = a[entry_indices(e)] if a.axes else a[()]
    return c.local.xreplace(found)


def _entry(name: str, like: sp.Expr) -> sp.Expr:
    return sp.IndexedBase(name, real=True)[entry_indices(like)] if isinstance(like, sp.Indexed) else sp.Symbol(name, real=True)


def _shifted(c: Contribution) -> sp.Expr:
    """The local derivative with every t - 1 as t."""
    found = {}
    for e in entries(c.local):
        here = entry_indices(e)
        places = tuple(p if p.is_Symbol or p.is_Integer or len(p.free_symbols) != 1 else next(iter(p.free_symbols)) for p in here)
        if places != entry_indices(e) and all(abs(p - q) == 1 for p, q in zip(places, entry_indices(e), strict=True) if p != q):
            found[e] = e.base[places]
    return c.local.xreplace(found)


def _turned(c: Contribution) -> sp.Expr:
    """The local derivative with every matrix that has two equal sizes transposed: W[j, k] for W[k, j]."""
    found = {}
    for e in entries(c.local):
        here = entry_indices(e)
        ranges = {i: limit[2] - limit[1] for limit in c.sums for i in [limit[0]]} | {i: hi - lo for i, (lo, hi) in c.through.free.items()}
        if len(here) == 2 and all(p.is_Symbol for p in here) and len({str(ranges.get(p, p)) for p in here}) == 1:
            found[e] = e.base[here[::-1]]
    return c.local.xreplace(found)


def _only(c: Contribution, i: sp.Symbol, end: int) -> Contribution:
    """One term of the sum."""
    there = next((limit[end] for limit in c.sums if limit[0] == i), None)
    if there is None:
        return c
    at = {i: there}
    conditions = tuple(k.xreplace(at) for k in c.conditions)
    return Contribution(c.through, c.occurrences, substitute(c.upstream, at), substitute(c.local, at),
                        tuple(limit for limit in c.sums if limit[0] != i), conditions)
