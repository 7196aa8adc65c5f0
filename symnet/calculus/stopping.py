"""What a stop-gradient holds back: which uses pass a slope on, and which values stay still when an entry is moved.

stop_gradient(u) has the value u and the slope 0, so a difference quotient of the forward program agrees with its gradient only where
u keeps the value it has when nothing is moved. ``held_apart`` gives each such u a line of its own for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy as sp

from symnet.core.expressions import entries
from symnet.core.functions import stop_gradient
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor, free_name, tensor_name


def flows(program: Program, name: str) -> tuple[str, ...]:
    """The names that the definitions of ``name`` use outside every stop-gradient, in order.

    >>> from symnet.parsing.program import program
    >>> p = program("L = stop_gradient(x*y)*x")
    >>> flows(p, "L"), p.uses("L")
    (('x',), ('x', 'y'))
    """
    found = (tensor_name(e) for d in program.by_name.get(name, ()) for part in _outside(d.expr) for e in entries(part))
    return tuple(dict.fromkeys(found))


def ancestors(objective: str, uses: Mapping[str, Sequence[str]]) -> set[str]:
    """The objective and all that it uses, directly or through others."""
    found, stack = {objective}, [objective]
    while stack:
        for used in uses.get(stack.pop(), ()):
            if used not in found:
                found.add(used)
                stack.append(used)
    return found


def is_stopped(program: Program, name: str) -> bool:
    """True where the objective depends on ``name``, and a stop-gradient stands on every path there."""
    if not any(d.expr.has(stop_gradient) for d in program.definitions):
        return False
    plain, flowing = ({n: f(n) for n in program.by_name} for f in (program.uses, lambda n: flows(program, n)))
    return name in ancestors(program.objective, plain) - ancestors(program.objective, flowing)


def _outside(expr: sp.Basic) -> Iterator[sp.Basic]:
    """The largest parts of ``expr`` that neither hold a stop-gradient nor stand in one."""
    if not expr.has(stop_gradient):
        yield expr
    elif not isinstance(expr, stop_gradient):
        for arg in expr.args:
            yield from _outside(arg)


def held_apart(scalars: Program) -> tuple[tuple[Definition, bool], ...]:
    """The lines of a program of scalars, each stop_gradient(u) taken out as a line for u; True with those lines, whose value is held.

    >>> from symnet.parsing.program import program
    >>> [(str(d), held) for d, held in held_apart(program("L = stop_gradient(x*y)*x"))]
    [('L_held := x*y', True), ('L := L_held*x', False)]
    """
    taken = set(scalars.tensors)
    found: list[tuple[Definition, bool]] = []
    for d in scalars.definitions:
        expr, held = held_out(d.expr, d.name, taken)
        found += [(line, True) for line in held]
        found.append((Definition(d.target, d.indices, expr, d.ranges, d.note) if held else d, False))
    return tuple(found)


def held_out(expr: sp.Expr, name: str = "u", taken: set[str] | None = None) -> tuple[sp.Expr, list[Definition]]:
    """``expr`` with a scalar in place of each stop_gradient(u), and the line for u of each; ``taken`` are names in use, and grows."""
    taken = {s.name for s in expr.free_symbols} if taken is None else taken
    there: dict[sp.Basic, sp.Expr] = {}
    lines: list[Definition] = []
    for node in _outermost(expr):
        if node not in there:
            line = Tensor(free_name(f"{name}_held", taken))
            taken.add(line.name)
            there[node] = line[()]
            lines.append(Definition(line, (), node.args[0]))
    return (expr.xreplace(there) if there else expr), lines


def _outermost(expr: sp.Basic) -> Iterator[sp.Basic]:
    """The stop-gradients that stand in no other."""
    if isinstance(expr, stop_gradient):
        yield expr
    elif expr.has(stop_gradient):
        for arg in expr.args:
            yield from _outermost(arg)
