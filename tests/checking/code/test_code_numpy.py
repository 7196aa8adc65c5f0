"""The symbolic array does what NumPy does: every expression, traced and then evaluated, has NumPy's own shape and values."""

from __future__ import annotations

import contextlib
import copy
import importlib
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
from flint import fmpq

import symnet as sn
from symnet.checking.code.entry_maker import EntryMaker
from symnet.checking.code.nodes import Graph, tracing, var
from symnet.checking.code.values import needed, values
from symnet.core.axes import Axis
from symnet.core.decimals import as_ball
from symnet.core.tensors import Tensor
from symnet.errors import SymnetError
from symnet.frontends.numpy_binding import NumpyTracing
from symnet.frontends.numpy_tracer import SizedArray, sized_numpy

SHAPES = {"X": (3, 4), "W": (4, 2), "v": (4,), "S": (3, 3), "B": (2, 3, 4), "c": ()}
DICE = np.random.default_rng(5)
NUMBERS = {name: DICE.integers(-9, 10, shape) / 8 + 1 / 16 for name, shape in SHAPES.items()}
Y = np.array([1, 0, 3])


def symbolic(there: NumpyTracing) -> tuple[dict[str, SizedArray], dict[Any, fmpq]]:
    """An array of symbols for each array of numbers, and the point at which they are these numbers."""
    made, point = {}, {}
    for name, shape in SHAPES.items():
        array = np.empty(shape, dtype=object)
        for place in np.ndindex(*shape):
            symbol = sp.Symbol("_".join([name, *map(str, place)]), real=True)
            array[place] = var(symbol)
            point[symbol] = fmpq(int(NUMBERS[name][place] * 16), 16)
        made[name] = there.argument(Tensor(name, tuple(map(Axis.of, shape))), array)
    return made, point


def evaluated(there: NumpyTracing, result: Any, point: dict[Any, fmpq]) -> Any:
    """Numbers for nodes."""
    array = there.nodes("result", result)
    found = values(needed(array.flat), point)
    return np.array([float(v) if isinstance(v, bool) else float(as_ball(v).mid()) for v in (found[a] for a in array.flat)]).reshape(array.shape)


def filled(X: Any, W: Any) -> Any:
    out = np.zeros((3, 2))
    for i in range(3):
        out[i] += X[i] @ W
    out[1:, 0] = 7
    out[0] *= 2
    out -= W.mean()
    return out


def views(X: Any) -> Any:
    Z = X.copy()
    row = Z[1]
    row += 10
    Z[:, 1:3] -= Z[:, :1]
    Z.T[0] = 5
    return Z


def shared(X: Any) -> Any:
    Z = X.copy()
    Z.reshape(-1)[0] = 5
    Z.T.reshape(-1)[1] = 7
    for part in (+Z, np.array(Z), Z.astype(float), np.ascontiguousarray(Z.T), copy.copy(Z), Z.sum(axis=()), Z.flatten(), Z[[0]]):
        part[0] = 100
    for k, part in enumerate((np.asarray(Z), Z.astype(float, copy=False), np.ascontiguousarray(Z), Z.ravel().reshape(3, 4), Z.real, Z[...])):
        part[1, k % 4] = k
    assert np.may_share_memory(Z, Z.T) and not np.may_share_memory(Z, +Z)
    return Z


def in_what_order(X: Any, B: Any) -> Any:
    arrays = [np.cumsum(X, axis=1), np.cumsum(X.T, axis=0), np.zeros_like(X.T), np.array(X.T), np.copy(X.T), X.T.copy(), X.T + 1, X @ X.T, B.T.sum(axis=0),
              B.T.max(axis=1), B.T.mean(axis=0, keepdims=True), np.where(X.T > 0, X.T, 1), np.full_like(X.T, 3), X.T.astype(float), np.ones(X.T.shape)]
    for Z in arrays:
        flat = Z.T.reshape(-1)
        flat[1] = 100
        Z.reshape(-1)[2] = 200
    return np.concatenate([Z.ravel() for Z in arrays])


