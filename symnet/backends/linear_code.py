"""Determinants, inverses and adjugates as NumPy source: np.linalg on the last two axes, what is left in front is a batch."""

from __future__ import annotations

import sympy as sp

from symnet.arrays.tree import Leaf, OfMatrix
from symnet.backends.brackets import atom
from symnet.backends.index_code import IndexCode
from symnet.core.axes import Range
from symnet.errors import UnknownNodeError

FORMS = {"det": "np.linalg.det({})", "logdet": "logdet({})", "logabsdet": "np.linalg.slogdet({})[1]", "inv": "np.linalg.inv({})",
         "adj": "adjugate({})"}


def of_matrix(code: IndexCode, node: OfMatrix) -> str:
    """Source for an array whose axes are ``node.labels``."""
    row, column = node.rows[0], node.columns[0]
    outer = tuple(s for s in node.body.labels if s not in (row, column))
    missing = [t for t in (node.rows, node.columns) if t[0] not in node.body.labels]
    matrix = code.aligned(node.body, (*outer, row, column))
    if missing:  # the entries do not depend on the row or the column
        if outer:
            raise UnknownNodeError("numpy", "a batch of matrices with equal rows or columns", "matrices")
        shape = ", ".join(code.length((lo, hi)) for _, lo, hi in (node.rows, node.columns))
        matrix = f"np.broadcast_to({matrix}, ({shape}))"
    made = FORMS[node.kind].format(matrix)
    if node.kind not in ("inv", "adj") or _plain(node, outer):
        return made
    if outer:
        raise UnknownNodeError("numpy", "entries of a batch of inverses at shifted places", "a line for the inverse itself")
    entry = Leaf(node.labels, "", node.places, node.spans)
    ranges: tuple[Range, ...] = (node.columns[1:], node.rows[1:])
    at = ", ".join(code.position(p, r, entry, dict(node.spans)) for p, r in zip(node.places, ranges, strict=True))
    return f"{atom(made)}[{at}]"


def _plain(node: OfMatrix, outer: tuple[sp.Symbol, ...]) -> bool:
    """True when the places are two different indices over the whole inverse."""
    spans = dict(node.spans)
    whole = all(p in spans and spans[p] == t[1:] for p, t in zip(node.places, (node.columns, node.rows), strict=True))
    return whole and node.labels == (*outer, *node.places) and len(set(node.labels)) == len(outer) + 2
