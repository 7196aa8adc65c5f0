"""Array expressions with named axes: every node knows the index of each of its axes, so that broadcasting is never a guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

import sympy as sp

from symnet.core.axes import Range
from symnet.core.expressions import Limits

Labels = tuple[sp.Symbol, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """An array whose axes run over the indices ``labels``, in this order."""

    labels: Labels


@dataclass(frozen=True, slots=True)
class Leaf(Node):
    """Entries of a tensor. ``places`` are the indices as written; ``spans`` the range that each label covers.

    A place that holds no label is a fixed number (a loop index, or 0): that axis is taken at one place.
    """

    name: str
    places: tuple[sp.Expr, ...]
    spans: tuple[tuple[sp.Symbol, Range], ...] = ()


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number, a size, or an index used as a number, which then runs over ``span``."""

    value: sp.Expr
    span: Range | None = None


@dataclass(frozen=True, slots=True)
class Apply(Node):
    """A function entry by entry: ``function`` is a SymPy class (Add, Mul, Pow, exp, …); axes missing in an argument repeat."""

    function: type
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Contract(Node):
    """Σ over ``over`` of the product of ``factors``; a matrix product, a dot product, a row sum, …"""

    factors: tuple[Node, ...]
    over: tuple[Limits, ...]


@dataclass(frozen=True, slots=True)
class Softmax(Node):
    """exp(body)/Σ exp(body) along ``axis``; or what the ``others`` add up to, 1 minus it; with ``logarithm`` the log of either.

    With a ``weight``, weight exp(body)/Σ weight exp(body).
    """

    body: Node
    axis: Limits
    logarithm: bool = False
    others: bool = False
    weight: Node | None = None


@dataclass(frozen=True, slots=True)
class Others(Node):
    """1 - body for shares ``body`` that add up to 1 along ``axis``: what the others add up to."""

    body: Node
    axis: Limits


@dataclass(frozen=True, slots=True)
class OtherTerms(Node):
    """Σ body along ``axis`` without the term at the place itself."""

    body: Node
    axis: Limits


@dataclass(frozen=True, slots=True)
class Crossed(Node):
    """p_j Σ_{i≠j} weight_i/(1 - p_i) along ``axis`` for the softmax p of ``body``.

    With ``more``, exp(more) is added to what exp(body) adds up to: it is no entry.
    """

    body: Node
    weight: Node
    axis: Limits
    more: Node | None = None


@dataclass(frozen=True, slots=True)
class LogSum(Node):
    """log Σ exp(body) along ``axis``."""

    body: Node
    axis: Limits


@dataclass(frozen=True, slots=True)
class LogWeighted(Node):
    """log Σ weight exp(body) along ``axis``; with ``mean`` log of Σ weight exp(body)/Σ exp(body)."""

    body: Node
    weight: Node
    axis: Limits
    mean: bool = False


@dataclass(frozen=True, slots=True)
class Masked(Node):
    """``body`` where a condition on indices holds, ``outside`` elsewhere: 0, 1 where a function is taken of it, or -∞ under a softmax."""

    body: Node
    condition: sp.Basic
    spans: tuple[tuple[sp.Symbol, Range], ...]
    outside: sp.Expr = sp.S.Zero


@dataclass(frozen=True, slots=True)
class Scatter(Node):
    """``body``, whose first axes are ``over``, added up by class: each term goes to ``place`` of the first label, which covers ``span``.

    ``spans`` gives the range of every other label.
    """

    body: Node
    place: sp.Expr
    over: tuple[Limits, ...]
    span: Range
    spans: tuple[tuple[sp.Symbol, Range], ...]


@dataclass(frozen=True, slots=True)
class OfMatrix(Node):
    """``kind`` "det", "logdet", "logabsdet", "inv" or "adj" (the adjugate) of the matrix whose entry at ``rows`` and ``columns``
    is ``body``.

    For the last two, ``places`` are the row and the column of the entry, and ``spans`` what the indices in them run over.
    """

    kind: str
    body: Node
    rows: Limits
    columns: Limits
    places: tuple[sp.Expr, ...] = ()
    spans: tuple[tuple[sp.Symbol, Range], ...] = ()


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """Branches with conditions on values: (value, relation, left, right), the last one without a condition."""

    branches: tuple[tuple[Node, type | None, Node | None, Node | None], ...]


def is_inverse(node: Node) -> TypeGuard[Apply]:
    """True for 1/x."""
    return isinstance(node, Apply) and node.function is sp.Pow and isinstance(node.args[1], Number) and node.args[1].value == -1


def sign_of(node: Node) -> int:
    """-1 for what is written with a minus in front, else 1: a product of two negative numbers has none."""
    if isinstance(node, Apply) and node.function is sp.Mul:
        return -1 if sum(isinstance(a, Number) and bool(a.value.is_negative) for a in node.args) % 2 else 1
    return -1 if isinstance(node, Number) and node.value.is_negative else 1


def without_sign(node: Node) -> Node:
    """The same without its minus."""
    if isinstance(node, Number) and node.value.is_negative:
        return Number((), -node.value)
    if isinstance(node, Apply) and node.function is sp.Mul:
        args = [Number((), -a.value) if isinstance(a, Number) and a.value.is_negative else a for a in node.args]
        kept = tuple(a for a in args if not (isinstance(a, Number) and a.value == 1))
        return kept[0] if len(kept) == 1 else Apply(node.labels, sp.Mul, kept)
    return node