def selected(X: Any) -> Any:
    Z, m = X.copy(), X > 0
    chosen = Z[m]
    rows = Z[X[:, 0] > 0]
    Z[:] = 1
    m[:] = False
    Z[X[:, 0] > 0] = X[0]
    return Z + chosen.sum() * chosen.size + chosen.mean() + rows.mean(axis=0) + rows.size * rows.shape[0] + np.mean(X, axis=0, where=X > -5)


def masked(X: Any) -> Any:
    Z = X.copy()
    Z[Z <= 0] = 0
    Z[X > 1] *= 0.01
    Z[(X > 0.5) & (X < 0.75) | (X.max() == X)] = -1
    return Z


def added_at(X: Any) -> Any:
    out = np.zeros_like(X)
    np.add.at(out, (slice(None), [0, 0, 3]), X[:, :3])
    return out


def listed(X: Any) -> Any:
    return np.array([np.exp(x).sum() for x in X]) + np.stack([X[:, 0], X[:, 1]])[0]


def joined(X: Any) -> Any:
    parts = np.split(np.concatenate([X, 2 * X], axis=1), 4, axis=1)
    return np.vstack([parts[0], parts[3]]) * np.ones((6, 1)) + np.hstack([X[0, :2]])


def whole_tables(X: Any) -> Any:
    return np.eye(4)[Y] + np.identity(4)[:3] * X + np.full((3, 4), 0.5) - np.full_like(X, 2) + np.ones_like(X)


def from_zeros_like_numbers(X: Any) -> Any:
    out = np.zeros_like(np.array([0.5, 1.5, 2.5]))
    out[:] = X.sum(axis=1)
    return out


def exact_roots(X: Any) -> Any:
    return X / np.sqrt(X.shape[1]) + np.log(2) + math.sqrt(3) + X.shape[0] ** 0.5 + np.exp(1.0) + np.pi


