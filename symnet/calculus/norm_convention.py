"""The slope of a norm at 0: a gradient line that divides by a root of a sum of squares has the value 0 for that quotient where it is 0.

‖x‖ has no slope at 0; 0 is one of its subgradients, and PyTorch's choice (core.functions.NORM). Compiled code follows the same rule.
"""

from __future__ import annotations

import sympy as sp

from symnet.core.functions import sum_of_squares
from symnet.core.program import Definition, Program
from symnet.core.tensors import tensor_name


def with_norm_convention(program: Program) -> Program:
    """The same program with every such quotient of its gradient lines in cases; forward lines stay as they are written."""
    squares = {d.name for d in program.definitions if len(program.by_name[d.name]) == 1 and sum_of_squares(d.expr)}
    roots = {d.name for d in program.definitions if len(program.by_name[d.name]) == 1 and _root_of_squares(d.expr, squares)}
    lines = tuple(_guarded(d, roots, squares) if d.target.of else d for d in program.definitions)
    if lines == program.definitions:
        return program
    return Program(program.inputs, lines, program.objective, program.assumptions, program.title)


def _root_of_squares(expr: sp.Expr, squares: set[str]) -> bool:
    return isinstance(expr, sp.Pow) and expr.exp.is_Rational and 0 < expr.exp < 1 and sum_of_squares(expr.base, squares)


def _guarded(d: Definition, roots: set[str], squares: set[str]) -> Definition:
    there = {p: sp.Piecewise((p, sp.Ne(p.base, 0)), (sp.S.Zero, True)) for p in d.expr.atoms(sp.Pow) if _divides(p, roots, squares)}
    return Definition(d.target, d.indices, d.expr.xreplace(there), d.ranges, d.note, d.holes) if there else d


def _divides(p: sp.Pow, roots: set[str], squares: set[str]) -> bool:
    if not (p.exp.is_Rational and p.exp < 0):
        return False
    named = isinstance(p.base, (sp.Indexed, sp.Symbol)) and tensor_name(p.base) in roots
    return named or (not p.exp.is_Integer and sum_of_squares(p.base, squares))
