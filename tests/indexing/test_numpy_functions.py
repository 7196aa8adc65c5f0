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
    ("vstack", ([A, U],), {}), ("hstack", ([A, B.T[:1].T[:3]],), {}), ("hstack", ([U, V],), {}), ("column_stack", ([A, A[:, 0]],), {}),
    ("take", (A, [2, 0], 1), {}), ("take", (A, [5, 0]), {}),
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


def added_at(A: Any, B: Any, U: Any, V: Any) -> Any:
    out = np.zeros_like(A)
    np.add.at(out, np.arange(len(A)), A * U)
    np.subtract.at(out, np.arange(len(A)), V)
    np.add.at(out, np.arange(len(A)), 2.0)
    return np.sum(out**2)


TRACED: dict[str, Callable[..., Any]] = {
    "weighted": lambda A, B, U, V: np.average(A @ B, axis=0, weights=np.sum(A**2, axis=1)).sum(),
    "kron": lambda A, B, U, V: np.sum(np.kron(A, B)**2),
    "difference": lambda A, B, U, V: np.sum(np.diff(U)**2) + np.sum(np.diff(A, axis=0)**2),
    "clipped": lambda A, B, U, V: np.sum(np.clip(A, -0.5, 0.5)),
    "products": lambda A, B, U, V: np.vdot(A, A) + np.inner(U, V) + np.sum(np.outer(U, V) @ B) + np.sum(np.linalg.multi_dot([A, B, B.T, U])),
    "einsum": lambda A, B, U, V: np.sum(np.einsum("nm,mk,m->nk", A, B, U)**2) + np.einsum("...m,m->...", A, V).sum(),
    "stacked": lambda A, B, U, V: np.sum(np.vstack([A, U, V]) @ B) + np.sum(np.hstack([U, V])**2) + np.sum(np.column_stack([A.T, U])**3),
    "repeated": lambda A, B, U, V: np.sum(np.cumsum(np.tile(U, 2)) * np.tile(V, 2)) + np.sum(np.cumsum(np.repeat(A, 3, axis=0), axis=0)**2),
    "flattened": lambda A, B, U, V: np.sum(np.cumsum(U) * V) + np.trace(A @ A.T) + np.sum(np.diag(A @ A.T)**2),
    "anywhere": lambda A, B, U, V: np.sum(np.where((A > 1).any(axis=1), A[:, 0], 0)) + np.sum(A * np.all(A < 2, axis=0)),
    "from a start": lambda A, B, U, V: np.sum(np.max(A, axis=1, initial=0.5)) + np.sum(U, initial=3) + np.sum(A, where=A > 0, axis=0) @ U,
    "added at": added_at,
    "selected": lambda A, B, U, V: A[A > 0].mean() * len(A[A > 0]) + np.sum(A[A[:, 0] > 0].mean(axis=0) * U) + A[A[:, 0] > 0].size
    + A[A[:, 0] > 0].mean() + np.mean(A, axis=1, where=A > -5).sum(),
    "norms": lambda A, B, U, V: np.linalg.norm(A) + np.linalg.norm(U, 1) + np.sum(np.linalg.norm(A, axis=1)),
}


@pytest.mark.parametrize("name", TRACED)
def test_traced_with_symbolic_sizes_they_give_what_numpy_gives(name: str) -> None:
    made = sn.from_numpy(TRACED[name], shapes={"A": ("n", "m"), "B": ("m", "k"), "U": "m", "V": "m"})
    np.testing.assert_allclose(made.run(A=A, B=B, U=U, V=V), TRACED[name](A, B, U, V), rtol=1e-9)
