"""Which argument of a maximum or minimum gets the slope in compiled code: the first of those that are equal as they were computed.

The oracle is Python's own arithmetic, entry by entry: sums such as .1 + .7 are rounded, and tie where the exact numbers do not, or fail to.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.backends.dialects import library_source
from symnet.backends.running import function_of

ARRAYS = ("numpy", "jax", "torch")
POOL = (0.1, 0.7, 0.3, 0.31, 1.89, 0.8, 0.2, 100.0, 0.1, 0.7)


Slopes = Callable[[Mapping[str, Any]], dict[str, np.ndarray]]


def slopes(d: sn.Derivation, library: str) -> Slopes:
    """The compiled gradients as a function of the data."""
    if library == "jax":
        pytest.importorskip("jax").config.update("jax_enable_x64", True)
    run = function_of(library_source(d, library), "value_and_grad")
    return lambda data: {name: np.asarray(value, dtype=float) for name, value in run(**data)[1].items()}


@dataclass(frozen=True)
class Row:
    """A program and the gradients that it should have, exactly."""

    lines: tuple[str, ...]
    data: Mapping[str, Any]
    gradients: Mapping[str, Any]
    tensors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


BEST = {"x": [1, 0, 0], "y": [1, 0, 0]}
ROWS: dict[str, Row] = {
    "nested minimum": Row(("h[t] = min(x[t]+g, min(y[t]+g, 100)) for t in 1..T", "L = sum(h)"), {"x": [.1], "y": [.1], "g": .7},
                          {"g": 1, "x": [1], "y": [0]}, {"x": ("T",), "y": ("T",), "g": ()}),
    "nested minimum in a sum": Row(("L = sum(min(x[t]+g, min(y[t]+g, 100)) for t in 1..T)",), {"x": [.1], "y": [.1], "g": .7},
                                   {"g": 1, "x": [1], "y": [0]}, {"x": ("T",), "y": ("T",), "g": ()}),
    "edit distance": Row(("E[0,0] = 0", "E[i,0] = E[i-1,0]+g for i in 1..n", "E[0,j] = E[0,j-1]+g for j in 1..m",
                          "E[i,j] = min(E[i-1,j]+g, min(E[i,j-1]+g, E[i-1,j-1]+abs(x[i]-y[j]))) for i in 1..n for j in 1..m", "L = E[n,m]"),
                         {"x": [9.0], "y": [-9.0] * 2, "g": .3}, {"g": 3}, {"x": ("n",), "y": ("m",), "g": ()}),
    "maximum over a letter": Row(("L = max(x[k]+y[k] for k in 1..n)",), {"x": [.31] * 3, "y": [1.89] * 3}, BEST, {"x": ("n",), "y": ("n",)}),
    "maximum of an array": Row(("L = max(x+y)",), {"x": [.31] * 3, "y": [1.89] * 3}, BEST, {"x": ("n",), "y": ("n",)}),
    "maximum of a shifted array": Row(("L = max(x[k]+y for k in 1..n)",), {"x": [.1] * 2, "y": .7}, {"x": [1, 0], "y": 1}, {"x": ("n",), "y": ()}),
    "products": Row(("L = max(x[k]*y[k] for k in 1..n)",), {"x": [.31] * 3, "y": [1.89] * 3}, {"x": [1.89, 0, 0], "y": [.31, 0, 0]},
                    {"x": ("n",), "y": ("n",)}),
    "Viterbi": Row(("d[0,s] = p[s] for s in 1..S", "d[t,s] = max(d[t-1,r] + A[r,s] for r in 1..S) + E[t,s] for t in 1..T for s in 1..S",
                    "L = max(d[T,s] for s in 1..S)"), {"p": [.1] * 2, "A": [[.7] * 2] * 2, "E": [[.1] * 2] * 3},
                   {"p": [1, 0], "A": [[3, 0], [0, 0]], "E": [[1, 0]] * 3}, {"p": ("S",), "A": ("S", "S"), "E": ("T", "S")}),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_first_of_equal_arguments_gets_the_slope(name: str) -> None:
    row = ROWS[name]
    d = sn.derive(sn.program(*row.lines, tensors=row.tensors), wrt=list(row.gradients))
    for library in ARRAYS:
        for w, found in slopes(d, library)(row.data).items():
            assert np.array_equal(found, row.gradients[w]), (library, w, found)


Tree = tuple[Any, ...]


def grown(rng: random.Random, names: list[str], depth: int) -> Tree:
    """A tree of maxima and minima whose leaves are sums with g, each of a name of its own."""
    if depth == 0 or (depth < 3 and rng.random() < 0.3):
        names.append(f"v{len(names)}")
        return (rng.choice(("{}{} + g", "g + {}{}")), names[-1])
    return (rng.choice(("max", "min")), *[grown(rng, names, depth - 1) for _ in range(rng.choice((2, 2, 3)))])


def written(tree: Tree, place: str) -> str:
    if tree[0] not in ("max", "min"):
        return str(tree[0].format(tree[1], place))
    return f"{tree[0]}({', '.join(written(t, place) for t in tree[1:])})"


def winner(tree: Tree, at: Mapping[str, float], g: float) -> tuple[float, str]:
    """The value and the leaf that it comes from: Python's max and min take the first of equals."""
    if tree[0] not in ("max", "min"):
        return at[tree[1]] + g, tree[1]
    return (max if tree[0] == "max" else min)([winner(t, at, g) for t in tree[1:]], key=lambda pair: pair[0])


@pytest.mark.parametrize("seed", range(6))
def test_exactly_one_leaf_gets_the_slope(seed: int) -> None:
    """The slopes in the leaves are those of the first of equals, and the slope in what all of them add is the number of entries."""
    rng, names, count = random.Random(seed), list[str](), 40
    tree = grown(rng, names, 2 + seed % 2)
    arrayed = seed < 4
    d = sn.derive(sn.program(f"L = sum({written(tree, '[t]')} for t in 1..T)" if arrayed else f"L = {written(tree, '')}",
                             tensors={"g": (), **dict.fromkeys(names, ("T",) if arrayed else ())}), wrt=["g", *names])
    g = rng.choice(POOL)
    rows = [{n: rng.choice(POOL) for n in names} for _ in range(count)]
    best = [winner(tree, row, g)[1] for row in rows]
    for library in ARRAYS if arrayed else (*ARRAYS, "math"):
        run = slopes(d, library)
        parts = [(rows, best)] if arrayed else [([row], [won]) for row, won in zip(rows, best, strict=True)]
        for part, taken in parts:
            found = run({"g": g, **{n: [row[n] for row in part] if arrayed else part[0][n] for n in names}})
            assert found["g"] == len(part), (library, written(tree, ""), part)
            for n in names:
                assert np.array_equal(np.ravel(found[n]), [w == n for w in taken]), (library, n, written(tree, ""))
