"""NumPy's einsum: einsum('nd,n->d', X, r) is the sum over n of X[n, d] r[n]."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.brackets import settle
from symnet.errors import ParseError, ShapeError
from symnet.parsing.values import Value, same

LETTERS = re.compile(r"[A-Za-z]*(?:,[A-Za-z]*)*(?:->[A-Za-z]*)?\Z")


def einsum(where: str, letters: str, values: Sequence[Value]) -> Value:
    """Each letter is an index; what stands behind the arrow stays, in that order, the rest is summed.

    Without an arrow the letters that stand once stay, in alphabetical order. Raises ShapeError where one letter stands on axes of
    two sizes.
    """
    text = "".join(letters.split())
    if not LETTERS.match(text):
        raise ParseError(where, f"the letters {letters!r}", "letters for each array, such as 'nd,n->d'")
    left, arrow, kept = text.partition("->")
    parts = left.split(",")
    kept = kept if arrow else "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
    if len(parts) != len(values) or [len(p) for p in parts] != [len(v.axes) for v in values]:
        shapes = ", ".join(v.shape for v in values)
        raise ShapeError(where, f"the letters {text!r} for arrays of shape {shapes}", "one letter for each axis of each array")
    axes: dict[str, Axis] = {}
    for part, value in zip(parts, values, strict=True):
        for letter, axis in zip(part, value.axes, strict=True):
            if not same(axes.setdefault(letter, axis), axis):
                raise ShapeError(where, f"the letter {letter} on axes of sizes {axes[letter].size} and {axis.size}",
                                 "one size for each letter")
    if len(set(kept)) != len(kept) or not set(kept) <= axes.keys():
        raise ParseError(where, f"the letters {kept!r} behind the arrow", "letters from before it, each once")
    index = {letter: sp.Dummy(letter, integer=True) for letter in axes}
    factors = [v.at(*[index[c] + a.lower - axes[c].lower for c, a in zip(p, v.axes, strict=True)])
               for p, v in zip(parts, values, strict=True)]
    over = tuple((index[c], *axes[c].range) for c in axes if c not in kept)
    expr = settle(sp.Mul(*factors), over, {index[c]: axes[c].range for c in kept})
    return Value(tuple(axes[c] for c in kept), tuple(index[c] for c in kept), expr)