EXPRESSIONS: dict[str, Callable[..., Any]] = {
    "arithmetic": lambda X, v: (X + v) * 2 - X / 3 + (-X) ** 2 - 1 / (X**2 + 1) + 3 // 2 + v % 1 + abs(v),
    "powers": lambda X: (X**2 + 1) ** 0.5 + np.power(X, 3) + (X * X + 2) ** -1.5 + np.square(X) + np.reciprocal(X**2 + 1),
    "elementary": lambda X: np.exp(X) + np.log(X**2 + 1) + np.sqrt(X**2) + np.tanh(X) + np.sin(X) * np.cos(X) + np.arctan(X) + np.tan(X),
    "hyperbolic": lambda X: np.sinh(X) / np.cosh(X) + np.expm1(X) + np.log1p(X**2) + np.log2(X**2 + 1) + np.log10(X**2 + 2) + np.exp2(X),
    "signs": lambda X: np.abs(X) + np.sign(X) + np.maximum(X, 0.1) - np.minimum(0, X) + np.clip(X, -0.5, 0.5) + np.fmax(X, 1),
    "where": lambda X: np.where(X > 0, X, np.exp(X) - 1) + np.where(X <= 0.3, 1, 0) + (X > 0) * X + (X < 0).astype(float),
    "logic": lambda X: np.where(np.logical_and(X > 0, ~(X > 1)) | (X < -1), 1.0, X) + np.logical_not(X > 0) + np.heaviside(X, 0.5),
    "logaddexp": lambda X: np.logaddexp(X, 0) + np.logaddexp(0, -X),
    "sums": lambda X, B: X.sum() + np.sum(X, axis=0) + np.sum(B, axis=(0, 1)) + X.sum(axis=1, keepdims=True) + B.sum(-1).sum(),
    "means": lambda X, B: X.mean(0) + np.mean(X, axis=1, keepdims=True) + X.var(0) + np.var(X, axis=0, ddof=1) + X.std() + np.std(X, axis=0)
    + B.mean(axis=(0, 1)),
    "extrema": lambda X: X.max() + np.max(X, axis=0) - X.min(axis=1, keepdims=True) + np.amax(X, axis=-1, keepdims=True) + np.ptp(X, axis=0),
    "products": lambda X, v: X.prod(axis=0) + np.prod(v) + np.cumsum(v) + np.cumprod(X, axis=1),
    "reduce": lambda X: np.add.reduce(X, axis=1) + np.multiply.reduce(X, axis=1) + np.maximum.reduce(X, axis=1),
    "any and all": lambda X: np.where((X > 0).any(axis=1), 1, 0) + np.where(np.all(X > -5, axis=1), 1, 0),
    "matmul": lambda X, W, v: (X @ W).T @ X + (v @ W)[:, None] + (X @ v).sum() + v @ v,
    "batched matmul": lambda B, W, X: B @ W + np.matmul(B, W[None]) + (X @ B.transpose(0, 2, 1)).sum(),
    "dot": lambda X, W, v, B: X.dot(W).sum() + np.dot(X, v).sum() + np.dot(v, v) + np.dot(B, W) + np.inner(X, X).sum() + np.vdot(X, X),
    "outer": lambda X, v: np.outer(X[0], v) + np.multiply.outer(v, v) + np.kron(v[:2, None], v[None, :2]).sum(),
    "tensordot": lambda B, X, v: np.tensordot(B, X, axes=([1, 2], [0, 1])).sum() + np.tensordot(X, v, 1) + np.tensordot(B, v, axes=([2], [0])),
    "einsum": lambda X, W, B, S: np.einsum("nd,dh->nh", X, W) + np.einsum("...d,dh->...h", B, W).sum() + np.einsum("ii->i", S).sum()
    + np.einsum("bij,bij->b", B, B)[0] + np.einsum("ij->j", X).sum() + np.einsum("ij,jk", X, W) + np.einsum("i,j,ij->", S[0], S[1], S),
    "shapes": lambda X, B: X.T.reshape(2, -1).ravel()[:4] + B.transpose(2, 0, 1).swapaxes(0, 1)[1, :, 2] + np.moveaxis(B, 0, -1)[0, :, 1]
    + np.squeeze(X[None, :1]) + np.expand_dims(X, 1)[2, 0] + X.flatten()[4:8],
    "joining": joined,
    "repeating": lambda X: np.tile(X, (2, 1)) + np.repeat(X, 2, axis=0) + np.broadcast_to(X[0], (6, 4)) + np.flip(np.tile(X, (2, 1)), 0),
    "triangles": lambda S: np.tril(S) - np.triu(S, 1) + np.diag(np.diag(S)) + np.trace(S) + np.eye(3) * S.trace() + np.roll(S, 1, axis=0),
    "padding": lambda X: np.pad(X, ((1, 1), (0, 2))) [1:4, :4] * 2 + np.pad(X, 1, mode="constant", constant_values=3)[:3, :4],
    "indexing": lambda X, B: X[np.arange(3), Y] + X[:, 1] * X[-1, -1] + B[1, :, 0] + X[[2, 0, 1], 0] + B[..., 2][0] + X[::-1, ::2][:, 1],
    "numbers as masks": lambda X: X[np.array([True, False, True])] + np.take(X, [1, 2], axis=0) + np.take_along_axis(X, Y[:, None], axis=1)[:2],
    "sums of masks": lambda X: X[X > 0].sum() + np.sum(X > 0) + (X > 0).mean() + np.mean(X, axis=0),
    "norms": lambda X, v: np.linalg.norm(X) + np.linalg.norm(X, axis=1, keepdims=True) + np.linalg.norm(v, 1) + np.linalg.norm(v),
    "numbers": lambda c, v: c * v + np.float64(0.5) * v + v * np.array([1, 2, 3, 4]) + np.arange(4) + np.linspace(0, 1, 5)[:4] + 2**c,
    "loops": lambda X: sum(x * k for k, x in enumerate(X)) + sum(X[0, j] for j in range(len(X[0]))),
    "unpacking": lambda X: (lambda a, b, c: a * b - c)(*X) + X.shape[0] + X.ndim + X.size + np.shape(X)[1] + np.ndim(X),
    "lists": listed, "filled": filled, "views": views, "masked": masked, "added at": added_at, "tables": whole_tables,
    "like numbers": from_zeros_like_numbers, "exact roots": exact_roots,
    "out": lambda X: np.add(X, 1, out=np.empty_like(X)) + np.where(X > 0, np.ones_like(X), np.zeros_like(X)),
    "shared memory": shared, "selected": selected, "in what order": in_what_order,
    "from a start": lambda X: np.max(X, axis=1, initial=0.25) + np.sum(X, initial=2.0) + np.prod(X, axis=1, where=X > 0) + np.min(X, initial=-1)
    + np.any(X > 1, axis=1, where=X < 2) + np.all(X > -1, axis=1, where=X > -2) + np.sum(X, axis=1, where=X > 0, keepdims=True)[:, 0],
    "whole numbers": lambda X: (X > 0).sum() ** 2 + np.ones(3).astype(int)[0] * X + (X > 0).astype(int) @ np.ones((4, 1)) + int(np.sqrt(9)),
    "entries": lambda X: X.item(3) + X.item((1, 2)) + X.sum().item() + sum(X.tolist()[0]) + X.take([1, 2], axis=0) + X[:2].repeat(2, axis=1)[:, ::2],
    "diff": lambda X: np.diff(X, axis=0) + np.average(X, axis=0) + np.count_nonzero(X > 0),
    "average": lambda X, v: np.average(X, axis=1, weights=v),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_it_has_the_shape_and_values_that_numpy_gives(name: str) -> None:
    function = EXPRESSIONS[name]
    names = function.__code__.co_varnames[:function.__code__.co_argcount]
    right = np.asarray(function(*[NUMBERS[n].copy() for n in names]), dtype=float)
    with tracing(Graph()):
        there = NumpyTracing(EntryMaker())
        arguments, point = symbolic(there)
        with sized_numpy(function, there.maker):
            found = function(*[arguments[n] for n in names])
        assert isinstance(found, SizedArray)
        found = evaluated(there, found, point)
    assert found.shape == right.shape
    np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-12)


