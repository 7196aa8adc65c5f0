"""NumPy functions as programs: what they compute and their gradients, against NumPy itself and finite differences."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import NameError_, OptionError, ShapeError, SymnetError, UnknownNodeError

DICE = np.random.default_rng(5)
SHAPES: dict[str, Any] = {"X": ("N", "d"), "W": ("d", "h"), "w": "d", "b": "h", "y": "N", "c": ()}
DATA = {"X": DICE.normal(size=(4, 3)), "W": DICE.normal(size=(3, 2)), "w": DICE.normal(size=3), "b": DICE.normal(size=2),
        "y": DICE.normal(size=4), "c": 0.7}


def softmax(z: Any) -> Any:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def written_through_a_view(X: Any) -> Any:
    Z = X * 2
    T = Z.T
    T[0] = 1
    Z += 1
    return (T * T).sum()


def held_by_two_names(X: Any) -> Any:
    A = X + 0
    B = A
    B *= 3
    return (A * X).sum()


def numbers_are_no_arrays(X: Any) -> Any:
    total = X.sum()
    before = total
    total += 1
    return total * before


def in_cases(X: Any, c: Any) -> Any:
    Z = np.where(c < X, X, -X)
    Z[Z < 0.2] = 0.5
    Z[:, 0] *= 2
    return Z.sum()


def out_of_many(X: Any, W: Any, b: Any) -> Any:
    Z = np.empty((len(X), W.shape[1]))
    np.matmul(X, W, out=Z)
    np.add(Z, b, out=Z, where=Z > 0)
    return np.tanh(Z).mean()


WHOLE: dict[str, Callable[..., Any]] = {
    "ridge": lambda X, w, y, c: np.mean((X @ w - y)**2) + c * np.dot(w, w),
    "softmax": lambda X, W, b: -np.log(softmax(X @ W + b)[:, 0]).mean(),
    "logsumexp": lambda X: (np.log(np.exp(X - X.max(1)[:, None]).sum(1)) + X.max(1)).sum(),
    "variance": lambda X: (X.var(axis=0) / X.std(axis=1, ddof=0).sum()).sum(),
    "einsum": lambda X, W, y: np.einsum("nd,dh,n->h", X, W, y).sum() + np.einsum("ij,ij", X, X),
    "shapes": lambda X: X.sum() / (X.shape[0] * X.size) + np.sqrt(X.shape[1]) + math.log(len(X)) + np.ones(X.shape).sum(),
    "masks": lambda X, c: ((X > 0) & (c > X)).sum() + (~(X > 0) | (c == X)).astype(float).mean() + np.int64(X > 0).sum(),
    "moves": lambda X, W: (X[:, None, :] * W.T[None]).sum(-1).T.swapaxes(0, 1)[::-1].cumsum(axis=0)[-1].sum(),
    "slices": lambda w: (w[1:] - w[:-1]) @ (w[1:] + w[:-1]) + w[0] * w[-1],
    "eye": lambda X: np.trace(X.T @ X + 3 * np.eye(X.shape[1])) + np.tril(X.T @ X).sum() + np.outer(X[0], X[-1]).sum(),
    "joined": lambda X, W: np.concatenate([X, W.T]).sum() + np.clip(X, -1, 1).sum() + np.stack([X, 2 * X], axis=1)[:, 0].sum(),
    "norms": lambda X, w: np.linalg.norm(X) * np.linalg.norm(w, ord=1) + np.linalg.norm(X, axis=1).sum(),
    "view": written_through_a_view, "names": held_by_two_names, "numbers": numbers_are_no_arrays, "cases": in_cases, "out": out_of_many,
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_program_computes_what_the_function_does(name: str) -> None:
    f = WHOLE[name]
    names = f.__code__.co_varnames[:f.__code__.co_argcount]
    program = sn.from_numpy(f, shapes={k: SHAPES[k] for k in names})
    assert {str(s) for s in program.sizes} <= {"N", "d", "h"}
    arrays = {k: DATA[k] for k in names}
    assert program.run(**arrays) == pytest.approx(float(f(**{k: np.copy(v) for k, v in arrays.items()})), rel=1e-12)


@pytest.mark.parametrize("name", ["ridge", "softmax", "logsumexp", "variance", "einsum", "moves", "slices", "norms", "view", "names", "out"])
def test_its_gradient_is_the_function_s(name: str) -> None:
    f = WHOLE[name]
    names = f.__code__.co_varnames[:f.__code__.co_argcount]
    arrays = {k: np.array(DATA[k], dtype=float) for k in names}
    d = sn.derive(sn.from_numpy(f, shapes={k: SHAPES[k] for k in names}), wrt=list(names))
    _, grads = d.compile()(arrays)
    for k in names:
        for place in np.ndindex(arrays[k].shape):
            ends = []
            for step in (1e-6, -1e-6):
                moved = {n: a.copy() for n, a in arrays.items()}
                moved[k][place] += step
                ends.append(float(f(**{n: a if a.ndim else a[()] for n, a in moved.items()})))
            assert np.asarray(grads[k])[place] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-6)


def test_shapes_come_from_examples_and_labels_are_whole_numbers() -> None:
    def loss(W: Any, X: Any, y: Any, scale: float = 2.0) -> Any:
        p = softmax(X @ W)
        return {"loss": -scale * np.log(p[np.arange(len(y)), y]).mean(), "p": p}

    y = np.array([1, 0, 0, 1])
    p = sn.from_numpy(loss, {"y": y, "X": DATA["X"]}, shapes={"W": (3, "k")})
    assert p["y"].domain == "index" and p["X"].shape == (4, 3)
    assert p.run(W=DATA["W"], X=DATA["X"], y=y) == pytest.approx(loss(DATA["W"], DATA["X"], y)["loss"])
    assert sn.from_numpy(lambda x: (x.sum(), x), [np.ones(2)]).run(x=[1.0, 2.0]) == 3.0


def test_an_array_may_be_the_objective() -> None:
    p = sn.from_numpy(lambda X, w: X @ w, shapes={"X": ("N", "d"), "w": "d"})
    assert np.allclose(p.run(X=DATA["X"], w=DATA["w"]), DATA["X"] @ DATA["w"])


def test_what_a_line_no_longer_shows_it_still_asks_for() -> None:
    p = sn.from_numpy(lambda x, y: (x * y / x).sum(), shapes={"x": "n", "y": "n"})
    assert [sign for _, sign, _ in p.definitions[-1].holes] == ["="]
    assert not sn.from_numpy(lambda x: (x / (1 + x**2)).sum(), shapes={"x": "n"}).definitions[-1].holes


REFUSED: dict[str, tuple[Callable[..., Any], str]] = {
    "loop": (lambda x: sum(v for v in x), "a loop over an axis whose size is not known"),
    "range": (lambda x: sum(x[k] for k in range(len(x))), "a number of Python's"),
    "selection": (lambda x: x[x > 0].max(), "x[mask]"),
    "if": (lambda x: x.sum() if x.sum() > 0 else 0 * x.sum(), "a condition on a symbolic value"),
    "size": (lambda x: x.sum() if len(x) > 3 else 0 * x.sum(), "a condition on the size n"),
    "sort": (lambda x: np.sort(x)[0], "np.sort"),
    "whole numbers": (lambda x: (x > 0).astype(np.uint8).sum(), "uint8"),
    "cut to whole": (lambda x: x.astype(int).sum(), "numbers cut to whole numbers"),
    "into whole": (lambda x: np.zeros_like(x, dtype=int).__iadd__(x).sum(), "whole numbers"),
    "chance": (lambda x: (x * np.random.rand()).sum(), "np.random.rand"),
    "shapes": (lambda x: (x @ np.ones((x.size, 2)) + x).sum(), "shapes that broadcast"),
    "reshape": (lambda x: (lambda z: (z.reshape(-1, 1).__imul__(2), z.sum())[1])(x + 0), "a write through a reshape"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_formula_for_all_sizes_is_refused_in_one_line(name: str) -> None:
    f, said = REFUSED[name]
    with pytest.raises(SymnetError) as error:
        sn.from_numpy(f, shapes={"x": "n"})
    assert said in str(error.value) and "\n" not in str(error.value) and "test_numpy.py" in str(error.value)


def test_bad_input_is_one_line() -> None:
    with pytest.raises(ShapeError, match="no shape and no example"):
        sn.from_numpy(lambda x: x)
    with pytest.raises(NameError_, match="no argument named 'z'"):
        sn.from_numpy(lambda x: x, shapes={"z": "n"})
    with pytest.raises(ShapeError, match="one for each axis"):
        sn.from_numpy(lambda x: x, [np.ones((2, 2))], shapes={"x": "n"})
    with pytest.raises(UnknownNodeError, match="a table of a, b"):
        sn.from_numpy(lambda x: {"a": x, "b": x}, shapes={"x": "n"})
    with pytest.raises(OptionError):
        sn.from_numpy(3, shapes={})  # type: ignore[arg-type]
    with pytest.raises(NameError_, match="no array for w"):
        sn.program("L = w*x").run(x=1.0)


def test_numpy_is_as_it_was() -> None:
    before = np.zeros, len, np.int64
    with pytest.raises(SymnetError):
        sn.from_numpy(lambda x: np.zeros(3)[x], shapes={"x": "n"})
    assert (np.zeros, len, np.int64) == before and "len" not in globals()


ROWS = {"X": ("N", "d"), "w": ("d",), "y": ("N",)}


def looked_at_through_a_broadcast(X: Any, w: Any, y: Any) -> Any:
    v = w.copy()
    B = np.broadcast_to(v, X.shape)
    v *= 3
    return np.sum(B * X) + y.sum()


def copied_deeply(X: Any, w: Any, y: Any) -> Any:
    A = copy.deepcopy(X)
    A *= 2
    return np.sum(A @ w) + np.sum(X) + y.sum()


@pytest.mark.parametrize("code", [looked_at_through_a_broadcast, copied_deeply])
@pytest.mark.parametrize("sizes", [(3, 2), (4, 3), (1, 2)])
def test_views_and_copies_are_numpys(code: Any, sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(sizes))
    arrays = {"X": rng.normal(size=sizes), "w": rng.normal(size=sizes[1]), "y": rng.normal(size=sizes[0])}
    wanted = code(**{name: a.copy() for name, a in arrays.items()})
    assert sn.from_numpy(code, shapes=ROWS).run(**arrays) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(("code", "said"), [
    (lambda X, w, y: (2.0 if len(X) > 2.5 else 1.0) * np.sum(X @ w - y), "a condition on the size N"),
    (lambda X, w, y: {4: 10.0}.get(len(X), 1.0) * np.sum(X @ w - y), "the size N as a key"),
    (lambda X, w, y: np.sum(X @ w - y, dtype=int), "added up as int64"),
    (lambda X, w, y: np.sum(np.array([2.0] * len(y)) * y) + np.sum(X @ w), "a list repeated"),
    (lambda X, w, y: np.dot(y > 0, y > -1) * np.sum(X @ w), "a product of arrays of truths"),
    (lambda X, w, y: (np.stack([w > 0, w > 1]) + np.stack([w > -1, w > 0])).sum() + np.sum(X) + y.sum(), "arrays of truths put together"),
], ids=["float", "key", "dtype", "list", "truths", "stack"])
def test_what_numpy_does_otherwise_is_refused_by_name(code: Any, said: str) -> None:
    with pytest.raises(SymnetError, match=said):
        sn.from_numpy(code, shapes=ROWS)
