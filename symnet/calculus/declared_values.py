"""Do given values keep what was declared: domains, structures, inequalities and equalities between inputs?"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import sympy as sp
from flint import fmpq_mat

from symnet.calculus.instantiate import Entries, assumptions_at, environment, holes_at, named
from symnet.core.index_evaluation import Env, visits
from symnet.core.numbers import as_ball, compute, rational, to_flint
from symnet.core.program import Program
from symnet.core.structures import MIRRORED, ONE_HOT, STRUCTURES
from symnet.core.tensors import Tensor
from symnet.errors import DomainError, ShapeError, SymnetError

MOST_PLACES, MOST_ROWS = 2000, 60
NEEDED = {"=": "!=", "<=": ">", "<": ">="}
Point = Mapping[str, sp.Rational]  # by the names of the scalars
Table = dict[tuple[int, ...], sp.Rational]


def check_values(program: Program, env: Env, entries: Entries, point: Point) -> None:
    """Raise DomainError for the first value, or the first values together, that are not as declared; what has no value is passed by."""
    for t in program.inputs:
        table = {p: point[title] for p in entries.places(t.name) if (title := entries.title(t.name, p)) in point}
        for value in table.values():
            _check_domain(t, value, env)
        if t.structure and table:
            _check_structure(t, table)
    for d in program.definitions:
        asked = (hole for _, inner in visits(d, env) for hole in holes_at(d, inner, entries)) if d.holes else iter(())
        for u, sign, _ in itertools.islice(asked, MOST_PLACES):
            if u.free_symbols and all(s.name in point for s in u.free_symbols):
                _check_hole(u, sign, point)


def check_given(program: Program, values: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
    """Raise DomainError where the values that are given, perhaps not all, are not as declared."""
    wanted = {str(s) for s in program.sizes}
    if not values or not wanted <= sizes.keys():
        return
    env = environment(program, {s: sizes[s] for s in wanted}, None)
    entries = Entries(program.tensors, env)
    named(program, entries)
    point = {entries.title(name, place): rational(v) for name, nested in values.items() if name in program.tensors
             for place, v in zip(entries.places(name), _leaves(nested), strict=False)}
    check_values(program, env, entries, point)
    check_equalities(program, env, entries, point)


def _leaves(value: Any) -> list[Any]:
    return [leaf for part in value for leaf in _leaves(part)] if isinstance(value, list) else [value]


def _check_domain(t: Tensor, value: sp.Rational, env: Env) -> None:
    if value not in t.numbers:
        said = f"a {t.domain} number" if t.domain[0].isalpha() else f"a number in {t.domain}"
        raise DomainError(f"value of {t.name}", str(value), f"{said}, as declared")
    if t.domain == "index" and value != t.ignored:
        classes = None if t.classes is None else t.classes.xreplace(dict(env))
        if not (value.is_Integer and (classes is None or 0 <= value < classes)):
            top = "" if classes is None else f" to {classes - 1}"
            raise DomainError(f"value of {t.name}", str(value), f"a whole number from 0{top}, as declared")


def _check_structure(t: Tensor, table: Table) -> None:
    rows = sorted({p[0] for p in table})
    holds = True
    if t.structure in MIRRORED:
        holds = all(v == table[p[::-1]] for p, v in table.items())
    if t.structure == "diagonal":
        holds = all(v == 0 for (i, j), v in table.items() if i != j)
    elif t.structure == ONE_HOT:
        lines: dict[tuple[int, ...], list[sp.Rational]] = {}
        for place, v in table.items():
            lines.setdefault(place[:-1], []).append(v)
        holds = all(sorted(line) == [0] * (len(line) - 1) + [1] for line in lines.values())
    elif t.structure in ("positive definite", "orthogonal") and holds and len(rows) <= MOST_ROWS:
        matrix = fmpq_mat([[to_flint(table[i, j]) for j in rows] for i in rows])
        if t.structure == "orthogonal":
            holds = matrix * matrix.transpose() == fmpq_mat([[to_flint(sp.Integer(i == j)) for j in rows] for i in rows])
        else:  # Sylvester: every leading minor is positive
            minors = (fmpq_mat([[to_flint(table[i, j]) for j in rows[:k]] for i in rows[:k]]).det() for k in range(1, len(rows) + 1))
            holds = all(m > 0 for m in minors)
    if not holds:
        raise DomainError(f"value of {t.name}", f"values that are not {t.structure}", f"as declared: {STRUCTURES[t.structure]}")


def _check_hole(u: sp.Expr, sign: str, point: Point) -> None:
    try:
        ball = as_ball(compute(u, {s: to_flint(point[s.name]) for s in u.free_symbols}))
    except SymnetError:
        return  # said where the line is computed
    if (ball == 0) if sign == "=" else ball <= 0 if sign == "<=" else ball < 0:
        found = f"{u} is 0" if sign == "=" else f"{u} is not {NEEDED[sign]} 0"
        raise DomainError("values", found, f"{u} {NEEDED[sign]} 0, as declared or as a line was written")


def check_equalities(program: Program, env: Env, entries: Entries, point: Point) -> None:
    """Raise DomainError where values break a declared equality between inputs."""
    try:
        found = list(itertools.islice(((m, a) for a in program.assumptions for m in assumptions_at(a, program, env, entries)), MOST_PLACES))
    except ShapeError:
        return
    for made, declared in found:
        gap = made.left - made.right
        if gap.free_symbols and all(s.name in point for s in gap.free_symbols):
            try:
                ball = as_ball(compute(gap, {s: to_flint(point[s.name]) for s in gap.free_symbols}))
            except SymnetError:
                continue
            if not ball.contains(0):
                raise DomainError("values", f"values for which {made} does not hold", f"{declared}, as declared")