def test_scipy_functions_are_met_by_name() -> None:
    special = importlib.import_module("scipy.special")
    with tracing(Graph()):
        there = NumpyTracing(EntryMaker())
        arguments, point = symbolic(there)
        for f in (special.expit, special.erf, special.ndtr, special.log_expit):
            np.testing.assert_allclose(evaluated(there, f(arguments["X"]), point), f(NUMBERS["X"]), rtol=1e-12)


def test_numpy_is_itself_again_afterwards() -> None:
    before = {name: getattr(np, name) for name in ("zeros", "array", "empty", "sqrt", "eye")}
    with tracing(Graph()), sized_numpy(filled, NumpyTracing(EntryMaker()).maker):
        assert np.zeros is not before["zeros"]
    assert all(getattr(np, name) is value for name, value in before.items())
    assert type(np.zeros(3)) is np.ndarray


def test_compiled_code_finds_the_real_empty() -> None:
    dice = np.random.default_rng(1)

    def draws() -> Any:
        return dice.random((3, 4))

    with tracing(Graph()), sized_numpy(draws, NumpyTracing(EntryMaker()).maker):
        assert type(draws()) is np.ndarray


def test_an_array_prints_its_shape_and_not_its_entries() -> None:
    with tracing(Graph()):
        X = symbolic(NumpyTracing(EntryMaker()))[0]["X"]
        assert f"{X.sum():.3f} {X}" == "(symbolic) symbolic array of shape (3, 4)"
        assert X.array.node.dtype == object and X.dtype == float


