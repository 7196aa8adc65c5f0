"""Reshapes, slices and windows in index form: every entry is the one that NumPy puts there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import sympy as sp

from symnet.core.axes import Axis, size
from symnet.core.expressions import When
from symnet.core.tensors import Tensor
from symnet.errors import UnknownNodeError
from symnet.indexing.index_array import IndexArray, align, cut, of_axes, take, window
from symnet.indexing.reshaping import reshape


def leaf(*sizes: Any, name: str = "x") -> IndexArray:
    axes = tuple(Axis.of(n) for n in sizes)
    dims = of_axes(axes)
    return IndexArray(dims, Tensor(name, axes)[tuple(d.place for d in dims)])


def array(v: IndexArray, x: Any) -> Any:
    """The value as a NumPy array, entry by entry, where the tensor is ``x``."""
    parts = v.parts
    found = np.zeros([int(d.size) for d in v.dims])
    for at in itertools.product(*[range(1, int(a.size) + 1) for _, a in parts]):
        mapping = dict(zip([s for s, _ in parts], map(sp.Integer, at), strict=True))
        entry = v.expr.xreplace(mapping)
        place = tuple(int(d.place.xreplace(mapping)) - 1 for d in v.dims)
        found[place] = 0 if entry == 0 else x[tuple(int(k) - 1 for k in (entry.body if isinstance(entry, When) else entry).indices)]
    return found


def numbers(*shape: int) -> Any:
    return np.arange(1.0, np.prod(shape) + 1).reshape(shape)


@pytest.mark.parametrize(("old", "new"), [
    ((3, 4), (12,)), ((12,), (3, 4)), ((2, 3, 4), (6, 4)), ((2, 3, 4), (2, 12)), ((6, 4), (2, 3, 4)), ((2, 4), (4, 2)), ((5, 2, 4), (5, 4, 2)),
    ((4, 6), (2, 2, 3, 2)), ((3, 1, 4), (3, 4)), ((3, 4), (1, 3, 1, 4)), ((2, 2, 2, 3), (4, 6)), ((8, 3), (2, 12)), ((1, 1), (1,)),
])
def test_a_reshape_is_that_of_numpy(old: Sequence[int], new: Sequence[int]) -> None:
    x = numbers(*old)
    assert np.array_equal(array(reshape(leaf(*old), [sp.Integer(n) for n in new], "here"), x), x.reshape(new))


@pytest.mark.parametrize("shapes", [((2, 6), (12,), (2, 3, 2)), ((24,), (2, 12), (6, 4)), ((2, 3, 4), (24,), (2, 3, 4)), ((4, 6), (8, 3), (24,))])
def test_reshapes_one_after_another(shapes: tuple[Sequence[int], ...]) -> None:
    v, x = leaf(*shapes[0]), numbers(*shapes[0])
    for shape in shapes[1:]:
        v = reshape(v, [sp.Integer(n) for n in shape], "here")
    assert np.array_equal(array(v, x), x.reshape(shapes[-1]))


def test_a_reshape_of_any_size() -> None:
    n, d = size("n"), size("d")
    assert [m.size for m in reshape(leaf(n, d, 4), [n * d, sp.Integer(2), sp.Integer(2)], "here").dims] == [n * d, 2, 2]
    assert [m.size for m in reshape(leaf("n", 4), [2 * n, sp.Integer(2)], "here").dims] == [2 * n, 2]


@pytest.mark.parametrize(("old", "new"), [((2, 3), (3, 2)), ((4, 6), (3, 8)), (("n", "d"), ("d", "n"))])
def test_a_reshape_that_groups_unevenly_is_refused(old: Sequence[Any], new: Sequence[Any]) -> None:
    with pytest.raises(UnknownNodeError, match="node 7: a reshape from"):
        reshape(leaf(*old), [size(n) for n in new], "node 7")


def test_a_grouped_axis_meets_a_plain_one() -> None:
    grouped, plain = reshape(leaf(3, 4), [sp.Integer(12)], "here"), leaf(12, name="y")
    dims, (_, right) = align([grouped, plain], "here")
    (i, _), (j, _) = dims[0].parts
    assert sp.expand(right.indices[0] - (4 * (i - 1) + j)) == 0


OTHERS: dict[str, tuple[Callable[[IndexArray], IndexArray], Callable[[Any], Any]]] = {
    "take": (lambda v: take(v, 1, 2), lambda x: x[:, 2]),
    "take of a grouped axis": (lambda v: take(reshape(v, [sp.Integer(24)], ""), 0, 17), lambda x: x.reshape(24)[17]),
    "cut": (lambda v: cut(v, 1, sp.Integer(1), sp.Integer(3), 2, ""), lambda x: x[:, 1:6:2]),
    "window": (lambda v: window(v, 1, sp.Integer(3), sp.Integer(2), 2, 1, 0, ""),
               lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, 1)[:, ::2]),
    "window, dilated": (lambda v: window(v, 1, sp.Integer(4), sp.Integer(2), 1, 2, 0, ""),
                        lambda x: np.lib.stride_tricks.sliding_window_view(x, 3, 1)[:, :, ::2]),
    "window, padded": (lambda v: window(v, 1, sp.Integer(4), sp.Integer(2), 2, 1, 1, ""),
                       lambda x: np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), (1, 1))), 2, 1)[:, ::2]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_moves_are_those_of_numpy(name: str) -> None:
    ours, theirs = OTHERS[name]
    x = numbers(4, 6)
    assert np.array_equal(array(ours(leaf(4, 6)), x), theirs(x))
