"""Σ of a product of two arrays as NumPy source: one matrix product, whatever the number of axes, where there is one.

The axes of two factors are of four kinds: summed in both, kept from the first (rows), kept from the second (columns), and in both and
kept (a batch). Each kind is laid together as one axis by ``reshape``, so that the machine's matrix product does the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import sympy as sp

from symnet.arrays.tree import Labels, Leaf, Masked, Node, Number, OfMatrix, Scatter
from symnet.backends.brackets import atom
from symnet.backends.index_code import IndexCode
from symnet.core.axes import Range


def contraction(code: IndexCode, a: Node, b: Node, over: list[sp.Symbol], out: Labels) -> str | None:
    """Σ_over a·b over the axes ``out``; None where no matrix product does it."""
    if any(i not in a.labels or i not in b.labels for i in over) or not over:
        return None
    batch = tuple(s for s in out if s in a.labels and s in b.labels)
    for left, right in ((a, b), (b, a)):
        rows, columns = (tuple(s for s in f.labels if s not in over and s not in batch) for f in (left, right))
        if (*batch, *rows, *columns) == out or (left, right) == (b, a) or not rows or not columns:
            break
    if not batch and not rows and not columns:
        return _inner(code, left, right, over)
    if batch and (not rows or not columns):
        return None
    k = tuple(s for s in left.labels if s in over)
    if len(rows) <= 1 and len(columns) <= 1 and len(k) == 1 and not batch:
        return _turned(f"({_matrix(code, left, rows, k)} @ {_matrix(code, right, k, columns)})", (*rows, *columns), out)
    spans = {s: span for f in (left, right) for s, span in _spans(f)}
    if not {*batch, *rows, *columns, *k} <= set(spans):
        return None
    flat = [_flat(code, f, (batch, *kinds), spans) for f, kinds in ((left, (rows, k)), (right, (k, columns)))]
    made = f"({flat[0]} @ {flat[1]})"
    if max(len(batch), len(rows), len(columns)) > 1:
        made = f"{made}.reshape({', '.join(code.length(spans[s]) for s in (*batch, *rows, *columns))})"
    return _turned(made, (*batch, *rows, *columns), out)


def _inner(code: IndexCode, a: Node, b: Node, over: list[sp.Symbol]) -> str:
    """A number: the inner product of two arrays of the same axes."""
    labels = a.labels
    parts = [code.aligned(f, labels) for f in (a, b)]
    return f"({atom(parts[0])} @ {atom(parts[1])})" if len(labels) == 1 else f"np.vdot({', '.join(parts)})"


def _matrix(code: IndexCode, node: Node, first: Labels, second: Labels) -> str:
    """A matrix, or a vector where one kind of axis is missing."""
    return atom(code.aligned(node, (*first, *second)))


def _flat(code: IndexCode, node: Node, kinds: tuple[Labels, ...], spans: dict[sp.Symbol, Range]) -> str:
    """The array with one axis for each kind that it has axes of."""
    laid = code.aligned(node, tuple(s for kind in kinds for s in kind))
    if all(len(kind) == 1 for kind in kinds if kind):
        return atom(laid)
    sizes = ["*".join(code.length(spans[s]) for s in kind) for kind in kinds if kind]
    return f"{atom(laid)}.reshape({', '.join(sizes)})"


def _turned(made: str, labels: Labels, out: Labels) -> str:
    """The axes in the order asked for."""
    if labels == out:
        return made
    return f"{made}.T" if len(out) == 2 else f"{made}.transpose({', '.join(str(labels.index(s)) for s in out)})"


def _spans(node: Any) -> Iterator[tuple[sp.Symbol, Range]]:
    """The ranges of the labels of a tree, as its leaves know them."""
    if isinstance(node, (Leaf, Masked, Scatter, OfMatrix)):
        yield from node.spans
    if isinstance(node, Number) and node.span is not None:
        yield from ((s, node.span) for s in node.labels)
    if isinstance(node, Scatter):
        yield node.labels[0], node.span
    if isinstance(node, Node):
        for f in fields(node):
            yield from _spans(getattr(node, f.name))
    elif isinstance(node, tuple):
        for part in node:
            yield from _spans(part)