STATEMENTS = (  # lines that write into arrays, look at them through views, move entries about and select them
    "Z[{i}] += v", "Z[:, {j}] *= 2", "r = Z[{i}]; r -= 1", "Z.T[{j}] = S[0]", "Z = Z.copy()", "Z = Z + X", "Z[Z > {c}] = {c}",
    "Z[Z < 0] *= 0.5", "w = Z[None]; w += 1", "Z = np.where(Z > {c}, Z, X)", "q = Z.reshape(-1); q *= 2", "q = Z.T.reshape(-1); q += 1",
    "Z -= Z.mean(axis=0)", "Z = Z - Z.max(axis=1, keepdims=True)", "Z = np.concatenate([Z[1:], Z[:1]])", "Z = S @ Z",
    "Z[[0, 2]] = Z[[2, 0]]", "m = Z > 0; Z = Z * m", "m = X > 0; Z[m] = X[m]", "Z[X[:, 0] > 0] = v", "Z[X[:, 0] > 0] += 1",
    "Z = np.maximum(Z, {c}); Z += Z[Z > 0].sum()", "Z = Z.astype(float); Z[0, 0] = 3", "np.add(Z, 1, out=Z)",
    "np.multiply(Z, X, out=Z, where=X > 0)", "Z = np.ascontiguousarray(Z.T).T; Z[1] = 2", "Z = np.asarray(Z); Z[0] = v",
    "Z = Z.swapaxes(0, 1).swapaxes(0, 1); Z[2] -= v", "a = Z.sum(axis=1); a += 1; Z = Z + a[:, None]",
    "h = Z.sum(); k = h; h += 1; Z = Z + k", "Z = np.tile(Z, (2, 1))[1:4]", "Z = np.repeat(Z, 2, axis=0)[::2]",
    "Z = np.cumsum(Z, axis=1)", "Z = np.vstack([v, Z[:2]])", "Z[np.arange(3), [1, 0, 3]] -= 1", "Z = Z * np.any(Z > 1, axis=0)",
    "Z = Z + (Z > 0).sum(axis=1, keepdims=True)", "Z[1:, 1:] = Z[:-1, :-1]", "Z[::-1][0] = 1", "Z = Z + np.mean(Z, where=Z > -1000)",
    "Z = Z + Z[X > 0].mean() + Z[X > 0].size", "Z = np.expand_dims(Z, 0)[0]; Z[0] += v", "Z = Z.clip(-1, 1)",
    "b = np.zeros_like(Z); b[0] = Z[1]; Z = Z - b", "Z = Z + np.zeros(4); Z[0] = 0", "t = Z.T; t[0] += 1; u = t.T; u[2] = 5",
    "Z = Z[:, ::-1]; Z[0] = v",
)


def program(seed: int) -> Any:
    """A function of random lines."""
    dice, space = random.Random(seed), {"np": np, "__name__": "user_code"}
    lines = [dice.choice(STATEMENTS).format(i=dice.randrange(3), j=dice.randrange(4), c=dice.choice((0.25, 0.5, -0.25))) for _ in range(dice.randint(2, 6))]
    exec("def f(X, v, S):\n    Z = X + 0\n" + "".join(f"    {line}\n" for each in lines for line in each.split("; ")) + "    return Z\n", space)
    return space["f"]


@pytest.mark.parametrize("seed", range(0, 500, 9))
def test_random_lines_do_what_they_do_in_numpy_at_sizes_and_for_all_sizes(seed: int) -> None:
    f, numbers = program(seed), {name: NUMBERS[name] for name in ("X", "v", "S")}
    right = f(**{name: a.copy() for name, a in numbers.items()})
    with tracing(Graph()):
        there = NumpyTracing(EntryMaker())
        arguments, point = symbolic(there)
        found = evaluated(there, there.run(f, [], {name: arguments[name] for name in numbers}), point)
    assert found.shape == right.shape
    np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-9)
    with contextlib.suppress(SymnetError):  # what has no formula for all sizes
        found = sn.from_numpy(f, shapes={"X": ("a", "b"), "v": "b", "S": ("a", "a")} if seed % 2 else {n: SHAPES[n] for n in numbers}).run(**numbers)
        np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-9)
