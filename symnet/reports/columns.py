"""Samples as columns: the same derivation with every matrix transposed, so that indices, shapes, values and notation all say so.

A matrix is a tensor with two axes besides time and depth. X[n, i] becomes X[i, n], W[i, j] becomes W[j, i], and a gradient has the shape
of its variable. Transposing twice gives the derivation back.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from symnet.arrays.flow_axes import ALONG
from symnet.core.derivation import Contribution, Derivation, Step
from symnet.core.expressions import as_written
from symnet.core.program import Assumption, Definition, Program
from symnet.core.tensors import Tensor, tensor_name

ROW = re.compile(r"\b(row|column)(s?)\b")


@dataclass(frozen=True)
class Transposition:
    """The matrices among ``tensors``, transposed."""

    tensors: Mapping[str, Tensor]

    def order(self, name: str) -> tuple[int, ...]:
        """The axes of a tensor in their new order; of a gradient, the objective's and then its variable's."""
        tensor = self.tensors.get(name)
        if tensor is None:
            return ()
        of, above = self.tensors.get(tensor.of), self.tensors.get(tensor.objective)
        lead = len(tensor.axes) - len(of.axes) if of is not None else 0
        if of is not None and lead >= 0:
            first = self.order(above.name) if above is not None and len(above.axes) == lead else tuple(range(lead))
            return (*first, *(lead + k for k in self.order(of.name)))
        plain = [k for k, axis in enumerate(tensor.axes) if axis.kind not in ALONG]
        order = list(range(len(tensor.axes)))
        if len(plain) == 2:
            order[plain[0]], order[plain[1]] = plain[1], plain[0]
        return tuple(order)

    def tensor(self, t: Tensor) -> Tensor:
        """The tensor with its axes in their new order."""
        order = self.order(t.name)
        if order == tuple(range(len(t.axes))) or len(order) != len(t.axes):
            return t
        return replace(t, axes=tuple(t.axes[k] for k in order), note=turned_words(t.note))

    def expr(self, expr: sp.Basic) -> Any:
        """The expression with the places of every matrix exchanged."""
        changed = {}
        for entry in expr.atoms(sp.Indexed):
            order = self.order(tensor_name(entry))
            if len(order) == len(entry.indices):
                changed[entry] = entry.base[tuple(entry.indices[k] for k in order)]
        return expr.xreplace(changed)

    def definition(self, d: Definition) -> Definition:
        """The same line about transposed matrices."""
        order = self.order(d.name)
        indices = tuple(d.indices[k] for k in order) if len(order) == len(d.indices) else d.indices
        note = d.note if indices == d.indices else turned_words(d.note)
        return Definition(self.tensor(d.target), indices, self.expr(d.expr), d.ranges, note)

    def program(self, p: Program) -> Program:
        """The same program about transposed matrices."""
        return Program(tuple(self.tensor(t) for t in p.inputs), tuple(self.definition(d) for d in p.definitions), p.objective,
                       tuple(self.assumption(a) for a in p.assumptions), p.title)

    def assumption(self, a: Assumption) -> Assumption:
        """The same assumption."""
        return replace(a, left=self.expr(a.left), right=self.expr(a.right))

    def step(self, s: Step) -> Step:
        """The same step."""
        told = {f"declared: {a}": f"declared: {self.assumption(a)}" for a in s.assumptions}
        return replace(s, of=self.tensor(s.of), definition=self.definition(s.definition), raw=self.expr(s.raw),
                       conditions=tuple(told.get(c, c) for c in s.conditions),
                       contributions=tuple(self.contribution(c) for c in s.contributions),
                       assumptions=tuple(self.assumption(a) for a in s.assumptions),
                       unassumed=None if s.unassumed is None else self.expr(s.unassumed))

    def contribution(self, c: Contribution) -> Contribution:
        """The same contribution."""
        return replace(c, through=self.definition(c.through), occurrences=tuple(self.expr(e) for e in c.occurrences),
                       upstream=self.expr(c.upstream), local=self.expr(c.local), conditions=tuple(self.expr(k) for k in c.conditions))

    def nested(self, name: str, value: Any) -> Any:
        """A nested list with its axes in their new order."""
        order = self.order(name)
        if order == tuple(range(len(order))):
            return value
        sizes, inner = [], value
        for _ in order:
            sizes.append(len(inner))
            inner = inner[0]
        flat = iter([_entry(value, [at[order.index(k)] for k in range(len(order))])
                     for at in itertools.product(*[range(sizes[k]) for k in order])])
        return _nest(flat, [sizes[k] for k in order])


def _entry(value: Any, place: list[int]) -> Any:
    for k in place:
        value = value[k]
    return value


def _nest(flat: Any, sizes: list[int]) -> Any:
    return [_nest(flat, sizes[1:]) for _ in range(sizes[0])] if sizes else next(flat)


def turned_words(note: str) -> str:
    """What was said of rows is said of columns.

    >>> turned_words("weights of layer 1: row i feeds from input i")
    'weights of layer 1: column i feeds from input i'
    """
    return ROW.sub(lambda m: ("row" if m[1] == "column" else "column") + m[2], note)


def transposition(derivation: Derivation) -> Transposition:
    """The transposition of a derivation's matrices."""
    steps = {s.target.name: s.target for s in derivation.steps}
    return Transposition({**steps, **derivation.full.tensors})


def with_samples_as_columns(derivation: Derivation) -> Derivation:
    """The derivation with every matrix transposed.

    >>> import symnet as sn
    >>> print(with_samples_as_columns(sn.load("softmax-regression")).gradients["W1"])
    dL_dW1[j, i] = sum(dL_dz1[j, n]*X[i, n] for n in 1..N)
    """
    turn = transposition(derivation)
    with as_written():
        return replace(derivation, program=turn.program(derivation.program), full=turn.program(derivation.full),
                       steps=tuple(turn.step(s) for s in derivation.steps),
                       values={name: turn.nested(name, value) for name, value in derivation.values.items()})
