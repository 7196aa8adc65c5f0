"""Arrays in index form against NumPy: sums of products, broadcasting, arrays that meet themselves, axes that start elsewhere than at 1."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.tensors import Tensor
from symnet.indexing.composites import AtOnce, log_softmax, logsumexp, norm, softmax
from symnet.indexing.index_array import IndexArray, align, contract, of_tensor, sum_over

SIZES = {"i": 2, "j": 3, "k": 4}
FIRST = {"1": 1, "0": 0, "5": 5}


def array(name: str, letters: str, first: int = 1) -> tuple[IndexArray, np.ndarray, dict[sp.Expr, sp.Expr]]:
    """A tensor with an axis for each letter, whose places start at ``first``; its numbers; and its entries' values."""
    sizes = [SIZES[c] for c in letters]
    tensor = Tensor(name, tuple(Axis.between(first, first + n - 1, Kind.FEATURE) for n in sizes))
    numbers = np.random.default_rng(len(name + letters) + first).integers(-4, 5, sizes)
    values = {tensor[tuple(first + p for p in place)]: sp.Integer(int(numbers[place])) for place in itertools.product(*map(range, sizes))}
    return of_tensor(tensor), numbers, values


def computed(v: IndexArray, values: dict[sp.Expr, sp.Expr]) -> np.ndarray:
    """The entries of an array in index form as numbers."""
    ranges = [range(int(d.parts[0][1].lower), int(d.parts[0][1].upper) + 1) if d.parts else range(1) for d in v.dims]
    made = []
    for place in itertools.product(*ranges):
        there = {d.parts[0][0]: sp.Integer(p) for d, p in zip(v.dims, place, strict=True) if d.parts}
        made.append(float(v.put(there).doit().xreplace(values)))
    return np.array(made).reshape([len(r) for r in ranges])


@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
@pytest.mark.parametrize("text", ["ij,jk->ik", "ij,ij->", "ij,ij->ij", "i,j->ij", "ij->ji", "ij->", "ijk,k,i->j", "ij,jk,k->i", "jj->", "jj->j",
                                  "ij,kj->ki"])
def test_sums_of_products_are_those_of_einsum(text: str, first: int) -> None:
    left, kept = text.split("->")
    parts = left.split(",")
    made = [array(f"{'ABC'[k]}", part, first if k != 1 else 1) for k, part in enumerate(parts)]
    values = {e: n for _, _, own in made for e, n in own.items()}
    for first_inside in (False, True):
        found = contract([v for v, _, _ in made], parts, kept, "here", first_inside)
        assert np.array_equal(computed(found, values), np.einsum(text, *[n for _, n, _ in made]))


def test_an_array_meets_itself() -> None:
    a, numbers, values = array("A", "ij")
    assert np.array_equal(computed(contract((a, a), ("ij", "kj"), "ik", "here"), values), numbers @ numbers.T)
    sums = sum_over(a, [1], keep=True)  # it binds the index that runs along A
    dims, (entry, below) = align((a, sums), "here")
    assert np.array_equal(computed(IndexArray(dims, entry * 10 + below), values), numbers * 10 + numbers.sum(1, keepdims=True))
    assert np.array_equal(computed(sum_over(IndexArray(dims, entry * below), [0, 1]), values), (numbers * numbers.sum(1, keepdims=True)).sum())


@pytest.mark.parametrize("first", FIRST.values(), ids=FIRST)
def test_shapes_line_up_from_the_right_and_axes_of_one_place_stretch(first: int) -> None:
    (a, x, known), (b, y, more) = array("A", "ij"), array("b", "j", first)
    dims, (u, v) = align((a, b), "here")
    assert np.array_equal(computed(IndexArray(dims, u - v), known | more), x - y)
    dims, (u, v) = align((sum_over(a, [0], keep=True), a), "here")
    assert np.array_equal(computed(IndexArray(dims, u - v), known), x.sum(0, keepdims=True) - x)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_and_its_logarithm_and_norms(axis: int) -> None:
    a, x, values = array("A", "ij")
    e = np.exp(x)
    wanted = {softmax: e / e.sum(axis, keepdims=True), log_softmax: x - np.log(e.sum(axis, keepdims=True)),
              logsumexp: np.log(e.sum(axis)), norm: np.sqrt((x * x).sum(axis))}
    for rule, numbers in wanted.items():
        assert np.allclose(computed(rule(AtOnce("here", rule.__name__), a, axis), values), numbers)


def test_an_axis_of_one_place_with_an_index_stretches_whichever_array_comes_first() -> None:
    a, x, values = array("A", "ij")
    one = Tensor("c", (Axis.between(5, 5, Kind.FEATURE),))
    known = values | {one[5]: sp.Integer(7)}
    for pair, sign in (((of_tensor(one), a), 1), ((a, of_tensor(one)), -1)):
        dims, (u, v) = align(pair, "here")
        assert np.array_equal(computed(IndexArray(dims, u - v), known), sign * (7 - x))


def test_no_index_of_a_sum_is_captured() -> None:
    i, j = sp.symbols("i j", integer=True)
    a = Tensor("A", (Axis.of(2), Axis.of(3)))
    rows = IndexArray.over(a.axes[:1], (i,), sp.Sum(a[i, j], (j, 1, 3)))
    assert rows.at(j).doit() == a[j, 1] + a[j, 2] + a[j, 3]


def test_the_first_letter_is_summed_last_unless_told() -> None:
    a, _, _ = array("A", "ij")
    for first_inside, ends in ((False, [3, 2]), (True, [2, 3])):
        assert [t[2] for t in contract((a,), ("ij",), "", "here", first_inside).expr.limits] == ends
