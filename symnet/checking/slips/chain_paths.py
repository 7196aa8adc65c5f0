"""The chain rule taken apart: every path from a definition down to a use of a tensor, hop by hop, so that one hop can be changed.

A gradient line is the sum of its links. A link's index equations are solved once, with a slot where its local derivative
stands; what goes into the slot may then be the right derivative or that of a slip.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import sympy as sp

from symnet.calculus.chain import Term, flat_indices, terms_of
from symnet.calculus.folding import fold
from symnet.calculus.occurrences import hide_exp, local_derivative, occurrences, show_exp
from symnet.core.derivation import Derivation
from symnet.core.expressions import Limits, When, entries, limits, substitute, total
from symnet.core.matrices import Det, InverseEntry
from symnet.core.program import Definition, Program
from symnet.core.schedule import Block, schedule
from symnet.core.tensors import Tensor, entry_indices, free_name, tensor_name

WHOLE = (Det, InverseEntry, sp.Piecewise)  # nodes that are one hop, however deep they are


@dataclass(frozen=True)
class Hop:
    """From ``node`` to its argument ``k``, with the derivative ``slope``."""

    node: sp.Expr
    k: int
    slope: sp.Expr

    @property
    def argument(self) -> sp.Expr:
        """Where the hop leads."""
        return self.node.args[self.k]


@dataclass(frozen=True)
class Link:
    """One path from the right side of ``through`` to ``entry``, a use of the tensor ``of``."""

    of: str
    through: Definition
    hops: tuple[Hop, ...]
    sums: tuple[Limits, ...]  # bound on the way down to ``entry``
    entry: sp.Expr
    term: Term
    places: Mapping[sp.Symbol, sp.Expr]  # the indices of ``through``, and those it sums over, in those of the gradient
    alphas: tuple[sp.Symbol, ...]
    axes: tuple[tuple[sp.Expr, sp.Expr], ...]

    @property
    def local(self) -> sp.Expr:
        """∂through/∂entry."""
        return sp.Mul(*[h.slope for h in self.hops])

    @cached_property
    def folded(self) -> sp.Expr:
        """The local derivative with names where the forward pass has them: a(1 - a) for σ(z)(1 - σ(z))."""
        return self._fold(self.local)

    def _fold(self, local: sp.Expr) -> sp.Expr:
        if not local.has(sp.Function, sp.Pow):
            return local
        return show_exp(fold(hide_exp(local), self.through, hide_exp(self.through.expr), self.sums))

    def with_slope(self, at: int, slope: sp.Expr) -> sp.Expr:
        """The local derivative with another slope at one hop."""
        return sp.Mul(*[slope if k == at else h.slope for k, h in enumerate(self.hops)])

    def expr(self, local: sp.Expr | None = None, term: Term | None = None) -> sp.Expr:
        """What the link adds to the gradient, its local derivative taken as ``local``."""
        slope = self.folded if local is None else self._fold(local)
        made = replace(term or self.term, local=flat_indices(substitute(slope, self.places)))
        guards = []
        for alpha, span, axis in zip(self.alphas, made.spans, self.axes, strict=True):
            if span != axis:
                guards += [sp.Ge(alpha, span[0]), sp.Le(alpha, span[1])]
        return When(made.expr, sp.And(*guards))


Walk = tuple[sp.Expr, tuple[Hop, ...], tuple[Limits, ...], tuple[sp.Basic, ...]]


def paths(expr: sp.Expr, name: str) -> Iterator[Walk]:
    """(entry, hops, sums, conditions) for every use of the tensor ``name`` in ``expr``."""
    stack: list[Walk] = [(expr, (), (), ())]
    while stack:
        node, hops, sums, conditions = stack.pop()
        if not any(tensor_name(e) == name for e in entries(node)):
            continue
        if isinstance(node, (sp.Indexed, sp.Symbol)):
            yield node, hops, sums, conditions
        elif isinstance(node, sp.Sum):
            rename = {i: sp.Dummy(str(i), integer=True) for i, _, _ in limits(node)}
            inner = tuple((rename[i], lo.xreplace(rename), hi.xreplace(rename)) for i, lo, hi in limits(node))
            stack.append((node.function.xreplace(rename), hops, (*sums, *inner), conditions))
        elif isinstance(node, When):
            stack.append((node.body, hops, sums, (*conditions, node.condition)))
        elif isinstance(node, WHOLE):
            for use in occurrences(hide_exp(node), frozenset({name})):
                yield use.entry, (*hops, Hop(node, 0, show_exp(use.factor))), (*sums, *use.sums), (*conditions, *use.conditions)
        else:
            for k, arg in reversed(list(enumerate(node.args))):
                stack.append((arg, (*hops, Hop(node, k, show_exp(local_derivative(node, k)))), sums, conditions))


@dataclass
class Chain:
    """Every gradient of a derivation as the sum of its links, in tensors of its own."""

    derivation: Derivation
    gradients: dict[str, Tensor] = field(default_factory=dict)
    alphas: dict[str, tuple[sp.Symbol, ...]] = field(default_factory=dict)
    links: dict[str, list[Link]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        program, taken = self.derivation.program, set(self.derivation.full.tensors)
        lead_axes = program.objective_tensor.axes
        self.lead = tuple(sp.Dummy(f"β{k}", integer=True) for k in range(len(lead_axes)))
        for step in self.derivation.steps:
            name = step.of.name
            if step.contributions and name not in self.gradients:
                self.gradients[name] = replace(step.target, name=free_name(step.target.name + "_", taken), of="", objective="")
                taken.add(self.gradients[name].name)
                self.alphas[name] = tuple(sp.Dummy(f"α{k}", integer=True) for k in range(len(step.of.axes)))
                self.links[name] = []
        for name, links in self.links.items():
            for d in reversed(program.definitions):
                if d.name in self.gradients or d.name == program.objective:
                    links += self._links(d, name, taken)

    def _links(self, d: Definition, name: str, taken: set[str]) -> Iterator[Link]:
        program = self.derivation.program
        above = None if d.name == program.objective else self.gradients[d.name]
        axes = tuple(a.range for a in program.tensors[name].axes)
        for entry, hops, sums, conditions in paths(d.expr, name):
            letters = (*d.free, *(i for i, _, _ in sums))
            base = sp.IndexedBase(free_name("slot", taken), real=True) if letters else sp.Symbol(free_name("slot", taken), real=True)
            slot = base[letters] if letters else base
            stand_in = Definition(d.target, d.indices, total(When(slot * entry, sp.And(*conditions)), sums), d.ranges)
            fixed = self.lead if above is None else ()
            found = terms_of(stand_in, frozenset({name}), program.tensors, self.alphas, above, self.lead if above else fixed)
            for _, term in found:
                places = dict(zip(letters, entry_indices(term.local), strict=True)) if letters else {}
                yield Link(name, d, hops, sums, entry, term, places, self.alphas[name], axes)

    def line(self, name: str, expr: sp.Expr | None = None) -> Definition:
        """The gradient line of ``name``; with ``expr`` that instead."""
        right = sp.Add(*[link.expr() for link in self.links[name]]) if expr is None else expr
        return Definition(self.gradients[name], (*self.lead, *self.alphas[name]), right)

    @cached_property
    def program(self) -> Program:
        """The gradient lines, with every forward tensor given."""
        forward = tuple(self.derivation.program.tensors.values())
        return Program(forward, tuple(self.line(name) for name in self.links))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The gradient lines in the order of computation."""
        return schedule(self.program)

    def changed(self, name: str, expr: sp.Expr) -> list[Block]:
        """What has to be computed again when the gradient line of ``name`` has the right side ``expr``."""
        moved = {self.gradients[name].name}
        found = []
        for block in self.blocks:
            own = {d.name for d in block.definitions}
            if own & moved or any(u in moved for n in own for u in self.program.uses(n)):
                moved |= own
                found.append(block.replaced({d: replace(d, expr=expr) for d in block.definitions if d.name == self.gradients[name].name}))
        return found
