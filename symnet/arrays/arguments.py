"""Arguments of functions as lines of their own: P = softmax(X W) is Z = X W, P = softmax(Z).

What is derived from the program with these lines has a slope ∂L/∂Z, in which the rules for exponentials see what cancels, and which is
contracted with X and with W once each. A maximum compares the numbers that its line holds, in its value and in its slopes alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations

import sympy as sp

from symnet.arrays.canonical import same
from symnet.arrays.exponentials import primitive
from symnet.arrays.indefinite import is_open
from symnet.core.axes import Axis, Range
from symnet.core.expressions import When, as_written, entries, limits, rebuild, substitute
from symnet.core.functions import TABLE
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role, Tensor, free_name, tensor_name

NOTE = "the argument of a function"
MOST = 4  # letters whose orders are all tried
OUTSIDE = (sp.log,)  # log Σ e^u is a form of its own


def with_arguments(program: Program) -> Program:
    """The same program; every argument that is a contraction, on axes of its own, is a line with a name.

    >>> import symnet as sn
    >>> print(with_arguments(sn.program("a = tanh(x @ w)", "L = a**2", tensors={"x": ("n",), "w": ("n",)})))
    a_in := Sum(w[i]*x[i], (i, 1, n))
    a := tanh(a_in)
    L := a**2
    """
    with as_written():
        return _with_arguments(program)


def _with_arguments(program: Program) -> Program:
    lines: list[Definition] = []
    known: list[Definition] = []
    taken = dict(program.tensors)
    for d in program.definitions:
        naming = _Naming(d, taken, known)
        expr = naming.walked(d.expr, d.free)
        for named in naming.lines:
            insert(lines, named, d.name)
        lines.append(d if expr == d.expr else replace(d, expr=expr))
    if len(lines) == len(program.definitions):
        return program
    return Program(program.inputs, tuple(lines), program.objective, program.assumptions, program.title, program.symbols)


def insert(lines: list[Definition], part: Definition, name: str) -> None:
    """Put a line that a slice of ``name`` is made of before the first slice, or behind those that it is made of itself."""
    own = [k for k, e in enumerate(lines) if e.name == name]
    above = {e.name for e in lines[own[0]:]} if own else set()
    between = {tensor_name(e) for e in entries(part.expr)} & above
    lines.insert(own[0] if own and not between else len(lines), part)


class _Naming:
    """The arguments of one line."""

    def __init__(self, line: Definition, taken: dict[str, Tensor], known: list[Definition]) -> None:
        self.line, self.taken, self.known = line, taken, known
        self.lines: list[Definition] = []

    def walked(self, expr: sp.Expr, scope: Mapping[sp.Symbol, Range]) -> sp.Expr:
        """``expr`` with names for its arguments; in brackets and cases, outside of which a part may not exist, there are none."""
        if expr.is_Atom or isinstance(expr, (sp.Indexed, When, sp.Piecewise)) or not expr.has(sp.Sum):
            return expr
        if isinstance(expr, sp.Sum):
            inside = {i: (lo, hi) for i, lo, hi in limits(expr)}
            return rebuild(expr, (self.walked(expr.function, {**scope, **inside}), *expr.args[1:]))
        args = tuple(self.walked(a, scope) if isinstance(a, sp.Expr) else a for a in expr.args)
        if expr.func in TABLE and not isinstance(expr, OUTSIDE):
            args = tuple(self.named(a, scope) if isinstance(a, sp.Expr) else a for a in args)
        if args == expr.args:
            return expr
        return sp.exp(*args, evaluate=False) if isinstance(expr, sp.exp) else rebuild(expr, args)

    def named(self, argument: sp.Expr, scope: Mapping[sp.Symbol, Range]) -> sp.Expr:
        """An argument as a number times an entry of a line."""
        number, inner = primitive(argument)
        if not _is_contraction(inner):
            return argument
        letters = tuple(s for s in scope if s in inner.free_symbols)
        if any(e.free_symbols & {*scope} for s in letters for e in scope[s]):  # one that ends where another stands has no axis
            return argument
        for line in self.known:
            for order in permutations(letters) if len(letters) < MOST else (letters,):
                there = dict(zip(line.indices, order, strict=False))
                if [*line.free.values()] == [scope[s] for s in order] and same(substitute(line.expr, there), inner):
                    return number * line.target[order]
        tensor = Tensor(free_name(f"{self.line.name}_in", self.taken), tuple(self._axis(s, scope[s]) for s in letters), "real",
                        Role.INTERMEDIATE, note=NOTE)
        self.taken[tensor.name] = tensor
        self.lines.append(Definition(tensor, letters, inner, tuple((s, *scope[s]) for s in letters)))
        self.known.append(self.lines[-1])
        return number * tensor[letters]

    def _axis(self, letter: sp.Symbol, span: Range) -> Axis:
        mine = [a for i, a in zip(self.line.indices, self.line.target.axes, strict=True) if i == letter]
        return replace(mine[0], lower=span[0], upper=span[1]) if mine else Axis(str(span[1]), *span)


def _is_contraction(argument: sp.Expr) -> bool:
    """Does it add up, and no exponentials, which the rules must see where they stand?"""
    sums = argument.atoms(sp.Sum)
    return bool(sums) and not any(map(is_open, sums)) and not any(f.has(sp.Sum) for f in argument.atoms(sp.log))


def is_argument(tensor: Tensor) -> bool:
    """Was a line for it made here?"""
    return tensor.role is Role.INTERMEDIATE and tensor.note == NOTE
