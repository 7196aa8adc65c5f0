"""NumPy's functions in NumPy's own words: the same as NumPy's on its arrays, and programs for all sizes of what is traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.indexing.numpy_functions import COMPOSED

DICE = np.random.default_rng(5)
A, B, C, U, V = (DICE.normal(size=shape) for shape in ((3, 4), (4, 2), (3, 4), (4,), (4,)))
REAL: dict[str, Callable[..., Any]] = {"norm": np.linalg.norm, "multi_dot": np.linalg.multi_dot,
                                       **{name: getattr(np, name) for name in COMPOSED if name not in ("norm", "multi_dot")}}
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("average", (A,), {}), ("average", (A, 1), {}), ("average", (A, 0, np.array([1.0, 2.0, 3.0])), {}),
    ("average", (A,), {"axis": 1, "weights": C**2, "keepdims": True}), ("clip", (A, -0.5, 0.5), {}), ("clip", (A, None, 0.25), {}),
    ("norm", (U,), {}), ("norm", (A,), {}), ("norm", (A,), {"axis": 1}), ("norm", (A, 2, 0), {}), ("norm", (U, 1), {}),
    ("norm", (A, 1), {"axis": 1, "keepdims": True}), ("norm", (A, "fro"), {}), ("dot", (A, B), {}), ("dot", (A, U), {}), ("dot", (U, V), {}),
    ("dot", (A, 2.0), {}), ("inner", (A, C), {}), ("inner", (A, U), {}), ("vdot", (A, C), {}), ("outer", (U, V), {}), ("outer", (A, U), {}),
    ("kron", (A, B), {}), ("kron", (U, V), {}), ("kron", (U, A), {}), ("ptp", (A,), {}), ("ptp", (A, 1), {}), ("diff", (U,), {}),
    ("diff", (A,), {"axis": 0}), ("diff", (A, 2), {}), ("diff", (U,), {"prepend": 0.0}), ("diff", (A,), {"append": A[:, :1]}),
    ("diff", (U,), {"prepend": 1.0, "append": 2.0}), ("multi_dot", ([A, B, B.T, U],), {}),
    ("tensordot", (A, B, 1), {}), ("tensordot", (A, C), {"axes": ((1, 0), (1, 0))}), ("tensordot", (A, B), {"axes": (-1, 0)}),
    ("tensordot", (A, B, 0), {}),
    *[("einsum", parts, {}) for parts in (
        ("ij,jk->ik", A, B), ("ij,jk", A, B), ("ij,j,j->i", A, U, V), ("ij->ji", A), ("ij->", A), ("i,j->ij", U, V), ("...j,jk->...k", A, B),
        ("ij,ij->i", A, C), ("ii->i", A[:, :3]), ("ii", A[:, :3]), ("ij,kj,k->ik", A, C, A[:, 0]), ("...,...", A, C), ("ij,jk->ik", A, B[:1]))],
]


@pytest.mark.parametrize(("name", "args", "options"), CALLS)
def test_what_is_written_is_what_numpy_does(name: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
    ours, numpy = COMPOSED[name][0](*args, **options), REAL[name](*args, **options)
    assert np.shape(ours) == np.shape(numpy)
    np.testing.assert_allclose(ours, numpy, rtol=1e-12)


TRACED: dict[str, Callable[..., Any]] = {
    "weighted": lambda A, B, U, V: np.average(A @ B, axis=0, weights=np.sum(A**2, axis=1)).sum(),
    "kron": lambda A, B, U, V: np.sum(np.kron(A, B)**2),
    "difference": lambda A, B, U, V: np.sum(np.diff(U)**2) + np.sum(np.diff(A, axis=0)**2),
    "clipped": lambda A, B, U, V: np.sum(np.clip(A, -0.5, 0.5)),
    "products": lambda A, B, U, V: np.vdot(A, A) + np.inner(U, V) + np.sum(np.outer(U, V) @ B) + np.sum(np.linalg.multi_dot([A, B, B.T, U])),
    "einsum": lambda A, B, U, V: np.sum(np.einsum("nm,mk,m->nk", A, B, U)**2) + np.einsum("...m,m->...", A, V).sum(),
    "norms": lambda A, B, U, V: np.linalg.norm(A) + np.linalg.norm(U, 1) + np.sum(np.linalg.norm(A, axis=1)),
}


@pytest.mark.parametrize("name", TRACED)
def test_traced_with_symbolic_sizes_they_give_what_numpy_gives(name: str) -> None:
    made = sn.from_numpy(TRACED[name], shapes={"A": ("n", "m"), "B": ("m", "k"), "U": "m", "V": "m"})
    np.testing.assert_allclose(made.run(A=A, B=B, U=U, V=V), TRACED[name](A, B, U, V), rtol=1e-9)
