"""Rewrite a program so that it can be computed without overflow: log of a softmax becomes z - log Σ exp(z), and the like."""

from __future__ import annotations

import sympy as sp

from symnet.core.expressions import fresh, limits, substitute
from symnet.core.functions import sigmoid, softplus
from symnet.core.program import Definition, Program
from symnet.core.tensors import entry_indices, tensor_name


def stable(program: Program) -> Program:
    """The same values: log p with p a softmax, and log a, log(1 - a) with a a sigmoid, are written with their inputs.

    log softmax(z)_k = z_k - log Σ exp(z); log σ(z) = -softplus(-z); log(1 - σ(z)) = -softplus(z). Each is an identity of
    the real numbers; computed as written, the left sides give log 0 for large inputs.
    """
    table = {name: made for name, ds in program.by_name.items() if len(ds) == 1 and (made := _form(ds[0])) is not None}
    if not table:
        return program
    lines = tuple(Definition(d.target, d.indices, _logs(d.expr, table), d.ranges, d.note) for d in program.definitions)
    return Program(program.inputs, lines, program.objective, program.assumptions, program.title)


Form = tuple[str, Definition, sp.Expr]


def _form(d: Definition) -> Form | None:
    """("softmax" or "sigmoid", the definition, its argument)."""
    if isinstance(d.expr, sigmoid):
        return "sigmoid", d, d.expr.args[0]
    factors = sp.Mul.make_args(d.expr)
    top = next((f for f in factors if isinstance(f, sp.exp)), None)
    below = next((f.base for f in factors if isinstance(f, sp.Pow) and f.exp == -1 and isinstance(f.base, sp.Sum)), None)
    if top is None or below is None or len(factors) != 2 or not isinstance(below.function, sp.exp) or len(below.limits) != 1:
        return None
    (bound, lo, hi), inner = limits(below)[0], below.function.args[0]
    same = [i for i, span in d.free.items() if span == (lo, hi) and inner.xreplace({bound: i}) == top.args[0]]
    return ("softmax", d, top.args[0] - sp.log(below)) if same else None


def _logs(expr: sp.Expr, table: dict[str, Form]) -> sp.Expr:
    there = {}
    for node in expr.atoms(sp.log):
        inside = node.args[0]
        entry, flipped = (inside, False) if inside.is_Symbol or isinstance(inside, sp.Indexed) else (1 - inside, True)
        if not (entry.is_Symbol or isinstance(entry, sp.Indexed)) or tensor_name(entry) not in table:
            continue
        kind, d, argument = table[tensor_name(entry)]
        z = substitute(fresh(argument), dict(zip(d.indices, entry_indices(entry), strict=True)))
        if kind == "sigmoid":
            there[node] = -softplus(z) if flipped else -softplus(-z)
        elif not flipped:
            there[node] = z
    return expr.xreplace(there)
