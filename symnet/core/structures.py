"""What may be declared of a matrix as a whole: symmetric, diagonal, positive definite, orthogonal; of rows: one-hot.

Like a domain, a structure goes with the symbol, as one more assumption, ``is symmetric``: an entry of the matrix tells of it.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import sympy as sp

from symnet.errors import NameError_, ShapeError

if TYPE_CHECKING:
    from symnet.core.tensors import Tensor

IS = "is "  # what the assumption that names a structure begins with
ONE_HOT = "one-hot"
STRUCTURES = {
    "symmetric": "A[i, j] = A[j, i]",
    "positive definite": "symmetric, and x @ A @ x > 0 for every x that is not 0",
    "orthogonal": "A.T @ A and A @ A.T are the unit matrix",
    "diagonal": "0 off the diagonal",
    "one-hot": "along the last axis one entry is 1 and the others are 0",
}
MIRRORED = frozenset({"symmetric", "positive definite", "diagonal"})  # A[i, j] and A[j, i] are one number
"""Structures in which a matrix is its transpose."""


def structure_named(text: object, where: str) -> str:
    """The structure as it is kept. Raises NameError_ for what is none.

    >>> structure_named("Positive_definite", "S")
    'positive definite'
    """
    if not isinstance(text, str):
        raise NameError_(where, f"a structure that is a {type(text).__name__}", "one of " + ", ".join(STRUCTURES))
    plain = " ".join(text.replace("_", " ").replace("-", " ").lower().split())
    plain = {"one hot": ONE_HOT, "onehot": ONE_HOT, "pd": "positive definite", "spd": "positive definite"}.get(plain, plain)
    if plain not in STRUCTURES:
        close = difflib.get_close_matches(plain, STRUCTURES, n=1, cutoff=0.6)
        raise NameError_(where, f"the structure {text[:60]!r}", "one of " + ", ".join(STRUCTURES),
                         f"did you mean {close[0]!r}?" if close else "")
    return plain


def check_structure(tensor: Tensor) -> None:
    """Refuse a structure that the shape or the domain of the tensor cannot have, and put its name as it is kept."""
    where = f"tensor {tensor.name}"
    found = structure_named(tensor.structure, where)
    object.__setattr__(tensor, "structure", found)
    if tensor.domain in ("complex", "index"):
        raise NameError_(where, f"the structure {found!r} of a tensor of the domain {tensor.domain!r}", "real numbers")
    if tensor.parent:
        return  # one entry of such a tensor
    if found == ONE_HOT:
        if not tensor.axes:
            raise ShapeError(where, "one-hot rows of a single number", "an axis of classes, the last one")
        if tensor.numbers.members not in ((0, 1), ()) or not all(m in tensor.numbers for m in (sp.S.Zero, sp.S.One)):
            raise NameError_(where, f"one-hot rows of the domain {tensor.domain!r}", "no domain, or {0, 1}")
        return
    if len(tensor.axes) != 2 or tensor.axes[0].range != tensor.axes[1].range:
        shape = f"of shape ({', '.join(map(str, tensor.shape))})" if tensor.axes else "that is a single number"
        raise ShapeError(where, f"a {found} tensor {shape}", 'a square matrix: shape = ["n", "n"]')
    if tensor.domain != "real" and found != "symmetric":
        raise NameError_(where, f"the structure {found!r} and the domain {tensor.domain!r}", "one of them")


def structure_of(entry: sp.Basic) -> str:
    """The structure of the matrix that an entry belongs to, or ""."""
    base = entry.base.label if isinstance(entry, sp.Indexed) else entry
    return next((fact.removeprefix(IS) for fact in base.assumptions0 if fact.startswith(IS)), "")
