"""Products of arrays of nodes: every entry is one sum of products, however it is written."""

from __future__ import annotations

from typing import Any

import numpy as np

from symnet.checking.code import nodes as n
from symnet.checking.code.arrays import Traced, each, nodes_of, plain, wrap
from symnet.checking.code.edits import edited
from symnet.errors import OptionError


def contract(left: Any, right: Any, shape: tuple[int, ...]) -> Traced:
    """Σ over the last axis of ``left`` times that of ``right``, both of the shape (*shape, K)."""
    made = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        made[place] = n.add(n.mul(pair) for pair in zip(left[place], right[place], strict=True))
    return wrap(made)


def _mismatch(name: str, a: Any, b: Any) -> OptionError:
    return OptionError(name, f"shapes {a.shape} and {b.shape}", "inner sizes that agree", "a transpose")


def _one_mask(left: Any, right: Any) -> bool:
    """Does the mask of x select along its last axis, that of y along the axis that goes with it, and are they the same?"""
    one = left.reshape(-1, left.shape[-1])
    two = (right[:, None] if right.ndim == 1 else np.moveaxis(right, -2, 0)).reshape(right.shape[max(right.ndim - 2, 0)], -1)
    return one.shape[1] == two.shape[0] and all(row[k] is m for row in one for k, masks in enumerate(two) for m in masks)


def matmul(x: Any, y: Any) -> Traced:
    """x @ y. Where both are selected by one mask along the axis that is summed over, what it leaves out counts as 0."""
    a, b = nodes_of(x), nodes_of(y)
    masks = [plain(v.mask) if isinstance(v, Traced) and v.mask is not None else None for v in (x, y)]
    if masks[0] is not None or masks[1] is not None:
        if masks[0] is None or masks[1] is None or not a.ndim or not b.ndim or not _one_mask(*masks):
            raise OptionError("@ of x[mask]", "entries that are not known", "X[mask].T @ y[mask], or np.where(mask, x, 0)")
        a, b = (each(n.choose, m, v, n.num(0)) for m, v in zip(masks, (a, b), strict=True))
    if not a.ndim or not b.ndim:
        raise OptionError("@", "a single number", "arrays", "*")
    if a.ndim == b.ndim == 2 and (side := edited("transposition in code", "@", ("left", "right"))):
        a, b = (a.T, b) if side == "left" else (a, b.T)
    first, last = a.ndim == 1, b.ndim == 1
    a = a[None, :] if first else a
    b = b[:, None] if last else b
    if a.shape[-1] != b.shape[-2]:
        raise _mismatch("@", nodes_of(x), nodes_of(y))
    front = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    shape = (*front, a.shape[-2], b.shape[-1])
    left = np.broadcast_to(a[..., :, None, :], (*shape, a.shape[-1]))
    right = np.broadcast_to(np.swapaxes(b, -1, -2)[..., None, :, :], (*shape, a.shape[-1]))
    made = contract(left, right, shape)
    made = made[..., 0] if last else made
    return made[..., 0, :] if first and not last else made[..., 0] if first else made


def tensordot(x: Any, y: Any, axes: Any = 2) -> Traced:
    """np.tensordot."""
    a, b = nodes_of(x), nodes_of(y)
    if isinstance(axes, int):
        axes = (tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes)))
    one, two = ([axes[k]] if isinstance(axes[k], int) else list(axes[k]) for k in (0, 1))
    one, two = [k % a.ndim for k in one], [k % b.ndim for k in two]
    if [a.shape[k] for k in one] != [b.shape[k] for k in two]:
        raise _mismatch("np.tensordot", a, b)
    free, rest = [k for k in range(a.ndim) if k not in one], [k for k in range(b.ndim) if k not in two]
    outer_, inner_ = [a.shape[k] for k in free], [b.shape[k] for k in rest]
    length = int(np.prod([a.shape[k] for k in one], dtype=int))
    left = a.transpose((*free, *one)).reshape((*outer_, *[1] * len(inner_), length))
    right = b.transpose((*rest, *two)).reshape((*inner_, length))
    shape = (*outer_, *inner_)
    return contract(np.broadcast_to(left, (*shape, length)), np.broadcast_to(right, (*shape, length)), shape)


def einsum(subscripts: Any, *operands: Any, **_: Any) -> Traced:
    """np.einsum with subscripts as text, "…" included."""
    if not isinstance(subscripts, str):
        raise OptionError("np.einsum", "subscripts as lists", "text such as 'ij,jk->ik'")
    arrays = [nodes_of(x) for x in operands]
    terms, result = _subscripts(subscripts, arrays)
    sizes: dict[str, int] = {}
    for term, a in zip(terms, arrays, strict=True):
        if len(term) != a.ndim:
            raise OptionError("np.einsum", f"{term!r} for an array of shape {a.shape}", "one letter for each axis")
        for letter, size in zip(term, a.shape, strict=True):
            known = sizes.setdefault(letter, size)
            if known != size and 1 not in (known, size):
                raise OptionError("np.einsum", f"sizes {known} and {size} for {letter!r}", "one size for each letter")
            sizes[letter] = max(known, size)
    summed = [c for c in sizes if c not in result]
    letters = [*result, *summed]
    lined = [np.broadcast_to(_lined(a, term, letters), [sizes[c] for c in letters]) for a, term in zip(arrays, terms, strict=True)]
    made = np.empty([sizes[c] for c in result], dtype=object)
    for place in np.ndindex(*made.shape):
        made[place] = n.add(n.mul(group) for group in zip(*[np.asarray(x[place], dtype=object).reshape(-1) for x in lined], strict=True))
    return wrap(made)


def _subscripts(text: str, arrays: list[Any]) -> tuple[list[str], str]:
    left, arrow, right = text.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(arrays):
        raise OptionError("np.einsum", f"{len(arrays)} arrays for {left!r}", f"{len(terms)}")
    spare = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if c not in text]
    widths = [a.ndim - len(t.replace("...", "")) for t, a in zip(terms, arrays, strict=True) if "..." in t]
    dots = "".join(spare[:max(widths, default=0)])
    terms = [t.replace("...", dots[len(dots) - (a.ndim - len(t) + 3):]) if "..." in t else t for t, a in zip(terms, arrays, strict=True)]
    if not arrow:
        right = dots + "".join(sorted(c for c in set("".join(terms)) - set(dots) if "".join(terms).count(c) == 1))
    return terms, right.replace("...", dots)


def _lined(a: Any, term: str, letters: list[str]) -> Any:
    """``a`` with its axes in the order of ``letters``, 1 where it has none, a repeated letter as a diagonal."""
    while len(set(term)) < len(term):
        letter = next(c for c in term if term.count(c) > 1)
        i, j = [k for k, c in enumerate(term) if c == letter][:2]
        a = np.diagonal(a, axis1=i, axis2=j)
        term = "".join(c for k, c in enumerate(term) if k not in (i, j)) + letter
    here = [c for c in letters if c in term]
    return a.transpose([term.index(c) for c in here])[tuple(slice(None) if c in term else None for c in letters)]
