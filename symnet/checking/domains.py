"""Where the objective of a program has a value: only there has it a gradient, and only there can an answer be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

import sympy as sp

from symnet.core.expressions import entries
from symnet.core.matrices import Det, written_out
from symnet.core.program import Definition, Hole, Program
from symnet.core.tensors import tensor_name
from symnet.equality.difference_is_zero import ruled_out
from symnet.equality.domain import Domain, Holes
from symnet.equality.domain_conditions import holes, indexed_holes, read_as_positive
from symnet.equality.structured import forms_of

MANY = 7
Lines = Mapping[str, tuple[Definition, ...]]


def classes_of(scalars: Program) -> dict[sp.Basic, int]:
    """How many classes each index among the inputs of a program of scalars counts; MANY where any number will do."""
    counted = {t[()]: t.classes for t in scalars.inputs if t.domain == "index" and t.classes is not None}
    used = {s for n in counted.values() for s in n.free_symbols if any(s in d.expr.free_symbols for d in scalars.definitions)}
    return {k: int(n) if n.is_Integer else MANY for k, n in counted.items() if not n.free_symbols & used}


def domain_of(scalars: Program, forward: Program, there: Mapping[sp.Basic, sp.Expr]) -> Domain:
    """The domain of the objective of ``forward``, whose lines are the first of ``scalars``; ``there`` gives every line in the inputs.

    What a line asks for is unseen where the objective in the inputs does not show it: s = sqrt(x), L = s**2 is x.
    """
    lines = needed_for(forward)
    own = tuple(d for d in scalars.definitions if (d.target.parent or d.name) in lines)
    shown = _put_in(tuple(h for d in own for h in holes(d.expr)), there)
    left = set(chain(*(holes(there[d.entry]) for d in own if (d.target.parent or d.name) == forward.objective)))
    unseen = _put_in(tuple((u, sign) for d in own for u, sign, _ in d.holes), there)
    unseen += tuple(h for d in own if not d.target.parent for h in _put_in(tuple(holes(d.expr)), there) if not _within(h, left))
    read = frozenset(u.xreplace(dict(there)) for u in read_as_positive(*(d.expr for d in own)))
    return Domain(tuple(dict.fromkeys((*unseen, *shown))), classes_of(scalars), unseen, forward.objective, forms_of(scalars.inputs), read)


def _within(hole: tuple[sp.Expr, str], shown: set[tuple[sp.Expr, str]]) -> bool:
    """Is the hole one of those shown, or part of one, or the product of several?"""
    u, sign = hole
    if any((u, stronger) in shown for stronger in (sign, "<=")):
        return True
    return sign == "=" and all(f.is_number or (f.as_base_exp()[0], "=") in shown for f in sp.Mul.make_args(u))


def _put_in(found: Holes, there: Mapping[sp.Basic, sp.Expr]) -> Holes:
    put = dict.fromkeys((u.xreplace(dict(there)), sign) for u, sign in found)
    return tuple((u, sign) for u, sign in put if not ruled_out(u, sign))


def needed_for(program: Program, names: Iterable[str] = ()) -> set[str]:
    """The ``names``, or that of the objective, and those that they are computed from."""
    found = set(names) or {program.objective}
    stack = list(found)
    while stack:
        for used in program.uses(stack.pop()):
            if used not in found:
                found.add(used)
                stack.append(used)
    return found


def answer_holes(expr: sp.Expr, asked: Iterable[Hole], there: Mapping[sp.Basic, sp.Expr]) -> Holes:
    """Where an answer as it was written has no value though, with lines put in, it shows no such thing: L = w x makes L/w x.

    ``expr`` is made of scalars; ``asked`` is what its text, and lines that it uses, ask for besides.
    """
    found = _put_in((*((u, sign) for u, sign, _ in asked), *holes(expr)), there)
    if not found:
        return ()
    shown = {(u, sign) for u, sign in holes(expr.xreplace(dict(there))) if not u.has(Det)}  # an inverse that is written out may cancel
    return tuple((written_out(u) if u.has(Det) else u, sign) for u, sign in found if not _within((u, sign), shown))


def asked_aside(parts: Iterable[sp.Expr], lines: Lines) -> tuple[Hole, ...]:
    """What those of ``lines`` ask for that ``parts`` use: u = 1/w asks for w, whatever becomes of u. Each counts at all its places."""
    found, waiting, seen = list[Hole](), list(parts), set[str]()
    while waiting:
        for name in {tensor_name(e) for e in entries(waiting.pop())} & lines.keys() - seen:
            seen.add(name)
            for d in lines[name]:
                waiting.append(d.expr)
                found += [(u, sign, (*d.ranges, *over)) for u, sign, over in (*d.holes, *indexed_holes(d.expr))]
    return tuple(dict.fromkeys(found))


def aside_of(forward: Program) -> Lines:
    """The lines that the objective does not need, by name."""
    needed = needed_for(forward)
    return {name: lines for name, lines in forward.by_name.items() if name not in needed}
