"""One step of gradient descent as a program: gradients, updated parameters, and the forward pass once more with them."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from symnet.core.derivation import Derivation
from symnet.core.expressions import entries
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role, Tensor, entry_indices, free_name, scalar, tensor_name

RATE = "lr"


def descent_step(derivation: Derivation) -> Program:
    """w_new := w - lr · dL/dw for every differentiated input, then every forward line again with the new values.

    The learning rate is the input ``lr`` (printed α). New tensors carry ``_new``; the last line is the new objective.
    """
    full = derivation.full
    rate = scalar(RATE, role=Role.CONSTANT, latex=r"\alpha", note="the learning rate")
    moved = [t for t in full.inputs if t.name in derivation.wrt]
    new = {t.name: _new(t, full) for t in (*moved, *[d.target for d in derivation.program.definitions])}
    lines = list(full.definitions)
    for t in moved:
        for g in full.by_name[derivation.gradient_name(t.name)]:
            there = new[t.name][g.indices] if g.indices else new[t.name][()]
            old = t[g.indices] if g.indices else t[()]
            lines.append(Definition(new[t.name], tuple(entry_indices(there)), old - rate[()] * g.entry, g.ranges))
    lines += [_again(d, new) for d in derivation.program.definitions]
    objective = new[derivation.objective].name
    return Program((*full.inputs, rate), tuple(lines), objective, full.assumptions, full.title)


def _new(tensor: Tensor, program: Program) -> Tensor:
    latex = _new_entry(tensor.latex) if tensor.parent else ""
    return replace(tensor, name=free_name(f"{tensor.name}_new", program.tensors), latex=latex, role=Role.INTERMEDIATE)


def _new_entry(latex: str) -> str:
    r"""The printed name of an entry after the step.

    >>> _new_entry("w_{11}^{(1)}"), _new_entry(r"b_{2,\mathrm{if}}"), _new_entry("c")
    ('w_{11,\\mathrm{new}}^{(1)}', 'b_{2,\\mathrm{if},\\mathrm{new}}', 'c_{\\mathrm{new}}')
    """
    start = latex.find("_{")
    ends = (k for k in range(start + 2, len(latex)) if latex.count("{", start, k + 1) == latex.count("}", start, k + 1))
    end = next(ends, -1) if start >= 0 else -1
    if end < 0:
        stem, above, rest = latex.partition("^")
        return stem + r"_{\mathrm{new}}" + above + rest
    return latex[:end] + r",\mathrm{new}" + latex[end:]


def _again(d: Definition, new: dict[str, Tensor]) -> Definition:
    mapping: dict[sp.Basic, sp.Expr] = {}
    for entry in set(entries(d.expr)):
        target = new.get(tensor_name(entry))
        if target is not None:
            mapping[entry] = target[entry_indices(entry)] if target.axes else target[()]
    return Definition(new[d.name], d.indices, d.expr.xreplace(mapping), d.ranges, d.note)
